//! What the measurements of a supervision experiment mean: capability, supervision gap, gain, performance gap
//! recovered, noise-fitting capacity; each with its interval.
//!
//! All functions take right and wrong answers, one row per training seed and one column per item, and a
//! [`Bootstrap`] that says how the interval is made. Items that share a group (a passage, a world) are drawn together;
//! all terms of one quantity are resampled jointly, so that what they have in common cancels.
//!
//! This crate does not know models or files; it reads no clock and starts no threads.

#![expect(clippy::needless_pass_by_value, reason = "array views are Copy, which the lint does not see")]

mod agreement;
mod bootstrap;
mod capability;
mod error;
mod noise;
mod recovered;

pub use agreement::agreement;
pub use bootstrap::{MINIMUM_GROUPS, MINIMUM_ITEMS};
pub use capability::{capability, capability_over_seeds};
pub use error::GapError;
pub use noise::noise_fitting_capacity;
pub use recovered::{gain, performance_gap_recovered, recovered_share, supervision_gap};
pub use superalign_core::Bootstrap;
