//! The trunk: a nonlinear student on frozen features, whose rank and width are the dial of capacity, with one head
//! for competence and one for conformity.
//!
//! - [`fit_trunks`]: training (`train`, `student`); [`TrunkConfig`]: how (`config`);
//! - [`Plan`]: which objective each step follows (`plan`); [`Stopping`]: when to stop early (`stopping`);
//! - [`Trunk`]: the student, with [`TrunkFit`], its certificate (`model`);
//! - `network`, `real`, `adamw`: forward pass, gradient and optimiser, in single or double precision;

mod adamw;
mod config;
mod items;
mod model;
mod network;
mod plan;
mod real;
mod stopping;
mod student;
mod train;

pub use adamw::Rate;
pub use config::TrunkConfig;
pub use items::{Items, TrunkItems, TrunkProblem};
pub use model::{ObjectiveFit, Trunk, TrunkFit, TrunkWeights};
pub use plan::{Anneal, Phase, Plan};
pub use stopping::Stopping;
pub use train::fit_trunks;

/// One of the two heads of a trunk, and the objective that trains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Head {
    /// Is the task solved.
    Competence,
    /// Are the norms kept.
    Conformity,
}

impl Head {
    /// Both heads, in the order of the rows of [`TrunkWeights::heads`].
    pub const BOTH: [Head; 2] = [Head::Competence, Head::Conformity];

    /// Its place in [`Head::BOTH`].
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Head::Competence => 0,
            Head::Conformity => 1,
        }
    }
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Head::Competence => "competence",
            Head::Conformity => "conformity",
        })
    }
}
