//! Causal attention within each document, head by head, and its gradient.
//!
//! Documents are short (some hundred tokens), so that a head's weights are one small square that stays in
//! the cache; the products go through [`product`].

use crate::matmul::{Matrix, MatrixMut, Old, product};
use crate::model::{Documents, Shape};
use crate::real::{Real, dot, maximum, replace_and_sum};
use crate::wide::wide;

/// From `qkv` (tokens, 3 width) to `attended` (tokens, width); keeps the attention weights.
pub(super) fn forward<T: Real>(
    shape: &Shape,
    batch: &Documents<'_>,
    qkv: &[T],
    weights: &mut [T],
    attended: &mut [T],
) {
    let (d, head) = (shape.width, shape.head());
    let scale = T::of(1.0 / (head as f64).sqrt());
    let mut used = 0;
    for (start, n) in batch.spans() {
        let rows = &qkv[start * 3 * d..(start + n) * 3 * d];
        let out = &mut attended[start * d..(start + n) * d];
        for h in 0..shape.heads {
            let part = |which: usize| Matrix::new(&rows[which * d + h * head..], n, head, 3 * d);
            let square = &mut weights[used..used + n * n];
            used += n * n;
            product(MatrixMut::dense(square, n, n), part(0), part(1).t(), Old::Drop);
            softmax(square, n, scale);
            product(
                MatrixMut::new(&mut out[h * head..], n, head, d),
                Matrix::dense(square, n, n),
                part(2),
                Old::Drop,
            );
        }
    }
}

wide! {
    /// Softmax of `scale` times the scores (n, n); row i sees its first i + 1 columns, the others become 0.
    fn softmax<'a, T>(scores: &'a mut [T], n: usize, scale: T) {
        for (i, row) in scores.chunks_exact_mut(n).enumerate() {
            let (seen, hidden) = row.split_at_mut(i + 1);
            let top = maximum(seen) * scale;
            let sum = replace_and_sum(seen, |x| (x * scale - top).exp());
            let over = T::ONE / sum;
            for x in seen {
                *x = *x * over;
            }
            hidden.fill(T::ZERO);
        }
    }
}

wide! {
    /// From the gradient of the weights (n, n), in place, to that of the scores: p (d - sum(d p)) scale.
    fn softmax_backward<'a, T>(gradient: &'a mut [T], weights: &'a [T], n: usize, scale: T) {
        for (i, (d, p)) in gradient.chunks_exact_mut(n).zip(weights.chunks_exact(n)).enumerate() {
            let mean = dot(&d[..=i], &p[..=i]);
            for (d, &p) in d.iter_mut().zip(p) {
                *d = (*d - mean) * p * scale;
            }
        }
    }
}

/// From the gradient of `attended` to that of `qkv`, which is overwritten.
pub(super) fn backward<T: Real>(
    shape: &Shape,
    batch: &Documents<'_>,
    qkv: &[T],
    weights: &[T],
    d_attended: &[T],
    d_qkv: &mut [T],
    scratch: &mut [T],
) {
    let (d, head) = (shape.width, shape.head());
    let scale = T::of(1.0 / (head as f64).sqrt());
    let mut used = 0;
    for (start, n) in batch.spans() {
        let rows = &qkv[start * 3 * d..(start + n) * 3 * d];
        let d_out = &d_attended[start * d..(start + n) * d];
        let d_rows = &mut d_qkv[start * 3 * d..(start + n) * 3 * d];
        for h in 0..shape.heads {
            let part = |which: usize| Matrix::new(&rows[which * d + h * head..], n, head, 3 * d);
            let upstream = Matrix::new(&d_out[h * head..], n, head, d);
            let square = &weights[used..used + n * n];
            used += n * n;
            let scores = &mut scratch[..n * n];
            product(MatrixMut::dense(scores, n, n), upstream, part(2).t(), Old::Drop);
            softmax_backward(scores, square, n, scale);
            let mut into = |which: usize, left: Matrix<'_, T>, right: Matrix<'_, T>| {
                let place = &mut d_rows[which * d + h * head..];
                product(MatrixMut::new(place, n, head, 3 * d), left, right, Old::Drop);
            };
            let scores = Matrix::dense(scores, n, n);
            into(0, scores, part(1));
            into(1, scores.t(), part(0));
            into(2, Matrix::dense(square, n, n).t(), upstream);
        }
    }
}
