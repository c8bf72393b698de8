//! The report: one self-contained page, derived from a run's manifest and metrics alone.
//!
//! `prose` says in words what the numbers say, `figure` draws them, `table` lays them out for page and
//! terminal, `html` puts the page together. Nothing is ever read back from it.

pub(crate) mod evaluation;
mod figure;
pub(crate) mod gap_annealing;
pub(crate) mod gap_calibration;
mod html;
pub(crate) mod noise_capacity;
mod prose;
mod recipes;
pub(crate) mod reward_bench;
pub(crate) mod sandwiching;
pub(crate) mod self_enhancement;
pub(crate) mod signal_diversity;
pub(crate) mod superalignment;
mod table;
pub(crate) mod weak_to_strong;

pub(crate) use figure::{Lines as FigureLines, Series as FigureSeries, lines as figure_lines};
pub use html::{page, page_with};
pub(crate) use prose::count;
pub(crate) use table::thousands;
pub use table::{Table, plan_tables, terminal};

use crate::plan::Plan;
use crate::record::Row;

/// What a report shows of an experiment.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// What the numbers say, a sentence or two each.
    pub sentences: Vec<String>,
    /// Figures, each a finished `<svg>` with its caption.
    pub figures: Vec<(String, String)>,
    /// The main table first: the terminal shows that one.
    pub tables: Vec<Table>,
}

/// Reads the findings out of the metrics.
#[must_use]
pub fn findings(plan: &Plan, rows: &[Row]) -> Findings {
    plan.design.experiment().findings(plan, &Numbers { rows })
}

/// The main table alone, for the terminal.
#[must_use]
pub fn main_table(plan: &Plan, rows: &[Row]) -> Option<Table> {
    findings(plan, rows).tables.into_iter().next()
}

/// The rows of a run, asked by name.
#[derive(Clone, Copy, Debug)]
pub struct Numbers<'a> {
    rows: &'a [Row],
}

impl<'a> Numbers<'a> {
    /// The row over all seeds of `metric` in `cell`.
    fn summary(&self, cell: &str, metric: &str) -> Option<&'a Row> {
        self.rows.iter().find(|r| r.seed.is_none() && r.metric == metric && r.cell == cell)
    }

    /// Rows over all seeds of `metric` whose cell has `cell` as its beginning, breakdowns.
    fn below(&self, cell: &str, metric: &str) -> impl Iterator<Item = &'a Row> {
        let (cell, metric) = (format!("{cell}/"), metric.to_owned());
        self.rows.iter().filter(move |r| r.seed.is_none() && r.metric == metric && r.cell.starts_with(&cell))
    }

    /// The values of single seeds.
    fn seeds(&self, cell: &str, metric: &str) -> Vec<f64> {
        let one = |r: &&Row| r.seed.is_some() && r.metric == metric && r.cell == cell;
        self.rows.iter().filter(one).filter_map(|r| r.value).collect()
    }
}
