//! The preference set of the generated world, scored by every rung in several ways.

use crate::spec::SpecError;
use crate::spec::section::{Bounds, Choice, Section};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Preferences that a subset may have.
const PER_SUBSET: Range<usize> = 10..1_000_001;

/// What varies in a reward-bench experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RewardBench {
    /// Test preferences of each subset.
    pub per_subset: usize,
    /// Preferences of each subset that train the probe.
    pub train_per_subset: usize,
    /// Share of the training preferences that each seed draws, in `(0, 1]`.
    pub resample: f64,
    /// How answers are scored.
    pub scorer: Vec<ScorerName>,
}

impl RewardBench {
    pub(super) fn read(data: &Section<'_>, grid: &Section<'_>) -> Result<Self, SpecError> {
        Ok(Self {
            per_subset: data.count("per-subset", PER_SUBSET)?.unwrap_or(100),
            train_per_subset: data.count("train-per-subset", PER_SUBSET)?.unwrap_or(200),
            resample: data.number("resample", Bounds::Above(0.0, 1.0))?.unwrap_or(0.8),
            scorer: grid
                .choices("scorer")?
                .unwrap_or_else(|| ScorerName::ALL.iter().map(|(_, scorer)| *scorer).collect()),
        })
    }
}

/// How an answer is scored; see `superalign::reward`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScorerName {
    /// ln p(answer | request).
    Likelihood,
    /// The same per token.
    LikelihoodPerToken,
    /// The log-odds that the word after the answer is the good verdict.
    Verdict,
    /// A Bradley-Terry probe on the rung's vectors.
    Probe,
}

impl Choice for ScorerName {
    const ALL: &'static [(&'static str, Self)] = &[
        ("likelihood", Self::Likelihood),
        ("likelihood-per-token", Self::LikelihoodPerToken),
        ("verdict", Self::Verdict),
        ("probe", Self::Probe),
    ];
}
