//! Intervals by profile likelihood: for a parameter of a curve, or for its share at a level.

use super::chance::{logistic, logit};
use super::curve::{Bound, Curve, Raw};
use super::fit::{Fitted, Form, check_level};
use super::item_response::two_sided;
use super::linear::Cholesky;
use super::points::Points;
use super::search::{Problem, Pull, gradient};
use crate::{Estimate, EvaluationError};
use ndarray::Array2;

/// What a profile interval is of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// The parameter of this place in [`Fitted::parameters`].
    Parameter(usize),
    /// The share of the curve at this level.
    Share(f64),
}

/// The values v for which the best curve with that value is not refused by a likelihood-ratio test:
/// `2 (log-likelihood - greatest log-likelihood given v) <= quantile of chi-square with one degree`.
///
/// It holds for well-specified binomial data; unlike a bootstrap it sees when the data leave a parameter open: such an
/// end is infinite (midpoint, slope) or the end of the range (shares: 0 or 1).
///
/// # Errors
/// A curve without a smooth likelihood (clipped, monotone, baselines): resample instead. No such parameter, or a fixed
/// one; a level outside (0, 1); other points than those of the fit.
///
/// Venzon and Moolgavkar 1988, "A method for computing profile-likelihood-based confidence intervals".
///
/// ```
/// use superalign_evaluation::extrapolation::{Curve, Points, Target, fit, profile};
/// let points = Points::new(&[1.0, 2.0, 3.0, 4.0], &[96, 79, 52, 20], &[100; 4])?;
/// let fitted = fit(&points, Curve::logistic())?;
/// let found = profile(&points, &fitted, Target::Share(5.0), 0.95)?;
/// assert!(found.lo > 0.02 && found.hi < 0.12);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn profile(
    points: &Points,
    fitted: &Fitted,
    target: Target,
    level: f64,
) -> Result<Estimate, EvaluationError> {
    let deviations = two_sided(level)?;
    let Form::Raw(curve @ (Curve::Logistic { .. } | Curve::PowerLaw { .. }), frame, raw) = &fitted.form
    else {
        let reason = "the likelihood of this curve is not smooth: resample instead";
        return Err(EvaluationError::undefined("profile likelihood", reason));
    };
    let is_share = match target {
        Target::Share(x) => {
            check_level(curve, frame.spacing, 0, x)?;
            true
        }
        Target::Parameter(place) => check_parameter(fitted, place)?,
    };
    let problem = Problem { curve: *curve, frame: *frame, rows: &points.rows };
    if *frame != super::curve::Frame::new(points) {
        let reason = "these are not the points of the fit";
        return Err(EvaluationError::undefined("profile likelihood", reason));
    }
    let natural = |raw: &Raw| match target {
        Target::Share(x) => curve.share(frame, raw, x).0,
        Target::Parameter(place) => curve.natural(frame, raw)[place].1,
    };
    // Shares are followed on the scale of their log-odds.
    let quantity = |raw: &Raw| if is_share { logit(natural(raw)) } else { natural(raw) };
    let walk = Walk::new(&problem, &quantity, raw, deviations);
    let [lo, hi] = [walk.end(-1.0), walk.end(1.0)];
    let value = natural(raw);
    let back = |end: f64| if is_share { logistic(end) } else { end };
    Ok(Estimate { value, lo: back(lo).min(value), hi: back(hi).max(value) })
}

/// Whether the parameter is a share.
fn check_parameter(fitted: &Fitted, place: usize) -> Result<bool, EvaluationError> {
    let Some(&(name, value)) = fitted.parameters.get(place) else {
        let expected = fitted.parameters.len();
        return Err(EvaluationError::Shape { what: "parameter below their number", found: place, expected });
    };
    let fixed = |bound| matches!(bound, Bound::Fixed(_));
    let is_fixed = match (fitted.curve, name) {
        (Curve::Logistic { floor, .. }, "floor") => fixed(floor),
        (Curve::Logistic { ceiling, .. }, "ceiling") => fixed(ceiling),
        (Curve::PowerLaw { asymptote }, "asymptote") => fixed(asymptote),
        _ => false,
    };
    if is_fixed {
        let reason = format!("{name} is fixed at {value}");
        return Err(EvaluationError::undefined("profile likelihood", reason));
    }
    Ok(!matches!(name, "slope" | "midpoint" | "exponent"))
}

