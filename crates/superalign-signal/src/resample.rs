//! Intervals by resampling items, for statistics that are functions of how often each item was drawn.

use crate::SignalError;
use superalign_core::{Bootstrap, Estimate, below};

/// Of the resamples, at most this share may leave the statistic undefined.
const UNDEFINED_SHARE: f64 = 0.05;

/// The statistic of all items with its percentile interval over resampled items.
///
/// `kinds[i]` is the kind of item i, and the statistic is given how many items of each kind were drawn: items that are
/// alike (the same votes, the same right and wrong answers) are then counted, not visited. With `kinds` the identity,
/// every item is its own kind.
///
/// # Errors
/// What the statistic says of the whole; [`SignalError::Undefined`] where more than one resample in twenty leaves it
/// undefined; settings of the bootstrap out of their range.
pub(crate) fn estimate(
    by: &Bootstrap,
    name: &'static str,
    kinds: &[u32],
    mut statistic: impl FnMut(&[u32]) -> Result<f64, SignalError>,
) -> Result<Estimate, SignalError> {
    let found = estimates(by, &[name], kinds, |counts, values| {
        values[0] = statistic(counts);
    });
    found.into_iter().next().unwrap_or_else(|| unreachable!("one statistic was asked for"))
}

/// As [`estimate`], for several statistics of the same resamples: `statistics` fills in one value for each name.
pub(crate) fn estimates(
    by: &Bootstrap,
    names: &[&'static str],
    kinds: &[u32],
    mut statistics: impl FnMut(&[u32], &mut [Result<f64, SignalError>]),
) -> Vec<Result<Estimate, SignalError>> {
    if let Err(error) = by.check() {
        return names.iter().map(|_| Err(error.clone().into())).collect();
    }
    let size = kinds.iter().max().map_or(0, |&last| last as usize + 1);
    let mut counts = vec![0_u32; size];
    kinds.iter().for_each(|&kind| counts[kind as usize] += 1);
    let mut values = vec![Ok(0.0); names.len()];
    statistics(&counts, &mut values);
    let whole = values.clone();
    let mut draws = vec![Vec::with_capacity(by.draws); names.len()];
    for n in 0..by.draws as u64 {
        let mut rng = by.seed.nth(n).rng();
        counts.fill(0);
        for _ in 0..kinds.len() {
            counts[kinds[below(&mut rng, kinds.len())] as usize] += 1;
        }
        statistics(&counts, &mut values);
        for (draws, value) in draws.iter_mut().zip(&values) {
            draws.extend(value.as_ref().ok().copied());
        }
    }
    whole
        .into_iter()
        .zip(draws)
        .zip(names)
        .map(|((value, draws), name)| {
            let value = value?;
            let undefined = by.draws - draws.len();
            if undefined as f64 > UNDEFINED_SHARE * by.draws as f64 {
                return Err(SignalError::undefined(
                    name,
                    format!("it does not exist in {undefined} of {} resamples", by.draws),
                ));
            }
            Ok(by.interval(value, draws))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use superalign_core::Seed;

    #[test]
    fn the_interval_of_a_mean_is_that_of_the_binomial() {
        // 300 of 1,000 items are of kind 1: the mean is 0.3, its standard error sqrt(0.21 / 1000) = 0.0145.
        let kinds: Vec<u32> = (0..1000).map(|i| u32::from(i % 10 < 3)).collect();
        let by = Bootstrap::new(Seed::new(4));
        let mean = |counts: &[u32]| Ok(f64::from(counts[1]) / f64::from(counts[0] + counts[1]));
        let found = estimate(&by, "mean", &kinds, mean).unwrap();
        assert!((found.value - 0.3).abs() < 1e-12);
        for (end, sign) in [(found.lo, -1.0), (found.hi, 1.0)] {
            assert!((end - (0.3 + sign * 1.96 * 0.01449)).abs() < 0.005, "{found}");
        }
    }

    #[test]
    fn a_statistic_that_often_does_not_exist_has_no_interval() {
        let mut calls = 0;
        let by = Bootstrap { draws: 100, ..Bootstrap::new(Seed::new(4)) };
        let found = estimate(&by, "ratio", &[0, 1, 2], |_| {
            calls += 1;
            if calls % 10 == 0 { Err(SignalError::undefined("ratio", "no unit")) } else { Ok(1.0) }
        });
        let error = found.unwrap_err().to_string();
        assert_eq!(error, "ratio is undefined: it does not exist in 10 of 100 resamples");
    }
}
