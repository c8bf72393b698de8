//! Predictions beyond the data: several curves together, no farther than they were tested.

use super::backtest::Forecast;
use super::curve::Curve;
use super::points::{Points, Spacing};
use super::resample::{Resampled, Resampling, check_target, resample};
use crate::{Bootstrap, Estimate, EvaluationError};
use ndarray::ArrayView2;

/// What to do beyond the distance that was tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Beyond {
    /// An error, which says how far was tested.
    Refuse,
    /// Intervals and band grow in proportion to the distance; the prediction says so.
    Widen,
}

/// Where a predicted level lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reach {
    /// Among the fitted levels.
    Within,
    /// Beyond them, no farther than was tested.
    Tested,
    /// Farther than was tested: intervals and band have been widened by the factor.
    Widened {
        /// Distance by the tested distance, above 1.
        factor: f64,
    },
}

/// Settings of [`extrapolate`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extrapolation {
    /// What varies from one resample to the next.
    pub resampling: Resampling,
    /// How intervals are made.
    pub bootstrap: Bootstrap,
    /// How far beyond the last level predictions have been tested, in units of the levels (of their natural logarithm
    /// under [`Spacing::Ratio`](super::Spacing)): that of [`tested_reach`](super::tested_reach), or 0.
    pub tested: f64,
    /// What to do beyond.
    pub beyond: Beyond,
}

/// A share that is predicted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// The level.
    pub x: f64,
    /// Number of new items.
    pub items: u64,
    /// The share of the weighted curves, with its interval.
    pub share: Estimate,
    /// The share that so many new items will have, with its prediction interval.
    pub outcome: Estimate,
    /// Least and greatest of the curves' own shares: how much the choice of the model matters.
    pub disagreement: [f64; 2],
    /// How far that is.
    pub reach: Reach,
}

/// Shares at new levels, by curves that are weighted: `members` are curves with their weights (as from
/// [`stack`]), `targets` levels with numbers of new items.
///
/// Value: the weighted mean of the curves. Intervals: percentiles of the mixture of the curves' resamples. The
/// disagreement of the models is a band of its own, over the curves of weight above 0. Levels below the first are
/// refused: backtests go upwards.
///
/// # Errors
/// No curves, weights that are negative or do not sum to 1 within 1e-6, a `tested` that is negative or no number; a
/// target below the first level, or beyond what was tested under [`Beyond::Refuse`]; as [`resample`]. Under
/// [`Beyond::Widen`] with nothing tested there is nothing to widen by, and it is refused too.
///
/// ```
/// use superalign_core::{Bootstrap, Seed};
/// use superalign_evaluation::extrapolation::{Beyond, Curve, Extrapolation, Points, Resampling, extrapolate};
/// let points = Points::new(&[1.0, 2.0, 3.0, 4.0], &[96, 79, 52, 20], &[100; 4])?;
/// let bootstrap = Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(1)) };
/// let options =
///     Extrapolation { resampling: Resampling::Binomial, bootstrap, tested: 1.0, beyond: Beyond::Refuse };
/// let members = [(Curve::logistic(), 0.8), (Curve::Linear, 0.2)];
/// let found = extrapolate(&points, &members, &[(5.0, 100)], &options)?;
/// assert!(found[0].outcome.hi < 0.2 && found[0].disagreement[0] == 0.0);
/// let error = extrapolate(&points, &members, &[(7.0, 100)], &options).unwrap_err().to_string();
/// assert_eq!(error, "prediction is undefined: level 7 is 3 beyond the last, and 1 was tested");
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn extrapolate(
    points: &Points,
    members: &[(Curve, f64)],
    targets: &[(f64, u64)],
    options: &Extrapolation,
) -> Result<Vec<Prediction>, EvaluationError> {
    check_weights(members)?;
    if !(options.tested >= 0.0 && options.tested.is_finite()) {
        return Err(EvaluationError::setting("tested", options.tested, "a distance of 0 or more"));
    }
    let members: Vec<_> = members.iter().filter(|member| member.1 > 0.0).collect();
    let mut reaches = Vec::with_capacity(targets.len());
    for (index, &(x, items)) in targets.iter().enumerate() {
        for (curve, _) in &members {
            check_target(curve, points.spacing, index, x, items)?;
        }
        reaches.push(reach(points, x, options)?);
    }
    let mut resamples = Vec::with_capacity(members.len());
    for (curve, weight) in members {
        resamples.push((resample(points, *curve, options.resampling, &options.bootstrap)?, *weight));
    }
    let predict = |(&(x, items), reach)| predict(&resamples, x, items, reach, &options.bootstrap);
    targets.iter().zip(reaches).map(predict).collect()
}

