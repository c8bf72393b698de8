//! Extrapolation in the report.

use super::Page;
use crate::experiment::exam::{
    ACTUAL, AGAINST, BASELINES, BIAS, COVERAGE, CRPS, HORIZON, LOG_SCORE, MEMBERS, PREDICTED, STACK, WEIGHT,
    WIDTH, curve_cell, horizon_cell, predicted_cell,
};
use crate::record::Row;
use crate::report::figure::{self, Bar, Bars, Dots, Joined, Scatter};
use crate::report::prose::{Effect, and, effect};
use crate::report::table::{Table, shown};

/// Backtests below which coverage says little.
const ENOUGH: u64 = 200;
/// Where the coverage of 95% intervals should be.
const WANTED: (f64, f64) = (0.90, 0.99);

impl Page<'_> {
    fn all_curves() -> Vec<&'static str> {
        [STACK].iter().chain(&MEMBERS).chain(&BASELINES).copied().collect()
    }

    pub(super) fn extrapolation_sentences(&self) -> Vec<String> {
        let mut out = Vec::new();
        let Some(row) = self.row(&curve_cell(STACK), COVERAGE) else { return out };
        let Some(coverage) = row.estimate() else {
            return vec![format!(
                "Extrapolation gives no number: {}.",
                row.error.clone().unwrap_or_default()
            )];
        };
        let n = row.n.unwrap_or_default();
        let level = 100.0 * self.plan.bootstrap.level;
        let mut text = format!(
            "Extrapolation: over {n} backtests, {level:.0}% prediction intervals cover {coverage} of the outcomes"
        );
        let (low, high) = WANTED;
        text += &if coverage.value < low {
            format!(
                ". That is less than {low:.2}: the intervals are too narrow, and should not be relied on as they are"
            )
        } else if coverage.value > high {
            format!(". That is more than {high:.2}: the intervals are wider than need be")
        } else {
            format!(", which is within {low:.2} to {high:.2}")
        };
        if n < ENOUGH {
            text += &format!("; so few backtests (fewer than {ENOUGH}) say little");
        }
        out.push(text + ".");
        let at = |horizon: usize, metric: &str| {
            self.row(&horizon_cell(STACK, horizon), metric).and_then(Row::estimate)
        };
        let outside: Vec<String> = (1..=HORIZON)
            .filter_map(|h| Some((h, at(h, COVERAGE)?)))
            .filter(|(_, e)| !(low..=high).contains(&e.value))
            .map(|(h, e)| format!("{h} ahead ({e})"))
            .collect();
        if !outside.is_empty() {
            out.push(format!(
                "By horizon, the coverage is outside {low:.2} to {high:.2} at {}.",
                and(&outside)
            ));
        }
        let families = || {
            let stack = curve_cell(STACK);
            let rows = self.numbers.below(&stack, COVERAGE);
            rows.filter_map(|row| Some((row.key("family")?.to_owned(), row.estimate()?))).collect::<Vec<_>>()
        };
        let few: Vec<String> = families()
            .iter()
            .filter(|(_, e)| e.value < low)
            .map(|(family, e)| format!("{family} ({e})"))
            .collect();
        let many: Vec<String> =
            families().into_iter().filter(|(_, e)| e.value > high).map(|(family, _)| family).collect();
        let mut uneven = Vec::new();
        if !few.is_empty() {
            uneven.push(format!("less than {low:.2} in {}", and(&few)));
        }
        if !many.is_empty() {
            uneven.push(format!("more than {high:.2} in {}", and(&many)));
        }
        if !uneven.is_empty() {
            out.push(format!("By family the coverage is uneven: {}.", and(&uneven)));
        }
        if let Some(width) = self.row(&curve_cell(STACK), WIDTH).and_then(Row::estimate) {
            out.push(match width.value > 0.5 {
                true => format!(
                    "The intervals are {width} wide on average, wider than the range of 0.5 from a guess to certainty: \
                     they say next to nothing."
                ),
                false => format!(
                    "The intervals are {width} wide on average, of a range of 0.5 from a guess to certainty."
                ),
            });
        }
        let biases: Vec<String> = (1..=HORIZON)
            .filter_map(|h| Some((h, at(h, BIAS)?)))
            .map(|(h, bias)| match effect(&bias) {
                Effect::Positive => format!("{h} ahead it predicts too much, by {bias}"),
                Effect::Negative => format!("{h} ahead it predicts too little, by {bias}"),
                Effect::None => format!("{h} ahead no bias can be claimed ({bias})"),
            })
            .collect();
        if !biases.is_empty() {
            out.push(format!("Bias of the weighted curves: {}.", and(&biases)));
        }
        let against: Vec<String> = BASELINES
            .iter()
            .filter_map(|baseline| {
                let e =
                    self.row(&format!("{}/against={baseline}", curve_cell(STACK)), AGAINST)?.estimate()?;
                Some(match effect(&e) {
                    Effect::Negative => format!("better than {baseline} (CRPS {e:.4})"),
                    Effect::Positive => format!("worse than {baseline} (CRPS {e:.4})"),
                    Effect::None => format!("not told from {baseline} (CRPS {e:.4})"),
                })
            })
            .collect();
        if !against.is_empty() {
            out.push(format!("As forecasts, the weighted curves are {}.", and(&against)));
        }
        let (mut hits, mut all) = (0, 0);
        for (predicted, actual) in self.predicted().map(|(_, predicted, actual)| (predicted, actual)) {
            all += 1;
            hits += usize::from(predicted.covers(actual.value));
        }
        if all > 0 {
            out.push(format!(
                "For whole students, from tasks up to difficulty {}, {hits} of {all} outcomes beyond are within their \
                 intervals; students share the tasks, so that these are far fewer than {all} independent trials.",
                self.design.known
            ));
        }
        out
    }

    /// Horizon, prediction and outcome of every student.
    fn predicted(
        &self,
    ) -> impl Iterator<Item = (usize, superalign_core::Estimate, superalign_core::Estimate)> + '_ {
        self.students.iter().flat_map(move |student| {
            (1..=HORIZON).filter_map(move |horizon| {
                let cell = predicted_cell(student, (self.design.known + horizon) as u64);
                let predicted = self.row(&cell, PREDICTED)?.estimate()?;
                Some((horizon, predicted, self.row(&cell, ACTUAL)?.estimate()?))
            })
        })
    }

    pub(super) fn extrapolation_lines(&self, table: &mut Table) {
        let stack = curve_cell(STACK);
        let level = 100.0 * self.plan.bootstrap.level;
        let n = self.row(&stack, COVERAGE).and_then(|row| row.n).unwrap_or_default();
        for (question, row) in [
            (format!("coverage of {level:.0}% intervals over {n} backtests"), self.row(&stack, COVERAGE)),
            (
                "CRPS less that of the last value".to_owned(),
                self.row(&format!("{stack}/against={}", BASELINES[0]), AGAINST),
            ),
        ] {
            table.rows.push(vec!["extrapolation".to_owned(), question, shown(row)]);
        }
    }

    pub(super) fn extrapolation_figures(&self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        let dots = |wanted: usize| {
            let own = self.predicted().filter(move |(horizon, ..)| *horizon == wanted);
            let points =
                own.map(|(_, predicted, actual)| (actual.value, predicted.value, predicted.lo, predicted.hi));
            Dots {
                name: format!("difficulty {}", self.design.known + wanted),
                points: points.collect(),
                joined: Joined::Apart,
            }
        };
        let all: Vec<Dots> = (1..=HORIZON).map(dots).collect();
        let values = || all.iter().flat_map(|dots| dots.points.iter().map(|p| p.0));
        let (least, most) = values().fold((f64::MAX, f64::MIN), |(lo, hi), x| (lo.min(x), hi.max(x)));
        if least <= most {
            out.push((
                figure::scatter(&Scatter {
                    title: "Predicted beyond the supervisor, and how it turned out",
                    x: "solved tasks, as it turned out",
                    y: "as predicted",
                    reference: None,
                    dots: all,
                    curve: vec![(least, least, least, least), (most, most, most, most)],
                }),
                format!(
                    "Each point is a student at a difficulty, predicted from its accuracy up to difficulty {}, with the \
                     prediction interval; on the line the prediction is right.",
                    self.design.known
                ),
            ));
        }
        let bar = |curve: &str, horizon: usize| -> Option<Bar> {
            let e = self.row(&horizon_cell(curve, horizon), COVERAGE)?.estimate()?;
            Some((e.value, e.lo, e.hi))
        };
        let groups: Vec<(String, Vec<Option<Bar>>)> = (1..=HORIZON)
            .map(|h| (format!("{h} ahead"), Self::all_curves().iter().map(|curve| bar(curve, h)).collect()))
            .collect();
        if groups.iter().any(|(_, bars)| bars.iter().any(Option::is_some)) {
            out.push((
                figure::bars(&Bars {
                    title: "Coverage of prediction intervals",
                    y: "share of outcomes within",
                    y_range: (0.0, 1.0),
                    reference: Some((self.plan.bootstrap.level, "wanted")),
                    kinds: Self::all_curves().iter().map(|curve| (*curve).to_owned()).collect(),
                    groups,
                }),
                "Backtests over students, families and origins, by how many difficulties ahead; intervals are over \
                 resampled families."
                    .to_owned(),
            ));
        }
        out
    }

    pub(super) fn extrapolation_tables(&self) -> Vec<Table> {
        let columns = ["curve", "ahead", "forecasts", "coverage", "CRPS", "bias", "log-score", "weight"];
        let mut curves = Table::new("Backtests of the curves", 2, &columns);
        for curve in Self::all_curves() {
            for horizon in 1..=HORIZON {
                let cell = horizon_cell(curve, horizon);
                let n = self.row(&cell, COVERAGE).and_then(|row| row.n);
                let weight = self.row(&curve_cell(curve), WEIGHT).and_then(|row| row.value);
                let mut row = vec![
                    curve.to_owned(),
                    horizon.to_string(),
                    n.map_or_else(|| "none".to_owned(), |n| n.to_string()),
                ];
                row.extend([COVERAGE, CRPS, BIAS, LOG_SCORE].map(|metric| shown(self.row(&cell, metric))));
                row.push(weight.map_or_else(String::new, |weight| format!("{weight:.2}")));
                curves.rows.push(row);
            }
        }
        let mut families = Table::new("Coverage by family", 1, &["family", "forecasts", "coverage"]);
        for row in self.numbers.below(&curve_cell(STACK), COVERAGE) {
            let Some(family) = row.key("family") else { continue };
            families.rows.push(vec![
                family.to_owned(),
                row.n.unwrap_or_default().to_string(),
                shown(Some(row)),
            ]);
        }
        let mut students = Table::new(
            "Students predicted beyond the supervisor",
            2,
            &["student", "difficulty", "predicted", "actual"],
        );
        for student in &self.students {
            for horizon in 1..=HORIZON {
                let difficulty = (self.design.known + horizon) as u64;
                let cell = predicted_cell(student, difficulty);
                if self.row(&cell, PREDICTED).is_none() {
                    continue;
                }
                students.rows.push(vec![
                    student.name.clone(),
                    difficulty.to_string(),
                    shown(self.row(&cell, PREDICTED)),
                    shown(self.row(&cell, ACTUAL)),
                ]);
            }
        }
        vec![curves, families, students]
    }
}
