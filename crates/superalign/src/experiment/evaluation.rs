//! Judging students where nobody can label, in three ways, each against the truth that is withheld from it.
//!
//! Rungs trained on gold labels are the supervisors; rungs trained on gold labels or on what a weaker supervisor says, on
//! more or fewer items, are the students. How they are judged is in [`exam`](super::exam).

use super::exam::{Exam, Player, tasks};
use super::score::{Said, Truth};
use super::transfer::{self, Context, Student, Teacher};
use super::{Experiment, Found, FoundBy, Inputs, Job};
use crate::plan::{Plan, Wanted};
use crate::record::Row;
use crate::report::{self, Findings, Numbers};
use crate::spec::Evaluation;

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
        let plan = inputs.plan;
        let exam = Exam {
            plan,
            tasks: tasks(&test),
            part: test.part.name,
            said: &said,
            supervisors: self.supervisors(plan),
            students: self.students(plan),
            peers: self.peers(plan),
            known: self.known as u64,
            peer: self.peer,
            tie: self.tie,
            error: &self.error,
        };
        exam.rows()
    }

    fn findings(&self, plan: &Plan, numbers: &Numbers<'_>) -> Findings {
        report::evaluation::findings(plan, self, numbers)
    }
}
