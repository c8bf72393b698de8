//! The quantities of `superalign-gap` for the browser: typed arrays in, typed arrays out.
//!
//! Right and wrong answers are [`Answers`], how intervals are made is [`Resampling`], and an estimate is a
//! `Float64Array` of three: value, lower end, upper end. Where a quantity is undefined, the call throws an
//! `Error` whose message says why. No formula lives here.

mod answers;
mod quantities;
mod resampling;

pub use answers::Answers;
pub use quantities::{capability, gain, noise_fitting_capacity, performance_gap_recovered};
pub use resampling::Resampling;

use superalign_core::Estimate;
use superalign_gap::GapError;

/// Why a call has no answer: what the message of the JavaScript `Error` says.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("answer {index} is {found}: expected 0 (wrong) or 1 (right)")]
    NotBinary { index: usize, found: u8 },
    #[error("{length} answers do not divide into {rows} rows: expected a multiple of the number of rows")]
    Rows { length: usize, rows: usize },
    #[error("{rows} rows do not divide among {ratios} noise ratios: expected one row per ratio and seed")]
    Ratios { rows: usize, ratios: usize },
    #[error("{draws} draws: expected a whole number of at least 1")]
    Draws { draws: f64 },
    #[error(transparent)]
    Gap(#[from] GapError),
}

/// The form in which an estimate crosses: value, lower end, upper end.
fn triple(estimate: Estimate) -> Vec<f64> {
    vec![estimate.value, estimate.lo, estimate.hi]
}
