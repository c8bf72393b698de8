//! Votes as bits: how often each pattern of votes occurs, and what is resampled.

use super::MOST_SOURCES;
use crate::ParadigmError;
use crate::signal::in_unit;
use ndarray::{Array2, ArrayView2};
use std::collections::BTreeMap;
use superalign_core::{Rng, multinomial};

/// Groups of items by their patterns of votes: bit k of a pattern says that source k votes yes.
///
/// Groups with the same patterns are one kind, so that a resample is a draw of counts.
pub(super) struct Kinds {
    pub(super) sources: usize,
    patterns: Vec<Vec<u64>>,
    counts: Vec<u32>,
}

/// Shares of items.
pub(super) struct Moments {
    /// Number of items.
    pub(super) items: f64,
    /// Share of items to which each source says yes.
    pub(super) yes: Vec<f64>,
    /// Share of items to which both say yes.
    pub(super) both: Array2<f64>,
}

impl Kinds {
    /// From votes `(items, sources)`: a vote of one half or more is a yes. Items of one group belong together.
    pub(super) fn new(votes: ArrayView2<'_, f64>, groups: Option<&[u32]>) -> Result<Self, ParadigmError> {
        let (items, sources) = votes.dim();
        for (what, found) in [("items", items), ("sources", sources)] {
            if found == 0 {
                return Err(ParadigmError::TooFew { what, found, expected: 1 });
            }
        }
        if sources > MOST_SOURCES {
            return Err(ParadigmError::Shape {
                what: "number of sources",
                found: sources,
                expected: MOST_SOURCES,
            });
        }
        in_unit("vote", votes.iter())?;
        if let Some(groups) = groups
            && groups.len() != items
        {
            return Err(ParadigmError::Shape {
                what: "number of groups' entries",
                found: groups.len(),
                expected: items,
            });
        }
        let mut members: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (item, row) in votes.rows().into_iter().enumerate() {
            let pattern =
                row.iter().enumerate().fold(0, |bits, (k, &vote)| bits | u64::from(vote >= 0.5) << k);
            let group = groups.map_or(item as u64, |groups| u64::from(groups[item]));
            members.entry(group).or_default().push(pattern);
        }
        let mut kinds: BTreeMap<Vec<u64>, u32> = BTreeMap::new();
        for mut patterns in members.into_values() {
            patterns.sort_unstable();
            *kinds.entry(patterns).or_default() += 1;
        }
        let (patterns, counts) = kinds.into_iter().unzip();
        Ok(Self { sources, patterns, counts })
    }

    /// The number of groups of each kind.
    pub(super) fn whole(&self) -> &[u32] {
        &self.counts
    }

    /// The same for a resample of the groups.
    pub(super) fn drawn(&self, rng: &mut Rng) -> Vec<u32> {
        let mut drawn = vec![0; self.counts.len()];
        multinomial(rng, &self.counts, &mut drawn);
        drawn
    }

    /// The votes of so many groups of each kind, (items, sources): 1 yes, 0 no.
    pub(super) fn table(&self, counts: &[u32]) -> Array2<i8> {
        let rows: Vec<u64> = self
            .patterns
            .iter()
            .zip(counts)
            .flat_map(|(patterns, &count)| patterns.iter().flat_map(move |&p| (0..count).map(move |_| p)))
            .collect();
        Array2::from_shape_fn((rows.len(), self.sources), |(i, k)| (rows[i] >> k & 1) as i8)
    }

    /// The moments of so many groups of each kind.
    pub(super) fn of(&self, counts: &[u32]) -> Moments {
        let k = self.sources;
        let mut both = Array2::<f64>::zeros((k, k));
        let mut items = 0.0;
        for (patterns, &count) in self.patterns.iter().zip(counts).filter(|(_, count)| **count > 0) {
            let count = f64::from(count);
            items += count * patterns.len() as f64;
            for &pattern in patterns {
                let mut left = pattern;
                while left > 0 {
                    let a = left.trailing_zeros() as usize;
                    let mut rest = left;
                    while rest > 0 {
                        both[[a, rest.trailing_zeros() as usize]] += count;
                        rest &= rest - 1;
                    }
                    left &= left - 1;
                }
            }
        }
        for a in 0..k {
            for b in a..k {
                both[[a, b]] /= items;
                both[[b, a]] = both[[a, b]];
            }
        }
        Moments { items, yes: both.diag().to_vec(), both }
    }
}

impl Moments {
    /// Mean of each source's votes, yes as 1 and no as -1.
    pub(super) fn mean(&self, source: usize) -> f64 {
        2.0 * self.yes[source] - 1.0
    }

    /// Mean of the product of two sources' votes: agreement less disagreement.
    pub(super) fn product(&self, a: usize, b: usize) -> f64 {
        1.0 - 2.0 * (self.yes[a] + self.yes[b] - 2.0 * self.both[[a, b]])
    }

    /// Covariance of two sources' votes.
    pub(super) fn covariance(&self, a: usize, b: usize) -> f64 {
        self.product(a, b) - self.mean(a) * self.mean(b)
    }

    /// Variance of the mean that [`Moments::covariance`] is, over draws of items.
    pub(super) fn variance(&self, a: usize, b: usize) -> f64 {
        let (yes, no) = (self.both[[a, b]], 1.0 - self.yes[a] - self.yes[b] + self.both[[a, b]]);
        let (first, second) = (self.yes[a] - yes, self.yes[b] - yes);
        let (up, down) = (1.0 - self.mean(a), -1.0 - self.mean(a));
        let (up_b, down_b) = (1.0 - self.mean(b), -1.0 - self.mean(b));
        let squares = yes * (up * up_b).powi(2)
            + no * (down * down_b).powi(2)
            + first * (up * down_b).powi(2)
            + second * (down * up_b).powi(2);
        // Sources that always agree have no variance; one item more or less is the least that can be meant.
        (squares - self.covariance(a, b).powi(2)).max(1.0 / self.items) / self.items
    }
}
