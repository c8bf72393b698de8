//! Votes: which rater gave which label to which item, with gaps.

use crate::SignalError;
use ndarray::ArrayView2;

/// The greatest label that a table may hold.
const MOST: i64 = 1 << 20;

/// Votes are put in order in blocks of this many.
const BLOCK: usize = 2048;

/// Votes of raters on items; a rater may have left items out, and no rater votes twice on an item.
///
/// Labels are categories `0..categories()`, in the order of the values that were given (numbers as they are, so that
/// ordinal, interval and ratio scales keep their meaning). Stored item by item, 8 bytes a vote.
///
/// ```
/// use superalign_signal::Votes;
/// // Three items, two raters; -1 is no vote.
/// let votes = Votes::dense(ndarray::array![[0_i8, 0], [1, -1], [2, 1]].view())?;
/// assert_eq!((votes.items(), votes.raters(), votes.categories(), votes.len()), (3, 2, 3, 5));
/// assert_eq!(votes.of_item(2).collect::<Vec<_>>(), [(0, 2), (1, 1)]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Votes {
    /// `starts[i]..starts[i + 1]` are the votes on item i, by rising rater.
    starts: Vec<usize>,
    rater: Vec<u32>,
    label: Vec<u32>,
    raters: usize,
    values: Vec<f64>,
}

impl Votes {
    /// From a table `(items, raters)` of whole-numbered labels, in which a negative number is no vote.
    ///
    /// The categories are the labels that occur, in rising order.
    ///
    /// # Errors
    /// A label above 2^20.
    pub fn dense<T: Copy + Into<i64>>(table: ArrayView2<'_, T>) -> Result<Self, SignalError> {
        let table = table.as_standard_layout();
        let cells = table.as_slice().unwrap_or_default();
        let count = cells.iter().filter(|&&label| label.into() >= 0).count();
        let mut votes = Self::with_room(table.nrows(), count, table.ncols(), Vec::new());
        // Every cell is written and only a vote moves the end on: a branch on what is missing would cost more than all
        // else. Bit l of `seen` says that label l occurs, as long as all are below 64, which the bits of `all` tell.
        let (mut seen, mut all) = (0_u64, 0_i64);
        let room = BLOCK + table.ncols();
        let mut block = (vec![0; room], vec![0; room]);
        let mut end = 0;
        for row in cells.chunks_exact(table.ncols().max(1)) {
            if end > BLOCK {
                votes.rater.extend_from_slice(&block.0[..end]);
                votes.label.extend_from_slice(&block.1[..end]);
                end = 0;
            }
            let (raters, labels) = (&mut block.0[end..end + row.len()], &mut block.1[end..end + row.len()]);
            let mut mine = 0;
            for (rater, &label) in row.iter().enumerate() {
                let label: i64 = label.into();
                let vote = !(label >> 63);
                raters[mine] = rater as u32;
                labels[mine] = label as u32;
                mine += (vote & 1) as usize;
                seen |= (vote as u64 & 1) << (label & 63);
                all |= label & vote;
            }
            end += mine;
            votes.starts.push(votes.label.len() + end);
        }
        votes.starts.resize(table.nrows() + 1, 0);
        votes.rater.extend_from_slice(&block.0[..end]);
        votes.label.extend_from_slice(&block.1[..end]);
        let seen: Vec<bool> = if all < 64 {
            (0..64).map(|label| seen >> label & 1 == 1).collect()
        } else {
            votes.see(cells)?
        };
        votes.values = (0..seen.len()).filter(|&label| seen[label]).map(|label| label as f64).collect();
        if votes.values.last().is_some_and(|&last| last as usize >= votes.values.len()) {
            let mut categories = vec![0; seen.len()];
            votes.values.iter().zip(0..).for_each(|(&label, category)| categories[label as usize] = category);
            votes.label.iter_mut().for_each(|label| *label = categories[*label as usize]);
        }
        Ok(votes)
    }

    /// Which labels occur, of those that were taken from these cells.
    fn see<T: Copy + Into<i64>>(&self, cells: &[T]) -> Result<Vec<bool>, SignalError> {
        if let Some(index) = cells.iter().position(|&label| label.into() > MOST) {
            let found = cells[index].into() as f64;
            return Err(SignalError::Value { what: "label", index, found, expected: "at most 2^20" });
        }
        let mut seen = vec![false; MOST as usize + 1];
        self.label.iter().for_each(|&label| seen[label as usize] = true);
        Ok(seen)
    }

