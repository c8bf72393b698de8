//! The report of an evaluation experiment: what each of the three ways says, beside the withheld truth.

mod extrapolation;
mod peer;
mod surrogate;

use super::prose::count;
use super::table::{Table, shown};
use super::{Findings, Numbers};
use crate::experiment::exam::{KINDS, Player, SOLVED, TARGET, kind_cell, scored_cell};
use crate::plan::Plan;
use crate::record::Row;
use crate::spec::Evaluation;

/// Reads the findings out of the numbers.
pub(crate) fn findings(plan: &Plan, design: &Evaluation, numbers: &Numbers<'_>) -> Findings {
    let page = Page {
        plan,
        design,
        numbers,
        supervisors: design.supervisors(plan),
        students: design.students(plan),
        peers: design.peers(plan),
    };
    let mut out = Findings { sentences: page.sentences(), ..Findings::default() };
    let mut main = Table::new("Three ways to judge beyond the supervisor", 2, &["way", "question", "answer"]);
    page.surrogate_lines(&mut main);
    page.extrapolation_lines(&mut main);
    page.peer_lines(&mut main);
    out.tables.push(main);
    out.figures.extend(page.surrogate_figures());
    out.tables.extend(page.surrogate_tables());
    out.figures.extend(page.extrapolation_figures());
    out.tables.extend(page.extrapolation_tables());
    out.figures.extend(page.peer_figures());
    out.tables.extend(page.peer_tables());
    out.tables.push(page.accuracies());
    out
}

struct Page<'a> {
    plan: &'a Plan,
    design: &'a Evaluation,
    numbers: &'a Numbers<'a>,
    supervisors: Vec<Player>,
    students: Vec<Player>,
    peers: Vec<Player>,
}

impl<'a> Page<'a> {
    fn row(&self, cell: &str, metric: &str) -> Option<&'a Row> {
        self.numbers.summary(cell, metric)
    }

    fn sentences(&self) -> Vec<String> {
        let mut out = Vec::new();
        let kind = kind_cell(KINDS[0].0);
        let mut scores: Vec<f64> = self
            .students
            .iter()
            .filter_map(|student| self.row(&scored_cell(&kind, student), TARGET)?.value)
            .collect();
        scores.sort_by(f64::total_cmp);
        if let (Some(least), Some(most)) = (scores.first(), scores.last()) {
            out.push(format!(
                "{} of {} are judged. Of the tasks harder than difficulty {}, whose truth is withheld, they solve from \
                 {least:.2} to {most:.2}; a guess solves one half.",
                count(scores.len(), "student"),
                count(self.plan.rungs.len(), "rung"),
                self.design.known
            ));
        }
        out.extend(self.surrogate_sentences());
        out.extend(self.extrapolation_sentences());
        out.extend(self.peer_sentences());
        out
    }

    /// Everyone's share of solved tasks.
    fn accuracies(&self) -> Table {
        let mut table = Table::new("Share of tasks that everyone solves", 1, &["who", "all tasks"]);
        let all = || self.supervisors.iter().chain(&self.students);
        let levels: Vec<String> = {
            let mut levels: Vec<u64> = all()
                .flat_map(|player| self.numbers.below(&player.cell, SOLVED))
                .filter_map(|row| row.key("difficulty")?.parse().ok())
                .collect();
            levels.sort_unstable();
            levels.dedup();
            levels.iter().map(ToString::to_string).collect()
        };
        table.header.extend(levels.iter().map(|level| format!("difficulty {level}")));
        for player in all() {
            let mut row = vec![player.name.clone(), shown(self.row(&player.cell, SOLVED))];
            row.extend(
                levels
                    .iter()
                    .map(|level| shown(self.row(&format!("{}/difficulty={level}", player.cell), SOLVED))),
            );
            table.rows.push(row);
        }
        table
    }
}
