//! Losses of a binary student against soft labels: one file each, with its value and the targets and weights of
//! its gradient.
//!
//! A logit z stands for the pair (0, z) of class scores: p1 = 1 / (1 + exp(-z)). A label y is the weak label's
//! probability of class 1. [`Loss`] names a loss with its parameters; [`Loss::batch`] gives its value and gradient, for
//! training in mini-batches; [`crate::fit_sweep`] trains probes with any.
//!
//! All losses but [`gce`] are means of cross-entropies, in nats, against targets that may follow from the student. No
//! loss changes when the classes are relabelled (z to -z, y to 1 - y), ties of [`harden`] apart.

mod adaptconf;
mod batch;
mod bootstrap_hard;
mod bootstrap_soft;
mod confident_learning;
mod entropy;
mod gce;
mod kl;
mod label_smoothing;
mod logconf;
mod names;
mod product;
mod small_loss;
mod window;
mod xent;

pub use adaptconf::adaptconf;
pub use batch::{Batch, Terms};
pub(crate) use batch::{Items, Out};
pub use bootstrap_hard::bootstrap_hard;
pub use bootstrap_soft::bootstrap_soft;
pub use confident_learning::prune;
pub use entropy::entropy;
pub use gce::gce;
pub use kl::kl;
pub use label_smoothing::label_smoothing;
pub use logconf::{Hardened, harden, logconf};
pub use product::product;
pub use small_loss::small_loss;
pub use window::window;
pub use xent::xent;

use crate::{LearnerError, sigmoid};
use batch::ramp;
use superalign_core::Seed;

/// What a student minimises. [`Loss::named`] gives each with its defaults, which are those of the literature.
///
/// A *warm-up* is the share of the training, in [0, 1], over which what it governs rises linearly from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Loss {
    /// Cross-entropy against the soft label ([`xent`]).
    #[default]
    CrossEntropy,
    /// Divergence from the soft label ([`kl`]): the gradient and the student of cross-entropy, another value.
    Kl,
    /// Cross-entropy against a blend of the label and the student's own hardened prediction ([`logconf`]).
    LogConf {
        /// Largest share c_max of the student's own prediction, in [0, 1]; 0.5 by default.
        max_confidence: f64,
        /// Warm-up of the share c; 0.2 by default.
        warmup: f64,
    },
    /// Cross-entropy against the product of the student's belief and the label ([`product()`]).
    Product {
        /// Power alpha of the label, finite and at least 0; 1 by default.
        label_power: f64,
        /// Power beta of the student's own probability, finite and at least 0; 1 by default.
        own_power: f64,
    },
    /// [`Loss::LogConf`] without the hardening ([`entropy`]).
    Entropy {
        /// Largest share c_max of the student's own prediction, in [0, 1); 0.5 by default.
        max_confidence: f64,
        /// Warm-up of the share c; 0.2 by default.
        warmup: f64,
    },
    /// Cross-entropy where the student is unsure ([`window`]).
    Window {
        /// The radius r, finite and at least 0; 0.15 by default.
        radius: f64,
    },
    /// Generalised cross-entropy ([`gce`]).
    Gce {
        /// The power q, in (0, 1]; 0.7 by default.
        q: f64,
    },
    /// Soft bootstrapping ([`bootstrap_soft`]).
    BootstrapSoft {
        /// Share of the label in the target, in (0, 1]; 0.95 by default.
        trust: f64,
    },
    /// Hard bootstrapping ([`bootstrap_hard`]).
    BootstrapHard {
        /// Share of the label in the target, in (0, 1]; 0.8 by default.
        trust: f64,
    },
    /// Cross-entropy of the items on which it is smallest ([`small_loss`]).
    SmallLoss {
        /// Share of labels thought to be wrong, in [0, 1): what is left out. 0.2 by default; give an estimate.
        noise: f64,
        /// Warm-up of the share left out; 0.2 by default.
        warmup: f64,
    },
    /// Cross-entropy of the items whose label confident learning lets stand ([`prune`]). A sweep cross-validates to
    /// find them; [`Loss::batch`] expects that those pruned are gone, and is cross-entropy.
    ConfidentLearning {
        /// Folds of the cross-validation, at least 2; 5 by default.
        folds: usize,
        /// Deals the rows to the folds; seed 0 by default.
        seed: Seed,
    },
    /// Cross-entropy against smoothed labels ([`label_smoothing`]).
    LabelSmoothing {
        /// Share s of the smoothing, in [0, 1]; 0.1 by default.
        smoothing: f64,
    },
    /// Cross-entropy against a blend whose share follows from each item's confidence ([`adaptconf`]).
    AdaptConf {
        /// The temperature T, finite and above 0; 1 by default.
        temperature: f64,
        /// Warm-up of the shares; 0.25 by default.
        warmup: f64,
    },
}

