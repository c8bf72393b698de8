//! Fitting a curve: one function for all curves. Its intervals are in `profile` and `resample`.

use super::chance::{log_choose, log_kernel};
use super::curve::{Curve, Frame, Raw, Trend};
use super::points::{Points, Row, Spacing};
use super::search::Problem;
use crate::EvaluationError;

/// A curve with the parameters that fit best.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The model.
    pub curve: Curve,
    /// Its parameters by name, in the order that [`Curve`] says, those that were fixed among them; none for
    /// [`Curve::Monotone`].
    pub parameters: Vec<(&'static str, f64)>,
    /// Natural logarithm of the binomial probability of the counts. A share of exactly 0 or 1 counts as 1e-9 from it.
    pub log_likelihood: f64,
    /// Number of parameters found from the data; for [`Curve::Monotone`] the number of its steps.
    pub free: usize,
    pub(super) form: Form,
}

/// A curve ready to be evaluated.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    /// A curve that was searched for.
    Raw(Curve, Frame, Raw),
    /// Straight between knots, level outside.
    Knots(Vec<f64>, Vec<f64>, Spacing),
    /// A line kept between 0 and 1.
    Line { intercept: f64, slope: f64, spacing: Spacing },
}

impl Form {
    pub(super) fn at(&self, x: f64) -> f64 {
        match self {
            Self::Raw(curve, frame, raw) => curve.share(frame, raw, x).0,
            Self::Line { intercept, slope, spacing } => {
                (intercept + slope * spacing.place(x)).clamp(0.0, 1.0)
            }
            Self::Knots(levels, shares, spacing) => {
                let after = levels.partition_point(|&level| level < x);
                if after == 0 {
                    shares[0]
                } else if after == levels.len() {
                    shares[after - 1]
                } else {
                    let [before, at, next] =
                        [levels[after - 1], x, levels[after]].map(|level| spacing.place(level));
                    let part = (at - before) / (next - before);
                    shares[after - 1] + part * (shares[after] - shares[after - 1])
                }
            }
        }
    }
}

impl Form {
    pub(super) fn spacing(&self) -> Spacing {
        match self {
            Self::Raw(_, frame, _) => frame.spacing,
            Self::Line { spacing, .. } | Self::Knots(_, _, spacing) => *spacing,
        }
    }
}

impl Fitted {
    /// The share of right answers at level x, in [0, 1]. Nothing here says how far it can be trusted: see
    /// [`extrapolate`](super::extrapolate).
    ///
    /// # Errors
    /// A level that is not finite; for a power law one that is not above 0.
    pub fn at(&self, x: f64) -> Result<f64, EvaluationError> {
        check_level(&self.curve, self.form.spacing(), 0, x)?;
        Ok(self.form.at(x))
    }

    /// Akaike's criterion, 2 free - 2 log-likelihood: lower is better.
    #[must_use]
    pub fn aic(&self) -> f64 {
        2.0 * self.free as f64 - 2.0 * self.log_likelihood
    }
}

/// Whether the curve has a value at the level.
pub(super) fn check_level(
    curve: &Curve,
    spacing: Spacing,
    index: usize,
    x: f64,
) -> Result<(), EvaluationError> {
    let expected = match x {
        x if !x.is_finite() => "a finite number",
        x if x <= 0.0 && curve.needs_positive() => "above 0 for a power law",
        x if x <= 0.0 && spacing == Spacing::Ratio => "above 0, where levels count by ratios",
        _ => return Ok(()),
    };
    Err(EvaluationError::Value { what: "level", index, found: x, expected })
}

/// The curve of greatest binomial likelihood: `right` of `total` answers at level x are a draw of
/// Binomial(total, p(x)).
///
/// Smooth curves are searched for by damped scoring from the best of a grid of starts, the clipped line by the simplex
/// method; [`Curve::Monotone`] is exact, and the baselines are direct. The same data give the same bits. Where the
/// likelihood rises forever (a step between two levels), the search stops at a very steep curve.
///
/// # Errors
/// Fewer levels than free parameters; levels not above 0 for a power law; fixed limits that are no shares.
///
/// Four-parameter logistic: Barton and Lord 1981; clipped line: Engels et al. 2025, "Scaling laws for scalable
/// oversight"; monotone: Ayer et al. 1955.
///
/// ```
/// use superalign_evaluation::extrapolation::{Curve, Points, fit};
/// let points = Points::new(&[1.0, 2.0, 3.0, 4.0], &[96, 79, 52, 20], &[100; 4])?;
/// let found = fit(&points, Curve::logistic())?;
/// assert_eq!(found.parameters[1].0, "midpoint");
/// assert!((found.parameters[1].1 - 3.0).abs() < 0.1);
/// assert!(found.at(5.0)? < 0.1);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn fit(points: &Points, curve: Curve) -> Result<Fitted, EvaluationError> {
    fit_from(points, curve, None)
}

