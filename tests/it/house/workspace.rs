//! What `cargo metadata` and `git` say about this workspace.

use crate::support::root;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A member of the workspace.
pub(super) struct Package {
    pub(super) name: String,
    pub(super) description: String,
    /// Relative to the root.
    pub(super) folder: PathBuf,
    /// Names of its normal and build dependencies.
    pub(super) uses: Vec<String>,
    /// Names of its dev-dependencies.
    pub(super) tests_with: Vec<String>,
}

/// All members, sorted by name.
pub(super) fn packages() -> Vec<Package> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let text =
        output(Command::new(cargo).args(["metadata", "--no-deps", "--offline", "--format-version", "1"]));
    let metadata: Value = serde_json::from_slice(&text).expect("cargo metadata prints JSON");
    let mut packages: Vec<_> = list(&metadata["packages"]).iter().map(package).collect();
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    packages
}

/// All files that git tracks and that are still there, relative to the root, sorted; the shared
/// reading of "the repository's files". `None` outside a git checkout.
pub(super) fn tracked() -> Option<Vec<PathBuf>> {
    let git = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().ok()?;
    let text =
        git.status.success().then(|| String::from_utf8(git.stdout).expect("tracked names are UTF-8"))?;
    Some(text.split_terminator('\0').map(PathBuf::from).filter(|path| root().join(path).is_file()).collect())
}

fn package(json: &Value) -> Package {
    let dependencies = |wanted: fn(&Value) -> bool| {
        let all = list(&json["dependencies"]);
        all.iter().filter(|d| wanted(&d["kind"])).map(|d| text(&d["name"])).collect()
    };
    let manifest = PathBuf::from(text(&json["manifest_path"]));
    let folder = manifest.parent().expect("a manifest lies in a folder");
    Package {
        name: text(&json["name"]),
        description: json["description"].as_str().unwrap_or_default().to_owned(),
        folder: relative(folder),
        uses: dependencies(|kind| kind.as_str() != Some("dev")),
        tests_with: dependencies(|kind| kind.as_str() == Some("dev")),
    }
}

fn relative(path: &Path) -> PathBuf {
    let root = root().canonicalize().expect("the root exists");
    let path = path.canonicalize().expect("members exist");
    path.strip_prefix(&root).expect("members lie under the root").to_owned()
}

fn output(command: &mut Command) -> Vec<u8> {
    let output = command.current_dir(root()).output().expect("the program starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string in cargo metadata").to_owned()
}
