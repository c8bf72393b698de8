//! Diversity of soft labels: of each item, of their mean, and the mean over items.

use super::measure::Measure;
use super::shares::checked_shares;
use super::value::of_shares;
use crate::{Bootstrap, Estimate, SignalError, resample};
use ndarray::{ArrayView1, ArrayView2};

/// The measure of one distribution over k classes, which sums to 1 within 1e-6 (and is then divided by its sum).
///
/// ```
/// use superalign_signal::label_diversity::{Base, Estimator, Measure, diversity_of_shares};
/// let bits = Measure::Entropy { estimator: Estimator::PlugIn, base: Base::Two };
/// assert_eq!(diversity_of_shares(&[0.5, 0.25, 0.25], bits)?, 1.5);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// A share that is negative or NaN, another sum, an order below 0; a measure that needs counts (Miller-Madow, Chao-Shen
/// and the unbiased forms of Simpson's index); what [`Measure`] says of its members.
pub fn diversity_of_shares(shares: &[f64], measure: Measure) -> Result<f64, SignalError> {
    checked_shares(shares.iter().copied(), 0)?;
    of_shares(shares.iter().copied(), measure)
}

/// The measure of each item of soft labels `(n, k)`: n values.
///
/// ```
/// use superalign_signal::label_diversity::{Measure, diversity_per_item};
/// let soft = ndarray::array![[1.0, 0.0], [0.5, 0.5]];
/// assert_eq!(diversity_per_item(soft.view(), Measure::Hill(2.0))?, [1.0, 2.0]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// As [`diversity_of_shares`], of any item.
pub fn diversity_per_item(soft: ArrayView2<'_, f64>, measure: Measure) -> Result<Vec<f64>, SignalError> {
    let mut row_of = Vec::with_capacity(soft.ncols());
    soft.rows()
        .into_iter()
        .enumerate()
        .map(|(item, row)| {
            let row = contiguous(row, &mut row_of);
            checked_shares(row.iter().copied(), item)?;
            of_shares(row.iter().copied(), measure)
        })
        .collect()
}

/// The mean over items of [`diversity_per_item`], with its interval over resampled items.
///
/// ```
/// use superalign_core::{Bootstrap, Seed};
/// use superalign_signal::label_diversity::{Measure, mean_diversity_estimate};
/// let soft = ndarray::Array2::from_shape_fn((200, 2), |(i, k)| if (i % 2 == 0) == (k == 0) { 1.0 } else { 0.0 });
/// let found = mean_diversity_estimate(soft.view(), Measure::ENTROPY, &Bootstrap::new(Seed::new(1)))?;
/// assert_eq!((found.value, found.hi), (0.0, 0.0));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// As [`diversity_per_item`]; no item.
pub fn mean_diversity_estimate(
    soft: ArrayView2<'_, f64>,
    measure: Measure,
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    mean_estimate(&diversity_per_item(soft, measure)?, measure.name(), by)
}

/// The measure of the mean over items of soft labels `(n, k)`: of the mixture that the items make together.
///
/// With [`Measure::ENTROPY`] this is the entropy of the mean, of which the mean entropy of the items is the part that
/// each item has by itself, and [`generalised_jensen_shannon`](super::generalised_jensen_shannon) the rest.
///
/// ```
/// use superalign_signal::label_diversity::{Measure, diversity_of_mean};
/// let soft = ndarray::array![[1.0, 0.0], [0.0, 1.0]];
/// assert_eq!(diversity_of_mean(soft.view(), Measure::Hill(2.0))?, 2.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// As [`diversity_of_shares`], of any item; no item.
pub fn diversity_of_mean(soft: ArrayView2<'_, f64>, measure: Measure) -> Result<f64, SignalError> {
    check_items(soft)?;
    of_shares(soft.sum_axis(ndarray::Axis(0)).iter().copied(), measure)
}

