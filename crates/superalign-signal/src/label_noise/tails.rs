//! The upper tail of the chi-squared distribution.

/// P(X >= x) for X chi-squared with so many degrees of freedom, to about 1e-12.
pub(super) fn chi_squared_above(x: f64, degrees: usize) -> f64 {
    let (a, x) = (degrees as f64 / 2.0, x / 2.0);
    if degrees == 0 || x <= 0.0 {
        return 1.0;
    }
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        // Series of the lower tail.
        let (mut term, mut sum, mut at) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-16 {
            at += 1.0;
            term *= x / at;
            sum += term;
        }
        return (1.0 - front * sum).max(0.0);
    }
    // Continued fraction of the upper tail (Lentz).
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1e300, 1.0 / b);
    let mut value = d;
    for i in 1..10_000 {
        let i = f64::from(i);
        let factor = -i * (i - a);
        b += 2.0;
        d = 1.0 / (factor * d + b);
        c = b + factor / c;
        value *= c * d;
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    front * value
}

/// ln of the gamma function above 0: Stirling's series, shifted to where it is exact to rounding.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut shift) = (x, 0.0);
    while x < 15.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    shift + (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_tables() {
        // With 2 degrees the tail is exp(-x / 2); the others are the 5% and 1% points of tables.
        for x in [0.1, 1.0, 7.0, 60.0] {
            assert!((chi_squared_above(x, 2) / (-x / 2.0).exp() - 1.0).abs() < 1e-11);
        }
        for (x, degrees, expected) in [
            (3.841_458_820_694_124, 1, 0.05),
            (6.634_896_601_021_214, 1, 0.01),
            (11.070_497_693_516_351, 5, 0.05),
            (124.342_113_404_004, 100, 0.05),
        ] {
            assert!((chi_squared_above(x, degrees) - expected).abs() < 1e-10, "{x} {degrees}");
        }
        assert_eq!(chi_squared_above(0.0, 3), 1.0);
    }
}
