//! Judging students beyond their supervisor: surrogate testing, extrapolation, peer review.

use super::{ITEMS, LossName};
use crate::spec::SpecError;
use crate::spec::section::{Bounds, Section};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Difficulties that a supervisor may be able to check: curves need three of them.
const KNOWN: Range<usize> = 3..101;
/// Tasks that peers may be asked.
const PEER: Range<usize> = 20..1_000_001;

/// What varies in an evaluation experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Evaluation {
    /// Items whose gold labels train the supervisors.
    pub teacher: usize,
    /// Items that a supervisor labels and that train the students.
    pub student: usize,
    /// Held-out items with gold labels; two make a task: a right candidate and a wrong one.
    pub test: usize,
    /// The greatest difficulty that the supervisor can check: the truth about harder tasks is withheld.
    pub known: usize,
    /// Tasks that the peers are asked, of those beyond `known`.
    pub peer: usize,
    /// A judge to whom the probabilities of two answers differ by less calls it a tie.
    pub tie: f64,
    /// Shares of the groups of its part that a supervisor or a student is trained on, rising: what makes many students
    /// of a few rungs. Students learn from supervisors of the largest share.
    pub share: Vec<f64>,
    /// Rates at which a simulated supervisor errs about the surrogate, rising.
    pub error: Vec<f64>,
    /// The loss of the students.
    pub loss: LossName,
}

impl Evaluation {
    pub(super) fn read(data: &Section<'_>, grid: &Section<'_>) -> Result<Self, SpecError> {
        let rising = |mut numbers: Vec<f64>| {
            numbers.sort_by(f64::total_cmp);
            numbers
        };
        let share = grid.numbers("share", Bounds::Above(0.0, 1.0))?.unwrap_or_else(|| vec![0.05, 0.8]);
        let error = grid
            .numbers("error", Bounds::Above(0.0, 0.5))?
            .unwrap_or_else(|| (1..=5).map(|i| f64::from(i) / 10.0).collect());
        Ok(Self {
            teacher: data.count("teacher", ITEMS)?.unwrap_or(1000),
            student: data.count("student", ITEMS)?.unwrap_or(1000),
            test: data.count("test", ITEMS)?.unwrap_or(4000),
            known: data.count("known", KNOWN)?.unwrap_or(3),
            peer: data.count("peer", PEER)?.unwrap_or(400),
            tie: data.number("tie", Bounds::Closed(0.0, 1.0))?.unwrap_or(0.05),
            share: rising(share),
            error: rising(error),
            loss: grid.choice("loss")?.unwrap_or(LossName::Xent),
        })
    }

    /// The largest share.
    #[must_use]
    pub fn full(&self) -> f64 {
        self.share.last().copied().unwrap_or(1.0)
    }
}
