//! The one place where a trunk meets the losses.

use crate::loss::{blend, harden};
use crate::{LearnerError, Loss, sigmoid};

/// What a loss says of a batch.
pub(crate) struct Batch {
    /// The mean over the batch.
    pub(crate) value: f64,
    /// Derivative of `value` by the logit of each item.
    pub(crate) gradient: Vec<f64>,
}

/// Mean loss of logits against soft labels at a progress in [0, 1], and its gradient. Logits are finite and labels
/// in [0, 1].
pub(crate) fn batch(
    loss: Loss,
    logits: &[f64],
    labels: &[f64],
    progress: f64,
) -> Result<Batch, LearnerError> {
    match loss {
        Loss::CrossEntropy => Ok(cross_entropy(logits, labels)),
        Loss::LogConf { max_confidence, warmup } => {
            let ramp = if progress < warmup { progress / warmup } else { 1.0 };
            let hardened = harden(logits, labels)?;
            let mut targets = labels.to_vec();
            blend(&mut targets, labels, &hardened.positive, max_confidence * ramp);
            Ok(cross_entropy(logits, &targets))
        }
    }
}

/// Whether the parameters of a loss are in range.
pub(crate) fn check(loss: Loss) -> Result<(), LearnerError> {
    crate::ProbeConfig { loss, ..crate::ProbeConfig::default() }.check()
}

fn cross_entropy(logits: &[f64], targets: &[f64]) -> Batch {
    let n = logits.len() as f64;
    let mut gradient = vec![0.0; logits.len()];
    sigmoid::probabilities(&mut gradient, logits);
    for (gradient, target) in gradient.iter_mut().zip(targets) {
        *gradient = (*gradient - target) / n;
    }
    Batch { value: sigmoid::cross_entropy(logits, targets) / n, gradient }
}
