//! Diversity of a million hard or soft labels, and intervals.

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use std::hint::black_box;
use superalign_core::{Bootstrap, Seed};
use superalign_signal::label_diversity::{
    Measure, diversity_estimate, diversity_of_labels, diversity_of_mean_estimate, diversity_per_item,
    label_counts,
};

fn diversity(c: &mut Criterion) {
    let mut group = c.benchmark_group("label diversity");
    group.sample_size(10);
    let labels: Vec<u32> =
        (0..1_000_000_u32).map(|i| i.wrapping_mul(2_654_435_761) >> 22).map(|i| i % 10).collect();
    group.bench_function("Hill number, 1M hard labels", |b| {
        b.iter(|| diversity_of_labels(black_box(&labels), 10, Measure::Hill(2.0)));
    });
    let counts = label_counts(&labels, 10).unwrap();
    let by = Bootstrap::new(Seed::new(1));
    group.bench_function("its interval, 1,000 draws", |b| {
        b.iter(|| diversity_estimate(black_box(&counts), Measure::Hill(2.0), &by));
    });
    let soft = Array2::from_shape_fn((1_000_000, 10), |(i, k)| f64::from(1 + (i * 7 + k) as u32 % 10) / 55.0);
    group.bench_function("entropy per item, 1M x 10", |b| {
        b.iter(|| diversity_per_item(black_box(soft.view()), Measure::ENTROPY));
    });
    let part = soft.slice(ndarray::s![..100_000, ..]);
    group.bench_function("entropy of the mean, 100k x 10, 1,000 draws", |b| {
        b.iter(|| diversity_of_mean_estimate(black_box(part), Measure::ENTROPY, &by));
    });
    group.finish();
}

criterion_group!(benches, diversity);
criterion_main!(benches);
