//! `superalign measure`: how good and how diverse the supervision in a file is.
//!
//! What is in the file, [`superalign_data::signal`] finds out; what is computed of it, [`superalign_measure`] knows. Here
//! is how it is asked for on the command line, and how it is shown.

mod show;
#[cfg(test)]
mod tests;

use super::{Failure, say};
use crate::progress::Progress;
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};
use superalign_core::Seed;
use superalign_data::signal::{Reading, Role, Shape, Signal, read_telling};
use superalign_measure::{Asked, Input, asked, intervals, left_out, notes, shortened};

const EXAMPLES: &str = "\
Examples:
  superalign measure votes.csv                          everything that the file allows
  superalign measure votes.csv --metrics krippendorff-alpha:level=ordinal,dawid-skene
  superalign measure probs.parquet --metrics calibration --json
  superalign measure texts.jsonl --metrics distinct-n:n=3,self-bleu
  superalign measure new.npy --reference old.npy        embeddings, and how far they are from others
  superalign measure ratings.csv --columns item=question,gold=expert
  superalign measure --list                             every metric, its options and what it needs

A value that does not exist is shown with the reason, and is no failure.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct MeasureArgs {
    /// CSV, TSV, JSON, JSONL, Parquet or NPY: votes, labels, probabilities, texts, embeddings, preferences, answers
    #[arg(required_unless_present = "list")]
    file: Option<PathBuf>,
    /// A file to compare with: embeddings, labels or counts
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// Families or metrics, with options as in `krippendorff-alpha:level=ordinal`; none means all that are usual
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    metrics: Vec<String>,
    /// What columns are for, as in `item=question,annotator=who`, where their names do not say it
    #[arg(long, value_name = "ROLE=NAME,...", value_delimiter = ',')]
    columns: Vec<String>,
    /// What the file is read as: votes, wide, labels, probabilities, texts, embeddings, preferences, answers, counts
    #[arg(long = "as", value_name = "SHAPE")]
    shape: Option<String>,
    /// The column with the right answers
    #[arg(long, value_name = "NAME")]
    gold: Option<String>,
    /// Print one JSON object in place of tables
    #[arg(long)]
    json: bool,
    /// Seed of all that is drawn
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Resamples for an interval; 0 means no intervals
    #[arg(long, value_name = "N", default_value_t = 1000)]
    draws: usize,
    /// Level of the intervals
    #[arg(long, default_value_t = 0.95)]
    level: f64,
    /// Name every metric, its options and what it needs
    #[arg(long)]
    list: bool,
}

/// Entries of an array that nobody asked for by name, above which it is left out.
const LONG: usize = 10_000;

pub(super) fn measure(args: &MeasureArgs, out: &mut dyn Write) -> Result<(), Failure> {
    if args.list {
        show::list(out);
        return Ok(());
    }
    let asked = asked(&args.metrics).map_err(Failure::usage)?;
    let by = intervals(args.seed, args.draws, args.level).map_err(Failure::usage)?;
    let reading = reading(args)?;
    let Some(path) = &args.file else { return Err(Failure::usage("name a file")) };
    if !cfg!(test) {
        end_when_told();
    }
    let progress = if cfg!(test) { Progress::silent() } else { Progress::auto() };
    let read = |path: &Path, reading: &Reading| {
        let mut shown = progress.reading(format!("reading {}", path.display()));
        read_telling(path, reading, &mut |done, total| shown.set(done, total)).map_err(Failure::usage)
    };
    let signal = read(path, &reading)?;
    let reference = match &args.reference {
        None => None,
        Some(path) => {
            // Of the same shape as the file; its columns are recognised on their own.
            let reading = Reading { shape: Some(signal.shape), columns: Vec::new() };
            Some(read(path, &reading)?)
        }
    };
    let input = Input::new(&signal, reference.as_ref(), by, Seed::new(args.seed));
    let todo = asked.choose(&input).map_err(Failure::usage)?;
    let left_out = if matches!(asked, Asked::Usual) { left_out(&input) } else { Vec::new() };
    let stage = progress.stage("metrics", todo.len());
    let mut rows = Vec::new();
    for (metric, settings) in todo {
        rows.extend(superalign_measure::run(metric, &settings, &input));
        stage.step();
    }
    drop(stage);
    let report = show::Report {
        signal: &signal,
        reference: reference.as_ref(),
        seed: args.seed,
        draws: args.draws,
        level: args.level,
        named: !matches!(asked, Asked::Usual),
        left_out,
        rows,
    };
    if args.json {
        for line in report.understood() {
            if !cfg!(test) {
                eprintln!("{line}");
            }
        }
        let text = serde_json::to_string_pretty(&report.json()).map_err(Failure::failed)?;
        say(out, text);
    } else {
        for line in report.understood() {
            say(out, line);
        }
        for (table, notes) in report.tables() {
            say(out, "");
            let _ = write!(out, "{}", crate::report::terminal(&table));
            notes.iter().for_each(|note| say(out, note));
        }
    }
    Ok(())
}

