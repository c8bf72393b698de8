//! Precision, recall, density and coverage of one set of rows against another, exact. Distances are in `nearest`.

use super::nearest::{Cloud, nearest_radii, visits};
use super::real::{Real, check, same_width};
use crate::{SignalError, resample};
use ndarray::ArrayView2;
use superalign_core::{Bootstrap, Estimate};

/// What [`prdc`] finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prdc<T = f64> {
    /// Share of fake rows that lie in the ball of a real row, in [0, 1].
    pub precision: T,
    /// Share of real rows that lie in the ball of a fake row, in [0, 1].
    pub recall: T,
    /// Mean number of real balls that a fake row lies in, divided by k; 0 or more, about 1 for equal distributions.
    pub density: T,
    /// Share of real rows whose ball holds a fake row, in [0, 1].
    pub coverage: T,
}

/// Precision, recall, density and coverage of the rows of `fake` (m, d) against those of `real` (n, d).
///
/// The ball of a row reaches to its k-th nearest other row of the same set, which is the (k+1)-th nearest if the row
/// itself counts; a row at exactly that distance lies outside. These are the conventions of the `prdc` package.
///
/// Exact: distances are products of matrices in single precision, of centred rows, and wherever their rounding could
/// decide a comparison they are computed again from differences in double precision. So duplicates are at distance 0,
/// and a ball of radius 0 holds nothing. O((n + m)^2 d) time, O((n + m)(d + k)) memory. Permuting rows changes no bit.
///
/// # Errors
/// A k of 0, fewer than k + 1 rows in a set, coordinates that are not finite, different widths.
///
/// Source: Naeem, Oh, Uh, Choi and Yoo 2020 (density, coverage); Kynkäänniemi et al. 2019 (precision, recall).
///
/// ```
/// use superalign_signal::embedding::prdc;
/// let real = ndarray::array![[0.0], [1.0], [2.0], [3.0]];
/// let fake = ndarray::array![[0.5], [1.5], [9.0]];
/// let found = prdc(real.view(), fake.view(), 1)?;
/// assert!((found.precision - 2.0 / 3.0).abs() < 1e-12);
/// assert_eq!((found.recall, found.coverage), (1.0, 0.75));
/// assert!((found.density - 4.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn prdc<T: Real>(
    real: ArrayView2<'_, T>,
    fake: ArrayView2<'_, T>,
    k: usize,
) -> Result<Prdc, SignalError> {
    let Hits { of_fake, recalled, covered } = hits(real, fake, k)?;
    let share = |flags: &[bool]| flags.iter().filter(|flag| **flag).count() as f64 / flags.len() as f64;
    let m = of_fake.len() as f64;
    Ok(Prdc {
        precision: of_fake.iter().filter(|hits| **hits > 0).count() as f64 / m,
        recall: share(&recalled),
        density: of_fake.iter().map(|hits| f64::from(*hits)).sum::<f64>() / (k as f64 * m),
        coverage: share(&covered),
    })
}

/// As [`prdc`], with percentile intervals over the rows that each value is a mean over: fake rows for precision and
/// density, real ones for recall and coverage.
///
/// The balls and the other set stay as they are. Drawing them anew would put rows on top of each other and shrink the
/// balls, which is no feature of the data; so the intervals hold the noise of the mean alone.
///
/// # Errors
/// As [`prdc`]; settings of the bootstrap out of range.
///
/// ```
/// use superalign_core::{Bootstrap, Seed};
/// use superalign_signal::embedding::prdc_estimate;
/// let real = ndarray::Array2::from_shape_fn((80, 1), |(i, _)| i as f64);
/// let fake = ndarray::Array2::from_shape_fn((60, 1), |(i, _)| 2.3 * i as f64);
/// let found = prdc_estimate(real.view(), fake.view(), 2, &Bootstrap::new(Seed::new(1)))?;
/// assert!(found.precision.covers(35.0 / 60.0) && found.coverage.hi <= 1.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn prdc_estimate<T: Real>(
    real: ArrayView2<'_, T>,
    fake: ArrayView2<'_, T>,
    k: usize,
    by: &Bootstrap,
) -> Result<Prdc<Estimate>, SignalError> {
    by.check()?;
    let Hits { of_fake, recalled, covered } = hits(real, fake, k)?;
    // Fake rows in equally many balls are alike, and so are real rows with the same two answers.
    let mut levels = of_fake.clone();
    levels.sort_unstable();
    levels.dedup();
    let kinds: Vec<u32> =
        of_fake.iter().map(|hits| levels.partition_point(|level| level < hits) as u32).collect();
    let m = of_fake.len() as f64;
    let fake = resample::estimates(by, &["precision", "density"], &kinds, |counts, values| {
        let weighted = |value: &dyn Fn(u32) -> f64| {
            counts
                .iter()
                .zip(&levels)
                .map(|(count, hits)| f64::from(*count) * value(*hits))
                .fold(0.0, std::ops::Add::add)
                / m
        };
        values[0] = Ok(weighted(&|hits| f64::from(u32::from(hits > 0))));
        values[1] = Ok(weighted(&|hits| f64::from(hits)) / k as f64);
    });
    let n = recalled.len() as f64;
    let kinds: Vec<u32> =
        recalled.iter().zip(&covered).map(|(a, b)| u32::from(*a) + 2 * u32::from(*b)).collect();
    let real = resample::estimates(by, &["recall", "coverage"], &kinds, |counts, values| {
        for (bit, value) in values.iter_mut().enumerate() {
            let with = counts.iter().enumerate().filter(|(kind, _)| (kind >> bit) & 1 == 1);
            *value = Ok(f64::from(with.map(|(_, count)| *count).sum::<u32>()) / n);
        }
    });
    let mut found = fake.into_iter().chain(real);
    let mut next = || found.next().unwrap_or_else(|| unreachable!("four statistics were asked for"));
    let (precision, density, recall, coverage) = (next()?, next()?, next()?, next()?);
    Ok(Prdc { precision, recall, density, coverage })
}

