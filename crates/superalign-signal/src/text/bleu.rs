//! BLEU, and self-BLEU: how well each text is put together from the n-grams of the others.

use super::{Boundary, Corpus, Ngrams, influence};
use crate::{Bootstrap, Estimate, SignalError};

/// What becomes of an order of n-grams that has no match, whose precision of 0 would make BLEU 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Smoothing {
    /// Nothing: BLEU is 0 (nltk's method 0, which has the smallest positive number there, about 1e-308).
    None,
    /// It counts as that many matches, usually 0.1 (nltk's method 1, sacrebleu's `floor`).
    Epsilon(f64),
    /// That many, usually 1, is added to matches and total of all orders above 1 (Lin & Och 2004; nltk's method 2,
    /// sacrebleu's `add-k`).
    Add(f64),
    /// The first such order counts 1/2 match, the next 1/4, and so on (NIST; nltk's method 3, sacrebleu's `exp`).
    Exponential,
}

/// What becomes of the orders above the number of tokens of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongOrders {
    /// They have no match among one n-gram, as in nltk.
    #[default]
    Missed,
    /// They are left out, and the weights of the others scaled up (sacrebleu's `effective_order`).
    LeftOut,
}

/// Which BLEU.
#[derive(Clone, Debug, PartialEq)]
pub struct Bleu {
    /// The weight of each order from 1 on; they sum to 1.
    pub weights: Vec<f64>,
    /// For orders without a match.
    pub smoothing: Smoothing,
    /// For texts shorter than an order.
    pub long_orders: LongOrders,
}

impl Bleu {
    /// BLEU-N with even weights and `Epsilon(0.1)`, nltk's method 1, which self-BLEU is usually given.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self {
            weights: vec![1.0 / max as f64; max],
            smoothing: Smoothing::Epsilon(0.1),
            long_orders: LongOrders::Missed,
        }
    }

    fn check(&self) -> Result<(), SignalError> {
        if !(1..=255).contains(&self.weights.len()) {
            return Err(SignalError::setting("number of weights", self.weights.len() as f64, "1 to 255"));
        }
        for (index, &found) in self.weights.iter().enumerate() {
            if !(0.0..=1.0).contains(&found) {
                return Err(SignalError::Value { what: "weight of order", index, found, expected: "0 to 1" });
            }
        }
        let sum: f64 = self.weights.iter().sum();
        if (sum - 1.0).abs() > 1e-6 {
            return Err(SignalError::setting("sum of weights", sum, "1 within 1e-6"));
        }
        if let Smoothing::Epsilon(found) | Smoothing::Add(found) = self.smoothing
            && !(found > 0.0 && found.is_finite())
        {
            return Err(SignalError::setting("smoothing", found, "a finite number above 0"));
        }
        Ok(())
    }

    /// BLEU from the matches of each order: exp(sum w ln p) by the brevity penalty exp(1 - closest / length).
    fn score(&self, matches: &[u32], length: usize, closest: usize) -> f64 {
        if matches[0] == 0 {
            return 0.0;
        }
        let (mut sum, mut weights, mut half) = (0.0, 0.0, 1.0);
        for (n, (&found, weight)) in (1..).zip(matches.iter().zip(&self.weights)) {
            let total = (length + 1).saturating_sub(n);
            if total == 0 && self.long_orders == LongOrders::LeftOut {
                break;
            }
            let (found, total) = (f64::from(found), total.max(1) as f64);
            let precision = match self.smoothing {
                Smoothing::Add(more) if n > 1 => (found + more) / (total + more),
                _ if found > 0.0 => found / total,
                Smoothing::Epsilon(epsilon) => epsilon / total,
                Smoothing::Exponential => {
                    half /= 2.0;
                    half / total
                }
                Smoothing::None | Smoothing::Add(_) => 0.0,
            };
            if *weight > 0.0 {
                sum += weight * precision.ln();
                weights += weight;
            }
        }
        // No order that has a weight is as short as the text.
        if weights == 0.0 {
            return 0.0;
        }
        let scale = if self.long_orders == LongOrders::LeftOut { weights } else { 1.0 };
        let brevity = if length < closest { 1.0 - closest as f64 / length as f64 } else { 0.0 };
        (sum / scale + brevity).exp()
    }
}

