//! The browser bindings, built for WebAssembly and called from Node as a page would call them.

use crate::support::{root, skipped};
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";
const OLDEST_NODE: u32 = 20;

#[test]
fn the_bindings_answer_in_node() {
    if !has_target() {
        return skipped(&format!(
            "not found: the target {TARGET} (`rustup target add {TARGET}` installs it)"
        ));
    }
    if node_version().is_none_or(|version| version < OLDEST_NODE) {
        return skipped(&format!("not found: Node {OLDEST_NODE} or newer"));
    }
    let out = tempfile::tempdir().expect("a temporary folder");
    bind(&build(), out.path());
    let mut tests: Vec<_> = root().join("web/test").read_dir().expect("web/test can be listed").collect();
    tests.retain(|entry| entry.as_ref().is_ok_and(|e| e.path().to_string_lossy().ends_with(".test.mjs")));
    assert!(!tests.is_empty(), "no *.test.mjs in web/test");
    let mut node = Command::new("node");
    node.arg("--test").args(tests.into_iter().flatten().map(|entry| entry.path()));
    let output = node.env("SUPERALIGN_WEB", out.path()).output().expect("node starts");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_page_works_in_chromium() {
    let page = root().join("web/page");
    let chromium = std::env::var_os("CHROMIUM").map_or_else(|| "/usr/bin/chromium".into(), PathBuf::from);
    for (needed, remedy) in [
        (root().join("web/dist/index.html"), "`cargo xtask page` builds it"),
        (page.join("node_modules"), "`cargo xtask page` installs it"),
        (chromium, "install Chromium, or name one in CHROMIUM"),
    ] {
        if !needed.exists() {
            return skipped(&format!("not found: {} ({remedy})", needed.display()));
        }
    }
    let output = Command::new("npm").arg("--prefix").arg(&page).args(["--silent", "test"]).output();
    let output = output.expect("npm starts");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Compiles the bindings; the path of the module.
fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--package",
            "superalign-web",
            "--target",
            TARGET,
            "--message-format",
            "json",
        ])
        .current_dir(root())
        .output()
        .expect("cargo starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let messages = String::from_utf8_lossy(&built.stdout);
    let mut names = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| {
            let mut files = message["filenames"].as_array()?.iter().filter_map(|name| name.as_str());
            files.rfind(|name| name.ends_with("superalign_web.wasm")).map(PathBuf::from)
        });
    names.next_back().expect("cargo names the module that it built")
}

/// Writes the JavaScript side, in the form that a page loads.
fn bind(module: &Path, out: &Path) {
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    bindgen.input_path(module).web(true).expect("the web form is offered").typescript(true);
    bindgen.generate(out).unwrap_or_else(|error| panic!("{}: {error:#}", module.display()));
}

fn has_target() -> bool {
    let folder = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    folder.is_ok_and(|o| o.status.success() && Path::new(String::from_utf8_lossy(&o.stdout).trim()).is_dir())
}

fn node_version() -> Option<u32> {
    let output = Command::new("node").arg("--version").output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}
