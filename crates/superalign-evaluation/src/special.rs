//! Distribution functions: normal, beta, binomial with probability one half, Student's t. No statistics.
//!
//! The beta integral is a continued fraction times a density. The density is written in deviances (Loader 2000), so
//! that it keeps full accuracy for millions of trials, where differences of large logarithms do not. What tail is the
//! small one is computed; the other is its complement. All functions take what their comments say; their callers check.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// Share of a standard normal variable below `x`.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// Where a standard normal variable has the share `p`, in (0, 1), below it.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    // A start within 5e-4 (Abramowitz and Stegun 26.2.23), then Halley's steps, of which each triples the digits.
    let t = (-2.0 * p.ln()).sqrt();
    let mut x = (2.515_517 + t * (0.802_853 + t * 0.010_328))
        / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)))
        - t;
    for _ in 0..3 {
        let step = (normal_cdf(x) - p) * TAU.sqrt() * (0.5 * x * x).exp();
        x -= step / (1.0 + 0.5 * x * step);
    }
    x
}

/// The two-sided p-value of a standard normal statistic.
pub(crate) fn normal_two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() * FRAC_1_SQRT_2)
}

/// The two-sided p-value of Student's t with `freedom` degrees of freedom.
pub(crate) fn student_two_sided(t: f64, freedom: f64) -> f64 {
    let square = t * t;
    if square > f64::MAX / 2.0 {
        return 0.0;
    }
    let whole = freedom + square;
    beta_shares(0.5, 0.5 * freedom, [square / whole, freedom / whole]).1
}

/// The t that Student's variable with `freedom` degrees of freedom stays below, in size, with probability `level`.
pub(crate) fn student_two_sided_quantile(level: f64, freedom: f64) -> f64 {
    let y = beta_quantile(0.5, 0.5 * freedom, level);
    (freedom * y / (1.0 - y)).sqrt()
}

/// P(X <= k) and P(X = k) of a binomial variable of `n` trials, n at least 1, with probability one half.
pub(crate) fn half_binomial(k: u64, n: u64) -> (f64, f64) {
    let (k, n) = (k as f64, n as f64);
    if k >= n {
        return (1.0, 0.5_f64.powf(n));
    }
    let at_most = beta_shares(n - k, k + 1.0, [0.5; 2]).0;
    let exactly = front(k + 1.0, n - k + 1.0, [0.5; 2]) * 4.0 / (n + 1.0);
    (at_most, exactly)
}

/// Shares of a beta variable below and above `x`; given are x and 1 - x, which sum to 1, and shapes above 0.
pub(crate) fn beta_shares(a: f64, b: f64, [x, rest]: [f64; 2]) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if rest <= 0.0 {
        return (1.0, 0.0);
    }
    if x * (a + b + 2.0) <= a + 1.0 {
        let below = (front(a, b, [x, rest]) / fraction(a, b, [x, rest])).min(1.0);
        (below, 1.0 - below)
    } else {
        let above = (front(b, a, [rest, x]) / fraction(b, a, [rest, x])).min(1.0);
        (1.0 - above, above)
    }
}

/// Where a beta variable has the share `p`, in (0, 1), below it.
pub(crate) fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    let mut x = a / (a + b);
    // Newton's method on logarithms, of which the share is a concave function; halving where it leaves the bracket.
    for _ in 0..200 {
        let (below, _) = beta_shares(a, b, [x, 1.0 - x]);
        if below < p {
            low = x;
        } else {
            high = x;
        }
        // d ln(share) / d ln(x)
        let slope = front(a, b, [x, 1.0 - x]) / ((1.0 - x) * below);
        let mut next = x * ((p / below).ln() / slope).exp();
        if !(low < next && next < high) {
            next = 0.5 * (low + high);
        }
        if (next - x).abs() <= 2.0 * f64::EPSILON * x || next == low || next == high {
            return next;
        }
        x = next;
    }
    x
}

/// x^a (1 - x)^b / B(a, b), for x and 1 - x in (0, 1).
fn front(a: f64, b: f64, [x, rest]: [f64; 2]) -> f64 {
    let n = a + b;
    let exponent =
        stirling_rest(n) - stirling_rest(a) - stirling_rest(b) - deviance(a, n * x) - deviance(b, n * rest);
    (a / TAU * (b / n)).sqrt() * exponent.exp()
}

/// x ln(x / m) + m - x, for positive numbers.
fn deviance(x: f64, m: f64) -> f64 {
    let apart = x - m;
    if apart.abs() >= 0.1 * (x + m) {
        return x * (x / m).ln() - apart;
    }
    let v = apart / (x + m);
    let mut sum = apart * v;
    let mut term = 2.0 * x * v;
    for odd in 1..1000 {
        term *= v * v;
        let next = sum + term / f64::from(2 * odd + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// ln gamma(x + 1) less Stirling's formula for it, for x > 0.
fn stirling_rest(x: f64) -> f64 {
    if x < 16.0 {
        return libm::lgamma(x + 1.0) - (x + 0.5) * x.ln() + x - 0.5 * TAU.ln();
    }
    let square = x * x;
    (1.0 / 12.0
        - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / square) / square) / square) / square)
        / x
}

