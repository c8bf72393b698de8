//! What several themes need: where the repository is, and files that only some machines have.

use std::path::{Path, PathBuf};

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("the tests are a folder of the repository")
}

/// Reads a file of the repository, given relative to its root.
pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A file or folder beside the repository that is not part of it: `$SUPERALIGN_SHARED/<path>`, or else `../shared/<path>`.
///
/// `None` where it is missing, after [`skipped`] has said so: the test then returns.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let folder =
        std::env::var_os("SUPERALIGN_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    find(&folder, path).map_err(|reason| skipped(&reason)).ok()
}

fn find(folder: &Path, path: &str) -> Result<PathBuf, String> {
    let found = folder.join(path);
    if found.exists() { Ok(found) } else { Err(format!("not found: {}", found.display())) }
}

/// Says that a test did not check what its name says, and why; `cargo xtask test` lists these at its end.
#[expect(clippy::print_stdout, reason = "the harness catches it, and xtask reads it there")]
pub(crate) fn skipped(reason: &str) {
    println!("skipped: {reason}");
}

#[test]
fn what_is_not_there_is_named() {
    assert_eq!(find(root(), "README.md"), Ok(root().join("README.md")));
    assert_eq!(find(Path::new("shared"), "a.csv"), Err("not found: shared/a.csv".to_owned()));
}
