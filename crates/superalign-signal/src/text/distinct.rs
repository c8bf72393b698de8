//! How many of the n-grams are different: distinct-n and its kin, entropy of n-grams, self-repetition.

use super::{Ngrams, influence};
use crate::{Bootstrap, Estimate, SignalError};
use std::collections::BTreeMap;

/// Distinct-n: number of different n-grams over number of n-grams, in (0, 1]; 1 where none repeats.
///
/// Over the whole corpus, for one order n (Li et al. 2016). It falls as texts are added, since new texts repeat old
/// n-grams: compare corpora of equal size, or use [`adjusted_distinct_n`].
///
/// # Errors
/// No n-gram of that order; `n` above the longest order counted.
///
/// ```
/// use superalign_signal::text::{Boundary, Corpus, Ngrams, Tokenizer, distinct_n};
/// let corpus = Corpus::new(&["a b a b", "a b c"], Tokenizer::WhiteSpace)?;
/// let ngrams = Ngrams::new(&corpus, 2, Boundary::Within)?;
/// assert_eq!(distinct_n(&ngrams, 2)?, 3.0 / 5.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn distinct_n(ngrams: &Ngrams, n: usize) -> Result<f64, SignalError> {
    Ok(ngrams.distinct(n)? as f64 / some(ngrams, n)? as f64)
}

/// [`distinct_n`] with its interval over texts.
///
/// Texts drawn twice would repeat all their n-grams, so the influence of each text is resampled in their place; see
/// [the module](super).
///
/// # Errors
/// As [`distinct_n`]; fewer than two texts; one text that holds all n-grams; settings of the bootstrap.
///
/// ```
/// use superalign_signal::{Bootstrap, text::{Boundary, Corpus, Ngrams, Tokenizer, distinct_n_estimate}};
/// use superalign_core::Seed;
/// let texts: Vec<String> = (0..200).map(|i| format!("{} {} {}", i % 7, i % 11, i % 13)).collect();
/// let ngrams = Ngrams::new(&Corpus::new(&texts, Tokenizer::WhiteSpace)?, 2, Boundary::Within)?;
/// let found = distinct_n_estimate(&ngrams, 2, &Bootstrap::new(Seed::new(1)))?;
/// assert!(found.lo < found.value && found.value < found.hi && found.hi - found.lo < 0.1);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn distinct_n_estimate(ngrams: &Ngrams, n: usize, by: &Bootstrap) -> Result<Estimate, SignalError> {
    let value = distinct_n(ngrams, n)?;
    let mut only = vec![0_u32; ngrams.texts()];
    ngrams.each(n, |counts| {
        if let &[(text, _)] = counts {
            only[text as usize] += 1;
        }
    });
    let (distinct, total) = (ngrams.distinct(n)?, ngrams.total(n)?);
    let without = only.iter().zip(ngrams.per_text(n)).map(|(&only, held)| {
        // 0 / 0, which is refused, where a text holds all.
        (distinct - only as usize) as f64 / (total - held as usize) as f64
    });
    influence::estimate(by, "distinct-n", value, without)
}

/// The sum of [`distinct_n`] over the orders 1 to `max`, in (0, max]; `max` is that of the n-grams.
///
/// "N-gram diversity" of Meister et al. 2022 and Padmakumar & He 2023; the package diversity takes it over
/// [`Tokenizer::Spaces`](super::Tokenizer) and [`Boundary::Across`](super::Boundary).
///
/// # Errors
/// An order without n-grams.
///
/// ```
/// use superalign_signal::text::{Boundary, Corpus, Ngrams, Tokenizer, distinct_sum};
/// let corpus = Corpus::new(&["a b", "a b"], Tokenizer::Spaces)?;
/// assert_eq!(distinct_sum(&Ngrams::new(&corpus, 2, Boundary::Across)?)?, 2.0 / 4.0 + 2.0 / 3.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn distinct_sum(ngrams: &Ngrams) -> Result<f64, SignalError> {
    (1..=ngrams.max()).map(|n| distinct_n(ngrams, n)).sum()
}

