//! `superalign models`: what a model's folder contains, whether it works, and how one is fetched.
//!
//! `check` describes a folder and tries it out, `hub` speaks to a model hub and its cache, `fetch` puts what it got into a
//! folder, and `manifest` is the `model.toml` in which source and digests are kept.

mod check;
mod fetch;
mod hub;
mod manifest;
mod show;
#[cfg(test)]
mod tests;

use super::{Failure, say};
use clap::Subcommand;
use std::io::Write;

#[derive(Debug, Subcommand)]
pub(super) enum ModelsCommand {
    /// Say what a model's folder contains, compare it with its digests, and try it out
    Check(check::CheckArgs),
    /// Fetch a model from a model hub into a folder, with digests
    Fetch(fetch::FetchArgs),
}

pub(super) fn models(command: &ModelsCommand, out: &mut dyn Write) -> Result<(), Failure> {
    match command {
        ModelsCommand::Check(args) => check::check(args, out),
        ModelsCommand::Fetch(args) => fetch::fetch(args, out),
    }
}

/// A number of bytes, as people read it.
fn size(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 || value >= 99.5 {
        format!("{value:.0} {}", units[unit])
    } else {
        format!("{value:.1} {}", units[unit])
    }
}
