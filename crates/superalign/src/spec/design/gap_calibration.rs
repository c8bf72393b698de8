//! Gain against the supervision gap, over pairs whose gap is a dial.

use super::{ITEMS, LossName};
use crate::spec::SpecError;
use crate::spec::section::{Bounds, Section};
use serde::{Deserialize, Serialize};

/// What varies in a gap-calibration experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct GapCalibration {
    /// Items whose gold labels train the teachers.
    pub teacher: usize,
    /// Items that a teacher labels and that train the students.
    pub student: usize,
    /// Held-out items with gold labels.
    pub test: usize,
    /// Share of the groups of the student part that each seed draws for training, in `(0, 1]`.
    pub resample: f64,
    /// Shares of the groups of the teacher part that teachers are trained on, rising: what makes one rung a weaker or
    /// a stronger teacher.
    pub share: Vec<f64>,
    /// Losses of the students.
    pub loss: Vec<LossName>,
}

impl GapCalibration {
    pub(super) fn read(data: &Section<'_>, grid: &Section<'_>) -> Result<Self, SpecError> {
        let mut share =
            grid.numbers("share", Bounds::Above(0.0, 1.0))?.unwrap_or_else(|| vec![0.05, 0.2, 0.8]);
        share.sort_by(f64::total_cmp);
        Ok(Self {
            teacher: data.count("teacher", ITEMS)?.unwrap_or(1000),
            student: data.count("student", ITEMS)?.unwrap_or(1000),
            test: data.count("test", ITEMS)?.unwrap_or(1000),
            resample: data.number("resample", Bounds::Above(0.0, 1.0))?.unwrap_or(0.8),
            share,
            loss: grid.choices("loss")?.unwrap_or_else(|| vec![LossName::Xent]),
        })
    }
}
