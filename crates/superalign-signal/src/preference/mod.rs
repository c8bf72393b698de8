//! Preferences: whether judges agree, contradict themselves, or follow something other than the answers.
//!
//! [`judge_agreement`] compares judges on the same pairs; [`cycle_rate`], [`consistence`] and
//! [`transitivity_violations`] ask whether preferences order the answers at all; [`position_bias`], [`length_bias`] and
//! [`self_preference`] measure what a vote should not depend on. Rankings from comparisons are those of
//! `superalign-evaluation`, and kappas and Krippendorff's alpha of any labels those of
//! [`agreement`](crate::agreement). What judges do to a single vote is all here: `superalign-evaluation` has no such
//! diagnostics of its own, but asks how many bad judges a ranking stands.

mod agreement;
mod comparison;
mod length;
mod newton;
mod own;
mod position;
mod transitivity;

pub use agreement::{
    Chance, JudgeAgreement, JudgePair, judge_agreement, judge_agreement_estimate, judge_pairs,
};
pub use comparison::{Comparison, Preferred};
pub use length::{LengthBias, length_bias, length_bias_estimate, length_slope, length_slope_estimate};
pub use own::{Judgement, self_preference};
pub use position::{PositionBias, position_bias, position_bias_estimate};
pub use transitivity::{
    Cycles, Transitivity, consistence, cycle_rate, cycle_rate_estimate, cycles, transitivity_violations,
};
