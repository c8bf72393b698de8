//! A quantity with its resamples, kept so that quantities of the same items can be set against each other.

use crate::bootstrap::layout;
use crate::{Bootstrap, GapError};
use ndarray::{Array2, ArrayView2};
use superalign_core::rand::Rng as _;
use superalign_core::{Estimate, Rng, Seed, below};

/// A value and its resamples. Draw k of two quantities belongs together when both were made with the same
/// [`Bootstrap`] from the same items and groups, so that what they have in common cancels in [`Draws::minus`].
///
/// ```
/// use ndarray::Array2;
/// use superalign_core::Seed;
/// use superalign_gap::{Bootstrap, capability_draws};
/// let weak = Array2::from_shape_fn((1, 1000), |(_, i)| i < 600);
/// let ceiling = Array2::from_shape_fn((1, 1000), |(_, i)| i < 700);
/// let by = Bootstrap::new(Seed::new(1));
/// let found = capability_draws(&[weak.view(), ceiling.view()], None, &by)?;
/// let gamma = found[1].minus(&found[0])?.estimate(0.95)?;
/// assert!((gamma.value - 0.1).abs() < 1e-12 && gamma.lo > 0.08 && gamma.hi < 0.12);
/// # Ok::<(), superalign_gap::GapError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Draws {
    /// The value of the data themselves.
    pub value: f64,
    /// Its values on the resamples.
    pub draws: Vec<f64>,
}

impl Draws {
    /// A value of which only the standard error is known: `count` normal draws (Box and Muller 1958) about it,
    /// independent of all others. Prefer [`capability_draws`] where the items are at hand.
    ///
    /// # Errors
    /// A value that is not finite, a standard error that is negative or not finite, no draw.
    pub fn normal(value: f64, standard_error: f64, count: usize, seed: Seed) -> Result<Self, GapError> {
        if !value.is_finite() {
            return Err(GapError::setting("value", value, "a finite number"));
        }
        if !(standard_error >= 0.0 && standard_error.is_finite()) {
            return Err(GapError::setting("standard_error", standard_error, "a finite number, 0 or above"));
        }
        if count == 0 {
            return Err(GapError::TooFew { what: "draws", found: 0, expected: 1 });
        }
        let mut rng = seed.rng();
        Ok(Self { value, draws: (0..count).map(|_| value + standard_error * normal(&mut rng)).collect() })
    }

    /// The difference of two quantities, draw by draw.
    ///
    /// # Errors
    /// Another number of draws.
    pub fn minus(&self, other: &Self) -> Result<Self, GapError> {
        self.with(other, |a, b| a - b)
    }

    /// A function of two quantities, draw by draw.
    ///
    /// # Errors
    /// Another number of draws.
    pub fn with(&self, other: &Self, of: impl Fn(f64, f64) -> f64) -> Result<Self, GapError> {
        same_count(&[self, other])?;
        let draws = self.draws.iter().zip(&other.draws).map(|(&a, &b)| of(a, b)).collect();
        Ok(Self { value: of(self.value, other.value), draws })
    }

    /// A function of this quantity, draw by draw.
    #[must_use]
    pub fn map(&self, of: impl Fn(f64) -> f64) -> Self {
        Self { value: of(self.value), draws: self.draws.iter().map(|&draw| of(draw)).collect() }
    }

    /// The bootstrap standard error: the standard deviation of the draws (n - 1); 0 for a single draw.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        let n = self.draws.len() as f64;
        let mean = self.draws.iter().sum::<f64>() / n;
        let squares: f64 = self.draws.iter().map(|draw| (draw - mean).powi(2)).sum();
        (squares / (n - 1.0).max(1.0)).sqrt()
    }

    /// The value with the percentile interval of its draws.
    ///
    /// # Errors
    /// No draw, a level outside (0, 1).
    pub fn estimate(&self, level: f64) -> Result<Estimate, GapError> {
        let by = Bootstrap { draws: self.draws.len(), level, seed: Seed::new(0) };
        by.check()?;
        Ok(by.interval(self.value, self.draws.clone()))
    }
}

