//! The metrics of `embedding` at the sizes of a sentence encoder, beside the peak of a plain product.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array2;
use std::hint::black_box;
use std::time::Duration;
use superalign_core::rand::Rng as _;
use superalign_signal::embedding::{
    Bandwidth, Quadrature, RankEntropy, Vendi, ZeroRows, effective_rank, frechet_distance,
    mean_pairwise_cosine, mean_pairwise_cosine_estimate, median_distance, mmd2, prdc, vendi_score,
    vendi_score_estimate,
};
use superalign_signal::{Bootstrap, Estimate};

type Seed = superalign_core::Seed;

/// Forty clusters with noise, in columns of falling scale.
fn clusters(seed: u64, n: usize, d: usize, decay: f64) -> Array2<f32> {
    let centres = normal(Seed::new(0), 40, d);
    let noise = normal(Seed::new(seed), n, d);
    Array2::from_shape_fn((n, d), |(i, j)| {
        ((0.6 * centres[[i % 40, j]] + noise[[i, j]]) * (1.0 + j as f64).powf(-decay)) as f32
    })
}

/// Four uniform numbers are normal enough for a benchmark.
fn normal(seed: Seed, n: usize, d: usize) -> Array2<f64> {
    let mut rng = seed.rng();
    let mut uniform = move || (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
    Array2::from_shape_fn((n, d), |_| (0..4).map(|_| uniform()).sum::<f64>() * 1.7)
}

fn benches(c: &mut Criterion) {
    let mut group = c.benchmark_group("embedding");
    group.sample_size(10).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(300));

    let x = clusters(1, 10_000, 384, 0.5);
    for order in [1.0, 2.0, 0.5] {
        let options = Vendi { order, ..Vendi::default() };
        // The products of a whole Gram matrix, of which a triangle is computed.
        group.throughput(Throughput::Elements(2 * 10_000 * 384 * 384));
        group.bench_function(format!("vendi q={order} 10000x384"), |b| {
            b.iter(|| vendi_score(black_box(x.view()), &options).unwrap());
        });
    }
    group.throughput(Throughput::Bytes(4 * 10_000 * 384));
    group.bench_function("mean cosine 10000x384", |b| {
        b.iter(|| mean_pairwise_cosine(black_box(x.view()), ZeroRows::Refuse).unwrap());
    });
    let by = Bootstrap::new(Seed::new(2));
    group.throughput(Throughput::Elements(2 * 1000 * 10_000 * 384));
    group.bench_function("mean cosine with interval 10000x384", |b| {
        b.iter(|| -> Estimate {
            mean_pairwise_cosine_estimate(black_box(x.view()), ZeroRows::Refuse, &by).unwrap()
        });
    });
    group.throughput(Throughput::Elements(2 * 10_000 * 384 * 384));
    group.bench_function("effective rank 10000x384", |b| {
        b.iter(|| effective_rank(black_box(x.view()), RankEntropy::RoyVetterli).unwrap());
    });

    let (real, fake) = (clusters(3, 5000, 384, 0.0), clusters(4, 5000, 384, 0.0));
    group.throughput(Throughput::Elements(2 * 2 * 5000 * 5000 * 384));
    group.bench_function("prdc k=5 5000x384", |b| {
        b.iter(|| prdc(black_box(real.view()), fake.view(), 5).unwrap());
    });
    group.bench_function("mmd2 5000x384", |b| {
        b.iter(|| mmd2(black_box(real.view()), fake.view(), Bandwidth::Gamma(1e-3)).unwrap());
    });
    group.throughput(Throughput::Elements(2 * 2 * 5000 * 384 * 384));
    group.bench_function("frechet 5000x384", |b| {
        b.iter(|| frechet_distance(black_box(real.view()), fake.view()).unwrap());
    });
    group.throughput(Throughput::Elements(2 * 2 * 5000 * 5000 * 384));
    group.bench_function("median distance 5000x384", |b| {
        b.iter(|| median_distance(black_box(real.view()), None).unwrap());
    });

    let wide = clusters(5, 3000, 3000, 0.5);
    group.bench_function("vendi by quadrature 3000x3000", |b| {
        let by = Quadrature::new(Seed::new(1));
        b.iter(|| vendi_score_estimate(black_box(wide.view()), 1.0, ZeroRows::Refuse, &by).unwrap());
    });
    drop(group);

    let mut group = c.benchmark_group("product");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(2))
        .throughput(Throughput::Elements(2 * 2000 * 2000 * 2000));
    let a = clusters(6, 2000, 2000, 0.0);
    let single = faer::Mat::from_fn(2000, 2000, |i, j| a[[i, j]]);
    group.bench_function("f32 2000^3", |b| b.iter(|| black_box(&single) * &single));
    let double = faer::Mat::from_fn(2000, 2000, |i, j| f64::from(a[[i, j]]));
    group.bench_function("f64 2000^3", |b| b.iter(|| black_box(&double) * &double));
}

criterion_group!(embedding, benches);
criterion_main!(embedding);
