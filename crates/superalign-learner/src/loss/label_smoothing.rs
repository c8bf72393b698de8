//! Label smoothing.

use super::Loss;
use super::batch::{Items, Out};
use crate::LearnerError;

/// Mean cross-entropy against smoothed labels, (1 - s) y + s / 2.
///
/// `smoothing` is s in [0, 1]; 0.1 in the literature. With 0 this is [`super::xent`]. Source: Szegedy et al. 2016,
/// "Rethinking the Inception Architecture for Computer Vision" (arXiv 1512.00567), section 7, for two classes.
///
/// # Errors
/// As [`super::xent`]; also a smoothing outside its range.
///
/// ```
/// use superalign_learner::loss::{label_smoothing, xent};
/// let loss = label_smoothing(&[1.0], &[1.0], 0.1)?;
/// assert!((loss - xent(&[1.0], &[0.95])?).abs() < 1e-15);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
pub fn label_smoothing(logits: &[f64], labels: &[f64], smoothing: f64) -> Result<f64, LearnerError> {
    Loss::LabelSmoothing { smoothing }.batch(logits, labels, 1.0).map(|batch| batch.value)
}

pub(super) fn terms(items: Items<'_>, smoothing: f64, mut out: Out<'_>) {
    out.targets(items.y.iter().map(|y| (1.0 - smoothing) * y + 0.5 * smoothing));
}

pub(super) fn sum(items: Items<'_>, smoothing: f64) -> f64 {
    items.against(|_, _, y| (1.0 - smoothing) * y + 0.5 * smoothing)
}

#[cfg(test)]
mod tests {
    use super::label_smoothing;
    use crate::loss::tests::{LOGITS, TARGETS};

    #[test]
    fn smoothed_to_the_end_labels_say_nothing() {
        let (a, b) = (label_smoothing(&LOGITS, &TARGETS, 1.0), label_smoothing(&LOGITS, &[0.0; 4], 1.0));
        assert_eq!(a, b);
    }
}
