//! Curves refitted to resampled counts, and what they say of parameters, of shares, and of outcomes to come.

use super::chance::{SMALL, binomial, log_choose, log_kernel, logistic, logit, normal};
use super::curve::Curve;
use super::fit::{Fitted, Form, check_level, fit, fit_from};
use super::points::{Points, Row, Spacing};
use crate::{Bootstrap, Estimate, EvaluationError};
use std::collections::BTreeMap;
use superalign_core::{Rng, below};

/// Of the resamples, at most this share may be without a curve.
const UNDEFINED_SHARE: f64 = 0.05;
/// Levels stray from their curve by at most so much, in log-odds.
const FARTHEST: f64 = 3.0;

/// What varies from one resample to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resampling {
    /// The answers: counts are drawn from the binomial distribution about the fitted curve. Right where the curve is.
    Binomial,
    /// The answers, and the levels: the log-odds of each row stray from the curve by a normal error, whose variance is
    /// drawn from what the residuals leave possible (the chi-square of the Q-profile). Outcomes to come stray as well.
    /// It needs more rows than the curve has parameters; but a monotone curve through every level shows no straying.
    Straying,
    /// Whole clusters of [`Points::clustered`], drawn with replacement.
    Clusters,
}

/// A curve with its resamples.
#[derive(Clone, Debug)]
pub struct Resampled {
    /// The curve of the data themselves.
    pub fitted: Fitted,
    draws: Vec<Draw>,
    bootstrap: Bootstrap,
}

/// The curve of one resample.
#[derive(Clone, Debug)]
struct Draw {
    form: Form,
    parameters: Vec<f64>,
    /// Standard deviation by which the log-odds of a level stray.
    stray: f64,
    number: u64,
}

/// Fits a curve, and refits it to `bootstrap.draws` resamples of the counts.
///
/// # Errors
/// As [`fit`]; settings of the bootstrap; [`Resampling::Straying`] with no more rows than parameters;
/// [`Resampling::Clusters`] without labels, with fewer than two clusters, or where more than one resample in twenty has
/// too few levels to fit.
///
/// Variance of straying levels: Viechtbauer 2007, "Confidence intervals for the amount of heterogeneity".
///
/// ```
/// use superalign_core::{Bootstrap, Seed};
/// use superalign_evaluation::extrapolation::{Curve, Points, Resampling, resample};
/// let points = Points::new(&[1.0, 2.0, 3.0, 4.0], &[96, 79, 52, 20], &[100; 4])?;
/// let by = Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(1)) };
/// let found = resample(&points, Curve::logistic(), Resampling::Binomial, &by)?;
/// let midpoint = found.parameters()[1];
/// assert!(midpoint.lo > 2.6 && midpoint.hi < 3.4);
/// // A new test of 50 items has a wider interval than the curve.
/// assert!(found.outcome(5.0, 50)?.hi > found.share(5.0)?.hi);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn resample(
    points: &Points,
    curve: Curve,
    resampling: Resampling,
    bootstrap: &Bootstrap,
) -> Result<Resampled, EvaluationError> {
    bootstrap.check()?;
    let fitted = fit(points, curve)?;
    let residuals = Residuals::new(points, &fitted);
    let through_all = matches!(curve, Curve::Monotone(_));
    if resampling == Resampling::Straying && residuals.degrees == 0 && !through_all {
        let reason = format!("{} rows are fitted by {} parameters", points.rows.len(), fitted.free);
        return Err(EvaluationError::undefined("straying of levels", reason));
    }
    let clusters = clusters(points);
    if resampling == Resampling::Clusters {
        if !points.clustered {
            return Err(EvaluationError::undefined("cluster bootstrap", "the points have no clusters"));
        }
        if clusters.len() < 2 {
            return Err(EvaluationError::TooFew { what: "clusters", found: clusters.len(), expected: 2 });
        }
    }
    let mut draws = Vec::with_capacity(bootstrap.draws);
    for number in 0..bootstrap.draws as u64 {
        let mut rng = bootstrap.seed.nth(number).rng();
        let mut stray = 0.0;
        let drawn = match resampling {
            Resampling::Clusters => {
                let rows =
                    (0..clusters.len()).flat_map(|_| clusters[below(&mut rng, clusters.len())].clone());
                Points::of(rows.collect(), true, points.spacing)
            }
            Resampling::Binomial | Resampling::Straying => {
                if resampling == Resampling::Straying {
                    stray = residuals.draw(&mut rng);
                }
                let mut drawn = points.clone();
                for row in &mut drawn.rows {
                    let share = strayed(fitted.form.at(row.x), stray, &mut rng);
                    row.right = binomial(&mut rng, row.total, share);
                }
                drawn
            }
        };
        if let Ok(found) = fit_from(&drawn, curve, Some(&fitted.form)) {
            let parameters = found.parameters.iter().map(|parameter| parameter.1).collect();
            draws.push(Draw { form: found.form, parameters, stray, number });
        }
    }
    let undefined = bootstrap.draws - draws.len();
    if undefined as f64 > UNDEFINED_SHARE * bootstrap.draws as f64 {
        let reason = format!("it does not exist in {undefined} of {} resamples", bootstrap.draws);
        return Err(EvaluationError::undefined("curve", reason));
    }
    Ok(Resampled { fitted, draws, bootstrap: *bootstrap })
}

