//! Generation: prompts in, completions out, through the key-value cache where the graph has one.
//!
//! - `options`: what can be asked, and what is answered;
//! - [`sampling`]: the choice of the next token;
//! - `graph`, `pass`: decoders as files, and one pass through them;
//! - `block`, `buffer`: the cache of rows that share passes;
//! - `attend`, `rotate`, `operator`: attention over it and positions, where a graph's own are replaced by ours;
//! - `lane`: rows that are decoded side by side;
//! - `chat`: conversations as text;
//! - `choice`: likelihoods of choices after a prefix that is read once;
//! - `text`: tokens back to text.

mod attend;
mod block;
mod buffer;
mod chat;
pub(crate) mod choice;
pub(crate) mod graph;
mod lane;
mod operator;
mod options;
mod pass;
mod rotate;
pub mod sampling;
mod text;

pub use chat::{ChatEnd, ChatError, ChatTemplate, Message, Now};
pub use options::{
    Completion, EndToken, Event, Filters, Finish, GenerateError, GenerateOptions, Prompt, Sampling,
    SpecialTokens,
};

use crate::error::OpenError;
use crate::model::{
    GraphChoice, GraphFormat, OpenOptions, Placement, Workers, find_graph, open_sessions, place,
};
use crate::runtime::Runtime;
use crate::tokenize::{TextTokenizer, Tokens};
use graph::{DecoderConfig, DecoderGraph, OneOrMore};
use lane::{Halt, Shared, Wanted};
pub(crate) use operator::operators;
pub(crate) use pass::Reader;
use serde::Deserialize;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use superalign_core::ModelError;

/// Longest text of a model that does not say what it has positions for.
const DEFAULT_POSITIONS: usize = 4096;

/// Whether a key-value cache is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheUse {
    /// Where the folder has a graph with one.
    #[default]
    WherePossible,
    /// Never: every token reads the whole text again. For comparison.
    Never,
}

/// A causal language model from a folder, ready to continue texts.
///
/// The graph is `model_with_past.onnx`, `decoder_model_merged.onnx`, the pair `decoder_model.onnx` and
/// `decoder_with_past_model.onnx`, or `model.onnx` with a cache or without, in the folder or its `onnx` folder. Names are those of Optimum: inputs `input_ids`, `attention_mask`,
/// `position_ids`, `past_key_values.N.key|value`, `use_cache_branch`; outputs `logits`, `present.N.key|value`.
///
/// On a CUDA card the cache goes through main memory between the passes.
pub struct Generator {
    name: String,
    runtime: &'static Runtime,
    graph: DecoderGraph,
    tokenizer: TextTokenizer,
    ends: Vec<u32>,
    positions: usize,
    budget: usize,
    workers: Workers,
    placement: Placement,
    readers: Vec<Reader>,
}

/// The part of a `generation_config.json` that is read.
#[derive(Debug, Default, Deserialize)]
struct GenerationConfig {
    eos_token_id: Option<OneOrMore>,
}

