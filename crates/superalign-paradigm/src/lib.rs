//! Making supervision signals, where nobody knows the truth.
//!
//! Every paradigm makes the same thing: a [`Signal`], which is a soft label for each item with every source's own vote,
//! how sure it is, who said what, and what it cost. No paradigm is given the truth about the items that it labels, and
//! none can be: it is no argument of any function here.
//!
//! | module | what it makes |
//! |---|---|
//! | [`weak_to_strong`] | labels of weaker teachers, filtered, handed up a ladder, refined by the student |
//! | [`diversify`] | one label of many sources, and how accurate each is without any truth |
//! | [`self_enhancement`] | rounds in which a model labels for itself or its peers, stopped by collapse |
//!
//! Models are behind the seam [`superalign_core::Model`]; what a file, a run or a cache is, callers know.

#![expect(clippy::needless_pass_by_value, reason = "array views are Copy, which the lint does not see")]

pub mod diversify;
mod error;
pub mod sandwiching;
pub mod self_enhancement;
mod signal;
mod transcript;
pub mod weak_to_strong;

pub use error::ParadigmError;
pub use signal::{Cost, Paradigm, Signal, Source};
pub use transcript::{Quote, Transcript, Turn};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
