//! The command line: what can be asked, and with which exit code it is answered.

mod compare;
mod data;
mod embed;
mod explore;
mod extrapolate;
#[cfg(test)]
mod folder;
mod generate;
mod measure;
mod models;
mod place;
mod rank;
mod report;
mod reward_bench;
mod run;
mod runtime;
mod score;
mod tag;
mod world;

use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;

const EXAMPLES_AND_EXIT_CODES: &str = "\
Examples:
  superalign run                         the default suite on the shipped ladder
  superalign run weak-to-strong          one experiment
  superalign data check mine.csv         what the loader understands of your data
  superalign measure votes.csv           how good and how diverse its supervision is
  superalign reward-bench run            the ladder on preferences in RewardBench's four sections
  superalign compare runs/a runs/b       where two runs differ, and how sure that is
  superalign extrapolate table.csv       what harder items or larger models will show
  superalign rank votes.csv              models ranked by votes on their answers
  superalign explore                     the runs in a browser
  superalign tag runs/a --add baseline   words that a run is found by
  superalign models check DIR            what a model's folder contains, and whether it works
  superalign generate prompts.jsonl --model models/ladder/rung-3
                                         prompts continued by a model
  superalign score answers.jsonl --model DIR
                                         answers scored by a reward model or likelihood
  superalign embed texts.txt --model DIR -o vectors.npy
                                         texts as vectors
  superalign runtime install             makes models run several times faster

Exit codes:
  0    ended well
  1    a cell failed, an expectation was not met, or a file could not be written
  2    the command, a spec, the data or a model cannot be used as given
  130  stopped by Ctrl-C; the same command continues";

/// When the supervisor is weaker than the model it supervises: how much can still be brought out?
#[derive(Debug, Parser)]
#[command(name = "superalign", version, after_help = EXAMPLES_AND_EXIT_CODES, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run experiments and show what they found
    Run(run::RunArgs),
    /// Make the report of a run anew from its folder
    Report(report::ReportArgs),
    /// Say which ONNX runtime is used, or fetch a faster one
    #[command(subcommand)]
    Runtime(runtime::RuntimeCommand),
    /// Look at model folders, or fetch models
    #[command(subcommand)]
    Models(models::ModelsCommand),
    /// Look at data files
    #[command(subcommand)]
    Data(data::DataCommand),
    /// Measure how good and how diverse the supervision in a file is
    Measure(measure::MeasureArgs),
    /// Sum up what reward models say by RewardBench's official rules, or run models over preferences
    #[command(subcommand)]
    RewardBench(reward_bench::RewardBenchCommand),
    /// Compare two runs, or two signals of one run, item by item
    Compare(compare::CompareArgs),
    /// Say what right answers by difficulty or scale tell of levels beyond them
    Extrapolate(extrapolate::ExtrapolateArgs),
    /// Rank models by votes on their answers, with intervals
    Rank(rank::RankArgs),
    /// Write the texts of a file as vectors
    Embed(embed::EmbedArgs),
    /// Look at runs in a browser
    Explore(explore::ExploreArgs),
    /// Continue prompts with a model
    Generate(generate::GenerateArgs),
    /// Score texts, pairs, answers or choices with a model
    Score(score::ScoreArgs),
    /// Give runs tags, or take them away
    Tag(tag::TagArgs),
    /// Read the generated world, or write its corpus, tokenizer, items and preferences
    #[command(subcommand)]
    World(world::WorldCommand),
}

/// How a command ended when it did not end well.
#[derive(Debug)]
enum Failure {
    /// Something failed while working: exit code 1.
    Failed(String),
    /// What was asked for cannot be done as asked: exit code 2.
    Usage(String),
    /// The user stopped it: exit code 130.
    Stopped,
    /// All is said already: exit code 1.
    Silent,
}

impl Failure {
    fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }

    fn usage(error: impl std::fmt::Display) -> Self {
        Self::Usage(error.to_string())
    }
}

/// Reads the command line of this process, obeys, and returns the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let out = &mut std::io::stdout().lock();
    let done = match cli.command {
        Command::Run(args) => run::run(&args, out),
        Command::Report(args) => report::report(&args, out),
        Command::Runtime(command) => runtime::runtime(&command, out),
        Command::Models(command) => models::models(&command, out),
        Command::Data(command) => data::data(&command, out),
        Command::Measure(args) => measure::measure(&args, out),
        Command::RewardBench(command) => reward_bench::reward_bench(&command, out),
        Command::Compare(args) => compare::compare(&args, out),
        Command::Extrapolate(args) => extrapolate::extrapolate(&args, out),
        Command::Rank(args) => rank::rank(&args, out),
        Command::Embed(args) => embed::embed(&args, out),
        Command::Explore(args) => explore::explore(&args, out),
        Command::Generate(args) => generate::generate(&args, out),
        Command::Score(args) => score::score(&args, out),
        Command::Tag(args) => tag::tag(&args, out),
        Command::World(command) => world::world(&command, out),
    };
    // Whoever reads the output may have gone; that is their affair.
    let _ = out.flush();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Silent) => ExitCode::from(1),
        Err(Failure::Stopped) => ExitCode::from(130),
        Err(Failure::Failed(message)) => {
            eprintln!("error: {message}");
            ExitCode::from(1)
        }
        Err(Failure::Usage(message)) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

/// What became of something that was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Printed {
    All,
    /// Whoever read the output has gone.
    Unwanted,
}

/// Prints what a command is asked for, and does not pass over a full disk.
fn print(out: &mut dyn Write, bytes: &[u8]) -> Result<Printed, Failure> {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(Printed::All),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Printed::Unwanted),
        Err(error) => Err(Failure::Failed(format!("the output cannot be written: {error}"))),
    }
}

/// Writes a line to the output, whoever reads it.
fn say(out: &mut dyn Write, text: impl AsRef<str>) {
    let _ = writeln!(out, "{}", text.as_ref());
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_command_explains_itself_with_examples() {
        Cli::command().debug_assert();
        let mut seen = String::new();
        let mut root = Cli::command().term_width(100);
        root.build();
        let mut queue = vec![root];
        while let Some(mut command) = queue.pop() {
            let help = command.render_long_help().to_string();
            // The root and every command that does something; what only groups others refers to theirs.
            let group = command.get_subcommands().any(|c| c.get_name() != "help");
            let root = command.get_name() == "superalign";
            assert!(help.contains("Examples:") || group && !root, "{} has no examples", command.get_name());
            seen += &format!("==== {}\n{help}\n", command.get_name());
            queue.extend(command.get_subcommands().filter(|c| c.get_name() != "help").cloned());
        }
        insta::assert_snapshot!(seen);
    }
}
