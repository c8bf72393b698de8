//! The rows over all seeds: every round of every path, and how the paths' ends compare.

use super::{CEILING, HYPERVOLUME, OVER_DIRECT, PARTS, PRESENCE, TAX, TEACHER, path_cell, round_cell};
use crate::experiment::board::Board;
use crate::experiment::{FoundBy, Inputs};
use crate::record::Row;
use crate::spec::{Choice, GapAnnealing, PlanName, PolicyName};
use superalign_core::Estimate;
use superalign_gap::front_of_students;
use superalign_learner::Head;

pub(super) fn summarise(design: &GapAnnealing, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
    let [.., test] = PARTS;
    let Ok(board) = Board::new(inputs, found, test) else { return Vec::new() };
    let mut summary = Summary { design, board };
    summary.students();
    summary.paths();
    summary.fronts();
    summary.board.rows
}

struct Summary<'a> {
    design: &'a GapAnnealing,
    board: Board<'a>,
}

impl Summary<'_> {
    /// Competence, conformity and their product, for the supervisor, the ceiling and every round.
    fn students(&mut self) {
        let mut cells = vec![TEACHER.to_owned(), CEILING.to_owned()];
        for (policy, plan) in self.both() {
            cells.extend((1..=self.rounds(policy)).map(|round| round_cell(policy, plan, round)));
        }
        cells.iter().for_each(|cell| self.board.student(cell));
    }

    /// What each path ends with, beside the competence-only student and the direct jump.
    fn paths(&mut self) {
        for (policy, plan) in self.both() {
            let (cell, last) = (path_cell(policy, plan), self.last(policy, plan));
            let (end, alone) = (
                self.board.draws(&last, Head::Competence),
                self.board.draws(&format!("{last}/competence-only"), Head::Competence),
            );
            let tax = alone.and_then(|alone| alone.minus(&end?).map_err(|e| e.to_string()));
            let tax = tax.and_then(|tax| self.board.estimate(&tax));
            self.board.push(&cell, TAX, "difference", self.board.items(Head::Competence), tax);
            if policy == PolicyName::Direct || !self.design.policy.contains(&PolicyName::Direct) {
                continue;
            }
            let direct = self.last(PolicyName::Direct, plan);
            let (own, direct) = (self.board.joint(&last), self.board.joint(&direct));
            let over = own.and_then(|own| own.minus(&direct?).map_err(|e| e.to_string()));
            let over = over.and_then(|over| self.board.estimate(&over));
            self.board.push(&cell, OVER_DIRECT, "utility", self.board.all_items(), over);
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
                .board
                .draws(&last, Head::Competence)
                .and_then(|c| Ok((c, self.board.draws(&last, Head::Conformity)?)));
            ends.push(end);
        }
        let level = self.board.plan.bootstrap.level;
        // (1/2, 1/2) is chance on both objectives.
        let front = ends
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
            .and_then(|ends| front_of_students(&ends, (0.5, 0.5), level).map_err(|e| e.to_string()));
        let n = self.board.all_items();
        let area = front.as_ref().map(|front| front.hypervolume).map_err(Clone::clone);
        self.board.push(&format!("front={name}"), HYPERVOLUME, "area", n, area);
        if mark == Mark::Nothing {
            return;
        }
        for (i, &(policy, plan)) in paths.iter().enumerate() {
            let presence = front.as_ref().map_err(Clone::clone).map(|front| {
                let value = front.presence[i];
                Estimate { value, lo: value, hi: value }
            });
            let row = Row::new(path_cell(policy, plan), None, PRESENCE, "share", n, presence);
            self.board.rows.push(Row { lo: None, hi: None, ..row });
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
