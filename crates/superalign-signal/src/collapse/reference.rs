//! Counts of modes against a reference distribution over the same modes.

use crate::label_diversity::{
    Base, Unbounded, jensen_shannon, jensen_shannon_distance, kl, narrow, normalised, total_variation,
};
use crate::{Bootstrap, Estimate, SignalError, resample};

/// How counts become shares of the k modes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Smoothing {
    /// `n_i / n`.
    #[default]
    None,
    /// `(n_i + a) / (n + a k)`, for this `a` above 0: 1 is Laplace's, 1/2 is Jeffreys' and Krichevsky-Trofimov's.
    Additive(f64),
}

/// A distance between the observed shares and the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distance {
    /// KL of the observed shares from the reference: large where what is observed is unusual.
    KlOfObserved {
        /// Base of the logarithm.
        base: Base,
        /// Where a mode is observed that the reference does not have.
        unbounded: Unbounded,
    },
    /// KL of the reference from the observed shares: large where modes are missing.
    KlOfReference {
        /// Base of the logarithm.
        base: Base,
        /// Where a mode of the reference is not observed.
        unbounded: Unbounded,
    },
    /// Jensen-Shannon divergence.
    JensenShannon(Base),
    /// Its square root.
    JensenShannonDistance(Base),
    /// Total variation distance.
    TotalVariation,
}

impl Distance {
    const fn name(self) -> &'static str {
        match self {
            Self::KlOfObserved { .. } | Self::KlOfReference { .. } => "KL divergence",
            Self::JensenShannon(_) => "Jensen-Shannon divergence",
            Self::JensenShannonDistance(_) => "Jensen-Shannon distance",
            Self::TotalVariation => "total variation distance",
        }
    }
}

/// How modes of the same share in the reference enter its tail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TailTies {
    /// Together or not at all, so that the order of the modes does not matter.
    #[default]
    Together,
    /// One by one, in the order of the modes.
    InOrder,
}

/// How much of a reference's support was reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SupportCoverage {
    /// Share of the reference's modes that occur.
    pub modes: f64,
    /// Share of the reference's mass on modes that occur.
    pub mass: f64,
    /// Share of the observations on modes that the reference does not have.
    pub outside: f64,
}

/// The tail of a reference, and what was observed there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TailMass {
    /// Number of modes in the tail.
    pub modes: usize,
    /// Their mass in the reference.
    pub reference: f64,
    /// Their share of the observations.
    pub observed: f64,
}

/// How much of the support of a reference was reached; all in `0..=1`. Both lists have one entry per mode.
///
/// ```
/// use superalign_signal::collapse::support_coverage;
/// let found = support_coverage(&[8, 0, 2, 0], &[0.5, 0.25, 0.25, 0.0])?;
/// assert_eq!((found.modes, found.mass, found.outside), (2.0 / 3.0, 0.75, 0.0));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// Lists of different lengths; no observation; a reference that is no distribution.
pub fn support_coverage(counts: &[u64], reference: &[f64]) -> Result<SupportCoverage, SignalError> {
    let reference = checked(counts, reference)?;
    let total = total(counts, "support coverage")?;
    let modes = || counts.iter().zip(&reference);
    let support = reference.iter().filter(|&&share| share > 0.0).count() as f64;
    let reached = || modes().filter(|(count, share)| **count > 0 && **share > 0.0);
    let outside: u64 = modes().filter(|(_, share)| **share == 0.0).map(|(count, _)| count).sum();
    Ok(SupportCoverage {
        modes: reached().count() as f64 / support,
        mass: reached().map(|(_, share)| share).sum::<f64>().min(1.0),
        outside: outside as f64 / total,
    })
}

/// The distance of the observed shares from a reference over the same k modes.
///
/// Formulas and ranges are those of [`kl`], [`jensen_shannon`] and [`total_variation`] in
/// [`label_diversity`](crate::label_diversity). With smoothing no mode is missing, and KL is finite.
///
/// ```
/// use superalign_signal::collapse::{Distance, Smoothing, distance_to_reference};
/// use superalign_signal::label_diversity::{Base, Unbounded};
/// let of_reference = Distance::KlOfReference { base: Base::Two, unbounded: Unbounded::Infinite };
/// assert_eq!(distance_to_reference(&[3, 0], &[0.5, 0.5], of_reference, Smoothing::None)?, f64::INFINITY);
/// assert!(distance_to_reference(&[3, 0], &[0.5, 0.5], of_reference, Smoothing::Additive(0.5))? < 1.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// Lists of different lengths; no observation; a reference that is no distribution; an amount of smoothing that is not
/// above 0; with [`Unbounded::Refuse`] a KL divergence that is infinite.
pub fn distance_to_reference(
    counts: &[u64],
    reference: &[f64],
    distance: Distance,
    smoothing: Smoothing,
) -> Result<f64, SignalError> {
    let reference = checked(counts, reference)?;
    between(&reference, distance, &shares(counts.iter().map(|&count| count as f64), smoothing, distance)?)
}

