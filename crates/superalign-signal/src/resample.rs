//! Intervals by resampling items, for statistics that are functions of how often each item was drawn.

use crate::SignalError;
use superalign_core::{Bootstrap, Estimate, Rng, below, multinomial};

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
    statistics: impl FnMut(&[u32], &mut [Result<f64, SignalError>]),
) -> Vec<Result<Estimate, SignalError>> {
    let size = kinds.iter().max().map_or(0, |&last| last as usize + 1);
    let mut counts = vec![0_u32; size];
    kinds.iter().for_each(|&kind| counts[kind as usize] += 1);
    let draw = |rng: &mut Rng, counts: &mut [u32]| {
        counts.fill(0);
        for _ in 0..kinds.len() {
            counts[kinds[below(rng, kinds.len())] as usize] += 1;
        }
    };
    resampled(by, names, counts, draw, statistics)
}

/// As [`estimates`], from how many items there are of each kind. Where kinds are few the counts of a resample are drawn
/// at once, from the multinomial distribution: the cost does not depend on the number of items.
pub(crate) fn estimates_of_counts(
    by: &Bootstrap,
    names: &[&'static str],
    counts: &[u32],
    statistics: impl FnMut(&[u32], &mut [Result<f64, SignalError>]),
) -> Vec<Result<Estimate, SignalError>> {
    let items: u64 = counts.iter().map(|&count| u64::from(count)).sum();
    // A binomial costs about as much as drawing sixteen items one by one.
    if items < 16 * counts.len() as u64 {
        let mut kinds = Vec::with_capacity(items as usize);
        for (kind, &count) in counts.iter().enumerate() {
            kinds.extend(std::iter::repeat_n(kind as u32, count as usize));
        }
        let mut statistics = statistics;
        // Kinds that do not occur at the end of the list would be missing from the counts.
        let mut whole = vec![0; counts.len()];
        return estimates(by, names, &kinds, |found, values| {
            whole[..found.len()].copy_from_slice(found);
            statistics(&whole, values);
        });
    }
    resampled(by, names, counts.to_vec(), |rng, drawn| multinomial(rng, counts, drawn), statistics)
}

/// The one statistic of [`estimates_of_counts`].
pub(crate) fn estimate_of_counts(
    by: &Bootstrap,
    name: &'static str,
    counts: &[u32],
    mut statistic: impl FnMut(&[u32]) -> Result<f64, SignalError>,
) -> Result<Estimate, SignalError> {
    let found = estimates_of_counts(by, &[name], counts, |counts, values| {
        values[0] = statistic(counts);
    });
    found.into_iter().next().unwrap_or_else(|| unreachable!("one statistic was asked for"))
}

/// The statistics of `counts`, with the percentiles of those of what `draw` makes of it.
fn resampled(
    by: &Bootstrap,
    names: &[&'static str],
    mut counts: Vec<u32>,
    mut draw: impl FnMut(&mut Rng, &mut [u32]),
    mut statistics: impl FnMut(&[u32], &mut [Result<f64, SignalError>]),
) -> Vec<Result<Estimate, SignalError>> {
    if let Err(error) = by.check() {
        return names.iter().map(|_| Err(error.clone().into())).collect();
    }
    let mut values = vec![Ok(0.0); names.len()];
    statistics(&counts, &mut values);
    let whole = values.clone();
    let mut draws = vec![Vec::with_capacity(by.draws); names.len()];
    for n in 0..by.draws as u64 {
        draw(&mut by.seed.nth(n).rng(), &mut counts);
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
    fn counts_give_the_interval_of_their_items() {
        let by = Bootstrap::new(Seed::new(4));
        let mean = |counts: &[u32]| Ok(f64::from(counts[1]) / f64::from(counts.iter().sum::<u32>()));
        let found = estimate_of_counts(&by, "mean", &[700, 300, 0], mean).unwrap();
        for (end, sign) in [(found.lo, -1.0), (found.hi, 1.0)] {
            assert!((end - (0.3 + sign * 1.96 * 0.01449)).abs() < 0.005, "{found}");
        }
        // Few items of many kinds are drawn one by one.
        let few = estimate_of_counts(&by, "mean", &[7, 3, 0, 0], mean).unwrap();
        assert!((0.0..0.1).contains(&few.lo) && (0.5..=0.7).contains(&few.hi), "{few}");
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
