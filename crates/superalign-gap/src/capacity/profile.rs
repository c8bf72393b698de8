//! The interval of a learning curve's asymptote: all asymptotes that some curve makes plausible.

use super::power_law::{LARGEST_EXPONENT, SMALLEST_EXPONENT};
use std::f64::consts::SQRT_2;

const EXPONENTS: usize = 48;
const GRID: usize = 500;
const HALVINGS: usize = 40;

/// Least and greatest asymptote a in [0, 1] with `Q(a) <= min Q + z^2`, where
/// `Q(a) = min over scale and exponent of r' S^-1 r`, r the errors minus the curve, S their covariance (by rows, from
/// as many draws as `draws`), and z the two-sided normal quantile of the level.
///
/// The inverse of a covariance from draws is too large by (D - 1) / (D - K - 2), which is taken off (Hartlap et al.
/// 2007).
pub(super) fn interval(
    sizes: &[f64],
    errors: &[f64],
    covariance: &[f64],
    draws: usize,
    level: f64,
) -> (f64, f64) {
    let k = sizes.len();
    let shrink = (draws - k - 2) as f64 / (draws - 1) as f64;
    let factor = cholesky(covariance, k);
    // In whitened coordinates: L^-1 of errors, of ones, and of each curve's x.
    let white = |v: &[f64]| solve(&factor, v);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (e, one) = (white(errors), white(&vec![1.0; k]));
    let (ee, e1, oo) = (dot(&e, &e), dot(&e, &one), dot(&one, &one));
    let step = (LARGEST_EXPONENT / SMALLEST_EXPONENT).ln() / (EXPONENTS - 1) as f64;
    let curves: Vec<[f64; 3]> = (0..EXPONENTS)
        .map(|i| {
            let exponent = SMALLEST_EXPONENT * (step * i as f64).exp();
            let x: Vec<f64> = sizes.iter().map(|size| (size / sizes[0]).powf(-exponent)).collect();
            let x = white(&x);
            [dot(&x, &x), dot(&x, &e), dot(&x, &one)]
        })
        .collect();
    let q = |a: f64| {
        let rest = ee - 2.0 * a * e1 + a * a * oo;
        let best = |&[xx, xe, x1]: &[f64; 3]| {
            let b = xe - a * x1;
            let scale = (b / xx).clamp(0.0, 1.0 - a);
            rest - 2.0 * scale * b + scale * scale * xx
        };
        shrink * curves.iter().map(best).fold(f64::INFINITY, f64::min)
    };
    // The minimum, on a grid about which golden section is not needed: only its height counts, refined by halving.
    let mut centre = 0.0;
    for i in 1..=GRID {
        let a = i as f64 / GRID as f64;
        if q(a) < q(centre) {
            centre = a;
        }
    }
    let mut width = 1.0 / GRID as f64;
    for _ in 0..HALVINGS {
        width *= 0.5;
        for a in [centre - width, centre + width] {
            if (0.0..=1.0).contains(&a) && q(a) < q(centre) {
                centre = a;
            }
        }
    }
    let most = q(centre) + normal_quantile(level).powi(2);
    let inside = |a: f64| q(a) <= most;
    let end = |far: f64| {
        // From the far end inwards to the first plausible point, then halve the step before it.
        let at = |i: usize| far + (centre - far) * i as f64 / GRID as f64;
        let first = (0..GRID).find(|&i| inside(at(i))).unwrap_or(GRID);
        if first == 0 {
            return far;
        }
        let (mut out, mut within) = (at(first - 1), at(first));
        for _ in 0..HALVINGS {
            let middle = 0.5 * (out + within);
            if inside(middle) { within = middle } else { out = middle }
        }
        within
    };
    (end(0.0), end(1.0))
}

/// z with P(|normal| <= z) = level.
fn normal_quantile(level: f64) -> f64 {
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if libm::erf(middle / SQRT_2) < level { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The lower factor of a positive definite matrix, by rows.
fn cholesky(matrix: &[f64], k: usize) -> Vec<f64> {
    let mut factor = vec![0.0; k * k];
    for i in 0..k {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|m| factor[i * k + m] * factor[j * k + m]).sum();
            let rest = matrix[i * k + j] - sum;
            factor[i * k + j] =
                if i == j { rest.max(f64::MIN_POSITIVE).sqrt() } else { rest / factor[j * k + j] };
        }
    }
    factor
}

/// L^-1 v.
fn solve(factor: &[f64], v: &[f64]) -> Vec<f64> {
    let k = v.len();
    let mut found = vec![0.0; k];
    for i in 0..k {
        let sum: f64 = (0..i).map(|m| factor[i * k + m] * found[m]).sum();
        found[i] = (v[i] - sum) / factor[i * k + i];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (level, z) in [(0.95, 1.959963984540054), (0.9, 1.6448536269514722), (0.5, 0.6744897501960817)] {
            assert!((normal_quantile(level) - z).abs() < 1e-9);
        }
    }

    #[test]
    fn a_level_curve_has_the_interval_of_a_mean() {
        // Without a fall the asymptote is at most the mean; its upper end is that of the mean of five errors.
        let sizes = [1.0, 10.0, 100.0, 1000.0, 1e4];
        let variance = 1e-4;
        let covariance: Vec<f64> = (0..25).map(|i| if i % 6 == 0 { variance } else { 0.0 }).collect();
        let (_, hi) = interval(&sizes, &[0.3; 5], &covariance, 1_000_000, 0.95);
        assert!((hi - (0.3 + 1.96 * (variance / 5.0).sqrt())).abs() < 1e-3, "{hi}");
    }
}
