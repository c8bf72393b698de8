//! What can go wrong while exporting, each with what was found, what was expected, and the remedy.

use std::path::{Path, PathBuf};

/// Why a folder could not be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// A file that must be there is not.
    #[error(
        "{path}: not found; expected a folder with config.json and model.safetensors, as the trainer or \
         `save_pretrained` writes it"
    )]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// `config.json` is not JSON, or lacks a field.
    #[error(
        "{path}: not a Llama configuration: {source}; expected the fields that `LlamaConfig` of transformers writes"
    )]
    Config {
        /// The configuration file.
        path: PathBuf,
        /// What the parser said, with line and column.
        source: serde_json::Error,
    },
    /// `config.json` asks for something that the exporter does not write.
    #[error("{path}: `{key}` is {found}, expected {expected}; {remedy}")]
    Unsupported {
        /// The configuration file.
        path: PathBuf,
        /// The field.
        key: &'static str,
        /// Its value.
        found: String,
        /// What the exporter takes.
        expected: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The weights are not a safetensors file, or end too early.
    #[error(
        "{path}: not a whole safetensors file: {reason}; write it again with `save_pretrained` or the trainer"
    )]
    Weights {
        /// The weights file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A tensor that `config.json` implies is absent.
    #[error(
        "{path}: tensor `{name}` is missing, but config.json implies it, with shape {expected:?}; the two files are \
         not from one model"
    )]
    Missing {
        /// The weights file.
        path: PathBuf,
        /// The tensor's Hugging Face name.
        name: String,
        /// The shape it should have.
        expected: Vec<usize>,
    },
    /// A tensor has another shape than `config.json` implies.
    #[error(
        "{path}: tensor `{name}` has shape {found:?}, but config.json implies {expected:?}; the two files are not from one model"
    )]
    Shape {
        /// The weights file.
        path: PathBuf,
        /// The tensor's Hugging Face name.
        name: String,
        /// The shape in the file.
        found: Vec<usize>,
        /// The shape it should have.
        expected: Vec<usize>,
    },
    /// A tensor's element type is not one that the graphs can refer to.
    #[error("{path}: tensor `{name}` holds {found}, expected F16 or F32; save the weights in one of these")]
    Element {
        /// The weights file.
        path: PathBuf,
        /// The tensor's Hugging Face name.
        name: String,
        /// The element type in the file.
        found: String,
    },
    /// A graph does not belong to the weights beside it.
    #[error("{path}: was not written from the weights and configuration beside it; export the folder again")]
    Stale {
        /// The graph.
        path: PathBuf,
    },
}

impl ExportError {
    /// The error for an input that could not be opened or read.
    pub(super) fn unread(path: &Path, source: std::io::Error) -> Self {
        if source.kind() == std::io::ErrorKind::NotFound {
            return Self::Absent { path: path.into() };
        }
        Self::File { path: path.into(), source }
    }
}
