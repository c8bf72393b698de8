//! The confident joint: how often an item of each given label is confidently of each class.

use crate::SignalError;
use crate::fours::{Fours, LANES, Pass, each_four};
use crate::probabilities::{check_labels, each_row};
use ndarray::{Array2, ArrayView2};
use pulp::{cast, f64x4};

/// A threshold that no probability reaches: that of a class which no item is labelled with.
pub const NEVER_REACHED: f64 = 2.0;

/// Thresholds below this are lifted to it.
const LEAST_THRESHOLD: f64 = 2e-6;

/// A probability counts as confident down to this much below the threshold.
const SLACK: f64 = 1e-6;

/// With more classes, the joint would not fit in memory.
const MOST_CLASSES: usize = 1 << 13;

/// What the confident joint does with its diagonal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Diagonal {
    /// It is lifted to 1, so that no class is without a sure item (cleanlab).
    #[default]
    AtLeastOne,
    /// It is as counted (Northcutt et al. 2021).
    AsCounted,
}

/// How items are counted into the confident joint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JointOptions {
    /// The threshold of each class; `None` for [`confident_thresholds`].
    pub thresholds: Option<Vec<f64>>,
    /// What is done with the diagonal.
    pub diagonal: Diagonal,
}

/// The confident threshold of each class: the mean of `p[j]` over the items labelled j.
///
/// Labels `(n)`, probabilities `(n, k)` from a model that was not trained on the item. The threshold of a class that
/// no item is labelled with is [`NEVER_REACHED`]; none is below 2e-6. Source: Northcutt, Jiang and Chuang 2021.
///
/// # Errors
/// No item, fewer than two classes, a label that is no column, a row that is no distribution within 1e-6.
///
/// ```
/// use superalign_signal::label_noise::{NEVER_REACHED, confident_thresholds};
/// let probs = ndarray::array![[0.5, 0.25, 0.25], [0.75, 0.25, 0.0], [0.0, 1.0, 0.0]];
/// assert_eq!(confident_thresholds(&[0, 0, 1], probs.view())?, [0.625, 1.0, NEVER_REACHED]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn confident_thresholds<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
) -> Result<Vec<f64>, SignalError> {
    check_labels(labels, probs)?;
    let mut sums = vec![[0.0; 2]; probs.ncols()];
    each_row(probs, |item, row, _, _| {
        let label = labels[item] as usize;
        let p: f64 = row[label].into();
        sums[label] = [sums[label][0] + p, sums[label][1] + 1.0];
    })?;
    Ok(sums.into_iter().map(threshold).collect())
}

/// The threshold of a class from the sum of its probabilities and its number of items.
pub(super) fn threshold([sum, count]: [f64; 2]) -> f64 {
    if count > 0.0 { (sum / count).max(LEAST_THRESHOLD) } else { NEVER_REACHED }
}

/// The confident joint `(k, k)`: row = given label, column = class of which an item is confidently.
///
/// An item is confidently of class j where `p[j]` reaches the threshold of j (less 1e-6); where several classes are
/// reached, of its most likely one; where none is, it is not counted. Two passes over the table, the second without a
/// branch per class. Source: Northcutt et al. 2021, and cleanlab's `compute_confident_joint` with `calibrate=False`.
///
/// # Errors
/// As [`confident_thresholds`]; thresholds that are not one number for each class, more than 8,192 classes.
///
/// ```
/// use superalign_signal::label_noise::{JointOptions, confident_joint};
/// let probs = ndarray::array![[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.1, 0.9], [0.3, 0.7]];
/// let joint = confident_joint(&[0, 0, 0, 1, 1], probs.view(), &JointOptions::default())?;
/// assert_eq!(joint, ndarray::array![[2, 1], [0, 1]]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn confident_joint<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    options: &JointOptions,
) -> Result<Array2<u64>, SignalError> {
    let classes = probs.ncols();
    check_classes(classes)?;
    let thresholds = thresholds(labels, probs, options)?;
    // A column more for the items of no class, which saves a branch that nothing foretells.
    let mut counts = vec![0_u64; classes * (classes + 1)];
    each_guess(probs, &thresholds, |item, guess| counts[labels[item] as usize * (classes + 1) + guess] += 1);
    let mut joint = Array2::from_shape_fn((classes, classes), |(s, y)| counts[s * (classes + 1) + y]);
    if options.diagonal == Diagonal::AtLeastOne {
        joint.diag_mut().mapv_inplace(|count: u64| count.max(1));
    }
    Ok(joint)
}

