//! A model folder, opened: what it is, and how it is asked.

mod choice;
mod describe;
mod device;
mod embed;
mod files;
mod layout;
mod place;
mod roles;
mod score;
mod sessions;
mod smoke;
mod write;

pub use describe::{
    Description, ElementCount, FileSize, PortDescription, Task, TokenizerDescription, describe,
};
pub use device::{DeviceReport, DeviceTarget, DeviceWorkload, cuda_cards};
pub use embed::{Scale, StreamEvent, StreamOptions, stated_pooling};
pub use layout::{GraphChoice, GraphFormat, NoGraph, choose_graph, is_data_of};
pub use place::{DeviceChoice, Placement};
pub use score::probabilities;
pub use smoke::SmokeTest;

use crate::error::OpenError;
use crate::generate::Reader;
use crate::generate::graph::DecoderGraph;
use crate::graph::Graph;
use crate::runtime::Runtime;
use crate::tokenize::{TextTokenizer, Truncation};
use files::Files;
pub(crate) use files::{check_external, find_graph};
use ndarray::Array2;
pub(crate) use place::place;
use roles::Roles;
use score::Head;
use sessions::Pool;
pub(crate) use sessions::{Workers, open as open_sessions, takes_operators};
use std::path::{Path, PathBuf};
use superalign_core::{
    ChoicePrompt, EmbedRequest, GenerateRequest, Generation, LogLikelihood, Message, Model, ModelCard,
    ModelError, ScoreHead, ScoreInput,
};
use write::Writer;

/// How a model is run. The defaults are those that were fastest on CPUs for models of 20 million parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// Name for tables; the folder's by default.
    pub name: Option<String>,
    /// Which of the folder's graphs is opened.
    pub graph: GraphChoice,
    /// Where it runs.
    pub device: DeviceChoice,
    /// Cores to use; all by default.
    pub cores: Option<usize>,
    /// Largest padded size of a batch, rows times longest row, in tokens; by default 256 on the processor, where small
    /// batches are faster, and 16,384 on a card.
    pub token_budget: Option<usize>,
    /// Most tokens of a text; what the model has positions for by default.
    pub max_tokens: Option<usize>,
    /// What happens to longer texts.
    pub truncation: Truncation,
}

/// What a model has read since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Number of texts; a choice with its prompt counts as one.
    pub texts: usize,
    /// Number of their tokens, padding not counted.
    pub tokens: usize,
    /// Number of texts that were too long and were cut.
    pub truncated: usize,
    /// Number of tokens that stand for what the tokenizer does not know; many of them mean that the texts are in
    /// another language than the model's.
    pub unknown: usize,
}

impl Usage {
    /// Adds a text of that many tokens, of which some are unknown.
    const fn add(&mut self, tokens: usize, truncated: bool, unknown: usize) {
        self.texts += 1;
        self.tokens += tokens;
        self.truncated += truncated as usize;
        self.unknown += unknown;
    }
}

/// Longest text of a model that does not say what it has positions for.
const DEFAULT_LIMIT: usize = 4096;

/// A language model from a folder with an ONNX graph and a `tokenizer.json`.
///
/// Folders as Optimum, transformers.js and `superalign-pretrain` write them; [`choose_graph`] says which graph is taken,
/// and weights may lie in other files beside it. `config.json` is read where there is one. Inputs: `input_ids` and,
/// where the graph has them, `attention_mask`, `token_type_ids`, `position_ids`, all 64-bit `(batch, sequence)`; a
/// key-value cache that the graph asks for (`past_key_values.N.key|value`, `use_cache_branch`) is empty here. Outputs, at
/// least one of: `last_hidden_state` and `hidden_states.N` `(batch, sequence, width)`, `logits`
/// `(batch, sequence, vocabulary)` or, of a classifier or reward model, `(batch, classes)`.
/// Classifiers and reward models are asked with [`Model::score`]; a chat template of the folder is read for them.
/// A graph with a key-value cache beside it (`model_with_past.onnx`, `decoder_model_merged.onnx`) is used for choices, so
/// that each prefix is read once.
///
/// The vector or likelihood of a text depends on the request alone, to the bit, whatever the number of cores; the
/// same text in another request may differ in the last digits, as it is padded in another batch.
///
/// ```no_run
/// use superalign_core::{EmbedRequest, Layer, Model, Pooling};
/// use superalign_inference::{OnnxModel, OpenOptions, Runtime};
///
/// let runtime = Runtime::from_env()?;
/// let mut model = OnnxModel::open("models/ladder/rung-1".as_ref(), runtime, &OpenOptions::default())?;
/// let request = EmbedRequest { pooling: Pooling::LastToken, layer: Layer::Last };
/// let vectors = model.embed(&["one text", "another"], request, &mut |_| true)?;
/// assert_eq!(vectors.dim(), (2, model.card().width));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct OnnxModel {
    card: ModelCard,
    graph_path: PathBuf,
    graph: Graph,
    roles: Roles,
    tokenizer: TextTokenizer,
    /// The token that fills batches; classifiers on decoders look for the first of them.
    pad: i64,
    /// Whether the configuration says which token that is.
    pad_stated: bool,
    /// The head of a classifier or reward model.
    head: Option<Head>,
    token_budget: usize,
    cores: usize,
    placement: Placement,
    pool: Pool,
    /// A graph with a cache over the same weights, for choices, and its sessions once they are open.
    cached: Option<(DecoderGraph, Vec<Reader>)>,
    usage: Usage,
    writer: Writer,
}

