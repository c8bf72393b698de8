//! Exact and near duplicates: which texts say the same, and what share of a corpus they are. How similar sets are
//! found is in similar.

use super::similar::{self, Sets};
use super::{Boundary, Corpus, Ngrams};
use crate::SignalError;
use rustc_hash::FxHashMap;
use superalign_core::Seed;

/// Texts put together in groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clusters {
    /// The number of each text's cluster, from 0 in the order of their first texts; `(texts)`.
    pub of: Vec<u32>,
    /// Number of clusters; a text without a duplicate is one of its own.
    pub count: usize,
}

impl Clusters {
    /// Share of the texts that could go if one of each cluster were kept, (texts - clusters) / texts, in [0, 1).
    #[must_use]
    pub fn redundant_share(&self) -> f64 {
        (self.of.len() - self.count) as f64 / self.of.len() as f64
    }

    /// Share of the texts that have a duplicate, in [0, 1].
    #[must_use]
    pub fn duplicated_share(&self) -> f64 {
        let sizes = self.sizes();
        self.of.iter().filter(|&&cluster| sizes[cluster as usize] > 1).count() as f64 / self.of.len() as f64
    }

    /// Number of texts in each cluster.
    #[must_use]
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.count];
        self.of.iter().for_each(|&cluster| sizes[cluster as usize] += 1);
        sizes
    }

    /// From one name for each text.
    fn new(names: impl Iterator<Item = u32>) -> Self {
        let mut numbers = FxHashMap::default();
        let of = names
            .map(|name| {
                let next = numbers.len() as u32;
                *numbers.entry(name).or_insert(next)
            })
            .collect();
        Self { of, count: numbers.len() }
    }
}

/// Two texts and their similarity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The earlier text.
    pub first: u32,
    /// The later one.
    pub second: u32,
    /// Jaccard similarity of their shingles, in (0, 1].
    pub similarity: f64,
}

/// What [`near_duplicates`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct Duplicates {
    /// The pairs, by rising first and second text. Of texts with equal shingles only the first is compared with others;
    /// the rest stand here with that first one, at similarity 1.
    pub pairs: Vec<Pair>,
    /// Number of pairs of texts at or above the threshold, all those with equal shingles included.
    pub pair_count: u64,
    /// The texts that pairs connect, directly or by way of others.
    pub clusters: Clusters,
}

/// How similar pairs are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Search {
    /// All pairs at or above the threshold, by an index of the rarest shingles of each text (Xiao et al. 2008): quick
    /// for thresholds from about 0.5 up.
    #[default]
    Exact,
    /// Pairs that agree in a band of MinHashes (Broder 1997), each then verified: those reported are exact, but a
    /// pair of similarity s is missed with probability (1 - s^rows)^bands. For large corpora and low thresholds.
    MinHash {
        /// Bands, at least 1.
        bands: usize,
        /// MinHashes in a band, at least 1.
        rows: usize,
        /// Where the hash functions come from.
        seed: Seed,
    },
}

/// When two texts are near duplicates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NearDuplicates {
    /// Tokens in a shingle, 1 to 255. A text with fewer tokens is one shingle.
    pub shingle: usize,
    /// Jaccard similarity at or above which two texts are near duplicates, in (0, 1].
    pub threshold: f64,
    /// How they are looked for.
    pub search: Search,
}

impl Default for NearDuplicates {
    /// Shingles of three tokens, a similarity of 0.8, all pairs.
    fn default() -> Self {
        Self { shingle: 3, threshold: 0.8, search: Search::Exact }
    }
}

/// Groups the texts that have the same tokens in the same order; what counts as the same is up to the tokenizer
/// ([`Tokenizer::Words`](super::Tokenizer::Words) ignores case, punctuation and white space). O(tokens).
///
/// Texts without a token are alike. There is no interval: a text drawn twice is a duplicate by the drawing.
///
/// # Errors
/// No text.
///
/// ```
/// use superalign_signal::text::{Corpus, Tokenizer, exact_duplicates};
/// let corpus = Corpus::new(&["A cat.", "a dog", "a cat"], Tokenizer::Words)?;
/// let found = exact_duplicates(&corpus)?;
/// assert_eq!(found.of, [0, 1, 0]);
/// assert_eq!((found.redundant_share(), found.duplicated_share()), (1.0 / 3.0, 2.0 / 3.0));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn exact_duplicates(corpus: &Corpus) -> Result<Clusters, SignalError> {
    some(corpus)?;
    let mut seen = FxHashMap::default();
    Ok(Clusters::new(corpus.iter().zip(0..).map(|(text, number)| *seen.entry(text).or_insert(number))))
}

