//! Bootstrap intervals of means, paired differences and a caller's statistic, over items or groups of items.

use super::groups::{Groups, dense, differences};
use crate::special::{normal_cdf, normal_quantile};
use crate::{Bootstrap, Estimate, EvaluationError};
use superalign_core::{Rng, below, multinomial};

/// Of the resamples, at most this share may leave a caller's statistic undefined.
const UNDEFINED_SHARE: f64 = 0.05;
/// A binomial costs about as much as so many items drawn one by one.
const DRAWS_OF_A_BINOMIAL: usize = 16;

/// How the resamples of a statistic become an interval of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BootstrapInterval {
    /// Their percentiles (Efron 1979).
    #[default]
    Percentile,
    /// Their percentiles at places corrected for bias and for skewness, the latter from the values without one item or
    /// group (Efron 1987). Better for skewed statistics; with n items or groups it evaluates the statistic n times
    /// more.
    Bca,
}

/// The mean of scores, with its bootstrap interval.
///
/// `groups` holds a label for each item; whole groups are then resampled, and a resample has as many groups. As
/// `scipy.stats.bootstrap` (methods `percentile` and `BCa`).
///
/// Cost: one look-up for each item or group of each draw; none where the scores have few values, for then their numbers
/// in a resample are drawn at once.
///
/// # Errors
/// Fewer than two items or groups; another number of labels than of items; a score that is no finite number; settings
/// of the bootstrap out of range; sums that are no finite numbers.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_evaluation::{Bootstrap, paired::{BootstrapInterval, mean_estimate}};
/// let scores: Vec<f64> = (0..200).map(|n| f64::from(n % 4 != 0)).collect();
/// let by = Bootstrap::new(Seed::new(1));
/// let found = mean_estimate(&scores, None, BootstrapInterval::Bca, &by)?;
/// assert!(found.value == 0.75 && found.covers(0.7) && !found.covers(0.65));
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn mean_estimate(
    scores: &[f64],
    groups: Option<&[u32]>,
    interval: BootstrapInterval,
    by: &Bootstrap,
) -> Result<Estimate, EvaluationError> {
    by.check()?;
    let table = Groups::new(scores, groups)?;
    let kinds = Kinds::new(&table);
    let (mut sum, mut size) = (0.0, 0.0);
    for kind in &kinds.kinds {
        sum += kind.sum * kind.count;
        size += kind.size * kind.count;
    }
    let value = sum / size;
    // The largest sum that a resample may have.
    let largest = table.sums.iter().fold(0.0_f64, |largest, sum| largest.max(sum.abs()));
    if !(largest * table.sums.len() as f64 + table.origin.abs()).is_finite() {
        return Err(EvaluationError::undefined("mean", "the sums of the scores are no finite numbers"));
    }
    let mut drawn = vec![0; kinds.kinds.len()];
    let draws = (0..by.draws as u64).map(|n| kinds.mean(&mut by.seed.nth(n).rng(), &mut drawn)).collect();
    let found = match interval {
        BootstrapInterval::Percentile => by.interval(value, draws),
        BootstrapInterval::Bca => {
            let without = kinds.kinds.iter().map(|kind| ((sum - kind.sum) / (size - kind.size), kind.count));
            bca(value, draws, &without.collect::<Vec<_>>(), by.level)?
        }
    };
    let back = |end: f64| end + table.origin;
    Ok(Estimate { value: back(found.value), lo: back(found.lo), hi: back(found.hi) })
}

/// The mean difference of two models' scores, first less second, with its bootstrap interval: the [`mean_estimate`] of
/// the differences, so that both models are resampled on the same items.
///
/// # Errors
/// As [`mean_estimate`]; also two numbers of scores.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_evaluation::{Bootstrap, paired::{BootstrapInterval, difference_estimate}};
/// let first: Vec<f64> = (0..300).map(|n| f64::from(n % 4 != 0)).collect();
/// let second: Vec<f64> = (0..300).map(|n| f64::from(n % 2 != 0)).collect();
/// let by = Bootstrap::new(Seed::new(1));
/// let found = difference_estimate(&first, &second, None, BootstrapInterval::Percentile, &by)?;
/// assert!(found.value == 0.25 && found.lo > 0.15);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn difference_estimate(
    first: &[f64],
    second: &[f64],
    groups: Option<&[u32]>,
    interval: BootstrapInterval,
    by: &Bootstrap,
) -> Result<Estimate, EvaluationError> {
    mean_estimate(&differences(first, second)?, groups, interval, by)
}