/// The mean over texts of each text's own distinct-n, in (0, 1]: repetition within texts, blind to that among them.
///
/// Texts shorter than n tokens have no n-gram and are left out of the mean.
///
/// # Errors
/// No n-gram of that order; `n` above the longest order counted.
///
/// ```
/// use superalign_signal::text::{Boundary, Corpus, Ngrams, Tokenizer, mean_distinct_n};
/// let corpus = Corpus::new(&["a b a b", "a b a b", ""], Tokenizer::WhiteSpace)?;
/// let ngrams = Ngrams::new(&corpus, 1, Boundary::Within)?;
/// assert_eq!(mean_distinct_n(&ngrams, 1)?, 0.5);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn mean_distinct_n(ngrams: &Ngrams, n: usize) -> Result<f64, SignalError> {
    let shares = shares(ngrams, n)?;
    Ok(shares.iter().sum::<f64>() / shares.len() as f64)
}

/// [`mean_distinct_n`] with its interval over the texts that have an n-gram.
///
/// # Errors
/// As [`mean_distinct_n`]; fewer than two texts with an n-gram; settings of the bootstrap.
///
/// ```
/// use superalign_signal::{Bootstrap, text::{Boundary, Corpus, Ngrams, Tokenizer, mean_distinct_n_estimate}};
/// use superalign_core::Seed;
/// let texts: Vec<String> = (0..50).map(|i| format!("{} {} {}", i % 3, i % 5, i % 4)).collect();
/// let ngrams = Ngrams::new(&Corpus::new(&texts, Tokenizer::WhiteSpace)?, 1, Boundary::Within)?;
/// let found = mean_distinct_n_estimate(&ngrams, 1, &Bootstrap::new(Seed::new(1)))?;
/// assert!(found.lo < found.value && found.value < found.hi);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn mean_distinct_n_estimate(ngrams: &Ngrams, n: usize, by: &Bootstrap) -> Result<Estimate, SignalError> {
    let shares = shares(ngrams, n)?;
    let sum: f64 = shares.iter().sum();
    let others = shares.len() as f64 - 1.0;
    let without = shares.iter().map(|share| (sum - share) / others);
    influence::estimate(by, "mean distinct-n", sum / shares.len() as f64, without)
}

/// Distinct n-grams over the number expected if all V words were drawn evenly: d / (V (1 - (1 - 1/V)^c)), with d
/// different n-grams among c. Above 0; it does not fall with the size of the corpus as [`distinct_n`] does.
///
/// Liu et al. 2022 (expectation-adjusted distinct). `vocabulary` is V, the same for all corpora to be compared, such
/// as the size of a model's vocabulary; for n above 1 the paper takes V as it is too.
///
/// # Errors
/// No n-gram of that order; a vocabulary that is not at least 1 and finite.
///
/// ```
/// use superalign_signal::text::{Boundary, Corpus, Ngrams, Tokenizer, adjusted_distinct_n};
/// let corpus = Corpus::new(&["a b a"], Tokenizer::WhiteSpace)?;
/// let ngrams = Ngrams::new(&corpus, 1, Boundary::Within)?;
/// // Three draws from two words show 2 (1 - 1/8) = 1.75 of them on average.
/// assert!((adjusted_distinct_n(&ngrams, 1, 2.0)? - 2.0 / 1.75).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn adjusted_distinct_n(ngrams: &Ngrams, n: usize, vocabulary: f64) -> Result<f64, SignalError> {
    if !(vocabulary >= 1.0 && vocabulary.is_finite()) {
        return Err(SignalError::setting("vocabulary", vocabulary, "a finite number of at least 1"));
    }
    let total = some(ngrams, n)? as f64;
    // 1 - (1 - 1/V)^c without cancellation where V is far above c.
    let expected = -vocabulary * (total * (-1.0 / vocabulary).ln_1p()).exp_m1();
    Ok(ngrams.distinct(n)? as f64 / expected)
}

