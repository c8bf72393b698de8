//! The Brier score and Murphy's decomposition of it.

use super::bins::{Placed, place};
use super::{Bins, check_pairs, mean_interval};
use crate::SignalError;
use crate::probabilities::{check_labels, each_row};
use ndarray::{ArrayView2, Axis};
use superalign_core::{Bootstrap, Estimate};

/// What the largest Brier score is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BrierScale {
    /// In [0, 2]: the sum of squared differences over the classes (Brier 1950).
    #[default]
    Full,
    /// In [0, 1]: half of it; with two classes, the squared difference of one of them.
    Half,
    /// `Half` with two classes, `Full` with more (scikit-learn's default).
    HalfIfBinary,
}

impl BrierScale {
    fn factor(self, classes: usize) -> f64 {
        match self {
            Self::Full => 1.0,
            Self::Half => 0.5,
            Self::HalfIfBinary => {
                if classes == 2 {
                    0.5
                } else {
                    1.0
                }
            }
        }
    }
}

/// Brier score: the mean over items of sum over classes j of (`p[j]` - `[label = j]`)^2, lower is better.
///
/// Labels `(n)`, probabilities `(n, k)`; the range is that of [`BrierScale`].
///
/// # Errors
/// No item, fewer than two classes, a label that is no column, a row that is no distribution within 1e-6.
///
/// ```
/// use superalign_signal::calibration::{BrierScale, brier};
/// let probs = ndarray::array![[0.8, 0.1, 0.1], [0.0, 1.0, 0.0]];
/// let score = brier(&[0, 1], probs.view(), BrierScale::Full)?;
/// assert!((score - (0.04 + 0.01 + 0.01) / 2.0).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn brier<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    scale: BrierScale,
) -> Result<f64, SignalError> {
    check_labels(labels, probs)?;
    let mut sum = 0.0;
    each_row(probs, |item, row, _, _| sum += squared_error(row, labels[item]))?;
    Ok(scale.factor(probs.ncols()) * sum / labels.len() as f64)
}

/// As [`brier`], with its interval over items.
///
/// # Errors
/// As [`brier`]; settings of the bootstrap out of their range.
pub fn brier_estimate<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    scale: BrierScale,
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    check_labels(labels, probs)?;
    let factor = scale.factor(probs.ncols());
    let mut errors = Vec::with_capacity(labels.len());
    each_row(probs, |item, row, _, _| errors.push(factor * squared_error(row, labels[item])))?;
    mean_interval(by, "Brier score", &errors)
}

#[inline(always)]
fn squared_error<P: Copy + Into<f64>>(row: &[P], label: u32) -> f64 {
    let mut lanes = [0.0; 4];
    let chunks = row.chunks_exact(4);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &p) in lanes.iter_mut().zip(chunk) {
            let p: f64 = p.into();
            *lane += p * p;
        }
    }
    for (lane, &p) in lanes.iter_mut().zip(rest) {
        let p: f64 = p.into();
        *lane += p * p;
    }
    // (p - 1)^2 = p^2 + 1 - 2 p at the label.
    let p: f64 = row[label as usize].into();
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + (1.0 - 2.0 * p)
}

/// Brier score of a binary label, in [0, 1]: the mean of (p - [y = 1])^2, p being P(y = 1).
///
/// # Errors
/// No item, lists of different lengths, a confidence outside [0, 1].
///
/// ```
/// use superalign_signal::calibration::brier_binary;
/// assert!((brier_binary(&[0.9, 0.4], &[true, false])? - 0.085).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn brier_binary(confidence: &[f64], hit: &[bool]) -> Result<f64, SignalError> {
    Ok(squared_errors(confidence, hit)?.iter().sum::<f64>() / hit.len() as f64)
}

/// As [`brier_binary`], with its interval over items.
///
/// # Errors
/// As [`brier_binary`]; settings of the bootstrap out of their range.
pub fn brier_binary_estimate(
    confidence: &[f64],
    hit: &[bool],
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    mean_interval(by, "Brier score", &squared_errors(confidence, hit)?)
}

fn squared_errors(confidence: &[f64], hit: &[bool]) -> Result<Vec<f64>, SignalError> {
    check_pairs(confidence, hit)?;
    Ok(confidence.iter().zip(hit).map(|(p, &hit)| (p - f64::from(u8::from(hit))).powi(2)).collect())
}

