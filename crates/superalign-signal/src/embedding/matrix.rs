//! Products, Gram matrices and spectra on `gemm` and `faer`. The only unsafe code of the family is in [`multiply`].

use super::Real;
use crate::SignalError;
use faer::{MatRef, Side};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};

/// Terms that are summed within one product before the sums go on in double precision.
const BLOCK: usize = 512;
/// Rows of a Gram matrix that one product computes; what of a strip lies above the diagonal is wasted.
const STRIP: usize = 96;

/// `dst (m, n) = scale * lhs (m, k) * rhs (k, n)`, plus what is there with `add`, on this thread.
///
/// Every element is summed in an order that depends on the shapes and the processor alone.
pub(crate) fn multiply<T: Real>(
    dst: &mut ArrayViewMut2<'_, T>,
    lhs: ArrayView2<'_, T>,
    rhs: ArrayView2<'_, T>,
    scale: f64,
) {
    let (m, n) = dst.dim();
    let k = lhs.ncols();
    assert_eq!((lhs.nrows(), rhs.nrows(), rhs.ncols()), (m, k, n), "shapes of a matrix product");
    let [dst_row, dst_column] = [dst.strides()[0], dst.strides()[1]];
    // SAFETY: the pointers and strides are those of ndarray views, whose elements at (i, j) with i and j below the
    // dimensions are valid; the dimensions agree, as asserted above. `dst` is borrowed mutably, so nothing else refers
    // to its elements, and no two of its indices share an element. `Real` is sealed: T is f32 or f64, which gemm knows.
    #[expect(unsafe_code, reason = "gemm takes raw pointers; the views above vouch for them")]
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            dst.as_mut_ptr(),
            dst_column,
            dst_row,
            false,
            lhs.as_ptr(),
            lhs.strides()[1],
            lhs.strides()[0],
            rhs.as_ptr(),
            rhs.strides()[1],
            rhs.strides()[0],
            T::ZERO,
            T::nearest(scale),
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// Which products a Gram matrix holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// X'X, columns by columns.
    Columns,
    /// XX', rows by rows.
    Rows,
}

impl Over {
    /// The smaller of the two, which share their non-zero eigenvalues.
    pub(crate) fn smaller<T>(x: ArrayView2<'_, T>) -> Self {
        if x.nrows() < x.ncols() { Self::Rows } else { Self::Columns }
    }
}

/// In which precision the blocks of a Gram matrix are multiplied; blocks are summed up in double precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    Single,
    Double,
}

/// The elements of a matrix as they enter a product: `(x[i, j] - centre[j]) * scale[i]`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shape<'a> {
    pub(crate) centre: Option<&'a [f64]>,
    pub(crate) scale: Option<&'a [f64]>,
}

/// The lower triangle of X'X or XX'; what lies above the diagonal is of no meaning.
///
/// X is read once, in blocks that are shifted and scaled on the way: there is no second copy of it.
pub(crate) fn gram<T: Real>(
    x: ArrayView2<'_, T>,
    over: Over,
    shape: Shape<'_>,
    precision: Precision,
) -> Array2<f64> {
    match precision {
        Precision::Single => blocks::<T, f32>(x, over, shape),
        Precision::Double => blocks::<T, f64>(x, over, shape),
    }
}

