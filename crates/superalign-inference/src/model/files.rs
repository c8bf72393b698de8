//! What a model's folder contains.

use super::layout::{GraphChoice, NoGraph, choose_graph};
use crate::error::OpenError;
use crate::graph::{CacheShape, External, Graph};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

/// The parts of a `config.json` that are read; all are optional, and so is the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Config {
    pub(super) architectures: Vec<String>,
    pub(super) model_type: Option<String>,
    pub(super) hidden_size: Option<usize>,
    pub(super) num_hidden_layers: Option<usize>,
    pub(super) heads: Option<usize>,
    pub(super) key_value_heads: Option<usize>,
    pub(super) head_size: Option<usize>,
    pub(super) max_position_embeddings: Option<usize>,
    pub(super) vocab_size: Option<usize>,
    pub(super) pad_token_id: Option<i64>,
    /// Names of the classes of a classifier, by number.
    pub(super) labels: Vec<String>,
    pub(super) num_labels: Option<usize>,
    /// What kind of classifier it is: `regression`, `single_label_classification`, `multi_label_classification`.
    pub(super) problem_type: Option<String>,
}

impl Config {
    /// Reads a `config.json`. What a family calls otherwise is looked up under each name, the usual one first; models
    /// of several kinds of input keep the part about language in `text_config`.
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let whole: Value = serde_json::from_slice(bytes).map_err(|error| format!("not JSON: {error}"))?;
        let Value::Object(outer) = &whole else { return Err("expected a JSON object".into()) };
        let inner = outer.get("text_config").and_then(Value::as_object);
        let find = |names: &[&str]| {
            let in_part = |part: &'_ Map<String, Value>| {
                let named = names.iter().find_map(|name| Some((*name, part.get(*name)?)));
                named.map(|(name, value)| (name.to_owned(), value.clone()))
            };
            in_part(outer).or_else(|| inner.and_then(in_part)).filter(|(_, value)| !value.is_null())
        };
        let number = |names: &[&str]| match find(names) {
            None => Ok(None),
            Some((name, value)) => match value.as_u64().and_then(|number| usize::try_from(number).ok()) {
                Some(number) => Ok(Some(number)),
                None => Err(format!("{name} is {value}, expected a whole number")),
            },
        };
        let texts = |value: Option<(String, Value)>| match value {
            Some((_, Value::Array(values))) => {
                values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
        let labels = match outer.get("id2label").and_then(Value::as_object) {
            Some(labels) => {
                let by_number = |(id, label): (&String, &Value)| {
                    Some((id.parse::<usize>().ok()?, label.as_str()?.to_owned()))
                };
                labels.iter().filter_map(by_number).collect::<BTreeMap<_, _>>().into_values().collect()
            }
            None => Vec::new(),
        };
        Ok(Self {
            architectures: texts(find(&["architectures"])),
            model_type: find(&["model_type"]).and_then(|(_, value)| value.as_str().map(str::to_owned)),
            hidden_size: number(&["hidden_size", "n_embd", "d_model", "dim"])?,
            num_hidden_layers: number(&["num_hidden_layers", "n_layer", "n_layers", "num_layers"])?,
            heads: number(&["num_attention_heads", "n_head", "n_heads", "num_heads"])?,
            key_value_heads: number(&["num_key_value_heads", "num_kv_heads"])?,
            head_size: number(&["head_dim"])?,
            max_position_embeddings: number(&["max_position_embeddings", "n_positions"])?,
            vocab_size: number(&["vocab_size"])?,
            pad_token_id: find(&["pad_token_id"]).and_then(|(_, value)| value.as_i64()),
            labels,
            num_labels: number(&["num_labels", "_num_labels"])?,
            problem_type: find(&["problem_type"]).and_then(|(_, value)| value.as_str().map(str::to_owned)),
        })
    }

    /// Heads and head size of a key-value cache.
    pub(super) fn cache(&self) -> CacheShape {
        let size = match (self.head_size, self.hidden_size, self.heads) {
            (Some(size), ..) => Some(size),
            (None, Some(width), Some(heads)) if heads > 0 => Some(width / heads),
            _ => None,
        };
        let wide = |number: Option<usize>| number.map(|number| number as u64);
        CacheShape { heads: wide(self.key_value_heads.or(self.heads)), size: wide(size) }
    }

    /// Number of tokens the model has positions for.
    pub(super) fn positions(&self) -> Option<usize> {
        // RoBERTa and its kin count positions from the padding id on.
        let kin = ["roberta", "xlm-roberta", "camembert", "mpnet"];
        let offset = match (&self.model_type, self.pad_token_id) {
            (Some(kind), Some(pad)) if kin.contains(&kind.as_str()) => usize::try_from(pad + 1).unwrap_or(0),
            _ => 0,
        };
        self.max_position_embeddings.map(|positions| positions.saturating_sub(offset)).filter(|p| *p > 0)
    }

    /// Whether the architecture is said to be another one than a causal language model.
    pub(super) fn denies_causal(&self) -> bool {
        let names = &self.architectures;
        !names.is_empty()
            && !names.iter().any(|name| name.ends_with("CausalLM") || name.ends_with("LMHeadModel"))
    }
}

/// A model's folder, read.
pub(super) struct Files {
    pub(super) folder: PathBuf,
    pub(super) graph_path: PathBuf,
    pub(super) graph: Graph,
    pub(super) tokenizer_path: PathBuf,
    pub(super) tokenizer: Vec<u8>,
    pub(super) config: Config,
    pub(super) digest: String,
    /// The files in which weights outside the graph lie.
    pub(super) outside: Vec<PathBuf>,
}

