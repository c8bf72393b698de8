//! A folder with the files of a command's test.

use std::path::PathBuf;
use tempfile::TempDir;

/// A folder that is gone when the test is over.
pub(super) struct Folder(TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name).display().to_string()
    }

    /// A text without the folder's own name, which is another one in every run.
    pub(super) fn hide(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// A small reward model in a folder of that one: a head on the ladder's smallest rung.
pub(super) fn reward_model(folder: &Folder) -> String {
    let model = folder.path("reward");
    std::fs::create_dir(&model).unwrap();
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (head, rung) = ("superalign-inference/tests/golden/reward", "../models/ladder/rung-0");
    for (from, name) in [
        (head, "model.onnx"),
        (head, "config.json"),
        (head, "chat_template.jinja"),
        (rung, "model.safetensors"),
        (rung, "tokenizer.json"),
        (rung, "tokenizer_config.json"),
    ] {
        std::fs::copy(crates.join(from).join(name), model.join(name)).unwrap();
    }
    model.display().to_string()
}
