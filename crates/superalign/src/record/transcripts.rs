//! `transcripts.jsonl`: who said what, one line per signal and item.

use super::{RecordError, write_whole};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::Path;
use superalign_paradigm::Transcript;

/// An exchange, and the signal that it is part of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TranscriptRow {
    /// The signal's cell.
    pub signal: String,
    /// The exchange.
    #[serde(flatten)]
    pub transcript: Transcript,
}

/// Writes the rows in their order, one JSON object a line.
///
/// # Errors
/// The folder cannot be written.
pub fn write_transcripts(path: &Path, rows: &[TranscriptRow]) -> Result<(), RecordError> {
    let mut bytes = Vec::new();
    for row in rows {
        // A transcript is text, and numbers that JSON has.
        bytes.extend(serde_json::to_vec(row).unwrap_or_default());
        bytes.push(b'\n');
    }
    write_whole(path, &bytes)
}

/// Reads rows that [`write_transcripts`] wrote; none where there is no such file.
///
/// # Errors
/// The file cannot be read, or has a line that is no transcript.
pub fn read_transcripts(path: &Path) -> Result<Vec<TranscriptRow>, RecordError> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.map_err(RecordError::io("read", path))?,
    };
    let read = |(at, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| RecordError::Damaged {
            path: path.to_owned(),
            line: Some(at + 1),
            found: error.to_string(),
            expected: "a transcript as JSON".to_owned(),
        })
    };
    text.lines().enumerate().map(read).collect()
}