impl Files {
    pub(super) fn read(folder: &Path, choice: &GraphChoice) -> Result<Self, OpenError> {
        if !folder.is_dir() {
            return Err(OpenError::Missing {
                path: folder.to_path_buf(),
                expected: "a folder with model.onnx and tokenizer.json".into(),
            });
        }
        // Runtimes look for outside weights beside the graph, and one of them wants that folder in full.
        let folder = folder.canonicalize().map_err(|error| unreadable(folder, &error))?;
        let graph_path = find_graph(&folder, choice)?;
        let bytes = read(&graph_path)?;
        let mut hasher = blake3::Hasher::new();
        digest_part(&mut hasher, "model.onnx", &bytes);
        let graph =
            Graph::parse(bytes).map_err(|reason| OpenError::NotOnnx { path: graph_path.clone(), reason })?;
        let mut outside = Vec::new();
        for (location, size) in check_external(&graph_path, &graph)? {
            let path = outside_path(&graph_path, &location);
            digest_file(&mut hasher, &location, size, &path)?;
            outside.push(path);
        }
        let tokenizer_path = folder.join("tokenizer.json");
        if !tokenizer_path.is_file() {
            return Err(OpenError::Missing {
                path: tokenizer_path,
                expected: "the model's tokenizer; `AutoTokenizer.save_pretrained` writes one".into(),
            });
        }
        let tokenizer = read(&tokenizer_path)?;
        digest_part(&mut hasher, "tokenizer.json", &tokenizer);
        let config_path = folder.join("config.json");
        let config = if config_path.is_file() {
            let bytes = read(&config_path)?;
            digest_part(&mut hasher, "config.json", &bytes);
            Config::parse(&bytes).map_err(|reason| OpenError::Invalid { path: config_path, reason })?
        } else {
            Config::default()
        };
        let digest = hasher.finalize().to_hex().to_string();
        Ok(Self { folder, graph_path, graph, tokenizer_path, tokenizer, config, digest, outside })
    }
}

/// Name, length and bytes, so that no two folders share a digest by where one file ends.
fn digest_part(hasher: &mut blake3::Hasher, name: &str, bytes: &[u8]) {
    hasher.update(name.as_bytes()).update(&[0]).update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
}

/// As [`digest_part`], for files that may not fit into memory.
fn digest_file(hasher: &mut blake3::Hasher, name: &str, size: u64, path: &Path) -> Result<(), OpenError> {
    hasher.update(name.as_bytes()).update(&[0]).update(&size.to_le_bytes());
    let mut file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut chunk = vec![0; 1 << 16];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(length) => _ = hasher.update(&chunk[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(path, &error)),
        }
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, OpenError> {
    std::fs::read(path).map_err(|error| unreadable(path, &error))
}

pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> OpenError {
    OpenError::Unreadable { path: path.to_path_buf(), reason: error.to_string() }
}

/// The graph of a folder, as [`choose_graph`] chooses among its files and those of its `onnx` folder.
pub(crate) fn find_graph(folder: &Path, choice: &GraphChoice) -> Result<PathBuf, OpenError> {
    let names = graph_names(folder)?;
    match choose_graph(&names, choice) {
        Ok(name) => Ok(folder.join(name)),
        Err(NoGraph::None) => Err(OpenError::Missing {
            path: folder.join("model.onnx"),
            expected: "the model's graph; `optimum-cli export onnx` writes one".into(),
        }),
        Err(reason) => Err(OpenError::Choice { path: folder.to_path_buf(), reason }),
    }
}

/// The .onnx files of a folder and its `onnx` folder, relative to it.
pub(super) fn graph_names(folder: &Path) -> Result<Vec<String>, OpenError> {
    let mut names = Vec::new();
    for (inner, prefix) in [(folder.to_path_buf(), ""), (folder.join("onnx"), "onnx/")] {
        if !inner.is_dir() {
            continue;
        }
        let entries = std::fs::read_dir(&inner).map_err(|error| unreadable(&inner, &error))?;
        let files = entries.flatten().filter(|entry| entry.path().is_file());
        let texts = files.filter_map(|entry| entry.file_name().into_string().ok());
        names.extend(texts.filter(|name| name.ends_with(".onnx")).map(|name| format!("{prefix}{name}")));
    }
    names.sort();
    Ok(names)
}

pub(super) fn outside_path(graph: &Path, location: &str) -> PathBuf {
    graph.parent().unwrap_or(Path::new("")).join(location)
}

/// Checks that all outside weights are there and long enough; returns the files in which they lie,
/// with their sizes.
pub(crate) fn check_external(path: &Path, graph: &Graph) -> Result<BTreeMap<String, u64>, OpenError> {
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    for (tensor, External { location, offset, length }) in graph.external() {
        let wrong = |reason: String| OpenError::ExternalData {
            path: path.to_path_buf(),
            tensor: tensor.to_owned(),
            reason,
        };
        let inside = !location.is_empty()
            && Path::new(location)
                .components()
                .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !inside {
            return Err(wrong(format!("in {location:?}, expected a file in the model's folder")));
        }
        let size = match sizes.get(location) {
            Some(size) => *size,
            None => {
                let file = outside_path(path, location);
                let meta = std::fs::metadata(&file).ok().filter(std::fs::Metadata::is_file);
                let meta = meta
                    .ok_or_else(|| wrong(format!("in {location:?}, which is not in the model's folder")))?;
                sizes.insert(location.clone(), meta.len());
                meta.len()
            }
        };
        let end = offset.checked_add(length.unwrap_or(0));
        if end.is_none_or(|end| end > size) {
            let end = end.map_or("beyond all files".to_owned(), |end| format!("at byte {end}"));
            return Err(wrong(format!("it ends {end} of {location:?}, which has {size} bytes")));
        }
    }
    Ok(sizes)
}
