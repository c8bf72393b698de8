//! Selection of the items with a small loss.

use super::Loss;
use super::batch::{Items, Out};
use crate::{LearnerError, sigmoid};

/// Cross-entropy of the items on which it is smallest, summed and divided by the number n of *all* items.
///
/// `noise` is the share of labels thought to be wrong, in [0, 1): floor((1 - noise) n) items are kept, at least
/// one; of equal losses the earlier item's comes first. With 0 this is [`super::xent`]. The choice counts as a
/// constant. Source: Han et al. 2018, "Co-teaching: Robust training of deep neural networks with extremely noisy
/// labels" (arXiv 1804.06872), its selection with one student; divide by (1 - noise) for its mean over the items that
/// are kept.
///
/// # Errors
/// As [`super::xent`]; also a noise outside its range.
///
/// ```
/// use superalign_learner::loss::{small_loss, xent};
/// let loss = small_loss(&[1.0, -3.0], &[1.0, 1.0], 0.5)?;
/// assert_eq!(loss, 0.5 * xent(&[1.0], &[1.0])?);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
pub fn small_loss(logits: &[f64], labels: &[f64], noise: f64) -> Result<f64, LearnerError> {
    Loss::SmallLoss { noise, warmup: 0.0 }.batch(logits, labels, 1.0).map(|batch| batch.value)
}

pub(super) fn terms(items: Items<'_>, noise: f64, mut out: Out<'_>) {
    out.targets(items.y.iter().copied());
    let kept = kept(items, noise);
    out.weights(kept.into_iter().map(|kept| f64::from(u8::from(kept))));
}

pub(super) fn sum(items: Items<'_>, noise: f64) -> f64 {
    let kept = kept(items, noise);
    items.pairs().zip(kept).filter(|(_, kept)| *kept).map(|((z, y), _)| sigmoid::cross_entropy_of(z, y)).sum()
}

/// Which items are kept.
fn kept(items: Items<'_>, noise: f64) -> Vec<bool> {
    // A hair more, so that (1 - 0.9) * 10 is one item and not none.
    let number = (((1.0 - noise) * items.len() as f64 + 1e-9) as usize).clamp(1, items.len());
    let mut order: Vec<(f64, usize)> =
        items.pairs().enumerate().map(|(i, (z, y))| (sigmoid::cross_entropy_of(z, y), i)).collect();
    if number < order.len() {
        order.select_nth_unstable_by(number, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    }
    let mut kept = vec![false; items.len()];
    order[..number].iter().for_each(|&(_, i)| kept[i] = true);
    kept
}

#[cfg(test)]
mod tests {
    use crate::Loss;

    #[test]
    fn the_number_kept_is_exact_and_ties_go_to_the_earlier() {
        for (noise, expected) in [(0.0, 10), (0.3, 7), (0.75, 2), (0.9, 1), (0.99, 1)] {
            let loss = Loss::SmallLoss { noise, warmup: 0.0 };
            let weights = loss.terms(&[0.0; 10], &[1.0; 10], 1.0).expect("valid").weights;
            let first: Vec<f64> = (0..10).map(|i| f64::from(u8::from(i < expected))).collect();
            assert_eq!(weights, first, "{noise}");
        }
    }
}
