//! The binary in a process of its own: a folder, a Ctrl-C, a disk that is full.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Interrupt by the keyboard, as `kill` names it and as a bit of what `/proc` shows.
const SIGINT: (&str, u64) = ("-INT", 1 << 1);

/// Waits until the process has said what is to happen on Ctrl-C; where the system does not tell, a while.
pub(crate) fn wait_until_it_listens(child: &Child) {
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

/// Ctrl-C.
pub(crate) fn interrupt(child: &Child) {
    let told = Command::new("kill").args([SIGINT.0, &child.id().to_string()]).status().unwrap();
    assert!(told.success());
}

/// A folder of the repository.
pub(crate) fn repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// The program with the runtime that is built in, in a folder; what it prints is caught.
pub(crate) fn superalign(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_superalign"));
    command
        .args(arguments)
        .env("SUPERALIGN_RUNTIME", "tract")
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What is in a folder, sorted, hidden files as well.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
