//! Overlap of two texts (ROUGE-N, ROUGE-L), and its mean over all pairs of a corpus.

use super::{Boundary, Corpus, Ngrams, influence};
use crate::{Bootstrap, Estimate, SignalError};

/// How much of a text is in another, and the reverse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overlap {
    /// Share of the text that is in the reference, in [0, 1].
    pub precision: f64,
    /// Share of the reference that is in the text, in [0, 1].
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
}

impl Overlap {
    /// All 0 where either has no part, as in the package rouge-score.
    fn new(common: usize, text: usize, reference: usize) -> Self {
        if text == 0 || reference == 0 {
            return Self { precision: 0.0, recall: 0.0, f1: 0.0 };
        }
        let share = |of: usize| common as f64 / of as f64;
        Self { precision: share(text), recall: share(reference), f1: f1(common, text, reference) }
    }
}

/// 2 common / (text + reference), the harmonic mean of precision and recall.
fn f1(common: usize, text: usize, reference: usize) -> f64 {
    if common == 0 { 0.0 } else { 2.0 * common as f64 / (text + reference) as f64 }
}

/// ROUGE-N: the n-grams that two texts have in common, each as often as in the text that has fewer of it.
///
/// Lin 2004. All three values are 0 where one of the texts has no n-gram, as in the package rouge-score, of which
/// [`Tokenizer::Rouge`](super::Tokenizer) is the tokenizer.
///
/// # Errors
/// `n` outside 1 to 255.
///
/// ```
/// use superalign_signal::text::rouge_n;
/// let found = rouge_n(&[1, 2, 3, 4], &[1, 2, 3, 5, 6], 2)?;
/// assert_eq!((found.precision, found.recall), (2.0 / 3.0, 2.0 / 4.0));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn rouge_n(text: &[u32], reference: &[u32], n: usize) -> Result<Overlap, SignalError> {
    let corpus = Corpus::from_ids(&[text, reference])?;
    let ngrams = Ngrams::new(&corpus, n, Boundary::Within)?;
    let mut common = 0;
    ngrams.each(n, |counts| {
        if let &[(_, a), (_, b)] = counts {
            common += a.min(b) as usize;
        }
    });
    let parts = |tokens: &[u32]| (tokens.len() + 1).saturating_sub(n);
    Ok(Overlap::new(common, parts(text), parts(reference)))
}

/// ROUGE-L: the longest common subsequence of two texts, over the length of each.
///
/// Lin 2004, with F1. All three values are 0 where one of the texts is empty, as in the package rouge-score. Takes
/// 64 tokens of the reference in one step (Hyyrö 2004).
///
/// # Errors
/// More than 2^32 - 2 tokens.
///
/// ```
/// use superalign_signal::text::rouge_l;
/// // 1, 3, 4 is common.
/// let found = rouge_l(&[1, 2, 3, 4], &[1, 3, 5, 4, 6], )?;
/// assert_eq!((found.precision, found.recall, found.f1), (3.0 / 4.0, 3.0 / 5.0, 6.0 / 9.0));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn rouge_l(text: &[u32], reference: &[u32]) -> Result<Overlap, SignalError> {
    let corpus = Corpus::from_ids(&[text, reference])?;
    let mut pattern = Pattern::new(corpus.types());
    pattern.set(corpus.text(1));
    Ok(Overlap::new(pattern.common(corpus.text(0)), text.len(), reference.len()))
}

/// Homogenisation: the mean ROUGE-L F1 over all pairs of texts, from 0 (nothing in common) to 1 (all alike).
///
/// Padmakumar & He 2023, as in the package diversity with [`Tokenizer::Rouge`](super::Tokenizer); that package says 1
/// where no pair has anything in common, which is 0 here. Pairs with an empty text count as 0. O(texts^2 tokens / 64).
///
/// # Errors
/// Fewer than two texts.
///
/// ```
/// use superalign_signal::text::{Corpus, Tokenizer, homogenisation};
/// let corpus = Corpus::new(&["a b c", "a c", "d"], Tokenizer::Rouge)?;
/// assert!((homogenisation(&corpus)? - 0.8 / 3.0).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn homogenisation(corpus: &Corpus) -> Result<f64, SignalError> {
    let n = corpus.len();
    if n < 2 {
        return Err(SignalError::TooFew { what: "texts", found: n, expected: 2 });
    }
    let n = n as f64;
    Ok(pair_sums(corpus).iter().sum::<f64>() / (n * (n - 1.0)))
}

