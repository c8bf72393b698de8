//! Surrogate testing in the report.

use super::Page;
use crate::experiment::exam::{
    AGAINST_RANDOM, FADING, FLATTERY, KENDALL, KINDS, LABEL_ERROR, SIGNIFICANTLY_WRONG, SLOPE, SPEARMAN,
    SURROGATE, TARGET, WRONG, kind_cell, scored_cell, simulated_cell, supervised_cell,
};
use crate::record::Row;
use crate::report::figure::{self, Dots, Joined, Lines, Scatter, Series};
use crate::report::prose::{Effect, and, count, effect};
use crate::report::table::{Table, shown};
use superalign_core::Estimate;

impl Page<'_> {
    /// The cells of a kind: its own, or those of its families.
    fn cells_of(&self, (kind, by_family): (&str, bool)) -> Vec<String> {
        let cell = kind_cell(kind);
        if !by_family {
            return vec![cell];
        }
        let rows = self.numbers.below(&cell, KENDALL).filter(|row| row.key("withheld").is_some());
        rows.map(|row| row.cell.clone()).collect()
    }

    pub(super) fn surrogate_sentences(&self) -> Vec<String> {
        let mut out = Vec::new();
        let cell = kind_cell(KINDS[0].0);
        let Some(row) = self.row(&cell, KENDALL) else { return out };
        let Some(tau) = row.estimate() else {
            let why = row.error.clone().unwrap_or_default();
            return vec![format!("Surrogate testing by easier tasks gives no number: {why}.")];
        };
        let of = |metric: &str| self.row(&cell, metric).and_then(Row::estimate);
        let mut text = match effect(&tau) {
            Effect::Positive => format!(
                "Surrogate testing: scores on tasks up to difficulty {} order the students as the withheld truth does to \
                 a Kendall tau of {tau}",
                self.design.known
            ),
            Effect::Negative => format!(
                "Surrogate testing: scores on tasks up to difficulty {} order the students against the withheld truth, \
                 with a Kendall tau of {tau}",
                self.design.known
            ),
            Effect::None => format!(
                "Surrogate testing: that scores on tasks up to difficulty {} order the students as the withheld truth \
                 does cannot be claimed (Kendall tau {tau})",
                self.design.known
            ),
        };
        if let (Some(wrong), Some(sure)) = (of(WRONG), of(SIGNIFICANTLY_WRONG)) {
            text +=
                &format!("; of pairs of students {wrong} are in the wrong order, and {sure} beyond chance");
        }
        out.push(text + ".");
        if let (Some(slope), Some(flattery)) = (of(SLOPE), of(FLATTERY)) {
            let shrinks = if slope.hi < 1.0 {
                "differences between students are smaller on the withheld tasks"
            } else if slope.lo > 1.0 {
                "differences between students are larger on the withheld tasks"
            } else {
                "differences between students are carried over without a change that could be claimed"
            };
            out.push(format!(
                "As a number, the surrogate is {flattery} above the withheld score, and a step of 1 on it is one of \
                 {slope} there: {shrinks}."
            ));
        }
        for kind in &KINDS[1..] {
            let found: Vec<(String, Option<Estimate>)> = self
                .cells_of(*kind)
                .iter()
                .filter_map(|cell| {
                    let row = self.row(cell, KENDALL)?;
                    Some((row.key("withheld").unwrap_or_default().to_owned(), row.estimate()))
                })
                .collect();
            if found.is_empty() {
                continue;
            }
            let right = found.iter().filter(|(_, tau)| tau.is_some_and(|tau| tau.lo > 0.0)).count();
            let open: Vec<String> = found
                .iter()
                .filter(|(_, tau)| !tau.is_some_and(|tau| tau.lo > 0.0))
                .map(|(family, tau)| match tau {
                    Some(tau) => format!("{family} ({tau})"),
                    None => format!("{family} (undefined)"),
                })
                .collect();
            let how = if kind.0 == "held-out-family" {
                "With the other families as the surrogate of one"
            } else {
                "With hard tasks of families that experts know as the surrogate of another family's"
            };
            let mut text = format!(
                "{how}, the order agrees with the truth beyond its interval in {right} of {}",
                count(found.len(), "family").replace("familys", "families")
            );
            if !open.is_empty() {
                text += &format!("; not in {}", and(&open));
            }
            out.push(text + ".");
        }
        out.extend(self.fading_sentence());
        out.push(
            "Resampling tasks adds noise to both scores, which brings any rank correlation nearer to 0: a tau can lie near \
             the upper end of its interval or beyond it. Intervals are for these students and not for others."
                .to_owned(),
        );
        out
    }

    fn fading_sentence(&self) -> Option<String> {
        let cell = kind_cell(KINDS[0].0);
        let slope = |which: &str| self.row(&format!("{cell}/{which}"), FADING).and_then(Row::estimate);
        let (by, simulated) = (slope("labels-by")?, slope("simulated")?);
        let mut worst: Option<(&str, Estimate, Estimate)> = None;
        let (mut below, mut all) = (0, 0);
        for supervisor in &self.supervisors {
            let own = supervised_cell(supervisor);
            let of = |metric: &str| self.row(&own, metric).and_then(Row::estimate);
            let (Some(tau), Some(error)) = (of(KENDALL), of(LABEL_ERROR)) else { continue };
            if let Some(against) = of(AGAINST_RANDOM) {
                all += 1;
                below += usize::from(effect(&against) == Effect::Negative);
            }
            if worst.as_ref().is_none_or(|(_, _, before)| error.value > before.value) {
                worst = Some((&supervisor.name, tau, error));
            }
        }
        let (name, tau, error) = worst?;
        let fades = |slope: &Estimate| match effect(slope) {
            Effect::Negative => format!("falls by {:.2} [{:.2}, {:.2}]", -slope.value, -slope.hi, -slope.lo),
            Effect::Positive => format!("rises by {slope:.2}"),
            Effect::None => format!("does not change beyond its interval ({slope:.2})"),
        };
        Some(format!(
            "Where supervisors of the ladder label the surrogate, the tau {} for each step of 1 in their error rate; with \
             errors drawn at random it {}. The supervisor who errs most ({name}, wrong about {error} of the surrogate) \
             leaves a tau of {tau}. For {below} of {all} supervisors the tau is lower than as many random errors would leave, \
             beyond the interval of the difference: their errors favour some students, as they do where students make \
             the same ones.",
            fades(&by),
            fades(&simulated)
        ))
    }

    pub(super) fn surrogate_lines(&self, table: &mut Table) {
        let cell = kind_cell(KINDS[0].0);
        for (question, metric) in [
            ("Kendall tau of easier tasks with the withheld truth", KENDALL),
            ("share of pairs of students in the wrong order", WRONG),
        ] {
            let row = shown(self.row(&cell, metric));
            table.rows.push(vec!["surrogate testing".to_owned(), question.to_owned(), row]);
        }
        let fading = self.row(&format!("{cell}/labels-by"), FADING);
        let question = "change of that tau by the supervisor's error rate".to_owned();
        table.rows.push(vec!["surrogate testing".to_owned(), question, shown(fading)]);
    }

    pub(super) fn surrogate_figures(&self) -> Vec<(String, String)> {
        let kind = kind_cell(KINDS[0].0);
        let dots = |rung: usize| {
            let own = self.students.iter().filter(|student| student.rung == rung);
            let points = own.filter_map(|student| {
                let cell = scored_cell(&kind, student);
                let x = self.row(&cell, SURROGATE)?.estimate()?;
                let y = self.row(&cell, TARGET)?.estimate()?;
                Some((x.value, y.value, y.lo, y.hi))
            });
            Dots { name: self.plan.rungs[rung].name.clone(), points: points.collect(), joined: Joined::Apart }
        };
        let scatter = figure::scatter(&Scatter {
            title: "Surrogate score and withheld truth",
            x: &format!("solved up to difficulty {}", self.design.known),
            y: "solved beyond",
            reference: Some((0.5, "a guess")),
            dots: (0..self.plan.rungs.len()).map(dots).collect(),
            curve: Vec::new(),
        });
        let point = |error: Option<f64>, cell: &str| {
            let tau = self.row(cell, KENDALL)?.estimate()?;
            Some((error?, tau.value, tau.lo, tau.hi))
        };
        let labelled = |cell: String| point(self.row(&cell, LABEL_ERROR).and_then(|row| row.value), &cell);
        let truth =
            self.row(&kind, KENDALL).and_then(Row::estimate).map(|tau| (0.0, tau.value, tau.lo, tau.hi));
        let series = |name: &str, found: &mut dyn Iterator<Item = Option<(f64, f64, f64, f64)>>| {
            let mut points: Vec<_> = truth.into_iter().chain(found.flatten()).collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            Series { name: name.to_owned(), points }
        };
        let lines = figure::lines(&Lines {
            title: "Order kept under a supervisor who errs",
            x: "share of surrogate labels that are wrong",
            y: "Kendall tau with the withheld truth",
            y_range: (-1.0, 1.0),
            reference: Some((0.0, "no order")),
            series: vec![
                series("by supervisors", &mut self.supervisors.iter().map(|s| labelled(supervised_cell(s)))),
                series(
                    "random errors",
                    &mut self.design.error.iter().map(|e| point(Some(*e), &simulated_cell(*e))),
                ),
            ],
        });
        vec![
            (
                scatter,
                "Each point is a student, with the interval of its score on the withheld tasks; colours are rungs."
                    .to_owned(),
            ),
            (
                lines,
                "Agreement of surrogate scores with the withheld truth, by the error rate of who labels the surrogate: \
                 supervisors of the ladder (intervals over resampled tasks), and labels turned at random (over errors \
                 drawn anew). The first point has the true labels."
                    .to_owned(),
            ),
        ]
    }

    pub(super) fn surrogate_tables(&self) -> Vec<Table> {
        let columns = [
            "surrogate",
            "withheld",
            "Kendall tau",
            "Spearman rho",
            "slope",
            "less truth",
            "wrong pairs",
            "beyond chance",
        ];
        let mut kinds = Table::new("Surrogates against the withheld truth", 2, &columns);
        for kind in KINDS {
            for cell in self.cells_of(kind) {
                let withheld = self.row(&cell, KENDALL).and_then(|row| row.key("withheld"));
                let mut row = vec![
                    kind.0.to_owned(),
                    withheld.map_or_else(|| format!("beyond {}", self.design.known), str::to_owned),
                ];
                row.extend(
                    [KENDALL, SPEARMAN, SLOPE, FLATTERY, WRONG, SIGNIFICANTLY_WRONG]
                        .map(|metric| shown(self.row(&cell, metric))),
                );
                kinds.rows.push(row);
            }
        }
        let columns = ["who labels the surrogate", "labels wrong", "Kendall tau", "less random errors"];
        let mut fading = Table::new("Surrogate labels with errors", 1, &columns);
        for supervisor in &self.supervisors {
            let cell = supervised_cell(supervisor);
            let mut row = vec![supervisor.name.clone()];
            row.extend([LABEL_ERROR, KENDALL, AGAINST_RANDOM].map(|metric| shown(self.row(&cell, metric))));
            fading.rows.push(row);
        }
        for error in &self.design.error {
            let tau = shown(self.row(&simulated_cell(*error), KENDALL));
            fading.rows.push(vec!["random errors".to_owned(), error.to_string(), tau, String::new()]);
        }
        vec![kinds, fading]
    }
}
