//! Agreement from a table of labels with 30% missing, the making of the votes included where the name says so.
//!
//! ```text
//! cargo bench -p superalign-signal --bench agreement
//! ```

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use std::hint::black_box;
use superalign_core::{Bootstrap, Seed, rand::RngExt as _};
use superalign_signal::Votes;
use superalign_signal::agreement::{self, Coefficient, Level, Raters, Weighting};

const MISSING: f64 = 0.3;

/// Raters who give an item its class, or in two of five cases any.
fn classes(items: usize, raters: usize) -> Array2<i8> {
    let mut rng = Seed::new(3).named("classes").rng();
    let mut table = Array2::zeros((items, raters));
    for mut row in table.rows_mut() {
        let class = rng.random_range(0..4);
        for label in &mut row {
            *label = if rng.random_bool(0.4) { rng.random_range(0..4) } else { class };
            if rng.random_bool(MISSING) {
                *label = -1;
            }
        }
    }
    table
}

/// Positive real ratings, nearly all different.
fn reals(items: usize, raters: usize) -> Array2<f64> {
    let mut rng = Seed::new(3).named("reals").rng();
    let mut table = Array2::zeros((items, raters));
    for mut row in table.rows_mut() {
        let level: f64 = rng.random_range(0.0..9.0);
        row.mapv_inplace(|_| level + rng.random_range(0.0..4.0));
        row.mapv_inplace(|rating| if rng.random_bool(MISSING) { f64::NAN } else { rating });
    }
    table
}

fn agreement(c: &mut Criterion) {
    let mut group = c.benchmark_group("agreement");
    group.sample_size(20);
    let nominal = Coefficient::Krippendorff(Level::Nominal);
    let table = classes(100_000, 10);
    let votes = Votes::dense(table.view()).unwrap();
    let by = Bootstrap::new(Seed::new(1));
    group.bench_function("dense 100k x 10", |b| b.iter(|| Votes::dense(black_box(table.view()))));
    group.bench_function("dense and nominal alpha 100k x 10", |b| {
        b.iter(|| agreement::value(&Votes::dense(black_box(table.view())).unwrap(), nominal));
    });
    group.bench_function("nominal alpha 100k x 10", |b| {
        b.iter(|| agreement::value(black_box(&votes), nominal));
    });
    group.bench_function("pairwise Cohen 100k x 10", |b| {
        b.iter(|| agreement::pairwise(black_box(&votes), Coefficient::Cohen(Weighting::default())));
    });
    let real = Votes::numbers(reals(100_000, 3).view()).unwrap();
    for level in [Level::Ordinal, Level::Interval, Level::Ratio] {
        group.bench_function(format!("{level:?} alpha 100k x 3 real"), |b| {
            b.iter(|| agreement::value(black_box(&real), Coefficient::Krippendorff(level)));
        });
    }
    group.sample_size(10);
    let several = [nominal, Coefficient::Fleiss(Weighting::default(), Raters::Varying)];
    group.bench_function("two with intervals 100k x 10, 1000 draws", |b| {
        b.iter(|| agreement::estimates(black_box(&votes), &several, &by));
    });
    let hundred = Bootstrap { draws: 100, ..by };
    for level in [Level::Ordinal, Level::Interval, Level::Ratio] {
        group.bench_function(format!("{level:?} alpha with interval 100k x 3 real, 100 draws"), |b| {
            b.iter(|| agreement::estimate(black_box(&real), Coefficient::Krippendorff(level), &hundred));
        });
    }
    let million = classes(1_000_000, 10);
    group.bench_function("dense and nominal alpha with interval 1M x 10, 1000 draws", |b| {
        b.iter(|| agreement::estimate(&Votes::dense(black_box(million.view())).unwrap(), nominal, &by));
    });
    group.finish();
}

criterion_group!(benches, agreement);
criterion_main!(benches);
