//! Whether judges agree on the same pairs of answers.

use crate::label_diversity::narrow;
use crate::{Bootstrap, Estimate, SignalError, Votes, resample};
use rustc_hash::FxHashMap;

/// What agreement is expected by chance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Chance {
    /// That of judges who choose each outcome as often as all judges together: the sum of squared shares (Scott 1955,
    /// Fleiss 1971).
    #[default]
    Pooled,
    /// One in so many outcomes, whether or not they occur: 3 for first, second and tie (Bennett, Alpert and Goldstein
    /// 1954).
    Uniform(u32),
}

/// How judges agree on n pairs of answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JudgeAgreement<T> {
    /// Mean over pairs of judges of the share of common items on which they agree, in `0..=1`.
    pub mean_pairwise: T,
    /// That above chance, by the most that it could be above: `(A - E) / (1 - E)`, up to 1.
    pub chance_corrected: T,
    /// Share of items with two or more votes on which all agree.
    pub unanimous: T,
    /// Share of those on which no outcome has more votes than every other.
    pub tied: T,
}

/// Two judges and how often they agree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JudgePair {
    /// The one judge.
    pub first: usize,
    /// The other judge, above `first`.
    pub second: usize,
    /// Number of items on which both voted, above 0.
    pub items: u64,
    /// Share of those on which they agree.
    pub agreement: f64,
}

/// How often each two judges agree, for those with a common item: (0, 1), (0, 2), ..., (1, 2), ...
///
/// Items are pairs of answers, raters the judges, and labels the outcomes: first, second and, if there are any, ties.
///
/// ```
/// use superalign_signal::{Votes, preference::judge_pairs};
/// let votes = Votes::dense(ndarray::array![[0_i8, 0], [1, 0], [1, -1]].view())?;
/// let pairs = judge_pairs(&votes);
/// assert_eq!((pairs[0].items, pairs[0].agreement), (2, 0.5));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
#[must_use]
pub fn judge_pairs(votes: &Votes) -> Vec<JudgePair> {
    let kinds = Kinds::new(votes);
    let tables = kinds.tables(kinds.counts.iter().map(|&count| count as f64));
    let judges = votes.raters();
    let pairs = (0..judges).flat_map(|first| (first + 1..judges).map(move |second| (first, second)));
    pairs
        .map(|(first, second)| (first, second, tables.pairs[first * judges + second]))
        .filter(|(_, _, [items, _])| *items > 0.0)
        .map(|(first, second, [items, alike])| JudgePair {
            first,
            second,
            items: items as u64,
            agreement: alike / items,
        })
        .collect()
}

/// How judges agree: raw and above chance. Votes as in [`judge_pairs`].
///
/// ```
/// use superalign_signal::{Votes, preference::{Chance, judge_agreement}};
/// let votes = Votes::dense(ndarray::array![[0_i8, 0, 0], [1, 0, 1], [2, 2, 2]].view())?;
/// let found = judge_agreement(&votes, Chance::Uniform(3))?;
/// assert!((found.mean_pairwise - 7.0 / 9.0).abs() < 1e-12);
/// assert!((found.chance_corrected - 2.0 / 3.0).abs() < 1e-12);
/// assert_eq!((found.unanimous, found.tied), (2.0 / 3.0, 0.0));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// No item with two votes; by pooled chance, votes that are all the same; by uniform chance, fewer than two outcomes or
/// fewer than occur.
pub fn judge_agreement(votes: &Votes, chance: Chance) -> Result<JudgeAgreement<f64>, SignalError> {
    let kinds = Kinds::checked(votes, chance)?;
    let [mean_pairwise, chance_corrected, unanimous, tied] =
        kinds.statistics(kinds.counts.iter().map(|&count| count as f64), chance);
    Ok(JudgeAgreement {
        mean_pairwise: mean_pairwise?,
        chance_corrected: chance_corrected?,
        unanimous: unanimous?,
        tied: tied?,
    })
}

