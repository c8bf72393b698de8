//! Why a quantity is undefined.

use std::borrow::Cow;
use superalign_core::{BootstrapError, Estimate};

/// Why a quantity is undefined: what was found, and what was expected.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GapError {
    /// Too few items for an interval to mean anything.
    #[error("{found} items: expected at least {expected}")]
    TooFewItems {
        /// Number of items.
        found: usize,
        /// The least number.
        expected: usize,
    },
    /// Too few groups for a clustered interval to mean anything.
    #[error(
        "the items fall into {found} groups: expected at least {expected}, since items of a group are drawn together"
    )]
    TooFewGroups {
        /// Number of groups.
        found: usize,
        /// The least number.
        expected: usize,
    },
    /// No row: not one seed.
    #[error("no row of answers: expected one per seed")]
    NoSeeds,
    /// Terms whose shapes do not belong together.
    #[error("{what}: found {found}, expected {expected}")]
    Shape {
        /// Which number differs.
        what: &'static str,
        /// What it is.
        found: usize,
        /// What it has to be.
        expected: usize,
    },
    /// A setting of the bootstrap out of its range.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
    /// The ceiling is not above the supervisor, as far as the data tell: there is no gap to recover.
    #[error(
        "the gap from supervisor to ceiling is {gap}: its interval is not above 0, so no share of it is defined"
    )]
    NoGap {
        /// Ceiling minus weak supervisor.
        gap: Estimate,
    },
    /// Noise ratios that do not span the unit interval.
    #[error("noise ratios {found:?}: expected at least two, rising, from 0 to 1")]
    Ratios {
        /// The ratios.
        found: Vec<f64>,
    },
    /// Too little to measure.
    #[error("{found} {what}: expected at least {expected}")]
    TooFew {
        /// What there is too little of, in the plural ("sizes", "pairs").
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there have to be.
        expected: usize,
    },
    /// One value of the input is out of its range.
    #[error("{what} {index} is {found}: expected {expected}")]
    Value {
        /// Which input ("training size", "log-likelihood of label").
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
    #[error("{quantity} is undefined: {reason}")]
    Undefined {
        /// Name of the quantity.
        quantity: &'static str,
        /// Why.
        reason: Cow<'static, str>,
    },
    /// An outcome is reported, but no round is open.
    #[error("all {rounds} rounds are over: no outcome is expected")]
    Over {
        /// Number of rounds.
        rounds: usize,
    },
}

impl GapError {
    /// The quantity does not exist for this input.
    pub(crate) fn undefined(quantity: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Undefined { quantity, reason: reason.into() }
    }

    /// A setting is out of its range.
    pub(crate) fn setting(key: &'static str, found: f64, expected: impl Into<Cow<'static, str>>) -> Self {
        Self::Setting { key, found, expected: expected.into() }
    }
}
