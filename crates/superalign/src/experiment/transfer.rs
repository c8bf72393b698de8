//! Teachers and students: what the experiments share in which a rung learns from what another rung says.
//!
//! Three parts, disjoint by group: gold labels of `teacher` train the teachers; their soft labels of `student` train
//! the students, and gold labels of the same items the ceilings; `test` tests all. Each seed draws the training items
//! of a part anew, by group; the test part stays.

use super::score::{Said, Speaker, Truth, bootstrap, drawn, item_rows};
use super::{Found, FoundBy, Inputs, Job, probe_config};
use crate::plan::{Plan, RungPlan, Wanted};
use crate::record::Row;
use crate::spec::LossName;
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
/// Test accuracy of the student's ceiling minus that of the teacher.
pub(crate) const GAP: &str = "supervision-gap";

/// The cell of a rung trained on gold labels of the student part.
pub(crate) fn ceiling_cell(rung: &str) -> String {
    format!("ceiling={rung}")
}

/// The parts, with their numbers of items.
pub(super) fn parts(teacher: usize, student: usize, test: usize) -> Vec<Wanted> {
    let part = |name, role, part, items| Wanted { name, role, part, items, objective: None };
    let labelled = "a teacher's soft labels train the students, gold labels the ceilings";
    vec![
        part("teacher", "gold labels train the teachers", world::Part::Teacher, teacher),
        part("student", labelled, world::Part::Student, student),
        part("test", "gold labels test everyone", world::Part::Test, test),
    ]
}

/// Two stages of jobs: every rung as teacher, then every rung as student, for every seed.
pub(super) fn jobs(plan: &Plan) -> Vec<Vec<Job>> {
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

/// Whether a job of [`jobs`] is of the first stage.
pub(super) fn teaches(job: &Job) -> bool {
    job.name.starts_with("teacher=")
}

/// A teacher to be trained.
pub(super) struct Teacher {
    /// Its cell.
    pub(super) cell: String,
    /// The share of the groups of the teacher part that it is trained on.
    pub(super) share: f64,
}

/// A student to be trained.
pub(super) struct Student {
    /// Its cell.
    pub(super) cell: String,
    /// The cell of its teacher.
    pub(super) teacher: String,
    /// How it is trained.
    pub(super) loss: LossName,
}

/// A job, with the failures of its cells turned into rows.
pub(super) struct Context<'a> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) rung: usize,
    pub(super) seed: u64,
}

impl<'a> Context<'a> {
    pub(super) fn new(job: &Job, inputs: &'a Inputs<'a>) -> Self {
        Self { inputs, rung: job.rung, seed: job.seed.unwrap_or_default() }
    }

