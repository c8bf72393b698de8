//! How much diversity was lost over rounds.

use crate::label_diversity::{Measure, of_counts};
use crate::{Bootstrap, Estimate, SignalError, resample};
use ndarray::ArrayView2;
use rustc_hash::FxHashMap;

/// The collapse index `1 - after / before` of two values of a diversity: 0 when nothing was lost, 1 when all was, and
/// negative when diversity grew.
///
/// Any diversity that is above 0 may be given: a Hill number, a Vendi score, a share of distinct n-grams. An effective
/// number is 1, not 0, where all is the same, so an index of effective numbers stays below 1.
///
/// ```
/// use superalign_signal::collapse::collapse_index;
/// assert_eq!(collapse_index(8.0, 2.0)?, 0.75);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// A diversity that is negative or not finite; one of 0 before, from which nothing can be lost.
pub fn collapse_index(before: f64, after: f64) -> Result<f64, SignalError> {
    for (index, found) in [before, after].into_iter().enumerate() {
        if !(found.is_finite() && found >= 0.0) {
            return Err(SignalError::Value {
                what: "diversity of round",
                index,
                found,
                expected: "a finite number from 0",
            });
        }
    }
    if before == 0.0 {
        return Err(SignalError::undefined("collapse index", "there was no diversity to lose"));
    }
    Ok(1.0 - after / before)
}

/// The collapse index of every round against the first, with intervals over items that are resampled jointly.
///
/// `labels` is `(rounds, items)`: what was said of each item in each round, classes `0..classes`. An item that is drawn
/// is drawn in all rounds, so that what rounds have in common does not widen the interval. One [`Estimate`] for each
/// round after the first. Items that are alike in all rounds are counted, not visited. As resamples are less diverse
/// than the whole, and the richer round loses more by it, an interval may lie below its value: see
/// [`diversity_estimate`](crate::label_diversity::diversity_estimate).
///
/// ```
/// use ndarray::Array2;
/// use superalign_core::{Bootstrap, Seed};
/// use superalign_signal::{collapse::collapse_over_rounds, label_diversity::Measure};
/// // Four labels at first, then two.
/// let labels = Array2::from_shape_fn((2, 400), |(round, item)| (item % if round == 0 { 4 } else { 2 }) as u32);
/// let found = collapse_over_rounds(labels.view(), 4, Measure::Hill(1.0), &Bootstrap::new(Seed::new(1)))?;
/// assert!(found.len() == 1 && (found[0].value - 0.5).abs() < 1e-12 && found[0].hi - found[0].lo < 0.02);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// Fewer than two rounds, no item, a label that is not below `classes`; what the measure says of a round; a first round
/// whose diversity is 0; more than one resample in twenty without a value.
pub fn collapse_over_rounds(
    labels: ArrayView2<'_, u32>,
    classes: usize,
    measure: Measure,
    by: &Bootstrap,
) -> Result<Vec<Estimate>, SignalError> {
    let (rounds, items) = labels.dim();
    for (what, found, expected) in [("rounds", rounds, 2), ("items", items, 1)] {
        if found < expected {
            return Err(SignalError::TooFew { what, found, expected });
        }
    }
    for (index, &label) in labels.iter().enumerate() {
        if label as usize >= classes {
            let expected = "a class, which are counted from 0";
            return Err(SignalError::Value { what: "label", index, found: f64::from(label), expected });
        }
    }
    let (kinds, counts) = alike(labels);
    let names = vec!["collapse index"; rounds - 1];
    let mut by_class = vec![0_u32; classes];
    resample::estimates_of_counts(by, &names, &counts, |counts, values| {
        let mut before = Ok(0.0);
        for round in 0..rounds {
            by_class.fill(0);
            for (labels, &count) in kinds.chunks_exact(rounds).zip(counts) {
                by_class[labels[round] as usize] += count;
            }
            let found = of_counts(by_class.iter().map(|&count| f64::from(count)), measure);
            if round == 0 {
                before = found;
            } else {
                values[round - 1] =
                    before.clone().and_then(|before| found.and_then(|after| collapse_index(before, after)));
            }
        }
    })
    .into_iter()
    .collect()
}

/// The distinct columns, one after another, in the order in which they appear, and how often each does.
fn alike(labels: ArrayView2<'_, u32>) -> (Vec<u32>, Vec<u32>) {
    let (mut kinds, mut counts) = (Vec::new(), Vec::<u32>::new());
    let mut places = FxHashMap::<Vec<u32>, usize>::default();
    let mut labels_of_item = Vec::new();
    for column in labels.columns() {
        labels_of_item.clear();
        labels_of_item.extend(column.iter().copied());
        if let Some(&place) = places.get(&labels_of_item) {
            counts[place] += 1;
        } else {
            kinds.extend_from_slice(&labels_of_item);
            places.insert(labels_of_item.clone(), counts.len());
            counts.push(1);
        }
    }
    (kinds, counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};
    use superalign_core::Seed;

    #[test]
    fn what_cannot_be_lost_says_why() {
        let message = |before, after| collapse_index(before, after).unwrap_err().to_string();
        assert_eq!(message(0.0, 1.0), "collapse index is undefined: there was no diversity to lose");
        assert_eq!(message(1.0, -2.0), "diversity of round 1 is -2: expected a finite number from 0");
        let by = Bootstrap::new(Seed::new(1));
        let message = |labels: Array2<u32>| {
            collapse_over_rounds(labels.view(), 3, Measure::ENTROPY, &by).unwrap_err().to_string()
        };
        assert_eq!(message(array![[0, 1]]), "1 rounds: expected at least 2");
        assert_eq!(
            message(array![[0, 1], [5, 0]]),
            "label 2 is 5: expected a class, which are counted from 0"
        );
        assert_eq!(
            message(array![[1, 1], [0, 1]]),
            "collapse index is undefined: there was no diversity to lose"
        );
    }

    #[test]
    fn rounds_that_are_alike_lost_nothing_in_any_resample() {
        let labels = Array2::from_shape_fn((3, 60), |(_, item)| (item * item % 7) as u32);
        let by = Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(1)) };
        for found in collapse_over_rounds(labels.view(), 7, Measure::Hill(2.0), &by).unwrap() {
            assert_eq!((found.lo, found.value, found.hi), (0.0, 0.0, 0.0));
        }
    }

    #[test]
    fn the_order_of_items_and_the_names_of_labels_do_not_matter() {
        let labels = Array2::from_shape_fn((2, 90), |(round, item)| {
            (item * 31 % 17 % if round == 0 { 5 } else { 3 }) as u32
        });
        let value = |labels: Array2<u32>| {
            let by = Bootstrap { draws: 50, ..Bootstrap::new(Seed::new(1)) };
            collapse_over_rounds(labels.view(), 9, Measure::Hill(1.0), &by).unwrap()[0].value
        };
        let renamed = labels.mapv(|label| 8 - label);
        let reversed = labels.slice(ndarray::s![.., ..;-1]).to_owned();
        assert!((value(renamed) - value(labels.clone())).abs() < 1e-12);
        assert_eq!(value(reversed), value(labels));
    }
}
