//! MAUVE between two histograms. How texts become histograms (embedding, clustering) is the caller's choice.

use crate::SignalError;
use superalign_core::{Bootstrap, Estimate, Rng, below};

/// Mixture weights stay this far from 0 and 1.
const MARGIN: f64 = 1e-6;

/// What is added to the counts of a histogram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Smoothing {
    /// Nothing: plain MAUVE.
    #[default]
    None,
    /// A half to every bin (Krichevsky and Trofimov 1981): MAUVE*, better where samples are small.
    AddHalf,
}

/// How [`mauve`] is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MauveOptions {
    /// The factor c in `exp(-c KL)`, above 0.
    pub scaling: f64,
    /// Number of mixtures on the curve, at least 2.
    pub points: usize,
    /// What is added to the counts.
    pub smoothing: Smoothing,
}

impl Default for MauveOptions {
    /// As in the paper: c = 5, 25 points, no smoothing.
    fn default() -> Self {
        Self { scaling: 5.0, points: 25, smoothing: Smoothing::None }
    }
}

/// What [`mauve`] finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mauve {
    /// The area under the divergence curve, in (0, 1], 1 for equal histograms.
    pub mauve: f64,
    /// The mean divergence along the frontier, in [0, 1], 0 for equal histograms and 1 for disjoint ones. It depends
    /// neither on the scaling nor on the number of points.
    pub frontier_integral: f64,
}

/// MAUVE between the histograms `p` and `q` (counts or probabilities over the same bins, each divided by its sum).
///
/// The curve holds `(exp(-c KL(q | r)), exp(-c KL(p | r)))` for mixtures `r = w p + (1 - w) q` at evenly spaced w, and
/// the ends (1, 0) and (0, 1); MAUVE is the area under it, the mean of the trapezoids over either axis. The frontier
/// integral is `2 integral of (w KL(p | r) + (1 - w) KL(q | r)) dw`, in closed form.
///
/// # Errors
/// Histograms of different lengths, without a bin, with a negative or infinite count, or empty (without smoothing);
/// options out of range.
///
/// Source: Pillutla et al. 2021; Liu et al. 2021 for the frontier integral; the `mauve-text` package.
///
/// ```
/// use superalign_signal::embedding::{MauveOptions, mauve};
/// let found = mauve(&[1.0, 0.0], &[0.0, 1.0], &MauveOptions::default())?;
/// assert!(found.mauve < 0.005 && found.frontier_integral == 1.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn mauve(p: &[f64], q: &[f64], options: &MauveOptions) -> Result<Mauve, SignalError> {
    check(options)?;
    if p.len() != q.len() {
        return Err(SignalError::Shape { what: "number of bins of q", found: q.len(), expected: p.len() });
    }
    let (p, q) = (
        shares(p, options.smoothing, "count of p in bin")?,
        shares(q, options.smoothing, "count of q in bin")?,
    );
    let step = (1.0 - 2.0 * MARGIN) / (options.points - 1) as f64;
    let mut curve = vec![(1.0, 0.0)];
    for point in 0..options.points {
        let weight = MARGIN + step * point as f64;
        let divergence = |from: &[f64]| {
            let terms = from.iter().zip(p.iter().zip(&q)).filter(|(from, _)| **from > 0.0);
            let sum: f64 =
                terms.map(|(from, (p, q))| from * (from / (weight * p + (1.0 - weight) * q)).ln()).sum();
            // Rounded below 0, it would put its point beyond the curve's end.
            sum.max(0.0)
        };
        curve.push(((-options.scaling * divergence(&q)).exp(), (-options.scaling * divergence(&p)).exp()));
    }
    curve.push((0.0, 1.0));
    let flipped = curve.iter().map(|(x, y)| (*y, *x)).collect();
    let area = f64::midpoint(area(curve), area(flipped)).min(1.0);
    Ok(Mauve { mauve: area, frontier_integral: p.iter().zip(&q).map(|(p, q)| frontier(*p, *q)).sum() })
}

/// As [`mauve`], from counts, with the percentile interval over resampled texts: as many as were counted are drawn
/// anew from either histogram.
///
/// The bins stay as they are, so the interval does not hold what clustering adds. Counts of a resample are noisier
/// than those of the texts, which lowers MAUVE a little: with few texts to a bin the interval lies below the value.
///
/// # Errors
/// As [`mauve`]; a histogram without a text; settings of the bootstrap out of range.
///
/// ```
/// use superalign_core::{Bootstrap, Seed};
/// use superalign_signal::embedding::{MauveOptions, mauve_estimate};
/// let by = Bootstrap::new(Seed::new(1));
/// let (found, _) = mauve_estimate(&[60, 30, 10], &[20, 30, 50], &MauveOptions::default(), &by)?;
/// assert!(found.covers(found.value) && found.hi < 1.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn mauve_estimate(
    p: &[u32],
    q: &[u32],
    options: &MauveOptions,
    by: &Bootstrap,
) -> Result<(Estimate, Estimate), SignalError> {
    by.check()?;
    let wide = |counts: &[u32]| counts.iter().map(|count| f64::from(*count)).collect::<Vec<_>>();
    let whole = mauve(&wide(p), &wide(q), options)?;
    let (texts_p, texts_q) = (texts(p, "texts of p")?, texts(q, "texts of q")?);
    let (mut areas, mut frontiers) = (Vec::with_capacity(by.draws), Vec::with_capacity(by.draws));
    for draw in 0..by.draws as u64 {
        let mut rng = by.seed.nth(draw).rng();
        let (p, q) = (resample(&texts_p, &mut rng), resample(&texts_q, &mut rng));
        let found = mauve(&p, &q, options)?;
        areas.push(found.mauve);
        frontiers.push(found.frontier_integral);
    }
    Ok((by.interval(whole.mauve, areas), by.interval(whole.frontier_integral, frontiers)))
}