/// How targets and weights follow from the student, which decides how the sweep solves a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Not at all: a convex problem.
    Fixed,
    /// In jumps.
    Jumps,
    /// In jumps, and smoothly between them.
    Drifts,
    /// Weights in jumps, and it is their average over steps and rounds that counts.
    Averaged,
    /// Smoothly, and the gradient is that of some objective.
    Smooth,
}

impl Loss {
    /// Value and gradient over a batch of n logits and n labels; `progress` in [0, 1] is the share of the training
    /// that has passed, for warm-ups.
    ///
    /// Whatever looks at more than one item (the quantile of [`harden`], the selection of [`small_loss`]) looks at
    /// this batch.
    ///
    /// # Errors
    /// A parameter outside its range; progress outside [0, 1]; no logits, another number of labels, a logit that is
    /// not finite, a label outside [0, 1].
    ///
    /// ```
    /// use superalign_learner::Loss;
    /// let batch = Loss::CrossEntropy.batch(&[0.0, 0.0], &[1.0, 0.0], 0.0)?;
    /// assert_eq!(batch.gradient, [-0.25, 0.25]);
    /// assert!((batch.value - 2.0_f64.ln()).abs() < 1e-15);
    /// # Ok::<(), superalign_learner::LearnerError>(())
    /// ```
    pub fn batch(&self, logits: &[f64], labels: &[f64], progress: f64) -> Result<Batch, LearnerError> {
        let (p, terms) = self.checked_terms(logits, labels, progress)?;
        let n = logits.len() as f64;
        let items = items(logits, &p, labels);
        let pulls = p.iter().zip(&terms.targets).zip(&terms.weights);
        let gradient = pulls.map(|((p, t), w)| w * (p - t) / n).collect();
        // Rounding may leave a value of 0 a hair below it.
        Ok(Batch { value: (self.sum(items, progress) / n).max(0.0), gradient })
    }

    /// The gradient of [`Loss::batch`] as targets and weights.
    ///
    /// # Errors
    /// As [`Loss::batch`].
    pub fn terms(&self, logits: &[f64], labels: &[f64], progress: f64) -> Result<Terms, LearnerError> {
        Ok(self.checked_terms(logits, labels, progress)?.1)
    }

    fn checked_terms(
        &self,
        logits: &[f64],
        labels: &[f64],
        progress: f64,
    ) -> Result<(Vec<f64>, Terms), LearnerError> {
        self.check()?;
        batch::check(logits, labels)?;
        if !(0.0..=1.0).contains(&progress) {
            let expected = "a share in [0, 1]";
            return Err(LearnerError::Setting { key: "progress", found: progress, expected });
        }
        let mut p = vec![0.0; logits.len()];
        sigmoid::probabilities(&mut p, logits);
        let mut terms = Terms { targets: vec![0.0; logits.len()], weights: vec![1.0; logits.len()] };
        let out = Out { targets: &mut terms.targets, weights: &mut terms.weights };
        self.fill(items(logits, &p, labels), progress, out);
        Ok((p, terms))
    }