impl Generator {
    /// Reads and checks a model's folder. The runtime itself is first asked when the model is, but for whether it takes
    /// operators of ours, which it is asked once.
    ///
    /// # Errors
    /// [`OpenError`]: something missing, a file that is not what its name says, a graph that is no decoder, a
    /// tokenizer of another model.
    pub fn open(
        folder: &Path,
        runtime: &'static Runtime,
        options: &OpenOptions,
        cache: CacheUse,
    ) -> Result<Self, OpenError> {
        if !folder.is_dir() {
            return Err(OpenError::Missing {
                path: folder.to_path_buf(),
                expected: "a folder with a decoder's graph and tokenizer.json".into(),
            });
        }
        // Runtimes look for outside weights beside the graph, and one of them wants that folder in full.
        let folder = folder.canonicalize().map_err(|error| unreadable(folder, &error))?;
        let config: DecoderConfig = read_json(&folder.join("config.json"))?;
        let graph = match (&options.graph, cache) {
            (GraphChoice::Auto | GraphChoice::Format(GraphFormat::Full), CacheUse::WherePossible) => {
                DecoderGraph::best(&folder, &config)?
            }
            (GraphChoice::Auto | GraphChoice::Format(GraphFormat::Full), CacheUse::Never) => {
                DecoderGraph::whole(&folder, &config)?
            }
            (chosen, _) => DecoderGraph::read(find_graph(&folder, chosen)?, &config)?,
        };
        let stated = config.max_position_embeddings.filter(|positions| *positions > 0);
        let positions = match (options.max_tokens, stated) {
            (Some(wanted), Some(stated)) => wanted.min(stated),
            (wanted, stated) => wanted.or(stated).unwrap_or(DEFAULT_POSITIONS),
        };
        let path = folder.join("tokenizer.json");
        if !path.is_file() {
            return Err(OpenError::Missing {
                path,
                expected: "the model's tokenizer; `AutoTokenizer.save_pretrained` writes one".into(),
            });
        }
        let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, &error))?;
        // One position is left for an answer.
        let limit = positions.saturating_sub(1).max(1);
        let tokenizer = TextTokenizer::parse(&path, &bytes, limit, options.truncation)?;
        if let (Some((rows, _)), Some((token, id))) =
            (graph.graph.embedding("input_ids"), tokenizer.highest())
            && id as usize >= rows
        {
            return Err(OpenError::TokenizerMismatch { path, token, id, rows });
        }
        let generation: GenerationConfig = read_json(&folder.join("generation_config.json"))?;
        let ends = generation.eos_token_id.or(config.eos_token_id).map(OneOrMore::list).unwrap_or_default();
        let folder_name = || folder.file_name().map(|name| name.to_string_lossy().into_owned());
        let placement = place(options, graph.graph.parameters(), runtime)?;
        let graph = graph.in_place_where_possible(runtime, placement.workers)?;
        Ok(Self {
            name: options.name.clone().or_else(folder_name).unwrap_or_else(|| "model".into()),
            runtime,
            workers: placement.workers,
            graph,
            tokenizer,
            ends,
            positions,
            budget: options.token_budget.unwrap_or(placement.token_budget()).max(1),
            placement,
            readers: Vec::new(),
        })
    }

    /// Name for tables, usually that of its folder.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it runs.
    #[must_use]
    pub const fn placement(&self) -> &Placement {
        &self.placement
    }

    /// Whether it keeps keys and values of what it has read.
    #[must_use]
    pub fn has_cache(&self) -> bool {
        !self.graph.cache.is_empty()
    }

    /// Whether attention is our own and reads the cache where it lies, instead of having it copied in every step: on ONNX
    /// Runtime, on the processor, for graphs as our exports write them that run on one thread a session.
    #[must_use]
    pub fn reads_in_place(&self) -> bool {
        self.graph.in_place
    }

    /// Number of tokens, prompt and completion together, that it has positions for.
    #[must_use]
    pub fn positions(&self) -> usize {
        self.positions
    }

    /// The text of tokens, without special ones.
    ///
    /// # Errors
    /// What the tokenizer says of ids that it cannot decode.
    pub fn decode(&self, tokens: &[u32]) -> Result<String, ModelError> {
        self.tokenizer.decode(tokens).map_err(|reason| self.failed(&reason))
    }

    fn failed(&self, reason: &str) -> ModelError {
        let hint = if self.runtime.name().starts_with("tract") {
            "; ONNX Runtime may run this graph: superalign runtime install"
        } else {
            ""
        };
        ModelError::Runtime { model: self.name.clone(), reason: format!("{}{hint}", reason.trim_end()) }
    }

    fn encode(&self, prompts: &[Prompt], options: &GenerateOptions) -> Result<Vec<Tokens>, ModelError> {
        let encode = |(index, prompt): (usize, &Prompt)| {
            let special = options.special_tokens == SpecialTokens::Add;
            let tokens = if special {
                self.tokenizer.prompt(&prompt.text)
            } else {
                self.tokenizer.as_written(&prompt.text)
            };
            tokens.map_err(|reason| ModelError::Input { index, reason })
        };
        prompts.iter().enumerate().map(encode).collect()
    }

    fn open_sessions(&mut self) -> Result<(), ModelError> {
        if self.readers.is_empty() {
            let (runtime, workers) = (self.runtime, self.workers);
            let open = |graph: &DecoderGraph, outputs: &[&str]| {
                open_sessions(runtime, &graph.path, &graph.graph, outputs, workers)
            };
            self.readers = Reader::open(&self.graph, &open).map_err(|reason| self.failed(&reason))?;
        }
        Ok(())
    }
}