pub(super) fn check_weights(members: &[(Curve, f64)]) -> Result<(), EvaluationError> {
    if members.is_empty() {
        return Err(EvaluationError::TooFew { what: "curves", found: 0, expected: 1 });
    }
    for (index, &(_, found)) in members.iter().enumerate() {
        if !(found >= 0.0 && found.is_finite()) {
            let (what, expected) = ("weight of curve", "a number of 0 or more");
            return Err(EvaluationError::Value { what, index, found, expected });
        }
    }
    let sum: f64 = members.iter().map(|member| member.1).sum();
    if (sum - 1.0).abs() > 1e-6 {
        return Err(EvaluationError::setting("sum of the weights", sum, "1"));
    }
    Ok(())
}

fn reach(points: &Points, x: f64, options: &Extrapolation) -> Result<Reach, EvaluationError> {
    let levels = points.levels();
    let (first, last) = (levels[0], levels[levels.len() - 1]);
    let refuse = |reason: String| Err(EvaluationError::undefined("prediction", reason));
    let distance = points.spacing.place(x) - points.spacing.place(last);
    if x < first {
        return refuse(format!("level {x} is below the first, {first}: backtests go upwards"));
    }
    if distance <= 0.0 {
        return Ok(Reach::Within);
    }
    // A distance that is the same but for rounding was tested.
    if distance <= options.tested * (1.0 + 1e-9) {
        return Ok(Reach::Tested);
    }
    if options.beyond == Beyond::Refuse || options.tested == 0.0 {
        let tested = options.tested;
        return refuse(match points.spacing {
            Spacing::Even => format!("level {x} is {distance} beyond the last, and {tested} was tested"),
            Spacing::Ratio => {
                format!(
                    "level {x} is {:.2} times the last, and {:.2} times was tested",
                    x / last,
                    tested.exp()
                )
            }
        });
    }
    Ok(Reach::Widened { factor: distance / options.tested })
}

fn predict(
    resamples: &[(Resampled, f64)],
    x: f64,
    items: u64,
    reach: Reach,
    bootstrap: &Bootstrap,
) -> Result<Prediction, EvaluationError> {
    let (mut value, mut band) = (0.0, [1.0_f64, 0.0_f64]);
    for (resampled, weight) in resamples {
        let share = resampled.fitted.at(x)?;
        value += weight * share;
        band = [band[0].min(share), band[1].max(share)];
    }
    let mixture = |of: &dyn Fn(&Resampled) -> Vec<f64>| {
        let draws: Vec<_> = resamples.iter().map(|(resampled, weight)| (of(resampled), *weight)).collect();
        bootstrap.interval(value, mixed(&draws, bootstrap.draws))
    };
    let share = mixture(&|resampled| resampled.shares(x));
    let outcome = mixture(&|resampled| resampled.outcomes(x, items));
    let factor = if let Reach::Widened { factor } = reach { factor } else { 1.0 };
    let away = |end: f64| (value + (end - value) * factor).clamp(0.0, 1.0);
    let widen = |found: Estimate| {
        if factor == 1.0 { found } else { Estimate { value, lo: away(found.lo), hi: away(found.hi) } }
    };
    let disagreement = if factor == 1.0 { band } else { band.map(away) };
    Ok(Prediction { x, items, share: widen(share), outcome: widen(outcome), disagreement, reach })
}

