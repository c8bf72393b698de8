//! Negative log-likelihood (log loss, cross-entropy) of given labels.

use super::mean_interval;
use crate::SignalError;
use crate::probabilities::{check_labels, each_row};
use ndarray::ArrayView2;
use superalign_core::{Bootstrap, Estimate};

/// What becomes of a probability of 0, whose logarithm is infinite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clip {
    /// It stays, and the likelihood of an item that has it is undefined.
    Never,
    /// Probabilities are clipped to [e, 1 - e]; rows are not made to sum to 1 again. With the machine epsilon of
    /// double precision, the default, this is scikit-learn's `log_loss`.
    At(f64),
}

impl Default for Clip {
    fn default() -> Self {
        Self::At(f64::EPSILON)
    }
}

/// Negative log-likelihood: the mean over items of -ln `p[label]`, in nats, at least 0.
///
/// Labels `(n)`, probabilities `(n, k)`.
///
/// # Errors
/// No item, fewer than two classes, a label that is no column, a row that is no distribution within 1e-6, an epsilon
/// outside (0, 0.5); with [`Clip::Never`], a label of probability 0.
///
/// ```
/// use superalign_signal::calibration::{Clip, nll};
/// let probs = ndarray::array![[0.5, 0.5], [0.25, 0.75]];
/// assert!((nll(&[0, 0], probs.view(), Clip::default())? - 1.5 * 2_f64.ln()).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn nll<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    clip: Clip,
) -> Result<f64, SignalError> {
    let sum = losses(labels, probs, clip)?.iter().sum::<f64>();
    Ok(sum / labels.len() as f64)
}

/// As [`nll`], with its interval over items.
///
/// # Errors
/// As [`nll`]; settings of the bootstrap out of their range.
pub fn nll_estimate<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    clip: Clip,
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    mean_interval(by, "negative log-likelihood", &losses(labels, probs, clip)?)
}

fn losses<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    clip: Clip,
) -> Result<Vec<f64>, SignalError> {
    check_labels(labels, probs)?;
    let (least, most) = match clip {
        Clip::Never => (0.0, 1.0),
        Clip::At(epsilon) if epsilon > 0.0 && epsilon < 0.5 => (epsilon, 1.0 - epsilon),
        Clip::At(epsilon) => {
            return Err(SignalError::setting("epsilon", epsilon, "a number between 0 and 0.5"));
        }
    };
    let mut losses = Vec::with_capacity(labels.len());
    each_row(probs, |item, row, _, _| {
        let p: f64 = row[labels[item] as usize].into();
        losses.push(-p.clamp(least, most).ln());
    })?;
    if let Some(item) = losses.iter().position(|loss| loss.is_infinite()) {
        let reason = format!("the label of item {item} has probability 0; clipping would make it finite");
        return Err(SignalError::undefined("negative log-likelihood", reason));
    }
    Ok(losses)
}
