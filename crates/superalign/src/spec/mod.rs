//! What an experiment's TOML says, checked: every default filled in, every value within its range.
//!
//! TOML says what, Rust says how. A spec has no inheritance and no templates; `[profile.quick]` and
//! `[profile.full]` may set any other key anew.

pub mod design;
mod error;
mod prompts;
mod section;

pub use design::{
    ArmName, Component, Design, Evaluation, GapAnnealing, GapCalibration, LossName, NoiseCapacity, NoiseName,
    PlanName, PolicyName, ProtocolName, RecipeName, RewardBench, RuleName, Sandwiching, ScorerName,
    SelfEnhancement, SetName, SignalDiversity, StudentName, Superalignment, VariantName, WeakToStrong,
};
pub use error::SpecError;
pub(crate) use error::nearest;
pub(crate) use section::Choice;

use section::{Bounds, Section, Source};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use superalign_core::Pooling;
use superalign_data::item::Objective;
use toml::de::DeTable;

/// A checked experiment.
#[derive(Clone, Debug, Serialize)]
pub struct Spec {
    /// Its name, which names the run folder and the rows of `metrics.csv`.
    pub name: String,
    /// Heading of the report.
    pub title: String,
    /// The question it asks, in prose.
    pub question: String,
    /// The suite it belongs to; `default` is what runs when nothing is named.
    pub suite: Option<String>,
    /// The profile whose values are filled in.
    pub profile: Profile,
    /// What varies, and which part of the data trains what.
    pub design: Design,
    /// The seeds; each is a whole repetition.
    pub seeds: Vec<u64>,
    /// Where items come from.
    pub data: DataSpec,
    /// Which models, from the weakest to the strongest.
    pub models: ModelsSpec,
    /// How probes are trained.
    pub learner: LearnerSpec,
    /// How intervals are made.
    pub bootstrap: BootstrapSpec,
    /// Sanity checks; never the hoped-for result.
    pub expect: ExpectSpec,
}

/// Which values of a spec hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Minutes on a laptop.
    Quick,
    /// The figures to cite.
    Full,
}

/// Where items come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DataSpec {
    /// The generated world, or a file.
    pub source: DataSource,
    /// The objective whose labels are used.
    pub objective: Objective,
}

/// The generated world, or a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataSource {
    /// The world that grows from this seed.
    World(u64),
    /// A file in any format that the loaders know.
    File(PathBuf),
}

/// Which models, from the weakest to the strongest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ModelsSpec {
    /// Where the model folders are.
    pub source: ModelSource,
    /// Layers that are read, each a rung of its own; `None` reads the last.
    pub layers: Option<Vec<usize>>,
    /// How the positions of a text become one vector.
    pub pooling: PoolingChoice,
}

/// Where the model folders are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelSource {
    /// A folder with `ladder.toml`; of its rungs those whose numbers (from 1) are given, or all.
    Ladder(PathBuf, Option<Vec<usize>>),
    /// Model folders, from the weakest to the strongest.
    Folders(Vec<PathBuf>),
}

/// How the positions of a text become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PoolingChoice {
    /// The last token for a model with a language head, the mean for any other.
    Auto,
    /// The last token.
    LastToken,
    /// The mean over all tokens.
    Mean,
}

impl PoolingChoice {
    /// The pooling for a model that does (or does not) have a language head.
    #[must_use]
    pub fn resolve(self, generates: bool) -> Pooling {
        match self {
            Self::LastToken => Pooling::LastToken,
            Self::Mean => Pooling::Mean,
            Self::Auto if generates => Pooling::LastToken,
            Self::Auto => Pooling::Mean,
        }
    }
}

/// How probes are trained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LearnerSpec {
    /// The factor of the loss beside half the squared norm of the weights (scikit-learn's C): larger is freer.
    pub inverse_penalty: f64,
    /// Norm of the gradient at which training stops.
    pub tolerance: f64,
    /// Steps after which training gives up with an error.
    pub max_iterations: usize,
    /// `logconf`: steps of its schedule.
    pub schedule_steps: usize,
    /// `logconf`: the largest weight of the model's own opinion.
    pub max_confidence: f64,
    /// `logconf`: the share of training over which that weight grows from 0.
    pub warmup: f64,
    /// How trunks are trained.
    pub trunk: TrunkSpec,
}

/// How trunks are trained: students with a bottleneck and a head for each objective.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TrunkSpec {
    /// Rank of the bottleneck, where the grid does not say.
    pub rank: usize,
    /// Hidden units behind it.
    pub width: usize,
    /// Gradient steps, where the experiment does not say.
    pub steps: usize,
    /// Items of a step.
    pub batch: usize,
    /// Learning rate of AdamW.
    pub learning_rate: f64,
    /// Its decay of the weights.
    pub decay: f64,
}

/// How intervals are made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BootstrapSpec {
    /// Resamples.
    pub draws: usize,
    /// Coverage of the intervals.
    pub level: f64,
    /// Seed of the resampling.
    pub seed: u64,
}

