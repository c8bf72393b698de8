//! The sweep of the noise-capacity experiment, 11 noise ratios x 5 seeds on one matrix of features.
//!
//! Beside the time it prints passes and GFLOP/s: the products of the passes (4 n d per problem and pass) and the
//! curvature (n d (d + 1) and d^3 / 3), over the whole time of the call.
//!
//! ```text
//! cargo bench -p superalign-learner --features rayon
//! ```

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array2, ArrayView2};
use std::hint::black_box;
use std::time::{Duration, Instant};
use superalign_core::{Seed, rand::RngExt as _};
use superalign_learner::{ClassConfig, Loss, PositionBias, ProbeConfig, fit_classes, fit_pairs, fit_sweep};

const RATIOS: u64 = 11;
const SEEDS: u64 = 5;

/// Independent features, or such as encoders give: a few shared directions carry most of the variance.
#[derive(Clone, Copy)]
enum Kind {
    Independent,
    Correlated,
}

fn gaussian(rng: &mut impl superalign_core::rand::Rng) -> f32 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    ((-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
}

fn problem(n: usize, d: usize, kind: Kind) -> (Array2<f32>, Array2<f64>) {
    let mut rng = Seed::new(11).named("features").rng();
    let mut x = Array2::from_shape_simple_fn((n, d), || gaussian(&mut rng));
    if let Kind::Correlated = kind {
        // Variances that fall as 1 / rank^1.5, mixed by plane rotations.
        for (j, mut column) in x.columns_mut().into_iter().enumerate() {
            let scale = 30.0 / (1.0 + j as f32).powf(0.75);
            column.mapv_inplace(|v| v * scale);
        }
        for step in [1, 2, 5, 17, 41, 97, 211, 383] {
            for j in 0..d - step.min(d - 1) {
                let k = j + step.min(d - 1);
                for i in 0..n {
                    let (a, b) = (x[(i, j)], x[(i, k)]);
                    (x[(i, j)], x[(i, k)]) = (0.8 * a + 0.6 * b, 0.8 * b - 0.6 * a);
                }
            }
        }
    }
    let direction: Vec<f32> = (0..d).map(|_| 2.0 * gaussian(&mut rng) / (d as f32).sqrt()).collect();
    let truth: Vec<bool> = x
        .outer_iter()
        .map(|row| row.iter().zip(&direction).map(|(a, b)| a * b).sum::<f32>() + gaussian(&mut rng) > 0.0)
        .collect();
    let mut labels = Array2::zeros((n, (RATIOS * SEEDS) as usize));
    for seed in 0..SEEDS {
        let mut rng = Seed::new(seed).named("flips").rng();
        let flips: Vec<f64> = (0..n).map(|_| rng.random()).collect();
        for ratio in 0..RATIOS {
            let column = (seed * RATIOS + ratio) as usize;
            for i in 0..n {
                let flipped = flips[i] < ratio as f64 / (RATIOS - 1) as f64;
                labels[(i, column)] = f64::from(u8::from(truth[i] != flipped));
            }
        }
    }
    (x, labels)
}

fn run(c: &mut Criterion, name: &str, n: usize, d: usize, kind: Kind, config: ProbeConfig) {
    let (x, y) = problem(n, d, kind);
    let start = Instant::now();
    let probes = fit_sweep(x.view(), y.view(), &config);
    let seconds = start.elapsed().as_secs_f64();
    let passes: Vec<usize> = probes.iter().flatten().map(|p| p.fit.iterations).collect();
    let total = passes.iter().sum::<usize>() as f64;
    let (rows, columns) = (n as f64, d as f64);
    let work = 4.0 * rows * columns * total + rows * columns * (columns + 1.0) + columns.powi(3) / 3.0;
    eprintln!(
        "{name}: {} of {} problems solved, {:.1} passes each (at most {}), {:.0} ms, {:.0} GFLOP/s",
        passes.len(),
        probes.len(),
        total / passes.len() as f64,
        passes.iter().max().copied().unwrap_or(0),
        seconds * 1e3,
        work / seconds / 1e9
    );
    c.bench_function(name, |b| b.iter(|| fit_sweep(black_box(x.view()), black_box(y.view()), &config)));
}

fn sweeps(c: &mut Criterion) {
    let config = ProbeConfig::default();
    run(c, "55 x 10,000 x 768, independent", 10_000, 768, Kind::Independent, config);
    run(c, "55 x 10,000 x 768, correlated", 10_000, 768, Kind::Correlated, config);
    run(c, "55 x 2,000 x 64, independent", 2_000, 64, Kind::Independent, config);
    let logconf = ProbeConfig { loss: Loss::LogConf { max_confidence: 0.5, warmup: 0.2 }, ..config };
    run(c, "55 x 2,000 x 64, independent, logconf", 2_000, 64, Kind::Independent, logconf);
    for name in ["gce", "product", "bootstrap-hard", "window", "small-loss", "confident-learning"] {
        let Ok(loss) = Loss::named(name) else { continue };
        let label = format!("55 x 2,000 x 64, independent, {name}");
        run(c, &label, 2_000, 64, Kind::Independent, ProbeConfig { loss, ..config });
    }
}

/// Ten noise ratios of labels of four classes, and the sweep of hard labels as preferences between neighbours.
fn other_kinds(c: &mut Criterion) {
    let (n, d) = (2_000, 64);
    let (x, y) = problem(n, d, Kind::Independent);
    let labels: Vec<Array2<f64>> = (0..10)
        .map(|j| {
            let mut labels = Array2::zeros((n, 4));
            for i in 0..n {
                // Two problems of the sweep together name one of four classes.
                let class = (y[(i, j)] + 2.0 * y[(i, j + RATIOS as usize)]) as usize;
                // Some of each class, where the two have the same labels.
                labels[(i, if i % 10 == 0 { i / 10 % 4 } else { class })] = 1.0;
            }
            labels
        })
        .collect();
    let views: Vec<ArrayView2<'_, f64>> = labels.iter().map(|labels| labels.view()).collect();
    let config = ClassConfig::default();
    c.bench_function("10 x 4 classes x 2,000 x 64", |b| {
        b.iter(|| fit_classes(black_box(x.view()), black_box(&views), &config));
    });
    let second = x.select(ndarray::Axis(0), &(0..n).map(|i| (i + 1) % n).collect::<Vec<_>>());
    let config = ProbeConfig::default();
    c.bench_function("55 x 2,000 pairs x 64", |b| {
        b.iter(|| fit_pairs(black_box(x.view()), second.view(), y.view(), PositionBias::None, &config));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(3));
    targets = sweeps, other_kinds
}
criterion_main!(benches);
