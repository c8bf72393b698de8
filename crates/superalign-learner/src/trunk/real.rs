//! The two precisions a trunk can be computed in, its nonlinearity, and loops for the widest vectors there are.

use crate::matrix::Element;
use crate::sigmoid;
use std::ops::{Add, AddAssign, Div, Mul, Sub, SubAssign};

/// A precision: single for training, double to check it.
pub(crate) trait Real:
    Element
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
    + SubAssign
    + PartialOrd
{
    fn of(x: f64) -> Self;
    fn to_f64(self) -> f64;
    fn sqrt(self) -> Self;
    /// 1 / (1 + exp(-x)).
    fn sigmoid(self) -> Self;
}

impl Real for f32 {
    #[inline(always)]
    fn of(x: f64) -> Self {
        x as f32
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }

    #[inline(always)]
    fn sigmoid(self) -> Self {
        let e = exp_of_minus_abs(self);
        (if self >= 0.0 { 1.0 } else { e }) / (1.0 + e)
    }
}

impl Real for f64 {
    #[inline(always)]
    fn of(x: f64) -> Self {
        x
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }

    #[inline(always)]
    fn sigmoid(self) -> Self {
        sigmoid::sigmoid(self)
    }
}

/// exp(-|x|) in single precision, from additions and multiplications in a fixed order; about 1e-38 beyond |x| = 87.
#[inline(always)]
fn exp_of_minus_abs(x: f32) -> f32 {
    // x = n ln 2 + r with |r| <= ln 2 / 2; the integer n sits in the low bits of `shifted`.
    const MAGIC: f32 = 12_582_912.0; // 1.5 * 2^23
    const LN2_HI: f32 = 0.693_359_4;
    const LN2_LO: f32 = -2.121_944_4e-4;
    let x = -x.abs();
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + MAGIC;
    let n = shifted - MAGIC;
    let r = (x - n * LN2_HI) - n * LN2_LO;
    let mut sum = 1.0 / 5040.0; // 1/7!
    for inverse_factorial in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = sum * r + inverse_factorial;
    }
    sum * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

/// GELU in its usual approximation, u / 2 (1 + tanh(sqrt(2 / pi) (u + 0.044715 u^3))), and its derivative.
#[inline(always)]
pub(crate) fn gelu<T: Real>(u: T) -> (T, T) {
    const TWICE_ROOT: f64 = 1.595_769_121_605_730_8; // 2 sqrt(2 / pi): (1 + tanh(a)) / 2 = sigmoid(2 a)
    const CUBIC: f64 = 0.044_715;
    let (k, c, one, bound) = (T::of(TWICE_ROOT), T::of(CUBIC), T::ONE, T::of(10.0));
    // Beyond 10 the gate is 1 or, to all purposes, 0; there the square could overflow.
    let open = if u < T::ZERO - bound { T::ZERO } else { T::ONE };
    let v = if u > bound { bound } else { open * u };
    let square = c * v * v;
    let gate = open * (k * v * (one + square)).sigmoid();
    let inner = k * (one + square + square + square);
    (u * gate, gate + v * gate * (one - gate) * inner)
}

/// Declares a function whose body runs with the widest vectors of this processor, chosen when it runs. What the body
/// calls must be `#[inline(always)]`. The bits of the result are the same for every width.
macro_rules! wide {
    ($(#[$meta:meta])* fn $name:ident<$a:lifetime, $T:ident>($($argument:ident: $type:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        pub(crate) fn $name<$a, $T: $crate::trunk::real::Real>($($argument: $type),*) {
            struct Loop<$a, $T> { $($argument: $type),* }
            impl<$a, $T: $crate::trunk::real::Real> pulp::NullaryFnOnce for Loop<$a, $T> {
                type Output = ();
                #[inline(always)]
                fn call(self) {
                    let Self { $($argument),* } = self;
                    $body
                }
            }
            pulp::Arch::new().dispatch(Loop { $($argument),* });
        }
    };
}

pub(crate) use wide;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_precision_agrees_with_double() {
        for i in -4000..=4000 {
            let x = f64::from(i) * 0.025 + 1e-3;
            let (single, double) = ((x as f32).sigmoid(), f64::from(x as f32).sigmoid());
            assert!((f64::from(single) - double).abs() <= 3e-7 * double + 1e-37, "sigmoid({x})");
            let ((a, da), (b, db)) = (gelu(x as f32), gelu(f64::from(x as f32)));
            assert!((f64::from(a) - b).abs() <= 1e-6 * b.abs() + 1e-6, "gelu({x}): {a} {b}");
            assert!((f64::from(da) - db).abs() <= 5e-6, "gelu'({x}): {da} {db}");
        }
    }

    #[test]
    fn gelu_is_that_of_its_formula_and_has_that_derivative() {
        for i in -300..=300 {
            let u = f64::from(i) * 0.03 + 1e-3;
            let formula =
                0.5 * u * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (u + 0.044_715 * u.powi(3))).tanh());
            let (value, slope) = gelu(u);
            assert!((value - formula).abs() < 1e-12, "gelu({u})");
            let h = 1e-5;
            let difference = (gelu(u + h).0 - gelu(u - h).0) / (2.0 * h);
            assert!((slope - difference).abs() < 1e-8, "gelu'({u}): {slope} {difference}");
        }
        for u in [1e20_f32, -1e20, f32::MAX] {
            let (value, slope) = gelu(u);
            assert!(value == u.max(0.0) && slope == f32::from(u8::from(u > 0.0)), "{value} {slope}");
        }
    }
}
