//! `model.toml`: where a model came from, and the digest of each of its files.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Name of the file.
pub(super) const NAME: &str = "model.toml";

/// Where a model came from, and what it consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// Repository, `ORG/NAME`.
    pub(super) source: String,
    /// The revision that was asked for.
    pub(super) revision: String,
    /// The commit that it was.
    pub(super) commit: String,
    /// Licence that the repository states.
    pub(super) licence: Option<String>,
    /// The graph that was chosen.
    pub(super) graph: Option<String>,
    /// What the graph and the configuration say, where they could be read.
    pub(super) shapes: Option<Shapes>,
    /// The files.
    #[serde(rename = "file")]
    pub(super) files: Vec<FileDigest>,
}

/// The sizes of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shapes {
    pub(super) task: String,
    pub(super) layers: usize,
    pub(super) width: Option<usize>,
    pub(super) heads: Option<usize>,
    pub(super) key_value_heads: Option<usize>,
    pub(super) vocabulary: Option<usize>,
    pub(super) positions: Option<usize>,
    pub(super) parameters: u64,
}

/// A file, its size and its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileDigest {
    /// Path relative to the folder, with `/` between the parts.
    pub(super) path: String,
    /// Size.
    pub(super) bytes: u64,
    /// SHA-256 in hex: the digest that hubs publish, and that `sha256sum` prints.
    pub(super) sha256: String,
}

/// A file that is not what `model.toml` says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Deviation {
    #[error("{path}: missing")]
    Missing { path: String },
    #[error("{path}: {found} bytes, expected {expected}")]
    Size { path: String, found: u64, expected: u64 },
    #[error("{path}: SHA-256 {found}, expected {expected}")]
    Digest { path: String, found: String, expected: String },
    #[error("{path}: cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("{path}: not a path inside the folder")]
    Outside { path: String },
}

impl Manifest {
    /// Reads the manifest of a folder, where there is one.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, String> {
        let path = folder.join(NAME);
        let said = |reason: String| format!("{}: {reason}", path.display());
        match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map(Some).map_err(|error| said(error.message().to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(said(error.to_string())),
        }
    }

    /// Writes the manifest; the file is whole or as it was.
    pub(super) fn write(&self, folder: &Path) -> Result<(), String> {
        let path = folder.join(NAME);
        let said = |reason: String| format!("{}: {reason}", path.display());
        let text = toml::to_string_pretty(self).map_err(|error| said(error.to_string()))?;
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| said(error.to_string()))?;
        file.write_all(
            b"# Written by `superalign models fetch`; `superalign models check` compares the digests.\n",
        )
        .and_then(|()| file.write_all(text.as_bytes()))
        .map_err(|error| said(error.to_string()))?;
        file.persist(&path).map_err(|error| said(error.to_string()))?;
        Ok(())
    }

    /// What differs between the folder and this manifest.
    pub(super) fn deviations(&self, folder: &Path) -> Vec<Deviation> {
        self.files.iter().filter_map(|file| file.deviation(folder)).collect()
    }
}

impl FileDigest {
    /// Reads a file and computes its digest.
    pub(super) fn of(folder: &Path, path: &str) -> Result<Self, Deviation> {
        let whole = folder.join(path);
        let unreadable = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => Deviation::Missing { path: path.to_owned() },
            _ => Deviation::Unreadable { path: path.to_owned(), reason: error.to_string() },
        };
        let (bytes, sha256) = digest(&whole).map_err(unreadable)?;
        Ok(Self { path: path.to_owned(), bytes, sha256 })
    }

    /// How the file in `folder` differs from this.
    pub(super) fn deviation(&self, folder: &Path) -> Option<Deviation> {
        let path = self.path.clone();
        if inside(&path).is_none() {
            return Some(Deviation::Outside { path });
        }
        // A file of another size need not be read.
        if let Ok(meta) = std::fs::metadata(folder.join(&path))
            && meta.len() != self.bytes
        {
            return Some(Deviation::Size { path, found: meta.len(), expected: self.bytes });
        }
        match Self::of(folder, &path) {
            Ok(found) if found.sha256 == self.sha256 => None,
            Ok(found) => Some(Deviation::Digest { path, found: found.sha256, expected: self.sha256.clone() }),
            Err(deviation) => Some(deviation),
        }
    }
}

/// The path as one inside a folder; `None` where it would lead out of it.
pub(super) fn inside(path: &str) -> Option<PathBuf> {
    let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':', '\0']);
    path.split('/').all(plain).then(|| path.split('/').collect())
}

/// Size and SHA-256 of a file.
pub(super) fn digest(path: &Path) -> std::io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let (mut hasher, mut size, mut chunk) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => {
                hasher.update(&chunk[..length]);
                size += length as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((size, hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}
