//! Small systems of linear equations: Cholesky's factors of a symmetric positive definite matrix.

use ndarray::Array2;

/// The factor L of A = L L'.
pub(super) struct Cholesky(Array2<f64>);

impl Cholesky {
    /// Factors the matrix whose lower triangle is in `a`, or `None` where a pivot is not a positive number.
    pub(super) fn factor(mut a: Array2<f64>) -> Option<Self> {
        for row in 0..a.nrows() {
            for column in 0..=row {
                let (upper, lower) = (a.row(row), a.row(column));
                let dot: f64 = upper.iter().zip(lower).take(column).map(|(a, b)| a * b).sum();
                let left = a[[row, column]] - dot;
                if row == column {
                    // A pivot of which rounding leaves nothing is none.
                    if left <= 1e-13 * a[[row, row]].abs() || !left.is_finite() {
                        return None;
                    }
                    a[[row, row]] = left.sqrt();
                } else {
                    a[[row, column]] = left / a[[column, column]];
                }
            }
        }
        Some(Self(a))
    }

    /// The x of A x = b.
    pub(super) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = b.to_vec();
        for row in 0..x.len() {
            let dot: f64 = self.0.row(row).iter().zip(&x).take(row).map(|(a, x)| a * x).sum();
            x[row] = (x[row] - dot) / self.0[[row, row]];
        }
        for row in (0..x.len()).rev() {
            x[row] /= self.0[[row, row]];
            let value = x[row];
            for (x, a) in x.iter_mut().zip(self.0.row(row)).take(row) {
                *x -= a * value;
            }
        }
        x
    }

    /// The inverse of A.
    pub(super) fn inverse(&self) -> Array2<f64> {
        let n = self.0.nrows();
        let mut inverse = Array2::zeros((n, n));
        let mut unit = vec![0.0; n];
        for (i, mut row) in inverse.rows_mut().into_iter().enumerate() {
            unit[i] = 1.0;
            row.assign(&ndarray::Array1::from(self.solve(&unit)));
            unit[i] = 0.0;
        }
        inverse
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_system_is_solved_and_a_singular_one_is_not() {
        let factor = Cholesky::factor(array![[4.0, 0.0], [2.0, 3.0]]).unwrap();
        let x = factor.solve(&[2.0, 5.0]);
        assert!((x[0] + 0.5).abs() < 1e-12 && (x[1] - 2.0).abs() < 1e-12);
        let identity = factor.inverse().dot(&array![[4.0, 2.0], [2.0, 3.0]]);
        assert!((identity - Array2::<f64>::eye(2)).iter().all(|x| x.abs() < 1e-12));
        assert!(Cholesky::factor(array![[1.0, 1.0], [1.0, 1.0]]).is_none());
        assert!(Cholesky::factor(array![[f64::NAN]]).is_none());
    }
}
