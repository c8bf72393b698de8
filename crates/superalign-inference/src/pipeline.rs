//! A stream of items through a model: read in windows, encoded and answered side by side, handed on in order.
//!
//! What a batch holds follows from the items alone: a window is a fixed number of items (or bytes) in the order given,
//! sorted by length within itself. So answers are the same for any number of workers. At most [`OPEN`] windows are
//! under way, whatever the length of the stream: reading waits until the oldest of them is handed on.

mod queue;

use crate::batch;
use ndarray::{Array2, ArrayView2};
use queue::{Batch, Block, Guard, Job, Queue};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use superalign_core::ModelError;

/// Windows that are under way at a time: one being answered, one encoded, one at either end.
const OPEN: usize = 3;

/// Items that are encoded in one go.
const BLOCK: usize = 64;

/// How a stream is divided, and how long its answers are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Most items of a window.
    pub(crate) items: usize,
    /// Bytes at which a window ends.
    pub(crate) bytes: usize,
    /// As in [`batch::plan`].
    pub(crate) budget: usize,
    /// As in [`batch::plan`].
    pub(crate) equal: bool,
    /// Numbers of an answer.
    pub(crate) width: usize,
    /// Items at the beginning that need no answer: windows that end before are read and passed over.
    pub(crate) skip: usize,
    /// Threads without a worker, which encode only.
    pub(crate) helpers: usize,
}

impl Shape {
    /// The usual windows for batches of that many tokens: large enough that sorting them leaves little padding, small
    /// enough that a few of them are no burden.
    pub(crate) fn new(budget: usize, width: usize) -> Self {
        Self {
            items: (budget / 4).max(1024),
            bytes: 8 << 20,
            budget,
            equal: false,
            width,
            skip: 0,
            helpers: 0,
        }
    }
}

/// What is done with an item `T`, once encoded `K`, by a worker `W`.
pub(crate) struct Steps<'a, T, K, W> {
    /// The model's name, for errors.
    pub(crate) model: &'a str,
    /// Its size in bytes.
    pub(crate) size: &'a dyn Fn(&T) -> usize,
    /// Its tokens, or why it has none.
    pub(crate) encode: &'a (dyn Fn(&T) -> Result<K, String> + Sync),
    /// Number of its tokens.
    pub(crate) length: &'a dyn Fn(&K) -> usize,
    /// The answers to a batch, one row of numbers after the other.
    pub(crate) answer: &'a Answer<'a, W, K>,
}

/// What a worker answers to a batch.
pub(crate) type Answer<'a, W, K> = dyn Fn(&mut W, &[&K]) -> Result<Vec<f32>, ModelError> + Sync + 'a;

