//! Hard bootstrapping.

use super::Loss;
use super::batch::{Items, Out, lean};
use crate::LearnerError;

/// Mean cross-entropy against `trust * y + (1 - trust) * yhat`, where yhat is the class that the student itself finds
/// likelier (one half of each where it finds them equally likely).
///
/// `trust` lies in (0, 1]; 0.8 in the literature. With 1 this is [`super::xent`]. [`super::logconf`] differs in how it
/// hardens: there as many items are of class 1 as the labels say. Source: Reed et al. 2015, "Training Deep Neural
/// Networks on Noisy Labels with Bootstrapping" (arXiv 1412.6596).
///
/// # Errors
/// As [`super::xent`]; also a trust outside its range.
///
/// ```
/// use superalign_learner::loss::{bootstrap_hard, xent};
/// let loss = bootstrap_hard(&[1.0], &[0.5], 0.8)?;
/// assert_eq!(loss, xent(&[1.0], &[0.6])?);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
pub fn bootstrap_hard(logits: &[f64], labels: &[f64], trust: f64) -> Result<f64, LearnerError> {
    Loss::BootstrapHard { trust }.batch(logits, labels, 1.0).map(|batch| batch.value)
}

pub(super) fn terms(items: Items<'_>, trust: f64, mut out: Out<'_>) {
    out.targets(items.pairs().map(|(z, y)| trust * y + (1.0 - trust) * lean(z, 0.0)));
}

pub(super) fn sum(items: Items<'_>, trust: f64) -> f64 {
    items.against(|z, _, y| trust * y + (1.0 - trust) * lean(z, 0.0))
}

#[cfg(test)]
mod tests {
    use super::bootstrap_hard;
    use crate::loss::xent;

    #[test]
    fn an_unsure_student_adds_nothing_but_doubt() {
        assert_eq!(bootstrap_hard(&[0.0], &[1.0], 0.8), xent(&[0.0], &[0.9]));
    }
}
