//! What is to be done next, shared by the threads of a pipeline.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Items to be encoded.
pub(super) struct Block<T> {
    pub(super) window: usize,
    pub(super) block: usize,
    pub(super) items: Vec<T>,
}

/// Items of a window to be answered together.
pub(super) struct Batch<K> {
    pub(super) window: usize,
    /// All of the window.
    pub(super) encoded: Arc<Vec<K>>,
    /// Which of them.
    pub(super) rows: Vec<usize>,
    /// Number of their tokens.
    pub(super) tokens: usize,
}

/// Something to do.
pub(super) enum Job<T, K> {
    Encode(Block<T>),
    Answer(Batch<K>),
}

/// Jobs in the order in which they came, blocks before batches, so that no worker runs out of batches.
pub(super) struct Queue<T, K> {
    state: Mutex<State<T, K>>,
    changed: Condvar,
}

struct State<T, K> {
    blocks: VecDeque<Block<T>>,
    batches: VecDeque<Batch<K>>,
    over: bool,
}

impl<T, K> Default for Queue<T, K> {
    fn default() -> Self {
        let state = State { blocks: VecDeque::new(), batches: VecDeque::new(), over: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl<T, K> Queue<T, K> {
    /// The next job, waited for; batches only for those who have a `worker`. `None` when it is over.
    pub(super) fn next(&self, worker: bool) -> Option<Job<T, K>> {
        let mut state = self.state();
        loop {
            if state.over {
                return None;
            }
            if let Some(block) = state.blocks.pop_front() {
                return Some(Job::Encode(block));
            }
            if worker && let Some(batch) = state.batches.pop_front() {
                return Some(Job::Answer(batch));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn blocks(&self, blocks: Vec<Block<T>>) {
        self.state().blocks.extend(blocks);
        self.changed.notify_all();
    }

    pub(super) fn batches(&self, batches: Vec<Batch<K>>) {
        self.state().batches.extend(batches);
        self.changed.notify_all();
    }

    /// A queue is whole between any two of its lines, also after a panic.
    fn state(&self) -> MutexGuard<'_, State<T, K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the queue when it goes out of scope.
pub(super) struct Guard<'a, T, K>(pub(super) &'a Queue<T, K>);

impl<T, K> Drop for Guard<'_, T, K> {
    fn drop(&mut self) {
        self.0.state().over = true;
        self.0.changed.notify_all();
    }
}
