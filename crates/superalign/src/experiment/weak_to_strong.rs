//! Weak to strong: every rung as teacher of every rung that is no weaker.
//!
//! Three parts, disjoint by group: gold labels of `teacher` train the teachers; the teachers' soft labels of
//! `student` train the students, and gold labels of the same items train the ceilings; `test` tests all.
//! Each seed draws the training items of a part anew, by group; the test part stays. Two stages of jobs:
//! every teacher, then every student with its ceiling and all its teachers.

use super::score::{Said, Speaker, Truth, bootstrap, drawn, item_rows};
use super::{Experiment, Found, FoundBy, Inputs, Job, probe_config};
use crate::plan::{Plan, RungPlan, Wanted};
use crate::record::Row;
use crate::report::{self, Findings, Numbers};
use crate::spec::{Choice, LossName, WeakToStrong};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use superalign_core::Estimate;
use superalign_data::world;
use superalign_learner::{Probe, fit, fit_sweep};

/// Accuracy on the test part, against gold labels.
pub(crate) const TEST: &str = "test-accuracy";
/// Accuracy of a teacher's hardened labels on the student part.
pub(crate) const LABELS: &str = "label-accuracy";
/// Test accuracy of the student minus that of the teacher.
pub(crate) const GAIN: &str = "gain";
/// Performance gap recovered.
pub(crate) const PGR: &str = "pgr";
/// Test accuracy of the student's ceiling minus that of the teacher.
pub(crate) const GAP: &str = "supervision-gap";
/// Share of test items on which student and teacher give the same verdict.
pub(crate) const AGREEMENT: &str = "agreement";
/// The same among the test items on which the teacher errs.
pub(crate) const AGREEMENT_WRONG: &str = "agreement-where-teacher-errs";

/// The cell of a rung trained on gold labels of the teacher part.
pub(crate) fn teacher_cell(rung: &str) -> String {
    format!("teacher={rung}")
}

/// The cell of a rung trained on gold labels of the student part.
pub(crate) fn ceiling_cell(rung: &str) -> String {
    format!("ceiling={rung}")
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
        let part = |name, role, part, items| Wanted { name, role, part, items, objective: None };
        let labelled = "a teacher's soft labels train the students, gold labels the ceilings";
        vec![
            part("teacher", "gold labels train the teachers", world::Part::Teacher, self.teacher),
            part("student", labelled, world::Part::Student, self.student),
            part("test", "gold labels test everyone", world::Part::Test, self.test),
        ]
    }

    fn cells(&self, rungs: usize) -> usize {
        2 * rungs + rungs * (rungs + 1) / 2 * self.loss.len()
    }

    fn jobs(&self, plan: &Plan) -> Vec<Vec<Job>> {
        let stage = |kind: &str| -> Vec<Job> {
            let job = |seed: u64, rung: usize, r: &RungPlan| Job {
                name: format!("{kind}={}/seed={seed}", r.name),
                rung,
                seed: Some(seed),
            };
            plan.seeds
                .iter()
                .flat_map(|&s| plan.rungs.iter().enumerate().map(move |(i, r)| job(s, i, r)))
                .collect()
        };
        vec![stage("teacher"), stage("student")]
    }

    fn run(&self, job: &Job, inputs: &Inputs<'_>, earlier: &FoundBy) -> Found {
        let context = Context { job, design: self, inputs, seed: job.seed.unwrap_or_default() };
        if job.name.starts_with("teacher=") { context.teach() } else { context.learn(earlier) }
    }

    fn summarise(&self, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
        summarise(self, inputs, found)
    }

    fn findings(&self, plan: &Plan, numbers: &Numbers<'_>) -> Findings {
        report::weak_to_strong::findings(plan, self, numbers)
    }
}

/// What a job needs, with the failures of its cells turned into rows.
struct Context<'a> {
    job: &'a Job,
    design: &'a WeakToStrong,
    inputs: &'a Inputs<'a>,
    seed: u64,
}

