//! The plan: a spec whose inputs have been looked at. What a dry run shows, and what a run's name is made of.
//!
//! A plan says which part of the data trains what, and with how many items of how many groups; which models
//! are read, at which layer, with which digest; and every setting, those nobody wrote included.

mod data;
mod models;

pub use data::{Asked, Part, Wanted, gather};
pub use models::{LadderError, Models, OpenModel, Rung, open_rungs, rung_folders};

use crate::spec::{BootstrapSpec, DataSource, Design, ExpectSpec, LearnerSpec, Profile, Spec};
use serde::{Deserialize, Serialize};
use superalign_core::{Layer, ModelCard, Pooling, Seed};
use superalign_data::item::Objective;

/// A resolved experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Name of the experiment.
    pub experiment: String,
    /// Heading of the report.
    pub title: String,
    /// The question, in prose.
    pub question: String,
    /// The profile whose values are filled in.
    pub profile: Profile,
    /// What varies.
    pub design: Design,
    /// The seeds; each is a whole repetition.
    pub seeds: Vec<u64>,
    /// The items.
    pub data: DataPlan,
    /// The models, from the weakest to the strongest.
    pub rungs: Vec<RungPlan>,
    /// How probes are trained.
    pub learner: LearnerSpec,
    /// How intervals are made.
    pub bootstrap: BootstrapSpec,
    /// Sanity checks.
    pub expect: ExpectSpec,
    /// Version and digest of the code.
    pub code: String,
}

/// The items of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataPlan {
    /// Where they come from: `world 0`, or the name of a file.
    pub source: String,
    /// The objective whose labels are used.
    pub objective: Objective,
    /// Digest over every item: text, label, group and tags.
    pub digest: String,
    /// What the loader understood, line by line.
    pub notes: Vec<String>,
    /// The disjoint parts.
    pub parts: Vec<PartPlan>,
}

/// One part of the items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartPlan {
    /// `train`, `teacher`, `student` or `test`.
    pub name: String,
    /// What it trains or tests.
    pub role: String,
    /// Number of items.
    pub items: usize,
    /// Number of groups; no group is in two parts.
    pub groups: usize,
    /// Number of items whose gold label is true.
    pub positives: usize,
}

/// One model at one layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RungPlan {
    /// Its name in tables and cells.
    pub name: String,
    /// What the model is.
    pub model: ModelCard,
    /// The layer that is read.
    pub layer: Layer,
    /// How the positions of a text become one vector.
    pub pooling: Pooling,
}

impl Plan {
    /// Puts a spec and what was found of its inputs together.
    #[must_use]
    pub fn new(spec: &Spec, parts: &[Part], notes: Vec<String>, rungs: &[Rung]) -> Self {
        let source = match &spec.data.source {
            DataSource::World(seed) => format!("world {seed}"),
            DataSource::File(path) => path
                .file_name()
                .map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned()),
        };
        Self {
            experiment: spec.name.clone(),
            title: spec.title.clone(),
            question: spec.question.clone(),
            profile: spec.profile,
            design: spec.design.clone(),
            seeds: spec.seeds.clone(),
            data: DataPlan {
                source,
                objective: spec.data.objective,
                digest: data::digest(parts),
                notes,
                parts: parts.iter().map(Part::plan).collect(),
            },
            rungs: rungs.iter().map(|r| r.plan.clone()).collect(),
            learner: spec.learner,
            bootstrap: spec.bootstrap,
            expect: spec.expect.clone(),
            code: code_version(),
        }
    }

    /// Eight hex digits over all that decides the numbers: prose and sanity checks are left out.
    #[must_use]
    pub fn hash8(&self) -> String {
        let decisive = Self {
            title: String::new(),
            question: String::new(),
            expect: ExpectSpec::default(),
            data: DataPlan { notes: Vec::new(), source: String::new(), ..self.data.clone() },
            ..self.clone()
        };
        // A plan holds no map with keys other than text and no number that JSON lacks.
        let bytes = serde_json::to_vec(&decisive).unwrap_or_default();
        blake3::hash(&bytes).to_hex()[..8].to_owned()
    }

    /// The name of the run's folder.
    #[must_use]
    pub fn folder(&self) -> String {
        format!("{}-{}", self.experiment, self.hash8())
    }

    /// Number of cells of the grid, seeds included.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.design.experiment().cells(self.rungs.len()) * self.seeds.len()
    }

    /// The seed of a named use of randomness within the repetition `seed`.
    #[must_use]
    pub fn seed(&self, seed: u64, name: &str) -> Seed {
        Seed::new(seed).named(&self.experiment).named(name)
    }
}

/// Version of this program with a digest over the sources that decide its numbers.
#[must_use]
pub fn code_version() -> String {
    format!("{}+{}", env!("CARGO_PKG_VERSION"), env!("SUPERALIGN_CODE"))
}
