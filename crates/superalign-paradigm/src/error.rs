//! Why a signal cannot be made.

use std::borrow::Cow;
use superalign_core::ModelError;
use superalign_learner::LearnerError;
use superalign_signal::SignalError;

/// Why a signal has no value: what was found, and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum ParadigmError {
    /// Too little to make a signal of.
    #[error("{found} {what}: expected at least {expected}")]
    TooFew {
        /// What there is too little of, in the plural ("items", "sources").
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there have to be.
        expected: usize,
    },
    /// Inputs whose sizes do not belong together.
    #[error("{what}: found {found}, expected {expected}")]
    Shape {
        /// Which number differs ("number of labels").
        what: &'static str,
        /// What it is.
        found: usize,
        /// What it has to be.
        expected: usize,
    },
    /// One value of the input is out of its range.
    #[error("{what} {index} is {found}: expected {expected}")]
    Value {
        /// Which input ("label of item").
        what: &'static str,
        /// Its place, from 0.
        index: usize,
        /// The value.
        found: f64,
        /// Its range.
        expected: &'static str,
    },
    /// A setting out of its range.
    #[error("{key} = {found}: expected {expected}")]
    Setting {
        /// Name of the setting.
        key: &'static str,
        /// Its value.
        found: f64,
        /// Its range.
        expected: Cow<'static, str>,
    },
    /// The quantity does not exist for this input, though the input is well formed.
    #[error("{what} is undefined: {reason}")]
    Undefined {
        /// Name of the quantity.
        what: &'static str,
        /// Why.
        reason: Cow<'static, str>,
    },
    /// A template of a prompt that cannot be filled in.
    #[error("the prompt `{key}`: {reason}")]
    Template {
        /// Its key in a file of prompts (`judge.prompt`).
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A student could not be trained.
    #[error(transparent)]
    Learner(#[from] LearnerError),
    /// A model did not answer.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A statistic of the votes is undefined.
    #[error(transparent)]
    Signal(#[from] SignalError),
}
