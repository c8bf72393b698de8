//! Whether the longer answer wins.

use super::newton::{Local, maximum};
use crate::{Bootstrap, Estimate, SignalError, resample};
use ndarray::{Array2, array};

/// How preference goes with the difference of lengths `d = length of a - length of b`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LengthBias<T> {
    /// Share of pairs of different lengths in which the longer was preferred, in `0..=1`.
    pub longer_preferred: T,
    /// Pearson's correlation of d with 1 where a was preferred and 0 where b was (point-biserial), in `-1..=1`.
    pub point_biserial: T,
    /// Spearman's rank correlation of the same, with mean ranks for ties, in `-1..=1`.
    pub spearman: T,
}

/// How preference goes with length: see [`LengthBias`]. Lengths may be in any unit (tokens, characters).
///
/// A correlation is no bias by itself: longer answers may be better. Compare with a judge that is trusted, or hold quality
/// fixed.
///
/// ```
/// use superalign_signal::preference::length_bias;
/// let found = length_bias(&[9.0, 2.0, 7.0], &[3.0, 5.0, 5.0], &[true, false, true])?;
/// assert!(found.longer_preferred == 1.0 && found.point_biserial > 0.8);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// Lists of different lengths, no pair, a length that is not finite; no pair of different lengths; all differences or all
/// preferences the same.
pub fn length_bias(
    length_a: &[f64],
    length_b: &[f64],
    a_preferred: &[bool],
) -> Result<LengthBias<f64>, SignalError> {
    let table = Table::new(length_a, length_b, a_preferred)?;
    Ok(LengthBias {
        longer_preferred: table.longer(&table.counts)?,
        point_biserial: table.correlation(&table.counts, Scale::Values)?,
        spearman: table.correlation(&table.counts, Scale::Ranks)?,
    })
}

/// As [`length_bias`], with percentile intervals over pairs that are resampled jointly for all three. Pairs of the same
/// difference and outcome are counted, not visited.
///
/// # Errors
/// As [`length_bias`]; more than one resample in twenty without a value.
pub fn length_bias_estimate(
    length_a: &[f64],
    length_b: &[f64],
    a_preferred: &[bool],
    by: &Bootstrap,
) -> Result<LengthBias<Estimate>, SignalError> {
    let table = Table::new(length_a, length_b, a_preferred)?;
    let names = ["share of longer answers preferred", "point-biserial correlation", "Spearman correlation"];
    let mut found = resample::estimates_of_counts(by, &names, &table.counts, |counts, values| {
        values[0] = table.longer(counts);
        values[1] = table.correlation(counts, Scale::Values);
        values[2] = table.correlation(counts, Scale::Ranks);
    })
    .into_iter();
    let mut next = || found.next().unwrap_or_else(|| unreachable!("three statistics were asked for"));
    Ok(LengthBias { longer_preferred: next()?, point_biserial: next()?, spearman: next()? })
}

/// The slope b of the logistic regression `P(a is preferred) = 1 / (1 + exp(-(c + b d)))`, by maximum likelihood: the
/// log-odds that one more unit of length brings. The intercept c takes up any preference for a's place.
///
/// ```
/// use superalign_signal::preference::length_slope;
/// // Of four pairs each, a wins one at d = -1 and three at d = 1: the odds change from 1/3 to 3.
/// let a: Vec<f64> = [vec![1.0; 4], vec![2.0; 4]].concat();
/// let b: Vec<f64> = [vec![2.0; 4], vec![1.0; 4]].concat();
/// let won = [true, false, false, false, true, true, true, false];
/// assert!((length_slope(&a, &b, &won)? - 3_f64.ln()).abs() < 1e-9);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// As [`length_bias`]; a difference that parts all preferences, where the slope is infinite.
pub fn length_slope(length_a: &[f64], length_b: &[f64], a_preferred: &[bool]) -> Result<f64, SignalError> {
    let table = Table::new(length_a, length_b, a_preferred)?;
    table.slope(&table.counts)
}

/// As [`length_slope`], with its percentile interval over resampled pairs.
///
/// # Errors
/// As [`length_slope`]; more than one resample in twenty without a value.
pub fn length_slope_estimate(
    length_a: &[f64],
    length_b: &[f64],
    a_preferred: &[bool],
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    let table = Table::new(length_a, length_b, a_preferred)?;
    resample::estimate_of_counts(by, "slope of length", &table.counts, |counts| table.slope(counts))
}

#[derive(Clone, Copy)]
enum Scale {
    Values,
    Ranks,
}

/// The distinct differences, rising, and how often b (even places) and a (odd places) was preferred at each.
struct Table {
    differences: Vec<f64>,
    counts: Vec<u32>,
}

