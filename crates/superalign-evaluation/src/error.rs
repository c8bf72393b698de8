//! Why a statistic is undefined, or its input refused.

use std::borrow::Cow;
use superalign_core::BootstrapError;

/// Why a statistic has no value: what was found, and what was expected.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EvaluationError {
    /// Too little to measure.
    #[error("{found} {what}: expected at least {expected}")]
    TooFew {
        /// What there is too little of, in the plural ("items", "texts").
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
        /// Which input ("probability of item", "label").
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
    /// The statistic does not exist for this input, though the input is well formed.
    #[error("{statistic} is undefined: {reason}")]
    Undefined {
        /// Name of the statistic.
        statistic: &'static str,
        /// Why.
        reason: Cow<'static, str>,
    },
    /// A setting of the bootstrap out of its range.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
}

impl EvaluationError {
    /// The statistic does not exist for this input.
    pub(crate) fn undefined(statistic: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Undefined { statistic, reason: reason.into() }
    }

    /// A setting is out of its range.
    pub(crate) fn setting(key: &'static str, found: f64, expected: impl Into<Cow<'static, str>>) -> Self {
        Self::Setting { key, found, expected: expected.into() }
    }
}
