//! Items that are alike are one kind, so that they are counted and not visited: the labels of an item with their
//! counts, and where it matters who gave which. What is computed from them is not here.

use super::Coefficient;
use crate::Votes;
use rustc_hash::FxHashMap;
use std::hash::Hash;

/// Counts of labels below this number of categories and of raters fit one word.
const PACKED_CATEGORIES: usize = 8;
const PACKED_RATERS: usize = 255;
/// Items are put into words in blocks of this many.
const BLOCK: usize = 256;

/// The kinds of items of some votes, numbered as they first occur.
pub(super) struct Kinds {
    /// The value of each category, rising.
    pub(super) values: Vec<f64>,
    /// The kind of each item.
    pub(super) of_item: Vec<u32>,
    /// Each kind's number of votes.
    pub(super) sizes: Vec<u32>,
    /// `runs[starts[k]..starts[k + 1]]` are the labels of kind k and how often each occurs, by rising label.
    starts: Vec<usize>,
    runs: Vec<(u32, u32)>,
    /// Where it matters who voted how, the same for each kind's votes as (rater, label), by rising rater.
    first_voters: Vec<usize>,
    voters: Vec<(u32, u32)>,
}

impl Kinds {
    /// The kinds that these coefficients tell apart.
    pub(super) fn new(votes: &Votes, coefficients: &[Coefficient]) -> Self {
        let mut kinds = Self::empty(votes.values().to_vec());
        kinds.of_item.reserve_exact(votes.items());
        if coefficients.iter().any(|c| matches!(c, Coefficient::Cohen(_) | Coefficient::Conger(_))) {
            kinds.group(votes, |item, key| key.extend(votes.of_item(item)), Self::push_voters);
        } else if votes.categories() <= PACKED_CATEGORIES && votes.raters() <= PACKED_RATERS {
            kinds.by_packed_counts(votes);
        } else {
            let sorted = |item, key: &mut Vec<u32>| {
                key.extend_from_slice(votes.labels_of_item(item));
                key.sort_unstable();
            };
            kinds.group(votes, sorted, Self::push_sorted);
        }
        kinds
    }

    /// One kind for each pair of labels that raters 0 and 1 gave.
    pub(super) fn of_pairs(values: Vec<f64>, pairs: impl Iterator<Item = [u32; 2]>) -> Self {
        let mut kinds = Self::empty(values);
        pairs.for_each(|[a, b]| kinds.push_voters(&[(0, a), (1, b)]));
        kinds
    }

    fn empty(values: Vec<f64>) -> Self {
        Self {
            values,
            of_item: Vec::new(),
            sizes: Vec::new(),
            starts: vec![0],
            runs: Vec::new(),
            first_voters: vec![0],
            voters: Vec::new(),
        }
    }

    /// Number of kinds.
    pub(super) fn len(&self) -> usize {
        self.sizes.len()
    }

    /// The labels of a kind and how often each occurs, by rising label.
    pub(super) fn runs(&self, kind: usize) -> &[(u32, u32)] {
        &self.runs[self.starts[kind]..self.starts[kind + 1]]
    }

    /// The votes of a kind as (rater, label), by rising rater; only where a coefficient asks who gave which label.
    pub(super) fn voters(&self, kind: usize) -> &[(u32, u32)] {
        &self.voters[self.first_voters[kind]..self.first_voters[kind + 1]]
    }

