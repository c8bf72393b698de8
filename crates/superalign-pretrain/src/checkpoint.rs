//! A run's state on disk: weights, optimiser, place in the corpus, and the losses so far.

use crate::error::{Error, write_whole};
use crate::model::{Model, Shape};
use crate::optimiser::AdamW;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What identifies a run: a checkpoint of another run is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Seed of the rung.
    pub seed: u64,
    /// The rung, the schedule and the budget, as JSON.
    pub settings: serde_json::Value,
    /// The model's sizes.
    pub shape: Shape,
    /// BLAKE3 digest of the corpus.
    pub corpus: String,
}

/// One line of `loss.csv`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LossRecord {
    /// Tokens trained on, this step's included.
    pub tokens: u64,
    /// Weighted mean cross-entropy, in nats.
    pub loss: f64,
    /// Learning rate of the step.
    pub learning_rate: f64,
    /// Norm of the gradient before clipping.
    pub gradient_norm: f64,
}

/// Where a run is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The next document of the corpus.
    pub cursor: usize,
    /// One record per step done.
    pub losses: Vec<LossRecord>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    identity: Identity,
    progress: Progress,
}

/// Writes a checkpoint; an older one of that name is replaced in one move.
///
/// # Errors
/// A file that cannot be written.
pub fn write(
    path: &Path,
    identity: &Identity,
    progress: &Progress,
    model: &Model<f32>,
    optimiser: &AdamW<f32>,
) -> Result<(), Error> {
    let refuse = |reason: String| Error::Checkpoint { path: path.to_path_buf(), reason };
    let header = Header { identity: identity.clone(), progress: progress.clone() };
    let header = serde_json::to_string(&header).map_err(|e| refuse(e.to_string()))?;
    let parts = [
        ("parameters", bytes(model.parameters())),
        ("mean", bytes(&optimiser.mean)),
        ("square", bytes(&optimiser.square)),
    ];
    let views = parts
        .iter()
        .map(|(name, bytes)| Ok((*name, TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(|e| refuse(e.to_string()))?;
    let file = safetensors::serialize(views, Some([("run".to_string(), header)].into()))
        .map_err(|e| refuse(e.to_string()))?;
    write_whole(path, &file)
}

/// A run's state, as [`read`] finds it.
#[derive(Debug)]
pub struct Checkpoint {
    /// Where the run was.
    pub progress: Progress,
    /// The flat parameter vector.
    pub parameters: Vec<f32>,
    /// The optimiser.
    pub optimiser: AdamW<f32>,
}

/// Reads a checkpoint of the run `identity`; `None` if there is no such file.
///
/// # Errors
/// A file that is not a checkpoint, or that belongs to a run with other settings.
pub fn read(path: &Path, identity: &Identity, weight_decay: f64) -> Result<Option<Checkpoint>, Error> {
    let refuse = |reason: String| Error::Checkpoint { path: path.to_path_buf(), reason };
    let file = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::file(path)(e)),
    };
    let broken = |what: &str| refuse(format!("not a checkpoint ({what}): remove it to start anew"));
    let (_, metadata) = SafeTensors::read_metadata(&file).map_err(|e| broken(&e.to_string()))?;
    let header =
        metadata.metadata().as_ref().and_then(|m| m.get("run")).ok_or_else(|| broken("no header"))?;
    let Header { identity: found, progress } =
        serde_json::from_str(header).map_err(|e| broken(&e.to_string()))?;
    if found != *identity {
        let difference = [
            ("seed", found.seed != identity.seed),
            ("settings", found.settings != identity.settings),
            ("sizes", found.shape != identity.shape),
            ("corpus", found.corpus != identity.corpus),
        ];
        let names: Vec<_> =
            difference.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect();
        return Err(refuse(format!(
            "this checkpoint belongs to another run (its {} differ): choose another work folder, or remove the \
             file to start anew",
            names.join(", ")
        )));
    }
    let tensors = SafeTensors::deserialize(&file).map_err(|e| broken(&e.to_string()))?;
    let vector = |name: &str| {
        let view = tensors.tensor(name).map_err(|e| broken(&e.to_string()))?;
        let values: Vec<f32> =
            view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        if values.len() == identity.shape.parameters() { Ok(values) } else { Err(broken("wrong length")) }
    };
    let mut optimiser = AdamW::new(&identity.shape, weight_decay);
    optimiser.mean = vector("mean")?;
    optimiser.square = vector("square")?;
    optimiser.steps = progress.losses.len() as u64;
    Ok(Some(Checkpoint { progress, parameters: vector("parameters")?, optimiser }))
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}
