//! The asymptote of a learning curve: capability with training items without end.

use super::power_law::{PowerLaw, fit};
use super::profile::interval;
use crate::draws::{Draws, capability_draws};
use crate::{Bootstrap, GapError};
use ndarray::Array2;
use std::fmt;
use superalign_core::Estimate;

/// The fewest training sizes: one more than the curve has parameters.
pub const MINIMUM_SIZES: usize = 4;
/// The fewest resamples for each size: the interval needs the covariance of the errors.
pub const MINIMUM_DRAWS_PER_SIZE: usize = 10;
/// An interval of the asymptote that covers more than this share of what is possible, from 0 to the error at the last
/// size, leaves it open.
const UNINFORMATIVE: f64 = 0.5;

/// A learning curve and where it ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Asymptote {
    /// 1 - a, the capability that the curve tends to, in [0, 1]. Where the verdict is not `Determined`, the interval
    /// is the answer and the value is one of many.
    pub capacity: Estimate,
    /// The same with its resamples, each refitted: for comparing estimators. Their spread is no interval where the
    /// curve does not determine its asymptote.
    pub draws: Draws,
    /// The curve of the data themselves.
    pub curve: PowerLaw,
    /// Whether the curve determines its asymptote.
    pub verdict: Verdict,
}

/// Whether a learning curve determines its asymptote.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// It does.
    Determined,
    /// The error does not fall from the first size to the last, as far as the data tell: there is no curve to follow.
    Level {
        /// Error at the first size minus error at the last.
        fall: Estimate,
    },
    /// The error still falls at the last size: the interval of the asymptote covers more than half of what is possible,
    /// from 0 to the error there.
    StillFalling {
        /// Interval of the asymptote.
        asymptote: Estimate,
        /// The fitted error at the last size, which bounds it.
        last: f64,
    },
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Determined => write!(f, "the curve determines its asymptote"),
            Self::Level { fall } => {
                write!(
                    f,
                    "undetermined: the error falls by {fall} from the first size to the last, which may be nothing"
                )
            }
            Self::StillFalling { asymptote, last } => write!(
                f,
                "undetermined: the error still falls at the last size, where it is {last:.3}; it may end at {asymptote}"
            ),
        }
    }
}

