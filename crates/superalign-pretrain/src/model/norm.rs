//! RMSNorm: y = x * w / sqrt(mean(x^2) + eps), and its gradient.

use crate::model::NORM_EPSILON;
use crate::real::{dot, dot3};
use crate::wide::wide;

wide! {
    /// Normalises every row of `x` (rows, width) into `y`; keeps 1 / rms of each row.
    pub(super) fn forward<'a, T>(x: &'a [T], weight: &'a [T], y: &'a mut [T], inverse_rms: &'a mut [T]) {
        let width = weight.len();
        let (epsilon, over) = (T::of(NORM_EPSILON), T::of(1.0 / width as f64));
        for ((x, y), inverse) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)).zip(inverse_rms) {
            let r = T::ONE / (dot(x, x) * over + epsilon).sqrt();
            *inverse = r;
            for ((y, &x), &w) in y.iter_mut().zip(x).zip(weight) {
                *y = x * r * w;
            }
        }
    }
}

wide! {
    /// Adds the gradient with respect to x to `dx` and that with respect to w to `dw`.
    ///
    /// With r = 1 / rms: dx += r w dy - x r^3 / width * sum(dy w x); dw += dy x r.
    pub(super) fn backward<'a, T>(
        x: &'a [T],
        weight: &'a [T],
        inverse_rms: &'a [T],
        dy: &'a [T],
        dx: &'a mut [T],
        dw: &'a mut [T],
    ) {
        let width = weight.len();
        let over = T::of(1.0 / width as f64);
        let rows = x.chunks_exact(width).zip(dy.chunks_exact(width)).zip(dx.chunks_exact_mut(width));
        for (((x, dy), dx), &r) in rows.zip(inverse_rms) {
            for ((dw, &dy), &x) in dw.iter_mut().zip(dy).zip(x) {
                *dw += dy * x * r;
            }
            let c = dot3(dy, weight, x) * r * r * r * over;
            for (((dx, &dy), &w), &x) in dx.iter_mut().zip(dy).zip(weight).zip(x) {
                *dx += dy * w * r - x * c;
            }
        }
    }
}
