//! The points of a calibration, checked.

use crate::GapError;
use crate::draws::{Draws, same_count};

/// The fewest distinct gammas: one more than a parabola has parameters.
pub const MINIMUM_GAMMAS: usize = 4;

/// A standard error below this is nothing but rounding.
const ROUNDING: f64 = 1e-12;

/// One teacher-student pair: its supervision gap and its gain.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// Number of the teacher: what leave-one-teacher-out leaves out.
    pub teacher: u32,
    /// Number of the student.
    pub student: u32,
    /// gamma(T, S) = K(S) - C(T).
    pub gamma: Draws,
    /// C(S from T) - C(T).
    pub gain: Draws,
}

/// Checks pairs: what every one needs, and how many there are. The number of draws.
pub(super) fn check(pairs: &[Pair]) -> Result<usize, GapError> {
    for (index, pair) in pairs.iter().enumerate() {
        for (what, draws) in [("gamma of pair", &pair.gamma), ("gain of pair", &pair.gain)] {
            for &found in std::iter::once(&draws.value).chain(&draws.draws) {
                if !found.is_finite() {
                    return Err(GapError::Value { what, index, found, expected: "a finite number" });
                }
            }
        }
    }
    let mut gammas: Vec<f64> = pairs.iter().map(|pair| pair.gamma.value).collect();
    gammas.sort_by(f64::total_cmp);
    gammas.dedup_by(|a, b| (*a - *b).abs() < 1e-12);
    if gammas.len() < MINIMUM_GAMMAS {
        let (what, found) = ("distinct gammas", gammas.len());
        return Err(GapError::TooFew { what, found, expected: MINIMUM_GAMMAS });
    }
    let all: Vec<&Draws> = pairs.iter().flat_map(|pair| [&pair.gamma, &pair.gain]).collect();
    let draws = same_count(&all)?;
    if draws < 2 {
        return Err(GapError::TooFew { what: "draws", found: draws, expected: 2 });
    }
    for (index, pair) in pairs.iter().enumerate() {
        let found = pair.gain.standard_error();
        // Equal draws may differ from their mean by rounding.
        if found <= ROUNDING * (1.0 + pair.gain.value.abs()) {
            let what = "standard error of the gain of pair";
            return Err(GapError::Value { what, index, found, expected: "a number above 0" });
        }
    }
    Ok(draws)
}
