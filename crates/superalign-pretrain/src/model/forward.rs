//! The forward pass: tokens to hidden states and logits.

use crate::matmul::{Matrix, MatrixMut, Old, product};
use crate::model::rope::Turn;
use crate::model::{Documents, Model, Workspace, attention, norm, swiglu};
use crate::real::Real;

impl<T: Real> Model<T> {
    /// Runs the model; [`Workspace::logits`] and [`Workspace::hidden`] then hold what it computed.
    ///
    /// The linear layers run over all tokens of the batch at once, attention within each document.
    ///
    /// ```
    /// use superalign_core::Seed;
    /// use superalign_pretrain::{Documents, Model, Shape, Workspace};
    /// let shape = Shape { vocabulary: 5, layers: 1, width: 4, heads: 2, feed_forward: 8, positions: 8 };
    /// let model = Model::<f32>::new(shape, Seed::new(1))?;
    /// let mut space = Workspace::new();
    /// model.forward(&Documents::new(&[0, 3, 1, 0, 2], &[3, 5], &shape)?, &mut space);
    /// assert_eq!(space.logits().len(), 5 * 5);
    /// assert_eq!(space.hidden(1).map(<[f32]>::len), Some(5 * 4));
    /// # Ok::<(), superalign_pretrain::Error>(())
    /// ```
    pub fn forward(&self, batch: &Documents<'_>, space: &mut Workspace<T>) {
        let shape = self.shape();
        let (n, d, f) = (batch.tokens().len(), shape.width, shape.feed_forward);
        space.fit(shape, batch);
        let w = self.parameters();
        let embedding = &w[self.layout.embedding.clone()];
        let first = &mut space.layers[0].input;
        for (row, &token) in first.chunks_exact_mut(d).zip(batch.tokens()) {
            row.copy_from_slice(&embedding[token as usize * d..][..d]);
        }
        for index in 0..shape.layers {
            let at = &self.layout.layers[index];
            let (before, after) = space.layers.split_at_mut(index + 1);
            let l = &mut before[index];
            let output = after.first_mut().map_or(&mut space.last, |next| &mut next.input);

            norm::forward(&l.input[..n * d], &w[at.norm1.clone()], &mut l.normed1, &mut l.inverse_rms1);
            linear(&mut l.qkv, &l.normed1, &w[at.qkv.clone()], [n, d, 3 * d], Old::Drop);
            self.rope.apply(batch, &mut l.qkv, d, Turn::Forth);
            attention::forward(shape, batch, &l.qkv, &mut l.weights, &mut l.attended);
            l.middle[..n * d].copy_from_slice(&l.input[..n * d]);
            linear(&mut l.middle, &l.attended, &w[at.output.clone()], [n, d, d], Old::Add);

            norm::forward(&l.middle[..n * d], &w[at.norm2.clone()], &mut l.normed2, &mut l.inverse_rms2);
            linear(&mut l.gate_up, &l.normed2, &w[at.gate_up.clone()], [n, d, 2 * f], Old::Drop);
            swiglu::forward(&l.gate_up[..n * 2 * f], &mut l.activated, f);
            output[..n * d].copy_from_slice(&l.middle[..n * d]);
            linear(output, &l.activated, &w[at.down.clone()], [n, f, d], Old::Add);
        }
        let weight = &w[self.layout.norm.clone()];
        norm::forward(&space.last[..n * d], weight, &mut space.normed, &mut space.inverse_rms);
        linear(&mut space.logits, &space.normed, embedding, [n, d, shape.vocabulary], Old::Drop);
    }
}

/// y = x W^T with x (tokens, inputs), W (outputs, inputs), y (tokens, outputs).
fn linear<T: Real>(y: &mut [T], x: &[T], weight: &[T], [tokens, inputs, outputs]: [usize; 3], old: Old) {
    product(
        MatrixMut::dense(y, tokens, outputs),
        Matrix::dense(x, tokens, inputs),
        Matrix::dense(weight, outputs, inputs).t(),
        old,
    );
}