/// Whether a joint of so many classes fits in memory.
pub(super) fn check_classes(classes: usize) -> Result<(), SignalError> {
    if classes <= MOST_CLASSES {
        return Ok(());
    }
    let reason = format!("{classes} classes are too many for a table of pairs: at most {MOST_CLASSES}");
    Err(SignalError::undefined("confident joint", reason))
}

fn thresholds<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    options: &JointOptions,
) -> Result<Vec<f64>, SignalError> {
    let Some(thresholds) = &options.thresholds else {
        return confident_thresholds(labels, probs);
    };
    check_labels(labels, probs)?;
    each_row(probs, |_, _, _, _| {})?;
    if thresholds.len() != probs.ncols() {
        let (found, expected) = (thresholds.len(), probs.ncols());
        return Err(SignalError::Shape { what: "number of thresholds", found, expected });
    }
    match thresholds.iter().position(|threshold| threshold.is_nan()) {
        None => Ok(thresholds.clone()),
        Some(index) => {
            Err(SignalError::Value { what: "threshold", index, found: f64::NAN, expected: "a number" })
        }
    }
}

/// Visits every item with the class of which it is confidently, or the number of classes if it is of none. The table
/// has been checked.
pub(super) fn each_guess<P: Copy + Into<f64>>(
    probs: ArrayView2<'_, P>,
    thresholds: &[f64],
    visit: impl FnMut(usize, usize),
) {
    let table = probs.as_standard_layout();
    let flat = table.as_slice().unwrap_or_else(|| unreachable!("the standard layout is one slice"));
    let lowered: Vec<f64> = thresholds.iter().map(|threshold| threshold - SLACK).collect();
    each_four(flat, thresholds.len(), &mut Guess { thresholds: &lowered, visit });
}

/// Of the classes that are reached, their number times this, plus the sum of their places.
const ONE: f64 = 4_294_967_296.0;

/// Guesses the class of which each row confidently is.
struct Guess<'a, F> {
    thresholds: &'a [f64],
    visit: F,
}

/// What is known of four rows after some classes.
struct Seen {
    class: usize,
    here: f64x4,
    largest: f64x4,
    /// The first class of the largest value.
    top: f64x4,
    /// See [`ONE`].
    reached: f64x4,
}

impl<P, F: FnMut(usize, usize)> Pass<P> for Guess<'_, F> {
    type State = Seen;

    #[inline(always)]
    fn start<S: Fours>(&self, simd: S) -> Seen {
        let zero = simd.splat_f64s(0.0);
        Seen { class: 0, here: zero, largest: zero, top: zero, reached: zero }
    }

    #[inline(always)]
    fn column<S: Fours>(&self, simd: S, seen: &mut Seen, values: f64x4) {
        seen.top = simd.select_f64s(simd.greater_than_f64s(values, seen.largest), seen.here, seen.top);
        seen.largest = simd.max_f64s(values, seen.largest);
        let reached = simd.greater_than_or_equal_f64s(values, simd.splat_f64s(self.thresholds[seen.class]));
        let one = simd.add_f64s(seen.here, simd.splat_f64s(ONE));
        let none = simd.splat_f64s(0.0);
        seen.reached = simd.add_f64s(seen.reached, simd.select_f64s(reached, one, none));
        seen.here = simd.add_f64s(seen.here, simd.splat_f64s(1.0));
        seen.class += 1;
    }

    #[inline(always)]
    fn finish<S: Fours>(&mut self, simd: S, first: usize, count: usize, _: &[P], seen: Seen) -> bool {
        let [one, two] = [ONE, 2.0 * ONE].map(|value| simd.splat_f64s(value));
        let several = simd.greater_than_or_equal_f64s(seen.reached, two);
        let some = simd.select_f64s(several, seen.top, simd.sub_f64s(seen.reached, one));
        let none = simd.less_than_f64s(seen.reached, one);
        let guess: [f64; LANES] = cast(simd.select_f64s(none, seen.here, some));
        for (i, &guess) in guess[..count].iter().enumerate() {
            (self.visit)(first + i, guess as u32 as usize);
        }
        true
    }
}

