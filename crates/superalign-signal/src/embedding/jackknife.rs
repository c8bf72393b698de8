//! Intervals for statistics of whole point sets, by leaving out groups of rows: any metric of this family will do.

use super::Real;
use crate::SignalError;
use ndarray::{Array2, ArrayView2, Axis};
use superalign_core::{Estimate, Seed, below};

/// What is done about the part of a statistic that depends on the number of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Correction {
    /// Nothing: the value is that of these rows.
    #[default]
    None,
    /// The first-order bias is taken off (Quenouille 1956): what falls off with 1/n is gone, and the value is an
    /// estimate for infinitely many rows. It may lie out of the statistic's range.
    FirstOrder,
}

/// How [`jackknife`] leaves out rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jackknife {
    /// Into so many groups of equal size (give or take a row) the rows are dealt at random, at least 2.
    pub groups: usize,
    /// Level of the interval, in (0, 1), usually 0.95.
    pub level: f64,
    /// What is done about bias.
    pub correction: Correction,
    /// Where the groups come from.
    pub seed: Seed,
}

impl Jackknife {
    /// 20 groups for a 95% interval, without a correction.
    #[must_use]
    pub const fn new(seed: Seed) -> Self {
        Self { groups: 20, level: 0.95, correction: Correction::None, seed }
    }

    fn check(&self, rows: usize) -> Result<(), SignalError> {
        if self.groups < 2 || self.groups > rows {
            let expected = format!("from 2 to the number of rows, {rows}");
            return Err(SignalError::setting("groups", self.groups as f64, expected));
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(SignalError::setting("level", self.level, "a number between 0 and 1"));
        }
        Ok(())
    }
}

/// The statistic of the rows of `x` with its delete-a-group jackknife interval.
///
/// The rows are dealt into G groups; with t the value of all rows, t_g that without group g and m the mean of the t_g,
/// the variance is `(G - 1)/G sum (t_g - m)^2`, the interval `t -+ quantile of Student(G - 1) * its root`, and the
/// bias `(G - 1)(m - t)`. No row is ever used twice, where a bootstrap would make duplicates: a Vendi score, a rank or
/// a coverage of a resample with replacement is that of two thirds of the rows. It holds for statistics that are
/// smooth functions of means (all spectra here at orders above 0); where the statistic has a kink (a rank of order
/// 0, a Fréchet distance of 0) it does not. Takes G + 1 times as long as the statistic.
///
/// # Errors
/// What the statistic says of all rows or of a part; groups or level out of range.
///
/// Source: Kott 2001 for the delete-a-group jackknife, Efron and Stein 1981 for its being conservative.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_signal::embedding::{Jackknife, Vendi, jackknife, vendi_score};
/// let x = ndarray::Array2::from_shape_fn((200, 3), |(i, j)| ((i * (j + 3)) % 17) as f64 - 5.0);
/// let by = Jackknife::new(Seed::new(1));
/// let found = jackknife(x.view(), &by, |x| vendi_score(x, &Vendi::default()))?;
/// assert!(found.lo < found.value && found.value < found.hi);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn jackknife<T: Real>(
    x: ArrayView2<'_, T>,
    by: &Jackknife,
    mut statistic: impl FnMut(ArrayView2<'_, T>) -> Result<f64, SignalError>,
) -> Result<Estimate, SignalError> {
    by.check(x.nrows())?;
    let whole = statistic(x)?;
    let (bias, variance) = leave_out(x, by, whole, &mut statistic)?;
    Ok(interval(by, whole, bias, variance))
}

/// As [`jackknife`], for a statistic of two independent sets of rows: groups are left out of the one, then of the
/// other, and variances and biases add up.
///
/// # Errors
/// As [`jackknife`].
///
/// ```
/// use superalign_core::Seed;
/// use superalign_signal::embedding::{Bandwidth, Jackknife, jackknife_pair, mmd2};
/// let x = ndarray::Array2::from_shape_fn((60, 2), |(i, j)| ((i * (j + 3)) % 17) as f64);
/// let y = ndarray::Array2::from_shape_fn((50, 2), |(i, j)| ((i * (j + 5)) % 13) as f64 + 4.0);
/// let by = Jackknife::new(Seed::new(1));
/// let found = jackknife_pair(x.view(), y.view(), &by, |x, y| Ok(mmd2(x, y, Bandwidth::Gamma(0.01))?.unbiased))?;
/// assert!(found.lo < found.value && found.value < found.hi);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn jackknife_pair<T: Real>(
    x: ArrayView2<'_, T>,
    y: ArrayView2<'_, T>,
    by: &Jackknife,
    mut statistic: impl FnMut(ArrayView2<'_, T>, ArrayView2<'_, T>) -> Result<f64, SignalError>,
) -> Result<Estimate, SignalError> {
    by.check(x.nrows().min(y.nrows()))?;
    let whole = statistic(x, y)?;
    let of_x = leave_out(x, by, whole, &mut |x| statistic(x, y))?;
    let of_y = leave_out(y, &Jackknife { seed: by.seed.nth(1), ..*by }, whole, &mut |y| statistic(x, y))?;
    Ok(interval(by, whole, of_x.0 + of_y.0, of_x.1 + of_y.1))
}

