//! `generate` and `score` where the disk is full or the reader gone.

use crate::process::{names, repository, superalign};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Output};

fn rung() -> String {
    repository("models/ladder/rung-0").display().to_string()
}

/// A folder with prompts and responses.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let rows: String =
        (0..300).map(|n| format!("{{\"prompt\": \"ask {n}\", \"response\": \"say {n}\"}}\n")).collect();
    std::fs::write(folder.path().join("in.jsonl"), rows).unwrap();
    folder
}

fn commands() -> [Vec<String>; 2] {
    let words = |line: &str| line.split(' ').map(str::to_owned).chain([rung()]).collect();
    [words("generate in.jsonl --max-tokens 4 --model"), words("score in.jsonl --join= --model")]
}

fn run(folder: &Path, command: &[String], more: &[&str]) -> Output {
    let arguments: Vec<&str> = command.iter().map(String::as_str).chain(more.iter().copied()).collect();
    superalign(folder, &arguments).output().unwrap()
}

/// Runs the command where no file may grow beyond a few kB: as a full disk, without being one.
fn run_limited(folder: &Path, command: &[String], more: &[&str]) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 4; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_superalign")]);
    shell.args(command).args(more).env("SUPERALIGN_RUNTIME", "tract").current_dir(folder);
    shell.output().unwrap()
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing_half_written() {
    for (command, name) in commands().iter().zip(["generate", "score"]) {
        let folder = folder();
        let whole = run(folder.path(), command, &["-o", "out.jsonl"]);
        assert_eq!(whole.status.code(), Some(0), "{}", String::from_utf8_lossy(&whole.stderr));
        let before = std::fs::read(folder.path().join("out.jsonl")).unwrap();
        assert!(before.len() > 4096, "{name} writes {} bytes", before.len());
        let found = run_limited(folder.path(), command, &["-o", "out.jsonl"]);
        let said = String::from_utf8_lossy(&found.stderr);
        assert_eq!(found.status.code(), Some(1), "{name}: {said}");
        assert!(said.contains("written") && said.contains("File too large"), "{name}: {said}");
        // What was there before is there still, and nothing beside it.
        assert_eq!(std::fs::read(folder.path().join("out.jsonl")).unwrap(), before);
        assert_eq!(names(folder.path()), ["in.jsonl", "out.jsonl"], "{name}");
    }
}

#[test]
fn a_device_that_is_full_is_told() {
    let folder = folder();
    // Where the lines of `generate` are until all are there.
    std::os::unix::fs::symlink("/dev/full", folder.path().join("out.jsonl.part")).unwrap();
    let found = run(folder.path(), &commands()[0], &["-o", "out.jsonl"]);
    let said = String::from_utf8_lossy(&found.stderr);
    assert_eq!(found.status.code(), Some(1), "{said}");
    assert!(said.contains("out.jsonl.part: cannot be written: No space left on device"), "{said}");
    assert_eq!(names(folder.path()), ["in.jsonl"]);
    for (command, more) in commands().iter().flat_map(|command| [(command, &[][..]), (command, &["--json"])])
    {
        let arguments: Vec<&str> = command.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let full = File::options().write(true).open("/dev/full").unwrap();
        let found = superalign(folder.path(), &arguments).stdout(full).output().unwrap();
        let said = String::from_utf8_lossy(&found.stderr);
        assert_eq!(found.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("the output cannot be written: No space left on device"), "{said}");
    }
}

#[test]
fn whoever_stops_reading_is_no_failure() {
    let folder = folder();
    for command in commands() {
        let mut child = superalign(folder.path(), &command.iter().map(String::as_str).collect::<Vec<_>>())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{command:?}");
    }
}