/// As [`judge_agreement`], with percentile intervals over items that are resampled jointly for all four. Items with the
/// same votes are counted, not visited.
///
/// # Errors
/// As [`judge_agreement`]; more than one resample in twenty without a value.
pub fn judge_agreement_estimate(
    votes: &Votes,
    chance: Chance,
    by: &Bootstrap,
) -> Result<JudgeAgreement<Estimate>, SignalError> {
    let kinds = Kinds::checked(votes, chance)?;
    let found = resample::estimates_of_counts(by, &[NAME; 4], &narrow(&kinds.counts)?, |counts, values| {
        values.clone_from_slice(&kinds.statistics(counts.iter().map(|&count| f64::from(count)), chance));
    });
    let found: Vec<Estimate> = found.into_iter().collect::<Result<_, _>>()?;
    Ok(JudgeAgreement {
        mean_pairwise: found[0],
        chance_corrected: found[1],
        unanimous: found[2],
        tied: found[3],
    })
}

const NAME: &str = "agreement of judges";

/// Items with the same votes.
struct Kinds {
    /// Judge and outcome.
    votes: Vec<Vec<(u32, u32)>>,
    counts: Vec<u64>,
    judges: usize,
    outcomes: usize,
}

struct TablesOfJudges {
    /// Common items and agreements of first * judges + second.
    pairs: Vec<[f64; 2]>,
    /// Votes for each outcome, on items with two or more.
    shares: Vec<f64>,
    items: f64,
    unanimous: f64,
    tied: f64,
}

impl Kinds {
    fn new(votes: &Votes) -> Self {
        let mut places = FxHashMap::<Vec<(u32, u32)>, usize>::default();
        let mut kinds = Self {
            votes: Vec::new(),
            counts: Vec::new(),
            judges: votes.raters(),
            outcomes: votes.categories(),
        };
        let mut of_item = Vec::new();
        for item in 0..votes.items() {
            of_item.clear();
            of_item.extend(votes.of_item(item));
            if let Some(&place) = places.get(&of_item) {
                kinds.counts[place] += 1;
            } else {
                places.insert(of_item.clone(), kinds.counts.len());
                kinds.votes.push(of_item.clone());
                kinds.counts.push(1);
            }
        }
        kinds
    }

    fn checked(votes: &Votes, chance: Chance) -> Result<Self, SignalError> {
        if let Chance::Uniform(outcomes) = chance
            && (outcomes < 2 || (outcomes as usize) < votes.categories())
        {
            return Err(SignalError::setting(
                "outcomes",
                f64::from(outcomes),
                format!("at least 2 and the {} that occur", votes.categories()),
            ));
        }
        Ok(Self::new(votes))
    }

    fn tables(&self, counts: impl Iterator<Item = f64>) -> TablesOfJudges {
        let mut found = TablesOfJudges {
            pairs: vec![[0.0; 2]; self.judges * self.judges],
            shares: vec![0.0; self.outcomes],
            items: 0.0,
            unanimous: 0.0,
            tied: 0.0,
        };
        let mut of_outcome = vec![0_u32; self.outcomes];
        for (votes, count) in
            self.votes.iter().zip(counts).filter(|(votes, count)| votes.len() > 1 && *count > 0.0)
        {
            of_outcome.fill(0);
            for (place, &(second, theirs)) in votes.iter().enumerate() {
                of_outcome[theirs as usize] += 1;
                found.shares[theirs as usize] += count;
                for &(first, ours) in &votes[..place] {
                    let [items, alike] = &mut found.pairs[first as usize * self.judges + second as usize];
                    *items += count;
                    *alike += if ours == theirs { count } else { 0.0 };
                }
            }
            let most = of_outcome.iter().copied().max().unwrap_or(0);
            found.items += count;
            found.unanimous += if most as usize == votes.len() { count } else { 0.0 };
            found.tied +=
                if of_outcome.iter().filter(|&&votes| votes == most).count() > 1 { count } else { 0.0 };
        }
        found
    }

