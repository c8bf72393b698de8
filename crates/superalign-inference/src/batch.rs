//! Batches of similar length, and the threads that work through them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use superalign_core::ModelError;

/// Divides rows of the given lengths into batches, each a list of row numbers.
///
/// Rows are sorted by length (then by number) and filled into a batch while its padded size, rows times the longest
/// length, stays within `budget` tokens; a row that is longer than the budget is a batch of its own. With
/// `equal`, a batch holds rows of one length only and needs no padding. The batches depend on the lengths alone,
/// never on the number of threads. The longest come first, so that threads end together.
pub(crate) fn plan(lengths: &[usize], budget: usize, equal: bool) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&row| (lengths[row], row));
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for row in order {
        let length = lengths[row];
        let fits = batches.last().is_some_and(|batch| {
            (batch.len() + 1).saturating_mul(length) <= budget && (!equal || lengths[batch[0]] == length)
        });
        match batches.last_mut() {
            Some(batch) if fits => batch.push(row),
            _ => batches.push(vec![row]),
        }
    }
    batches.reverse();
    batches
}

/// Runs `work` on every job, one thread per worker, and hands the results to `collect` on the calling thread, in
/// whatever order they are ready.
///
/// # Errors
/// The first error of `work` or `collect`; the remaining jobs are not begun.
pub(crate) fn run<W: Send, J: Sync, R: Send>(
    workers: &mut [W],
    jobs: &[J],
    work: impl Fn(&mut W, &J) -> Result<R, ModelError> + Sync,
    mut collect: impl FnMut(&J, R) -> Result<(), ModelError>,
) -> Result<(), ModelError> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for worker in workers.iter_mut().take(jobs.len()) {
            let (sender, next, stop, work) = (sender.clone(), &next, &stop, &work);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                    let result = work(worker, job);
                    let failed = result.is_err();
                    if sender.send((job, result)).is_err() || failed {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut outcome = Ok(());
        for (job, result) in &receiver {
            outcome = result.and_then(|result| collect(job, result));
            if outcome.is_err() {
                stop.store(true, Ordering::Relaxed);
                break;
            }
        }
        outcome
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_row_is_in_one_batch_and_batches_keep_the_budget(
            lengths in prop::collection::vec(1_usize..60, 0..200), budget in 1_usize..300, equal: bool,
        ) {
            let batches = plan(&lengths, budget, equal);
            let mut rows: Vec<usize> = batches.concat();
            rows.sort_unstable();
            prop_assert_eq!(rows, (0..lengths.len()).collect::<Vec<_>>());
            for batch in &batches {
                let longest = batch.iter().map(|row| lengths[*row]).max().unwrap_or(0);
                prop_assert!(batch.len() == 1 || batch.len() * longest <= budget);
                prop_assert!(!equal || batch.iter().all(|row| lengths[*row] == longest));
            }
        }
    }

    #[test]
    fn results_do_not_depend_on_the_number_of_workers() {
        let jobs: Vec<usize> = (0..100).collect();
        for workers in 1..5 {
            let mut out = vec![0; 100];
            run(
                &mut vec![(); workers],
                &jobs,
                |(), job| Ok(job * job),
                |job, square| {
                    out[*job] = square;
                    Ok(())
                },
            )
            .expect("no job fails");
            assert!(out.iter().enumerate().all(|(i, square)| *square == i * i));
        }
    }

    #[test]
    fn the_first_error_stops_the_rest() {
        let done = AtomicUsize::new(0);
        let jobs: Vec<usize> = (0..1000).collect();
        let result = run(
            &mut [(), ()],
            &jobs,
            |(), _| {
                done.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(std::time::Duration::from_micros(50));
                Ok(())
            },
            |job, ()| if *job >= 5 { Err(ModelError::Stopped) } else { Ok(()) },
        );
        assert!(matches!(result, Err(ModelError::Stopped)));
        assert!(done.load(Ordering::Relaxed) < 1000);
    }
}