impl Default for Bleu {
    /// BLEU-4.
    fn default() -> Self {
        Self::new(4)
    }
}

/// BLEU of one text given its references, from 0 to 1 (Papineni et al. 2002, for one sentence).
///
/// The matches of an n-gram are cut to the largest count in a single reference. The brevity penalty takes the
/// reference whose length is closest, the shorter of two that are as close. Without a common token it is 0 whatever
/// the smoothing, as in nltk and sacrebleu.
///
/// # Errors
/// No reference; weights that are none, negative, or do not sum to 1; smoothing that is not above 0.
///
/// ```
/// use superalign_signal::text::{Bleu, bleu};
/// let found = bleu(&[1, 2, 3, 9], &[&[1, 2, 3, 4], &[5, 6]], &Bleu::new(2))?;
/// assert!((found - (3.0_f64 / 4.0 * 2.0 / 3.0).sqrt()).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn bleu(text: &[u32], references: &[&[u32]], by: &Bleu) -> Result<f64, SignalError> {
    by.check()?;
    if references.is_empty() {
        return Err(SignalError::TooFew { what: "references", found: 0, expected: 1 });
    }
    let texts = [&[text], references].concat();
    // What the other texts score is not asked for: their scores cost less than finding the matches.
    Ok(Matches::new(&Corpus::from_ids(&texts)?, by, None)?.scores(by)[0])
}

/// The BLEU of every text with all the others as references, from 0 to 1; `(texts)`.
///
/// Exact in O(n-grams): of each n-gram only its two largest counts are needed, and which text has the largest. Texts
/// without a token score 0. See [`bleu`] for the conventions.
///
/// # Errors
/// Fewer than two texts; weights or smoothing out of range.
///
/// ```
/// use superalign_signal::text::{Bleu, Corpus, Tokenizer, self_bleu_scores};
/// let corpus = Corpus::new(&["a b c d", "a b c d", "e f g h"], Tokenizer::WhiteSpace)?;
/// assert_eq!(self_bleu_scores(&corpus, &Bleu::default())?, [1.0, 1.0, 0.0]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn self_bleu_scores(corpus: &Corpus, by: &Bleu) -> Result<Vec<f64>, SignalError> {
    Ok(Matches::new(corpus, by, None)?.scores(by))
}

/// Self-BLEU: the mean over texts of their BLEU with all the others as references, from 0 (diverse) to 1 (all alike).
///
/// Zhu et al. 2018 (Texygen), without its subsampling. The more texts, the higher: compare sets of equal size.
///
/// # Errors
/// As [`self_bleu_scores`].
///
/// ```
/// use superalign_signal::text::{Bleu, Corpus, Tokenizer, self_bleu};
/// let corpus = Corpus::new(&["a b c d", "a b c d", "e f g h"], Tokenizer::WhiteSpace)?;
/// assert_eq!(self_bleu(&corpus, &Bleu::default())?, 2.0 / 3.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn self_bleu(corpus: &Corpus, by: &Bleu) -> Result<f64, SignalError> {
    let scores = self_bleu_scores(corpus, by)?;
    Ok(scores.iter().sum::<f64>() / scores.len() as f64)
}

