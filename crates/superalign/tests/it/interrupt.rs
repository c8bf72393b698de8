//! Ctrl-C.

use crate::process::{interrupt, names, repository, superalign, wait_until_it_listens};
use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Measures a file with far too many resamples, stops that after a while, and returns the exit code.
fn interrupted(folder: &Path, more: &[&str], after: Duration) -> Option<i32> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_superalign"))
        .args(["measure", "votes.csv", "--draws", "100000000"])
        .args(more)
        .current_dir(folder)
        .stdout(File::create(folder.join("out")).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until_it_listens(&child);
    std::thread::sleep(after);
    interrupt(&child);
    child.wait().unwrap().code()
}

#[test]
fn ctrl_c_ends_measure_with_130_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let votes = (0..400_000_u32).fold("item,annotator,label\n".to_owned(), |mut text, vote| {
        _ = writeln!(text, "{},{},{}", vote / 5, vote % 5, vote.wrapping_mul(2_654_435_761) >> 30);
        text
    });
    std::fs::write(folder.path().join("votes.csv"), votes).unwrap();
    // While it reads, and while it measures.
    for after in [Duration::ZERO, Duration::from_millis(700)] {
        for more in [&[][..], &["--json"]] {
            assert_eq!(interrupted(folder.path(), more, after), Some(130), "{after:?} {more:?}");
            assert_eq!(folder.path().join("out").metadata().unwrap().len(), 0);
            let left: Vec<_> =
                folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(left.len(), 2, "{left:?}");
        }
    }
}

/// Stops a command that reads `in.jsonl` after a while, and returns its exit code and what it said.
fn stopped(folder: &Path, arguments: &[&str], after: Duration) -> (Option<i32>, String) {
    let child = superalign(folder, arguments).spawn().unwrap();
    wait_until_it_listens(&child);
    std::thread::sleep(after);
    interrupt(&child);
    let done = child.wait_with_output().unwrap();
    (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
}

#[test]
fn ctrl_c_ends_generate_with_130_and_keeps_whole_lines_under_another_name() {
    let folder = tempfile::tempdir().unwrap();
    let rows = (0..20_000).fold(String::new(), |mut text, n| {
        _ = writeln!(text, "{{\"prompt\": \"ask {n}\"}}");
        text
    });
    std::fs::write(folder.path().join("in.jsonl"), rows).unwrap();
    let rung = repository("models/ladder/rung-0").display().to_string();
    let command = [
        "generate",
        "in.jsonl",
        "--model",
        &rung,
        "--max-tokens",
        "40",
        "--end-token",
        "ignore",
        "-o",
        "out.jsonl",
    ];
    for after in [Duration::ZERO, Duration::from_millis(1500)] {
        let (code, said) = stopped(folder.path(), &command, after);
        assert_eq!(code, Some(130), "{said}");
        assert!(said.contains("completions are in out.jsonl.part; the same command begins again"), "{said}");
        assert_eq!(names(folder.path()), ["in.jsonl", "out.jsonl.part"]);
        let part = std::fs::read_to_string(folder.path().join("out.jsonl.part")).unwrap();
        assert!(part.is_empty() || part.ends_with("}\n"), "a line is whole");
        std::fs::remove_file(folder.path().join("out.jsonl.part")).unwrap();
    }
}

#[test]
fn ctrl_c_ends_score_with_130_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let rows = (0..200_000).fold(String::new(), |mut text, n| {
        _ = writeln!(text, "{{\"prompt\": \"ask {n} has many\", \"response\": \" say {n} and no more\"}}");
        text
    });
    std::fs::write(folder.path().join("in.jsonl"), rows).unwrap();
    let rung = repository("models/ladder/rung-0").display().to_string();
    for out in ["out.csv", "out.jsonl", "out.parquet"] {
        for after in [Duration::ZERO, Duration::from_millis(900)] {
            let (code, said) =
                stopped(folder.path(), &["score", "in.jsonl", "--model", &rung, "-o", out], after);
            assert_eq!(code, Some(130), "{said}");
            assert!(said.contains("nothing is written; the same command begins again"), "{said}");
            assert_eq!(names(folder.path()), ["in.jsonl"]);
        }
    }
}
