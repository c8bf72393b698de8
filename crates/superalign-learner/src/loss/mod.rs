//! Losses of a binary student against soft labels: one file each, with the value for a batch of logits.
//!
//! A logit z stands for the pair (0, z) of class scores: p1 = 1 / (1 + exp(-z)). A target y is the weak label's
//! probability of class 1.

mod kl;
mod logconf;
mod xent;

pub use kl::kl;
pub use logconf::{Hardened, harden, logconf};
pub(crate) use logconf::{blend, harden_probabilities};
pub use xent::xent;

use crate::LearnerError;

/// What a student minimises.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Loss {
    /// Cross-entropy against the soft label ([`xent`]); [`kl`] has the same gradient and the same student.
    #[default]
    CrossEntropy,
    /// Cross-entropy against a blend of the label and the student's own hardened prediction ([`logconf`]).
    LogConf {
        /// Largest share c_max of the student's own prediction, in [0, 1]; 0.5 in the literature.
        max_confidence: f64,
        /// Share of the schedule, in [0, 1], over which c rises linearly from 0 to c_max; 0.2 in the literature.
        warmup: f64,
    },
}

/// Checks what all losses demand of a batch.
fn check(logits: &[f64], targets: &[f64]) -> Result<(), LearnerError> {
    if logits.is_empty() {
        return Err(LearnerError::TooFewRows { what: "logits", expected: 1, found: 0 });
    }
    if logits.len() != targets.len() {
        let (expected, found) = (logits.len(), targets.len());
        return Err(LearnerError::Rows { what: "targets", of: "logits", expected, found });
    }
    if let Some(row) = logits.iter().position(|z| !z.is_finite()) {
        return Err(LearnerError::Logit { row, value: logits[row] });
    }
    match targets.iter().position(|y| !(0.0..=1.0).contains(y)) {
        Some(row) => Err(LearnerError::Label { row, problem: 0, value: targets[row] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    /// The golden batch of class scores (z0, z1) and weak labels, of which only the difference matters.
    pub(crate) const LOGITS: [f64; 4] = [-2.0, -0.5, 0.5, 2.0];
    pub(crate) const TARGETS: [f64; 4] = [0.1, 0.6, 0.7, 0.8];

    #[test]
    fn bad_batches_are_refused() {
        let messages: Vec<String> =
            [(&[0.0][..], &[][..]), (&[], &[]), (&[0.0, f64::NAN], &[0.5, 0.5]), (&[0.0, 1.0], &[0.5, 1.5])]
                .into_iter()
                .filter_map(|(z, y)| super::xent(z, y).err())
                .map(|e| e.to_string())
                .collect();
        insta::assert_snapshot!(messages.join("\n"), @r"
        targets: expected 1 rows, as many as there are logits, found 0
        logits: expected at least 1 rows, found 0
        logits: row 1 is NaN; expected a finite number
        labels: row 1, problem 0 is 1.5; expected a probability in [0, 1]
        ");
    }
}
