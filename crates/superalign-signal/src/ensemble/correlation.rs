//! Matrices of how the errors of sources correlate.

use super::outcomes::Outcomes;
use super::pairwise::{Pairwise, pairwise};
use crate::SignalError;
use ndarray::{Array1, Array2, ArrayView2, Axis, s};

/// Rows whose products are summed at a time: a block of them stays in the cache.
const BLOCK: usize = 1024;

/// Pearson's correlation `(m, m)` of the signed errors `f - t` of m sources.
///
/// `truth` has n numbers, `outputs` is `(n, m)`. Sources that err alike correlate by 1, independent ones by 0.
///
/// ```
/// use superalign_signal::ensemble::error_correlation;
/// let outputs = ndarray::array![[1.0, -1.0], [2.0, -2.0], [0.0, 0.0]];
/// let found = error_correlation(&[0.0, 0.0, 0.0], outputs.view())?;
/// assert!((found[[0, 1]] + 1.0).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// Fewer than two items, no source, another number of truths, a number that is not finite; a source whose error is
/// always the same.
pub fn error_correlation(truth: &[f64], outputs: ArrayView2<'_, f64>) -> Result<Array2<f64>, SignalError> {
    let errors = errors(truth, outputs)?;
    of_moments(
        products(&errors, None),
        &errors.sum_axis(Axis(0)),
        errors.nrows() as f64,
        "correlation of errors",
    )
}

/// Pearson's correlation `(m, m)` of the right and wrong answers of m sources.
///
/// ```
/// use superalign_signal::ensemble::{Outcomes, outcome_correlation};
/// let right = ndarray::array![[true, false], [false, true]];
/// assert_eq!(outcome_correlation(&Outcomes::new(right.view())?)?[[0, 1]], -1.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// One source; a source that is always right or always wrong.
pub fn outcome_correlation(outcomes: &Outcomes) -> Result<Array2<f64>, SignalError> {
    let mut found = Array2::eye(outcomes.sources());
    for pair in pairwise(outcomes, Pairwise::Correlation)? {
        let value = pair.value?;
        found[[pair.first, pair.second]] = value;
        found[[pair.second, pair.first]] = value;
    }
    Ok(found)
}

/// The errors, each less the mean of its source, so that sums of squares lose no digits.
pub(super) fn errors(truth: &[f64], outputs: ArrayView2<'_, f64>) -> Result<Array2<f64>, SignalError> {
    let (items, sources) = outputs.dim();
    if truth.len() != items {
        return Err(SignalError::Shape {
            what: "number of true values",
            found: truth.len(),
            expected: items,
        });
    }
    for (what, found, expected) in [("items", items, 2), ("sources", sources, 1)] {
        if found < expected {
            return Err(SignalError::TooFew { what, found, expected });
        }
    }
    finite("true value", truth.iter())?;
    finite("output", outputs.iter())?;
    let mut errors: Vec<f64> = outputs.iter().copied().collect();
    let mut mean = vec![0.0; sources];
    for (row, truth) in errors.chunks_exact_mut(sources).zip(truth) {
        for (error, sum) in row.iter_mut().zip(&mut mean) {
            *error -= truth;
            *sum += *error;
        }
    }
    mean.iter_mut().for_each(|sum| *sum /= items as f64);
    for row in errors.chunks_exact_mut(sources) {
        row.iter_mut().zip(&mean).for_each(|(error, mean)| *error -= mean);
    }
    finite("error", errors.iter())?;
    Array2::from_shape_vec((items, sources), errors).map_err(|_| SignalError::Shape {
        what: "number of outputs",
        found: outputs.len(),
        expected: items * sources,
    })
}

pub(super) fn finite<'a>(
    what: &'static str,
    values: impl Iterator<Item = &'a f64>,
) -> Result<(), SignalError> {
    for (index, &found) in values.enumerate() {
        if !found.is_finite() {
            return Err(SignalError::Value { what, index, found, expected: "a finite number" });
        }
    }
    Ok(())
}