/// Fits err(n) = a + b n^-c, with a in [0, 1], b >= 0 and c from 0.02 to 4, to the errors of students trained on
/// `sizes[k]` items, and gives the capacity 1 - a.
///
/// `answers[k]`, (seeds, items), says whether the students of size k are right on the test items, which are the same at
/// all sizes. The fit has the greatest binomial likelihood, as if sizes were independent. The interval is a profile:
/// all asymptotes for which some b and c bring the curve within the normal quantile of the errors, in generalised least
/// squares with the covariance of the errors over joint resamples of items (or groups) and seeds. (Percentiles of
/// refitted resamples are too narrow where the curve is nearly straight.)
///
/// Sizes must span the bend of the curve: an asymptote is an extrapolation, and the verdict says when the data leave it
/// open.
///
/// # Errors
/// Fewer than [`MINIMUM_SIZES`] sizes, sizes that are not positive and rising, one term per size missing, fewer than
/// [`MINIMUM_DRAWS_PER_SIZE`] draws for each size; else as [`capability_over_seeds`](crate::capability_over_seeds).
///
/// ```
/// use ndarray::Array2;
/// use superalign_core::Seed;
/// use superalign_gap::Bootstrap;
/// use superalign_gap::capacity::{Verdict, learning_curve};
/// let sizes = [100.0, 400.0, 1600.0, 6400.0, 25600.0];
/// // Errors of .1 + 2 n^-.5.
/// let answers: Vec<_> = sizes
///     .iter()
///     .map(|n: &f64| Array2::from_shape_fn((1, 4000), |(_, i)| ((i * 7919) % 4000) as f64 / 4000.0 >= 0.1 + 2.0 / n.sqrt()))
///     .collect();
/// let found = learning_curve(&sizes, &answers, None, &Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(1)) })?;
/// assert!((found.capacity.value - 0.9).abs() < 0.01 && found.verdict == Verdict::Determined);
/// # Ok::<(), superalign_gap::GapError>(())
/// ```
pub fn learning_curve(
    sizes: &[f64],
    answers: &[Array2<bool>],
    groups: Option<&[u32]>,
    bootstrap: &Bootstrap,
) -> Result<Asymptote, GapError> {
    if sizes.len() < MINIMUM_SIZES {
        return Err(GapError::TooFew { what: "training sizes", found: sizes.len(), expected: MINIMUM_SIZES });
    }
    let mut before = 0.0;
    for (index, &found) in sizes.iter().enumerate() {
        if !(found > before && found.is_finite()) {
            let expected = "a finite number above 0 and above the size before";
            return Err(GapError::Value { what: "training size", index, found, expected });
        }
        before = found;
    }
    if answers.len() != sizes.len() {
        let (found, expected) = (answers.len(), sizes.len());
        return Err(GapError::Shape { what: "number of sizes with answers", found, expected });
    }
    if bootstrap.draws < MINIMUM_DRAWS_PER_SIZE * sizes.len() {
        let expected = format!("at least {MINIMUM_DRAWS_PER_SIZE} for each of {} sizes", sizes.len());
        return Err(GapError::setting("draws", bootstrap.draws as f64, expected));
    }
    let views: Vec<_> = answers.iter().map(|term| term.view()).collect();
    let errors: Vec<Draws> =
        capability_draws(&views, groups, bootstrap)?.iter().map(|right| right.map(|c| 1.0 - c)).collect();
    let curve = fit(sizes, &errors.iter().map(|error| error.value).collect::<Vec<_>>());
    let refit = |draw: usize| fit(sizes, &errors.iter().map(|error| error.draws[draw]).collect::<Vec<_>>());
    let draws = Draws {
        value: 1.0 - curve.asymptote,
        draws: (0..bootstrap.draws).map(|draw| 1.0 - refit(draw).asymptote).collect(),
    };
    let values: Vec<f64> = errors.iter().map(|error| error.value).collect();
    let covariance = covariance(&errors, answers[0].ncols());
    let (low, high) = interval(sizes, &values, &covariance, bootstrap.draws, bootstrap.level);
    let capacity = Estimate {
        value: 1.0 - curve.asymptote,
        lo: 1.0 - high.max(curve.asymptote),
        hi: 1.0 - low.min(curve.asymptote),
    };
    let last = curve.error_at(sizes[sizes.len() - 1]);
    let fall = errors[0].minus(&errors[errors.len() - 1])?.estimate(bootstrap.level)?;
    let verdict = if fall.lo <= 0.0 {
        Verdict::Level { fall }
    } else if capacity.hi - capacity.lo > UNINFORMATIVE * last {
        let asymptote = Estimate { value: curve.asymptote, lo: 1.0 - capacity.hi, hi: 1.0 - capacity.lo };
        Verdict::StillFalling { asymptote, last }
    } else {
        Verdict::Determined
    };
    Ok(Asymptote { capacity, draws, curve, verdict })
}

/// Covariance of the errors over their draws, by rows. Half an item is added to each standard error, so that errors
/// that never vary (of a perfect student) have some.
fn covariance(errors: &[Draws], items: usize) -> Vec<f64> {
    let mean = |error: &Draws| error.draws.iter().sum::<f64>() / error.draws.len() as f64;
    let means: Vec<f64> = errors.iter().map(mean).collect();
    let mut found = Vec::with_capacity(errors.len() * errors.len());
    for (i, one) in errors.iter().enumerate() {
        for (j, other) in errors.iter().enumerate() {
            let products = one.draws.iter().zip(&other.draws).map(|(a, b)| (a - means[i]) * (b - means[j]));
            let floor = if i == j { (0.5 / items as f64).powi(2) } else { 0.0 };
            found.push(products.sum::<f64>() / (one.draws.len() - 1) as f64 + floor);
        }
    }
    found
}
