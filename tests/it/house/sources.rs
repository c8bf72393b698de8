//! What every file of the repository keeps to.

use super::workspace::{packages, tracked};
use crate::support::{read, root, skipped};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

const LONGEST: usize = 600;
const LADDER_BYTES: u64 = 40_000_000;

/// Written here in pieces, so that this file keeps its own rule.
const UNFINISHED: [&str; 3] =
    [concat!("to", "do!("), concat!("unimple", "mented!("), concat!("#[ig", "nore")];

/// Roots of paths that are true on one machine only.
const ABSOLUTE: [&str; 5] = [
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/ro", "ot/"),
    concat!("/m", "nt/"),
    concat!("C:", "\\Users"),
];

#[test]
fn sources_are_short_finished_and_say_what_they_are() {
    let mut faults = Vec::new();
    for path in sources(&["rs", "ts", "mjs", "py"]) {
        let (name, text) = (path.display(), read(&path));
        let lines = text.lines().count();
        if lines > LONGEST {
            faults.push(format!("{name}: {lines} lines, at most {LONGEST}: split it"));
        }
        if path.extension() == Some(OsStr::new("rs")) {
            if !text.starts_with("//!") {
                faults.push(format!("{name}: does not open with `//!` and what lives here"));
            }
            let marks = UNFINISHED.iter().filter(|mark| text.contains(**mark));
            faults.extend(marks.map(|mark| format!("{name}: contains {mark}")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn crates_are_where_their_name_says_and_say_what_they_do() {
    let mut faults = Vec::new();
    for package in packages() {
        let under_crates = package.folder.parent() == Some(Path::new("crates"));
        let folder = package.folder.file_name().unwrap_or_default().to_string_lossy();
        let expected = match package.name.as_str() {
            "superalign-web" => "web",
            "superalign-tests" => "tests",
            name => name,
        };
        if folder != expected || under_crates != (expected.starts_with("superalign")) {
            faults.push(format!("{} lies in {}", package.name, package.folder.display()));
        }
        if package.description.len() < 20 {
            faults.push(format!("{}: its Cargo.toml needs a description of a sentence", package.name));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    let Some(files) = tracked() else { return skipped("not found: a git checkout") };
    let mut faults = Vec::new();
    for path in files {
        let bytes = std::fs::read(root().join(&path)).expect("tracked files can be read");
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        for (number, line) in text.lines().enumerate() {
            if let Some(mark) = ABSOLUTE.iter().find(|mark| line.contains(**mark)) {
                faults.push(format!("{}:{}: contains {mark}", path.display(), number + 1));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_leftovers_are_tracked() {
    let Some(files) = tracked() else { return skipped("not found: a git checkout") };
    let leftover = |path: &PathBuf| {
        let name = path.to_string_lossy();
        [".snap.new", ".orig", ".rej", ".tmp", ".bak", "~"].iter().any(|end| name.ends_with(end))
    };
    assert_eq!(files.into_iter().filter(leftover).collect::<Vec<_>>(), Vec::<PathBuf>::new());
}

#[test]
fn the_ladder_stays_small() {
    let Some(files) = tracked() else { return skipped("not found: a git checkout") };
    let ladder = files.iter().filter(|path| path.starts_with("models/ladder"));
    let bytes: u64 =
        ladder.map(|path| root().join(path).metadata().expect("tracked files are there").len()).sum();
    assert!(bytes < LADDER_BYTES, "models/ladder is {bytes} bytes, at most {LADDER_BYTES}");
}

/// Files of ours with one of these endings, relative to the root: of git where there is git, else of the members' folders.
fn sources(endings: &[&str]) -> Vec<PathBuf> {
    let wanted =
        |path: &PathBuf| path.extension().is_some_and(|end| endings.iter().any(|e| OsStr::new(e) == end));
    let files = tracked().unwrap_or_else(|| {
        let mut files = Vec::new();
        packages().iter().for_each(|package| walk(&package.folder, &mut files));
        files
    });
    let files: Vec<_> = files.into_iter().filter(wanted).collect();
    assert!(files.len() > 20, "only {} sources found", files.len());
    files
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in root().join(folder).read_dir().expect("members' folders can be listed") {
        let entry = entry.expect("members' folders can be listed");
        let path = folder.join(entry.file_name());
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let built = ["target", "node_modules"].iter().any(|name| entry.file_name() == *name);
        if entry.path().is_dir() && !hidden && !built {
            walk(&path, files);
        } else if entry.path().is_file() {
            files.push(path);
        }
    }
}