impl Context<'_> {
    fn rung(&self) -> &str {
        &self.inputs.plan.rungs[self.job.rung].name
    }

    fn truth(&self, part: &str) -> Result<Truth<'_>, String> {
        Truth::of(self.inputs.parts, part)
    }

    fn features(&self, part: &str) -> Result<ArrayView2<'_, f32>, String> {
        self.inputs.features[self.job.rung].part(part)
    }

    /// The positions of the items of a part that this seed trains on.
    fn drawn(&self, truth: &Truth<'_>) -> Result<Vec<usize>, String> {
        drawn(truth, self.design.resample, self.inputs.plan.seed(self.seed, truth.part.name))
    }

    /// A row with the accuracy on a part.
    fn accuracy(&self, cell: &str, metric: &str, truth: &Truth<'_>, said: Result<&[f64], &str>) -> Row {
        let interval = bootstrap(self.inputs.plan, &format!("{cell}/{metric}/{}", self.seed));
        let outcome = said.map_err(str::to_owned).and_then(|said| {
            superalign_gap::capability(&truth.correct(said), Some(&truth.groups), &interval)
                .map_err(|e| e.to_string())
        });
        Row::new(cell, Some(self.seed), metric, "share", truth.gold.len(), outcome)
    }

    fn failed(&self, cells: &[String], why: &str) -> Found {
        let row =
            |cell: &String| Row::new(&**cell, Some(self.seed), TEST, "share", 0, Err::<Estimate, _>(why));
        Found { rows: cells.iter().map(row).collect(), items: Vec::new() }
    }

    /// A teacher: gold labels of the teacher part, verdicts on the student and test parts.
    fn teach(&self) -> Found {
        let cell = teacher_cell(self.rung());
        self.try_teach(&cell).unwrap_or_else(|why| self.failed(&[cell], &why))
    }

    fn try_teach(&self, cell: &str) -> Result<Found, String> {
        let (own, student, test) = (self.truth("teacher")?, self.truth("student")?, self.truth("test")?);
        let drawn = self.drawn(&own)?;
        let gold: Array1<f64> = drawn.iter().map(|&i| f64::from(own.gold[i])).collect();
        let x = self.features("teacher")?.select(Axis(0), &drawn);
        let config = probe_config(self.inputs.plan, LossName::Xent);
        let probe = fit(x.view(), gold.view(), &config).map_err(|e| e.to_string())?;
        let mut found = Found::default();
        let speaker = Speaker { model: self.rung(), signal: cell, seed: self.seed };
        for (metric, truth) in [(LABELS, &student), (TEST, &test)] {
            let said = verdicts(&probe, self.features(truth.part.name)?)?;
            found.rows.push(self.accuracy(cell, metric, truth, Ok(&said)));
            found.items.extend(item_rows(&speaker, truth.part, &said, |_| None));
        }
        Ok(found)
    }

    /// A rung as student: its ceiling, and one probe per teacher and loss.
    fn learn(&self, earlier: &FoundBy) -> Found {
        let plan = self.inputs.plan;
        let teachers: Vec<&str> = plan.rungs[..=self.job.rung].iter().map(|r| r.name.as_str()).collect();
        let mut cells = vec![ceiling_cell(self.rung())];
        for &loss in &self.design.loss {
            cells.extend(teachers.iter().map(|t| pair_cell(t, self.rung(), loss)));
        }
        self.try_learn(&teachers, earlier).unwrap_or_else(|why| self.failed(&cells, &why))
    }

    fn try_learn(&self, teachers: &[&str], earlier: &FoundBy) -> Result<Found, String> {
        let plan = self.inputs.plan;
        let (own, test) = (self.truth("student")?, self.truth("test")?);
        let drawn = self.drawn(&own)?;
        let x = self.features("student")?.select(Axis(0), &drawn);
        let test_x = self.features("test")?;
        let mut found = Found::default();
        let mut record = |cell: &str, said: Result<Vec<f64>, String>| {
            let said = said.as_deref().map_err(String::as_str);
            found.rows.push(self.accuracy(cell, TEST, &test, said));
            let Ok(said) = said else { return };
            let speaker = Speaker { model: self.rung(), signal: cell, seed: self.seed };
            found.items.extend(item_rows(&speaker, test.part, said, |_| None));
        };
        let gold: Array1<f64> = drawn.iter().map(|&i| f64::from(own.gold[i])).collect();
        let ceiling =
            fit(x.view(), gold.view(), &probe_config(plan, LossName::Xent)).map_err(|e| e.to_string());
        record(&ceiling_cell(self.rung()), ceiling.and_then(|probe| verdicts(&probe, test_x)));
        for &loss in &self.design.loss {
            // Teachers that failed are left out of the sweep; their pairs fail with the teacher's reason.
            let said = Said::read(earlier);
            let labels: Vec<Result<&[f64], String>> =
                teachers.iter().map(|t| said.about(&teacher_cell(t), self.seed, "student")).collect();
            let known: Vec<&[f64]> = labels.iter().filter_map(|l| l.as_ref().ok().copied()).collect();
            let soft = Array2::from_shape_fn((drawn.len(), known.len()), |(i, k)| known[k][drawn[i]]);
            let mut probes = fit_sweep(x.view(), soft.view(), &probe_config(plan, loss)).into_iter();
            for (teacher, labels) in teachers.iter().zip(labels) {
                let outcome = labels.and_then(|_| {
                    let probe =
                        probes.next().ok_or("the sweep gave too few probes")?.map_err(|e| e.to_string())?;
                    verdicts(&probe, test_x)
                });
                record(&pair_cell(teacher, self.rung(), loss), outcome);
            }
        }
        Ok(found)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "array views are Copy, which the lint does not see")]
fn verdicts(probe: &Probe, x: ArrayView2<'_, f32>) -> Result<Vec<f64>, String> {
    probe.probabilities(x).map(|p| p.to_vec()).map_err(|e| e.to_string())
}

fn summarise(design: &WeakToStrong, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
    let plan = inputs.plan;
    let Ok(test) = Truth::of(inputs.parts, "test") else { return Vec::new() };
    let said = Said::read(found);
    let correct =
        |cell: &str| said.by_seed(cell, &plan.seeds, "test").map(|by_seed| test.correct_by_seed(&by_seed));
    let (groups, n) = (Some(test.groups.as_slice()), test.gold.len());
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
            }
        }
    }
    rows
}
