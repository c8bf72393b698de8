//! Mean cosine between pairs of rows, with its interval.

use super::matrix::multiply;
use super::real::{Real, ZeroRows, inverse_norms};
use crate::SignalError;
use ndarray::{Array2, ArrayView2, s};
use superalign_core::{Bootstrap, Estimate, below};

/// Resamples that one product sums up.
const BATCH: usize = 128;
/// Counts of draws that are held at once.
const HELD: usize = 1 << 24;
/// Rows that one product sums up.
const BLOCK: usize = 512;

/// Mean cosine over all pairs of different rows of `x` (n, d), in [-1/(n-1), 1]: 1 where all point the same way.
///
/// With u the rows at unit length: `(|sum u|^2 - sum |u|^2) / (n (n - 1))`, O(n d) instead of O(n^2 d). One minus it
/// is the mean pairwise cosine distance, the plainest measure of diversity. Equals the off-diagonal mean of
/// scikit-learn's `cosine_similarity`.
///
/// # Errors
/// Fewer than two rows, a coordinate that is not finite, a row of zeros (see [`ZeroRows`]).
///
/// ```
/// use superalign_signal::embedding::{ZeroRows, mean_pairwise_cosine};
/// let x = ndarray::array![[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]];
/// let found = mean_pairwise_cosine(x.view(), ZeroRows::Refuse)?;
/// assert!((found - 2.0 / 3.0 / 2.0_f64.sqrt()).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn mean_pairwise_cosine<T: Real>(x: ArrayView2<'_, T>, zero_rows: ZeroRows) -> Result<f64, SignalError> {
    let inverse = inverse_norms(x, 2, zero_rows)?;
    Ok(of_all(x, &inverse))
}

/// As [`mean_pairwise_cosine`], with its percentile interval over resampled rows.
///
/// A row that is drawn twice has cosine 1 with itself, which would raise every resample. So only pairs of different
/// rows count: with c the number of times that each was drawn, `(|sum c u|^2 - sum c^2 |u|^2) / (n^2 - sum c^2)`.
/// 1,000 resamples of 10,000 rows of 384 are one product of matrices, a quarter of a second at the most.
///
/// # Errors
/// As [`mean_pairwise_cosine`]; fewer than four rows; settings of the bootstrap out of range.
///
/// ```
/// use superalign_core::{Bootstrap, Seed};
/// use superalign_signal::embedding::{ZeroRows, mean_pairwise_cosine_estimate};
/// let x = ndarray::Array2::from_shape_fn((60, 2), |(i, j)| if i % 3 == j { 1.0 } else { 0.5 });
/// let found = mean_pairwise_cosine_estimate(x.view(), ZeroRows::Refuse, &Bootstrap::new(Seed::new(1)))?;
/// assert!(found.lo < found.value && found.value < found.hi && found.hi < 1.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn mean_pairwise_cosine_estimate<T: Real>(
    x: ArrayView2<'_, T>,
    zero_rows: ZeroRows,
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    by.check()?;
    let inverse = inverse_norms(x, 4, zero_rows)?;
    let (n, d) = x.dim();
    let mut draws = Vec::with_capacity(by.draws);
    let most = (HELD / n).clamp(8, BATCH);
    for first in (0..by.draws).step_by(most) {
        let batch = most.min(by.draws - first);
        let mut counts = Array2::from_elem((batch, n), T::ZERO);
        let mut own = vec![(0.0, 0.0); batch];
        let mut drawn = vec![0_u32; n];
        for (draw, (mut counts, own)) in counts.rows_mut().into_iter().zip(&mut own).enumerate() {
            let mut rng = by.seed.nth((first + draw) as u64).rng();
            drawn.fill(0);
            (0..n).for_each(|_| drawn[below(&mut rng, n)] += 1);
            for ((count, times), inverse) in counts.iter_mut().zip(&drawn).zip(&inverse) {
                let times = f64::from(*times);
                *count = T::nearest(times);
                own.0 += if *inverse == 0.0 { 0.0 } else { times * times };
                own.1 += times * times;
            }
        }
        let mut sums = Array2::<f64>::zeros((batch, d));
        let mut unit = Array2::from_elem((BLOCK.min(n), d), T::ZERO);
        let mut product = Array2::from_elem((batch, d), T::ZERO);
        for from in (0..n).step_by(BLOCK) {
            let rows = from..n.min(from + BLOCK);
            let mut unit = unit.slice_mut(s![..rows.len(), ..]);
            for ((mut unit, row), inverse) in unit
                .rows_mut()
                .into_iter()
                .zip(x.slice(s![rows.clone(), ..]).rows())
                .zip(&inverse[rows.clone()])
            {
                unit.iter_mut().zip(row).for_each(|(unit, x)| *unit = T::nearest(x.wide() * inverse));
            }
            multiply(&mut product.view_mut(), counts.slice(s![.., rows]), unit.view(), 1.0);
            sums.zip_mut_with(&product, |sum, term| *sum += term.wide());
        }
        for (sum, (own, pairs)) in sums.rows().into_iter().zip(own) {
            let all = (n as f64).powi(2);
            // One resample in n^(n - 1) has the same row n times, and no pair.
            if pairs < all {
                draws.push(((sum.dot(&sum) - own) / (all - pairs)).clamp(-1.0, 1.0));
            }
        }
    }
    if draws.is_empty() {
        return Err(SignalError::undefined("mean pairwise cosine", "no resample holds two different rows"));
    }
    Ok(by.interval(of_all(x, &inverse), draws))
}

