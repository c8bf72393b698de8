//! What a model has answered once is kept by content and not computed again.
//!
//! A cache is a folder that the caller names; within it one folder per model, request and runtime, and in that one
//! file per chunk of answers, complete or absent. Deleting any of it is always safe.

mod segment;

use ndarray::{Array2, ArrayView1};
use segment::{Key, Segment};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use superalign_core::{ChoicePrompt, EmbedRequest, LogLikelihood, Model, ModelCard, ModelError};

/// Texts that are computed and written together. A run that is killed loses at most these.
const CHUNK: usize = 1024;

/// Answers items with the model, as bytes.
type Compute<'a, T> = dyn FnMut(&[T], &mut dyn FnMut(usize) -> bool) -> Result<Vec<Vec<u8>>, ModelError> + 'a;

/// Why a cached computation failed.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The model did not answer.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The answers cannot be kept: no permission, no room.
    #[error("{}: the cache cannot be written: {reason}; free some space or name another folder", path.display())]
    Write {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

/// How a cache has served since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Distinct texts or prompts that were found.
    pub hits: usize,
    /// Distinct texts or prompts that had to be computed.
    pub misses: usize,
}

/// Answers of models, kept in a folder.
///
/// The key of an answer is a BLAKE3 hash of what it depends on: the model's digest (graph, weights, tokenizer,
/// configuration), the kind of runtime, the precision, pooling and layer, and the text.
#[derive(Debug)]
pub struct FeatureCache {
    folder: PathBuf,
    stats: RefCell<CacheStats>,
    warnings: RefCell<Vec<String>>,
}

impl FeatureCache {
    /// A cache in `folder`, which is made when something is first written.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), stats: RefCell::default(), warnings: RefCell::default() }
    }

    /// How it has served so far.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        *self.stats.borrow()
    }

    /// Takes the warnings collected so far: damaged files, which were removed and computed again.
    #[must_use]
    pub fn take_warnings(&self) -> Vec<String> {
        self.warnings.take()
    }

    /// Finds what it has of `keys` in the set of that name.
    fn find(&self, set: &str, keys: &[Key]) -> HashMap<Key, Vec<u8>> {
        let mut found = HashMap::new();
        let wanted: std::collections::HashSet<&Key> = keys.iter().collect();
        let folder = self.folder.join(set);
        let Ok(entries) = std::fs::read_dir(&folder) else { return found };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == segment::EXTENSION));
        // In a fixed order, so that of two answers to the same question the same one is found each time.
        paths.sort();
        for path in paths {
            match Segment::read(&path) {
                Ok(segment) => {
                    for (key, answer) in segment.answers {
                        if wanted.contains(&key) {
                            found.entry(key).or_insert(answer);
                        }
                    }
                }
                Err(reason) => {
                    let removed = if std::fs::remove_file(&path).is_ok() { "removed" } else { "ignored" };
                    self.warnings.borrow_mut().push(format!(
                        "{}: {reason}; {removed}, its answers are computed again",
                        path.display()
                    ));
                }
            }
        }
        found
    }

    fn store(&self, set: &str, segment: &Segment) -> Result<(), CacheError> {
        let folder = self.folder.join(set);
        segment
            .write(&folder)
            .map_err(|error| CacheError::Write { path: folder.clone(), reason: error.to_string() })
    }

    /// Answers `items` from the set, computing what is missing chunk by chunk.
    ///
    /// The chunks are cut from the distinct items in the order of the request, found or not, and a chunk of which
    /// anything is missing is computed whole. So a text is always computed in the same company, and a run that was
    /// killed continues with the very bits of one that was not.
    fn answer<T: Copy>(
        &self,
        set: &str,
        items: &[T],
        key: impl Fn(T) -> Key,
        compute: &mut Compute<'_, T>,
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<Vec<u8>>, CacheError> {
        let keys: Vec<Key> = items.iter().map(|item| key(*item)).collect();
        let mut found = self.find(set, &keys);
        let mut seen = std::collections::HashSet::new();
        let distinct: Vec<usize> = (0..items.len()).filter(|&at| seen.insert(keys[at])).collect();
        let hits = distinct.iter().filter(|&&at| found.contains_key(&keys[at])).count();
        {
            let mut stats = self.stats.borrow_mut();
            stats.hits += hits;
            stats.misses += distinct.len() - hits;
        }
        // Repeats of a text are answered with it: progress is told in items of the request.
        let scale = |finished: usize| finished * items.len() / distinct.len().max(1);
        let mut finished = 0;
        for chunk in distinct.chunks(CHUNK) {
            if chunk.iter().any(|&at| !found.contains_key(&keys[at])) {
                let texts: Vec<T> = chunk.iter().map(|&at| items[at]).collect();
                let answers =
                    compute(&texts, &mut |part| done(scale(finished + part))).map_err(
                        |error| match error {
                            ModelError::Input { index, reason } => ModelError::Input {
                                index: chunk.get(index).copied().unwrap_or(index),
                                reason,
                            },
                            other => other,
                        },
                    )?;
                let fresh = chunk.iter().zip(answers).filter(|(at, _)| !found.contains_key(&keys[**at]));
                let segment = Segment { answers: fresh.map(|(&at, answer)| (keys[at], answer)).collect() };
                self.store(set, &segment)?;
                found.extend(segment.answers);
            } else if !done(scale(finished + chunk.len())) {
                return Err(ModelError::Stopped.into());
            }
            finished += chunk.len();
        }
        Ok(keys.iter().map(|key| found.get(key).cloned().unwrap_or_default()).collect())
    }
}

