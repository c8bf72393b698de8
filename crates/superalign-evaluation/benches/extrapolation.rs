//! Items from 100,000 persons x 50 items, in full and with three answers in ten missing; one curve of four parameters
//! on 12 levels, its profile interval, 1,000 resamples, and a backtest.
//!
//! ```text
//! cargo bench -p superalign-evaluation --bench extrapolation
//! ```

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use std::hint::black_box;
use std::time::Instant;
use superalign_core::{Seed, below};
use superalign_evaluation::Bootstrap;
use superalign_evaluation::extrapolation::{
    Backtest, Bound, Curve, ItemModel, ItemResponse, Points, Resampling, Target, backtest, fit,
    item_response, profile, resample,
};

const PERSONS: usize = 100_000;
const ITEMS: usize = 50;

fn answers(missing: f64) -> Array2<i8> {
    let mut rng = Seed::new(7).named("answers").rng();
    let mut uniform = || (below(&mut rng, 1 << 30) as f64 + 0.5) / f64::from(1 << 30);
    let mut answers = Array2::zeros((PERSONS, ITEMS));
    for mut row in answers.rows_mut() {
        // Twelve uniform numbers make a normal one.
        let ability = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        for (j, answer) in row.iter_mut().enumerate() {
            let (slope, difficulty) = (0.6 + 0.02 * j as f64, (j * 7 % ITEMS) as f64 / 12.5 - 2.0);
            let right = uniform() < 1.0 / (1.0 + (-slope * (ability - difficulty)).exp());
            *answer = if uniform() < missing { -1 } else { i8::from(right) };
        }
    }
    answers
}

#[expect(clippy::print_stdout, reason = "a benchmark reports to its caller")]
fn items() {
    for (name, missing) in [("in full", 0.0), ("with gaps", 0.3)] {
        let answers = answers(missing);
        for model in [ItemModel::Rasch, ItemModel::TwoParameter] {
            let start = Instant::now();
            let options = ItemResponse { model, ..ItemResponse::default() };
            match item_response(answers.view(), None, &options) {
                Ok(found) => println!(
                    "100k x 50 {name}, {model:?}: {:.2} s, {} passes, gradient {:.0e}",
                    start.elapsed().as_secs_f64(),
                    found.iterations,
                    found.gradient
                ),
                Err(error) => println!("100k x 50 {name}, {model:?}: {error}"),
            }
        }
    }
}

fn curves(c: &mut Criterion) {
    items();
    let x: Vec<f64> = (1..=12).map(f64::from).collect();
    let right = [478, 470, 456, 431, 391, 338, 279, 226, 186, 160, 144, 135];
    let points = Points::new(&x, &right, &[500; 12]).unwrap_or_else(|error| panic!("{error}"));
    let free = Bound::Free;
    let logistic = Curve::Logistic { floor: free, ceiling: free };
    let clipped = Curve::ClippedLinear { floor: free, ceiling: free };
    let power = Curve::PowerLaw { asymptote: free };
    let by = Bootstrap::new(Seed::new(1));
    let fitted = fit(&points, logistic).unwrap_or_else(|error| panic!("{error}"));

    let mut group = c.benchmark_group("12 levels");
    group.sample_size(10);
    for (name, curve) in [("logistic", logistic), ("clipped", clipped), ("power law", power)] {
        group.bench_function(format!("fit {name}"), |b| b.iter(|| fit(black_box(&points), curve)));
        group.bench_function(format!("1,000 resamples of {name}"), |b| {
            b.iter(|| resample(black_box(&points), curve, Resampling::Straying, &by));
        });
    }
    group.bench_function("profile interval", |b| {
        b.iter(|| profile(black_box(&points), &fitted, Target::Share(14.0), 0.95));
    });
    let options = Backtest { first: 6, horizon: 3, resampling: Resampling::Straying, bootstrap: by };
    group.bench_function("backtest of logistic, 6 origins", |b| {
        b.iter(|| backtest(black_box(&points), Curve::logistic(), &options));
    });
    group.finish();
}

criterion_group!(benches, curves);
criterion_main!(benches);
