//! Divergences between label distributions.

use super::measure::Base;
use super::shares::{checked_shares, normalised};
use super::soft::mean_estimate;
use crate::{Bootstrap, Estimate, SignalError};
use ndarray::{ArrayView2, ArrayView3, Axis};

/// What stands where a ratio has a positive numerator and a denominator of 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unbounded {
    /// An error that says where.
    #[default]
    Refuse,
    /// Infinity.
    Infinite,
}

/// How much each member of a mixture or an ensemble counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum MemberWeights<'a> {
    /// All alike.
    #[default]
    Uniform,
    /// These: from 0, and summing to 1 within 1e-6.
    Given(&'a [f64]),
}

impl MemberWeights<'_> {
    /// One weight per member; their sum is 1.
    pub(crate) fn of(self, members: usize) -> Result<Vec<f64>, SignalError> {
        if members == 0 {
            return Err(SignalError::TooFew { what: "members", found: 0, expected: 1 });
        }
        match self {
            Self::Uniform => Ok(vec![1.0 / members as f64; members]),
            Self::Given(weights) if weights.len() != members => {
                Err(SignalError::Shape { what: "number of weights", found: weights.len(), expected: members })
            }
            Self::Given(weights) => normalised(weights, 0),
        }
    }
}

/// Kullback-Leibler divergence `sum p_i log(p_i / q_i)` of p from q, two distributions over the same k classes, from 0.
///
/// Terms with `p_i = 0` are 0. Both are divided by their sums, which are 1 within 1e-6.
///
/// ```
/// use superalign_signal::label_diversity::{Base, Unbounded, kl};
/// let bits = kl(&[1.0, 0.0], &[0.25, 0.75], Base::Two, Unbounded::Refuse)?;
/// assert!((bits - 2.0).abs() < 1e-12);
/// let outside = kl(&[0.5, 0.5], &[1.0, 0.0], Base::Two, Unbounded::Refuse).unwrap_err();
/// assert_eq!(outside.to_string(), "KL divergence is undefined: class 1 has a share in p and none in q");
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// Lists of different lengths, shares that are negative, NaN or sum to something else; with [`Unbounded::Refuse`] a
/// class that p has and q has not.
pub fn kl(p: &[f64], q: &[f64], base: Base, unbounded: Unbounded) -> Result<f64, SignalError> {
    let (p, q) = pair(p, q)?;
    let mut sum = 0.0;
    for (class, (&p, &q)) in p.iter().zip(&q).enumerate().filter(|(_, (p, _))| **p > 0.0) {
        if q == 0.0 {
            return match unbounded {
                Unbounded::Infinite => Ok(f64::INFINITY),
                Unbounded::Refuse => Err(SignalError::undefined(
                    "KL divergence",
                    format!("class {class} has a share in p and none in q"),
                )),
            };
        }
        // The logarithms apart: their ratio may overflow.
        sum += p * (p.ln() - q.ln());
    }
    Ok(sum.max(0.0) / base.ln())
}

/// Jensen-Shannon divergence `KL(p, m) / 2 + KL(q, m) / 2` with `m = (p + q) / 2` (Lin 1991), from 0 to log 2.
///
/// ```
/// use superalign_signal::label_diversity::{Base, jensen_shannon};
/// assert_eq!(jensen_shannon(&[1.0, 0.0], &[0.0, 1.0], Base::Two)?, 1.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// Lists of different lengths, shares that are negative, NaN or sum to something else.
pub fn jensen_shannon(p: &[f64], q: &[f64], base: Base) -> Result<f64, SignalError> {
    let (p, q) = pair(p, q)?;
    let part = |share: f64, mean: f64| if share > 0.0 { share * (share / mean).ln() } else { 0.0 };
    let sum: f64 = p
        .iter()
        .zip(&q)
        .map(|(&p, &q)| {
            let mean = 0.5 * p + 0.5 * q;
            if mean > 0.0 { part(p, mean) + part(q, mean) } else { 0.0 }
        })
        .sum();
    Ok((0.5 * sum).max(0.0) / base.ln())
}