/// [`homogenisation`] with its interval over texts.
///
/// A text drawn twice would make a pair of its own with an F1 of 1, so the influence of each text is resampled; see
/// [the module](super).
///
/// # Errors
/// Fewer than three texts; settings of the bootstrap.
///
/// ```
/// use superalign_signal::{Bootstrap, text::{Corpus, Tokenizer, homogenisation_estimate}};
/// use superalign_core::Seed;
/// let texts: Vec<String> = (0..40).map(|i| format!("a {} b {} c", i % 7, i % 5)).collect();
/// let corpus = Corpus::new(&texts, Tokenizer::Rouge)?;
/// let found = homogenisation_estimate(&corpus, &Bootstrap::new(Seed::new(1)))?;
/// assert!(found.lo < found.value && found.value < found.hi);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn homogenisation_estimate(corpus: &Corpus, by: &Bootstrap) -> Result<Estimate, SignalError> {
    influence::pairs(by, "homogenisation", &pair_sums(corpus), 1.0)
}

/// For every text, the sum of the F1 of its pairs.
fn pair_sums(corpus: &Corpus) -> Vec<f64> {
    let mut sums = vec![0.0; corpus.len()];
    let mut pattern = Pattern::new(corpus.types());
    for i in 0..corpus.len() {
        let text = corpus.text(i);
        pattern.set(text);
        for j in i + 1..corpus.len() {
            let other = corpus.text(j);
            let f1 = f1(pattern.common(other), text.len(), other.len());
            sums[i] += f1;
            sums[j] += f1;
        }
    }
    sums
}

/// A text in which subsequences are looked for: where each of its tokens stands, as bits.
struct Pattern {
    /// For every type, the number of its row in `bits`, from 1; 0 where the text does not have it.
    row: Vec<u32>,
    /// `(different tokens + 1, words)`; row 0 is empty.
    bits: Vec<u64>,
    words: usize,
    length: usize,
    here: Vec<u32>,
    /// 0 where the length of the common subsequence grows.
    state: Vec<u64>,
}

impl Pattern {
    fn new(types: usize) -> Self {
        Self {
            row: vec![0; types],
            bits: Vec::new(),
            words: 0,
            length: 0,
            here: Vec::new(),
            state: Vec::new(),
        }
    }

    fn set(&mut self, text: &[u32]) {
        for token in self.here.drain(..) {
            self.row[token as usize] = 0;
        }
        self.words = text.len().div_ceil(64);
        self.length = text.len();
        self.bits.clear();
        self.bits.resize(self.words, 0);
        for (place, &token) in text.iter().enumerate() {
            let row = &mut self.row[token as usize];
            if *row == 0 {
                self.here.push(token);
                *row = self.here.len() as u32;
                self.bits.resize(self.bits.len() + self.words, 0);
            }
            self.bits[*row as usize * self.words + place / 64] |= 1 << (place % 64);
        }
    }

