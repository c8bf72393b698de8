//! Tables of probabilities `(items, classes)`: one pass that checks every row and hands it on.
//!
//! No metric lives here. The check costs nothing beside reading the table from memory.

use crate::SignalError;
use crate::fours::{Fours, LANES, Pass, all, each_four};
use ndarray::ArrayView2;
use pulp::{cast, f64x4};

/// The probabilities of a row may miss the sum 1 by this much.
const SUM_TOLERANCE: f64 = 1e-6;

/// Whether there is one label per row, each of them a class, and at least one row and two classes.
pub(crate) fn check_labels<P>(labels: &[u32], table: ArrayView2<'_, P>) -> Result<(), SignalError> {
    let (items, classes) = table.dim();
    if labels.len() != items {
        return Err(SignalError::Shape { what: "number of labels", found: labels.len(), expected: items });
    }
    if items == 0 {
        return Err(SignalError::TooFew { what: "items", found: 0, expected: 1 });
    }
    if classes < 2 {
        return Err(SignalError::TooFew { what: "classes", found: classes, expected: 2 });
    }
    if let Some(index) = labels.iter().position(|&label| label as usize >= classes) {
        let found = f64::from(labels[index]);
        return Err(SignalError::Value {
            what: "label",
            index,
            found,
            expected: "a column of the probabilities",
        });
    }
    Ok(())
}

/// Visits every row in order as (item, its values, the first of the largest of them, that value), once it is found to
/// be a distribution.
///
/// # Errors
/// The first row that has a value outside [0, 1] or does not sum to 1 within 1e-6.
pub(crate) fn each_row<P: Copy + Into<f64>>(
    probs: ArrayView2<'_, P>,
    visit: impl FnMut(usize, &[P], usize, f64),
) -> Result<(), SignalError> {
    each_checked(probs, &mut Rows(visit))
}

/// What is done with rows that were found to be distributions.
pub(crate) trait Visit<P> {
    /// `count` rows from item `first` on, at most four; their largest values, and the first columns of these. In the
    /// lanes behind them the last is repeated.
    fn visit<S: Fours>(
        &mut self,
        simd: S,
        first: usize,
        count: usize,
        rows: &[P],
        top: f64x4,
        largest: f64x4,
    );
}

/// [`Visit`] of one row after the other.
struct Rows<F>(F);

impl<P, F: FnMut(usize, &[P], usize, f64)> Visit<P> for Rows<F> {
    #[inline(always)]
    fn visit<S: Fours>(&mut self, _: S, first: usize, count: usize, rows: &[P], top: f64x4, largest: f64x4) {
        let (top, largest): ([f64; LANES], [f64; LANES]) = (cast(top), cast(largest));
        let classes = rows.len() / count;
        for i in 0..count {
            let row = &rows[i * classes..(i + 1) * classes];
            (self.0)(first + i, row, top[i] as usize, largest[i]);
        }
    }
}

/// As [`each_row`], four rows at a time.
pub(crate) fn each_checked<P: Copy + Into<f64>>(
    probs: ArrayView2<'_, P>,
    visit: &mut impl Visit<P>,
) -> Result<(), SignalError> {
    let table = probs.as_standard_layout();
    let flat = table.as_slice().unwrap_or_else(|| unreachable!("the standard layout is one slice"));
    let classes = probs.ncols().max(1);
    let mut pass = Check { visit, refused: None };
    each_four(flat, classes, &mut pass);
    match pass.refused {
        None => Ok(()),
        Some(first) => Err(refusal(first, &flat[first * classes..], classes)),
    }
}

/// Finds the largest value of each row, and whether it is a distribution.
struct Check<'a, V> {
    visit: &'a mut V,
    /// The first item of four that are not all distributions.
    refused: Option<usize>,
}

/// What is known of four rows after some columns.
struct Seen {
    /// The number of the next column.
    column: f64x4,
    largest: f64x4,
    /// The first column of the largest value.
    top: f64x4,
    least: f64x4,
    sum: f64x4,
}

