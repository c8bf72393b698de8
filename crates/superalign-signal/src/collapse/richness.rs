//! How many modes there are, seen or not.

use super::unseen::{check_z, occurrences};
use crate::{Estimate, SignalError};
use std::borrow::Cow;

/// How Chao1 adds the unseen modes to the S that were seen, of which f1 once and f2 twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Chao1 {
    /// `S + f1 (f1 - 1) / (2 (f2 + 1))` (Chao 2005).
    #[default]
    BiasCorrected,
    /// `S + f1^2 / (2 f2)` (Chao 1984); where f1 or f2 is 0, as the other.
    Classic,
}

/// Chao1: a lower bound of the number of modes, from S up.
///
/// ```
/// use superalign_signal::collapse::{Chao1, chao1};
/// assert_eq!(chao1(&[9, 2, 1, 1, 1], Chao1::BiasCorrected)?, 6.5);
/// assert_eq!(chao1(&[9, 2, 1, 1, 1], Chao1::Classic)?, 9.5);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// No observation.
pub fn chao1(counts: &[u64], form: Chao1) -> Result<f64, SignalError> {
    let found = occurrences(counts);
    if found.observed == 0 {
        return Err(SignalError::undefined("Chao1", "there is not one observation"));
    }
    let (observed, once, twice) = (found.observed as f64, found.once as f64, found.twice as f64);
    Ok(observed
        + match form {
            Chao1::Classic if once > 0.0 && twice > 0.0 => once * once / (2.0 * twice),
            _ => once * (once - 1.0) / (2.0 * (twice + 1.0)),
        })
}

/// Chao1 with its analytic interval, log-normal in the number of unseen modes (Chao 1987; the variances are those of
/// Colwell's EstimateS guide, with the fourth power's factor 1/4 in the classic form).
///
/// With `T = chao1 - S` and `K = exp(z sqrt(ln(1 + var / T^2)))` it is `S + T / K` to `S + T K`. Without a mode seen
/// once, `P = exp(-n / S)` and it is `S / (1 - P) -+ z sqrt(S P / (1 - P))`, from S up. `z` is 1.96 for 95%.
///
/// ```
/// use superalign_signal::collapse::{Chao1, chao1_interval};
/// let found = chao1_interval(&[9, 2, 1, 1, 1], Chao1::BiasCorrected, 1.96)?;
/// assert!(5.0 < found.lo && found.lo < 6.5 && found.value == 6.5 && 6.5 < found.hi);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// No observation; a `z` that is negative or not finite.
pub fn chao1_interval(counts: &[u64], form: Chao1, z: f64) -> Result<Estimate, SignalError> {
    check_z(z)?;
    let value = chao1(counts, form)?;
    let found = occurrences(counts);
    let (n, s) = (found.total as f64, found.observed as f64);
    let (once, twice) = (found.once as f64, found.twice as f64);
    if once == 0.0 {
        let missed = (-n / s).exp();
        let centre = s / (1.0 - missed);
        let reach = z * (s * missed / (1.0 - missed)).sqrt();
        return Ok(Estimate { value, lo: (centre - reach).max(s), hi: centre + reach });
    }
    let unseen = value - s;
    if unseen == 0.0 {
        return Ok(Estimate { value, lo: s, hi: s });
    }
    let variance = if twice == 0.0 {
        let odd = 2.0 * once - 1.0;
        once * (once - 1.0) / 2.0 + once * odd * odd / 4.0 - once.powi(4) / (4.0 * value)
    } else {
        match form {
            Chao1::BiasCorrected => {
                let (odd, next) = (2.0 * once - 1.0, twice + 1.0);
                once * (once - 1.0) / (2.0 * next)
                    + once * odd * odd / (4.0 * next * next)
                    + once * once * twice * (once - 1.0) * (once - 1.0) / (4.0 * next.powi(4))
            }
            Chao1::Classic => {
                let ratio = once / twice;
                twice * (ratio.powi(2) / 2.0 + ratio.powi(3) + ratio.powi(4) / 4.0)
            }
        }
    };
    let spread = (z * (variance / (unseen * unseen)).ln_1p().sqrt()).exp();
    Ok(Estimate { value, lo: s + unseen / spread, hi: s + unseen * spread })
}