/// A caller's statistic with its bootstrap interval.
///
/// `statistic` is given how often each item was drawn, one count for each of `items`: once with all counts 1, once for
/// each draw, and for [`BootstrapInterval::Bca`] once without each item or group. `name` is what errors call it.
///
/// Up to one draw in twenty may leave the statistic undefined (an error, or NaN); those draws are left out.
///
/// # Errors
/// As [`mean_estimate`]; what the statistic says of all items; a statistic that is undefined in more draws, or without
/// one of the items or groups; for BCa, draws that all lie on one side of the value.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_evaluation::{Bootstrap, EvaluationError, paired::{BootstrapInterval, statistic_estimate}};
/// // The ratio of two means.
/// let (right, asked) = ([3.0, 1.0, 4.0, 2.0, 5.0, 2.0], [4.0, 2.0, 5.0, 4.0, 5.0, 3.0]);
/// let ratio = |counts: &[u32]| {
///     let sum = |of: &[f64]| of.iter().zip(counts).map(|(x, &n)| x * f64::from(n)).sum::<f64>();
///     Ok::<_, EvaluationError>(sum(&right) / sum(&asked))
/// };
/// let by = Bootstrap::new(Seed::new(1));
/// let found = statistic_estimate("ratio", 6, None, BootstrapInterval::Bca, &by, ratio)?;
/// assert!(found.lo < found.value && found.value < found.hi && found.hi < 1.0);
/// # Ok::<(), EvaluationError>(())
/// ```
pub fn statistic_estimate(
    name: &'static str,
    items: usize,
    groups: Option<&[u32]>,
    interval: BootstrapInterval,
    by: &Bootstrap,
    mut statistic: impl FnMut(&[u32]) -> Result<f64, EvaluationError>,
) -> Result<Estimate, EvaluationError> {
    by.check()?;
    let of_item = dense(items, groups)?;
    let count = of_item.as_ref().map_or(items, |of| of.iter().max().map_or(0, |&last| last as usize + 1));
    let mut of_group = vec![1_u32; count];
    let mut of_items = vec![1_u32; items];
    let mut value_of = |of_group: &[u32]| {
        let found = match &of_item {
            None => statistic(of_group)?,
            Some(group) => {
                for (count, &group) in of_items.iter_mut().zip(group) {
                    *count = of_group[group as usize];
                }
                statistic(&of_items)?
            }
        };
        if found.is_nan() { Err(EvaluationError::undefined(name, "it is not a number")) } else { Ok(found) }
    };
    let value = value_of(&of_group)?;
    let mut draws = Vec::with_capacity(by.draws);
    for n in 0..by.draws as u64 {
        let mut rng = by.seed.nth(n).rng();
        of_group.fill(0);
        (0..count).for_each(|_| of_group[below(&mut rng, count)] += 1);
        draws.extend(value_of(&of_group).ok());
    }
    let undefined = by.draws - draws.len();
    if undefined as f64 > UNDEFINED_SHARE * by.draws as f64 || draws.is_empty() {
        let reason = format!("it does not exist in {undefined} of {} resamples", by.draws);
        return Err(EvaluationError::undefined(name, reason));
    }
    match interval {
        BootstrapInterval::Percentile => Ok(by.interval(value, draws)),
        BootstrapInterval::Bca => {
            of_group.fill(1);
            let mut without = Vec::with_capacity(count);
            for group in 0..count {
                of_group[group] = 0;
                without.push((value_of(&of_group)?, 1.0));
                of_group[group] = 1;
            }
            bca(value, draws, &without, by.level)
        }
    }
}

/// Groups that are alike, and how many they are.
struct Kind {
    sum: f64,
    size: f64,
    count: f64,
}

/// The groups by kind, or each as its own kind where there are many.
struct Kinds {
    kinds: Vec<Kind>,
    /// Number of groups of each kind; empty where each is its own.
    counts: Vec<u32>,
}

