//! Surrogate testing: judging students by tasks with known answers that stand in for those beyond the supervisor, and
//! whether that works.
//!
//! | function | what it gives |
//! |---|---|
//! | [`choose`] | which items stand in for which, by their tags |
//! | [`validity`] | how far surrogate scores say what the withheld truth says: ranks, calibration, wrong pairs |
//! | [`degradation`] | how that fades as the supervisor, who labels the surrogate, errs more |
//! | [`rank_correlation`] | Kendall's tau-b or Spearman's rho of two scores |
//! | [`independent_errors`], [`with_errors`], [`expected_score`], [`expected_kendall`] | a supervisor whose errors depend on nothing, drawn and in theory |
//!
//! Scores are tables (students, items): 1 right, 0 wrong, or any number between. Resamples draw the items of the
//! surrogate and those of the target by group, and, where asked for, the students.

mod choose;
mod correlation;
mod degradation;
mod errors;
mod scored;
#[cfg(test)]
mod tests;
mod validity;

pub use choose::{Chosen, SurrogateKind, Tag, choose};
pub use correlation::{Correlation, rank_correlation};
pub use degradation::{Degradation, DegradationPoint, Supervised, degradation};
pub use errors::{expected_kendall, expected_score, independent_errors, with_errors};
pub use scored::{Scored, SurrogateTest, Varied};
pub use validity::{Order, Validity, validity};
