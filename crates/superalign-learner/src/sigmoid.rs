//! The logistic function over slices, vectorised, and the same to the bit on every processor.
//!
//! Only additions, multiplications, divisions and bit operations in a fixed order: no platform's `exp`.

/// exp(-|x|) to about one unit in the last place; 0 beyond |x| = 708.
#[inline(always)]
pub(crate) fn exp_of_minus_abs(x: f64) -> f64 {
    // x = n ln 2 + r with |r| <= ln 2 / 2; the integer n sits in the low bits of `shifted`.
    const MAGIC: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52
    const LN2_HI: f64 = 6.931_471_803_691_238e-1;
    const LN2_LO: f64 = 1.908_214_929_270_587_7e-10;
    let x = -x.abs();
    let clamped = if x < -708.0 { -708.0 } else { x };
    let shifted = clamped * std::f64::consts::LOG2_E + MAGIC;
    let n = shifted - MAGIC;
    let r = (clamped - n * LN2_HI) - n * LN2_LO;
    let mut sum = 1.0 / 6_227_020_800.0; // 1/13!
    for inverse_factorial in [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        sum = sum * r + inverse_factorial;
    }
    let power_of_two = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52));
    if x < -708.0 { 0.0 } else { sum * power_of_two }
}

/// 1 / (1 + exp(-z)).
#[inline(always)]
pub(crate) fn sigmoid(z: f64) -> f64 {
    let e = exp_of_minus_abs(z);
    let numerator = if z >= 0.0 { 1.0 } else { e };
    numerator / (1.0 + e)
}

/// ln(1 / (1 + exp(-z))), at most 0.
pub(crate) fn ln_sigmoid(z: f64) -> f64 {
    z.min(0.0) - exp_of_minus_abs(z).ln_1p()
}

/// The cross-entropy at logit z against the label y: ln(1 + exp(z)) - y z.
pub(crate) fn cross_entropy_of(z: f64, y: f64) -> f64 {
    z.max(0.0) - y * z + exp_of_minus_abs(z).ln_1p()
}

/// Turns changes of logits into changes of probabilities, in place, and returns their sum:
/// `change[i] = sigmoid(z[i] + shift + change[i]) - p[i]`, where `p` are the probabilities at `z`.
pub(crate) fn probability_changes(change: &mut [f32], z: &[f64], p: &[f64], shift: f64) -> f64 {
    pulp::Arch::new().dispatch(|| {
        let mut parts = [0.0; 8];
        let full = change.len() / 8 * 8;
        let tail = change.len() - full;
        let (change, change_tail) = change.split_at_mut(full);
        let ((z, z_tail), (p, p_tail)) = (z.split_at(full), p.split_at(full));
        for ((change, z), p) in change.chunks_exact_mut(8).zip(z.chunks_exact(8)).zip(p.chunks_exact(8)) {
            for i in 0..8 {
                let d = sigmoid(z[i] + shift + f64::from(change[i])) - p[i];
                parts[i] += d;
                change[i] = d as f32;
            }
        }
        for i in 0..tail {
            let d = sigmoid(z_tail[i] + shift + f64::from(change_tail[i])) - p_tail[i];
            parts[i] += d;
            change_tail[i] = d as f32;
        }
        parts.iter().sum()
    })
}

/// As [`probability_changes`], each change times the weight of its item.
pub(crate) fn weighted_changes(change: &mut [f32], z: &[f64], p: &[f64], w: &[f64], shift: f64) -> f64 {
    pulp::Arch::new().dispatch(|| {
        let mut parts = [0.0; 8];
        let mut add = |change: &mut [f32], z: &[f64], p: &[f64], w: &[f64]| {
            for (i, (((change, z), p), w)) in change.iter_mut().zip(z).zip(p).zip(w).enumerate() {
                let d = w * (sigmoid(z + shift + f64::from(*change)) - p);
                parts[i] += d;
                *change = d as f32;
            }
        };
        let chunks = change.chunks_mut(8).zip(z.chunks(8)).zip(p.chunks(8)).zip(w.chunks(8));
        chunks.for_each(|(((change, z), p), w)| add(change, z, p, w));
        parts.iter().sum()
    })
}

/// Fills `p` with the probabilities at the logits `z`.
pub(crate) fn probabilities(p: &mut [f64], z: &[f64]) {
    pulp::Arch::new().dispatch(|| {
        for (p, &z) in p.iter_mut().zip(z) {
            *p = sigmoid(z);
        }
    });
}

