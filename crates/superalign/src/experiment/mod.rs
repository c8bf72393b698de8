//! The experiments: which jobs a plan is made of, what each does, and what is summed up over all.
//!
//! A job is the unit of resumption: a group of grid cells that share their heavy work. It depends on the
//! plan, the features and the jobs of earlier stages, and on nothing else, so that a job done again gives
//! the same bytes. Every experiment module looks alike: `jobs`, `run`, `summarise`.

mod features;
pub(crate) mod noise_capacity;
mod score;
pub(crate) mod weak_to_strong;

pub use features::{Features, ReadError, Reading, read_features};

use crate::plan::{Part, Plan};
use crate::record::{ItemRow, Row};
use crate::spec::{Design, LossName};
use std::collections::BTreeMap;
use superalign_learner::{Loss, ProbeConfig};

/// What jobs work on.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The items.
    pub parts: &'a [Part],
    /// One entry per rung.
    pub features: Vec<Features>,
}

/// What a job found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Rows of `metrics.csv`.
    pub rows: Vec<Row>,
    /// Rows of `items.parquet`.
    pub items: Vec<ItemRow>,
}

/// What finished jobs found, by name.
pub type FoundBy = BTreeMap<String, Found>;

/// A job's place in its experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its name, unique in the run.
    pub name: String,
    /// The rung it is about, by its place in the plan.
    rung: usize,
    /// The seed it is about, where it is about one.
    seed: Option<u64>,
}

impl Job {
    /// The name as that of a file.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}.parquet", self.name.replace(['/', '='], "-"))
    }
}

/// The jobs of a plan, stage by stage; those of one stage do not depend on each other.
#[must_use]
pub fn stages(plan: &Plan) -> Vec<Vec<Job>> {
    match &plan.design {
        Design::NoiseCapacity(_) => noise_capacity::jobs(plan),
        Design::WeakToStrong(_) => weak_to_strong::jobs(plan),
    }
}

/// Does a job. What cannot be computed becomes a row with its reason.
#[must_use]
pub fn run(job: &Job, inputs: &Inputs<'_>, earlier: &FoundBy) -> Found {
    match &inputs.plan.design {
        Design::NoiseCapacity(design) => noise_capacity::run(job, design, inputs),
        Design::WeakToStrong(design) => weak_to_strong::run(job, design, inputs, earlier),
    }
}

/// The rows over all seeds and all jobs.
#[must_use]
pub fn summarise(inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
    match &inputs.plan.design {
        Design::NoiseCapacity(design) => noise_capacity::summarise(design, inputs, found),
        Design::WeakToStrong(design) => weak_to_strong::summarise(design, inputs, found),
    }
}

/// How probes of a plan are trained with a loss.
fn probe_config(plan: &Plan, loss: LossName) -> ProbeConfig {
    let learner = &plan.learner;
    ProbeConfig {
        penalty: learner.inverse_penalty,
        tolerance: learner.tolerance,
        max_iterations: learner.max_iterations,
        schedule_steps: learner.schedule_steps,
        loss: match loss {
            LossName::Xent => Loss::CrossEntropy,
            LossName::Logconf => {
                Loss::LogConf { max_confidence: learner.max_confidence, warmup: learner.warmup }
            }
        },
        ..ProbeConfig::default()
    }
}
