//! The graph of a decoder: which file it is, and what its inputs and outputs are for.

use super::buffer::Spare;
use crate::error::OpenError;
use crate::graph::{FLOAT32, Graph, INT64, InPlace, LayerCache};
use crate::model::{Workers, check_external, takes_operators};
use crate::runtime::Runtime;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// ONNX's numbers for the types that a cache may have.
const CACHE_TYPES: [u64; 3] = [1, 10, 16];

/// ONNX's number for truth values.
const BOOL: u64 = 9;

/// Files with a key-value cache, those of our own exports and those of Optimum and transformers.js, best first.
const WITH_CACHE: [&str; 4] = [
    "model_with_past.onnx",
    "decoder_model_merged.onnx",
    "onnx/model_with_past.onnx",
    "onnx/decoder_model_merged.onnx",
];

/// Files of a decoder in two parts, as Optimum writes them unmerged: the graph that begins a text, and the one that goes
/// on with its cache.
const IN_TWO_PARTS: [[&str; 2]; 2] = [
    ["decoder_model.onnx", "decoder_with_past_model.onnx"],
    ["onnx/decoder_model.onnx", "onnx/decoder_with_past_model.onnx"],
];

/// The parts of `config.json` that say how large the cache is and what ends a text.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct DecoderConfig {
    #[serde(alias = "n_head", alias = "num_heads")]
    num_attention_heads: Option<usize>,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    #[serde(alias = "n_embd", alias = "d_model")]
    hidden_size: Option<usize>,
    #[serde(alias = "n_positions")]
    pub(super) max_position_embeddings: Option<usize>,
    #[serde(default)]
    pub(super) eos_token_id: Option<OneOrMore>,
}

/// A token id or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(u32),
    More(Vec<u32>),
}

impl OneOrMore {
    pub(super) fn list(self) -> Vec<u32> {
        match self {
            Self::One(id) => vec![id],
            Self::More(ids) => ids,
        }
    }
}

/// One tensor of the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CachePort {
    /// Input that takes it.
    pub(super) past: String,
    /// Output that gives it, longer.
    pub(super) present: String,
    pub(super) heads: usize,
    pub(super) width: usize,
    /// Type of its elements, in ONNX's numbering.
    pub(super) element: u64,
}

/// A decoder's graph, read and understood; without a cache when `cache` is empty.
#[derive(Debug)]
pub(crate) struct DecoderGraph {
    /// The graph that reads a text from its beginning and gives the first cache, where this one cannot.
    pub(crate) first: Option<Box<Self>>,
    pub(crate) path: PathBuf,
    pub(crate) graph: Graph,
    pub(super) mask: bool,
    pub(super) positions: bool,
    /// Whether it is told which of two branches to take (`use_cache_branch`).
    pub(super) branch: bool,
    pub(super) cache: Vec<CachePort>,
    /// Whether it takes several tokens after a cache.
    pub(crate) steps_of_any_length: bool,
    /// Whether it reads the cache in place and gives only what is new in it ([`Graph::in_place`]).
    pub(super) in_place: bool,
    /// Memory for caches that are read so.
    pub(super) spare: Spare,
    /// Hex digest of the file.
    pub(crate) digest: String,
}

