//! What can go wrong, each with what was found, what was expected, and the remedy.

use std::path::{Path, PathBuf};

/// Why the trainer did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The ladder's description is not one.
    #[error("{path}: {reason}", path = path.display())]
    Ladder {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// No such rung.
    #[error("there is no rung `{asked}`: this ladder has {known}")]
    Rung {
        /// What was asked for.
        asked: String,
        /// The rungs there are.
        known: String,
    },
    /// The tokenizer is not of the kind that this trainer reads.
    #[error("{path}: {reason}", path = path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// A text has a word that the tokenizer lacks.
    #[error(
        "{place}, column {column}: the word `{word}` is not in the vocabulary; use the tokenizer.json that was \
         written together with this text"
    )]
    UnknownWord {
        /// The file and line, or the item.
        place: String,
        /// Column of the word's first character, counted from 1 in characters.
        column: usize,
        /// The word.
        word: String,
    },
    /// The corpus cannot be trained on.
    #[error("{path}: {reason}", path = path.display())]
    Corpus {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// The sizes do not make a model.
    #[error("{0}")]
    Shape(String),
    /// The sequences do not make a batch.
    #[error("{0}")]
    Batch(String),
    /// A folder does not hold a model of ours.
    #[error("{path}: {reason}", path = path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// A checkpoint cannot be continued.
    #[error("{path}: {reason}", path = path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// The loss is no longer a number.
    #[error(
        "the loss at step {step} is not a finite number: lower learning_rate or lengthen warmup_fraction"
    )]
    Diverged {
        /// The step, counted from 1.
        step: u64,
    },
    /// Items cannot be scored.
    #[error("{place}: {reason}")]
    Items {
        /// The file and, where it is one line, its number.
        place: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// A figure could not be drawn.
    #[error("{path}: cannot draw the loss curve: {reason}", path = path.display())]
    Figure {
        /// The file.
        path: PathBuf,
        /// What the plotting library said.
        reason: String,
    },
}

impl Error {
    /// For `map_err` on file operations.
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::File { path, source }
    }
}

/// Writes a file under a temporary name and renames it, so that a reader never meets half a file.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    let part = path.with_file_name(name);
    std::fs::write(&part, bytes).map_err(Error::file(&part))?;
    std::fs::rename(&part, path).map_err(Error::file(path))
}
