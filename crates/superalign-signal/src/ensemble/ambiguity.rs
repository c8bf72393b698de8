//! The error of an ensemble as the mean error of its members less their ambiguity.

use super::correlation::finite;
use crate::label_diversity::{MemberWeights, checked_shares};
use crate::{Bootstrap, Estimate, SignalError, resample};
use ndarray::{ArrayView2, ArrayView3, Axis};

/// The terms of [`ambiguity`]: `ensemble = mean - ambiguity`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ambiguity<T> {
    /// Mean squared error of the weighted mean of the members.
    pub ensemble: T,
    /// Weighted mean of the members' mean squared errors.
    pub mean: T,
    /// Weighted mean square of the members' distance from their mean: what the ensemble gains.
    pub ambiguity: T,
}

/// The terms of [`kl_ambiguity`], in nats: `geometric = mean - ambiguity`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KlAmbiguity<T> {
    /// Mean over members and items of the negative log-likelihood of the label.
    pub mean: T,
    /// That of the members' geometric mean.
    pub geometric: T,
    /// That of their arithmetic mean, for which the decomposition does not hold.
    pub arithmetic: T,
    /// Mean over items and members of the KL divergence of the geometric mean from the member.
    pub ambiguity: T,
}

/// The ambiguity decomposition of Krogh and Vedelsby (1995) of the squared error of n items.
///
/// `truth` has n numbers t, `outputs` is `(n, m)` of f. With weights w and `g = sum w f`, it is
/// `(g - t)^2 = sum w (f - t)^2 - sum w (f - g)^2`, each term a mean over items.
///
/// ```
/// use superalign_signal::ensemble::ambiguity;
/// use superalign_signal::label_diversity::MemberWeights;
/// let found = ambiguity(&[0.0], ndarray::array![[1.0, -1.0]].view(), MemberWeights::Uniform)?;
/// assert_eq!((found.ensemble, found.mean, found.ambiguity), (0.0, 1.0, 1.0));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// No item, no member, another number of truths, a number that is not finite; weights that are not those of the members.
pub fn ambiguity(
    truth: &[f64],
    outputs: ArrayView2<'_, f64>,
    weights: MemberWeights<'_>,
) -> Result<Ambiguity<f64>, SignalError> {
    let [ensemble, mean, ambiguity] = means(&squares(truth, outputs, weights)?);
    Ok(Ambiguity { ensemble, mean, ambiguity })
}

/// As [`ambiguity`], with intervals over items that are resampled jointly for all three terms.
///
/// # Errors
/// As [`ambiguity`].
pub fn ambiguity_estimate(
    truth: &[f64],
    outputs: ArrayView2<'_, f64>,
    weights: MemberWeights<'_>,
    by: &Bootstrap,
) -> Result<Ambiguity<Estimate>, SignalError> {
    let [ensemble, mean, ambiguity] = mean_estimates(&squares(truth, outputs, weights)?, by)?;
    Ok(Ambiguity { ensemble, mean, ambiguity })
}

/// The same decomposition for soft labels and log loss (Heskes 1998): the negative log-likelihood of the members'
/// normalised geometric mean g is their mean one less `mean_m KL(g, p_m)`.
///
/// `members` is `(n, m, k)`, `labels` the n classes that are right. All in nats, means over items, each from 0.
///
/// ```
/// use superalign_signal::ensemble::kl_ambiguity;
/// let found = kl_ambiguity(ndarray::array![[[0.8, 0.2], [0.2, 0.8]]].view(), &[0])?;
/// assert!((found.geometric - 2_f64.ln()).abs() < 1e-12);
/// assert!((found.mean - found.ambiguity - found.geometric).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// No item, no member, another number of labels, a label that is no class, shares that are negative, NaN or sum to
/// something else; a share of 0, whose logarithm the decomposition needs.
pub fn kl_ambiguity(members: ArrayView3<'_, f64>, labels: &[u32]) -> Result<KlAmbiguity<f64>, SignalError> {
    let [mean, geometric, arithmetic, ambiguity] = means(&log_losses(members, labels)?);
    Ok(KlAmbiguity { mean, geometric, arithmetic, ambiguity })
}

