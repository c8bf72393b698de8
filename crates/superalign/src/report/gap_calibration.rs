//! The report of a gap-calibration experiment.

use super::figure::{self, Dots, Joined, Scatter};
use super::prose::{Effect, and, effect};
use super::table::{Table, shown};
use super::{Findings, Numbers};
use crate::experiment::gap_calibration::{
    ADVISED, BEST, CHOSEN, EXCESS, FITTED, GAIN, GAP, OPTIMUM, TEST, calibration_cell, ceiling_cell,
    pair_cell, shapes, teacher_cell,
};
use crate::plan::Plan;
use crate::record::Row;
use crate::spec::{Choice, GapCalibration, LossName};

/// Reads the findings out of the numbers.
pub(crate) fn findings(plan: &Plan, design: &GapCalibration, numbers: &Numbers<'_>) -> Findings {
    let rungs: Vec<&str> = plan.rungs.iter().map(|r| r.name.as_str()).collect();
    let page = Page { rungs, design, numbers };
    Findings { sentences: page.sentences(), figures: page.figures(), tables: page.tables() }
}

struct Page<'a> {
    rungs: Vec<&'a str>,
    design: &'a GapCalibration,
    numbers: &'a Numbers<'a>,
}

/// A teacher, the share of its labels, and a student.
type Pair<'a> = (&'a str, f64, &'a str);

impl<'a> Page<'a> {
    fn pairs(&self) -> impl Iterator<Item = Pair<'a>> + '_ {
        let teachers = self.rungs.iter().enumerate();
        teachers.flat_map(move |(i, teacher)| {
            let shares = self.design.share.iter();
            shares.flat_map(move |&share| {
                self.rungs[i + 1..].iter().map(move |student| (*teacher, share, *student))
            })
        })
    }