    /// The name of the job's rung.
    pub(super) fn rung(&self) -> &'a str {
        &self.inputs.plan.rungs[self.rung].name
    }

    /// The names of the rungs below the job's own.
    pub(super) fn weaker(&self) -> impl Iterator<Item = &'a str> {
        self.inputs.plan.rungs[..self.rung].iter().map(|r| r.name.as_str())
    }

    /// The rung as teacher: gold labels of shares of the teacher part, verdicts on the student and test parts.
    pub(super) fn teach(&self, teachers: &[Teacher]) -> Found {
        let mut found = Found::default();
        for teacher in teachers {
            let one = self.try_teach(teacher).unwrap_or_else(|why| self.failed(&[&teacher.cell], &why));
            found.rows.extend(one.rows);
            found.items.extend(one.items);
        }
        found
    }

    /// Labels of the student part that a model gave in another way than as a trained teacher.
    pub(super) fn label(&self, cell: &str, model: &str, said: Result<Vec<f64>, String>) -> Found {
        let labelled = || -> Result<Found, String> {
            let (student, said) = (self.truth("student")?, said?);
            let speaker = Speaker { model, signal: cell, seed: self.seed };
            Ok(Found {
                rows: vec![self.accuracy(cell, LABELS, &student, Ok(&said))],
                items: item_rows(&speaker, student.part, &said, |_| None),
            })
        };
        labelled().unwrap_or_else(|why| self.failed(&[cell], &why))
    }

    /// The rung as student: its ceiling, and one probe per teacher and loss.
    ///
    /// `share` of the groups of the student part train all of them.
    pub(super) fn learn(&self, students: &[Student], share: f64, earlier: &FoundBy) -> Found {
        self.learn_beside(&ceiling_cell(self.rung()), students, share, earlier)
    }

    /// As [`Context::learn`], with the ceiling in a cell of another name.
    pub(super) fn learn_beside(
        &self,
        ceiling: &str,
        students: &[Student],
        share: f64,
        earlier: &FoundBy,
    ) -> Found {
        self.try_learn(ceiling, students, share, earlier).unwrap_or_else(|why| {
            let cells: Vec<&str> =
                std::iter::once(ceiling).chain(students.iter().map(|s| &*s.cell)).collect();
            self.failed(&cells, &why)
        })
    }

    pub(super) fn truth(&self, part: &str) -> Result<Truth<'a>, String> {
        Truth::of(self.inputs.parts, part)
    }

    pub(super) fn features(&self, part: &str) -> Result<ArrayView2<'a, f32>, String> {
        self.inputs.features[self.rung].part(part)
    }

    pub(super) fn drawn(&self, truth: &Truth<'_>, share: f64) -> Result<Vec<usize>, String> {
        drawn(truth, share, self.inputs.plan.seed(self.seed, truth.part.name))
    }

    /// A row with the accuracy on a part.
    pub(super) fn accuracy(
        &self,
        cell: &str,
        metric: &str,
        truth: &Truth<'_>,
        said: Result<&[f64], &str>,
    ) -> Row {
        let interval = bootstrap(self.inputs.plan, &format!("{cell}/{metric}/{}", self.seed));
        let outcome = said.map_err(str::to_owned).and_then(|said| {
            superalign_gap::capability(&truth.correct(said), Some(&truth.groups), &interval)
                .map_err(|e| e.to_string())
        });
        Row::new(cell, Some(self.seed), metric, "share", truth.len(), outcome)
    }

    pub(super) fn failed(&self, cells: &[&str], why: &str) -> Found {
        let row = |cell: &&str| Row::new(*cell, Some(self.seed), TEST, "share", 0, Err::<Estimate, _>(why));
        Found { rows: cells.iter().map(row).collect(), items: Vec::new() }
    }

    fn try_teach(&self, teacher: &Teacher) -> Result<Found, String> {
        let (own, student, test) = (self.truth("teacher")?, self.truth("student")?, self.truth("test")?);
        let drawn = self.drawn(&own, teacher.share)?;
        let gold: Array1<f64> = drawn.iter().map(|&i| f64::from(own.taught()[i])).collect();
        let x = self.features("teacher")?.select(Axis(0), &drawn);
        let config = probe_config(self.inputs.plan, LossName::Xent);
        let probe = fit(x.view(), gold.view(), &config).map_err(|e| e.to_string())?;
        let mut found = Found::default();
        let speaker = Speaker { model: self.rung(), signal: &teacher.cell, seed: self.seed };
        for (metric, truth) in [(LABELS, &student), (TEST, &test)] {
            let said = verdicts(&probe, self.features(truth.part.name)?)?;
            found.rows.push(self.accuracy(&teacher.cell, metric, truth, Ok(&said)));
            found.items.extend(item_rows(&speaker, truth.part, &said, |_| None));
        }
        Ok(found)
    }

    fn try_learn(
        &self,
        ceiling: &str,
        students: &[Student],
        share: f64,
        earlier: &FoundBy,
    ) -> Result<Found, String> {
        let plan = self.inputs.plan;
        let (own, test) = (self.truth("student")?, self.truth("test")?);
        let drawn = self.drawn(&own, share)?;
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
        let gold: Array1<f64> = drawn.iter().map(|&i| f64::from(own.ceiling()[i])).collect();
        let probe = fit(x.view(), gold.view(), &probe_config(plan, LossName::Xent));
        record(ceiling, probe.map_err(|e| e.to_string()).and_then(|probe| verdicts(&probe, test_x)));
        let said = Said::read(earlier);
        for students in students.chunk_by(|a, b| a.loss == b.loss) {
            // Teachers that failed are left out of the sweep; their students fail with the teacher's reason.
            let labels: Vec<Result<&[f64], String>> =
                students.iter().map(|s| said.about(&s.teacher, self.seed, "student")).collect();
            let known: Vec<&[f64]> = labels.iter().filter_map(|l| l.as_ref().ok().copied()).collect();
            let soft = Array2::from_shape_fn((drawn.len(), known.len()), |(i, k)| known[k][drawn[i]]);
            let config = probe_config(plan, students[0].loss);
            let mut probes = fit_sweep(x.view(), soft.view(), &config).into_iter();
            for (student, labels) in students.iter().zip(labels) {
                let outcome = labels.and_then(|_| {
                    let probe =
                        probes.next().ok_or("the sweep gave too few probes")?.map_err(|e| e.to_string())?;
                    verdicts(&probe, test_x)
                });
                record(&student.cell, outcome);
            }
        }
        Ok(found)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "array views are Copy, which the lint does not see")]
fn verdicts(probe: &Probe, x: ArrayView2<'_, f32>) -> Result<Vec<f64>, String> {
    probe.probabilities(x).map(|p| p.to_vec()).map_err(|e| e.to_string())
}
