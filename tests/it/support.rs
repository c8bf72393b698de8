//! What several themes need: where the repository is, and a way to say that something was not checked.

use std::path::Path;

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

/// Says that a test did not check what its name says, and why; `cargo xtask test` lists these at its end.
#[expect(clippy::print_stdout, reason = "the harness catches it, and xtask reads it there")]
pub(crate) fn skipped(reason: &str) {
    println!("skipped: {reason}");
}
