//! `cargo xtask check`: what a reviewer would ask for before reading.

use crate::process::Cmd;
use crate::rust;
use anyhow::{Context, Result, bail};
use std::path::Path;

/// The crates that must also build for the browser: layers 0 and 1 (the house rules compare this list with the layers).
const WASM_CRATES: [&str; 5] =
    ["superalign-core", "superalign-evaluation", "superalign-gap", "superalign-learner", "superalign-signal"];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The steps to run; all when none is named
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Step {
    /// rustfmt leaves every file as it is
    Format,
    /// No lint, in any target
    Clippy,
    /// The documentation builds without a warning
    Docs,
    /// The house rules: layers, file sizes, the crate list of ARCHITECTURE.md
    House,
    /// Each crate builds when it is the only one asked for
    Alone,
    /// Layers 0 and 1 and the bindings build for the browser
    Wasm,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let asked: &[Step] = if args.steps.is_empty() { clap::ValueEnum::value_variants() } else { &args.steps };
    let mut failed = Vec::new();
    for &step in asked {
        if let Err(error) = step.run() {
            eprintln!("xtask: {step:?}: {error:#}");
            failed.push(format!("{step:?}").to_lowercase());
        }
    }
    if !failed.is_empty() {
        bail!("{} of {} steps failed: {}", failed.len(), asked.len(), failed.join(", "));
    }
    eprintln!("all {} steps passed", asked.len());
    Ok(())
}

impl Step {
    // Everything in the release profile: build scripts, macros and metadata are then shared with `cargo xtask test`.
    fn run(self) -> Result<()> {
        let cargo = Cmd::new(rust::cargo());
        match self {
            Self::Format => cargo.args(["fmt", "--all", "--check"]).run(),
            Self::Clippy => cargo
                .args(["clippy", "--release", "--workspace", "--all-targets", "--", "--deny", "warnings"])
                .run(),
            Self::Docs => cargo
                .args(["doc", "--release", "--workspace", "--no-deps"])
                .env("RUSTDOCFLAGS", "--deny warnings")
                .run(),
            Self::House => {
                cargo.args(["test", "--release", "--package", "superalign-tests", "house::"]).run()
            }
            Self::Alone => crates()?.iter().try_for_each(|name| {
                Cmd::new(rust::cargo()).args(["check", "--release", "--package", name]).run()
            }),
            Self::Wasm => {
                rust::ensure_wasm()?;
                WASM_CRATES
                    .iter()
                    .chain(&["superalign-measure", "superalign-web"])
                    .fold(cargo.args(["build", "--release", "--target", rust::WASM]), |cmd, name| {
                        cmd.args(["--package", name])
                    })
                    .run()
            }
        }
    }
}

/// The crates that others may adopt: every folder of `crates/`.
fn crates() -> Result<Vec<String>> {
    let folder = rust::root().join("crates");
    let entries = folder.read_dir().with_context(|| format!("could not list {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.join("Cargo.toml").is_file() {
            names.extend(path.file_name().map(Path::new).map(|name| name.display().to_string()));
        }
    }
    names.sort();
    Ok(names)
}
