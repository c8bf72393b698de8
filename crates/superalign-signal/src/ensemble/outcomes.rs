//! Right and wrong answers, packed into bits.

use crate::SignalError;
use ndarray::{ArrayView1, ArrayView2};

/// Words of each source that are compared with those of all others before the next: 2 KiB.
const BLOCK: usize = 256;

/// Which source was right on which item, one bit each.
///
/// ```
/// use superalign_signal::ensemble::Outcomes;
/// let truth = [0, 1, 1];
/// let given = ndarray::array![[0, 1], [1, 1], [0, 1]];
/// let outcomes = Outcomes::of_labels(&truth, given.view())?;
/// assert_eq!((outcomes.items(), outcomes.sources()), (3, 2));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcomes {
    /// Source by source; the bits after the last item are 0.
    words: Vec<u64>,
    items: usize,
    sources: usize,
}

impl Outcomes {
    /// From a table `(items, sources)` of whether the source was right.
    ///
    /// # Errors
    /// No item, no source.
    pub fn new(right: ArrayView2<'_, bool>) -> Result<Self, SignalError> {
        Self::pack(right, |_, &right| right)
    }

    /// From the true label of each item and a table `(items, sources)` of the labels that the sources gave.
    ///
    /// # Errors
    /// As many truths as items there are not; no item, no source.
    pub fn of_labels<T: PartialEq>(truth: &[T], given: ArrayView2<'_, T>) -> Result<Self, SignalError> {
        if truth.len() != given.nrows() {
            let (found, expected) = (truth.len(), given.nrows());
            return Err(SignalError::Shape { what: "number of true labels", found, expected });
        }
        Self::pack(given, |item, given| *given == truth[item])
    }

