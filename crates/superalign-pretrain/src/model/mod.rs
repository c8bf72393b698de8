//! The model: its shape, where each tensor lies in the flat parameter vector, and its initial values.
//!
//! A Llama-shaped decoder: RMSNorm before each block, rotary positions, causal attention, SwiGLU, a final
//! norm, and logits through the transposed embeddings. [`forward`](Model::forward) and
//! [`backward`](Model::backward) are in their own files.

mod attention;
mod backward;
mod batch;
mod forward;
mod initial;
mod norm;
mod rope;
mod swiglu;
mod workspace;

pub use backward::Upstream;
pub use batch::Documents;
pub use initial::INITIAL_DEVIATION;
pub use workspace::Workspace;

use crate::error::Error;
use crate::real::Real;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use superalign_core::Seed;

/// The epsilon of every RMSNorm.
pub const NORM_EPSILON: f64 = 1e-5;
/// The base of the rotary frequencies.
pub const ROPE_THETA: f64 = 10_000.0;

/// The sizes that fix a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Number of distinct tokens.
    pub vocabulary: usize,
    /// Number of layers.
    pub layers: usize,
    /// Length of a hidden state.
    pub width: usize,
    /// Attention heads; divides the width into even parts.
    pub heads: usize,
    /// Inner width of the feed-forward block.
    pub feed_forward: usize,
    /// The longest sequence.
    pub positions: usize,
}

impl Shape {
    /// This shape, if it is one that a model can have.
    ///
    /// # Errors
    /// A size of zero, a width that the heads do not divide, an odd head.
    pub fn check(self) -> Result<Self, Error> {
        let Self { vocabulary, layers, width, heads, feed_forward, positions } = self;
        for (name, value) in [
            ("vocabulary", vocabulary),
            ("layers", layers),
            ("width", width),
            ("heads", heads),
            ("feed_forward", feed_forward),
            ("positions", positions),
        ] {
            if value == 0 {
                return Err(Error::Shape(format!("{name} is 0: expected at least 1")));
            }
        }
        if !width.is_multiple_of(heads) {
            return Err(Error::Shape(format!(
                "width {width} is not a multiple of heads {heads}: change one of them"
            )));
        }
        if !(width / heads).is_multiple_of(2) {
            return Err(Error::Shape(format!(
                "width {width} over {heads} heads gives an odd head of {}: rotary positions turn pairs, so \
                 width / heads must be even",
                width / heads
            )));
        }
        Ok(self)
    }

    /// Length of a head: width / heads.
    #[must_use]
    pub const fn head(&self) -> usize {
        self.width / self.heads
    }

    /// Number of parameters; the embeddings, which are also the output layer, count once.
    #[must_use]
    pub const fn parameters(&self) -> usize {
        let layer = 2 * self.width + 4 * self.width * self.width + 3 * self.width * self.feed_forward;
        self.vocabulary * self.width + self.layers * layer + self.width
    }

    /// Every tensor in the order in which the flat parameter vector holds them.
    #[must_use]
    pub fn tensors(&self) -> Vec<Tensor> {
        let (d, f) = (self.width, self.feed_forward);
        let mut list = Vec::with_capacity(2 + 9 * self.layers);
        let mut offset = 0;
        let mut push = |name: String, shape: Vec<usize>, kind: Kind| {
            let len = shape.iter().product::<usize>();
            list.push(Tensor { name, shape, kind, range: offset..offset + len });
            offset += len;
        };
        push("model.embed_tokens.weight".into(), vec![self.vocabulary, d], Kind::Embedding);
        for layer in 0..self.layers {
            let name = |part: &str| format!("model.layers.{layer}.{part}.weight");
            push(name("input_layernorm"), vec![d], Kind::Norm);
            push(name("self_attn.q_proj"), vec![d, d], Kind::Query { layer });
            push(name("self_attn.k_proj"), vec![d, d], Kind::Key { layer });
            push(name("self_attn.v_proj"), vec![d, d], Kind::Matrix);
            push(name("self_attn.o_proj"), vec![d, d], Kind::Residual);
            push(name("post_attention_layernorm"), vec![d], Kind::Norm);
            push(name("mlp.gate_proj"), vec![f, d], Kind::Matrix);
            push(name("mlp.up_proj"), vec![f, d], Kind::Matrix);
            push(name("mlp.down_proj"), vec![d, f], Kind::Residual);
        }
        push("model.norm.weight".into(), vec![d], Kind::Norm);
        list
    }

    fn layout(&self) -> Layout {
        let (d, f) = (self.width, self.feed_forward);
        let mut at = 0;
        let mut take = |len: usize| {
            at += len;
            at - len..at
        };
        let embedding = take(self.vocabulary * d);
        let layers = (0..self.layers)
            .map(|_| LayerLayout {
                norm1: take(d),
                qkv: take(3 * d * d),
                output: take(d * d),
                norm2: take(d),
                gate_up: take(2 * f * d),
                down: take(d * f),
            })
            .collect();
        Layout { embedding, layers, norm: take(d) }
    }
}

