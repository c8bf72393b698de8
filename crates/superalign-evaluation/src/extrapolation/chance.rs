//! The normal and the binomial distribution: what the models need of them, and draws.

use superalign_core::{Rng, below};

/// Probabilities within a logarithm are kept this far from 0 and 1.
pub(super) const SMALL: f64 = 1e-9;

/// 1 / (1 + exp(-x)).
pub(super) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The inverse of [`logistic`], for p kept within [`SMALL`] of 0 and 1.
pub(super) fn logit(p: f64) -> f64 {
    let p = p.clamp(SMALL, 1.0 - SMALL);
    (p / (1.0 - p)).ln()
}

/// ln x!, for whole x: Stirling's series.
fn log_factorial(x: f64) -> f64 {
    if x < 16.0 {
        return (2..=x as u32).map(f64::from).product::<f64>().ln();
    }
    let square = x.recip() * x.recip();
    let series = (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0))) / x;
    (x + 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series
}

/// ln of the number of ways to choose `k` of `n`.
pub(super) fn log_choose(n: f64, k: f64) -> f64 {
    log_factorial(n) - log_factorial(k) - log_factorial(n - k)
}

/// ln of the probability of `k` of `n` at probability `p`, without the number of ways.
pub(super) fn log_kernel(k: f64, n: f64, p: f64) -> f64 {
    let p = p.clamp(SMALL, 1.0 - SMALL);
    k * p.ln() + (n - k) * (-p).ln_1p()
}

/// A number in (0, 1).
fn uniform(rng: &mut Rng) -> f64 {
    let (high, low) = (below(rng, 1 << 26), below(rng, 1 << 26));
    (high as f64 + (low as f64 + 0.5) / f64::from(1 << 26)) / f64::from(1 << 26)
}

/// A standard normal draw (Box and Muller 1958).
pub(super) fn normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * uniform(rng).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(rng)).cos()
}

/// A draw of the number of successes in `n` trials, a whole number, of probability `p`.
pub(super) fn binomial(rng: &mut Rng, n: f64, p: f64) -> f64 {
    superalign_core::binomial(rng, n as u64, p) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use superalign_core::Seed;

    #[test]
    fn ways_to_choose_are_exact_to_rounding() {
        for (n, k, ways) in [(5.0, 2.0, 10.0_f64), (40.0, 20.0, 137_846_528_820.0), (17.0, 1.0, 17.0)] {
            assert!((log_choose(n, k) - ways.ln()).abs() < 1e-11, "{n} {k}");
        }
    }

    #[test]
    fn draws_have_the_mean_and_variance_of_the_binomial() {
        for (n, p) in [(1.0, 0.3), (10.0, 0.9), (200.0, 0.01), (5000.0, 0.5), (1e12, 0.2)] {
            let mut rng = Seed::new(3).rng();
            let draws: Vec<f64> = (0..20_000).map(|_| binomial(&mut rng, n, p)).collect();
            let mean = draws.iter().sum::<f64>() / 20_000.0;
            let variance = draws.iter().map(|k| (k - mean).powi(2)).sum::<f64>() / 20_000.0;
            let expected: f64 = n * p * (1.0 - p);
            assert!((mean - n * p).abs() < 5.0 * (expected / 20_000.0).sqrt(), "{n} {p}: {mean}");
            assert!((variance / expected - 1.0).abs() < 0.06, "{n} {p}: {variance}");
        }
    }
}
