//! Blocked Cholesky factorisation of a symmetric positive definite matrix, in double precision.

use crate::matrix::{Store, each, multiply, zeros};
use ndarray::{Array2, ArrayViewMut2, Axis, s};

const BLOCK: usize = 64;

/// A = L L', with the inverses of the diagonal blocks of L, so that solving is all products.
pub(crate) struct Cholesky {
    lower: Array2<f64>,
    inverses: Vec<Array2<f64>>,
}

impl Cholesky {
    /// Factors the matrix whose lower triangle is in `a` (columns contiguous), or `None` where a pivot is not
    /// a positive number.
    pub(crate) fn factor(mut a: Array2<f64>) -> Option<Self> {
        let d = a.nrows();
        let mut inverses = Vec::with_capacity(d.div_ceil(BLOCK));
        for start in (0..d).step_by(BLOCK) {
            let end = (start + BLOCK).min(d);
            factor_block(&mut a.slice_mut(s![start..end, start..end]))?;
            let inverse = invert_block(&a.slice(s![start..end, start..end]).to_owned());
            if end < d {
                let below = a.slice(s![end.., start..end]).to_owned();
                let mut panel = zeros(d - end, end - start);
                multiply(&mut panel.view_mut(), Store::Replace, below.view(), inverse.t(), 1.0);
                a.slice_mut(s![end.., start..end]).assign(&panel);
                let mut trailing = a.slice_mut(s![end.., end..]);
                let strips: Vec<_> = trailing.axis_chunks_iter_mut(Axis(1), BLOCK).enumerate().collect();
                each(strips, |(i, mut strip)| {
                    let from = i * BLOCK;
                    let columns = panel.slice(s![from..from + strip.ncols(), ..]);
                    let mut lower = strip.slice_mut(s![from.., ..]);
                    multiply(&mut lower, Store::Add, panel.slice(s![from.., ..]), columns.t(), -1.0);
                });
            }
            inverses.push(inverse);
        }
        Some(Self { lower: a, inverses })
    }

    /// Rows of A.
    pub(crate) fn size(&self) -> usize {
        self.lower.nrows()
    }

    /// Replaces every column of `b` by the solution x of A x = b.
    pub(crate) fn solve(&self, b: &mut Array2<f64>) {
        const COLUMNS: usize = 16;
        each(b.axis_chunks_iter_mut(Axis(1), COLUMNS).collect(), |mut columns| {
            self.solve_columns(&mut columns);
        });
    }

    fn solve_columns(&self, b: &mut ArrayViewMut2<'_, f64>) {
        let d = self.lower.nrows();
        for (i, inverse) in self.inverses.iter().enumerate() {
            let (start, end) = (i * BLOCK, i * BLOCK + inverse.nrows());
            let right = b.slice(s![start..end, ..]).to_owned();
            multiply(&mut b.slice_mut(s![start..end, ..]), Store::Replace, inverse.view(), right.view(), 1.0);
            if end < d {
                let (known, mut rest) = b.view_mut().split_at(Axis(0), end);
                let solved = known.slice(s![start.., ..]);
                multiply(&mut rest, Store::Add, self.lower.slice(s![end.., start..end]), solved.view(), -1.0);
            }
        }
        for (i, inverse) in self.inverses.iter().enumerate().rev() {
            let (start, end) = (i * BLOCK, i * BLOCK + inverse.nrows());
            if end < d {
                let (mut rest, known) = b.view_mut().split_at(Axis(0), end);
                let below = self.lower.slice(s![end.., start..end]);
                multiply(&mut rest.slice_mut(s![start.., ..]), Store::Add, below.t(), known.view(), -1.0);
            }
            let right = b.slice(s![start..end, ..]).to_owned();
            multiply(&mut b.slice_mut(s![start..end, ..]), Store::Replace, inverse.t(), right.view(), 1.0);
        }
    }
}

/// Replaces the lower triangle of a small block by its factor and clears what is above the diagonal.
fn factor_block(a: &mut ArrayViewMut2<'_, f64>) -> Option<()> {
    let d = a.nrows();
    for j in 0..d {
        let mut pivot = a[(j, j)];
        for k in 0..j {
            pivot -= a[(j, k)] * a[(j, k)];
        }
        if !(pivot > 0.0 && pivot.is_finite()) {
            return None;
        }
        let root = pivot.sqrt();
        a[(j, j)] = root;
        for i in j + 1..d {
            let mut value = a[(i, j)];
            for k in 0..j {
                value -= a[(i, k)] * a[(j, k)];
            }
            a[(i, j)] = value / root;
            a[(j, i)] = 0.0;
        }
    }
    Some(())
}

/// The inverse of a small lower triangular block.
fn invert_block(lower: &Array2<f64>) -> Array2<f64> {
    let d = lower.nrows();
    let mut inverse = zeros(d, d);
    for j in 0..d {
        inverse[(j, j)] = 1.0 / lower[(j, j)];
        for i in j + 1..d {
            let mut value = 0.0;
            for k in j..i {
                value -= lower[(i, k)] * inverse[(k, j)];
            }
            inverse[(i, j)] = value / lower[(i, i)];
        }
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_systems_of_any_size() {
        for d in [1, 5, 64, 65, 200] {
            let half = Array2::from_shape_fn((d, d), |(i, j)| ((i * 7 + j * 13) % 11) as f64 / 11.0 - 0.4);
            let mut a = zeros(d, d);
            multiply(&mut a.view_mut(), Store::Replace, half.view(), half.t(), 1.0);
            for i in 0..d {
                a[(i, i)] += 1.0;
            }
            let x = Array2::from_shape_fn((d, 20), |(i, j)| (i as f64 - j as f64) / 10.0);
            let mut b = zeros(d, 20);
            multiply(&mut b.view_mut(), Store::Replace, a.view(), x.view(), 1.0);
            Cholesky::factor(a).expect("positive definite").solve(&mut b);
            assert!((b - x).iter().all(|e| e.abs() < 1e-9), "size {d}");
        }
    }

    #[test]
    fn refuses_what_is_not_positive_definite() {
        assert!(Cholesky::factor(ndarray::array![[1.0, 0.0], [2.0, 1.0]]).is_none());
        assert!(Cholesky::factor(ndarray::array![[f64::NAN]]).is_none());
    }
}
