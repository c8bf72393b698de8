//! `superalign-pretrain`: trains a rung of the ladder, scores a model.

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use superalign_pretrain::{Job, Ladder, Outcome, Report, Then, export, score, train, weights};

/// Trains the embedded ladder of language models on a CPU, and scores what came of it.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Examples:
  superalign-pretrain train --rung rung-0 --corpus corpus.txt --tokenizer tokenizer.json --work work/rung-0 --out models/ladder/rung-0
  superalign-pretrain score --model models/ladder/rung-0 --items items.jsonl --yes right --no wrong"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train one rung; interrupted at any moment, the same command continues
    Train(TrainArgs),
    /// Accuracy of a model's verdicts on labelled items
    Score(ScoreArgs),
    /// Write a model as ONNX, beside its weights
    Export(ExportArgs),
    /// Print what the trainer computes on a few sequences, as JSON, for comparison with other programs
    Probe(ProbeArgs),
}

#[derive(Args)]
#[command(after_help = "Examples:
  superalign-pretrain train --rung 0 --corpus corpus.txt --tokenizer tokenizer.json --work work/rung-0 --out out/rung-0
  superalign-pretrain train --rung rung-3 --threads 2 --tokens 1000000 --corpus corpus.txt --tokenizer tokenizer.json --work work/try --out work/try/model")]
struct TrainArgs {
    /// Description of the ladder
    #[arg(long, default_value = "models/ladder/ladder.toml")]
    ladder: PathBuf,
    /// Name of the rung, or its number from 0
    #[arg(long)]
    rung: String,
    /// Text, one document per line
    #[arg(long)]
    corpus: PathBuf,
    /// tokenizer.json of the text
    #[arg(long)]
    tokenizer: PathBuf,
    /// Folder for checkpoint and loss curve
    #[arg(long)]
    work: PathBuf,
    /// Folder for the finished model
    #[arg(long)]
    out: PathBuf,
    /// Number of threads; the result does not depend on it [default: one per core, at most 4]
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Train on so many tokens instead of the ladder's number
    #[arg(long)]
    tokens: Option<u64>,
    /// Stop after so many steps of this call, as if interrupted
    #[arg(long)]
    stop_after_steps: Option<u64>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  superalign-pretrain score --model models/ladder/rung-0 --items items.jsonl --yes right --no wrong
  superalign-pretrain score --model models/ladder/rung-0 --items items.jsonl --yes right --no wrong --dump margins.jsonl --json")]
struct ScoreArgs {
    /// Folder of the model
    #[arg(long)]
    model: PathBuf,
    /// Items, one JSON object per line: text, label (true or false), tags (family, difficulty, objective)
    #[arg(long)]
    items: PathBuf,
    /// The word that says the label is true
    #[arg(long)]
    yes: String,
    /// The word that says the label is false
    #[arg(long)]
    no: String,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Write every item's margin ln p(yes) - ln p(no) here, one JSON object per line
    #[arg(long)]
    dump: Option<PathBuf>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  superalign-pretrain export models/ladder/rung-0
  superalign-pretrain export --check models/ladder/rung-0")]
struct ExportArgs {
    /// Folder with config.json and model.safetensors
    folder: PathBuf,
    /// Write nothing; fail if the graphs in the folder do not belong to its weights
    #[arg(long)]
    check: bool,
}

#[derive(Args)]
#[command(after_help = "Examples:
  superalign-pretrain probe models/ladder/rung-0 > probe.json")]
struct ProbeArgs {
    /// Folder of the model
    folder: PathBuf,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Train(args) => run_train(args),
        Command::Score(args) => run_score(&args),
        Command::Export(args) => run_export(&args),
        Command::Probe(args) => run_probe(&args),
    };
    result.unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "error: {error:#}");
        ExitCode::FAILURE
    })
}

/// Exit status of a run that was interrupted and can be continued.
const INTERRUPTED: u8 = 130;

