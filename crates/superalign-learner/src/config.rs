//! How a probe is trained.

use crate::{LearnerError, Loss, Scaling};

/// How a probe is trained. The fields are checked when training starts.
///
/// ```
/// use superalign_learner::{Loss, ProbeConfig};
/// let config = ProbeConfig { penalty: 0.1, ..ProbeConfig::default() };
/// assert_eq!(config.loss, Loss::CrossEntropy);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbeConfig {
    /// The factor C > 0 of the loss beside the penalty, as in scikit-learn: a larger one means *less*
    /// regularisation, and as the loss is a sum, so does a larger number of rows. 1 by default.
    pub penalty: f64,
    /// What is minimised. Cross-entropy by default.
    pub loss: Loss,
    /// How the features are scaled before the penalty looks at their weights. To unit variance by default.
    pub scaling: Scaling,
    /// Largest Euclidean norm of the gradient of the objective at which a solution is accepted, above 0; 1e-5 by
    /// default. The objective is 1-strongly convex in the (scaled) weights, so this also bounds their distance
    /// from the optimum. Where rounding in double precision is coarser (1e-13 C times the root of the sum of
    /// squares of the scaled features) that bound takes its place.
    pub tolerance: f64,
    /// Most passes over the features that one problem (where there are rounds: one round) may take; 1000 by
    /// default. Ten to thirty is usual.
    pub max_iterations: usize,
    /// Steps of the schedule of losses whose targets follow from the student ([`crate::fit_sweep`]), at least 1;
    /// 50 by default.
    pub schedule_steps: usize,
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self {
            penalty: 1.0,
            loss: Loss::CrossEntropy,
            scaling: Scaling::UnitVariance,
            tolerance: 1e-5,
            max_iterations: 1000,
            schedule_steps: 50,
        }
    }
}

impl ProbeConfig {
    /// Whether every field is within its range.
    ///
    /// # Errors
    /// [`LearnerError::Setting`] for the first field that is not.
    pub fn check(&self) -> Result<(), LearnerError> {
        let positive = |x: f64| x > 0.0 && x.is_finite();
        let at_least_one = |n: usize| n > 0;
        for (key, found, expected, holds) in [
            ("penalty", self.penalty, "a finite number above 0", positive(self.penalty)),
            ("tolerance", self.tolerance, "a finite number above 0", positive(self.tolerance)),
            ("max_iterations", self.max_iterations as f64, "at least 1", at_least_one(self.max_iterations)),
            ("schedule_steps", self.schedule_steps as f64, "at least 1", at_least_one(self.schedule_steps)),
        ] {
            if !holds {
                return Err(LearnerError::Setting { key, found, expected });
            }
        }
        self.loss.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_outside_its_range_is_named() {
        let good = ProbeConfig::default();
        let logconf = |max_confidence, warmup| Loss::LogConf { max_confidence, warmup };
        let messages: Vec<String> = [
            ProbeConfig { penalty: 0.0, ..good },
            ProbeConfig { tolerance: f64::NAN, ..good },
            ProbeConfig { max_iterations: 0, ..good },
            ProbeConfig { schedule_steps: 0, ..good },
            ProbeConfig { loss: logconf(1.2, 0.2), ..good },
            ProbeConfig { loss: logconf(0.5, -0.1), ..good },
        ]
        .iter()
        .filter_map(|config| config.check().err())
        .map(|error| error.to_string())
        .collect();
        insta::assert_snapshot!(messages.join("\n"), @r"
        penalty = 0: expected a finite number above 0
        tolerance = NaN: expected a finite number above 0
        max_iterations = 0: expected at least 1
        schedule_steps = 0: expected at least 1
        max_confidence = 1.2: expected a share in [0, 1]
        warmup = -0.1: expected a share in [0, 1]
        ");
        assert_eq!(good.check(), Ok(()));
    }
}