/// Continues every prompt, `options.samples` times each. The completions are in the order of prompts, then samples.
///
/// `sink` is told of every token and completion as it is made; returning `false` stops, which is answered with
/// [`ModelError::Stopped`].
///
/// Prompts are sorted by length and dealt into jobs by the request alone, and a worker takes one job after the other.
/// In a job, up to `options.rows` completions share each pass; when a quarter of them has ended, others enter
/// (continuous batching). So the same request gives the same completions to the bit for any number of cores. A
/// prompt in another request may share its passes with other rows, which changes scores in their last digits: its
/// completion is the same but where two tokens were that close. A prompt longer than the model's positions less
/// one is cut or refused as [`OpenOptions::truncation`] says.
///
/// # Errors
/// A setting outside its range, a prompt without a token or too long, a failure of the runtime, a stop by `sink`.
///
/// ```no_run
/// use superalign_core::Seed;
/// use superalign_inference::{
///     CacheUse, Filters, GenerateOptions, Generator, OpenOptions, Prompt, Runtime, Sampling, generate,
/// };
///
/// let runtime = Runtime::from_env()?;
/// let folder = "models/ladder/rung-3".as_ref();
/// let mut model = Generator::open(folder, runtime, &OpenOptions::default(), CacheUse::default())?;
/// let options = GenerateOptions {
///     samples: 4,
///     sampling: Sampling::Random(Filters { temperature: 0.7, top_p: Some(0.9), ..Filters::default() }),
///     ..GenerateOptions::default()
/// };
/// let prompts = Prompt::list(["ask 3 + 4"], Seed::new(1));
/// for completion in generate(&mut model, &prompts, &options, &mut |_| true)? {
///     println!("{} ({})", completion.text, completion.finish.name());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn generate(
    model: &mut Generator,
    prompts: &[Prompt],
    options: &GenerateOptions,
    sink: &mut dyn FnMut(&Event) -> bool,
) -> Result<Vec<Completion>, GenerateError> {
    options.check()?;
    if prompts.is_empty() {
        return Ok(Vec::new());
    }
    let encoded = model.encode(prompts, options)?;
    model.open_sessions()?;
    let jobs = jobs(&encoded, options);
    let mut readers = std::mem::take(&mut model.readers);
    let shared = Shared {
        graph: &model.graph,
        tokenizer: &model.tokenizer,
        options,
        ends: &model.ends,
        positions: model.positions,
        budget: model.budget,
        prompts,
        encoded: &encoded,
    };
    let done = work(&mut readers, &shared, &jobs, sink);
    model.readers = readers;
    let mut completions = done.map_err(|halt| match halt {
        Halt::Stopped => ModelError::Stopped,
        Halt::Failed(reason) => model.failed(&reason),
    })?;
    completions.sort_by_key(|one| (one.prompt, one.sample));
    Ok(completions)
}

/// Deals completions into jobs, by the request alone: the longest prompts first, samples of a prompt together, and as much
/// to do in one job as in another.
fn jobs(encoded: &[Tokens], options: &GenerateOptions) -> Vec<Vec<Wanted>> {
    let mut order: Vec<usize> = (0..encoded.len()).collect();
    order.sort_by_key(|&prompt| (std::cmp::Reverse(encoded[prompt].ids.len()), prompt));
    let samples = |prompt| (0..options.samples).map(move |sample| Wanted { prompt, sample });
    let wanted: Vec<Wanted> = order.into_iter().flat_map(samples).collect();
    // Enough jobs for many cores, and not so many that none is ever refilled.
    let size = (wanted.len() / 16).clamp(options.rows, options.rows.saturating_mul(8));
    let count = wanted.len().div_ceil(size);
    // To make a token takes about one and a half times as long as to read one.
    let cost = |one: &Wanted| encoded[one.prompt].ids.len() as u64 + 3 * options.max_tokens as u64 / 2 + 1;
    let total: u64 = wanted.iter().map(cost).sum();
    let mut jobs = vec![Vec::new(); count];
    let mut before = 0;
    for one in wanted {
        let middle = before + cost(&one) / 2;
        before += cost(&one);
        let job = u128::from(middle) * count as u128 / u128::from(total);
        jobs[usize::try_from(job).unwrap_or(0)].push(one);
    }
    jobs.retain(|job| !job.is_empty());
    jobs
}

/// Runs the jobs, one thread per reader; the calling thread hands events to `sink`.
fn work(
    readers: &mut [Reader],
    shared: &Shared<'_>,
    jobs: &[Vec<Wanted>],
    sink: &mut dyn FnMut(&Event) -> bool,
) -> Result<Vec<Completion>, Halt> {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    // What comes faster than it is taken waits with whoever makes it. The events of a pass come together: to wake the
    // calling thread for each of them would cost more than to make it.
    let (sender, receiver) = mpsc::sync_channel::<Result<Vec<Event>, Halt>>(64);
    std::thread::scope(|scope| {
        for reader in readers.iter_mut().take(jobs.len()) {
            let (sender, next, stop) = (sender.clone(), &next, &stop);
            scope.spawn(move || {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut tell = |events| !stop.load(Ordering::Relaxed) && sender.send(Ok(events)).is_ok();
                    if let Err(halt) = lane::run(reader, shared, job, &mut tell) {
                        let _ = sender.send(Err(halt));
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut completions = Vec::new();
        let mut outcome = Ok(());
        for events in receiver {
            match events {
                Ok(events) => {
                    for event in events {
                        if outcome.is_ok() && !sink(&event) {
                            outcome = Err(Halt::Stopped);
                            stop.store(true, Ordering::Relaxed);
                        }
                        if let (Ok(()), Event::Finished { completion, .. }) = (&outcome, event) {
                            completions.push(completion);
                        }
                    }
                }
                Err(halt) => {
                    stop.store(true, Ordering::Relaxed);
                    outcome = outcome.and(Err(halt));
                }
            }
        }
        outcome.map(|()| completions)
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> OpenError {
    OpenError::Unreadable { path: path.to_path_buf(), reason: error.to_string() }
}

/// Reads a file that may be absent.
pub(crate) fn read_json<T: Default + serde::de::DeserializeOwned>(path: &Path) -> Result<T, OpenError> {
    if !path.is_file() {
        return Ok(T::default());
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| OpenError::Invalid { path: path.to_path_buf(), reason: error.to_string() })
}
