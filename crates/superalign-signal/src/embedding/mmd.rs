//! Maximum mean discrepancy between two sets of rows under a Gaussian kernel.

use super::distance::{Bandwidth, Points};
use super::matrix::means;
use super::real::{Real, check, same_width};
use crate::SignalError;
use ndarray::ArrayView2;

/// What [`mmd2`] finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mmd2 {
    /// The estimate whose expectation is that of the populations; around 0, and so often below it, for equal ones.
    pub unbiased: f64,
    /// The squared distance of the two sets themselves, 0 or more, and 0 for equal sets.
    pub biased: f64,
    /// The kernel's factor, in units of one over a squared distance.
    pub gamma: f64,
}

/// The squared maximum mean discrepancy between the rows of `x` (n, d) and `y` (m, d).
///
/// `mean k(x, x') + mean k(y, y') - 2 mean k(x, y)` with `k(a, b) = exp(-gamma |a - b|^2)`; the biased mean runs over
/// all pairs within a set (n^2 of them), the unbiased one over those of different rows (n (n - 1)). At most 2. Double
/// precision, blocks of distances: no kernel matrix is held. For an interval see
/// [`jackknife_pair`](super::jackknife_pair), with a fixed gamma.
///
/// # Errors
/// Fewer than two rows in a set, coordinates that are not finite, different widths, a bandwidth out of range.
///
/// Source: Gretton, Borgwardt, Rasch, Schölkopf and Smola 2012, equations 3 and 5.
///
/// ```
/// use superalign_signal::embedding::{Bandwidth, mmd2};
/// let (x, y) = (ndarray::array![[0.0], [1.0]], ndarray::array![[0.0], [1.0]]);
/// let found = mmd2(x.view(), y.view(), Bandwidth::Gamma(1.0))?;
/// assert!(found.biased.abs() < 1e-15);
/// assert!((found.unbiased - ((-1.0_f64).exp() - 1.0)).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn mmd2<T: Real>(
    x: ArrayView2<'_, T>,
    y: ArrayView2<'_, T>,
    bandwidth: Bandwidth,
) -> Result<Mmd2, SignalError> {
    check(x, 2)?;
    check(y, 2)?;
    same_width(x, y)?;
    let gamma = bandwidth.gamma(x, Some(y))?;
    let centre = means(x);
    let (left, right) = (Points::new(x, &centre), Points::new(y, &centre));
    let kernel = |squares: &[f64]| squares.iter().map(|square| (-gamma * square).exp()).sum::<f64>();
    let [mut in_x, mut in_y, mut across] = [0.0; 3];
    left.within(|_, _, squares| in_x += kernel(squares));
    right.within(|_, _, squares| in_y += kernel(squares));
    left.between(&right, |_, _, squares| across += kernel(squares));
    let (n, m) = (x.nrows() as f64, y.nrows() as f64);
    let across = 2.0 * across / (n * m);
    Ok(Mmd2 {
        unbiased: 2.0 * in_x / (n * (n - 1.0)) + 2.0 * in_y / (m * (m - 1.0)) - across,
        biased: ((n + 2.0 * in_x) / (n * n) + (m + 2.0 * in_y) / (m * m) - across).max(0.0),
        gamma,
    })
}
