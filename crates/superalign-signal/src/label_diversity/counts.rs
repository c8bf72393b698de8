//! Diversity of counts and of hard labels.

use super::{Measure, of_counts};
use crate::{Bootstrap, Estimate, SignalError, resample};

/// The measure of labels counted by class: `counts` has one entry for each of the k classes, 0 for one that does not
/// occur. The formulas and ranges are those of [`Measure`].
///
/// ```
/// use superalign_signal::label_diversity::{Measure, Simpson, diversity};
/// let counts = [5, 3, 2];
/// assert!((diversity(&counts, Measure::Simpson(Simpson::Complement))? - 0.62).abs() < 1e-12);
/// let refused = diversity(&[0, 0], Measure::ENTROPY).unwrap_err();
/// assert_eq!(refused.to_string(), "entropy is undefined: there is not one label");
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// No label at all; an order below 0; what [`Measure`] says of its members.
pub fn diversity(counts: &[u64], measure: Measure) -> Result<f64, SignalError> {
    of_counts(counts.iter().map(|&count| count as f64), measure)
}

/// As [`diversity`], with the percentile interval over resampled labels. Its cost does not depend on their number.
///
/// A sample has no labels that it missed, so plug-in measures lie low in small samples, and their resamples lower
/// still: the interval says how the measure scatters, not how far it is off.
///
/// ```
/// use superalign_core::{Bootstrap, Seed};
/// use superalign_signal::label_diversity::{Measure, diversity_estimate};
/// let found = diversity_estimate(&[500, 300, 200], Measure::Hill(2.0), &Bootstrap::new(Seed::new(1)))?;
/// assert!(found.lo < found.value && found.value < found.hi && found.hi - found.lo < 0.3);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// As [`diversity`]; 2^32 labels or more; more than one resample in twenty without a value.
pub fn diversity_estimate(counts: &[u64], measure: Measure, by: &Bootstrap) -> Result<Estimate, SignalError> {
    let counts = narrow(counts)?;
    resample::estimate_of_counts(by, measure.name(), &counts, |counts| {
        of_counts(counts.iter().map(|&count| f64::from(count)), measure)
    })
}

/// How often each of the classes occurs: the way from hard labels to [`diversity_estimate`].
///
/// ```
/// use superalign_signal::label_diversity::label_counts;
/// assert_eq!(label_counts(&[2, 0, 2], 4)?, [1, 0, 2, 0]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// A label that is not below `classes`.
pub fn label_counts(labels: &[u32], classes: usize) -> Result<Vec<u64>, SignalError> {
    // Four rows of counters, so that a run of one label does not wait for its own counter.
    let mut rows = vec![0_u64; 4 * classes];
    for (index, &label) in labels.iter().enumerate() {
        if label as usize >= classes {
            let expected = "a class, which are counted from 0";
            return Err(SignalError::Value { what: "label", index, found: f64::from(label), expected });
        }
        rows[(index & 3) * classes + label as usize] += 1;
    }
    Ok((0..classes).map(|class| (0..4).map(|row| rows[row * classes + class]).sum()).collect())
}

/// The measure of hard labels, classes `0..classes`, one per item: as [`diversity`] of their [`label_counts`].
///
/// ```
/// use superalign_signal::label_diversity::{Evenness, Measure, diversity_of_labels};
/// let even = diversity_of_labels(&[0, 1, 1, 0], 4, Measure::Evenness(Evenness::Classes))?;
/// assert_eq!(even, 0.5);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// As [`diversity`]; a label that is not below `classes`.
pub fn diversity_of_labels(labels: &[u32], classes: usize, measure: Measure) -> Result<f64, SignalError> {
    diversity(&label_counts(labels, classes)?, measure)
}