fn blocks<T: Real, W: Real>(x: ArrayView2<'_, T>, over: Over, shape: Shape<'_>) -> Array2<f64> {
    let (axis, size, terms) = match over {
        Over::Columns => (Axis(0), x.ncols(), x.nrows()),
        Over::Rows => (Axis(1), x.nrows(), x.ncols()),
    };
    // Half as many numbers of twice the size, so that a block stays in the cache.
    let most = if W::SINGLE { BLOCK } else { BLOCK / 2 }.min(terms);
    let mut sums = Array2::<f64>::zeros((size, size));
    let mut strips: Vec<Vec<W>> = (0..size)
        .step_by(STRIP)
        .map(|from| vec![W::ZERO; STRIP.min(size - from) * size.min(from + STRIP)])
        .collect();
    let mut buffer = vec![W::ZERO; most * size];
    for from in (0..terms).step_by(most.max(1)) {
        let part = x.slice_axis(axis, (from..terms.min(from + most)).into());
        let centre = shape.centre.map(|centre| match over {
            Over::Columns => centre,
            Over::Rows => &centre[from..],
        });
        let first = if over == Over::Columns { from } else { 0 };
        let (rows, columns) = part.dim();
        let mut block = ndarray::ArrayViewMut2::from_shape((rows, columns), &mut buffer[..rows * columns])
            .unwrap_or_else(|_| unreachable!("the buffer holds a block"));
        for (i, (mut to, row)) in block.rows_mut().into_iter().zip(part.rows()).enumerate() {
            let scale = shape.scale.map_or(1.0, |scale| scale[first + i]);
            fill(&mut to, row, centre, scale);
        }
        // (terms, size), however it lies in memory.
        let block = if over == Over::Columns { block.view() } else { block.view().reversed_axes() };
        let tasks = sums.axis_chunks_iter_mut(Axis(0), STRIP).zip(&mut strips).enumerate().collect();
        each(tasks, |(place, (mut sums, strip))| {
            let (rows, start) = (sums.nrows(), place * STRIP);
            let end = start + rows;
            let mut product = ndarray::ArrayViewMut2::from_shape((rows, end), &mut strip[..rows * end])
                .unwrap_or_else(|_| unreachable!("a strip holds its product"));
            multiply(
                &mut product,
                block.slice(s![.., start..end]).reversed_axes(),
                block.slice(s![.., ..end]),
                1.0,
            );
            for (mut sums, product) in sums.rows_mut().into_iter().zip(product.rows()) {
                for (sum, term) in sums.iter_mut().zip(product) {
                    *sum += term.wide();
                }
            }
        });
    }
    sums
}

/// Writes `(row - centre) * scale`.
fn fill<T: Real, W: Real>(
    to: &mut ndarray::ArrayViewMut1<'_, W>,
    row: ndarray::ArrayView1<'_, T>,
    centre: Option<&[f64]>,
    scale: f64,
) {
    match (to.as_slice_mut(), row.as_slice(), centre) {
        (Some(to), Some(row), None) => {
            to.iter_mut().zip(row).for_each(|(to, x)| *to = W::nearest(x.wide() * scale));
        }
        (Some(to), Some(row), Some(centre)) => {
            let shifted = row.iter().zip(centre).map(|(x, centre)| x.wide() - centre);
            to.iter_mut().zip(shifted).for_each(|(to, x)| *to = W::nearest(x * scale));
        }
        (_, _, centre) => {
            for (j, (to, x)) in to.iter_mut().zip(row).enumerate() {
                *to = W::nearest((x.wide() - centre.map_or(0.0, |centre| centre[j])) * scale);
            }
        }
    }
}

/// Runs every task once, on the threads of the current rayon pool or one after the other.
///
/// Tasks exclusively borrow what they write, so the result cannot depend on which it was.
pub(crate) fn each<T: Send>(tasks: Vec<T>, run: impl Fn(T) + Send + Sync) {
    #[cfg(feature = "rayon")]
    {
        use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
        tasks.into_par_iter().for_each(run);
    }
    #[cfg(not(feature = "rayon"))]
    tasks.into_iter().for_each(run);
}

/// Mean of every column.
pub(crate) fn means<T: Real>(x: ArrayView2<'_, T>) -> Vec<f64> {
    let mut sums = vec![0.0; x.ncols()];
    for row in x.rows() {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x.wide());
    }
    sums.iter_mut().for_each(|sum| *sum /= x.nrows() as f64);
    sums
}

/// The eigenvalues of a symmetric matrix, in rising order; only its lower triangle is read.
pub(crate) fn eigenvalues(matrix: &Array2<f64>, name: &'static str) -> Result<Vec<f64>, SignalError> {
    let values = reference(matrix).self_adjoint_eigenvalues(Side::Lower);
    values.map_err(|_| SignalError::undefined(name, "its eigenvalues did not converge"))
}

