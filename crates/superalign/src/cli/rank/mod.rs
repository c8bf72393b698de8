//! `superalign rank`: models ranked by votes on their answers.
//!
//! What is in the file, [`superalign_data::signal`] finds out; rankings are those of
//! [`superalign_evaluation::peer_review`]. Here is which of them is asked for, and how it is shown.

mod compute;
mod show;
#[cfg(test)]
mod tests;
mod votes;

use super::{Failure, say};
use clap::{Args, ValueEnum};
use std::io::Write;
use std::path::PathBuf;
use superalign_core::{Bootstrap, Seed};
use superalign_data::signal::{Reading, Role, Shape, read};
use votes::Votes;

const EXAMPLES: &str = "\
Examples:
  superalign rank votes.csv                          Bradley-Terry, intervals as the columns allow
  superalign rank votes.csv --method davidson --interval sandwich
  superalign rank votes.csv --method judge-weighted  judges get weights by how well they agree
  superalign rank peers.jsonl --method prd           players that judge one another
  superalign rank votes.csv --method elo --json
  superalign rank votes.csv --columns left=model_1,right=model_2,winner=verdict,judge=rater
  superalign rank votes.csv --method win-rate --collusion weakest  how many bad judges it stands
  superalign rank undefeated.csv --ridge 0.1         a prior, where strengths do not exist

A file has a comparison a row: left, right, winner (left, right, tie, or the name of one of both),
and perhaps judge and prompt.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct RankArgs {
    /// CSV, TSV, JSON, JSONL or Parquet: one comparison of two players a row
    votes: PathBuf,
    /// How players are ranked
    #[arg(long, value_enum, default_value = "bradley-terry")]
    method: Method,
    /// How intervals are made; by default as the method and the columns allow
    #[arg(long, value_enum)]
    interval: Option<Interval>,
    /// What columns are for, as in `left=model_1,judge=rater`, where their names do not say it
    #[arg(long, value_name = "ROLE=NAME,...", value_delimiter = ',')]
    columns: Vec<String>,
    /// What a tie is to Bradley-Terry
    #[arg(long, value_enum, default_value = "half-win")]
    ties: TiesAs,
    /// Penalty on squared log-strengths: a prior, with which every player has a strength
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    ridge: f64,
    /// Also say what share of the judges has to collude for this player before somebody else is first
    #[arg(long, value_name = "PLAYER")]
    collusion: Option<String>,
    /// Print one JSON object in place of tables
    #[arg(long)]
    json: bool,
    /// Seed of all that is drawn
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Resamples or orders for intervals
    #[arg(long, value_name = "N", default_value_t = 1000)]
    draws: usize,
    /// Level of the intervals
    #[arg(long, default_value_t = 0.95)]
    level: f64,
}

/// How players are ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Method {
    /// Log-strengths of largest likelihood
    BradleyTerry,
    /// The same with ties as an outcome of their own
    Davidson,
    /// Ratings after all comparisons in their order, and how far they depend on it
    Elo,
    /// Where a walk from losers to winners stays
    Pagerank,
    /// Log-strengths from a walk by shares of wins
    RankCentrality,
    /// Mean win rate against the other players
    WinRate,
    /// Log-strengths and judges' weights together
    JudgeWeighted,
    /// Players judge one another, weighted by their scores less the lowest
    Prd,
    /// Players judge one another, weighted by their scores
    Pico,
}

impl Method {
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// How intervals are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Interval {
    /// By the information: the model is right, comparisons are independent
    Fisher,
    /// The model may be wrong, comparisons are independent
    Sandwich,
    /// Comparisons on one prompt, or by one judge, may depend on one another
    Clustered,
    /// Resamples of comparisons, or of prompts where they are named
    Bootstrap,
    /// None
    None,
}

/// What a tie is to Bradley-Terry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum TiesAs {
    /// Half a win for each
    HalfWin,
    /// As if it had not been compared
    Dropped,
}

pub(super) fn rank(args: &RankArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let seed = Seed::new(args.seed).named("rank");
    let by = Bootstrap { draws: args.draws, level: args.level, seed };
    by.check().map_err(Failure::usage)?;
    let mut columns = Vec::new();
    for pair in &args.columns {
        let Some((role, name)) = pair.split_once('=') else {
            return Err(Failure::usage(format!(
                "--columns {pair}: expected a role and the name of its column, as in `left=model_1`"
            )));
        };
        columns.push((role.parse::<Role>().map_err(Failure::usage)?, name.to_owned()));
    }
    let reading = Reading { shape: Some(Shape::Preferences), columns };
    let signal = read(&args.votes, &reading).map_err(Failure::usage)?;
    let votes = Votes::of(&signal).map_err(Failure::usage)?;
    let ranking = compute::ranking(args, &votes, &by).map_err(Failure::usage)?;
    let breakdown = match &args.collusion {
        None => None,
        Some(player) => Some(compute::breakdown(args, &votes, player, &by).map_err(Failure::usage)?),
    };
    let report = show::Report {
        args,
        signal: &signal,
        votes: &votes,
        ranking: &ranking,
        breakdown: breakdown.as_ref(),
    };
    if args.json {
        if !cfg!(test) {
            report.understood().iter().for_each(|line| eprintln!("{line}"));
        }
        say(out, serde_json::to_string_pretty(&report.json()).map_err(Failure::failed)?);
    } else {
        report.understood().iter().for_each(|line| say(out, line));
        for table in report.tables() {
            say(out, "");
            let _ = write!(out, "{}", crate::report::terminal(&table));
        }
        report.remarks().iter().for_each(|line| say(out, line));
    }
    Ok(())
}
