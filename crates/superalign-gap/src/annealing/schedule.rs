//! Schedules: the target gap of every round.

use crate::GapError;
use std::f64::consts::PI;
use superalign_core::Estimate;

/// The target gap g(t) of round t = 0..R, with s = t / (R - 1), and s = 0 when there is one round.
///
/// ```
/// use superalign_gap::annealing::Schedule;
/// let cosine = Schedule::Cosine { from: 0.2, to: 0.0 };
/// assert!((cosine.target(0, 5)? - 0.2).abs() < 1e-12);
/// assert!((cosine.target(2, 5)? - 0.1).abs() < 1e-12);
/// assert!(cosine.target(4, 5)?.abs() < 1e-12);
/// # Ok::<(), superalign_gap::GapError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// g = gap.
    Constant {
        /// The gap, in [-1, 1].
        gap: f64,
    },
    /// g = from + (to - from) s.
    Linear {
        /// The first gap, in [-1, 1].
        from: f64,
        /// The last gap, in [-1, 1].
        to: f64,
    },
    /// g = to + (from - to) (1 + cos(pi s)) / 2: slow at both ends.
    Cosine {
        /// The first gap, in [-1, 1].
        from: f64,
        /// The last gap, in [-1, 1].
        to: f64,
    },
    /// g = from (to / from)^s: the same factor every round.
    Exponential {
        /// The first gap, in (0, 1].
        from: f64,
        /// The last gap, in (0, 1].
        to: f64,
    },
    /// g = argmax of the fitted gain, whatever t: the gap of the band whose gain is greatest, the narrowest one of
    /// equals. It moves when the caller calibrates anew ([`Annealing::recalibrate`](super::Annealing::recalibrate)).
    Adaptive {
        /// Gammas, rising, with the fitted gain of each:
        /// [`Calibration::band`](crate::calibration::Calibration::band).
        band: Vec<(f64, Estimate)>,
        /// Which end of the gain's interval is meant by greatest.
        confidence: Confidence,
    },
}

/// What stands for an uncertain gain when the greatest is sought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Confidence {
    /// The lower end of its interval: where some gain is sure.
    Lower,
    /// Its value.
    Value,
    /// The upper end of its interval: where much may be gained, or learned (as an upper confidence bound, Auer 2002).
    Upper,
}

impl Schedule {
    /// The target gap of round `t` of `rounds`.
    ///
    /// # Errors
    /// A round that there is not; a gap out of its range; a band that is empty, not rising or not finite.
    pub fn target(&self, t: usize, rounds: usize) -> Result<f64, GapError> {
        if t >= rounds {
            return Err(GapError::setting("t", t as f64, format!("a round below {rounds}")));
        }
        self.check()?;
        Ok(self.at(t, rounds))
    }

    /// Whether gaps and band are in their ranges.
    pub(super) fn check(&self) -> Result<(), GapError> {
        let within = |key, found: f64, low: f64| {
            if (-1.0..=1.0).contains(&found) && (found > low || low < 0.0) {
                return Ok(());
            }
            Err(GapError::setting(key, found, if low < 0.0 { "a gap in [-1, 1]" } else { "a gap in (0, 1]" }))
        };
        match self {
            Self::Constant { gap } => within("gap", *gap, -1.0),
            Self::Linear { from, to } | Self::Cosine { from, to } => {
                within("from", *from, -1.0)?;
                within("to", *to, -1.0)
            }
            Self::Exponential { from, to } => {
                within("from", *from, 0.0)?;
                within("to", *to, 0.0)
            }
            Self::Adaptive { band, .. } => check_band(band),
        }
    }

    /// The target of a checked schedule.
    pub(super) fn at(&self, t: usize, rounds: usize) -> f64 {
        let s = if rounds > 1 { t as f64 / (rounds - 1) as f64 } else { 0.0 };
        match self {
            Self::Constant { gap } => *gap,
            Self::Linear { from, to } => from + (to - from) * s,
            Self::Cosine { from, to } => to + (from - to) * 0.5 * (1.0 + (PI * s).cos()),
            Self::Exponential { from, to } => from * (to / from).powf(s),
            Self::Adaptive { band, confidence } => {
                let gain = |estimate: &Estimate| match confidence {
                    Confidence::Lower => estimate.lo,
                    Confidence::Value => estimate.value,
                    Confidence::Upper => estimate.hi,
                };
                let mut best = &band[0];
                for point in &band[1..] {
                    if gain(&point.1) > gain(&best.1) {
                        best = point;
                    }
                }
                best.0
            }
        }
    }
}

pub(super) fn check_band(band: &[(f64, Estimate)]) -> Result<(), GapError> {
    if band.is_empty() {
        return Err(GapError::TooFew { what: "gammas of a band", found: 0, expected: 1 });
    }
    for (index, (gamma, gain)) in band.iter().enumerate() {
        let before = if index == 0 { f64::NEG_INFINITY } else { band[index - 1].0 };
        if !(gamma.is_finite() && *gamma > before) {
            let expected = "a finite number above the gamma before";
            return Err(GapError::Value { what: "gamma of band", index, found: *gamma, expected });
        }
        if let Some(found) = [gain.value, gain.lo, gain.hi].into_iter().find(|end| !end.is_finite()) {
            return Err(GapError::Value { what: "gain of band", index, found, expected: "a finite number" });
        }
    }
    Ok(())
}