/// [`self_bleu`] with its interval over texts.
///
/// A text drawn twice would be its own reference, so the influence of each text is resampled; see [the
/// module](super). Leaving a text out changes the scores of others only where it alone holds an n-gram's largest
/// count, or is alone in being closest in length: both are listed in O(n-grams).
///
/// # Errors
/// As [`self_bleu_scores`]; fewer than three texts; settings of the bootstrap.
///
/// ```
/// use superalign_signal::{Bootstrap, text::{Bleu, Corpus, Tokenizer, self_bleu_estimate}};
/// use superalign_core::Seed;
/// let texts: Vec<String> = (0..100).map(|i| format!("a {} b {} c", i % 7, i % 11)).collect();
/// let corpus = Corpus::new(&texts, Tokenizer::WhiteSpace)?;
/// let found = self_bleu_estimate(&corpus, &Bleu::new(2), &Bootstrap::new(Seed::new(1)))?;
/// assert!(found.lo <= found.value && found.value <= found.hi);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn self_bleu_estimate(
    corpus: &Corpus,
    by: &Bleu,
    bootstrap: &Bootstrap,
) -> Result<Estimate, SignalError> {
    let n = corpus.len();
    if n < 3 {
        return Err(SignalError::TooFew { what: "texts", found: n, expected: 3 });
    }
    let mut losses = Vec::new();
    let matches = Matches::new(corpus, by, Some(&mut losses))?;
    let scores = matches.scores(by);
    // A text that is alone in being closest in length is listed too, with nothing lost.
    for (text, &length) in matches.lengths.iter().enumerate() {
        if let Some(without) = matches.sizes.alone(text as u32, length) {
            losses.push(Loss { text: text as u32, without, order: 0, count: 0 });
        }
    }
    losses.sort_unstable_by_key(|loss| (loss.text, loss.without));
    let sum: f64 = scores.iter().sum();
    let mut without: Vec<f64> = scores.iter().map(|score| sum - score).collect();
    let mut left = vec![0; by.weights.len()];
    for group in losses.chunk_by(|a, b| (a.text, a.without) == (b.text, b.without)) {
        let (text, other) = (group[0].text as usize, group[0].without as usize);
        left.copy_from_slice(matches.of(text));
        group.iter().for_each(|loss| left[usize::from(loss.order)] -= loss.count);
        let length = matches.lengths[text];
        let closest = matches.sizes.closest(length, Some(matches.lengths[other]));
        without[other] += by.score(&left, length, closest) - scores[text];
    }
    let without = without.into_iter().map(|sum| sum / (n - 1) as f64);
    influence::estimate(bootstrap, "self-BLEU", sum / n as f64, without)
}

/// Self-BLEU pair by pair: the mean of the BLEU of one text with one other as its only reference, over all ordered
/// pairs; from 0 to 1. Unlike [`self_bleu`] it does not rise with the number of texts.
///
/// O(texts^2 + shared n-grams of pairs). Zhu et al. 2018 take all others at once; this is "pairwise BLEU" of Shen et
/// al. 2019.
///
/// # Errors
/// As [`self_bleu_scores`].
///
/// ```
/// use superalign_signal::text::{Bleu, Corpus, Tokenizer, pairwise_bleu};
/// let corpus = Corpus::new(&["a b c d", "a b c d", "e f g h"], Tokenizer::WhiteSpace)?;
/// // Two of the six ordered pairs are alike, the others have nothing in common.
/// assert_eq!(pairwise_bleu(&corpus, &Bleu::default())?, 2.0 / 6.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn pairwise_bleu(corpus: &Corpus, by: &Bleu) -> Result<f64, SignalError> {
    let n = corpus.len() as f64;
    Ok(pair_sums(corpus, by)?.iter().sum::<f64>() / (2.0 * n * (n - 1.0)))
}

/// [`pairwise_bleu`] with its interval over texts, resampled as in [`self_bleu_estimate`].
///
/// # Errors
/// As [`self_bleu_scores`]; fewer than three texts; settings of the bootstrap.
///
/// ```
/// use superalign_signal::{Bootstrap, text::{Bleu, Corpus, Tokenizer, pairwise_bleu_estimate}};
/// use superalign_core::Seed;
/// let texts: Vec<String> = (0..40).map(|i| format!("a {} b {} c", i % 7, i % 11)).collect();
/// let corpus = Corpus::new(&texts, Tokenizer::WhiteSpace)?;
/// let found = pairwise_bleu_estimate(&corpus, &Bleu::new(2), &Bootstrap::new(Seed::new(1)))?;
/// assert!(found.lo <= found.value && found.value <= found.hi);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn pairwise_bleu_estimate(
    corpus: &Corpus,
    by: &Bleu,
    bootstrap: &Bootstrap,
) -> Result<Estimate, SignalError> {
    influence::pairs(bootstrap, "pairwise BLEU", &pair_sums(corpus, by)?, 2.0)
}

