//! Kullback-Leibler divergence.

use super::batch::{Items, Out};
use super::xent;
use crate::{LearnerError, sigmoid};

/// Mean Kullback-Leibler divergence from the student to the soft label, in nats, at least 0: [`xent`] minus the
/// entropy H(y) = -(y ln y + (1 - y) ln(1 - y)) of the labels. Its gradient is that of [`xent`]; its value is 0
/// exactly where the student says what the label says.
///
/// # Errors
/// As [`xent`].
///
/// ```
/// let loss = superalign_learner::loss::kl(&[-2.0, -0.5, 0.5, 2.0], &[0.1, 0.6, 0.7, 0.8])?;
/// assert!((loss - 0.0356622).abs() < 1e-7);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
pub fn kl(logits: &[f64], targets: &[f64]) -> Result<f64, LearnerError> {
    let cross_entropy = xent(logits, targets)?;
    let entropy: f64 = targets.iter().map(|&y| term(y) + term(1.0 - y)).sum();
    // Rounding may leave a divergence of 0 a hair below it.
    Ok((cross_entropy - entropy / logits.len() as f64).max(0.0))
}

pub(super) fn terms(items: Items<'_>, mut out: Out<'_>) {
    out.targets(items.y.iter().copied());
}

pub(super) fn sum(items: Items<'_>) -> f64 {
    sigmoid::cross_entropy(items.z, items.y) - items.y.iter().map(|&y| term(y) + term(1.0 - y)).sum::<f64>()
}

fn term(p: f64) -> f64 {
    if p > 0.0 { -p * p.ln() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::kl;
    use crate::loss::tests::{LOGITS, TARGETS};

    #[test]
    fn golden() {
        assert!((kl(&LOGITS, &TARGETS).expect("valid") - 0.035_662_2).abs() < 5e-8);
    }

    #[test]
    fn zero_where_the_student_agrees() {
        let logits = [0.3_f64, -4.0, 0.0];
        let targets = logits.map(|z| 1.0 / (1.0 + (-z).exp()));
        assert!(kl(&logits, &targets).expect("valid") < 1e-15);
        assert!(kl(&[40.0], &[1.0]).expect("valid") < 1e-15);
    }
}
