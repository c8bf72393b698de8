//! Gap calibration: how much a student gains over its teacher, against the supervision gap between them.
//!
//! Every rung teaches every stronger one, several times over: trained on a larger or smaller share of gold labels, it is
//! a stronger or weaker teacher. Each such pair is a point (gamma, gain); the calibration fits a curve through all of
//! them and says where the gain is greatest, or that no gap is better than another. A rung does not teach itself here:
//! such a student copies its teacher, and the certainty that it gains nothing would outweigh all other points.

use super::score::{Said, Truth, bootstrap};
use super::transfer::{self, Context, Student, Teacher};
use super::{Experiment, Found, FoundBy, Inputs, Job};
use crate::plan::{Plan, Wanted};
use crate::record::Row;
use crate::report::{self, Findings, Numbers};
use crate::spec::{Choice, GapCalibration, LossName};
use superalign_core::{Estimate, Seed};
use superalign_gap::calibration::{Calibration, Config, Folds, NoOptimum, Optimum, Pair, Shape, calibrate};
use superalign_gap::capability_draws;

pub(crate) use super::transfer::{GAIN, GAP, TEST, ceiling_cell};

/// gamma*: the supervision gap at which the fitted gain is greatest.
pub(crate) const OPTIMUM: &str = "calibrated-gap";
/// The fitted gain at gamma*.
pub(crate) const BEST: &str = "gain-at-calibrated-gap";
/// How much worse than the best shape one predicts left-out gains, in units of their variance, and one standard error
/// either way: the simplest shape whose interval reaches 0 is chosen.
pub(crate) const EXCESS: &str = "cross-validated-excess-error";
/// The share of resamples in which a shape is chosen.
pub(crate) const CHOSEN: &str = "share-of-resamples-chosen";
/// The fitted gain at a gamma.
pub(crate) const FITTED: &str = "fitted-gain";
/// Least and greatest capacity that is advised for a teacher.
pub(crate) const ADVISED: &str = "advised-capacity";

/// Points of the fitted curve that are recorded.
const BAND: usize = 25;

/// The cell of a rung trained on a share of the gold labels of the teacher part.
pub(crate) fn teacher_cell(rung: &str, share: f64) -> String {
    format!("teacher={rung}/share={share}")
}

/// The cell of a student and its teacher.
pub(crate) fn pair_cell(teacher: &str, share: f64, student: &str, loss: LossName) -> String {
    format!("{}/student={student}/loss={}", teacher_cell(teacher, share), loss.name())
}

/// The cell of the calibration of a loss.
pub(crate) fn calibration_cell(loss: LossName) -> String {
    format!("calibration/loss={}", loss.name())
}

impl Experiment for GapCalibration {
    fn parts(&self) -> Vec<Wanted> {
        transfer::parts(self.teacher, self.student, self.test)
    }

    fn cells(&self, rungs: usize) -> usize {
        let pairs = rungs * rungs.saturating_sub(1) / 2;
        rungs + self.share.len() * (rungs + pairs * self.loss.len())
    }

    fn jobs(&self, plan: &Plan) -> Vec<Vec<Job>> {
        transfer::jobs(plan)
    }

    fn run(&self, job: &Job, inputs: &Inputs<'_>, earlier: &FoundBy) -> Found {
        let context = Context::new(job, inputs);
        let rung = context.rung();
        if transfer::teaches(job) {
            let teacher = |&share: &f64| Teacher { cell: teacher_cell(rung, share), share };
            return context.teach(&self.share.iter().map(teacher).collect::<Vec<_>>());
        }
        let mut students = Vec::new();
        for &loss in &self.loss {
            for teacher in context.weaker() {
                students.extend(self.share.iter().map(|&share| Student {
                    cell: pair_cell(teacher, share, rung, loss),
                    teacher: teacher_cell(teacher, share),
                    loss,
                }));
            }
        }
        context.learn(&students, self.resample, earlier)
    }

    fn summarise(&self, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
        let Ok(test) = Truth::of(inputs.parts, "test") else { return Vec::new() };
        let said = Said::read(found);
        let mut rows = Summary { design: self, plan: inputs.plan, test, said, rows: Vec::new() };
        rows.capabilities();
        for &loss in &self.loss {
            rows.calibration(loss);
        }
        rows.rows
    }

    fn findings(&self, plan: &Plan, numbers: &Numbers<'_>) -> Findings {
        report::gap_calibration::findings(plan, self, numbers)
    }
}

/// The rows over all seeds, as they are gathered.
struct Summary<'a> {
    design: &'a GapCalibration,
    plan: &'a Plan,
    test: Truth<'a>,
    said: Said,
    rows: Vec<Row>,
}

