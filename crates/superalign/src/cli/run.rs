//! `superalign run`: from names and options to runs and what they found.

use super::{Failure, runtime, say, tag};
use crate::plan::{LadderError, Plan, gather, open_rungs};
use crate::progress::Progress;
use crate::record::{Row, Tag};
use crate::report::{main_table, plan_tables, terminal};
use crate::run::{Material, Options, Outcome, Past, execute};
use crate::spec::{Overrides, PoolingChoice, Profile, Spec, nearest};
use clap::{Args, ValueEnum};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use superalign_core::Model;
use superalign_inference::{OnnxModel, OpenOptions, Runtime, RuntimeChoice};

const EXAMPLES: &str = "\
Examples:
  superalign run                                    the default suite on the shipped ladder
  superalign run weak-to-strong --dry-run           which split would train what
  superalign run noise-capacity --profile full      the figures to cite
  superalign run noise-capacity --data boolq.jsonl --model minilm --layers 1,3,6
  superalign run my/experiment.toml --seeds 10 --runs /scratch/runs
  superalign run weak-to-strong --tag baseline --tag paper

A run that was stopped or killed continues when the same command is given again.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct RunArgs {
    /// Names of experiments or paths of TOML files; none means the default suite
    names: Vec<String>,
    /// How much to compute
    #[arg(long, value_enum, default_value = "quick")]
    profile: ProfileArg,
    /// Number of seeds in place of the spec's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: Option<u64>,
    /// Your own data: CSV, JSON, JSONL or Parquet (see `superalign data check`)
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// A folder with an ONNX model and its tokenizer.json; repeat it, weakest first
    #[arg(long, value_name = "DIR")]
    model: Vec<PathBuf>,
    /// Layers to read, each a rung of its own: one encoder gives a ladder by depth
    #[arg(long, value_name = "N,N,...", value_delimiter = ',')]
    layers: Option<Vec<usize>>,
    /// How the positions of a text become one vector
    #[arg(long, value_enum)]
    pooling: Option<PoolingArg>,
    /// Folder of all runs
    #[arg(long, value_name = "DIR", default_value = "runs")]
    runs: PathBuf,
    /// Folder of experiments; by default `experiments` here or in a folder above
    #[arg(long, value_name = "DIR")]
    experiments: Option<PathBuf>,
    /// Which runtime executes the models
    #[arg(long, value_enum)]
    runtime: Option<RuntimeArg>,
    /// Show the plan and stop
    #[arg(long)]
    dry_run: bool,
    /// Print JSON in place of tables
    #[arg(long)]
    json: bool,
    /// Compute again what is there already
    #[arg(long)]
    fresh: bool,
    /// A word to find the run by; repeat it for several (see `superalign tag`)
    #[arg(long, value_name = "NAME")]
    tag: Vec<Tag>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ProfileArg {
    Quick,
    Full,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PoolingArg {
    Auto,
    LastToken,
    Mean,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RuntimeArg {
    Auto,
    Tract,
    Onnxruntime,
}

impl From<RuntimeArg> for RuntimeChoice {
    fn from(argument: RuntimeArg) -> Self {
        match argument {
            RuntimeArg::Auto => Self::Auto,
            RuntimeArg::Tract => Self::Tract,
            RuntimeArg::Onnxruntime => Self::OnnxRuntime,
        }
    }
}

impl RunArgs {
    fn overrides(&self) -> Overrides {
        Overrides {
            seeds: self.seeds.map(|n| usize::try_from(n).unwrap_or(1)),
            data: self.data.clone(),
            models: self.model.clone(),
            layers: self.layers.clone(),
            pooling: self.pooling.map(|p| match p {
                PoolingArg::Auto => PoolingChoice::Auto,
                PoolingArg::LastToken => PoolingChoice::LastToken,
                PoolingArg::Mean => PoolingChoice::Mean,
            }),
        }
    }

    fn profile(&self) -> Profile {
        match self.profile {
            ProfileArg::Quick => Profile::Quick,
            ProfileArg::Full => Profile::Full,
        }
    }
}

pub(super) fn run(args: &RunArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let specs = specs(args)?;
    let runtime = runtime::start(args.runtime.map(RuntimeChoice::from))?;
    let stop = Arc::new(AtomicBool::new(false));
    listen(&stop);
    let progress = Progress::auto();
    let cache = superalign_inference::home()
        .unwrap_or_else(|| args.runs.join("..").join(".superalign"))
        .join("features");
    let mut well = true;
    for spec in &specs {
        let (plan, material) = prepare(spec, runtime)?;
        if args.dry_run {
            show_plan(args, &plan, out);
            continue;
        }
        let options = Options {
            runs: &args.runs,
            cache: &cache,
            past: if args.fresh { Past::Discard } else { Past::Continue },
            command: command_line(std::env::args().skip(1)),
            progress: &progress,
            stop: &stop,
        };
        if !args.tag.is_empty() {
            let folder = args.runs.join(plan.folder());
            std::fs::create_dir_all(&folder)
                .map_err(|error| Failure::failed(format!("cannot make {}: {error}", folder.display())))?;
            tag::change(&folder, &args.tag, &[])?;
        }
        match execute(&plan, material, &options).map_err(Failure::failed)? {
            Outcome::Stopped { done, total, .. } => {
                eprintln!("stopped with {done} of {total} jobs done; run again to continue");
                return Err(Failure::Stopped);
            }
            Outcome::Complete { folder, manifest, rows, before } => {
                if before {
                    eprintln!("{}: complete already (`--fresh` computes it again)", folder.display());
                }
                well &= manifest.unexpected.is_empty() && !cell_failed(&rows);
                show_findings(args, &plan, &folder, &rows, &manifest.unexpected, out);
            }
        }
    }
    if well { Ok(()) } else { Err(Failure::Silent) }
}

/// Whether a cell of the grid failed; an undefined summary (a PGR without a gap) is a finding, not a failure.
fn cell_failed(rows: &[Row]) -> bool {
    rows.iter().any(|r| r.seed.is_some() && r.error.is_some())
}

/// The specs that are asked for, each checked before any is run.
fn specs(args: &RunArgs) -> Result<Vec<Spec>, Failure> {
    let read = |path: &Path| Spec::read(path, args.profile(), &args.overrides()).map_err(Failure::usage);
    let mut specs = Vec::new();
    for name in &args.names {
        let path = Path::new(name);
        if path.extension().is_some_and(|e| e == "toml") {
            specs.push(read(path)?);
            continue;
        }
        let known = known_specs(args)?;
        match known.iter().find(|(known, _)| known == name) {
            Some((_, path)) => specs.push(read(path)?),
            None => {
                let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
                let near = nearest(name, names.iter().copied())
                    .map(|near| format!("did you mean `{near}`? "))
                    .unwrap_or_default();
                return Err(Failure::Usage(format!(
                    "there is no experiment `{name}`\n help: {near}the experiments are: {}; or give the path of a TOML file",
                    names.join(", ")
                )));
            }
        }
    }
    if args.names.is_empty() {
        for (_, path) in known_specs(args)? {
            let spec = read(&path)?;
            if spec.suite.as_deref() == Some("default") {
                specs.push(spec);
            }
        }
        if specs.is_empty() {
            return Err(Failure::Usage(
                "no experiment belongs to the default suite\n help: name one, or give one `suite = \"default\"`".into(),
            ));
        }
    }
    Ok(specs)
}

/// Names and paths of the experiments, by name.
fn known_specs(args: &RunArgs) -> Result<Vec<(String, PathBuf)>, Failure> {
    let folder = match &args.experiments {
        Some(folder) => folder.clone(),
        None => {
            let here = std::env::current_dir().map_err(Failure::failed)?;
            let found = here.ancestors().map(|a| a.join("experiments")).find(|p| p.is_dir()).ok_or_else(|| {
                Failure::Usage(
                    "there is no folder `experiments` here or above\n help: name it with --experiments DIR, or give the path of a TOML file".into(),
                )
            })?;
            // Short where it can be: the paths appear in messages.
            found.strip_prefix(&here).map(Path::to_owned).unwrap_or(found)
        }
    };
    let entries = std::fs::read_dir(&folder)
        .map_err(|e| Failure::Usage(format!("the folder {} cannot be read: {e}", folder.display())))?;
    let mut known: Vec<(String, PathBuf)> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .map(|p| (p.file_stem().unwrap_or_default().to_string_lossy().into_owned(), p))
        .collect();
    known.sort();
    Ok(known)
}

/// Gathers the items and opens the models.
fn prepare(spec: &Spec, runtime: &'static Runtime) -> Result<(Plan, Material), Failure> {
    let (parts, notes) = gather(spec).map_err(Failure::usage)?;
    let mut open = |folder: &Path| -> Result<Box<dyn Model>, LadderError> {
        match OnnxModel::open(folder, runtime, &OpenOptions::default()) {
            Ok(model) => Ok(Box::new(model)),
            Err(e) => Err(LadderError::Model { path: folder.to_owned(), reason: e.to_string() }),
        }
    };
    let (models, rungs) = open_rungs(&spec.models, &mut open).map_err(Failure::usage)?;
    let plan = Plan::new(spec, &parts, notes, &rungs);
    plan.design.experiment().check(&plan).map_err(Failure::usage)?;
    Ok((plan, Material { parts, models, rungs }))
}

fn show_plan(args: &RunArgs, plan: &Plan, out: &mut dyn Write) {
    if args.json {
        say(out, serde_json::to_string_pretty(plan).unwrap_or_default());
        return;
    }
    say(out, format!("{}\n{}\n", plan.title, plan.question.trim()));
    for table in plan_tables(plan) {
        say(out, terminal(&table));
    }
    for note in &plan.data.notes {
        say(out, note);
    }
}

fn show_findings(
    args: &RunArgs,
    plan: &Plan,
    folder: &Path,
    rows: &[Row],
    unexpected: &[String],
    out: &mut dyn Write,
) {
    let report = folder.join("report.html");
    if args.json {
        let found = serde_json::json!({
            "experiment": plan.experiment,
            "folder": folder,
            "report": report,
            "unexpected": unexpected,
            "metrics": rows,
        });
        say(out, serde_json::to_string(&found).unwrap_or_default());
        return;
    }
    if let Some(table) = main_table(plan, rows) {
        say(out, terminal(&table));
    }
    for row in rows.iter().filter(|r| r.seed.is_some() && r.error.is_some()).take(10) {
        eprintln!("failed: {} {}: {}", row.cell, row.metric, row.error.as_deref().unwrap_or_default());
    }
    for sentence in unexpected {
        eprintln!("expectation not met: {sentence}");
    }
    say(out, format!("report: {}\n", link(&report)));
}

/// A path as a person at a terminal can click it.
pub(super) fn link(path: &Path) -> String {
    if !std::io::stdout().is_terminal() {
        return path.display().to_string();
    }
    match path.canonicalize() {
        Ok(full) => format!("file://{}", full.display().to_string().replace(' ', "%20")),
        Err(_) => path.display().to_string(),
    }
}

/// The arguments as they can be given to a shell again.
fn command_line(args: impl Iterator<Item = String>) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./,=:+@%".contains(c);
    let quoted = args.map(|a| {
        if !a.is_empty() && a.chars().all(plain) { a } else { format!("'{}'", a.replace('\'', "'\\''")) }
    });
    std::iter::once("superalign".to_owned()).chain(quoted).collect::<Vec<_>>().join(" ")
}

/// Ctrl-C once asks to stop after the job at hand; twice ends at once.
pub(super) fn listen(stop: &Arc<AtomicBool>) {
    let stop = Arc::clone(stop);
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                if stop.swap(true, Ordering::Relaxed) {
                    std::process::exit(130);
                }
                eprintln!("stopping after the work at hand (Ctrl-C again stops at once)");
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_can_be_given_to_a_shell_again() {
        let args = ["run", "weak-to-strong", "--data", "my file's.jsonl", ""].map(str::to_owned);
        assert_eq!(
            command_line(args.into_iter()),
            r"superalign run weak-to-strong --data 'my file'\''s.jsonl' ''"
        );
    }
}
