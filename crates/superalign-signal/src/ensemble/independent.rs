//! How many sources that err apart an ensemble is worth.

use super::correlation::{errors, of_moments, products};
use super::outcomes::Outcomes;
use crate::{Bootstrap, Estimate, SignalError, resample};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use rustc_hash::FxHashMap;

const NAME: &str = "number of independent sources";

/// How the effective number of m sources follows from the correlation matrix R of their errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IndependentSources {
    /// `m / (1 + (m - 1) r)`, r the mean correlation of two of them: the mean of the m errors has the variance of the
    /// mean of so many independent ones (the design effect of Kish 1965). Above m where errors cancel.
    #[default]
    MeanCorrelation,
    /// Participation ratio `(sum l_i)^2 / sum l_i^2` of the eigenvalues of R, which is `m^2 / sum r_ij^2`, so that no
    /// eigenvalue is computed. From 1 to m; errors that are opposite count as dependent.
    ParticipationRatio,
}

/// The effective number of independent sources, from the correlation `(m, m)` of their errors.
///
/// ```
/// use superalign_signal::ensemble::{IndependentSources, independent_sources};
/// let r = ndarray::array![[1.0, 0.5], [0.5, 1.0]];
/// let found = independent_sources(r.view(), IndependentSources::MeanCorrelation)?;
/// assert!((found - 4.0 / 3.0).abs() < 1e-12);
/// assert_eq!(independent_sources(r.view(), IndependentSources::ParticipationRatio)?, 1.6);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// A matrix that is not square, empty, or has an entry outside `-1..=1` or a diagonal that is not 1; by the mean
/// correlation, errors that cancel altogether.
pub fn independent_sources(
    correlation: ArrayView2<'_, f64>,
    method: IndependentSources,
) -> Result<f64, SignalError> {
    let (rows, sources) = correlation.dim();
    if rows != sources {
        return Err(SignalError::Shape { what: "number of rows", found: rows, expected: sources });
    }
    if sources == 0 {
        return Err(SignalError::TooFew { what: "sources", found: 0, expected: 1 });
    }
    for ((row, column), &found) in correlation.indexed_iter() {
        let fits = if row == column { (found - 1.0).abs() <= 1e-9 } else { found.abs() <= 1.0 + 1e-9 };
        if !fits {
            let expected = "from -1 to 1, and 1 on the diagonal";
            return Err(SignalError::Value {
                what: "correlation",
                index: row * sources + column,
                found,
                expected,
            });
        }
    }
    let m = sources as f64;
    match method {
        IndependentSources::ParticipationRatio => Ok(m * m / correlation.iter().map(|r| r * r).sum::<f64>()),
        IndependentSources::MeanCorrelation => {
            // 1 + (m - 1) r is the mean of the sums of the rows.
            let inflation = correlation.sum() / m;
            if inflation <= 1e-12 * m {
                return Err(SignalError::undefined(NAME, "the errors cancel, which makes it infinite"));
            }
            Ok(m / inflation)
        }
    }
}

/// The effective number of independent sources from their right and wrong answers, with its interval over resampled
/// items. Items on which the same sources are right are counted, not visited.
///
/// ```
/// use superalign_core::{Bootstrap, Seed};
/// use superalign_signal::ensemble::{IndependentSources, Outcomes, independent_sources_of_outcomes_estimate};
/// let right = ndarray::Array2::from_shape_fn((400, 2), |(item, source)| item >> source & 1 == 1);
/// let outcomes = Outcomes::new(right.view())?;
/// let by = Bootstrap::new(Seed::new(1));
/// let found = independent_sources_of_outcomes_estimate(&outcomes, IndependentSources::MeanCorrelation, &by)?;
/// assert!(found.value == 2.0 && found.lo > 1.8);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// A source that is always right or always wrong, in the whole or in more than one resample in twenty; errors that
/// cancel altogether.
pub fn independent_sources_of_outcomes_estimate(
    outcomes: &Outcomes,
    method: IndependentSources,
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    let (sources, items) = (outcomes.sources(), outcomes.items());
    let (mut kinds, mut counts) = (Vec::<Vec<usize>>::new(), Vec::<u32>::new());
    let mut places = FxHashMap::<Vec<u64>, usize>::default();
    let mut bits = vec![0; sources.div_ceil(64)];
    for item in 0..items {
        outcomes.of_item(item, &mut bits);
        if let Some(&place) = places.get(&bits) {
            counts[place] += 1;
        } else {
            kinds.push((0..sources).filter(|source| bits[source / 64] >> (source % 64) & 1 == 1).collect());
            places.insert(bits.clone(), counts.len());
            counts.push(1);
        }
    }
    let mut both = vec![0_u32; sources * sources];
    resample::estimate_of_counts(by, NAME, &counts, |counts| {
        both.fill(0);
        for (right, &count) in kinds.iter().zip(counts).filter(|(_, count)| **count > 0) {
            for (place, &second) in right.iter().enumerate() {
                right[..=place].iter().for_each(|&first| both[second * sources + first] += count);
            }
        }
        let at = |a: usize, b: usize| f64::from(both[a.max(b) * sources + a.min(b)]);
        let sums = Array1::from_shape_fn(sources, |source| at(source, source));
        let products = Array2::from_shape_fn((sources, sources), |(a, b)| at(a, b));
        independent_sources(of_moments(products, &sums, items as f64, NAME)?.view(), method)
    })
}

