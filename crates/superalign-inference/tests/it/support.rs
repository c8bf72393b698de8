//! Folders and runtimes for the tests.

use serde::Deserialize;
use std::path::{Path, PathBuf};
use superalign_core::{EmbedRequest, Layer, Pooling};
use superalign_inference::{OnnxModel, OpenOptions, Runtime, RuntimeChoice, RuntimeSettings};

/// Set in the process that `runtimes` starts to run tests once more on ONNX Runtime.
pub(crate) const ON_ONNX_RUNTIME: &str = "SUPERALIGN_TEST_ON_ONNX_RUNTIME";

/// The runtime that these tests run on: tract whatever is installed, but ONNX Runtime where `runtimes` asks for it.
pub(crate) fn runtime() -> &'static Runtime {
    let again = std::env::var_os(ON_ONNX_RUNTIME).is_some();
    let choice = if again { RuntimeChoice::OnnxRuntime } else { RuntimeChoice::Tract };
    let settings = RuntimeSettings { choice, ..RuntimeSettings::from_env().expect("a known runtime") };
    Runtime::start(&settings).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// A path among the shared files, which are not part of the repository.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SUPERALIGN_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: not found: {}", path.display());
    None
}

pub(crate) fn open(folder: &Path, options: &OpenOptions) -> OnnxModel {
    OnnxModel::open(folder, runtime(), options).expect("a model that opens")
}

/// A copy of a golden folder, to be spoiled.
pub(crate) fn copy_of(name: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a temporary folder");
    for entry in std::fs::read_dir(golden(name)).expect("a golden folder").flatten() {
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).expect("copied");
    }
    copy
}

pub(crate) const fn request(pooling: Pooling, layer: Layer) -> EmbedRequest {
    EmbedRequest { pooling, layer }
}

#[derive(Deserialize)]
pub(crate) struct Reference {
    pub(crate) texts: Vec<Text>,
    pub(crate) prompts: Vec<Prompt>,
    merged: Vec<f32>,
}

#[derive(Deserialize)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) last_token: Vec<Vec<f32>>,
    pub(crate) mean: Vec<Vec<f32>>,
    pub(crate) encoder_mean: Vec<f32>,
}

#[derive(Deserialize)]
pub(crate) struct Prompt {
    pub(crate) prefix: String,
    pub(crate) choices: Vec<String>,
    pub(crate) sums: Vec<f64>,
}

pub(crate) fn reference() -> Reference {
    let text = std::fs::read_to_string(golden("reference.json")).expect("the reference");
    serde_json::from_str(&text).expect("the reference, readable")
}

/// The largest difference between two vectors.
pub(crate) fn distance<'a>(
    a: impl IntoIterator<Item = &'a f32>,
    b: impl IntoIterator<Item = &'a f32>,
) -> f32 {
    let (a, b): (Vec<_>, Vec<_>) = (a.into_iter().collect(), b.into_iter().collect());
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (*a - b).abs()).fold(0.0, f32::max)
}

/// Log-likelihoods of `yes` and `no` after `?` by the golden model `merged`, its cache off.
pub(crate) fn merged_logits() -> Vec<f32> {
    reference().merged
}
