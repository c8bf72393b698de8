//! What a model knows before the first step: where the heads look.
//!
//! Small models spend most of a small budget on a plateau: nothing can be looked up before some head has learned
//! to look at the token just before, and no head is drawn there while nothing else uses it. So the heads start
//! out looking back, as positional priors do in other models. It costs no parameter and changes no formula: the
//! first coordinate of all embeddings starts at one value, so that queries and keys have a constant part, and in
//! heads that look back this part is turned so that the scores are highest at a fixed distance. (On the world's
//! look-ups, single runs: 4 layers of 64 found nothing in 1.2 million tokens without it, and were at 95% after half a
//! million with it.)

use super::{Kind, ROPE_THETA, Shape};
use crate::real::Real;
use std::f64::consts::TAU;
use superalign_core::rand::Rng as _;
use superalign_core::{Rng, Seed};

/// Standard deviation of the initial weights where nothing else is said.
pub const INITIAL_DEVIATION: f64 = 0.02;
/// That of the projections to queries and keys: at 0.02 the scores of narrow heads would all be about 0.
const SCORE_DEVIATION: f64 = 0.06;
/// The first coordinate of every embedding.
const CONSTANT: f64 = 0.1;
/// How sharply a head looks back: the constant part's length in each of its turned pairs.
const SHARPNESS: f64 = 6.0;
/// How many pairs are turned, those of the highest frequencies: the others hardly tell one token from the next.
const TURNED_PAIRS: usize = 3;

/// The initial values, in the order of [`Shape::tensors`].
pub(super) fn parameters<T: Real>(shape: &Shape, seed: Seed) -> Vec<T> {
    let mut parameters = vec![T::ONE; shape.parameters()];
    for tensor in shape.tensors() {
        let deviation = match tensor.kind {
            Kind::Norm => continue,
            Kind::Query { .. } | Kind::Key { .. } => SCORE_DEVIATION,
            Kind::Residual => INITIAL_DEVIATION / (2.0 * shape.layers as f64).sqrt(),
            Kind::Embedding | Kind::Matrix => INITIAL_DEVIATION,
        };
        let values = &mut parameters[tensor.range];
        let mut rng = seed.named(&tensor.name).rng();
        for value in &mut *values {
            *value = T::of(deviation * normal(&mut rng));
        }
        match tensor.kind {
            Kind::Embedding => values.chunks_exact_mut(shape.width).for_each(|row| row[0] = T::of(CONSTANT)),
            Kind::Query { layer } => look_back(shape, layer, -1.0, values),
            Kind::Key { layer } => look_back(shape, layer, 0.0, values),
            Kind::Norm | Kind::Matrix | Kind::Residual => {}
        }
    }
    parameters
}

/// How far back a head looks at first: in the first layer all heads, later every second one, by turns one and two
/// tokens; `None` for a head that is free.
fn distance(layer: usize, head: usize) -> Option<f64> {
    match (layer, head % 2) {
        (0, odd) => Some(1.0 + odd as f64),
        (_, 0) => Some(1.0 + (head / 2 % 2) as f64),
        _ => None,
    }
}

/// Turns the constant part of the queries, or of the keys, of the heads that look back, by so many times the angle
/// of their distance.
fn look_back<T: Real>(shape: &Shape, layer: usize, turn: f64, values: &mut [T]) {
    // What the norm before the projection makes of the first coordinate.
    let width = shape.width as f64;
    let rest = (width - 1.0) * INITIAL_DEVIATION * INITIAL_DEVIATION;
    let constant = CONSTANT / ((CONSTANT * CONSTANT + rest) / width).sqrt();
    let half = shape.head() / 2;
    for head in 0..shape.heads {
        let Some(distance) = distance(layer, head) else { continue };
        for pair in 0..half.min(TURNED_PAIRS) {
            let frequency = ROPE_THETA.powf(-(pair as f64) / half as f64);
            // A rotation by the position follows: query and key fall together at this distance.
            let angle = turn * frequency * distance;
            let row = head * shape.head() + pair;
            values[row * shape.width] = T::of(SHARPNESS / constant * angle.cos());
            values[(row + half) * shape.width] = T::of(SHARPNESS / constant * angle.sin());
        }
    }
}

/// A standard normal number (Box and Muller's cosine branch).
fn normal(rng: &mut Rng) -> f64 {
    let unit = |bits: u64| (bits >> 11) as f64 / (1_u64 << 53) as f64;
    let radius = (-2.0 * (1.0 - unit(rng.next_u64())).ln()).sqrt();
    radius * (TAU * unit(rng.next_u64())).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape =
        Shape { vocabulary: 100, layers: 2, width: 64, heads: 4, feed_forward: 64, positions: 16 };

    #[test]
    fn initial_values_have_the_stated_deviation() {
        let values: Vec<f64> = parameters(&SHAPE, Seed::new(3));
        for tensor in SHAPE.tensors() {
            let values = &values[tensor.range.clone()];
            if tensor.kind == Kind::Norm {
                assert!(values.iter().all(|&x| x == 1.0));
                continue;
            }
            // Without the first column, which holds the constant part.
            let columns = tensor.shape[1];
            let free: Vec<f64> = values.chunks_exact(columns).flat_map(|row| &row[1..]).copied().collect();
            let mean = free.iter().sum::<f64>() / free.len() as f64;
            let deviation = (free.iter().map(|x| x * x).sum::<f64>() / free.len() as f64).sqrt();
            let expected = match tensor.kind {
                Kind::Query { .. } | Kind::Key { .. } => 0.06,
                Kind::Residual => 0.01,
                _ => 0.02,
            };
            assert!((deviation / expected - 1.0).abs() < 0.05, "{}: {deviation}", tensor.name);
            assert!(mean.abs() < expected / 10.0, "{}: {mean}", tensor.name);
        }
        let embedding = &values[SHAPE.tensors()[0].range.clone()];
        assert!(embedding.chunks_exact(64).all(|row| row[0] == CONSTANT));
    }

    #[test]
    fn heads_that_look_back_score_their_distance_highest() {
        let values: Vec<f64> = parameters(&SHAPE, Seed::new(3));
        let first_column = |name: &str| -> Vec<f64> {
            let tensor = SHAPE.tensors().into_iter().find(|t| t.name == name).unwrap();
            values[tensor.range].chunks_exact(64).map(|row| row[0]).collect()
        };
        for layer in 0..2 {
            let part = |p: &str| first_column(&format!("model.layers.{layer}.self_attn.{p}.weight"));
            let (queries, keys) = (part("q_proj"), part("k_proj"));
            for head in 0..4 {
                let half = SHAPE.head() / 2;
                let score = |back: f64| -> f64 {
                    (0..half)
                        .map(|pair| {
                            let turn = ROPE_THETA.powf(-(pair as f64) / half as f64) * back;
                            let (a, b) = (head * 2 * half + pair, head * 2 * half + half + pair);
                            let (x, y) = (queries[a], queries[b]);
                            let (x, y) = (x * turn.cos() - y * turn.sin(), y * turn.cos() + x * turn.sin());
                            x * keys[a] + y * keys[b]
                        })
                        .sum()
                };
                let best = (0..16).max_by(|&a, &b| score(f64::from(a)).total_cmp(&score(f64::from(b))));
                if let Some(distance) = distance(layer, head) {
                    assert_eq!(best.map(f64::from), Some(distance), "layer {layer}, head {head}");
                }
            }
        }
        assert_eq!([0, 1, 2, 3].map(|head| distance(1, head)), [Some(1.0), None, Some(2.0), None]);
    }
}
