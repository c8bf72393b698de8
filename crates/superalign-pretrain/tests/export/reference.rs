//! A Llama decoder in double precision, written from the formulas alone: the judge of every other implementation.

use crate::folder::Parameters;

/// What the decoder computes for one unpadded sequence; row `t` depends only on the tokens up to `t`.
pub(crate) struct Computed {
    /// Logits per token.
    pub(crate) logits: Vec<Vec<f64>>,
    /// Hidden states: embeddings, what leaves each layer, and for the last layer after the final norm.
    pub(crate) hidden: Vec<Vec<Vec<f64>>>,
}

/// Runs the decoder on one sequence.
pub(crate) fn forward(model: &Parameters, tokens: &[i64]) -> Computed {
    let shape = model.shape;
    let embedding = model.matrix("model.embed_tokens.weight");
    let mut x: Vec<Vec<f64>> = tokens.iter().map(|&t| embedding[t as usize].clone()).collect();
    let mut hidden = vec![x.clone()];
    for layer in 0..shape.layers {
        let at = |name: &str| format!("model.layers.{layer}.{name}.weight");
        let normed = norm(model, &x, &at("input_layernorm"));
        let attended = attention(model, &normed, &at);
        add(&mut x, &linear(&attended, &model.matrix(&at("self_attn.o_proj"))));
        let normed = norm(model, &x, &at("post_attention_layernorm"));
        let gate = linear(&normed, &model.matrix(&at("mlp.gate_proj")));
        let up = linear(&normed, &model.matrix(&at("mlp.up_proj")));
        let gated: Vec<Vec<f64>> = gate
            .iter()
            .zip(&up)
            .map(|(g, u)| g.iter().zip(u).map(|(g, u)| g / (1.0 + (-g).exp()) * u).collect())
            .collect();
        add(&mut x, &linear(&gated, &model.matrix(&at("mlp.down_proj"))));
        hidden.push(x.clone());
    }
    let normed = norm(model, &x, "model.norm.weight");
    hidden[shape.layers].clone_from(&normed);
    Computed { logits: linear(&normed, &embedding), hidden }
}

/// Causal attention over rotated queries and keys; several query heads may share a key head.
fn attention(model: &Parameters, x: &[Vec<f64>], at: &dyn Fn(&str) -> String) -> Vec<Vec<f64>> {
    let shape = model.shape;
    let width = shape.width / shape.heads;
    let query = linear(x, &model.matrix(&at("self_attn.q_proj")));
    let key = linear(x, &model.matrix(&at("self_attn.k_proj")));
    let value = linear(x, &model.matrix(&at("self_attn.v_proj")));
    let mut out = vec![vec![0.0; shape.width]; x.len()];
    for head in 0..shape.heads {
        let shared = head / (shape.heads / shape.key_value_heads);
        let own = |row: &[f64], head: usize| row[head * width..][..width].to_vec();
        let rotated = |rows: &[Vec<f64>], head| -> Vec<Vec<f64>> {
            rows.iter().enumerate().map(|(t, row)| rotate(&own(row, head), t)).collect()
        };
        let (queries, keys) = (rotated(&query, head), rotated(&key, shared));
        for (t, q) in queries.iter().enumerate() {
            let scores: Vec<f64> = keys[..=t].iter().map(|k| dot(q, k) / (width as f64).sqrt()).collect();
            let top = scores.iter().copied().fold(f64::MIN, f64::max);
            let total: f64 = scores.iter().map(|s| (s - top).exp()).sum();
            for (s, score) in scores.iter().enumerate() {
                let share = (score - top).exp() / total;
                for (o, v) in out[t][head * width..][..width].iter_mut().zip(own(&value[s], shared)) {
                    *o += share * v;
                }
            }
        }
    }
    out
}

/// Turns the pairs (i, i + half) of one head by `position` times their frequency.
fn rotate(head: &[f64], position: usize) -> Vec<f64> {
    let half = head.len() / 2;
    let mut out = vec![0.0; head.len()];
    for i in 0..half {
        let angle = position as f64 * 10_000f64.powf(-(i as f64) / half as f64);
        let (sin, cos) = angle.sin_cos();
        out[i] = head[i] * cos - head[i + half] * sin;
        out[i + half] = head[i + half] * cos + head[i] * sin;
    }
    out
}

fn norm(model: &Parameters, x: &[Vec<f64>], name: &str) -> Vec<Vec<f64>> {
    let weight = model.vector(name);
    let one = |row: &Vec<f64>| {
        let root = (dot(row, row) / row.len() as f64 + model.shape.norm_epsilon).sqrt();
        row.iter().zip(&weight).map(|(x, w)| x / root * w).collect()
    };
    x.iter().map(one).collect()
}

fn linear(x: &[Vec<f64>], weight: &[Vec<f64>]) -> Vec<Vec<f64>> {
    x.iter().map(|row| weight.iter().map(|w| dot(row, w)).collect()).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(x: &mut [Vec<f64>], y: &[Vec<f64>]) {
    for (x, y) in x.iter_mut().flatten().zip(y.iter().flatten()) {
        *x += y;
    }
}
