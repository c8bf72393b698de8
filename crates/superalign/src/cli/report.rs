//! `superalign report`: the page made anew from a run folder alone.

use super::{Failure, say};
use crate::record::{Manifest, read_metrics};
use crate::report::{main_table, terminal};
use crate::run::rewrite_report;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  superalign report runs/noise-capacity-1a2b3c4d";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ReportArgs {
    /// The folder of a run
    run: PathBuf,
}

pub(super) fn report(args: &ReportArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let path = rewrite_report(&args.run).map_err(Failure::usage)?;
    let manifest = Manifest::read(&args.run).map_err(Failure::usage)?;
    let rows = read_metrics(&args.run.join("metrics.csv")).map_err(Failure::usage)?;
    if let Some(table) = manifest.and_then(|m| main_table(&m.plan, &rows)) {
        say(out, terminal(&table));
    }
    say(out, format!("report: {}", super::run::link(&path)));
    Ok(())
}
