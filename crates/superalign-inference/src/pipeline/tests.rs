//! Streams of numbers through workers that only count.

use super::*;
use proptest::prelude::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// An item is its length; `0` is refused. Its answer is its length twice.
fn encode(item: &usize) -> Result<usize, String> {
    if *item == 0 { Err("no token".into()) } else { Ok(*item) }
}

fn answer((): &mut (), rows: &[&usize]) -> Result<Vec<f32>, ModelError> {
    Ok(rows.iter().flat_map(|row| [**row as f32; 2]).collect())
}

const STEPS: Steps<'static, usize, usize, ()> =
    Steps { model: "counter", size: &|_| 1, encode: &encode, length: &|length| *length, answer: &answer };

fn shape(items: usize, budget: usize) -> Shape {
    Shape { items, bytes: usize::MAX, ..Shape::new(budget, 2) }
}

/// The answers in the order in which they are handed on, and the first item of each window.
fn all(items: &[usize], workers: usize, shape: &Shape) -> Result<(Vec<f32>, Vec<usize>), ModelError> {
    let (mut answers, mut firsts, mut counted) = (Vec::new(), Vec::new(), 0);
    let mut stream = items.iter().map(|item| Ok::<_, ModelError>(*item));
    run(&mut vec![(); workers], shape, &mut stream, &STEPS, &mut |heard| {
        match heard {
            Heard::Window { first, answers: window } => {
                firsts.push(first);
                answers.extend(window.iter());
            }
            Heard::Batch { items, .. } => counted += items,
            Heard::Encoded(_) => {}
        }
        Ok(())
    })?;
    assert_eq!(counted * 2, answers.len());
    Ok((answers, firsts))
}

proptest! {
    #[test]
    fn answers_come_in_order_whatever_the_windows_and_the_workers(
        items in prop::collection::vec(1_usize..50, 0..400),
        window in 1_usize..150, budget in 1_usize..200, workers in 1_usize..4, helpers in 0_usize..3,
        skip in 0_usize..450,
    ) {
        let shape = Shape { helpers, skip, ..shape(window, budget) };
        let (answers, firsts) = all(&items, workers, &shape).expect("answers");
        // Whole windows are passed over.
        let begin = (skip / window * window).min(items.len());
        let begin = if skip >= items.len() { items.len() } else { begin };
        let expected: Vec<f32> = items[begin..].iter().flat_map(|&item| [item as f32; 2]).collect();
        prop_assert_eq!(answers, expected);
        prop_assert!(firsts.windows(2).all(|pair| pair[0] + window == pair[1]));
        prop_assert_eq!(firsts.first().copied(), (begin < items.len()).then_some(begin));
    }

    #[test]
    fn the_first_item_refused_is_the_error_for_any_number_of_workers(
        refused in prop::collection::btree_set(0_usize..300, 1..5), window in 1_usize..200, workers in 1_usize..4,
    ) {
        let items: Vec<usize> = (0..300).map(|at| usize::from(!refused.contains(&at))).collect();
        let error = all(&items, workers, &shape(window, 20)).expect_err("one is refused");
        let first = refused.first().copied().expect("one");
        prop_assert_eq!(error.to_string(), format!("text {first}: no token"));
    }
}

#[test]
fn bytes_end_a_window_as_well() {
    let steps = Steps { size: &|item| *item, ..STEPS };
    let mut firsts = Vec::new();
    let mut stream = [5, 5, 90, 1, 1].into_iter().map(Ok::<_, ModelError>);
    let shape = Shape { bytes: 10, ..shape(100, 10) };
    run(&mut [()], &shape, &mut stream, &steps, &mut |heard| {
        if let Heard::Window { first, .. } = heard {
            firsts.push(first);
        }
        Ok(())
    })
    .expect("answers");
    assert_eq!(firsts, [0, 2, 3]);
}

#[test]
fn reading_waits_for_the_oldest_window() {
    let (read, ahead) = (AtomicUsize::new(0), Mutex::new(0));
    let mut stream = (0..1000).map(|_| {
        read.fetch_add(1, Ordering::Relaxed);
        Ok::<_, ModelError>(1)
    });
    run(&mut [(), ()], &shape(10, 5), &mut stream, &STEPS, &mut |heard| {
        if let Heard::Window { first, .. } = heard {
            let mut most = ahead.lock().expect("no panic");
            *most = (read.load(Ordering::Relaxed) - first).max(*most);
        }
        Ok(())
    })
    .expect("answers");
    assert_eq!(read.load(Ordering::Relaxed), 1000);
    assert!(*ahead.lock().expect("no panic") <= 10 * OPEN);
}

#[test]
fn whatever_fails_ends_the_rest_without_waiting() {
    let endless = || std::iter::repeat(1).map(Ok::<usize, ModelError>);
    let shape = shape(10, 5);
    // The caller has heard enough.
    let mut calls = 0;
    let stopped = run(&mut [(), ()], &shape, &mut endless(), &STEPS, &mut |_| {
        calls += 1;
        if calls < 5 { Ok(()) } else { Err(ModelError::Stopped) }
    });
    assert!(matches!(stopped, Err(ModelError::Stopped)));
    // The source breaks off.
    let broken = || Err(ModelError::Input { index: 7, reason: "torn".into() });
    let torn = run(&mut [()], &shape, &mut endless().take(50).chain([broken()]), &STEPS, &mut |_| Ok(()));
    assert_eq!(torn.expect_err("torn").to_string(), "text 7: torn");
    // The runtime fails, or panics, or answers nonsense.
    for (what, expected) in
        [(0, "counter: broken"), (1, "panicked"), (2, "not a finite number"), (3, "expected 2 each")]
    {
        let answer = |(): &mut (), rows: &[&usize]| match what {
            0 => Err(failed("counter", "broken")),
            1 => panic!("as some libraries do"),
            2 => Ok(vec![f32::NAN; rows.len() * 2]),
            _ => Ok(vec![0.0; rows.len()]),
        };
        let steps = Steps { answer: &answer, ..STEPS };
        let error =
            run(&mut [(), ()], &shape, &mut endless(), &steps, &mut |_| Ok(())).expect_err("it fails");
        assert!(error.to_string().contains(expected), "{error}");
    }
    let encode = |_: &usize| -> Result<usize, String> { panic!("as some libraries do") };
    let steps = Steps { encode: &encode, ..STEPS };
    let error = run(&mut [()], &shape, &mut endless(), &steps, &mut |_| Ok(())).expect_err("it panics");
    assert!(error.to_string().contains("panicked"), "{error}");
}

#[test]
fn a_slow_sink_loses_nothing() {
    let items: Vec<usize> = (0..200).map(|at| at % 7 + 1).collect();
    let mut count = 0;
    run(
        &mut [(), ()],
        &shape(10, 8),
        &mut items.iter().map(|item| Ok::<_, ModelError>(*item)),
        &STEPS,
        &mut |heard| {
            if let Heard::Window { answers, .. } = heard {
                std::thread::sleep(Duration::from_millis(1));
                count += answers.nrows();
            }
            Ok(())
        },
    )
    .expect("answers");
    assert_eq!(count, 200);
}
