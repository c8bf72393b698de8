//! Which benchmark it is, and which of its subsets a name means.

use crate::cli::Failure;
use crate::reward::world_table;
use crate::spec::nearest;
use clap::ValueEnum;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;
use superalign_evaluation::reward_bench::{
    Domain, OwnSection, OwnSubset, PRIOR_SETS, SUBSETS, Table, Weight,
};

/// Which benchmark is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Version {
    /// The one that the names of the subsets belong to
    Auto,
    /// RewardBench 1: four sections and the prior sets
    V1,
    /// RewardBench 2: six domains
    V2,
    /// The preference set of the generated world
    World,
}

/// A benchmark with its rules.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Benchmark {
    V1,
    V2,
    /// Sections from a table.
    Own {
        name: String,
        table: Table,
    },
}

/// What becomes of an item of a subset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It counts, under this name.
    Counts(String),
    /// It is a test set that no score counts.
    PassedOver,
}

/// A subset as the benchmark has it.
pub(super) struct Known {
    pub(super) name: String,
    pub(super) section: String,
    /// How many items it has, where that is fixed.
    pub(super) items: Option<u32>,
}

/// Test sets that come with the prior sets and count nowhere.
const PASSED_OVER: [&str; 5] =
    ["anthropic_harmless", "mtbench_gpt4", "mtbench_human", "pku_better", "pku_safer"];

/// The name of the section of the prior sets.
pub(super) const PRIORS: &str = "prior sets";

impl Benchmark {
    /// The benchmark that is asked for; where that is left open, the one that has most of the names.
    pub(super) fn choose(
        version: Version,
        sections: Option<&Path>,
        names: &BTreeSet<&str>,
    ) -> Result<Self, Failure> {
        if let Some(path) = sections {
            return own(path);
        }
        let all = [Self::V1, Self::V2, Self::world()];
        match version {
            Version::V1 => Ok(Self::V1),
            Version::V2 => Ok(Self::V2),
            Version::World => Ok(Self::world()),
            Version::Auto => {
                let known =
                    |benchmark: &Self| names.iter().filter(|name| benchmark.place(name).is_some()).count();
                // Of two with equally many, the first.
                let best = all.into_iter().rev().max_by_key(known).filter(|benchmark| known(benchmark) > 0);
                best.ok_or_else(|| {
                    let some: Vec<&str> = names.iter().copied().take(5).collect();
                    Failure::usage(format!(
                        "the subsets ({}{}) belong to no benchmark that is known here\n help: name the version with \
                         --version, or say with --sections FILE which section each subset belongs to",
                        some.join(", "),
                        if names.len() > some.len() { ", ..." } else { "" }
                    ))
                })
            }
        }
    }

    /// That of the generated world: sections of equal weight, in which every item counts the same.
    pub(super) fn world() -> Self {
        Self::Own { name: "the generated world's preference set".to_owned(), table: world_table() }
    }

    pub(super) fn title(&self) -> &str {
        match self {
            Self::V1 => "RewardBench 1",
            Self::V2 => "RewardBench 2",
            Self::Own { name, .. } => name,
        }
    }

    /// Its subsets, in the order of tables.
    pub(super) fn known(&self) -> Vec<Known> {
        match self {
            Self::V1 => {
                let counted = SUBSETS.iter().map(|subset| Known {
                    name: subset.name.to_owned(),
                    section: subset.section.name().to_owned(),
                    items: Some(subset.items),
                });
                let prior =
                    |name: &&str| Known { name: (*name).to_owned(), section: PRIORS.to_owned(), items: None };
                counted.chain(PRIOR_SETS.iter().map(prior)).collect()
            }
            Self::V2 => Domain::ALL
                .into_iter()
                .map(|domain| Known {
                    name: domain.name().to_owned(),
                    section: domain.name().to_owned(),
                    // Of Ties the prompts are 102 with their two versions.
                    items: match domain {
                        Domain::Factuality => Some(475),
                        Domain::PreciseIf => Some(160),
                        Domain::Math => Some(183),
                        Domain::Safety => Some(450),
                        Domain::Focus => Some(495),
                        Domain::Ties => None,
                    },
                })
                .collect(),
            Self::Own { table, .. } => table
                .subsets
                .iter()
                .map(|subset| Known {
                    name: subset.name.clone(),
                    section: subset.section.clone(),
                    items: None,
                })
                .collect(),
        }
    }

    /// The subset that a name means, if any. Names of version 2 are written in several ways.
    pub(super) fn place(&self, name: &str) -> Option<Place> {
        let found = |found: Known| Place::Counts(found.name);
        match self {
            Self::V1 if PASSED_OVER.contains(&name) => Some(Place::PassedOver),
            Self::V2 => self.known().into_iter().find(|known| plain(&known.name) == plain(name)).map(found),
            _ => self.known().into_iter().find(|known| known.name == name).map(found),
        }
    }

    /// What to say of a name that it does not have.
    pub(super) fn unknown(&self, name: &str) -> String {
        let known: Vec<String> = self.known().into_iter().map(|known| known.name).collect();
        match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("{} has {}", self.title(), known.join(", ")),
        }
    }
}

/// A name without case, blanks and dashes.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SectionsFile {
    section: Vec<SectionEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SectionEntry {
    name: String,
    #[serde(default = "one")]
    weight: f64,
    subsets: Vec<SubsetEntry>,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum SubsetEntry {
    Plain(String),
    Weighted { name: String, weight: f64 },
}

const fn one() -> f64 {
    1.0
}

/// The table that a TOML file holds.
fn own(path: &Path) -> Result<Benchmark, Failure> {
    let wrong = |reason: String| {
        Failure::usage(format!(
            "{}: {reason}\n help: write a table for each section:\n   [[section]]\n   name = \"safety\"\n   weight = 1.0\n   \
             subsets = [\"refuse\", {{ name = \"respond\", weight = 30 }}]",
            path.display()
        ))
    };
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    let file: SectionsFile = toml::from_str(&text).map_err(|e| wrong(e.to_string().trim_end().to_owned()))?;
    let mut table = Table::default();
    for SectionEntry { name, weight, subsets } in file.section {
        table.subsets.extend(subsets.into_iter().map(|subset| {
            let (subset, weight) = match subset {
                SubsetEntry::Plain(subset) => (subset, Weight::Items),
                SubsetEntry::Weighted { name, weight } => (name, Weight::Fixed(weight)),
            };
            OwnSubset { name: subset, section: name.clone(), weight }
        }));
        table.sections.push(OwnSection { name, weight });
    }
    table.check().map_err(|e| wrong(e.to_string()))?;
    Ok(Benchmark::Own { name: format!("the sections of {}", path.display()), table })
}
