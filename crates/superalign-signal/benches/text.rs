//! Text metrics at the sizes that their peers are timed at: 100,000 sentences of about 20 words, or 1,000 of them.
//!
//! Words follow Zipf's law over 5,000 types; three sentences in ten hold a part of one of 200 stock phrases.
//!
//! ```text
//! cargo bench -p superalign-signal --bench text
//! ```

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use superalign_core::{Rng, Seed, below};
use superalign_signal::Bootstrap;
use superalign_signal::text::{
    Bleu, Boundary, Corpus, NearDuplicates, Ngrams, Search, Tokenizer, compression, distinct_n,
    distinct_n_estimate, homogenisation, near_duplicates, pairwise_bleu, self_bleu, self_bleu_estimate,
};

fn sentences(n: usize) -> Vec<String> {
    let mut sum = 0.0;
    let cumulative: Vec<f64> = (1..=5000)
        .map(|rank| {
            sum += 1.0 / f64::from(rank);
            sum
        })
        .collect();
    let word = |rng: &mut Rng| {
        let at = below(rng, 1 << 30) as f64 / f64::from(1 << 30) * sum;
        cumulative.partition_point(|&c| c < at).min(4999)
    };
    let mut rng = Seed::new(7).named("sentences").rng();
    let phrases: Vec<Vec<usize>> = (0..200).map(|_| (0..8).map(|_| word(&mut rng)).collect()).collect();
    (0..n)
        .map(|_| {
            let length = 15 + below(&mut rng, 11);
            let mut words: Vec<usize> = (0..length).map(|_| word(&mut rng)).collect();
            if below(&mut rng, 10) < 3 {
                let from = below(&mut rng, length - 7);
                words[from..from + 8].copy_from_slice(&phrases[below(&mut rng, 200)]);
            }
            words.iter().map(|word| format!("w{word}")).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

fn distinct_up_to_4(texts: &[String]) -> f64 {
    let corpus = Corpus::new(texts, Tokenizer::WhiteSpace).unwrap();
    let ngrams = Ngrams::new(&corpus, 4, Boundary::Within).unwrap();
    (1..=4).map(|n| distinct_n(&ngrams, n).unwrap()).sum()
}

fn many(c: &mut Criterion) {
    let texts = sentences(100_000);
    let corpus = Corpus::new(&texts, Tokenizer::WhiteSpace).unwrap();
    let ngrams = Ngrams::new(&corpus, 4, Boundary::Within).unwrap();
    let mut group = c.benchmark_group("100k texts");
    group.sample_size(10);
    group.bench_function("distinct-1 to 4, from strings", |b| b.iter(|| distinct_up_to_4(black_box(&texts))));
    group.bench_function("tokens", |b| b.iter(|| Corpus::new(black_box(&texts), Tokenizer::WhiteSpace)));
    group.bench_function("n-grams", |b| b.iter(|| Ngrams::new(black_box(&corpus), 4, Boundary::Within)));
    let by = Bootstrap::new(Seed::new(1));
    group.bench_function("distinct-2 with 1,000 draws", |b| b.iter(|| distinct_n_estimate(&ngrams, 2, &by)));
    group.bench_function("compression", |b| b.iter(|| compression(black_box(&texts), " ", 6)));
    let exact = NearDuplicates::default();
    group
        .bench_function("near duplicates, exact", |b| b.iter(|| near_duplicates(black_box(&corpus), &exact)));
    let search = Search::MinHash { bands: 16, rows: 8, seed: Seed::new(1) };
    let minhash = NearDuplicates { search, ..exact };
    group.bench_function("near duplicates, MinHash", |b| {
        b.iter(|| near_duplicates(black_box(&corpus), &minhash));
    });
    group.finish();
}

fn few(c: &mut Criterion) {
    let texts = sentences(1000);
    let corpus = Corpus::new(&texts, Tokenizer::WhiteSpace).unwrap();
    let bleu = Bleu::default();
    let mut group = c.benchmark_group("1k texts");
    group.sample_size(10);
    group.bench_function("self-BLEU-4, from strings", |b| {
        b.iter(|| self_bleu(&Corpus::new(black_box(&texts), Tokenizer::WhiteSpace).unwrap(), &bleu));
    });
    let by = Bootstrap::new(Seed::new(1));
    group.bench_function("self-BLEU-4 with 1,000 draws", |b| {
        b.iter(|| self_bleu_estimate(&corpus, &bleu, &by));
    });
    group.bench_function("pairwise BLEU-4", |b| b.iter(|| pairwise_bleu(black_box(&corpus), &bleu)));
    group.bench_function("homogenisation", |b| b.iter(|| homogenisation(black_box(&corpus))));
    group.finish();
}

criterion_group!(benches, many, few);
criterion_main!(benches);
