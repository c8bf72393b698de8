//! Texts as numbers: the tokenizers, and a corpus of interned tokens that every text metric reads. No metric here.

use crate::SignalError;
use rustc_hash::FxHashMap;
use std::borrow::Cow;

/// How a text is cut into tokens.
///
/// Equal tokens are equal to the byte after what the variant does to the text; nothing else is normalised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tokenizer {
    /// Runs of anything but white space, as Python's `str.split()`: Unicode white space and U+001C to U+001F.
    #[default]
    WhiteSpace,
    /// What stands between single spaces, as Python's `str.split(" ")`: empty tokens stay, and an empty text has one.
    Spaces,
    /// Lower-cased runs of letters and digits (Unicode's alphabetic and numeric characters).
    Words,
    /// Every character (Unicode scalar value), spaces too.
    Characters,
    /// Lower-cased runs of the ASCII letters and digits, as the package rouge-score without its stemmer.
    Rouge,
    /// As the package lexicalrichness: lower-cased, ASCII digits, hyphens and dashes (U+2013, U+2014) removed, other
    /// ASCII punctuation read as a space, then cut at white space.
    LexicalRichness,
}

/// Texts as lists of token numbers, made once and read by all metrics.
///
/// Tokens are numbered from 0 in the order of their first appearance; a token takes 4 bytes. Texts without a token
/// stay, so that texts keep their places.
///
/// ```
/// use superalign_signal::text::{Corpus, Tokenizer};
/// let corpus = Corpus::new(&["The cat, the Cat.", "the dog"], Tokenizer::Words)?;
/// assert_eq!((corpus.len(), corpus.types()), (2, 3));
/// assert_eq!(corpus.text(0), [0, 1, 0, 1]);
/// assert_eq!(corpus.tokens(), [0, 1, 0, 1, 0, 2]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Corpus {
    tokens: Vec<u32>,
    /// `starts[i]..starts[i + 1]` are the tokens of text i.
    starts: Vec<u32>,
    /// One hash for each type, of what it says: the same in whatever order the texts come.
    hashes: Vec<u64>,
}

impl Corpus {
    /// Cuts the texts into tokens.
    ///
    /// # Errors
    /// More than 2^32 - 2 tokens in all.
    pub fn new<T: AsRef<str>>(texts: &[T], by: Tokenizer) -> Result<Self, SignalError> {
        let mut names = Names::default();
        let mut corpus = Self { tokens: Vec::new(), starts: vec![0], hashes: Vec::new() };
        for text in texts {
            let text = text.as_ref();
            let tokens = &mut corpus.tokens;
            match by {
                Tokenizer::WhiteSpace if text.is_ascii() => {
                    ascii_pieces(text.as_bytes(), |from, to| tokens.push(names.id(text, from, to)));
                }
                Tokenizer::WhiteSpace => {
                    pieces(text, is_space, |from, to| tokens.push(names.id(text, from, to)));
                }
                Tokenizer::Spaces => {
                    let mut from = 0;
                    for piece in text.split(' ') {
                        tokens.push(names.id(text, from, from + piece.len()));
                        from += piece.len() + 1;
                    }
                }
                Tokenizer::Characters => {
                    for (from, c) in text.char_indices() {
                        tokens.push(names.id(text, from, from + c.len_utf8()));
                    }
                }
                Tokenizer::Words => {
                    let text = &lower(text);
                    pieces(text, |c| !c.is_alphanumeric(), |from, to| tokens.push(names.id(text, from, to)));
                }
                Tokenizer::Rouge => {
                    let text = &lower(text);
                    pieces(
                        text,
                        |c| !c.is_ascii_alphanumeric(),
                        |from, to| tokens.push(names.id(text, from, to)),
                    );
                }
                Tokenizer::LexicalRichness => {
                    let text = &lower(text).replace(
                        |c: char| c.is_ascii_digit() || matches!(c, '-' | '\u{2013}' | '\u{2014}'),
                        "",
                    );
                    let cut = |c: char| is_space(c) || c.is_ascii_punctuation();
                    pieces(text, cut, |from, to| tokens.push(names.id(text, from, to)));
                }
            }
            corpus.close()?;
        }
        corpus.hashes = names.hashes;
        Ok(corpus)
    }

    /// From token numbers of another tokenizer (a model's, say), of which only equality matters: they are numbered
    /// anew.
    ///
    /// # Errors
    /// More than 2^32 - 2 tokens in all.
    pub fn from_ids<T: AsRef<[u32]>>(texts: &[T]) -> Result<Self, SignalError> {
        let mut names = FxHashMap::default();
        let mut corpus = Self { tokens: Vec::new(), starts: vec![0], hashes: Vec::new() };
        for text in texts {
            for &token in text.as_ref() {
                let next = names.len() as u32;
                corpus.tokens.push(*names.entry(token).or_insert_with(|| {
                    corpus.hashes.push(hash(&token.to_le_bytes()));
                    next
                }));
            }
            corpus.close()?;
        }
        Ok(corpus)
    }

    /// Ends the text whose tokens were just added.
    fn close(&mut self) -> Result<(), SignalError> {
        match u32::try_from(self.tokens.len()) {
            Ok(end) if end < u32::MAX => {
                self.starts.push(end);
                Ok(())
            }
            _ => Err(SignalError::Shape {
                what: "number of tokens",
                found: self.tokens.len(),
                expected: u32::MAX as usize - 1,
            }),
        }
    }

    /// Number of texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of different tokens.
    #[must_use]
    pub fn types(&self) -> usize {
        self.hashes.len()
    }