/// The confident joint scaled to the number of items of each given label, in whole numbers: `(k, k)`, summing to n
/// where every label that occurs has a confident item.
///
/// Each row is divided by its sum and multiplied by the number of its items, then rounded so that its sum stays: what
/// rounding lacks goes to the entries it cut most. Source: cleanlab's `calibrate_confident_joint`.
///
/// # Errors
/// A joint that is not square, a label that is no row of it, no item.
///
/// ```
/// use superalign_signal::label_noise::calibrate_joint;
/// let joint = calibrate_joint(ndarray::array![[2, 1], [0, 1]].view(), &[0, 0, 0, 0, 1, 1])?;
/// assert_eq!(joint, ndarray::array![[3, 1], [0, 2]]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn calibrate_joint(joint: ArrayView2<'_, u64>, labels: &[u32]) -> Result<Array2<u64>, SignalError> {
    let counts = label_counts(joint, labels)?;
    let mut scaled = joint.mapv(|count| count as f64);
    for (mut row, &count) in scaled.rows_mut().into_iter().zip(&counts) {
        let sum = row.sum().max(f64::MIN_POSITIVE);
        row.mapv_inplace(|value| value / sum * count);
    }
    let (total, n) = (scaled.sum().max(f64::MIN_POSITIVE), labels.len() as f64);
    let mut whole = Array2::zeros(scaled.dim());
    for (mut into, row) in whole.rows_mut().into_iter().zip(scaled.rows()) {
        let row: Vec<f64> = row.iter().map(|value| value / total * n).collect();
        into.assign(&ndarray::Array1::from(round_keeping_sum(&row)));
    }
    Ok(whole)
}

/// How many items have each label.
pub(super) fn label_counts(joint: ArrayView2<'_, u64>, labels: &[u32]) -> Result<Vec<f64>, SignalError> {
    let (rows, columns) = joint.dim();
    if rows != columns {
        return Err(SignalError::Shape { what: "columns of the joint", found: columns, expected: rows });
    }
    if labels.is_empty() {
        return Err(SignalError::TooFew { what: "items", found: 0, expected: 1 });
    }
    let mut counts = vec![0.0; rows];
    for (index, &label) in labels.iter().enumerate() {
        let Some(count) = counts.get_mut(label as usize) else {
            let (what, found) = ("label", f64::from(label));
            return Err(SignalError::Value { what, index, found, expected: "a row of the joint" });
        };
        *count += 1.0;
    }
    Ok(counts)
}

/// Whole numbers next to these (at least 0) that have their rounded sum.
fn round_keeping_sum(values: &[f64]) -> Vec<u64> {
    let mut whole: Vec<f64> = values.iter().map(|value| value.round_ties_even()).collect();
    let total = values.iter().sum::<f64>().round_ties_even();
    loop {
        let lack = total - whole.iter().sum::<f64>();
        if lack == 0.0 {
            break;
        }
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&a, &b| (values[a] - whole[a]).total_cmp(&(values[b] - whole[b])));
        if lack > 0.0 {
            order.reverse();
        }
        for &place in order.iter().take(lack.abs() as usize) {
            whole[place] += lack.signum();
        }
    }
    whole.into_iter().map(|value| value as u64).collect()
}

