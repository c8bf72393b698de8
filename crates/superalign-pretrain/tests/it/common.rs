//! A tiny language and a tiny ladder for the tests.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use superalign_pretrain::{Job, Ladder};

/// Two rungs, a few thousand tokens.
pub(crate) const LADDER: &str = r#"
seed = 7

[training]
tokens = 6_000
batch_tokens = 600
positions = 64
checkpoint_every = 4
warmup_fraction = 0.1
focus_after = ["is"]
background_weight = 0.5

[[rung]]
name = "small"
layers = 2
width = 16
heads = 2
feed_forward = 24
learning_rate = 1e-2

[[rung]]
name = "large"
layers = 3
width = 24
heads = 3
feed_forward = 40
learning_rate = 5e-3
"#;

/// Files of one test, removed when it ends.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// Writes tokenizer and corpus: sums modulo ten, spelled out.
    pub(crate) fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        let mut words: Vec<String> =
            ["<bos>", "<eos>", "plus", "is", ".", "yes", "no"].map(String::from).into();
        words.extend((0..10).map(|i| i.to_string()));
        let vocabulary: serde_json::Map<_, _> =
            words.iter().enumerate().map(|(i, word)| (word.clone(), i.into())).collect();
        let tokenizer = serde_json::json!({"model": {"type": "WordLevel", "vocab": vocabulary}});
        std::fs::write(place.path("tokenizer.json"), tokenizer.to_string()).unwrap();
        let mut corpus = String::new();
        for i in 0..120_usize {
            for j in 0..1 + i % 7 {
                let (a, b) = ((i * 7 + j * 3) % 10, (i + j * j) % 10);
                write!(corpus, "{a} plus {b} is {} . ", (a + b) % 10).unwrap();
            }
            corpus.push('\n');
        }
        std::fs::write(place.path("corpus.txt"), corpus).unwrap();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A job on these files that works and writes in folders of that name.
    pub(crate) fn job<'a>(&self, ladder: &'a Ladder, rung: &str, name: &str, threads: usize) -> Job<'a> {
        Job {
            ladder,
            rung: ladder.rung(rung).unwrap(),
            corpus: self.path("corpus.txt"),
            tokenizer: self.path("tokenizer.json"),
            work: self.path(&format!("{name}-work")),
            out: self.path(name),
            threads: NonZeroUsize::new(threads).unwrap(),
        }
    }
}

/// An error's text without the test's folder.
pub(crate) fn text(error: impl std::fmt::Display, place: &Place) -> String {
    let folder: &Path = place.folder.path();
    error.to_string().replace(&folder.display().to_string(), "[folder]")
}

/// The ladder of [`LADDER`].
pub(crate) fn ladder() -> Ladder {
    Ladder::parse(LADDER).unwrap()
}
