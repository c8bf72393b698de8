//! Diversity of all sources at once, from how many were right on each item.

use super::outcomes::Outcomes;
use crate::label_diversity::narrow;
use crate::{Bootstrap, Estimate, SignalError, resample};

/// A measure of all L sources, of which `l_i` were right on item i of N; `p_j` is the share of items on which j failed.
///
/// | measure | formula | range |
/// |---|---|---|
/// | `KohaviWolpert` | `sum l_i (L - l_i) / (N L^2)` (Kohavi and Wolpert 1996) | `0..=1/4` |
/// | `Disagreement` | mean disagreement of all pairs: `2 L / (L - 1)` times that | `0..=1` |
/// | `InterraterKappa` | `1 - sum l_i (L - l_i) / (N L (L - 1) p (1 - p))`, p the mean accuracy (Fleiss 1981) | `..=1` |
/// | `Entropy` | `sum min(l_i, L - l_i) / (N (L - ceil(L / 2)))` (Cunningham and Carney 2000) | `0..=1` |
/// | `Difficulty` | variance over items of `l_i / L` (Hansen and Salamon 1990) | `0..=1/4` |
/// | `GeneralisedDiversity` | `1 - p(2) / p(1)`: the chance that one fails, by that two do (Partridge and Krzanowski 1997) | `0..=1` |
/// | `CoincidentFailure` | `sum_(j>0) p_j (L - j) / (L - 1) / (1 - p_0)`; 0 without a failure (same) | `0..=1` |
///
/// With `p(1) = sum p_j j / L` and `p(2) = sum p_j j (j - 1) / (L (L - 1))`. Low kappa and difficulty, and high values
/// of the others, are diversity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overall {
    /// Kohavi-Wolpert variance.
    KohaviWolpert,
    /// Mean disagreement of all pairs.
    Disagreement,
    /// Interrater kappa of right and wrong; undefined where all are always right, or always wrong.
    InterraterKappa,
    /// Entropy measure, without logarithms.
    Entropy,
    /// Measure of difficulty.
    Difficulty,
    /// Generalised diversity; undefined without a failure.
    GeneralisedDiversity,
    /// Coincident failure diversity.
    CoincidentFailure,
}

impl Overall {
    const fn name(self) -> &'static str {
        match self {
            Self::KohaviWolpert => "Kohavi-Wolpert variance",
            Self::Disagreement => "mean disagreement",
            Self::InterraterKappa => "interrater kappa",
            Self::Entropy => "entropy measure",
            Self::Difficulty => "measure of difficulty",
            Self::GeneralisedDiversity => "generalised diversity",
            Self::CoincidentFailure => "coincident failure diversity",
        }
    }

    /// From on how many items 0, 1, ..., L sources were right.
    fn of(self, numbers: impl ExactSizeIterator<Item = f64> + Clone) -> Result<f64, SignalError> {
        let sources = (numbers.len() - 1) as f64;
        let items: f64 = numbers.clone().sum();
        let undefined = |reason: &'static str| Err(SignalError::undefined(self.name(), reason));
        let mean = |of: &dyn Fn(f64) -> f64| {
            numbers.clone().enumerate().map(|(right, count)| count * of(right as f64)).sum::<f64>() / items
        };
        let split = || mean(&|right| right * (sources - right));
        let accuracy = || mean(&|right| right) / sources;
        let pairs = sources * (sources - 1.0);
        match self {
            Self::KohaviWolpert => Ok(split() / (sources * sources)),
            Self::Disagreement => Ok(2.0 * split() / pairs),
            Self::InterraterKappa => match accuracy() {
                0.0 => undefined("no source is ever right"),
                1.0 => undefined("no source is ever wrong"),
                p => Ok(1.0 - split() / (pairs * p * (1.0 - p))),
            },
            Self::Entropy => Ok(mean(&|right| right.min(sources - right)) / (sources / 2.0).floor()),
            Self::Difficulty => {
                let p = accuracy();
                Ok(mean(&|right| (right / sources - p) * (right / sources - p)))
            }
            Self::GeneralisedDiversity => {
                let one = mean(&|right| sources - right) / sources;
                if one == 0.0 {
                    return undefined("no source is ever wrong");
                }
                Ok(1.0 - mean(&|right| (sources - right) * (sources - right - 1.0)) / pairs / one)
            }
            Self::CoincidentFailure => {
                let failed = mean(&|right| if right < sources { 1.0 } else { 0.0 });
                if failed == 0.0 {
                    return Ok(0.0);
                }
                Ok(mean(&|right| if right < sources { right } else { 0.0 }) / (sources - 1.0) / failed)
            }
        }
    }
}

/// The measure of all sources.
///
/// ```
/// use superalign_signal::ensemble::{Outcomes, Overall, overall};
/// let right = ndarray::array![[true, false], [false, true]];
/// let outcomes = Outcomes::new(right.view())?;
/// assert_eq!(overall(&outcomes, Overall::KohaviWolpert)?, 0.25);
/// assert_eq!(overall(&outcomes, Overall::GeneralisedDiversity)?, 1.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// One source; what [`Overall`] says of its members.
pub fn overall(outcomes: &Outcomes, measure: Overall) -> Result<f64, SignalError> {
    check(outcomes)?;
    measure.of(outcomes.numbers_right().iter().map(|&count| count as f64))
}

