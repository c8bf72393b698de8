//! Intervals of a share of successes, from their number.

use super::check_open;
use crate::special::{beta_quantile, normal_quantile};
use crate::{Estimate, EvaluationError};

/// How the interval of a share k / n is made. With z the normal quantile of (1 + level) / 2 and p = k / n:
///
/// | interval | ends |
/// |---|---|
/// | `Wilson` | (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n) |
/// | `ClopperPearson` | the shares for which k or more, or k or fewer, have the probability (1 - level) / 2 |
///
/// Wilson's covers the true share with about the probability asked for, Clopper and Pearson's at least with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShareInterval {
    /// Wilson 1927, the inverted score test.
    #[default]
    Wilson,
    /// Clopper and Pearson 1934, the inverted exact test.
    ClopperPearson,
}

/// A share of successes with its interval, both in `0..=1`. The trials are independent: for items in groups see
/// [`mean`](super::mean).
///
/// As `proportion_confint` of statsmodels (methods `wilson` and `beta`).
///
/// # Errors
/// No trial; more successes than trials; a level outside (0, 1).
///
/// ```
/// use superalign_evaluation::paired::{ShareInterval, share};
/// let found = share(9, 10, ShareInterval::Wilson, 0.95)?;
/// assert_eq!(found.to_string(), "0.900 [0.596, 0.982]");
/// let exact = share(9, 10, ShareInterval::ClopperPearson, 0.95)?;
/// assert_eq!(exact.to_string(), "0.900 [0.555, 0.997]");
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn share(
    successes: u64,
    trials: u64,
    interval: ShareInterval,
    level: f64,
) -> Result<Estimate, EvaluationError> {
    check_open("level", level)?;
    if trials == 0 {
        return Err(EvaluationError::TooFew { what: "trials", found: 0, expected: 1 });
    }
    if successes > trials {
        let most = format!("at most the {trials} trials");
        return Err(EvaluationError::setting("successes", successes as f64, most));
    }
    let (k, n) = (successes as f64, trials as f64);
    let value = k / n;
    let (lo, hi) = match interval {
        ShareInterval::Wilson => {
            let z = -normal_quantile((1.0 - level) / 2.0);
            let rest = (n - k) / n;
            let half = z * (value * rest / n + z * z / (4.0 * n * n)).sqrt();
            let (centre, whole) = (value + z * z / (2.0 * n), 1.0 + z * z / n);
            ((centre - half) / whole, (centre + half) / whole)
        }
        ShareInterval::ClopperPearson => {
            let tail = (1.0 - level) / 2.0;
            let from = |k: f64| if k == 0.0 { 0.0 } else { beta_quantile(k, n - k + 1.0, tail) };
            (from(k), 1.0 - from(n - k))
        }
    };
    // The ends at 0 and 1 successes are exact; rounding must not move them past the value.
    let lo = if successes == 0 { 0.0 } else { lo.min(value) };
    let hi = if successes == trials { 1.0 } else { hi.max(value) };
    Ok(Estimate { value, lo, hi })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::special::beta_shares;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_share_is_refused() {
        let message = |k, n, level| share(k, n, ShareInterval::default(), level).unwrap_err().to_string();
        assert_eq!(message(0, 0, 0.95), "0 trials: expected at least 1");
        assert_eq!(message(4, 3, 0.95), "successes = 4: expected at most the 3 trials");
        for level in [0.0, 1.0, f64::NAN, -2.0] {
            assert_eq!(message(1, 3, level), format!("level = {level}: expected a number between 0 and 1"));
        }
    }

    proptest! {
        #[test]
        fn failures_mirror_successes_and_exact_ends_have_their_tails(
            trials in 1_u64..5000, part in 0.0..1.0, level in 0.5..0.999,
        ) {
            let successes = (part * trials as f64) as u64;
            for interval in [ShareInterval::Wilson, ShareInterval::ClopperPearson] {
                let found = share(successes, trials, interval, level).unwrap();
                let mirrored = share(trials - successes, trials, interval, level).unwrap();
                prop_assert!(0.0 <= found.lo && found.lo <= found.value);
                prop_assert!(found.value <= found.hi && found.hi <= 1.0);
                prop_assert!((found.lo - (1.0 - mirrored.hi)).abs() < 1e-12);
            }
            let found = share(successes, trials, ShareInterval::ClopperPearson, level).unwrap();
            let (k, n) = (successes as f64, trials as f64);
            if successes > 0 {
                let tail = beta_shares(k, n - k + 1.0, [found.lo, 1.0 - found.lo]).0;
                prop_assert!((tail - 0.5 * (1.0 - level)).abs() < 1e-11, "{tail}");
            }
        }
    }
}
