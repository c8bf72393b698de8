//! Lexical richness from counts: what the number of tokens, of types, and how often each occurs, say of a vocabulary.
//! Indices that depend on the order of the tokens are in window.

use super::corpus::renumber;
use crate::SignalError;
use std::collections::BTreeMap;

/// An index of lexical richness of N tokens, V of them different, of which `V_f` occur f times each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Richness {
    /// Type-token ratio, V / N, in (0, 1].
    TypeTokenRatio,
    /// Root type-token ratio of Guiraud 1954, V / sqrt(N).
    Root,
    /// Corrected type-token ratio of Carroll 1964, V / sqrt(2 N).
    Corrected,
    /// Herdan's C (1960), ln V / ln N, in [0, 1]; needs two tokens.
    Herdan,
    /// Summer's S (1966), ln ln V / ln ln N; needs two types and three tokens.
    Summer,
    /// Dugast's U (1978), (ln N)^2 / (ln N - ln V); needs a token that repeats.
    Dugast,
    /// Maas's a^2 (1972), (ln N - ln V) / (ln N)^2; the only one of these that *falls* with richness. Needs two tokens.
    Maas,
    /// Yule's K (1944), 10^4 (sum f^2 `V_f` / N^2 - 1 / N), at least 0: repetition, so it falls with richness.
    YuleK,
    /// Yule's I, V^2 / (sum f^2 `V_f` - V); needs a token that repeats.
    YuleI,
    /// Simpson's D (1949), sum f (f - 1) `V_f` / (N (N - 1)), in [0, 1]: the chance that two tokens are alike. Needs two
    /// tokens.
    SimpsonD,
    /// Herdan's V_m (1955), sqrt(sum (f / N)^2 `V_f` - 1 / V), in [0, 1): spread of the counts.
    HerdanVm,
}

/// An index of lexical richness of a list of tokens: one text, or [`Corpus::tokens`](super::Corpus::tokens) for all.
///
/// All but Yule's and Simpson's depend on the number of tokens: compare equal numbers, or take
/// [`mtld`](super::mtld) or [`mattr`](super::mattr). Formulas as in the package lexicalrichness.
///
/// # Errors
/// No token; where the index divides by 0 (see its variant).
///
/// ```
/// use superalign_signal::text::{Richness, richness};
/// let tokens = [0, 1, 0, 2];
/// assert_eq!(richness(&tokens, Richness::TypeTokenRatio)?, 0.75);
/// assert_eq!(richness(&tokens, Richness::Root)?, 1.5);
/// assert!((richness(&tokens, Richness::SimpsonD)? - 1.0 / 6.0).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn richness(tokens: &[u32], index: Richness) -> Result<f64, SignalError> {
    let Spectrum { tokens, types, counts } = Spectrum::new(tokens)?;
    let (n, v) = (tokens as f64, types as f64);
    let squares: f64 = counts.iter().map(|(&f, &number)| (f as f64).powi(2) * number as f64).sum();
    let need = |holds: bool, name: &'static str, reason: &'static str| {
        if holds { Ok(()) } else { Err(SignalError::undefined(name, reason)) }
    };
    match index {
        Richness::TypeTokenRatio => Ok(v / n),
        Richness::Root => Ok(v / n.sqrt()),
        Richness::Corrected => Ok(v / (2.0 * n).sqrt()),
        Richness::Herdan => {
            need(tokens > 1, "Herdan's C", "there is one token, whose logarithm is 0")?;
            Ok(v.ln() / n.ln())
        }
        Richness::Summer => {
            need(types > 1, "Summer's S", "there is one type, and its logarithm, 0, has none")?;
            need(tokens > 2, "Summer's S", "it needs more than two tokens, as ln ln 2 is negative")?;
            Ok(v.ln().ln() / n.ln().ln())
        }
        Richness::Dugast => {
            need(types < tokens, "Dugast's U", "no token repeats")?;
            Ok(n.ln().powi(2) / (n.ln() - v.ln()))
        }
        Richness::Maas => {
            need(tokens > 1, "Maas's a^2", "there is one token, whose logarithm is 0")?;
            Ok((n.ln() - v.ln()) / n.ln().powi(2))
        }
        Richness::YuleK => Ok(1e4 * (squares - n) / (n * n)),
        Richness::YuleI => {
            need(types < tokens, "Yule's I", "no token repeats")?;
            Ok(v * v / (squares - v))
        }
        Richness::SimpsonD => {
            need(tokens > 1, "Simpson's D", "one token is no pair")?;
            Ok((squares - n) / (n * (n - 1.0)))
        }
        Richness::HerdanVm => Ok((squares / (n * n) - 1.0 / v).max(0.0).sqrt()),
    }
}