impl<P, V: Visit<P>> Pass<P> for Check<'_, V> {
    type State = Seen;

    #[inline(always)]
    fn start<S: Fours>(&self, simd: S) -> Seen {
        let [zero, infinite] = [0.0, f64::INFINITY].map(|value| simd.splat_f64s(value));
        Seen { column: zero, largest: zero, top: zero, least: infinite, sum: zero }
    }

    #[inline(always)]
    fn column<S: Fours>(&self, simd: S, seen: &mut Seen, values: f64x4) {
        seen.top = simd.select_f64s(simd.greater_than_f64s(values, seen.largest), seen.column, seen.top);
        seen.largest = simd.max_f64s(values, seen.largest);
        seen.least = simd.min_f64s(values, seen.least);
        seen.sum = simd.add_f64s(seen.sum, values);
        seen.column = simd.add_f64s(seen.column, simd.splat_f64s(1.0));
    }

    #[inline(always)]
    fn finish<S: Fours>(&mut self, simd: S, first: usize, count: usize, rows: &[P], seen: Seen) -> bool {
        let miss = simd.abs_f64s(simd.sub_f64s(seen.sum, simd.splat_f64s(1.0)));
        // What is no number makes the sum none.
        let positive = simd.greater_than_or_equal_f64s(seen.least, simd.splat_f64s(0.0));
        let whole = simd.less_than_or_equal_f64s(miss, simd.splat_f64s(SUM_TOLERANCE));
        if !all(simd, simd.and_m64s(positive, whole)) {
            self.refused = Some(first);
            return false;
        }
        self.visit.visit(simd, first, count, rows, seen.top, seen.largest);
        true
    }
}

/// What is wrong with the first bad row of these.
#[cold]
fn refusal<P: Copy + Into<f64>>(first: usize, rows: &[P], classes: usize) -> SignalError {
    for (index, row) in (first..).zip(rows.chunks_exact(classes)) {
        let mut values = row.iter().map(|&value| value.into());
        if let Some(found) = values.find(|value| !(0.0..=1.0 + SUM_TOLERANCE).contains(value)) {
            let expected = "a number between 0 and 1";
            return SignalError::Value { what: "probability of item", index, found, expected };
        }
        let found: f64 = row.iter().map(|&value| value.into()).sum();
        if (found - 1.0).abs() > SUM_TOLERANCE {
            let what = "sum of the probabilities of item";
            return SignalError::Value { what, index, found, expected: "1 within 1e-6" };
        }
    }
    unreachable!("one of the rows was refused")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn rows_come_in_order_whatever_the_layout() {
        let probs = Array2::from_shape_fn((7, 5), |(i, j)| if j == i % 5 { 0.6 } else { 0.1 });
        let transposed = probs.t().as_standard_layout().into_owned();
        for view in [probs.view(), transposed.t()] {
            let mut seen = Vec::new();
            each_row(view, |item, row, top, largest| seen.push((item, top, row[top] * largest / 0.6)))
                .unwrap();
            assert_eq!(seen, (0..7).map(|i| (i, i % 5, 0.6)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_is_no_distribution_is_refused_with_its_item() {
        let message = |probs: Array2<f64>| each_row(probs.view(), |_, _, _, _| {}).unwrap_err().to_string();
        assert_eq!(
            message(array![[0.5, 0.5], [0.5, 0.6]]),
            "sum of the probabilities of item 1 is 1.1: expected 1 within 1e-6"
        );
        for bad in [f64::NAN, -0.5, f64::INFINITY, 1.5] {
            assert_eq!(
                message(array![[0.5, 0.5], [bad, 1.0 - bad]]),
                format!("probability of item 1 is {bad}: expected a number between 0 and 1")
            );
        }
    }

    #[test]
    fn labels_that_do_not_fit_are_refused() {
        let message = |labels: &[u32], classes: usize| {
            let probs = Array2::from_elem((2, classes), 1.0);
            check_labels(labels, probs.view()).unwrap_err().to_string()
        };
        assert_eq!(message(&[0], 2), "number of labels: found 1, expected 2");
        assert_eq!(message(&[0, 2], 2), "label 1 is 2: expected a column of the probabilities");
        assert_eq!(message(&[0, 0], 1), "1 classes: expected at least 2");
        let none = check_labels(&[], Array2::<f64>::zeros((0, 3)).view()).unwrap_err().to_string();
        assert_eq!(none, "0 items: expected at least 1");
    }
}
