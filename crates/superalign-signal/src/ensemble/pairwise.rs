//! Diversity of two sources, from the four counts of right and wrong.

use super::outcomes::Outcomes;
use crate::label_diversity::{Unbounded, narrow};
use crate::{Bootstrap, Estimate, SignalError, resample};

/// A measure of two sources. Of n items both were right on `a`, the first alone on `b`, the second alone on `c`, and
/// both were wrong on `d`.
///
/// | measure | formula | range |
/// |---|---|---|
/// | `Disagreement` | `(b + c) / n` (Skalak 1996) | `0..=1` |
/// | `Agreement` | `(a + d) / n` | `0..=1` |
/// | `QStatistic` | `(a d - b c) / (a d + b c)` (Yule 1900) | `-1..=1` |
/// | `DoubleFault` | `d / n` (Giacinto and Roli 2001) | `0..=1` |
/// | `Correlation` | `(a d - b c) / sqrt((a+b) (c+d) (a+c) (b+d))` | `-1..=1` |
/// | `ErrorRatio` | `(b + c) / d`: errors of one by errors of both (Aksela 2003) | from 0 |
/// | `Kappa` | `2 (a d - b c) / ((a+b) (b+d) + (a+c) (c+d))` (Cohen 1960) | `-1..=1` |
///
/// High disagreement and error ratio, and low values of the others, are diversity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairwise {
    /// Share of items on which one is right and the other wrong.
    Disagreement,
    /// Share of items on which both are right or both wrong.
    Agreement,
    /// Yule's Q; undefined where both products are 0.
    QStatistic,
    /// Share of items on which both are wrong.
    DoubleFault,
    /// Pearson's correlation of right and wrong; undefined for a source that is always right or always wrong.
    Correlation,
    /// Errors of one by errors of both; undefined without an error, and without a common one as is said here.
    ErrorRatio(Unbounded),
    /// Cohen's kappa of right and wrong; undefined where both are always right, or both always wrong.
    Kappa,
}

impl Pairwise {
    const fn name(self) -> &'static str {
        match self {
            Self::Disagreement => "disagreement",
            Self::Agreement => "agreement",
            Self::QStatistic => "Q statistic",
            Self::DoubleFault => "double fault",
            Self::Correlation => "correlation of errors",
            Self::ErrorRatio(_) => "ratio of errors",
            Self::Kappa => "kappa",
        }
    }

    /// From the counts a, b, c and d.
    fn of(self, [a, b, c, d]: [f64; 4]) -> Result<f64, SignalError> {
        let n = a + b + c + d;
        let undefined = |reason: &'static str| Err(SignalError::undefined(self.name(), reason));
        let (alike, apart) = (a * d, b * c);
        match self {
            Self::Disagreement => Ok((b + c) / n),
            Self::Agreement => Ok((a + d) / n),
            Self::DoubleFault => Ok(d / n),
            Self::QStatistic if alike + apart == 0.0 => undefined(
                "no item that both got right or wrong has a counterpart, nor has one that they split",
            ),
            Self::QStatistic => Ok((alike - apart) / (alike + apart)),
            Self::Correlation => {
                let margins = [(a + b) * (c + d), (a + c) * (b + d)];
                if margins.contains(&0.0) {
                    return undefined("a source is always right or always wrong");
                }
                Ok((alike - apart) / (margins[0].sqrt() * margins[1].sqrt()))
            }
            Self::ErrorRatio(_) if d == 0.0 && b + c == 0.0 => undefined("there is not one error"),
            Self::ErrorRatio(Unbounded::Infinite) if d == 0.0 => Ok(f64::INFINITY),
            Self::ErrorRatio(Unbounded::Refuse) if d == 0.0 => undefined("no error is common to both"),
            Self::ErrorRatio(_) => Ok((b + c) / d),
            Self::Kappa => {
                let chance = (a + b) * (b + d) + (a + c) * (c + d);
                if chance == 0.0 {
                    return undefined("both sources are always right, or both always wrong");
                }
                Ok(2.0 * (alike - apart) / chance)
            }
        }
    }
}

/// What was found of two sources; one pair may be undefined where others are not.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair<T> {
    /// The one source, from 0.
    pub first: usize,
    /// The other source, above `first`.
    pub second: usize,
    /// What was found of them.
    pub value: Result<T, SignalError>,
}

/// The measure of every pair of sources: (0, 1), (0, 2), ..., (1, 2), ...
///
/// ```
/// use superalign_signal::ensemble::{Outcomes, Pairwise, pairwise};
/// let right = ndarray::array![[true, true], [true, false], [false, true], [false, false]];
/// let found = pairwise(&Outcomes::new(right.view())?, Pairwise::Disagreement)?;
/// assert_eq!((found[0].first, found[0].second, found[0].value.clone()?), (0, 1, 0.5));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// One source. A pair of which the measure is undefined has its own error.
pub fn pairwise(outcomes: &Outcomes, measure: Pairwise) -> Result<Vec<Pair<f64>>, SignalError> {
    let pairs = tables(outcomes)?.into_iter();
    Ok(pairs
        .map(|Pair { first, second, value }| Pair {
            first,
            second,
            value: value.and_then(|table| measure.of(table.map(|count| count as f64))),
        })
        .collect())
}