impl Summary<'_> {
    fn correct(&self, cell: &str) -> Result<ndarray::Array2<bool>, String> {
        let by_seed = self.said.by_seed(cell, &self.plan.seeds, "test")?;
        Ok(self.test.correct_by_seed(&by_seed))
    }

    fn push(&mut self, cell: &str, metric: &str, unit: &str, outcome: Result<Estimate, String>) {
        self.rows.push(Row::new(cell, None, metric, unit, self.test.len(), outcome));
    }

    fn capabilities(&mut self) {
        let mut cells = Vec::new();
        for rung in &self.plan.rungs {
            cells.push(ceiling_cell(&rung.name));
            cells.extend(self.design.share.iter().map(|&share| teacher_cell(&rung.name, share)));
        }
        for cell in cells {
            let interval = bootstrap(self.plan, &format!("{cell}/{TEST}"));
            let outcome = self.correct(&cell).and_then(|correct| {
                superalign_gap::capability_over_seeds(correct.view(), Some(&self.test.groups), &interval)
                    .map_err(|e| e.to_string())
            });
            self.push(&cell, TEST, "share", outcome);
        }
    }

    /// The points of a loss, and the calibration that fits them.
    fn calibration(&mut self, loss: LossName) {
        let mut pairs = Vec::new();
        let mut teacher_number = 0;
        let rungs: Vec<&str> = self.plan.rungs.iter().map(|r| r.name.as_str()).collect();
        for (i, teacher) in rungs.iter().enumerate() {
            for &share in &self.design.share {
                for (student_number, student) in rungs.iter().enumerate().skip(i + 1) {
                    let cell = pair_cell(teacher, share, student, loss);
                    let point = self.point(&cell, &teacher_cell(teacher, share), &ceiling_cell(student));
                    for (metric, unit, which) in [(GAP, "difference", 0), (GAIN, "difference", 1)] {
                        let outcome = point.as_ref().map_err(Clone::clone).and_then(|(gamma, gain)| {
                            let draws = if which == 0 { gamma } else { gain };
                            draws.estimate(self.plan.bootstrap.level).map_err(|e| e.to_string())
                        });
                        self.push(&cell, metric, unit, outcome);
                    }
                    if let Ok((gamma, gain)) = point {
                        let student = student_number as u32;
                        pairs.push(Pair { teacher: teacher_number, student, gamma, gain });
                    }
                }
                teacher_number += 1;
            }
        }
        let config = Config {
            folds: Folds::Teacher,
            level: self.plan.bootstrap.level,
            seed: Seed::new(self.plan.bootstrap.seed).named("calibration"),
        };
        match calibrate(&pairs, &config) {
            Ok(calibration) => self.calibrated(&calibration, loss),
            Err(why) => self.push(&calibration_cell(loss), OPTIMUM, "difference", Err(why.to_string())),
        }
    }

    /// gamma and gain of a pair, with draws that all pairs share.
    fn point(
        &self,
        pair: &str,
        teacher: &str,
        ceiling: &str,
    ) -> Result<(superalign_gap::Draws, superalign_gap::Draws), String> {
        let terms = [self.correct(teacher)?, self.correct(pair)?, self.correct(ceiling)?];
        let views: Vec<_> = terms.iter().map(|term| term.view()).collect();
        let interval = bootstrap(self.plan, "calibration");
        let draws =
            capability_draws(&views, Some(&self.test.groups), &interval).map_err(|e| e.to_string())?;
        let [weak, transfer, ceiling] = &draws[..] else {
            return Err("the draws of a pair are not three".into());
        };
        let minus = |a: &superalign_gap::Draws| a.minus(weak).map_err(|e| e.to_string());
        Ok((minus(ceiling)?, minus(transfer)?))
    }

    fn calibrated(&mut self, calibration: &Calibration, loss: LossName) {
        let cell = calibration_cell(loss);
        let (gamma, gain) = match calibration.optimum {
            Optimum::Interior { gamma, gain } => (Ok(gamma), Ok(gain)),
            Optimum::None(why) => {
                let why = no_optimum(why);
                (Err(why.clone()), Err(why))
            }
        };
        self.push(&cell, OPTIMUM, "difference", gamma);
        self.push(&cell, BEST, "difference", gain);
        for score in &calibration.scores {
            let cell = format!("{cell}/shape={}", score.shape);
            let (value, error) = (score.excess, score.excess_error);
            self.push(
                &cell,
                EXCESS,
                "variances",
                Ok(Estimate { value, lo: value - error, hi: value + error }),
            );
            let chosen = Estimate { value: score.chosen, lo: score.chosen, hi: score.chosen };
            let row =
                Row::new(&*cell, None, CHOSEN, "share", self.plan.bootstrap.draws, Ok::<_, String>(chosen));
            self.rows.push(Row { lo: None, hi: None, ..row });
        }
        for (gamma, fitted) in calibration.band(BAND).into_iter().flatten() {
            self.push(&format!("{cell}/gamma={gamma:.4}"), FITTED, "difference", Ok(fitted));
        }
        // Advice for the teachers on the largest share: in words in the report, as capacities here.
        let Some(&share) = self.design.share.last() else { return };
        let rungs: Vec<String> = self.plan.rungs.iter().map(|r| r.name.clone()).collect();
        for rung in rungs {
            let teacher = teacher_cell(&rung, share);
            let outcome = self.correct(&teacher).and_then(|correct| {
                let right = correct.iter().filter(|right| **right).count();
                let capability = right as f64 / correct.len() as f64;
                let advice = calibration.advise(&rung, capability).map_err(|e| e.to_string())?;
                match advice.direction {
                    superalign_gap::calibration::Direction::Between { low, high, .. } => {
                        Ok(Estimate { value: f64::midpoint(low, high), lo: low, hi: high })
                    }
                    _ => Err(advice.to_string()),
                }
            });
            self.push(&format!("{cell}/teacher={rung}"), ADVISED, "share", outcome);
        }
    }
}

/// Why no gap is better than all others, in words.
fn no_optimum(why: NoOptimum) -> String {
    match why {
        NoOptimum::Flat { gain } => {
            format!("no interior optimum: the gain does not depend on the gap ({gain})")
        }
        NoOptimum::Rising => "no interior optimum: the gain rises over the whole measured range".to_owned(),
        NoOptimum::Falling => "no interior optimum: the gain falls over the whole measured range".to_owned(),
        NoOptimum::Unsure { gamma } => {
            format!("no interior optimum: the fitted peak {gamma} reaches the end of the measured range")
        }
    }
}

/// The names of the shapes, the simplest first.
pub(crate) fn shapes() -> [String; 3] {
    Shape::ALL.map(|shape| shape.to_string())
}