/// The counts in the words of the resampling.
pub(crate) fn narrow(counts: &[u64]) -> Result<Vec<u32>, SignalError> {
    let total = counts.iter().try_fold(0_u64, |sum, &count| sum.checked_add(count));
    match total.and_then(|total| u32::try_from(total).ok()) {
        Some(_) => Ok(counts.iter().map(|&count| count as u32).collect()),
        None => Err(SignalError::setting(
            "number of items",
            counts.iter().map(|&count| count as f64).sum(),
            "below 2^32 for an interval",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Base, Estimator, Evenness, Lorenz, Simpson};
    use super::*;
    use proptest::prelude::*;

    fn message(counts: &[u64], measure: Measure) -> String {
        diversity(counts, measure).unwrap_err().to_string()
    }

    #[test]
    fn what_does_not_exist_says_why() {
        assert_eq!(message(&[], Measure::Hill(2.0)), "Hill number is undefined: there is not one label");
        assert_eq!(message(&[3], Measure::Hill(-1.0)), "order = -1: expected a number from 0, or infinity");
        assert_eq!(
            message(&[3], Measure::Tsallis(f64::NAN)),
            "order = NaN: expected a number from 0, or infinity"
        );
        assert_eq!(
            message(&[3, 0], Measure::ImbalanceRatio),
            "imbalance ratio is undefined: a class without a label makes it infinite"
        );
        assert_eq!(
            message(&[3], Measure::Evenness(Evenness::Classes)),
            "evenness is undefined: one class is neither even nor uneven"
        );
        assert_eq!(
            message(&[1, 1], Measure::Simpson(Simpson::UnbiasedInverse)),
            "Simpson's index is undefined: every label occurs once, so no two are the same"
        );
        assert_eq!(
            message(&[1, 0], Measure::Simpson(Simpson::UnbiasedComplement)),
            "Simpson's index is undefined: one label has no second one to differ from"
        );
        assert_eq!(
            label_counts(&[0, 7], 3).unwrap_err().to_string(),
            "label 1 is 7: expected a class, which are counted from 0"
        );
        assert_eq!(
            narrow(&[1 << 32, 3]).unwrap_err().to_string(),
            "number of items = 4294967299: expected below 2^32 for an interval"
        );
    }

    #[test]
    fn estimators_that_correct_for_the_sample() {
        // 10 labels, two of them seen once: coverage 0.8.
        let counts = [6, 2, 1, 1];
        let entropy =
            |estimator| diversity(&counts, Measure::Entropy { estimator, base: Base::Natural }).unwrap();
        let plain = -(0.6 * 0.6_f64.ln() + 0.2 * 0.2_f64.ln() + 0.2 * 0.1_f64.ln());
        assert!((entropy(Estimator::PlugIn) - plain).abs() < 1e-12);
        assert!((entropy(Estimator::MillerMadow) - plain - 3.0 / 20.0).abs() < 1e-12);
        let term = |share: f64| -share * share.ln() / (1.0 - (1.0 - share).powi(10));
        let expected = term(0.48) + term(0.16) + 2.0 * term(0.08);
        assert!((entropy(Estimator::ChaoShen) - expected).abs() < 1e-12);
        // Where all labels occur once, the coverage is 1 / n.
        let once = Measure::Entropy { estimator: Estimator::ChaoShen, base: Base::Natural };
        let expected = 5.0 * -0.04 * 0.04_f64.ln() / (1.0 - 0.96_f64.powi(5));
        assert!((diversity(&[1; 5], once).unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn the_interval_of_an_effective_number_covers_that_of_the_population() {
        // Shares 0.5, 0.3, 0.2: 1 / 0.38 = 2.63.
        let mut covered = 0;
        for seed in 0..100 {
            let mut rng = superalign_core::Seed::new(seed).rng();
            let mut counts = [0; 3];
            superalign_core::multinomial(&mut rng, &[500, 300, 200], &mut counts);
            let counts = counts.map(u64::from);
            let by = Bootstrap { draws: 300, ..Bootstrap::new(superalign_core::Seed::new(seed)) };
            let found = diversity_estimate(&counts, Measure::Hill(2.0), &by).unwrap();
            covered += u32::from(found.covers(1.0 / 0.38));
        }
        assert!((88..=100).contains(&covered), "{covered}");
    }

    fn measures() -> Vec<Measure> {
        let mut all = vec![
            Measure::BergerParker,
            Measure::ENTROPY,
            Measure::Gini(Lorenz::Trapezoids),
            Measure::Gini(Lorenz::Rectangles),
            Measure::Entropy { estimator: Estimator::MillerMadow, base: Base::Two },
            Measure::Entropy { estimator: Estimator::ChaoShen, base: Base::Ten },
            Measure::Simpson(Simpson::UnbiasedDominance),
        ];
        all.extend(
            [Evenness::Pielou, Evenness::Simpson, Evenness::Heip, Evenness::Classes].map(Measure::Evenness),
        );
        for order in [0.0, 0.3, 1.0, 1.0 + 1e-9, 1.7, 2.0, 9.0, 1e4, f64::INFINITY] {
            all.extend([Measure::Hill(order), Measure::Tsallis(order)]);
        }
        all
    }

    proptest! {
        #[test]
        fn renaming_classes_changes_nothing(mut counts in prop::collection::vec(0_u64..200, 2..9), shift in 0_usize..9) {
            prop_assume!(counts.iter().sum::<u64>() > 1);
            let before: Vec<_> = measures().into_iter().map(|measure| diversity(&counts, measure).unwrap()).collect();
            let places = shift % counts.len();
            counts.rotate_left(places);
            for (measure, before) in measures().into_iter().zip(before) {
                let after = diversity(&counts, measure).unwrap();
                prop_assert!((after - before).abs() <= 1e-10 * before.abs().max(1.0), "{measure:?}: {before} {after}");
            }
        }

        #[test]
        fn hill_numbers_fall_with_their_order_and_count_labels(counts in prop::collection::vec(0_u64..50, 1..9)) {
            prop_assume!(counts.iter().any(|&count| count > 0));
            let mut last = counts.iter().filter(|&&count| count > 0).count() as f64;
            for order in [0.0, 0.01, 0.5, 0.999, 1.0, 1.0 + 1e-12, 1.5, 2.0, 3.0, 50.0, 1e6, f64::INFINITY] {
                let found = diversity(&counts, Measure::Hill(order)).unwrap();
                prop_assert!(found <= last * (1.0 + 1e-9) && found >= 1.0 - 1e-12, "{order}: {found} after {last}");
                last = found;
            }
        }

        #[test]
        fn the_names_of_one_number_agree(counts in prop::collection::vec(0_u64..50, 1..9)) {
            prop_assume!(counts.iter().any(|&count| count > 0));
            let of = |measure| diversity(&counts, measure).unwrap();
            let near = |a: f64, b: f64| (a - b).abs() < 1e-9 * b.abs().max(1.0);
            prop_assert!(near(of(Measure::Hill(1.0)).ln(), of(Measure::ENTROPY)));
            prop_assert!(near(of(Measure::Hill(2.0)), of(Measure::Simpson(Simpson::Inverse))));
            prop_assert!(near(of(Measure::Tsallis(2.0)), of(Measure::Simpson(Simpson::Complement))));
            prop_assert!(near(1.0 / of(Measure::Hill(f64::INFINITY)), of(Measure::BergerParker)));
            let close = of(Measure::Hill(1.0 + 1e-7));
            prop_assert!((close - of(Measure::Hill(1.0))).abs() < 1e-5, "{close}");
            let bits = of(Measure::Renyi { order: 3.0, base: Base::Two });
            prop_assert!(near(bits.exp2(), of(Measure::Hill(3.0))));
        }
    }
}