    fn row(&self, (teacher, share, student): Pair<'_>, loss: LossName, metric: &str) -> Option<&'a Row> {
        self.numbers.summary(&pair_cell(teacher, share, student, loss), metric)
    }

    fn sentences(&self) -> Vec<String> {
        let mut out = Vec::new();
        for &loss in &self.design.loss {
            let cell = calibration_cell(loss);
            let name = loss.name();
            let effects: Vec<Effect> = self
                .pairs()
                .filter_map(|pair| self.row(pair, loss, GAIN)?.estimate())
                .map(|gain| effect(&gain))
                .collect();
            let of = |wanted| effects.iter().filter(|e| **e == wanted).count();
            out.push(format!(
                "With {name}, over {} pairs of a teacher and a stronger student: the student surpasses its \
                 teacher in {}, falls below it in {}; in {} no difference can be claimed.",
                effects.len(),
                of(Effect::Positive),
                of(Effect::Negative),
                of(Effect::None)
            ));
            if let Some(shape) = self.shape(loss) {
                let chosen =
                    self.numbers.summary(&format!("{cell}/shape={shape}"), CHOSEN).and_then(|r| r.value);
                let chosen =
                    chosen.map_or_else(String::new, |c| format!(", in {:.0}% of resamples too", 100.0 * c));
                out.push(format!(
                    "The gain against the gap is {shape}: the simplest shape whose error on left-out teachers is \
                     within one standard error of the best{chosen}."
                ));
            }
            out.push(match self.numbers.summary(&cell, OPTIMUM) {
                Some(row) => match (row.estimate(), &row.error) {
                    (Some(gamma), _) => format!(
                        "The calibrated gap, at which a student gains most, is {gamma}, with a gain of {}.",
                        shown(self.numbers.summary(&cell, BEST))
                    ),
                    (None, Some(why)) => format!("No calibrated gap can be given: {why}."),
                    (None, None) => "The calibrated gap was not measured.".to_owned(),
                },
                None => "The calibrated gap was not measured.".to_owned(),
            });
            for rung in &self.rungs {
                let Some(row) = self.numbers.summary(&format!("{cell}/teacher={rung}"), ADVISED) else {
                    continue;
                };
                if let Some(k) = row.estimate() {
                    out.push(format!(
                        "For teacher {rung}, students with a capacity between {:.2} and {:.2} are predicted to gain \
                         most; beyond that the gain falls.",
                        k.lo, k.hi
                    ));
                }
            }
        }
        let ceilings: Vec<String> = self
            .rungs
            .iter()
            .map(|r| format!("{r} {}", shown(self.numbers.summary(&ceiling_cell(r), TEST))))
            .collect();
        out.push(format!("Capacities (test accuracy with true labels): {}.", and(&ceilings)));
        out.push(
            "Gap and gain both contain the teacher's accuracy: an error in it moves a point along both axes, upwards \
             to the right. The intervals account for it, the fitted curve does not."
                .to_owned(),
        );
        out
    }

    /// The simplest shape whose excess error reaches 0.
    fn shape(&self, loss: LossName) -> Option<String> {
        let cell = calibration_cell(loss);
        shapes().into_iter().find(|shape| {
            let row = self.numbers.summary(&format!("{cell}/shape={shape}"), EXCESS);
            row.and_then(Row::estimate).is_some_and(|excess| excess.lo <= 0.0)
        })
    }

    fn figures(&self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        for &loss in &self.design.loss {
            let cell = calibration_cell(loss);
            let dots = |teacher: &str| {
                let pairs = self.pairs().filter(|pair| pair.0 == teacher);
                let points = pairs.filter_map(|pair| {
                    let gamma = self.row(pair, loss, GAP)?.estimate()?;
                    let gain = self.row(pair, loss, GAIN)?.estimate()?;
                    Some((gamma.value, gain.value, gain.lo, gain.hi))
                });
                Dots { name: format!("from {teacher}"), points: points.collect(), joined: Joined::Apart }
            };
            let curve = self.numbers.below(&cell, FITTED).filter_map(|row| {
                let gamma: f64 = row.key("gamma")?.parse().ok()?;
                let e = row.estimate()?;
                Some((gamma, e.value, e.lo, e.hi))
            });
            out.push((
                figure::scatter(&Scatter {
                    title: &format!("Gain against the supervision gap, {}", loss.name()),
                    x: "supervision gap (ceiling minus teacher)",
                    y: "gain (student minus teacher)",
                    reference: Some((0.0, "no gain")),
                    dots: self.rungs.iter().map(|r| dots(r)).collect(),
                    curve: curve.collect(),
                }),
                "Each point is a teacher (a rung, trained on a share of the gold labels) and a student, with the \
                 interval of the gain; the line is the fitted gain with its band."
                    .to_owned(),
            ));
        }
        out
    }

    fn tables(&self) -> Vec<Table> {
        let mut main =
            Table::new("Calibration", 1, &["loss", "shape", "calibrated gap", "gain there", "chosen in"]);
        let mut advice = Table::new(
            "Capacity that is advised for a teacher",
            2,
            &["loss", "teacher", "teacher acc.", "capacity, or why none"],
        );
        let mut all = Table::new(
            "Every pair",
            4,
            &["teacher", "share of labels", "student", "loss", "teacher acc.", "ceiling acc.", "gap", "gain"],
        );
        for &loss in &self.design.loss {
            let cell = calibration_cell(loss);
            let shape = self.shape(loss);
            let chosen = shape.as_ref().and_then(|shape| {
                self.numbers.summary(&format!("{cell}/shape={shape}"), CHOSEN).and_then(|row| row.value)
            });
            main.rows.push(vec![
                loss.name().to_owned(),
                shape.unwrap_or_else(|| "none".to_owned()),
                shown(self.numbers.summary(&cell, OPTIMUM)),
                shown(self.numbers.summary(&cell, BEST)),
                chosen
                    .map_or_else(|| "not measured".to_owned(), |c| format!("{:.0}% of resamples", 100.0 * c)),
            ]);
            for rung in &self.rungs {
                let row = self.numbers.summary(&format!("{cell}/teacher={rung}"), ADVISED);
                let share = self.design.share.last().copied().unwrap_or(1.0);
                let why = row.and_then(|r| r.error.clone());
                advice.rows.push(vec![
                    loss.name().to_owned(),
                    (*rung).to_owned(),
                    shown(self.numbers.summary(&teacher_cell(rung, share), TEST)),
                    why.unwrap_or_else(|| shown(row)),
                ]);
            }
            for pair in self.pairs() {
                let (teacher, share, student) = pair;
                all.rows.push(vec![
                    teacher.to_owned(),
                    share.to_string(),
                    student.to_owned(),
                    loss.name().to_owned(),
                    shown(self.numbers.summary(&teacher_cell(teacher, share), TEST)),
                    shown(self.numbers.summary(&ceiling_cell(student), TEST)),
                    shown(self.row(pair, loss, GAP)),
                    shown(self.row(pair, loss, GAIN)),
                ]);
            }
        }
        vec![main, advice, all]
    }
}