/// The parts of a Brier score: `brier = reliability - resolution + uncertainty + within_bin_variance -
/// within_bin_covariance`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Murphy {
    /// Weighted mean over bins of (mean confidence - accuracy)^2; 0 is calibrated.
    pub reliability: f64,
    /// Weighted mean over bins of (accuracy - base rate)^2; the higher, the more is told apart.
    pub resolution: f64,
    /// base rate (1 - base rate): what the outcomes themselves bring.
    pub uncertainty: f64,
    /// Mean of (p - mean confidence of its bin)^2.
    pub within_bin_variance: f64,
    /// Twice the mean of (y - accuracy of its bin) (p - mean confidence of its bin).
    pub within_bin_covariance: f64,
    /// The Brier score itself.
    pub brier: f64,
}

/// Murphy's decomposition (1973) of the Brier score of a binary label, with the two terms within bins that make it
/// exact when a bin holds different confidences (Stephenson et al. 2008).
///
/// # Errors
/// No item, lists of different lengths, a confidence outside [0, 1], no bins.
///
/// ```
/// use superalign_signal::calibration::{Bins, murphy};
/// let parts = murphy(&[0.2, 0.2, 0.7, 0.9], &[false, true, true, true], Bins::default())?;
/// let sum = parts.reliability - parts.resolution + parts.uncertainty + parts.within_bin_variance
///     - parts.within_bin_covariance;
/// assert!((sum - parts.brier).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn murphy(confidence: &[f64], hit: &[bool], bins: Bins) -> Result<Murphy, SignalError> {
    check_pairs(confidence, hit)?;
    Ok(decompose(&place(confidence, hit, bins)?, confidence, hit))
}

/// As [`murphy`], of a table of probabilities `(n, k)`: the sum over the classes, each against the rest, so that
/// `brier` is the score in [0, 2].
///
/// # Errors
/// As [`brier`]; no bins.
pub fn classwise_murphy<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    bins: Bins,
) -> Result<Murphy, SignalError> {
    check_labels(labels, probs)?;
    each_row(probs, |_, _, _, _| {})?;
    let mut sum = Murphy::default();
    for (column, class) in probs.axis_iter(Axis(1)).zip(0_u32..) {
        let p: Vec<f64> = column.iter().map(|&p| p.into()).collect();
        let hit: Vec<bool> = labels.iter().map(|&label| label == class).collect();
        let parts = decompose(&place(&p, &hit, bins)?, &p, &hit);
        sum.reliability += parts.reliability;
        sum.resolution += parts.resolution;
        sum.uncertainty += parts.uncertainty;
        sum.within_bin_variance += parts.within_bin_variance;
        sum.within_bin_covariance += parts.within_bin_covariance;
        sum.brier += parts.brier;
    }
    Ok(sum)
}

fn decompose(placed: &Placed, confidence: &[f64], hit: &[bool]) -> Murphy {
    let items = || placed.bin.iter().zip(confidence).zip(hit.iter().map(|&hit| f64::from(u8::from(hit))));
    // Per bin: items, then means of confidence and outcome.
    let mut bins = vec![[0.0; 3]; placed.ends.len()];
    for ((&bin, &p), y) in items() {
        let sums = &mut bins[bin as usize];
        *sums = [sums[0] + 1.0, sums[1] + p, sums[2] + y];
    }
    let n = hit.len() as f64;
    let base = bins.iter().map(|sums| sums[2]).sum::<f64>() / n;
    let mut parts = Murphy { uncertainty: base * (1.0 - base), ..Murphy::default() };
    for sums in bins.iter_mut().filter(|sums| sums[0] > 0.0) {
        let [count, p, y] = *sums;
        *sums = [count, p / count, y / count];
        parts.reliability += count * (sums[1] - sums[2]).powi(2) / n;
        parts.resolution += count * (sums[2] - base).powi(2) / n;
    }
    for ((&bin, &p), y) in items() {
        let [_, mean, accuracy] = bins[bin as usize];
        parts.within_bin_variance += (p - mean).powi(2) / n;
        parts.within_bin_covariance += 2.0 * (y - accuracy) * (p - mean) / n;
        parts.brier += (p - y).powi(2) / n;
    }
    parts
}