/// As [`diversity_of_mean`], with its interval over resampled items.
///
/// # Errors
/// As [`diversity_of_mean`]; more than one resample in twenty without a value.
pub fn diversity_of_mean_estimate(
    soft: ArrayView2<'_, f64>,
    measure: Measure,
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    check_items(soft)?;
    let kinds: Vec<u32> = (0..soft.nrows() as u32).collect();
    let classes = soft.ncols();
    let soft: Vec<f64> = soft.iter().copied().collect();
    let mut sums = vec![0.0; classes];
    resample::estimate(by, measure.name(), &kinds, |counts| {
        sums.fill(0.0);
        // Items that were not drawn are added as well, as zeros: cheaper than to foresee which.
        for (row, &count) in soft.chunks_exact(classes).zip(counts) {
            let count = f64::from(count);
            sums.iter_mut().zip(row).for_each(|(sum, share)| *sum += count * share);
        }
        of_shares(sums.iter().copied(), measure)
    })
}

/// The mean of values, one per item, with its interval over resampled items.
pub(crate) fn mean_estimate(
    values: &[f64],
    name: &'static str,
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    if values.is_empty() {
        return Err(SignalError::TooFew { what: "items", found: 0, expected: 1 });
    }
    let kinds: Vec<u32> = (0..values.len() as u32).collect();
    resample::estimate(by, name, &kinds, |counts| {
        let sum: f64 = values.iter().zip(counts).map(|(value, &count)| value * f64::from(count)).sum();
        Ok(sum / values.len() as f64)
    })
}

fn check_items(soft: ArrayView2<'_, f64>) -> Result<(), SignalError> {
    if soft.nrows() == 0 {
        return Err(SignalError::TooFew { what: "items", found: 0, expected: 1 });
    }
    soft.rows().into_iter().enumerate().try_for_each(|(item, row)| checked_shares(row.iter().copied(), item))
}

fn contiguous<'a>(row: ArrayView1<'a, f64>, space: &'a mut Vec<f64>) -> &'a [f64] {
    match row.to_slice() {
        Some(slice) => slice,
        None => {
            space.clear();
            space.extend(row.iter());
            space
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Estimator, Simpson};
    use super::*;
    use ndarray::array;
    use superalign_core::Seed;

    #[test]
    fn what_is_no_distribution_is_refused_with_its_place() {
        let message = |soft: ndarray::Array2<f64>| {
            diversity_per_item(soft.view(), Measure::ENTROPY).unwrap_err().to_string()
        };
        assert_eq!(
            message(array![[0.5, 0.5], [1.5, -0.5]]),
            "least share of distribution 1 is -0.5: expected at least 0"
        );
        assert_eq!(message(array![[0.5, 0.4]]), "sum of distribution 0 is 0.9: expected 1, within 1e-6");
        assert_eq!(message(array![[0.5, f64::NAN]]), "sum of distribution 0 is NaN: expected 1, within 1e-6");
        let empty = ndarray::Array2::zeros((0, 3));
        let found = diversity_of_mean(empty.view(), Measure::ENTROPY).unwrap_err();
        assert_eq!(found.to_string(), "0 items: expected at least 1");
    }

    #[test]
    fn shares_are_no_counts() {
        for measure in [
            Measure::Entropy { estimator: Estimator::MillerMadow, base: super::super::Base::Two },
            Measure::Simpson(Simpson::UnbiasedComplement),
        ] {
            let found = diversity_of_shares(&[0.5, 0.5], measure).unwrap_err().to_string();
            assert!(found.ends_with("needs counts, not shares"), "{found}");
        }
    }

    #[test]
    fn rows_of_any_layout_and_intervals_around_the_value() {
        let soft = ndarray::Array2::from_shape_fn((60, 3), |(i, k)| [0.2, 0.3, 0.5][(i * 7 + k) % 3]);
        let turned = soft.t().as_standard_layout().into_owned();
        let plain = diversity_per_item(soft.view(), Measure::Hill(1.5)).unwrap();
        assert_eq!(diversity_per_item(turned.t(), Measure::Hill(1.5)).unwrap(), plain);
        let by = Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(3)) };
        let whole = diversity_of_mean_estimate(turned.t(), Measure::Hill(1.5), &by).unwrap();
        assert_eq!(whole.value, diversity_of_mean(turned.t(), Measure::Hill(1.5)).unwrap());
        assert!(whole.lo < whole.value && whole.hi <= 3.0, "{whole}");
        let mean = mean_diversity_estimate(soft.view(), Measure::Hill(1.5), &by).unwrap();
        assert!((mean.value - plain[0]).abs() < 1e-12 && mean.hi - mean.lo < 1e-12);
    }
}
