//! What comes out of a round, and what it means beside the round before.

use super::policy::Round;
use crate::GapError;
use crate::draws::{Draws, same_count};
use superalign_core::Estimate;

/// How good a model is, on held-out items; the draws of all scores of a run belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// Mean of u_c, in [0, 1].
    pub competence: Draws,
    /// Mean of u_v, in [0, 1].
    pub conformity: Draws,
}

/// What the caller reports after a round.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Scores of the student that was trained.
    pub scores: Scores,
    /// Competence of the same student trained for competence alone, on the same budget: the alignment tax needs it.
    pub competence_only: Option<Draws>,
}

/// One of the two objectives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Objective {
    /// Is the task solved.
    Competence,
    /// Does the response keep the norms.
    Conformity,
}

/// A score that fell from one round to the next beyond chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regression {
    /// Which score.
    pub objective: Objective,
    /// This round minus the one before, paired; its interval is below 0.
    pub change: Estimate,
}

/// A finished round.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What was asked for.
    pub round: Round,
    /// Competence of the student.
    pub competence: Estimate,
    /// Conformity of the student.
    pub conformity: Estimate,
    /// Competence of the student minus that of its teacher.
    pub gain: Estimate,
    /// Alignment tax: competence of the competence-only student minus that of this one; negative where conformity
    /// training helped.
    pub tax: Option<Estimate>,
    /// Scores below those of the round before (at first: of the first teacher), beyond the interval of the paired
    /// difference.
    pub regressions: Vec<Regression>,
}

impl Record {
    /// What an outcome means after a teacher's scores.
    pub(super) fn new(
        round: Round,
        teacher: &Scores,
        outcome: &Outcome,
        level: f64,
    ) -> Result<Self, GapError> {
        let student = &outcome.scores;
        check(student)?;
        same_count(&[&teacher.competence, &student.competence, &student.conformity])?;
        let gain = student.competence.minus(&teacher.competence)?.estimate(level)?;
        let change = student.conformity.minus(&teacher.conformity)?.estimate(level)?;
        let changes = [(Objective::Competence, gain), (Objective::Conformity, change)];
        let fell = changes.into_iter().filter(|(_, change)| change.hi < 0.0);
        let tax = match &outcome.competence_only {
            Some(alone) => {
                check_score("competence of the competence-only student: draw", alone)?;
                Some(alone.minus(&student.competence)?.estimate(level)?)
            }
            None => None,
        };
        Ok(Self {
            round,
            competence: student.competence.estimate(level)?,
            conformity: student.conformity.estimate(level)?,
            gain,
            tax,
            regressions: fell.map(|(objective, change)| Regression { objective, change }).collect(),
        })
    }
}

/// Whether scores are finite numbers, and their values shares.
pub(super) fn check(scores: &Scores) -> Result<(), GapError> {
    check_score("competence: draw", &scores.competence)?;
    check_score("conformity: draw", &scores.conformity)
}

fn check_score(what: &'static str, score: &Draws) -> Result<(), GapError> {
    if !(0.0..=1.0).contains(&score.value) {
        return Err(GapError::setting(
            what.split(':').next().unwrap_or(what),
            score.value,
            "a number in [0, 1]",
        ));
    }
    match score.draws.iter().position(|draw| !draw.is_finite()) {
        Some(index) => {
            Err(GapError::Value { what, index, found: score.draws[index], expected: "a finite number" })
        }
        None => Ok(()),
    }
}
