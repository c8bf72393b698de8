//! Preferences: whether judges agree, contradict themselves, or follow something other than the answers.
//!
//! [`judge_agreement`] compares judges on the same pairs; [`cycle_rate`], [`consistence`] and
//! [`transitivity_violations`] ask whether preferences order the answers at all; [`position_bias`], [`length_bias`] and
//! [`self_preference`] measure what a vote should not depend on. Rankings from comparisons ([`bradley_terry`],
//! [`davidson`], [`elo`], [`pagerank`], [`win_counts`], [`average_win_rate`]) are one function each. Kappas and
//! Krippendorff's alpha of any labels are in [`agreement`](crate::agreement).

mod agreement;
mod bradley_terry;
mod comparison;
mod elo;
mod length;
mod newton;
mod own;
mod pagerank;
mod position;
mod rates;
mod transitivity;

pub use agreement::{
    Chance, JudgeAgreement, JudgePair, judge_agreement, judge_agreement_estimate, judge_pairs,
};
pub use bradley_terry::{BradleyTerry, Davidson, Ties, bradley_terry, davidson};
pub use comparison::{Comparison, Preferred};
pub use elo::{Elo, elo};
pub use length::{LengthBias, length_bias, length_bias_estimate, length_slope, length_slope_estimate};
pub use own::{Judgement, self_preference};
pub use pagerank::pagerank;
pub use position::{PositionBias, position_bias, position_bias_estimate};
pub use rates::{average_win_rate, win_counts};
pub use transitivity::{
    Cycles, Transitivity, consistence, cycle_rate, cycle_rate_estimate, cycles, transitivity_violations,
};
