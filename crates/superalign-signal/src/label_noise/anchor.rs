//! The noise matrix from anchor points: items that are of one class almost surely.

use crate::SignalError;
use crate::probabilities::each_row;
use ndarray::{Array2, ArrayView2};

/// Which item is the anchor of a class, by its probability of that class.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Anchor {
    /// The item of the largest probability; of equal ones the first.
    #[default]
    Largest,
    /// The item at this quantile of the probabilities, in (0, 1), the next lower one where it falls between two; 0.97
    /// leaves out outliers where there are many classes (Patrini et al. 2017).
    Quantile(f64),
}

/// The transition matrix `(k, k)` from anchor points: row y, column s holds P(given = s | true = y), the probability
/// of label s at the anchor of class y. Rows sum to 1.
///
/// `probs` `(n, k)` are of a model that was trained on the noisy labels and predicts these, calibrated. Sound where
/// every class has an item that is of it for sure, and where noise depends on the class only. It is the transpose of
/// [`Latent::noise_matrix`](super::Latent::noise_matrix). Source: Patrini et al. 2017.
///
/// # Errors
/// No item, fewer than two classes, a row that is no distribution within 1e-6, a quantile outside (0, 1).
///
/// ```
/// use superalign_signal::label_noise::{Anchor, anchor_transition};
/// let probs = ndarray::array![[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]];
/// let transition = anchor_transition(probs.view(), Anchor::Largest)?;
/// assert_eq!(transition, ndarray::array![[0.9, 0.1], [0.2, 0.8]]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn anchor_transition<P: Copy + Into<f64>>(
    probs: ArrayView2<'_, P>,
    anchor: Anchor,
) -> Result<Array2<f64>, SignalError> {
    let (items, classes) = probs.dim();
    if items == 0 {
        return Err(SignalError::TooFew { what: "items", found: 0, expected: 1 });
    }
    if classes < 2 {
        return Err(SignalError::TooFew { what: "classes", found: classes, expected: 2 });
    }
    let rank = match anchor {
        Anchor::Largest => items - 1,
        Anchor::Quantile(share) if share > 0.0 && share < 1.0 => (share * (items - 1) as f64) as usize,
        Anchor::Quantile(share) => {
            return Err(SignalError::setting("quantile", share, "a number between 0 and 1"));
        }
    };
    each_row(probs, |_, _, _, _| {})?;
    let mut transition = Array2::zeros((classes, classes));
    for class in 0..classes {
        let mut order: Vec<(f64, usize)> =
            probs.column(class).iter().enumerate().map(|(item, &p)| (p.into(), item)).collect();
        let (_, &mut (_, item), _) =
            order.select_nth_unstable_by(rank, |a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        transition.row_mut(class).assign(&probs.row(item).mapv(Into::into));
    }
    Ok(transition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_quantile_leaves_out_the_outlier() {
        let probs = array![[1.0, 0.0], [0.7, 0.3], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8]];
        let found = anchor_transition(probs.view(), Anchor::Quantile(0.8)).unwrap();
        assert_eq!(found, array![[0.7, 0.3], [0.3, 0.7]]);
        let error = anchor_transition(probs.view(), Anchor::Quantile(1.0)).unwrap_err().to_string();
        assert_eq!(error, "quantile = 1: expected a number between 0 and 1");
    }
}
