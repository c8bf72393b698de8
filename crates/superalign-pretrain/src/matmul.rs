//! Matrix products over slices: a safe face for the `gemm` crate, whose interface is raw pointers.
//!
//! The only unsafe code of this crate is the one call in [`product`].

use crate::real::Real;

/// A matrix that is read: element `(i, j)` is `data[i * row + j * column]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    row: usize,
    column: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// A matrix stored row after row, `stride` elements from one row to the next.
    ///
    /// # Panics
    /// When the slice is too short for the shape, or the rows overlap.
    #[must_use]
    pub fn new(data: &'a [T], rows: usize, columns: usize, stride: usize) -> Self {
        check(data.len(), rows, columns, stride);
        Self { data, rows, columns, row: stride, column: 1 }
    }

    /// A matrix whose rows follow one another without a gap.
    ///
    /// # Panics
    /// When the slice is too short for the shape.
    #[must_use]
    pub fn dense(data: &'a [T], rows: usize, columns: usize) -> Self {
        Self::new(data, rows, columns, columns)
    }

    /// The transpose: the same elements, read with rows and columns exchanged.
    #[must_use]
    pub fn t(self) -> Self {
        Self { rows: self.columns, columns: self.rows, row: self.column, column: self.row, ..self }
    }
}

/// A matrix that is written, stored row after row.
#[derive(Debug)]
pub struct MatrixMut<'a, T> {
    data: &'a mut [T],
    rows: usize,
    columns: usize,
    stride: usize,
}

impl<'a, T> MatrixMut<'a, T> {
    /// A matrix stored row after row, `stride` elements from one row to the next.
    ///
    /// # Panics
    /// When the slice is too short for the shape, or the rows overlap.
    #[must_use]
    pub fn new(data: &'a mut [T], rows: usize, columns: usize, stride: usize) -> Self {
        check(data.len(), rows, columns, stride);
        Self { data, rows, columns, stride }
    }

    /// A matrix whose rows follow one another without a gap.
    ///
    /// # Panics
    /// When the slice is too short for the shape.
    #[must_use]
    pub fn dense(data: &'a mut [T], rows: usize, columns: usize) -> Self {
        Self::new(data, rows, columns, columns)
    }
}

fn check(len: usize, rows: usize, columns: usize, stride: usize) {
    assert!(columns <= stride || rows <= 1, "rows of {columns} elements overlap at stride {stride}");
    let needed = if rows == 0 || columns == 0 { 0 } else { (rows - 1) * stride + columns };
    assert!(
        needed <= len,
        "a {rows} x {columns} matrix of stride {stride} needs {needed} elements, found {len}"
    );
}

/// What becomes of the destination's old content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Old {
    /// It is overwritten.
    Drop,
    /// The product is added to it.
    Add,
}

/// `destination = left * right` or, with [`Old::Add`], `destination += left * right`.
///
/// Shapes: `left` (m, k), `right` (k, n), `destination` (m, n). One thread; the order of additions depends
/// on the shapes and the processor only, so a repeated call gives the same bits.
///
/// # Panics
/// When the shapes do not fit together.
pub fn product<T: Real>(destination: MatrixMut<'_, T>, left: Matrix<'_, T>, right: Matrix<'_, T>, old: Old) {
    let MatrixMut { data, rows, columns, stride } = destination;
    assert!(
        left.rows == rows && right.columns == columns && left.columns == right.rows,
        "cannot write {}x{} times {}x{} to {rows}x{columns}",
        left.rows,
        left.columns,
        right.rows,
        right.columns,
    );
    if rows == 0 || columns == 0 {
        return;
    }
    #[expect(unsafe_code, reason = "gemm takes pointers and strides")]
    // SAFETY: the constructors of `Matrix` and `MatrixMut` have checked that every element that the shapes and
    // strides reach lies within its slice, that strides fit isize (they are below a slice's length, or the shape
    // has one row), and that rows of the destination do not overlap; the slices are borrowed for the whole call,
    // the destination exclusively, so it aliases neither operand. T is f32 or f64 (`Real` has no other
    // implementor), both of which gemm knows.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            left.columns,
            data.as_mut_ptr(),
            1,
            stride.cast_signed(),
            old == Old::Add,
            left.data.as_ptr(),
            left.column.cast_signed(),
            left.row.cast_signed(),
            right.data.as_ptr(),
            right.column.cast_signed(),
            right.row.cast_signed(),
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(m: usize, k: usize, n: usize, a: &[f64], b: &[f64]) -> Vec<f64> {
        let mut c = vec![0.0; m * n];
        for i in 0..m {
            for j in 0..n {
                c[i * n + j] = (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum();
            }
        }
        c
    }

    #[test]
    fn products_and_transposes_agree_with_the_definition() {
        for (m, k, n) in [(1, 1, 1), (3, 5, 7), (17, 16, 33), (2, 0, 2), (64, 48, 40)] {
            let a: Vec<f64> = (0..m * k).map(|i| (i * 7 % 11) as f64 - 5.0).collect();
            let b: Vec<f64> = (0..k * n).map(|i| (i * 5 % 13) as f64 - 6.0).collect();
            let want = naive(m, k, n, &a, &b);
            let mut c = vec![1.0; m * n];
            product(
                MatrixMut::dense(&mut c, m, n),
                Matrix::dense(&a, m, k),
                Matrix::dense(&b, k, n),
                Old::Drop,
            );
            assert_eq!(c, want);
            // c^T = b^T a^T, accumulated on what is there.
            let mut d = vec![1.0; m * n];
            product(
                MatrixMut::dense(&mut d, n, m),
                Matrix::dense(&b, k, n).t(),
                Matrix::dense(&a, m, k).t(),
                Old::Add,
            );
            for i in 0..m {
                for j in 0..n {
                    assert_eq!(d[j * m + i], want[i * n + j] + 1.0);
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "needs 12 elements")]
    fn a_slice_that_is_too_short_is_refused() {
        let _ = Matrix::dense(&[0.0_f32; 11], 3, 4);
    }
}
