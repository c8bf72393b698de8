//! Tables of probabilities `(items, classes)`: one pass that checks every row and hands it on.
//!
//! No metric lives here. The check costs nothing beside reading the table from memory.

use crate::SignalError;
use ndarray::ArrayView2;

/// The probabilities of a row may miss the sum 1 by this much.
const SUM_TOLERANCE: f64 = 1e-6;

/// How many rows are checked side by side.
const LANES: usize = 8;

/// Rows are checked in blocks that stay in the nearest cache until they are visited.
const BLOCK: usize = 128;

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
    mut visit: impl FnMut(usize, &[P], usize, f64),
) -> Result<(), SignalError> {
    let table = probs.as_standard_layout();
    let flat = table.as_slice().unwrap_or_else(|| unreachable!("the standard layout is one slice"));
    let classes = probs.ncols().max(1);
    let (mut largest, mut top) = ([0.0; BLOCK], [0.0; BLOCK]);
    for (block, rows) in flat.chunks(classes * BLOCK).enumerate() {
        let first = block * BLOCK;
        let pass = Check { rows, classes, largest: &mut largest, top: &mut top };
        if !pulp::Arch::new().dispatch(pass) {
            return Err(refusal(first, rows, classes));
        }
        for (i, row) in rows.chunks_exact(classes).enumerate() {
            visit(first + i, row, top[i] as usize, largest[i]);
        }
    }
    Ok(())
}

/// Finds the largest value of each row of a block, and says whether all of them are distributions.
///
/// A type, since a closure would not surely be inlined where the vectors of the processor are known.
struct Check<'a, P> {
    rows: &'a [P],
    classes: usize,
    largest: &'a mut [f64; BLOCK],
    /// The first column of the largest value.
    top: &'a mut [f64; BLOCK],
}

impl<P: Copy + Into<f64>> pulp::NullaryFnOnce for Check<'_, P> {
    type Output = bool;

    #[inline(always)]
    fn call(self) -> bool {
        let Self { rows, classes, largest, top } = self;
        let mut fine = true;
        let groups = rows.chunks_exact(LANES * classes);
        let rest = groups.remainder();
        let (largest, largest_rest) = largest.split_at_mut(rows.len() / (LANES * classes) * LANES);
        let (top, top_rest) = top.split_at_mut(largest.len());
        let into = largest.as_chunks_mut::<LANES>().0.iter_mut().zip(top.as_chunks_mut::<LANES>().0);
        for (group, (largest, top)) in groups.zip(into) {
            fine &= side_by_side(group, classes, largest, top);
        }
        for (row, (largest, top)) in rest.chunks_exact(classes).zip(largest_rest.iter_mut().zip(top_rest)) {
            fine &= side_by_side(row, classes, std::array::from_mut(largest), std::array::from_mut(top));
        }
        fine
    }
}

/// [`Check`] of N rows, each in a lane of a vector, so that rows of any length fill the vectors.
#[inline(always)]
fn side_by_side<P: Copy + Into<f64>, const N: usize>(
    rows: &[P],
    classes: usize,
    largest: &mut [f64; N],
    top: &mut [f64; N],
) -> bool {
    let rows: [&[P]; N] = std::array::from_fn(|i| &rows[i * classes..(i + 1) * classes]);
    let (mut most, mut place) = ([f64::NEG_INFINITY; N], [0.0; N]);
    let (mut least, mut sum) = ([f64::INFINITY; N], [0.0; N]);
    for j in 0..classes {
        let value: [f64; N] = std::array::from_fn(|i| rows[i][j].into());
        let here = j as f64;
        for i in 0..N {
            let above = value[i] > most[i];
            place[i] = if above { here } else { place[i] };
            most[i] = if above { value[i] } else { most[i] };
            least[i] = if value[i] < least[i] { value[i] } else { least[i] };
            sum[i] += value[i];
        }
    }
    *largest = most;
    *top = place;
    let mut fine = true;
    for i in 0..N {
        fine &= (least[i] >= 0.0) & ((sum[i] - 1.0).abs() <= SUM_TOLERANCE);
    }
    fine
}

/// What is wrong with the first bad row of a block.
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