/// What a tensor is for; decides its initial values and whether it decays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The embeddings, which are also the output layer: drawn from a normal, no weight decay.
    Embedding,
    /// Weights of a norm: start at 1, no weight decay.
    Norm,
    /// The projection to queries: as [`Kind::Matrix`], wider, and set to look back: see the module `initial`.
    Query {
        /// The layer, from 0.
        layer: usize,
    },
    /// The projection to keys: as the one to queries.
    Key {
        /// The layer, from 0.
        layer: usize,
    },
    /// Another projection that reads the residual stream: drawn from a normal, decays.
    Matrix,
    /// A projection that writes to the residual stream: as [`Kind::Matrix`], scaled by 1 / sqrt(2 layers).
    Residual,
}

/// A named part of the flat parameter vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// The name that Hugging Face's `LlamaForCausalLM` gives it.
    pub name: String,
    /// Its shape: (out, in) for projections, row after row.
    pub shape: Vec<usize>,
    /// What it is for.
    pub kind: Kind,
    /// Its place in the flat vector.
    pub range: Range<usize>,
}

/// Places in the flat vector by role. Query, key and value lie one after another and so form one projection of
/// 3 x width outputs; gate and up likewise.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) embedding: Range<usize>,
    pub(crate) layers: Vec<LayerLayout>,
    pub(crate) norm: Range<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct LayerLayout {
    pub(crate) norm1: Range<usize>,
    pub(crate) qkv: Range<usize>,
    pub(crate) output: Range<usize>,
    pub(crate) norm2: Range<usize>,
    pub(crate) gate_up: Range<usize>,
    pub(crate) down: Range<usize>,
}

/// A model: its shape and its parameters.
#[derive(Clone, Debug)]
pub struct Model<T = f32> {
    shape: Shape,
    pub(crate) layout: Layout,
    pub(crate) rope: rope::Rope<T>,
    parameters: Vec<T>,
}

impl<T: Real> Model<T> {
    /// A model with initial values drawn from a seed, every tensor from its own child seed: normal with
    /// deviation 0.02 (0.06 for queries and keys; projections that write to the residual stream are scaled by
    /// 1 / sqrt(2 layers)), norms at 1, and heads that look back: see the module `initial`.
    ///
    /// # Errors
    /// A shape that [`Shape::check`] refuses.
    pub fn new(shape: Shape, seed: Seed) -> Result<Self, Error> {
        let shape = shape.check()?;
        Self::from_parameters(shape, initial::parameters(&shape, seed))
    }

    /// A model from its flat parameter vector, in the order of [`Shape::tensors`].
    ///
    /// # Errors
    /// A shape that [`Shape::check`] refuses, or a vector of another length.
    pub fn from_parameters(shape: Shape, parameters: Vec<T>) -> Result<Self, Error> {
        let shape = shape.check()?;
        if parameters.len() != shape.parameters() {
            return Err(Error::Shape(format!(
                "{} parameters found, but this shape has {}",
                parameters.len(),
                shape.parameters()
            )));
        }
        Ok(Self { shape, layout: shape.layout(), rope: rope::Rope::new(&shape), parameters })
    }

    /// The sizes.
    #[must_use]
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The flat parameter vector, in the order of [`Shape::tensors`].
    #[must_use]
    pub fn parameters(&self) -> &[T] {
        &self.parameters
    }

    /// The flat parameter vector, to be changed.
    #[must_use]
    pub fn parameters_mut(&mut self) -> &mut [T] {
        &mut self.parameters
    }

    /// Every tensor with its values.
    pub fn tensors(&self) -> impl Iterator<Item = (Tensor, &[T])> {
        self.shape.tensors().into_iter().map(|tensor| {
            let values = &self.parameters[tensor.range.clone()];
            (tensor, values)
        })
    }

    /// The values of one tensor by its Hugging Face name.
    #[must_use]
    pub fn tensor(&self, name: &str) -> Option<&[T]> {
        self.shape.tensors().into_iter().find(|t| t.name == name).map(|t| &self.parameters[t.range])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape =
        Shape { vocabulary: 11, layers: 2, width: 12, heads: 3, feed_forward: 20, positions: 16 };

    #[test]
    fn tensors_fill_the_vector_without_gap_or_overlap() {
        let mut at = 0;
        for tensor in SHAPE.tensors() {
            assert_eq!(tensor.range.start, at, "{}", tensor.name);
            at = tensor.range.end;
        }
        assert_eq!(at, SHAPE.parameters());
        let layout = SHAPE.layout();
        assert_eq!(layout.norm.end, at);
        let named = |name: &str| SHAPE.tensors().into_iter().find(|t| t.name == name).unwrap().range;
        assert_eq!(layout.layers[1].qkv.start, named("model.layers.1.self_attn.q_proj.weight").start);
        assert_eq!(layout.layers[1].gate_up.end, named("model.layers.1.mlp.up_proj.weight").end);
        assert_eq!(layout.layers[1].down, named("model.layers.1.mlp.down_proj.weight"));
    }

    #[test]
    fn impossible_shapes_are_refused() {
        let heads = Shape { heads: 5, ..SHAPE }.check().unwrap_err().to_string();
        assert_eq!(heads, "width 12 is not a multiple of heads 5: change one of them");
        assert!(Shape { heads: 4, ..SHAPE }.check().unwrap_err().to_string().contains("odd head of 3"));
        assert!(Shape { layers: 0, ..SHAPE }.check().is_err());
    }
}
