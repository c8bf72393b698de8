//! The forward pass against an independent one in numpy (`tests/golden/forward.py`).

use serde::Deserialize;
use std::collections::HashMap;
use superalign_pretrain::{Documents, Model, Real, Shape, Workspace, cross_entropy};

#[derive(Deserialize)]
struct Golden {
    shape: Shape,
    parameters: HashMap<String, Vec<f64>>,
    cases: Vec<Case>,
    loss: f64,
}

#[derive(Deserialize)]
struct Case {
    tokens: Vec<u32>,
    logits: Vec<f64>,
    hidden: Vec<Vec<f64>>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../golden/forward.json")).unwrap()
}

/// All cases in one ragged batch.
fn compare<T: Real>(tolerance: f64) {
    let golden = golden();
    let parameters: Vec<T> = golden
        .shape
        .tensors()
        .into_iter()
        .flat_map(|tensor| golden.parameters[&tensor.name].iter().map(|&x| T::of(x)).collect::<Vec<_>>())
        .collect();
    let model = Model::from_parameters(golden.shape, parameters).unwrap();
    let tokens: Vec<u32> = golden.cases.iter().flat_map(|case| case.tokens.clone()).collect();
    let mut ends = Vec::new();
    for case in &golden.cases {
        ends.push(ends.last().unwrap_or(&0) + case.tokens.len());
    }
    let mut space = Workspace::new();
    model.forward(&Documents::new(&tokens, &ends, &golden.shape).unwrap(), &mut space);
    let near = |found: &[T], want: Vec<f64>, what: &str| {
        assert_eq!(found.len(), want.len(), "{what}");
        for (i, (x, y)) in found.iter().zip(want).enumerate() {
            let x = x.to_f64();
            assert!((x - y).abs() < tolerance, "{what}, element {i}: found {x}, expected {y}");
        }
    };
    near(space.logits(), golden.cases.iter().flat_map(|case| case.logits.clone()).collect(), "logits");
    for layer in 0..=golden.shape.layers {
        let want = golden.cases.iter().flat_map(|case| case.hidden[layer].clone()).collect();
        near(space.hidden(layer).unwrap(), want, &format!("hidden state {layer}"));
    }
    assert!(space.hidden(golden.shape.layers + 1).is_none());

    let mut weights = vec![1.0; tokens.len()];
    ends.iter().for_each(|end| weights[end - 1] = 0.0);
    let mut targets = tokens[1..].to_vec();
    targets.push(0);
    let mut d_logits = vec![T::ZERO; space.logits().len()];
    let sum = cross_entropy(space.logits(), golden.shape.vocabulary, &targets, &weights, 1.0, &mut d_logits);
    let mean = sum / f64::from(weights.iter().sum::<f32>());
    assert!((mean - golden.loss).abs() < tolerance, "loss {mean}, expected {}", golden.loss);
}

#[test]
fn the_forward_pass_agrees_with_numpy_in_double_precision() {
    // The rotary angles are rounded to single precision, as Hugging Face does; numpy's here are not.
    compare::<f64>(2e-7);
}

#[test]
fn the_forward_pass_agrees_with_numpy_in_single_precision() {
    compare::<f32>(1e-5);
}
