//! Intervals for metrics of texts that are distorted by texts drawn twice. No metric here.
//!
//! The plain bootstrap draws some texts twice, and a text drawn twice repeats every n-gram it has: distinct-n falls
//! and self-BLEU rises by far more than by chance. So texts are resampled, but the metric is not computed again: it
//! is replaced by its linear part, the influence of each text, which leaving out one text at a time gives exactly.
//! With value t of all n texts and value `t_i` without text i, the influence is `u_i = (n - 1) (mean(t_i) - t_i)`, and
//! a resample with `c_i` copies of text i has the value t + sum(`c_i` `u_i`) / n. Its spread is that of the jackknife
//! (Efron & Stein 1981: not too small, on average); for a mean over texts it is the plain bootstrap to the digit.
//!
//! These intervals are about other corpora of *as many* texts: the value itself depends on their number.

use crate::{Bootstrap, Estimate, SignalError, resample};
use rustc_hash::FxHashMap;

/// The value with its interval, from the values without each text in turn.
pub(super) fn estimate(
    by: &Bootstrap,
    name: &'static str,
    value: f64,
    without: impl ExactSizeIterator<Item = f64>,
) -> Result<Estimate, SignalError> {
    let n = without.len();
    if n < 2 {
        return Err(SignalError::TooFew { what: "texts to resample", found: n, expected: 2 });
    }
    let mut kinds = Vec::with_capacity(n);
    let mut values = Vec::new();
    let mut seen = FxHashMap::default();
    let mut sum = 0.0;
    for (text, without) in without.enumerate() {
        if !without.is_finite() {
            return Err(SignalError::undefined(name, format!("it does not exist without text {text}")));
        }
        kinds.push(*seen.entry(without.to_bits()).or_insert_with(|| {
            values.push(without);
            values.len() as u32 - 1
        }));
        sum += without;
    }
    let mean = sum / n as f64;
    let share = (n - 1) as f64 / n as f64;
    let influence: Vec<f64> = values.iter().map(|without| share * (mean - without)).collect();
    resample::estimate(by, name, &kinds, |counts| {
        Ok(value + counts.iter().zip(&influence).map(|(&count, u)| f64::from(count) * u).sum::<f64>())
    })
    // All texts once are the value itself but for rounding.
    .map(|found| Estimate { value, ..found })
}

/// The mean over pairs of texts with its interval, from the sum of each text's pairs, which count `each` values apiece.
pub(super) fn pairs(
    by: &Bootstrap,
    name: &'static str,
    sums: &[f64],
    each: f64,
) -> Result<Estimate, SignalError> {
    let n = sums.len() as f64;
    if sums.len() < 3 {
        return Err(SignalError::TooFew { what: "texts", found: sums.len(), expected: 3 });
    }
    let sum: f64 = sums.iter().sum();
    let without = sums.iter().map(|own| (sum - 2.0 * own) / (each * (n - 1.0) * (n - 2.0)));
    estimate(by, name, sum / (each * n * (n - 1.0)), without)
}

#[cfg(test)]
mod tests {
    use super::*;
    use superalign_core::Seed;

    #[test]
    fn for_a_mean_it_is_the_plain_bootstrap() {
        let values: Vec<f64> = (0..50).map(|i| f64::from(i * i % 17)).collect();
        let by = Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(5)) };
        let sum: f64 = values.iter().sum();
        let found = estimate(&by, "mean", sum / 50.0, values.iter().map(|x| (sum - x) / 49.0)).unwrap();
        let items: Vec<u32> = (0..50).collect();
        let plain = resample::estimate(&by, "mean", &items, |counts| {
            Ok(counts.iter().zip(&values).map(|(&c, x)| f64::from(c) * x).sum::<f64>() / 50.0)
        });
        let plain = plain.unwrap();
        assert!(
            (found.lo - plain.lo).abs() < 1e-12 && (found.hi - plain.hi).abs() < 1e-12,
            "{found} {plain}"
        );
    }

    #[test]
    fn a_value_that_hangs_on_one_text_has_no_interval() {
        let by = Bootstrap::new(Seed::new(5));
        let error = estimate(&by, "rate", 1.0, [1.0, f64::NAN].into_iter()).unwrap_err().to_string();
        assert_eq!(error, "rate is undefined: it does not exist without text 1");
        let error = estimate(&by, "rate", 1.0, [1.0].into_iter()).unwrap_err().to_string();
        assert_eq!(error, "1 texts to resample: expected at least 2");
    }
}