/// The effective number of independent sources from their signed errors `f - t`, with its interval over resampled
/// items: `truth` has n numbers, `outputs` is `(n, m)`.
///
/// # Errors
/// As [`error_correlation`](super::error_correlation); errors that cancel altogether; more than one resample in twenty
/// without a value.
pub fn independent_sources_of_errors_estimate(
    truth: &[f64],
    outputs: ArrayView2<'_, f64>,
    method: IndependentSources,
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    let errors = errors(truth, outputs)?;
    let kinds: Vec<u32> = (0..errors.nrows() as u32).collect();
    let n = errors.nrows() as f64;
    let mut weights = Array1::zeros(errors.nrows());
    resample::estimate(by, NAME, &kinds, |counts| {
        weights.iter_mut().zip(counts).for_each(|(weight, &count)| *weight = f64::from(count));
        let sums = weights.view().insert_axis(Axis(0)).dot(&errors).remove_axis(Axis(0));
        independent_sources(of_moments(products(&errors, Some(&weights)), &sums, n, NAME)?.view(), method)
    })
}

#[cfg(test)]
mod tests {
    use super::super::{error_correlation, outcome_correlation};
    use super::*;
    use IndependentSources::{MeanCorrelation, ParticipationRatio};
    use ndarray::array;
    use superalign_core::Seed;

    #[test]
    fn independent_and_identical_sources_are_the_ends() {
        for method in [MeanCorrelation, ParticipationRatio] {
            assert_eq!(independent_sources(Array2::eye(5).view(), method), Ok(5.0));
            assert_eq!(independent_sources(Array2::ones((5, 5)).view(), method), Ok(1.0));
        }
    }

    #[test]
    fn what_is_no_correlation_is_refused() {
        let message =
            |r: Array2<f64>| independent_sources(r.view(), MeanCorrelation).unwrap_err().to_string();
        assert_eq!(message(array![[1.0, 0.0]]), "number of rows: found 1, expected 2");
        assert_eq!(
            message(array![[1.0, f64::NAN], [0.0, 1.0]]),
            "correlation 1 is NaN: expected from -1 to 1, and 1 on the diagonal"
        );
        assert_eq!(
            message(array![[1.0, -1.0], [-1.0, 1.0]]),
            "number of independent sources is undefined: the errors cancel, which makes it infinite"
        );
        assert_eq!(message(Array2::zeros((0, 0))), "0 sources: expected at least 1");
    }

    #[test]
    fn intervals_surround_the_number_of_the_matrix() {
        let by = Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(3)) };
        let mut rng = Seed::new(4).rng();
        let mut draw = || superalign_core::below(&mut rng, 1000) as f64 / 1000.0;
        let outputs = Array2::from_shape_simple_fn((1500, 4), &mut draw);
        let truth = vec![0.5; 1500];
        let right = outputs.mapv(|output| output < 0.7);
        let outcomes = Outcomes::new(right.view()).unwrap();
        for method in [MeanCorrelation, ParticipationRatio] {
            let found = independent_sources_of_errors_estimate(&truth, outputs.view(), method, &by).unwrap();
            let plain = error_correlation(&truth, outputs.view()).unwrap();
            assert!((found.value - independent_sources(plain.view(), method).unwrap()).abs() < 1e-9);
            assert!(found.lo < found.hi && found.lo > 3.5 && found.hi < 4.7, "{found}");
            let found = independent_sources_of_outcomes_estimate(&outcomes, method, &by).unwrap();
            let plain = outcome_correlation(&outcomes).unwrap();
            assert!((found.value - independent_sources(plain.view(), method).unwrap()).abs() < 1e-9);
            assert!(found.lo < found.hi && found.lo > 3.5 && found.hi < 4.7, "{found}");
        }
    }
}
