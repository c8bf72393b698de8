//! One training step: a batch's loss and gradient over fixed lanes, then AdamW.

use crate::corpus::Batch;
use crate::loss::cross_entropy;
use crate::model::{Documents, Model, Upstream, Workspace};
use crate::optimiser::{AdamW, clip_factor};
use crate::real::{Real, add, sum_of_squares};
use std::num::NonZeroUsize;
use std::ops::Range;

/// Into how many sums a batch's gradient is split where nothing else is said, whatever the number of threads: so
/// that the order of additions, and with it every bit of the result, does not depend on the threads. More threads
/// than lanes gain nothing.
pub const LANES: NonZeroUsize = NonZeroUsize::new(4).unwrap();

/// Tokens that pass through the model at once, about: large enough to fill the matrix kernels, small enough for
/// the caches (256 and 1,024 are 2 to 10% slower).
pub const SHARD_TOKENS: usize = 512;

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepLoss {
    /// Weighted mean cross-entropy per token, in nats, before the step.
    pub loss: f64,
    /// Euclidean norm of the gradient before clipping.
    pub gradient_norm: f64,
}

/// A model in training, with all the memory that a step needs.
#[derive(Debug)]
pub struct Stepper<T = f32> {
    model: Model<T>,
    optimiser: AdamW<T>,
    lanes: Vec<Lane<T>>,
    threads: Vec<Scratch<T>>,
}

#[derive(Debug)]
struct Lane<T> {
    gradient: Vec<T>,
    loss: f64,
    shards: Vec<Shard>,
}

/// A run of whole documents: their places among the documents and among the tokens.
#[derive(Clone, Debug)]
struct Shard {
    documents: Range<usize>,
    tokens: Range<usize>,
}

#[derive(Debug)]
struct Scratch<T> {
    space: Workspace<T>,
    d_logits: Vec<T>,
    ends: Vec<usize>,
}

impl<T: Real> Stepper<T> {
    /// Prepares to train a model on so many threads, its gradient split into so many sums.
    #[must_use]
    pub fn new(model: Model<T>, optimiser: AdamW<T>, lanes: NonZeroUsize, threads: NonZeroUsize) -> Self {
        let zeros = vec![T::ZERO; model.shape().parameters()];
        let lane = || Lane { gradient: zeros.clone(), loss: 0.0, shards: Vec::new() };
        let scratch = || Scratch { space: Workspace::new(), d_logits: Vec::new(), ends: Vec::new() };
        Self {
            lanes: (0..lanes.get()).map(|_| lane()).collect(),
            threads: (0..threads.min(lanes).get()).map(|_| scratch()).collect(),
            model,
            optimiser,
        }
    }

    /// The model as it is now.
    #[must_use]
    pub const fn model(&self) -> &Model<T> {
        &self.model
    }

    /// The optimiser as it is now.
    #[must_use]
    pub const fn optimiser(&self) -> &AdamW<T> {
        &self.optimiser
    }

    /// Ends the training and returns the model.
    #[must_use]
    pub fn into_model(self) -> Model<T> {
        self.model
    }

    /// Loss and gradient of a batch, without a step: the loss, and the gradient in the order of
    /// [`Model::parameters`].
    ///
    /// # Panics
    /// When the batch holds a document longer than the model's positions or a token outside its vocabulary.
    pub fn gradient(&mut self, batch: &Batch) -> (f64, &[T]) {
        let total: f64 = batch.weights.iter().copied().map(f64::from).sum();
        let scale = if total > 0.0 { 1.0 / total } else { 0.0 };
        self.share_out(batch);
        let (model, threads) = (&self.model, self.threads.len());
        // Lanes that follow one another go to one thread: lanes / threads of them each, rounded up.
        let per_thread = self.lanes.len().div_ceil(threads);
        let mut work: Vec<_> = self.lanes.chunks_mut(per_thread).zip(&mut self.threads).collect();
        std::thread::scope(|scope| {
            let mine = work.pop();
            for (lanes, scratch) in work {
                scope.spawn(move || lanes.iter_mut().for_each(|lane| lane.run(model, batch, scale, scratch)));
            }
            if let Some((lanes, scratch)) = mine {
                lanes.iter_mut().for_each(|lane| lane.run(model, batch, scale, scratch));
            }
        });
        let (first, others) = self.lanes.split_at_mut(1);
        for lane in others.iter().filter(|lane| !lane.shards.is_empty()) {
            add(&mut first[0].gradient, &lane.gradient);
        }
        let loss: f64 = self.lanes.iter().map(|lane| lane.loss).sum();
        (loss * scale, &self.lanes[0].gradient)
    }

    /// One step of the optimiser on a batch.
    ///
    /// # Panics
    /// As [`Stepper::gradient`].
    pub fn step(&mut self, batch: &Batch, learning_rate: f64) -> StepLoss {
        let (loss, _) = self.gradient(batch);
        let gradient = &self.lanes[0].gradient;
        let gradient_norm = sum_of_squares(gradient).sqrt();
        self.optimiser.step(self.model.parameters_mut(), gradient, clip_factor(gradient_norm), learning_rate);
        StepLoss { loss, gradient_norm }
    }

    /// Cuts the batch into shards of about equal size and deals them to the lanes in turn.
    fn share_out(&mut self, batch: &Batch) {
        for lane in &mut self.lanes {
            lane.shards.clear();
        }
        let total = batch.tokens.len();
        let lanes = self.lanes.len();
        let shards = total.div_ceil(SHARD_TOKENS).next_multiple_of(lanes);
        let mut shard = Shard { documents: 0..0, tokens: 0..0 };
        let mut index = 0;
        for (document, &end) in batch.ends.iter().enumerate() {
            // A document belongs to the shard that its middle falls into.
            let belongs = (shard.tokens.end + end) * shards / (2 * total);
            if belongs != index {
                if !shard.documents.is_empty() {
                    self.lanes[index % lanes].shards.push(shard);
                }
                let start = batch.ends[..document].last().copied().unwrap_or(0);
                shard = Shard { documents: document..document, tokens: start..start };
                index = belongs;
            }
            shard.documents.end = document + 1;
            shard.tokens.end = end;
        }
        if !shard.documents.is_empty() {
            self.lanes[index % lanes].shards.push(shard);
        }
    }
}

impl<T: Real> Lane<T> {
    fn run(&mut self, model: &Model<T>, batch: &Batch, scale: f64, scratch: &mut Scratch<T>) {
        self.gradient.fill(T::ZERO);
        self.loss = 0.0;
        let shape = model.shape();
        for shard in &self.shards {
            scratch.ends.clear();
            scratch
                .ends
                .extend(batch.ends[shard.documents.clone()].iter().map(|end| end - shard.tokens.start));
            let documents = Documents::new(&batch.tokens[shard.tokens.clone()], &scratch.ends, shape)
                .unwrap_or_else(|e| panic!("the batch does not fit the model: {e}"));
            model.forward(&documents, &mut scratch.space);
            let needed = shard.tokens.len() * shape.vocabulary;
            if scratch.d_logits.len() < needed {
                scratch.d_logits.resize(needed, T::ZERO);
            }
            let d_logits = &mut scratch.d_logits[..needed];
            self.loss += cross_entropy(
                scratch.space.logits(),
                shape.vocabulary,
                &batch.targets[shard.tokens.clone()],
                &batch.weights[shard.tokens.clone()],
                scale,
                d_logits,
            );
            let upstream = Upstream { logits: Some(d_logits), hidden: &[] };
            model.backward(&documents, &mut scratch.space, upstream, &mut self.gradient);
        }
    }
}
