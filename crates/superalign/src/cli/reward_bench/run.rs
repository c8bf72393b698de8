//! `superalign reward-bench run`: models score the answers of a benchmark, and the official sums are made of that.

use super::SumArgs;
use super::benchmark::Benchmark;
use super::dump::write_scores;
use super::judged::{Judge, Sourced, judge};
use super::show::Report;
use super::sums::sums;
use crate::cli::{Failure, runtime};
use crate::plan::rung_folders;
use crate::progress::Progress;
use crate::reward::{
    Join, ReadAs, Scorer, ScorerError, ScoresByItem, WORLD_JOIN, by_head, by_likelihood, by_log_ratio,
    by_probe, by_verdict, likelihoods,
};
use crate::spec::{ModelSource, ModelsSpec, PoolingChoice};
use clap::Args;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use superalign_core::{LogLikelihood, Model, ModelError, Seed};
use superalign_data::At;
use superalign_data::item::Preference;
use superalign_data::load::{BestOf, Scored, ScoredItem, load_benchmark};
use superalign_data::world::{CONFORMITY_VERDICTS, Part, Subset, World};
use superalign_inference::{OnnxModel, OpenOptions};

const EXAMPLES: &str = "\
Examples:
  superalign reward-bench run                            the shipped ladder on the generated world
  superalign reward-bench run --scorer probe,verdict --per-subset 400 -o said.parquet
  superalign reward-bench run --model mine --scorer dpo --reference base --data bench.parquet
  superalign reward-bench run --model mine --data bench2.parquet --partial
  superalign reward-bench run --model reward-model --scorer reward --data bench.parquet

Files have the columns of RewardBench 1 (`prompt`, `chosen`, `rejected`, `subset`) or of
RewardBench 2, where `chosen` and `rejected` are lists. What is written with -o can be summed up
again with `superalign reward-bench score`.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, disable_version_flag = true)]
pub(in crate::cli) struct RunArgs {
    /// A folder with an ONNX model and its tokenizer.json; by default the rungs of the shipped ladder
    #[arg(long, value_name = "DIR")]
    model: Vec<PathBuf>,
    /// Your own benchmark: CSV, TSV, JSON, JSONL or Parquet; by default that of the generated world
    #[arg(long, value_name = "FILE", conflicts_with = "world")]
    data: Option<PathBuf>,
    /// Seed of the generated world; the ladder has learned the language of world 1
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    world: u64,
    /// Preferences for each of the world's 12 subsets
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(2..))]
    per_subset: u32,
    /// How an answer is scored; several with commas
    #[arg(long, value_enum, value_delimiter = ',', default_value = "likelihood,likelihood-per-token")]
    scorer: Vec<Scorer>,
    /// The model that `dpo` compares with
    #[arg(long, value_name = "DIR")]
    reference: Option<PathBuf>,
    /// Preferences that the probe is trained on, with the columns of --data; by default the world's part for students
    #[arg(long, value_name = "FILE")]
    train: Option<PathBuf>,
    /// What stands between prompt and answer; by default ` say ` in the world's language and a line end elsewhere
    #[arg(long, value_name = "TEXT")]
    join: Option<String>,
    /// The words after an answer that `verdict` compares, the good one first
    #[arg(long, value_name = "GOOD,BAD", value_delimiter = ',', num_args = 1)]
    verdicts: Option<Vec<String>>,
    /// How a reward model reads a prompt and its answer
    #[arg(long = "as", value_name = "HOW", value_enum, default_value = "auto")]
    read_as: ReadAs,
    /// The score of a reward model that has several
    #[arg(long, value_name = "NAME")]
    label: Option<String>,
    /// Write what the models said: Parquet where the name ends so, else JSONL
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    sums: SumArgs,
}

/// For each preference of the benchmark, the probe is trained on this many of the world's part for students.
const TRAINED_ON: usize = 2;

/// Opens the model in a folder; tests give a fake.
pub(super) type Open<'a> = &'a mut dyn FnMut(&Path) -> Result<Box<dyn Model>, Failure>;

