//! Cycles in a million comparisons of 1,000 players, and length bias with its interval.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use superalign_core::{Bootstrap, Seed, below};
use superalign_signal::preference::{Comparison, Preferred, cycle_rate, length_bias_estimate};

fn list(players: usize, comparisons: usize) -> Vec<Comparison> {
    let mut rng = Seed::new(1).rng();
    (0..comparisons)
        .map(|_| {
            let first = below(&mut rng, players);
            let second = (first + 1 + below(&mut rng, players - 1)) % players;
            let preferred = match below(&mut rng, 10) {
                0 => Preferred::Tie,
                1..=6 => {
                    if first < second {
                        Preferred::First
                    } else {
                        Preferred::Second
                    }
                }
                _ => {
                    if first < second {
                        Preferred::Second
                    } else {
                        Preferred::First
                    }
                }
            };
            Comparison { first: first as u32, second: second as u32, preferred }
        })
        .collect()
}

fn preference(c: &mut Criterion) {
    let mut group = c.benchmark_group("preference");
    group.sample_size(10);
    group.bench_function("cycle rate, 1M votes, 1,000 players", |b| {
        let votes = list(1000, 1_000_000);
        b.iter(|| cycle_rate(black_box(&votes), 1000));
    });
    let mut rng = Seed::new(2).rng();
    let mut lengths = || (0..100_000).map(|_| below(&mut rng, 500) as f64).collect::<Vec<_>>();
    let (a, b_lengths) = (lengths(), lengths());
    let won: Vec<bool> =
        a.iter().zip(&b_lengths).enumerate().map(|(i, (a, b))| (a > b) != (i % 3 == 0)).collect();
    let by = Bootstrap::new(Seed::new(1));
    group.bench_function("length bias, 100k pairs, 1,000 draws", |b| {
        b.iter(|| length_bias_estimate(black_box(&a), &b_lengths, &won, &by));
    });
    group.finish();
}

criterion_group!(benches, preference);
criterion_main!(benches);
