//! Class-conditional noise on labels of any number of classes, given by a transition matrix.

use super::{check_weights, count, shuffled_by_class};
use crate::DataError;
use superalign_core::rand::RngExt as _;
use superalign_core::{Rng, Seed};

/// How labels of each class go wrong: row c, column c' is the probability that a label c becomes c'.
///
/// Only what lies off the diagonal matters: the sum of a row says how readily a class goes wrong beside the others,
/// its entries say what its labels become.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// Rows without their diagonal, as running sums.
    towards: Vec<Vec<f64>>,
    /// How readily each class goes wrong.
    weights: Vec<f64>,
}

impl Transition {
    /// Checks a matrix, row by row.
    ///
    /// # Errors
    /// [`DataError::Lengths`] for a row of another length than there are rows, or fewer than two;
    /// [`DataError::Weight`] for an entry that is negative or not finite, and for a matrix that is diagonal.
    ///
    /// ```
    /// use superalign_data::noise::Transition;
    /// Transition::new(&[vec![0.9, 0.1, 0.0], vec![0.0, 0.8, 0.2], vec![0.0, 0.0, 1.0]])?;
    /// assert!(Transition::new(&[vec![1.0, 0.0], vec![0.0, 1.0]]).is_err());
    /// # Ok::<(), superalign_data::DataError>(())
    /// ```
    pub fn new(matrix: &[Vec<f64>]) -> Result<Self, DataError> {
        let k = matrix.len().max(2);
        let mut towards = Vec::with_capacity(k);
        for (class, row) in matrix.iter().enumerate() {
            if row.len() != k {
                return Err(DataError::Lengths {
                    what: "a row of the matrix",
                    found: row.len(),
                    expected: k,
                });
            }
            check_weights(row)?;
            let mut sum = 0.0;
            let running = row.iter().enumerate().map(|(to, w)| {
                sum += if to == class { 0.0 } else { *w };
                sum
            });
            towards.push(running.collect::<Vec<f64>>());
        }
        if towards.len() != k {
            return Err(DataError::Lengths {
                what: "the rows of the matrix",
                found: matrix.len(),
                expected: k,
            });
        }
        let weights: Vec<f64> = towards.iter().map(|row| row[k - 1]).collect();
        if weights.iter().all(|w| *w == 0.0) {
            let expected = "a number above 0 beside the diagonal, in at least one row";
            return Err(DataError::Weight { item: 0, found: 0.0, expected });
        }
        Ok(Self { towards, weights })
    }
}

/// Labels of which exactly `round(ratio n)` are wrong, as a transition matrix has it; nested across ratios like
/// [`super::Noise`]: a label that is wrong at a ratio is wrong in the same way at every larger one.
///
/// Classes whose row leads nowhere stay right, so that the ratio may be out of reach.
///
/// # Errors
/// [`DataError::Ratio`] for a ratio that is not a number from 0 to 1; [`DataError::Lengths`] where fewer labels can go
/// wrong than the ratio asks for; [`DataError::Weight`] for a label that the matrix lacks.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_data::noise::{Transition, corrupt};
/// let matrix = Transition::new(&[vec![0.8, 0.2, 0.0], vec![0.0, 0.9, 0.1], vec![0.1, 0.0, 0.9]])?;
/// let clean: Vec<usize> = (0..40).map(|i| i % 2).collect();
/// let noisy = corrupt(&clean, &matrix, 0.15, Seed::new(1))?;
/// let became = |from, to| (0..40).filter(|&i| clean[i] == from && noisy[i] == to).count();
/// assert_eq!([became(0, 1), became(1, 2), became(1, 0)], [4, 2, 0]);
/// # Ok::<(), superalign_data::DataError>(())
/// ```
pub fn corrupt(
    labels: &[usize],
    transition: &Transition,
    ratio: f64,
    seed: Seed,
) -> Result<Vec<usize>, DataError> {
    let k = transition.weights.len();
    if let Some(item) = labels.iter().position(|&label| label >= k) {
        let expected = "a class that the matrix has a row for";
        return Err(DataError::Weight { item, found: labels[item] as f64, expected });
    }
    let wrong = count(ratio, labels.len())?;
    let can = labels.iter().filter(|&&label| transition.weights[label] > 0.0).count();
    if wrong > can {
        return Err(DataError::Lengths { what: "labels that can go wrong", found: can, expected: wrong });
    }
    let seed = seed.named("noise by class");
    let order = order(labels, &transition.weights, &mut seed.rng())?;
    let mut noisy = labels.to_vec();
    for &i in &order[..wrong] {
        let row = &transition.towards[labels[i]];
        // Each label's new class is its own draw, whatever the ratio.
        let at = seed.nth(i as u64).rng().random::<f64>() * transition.weights[labels[i]];
        noisy[i] = row.iter().position(|sum| at < *sum).unwrap_or(labels[i]);
    }
    Ok(noisy)
}

/// The order in which labels go wrong when each class does so in proportion to its weight.
///
/// The j-th of the m labels of a class of weight w goes at the time (2j + 1) / (2 m w): so every prefix of the order
/// holds each class in proportion, to within one label.
pub(super) fn order(classes: &[usize], weights: &[f64], rng: &mut Rng) -> Result<Vec<usize>, DataError> {
    check_weights(weights)?;
    if weights.iter().all(|w| *w == 0.0) {
        let expected = "a weight above 0 for at least one class";
        return Err(DataError::Weight { item: 0, found: 0.0, expected });
    }
    let members = shuffled_by_class(classes, weights.len(), rng);
    let mut timed = Vec::with_capacity(classes.len());
    for (class, (members, weight)) in members.iter().zip(weights).enumerate() {
        let whole = 2.0 * members.len() as f64;
        for (j, &i) in members.iter().enumerate() {
            let share = (2 * j + 1) as f64 / whole;
            // Without weight: after all others, in proportion among themselves.
            let time = if *weight > 0.0 { (false, share / weight) } else { (true, share) };
            timed.push((time, class, i));
        }
    }
    // The times of a class rise, and the sort is stable.
    timed.sort_by(|(a, ca, _), (b, cb, _)| {
        a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal).then(ca.cmp(cb))
    });
    Ok(timed.into_iter().map(|(_, _, i)| i).collect())
}