/// A matrix in the eyes of faer.
pub(crate) fn reference(matrix: &Array2<f64>) -> MatRef<'_, f64> {
    let (rows, columns) = matrix.dim();
    let data = matrix.as_slice().unwrap_or_else(|| unreachable!("these matrices are stored row by row"));
    MatRef::from_row_major_slice(data, rows, columns)
}

/// The triangle R (r, d) of X = QR with r = min(n, d), where X is `(x - centre)`: R'R = X'X without its rounding.
///
/// Tall matrices are reduced block by block: the triangle so far and the next rows give the next triangle.
pub(crate) fn triangle<T: Real>(x: ArrayView2<'_, T>, centre: Option<&[f64]>) -> faer::Mat<f64> {
    let (n, d) = x.dim();
    let element = |i: usize, j: usize| x[[i, j]].wide() - centre.map_or(0.0, |centre| centre[j]);
    let step = (4 * d).max(64);
    let mut done = step.min(n);
    let mut stack = faer::Mat::from_fn(done, d, element);
    loop {
        let r = stack.qr().thin_R().to_owned();
        if done == n {
            return r;
        }
        let (from, next) = (done, step.min(n - done));
        stack = faer::Mat::from_fn(r.nrows() + next, d, |i, j| match i.checked_sub(r.nrows()) {
            None if j < i => 0.0,
            None => r[(i, j)],
            Some(i) => element(from + i, j),
        });
        done += next;
    }
}

/// The singular values of a matrix.
pub(crate) fn singular_values(matrix: MatRef<'_, f64>, name: &'static str) -> Result<Vec<f64>, SignalError> {
    matrix.singular_values().map_err(|_| SignalError::undefined(name, "its singular values did not converge"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize, d: usize) -> Array2<f64> {
        Array2::from_shape_fn((n, d), |(i, j)| ((i * 37 + j * 101 + i * j) % 97) as f64 / 97.0 - 0.4)
    }

    #[test]
    fn gram_matrices_are_products() {
        for (n, d) in [(1, 1), (5, 3), (700, 130), (3, 600), (110, 300)] {
            let x = noise(n, d);
            let centre = means(x.view());
            let scale: Vec<f64> = (0..n).map(|i| 1.0 + (i % 3) as f64).collect();
            let shape = Shape { centre: Some(&centre), scale: Some(&scale) };
            let shaped = Array2::from_shape_fn((n, d), |(i, j)| (x[[i, j]] - centre[j]) * scale[i]);
            for (over, expected) in
                [(Over::Columns, shaped.t().dot(&shaped)), (Over::Rows, shaped.dot(&shaped.t()))]
            {
                for (precision, tolerance) in [(Precision::Single, 1e-5), (Precision::Double, 1e-12)] {
                    let found = gram(x.view(), over, shape, precision);
                    let strided = gram(x.t().to_owned().reversed_axes().view(), over, shape, precision);
                    for ((i, j), found) in found.indexed_iter().filter(|((i, j), _)| j <= i) {
                        assert!(
                            (found - expected[[i, j]]).abs() < tolerance * n.max(d) as f64,
                            "{n} {d} {i} {j}"
                        );
                        assert_eq!(*found, strided[[i, j]]);
                    }
                }
            }
        }
    }

    #[test]
    fn the_triangle_has_the_singular_values_of_the_matrix() {
        for (n, d) in [(2, 5), (5, 2), (400, 7), (129, 20)] {
            let x = noise(n, d);
            let r = triangle(x.view(), None);
            let found = singular_values(r.as_ref(), "test").unwrap();
            let expected = singular_values(reference(&x), "test").unwrap();
            assert_eq!((r.nrows(), r.ncols(), found.len()), (n.min(d), d, n.min(d)));
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-12 * expected.max(1.0), "{n} {d}: {found} {expected}");
            }
        }
    }
}
