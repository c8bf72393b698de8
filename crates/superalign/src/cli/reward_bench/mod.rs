//! `superalign reward-bench`: the official sums over anyone's dump, and models run over preferences.
//!
//! The sums are those of [`superalign_evaluation::reward_bench`], the files those of [`superalign_data::load`]. Here is
//! which rule belongs to which benchmark, and what is shown; how a model scores an
//! answer is in `crate::reward`.

mod benchmark;
mod dump;
mod judged;
mod published;
mod run;
mod score;
mod show;
mod sums;
#[cfg(test)]
mod tests;

pub(super) use dump::write_preferences;

use super::Failure;
use benchmark::Version;
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use sums::How;
use superalign_core::{Bootstrap, Seed};
use superalign_evaluation::reward_bench::Missing;

#[derive(Debug, Subcommand)]
pub(super) enum RewardBenchCommand {
    /// Sum up what models said of RewardBench 1 or 2, or of a benchmark of your own, by the official rules
    Score(score::ScoreArgs),
    /// Run models over preferences, by default the shipped ladder over the generated world's
    Run(run::RunArgs),
}

/// How sums are made and shown.
#[derive(Debug, Args)]
struct SumArgs {
    /// Which benchmark it is
    #[arg(long, value_enum, default_value = "auto")]
    version: Version,
    /// A TOML file that says which section each subset belongs to, for a benchmark of your own
    #[arg(long, value_name = "FILE")]
    sections: Option<PathBuf>,
    /// Sum up what there is where parts are missing, marked as partial; without it such scores are refused
    #[arg(long)]
    partial: bool,
    /// Seed of the resamples
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Resamples for the intervals of sections and of the whole; 0 means none
    #[arg(long, value_name = "N", default_value_t = 1000)]
    draws: usize,
    /// Level of the intervals
    #[arg(long, default_value_t = 0.95)]
    level: f64,
    /// Print one JSON object in place of tables
    #[arg(long)]
    json: bool,
}

impl SumArgs {
    fn how(&self) -> Result<How, Failure> {
        let by = Bootstrap {
            draws: self.draws.max(1),
            level: self.level,
            seed: Seed::new(self.seed).named("reward bench"),
        };
        by.check().map_err(Failure::usage)?;
        Ok(How { missing: self.missing(), by: (self.draws > 0).then_some(by), level: self.level })
    }

    const fn missing(&self) -> Missing {
        if self.partial { Missing::Partial } else { Missing::Refuse }
    }
}

pub(super) fn reward_bench(command: &RewardBenchCommand, out: &mut dyn Write) -> Result<(), Failure> {
    match command {
        RewardBenchCommand::Score(args) => score::score(args, out),
        RewardBenchCommand::Run(args) => run::run(args, out),
    }
}
