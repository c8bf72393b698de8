//! ONNX language models from Rust: embeddings, choice likelihoods, scores and generation on ONNX Runtime or tract.
//!
//! - [`Runtime`]: finds ONNX Runtime on the machine, and otherwise runs on the tract that is built in;
//! - [`OnnxModel`]: a folder with a graph and a tokenizer, behind the [`Model`](superalign_core::Model) seam: it embeds, tells
//!   likelihoods, writes, and knows its chat template;
//! - [`probabilities`]: what the scores of a classifier or reward model stand for;
//! - [`describe`]: what a folder contains, and [`OnnxModel::smoke_test`], whether it works;
//! - [`generate()`]: continues prompts, many side by side, through the key-value cache;
//! - [`FeatureCache`]: what a model has answered once is not computed again;
//! - [`install`]: fetches ONNX Runtime through the machine's own pip or npm.
//!
//! Not here: training, students, datasets, and any opinion about what the vectors mean.

mod batch;
mod cache;
mod error;
mod generate;
mod graph;
pub mod install;
mod model;
mod pipeline;
mod runtime;
mod tokenize;

pub use cache::{CacheError, CacheStats, FeatureCache, choices_cached, embed_cached};
pub use error::OpenError;
pub use generate::{
    CacheUse, ChatEnd, ChatError, ChatTemplate, Completion, EndToken, Event, Filters, Finish, GenerateError,
    GenerateOptions, Generator, Message, Now, Prompt, Sampling, SpecialTokens, generate, sampling,
};
pub use model::{
    Description, DeviceChoice, DeviceReport, DeviceTarget, DeviceWorkload, ElementCount, FileSize,
    GraphChoice, GraphFormat, NoGraph, OnnxModel, OpenOptions, Placement, PortDescription, Scale, SmokeTest,
    StreamEvent, StreamOptions, Task, TokenizerDescription, Usage, choose_graph, cuda_cards, describe,
    is_data_of, probabilities, stated_pooling,
};
pub use runtime::{
    Rejected, Runtime, RuntimeChoice, RuntimeError, RuntimeKind, RuntimeSettings, Source, Unusable, home,
};
pub use tokenize::Truncation;

/// The example of the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
