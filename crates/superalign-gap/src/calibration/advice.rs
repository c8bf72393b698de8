//! What a calibration advises, as values and in words.

use super::choice::{Calibration, NoOptimum, Optimum};
use crate::GapError;
use std::fmt;
use superalign_core::Estimate;

/// Which students to take for a teacher.
#[derive(Clone, Debug, PartialEq)]
pub struct Advice {
    /// Name of the teacher.
    pub teacher: String,
    /// Its capability C.
    pub capability: f64,
    /// Least and greatest gamma that was measured.
    pub range: (f64, f64),
    /// Where to look.
    pub direction: Direction,
}

/// Where the students that gain most lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Direction {
    /// Capacities from `low` to `high` gain most: C + the interval of gamma*, kept within [0, 1].
    Between {
        /// Least capacity K.
        low: f64,
        /// Greatest capacity K.
        high: f64,
        /// The fitted gain at gamma*.
        gain: Estimate,
    },
    /// The wider the gap, the better, as far as was measured.
    Strongest,
    /// The narrower the gap, the better, as far as was measured.
    Nearest,
    /// It makes no difference.
    Any {
        /// The gain.
        gain: Estimate,
    },
    /// There may be a peak, at a gamma that the data leave open.
    Unsure {
        /// gamma* as fitted, with its interval.
        gamma: Estimate,
    },
}

impl Calibration {
    /// What the calibration advises for a teacher of capability C, in [0, 1].
    ///
    /// # Errors
    /// A capability outside [0, 1]; an optimum at capacities that lie outside [0, 1] altogether.
    pub fn advise(&self, teacher: &str, capability: f64) -> Result<Advice, GapError> {
        if !(0.0..=1.0).contains(&capability) {
            return Err(GapError::setting("capability", capability, "a number in [0, 1]"));
        }
        let direction = match self.optimum {
            Optimum::Interior { gamma, gain } => {
                let (low, high) = (capability + gamma.lo, capability + gamma.hi);
                if low > 1.0 || high < 0.0 {
                    let reason = format!(
                        "students of {teacher} would need capacities from {low:.2} to {high:.2}, outside [0, 1]"
                    );
                    return Err(GapError::undefined("advice", reason));
                }
                Direction::Between { low: low.max(0.0), high: high.min(1.0), gain }
            }
            Optimum::None(NoOptimum::Rising) => Direction::Strongest,
            Optimum::None(NoOptimum::Falling) => Direction::Nearest,
            Optimum::None(NoOptimum::Flat { gain }) => Direction::Any { gain },
            Optimum::None(NoOptimum::Unsure { gamma }) => Direction::Unsure { gamma },
        };
        Ok(Advice { teacher: teacher.to_owned(), capability, range: self.range, direction })
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = self.range;
        write!(f, "for teacher {} (C {:.2}), ", self.teacher, self.capability)?;
        match self.direction {
            Direction::Between { low, high, gain } => write!(
                f,
                "students with K between {low:.2} and {high:.2} are predicted to gain most ({gain}); beyond that the \
                 gain falls"
            ),
            Direction::Strongest => write!(
                f,
                "the data show no interior optimum: the gain rises over the whole measured range of gamma ({low:.2} to \
                 {high:.2}); take students with K near {:.2}, and measure wider gaps",
                (self.capability + high).clamp(0.0, 1.0)
            ),
            Direction::Nearest => write!(
                f,
                "the data show no interior optimum: the gain falls over the whole measured range of gamma ({low:.2} to \
                 {high:.2}); take students with K near {:.2}, and measure narrower gaps",
                (self.capability + low).clamp(0.0, 1.0)
            ),
            Direction::Any { gain } => write!(
                f,
                "the data show no interior optimum: the gain is {gain} over the whole measured range of gamma ({low:.2} \
                 to {high:.2}); take the cheapest student"
            ),
            Direction::Unsure { gamma } => write!(
                f,
                "the data show no interior optimum: the fitted peak is at gamma {gamma}, which reaches the end of the \
                 measured range ({low:.2} to {high:.2}); measure more pairs"
            ),
        }
    }
}