/// The folder for one model, request, runtime and kind of device; the version of the runtime is not part of it.
fn set_name(card: &ModelCard, request: &str) -> String {
    let kind = card.runtime.split_whitespace().next().unwrap_or_default();
    let kind = if card.runtime.contains(" on cuda") { format!("{kind} on cuda") } else { kind.to_owned() };
    let kind = kind.as_str();
    let mut hasher = blake3::Hasher::new();
    for part in [card.digest.as_str(), kind, "f32", request] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    let name: String =
        card.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(40).collect();
    format!("{name}-{}", &hasher.finalize().to_hex()[..16])
}

fn key_of<'a>(parts: impl Iterator<Item = &'a str>) -> Key {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// [`Model::embed`], answered from the cache where it can be.
///
/// Returns shape `(texts, width)`, in the order given. `done` is told how many texts are finished, found ones
/// included.
///
/// # Errors
/// [`CacheError::Model`] as [`Model::embed`]; [`CacheError::Write`] when new answers cannot be kept. What was
/// finished before is kept.
pub fn embed_cached(
    model: &mut dyn Model,
    cache: &FeatureCache,
    texts: &[&str],
    request: EmbedRequest,
    done: &mut dyn FnMut(usize) -> bool,
) -> Result<Array2<f32>, CacheError> {
    let width = model.card().width;
    let set = set_name(model.card(), &format!("{request:?}"));
    let mut compute = |texts: &[&str], done: &mut dyn FnMut(usize) -> bool| {
        let vectors = model.embed(texts, request, done)?;
        Ok(vectors.outer_iter().map(|vector| floats_to_bytes(&vector)).collect())
    };
    let answers = cache.answer(&set, texts, |text| key_of([text].into_iter()), &mut compute, done)?;
    let mut vectors = Array2::zeros((texts.len(), width));
    for (mut row, answer) in vectors.outer_iter_mut().zip(&answers) {
        for (value, bytes) in row.iter_mut().zip(answer.chunks_exact(4)) {
            *value = f32::from_le_bytes(bytes.try_into().unwrap_or_default());
        }
    }
    Ok(vectors)
}

/// [`Model::choice_log_likelihoods`], answered from the cache where it can be.
///
/// # Errors
/// As [`embed_cached`].
pub fn choices_cached(
    model: &mut dyn Model,
    cache: &FeatureCache,
    prompts: &[ChoicePrompt],
    done: &mut dyn FnMut(usize) -> bool,
) -> Result<Vec<Vec<LogLikelihood>>, CacheError> {
    let set = set_name(model.card(), "choices");
    let borrowed: Vec<&ChoicePrompt> = prompts.iter().collect();
    let mut compute = |prompts: &[&ChoicePrompt], done: &mut dyn FnMut(usize) -> bool| {
        let owned: Vec<ChoicePrompt> = prompts.iter().map(|prompt| (*prompt).clone()).collect();
        let answers = model.choice_log_likelihoods(&owned, done)?;
        Ok(answers.iter().map(|choices| likelihoods_to_bytes(choices)).collect())
    };
    let key = |prompt: &ChoicePrompt| {
        key_of(std::iter::once(prompt.prefix.as_str()).chain(prompt.choices.iter().map(String::as_str)))
    };
    let answers = cache.answer(&set, &borrowed, key, &mut compute, done)?;
    let eight = |bytes: &[u8]| <[u8; 8]>::try_from(bytes).unwrap_or_default();
    let read = |bytes: &[u8]| LogLikelihood {
        sum: f64::from_le_bytes(eight(&bytes[..8])),
        tokens: usize::try_from(u64::from_le_bytes(eight(&bytes[8..]))).unwrap_or(usize::MAX),
    };
    Ok(answers.iter().map(|answer| answer.chunks_exact(16).map(read).collect()).collect())
}

fn floats_to_bytes(vector: &ArrayView1<'_, f32>) -> Vec<u8> {
    vector.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn likelihoods_to_bytes(choices: &[LogLikelihood]) -> Vec<u8> {
    let one =
        |choice: &LogLikelihood| [choice.sum.to_le_bytes(), (choice.tokens as u64).to_le_bytes()].concat();
    choices.iter().flat_map(one).collect()
}