fn run_train(args: TrainArgs) -> Result<ExitCode> {
    let mut ladder = Ladder::read(&args.ladder)?;
    if let Some(tokens) = args.tokens {
        ladder.training.tokens = tokens;
    }
    let rung = ladder.rung(&args.rung)?;
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let threads = args.threads.unwrap_or(cores);
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || {
        // The second time, at once: the last checkpoint is whole at any moment.
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
    })
    .context("cannot listen for Ctrl-C")?;
    let job = Job {
        ladder: &ladder,
        rung,
        corpus: args.corpus,
        tokenizer: args.tokenizer,
        work: args.work,
        out: args.out,
        threads,
    };
    let mut progress = Progress::new(&rung.name);
    let mut steps = 0;
    let outcome = train(&job, &mut |report| {
        progress.show(report);
        steps += 1;
        let enough = args.stop_after_steps.is_some_and(|limit| steps >= limit);
        if enough || interrupted.load(Ordering::Relaxed) { Then::Stop } else { Then::GoOn }
    })?;
    progress.close();
    let mut err = std::io::stderr();
    Ok(match outcome {
        Outcome::Finished { loss } => {
            writeln!(
                err,
                "{}: loss {loss:.4} over the last steps; model in {}",
                rung.name,
                job.out.display()
            )?;
            ExitCode::SUCCESS
        }
        Outcome::Stopped { step } => {
            writeln!(err, "{}: stopped after step {step}; the same command continues", rung.name)?;
            ExitCode::from(INTERRUPTED)
        }
    })
}

/// A bar on a terminal, a line now and then elsewhere.
struct Progress {
    name: String,
    bar: Option<ProgressBar>,
    /// Start of this call's work and the tokens already done then.
    start: Option<(Instant, u64)>,
    last_line: Option<Instant>,
}

const LINE_EVERY: Duration = Duration::from_secs(10);

impl Progress {
    fn new(name: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::no_length();
            let template = "{prefix} {wide_bar} {percent}% {msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_prefix(name.to_string());
            bar
        });
        Self { name: name.to_string(), bar, start: None, last_line: None }
    }

    fn show(&mut self, report: &Report) {
        let now = Instant::now();
        let Some((start, before)) = self.start else {
            self.start = Some((now, report.tokens));
            return;
        };
        let speed = (report.tokens - before) as f64 / (now - start).as_secs_f64().max(1e-9);
        let left = report.budget.saturating_sub(report.tokens) as f64 / speed;
        let left = HumanDuration(Duration::from_secs_f64(left.clamp(0.0, 1e9)));
        let news = format!("loss {:.4}, {speed:.0} tokens/s, {left} left", report.loss);
        if let Some(bar) = &self.bar {
            bar.set_length(report.budget);
            bar.set_position(report.tokens);
            bar.set_message(news);
        } else if self.last_line.is_none_or(|last| now - last > LINE_EVERY) || report.tokens >= report.budget
        {
            self.last_line = Some(now);
            let percent = 100.0 * report.tokens as f64 / report.budget as f64;
            let _ = writeln!(
                std::io::stderr(),
                "{}: step {}, {:.2}M tokens ({percent:.1}%), {news}",
                self.name,
                report.step,
                report.tokens as f64 / 1e6
            );
        }
    }

    fn close(&self) {
        if let Some(bar) = &self.bar {
            bar.finish();
        }
    }
}

fn run_score(args: &ScoreArgs) -> Result<ExitCode> {
    let folder = weights::load(&args.model)?;
    let items = score::read_items(&args.items)?;
    let margins = score::margins(&folder, &items, &args.yes, &args.no, &mut |_| {})?;
    if let Some(path) = &args.dump {
        let mut text = String::new();
        for (item, margin) in items.iter().zip(&margins) {
            let line = serde_json::json!({"label": item.label, "margin": margin, "tags": item.tags});
            text.push_str(&line.to_string());
            text.push('\n');
        }
        std::fs::write(path, text).with_context(|| path.display().to_string())?;
    }
    let groups = score::summarise(&items, &margins);
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &groups)?;
        writeln!(out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_NO_BORDERS);
    table.set_header(["by", "group", "items", "accuracy [95%]", "centred [95%]", "says yes"]);
    for g in groups {
        table.add_row([
            g.by,
            g.value,
            g.items.to_string(),
            g.accuracy.to_string(),
            g.centred.to_string(),
            format!("{:.3}", g.yes),
        ]);
    }
    writeln!(out, "{table}")?;
    Ok(ExitCode::SUCCESS)
}

fn run_export(args: &ExportArgs) -> Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    if args.check {
        export::check(&args.folder)?;
        writeln!(out, "{}: the graphs belong to the weights", args.folder.display())?;
        return Ok(ExitCode::SUCCESS);
    }
    for graph in export::export(&args.folder)? {
        writeln!(out, "{}: {:.1} kB, weights by reference", graph.path.display(), graph.bytes as f64 / 1e3)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn run_probe(args: &ProbeArgs) -> Result<ExitCode> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    serde_json::to_writer(&mut out, &export::probe(&args.folder)?)?;
    writeln!(out)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
