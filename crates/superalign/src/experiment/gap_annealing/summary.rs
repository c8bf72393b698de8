//! The rows over all seeds: every round of every path, and how the paths' ends compare.

use super::trunks::{Ground, Part};
use super::{
    CEILING, COMPETENCE, CONFORMITY, HYPERVOLUME, JOINT, OVER_DIRECT, PRESENCE, TAX, TEACHER, path_cell,
    round_cell,
};
use crate::experiment::score::{Said, Truth, bootstrap};
use crate::experiment::{FoundBy, Inputs};
use crate::plan::Plan;
use crate::record::Row;
use crate::spec::{Choice, GapAnnealing, PlanName, PolicyName};
use ndarray::Array2;
use std::collections::BTreeMap;
use superalign_core::Estimate;
use superalign_gap::{Draws, capability_draws, front_of_students};
use superalign_learner::Head;

pub(super) fn summarise(design: &GapAnnealing, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
    let ground = Ground { inputs };
    let (Ok(competence), Ok(conformity)) =
        (ground.truth(Part::Test, Head::Competence), ground.truth(Part::Test, Head::Conformity))
    else {
        return Vec::new();
    };
    let n = [competence.len(), conformity.len()];
    let mut summary = Summary {
        design,
        plan: inputs.plan,
        said: Said::read(found),
        truths: [competence, conformity],
        known: BTreeMap::new(),
        rows: Vec::new(),
        n,
    };
    summary.students();
    summary.paths();
    summary.fronts();
    summary.rows
}

/// What is known of a student: draws of one objective, which belong together with all others', or why there are none.
type Known = Result<Draws, String>;

struct Summary<'a> {
    design: &'a GapAnnealing,
    plan: &'a Plan,
    said: Said,
    /// Of the test items, by objective.
    truths: [Truth<'a>; 2],
    known: BTreeMap<(String, usize), Known>,
    rows: Vec<Row>,
    n: [usize; 2],
}

