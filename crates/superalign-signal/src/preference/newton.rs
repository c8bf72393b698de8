//! Newton's method for concave functions of a few hundred numbers.

use crate::SignalError;
use ndarray::{Array1, Array2};

/// Value, gradient and negative Hessian at a point.
pub(super) struct Local {
    pub(super) value: f64,
    pub(super) gradient: Array1<f64>,
    pub(super) curvature: Array2<f64>,
}

/// Where a strictly concave function is largest: full steps, halved while they do not rise.
pub(super) fn maximum(
    statistic: &'static str,
    mut at: Array1<f64>,
    local: impl Fn(&Array1<f64>) -> Local,
) -> Result<Array1<f64>, SignalError> {
    let failed = || SignalError::undefined(statistic, "the likelihood has no maximum that could be reached");
    let mut here = local(&at);
    for _ in 0..200 {
        let step = solve(here.curvature, &here.gradient).ok_or_else(failed)?;
        // Half of what the quadratic model expects to gain.
        if step.dot(&here.gradient) <= 1e-24 * here.value.abs().max(1.0) {
            return Ok(at + step);
        }
        let mut share = 1.0;
        loop {
            let next = &at + &(&step * share);
            let there = local(&next);
            // Rounding of the value is no fall.
            if there.value >= here.value - 1e-13 * here.value.abs().max(1.0) {
                (at, here) = (next, there);
                break;
            }
            share *= 0.5;
            if share < 1e-12 {
                return Err(failed());
            }
        }
    }
    Err(failed())
}

/// Solves `A x = b` for a positive definite A by Cholesky's factors.
fn solve(mut a: Array2<f64>, b: &Array1<f64>) -> Option<Array1<f64>> {
    let n = b.len();
    let mut x = b.clone();
    for row in 0..n {
        for column in 0..=row {
            let (upper, lower) = (a.row(row), a.row(column));
            let dot: f64 = upper.iter().zip(lower).take(column).map(|(a, b)| a * b).sum();
            let left = a[[row, column]] - dot;
            if row == column {
                if left <= 0.0 || !left.is_finite() {
                    return None;
                }
                a[[row, row]] = left.sqrt();
            } else {
                a[[row, column]] = left / a[[column, column]];
            }
        }
        let dot: f64 = a.row(row).iter().zip(&x).take(row).map(|(a, x)| a * x).sum();
        x[row] = (x[row] - dot) / a[[row, row]];
    }
    for row in (0..n).rev() {
        x[row] /= a[[row, row]];
        for above in 0..row {
            x[above] -= a[[row, above]] * x[row];
        }
    }
    x.iter().all(|x| x.is_finite()).then_some(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_system_is_solved_and_a_singular_one_is_not() {
        let x = solve(array![[4.0, 2.0], [2.0, 3.0]], &array![2.0, 5.0]).unwrap();
        assert!((x - array![-0.5, 2.0]).iter().all(|d| d.abs() < 1e-12));
        assert!(solve(array![[1.0, 1.0], [1.0, 1.0]], &array![1.0, 0.0]).is_none());
    }
}
