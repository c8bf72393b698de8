//! Which shape the data support, and where its greatest gain lies.

use super::pairs::{Pair, check};
use super::shape::{Curve, Peak, Point, Range, Shape};
use crate::GapError;
use crate::draws::{Draws, normal};
use superalign_core::{Estimate, Seed};

/// How a calibration is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// What cross-validation leaves out.
    pub folds: Folds,
    /// Level of the intervals, in (0, 1).
    pub level: f64,
    /// Where the draws of what pairs vary by come from.
    pub seed: Seed,
}

/// What cross-validation leaves out at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Folds {
    /// All pairs of one teacher: right where a teacher's pairs share its luck. At least 3 teachers.
    Teacher,
    /// One pair.
    Pair,
}

/// What cross-validation found of one shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShapeScore {
    /// The shape.
    pub shape: Shape,
    /// Mean squared error of left-out gains, in units of their variance: near 1 where only measurement errs.
    pub error: f64,
    /// How much worse it is than the best shape, in the same units.
    pub excess: f64,
    /// Standard error of the excess, over the folds.
    pub excess_error: f64,
    /// The share of resamples in which this shape is chosen.
    pub chosen: f64,
}

/// Where the gain is greatest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimum {
    /// Inside the measured range.
    Interior {
        /// gamma*.
        gamma: Estimate,
        /// The fitted gain there.
        gain: Estimate,
    },
    /// Not inside it, as far as the data tell.
    None(NoOptimum),
}

/// Why there is no interior optimum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NoOptimum {
    /// The gain does not depend on gamma.
    Flat {
        /// The gain.
        gain: Estimate,
    },
    /// The gain rises over the whole range.
    Rising,
    /// The gain falls over the whole range.
    Falling,
    /// The gain seems to have a peak, but the interval of its place reaches the end of the range.
    Unsure {
        /// gamma* as fitted.
        gamma: Estimate,
    },
}

/// The fitted gain(gamma).
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// The shape that was chosen.
    pub shape: Shape,
    /// Its curve.
    pub curve: Curve,
    /// Where the gain is greatest.
    pub optimum: Optimum,
    /// All shapes, the simplest first.
    pub scores: Vec<ShapeScore>,
    /// Least and greatest measured gamma.
    pub range: (f64, f64),
    /// Standard deviation by which gains of pairs vary beyond their measurement.
    pub spread: f64,
    curves: Vec<Curve>,
    level: f64,
}

