//! Weak to strong: every rung as teacher of every rung that is no weaker.

use super::score::{Said, Truth, bootstrap};
use super::transfer::{self, Context, Student, Teacher};
use super::{Experiment, Found, FoundBy, Inputs, Job};
use crate::plan::{Plan, Wanted};
use crate::record::Row;
use crate::report::{self, Findings, Numbers};
use crate::spec::{Choice, LossName, WeakToStrong};
use ndarray::{ArrayView2, Axis, Zip};
use superalign_core::Estimate;
use superalign_gap::{Bootstrap, capability_draws};

pub(crate) use super::transfer::{GAIN, GAP, TEST, ceiling_cell};

/// Performance gap recovered.
pub(crate) const PGR: &str = "pgr";
/// Share of test items on which student and teacher give the same verdict.
pub(crate) const AGREEMENT: &str = "agreement";
/// The same among the test items on which the teacher errs.
pub(crate) const AGREEMENT_WRONG: &str = "agreement-where-teacher-errs";

/// The cell of a rung trained on gold labels of the teacher part.
pub(crate) fn teacher_cell(rung: &str) -> String {
    format!("teacher={rung}")
}

/// The cell of a student and its teacher.
pub(crate) fn pair_cell(teacher: &str, student: &str, loss: LossName) -> String {
    format!("teacher={teacher}/student={student}/loss={}", loss.name())
}

/// The name of a loss.
pub(crate) fn loss_name(loss: LossName) -> &'static str {
    loss.name()
}

impl Experiment for WeakToStrong {
    fn parts(&self) -> Vec<Wanted> {
        transfer::parts(self.teacher, self.student, self.test)
    }

    fn cells(&self, rungs: usize) -> usize {
        2 * rungs + rungs * (rungs + 1) / 2 * self.loss.len()
    }

    fn jobs(&self, plan: &Plan) -> Vec<Vec<Job>> {
        transfer::jobs(plan)
    }

    fn run(&self, job: &Job, inputs: &Inputs<'_>, earlier: &FoundBy) -> Found {
        let context = Context::new(job, inputs);
        if transfer::teaches(job) {
            return context.teach(&[Teacher { cell: teacher_cell(context.rung()), share: self.resample }]);
        }
        let mut students = Vec::new();
        for &loss in &self.loss {
            students.extend(context.weaker().chain([context.rung()]).map(|teacher| Student {
                cell: pair_cell(teacher, context.rung(), loss),
                teacher: teacher_cell(teacher),
                loss,
            }));
        }
        context.learn(&students, self.resample, earlier)
    }

    fn summarise(&self, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
        summarise(self, inputs, found)
    }

    fn findings(&self, plan: &Plan, numbers: &Numbers<'_>) -> Findings {
        report::weak_to_strong::findings(plan, self, numbers)
    }
}

/// The share of the items on which the weak teacher errs where the student errs too: the mistakes that are imitated.
#[expect(clippy::needless_pass_by_value, reason = "array views are Copy, which the lint does not see")]
fn agreement_where_wrong(
    weak: ArrayView2<'_, bool>,
    student: ArrayView2<'_, bool>,
    groups: Option<&[u32]>,
    bootstrap: &Bootstrap,
) -> Result<Estimate, String> {
    let weak_errs = weak.mapv(|right| !right);
    let both_err = Zip::from(weak).and(student).map_collect(|weak, student| !weak && !student);
    let draws = capability_draws(&[both_err.view(), weak_errs.view()], groups, bootstrap);
    let [both, weak] = &draws.map_err(|e| e.to_string())?[..] else {
        return Err("the draws of a pair are not two".into());
    };
    if std::iter::once(&weak.value).chain(&weak.draws).any(|share| *share <= 0.0) {
        return Err("the teacher errs on too few items".into());
    }
    let share = both.with(weak, |both, weak| both / weak).map_err(|e| e.to_string())?;
    share.estimate(bootstrap.level).map_err(|e| e.to_string())
}

fn summarise(design: &WeakToStrong, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
    let plan = inputs.plan;
    let Ok(test) = Truth::of(inputs.parts, "test") else { return Vec::new() };
    let said = Said::read(found);
    let correct =
        |cell: &str| said.by_seed(cell, &plan.seeds, "test").map(|by_seed| test.correct_by_seed(&by_seed));
    let (groups, n) = (Some(test.groups.as_slice()), test.len());
    let mut rows = Vec::new();
    let accuracy = |rows: &mut Vec<Row>, cell: &str| {
        let all = correct(cell);
        let mut push = |name: String, kind: Option<&[usize]>| {
            let interval = bootstrap(plan, &format!("{name}/{TEST}"));
            let n = kind.map_or(n, <[usize]>::len);
            let outcome = all.as_ref().map_err(Clone::clone).and_then(|all| {
                let (chosen, groups) = match kind {
                    None => (all.clone(), test.groups.clone()),
                    Some(kind) => (all.select(Axis(1), kind), kind.iter().map(|&i| test.groups[i]).collect()),
                };
                superalign_gap::capability_over_seeds(chosen.view(), Some(&groups), &interval)
                    .map_err(|e| e.to_string())
            });
            rows.push(Row::new(name, None, TEST, "share", n, outcome));
        };
        push(cell.to_owned(), None);
        for (kind, members) in test.kinds() {
            push(format!("{cell}/{kind}"), Some(&members));
        }
    };
    for rung in &plan.rungs {
        accuracy(&mut rows, &teacher_cell(&rung.name));
        accuracy(&mut rows, &ceiling_cell(&rung.name));
    }
    for (i, teacher) in plan.rungs.iter().enumerate() {
        for student in &plan.rungs[i..] {
            let (weak, ceiling) =
                (correct(&teacher_cell(&teacher.name)), correct(&ceiling_cell(&student.name)));
            for &loss in &design.loss {
                let cell = pair_cell(&teacher.name, &student.name, loss);
                accuracy(&mut rows, &cell);
                let transfer = correct(&cell);
                let all = || -> Result<_, String> {
                    Ok((weak.as_ref()?.view(), transfer.as_ref()?.view(), ceiling.as_ref()?.view()))
                };
                let interval = |metric: &str| bootstrap(plan, &format!("{cell}/{metric}"));
                let mut push = |metric: &str, unit: &str, outcome: Result<Estimate, String>| {
                    rows.push(Row::new(&*cell, None, metric, unit, n, outcome));
                };
                let gain = all().and_then(|(w, t, _)| {
                    superalign_gap::gain(w, t, groups, &interval(GAIN)).map_err(|e| e.to_string())
                });
                push(GAIN, "difference", gain);
                let pgr = all().and_then(|(w, t, c)| {
                    superalign_gap::performance_gap_recovered(w, t, c, groups, &interval(PGR))
                        .map_err(|e| e.to_string())
                });
                push(PGR, "ratio", pgr);
                let gap = all().and_then(|(w, _, c)| {
                    superalign_gap::supervision_gap(w, c, groups, &interval(GAP)).map_err(|e| e.to_string())
                });
                push(GAP, "difference", gap);
                // On a binary question two verdicts agree exactly when both are right or both are wrong.
                let agreement = all().and_then(|(w, t, _)| {
                    superalign_gap::agreement(w, t, groups, &interval(AGREEMENT)).map_err(|e| e.to_string())
                });
                push(AGREEMENT, "share", agreement);
                let wrong = all()
                    .and_then(|(w, t, _)| agreement_where_wrong(w, t, groups, &interval(AGREEMENT_WRONG)));
                push(AGREEMENT_WRONG, "share", wrong);
            }
        }
    }
    rows
}
