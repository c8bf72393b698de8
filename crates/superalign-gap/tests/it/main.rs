//! The quantities against published values, values of other packages, planted truths, limits and invariances.

mod annealing;
mod calibration;
mod capacity;
mod draws;
mod golden;
mod pareto;
mod quantities;
mod words;

use ndarray::Array2;
use superalign_core::rand::Rng as _;
use superalign_core::{Rng, Seed};
use superalign_gap::Draws;

/// A number in [0, 1).
fn uniform(rng: &mut Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Answers of (seeds, items) that are right with a probability, independently.
fn coins(seeds: usize, items: usize, right: f64, seed: Seed) -> Array2<bool> {
    let mut rng = seed.rng();
    Array2::from_shape_fn((seeds, items), |_| uniform(&mut rng) < right)
}

/// A quantity with normal draws.
fn normal(value: f64, standard_error: f64, draws: usize, seed: Seed) -> Draws {
    Draws::normal(value, standard_error, draws, seed).expect("draws")
}