/// Up to which text, counted from 0, every bin reaches.
fn texts(counts: &[u32], what: &'static str) -> Result<Vec<u32>, SignalError> {
    let mut total = 0_u32;
    let mut ends = Vec::with_capacity(counts.len());
    for &count in counts {
        total = total.checked_add(count).ok_or_else(|| {
            SignalError::undefined("interval of MAUVE", "a histogram holds more than 2^32 texts")
        })?;
        ends.push(total);
    }
    if total == 0 { Err(SignalError::TooFew { what, found: 0, expected: 1 }) } else { Ok(ends) }
}

fn resample(ends: &[u32], rng: &mut Rng) -> Vec<f64> {
    let mut counts = vec![0.0; ends.len()];
    let total = ends.last().map_or(0, |&end| end as usize);
    for _ in 0..total {
        let text = below(rng, total);
        counts[ends.partition_point(|&end| end as usize <= text)] += 1.0;
    }
    counts
}

fn check(options: &MauveOptions) -> Result<(), SignalError> {
    if !(options.scaling > 0.0 && options.scaling.is_finite()) {
        return Err(SignalError::setting("scaling", options.scaling, "a finite number above 0"));
    }
    if options.points < 2 {
        return Err(SignalError::setting("points", options.points as f64, "at least 2"));
    }
    Ok(())
}

fn shares(counts: &[f64], smoothing: Smoothing, what: &'static str) -> Result<Vec<f64>, SignalError> {
    if counts.is_empty() {
        return Err(SignalError::TooFew { what: "bins", found: 0, expected: 1 });
    }
    if let Some(index) = counts.iter().position(|count| !(*count >= 0.0 && count.is_finite())) {
        let found = counts[index];
        return Err(SignalError::Value { what, index, found, expected: "a finite number, 0 or more" });
    }
    let add = if smoothing == Smoothing::AddHalf { 0.5 } else { 0.0 };
    let sum: f64 = counts.iter().map(|count| count + add).sum();
    if sum == 0.0 || !sum.is_finite() {
        return Err(SignalError::undefined("MAUVE", "a histogram has no sum"));
    }
    Ok(counts.iter().map(|count| (count + add) / sum).collect())
}

/// The trapezoids under a curve, from left to right.
fn area(mut curve: Vec<(f64, f64)>) -> f64 {
    // Points above one another are taken from the top, as the curve falls.
    curve.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    curve.windows(2).map(|pair| (pair[1].0 - pair[0].0) * f64::midpoint(pair[0].1, pair[1].1)).sum()
}

/// What a bin of shares p and q adds to the frontier integral.
fn frontier(p: f64, q: f64) -> f64 {
    if p == 0.0 || q == 0.0 {
        return f64::midpoint(p, q);
    }
    let relative = (p - q) / (p + q);
    if relative.abs() < 1e-3 {
        // The same without its cancellation, to the sixth order: |p - q|^2 / (p + q) / 3 and what follows.
        let square = relative * relative;
        return (p + q) * square * (1.0 / 3.0 + square / 15.0 + square * square / 35.0);
    }
    f64::midpoint(p, q) - p * q * (p / q).ln() / (p - q)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_equal_histograms_are_compared_alike_from_both_sides() {
        let (p, q) = ([3.0, 5.0], [5.0, 8.0]);
        let [there, back] =
            [(p, q), (q, p)].map(|(p, q)| mauve(&p, &q, &MauveOptions::default()).unwrap().mauve);
        assert!((there - back).abs() < 1e-12, "{there} and {back}");
    }

    #[test]
    fn the_frontier_has_no_cancellation() {
        // Both sides of where the series takes over.
        for relative in [0.9e-3, 1.1e-3] {
            let (p, q) = (0.5 * (1.0 + relative), 0.5 * (1.0 - relative));
            let direct = f64::midpoint(p, q) - p * q * (p / q).ln() / (p - q);
            assert!((frontier(p, q) / direct - 1.0).abs() < 1e-6, "{} {direct}", frontier(p, q));
        }
        assert_eq!(frontier(0.3, 0.3), 0.0);
    }

    #[test]
    fn histograms_and_options_that_are_none_are_refused() {
        let options = MauveOptions::default();
        let message = |p: &[f64], q: &[f64], options| mauve(p, q, &options).unwrap_err().to_string();
        assert_eq!(message(&[1.0], &[1.0, 2.0], options), "number of bins of q: found 2, expected 1");
        assert_eq!(message(&[], &[], options), "0 bins: expected at least 1");
        assert_eq!(
            message(&[1.0, -1.0], &[1.0, 2.0], options),
            "count of p in bin 1 is -1: expected a finite number, 0 or more"
        );
        assert_eq!(message(&[0.0], &[1.0], options), "MAUVE is undefined: a histogram has no sum");
        let few = MauveOptions { points: 1, ..options };
        assert_eq!(message(&[1.0], &[1.0], few), "points = 1: expected at least 2");
        let flat = MauveOptions { scaling: 0.0, ..options };
        assert_eq!(message(&[1.0], &[1.0], flat), "scaling = 0: expected a finite number above 0");
        let half = MauveOptions { smoothing: Smoothing::AddHalf, ..options };
        let by = Bootstrap::new(superalign_core::Seed::new(0));
        let error = mauve_estimate(&[0, 0], &[1, 0], &half, &by).unwrap_err().to_string();
        assert_eq!(error, "0 texts of p: expected at least 1");
    }
}