/// Fits gain against gamma over the pairs, chooses the shape, and finds gamma*.
///
/// Weights are 1 / (se^2 + spread^2), se the standard error of each gain; the spread of pairs beyond their measurement
/// is estimated by moments (DerSimonian and Laird 1986) from the curve first chosen with spread 0. The choice: every
/// shape is scored by its weighted squared error on left-out pairs; the simplest one is taken whose excess over the
/// best is at most one standard error of that excess, paired over the folds (the one-standard-error rule, Breiman et
/// al. 1984).
///
/// The interval of gamma* comes from the draws of the pairs: in each one gammas and gains are replaced (the spread
/// added), the shape is chosen anew, and gamma* found within the measured range; a monotone draw points to its end of
/// the range, and flat draws to either end in turn. The optimum is interior only where the shape chosen is unimodal and
/// the interval touches no end.
///
/// Both axes contain C(T), so its error moves a point along both: keep the standard errors of gamma well below the
/// range of gamma. The interval knows of these errors (draws are joint), the fitted curve does not correct for them.
///
/// # Errors
/// Fewer than 4 distinct gammas; with [`Folds::Teacher`] fewer than 3 teachers; pairs with different numbers of draws
/// or fewer than 2; a number that is not finite; a gain without error; a level outside (0, 1).
///
/// ```
/// use superalign_core::Seed;
/// use superalign_gap::Draws;
/// use superalign_gap::calibration::{Config, Folds, Optimum, Pair, calibrate};
/// // Gains with a peak at gamma = .15.
/// let pairs: Vec<Pair> = (0..9)
///     .map(|i| {
///         let gamma = 0.02 + 0.03 * f64::from(i);
///         let gain = 0.05 - 4.0 * (gamma - 0.15_f64).powi(2);
///         let draws = |value, se, name| Draws::normal(value, se, 200, Seed::new(u64::from(i)).named(name)).unwrap();
///         Pair { teacher: i / 3, student: i % 3, gamma: draws(gamma, 0.002, "gamma"), gain: draws(gain, 0.003, "gain") }
///     })
///     .collect();
/// let found = calibrate(&pairs, &Config { folds: Folds::Pair, level: 0.95, seed: Seed::new(1) })?;
/// let Optimum::Interior { gamma, .. } = found.optimum else { panic!("{:?}", found.optimum) };
/// assert!(gamma.covers(0.15) && gamma.hi - gamma.lo < 0.03);
/// # Ok::<(), superalign_gap::GapError>(())
/// ```
pub fn calibrate(pairs: &[Pair], config: &Config) -> Result<Calibration, GapError> {
    if !(config.level > 0.0 && config.level < 1.0) {
        return Err(GapError::setting("level", config.level, "a number between 0 and 1"));
    }
    let count = check(pairs)?;
    let folds = folds(pairs, config.folds)?;
    let low = pairs.iter().map(|pair| pair.gamma.value).fold(f64::INFINITY, f64::min);
    let high = pairs.iter().map(|pair| pair.gamma.value).fold(f64::NEG_INFINITY, f64::max);
    let range = Range { centre: 0.5 * (low + high), half: 0.5 * (high - low) };
    let variances: Vec<f64> = pairs.iter().map(|pair| pair.gain.standard_error().powi(2)).collect();
    let points = |spread: f64, of: &dyn Fn(&Draws) -> f64| -> Vec<Point> {
        let point = |(pair, variance): (&Pair, &f64)| {
            let z = (of(&pair.gamma) - range.centre) / range.half;
            Point::new(z, of(&pair.gain), 1.0 / (variance + spread * spread))
        };
        pairs.iter().zip(&variances).map(point).collect()
    };
    let first = points(0.0, &|draws| draws.value);
    let spread = spread(&first, &choose(&first, &folds, range));
    let data = points(spread, &|draws| draws.value);
    let choice = choose(&data, &folds, range);
    let (shape, curve) = (choice.shape, choice.curve);
    let mut chosen = [0_usize; 3];
    let mut curves = Vec::with_capacity(count);
    let mut peaks = Vec::with_capacity(count);
    let mut flat = 0_usize;
    for draw in 0..count {
        let mut drawn = points(spread, &|draws| draws.draws[draw]);
        let mut rng = config.seed.named("spread").nth(draw as u64).rng();
        drawn.iter_mut().for_each(|point| point.gain += spread * normal(&mut rng));
        let found = choose(&drawn, &folds, range);
        chosen[found.shape as usize] += 1;
        peaks.push(match found.curve.peak() {
            Peak::Low => low,
            Peak::Inside(gamma) => gamma,
            Peak::High => high,
            Peak::Anywhere => {
                flat += 1;
                if flat.is_multiple_of(2) { low } else { high }
            }
        });
        curves.push(found.curve);
    }
    let scores = choice
        .scores
        .into_iter()
        .zip(chosen)
        .map(|(score, chosen)| ShapeScore { chosen: chosen as f64 / count as f64, ..score })
        .collect();
    let gain_at = |gamma: f64| {
        let draws = curves.iter().map(|curve| curve.at(gamma)).collect();
        Draws { value: curve.at(gamma), draws }.estimate(config.level)
    };
    let optimum = match curve.peak() {
        Peak::Anywhere => Optimum::None(NoOptimum::Flat { gain: gain_at(range.centre)? }),
        Peak::High => Optimum::None(NoOptimum::Rising),
        Peak::Low => Optimum::None(NoOptimum::Falling),
        Peak::Inside(value) => {
            let gamma = Draws { value, draws: peaks }.estimate(config.level)?;
            if low < gamma.lo && gamma.hi < high {
                Optimum::Interior { gamma, gain: gain_at(value)? }
            } else {
                Optimum::None(NoOptimum::Unsure { gamma })
            }
        }
    };
    Ok(Calibration { shape, curve, optimum, scores, range: (low, high), spread, curves, level: config.level })
}

impl Calibration {
    /// The fitted gain at a gamma, with its interval from all resamples, whatever shape each of them chose.
    ///
    /// # Errors
    /// A gamma outside the measured range, beyond which the shapes are only formulas.
    pub fn gain_at(&self, gamma: f64) -> Result<Estimate, GapError> {
        let (low, high) = self.range;
        if !(low <= gamma && gamma <= high) {
            return Err(GapError::setting(
                "gamma",
                gamma,
                format!("a number in the measured range, {low} to {high}"),
            ));
        }
        let draws = self.curves.iter().map(|curve| curve.at(gamma)).collect();
        Draws { value: self.curve.at(gamma), draws }.estimate(self.level)
    }

