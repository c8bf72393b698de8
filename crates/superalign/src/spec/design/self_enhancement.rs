//! Rounds in which rungs label for themselves and for each other.

use super::ITEMS;
use crate::spec::SpecError;
use crate::spec::section::{Bounds, Choice, Section};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Views that an item may have: as it is, and in other orders.
const VIEWS: Range<usize> = 1..5;

/// What varies in a self-enhancement experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SelfEnhancement {
    /// Items that the rungs label, for themselves and for each other.
    pub student: usize,
    /// Held-out items with gold labels.
    pub test: usize,
    /// Share of the groups of the student part that each seed draws, in `(0, 1]`.
    pub resample: f64,
    /// Views of each item: as it is, and with its sentences in other orders. A file's items have one.
    pub views: usize,
    /// Rounds of training after the rung's own verdicts.
    pub rounds: usize,
    /// Share of the items whose labels a gate keeps.
    pub share: f64,
    /// Temperatures of the votes.
    pub temperature: Vec<f64>,
    /// Draws for each view and temperature; 0 takes their expectation.
    pub draws: usize,
    /// How a verdict is asked for: the text before it, of which `{text}` is the item.
    pub ask: String,
    /// How a verdict is criticised: of which `{text}` is the item, `{verdict}` the verdict and `{asked}` the
    /// item from its question on.
    pub criticise: String,
    /// The verdict on a right candidate, with the space before it.
    pub right: String,
    /// The verdict on a wrong one.
    pub wrong: String,
    /// When a signal counts as collapsed: the largest collapse index of labels that is borne.
    pub stop_labels: f64,
    /// The same of embeddings.
    pub stop_embeddings: f64,
    /// The least share of the rarer class among the labels kept.
    pub stop_rarer: f64,
    /// How the labels come about.
    pub variant: Vec<VariantName>,
}

impl SelfEnhancement {
    pub(super) fn read(
        spec: &Section<'_>,
        data: &Section<'_>,
        grid: &Section<'_>,
    ) -> Result<Self, SpecError> {
        let (own, stop) = (spec.section("self-enhancement")?, spec.section("stop")?);
        let all = || VariantName::ALL.iter().map(|(_, variant)| *variant).collect();
        let text = |key, usual: &str| Ok(own.text(key)?.unwrap_or_else(|| usual.to_owned()));
        let read = Self {
            student: data.count("student", ITEMS)?.unwrap_or(1000),
            test: data.count("test", ITEMS)?.unwrap_or(1000),
            resample: data.number("resample", Bounds::Above(0.0, 1.0))?.unwrap_or(0.8),
            views: data.count("views", VIEWS)?.unwrap_or(3),
            rounds: own.count("rounds", 1..101)?.unwrap_or(3),
            share: own.number("share", Bounds::Above(0.0, 1.0))?.unwrap_or(0.5),
            temperature: own.numbers("temperature", Bounds::Above(0.0, 1e3))?.unwrap_or_else(|| vec![1.0]),
            draws: own.count("draws", 0..100_001)?.unwrap_or(0),
            ask: text("ask", "{text}")?,
            criticise: text("criticise", "{text}{verdict} . {asked}")?,
            right: text("right", " right")?,
            wrong: text("wrong", " wrong")?,
            stop_labels: stop.number("labels", Bounds::Closed(0.0, 1.0))?.unwrap_or(0.25),
            stop_embeddings: stop.number("embeddings", Bounds::Closed(0.0, 1.0))?.unwrap_or(0.5),
            stop_rarer: stop.number("rarer", Bounds::Closed(0.0, 0.5))?.unwrap_or(0.05),
            variant: grid.choices("variant")?.unwrap_or_else(all),
        };
        own.finish()?;
        stop.finish()?;
        for (key, template) in [("ask", &read.ask), ("criticise", &read.criticise)] {
            if !template.contains("{text}") {
                let help = format!("write `{key}` with `{{text}}` where the item is to stand");
                return Err(own.error(key, format!("`{key}` lacks `{{text}}`"), Some(help)));
            }
        }
        Ok(read)
    }
}

/// How the labels come about; see `superalign_paradigm::self_enhancement`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VariantName {
    /// All of the rung's own labels train its student.
    Alone,
    /// Only the most confident, as many of one class as of the other.
    Gated,
    /// Only the most confident, whatever their class.
    Greedy,
    /// As gated, the items labelled by students that were trained on others.
    HeldOut,
    /// As gated, without the labels that the rung's own criticism contradicts.
    Critique,
    /// Preferences between the candidates of a task, the surest of them.
    Pairs,
    /// As gated, but two rungs are taught what either of them keeps.
    Peer,
    /// As gated, but each of two rungs is taught what the other keeps.
    Exchange,
}

impl VariantName {
    /// Whether it takes two rungs.
    #[must_use]
    pub const fn takes_two(self) -> bool {
        matches!(self, Self::Peer | Self::Exchange)
    }
}

impl Choice for VariantName {
    const ALL: &'static [(&'static str, Self)] = &[
        ("alone", Self::Alone),
        ("gated", Self::Gated),
        ("greedy", Self::Greedy),
        ("held-out", Self::HeldOut),
        ("critique", Self::Critique),
        ("pairs", Self::Pairs),
        ("peer", Self::Peer),
        ("exchange", Self::Exchange),
    ];
}
