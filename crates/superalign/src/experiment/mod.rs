//! The experiments: which jobs a plan is made of, what each does, and what is summed up over all.
//!
//! A job is the unit of resumption: a group of grid cells that share their heavy work. It depends on the
//! plan, the features and the jobs of earlier stages, and on nothing else, so that a job done again gives
//! the same bytes. Every experiment is a module here, a design in `spec::design`, a page in `report`.

mod board;
pub(crate) mod evaluation;
pub(crate) mod exam;
mod features;
pub(crate) mod gap_annealing;
pub(crate) mod gap_calibration;
mod interview;
pub(crate) mod noise_capacity;
pub(crate) mod recipes;
pub(crate) mod reward_bench;
pub(crate) mod sandwiching;
mod score;
pub(crate) mod self_enhancement;
pub(crate) mod signal_diversity;
pub(crate) mod superalignment;
mod transfer;
pub(crate) mod weak_to_strong;

pub use features::{Features, Questions, ReadError, Reading, read_features};
pub use interview::{Interviews, Room};

use crate::plan::{Part, Plan, Wanted};
use crate::record::{ItemRow, Row, TranscriptRow};
use crate::report::{Findings, Numbers, Table};
use crate::spec::{DataSource, Design, LossName};
use std::collections::BTreeMap;
use superalign_data::DataError;
use superalign_learner::{Loss, ProbeConfig, Rate, TrunkConfig};

/// What jobs work on.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The items.
    pub parts: &'a [Part],
    /// One entry per rung.
    pub features: Vec<Features>,
    /// What came of interviews.
    pub interviews: Interviews,
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

/// What every experiment says of itself: the data it wants, its jobs, what they find and what that means.
pub trait Experiment {
    /// The parts of the data.
    fn parts(&self) -> Vec<Wanted>;

    /// The parts themselves, where they are not binary items of the spec's objective; nothing where they are.
    fn own_parts(&self, _source: &DataSource) -> Option<Result<Vec<Part>, DataError>> {
        None
    }

    /// Prompts whose likelihoods are read along with the parts.
    fn questions(&self, _parts: &[Part]) -> Questions {
        Vec::new()
    }

    /// Questions whose wording depends on earlier answers, put to the models after the texts have been read.
    ///
    /// The truth about the items is in the room, and must not reach a question: a test flips it.
    ///
    /// # Errors
    /// The user stopped, or the cache cannot be written. A model that fails is the reason why a signal is missing.
    fn interview(&self, _room: &mut Room<'_>) -> Result<Interviews, ReadError> {
        Ok(Interviews::default())
    }

    /// Number of cells of the grid, for one seed.
    fn cells(&self, rungs: usize) -> usize;

    /// Whether the grid suits the models that were opened; else what is out of range, and the range.
    ///
    /// # Errors
    /// A value that no rung, or not every rung, can have.
    fn check(&self, _plan: &Plan) -> Result<(), String> {
        Ok(())
    }

    /// The jobs, stage by stage; those of one stage do not depend on each other.
    fn jobs(&self, plan: &Plan) -> Vec<Vec<Job>>;

    /// Does a job. What cannot be computed becomes a row with its reason.
    fn run(&self, job: &Job, inputs: &Inputs<'_>, earlier: &FoundBy) -> Found;

    /// The rows over all seeds and all jobs.
    fn summarise(&self, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row>;

    /// What the report shows.
    fn findings(&self, plan: &Plan, numbers: &Numbers<'_>) -> Findings;

    /// Exchanges that the report shows in full.
    fn exchanges(&self, _plan: &Plan, _transcripts: &[TranscriptRow]) -> Vec<Table> {
        Vec::new()
    }
}

impl Design {
    /// How this design is carried out.
    #[must_use]
    pub fn experiment(&self) -> &dyn Experiment {
        match self {
            Self::Evaluation(design) => design,
            Self::GapAnnealing(design) => design,
            Self::GapCalibration(design) => design,
            Self::NoiseCapacity(design) => design,
            Self::RewardBench(design) => design,
            Self::SelfEnhancement(design) => design,
            Self::Superalignment(design) => design,
            Self::SignalDiversity(design) => design,
            Self::Sandwiching(design) => &**design,
            Self::WeakToStrong(design) => design,
        }
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
        loss: loss_of(plan, loss),
        ..ProbeConfig::default()
    }
}

/// A loss with the plan's settings where the plan has some, and its usual ones otherwise.
fn loss_of(plan: &Plan, loss: LossName) -> Loss {
    let (max_confidence, warmup) = (plan.learner.max_confidence, plan.learner.warmup);
    match loss.loss() {
        Loss::LogConf { .. } => Loss::LogConf { max_confidence, warmup },
        Loss::Entropy { .. } => Loss::Entropy { max_confidence, warmup },
        other => other,
    }
}

/// How trunks of a plan are trained, with cross-entropy. The rate is constant, so that no phase of a plan over two
/// objectives learns more slowly than another.
fn trunk_config(plan: &Plan) -> TrunkConfig {
    let trunk = &plan.learner.trunk;
    TrunkConfig {
        rank: trunk.rank,
        width: trunk.width,
        steps: trunk.steps,
        batch: trunk.batch,
        learning_rate: trunk.learning_rate,
        decay: trunk.decay,
        rate: Rate::Constant,
        ..TrunkConfig::default()
    }
}