fn of_all<T: Real>(x: ArrayView2<'_, T>, inverse: &[f64]) -> f64 {
    let mut sum = vec![0.0; x.ncols()];
    for (row, inverse) in x.rows().into_iter().zip(inverse) {
        sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x.wide() * inverse);
    }
    let n = x.nrows() as f64;
    let units = inverse.iter().filter(|inverse| **inverse > 0.0).count() as f64;
    let square: f64 = sum.iter().map(|sum| sum * sum).sum();
    ((square - units) / (n * (n - 1.0))).clamp(-1.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use superalign_core::Seed;

    #[test]
    fn one_row_has_no_pair() {
        let error = mean_pairwise_cosine(array![[1.0, 2.0]].view(), ZeroRows::Refuse).unwrap_err();
        assert_eq!(error.to_string(), "1 rows: expected at least 2");
        let by = Bootstrap::new(Seed::new(0));
        let three = array![[1.0, 2.0], [0.0, 1.0], [0.0, 1.0]];
        let error = mean_pairwise_cosine_estimate(three.view(), ZeroRows::Refuse, &by).unwrap_err();
        assert_eq!(error.to_string(), "3 rows: expected at least 4");
    }

    #[test]
    fn rows_that_are_alike_have_an_interval_without_width() {
        let x = Array2::from_elem((50, 3), 0.7_f32);
        let by = Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(0)) };
        let found = mean_pairwise_cosine_estimate(x.view(), ZeroRows::Refuse, &by).unwrap();
        assert!(
            (found.value - 1.0).abs() < 1e-12 && (found.lo - 1.0).abs() < 1e-5 && found.hi - found.lo < 1e-5
        );
    }

    #[test]
    fn the_resamples_are_not_raised_by_rows_drawn_twice() {
        // Orthogonal rows: every pair of different rows has cosine 0, whatever is drawn.
        let x = Array2::<f64>::eye(12);
        let by = Bootstrap { draws: 300, ..Bootstrap::new(Seed::new(3)) };
        let found = mean_pairwise_cosine_estimate(x.view(), ZeroRows::Refuse, &by).unwrap();
        assert_eq!((found.value, found.lo, found.hi), (0.0, 0.0, 0.0));
    }
}
