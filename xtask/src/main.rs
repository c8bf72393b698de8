//! The verbs of this repository: `cargo xtask <verb>`.
//!
//! Each verb turns its flags into child processes and adds nothing of its own: what an experiment does is
//! in `superalign`, how a rung is trained is in `superalign-pretrain`. No internal dependency, so that it
//! builds in seconds and starts at once.

mod check;
mod pretrain;
mod process;
mod rust;
mod test;
mod web;

use clap::{Parser, Subcommand};
use process::{Cmd, Exit};
use std::ffi::OsString;
use std::process::ExitCode;

/// The verbs of this repository.
#[derive(Parser)]
#[command(
    name = "xtask",
    bin_name = "cargo xtask",
    after_help = "\
Examples:
  cargo xtask experiment                     the default suite, on the embedded ladder
  cargo xtask experiment weak-to-strong --profile full
  cargo xtask test                           all tests
  cargo xtask check                          all that a reviewer would ask for before reading

Each verb has its own --help."
)]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Build the workbench and run experiments (`superalign run ARGS…`)
    #[command(after_help = "\
Examples:
  cargo xtask experiment                     the default suite, on the embedded ladder
  cargo xtask experiment noise-capacity      one experiment of experiments/*.toml
  cargo xtask experiment noise-capacity --data labels.csv --model path/to/onnx-folder
  cargo xtask experiment -- --help           all options of `superalign run`

Ctrl-C goes to the workbench; a run that was stopped continues when the same command is given again.")]
    Experiment {
        /// Given to `superalign run` as they are
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Run all tests: unit, documentation, integration, the house rules, the browser bindings
    #[command(after_help = "\
Examples:
  cargo xtask test                           everything
  cargo xtask test house                     only tests with `house` in their name
  cargo xtask test -- --package superalign-gap

Checks that need something this machine lacks (Node, shared fixtures) are named at the end as skipped.")]
    Test(test::Args),
    /// Format, lints, documentation, layering, each crate alone, WebAssembly builds
    #[command(after_help = "\
Examples:
  cargo xtask check                          every step; the failed ones are named at the end
  cargo xtask check format clippy            these steps only")]
    Check(check::Args),
    /// Train the embedded ladder again: corpus, tokenizer, rungs, ONNX
    #[command(after_help = "\
Examples:
  cargo xtask pretrain                       all rungs; the files land in models/ladder
  cargo xtask pretrain --rung 0              the smallest rung only
  cargo xtask pretrain --rung 0 --tokens 200000   a trial, kept under target/pretrain

Training that was stopped continues from its last checkpoint when the same command is given again.")]
    Pretrain(pretrain::Args),
    /// Build the explorer's page into web/dist
    #[command(after_help = "\
Examples:
  cargo xtask page                           bindings, packages of the lock file, page

Needs Node 20.19 or newer. The page is static: serve web/dist with a folder `data` of runs beside its index.html.")]
    Page,
    /// Measure a CUDA card: agreement with the processor, tokens a second, share of its peak
    #[command(after_help = "\
Examples:
  cargo xtask gpu-check                      the first card; `skipped: no GPU` where there is none
  cargo xtask gpu-check --device cuda:1 --model path/to/model
  cargo xtask gpu-check --json

Hands over to `superalign runtime check`, whose options it takes.")]
    GpuCheck {
        /// Given to `superalign runtime check` as they are
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Look at runs in a browser: build the page where needed, serve it to this machine, open it
    #[command(after_help = "\
Examples:
  cargo xtask explore                        every run of runs/
  cargo xtask explore runs/weak-to-strong-1a2b3c4d
  cargo xtask explore --export site          a static site with the runs, for any file host

Hands over to `superalign explore`, whose options it takes. Node 20.19 or newer is needed to build the page.")]
    Explore {
        /// Given to `superalign explore` as they are
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Compare the ladder in Python transformers, ONNX Runtime and our own forward pass
    #[command(after_help = "\
Examples:
  cargo xtask parity                         every rung of models/ladder
  cargo xtask parity path/to/model           one model folder
  PYTHON=python3.11 cargo xtask parity       with that interpreter

The first use makes a Python environment under target/parity, for which it needs pip.")]
    Parity {
        /// Model folders and options of parity/check.py
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let outcome = match Args::parse().verb {
        Verb::Experiment { args } => experiment(&args),
        Verb::Test(args) => test::run(&args),
        Verb::Check(args) => check::run(&args),
        Verb::Pretrain(args) => pretrain::run(&args),
        Verb::Page => web::run(),
        Verb::GpuCheck { args } => gpu_check(&args),
        Verb::Explore { args } => explore(&args),
        Verb::Parity { args } => pretrain::parity(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            error.downcast_ref::<Exit>().map_or(ExitCode::FAILURE, |exit| ExitCode::from(exit.code))
        }
    }
}

fn experiment(args: &[OsString]) -> anyhow::Result<()> {
    workbench(&["run"], args)
}

fn gpu_check(args: &[OsString]) -> anyhow::Result<()> {
    workbench(&["runtime", "check"], args)
}

fn explore(args: &[OsString]) -> anyhow::Result<()> {
    let page = web::build()?;
    workbench(&["explore", "--page", &page.to_string_lossy()], args)
}

/// Builds the workbench and becomes one of its commands.
fn workbench(command: &[&str], args: &[OsString]) -> anyhow::Result<()> {
    rust::build_release(&["superalign"])?;
    Cmd::new(rust::cargo())
        .args(["run", "--quiet", "--release", "--package", "superalign", "--"])
        .args(command)
        .args(args)
        .hand_over()
}