impl Table {
    fn new(length_a: &[f64], length_b: &[f64], a_preferred: &[bool]) -> Result<Self, SignalError> {
        let expected = length_a.len();
        for (what, found) in
            [("number of lengths of b", length_b.len()), ("number of preferences", a_preferred.len())]
        {
            if found != expected {
                return Err(SignalError::Shape { what, found, expected });
            }
        }
        let mut pairs = Vec::with_capacity(expected);
        for (index, ((a, b), won)) in length_a.iter().zip(length_b).zip(a_preferred).enumerate() {
            // Not minus zero, which sorts apart from zero.
            let found = a - b + 0.0;
            if !found.is_finite() {
                let what = "difference of lengths";
                return Err(SignalError::Value { what, index, found, expected: "a finite number" });
            }
            pairs.push((found, usize::from(*won)));
        }
        if pairs.is_empty() {
            return Err(SignalError::TooFew { what: "pairs", found: 0, expected: 1 });
        }
        pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut table = Self { differences: Vec::new(), counts: Vec::new() };
        for run in pairs.chunk_by(|a, b| a.0 == b.0) {
            table.differences.push(run[0].0);
            let start = table.counts.len();
            table.counts.extend([0, 0]);
            run.iter().for_each(|&(_, won)| table.counts[start + won] += 1);
        }
        Ok(table)
    }

    /// Difference, and how often it was met with b and with a preferred.
    fn rows<'a>(&'a self, counts: &'a [u32]) -> impl Iterator<Item = (f64, f64, f64)> + 'a {
        let counts = counts.chunks_exact(2).map(|pair| (f64::from(pair[0]), f64::from(pair[1])));
        self.differences.iter().zip(counts).map(|(&d, (lost, won))| (d, lost, won))
    }

    fn longer(&self, counts: &[u32]) -> Result<f64, SignalError> {
        let (mut longer, mut all) = (0.0, 0.0);
        for (d, lost, won) in self.rows(counts).filter(|row| row.0 != 0.0) {
            longer += if d > 0.0 { won } else { lost };
            all += lost + won;
        }
        if all == 0.0 {
            let name = "share of longer answers preferred";
            return Err(SignalError::undefined(name, "both answers of every pair have the same length"));
        }
        Ok(longer / all)
    }

    fn correlation(&self, counts: &[u32], scale: Scale) -> Result<f64, SignalError> {
        let name = match scale {
            Scale::Values => "point-biserial correlation",
            Scale::Ranks => "Spearman correlation",
        };
        let (mut all, mut wins) = (0.0, 0.0);
        self.rows(counts).for_each(|(_, lost, won)| {
            all += lost + won;
            wins += won;
        });
        if wins == 0.0 || wins == all {
            return Err(SignalError::undefined(name, "the same side is preferred in every pair"));
        }
        // Mean ranks, or the differences as they are; the preference's two ranks are a scale of its two values.
        let mut before = 0.0;
        let places: Vec<(f64, f64, f64)> = self
            .rows(counts)
            .map(|(d, lost, won)| {
                let rank = before + (lost + won + 1.0) / 2.0;
                before += lost + won;
                (
                    match scale {
                        Scale::Values => d,
                        Scale::Ranks => rank,
                    },
                    lost + won,
                    won,
                )
            })
            .collect();
        let mean = places.iter().map(|(x, n, _)| x * n).sum::<f64>() / all;
        let spread: f64 = places.iter().map(|(x, n, _)| (x - mean) * (x - mean) * n).sum();
        if places.iter().filter(|(_, n, _)| *n > 0.0).count() < 2 || spread <= 0.0 {
            return Err(SignalError::undefined(name, "the difference of lengths is the same in every pair"));
        }
        let joint: f64 = places.iter().map(|(x, _, won)| (x - mean) * won).sum();
        Ok((joint / (spread * wins * (all - wins) / all).sqrt()).clamp(-1.0, 1.0))
    }

