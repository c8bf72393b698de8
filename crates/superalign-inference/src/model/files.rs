//! What a model's folder contains.

use crate::error::OpenError;
use crate::graph::{External, Graph};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// The parts of a `config.json` that are read; all are optional, and so is the file.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Config {
    #[serde(default)]
    pub(super) architectures: Option<Vec<String>>,
    pub(super) model_type: Option<String>,
    #[serde(alias = "n_embd", alias = "d_model", alias = "dim")]
    pub(super) hidden_size: Option<usize>,
    #[serde(alias = "n_layer", alias = "n_layers")]
    pub(super) num_hidden_layers: Option<usize>,
    #[serde(alias = "n_positions")]
    pub(super) max_position_embeddings: Option<usize>,
    pub(super) vocab_size: Option<usize>,
    pub(super) pad_token_id: Option<i64>,
}

impl Config {
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
        let names = self.architectures.as_deref().unwrap_or_default();
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
}

impl Files {
    pub(super) fn read(folder: &Path) -> Result<Self, OpenError> {
        if !folder.is_dir() {
            return Err(OpenError::Missing {
                path: folder.to_path_buf(),
                expected: "a folder with model.onnx and tokenizer.json".into(),
            });
        }
        // Runtimes look for outside weights beside the graph, and one of them wants that folder in full.
        let folder = folder.canonicalize().map_err(|error| unreadable(folder, &error))?;
        let graph_path = find_graph(&folder)?;
        let bytes = read(&graph_path)?;
        let mut hasher = blake3::Hasher::new();
        digest_part(&mut hasher, "model.onnx", &bytes);
        let graph =
            Graph::parse(bytes).map_err(|reason| OpenError::NotOnnx { path: graph_path.clone(), reason })?;
        for location in check_external(&graph_path, &graph)? {
            let path = outside_path(&graph_path, &location);
            digest_part(&mut hasher, &location, &read(&path)?);
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
            serde_json::from_slice(&bytes)
                .map_err(|error| OpenError::Invalid { path: config_path, reason: error.to_string() })?
        } else {
            Config::default()
        };
        let digest = hasher.finalize().to_hex().to_string();
        Ok(Self { folder, graph_path, graph, tokenizer_path, tokenizer, config, digest })
    }
}

/// Name, length and bytes, so that no two folders share a digest by where one file ends.
fn digest_part(hasher: &mut blake3::Hasher, name: &str, bytes: &[u8]) {
    hasher.update(name.as_bytes()).update(&[0]).update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
}

fn read(path: &Path) -> Result<Vec<u8>, OpenError> {
    std::fs::read(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> OpenError {
    OpenError::Unreadable { path: path.to_path_buf(), reason: error.to_string() }
}

/// `model.onnx` in the folder or its `onnx` folder, else the only .onnx file.
fn find_graph(folder: &Path) -> Result<PathBuf, OpenError> {
    let usual = ["model.onnx", "onnx/model.onnx"].map(|name| folder.join(name));
    if let Some(path) = usual.into_iter().find(|path| path.is_file()) {
        return Ok(path);
    }
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "onnx") && path.is_file())
        .collect();
    found.sort();
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match found.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(OpenError::Missing {
            path: folder.join("model.onnx"),
            expected: "the model's graph; `optimum-cli export onnx` writes one".into(),
        }),
        _ => Err(OpenError::SeveralGraphs {
            path: folder.to_path_buf(),
            found: found.iter().map(name).collect(),
        }),
    }
}

pub(super) fn outside_path(graph: &Path, location: &str) -> PathBuf {
    graph.parent().unwrap_or(Path::new("")).join(location)
}

/// Checks that all outside weights are there and long enough; returns the files in which they lie.
pub(crate) fn check_external(path: &Path, graph: &Graph) -> Result<BTreeSet<String>, OpenError> {
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
    Ok(sizes.into_keys().collect())
}
