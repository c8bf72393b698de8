//! Texts per second: `SUPERALIGN_MODEL=DIR cargo bench -p superalign-inference --bench embed`.
//!
//! Without `SUPERALIGN_MODEL`, the tiny decoder of the tests: that measures tokenizing, batching and threads alone.
//! `SUPERALIGN_RUNTIME` chooses the runtime, as everywhere.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::path::{Path, PathBuf};
use superalign_core::{EmbedRequest, Layer, Model as _, Pooling};
use superalign_inference::{OnnxModel, OpenOptions, Runtime};

/// Texts of 3 to 100 words, lengths skewed to the short, the same on every machine.
fn texts(count: usize) -> Vec<String> {
    const WORDS: [&str; 16] = [
        "the", "river", "froze", "early", "this", "year", "is", "it", "true", "that", "a", "judge", "cannot",
        "read", "every", "passage",
    ];
    let mut state = 7_u64;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    (0..count)
        .map(|_| {
            let length = 3 + next(98) * next(98) / 97;
            (0..length).map(|_| WORDS[usize::try_from(next(16)).unwrap_or(0)]).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

fn embed(criterion: &mut Criterion) {
    let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/decoder");
    let folder = std::env::var_os("SUPERALIGN_MODEL").map_or(tiny, PathBuf::from);
    let runtime = Runtime::from_env().expect("a runtime");
    let mut group = criterion.benchmark_group(format!("embed on {}", runtime.name()));
    let texts = texts(1000);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    group.throughput(Throughput::Elements(texts.len() as u64)).sample_size(10);
    for token_budget in [128, 256, 1024] {
        let options = OpenOptions { token_budget: Some(token_budget), ..OpenOptions::default() };
        let mut model = OnnxModel::open(&folder, runtime, &options).expect("a model");
        let request = EmbedRequest { pooling: Pooling::Mean, layer: Layer::Last };
        group.bench_function(format!("{token_budget} tokens a batch"), |bencher| {
            bencher.iter(|| model.embed(&texts, request, &mut |_| true).expect("vectors"));
        });
    }
    group.finish();
}

criterion_group!(benches, embed);
criterion_main!(benches);