impl Kinds {
    fn new(table: &Groups) -> Self {
        let own = |&(sum, size): &(f64, u32)| Kind { sum, size: f64::from(size), count: 1.0 };
        let groups: Vec<(f64, u32)> = table.sums.iter().copied().zip(table.sizes.iter().copied()).collect();
        let most = groups.len() / DRAWS_OF_A_BINOMIAL;
        let mut kinds: Vec<Kind> = Vec::new();
        // The kinds are kept in order; scores that have many values are found out soon.
        for group in &groups {
            let at = kinds.binary_search_by(|kind| {
                kind.sum.total_cmp(&group.0).then(kind.size.total_cmp(&f64::from(group.1)))
            });
            match at {
                Ok(at) => kinds[at].count += 1.0,
                Err(_) if kinds.len() == most.min(1000) => {
                    return Self { kinds: groups.iter().map(own).collect(), counts: Vec::new() };
                }
                Err(at) => kinds.insert(at, own(group)),
            }
        }
        let counts = kinds.iter().map(|kind| kind.count as u32).collect();
        Self { kinds, counts }
    }

    /// The mean score of a resample.
    fn mean(&self, rng: &mut Rng, drawn: &mut [u32]) -> f64 {
        let (mut sum, mut size) = (0.0, 0.0);
        if self.counts.is_empty() {
            for _ in 0..self.kinds.len() {
                let kind = &self.kinds[below(rng, self.kinds.len())];
                sum += kind.sum;
                size += kind.size;
            }
        } else {
            multinomial(rng, &self.counts, drawn);
            for (kind, &drawn) in self.kinds.iter().zip(drawn.iter()) {
                sum += kind.sum * f64::from(drawn);
                size += kind.size * f64::from(drawn);
            }
        }
        sum / size
    }
}

/// The BCa interval from the draws and from the values without one group each, given with how many groups they stand
/// for.
///
/// As in scipy, draws equal to the value count by half in the correction of bias.
fn bca(
    value: f64,
    mut draws: Vec<f64>,
    without: &[(f64, f64)],
    level: f64,
) -> Result<Estimate, EvaluationError> {
    const NAME: &str = "BCa interval";
    draws.sort_unstable_by(f64::total_cmp);
    let smaller = draws.partition_point(|&draw| draw < value);
    let not_larger = draws.partition_point(|&draw| draw <= value);
    let share = (smaller + not_larger) as f64 / (2 * draws.len()) as f64;
    if share == 0.0 || share == 1.0 {
        return Err(EvaluationError::undefined(NAME, "all resamples lie on one side of the value"));
    }
    let bias = normal_quantile(share);
    let count: f64 = without.iter().map(|(_, count)| count).sum();
    let mean = without.iter().map(|(value, count)| value * count).sum::<f64>() / count;
    let (mut squares, mut cubes) = (0.0, 0.0);
    for (value, count) in without {
        let apart = mean - value;
        squares += count * apart * apart;
        cubes += count * apart * apart * apart;
    }
    let skew = if squares == 0.0 { 0.0 } else { cubes / (6.0 * squares * squares.sqrt()) };
    let mut ends = [0.0; 2];
    for (end, tail) in ends.iter_mut().zip([0.5 * (1.0 - level), 0.5 * (1.0 + level)]) {
        let shifted = bias + normal_quantile(tail);
        let room = 1.0 - skew * shifted;
        if room > 0.0 {
            *end = quantile(&draws, normal_cdf(bias + shifted / room));
        } else {
            return Err(EvaluationError::undefined(NAME, "the statistic is too skewed, for so few items"));
        }
    }
    Ok(Estimate { value, lo: ends[0], hi: ends[1] })
}

