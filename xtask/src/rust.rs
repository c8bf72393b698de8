//! The Rust toolchain and where things lie.

use crate::process::Cmd;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

/// The one target of the browser.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// The cargo that runs us.
pub(crate) fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// Builds these packages in release, with cargo's own progress.
pub(crate) fn build_release(packages: &[&str]) -> Result<()> {
    packages
        .iter()
        .fold(Cmd::new(cargo()).args(["build", "--release"]), |cmd, package| cmd.args(["--package", package]))
        .run()
}

/// Makes sure that the browser's target is installed.
pub(crate) fn ensure_wasm() -> Result<()> {
    if has_wasm() {
        return Ok(());
    }
    if Cmd::new("rustup").arg("--version").ask().is_none() {
        bail!(
            "the target {WASM} is not installed, and rustup, which would add it, is not there; install rustup, \
             or that target's standard library by the way this Rust was installed"
        );
    }
    Cmd::new("rustup").args(["target", "add", WASM]).run()
}

fn has_wasm() -> bool {
    Cmd::new("rustc")
        .args(["--print", "target-libdir", "--target", WASM])
        .ask()
        .is_some_and(|folder| Path::new(&folder).is_dir())
}