    /// From a table `(items, raters)` of numbers, in which NaN is no vote.
    ///
    /// The categories are the numbers that occur, in rising order; negative numbers count like others.
    ///
    /// # Errors
    /// An infinite number.
    pub fn numbers(table: ArrayView2<'_, f64>) -> Result<Self, SignalError> {
        let mut values = Vec::new();
        for (index, &found) in table.iter().enumerate() {
            if found.is_infinite() {
                return Err(SignalError::Value { what: "rating", index, found, expected: "a finite number" });
            }
            if !found.is_nan() {
                values.push(found);
            }
        }
        let count = values.len();
        let mut votes = Self::with_room(table.nrows(), count, table.ncols(), distinct(values));
        for row in table.rows() {
            for (rater, value) in row.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
                votes.rater.push(rater as u32);
                votes.label.push(category(&votes.values, *value));
            }
            votes.starts.push(votes.label.len());
        }
        Ok(votes)
    }

    /// From one triple per vote: item, rater and label, each list of the same length.
    ///
    /// Items and raters are numbered from 0; those without a vote count as well. The categories are the labels that
    /// occur, in rising order.
    ///
    /// # Errors
    /// Lists of different lengths, a label that is not finite, a second vote of a rater on an item.
    pub fn triples(item: &[u32], rater: &[u32], label: &[f64]) -> Result<Self, SignalError> {
        for (what, found) in [("number of raters' entries", rater.len()), ("number of labels", label.len())] {
            if found != item.len() {
                return Err(SignalError::Shape { what, found, expected: item.len() });
            }
        }
        if let Some(index) = label.iter().position(|label| !label.is_finite()) {
            let found = label[index];
            return Err(SignalError::Value { what: "label", index, found, expected: "a finite number" });
        }
        let count = |numbers: &[u32]| numbers.iter().max().map_or(0, |&last| last as usize + 1);
        let items = count(item);
        // Counting sort by item keeps the order of the list; each item's votes are then sorted by rater.
        let mut starts = vec![0; items + 1];
        item.iter().for_each(|&item| starts[item as usize + 1] += 1);
        (0..items).for_each(|i| starts[i + 1] += starts[i]);
        let mut next = starts.clone();
        let mut order = vec![0_u32; item.len()];
        for (vote, &item) in item.iter().enumerate() {
            order[next[item as usize]] = vote as u32;
            next[item as usize] += 1;
        }
        let values = distinct(label.to_vec());
        let mut votes = Self::with_room(items, item.len(), count(rater), values);
        for ends in starts.windows(2) {
            let mine = &mut order[ends[0]..ends[1]];
            mine.sort_by_key(|&vote| rater[vote as usize]);
            for pair in mine.windows(2) {
                if rater[pair[0] as usize] == rater[pair[1] as usize] {
                    return Err(SignalError::Value {
                        what: "vote",
                        index: pair[1] as usize,
                        found: label[pair[1] as usize],
                        expected: "one vote of a rater on an item; this is the rater's second one",
                    });
                }
            }
            for &vote in &*mine {
                votes.rater.push(rater[vote as usize]);
                votes.label.push(category(&votes.values, label[vote as usize]));
            }
            votes.starts.push(votes.label.len());
        }
        Ok(votes)
    }

    fn with_room(items: usize, votes: usize, raters: usize, values: Vec<f64>) -> Self {
        let mut starts = Vec::with_capacity(items + 1);
        starts.push(0);
        Self { starts, rater: Vec::with_capacity(votes), label: Vec::with_capacity(votes), raters, values }
    }

    /// Number of items, with or without votes.
    #[must_use]
    pub const fn items(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of raters, with or without votes.
    #[must_use]
    pub const fn raters(&self) -> usize {
        self.raters
    }

    /// Number of categories: of distinct labels that occur.
    #[must_use]
    pub const fn categories(&self) -> usize {
        self.values.len()
    }

    /// The value of each category, rising.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Number of votes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.label.len()
    }

    /// Whether there is not one vote.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.label.is_empty()
    }

    /// The categories of the votes on an item, by rising rater.
    ///
    /// # Panics
    /// When there is no such item.
    #[must_use]
    pub fn labels_of_item(&self, item: usize) -> &[u32] {
        &self.label[self.starts[item]..self.starts[item + 1]]
    }

    /// The categories of the votes on these items, one item after the other.
    pub(crate) fn labels_of_items(&self, items: std::ops::Range<usize>) -> &[u32] {
        &self.label[self.starts[items.start]..self.starts[items.end]]
    }

    /// The raters who voted on an item, rising.
    ///
    /// # Panics
    /// When there is no such item.
    #[must_use]
    pub fn raters_of_item(&self, item: usize) -> &[u32] {
        &self.rater[self.starts[item]..self.starts[item + 1]]
    }

    /// The votes on an item as (rater, category), by rising rater.
    ///
    /// # Panics
    /// When there is no such item.
    pub fn of_item(&self, item: usize) -> impl ExactSizeIterator<Item = (u32, u32)> + '_ {
        self.raters_of_item(item).iter().copied().zip(self.labels_of_item(item).iter().copied())
    }
}

