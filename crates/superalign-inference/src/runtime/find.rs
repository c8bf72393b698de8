//! Where an ONNX Runtime library may be: named by the user, provisioned by us, or among Python's packages.

use super::load::Unusable;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where a library was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Named by the user (`ORT_DYLIB_PATH`).
    Named,
    /// Put there by [`install`](crate::install::install).
    Provisioned,
    /// Part of Python's `onnxruntime` package.
    Python,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Named => "ORT_DYLIB_PATH",
            Self::Provisioned => "provisioned",
            Self::Python => "Python package",
        })
    }
}

/// The per-user folder of provisioned libraries and caches: `SUPERALIGN_HOME`, else the platform's cache folder.
///
/// `None` when the environment names neither.
#[must_use]
pub fn home() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(home) = variable("SUPERALIGN_HOME") {
        return Some(home);
    }
    let cache = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if let Some(cache) = variable("XDG_CACHE_HOME") {
        Some(cache)
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Caches"))
    } else {
        variable("HOME").map(|home| home.join(".cache"))
    };
    cache.map(|cache| cache.join("superalign"))
}

/// Whether a file of that name is the library itself (not one of its providers).
pub(crate) fn is_library_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    if cfg!(windows) {
        name == "onnxruntime.dll"
    } else if cfg!(target_os = "macos") {
        name.starts_with("libonnxruntime.") && name.ends_with(".dylib")
    } else {
        name == "libonnxruntime.so" || name.starts_with("libonnxruntime.so.")
    }
}

/// The library in a folder, the highest name first when there are several.
pub(crate) fn library_in(folder: &Path) -> Option<PathBuf> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_library_name))
        .map(|entry| entry.path())
        .collect();
    names.sort();
    names.pop()
}

/// The folders `<home>/onnxruntime/<version>` that hold a library, newest version first.
pub(crate) fn provisioned(home: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(home.join("onnxruntime")) else { return Vec::new() };
    let mut found: Vec<(Vec<u32>, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let version: Option<Vec<u32>> =
                entry.file_name().to_str()?.split('.').map(|part| part.parse().ok()).collect();
            Some((version?, entry.path()))
        })
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, folder)| folder).collect()
}

/// Compares a provisioned library with the digest recorded at installation.
pub(crate) fn verify(folder: &Path) -> Result<PathBuf, (PathBuf, Unusable)> {
    let Some(library) = library_in(folder) else { return Err((folder.to_path_buf(), Unusable::Missing)) };
    let Some(record) = crate::install::Record::read(folder) else { return Ok(library) };
    match std::fs::read(&library) {
        Ok(bytes) => {
            let found = blake3::hash(&bytes).to_hex().to_string();
            if found == record.blake3 {
                Ok(library)
            } else {
                Err((library, Unusable::Damaged { found: short(&found), expected: short(&record.blake3) }))
            }
        }
        Err(error) => Err((library, Unusable::Open { reason: error.to_string() })),
    }
}

fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}

/// The libraries among Python's packages, asked of `python` within `limit`; none when there is no such program.
///
/// `onnxruntime` itself is never imported: Python only says where its packages are.
pub(crate) fn in_python(python: &Path, limit: Duration) -> Vec<PathBuf> {
    const QUESTION: &str = "import site, sysconfig\n\
        p = [sysconfig.get_path('platlib'), sysconfig.get_path('purelib')]\n\
        p += getattr(site, 'getsitepackages', list)() + [site.getusersitepackages()]\n\
        print('\\n'.join(dict.fromkeys(x for x in p if x)))";
    let Some(text) = answer(Command::new(python).args(["-c", QUESTION]), limit) else { return Vec::new() };
    text.lines()
        .filter_map(|folder| library_in(&Path::new(folder).join("onnxruntime").join("capi")))
        .collect()
}

/// What a program prints, if it ends well within `limit`; it is killed afterwards.
pub(crate) fn answer(command: &mut Command, limit: Duration) -> Option<String> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let started = Instant::now();
    // The answer is far smaller than a pipe's buffer, so the program never waits for us to read.
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => break,
            Ok(None) if started.elapsed() < limit => std::thread::sleep(Duration::from_millis(5)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
    let mut text = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take()?, &mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provisioned_versions_are_ordered_by_number() {
        let home = tempfile::tempdir().expect("a temporary folder");
        for version in ["1.9.0", "1.32.0", "1.100.0", "download-x"] {
            std::fs::create_dir_all(home.path().join("onnxruntime").join(version)).expect("made");
        }
        let names: Vec<_> = provisioned(home.path())
            .iter()
            .filter_map(|path| path.file_name()?.to_str().map(str::to_owned))
            .collect();
        assert_eq!(names, ["1.100.0", "1.32.0", "1.9.0"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_never_answers_is_given_up() {
        let started = Instant::now();
        assert_eq!(answer(Command::new("sleep").arg("30"), Duration::from_millis(100)), None);
        assert!(started.elapsed() < Duration::from_secs(10));
        assert!(in_python(Path::new("no-such-python"), Duration::from_secs(1)).is_empty());
    }
}