impl Summary<'_> {
    fn push(&mut self, cell: &str, metric: &str, unit: &str, n: usize, outcome: Result<Estimate, String>) {
        self.rows.push(Row::new(cell, None, metric, unit, n, outcome));
    }

    fn estimate(&self, draws: &Draws) -> Result<Estimate, String> {
        draws.estimate(self.plan.bootstrap.level).map_err(|e| e.to_string())
    }

    /// The draws of a student's score on one objective.
    fn draws(&mut self, cell: &str, head: Head) -> Known {
        let key = (cell.to_owned(), head.index());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let truth = &self.truths[head.index()];
        let known = self.said.by_seed(cell, &self.plan.seeds, truth.part.name).and_then(|by_seed| {
            let right: Array2<bool> = truth.correct_by_seed(&by_seed);
            // One name for all cells, so that their draws belong together.
            let interval = bootstrap(self.plan, &format!("test/{head}"));
            let draws = capability_draws(&[right.view()], Some(&truth.groups), &interval);
            draws.map_err(|e| e.to_string())?.pop().ok_or_else(|| "no draws".to_owned())
        });
        self.known.insert(key, known.clone());
        known
    }

    /// Competence times conformity.
    fn joint(&mut self, cell: &str) -> Known {
        let (c, v) = (self.draws(cell, Head::Competence)?, self.draws(cell, Head::Conformity)?);
        c.with(&v, |c, v| c * v).map_err(|e| e.to_string())
    }

    /// Competence, conformity and their product, for the supervisor, the ceiling and every round.
    fn students(&mut self) {
        let mut cells = vec![TEACHER.to_owned(), CEILING.to_owned()];
        for (policy, plan) in self.both() {
            cells.extend((1..=self.rounds(policy)).map(|round| round_cell(policy, plan, round)));
        }
        for cell in cells {
            for (head, metric) in Head::BOTH.into_iter().zip([COMPETENCE, CONFORMITY]) {
                let outcome = self.draws(&cell, head).and_then(|draws| self.estimate(&draws));
                self.push(&cell, metric, "share", self.n[head.index()], outcome);
            }
            let outcome = self.joint(&cell).and_then(|draws| self.estimate(&draws));
            self.push(&cell, JOINT, "utility", self.n[0] + self.n[1], outcome);
        }
    }

    /// What each path ends with, beside the competence-only student and the direct jump.
    fn paths(&mut self) {
        for (policy, plan) in self.both() {
            let (cell, last) = (path_cell(policy, plan), self.last(policy, plan));
            let (end, alone) = (
                self.draws(&last, Head::Competence),
                self.draws(&format!("{last}/competence-only"), Head::Competence),
            );
            let tax = alone.and_then(|alone| alone.minus(&end?).map_err(|e| e.to_string()));
            let tax = tax.and_then(|tax| self.estimate(&tax));
            self.push(&cell, TAX, "difference", self.n[0], tax);
            if policy == PolicyName::Direct || !self.design.policy.contains(&PolicyName::Direct) {
                continue;
            }
            let direct = self.last(PolicyName::Direct, plan);
            let (own, direct) = (self.joint(&last), self.joint(&direct));
            let over = own.and_then(|own| own.minus(&direct?).map_err(|e| e.to_string()));
            let over = over.and_then(|over| self.estimate(&over));
            self.push(&cell, OVER_DIRECT, "utility", self.n[0] + self.n[1], over);
        }
    }

    /// The Pareto front of all paths' ends, and the areas under the fronts of each policy and of all.
    fn fronts(&mut self) {
        let all = self.both();
        self.front("all", &all, Mark::Members);
        for &policy in &self.design.policy {
            let own: Vec<_> = all.iter().copied().filter(|(p, _)| *p == policy).collect();
            self.front(&format!("policy={}", policy.name()), &own, Mark::Nothing);
        }
        for &plan in &self.design.plan {
            let own: Vec<_> = all.iter().copied().filter(|(_, p)| *p == plan).collect();
            self.front(&format!("plan={}", plan.name()), &own, Mark::Nothing);
        }
    }

    fn front(&mut self, name: &str, paths: &[(PolicyName, PlanName)], mark: Mark) {
        let mut ends = Vec::with_capacity(paths.len());
        for &(policy, plan) in paths {
            let last = self.last(policy, plan);
            let end = self
                .draws(&last, Head::Competence)
                .and_then(|c| Ok((c, self.draws(&last, Head::Conformity)?)));
            ends.push(end);
        }
        let level = self.plan.bootstrap.level;
        // (1/2, 1/2) is chance on both objectives.
        let front = ends
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
            .and_then(|ends| front_of_students(&ends, (0.5, 0.5), level).map_err(|e| e.to_string()));
        let n = self.n[0] + self.n[1];
        let area = front.as_ref().map(|front| front.hypervolume).map_err(Clone::clone);
        self.push(&format!("front={name}"), HYPERVOLUME, "area", n, area);
        if mark == Mark::Nothing {
            return;
        }
        for (i, &(policy, plan)) in paths.iter().enumerate() {
            let presence = front.as_ref().map_err(Clone::clone).map(|front| {
                let value = front.presence[i];
                Estimate { value, lo: value, hi: value }
            });
            let row = Row::new(path_cell(policy, plan), None, PRESENCE, "share", n, presence);
            self.rows.push(Row { lo: None, hi: None, ..row });
        }
    }

    fn both(&self) -> Vec<(PolicyName, PlanName)> {
        let plans = &self.design.plan;
        self.design.policy.iter().flat_map(|&policy| plans.iter().map(move |&plan| (policy, plan))).collect()
    }

    fn rounds(&self, policy: PolicyName) -> usize {
        rounds(self.design, policy)
    }

    fn last(&self, policy: PolicyName, plan: PlanName) -> String {
        round_cell(policy, plan, self.rounds(policy))
    }
}

/// Whether each path's place on a front is written down.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Members,
    Nothing,
}

/// Rounds of a policy's paths.
pub(crate) fn rounds(design: &GapAnnealing, policy: PolicyName) -> usize {
    if policy == PolicyName::Direct { 1 } else { design.rounds }
}
