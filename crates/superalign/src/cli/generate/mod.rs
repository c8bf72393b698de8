//! `superalign generate`: prompts continued by a model, as lines of JSON or as text.

mod input;
mod output;
#[cfg(test)]
mod tests;

use super::place::PlaceArgs;
use super::{Failure, Printed, run, runtime, say};
use clap::{Args, ValueEnum};
use input::{Asked, What};
use output::{Sheet, Writer};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use superalign_core::{ModelError, Seed};
use superalign_inference::{
    CacheUse, ChatEnd, ChatTemplate, Completion, EndToken, Event, Filters, GenerateError, GenerateOptions,
    Generator, Message, Now, Prompt, RuntimeChoice, Sampling, SpecialTokens, generate as continued,
};

const EXAMPLES: &str = "\
Examples:
  superalign generate --model models/ladder/rung-3 --prompt \"ask many\"
  superalign generate prompts.jsonl --model DIR --n 4 --temperature 0.8 --top-p 0.95 -o out.jsonl
  superalign generate questions.jsonl --model DIR --chat --system \"Be brief.\" --json
  cat prompts.jsonl | superalign generate - --model DIR --max-tokens 256 --stop \"\\n\\n\" --json

Input is JSONL, {\"prompt\": ...} or with --chat also {\"messages\": [{\"role\": ..., \"content\": ...}]}, or CSV, TSV,
JSON or Parquet with such columns; an \"id\" is kept. In a .txt file each line is a prompt. With -o the lines are in OUT.part until all are there; after Ctrl-C
that file holds the whole lines made so far. There is no resuming: the same command begins again.
The same seed gives the same completions, however many cores there are.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct GenerateArgs {
    /// Prompts: JSONL, CSV, TSV, JSON, Parquet or .txt; `-` reads JSONL from standard input
    #[arg(value_name = "FILE", required_unless_present = "prompt", conflicts_with = "prompt")]
    file: Option<PathBuf>,
    /// A prompt; repeat it for several
    #[arg(long, value_name = "TEXT")]
    prompt: Vec<String>,
    /// A folder with a decoder as ONNX and its tokenizer.json
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Completions of each prompt
    #[arg(long, value_name = "N", default_value_t = 1)]
    n: usize,
    /// Most tokens of a completion
    #[arg(long, value_name = "N", default_value_t = 64)]
    max_tokens: usize,
    /// Draw tokens at this temperature; without it and the filters below, the likeliest token is taken
    #[arg(long, value_name = "T")]
    temperature: Option<f32>,
    /// Draw among that many likeliest tokens
    #[arg(long, value_name = "K")]
    top_k: Option<usize>,
    /// Draw among the likeliest tokens that together have this probability
    #[arg(long, value_name = "P")]
    top_p: Option<f32>,
    /// Draw among tokens at least this many times as probable as the likeliest
    #[arg(long, value_name = "P")]
    min_p: Option<f32>,
    /// Above 1: tokens seen before become less likely
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    repetition_penalty: f32,
    /// A text that ends a completion, and is not part of it; repeat it for several
    #[arg(long, value_name = "TEXT")]
    stop: Vec<String>,
    /// What the model's end token does
    #[arg(long, value_enum, default_value = "stop")]
    end_token: EndArg,
    /// Seed of the draws
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Write prompts by the model's chat template
    #[arg(long)]
    chat: bool,
    /// With --chat: a system message before each conversation that has none
    #[arg(long, value_name = "TEXT", requires = "chat")]
    system: Option<String>,
    /// With --chat: the date that a template may tell the model
    #[arg(long, value_name = "YYYY-MM-DD", requires = "chat", value_parser = date)]
    date: Option<Now>,
    /// Completions that share a pass through the model
    #[arg(long, value_name = "N", default_value_t = 16)]
    rows: usize,
    #[command(flatten)]
    place: PlaceArgs,
    /// Which runtime executes the model
    #[arg(long, value_enum)]
    runtime: Option<run::RuntimeArg>,
    /// Write lines of JSON to this file
    #[arg(long, short, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Print lines of JSON in place of text; with -o, one JSON object in place of the summary
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum EndArg {
    /// It ends the completion
    Stop,
    /// It is a token like others
    Ignore,
}

pub(super) fn date(text: &str) -> Result<Now, String> {
    let wrong = || format!("{text:?} is no date, expected one like 2026-11-28");
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<u16>().map_err(|_| wrong()));
    let mut next = || parts.next().unwrap_or_else(|| Err(wrong()));
    let (year, month, day) = (next()?, next()?, next()?);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u16::from(leap),
        _ => 0,
    };
    if year == 0 || day == 0 || day > days {
        return Err(wrong());
    }
    let small = |value: u16| u8::try_from(value).map_err(|_| wrong());
    Ok(Now { year, month: small(month)?, day: small(day)?, hour: 0, minute: 0, second: 0 })
}

