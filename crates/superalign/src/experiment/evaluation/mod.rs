//! Judging students where nobody can label, in three ways, each against the truth that is withheld from it.
//!
//! Rungs trained on gold labels are the supervisors; rungs trained on gold labels or on what a weaker supervisor says, on
//! more or fewer items, are the students. A *task* is a right candidate and a wrong one; who gives the right one the
//! greater probability has solved it. The truth about tasks harder than `known` is withheld: `surrogate` judges by easier
//! tasks or other families, `extrapolation` by the course of accuracy up to there, `peer` by what the players say of one
//! another.

mod extrapolation;
mod peer;
mod surrogate;
mod tasks;

use super::score::{Said, Truth, bootstrap};
use super::transfer::{self, Context, Student, Teacher};
use super::{Experiment, Found, FoundBy, Inputs, Job};
use crate::plan::{Plan, Wanted};
use crate::record::Row;
use crate::report::{self, Findings, Numbers};
use crate::spec::Evaluation;
use tasks::{Task, mean_by, tasks};

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

fn supervisor_cell(rung: &str, share: f64) -> String {
    format!("teacher={rung}/share={share}")
}

fn gold_cell(rung: &str, share: f64) -> String {
    format!("ceiling={rung}/share={share}")
}

fn student_cell(teacher: &str, rung: &str, share: f64) -> String {
    format!("teacher={teacher}/student={rung}/share={share}")
}

impl Evaluation {
    /// The supervisors, by rung, then by share.
    pub(crate) fn supervisors(&self, plan: &Plan) -> Vec<Player> {
        let of = |(rung, r): (usize, &crate::plan::RungPlan)| {
            let name = r.name.clone();
            let one = move |&share: &f64| Player {
                cell: supervisor_cell(&name, share),
                name: format!("supervisor {name}, {share}"),
                short: format!("{name} superv."),
                rung,
                share,
            };
            self.share.iter().map(one).collect::<Vec<_>>()
        };
        plan.rungs.iter().enumerate().flat_map(of).collect()
    }

    /// The students, by rung, then by share, then by what taught them: the truth, or a weaker rung.
    pub(crate) fn students(&self, plan: &Plan) -> Vec<Player> {
        let mut all = Vec::new();
        for (rung, r) in plan.rungs.iter().enumerate() {
            for &share in &self.share {
                all.push(Player {
                    cell: gold_cell(&r.name, share),
                    name: format!("{} by truth, {share}", r.name),
                    short: format!("{}<truth", r.name),
                    rung,
                    share,
                });
                all.extend(plan.rungs[..rung].iter().map(|teacher| Player {
                    cell: student_cell(&teacher.name, &r.name, share),
                    name: format!("{} by {}, {share}", r.name, teacher.name),
                    short: format!("{}<{}", r.name, teacher.name),
                    rung,
                    share,
                }));
            }
        }
        all
    }

    /// Those who review one another: supervisors and students of the largest share.
    pub(crate) fn peers(&self, plan: &Plan) -> Vec<Player> {
        let all = self.supervisors(plan).into_iter().chain(self.students(plan));
        all.filter(|player| player.share == self.full()).collect()
    }
}

impl Experiment for Evaluation {
    fn parts(&self) -> Vec<Wanted> {
        transfer::parts(self.teacher, self.student, self.test)
    }

    fn cells(&self, rungs: usize) -> usize {
        let pairs = rungs * rungs.saturating_sub(1) / 2;
        self.share.len() * (2 * rungs + pairs)
    }

    fn jobs(&self, plan: &Plan) -> Vec<Vec<Job>> {
        transfer::jobs(plan)
    }

    fn run(&self, job: &Job, inputs: &Inputs<'_>, earlier: &FoundBy) -> Found {
        let context = Context::new(job, inputs);
        let rung = context.rung();
        if transfer::teaches(job) {
            let teacher = |&share: &f64| Teacher { cell: supervisor_cell(rung, share), share };
            return context.teach(&self.share.iter().map(teacher).collect::<Vec<_>>());
        }
        let mut found = Found::default();
        for &share in &self.share {
            let student = |teacher: &str| Student {
                cell: student_cell(teacher, rung, share),
                teacher: supervisor_cell(teacher, self.full()),
                loss: self.loss,
            };
            let students: Vec<Student> = context.weaker().map(student).collect();
            let one = context.learn_beside(&gold_cell(rung, share), &students, share, earlier);
            found.rows.extend(one.rows);
            found.items.extend(one.items);
        }
        found
    }

    fn summarise(&self, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
        let Ok(test) = Truth::of(inputs.parts, "test") else { return Vec::new() };
        let said = Said::read(found);
        let exam = Exam { design: self, plan: inputs.plan, tasks: tasks(&test), said: &said };
        let mut rows = exam.accuracies();
        rows.extend(surrogate::rows(&exam));
        rows.extend(extrapolation::rows(&exam));
        rows.extend(peer::rows(&exam));
        rows
    }

    fn findings(&self, plan: &Plan, numbers: &Numbers<'_>) -> Findings {
        report::evaluation::findings(plan, self, numbers)
    }
}

/// The tasks of the test part, and what everyone says about them.
struct Exam<'a> {
    design: &'a Evaluation,
    plan: &'a Plan,
    tasks: Vec<Task<'a>>,
    said: &'a Said,
}

impl Exam<'_> {
    /// What a player gets for each task, a row for each seed.
    fn solved(&self, player: &Player) -> Result<Vec<Vec<f64>>, String> {
        let by_seed = self.said.by_seed(&player.cell, &self.plan.seeds, "test")?;
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
        let beyond = |task: &&Task<'_>| task.difficulty.is_some_and(|d| d > self.design.known as u64);
        let none = !self.tasks.iter().any(|task| beyond(&task));
        (0..self.tasks.len()).filter(|&i| none || beyond(&&self.tasks[i])).collect()
    }

    /// How many tasks of how many each player solves, over all and by difficulty.
    fn accuracies(&self) -> Vec<Row> {
        let mut levels: Vec<u64> = self.tasks.iter().filter_map(|task| task.difficulty).collect();
        levels.sort_unstable();
        levels.dedup();
        let mut rows = Vec::new();
        for player in self.design.supervisors(self.plan).iter().chain(&self.design.students(self.plan)) {
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
