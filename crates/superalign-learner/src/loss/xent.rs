//! Cross-entropy.

use super::batch::{self, Items, Out};
use crate::{LearnerError, sigmoid};

/// Mean cross-entropy of a batch of logits against soft labels, in nats, at least 0:
/// mean of -(y ln p + (1 - y) ln(1 - p)) with p = 1 / (1 + exp(-z)), computed as ln(1 + exp(z)) - y z.
///
/// # Errors
/// No logits, another number of targets, a logit that is not finite, a target outside [0, 1].
///
/// ```
/// let loss = superalign_learner::loss::xent(&[-2.0, -0.5, 0.5, 2.0], &[0.1, 0.6, 0.7, 0.8])?;
/// assert!((loss - 0.5630025).abs() < 1e-7);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
pub fn xent(logits: &[f64], targets: &[f64]) -> Result<f64, LearnerError> {
    batch::check(logits, targets)?;
    Ok(sigmoid::cross_entropy(logits, targets) / logits.len() as f64)
}

pub(super) fn terms(items: Items<'_>, mut out: Out<'_>) {
    out.targets(items.y.iter().copied());
}

pub(super) fn sum(items: Items<'_>) -> f64 {
    sigmoid::cross_entropy(items.z, items.y)
}

#[cfg(test)]
mod tests {
    use super::xent;
    use crate::loss::tests::{LOGITS, TARGETS};

    #[test]
    fn golden() {
        assert!((xent(&LOGITS, &TARGETS).expect("valid") - 0.563_002_5).abs() < 5e-8);
    }
}
