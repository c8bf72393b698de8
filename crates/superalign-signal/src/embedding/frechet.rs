//! The Fréchet distance between two sets of rows, or between two normal distributions.

use super::matrix::{means, singular_values, triangle};
use super::real::{Real, check, same_width};
use crate::SignalError;
use faer::{Mat, MatRef, Side};
use ndarray::{ArrayView1, ArrayView2};

/// The name in errors.
const NAME: &str = "Fréchet distance";
/// A covariance may be that far from symmetric, and its eigenvalues that far below 0, as a share of its trace.
const CLOSE: f64 = 1e-6;

/// The squared Fréchet distance between normal distributions fitted to the rows of `x` (n, d) and `y` (m, d), 0 or
/// more, in squared units of the coordinates.
///
/// `|a - b|^2 + tr(A + B - 2 (A B)^(1/2))` with means a, b and covariances A, B (divided by n - 1). The trace of the
/// root is the sum of the singular values of `R S'`, where R'R = A and S'S = B are the triangles of QR decompositions
/// of the centred rows: no root of a matrix is taken, so that singular covariances (fewer rows than columns) are as
/// exact as others. Falls with the number of rows: compare sets of one size, or see
/// [`jackknife_pair`](super::jackknife_pair). O((n + m) d^2).
///
/// # Errors
/// Fewer than two rows in a set, coordinates that are not finite, different widths.
///
/// Source: Dowson and Landau 1982; Heusel et al. 2017, where it is taken over Inception features.
///
/// ```
/// use superalign_signal::embedding::frechet_distance;
/// let x = ndarray::array![[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]];
/// let y = &x + 3.0;
/// assert!((frechet_distance(x.view(), y.view())? - 18.0).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn frechet_distance<T: Real>(x: ArrayView2<'_, T>, y: ArrayView2<'_, T>) -> Result<f64, SignalError> {
    check(x, 2)?;
    check(y, 2)?;
    same_width(x, y)?;
    let root = |rows: ArrayView2<'_, T>, mean: &[f64]| {
        let root = 1.0 / ((rows.nrows() - 1) as f64).sqrt();
        let mut factor = triangle(rows, Some(mean));
        factor.col_iter_mut().for_each(|column| column.iter_mut().for_each(|value| *value *= root));
        factor
    };
    let (a, b) = (means(x), means(y));
    distance(&a, root(x, &a).as_ref(), &b, root(y, &b).as_ref())
}

/// The squared Fréchet distance between two normal distributions, from means (d) and covariances (d, d).
///
/// As [`frechet_distance`], for moments that were kept. The factors of the covariances come from their
/// eigen-decompositions, which costs half of the digits of directions without variance.
///
/// # Errors
/// Sizes that do not belong together, numbers that are not finite, a covariance that is not symmetric or not positive
/// semi-definite, both within 1e-6.
///
/// ```
/// use superalign_signal::embedding::frechet_distance_of_moments;
/// let mean = ndarray::array![0.0, 0.0];
/// let (a, b) = (ndarray::array![[4.0, 0.0], [0.0, 1.0]], ndarray::array![[1.0, 0.0], [0.0, 0.0]]);
/// let found = frechet_distance_of_moments(mean.view(), a.view(), mean.view(), b.view())?;
/// assert!((found - 2.0).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn frechet_distance_of_moments(
    mean_x: ArrayView1<'_, f64>,
    covariance_x: ArrayView2<'_, f64>,
    mean_y: ArrayView1<'_, f64>,
    covariance_y: ArrayView2<'_, f64>,
) -> Result<f64, SignalError> {
    let d = mean_x.len();
    if mean_y.len() != d {
        return Err(SignalError::Shape { what: "length of the mean of y", found: mean_y.len(), expected: d });
    }
    for mean in [mean_x, mean_y] {
        check(mean.insert_axis(ndarray::Axis(0)), 1)?;
    }
    let (left, right) = (factor(covariance_x, d)?, factor(covariance_y, d)?);
    distance(&mean_x.to_vec(), left.as_ref(), &mean_y.to_vec(), right.as_ref())
}