/// The joint distribution `(k, k)` of given label (row) and true class (column): the calibrated confident joint over
/// its sum.
///
/// # Errors
/// As [`confident_thresholds`].
///
/// ```
/// use superalign_signal::label_noise::estimate_joint;
/// let probs = ndarray::array![[0.9, 0.1], [0.1, 0.9], [0.7, 0.3], [0.1, 0.9]];
/// let joint = estimate_joint(&[0, 0, 0, 1], probs.view())?;
/// assert_eq!(joint, ndarray::array![[0.5, 0.25], [0.0, 0.25]]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn estimate_joint<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
) -> Result<Array2<f64>, SignalError> {
    let joint = confident_joint(labels, probs, &JointOptions::default())?;
    let calibrated = calibrate_joint(joint.view(), labels)?;
    let total = calibrated.sum() as f64;
    Ok(calibrated.mapv(|count| count as f64 / total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use proptest::prelude::*;

    #[test]
    fn what_does_not_fit_is_refused() {
        let probs = array![[0.5, 0.5], [0.5, 0.5]];
        let with = |thresholds| JointOptions { thresholds: Some(thresholds), ..JointOptions::default() };
        let message =
            |options: &JointOptions| confident_joint(&[0, 1], probs.view(), options).unwrap_err().to_string();
        assert_eq!(message(&with(vec![0.5])), "number of thresholds: found 1, expected 2");
        assert_eq!(message(&with(vec![0.5, f64::NAN])), "threshold 1 is NaN: expected a number");
        let message = |joint: Array2<u64>, labels: &[u32]| {
            calibrate_joint(joint.view(), labels).unwrap_err().to_string()
        };
        assert_eq!(message(array![[1, 2]], &[0]), "columns of the joint: found 2, expected 1");
        assert_eq!(message(array![[1]], &[0, 1]), "label 1 is 1: expected a row of the joint");
        assert_eq!(message(array![[1]], &[]), "0 items: expected at least 1");
    }

    #[test]
    fn a_table_of_too_many_pairs_is_refused() {
        let many = 1 << 20;
        let probs = Array2::from_elem((1, many), 1.0 / many as f64);
        let error = confident_joint(&[0], probs.view(), &JointOptions::default()).unwrap_err().to_string();
        let expected =
            "confident joint is undefined: 1048576 classes are too many for a table of pairs: at most 8192";
        assert_eq!(error, expected);
    }

    #[test]
    fn the_diagonal_is_as_said() {
        let probs = array![[0.2, 0.8], [0.8, 0.2], [0.4, 0.6]];
        let joint = |diagonal| {
            let options = JointOptions { thresholds: Some(vec![0.7, 0.7]), diagonal };
            confident_joint(&[0, 1, 0], probs.view(), &options).unwrap()
        };
        assert_eq!(joint(Diagonal::AsCounted), array![[0, 1], [1, 0]]);
        assert_eq!(joint(Diagonal::AtLeastOne), array![[1, 1], [1, 1]]);
    }

    proptest! {
        /// Rounding keeps the sum and moves no entry by a whole one, unless a tie of halves makes it.
        #[test]
        fn rounding_keeps_the_sum(values in prop::collection::vec(0.0..50.0_f64, 1..12)) {
            let whole = round_keeping_sum(&values);
            prop_assert_eq!(whole.iter().sum::<u64>() as f64, values.iter().sum::<f64>().round_ties_even());
            prop_assert!(whole.iter().zip(&values).all(|(&w, v)| (w as f64 - v).abs() <= 1.0));
        }

        /// The pass over vectors counts as the definition does, for any number of items and classes.
        #[test]
        fn guesses_are_as_defined(items in 1_usize..300, classes in 2_usize..13, seed in 0_u64..1000) {
            let (labels, probs) = crate::label_noise::test_input(items, classes, seed);
            let thresholds = confident_thresholds(&labels, probs.view()).unwrap();
            let mut found = Vec::new();
            each_guess(probs.view(), &thresholds, |_, guess| found.push(guess));
            for (row, found) in probs.rows().into_iter().zip(found) {
                let reached: Vec<usize> =
                    (0..classes).filter(|&j| row[j] >= thresholds[j] - SLACK).collect();
                let top = (0..classes).rev().max_by(|&a, &b| row[a].total_cmp(&row[b]));
                let expected = if reached.len() > 1 { top } else { reached.first().copied() };
                prop_assert_eq!(found, expected.unwrap_or(classes));
            }
        }

        /// In single precision and transposed in memory, the same rows give the same joint.
        #[test]
        fn precision_and_layout_do_not_matter(items in 1_usize..100, classes in 2_usize..6, seed in 0_u64..1000) {
            let (labels, probs) = crate::label_noise::test_input(items, classes, seed);
            let single = probs.mapv(|p| p as f32);
            let double = single.mapv(f64::from);
            let options = JointOptions::default();
            let expected = confident_joint(&labels, double.view(), &options).unwrap();
            prop_assert_eq!(&expected, &confident_joint(&labels, single.view(), &options).unwrap());
            let columns = double.t().as_standard_layout().into_owned();
            prop_assert_eq!(&expected, &confident_joint(&labels, columns.t(), &options).unwrap());
        }
    }
}
