//! Log-determinants of the cosine Gram matrix: how much volume the rows span.

use super::matrix::{Over, Precision, Shape, gram, reference};
use super::real::{Real, ZeroRows, inverse_norms};
use crate::SignalError;
use faer::Side;
use ndarray::ArrayView2;

/// A distance to the span of the other rows below this, times the number of columns, is rounding.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// `log det(I + K)` in nats, K the cosine Gram matrix of the rows of `x` (n, d); in [log(1 + n), n log 2].
///
/// `sum log(1 + l)` over the eigenvalues of K, by a Cholesky decomposition of the smaller of `I + UU'` and `I + U'U`.
/// It exists for any set of rows: n equal ones give log(1 + n), n orthogonal ones n log 2. It is the log-volume of
/// the rows with noise of unit variance, and grows with n: compare sets of one size.
///
/// # Errors
/// No row, coordinates that are not finite, rows of zeros under [`ZeroRows::Refuse`] (else they add 0).
///
/// ```
/// use superalign_signal::embedding::{ZeroRows, log_det_plus_identity};
/// let x = ndarray::array![[1.0, 0.0], [0.0, 2.0]];
/// assert!((log_det_plus_identity(x.view(), ZeroRows::Refuse)? - 2.0 * 2.0_f64.ln()).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn log_det_plus_identity<T: Real>(x: ArrayView2<'_, T>, zero_rows: ZeroRows) -> Result<f64, SignalError> {
    let inverse = inverse_norms(x, 1, zero_rows)?;
    let shape = Shape { scale: Some(&inverse), ..Shape::default() };
    let mut matrix = gram(x, Over::smaller(x), shape, Precision::Double);
    matrix.diag_mut().mapv_inplace(|value| value + 1.0);
    let cholesky = reference(&matrix)
        .llt(Side::Lower)
        .map_err(|_| SignalError::undefined("log-determinant", "its decomposition failed"))?;
    Ok(2.0 * cholesky.L().diagonal().column_vector().iter().map(|value| value.ln()).sum::<f64>())
}

/// `log det K` in nats, K the cosine Gram matrix of the rows of `x` (n, d); at most 0, for orthogonal rows.
///
/// The log-probability of the set under a determinantal point process, up to its normalisation (Kulesza and Taskar
/// 2012). From a QR decomposition of the rows at unit length, `2 sum log |R[i, i]|`, which keeps twice the digits that
/// a decomposition of K would.
///
/// # Errors
/// No row, coordinates that are not finite, rows of zeros, and linearly dependent rows, for which K is singular; more
/// rows than columns always are.
///
/// ```
/// use superalign_signal::embedding::log_det;
/// let x = ndarray::array![[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]];
/// assert!((log_det(x.view())? - 0.5_f64.ln()).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn log_det<T: Real>(x: ArrayView2<'_, T>) -> Result<f64, SignalError> {
    let inverse = inverse_norms(x, 1, ZeroRows::Refuse)?;
    let (n, d) = x.dim();
    if n > d {
        let reason = format!("the Gram matrix of {n} rows of {d} columns is singular");
        return Err(SignalError::undefined("log-determinant", reason));
    }
    let columns = faer::Mat::from_fn(d, n, |j, i| x[[i, j]].wide() * inverse[i]);
    let decomposition = columns.qr();
    let triangle = decomposition.thin_R();
    let lengths: Vec<f64> = triangle.diagonal().column_vector().iter().map(|value| value.abs()).collect();
    if let Some(row) = lengths.iter().position(|length| *length <= ROUNDING * d as f64) {
        let reason = format!("the Gram matrix is singular: row {row} is a combination of those before it");
        return Err(SignalError::undefined("log-determinant", reason));
    }
    Ok(2.0 * lengths.iter().map(|length| length.ln()).sum::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn dependent_rows_have_no_log_determinant() {
        let message = |x: ArrayView2<'_, f64>| log_det(x).unwrap_err().to_string();
        assert_eq!(
            message(array![[1.0], [2.0]].view()),
            "log-determinant is undefined: the Gram matrix of 2 rows of 1 columns is singular"
        );
        assert_eq!(
            message(array![[1.0, 2.0, 0.3], [0.1, 0.7, 0.0], [-0.1, -0.7, 0.0]].view()),
            "log-determinant is undefined: the Gram matrix is singular: row 2 is a combination of those before it"
        );
        assert_eq!(message(array![[0.0, 0.0]].view()), "cosine is undefined: row 0 is zero");
    }

    #[test]
    fn rows_that_are_nearly_alike_keep_their_digits() {
        // The Gram matrix rounds to a singular one: 1 - cos = 5e-17.
        let tiny = 1e-8_f64;
        let found = log_det(array![[1.0, 0.0], [1.0, tiny]].view()).unwrap();
        assert!((found - 2.0 * tiny.ln()).abs() < 1e-6, "{found}");
    }
}
