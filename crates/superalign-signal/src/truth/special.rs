//! The gamma function's logarithm and that logarithm's derivative, for positive numbers.

/// From here on the asymptotic series are exact to double precision.
const FAR: f64 = 12.0;

/// Logarithm of the gamma function, for x > 0.
pub(super) fn ln_gamma(mut x: f64) -> f64 {
    // gamma(x) = gamma(x + n) / (x (x + 1) ... (x + n - 1))
    let mut product = 1.0;
    while x < FAR {
        product *= x;
        x += 1.0;
    }
    let square = x * x;
    let series = (1.0 / 12.0
        - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / square) / square) / square) / square)
        / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - product.ln()
}

/// Derivative of [`ln_gamma`], for x > 0.
pub(super) fn digamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < FAR {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let square = x * x;
    let series = (1.0 / 12.0
        - (1.0 / 120.0 - (1.0 / 252.0 - (1.0 / 240.0 - (1.0 / 132.0) / square) / square) / square) / square)
        / square;
    sum + x.ln() - 0.5 / x - series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        const EULER: f64 = 0.577_215_664_901_532_9;
        let half = 0.5 * std::f64::consts::PI.ln();
        for (x, expected) in [(1.0, 0.0), (0.5, half), (5.0, 24_f64.ln()), (21.0, 42.335_616_460_753_485)] {
            assert!((ln_gamma(x) - expected).abs() < 1e-13, "{x}: {}", ln_gamma(x));
        }
        let half = -EULER - 2.0 * std::f64::consts::LN_2;
        for (x, expected) in
            [(1.0, -EULER), (0.5, half), (3.0, 1.5 - EULER), (1e-3, -1_000.575_571_931_830_2)]
        {
            assert!((digamma(x) - expected).abs() < 1e-13 * expected.abs().max(1.0), "{x}: {}", digamma(x));
        }
    }
}
