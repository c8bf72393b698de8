//! Label quality: one score per item, low where its given label is doubtful.

use super::joint::confident_thresholds;
use crate::SignalError;
use crate::probabilities::{check_labels, each_row};
use ndarray::ArrayView2;

/// Divisors are at least this much.
const LEAST: f64 = 1e-6;

/// How good a given label y is, by the probabilities p of the item; all in [0, 1], higher is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Score {
    /// `p[y]`.
    #[default]
    SelfConfidence,
    /// (`p[y]` - largest other p + 1) / 2.
    NormalisedMargin,
    /// ln(1 + s) / s with s = H(p) / (`p[y]` ln k), H being the entropy: low where the model is sure of another class.
    WeightedEntropy,
}

/// Whether probabilities are first made comparable over classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Adjustment {
    /// They are used as they are.
    #[default]
    None,
    /// The confident threshold of each class is subtracted from its probabilities and the largest threshold added;
    /// rows are made to sum to 1 again (cleanlab's `adjust_pred_probs`). Not for [`Score::WeightedEntropy`].
    Thresholds,
}

/// The quality of each given label, `(n)`.
///
/// Labels `(n)`, probabilities `(n, k)` from a model that was not trained on the item. Source: Kuan and Mueller 2022,
/// and cleanlab's `get_label_quality_scores`.
///
/// # Errors
/// No item, fewer than two classes, a label that is no column, a row that is no distribution within 1e-6; an
/// adjustment of the weighted entropy, which does not exist.
///
/// ```
/// use superalign_signal::label_noise::{Adjustment, Score, label_quality};
/// let probs = ndarray::array![[0.75, 0.25, 0.0], [0.25, 0.75, 0.0]];
/// let margin = label_quality(&[0, 0], probs.view(), Score::NormalisedMargin, Adjustment::None)?;
/// assert_eq!(margin, [0.75, 0.25]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn label_quality<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    score: Score,
    adjustment: Adjustment,
) -> Result<Vec<f64>, SignalError> {
    let shift = match adjustment {
        Adjustment::None => None,
        Adjustment::Thresholds if score == Score::WeightedEntropy => {
            return Err(SignalError::undefined(
                "adjusted weighted entropy",
                "adjusted probabilities are none, so that they have no entropy",
            ));
        }
        Adjustment::Thresholds => {
            let thresholds = confident_thresholds(labels, probs)?;
            let largest = thresholds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            Some(thresholds.into_iter().map(|threshold| largest - threshold).collect::<Vec<f64>>())
        }
    };
    check_labels(labels, probs)?;
    let mut scores = Vec::with_capacity(labels.len());
    let mut adjusted = vec![0.0; probs.ncols()];
    each_row(probs, |item, row, _, _| {
        let label = labels[item] as usize;
        scores.push(match &shift {
            None => score_of(row, label, score),
            Some(shift) => {
                let mut sum = 0.0;
                for ((into, &p), shift) in adjusted.iter_mut().zip(row).zip(shift) {
                    *into = p.into() + shift;
                    sum += *into;
                }
                adjusted.iter_mut().for_each(|p| *p /= sum);
                score_of(&adjusted, label, score)
            }
        });
    })?;
    Ok(scores)
}

fn score_of<P: Copy + Into<f64>>(row: &[P], label: usize, score: Score) -> f64 {
    let own: f64 = row[label].into();
    match score {
        Score::SelfConfidence => own,
        Score::NormalisedMargin => {
            let others = row[..label].iter().chain(&row[label + 1..]);
            let most = others.fold(f64::NEG_INFINITY, |most, &p| most.max(p.into()));
            f64::midpoint(own - most, 1.0)
        }
        Score::WeightedEntropy => {
            let terms = row.iter().map(|&p| p.into()).filter(|&p| p > 0.0).map(|p: f64| -p * p.ln());
            let weighted = terms.sum::<f64>() / (row.len() as f64).ln() / own.max(LEAST);
            (weighted + 1.0).ln() / weighted.max(LEAST)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adjusted_entropy_does_not_exist() {
        let probs = ndarray::array![[0.5, 0.5]];
        let found = label_quality(&[0], probs.view(), Score::WeightedEntropy, Adjustment::Thresholds);
        assert_eq!(
            found.unwrap_err().to_string(),
            "adjusted weighted entropy is undefined: adjusted probabilities are none, so that they have no entropy"
        );
    }
}
