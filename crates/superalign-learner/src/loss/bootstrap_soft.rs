//! Soft bootstrapping.

use super::Loss;
use super::batch::{Items, Out};
use crate::LearnerError;

/// Mean cross-entropy against `trust * y + (1 - trust) * p`, where the student's own probability p is *not* a constant:
/// `trust` times [`super::xent`] plus (1 - trust) times the entropy of the prediction, which a sure student lowers.
///
/// `trust` lies in (0, 1]; 0.95 in the literature. With 1 this is [`super::xent`]. Source: Reed et al. 2015, "Training
/// Deep Neural Networks on Noisy Labels with Bootstrapping" (arXiv 1412.6596). [`super::entropy`] has the same value,
/// but holds p still.
///
/// # Errors
/// As [`super::xent`]; also a trust outside its range.
///
/// ```
/// use superalign_learner::loss::bootstrap_soft;
/// let loss = bootstrap_soft(&[0.0], &[1.0], 0.95)?;
/// assert!((loss - 2.0_f64.ln()).abs() < 1e-15);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
pub fn bootstrap_soft(logits: &[f64], labels: &[f64], trust: f64) -> Result<f64, LearnerError> {
    Loss::BootstrapSoft { trust }.batch(logits, labels, 1.0).map(|batch| batch.value)
}

/// The entropy has the derivative -z p (1 - p).
pub(super) fn terms(items: Items<'_>, trust: f64, mut out: Out<'_>) {
    let own = |z: f64, p: f64| p + z * p * (1.0 - p);
    out.targets(items.pairs().zip(items.p).map(|((z, y), &p)| trust * y + (1.0 - trust) * own(z, p)));
}

pub(super) fn sum(items: Items<'_>, trust: f64) -> f64 {
    items.against(|_, p, y| trust * y + (1.0 - trust) * p)
}

#[cfg(test)]
mod tests {
    use super::bootstrap_soft;
    use crate::loss::entropy;
    use crate::loss::tests::{LOGITS, TARGETS};

    #[test]
    fn the_value_is_that_of_entropy() {
        let (own, other) = (bootstrap_soft(&LOGITS, &TARGETS, 0.7), entropy(&LOGITS, &TARGETS, 0.3));
        assert!((own.expect("valid") - other.expect("valid")).abs() < 1e-15);
    }
}
