//! A model as a folder that Python's transformers opens: `model.safetensors`, `config.json`, `tokenizer.json`.

use crate::error::{Error, write_whole};
use crate::model::{INITIAL_DEVIATION, Model, NORM_EPSILON, ROPE_THETA, Shape};
use crate::tokenizer::{BEGIN, END, Vocabulary};
use half::f16;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use serde_json::json;
use std::path::Path;

/// A model, and the vocabulary it speaks.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The model.
    pub model: Model<f32>,
    /// The words of its tokens.
    pub vocabulary: Vocabulary,
}

/// Rounds every parameter to half precision, so that the model in memory equals the one on disk.
pub fn round_to_half(model: &mut Model<f32>) {
    for value in model.parameters_mut() {
        *value = f16::from_f32(*value).to_f32();
    }
}

/// Writes the folder: weights in half precision, configuration, and a copy of `tokenizer`.
///
/// # Errors
/// A file that cannot be written, or a tokenizer that [`Vocabulary::read`] refuses.
pub fn save(model: &Model<f32>, tokenizer: &Path, folder: &Path) -> Result<(), Error> {
    let vocabulary = Vocabulary::read(tokenizer)?;
    std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
    let path = folder.join("model.safetensors");
    let refuse =
        |e: safetensors::SafeTensorError| Error::Weights { path: path.clone(), reason: e.to_string() };
    let halves: Vec<_> = model
        .tensors()
        .map(|(tensor, values)| {
            let bytes: Vec<u8> = values.iter().flat_map(|&x| f16::from_f32(x).to_le_bytes()).collect();
            (tensor, bytes)
        })
        .collect();
    let views = halves
        .iter()
        .map(|(tensor, bytes)| {
            Ok((
                tensor.name.clone(),
                TensorView::new(Dtype::F16, tensor.shape.clone(), bytes).map_err(refuse)?,
            ))
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let metadata = Some([("format".to_string(), "pt".to_string())].into());
    write_whole(&path, &safetensors::serialize(views, metadata).map_err(refuse)?)?;

    let path = folder.join("config.json");
    let mut text = serde_json::to_string_pretty(&config(model.shape(), &vocabulary))
        .map_err(|e| Error::Weights { path: path.clone(), reason: e.to_string() })?;
    text.push('\n');
    write_whole(&path, text.as_bytes())?;
    let bytes = std::fs::read(tokenizer).map_err(Error::file(tokenizer))?;
    write_whole(&folder.join("tokenizer.json"), &bytes)?;
    let path = folder.join("tokenizer_config.json");
    let text = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": BEGIN,
        "eos_token": END,
        "model_max_length": model.shape().positions,
    });
    write_whole(&path, format!("{text:#}\n").as_bytes())
}

fn config(shape: &Shape, vocabulary: &Vocabulary) -> serde_json::Value {
    json!({
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": false,
        "attention_dropout": 0.0,
        "bos_token_id": vocabulary.begin(),
        "eos_token_id": vocabulary.end(),
        "head_dim": shape.head(),
        "hidden_act": "silu",
        "hidden_size": shape.width,
        "initializer_range": INITIAL_DEVIATION,
        "intermediate_size": shape.feed_forward,
        "max_position_embeddings": shape.positions,
        "mlp_bias": false,
        "model_type": "llama",
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "num_key_value_heads": shape.heads,
        "rms_norm_eps": NORM_EPSILON,
        "rope_theta": ROPE_THETA,
        "tie_word_embeddings": true,
        "torch_dtype": "float16",
        "use_cache": true,
        "vocab_size": shape.vocabulary,
    })
}

#[derive(Deserialize)]
struct ConfigFile {
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    max_position_embeddings: usize,
}

/// Reads a folder that [`save`] wrote.
///
/// # Errors
/// A file that is missing or is not what [`save`] writes: a tensor absent, of another shape, or of another type
/// than half or single precision.
pub fn load(folder: &Path) -> Result<Folder, Error> {
    let vocabulary = Vocabulary::read(&folder.join("tokenizer.json"))?;
    let path = folder.join("config.json");
    let bytes = std::fs::read(&path).map_err(Error::file(&path))?;
    let config: ConfigFile = serde_json::from_slice(&bytes).map_err(|e| Error::Weights {
        path,
        reason: format!("not the configuration of a Llama model: {e}"),
    })?;
    let shape = Shape {
        vocabulary: config.vocab_size,
        layers: config.num_hidden_layers,
        width: config.hidden_size,
        heads: config.num_attention_heads,
        feed_forward: config.intermediate_size,
        positions: config.max_position_embeddings,
    }
    .check()?;
    let path = folder.join("model.safetensors");
    let bytes = std::fs::read(&path).map_err(Error::file(&path))?;
    let parameters = parameters(&shape, &bytes).map_err(|reason| Error::Weights { path, reason })?;
    Ok(Folder { model: Model::from_parameters(shape, parameters)?, vocabulary })
}

fn parameters(shape: &Shape, bytes: &[u8]) -> Result<Vec<f32>, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| format!("not a safetensors file: {e}"))?;
    let mut parameters = Vec::with_capacity(shape.parameters());
    for tensor in shape.tensors() {
        let view = file.tensor(&tensor.name).map_err(|e| format!("tensor `{}`: {e}", tensor.name))?;
        if view.shape() != tensor.shape {
            return Err(format!(
                "tensor `{}` has shape {:?}, but config.json says {:?}",
                tensor.name,
                view.shape(),
                tensor.shape
            ));
        }
        match view.dtype() {
            Dtype::F16 => parameters
                .extend(view.data().as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b).to_f32())),
            Dtype::F32 => {
                parameters.extend(view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)));
            }
            other => return Err(format!("tensor `{}` is {other:?}: expected F16 or F32", tensor.name)),
        }
    }
    Ok(parameters)
}
