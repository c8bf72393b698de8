//! Finding and refusing runtimes; and the tests of models once more on ONNX Runtime.

use crate::support::ON_ONNX_RUNTIME;
use std::path::{Path, PathBuf};
use std::process::Command;
use superalign_inference::{Runtime, RuntimeChoice, RuntimeError, RuntimeSettings};

/// What a search for ONNX Runtime says that finds nothing usable.
const NOT_FOUND: &str = "not found: ONNX Runtime";
/// Set in a process that runs one test of `alone`.
const ALONE: &str = "SUPERALIGN_TEST_ALONE";

/// Runs tests of this very program in a process of their own, as a process has one runtime; what it printed.
///
/// The `expected` number of tests must pass there.
fn again(arguments: &[&str], variable: &str, expected: usize) -> String {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    let output = command
        .args(arguments)
        .arg("--nocapture")
        .env_remove("SUPERALIGN_RUNTIME")
        .env(variable, "1")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let passed = format!("test result: ok. {expected} passed");
    assert!(output.status.success() && said.contains(&passed), "{said}");
    said.into_owned()
}

fn alone(test: &str) -> String {
    again(&[&format!("runtimes::alone::{test}"), "--exact"], ALONE, 1)
}

/// A library that says it is ONNX Runtime of that version; `table` is the value that it answers with.
fn pretended(folder: &Path, version: &str) -> PathBuf {
    let source = folder.join("pretended.rs");
    let library = folder.join(format!("libonnxruntime.so.{version}"));
    let code = format!(
        "#[repr(C)] pub struct Base(extern \"C\" fn(u32) -> *const u8, extern \"C\" fn() -> *const u8);\n\
         extern \"C\" fn api(_: u32) -> *const u8 {{ std::ptr::null() }}\n\
         extern \"C\" fn version() -> *const u8 {{ b\"{version}\\0\".as_ptr() }}\n\
         static BASE: Base = Base(api, version);\n\
         #[unsafe(no_mangle)] pub extern \"C\" fn OrtGetApiBase() -> *const Base {{ &BASE }}\n"
    );
    std::fs::write(&source, code).expect("written");
    let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
    let built = Command::new(rustc)
        .args(["--edition=2024", "--crate-type=cdylib", "-o"])
        .args([&library, &source])
        .output()
        .expect("rustc runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    library
}

/// A library that loads well and is of something else.
fn other_library(folder: &Path) -> PathBuf {
    let (source, library) = (folder.join("other.rs"), folder.join("libother.so"));
    std::fs::write(&source, "#[unsafe(no_mangle)] pub extern \"C\" fn other() -> u32 { 1 }\n")
        .expect("written");
    let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
    let built = Command::new(rustc)
        .args(["--edition=2024", "--crate-type=cdylib", "-o"])
        .args([&library, &source])
        .output()
        .expect("rustc runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    library
}

/// Settings that find only the library named.
fn named(library: &Path, choice: RuntimeChoice) -> RuntimeSettings {
    RuntimeSettings { choice, library: Some(library.to_path_buf()), home: None, python: None }
}

fn refusal(settings: &RuntimeSettings, folder: &Path) -> String {
    let error = Runtime::start(settings).expect_err("no runtime");
    assert!(matches!(error, RuntimeError::NotFound { .. }));
    error.to_string().replace(&folder.display().to_string(), "FOLDER")
}

#[test]
fn libraries_that_cannot_be_used_are_refused_with_a_reason() {
    alone("refused");
}

#[test]
fn a_bad_library_named_by_the_user_is_told_and_tract_runs() {
    alone("passed_over");
}

#[test]
fn parity_holds_on_onnx_runtime_too() {
    if alone("found").contains(NOT_FOUND) {
        eprintln!("skipped: {NOT_FOUND} (set ORT_DYLIB_PATH, or `pip install onnxruntime`)");
        return;
    }
    again(&["parity::", "generation::"], ON_ONNX_RUNTIME, 6 + 11);
    again(&["wild::", "heads::"], ON_ONNX_RUNTIME, 9 + 5);
    alone("measured");
}

#[test]
fn a_card_agrees_with_the_processor() {
    if superalign_inference::cuda_cards().is_empty() {
        eprintln!("skipped: no GPU");
        return;
    }
    alone("on_a_card");
}

#[test]
fn a_process_has_one_runtime() {
    let running = crate::support::runtime();
    let other = match running.kind() {
        superalign_inference::RuntimeKind::Tract => RuntimeChoice::OnnxRuntime,
        superalign_inference::RuntimeKind::OnnxRuntime => RuntimeChoice::Tract,
    };
    let settings = |choice| RuntimeSettings { choice, ..RuntimeSettings::default() };
    assert!(matches!(Runtime::start(&settings(other)), Err(RuntimeError::AlreadyChosen { .. })));
    let same = Runtime::start(&settings(RuntimeChoice::Auto)).expect("the running one");
    assert_eq!(same.name(), running.name());
}

#[test]
fn an_unknown_choice_names_the_known_ones() {
    let error = "onnx".parse::<RuntimeChoice>().expect_err("unknown");
    insta::assert_snapshot!(error, @r#"SUPERALIGN_RUNTIME is "onnx", expected auto, tract or onnxruntime"#);
}

/// Tests that must be the first to start a runtime; `again` runs each in a process of its own.
mod alone {
    use super::{ALONE, NOT_FOUND, named, other_library, pretended, refusal};
    use superalign_inference::{
        DeviceTarget, DeviceWorkload, OnnxModel, OpenOptions, Runtime, RuntimeChoice, RuntimeError,
        RuntimeKind, RuntimeSettings, Source, cuda_cards,
    };

    fn asked_for() -> bool {
        std::env::var_os(ALONE).is_some()
    }

    /// Says whether this machine has an ONNX Runtime. One that the user named must be usable.
    #[test]
    fn found() {
        if !asked_for() {
            return;
        }
        let settings = RuntimeSettings::from_env().expect("a known runtime");
        match Runtime::start(&RuntimeSettings { choice: RuntimeChoice::OnnxRuntime, ..settings }) {
            Ok(runtime) => assert_eq!(runtime.kind(), RuntimeKind::OnnxRuntime),
            Err(RuntimeError::NotFound { rejected })
                if rejected.iter().all(|one| one.source != Source::Named) =>
            {
                eprintln!("{NOT_FOUND}");
            }
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn measured() {
        if !asked_for() {
            return;
        }
        let settings = RuntimeSettings::from_env().expect("a known runtime");
        let runtime = Runtime::start(&RuntimeSettings { choice: RuntimeChoice::OnnxRuntime, ..settings });
        let runtime = runtime.expect("found before");
        let model = OnnxModel::open(&crate::support::golden("decoder"), runtime, &OpenOptions::default());
        let model = model.expect("a model");
        let workload = DeviceWorkload {
            texts: 3,
            tokens: 40,
            time: std::time::Duration::from_millis(5),
            side: 64,
            products: 2,
        };
        let found = model.measure_device(runtime, DeviceTarget::Cpu, &workload).expect("figures");
        assert_eq!((found.batch, found.difference), ([3, 16], 0.0));
        assert!(found.agrees() && found.tokens_per_second > 0.0 && found.peak_gflops > 0.0);
        assert!(found.share() > 0.0 && found.share().is_finite(), "{found:?}");
        // The processor is never used in place of a card that was asked for.
        if cuda_cards().is_empty() {
            let error = model.measure_device(runtime, DeviceTarget::Cuda(0), &workload).expect_err("no card");
            assert!(error.to_string().contains("cuda:0 cannot be used: "), "{error}");
        }
    }

    #[test]
    fn on_a_card() {
        if !asked_for() {
            return;
        }
        let settings = RuntimeSettings::from_env().expect("a known runtime");
        let runtime = Runtime::start(&RuntimeSettings { choice: RuntimeChoice::OnnxRuntime, ..settings });
        let runtime = runtime.expect("ONNX Runtime with its CUDA provider");
        let model = OnnxModel::open(&crate::support::golden("decoder"), runtime, &OpenOptions::default());
        let workload = DeviceWorkload { side: 512, ..DeviceWorkload::of(DeviceTarget::Cuda(0)) };
        let found = model.expect("a model").measure_device(runtime, DeviceTarget::Cuda(0), &workload);
        assert!(found.as_ref().is_ok_and(superalign_inference::DeviceReport::agrees), "{found:?}");
    }

    #[test]
    fn refused() {
        if !asked_for() {
            return;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let refused =
            |path: &std::path::Path| refusal(&named(path, RuntimeChoice::OnnxRuntime), folder.path());
        insta::assert_snapshot!(refused(&pretended(folder.path(), "1.20.1")));
        insta::assert_snapshot!(refused(&pretended(folder.path(), "1.99.0")));
        insta::assert_snapshot!(refused(&pretended(folder.path(), "7.1.0")));
        insta::assert_snapshot!(refused(&folder.path().join("none.so")));
        insta::assert_snapshot!(refused(folder.path()));
        insta::assert_snapshot!(refused(&other_library(folder.path())));
        let text = folder.path().join("libonnxruntime.so");
        let broken: [&[u8]; 3] = [b"no library", b"", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0"];
        for bytes in broken {
            std::fs::write(&text, bytes).expect("written");
            // The rest of the sentence is the system's.
            assert!(
                refused(&text)
                    .contains("FOLDER/libonnxruntime.so (ORT_DYLIB_PATH): not a loadable library: ")
            );
        }
    }

    #[test]
    fn passed_over() {
        if !asked_for() {
            return;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let old = pretended(folder.path(), "1.20.1");
        let runtime = Runtime::start(&named(&old, RuntimeChoice::Auto)).expect("tract at least");
        assert_eq!(runtime.kind(), RuntimeKind::Tract);
        let cleaned = |text: String| text.replace(&folder.path().display().to_string(), "FOLDER");
        insta::assert_snapshot!(cleaned(runtime.warning().expect("a warning")));
        insta::assert_snapshot!(cleaned(runtime.to_string()));
        let mut model = superalign_inference::OnnxModel::open(
            &crate::support::golden("decoder"),
            runtime,
            &superalign_inference::OpenOptions::default(),
        )
        .expect("a model");
        let request = crate::support::request(superalign_core::Pooling::Mean, superalign_core::Layer::Last);
        superalign_core::Model::embed(&mut model, &["yes"], request, &mut |_| true).expect("a vector");
    }
}
