//! Trains the embedded ladder of language models on a CPU.
//!
//! A decoder in the Llama shape, its gradients written by hand over the `gemm` crate: fast enough to make the
//! whole ladder on a laptop. Models are folders that Python's transformers opens as they are.
//!
//! Here live the model ([`Model`]), its training ([`train`]) and its zero-shot verdicts ([`score`]). Not here: where
//! the corpus comes from (a text file), and how experiments run models (through ONNX).

pub mod checkpoint;
mod config;
mod corpus;
pub mod curve;
mod error;
pub mod export;
mod loss;
pub mod matmul;
mod model;
pub mod optimiser;
mod real;
pub mod score;
mod step;
mod tokenizer;
mod train;
pub mod weights;
mod wide;

pub use config::{Ladder, Rung, Training};
pub use corpus::{Batch, Corpus, Focus};
pub use error::Error;
pub use loss::cross_entropy;
pub use model::{
    Documents, INITIAL_DEVIATION, Kind, Model, NORM_EPSILON, ROPE_THETA, Shape, Tensor, Upstream, Workspace,
};
pub use optimiser::AdamW;
pub use real::Real;
pub use step::{LANES, SHARD_TOKENS, StepLoss, Stepper};
pub use tokenizer::{BEGIN, END, Vocabulary};
pub use train::{Job, Outcome, Report, Then, train};
