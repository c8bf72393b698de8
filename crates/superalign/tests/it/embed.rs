//! `superalign embed` interrupted and begun again, and without the library that it is to run on.
#![cfg(unix)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn embed(folder: &Path, output: &str) -> Child {
    let rung = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/ladder/rung-0");
    Command::new(env!("CARGO_BIN_EXE_superalign"))
        .args(["embed", "texts.txt", "--runtime", "tract", "--model"])
        .arg(rung)
        .args(["-o", output])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn ctrl_c_keeps_what_is_there_and_the_same_command_goes_on_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let words = ["ask", "many", "say", "zobi", "vipi", "biba"];
    let texts = (0..20_000_usize).fold(String::new(), |mut text, n| {
        _ = writeln!(text, "{} {} {}", words[n % 6], words[n / 6 % 6], words[n / 36 % 6]);
        text
    });
    std::fs::write(folder.join("texts.txt"), texts).unwrap();
    for output in ["out.npy", "out.parquet"] {
        let part = folder.join(format!("{output}.part"));
        let mut child = embed(folder, output);
        let begun = Instant::now();
        // Two windows of three-word texts and the room before them.
        while part.metadata().map_or(0, |meta| meta.len()) < 128 + 2048 * 40 * 4 {
            assert!(begun.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
            std::thread::sleep(Duration::from_millis(1));
        }
        let told = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(told.success());
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(part.exists() && !folder.join(output).exists());
        assert!(embed(folder, output).wait().unwrap().success());
        assert!(folder.join(output).exists() && !part.exists());
        let whole = format!("whole-{output}");
        assert!(embed(folder, &whole).wait().unwrap().success());
        assert!(std::fs::read(folder.join(output)).unwrap() == std::fs::read(folder.join(whole)).unwrap());
    }
}

#[test]
fn a_missing_or_broken_library_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("texts.txt"), "ask many\n").unwrap();
    std::fs::write(folder.join("broken.so"), "no library").unwrap();
    let rung = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/ladder/rung-0");
    for (library, reason) in [("missing.so", "no such file"), ("broken.so", "not a loadable library")] {
        let done = Command::new(env!("CARGO_BIN_EXE_superalign"))
            .args(["embed", "texts.txt", "--runtime", "onnxruntime", "-o", "out.npy", "--model"])
            .arg(&rung)
            .env("ORT_DYLIB_PATH", folder.join(library))
            .current_dir(folder)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert!(said.contains(library) && said.contains(reason), "{said}");
        assert_eq!(folder.read_dir().unwrap().count(), 2);
    }
}
