//! Weak to strong: every rung as teacher of every rung that is no weaker.

use super::recipes::{self, differs, recipe_cell, zero_shot_cell};
use super::score::{Said, Truth, bootstrap};
use super::transfer::{self, Context, Student, Teacher};
use super::{Experiment, Found, FoundBy, Inputs, Job, Questions};
use crate::plan::{Part, Plan, Wanted};
use crate::record::Row;
use crate::report::{self, Findings, Numbers};
use crate::spec::{Choice, LossName, RecipeName, WeakToStrong};
use ndarray::{Array2, ArrayView2, Axis, Zip};
use superalign_core::Estimate;
use superalign_gap::{Bootstrap, capability_draws};

pub(crate) use super::transfer::{GAIN, GAP, TEST, ceiling_cell};

/// Performance gap recovered.
pub(crate) const PGR: &str = "pgr";
/// Test accuracy of the student of a recipe minus that of the student of the teacher's labels as they are.
pub(crate) const RECIPE_GAIN: &str = "gain-over-direct";
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

    fn questions(&self, parts: &[Part]) -> Questions {
        recipes::questions(self, parts)
    }

    fn cells(&self, rungs: usize) -> usize {
        2 * rungs + rungs * (rungs + 1) / 2 * self.loss.len() + recipes::cells(self, rungs)
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
        let mut found = context.learn(&students, self.resample, earlier);
        let more = recipes::run(self, &context, earlier);
        found.rows.extend(more.rows);
        found.items.extend(more.items);
        found
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
    if design.recipe.contains(&RecipeName::ZeroShot) {
        plan.rungs.iter().for_each(|rung| accuracy(&mut rows, &zero_shot_cell(&rung.name)));
    }
    for recipe in recipes::taught(design) {
        // All pairs of a teacher and a stronger student together, on the same resamples of items and seeds.
        let mut both: [Vec<Array2<bool>>; 2] = Default::default();
        for (i, teacher) in plan.rungs.iter().enumerate() {
            for (j, student) in
                plan.rungs.iter().enumerate().filter(|&(j, _)| differs(recipe, i, j) && j >= i)
            {
                let cell = recipe_cell(&teacher.name, &student.name, recipe);
                accuracy(&mut rows, &cell);
                let direct = design.loss.first().map(|&loss| pair_cell(&teacher.name, &student.name, loss));
                let direct =
                    direct.ok_or_else(|| "there is no loss".to_owned()).and_then(|cell| correct(&cell));
                let (weak, with) = (correct(&teacher_cell(&teacher.name)), correct(&cell));
                for (metric, from) in [(GAIN, &weak), (RECIPE_GAIN, &direct)] {
                    let interval = bootstrap(plan, &format!("{cell}/{metric}"));
                    let outcome = from.as_ref().map_err(Clone::clone).and_then(|from| {
                        let with = with.as_ref().map_err(Clone::clone)?;
                        superalign_gap::gain(from.view(), with.view(), groups, &interval)
                            .map_err(|e| e.to_string())
                    });
                    rows.push(Row::new(&*cell, None, metric, "difference", n, outcome));
                }
                if let (Ok(with), Ok(direct), true) = (with, direct, j > i) {
                    both[0].push(direct);
                    both[1].push(with);
                }
            }
        }
        let cell = format!("recipe={}", recipes::recipe_name(recipe));
        let outcome = mean_gain(&both, groups, &bootstrap(plan, &format!("{cell}/{RECIPE_GAIN}")));
        rows.push(Row::new(cell, None, RECIPE_GAIN, "difference", n, outcome));
    }
    rows
}

/// The mean over pairs of what a recipe gains over the direct one.
fn mean_gain(
    [direct, with]: &[Vec<Array2<bool>>; 2],
    groups: Option<&[u32]>,
    bootstrap: &Bootstrap,
) -> Result<Estimate, String> {
    let terms: Vec<ArrayView2<'_, bool>> = direct.iter().chain(with).map(|term| term.view()).collect();
    let pairs = direct.len();
    if pairs == 0 {
        return Err("no pair of a teacher and a stronger student has both".to_owned());
    }
    let draws = capability_draws(&terms, groups, bootstrap).map_err(|e| e.to_string())?;
    let mut sum = draws[pairs].minus(&draws[0]).map_err(|e| e.to_string())?;
    for pair in 1..pairs {
        let one = draws[pairs + pair].minus(&draws[pair]).map_err(|e| e.to_string())?;
        sum = sum.with(&one, |a, b| a + b).map_err(|e| e.to_string())?;
    }
    sum.map(|sum| sum / pairs as f64).estimate(bootstrap.level).map_err(|e| e.to_string())
}