/// Jensen-Shannon distance: the square root of [`jensen_shannon`], a metric (Endres and Schindelin 2003).
///
/// ```
/// use superalign_signal::label_diversity::{Base, jensen_shannon_distance};
/// assert_eq!(jensen_shannon_distance(&[0.5, 0.5], &[0.5, 0.5], Base::Natural)?, 0.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// As [`jensen_shannon`].
pub fn jensen_shannon_distance(p: &[f64], q: &[f64], base: Base) -> Result<f64, SignalError> {
    Ok(jensen_shannon(p, q, base)?.sqrt())
}

/// Total variation distance `sum |p_i - q_i| / 2`, from 0 to 1.
///
/// ```
/// use superalign_signal::label_diversity::total_variation;
/// assert_eq!(total_variation(&[0.5, 0.5, 0.0], &[0.5, 0.0, 0.5])?, 0.5);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// As [`jensen_shannon`].
pub fn total_variation(p: &[f64], q: &[f64]) -> Result<f64, SignalError> {
    let (p, q) = pair(p, q)?;
    Ok(0.5 * p.iter().zip(&q).map(|(p, q)| (p - q).abs()).sum::<f64>())
}

/// Generalised Jensen-Shannon divergence `H(sum_m w_m p_m) - sum_m w_m H(p_m)` of the m rows of `(m, k)` (Lin 1991),
/// from 0 to the entropy of the weights.
///
/// It is the mutual information of the label and the row, when rows are drawn by their weights. It is summed as
/// `sum_m w_m KL(p_m, mean)`, which does not cancel where rows are alike.
///
/// ```
/// use superalign_signal::label_diversity::{Base, MemberWeights, generalised_jensen_shannon};
/// let rows = ndarray::array![[1.0, 0.0], [0.0, 1.0]];
/// assert_eq!(generalised_jensen_shannon(rows.view(), MemberWeights::Uniform, Base::Two)?, 1.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// No row, shares that are negative, NaN or sum to something else; weights that are not those of the rows.
pub fn generalised_jensen_shannon(
    rows: ArrayView2<'_, f64>,
    weights: MemberWeights<'_>,
    base: Base,
) -> Result<f64, SignalError> {
    let weights = weights.of(rows.nrows())?;
    rows.rows().into_iter().enumerate().try_for_each(|(m, row)| checked_shares(row.iter().copied(), m))?;
    Ok(spread(rows, &weights) / base.ln())
}

/// What the members of an ensemble know and do not agree on, for each item: the mutual information of label and member
/// (BALD; Houlsby et al. 2011), n values from 0 to `log m`.
///
/// `members` is `(items, members, classes)`; the value of an item is [`generalised_jensen_shannon`] of its members, all
/// alike: the entropy of their mean less their mean entropy.
///
/// ```
/// use superalign_signal::label_diversity::{Base, mutual_information};
/// // Two members that are sure of different labels, and two that both hesitate.
/// let members = ndarray::array![[[1.0, 0.0], [0.0, 1.0]], [[0.5, 0.5], [0.5, 0.5]]];
/// assert_eq!(mutual_information(members.view(), Base::Two)?, [1.0, 0.0]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// No member, shares that are negative, NaN or sum to something else: the place counts distributions in order.
pub fn mutual_information(members: ArrayView3<'_, f64>, base: Base) -> Result<Vec<f64>, SignalError> {
    let weights = MemberWeights::Uniform.of(members.len_of(Axis(1)))?;
    members
        .outer_iter()
        .enumerate()
        .map(|(item, rows)| {
            for (m, row) in rows.rows().into_iter().enumerate() {
                checked_shares(row.iter().copied(), item * rows.nrows() + m)?;
            }
            Ok(spread(rows, &weights) / base.ln())
        })
        .collect()
}

/// The mean over items of [`mutual_information`], with its interval over resampled items.
///
/// # Errors
/// As [`mutual_information`]; no item.
pub fn mutual_information_estimate(
    members: ArrayView3<'_, f64>,
    base: Base,
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    mean_estimate(&mutual_information(members, base)?, "mutual information", by)
}

/// In nats, for checked rows.
fn spread(rows: ArrayView2<'_, f64>, weights: &[f64]) -> f64 {
    let sums: Vec<f64> = rows.rows().into_iter().map(|row| row.sum()).collect();
    let mut total = 0.0;
    for column in rows.columns() {
        let shares =
            || column.iter().zip(&sums).zip(weights).map(|((share, sum), weight)| (share / sum, *weight));
        let mean: f64 = shares().map(|(share, weight)| share * weight).sum();
        for (share, weight) in shares().filter(|(share, weight)| *share > 0.0 && *weight > 0.0) {
            total += weight * share * (share / mean).ln();
        }
    }
    total.max(0.0)
}

