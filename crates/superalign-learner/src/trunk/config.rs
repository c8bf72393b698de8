//! How a trunk is trained.

use super::{Plan, Rate, Stopping};
use crate::{LearnerError, Loss, Scaling};

/// How a trunk is trained. The fields are checked when training starts.
///
/// ```
/// use superalign_learner::{Plan, TrunkConfig};
/// let config = TrunkConfig { rank: 4, plan: Plan::CompetenceFirst, ..TrunkConfig::default() };
/// assert!(config.check().is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrunkConfig {
    /// Width of the bottleneck behind the features, from 1 to their number of columns: the student sees no more than
    /// this many linear combinations of them. 16 by default.
    pub rank: usize,
    /// Hidden units behind the bottleneck, at least 1. 64 by default.
    pub width: usize,
    /// Gradient steps, at least 1, over all phases of the plan together. 1000 by default.
    pub steps: usize,
    /// Items of a step, at least 1, of each objective that takes part in it; all of them where there are fewer. 128
    /// by default.
    pub batch: usize,
    /// Peak of the learning rate, a finite number above 0. 0.003 by default.
    pub learning_rate: f64,
    /// Course of the learning rate. A cosine after a warm-up of 0.05 by default.
    pub rate: Rate,
    /// Decay of the weights (not of biases and intercepts), at least 0: each step takes the share rate * decay off
    /// them. 0.01 by default.
    pub decay: f64,
    /// What both heads minimise, over each mini-batch. Cross-entropy by default.
    pub loss: Loss,
    /// Which objective each step follows. Both at once, with equal weight, by default.
    pub plan: Plan,
    /// Whether training may stop early. It does not by default.
    pub stopping: Stopping,
    /// How the features are scaled. To unit variance by default; without that the learning rate depends on their
    /// units.
    pub scaling: Scaling,
}

impl Default for TrunkConfig {
    fn default() -> Self {
        Self {
            rank: 16,
            width: 64,
            steps: 1000,
            batch: 128,
            learning_rate: 0.003,
            rate: Rate::Cosine { warmup: 0.05 },
            decay: 0.01,
            loss: Loss::CrossEntropy,
            plan: Plan::Parallel { weight: 0.5 },
            stopping: Stopping::None,
            scaling: Scaling::UnitVariance,
        }
    }
}

impl TrunkConfig {
    /// Whether every field is within its range. Whether `rank` is at most the number of columns only training can
    /// say.
    ///
    /// # Errors
    /// [`LearnerError::Setting`] for the first field that is not.
    pub fn check(&self) -> Result<(), LearnerError> {
        const ONE: &str = "at least 1";
        const SHARE: &str = "a share in [0, 1]";
        const INNER: &str = "a share above 0 and below 1";
        let count = |n: usize| (n as f64, ONE, n > 0);
        let share = |x: f64| (x, SHARE, (0.0..=1.0).contains(&x));
        let warmup = match self.rate {
            Rate::Constant => 0.0,
            Rate::Cosine { warmup } => warmup,
        };
        let (held_out, patience, every) = match self.stopping {
            Stopping::None => (0.5, 1, 1),
            Stopping::Supervisor { share, patience, every } => (share, patience, every),
        };
        let rate = self.learning_rate;
        let shrink = rate * self.decay;
        for (key, (found, expected, holds)) in [
            ("rank", count(self.rank)),
            ("width", count(self.width)),
            ("steps", count(self.steps)),
            ("batch", count(self.batch)),
            ("learning_rate", (rate, "a finite number above 0", rate > 0.0 && rate.is_finite())),
            (
                "decay",
                (
                    self.decay,
                    "at least 0, and less than 1 / learning_rate",
                    self.decay >= 0.0 && (0.0..1.0).contains(&shrink),
                ),
            ),
            ("warmup", share(warmup)),
            ("share", (held_out, INNER, held_out > 0.0 && held_out < 1.0)),
            ("patience", count(patience)),
            ("every", count(every)),
        ] {
            if !holds {
                return Err(LearnerError::Setting { key, found, expected });
            }
        }
        self.loss.check()?;
        self.plan.phases(self.steps).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_outside_its_range_is_named() {
        let good = TrunkConfig::default();
        let stop = |share, patience, every| Stopping::Supervisor { share, patience, every };
        let messages: Vec<String> = [
            TrunkConfig { rank: 0, ..good },
            TrunkConfig { width: 0, ..good },
            TrunkConfig { steps: 0, ..good },
            TrunkConfig { batch: 0, ..good },
            TrunkConfig { learning_rate: f64::INFINITY, ..good },
            TrunkConfig { decay: -0.1, ..good },
            TrunkConfig { learning_rate: 0.1, decay: 10.0, ..good },
            TrunkConfig { rate: Rate::Cosine { warmup: 2.0 }, ..good },
            TrunkConfig { stopping: stop(1.0, 5, 10), ..good },
            TrunkConfig { stopping: stop(0.1, 0, 10), ..good },
            TrunkConfig { stopping: stop(0.1, 5, 0), ..good },
            TrunkConfig { loss: Loss::LogConf { max_confidence: 1.5, warmup: 0.2 }, ..good },
            TrunkConfig { plan: Plan::Parallel { weight: -1.0 }, ..good },
            TrunkConfig { plan: Plan::CompetenceFirst, steps: 1, ..good },
        ]
        .iter()
        .filter_map(|config| config.check().err())
        .map(|error| error.to_string())
        .collect();
        insta::assert_snapshot!(messages.join("\n"), @r"
        rank = 0: expected at least 1
        width = 0: expected at least 1
        steps = 0: expected at least 1
        batch = 0: expected at least 1
        learning_rate = inf: expected a finite number above 0
        decay = -0.1: expected at least 0, and less than 1 / learning_rate
        decay = 10: expected at least 0, and less than 1 / learning_rate
        warmup = 2: expected a share in [0, 1]
        share = 1: expected a share above 0 and below 1
        patience = 0: expected at least 1
        every = 0: expected at least 1
        max_confidence = 1.5: expected a share in [0, 1]
        weight = -1: expected a share in [0, 1]
        steps = 1: expected enough steps for every objective of the plan
        ");
        assert_eq!(good.check(), Ok(()));
    }
}
