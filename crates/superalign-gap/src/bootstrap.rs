//! The percentile bootstrap over items or groups, jointly over all terms and seeds of a quantity.

use crate::GapError;
use ndarray::ArrayView2;
use std::collections::BTreeMap;
use superalign_core::{Bootstrap, Estimate, Rng, below};

/// The fewest items that an estimate is made from.
pub const MINIMUM_ITEMS: usize = 20;
/// The fewest groups that a clustered interval is made from.
pub const MINIMUM_GROUPS: usize = 5;

/// Right answers counted by group, for `T` terms: all that resampling needs.
pub(crate) struct Counts<const T: usize> {
    /// Right answers of every group, term and seed.
    right: Vec<[Vec<u32>; T]>,
    sizes: Vec<u32>,
    seeds: [usize; T],
}

impl<const T: usize> Counts<T> {
    /// Counts the terms, each (seeds, items) over the same items. Terms have the same number of seeds, which are
    /// then resampled together, or one.
    pub(crate) fn new(terms: [ArrayView2<'_, bool>; T], groups: Option<&[u32]>) -> Result<Self, GapError> {
        let shapes = terms.map(|term| term.dim());
        let place = layout(&shapes, groups)?;
        let count = place.iter().max().map_or(0, |last| last + 1);
        let seeds = terms.map(|term| term.nrows());
        let mut right = vec![seeds.map(|s| vec![0_u32; s]); count];
        let mut sizes = vec![0; count];
        for (item, &group) in place.iter().enumerate() {
            sizes[group] += 1;
            for (counts, term) in right[group].iter_mut().zip(&terms) {
                for (seed, count) in counts.iter_mut().enumerate() {
                    *count += u32::from(term[(seed, item)]);
                }
            }
        }
        Ok(Self { right, sizes, seeds })
    }

    /// The capability of every term: its share of right answers, over all seeds.
    pub(crate) fn shares(&self) -> [f64; T] {
        let seeds: [Vec<usize>; T] = self.seeds.map(|s| (0..s).collect());
        self.shares_of(0..self.sizes.len(), &seeds)
    }

    fn shares_of(&self, groups: impl Iterator<Item = usize>, seeds: &[Vec<usize>; T]) -> [f64; T] {
        let mut sums = self.seeds.map(|s| vec![0_u64; s]);
        let mut items = 0_u64;
        for group in groups {
            items += u64::from(self.sizes[group]);
            for (sum, counts) in sums.iter_mut().zip(&self.right[group]) {
                for (sum, &count) in sum.iter_mut().zip(counts) {
                    *sum += u64::from(count);
                }
            }
        }
        std::array::from_fn(|t| {
            let right: u64 = seeds[t].iter().map(|&s| sums[t][s]).sum();
            right as f64 / (items as f64 * seeds[t].len() as f64)
        })
    }

    /// The statistic of one resample: groups and seeds drawn with replacement, the same ones for every term.
    fn resample(&self, rng: &mut Rng) -> [f64; T] {
        let most = self.seeds.iter().copied().max().unwrap_or(1);
        let drawn: Vec<usize> = (0..most).map(|_| below(rng, most)).collect();
        let seeds = self.seeds.map(|s| if s == 1 { vec![0] } else { drawn.clone() });
        let count = self.sizes.len();
        self.shares_of((0..count).map(|_| below(rng, count)), &seeds)
    }

    /// The statistic and its percentile interval. The statistic may be infinite on a resample.
    pub(crate) fn estimate(
        &self,
        bootstrap: &Bootstrap,
        statistic: impl Fn([f64; T]) -> f64,
    ) -> Result<Estimate, GapError> {
        Ok(bootstrap.estimate(statistic(self.shares()), |rng| statistic(self.resample(rng)))?)
    }
}

/// The place of every item's group, once the shapes of the terms (seeds, items) are found to belong together: the same
/// items, and the same number of seeds or one.
pub(crate) fn layout(shapes: &[(usize, usize)], groups: Option<&[u32]>) -> Result<Vec<usize>, GapError> {
    let items = shapes.first().map_or(0, |shape| shape.1);
    let most = shapes.iter().map(|shape| shape.0).max().unwrap_or(0);
    for &(seeds, columns) in shapes {
        if seeds == 0 {
            return Err(GapError::NoSeeds);
        }
        for (what, found, expected) in [
            ("number of items", columns, items),
            ("number of seeds", seeds, if seeds == 1 { 1 } else { most }),
        ] {
            if found != expected {
                return Err(GapError::Shape { what, found, expected });
            }
        }
    }
    if let Some(groups) = groups
        && groups.len() != items
    {
        return Err(GapError::Shape { what: "number of group labels", found: groups.len(), expected: items });
    }
    if items < MINIMUM_ITEMS {
        return Err(GapError::TooFewItems { found: items, expected: MINIMUM_ITEMS });
    }
    let place = places(items, groups);
    let count = place.iter().max().map_or(0, |last| last + 1);
    if count < MINIMUM_GROUPS {
        return Err(GapError::TooFewGroups { found: count, expected: MINIMUM_GROUPS });
    }
    Ok(place)
}

/// The number of each item's group, counted in order of first appearance; without groups each item is its own.
fn places(items: usize, groups: Option<&[u32]>) -> Vec<usize> {
    let Some(groups) = groups else { return (0..items).collect() };
    let mut seen: BTreeMap<u32, usize> = BTreeMap::new();
    groups
        .iter()
        .map(|group| {
            let next = seen.len();
            *seen.entry(*group).or_insert(next)
        })
        .collect()
}
