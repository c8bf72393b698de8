//! `cargo xtask test`: every test of the workspace, and the names of those that were skipped.

use crate::process::{self, Cmd};
use crate::{rust, web};
use anyhow::Result;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, IsTerminal as _, Write as _};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only tests whose name contains this
    filter: Option<String>,
    /// Given to `cargo test` instead of `--workspace`
    #[arg(last = true)]
    cargo: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    // Without the target or Node the test of the browser bindings names itself as skipped. What it builds is built
    // here, in sight, and not within a test that would seem to hang; that test reports a build that fails.
    match rust::ensure_wasm() {
        Ok(()) if args.filter.is_none() && args.cargo.is_empty() && has_node() => {
            let bindings = ["build", "--release", "--package", "superalign-web", "--target", rust::WASM];
            if let Err(error) = Cmd::new(rust::cargo()).args(bindings).run() {
                eprintln!("xtask: {error:#}");
            }
            page()?;
        }
        Ok(()) => {}
        Err(error) => eprintln!("xtask: {error:#}"),
    }
    let mut cmd = Cmd::new(rust::cargo()).args(["test", "--release", "--no-fail-fast"]);
    cmd = if args.cargo.is_empty() { cmd.arg("--workspace") } else { cmd.args(&args.cargo) };
    cmd = cmd.args(&args.filter).args(["--", "--show-output"]);
    if std::io::stdout().is_terminal() {
        cmd = cmd.arg("--color=always");
    }
    let (mut child, shown) = cmd.start()?;
    let mut sieve = Sieve::default();
    if let Some(stdout) = child.stdout.take() {
        let mut out = std::io::stdout().lock();
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line?;
            if sieve.shows(&String::from_utf8_lossy(&line)) {
                out.write_all(&line)?;
                out.write_all(b"\n")?;
            }
        }
    }
    let outcome = process::finish(child, &shown);
    eprintln!("{}", summary(&sieve.skipped));
    outcome
}

/// Builds the page that its test drives; where its packages cannot be had, that test names itself as skipped.
fn page() -> Result<()> {
    match web::install() {
        Ok(()) => web::build().map(|_| ()),
        Err(error) => {
            eprintln!("xtask: {error:#}");
            Ok(())
        }
    }
}

fn has_node() -> bool {
    Cmd::new("node").arg("--version").ask().is_some()
}

fn summary(skipped: &[String]) -> String {
    if skipped.is_empty() {
        return "skipped checks: none".to_owned();
    }
    let mut lines = vec![format!("skipped checks: {}", skipped.len())];
    lines.extend(skipped.iter().map(|line| format!("  {line}")));
    lines.join("\n")
}

/// Reads the harness's output: drops what passing tests printed, but keeps each `skipped: …` with its test.
#[derive(Default)]
struct Sieve {
    in_successes: bool,
    test: String,
    skipped: Vec<String>,
}

impl Sieve {
    fn shows(&mut self, line: &str) -> bool {
        if line == "successes:" {
            self.in_successes = true;
        } else if line == "failures:" || line.starts_with("test result:") {
            self.in_successes = false;
        }
        if !self.in_successes {
            return true;
        }
        if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            name.clone_into(&mut self.test);
        } else if let Some(reason) = line.strip_prefix("skipped: ") {
            self.skipped.push(format!("{}: {reason}", self.test));
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
running 3 tests
test a::b ... ok
test a::c ... ok
test a::d ... FAILED

successes:

---- a::b stdout ----
skipped: not found: ../shared/data
---- a::c stdout ----
chatter


successes:
    a::b
    a::c

failures:

---- a::d stdout ----
thread 'a::d' panicked
skipped: this is part of a failure and stays in sight

failures:
    a::d

test result: FAILED. 2 passed; 1 failed
";

    #[test]
    fn the_sieve_drops_chatter_and_keeps_failures_and_skips() {
        let mut sieve = Sieve::default();
        let shown: Vec<_> = OUTPUT.lines().filter(|line| sieve.shows(line)).collect();
        assert_eq!(sieve.skipped, ["a::b: not found: ../shared/data"]);
        assert!(shown.contains(&"test a::b ... ok"));
        assert!(shown.contains(&"thread 'a::d' panicked"));
        assert!(shown.contains(&"skipped: this is part of a failure and stays in sight"));
        assert!(!shown.contains(&"chatter"));
        assert!(!shown.contains(&"    a::c"));
        assert_eq!(shown.last(), Some(&"test result: FAILED. 2 passed; 1 failed"));
    }

    #[test]
    fn the_summary_names_every_skip() {
        assert_eq!(summary(&[]), "skipped checks: none");
        assert_eq!(summary(&["x: not found: y".to_owned()]), "skipped checks: 1\n  x: not found: y");
    }
}
