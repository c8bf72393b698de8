//! Bootstrap intervals of means over several seeds, which share their items.

use super::groups::check_finite;
use crate::{Bootstrap, Estimate, EvaluationError};
use std::collections::BTreeMap;
use superalign_core::{Rng, below};

/// Of the resamples, at most this share may hold no item at all.
const EMPTY_SHARE: f64 = 0.05;

/// The mean of scores over all seeds, with its percentile interval.
///
/// `scores` and `groups` have one list for each seed (a repetition of training, say), one score and one label for each
/// of its items. A label names the same group under every seed. Each resample draws as many groups and as many seeds,
/// both with replacement, and takes the drawn groups under every drawn seed: sum over drawn seeds s and groups g of the
/// scores of g under s, by their number. So the interval speaks for other items and for other seeds, and scores of one
/// group under two seeds are not taken for independent. For a difference of two models give the differences, item by item.
///
/// With one seed it is the clustered bootstrap of [`mean_estimate`](super::mean_estimate), whose draws are others.
///
/// # Errors
/// No seed, fewer than two groups, lists of two lengths, a score that is no finite number, settings of the bootstrap out
/// of range, seeds that share so few groups that one resample in twenty holds no item.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_evaluation::{Bootstrap, paired::pooled_estimate};
/// let groups: Vec<u32> = (0..100).map(|n| n / 2).collect();
/// let seed = |s: u32| (0..100).map(|n| f64::from((n + s) % 4 != 0)).collect::<Vec<f64>>();
/// let by = Bootstrap::new(Seed::new(1));
/// let found = pooled_estimate(&[seed(0), seed(1), seed(2)], &[groups.clone(), groups.clone(), groups], &by)?;
/// assert!(found.value == 0.75 && found.covers(0.72) && !found.covers(0.5));
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn pooled_estimate(
    scores: &[Vec<f64>],
    groups: &[Vec<u32>],
    by: &Bootstrap,
) -> Result<Estimate, EvaluationError> {
    by.check()?;
    let table = Table::new(scores, groups)?;
    let all: Vec<usize> = (0..table.groups).collect();
    let seeds: Vec<usize> = (0..table.seeds).collect();
    let value =
        table.mean(&all, &seeds).ok_or_else(|| EvaluationError::undefined("mean", "there is no item"))?;
    let draw = |n: u64| {
        let rng = &mut by.seed.nth(n).rng();
        let groups = drawn(rng, table.groups);
        let seeds = drawn(rng, table.seeds);
        table.mean(&groups, &seeds)
    };
    let draws: Vec<f64> = (0..by.draws as u64).filter_map(draw).collect();
    if draws.is_empty() || ((by.draws - draws.len()) as f64) > EMPTY_SHARE * by.draws as f64 {
        return Err(EvaluationError::undefined(
            "mean over seeds",
            format!("{} of {} resamples hold no item", by.draws - draws.len(), by.draws),
        ));
    }
    Ok(by.interval(value, draws))
}

fn drawn(rng: &mut Rng, n: usize) -> Vec<usize> {
    (0..n).map(|_| below(rng, n)).collect()
}

/// Sums and numbers of scores by group and seed.
struct Table {
    groups: usize,
    seeds: usize,
    cells: Vec<(f64, u32)>,
}

impl Table {
    fn new(scores: &[Vec<f64>], groups: &[Vec<u32>]) -> Result<Self, EvaluationError> {
        let seeds = scores.len();
        if seeds == 0 {
            return Err(EvaluationError::TooFew { what: "seeds", found: 0, expected: 1 });
        }
        if groups.len() != seeds {
            let what = "number of lists of groups";
            return Err(EvaluationError::Shape { what, found: groups.len(), expected: seeds });
        }
        let mut places: BTreeMap<u32, usize> = BTreeMap::new();
        for (scores, labels) in scores.iter().zip(groups) {
            if labels.len() != scores.len() {
                let what = "number of group labels";
                return Err(EvaluationError::Shape { what, found: labels.len(), expected: scores.len() });
            }
            check_finite("score of item", scores)?;
            for label in labels {
                let next = places.len();
                places.entry(*label).or_insert(next);
            }
        }
        if places.len() < 2 {
            return Err(EvaluationError::TooFew { what: "groups", found: places.len(), expected: 2 });
        }
        let mut cells = vec![(0.0, 0); places.len() * seeds];
        for (seed, (scores, labels)) in scores.iter().zip(groups).enumerate() {
            for (score, label) in scores.iter().zip(labels) {
                let cell: &mut (f64, u32) = &mut cells[places[label] * seeds + seed];
                cell.0 += score;
                cell.1 += 1;
            }
        }
        Ok(Self { groups: places.len(), seeds, cells })
    }

