//! `cargo xtask pretrain` and `cargo xtask parity`: the embedded ladder, made again and checked.

use crate::process::Cmd;
use crate::rust;
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::path::PathBuf;

const LADDER: &str = "models/ladder";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Train this rung only, 0 the smallest
    #[arg(long)]
    rung: Option<usize>,
    /// Tokens of training instead of the number in models/ladder/ladder.toml; goes to target/pretrain unless --out is given
    #[arg(long)]
    tokens: Option<u64>,
    /// Folder that receives one folder per rung [default: models/ladder]
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let description = rust::root().join(LADDER).join("ladder.toml");
    let text = std::fs::read_to_string(&description)
        .with_context(|| format!("could not read {}", description.display()))?;
    let rungs = text.lines().filter(|line| line.trim() == "[[rung]]").count();
    let chosen = match args.rung {
        Some(rung) if rung >= rungs => {
            bail!("--rung {rung}: {LADDER} has rungs 0 to {}", rungs.saturating_sub(1))
        }
        Some(rung) => rung..rung + 1,
        None => 0..rungs,
    };
    // A ladder with another budget is a trial: it may not overwrite the one that ships.
    let work = rust::root().join("target/pretrain");
    let out = args.out.clone().unwrap_or_else(|| {
        if args.tokens.is_some() { work.join("ladder") } else { rust::root().join(LADDER) }
    });
    std::fs::create_dir_all(&work).with_context(|| format!("could not make {}", work.display()))?;
    let (corpus, tokenizer) = (work.join("corpus.txt"), work.join("tokenizer.json"));

    rust::build_release(&["superalign", "superalign-pretrain"])?;
    program("superalign").args(["world", "corpus", "-o"]).arg(&corpus).run()?;
    program("superalign").args(["world", "tokenizer", "-o"]).arg(&tokenizer).run()?;
    for rung in chosen {
        let model = out.join(format!("rung-{rung}"));
        let tokens = args.tokens.map(|tokens| format!("--tokens={tokens}"));
        program("superalign-pretrain")
            .args(["train", "--rung", &rung.to_string()])
            .arg("--ladder")
            .arg(&description)
            .arg("--corpus")
            .arg(&corpus)
            .arg("--tokenizer")
            .arg(&tokenizer)
            .arg("--work")
            .arg(work.join(format!("rung-{rung}")))
            .arg("--out")
            .arg(&model)
            .args(&tokens)
            .run()?;
        program("superalign-pretrain").arg("export").arg(&model).run()?;
    }
    Ok(())
}

pub(crate) fn parity(args: &[OsString]) -> Result<()> {
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let script = rust::root().join("crates/superalign-pretrain/parity/check.py");
    let mut check = Cmd::new(python).arg(script).args(args);
    if args.iter().all(|arg| arg.to_string_lossy().starts_with('-')) {
        let ladder = rust::root().join(LADDER);
        let entries = ladder.read_dir().with_context(|| format!("could not list {}", ladder.display()))?;
        let mut folders = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        folders.retain(|folder| folder.join("config.json").is_file());
        folders.sort();
        if folders.is_empty() {
            bail!("no model with a config.json in {}: `cargo xtask pretrain` makes them", ladder.display());
        }
        check = check.args(folders);
    }
    check.hand_over()
}

/// A program of this workspace, built already.
fn program(package: &str) -> Cmd {
    Cmd::new(rust::cargo()).args(["run", "--quiet", "--release", "--package", package, "--"])
}
