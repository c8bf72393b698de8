//! What the trainer itself computes on a few sequences, for comparison with other programs.

use crate::{Documents, Error, Workspace, weights};
use serde::Serialize;
use std::path::Path;
use superalign_core::Seed;

/// Lengths of the probing sequences; those beyond the model's positions are cut.
const LENGTHS: [usize; 4] = [1, 2, 17, 130];

/// The trainer's numbers for some sequences, in the form that `parity/check.py` reads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Probe {
    /// One entry per sequence.
    pub cases: Vec<Case>,
}

/// One sequence, and what the model makes of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Case {
    /// The tokens.
    pub ids: Vec<u32>,
    /// Logits, (tokens, vocabulary).
    pub logits: Vec<Vec<f32>>,
    /// Hidden states, (layers + 1, tokens, width), counted as Hugging Face counts them.
    pub hidden_states: Vec<Vec<Vec<f32>>>,
}

/// Runs the model in `folder` on sequences of random tokens, the same at every call.
///
/// All sequences go through one forward pass, as in training.
///
/// # Errors
/// A folder that [`weights::load`] refuses.
pub fn probe(folder: &Path) -> Result<Probe, Error> {
    let model = weights::load(folder)?.model;
    let shape = model.shape();
    let lengths = LENGTHS.map(|length| length.min(shape.positions));
    let seed = Seed::new(0).named("probe");
    let token = |i| (seed.nth(i).value() % shape.vocabulary as u64) as u32;
    let tokens: Vec<u32> = (0..lengths.iter().sum::<usize>() as u64).map(token).collect();
    let mut end = 0;
    let ends = lengths.map(|length| {
        end += length;
        end
    });
    let batch = Documents::new(&tokens, &ends, shape)?;
    let mut space = Workspace::new();
    model.forward(&batch, &mut space);
    let case = |(start, length)| {
        let rows = |values: &[f32], width: usize| -> Vec<Vec<f32>> {
            values[start * width..][..length * width].chunks_exact(width).map(<[f32]>::to_vec).collect()
        };
        Case {
            ids: tokens[start..][..length].to_vec(),
            logits: rows(space.logits(), shape.vocabulary),
            hidden_states: (0..=shape.layers)
                .filter_map(|layer| space.hidden(layer))
                .map(|state| rows(state, shape.width))
                .collect(),
        }
    };
    Ok(Probe { cases: batch.spans().map(case).collect() })
}
