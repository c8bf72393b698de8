//! superalign's metrics for the browser: big data in and out as typed arrays, small things as JSON.
//!
//! [`Table`] is a file, [`Signal`] what it says about supervision, with every metric of `superalign measure`;
//! [`catalogue`] names those metrics. [`compare`] sets two sides against each other on the same items.
//!
//! The quantities of `superalign-gap`:
//! Right and wrong answers are [`Answers`], how intervals are made is [`Resampling`], and an estimate is a
//! `Float64Array` of three: value, lower end, upper end. Where a quantity is undefined, the call throws an
//! `Error` whose message says why. No formula lives here.

mod answers;
mod catalogue;
mod paired;
mod quantities;
mod resampling;
mod signal;
mod table;

pub use answers::Answers;
pub use catalogue::catalogue;
pub use paired::{Comparison, adjusted_p_values, compare};
pub use quantities::{capability, gain, noise_fitting_capacity, performance_gap_recovered};
pub use resampling::Resampling;
pub use signal::Signal;
pub use table::{Gathering, Table};

use superalign_core::{BootstrapError, Estimate};
use superalign_data::DataError;
use superalign_evaluation::EvaluationError;
use superalign_gap::GapError;
use superalign_signal::SignalError;

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
    #[error("row {row} has the text {found}: expected less than {texts}, of which there are so many")]
    Code { row: usize, found: u32, texts: usize },
    #[error("{length} numbers do not divide into lists of {each}")]
    Lists { length: usize, each: usize },
    #[error("found `{0}`, expected a role and the name of its column, as in `item=question`")]
    Role(String),
    #[error("found `{0}`, expected `holm` or `benjamini-hochberg`")]
    Method(String),
    #[error("the file holds no embeddings, among which there could be neighbours")]
    Embeddings,
    #[error("{0}")]
    Asked(String),
    #[error(transparent)]
    Gap(#[from] GapError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Signal(#[from] SignalError),
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
}

/// The form in which an estimate crosses: value, lower end, upper end.
fn triple(estimate: Estimate) -> Vec<f64> {
    vec![estimate.value, estimate.lo, estimate.hi]
}
