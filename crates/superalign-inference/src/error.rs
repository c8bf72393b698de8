//! Why a model folder, a cache or an installation is refused.

use crate::model::{DeviceChoice, NoGraph};
use std::path::PathBuf;

/// Why a model cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A folder or file that must be there is not.
    #[error("{}: not found; expected {expected}", path.display())]
    Missing {
        /// The path looked for.
        path: PathBuf,
        /// What should be there.
        expected: String,
    },
    /// A file that is there and cannot be read.
    #[error("{}: cannot be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Several graphs and no rule to choose one, or not the one that was asked for.
    #[error("{}: {reason}", path.display())]
    Choice {
        /// The folder.
        path: PathBuf,
        /// What was found and expected.
        reason: NoGraph,
    },
    /// A file that is not an ONNX graph.
    #[error("{}: not an ONNX model: {reason}", path.display())]
    NotOnnx {
        /// The file.
        path: PathBuf,
        /// Where the reading failed.
        reason: String,
    },
    /// Weights outside the graph that are missing or too short.
    #[error("{}: tensor {tensor:?} lies outside the file: {reason}", path.display())]
    ExternalData {
        /// The graph.
        path: PathBuf,
        /// The first tensor concerned.
        tensor: String,
        /// What was found and expected.
        reason: String,
    },
    /// A graph whose inputs or outputs are not those of a language model.
    #[error("{}: {reason}", path.display())]
    Graph {
        /// The graph.
        path: PathBuf,
        /// What was found and expected.
        reason: String,
    },
    /// A tokenizer or configuration file that cannot be understood.
    #[error("{}: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A device that was asked for and cannot be used.
    #[error("device {asked} was asked for: {reason}; --device auto or cpu runs without it")]
    Device {
        /// What was asked for.
        asked: DeviceChoice,
        /// What is missing.
        reason: String,
    },
    /// A tokenizer that belongs to another model.
    #[error(
        "{}: the tokenizer has token {token:?} with id {id}, and the model embeds ids below {rows}; \
         expected the tokenizer.json that was exported with this model",
        path.display()
    )]
    TokenizerMismatch {
        /// The tokenizer.
        path: PathBuf,
        /// Its token with the highest id.
        token: String,
        /// That id.
        id: u32,
        /// Rows of the model's embedding.
        rows: usize,
    },
}
