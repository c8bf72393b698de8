//! Installation through a client that is pretended, as the tests fetch nothing.

use superalign_inference::install::{InstallError, install};

#[test]
fn without_a_client_nothing_is_changed_and_the_reasons_are_told() {
    let home = tempfile::tempdir().expect("a temporary folder");
    // In a process of its own, as the search path is the process's.
    let output = std::process::Command::new(std::env::current_exe().expect("this program"))
        .args(["install::alone", "--nocapture"])
        .env("SUPERALIGN_TEST_HOME", home.path())
        .env("PATH", home.path())
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let left = std::fs::read_dir(home.path().join("onnxruntime")).expect("the folder").count();
    assert_eq!(left, 0);
}

#[test]
fn alone() {
    let Some(home) = std::env::var_os("SUPERALIGN_TEST_HOME") else { return };
    let mut lines = Vec::new();
    let error = install(home.as_ref(), &mut |line| lines.push(line.to_owned())).expect_err("no client");
    assert!(matches!(&error, InstallError::NoClient { attempts } if attempts.len() == 2));
    assert!(error.to_string().contains("ORT_DYLIB_PATH"), "{error}");
    assert_eq!(lines[0], "fetching ONNX Runtime through pip");
}