/// As [`pairwise`], with the percentile interval of each over resampled items.
///
/// The four counts of a resample are drawn at once, from the multinomial distribution, so that a pair costs the same
/// for any number of items. Pairs are resampled each by itself.
///
/// # Errors
/// As [`pairwise`]; 2^32 items or more; a pair that is undefined in more than one resample in twenty has its own error.
pub fn pairwise_estimates(
    outcomes: &Outcomes,
    measure: Pairwise,
    by: &Bootstrap,
) -> Result<Vec<Pair<Estimate>>, SignalError> {
    by.check()?;
    let pairs = tables(outcomes)?.into_iter();
    Ok(pairs
        .map(|Pair { first, second, value }| Pair {
            first,
            second,
            value: value.and_then(|table| narrow(&table)).and_then(|table| {
                let seed = by.seed.nth(first as u64).nth(second as u64);
                resample::estimate_of_counts(&Bootstrap { seed, ..*by }, measure.name(), &table, |table| {
                    measure.of([table[0], table[1], table[2], table[3]].map(f64::from))
                })
            }),
        })
        .collect())
}

/// The counts a, b, c and d of each pair.
fn tables(outcomes: &Outcomes) -> Result<Vec<Pair<[u64; 4]>>, SignalError> {
    let sources = outcomes.sources();
    if sources < 2 {
        return Err(SignalError::TooFew { what: "sources", found: sources, expected: 2 });
    }
    let both = outcomes.both_right();
    let at = |first: usize, second: usize| both[second * (second + 1) / 2 + first];
    let items = outcomes.items() as u64;
    let pairs = (0..sources).flat_map(|first| (first + 1..sources).map(move |second| (first, second)));
    Ok(pairs
        .map(|(first, second)| {
            let a = at(first, second);
            let (b, c) = (at(first, first) - a, at(second, second) - a);
            Pair { first, second, value: Ok([a, b, c, items - a - b - c]) }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use proptest::prelude::*;
    use superalign_core::Seed;

    const ALL: [Pairwise; 7] = [
        Pairwise::Disagreement,
        Pairwise::Agreement,
        Pairwise::QStatistic,
        Pairwise::DoubleFault,
        Pairwise::Correlation,
        Pairwise::ErrorRatio(Unbounded::Refuse),
        Pairwise::Kappa,
    ];

    #[test]
    fn what_does_not_exist_says_why() {
        let message = |measure: Pairwise, table| measure.of(table).unwrap_err().to_string();
        let (perfect, split) = ([9.0, 0.0, 0.0, 0.0], [4.0, 1.0, 1.0, 0.0]);
        assert_eq!(
            message(Pairwise::QStatistic, perfect),
            "Q statistic is undefined: no item that both got right or wrong has a counterpart, nor has one that they split"
        );
        assert_eq!(
            message(Pairwise::Correlation, perfect),
            "correlation of errors is undefined: a source is always right or always wrong"
        );
        let ratio = Pairwise::ErrorRatio(Unbounded::Refuse);
        assert_eq!(message(ratio, perfect), "ratio of errors is undefined: there is not one error");
        assert_eq!(message(ratio, split), "ratio of errors is undefined: no error is common to both");
        assert_eq!(Pairwise::ErrorRatio(Unbounded::Infinite).of(split), Ok(f64::INFINITY));
        assert_eq!(
            message(Pairwise::Kappa, perfect),
            "kappa is undefined: both sources are always right, or both always wrong"
        );
        let one = Outcomes::new(Array2::from_elem((3, 1), true).view()).unwrap();
        assert_eq!(
            pairwise(&one, Pairwise::Kappa).unwrap_err().to_string(),
            "1 sources: expected at least 2"
        );
    }

    #[test]
    fn intervals_are_those_of_the_binomial() {
        let right = Array2::from_shape_fn((10_000, 2), |(item, source)| item * 7919 % 10 > 2 * source);
        let outcomes = Outcomes::new(right.view()).unwrap();
        let by = Bootstrap::new(Seed::new(9));
        let found = pairwise_estimates(&outcomes, Pairwise::Disagreement, &by).unwrap();
        let found = found[0].value.clone().unwrap();
        // A share of 0.2 of 10,000 items has a standard error of 0.004.
        assert!((found.value - 0.2).abs() < 1e-12);
        assert!((found.lo - 0.19216).abs() < 0.001 && (found.hi - 0.20784).abs() < 0.001, "{found}");
    }

    proptest! {
        #[test]
        fn exchanging_the_sources_changes_nothing(table in prop::array::uniform4(0_u32..40)) {
            let [a, b, c, d] = table.map(f64::from);
            prop_assume!(a + b + c + d > 0.0);
            for measure in ALL {
                let found = measure.of([a, b, c, d]);
                prop_assert_eq!(&found, &measure.of([a, c, b, d]));
                if let (Ok(found), false) = (found, matches!(measure, Pairwise::ErrorRatio(_))) {
                    prop_assert!((-1.0 - 1e-12..=1.0 + 1e-12).contains(&found), "{:?}", measure);
                }
            }
            // For any two sources the correlation is no further from 0 than Q.
            if let (Ok(r), Ok(q)) = (Pairwise::Correlation.of([a, b, c, d]), Pairwise::QStatistic.of([a, b, c, d])) {
                prop_assert!(r.abs() <= q.abs() + 1e-12);
            }
        }
    }
}