/// Sanity checks; never the hoped-for result.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ExpectSpec {
    /// Number of grid cells (seeds included).
    pub cells: Option<usize>,
    /// First digits of the data's digest.
    pub data_digest: Option<String>,
    /// Metric of a summary cell (`CELL METRIC`) with the range its value must be in.
    pub reference: Vec<(String, f64, f64)>,
}

/// What a command line changes in a spec.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Number of seeds.
    pub seeds: Option<usize>,
    /// A file in place of the spec's data.
    pub data: Option<PathBuf>,
    /// Model folders in place of the spec's.
    pub models: Vec<PathBuf>,
    /// Layers in place of the spec's.
    pub layers: Option<Vec<usize>>,
    /// Pooling in place of the spec's.
    pub pooling: Option<PoolingChoice>,
}

impl Overrides {
    /// Whether the inputs are no longer those that the spec's sanity checks speak of.
    fn change_inputs(&self) -> bool {
        self.seeds.is_some() || self.data.is_some() || !self.models.is_empty() || self.layers.is_some()
    }
}

impl Spec {
    /// The spec in the file `path`, with the values of `profile` and then those of `overrides`.
    ///
    /// # Errors
    /// A file that cannot be read or is not TOML, an unknown key or name, a value out of its range:
    /// each with its line and the remedy.
    pub fn read(path: &Path, profile: Profile, overrides: &Overrides) -> Result<Self, SpecError> {
        let text = std::fs::read_to_string(path).map_err(|e| {
            let (message, help) = match e.kind() {
                ErrorKind::NotFound => {
                    ("there is no such spec".to_owned(), "check the path, or name one of the experiments")
                }
                ErrorKind::InvalidData => ("the spec is not text in UTF-8".to_owned(), "name a TOML file"),
                _ => (format!("the spec cannot be read: {e}"), "check that it is a file that you may read"),
            };
            SpecError::whole(path, message, Some(help.to_owned()))
        })?;
        Self::parse(path, text, profile, overrides)
    }

    /// As [`Spec::read`], from text that is already here; `path` serves the errors and relative paths.
    ///
    /// # Errors
    /// As [`Spec::read`].
    pub fn parse(
        path: &Path,
        text: String,
        profile: Profile,
        overrides: &Overrides,
    ) -> Result<Self, SpecError> {
        let source = Source { path: path.to_owned(), text };
        let table = DeTable::parse(&source.text).map_err(|e| {
            let message = format!("not valid TOML: {}", e.message());
            source.error(e.span().unwrap_or(0..0), message, None)
        })?;
        let table = table.get_ref();
        let bare = Section::new(&source, "", Some(table), None);
        let profiles = bare.section("profile")?;
        let overlays = [profiles.section("quick")?, profiles.section("full")?];
        profiles.finish()?;
        drop(overlays);
        // Both profiles are read, so that a mistake in the other one does not wait for its day.
        let read = |chosen: Profile| {
            let overlay = table
                .get("profile")
                .and_then(|p| p.get_ref().as_table())
                .and_then(|p| p.get(chosen.name()))
                .and_then(|p| p.get_ref().as_table());
            read_spec(&source, &Section::new(&source, "", Some(table), overlay), chosen)
        };
        let (quick, full) = (read(Profile::Quick)?, read(Profile::Full)?);
        let spec = if profile == Profile::Quick { quick } else { full };
        Ok(spec.overridden(overrides))
    }

    fn overridden(mut self, o: &Overrides) -> Self {
        if let Some(n) = o.seeds {
            self.seeds = (0..n as u64).collect();
        }
        if let Some(path) = &o.data {
            self.data.source = DataSource::File(path.clone());
        }
        if !o.models.is_empty() {
            self.models.source = ModelSource::Folders(o.models.clone());
        }
        if o.layers.is_some() {
            self.models.layers.clone_from(&o.layers);
        }
        if let Some(pooling) = o.pooling {
            self.models.pooling = pooling;
        }
        if o.change_inputs() {
            self.expect = ExpectSpec::default();
        }
        self
    }
}

fn read_spec(source: &Source, spec: &Section<'_>, profile: Profile) -> Result<Spec, SpecError> {
    spec.section("profile")?;
    let name = spec.required_text("name")?;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(fits) {
        let message = format!("the name \"{name}\" cannot name a folder");
        return Err(spec.error("name", message, Some("use lower-case letters, digits and hyphens".into())));
    }
    let (data, grid) = (spec.section("data")?, spec.section("grid")?);
    let design = Design::read(spec, &data, &grid)?;
    let read = Spec {
        title: spec.text("title")?.unwrap_or_else(|| name.clone()),
        name,
        question: spec.required_text("question")?,
        suite: spec.text("suite")?,
        profile,
        design,
        seeds: spec.seeds("seeds")?.unwrap_or_else(|| vec![0, 1, 2]),
        data: read_data(source, &data)?,
        models: read_models(source, &spec.section("models")?)?,
        learner: read_learner(&spec.section("learner")?)?,
        bootstrap: read_bootstrap(&spec.section("bootstrap")?)?,
        expect: read_expect(&spec.section("expect")?)?,
    };
    grid.finish()?;
    spec.finish()?;
    Ok(read)
}