impl Resampled {
    /// Percentile intervals of the parameters, in the order of [`Fitted::parameters`].
    #[must_use]
    pub fn parameters(&self) -> Vec<Estimate> {
        let of = |(place, &(_, value)): (usize, &(&'static str, f64))| {
            self.bootstrap.interval(value, self.draws.iter().map(|draw| draw.parameters[place]).collect())
        };
        self.fitted.parameters.iter().enumerate().map(of).collect()
    }

    /// The share of the curve at level x, with its percentile interval.
    ///
    /// # Errors
    /// As [`Fitted::at`].
    pub fn share(&self, x: f64) -> Result<Estimate, EvaluationError> {
        let value = self.fitted.at(x)?;
        Ok(self.bootstrap.interval(value, self.shares(x)))
    }

    /// The share of right answers that `items` new items at level x will have: the prediction interval, which adds
    /// the chance of the answers (and straying, where levels stray) to that of the curve.
    ///
    /// # Errors
    /// As [`Fitted::at`]; no items.
    pub fn outcome(&self, x: f64, items: u64) -> Result<Estimate, EvaluationError> {
        check_items(0, items)?;
        let value = self.fitted.at(x)?;
        Ok(self.bootstrap.interval(value, self.outcomes(x, items)))
    }

    /// Shares of the drawn curves.
    pub(super) fn shares(&self, x: f64) -> Vec<f64> {
        self.draws.iter().map(|draw| draw.form.at(x)).collect()
    }

    /// Shares at which answers are drawn: those of the drawn curves, strayed.
    fn chances(&self, x: f64) -> impl Iterator<Item = (f64, Rng)> {
        let seed = self.bootstrap.seed.named("outcome");
        self.draws.iter().map(move |draw| {
            let mut rng = seed.nth(draw.number).rng();
            (strayed(draw.form.at(x), draw.stray, &mut rng), rng)
        })
    }

    /// One outcome from each drawn curve.
    pub(super) fn outcomes(&self, x: f64, items: u64) -> Vec<f64> {
        let items = items as f64;
        self.chances(x).map(|(share, mut rng)| binomial(&mut rng, items, share) / items).collect()
    }

    /// Natural logarithm of the predicted probability of an outcome: the mean over the drawn curves.
    pub(super) fn log_score(&self, x: f64, right: f64, total: f64) -> f64 {
        let logs: Vec<f64> = self.chances(x).map(|(share, _)| log_kernel(right, total, share)).collect();
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mean = logs.iter().map(|log| (log - most).exp()).sum::<f64>() / logs.len() as f64;
        log_choose(total, right) + most + mean.ln()
    }
}

pub(super) fn check_items(index: usize, items: u64) -> Result<(), EvaluationError> {
    if items == 0 {
        let what = "number of items to come";
        return Err(EvaluationError::Value { what, index, found: 0.0, expected: "at least 1" });
    }
    Ok(())
}

/// The share a level has that strays from its curve.
fn strayed(share: f64, stray: f64, rng: &mut Rng) -> f64 {
    if stray > 0.0 { logistic(logit(share) + stray * normal(rng)) } else { share }
}

fn clusters(points: &Points) -> Vec<Vec<Row>> {
    let mut found: BTreeMap<u32, Vec<Row>> = BTreeMap::new();
    for row in &points.rows {
        found.entry(row.cluster).or_default().push(*row);
    }
    found.into_values().collect()
}

/// How far the rows are from their curve, in log-odds, and by how much chance alone would put them off.
struct Residuals {
    /// Squared residual and variance by chance.
    rows: Vec<(f64, f64)>,
    degrees: usize,
}

impl Residuals {
    fn new(points: &Points, fitted: &Fitted) -> Self {
        let of = |row: &Row| {
            let edge = (0.5 / row.total).clamp(SMALL, 0.5);
            let share = fitted.form.at(row.x).clamp(edge, 1.0 - edge);
            let bend = share * (1.0 - share);
            (((row.right / row.total - share) / bend).powi(2), (row.total * bend).recip())
        };
        let rows: Vec<_> = points.rows.iter().map(of).collect();
        let degrees = rows.len().saturating_sub(fitted.free);
        Self { rows, degrees }
    }

    /// A standard deviation of straying: the one under which the sum of the scaled squares is a draw of chi-square.
    fn draw(&self, rng: &mut Rng) -> f64 {
        // A curve through every row: what is left of the residuals is rounding.
        if self.degrees == 0 {
            return 0.0;
        }
        let square: f64 = (0..self.degrees).map(|_| normal(rng).powi(2)).sum();
        let sum =
            |variance: f64| -> f64 { self.rows.iter().map(|(square, by)| square / (variance + by)).sum() };
        let (mut low, mut high) = (0.0, FARTHEST);
        if sum(0.0) <= square {
            return 0.0;
        }
        for _ in 0..30 {
            let middle = 0.5 * (low + high);
            if sum(middle * middle) > square { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    }
}

/// Whether the curve can be evaluated there, and the outcome counted.
pub(super) fn check_target(
    curve: &Curve,
    spacing: Spacing,
    index: usize,
    x: f64,
    items: u64,
) -> Result<(), EvaluationError> {
    check_level(curve, spacing, index, x)?;
    check_items(index, items)
}
