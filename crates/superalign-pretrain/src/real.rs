//! The number type of a model: `f32` for work, `f64` for checking gradients. And the loops they share.

use crate::wide::wide;
use std::fmt::{Debug, Display};
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

/// A floating-point type that the trainer can run in.
///
/// Training runs in `f32`; the same code instantiated at `f64` is what the finite-difference tests check.
/// No other type can be one: the matrix kernels know these two.
pub trait Real:
    sealed::Sealed
    + Copy
    + Default
    + Debug
    + Display
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;

    /// The nearest value to `x`.
    fn of(x: f64) -> Self;

    /// This value as `f64`, exactly.
    fn to_f64(self) -> f64;

    /// e to the power of this value.
    #[must_use]
    fn exp(self) -> Self;

    /// The square root.
    #[must_use]
    fn sqrt(self) -> Self;
}

mod sealed {
    /// Keeps [`Real`](super::Real) to the types of this module.
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline(always)]
    fn of(x: f64) -> Self {
        x as f32
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    /// Cephes-style: 2^k times a polynomial, without branches, so that loops over it become SIMD code.
    /// Relative error below 2e-7; results outside the normal range are clamped to its ends; NaN stays NaN.
    #[inline(always)]
    fn exp(self) -> Self {
        // 1.5 * 2^23: adding it leaves the nearest whole number in the low bits.
        const ROUND: f32 = 12_582_912.0;
        const LN2_HI: f32 = 0.693_359_4;
        const LN2_LO: f32 = -2.121_944_4e-4;
        let x = if self < -87.0 { -87.0 } else { self };
        let x = if x > 88.0 { 88.0 } else { x };
        let rounded = x * std::f32::consts::LOG2_E + ROUND;
        let k = rounded - ROUND;
        let r = x - k * LN2_HI - k * LN2_LO;
        let p = 1.987_569_1e-4;
        let p = p * r + 1.398_199_9e-3;
        let p = p * r + 8.333_452e-3;
        let p = p * r + 4.166_579_6e-2;
        let p = p * r + 1.666_666_5e-1;
        let p = p * r + 0.5;
        let p = p * (r * r) + r + 1.0;
        let power = rounded.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
        p * f32::from_bits(power)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline(always)]
    fn of(x: f64) -> Self {
        x
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }

    #[inline(always)]
    fn exp(self) -> Self {
        self.exp()
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }
}

/// Partial sums kept by [`dot`] and [`sum_of_squares`]: a fixed number, so that the order of additions, and
/// with it every bit of the result, is the same however wide the processor's vectors are.
const PARTIAL: usize = 16;

/// Sum of `a[i] * b[i]` over the shorter of the two.
#[inline(always)]
pub(crate) fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let mut partial = [T::ZERO; PARTIAL];
    let (head_a, tail_a) = a.as_chunks::<PARTIAL>();
    let (head_b, tail_b) = b.as_chunks::<PARTIAL>();
    for (x, y) in head_a.iter().zip(head_b) {
        for i in 0..PARTIAL {
            partial[i] += x[i] * y[i];
        }
    }
    for (i, (&x, &y)) in tail_a.iter().zip(tail_b).enumerate() {
        partial[i] += x * y;
    }
    fold(partial)
}

/// Sum of `a[i] * b[i] * c[i]` over the shortest of the three.
#[inline(always)]
pub(crate) fn dot3<T: Real>(a: &[T], b: &[T], c: &[T]) -> T {
    let n = a.len().min(b.len()).min(c.len());
    let (head_a, tail_a) = a[..n].as_chunks::<PARTIAL>();
    let (head_b, tail_b) = b[..n].as_chunks::<PARTIAL>();
    let (head_c, tail_c) = c[..n].as_chunks::<PARTIAL>();
    let mut partial = [T::ZERO; PARTIAL];
    for ((x, y), z) in head_a.iter().zip(head_b).zip(head_c) {
        for i in 0..PARTIAL {
            partial[i] += x[i] * y[i] * z[i];
        }
    }
    for (i, ((&x, &y), &z)) in tail_a.iter().zip(tail_b).zip(tail_c).enumerate() {
        partial[i] += x * y * z;
    }
    fold(partial)
}

/// Sum of `f(x)` over a slice whose elements are replaced by `f(x)`.
#[inline(always)]
pub(crate) fn replace_and_sum<T: Real>(row: &mut [T], f: impl Fn(T) -> T) -> T {
    let mut partial = [T::ZERO; PARTIAL];
    let (head, tail) = row.as_chunks_mut::<PARTIAL>();
    for x in head {
        for i in 0..PARTIAL {
            x[i] = f(x[i]);
            partial[i] += x[i];
        }
    }
    for (i, x) in tail.iter_mut().enumerate() {
        *x = f(*x);
        partial[i] += *x;
    }
    fold(partial)
}

wide! {
    /// Adds `terms` to `sums`, element by element.
    pub(crate) fn add<'a, T>(sums: &'a mut [T], terms: &'a [T]) {
        for (sum, &x) in sums.iter_mut().zip(terms) {
            *sum += x;
        }
    }
}

wide! {
    /// Sum of squares, in double precision over parts of 4,096.
    pub(crate) fn sum_of_squares<'a, T>(values: &'a [T]) -> f64 {
        values.chunks(4096).map(|part| dot(part, part).to_f64()).sum()
    }
}

/// The largest element; 0 of an empty slice.
#[inline(always)]
pub(crate) fn maximum<T: Real>(row: &[T]) -> T {
    let Some(&first) = row.first() else { return T::ZERO };
    let mut partial = [first; PARTIAL];
    let (head, tail) = row.as_chunks::<PARTIAL>();
    for x in head {
        for i in 0..PARTIAL {
            partial[i] = if x[i] > partial[i] { x[i] } else { partial[i] };
        }
    }
    for (i, &x) in tail.iter().enumerate() {
        partial[i] = if x > partial[i] { x } else { partial[i] };
    }
    partial.into_iter().fold(first, |a, b| if b > a { b } else { a })
}

#[inline(always)]
fn fold<T: Real>(mut partial: [T; PARTIAL]) -> T {
    let mut width = PARTIAL / 2;
    while width > 0 {
        for i in 0..width {
            partial[i] += partial[i + width];
        }
        width /= 2;
    }
    partial[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_agrees_with_the_standard_library() {
        let mut worst = 0.0_f64;
        for i in -870_000..=880_000 {
            let x = i as f32 * 1e-4;
            let want = f64::from(x).exp();
            worst = worst.max((Real::exp(x).to_f64() / want - 1.0).abs());
        }
        assert!(worst < 2e-7, "relative error {worst}");
        assert!(Real::exp(f32::NAN).is_nan());
        assert_eq!(Real::exp(0.0_f32), 1.0);
        assert!(Real::exp(f32::NEG_INFINITY) < 2e-38);
    }

    #[test]
    fn reductions_cover_their_tails() {
        for n in 0..70 {
            let a: Vec<f64> = (0..n).map(f64::from).collect();
            let want: f64 = a.iter().map(|x| x * x).sum();
            assert_eq!(dot(&a, &a), want);
            let mut b = a.clone();
            assert_eq!(replace_and_sum(&mut b, |x| 2.0 * x), a.iter().sum::<f64>() * 2.0);
            assert_eq!(maximum(&a), a.last().copied().unwrap_or(0.0));
        }
    }
}
