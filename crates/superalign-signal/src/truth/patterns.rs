//! Votes laid out for expectation maximisation: items that are alike are merged, raters are taken in blocks.
//!
//! Here is no probability yet; `em.rs` works on this layout.

use super::Search;
use crate::{SignalError, Votes};
use std::hash::Hasher as _;

/// Of the patterns of a block of raters, so many at most; their factors then stay in the nearest cache.
const BLOCK_CODES: usize = 640;
/// A block has to save so much of the work to be made: the factors of its patterns are computed anew each time.
const WORTH: f64 = 0.7;
/// An item whose truth is not given.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// Rows of whole numbers of different lengths.
#[derive(Clone, Debug, Default)]
pub(super) struct Ragged {
    starts: Vec<usize>,
    flat: Vec<u32>,
}

/// The votes as distinct items, each a list of rows; a row is a pattern of votes of a block of neighbouring raters,
/// and itself a list of base rows; a base row is a vote: a rater with a category.
///
/// The probability of an item's votes is then the product over its rows, whose factors are shared by all items.
/// Distinct items stand in an order that does not depend on the order of the items.
#[derive(Clone, Debug)]
pub(super) struct Patterns {
    pub(super) categories: usize,
    /// Number of raters (not of columns, of which several may be of one rater).
    pub(super) raters: usize,
    /// The (rater, category) pairs that occur, rising.
    pub(super) base: Vec<(u32, u32)>,
    /// `of_rater[r]..of_rater[r + 1]` are the base rows of rater r.
    pub(super) of_rater: Vec<usize>,
    /// The base rows of each row.
    pub(super) members: Ragged,
    /// The rows of each distinct item.
    pub(super) items: Ragged,
    /// How many items each distinct item stands for.
    pub(super) weight: Vec<f64>,
    /// The given truth of each distinct item, or [`UNKNOWN`].
    pub(super) gold: Vec<u32>,
    /// The distinct item of each item; [`UNKNOWN`] for items with neither votes nor truth.
    pub(super) distinct: Vec<u32>,
}

impl Ragged {
    pub(super) fn new() -> Self {
        Self { starts: vec![0], flat: Vec::new() }
    }

    pub(super) fn push(&mut self, row: &[u32]) {
        self.flat.extend_from_slice(row);
        self.starts.push(self.flat.len());
    }

    pub(super) const fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) const fn entries(&self) -> usize {
        self.flat.len()
    }

    pub(super) fn row(&self, index: usize) -> &[u32] {
        &self.flat[self.starts[index]..self.starts[index + 1]]
    }
}

impl Patterns {
    /// # Errors
    /// Given truths of another number of items or outside the categories; raters of another number of columns; a
    /// table of raters and categories that does not fit in memory.
    pub(super) fn new(
        votes: &Votes,
        gold: Option<&[Option<u32>]>,
        search: &Search,
    ) -> Result<Self, SignalError> {
        check(votes, gold)?;
        let categories = votes.categories();
        let of_column = columns(votes, search)?;
        let raters = of_column.iter().max().map_or(0, |&last| last as usize + 1);
        let cells = votes.raters().checked_mul(categories + 1);
        if cells.is_none_or(|cells| cells >= UNKNOWN as usize) {
            let reason = format!("{} raters by {categories} categories are too many to hold", votes.raters());
            return Err(SignalError::undefined("the truth", reason));
        }
        let mut place = vec![UNKNOWN; raters * categories];
        for item in 0..votes.items() {
            for (column, category) in votes.of_item(item) {
                place[of_column[column as usize] as usize * categories + category as usize] = 0;
            }
        }
        let mut base = Vec::new();
        let mut of_rater = vec![0];
        for rater in 0..raters {
            for category in 0..categories {
                let place = &mut place[rater * categories + category];
                if *place == 0 {
                    *place = base.len() as u32;
                    base.push((rater as u32, category as u32));
                }
            }
            of_rater.push(base.len());
        }
        let base_row = |column: u32, category: u32| {
            place[of_column[column as usize] as usize * categories + category as usize]
        };
        let (members, rows) = Blocks::new(votes).rows(votes, base_row);
        let mut found = Self {
            categories,
            raters,
            base,
            of_rater,
            members,
            items: Ragged::new(),
            weight: Vec::new(),
            gold: Vec::new(),
            distinct: vec![UNKNOWN; votes.items()],
        };
        found.merge(&rows, gold);
        Ok(found)
    }

