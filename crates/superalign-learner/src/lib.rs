//! Students: what is trained on a supervision signal.
//!
//! The first student is the *probe*, an L2-regularised logistic regression on frozen features, against hard or soft
//! labels. Students that share features are trained together: [`fit_sweep`] solves a whole sweep (noise ratios,
//! seeds, teachers) in products of matrices.
//!
//! The second is the *trunk*, a network with a bottleneck of chosen rank and width, the dial of its capacity, and two
//! heads, one for competence and one for conformity.
//!
//! - [`fit_sweep`], [`fit`]: training; [`ProbeConfig`]: how; [`Probe`]: the student, with [`Fit`], its certificate;
//! - [`fit_classes`], [`ClassConfig`], [`ClassProbe`]: the same for labels of several classes;
//! - [`fit_pairs`], [`PositionBias`], [`pair_logits`]: the same for preferences between two items (Bradley-Terry);
//! - [`fit_trunks`]: training many trunks; [`TrunkConfig`]: how; [`Plan`]: which objective when; [`Trunk`]: the
//!   student;
//! - [`Loss`]: what students minimise, by name; [`loss`]: the values of the losses, one file each;
//! - [`LearnerError`]: why a student could not be trained.
//!
//! This crate does not know where features come from, reads no files and no clock, and starts no threads of its own
//! (feature `rayon` uses the caller's pool).

#![expect(clippy::needless_pass_by_value, reason = "array views are Copy, which the lint does not see")]

mod cholesky;
mod class_probe;
mod classes;
mod config;
mod error;
mod features;
mod folds;
pub mod loss;
mod matrix;
mod pairs;
mod passes;
mod probe;
mod rounds;
mod sigmoid;
mod softmax;
mod solver;
mod sweep;
mod trunk;
mod twins;

pub use class_probe::ClassProbe;
pub use classes::{ClassConfig, fit_classes};
pub use config::ProbeConfig;
pub use error::LearnerError;
pub use features::Scaling;
pub use loss::Loss;
pub use pairs::{PositionBias, fit_pairs, pair_logits};
pub use probe::{Fit, Probe, Schedule, sweep_logits};
pub use sweep::{fit, fit_sweep};
pub use trunk::{
    Anneal, Head, Items, ObjectiveFit, Phase, Plan, Rate, Stopping, Trunk, TrunkConfig, TrunkFit, TrunkItems,
    TrunkProblem, TrunkWeights, fit_trunks,
};

/// The least number of rows that a student is trained on.
pub const MINIMUM_ROWS: usize = 2;

/// Most rounds after the schedule of a loss whose targets follow from the student ([`fit_sweep`]).
pub const MAXIMUM_ROUNDS: usize = 100;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
