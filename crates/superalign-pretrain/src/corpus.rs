//! The training text: documents as tokens, and the batches cut from them.

use crate::error::Error;
use crate::tokenizer::Vocabulary;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// A corpus in memory: one document per line of the file, `<bos>` before and `<eos>` after each.
#[derive(Clone, Debug)]
pub struct Corpus {
    tokens: Vec<u32>,
    ends: Vec<usize>,
    digest: String,
}

impl Corpus {
    /// Reads a text file, one document per line; empty lines are skipped.
    ///
    /// # Errors
    /// A file that cannot be read or has no document, an unknown word (with line and column), a document longer
    /// than `positions` tokens.
    pub fn read(path: &Path, vocabulary: &Vocabulary, positions: usize) -> Result<Self, Error> {
        let refuse = |reason: String| Error::Corpus { path: path.to_path_buf(), reason };
        let mut reader = BufReader::with_capacity(1 << 20, File::open(path).map_err(Error::file(path))?);
        let (mut tokens, mut ends) = (Vec::new(), Vec::new());
        let mut hasher = blake3::Hasher::new();
        let mut line = String::new();
        for number in 1_u64.. {
            line.clear();
            if reader.read_line(&mut line).map_err(Error::file(path))? == 0 {
                break;
            }
            hasher.update(line.as_bytes());
            if line.trim().is_empty() {
                continue;
            }
            let start = tokens.len();
            vocabulary.encode(&line, || format!("{}, line {number}", path.display()), &mut tokens)?;
            tokens.push(vocabulary.end());
            if tokens.len() - start > positions {
                return Err(refuse(format!(
                    "line {number} has {} tokens, but the model takes {positions}: shorten the document or raise \
                     training.positions",
                    tokens.len() - start
                )));
            }
            ends.push(tokens.len());
        }
        if ends.is_empty() {
            return Err(refuse("no document: expected one per line".into()));
        }
        tokens.shrink_to_fit();
        Ok(Self { tokens, ends, digest: hasher.finalize().to_hex().to_string() })
    }

    /// Number of documents.
    #[must_use]
    pub fn documents(&self) -> usize {
        self.ends.len()
    }

    /// Number of tokens, with those that open and close documents.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.tokens.len()
    }

    /// BLAKE3 digest of the file, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// A document's tokens.
    #[must_use]
    pub fn document(&self, index: usize) -> &[u32] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.tokens[start..self.ends[index]]
    }
}

/// Which words count fully in the loss.
#[derive(Clone, Debug, PartialEq)]
pub struct Focus {
    /// The tokens after which words count fully.
    pub after: Vec<u32>,
    /// The token up to which they do, itself included.
    pub until: u32,
    /// Weight of all other words.
    pub background: f32,
}

/// One step's documents, ready for [`Documents`](crate::Documents): reused from step to step.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The tokens of all documents.
    pub tokens: Vec<u32>,
    /// Where each document stops.
    pub ends: Vec<usize>,
    /// What each position is to predict: the token after it; the last of a document predicts nothing.
    pub targets: Vec<u32>,
    /// Weight of each position's prediction in the loss; 0 for the last of a document.
    pub weights: Vec<f32>,
}

impl Batch {
    /// Empties the batch and fills it with whole documents from `cursor` on, as many as fit `budget` tokens and at
    /// least one; after the last document comes the first. Returns where the next batch starts.
    pub fn fill(&mut self, corpus: &Corpus, cursor: usize, budget: usize, focus: Option<&Focus>) -> usize {
        self.tokens.clear();
        self.ends.clear();
        self.targets.clear();
        self.weights.clear();
        let mut next = cursor;
        loop {
            let document = corpus.document(next);
            if !self.tokens.is_empty() && self.tokens.len() + document.len() > budget {
                return next;
            }
            self.push(document, focus);
            next = (next + 1) % corpus.documents();
        }
    }

    /// Appends one document.
    pub fn push(&mut self, document: &[u32], focus: Option<&Focus>) {
        let Some((&last, _)) = document.split_last() else { return };
        self.tokens.extend_from_slice(document);
        self.ends.push(self.tokens.len());
        self.targets.extend_from_slice(&document[1..]);
        self.targets.push(last);
        let mut inside = false;
        for pair in document.windows(2) {
            let weight = focus.map_or(1.0, |focus| {
                inside = focus.after.contains(&pair[0]) || (inside && pair[0] != focus.until);
                if inside { 1.0 } else { focus.background }
            });
            self.weights.push(weight);
        }
        self.weights.push(0.0);
    }
}