    /// [`Calibration::gain_at`] at `count` gammas evenly over the measured range: the band of a figure, and what
    /// [`Schedule::Adaptive`](crate::annealing::Schedule) chooses from.
    ///
    /// # Errors
    /// Fewer than 2 gammas.
    pub fn band(&self, count: usize) -> Result<Vec<(f64, Estimate)>, GapError> {
        if count < 2 {
            return Err(GapError::TooFew { what: "gammas of a band", found: count, expected: 2 });
        }
        let (low, high) = self.range;
        let step = (high - low) / (count - 1) as f64;
        let gamma = |i: usize| if i + 1 == count { high } else { low + step * i as f64 };
        (0..count).map(|i| Ok((gamma(i), self.gain_at(gamma(i))?))).collect()
    }
}

/// The places of the pairs of every fold.
fn folds(pairs: &[Pair], by: Folds) -> Result<Vec<Vec<usize>>, GapError> {
    match by {
        Folds::Pair => Ok((0..pairs.len()).map(|place| vec![place]).collect()),
        Folds::Teacher => {
            let mut teachers: Vec<u32> = pairs.iter().map(|pair| pair.teacher).collect();
            teachers.sort_unstable();
            teachers.dedup();
            if teachers.len() < 3 {
                return Err(GapError::TooFew { what: "teachers", found: teachers.len(), expected: 3 });
            }
            let of = |teacher| (0..pairs.len()).filter(|&place| pairs[place].teacher == teacher).collect();
            Ok(teachers.into_iter().map(of).collect())
        }
    }
}

/// A chosen shape, its curve on all points, and the scores it was chosen by.
struct Choice {
    shape: Shape,
    curve: Curve,
    scores: Vec<ShapeScore>,
}

fn choose(points: &[Point], folds: &[Vec<usize>], range: Range) -> Choice {
    // Weighted squared error of every shape (row) on every fold (column), left out.
    let mut left = Vec::with_capacity(points.len());
    let mut losses: [Vec<f64>; 3] = Default::default();
    for fold in folds {
        left.clear();
        left.extend((0..points.len()).filter(|place| !fold.contains(place)).map(|place| points[place]));
        for (shape, losses) in Shape::ALL.into_iter().zip(&mut losses) {
            let curve = Curve::fit(shape, &left, range);
            losses.push(fold.iter().map(|&place| curve.misfit(&points[place..=place])).sum());
        }
    }
    let total = |losses: &[f64]| losses.iter().sum::<f64>();
    let mut best = 0;
    for shape in 1..3 {
        if total(&losses[shape]) < total(&losses[best]) {
            best = shape;
        }
    }
    let n = folds.len() as f64;
    let items = points.len() as f64;
    let score = |shape: usize| {
        let excesses: Vec<f64> = losses[shape].iter().zip(&losses[best]).map(|(a, b)| a - b).collect();
        let mean = total(&excesses) / n;
        let squares: f64 = excesses.iter().map(|excess| (excess - mean).powi(2)).sum();
        ShapeScore {
            shape: Shape::ALL[shape],
            error: total(&losses[shape]) / items,
            excess: total(&excesses) / items,
            excess_error: (squares / (n - 1.0) * n).sqrt() / items,
            chosen: 0.0,
        }
    };
    let scores: Vec<ShapeScore> = (0..3).map(score).collect();
    let simplest =
        scores.iter().find(|score| score.excess <= score.excess_error).map_or(best, |s| s.shape as usize);
    let shape = Shape::ALL[simplest];
    Choice { shape, curve: Curve::fit(shape, points, range), scores }
}

/// The standard deviation of gains about their curve beyond their standard errors.
fn spread(points: &[Point], choice: &Choice) -> f64 {
    let parameters = if choice.shape == Shape::Flat { 1 } else { 3 };
    let degrees = points.len().saturating_sub(parameters) as f64;
    let weight: f64 = points.iter().map(|point| point.weight).sum();
    let squares: f64 = points.iter().map(|point| point.weight.powi(2)).sum();
    let scale = weight - squares / weight;
    ((choice.curve.misfit(points) - degrees) / scale).max(0.0).sqrt()
}
