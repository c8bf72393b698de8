//! What a model's folder contains, in figures and words; nothing is run.

use super::files::{Files, graph_names, read, unreadable};
use super::layout::GraphChoice;
use super::roles::Roles;
use crate::error::OpenError;
use crate::graph::{Port, is_cache};
use crate::tokenize::{TextTokenizer, Truncation};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a model can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Hidden states only.
    Encoder,
    /// Scores of classes, or one score as reward models give.
    SequenceClassification,
    /// Logits of the next token, for whole sequences.
    CausalLm,
    /// The same, and it can continue a key-value cache.
    CausalLmWithCache,
}

impl std::fmt::Display for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Encoder => "encoder",
            Self::SequenceClassification => "sequence classification",
            Self::CausalLm => "causal language model without cache",
            Self::CausalLmWithCache => "causal language model with key-value cache",
        })
    }
}

/// A file and its size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileSize {
    /// Path relative to the model's folder.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// An input or output of a graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PortDescription {
    /// Its name.
    pub name: String,
    /// Type of its elements: `int64`, `f32`, …
    pub element: String,
    /// Its dimensions; `?` where one is not fixed.
    pub shape: String,
}

/// How many weights are of which type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ElementCount {
    /// Type of the weights.
    pub element: String,
    /// Number of weights of that type, or of bytes where several weights share one.
    pub count: u64,
}

/// What `tokenizer.json` and `tokenizer_config.json` say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenizerDescription {
    /// Algorithm: `BPE`, `WordPiece`, `Unigram`, `WordLevel`.
    pub kind: String,
    /// One more than the highest token id.
    pub tokens: Option<usize>,
    /// Number of special tokens put around a text.
    pub added: usize,
    /// Length to which the file says texts are cut. It is not used: see [`OpenOptions`](crate::OpenOptions).
    pub stated_truncation: Option<u64>,
    /// Padding that the file states, which is not used either.
    pub stated_padding: Option<String>,
    /// `model_max_length` of `tokenizer_config.json`, where it is a length.
    pub stated_limit: Option<u64>,
    /// Special tokens by role (`bos_token`, `eos_token`, …).
    pub special: BTreeMap<String, String>,
    /// The file that holds the template of chats.
    pub chat_template: Option<String>,
}

/// What a model's folder contains.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Description {
    /// The folder.
    pub folder: PathBuf,
    /// The graph that was chosen, relative to the folder.
    pub graph: String,
    /// The other graphs of the folder, which can be chosen by name or format.
    pub other_graphs: Vec<String>,
    /// The files that belong to the chosen graph, and those that say how it is used.
    pub files: Vec<FileSize>,
    /// BLAKE3 digest over graph, weights, tokenizer and configuration.
    pub digest: String,
    /// What the model can be asked.
    pub task: Task,
    /// Architecture that the configuration states.
    pub architecture: Option<String>,
    /// Family that the configuration states.
    pub family: Option<String>,
    /// Number of layers, the embeddings not counted.
    pub layers: usize,
    /// Layers whose states the graph gives.
    pub states: Vec<usize>,
    /// Length of a hidden state.
    pub width: Option<usize>,
    /// Attention heads.
    pub heads: Option<usize>,
    /// Heads of keys and values, where they are fewer.
    pub key_value_heads: Option<usize>,
    /// Rows of the embedding.
    pub vocabulary: Option<usize>,
    /// Longest text in tokens.
    pub positions: Option<usize>,
    /// Number of weights.
    pub parameters: u64,
    /// Number of weights per type, the most first.
    pub elements: Vec<ElementCount>,
    /// Classes of a classifier, by number.
    pub classes: Vec<String>,
    /// Inputs of the graph.
    pub inputs: Vec<PortDescription>,
    /// Outputs of the graph.
    pub outputs: Vec<PortDescription>,
    /// The tokenizer.
    pub tokenizer: TokenizerDescription,
    /// What `generation_config.json` says.
    pub generation: BTreeMap<String, Value>,
}

/// Reads a model's folder and says what is in it; no runtime is needed.
///
/// ```no_run
/// use superalign_inference::{GraphChoice, describe};
/// let found = describe("models/ladder/rung-1".as_ref(), &GraphChoice::Auto)?;
/// println!("{}: {} of {} layers, width {:?}", found.graph, found.task, found.layers, found.width);
/// # Ok::<(), superalign_inference::OpenError>(())
/// ```
///
/// # Errors
/// As [`OnnxModel::open`](crate::OnnxModel::open), except for a tokenizer that knows more tokens than the model.
pub fn describe(folder: &Path, choice: &GraphChoice) -> Result<Description, OpenError> {
    let files = Files::read(folder, choice)?;
    let (graph, config) = (&files.graph, &files.config);
    let refused = |reason: String| OpenError::Graph { path: files.graph_path.clone(), reason };
    let roles = Roles::read(graph, config).map_err(refused)?;
    let name = relative(&files.folder, &files.graph_path);
    let task = match (&roles.logits, &roles.scores, roles.past) {
        (Some(_), _, true) => Task::CausalLmWithCache,
        (Some(_), _, false) => Task::CausalLm,
        (None, Some(_), _) => Task::SequenceClassification,
        (None, None, _) => Task::Encoder,
    };
    let table = graph.embedding("input_ids");
    let ports = |ports: &[Port]| ports.iter().map(described).collect::<Vec<_>>();
    Ok(Description {
        other_graphs: graph_names(&files.folder)?.into_iter().filter(|other| *other != name).collect(),
        files: sizes(&files.folder, &name, &files.outside)?,
        task,
        architecture: config.architectures.first().cloned(),
        family: config.model_type.clone(),
        layers: roles.layers(),
        states: roles.states.iter().enumerate().filter_map(|(n, state)| state.as_ref().map(|_| n)).collect(),
        width: table.map(|(_, width)| width).or(config.hidden_size),
        heads: config.heads,
        key_value_heads: config.key_value_heads,
        vocabulary: table.map(|(rows, _)| rows).or(config.vocab_size),
        positions: config.positions(),
        parameters: graph.parameters(),
        elements: graph
            .elements()
            .into_iter()
            .map(|(element, count)| ElementCount { element: element_name(element), count })
            .collect(),
        classes: if task == Task::SequenceClassification { config.labels.clone() } else { Vec::new() },
        inputs: ports(&graph.inputs),
        outputs: ports(&graph.outputs),
        tokenizer: tokenizer(&files)?,
        generation: generation(&files.folder)?,
        digest: files.digest.clone(),
        folder: files.folder.clone(),
        graph: name,
    })
}

