//! Cross-entropy of the next token, fused with its gradient.

use crate::real::{Real, maximum, replace_and_sum};
use crate::wide::wide;

/// Weighted cross-entropy over rows of logits (rows, vocabulary), and its gradient.
///
/// Returns the sum over rows of weight * -ln softmax(logits)\[target\], in nats, and writes the gradient of
/// `scale` times that sum to `d_logits`. For a weighted mean, `scale` is 1 / sum of weights.
///
/// # Panics
/// When the slices do not have the same number of rows, or a target is outside the vocabulary.
pub fn cross_entropy<T: Real>(
    logits: &[T],
    vocabulary: usize,
    targets: &[u32],
    weights: &[f32],
    scale: f64,
    d_logits: &mut [T],
) -> f64 {
    assert_eq!(logits.len(), targets.len() * vocabulary, "one row of logits per target");
    assert_eq!(targets.len(), weights.len(), "one weight per target");
    rows(logits, vocabulary, targets, weights, scale, d_logits)
}

wide! {
    fn rows<'a, T>(
        logits: &'a [T],
        vocabulary: usize,
        targets: &'a [u32],
        weights: &'a [f32],
        scale: f64,
        d_logits: &'a mut [T],
    ) -> f64 {
        let mut loss = 0.0;
        let given = logits.chunks_exact(vocabulary).zip(targets).zip(weights);
        for (((logits, &target), &weight), d) in given.zip(d_logits.chunks_exact_mut(vocabulary)) {
            if weight == 0.0 {
                d.fill(T::ZERO);
                continue;
            }
            let top = maximum(logits);
            d.copy_from_slice(logits);
            let sum = replace_and_sum(d, |x| (x - top).exp());
            let weight = f64::from(weight);
            loss += weight * (sum.to_f64().ln() + (top - logits[target as usize]).to_f64());
            let gain = T::of(weight * scale);
            let factor = gain / sum;
            for x in d.iter_mut() {
                *x = *x * factor;
            }
            d[target as usize] -= gain;
        }
        loss
    }
}
