//! Comparing two models on the same items, and saying how sure that is.
//!
//! | question | functions |
//! |---|---|
//! | how sure is a share of right answers? | [`share`] |
//! | how sure is a mean, or a difference of two? | [`mean`], [`difference`] (formula); [`mean_estimate`], [`difference_estimate`], [`statistic_estimate`] (bootstrap), [`pooled_estimate`] (over several seeds) |
//! | do two models differ? | [`mcnemar`] (right and wrong), [`sign_flip`] (any scores), [`Mean::p_value`] |
//! | which of many comparisons count? | [`adjusted`] |
//! | how small a difference could be seen? | [`paired_items`], [`paired_detectable`], [`share_items`], [`share_detectable`], [`Mean::detectable`] |
//!
//! Scores of two models come as two slices in the same order of items. `groups` holds one label for each item: items of
//! one group (questions on one text, translations of one question) are not independent, and are drawn, flipped and
//! summed together. Aligning the items of two runs is the caller's work.

mod bootstrap;
mod groups;
mod mcnemar;
mod mean;
mod multiple;
mod permutation;
mod pooled;
mod power;
mod share;

pub use bootstrap::{BootstrapInterval, difference_estimate, mean_estimate, statistic_estimate};
pub use mcnemar::{McNemar, McNemarTest, Table, mcnemar};
pub use mean::{Mean, Reference, SmallSample, difference, mean};
pub use multiple::{Adjustment, adjusted};
pub use permutation::{Patterns, SignFlip, SignFlipTest, sign_flip};
pub use pooled::pooled_estimate;
pub use power::{Direction, Power, paired_detectable, paired_items, share_detectable, share_items};
pub use share::{ShareInterval, share};

use crate::EvaluationError;

/// Which differences speak against the null hypothesis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alternative {
    /// Any.
    #[default]
    TwoSided,
    /// Those above it: the first model is better, the share is larger.
    Greater,
    /// Those below it.
    Less,
}

/// Whether a level of an interval, or another probability, lies strictly between 0 and 1.
pub(crate) fn check_open(key: &'static str, found: f64) -> Result<(), EvaluationError> {
    if found > 0.0 && found < 1.0 {
        Ok(())
    } else {
        Err(EvaluationError::setting(key, found, "a number between 0 and 1"))
    }
}