/// The Shannon entropy of the n-grams of the corpus, -sum p ln p in nats, from 0 (one n-gram) to ln of their number.
///
/// The plug-in estimate from the shares p of the n-grams (Zhang et al. 2018, Ent-n); too low for small corpora.
///
/// # Errors
/// No n-gram of that order; `n` above the longest order counted.
///
/// ```
/// use superalign_signal::text::{Boundary, Corpus, Ngrams, Tokenizer, ngram_entropy};
/// let corpus = Corpus::new(&["a b", "b a"], Tokenizer::WhiteSpace)?;
/// let ngrams = Ngrams::new(&corpus, 1, Boundary::Within)?;
/// assert!((ngram_entropy(&ngrams, 1)? - 2_f64.ln()).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn ngram_entropy(ngrams: &Ngrams, n: usize) -> Result<f64, SignalError> {
    let total = some(ngrams, n)? as f64;
    Ok(entropy(total, surprise(ngrams, n)))
}

/// [`ngram_entropy`] with its interval over texts.
///
/// Resampled as [`distinct_n_estimate`], and for the same reason.
///
/// # Errors
/// As [`ngram_entropy`]; fewer than two texts; one text that holds all n-grams; settings of the bootstrap.
///
/// ```
/// use superalign_signal::{Bootstrap, text::{Boundary, Corpus, Ngrams, Tokenizer, ngram_entropy_estimate}};
/// use superalign_core::Seed;
/// let texts: Vec<String> = (0..50).map(|i| format!("{} {} {}", i % 3, i % 5, i % 4)).collect();
/// let ngrams = Ngrams::new(&Corpus::new(&texts, Tokenizer::WhiteSpace)?, 1, Boundary::Within)?;
/// let found = ngram_entropy_estimate(&ngrams, 1, &Bootstrap::new(Seed::new(1)))?;
/// assert!(found.lo < found.value && found.value < found.hi);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn ngram_entropy_estimate(ngrams: &Ngrams, n: usize, by: &Bootstrap) -> Result<Estimate, SignalError> {
    let value = ngram_entropy(ngrams, n)?;
    let whole = surprise(ngrams, n);
    // What each text adds to sum c ln c.
    let mut part = vec![0.0; ngrams.texts()];
    ngrams.each(n, |counts| {
        let all: u32 = counts.iter().map(|(_, count)| count).sum();
        for &(text, count) in counts {
            part[text as usize] += x_ln_x(all) - x_ln_x(all - count);
        }
    });
    let total = ngrams.total(n)? as f64;
    let without = part
        .iter()
        .zip(ngrams.per_text(n))
        .map(|(part, held)| entropy(total - f64::from(held), whole - part));
    influence::estimate(by, "n-gram entropy", value, without)
}

/// Self-repetition: the mean over texts of ln(1 + r), with r the sum over the text's different n-grams of how many
/// *other* texts have it. At least 0; 0 where no n-gram is in two texts.
///
/// Salkar et al. 2022, as in the package diversity (n = 4). Texts without an n-gram count as 0. It comes without an
/// interval: one text left out changes the r of all texts that share an n-gram with it.
///
/// # Errors
/// No text; `n` above the longest order counted.
///
/// ```
/// use superalign_signal::text::{Boundary, Corpus, Ngrams, Tokenizer, self_repetition};
/// let corpus = Corpus::new(&["a b c", "a b d", "e f g"], Tokenizer::WhiteSpace)?;
/// let ngrams = Ngrams::new(&corpus, 2, Boundary::Within)?;
/// assert!((self_repetition(&ngrams, 2)? - 2.0 * 2_f64.ln() / 3.0).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn self_repetition(ngrams: &Ngrams, n: usize) -> Result<f64, SignalError> {
    ngrams.total(n)?;
    if ngrams.texts() == 0 {
        return Err(SignalError::TooFew { what: "texts", found: 0, expected: 1 });
    }
    let mut others = vec![0_u64; ngrams.texts()];
    ngrams.each(n, |counts| {
        for &(text, _) in counts {
            others[text as usize] += counts.len() as u64 - 1;
        }
    });
    Ok(others.iter().map(|&r| (r as f64).ln_1p()).sum::<f64>() / ngrams.texts() as f64)
}

