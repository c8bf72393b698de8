//! Adaptive confidence.

use super::Loss;
use super::batch::{Items, Out, lean};
use crate::{LearnerError, sigmoid};

/// Mean cross-entropy against the blend T = (1 - b) y + b yhat of the weak label y and the class yhat that the student
/// finds likelier, where the share b is each item's own and, like yhat, counts as a constant:
///
/// ```text
/// b = exp(H(p, yhat) / T) / (exp(H(p, yhat) / T) + exp(H(p, yweak) / T)),   H cross-entropy, yweak the label hardened
/// ```
///
/// For two classes b = 1/2 where the student agrees with the hardened label, and sigmoid(-|z| / T), less the surer the
/// student is, where it does not. Ties (z = 0, y = 1/2) harden to one half of each. `temperature` is T, finite and
/// above 0; 1 in the paper. Source: Guo et al. 2024, "Vision Superalignment: Weak-to-Strong Generalization for Vision
/// Foundation Models" (arXiv 2402.03749); b is multiplied by the warm-up of [`Loss::AdaptConf`], as in its code.
///
/// # Errors
/// As [`super::xent`]; also a temperature outside its range.
///
/// ```
/// use superalign_learner::loss::{adaptconf, xent};
/// // The student agrees: half of the target is its own.
/// assert!((adaptconf(&[2.0], &[0.6], 1.0)? - xent(&[2.0], &[0.8])?).abs() < 1e-15);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
pub fn adaptconf(logits: &[f64], labels: &[f64], temperature: f64) -> Result<f64, LearnerError> {
    Loss::AdaptConf { temperature, warmup: 0.0 }.batch(logits, labels, 1.0).map(|batch| batch.value)
}

pub(super) fn terms(items: Items<'_>, temperature: f64, ramp: f64, mut out: Out<'_>) {
    out.targets(items.pairs().map(|(z, y)| target(z, y, temperature, ramp)));
}

pub(super) fn sum(items: Items<'_>, temperature: f64, ramp: f64) -> f64 {
    items.against(|z, _, y| target(z, y, temperature, ramp))
}

fn target(z: f64, y: f64, temperature: f64, ramp: f64) -> f64 {
    // The difference of the two cross-entropies: ln(1 + exp(z)) falls out.
    let difference = lean(y, 0.5) * z - z.max(0.0);
    let share = ramp * sigmoid::sigmoid(difference / temperature);
    (1.0 - share) * y + share * lean(z, 0.0)
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn a_student_that_disagrees_is_heard_less_the_surer_it_is() {
        assert_eq!(target(3.0, 1.0, 1.0, 1.0), 1.0);
        let own: Vec<f64> = [0.5, 2.0, 8.0].iter().map(|&z| target(z, 0.0, 1.0, 1.0)).collect();
        assert!(own[0] < 0.5 && own[0] > own[1] && own[1] > own[2] && own[2] > 0.0, "{own:?}");
        assert_eq!(target(2.0, 0.0, 1.0, 0.0), 0.0);
    }
}
