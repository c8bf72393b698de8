//! `superalign score`: rows of texts scored by a model's head, or by how likely a language model finds them.

mod ask;
mod output;
#[cfg(test)]
mod tests;

use super::place::PlaceArgs;
use super::{Failure, Printed, run, runtime, say};
use crate::reward::ReadAs;
use ask::Task;
use clap::Args;
use output::{Cell, Column, Form, Kind, Writer};
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use superalign_core::{
    ChoicePrompt, LogLikelihood, Model as _, ModelError, ProbabilityRule, ScoreHead, ScoreInput,
};
use superalign_data::DataError;
use superalign_data::load::{TextRow, text_lines, text_rows};
use superalign_inference::{Now, OnnxModel, RuntimeChoice, probabilities};

const EXAMPLES: &str = "\
Examples:
  superalign score answers.jsonl --model REWARD_DIR -o scores.csv
  superalign score pairs.csv --model CROSS_ENCODER_DIR --json
  superalign score choices.jsonl --model models/ladder/rung-3
  superalign score texts.txt --model DIR --verdict right,wrong -o verdicts.parquet
  cat answers.jsonl | superalign score - --model DIR --json

Input is CSV, TSV, JSON, JSONL or Parquet, with an `id` where there is one; in a .txt file each
line is a text. What is read of a row:
  classifiers and reward models   text | text, text_pair | prompt, response | messages
  causal language models          prompt, response | prompt, choices (a list as in JSON)
  --verdict                       text | prompt, response
A prompt and its response are a conversation where the model has a chat template, else one text.
Output has a line for each row (for each choice), numbered from 1: `score` and `probability` of
each label; `log_likelihood` in nats, `tokens` and their ratio; or `probability` and `log_odds` of
the first verdict. The file of -o is there when all rows are, and not otherwise; there is no resuming.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ScoreArgs {
    /// Rows to be scored; `-` reads JSONL from standard input
    file: PathBuf,
    /// A folder with an ONNX model and its tokenizer.json
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    #[command(flatten)]
    place: PlaceArgs,
    /// How a head reads a prompt and its response
    #[arg(long = "as", value_name = "HOW", value_enum, default_value = "auto")]
    read_as: ReadAs,
    /// What stands between a prompt and what follows it, where they are one text
    #[arg(long, value_name = "TEXT", default_value = "")]
    join: String,
    /// The probability of the first of two words after each text, against the second
    #[arg(long, value_name = "RIGHT,WRONG", value_delimiter = ',', num_args = 1)]
    verdict: Option<Vec<String>>,
    /// The date that a chat template may tell the model
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = super::generate::date)]
    date: Option<Now>,
    /// Which runtime executes the model
    #[arg(long, value_enum)]
    runtime: Option<run::RuntimeArg>,
    /// Write to this file: .csv, .jsonl or .parquet
    #[arg(long, short, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Print lines of JSON in place of CSV; with -o, one JSON object in place of the summary
    #[arg(long)]
    json: bool,
}

/// Rows, and bytes of text, that are read, scored and written together: memory is bounded by them.
const ROWS: usize = 2048;
const BYTES: usize = 4 << 20;

