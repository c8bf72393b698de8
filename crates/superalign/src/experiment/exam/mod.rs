//! An exam: students judged where nobody can label, in three ways, each against the truth that is withheld from it.
//!
//! A *task* is a right candidate and a wrong one; who gives the right one the greater probability has solved it. The truth
//! about tasks harder than `known` is withheld: `surrogate` judges by easier tasks or other families, `extrapolation` by
//! the course of accuracy up to there, `peer` by what the players say of one another. Who the players are is for the
//! experiment to say.

mod extrapolation;
mod peer;
mod surrogate;
mod tasks;

use super::score::{Said, bootstrap};
use crate::plan::Plan;
use crate::record::Row;
use tasks::{Task, mean_by};

pub(super) use tasks::tasks;

pub(crate) use extrapolation::{
    ACTUAL, AGAINST, BASELINES, BIAS, COVERAGE, CRPS, HORIZON, LOG_SCORE, MEMBERS, PREDICTED, STACK, WEIGHT,
    WIDTH, curve_cell, horizon_cell, predicted_cell,
};
pub(crate) use peer::{
    BREAKDOWN, FAVOUR, METHODS, SELF, STRENGTH, collusion_cell, judge_cell, method_cell, player_cell,
    ranked_cell,
};
pub(crate) use surrogate::{
    AGAINST_RANDOM, FADING, FLATTERY, KENDALL, KINDS, LABEL_ERROR, SIGNIFICANTLY_WRONG, SLOPE, SPEARMAN,
    SURROGATE, TARGET, WRONG, kind_cell, scored_cell, simulated_cell, supervised_cell,
};

/// Share of tasks that are solved: the right candidate has the greater probability.
pub(crate) const SOLVED: &str = "solved-tasks";

/// Who answers: a rung, what taught it and on which share of its part.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Player {
    /// The cell of its training.
    pub(crate) cell: String,
    /// Its name in tables.
    pub(crate) name: String,
    /// The same in few letters.
    pub(crate) short: String,
    /// The rung, by its place in the plan.
    pub(crate) rung: usize,
    /// The share.
    pub(crate) share: f64,
}

/// The tasks of a part, who is judged by them, and what everyone says about them.
pub(super) struct Exam<'a> {
    pub(super) plan: &'a Plan,
    pub(super) tasks: Vec<Task<'a>>,
    /// The name of the part.
    pub(super) part: &'a str,
    pub(super) said: &'a Said,
    /// Those who may label the surrogate.
    pub(super) supervisors: Vec<Player>,
    /// Those who are judged.
    pub(super) students: Vec<Player>,
    /// Those who review one another.
    pub(super) peers: Vec<Player>,
    /// The greatest difficulty that the supervisors can check: the truth about harder tasks is withheld.
    pub(super) known: u64,
    /// Tasks that the peers are asked.
    pub(super) peer: usize,
    /// A judge to whom the probabilities of two answers differ by less calls it a tie.
    pub(super) tie: f64,
    /// Rates at which a simulated supervisor errs about the surrogate, rising.
    pub(super) error: &'a [f64],
}

impl Exam<'_> {
    /// All rows: everyone's share of solved tasks, and what each way says.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows = self.accuracies();
        rows.extend(surrogate::rows(self));
        rows.extend(extrapolation::rows(self));
        rows.extend(peer::rows(self));
        rows
    }

    /// What a player gets for each task, a row for each seed.
    fn solved(&self, player: &Player) -> Result<Vec<Vec<f64>>, String> {
        let by_seed = self.said.by_seed(&player.cell, &self.plan.seeds, self.part)?;
        let of = |said: &&[f64]| self.tasks.iter().map(|task| task.score(said)).collect();
        Ok(by_seed.iter().map(of).collect())
    }

    /// The mean of [`Exam::solved`] over seeds.
    fn mean_solved(&self, player: &Player) -> Result<Vec<f64>, String> {
        let by_seed = self.solved(player)?;
        let n = by_seed.len().max(1) as f64;
        Ok((0..self.tasks.len()).map(|task| by_seed.iter().map(|one| one[task]).sum::<f64>() / n).collect())
    }

    /// The tasks whose truth is withheld; all of them where difficulty is unknown.
    fn withheld(&self) -> Vec<usize> {
        let beyond = |task: &&Task<'_>| task.difficulty.is_some_and(|d| d > self.known);
        let none = !self.tasks.iter().any(|task| beyond(&task));
        (0..self.tasks.len()).filter(|&i| none || beyond(&&self.tasks[i])).collect()
    }

    /// How many tasks of how many each player solves, over all and by difficulty.
    fn accuracies(&self) -> Vec<Row> {
        let mut levels: Vec<u64> = self.tasks.iter().filter_map(|task| task.difficulty).collect();
        levels.sort_unstable();
        levels.dedup();
        let mut rows = Vec::new();
        for player in self.supervisors.iter().chain(&self.students) {
            let solved = self.mean_solved(player);
            let mut push = |cell: String, those: &dyn Fn(&Task<'_>) -> bool| {
                let of: Vec<usize> = (0..self.tasks.len()).filter(|&i| those(&self.tasks[i])).collect();
                let by = bootstrap(self.plan, &cell);
                let outcome = solved.as_ref().map_err(Clone::clone).and_then(|solved| {
                    let values: Vec<f64> = of.iter().map(|&i| solved[i]).collect();
                    let groups: Vec<u32> = of.iter().map(|&i| self.tasks[i].group).collect();
                    mean_by(&values, &groups, &by)
                });
                rows.push(Row::new(cell, None, SOLVED, "share", of.len(), outcome));
            };
            push(player.cell.clone(), &|_| true);
            for &level in &levels {
                push(format!("{}/difficulty={level}", player.cell), &|task| task.difficulty == Some(level));
            }
        }
        rows
    }
}
