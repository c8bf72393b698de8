//! The rows over all seeds, each combination against the best single teacher on the same items.

use super::{
    CLUSTERS, CORRELATION, ESTIMATE_ERROR, ESTIMATED, ESTIMATED_CORRELATION, GAIN, INDEPENDENT, KIN_ERROR,
    LABEL_GAIN, LABELS, Q, TEST, VENDI, best_single, ceiling_cell, member_cells, rule_cell, set_cell,
    source_cells, teacher_cells,
};
use crate::experiment::score::{Said, Truth, bootstrap};
use crate::experiment::{FoundBy, Inputs};
use crate::record::Row;
use crate::spec::SignalDiversity;
use ndarray::Array2;
use superalign_core::Estimate;

pub(super) fn summarise(design: &SignalDiversity, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
    let (Ok(student), Ok(test)) = (Truth::of(inputs.parts, "student"), Truth::of(inputs.parts, "test"))
    else {
        return Vec::new();
    };
    let mut summary = Summary { inputs, found, said: Said::read(found), student, test, rows: Vec::new() };
    let plan = inputs.plan;
    let sources = source_cells(design, plan);
    for cell in &sources {
        summary.accuracy(cell, LABELS);
        summary.accuracy(cell, TEST);
    }
    if let Some(rung) = plan.rungs.last() {
        summary.accuracy(&ceiling_cell(&rung.name), TEST);
    }
    let accuracy = |cell: &str| {
        let row = summary.rows.iter().find(|row| row.cell == cell && row.metric == LABELS);
        row.and_then(|row| row.value)
    };
    let best = best_single(&teacher_cells(design, plan), accuracy)
        .cloned()
        .ok_or_else(|| "no single teacher has labels".to_owned());
    for &set in &design.set {
        let cell = set_cell(set);
        for (metric, unit) in [
            (CORRELATION, "correlation"),
            (ESTIMATED_CORRELATION, "correlation"),
            (Q, "correlation"),
            (INDEPENDENT, "count"),
            (VENDI, "count"),
            (CLUSTERS, "count"),
        ] {
            summary.mean(&cell, metric, unit);
        }
        for (cell, _) in member_cells(design, set, plan) {
            summary.mean(&cell, ESTIMATED, "share");
            summary.mean(&cell, ESTIMATE_ERROR, "difference");
            if summary.measured(&cell, KIN_ERROR) {
                summary.mean(&cell, KIN_ERROR, "difference");
            }
        }
        for &rule in &design.rule {
            let cell = rule_cell(set, rule);
            summary.accuracy(&cell, LABELS);
            summary.accuracy(&cell, TEST);
            summary.gain(&cell, LABEL_GAIN, &best);
            summary.gain(&cell, GAIN, &best);
        }
    }
    summary.rows
}

struct Summary<'a> {
    inputs: &'a Inputs<'a>,
    found: &'a FoundBy,
    said: Said,
    student: Truth<'a>,
    test: Truth<'a>,
    rows: Vec<Row>,
}

impl Summary<'_> {
    /// The part on which a metric is measured.
    fn truth(&self, metric: &str) -> &Truth<'_> {
        if metric == LABELS || metric == LABEL_GAIN { &self.student } else { &self.test }
    }

    fn correct(&self, cell: &str, metric: &str) -> Result<Array2<bool>, String> {
        let truth = self.truth(metric);
        let by_seed = self.said.by_seed(cell, &self.inputs.plan.seeds, truth.part.name)?;
        Ok(truth.correct_by_seed(&by_seed))
    }

    fn accuracy(&mut self, cell: &str, metric: &str) {
        let by = bootstrap(self.inputs.plan, &format!("{cell}/{metric}"));
        let truth = self.truth(metric);
        let outcome = self.correct(cell, metric).and_then(|right| {
            superalign_gap::capability_over_seeds(right.view(), Some(&truth.groups), &by)
                .map_err(|e| e.to_string())
        });
        self.rows.push(Row::new(cell, None, metric, "share", truth.len(), outcome));
    }

    /// What a combination gains over the best single teacher, on the same items and seeds.
    fn gain(&mut self, cell: &str, metric: &str, best: &Result<String, String>) {
        let by = bootstrap(self.inputs.plan, &format!("{cell}/{metric}"));
        let truth = self.truth(metric);
        let outcome = best.clone().and_then(|best| {
            let (single, combined) = (self.correct(&best, metric)?, self.correct(cell, metric)?);
            superalign_gap::gain(single.view(), combined.view(), Some(&truth.groups), &by)
                .map_err(|e| e.to_string())
        });
        self.rows.push(Row::new(cell, None, metric, "difference", truth.len(), outcome));
    }

    /// Whether any seed has that metric.
    fn measured(&self, cell: &str, metric: &str) -> bool {
        self.found.values().flat_map(|found| &found.rows).any(|row| row.cell == cell && row.metric == metric)
    }

    /// The mean over seeds of a number and of the ends of its interval: that of one seed, not a narrower one of all.
    fn mean(&mut self, cell: &str, metric: &str, unit: &str) {
        let rows: Vec<&Row> = self
            .found
            .values()
            .flat_map(|found| &found.rows)
            .filter(|row| row.cell == cell && row.metric == metric)
            .collect();
        let n = rows.iter().filter_map(|row| row.n).max().unwrap_or(0) as usize;
        let all: Result<Vec<Estimate>, String> = rows
            .iter()
            .map(|row| {
                row.estimate().ok_or_else(|| row.error.clone().unwrap_or_else(|| "not measured".to_owned()))
            })
            .collect();
        let outcome = all.and_then(|all| {
            if all.is_empty() {
                return Err(format!("{metric} was not measured"));
            }
            let mean = |of: fn(&Estimate) -> f64| all.iter().map(of).sum::<f64>() / all.len() as f64;
            Ok(Estimate { value: mean(|e| e.value), lo: mean(|e| e.lo), hi: mean(|e| e.hi) })
        });
        self.rows.push(Row::new(cell, None, metric, unit, n, outcome));
    }
}
