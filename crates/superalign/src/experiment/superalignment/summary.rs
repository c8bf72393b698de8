//! The rows over all seeds: every arm beside the naive one, what each component does, and the exam.

use super::{EFFECT, OVER_NAIVE, PGR, WITHIN, arm_cell, effect_cell, round_cell};
use crate::experiment::board::{Board, Known};
use crate::experiment::exam::{Exam, tasks};
use crate::experiment::gap_annealing::{CEILING, COMPETENCE, CONFORMITY, JOINT, PARTS, TEACHER};
use crate::experiment::score::bootstrap;
use crate::experiment::{FoundBy, Inputs};
use crate::record::Row;
use crate::spec::{ArmName, Component, Superalignment};
use superalign_core::Estimate;
use superalign_gap::performance_gap_recovered;
use superalign_learner::Head;

pub(super) fn summarise(design: &Superalignment, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
    let [.., test] = PARTS;
    let Ok(board) = Board::new(inputs, found, test) else { return Vec::new() };
    let mut summary = Summary { design, board };
    summary.students();
    summary.arms();
    summary.components();
    let [competence, _] = &summary.board.truths;
    let exam = Exam {
        plan: inputs.plan,
        tasks: tasks(competence),
        part: competence.part.name,
        said: &summary.board.said,
        supervisors: vec![Superalignment::supervisor()],
        students: design.students(inputs.plan),
        peers: std::iter::once(Superalignment::supervisor()).chain(design.students(inputs.plan)).collect(),
        known: design.known as u64,
        peer: design.peer,
        tie: design.tie,
        error: &[],
    };
    let judged = exam.rows();
    let mut rows = summary.board.rows;
    rows.extend(judged);
    rows
}

struct Summary<'a> {
    design: &'a Superalignment,
    board: Board<'a>,
}

impl Summary<'_> {
    /// Competence, conformity and their product, for the supervisor, the ceiling and every round.
    fn students(&mut self) {
        let mut cells = vec![TEACHER.to_owned(), CEILING.to_owned()];
        for &arm in &self.design.arm {
            cells.extend((1..=self.design.rounds(arm)).map(|round| round_cell(arm, round)));
        }
        cells.iter().for_each(|cell| self.board.student(cell));
    }

    /// What each arm ends with, beside the naive one and beside the ceiling.
    fn arms(&mut self) {
        for &arm in &self.design.arm {
            let (cell, last) = (arm_cell(arm), self.design.last(arm));
            for (head, metric) in Head::BOTH.into_iter().zip([COMPETENCE, CONFORMITY]) {
                let pgr = self.recovered(&last, head);
                let n = self.board.items(head);
                self.board.push(&cell, &format!("{PGR}-{metric}"), "ratio", n, pgr);
            }
            if arm != ArmName::Naive && self.design.arm.contains(&ArmName::Naive) {
                self.differences(&cell, OVER_NAIVE, &last, &self.design.last(ArmName::Naive));
            }
        }
    }

    /// What each component does where the others are absent, and where they are there.
    fn components(&mut self) {
        for component in Component::ALL {
            let pairs = [(component.alone(), ArmName::Naive), (ArmName::All, component.left_out())];
            for ((with, without), within) in pairs.into_iter().zip(WITHIN) {
                if [with, without].iter().all(|arm| self.design.arm.contains(arm)) {
                    let (with, without) = (self.design.last(with), self.design.last(without));
                    self.differences(&effect_cell(component, within), EFFECT, &with, &without);
                }
            }
        }
    }

    fn recovered(&self, last: &str, head: Head) -> Result<Estimate, String> {
        let [weak, transfer, ceiling] = [TEACHER, last, CEILING].map(|cell| self.board.right(cell, head));
        let (weak, transfer, ceiling) = (weak?, transfer?, ceiling?);
        let groups = &self.board.truths[head.index()].groups;
        let by = bootstrap(self.board.plan, &format!("{last}/{PGR}/{head}"));
        performance_gap_recovered(weak.view(), transfer.view(), ceiling.view(), Some(groups), &by)
            .map_err(|e| e.to_string())
    }

    /// How one student's scores differ from another's, on the same resamples of the test items.
    fn differences(&mut self, cell: &str, metric: &str, with: &str, without: &str) {
        let minus = |with: Known, without: Known| with?.minus(&without?).map_err(|e| e.to_string());
        for (head, score) in Head::BOTH.into_iter().zip([COMPETENCE, CONFORMITY]) {
            let difference = minus(self.board.draws(with, head), self.board.draws(without, head));
            let outcome = difference.and_then(|draws| self.board.estimate(&draws));
            let n = self.board.items(head);
            self.board.push(cell, &format!("{score}-{metric}"), "difference", n, outcome);
        }
        let difference = minus(self.board.joint(with), self.board.joint(without));
        let outcome = difference.and_then(|draws| self.board.estimate(&draws));
        let n = self.board.all_items();
        self.board.push(cell, &format!("{JOINT}-{metric}"), "utility", n, outcome);
    }
}
