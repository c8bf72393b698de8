//! The collapse index of five rounds of 100,000 items, and the distance of 1,000 modes from a reference.

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use std::hint::black_box;
use superalign_core::{Bootstrap, Seed};
use superalign_signal::collapse::{
    Distance, Smoothing, collapse_over_rounds, distance_to_reference_estimate,
};
use superalign_signal::label_diversity::{Base, Measure};

fn collapse(c: &mut Criterion) {
    let mut group = c.benchmark_group("collapse");
    group.sample_size(10);
    let by = Bootstrap::new(Seed::new(1));
    let labels = Array2::from_shape_fn((5, 100_000), |(round, item)| (item * 7919 % 10 / (round + 1)) as u32);
    group.bench_function("index, 5 rounds x 100k items, 1,000 draws", |b| {
        b.iter(|| collapse_over_rounds(black_box(labels.view()), 10, Measure::Hill(1.0), &by));
    });
    let counts: Vec<u64> = (1..=1000).map(|mode| 100_000 / mode).collect();
    let reference = vec![0.001; 1000];
    let distance = Distance::JensenShannonDistance(Base::Natural);
    group.bench_function("distance to a reference, 1,000 modes, 1,000 draws", |b| {
        b.iter(|| {
            distance_to_reference_estimate(black_box(&counts), &reference, distance, Smoothing::None, &by)
        });
    });
    group.finish();
}

criterion_group!(benches, collapse);
criterion_main!(benches);
