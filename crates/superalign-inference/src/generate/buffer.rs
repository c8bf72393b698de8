//! A cache in memory of ours, with room for more: keys or values of one layer, as our own attention reads them.

use super::attend::{BLOCK, key_at};
use super::block::{Pick, Pieces};
use std::sync::{Arc, Mutex, PoisonError};

/// What a buffer holds, which says how it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// `(rows, heads, room / BLOCK * width, BLOCK)`: one dimension of neighbouring tokens side by side.
    Keys,
    /// `(rows, heads, room, width)`.
    Values,
}

/// Memory of buffers that are no longer needed, for the next: fresh memory takes longer to get than to fill. It is never
/// more than what was once needed at the same time.
#[derive(Clone, Debug, Default)]
pub(super) struct Spare(Arc<Mutex<Vec<Vec<f32>>>>);

impl Spare {
    /// So many zeros, in the smallest memory that holds them, else in the largest.
    fn zeros(&self, count: usize) -> Vec<f32> {
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fit = |memory: &Vec<f32>| (memory.capacity() < count, memory.capacity().abs_diff(count));
        let best = spare.iter().map(fit).enumerate().min_by_key(|(_, fit)| *fit);
        let mut memory = best.map(|(at, _)| spare.swap_remove(at)).unwrap_or_default();
        drop(spare);
        memory.clear();
        memory.reserve_exact(count);
        memory.resize(count, 0.0);
        memory
    }

    fn put(&self, memory: Vec<f32>) {
        if memory.capacity() > 0 {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
        }
    }
}

/// Keys or values of some rows.
#[derive(Debug)]
pub(super) struct Buffer {
    side: Side,
    rows: usize,
    heads: usize,
    width: usize,
    /// Tokens that there is room for, a multiple of [`BLOCK`].
    room: usize,
    data: Vec<f32>,
    spare: Spare,
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.spare.put(std::mem::take(&mut self.data));
    }
}

impl Buffer {
    /// One that is empty, with room for so many tokens.
    pub(super) fn new(side: Side, [rows, heads, width]: [usize; 3], tokens: usize, spare: &Spare) -> Self {
        let room = room_for(tokens);
        let data = spare.zeros(rows * heads * width * room);
        Self { side, rows, heads, width, room, data, spare: spare.clone() }
    }

    /// Its shape and what is in it.
    pub(super) fn view(&self) -> ([usize; 4], &[f32]) {
        let Self { rows, heads, width, room, .. } = *self;
        let shape = match self.side {
            Side::Keys => [rows, heads, room / BLOCK * width, BLOCK],
            Side::Values => [rows, heads, room, width],
        };
        (shape, &self.data)
    }

    /// Rows, heads and width.
    pub(super) const fn sizes(&self) -> [usize; 3] {
        [self.rows, self.heads, self.width]
    }

    /// Puts new tokens `(rows, new, heads * width)` behind the first `filled`.
    pub(super) fn append(&mut self, filled: usize, new: &[f32]) -> Result<(), String> {
        let Self { rows, heads, width, .. } = *self;
        let count = new.len() / (rows * heads * width).max(1);
        if new.len() != rows * heads * width * count {
            return Err(format!(
                "{} numbers to keep, expected some for each of {rows} rows, {heads} heads and {width} dimensions",
                new.len()
            ));
        }
        self.reserve(filled + count);
        for (at, new) in new.chunks_exact(width).enumerate() {
            let (row, token, head) = (at / heads / count, filled + at / heads % count, at % heads);
            self.part(row, head).put(token, new);
        }
        Ok(())
    }

    /// Makes room for so many tokens, in the memory that it has where that can be.
    fn reserve(&mut self, tokens: usize) {
        if tokens <= self.room {
            return;
        }
        let Self { rows, heads, width, room, .. } = *self;
        self.room = room_for(tokens);
        let count = rows * heads * width * self.room;
        self.data.reserve_exact(count - self.data.len());
        self.data.resize(count, 0.0);
        // Whole blocks keep their order in a head, and the last head moves first.
        for part in (0..rows * heads).rev() {
            let from = part * room * width;
            self.data.copy_within(from..from + room * width, part * self.room * width);
        }
    }

    /// Picked rows of some buffers, each aligned at the right.
    pub(super) fn gathered(parts: &[&Self], pieces: &Pieces<'_>) -> Result<Self, String> {
        let first = parts.first().ok_or("no cache to copy from")?;
        let sizes = [pieces.picks.len(), first.heads, first.width];
        let mut out = Self::new(first.side, sizes, pieces.columns, &first.spare);
        for (row, (Pick { block, row: from }, kept)) in pieces.picks.iter().zip(pieces.lengths).enumerate() {
            let filled = pieces.filled[*block];
            out.copy(row, pieces.columns - kept, parts[*block], *from, filled - kept..filled);
        }
        Ok(out)
    }

