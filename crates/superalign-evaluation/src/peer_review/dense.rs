//! Symmetric matrices that are positive definite: factors, solutions, inverses.

use ndarray::Array2;

/// The lower factor L of `A = L L'`; nothing where A is not positive definite.
pub(super) fn cholesky(mut a: Array2<f64>) -> Option<Array2<f64>> {
    let n = a.nrows();
    for row in 0..n {
        for column in 0..=row {
            let left = {
                let (upper, lower) = (a.row(row), a.row(column));
                a[[row, column]] - upper.slice(ndarray::s![..column]).dot(&lower.slice(ndarray::s![..column]))
            };
            if row == column {
                if left <= 0.0 || !left.is_finite() {
                    return None;
                }
                a[[row, row]] = left.sqrt();
            } else {
                a[[row, column]] = left / a[[column, column]];
            }
        }
        for column in row + 1..n {
            a[[row, column]] = 0.0;
        }
    }
    Some(a)
}

/// Solves `L L' x = b`.
pub(super) fn solve(factor: &Array2<f64>, b: &[f64]) -> Vec<f64> {
    let n = b.len();
    let mut x = b.to_vec();
    for row in 0..n {
        let dot: f64 = factor.row(row).iter().zip(&x).take(row).map(|(a, x)| a * x).sum();
        x[row] = (x[row] - dot) / factor[[row, row]];
    }
    for row in (0..n).rev() {
        x[row] /= factor[[row, row]];
        let whole = x[row];
        for (above, factor) in x.iter_mut().zip(factor.row(row)).take(row) {
            *above -= factor * whole;
        }
    }
    x
}

/// The inverse of `L L'`.
pub(super) fn inverse(factor: &Array2<f64>) -> Array2<f64> {
    let n = factor.nrows();
    // The rows of L^-1, from the top.
    let mut inverse = Array2::<f64>::zeros((n, n));
    for row in 0..n {
        let (done, mut rest) = inverse.view_mut().split_at(ndarray::Axis(0), row);
        let mut own = rest.row_mut(0);
        for (above, factor) in done.rows().into_iter().zip(factor.row(row)) {
            own.scaled_add(-factor, &above);
        }
        own[row] = 1.0;
        own /= factor[[row, row]];
    }
    inverse.t().dot(&inverse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_system_is_solved_and_a_singular_one_is_not() {
        let a = array![[4.0, 2.0, 0.5], [2.0, 3.0, -1.0], [0.5, -1.0, 2.0]];
        let factor = cholesky(a.clone()).unwrap();
        assert!((&factor.dot(&factor.t()) - &a).iter().all(|d| d.abs() < 1e-12));
        let unit = inverse(&factor).dot(&a);
        assert!((unit - Array2::<f64>::eye(3)).iter().all(|d| d.abs() < 1e-12));
        let x = solve(&factor, &[1.0, 2.0, 3.0]);
        let back = a.dot(&ndarray::ArrayView1::from(&x));
        assert!((back - array![1.0, 2.0, 3.0]).iter().all(|d| d.abs() < 1e-12));
        assert!(cholesky(array![[1.0, 1.0], [1.0, 1.0]]).is_none());
    }
}