/// `E' diag(w) E`, block by block of items.
pub(super) fn products(errors: &Array2<f64>, weights: Option<&Array1<f64>>) -> Array2<f64> {
    let sources = errors.ncols();
    let mut sum = Array2::zeros((sources, sources));
    for (number, block) in errors.axis_chunks_iter(Axis(0), BLOCK).enumerate() {
        match weights {
            None => sum += &block.t().dot(&block),
            Some(weights) => {
                let start = number * BLOCK;
                let weights = weights.slice(s![start..start + block.nrows()]);
                sum += &(&block * &weights.insert_axis(Axis(1))).t().dot(&block);
            }
        }
    }
    sum
}

/// The correlations, from sums of products and sums over n items.
pub(super) fn of_moments(
    mut products: Array2<f64>,
    sums: &Array1<f64>,
    n: f64,
    statistic: &'static str,
) -> Result<Array2<f64>, SignalError> {
    let sources = sums.len();
    let raw = products.diag().to_owned();
    let outer = Array2::from_shape_fn((sources, sources), |(a, b)| sums[a] * sums[b] / n);
    products -= &outer;
    let spread = products.diag().to_owned();
    for (source, (&spread, &raw)) in spread.iter().zip(&raw).enumerate() {
        // What rounding leaves of a constant is no spread.
        if spread <= 1e-14 * raw || spread <= 0.0 {
            return Err(SignalError::undefined(
                statistic,
                format!("the errors of source {source} are all the same"),
            ));
        }
    }
    let root = spread.mapv(f64::sqrt);
    Ok(Array2::from_shape_fn((sources, sources), |(a, b)| {
        // From one side of the diagonal, so that the matrix is symmetric to the bit.
        let (a, b) = (a.min(b), a.max(b));
        if a == b { 1.0 } else { (products[[a, b]] / root[a] / root[b]).clamp(-1.0, 1.0) }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use proptest::prelude::*;

    #[test]
    fn what_does_not_exist_says_why() {
        let message = |truth: &[f64], outputs: Array2<f64>| {
            error_correlation(truth, outputs.view()).unwrap_err().to_string()
        };
        assert_eq!(message(&[1.0], array![[1.0], [2.0]]), "number of true values: found 1, expected 2");
        assert_eq!(message(&[1.0], array![[1.0]]), "1 items: expected at least 2");
        assert_eq!(
            message(&[1.0, 2.0], array![[1.0], [f64::NAN]]),
            "output 1 is NaN: expected a finite number"
        );
        assert_eq!(
            message(&[1.0, 2.0], array![[1.5, 3.0], [2.5, 3.0]]),
            "correlation of errors is undefined: the errors of source 0 are all the same"
        );
        let right = Outcomes::new(array![[true, true], [false, true]].view()).unwrap();
        assert_eq!(
            outcome_correlation(&right).unwrap_err().to_string(),
            "correlation of errors is undefined: a source is always right or always wrong"
        );
    }

    proptest! {
        #[test]
        fn scale_and_place_do_not_matter(values in prop::collection::vec(-1.0_f64..1.0, 60),
            shift in -1e3_f64..1e3) {
            let outputs = Array2::from_shape_vec((20, 3), values).unwrap();
            let Ok(plain) = error_correlation(&[0.0; 20], outputs.view()) else { return Ok(()) };
            let moved = error_correlation(&[shift; 20], (outputs.clone() * 3.0 + 7.0).view()).unwrap();
            prop_assert!((plain.clone() - moved).iter().all(|d| d.abs() < 1e-8));
            prop_assert_eq!(plain.t().to_owned(), plain.clone());
            let items = products(&outputs, Some(&Array1::ones(20))) - products(&outputs, None);
            prop_assert!(items.iter().all(|d| d.abs() < 1e-12));
        }
    }
}
