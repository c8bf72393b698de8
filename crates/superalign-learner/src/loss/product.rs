//! Product of the student's belief and the label.

use super::Loss;
use super::batch::{Items, Out};
use crate::{LearnerError, sigmoid};

/// Mean cross-entropy against the normalised product of the student's own probabilities and the weak labels,
/// t proportional to `p^own_power * y^label_power` over the two classes, which counts as a constant:
/// t = sigmoid(`own_power` z + `label_power` ln(y / (1 - y))).
///
/// Both powers are finite and at least 0; (1, 1) is the default. With `own_power` 0 and `label_power` 1 this is
/// [`super::xent`]. A label of exactly 0 or 1 stays as it is. Source: the product loss in the code of Burns et al.
/// 2023, "Weak-to-Strong Generalization" (arXiv 2312.09390), where beta is `own_power` and alpha `label_power`.
///
/// # Errors
/// As [`super::xent`]; also a power outside its range.
///
/// ```
/// let loss = superalign_learner::loss::product(&[-2.0, -0.5, 0.5, 2.0], &[0.1, 0.6, 0.7, 0.8], 1.0, 1.0)?;
/// assert!((loss - 0.4096101).abs() < 1e-7);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
pub fn product(
    logits: &[f64],
    labels: &[f64],
    label_power: f64,
    own_power: f64,
) -> Result<f64, LearnerError> {
    Loss::Product { label_power, own_power }.batch(logits, labels, 1.0).map(|batch| batch.value)
}

pub(super) fn terms(items: Items<'_>, label_power: f64, own_power: f64, mut out: Out<'_>) {
    out.targets(items.pairs().map(|(z, y)| target(z, y, label_power, own_power)));
}

pub(super) fn sum(items: Items<'_>, label_power: f64, own_power: f64) -> f64 {
    items.against(|z, _, y| target(z, y, label_power, own_power))
}

fn target(z: f64, y: f64, label_power: f64, own_power: f64) -> f64 {
    let label = if label_power > 0.0 { label_power * (y / (1.0 - y)).ln() } else { 0.0 };
    sigmoid::sigmoid(own_power * z + label)
}

#[cfg(test)]
mod tests {
    use super::product;
    use crate::loss::tests::{LOGITS, TARGETS};
    use crate::loss::xent;

    #[test]
    fn golden() {
        assert!((product(&LOGITS, &TARGETS, 1.0, 1.0).expect("valid") - 0.409_610_1).abs() < 5e-8);
    }

    #[test]
    fn hard_labels_stay_as_they_are() {
        let labels = [0.0, 1.0, 1.0, 0.0];
        let (a, b) = (product(&LOGITS, &labels, 1.0, 1.0), xent(&LOGITS, &labels));
        assert!((a.expect("valid") - b.expect("valid")).abs() < 1e-14);
    }
}