    /// Writes the targets, and the weights where [`Loss::weighs`], of a batch that has been checked.
    pub(crate) fn fill(&self, items: Items<'_>, progress: f64, out: Out<'_>) {
        match *self {
            Self::CrossEntropy => xent::terms(items, out),
            Self::Kl => kl::terms(items, out),
            Self::LogConf { max_confidence, warmup } => {
                logconf::terms(items, max_confidence * ramp(progress, warmup), out);
            }
            Self::Product { label_power, own_power } => product::terms(items, label_power, own_power, out),
            Self::Entropy { max_confidence, warmup } => {
                entropy::terms(items, max_confidence * ramp(progress, warmup), out);
            }
            Self::Window { radius } => window::terms(items, radius, out),
            Self::Gce { q } => gce::terms(items, q, out),
            Self::BootstrapSoft { trust } => bootstrap_soft::terms(items, trust, out),
            Self::BootstrapHard { trust } => bootstrap_hard::terms(items, trust, out),
            Self::SmallLoss { noise, warmup } => {
                small_loss::terms(items, noise * ramp(progress, warmup), out);
            }
            Self::ConfidentLearning { .. } => confident_learning::terms(items, out),
            Self::LabelSmoothing { smoothing } => label_smoothing::terms(items, smoothing, out),
            Self::AdaptConf { temperature, warmup } => {
                adaptconf::terms(items, temperature, ramp(progress, warmup), out);
            }
        }
    }

    /// The summed loss of a batch that has been checked.
    pub(crate) fn sum(&self, items: Items<'_>, progress: f64) -> f64 {
        match *self {
            Self::CrossEntropy => xent::sum(items),
            Self::Kl => kl::sum(items),
            Self::LogConf { max_confidence, warmup } => {
                logconf::sum(items, max_confidence * ramp(progress, warmup))
            }
            Self::Product { label_power, own_power } => product::sum(items, label_power, own_power),
            Self::Entropy { max_confidence, warmup } => {
                entropy::sum(items, max_confidence * ramp(progress, warmup))
            }
            Self::Window { radius } => window::sum(items, radius),
            Self::Gce { q } => gce::sum(items, q),
            Self::BootstrapSoft { trust } => bootstrap_soft::sum(items, trust),
            Self::BootstrapHard { trust } => bootstrap_hard::sum(items, trust),
            Self::SmallLoss { noise, warmup } => small_loss::sum(items, noise * ramp(progress, warmup)),
            Self::ConfidentLearning { .. } => confident_learning::sum(items),
            Self::LabelSmoothing { smoothing } => label_smoothing::sum(items, smoothing),
            Self::AdaptConf { temperature, warmup } => {
                adaptconf::sum(items, temperature, ramp(progress, warmup))
            }
        }
    }

    /// How the sweep solves it.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::CrossEntropy
            | Self::Kl
            | Self::Entropy { .. }
            | Self::ConfidentLearning { .. }
            | Self::LabelSmoothing { .. } => Kind::Fixed,
            Self::LogConf { .. } | Self::BootstrapHard { .. } | Self::SmallLoss { .. } => Kind::Jumps,
            Self::Window { .. } => Kind::Averaged,
            Self::AdaptConf { .. } => Kind::Drifts,
            Self::Product { .. } | Self::Gce { .. } | Self::BootstrapSoft { .. } => Kind::Smooth,
        }
    }

    /// Whether items have weights other than 1.
    pub(crate) fn weighs(&self) -> bool {
        matches!(
            self,
            Self::Entropy { .. }
                | Self::Window { .. }
                | Self::Gce { .. }
                | Self::SmallLoss { .. }
                | Self::ConfidentLearning { .. }
        )
    }
}

fn items<'a>(z: &'a [f64], p: &'a [f64], y: &'a [f64]) -> Items<'a> {
    Items { z, p, y, prior: y.iter().sum::<f64>() / y.len() as f64 }
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
        let error = super::Loss::Kl.batch(&LOGITS, &TARGETS, 1.5).expect_err("progress above 1");
        assert_eq!(error.to_string(), "progress = 1.5: expected a share in [0, 1]");
    }
}
