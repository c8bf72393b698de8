//! How good and how diverse a supervision signal is.
//!
//! One module per family of metrics, all alike: functions over slices and array views, conventions as enums with
//! names, an estimate with its interval where sampling matters, an error that says why where a value does not exist.
//!
//! | module | what it measures |
//! |---|---|
//! | [`label_diversity`] | entropy, Hill numbers, Simpson, effective number of labels, class balance |
//! | [`agreement`] | raw agreement, Cohen, Fleiss, Krippendorff, Gwet, pairwise |
//! | [`ensemble`] | disagreement, Q, double fault, error correlation, ambiguity, independent sources |
//! | [`truth`] | majority, Dawid-Skene, GLAD, MACE, Wawa |
//! | [`label_noise`] | confident joint, transition matrix, label quality, suspects, kind of noise |
//! | [`calibration`] | ECE and kin, Brier, NLL, reliability, temperature, isotonic |
//! | [`text`] | distinct-n, n-gram entropy, self-BLEU, compression, MTLD, near duplicates |
//! | [`embedding`] | Vendi score, cosine, effective rank, log-determinant, coverage, MMD, Fréchet |
//! | [`collapse`] | support, missing mass, Chao1, divergence from a reference, tail mass, collapse index |
//! | [`preference`] | agreement, cycles, position, length and self preference |
//!
//! This crate knows no file, no model and no clock; every seed is an argument. Permuting items or renaming labels
//! never changes a value. It builds for `wasm32-unknown-unknown`.

#![expect(clippy::needless_pass_by_value, reason = "array views are Copy, which the lint does not see")]

pub mod agreement;
pub mod calibration;
pub mod collapse;
pub mod embedding;
pub mod ensemble;
mod error;
mod fours;
pub mod label_diversity;
pub mod label_noise;
pub mod preference;
mod probabilities;
mod resample;
pub mod text;
pub mod truth;
mod votes;

pub use error::SignalError;
pub use superalign_core::{Bootstrap, Estimate};
pub use votes::Votes;

/// The examples of the README, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
