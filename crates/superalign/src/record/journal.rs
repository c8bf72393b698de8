//! `journal.jsonl`: append-only, one line per finished job, so that a killed run can go on.

use super::{RecordError, Row};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A finished job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Name of the job, unique within the run.
    pub job: String,
    /// Its rows of `metrics.csv`, in their order.
    pub rows: Vec<Row>,
    /// Digest of its file of item-level results.
    pub items: String,
    /// How long it took, for the manifest.
    pub seconds: f64,
}

/// The journal of a run, open for appending.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens the journal and reads what is finished.
    ///
    /// A torn last line (the run was killed while writing it) is cut off: its job counts as not done.
    ///
    /// # Errors
    /// The file cannot be opened, or holds a line, not the last, that is no entry.
    pub fn open(path: &Path) -> Result<(Self, BTreeMap<String, Entry>), RecordError> {
        let mut done = BTreeMap::new();
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(RecordError::io("read", path)(e)),
        };
        let mut whole = 0;
        for (i, line) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
            let last = whole + line.len() == bytes.len();
            match serde_json::from_slice::<Entry>(line) {
                Ok(entry) if line.ends_with(b"\n") => {
                    whole += line.len();
                    done.insert(entry.job.clone(), entry);
                }
                _ if last => break,
                Ok(_) => break,
                Err(e) => {
                    return Err(RecordError::Damaged {
                        path: path.to_owned(),
                        line: Some(i + 1),
                        found: e.to_string(),
                        expected: "one finished job per line (`--fresh` starts the run anew)".to_owned(),
                    });
                }
            }
        }
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(path)
            .map_err(RecordError::io("open", path))?;
        file.set_len(whole as u64).map_err(RecordError::io("truncate", path))?;
        drop(file);
        let file = OpenOptions::new().append(true).open(path).map_err(RecordError::io("open", path))?;
        Ok((Self { path: path.to_owned(), file }, done))
    }

    /// Appends a finished job; when this returns, it is on the disk.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub fn append(&mut self, entry: &Entry) -> Result<(), RecordError> {
        let mut line =
            serde_json::to_vec(entry).map_err(|e| RecordError::io("write", &self.path)(e.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(RecordError::io("write", &self.path))?;
        self.file.sync_data().map_err(RecordError::io("write", &self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(job: &str) -> Entry {
        Entry { job: job.into(), rows: Vec::new(), items: "d".into(), seconds: 0.1 + 0.2 }
    }

    #[test]
    fn a_line_torn_anywhere_is_as_if_it_had_not_been_begun() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let (mut journal, _) = Journal::open(&path).unwrap();
        journal.append(&entry("a")).unwrap();
        journal.append(&entry("b")).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let first = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (mut journal, done) = Journal::open(&path).unwrap();
            let expected = usize::from(cut >= first) + usize::from(cut == whole.len());
            assert_eq!(done.len(), expected, "cut at {cut}");
            for name in ["a", "b"] {
                if !done.contains_key(name) {
                    journal.append(&entry(name)).unwrap();
                }
            }
            assert_eq!(std::fs::read(&path).unwrap(), whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_damaged_line_in_the_middle_is_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let good = serde_json::to_string(&entry("a")).unwrap();
        std::fs::write(&path, format!("{good}\n{{\"job\"\n{good}\n")).unwrap();
        let error = Journal::open(&path).unwrap_err().to_string();
        assert!(error.contains("journal.jsonl:2: ") && error.contains("--fresh"), "{error}");
    }
}
