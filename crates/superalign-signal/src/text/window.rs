//! Lexical richness along the text: MTLD, and type-token ratios of windows and segments.

use super::corpus::renumber;
use crate::SignalError;

/// When a factor of [`mtld`] is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FactorEnd {
    /// Once the type-token ratio is at the threshold or below, as in the package lexicalrichness.
    #[default]
    AtOrBelow,
    /// Once it is below, as McCarthy & Jarvis 2010 put it.
    Below,
}

/// What becomes of the last segment of [`msttr`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LastSegment {
    /// It counts if it is whole.
    #[default]
    IfWhole,
    /// It counts, however short.
    Always,
    /// It is dropped even if it is whole, as lexicalrichness does unless told to keep it.
    Never,
}

/// MTLD: the mean length of stretches of the text that keep their type-token ratio above `threshold`.
///
/// Tokens are read until their type-token ratio comes to the threshold: that is one factor, and the count starts anew.
/// The rest counts as (1 - ratio) / (1 - threshold) of a factor. MTLD is tokens / factors, the mean of reading forward
/// and backward (McCarthy & Jarvis 2010, threshold 0.72). At least 1; higher is richer.
///
/// # Errors
/// No token; a threshold outside (0, 1); a text none of whose tokens repeats, which has no factor (lexicalrichness
/// gives its length).
///
/// ```
/// use superalign_signal::text::{FactorEnd, mtld};
/// // Forward: a b a (ratio 2/3) is a factor, and so is b b (1/2). Backward: b b, then a b a.
/// assert_eq!(mtld(&[0, 1, 0, 1, 1], 0.72, FactorEnd::AtOrBelow)?, 2.5);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn mtld(tokens: &[u32], threshold: f64, end: FactorEnd) -> Result<f64, SignalError> {
    if !(threshold > 0.0 && threshold < 1.0) {
        return Err(SignalError::setting("threshold", threshold, "a number between 0 and 1"));
    }
    let (tokens, types) = some(tokens)?;
    if types == tokens.len() {
        return Err(SignalError::undefined("MTLD", "no token repeats, so that there is no factor"));
    }
    let forward = factors(tokens.iter(), types, threshold, end);
    let backward = factors(tokens.iter().rev(), types, threshold, end);
    let length = tokens.len() as f64;
    Ok((length / forward + length / backward) / 2.0)
}

/// Number of factors, above 0 if a token repeats.
fn factors<'a>(tokens: impl Iterator<Item = &'a u32>, types: usize, threshold: f64, end: FactorEnd) -> f64 {
    // In which factor each type was last seen.
    let mut seen = vec![u32::MAX; types];
    let (mut whole, mut length, mut different) = (0, 0_u32, 0_u32);
    let mut ratio = 1.0;
    for &token in tokens {
        let seen = &mut seen[token as usize];
        different += u32::from(*seen != whole);
        *seen = whole;
        length += 1;
        ratio = f64::from(different) / f64::from(length);
        let complete = match end {
            FactorEnd::AtOrBelow => ratio <= threshold,
            FactorEnd::Below => ratio < threshold,
        };
        if complete {
            whole += 1;
            (length, different, ratio) = (0, 0, 1.0);
        }
    }
    f64::from(whole) + (1.0 - ratio) / (1.0 - threshold)
}

/// MATTR: the mean type-token ratio of all windows of that many tokens, in (0, 1].
///
/// Covington & McFall 2010. O(tokens) whatever the window.
///
/// # Errors
/// No window; fewer tokens than the window has.
///
/// ```
/// use superalign_signal::text::mattr;
/// // a a, a b, b c: 1/2, 1 and 1.
/// assert!((mattr(&[0, 0, 1, 2], 2)? - 2.5 / 3.0).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn mattr(tokens: &[u32], window: usize) -> Result<f64, SignalError> {
    if window == 0 {
        return Err(SignalError::setting("window", 0.0, "at least 1"));
    }
    if tokens.len() < window {
        return Err(SignalError::TooFew { what: "tokens", found: tokens.len(), expected: window });
    }
    let (tokens, types) = some(tokens)?;
    let mut counts = vec![0_u32; types];
    let (mut different, mut sum) = (0_u64, 0_u64);
    for (place, &token) in tokens.iter().enumerate() {
        if place >= window {
            let gone = &mut counts[tokens[place - window] as usize];
            *gone -= 1;
            different -= u64::from(*gone == 0);
        }
        let count = &mut counts[token as usize];
        different += u64::from(*count == 0);
        *count += 1;
        if place + 1 >= window {
            sum += different;
        }
    }
    Ok(sum as f64 / window as f64 / (tokens.len() - window + 1) as f64)
}

