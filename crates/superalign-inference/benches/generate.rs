//! Tokens per second: `cargo bench -p superalign-inference --bench generate`.
//!
//! 32 prompts of 4 to 40 words, continued by 64 tokens each, greedily, through the largest rung of the ladder;
//! `SUPERALIGN_MODEL=DIR` names another decoder. `SUPERALIGN_RUNTIME` chooses the runtime, as everywhere.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::path::{Path, PathBuf};
use superalign_core::Seed;
use superalign_inference::{
    CacheUse, EndToken, GenerateOptions, Generator, OpenOptions, Prompt, Runtime, generate,
};

fn continued(criterion: &mut Criterion) {
    let ladder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/ladder/rung-3");
    let folder = std::env::var_os("SUPERALIGN_MODEL").map_or(ladder, PathBuf::from);
    let runtime = Runtime::from_env().expect("a runtime");
    let words = ["ask", "say", "many", "wrong", "7"];
    let texts = (0..32_usize).map(|text| {
        let words = (0..4 + text * 11 % 37).map(|word| words[(text + word * word) % words.len()]);
        words.collect::<Vec<_>>().join(" ")
    });
    let prompts = Prompt::list(texts, Seed::new(1));
    let options = GenerateOptions { end: EndToken::Ignore, ..GenerateOptions::default() };
    let mut group = criterion.benchmark_group(format!("generate on {}", runtime.name()));
    group.throughput(Throughput::Elements((prompts.len() * options.max_tokens) as u64)).sample_size(10);
    let mut model =
        Generator::open(&folder, runtime, &OpenOptions::default(), CacheUse::default()).expect("a decoder");
    let name = if model.reads_in_place() { "cache read in place" } else { "cache copied" };
    group.bench_function(name, |bencher| {
        bencher.iter(|| generate(&mut model, &prompts, &options, &mut |_| true).expect("completions"));
    });
    group.finish();
}

criterion_group!(benches, continued);
criterion_main!(benches);