/// The number of n-grams, if there are any.
fn some(ngrams: &Ngrams, n: usize) -> Result<usize, SignalError> {
    match ngrams.total(n)? {
        0 => Err(SignalError::TooFew { what: "n-grams of that order", found: 0, expected: 1 }),
        total => Ok(total),
    }
}

/// Distinct-n of every text that has an n-gram.
fn shares(ngrams: &Ngrams, n: usize) -> Result<Vec<f64>, SignalError> {
    some(ngrams, n)?;
    let mut distinct = vec![0_u32; ngrams.texts()];
    ngrams.each(n, |counts| counts.iter().for_each(|&(text, _)| distinct[text as usize] += 1));
    let totals = ngrams.per_text(n);
    Ok(distinct
        .iter()
        .zip(totals)
        .filter(|(_, total)| *total > 0)
        .map(|(&distinct, total)| f64::from(distinct) / f64::from(total))
        .collect())
}

/// Sum of c ln c over the counts c of the n-grams, by rising c, so that the order of the texts leaves no trace.
fn surprise(ngrams: &Ngrams, n: usize) -> f64 {
    let mut small = [0_u32; 256];
    let mut large = BTreeMap::new();
    for run in ngrams.runs(n) {
        match small.get_mut(run.len()) {
            Some(number) => *number += 1,
            None => *large.entry(run.len() as u32).or_insert(0) += 1,
        }
    }
    let small = small.iter().enumerate().map(|(count, &number)| (count as u32, number));
    small.chain(large).map(|(count, number)| f64::from(number) * x_ln_x(count)).sum()
}

/// ln T - (sum c ln c) / T; rounding never makes it negative.
fn entropy(total: f64, surprise: f64) -> f64 {
    let entropy = total.ln() - surprise / total;
    if entropy < 0.0 { 0.0 } else { entropy }
}

