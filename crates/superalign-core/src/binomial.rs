//! Exact draws from the binomial and the multinomial distribution, for resampling items by their counts.

use crate::{Rng, below};

/// How many items of each kind there are in a resample of all items: `counts` are those of the items themselves.
pub fn multinomial(rng: &mut Rng, counts: &[u32], drawn: &mut [u32]) {
    let mut left: u64 = counts.iter().map(|&count| u64::from(count)).sum();
    let mut items = left as u32;
    for (&count, drawn) in counts.iter().zip(drawn) {
        *drawn = if u64::from(count) == left {
            items
        } else {
            binomial(rng, u64::from(items), f64::from(count) / left as f64) as u32
        };
        items -= *drawn;
        left -= u64::from(count);
    }
}

/// Number of successes in `n` trials of probability `p`.
///
/// By inversion where the mean is below 10, else by transformed rejection (algorithm BTRS of Hoermann 1993, "The
/// generation of binomial random variates"), whose cost does not depend on `n`. Above 2^53 trials, numbers are rounded.
pub fn binomial(rng: &mut Rng, n: u64, p: f64) -> u64 {
    if n == 0 || p <= 0.0 {
        0
    } else if p > 0.5 {
        n - binomial(rng, n, 1.0 - p)
    } else if n as f64 * p < 10.0 {
        inversion(rng, n, p)
    } else {
        rejection(rng, n, p)
    }
}

/// A number in (0, 1), a multiple of 2^-53 plus half of that.
fn uniform(rng: &mut Rng) -> f64 {
    let (high, low) = (below(rng, 1 << 26), below(rng, 1 << 27));
    (((high as u64) << 27 | low as u64) as f64 + 0.5) / (1_u64 << 53) as f64
}

fn inversion(rng: &mut Rng, n: u64, p: f64) -> u64 {
    let odds = p / (1.0 - p);
    let mut probability = (n as f64 * (-p).ln_1p()).exp();
    let mut left = uniform(rng);
    let mut k = 0;
    while left > probability && k < n {
        left -= probability;
        probability *= odds * (n - k) as f64 / (k + 1) as f64;
        k += 1;
    }
    k
}

fn rejection(rng: &mut Rng, n: u64, p: f64) -> u64 {
    let n = n as f64;
    let deviation = (n * p * (1.0 - p)).sqrt();
    let b = 1.15 + 2.53 * deviation;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let centre = n * p + 0.5;
    let alpha = (2.83 + 5.1 / b) * deviation;
    let mode = ((n + 1.0) * p).floor();
    let log_odds = (p / (1.0 - p)).ln();
    loop {
        let u = uniform(rng) - 0.5;
        let v = uniform(rng);
        let edge = 0.5 - u.abs();
        let k = ((2.0 * a / edge + b) * u + centre).floor();
        if !(0.0..=n).contains(&k) {
            continue;
        }
        if edge >= 0.07 && v <= 0.92 - 4.2 / b {
            return k as u64;
        }
        // ln of the probability of k by that of the mode.
        let height = log_factorial(mode) + log_factorial(n - mode) - log_factorial(k) - log_factorial(n - k)
            + (k - mode) * log_odds;
        if (v * alpha / (a / (edge * edge) + b)).ln() <= height {
            return k as u64;
        }
    }
}

/// ln x!, by Stirling's series.
fn log_factorial(x: f64) -> f64 {
    if x < 10.0 {
        return (2..=x as u32).map(f64::from).product::<f64>().ln();
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    (x + 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    /// Pearson's chi-square of draws against the probabilities, by its degrees of freedom.
    fn misfit(n: u64, p: f64, draws: usize) -> f64 {
        let mut rng = Seed::new(7).named("binomial").nth(n).rng();
        let mut seen = vec![0.0; n as usize + 1];
        (0..draws).for_each(|_| seen[binomial(&mut rng, n, p) as usize] += 1.0);
        let (mut chi, mut cells, mut rest, mut rest_seen) = (0.0, -1.0, 0.0, 0.0);
        for (k, seen) in seen.iter().enumerate() {
            let (k, n) = (k as f64, n as f64);
            let log = log_factorial(n) - log_factorial(k) - log_factorial(n - k);
            let expected = draws as f64 * (log + k * p.ln() + (n - k) * (1.0 - p).ln()).exp();
            if expected < 20.0 {
                rest += expected;
                rest_seen += seen;
            } else {
                chi += (seen - expected) * (seen - expected) / expected;
                cells += 1.0;
            }
        }
        if rest > 5.0 {
            chi += (rest_seen - rest) * (rest_seen - rest) / rest;
            cells += 1.0;
        }
        chi / cells
    }

    #[test]
    fn draws_follow_the_distribution() {
        for (n, p) in [(5, 0.3), (40, 0.1), (30, 0.4), (200, 0.5), (200, 0.93), (3000, 0.01), (1000, 0.25)] {
            let found = misfit(n, p, 200_000);
            assert!(found < 2.2, "n {n}, p {p}: {found}");
        }
    }

    #[test]
    fn a_multinomial_has_all_items_and_only_the_kinds_that_there_are() {
        let mut rng = Seed::new(2).rng();
        let mut drawn = [0; 5];
        let mut sums = [0_u64; 5];
        for _ in 0..2000 {
            multinomial(&mut rng, &[0, 500, 20, 480, 0], &mut drawn);
            assert_eq!(drawn.iter().sum::<u32>(), 1000);
            sums.iter_mut().zip(drawn).for_each(|(sum, drawn)| *sum += u64::from(drawn));
        }
        assert_eq!((sums[0], sums[4]), (0, 0));
        for (sum, count) in sums.iter().zip([0.0, 500.0, 20.0, 480.0, 0.0]) {
            assert!((*sum as f64 / 2000.0 - count).abs() < 2.0, "{sums:?}");
        }
    }
}
