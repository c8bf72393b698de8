//! The curves of ability over difficulty or scale: their formulas, parameters and derivatives. Fitting them is in
//! `fit`.

use super::chance::logistic;
use super::points::{Points, Spacing};
use crate::EvaluationError;

/// Numbers that a curve of the four-parameter kinds is searched in.
pub(super) type Raw = [f64; 4];

/// A limit of a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// Found from the data.
    Free,
    /// Known: a share in [0, 1], such as one over the number of choices.
    Fixed(f64),
}

/// Which way a monotone curve goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trend {
    /// More right answers at higher levels, as over scale.
    Rising,
    /// Fewer right answers at higher levels, as over difficulty.
    Falling,
}

/// A model of the share p(x) of right answers at level x.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Curve {
    /// `floor + (ceiling - floor) / (1 + exp(-slope (x - midpoint)))`. Parameters: slope, midpoint, floor, ceiling.
    Logistic {
        /// Share at the low end.
        floor: Bound,
        /// Share at the high end.
        ceiling: Bound,
    },
    /// `asymptote + (start - asymptote) (x / x0)^-exponent` for x > 0, where x0 is the first level that was fitted; the
    /// exponent is positive. Parameters: start, exponent, asymptote.
    PowerLaw {
        /// Share at infinity.
        asymptote: Bound,
    },
    /// `intercept + slope x`, kept between floor and ceiling. Parameters: intercept, slope, floor, ceiling.
    ClippedLinear {
        /// Least share.
        floor: Bound,
        /// Greatest share.
        ceiling: Bound,
    },
    /// The monotone curve of greatest likelihood (pool adjacent violators): straight between levels, level outside.
    Monotone(Trend),
    /// Baseline: everywhere the share at the highest level.
    LastValue,
    /// Baseline: the straight line of weighted least squares, kept between 0 and 1. Parameters: intercept, slope.
    Linear,
}

/// Centre and scale of the levels, so that the search sees numbers near 1; the first level is x0 of the power law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) centre: f64,
    pub(super) scale: f64,
    pub(super) first: f64,
    pub(super) spacing: Spacing,
}

impl Frame {
    pub(super) fn new(points: &Points) -> Self {
        let (levels, spacing) = (&points.levels, points.spacing);
        let (first, last) = (spacing.place(levels[0]), spacing.place(levels[levels.len() - 1]));
        let centre = 0.5 * first + 0.5 * last;
        // Half the range: the levels run from -1 to 1.
        let half = 0.5 * last - 0.5 * first;
        Self { centre, scale: if half > 0.0 { half } else { 1.0 }, first: levels[0], spacing }
    }

    pub(super) fn unit(&self, x: f64) -> f64 {
        (self.spacing.place(x) - self.centre) / self.scale
    }
}

/// The floor and the ceiling, with their derivatives by the third and the fourth raw number.
struct Limits {
    floor: f64,
    ceiling: f64,
    floor_by_third: f64,
    ceiling_by_third: f64,
    ceiling_by_fourth: f64,
}

impl Limits {
    fn new(floor: Bound, ceiling: Bound, raw: &Raw) -> Self {
        let (low, low_slope) = match floor {
            Bound::Fixed(share) => (share, 0.0),
            Bound::Free => {
                let most = if let Bound::Fixed(share) = ceiling { share } else { 1.0 };
                let part = logistic(raw[2]);
                (most * part, most * part * (1.0 - part))
            }
        };
        match ceiling {
            Bound::Fixed(share) => Self {
                floor: low,
                ceiling: share,
                floor_by_third: low_slope,
                ceiling_by_third: 0.0,
                ceiling_by_fourth: 0.0,
            },
            Bound::Free => {
                let part = logistic(raw[3]);
                Self {
                    floor: low,
                    ceiling: low + (1.0 - low) * part,
                    floor_by_third: low_slope,
                    ceiling_by_third: low_slope * (1.0 - part),
                    ceiling_by_fourth: (1.0 - low) * part * (1.0 - part),
                }
            }
        }
    }
}

impl Curve {
    /// The logistic from 0 to 1.
    #[must_use]
    pub const fn logistic() -> Self {
        Self::Logistic { floor: Bound::Fixed(0.0), ceiling: Bound::Fixed(1.0) }
    }

    /// Whether the fixed limits are shares, the floor below the ceiling.
    pub(super) fn check(&self) -> Result<(), EvaluationError> {
        let share = |key, bound| match bound {
            Bound::Fixed(share) if !(0.0..=1.0).contains(&share) => {
                Err(EvaluationError::setting(key, share, "a share in [0, 1]"))
            }
            _ => Ok(()),
        };
        match *self {
            Self::Logistic { floor, ceiling } | Self::ClippedLinear { floor, ceiling } => {
                share("floor", floor)?;
                share("ceiling", ceiling)?;
                let low = if let Bound::Fixed(share) = floor { share } else { 0.0 };
                let high = if let Bound::Fixed(share) = ceiling { share } else { 1.0 };
                if low >= high {
                    return Err(EvaluationError::setting("floor", low, format!("a share below {high}")));
                }
                Ok(())
            }
            Self::PowerLaw { asymptote } => share("asymptote", asymptote),
            Self::Monotone(_) | Self::LastValue | Self::Linear => Ok(()),
        }
    }

