//! A rung's training from the first step to the saved folder, with checkpoints on the way.

use crate::checkpoint::{self, Identity, LossRecord, Progress};
use crate::config::{Ladder, Rung};
use crate::corpus::{Batch, Corpus, Focus};
use crate::curve;
use crate::error::{Error, write_whole};
use crate::model::Model;
use crate::optimiser::{AdamW, learning_rate};
use crate::step::Stepper;
use crate::tokenizer::Vocabulary;
use crate::weights;
use serde_json::json;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Steps that the reported final loss is a mean of.
const FINAL_STEPS: usize = 100;

/// What to train, and where.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The ladder.
    pub ladder: &'a Ladder,
    /// The rung of it.
    pub rung: &'a Rung,
    /// Text file, one document per line.
    pub corpus: PathBuf,
    /// The `tokenizer.json` of the text.
    pub tokenizer: PathBuf,
    /// Folder for checkpoint and loss curve.
    pub work: PathBuf,
    /// Folder for the finished model.
    pub out: PathBuf,
    /// Number of threads; the result does not depend on it.
    pub threads: NonZeroUsize,
}

/// A step's news, for progress bars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// Steps done.
    pub step: u64,
    /// Tokens trained on.
    pub tokens: u64,
    /// Tokens in all.
    pub budget: u64,
    /// Loss of the step, in nats.
    pub loss: f64,
    /// Learning rate of the step.
    pub learning_rate: f64,
}

/// What the caller wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Another step.
    GoOn,
    /// A checkpoint, and the end for now.
    Stop,
}

/// How a call of [`train`] ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// The model is in its folder; the mean loss of the last steps.
    Finished {
        /// Mean loss of the last 100 steps, in nats.
        loss: f64,
    },
    /// Stopped on request; the same call continues.
    Stopped {
        /// Steps done so far.
        step: u64,
    },
}

/// Trains a rung, continuing from the checkpoint in the work folder where there is one.
///
/// The result is the same to the bit with or without interruptions, and for any number of threads, on one kind of
/// processor (another instruction set may round otherwise).
///
/// # Errors
/// Files that are missing or wrong, a checkpoint of another run, a loss that is no longer finite.
pub fn train(job: &Job<'_>, observe: &mut dyn FnMut(&Report) -> Then) -> Result<Outcome, Error> {
    let Job { ladder, rung, .. } = job;
    let settings = &ladder.training;
    let vocabulary = Vocabulary::read(&job.tokenizer)?;
    let focus = focus(job, &vocabulary)?;
    let shape = rung.shape(vocabulary.size(), settings.positions).check()?;
    let corpus = Corpus::read(&job.corpus, &vocabulary, settings.positions)?;
    let identity = Identity {
        seed: ladder.seed.value(),
        settings: json!({"rung": rung, "training": settings}),
        shape,
        corpus: corpus.digest().to_string(),
    };
    std::fs::create_dir_all(&job.work).map_err(Error::file(&job.work))?;
    let place = job.work.join("checkpoint.safetensors");
    let (mut progress, model, optimiser) = match checkpoint::read(&place, &identity, settings.weight_decay)? {
        Some(saved) => (saved.progress, Model::from_parameters(shape, saved.parameters)?, saved.optimiser),
        None => {
            let seed = ladder.seed.named("pretrain").named(&rung.name);
            (Progress::default(), Model::new(shape, seed)?, AdamW::new(&shape, settings.weight_decay))
        }
    };
    let mut stepper = Stepper::new(model, optimiser, rung.lanes, job.threads);
    let mut batch = Batch::default();
    let seen = |progress: &Progress| progress.losses.last().map_or(0, |r| r.tokens);
    while seen(&progress) < settings.tokens {
        progress.cursor = batch.fill(&corpus, progress.cursor, settings.batch_tokens, focus.as_ref());
        let tokens = seen(&progress) + batch.tokens.len() as u64;
        let used = tokens as f64 / settings.tokens as f64;
        let rate = learning_rate(rung.learning_rate, settings.warmup_fraction, used);
        let done = stepper.step(&batch, rate);
        let step = progress.losses.len() as u64 + 1;
        if !done.loss.is_finite() || !done.gradient_norm.is_finite() {
            return Err(Error::Diverged { step });
        }
        progress.losses.push(LossRecord {
            tokens,
            loss: done.loss,
            learning_rate: rate,
            gradient_norm: done.gradient_norm,
        });
        let report = Report { step, tokens, budget: settings.tokens, loss: done.loss, learning_rate: rate };
        let then = observe(&report);
        if then == Then::Stop || step.is_multiple_of(settings.checkpoint_every) || tokens >= settings.tokens {
            checkpoint::write(&place, &identity, &progress, stepper.model(), stepper.optimiser())?;
            curve::write(&job.work, &format!("{}: training loss", rung.name), &progress.losses)?;
        }
        if then == Then::Stop && tokens < settings.tokens {
            return Ok(Outcome::Stopped { step });
        }
    }
    finish(job, stepper.into_model(), &identity, &progress)
}

fn focus(job: &Job<'_>, vocabulary: &Vocabulary) -> Result<Option<Focus>, Error> {
    let settings = &job.ladder.training;
    if settings.focus_after.is_empty() {
        return Ok(None);
    }
    let number = |key: &str, word: &String| {
        vocabulary.number(word).ok_or_else(|| Error::Tokenizer {
            path: job.tokenizer.clone(),
            reason: format!("training.{key} names `{word}`, which is not in the vocabulary"),
        })
    };
    let after =
        settings.focus_after.iter().map(|word| number("focus_after", word)).collect::<Result<_, _>>()?;
    let until = number("focus_until", &settings.focus_until)?;
    Ok(Some(Focus { after, until, background: settings.background_weight as f32 }))
}

/// Rounds the weights, writes the folder and the record of how it came about.
fn finish(
    job: &Job<'_>,
    mut model: Model<f32>,
    identity: &Identity,
    progress: &Progress,
) -> Result<Outcome, Error> {
    weights::round_to_half(&mut model);
    weights::save(&model, &job.tokenizer, &job.out)?;
    let last = &progress.losses[progress.losses.len().saturating_sub(FINAL_STEPS)..];
    let loss = last.iter().map(|r| r.loss).sum::<f64>() / last.len().max(1) as f64;
    let record = json!({
        "name": job.rung.name,
        "seed": identity.seed,
        "parameters": identity.shape.parameters(),
        "settings": identity.settings,
        "corpus_blake3": identity.corpus,
        "steps": progress.losses.len(),
        "tokens": progress.losses.last().map_or(0, |r| r.tokens),
        "final_loss": loss,
    });
    write_whole(&job.out.join("training.json"), format!("{record:#}\n").as_bytes())?;
    Ok(Outcome::Finished { loss })
}