/// What lies in which balls.
struct Hits {
    /// In how many real balls a fake row lies.
    of_fake: Vec<u32>,
    /// Whether a real row lies in a fake ball.
    recalled: Vec<bool>,
    /// Whether a real row's ball holds a fake row.
    covered: Vec<bool>,
}

fn hits<T: Real>(real: ArrayView2<'_, T>, fake: ArrayView2<'_, T>, k: usize) -> Result<Hits, SignalError> {
    if k == 0 {
        return Err(SignalError::setting("k", 0.0, "at least 1"));
    }
    check(real, k.saturating_add(1))?;
    check(fake, k.saturating_add(1))?;
    same_width(real, fake)?;
    if real
        .nrows()
        .max(fake.nrows())
        .checked_mul(8 * (k + 1))
        .is_none_or(|bytes| bytes > isize::MAX.unsigned_abs())
    {
        return Err(SignalError::setting("k", k as f64, "neighbours that fit in memory"));
    }
    let [real, fake] = Cloud::pair(real, fake);
    let (real_radii, fake_radii) = (nearest_radii(&real, k), nearest_radii(&fake, k));
    let mut hits = Hits {
        of_fake: vec![0; fake.len()],
        recalled: vec![false; real.len()],
        covered: vec![false; real.len()],
    };
    for visit in visits((&real, &real_radii), (&fake, &fake_radii)) {
        hits.of_fake.iter_mut().zip(&visit.in_left).for_each(|(sum, hits)| *sum += hits);
        for (i, (recalled, covered)) in (visit.from..).zip(visit.answers) {
            (hits.recalled[i], hits.covered[i]) = (recalled, covered);
        }
    }
    Ok(hits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};
    use superalign_core::Seed;

    #[test]
    fn too_few_rows_have_no_neighbour() {
        let x = array![[0.0], [1.0], [2.0]];
        let message = |k| prdc(x.view(), x.view(), k).unwrap_err().to_string();
        assert_eq!(message(0), "k = 0: expected at least 1");
        assert_eq!(message(3), "3 rows: expected at least 4");
        assert!(prdc(x.view(), x.view(), 2).is_ok());
        assert!(prdc(x.view(), x.view(), usize::MAX).is_err());
    }

    #[test]
    fn balls_of_duplicates_hold_nothing() {
        let x = Array2::from_elem((6, 3), 1.7_f32);
        let found = prdc(x.view(), x.view(), 3).unwrap();
        assert_eq!(found, Prdc { precision: 0.0, recall: 0.0, density: 0.0, coverage: 0.0 });
    }

    #[test]
    fn the_interval_is_that_of_a_share() {
        let real = Array2::from_shape_fn((400, 1), |(i, _)| i as f64);
        let fake = Array2::from_shape_fn((400, 1), |(i, _)| 2.0 * i as f64);
        let found = prdc_estimate(real.view(), fake.view(), 2, &Bootstrap::new(Seed::new(5))).unwrap();
        let plain = prdc(real.view(), fake.view(), 2).unwrap();
        assert_eq!(
            [found.precision.value, found.recall.value, found.density.value, found.coverage.value],
            [plain.precision, plain.recall, plain.density, plain.coverage]
        );
        // 200 of 400: a standard error of 0.025.
        assert!((found.precision.hi - found.precision.value - 1.96 * 0.025).abs() < 0.01, "{found:?}");
    }
}
