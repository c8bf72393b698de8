//! What a forward pass leaves for the backward pass, and scratch space: allocated once, used every step.

use crate::model::{Documents, Shape};
use crate::real::Real;

/// Buffers of one thread. They grow to the largest batch seen and are then reused without allocation.
#[derive(Debug, Default)]
pub struct Workspace<T = f32> {
    /// Number of tokens of the last forward pass.
    pub(crate) tokens: usize,
    pub(crate) width: usize,
    pub(crate) vocabulary: usize,
    pub(crate) layers: Vec<LayerSpace<T>>,
    /// The residual stream after the last layer, before the final norm.
    pub(crate) last: Vec<T>,
    /// After the final norm.
    pub(crate) normed: Vec<T>,
    pub(crate) inverse_rms: Vec<T>,
    pub(crate) logits: Vec<T>,
    /// Gradient of the residual stream.
    pub(crate) d_stream: Vec<T>,
    /// Gradients inside a block: (tokens, width) twice, (tokens, 3 width), (tokens, 2 feed_forward), (tokens, feed_forward).
    pub(crate) d_width: Vec<T>,
    pub(crate) d_qkv: Vec<T>,
    pub(crate) d_activated: Vec<T>,
    /// One head's scores: (longest document)^2.
    pub(crate) d_scores: Vec<T>,
}

/// What one layer keeps.
#[derive(Debug, Default)]
pub(crate) struct LayerSpace<T> {
    /// The residual stream that enters, (tokens, width).
    pub(crate) input: Vec<T>,
    pub(crate) inverse_rms1: Vec<T>,
    pub(crate) normed1: Vec<T>,
    /// Queries, keys (both turned by their positions) and values, (tokens, 3 width).
    pub(crate) qkv: Vec<T>,
    /// Attention weights: per document and head a square of its length.
    pub(crate) weights: Vec<T>,
    /// What the heads return, (tokens, width).
    pub(crate) attended: Vec<T>,
    /// The residual stream between the two blocks.
    pub(crate) middle: Vec<T>,
    pub(crate) inverse_rms2: Vec<T>,
    pub(crate) normed2: Vec<T>,
    /// Gate and up, (tokens, 2 feed_forward).
    pub(crate) gate_up: Vec<T>,
    /// silu(gate) * up, (tokens, feed_forward).
    pub(crate) activated: Vec<T>,
}

impl<T: Real> Workspace<T> {
    /// An empty workspace.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Logits of the last forward pass, (tokens, vocabulary).
    #[must_use]
    pub fn logits(&self) -> &[T] {
        &self.logits[..self.tokens * self.vocabulary]
    }

    /// A hidden state of the last forward pass, (tokens, width), by Hugging Face's count: 0 is the embeddings,
    /// `i` what leaves layer `i`; the last one has passed the final norm. None beyond the last.
    #[must_use]
    pub fn hidden(&self, index: usize) -> Option<&[T]> {
        let len = self.tokens * self.width;
        if index == self.layers.len() {
            return Some(&self.normed[..len]);
        }
        self.layers.get(index).map(|layer| &layer.input[..len])
    }

    /// Makes room for a batch.
    pub(crate) fn fit(&mut self, shape: &Shape, batch: &Documents<'_>) {
        let n = batch.tokens().len();
        let longest = batch.spans().map(|(_, len)| len).max().unwrap_or(0);
        let squares: usize = batch.spans().map(|(_, len)| len * len).sum();
        let (d, f) = (shape.width, shape.feed_forward);
        (self.tokens, self.width, self.vocabulary) = (n, d, shape.vocabulary);
        self.layers.resize_with(shape.layers, LayerSpace::default);
        for layer in &mut self.layers {
            for buffer in [&mut layer.input, &mut layer.normed1, &mut layer.attended] {
                grow(buffer, n * d);
            }
            grow(&mut layer.middle, n * d);
            grow(&mut layer.normed2, n * d);
            grow(&mut layer.inverse_rms1, n);
            grow(&mut layer.inverse_rms2, n);
            grow(&mut layer.qkv, n * 3 * d);
            grow(&mut layer.weights, shape.heads * squares);
            grow(&mut layer.gate_up, n * 2 * f);
            grow(&mut layer.activated, n * f);
        }
        grow(&mut self.last, n * d);
        grow(&mut self.normed, n * d);
        grow(&mut self.inverse_rms, n);
        grow(&mut self.logits, n * shape.vocabulary);
        grow(&mut self.d_stream, n * d);
        grow(&mut self.d_width, n * d);
        grow(&mut self.d_qkv, n * 3 * d);
        grow(&mut self.d_activated, n * f);
        grow(&mut self.d_scores, longest * longest);
    }
}

fn grow<T: Real>(buffer: &mut Vec<T>, len: usize) {
    if buffer.len() < len {
        buffer.resize(len, T::ZERO);
    }
}