/// Finds the pairs of texts whose sets of shingles have a Jaccard similarity |A and B| / |A or B| of at least the
/// threshold, and the clusters that they make.
///
/// Shingles are all runs of `shingle` tokens (Broder 1997), compared as they are, not by a hash. Texts without a token
/// are no duplicate of any. There is no interval: a text drawn twice is a duplicate by the drawing.
///
/// # Errors
/// No text; a shingle, a threshold, bands or rows out of range.
///
/// ```
/// use superalign_signal::text::{Corpus, NearDuplicates, Tokenizer, near_duplicates};
/// let texts = ["the cat sat on the mat today", "the cat sat on the mat now", "a dog ran"];
/// let corpus = Corpus::new(&texts, Tokenizer::Words)?;
/// let found = near_duplicates(&corpus, &NearDuplicates { threshold: 0.6, ..NearDuplicates::default() })?;
/// // Of five shingles each, four are common: 4 / 6.
/// assert_eq!((found.pair_count, found.pairs[0].similarity), (1, 4.0 / 6.0));
/// assert_eq!(found.clusters.of, [0, 0, 1]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn near_duplicates(corpus: &Corpus, by: &NearDuplicates) -> Result<Duplicates, SignalError> {
    if !(by.threshold > 0.0 && by.threshold <= 1.0) {
        return Err(SignalError::setting("threshold", by.threshold, "above 0, at most 1"));
    }
    if !(1..=255).contains(&by.shingle) {
        return Err(SignalError::setting("shingle", by.shingle as f64, "1 to 255"));
    }
    if let Search::MinHash { bands, rows, .. } = by.search {
        for (key, found) in [("bands", bands), ("rows", rows)] {
            if !(1..=1 << 16).contains(&found) {
                return Err(SignalError::setting(key, found as f64, "1 to 65536"));
            }
        }
    }
    some(corpus)?;
    let (shingles, hashes) = shingles(corpus, by.shingle)?;
    // Texts with equal shingles are compared once.
    let mut groups = FxHashMap::default();
    let mut firsts: Vec<(u32, u64)> = Vec::new();
    let mut pairs = Vec::new();
    for (text, set) in (0..).zip(shingles.iter()).filter(|(_, set)| !set.is_empty()) {
        let group = *groups.entry(set).or_insert(firsts.len());
        match firsts.get_mut(group) {
            None => firsts.push((text, 1)),
            Some((first, texts)) => {
                *texts += 1;
                pairs.push(Pair { first: *first, second: text, similarity: 1.0 });
            }
        }
    }
    let distinct = shingles.only(firsts.iter().map(|(text, _)| *text as usize));
    let found = match by.search {
        Search::Exact => similar::exact(&distinct, by.threshold),
        Search::MinHash { bands, rows, seed } => {
            let hash = |shingle: u32| hashes[shingle as usize];
            similar::minhash(&distinct, by.threshold, bands, rows, seed, hash)
        }
    };
    let mut pair_count: u64 = firsts.iter().map(|(_, texts)| texts * (texts - 1) / 2).sum();
    for (a, b, similarity) in found {
        let ((a, texts_a), (b, texts_b)) = (firsts[a as usize], firsts[b as usize]);
        pair_count += texts_a * texts_b;
        pairs.push(Pair { first: a.min(b), second: a.max(b), similarity });
    }
    pairs.sort_unstable_by_key(|pair| (pair.first, pair.second));
    Ok(Duplicates { clusters: connected(corpus.len(), &pairs), pair_count, pairs })
}

fn some(corpus: &Corpus) -> Result<(), SignalError> {
    if corpus.is_empty() {
        return Err(SignalError::TooFew { what: "texts", found: 0, expected: 1 });
    }
    Ok(())
}

