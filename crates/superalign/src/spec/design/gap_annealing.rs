//! Schedules of the target gap, and plans of the two objectives, from the weakest rung upwards.

use super::ITEMS;
use crate::spec::SpecError;
use crate::spec::section::{Bounds, Choice, Section};
use serde::{Deserialize, Serialize};
use superalign_learner::{Anneal, Plan};

/// What varies in a gap-annealing experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct GapAnnealing {
    /// Items of each objective whose gold labels train the supervisor, and the candidates whose capacity is measured.
    pub teacher: usize,
    /// Items of each objective that teachers label, over all rounds.
    pub student: usize,
    /// Items of each objective whose gold labels the supervisor keeps to choose by.
    pub validation: usize,
    /// Held-out items of each objective with gold labels.
    pub test: usize,
    /// Rounds of a path; the direct jump has one.
    pub rounds: usize,
    /// Gradient steps of a path, over all its rounds.
    pub steps: usize,
    /// The target gap of the first round.
    pub from: f64,
    /// The target gap of the last round.
    pub to: f64,
    /// Rounds in which one candidate may be trained.
    pub most_uses: usize,
    /// How students are chosen.
    pub policy: Vec<PolicyName>,
    /// How the steps of a student are shared between the objectives.
    pub plan: Vec<PlanName>,
    /// Ranks of the students' bottlenecks: with the rung, the dial of their capacity.
    pub rank: Vec<usize>,
}

impl GapAnnealing {
    pub(super) fn read(
        spec: &Section<'_>,
        data: &Section<'_>,
        grid: &Section<'_>,
    ) -> Result<Self, SpecError> {
        let all = PolicyName::ALL.iter().map(|(_, policy)| *policy).collect();
        let plans = PlanName::ALL.iter().map(|(_, plan)| *plan).collect();
        let (policy, plan) = (grid.choices("policy")?.unwrap_or(all), grid.choices("plan")?.unwrap_or(plans));
        Self::paths(spec, data, grid, policy, plan)
    }

    /// The same, with policies and plans that the grid does not name.
    pub(super) fn paths(
        spec: &Section<'_>,
        data: &Section<'_>,
        grid: &Section<'_>,
        policy: Vec<PolicyName>,
        plan: Vec<PlanName>,
    ) -> Result<Self, SpecError> {
        let annealing = spec.section("annealing")?;
        let mut rank = grid.counts("rank", 1..100_001)?.unwrap_or_else(|| vec![8, 32]);
        rank.sort_unstable();
        let read = Self {
            teacher: data.count("teacher", ITEMS)?.unwrap_or(1000),
            student: data.count("student", ITEMS)?.unwrap_or(2000),
            validation: data.count("validation", ITEMS)?.unwrap_or(1000),
            test: data.count("test", ITEMS)?.unwrap_or(1000),
            rounds: annealing.count("rounds", 1..101)?.unwrap_or(3),
            steps: annealing.count("steps", 10..10_000_001)?.unwrap_or(900),
            from: annealing.number("from", Bounds::Above(0.0, 1.0))?.unwrap_or(0.15),
            to: annealing.number("to", Bounds::Above(0.0, 1.0))?.unwrap_or(0.03),
            most_uses: annealing.count("most-uses", 1..101)?.unwrap_or(1),
            policy,
            plan,
            rank,
        };
        annealing.finish()?;
        Ok(read)
    }
}

/// How students are chosen; see `superalign_gap::annealing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyName {
    /// One round, the whole budget, the candidate of greatest capacity.
    Direct,
    /// One rung at a time.
    FixedSteps,
    /// The target gap stays at its first value.
    Constant,
    /// The target gap moves in a straight line.
    Linear,
    /// The target gap moves along half a cosine.
    Cosine,
    /// The target gap shrinks by the same factor every round.
    Exponential,
    /// The target gap is where a calibration on the supervisor's own labels finds the greatest gain.
    Adaptive,
    /// The linear schedule backwards.
    Reversed,
    /// Any candidate.
    Random,
}

impl Choice for PolicyName {
    const ALL: &'static [(&'static str, Self)] = &[
        ("direct", Self::Direct),
        ("fixed-steps", Self::FixedSteps),
        ("constant", Self::Constant),
        ("linear", Self::Linear),
        ("cosine", Self::Cosine),
        ("exponential", Self::Exponential),
        ("adaptive", Self::Adaptive),
        ("reversed", Self::Reversed),
        ("random", Self::Random),
    ];
}

/// How the steps of a student are shared between the objectives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanName {
    /// Competence, then conformity.
    CompetenceFirst,
    /// Conformity, then competence.
    ConformityFirst,
    /// Both in every step.
    Parallel,
    /// Four steps of competence, four of conformity.
    Alternating,
    /// Alternating, from six of eight steps on competence down to two of eight.
    AlternatingAnnealed,
}

impl PlanName {
    /// The plan itself.
    #[must_use]
    pub const fn plan(self) -> Plan {
        match self {
            Self::CompetenceFirst => Plan::CompetenceFirst,
            Self::ConformityFirst => Plan::ConformityFirst,
            Self::Parallel => Plan::Parallel { weight: 0.5 },
            Self::Alternating => Plan::Alternating { competence: 4, conformity: 4, anneal: Anneal::None },
            Self::AlternatingAnnealed => {
                Plan::Alternating { competence: 6, conformity: 2, anneal: Anneal::Linear { to: 0.25 } }
            }
        }
    }
}

impl Choice for PlanName {
    const ALL: &'static [(&'static str, Self)] = &[
        ("competence-first", Self::CompetenceFirst),
        ("conformity-first", Self::ConformityFirst),
        ("parallel", Self::Parallel),
        ("alternating", Self::Alternating),
        ("alternating-annealed", Self::AlternatingAnnealed),
    ];
}