pub(super) fn score(args: &ScoreArgs, out: &mut dyn Write) -> Result<(), Failure> {
    if let Some(path) = &args.output {
        Form::of(path)?;
    }
    let mut rows: Box<dyn Iterator<Item = Result<TextRow, DataError>>> = if args.file == Path::new("-") {
        text_lines(BufReader::new(std::io::stdin()), "standard input")
    } else {
        text_rows(&args.file).map_err(Failure::usage)?
    };
    let name = args.file.display();
    let first = rows.next().transpose().map_err(Failure::usage)?;
    let first =
        first.ok_or_else(|| Failure::Usage(format!("{name}: no row in it, expected at least one")))?;
    let runtime = runtime::start(args.runtime.map(RuntimeChoice::from))?;
    let mut model = OnnxModel::open(&args.model, runtime, &args.place.options()).map_err(Failure::usage)?;
    eprintln!("device: {}", model.placement());
    model.set_chat_date(args.date);
    let task = Task::of(args, model.score_head(), model.card().generates, &first)?;
    let stop = Arc::new(AtomicBool::new(false));
    run::listen(&stop);

    let with_id = first.id.is_some();
    let columns = columns(&task, model.score_head(), with_id);
    let mut writer = match &args.output {
        Some(path) => Writer::file(path, columns)?,
        None => Writer::print(out, if args.json { Form::Jsonl } else { Form::Csv }, columns),
    };
    let mut pace = Pace::new();
    let mut rows = std::iter::once(Ok(first)).chain(rows);
    loop {
        let before = pace.rows;
        let stopped = || {
            let place = if args.output.is_some() { "nothing is written" } else { "they are printed" };
            eprintln!("stopped after {before} rows: {place}; the same command begins again");
            Failure::Stopped
        };
        let block = block(&mut rows, &stop).map_err(Failure::usage)?;
        if stop.load(Ordering::Relaxed) {
            return Err(stopped());
        }
        if block.is_empty() {
            break;
        }
        let mut done = |finished: usize| {
            pace.tell(before + finished);
            !stop.load(Ordering::Relaxed)
        };
        let cells = match asked(&task, &args.join, &block).map_err(Failure::usage)? {
            Asked::Inputs(inputs) => model
                .score(&inputs, &mut done)
                .map(|scores| model.score_head().map_or_else(Vec::new, |head| head_cells(&scores, head))),
            Asked::Prompts(prompts) => {
                model.choice_log_likelihoods(&prompts, &mut done).map(|found| likelihood_cells(&task, &found))
            }
        };
        let cells = match cells {
            Ok(cells) => cells,
            Err(ModelError::Stopped) => return Err(stopped()),
            Err(ModelError::Input { index, reason }) => {
                return Err(Failure::Usage(format!("{}: {reason}", block[index].place)));
            }
            Err(error @ ModelError::Unsupported { .. }) => return Err(Failure::usage(error)),
            Err(error) => return Err(Failure::failed(error)),
        };
        let lines: Vec<Vec<Cell>> = block
            .iter()
            .zip(cells)
            .enumerate()
            .flat_map(|(at, (row, cells))| {
                let number = Cell::Whole((before + at + 1) as u64);
                let head = if with_id { vec![number, Cell::Id(row.id.clone())] } else { vec![number] };
                cells.into_iter().map(move |cells| [head.clone(), cells].concat())
            })
            .collect();
        pace.rows = before + block.len();
        if writer.write(&lines)? == Printed::Unwanted {
            return Ok(());
        }
    }
    writer.finish()?;
    conclude(args, &model, &pace, out);
    Ok(())
}

/// The next rows, as many as are scored together.
fn block(
    rows: &mut dyn Iterator<Item = Result<TextRow, DataError>>,
    stop: &AtomicBool,
) -> Result<Vec<TextRow>, DataError> {
    let mut block = Vec::new();
    let mut bytes = 0;
    while block.len() < ROWS && bytes < BYTES && !stop.load(Ordering::Relaxed) {
        let Some(row) = rows.next() else { break };
        let row = row?;
        let texts = [&row.text, &row.text_pair, &row.prompt, &row.response];
        bytes += texts.into_iter().flatten().map(String::len).sum::<usize>();
        bytes += row.choices.iter().flatten().map(String::len).sum::<usize>();
        bytes += row.messages.iter().flatten().map(|message| message.content.len()).sum::<usize>();
        block.push(row);
    }
    Ok(block)
}

/// What the model is given of a block.
enum Asked {
    Inputs(Vec<ScoreInput>),
    Prompts(Vec<ChoicePrompt>),
}

fn asked(task: &Task, join: &str, block: &[TextRow]) -> Result<Asked, DataError> {
    match task {
        Task::Head { how } => {
            let inputs = block.iter().map(|row| Task::input(row, *how, join)).collect::<Result<_, _>>()?;
            Ok(Asked::Inputs(inputs))
        }
        _ => Ok(Asked::Prompts(block.iter().map(|row| task.prompt(row, join)).collect::<Result<_, _>>()?)),
    }
}

fn columns(task: &Task, head: Option<&ScoreHead>, with_id: bool) -> Vec<Column> {
    let column = |name: &str, kind| Column { name: name.to_owned(), kind };
    let mut columns = vec![column("row", Kind::Whole)];
    if with_id {
        columns.push(column("id", Kind::Id));
    }
    match task {
        Task::Head { .. } => {
            let Some(head) = head else { return columns };
            let several = head.labels.len() > 1;
            let likely = head.rule != ProbabilityRule::None;
            for (name, wanted) in [("score", true), ("probability", likely)] {
                let named =
                    |label: &String| if several { format!("{name}.{label}") } else { name.to_owned() };
                if wanted {
                    columns.extend(head.labels.iter().map(|label| column(&named(label), Kind::Number)));
                }
            }
            if head.rule == ProbabilityRule::Softmax {
                columns.push(column("label", Kind::Text));
            }
        }
        Task::Verdict(_) => {
            columns.extend(["probability", "log_odds"].map(|name| column(name, Kind::Number)));
        }
        Task::Response | Task::Choices => {
            if *task == Task::Choices {
                columns.push(column("choice", Kind::Whole));
            }
            columns.push(column("log_likelihood", Kind::Number));
            columns.push(column("tokens", Kind::Whole));
            columns.push(column("log_likelihood_per_token", Kind::Number));
        }
    }
    columns
}