/// HD-D: the type-token ratio expected of `draws` tokens taken from the text without putting back, in (0, 1].
///
/// sum over types of (1 - C(N - f, draws) / C(N, draws)) / draws, with N tokens and f of the type (McCarthy & Jarvis
/// 2007, who take 42 draws). Unlike the type-token ratio it does not fall with the length of the text.
///
/// # Errors
/// No draw; fewer tokens than draws.
///
/// ```
/// use superalign_signal::text::hdd;
/// // Of the three pairs two are of different tokens: (2 * 2 + 1) / 3 types on average, over 2.
/// assert!((hdd(&[0, 1, 0], 2)? - 5.0 / 6.0).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn hdd(tokens: &[u32], draws: usize) -> Result<f64, SignalError> {
    if draws == 0 {
        return Err(SignalError::setting("draws", 0.0, "at least 1"));
    }
    let Spectrum { tokens, counts, .. } = Spectrum::new(tokens)?;
    if tokens < draws {
        return Err(SignalError::TooFew { what: "tokens", found: tokens, expected: draws });
    }
    let drawn = |f: usize| {
        // The chance that none of the draws is of the type, by whichever product is shorter.
        let (short, long) = (f.min(draws), f.max(draws));
        1.0 - (0..short)
            .map(|k| tokens.saturating_sub(long + k) as f64 / (tokens - k) as f64)
            .product::<f64>()
    };
    Ok(counts.iter().map(|(&f, &number)| number as f64 * drawn(f)).sum::<f64>() / draws as f64)
}

/// How many types occur how often.
struct Spectrum {
    tokens: usize,
    types: usize,
    counts: BTreeMap<usize, usize>,
}

impl Spectrum {
    fn new(tokens: &[u32]) -> Result<Self, SignalError> {
        if tokens.is_empty() {
            return Err(SignalError::TooFew { what: "tokens", found: 0, expected: 1 });
        }
        let (numbered, types) = renumber(tokens);
        let mut of_type = vec![0; types];
        numbered.iter().for_each(|&token| of_type[token as usize] += 1);
        let mut counts = BTreeMap::new();
        of_type.into_iter().for_each(|count: usize| *counts.entry(count).or_insert(0) += 1);
        Ok(Self { tokens: tokens.len(), types, counts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Richness; 11] = [
        Richness::TypeTokenRatio,
        Richness::Root,
        Richness::Corrected,
        Richness::Herdan,
        Richness::Summer,
        Richness::Dugast,
        Richness::Maas,
        Richness::YuleK,
        Richness::YuleI,
        Richness::SimpsonD,
        Richness::HerdanVm,
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn neither_order_nor_names_matter_and_no_value_is_nan(tokens in prop::collection::vec(0_u32..9, 0..60)) {
            let mut other: Vec<u32> = tokens.iter().map(|token| u32::MAX - token * 7).collect();
            other.reverse();
            for index in ALL {
                let found = richness(&tokens, index);
                prop_assert_eq!(&found, &richness(&other, index));
                prop_assert!(found.is_err() || found.is_ok_and(f64::is_finite), "{:?}", index);
            }
        }

        #[test]
        fn hdd_is_the_ratio_of_all_samples(tokens in prop::collection::vec(0_u32..4, 1..12), draws in 1_usize..6) {
            prop_assume!(draws <= tokens.len());
            let (mut sum, mut number) = (0.0, 0.0);
            for sample in (0_u32..1 << tokens.len()).filter(|sample| sample.count_ones() as usize == draws) {
                let types = (0..tokens.len()).filter(|i| sample >> i & 1 == 1).fold(0_u32, |seen, i| seen | 1 << tokens[i]);
                sum += f64::from(types.count_ones()) / draws as f64;
                number += 1.0;
            }
            prop_assert!((hdd(&tokens, draws).unwrap() - sum / number).abs() < 1e-12);
            prop_assert!((hdd(&tokens, 1).unwrap() - 1.0).abs() < 1e-12);
            let all = hdd(&tokens, tokens.len()).unwrap();
            prop_assert!((all - richness(&tokens, Richness::TypeTokenRatio).unwrap()).abs() < 1e-12);
        }
    }

    #[test]
    fn what_is_undefined_says_why() {
        let error = |tokens: &[u32], index| richness(tokens, index).unwrap_err().to_string();
        for index in ALL {
            assert_eq!(error(&[], index), "0 tokens: expected at least 1");
        }
        assert_eq!(
            error(&[1], Richness::Herdan),
            "Herdan's C is undefined: there is one token, whose logarithm is 0"
        );
        assert_eq!(
            error(&[1], Richness::Maas),
            "Maas's a^2 is undefined: there is one token, whose logarithm is 0"
        );
        assert_eq!(error(&[1], Richness::SimpsonD), "Simpson's D is undefined: one token is no pair");
        assert_eq!(error(&[1, 2], Richness::Dugast), "Dugast's U is undefined: no token repeats");
        assert_eq!(error(&[1, 2], Richness::YuleI), "Yule's I is undefined: no token repeats");
        assert_eq!(
            error(&[1, 1, 1], Richness::Summer),
            "Summer's S is undefined: there is one type, and its logarithm, 0, has none"
        );
        assert_eq!(
            error(&[1, 2], Richness::Summer),
            "Summer's S is undefined: it needs more than two tokens, as ln ln 2 is negative"
        );
        assert_eq!(hdd(&[1, 2], 3).unwrap_err().to_string(), "2 tokens: expected at least 3");
        assert_eq!(hdd(&[1, 2], 0).unwrap_err().to_string(), "draws = 0: expected at least 1");
    }
}
