//! Every pair of a teacher and a student that is no weaker.

use super::{ITEMS, LossName};
use crate::spec::SpecError;
use crate::spec::section::{Bounds, Section};
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
}

impl WeakToStrong {
    pub(super) fn read(data: &Section<'_>, grid: &Section<'_>) -> Result<Self, SpecError> {
        Ok(Self {
            teacher: data.count("teacher", ITEMS)?.unwrap_or(1000),
            student: data.count("student", ITEMS)?.unwrap_or(1000),
            test: data.count("test", ITEMS)?.unwrap_or(1000),
            resample: data.number("resample", Bounds::Above(0.0, 1.0))?.unwrap_or(0.8),
            loss: grid.choices("loss")?.unwrap_or_else(|| vec![LossName::Xent, LossName::Logconf]),
        })
    }
}