/// MSTTR: the mean type-token ratio of segments of that many tokens, one after the other, in (0, 1].
///
/// Johnson 1944. What remains at the end is treated as `last` says.
///
/// # Errors
/// No segment; a text in which no segment counts.
///
/// ```
/// use superalign_signal::text::{LastSegment, msttr};
/// // a a and b c; d alone is short of a segment.
/// assert_eq!(msttr(&[0, 0, 1, 2, 3], 2, LastSegment::IfWhole)?, 0.75);
/// assert!((msttr(&[0, 0, 1, 2, 3], 2, LastSegment::Always)? - 2.5 / 3.0).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn msttr(tokens: &[u32], segment: usize, last: LastSegment) -> Result<f64, SignalError> {
    if segment == 0 {
        return Err(SignalError::setting("segment", 0.0, "at least 1"));
    }
    let (tokens, types) = some(tokens)?;
    let number = match last {
        LastSegment::IfWhole => tokens.len() / segment,
        LastSegment::Always => tokens.len().div_ceil(segment),
        LastSegment::Never => tokens.len().div_ceil(segment) - 1,
    };
    if number == 0 {
        return Err(SignalError::undefined(
            "MSTTR",
            format!("no segment of {segment} tokens counts in a text of {}", tokens.len()),
        ));
    }
    let mut seen = vec![usize::MAX; types];
    let ratio = |(place, tokens): (usize, &[u32])| {
        let different =
            tokens.iter().filter(|&&token| std::mem::replace(&mut seen[token as usize], place) != place);
        different.count() as f64 / tokens.len() as f64
    };
    Ok(tokens.chunks(segment).take(number).enumerate().map(ratio).sum::<f64>() / number as f64)
}

/// The tokens numbered from 0 and the number of types, if there are any.
fn some(tokens: &[u32]) -> Result<(Vec<u32>, usize), SignalError> {
    if tokens.is_empty() {
        return Err(SignalError::TooFew { what: "tokens", found: 0, expected: 1 });
    }
    Ok(renumber(tokens))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Richness, richness};
    use proptest::prelude::*;

    fn ratio(tokens: &[u32]) -> f64 {
        richness(tokens, Richness::TypeTokenRatio).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn windows_and_segments_are_those_of_their_definitions(
            tokens in prop::collection::vec(0_u32..9, 1..60),
            size in 1_usize..12,
        ) {
            prop_assume!(size <= tokens.len());
            let mean = |parts: Vec<&[u32]>| parts.iter().map(|part| ratio(part)).sum::<f64>() / parts.len() as f64;
            prop_assert!((mattr(&tokens, size).unwrap() - mean(tokens.windows(size).collect())).abs() < 1e-12);
            let whole = msttr(&tokens, size, LastSegment::IfWhole).unwrap();
            prop_assert!((whole - mean(tokens.chunks_exact(size).collect())).abs() < 1e-12);
            let all = msttr(&tokens, size, LastSegment::Always).unwrap();
            prop_assert!((all - mean(tokens.chunks(size).collect())).abs() < 1e-12);
            prop_assert!((mattr(&tokens, tokens.len()).unwrap() - ratio(&tokens)).abs() < 1e-12);
        }

        #[test]
        fn mtld_reads_alike_in_both_directions(tokens in prop::collection::vec(0_u32..9, 2..60), threshold in 0.1..0.95) {
            prop_assume!(ratio(&tokens) < 1.0);
            let mut turned: Vec<u32> = tokens.iter().map(|token| token + 1000).collect();
            turned.reverse();
            for end in [FactorEnd::AtOrBelow, FactorEnd::Below] {
                let found = mtld(&tokens, threshold, end).unwrap();
                prop_assert!((found - mtld(&turned, threshold, end).unwrap()).abs() < 1e-9);
                prop_assert!(found >= 1.0 - 1e-12 && found.is_finite());
            }
        }
    }

    #[test]
    fn a_factor_ends_at_the_threshold_or_below_it() {
        // a b a b: ratios 1, 1, 2/3, 1/2.
        let tokens = [0, 1, 0, 1];
        assert_eq!(mtld(&tokens, 0.5, FactorEnd::AtOrBelow), Ok(4.0));
        // One half of the way is all of the rest: (1 - 0.5) / (1 - 0.5) of a factor.
        assert_eq!(mtld(&tokens, 0.5, FactorEnd::Below), Ok(4.0));
        // Of a b a a b b the fourth makes 1/2; below it is only where the ratio is 2/5.
        let tokens = [0, 1, 0, 0, 1, 1];
        let at = mtld(&tokens, 0.5, FactorEnd::AtOrBelow).unwrap();
        let below = mtld(&tokens, 0.5, FactorEnd::Below).unwrap();
        assert!(below > at, "{below} {at}");
    }

    #[test]
    fn what_is_undefined_says_why() {
        let error =
            |tokens: &[u32], threshold| mtld(tokens, threshold, FactorEnd::Below).unwrap_err().to_string();
        assert_eq!(error(&[], 0.72), "0 tokens: expected at least 1");
        assert_eq!(
            error(&[1, 2, 3], 0.72),
            "MTLD is undefined: no token repeats, so that there is no factor"
        );
        for threshold in [0.0, 1.0, f64::NAN] {
            assert_eq!(
                error(&[1, 1], threshold),
                format!("threshold = {threshold}: expected a number between 0 and 1")
            );
        }
        assert_eq!(mattr(&[1], 2).unwrap_err().to_string(), "1 tokens: expected at least 2");
        assert_eq!(mattr(&[1], 0).unwrap_err().to_string(), "window = 0: expected at least 1");
        assert_eq!(
            msttr(&[1], 0, LastSegment::Always).unwrap_err().to_string(),
            "segment = 0: expected at least 1"
        );
        assert_eq!(
            msttr(&[1, 2], 2, LastSegment::Never).unwrap_err().to_string(),
            "MSTTR is undefined: no segment of 2 tokens counts in a text of 2"
        );
    }
}
