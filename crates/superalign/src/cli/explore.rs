//! `superalign explore`: runs in a browser, served to this machine or written as a site.

use super::{Failure, say};
use crate::explore::{Index, Runs, export, serve};
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  cargo xtask explore                          builds the page where needed, then this
  superalign explore                           every run of runs/, in the browser
  superalign explore runs/weak-to-strong-1a2b3c4d
  superalign explore --no-open --port 8080     says the address and opens nothing
  superalign explore --export site             a static site, for any file host

Serves 127.0.0.1 only. Ctrl-C ends it. The page needs Node 20 to be built; without it, open a run's report.html.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ExploreArgs {
    /// Folders of runs; all of --runs where none is named
    #[arg(value_name = "RUN")]
    folders: Vec<PathBuf>,
    /// The folder of all runs
    #[arg(long, default_value = "runs")]
    runs: PathBuf,
    /// Write a static site with the runs to this new folder, and serve nothing
    #[arg(long, value_name = "DIR", conflicts_with_all = ["port", "no_open"])]
    export: Option<PathBuf>,
    /// The port; 0 is any that is free
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Do not open a browser
    #[arg(long)]
    no_open: bool,
    /// The folder of the built page
    #[arg(long, default_value_os_t = built(), value_name = "DIR")]
    page: PathBuf,
}

/// Where `cargo xtask explore` puts the page.
fn built() -> PathBuf {
    Path::new("web/dist").to_owned()
}

pub(super) fn explore(args: &ExploreArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let runs = if args.folders.is_empty() {
        Runs::Of(args.runs.clone())
    } else {
        Runs::these(&args.folders).map_err(Failure::usage)?
    };
    if let Some(folder) = &args.export {
        let found = export(&args.page, &runs, folder).map_err(Failure::usage)?;
        say(
            out,
            format!(
                "{}: {} of runs, {} files, {:.1} MB; any file host will do, from any subfolder",
                folder.display(),
                crate::report::count(found.runs, "folder"),
                found.files,
                found.bytes as f64 / 1e6
            ),
        );
        return Ok(());
    }
    let there = Index::read(&runs, true).runs.len();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::failed)?;
    runtime.block_on(async {
        let server = serve(&args.page, runs, args.port).await.map_err(Failure::usage)?;
        let address = format!("http://{}/", server.address().map_err(Failure::failed)?);
        say(out, format!("{}: {address} (Ctrl-C ends)", crate::report::count(there, "run")));
        let _ = out.flush();
        if !args.no_open && open::that_detached(&address).is_err() {
            say(out, "no browser could be opened; open the address in one");
        }
        server.until(async { while tokio::signal::ctrl_c().await.is_err() {} }).await.map_err(Failure::failed)
    })
}