/// Ctrl-C ends the process with 130; nothing is half written by then.
fn end_when_told() {
    std::thread::spawn(|| {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            std::process::exit(130);
        }
    });
}

fn reading(args: &MeasureArgs) -> Result<Reading, Failure> {
    let mut columns = Vec::new();
    for pair in &args.columns {
        let Some((role, name)) = pair.split_once('=') else {
            return Err(Failure::usage(format!(
                "--columns {pair}: expected a role and the name of its column, as in `item=question`"
            )));
        };
        columns.push((role.parse::<Role>().map_err(Failure::usage)?, name.to_owned()));
    }
    if let Some(gold) = &args.gold {
        columns.push((Role::Gold, gold.clone()));
    }
    let shape = args.shape.as_deref().map(str::parse::<Shape>).transpose().map_err(Failure::usage)?;
    Ok(Reading { shape, columns })
}

/// What the file holds, a sentence a line.
fn describe(signal: &Signal) -> Vec<String> {
    let plural = |n: usize, one: &str, many: &str| {
        format!("{} {}", crate::report::thousands(n as u64), if n == 1 { one } else { many })
    };
    let mut lines = vec![format!(
        "{}: {} of a {} file, read as {}.",
        signal.path.display(),
        plural(signal.rows, "row", "rows"),
        signal.container.name(),
        signal.shape.title()
    )];
    let roles: Vec<String> = signal
        .roles
        .iter()
        .map(|(role, names)| {
            let shown: Vec<String> = names.iter().take(4).map(|name| format!("`{name}`")).collect();
            let more = if names.len() > 4 { format!(" and {} more", names.len() - 4) } else { String::new() };
            format!("{role} = {}{more}", shown.join(", "))
        })
        .collect();
    let mut columns = format!("Columns: {}.", roles.join("; "));
    if !signal.ignored.is_empty() {
        columns += &format!(" Passed over: {}.", shortened(&signal.ignored));
    }
    lines.push(columns);
    if let Some(votes) = &signal.votes {
        lines.push(format!(
            "{}, {}, {} ({}), {}, {} missing.",
            plural(votes.items.len(), "item", "items"),
            plural(votes.annotators.len(), "annotator", "annotators"),
            plural(votes.categories.len(), "category", "categories"),
            shortened(&votes.categories),
            plural(votes.item.len(), "vote", "votes"),
            votes.missing
        ));
    }
    if let Some(labels) = &signal.labels {
        let missing = labels.codes.iter().filter(|&&code| code == superalign_data::columns::NOTHING).count();
        lines.push(format!(
            "{} ({}), {} without a label.",
            plural(labels.names.len(), "category", "categories"),
            shortened(&labels.names),
            plural(missing, "row", "rows")
        ));
    }
    let sizes = [
        (&signal.probabilities, "Probabilities"),
        (&signal.logits, "Log-odds"),
        (&signal.members, "Probabilities by members"),
        (&signal.embeddings, "Embeddings"),
    ];
    for (matrix, what) in sizes {
        if let Some(matrix) = matrix {
            let shape: Vec<String> = matrix.shape.iter().map(ToString::to_string).collect();
            lines.push(format!("{what}: {}.", shape.join(" x ")));
        }
    }
    if let Some(pairs) = &signal.pairs
        && !pairs.candidates.is_empty()
    {
        lines.push(format!(
            "{} ({}).",
            plural(pairs.candidates.len(), "candidate", "candidates"),
            shortened(&pairs.candidates)
        ));
    }
    lines.extend(notes(signal));
    lines
}
