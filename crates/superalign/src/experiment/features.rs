//! Reading the texts: one matrix of features per rung and part, and likelihoods where an experiment asks for some.
//!
//! Texts are read in blocks, and a block is cached by the content of all its texts: the last digits of a
//! vector may depend on what else was in the batch, so a block gives the same bytes whoever reads it first.

use crate::plan::{Part, Plan, Rung};
use crate::progress::Progress;
use ndarray::{Array2, ArrayView2, s};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use superalign_core::{ChoicePrompt, EmbedRequest, LogLikelihood, Model, ModelError};
use superalign_inference::{CacheError, FeatureCache, choices_cached, embed_cached};
use superalign_paradigm::self_enhancement::verdict_prompts;

/// Texts per block.
const BLOCK: usize = 512;

/// How texts are read.
#[derive(Debug)]
pub struct Reading<'a> {
    /// Folder of cached features.
    pub cache: &'a Path,
    /// Where progress is shown.
    pub progress: &'a Progress,
    /// Becomes true when the user wants to stop.
    pub stop: &'a AtomicBool,
}

/// Why reading ended early. A model that fails is no such reason: its cells fail.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The user wants to stop.
    #[error("stopped on request")]
    Stopped,
    /// Features cannot be kept.
    #[error(transparent)]
    Cache(CacheError),
}

/// The features of one rung.
#[derive(Clone, Debug)]
pub struct Features {
    parts: Vec<(&'static str, Result<Array2<f32>, String>)>,
    answers: Vec<(&'static str, Result<Answers, String>)>,
}

/// Likelihoods of the choices of each prompt.
type Answers = Vec<Vec<LogLikelihood>>;

/// Prompts with choices whose likelihoods an experiment asks for, by name.
pub type Questions = Vec<(&'static str, Vec<ChoicePrompt>)>;

/// What asks a model for its verdict on each item of a part: the good one comes first.
pub(super) fn verdicts_on(part: &Part, verdicts: [&str; 2]) -> Vec<ChoicePrompt> {
    let texts: Vec<&str> = part.items.iter().map(|item| item.text.as_str()).collect();
    verdict_prompts(&texts, &verdicts.map(|verdict| format!(" {verdict}")))
}

impl Features {
    /// The features of a part's items, `(items, width)`; or why the rung has none.
    ///
    /// # Errors
    /// The model failed on that part, or the plan has no such part.
    pub fn part(&self, name: &str) -> Result<ArrayView2<'_, f32>, String> {
        let found = self.parts.iter().find(|(part, _)| *part == name);
        let (_, features) = found.ok_or_else(|| format!("the plan lacks the part {name}"))?;
        features.as_ref().map(|f| f.view()).map_err(Clone::clone)
    }

    /// The likelihoods of the choices of the prompts of that name; or why the rung has none.
    ///
    /// # Errors
    /// The model failed on them, or the experiment does not ask for them.
    pub fn answers(&self, name: &str) -> Result<&[Vec<LogLikelihood>], String> {
        let found = self.answers.iter().find(|(question, _)| *question == name);
        let (_, answers) = found.ok_or_else(|| format!("nobody asked for the likelihoods of {name}"))?;
        answers.as_deref().map_err(Clone::clone)
    }
}

/// Reads every part with every rung.
///
/// # Errors
/// The user stopped, or the cache cannot be written.
pub fn read_features(
    plan: &Plan,
    parts: &[Part],
    models: &mut [Box<dyn Model>],
    rungs: &[Rung],
    reading: &Reading<'_>,
) -> Result<Vec<Features>, ReadError> {
    let questions = plan.design.experiment().questions(parts);
    let total = parts.iter().map(|p| p.items.len()).chain(questions.iter().map(|q| q.1.len())).sum();
    let mut all = Vec::new();
    for (rung, plan) in rungs.iter().zip(&plan.rungs) {
        let stage = reading.progress.stage(format!("{}: reading", plan.name), total);
        let request = EmbedRequest { pooling: plan.pooling, layer: plan.layer };
        let mut before = 0;
        let mut features = Vec::new();
        for part in parts {
            let texts: Vec<&str> = part.items.iter().map(|i| i.text.as_str()).collect();
            let mut done = |n: usize| {
                stage.set(before + n);
                !reading.stop.load(Ordering::Relaxed)
            };
            let read =
                match read_blocks(models[rung.model].as_mut(), &texts, request, reading.cache, &mut done) {
                    Ok(matrix) => Ok(matrix),
                    Err(CacheError::Model(ModelError::Stopped)) => return Err(ReadError::Stopped),
                    Err(CacheError::Model(error)) => Err(error.to_string()),
                    Err(error) => return Err(ReadError::Cache(error)),
                };
            features.push((part.name, read));
            before += texts.len();
            stage.set(before);
        }
        let mut answers = Vec::new();
        for (name, prompts) in &questions {
            let mut done = |n: usize| {
                stage.set(before + n);
                !reading.stop.load(Ordering::Relaxed)
            };
            let read = match ask_blocks(models[rung.model].as_mut(), prompts, reading.cache, &mut done) {
                Ok(said) => Ok(said),
                Err(CacheError::Model(ModelError::Stopped)) => return Err(ReadError::Stopped),
                Err(CacheError::Model(error)) => Err(error.to_string()),
                Err(error) => return Err(ReadError::Cache(error)),
            };
            answers.push((*name, read));
            before += prompts.len();
            stage.set(before);
        }
        all.push(Features { parts: features, answers });
    }
    Ok(all)
}

fn read_blocks(
    model: &mut dyn Model,
    texts: &[&str],
    request: EmbedRequest,
    cache: &Path,
    done: &mut dyn FnMut(usize) -> bool,
) -> Result<Array2<f32>, CacheError> {
    let mut matrix = Array2::zeros((texts.len(), model.card().width));
    for (i, block) in texts.chunks(BLOCK).enumerate() {
        let start = i * BLOCK;
        let folder = block_folder(cache, block.iter().copied());
        if !done(start) {
            return Err(ModelError::Stopped.into());
        }
        let vectors =
            embed_cached(model, &FeatureCache::new(&folder), block, request, &mut |n| done(start + n))?;
        matrix.slice_mut(s![start..start + block.len(), ..]).assign(&vectors);
    }
    Ok(matrix)
}

/// The likelihoods of the choices of prompts, block by block from the cache where it has them.
pub(super) fn ask_blocks(
    model: &mut dyn Model,
    prompts: &[ChoicePrompt],
    cache: &Path,
    done: &mut dyn FnMut(usize) -> bool,
) -> Result<Answers, CacheError> {
    let mut all = Vec::with_capacity(prompts.len());
    for (i, block) in prompts.chunks(BLOCK).enumerate() {
        let start = i * BLOCK;
        let texts = block
            .iter()
            .flat_map(|p| [p.prefix.as_str()].into_iter().chain(p.choices.iter().map(String::as_str)));
        let folder = block_folder(cache, texts);
        if !done(start) {
            return Err(ModelError::Stopped.into());
        }
        all.extend(choices_cached(model, &FeatureCache::new(&folder), block, &mut |n| done(start + n))?);
    }
    Ok(all)
}

/// Where the answers to a block of texts are cached.
fn block_folder<'a>(cache: &Path, texts: impl Iterator<Item = &'a str>) -> PathBuf {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
    cache.join(&hasher.finalize().to_hex()[..16])
}
