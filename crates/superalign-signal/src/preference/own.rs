//! Whether judges prefer their own answers.

use super::comparison::Preferred;
use crate::{Bootstrap, Estimate, SignalError, label_diversity, resample};
use rustc_hash::FxHashMap;

/// A vote of a judge on two answers to an item. Authors and judges are numbered alike: a judge that is an author has the
/// same number as both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The item.
    pub item: u32,
    /// Who voted.
    pub judge: u32,
    /// Author of the first answer.
    pub first: u32,
    /// Author of the second answer.
    pub second: u32,
    /// Which was preferred.
    pub preferred: Preferred,
}

/// How much more a judge prefers its own answers than other judges prefer them, in `-1..=1`, with its interval over
/// resampled items.
///
/// An item counts where the judge and at least one other judge compared the judge's own answer with that of the same
/// other author. Its difference is the mean score that the judge gave the own answer (1 if preferred, 1/2 for a tie, 0)
/// less the mean that the others gave it, a mean over those other authors; the value is the mean over items. So answers
/// that are better than others do not count as self-preference: the other judges prefer them as well.
///
/// ```
/// use superalign_core::{Bootstrap, Seed};
/// use superalign_signal::preference::{Judgement, Preferred::{First, Second}, self_preference};
/// // On 50 items judge 0 prefers its own answer, and judge 1 prefers its own.
/// let votes: Vec<Judgement> = (0..50).flat_map(|item| {
///     [(0, First), (1, Second)].map(|(judge, preferred)| Judgement { item, judge, first: 0, second: 1, preferred })
/// }).collect();
/// let found = self_preference(&votes, 0, &Bootstrap::new(Seed::new(1)))?;
/// assert_eq!((found.value, found.lo), (1.0, 1.0));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// A vote on two answers of one author; no item that the judge and another one compared.
pub fn self_preference(votes: &[Judgement], judge: u32, by: &Bootstrap) -> Result<Estimate, SignalError> {
    // Sum and number of scores of the own answer, by the judge and by others, for each item and other author.
    let mut scores = FxHashMap::<(u32, u32), [f64; 4]>::default();
    for (index, vote) in votes.iter().enumerate() {
        if vote.first == vote.second {
            return Err(SignalError::Value {
                what: "second author of vote",
                index,
                found: f64::from(vote.second),
                expected: "another author than the first",
            });
        }
        let (other, score) = if vote.first == judge {
            (vote.second, vote.preferred.score())
        } else if vote.second == judge {
            (vote.first, 1.0 - vote.preferred.score())
        } else {
            continue;
        };
        let entry = scores.entry((vote.item, other)).or_default();
        let place = if vote.judge == judge { 0 } else { 2 };
        entry[place] += score;
        entry[place + 1] += 1.0;
    }
    let mut pairs: Vec<(u32, u32, f64)> = scores
        .into_iter()
        .filter(|(_, [_, own, _, others])| *own > 0.0 && *others > 0.0)
        .map(|((item, author), [own_sum, own, others_sum, others])| {
            (item, author, own_sum / own - others_sum / others)
        })
        .collect();
    pairs.sort_unstable_by_key(|&(item, author, _)| (item, author));
    let items: Vec<f64> = pairs
        .chunk_by(|a, b| a.0 == b.0)
        .map(|of_item| of_item.iter().map(|pair| pair.2).sum::<f64>() / of_item.len() as f64)
        .collect();
    if items.is_empty() {
        return Err(SignalError::undefined(
            "self-preference",
            format!("no answer of judge {judge} was compared both by that judge and by another one"),
        ));
    }
    // Few differences are possible: items of the same one are counted.
    let mut values = items.clone();
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    let mut counts = vec![0_u64; values.len()];
    items.iter().for_each(|item| counts[values.partition_point(|value| value.total_cmp(item).is_lt())] += 1);
    resample::estimate_of_counts(by, "self-preference", &label_diversity::narrow(&counts)?, |counts| {
        let sum: f64 = values.iter().zip(counts).map(|(value, &count)| value * f64::from(count)).sum();
        Ok(sum / items.len() as f64)
    })
}

#[cfg(test)]
mod tests {
    use super::Preferred::{First, Second, Tie};
    use super::*;
    use superalign_core::Seed;

    fn vote(item: u32, judge: u32, first: u32, second: u32, preferred: Preferred) -> Judgement {
        Judgement { item, judge, first, second, preferred }
    }

    #[test]
    fn what_does_not_exist_says_why() {
        let by = Bootstrap::new(Seed::new(1));
        let message = |votes: &[Judgement]| self_preference(votes, 0, &by).unwrap_err().to_string();
        assert_eq!(
            message(&[vote(0, 0, 0, 1, First), vote(1, 1, 0, 1, First)]),
            "self-preference is undefined: no answer of judge 0 was compared both by that judge and by another one"
        );
        assert_eq!(
            message(&[vote(0, 0, 2, 2, First)]),
            "second author of vote 0 is 2: expected another author than the first"
        );
    }

    #[test]
    fn the_mean_over_items_of_differences_on_the_same_pairs() {
        let by = Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(1)) };
        let mut votes = vec![
            // Item 0: own answer against 1: 1 - (0 + 1/2) / 2 = 3/4; against 2: 1/2 - 1 = -1/2; mean 1/8.
            vote(0, 0, 0, 1, First),
            vote(0, 1, 0, 1, Second),
            vote(0, 2, 1, 0, Tie),
            vote(0, 0, 2, 0, Tie),
            vote(0, 1, 0, 2, First),
            // Item 1: 0 - 1.
            vote(1, 0, 1, 0, First),
            vote(1, 3, 1, 0, Second),
            // Neither an answer of judge 0, nor a pair that it compared.
            vote(1, 0, 1, 2, First),
            vote(2, 3, 0, 3, First),
        ];
        let found = self_preference(&votes, 0, &by).unwrap();
        assert!((found.value - (0.125 - 1.0) / 2.0).abs() < 1e-12);
        assert_eq!((found.lo, found.hi), (-1.0, 0.125));
        votes.reverse();
        assert_eq!(self_preference(&votes, 0, &by).unwrap(), found);
    }
}