/// The continued fraction that divides `front` in the share below x, for x up to (a + 1) / (a + b + 2).
///
/// That of DiDonato and Morris (1992, algorithm 708), by Lentz's method. It takes the distance from the mean as
/// a (1 - x) - b x, which is accurate where x is near 1 as well.
fn fraction(a: f64, b: f64, [x, rest]: [f64; 2]) -> f64 {
    const TINY: f64 = 1e-300;
    let kept = |value: f64| if value.abs() < TINY { TINY } else { value };
    let apart = a * rest - b * x;
    let mut value = kept(a * (apart + 1.0) / (a + 1.0));
    let (mut c, mut d) = (value, 0.0);
    // It takes about as many terms as the root of the larger shape.
    for m in 1..1_000_000 {
        let m = f64::from(m);
        let step = a + 2.0 * m - 1.0;
        let above = (a + m - 1.0) / step * ((a + b + m - 1.0) / step) * (m * (b - m) * x * x);
        let below = m + m * (b - m) * x / step + (a + m) * (apart + 1.0 + m * (1.0 + rest)) / (step + 2.0);
        d = 1.0 / kept(below + above * d);
        c = kept(below + above / c);
        let change = c * d;
        value *= change;
        if (change - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    //! Values of mpmath with 50 digits where they have 16 here, else of scipy 1.17 (Boost).
    use super::*;

    #[track_caller]
    fn near(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance * expected.abs(), "found {found}, expected {expected}");
    }

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (p, x) in [
            (0.975, 1.959_963_984_540_054),
            (0.5, 0.0),
            (0.1, -1.281_551_565_544_6),
            (0.9999, 3.719_016_485_455_7),
        ] {
            assert!((normal_quantile(p) - x).abs() < 1e-9, "{p}: {}", normal_quantile(p));
        }
    }

    #[test]
    fn normal() {
        for (x, expected) in [
            (-37.5, 4.605353009581955e-308),
            (-8.0, 6.220960574271784e-16),
            (-2.5, 0.006209665325776135),
            (-0.3, 0.3820885778110474),
            (0.0, 0.5),
            (1.2, 0.8849303297782917),
            (5.0, 0.9999997133484281),
        ] {
            // Far out, half a unit of rounding of the argument is many of the function.
            near(normal_cdf(x), expected, if x < -5.0 { 1e-12 } else { 2e-15 });
        }
        for (p, expected) in [
            (1e-300, -37.0470962993612),
            (1e-12, -7.034483825301132),
            (0.001, -3.0902323061678136),
            (0.025, -1.9599639845400543),
            (0.3, -0.5244005127080408),
            (0.8, 0.8416212335729144),
            (0.975, 1.9599639845400538),
            (0.999999, 4.753424308817087),
        ] {
            near(normal_quantile(p), expected, 2e-15);
        }
        assert!(normal_quantile(0.5).abs() < 1e-16);
        near(normal_two_sided(-2.5), 2.0 * 0.006209665325776135, 2e-15);
    }

    #[test]
    fn beta() {
        for (a, b, x, below, above) in [
            (0.5, 0.5, 0.1, 0.20483276469913345, 0.7951672353008665),
            (1.0, 1.0, 0.3, 0.3, 0.7),
            (3.0, 7.0, 0.25, 0.399322509765625, 0.600677490234375),
            (0.5, 40.0, 0.01, 0.6286139767460154, 0.3713860232539847),
            (20.5, 0.5, 0.9, 0.038839169805692624, 0.9611608301943074),
            (80.0, 120.0, 0.45, 0.924385140071952, 0.07561485992804799),
            (2.0, 300.0, 0.02, 0.98367246032434, 0.016327539675659978),
            (5000.0, 5000.0, 0.49, 0.022742032324574547, 0.9772579676754255),
            (1e6, 2e6, 0.3331, 0.19564360269015757, 0.8043563973098392),
            (12.0, 4e7, 1e-6, 0.9999999391591112, 6.084088886451327e-08),
        ] {
            let found = beta_shares(a, b, [x, 1.0 - x]);
            near(found.0, below, 2e-12);
            near(found.1, above, 2e-12);
        }
        for (a, b, p, expected) in [
            (3.0, 8.0, 0.025, 0.06673951117773447),
            (1.0, 50.0, 0.975, 0.07112173646419764),
            (0.5, 20.0, 0.95, 0.09265666990602676),
            (4000.0, 100.0, 0.001, 0.9675039957823682),
            (7e5, 3e5, 0.025, 0.6991014535050354),
        ] {
            near(beta_quantile(a, b, p), expected, 1e-13);
        }
    }

    #[test]
    fn student() {
        for (t, freedom, expected) in [
            (0.5, 1.0, 0.7048327646991335),
            (2.0, 3.0, 0.1393259685588432),
            (-4.0, 10.0, 0.0025183326247366924),
            (30.0, 5.0, 7.718648620496052e-07),
            (1.96, 1e6, 0.04999606758526985),
        ] {
            near(student_two_sided(t, freedom), expected, 1e-13);
        }
        assert_eq!(student_two_sided(1e200, 5.0), 0.0);
        for (level, freedom, expected) in [
            (0.95, 1.0, 12.706204736174694),
            (0.9, 2.0, 2.9199855803537242),
            (0.99, 7.0, 3.4994832973504924),
            (0.95, 1e6, 1.959966356814107),
            (0.5, 30.0, 0.6827556933212927),
        ] {
            near(student_two_sided_quantile(level, freedom), expected, 1e-13);
        }
    }

    #[test]
    fn half() {
        for (k, n, at_most, exactly) in [
            (0, 1, 0.5, 0.5),
            (3, 10, 0.171875, 0.1171875),
            (45, 100, 0.18410080866334813, 0.048474296626430755),
            (500, 1000, 0.5126125090891804, 0.0252250181783608),
            (4800, 9800, 0.022202074399923145, 0.0010471999052229458),
            (999_000, 2_000_000, 0.07875342366148888, 0.00020755379195066962),
        ] {
            let found = half_binomial(k, n);
            near(found.0, at_most, 2e-13);
            near(found.1, exactly, 2e-13);
        }
        assert_eq!(half_binomial(2, 2), (1.0, 0.25));
    }
}
