//! Items: where they come from, how they are spoiled and how they are divided.
//!
//! - [`item`]: the shape of an item, whatever its source;
//! - [`world`]: a generated language of facts, relations, numbers and norms, where truth is known;
//! - [`load`]: real files (`CosmosQA`, `SciQ`, `BoolQ`, generic JSONL/CSV/Parquet, preferences);
//! - [`columns`]: a file as plain columns;
//! - [`signal`]: what the columns say about supervision (votes, probabilities, texts, pairs);
//! - [`binary`]: tasks and preferences as balanced binary items;
//! - [`noise`]: label noise of an exact ratio, nested across ratios;
//! - [`split`]: division by group, so that nothing leaks.
//!
//! Reading files is the only I/O; every random choice takes a [`superalign_core::Seed`].

pub mod binary;
pub mod columns;
mod error;
pub mod item;
pub mod load;
pub mod noise;
pub mod signal;
pub mod split;
pub mod world;

pub use error::{At, DataError, Place};

/// The examples of the README, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
