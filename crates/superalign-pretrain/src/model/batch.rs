//! Ragged batches: whole documents, one after another, without padding.

use crate::error::Error;
use crate::model::Shape;

/// Token sequences laid one after another: document `i` is `tokens[ends[i - 1]..ends[i]]`.
///
/// Attention never crosses from one document to another, and positions start at 0 in each.
#[derive(Clone, Copy, Debug)]
pub struct Documents<'a> {
    tokens: &'a [u32],
    ends: &'a [usize],
}

impl<'a> Documents<'a> {
    /// A view of concatenated sequences, whose `ends` are where each one stops.
    ///
    /// # Errors
    /// An empty sequence, one longer than the model's positions, a token outside the vocabulary, ends that do
    /// not rise to the number of tokens.
    pub fn new(tokens: &'a [u32], ends: &'a [usize], shape: &Shape) -> Result<Self, Error> {
        let mut start = 0;
        for (index, &end) in ends.iter().enumerate() {
            if end <= start || end > tokens.len() {
                return Err(Error::Batch(format!(
                    "sequence {index} runs from {start} to {end} in {} tokens: expected at least one token each",
                    tokens.len()
                )));
            }
            if end - start > shape.positions {
                return Err(Error::Batch(format!(
                    "sequence {index} has {} tokens: the model takes at most {}",
                    end - start,
                    shape.positions
                )));
            }
            start = end;
        }
        if start != tokens.len() {
            return Err(Error::Batch(format!(
                "sequences end at {start}, but there are {} tokens",
                tokens.len()
            )));
        }
        if let Some((at, token)) = tokens.iter().enumerate().find(|&(_, &t)| t as usize >= shape.vocabulary) {
            return Err(Error::Batch(format!(
                "token {at} has number {token}: the vocabulary ends at {}",
                shape.vocabulary - 1
            )));
        }
        Ok(Self { tokens, ends })
    }

    /// All tokens.
    #[must_use]
    pub const fn tokens(&self) -> &'a [u32] {
        self.tokens
    }

    /// Where each sequence stops.
    #[must_use]
    pub const fn ends(&self) -> &'a [usize] {
        self.ends
    }

    /// Start and length of every sequence.
    pub fn spans(&self) -> impl Iterator<Item = (usize, usize)> + 'a {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let span = (start, end - start);
            start = end;
            span
        })
    }
}
