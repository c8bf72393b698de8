//! Why a quantity is undefined.

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
}