impl GenerateArgs {
    fn options(&self) -> Result<GenerateOptions, Failure> {
        let Self { temperature, top_k, top_p, min_p, .. } = *self;
        let drawn = temperature.is_some() || top_k.is_some() || top_p.is_some() || min_p.is_some();
        let filters = Filters { temperature: temperature.unwrap_or(1.0), top_k, top_p, min_p };
        let options = GenerateOptions {
            max_tokens: self.max_tokens,
            samples: self.n,
            sampling: if drawn { Sampling::Random(filters) } else { Sampling::Greedy },
            repetition_penalty: self.repetition_penalty,
            stop: self.stop.clone(),
            end: match self.end_token {
                EndArg::Stop => EndToken::Stop,
                EndArg::Ignore => EndToken::Ignore,
            },
            special_tokens: if self.chat { SpecialTokens::AsWritten } else { SpecialTokens::Add },
            rows: self.rows,
        };
        options.check().map_err(Failure::usage)?;
        if self.n > 1 && !drawn {
            return Err(Failure::Usage(format!(
                "--n {} asks for several completions of a prompt, and without a draw all are the same; add --temperature",
                self.n
            )));
        }
        Ok(options)
    }

    fn asked(&self) -> Result<Vec<Asked>, Failure> {
        match &self.file {
            Some(path) => input::read(path),
            None => {
                let text = |text: &String| Asked { id: None, what: What::Text(text.clone()) };
                Ok(self.prompt.iter().map(text).collect())
            }
        }
    }

    /// The texts that the model reads, and what is shown of a failure in one of them.
    fn texts(&self, asked: &[Asked]) -> Result<Vec<String>, Failure> {
        let template = if self.chat {
            let found = ChatTemplate::read(&self.model).map_err(Failure::usage)?;
            Some(found.ok_or_else(|| {
                Failure::Usage(format!(
                    "{}: no chat template, expected chat_template.jinja or one in tokenizer_config.json; \
                     without --chat prompts are read as they are",
                    self.model.display()
                ))
            })?)
        } else {
            None
        };
        let text = |(at, one): (usize, &Asked)| match (&template, &one.what) {
            (None, What::Text(text)) => Ok(text.clone()),
            (None, What::Messages(_)) => {
                Err(Failure::Usage(format!("prompt {}: messages need --chat, or give a prompt", at + 1)))
            }
            (Some(template), what) => {
                let mut messages = match what {
                    What::Text(text) => vec![Message::user(text.clone())],
                    What::Messages(messages) => messages.clone(),
                };
                if let Some(system) = &self.system
                    && messages.first().is_none_or(|first| first.role != "system")
                {
                    messages.insert(0, Message::system(system.clone()));
                }
                template.render(&messages, ChatEnd::Answer, self.date).map_err(|error| {
                    let hint = if self.date.is_none() && error.to_string().contains("strftime_now") {
                        "; --date gives one"
                    } else {
                        ""
                    };
                    Failure::Usage(format!("prompt {}: {error}{hint}", at + 1))
                })
            }
        };
        asked.iter().enumerate().map(text).collect()
    }
}

/// Prompts whose completions are made and written together.
const TOGETHER: usize = 256;