/// As [`kl_ambiguity`], with intervals over items that are resampled jointly for all four terms.
///
/// # Errors
/// As [`kl_ambiguity`].
pub fn kl_ambiguity_estimate(
    members: ArrayView3<'_, f64>,
    labels: &[u32],
    by: &Bootstrap,
) -> Result<KlAmbiguity<Estimate>, SignalError> {
    let [mean, geometric, arithmetic, ambiguity] = mean_estimates(&log_losses(members, labels)?, by)?;
    Ok(KlAmbiguity { mean, geometric, arithmetic, ambiguity })
}

/// Squared error of the ensemble, mean one of the members, and ambiguity of each item.
fn squares(
    truth: &[f64],
    outputs: ArrayView2<'_, f64>,
    weights: MemberWeights<'_>,
) -> Result<Vec<[f64; 3]>, SignalError> {
    if truth.len() != outputs.nrows() {
        let (found, expected) = (truth.len(), outputs.nrows());
        return Err(SignalError::Shape { what: "number of true values", found, expected });
    }
    if truth.is_empty() {
        return Err(SignalError::TooFew { what: "items", found: 0, expected: 1 });
    }
    let weights = weights.of(outputs.ncols())?;
    finite("true value", truth.iter())?;
    finite("output", outputs.iter())?;
    let terms = outputs.rows().into_iter().zip(truth).map(|(row, truth)| {
        let weighted =
            |of: &dyn Fn(f64) -> f64| row.iter().zip(&weights).map(|(f, w)| w * of(*f)).sum::<f64>();
        let centre = weighted(&|f| f);
        let square = |x: f64| x * x;
        [square(centre - truth), weighted(&|f| square(f - truth)), weighted(&|f| square(f - centre))]
    });
    Ok(terms.collect())
}

/// Mean log loss of the members, those of their geometric and arithmetic means, and ambiguity of each item.
fn log_losses(members: ArrayView3<'_, f64>, labels: &[u32]) -> Result<Vec<[f64; 4]>, SignalError> {
    let (items, m, classes) = members.dim();
    if labels.len() != items {
        return Err(SignalError::Shape { what: "number of labels", found: labels.len(), expected: items });
    }
    for (what, found) in [("items", items), ("members", m)] {
        if found == 0 {
            return Err(SignalError::TooFew { what, found, expected: 1 });
        }
    }
    let mut logs = ndarray::Array2::zeros((m, classes));
    let mut terms = Vec::with_capacity(items);
    for (item, (rows, &label)) in members.outer_iter().zip(labels).enumerate() {
        let label = label as usize;
        if label >= classes {
            let expected = "a class, which are counted from 0";
            return Err(SignalError::Value { what: "label", index: item, found: label as f64, expected });
        }
        for (member, row) in rows.rows().into_iter().enumerate() {
            let index = item * m + member;
            checked_shares(row.iter().copied(), index)?;
            let sum = row.sum();
            for (log, &share) in logs.row_mut(member).iter_mut().zip(row) {
                if share == 0.0 {
                    return Err(SignalError::Value {
                        what: "least share of distribution",
                        index,
                        found: 0.0,
                        expected: "above 0: the decomposition takes its logarithm",
                    });
                }
                *log = share.ln() - sum.ln();
            }
        }
        let mean_log = logs.sum_axis(Axis(0)) / m as f64;
        let most = mean_log.fold(f64::NEG_INFINITY, |most, &log| most.max(log));
        let log_sum = most + mean_log.iter().map(|log| (log - most).exp()).sum::<f64>().ln();
        let loss = -mean_log[label];
        let arithmetic = logs.column(label).iter().map(|log| log.exp()).sum::<f64>() / m as f64;
        // The mean divergence is sum g (ln g - mean ln p) = -ln of the sum that normalises g.
        terms.push([loss, loss + log_sum, -arithmetic.ln(), (-log_sum).max(0.0)]);
    }
    Ok(terms)
}

