//! The designs: what varies in an experiment, and which part of the data trains what; one file each.
//!
//! A design is what a spec says under `paradigm`, `[data]` and `[grid]`. How it is carried out is in `experiment`.

mod evaluation;
mod gap_annealing;
mod gap_calibration;
mod noise_capacity;
mod reward_bench;
mod sandwiching;
mod self_enhancement;
mod signal_diversity;
mod superalignment;
mod weak_to_strong;

pub use evaluation::Evaluation;
pub use gap_annealing::{GapAnnealing, PlanName, PolicyName};
pub use gap_calibration::GapCalibration;
pub use noise_capacity::{NoiseCapacity, NoiseName, StudentName};
pub use reward_bench::{RewardBench, ScorerName};
pub use sandwiching::{ProtocolName, Sandwiching};
pub use self_enhancement::{SelfEnhancement, VariantName};
pub use signal_diversity::{RuleName, SetName, SignalDiversity};
pub use superalignment::{ArmName, Component, Superalignment};
pub use weak_to_strong::{RecipeName, WeakToStrong};

use super::SpecError;
use super::section::{Choice, Section};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use superalign_learner::Loss;

/// Numbers of items that a part may have.
const ITEMS: Range<usize> = 50..10_000_001;

/// What varies, and which part of the data trains what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "paradigm")]
pub enum Design {
    /// Surrogate testing, extrapolation and peer review, each against the withheld truth.
    Evaluation(Evaluation),
    /// Schedules of the target gap, and plans of the two objectives.
    GapAnnealing(GapAnnealing),
    /// Gain against the supervision gap, and the gap of greatest gain.
    GapCalibration(GapCalibration),
    /// Training accuracy against label noise, per rung.
    NoiseCapacity(NoiseCapacity),
    /// The world's preference set by section, per rung and scorer.
    RewardBench(RewardBench),
    /// A weak judge, helped by stronger advisors.
    Sandwiching(Box<Sandwiching>),
    /// Rounds in which rungs label for themselves and for each other.
    SelfEnhancement(SelfEnhancement),
    /// One source of labels against several, and rules of combination.
    SignalDiversity(SignalDiversity),
    /// All that the paper proposes, together and apart, against naive weak-to-strong.
    Superalignment(Superalignment),
    /// Every pair of a teacher and a student that is no weaker.
    WeakToStrong(WeakToStrong),
}

impl Design {
    /// The design that `paradigm` names.
    pub(super) fn read(
        spec: &Section<'_>,
        data: &Section<'_>,
        grid: &Section<'_>,
    ) -> Result<Self, SpecError> {
        let paradigm = spec
            .choice::<Paradigm>("paradigm")?
            .ok_or_else(|| spec.error("paradigm", "the spec lacks the key `paradigm`".into(), None))?;
        Ok(match paradigm {
            Paradigm::Evaluation => Self::Evaluation(Evaluation::read(data, grid)?),
            Paradigm::GapAnnealing => Self::GapAnnealing(GapAnnealing::read(spec, data, grid)?),
            Paradigm::GapCalibration => Self::GapCalibration(GapCalibration::read(data, grid)?),
            Paradigm::NoiseCapacity => Self::NoiseCapacity(NoiseCapacity::read(data, grid)?),
            Paradigm::RewardBench => Self::RewardBench(RewardBench::read(data, grid)?),
            Paradigm::Sandwiching => Self::Sandwiching(Box::new(Sandwiching::read(spec, data, grid)?)),
            Paradigm::SelfEnhancement => Self::SelfEnhancement(SelfEnhancement::read(spec, data, grid)?),
            Paradigm::SignalDiversity => Self::SignalDiversity(SignalDiversity::read(data, grid)?),
            Paradigm::Superalignment => Self::Superalignment(Superalignment::read(spec, data, grid)?),
            Paradigm::WeakToStrong => Self::WeakToStrong(WeakToStrong::read(data, grid)?),
        })
    }
}

/// A loss of a student, by name; what each minimises is in `superalign_learner::Loss`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossName {
    /// Mean cross-entropy against the soft label.
    Xent,
    /// The same, less the entropy of the label.
    Kl,
    /// Auxiliary confidence: the student's own hardened prediction blended into the label.
    Logconf,
    /// The label times the student's own probability.
    Product,
    /// The student's own probability blended into the label.
    Entropy,
    /// Only items about which the student is unsure.
    Window,
    /// Generalised cross-entropy.
    Gce,
    /// Bootstrapping with the student's probabilities.
    BootstrapSoft,
    /// Bootstrapping with the student's verdicts.
    BootstrapHard,
    /// Only the items of smallest loss.
    SmallLoss,
    /// Items that confident learning suspects are left out.
    ConfidentLearning,
    /// Labels moved towards one half.
    LabelSmoothing,
    /// Confidence weighed anew for each item.
    Adaptconf,
}

impl LossName {
    /// The loss of this name with its usual settings.
    #[must_use]
    pub fn loss(self) -> Loss {
        // A test holds these names against the learner's.
        Loss::named(self.name()).unwrap_or_default()
    }
}

/// The designs by name.
#[derive(Clone, Copy, PartialEq)]
enum Paradigm {
    Evaluation,
    GapAnnealing,
    GapCalibration,
    NoiseCapacity,
    RewardBench,
    Sandwiching,
    SelfEnhancement,
    SignalDiversity,
    Superalignment,
    WeakToStrong,
}

impl Choice for Paradigm {
    const ALL: &'static [(&'static str, Self)] = &[
        ("evaluation", Self::Evaluation),
        ("gap-annealing", Self::GapAnnealing),
        ("gap-calibration", Self::GapCalibration),
        ("noise-capacity", Self::NoiseCapacity),
        ("reward-bench", Self::RewardBench),
        ("sandwiching", Self::Sandwiching),
        ("self-enhancement", Self::SelfEnhancement),
        ("signal-diversity", Self::SignalDiversity),
        ("superalignment", Self::Superalignment),
        ("weak-to-strong", Self::WeakToStrong),
    ];
}

impl Choice for LossName {
    const ALL: &'static [(&'static str, Self)] = &[
        ("xent", Self::Xent),
        ("kl", Self::Kl),
        ("logconf", Self::Logconf),
        ("product", Self::Product),
        ("entropy", Self::Entropy),
        ("window", Self::Window),
        ("gce", Self::Gce),
        ("bootstrap-soft", Self::BootstrapSoft),
        ("bootstrap-hard", Self::BootstrapHard),
        ("small-loss", Self::SmallLoss),
        ("confident-learning", Self::ConfidentLearning),
        ("label-smoothing", Self::LabelSmoothing),
        ("adaptconf", Self::Adaptconf),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_loss_of_the_learner_can_be_named() {
        let names: Vec<&str> = LossName::ALL.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, Loss::NAMES);
        for (name, loss) in LossName::ALL {
            assert_eq!(loss.loss().name(), *name);
        }
    }
}
