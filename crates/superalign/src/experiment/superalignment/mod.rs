//! The capstone: diversified signals, a calibrated gap, an annealed schedule and alternating objectives, together, each
//! alone and each left out, against naive weak-to-strong with the same gradient steps and labelled items.
//!
//! Supervisor, candidates, pilot and budget are those of gap annealing. Students of all arms are then judged where nobody
//! can label, by the same exam as in `evaluation`.

mod arms;
mod summary;

use super::exam::Player;
use super::features::verdicts_on;
use super::gap_annealing::{CEILING, TEACHER, candidates};
use super::{Experiment, Found, FoundBy, Inputs, Job, Questions};
use crate::plan::{Part, Plan, Wanted};
use crate::record::Row;
use crate::report::{self, Findings, Numbers};
use crate::spec::{ArmName, Choice, Component, Superalignment};
use superalign_data::world::{COMPETENCE_VERDICTS, CONFORMITY_VERDICTS};

/// Accuracy of the hardened labels that a round's student is trained on, against gold labels.
pub(crate) const LABELS: &str = "label-accuracy";
/// Sources of those labels.
pub(crate) const SOURCES: &str = "sources";
/// A score of an arm minus that of the naive one.
pub(crate) const OVER_NAIVE: &str = "over-naive";
/// A score with a component minus that without it.
pub(crate) const EFFECT: &str = "effect";
/// Performance gap recovered.
pub(crate) const PGR: &str = "pgr";

/// The verdicts of the models on the student part, by objective.
pub(super) const VERDICTS: [&str; 2] = ["verdicts-competence", "verdicts-conformity"];
/// The parts whose items they are about.
const LABELLED: [&str; 2] = ["student-competence", "student-conformity"];

/// The cell of an arm.
pub(crate) fn arm_cell(arm: ArmName) -> String {
    format!("arm={}", arm.name())
}

/// The cell of a round of an arm, counted from 1.
pub(crate) fn round_cell(arm: ArmName, round: usize) -> String {
    format!("{}/round={round}", arm_cell(arm))
}

/// The cell of a component: alone, or within all others.
pub(crate) fn effect_cell(component: Component, within: &str) -> String {
    format!("component={}/within={within}", component.name())
}

/// Where the effect of a component is measured: without the others, and with them.
pub(crate) const WITHIN: [&str; 2] = ["none", "all"];

impl Superalignment {
    /// Rounds of an arm.
    pub(crate) fn rounds(&self, arm: ArmName) -> usize {
        if arm.has(Component::Annealed) { self.path.rounds } else { 1 }
    }

    /// The cell of an arm's last student.
    pub(crate) fn last(&self, arm: ArmName) -> String {
        round_cell(arm, self.rounds(arm))
    }

    /// Whether some arm goes by the calibrated gap.
    fn calibrates(&self) -> bool {
        self.arm.iter().any(|arm| arm.has(Component::Calibrated))
    }

    /// Those who are judged: the students of all arms, and the one with true labels.
    pub(crate) fn students(&self, plan: &Plan) -> Vec<Player> {
        let rung = plan.rungs.len() - 1;
        let player = |cell: String, name: &str| Player {
            cell,
            name: name.to_owned(),
            short: name.to_owned(),
            rung,
            share: 1.0,
        };
        let mut all: Vec<Player> = self.arm.iter().map(|&arm| player(self.last(arm), arm.name())).collect();
        all.push(player(CEILING.to_owned(), "true labels"));
        all
    }

    /// The weakest rung, trained on its own gold labels.
    pub(crate) fn supervisor() -> Player {
        let name = "supervisor".to_owned();
        Player { cell: TEACHER.to_owned(), name: name.clone(), short: name, rung: 0, share: 1.0 }
    }
}

impl Experiment for Superalignment {
    fn parts(&self) -> Vec<Wanted> {
        self.path.parts()
    }

    fn questions(&self, parts: &[Part]) -> Questions {
        let asked = VERDICTS.iter().zip(LABELLED).zip([COMPETENCE_VERDICTS, CONFORMITY_VERDICTS]);
        let question = |((&name, labelled), verdicts): ((&&'static str, &str), [&str; 2])| {
            let part = parts.iter().find(|part| part.name == labelled)?;
            Some((name, verdicts_on(part, verdicts)))
        };
        asked.filter_map(question).collect()
    }

    fn cells(&self, rungs: usize) -> usize {
        let first = usize::from(rungs > 1);
        let pilots =
            if self.calibrates() { self.path.rank.len() * rungs * rungs.saturating_sub(1) / 2 } else { 0 };
        let rounds: usize = self.arm.iter().map(|&arm| self.rounds(arm)).sum();
        // The supervisor and the ceiling, candidates, pilots, and every round of every arm.
        2 + (rungs - first) * self.path.rank.len() + pilots + rounds
    }

    fn check(&self, plan: &Plan) -> Result<(), String> {
        self.path.check(plan)
    }

    fn jobs(&self, plan: &Plan) -> Vec<Vec<Job>> {
        let per_rung = |kind: &str| -> Vec<Job> {
            let of = |&seed: &u64| {
                plan.rungs
                    .iter()
                    .enumerate()
                    .map(move |(rung, r)| (format!("{}/seed={seed}", r.name), rung, seed))
            };
            let job = |(name, rung, seed)| Job { name: format!("{kind}={name}"), rung, seed: Some(seed) };
            plan.seeds.iter().flat_map(of).map(job).collect()
        };
        let mut arms = Vec::new();
        for &seed in &plan.seeds {
            arms.extend(self.arm.iter().map(|&arm| Job {
                name: format!("{}/seed={seed}", arm_cell(arm)),
                rung: 0,
                seed: Some(seed),
            }));
        }
        let mut stages = vec![per_rung("capacity")];
        if self.calibrates() {
            stages.push(per_rung("pilot"));
        }
        stages.push(arms);
        stages
    }

    fn run(&self, job: &Job, inputs: &Inputs<'_>, earlier: &FoundBy) -> Found {
        arms::run(job, self, inputs, earlier)
    }

    fn summarise(&self, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
        summary::summarise(self, inputs, found)
    }

    fn findings(&self, plan: &Plan, numbers: &Numbers<'_>) -> Findings {
        report::superalignment::findings(plan, self, numbers)
    }
}

/// The candidates that a plan offers, in words.
pub(crate) fn candidate_names(plan: &Plan, design: &Superalignment) -> Vec<String> {
    candidates(plan, &design.path)
        .into_iter()
        .map(|(rung, rank)| format!("{}, rank {rank}", plan.rungs[rung].name))
        .collect()
}