/// For every text, the sum of the BLEU of all ordered pairs of which it is one.
fn pair_sums(corpus: &Corpus, by: &Bleu) -> Result<Vec<f64>, SignalError> {
    by.check()?;
    let (n, orders) = (corpus.len(), by.weights.len());
    at_least_two(n)?;
    let ngrams = Ngrams::new(corpus, orders, Boundary::Within)?;
    // The texts of every n-gram that several texts have, and for every text where to find those after it.
    let mut holders: Vec<(u32, u32)> = Vec::new();
    let mut lists: Vec<Vec<(usize, usize, usize, u32)>> = vec![Vec::new(); n];
    for order in 1..=orders {
        ngrams.each(order, |counts| {
            if counts.len() > 1 {
                let start = holders.len();
                holders.extend_from_slice(counts);
                holders[start..].sort_unstable();
                let end = holders.len();
                for (place, &(text, count)) in (start + 1..end).zip(&holders[start..]) {
                    lists[text as usize].push((order - 1, place, end, count));
                }
            }
        });
    }
    let mut sums = vec![0.0; n];
    let mut matches = vec![0; n * orders];
    for (text, list) in lists.iter().enumerate() {
        matches[(text + 1) * orders..].fill(0);
        for &(order, start, end, count) in list {
            for &(other, others) in &holders[start..end] {
                matches[other as usize * orders + order] += count.min(others);
            }
        }
        let length = corpus.text(text).len();
        for other in text + 1..n {
            let matches = &matches[other * orders..(other + 1) * orders];
            if matches[0] > 0 {
                let others = corpus.text(other).len();
                let both = by.score(matches, length, others) + by.score(matches, others, length);
                sums[text] += both;
                sums[other] += both;
            }
        }
    }
    Ok(sums)
}

fn at_least_two(texts: usize) -> Result<(), SignalError> {
    if texts < 2 {
        return Err(SignalError::TooFew { what: "texts", found: texts, expected: 2 });
    }
    Ok(())
}

/// Matches that a text loses if another is left out.
struct Loss {
    text: u32,
    without: u32,
    /// Order of the n-grams, from 0.
    order: u8,
    count: u32,
}

/// The matches of every text with all the others.
struct Matches {
    /// `(texts, orders)`.
    counts: Vec<u32>,
    orders: usize,
    lengths: Vec<usize>,
    sizes: Sizes,
}

impl Matches {
    fn new(corpus: &Corpus, by: &Bleu, mut losses: Option<&mut Vec<Loss>>) -> Result<Self, SignalError> {
        by.check()?;
        at_least_two(corpus.len())?;
        let orders = by.weights.len();
        let ngrams = Ngrams::new(corpus, orders, Boundary::Within)?;
        let mut found = vec![0; corpus.len() * orders];
        for order in 0..orders {
            ngrams.each(order + 1, |counts| {
                // The three largest counts, and whose the first two are.
                let mut top = [(u32::MAX, 0); 3];
                for &(text, count) in counts {
                    if count > top[2].1 {
                        top[2] = (text, count);
                        if count > top[1].1 {
                            top.swap(1, 2);
                        }
                        if count > top[0].1 {
                            top.swap(0, 1);
                        }
                    }
                }
                for &(text, count) in counts {
                    // The largest count of the others, whose it is, and what is left without that one.
                    let others = match text {
                        _ if text == top[0].0 => [top[1], top[2]],
                        _ if text == top[1].0 => [top[0], top[2]],
                        _ => [top[0], top[1]],
                    };
                    let matches = count.min(others[0].1);
                    found[text as usize * orders + order] += matches;
                    if let Some(losses) = losses.as_deref_mut()
                        && matches > others[1].1
                    {
                        let (without, count) = (others[0].0, matches - others[1].1);
                        losses.push(Loss { text, without, order: order as u8, count });
                    }
                }
            });
        }
        let lengths: Vec<usize> = corpus.iter().map(<[u32]>::len).collect();
        Ok(Self { counts: found, orders, sizes: Sizes::new(&lengths), lengths })
    }

    fn of(&self, text: usize) -> &[u32] {
        &self.counts[text * self.orders..(text + 1) * self.orders]
    }

    fn scores(&self, by: &Bleu) -> Vec<f64> {
        self.lengths
            .iter()
            .enumerate()
            .map(|(text, &length)| by.score(self.of(text), length, self.sizes.closest(length, None)))
            .collect()
    }
}

/// The lengths that occur, by rising length, each with how many texts have it and the exclusive or of their numbers.
struct Sizes(Vec<(usize, u32, u32)>);

impl Sizes {
    fn new(lengths: &[usize]) -> Self {
        let mut order: Vec<(usize, u32)> = lengths.iter().copied().zip(0..).collect();
        order.sort_unstable();
        let group = |group: &[(usize, u32)]| {
            (group[0].0, group.len() as u32, group.iter().fold(0, |all, (_, text)| all ^ text))
        };
        Self(order.chunk_by(|a, b| a.0 == b.0).map(group).collect())
    }

