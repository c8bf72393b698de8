//! The bootstrap: 1,000 draws of PGR over 10,000 items in 5,000 groups and 5 seeds.

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use std::hint::black_box;
use superalign_core::Seed;
use superalign_gap::{Bootstrap, performance_gap_recovered};

fn pgr(c: &mut Criterion) {
    let term = |share: usize| Array2::from_shape_fn((5, 10_000), |(s, i)| (i * 7919 + s * 13) % 100 < share);
    let (weak, transfer, ceiling) = (term(60), term(70), term(80));
    let groups: Vec<u32> = (0..10_000).map(|i| i / 2).collect();
    let by = Bootstrap { draws: 1000, level: 0.95, seed: Seed::new(1) };
    c.bench_function("pgr, 10k items, 5k groups, 5 seeds, 1000 draws", |b| {
        b.iter(|| {
            performance_gap_recovered(
                weak.view(),
                transfer.view(),
                ceiling.view(),
                Some(&groups),
                black_box(&by),
            )
        });
    });
}

criterion_group!(benches, pgr);
criterion_main!(benches);
