//! Every pair of a teacher and a student that is no weaker.

use super::{ITEMS, LossName};
use crate::spec::SpecError;
use crate::spec::section::{Bounds, Choice, Section};
use serde::{Deserialize, Serialize};

/// What varies in a weak-to-strong experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct WeakToStrong {
    /// Items whose gold labels train the teachers.
    pub teacher: usize,
    /// Items that a teacher labels and that train the students.
    pub student: usize,
    /// Held-out items with gold labels.
    pub test: usize,
    /// Share of the groups of its part that each seed draws for training, in `(0, 1]`.
    pub resample: f64,
    /// Losses of the students.
    pub loss: Vec<LossName>,
    /// What happens between a teacher's labels and the student; all but `direct` use the first loss.
    pub recipe: Vec<RecipeName>,
}

/// What happens between a teacher's labels and the student; each is a function of
/// `superalign_paradigm::weak_to_strong`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecipeName {
    /// Nothing: the student learns from all labels as they are.
    Direct,
    /// Every rung between the two learns from the one below it and labels the same items for the one above.
    Bootstrapped,
    /// The student learns from the half of the labels that the teacher is surest of, high and low alike.
    ConfidenceFilter,
    /// The student learns from the items on which the teacher and all weaker teachers agree.
    AgreementFilter,
    /// The student labels the items anew and learns from the half that it is surest of, twice.
    SelfTraining,
    /// No teacher: the student's own verdict.
    ZeroShot,
}

impl WeakToStrong {
    pub(super) fn read(data: &Section<'_>, grid: &Section<'_>) -> Result<Self, SpecError> {
        Ok(Self {
            teacher: data.count("teacher", ITEMS)?.unwrap_or(1000),
            student: data.count("student", ITEMS)?.unwrap_or(1000),
            test: data.count("test", ITEMS)?.unwrap_or(1000),
            resample: data.number("resample", Bounds::Above(0.0, 1.0))?.unwrap_or(0.8),
            loss: grid.choices("loss")?.unwrap_or_else(|| vec![LossName::Xent, LossName::Logconf]),
            recipe: grid.choices("recipe")?.unwrap_or_else(|| vec![RecipeName::Direct]),
        })
    }
}

impl Choice for RecipeName {
    const ALL: &'static [(&'static str, Self)] = &[
        ("direct", Self::Direct),
        ("bootstrapped", Self::Bootstrapped),
        ("confidence-filter", Self::ConfidenceFilter),
        ("agreement-filter", Self::AgreementFilter),
        ("self-training", Self::SelfTraining),
        ("zero-shot", Self::ZeroShot),
    ];
}