    /// Of all texts but one of that length (and one of the length `without`), the closest length: the shorter of two.
    fn closest(&self, length: usize, without: Option<usize>) -> usize {
        let there = |&(size, texts, _): &(usize, u32, u32)| {
            (texts > u32::from(size == length) + u32::from(Some(size) == without)).then_some(size)
        };
        let at = self.0.partition_point(|size| size.0 < length);
        let below = self.0[..at].iter().rev().find_map(there);
        let above = self.0[at..].iter().find_map(there);
        match (below, above) {
            (Some(below), Some(above)) if length - below <= above - length => below,
            (Some(below), None) => below,
            (_, above) => above.unwrap_or(length),
        }
    }

    /// The one other text that has the closest length to this text, if it is only one.
    fn alone(&self, text: u32, length: usize) -> Option<u32> {
        let closest = self.closest(length, None);
        let &(size, texts, numbers) = self.0.get(self.0.partition_point(|size| size.0 < closest))?;
        match texts {
            1 => Some(numbers),
            2 if size == length => Some(numbers ^ text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;
    use superalign_core::Seed;

    const SMOOTHINGS: [Smoothing; 4] =
        [Smoothing::None, Smoothing::Epsilon(0.1), Smoothing::Add(1.0), Smoothing::Exponential];

    /// BLEU as its definition says, one n-gram after the other.
    fn plain(text: &[u32], references: &[&[u32]], by: &Bleu) -> f64 {
        let counts = |tokens: &[u32], n: usize| -> HashMap<Vec<u32>, u32> {
            let mut counts = HashMap::new();
            tokens.windows(n).for_each(|gram| *counts.entry(gram.to_vec()).or_default() += 1);
            counts
        };
        let matches: Vec<u32> = (1..=by.weights.len())
            .map(|n| {
                let references: Vec<_> = references.iter().map(|tokens| counts(tokens, n)).collect();
                let most = |gram| references.iter().filter_map(|counts| counts.get(gram)).max().copied();
                counts(text, n).iter().map(|(gram, &count)| count.min(most(gram).unwrap_or(0))).sum()
            })
            .collect();
        let closest = references.iter().map(|tokens| tokens.len());
        let closest = closest.min_by_key(|&length| (length.abs_diff(text.len()), length)).unwrap();
        by.score(&matches, text.len(), closest)
    }

    fn others(texts: &[Vec<u32>], but: usize) -> Vec<&[u32]> {
        texts.iter().enumerate().filter(|(i, _)| *i != but).map(|(_, text)| &text[..]).collect()
    }

    fn texts() -> impl Strategy<Value = Vec<Vec<u32>>> {
        prop::collection::vec(prop::collection::vec(0_u32..6, 0..9), 3..9)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn every_score_is_that_of_its_definition(
            texts in texts(),
            smoothing in prop::sample::select(SMOOTHINGS.to_vec()),
            long_orders in prop::sample::select(vec![LongOrders::Missed, LongOrders::LeftOut]),
        ) {
            let by = Bleu { smoothing, long_orders, ..Bleu::new(3) };
            let corpus = Corpus::from_ids(&texts).unwrap();
            let n = texts.len();
            let mut pairs = 0.0;
            for (text, found) in self_bleu_scores(&corpus, &by).unwrap().into_iter().enumerate() {
                let others = others(&texts, text);
                prop_assert_eq!(found, plain(&texts[text], &others, &by));
                prop_assert_eq!(found, bleu(&texts[text], &others, &by).unwrap());
                prop_assert!((0.0..=1.0 + 1e-12).contains(&found));
                pairs += others.iter().map(|other| plain(&texts[text], &[other], &by)).sum::<f64>();
            }
            let found = pairwise_bleu(&corpus, &by).unwrap();
            prop_assert!((found - pairs / (n * (n - 1)) as f64).abs() < 1e-12);
        }

        #[test]
        fn leaving_out_a_text_is_counted_exactly(texts in texts(), smoothing in prop::sample::select(SMOOTHINGS.to_vec())) {
            let by = Bleu { smoothing, ..Bleu::new(3) };
            let bootstrap = Bootstrap { draws: 100, ..Bootstrap::new(Seed::new(3)) };
            type Metric = fn(&Corpus, &Bleu) -> Result<f64, SignalError>;
            let metrics: [(Metric, _); 2] = [
                (self_bleu, self_bleu_estimate(&Corpus::from_ids(&texts).unwrap(), &by, &bootstrap)),
                (pairwise_bleu, pairwise_bleu_estimate(&Corpus::from_ids(&texts).unwrap(), &by, &bootstrap)),
            ];
            for (metric, found) in metrics {
                let found = found.unwrap();
                let value = metric(&Corpus::from_ids(&texts).unwrap(), &by).unwrap();
                let without = (0..texts.len()).map(|i| {
                    metric(&Corpus::from_ids(&others(&texts, i)).unwrap(), &by).unwrap()
                });
                let anew = influence::estimate(&bootstrap, "anew", value, without).unwrap();
                for (a, b) in [(found.value, anew.value), (found.lo, anew.lo), (found.hi, anew.hi)] {
                    prop_assert!((a - b).abs() < 1e-9, "{found} {anew}");
                }
            }
        }

        #[test]
        fn neither_the_order_of_texts_nor_the_names_of_tokens_matter(texts in texts()) {
            let mut other: Vec<Vec<u32>> =
                texts.iter().map(|text| text.iter().map(|token| 99 - token).collect()).collect();
            other.reverse();
            let (a, b) = (Corpus::from_ids(&texts).unwrap(), Corpus::from_ids(&other).unwrap());
            for metric in [self_bleu, pairwise_bleu] {
                let by = Bleu::new(4);
                prop_assert!((metric(&a, &by).unwrap() - metric(&b, &by).unwrap()).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn smoothing_fills_the_orders_without_a_match_as_it_says() {
        // Two of three tokens match, none of two pairs, not the triple.
        let score = |smoothing| {
            let by = Bleu { smoothing, ..Bleu::new(3) };
            bleu(&[1, 9, 2], &[&[2, 3, 1]], &by).unwrap().powi(3)
        };
        assert_eq!(score(Smoothing::None), 0.0);
        assert!((score(Smoothing::Epsilon(0.1)) - 2.0 / 3.0 * 0.1 / 2.0 * 0.1).abs() < 1e-12);
        assert!((score(Smoothing::Add(1.0)) - 2.0 / 3.0 * 1.0 / 3.0 * 1.0 / 2.0).abs() < 1e-12);
        assert!((score(Smoothing::Exponential) - 2.0 / 3.0 * 0.5 / 2.0 * 0.25).abs() < 1e-12);
    }

    #[test]
    fn what_is_out_of_range_says_so() {
        let pair: [&[u32]; 2] = [&[1], &[2]];
        let corpus = Corpus::from_ids(&pair).unwrap();
        let error = |by: Bleu| self_bleu(&corpus, &by).unwrap_err().to_string();
        assert_eq!(error(Bleu::new(0)), "number of weights = 0: expected 1 to 255");
        assert_eq!(
            error(Bleu { weights: vec![0.5, 0.4], ..Bleu::new(2) }),
            "sum of weights = 0.9: expected 1 within 1e-6"
        );
        assert_eq!(
            error(Bleu { weights: vec![1.0, f64::NAN], ..Bleu::new(2) }),
            "weight of order 1 is NaN: expected 0 to 1"
        );
        for found in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let by = Bleu { smoothing: Smoothing::Epsilon(found), ..Bleu::new(2) };
            assert_eq!(error(by), format!("smoothing = {found}: expected a finite number above 0"));
        }
        let one = Corpus::from_ids(&[[1_u32]]).unwrap();
        assert_eq!(self_bleu(&one, &Bleu::new(2)).unwrap_err().to_string(), "1 texts: expected at least 2");
        assert_eq!(
            pairwise_bleu(&one, &Bleu::new(2)).unwrap_err().to_string(),
            "1 texts: expected at least 2"
        );
        assert_eq!(
            bleu(&[1], &[], &Bleu::new(2)).unwrap_err().to_string(),
            "0 references: expected at least 1"
        );
        let by = Bootstrap::new(Seed::new(0));
        let error = self_bleu_estimate(&corpus, &Bleu::new(2), &by).unwrap_err().to_string();
        assert_eq!(error, "2 texts: expected at least 3");
    }
}