/// Sum over i of the cross-entropy at logit z against the label y: ln(1 + exp(z)) - y z.
pub(crate) fn cross_entropy(z: &[f64], y: &[f64]) -> f64 {
    pulp::Arch::new().dispatch(|| {
        let mut total = 0.0;
        // ln of a product of at most 512 factors in [1, 2] instead of 512 logarithms.
        for (z, y) in z.chunks(512).zip(y.chunks(512)) {
            let mut product = 1.0_f64;
            let mut linear = 0.0;
            for (&z, &y) in z.iter().zip(y) {
                product *= 1.0 + exp_of_minus_abs(z);
                linear += z.max(0.0) - y * z;
            }
            total += product.ln() + linear;
        }
        total
    })
}

/// As [`cross_entropy`], each term times the weight of its item.
pub(crate) fn weighted_cross_entropy(z: &[f64], y: &[f64], w: &[f64]) -> f64 {
    z.iter().zip(y).zip(w).map(|((&z, &y), w)| w * cross_entropy_of(z, y)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_standard_library() {
        for i in -14_400..=14_400 {
            let z = f64::from(i) * 0.05 + 1e-3;
            let expected = if z >= 0.0 { 1.0 / (1.0 + (-z).exp()) } else { z.exp() / (1.0 + z.exp()) };
            let found = sigmoid(z);
            assert!(
                (found - expected).abs() <= 4e-16 * expected + 1e-307,
                "sigmoid({z}): {found} vs {expected}"
            );
        }
        assert_eq!(sigmoid(0.0), 0.5);
        assert_eq!((sigmoid(1e300), sigmoid(-1e300)), (1.0, 0.0));
    }

    #[test]
    fn cross_entropy_is_the_sum_of_its_terms() {
        let z: Vec<f64> = (0..1500).map(|i| f64::from(i) * 0.02 - 15.0).collect();
        let y: Vec<f64> = (0..1500).map(|i| f64::from(i % 7) / 6.0).collect();
        let expected: f64 = z.iter().zip(&y).map(|(z, y)| z.exp().ln_1p() - y * z).sum();
        assert!((cross_entropy(&z, &y) - expected).abs() < 1e-9 * expected);
        assert_eq!(cross_entropy(&[-1e6, 1e6], &[0.0, 1.0]), 0.0);
    }

    #[test]
    fn changes_are_differences_of_probabilities() {
        let z: Vec<f64> = (0..19).map(|i| f64::from(i) * 0.3 - 2.0).collect();
        let p: Vec<f64> = z.iter().map(|&z| sigmoid(z)).collect();
        let mut change = vec![0.25_f32; 19];
        let sum = probability_changes(&mut change, &z, &p, 0.5);
        let expected: Vec<f64> = z.iter().zip(&p).map(|(&z, p)| sigmoid(z + 0.75) - p).collect();
        assert!((sum - expected.iter().sum::<f64>()).abs() < 1e-12);
        assert!(change.iter().zip(&expected).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-7));
    }

    #[test]
    fn weights_multiply() {
        let z: Vec<f64> = (0..19).map(|i| f64::from(i) * 0.3 - 2.0).collect();
        let p: Vec<f64> = z.iter().map(|&z| sigmoid(z)).collect();
        let w: Vec<f64> = (0..19).map(|i| f64::from(i % 3) * 0.5).collect();
        let mut change = vec![0.25_f32; 19];
        let sum = weighted_changes(&mut change, &z, &p, &w, 0.5);
        let expected: Vec<f64> =
            z.iter().zip(&p).zip(&w).map(|((&z, p), w)| w * (sigmoid(z + 0.75) - p)).collect();
        assert!((sum - expected.iter().sum::<f64>()).abs() < 1e-12);
        assert!(change.iter().zip(&expected).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-7));
        let (plain, weighted) = (cross_entropy(&z, &p), weighted_cross_entropy(&z, &p, &[1.0; 19]));
        assert!((plain - weighted).abs() < 1e-12);
        assert!((weighted_cross_entropy(&z, &p, &[0.5; 19]) - 0.5 * plain).abs() < 1e-12);
        for &z in &z {
            assert!((ln_sigmoid(z) - sigmoid(z).ln()).abs() < 1e-14);
            assert!((cross_entropy_of(z, 0.3) - cross_entropy(&[z], &[0.3])).abs() < 1e-14);
        }
        assert_eq!((ln_sigmoid(-1e4), ln_sigmoid(1e4)), (-1e4, 0.0));
    }
}
