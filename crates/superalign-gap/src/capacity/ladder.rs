//! Whether several estimators of capacity order the rungs of a ladder alike.

use crate::GapError;
use crate::draws::{Draws, same_count};
use ndarray::Array2;
use superalign_core::Estimate;

/// The fewest rungs: any two numbers are ordered alike or oppositely.
const MINIMUM_RUNGS: usize = 3;
/// Of the draws, at most this share may be without a coefficient.
const UNDEFINED_SHARE: f64 = 0.05;

/// A correlation of ranks, in [-1, 1].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RankCorrelation {
    /// Kendall's tau-b: (concordant - discordant) / sqrt((pairs untied in x) (pairs untied in y)), Kendall 1945.
    Kendall,
    /// Spearman's rho: Pearson's correlation of midranks.
    Spearman,
}

impl RankCorrelation {
    /// The coefficient of two lists of equal length.
    ///
    /// # Errors
    /// Lists of different lengths or of fewer than 3 numbers, a number that is not finite, a list of equal numbers.
    ///
    /// ```
    /// use superalign_gap::capacity::RankCorrelation::{Kendall, Spearman};
    /// let (x, y) = ([1.0, 2.0, 3.0, 4.0], [10.0, 30.0, 20.0, 40.0]);
    /// assert!((Kendall.of(&x, &y)? - 4.0 / 6.0).abs() < 1e-12);
    /// assert!((Spearman.of(&x, &y)? - 0.8).abs() < 1e-12);
    /// # Ok::<(), superalign_gap::GapError>(())
    /// ```
    pub fn of(self, x: &[f64], y: &[f64]) -> Result<f64, GapError> {
        if y.len() != x.len() {
            return Err(GapError::Shape { what: "number of rungs", found: y.len(), expected: x.len() });
        }
        if x.len() < MINIMUM_RUNGS {
            return Err(GapError::TooFew { what: "rungs", found: x.len(), expected: MINIMUM_RUNGS });
        }
        for list in [x, y] {
            if let Some(index) = list.iter().position(|value| !value.is_finite()) {
                let (what, found) = ("capacity of rung", list[index]);
                return Err(GapError::Value { what, index, found, expected: "a finite number" });
            }
        }
        self.coefficient(x, y).ok_or_else(|| {
            GapError::undefined("rank correlation", "an estimator gives every rung the same number")
        })
    }

    fn coefficient(self, x: &[f64], y: &[f64]) -> Option<f64> {
        // Both are sums over pairs: of signs, or of centred midranks.
        let (mut both, mut first, mut second) = (0.0, 0.0, 0.0);
        match self {
            Self::Kendall => {
                for i in 1..x.len() {
                    for j in 0..i {
                        let (a, b) = (sign(x[i], x[j]), sign(y[i], y[j]));
                        both += a * b;
                        first += a * a;
                        second += b * b;
                    }
                }
            }
            Self::Spearman => {
                let centre = 0.5 * (x.len() + 1) as f64;
                for i in 0..x.len() {
                    let (a, b) = (midrank(x, i) - centre, midrank(y, i) - centre);
                    both += a * b;
                    first += a * a;
                    second += b * b;
                }
            }
        }
        let scale = (first * second).sqrt();
        if scale > 0.0 { Some((both / scale).clamp(-1.0, 1.0)) } else { None }
    }
}

/// The matrix of rank correlations between estimators of capacity over the rungs of a ladder, each with its interval:
/// (estimators, estimators), symmetric, 1 on the diagonal.
///
/// `estimators[e][r]` is estimator e on rung r. Draw k of all belongs together, which is so when all were made with one
/// [`Bootstrap`](crate::Bootstrap). With few rungs the coefficient takes few values, and the interval says how much of
/// it noise could undo, not how other ladders would behave.
///
/// # Errors
/// Fewer than 2 estimators or 3 rungs, lists of different lengths, another number of draws, a number that is not
/// finite, an estimator that gives every rung the same number (on the data, or on more than one draw in twenty).
///
/// ```
/// use superalign_core::Seed;
/// use superalign_gap::Draws;
/// use superalign_gap::capacity::{RankCorrelation, estimator_agreement};
/// let rungs = |values: [f64; 4]| -> Vec<Draws> {
///     (0..).zip(values).map(|(r, value)| Draws::normal(value, 0.01, 200, Seed::new(r)).unwrap()).collect()
/// };
/// let (ceiling, noise) = (rungs([0.66, 0.71, 0.74, 0.80]), rungs([0.30, 0.42, 0.41, 0.60]));
/// let found = estimator_agreement(&[ceiling, noise], RankCorrelation::Kendall, 0.95)?;
/// assert!((found[(0, 1)].value - 4.0 / 6.0).abs() < 1e-12 && found[(0, 1)].hi == 1.0);
/// # Ok::<(), superalign_gap::GapError>(())
/// ```
pub fn estimator_agreement(
    estimators: &[Vec<Draws>],
    coefficient: RankCorrelation,
    level: f64,
) -> Result<Array2<Estimate>, GapError> {
    if estimators.len() < 2 {
        return Err(GapError::TooFew { what: "estimators", found: estimators.len(), expected: 2 });
    }
    let draws = same_count(&estimators.iter().flatten().collect::<Vec<_>>())?;
    let values: Vec<Vec<f64>> =
        estimators.iter().map(|rungs| rungs.iter().map(|rung| rung.value).collect()).collect();
    let drawn = |e: usize, k: usize| -> Vec<f64> { estimators[e].iter().map(|rung| rung.draws[k]).collect() };
    let count = estimators.len();
    let mut found = Array2::from_elem((count, count), Estimate { value: 1.0, lo: 1.0, hi: 1.0 });
    for e in 1..count {
        for other in 0..e {
            let value = coefficient.of(&values[e], &values[other])?;
            let kept: Vec<f64> =
                (0..draws).filter_map(|k| coefficient.coefficient(&drawn(e, k), &drawn(other, k))).collect();
            let lost = draws - kept.len();
            if lost as f64 > UNDEFINED_SHARE * draws as f64 {
                let reason =
                    format!("an estimator gives every rung the same number in {lost} of {draws} draws");
                return Err(GapError::undefined("rank correlation", reason));
            }
            let estimate = Draws { value, draws: kept }.estimate(level)?;
            found[(e, other)] = estimate;
            found[(other, e)] = estimate;
        }
    }
    Ok(found)
}

fn sign(a: f64, b: f64) -> f64 {
    f64::from(i8::from(a > b) - i8::from(a < b))
}

/// The rank of a number from 1, the mean of the ranks it shares with its equals.
fn midrank(list: &[f64], place: usize) -> f64 {
    let below = list.iter().filter(|&&other| other < list[place]).count();
    let equal = list.iter().filter(|&&other| other == list[place]).count();
    below as f64 + 0.5 * (equal + 1) as f64
}
