//! The hand-written gradients against finite differences, in double precision.

use superalign_core::Seed;
use superalign_core::rand::Rng as _;
use superalign_pretrain::{Documents, Kind, Model, Shape, Upstream, Workspace, cross_entropy};

const SHAPE: Shape = Shape { vocabulary: 13, layers: 2, width: 12, heads: 3, feed_forward: 10, positions: 9 };
const TOKENS: [u32; 14] = [0, 3, 7, 7, 12, 1, 0, 5, 2, 0, 9, 4, 11, 1];
const ENDS: [usize; 3] = [6, 9, 14];
const WEIGHTS: [f32; 14] = [0.25, 0.25, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.5, 1.0, 1.0, 1.0, 0.0];

fn targets() -> Vec<u32> {
    let mut targets = TOKENS[1..].to_vec();
    targets.push(0);
    targets
}

/// A model whose every tensor, norms included, is far from its initial values: nothing cancels by symmetry, and no
/// head looks at one token only.
fn model() -> Model<f64> {
    let mut rng = Seed::new(6).rng();
    let mut parameters = Vec::with_capacity(SHAPE.parameters());
    for tensor in SHAPE.tensors() {
        let (middle, width) = if tensor.kind == Kind::Norm { (6.0, 0.4) } else { (0.0, 0.7) };
        let mut draw = |_| middle + width * (f64::from(rng.next_u32()) / f64::from(u32::MAX) - 0.5);
        parameters.extend(tensor.range.map(&mut draw));
    }
    Model::from_parameters(SHAPE, parameters).unwrap()
}

/// Directions for the hidden states: the loss is cross-entropy plus their inner products with every hidden state.
fn directions() -> Vec<Vec<f64>> {
    let mut rng = Seed::new(7).rng();
    (0..=SHAPE.layers)
        .map(|_| (0..TOKENS.len() * SHAPE.width).map(|_| f64::from(rng.next_u32()) / 4e9 - 0.5).collect())
        .collect()
}

fn loss(model: &Model<f64>, space: &mut Workspace<f64>, with_hidden: &[Vec<f64>]) -> f64 {
    let batch = Documents::new(&TOKENS, &ENDS, &SHAPE).unwrap();
    model.forward(&batch, space);
    let mut unused = vec![0.0; space.logits().len()];
    let mut loss =
        cross_entropy(space.logits(), SHAPE.vocabulary, &targets(), &WEIGHTS, 0.5, &mut unused) * 0.5;
    for (i, direction) in with_hidden.iter().enumerate() {
        loss += space.hidden(i).unwrap().iter().zip(direction).map(|(x, d)| x * d).sum::<f64>();
    }
    loss
}

fn check(with_hidden: &[Vec<f64>]) {
    let mut model = model();
    let mut space = Workspace::new();
    let batch = Documents::new(&TOKENS, &ENDS, &SHAPE).unwrap();
    loss(&model, &mut space, with_hidden);
    let mut d_logits = vec![0.0; space.logits().len()];
    cross_entropy(space.logits(), SHAPE.vocabulary, &targets(), &WEIGHTS, 0.5, &mut d_logits);
    let hidden: Vec<(usize, &[f64])> =
        with_hidden.iter().enumerate().map(|(i, d)| (i, d.as_slice())).collect();
    let mut gradient = vec![0.0; SHAPE.parameters()];
    model.backward(&batch, &mut space, Upstream { logits: Some(&d_logits), hidden: &hidden }, &mut gradient);

    let step = 1e-5;
    for tensor in SHAPE.tensors() {
        let analytic = &gradient[tensor.range.clone()];
        let mut numeric = Vec::with_capacity(analytic.len());
        for i in tensor.range.clone() {
            let kept = model.parameters()[i];
            let mut at = |x: f64| {
                model.parameters_mut()[i] = x;
                loss(&model, &mut space, with_hidden)
            };
            // Fourth-order central difference.
            let slope = (8.0 * (at(kept + step) - at(kept - step))
                - (at(kept + 2.0 * step) - at(kept - 2.0 * step)))
                / (12.0 * step);
            model.parameters_mut()[i] = kept;
            numeric.push(slope);
        }
        let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>().sqrt();
        let error = norm(&mut analytic.iter().zip(&numeric).map(|(a, n)| a - n));
        let size = norm(&mut numeric.iter().copied());
        assert!(size > 1e-4, "{}: the gradient is too small to check ({size:e})", tensor.name);
        assert!(error < 1e-8 * size.max(1.0), "{}: error {error:e} of {size:e}", tensor.name);
    }
}

#[test]
fn gradients_of_cross_entropy_agree_with_finite_differences() {
    check(&[]);
}

#[test]
fn gradients_of_hidden_states_agree_with_finite_differences() {
    check(&directions());
}
