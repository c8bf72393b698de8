//! `superalign compare`: two runs, or two signals of one run, item by item.
//!
//! `runs` reads the folders and puts the same items side by side, `cells` computes, `show` shows. The statistics are
//! those of [`superalign_evaluation::paired`].

mod cells;
mod runs;
mod show;
#[cfg(test)]
mod tests;

use super::{Failure, say};
use clap::{Args, ValueEnum};
use std::io::Write;
use std::path::PathBuf;
use superalign_core::{Bootstrap, Seed};

const EXAMPLES: &str = "\
Examples:
  superalign compare runs/weak-to-strong-1a2b3c4d runs/weak-to-strong-5e6f7a8b
  superalign compare runs/a runs/b --signal ceiling=rung-3,teacher=rung-1
  superalign compare runs/a --signal teacher=rung-1 --with ceiling=rung-1
  superalign compare runs/a runs/b --metric brier --json
  superalign compare runs/a runs/b --items differ.csv     the items on which they differ

A cell is one part, model, signal and seed; only items that both sides have count. Where a model
and signal have several seeds, a row `all N` takes them together: groups of items and seeds are
resampled jointly, and the flip test flips a group under all seeds at once. Its p-values are
adjusted for the number of such rows. McNemar's test is of one seed only.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CompareArgs {
    /// The folder of a complete run
    run_a: PathBuf,
    /// The folder of another; without it, --with compares two signals of the first
    #[arg(required_unless_present = "with")]
    run_b: Option<PathBuf>,
    /// These signals only
    #[arg(long, value_name = "SIGNAL,...", value_delimiter = ',')]
    signal: Vec<String>,
    /// The signal to compare the one of --signal with, whatever their models
    #[arg(long, value_name = "SIGNAL", requires = "signal")]
    with: Option<String>,
    /// The part of the data
    #[arg(long, value_name = "PART", default_value = "test")]
    part: String,
    /// What is compared
    #[arg(long, value_name = "METRIC", default_value = "accuracy")]
    metric: Metric,
    /// Write the items on which the verdicts differ as CSV
    #[arg(long, value_name = "FILE")]
    items: Option<PathBuf>,
    /// Print one JSON object in place of a table
    #[arg(long)]
    json: bool,
    /// Level of the intervals; what it lacks to 1 is the level of the tests
    #[arg(long, default_value_t = 0.95)]
    level: f64,
    /// Resamples for an interval
    #[arg(long, value_name = "N", default_value_t = 1000)]
    draws: usize,
    /// Seed of all that is drawn
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Metric {
    /// Share of right verdicts; 1/2 and more is a yes.
    Accuracy,
    /// Mean squared distance of probability and truth; lower is better.
    Brier,
}

impl Metric {
    const fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Brier => "Brier score",
        }
    }
}

pub(super) fn compare(args: &CompareArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let by = Bootstrap { draws: args.draws, level: args.level, seed: Seed::new(args.seed).named("compare") };
    by.check().map_err(Failure::usage)?;
    let aligned = runs::aligned(args)?;
    let cells = cells::compared(&aligned, args, &by)?;
    let pooled = cells::pooled(&aligned, args, &by)?;
    if let Some(path) = &args.items {
        let text = show::differing(&aligned).map_err(Failure::failed)?;
        crate::record::write_whole(path, &text).map_err(Failure::failed)?;
    }
    if args.json {
        let text = serde_json::to_string_pretty(&show::json(&aligned, &cells, &pooled, args));
        say(out, text.map_err(Failure::failed)?);
    } else {
        show::text(&aligned, &cells, &pooled, args, out);
    }
    Ok(())
}
