//! What the measurements of a supervision experiment mean: capability, supervision gap, gain, performance gap
//! recovered, capacity, calibration and annealing of the gap; each with its interval.
//!
//! | where | what |
//! |---|---|
//! | [`capability`], [`capability_over_seeds`] | C(A; X) |
//! | [`supervision_gap`], [`gain`], [`performance_gap_recovered`] | how far, how much, which share |
//! | [`agreement`] | of two sources, item by item |
//! | [`Utility`] | competence and conformity of a response as one number |
//! | [`capability_draws`], [`utility_draws`] | several models on the same items, resampled jointly, as [`Draws`] |
//! | [`capacity`] | ceiling, asymptote, noise fitting, description length, and whether they agree |
//! | [`calibration`] | gain against gamma, gamma* and advice |
//! | [`annealing`] | schedules, policies and the controller |
//! | [`pareto_front`], [`hypervolume`], [`front_of_students`] | competence against conformity |
//!
//! Functions take right and wrong answers, one row per training seed and one column per item, and a
//! [`Bootstrap`] that says how the interval is made. Items that share a group (a passage, a world) are drawn together;
//! all terms of one quantity are resampled jointly, so that what they have in common cancels.
//!
//! This crate does not know models or files; it reads no clock and starts no threads.

#![expect(clippy::needless_pass_by_value, reason = "array views are Copy, which the lint does not see")]

mod agreement;
pub mod annealing;
mod bootstrap;
pub mod calibration;
mod capability;
pub mod capacity;
mod draws;
mod error;
mod pareto;
mod recovered;
mod utility;

pub use agreement::agreement;
pub use bootstrap::{MINIMUM_GROUPS, MINIMUM_ITEMS};
pub use capability::{capability, capability_over_seeds};
pub use capacity::noise_fitting_capacity;
pub use draws::{Draws, capability_draws, utility_draws};
pub use error::GapError;
pub use pareto::{Front, front_of_students, hypervolume, pareto_front};
pub use recovered::{gain, performance_gap_recovered, recovered_share, supervision_gap};
pub use superalign_core::{Bootstrap, Estimate};
pub use utility::Utility;

/// The examples of the README, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