pub(super) fn run(args: &RunArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    crate::cli::run::listen(&stop);
    let mut started = None;
    let mut open = |folder: &Path| -> Result<Box<dyn Model>, Failure> {
        let runtime = match started {
            Some(runtime) => runtime,
            None => *started.insert(runtime::start(None)?),
        };
        match OnnxModel::open(folder, runtime, &OpenOptions::default()) {
            Ok(model) => Ok(Box::new(model)),
            Err(e) => Err(Failure::usage(format!("the model in {} cannot be used: {e}", folder.display()))),
        }
    };
    run_with(args, &mut open, &Progress::auto(), &stop, out)
}

/// As [`run`], with models opened by the caller.
pub(super) fn run_with(
    args: &RunArgs,
    open: Open<'_>,
    progress: &Progress,
    stop: &AtomicBool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let how = args.sums.how()?;
    let has = |scorer| args.scorer.contains(&scorer);
    if has(Scorer::Dpo) != args.reference.is_some() {
        return Err(Failure::usage("--scorer dpo and --reference DIR go together"));
    }
    if has(Scorer::Probe) && args.data.is_some() && args.train.is_none() {
        return Err(Failure::usage(
            "--scorer probe on --data needs other preferences to train on: --train FILE",
        ));
    }
    let verdicts: [String; 2] = match &args.verdicts {
        None => CONFORMITY_VERDICTS.map(str::to_owned),
        Some(words) => words.clone().try_into().map_err(|words: Vec<String>| {
            Failure::usage(format!(
                "--verdicts: found {} words, expected two, the good one first",
                words.len()
            ))
        })?,
    };
    let world = || World::new(Seed::new(args.world));
    let per_subset = args.per_subset as usize;
    let (source, items) = match &args.data {
        Some(path) => (path.clone(), load_benchmark(path).map_err(Failure::usage)?),
        None => {
            let set = world().preference_set(Part::Test, per_subset);
            (PathBuf::from(format!("world {}", args.world)), best_of(set))
        }
    };
    let names: BTreeSet<&str> = items.iter().map(|item| item.subset.as_str()).collect();
    let benchmark = Benchmark::choose(args.sums.version, args.sums.sections.as_deref(), &names)?;
    let of_world = names.iter().all(|name| Subset::ALL.iter().any(|subset| subset.name() == *name));
    let join = match &args.join {
        Some(text) => Join::Text(text.clone()),
        None if of_world => Join::Text(WORLD_JOIN.to_owned()),
        None => Join::Plain,
    };
    // Mistakes in the names of subsets are found before any model runs.
    if let Some(item) = items.iter().find(|item| benchmark.place(&item.subset).is_none()) {
        return Err(Failure::usage(format!(
            "{}, {}: found the subset `{}`; {}",
            source.display(),
            item.at,
            item.subset,
            benchmark.unknown(&item.subset)
        )));
    }
    let train = match &args.train {
        Some(path) => load_benchmark(path).map_err(Failure::usage)?,
        None if has(Scorer::Probe) => best_of(world().preference_set(Part::Student, TRAINED_ON * per_subset)),
        None => Vec::new(),
    };
    let folders = if args.model.is_empty() { ladder()? } else { args.model.clone() };

    let tell = |title: String, total: usize| progress.stage(title, total);
    let reference = match &args.reference {
        None => None,
        Some(folder) => {
            let mut model = open(folder)?;
            let stage = tell(format!("{}: likelihood", model.card().name), items.len());
            let found = likelihoods(model.as_mut(), &items, &join, &mut |n| {
                stage.set(n);
                !stop.load(Ordering::Relaxed)
            });
            Some(found.map_err(|e| failure(e.into()))?)
        }
    };
    let mut said: Vec<(String, ScoresByItem)> = Vec::new();
    for folder in &folders {
        let mut model = open(folder)?;
        let mut name = model.card().name.clone();
        // Two folders of the same name are told apart by number.
        let twins =
            folders.iter().filter(|other| *other != folder && other.file_name() == folder.file_name());
        if twins.count() > 0 {
            name = format!(
                "{name}-{}",
                1 + folders.iter().position(|other| other == folder).unwrap_or_default()
            );
        }
        let mut likelihood: Option<Vec<Vec<LogLikelihood>>> = None;
        for &scorer in &args.scorer {
            let read = match scorer {
                Scorer::Probe => train.iter().chain(&items).map(|item| item.answers.len()).sum(),
                Scorer::Verdict | Scorer::Reward => items.iter().map(|item| item.answers.len()).sum(),
                _ => items.len(),
            };
            let stage = tell(format!("{name}: {}", scorer.name()), read);
            let mut done = |n: usize| {
                stage.set(n);
                !stop.load(Ordering::Relaxed)
            };
            let scores = match scorer {
                Scorer::Probe => {
                    by_probe(model.as_mut(), &train, &items, &join, &mut done).map_err(failure)?
                }
                Scorer::Reward => {
                    let (how, label) = (args.read_as, args.label.as_deref());
                    by_head(model.as_mut(), &items, &join, how, label, &mut done)
                        .map_err(|e| failure(e.into()))?
                }
                Scorer::Verdict => by_verdict(model.as_mut(), &items, &join, &verdicts, &mut done)
                    .map_err(|e| failure(e.into()))?,
                Scorer::Likelihood | Scorer::LikelihoodPerToken | Scorer::Dpo => {
                    let found = match likelihood.take() {
                        Some(found) => found,
                        None => likelihoods(model.as_mut(), &items, &join, &mut done)
                            .map_err(|e| failure(e.into()))?,
                    };
                    let scores = match &reference {
                        Some(reference) if scorer == Scorer::Dpo => by_log_ratio(&found, reference),
                        _ => by_likelihood(&found, scorer),
                    };
                    likelihood = Some(found);
                    scores
                }
            };
            said.push((format!("{name} {}", scorer.name()), scores));
        }
    }
    if let Some(path) = &args.out {
        write_scores(path, &items, &said)?;
    }

    let mut report = Report::new(&args.sums, Judge::Classifier);
    for (name, scores) in &said {
        let items: Vec<Sourced> = items
            .iter()
            .zip(scores)
            .map(|(item, scores)| Sourced { path: source.clone(), item: scored(name, item, scores) })
            .collect();
        let judged = judge(&benchmark, Judge::Classifier, name, &items)?;
        report.sums.push(sums(&benchmark, judged, &how)?);
    }
    report.benchmark = benchmark;
    report.show(out)
}

