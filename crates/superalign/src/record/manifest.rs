//! `manifest.json`: what was to be done, with what, by which program, and how it went.

use super::{RecordError, write_whole};
use crate::plan::Plan;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The manifest of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this format.
    pub schema: u32,
    /// How far the run has come.
    pub status: Status,
    /// Number of grid cells that failed; their rows carry the reason.
    pub failed: usize,
    /// Sanity checks that did not hold.
    pub unexpected: Vec<String>,
    /// What was to be done, with every default filled in.
    pub plan: Plan,
    /// The command that made the run.
    pub command: String,
    /// Where it ran.
    pub host: Host,
    /// When it was begun, in seconds since 1970.
    pub started: u64,
    /// Seconds per stage, summed over the sessions of a run that was stopped and went on.
    pub seconds: BTreeMap<String, f64>,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Begun; there may be more to do.
    Started,
    /// All files are there.
    Complete,
}

/// Where a run was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Operating system and processor family.
    pub platform: String,
    /// Processors that the program may use.
    pub processors: usize,
}

impl Host {
    /// This machine.
    #[must_use]
    pub fn here() -> Self {
        Self {
            platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        }
    }
}

impl Manifest {
    /// The version of the format that this program writes.
    pub const SCHEMA: u32 = 1;

    /// The manifest of the run in `folder`; `None` where there is none yet.
    ///
    /// # Errors
    /// It cannot be read, or another version of the program wrote it in another format.
    pub fn read(folder: &Path) -> Result<Option<Self>, RecordError> {
        let path = folder.join("manifest.json");
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(RecordError::io("read", &path)(e)),
        };
        let damaged = |found: String| RecordError::Damaged {
            path: path.clone(),
            line: None,
            found,
            expected: format!("a manifest of schema {}", Self::SCHEMA),
        };
        let value: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|e| damaged(format!("not valid JSON ({e})")))?;
        match value.get("schema").and_then(serde_json::Value::as_u64) {
            Some(n) if n == u64::from(Self::SCHEMA) => {}
            Some(n) => return Err(damaged(format!("a manifest of schema {n}"))),
            None => return Err(damaged("no schema version".to_owned())),
        }
        serde_json::from_value(value).map(Some).map_err(|e| damaged(format!("another layout ({e})")))
    }

    /// Writes the manifest of the run in `folder`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), RecordError> {
        let path = folder.join("manifest.json");
        let mut bytes =
            serde_json::to_vec_pretty(self).map_err(|e| RecordError::io("write", &path)(e.into()))?;
        bytes.push(b'\n');
        write_whole(&path, &bytes)
    }
}
