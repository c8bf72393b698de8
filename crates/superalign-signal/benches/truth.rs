//! Truth from 100,000 items x 10 raters x 4 classes without gaps, raters right with 0.5 to 0.9 and else at random, and
//! from the same votes with seven in ten missing. Beside the times it prints iterations and the time of one.
//!
//! ```text
//! cargo bench -p superalign-signal --bench truth
//! ```

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use std::hint::black_box;
use std::time::Instant;
use superalign_core::{Seed, below, rand::RngExt as _};
use superalign_signal::truth::{
    DawidSkene, Glad, Mace, Majority, OneCoin, Search, dawid_skene, glad, mace, majority, one_coin, score,
};
use superalign_signal::{Bootstrap, Votes};

const ITEMS: usize = 100_000;
const RATERS: usize = 10;
const CLASSES: usize = 4;

fn votes(missing: f64) -> Votes {
    let mut rng = Seed::new(7).named("votes").rng();
    let mut table = Array2::zeros((ITEMS, RATERS));
    for mut row in table.rows_mut() {
        let truth = below(&mut rng, CLASSES) as i8;
        for (r, vote) in row.iter_mut().enumerate() {
            let right = rng.random::<f64>() < 0.5 + 0.4 * r as f64 / 9.0;
            let any = below(&mut rng, CLASSES) as i8;
            *vote = if right { truth } else { any };
            if rng.random::<f64>() < missing {
                *vote = -1;
            }
        }
    }
    Votes::dense(table.view()).unwrap_or_else(|error| panic!("{error}"))
}

#[expect(clippy::print_stdout, reason = "a benchmark reports to its caller")]
fn report(name: &str, fit: impl Fn(Search) -> usize) {
    let timed = |iterations| {
        let start = Instant::now();
        let done = fit(Search { iterations, tolerance: 1e-8, ..Search::default() });
        (start.elapsed().as_secs_f64() * 1e3, done)
    };
    timed(2);
    let ((short, few), (long, many)) = (timed(2), timed(22));
    let each = (long - short) / (many - few).max(1) as f64;
    println!("{name}: {each:.2} ms an iteration, {:.1} ms before and after", short - each * few as f64);
}

#[expect(clippy::print_stdout, reason = "a benchmark reports to its caller")]
fn truth(c: &mut Criterion) {
    let full = votes(0.0);
    let sparse = votes(0.7);
    let ds =
        |votes: &Votes, search| dawid_skene(votes, None, &DawidSkene { search, ..DawidSkene::default() });
    report("dawid-skene", |search| ds(&full, search).map_or(0, |found| found.iterations));
    report("dawid-skene, sparse", |search| ds(&sparse, search).map_or(0, |found| found.iterations));
    let coin = |search| one_coin(&full, None, &OneCoin { search, ..OneCoin::default() });
    report("one-coin", |search| coin(search).map_or(0, |found| found.iterations));
    let spam = |search| mace(&full, None, &Mace { search, ..Mace::default() });
    report("mace", |search| spam(search).map_or(0, |found| found.iterations));
    let able = |search| glad(&full, None, &Glad { search, ..Glad::default() });
    report("glad", |search| able(search).map_or(0, |found| found.iterations));

    let start = Instant::now();
    let gold = vec![Some(0); ITEMS];
    let labels = vec![0; ITEMS];
    assert!(score(&full, &labels, &gold, &Bootstrap::new(Seed::new(1))).is_ok());
    println!("score, 1,000 resamples: {:.0} ms", start.elapsed().as_secs_f64() * 1e3);

    let mut group = c.benchmark_group("100k x 10 x 4");
    group.sample_size(10);
    group.bench_function("majority", |b| b.iter(|| majority(black_box(&full), None, &Majority::default())));
    group.bench_function("dawid-skene to 1e-6", |b| {
        b.iter(|| dawid_skene(black_box(&full), None, &DawidSkene::default()));
    });
    group.finish();
}

criterion_group!(benches, truth);
criterion_main!(benches);
