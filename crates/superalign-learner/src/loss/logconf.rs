//! Auxiliary confidence.

use super::batch::{self, Items, Out};
use super::xent;
use crate::{LearnerError, sigmoid};

/// Mean cross-entropy against the blend T = (1 - c) y + c yhat of the weak label y and the student's own
/// hardened prediction yhat ([`harden`]), which counts as a constant (no gradient runs through it).
///
/// `confidence` is c in [0, 1]; with 0 this is [`xent`]. Source: the auxiliary confidence loss of Burns et al.
/// 2023, "Weak-to-Strong Generalization" (arXiv 2312.09390), with a ramp of c that is linear to the end.
///
/// # Errors
/// As [`xent`]; also a confidence outside [0, 1].
///
/// ```
/// let loss = superalign_learner::loss::logconf(&[-2.0, -0.5, 0.5, 2.0], &[0.1, 0.6, 0.7, 0.8], 0.5)?;
/// assert!((loss - 0.4317525).abs() < 1e-7);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
pub fn logconf(logits: &[f64], targets: &[f64], confidence: f64) -> Result<f64, LearnerError> {
    if !(0.0..=1.0).contains(&confidence) {
        return Err(LearnerError::Setting {
            key: "confidence",
            found: confidence,
            expected: "a share in [0, 1]",
        });
    }
    let hardened = harden(logits, targets)?;
    let mut blended = targets.to_vec();
    blend(&mut blended, targets, &hardened.positive, confidence);
    xent(logits, &blended)
}

/// A student's own predictions, made hard so that about as many are positive as the weak labels say.
#[derive(Clone, Debug, PartialEq)]
pub struct Hardened {
    /// Quantile of p0 over the batch at the mean of the labels: class 0 is where p0 is at least this.
    pub threshold: f64,
    /// Whether each row is hardened to class 1.
    pub positive: Vec<bool>,
}

/// Hardens predictions over a batch: class 0 iff p0 >= quantile(p0, mean(y)), with p0 = 1 / (1 + exp(z)) and the
/// quantile interpolated linearly between order statistics.
///
/// # Errors
/// As [`xent`].
///
/// ```
/// let hardened = superalign_learner::loss::harden(&[-2.0, -0.5, 0.5, 2.0], &[0.1, 0.6, 0.7, 0.8])?;
/// assert!((hardened.threshold - 0.5367378).abs() < 1e-7);
/// assert_eq!(hardened.positive, [false, false, true, true]);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
pub fn harden(logits: &[f64], targets: &[f64]) -> Result<Hardened, LearnerError> {
    batch::check(logits, targets)?;
    let p0: Vec<f64> = logits.iter().map(|&z| sigmoid::sigmoid(-z)).collect();
    let prior = targets.iter().sum::<f64>() / targets.len() as f64;
    let threshold = quantile(&mut p0.clone(), prior);
    Ok(Hardened { threshold, positive: p0.iter().map(|&p| p < threshold).collect() })
}

pub(super) fn terms(items: Items<'_>, confidence: f64, out: Out<'_>) {
    blend(out.targets, items.y, &harden_probabilities(items), confidence);
}

pub(super) fn sum(items: Items<'_>, confidence: f64) -> f64 {
    let mut blended = items.y.to_vec();
    blend(&mut blended, items.y, &harden_probabilities(items), confidence);
    sigmoid::cross_entropy(items.z, &blended)
}

/// As [`harden`], for a batch that is known to be valid.
fn harden_probabilities(items: Items<'_>) -> Vec<bool> {
    let mut p0: Vec<f64> = items.p.iter().map(|p| 1.0 - p).collect();
    let threshold = quantile(&mut p0, items.prior);
    items.p.iter().map(|p| 1.0 - p < threshold).collect()
}

/// Fills `blended` with (1 - c) y + c yhat.
fn blend(blended: &mut [f64], targets: &[f64], positive: &[bool], confidence: f64) {
    for ((out, &y), &positive) in blended.iter_mut().zip(targets).zip(positive) {
        *out = (1.0 - confidence) * y + if positive { confidence } else { 0.0 };
    }
}

/// The quantile at `q` in [0, 1] of a batch that is not empty, which is reordered.
fn quantile(values: &mut [f64], q: f64) -> f64 {
    let position = (values.len() - 1) as f64 * q.clamp(0.0, 1.0);
    let index = position as usize;
    let (_, &mut low, above) = values.select_nth_unstable_by(index, f64::total_cmp);
    let high = above.iter().copied().min_by(f64::total_cmp).unwrap_or(low);
    low + (position - index as f64) * (high - low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::tests::{LOGITS, TARGETS};

    #[test]
    fn golden() {
        assert!((logconf(&LOGITS, &TARGETS, 0.5).expect("valid") - 0.431_752_5).abs() < 5e-8);
        assert!((harden(&LOGITS, &TARGETS).expect("valid").threshold - 0.536_737_8).abs() < 5e-8);
    }

    #[test]
    fn without_confidence_it_is_cross_entropy() {
        assert_eq!(logconf(&LOGITS, &TARGETS, 0.0), xent(&LOGITS, &TARGETS));
    }

    #[test]
    fn confidence_outside_its_range_is_refused() {
        let error = logconf(&LOGITS, &TARGETS, 1.5).expect_err("above 1");
        assert_eq!(error.to_string(), "confidence = 1.5: expected a share in [0, 1]");
    }

    #[test]
    fn quantiles_interpolate() {
        let values = [3.0, 1.0, 2.0, 10.0];
        let at = |q| quantile(&mut values.clone(), q);
        assert_eq!([at(0.0), at(0.5), at(1.0)], [1.0, 2.5, 10.0]);
        assert!((at(0.9) - 7.9).abs() < 1e-12);
    }
}
