//! The run folder: what a run leaves behind, and how it survives being killed.
//!
//! | file | what | written |
//! |---|---|---|
//! | `manifest.json` | status, plan, provenance, timings | at the start and at the end |
//! | `journal.jsonl` | one line per finished job | appended and synced as jobs finish |
//! | `cells/*.parquet` | item-level results of a finished job | before its journal line; removed at the end |
//! | `metrics.csv` | every number, long form | once, at the end |
//! | `items.parquet` | one row per item, model and signal source | once, at the end |
//! | `texts.parquet` | what the models read: one row per item, with its text, group, family and difficulty | once, at the end |
//! | `transcripts.jsonl` | who said what: one line per signal and item, where models were interviewed | once, at the end |
//! | `report.html` | derived from the manifest and the metrics | at the end, and by `superalign report` |
//! | `tags.txt` | words that people give the run, one a line; no result depends on them | by `run --tag` and `superalign tag` |
//!
//! Whole files are written under a temporary name, synced and renamed. Timings are in the manifest only,
//! so that the other files are the same for the same plan.
//!
//! A line of `transcripts.jsonl` is an object: `signal` (the cell), `item`, `protocol`, `seed`, `verdict` (the
//! probability that the item is right) and `turns`, each with `role`, `model`, `prompt` (word for word), `text`, `quotes`
//! (`text`, `verified`), `probability` and `tokens`. Of a question with two answers the item is the first answer.
//!
//! `items.parquet` and `texts.parquet` share `item` and `part`, which together name one text. The columns of the first are
//! the fields of [`ItemRow`], those of the second the fields of [`TextRow`].

mod items;
mod journal;
mod lock;
mod manifest;
mod metrics;
mod table;
mod tags;
mod texts;
mod transcripts;

pub use items::{ItemRow, load_items, read_items, write_items};
pub use journal::{Entry, Journal};
pub use lock::Lock;
pub use manifest::{Host, Manifest, Status};
pub(crate) use metrics::cell_safe;
pub use metrics::{Row, metrics_csv, read_metrics};
pub use tags::{Tag, TagError, read_tags, write_tags};
pub use texts::{TextRow, read_texts, text_rows, write_texts};
pub use transcripts::{TranscriptRow, read_transcripts, write_transcripts};

use std::io::Write;
use std::path::{Path, PathBuf};

/// Why a record cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was to be done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A record that this program did not write, or that was changed.
    #[error("{}{}: {found}; expected {expected}", path.display(), line.map(|l| format!(":{l}")).unwrap_or_default())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: Option<usize>,
        /// What is there.
        found: String,
        /// What should be.
        expected: String,
    },
    /// Another process works on the run.
    #[error("{} is being written by another process ({holder}); wait until it has ended, or stop it", path.display())]
    Locked {
        /// The run folder.
        path: PathBuf,
        /// What the lock file says about its holder.
        holder: String,
    },
}

impl RecordError {
    /// Wraps an I/O error with what was to be done to which file.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// Writes `bytes` to `path` so that it holds either all of them or what it held before.
///
/// # Errors
/// The folder is missing, full or read-only.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), RecordError> {
    let mut file = WholeFile::new(path)?;
    file.write_all(bytes).map_err(RecordError::io("write", path))?;
    file.finish()
}

/// A file in the making: it has its name when [`WholeFile::finish`] says so, and is gone when it is dropped before.
#[derive(Debug)]
pub struct WholeFile {
    file: tempfile::NamedTempFile,
    path: PathBuf,
}

impl WholeFile {
    /// Begins a file under a temporary name in the folder of `path`.
    ///
    /// # Errors
    /// The folder is missing or read-only, or the name is that of a folder or a device.
    pub fn new(path: &Path) -> Result<Self, RecordError> {
        if std::fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
            let error = std::io::Error::other("it is no file that could be replaced");
            return Err(RecordError::io("write", path)(error));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            let error = std::io::Error::other(format!("there is no folder {}", folder.display()));
            return Err(RecordError::io("write", path)(error));
        }
        let file = tempfile::Builder::new()
            .prefix(".superalign-")
            .tempfile_in(folder)
            .map_err(RecordError::io("write", path))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Gives the file its name, in place of what had it before.
    ///
    /// # Errors
    /// The folder is full or gone.
    pub fn finish(self) -> Result<(), RecordError> {
        let Self { file, path } = self;
        file.as_file().sync_all().map_err(RecordError::io("write", &path))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // A temporary file is private; a result is an ordinary file.
            let mode = std::fs::Permissions::from_mode(0o644);
            file.as_file().set_permissions(mode).map_err(RecordError::io("write", &path))?;
        }
        file.persist(&path).map_err(|e| RecordError::io("write", &path)(e.error))?;
        Ok(())
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}
