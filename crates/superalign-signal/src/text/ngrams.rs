//! All n-grams of a corpus in sorted order, from which every metric of n-grams is counted. No metric here.
//!
//! It is a suffix array that looks no further than the longest order: equal n-grams of *every* order stand next to
//! each other, and one sort serves them all. Nothing is hashed, so nothing can collide.

use super::Corpus;
use crate::SignalError;

/// Whether an n-gram may begin in one text and end in another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Boundary {
    /// No: a text of m tokens has max(m - n + 1, 0) n-grams.
    #[default]
    Within,
    /// Yes, as in the package diversity, which joins the texts first: the whole corpus is one text.
    Across,
}

/// The n-grams of a corpus for all orders from 1 to `max`, counted once and read by the metrics.
///
/// Made in O(tokens) by a radix sort of packed token numbers; keeps 10 bytes a token.
///
/// ```
/// use superalign_signal::text::{Boundary, Corpus, Ngrams, Tokenizer};
/// let corpus = Corpus::new(&["a b a b", "a b c"], Tokenizer::WhiteSpace)?;
/// let ngrams = Ngrams::new(&corpus, 2, Boundary::Within)?;
/// // a b, b a, a b; a b, b c.
/// assert_eq!((ngrams.total(2)?, ngrams.distinct(2)?), (5, 3));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ngrams {
    /// Places of tokens, in the order of the up to `max` tokens that begin there.
    places: Vec<u32>,
    /// With how many tokens each agrees with the one before it.
    shared: Vec<u8>,
    /// How many tokens there are up to the end of the text, at most `max`.
    room: Vec<u8>,
    /// The text of each place.
    owner: Vec<u32>,
    texts: usize,
    total: Vec<usize>,
    distinct: Vec<usize>,
}

impl Ngrams {
    /// Sorts the n-grams of all orders up to `max`.
    ///
    /// # Errors
    /// `max` outside 1 to 255.
    pub fn new(corpus: &Corpus, max: usize, boundary: Boundary) -> Result<Self, SignalError> {
        if !(1..=255).contains(&max) {
            return Err(SignalError::setting("max", max as f64, "1 to 255"));
        }
        let ends = match boundary {
            Boundary::Within => corpus.starts(),
            Boundary::Across => &[0, corpus.tokens().len() as u32],
        };
        let packed = Packed::new(corpus, ends, max);
        let (places, keys) = packed.sorted();
        let (room, shared) = packed.compared(&places, &keys);
        // An n-gram is new where n is above `shared`, and there is one where n is at most `room`: sums of steps.
        let (mut total, mut distinct) = (vec![0; max + 2], vec![0; max + 2]);
        for (&shared, &room) in shared.iter().zip(&room) {
            total[room as usize] += 1;
            distinct[shared as usize + 1] += 1;
            distinct[room as usize + 1] -= 1;
        }
        (1..=max).rev().for_each(|n| total[n] += total[n + 1]);
        (1..=max).for_each(|n| distinct[n] += distinct[n - 1]);
        let mut owner = vec![0; places.len()];
        for (text, ends) in corpus.starts().windows(2).enumerate() {
            owner[ends[0] as usize..ends[1] as usize].fill(text as u32);
        }
        let distinct = distinct.into_iter().map(|count: isize| count as usize).collect();
        Ok(Self { places, shared, room, owner, texts: corpus.len(), total, distinct })
    }

    /// The longest order.
    #[must_use]
    pub fn max(&self) -> usize {
        self.total.len() - 2
    }

    /// Number of texts.
    #[must_use]
    pub fn texts(&self) -> usize {
        self.texts
    }

    /// Number of n-grams of order n.
    ///
    /// # Errors
    /// `n` outside 1 to [`Ngrams::max`].
    pub fn total(&self, n: usize) -> Result<usize, SignalError> {
        self.check(n)?;
        Ok(self.total[n])
    }

    /// Number of different n-grams of order n.
    ///
    /// # Errors
    /// `n` outside 1 to [`Ngrams::max`].
    pub fn distinct(&self, n: usize) -> Result<usize, SignalError> {
        self.check(n)?;
        Ok(self.distinct[n])
    }

    fn check(&self, n: usize) -> Result<(), SignalError> {
        if (1..=self.max()).contains(&n) {
            return Ok(());
        }
        Err(SignalError::setting("n", n as f64, format!("1 to {}, the longest order counted", self.max())))
    }

    /// The places of each n-gram of order n, one n-gram after the other. `n` is in range.
    pub(super) fn runs(&self, n: usize) -> impl Iterator<Item = &[u32]> {
        let mut next = 0;
        std::iter::from_fn(move || {
            while next < self.places.len() && usize::from(self.room[next]) < n {
                next += 1;
            }
            let start = next;
            if start == self.places.len() {
                return None;
            }
            next += 1;
            while next < self.places.len() && usize::from(self.shared[next]) >= n {
                next += 1;
            }
            Some(&self.places[start..next])
        })
    }