    fn slope(&self, counts: &[u32]) -> Result<f64, SignalError> {
        let name = "slope of length";
        let ends = |pick: fn(&(f64, f64, f64)) -> f64| {
            self.rows(counts)
                .filter(|row| pick(row) > 0.0)
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), row| {
                    (low.min(row.0), high.max(row.0))
                })
        };
        let (lost, won) = (ends(|row| row.1), ends(|row| row.2));
        if lost.0 > lost.1 || won.0 > won.1 {
            return Err(SignalError::undefined(name, "the same side is preferred in every pair"));
        }
        if lost.0 == lost.1 && lost == won {
            return Err(SignalError::undefined(name, "the difference of lengths is the same in every pair"));
        }
        if lost.1 <= won.0 || won.1 <= lost.0 {
            return Err(SignalError::undefined(
                name,
                "a difference parts all preferences, so it is infinite",
            ));
        }
        // In units in which differences are about 1.
        let unit = self.differences.iter().fold(0.0, |most: f64, d| most.max(d.abs()));
        let found = maximum(name, array![0.0, 0.0], |at| {
            let mut here = Local { value: 0.0, gradient: array![0.0, 0.0], curvature: Array2::zeros((2, 2)) };
            for (d, lost, won) in self.rows(counts).filter(|row| row.1 + row.2 > 0.0) {
                let x = d / unit;
                let score = at[0] + at[1] * x;
                let p = 1.0 / (1.0 + (-score).exp());
                here.value += won * score - (won + lost) * (score.max(0.0) + (-score.abs()).exp().ln_1p());
                let (slope, bend) = (won - (won + lost) * p, (won + lost) * p * (1.0 - p));
                here.gradient += &array![slope, slope * x];
                here.curvature += &(array![[1.0, x], [x, x * x]] * bend);
            }
            here
        })?;
        Ok(found[1] / unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use superalign_core::Seed;

    #[test]
    fn what_does_not_exist_says_why() {
        let message = |a: &[f64], b: &[f64], won: &[bool]| length_bias(a, b, won).unwrap_err().to_string();
        assert_eq!(message(&[1.0], &[], &[true]), "number of lengths of b: found 0, expected 1");
        assert_eq!(message(&[], &[], &[]), "0 pairs: expected at least 1");
        assert_eq!(
            message(&[1.0], &[f64::NAN], &[true]),
            "difference of lengths 0 is NaN: expected a finite number"
        );
        assert_eq!(
            message(&[1.0], &[1.0], &[true]),
            "share of longer answers preferred is undefined: both answers of every pair have the same length"
        );
        assert_eq!(
            message(&[1.0, 2.0], &[3.0, 1.0], &[true, true]),
            "point-biserial correlation is undefined: the same side is preferred in every pair"
        );
        assert_eq!(
            message(&[1.0, 2.0], &[0.0, 1.0], &[true, false]),
            "point-biserial correlation is undefined: the difference of lengths is the same in every pair"
        );
        assert_eq!(
            length_slope(&[1.0, 2.0], &[3.0, 1.0], &[false, true]).unwrap_err().to_string(),
            "slope of length is undefined: a difference parts all preferences, so it is infinite"
        );
    }

    fn pairs() -> impl Strategy<Value = (Vec<f64>, Vec<f64>, Vec<bool>)> {
        prop::collection::vec((1_u8..30, 1_u8..30, any::<bool>()), 12..60).prop_map(|pairs| {
            let a = pairs.iter().map(|pair| f64::from(pair.0)).collect();
            (
                a,
                pairs.iter().map(|pair| f64::from(pair.1)).collect(),
                pairs.iter().map(|pair| pair.2).collect(),
            )
        })
    }

    proptest! {
        #[test]
        fn exchanging_the_answers_changes_nothing((a, b, won) in pairs()) {
            let other: Vec<bool> = won.iter().map(|won| !won).collect();
            if let (Ok(found), Ok(turned)) = (length_bias(&a, &b, &won), length_bias(&b, &a, &other)) {
                prop_assert_eq!(found.longer_preferred, turned.longer_preferred);
                prop_assert!((found.point_biserial - turned.point_biserial).abs() < 1e-12);
                prop_assert!((found.spearman - turned.spearman).abs() < 1e-12);
            }
            if let (Ok(found), Ok(turned)) = (length_slope(&a, &b, &won), length_slope(&b, &a, &other)) {
                prop_assert!((found - turned).abs() < 1e-8 * found.abs().max(1.0));
                // In other units the slope is by the old unit, and its sign that of the correlation.
                let scaled = |list: &[f64]| list.iter().map(|x| x * 1e3).collect::<Vec<_>>();
                let scaled = length_slope(&scaled(&a), &scaled(&b), &won).unwrap();
                prop_assert!((found - scaled * 1e3).abs() < 1e-8 * found.abs().max(1.0));
                prop_assert!(found * length_bias(&a, &b, &won).unwrap().point_biserial >= -1e-12);
            }
        }
    }

    #[test]
    fn intervals_surround_their_values() {
        let a: Vec<f64> = (0..400).map(|i| f64::from(i * 37 % 91)).collect();
        let b: Vec<f64> = (0..400).map(|i| f64::from(i * 53 % 83)).collect();
        let won: Vec<bool> = (0..400).map(|i| (a[i] > b[i]) != (i % 3 == 0)).collect();
        let by = Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(1)) };
        let (plain, found) =
            (length_bias(&a, &b, &won).unwrap(), length_bias_estimate(&a, &b, &won, &by).unwrap());
        for (value, found) in [
            (plain.longer_preferred, found.longer_preferred),
            (plain.point_biserial, found.point_biserial),
            (plain.spearman, found.spearman),
            (length_slope(&a, &b, &won).unwrap(), length_slope_estimate(&a, &b, &won, &by).unwrap()),
        ] {
            assert!(
                found.value == value && found.lo < value && value < found.hi && found.lo > 0.0,
                "{found}"
            );
        }
    }
}
