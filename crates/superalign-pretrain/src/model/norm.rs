//! RMSNorm: y = x * w / sqrt(mean(x^2) + eps), and its gradient.

use crate::model::NORM_EPSILON;
use crate::real::{Real, dot};

/// Normalises every row of `x` (rows, width) into `y`; keeps 1 / rms of each row.
pub(super) fn forward<T: Real>(x: &[T], weight: &[T], y: &mut [T], inverse_rms: &mut [T]) {
    let width = weight.len();
    let (epsilon, over) = (T::of(NORM_EPSILON), T::of(1.0 / width as f64));
    for ((x, y), inverse) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)).zip(inverse_rms) {
        *inverse = T::ONE / (dot(x, x) * over + epsilon).sqrt();
        for ((y, &x), &w) in y.iter_mut().zip(x).zip(weight) {
            *y = x * *inverse * w;
        }
    }
}

/// Adds the gradient with respect to x to `dx` and that with respect to w to `dw`.
///
/// With r = 1 / rms: dx += r w dy - x r^3 / width * sum(dy w x); dw += dy x r.
pub(super) fn backward<T: Real>(
    x: &[T],
    weight: &[T],
    inverse_rms: &[T],
    dy: &[T],
    dx: &mut [T],
    dw: &mut [T],
) {
    let width = weight.len();
    let over = T::of(1.0 / width as f64);
    let dw = &mut dw[..width];
    for (((x, dy), dx), &r) in
        x.chunks_exact(width).zip(dy.chunks_exact(width)).zip(dx.chunks_exact_mut(width)).zip(inverse_rms)
    {
        for ((dw, &dy), &x) in dw.iter_mut().zip(dy).zip(x) {
            *dw += dy * x * r;
        }
        let c = dot3(dy, weight, x) * r * r * r * over;
        for (((dx, &dy), &w), &x) in dx.iter_mut().zip(dy).zip(weight).zip(x) {
            *dx += dy * w * r - x * c;
        }
    }
}

/// Sum of a[i] * b[i] * c[i], in the manner of [`dot`].
#[inline(always)]
fn dot3<T: Real>(a: &[T], b: &[T], c: &[T]) -> T {
    const CHUNK: usize = 64;
    let mut sum = T::ZERO;
    let mut products = [T::ZERO; CHUNK];
    for ((a, b), c) in a.chunks(CHUNK).zip(b.chunks(CHUNK)).zip(c.chunks(CHUNK)) {
        for ((p, &a), &b) in products.iter_mut().zip(a).zip(b) {
            *p = a * b;
        }
        sum += dot(&products[..a.len()], c);
    }
    sum
}