/// F with F'F the covariance.
fn factor(covariance: ArrayView2<'_, f64>, d: usize) -> Result<Mat<f64>, SignalError> {
    for (what, found) in [
        ("number of rows of the covariance", covariance.nrows()),
        ("number of columns of the covariance", covariance.ncols()),
    ] {
        if found != d {
            return Err(SignalError::Shape { what, found, expected: d });
        }
    }
    check(covariance, 1)?;
    let trace: f64 = covariance.diag().sum();
    let symmetric = covariance
        .indexed_iter()
        .all(|((i, j), value)| (value - covariance[[j, i]]).abs() <= CLOSE * trace.abs());
    if !symmetric {
        return Err(SignalError::undefined(NAME, "a covariance is not symmetric"));
    }
    let matrix = Mat::from_fn(d, d, |i, j| f64::midpoint(covariance[[i, j]], covariance[[j, i]]));
    let eigen = matrix
        .self_adjoint_eigen(Side::Lower)
        .map_err(|_| SignalError::undefined(NAME, "eigenvalues of a covariance did not converge"))?;
    let (values, vectors) = (eigen.S().column_vector(), eigen.U());
    if d > 0 && values[0] < -CLOSE * trace.abs() {
        return Err(SignalError::undefined(
            NAME,
            format!("a covariance has the negative eigenvalue {:.3e}", values[0]),
        ));
    }
    Ok(Mat::from_fn(d, d, |i, j| values[i].max(0.0).sqrt() * vectors[(j, i)]))
}

fn distance(
    mean_x: &[f64],
    left: MatRef<'_, f64>,
    mean_y: &[f64],
    right: MatRef<'_, f64>,
) -> Result<f64, SignalError> {
    let shift: f64 = mean_x.iter().zip(mean_y).map(|(a, b)| (a - b).powi(2)).sum();
    let product = left * right.transpose();
    let root: f64 = singular_values(product.as_ref(), NAME)?.iter().sum();
    let value = shift + left.squared_norm_l2() + right.squared_norm_l2() - 2.0 * root;
    if value.is_finite() {
        return Ok(value.max(0.0));
    }
    Err(SignalError::undefined(NAME, "the coordinates are too large to be squared"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn rows_and_their_moments_give_the_same_distance() {
        let wave = |i: usize, j: usize, by: f64| ((i * 31 + j * 17) as f64 * by).sin() * (1.0 + j as f64);
        // More rows than columns, and fewer: the second covariance is singular.
        let (x, y) = (
            Array2::from_shape_fn((40, 6), |(i, j)| wave(i, j, 0.37)),
            Array2::from_shape_fn((4, 6), |(i, j)| wave(i, j, 0.73) + 0.3),
        );
        let moments = |rows: &Array2<f64>| {
            let mean = rows.mean_axis(ndarray::Axis(0)).unwrap();
            let centred = rows - &mean;
            (mean, centred.t().dot(&centred) / (rows.nrows() - 1) as f64)
        };
        let ((a, cov_a), (b, cov_b)) = (moments(&x), moments(&y));
        let found = frechet_distance(x.view(), y.view()).unwrap();
        let expected = frechet_distance_of_moments(a.view(), cov_a.view(), b.view(), cov_b.view()).unwrap();
        assert!((found - expected).abs() < 1e-6 * expected, "{found} {expected}");
        let back = frechet_distance(y.view(), x.view()).unwrap();
        assert!((found - back).abs() < 1e-12 * found);
    }

    #[test]
    fn a_covariance_that_is_none_is_refused() {
        let (mean, eye) = (array![0.0, 0.0], Array2::eye(2));
        let message = |covariance: Array2<f64>| {
            frechet_distance_of_moments(mean.view(), covariance.view(), mean.view(), eye.view())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(message(Array2::eye(3)), "number of rows of the covariance: found 3, expected 2");
        assert_eq!(
            message(array![[1.0, 0.5], [0.0, 1.0]]),
            "Fréchet distance is undefined: a covariance is not symmetric"
        );
        assert_eq!(
            message(array![[1.0, 2.0], [2.0, 1.0]]),
            "Fréchet distance is undefined: a covariance has the negative eigenvalue -1.000e0"
        );
        let one = frechet_distance(array![[1.0]].view(), array![[1.0], [2.0]].view()).unwrap_err();
        assert_eq!(one.to_string(), "1 rows: expected at least 2");
    }
}
