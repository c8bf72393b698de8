//! One training step at two sizes: `cargo bench -p superalign-pretrain`.
//!
//! Throughput is in tokens; times six times the number of parameters, it is the useful arithmetic.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::num::NonZeroUsize;
use superalign_core::Seed;
use superalign_pretrain::{AdamW, Batch, Documents, LANES, Model, Shape, Stepper, Workspace};

/// Documents of 40 to 129 tokens, 4,096 in all or a little less.
fn batch(vocabulary: u32) -> Batch {
    let mut batch = Batch::default();
    let mut x = 1_u32;
    let mut next = || {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        x >> 8
    };
    loop {
        let document: Vec<u32> = (0..40 + next() % 90).map(|_| next() % vocabulary).collect();
        if batch.tokens.len() + document.len() > 4096 {
            return batch;
        }
        batch.push(&document, None);
    }
}

fn shapes() -> [(&'static str, Shape); 2] {
    let base = Shape { vocabulary: 200, layers: 4, width: 64, heads: 4, feed_forward: 168, positions: 512 };
    [("210k", base), ("3.3M", Shape { width: 256, heads: 8, feed_forward: 704, ..base })]
}

fn step(c: &mut Criterion) {
    let mut group = c.benchmark_group("step");
    group.sample_size(10);
    for (name, shape) in shapes() {
        let batch = batch(200);
        group.throughput(Throughput::Elements(batch.tokens.len() as u64));
        for threads in [1, 2] {
            let Ok(model) = Model::<f32>::new(shape, Seed::new(1)) else { continue };
            let count = NonZeroUsize::MIN.saturating_add(threads - 1);
            let mut stepper = Stepper::new(model, AdamW::new(&shape, 0.1), LANES, count);
            group.bench_function(BenchmarkId::new(name, format!("{threads} threads")), |b| {
                b.iter(|| black_box(stepper.step(&batch, 1e-4)));
            });
        }
    }
    group.finish();
}

fn forward(c: &mut Criterion) {
    let mut group = c.benchmark_group("forward");
    group.sample_size(10);
    for (name, shape) in shapes() {
        let batch = batch(200);
        group.throughput(Throughput::Elements(batch.tokens.len() as u64));
        let (Ok(model), Ok(documents)) =
            (Model::<f32>::new(shape, Seed::new(1)), Documents::new(&batch.tokens, &batch.ends, &shape))
        else {
            continue;
        };
        let mut space = Workspace::new();
        group.bench_function(name, |b| b.iter(|| model.forward(black_box(&documents), &mut space)));
    }
    group.finish();
}

criterion_group!(benches, step, forward);
criterion_main!(benches);
