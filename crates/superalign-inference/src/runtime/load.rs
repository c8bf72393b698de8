//! Loading of an ONNX Runtime library, and nothing else. All of this crate's unsafe code lives here.
//!
//! The binding's own loader panics when a library is missing and cannot try a second one after a bad first;
//! this one looks at the version before it asks for the interface, and answers with a reason.

#![expect(unsafe_code, reason = "a C library is opened and its table of functions is copied")]

use libloading::Library;
use ort::sys::{ORT_API_VERSION, OrtApi, OrtApiBase};
use std::ffi::CStr;
use std::path::Path;

/// Why a library cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Nothing is there.
    #[error("no such file")]
    Missing,
    /// A folder, a pipe or a device.
    #[error("not a regular file")]
    NotAFile,
    /// Its bytes are not those that were installed.
    #[error("damaged: digest {found}, expected {expected}; run `superalign runtime install` again")]
    Damaged {
        /// Digest of the file as it is.
        found: String,
        /// Digest recorded at installation.
        expected: String,
    },
    /// The system's loader refused it.
    #[error("not a loadable library: {reason}")]
    Open {
        /// What the loader said.
        reason: String,
    },
    /// A library, but of something else.
    #[error("not ONNX Runtime: it exports no usable `OrtGetApiBase`")]
    NotOnnxRuntime,
    /// The version cannot be read or compared.
    #[error("its version is {found:?}, expected one like 1.{ORT_API_VERSION}.0")]
    UnknownVersion {
        /// The version string found.
        found: String,
    },
    /// Older than the interface that is used here.
    #[error("version {found} is too old, expected 1.{ORT_API_VERSION} or newer")]
    TooOld {
        /// The version string found.
        found: String,
    },
    /// So new that it no longer offers the interface that is used here.
    #[error("version {found} is too new: it no longer offers interface {ORT_API_VERSION}")]
    TooNew {
        /// The version string found.
        found: String,
    },
}

/// An ONNX Runtime library, open and of a fitting version.
pub(crate) struct Loaded {
    /// Its version, as it says itself.
    pub(crate) version: String,
    /// Its functions.
    pub(crate) api: OrtApi,
}

/// Opens the library at `path`. A path that is only a name is looked up by the system's loader.
///
/// Whatever was opened stays open until the process ends, refused libraries included: closing one may run
/// code of its own, and nothing is gained.
pub(crate) fn load(path: &Path) -> Result<Loaded, Unusable> {
    let only_a_name = path.components().count() == 1 && path.is_relative();
    match std::fs::metadata(path) {
        // Opening a pipe would wait for a writer.
        Ok(meta) if !meta.is_file() => return Err(Unusable::NotAFile),
        Err(_) if !only_a_name => return Err(Unusable::Missing),
        _ => {}
    }
    // SAFETY: opening a library runs its initialisers, which no caller can vouch for; the path comes from the
    // user's environment, from a copy whose digest was checked, or from Python's packages, so this is code that
    // the user chose to run.
    let library = unsafe { Library::new(path) }
        .map_err(|error| Unusable::Open { reason: one_line(&error_chain(&error)) })?;
    // Never closed, so the function and the strings below live for the rest of the process.
    let library: &'static Library = Box::leak(Box::new(library));
    // SAFETY: `OrtGetApiBase` has this signature in every release of ONNX Runtime. A library that exports the name
    // with another signature is not guarded against.
    let base = unsafe { library.get::<unsafe extern "system" fn() -> *const OrtApiBase>(b"OrtGetApiBase\0") }
        .map_err(|_| Unusable::NotOnnxRuntime)?;
    // SAFETY: takes no argument, returns a pointer to a static table or null, which is checked.
    let base = unsafe { base().as_ref() }.ok_or(Unusable::NotOnnxRuntime)?;
    // SAFETY: takes no argument, returns a static, zero-terminated string or null, which is checked.
    let version = unsafe {
        let text = (base.GetVersionString)();
        if text.is_null() { None } else { CStr::from_ptr(text).to_str().ok() }
    };
    let version = version.ok_or(Unusable::NotOnnxRuntime)?.to_owned();
    check_version(&version)?;
    // SAFETY: the call takes a number and returns a pointer to a static table, or null when it does not know that
    // interface. A table for interface N begins with all functions of the interfaces up to N, which is what
    // `OrtApi` of that number declares; so reading one `OrtApi` from it stays inside the table.
    let api = unsafe {
        let table = (base.GetApi)(ORT_API_VERSION);
        if table.is_null() { None } else { Some(std::ptr::read(table)) }
    };
    let api = api.ok_or_else(|| Unusable::TooNew { found: version.clone() })?;
    Ok(Loaded { version, api })
}

/// Accepts `1.N...` with N at least the interface number that is used here.
fn check_version(version: &str) -> Result<(), Unusable> {
    let mut parts = version.split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(1)), Some(Ok(minor))) if minor >= ORT_API_VERSION => Ok(()),
        (Some(Ok(0 | 1)), Some(Ok(_))) => Err(Unusable::TooOld { found: version.to_owned() }),
        _ => Err(Unusable::UnknownVersion { found: version.to_owned() }),
    }
}

fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert_eq!(check_version("1.24.0"), Ok(()));
        assert_eq!(check_version("1.100.3-dev"), Ok(()));
        assert_eq!(check_version("1.9.1"), Err(Unusable::TooOld { found: "1.9.1".into() }));
        for odd in ["", "1", "2.0.0", "one.two"] {
            assert_eq!(check_version(odd), Err(Unusable::UnknownVersion { found: odd.into() }), "{odd}");
        }
    }

    #[test]
    fn what_is_no_library_is_refused_with_a_reason() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let text = folder.path().join("libonnxruntime.so");
        std::fs::write(&text, "not a library").expect("written");
        assert_eq!(load(&folder.path().join("none.so")).err(), Some(Unusable::Missing));
        assert_eq!(load(folder.path()).err(), Some(Unusable::NotAFile));
        assert!(matches!(load(&text).err(), Some(Unusable::Open { .. })));
    }
}