/// ACE, the abundance-based coverage estimator of the number of modes (Chao and Lee 1992).
///
/// Modes seen at most `rare` times (usually 10) tell of the unseen ones: with their number `s`, their observations `n`,
/// coverage `C = 1 - f1 / n` and `g = max(0, s/C sum i (i-1) f_i / (n (n-1)) - 1)` it is the number of the others plus
/// `s / C + f1 g / C`.
///
/// ```
/// use superalign_signal::collapse::ace;
/// assert_eq!(ace(&[50, 20, 30], 10)?, 3.0);
/// assert!(ace(&[50, 3, 2, 1, 1], 10)? > 5.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// No observation; a `rare` of 0; every rare mode seen once, so that their coverage is 0.
pub fn ace(counts: &[u64], rare: u64) -> Result<f64, SignalError> {
    let undefined = |reason: &'static str| Err(SignalError::undefined("ACE", reason));
    if rare == 0 {
        return Err(SignalError::setting("rare", 0.0, "at least 1"));
    }
    if counts.iter().all(|&count| count == 0) {
        return undefined("there is not one observation");
    }
    let abundant = counts.iter().filter(|&&count| count > rare).count() as f64;
    let few = || counts.iter().filter(|&&count| (1..=rare).contains(&count)).map(|&count| count as f64);
    let (kinds, n) = (few().count() as f64, few().sum::<f64>());
    if kinds == 0.0 {
        return Ok(abundant);
    }
    let once = few().filter(|&count| count == 1.0).count() as f64;
    if once == n {
        return undefined("every rare mode was seen once, so their coverage is 0");
    }
    let coverage = 1.0 - once / n;
    let pairs: f64 = few().map(|count| count * (count - 1.0)).sum();
    let variation = (kinds / coverage * pairs / (n * (n - 1.0)) - 1.0).max(0.0);
    Ok(abundant + kinds / coverage + once / coverage * variation)
}

/// Fisher's alpha: the solution of `S = alpha ln(1 + n / alpha)` (Fisher, Corbet and Williams 1943), above 0.
///
/// ```
/// use superalign_signal::collapse::fisher_alpha;
/// let alpha = fisher_alpha(&[40, 20, 10, 5, 3, 2, 1, 1])?;
/// assert!((alpha * (82.0 / alpha).ln_1p() - 8.0).abs() < 1e-9);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// No observation; every mode seen once, where alpha is infinite.
pub fn fisher_alpha(counts: &[u64]) -> Result<f64, SignalError> {
    let found = occurrences(counts);
    let undefined =
        |reason: &'static str| Err(SignalError::undefined("Fisher's alpha", Cow::Borrowed(reason)));
    if found.total == 0 {
        return undefined("there is not one observation");
    }
    if found.total == found.observed {
        return undefined("every mode was seen once, which makes it infinite");
    }
    let (n, s) = (found.total as f64, found.observed as f64);
    // Rises with alpha, from 0 to n: Newton on the logarithm, kept within a bracket.
    let excess = |log: f64| log.exp() * (n / log.exp()).ln_1p() - s;
    let (mut low, mut high) = (-800.0, 1.0);
    while excess(high) < 0.0 {
        high += 2.0;
    }
    let mut log = s.ln().clamp(low, high);
    for _ in 0..200 {
        let value = excess(log);
        if value > 0.0 {
            high = log;
        } else {
            low = log;
        }
        let alpha = log.exp();
        let slope = alpha * ((n / alpha).ln_1p() - n / (alpha + n));
        let newton = log - value / slope;
        let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
        if (next - log).abs() <= 1e-15 * log.abs().max(1.0) {
            break;
        }
        log = next;
    }
    Ok(log.exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_does_not_exist_says_why() {
        assert_eq!(
            chao1(&[0], Chao1::Classic).unwrap_err().to_string(),
            "Chao1 is undefined: there is not one observation"
        );
        assert_eq!(
            ace(&[1, 1, 80], 10).unwrap_err().to_string(),
            "ACE is undefined: every rare mode was seen once, so their coverage is 0"
        );
        assert_eq!(ace(&[], 10).unwrap_err().to_string(), "ACE is undefined: there is not one observation");
        assert_eq!(ace(&[1], 0).unwrap_err().to_string(), "rare = 0: expected at least 1");
        assert_eq!(
            fisher_alpha(&[1, 1]).unwrap_err().to_string(),
            "Fisher's alpha is undefined: every mode was seen once, which makes it infinite"
        );
    }

    proptest! {
        #[test]
        fn no_fewer_modes_than_were_seen(counts in prop::collection::vec(0_u64..20, 1..30), z in 0.0_f64..4.0) {
            let observed = counts.iter().filter(|&&count| count > 0).count() as f64;
            prop_assume!(observed > 0.0);
            for form in [Chao1::BiasCorrected, Chao1::Classic] {
                let found = chao1_interval(&counts, form, z).unwrap();
                prop_assert!(observed <= found.value && observed <= found.lo && found.lo <= found.hi);
                if counts.contains(&1) {
                    prop_assert!(found.lo <= found.value + 1e-9 && found.value <= found.hi + 1e-9);
                }
            }
            if let Ok(found) = ace(&counts, 10) {
                prop_assert!(found >= observed - 1e-9);
            }
            if let Ok(alpha) = fisher_alpha(&counts) {
                let n = counts.iter().sum::<u64>() as f64;
                prop_assert!((alpha * (n / alpha).ln_1p() - observed).abs() < 1e-8 * observed);
            }
        }
    }
}