pub(super) fn generate(args: &GenerateArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let options = args.options()?;
    let asked = args.asked()?;
    let texts = args.texts(&asked)?;
    let choice = args.runtime.map(RuntimeChoice::from);
    let runtime = runtime::start(choice)?;
    let mut model = Generator::open(&args.model, runtime, &args.place.options(), CacheUse::default())
        .map_err(Failure::usage)?;
    eprintln!("device: {}", model.placement());
    if !model.has_cache() {
        eprintln!(
            "warning: the model has no graph with a key-value cache, so every token reads the whole text again"
        );
    }
    let stop = Arc::new(AtomicBool::new(false));
    run::listen(&stop);
    let prompts = Prompt::list(texts, Seed::new(args.seed).named("generate"));
    let streamed = args.output.is_none() && !args.json && prompts.len() * options.samples == 1;
    let mut writer = match &args.output {
        Some(path) => Writer::file(path)?,
        None if streamed => Writer::nothing(out),
        None if args.json => Writer::lines(out),
        None => Writer::text(out),
    };
    let total = prompts.len() * options.samples;
    let mut count = Count::new(total);
    let sheet = Sheet { asked: &asked, prompts: &prompts };
    for (number, part) in prompts.chunks(TOGETHER).enumerate() {
        let first = number * TOGETHER;
        let mut finished: Vec<Completion> = Vec::new();
        let done = continued(&mut model, part, &options, &mut |event| {
            count.hear(event);
            match event {
                Event::Token { text, .. } if streamed => writer.stream(text),
                Event::Finished { rest, .. } if streamed => writer.stream(rest),
                _ => {}
            }
            if let Event::Finished { completion, .. } = event {
                finished.push(Completion { prompt: first + completion.prompt, ..completion.clone() });
            }
            !stop.load(Ordering::Relaxed)
        });
        finished.sort_by_key(|one| (one.prompt, one.sample));
        match done {
            Ok(_) => {
                if writer.write(&sheet, &finished)? == Printed::Unwanted {
                    return Ok(());
                }
            }
            Err(GenerateError::Model(ModelError::Stopped)) => {
                writer.write(&sheet, &finished)?;
                let place = writer.keep()?;
                eprintln!(
                    "stopped: {} of {total} completions are {place}; the same command begins again",
                    count.finished
                );
                return Err(Failure::Stopped);
            }
            Err(GenerateError::Model(ModelError::Input { index, reason })) => {
                writer.discard();
                return Err(Failure::Usage(format!("prompt {}: {reason}", first + index + 1)));
            }
            Err(error) => {
                writer.discard();
                return Err(Failure::failed(error));
            }
        }
    }
    writer.finish()?;
    drop(writer);
    let summary = count.summary(&model);
    match &args.output {
        Some(path) if args.json => say(out, count.object(&model, path)),
        Some(path) => say(out, format!("{summary} in {}", path.display())),
        None => eprintln!("{summary}"),
    }
    Ok(())
}

/// What was made so far, told now and then.
struct Count {
    total: usize,
    finished: usize,
    tokens: usize,
    begun: Instant,
    said: Instant,
}

impl Count {
    const EVERY: Duration = Duration::from_secs(5);

    fn new(total: usize) -> Self {
        let now = Instant::now();
        Self { total, finished: 0, tokens: 0, begun: now, said: now }
    }

    fn hear(&mut self, event: &Event) {
        match event {
            Event::Token { .. } => self.tokens += 1,
            Event::Finished { .. } => self.finished += 1,
        }
        if self.said.elapsed() >= Self::EVERY {
            self.said = Instant::now();
            let rate = self.rate();
            eprintln!("{} of {} completions, {rate:.0} tokens/s", self.finished, self.total);
        }
    }

    fn rate(&self) -> f64 {
        self.tokens as f64 / self.begun.elapsed().as_secs_f64().max(1e-9)
    }

    fn summary(&self, model: &Generator) -> String {
        let Self { finished, tokens, .. } = self;
        let plural = if *finished == 1 { "" } else { "s" };
        format!(
            "{finished} completion{plural} of {}, {tokens} tokens, {:.0} tokens/s,",
            model.name(),
            self.rate()
        )
        .trim_end_matches(',')
        .to_owned()
    }

    fn object(&self, model: &Generator, path: &Path) -> String {
        serde_json::json!({
            "model": model.name(), "completions": self.finished, "tokens": self.tokens,
            "tokens_per_second": self.rate(), "output": path,
        })
        .to_string()
    }
}