impl OnnxModel {
    /// Reads and checks a model's folder. The runtime itself is first asked when the model is, but for whether it takes
    /// operators of ours, which it is asked once.
    ///
    /// # Errors
    /// [`OpenError`]: something missing, a file that is not what its name says, a graph that is no language model,
    /// a tokenizer of another model.
    pub fn open(folder: &Path, runtime: &'static Runtime, options: &OpenOptions) -> Result<Self, OpenError> {
        let files = Files::read(folder, &options.graph)?;
        let Files { folder, graph_path, graph, tokenizer_path, tokenizer, config, digest, outside: _ } =
            files;
        let refused = |reason: String| OpenError::Graph { path: graph_path.clone(), reason };
        let roles = Roles::read(&graph, &config).map_err(refused)?;
        let graph = if roles.past { graph.stateless(config.cache()).map_err(refused)? } else { graph };
        let table = graph.embedding("input_ids");
        let limit = match (options.max_tokens, config.positions()) {
            (Some(wanted), Some(positions)) => wanted.min(positions),
            (wanted, positions) => wanted.or(positions).unwrap_or(DEFAULT_LIMIT),
        };
        let tokenizer = TextTokenizer::parse(&tokenizer_path, &tokenizer, limit.max(1), options.truncation)?;
        if let (Some(rows), Some((token, id))) =
            (table.map(|(rows, _)| rows).or(config.vocab_size), tokenizer.highest())
            && id as usize >= rows
        {
            return Err(OpenError::TokenizerMismatch { path: tokenizer_path, token, id, rows });
        }
        let state = roles.states.iter().flatten().next();
        let port = state.and_then(|name| graph.outputs.iter().find(|port| port.name == *name));
        let stated = port.and_then(|port| port.shape.last().copied().flatten());
        let width = stated
            .and_then(|width| usize::try_from(width).ok())
            .or(config.hidden_size)
            .or(table.map(|(_, width)| width))
            .ok_or_else(|| {
                refused("the width of its states is not stated; expected hidden_size in config.json".into())
            })?;
        let cached = if roles.logits.is_some() { choice::cached(&folder)? } else { None };
        let head = match &roles.scores {
            Some(output) => Some(Head::read(&folder, output, &graph, &config)?),
            None => None,
        };
        let digest = cached.as_ref().map_or_else(
            || digest.clone(),
            |cached| blake3::hash(format!("{digest} {}", cached.digest).as_bytes()).to_hex().to_string(),
        );
        let parameters = graph.parameters();
        let placement = place(options, parameters, runtime)?;
        let cached =
            cached.map(|graph| graph.in_place_where_possible(runtime, placement.workers)).transpose()?;
        let folder_name = || folder.file_name().map(|name| name.to_string_lossy().into_owned());
        let card = ModelCard {
            name: options.name.clone().or_else(folder_name).unwrap_or_else(|| "model".into()),
            digest,
            layers: roles.layers(),
            width,
            parameters: (parameters > 0).then_some(parameters),
            generates: roles.logits.is_some(),
            runtime: format!("{}{}", runtime.name(), placement.suffix()),
        };
        let pool = Pool::new(runtime, placement.workers);
        let token_budget = options.token_budget.unwrap_or(placement.token_budget()).max(1);
        Ok(Self {
            card,
            graph_path,
            graph,
            roles,
            tokenizer,
            pad: config.pad_token_id.unwrap_or(0),
            pad_stated: config.pad_token_id.is_some(),
            head,
            token_budget,
            cores: cores(options),
            placement,
            pool,
            cached: cached.map(|graph| (graph, Vec::new())),
            usage: Usage::default(),
            writer: Writer::new(folder, runtime, options),
        })
    }