/// As [`distance_to_reference`], with the percentile interval over resampled observations. Its cost does not depend on
/// their number.
///
/// # Errors
/// As [`distance_to_reference`]; 2^32 observations or more; more than one resample in twenty without a value.
pub fn distance_to_reference_estimate(
    counts: &[u64],
    reference: &[f64],
    distance: Distance,
    smoothing: Smoothing,
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    let reference = checked(counts, reference)?;
    resample::estimate_of_counts(by, distance.name(), &narrow(counts)?, |counts| {
        between(
            &reference,
            distance,
            &shares(counts.iter().map(|&count| f64::from(count)), smoothing, distance)?,
        )
    })
}

/// What was observed of the reference's rarest modes: the least likely ones whose mass together is at most `fraction`.
///
/// A collapsing source loses its tail first: `observed` falls below `reference`. Modes that the reference does not have
/// are no part of its tail. Sums within 1e-12 of `fraction` count as equal to it.
///
/// ```
/// use superalign_signal::collapse::{TailTies, tail_mass};
/// let found = tail_mass(&[90, 9, 1, 0], &[0.7, 0.2, 0.06, 0.04], 0.1, TailTies::Together)?;
/// assert_eq!((found.modes, found.observed), (2, 0.01));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// Lists of different lengths; no observation; a reference that is no distribution; a fraction outside `0..=1`.
pub fn tail_mass(
    counts: &[u64],
    reference: &[f64],
    fraction: f64,
    ties: TailTies,
) -> Result<TailMass, SignalError> {
    let reference = checked(counts, reference)?;
    let total = total(counts, "tail mass")?;
    let tail = tail(&reference, fraction, ties)?;
    Ok(TailMass {
        modes: tail.len(),
        reference: tail.iter().map(|&mode| reference[mode]).sum(),
        observed: tail.iter().map(|&mode| counts[mode] as f64).sum::<f64>() / total,
    })
}

/// The observed share of [`tail_mass`], with the percentile interval over resampled observations.
///
/// # Errors
/// As [`tail_mass`]; 2^32 observations or more.
pub fn tail_mass_estimate(
    counts: &[u64],
    reference: &[f64],
    fraction: f64,
    ties: TailTies,
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    let reference = checked(counts, reference)?;
    total(counts, "tail mass")?;
    let tail = tail(&reference, fraction, ties)?;
    let counts = narrow(counts)?;
    let all: u32 = counts.iter().sum();
    let inside: u32 = tail.iter().map(|&mode| counts[mode]).sum();
    resample::estimate_of_counts(by, "tail mass", &[all - inside, inside], |counts| {
        Ok(f64::from(counts[1]) / f64::from(all))
    })
}

fn checked(counts: &[u64], reference: &[f64]) -> Result<Vec<f64>, SignalError> {
    if reference.len() != counts.len() {
        return Err(SignalError::Shape {
            what: "number of modes of the reference",
            found: reference.len(),
            expected: counts.len(),
        });
    }
    normalised(reference, 0)
}

fn total(counts: &[u64], statistic: &'static str) -> Result<f64, SignalError> {
    let total: f64 = counts.iter().map(|&count| count as f64).sum();
    if total > 0.0 {
        Ok(total)
    } else {
        Err(SignalError::undefined(statistic, "there is not one observation"))
    }
}

fn shares(
    counts: impl ExactSizeIterator<Item = f64> + Clone,
    smoothing: Smoothing,
    distance: Distance,
) -> Result<Vec<f64>, SignalError> {
    let total: f64 = counts.clone().sum();
    if total == 0.0 {
        return Err(SignalError::undefined(distance.name(), "there is not one observation"));
    }
    let more = match smoothing {
        Smoothing::None => 0.0,
        Smoothing::Additive(more) if more > 0.0 && more.is_finite() => more,
        Smoothing::Additive(other) => {
            return Err(SignalError::setting("additive smoothing", other, "a number above 0"));
        }
    };
    let scale = 1.0 / (total + more * counts.len() as f64);
    Ok(counts.map(|count| (count + more) * scale).collect())
}

fn between(reference: &[f64], distance: Distance, observed: &[f64]) -> Result<f64, SignalError> {
    match distance {
        Distance::KlOfObserved { base, unbounded } => kl(observed, reference, base, unbounded),
        Distance::KlOfReference { base, unbounded } => kl(reference, observed, base, unbounded),
        Distance::JensenShannon(base) => jensen_shannon(observed, reference, base),
        Distance::JensenShannonDistance(base) => jensen_shannon_distance(observed, reference, base),
        Distance::TotalVariation => total_variation(observed, reference),
    }
}

