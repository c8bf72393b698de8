//! A number with its interval.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A point estimate with its interval (95% unless the function that made it says otherwise).
///
/// ```
/// use superalign_core::Estimate;
/// let accuracy = Estimate { value: 0.812, lo: 0.796, hi: 0.827 };
/// assert_eq!(accuracy.to_string(), "0.812 [0.796, 0.827]");
/// assert!(!accuracy.covers(0.5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The point estimate.
    pub value: f64,
    /// Lower end of the interval.
    pub lo: f64,
    /// Upper end of the interval.
    pub hi: f64,
}

impl Estimate {
    /// Whether the interval, ends included, covers `x`.
    #[must_use]
    pub fn covers(&self, x: f64) -> bool {
        self.lo <= x && x <= self.hi
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(3);
        write!(f, "{:.digits$} [{:.digits$}, {:.digits$}]", self.value, self.lo, self.hi)
    }
}
