//! Auxiliary confidence with a soft prediction.

use super::Loss;
use super::batch::{Items, Out};
use crate::LearnerError;

/// Mean cross-entropy against the blend T = (1 - c) y + c p of the weak label and the student's own probability,
/// which counts as a constant: [`super::logconf`] without the hardening.
///
/// `confidence` is c in [0, 1); with 0 this is [`super::xent`]. The gradient is (1 - c) (p - y): the student is that
/// of cross-entropy at the smaller factor (1 - c) C, and only the value tells of confidence. Source: the option
/// "entropy" of the code beside EleutherAI's weak-to-strong experiments (github.com/EleutherAI/w2s).
///
/// # Errors
/// As [`super::xent`]; also a confidence outside its range.
///
/// ```
/// let loss = superalign_learner::loss::entropy(&[-2.0, -0.5, 0.5, 2.0], &[0.1, 0.6, 0.7, 0.8], 0.5)?;
/// assert!((loss - 0.5385465).abs() < 1e-7);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
pub fn entropy(logits: &[f64], labels: &[f64], confidence: f64) -> Result<f64, LearnerError> {
    let loss = Loss::Entropy { max_confidence: confidence, warmup: 0.0 };
    loss.batch(logits, labels, 1.0).map(|batch| batch.value)
}

pub(super) fn terms(items: Items<'_>, confidence: f64, mut out: Out<'_>) {
    out.targets(items.y.iter().copied());
    out.weights(std::iter::repeat(1.0 - confidence));
}

pub(super) fn sum(items: Items<'_>, confidence: f64) -> f64 {
    items.against(|_, p, y| (1.0 - confidence) * y + confidence * p)
}

#[cfg(test)]
mod tests {
    use super::entropy;
    use crate::loss::tests::{LOGITS, TARGETS};

    #[test]
    fn golden() {
        assert!((entropy(&LOGITS, &TARGETS, 0.5).expect("valid") - 0.538_546_5).abs() < 5e-8);
    }
}
