//! How much of the diversity of a signal is left, and when too little is.

use super::Round;
use super::gate::{Kept, hardened};
use crate::{ParadigmError, Signal};
use ndarray::{ArrayView2, Axis};
use std::fmt;
use superalign_signal::collapse::collapse_index;
use superalign_signal::embedding::{Kernel, Vendi, ZeroRows, vendi_score};
use superalign_signal::label_diversity::{Measure, diversity};

/// What a signal is like, as far as one can tell without the truth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Health {
    /// Share of `right` among the labels of all items, in [0, 1]; those of exactly one half left out.
    pub positives: f64,
    /// Mean confidence of all items, in [0, 1].
    pub confidence: f64,
    /// Share of items on which all votes are on one side of one half, in [0, 1].
    pub unanimity: f64,
    /// Hill number of order 1 of the hardened labels of all items, in [1, 2]: exp of their entropy.
    pub label_diversity: f64,
    /// 1 - `label_diversity` / that of round 0: 0 when nothing was lost, negative when diversity grew.
    pub label_collapse: f64,
    /// Share of the rarer class among the labels that the gate keeps, in [0, 1/2]; among all where it keeps none, which
    /// is what a balanced gate does where a class is missing. None for pairs, which have no classes.
    pub rarer: Option<f64>,
    /// Vendi score of the features (first view, cosine, order 1) of the items that are kept; none where none are.
    pub embedding_diversity: Option<f64>,
    /// 1 - `embedding_diversity` / that of round 0. Under [`Gate::Threshold`](super::Gate::Threshold) the number of items
    /// differs by round, and a larger sample has more directions.
    pub embedding_collapse: Option<f64>,
}

/// When a signal counts as collapsed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StopRule {
    /// The largest collapse index of labels that is borne, in [0, 1]. 0.25 by default: from labels in balance to
    /// fewer than one in seven of the rarer class.
    pub labels: f64,
    /// The largest collapse index of embeddings that is borne, in [0, 1]; 0.5 by default.
    pub embeddings: f64,
    /// The least share of the rarer class among the labels kept, in [0, 1/2]; 0.05 by default.
    pub rarer: f64,
}

/// Why a signal counts as collapsed: what was found, and what the rule bears.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reason {
    /// The labels of all items have lost their diversity.
    Labels {
        /// The collapse index.
        found: f64,
        /// The largest that is borne.
        borne: f64,
    },
    /// The items kept are all alike.
    Embeddings {
        /// The collapse index.
        found: f64,
        /// The largest that is borne.
        borne: f64,
    },
    /// The labels kept are nearly all of one class.
    Rarer {
        /// The share of the rarer class.
        found: f64,
        /// The least that is borne.
        borne: f64,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Labels { found, borne } => {
                write!(f, "the collapse index of labels is {found:.3}, above {borne}")
            }
            Self::Embeddings { found, borne } => {
                write!(f, "the collapse index of embeddings is {found:.3}, above {borne}")
            }
            Self::Rarer { found, borne } => {
                write!(f, "the rarer class has a share of {found:.3} of the labels kept, below {borne}")
            }
        }
    }
}

impl Default for StopRule {
    fn default() -> Self {
        Self { labels: 0.25, embeddings: 0.5, rarer: 0.05 }
    }
}

impl StopRule {
    /// Whether every field is within its range.
    ///
    /// # Errors
    /// [`ParadigmError::Setting`] for the first field that is not.
    pub fn check(&self) -> Result<(), ParadigmError> {
        unit("stop.labels", self.labels)?;
        unit("stop.embeddings", self.embeddings)?;
        if !(0.0..=0.5).contains(&self.rarer) {
            let expected = "a share from 0 to 1/2".into();
            return Err(ParadigmError::Setting { key: "stop.rarer", found: self.rarer, expected });
        }
        Ok(())
    }

    /// Why a signal of this health counts as collapsed; none where it does not.
    #[must_use]
    pub fn collapsed(&self, health: &Health) -> Option<Reason> {
        if health.label_collapse > self.labels {
            return Some(Reason::Labels { found: health.label_collapse, borne: self.labels });
        }
        if let Some(found) = health.rarer.filter(|found| *found < self.rarer) {
            return Some(Reason::Rarer { found, borne: self.rarer });
        }
        let found = health.embedding_collapse.filter(|found| *found > self.embeddings)?;
        Some(Reason::Embeddings { found, borne: self.embeddings })
    }
}

/// The first round whose signal counts as collapsed, and why: where the rounds would have stopped under that rule.
#[must_use]
pub fn first_collapse(rounds: &[Round], rule: &StopRule) -> Option<(usize, Reason)> {
    rounds.iter().enumerate().find_map(|(r, round)| Some((r, rule.collapsed(&round.health)?)))
}

/// The health of a signal whose `kept` labels train, beside that of round 0, where it is not that itself.
pub(super) fn health(
    signal: &Signal,
    kept: &Kept,
    features: ArrayView2<'_, f32>,
    first: Option<&Health>,
) -> Result<Health, ParadigmError> {
    let counts = |labels: &mut dyn Iterator<Item = bool>| {
        labels.fold([0_u64; 2], |mut counts, label| {
            counts[usize::from(label)] += 1;
            counts
        })
    };
    let all = counts(&mut signal.labels().iter().filter_map(|&p| hardened(p)));
    let labelled = all[0] + all[1];
    if labelled == 0 {
        return Err(ParadigmError::Undefined {
            what: "health of a signal",
            reason: "every label is one half".into(),
        });
    }
    let n = signal.items().len() as f64;
    let one_mind = |votes: ndarray::ArrayView1<'_, f64>| {
        votes.iter().all(|v| *v > 0.5) || votes.iter().all(|v| *v < 0.5)
    };
    let label_diversity = diversity(&all, Measure::Hill(1.0))?;
    let places = kept.items();
    let embedding_diversity = if places.is_empty() {
        None
    } else {
        let kernel = Kernel::Cosine { zero_rows: ZeroRows::Zero };
        Some(vendi_score(features.select(Axis(0), &places).view(), &Vendi { order: 1.0, kernel })?)
    };
    let before = first.and_then(|first| first.embedding_diversity).or(embedding_diversity);
    let embedding_collapse = match (before, embedding_diversity) {
        (Some(before), Some(after)) => Some(collapse_index(before, after)?),
        _ => None,
    };
    let rarer = match kept {
        Kept::Items(kept) => {
            let of_kept = counts(&mut kept.iter().map(|(_, p)| *p > 0.5));
            let [wrong, right] = if kept.is_empty() { all } else { of_kept };
            Some(wrong.min(right) as f64 / (wrong + right) as f64)
        }
        Kept::Pairs(_) => None,
    };
    Ok(Health {
        positives: all[1] as f64 / labelled as f64,
        confidence: signal.confidence().sum() / n,
        unanimity: signal.votes().outer_iter().filter(|votes| one_mind(*votes)).count() as f64 / n,
        label_diversity,
        label_collapse: collapse_index(
            first.map_or(label_diversity, |f| f.label_diversity),
            label_diversity,
        )?,
        rarer,
        embedding_diversity,
        embedding_collapse,
    })
}

pub(super) fn unit(key: &'static str, found: f64) -> Result<(), ParadigmError> {
    if (0.0..=1.0).contains(&found) {
        return Ok(());
    }
    Err(ParadigmError::Setting { key, found, expected: "a number from 0 to 1".into() })
}
