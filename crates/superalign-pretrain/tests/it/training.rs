//! What training promises: it learns, and the result depends on neither threads nor interruptions.

use crate::common::{Place, ladder};
use std::num::NonZeroUsize;
use superalign_core::Seed;
use superalign_pretrain::{AdamW, Batch, Error, Focus, LANES, Model, Outcome, Shape, Stepper, Then, train};

const SHAPE: Shape =
    Shape { vocabulary: 17, layers: 2, width: 24, heads: 3, feed_forward: 40, positions: 64 };

/// Documents without regularity: only memory predicts them.
fn noise(documents: usize) -> Batch {
    let mut batch = Batch::default();
    let mut x = 1_u32;
    for i in 0..documents {
        let document: Vec<u32> = (0..20 + i % 13)
            .map(|_| {
                x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (x >> 16) % 17
            })
            .collect();
        batch.push(&document, None);
    }
    batch
}

fn stepper(lanes: usize, threads: usize) -> Stepper<f32> {
    let model = Model::new(SHAPE, Seed::new(3)).unwrap();
    let [lanes, threads] = [lanes, threads].map(|n| NonZeroUsize::new(n).unwrap());
    Stepper::new(model, AdamW::new(&SHAPE, 0.0), lanes, threads)
}

#[test]
fn a_small_batch_is_learned_by_heart() {
    let batch = noise(4);
    let mut stepper = stepper(4, 1);
    let first = stepper.step(&batch, 1e-2).loss;
    assert!((first - 17_f64.ln()).abs() < 0.1, "before training every word is as likely: {first}");
    let last = (0..300).map(|_| stepper.step(&batch, 1e-2).loss).last().unwrap();
    assert!(last < 0.1, "loss {last} after 300 steps");
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    // Long enough for several shards in every lane.
    let batch = noise(110);
    assert!(batch.tokens.len() > 2600);
    let run = |lanes, threads| {
        let mut stepper = stepper(lanes, threads);
        let losses: Vec<_> = (0..3).map(|_| stepper.step(&batch, 1e-2)).collect();
        (losses, stepper.into_model().parameters().to_vec())
    };
    for lanes in [1, 2, 4] {
        let one = run(lanes, 1);
        for threads in [2, 3, 4, 9] {
            assert!(one == run(lanes, threads), "{lanes} lanes: {threads} threads give another result");
        }
    }
}

#[test]
fn the_sharding_adds_up_to_the_whole_gradient() {
    let batch = noise(90);
    let model = Model::<f64>::new(SHAPE, Seed::new(3)).unwrap();
    let mut stepper = Stepper::new(model, AdamW::new(&SHAPE, 0.0), LANES, NonZeroUsize::MIN);
    let (loss, gradient) = stepper.gradient(&batch);
    let gradient = gradient.to_vec();
    // Document by document: the weighted mean of the parts.
    let (mut sum, mut total, mut count) = (vec![0.0; gradient.len()], 0.0, 0.0);
    let mut start = 0;
    for &end in &batch.ends {
        let mut one = Batch::default();
        one.push(&batch.tokens[start..end], None);
        let tokens = (end - start - 1) as f64;
        let (part, d) = stepper.gradient(&one);
        total += part * tokens;
        count += tokens;
        sum.iter_mut().zip(d).for_each(|(s, d)| *s += d * tokens);
        start = end;
    }
    assert!((loss - total / count).abs() < 1e-12);
    for (i, (whole, s)) in gradient.iter().zip(&sum).enumerate() {
        assert!((whole - s / count).abs() < 1e-12, "parameter {i}: {whole} and {}", s / count);
    }
}

#[test]
fn background_words_have_the_stated_weight() {
    let focus = Focus { after: vec![3, 9], until: 4, background: 0.25 };
    let mut batch = Batch::default();
    batch.push(&[0, 5, 3, 7, 4, 8, 9, 1], Some(&focus));
    // Predicting        5     3     7    4    8     9     1 after the last focus, nothing at the end.
    assert_eq!(batch.weights, [0.25, 0.25, 1.0, 1.0, 0.25, 0.25, 1.0, 0.0]);
    batch.push(&[0, 2], None);
    assert_eq!(batch.weights[8..], [1.0, 0.0]);
    assert_eq!(batch.ends, [8, 10]);
}

fn interrupted(place: &Place, name: &str, every: u64, threads: usize) -> Vec<u8> {
    let ladder = ladder();
    let job = place.job(&ladder, "small", name, threads);
    loop {
        let mut steps = 0;
        let outcome = train(&job, &mut |_| {
            steps += 1;
            if steps >= every { Then::Stop } else { Then::GoOn }
        });
        if let Outcome::Finished { loss } = outcome.unwrap() {
            assert!(loss < 2.8 && loss > 0.1, "loss {loss}");
            return std::fs::read(job.out.join("model.safetensors")).unwrap();
        }
    }
}

#[test]
fn an_interrupted_run_ends_with_the_same_bytes() {
    let place = Place::new();
    let whole = interrupted(&place, "whole", u64::MAX, 1);
    assert!(whole == interrupted(&place, "three", 3, 2), "the weights differ");
    assert!(whole == interrupted(&place, "one", 1, 1), "the weights differ");
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    assert_eq!(read("whole-work/loss.csv"), read("three-work/loss.csv"));
    assert_eq!(read("whole-work/loss.svg"), read("one-work/loss.svg"));
    assert_eq!(read("whole/training.json"), read("one/training.json"));
    assert!(read("whole-work/loss.csv").lines().count() > 9);
}

#[test]
fn a_run_that_was_killed_continues_from_its_last_checkpoint() {
    let place = Place::new();
    let whole = interrupted(&place, "whole", u64::MAX, 1);
    let ladder = ladder();
    let job = place.job(&ladder, "small", "killed", 1);
    // The sixth step never returns: the checkpoint of step 4 is what is left.
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        train(&job, &mut |report| if report.step == 6 { panic!("killed") } else { Then::GoOn })
    }));
    assert!(panic.is_err());
    let mut first = None;
    train(&job, &mut |report| {
        first.get_or_insert(report.step);
        Then::GoOn
    })
    .unwrap();
    assert_eq!(first, Some(5));
    assert!(whole == std::fs::read(job.out.join("model.safetensors")).unwrap(), "the weights differ");
}

#[test]
fn a_finished_run_is_not_repeated() {
    let place = Place::new();
    let whole = interrupted(&place, "model", u64::MAX, 1);
    let ladder = ladder();
    let job = place.job(&ladder, "small", "model", 1);
    let outcome = train(&job, &mut |report| panic!("step {} again", report.step)).unwrap();
    assert!(matches!(outcome, Outcome::Finished { .. }));
    assert!(whole == std::fs::read(job.out.join("model.safetensors")).unwrap());
}

#[test]
fn a_loss_that_is_no_number_is_an_error() {
    let place = Place::new();
    let mut ladder = ladder();
    ladder.rungs[0].learning_rate = 1e30;
    let job = place.job(&ladder, "small", "model", 1);
    let error = train(&job, &mut |_| Then::GoOn).unwrap_err();
    assert!(matches!(error, Error::Diverged { step: 2.. }), "{error}");
    assert!(!job.out.exists());
}