    /// The mean over these groups under these seeds, where there is an item.
    fn mean(&self, groups: &[usize], seeds: &[usize]) -> Option<f64> {
        let (mut sum, mut items) = (0.0, 0_u64);
        for &group in groups {
            for &seed in seeds {
                let (scores, count) = self.cells[group * self.seeds + seed];
                sum += scores;
                items += u64::from(count);
            }
        }
        (items > 0).then(|| sum / items as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paired::{BootstrapInterval, mean_estimate};
    use proptest::prelude::*;
    use superalign_core::Seed;

    fn by(draws: usize) -> Bootstrap {
        Bootstrap { draws, ..Bootstrap::new(Seed::new(3)) }
    }

    #[test]
    fn one_seed_is_the_clustered_bootstrap() {
        let scores: Vec<f64> =
            (0..400_u32).map(|n| f64::from(n.wrapping_mul(2_654_435_761) >> 16 & 7)).collect();
        let groups: Vec<u32> = (0..400).map(|n| n / 4).collect();
        let pooled =
            pooled_estimate(std::slice::from_ref(&scores), std::slice::from_ref(&groups), &by(4000)).unwrap();
        let known = mean_estimate(&scores, Some(&groups), BootstrapInterval::Percentile, &by(4000)).unwrap();
        assert!((pooled.value - known.value).abs() < 1e-12);
        // The ends of 4,000 draws are known to a few hundredths of the interval's length.
        let near = |a: f64, b: f64| (a - b).abs() < 0.08 * (known.hi - known.lo);
        assert!(near(pooled.lo, known.lo) && near(pooled.hi, known.hi), "{pooled:?} {known:?}");
    }

    #[test]
    fn the_interval_speaks_for_other_seeds() {
        // Seeds that differ, items that do not: only the seeds make it wide.
        let groups = vec![(0..50).collect::<Vec<u32>>(); 3];
        let found =
            pooled_estimate(&[vec![0.0; 50], vec![0.5; 50], vec![1.0; 50]], &groups, &by(1000)).unwrap();
        assert_eq!(found.value, 0.5);
        // Three seeds are all the same one in a draw of 27.
        assert_eq!((found.lo, found.hi), (0.0, 1.0));
        let same = pooled_estimate(&[vec![0.5; 50], vec![0.5; 50]], &groups[..2], &by(100)).unwrap();
        assert_eq!((same.lo, same.hi), (0.5, 0.5));
    }

    #[test]
    fn what_cannot_be_pooled_is_told() {
        let said = |scores: &[Vec<f64>], groups: &[Vec<u32>]| {
            pooled_estimate(scores, groups, &by(100)).unwrap_err().to_string()
        };
        let said = [
            said(&[], &[]),
            said(&[vec![1.0, 2.0]], &[]),
            said(&[vec![1.0, 2.0]], &[vec![1]]),
            said(&[vec![1.0, 2.0]], &[vec![1, 1]]),
            said(&[vec![1.0, f64::NAN]], &[vec![1, 2]]),
            // Each seed has a group of its own.
            said(&[vec![1.0], vec![1.0]], &[vec![1], vec![2]]),
        ];
        let expected = [
            "0 seeds: expected at least 1",
            "number of lists of groups: found 0, expected 1",
            "number of group labels: found 1, expected 2",
            "1 groups: expected at least 2",
            "score of item 1 is NaN: expected a finite number",
            "mean over seeds is undefined: ",
        ];
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.starts_with(expected), "{said}");
        }
    }

    proptest! {
        #[test]
        fn names_of_groups_and_a_shift_change_nothing_else(
            scores in prop::collection::vec(-5.0_f64..5.0, 24), shift in -3.0_f64..3.0, turn in 1_u32..1000,
        ) {
            let seeds: Vec<Vec<f64>> = scores.chunks(8).map(<[f64]>::to_vec).collect();
            let groups = vec![(0..8).map(|n| n / 2).collect::<Vec<u32>>(); 3];
            let found = pooled_estimate(&seeds, &groups, &by(50)).unwrap();
            let named: Vec<Vec<u32>> = groups.iter().map(|one| one.iter().map(|g| g * 7 + turn).collect()).collect();
            prop_assert_eq!(pooled_estimate(&seeds, &named, &by(50)).unwrap(), found);
            let moved: Vec<Vec<f64>> = seeds.iter().map(|one| one.iter().map(|x| x + shift).collect()).collect();
            let moved = pooled_estimate(&moved, &groups, &by(50)).unwrap();
            prop_assert!((moved.value - found.value - shift).abs() < 1e-9);
            prop_assert!((moved.lo - found.lo - shift).abs() < 1e-9 && (moved.hi - found.hi - shift).abs() < 1e-9);
        }
    }
}
