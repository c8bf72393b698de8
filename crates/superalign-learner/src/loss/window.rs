//! Confidence window.

use super::Loss;
use super::batch::{Items, Out};
use crate::{LearnerError, sigmoid};

/// Cross-entropy of the items on which the student is unsure, max(p, 1 - p) < 1/2 + r, summed and divided by the
/// number n of *all* items: 0 where the student is sure of everything.
///
/// `radius` is r, finite and at least 0; 0.15 in the literature. From r above 1/2 this is [`super::xent`]. The choice
/// of items counts as a constant, and changes with the student in jumps: a sweep averages it. Source: the option
/// "window" of the code beside EleutherAI's weak-to-strong experiments (github.com/EleutherAI/w2s).
///
/// # Errors
/// As [`super::xent`]; also a radius outside its range.
///
/// ```
/// let loss = superalign_learner::loss::window(&[-2.0, -0.5, 0.5, 2.0], &[0.1, 0.6, 0.7, 0.8], 0.15)?;
/// assert!((loss - 0.3495385).abs() < 1e-7);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
pub fn window(logits: &[f64], labels: &[f64], radius: f64) -> Result<f64, LearnerError> {
    Loss::Window { radius }.batch(logits, labels, 1.0).map(|batch| batch.value)
}

pub(super) fn terms(items: Items<'_>, radius: f64, mut out: Out<'_>) {
    out.targets(items.y.iter().copied());
    out.weights(items.z.iter().map(|&z| f64::from(u8::from(inside(z, radius)))));
}

pub(super) fn sum(items: Items<'_>, radius: f64) -> f64 {
    items.pairs().filter(|&(z, _)| inside(z, radius)).map(|(z, y)| sigmoid::cross_entropy_of(z, y)).sum()
}

fn inside(z: f64, radius: f64) -> bool {
    sigmoid::sigmoid(z.abs()) < 0.5 + radius
}

#[cfg(test)]
mod tests {
    use super::window;
    use crate::loss::tests::{LOGITS, TARGETS};

    #[test]
    fn golden() {
        assert!((window(&LOGITS, &TARGETS, 0.15).expect("valid") - 0.349_538_5).abs() < 5e-8);
    }

    #[test]
    fn a_student_that_is_sure_of_everything_loses_nothing() {
        assert_eq!(window(&[9.0, -9.0], &[0.0, 0.5], 0.15), Ok(0.0));
    }
}
