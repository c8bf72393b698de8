//! Tables of probabilities `(items, classes)`: one pass that checks every row and hands it on.
//!
//! No metric lives here. The check costs nothing beside reading the table from memory.

use crate::SignalError;
use ndarray::ArrayView2;

/// The probabilities of a row may miss the sum 1 by this much.
const SUM_TOLERANCE: f64 = 1e-6;

/// How many values are reduced side by side.
const LANES: usize = 4;

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

/// Visits every row in order as (item, its values, the largest of them), once it is found to be a distribution.
///
/// # Errors
/// The first row that has a value outside [0, 1] or does not sum to 1 within 1e-6.
pub(crate) fn each_row<P: Copy + Into<f64>>(
    probs: ArrayView2<'_, P>,
    mut visit: impl FnMut(usize, &[P], f64),
) -> Result<(), SignalError> {
    let table = probs.as_standard_layout();
    let flat = table.as_slice().unwrap_or_else(|| unreachable!("the standard layout is one slice"));
    let classes = probs.ncols().max(1);
    let refused = pulp::Arch::new().dispatch(|| {
        for (item, row) in flat.chunks_exact(classes).enumerate() {
            let [largest, least, sum] = reduce(row);
            if !(least >= 0.0 && (sum - 1.0).abs() <= SUM_TOLERANCE) {
                return Some(item);
            }
            visit(item, row, largest);
        }
        None
    });
    refused.map_or(Ok(()), |item| Err(refusal(item, &flat[item * classes..(item + 1) * classes])))
}

/// Largest value, least value and sum; a value that is not a number shows in the sum only.
#[inline(always)]
fn reduce<P: Copy + Into<f64>>(row: &[P]) -> [f64; 3] {
    let mut largest = [f64::NEG_INFINITY; LANES];
    let mut least = [f64::INFINITY; LANES];
    let mut sum = [0.0; LANES];
    let mut take = |lane: usize, value: f64| {
        largest[lane] = if value > largest[lane] { value } else { largest[lane] };
        least[lane] = if value < least[lane] { value } else { least[lane] };
        sum[lane] += value;
    };
    let chunks = row.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for lane in 0..LANES {
            take(lane, chunk[lane].into());
        }
    }
    for (lane, &value) in rest.iter().enumerate() {
        take(lane, value.into());
    }
    let max = |a: f64, b: f64| if a > b { a } else { b };
    let min = |a: f64, b: f64| if a < b { a } else { b };
    [
        max(max(largest[0], largest[1]), max(largest[2], largest[3])),
        min(min(least[0], least[1]), min(least[2], least[3])),
        (sum[0] + sum[1]) + (sum[2] + sum[3]),
    ]
}

#[cold]
fn refusal<P: Copy + Into<f64>>(item: usize, row: &[P]) -> SignalError {
    let bad =
        row.iter().map(|&value| value.into()).find(|value| !(0.0..=1.0 + SUM_TOLERANCE).contains(value));
    match bad {
        Some(found) => SignalError::Value {
            what: "probability of item",
            index: item,
            found,
            expected: "a number between 0 and 1",
        },
        None => SignalError::Value {
            what: "sum of the probabilities of item",
            index: item,
            found: row.iter().map(|&value| value.into()).sum(),
            expected: "1 within 1e-6",
        },
    }
}

/// Whether `label` is the first of the largest values of a row.
#[inline(always)]
pub(crate) fn is_top<P: Copy + Into<f64>>(row: &[P], label: usize, largest: f64) -> bool {
    row[label].into() == largest && !row[..label].iter().any(|&value| value.into() == largest)
}

/// The first of the largest values of a row.
#[inline(always)]
pub(crate) fn top<P: Copy + Into<f64>>(row: &[P], largest: f64) -> usize {
    row.iter().position(|&value| value.into() == largest).unwrap_or(0)
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
            each_row(view, |item, row, largest| seen.push((item, top(row, largest), largest))).unwrap();
            assert_eq!(seen, (0..7).map(|i| (i, i % 5, 0.6)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_is_no_distribution_is_refused_with_its_item() {
        let message = |probs: Array2<f64>| each_row(probs.view(), |_, _, _| {}).unwrap_err().to_string();
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