fn failure(error: ScorerError) -> Failure {
    match error {
        ScorerError::Model(ModelError::Stopped) => Failure::Stopped,
        ScorerError::Model(error @ ModelError::Unsupported { .. }) => Failure::usage(error),
        other => Failure::failed(other),
    }
}

/// What a model said of an item.
fn scored(model: &str, item: &BestOf, scores: &[f64]) -> ScoredItem {
    let said = match scores {
        [chosen, rejected] => Scored::Pair { chosen: *chosen, rejected: *rejected },
        _ => Scored::Answers { scores: scores.to_vec(), correct: Some(item.correct) },
    };
    ScoredItem {
        model: Some(model.to_owned()),
        id: item.id.clone(),
        subset: item.subset.clone(),
        prompt: Some(item.prompt.clone()),
        scored: Some(said),
        result: None,
        at: item.at,
    }
}

/// Preferences as items: the proper answer first. Ids are without the subset, as files have them.
fn best_of(set: Vec<Preference>) -> Vec<BestOf> {
    let one = |(n, preference): (usize, Preference)| BestOf {
        id: n.to_string(),
        subset: preference.tags.family,
        group: preference.group,
        prompt: preference.prompt,
        answers: vec![preference.chosen, preference.rejected],
        correct: 1,
        at: At::Row(n as u64 + 1),
    };
    set.into_iter().enumerate().map(one).collect()
}

/// The rungs of the shipped ladder: `models/ladder` here or in a folder above.
fn ladder() -> Result<Vec<PathBuf>, Failure> {
    let here = std::env::current_dir().map_err(Failure::failed)?;
    let found =
        here.ancestors().map(|a| a.join("models/ladder")).find(|path| path.is_dir()).ok_or_else(|| {
            Failure::usage(
                "there is no folder `models/ladder` here or above\n help: name a model with --model DIR",
            )
        })?;
    let found = found.strip_prefix(&here).map(Path::to_owned).unwrap_or(found);
    let spec =
        ModelsSpec { source: ModelSource::Ladder(found, None), layers: None, pooling: PoolingChoice::Auto };
    rung_folders(&spec).map_err(Failure::usage)
}