/// `n` draws from the mixture, each member having its share of them.
pub(super) fn mixed(members: &[(Vec<f64>, f64)], n: usize) -> Vec<f64> {
    let total: f64 = members.iter().map(|member| member.1).sum();
    let mut draws = Vec::with_capacity(n);
    let (mut member, mut until) = (0, members[0].1 / total);
    for i in 0..n {
        while (i as f64 + 0.5) / n as f64 > until && member + 1 < members.len() {
            member += 1;
            until += members[member].1 / total;
        }
        let values = &members[member].0;
        draws.push(values[i % values.len()]);
    }
    draws
}

/// Weights of curves under which the mixture of their forecasts gives the greatest probability to what came: stacking
/// by the held-out log-score. `forecasts[c]` are those of curve c, of the same backtests in the same order.
///
/// # Errors
/// As [`stack_scores`]; forecasts that do not belong together.
///
/// Yao, Vehtari, Simpson and Gelman 2018, "Using stacking to average Bayesian predictive distributions".
pub fn stack(forecasts: &[&[Forecast]]) -> Result<Vec<f64>, EvaluationError> {
    let Some(first) = forecasts.first() else {
        return Err(EvaluationError::TooFew { what: "curves", found: 0, expected: 1 });
    };
    for other in forecasts {
        if other.len() != first.len() {
            let (found, expected) = (other.len(), first.len());
            return Err(EvaluationError::Shape { what: "number of forecasts", found, expected });
        }
        let differs = |(a, b): (&Forecast, &Forecast)| {
            (a.fitted, a.horizon, a.x, a.observed) != (b.fitted, b.horizon, b.x, b.observed)
        };
        if let Some(place) = first.iter().zip(*other).position(differs) {
            let reason = format!("forecast {place} of the curves is not of the same level and origin");
            return Err(EvaluationError::undefined("stacking", reason));
        }
    }
    let scores =
        ndarray::Array2::from_shape_fn((first.len(), forecasts.len()), |(i, c)| forecasts[c][i].log_score);
    stack_scores(scores.view())
}

/// As [`stack`], from log-scores (forecasts, curves): maximises `sum_i ln sum_c w[c] exp(score[i, c])` over weights
/// that are not negative and sum to 1, by expectation maximisation to a gap of at most 1e-6 a forecast below the
/// greatest.
///
/// # Errors
/// No forecasts or curves; a score that is not a finite number.
///
/// ```
/// use ndarray::array;
/// use superalign_evaluation::extrapolation::stack_scores;
/// // The first curve is better twice, the second once.
/// let weights = stack_scores(array![[-1.0, -2.0], [-1.0, -2.0], [-3.0, -1.0]].view())?;
/// assert!(weights[0] > 0.5 && weights[1] > 0.2);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn stack_scores(scores: ArrayView2<'_, f64>) -> Result<Vec<f64>, EvaluationError> {
    let (forecasts, curves) = scores.dim();
    for (what, found) in [("forecasts", forecasts), ("curves", curves)] {
        if found == 0 {
            return Err(EvaluationError::TooFew { what, found, expected: 1 });
        }
    }
    if let Some((index, &found)) = scores.iter().enumerate().find(|(_, score)| !score.is_finite()) {
        let (what, expected) = ("log-score", "a finite number");
        return Err(EvaluationError::Value { what, index, found, expected });
    }
    let mut chances = scores.to_owned();
    for mut row in chances.rows_mut() {
        let most = row.fold(f64::NEG_INFINITY, |most, &score| most.max(score));
        row.mapv_inplace(|score| (score - most).exp());
    }
    let mut weights = vec![1.0 / curves as f64; curves];
    for _ in 0..100_000 {
        let mut gains = vec![0.0; curves];
        for row in chances.rows() {
            let mean: f64 = row.iter().zip(&weights).map(|(chance, weight)| chance * weight).sum();
            gains.iter_mut().zip(row).for_each(|(gain, chance)| *gain += chance / mean);
        }
        gains.iter_mut().for_each(|gain| *gain /= forecasts as f64);
        weights.iter_mut().zip(&gains).for_each(|(weight, gain)| *weight *= gain);
        // The objective is concave: no weights are better by more than the largest gain less 1.
        if gains.iter().copied().fold(0.0, f64::max) <= 1.0 + 1e-6 {
            break;
        }
    }
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    Ok(weights)
}