/// Capabilities of several models on the same items, resampled jointly: each term is (seeds, items), right or wrong;
/// all have the same number of seeds, or one. Items of one group are drawn together.
///
/// # Errors
/// As [`capability_over_seeds`](crate::capability_over_seeds); also terms over other items or seeds.
pub fn capability_draws(
    terms: &[ArrayView2<'_, bool>],
    groups: Option<&[u32]>,
    bootstrap: &Bootstrap,
) -> Result<Vec<Draws>, GapError> {
    let scores: Vec<Array2<f64>> =
        terms.iter().map(|term| term.mapv(|right| f64::from(u8::from(right)))).collect();
    let views: Vec<_> = scores.iter().map(|term| term.view()).collect();
    joint(&views, groups, bootstrap)
}

/// As [`capability_draws`], for utilities in [0, 1] in place of right and wrong: C(A; X) = mean over x of U(x, A(x)).
///
/// # Errors
/// As [`capability_draws`]; also a utility outside [0, 1].
pub fn utility_draws(
    terms: &[ArrayView2<'_, f64>],
    groups: Option<&[u32]>,
    bootstrap: &Bootstrap,
) -> Result<Vec<Draws>, GapError> {
    for term in terms {
        for ((_, index), &found) in term.indexed_iter() {
            if !(0.0..=1.0).contains(&found) {
                return Err(GapError::Value {
                    what: "utility of item",
                    index,
                    found,
                    expected: "a number in [0, 1]",
                });
            }
        }
    }
    joint(terms, groups, bootstrap)
}

/// Means of the terms over seeds and items, on the data and on every resample. Resample k draws seeds, then groups: the
/// same ones as every other quantity of this crate that has as many of both.
fn joint(
    terms: &[ArrayView2<'_, f64>],
    groups: Option<&[u32]>,
    bootstrap: &Bootstrap,
) -> Result<Vec<Draws>, GapError> {
    bootstrap.check()?;
    let shapes: Vec<_> = terms.iter().map(ArrayView2::dim).collect();
    if shapes.is_empty() {
        return Err(GapError::TooFew { what: "terms", found: 0, expected: 1 });
    }
    let place = layout(&shapes, groups)?;
    let count = place.iter().max().map_or(0, |last| last + 1);
    let most = shapes.iter().map(|shape| shape.0).max().unwrap_or(1);
    let width: usize = shapes.iter().map(|shape| shape.0).sum();
    // One row per group: the sums of every term and seed, and the number of items.
    let mut sums = vec![0.0; count * width];
    let mut sizes = vec![0_u32; count];
    for (item, &group) in place.iter().enumerate() {
        sizes[group] += 1;
        let mut column = group * width;
        for term in terms {
            for &score in term.column(item) {
                sums[column] += score;
                column += 1;
            }
        }
    }
    let mut total = vec![0.0; width];
    let mut means = |groups: &mut dyn Iterator<Item = usize>, seeds: &[usize]| -> Vec<f64> {
        total.fill(0.0);
        let mut items = 0_u64;
        for group in groups {
            items += u64::from(sizes[group]);
            let row = &sums[group * width..(group + 1) * width];
            total.iter_mut().zip(row).for_each(|(total, sum)| *total += sum);
        }
        let mut first = 0;
        let mut mean = |&(rows, _): &(usize, usize)| {
            let drawn: f64 =
                if rows == 1 { total[first] } else { seeds.iter().map(|&seed| total[first + seed]).sum() };
            first += rows;
            drawn / (items as f64 * if rows == 1 { 1.0 } else { seeds.len() as f64 })
        };
        shapes.iter().map(&mut mean).collect()
    };
    let all: Vec<usize> = (0..most).collect();
    let mut found: Vec<Draws> = means(&mut (0..count), &all)
        .into_iter()
        .map(|value| Draws { value, draws: Vec::with_capacity(bootstrap.draws) })
        .collect();
    for number in 0..bootstrap.draws as u64 {
        let mut rng = bootstrap.seed.nth(number).rng();
        let seeds: Vec<usize> = (0..most).map(|_| below(&mut rng, most)).collect();
        let drawn = means(&mut (0..count).map(|_| below(&mut rng, count)), &seeds);
        found.iter_mut().zip(drawn).for_each(|(found, mean)| found.draws.push(mean));
    }
    Ok(found)
}

/// The common number of draws of several quantities.
pub(crate) fn same_count(all: &[&Draws]) -> Result<usize, GapError> {
    let expected = all.first().map_or(0, |first| first.draws.len());
    if expected == 0 {
        return Err(GapError::TooFew { what: "draws", found: 0, expected: 1 });
    }
    match all.iter().find(|one| one.draws.len() != expected) {
        Some(one) => Err(GapError::Shape { what: "number of draws", found: one.draws.len(), expected }),
        None => Ok(expected),
    }
}

/// A number in (0, 1), an odd multiple of 2^-54.
fn uniform(rng: &mut Rng) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// A standard normal draw.
pub(crate) fn normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * uniform(rng).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(rng)).cos()
}