    /// What the model has read since it was opened; above all, how many texts were cut.
    #[must_use]
    pub const fn usage(&self) -> Usage {
        self.usage
    }

    /// Where it runs.
    #[must_use]
    pub const fn placement(&self) -> &Placement {
        &self.placement
    }

    /// The file of its graph.
    #[must_use]
    pub fn graph_path(&self) -> &Path {
        &self.graph_path
    }

    /// Tokenizes items side by side, in the order given; the first item refused is the error.
    fn tokenize<T: Sync, R: Send>(
        &self,
        items: &[T],
        one: impl Fn(&TextTokenizer, &T) -> Result<R, String> + Sync,
    ) -> Result<Vec<R>, ModelError> {
        let share = items.len().div_ceil(self.cores).max(64);
        let part = |(number, part): (usize, &[T])| -> Result<Vec<R>, ModelError> {
            let place = |at: usize| move |reason| ModelError::Input { index: number * share + at, reason };
            part.iter().enumerate().map(|(at, item)| one(&self.tokenizer, item).map_err(place(at))).collect()
        };
        let parts: Result<Vec<Vec<R>>, ModelError> = std::thread::scope(|scope| {
            let part = &part;
            let threads: Vec<_> =
                items.chunks(share).enumerate().map(|chunk| scope.spawn(move || part(chunk))).collect();
            let panicked = |_| Err(self.failed("the tokenizer panicked"));
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect()
        });
        Ok(parts?.into_iter().flatten().collect())
    }

    fn failed(&self, reason: &str) -> ModelError {
        failure(&self.card, reason)
    }
}

fn cores(options: &OpenOptions) -> usize {
    options.cores.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1)
}

/// A failure of the runtime; the smaller of the two does not know every operator.
fn failure(card: &ModelCard, reason: &str) -> ModelError {
    let hint = if card.runtime.starts_with("tract") {
        "; ONNX Runtime may run this graph: superalign runtime install"
    } else {
        ""
    };
    ModelError::Runtime { model: card.name.clone(), reason: format!("{}{hint}", reason.trim_end()) }
}

impl Model for OnnxModel {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    /// The vectors of texts; see [`OnnxModel::usage`] for texts that were cut.
    fn embed(
        &mut self,
        texts: &[&str],
        request: EmbedRequest,
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Array2<f32>, ModelError> {
        self.embed_texts(texts, request, done)
    }

    /// The log-likelihoods of choices, each after the same tokens of its prompt; a prompt that is too long loses
    /// its beginning unless truncation is refused.
    fn choice_log_likelihoods(
        &mut self,
        prompts: &[ChoicePrompt],
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<Vec<LogLikelihood>>, ModelError> {
        self.choices(prompts, done)
    }

    fn score_head(&self) -> Option<&ScoreHead> {
        self.head.as_ref().map(|head| &head.known)
    }

    /// The raw scores of a classifier or reward model, batched as embeddings are; see [`OnnxModel::usage`] for inputs
    /// that were cut, and [`probabilities`] for what they stand for.
    fn score(
        &mut self,
        inputs: &[ScoreInput],
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Array2<f32>, ModelError> {
        self.scores(inputs, done)
    }

    /// Texts that go on from prompts, through the graph with a key-value cache where the folder has one.
    fn generate(
        &mut self,
        prompts: &[String],
        request: &GenerateRequest,
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<Vec<Generation>>, ModelError> {
        self.write(prompts, request, done)
    }

    fn chat(&self, messages: &[Message]) -> Result<String, ModelError> {
        self.conversation(messages)
    }

    fn token_counts(&self, texts: &[&str]) -> Result<Vec<usize>, ModelError> {
        self.counts(texts)
    }
}