/// What the caller hears, always on its own thread.
pub(crate) enum Heard<'a, K> {
    /// The items of a window are encoded.
    Encoded(&'a [K]),
    /// So many more items with so many tokens are answered.
    Batch { items: usize, tokens: usize },
    /// The answers of a window, in order; `first` is the number of its first item in the stream.
    Window { first: usize, answers: ArrayView2<'a, f32> },
}

/// A window that is under way.
struct Window<K> {
    first: usize,
    /// Its blocks, as far as they are encoded.
    blocks: Vec<Option<Vec<K>>>,
    /// Its first item that was refused, with its number in the window.
    refused: Option<(usize, String)>,
    /// Blocks to be encoded.
    waiting: usize,
    answers: Array2<f32>,
    /// Items to be answered.
    open: usize,
}

/// What a thread has done.
enum Done<K> {
    Encoded { window: usize, block: usize, result: Result<Vec<K>, (usize, String)> },
    Answered { window: usize, rows: Vec<usize>, tokens: usize, result: Result<Vec<f32>, ModelError> },
}

/// Answers a stream of items. Each worker has a thread; items are read, and `hear` is called, on the calling thread.
///
/// # Errors
/// The first error of `items` or `hear`; a failure of `answer` at once; of items refused by `encode`, the first in the
/// order given, after all windows before its own were handed on.
pub(crate) fn run<T: Send, K: Send + Sync, W: Send, E: From<ModelError>>(
    workers: &mut [W],
    shape: &Shape,
    items: &mut dyn Iterator<Item = Result<T, E>>,
    steps: &Steps<'_, T, K, W>,
    hear: &mut dyn FnMut(Heard<'_, K>) -> Result<(), E>,
) -> Result<(), E> {
    let queue = Queue::default();
    let (sender, receiver) = mpsc::channel();
    let (model, encode, answer) = (steps.model, steps.encode, steps.answer);
    std::thread::scope(|scope| {
        // Whatever ends this function, the threads are told.
        let _guard = Guard(&queue);
        let helpers = (0..shape.helpers).map(|_| None);
        for mut worker in workers.iter_mut().map(Some).chain(helpers) {
            let (queue, sender) = (&queue, sender.clone());
            scope.spawn(move || {
                while let Some(job) = queue.next(worker.is_some()) {
                    let done = match (job, &mut worker) {
                        (Job::Encode(block), _) => encoded(block, encode),
                        (Job::Answer(batch), Some(worker)) => answered(model, batch, answer, worker),
                        // The queue gives batches to workers only.
                        (Job::Answer(_), None) => return,
                    };
                    if sender.send(done).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut under_way = UnderWay { model, shape, windows: VecDeque::new(), passed: 0, spare: None };
        let mut reader = Reader { items, size: steps.size, next: 0, ended: false };
        loop {
            under_way.hand_on(hear)?;
            while under_way.windows.len() < OPEN
                && let Some((first, read)) = reader.window(shape)?
            {
                if first + read.len() > shape.skip {
                    queue.blocks(under_way.begin(first, read));
                }
            }
            if under_way.windows.is_empty() {
                return Ok(());
            }
            let Ok(done) = receiver.recv() else {
                return Err(E::from(failed(steps.model, "all threads ended before their work")));
            };
            if let Some(batches) = under_way.take(done, steps.length, hear)? {
                queue.batches(batches);
            }
        }
    })
}

fn failed(model: &str, reason: &str) -> ModelError {
    ModelError::Runtime { model: model.to_owned(), reason: reason.to_owned() }
}

fn encoded<T, K>(block: Block<T>, encode: &dyn Fn(&T) -> Result<K, String>) -> Done<K> {
    let Block { window, block, items } = block;
    let one = |(at, item): (usize, &T)| encode(item).map_err(|reason| (block * BLOCK + at, reason));
    let all = || items.iter().enumerate().map(one).collect();
    let panicked = |_| Err((block * BLOCK, "the tokenizer panicked on it or on one soon after".to_owned()));
    Done::Encoded { window, block, result: catch_unwind(AssertUnwindSafe(all)).unwrap_or_else(panicked) }
}

fn answered<K, W>(model: &str, batch: Batch<K>, answer: &Answer<'_, W, K>, worker: &mut W) -> Done<K> {
    let Batch { window, encoded, rows, tokens } = batch;
    let picked: Vec<&K> = rows.iter().map(|&row| &encoded[row]).collect();
    let panicked = |_| Err(failed(model, "the runtime panicked on a batch"));
    let result = catch_unwind(AssertUnwindSafe(|| answer(worker, &picked))).unwrap_or_else(panicked);
    Done::Answered { window, rows, tokens, result }
}

/// Reads windows.
struct Reader<'a, T, E> {
    items: &'a mut dyn Iterator<Item = Result<T, E>>,
    size: &'a dyn Fn(&T) -> usize,
    /// Number of the next item.
    next: usize,
    ended: bool,
}

impl<T, E> Reader<'_, T, E> {
    /// The next window, with the number of its first item.
    fn window(&mut self, shape: &Shape) -> Result<Option<(usize, Vec<T>)>, E> {
        let (first, mut bytes, mut read) = (self.next, 0_usize, Vec::new());
        while !self.ended && read.len() < shape.items && bytes < shape.bytes {
            match self.items.next().transpose()? {
                None => self.ended = true,
                Some(item) => {
                    bytes = bytes.saturating_add((self.size)(&item));
                    read.push(item);
                }
            }
        }
        self.next += read.len();
        Ok((!read.is_empty()).then_some((first, read)))
    }
}

/// The windows under way, the oldest in front.
struct UnderWay<'a, K> {
    model: &'a str,
    shape: &'a Shape,
    windows: VecDeque<Window<K>>,
    /// Number of windows handed on.
    passed: usize,
    /// The room of a window that was handed on.
    spare: Option<Vec<f32>>,
}

impl<K> UnderWay<'_, K> {
    /// A new window; what of it is to be encoded.
    fn begin<T>(&mut self, first: usize, items: Vec<T>) -> Vec<Block<T>> {
        let (window, open) = (self.passed + self.windows.len(), items.len());
        let mut items = items.into_iter();
        let blocks: Vec<Block<T>> = (0..open.div_ceil(BLOCK))
            .map(|block| Block { window, block, items: items.by_ref().take(BLOCK).collect() })
            .collect();
        let mut room = self.spare.take().unwrap_or_default();
        room.resize(open * self.shape.width, 0.0);
        self.windows.push_back(Window {
            first,
            blocks: blocks.iter().map(|_| None).collect(),
            refused: None,
            waiting: blocks.len(),
            answers: Array2::from_shape_vec((open, self.shape.width), room).unwrap_or_default(),
            open,
        });
        blocks
    }

    /// Takes in what a thread has done; the batches of a window that is encoded by that.
    fn take<E: From<ModelError>>(
        &mut self,
        done: Done<K>,
        length: &dyn Fn(&K) -> usize,
        hear: &mut dyn FnMut(Heard<'_, K>) -> Result<(), E>,
    ) -> Result<Option<Vec<Batch<K>>>, E> {
        match done {
            Done::Encoded { window: number, block, result } => {
                let Some(window) = self.windows.get_mut(number - self.passed) else { return Ok(None) };
                window.waiting -= 1;
                match result {
                    Ok(rows) => window.blocks[block] = Some(rows),
                    Err(refused) => {
                        let before = window.refused.take();
                        window.refused = Some(before.filter(|one| one.0 < refused.0).unwrap_or(refused));
                    }
                }
                if window.waiting > 0 || window.refused.is_some() {
                    return Ok(None);
                }
                let encoded: Vec<K> = window.blocks.drain(..).flatten().flatten().collect();
                hear(Heard::Encoded(&encoded))?;
                let lengths: Vec<usize> = encoded.iter().map(length).collect();
                let encoded = Arc::new(encoded);
                let batches = batch::plan(&lengths, self.shape.budget, self.shape.equal);
                let batch = |rows: Vec<usize>| {
                    let tokens = rows.iter().map(|&row| lengths[row]).sum();
                    Batch { window: number, encoded: Arc::clone(&encoded), rows, tokens }
                };
                Ok(Some(batches.into_iter().map(batch).collect()))
            }
            Done::Answered { window, rows, tokens, result } => {
                let values = result?;
                let Some(window) = self.windows.get_mut(window - self.passed) else { return Ok(None) };
                let width = self.shape.width;
                if values.len() != rows.len() * width {
                    let found = values.len();
                    let reason = format!("{found} numbers for {} items, expected {width} each", rows.len());
                    return Err(E::from(failed(self.model, &reason)));
                }
                let width = width.max(1);
                for (&row, values) in rows.iter().zip(values.chunks_exact(width)) {
                    let index = window.first + row;
                    if values.iter().any(|value| !value.is_finite()) {
                        let reason = "the model answers it with a value that is not a finite number".into();
                        return Err(E::from(ModelError::Input { index, reason }));
                    }
                    for (to, from) in window.answers.row_mut(row).iter_mut().zip(values) {
                        *to = *from;
                    }
                }
                window.open -= rows.len();
                hear(Heard::Batch { items: rows.len(), tokens })?;
                Ok(None)
            }
        }
    }

    /// Hands on the windows in front that are done.
    fn hand_on<E: From<ModelError>>(
        &mut self,
        hear: &mut dyn FnMut(Heard<'_, K>) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(front) = self.windows.front_mut() {
            if front.waiting == 0
                && let Some((at, reason)) = front.refused.take()
            {
                return Err(E::from(ModelError::Input { index: front.first + at, reason }));
            }
            if front.open > 0 {
                return Ok(());
            }
            hear(Heard::Window { first: front.first, answers: front.answers.view() })?;
            self.passed += 1;
            self.spare = self.windows.pop_front().map(|window| window.answers.into_raw_vec_and_offset().0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
