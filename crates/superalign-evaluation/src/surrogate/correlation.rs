//! Rank correlations of two scores.

use crate::EvaluationError;

/// A rank correlation, in `-1..=1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Correlation {
    /// Kendall's tau-b: concordant less discordant pairs, by the root of the pairs not tied in one times those not tied
    /// in the other (Kendall 1945).
    #[default]
    Kendall,
    /// Spearman's rho: Pearson's correlation of the midranks.
    Spearman,
}

impl Correlation {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Kendall => "Kendall's tau-b",
            Self::Spearman => "Spearman's rho",
        }
    }
}

/// The rank correlation of two scores of the same students. As `scipy.stats.kendalltau` (variant b) and `spearmanr`.
///
/// # Errors
/// Two numbers of scores; fewer than 3; a score that is no finite number; scores that are all equal.
///
/// ```
/// use superalign_evaluation::surrogate::{Correlation, rank_correlation};
/// let found = rank_correlation(&[0.9, 0.7, 0.7, 0.2], &[0.8, 0.6, 0.5, 0.1], Correlation::Kendall)?;
/// assert!((found - 5.0 / 30.0_f64.sqrt()).abs() < 1e-15);
/// let error = rank_correlation(&[0.5; 3], &[0.1, 0.2, 0.3], Correlation::Kendall).unwrap_err();
/// assert_eq!(error.to_string(), "Kendall's tau-b is undefined: all first scores are 0.5");
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn rank_correlation(
    first: &[f64],
    second: &[f64],
    correlation: Correlation,
) -> Result<f64, EvaluationError> {
    if first.len() != second.len() {
        let (what, found) = ("number of second scores", second.len());
        return Err(EvaluationError::Shape { what, found, expected: first.len() });
    }
    if first.len() < 3 {
        return Err(EvaluationError::TooFew { what: "students", found: first.len(), expected: 3 });
    }
    for (what, scores) in [("first score of student", first), ("second score of student", second)] {
        if let Some(index) = scores.iter().position(|score| !score.is_finite()) {
            let (found, expected) = (scores[index], "a finite number");
            return Err(EvaluationError::Value { what, index, found, expected });
        }
    }
    for (which, scores) in [("first", first), ("second", second)] {
        if scores.iter().all(|score| *score == scores[0]) {
            let reason = format!("all {which} scores are {}", scores[0]);
            return Err(EvaluationError::undefined(correlation.name(), reason));
        }
    }
    Ok(of(first, second, correlation))
}

/// As [`rank_correlation`], of scores that have been checked; NaN where all are equal.
pub(super) fn of(first: &[f64], second: &[f64], correlation: Correlation) -> f64 {
    match correlation {
        Correlation::Kendall => kendall(first, second),
        Correlation::Spearman => pearson(&midranks(first), &midranks(second)),
    }
}

fn kendall(first: &[f64], second: &[f64]) -> f64 {
    let (mut balance, mut untied_first, mut untied_second) = (0.0, 0.0, 0.0);
    for i in 0..first.len() {
        for j in 0..i {
            let (a, b) = (sign(first[i] - first[j]), sign(second[i] - second[j]));
            balance += a * b;
            untied_first += a.abs();
            untied_second += b.abs();
        }
    }
    // One root of the product, so that a score with itself gives exactly 1.
    balance / f64::sqrt(untied_first * untied_second)
}

/// -1, 0 or 1.
pub(super) fn sign(x: f64) -> f64 {
    f64::from(i8::from(x > 0.0) - i8::from(x < 0.0))
}

/// Ranks from 1; equal scores share the mean of theirs.
fn midranks(scores: &[f64]) -> Vec<f64> {
    let rank = |score: &f64| {
        let below = scores.iter().filter(|other| *other < score).count();
        let equal = scores.iter().filter(|other| *other == score).count();
        below as f64 + 0.5 * (equal as f64 + 1.0)
    };
    scores.iter().map(rank).collect()
}

fn pearson(first: &[f64], second: &[f64]) -> f64 {
    let n = first.len() as f64;
    let (a, b) = (first.iter().sum::<f64>() / n, second.iter().sum::<f64>() / n);
    let (mut both, mut of_first, mut of_second) = (0.0, 0.0, 0.0);
    for (x, y) in first.iter().zip(second) {
        both += (x - a) * (y - b);
        of_first += (x - a) * (x - a);
        of_second += (y - b) * (y - b);
    }
    (both / f64::sqrt(of_first * of_second)).clamp(-1.0, 1.0)
}