    /// How many items there are of each kind.
    pub(super) fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.len()];
        self.of_item.iter().for_each(|&kind| counts[kind as usize] += 1);
        counts
    }

    fn push(&mut self, runs: impl Iterator<Item = (u32, u32)>) {
        self.runs.extend(runs);
        let first = self.starts[self.sizes.len()];
        self.sizes.push(self.runs[first..].iter().map(|run| run.1).sum());
        self.starts.push(self.runs.len());
    }

    fn push_sorted(&mut self, labels: &[u32]) {
        self.push(labels.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u32)));
    }

    fn push_voters(&mut self, voters: &[(u32, u32)]) {
        self.voters.extend_from_slice(voters);
        self.first_voters.push(self.voters.len());
        let mut labels: Vec<u32> = voters.iter().map(|voter| voter.1).collect();
        labels.sort_unstable();
        self.push_sorted(&labels);
    }

    /// Byte c of a word counts label c. Words are differences of a running sum that wraps around: so the steps from vote
    /// to vote do not depend on where an item ends, which no processor foresees.
    fn by_packed_counts(&mut self, votes: &Votes) {
        let mut known: FxHashMap<u64, u32> = FxHashMap::default();
        let mut sums = vec![0_u64];
        for first in (0..votes.items()).step_by(BLOCK) {
            let items = first..(first + BLOCK).min(votes.items());
            let mut sum = 0_u64;
            sums.truncate(1);
            sums.extend(votes.labels_of_items(items.clone()).iter().map(|&label| {
                sum = sum.wrapping_add(1 << (8 * label));
                sum
            }));
            let mut end = 0;
            for item in items {
                let start = end;
                end += votes.labels_of_item(item).len();
                let word = sums[end].wrapping_sub(sums[start]);
                let next = self.len() as u32;
                let kind = *known.entry(word).or_insert(next);
                if kind == next {
                    let counts = (0..PACKED_CATEGORIES as u32)
                        .map(|label| (label, (word >> (8 * label)) as u32 & 255));
                    self.push(counts.filter(|run| run.1 > 0));
                }
                self.of_item.push(kind);
            }
        }
    }

    /// Items of one key are of one kind.
    fn group<T: Copy + Eq + Hash>(
        &mut self,
        votes: &Votes,
        put_key: impl Fn(usize, &mut Vec<T>),
        push: impl Fn(&mut Self, &[T]),
    ) {
        // Where labels hardly ever occur twice, as real numbers, no two items are alike, and looking for such is in vain.
        let alone = 2 * votes.categories() > votes.len();
        let mut known: FxHashMap<Box<[T]>, u32> = FxHashMap::default();
        let mut key = Vec::new();
        for item in 0..votes.items() {
            key.clear();
            put_key(item, &mut key);
            let found = if alone { None } else { known.get(&*key).copied() };
            self.of_item.push(found.unwrap_or(self.len() as u32));
            if found.is_none() {
                if !alone {
                    known.insert(key.as_slice().into(), self.len() as u32);
                }
                push(self, &key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Weighting;
    use super::*;
    use ndarray::{Array2, array};

    /// The same items, once with few categories and once with enough of them that words do not hold the counts.
    #[test]
    fn both_ways_of_grouping_find_the_same_kinds() {
        let few = Array2::from_shape_fn((200, 3), |(i, j)| ((37 * i + 11 * j * i / 4) % 5) as i16 - 1);
        let mut many = Array2::from_elem((200 + 9, 3), -1_i16);
        many.slice_mut(ndarray::s![..200, ..]).assign(&few);
        (0..9).for_each(|label| many[[200 + label, 0]] = label as i16);
        let few = Kinds::new(&Votes::dense(few.view()).unwrap(), &[]);
        let many = Kinds::new(&Votes::dense(many.view()).unwrap(), &[]);
        assert_eq!(few.of_item, many.of_item[..200]);
        assert!(few.len() > 9 && few.len() < 56);
        (0..few.len()).for_each(|kind| assert_eq!(few.runs(kind), many.runs(kind)));
    }

    #[test]
    fn for_some_coefficients_it_matters_who_gave_which_label() {
        let votes = Votes::dense(array![[0_i8, 1], [1, 0], [1, -1], [-1, 1], [0, 1]].view()).unwrap();
        let kinds = Kinds::new(&votes, &[Coefficient::Cohen(Weighting::default())]);
        assert_eq!(kinds.of_item, [0, 1, 2, 3, 0]);
        assert_eq!(kinds.voters(1), [(0, 1), (1, 0)]);
        assert_eq!(kinds.voters(3), [(1, 1)]);
        assert_eq!(kinds.runs(1), [(0, 1), (1, 1)]);
        assert_eq!((kinds.runs(2), kinds.runs(3)), (&[(1, 1)][..], &[(1, 1)][..]));
        assert_eq!(kinds.counts(), [2, 1, 1, 1]);
        assert_eq!(Kinds::new(&votes, &[]).of_item, [0, 0, 1, 1, 0]);
    }
}
