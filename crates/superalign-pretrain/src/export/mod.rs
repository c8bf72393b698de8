//! Writes a Llama decoder as ONNX, from the two files that transformers reads: `config.json` and `model.safetensors`.
//!
//! Two graphs are written beside them, of some tens of kilobytes each:
//!
//! | file | inputs | outputs |
//! |---|---|---|
//! | `model.onnx` | `input_ids`, `attention_mask` (B, S) | `logits` (B, S, vocabulary), `hidden_states.0` to `hidden_states.L` (B, S, width) |
//! | `model_with_past.onnx` | `input_ids`, `position_ids` (B, S), `attention_mask` (B, P + S), `past_key_values.N.key` and `.value` (B, heads, P, D) | `logits` (B, S, vocabulary), `present.N.key` and `.value` (B, heads, P + S, D) |
//!
//! Ids, positions and masks are `int64`, everything else `float32`. `hidden_states.0` are the embeddings,
//! `hidden_states.L` is taken after the final norm, as transformers does. Padding may be on either side: positions
//! in `model.onnx` count the unmasked tokens. P may be 0, so that one graph serves the prompt and the steps after it.
//!
//! The weights are in neither file: both refer to the bytes of `model.safetensors` as ONNX external data. So a
//! runtime must open the graphs by path, with `model.safetensors` in the same folder; and whoever rewrites the
//! weights must export again, since offsets may have moved ([`check`] tells).
//!
//! Only standard operators of operator set 17 are used, none of them with shape arithmetic beyond `Range` over an
//! axis's length; ONNX Runtime and tract both run the graphs.

use std::fs;
use std::path::{Path, PathBuf};

mod config;
mod decoder;
mod error;
mod graph;
mod probe;
mod proto;
mod weights;

use config::Config;
pub use error::ExportError;
pub use probe::{Case, Probe, probe};
use weights::Weights;

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const WHOLE: &str = "model.onnx";
const CACHED: &str = "model_with_past.onnx";

/// A graph that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where it is.
    pub path: PathBuf,
    /// Its size in bytes, without the weights it refers to.
    pub bytes: usize,
}

/// Writes `model.onnx` and `model_with_past.onnx` into `folder`, from its `config.json` and `model.safetensors`.
///
/// Equal weights and configuration give equal bytes. Each file is written under a temporary name and then renamed.
///
/// # Errors
/// [`ExportError`], which names the file and the field or tensor, if one of the two is missing or damaged, if they
/// do not fit each other, or if the model is not a plain Llama decoder (biases, scaled rotary positions, another
/// activation).
///
/// # Example
/// ```no_run
/// for graph in superalign_pretrain::export::export("models/ladder/rung-1".as_ref())? {
///     println!("{}: {} bytes", graph.path.display(), graph.bytes);
/// }
/// # Ok::<(), superalign_pretrain::export::ExportError>(())
/// ```
pub fn export(folder: &Path) -> Result<Vec<Written>, ExportError> {
    let mut written = Vec::new();
    for (name, bytes) in render(folder)? {
        let path = folder.join(name);
        let temporary = folder.join(format!(".{name}.new"));
        let io = |path: &Path| {
            let path = path.to_owned();
            |source| ExportError::File { path, source }
        };
        fs::write(&temporary, &bytes).map_err(io(&temporary))?;
        fs::rename(&temporary, &path).map_err(io(&path))?;
        written.push(Written { path, bytes: bytes.len() });
    }
    Ok(written)
}

/// Checks that the graphs in `folder` are what [`export`] would write now: that they belong to its weights.
///
/// # Errors
/// [`ExportError::Stale`] if one of them is not; otherwise as [`export`], and if a graph cannot be read.
pub fn check(folder: &Path) -> Result<(), ExportError> {
    for (name, bytes) in render(folder)? {
        let path = folder.join(name);
        let found = fs::read(&path).map_err(|source| ExportError::File { path: path.clone(), source })?;
        if found != bytes {
            return Err(ExportError::Stale { path });
        }
    }
    Ok(())
}

/// Names and contents of the two graphs.
fn render(folder: &Path) -> Result<[(&'static str, Vec<u8>); 2], ExportError> {
    let config = Config::read(&folder.join(CONFIG))?;
    let weights = Weights::open(folder, WEIGHTS)?;
    Ok([
        (WHOLE, decoder::whole_sequences(&config, &weights)?),
        (CACHED, decoder::cached_steps(&config, &weights)?),
    ])
}