fn relative(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

fn described(port: &Port) -> PortDescription {
    let dims: Vec<String> =
        port.shape.iter().map(|dim| dim.map_or("?".to_owned(), |dim| dim.to_string())).collect();
    PortDescription {
        name: port.name.clone(),
        element: element_name(port.element),
        shape: format!("[{}]", dims.join(", ")),
    }
}

/// The name of ONNX's number of an element type.
fn element_name(element: u64) -> String {
    match element {
        1 => "f32",
        2 => "uint8",
        3 => "int8",
        4 => "uint16",
        5 => "int16",
        6 => "int32",
        7 => "int64",
        9 => "bool",
        10 => "f16",
        11 => "f64",
        16 => "bf16",
        21 => "uint4",
        22 => "int4",
        other => return format!("element type {other}"),
    }
    .to_owned()
}

/// Files beside the graph that say how a model is used.
const COMPANIONS: [&str; 7] = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "model.toml",
];

fn sizes(folder: &Path, graph: &str, outside: &[PathBuf]) -> Result<Vec<FileSize>, OpenError> {
    let mut paths = vec![graph.to_owned()];
    paths.extend(outside.iter().map(|path| relative(folder, path)));
    paths.extend(COMPANIONS.map(str::to_owned).into_iter().filter(|name| folder.join(name).is_file()));
    paths.into_iter().map(|path| size(folder, path)).collect()
}

fn size(folder: &Path, path: String) -> Result<FileSize, OpenError> {
    let whole = folder.join(&path);
    let bytes = std::fs::metadata(&whole).map_err(|error| unreadable(&whole, &error))?.len();
    Ok(FileSize { path, bytes })
}

/// A JSON file of the folder; null where there is none.
fn json(folder: &Path, name: &str) -> Result<Value, OpenError> {
    let path = folder.join(name);
    if !path.is_file() {
        return Ok(Value::Null);
    }
    let invalid = |error: serde_json::Error| OpenError::Invalid {
        path: path.clone(),
        reason: format!("not JSON: {error}"),
    };
    serde_json::from_slice(&read(&path)?).map_err(invalid)
}

fn tokenizer(files: &Files) -> Result<TokenizerDescription, OpenError> {
    let parsed =
        TextTokenizer::parse(&files.tokenizer_path, &files.tokenizer, usize::MAX, Truncation::Refuse)?;
    let file: Value = serde_json::from_slice(&files.tokenizer).unwrap_or_default();
    let settings = json(&files.folder, "tokenizer_config.json")?;
    let padding = &file["padding"];
    let stated_padding = (!padding.is_null()).then(|| {
        let strategy = &padding["strategy"];
        match strategy.get("Fixed").and_then(Value::as_u64) {
            Some(length) => format!("to {length} tokens"),
            None => "to the longest of a batch".to_owned(),
        }
    });
    let roles = ["bos_token", "eos_token", "pad_token", "unk_token", "cls_token", "sep_token", "mask_token"];
    let text = |value: &Value| value.as_str().or_else(|| value["content"].as_str()).map(str::to_owned);
    let special = roles.iter().filter_map(|role| Some(((*role).to_owned(), text(&settings[*role])?)));
    let chat_template = if files.folder.join("chat_template.jinja").is_file() {
        Some("chat_template.jinja".to_owned())
    } else {
        (!settings["chat_template"].is_null()).then(|| "tokenizer_config.json".to_owned())
    };
    Ok(TokenizerDescription {
        kind: file["model"]["type"].as_str().unwrap_or("unnamed").to_owned(),
        tokens: parsed.highest().map(|(_, id)| id as usize + 1),
        added: parsed.added(),
        stated_truncation: file["truncation"]["max_length"].as_u64(),
        stated_padding,
        // Where no limit is known, some write one beyond all numbers.
        stated_limit: settings["model_max_length"].as_u64().filter(|limit| *limit < 1 << 40),
        special: special.collect(),
        chat_template,
    })
}

fn generation(folder: &Path) -> Result<BTreeMap<String, Value>, OpenError> {
    let Value::Object(all) = json(folder, "generation_config.json")? else { return Ok(BTreeMap::new()) };
    Ok(all.into_iter().filter(|(key, _)| !key.starts_with('_') && key != "transformers_version").collect())
}

impl Description {
    /// Inputs without those of the key-value cache, and the number of the latter.
    #[must_use]
    pub fn inputs_without_cache(&self) -> (Vec<&PortDescription>, usize) {
        let plain: Vec<_> = self.inputs.iter().filter(|port| !is_cache(&port.name)).collect();
        let cached = self.inputs.len() - plain.len();
        (plain, cached)
    }
}
