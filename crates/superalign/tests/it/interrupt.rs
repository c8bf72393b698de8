//! Ctrl-C.
#![cfg(unix)]

use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Interrupt by the keyboard, as `kill` names it and as a bit of what `/proc` shows.
const SIGINT: (&str, u64) = ("-INT", 1 << 1);

/// Waits until the process has said what is to happen on Ctrl-C; where the system does not tell, a while.
fn wait_until_it_listens(child: &Child) {
    let status = format!("/proc/{}/status", child.id());
    if !Path::new(&status).exists() {
        std::thread::sleep(Duration::from_secs(2));
        return;
    }
    let begun = Instant::now();
    loop {
        let text = std::fs::read_to_string(&status).unwrap();
        let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        if u64::from_str_radix(caught.trim(), 16).unwrap() & SIGINT.1 != 0 {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "it never listens");
        std::thread::sleep(Duration::from_millis(2));
    }
}

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
    let told = Command::new("kill").args([SIGINT.0, &child.id().to_string()]).status().unwrap();
    assert!(told.success());
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