fn read_data(source: &Source, data: &Section<'_>) -> Result<DataSpec, SpecError> {
    let file = data.text("file")?;
    let world = data.count("world", 0..usize::MAX)?;
    if file.is_some() && world.is_some() {
        let message = "the data are either a `world` or a `file`".to_owned();
        return Err(data.error("file", message, Some("remove one of the two keys".into())));
    }
    let objective = data.choice::<Objective>("objective")?.unwrap_or_default();
    let origin = match file {
        Some(file) => DataSource::File(source.folder().join(file)),
        None => DataSource::World(world.unwrap_or(1) as u64),
    };
    data.finish()?;
    Ok(DataSpec { source: origin, objective })
}

fn read_models(source: &Source, models: &Section<'_>) -> Result<ModelsSpec, SpecError> {
    let ladder = models.text("ladder")?.unwrap_or_else(|| "../models/ladder".into());
    let rungs = models.counts("rungs", 1..1001)?;
    let read = ModelsSpec {
        source: ModelSource::Ladder(source.folder().join(ladder), rungs),
        layers: models.counts("layers", 0..1001)?,
        pooling: models.choice("pooling")?.unwrap_or(PoolingChoice::Auto),
    };
    models.finish()?;
    Ok(read)
}

fn read_learner(learner: &Section<'_>) -> Result<LearnerSpec, SpecError> {
    let read = LearnerSpec {
        inverse_penalty: learner.number("inverse-penalty", Bounds::Above(0.0, 1e6))?.unwrap_or(1.0),
        tolerance: learner.number("tolerance", Bounds::Above(0.0, 1.0))?.unwrap_or(1e-5),
        max_iterations: learner.count("max-iterations", 1..1_000_001)?.unwrap_or(1000),
        schedule_steps: learner.count("schedule-steps", 1..100_001)?.unwrap_or(50),
        max_confidence: learner.number("max-confidence", Bounds::Closed(0.0, 1.0))?.unwrap_or(0.5),
        warmup: learner.number("warmup", Bounds::Closed(0.0, 1.0))?.unwrap_or(0.2),
        trunk: read_trunk(&learner.section("trunk")?)?,
    };
    learner.finish()?;
    Ok(read)
}

fn read_trunk(trunk: &Section<'_>) -> Result<TrunkSpec, SpecError> {
    let read = TrunkSpec {
        rank: trunk.count("rank", 1..100_001)?.unwrap_or(16),
        width: trunk.count("width", 1..100_001)?.unwrap_or(64),
        steps: trunk.count("steps", 1..10_000_001)?.unwrap_or(600),
        batch: trunk.count("batch", 1..1_000_001)?.unwrap_or(128),
        learning_rate: trunk.number("learning-rate", Bounds::Above(0.0, 1.0))?.unwrap_or(0.002),
        decay: trunk.number("decay", Bounds::Closed(0.0, 0.999))?.unwrap_or(0.01),
    };
    trunk.finish()?;
    Ok(read)
}

fn read_bootstrap(bootstrap: &Section<'_>) -> Result<BootstrapSpec, SpecError> {
    let read = BootstrapSpec {
        draws: bootstrap.count("draws", 100..1_000_001)?.unwrap_or(1000),
        level: bootstrap.number("level", Bounds::Closed(0.5, 0.999))?.unwrap_or(0.95),
        seed: bootstrap.count("seed", 0..usize::MAX)?.unwrap_or(0) as u64,
    };
    bootstrap.finish()?;
    Ok(read)
}

fn read_expect(expect: &Section<'_>) -> Result<ExpectSpec, SpecError> {
    let reference = expect.section("reference")?;
    let mut ranges: Vec<(String, f64, f64)> = Vec::new();
    for (key, numbers) in reference.free_numbers(Bounds::Closed(-1e9, 1e9))? {
        let [lo, hi] = numbers[..] else {
            let message = format!("the reference `{key}` is not a range");
            return Err(reference.error(&key, message, Some("write it as [lowest, highest]".into())));
        };
        ranges.retain(|(name, ..)| *name != key);
        ranges.push((key, lo, hi));
    }
    let read = ExpectSpec {
        cells: expect.count("cells", 0..usize::MAX)?,
        data_digest: expect.text("data-digest")?,
        reference: ranges,
    };
    expect.finish()?;
    Ok(read)
}

impl Choice for Profile {
    const ALL: &'static [(&'static str, Self)] = &[("quick", Self::Quick), ("full", Self::Full)];
}

impl Choice for PoolingChoice {
    const ALL: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("last-token", Self::LastToken), ("mean", Self::Mean)];
}

impl Choice for Objective {
    const ALL: &'static [(&'static str, Self)] =
        &[("competence", Self::Competence), ("conformity", Self::Conformity)];
}

#[cfg(test)]
mod tests;