    /// Merges the items that are alike.
    fn merge(&mut self, rows: &Ragged, gold: Option<&[Option<u32>]>) {
        let truth = |item: u32| gold.and_then(|gold| gold[item as usize]).unwrap_or(UNKNOWN);
        let mut keys: Vec<(u64, u32)> = (0..rows.len() as u32)
            .filter(|&item| !rows.row(item as usize).is_empty() || truth(item) != UNKNOWN)
            .map(|item| {
                let mut hash = rustc_hash::FxHasher::default();
                hash.write_u32(truth(item));
                rows.row(item as usize).iter().for_each(|&row| hash.write_u32(row));
                (hash.finish(), item)
            })
            .collect();
        let content = |item: u32| (truth(item), rows.row(item as usize));
        keys.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| content(a.1).cmp(&content(b.1))));
        let mut last = None;
        for (key, item) in keys {
            if last.is_none_or(|(hash, other)| hash != key || content(other) != content(item)) {
                self.items.push(rows.row(item as usize));
                self.gold.push(truth(item));
                self.weight.push(0.0);
            }
            last = Some((key, item));
            let index = self.weight.len() - 1;
            self.weight[index] += 1.0;
            self.distinct[item as usize] = index as u32;
        }
    }

    /// Number of distinct items.
    pub(super) const fn len(&self) -> usize {
        self.weight.len()
    }

    /// The base rows of a distinct item.
    pub(super) fn votes_of(&self, index: usize) -> impl Iterator<Item = u32> + '_ {
        self.items.row(index).iter().flat_map(|&row| self.members.row(row as usize)).copied()
    }
}

/// Neighbouring raters taken together.
struct Blocks {
    /// Raters in a block.
    width: usize,
    /// Symbols of a vote: the categories, and none.
    symbols: usize,
}

impl Blocks {
    /// The widest blocks whose patterns stay few, if they shorten the items enough.
    fn new(votes: &Votes) -> Self {
        let (symbols, columns) = (votes.categories() + 1, votes.raters());
        let mut width = 1;
        while width < columns && symbols.saturating_pow(width as u32 + 1) <= BLOCK_CODES {
            width += 1;
        }
        // As many blocks of widths as equal as can be.
        width = columns.div_ceil(columns.div_ceil(width).max(1)).max(1);
        let blocks = columns.div_ceil(width);
        let room = blocks.saturating_mul(symbols.saturating_pow(width as u32));
        let entries: usize = (0..votes.items()).map(|item| runs(votes.raters_of_item(item), width)).sum();
        if entries as f64 > WORTH * votes.len() as f64 || room > votes.len() {
            width = 1;
        }
        Self { width, symbols }
    }

    /// The base rows of each row, and the rows of each item.
    fn rows(&self, votes: &Votes, base_row: impl Fn(u32, u32) -> u32) -> (Ragged, Ragged) {
        let codes = self.symbols.pow(self.width as u32);
        let mut powers = vec![1_u32; self.width];
        (1..self.width).for_each(|j| powers[j] = powers[j - 1] * self.symbols as u32);
        // First the pattern of every item in every block, then the numbers of those that occur.
        let mut rows = Ragged { starts: vec![0], flat: Vec::with_capacity(votes.len() / self.width + 1) };
        for item in 0..votes.items() {
            let mut block = usize::MAX;
            for (column, category) in votes.of_item(item) {
                let column = column as usize;
                if column / self.width != block {
                    block = column / self.width;
                    rows.flat.push((block * codes) as u32);
                }
                if let Some(code) = rows.flat.last_mut() {
                    *code += powers[column % self.width] * (category + 1);
                }
            }
            rows.starts.push(rows.flat.len());
        }
        let mut place = vec![UNKNOWN; votes.raters().div_ceil(self.width) * codes];
        rows.flat.iter().for_each(|&code| place[code as usize] = 0);
        let mut members = Ragged::new();
        let mut row = Vec::new();
        for (code, place) in place.iter_mut().enumerate().filter(|(_, place)| **place == 0) {
            *place = members.len() as u32;
            row.clear();
            let mut rest = code % codes;
            for j in 0..self.width {
                if !rest.is_multiple_of(self.symbols) {
                    let column = (code / codes * self.width + j) as u32;
                    row.push(base_row(column, (rest % self.symbols) as u32 - 1));
                }
                rest /= self.symbols;
            }
            members.push(&row);
        }
        rows.flat.iter_mut().for_each(|code| *code = place[*code as usize]);
        (members, rows)
    }
}

