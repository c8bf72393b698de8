//! Rolling-origin backtests: fit the first levels, predict the next, and compare with what is known of them.

use super::curve::Curve;
use super::points::Points;
use super::predict::{check_weights, mixed};
use super::resample::{Resampled, Resampling, resample};
use crate::{Bootstrap, Estimate, EvaluationError};
use superalign_core::below;

/// Settings of [`backtest`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backtest {
    /// Levels of the first fit, at least as many as the curve has parameters (one more where levels stray).
    pub first: usize,
    /// The farthest level that is predicted from each fit, counted in levels, at least 1.
    pub horizon: usize,
    /// What varies from one resample to the next.
    pub resampling: Resampling,
    /// How the predictions' intervals are made.
    pub bootstrap: Bootstrap,
}

/// A prediction of a level that is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// Number of levels that were fitted.
    pub fitted: usize,
    /// How many levels beyond the last of them.
    pub horizon: usize,
    /// How far beyond it, in units of the levels (of their natural logarithm under [`Spacing::Ratio`](super::Spacing)).
    pub distance: f64,
    /// The predicted level.
    pub x: f64,
    /// The share of right answers there.
    pub observed: f64,
    /// What the curve said, with the prediction interval of the outcome.
    pub predicted: Estimate,
    /// Natural logarithm of the probability that the outcome was given; higher is better.
    pub log_score: f64,
    /// Continuous ranked probability score of the share, in [0, 1]; lower is better.
    pub crps: f64,
}

/// How good the forecasts of one horizon are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Horizon {
    /// Levels beyond the last that was fitted.
    pub horizon: usize,
    /// Number of forecasts.
    pub forecasts: usize,
    /// Share of the outcomes within their prediction intervals.
    pub coverage: Estimate,
    /// Mean score; lower is better.
    pub crps: Estimate,
    /// Mean of predicted less observed share.
    pub bias: Estimate,
    /// Mean logarithm of the probability given to the outcome.
    pub log_score: Estimate,
}

/// Fits the curve to the first `options.first` levels, then to one more, and so on, and predicts each time the levels
/// beyond, up to the horizon. Forecasts come in the order of fits, then of levels.
///
/// Levels rise: over difficulty, it fits below d and predicts d + k. For the other direction negate the levels.
///
/// # Errors
/// No level left to predict, a horizon of 0; as [`resample`].
///
/// Tashman 2000, "Out-of-sample tests of forecasting accuracy"; the score: Gneiting and Raftery 2007.
///
/// ```
/// use superalign_core::{Bootstrap, Seed};
/// use superalign_evaluation::extrapolation::{Backtest, Curve, Points, Resampling, backtest};
/// let points = Points::new(&[1.0, 2.0, 3.0, 4.0, 5.0], &[96, 79, 52, 20, 6], &[100; 5])?;
/// let bootstrap = Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(1)) };
/// let options = Backtest { first: 3, horizon: 2, resampling: Resampling::Binomial, bootstrap };
/// let found = backtest(&points, Curve::logistic(), &options)?;
/// // Levels 4 and 5 from the first three, level 5 from the first four.
/// assert_eq!(found.iter().map(|f| (f.fitted, f.horizon)).collect::<Vec<_>>(), [(3, 1), (3, 2), (4, 1)]);
/// assert!(found[0].predicted.covers(found[0].observed));
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn backtest(points: &Points, curve: Curve, options: &Backtest) -> Result<Vec<Forecast>, EvaluationError> {
    backtest_mixture(points, &[(curve, 1.0)], options)
}

