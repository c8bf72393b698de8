//! Label noise of 1,000,000 items of 10 classes: 80 MB that are read twice for the confident joint.

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array2, s};
use std::hint::black_box;
use superalign_core::{Bootstrap, Seed, below};
use superalign_signal::label_noise::{
    JointOptions, KindOptions, SuspectOptions, confident_joint, confident_thresholds, noise_kind,
    noise_rates, suspects,
};

/// Labels of which a tenth are drawn anew, and softmax probabilities of logits that are higher by 2 at the true class.
fn input(items: usize, classes: usize) -> (Vec<u32>, Array2<f64>) {
    let mut rng = Seed::new(1).rng();
    let mut labels: Vec<u32> = (0..items).map(|_| below(&mut rng, classes) as u32).collect();
    let mut probs = Array2::from_shape_simple_fn((items, classes), || below(&mut rng, 1 << 20) as f64 / 3e5);
    for (mut row, label) in probs.rows_mut().into_iter().zip(&mut labels) {
        row[*label as usize] += 2.0;
        row.mapv_inplace(f64::exp);
        let sum = row.sum();
        row /= sum;
        if below(&mut rng, 10) == 0 {
            *label = below(&mut rng, classes) as u32;
        }
    }
    (labels, probs)
}

fn label_noise(c: &mut Criterion) {
    let (labels, probs) = input(1_000_000, 10);
    let options = JointOptions::default();
    c.bench_function("confident thresholds, 1M x 10", |b| {
        b.iter(|| confident_thresholds(&labels, black_box(probs.view())));
    });
    c.bench_function("confident joint, 1M x 10", |b| {
        b.iter(|| confident_joint(&labels, black_box(probs.view()), &options));
    });
    c.bench_function("suspects, 1M x 10", |b| {
        b.iter(|| suspects(&labels, probs.view(), &SuspectOptions::default()));
    });
    let small = probs.slice(s![..100_000, ..]);
    let by = Bootstrap::new(Seed::new(1));
    c.bench_function("noise rates, 100k x 10, 1000 draws", |b| {
        b.iter(|| noise_rates(&labels[..100_000], small, &by));
    });
    c.bench_function("noise kind, 20k of 100k x 10", |b| {
        b.iter(|| noise_kind(&labels[..100_000], small, &KindOptions::new(Seed::new(1))));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = label_noise
}
criterion_main!(benches);
