//! Training accuracy against label noise, per rung and kind of noise.

use super::ITEMS;
use crate::spec::SpecError;
use crate::spec::section::{Bounds, Choice, Section};
use serde::{Deserialize, Serialize};

/// What varies in a noise-capacity experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NoiseCapacity {
    /// Items whose spoiled labels train the students.
    pub train: usize,
    /// Held-out items with clean labels.
    pub test: usize,
    /// Items whose gold labels train the weakest rung as the reference of the kinds of noise that need one.
    pub teacher: usize,
    /// How readily labels `false` and `true` go wrong under class-conditional noise.
    pub class_weights: [f64; 2],
    /// Kinds of student.
    pub student: Vec<StudentName>,
    /// How labels go wrong.
    pub noise: Vec<NoiseName>,
    /// Shares of flipped training labels, rising, in `[0, 1]`.
    pub ratio: Vec<f64>,
    /// Shares of the true labels that students are trained on for the other measures of capacity, rising to 1.
    pub share: Vec<f64>,
}

impl NoiseCapacity {
    pub(super) fn read(data: &Section<'_>, grid: &Section<'_>) -> Result<Self, SpecError> {
        let mut ratio = grid
            .numbers("ratio", Bounds::Closed(0.0, 1.0))?
            .unwrap_or_else(|| (0..=10).map(|i| f64::from(i) / 10.0).collect());
        ratio.sort_by(f64::total_cmp);
        let mut share = grid
            .numbers("share", Bounds::Above(0.0, 1.0))?
            .unwrap_or_else(|| vec![0.0625, 0.125, 0.25, 0.5, 1.0]);
        share.sort_by(f64::total_cmp);
        if share.last() != Some(&1.0) {
            let help = "add 1.0, at which the capability is the ceiling".to_owned();
            return Err(grid.error("share", "`share` does not rise to 1".to_owned(), Some(help)));
        }
        let weights = [("class-weight-false", 1.0), ("class-weight-true", 3.0)];
        let [negative, positive] =
            weights.map(|(key, usual)| Ok(data.number(key, Bounds::Above(0.0, 1e6))?.unwrap_or(usual)));
        Ok(Self {
            train: data.count("train", ITEMS)?.unwrap_or(1000),
            test: data.count("test", ITEMS)?.unwrap_or(1000),
            teacher: data.count("teacher", ITEMS)?.unwrap_or(1000),
            class_weights: [negative?, positive?],
            student: grid.choices("student")?.unwrap_or_else(|| vec![StudentName::Probe]),
            noise: grid.choices("noise")?.unwrap_or_else(|| vec![NoiseName::Uniform]),
            ratio,
            share,
        })
    }

    /// Whether some kind of noise is made by a reference model.
    #[must_use]
    pub fn needs_teacher(&self) -> bool {
        self.noise.iter().any(|n| matches!(n, NoiseName::InstanceDependent | NoiseName::TeacherMade))
    }
}

/// A kind of student.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StudentName {
    /// A logistic regression on the features.
    Probe,
    /// A network with a bottleneck, as `[learner.trunk]` says.
    Trunk,
}

impl Choice for StudentName {
    const ALL: &'static [(&'static str, Self)] = &[("probe", Self::Probe), ("trunk", Self::Trunk)];
}

/// How labels go wrong; see `superalign_data::noise`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoiseName {
    /// Every label is equally likely.
    Uniform,
    /// One class goes wrong more readily than the other.
    ClassConditional,
    /// Items near the boundary of the weakest rung go wrong more readily.
    InstanceDependent,
    /// The mistakes of the weakest rung, those it is surest of first.
    TeacherMade,
}

impl Choice for NoiseName {
    const ALL: &'static [(&'static str, Self)] = &[
        ("uniform", Self::Uniform),
        ("class-conditional", Self::ClassConditional),
        ("instance-dependent", Self::InstanceDependent),
        ("teacher-made", Self::TeacherMade),
    ];
}