/// The modes of the tail, the least likely first.
fn tail(reference: &[f64], fraction: f64, ties: TailTies) -> Result<Vec<usize>, SignalError> {
    if !(0.0..=1.0).contains(&fraction) {
        return Err(SignalError::setting("fraction", fraction, "a share from 0 to 1"));
    }
    let mut modes: Vec<usize> = (0..reference.len()).filter(|&mode| reference[mode] > 0.0).collect();
    modes.sort_by(|&a, &b| reference[a].total_cmp(&reference[b]));
    let (mut kept, mut sum) = (0, 0.0);
    let alike = |a: &usize, b: &usize| match ties {
        TailTies::Together => reference[*a] == reference[*b],
        TailTies::InOrder => false,
    };
    for run in modes.chunk_by(alike) {
        run.iter().for_each(|&mode| sum += reference[mode]);
        if sum > fraction + 1e-12 {
            break;
        }
        kept += run.len();
    }
    modes.truncate(kept);
    Ok(modes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use superalign_core::Seed;

    const TV: Distance = Distance::TotalVariation;

    #[test]
    fn what_cannot_be_compared_says_why() {
        let message = |counts: &[u64], reference: &[f64], smoothing| {
            distance_to_reference(counts, reference, TV, smoothing).unwrap_err().to_string()
        };
        assert_eq!(
            message(&[1], &[0.5, 0.5], Smoothing::None),
            "number of modes of the reference: found 2, expected 1"
        );
        assert_eq!(
            message(&[0, 0], &[0.5, 0.5], Smoothing::None),
            "total variation distance is undefined: there is not one observation"
        );
        assert_eq!(
            message(&[1, 0], &[0.5, 0.5], Smoothing::Additive(0.0)),
            "additive smoothing = 0: expected a number above 0"
        );
        assert_eq!(
            message(&[1, 0], &[0.5, 0.6], Smoothing::None),
            "sum of distribution 0 is 1.1: expected 1, within 1e-6"
        );
        let found = tail_mass(&[1], &[1.0], 1.5, TailTies::Together).unwrap_err().to_string();
        assert_eq!(found, "fraction = 1.5: expected a share from 0 to 1");
        let lost = Distance::KlOfReference { base: Base::Natural, unbounded: Unbounded::Refuse };
        let found =
            distance_to_reference(&[1, 0], &[0.5, 0.5], lost, Smoothing::None).unwrap_err().to_string();
        assert_eq!(found, "KL divergence is undefined: class 1 has a share in p and none in q");
    }

    #[test]
    fn modes_alike_enter_the_tail_together_or_in_order() {
        let (counts, reference) = ([5, 1, 2, 3], [0.25; 4]);
        let of = |ties| tail_mass(&counts, &reference, 0.5, ties).unwrap();
        assert_eq!(of(TailTies::Together).modes, 0);
        assert_eq!((of(TailTies::InOrder).modes, of(TailTies::InOrder).observed), (2, 6.0 / 11.0));
        // Ten tenths of 0.1 are not quite 1 in floating point.
        assert_eq!(tail_mass(&[1; 10], &[0.1; 10], 0.3, TailTies::InOrder).unwrap().modes, 3);
    }

    #[test]
    fn intervals_surround_their_values() {
        let (counts, reference) = ([700, 250, 30, 20], [0.4, 0.3, 0.2, 0.1]);
        let by = Bootstrap::new(Seed::new(5));
        let distance = distance_to_reference_estimate(&counts, &reference, TV, Smoothing::None, &by).unwrap();
        assert!(
            distance.lo < distance.value && distance.value < distance.hi && distance.hi - distance.lo < 0.1
        );
        let tail = tail_mass_estimate(&counts, &reference, 0.3, TailTies::Together, &by).unwrap();
        // A binomial of 1,000 with share 0.05.
        assert!((tail.lo - 0.0365).abs() < 0.004 && (tail.hi - 0.0635).abs() < 0.004, "{tail}");
    }

    proptest! {
        #[test]
        fn the_order_of_modes_does_not_matter(counts in prop::collection::vec(0_u64..20, 2..9), by in 1_usize..8) {
            prop_assume!(counts.iter().any(|&count| count > 0));
            let sum: usize = (1..=counts.len()).map(|i| i / 2 + 1).sum();
            let reference: Vec<f64> = (1..=counts.len()).map(|i| (i / 2 + 1) as f64 / sum as f64).collect();
            let turned = |list: &[f64]| { let mut list = list.to_vec(); list.rotate_left(by % counts.len()); list };
            let mut moved = counts.clone();
            moved.rotate_left(by % counts.len());
            for distance in [TV, Distance::JensenShannon(Base::Two), Distance::JensenShannonDistance(Base::Natural)] {
                let before = distance_to_reference(&counts, &reference, distance, Smoothing::None).unwrap();
                let after = distance_to_reference(&moved, &turned(&reference), distance, Smoothing::None).unwrap();
                prop_assert!((before - after).abs() < 1e-12);
            }
            let before = tail_mass(&counts, &reference, 0.4, TailTies::Together).unwrap();
            let after = tail_mass(&moved, &turned(&reference), 0.4, TailTies::Together).unwrap();
            prop_assert!(before.modes == after.modes && (before.observed - after.observed).abs() < 1e-12);
            prop_assert!(before.reference <= 0.4 + 1e-9);
            let before = support_coverage(&counts, &reference).unwrap();
            prop_assert!(before.modes > 0.0 && before.mass > 0.0 && before.outside == 0.0);
        }
    }
}