/// As [`overall`], with its percentile interval over resampled items. After the items are counted its cost does not
/// depend on their number.
///
/// # Errors
/// As [`overall`]; 2^32 items or more; more than one resample in twenty without a value.
pub fn overall_estimate(
    outcomes: &Outcomes,
    measure: Overall,
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    check(outcomes)?;
    resample::estimate_of_counts(by, measure.name(), &narrow(&outcomes.numbers_right())?, |numbers| {
        measure.of(numbers.iter().map(|&count| f64::from(count)))
    })
}

fn check(outcomes: &Outcomes) -> Result<(), SignalError> {
    match outcomes.sources() {
        found @ 0..2 => Err(SignalError::TooFew { what: "sources", found, expected: 2 }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Pairwise, pairwise};
    use super::*;
    use ndarray::Array2;
    use proptest::prelude::*;
    use superalign_core::Seed;

    #[test]
    fn what_does_not_exist_says_why() {
        let of = |right| Outcomes::new(Array2::from_elem((4, 3), right).view()).unwrap();
        let message = |right, measure| overall(&of(right), measure).unwrap_err().to_string();
        assert_eq!(
            message(true, Overall::InterraterKappa),
            "interrater kappa is undefined: no source is ever wrong"
        );
        assert_eq!(
            message(false, Overall::InterraterKappa),
            "interrater kappa is undefined: no source is ever right"
        );
        assert_eq!(
            message(true, Overall::GeneralisedDiversity),
            "generalised diversity is undefined: no source is ever wrong"
        );
        assert_eq!(overall(&of(true), Overall::CoincidentFailure), Ok(0.0));
        let one = Outcomes::new(Array2::from_elem((4, 1), true).view()).unwrap();
        assert_eq!(
            overall(&one, Overall::Entropy).unwrap_err().to_string(),
            "1 sources: expected at least 2"
        );
    }

    #[test]
    fn coincident_failures_by_hand() {
        // Of four items, none, one, two and all three sources fail: (0 + 2/2 + 1/2 + 0) / 4 / (3/4).
        let right = Array2::from_shape_fn((4, 3), |(item, source)| source >= item);
        let outcomes = Outcomes::new(right.view()).unwrap();
        assert!((overall(&outcomes, Overall::CoincidentFailure).unwrap() - 0.5).abs() < 1e-12);
        // One of three: the smaller group is 0, 1, 1, 0, by at most 1.
        assert_eq!(overall(&outcomes, Overall::Entropy), Ok(0.5));
        assert!((overall(&outcomes, Overall::Difficulty).unwrap() - 5.0 / 36.0).abs() < 1e-12);
        let found = overall_estimate(&outcomes, Overall::Entropy, &Bootstrap::new(Seed::new(1))).unwrap();
        assert_eq!((found.lo, found.value, found.hi), (0.0, 0.5, 1.0));
    }

    proptest! {
        #[test]
        fn identities(sources in 2_usize..7, bits in prop::collection::vec(any::<bool>(), 8..300)) {
            let items = bits.len() / sources;
            prop_assume!(items > 0);
            let right = Array2::from_shape_fn((items, sources), |(i, s)| bits[i * sources + s]);
            let outcomes = Outcomes::new(right.view()).unwrap();
            let pairs = pairwise(&outcomes, Pairwise::Disagreement).unwrap();
            let mean = pairs.iter().map(|pair| pair.value.clone().unwrap()).sum::<f64>() / pairs.len() as f64;
            let disagreement = overall(&outcomes, Overall::Disagreement).unwrap();
            let variance = overall(&outcomes, Overall::KohaviWolpert).unwrap();
            let l = sources as f64;
            prop_assert!((disagreement - mean).abs() < 1e-12);
            prop_assert!((variance - (l - 1.0) / (2.0 * l) * mean).abs() < 1e-12);
            // The variance of right and wrong is that within items and that between them.
            let p = right.iter().filter(|&&right| right).count() as f64 / (l * items as f64);
            let difficulty = overall(&outcomes, Overall::Difficulty).unwrap();
            prop_assert!((difficulty + variance - p * (1.0 - p)).abs() < 1e-12);
            // Sources in another order are the same ensemble.
            let turned = Array2::from_shape_fn((items, sources), |(i, s)| right[[i, sources - 1 - s]]);
            let turned = Outcomes::new(turned.view()).unwrap();
            for measure in [Overall::Entropy, Overall::CoincidentFailure, Overall::InterraterKappa] {
                prop_assert_eq!(overall(&turned, measure), overall(&outcomes, measure));
                if let Ok(found) = overall(&outcomes, measure) {
                    prop_assert!(found <= 1.0 + 1e-12);
                }
            }
        }
    }
}