/// The set of shingles of every text, and a hash of each shingle's tokens. The rarest shingles have the lowest numbers,
/// and each set is by rising number.
fn shingles(corpus: &Corpus, size: usize) -> Result<(Sets, Vec<u64>), SignalError> {
    let ngrams = Ngrams::new(corpus, size, Boundary::Within)?;
    // For every shingle its tokens, and a range of the texts that have it.
    let mut texts: Vec<u32> = Vec::new();
    let mut found: Vec<(u32, u32, &[u32])> = Vec::new();
    for run in ngrams.runs(size) {
        let start = texts.len();
        let tokens = &corpus.tokens()[run[0] as usize..run[0] as usize + size];
        texts.extend(run.iter().map(|&place| ngrams.owner(place)));
        texts[start..].sort_unstable();
        let mut kept = start;
        for at in start..texts.len() {
            if at == start || texts[at] != texts[kept - 1] {
                texts[kept] = texts[at];
                kept += 1;
            }
        }
        texts.truncate(kept);
        found.push((start as u32, kept as u32, tokens));
    }
    let mut short: FxHashMap<&[u32], Vec<u32>> = FxHashMap::default();
    for (text, tokens) in (0..).zip(corpus.iter()).filter(|(_, tokens)| (1..size).contains(&tokens.len())) {
        short.entry(tokens).or_default().push(text);
    }
    let mut short: Vec<_> = short.into_iter().collect();
    short.sort_unstable();
    for (tokens, holders) in short {
        let start = texts.len() as u32;
        texts.extend(holders);
        found.push((start, texts.len() as u32, tokens));
    }
    let hash = |tokens: &[u32]| {
        tokens.iter().fold(0, |all: u64, &token| {
            super::corpus::mix(all.wrapping_mul(31).wrapping_add(corpus.hash_of(token)))
        })
    };
    found.sort_by_key(|&(start, end, _)| end - start);
    let mut starts = vec![0; corpus.len() + 1];
    texts.iter().for_each(|&text| starts[text as usize + 1] += 1);
    (0..corpus.len()).for_each(|text| starts[text + 1] += starts[text]);
    let mut next = starts.clone();
    let mut members = vec![0; texts.len()];
    for (number, &(start, end, _)) in (0..).zip(&found) {
        for &text in &texts[start as usize..end as usize] {
            members[next[text as usize]] = number;
            next[text as usize] += 1;
        }
    }
    Ok((Sets { members, starts }, found.iter().map(|(_, _, tokens)| hash(tokens)).collect()))
}

/// The clusters that pairs connect.
fn connected(texts: usize, pairs: &[Pair]) -> Clusters {
    let mut parent: Vec<u32> = (0..texts as u32).collect();
    for pair in pairs {
        let (a, b) = (root(&mut parent, pair.first), root(&mut parent, pair.second));
        parent[a.max(b) as usize] = a.min(b);
    }
    Clusters::new((0..texts as u32).map(|text| root(&mut parent, text)))
}

