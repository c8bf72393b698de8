//! The bootstrap: 1,000 draws of PGR over 10,000 items in 5,000 groups and 5 seeds; of a learning curve of 9 sizes; of
//! a calibration of 12 pairs.

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use std::hint::black_box;
use superalign_core::Seed;
use superalign_gap::calibration::{Config, Folds, Pair, calibrate};
use superalign_gap::capacity::learning_curve;
use superalign_gap::{Bootstrap, Draws, performance_gap_recovered};

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

fn curve(c: &mut Criterion) {
    let sizes: Vec<f64> = (0..9).map(|k| 50.0 * f64::from(1 << k)).collect();
    let term = |n: &f64| {
        Array2::from_shape_fn((1, 2000), |(_, i)| (i * 7919 % 2000) as f64 / 2000.0 > 0.15 + 2.0 / n.sqrt())
    };
    let answers: Vec<_> = sizes.iter().map(term).collect();
    let by = Bootstrap::new(Seed::new(1));
    c.bench_function("learning curve, 9 sizes, 2k items, 1000 draws", |b| {
        b.iter(|| learning_curve(&sizes, &answers, None, black_box(&by)));
    });
}

fn calibration(c: &mut Criterion) {
    let pair = |i: u32| {
        let gamma = 0.02 + 0.03 * f64::from(i);
        let draws = |value, name| {
            Draws::normal(value, 0.004, 1000, Seed::new(u64::from(i)).named(name)).expect("draws")
        };
        let gain = draws(0.05 - 2.0 * (gamma - 0.17_f64).powi(2), "gain");
        Pair { teacher: i % 4, student: i / 4, gamma: draws(gamma, "gamma"), gain }
    };
    let pairs: Vec<_> = (0..12).map(pair).collect();
    let config = Config { folds: Folds::Pair, level: 0.95, seed: Seed::new(1) };
    c.bench_function("calibration, 12 pairs left out singly, 1000 draws", |b| {
        b.iter(|| calibrate(&pairs, black_box(&config)));
    });
}

criterion_group!(benches, pgr, curve, calibration);
criterion_main!(benches);
