//! `superalign reward-bench score`: the official sums over files of scores.

use super::SumArgs;
use super::benchmark::{Benchmark, Version};
use super::judged::{Judge, Sourced, judge};
use super::published::published;
use super::show::Report;
use super::sums::sums;
use crate::cli::Failure;
use clap::Args;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use superalign_data::load::{ScoreReading, Scores, load_scores};

const EXAMPLES: &str = "\
Examples:
  superalign reward-bench score dump.json                       as the official programs write it
  superalign reward-bench score dump.parquet --judge generative
  superalign reward-bench score core.jsonl priors.jsonl --json  two files of one model
  superalign reward-bench score leaderboard.csv                 published scores, a row per model
  superalign reward-bench score mine.csv --subset-column kind --sections mine.toml

Rows are items, with `subset` and `score_chosen`, `score_rejected` (RewardBench 1), `scores`,
`num_correct` (RewardBench 2), or `results`; `id`, `prompt` and `model` are read where they are
there. Items that share a prompt are resampled together. A score of which parts are missing is
shown with the reason, and is no failure.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, disable_version_flag = true)]
pub(in crate::cli) struct ScoreArgs {
    /// CSV, TSV, JSON, JSONL or Parquet; files without a column `model` are one model's
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The column with the subset of each item
    #[arg(long, value_name = "NAME")]
    subset_column: Option<String>,
    /// Who judged
    #[arg(long, value_enum, default_value = "classifier")]
    judge: Judge,
    #[command(flatten)]
    sums: SumArgs,
}

pub(super) fn score(args: &ScoreArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let how = args.sums.how()?;
    let reading = ScoreReading { subset: args.subset_column.clone() };
    let mut report = Report::new(&args.sums, args.judge);
    let mut models: Vec<(String, Vec<Sourced>)> = Vec::new();
    let mut tables = Vec::new();
    // Rows without a model are of one model, named after the first of their files.
    let mut unnamed: Option<String> = None;
    for (n, path) in args.files.iter().enumerate() {
        if args.files[..n].contains(path) {
            return Err(Failure::usage(format!("{} is named twice", path.display())));
        }
        let file = load_scores(path, &reading).map_err(Failure::usage)?;
        report.files.push((path.display().to_string(), file.digest));
        match file.scores {
            Scores::Table(rows) => tables.push((path, rows)),
            Scores::Items(items) => {
                for item in items {
                    let model = item.model.clone().unwrap_or_else(|| {
                        let stem = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                        unnamed.get_or_insert_with(stem).clone()
                    });
                    let sourced = Sourced { path: path.clone(), item };
                    match models.last_mut().filter(|(name, _)| *name == model) {
                        Some((_, items)) => items.push(sourced),
                        None => match models.iter_mut().find(|(name, _)| *name == model) {
                            Some((_, items)) => items.push(sourced),
                            None => models.push((model, vec![sourced])),
                        },
                    }
                }
            }
        }
    }
    if !tables.is_empty() {
        if !models.is_empty() || tables.len() > 1 {
            return Err(Failure::usage(
                "one of the files holds published scores, a row per model; score it alone",
            ));
        }
        if args.sums.sections.is_some() || args.sums.version == Version::World {
            return Err(Failure::usage(
                "published scores are those of RewardBench 1 or 2; sections of your own need one row per item",
            ));
        }
        let (path, rows) = &tables[0];
        let (benchmark, sums, notes) = published(path, rows, args.sums.version, how.missing)?;
        report.benchmark = benchmark;
        report.sums = sums;
        report.notes = notes;
        return report.show(out);
    }
    let names: BTreeSet<&str> =
        models.iter().flat_map(|(_, items)| items.iter().map(|one| one.item.subset.as_str())).collect();
    report.benchmark = Benchmark::choose(args.sums.version, args.sums.sections.as_deref(), &names)?;
    for (model, items) in &models {
        let judged = judge(&report.benchmark, args.judge, model, items)?;
        report.sums.push(sums(&report.benchmark, judged, &how)?);
    }
    report.show(out)
}