/// Bias and variance from leaving out groups of rows of one set.
fn leave_out<T: Real>(
    x: ArrayView2<'_, T>,
    by: &Jackknife,
    whole: f64,
    statistic: &mut dyn FnMut(ArrayView2<'_, T>) -> Result<f64, SignalError>,
) -> Result<(f64, f64), SignalError> {
    let n = x.nrows();
    let mut rng = by.seed.named("groups").rng();
    let mut group: Vec<usize> = (0..n).map(|row| row % by.groups).collect();
    for last in (1..n).rev() {
        group.swap(last, below(&mut rng, last + 1));
    }
    let mut kept = Array2::from_elem((0, 0), T::ZERO);
    let mut values = Vec::with_capacity(by.groups);
    for left_out in 0..by.groups {
        let rows: Vec<usize> = (0..n).filter(|row| group[*row] != left_out).collect();
        if kept.nrows() == rows.len() {
            for (mut to, row) in kept.rows_mut().into_iter().zip(rows) {
                to.assign(&x.row(row));
            }
        } else {
            kept = x.select(Axis(0), &rows);
        }
        values.push(statistic(kept.view())?);
    }
    let groups = by.groups as f64;
    let mean = values.iter().sum::<f64>() / groups;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Ok(((groups - 1.0) * (mean - whole), (groups - 1.0) / groups * squares))
}

fn interval(by: &Jackknife, whole: f64, bias: f64, variance: f64) -> Estimate {
    let value = match by.correction {
        Correction::None => whole,
        Correction::FirstOrder => whole - bias,
    };
    let reach = student(by.level, by.groups - 1) * variance.sqrt();
    Estimate { value, lo: value - reach, hi: value + reach }
}

/// The t within which Student's distribution with so many degrees of freedom has the share `level`.
pub(crate) fn student(level: f64, freedom: usize) -> f64 {
    // The share within t is a finite series in the angle a with t = sqrt(freedom) tan a (Abramowitz and Stegun 26.7).
    let within = |angle: f64| {
        let (sin, cos) = angle.sin_cos();
        let odd = freedom % 2;
        let (mut term, mut sum) = (if odd == 1 { cos } else { 1.0 }, 0.0);
        let mut power = odd;
        while power + 2 <= freedom {
            sum += term;
            let at = (power + 1) as f64;
            term *= cos * cos * at / (at + 1.0);
            power += 2;
        }
        if odd == 1 { (angle + sin * sum) * std::f64::consts::FRAC_2_PI } else { sin * sum }
    };
    let (mut low, mut high) = (0.0, std::f64::consts::FRAC_PI_2);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if within(middle) < level { low = middle } else { high = middle }
    }
    (freedom as f64).sqrt() * low.tan()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (level, freedom, expected) in [
            (0.95, 1, 12.706_204_736),
            (0.95, 2, 4.302_652_730),
            (0.95, 3, 3.182_446_305),
            (0.99, 4, 4.604_094_871),
            (0.95, 19, 2.093_024_054),
            (0.9, 30, 1.697_260_887),
            (0.95, 999, 1.962_341_461),
        ] {
            let found = student(level, freedom);
            assert!((found - expected).abs() < 1e-7 * expected, "{level} {freedom}: {found}");
        }
    }

    #[test]
    fn the_jackknife_of_a_mean_is_its_standard_error_and_unbiased() {
        let x = Array2::from_shape_fn((100, 1), |(i, _)| ((i * 37) % 100) as f64);
        let mean = |x: ArrayView2<'_, f64>| Ok(x.mean().unwrap());
        let by = Jackknife { groups: 100, ..Jackknife::new(Seed::new(0)) };
        let found = jackknife(x.view(), &by, mean).unwrap();
        let error = (x.var(1.0) / 100.0).sqrt() * student(0.95, 99);
        assert!((found.hi - found.value - error).abs() < 1e-9 && (found.value - 49.5).abs() < 1e-12);
        let corrected = Jackknife { correction: Correction::FirstOrder, ..by };
        // The square of a mean is too high by variance / n, which the correction finds.
        let square = |x: ArrayView2<'_, f64>| Ok(x.mean().unwrap().powi(2));
        let found = jackknife(x.view(), &corrected, square).unwrap().value;
        assert!((found - (49.5 * 49.5 - x.var(1.0) / 100.0)).abs() < 1e-9);
    }

    #[test]
    fn the_correction_brings_a_small_sample_near_to_all_rows() {
        use crate::embedding::{Vendi, vendi_score};
        let mut rng = Seed::new(9).rng();
        let x = Array2::from_shape_fn((5000, 60), |(_, j)| {
            let uniform = below(&mut rng, 1 << 20) as f64 / f64::from(1 << 20) - 0.5;
            uniform / (1.0 + j as f64).sqrt() + f64::from(u8::from(j == 0)) * 0.3
        });
        let score = |x: ArrayView2<'_, f64>| vendi_score(x, &Vendi::default());
        let few = x.slice(ndarray::s![..150, ..]);
        let by = Jackknife { correction: Correction::FirstOrder, ..Jackknife::new(Seed::new(1)) };
        let (all, plain, corrected) =
            (score(x.view()).unwrap(), score(few).unwrap(), jackknife(few, &by, score).unwrap());
        assert!((corrected.value - all).abs() < 0.4 * (plain - all).abs(), "{all} {plain} {corrected}");
        assert!(corrected.covers(all) && plain < all, "{all} {plain} {corrected}");
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let x = Array2::<f64>::eye(5);
        let message = |by: Jackknife| jackknife(x.view(), &by, |_| Ok(0.0)).unwrap_err().to_string();
        let by = Jackknife::new(Seed::new(0));
        assert_eq!(message(by), "groups = 20: expected from 2 to the number of rows, 5");
        assert_eq!(
            message(Jackknife { groups: 1, ..by }),
            "groups = 1: expected from 2 to the number of rows, 5"
        );
        let level = Jackknife { groups: 5, level: f64::NAN, ..by };
        assert_eq!(message(level), "level = NaN: expected a number between 0 and 1");
    }
}