    /// The text in which an n-gram begins.
    pub(super) fn owner(&self, place: u32) -> u32 {
        self.owner[place as usize]
    }

    /// The texts in which each n-gram of order n begins, each with how often. `n` is in range.
    pub(super) fn each(&self, n: usize, mut visit: impl FnMut(&[(u32, u32)])) {
        let mut slot = vec![u32::MAX; self.texts];
        let mut counts: Vec<(u32, u32)> = Vec::new();
        for run in self.runs(n) {
            counts.clear();
            for &place in run {
                let text = self.owner(place);
                let at = &mut slot[text as usize];
                if *at == u32::MAX {
                    *at = counts.len() as u32;
                    counts.push((text, 1));
                } else {
                    counts[*at as usize].1 += 1;
                }
            }
            visit(&counts);
            counts.iter().for_each(|&(text, _)| slot[text as usize] = u32::MAX);
        }
    }

    /// How many n-grams of order n each text has.
    pub(super) fn per_text(&self, n: usize) -> Vec<u32> {
        let mut totals = vec![0; self.texts];
        for (&place, _) in self.places.iter().zip(&self.room).filter(|(_, room)| usize::from(**room) >= n) {
            totals[self.owner(place) as usize] += 1;
        }
        totals
    }
}

/// For every place, the tokens that begin there, as many as fit a word, the first one highest: a token is its
/// number plus one, and what lies beyond the text is 0.
struct Packed {
    words: Vec<u64>,
    room: Vec<u8>,
    bits: u32,
    /// Tokens in a word.
    width: usize,
    max: usize,
}

impl Packed {
    fn new(corpus: &Corpus, ends: &[u32], max: usize) -> Self {
        let tokens = corpus.tokens();
        let bits = (corpus.types() as u64 + 1).next_power_of_two().trailing_zeros().max(1);
        let width = max.min(64 / bits as usize);
        let top = bits * (width as u32 - 1);
        let mut words = vec![0; tokens.len()];
        let mut room = vec![0; tokens.len()];
        for ends in ends.windows(2) {
            let mut word = 0;
            let mut left = 0;
            for place in (ends[0] as usize..ends[1] as usize).rev() {
                word = (word >> bits) | (u64::from(tokens[place]) + 1) << top;
                left = max.min(left + 1);
                words[place] = word;
                room[place] = left as u8;
            }
        }
        Self { words, room, bits, width, max }
    }

    /// The places in order, and their first words.
    fn sorted(&self) -> (Vec<u32>, Vec<u64>) {
        let mut places: Vec<u32> = (0..self.words.len() as u32).collect();
        let mut keys = Vec::new();
        // The last tokens first; every round keeps the order of those before it where its own words are equal.
        for chunk in (0..self.max.div_ceil(self.width)).rev() {
            let from = chunk * self.width;
            let kept = (self.max - from).min(self.width);
            let surplus = self.bits * (self.width - kept) as u32;
            keys.clear();
            keys.extend(places.iter().map(|&place| self.word(place, from) >> surplus));
            radix_sort(&mut keys, &mut places, self.bits * kept as u32);
        }
        (places, keys)
    }

    /// The word `from` tokens after a place.
    fn word(&self, place: u32, from: usize) -> u64 {
        if from < usize::from(self.room[place as usize]) { self.words[place as usize + from] } else { 0 }
    }

    /// Of sorted places, how many tokens each has ahead, and with how many it agrees with the one before.
    fn compared(&self, places: &[u32], keys: &[u64]) -> (Vec<u8>, Vec<u8>) {
        // Tokens that lie wholly within the first or the last so many bits of a word: looked up, since `bits` is no
        // constant to divide by.
        let unused = 64 - self.bits * self.width as u32;
        let equal: [u8; 65] =
            std::array::from_fn(|zeros| ((zeros as u32).max(unused) - unused) as u8 / self.bits as u8);
        let empty: [u8; 65] = std::array::from_fn(|zeros| (zeros as u32 / self.bits) as u8);
        let single = self.width == self.max;
        let room: Vec<u8> = if single {
            keys.iter().map(|key| self.width as u8 - empty[key.trailing_zeros() as usize]).collect()
        } else {
            places.iter().map(|&place| self.room[place as usize]).collect()
        };
        let mut shared = vec![0; places.len()];
        for s in 1..places.len() {
            let mut differ = keys[s - 1] ^ keys[s];
            let mut from = 0;
            while differ == 0 && from + self.width < self.max {
                from += self.width;
                differ = self.word(places[s - 1], from) ^ self.word(places[s], from);
            }
            let alike = from + usize::from(equal[differ.leading_zeros() as usize]);
            shared[s] = (alike.min(self.max) as u8).min(room[s - 1]).min(room[s]);
        }
        (room, shared)
    }
}

/// Bits sorted in one pass: no more places are written to in turn than the first cache has lines.
const DIGIT: u32 = 8;

