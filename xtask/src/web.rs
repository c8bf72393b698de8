//! `cargo xtask page`: the explorer, from its bindings to the built page in `web/dist`.

use crate::process::Cmd;
use crate::rust;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// The oldest Node that the page's build runs on.
const OLDEST_NODE: (u32, u32) = (20, 19);

/// Builds what has changed and returns the folder of the page.
pub(crate) fn build() -> Result<PathBuf> {
    install()?;
    rust::ensure_wasm()?;
    let root = rust::root();
    let page = root.join("web/page");
    bindings(root, &page)?;
    npm(&page, &["run", "--silent", "build"])?;
    Ok(root.join("web/dist"))
}

/// Installs the packages of the lock file, where that has not been done.
pub(crate) fn install() -> Result<()> {
    need_node()?;
    let page = rust::root().join("web/page");
    // npm puts a copy of the lock file where it has installed.
    let installed = page.join("node_modules/.package-lock.json");
    if is_newer(&installed, &page.join("package-lock.json")) {
        return Ok(());
    }
    npm(&page, &["ci", "--no-fund", "--no-audit"])
}

/// The module and its JavaScript side.
fn bindings(root: &Path, page: &Path) -> Result<()> {
    // No path of this machine ends up in what is published.
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let known = [(Some(root.to_owned()), "superalign"), (home, "cargo")];
    let hidden = known
        .into_iter()
        .filter_map(|(path, name)| Some(format!("--remap-path-prefix={}={name}", path?.display())));
    let flags: Vec<String> = std::iter::once("-Ctarget-feature=+simd128".to_owned()).chain(hidden).collect();
    let flags = flags.join("\u{1f}");
    let build = ["build", "--profile", "web", "--package", "superalign-web", "--target", rust::WASM];
    // A variable, since flags in a configuration file give way to a set RUSTFLAGS without a word.
    Cmd::new(rust::cargo()).args(build).env("CARGO_ENCODED_RUSTFLAGS", &flags).run()?;
    let module = root.join("target").join(rust::WASM).join("web/superalign_web.wasm");
    Cmd::new(rust::cargo())
        .args(["run", "--quiet", "--release", "--package", "superalign-web", "--example", "bind", "--"])
        .arg(module)
        .arg(page.join("src/wasm"))
        .run()
}

fn npm(page: &Path, args: &[&str]) -> Result<()> {
    Cmd::new("npm").arg("--prefix").arg(page).args(args).run()
}

/// Whether Node can build the page; else what is there and what is needed.
fn need_node() -> Result<()> {
    let (major, minor) = OLDEST_NODE;
    let remedy = "each run has a report.html that needs neither Node nor a server";
    let Some(found) = Cmd::new("node").arg("--version").ask() else {
        bail!("Node {major}.{minor} or newer is needed to build the page and was not found; {remedy}");
    };
    let mut numbers = found.trim_start_matches('v').split('.').map(str::parse::<u32>);
    let (Some(Ok(one)), Some(Ok(two))) = (numbers.next(), numbers.next()) else {
        bail!("`node --version` says `{found}`, expected a version such as v{major}.{minor}.0");
    };
    if (one, two) < OLDEST_NODE {
        bail!("Node {found} is too old to build the page, expected {major}.{minor} or newer; {remedy}");
    }
    if Cmd::new("npm").arg("--version").ask().is_none() {
        bail!("npm, which comes with Node, was not found; {remedy}");
    }
    Ok(())
}

/// Whether the first file is there and was written after the second.
fn is_newer(file: &Path, than: &Path) -> bool {
    let written = |path: &Path| path.metadata().and_then(|meta| meta.modified());
    matches!((written(file), written(than)), (Ok(a), Ok(b)) if a >= b)
}

/// Builds the page and says where it is.
pub(crate) fn run() -> Result<()> {
    let page = build()?;
    let index = page.join("index.html");
    index.metadata().with_context(|| format!("{} was not written", index.display()))?;
    eprintln!("the page is in {}", page.display());
    Ok(())
}
