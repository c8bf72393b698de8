//! Paired statistics of 100,000 items, 1,000 draws and 10,000 patterns of signs.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use superalign_core::{Bootstrap, Seed};
use superalign_evaluation::paired::{
    BootstrapInterval, McNemar, ShareInterval, SignFlip, SmallSample, Table, difference, difference_estimate,
    mcnemar, share, sign_flip,
};

const ITEMS: u32 = 100_000;

fn paired(c: &mut Criterion) {
    let mut group = c.benchmark_group("paired");
    group.sample_size(10);
    let by = Bootstrap::new(Seed::new(1));
    let noise = |n: u32, salt: u64| {
        let bits = (u64::from(n) ^ salt << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((bits ^ bits >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11) as f64 / (1_u64 << 53) as f64
    };
    let scores = |salt| (0..ITEMS).map(|n| noise(n, salt)).collect::<Vec<f64>>();
    let (first, second) = (scores(1), scores(2));
    let right = |scores: &[f64]| scores.iter().map(|x| f64::from(u8::from(*x < 0.7))).collect::<Vec<f64>>();
    let (first_right, second_right) = (right(&first), right(&second));
    let labels: Vec<u32> = (0..ITEMS).map(|n| n / 5).collect();
    group.bench_function("clustered standard error, 100k", |b| {
        b.iter(|| difference(black_box(&first), &second, Some(&labels), SmallSample::Miller));
    });
    for (name, first, second) in
        [("scores", &first, &second), ("right or wrong", &first_right, &second_right)]
    {
        for (clustered, groups) in [("", None), (" in groups of 5", Some(labels.as_slice()))] {
            group.bench_function(format!("BCa, 1,000 draws, 100k {name}{clustered}"), |b| {
                b.iter(|| difference_estimate(black_box(first), second, groups, BootstrapInterval::Bca, &by));
            });
            group.bench_function(format!("sign flips, 10,000 patterns, 100k {name}{clustered}"), |b| {
                b.iter(|| sign_flip(black_box(first), second, groups, &SignFlip::new(Seed::new(1))));
            });
        }
    }
    group.bench_function("McNemar mid-p, 40k discordant", |b| {
        let table = Table { both: 1, first_only: 20_300, second_only: 19_900, neither: 1 };
        b.iter(|| mcnemar(black_box(&table), McNemar::MidP));
    });
    group.bench_function("Clopper-Pearson, 70k of 100k", |b| {
        b.iter(|| share(black_box(70_000), 100_000, ShareInterval::ClopperPearson, 0.95));
    });
    group.finish();
}

criterion_group!(benches, paired);
criterion_main!(benches);