/// Sorts keys of that many bits, and the places with them; equal keys keep their order.
fn radix_sort(keys: &mut Vec<u64>, places: &mut Vec<u32>, bits: u32) {
    if keys.len() < 1 << 11 {
        let mut pairs: Vec<(u64, u32)> = keys.iter().copied().zip(places.iter().copied()).collect();
        pairs.sort_by_key(|pair| pair.0);
        for (place, pair) in pairs.into_iter().enumerate() {
            (keys[place], places[place]) = pair;
        }
        return;
    }
    let passes = bits.div_ceil(DIGIT);
    let digit = bits.div_ceil(passes);
    let mask = (1 << digit) - 1;
    let (mut keys_out, mut places_out) = (vec![0; keys.len()], vec![0; keys.len()]);
    for pass in 0..passes {
        let shift = pass * digit;
        let mut next = vec![0_u32; 1 << digit];
        keys.iter().for_each(|key| next[(key >> shift & mask) as usize] += 1);
        let mut sum = 0;
        for next in &mut next {
            sum += std::mem::replace(next, sum);
        }
        for (&key, &place) in keys.iter().zip(&*places) {
            let to = &mut next[(key >> shift & mask) as usize];
            keys_out[*to as usize] = key;
            places_out[*to as usize] = place;
            *to += 1;
        }
        std::mem::swap(keys, &mut keys_out);
        std::mem::swap(places, &mut places_out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    /// N-grams counted the plain way: how often each text has each.
    fn plain(texts: &[Vec<u32>], n: usize) -> HashMap<Vec<u32>, HashMap<u32, u32>> {
        let mut counts: HashMap<Vec<u32>, HashMap<u32, u32>> = HashMap::new();
        for (text, tokens) in texts.iter().enumerate() {
            for gram in tokens.windows(n) {
                *counts.entry(gram.to_vec()).or_default().entry(text as u32).or_default() += 1;
            }
        }
        counts
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn the_sorted_ngrams_are_those_counted_one_by_one(
            texts in prop::collection::vec(prop::collection::vec(0_u32..7, 0..30), 0..20),
            // Many types make the words hold few tokens, so that several rounds are needed.
            spread in prop::sample::select(vec![1_usize, 300, 5000]),
            copies in prop::sample::select(vec![1_usize, 40]),
        ) {
            let mut texts: Vec<Vec<u32>> = (0..copies).flat_map(|_| texts.clone()).collect();
            texts.push((100..100 + spread as u32).collect());
            let corpus = Corpus::from_ids(&texts).unwrap();
            let ngrams = Ngrams::new(&corpus, 9, Boundary::Within).unwrap();
            for n in [1, 2, 4, 5, 9] {
                let expected = plain(&texts, n);
                prop_assert_eq!(ngrams.distinct(n).unwrap(), expected.len());
                let total: u32 = expected.values().flat_map(|counts| counts.values()).sum();
                prop_assert_eq!(ngrams.total(n).unwrap(), total as usize);
                prop_assert_eq!(ngrams.per_text(n).iter().sum::<u32>(), total);
                let mut found: Vec<Vec<(u32, u32)>> = Vec::new();
                ngrams.each(n, |counts| found.push(counts.to_vec()));
                let mut expected: Vec<Vec<(u32, u32)>> =
                    expected.into_values().map(|counts| counts.into_iter().collect()).collect();
                found.iter_mut().chain(&mut expected).for_each(|counts| counts.sort_unstable());
                found.sort_unstable();
                expected.sort_unstable();
                prop_assert_eq!(found, expected);
            }
        }

        #[test]
        fn across_texts_is_within_the_one_text_that_joins_them(
            texts in prop::collection::vec(prop::collection::vec(0_u32..4, 0..9), 0..9),
        ) {
            let parts = Ngrams::new(&Corpus::from_ids(&texts).unwrap(), 4, Boundary::Across).unwrap();
            let whole = Ngrams::new(&Corpus::from_ids(&[texts.concat()]).unwrap(), 4, Boundary::Within).unwrap();
            for n in 1..=4 {
                prop_assert_eq!(parts.distinct(n).unwrap(), whole.distinct(n).unwrap());
                prop_assert_eq!(parts.total(n).unwrap(), whole.total(n).unwrap());
            }
        }
    }

    #[test]
    fn orders_that_were_not_counted_are_refused() {
        let corpus = Corpus::from_ids(&[[1_u32, 2, 3]]).unwrap();
        let error = |max: usize, n: usize| {
            Ngrams::new(&corpus, max, Boundary::Within).and_then(|n_| n_.distinct(n)).unwrap_err().to_string()
        };
        assert_eq!(error(0, 1), "max = 0: expected 1 to 255");
        assert_eq!(error(256, 1), "max = 256: expected 1 to 255");
        assert_eq!(error(3, 4), "n = 4: expected 1 to 3, the longest order counted");
        assert_eq!(error(3, 0), "n = 0: expected 1 to 3, the longest order counted");
    }
}
