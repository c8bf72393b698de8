//! Calibration of 1,000,000 items of 10 classes: 80 MB that are read once.

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use std::hint::black_box;
use superalign_core::{Bootstrap, Seed, below};
use superalign_signal::calibration::{
    Bins, BrierScale, Clip, Cut, Norm, brier, nll, top_label_error_estimate, top_label_reliability,
};

/// Labels and softmax probabilities of logits that are higher by 2 at the label.
fn input(items: usize, classes: usize) -> (Vec<u32>, Array2<f64>) {
    let mut rng = Seed::new(1).rng();
    let labels: Vec<u32> = (0..items).map(|_| below(&mut rng, classes) as u32).collect();
    let mut probs = Array2::from_shape_simple_fn((items, classes), || below(&mut rng, 1 << 20) as f64 / 3e5);
    for (mut row, &label) in probs.rows_mut().into_iter().zip(&labels) {
        row[label as usize] += 2.0;
        row.mapv_inplace(f64::exp);
        let sum = row.sum();
        row /= sum;
    }
    (labels, probs)
}

fn calibration(c: &mut Criterion) {
    let (labels, probs) = input(1_000_000, 10);
    let ece = |bins| top_label_reliability(&labels, black_box(probs.view()), bins).unwrap().error(Norm::L1);
    c.bench_function("ECE, 15 bins of equal width, 1M x 10", |b| b.iter(|| ece(Bins::default())));
    c.bench_function("ECE, 15 bins of equal mass, 1M x 10", |b| {
        b.iter(|| ece(Bins::Mass { count: 15, cut: Cut::Ranks }));
    });
    c.bench_function("Brier, 1M x 10", |b| b.iter(|| brier(&labels, probs.view(), BrierScale::Full)));
    c.bench_function("NLL, 1M x 10", |b| b.iter(|| nll(&labels, probs.view(), Clip::default())));
    let small = probs.slice(ndarray::s![..100_000, ..]);
    let by = Bootstrap::new(Seed::new(1));
    c.bench_function("ECE with interval, 100k x 10, 1000 draws", |b| {
        b.iter(|| top_label_error_estimate(&labels[..100_000], small, Bins::default(), Norm::L1, &by));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = calibration
}
criterion_main!(benches);