    /// The tokens of one text.
    ///
    /// # Panics
    /// If there is no text of that number.
    #[must_use]
    pub fn text(&self, index: usize) -> &[u32] {
        &self.tokens[self.starts[index] as usize..self.starts[index + 1] as usize]
    }

    /// The tokens of all texts, one after the other.
    #[must_use]
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// The tokens of every text.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        (0..self.len()).map(|index| self.text(index))
    }

    pub(super) fn starts(&self) -> &[u32] {
        &self.starts
    }

    pub(super) fn hash_of(&self, token: u32) -> u64 {
        self.hashes[token as usize]
    }
}

/// The numbers of tokens. Those of up to seven bytes, most words, are looked up as one machine word.
#[derive(Default)]
struct Names {
    short: FxHashMap<u64, u32>,
    long: FxHashMap<Box<str>, u32>,
    hashes: Vec<u64>,
}

impl Names {
    /// The number of `text[from..to]`.
    #[inline]
    fn id(&mut self, text: &str, from: usize, to: usize) -> u32 {
        let next = self.hashes.len() as u32;
        let bytes = text.as_bytes();
        let length = to - from;
        if length < 8 {
            let word = match bytes.get(from..from + 8) {
                Some(eight) => {
                    u64::from_le_bytes(eight.try_into().unwrap_or_default()) & !(u64::MAX << (8 * length))
                }
                None => bytes[from..to].iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
            };
            return *self.short.entry(word | (length as u64) << 56).or_insert_with(|| {
                self.hashes.push(hash(&bytes[from..to]));
                next
            });
        }
        let token = &text[from..to];
        if let Some(&id) = self.long.get(token) {
            return id;
        }
        self.hashes.push(hash(token.as_bytes()));
        self.long.insert(token.into(), next);
        next
    }
}

/// Calls `found` with the ends of every run of characters that are not cut away.
#[inline]
fn pieces(text: &str, cut: impl Fn(char) -> bool, mut found: impl FnMut(usize, usize)) {
    let mut from = None;
    for (at, c) in text.char_indices() {
        match (from, cut(c)) {
            (None, false) => from = Some(at),
            (Some(start), true) => {
                found(start, at);
                from = None;
            }
            _ => {}
        }
    }
    if let Some(start) = from {
        found(start, text.len());
    }
}

/// As [`pieces`] for white space among ASCII characters.
#[inline]
fn ascii_pieces(bytes: &[u8], mut found: impl FnMut(usize, usize)) {
    let mut at = 0;
    while at < bytes.len() {
        if is_space(char::from(bytes[at])) {
            at += 1;
            continue;
        }
        let from = at;
        at += 1;
        while at < bytes.len() && !is_space(char::from(bytes[at])) {
            at += 1;
        }
        found(from, at);
    }
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

fn lower(text: &str) -> Cow<'_, str> {
    let ready = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if ready { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
}

/// FNV-1a, and a last mixing of its bits: the same on every machine.
fn hash(bytes: &[u8]) -> u64 {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |h: u64, &b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    mix(hash)
}

/// A bijection of words that spreads every bit (the finaliser of MurmurHash3).
pub(super) fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    word = (word ^ (word >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    word ^ (word >> 33)
}

/// The tokens numbered from 0 by first appearance, and how many different ones there are.
pub(super) fn renumber(tokens: &[u32]) -> (Vec<u32>, usize) {
    let mut names = FxHashMap::default();
    let tokens = tokens
        .iter()
        .map(|&token| {
            let next = names.len() as u32;
            *names.entry(token).or_insert(next)
        })
        .collect();
    (tokens, names.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, by: Tokenizer) -> Vec<u32> {
        Corpus::new(&[text], by).unwrap().tokens
    }

    #[test]
    fn every_tokenizer_cuts_as_it_says() {
        let text = " The the\u{1c}CAFÉ-au 3l\u{2014}a\tthe ";
        // The, the, CAFÉ-au, 3l—a, the
        assert_eq!(cut(text, Tokenizer::WhiteSpace), [0, 1, 2, 3, 1]);
        // "", The, the + U+001C + CAFÉ-au, 3l—a + tab + the, ""
        assert_eq!(cut(text, Tokenizer::Spaces), [0, 1, 2, 3, 0]);
        // the, the, café, au, 3l, a, the
        assert_eq!(cut(text, Tokenizer::Words), [0, 0, 1, 2, 3, 4, 0]);
        // the, the, caf, au, 3l, a, the
        assert_eq!(cut(text, Tokenizer::Rouge), [0, 0, 1, 2, 3, 4, 0]);
        // the, the, caféau, la, the
        assert_eq!(cut(text, Tokenizer::LexicalRichness), [0, 0, 1, 2, 0]);
        assert_eq!(cut("aéa ", Tokenizer::Characters), [0, 1, 0, 2]);
        assert_eq!(cut("", Tokenizer::Spaces), [0]);
        assert!(cut("", Tokenizer::WhiteSpace).is_empty());
    }

    #[test]
    fn tokens_are_told_apart_whatever_their_length() {
        // Around the seven bytes that fit a word, with zero bytes, at the end of the text and before it.
        let tokens = ["a", "a\0", "\0", "aaaaaaa", "aaaaaaa\0", "aaaaaaaa", "aaaaaaab", "aaaaaab"];
        let text = [tokens, tokens].concat().join(" ");
        let expected: Vec<u32> = (0..8).chain(0..8).collect();
        assert_eq!(cut(&text, Tokenizer::WhiteSpace), expected);
        assert_eq!(Corpus::from_ids(&[[7_u32, 9], [9, u32::MAX]]).unwrap().tokens, [0, 1, 1, 2]);
    }
}