/// The distinct numbers, rising; minus zero counts as zero.
fn distinct(mut values: Vec<f64>) -> Vec<f64> {
    values.iter_mut().for_each(|value| *value += 0.0);
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    values
}

fn category(values: &[f64], value: f64) -> u32 {
    values.partition_point(|&v| v < value) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn all_three_ways_in_give_the_same_votes() {
        let dense = Votes::dense(array![[3_i64, 0, -1], [-1, -7, -1], [0, 300, 3]].view()).unwrap();
        let nan = f64::NAN;
        let numbers =
            Votes::numbers(array![[3.0, -0.0, nan], [nan, nan, nan], [0.0, 300.0, 3.0]].view()).unwrap();
        let triples =
            Votes::triples(&[2, 0, 2, 0, 2], &[2, 1, 0, 0, 1], &[3.0, 0.0, 0.0, 3.0, 300.0]).unwrap();
        assert_eq!(dense, numbers);
        assert_eq!(dense, triples);
        assert_eq!(dense.values(), [0.0, 3.0, 300.0]);
        assert_eq!(dense.labels_of_item(1), [0; 0]);
        assert_eq!(dense.of_item(2).collect::<Vec<_>>(), [(0, 0), (1, 2), (2, 1)]);
    }

    #[test]
    fn a_table_of_many_blocks_is_read_like_one_of_numbers() {
        // Labels that are all categories, that leave some out, and that are no bits of a word; also none at all.
        for (labels, step) in [(4, 1), (7, 9), (50, 40), (0, 1)] {
            for (items, raters) in [(3000, 7), (2, 5000), (4, 0), (0, 3)] {
                let label = |(i, j)| ((i * 31 + j * 17 + i * j / 3) % (labels + 2)) as i16 * step - 2 * step;
                let table = ndarray::Array2::from_shape_fn((items, raters), label);
                let numbers = table.mapv(|label| if label < 0 { f64::NAN } else { f64::from(label) });
                let expected = Votes::numbers(numbers.view()).unwrap();
                assert_eq!(Votes::dense(table.view()).unwrap(), expected);
                let by_columns = table.t().as_standard_layout().into_owned();
                assert_eq!(Votes::dense(by_columns.t()).unwrap(), expected);
            }
        }
    }

    #[test]
    fn what_is_no_vote_is_refused_with_its_place() {
        let message = |outcome: Result<Votes, SignalError>| outcome.unwrap_err().to_string();
        assert_eq!(
            message(Votes::triples(&[0, 1, 0], &[4, 0, 4], &[1.0, 2.0, 5.0])),
            "vote 2 is 5: expected one vote of a rater on an item; this is the rater's second one"
        );
        assert_eq!(
            message(Votes::triples(&[0], &[0, 1], &[1.0])),
            "number of raters' entries: found 2, expected 1"
        );
        assert_eq!(
            message(Votes::numbers(array![[1.0, f64::INFINITY]].view())),
            "rating 1 is inf: expected a finite number"
        );
        assert_eq!(
            message(Votes::dense(array![[1_i64 << 40]].view())),
            "label 0 is 1099511627776: expected at most 2^20"
        );
    }
}