impl DecoderGraph {
    /// The graph with a cache in a folder, where there is one.
    pub(crate) fn with_cache(folder: &Path, config: &DecoderConfig) -> Result<Option<Self>, OpenError> {
        for name in WITH_CACHE {
            let path = folder.join(name);
            if path.is_file() {
                let found = Self::read(path, config)?;
                if found.cache.is_empty() {
                    return Err(
                        found.refused("it has no past_key_values, expected those of each layer".into())
                    );
                }
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The graph of a folder that generates best: with a cache where there is one, else the pair of graphs that share
    /// one, else `model.onnx`.
    pub(crate) fn best(folder: &Path, config: &DecoderConfig) -> Result<Self, OpenError> {
        if let Some(found) = Self::with_cache(folder, config)? {
            return Ok(found);
        }
        match Self::in_two_parts(folder, config)? {
            Some(found) => Ok(found),
            None => Self::whole(folder, config),
        }
    }

    /// The pair of graphs that Optimum writes unmerged, where both are there: the second, with the first in `first`.
    fn in_two_parts(folder: &Path, config: &DecoderConfig) -> Result<Option<Self>, OpenError> {
        let paths = IN_TWO_PARTS.map(|pair| pair.map(|name| folder.join(name)));
        let found = paths.into_iter().find(|pair| pair.iter().all(|path| path.is_file()));
        let Some([first, second]) = found else { return Ok(None) };
        let first = Self::read(first, config)?;
        let second = Self::read(second, config)?;
        if second.cache.is_empty() {
            return Err(second.refused("it has no past_key_values, expected those of each layer".into()));
        }
        let gives = |name: &str| first.graph.outputs.iter().any(|port| port.name == name);
        if let Some(lacking) = second.cache.iter().find(|port| !gives(&port.present)) {
            let name = second.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let reason = format!("it does not give {}, from which {name} goes on", lacking.present);
            return Err(first.refused(reason));
        }
        if !first.cache.is_empty() {
            return Err(first.refused("it takes a cache, expected a graph that begins without one".into()));
        }
        if !first.mask {
            return Err(first.refused(
                "it has no attention_mask, expected one: prompts of different lengths share a pass".into(),
            ));
        }
        // The graph with a cache may take one token only.
        let digest = blake3::hash(format!("{} {}", first.digest, second.digest).as_bytes());
        Ok(Some(Self {
            steps_of_any_length: false,
            digest: digest.to_hex().to_string(),
            first: Some(Box::new(first)),
            ..second
        }))
    }

    /// A graph that reads whole texts; it may have a cache as well.
    pub(crate) fn whole(folder: &Path, config: &DecoderConfig) -> Result<Self, OpenError> {
        let names = ["model.onnx", "onnx/model.onnx", "decoder_model.onnx", "onnx/decoder_model.onnx"];
        let places = names.map(|name| folder.join(name));
        let path = places.into_iter().find(|path| path.is_file());
        let path = path.ok_or_else(|| OpenError::Missing {
            path: folder.join("model.onnx"),
            expected: format!("a decoder's graph: {}, or model.onnx", WITH_CACHE[..2].join(", ")),
        })?;
        Self::read(path, config)
    }

    pub(crate) fn read(path: PathBuf, config: &DecoderConfig) -> Result<Self, OpenError> {
        let bytes = std::fs::read(&path)
            .map_err(|error| OpenError::Unreadable { path: path.clone(), reason: error.to_string() })?;
        let digest = blake3::hash(&bytes).to_hex().to_string();
        let graph =
            Graph::parse(bytes).map_err(|reason| OpenError::NotOnnx { path: path.clone(), reason })?;
        check_external(&path, &graph)?;
        Self::understand(path.clone(), graph, config)
            .map(|found| Self { digest, ..found })
            .map_err(|reason| OpenError::Graph { path, reason })
    }

    fn refused(&self, reason: String) -> OpenError {
        OpenError::Graph { path: self.path.clone(), reason }
    }

    /// Reads the roles off the names.
    fn understand(path: PathBuf, graph: Graph, config: &DecoderConfig) -> Result<Self, String> {
        let known = ["input_ids", "attention_mask", "position_ids", "use_cache_branch"];
        let names: Vec<&str> = graph.inputs.iter().map(|port| port.name.as_str()).collect();
        let has = |name: &str| names.contains(&name);
        let unknown: Vec<&str> = names
            .iter()
            .filter(|name| !known.contains(name) && !name.starts_with("past_key_values."))
            .copied()
            .collect();
        if !has("input_ids") || !unknown.is_empty() {
            return Err(format!(
                "its inputs are {}; expected input_ids, and of attention_mask, position_ids, \
                 past_key_values.N.key|value, use_cache_branch those that the decoder needs",
                names.join(", ")
            ));
        }
        for port in graph.inputs.iter().filter(|port| known.contains(&port.name.as_str())) {
            let expected = if port.name == "use_cache_branch" { BOOL } else { INT64 };
            if port.element != expected {
                return Err(format!(
                    "input {} has element type {}, expected {expected}",
                    port.name, port.element
                ));
            }
        }
        let output = |name: &str| graph.outputs.iter().any(|port| port.name == name);
        if !output("logits") {
            let outputs: Vec<&str> = graph.outputs.iter().map(|port| port.name.as_str()).collect();
            return Err(format!("its outputs are {}; expected logits", outputs.join(", ")));
        }
        let mut cache = Vec::new();
        for port in graph.inputs.iter().filter(|port| port.name.starts_with("past_key_values.")) {
            let present = port.name.replacen("past_key_values", "present", 1);
            if !output(&present) {
                return Err(format!("it takes {} and does not give {present}", port.name));
            }
            if !CACHE_TYPES.contains(&port.element) {
                let types = CACHE_TYPES.map(|element| element.to_string()).join(", ");
                return Err(format!(
                    "input {} has element type {}, expected one of {types}",
                    port.name, port.element
                ));
            }
            let (heads, width) = sizes(&port.shape, config).map_err(|found| {
                format!(
                    "input {} {found}; expected (batch, heads, tokens, width) with fixed heads and width, or \
                     num_attention_heads and hidden_size in config.json",
                    port.name
                )
            })?;
            cache.push(CachePort { past: port.name.clone(), present, heads, width, element: port.element });
        }
        let ids = graph.inputs.iter().find(|port| port.name == "input_ids");
        let fixed = ids.and_then(|port| port.shape.get(1).copied().flatten());
        // The second of two graphs reads one token after a cache.
        let one_after_another = fixed == Some(1) && is_second(&path);
        if fixed.is_some() && !one_after_another {
            return Err("its input_ids have a fixed length, expected an export of any length \
                        (or decoder_with_past_model.onnx beside decoder_model.onnx)"
                .into());
        }
        let (mask, positions, branch) = (has("attention_mask"), has("position_ids"), has("use_cache_branch"));
        if !mask && !cache.is_empty() {
            return Err("it has a cache and no attention_mask, expected both: prompts of different lengths share a pass".into());
        }
        Ok(Self {
            path,
            graph,
            mask,
            positions,
            branch,
            steps_of_any_length: !branch && !one_after_another,
            cache,
            in_place: false,
            spare: Spare::default(),
            digest: String::new(),
            first: None,
        })
    }

    /// The same decoder with a cache that is read in place, where its graph can be rewritten so and ONNX Runtime runs it
    /// on the processor, in sessions of one thread; else as it is.
    pub(crate) fn in_place_where_possible(
        self,
        runtime: &Runtime,
        workers: Workers,
    ) -> Result<Self, OpenError> {
        let alone = workers.card.is_none() && workers.threads == 1 && self.first.is_none();
        if !alone || self.cache.iter().any(|port| port.element != FLOAT32) || !takes_operators(runtime) {
            return Ok(self);
        }
        let value = |key: &CachePort| {
            let name = format!("{}.value", key.past.strip_suffix(".key")?);
            self.cache.iter().find(|port| port.past == name)
        };
        let layers: Vec<[&CachePort; 2]> =
            self.cache.iter().filter_map(|key| Some([key, value(key)?])).collect();
        if layers.len() * 2 != self.cache.len() {
            return Ok(self);
        }
        let names: Vec<LayerCache<'_>> = layers
            .iter()
            .map(|layer| LayerCache {
                width: layer[0].width,
                past: layer.map(|port| port.past.as_str()),
                present: layer.map(|port| port.present.as_str()),
            })
            .collect();
        let Some(InPlace { graph, news }) =
            self.graph.in_place(&names).map_err(|reason| self.refused(reason))?
        else {
            return Ok(self);
        };
        let cache = layers.iter().zip(news).flat_map(|(layer, news)| {
            layer.iter().zip(news).map(|(port, new)| CachePort { present: new, ..(*port).clone() })
        });
        Ok(Self { cache: cache.collect(), graph, in_place: true, ..self })
    }

    /// The outputs that generation needs, of this graph and of the first.
    pub(crate) fn outputs(&self) -> Vec<&str> {
        let presents = self.cache.iter().map(|port| port.present.as_str());
        std::iter::once("logits").chain(presents).collect()
    }
}

/// Whether a file is by its name the graph that goes on where another began.
fn is_second(path: &Path) -> bool {
    IN_TWO_PARTS.iter().any(|[_, second]| path.ends_with(second))
}

/// Heads and width of a cache, as the graph states them, else by the configuration.
fn sizes(shape: &[Option<u64>], config: &DecoderConfig) -> Result<(usize, usize), String> {
    if shape.len() != 4 {
        return Err(format!("has {} dimensions", shape.len()));
    }
    let stated = |axis: usize| shape[axis].and_then(|size| usize::try_from(size).ok());
    let heads = stated(1).or(config.num_key_value_heads).or(config.num_attention_heads);
    let divided = || Some(config.hidden_size? / config.num_attention_heads.filter(|heads| *heads > 0)?);
    let width = stated(3).or(config.head_dim).or_else(divided);
    heads.zip(width).ok_or_else(|| "does not state its heads and their width".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_come_from_the_graph_or_else_from_the_configuration() {
        let config = |text: &str| serde_json::from_str::<DecoderConfig>(text).expect("a configuration");
        let open = [None, None, None, None];
        assert_eq!(sizes(&[None, Some(2), None, Some(8)], &config("{}")), Ok((2, 8)));
        let grouped = config(r#"{"num_attention_heads": 8, "num_key_value_heads": 2, "hidden_size": 64}"#);
        assert_eq!(sizes(&open, &grouped), Ok((2, 8)));
        assert_eq!(sizes(&open, &config(r#"{"n_head": 4, "n_embd": 64}"#)), Ok((4, 16)));
        assert!(sizes(&open, &config("{}")).is_err());
        assert_eq!(sizes(&open[..3], &grouped), Err("has 3 dimensions".into()));
        assert_eq!(config(r#"{"eos_token_id": [1, 2]}"#).eos_token_id.map(OneOrMore::list), Some(vec![1, 2]));
    }
}
