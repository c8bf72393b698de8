//! What trunks are trained on: features and groups that problems share, and the labels and seed of each.

use super::{Head, Trunk};
use crate::features::Prepared;
use crate::{LearnerError, Scaling};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, concatenate};
use std::collections::BTreeMap;
use std::ops::Range;
use superalign_core::Seed;

/// Items of one objective: rows of features, and which of them come from one source.
#[derive(Clone, Copy, Debug)]
pub struct Items<'a> {
    /// Features (n, d).
    pub features: ArrayView2<'a, f32>,
    /// The source of each row (n): rows with the same number are held out together. Without it every row is its own
    /// source.
    pub groups: Option<&'a [u32]>,
}

impl<'a> Items<'a> {
    /// Items that have each a source of their own.
    #[must_use]
    pub fn new(features: ArrayView2<'a, f32>) -> Self {
        Self { features, groups: None }
    }
}

/// The items that competence and conformity are learnt from.
#[derive(Clone, Copy, Debug)]
pub enum TrunkItems<'a> {
    /// The same items for both objectives. A step on both passes them through the shared part once.
    Shared(Items<'a>),
    /// Other items for each objective, described by features of the same columns. A number of a group means the same
    /// source in both.
    Separate {
        /// Items with competence labels.
        competence: Items<'a>,
        /// Items with conformity labels.
        conformity: Items<'a>,
    },
}

impl<'a> TrunkItems<'a> {
    /// The items of an objective.
    #[must_use]
    pub fn of(&self, head: Head) -> Items<'a> {
        match (*self, head) {
            (TrunkItems::Shared(items), _) => items,
            (TrunkItems::Separate { competence, .. }, Head::Competence) => competence,
            (TrunkItems::Separate { conformity, .. }, Head::Conformity) => conformity,
        }
    }
}

/// One trunk to train: the labels that its supervisor gives, and its seed.
#[derive(Clone, Copy, Debug)]
pub struct TrunkProblem<'a> {
    /// Probabilities in [0, 1] that each competence item is solved. Needed by plans that train competence.
    pub competence: Option<ArrayView1<'a, f64>>,
    /// Probabilities in [0, 1] that each conformity item keeps the norms. Needed by plans that train conformity.
    pub conformity: Option<ArrayView1<'a, f64>>,
    /// Where the first weights, the order of the items and the choice of held-out groups come from.
    pub seed: Seed,
    /// Weights to go on from, of the rank and width of the configuration. Without them the first weights are drawn.
    pub start: Option<&'a Trunk>,
}

impl TrunkProblem<'_> {
    /// The labels of an objective, checked.
    pub(crate) fn labels(
        &self,
        head: Head,
        rows: usize,
        problem: usize,
    ) -> Result<Array1<f64>, LearnerError> {
        let (given, what, of) = match head {
            Head::Competence => (self.competence, "competence labels", "competence items"),
            Head::Conformity => (self.conformity, "conformity labels", "conformity items"),
        };
        let Some(labels) = given else { return Err(LearnerError::NoLabels { problem, head }) };
        if labels.len() != rows {
            return Err(LearnerError::Rows { what, of, expected: rows, found: labels.len() });
        }
        match labels.iter().position(|y| !(0.0..=1.0).contains(y)) {
            Some(row) => Err(LearnerError::ObjectiveLabel { head, row, problem, value: labels[row] }),
            None => Ok(labels.to_owned()),
        }
    }
}

/// Scaled features of all items, one set after the other, and the source of each row.
pub(crate) struct Material {
    pub(crate) x: Array2<f32>,
    pub(crate) mean: Vec<f64>,
    pub(crate) scale: Vec<f64>,
    /// Rows of `x` that belong to each objective; the same where items are shared.
    pub(crate) rows: [Range<usize>; 2],
    /// A number from 0 for the source of each row of `x`.
    pub(crate) groups: Vec<usize>,
}

impl Material {
    pub(crate) fn new(items: &TrunkItems<'_>, scaling: Scaling) -> Result<Self, LearnerError> {
        let (prepared, rows) = match *items {
            TrunkItems::Shared(items) => {
                let n = items.features.nrows();
                (Prepared::new(items.features, scaling)?, [0..n, 0..n])
            }
            TrunkItems::Separate { competence, conformity } => {
                let (a, b) = (competence.features, conformity.features);
                if a.ncols() != b.ncols() {
                    let (competence, conformity) = (a.ncols(), b.ncols());
                    return Err(LearnerError::ObjectiveColumns { competence, conformity });
                }
                let both = concatenate(Axis(0), &[a, b]).expect("as many columns");
                let (n, m) = (a.nrows(), b.nrows());
                let prepared = Prepared::new(both.view(), scaling).map_err(|error| match error {
                    LearnerError::NonFinite { row, column, value } if row >= n => {
                        LearnerError::NonFinite { row: row - n, column, value }
                    }
                    other => other,
                })?;
                (prepared, [0..n, n..n + m])
            }
        };
        let mut groups = Vec::with_capacity(prepared.x.nrows());
        let mut numbers = BTreeMap::new();
        let mut sources = 0;
        for head in Head::BOTH {
            if groups.len() == prepared.x.nrows() {
                break;
            }
            let Items { features, groups: given } = items.of(head);
            if let Some(found) = given.map(<[_]>::len).filter(|n| *n != features.nrows()) {
                let expected = features.nrows();
                return Err(LearnerError::Rows { what: "groups", of: "features", expected, found });
            }
            for row in 0..features.nrows() {
                let mut next = || {
                    sources += 1;
                    sources - 1
                };
                groups.push(match given {
                    Some(given) => *numbers.entry(given[row]).or_insert_with(next),
                    None => next(),
                });
            }
        }
        let Prepared { x, mean, scale, .. } = prepared;
        Ok(Self { x, mean, scale, rows, groups })
    }
}