    fn pack<T>(table: ArrayView2<'_, T>, right: impl Fn(usize, &T) -> bool) -> Result<Self, SignalError> {
        let (items, sources) = table.dim();
        for (what, found) in [("items", items), ("sources", sources)] {
            if found == 0 {
                return Err(SignalError::TooFew { what, found, expected: 1 });
            }
        }
        let length = items.div_ceil(64);
        let mut words = vec![0; length * sources];
        let pack = |column: ArrayView1<'_, T>, words: &mut [u64]| {
            for (item, value) in column.iter().enumerate() {
                words[item / 64] |= u64::from(right(item, value)) << (item % 64);
            }
        };
        if table.strides()[0] == 1 {
            for (column, words) in table.columns().into_iter().zip(words.chunks_exact_mut(length)) {
                pack(column, words);
            }
        } else {
            // By rows, as they lie in memory: one word of each source fills at a time.
            let mut block = vec![0_u64; sources];
            for (item, row) in table.rows().into_iter().enumerate() {
                for (word, value) in block.iter_mut().zip(row) {
                    *word |= u64::from(right(item, value)) << (item % 64);
                }
                if item % 64 == 63 || item + 1 == items {
                    for (source, word) in block.iter_mut().enumerate() {
                        words[source * length + item / 64] = std::mem::take(word);
                    }
                }
            }
        }
        Ok(Self { words, items, sources })
    }

    /// Number of items.
    #[must_use]
    pub const fn items(&self) -> usize {
        self.items
    }

    /// Number of sources.
    #[must_use]
    pub const fn sources(&self) -> usize {
        self.sources
    }

    fn length(&self) -> usize {
        self.items.div_ceil(64)
    }

    fn of_source(&self, source: usize) -> &[u64] {
        &self.words[source * self.length()..][..self.length()]
    }

    /// On how many items both sources were right, for each source and those up to it: `(0, 0), (1, 0), (1, 1), ...`.
    pub(super) fn both_right(&self) -> Vec<u64> {
        let mut found = vec![0; self.sources * (self.sources + 1) / 2];
        let mut start = 0;
        while start < self.length() {
            let end = (start + BLOCK).min(self.length());
            let mut place = 0;
            for second in 0..self.sources {
                let theirs = &self.of_source(second)[start..end];
                for first in 0..=second {
                    let ours = &self.of_source(first)[start..end];
                    let both: u32 = ours.iter().zip(theirs).map(|(a, b)| (a & b).count_ones()).sum();
                    found[place] += u64::from(both);
                    place += 1;
                }
            }
            start = end;
        }
        found
    }

    /// On how many items 0, 1, ... all sources were right.
    pub(super) fn numbers_right(&self) -> Vec<u64> {
        // Each plane holds one binary digit of 64 counts.
        let digits = (usize::BITS - self.sources.leading_zeros()) as usize;
        let mut planes = vec![0_u64; digits];
        let mut found = vec![0; self.sources + 1];
        for word in 0..self.length() {
            planes.fill(0);
            for source in 0..self.sources {
                let mut carry = self.words[source * self.length() + word];
                for plane in &mut planes {
                    let next = *plane & carry;
                    *plane ^= carry;
                    carry = next;
                    if carry == 0 {
                        break;
                    }
                }
            }
            let there = match self.items - word * 64 {
                left @ 0..64 => (1_u64 << left) - 1,
                _ => u64::MAX,
            };
            for (number, found) in found.iter_mut().enumerate() {
                let alike = planes.iter().enumerate().fold(there, |alike, (digit, plane)| {
                    alike & if number >> digit & 1 == 1 { *plane } else { !plane }
                });
                *found += u64::from(alike.count_ones());
            }
        }
        found
    }

    /// The sources that were right on an item, as bits, 64 sources to a word.
    pub(super) fn of_item(&self, item: usize, bits: &mut [u64]) {
        bits.fill(0);
        for source in 0..self.sources {
            let right = self.words[source * self.length() + item / 64] >> (item % 64) & 1;
            bits[source / 64] |= right << (source % 64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use proptest::prelude::*;

    #[test]
    fn tables_that_are_empty_or_do_not_fit_are_refused() {
        let none = Array2::from_elem((0, 3), true);
        assert_eq!(Outcomes::new(none.view()).unwrap_err().to_string(), "0 items: expected at least 1");
        let none = Array2::from_elem((3, 0), true);
        assert_eq!(Outcomes::new(none.view()).unwrap_err().to_string(), "0 sources: expected at least 1");
        let given = Array2::from_elem((3, 2), 1);
        assert_eq!(
            Outcomes::of_labels(&[1], given.view()).unwrap_err().to_string(),
            "number of true labels: found 1, expected 3"
        );
    }

    proptest! {
        #[test]
        fn bits_count_as_the_table_does(
            sources in 1_usize..9,
            bits in prop::collection::vec(any::<bool>(), 1..1500),
        ) {
            let items = bits.len().div_ceil(sources);
            let table = Array2::from_shape_fn((items, sources), |(i, s)| bits[(i * sources + s) % bits.len()]);
            let found = Outcomes::new(table.view()).unwrap();
            // The other layout in memory packs to the same bits.
            let turned = table.t().as_standard_layout().into_owned();
            prop_assert_eq!(&Outcomes::new(turned.t()).unwrap(), &found);
            let mut numbers = vec![0; sources + 1];
            table.rows().into_iter().for_each(|row| numbers[row.iter().filter(|&&right| right).count()] += 1);
            prop_assert_eq!(found.numbers_right(), numbers);
            let mut both = Vec::new();
            for second in 0..sources {
                for first in 0..=second {
                    both.push(table.rows().into_iter().filter(|row| row[first] && row[second]).count() as u64);
                }
            }
            prop_assert_eq!(found.both_right(), both);
            let mut row = [0];
            found.of_item(items - 1, &mut row);
            prop_assert!((0..sources).all(|s| (row[0] >> s & 1 == 1) == table[[items - 1, s]]));
        }
    }
}
