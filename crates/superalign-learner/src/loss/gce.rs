//! Generalised cross-entropy.

use super::Loss;
use super::batch::{Items, Out};
use crate::{LearnerError, sigmoid};

/// Mean generalised cross-entropy, y (1 - p^q) / q + (1 - y) (1 - (1 - p)^q) / q, in [0, 1/q]: between cross-entropy
/// (q to 0) and mean absolute error (q = 1), which noise in the labels harms less.
///
/// `q` lies in (0, 1]; 0.7 in the literature. The gradient is that of a cross-entropy with item weights
/// w = y p^q + (1 - y) (1 - p)^q and targets t = y p^q / w. It is not convex. Source: Zhang and Sabuncu 2018,
/// "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels" (arXiv 1805.07836), here
/// averaged over soft labels.
///
/// # Errors
/// As [`super::xent`]; also a q outside its range.
///
/// ```
/// let loss = superalign_learner::loss::gce(&[0.0], &[1.0], 1.0)?;
/// assert_eq!(loss, 0.5);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
pub fn gce(logits: &[f64], labels: &[f64], q: f64) -> Result<f64, LearnerError> {
    Loss::Gce { q }.batch(logits, labels, 1.0).map(|batch| batch.value)
}

pub(super) fn terms(items: Items<'_>, q: f64, mut out: Out<'_>) {
    out.both(items.pairs().map(|(z, y)| {
        let one = y * (q * sigmoid::ln_sigmoid(z)).exp();
        let zero = (1.0 - y) * (q * sigmoid::ln_sigmoid(-z)).exp();
        // Both vanish only where the student is as good as infinitely sure of the other class.
        (if one + zero > 0.0 { one / (one + zero) } else { y }, one + zero)
    }));
}

pub(super) fn sum(items: Items<'_>, q: f64) -> f64 {
    let of = |z: f64| -(q * sigmoid::ln_sigmoid(z)).exp_m1() / q;
    items.pairs().map(|(z, y)| y * of(z) + (1.0 - y) * of(-z)).sum()
}

#[cfg(test)]
mod tests {
    use super::gce;
    use crate::loss::tests::{LOGITS, TARGETS};

    #[test]
    fn mean_absolute_error_at_the_end_of_its_range() {
        let expected: f64 = LOGITS
            .iter()
            .zip(TARGETS)
            .map(|(z, y)| {
                let p = 1.0 / (1.0 + (-z).exp());
                (y * (1.0 - p) + (1.0 - y) * p) / 4.0
            })
            .sum();
        assert!((gce(&LOGITS, &TARGETS, 1.0).expect("valid") - expected).abs() < 1e-14);
    }

    #[test]
    fn bounded_where_cross_entropy_is_not() {
        assert!((gce(&[-800.0], &[1.0], 0.5).expect("valid") - 2.0).abs() < 1e-12);
    }
}
