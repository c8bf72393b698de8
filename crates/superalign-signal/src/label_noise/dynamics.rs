//! Training dynamics: what the logits of an item did over the epochs says whether its label is right.

use crate::SignalError;
use crate::probabilities::check_labels;
use ndarray::{Array2, ArrayView2, ArrayView3, Axis};

/// Area under the margin (AUM) of each item, `(n)`: the mean over epochs of the logit of its label less the largest
/// other logit. Low, above all negative, where the label is probably wrong.
///
/// Labels `(n)`, logits `(epochs, n, k)` before the softmax, seen in training. Any finite number. Source: Pleiss et
/// al. 2020.
///
/// # Errors
/// No epoch, no item, fewer than two classes, a label that is no column, a logit that is not finite.
///
/// ```
/// use superalign_signal::label_noise::area_under_margin;
/// let logits = ndarray::array![[[2.0, 1.0, 0.0], [0.0, 1.0, 4.0]], [[5.0, 2.0, 1.0], [0.0, 1.0, 2.0]]];
/// assert_eq!(area_under_margin(&[0, 1], logits.view())?, [2.0, -2.0]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn area_under_margin<P: Copy + Into<f64>>(
    labels: &[u32],
    logits: ArrayView3<'_, P>,
) -> Result<Vec<f64>, SignalError> {
    let mut sums = vec![0.0; labels.len()];
    each_margin(labels, logits, |_, item, margin, _| sums[item] += margin)?;
    let epochs = logits.len_of(Axis(0)) as f64;
    Ok(sums.into_iter().map(|sum| sum / epochs).collect())
}

/// Whether the label of each item was the most likely class in each epoch, `(epochs, n)`; of equal logits the first
/// counts. What [`forgetting`] takes.
///
/// # Errors
/// As [`area_under_margin`].
///
/// ```
/// use superalign_signal::label_noise::learnt;
/// let logits = ndarray::array![[[2.0, 1.0], [0.0, 0.0]]];
/// assert_eq!(learnt(&[0, 1], logits.view())?, ndarray::array![[true, false]]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn learnt<P: Copy + Into<f64>>(
    labels: &[u32],
    logits: ArrayView3<'_, P>,
) -> Result<Array2<bool>, SignalError> {
    let mut right = Array2::from_elem((logits.len_of(Axis(0)), labels.len()), false);
    each_margin(labels, logits, |epoch, item, _, is_top| right[[epoch, item]] = is_top)?;
    Ok(right)
}

/// Visits (epoch, item, margin, whether the label is the first of the largest logits).
fn each_margin<P: Copy + Into<f64>>(
    labels: &[u32],
    logits: ArrayView3<'_, P>,
    mut visit: impl FnMut(usize, usize, f64, bool),
) -> Result<(), SignalError> {
    if logits.len_of(Axis(0)) == 0 {
        return Err(SignalError::TooFew { what: "epochs", found: 0, expected: 1 });
    }
    for (epoch, logits) in logits.outer_iter().enumerate() {
        check_labels(labels, logits)?;
        for (item, (row, &label)) in logits.rows().into_iter().zip(labels).enumerate() {
            let own: f64 = row[label as usize].into();
            let (mut before, mut after) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
            for (class, &logit) in row.iter().enumerate() {
                let found: f64 = logit.into();
                if !found.is_finite() {
                    let (what, expected) = ("logit of item", "a finite number");
                    return Err(SignalError::Value { what, index: item, found, expected });
                }
                match class.cmp(&(label as usize)) {
                    std::cmp::Ordering::Less => before = before.max(found),
                    std::cmp::Ordering::Equal => {}
                    std::cmp::Ordering::Greater => after = after.max(found),
                }
            }
            visit(epoch, item, own - before.max(after), own > before && own >= after);
        }
    }
    Ok(())
}

/// How often an item was learnt and forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forgetting {
    /// How often it was right in one epoch and wrong in the next.
    pub events: usize,
    /// The first epoch in which it was right, from 0; `None` if it never was. Such an item counts as forgotten
    /// without end when items are sorted.
    pub first_learnt: Option<usize>,
}

impl Forgetting {
    /// Whether it was learnt and never forgotten again.
    #[must_use]
    pub const fn is_unforgettable(&self) -> bool {
        self.events == 0 && self.first_learnt.is_some()
    }
}

/// Forgetting events of each item, `(n)`, from whether it was right in each epoch, `(epochs, n)`.
///
/// Items that are forgotten often, or never learnt, are hard or wrongly labelled. Source: Toneva et al. 2019.
///
/// # Errors
/// No epoch.
///
/// ```
/// use superalign_signal::label_noise::forgetting;
/// let right = ndarray::array![[true, false], [false, false], [true, false]];
/// let found = forgetting(right.view())?;
/// assert_eq!((found[0].events, found[0].first_learnt), (1, Some(0)));
/// assert_eq!((found[1].events, found[1].first_learnt), (0, None));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn forgetting(right: ArrayView2<'_, bool>) -> Result<Vec<Forgetting>, SignalError> {
    if right.nrows() == 0 {
        return Err(SignalError::TooFew { what: "epochs", found: 0, expected: 1 });
    }
    let mut found = vec![Forgetting { events: 0, first_learnt: None }; right.ncols()];
    let mut before = vec![false; right.ncols()];
    for (epoch, right) in right.rows().into_iter().enumerate() {
        for ((found, before), &right) in found.iter_mut().zip(&mut before).zip(right) {
            found.events += usize::from(*before && !right);
            if right && found.first_learnt.is_none() {
                found.first_learnt = Some(epoch);
            }
            *before = right;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array3, array};

    #[test]
    fn what_does_not_fit_is_refused() {
        let none = Array3::<f64>::zeros((0, 2, 2));
        let message = |found: Result<Vec<f64>, SignalError>| found.unwrap_err().to_string();
        assert_eq!(message(area_under_margin(&[0, 0], none.view())), "0 epochs: expected at least 1");
        let bad = array![[[0.0, f64::NAN]]];
        assert_eq!(
            message(area_under_margin(&[0], bad.view())),
            "logit of item 0 is NaN: expected a finite number"
        );
        let none = forgetting(Array2::from_elem((0, 3), true).view()).unwrap_err().to_string();
        assert_eq!(none, "0 epochs: expected at least 1");
    }
}
