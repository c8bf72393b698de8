//! A million comparisons of 200 players: strengths, and a clustered bootstrap of them.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use superalign_core::{Bootstrap, Seed, below};
use superalign_evaluation::peer_review::{
    BradleyTerry, Comparison, Davidson, Errors, JudgeWeighted, Preferred, Tally, bradley_terry,
    bradley_terry_strengths, davidson, judge_weighted, rank_centrality, resampled,
};

const PLAYERS: usize = 200;

fn votes(count: usize) -> Vec<Comparison> {
    let mut rng = Seed::new(1).rng();
    (0..count)
        .map(|_| {
            let first = below(&mut rng, PLAYERS);
            let second = (first + 1 + below(&mut rng, PLAYERS - 1)) % PLAYERS;
            let d = (first as f64 - second as f64) / 50.0;
            let preferred = match below(&mut rng, 1000) {
                0..100 => Preferred::Tie,
                x if (x as f64 - 100.0) / 900.0 < 1.0 / (1.0 + (-d).exp()) => Preferred::First,
                _ => Preferred::Second,
            };
            Comparison { first: first as u32, second: second as u32, preferred }
        })
        .collect()
}

fn peer_review(c: &mut Criterion) {
    let mut group = c.benchmark_group("peer_review");
    group.sample_size(10);
    let list = votes(1_000_000);
    let by = BradleyTerry::default();
    group.bench_function("count, 1M comparisons, 200 players", |b| {
        b.iter(|| Tally::new(black_box(&list), PLAYERS));
    });
    group.bench_function("Bradley-Terry with counting, 1M comparisons, 200 players", |b| {
        b.iter(|| bradley_terry(&Tally::new(black_box(&list), PLAYERS)?, &by));
    });
    group.bench_function("Davidson with counting, 1M comparisons, 200 players", |b| {
        b.iter(|| davidson(&Tally::new(black_box(&list), PLAYERS)?, &Davidson::default()));
    });
    group.bench_function("Rank Centrality with counting, 1M comparisons, 200 players", |b| {
        b.iter(|| rank_centrality(&Tally::new(black_box(&list), PLAYERS)?));
    });
    let prompts: Vec<u32> = (0..1_000_000).map(|n| n / 50).collect();
    let judges: Vec<u32> = (0..1_000_000).map(|n| n % 50).collect();
    group.bench_function("two-way clustered errors, 20,000 prompts x 50 judges", |b| {
        b.iter(|| bradley_terry_strengths(black_box(&list), PLAYERS, &by, Errors::TwoWay(&prompts, &judges)));
    });
    group.bench_function("judge-weighted, 100k comparisons, 50 judges", |b| {
        b.iter(|| {
            judge_weighted(
                black_box(&list[..100_000]),
                &judges[..100_000],
                PLAYERS,
                &JudgeWeighted::default(),
            )
        });
    });
    group.bench_function("clustered bootstrap, 1,000 draws, 1M comparisons, 20,000 prompts", |b| {
        let draws = Bootstrap::new(Seed::new(1));
        b.iter(|| {
            resampled(black_box(&list), PLAYERS, Some(&prompts), &draws, |tally| bradley_terry(tally, &by))
        });
    });
    group.finish();
}

criterion_group!(benches, peer_review);
criterion_main!(benches);