/// The first text of a cluster; every text passed on the way is brought closer to it.
fn root(parent: &mut [u32], mut text: u32) -> u32 {
    while parent[text as usize] != text {
        parent[text as usize] = parent[parent[text as usize] as usize];
        text = parent[text as usize];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    /// All pairs at or above the threshold, compared one by one.
    fn plain(texts: &[Vec<u32>], by: &NearDuplicates) -> Vec<(u32, u32, f64)> {
        let sets: Vec<HashSet<&[u32]>> = texts
            .iter()
            .map(|text| match text.len() {
                0 => HashSet::new(),
                length if length < by.shingle => HashSet::from([&text[..]]),
                _ => text.windows(by.shingle).collect(),
            })
            .collect();
        let mut pairs = Vec::new();
        for b in 0..sets.len() {
            for a in (0..b).filter(|&a| !sets[a].is_empty()) {
                let common = sets[a].intersection(&sets[b]).count();
                let similarity = common as f64 / (sets[a].len() + sets[b].len() - common) as f64;
                if similarity >= by.threshold {
                    pairs.push((a as u32, b as u32, similarity));
                }
            }
        }
        pairs
    }

    fn texts() -> impl Strategy<Value = Vec<Vec<u32>>> {
        // Variations of a few texts, so that many are similar.
        let text = (0_u32..4, 0_usize..14, prop::collection::vec((0_usize..14, 0_u32..30), 0..3));
        prop::collection::vec(text, 1..40).prop_map(|texts| {
            let vary = |(base, length, changes): (u32, usize, Vec<(usize, u32)>)| {
                let mut text: Vec<u32> = (0..length as u32).map(|i| (i * i + base * 3) % 11).collect();
                for (place, token) in changes {
                    text.get_mut(place).into_iter().for_each(|old| *old = token);
                }
                text
            };
            texts.into_iter().map(vary).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn the_pairs_are_those_of_comparing_all(
            texts in texts(),
            shingle in 1_usize..4,
            threshold in prop::sample::select(vec![0.1, 0.3, 0.5, 2.0 / 3.0, 0.75, 0.8, 1.0]),
        ) {
            let by = NearDuplicates { shingle, threshold, search: Search::Exact };
            let found = near_duplicates(&Corpus::from_ids(&texts).unwrap(), &by).unwrap();
            let expected = plain(&texts, &by);
            prop_assert_eq!(found.pair_count as usize, expected.len());
            // Every pair listed is one of them, every one of them is listed or follows from equal shingles.
            for pair in &found.pairs {
                prop_assert!(expected.contains(&(pair.first, pair.second, pair.similarity)));
            }
            let all: Vec<Pair> = expected
                .iter()
                .map(|&(first, second, similarity)| Pair { first, second, similarity })
                .collect();
            prop_assert_eq!(&found.clusters, &connected(texts.len(), &all));

            let search = Search::MinHash { bands: 4, rows: 2, seed: Seed::new(9) };
            let some = near_duplicates(&Corpus::from_ids(&texts).unwrap(), &NearDuplicates { search, ..by }).unwrap();
            prop_assert!(some.pairs.iter().all(|pair| found.pairs.contains(pair)));
        }

        #[test]
        fn neither_the_order_of_texts_nor_the_names_of_tokens_matter(texts in texts()) {
            let mut other: Vec<Vec<u32>> =
                texts.iter().map(|text| text.iter().map(|token| 99 - token).collect()).collect();
            other.reverse();
            let (a, b) = (Corpus::from_ids(&texts).unwrap(), Corpus::from_ids(&other).unwrap());
            let by = NearDuplicates { threshold: 0.5, ..NearDuplicates::default() };
            let (found_a, found_b) = (near_duplicates(&a, &by).unwrap(), near_duplicates(&b, &by).unwrap());
            prop_assert_eq!(found_a.pair_count, found_b.pair_count);
            prop_assert_eq!(found_a.clusters.redundant_share(), found_b.clusters.redundant_share());
            let (exact_a, exact_b) = (exact_duplicates(&a).unwrap(), exact_duplicates(&b).unwrap());
            prop_assert_eq!(exact_a.duplicated_share(), exact_b.duplicated_share());
            prop_assert!(exact_a.count >= found_a.clusters.count || texts.iter().any(Vec::is_empty));
        }
    }

    #[test]
    fn minhash_misses_as_rarely_as_it_says() {
        // 400 pairs of similarity 20/28 = 0.714: a pair is missed with probability (1 - 0.714^4)^16 = 0.8%.
        let texts: Vec<Vec<u32>> = (0..400_u32)
            .flat_map(|pair| {
                let text = |own: u32| {
                    let common = (0..20).map(move |i| pair * 100 + i);
                    common.chain((0..4).map(move |i| pair * 100 + own + i)).collect()
                };
                [text(50), text(60)]
            })
            .collect();
        let corpus = Corpus::from_ids(&texts).unwrap();
        let search = Search::MinHash { bands: 16, rows: 4, seed: Seed::new(2) };
        let found = near_duplicates(&corpus, &NearDuplicates { shingle: 1, threshold: 0.7, search }).unwrap();
        assert!(
            found.pairs.iter().all(|pair| pair.similarity == 20.0 / 28.0 && pair.first + 1 == pair.second)
        );
        assert!((385..=400).contains(&found.pair_count), "{}", found.pair_count);
        // One hash for each text, of which few agree: 0.714 of the pairs.
        let search = Search::MinHash { bands: 1, rows: 1, seed: Seed::new(2) };
        let found = near_duplicates(&corpus, &NearDuplicates { shingle: 1, threshold: 0.7, search }).unwrap();
        assert!((246..=326).contains(&found.pair_count), "{}", found.pair_count);
    }

    #[test]
    fn what_is_out_of_range_says_so() {
        let corpus = Corpus::from_ids(&[[1_u32]]).unwrap();
        let error = |by: NearDuplicates| near_duplicates(&corpus, &by).unwrap_err().to_string();
        let by = NearDuplicates::default();
        for threshold in [0.0, 1.1, f64::NAN] {
            let expected = format!("threshold = {threshold}: expected above 0, at most 1");
            assert_eq!(error(NearDuplicates { threshold, ..by }), expected);
        }
        assert_eq!(error(NearDuplicates { shingle: 0, ..by }), "shingle = 0: expected 1 to 255");
        let search = |bands, rows| Search::MinHash { bands, rows, seed: Seed::new(1) };
        assert_eq!(error(NearDuplicates { search: search(0, 1), ..by }), "bands = 0: expected 1 to 65536");
        assert_eq!(error(NearDuplicates { search: search(1, 0), ..by }), "rows = 0: expected 1 to 65536");
        let none = Corpus::from_ids::<[u32; 0]>(&[]).unwrap();
        assert_eq!(exact_duplicates(&none).unwrap_err().to_string(), "0 texts: expected at least 1");
        assert_eq!(near_duplicates(&none, &by).unwrap_err().to_string(), "0 texts: expected at least 1");
    }
}
