//! The truth behind noisy votes, and how good each rater is.
//!
//! | function | model | raters get |
//! |---|---|---|
//! | [`majority`] | every vote counts the same | share of agreement |
//! | [`wawa`] | votes count by agreement with the majority | share of agreement |
//! | [`zero_based_skill`] | the same, repeated | skill |
//! | [`dawid_skene`] | a confusion matrix for each rater | [`Confusion`] |
//! | [`one_coin`] | one accuracy for each rater | [`Coins`] |
//! | [`glad`] | ability of raters, ease of items | [`Abilities`] |
//! | [`mace`] | raters who know or spam | [`Spammers`] |
//!
//! The first three give a [`Consensus`], the others a [`Truth`]. [`accuracy`] and [`score`] compare with known truths.
//! Whether raters agree at all is a question for [`agreement`](crate::agreement).

mod dawid_skene;
mod em;
mod glad;
mod gold;
mod mace;
mod majority;
mod one_coin;
mod patterns;
mod settings;
mod skill;
mod special;

pub use dawid_skene::{Confusion, DawidSkene, dawid_skene};
pub use glad::{Abilities, Glad, Normal, glad};
pub use gold::{Scores, accuracy, score};
pub use mace::{Mace, MaceMethod, Spammers, mace};
pub use majority::{Consensus, Majority, MajorityPosterior, Ties, majority};
use ndarray::Array2;
pub use one_coin::{Coins, OneCoin, one_coin};
pub use settings::{ClassPrior, Search, Smoothing, Stop};
pub use skill::{Skill, wawa, zero_based_skill};

/// What a model makes of the votes; `R` is what it says of the raters.
///
/// An iteration infers the posterior of every item from the parameters (E step) and the parameters from the posteriors
/// (M step). The parameters here are those of the last M step, and the posterior is the one they were inferred from;
/// when the search has converged, it is theirs too.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth<R> {
    /// Probability of each category for each item, (items, categories); the class prior for items without votes.
    pub posterior: Array2<f64>,
    /// The most probable category of each item; the lowest of equals.
    pub labels: Vec<u32>,
    /// Probability of each category.
    pub class_prior: Vec<f64>,
    /// The model's parameters of the raters.
    pub raters: R,
    /// Natural logarithm of the probability of all votes (and given truths) under the parameters, truths summed out.
    pub log_likelihood: f64,
    /// What the search maximised: the log-likelihood plus the logarithm of the prior's density (without its constant)
    /// where there is a prior; for variational MACE the lower bound of the evidence.
    pub objective: f64,
    /// Iterations done by the best start.
    pub iterations: usize,
    /// Whether the last change was within the tolerance.
    pub converged: bool,
    /// The last change, as [`Stop`] says.
    pub change: f64,
}

/// The place of the largest number, the first of equals; 0 when there is none.
fn argmax(row: &[f64]) -> u32 {
    let mut best = 0;
    for (c, x) in row.iter().enumerate() {
        if *x > row[best] {
            best = c;
        }
    }
    best as u32
}

#[cfg(test)]
mod tests;