    /// Copies tokens of a row of another buffer to where `first` says.
    fn copy(&mut self, row: usize, first: usize, other: &Self, from: usize, tokens: std::ops::Range<usize>) {
        let Self { heads, width, .. } = *self;
        for head in 0..heads {
            let of = &other.data[(from * heads + head) * other.room * width..][..other.room * width];
            let mut to = self.part(row, head);
            for (place, token) in (first..).zip(tokens.clone()) {
                to.copy(place, of, token);
            }
        }
    }

    fn part(&mut self, row: usize, head: usize) -> Part<'_> {
        let size = self.room * self.width;
        let data = &mut self.data[(row * self.heads + head) * size..][..size];
        Part { side: self.side, width: self.width, data }
    }
}

/// What a buffer holds of one head of a row.
struct Part<'a> {
    side: Side,
    width: usize,
    data: &'a mut [f32],
}

impl Part<'_> {
    fn put(&mut self, token: usize, vector: &[f32]) {
        let width = self.width;
        match self.side {
            Side::Values => self.data[token * width..(token + 1) * width].copy_from_slice(vector),
            Side::Keys => {
                let to = self.data[key_at(token, width)..].iter_mut().step_by(BLOCK);
                to.zip(vector).for_each(|(to, from)| *to = *from);
            }
        }
    }

    /// Puts a token that another part of the same side holds.
    fn copy(&mut self, token: usize, of: &[f32], from: usize) {
        let width = self.width;
        match self.side {
            Side::Values => self.put(token, &of[from * width..(from + 1) * width]),
            Side::Keys => {
                let to = self.data[key_at(token, width)..].iter_mut().step_by(BLOCK);
                to.zip(of[key_at(from, width)..].iter().step_by(BLOCK))
                    .take(width)
                    .for_each(|(to, of)| *to = *of);
            }
        }
    }
}

/// No more than the blocks that are begun, and one at least: what lies between two rows is in the way.
fn room_for(tokens: usize) -> usize {
    tokens.max(1).next_multiple_of(BLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The number of a token's dimension, all different.
    fn number(row: usize, head: usize, token: usize, dimension: usize) -> f32 {
        (((row * 8 + head) * 256 + token) * 8 + dimension) as f32
    }

    fn tokens(rows: usize, heads: usize, width: usize, tokens: std::ops::Range<usize>) -> Vec<f32> {
        let mut out = Vec::new();
        for row in 0..rows {
            for token in tokens.clone() {
                for head in 0..heads {
                    out.extend((0..width).map(|dimension| number(row, head, token, dimension)));
                }
            }
        }
        out
    }

    fn at(buffer: &Buffer, row: usize, head: usize, token: usize, dimension: usize) -> f32 {
        let Buffer { heads, width, room, .. } = *buffer;
        let place = match buffer.side {
            Side::Keys => key_at(token, width) + dimension * BLOCK,
            Side::Values => token * width + dimension,
        };
        buffer.view().1[(row * heads + head) * room * width + place]
    }

    proptest! {
        #[test]
        fn what_is_appended_and_gathered_is_there(
            side in prop::sample::select(vec![Side::Keys, Side::Values]),
            (rows, heads, width) in (1_usize..4, 1_usize..4, 1_usize..8),
            steps in prop::collection::vec(0_usize..40, 1..5),
            picked in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6),
        ) {
            let mut buffer = Buffer::new(side, [rows, heads, width], 0, &Spare::default());
            let mut filled = 0;
            for step in steps {
                buffer.append(filled, &tokens(rows, heads, width, filled..filled + step)).expect("as many as there are");
                filled += step;
            }
            let picks: Vec<Pick> = picked.iter().map(|(row, _)| Pick { block: 0, row: row.index(rows) }).collect();
            let lengths: Vec<usize> = picked.iter().map(|(_, kept)| kept.index(filled + 1)).collect();
            let columns = lengths.iter().copied().max().unwrap_or(0);
            let pieces = Pieces { picks: &picks, lengths: &lengths, columns, filled: &[filled] };
            let gathered = Buffer::gathered(&[&buffer], &pieces).expect("rows that are there");
            for (to, (pick, kept)) in picks.iter().zip(&lengths).enumerate() {
                for head in 0..heads {
                    for token in 0..*kept {
                        for dimension in 0..width {
                            let expected = number(pick.row, head, filled - kept + token, dimension);
                            prop_assert_eq!(at(&gathered, to, head, columns - kept + token, dimension), expected);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn numbers_for_other_rows_are_refused() {
        let mut buffer = Buffer::new(Side::Keys, [2, 1, 3], 0, &Spare::default());
        let said = buffer.append(0, &[0.0; 7]).expect_err("one number too many");
        assert_eq!(said, "7 numbers to keep, expected some for each of 2 rows, 1 heads and 3 dimensions");
    }
}
