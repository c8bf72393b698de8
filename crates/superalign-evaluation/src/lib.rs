//! Judging models where nobody can label.
//!
//! | module | what it does |
//! |---|---|
//! | [`paired`] | comparing two models on the same items |
//! | [`reward_bench`] | official sums of RewardBench 1 and 2 |
//! | [`extrapolation`] | ability beyond the items that can be checked |
//! | [`surrogate`] | known answers in the place of those beyond the supervisor, and whether that works |
//! | [`peer_review`] | rankings by comparisons, and how far judges can be relied on |
//! | [`oversight`] | judges who are helped by advisors: accuracy, persuasiveness, honesty advantage |

#![expect(clippy::needless_pass_by_value, reason = "array views are Copy, which the lint does not see")]

mod error;
pub mod extrapolation;
pub mod oversight;
pub mod paired;
pub mod peer_review;
pub mod reward_bench;
mod special;
pub mod surrogate;

pub use error::EvaluationError;
pub use superalign_core::{Bootstrap, Estimate};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