/// Of each row its only line: scores, probabilities, and the likeliest label.
fn head_cells(scores: &ndarray::Array2<f32>, head: &ScoreHead) -> Vec<Vec<Vec<Cell>>> {
    let likely = probabilities(scores.view(), head.rule);
    let line = |at: usize| {
        let row = scores.row(at);
        let mut cells: Vec<Cell> = row.iter().map(|score| Cell::Number(short(*score))).collect();
        if let Some(likely) = &likely {
            cells.extend(likely.row(at).iter().map(|p| Cell::Number(*p)));
        }
        if head.rule == ProbabilityRule::Softmax {
            let best = row.iter().enumerate().fold((0, f32::NEG_INFINITY), |best, (label, score)| {
                if *score > best.1 { (label, *score) } else { best }
            });
            cells.push(Cell::Text(head.labels[best.0].clone()));
        }
        vec![cells]
    };
    (0..scores.nrows()).map(line).collect()
}

/// The number with the digits that single precision holds.
fn short(score: f32) -> f64 {
    score.to_string().parse().unwrap_or(f64::from(score))
}

fn likelihood_cells(task: &Task, found: &[Vec<LogLikelihood>]) -> Vec<Vec<Vec<Cell>>> {
    let row = |choices: &Vec<LogLikelihood>| -> Vec<Vec<Cell>> {
        if let (Task::Verdict(_), [right, wrong]) = (task, choices.as_slice()) {
            let odds = right.sum - wrong.sum;
            return vec![vec![Cell::Number(1.0 / (1.0 + (-odds).exp())), Cell::Number(odds)]];
        }
        let line = |(at, one): (usize, &LogLikelihood)| {
            let mut cells = vec![
                Cell::Number(one.sum),
                Cell::Whole(one.tokens as u64),
                Cell::Number(one.sum / one.tokens.max(1) as f64),
            ];
            if *task == Task::Choices {
                cells.insert(0, Cell::Whole(at as u64 + 1));
            }
            cells
        };
        choices.iter().enumerate().map(line).collect()
    };
    found.iter().map(row).collect()
}

/// How many rows are scored, told now and then.
struct Pace {
    rows: usize,
    begun: Instant,
    said: Instant,
}

impl Pace {
    const EVERY: Duration = Duration::from_secs(5);

    fn new() -> Self {
        let now = Instant::now();
        Self { rows: 0, begun: now, said: now }
    }

    fn tell(&mut self, rows: usize) {
        if self.said.elapsed() >= Self::EVERY {
            self.said = Instant::now();
            eprintln!("{rows} rows, {:.0} rows/s", self.rate(rows));
        }
    }

    fn rate(&self, rows: usize) -> f64 {
        rows as f64 / self.begun.elapsed().as_secs_f64().max(1e-9)
    }
}

/// Says what was done, and what should make one wonder.
fn conclude(args: &ScoreArgs, model: &OnnxModel, pace: &Pace, out: &mut dyn Write) {
    let (usage, rows, rate) = (model.usage(), pace.rows, pace.rate(pace.rows));
    if usage.truncated > 0 {
        eprintln!("warning: {} of {} inputs were too long and were cut", usage.truncated, usage.texts);
    }
    if usage.unknown * 10 > usage.tokens {
        eprintln!(
            "warning: {} of {} tokens are unknown to the model's tokenizer",
            usage.unknown, usage.tokens
        );
    }
    let name = &model.card().name;
    let plural = if rows == 1 { "" } else { "s" };
    let summary = format!("{rows} row{plural} by {name}, {} tokens, {rate:.0} rows/s", usage.tokens);
    match &args.output {
        Some(path) if args.json => {
            let object = serde_json::json!({
                "model": name, "digest": model.card().digest, "rows": rows, "inputs": usage.texts,
                "tokens": usage.tokens, "truncated": usage.truncated, "unknown_tokens": usage.unknown,
                "rows_per_second": rate, "output": path,
            });
            say(out, object.to_string());
        }
        Some(path) => say(out, format!("{summary} in {}", path.display())),
        None => eprintln!("{summary}"),
    }
}