/// How many blocks of that width these raters, rising, fall into.
fn runs(raters: &[u32], width: usize) -> usize {
    let mut last = usize::MAX;
    raters.iter().filter(|&&rater| std::mem::replace(&mut last, rater as usize / width) != last).count()
}

/// Whether there is something to infer from, and room for a posterior.
///
/// # Errors
/// Items but no votes; more numbers than fit in memory; as [`check_gold`].
pub(super) fn check(votes: &Votes, gold: Option<&[Option<u32>]>) -> Result<(), SignalError> {
    let (items, categories) = (votes.items(), votes.categories());
    if votes.is_empty() && items > 0 {
        return Err(SignalError::TooFew { what: "votes", found: 0, expected: 1 });
    }
    if (items as u64).saturating_mul(categories as u64) > isize::MAX as u64 / 16 {
        let reason = format!("{items} items by {categories} categories are too many to hold");
        return Err(SignalError::undefined("the truth", reason));
    }
    gold.map_or(Ok(()), |gold| check_gold(gold, votes))
}

/// # Errors
/// Another number of items; a truth that is none of the categories.
pub(super) fn check_gold(gold: &[Option<u32>], votes: &Votes) -> Result<(), SignalError> {
    if gold.len() != votes.items() {
        let (found, expected) = (gold.len(), votes.items());
        return Err(SignalError::Shape { what: "number of given truths", found, expected });
    }
    for (index, truth) in gold.iter().enumerate() {
        if let Some(truth) = truth.filter(|truth| *truth as usize >= votes.categories()) {
            return Err(SignalError::Value {
                what: "given truth of item",
                index,
                found: f64::from(truth),
                expected: "the number of a category of the votes",
            });
        }
    }
    Ok(())
}

/// The rater of each column.
fn columns(votes: &Votes, search: &Search) -> Result<Vec<u32>, SignalError> {
    let Some(columns) = &search.columns else { return Ok((0..votes.raters() as u32).collect()) };
    if columns.len() != votes.raters() {
        let (found, expected) = (columns.len(), votes.raters());
        return Err(SignalError::Shape { what: "number of columns with a rater", found, expected });
    }
    if let Some(index) = columns.iter().position(|&rater| rater as usize >= columns.len()) {
        return Err(SignalError::Value {
            what: "rater of column",
            index,
            found: f64::from(columns[index]),
            expected: "a number below that of the columns",
        });
    }
    Ok(columns.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use superalign_core::{Seed, below};

    fn random(items: usize, raters: usize, k: usize, missing: usize) -> Votes {
        let mut rng = Seed::new(5).rng();
        let table = Array2::from_shape_simple_fn((items, raters), || {
            if below(&mut rng, 10) < missing { -1 } else { below(&mut rng, k) as i64 }
        });
        Votes::dense(table.view()).unwrap()
    }

    #[test]
    fn every_item_keeps_its_votes() {
        for (items, raters, k, missing) in [(4000, 7, 3, 2), (50, 30, 2, 8), (9, 1, 4, 0), (3000, 10, 4, 0)] {
            let votes = random(items, raters, k, missing);
            let found = Patterns::new(&votes, None, &Search::default()).unwrap();
            assert_eq!(
                found.weight.iter().sum::<f64>() as usize,
                found.distinct.iter().filter(|d| **d != UNKNOWN).count()
            );
            for item in 0..items {
                let expected: Vec<_> = votes.of_item(item).collect();
                let distinct = found.distinct[item];
                if distinct == UNKNOWN {
                    assert!(expected.is_empty());
                } else {
                    let kept: Vec<_> =
                        found.votes_of(distinct as usize).map(|row| found.base[row as usize]).collect();
                    assert_eq!(kept, expected);
                }
            }
        }
    }

    #[test]
    fn blocks_shorten_the_items_where_votes_are_many() {
        let votes = random(3000, 10, 4, 0);
        let found = Patterns::new(&votes, None, &Search::default()).unwrap();
        assert_eq!(found.items.row(0).len(), 3);
        assert!(found.members.len() <= 625 + 125 + 125);
        // Few votes of many raters: blocks would save nothing.
        let sparse = random(300, 200, 2, 9);
        let found = Patterns::new(&sparse, None, &Search::default()).unwrap();
        assert_eq!(found.members.len(), found.base.len());
    }

    #[test]
    fn few_patterns_are_merged() {
        let found = Patterns::new(&random(3000, 3, 2, 0), None, &Search::default()).unwrap();
        assert_eq!((found.len(), found.weight.iter().sum::<f64>()), (8, 3000.0));
    }
}
