//! One teacher against several, and how what several say becomes one label.

use super::ITEMS;
use crate::spec::SpecError;
use crate::spec::section::{Bounds, Choice, Section};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Members that a set may have: accuracies follow from three sources or more.
const MEMBERS: Range<usize> = 3..17;

/// What varies in a signal-diversity experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SignalDiversity {
    /// Items whose gold labels train the teachers, all sets alike.
    pub teacher: usize,
    /// Items that the sources label and that train the students.
    pub student: usize,
    /// Held-out items with gold labels.
    pub test: usize,
    /// Share of the groups of its part that each seed draws for training, in `(0, 1]`.
    pub resample: f64,
    /// Members of the sets that are made of one rung.
    pub members: usize,
    /// Sets of sources.
    pub set: Vec<SetName>,
    /// How the votes of a set become one label.
    pub rule: Vec<RuleName>,
}

/// A set of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetName {
    /// Probes of the strongest teacher, each on another draw of the same gold labels: they err together.
    Bags,
    /// Probes of the strongest teacher, each on another share of its features.
    Subspaces,
    /// A probe of every rung below the student.
    Rungs,
    /// The verdicts that the rungs below the student give unasked for labels: their likelihoods.
    Verdicts,
    /// Probes and verdicts of all rungs below the student.
    Paradigms,
    /// Every source of all sets.
    All,
}

/// How votes become one label; each is a rule of `superalign_paradigm::diversify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleName {
    /// The mean.
    Mean,
    /// The majority.
    Majority,
    /// Dawid and Skene.
    DawidSkene,
    /// Log-odds of estimated accuracies.
    Weighted,
    /// The subset of greatest estimated joint accuracy.
    Decorrelated,
    /// Three sources of a determinantal point process.
    Dpp,
}

impl SignalDiversity {
    pub(super) fn read(data: &Section<'_>, grid: &Section<'_>) -> Result<Self, SpecError> {
        Ok(Self {
            teacher: data.count("teacher", ITEMS)?.unwrap_or(1000),
            student: data.count("student", ITEMS)?.unwrap_or(1000),
            test: data.count("test", ITEMS)?.unwrap_or(1000),
            resample: data.number("resample", Bounds::Above(0.0, 1.0))?.unwrap_or(0.8),
            members: grid.count("members", MEMBERS)?.unwrap_or(3),
            set: grid.choices("set")?.unwrap_or_else(|| SetName::ALL.iter().map(|(_, set)| *set).collect()),
            rule: grid
                .choices("rule")?
                .unwrap_or_else(|| RuleName::ALL.iter().map(|(_, rule)| *rule).collect()),
        })
    }
}

impl Choice for SetName {
    const ALL: &'static [(&'static str, Self)] = &[
        ("bags", Self::Bags),
        ("subspaces", Self::Subspaces),
        ("rungs", Self::Rungs),
        ("verdicts", Self::Verdicts),
        ("paradigms", Self::Paradigms),
        ("all", Self::All),
    ];
}

impl Choice for RuleName {
    const ALL: &'static [(&'static str, Self)] = &[
        ("mean", Self::Mean),
        ("majority", Self::Majority),
        ("dawid-skene", Self::DawidSkene),
        ("weighted", Self::Weighted),
        ("decorrelated", Self::Decorrelated),
        ("dpp", Self::Dpp),
    ];
}
