//! Tests of several models together: their invariances, and published data.

mod properties;
mod published;

use crate::Votes;
use ndarray::Array2;
use superalign_core::rand::RngExt as _;
use superalign_core::{Seed, below};

/// Votes of raters who are right with their accuracy and else give any category, some votes missing; and the truths.
fn planted(seed: Seed, items: usize, accuracy: &[f64], k: usize, missing: f64) -> (Array2<i64>, Vec<u32>) {
    let mut rng = seed.rng();
    let truth: Vec<u32> = (0..items).map(|i| if i < k { i } else { below(&mut rng, k) } as u32).collect();
    let table = Array2::from_shape_fn((items, accuracy.len()), |(i, r)| {
        let (miss, right): (f64, f64) = (rng.random(), rng.random());
        let any = below(&mut rng, k) as i64;
        if miss < missing {
            -1
        } else if right < accuracy[r] {
            i64::from(truth[i])
        } else {
            any
        }
    });
    (table, truth)
}

fn votes(table: &Array2<i64>) -> Votes {
    Votes::dense(table.view()).unwrap()
}

fn right(labels: &[u32], truth: &[u32]) -> f64 {
    labels.iter().zip(truth).filter(|(a, b)| a == b).count() as f64 / truth.len() as f64
}