/// As [`backtest`], of several weighted curves together, as [`extrapolate`](super::extrapolate) mixes them. Weights
/// that come from these same outcomes flatter the forecasts: take those from other series.
///
/// # Errors
/// As [`backtest`]; no curves, weights that are negative or do not sum to 1 within 1e-6.
pub fn backtest_mixture(
    points: &Points,
    members: &[(Curve, f64)],
    options: &Backtest,
) -> Result<Vec<Forecast>, EvaluationError> {
    check_weights(members)?;
    if options.horizon == 0 {
        return Err(EvaluationError::setting("horizon", 0.0, "at least 1"));
    }
    if options.first == 0 {
        return Err(EvaluationError::setting("first", 0.0, "at least 1"));
    }
    let levels = points.levels();
    if levels.len() <= options.first {
        let expected = options.first + 1;
        return Err(EvaluationError::TooFew { what: "levels", found: levels.len(), expected });
    }
    let mut forecasts = vec![];
    for fitted in options.first..levels.len() {
        let bootstrap = Bootstrap { seed: options.bootstrap.seed.nth(fitted as u64), ..options.bootstrap };
        let known = points.first(fitted);
        let mut found: Vec<(Resampled, f64)> = vec![];
        for (curve, weight) in members.iter().filter(|member| member.1 > 0.0) {
            found.push((resample(&known, *curve, options.resampling, &bootstrap)?, *weight));
        }
        for (horizon, &x) in (1..=options.horizon).zip(&levels[fitted..]) {
            let (right, total) = points.at_level(x);
            let draws: Vec<_> =
                found.iter().map(|(found, weight)| (found.outcomes(x, total as u64), *weight)).collect();
            let mut outcomes = mixed(&draws, bootstrap.draws);
            let (mut value, mut logs) = (0.0, vec![]);
            for (found, weight) in &found {
                value += weight * found.fitted.at(x)?;
                logs.push(weight.ln() + found.log_score(x, right, total));
            }
            let observed = right / total;
            forecasts.push(Forecast {
                fitted,
                horizon,
                distance: points.spacing.place(x) - points.spacing.place(levels[fitted - 1]),
                x,
                observed,
                predicted: bootstrap.interval(value, outcomes.clone()),
                log_score: log_sum(&logs),
                crps: crps(&mut outcomes, observed),
            });
        }
    }
    Ok(forecasts)
}

/// Logarithm of the sum of what these are the logarithms of.
fn log_sum(logs: &[f64]) -> f64 {
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    most + logs.iter().map(|log| (log - most).exp()).sum::<f64>().ln()
}

/// The continuous ranked probability score of draws: E|y - observed| - E|y - y'| / 2.
fn crps(draws: &mut [f64], observed: f64) -> f64 {
    draws.sort_by(f64::total_cmp);
    let n = draws.len() as f64;
    let error: f64 = draws.iter().map(|draw| (draw - observed).abs()).sum();
    // Each draw is above `i` others and below n - 1 - i.
    let spread: f64 = draws.iter().enumerate().map(|(i, draw)| draw * (2.0 * i as f64 + 1.0 - n)).sum();
    error / n - spread / (n * n)
}