    /// Length of the longest common subsequence.
    fn common(&mut self, other: &[u32]) -> usize {
        if self.words == 1 {
            let state = other.iter().fold(u64::MAX, |state, &token| {
                let found = state & self.bits[self.row[token as usize] as usize];
                state.wrapping_add(found) | (state - found)
            });
            return (!state & (u64::MAX >> (64 - self.length))).count_ones() as usize;
        }
        self.state.clear();
        self.state.resize(self.words, u64::MAX);
        for &token in other {
            let row = self.row[token as usize] as usize;
            if row > 0 {
                let mut carry = false;
                for (state, bits) in self.state.iter_mut().zip(&self.bits[row * self.words..]) {
                    let found = *state & bits;
                    let (sum, over) = state.overflowing_add(found);
                    let (sum, again) = sum.overflowing_add(u64::from(carry));
                    carry = over || again;
                    *state = sum | (*state - found);
                }
            }
        }
        let surplus = self.words * 64 - self.length;
        let zeros: u32 = self.state.iter().map(|state| state.count_zeros()).sum();
        let beyond = self
            .state
            .last()
            .map_or(0, |state| if surplus == 0 { 0 } else { (!state >> (64 - surplus)).count_ones() });
        (zeros - beyond) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use superalign_core::Seed;

    /// Longest common subsequence by the table of its definition.
    fn plain(a: &[u32], b: &[u32]) -> usize {
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..a.len() {
            for j in 0..b.len() {
                table[i + 1][j + 1] =
                    if a[i] == b[j] { table[i][j] + 1 } else { table[i][j + 1].max(table[i + 1][j]) };
            }
        }
        table[a.len()][b.len()]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn the_longest_common_subsequence_is_that_of_the_table(
            a in prop::collection::vec(0_u32..5, 0..200),
            b in prop::collection::vec(0_u32..5, 0..200),
            cut in prop::sample::select(vec![0_usize, 1, 63, 64, 65, 127, 128, 129, 200]),
        ) {
            let a = &a[..cut.min(a.len())];
            let expected = Overlap::new(plain(a, &b), a.len(), b.len());
            prop_assert_eq!(rouge_l(a, &b).unwrap(), expected);
            let turned = rouge_l(&b, a).unwrap();
            prop_assert_eq!((turned.recall, turned.precision), (expected.precision, expected.recall));
        }

        #[test]
        fn homogenisation_is_the_mean_over_pairs(
            texts in prop::collection::vec(prop::collection::vec(0_u32..6, 0..90), 3..8),
        ) {
            let corpus = Corpus::from_ids(&texts).unwrap();
            let mean = |texts: &[Vec<u32>]| {
                let pairs = texts.len() * (texts.len() - 1);
                let all = |a: &Vec<u32>| -> f64 { texts.iter().map(|b| rouge_l(a, b).unwrap().f1).sum() };
                // Less each text with itself, which is 1 unless it is empty.
                let own = texts.iter().filter(|text| !text.is_empty()).count() as f64;
                (texts.iter().map(all).sum::<f64>() - own) / pairs as f64
            };
            let found = homogenisation(&corpus).unwrap();
            prop_assert!((found - mean(&texts)).abs() < 1e-12);
            prop_assert!((0.0..=1.0).contains(&found));
            let by = Bootstrap { draws: 50, ..Bootstrap::new(Seed::new(2)) };
            let without = (0..texts.len()).map(|i| {
                let mut rest = texts.clone();
                rest.remove(i);
                mean(&rest)
            });
            let anew = influence::estimate(&by, "anew", found, without).unwrap();
            let estimate = homogenisation_estimate(&corpus, &by).unwrap();
            prop_assert!((estimate.lo - anew.lo).abs() < 1e-9 && (estimate.hi - anew.hi).abs() < 1e-9);
        }
    }

    #[test]
    fn ngrams_count_as_often_as_both_have_them() {
        let found = rouge_n(&[1, 1, 1, 2], &[1, 1, 3], 1).unwrap();
        assert_eq!((found.precision, found.recall, found.f1), (2.0 / 4.0, 2.0 / 3.0, 4.0 / 7.0));
        let none = Overlap { precision: 0.0, recall: 0.0, f1: 0.0 };
        assert_eq!(rouge_n(&[1], &[1, 2], 2), Ok(none));
        assert_eq!(rouge_l(&[], &[1, 2]), Ok(none));
    }

    #[test]
    fn one_text_has_no_pair() {
        let one = Corpus::from_ids(&[[1_u32]]).unwrap();
        assert_eq!(homogenisation(&one).unwrap_err().to_string(), "1 texts: expected at least 2");
        let by = Bootstrap::new(Seed::new(1));
        assert_eq!(
            homogenisation_estimate(&one, &by).unwrap_err().to_string(),
            "1 texts: expected at least 3"
        );
        assert_eq!(rouge_n(&[1], &[1], 0).unwrap_err().to_string(), "max = 0: expected 1 to 255");
    }
}