fn means<const N: usize>(terms: &[[f64; N]]) -> [f64; N] {
    std::array::from_fn(|term| terms.iter().map(|terms| terms[term]).sum::<f64>() / terms.len() as f64)
}

fn mean_estimates<const N: usize>(terms: &[[f64; N]], by: &Bootstrap) -> Result<[Estimate; N], SignalError> {
    let kinds: Vec<u32> = (0..terms.len() as u32).collect();
    let found = resample::estimates(by, &["ambiguity"; N], &kinds, |counts, values| {
        let mut sums = [0.0; N];
        for (terms, &count) in terms.iter().zip(counts) {
            (0..N).for_each(|term| sums[term] += f64::from(count) * terms[term]);
        }
        values.iter_mut().zip(sums).for_each(|(value, sum)| *value = Ok(sum / terms.len() as f64));
    });
    let found: Vec<Estimate> = found.into_iter().collect::<Result<_, _>>()?;
    Ok(std::array::from_fn(|term| found[term]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, Array3, array};
    use proptest::prelude::*;
    use superalign_core::Seed;

    #[test]
    fn what_cannot_be_decomposed_says_why() {
        let message = |truth: &[f64], outputs: Array2<f64>, weights| {
            ambiguity(truth, outputs.view(), weights).unwrap_err().to_string()
        };
        let uniform = MemberWeights::Uniform;
        assert_eq!(message(&[], array![[1.0]], uniform), "number of true values: found 0, expected 1");
        assert_eq!(message(&[], Array2::zeros((0, 2)), uniform), "0 items: expected at least 1");
        assert_eq!(message(&[1.0], Array2::zeros((1, 0)), uniform), "0 members: expected at least 1");
        assert_eq!(
            message(&[1.0], array![[1.0, 2.0]], MemberWeights::Given(&[0.9, 0.2])),
            "sum of distribution 0 is 1.1: expected 1, within 1e-6"
        );
        let message = |members: Array3<f64>, labels: &[u32]| {
            kl_ambiguity(members.view(), labels).unwrap_err().to_string()
        };
        assert_eq!(
            message(array![[[0.5, 0.5]]], &[2]),
            "label 0 is 2: expected a class, which are counted from 0"
        );
        assert_eq!(
            message(array![[[1.0, 0.0]]], &[0]),
            "least share of distribution 0 is 0: expected above 0: the decomposition takes its logarithm"
        );
        assert_eq!(message(array![[[1.0, 0.0]]], &[]), "number of labels: found 0, expected 1");
    }

    proptest! {
        #[test]
        fn terms_add_up(values in prop::collection::vec(0.01_f64..1.0, 36), label in 0_u32..3) {
            let outputs = Array2::from_shape_vec((12, 3), values.clone()).unwrap();
            let truth = outputs.column(0).mapv(|f| 2.0 * f - 0.7).to_vec();
            for weights in [MemberWeights::Uniform, MemberWeights::Given(&[0.5, 0.3, 0.2])] {
                let found = ambiguity(&truth, outputs.view(), weights).unwrap();
                prop_assert!((found.ensemble - found.mean + found.ambiguity).abs() < 1e-12);
                let by = Bootstrap { draws: 20, ..Bootstrap::new(Seed::new(1)) };
                let estimate = ambiguity_estimate(&truth, outputs.view(), weights, &by).unwrap();
                prop_assert!((estimate.mean.value - found.mean).abs() < 1e-12);
                prop_assert!(estimate.ambiguity.lo >= 0.0 && estimate.ambiguity.lo < estimate.ambiguity.hi);
            }
            let mut members = Array3::from_shape_vec((4, 3, 3), values).unwrap();
            for mut row in members.rows_mut() {
                let sum = row.sum();
                row /= sum;
            }
            let labels = [label, 0, 1, 2];
            let found = kl_ambiguity(members.view(), &labels).unwrap();
            prop_assert!((found.geometric - found.mean + found.ambiguity).abs() < 1e-12);
            // A mean of logarithms is at most the logarithm of the mean.
            prop_assert!(found.arithmetic <= found.mean + 1e-12 && found.ambiguity >= 0.0);
        }
    }
}
