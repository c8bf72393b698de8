//! The two element types of embeddings, and what every metric checks of its input. No metric lives here.

use crate::SignalError;
use ndarray::ArrayView2;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`: what the coordinates of embeddings may be. Values are computed in double precision either way.
pub trait Real: sealed::Sealed + Copy + Send + Sync + 'static {
    /// The same number in double precision.
    fn wide(self) -> f64;
    /// The nearest number of this type.
    fn nearest(value: f64) -> Self;
    /// Whether it is single precision.
    const SINGLE: bool;
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
}

impl Real for f32 {
    fn wide(self) -> f64 {
        f64::from(self)
    }

    fn nearest(value: f64) -> Self {
        value as Self
    }

    const SINGLE: bool = true;
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
}

impl Real for f64 {
    fn wide(self) -> f64 {
        self
    }

    fn nearest(value: f64) -> Self {
        value
    }

    const SINGLE: bool = false;
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
}

/// What becomes of a row of zeros, which has no direction (a norm below 2.3e-308 counts as zero).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ZeroRows {
    /// It is an error.
    #[default]
    Refuse,
    /// Its cosine is 0 with every row, itself included, as in scikit-learn. It still counts as an item of a mean.
    Zero,
}

/// Largest magnitude of a coordinate: squares and their sums stay far from overflow.
const LARGEST: f64 = 1e150;

/// At least `rows` rows and one column, and every coordinate a finite number.
pub(crate) fn check<T: Real>(x: ArrayView2<'_, T>, rows: usize) -> Result<(), SignalError> {
    check_size(x, rows)?;
    for (index, row) in x.rows().into_iter().enumerate() {
        let sum = |row: &[T]| sum_over(row, row, |value, _| value.abs());
        // Where the sum of the magnitudes is small, each of them is.
        if row.as_slice().map_or_else(|| sum(&row.to_vec()), sum) < LARGEST {
            continue;
        }
        let wide = row.iter().map(|value| value.wide());
        if let Some(found) = wide.into_iter().find(|value| value.is_nan() || value.abs() >= LARGEST) {
            return Err(SignalError::Value {
                what: "a coordinate of row",
                index,
                found,
                expected: "a finite number below 1e150",
            });
        }
    }
    Ok(())
}

fn check_size<T: Real>(x: ArrayView2<'_, T>, rows: usize) -> Result<(), SignalError> {
    if x.nrows() < rows {
        return Err(SignalError::TooFew { what: "rows", found: x.nrows(), expected: rows });
    }
    if x.ncols() == 0 {
        return Err(SignalError::TooFew { what: "columns", found: 0, expected: 1 });
    }
    Ok(())
}

/// As many columns in both.
pub(crate) fn same_width<T: Real>(x: ArrayView2<'_, T>, y: ArrayView2<'_, T>) -> Result<(), SignalError> {
    if x.ncols() == y.ncols() {
        return Ok(());
    }
    Err(SignalError::Shape { what: "number of columns of y", found: y.ncols(), expected: x.ncols() })
}

/// One over the norm of every row, and 0 for a row of zeros where the convention allows one; checks as [`check`] does.
pub(crate) fn inverse_norms<T: Real>(
    x: ArrayView2<'_, T>,
    rows: usize,
    zero_rows: ZeroRows,
) -> Result<Vec<f64>, SignalError> {
    check_size(x, rows)?;
    let mut inverse = Vec::with_capacity(x.nrows());
    for (index, row) in x.rows().into_iter().enumerate() {
        let norm = row.as_slice().map_or_else(|| norm(&row.to_vec()), norm);
        if norm.is_nan() || norm >= LARGEST {
            check(x, rows)?;
        }
        if norm >= f64::MIN_POSITIVE {
            inverse.push(1.0 / norm);
        } else if zero_rows == ZeroRows::Zero {
            inverse.push(0.0);
        } else {
            return Err(SignalError::undefined("cosine", format!("row {index} is zero")));
        }
    }
    Ok(inverse)
}

/// Euclidean norm.
fn norm<T: Real>(row: &[T]) -> f64 {
    let sum = sum_over(row, row, |a, b| a * b);
    if sum > 1e-280 {
        return sum.sqrt();
    }
    // Squares of these underflow: scaled up before, down after.
    let sum = row.iter().map(|value| (value.wide() * 2.0_f64.powi(600)).powi(2)).sum::<f64>();
    sum.sqrt() * 2.0_f64.powi(-600)
}

/// The sum of `term` over two rows of the same length, in sixteen interleaved parts.
#[inline]
pub(crate) fn sum_over<T: Real>(a: &[T], b: &[T], term: impl Fn(f64, f64) -> f64) -> f64 {
    let mut parts = [0.0; 16];
    let (left, right) = (a.chunks_exact(16), b.chunks_exact(16));
    let rest: f64 =
        left.remainder().iter().zip(right.remainder()).map(|(a, b)| term(a.wide(), b.wide())).sum();
    for (a, b) in left.zip(right) {
        for (part, (a, b)) in parts.iter_mut().zip(a.iter().zip(b)) {
            *part += term(a.wide(), b.wide());
        }
    }
    parts.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn what_is_no_set_of_points_is_refused() {
        let message = |x: ArrayView2<'_, f64>| check(x, 2).unwrap_err().to_string();
        assert_eq!(message(array![[1.0, 2.0]].view()), "1 rows: expected at least 2");
        assert_eq!(message(ndarray::Array2::zeros((3, 0)).view()), "0 columns: expected at least 1");
        assert_eq!(
            message(array![[1.0, 2.0], [f64::NAN, 0.0]].view()),
            "a coordinate of row 1 is NaN: expected a finite number below 1e150"
        );
        assert_eq!(
            message(array![[1.0, f64::NEG_INFINITY], [1.0, 0.0]].view()),
            "a coordinate of row 0 is -inf: expected a finite number below 1e150"
        );
        let narrow = array![[1.0]];
        let error = same_width(array![[1.0, 2.0]].view(), narrow.view()).unwrap_err().to_string();
        assert_eq!(error, "number of columns of y: found 1, expected 2");
    }

    #[test]
    fn norms_neither_overflow_nor_underflow() {
        let x = array![[3e140, 4e140], [3e-200, 4e-200], [0.0, 0.0]];
        let found = inverse_norms(x.view(), 1, ZeroRows::Zero).unwrap();
        assert!((found[0] * 5e140 - 1.0).abs() < 1e-15 && (found[1] * 5e-200 - 1.0).abs() < 1e-14);
        assert_eq!(found[2], 0.0);
        let error = inverse_norms(x.view(), 1, ZeroRows::Refuse).unwrap_err().to_string();
        assert_eq!(error, "cosine is undefined: row 2 is zero");
    }
}
