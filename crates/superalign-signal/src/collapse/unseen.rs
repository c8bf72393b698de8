//! How much of the whole a sample has not seen, from how many modes it saw once and twice.

use crate::{Estimate, SignalError};

/// What the estimates of the unseen rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrences {
    /// Number of observations, n.
    pub total: u64,
    /// Number of modes that occur, S.
    pub observed: u64,
    /// Number of modes that occur once, f1.
    pub once: u64,
    /// Number of modes that occur twice, f2.
    pub twice: u64,
}

/// How the mass of what was not seen is estimated from n observations, f1 modes seen once and f2 seen twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingMass {
    /// `f1 / n` (Good 1953).
    #[default]
    GoodTuring,
    /// `f1/n (n-1) f1 / ((n-1) f1 + 2 f2)`, and without a mode seen twice
    /// `f1/n (n-1) (f1-1) / ((n-1) (f1-1) + 2)` (Chao and Jost 2012).
    ChaoJost,
}

/// How many observations and modes there are, and how many modes were seen once and twice.
///
/// ```
/// use superalign_signal::collapse::occurrences;
/// let found = occurrences(&[5, 1, 0, 2, 1]);
/// assert_eq!((found.total, found.observed, found.once, found.twice), (9, 4, 2, 1));
/// ```
#[must_use]
pub fn occurrences(counts: &[u64]) -> Occurrences {
    let of = |wanted| counts.iter().filter(|&&count| count == wanted).count() as u64;
    Occurrences {
        total: counts.iter().fold(0, |sum, &count| sum.saturating_add(count)),
        observed: counts.len() as u64 - of(0),
        once: of(1),
        twice: of(2),
    }
}

/// The share of the whole that falls on modes the sample has not seen, in `0..=1`.
///
/// `counts` has one entry per mode; those of 0 change nothing.
///
/// ```
/// use superalign_signal::collapse::{MissingMass, missing_mass};
/// assert_eq!(missing_mass(&[6, 2, 1, 1], MissingMass::GoodTuring)?, 0.2);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// No observation.
pub fn missing_mass(counts: &[u64], by: MissingMass) -> Result<f64, SignalError> {
    let (n, once, twice) = tally(counts, "missing mass")?;
    Ok(match by {
        MissingMass::GoodTuring => once / n,
        MissingMass::ChaoJost if once == 0.0 => 0.0,
        MissingMass::ChaoJost => {
            let (seen, rest) = if twice > 0.0 { (once, 2.0 * twice) } else { (once - 1.0, 2.0) };
            once / n * (n - 1.0) * seen / ((n - 1.0) * seen + rest)
        }
    })
}

/// The share of the whole that falls on modes the sample has seen: 1 less the [`missing_mass`]. By Good-Turing this is
/// Good's coverage.
///
/// ```
/// use superalign_signal::collapse::{MissingMass, sample_coverage};
/// assert_eq!(sample_coverage(&[6, 2, 1, 1], MissingMass::GoodTuring)?, 0.8);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// As [`missing_mass`].
pub fn sample_coverage(counts: &[u64], by: MissingMass) -> Result<f64, SignalError> {
    Ok(1.0 - missing_mass(counts, by)?)
}

/// The Good-Turing missing mass with its normal interval `f1/n +- z sqrt((f1 (n - f1) + 2 n f2) / n^3)` (Esty 1983).
///
/// `z` is the number of standard errors, 1.96 for 95%. The interval is not cut at 0 and 1. There is no bootstrap of it:
/// a resample repeats modes that the sample saw once, and so sees too few of them.
///
/// ```
/// use superalign_signal::collapse::missing_mass_interval;
/// let found = missing_mass_interval(&[40, 30, 20, 5, 2, 1, 1, 1], 1.96)?;
/// assert_eq!(found.value, 0.03);
/// assert!(found.lo < 0.0 && found.hi < 0.08);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// No observation; a `z` that is negative or not finite.
pub fn missing_mass_interval(counts: &[u64], z: f64) -> Result<Estimate, SignalError> {
    check_z(z)?;
    let (n, once, twice) = tally(counts, "missing mass")?;
    let value = once / n;
    let reach = z * ((value * (1.0 - value) + 2.0 * twice / n) / n).sqrt();
    Ok(Estimate { value, lo: value - reach, hi: value + reach })
}

pub(super) fn check_z(z: f64) -> Result<(), SignalError> {
    if z.is_finite() && z >= 0.0 {
        Ok(())
    } else {
        Err(SignalError::setting("z", z, "a number of standard errors, 1.96 for 95%"))
    }
}

/// n, f1 and f2.
fn tally(counts: &[u64], statistic: &'static str) -> Result<(f64, f64, f64), SignalError> {
    let found = occurrences(counts);
    if found.total == 0 {
        return Err(SignalError::undefined(statistic, "there is not one observation"));
    }
    Ok((found.total as f64, found.once as f64, found.twice as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn without_observations_nothing_is_known() {
        let found = missing_mass(&[0, 0], MissingMass::ChaoJost).unwrap_err().to_string();
        assert_eq!(found, "missing mass is undefined: there is not one observation");
        let found = missing_mass_interval(&[1], f64::NAN).unwrap_err().to_string();
        assert_eq!(found, "z = NaN: expected a number of standard errors, 1.96 for 95%");
    }

    #[test]
    fn one_observation_has_seen_nothing_or_cannot_say() {
        assert_eq!(missing_mass(&[1], MissingMass::GoodTuring).unwrap(), 1.0);
        assert_eq!(missing_mass(&[1], MissingMass::ChaoJost).unwrap(), 0.0);
    }

    proptest! {
        #[test]
        fn a_share_and_its_complement(counts in prop::collection::vec(0_u64..6, 1..30)) {
            prop_assume!(counts.iter().any(|&count| count > 0));
            for by in [MissingMass::GoodTuring, MissingMass::ChaoJost] {
                let missing = missing_mass(&counts, by).unwrap();
                prop_assert!((0.0..=1.0).contains(&missing));
                prop_assert_eq!(sample_coverage(&counts, by).unwrap(), 1.0 - missing);
                let mut padded = counts.clone();
                padded.insert(0, 0);
                prop_assert_eq!(missing_mass(&padded, by).unwrap(), missing);
            }
            let by_chao = missing_mass(&counts, MissingMass::ChaoJost).unwrap();
            prop_assert!(by_chao <= missing_mass(&counts, MissingMass::GoodTuring).unwrap());
        }
    }
}
