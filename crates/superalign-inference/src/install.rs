//! Fetches ONNX Runtime through the machine's own package client, pip or npm, into a per-user folder.
//!
//! No address is built in and nothing is downloaded by this program itself: the client that the machine already
//! trusts does it, with its own proxies, mirrors and certificates.

use crate::runtime::{Unusable, is_library_name, load};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The release that is installed: the newest that was tried with this program.
pub const VERSION: &str = "1.32.0";

const RECORD: &str = "library.toml";

/// The client that fetches the package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// Python's pip: package `onnxruntime`.
    Pip,
    /// Node's npm: package `onnxruntime-node`.
    Npm,
}

impl std::fmt::Display for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pip => "pip",
            Self::Npm => "npm",
        })
    }
}

/// What was installed, as recorded beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Package and client it came from.
    pub source: String,
    /// Version that the library states.
    pub version: String,
    /// File name of the library.
    pub file: String,
    /// BLAKE3 digest of the library, in hex.
    pub blake3: String,
}

impl Record {
    /// The record in a provisioned folder, where there is a readable one.
    pub(crate) fn read(folder: &Path) -> Option<Self> {
        toml::from_str(&std::fs::read_to_string(folder.join(RECORD)).ok()?).ok()
    }
}

/// Why nothing was installed. What was there before is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Neither client is on this machine, or neither succeeded.
    #[error("ONNX Runtime was not fetched:{}\nInstall it by other means and point ORT_DYLIB_PATH at the library", listed(.attempts))]
    NoClient {
        /// What each client said.
        attempts: Vec<(Client, String)>,
    },
    /// The library fetched cannot be used.
    #[error("the library that {client} fetched cannot be used: {reason}")]
    Unusable {
        /// Where it came from.
        client: Client,
        /// Why not.
        reason: Unusable,
    },
    /// A file or folder cannot be written.
    #[error("{}: {reason}", path.display())]
    Write {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

fn listed(attempts: &[(Client, String)]) -> String {
    attempts.iter().map(|(client, reason)| format!("\n  {client}: {reason}")).collect()
}

/// Fetches ONNX Runtime [`VERSION`] into `<home>/onnxruntime/<version>/` and returns that folder and its record.
///
/// Taken from the package are the libraries and the licences; the library is opened and asked for its version
/// before the folder gets its final name. `progress` is told what is being done, a line at a time.
///
/// # Errors
/// [`InstallError`]; a folder that is complete replaces an older one in one step, or nothing changes.
pub fn install(home: &Path, progress: &mut dyn FnMut(&str)) -> Result<(PathBuf, Record), InstallError> {
    let parent = home.join("onnxruntime");
    let write = |path: &Path, error: &dyn std::fmt::Display| InstallError::Write {
        path: path.to_path_buf(),
        reason: error.to_string(),
    };
    std::fs::create_dir_all(&parent).map_err(|error| write(&parent, &error))?;
    let staging = tempfile::Builder::new()
        .prefix(".installing-")
        .tempdir_in(&parent)
        .map_err(|error| write(&parent, &error))?;
    let mut attempts = Vec::new();
    for client in [Client::Pip, Client::Npm] {
        let files = staging.path().join(format!("{client}-files"));
        let fetched = staging.path().join(format!("{client}-package"));
        for folder in [&files, &fetched] {
            std::fs::create_dir_all(folder).map_err(|error| write(folder, &error))?;
        }
        match fetch(client, &fetched, progress).and_then(|package| unpack(client, &package, &files, progress))
        {
            Ok(library) => return accept(client, &files, &library, &parent, progress),
            Err(reason) => {
                progress(&format!("{client}: {reason}"));
                attempts.push((client, reason));
            }
        }
    }
    Err(InstallError::NoClient { attempts })
}

/// Checks what was unpacked, writes the record, and gives the folder its final name.
fn accept(
    client: Client,
    files: &Path,
    library: &Path,
    parent: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<(PathBuf, Record), InstallError> {
    let write = |path: &Path, error: &dyn std::fmt::Display| InstallError::Write {
        path: path.to_path_buf(),
        reason: error.to_string(),
    };
    let bytes = std::fs::read(library).map_err(|error| write(library, &error))?;
    let version = load(library).map_err(|reason| InstallError::Unusable { client, reason })?.version;
    let package = match client {
        Client::Pip => "onnxruntime",
        Client::Npm => "onnxruntime-node",
    };
    let record = Record {
        source: format!("{package}, fetched by {client}"),
        version: version.clone(),
        file: library.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        blake3: blake3::hash(&bytes).to_hex().to_string(),
    };
    let text = toml::to_string(&record).map_err(|error| write(files, &error))?;
    let path = files.join(RECORD);
    std::fs::write(&path, text).map_err(|error| write(&path, &error))?;
    let target = parent.join(&version);
    let old = parent.join(format!(".replaced-{}", std::process::id()));
    if target.exists() {
        std::fs::rename(&target, &old).map_err(|error| write(&target, &error))?;
    }
    std::fs::rename(files, &target).map_err(|error| write(&target, &error))?;
    if old.exists() {
        // Left behind at worst: its name is none that is looked for.
        let _ = std::fs::remove_dir_all(&old);
    }
    progress(&format!("installed ONNX Runtime {version} in {}", target.display()));
    Ok((target, record))
}

/// Lets the client fetch its package into `folder`; returns the file.
fn fetch(client: Client, folder: &Path, progress: &mut dyn FnMut(&str)) -> Result<PathBuf, String> {
    let mut command = match client {
        Client::Pip => {
            let mut command = Command::new(if cfg!(windows) { "python" } else { "python3" });
            command.args(["-m", "pip", "download", &format!("onnxruntime=={VERSION}")]);
            command.args(["--no-deps", "--only-binary=:all:", "--quiet", "--dest"]).arg(folder);
            command
        }
        Client::Npm => {
            let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
            // The newest: its numbering follows the library's with gaps, and the library is checked anyway.
            command.args(["pack", "--silent", "onnxruntime-node@latest", "--pack-destination"]).arg(folder);
            command
        }
    };
    progress(&format!("fetching ONNX Runtime through {client}"));
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("not found on this machine ({error})"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let last =
            text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no message").to_owned();
        return Err(format!("failed: {last}"));
    }
    let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
    let mut files = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
    files.next().ok_or_else(|| "it fetched no file".to_owned())
}

/// Takes libraries and licences out of the package, without their folders; returns the library.
fn unpack(
    client: Client,
    package: &Path,
    target: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<PathBuf, String> {
    progress(&format!("unpacking {}", package.file_name().unwrap_or_default().to_string_lossy()));
    let text = |error: &dyn std::fmt::Display| format!("{}: {error}", package.display());
    let file = File::open(package).map_err(|error| text(&error))?;
    let mut library = None;
    let mut take = |name: &str, reader: &mut dyn Read| -> Result<(), String> {
        let Some(wanted) = wanted(client, name) else { return Ok(()) };
        let path = target.join(wanted);
        let mut out = File::create(&path).map_err(|error| text(&error))?;
        std::io::copy(reader, &mut out).and_then(|_| out.flush()).map_err(|error| text(&error))?;
        if is_library_name(wanted) {
            library = Some(path);
        }
        Ok(())
    };
    match client {
        Client::Pip => {
            let mut archive = zip::ZipArchive::new(file).map_err(|error| text(&error))?;
            for index in 0..archive.len() {
                let mut entry = archive.by_index(index).map_err(|error| text(&error))?;
                let name = entry.name().map_err(|error| text(&error))?.into_owned();
                take(&name, &mut entry)?;
            }
        }
        Client::Npm => {
            let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
            for entry in archive.entries().map_err(|error| text(&error))? {
                let mut entry = entry.map_err(|error| text(&error))?;
                let name = entry.path().map_err(|error| text(&error))?.to_string_lossy().replace('\\', "/");
                take(&name, &mut entry)?;
            }
        }
    }
    library.ok_or_else(|| format!("{}: holds no library for this machine", package.display()))
}

/// The file name of an entry that is wanted: a library of this platform, or a licence.
fn wanted(client: Client, entry: &str) -> Option<&str> {
    let (folder, name) = entry.rsplit_once('/')?;
    let lower = name.to_ascii_lowercase();
    let licence = lower.starts_with("license") || lower.starts_with("thirdpartynotices");
    // The CUDA and TensorRT providers weigh hundreds of megabytes and are another installation.
    let library = is_library_name(name) || lower.contains("onnxruntime_providers_shared");
    let platform = match client {
        Client::Pip => folder == "onnxruntime/capi",
        Client::Npm => {
            let system = if cfg!(windows) {
                "win32"
            } else if cfg!(target_os = "macos") {
                "darwin"
            } else {
                "linux"
            };
            let processor = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
            folder.ends_with(&format!("/{system}/{processor}"))
        }
    };
    (licence || (library && platform)).then_some(name).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn libraries_and_licences_are_taken_and_nothing_else() {
        let pip = |entry| wanted(Client::Pip, entry);
        assert_eq!(pip("onnxruntime/capi/libonnxruntime.so.1.32.0"), Some("libonnxruntime.so.1.32.0"));
        assert_eq!(
            pip("onnxruntime/capi/libonnxruntime_providers_shared.so"),
            Some("libonnxruntime_providers_shared.so")
        );
        assert_eq!(pip("onnxruntime/capi/libonnxruntime_providers_cuda.so"), None);
        assert_eq!(pip("onnxruntime/LICENSE"), Some("LICENSE"));
        assert_eq!(pip("onnxruntime/capi/onnxruntime_pybind11_state.so"), None);
        assert_eq!(pip("elsewhere/libonnxruntime.so.1.32.0"), None);
        assert_eq!(wanted(Client::Npm, "package/bin/napi-v6/win32/x64/onnxruntime.dll"), None);
    }
}
