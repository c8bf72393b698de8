//! Training of one trunk on one thread, at sizes of the annealing experiment.
//!
//! Beside the time it prints items/s and GFLOP/s: the products of a step (4 d r + 6 r h per item, the heads left out)
//! over the whole time of the call, next to what one large product reaches in the same run. Those times are of the
//! processor where the system tells them (so that other work on the machine counts less), else of the clock.
//!
//! ```text
//! cargo bench -p superalign-learner --bench trunk
//! ```

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array1, Array2};
use std::hint::black_box;
use std::time::{Duration, Instant};
use superalign_core::{Seed, rand::RngExt as _};
use superalign_learner::{Items, Plan, TrunkConfig, TrunkItems, TrunkProblem, fit_trunks};

const ROWS: usize = 4096;

/// Seconds that this thread has computed, or seconds since `start`.
fn seconds(start: Instant) -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| start.elapsed().as_secs_f64(), |ns| ns / 1e9)
}

/// Least seconds of several runs.
fn least(runs: usize, mut run: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut best = f64::INFINITY;
    for _ in 0..runs {
        let before = seconds(start);
        run();
        best = best.min(seconds(start) - before);
    }
    best
}

/// GFLOP/s of a square product in single precision on one thread, the best of eight.
fn peak() -> f64 {
    let n = 1024;
    let (a, b) = (vec![1.0_f32; n * n], vec![0.5_f32; n * n]);
    let mut c = vec![0.0_f32; n * n];
    let best = least(8, || {
        let (one, across) = (1, n as isize);
        let (to, left, right) = (c.as_mut_ptr(), a.as_ptr(), b.as_ptr());
        // SAFETY: three square matrices of n * n elements, columns contiguous; only `c` is written.
        #[expect(unsafe_code, reason = "gemm takes raw pointers")]
        unsafe {
            gemm::gemm(
                n,
                n,
                n,
                to,
                across,
                one,
                false,
                left,
                across,
                one,
                right,
                across,
                one,
                0.0,
                1.0,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    });
    black_box(&c);
    2.0 * (n as f64).powi(3) / best / 1e9
}

fn trunks(c: &mut Criterion) {
    let peak = peak();
    eprintln!("sgemm 1024: {peak:.0} GFLOP/s on one thread");
    for (d, rank, width, batch) in
        [(160, 16, 64, 64), (192, 16, 64, 128), (192, 32, 128, 128), (224, 32, 256, 256), (224, 64, 256, 256)]
    {
        let mut rng = Seed::new(11).rng();
        let x = Array2::from_shape_simple_fn((ROWS, d), || rng.random::<f32>() - 0.5);
        let mut label = || Array1::from_shape_simple_fn(ROWS, || f64::from(u8::from(rng.random::<bool>())));
        let (competence, conformity) = (label(), label());
        let problem = TrunkProblem {
            competence: Some(competence.view()),
            conformity: Some(conformity.view()),
            seed: Seed::new(1),
            start: None,
        };
        let plan = Plan::Parallel { weight: 0.5 };
        let config = TrunkConfig { rank, width, batch, plan, steps: 1000, ..TrunkConfig::default() };
        let items = TrunkItems::Shared(Items::new(x.view()));
        let name = format!("d {d}, rank {rank}, width {width}, batch {batch}");
        let seconds = least(4, || {
            assert!(black_box(fit_trunks(&items, &[problem], &config)).iter().all(Result::is_ok));
        });
        let read = (config.steps * batch) as f64;
        let speed = (4 * d * rank + 6 * rank * width) as f64 * read / seconds / 1e9;
        eprintln!(
            "{name}: {:.0}k items/s, {:.1} us a step, {speed:.0} GFLOP/s, {:.0}% of sgemm",
            read / seconds / 1e3,
            seconds / config.steps as f64 * 1e6,
            100.0 * speed / peak
        );
        let short = TrunkConfig { steps: 100, ..config };
        c.bench_function(&name, |b| b.iter(|| fit_trunks(black_box(&items), &[problem], &short)));
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(2));
    targets = trunks
}
criterion_main!(benches);