    /// Which raw numbers are searched for; none of a curve that is computed directly.
    pub(super) fn free(&self) -> [bool; 4] {
        let free = |bound| bound == Bound::Free;
        match *self {
            Self::Logistic { floor, ceiling } | Self::ClippedLinear { floor, ceiling } => {
                [true, true, free(floor), free(ceiling)]
            }
            Self::PowerLaw { asymptote } => [true, true, free(asymptote), false],
            Self::Monotone(_) | Self::LastValue | Self::Linear => [false; 4],
        }
    }

    /// Whether levels must be above 0.
    pub(super) fn needs_positive(&self) -> bool {
        matches!(self, Self::PowerLaw { .. })
    }

    /// The least and the greatest value of each raw number that a search visits: beyond them the curve changes by
    /// less than data can tell.
    pub(super) fn range(&self) -> ([f64; 4], [f64; 4]) {
        match self {
            Self::PowerLaw { .. } => ([-16.0, -7.0, -16.0, 0.0], [16.0, 3.5, 16.0, 0.0]),
            _ => ([-200.0, -200.0, -16.0, -16.0], [200.0, 200.0, 16.0, 16.0]),
        }
    }

    /// The share at x, and its derivatives by the raw numbers (for a clipped line, between its kinks).
    pub(super) fn share(&self, frame: &Frame, raw: &Raw, x: f64) -> (f64, Raw) {
        match *self {
            Self::Logistic { floor, ceiling } => {
                let limits = Limits::new(floor, ceiling, raw);
                let z = frame.unit(x);
                let part = logistic(raw[0] + raw[1] * z);
                let height = limits.ceiling - limits.floor;
                let bend = height * part * (1.0 - part);
                let by_third = limits.floor_by_third * (1.0 - part) + limits.ceiling_by_third * part;
                (limits.floor + height * part, [bend, bend * z, by_third, limits.ceiling_by_fourth * part])
            }
            Self::PowerLaw { asymptote } => {
                let (start, exponent) = (logistic(raw[0]), raw[1].exp());
                let (end, end_slope) = match asymptote {
                    Bound::Fixed(share) => (share, 0.0),
                    Bound::Free => {
                        let end = logistic(raw[2]);
                        (end, end * (1.0 - end))
                    }
                };
                let log = (x / frame.first).ln();
                let left = (-exponent * log).exp();
                let by_exponent = -(start - end) * left * exponent * log;
                let raw = [start * (1.0 - start) * left, by_exponent, end_slope * (1.0 - left), 0.0];
                (end + (start - end) * left, raw)
            }
            Self::ClippedLinear { floor, ceiling } => {
                let limits = Limits::new(floor, ceiling, raw);
                let z = frame.unit(x);
                let line = raw[0] + raw[1] * z;
                if line <= limits.floor {
                    (limits.floor, [0.0, 0.0, limits.floor_by_third, 0.0])
                } else if line >= limits.ceiling {
                    (limits.ceiling, [0.0, 0.0, limits.ceiling_by_third, limits.ceiling_by_fourth])
                } else {
                    (line, [1.0, z, 0.0, 0.0])
                }
            }
            Self::Monotone(_) | Self::LastValue | Self::Linear => (f64::NAN, [0.0; 4]),
        }
    }

    /// The parameters by name, in units of the data.
    pub(super) fn natural(&self, frame: &Frame, raw: &Raw) -> Vec<(&'static str, f64)> {
        match *self {
            Self::Logistic { floor, ceiling } => {
                let limits = Limits::new(floor, ceiling, raw);
                let steep = if raw[1].abs() < 1e-12 { 1e-12 } else { raw[1] };
                let midpoint = frame.centre - raw[0] / steep * frame.scale;
                vec![
                    ("slope", raw[1] / frame.scale),
                    ("midpoint", frame.spacing.level(midpoint)),
                    ("floor", limits.floor),
                    ("ceiling", limits.ceiling),
                ]
            }
            Self::PowerLaw { asymptote } => {
                let end = if let Bound::Fixed(share) = asymptote { share } else { logistic(raw[2]) };
                vec![("start", logistic(raw[0])), ("exponent", raw[1].exp()), ("asymptote", end)]
            }
            Self::ClippedLinear { floor, ceiling } => {
                let limits = Limits::new(floor, ceiling, raw);
                vec![
                    ("intercept", raw[0] - raw[1] * frame.centre / frame.scale),
                    ("slope", raw[1] / frame.scale),
                    ("floor", limits.floor),
                    ("ceiling", limits.ceiling),
                ]
            }
            Self::Monotone(_) | Self::LastValue | Self::Linear => vec![],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_are_those_of_the_formulas() {
        let frame = Frame { centre: 4.0, scale: 3.0, first: 1.0, spacing: Spacing::Even };
        let (free, fixed) = (Bound::Free, Bound::Fixed(0.9));
        for curve in [
            Curve::Logistic { floor: free, ceiling: free },
            Curve::Logistic { floor: free, ceiling: fixed },
            Curve::Logistic { floor: Bound::Fixed(0.1), ceiling: free },
            Curve::PowerLaw { asymptote: free },
            Curve::PowerLaw { asymptote: fixed },
            Curve::ClippedLinear { floor: free, ceiling: free },
        ] {
            let raw = [0.4, -0.7, -1.0, 0.8];
            for x in [1.5, 4.0, 6.5] {
                let (_, slopes) = curve.share(&frame, &raw, x);
                for i in 0..4 {
                    let moved = |by: f64| {
                        let mut raw = raw;
                        raw[i] += by;
                        curve.share(&frame, &raw, x).0
                    };
                    let expected = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                    assert!((slopes[i] - expected).abs() < 1e-8, "{curve:?} {x} {i}");
                }
            }
        }
    }
}
