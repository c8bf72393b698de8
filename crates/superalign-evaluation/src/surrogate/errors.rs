//! A supervisor whose errors depend on nothing: drawn, and what is to be expected under it.

use super::correlation::{Correlation, sign};
use crate::EvaluationError;
use crate::special::normal_cdf;
use ndarray::{Array2, ArrayView2};
use superalign_core::Seed;
use superalign_core::rand::Rng as _;

/// The score to be expected where each label of the supervisor is wrong with probability `error`, whatever the item:
/// `error + (1 - 2 error) score`. It keeps the order of students (for an error below 1/2) and shrinks their distances.
///
/// # Errors
/// A score or an error outside `0..=1`.
///
/// ```
/// use superalign_evaluation::surrogate::expected_score;
/// assert!((expected_score(0.9, 0.2)? - 0.74).abs() < 1e-15);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn expected_score(score: f64, error: f64) -> Result<f64, EvaluationError> {
    check("score", score)?;
    check("error", error)?;
    Ok(error + (1.0 - 2.0 * error) * score)
}

/// Which of so many labels are wrong, each with probability `error` on its own.
///
/// # Errors
/// An error outside `0..=1`.
pub fn independent_errors(items: usize, error: f64, seed: Seed) -> Result<Vec<bool>, EvaluationError> {
    check("error", error)?;
    let mut rng = seed.rng();
    // The same where a `usize` has 32 bits.
    let draw = |rng: &mut superalign_core::Rng| f64::from((rng.next_u64() >> 32) as u32) + 0.5;
    Ok((0..items).map(|_| draw(&mut rng) < error * 2_f64.powi(32)).collect())
}

/// Scores by a supervisor's labels: where the label is wrong, right answers count as wrong and wrong ones as right, 1
/// less the score. `scores` is (students, items), within `0..=1`; `wrong` has an entry for each item.
///
/// # Errors
/// A score outside `0..=1`; another number of labels than of items.
///
/// ```
/// use ndarray::array;
/// use superalign_evaluation::surrogate::with_errors;
/// let found = with_errors(array![[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]].view(), &[false, true, true])?;
/// assert_eq!(found, array![[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn with_errors(scores: ArrayView2<'_, f64>, wrong: &[bool]) -> Result<Array2<f64>, EvaluationError> {
    if wrong.len() != scores.ncols() {
        let (found, expected) = (wrong.len(), scores.ncols());
        return Err(EvaluationError::Shape { what: "number of labels", found, expected });
    }
    check_shares(scores)?;
    Ok(Array2::from_shape_fn(scores.dim(), |(student, item)| {
        let score = scores[[student, item]];
        if wrong[item] { 1.0 - score } else { score }
    }))
}

/// Kendall's tau-b to be expected between target scores and surrogate scores, where each label of the surrogate is
/// wrong with probability `error` on its own.
///
/// The difference of two students' scores keeps its sign with probability Phi(z), z = (1 - 2 error) D / sqrt(4 error
/// (1 - error) Q / n), D their mean difference and Q the mean of its square over the n items; the tau-b is the mean of
/// sign * (2 Phi(z) - 1) over pairs, by its usual root. It is exact at errors of 0 (the tau-b of the scores themselves)
/// and 1/2 (0), and a normal approximation between, which takes no account of students who tie by chance.
///
/// `surrogate` is (students, items), within `0..=1`; `target` a score for each student.
///
/// # Errors
/// Fewer than 3 students, another number of target scores, no item, scores or an error out of range; students that all
/// score the same.
///
/// ```
/// use ndarray::Array2;
/// use superalign_evaluation::surrogate::expected_kendall;
/// let surrogate = Array2::from_shape_fn((4, 50), |(s, i)| f64::from(i * 7 % 10 < 9 - s));
/// let target = [0.8, 0.7, 0.6, 0.5];
/// let clean = expected_kendall(surrogate.view(), &target, 0.0)?;
/// let half = expected_kendall(surrogate.view(), &target, 0.3)?;
/// assert!(clean == 1.0 && half < 0.95 && half > 0.5);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn expected_kendall(
    surrogate: ArrayView2<'_, f64>,
    target: &[f64],
    error: f64,
) -> Result<f64, EvaluationError> {
    check("error", error)?;
    let (students, items) = surrogate.dim();
    if students < 3 {
        return Err(EvaluationError::TooFew { what: "students", found: students, expected: 3 });
    }
    if items == 0 {
        return Err(EvaluationError::TooFew { what: "surrogate items", found: 0, expected: 1 });
    }
    if target.len() != students {
        let (what, found) = ("number of target scores", target.len());
        return Err(EvaluationError::Shape { what, found, expected: students });
    }
    check_shares(surrogate)?;
    if let Some((index, &found)) = target.iter().enumerate().find(|(_, score)| !score.is_finite()) {
        let (what, expected) = ("target score of student", "a finite number");
        return Err(EvaluationError::Value { what, index, found, expected });
    }
    let n = items as f64;
    let (mut balance, mut untied_surrogate, mut untied_target) = (0.0, 0.0, 0.0);
    for i in 0..students {
        for j in 0..i {
            let differences = surrogate.row(i).into_iter().zip(surrogate.row(j)).map(|(a, b)| a - b);
            let (sum, square) = differences.fold((0.0, 0.0), |(sum, square), d| (sum + d, square + d * d));
            let truth = sign(target[i] - target[j]);
            untied_target += truth.abs();
            let centre = (1.0 - 2.0 * error) * sum / n;
            let deviation = (4.0 * error * (1.0 - error) * square).sqrt() / n;
            if deviation > 0.0 {
                untied_surrogate += 1.0;
                balance += truth * (2.0 * normal_cdf(centre / deviation) - 1.0);
            } else {
                untied_surrogate += sign(centre).abs();
                balance += truth * sign(centre);
            }
        }
    }
    for (what, untied) in [("surrogate", untied_surrogate), ("target", untied_target)] {
        if untied == 0.0 {
            let reason = format!("all {students} students score the same on the {what}");
            return Err(EvaluationError::undefined(Correlation::Kendall.name(), reason));
        }
    }
    Ok(balance / f64::sqrt(untied_surrogate * untied_target))
}

fn check(key: &'static str, found: f64) -> Result<(), EvaluationError> {
    if (0.0..=1.0).contains(&found) {
        Ok(())
    } else {
        Err(EvaluationError::setting(key, found, "a number from 0 to 1"))
    }
}

pub(super) fn check_shares(scores: ArrayView2<'_, f64>) -> Result<(), EvaluationError> {
    match scores.iter().enumerate().find(|(_, score)| !(0.0..=1.0).contains(*score)) {
        Some((index, &found)) => {
            let (what, expected) = ("surrogate score", "a number from 0 to 1");
            Err(EvaluationError::Value { what, index, found, expected })
        }
        None => Ok(()),
    }
}