/// As [`fit`], starting at a curve that is likely near.
pub(super) fn fit_from(
    points: &Points,
    curve: Curve,
    warm: Option<&Form>,
) -> Result<Fitted, EvaluationError> {
    curve.check()?;
    for (index, &level) in points.levels.iter().enumerate() {
        check_level(&curve, points.spacing, index, level)?;
    }
    let mut free = curve.free().iter().filter(|&&free| free).count();
    let expected = if curve == Curve::Linear { 2 } else { free.max(1) };
    if points.levels.len() < expected {
        return Err(EvaluationError::TooFew { what: "levels", found: points.levels.len(), expected });
    }
    let mut parameters = vec![];
    let form = match curve {
        Curve::Monotone(trend) => {
            let (form, steps) = monotone(points, trend);
            free = steps;
            form
        }
        Curve::LastValue => {
            free = 1;
            let last = points.levels[points.levels.len() - 1];
            let (right, total) = points.at_level(last);
            parameters.push(("share", right / total));
            Form::Knots(vec![last], vec![right / total], points.spacing)
        }
        Curve::Linear => {
            free = 2;
            let (intercept, slope) = line(points);
            parameters.extend([("intercept", intercept), ("slope", slope)]);
            Form::Line { intercept, slope, spacing: points.spacing }
        }
        Curve::Logistic { .. } | Curve::PowerLaw { .. } | Curve::ClippedLinear { .. } => {
            let problem = Problem { curve, frame: Frame::new(points), rows: &points.rows };
            let warm = match warm {
                // Raw numbers belong to their frame.
                Some(Form::Raw(_, frame, raw)) if *frame == problem.frame => Some(raw),
                _ => None,
            };
            let raw = problem.solve(points, warm);
            parameters = curve.natural(&problem.frame, &raw);
            Form::Raw(curve, problem.frame, raw)
        }
    };
    let log_likelihood = points
        .rows
        .iter()
        .map(|row| log_choose(row.total, row.right) + log_kernel(row.right, row.total, form.at(row.x)));
    Ok(Fitted { curve, parameters, log_likelihood: log_likelihood.sum(), free, form })
}

/// Pools adjacent violators; the knots, and how many different values they have.
fn monotone(points: &Points, trend: Trend) -> (Form, usize) {
    // Right, total and levels of each block.
    let mut blocks: Vec<(f64, f64, usize)> = vec![];
    for &level in &points.levels {
        let (right, total) = points.at_level(level);
        blocks.push((right, total, 1));
        while let [.., before, last] = &blocks[..] {
            let rise = last.0 * before.1 - before.0 * last.1;
            let fits = if trend == Trend::Rising { rise > 0.0 } else { rise < 0.0 };
            if fits {
                break;
            }
            let merged = (before.0 + last.0, before.1 + last.1, before.2 + last.2);
            blocks.truncate(blocks.len() - 2);
            blocks.push(merged);
        }
    }
    let shares = blocks.iter().flat_map(|&(right, total, levels)| std::iter::repeat_n(right / total, levels));
    (Form::Knots(points.levels.clone(), shares.collect(), points.spacing), blocks.len())
}

/// Intercept and slope of the line of weighted least squares.
fn line(points: &Points) -> (f64, f64) {
    let sum = |of: &dyn Fn(f64, f64) -> f64| {
        let term = |row: &Row| row.total * of(points.spacing.place(row.x), row.right / row.total);
        points.rows.iter().map(term).sum::<f64>()
    };
    let weight = sum(&|_, _| 1.0);
    let (x, y) = (sum(&|x, _| x) / weight, sum(&|_, y| y) / weight);
    let slope = sum(&|at, share| (at - x) * (share - y)) / sum(&|at, _| (at - x) * (at - x));
    (y - slope * x, slope)
}