/// Linear interpolation between order statistics, as `Bootstrap::interval` has it.
fn quantile(sorted: &[f64], at: f64) -> f64 {
    let place = at * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    if low == high { low } else { low + (high - low) * place.fract() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use superalign_core::Seed;

    const BOTH: [BootstrapInterval; 2] = [BootstrapInterval::Percentile, BootstrapInterval::Bca];

    fn by(draws: usize) -> Bootstrap {
        Bootstrap { draws, ..Bootstrap::new(Seed::new(11)) }
    }

    #[test]
    fn what_has_no_interval_says_why() {
        let message = |found: Result<Estimate, EvaluationError>| found.unwrap_err().to_string();
        let plain = BootstrapInterval::Percentile;
        assert_eq!(message(mean_estimate(&[1.0], None, plain, &by(10))), "1 items: expected at least 2");
        assert_eq!(
            message(mean_estimate(&[1.0, 2.0], None, plain, &by(0))),
            "bootstrap: draws = 0: expected at least 1"
        );
        assert_eq!(
            message(mean_estimate(&[1.7e308, -1.7e308], None, plain, &by(10))),
            "mean is undefined: the sums of the scores are no finite numbers"
        );
        let mut calls = 0;
        let seldom = |_: &[u32]| {
            calls += 1;
            Ok(if calls % 10 == 0 { f64::NAN } else { 1.0 })
        };
        assert_eq!(
            message(statistic_estimate("ratio", 5, None, plain, &by(100), seldom)),
            "ratio is undefined: it does not exist in 10 of 100 resamples"
        );
        let mut calls = 0;
        let one_sided = |_: &[u32]| {
            calls += 1;
            Ok(f64::from(calls))
        };
        assert_eq!(
            message(statistic_estimate("ratio", 5, None, BootstrapInterval::Bca, &by(100), one_sided)),
            "BCa interval is undefined: all resamples lie on one side of the value"
        );
        let never = |_: &[u32]| Ok(f64::NAN);
        assert_eq!(
            message(statistic_estimate("ratio", 5, None, plain, &by(100), never)),
            "ratio is undefined: it is not a number"
        );
    }

    #[test]
    fn equal_scores_have_no_width() {
        for interval in BOTH {
            let found = mean_estimate(&[0.1; 9], None, interval, &by(50)).unwrap();
            assert_eq!((found.lo, found.value, found.hi), (0.1, 0.1, 0.1));
        }
    }

    #[test]
    fn kinds_give_the_interval_of_their_items() {
        // Few values: drawn at once. The same with a little noise: drawn one by one.
        let few: Vec<f64> = (0..2000).map(|n| f64::from(n * 7919 % 10 < 3)).collect();
        let many: Vec<f64> = few.iter().enumerate().map(|(n, x)| x + n as f64 * 1e-9).collect();
        for interval in BOTH {
            let [few, many] = [&few, &many].map(|x| mean_estimate(x, None, interval, &by(4000)).unwrap());
            for (few, many) in [(few.lo, many.lo), (few.hi, many.hi)] {
                assert!((few - many).abs() < 0.002, "{few} {many}");
            }
        }
    }

    #[test]
    fn a_mean_is_a_statistic() {
        let scores: Vec<f64> = (0..60).map(|n| f64::from((n * 37 % 61) as u32).sqrt()).collect();
        let groups: Vec<u32> = (0..60).map(|n| n / 4).collect();
        for interval in BOTH {
            for groups in [None, Some(groups.as_slice())] {
                let direct = mean_estimate(&scores, groups, interval, &by(500)).unwrap();
                let mean = |counts: &[u32]| {
                    let sum: f64 = scores.iter().zip(counts).map(|(x, &n)| x * f64::from(n)).sum();
                    Ok(sum / f64::from(counts.iter().sum::<u32>()))
                };
                let found = statistic_estimate("mean", 60, groups, interval, &by(500), mean).unwrap();
                for (a, b) in [(direct.value, found.value), (direct.lo, found.lo), (direct.hi, found.hi)] {
                    assert!((a - b).abs() < 1e-12, "{direct} {found}");
                }
            }
        }
    }

    #[test]
    fn groups_that_agree_within_widen_the_interval() {
        let scores: Vec<f64> = (0..400).map(|n| f64::from(n / 8 % 2)).collect();
        let groups: Vec<u32> = (0..400).map(|n| n / 8).collect();
        let width = |groups| {
            let found = mean_estimate(&scores, groups, BootstrapInterval::Percentile, &by(1000)).unwrap();
            found.hi - found.lo
        };
        let ratio = width(Some(&groups)) / width(None);
        assert!((ratio / 8_f64.sqrt() - 1.0).abs() < 0.1, "{ratio}");
    }
}
