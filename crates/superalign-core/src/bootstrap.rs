//! How intervals are made by resampling, for every crate that makes some.

use crate::{Estimate, Rng, Seed};
use rand::Rng as _;

/// How intervals are made: the percentile bootstrap (Efron 1979).
///
/// ```
/// use superalign_core::{Bootstrap, Seed, below};
/// let by = Bootstrap::new(Seed::new(1));
/// let heights = [1.62, 1.71, 1.75, 1.80, 1.84];
/// let mean = heights.iter().sum::<f64>() / 5.0;
/// let found = by.estimate(mean, |rng| (0..5).map(|_| heights[below(rng, 5)]).sum::<f64>() / 5.0)?;
/// assert!(found.lo < mean && mean < found.hi);
/// # Ok::<(), superalign_core::BootstrapError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// Number of resamples, at least 1; 1,000 serve a 95% interval.
    pub draws: usize,
    /// Level of the interval, in (0, 1), usually 0.95.
    pub level: f64,
    /// Where the draws come from: the same seed gives the same interval.
    pub seed: Seed,
}

/// A setting of the bootstrap out of its range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("bootstrap: {key} = {found}: expected {expected}")]
pub struct BootstrapError {
    /// The field.
    pub key: &'static str,
    /// Its value.
    pub found: f64,
    /// Its range.
    pub expected: &'static str,
}

impl Bootstrap {
    /// 1,000 draws for a 95% interval.
    #[must_use]
    pub const fn new(seed: Seed) -> Self {
        Self { draws: 1000, level: 0.95, seed }
    }

    /// Whether the settings are in their ranges.
    ///
    /// # Errors
    /// No draws, a level outside (0, 1).
    pub fn check(&self) -> Result<(), BootstrapError> {
        if self.draws == 0 {
            return Err(BootstrapError { key: "draws", found: 0.0, expected: "at least 1" });
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(BootstrapError {
                key: "level",
                found: self.level,
                expected: "a number between 0 and 1",
            });
        }
        Ok(())
    }

    /// The value with the percentile interval of its resamples. `draw` is called once for every resample with a
    /// generator of its own, so that the resamples of two statistics of one seed belong together.
    ///
    /// # Errors
    /// As [`Bootstrap::check`].
    pub fn estimate(
        &self,
        value: f64,
        mut draw: impl FnMut(&mut Rng) -> f64,
    ) -> Result<Estimate, BootstrapError> {
        self.check()?;
        let draws = (0..self.draws as u64).map(|n| draw(&mut self.seed.nth(n).rng())).collect();
        Ok(self.interval(value, draws))
    }

    /// The percentile interval of these resamples (any number of them but 0; they may be infinite) around a value.
    ///
    /// # Panics
    /// Without a resample.
    #[must_use]
    pub fn interval(&self, value: f64, mut draws: Vec<f64>) -> Estimate {
        draws.sort_by(f64::total_cmp);
        let tail = (1.0 - self.level) / 2.0;
        Estimate { value, lo: quantile(&draws, tail), hi: quantile(&draws, 1.0 - tail) }
    }
}

/// A whole number drawn from `0..n` (multiply and shift), for n up to 2^32.
#[must_use]
pub fn below(rng: &mut Rng, n: usize) -> usize {
    (((rng.next_u64() >> 32) * n as u64) >> 32) as usize
}

/// Linear interpolation between order statistics (type 7 of Hyndman and Fan 1996).
fn quantile(sorted: &[f64], at: f64) -> f64 {
    let place = at * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    // Equal ends first: between two infinities there is nothing to interpolate.
    if low == high { low } else { low + (high - low) * place.fract() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_made_of_the_percentiles() {
        let by = Bootstrap { draws: 101, level: 0.9, seed: Seed::new(0) };
        let mut next = 0;
        let found = by
            .estimate(50.0, |_| {
                next += 1;
                f64::from(next - 1)
            })
            .unwrap();
        assert_eq!([found.lo, found.value, found.hi].map(f64::round), [5.0, 50.0, 95.0]);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let by = Bootstrap::new(Seed::new(0));
        let none = Bootstrap { draws: 0, ..by }.check().unwrap_err().to_string();
        assert_eq!(none, "bootstrap: draws = 0: expected at least 1");
        for level in [0.0, 1.0, f64::NAN] {
            assert!(Bootstrap { level, ..by }.check().is_err());
        }
    }
}
