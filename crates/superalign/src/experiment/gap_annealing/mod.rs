//! Gap annealing: from the weakest rung upwards, each round's student the next round's teacher.
//!
//! The supervisor is the weakest rung, trained on gold labels of its own. It keeps some gold labels to choose by
//! (`validation`); students see only what a teacher says. Stages: the candidates' capacities, measured on the
//! supervisor's labels; a pilot that calibrates the adaptive schedule; one job per policy and plan, which walks the
//! whole path. All paths have the same total of gradient steps and of labelled items.

pub(super) mod path;
mod summary;
pub(super) mod trunks;

pub(crate) use summary::rounds;

use super::{Experiment, Found, FoundBy, Inputs, Job};
use crate::plan::{Plan, RungPlan, Wanted};
use crate::record::Row;
use crate::report::{self, Findings, Numbers};
use crate::spec::{Choice, GapAnnealing, PlanName, PolicyName};
use superalign_data::item::Objective;
use superalign_data::world;

/// Accuracy on the competence items.
pub(crate) const COMPETENCE: &str = "competence";
/// Accuracy on the conformity items.
pub(crate) const CONFORMITY: &str = "conformity";
/// Competence times conformity: the joint utility of items whose objectives are independent.
pub(crate) const JOINT: &str = "joint-utility";
/// Competence of the competence-only student minus that of this one, at the same budget.
pub(crate) const TAX: &str = "alignment-tax";
/// The same metric minus that of the direct jump under the same plan.
pub(crate) const OVER_DIRECT: &str = "joint-utility-over-direct";
/// Share of resamples in which a path ends on the Pareto front of all.
pub(crate) const PRESENCE: &str = "share-of-resamples-on-front";
/// Area between the front and (1/2, 1/2).
pub(crate) const HYPERVOLUME: &str = "hypervolume";
/// The target gap of a round.
pub(crate) const TARGET: &str = "target-gap";
/// The gap of the candidate that was taken, as predicted.
pub(crate) const PREDICTED: &str = "predicted-gap";
/// The place of the candidate that was taken in the list of [`candidates`].
pub(crate) const TAKEN: &str = "candidate";
/// Scores of a round below those of the round before, beyond the interval of the paired difference (validation items).
pub(crate) const REGRESSIONS: &str = "regressions";
/// Gain of a student of the pilot over its teacher, on validation items.
const PILOT_GAIN: &str = "pilot-gain";
/// Supervision gap of a pair of the pilot.
const PILOT_GAP: &str = "pilot-gap";

/// The cell of the supervisor.
pub(crate) const TEACHER: &str = "supervisor";
/// The cell of the strongest candidate trained on gold labels of the student part.
pub(crate) const CEILING: &str = "ceiling";

/// Names of the parts, by objective.
pub(super) const PARTS: [[&str; 2]; 4] = [
    ["teacher-competence", "teacher-conformity"],
    ["student-competence", "student-conformity"],
    ["validation-competence", "validation-conformity"],
    ["test-competence", "test-conformity"],
];

/// The cell of a path.
pub(crate) fn path_cell(policy: PolicyName, plan: PlanName) -> String {
    format!("policy={}/plan={}", policy.name(), plan.name())
}

/// The cell of a round of a path, counted from 1.
pub(crate) fn round_cell(policy: PolicyName, plan: PlanName, round: usize) -> String {
    format!("{}/round={round}", path_cell(policy, plan))
}

/// The cell of a candidate.
fn candidate_cell(rung: &str, rank: usize) -> String {
    format!("candidate={rung}/rank={rank}")
}

/// What may be trained: rungs above the weakest (or it alone, where there is no other), with every rank.
pub(crate) fn candidates(plan: &Plan, design: &GapAnnealing) -> Vec<(usize, usize)> {
    let first = usize::from(plan.rungs.len() > 1);
    (first..plan.rungs.len()).flat_map(|rung| design.rank.iter().map(move |&rank| (rung, rank))).collect()
}

impl Experiment for GapAnnealing {
    fn parts(&self) -> Vec<Wanted> {
        let numbers = [
            (self.teacher, "gold labels train the supervisor and measure capacities", world::Part::Teacher),
            (self.student, "teachers' soft labels train the students", world::Part::Student),
            (self.validation, "gold labels that the supervisor keeps to choose by", world::Part::Validation),
            (self.test, "gold labels test everyone", world::Part::Test),
        ];
        let objectives = [Objective::Competence, Objective::Conformity];
        let mut parts = Vec::new();
        for (names, (items, role, part)) in PARTS.iter().zip(numbers) {
            parts.extend(names.iter().zip(objectives).map(|(&name, objective)| Wanted {
                name,
                role,
                part,
                items,
                objective: Some(objective),
            }));
        }
        parts
    }

    fn cells(&self, rungs: usize) -> usize {
        let first = usize::from(rungs > 1);
        let pilots =
            if self.policy.contains(&PolicyName::Adaptive) { self.rank.len() * pairs(rungs) } else { 0 };
        let rounds: usize =
            self.policy.iter().map(|p| if *p == PolicyName::Direct { 1 } else { self.rounds }).sum();
        // The supervisor and the ceiling, candidates, pilots, and every round of every path.
        2 + (rungs - first) * self.rank.len() + pilots + rounds * self.plan.len()
    }

    fn check(&self, plan: &Plan) -> Result<(), String> {
        let widths = plan.rungs.iter().map(|r| (r.model.width, r.name.as_str()));
        let (width, rung) = widths.min().ok_or("the plan has no rung")?;
        match self.rank.iter().find(|rank| **rank > width) {
            None => Ok(()),
            Some(rank) => Err(format!(
                "`rank` is out of range: {rank}\n help: the valid range of `rank` is 1 to {width}, the number of \
                 features of {rung}"
            )),
        }
    }

    fn jobs(&self, plan: &Plan) -> Vec<Vec<Job>> {
        let per_rung = |kind: &str, seed: u64, (rung, r): (usize, &RungPlan)| Job {
            name: format!("{kind}={}/seed={seed}", r.name),
            rung,
            seed: Some(seed),
        };
        let stage = |kind: &'static str| -> Vec<Job> {
            let rungs = || plan.rungs.iter().enumerate();
            plan.seeds.iter().flat_map(|&s| rungs().map(move |r| per_rung(kind, s, r))).collect()
        };
        let mut paths = Vec::new();
        for &seed in &plan.seeds {
            for &policy in &self.policy {
                paths.extend(self.plan.iter().map(|&plan| Job {
                    name: format!("{}/seed={seed}", path_cell(policy, plan)),
                    rung: 0,
                    seed: Some(seed),
                }));
            }
        }
        let mut stages = vec![stage("capacity")];
        if self.policy.contains(&PolicyName::Adaptive) {
            stages.push(stage("pilot"));
        }
        stages.push(paths);
        stages
    }

    fn run(&self, job: &Job, inputs: &Inputs<'_>, earlier: &FoundBy) -> Found {
        path::run(job, self, inputs, earlier)
    }

    fn summarise(&self, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
        summary::summarise(self, inputs, found)
    }

    fn findings(&self, plan: &Plan, numbers: &Numbers<'_>) -> Findings {
        report::gap_annealing::findings(plan, self, numbers)
    }
}

/// Pairs of a rung and a stronger one.
fn pairs(rungs: usize) -> usize {
    rungs * rungs.saturating_sub(1) / 2
}