fn x_ln_x(count: u32) -> f64 {
    if count == 0 { 0.0 } else { f64::from(count) * f64::from(count).ln() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Boundary, Corpus};
    use proptest::prelude::*;
    use superalign_core::Seed;

    fn ngrams(texts: &[Vec<u32>], max: usize) -> Ngrams {
        Ngrams::new(&Corpus::from_ids(texts).unwrap(), max, Boundary::Within).unwrap()
    }

    fn texts() -> impl Strategy<Value = Vec<Vec<u32>>> {
        prop::collection::vec(prop::collection::vec(0_u32..6, 3..12), 3..12)
    }

    /// The interval that the values without each text in turn, computed anew, would give.
    fn anew(
        texts: &[Vec<u32>],
        by: &Bootstrap,
        metric: impl Fn(&Ngrams) -> Result<f64, SignalError>,
    ) -> Estimate {
        let without = (0..texts.len()).map(|i| {
            let mut rest = texts.to_vec();
            rest.remove(i);
            metric(&ngrams(&rest, 3)).unwrap()
        });
        influence::estimate(by, "anew", metric(&ngrams(texts, 3)).unwrap(), without).unwrap()
    }

    /// Standard error that a narrow normal interval stands for.
    fn width(found: &Estimate) -> f64 {
        found.hi - found.lo
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn neither_the_order_of_texts_nor_the_names_of_tokens_matter(texts in texts(), n in 1_usize..=3) {
            let mut other: Vec<Vec<u32>> = texts
                .iter()
                .map(|text| text.iter().map(|&token| (token * 5 + 2) % 6 + 1000).collect())
                .collect();
            other.rotate_left(1);
            other.reverse();
            let (a, b) = (ngrams(&texts, 3), ngrams(&other, 3));
            prop_assert_eq!(distinct_n(&a, n).unwrap(), distinct_n(&b, n).unwrap());
            prop_assert_eq!(ngram_entropy(&a, n).unwrap(), ngram_entropy(&b, n).unwrap());
            for metric in [mean_distinct_n, self_repetition] {
                prop_assert!((metric(&a, n).unwrap() - metric(&b, n).unwrap()).abs() < 1e-12);
            }
        }

        #[test]
        fn values_are_in_their_ranges(texts in texts(), n in 1_usize..=3) {
            let ngrams = ngrams(&texts, 3);
            let distinct = distinct_n(&ngrams, n).unwrap();
            prop_assert!(distinct > 0.0 && distinct <= 1.0);
            let mean = mean_distinct_n(&ngrams, n).unwrap();
            prop_assert!(mean > 0.0 && mean <= 1.0);
            let whole = Corpus::from_ids(&[texts.concat()]).unwrap();
            let whole = Ngrams::new(&whole, 3, Boundary::Within).unwrap();
            prop_assert_eq!(mean_distinct_n(&whole, n).unwrap(), distinct_n(&whole, n).unwrap());
            let entropy = ngram_entropy(&ngrams, n).unwrap();
            prop_assert!(entropy >= 0.0 && entropy <= (ngrams.distinct(n).unwrap() as f64).ln() + 1e-12);
            // In a vocabulary without end nothing is expected to repeat.
            prop_assert!((adjusted_distinct_n(&ngrams, n, 1e15).unwrap() - distinct).abs() < 1e-9);
        }

        #[test]
        fn leaving_out_a_text_is_counted_exactly(texts in texts(), n in 1_usize..=3) {
            let by = Bootstrap { draws: 100, ..Bootstrap::new(Seed::new(3)) };
            let a = ngrams(&texts, 3);
            for (found, anew) in [
                (distinct_n_estimate(&a, n, &by).unwrap(), anew(&texts, &by, |g| distinct_n(g, n))),
                (ngram_entropy_estimate(&a, n, &by).unwrap(), anew(&texts, &by, |g| ngram_entropy(g, n))),
                (mean_distinct_n_estimate(&a, n, &by).unwrap(), anew(&texts, &by, |g| mean_distinct_n(g, n))),
            ] {
                prop_assert!((found.value - anew.value).abs() < 1e-12);
                prop_assert!((width(&found) - width(&anew)).abs() < 1e-9, "{found} {anew}");
            }
        }
    }

    #[test]
    fn the_interval_covers_what_other_corpora_of_that_size_show() {
        // 100 corpora of 60 texts from one source: the mean of their values lies in most of their intervals.
        let corpus = |seed: u64| -> Vec<Vec<u32>> {
            let mut rng = Seed::new(seed).rng();
            let mut draw = |n: usize| superalign_core::below(&mut rng, n) as u32;
            (0..60).map(|_| (0..8).map(|_| draw(30) * draw(30)).collect()).collect()
        };
        let by = Bootstrap { draws: 300, ..Bootstrap::new(Seed::new(1)) };
        let found: Vec<Estimate> =
            (0..100).map(|seed| distinct_n_estimate(&ngrams(&corpus(seed), 2), 2, &by).unwrap()).collect();
        let mean = found.iter().map(|estimate| estimate.value).sum::<f64>() / 100.0;
        let covered = found.iter().filter(|estimate| estimate.covers(mean)).count();
        assert!((88..=100).contains(&covered), "{covered} of 100");
    }

    #[test]
    fn what_is_undefined_says_why() {
        let none = ngrams(&[vec![], vec![1]], 2);
        for metric in [distinct_n, mean_distinct_n, ngram_entropy] {
            let error = metric(&none, 2).unwrap_err().to_string();
            assert_eq!(error, "0 n-grams of that order: expected at least 1");
        }
        assert_eq!(self_repetition(&none, 2), Ok(0.0));
        let error = self_repetition(&ngrams(&[], 2), 2).unwrap_err().to_string();
        assert_eq!(error, "0 texts: expected at least 1");
        for vocabulary in [0.5, f64::NAN, f64::INFINITY] {
            assert!(matches!(
                adjusted_distinct_n(&none, 1, vocabulary),
                Err(SignalError::Setting { key: "vocabulary", .. })
            ));
        }
        let by = Bootstrap::new(Seed::new(1));
        let error = distinct_n_estimate(&none, 1, &by).unwrap_err().to_string();
        assert_eq!(error, "distinct-n is undefined: it does not exist without text 1");
    }
}