fn pair(p: &[f64], q: &[f64]) -> Result<(Vec<f64>, Vec<f64>), SignalError> {
    if p.len() != q.len() {
        return Err(SignalError::Shape { what: "number of classes of q", found: q.len(), expected: p.len() });
    }
    Ok((normalised(p, 0)?, normalised(q, 1)?))
}

#[cfg(test)]
mod tests {
    use super::super::{Measure, diversity_of_mean, diversity_per_item};
    use super::*;
    use ndarray::Array2;
    use proptest::prelude::*;

    #[test]
    fn lists_that_do_not_belong_together_are_refused() {
        let message = |outcome: Result<f64, SignalError>| outcome.unwrap_err().to_string();
        assert_eq!(
            message(total_variation(&[1.0], &[0.5, 0.5])),
            "number of classes of q: found 2, expected 1"
        );
        assert_eq!(
            message(jensen_shannon(&[1.0, 0.0], &[0.5, 0.4], Base::Natural)),
            "sum of distribution 1 is 0.9: expected 1, within 1e-6"
        );
        let rows = ndarray::array![[1.0, 0.0]];
        assert_eq!(
            message(generalised_jensen_shannon(rows.view(), MemberWeights::Given(&[0.5, 0.5]), Base::Two)),
            "number of weights: found 2, expected 1"
        );
        let none = Array2::zeros((0, 2));
        assert_eq!(
            message(generalised_jensen_shannon(none.view(), MemberWeights::Uniform, Base::Two)),
            "0 members: expected at least 1"
        );
    }

    #[test]
    fn numbers_at_the_end_of_their_range_stay_finite() {
        let p = [1.0, f64::from_bits(1)];
        let found = kl(&[0.5, 0.5], &p, Base::Natural, Unbounded::Refuse).unwrap();
        assert!(found > 300.0 && found.is_finite());
        assert!(jensen_shannon(&p, &p, Base::Natural).unwrap().abs() < 1e-300);
    }

    fn rows() -> impl Strategy<Value = Array2<f64>> {
        (1_usize..5, 2_usize..5).prop_flat_map(|(m, k)| {
            prop::collection::vec(0.0_f64..1.0, m * k).prop_map(move |values| {
                let mut rows = Array2::from_shape_vec((m, k), values).unwrap();
                rows.rows_mut().into_iter().for_each(|mut row| {
                    row[0] += 1e-3;
                    let sum = row.sum();
                    row /= sum;
                });
                rows
            })
        })
    }

    proptest! {
        #[test]
        fn the_spread_is_the_entropy_of_the_mean_less_the_mean_entropy(rows in rows()) {
            let whole = diversity_of_mean(rows.view(), Measure::ENTROPY).unwrap();
            let parts = diversity_per_item(rows.view(), Measure::ENTROPY).unwrap();
            let found = generalised_jensen_shannon(rows.view(), MemberWeights::Uniform, Base::Natural).unwrap();
            let expected = whole - parts.iter().sum::<f64>() / parts.len() as f64;
            prop_assert!((found - expected).abs() < 1e-12);
            prop_assert!(found <= (rows.nrows() as f64).ln() + 1e-12);
        }

        #[test]
        fn distances_are_symmetric_and_bounded_by_one_another(rows in rows()) {
            let (p, q) = (rows.row(0).to_vec(), rows.row(rows.nrows() - 1).to_vec());
            let js = jensen_shannon(&p, &q, Base::Two).unwrap();
            let tv = total_variation(&p, &q).unwrap();
            prop_assert!((js - jensen_shannon(&q, &p, Base::Two).unwrap()).abs() < 1e-12);
            prop_assert!(js <= tv + 1e-12 && (0.0..=1.0 + 1e-12).contains(&tv));
            // Pinsker: the total variation is at most the root of half the divergence in nats.
            let kl = kl(&p, &q, Base::Natural, Unbounded::Infinite).unwrap();
            prop_assert!(tv <= (kl / 2.0).sqrt() + 1e-9);
        }
    }
}
