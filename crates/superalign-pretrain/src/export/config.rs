//! Reads `config.json` in the form that transformers writes for `LlamaForCausalLM`, and refuses what would make the
//! graph compute something else than transformers does.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::error::ExportError;

/// The shape of a Llama decoder, checked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Config {
    pub(super) vocabulary: usize,
    pub(super) width: usize,
    pub(super) feed_forward: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) key_value_heads: usize,
    pub(super) head_width: usize,
    pub(super) norm_epsilon: f64,
    pub(super) rope_theta: f64,
    pub(super) tied_head: bool,
}

/// The fields of `config.json` that decide what the model computes. Those that transformers fills in when they are
/// absent are optional here, with the same defaults.
#[derive(Deserialize)]
struct File {
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    rms_norm_eps: f64,
    rope_theta: Option<f64>,
    rope_parameters: Option<RopeParameters>,
    rope_scaling: Option<serde_json::Value>,
    #[serde(default)]
    tie_word_embeddings: bool,
    hidden_act: Option<String>,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    #[serde(default)]
    architectures: Vec<String>,
}

/// Where transformers 5 keeps the rotary base.
#[derive(Deserialize)]
struct RopeParameters {
    rope_theta: Option<f64>,
    rope_type: Option<String>,
}

impl Config {
    /// Reads and checks `path`.
    pub(super) fn read(path: &Path) -> Result<Self, ExportError> {
        let text = fs::read(path).map_err(|source| ExportError::unread(path, source))?;
        let file: File = serde_json::from_slice(&text)
            .map_err(|source| ExportError::Config { path: path.into(), source })?;
        file.check().map_err(|(key, found, expected, remedy)| ExportError::Unsupported {
            path: path.into(),
            key,
            found,
            expected,
            remedy,
        })
    }
}

/// Field, what it holds, what it should hold, what to do about it.
type Refusal = (&'static str, String, String, &'static str);

/// The remedy for a model that is right, but of a kind that these graphs do not compute.
const ELSEWHERE: &str = "export this model with Optimum instead";
/// The remedy for a value that no model can have.
const AGAIN: &str = "write the file again with `save_pretrained` or the trainer";

impl File {
    fn check(self) -> Result<Config, Refusal> {
        if let Some(other) = self.architectures.iter().find(|name| *name != "LlamaForCausalLM") {
            return Err(("architectures", other.clone(), "LlamaForCausalLM".into(), ELSEWHERE));
        }
        if let Some(act) = self.hidden_act.filter(|act| act != "silu") {
            return Err(("hidden_act", act, "silu".into(), ELSEWHERE));
        }
        for (key, biased) in [("attention_bias", self.attention_bias), ("mlp_bias", self.mlp_bias)] {
            if biased {
                return Err((key, "true".into(), "false".into(), ELSEWHERE));
            }
        }
        if let Some(scaling) = self.rope_scaling.filter(|value| !value.is_null()) {
            return Err(("rope_scaling", scaling.to_string(), "null".into(), ELSEWHERE));
        }
        let parameters = self.rope_parameters.unwrap_or(RopeParameters { rope_theta: None, rope_type: None });
        if let Some(kind) = parameters.rope_type.filter(|kind| kind != "default") {
            return Err(("rope_parameters.rope_type", kind, "default".into(), ELSEWHERE));
        }
        let key_value_heads = self.num_key_value_heads.unwrap_or(self.num_attention_heads);
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("num_key_value_heads", key_value_heads),
        ];
        if let Some((key, _)) = sizes.into_iter().find(|&(_, size)| size == 0) {
            return Err((key, "0".into(), "at least 1".into(), AGAIN));
        }
        if !self.num_attention_heads.is_multiple_of(key_value_heads) {
            let expected = format!("a divisor of num_attention_heads = {}", self.num_attention_heads);
            return Err(("num_key_value_heads", key_value_heads.to_string(), expected, AGAIN));
        }
        let head_width = match self.head_dim {
            Some(width) => width,
            None if self.hidden_size.is_multiple_of(self.num_attention_heads) => {
                self.hidden_size / self.num_attention_heads
            }
            None => {
                let expected = format!("a multiple of num_attention_heads = {}", self.num_attention_heads);
                return Err(("hidden_size", self.hidden_size.to_string(), expected, AGAIN));
            }
        };
        if head_width == 0 || !head_width.is_multiple_of(2) {
            return Err(("head_dim", head_width.to_string(), "an even number above 0".into(), AGAIN));
        }
        let rope_theta = self.rope_theta.or(parameters.rope_theta).unwrap_or(10_000.0);
        for (key, value) in [("rms_norm_eps", self.rms_norm_eps), ("rope_theta", rope_theta)] {
            if !(value.is_finite() && value > 0.0) {
                return Err((key, value.to_string(), "a number above 0".into(), AGAIN));
            }
        }
        Ok(Config {
            vocabulary: self.vocab_size,
            width: self.hidden_size,
            feed_forward: self.intermediate_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            key_value_heads,
            head_width,
            norm_epsilon: self.rms_norm_eps,
            rope_theta,
            tied_head: self.tie_word_embeddings,
        })
    }
}