    /// Mean pairwise agreement, that above chance, and the shares of unanimous and of tied items.
    fn statistics(&self, counts: impl Iterator<Item = f64>, chance: Chance) -> [Result<f64, SignalError>; 4] {
        let tables = self.tables(counts);
        if tables.items == 0.0 {
            let none = || Err(SignalError::undefined(NAME, "no item has two votes"));
            return [none(), none(), none(), none()];
        }
        let (mut sum, mut pairs) = (0.0, 0.0);
        for [items, alike] in tables.pairs.iter().filter(|[items, _]| *items > 0.0) {
            sum += alike / items;
            pairs += 1.0;
        }
        let raw: f64 = sum / pairs;
        let expected = match chance {
            Chance::Uniform(outcomes) => 1.0 / f64::from(outcomes),
            Chance::Pooled => {
                let all: f64 = tables.shares.iter().sum();
                tables.shares.iter().map(|votes| votes / all * (votes / all)).sum()
            }
        };
        let corrected =
            if tables.shares.iter().filter(|&&votes| votes > 0.0).count() < 2 && chance == Chance::Pooled {
                Err(SignalError::undefined(NAME, "all votes are the same, which is all that chance expects"))
            } else {
                Ok((raw - expected) / (1.0 - expected))
            };
        [Ok(raw), corrected, Ok(tables.unanimous / tables.items), Ok(tables.tied / tables.items)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};
    use proptest::prelude::*;
    use superalign_core::Seed;

    #[test]
    fn what_does_not_exist_says_why() {
        let message = |table: Array2<i64>, chance| {
            judge_agreement(&Votes::dense(table.view()).unwrap(), chance).unwrap_err().to_string()
        };
        assert_eq!(
            message(array![[0, -1], [-1, 1]], Chance::Pooled),
            "agreement of judges is undefined: no item has two votes"
        );
        assert_eq!(
            message(array![[1, 1]], Chance::Pooled),
            "agreement of judges is undefined: all votes are the same, which is all that chance expects"
        );
        assert_eq!(
            message(array![[0, 1], [2, 2]], Chance::Uniform(2)),
            "outcomes = 2: expected at least 2 and the 3 that occur"
        );
    }

    #[test]
    fn judges_without_a_common_item_are_no_pair() {
        let votes = Votes::dense(array![[0_i64, 0, -1], [-1, 1, 0]].view()).unwrap();
        let pairs = judge_pairs(&votes);
        assert_eq!(pairs.iter().map(|pair| (pair.first, pair.second)).collect::<Vec<_>>(), [(0, 1), (1, 2)]);
        let found = judge_agreement(&votes, Chance::Pooled).unwrap();
        assert_eq!((found.mean_pairwise, found.unanimous, found.tied), (0.5, 0.5, 0.5));
    }

    proptest! {
        #[test]
        fn order_and_names_do_not_matter(labels in prop::collection::vec(-1_i64..3, 30)) {
            let table = Array2::from_shape_vec((10, 3), labels).unwrap();
            let of = |table: &Array2<i64>| judge_agreement(&Votes::dense(table.view()).unwrap(), Chance::Pooled);
            let turned = table.slice(ndarray::s![..;-1, ..;-1]).mapv(|label| if label < 0 { label } else { 2 - label });
            match (of(&table), of(&turned)) {
                (Ok(found), Ok(turned)) => {
                    prop_assert!((found.mean_pairwise - turned.mean_pairwise).abs() < 1e-12);
                    prop_assert!((found.chance_corrected - turned.chance_corrected).abs() < 1e-12);
                    prop_assert_eq!((found.unanimous, found.tied), (turned.unanimous, turned.tied));
                    let by = Bootstrap { draws: 50, ..Bootstrap::new(Seed::new(1)) };
                    let votes = Votes::dense(table.view()).unwrap();
                    if let Ok(estimate) = judge_agreement_estimate(&votes, Chance::Pooled, &by) {
                        prop_assert!((estimate.mean_pairwise.value - found.mean_pairwise).abs() < 1e-12);
                        prop_assert!(estimate.unanimous.lo <= found.unanimous && found.unanimous <= estimate.unanimous.hi);
                    }
                }
                (found, turned) => prop_assert_eq!(found.is_err(), turned.is_err()),
            }
        }
    }
}
