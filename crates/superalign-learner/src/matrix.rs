//! Products of matrices on `gemm`, and tasks spread over threads. The only unsafe code of this crate is here.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, ShapeBuilder};

/// The two element types that have a kernel.
pub(crate) trait Element: Copy + 'static {
    const ZERO: Self;
    const ONE: Self;
}

impl Element for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
}

impl Element for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
}

/// What a product does with what is in its destination.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    /// `dst = scale * lhs * rhs`
    Replace,
    /// `dst = dst + scale * lhs * rhs`
    Add,
}

/// `lhs (m, k)` times `rhs (k, n)` times `scale`, into `dst (m, n)`, on this thread.
///
/// Every element is summed in an order that depends on the shapes and the processor alone.
pub(crate) fn multiply<T: Element>(
    dst: &mut ArrayViewMut2<'_, T>,
    store: Store,
    lhs: ArrayView2<'_, T>,
    rhs: ArrayView2<'_, T>,
    scale: T,
) {
    let (m, n) = dst.dim();
    let k = lhs.ncols();
    assert_eq!((lhs.nrows(), rhs.nrows(), rhs.ncols()), (m, k, n), "shapes of a matrix product");
    let [dst_row, dst_column] = [dst.strides()[0], dst.strides()[1]];
    // SAFETY: the pointers and strides are those of ndarray views, whose elements at (i, j) with i and j below
    // the dimensions are valid; the dimensions agree, as asserted above. `dst` is borrowed mutably, so nothing
    // else refers to its elements, and no two of its indices share an element.
    #[expect(unsafe_code, reason = "gemm takes raw pointers; the views above vouch for them")]
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            dst.as_mut_ptr(),
            dst_column,
            dst_row,
            store == Store::Add,
            lhs.as_ptr(),
            lhs.strides()[1],
            lhs.strides()[0],
            rhs.as_ptr(),
            rhs.strides()[1],
            rhs.strides()[0],
            T::ONE,
            scale,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// A matrix of zeros whose columns are contiguous.
pub(crate) fn zeros<T: Element>(rows: usize, columns: usize) -> Array2<T> {
    Array2::from_elem((rows, columns).f(), T::ZERO)
}

/// Runs every task once, on the threads of the current rayon pool or one after the other.
///
/// Tasks own or exclusively borrow what they write, so the result cannot depend on which it was.
pub(crate) fn each<T: Send>(tasks: Vec<T>, run: impl Fn(T) + Send + Sync) {
    #[cfg(feature = "rayon")]
    {
        use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
        tasks.into_par_iter().for_each(run);
    }
    #[cfg(not(feature = "rayon"))]
    tasks.into_iter().for_each(run);
}

/// Inner product, summed in eight interleaved parts.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut parts = [0.0; 8];
    let (left, right) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = left.remainder().iter().zip(right.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in left.zip(right) {
        for (part, (x, y)) in parts.iter_mut().zip(x.iter().zip(y)) {
            *part += x * y;
        }
    }
    parts.iter().sum::<f64>() + rest
}

/// `a + factor * b`, into `a`.
pub(crate) fn add_scaled(a: &mut [f64], factor: f64, b: &[f64]) {
    for (a, b) in a.iter_mut().zip(b) {
        *a += factor * b;
    }
}

/// Euclidean norm.
pub(crate) fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn products_of_any_layout() {
        let a = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
        let b = array![[1.0, 0.0], [2.0, 1.0], [0.0, -1.0]];
        let expected = array![[5.0, -1.0], [14.0, -1.0]];
        let mut columns = zeros::<f64>(2, 2);
        multiply(&mut columns.view_mut(), Store::Replace, a.view(), b.view(), 1.0);
        assert_eq!(columns, expected);
        multiply(&mut columns.view_mut(), Store::Add, a.view(), b.view(), -1.0);
        assert_eq!(columns, zeros::<f64>(2, 2));
        let mut transposed = zeros::<f64>(2, 2);
        multiply(&mut transposed.view_mut().reversed_axes(), Store::Replace, a.view(), b.view(), 1.0);
        assert_eq!(transposed.t(), expected);
    }

    #[test]
    fn inner_products_of_any_length() {
        let a: Vec<f64> = (0..21).map(f64::from).collect();
        assert_eq!(dot(&a, &a), 2870.0);
        assert_eq!(dot(&a[..3], &a[..3]), 5.0);
    }
}
