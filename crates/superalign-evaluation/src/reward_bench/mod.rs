//! Official sums of RewardBench 1 (Lambert et al. 2024) and RewardBench 2 (Malik et al. 2025).
//!
//! | step | RewardBench 1 | RewardBench 2 |
//! |---|---|---|
//! | credit of an item, 0 to 1 | [`pair_credits`], [`Verdict::credit`] | [`best_of_credit`], [`Verdict::credit`] |
//! | scores from accuracies by subset | [`v1_scores`] | [`v2_scores`] |
//! | overall from published parts | [`v1_overall`] | [`v2_overall`] |
//! | the Ties subset | | [`ties_scores`], [`ties_estimates`] |
//! | scores of items, with intervals | [`v1_estimates`] | [`v2_estimates`] |
//!
//! A benchmark with subsets of its own, such as that of the generated world, has a [`Table`] that says which section
//! each belongs to and what it weighs; [`own_scores`] and [`own_estimates`] sum by it in the same way.
//! `superalign reward-bench` applies all this to files and models.
//!
//! Every score is its own `Result`: what cannot be computed says which subsets are missing. Reading the files and
//! running the models is not here.

mod credit;
mod items;
mod own;
mod ties;
mod v1;
mod v2;

pub use credit::{Rule, Verdict, best_of_credit, pair_credits};
pub use items::{Accuracy, accuracies};
pub use own::{Own, OwnSection, OwnSubset, Table, Weight, own_estimates, own_scores};
pub use ties::{Ties, TiesItem, TiesKind, ties_estimates, ties_id, ties_scores};
pub use v1::{PRIOR_SETS, Priors, SUBSETS, Section, Subset, V1, v1_estimates, v1_overall, v1_scores};
pub use v2::{Domain, V2, v2_estimates, v2_overall, v2_scores};

use crate::{Bootstrap, Estimate, EvaluationError};

/// What becomes of a score of which parts are missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missing {
    /// It is an error that names them.
    #[default]
    Refuse,
    /// It is made of the parts there are, as the official code does; not to be compared with whole ones.
    Partial,
}

/// Of the resamples, at most this share may leave a score undefined.
const UNDEFINED_SHARE: f64 = 0.05;

/// A score with the interval of its draws, of which those that leave it undefined are NaN.
fn interval(
    by: &Bootstrap,
    name: &'static str,
    value: f64,
    draws: Vec<f64>,
) -> Result<Estimate, EvaluationError> {
    let defined: Vec<f64> = draws.into_iter().filter(|draw| !draw.is_nan()).collect();
    let undefined = by.draws - defined.len();
    if undefined as f64 > UNDEFINED_SHARE * by.draws as f64 || defined.is_empty() {
        let reason = format!("it does not exist in {undefined} of {} resamples", by.draws);
        return Err(EvaluationError::undefined(name, reason));
    }
    Ok(by.interval(value, defined))
}

/// The parts that there are, by their places; an error that names the missing ones where those count, or where none is
/// there.
fn parts(
    statistic: &'static str,
    names: &[&str],
    given: impl Fn(usize) -> bool,
    missing: Missing,
) -> Result<Vec<usize>, EvaluationError> {
    let (found, lacking): (Vec<usize>, Vec<usize>) = (0..names.len()).partition(|&place| given(place));
    if found.is_empty() || (missing == Missing::Refuse && !lacking.is_empty()) {
        let lacking: Vec<&str> = lacking.into_iter().map(|place| names[place]).collect();
        return Err(EvaluationError::undefined(statistic, format!("there is no {}", lacking.join(", "))));
    }
    Ok(found)
}

/// Whether a score is a share.
fn check_share(what: &'static str, index: usize, found: f64) -> Result<(), EvaluationError> {
    if (0.0..=1.0).contains(&found) {
        Ok(())
    } else {
        Err(EvaluationError::Value { what, index, found, expected: "a number from 0 to 1" })
    }
}
