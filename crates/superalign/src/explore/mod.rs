//! The explorer's side of this machine: run folders as the page in the browser asks for them.
//!
//! The page is static and knows one layout, whether it is served or exported: itself, and beside it `data/runs.json`
//! ([`Index`]) and `data/<run>/` with the files of the run folder ([`FILES`]). A served run that is not complete also has
//! `data/<run>/events`: the lines of its journal as they are written.
//!
//! Nothing here makes figures or numbers, and nothing is written to a run folder.

mod export;
mod index;
mod live;
mod serve;
#[cfg(test)]
mod tests;

pub use export::{Exported, export};
pub use index::{Index, Listed, Runs};
pub use serve::{Server, serve};

use std::path::{Path, PathBuf};

/// The files of a run that the page may ask for.
pub const FILES: [&str; 7] = [
    "manifest.json",
    "metrics.csv",
    "items.parquet",
    "texts.parquet",
    "transcripts.jsonl",
    "report.html",
    "tags.txt",
];

/// Why runs cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ExploreError {
    /// The page has not been built.
    #[error(
        "{}: no index.html; expected the explorer's page, which `cargo xtask explore` builds (it needs Node 20 or newer; \
         without it every run has a report.html of its own)", path.display()
    )]
    NoPage {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A folder that holds no run.
    #[error(
        "{}: no manifest.json; expected the folder of a run, such as runs/noise-capacity-1a2b3c4d", path.display()
    )]
    NoRun {
        /// The folder.
        path: PathBuf,
    },
    /// Two runs of one name.
    #[error("{} and {} have the same name; expected different ones, as it is their address", first.display(), second.display())]
    SameName {
        /// The one.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// The export would replace something.
    #[error("{}: already there; expected the name of a folder to be made", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// The address is taken, or not ours to take.
    #[error(
        "cannot listen on 127.0.0.1:{port}: {source}; choose another port with --port, or leave it to the system"
    )]
    Port {
        /// The port.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
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
}

impl ExploreError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// Whether a folder holds the built page.
fn has_page(page: &Path) -> Result<(), ExploreError> {
    if page.join("index.html").is_file() {
        return Ok(());
    }
    Err(ExploreError::NoPage { path: page.to_owned() })
}