/// The forecasts of many series by horizon, with percentile intervals over resampled series.
///
/// `series` are the results of [`backtest`] for several students or families, all of one curve; forecasts of one series
/// stand and fall together, so series are drawn whole. A resample without a forecast of a horizon is left out there.
///
/// # Errors
/// No forecasts; settings of the bootstrap.
///
/// ```
/// use superalign_core::{Bootstrap, Seed};
/// use superalign_evaluation::extrapolation::{Backtest, Curve, Points, Resampling, backtest, by_horizon};
/// let bootstrap = Bootstrap { draws: 100, ..Bootstrap::new(Seed::new(1)) };
/// let options = Backtest { first: 3, horizon: 2, resampling: Resampling::Binomial, bootstrap };
/// let x = [1.0, 2.0, 3.0, 4.0, 5.0];
/// let one = backtest(&Points::new(&x, &[96, 79, 52, 20, 6], &[100; 5])?, Curve::logistic(), &options)?;
/// let two = backtest(&Points::new(&x, &[99, 93, 70, 44, 15], &[100; 5])?, Curve::logistic(), &options)?;
/// let found = by_horizon(&[&one, &two], &bootstrap)?;
/// assert_eq!((found[0].horizon, found[0].forecasts, found[1].forecasts), (1, 4, 2));
/// assert!(found[0].crps.value < 0.1);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn by_horizon(series: &[&[Forecast]], bootstrap: &Bootstrap) -> Result<Vec<Horizon>, EvaluationError> {
    bootstrap.check()?;
    let last = series.iter().flat_map(|forecasts| forecasts.iter()).map(|f| f.horizon).max();
    let Some(last) = last else {
        return Err(EvaluationError::TooFew { what: "forecasts", found: 0, expected: 1 });
    };
    let of = |horizon: usize| {
        let sums: Vec<[f64; 5]> = series.iter().map(|forecasts| sums(forecasts, horizon)).collect();
        let total = |places: &mut dyn Iterator<Item = usize>| {
            places.fold([0.0; 5], |mut total: [f64; 5], place| {
                total.iter_mut().zip(&sums[place]).for_each(|(total, sum)| *total += sum);
                total
            })
        };
        let whole = total(&mut (0..series.len()));
        if whole[0] == 0.0 {
            return None;
        }
        let drawn: Vec<[f64; 5]> = (0..bootstrap.draws as u64)
            .map(|number| {
                let mut rng = bootstrap.seed.nth(number).rng();
                total(&mut (0..series.len()).map(|_| below(&mut rng, series.len())))
            })
            .filter(|drawn| drawn[0] > 0.0)
            .collect();
        let estimate = |place: usize| {
            let value = whole[place] / whole[0];
            let draws: Vec<f64> = drawn.iter().map(|drawn| drawn[place] / drawn[0]).collect();
            if draws.is_empty() {
                Estimate { value, lo: value, hi: value }
            } else {
                bootstrap.interval(value, draws)
            }
        };
        let [coverage, crps, bias, log_score] = [1, 2, 3, 4].map(estimate);
        Some(Horizon { horizon, forecasts: whole[0] as usize, coverage, crps, bias, log_score })
    };
    Ok((1..=last).filter_map(of).collect())
}

/// Number of forecasts of a horizon; sums of their hits, scores, errors and log-scores.
fn sums(forecasts: &[Forecast], horizon: usize) -> [f64; 5] {
    let mut sums = [0.0; 5];
    for f in forecasts.iter().filter(|f| f.horizon == horizon) {
        let hit = f64::from(u8::from(f.predicted.covers(f.observed)));
        let terms = [1.0, hit, f.crps, f.predicted.value - f.observed, f.log_score];
        sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
    }
    sums
}

/// How far beyond the fitted levels forecasts have been tested: the largest distance, in units of the levels, that at
/// least `enough` forecasts reach.
///
/// # Errors
/// `enough` is 0; there are not so many forecasts.
pub fn tested_reach(series: &[&[Forecast]], enough: usize) -> Result<f64, EvaluationError> {
    if enough == 0 {
        return Err(EvaluationError::setting("enough", 0.0, "at least 1"));
    }
    let mut distances: Vec<f64> =
        series.iter().flat_map(|forecasts| forecasts.iter()).map(|f| f.distance).collect();
    distances.sort_by(|a, b| b.total_cmp(a));
    let found = distances.len();
    distances.get(enough - 1).copied().ok_or(EvaluationError::TooFew {
        what: "forecasts",
        found,
        expected: enough,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_of_draws_is_that_of_the_definition() {
        let draws: [f64; 4] = [0.2, 0.9, 0.4, 0.4];
        let pairs = draws.iter().flat_map(|a| draws.iter().map(move |b| (a - b).abs())).sum::<f64>() / 16.0;
        let error = draws.iter().map(|a| (a - 0.5).abs()).sum::<f64>() / 4.0;
        assert!((crps(&mut draws.clone(), 0.5) - (error - 0.5 * pairs)).abs() < 1e-15);
        assert!((crps(&mut [0.3], 0.5) - 0.2).abs() < 1e-15);
    }
}
