//! What is known of students of both objectives, over all seeds: draws that belong together, and the rows made of them.

use super::gap_annealing::{COMPETENCE, CONFORMITY, JOINT};
use super::score::{Said, Truth, bootstrap};
use super::{FoundBy, Inputs};
use crate::plan::Plan;
use crate::record::Row;
use ndarray::Array2;
use std::collections::BTreeMap;
use superalign_core::Estimate;
use superalign_gap::{Draws, capability_draws};
use superalign_learner::Head;

/// Draws of one score of a student, which belong together with those of all others; or why there are none.
pub(super) type Known = Result<Draws, String>;

/// What is known of students by their cells, and the rows so far.
pub(super) struct Board<'a> {
    pub(super) plan: &'a Plan,
    pub(super) said: Said,
    /// The truth about the test items, by objective.
    pub(super) truths: [Truth<'a>; 2],
    known: BTreeMap<(String, usize), Known>,
    pub(super) rows: Vec<Row>,
}

impl<'a> Board<'a> {
    /// A board of what jobs found about the test parts of these names.
    pub(super) fn new(inputs: &Inputs<'a>, found: &FoundBy, test: [&str; 2]) -> Result<Self, String> {
        let [competence, conformity] = test.map(|part| Truth::of(inputs.parts, part));
        Ok(Self {
            plan: inputs.plan,
            said: Said::read(found),
            truths: [competence?, conformity?],
            known: BTreeMap::new(),
            rows: Vec::new(),
        })
    }

    /// Number of test items of an objective.
    pub(super) fn items(&self, head: Head) -> usize {
        self.truths[head.index()].len()
    }

    /// Number of test items of both.
    pub(super) fn all_items(&self) -> usize {
        Head::BOTH.map(|head| self.items(head)).iter().sum()
    }

    pub(super) fn push(
        &mut self,
        cell: &str,
        metric: &str,
        unit: &str,
        n: usize,
        outcome: Result<Estimate, String>,
    ) {
        self.rows.push(Row::new(cell, None, metric, unit, n, outcome));
    }

    pub(super) fn estimate(&self, draws: &Draws) -> Result<Estimate, String> {
        draws.estimate(self.plan.bootstrap.level).map_err(|e| e.to_string())
    }

    /// Whether a student is right about each test item of an objective, (seeds, items).
    pub(super) fn right(&self, cell: &str, head: Head) -> Result<Array2<bool>, String> {
        let truth = &self.truths[head.index()];
        let by_seed = self.said.by_seed(cell, &self.plan.seeds, truth.part.name)?;
        Ok(truth.correct_by_seed(&by_seed))
    }

    /// The draws of a student's score on one objective.
    pub(super) fn draws(&mut self, cell: &str, head: Head) -> Known {
        let key = (cell.to_owned(), head.index());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let truth = &self.truths[head.index()];
        let known = self.right(cell, head).and_then(|right| {
            // One name for all cells, so that their draws belong together.
            let interval = bootstrap(self.plan, &format!("test/{head}"));
            let draws = capability_draws(&[right.view()], Some(&truth.groups), &interval);
            draws.map_err(|e| e.to_string())?.pop().ok_or_else(|| "no draws".to_owned())
        });
        self.known.insert(key, known.clone());
        known
    }

    /// Competence times conformity.
    pub(super) fn joint(&mut self, cell: &str) -> Known {
        let (c, v) = (self.draws(cell, Head::Competence)?, self.draws(cell, Head::Conformity)?);
        c.with(&v, |c, v| c * v).map_err(|e| e.to_string())
    }

    /// Rows with competence, conformity and their product.
    pub(super) fn student(&mut self, cell: &str) {
        for (head, metric) in Head::BOTH.into_iter().zip([COMPETENCE, CONFORMITY]) {
            let outcome = self.draws(cell, head).and_then(|draws| self.estimate(&draws));
            self.push(cell, metric, "share", self.items(head), outcome);
        }
        let outcome = self.joint(cell).and_then(|draws| self.estimate(&draws));
        self.push(cell, JOINT, "utility", self.all_items(), outcome);
    }
}