/// A walk along the profile, away from its top.
struct Walk<'a> {
    problem: &'a Problem<'a>,
    quantity: &'a dyn Fn(&Raw) -> f64,
    raw: &'a Raw,
    top: f64,
    value: f64,
    /// Standard error of the quantity, roughly.
    unit: f64,
    deviations: f64,
}

impl<'a> Walk<'a> {
    fn new(
        problem: &'a Problem<'a>,
        quantity: &'a dyn Fn(&Raw) -> f64,
        raw: &'a Raw,
        deviations: f64,
    ) -> Self {
        let free: Vec<usize> = (0..4).filter(|&i| problem.curve.free()[i]).collect();
        let slopes = gradient(quantity, raw, &free);
        let information = problem.score(raw).1;
        let matrix = Array2::from_shape_fn((free.len(), free.len()), |(a, b)| {
            let (i, j) = (free[a.max(b)], free[a.min(b)]);
            information[i][j] + if a == b { 1e-8 + 1e-8 * information[i][i] } else { 0.0 }
        });
        let by: Vec<f64> = free.iter().map(|&i| slopes[i]).collect();
        let variance = Cholesky::factor(matrix)
            .map_or(0.0, |factor| factor.solve(&by).iter().zip(&by).map(|(a, b)| a * b).sum::<f64>());
        let value = quantity(raw);
        let most = 1.0 + value.abs();
        let unit = if variance > 0.0 { variance.sqrt().clamp(1e-9 * most, most) } else { most };
        Self { problem, quantity, raw, top: problem.log_likelihood(raw), value, unit, deviations }
    }

    /// The signed root of twice the fall of the log-likelihood where the quantity is held near `to`, with the value
    /// that it has there.
    fn at(&self, to: f64, from: &Raw) -> (f64, f64, Raw) {
        // Strong against the curvature of the likelihood along the quantity.
        let pull = Pull { quantity: self.quantity, to, strength: 1e5 / (self.unit * self.unit) };
        let raw = self.problem.climb(from, Some(&pull));
        let fall = 2.0 * (self.top - self.problem.log_likelihood(&raw));
        (fall.max(0.0).sqrt(), (self.quantity)(&raw), raw)
    }

    /// Where the fall reaches the limit, downwards or upwards; infinite where it never does.
    fn end(&self, sign: f64) -> f64 {
        let (mut near, mut near_root, mut near_raw) = (self.value, 0.0, *self.raw);
        let mut by = self.unit;
        let mut far = None;
        for _ in 0..40 {
            let to = near + sign * by;
            let (root, reached, raw) = self.at(to, &near_raw);
            if (reached - near) * sign < 0.01 * by {
                // The curve goes no farther that way.
                break;
            }
            if root > self.deviations {
                far = Some((reached, root));
                break;
            }
            (near, near_root, near_raw) = (reached, root, raw);
            by *= 1.6;
        }
        let Some((mut far, mut far_root)) = far else { return sign * f64::INFINITY };
        for _ in 0..60 {
            if (far - near).abs() <= 1e-7 * self.unit.max(near.abs() * 1e-6) || far_root - near_root < 1e-7 {
                break;
            }
            let part = ((self.deviations - near_root) / (far_root - near_root)).clamp(0.05, 0.95);
            let (root, reached, raw) = self.at(near + part * (far - near), &near_raw);
            if (reached - near) * (reached - far) >= 0.0 {
                break;
            }
            if root > self.deviations {
                (far, far_root) = (reached, root);
            } else {
                (near, near_root, near_raw) = (reached, root, raw);
            }
        }
        near + (far - near)
            * ((self.deviations - near_root) / (far_root - near_root).max(1e-300)).clamp(0.0, 1.0)
    }
}
