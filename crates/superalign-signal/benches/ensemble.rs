//! Errors of ten and of a hundred sources on a million items.

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use std::hint::black_box;
use superalign_core::{Bootstrap, Seed};
use superalign_signal::ensemble::{
    IndependentSources, Outcomes, Overall, Pairwise, error_correlation,
    independent_sources_of_outcomes_estimate, overall_estimate, pairwise, pairwise_estimates,
};

fn ensemble(c: &mut Criterion) {
    let mut group = c.benchmark_group("ensemble");
    group.sample_size(10);
    let by = Bootstrap::new(Seed::new(1));
    let right = |sources| {
        Array2::from_shape_fn((1_000_000, sources), |(i, s)| {
            ((i * sources + s) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 62 != 0
        })
    };
    for sources in [10, 100] {
        let table = right(sources);
        group.bench_function(format!("packing, 1M x {sources}"), |b| {
            b.iter(|| Outcomes::new(black_box(table.view())));
        });
        let outcomes = Outcomes::new(table.view()).unwrap();
        group.bench_function(format!("correlation of all pairs, 1M x {sources}"), |b| {
            b.iter(|| pairwise(black_box(&outcomes), Pairwise::Correlation));
        });
        group.bench_function(format!("with intervals of 1,000 draws, 1M x {sources}"), |b| {
            b.iter(|| pairwise_estimates(black_box(&outcomes), Pairwise::Correlation, &by));
        });
        group.bench_function(format!("interrater kappa with its interval, 1M x {sources}"), |b| {
            b.iter(|| overall_estimate(black_box(&outcomes), Overall::InterraterKappa, &by));
        });
    }
    let outcomes = Outcomes::new(right(10).view()).unwrap();
    group.bench_function("independent sources, 1M x 10, 1,000 draws", |b| {
        b.iter(|| {
            independent_sources_of_outcomes_estimate(
                black_box(&outcomes),
                IndependentSources::MeanCorrelation,
                &by,
            )
        });
    });
    let outputs = Array2::from_shape_fn((1_000_000, 10), |(i, s)| ((i * 31 + s * 17) % 101) as f64);
    let truth = vec![50.0; 1_000_000];
    group.bench_function("correlation of signed errors, 1M x 10", |b| {
        b.iter(|| error_correlation(&truth, black_box(outputs.view())));
    });
    group.finish();
}

criterion_group!(benches, ensemble);
criterion_main!(benches);
