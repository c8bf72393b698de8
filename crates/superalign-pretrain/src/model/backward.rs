//! The backward pass: from gradients of logits and hidden states to gradients of all parameters.
//!
//! The loss is the caller's: cross-entropy, a preference loss or a head on a hidden state all hand in their
//! gradients as an [`Upstream`].

use crate::matmul::{Matrix, MatrixMut, Old, product};
use crate::model::rope::Turn;
use crate::model::{Documents, Model, Workspace, attention, norm, swiglu};
use crate::real::{Real, add};

/// Gradients of a loss with respect to what [`Model::forward`] computed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Upstream<'a, T = f32> {
    /// With respect to the logits, (tokens, vocabulary).
    pub logits: Option<&'a [T]>,
    /// With respect to hidden states, (tokens, width) each, with their index as in [`Workspace::hidden`].
    pub hidden: &'a [(usize, &'a [T])],
}

impl<T: Real> Model<T> {
    /// Adds the gradients of all parameters to `gradient`, a vector in the order of [`Model::parameters`].
    ///
    /// `space` must come from [`Model::forward`] on the same batch; the gate and up values in it are consumed,
    /// so that a second backward pass needs a new forward pass.
    ///
    /// # Panics
    /// When a slice is shorter than its shape, or a hidden state's index is above the number of layers.
    pub fn backward(
        &self,
        batch: &Documents<'_>,
        space: &mut Workspace<T>,
        upstream: Upstream<'_, T>,
        gradient: &mut [T],
    ) {
        let shape = self.shape();
        let (n, d, f, v) = (batch.tokens().len(), shape.width, shape.feed_forward, shape.vocabulary);
        assert_eq!(space.tokens, n, "the workspace holds another batch");
        assert_eq!(gradient.len(), shape.parameters(), "the gradient has another length than the parameters");
        for (index, _) in upstream.hidden {
            assert!(*index <= shape.layers, "hidden state {index} of a model of {} layers", shape.layers);
        }
        let w = self.parameters();
        let embedding = &w[self.layout.embedding.clone()];
        let Workspace { d_stream, d_width, d_qkv, d_activated, d_scores, .. } = space;

        d_width[..n * d].fill(T::ZERO);
        if let Some(d_logits) = upstream.logits {
            let d_logits = &d_logits[..n * v];
            let dw = &mut gradient[self.layout.embedding.clone()];
            linear_backward(d_width, dw, d_logits, &space.normed, embedding, [n, d, v], Old::Drop);
        }
        add_hidden(&upstream, shape.layers, &mut d_width[..n * d]);
        d_stream[..n * d].fill(T::ZERO);
        norm::backward(
            &space.last[..n * d],
            &w[self.layout.norm.clone()],
            &space.inverse_rms,
            &d_width[..n * d],
            d_stream,
            &mut gradient[self.layout.norm.clone()],
        );
        for index in (0..shape.layers).rev() {
            let at = &self.layout.layers[index];
            let l = &mut space.layers[index];

            let (weight, dw) = (&w[at.down.clone()], &mut gradient[at.down.clone()]);
            linear_backward(d_activated, dw, d_stream, &l.activated, weight, [n, f, d], Old::Drop);
            swiglu::backward(&mut l.gate_up[..n * 2 * f], d_activated, f);
            let (weight, dw) = (&w[at.gate_up.clone()], &mut gradient[at.gate_up.clone()]);
            linear_backward(d_width, dw, &l.gate_up, &l.normed2, weight, [n, d, 2 * f], Old::Drop);
            norm::backward(
                &l.middle[..n * d],
                &w[at.norm2.clone()],
                &l.inverse_rms2,
                d_width,
                d_stream,
                &mut gradient[at.norm2.clone()],
            );

            let (weight, dw) = (&w[at.output.clone()], &mut gradient[at.output.clone()]);
            linear_backward(d_width, dw, d_stream, &l.attended, weight, [n, d, d], Old::Drop);
            attention::backward(shape, batch, &l.qkv, &l.weights, d_width, d_qkv, d_scores);
            self.rope.apply(batch, d_qkv, d, Turn::Back);
            let (weight, dw) = (&w[at.qkv.clone()], &mut gradient[at.qkv.clone()]);
            linear_backward(d_width, dw, d_qkv, &l.normed1, weight, [n, d, 3 * d], Old::Drop);
            norm::backward(
                &l.input[..n * d],
                &w[at.norm1.clone()],
                &l.inverse_rms1,
                d_width,
                d_stream,
                &mut gradient[at.norm1.clone()],
            );
            add_hidden(&upstream, index, &mut d_stream[..n * d]);
        }
        let d_embedding = &mut gradient[self.layout.embedding.clone()];
        for (row, &token) in d_stream.chunks_exact(d).zip(batch.tokens()) {
            add(&mut d_embedding[token as usize * d..][..d], row);
        }
    }
}

fn add_hidden<T: Real>(upstream: &Upstream<'_, T>, index: usize, d_hidden: &mut [T]) {
    for (_, given) in upstream.hidden.iter().filter(|(i, _)| *i == index) {
        assert_eq!(given.len(), d_hidden.len(), "gradient of hidden state {index} has the wrong length");
        add(d_hidden, given);
    }
}

/// For y = x W^T: dx = dy W (overwriting or adding), dW += dy^T x.
fn linear_backward<T: Real>(
    dx: &mut [T],
    dw: &mut [T],
    dy: &[T],
    x: &[T],
    weight: &[T],
    [tokens, inputs, outputs]: [usize; 3],
    old: Old,
) {
    let dy = Matrix::dense(dy, tokens, outputs);
    product(MatrixMut::dense(dx, tokens, inputs), dy, Matrix::dense(weight, outputs, inputs), old);
    product(MatrixMut::dense(dw, outputs, inputs), dy.t(), Matrix::dense(x, tokens, inputs), Old::Add);
}
