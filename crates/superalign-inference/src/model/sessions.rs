//! Sessions: one per worker, on a graph cut down to one output.

use super::files::outside_path;
use super::roles::Roles;
use crate::graph::{External, Graph};
use crate::runtime::{Runtime, RuntimeKind};
use ndarray::{Array2, ArrayViewD};
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// A batch of token rows, padded to one length at the right.
pub(super) struct Padded {
    /// Number of tokens of each row.
    pub(super) lengths: Vec<usize>,
    ids: Array2<i64>,
    mask: Array2<i64>,
    types: Array2<i64>,
    positions: Array2<i64>,
}

impl Padded {
    /// Pads rows of ids, with their segment numbers where the model reads them.
    pub(super) fn new<'a>(rows: impl ExactSizeIterator<Item = (&'a [u32], &'a [u32])> + Clone) -> Self {
        let lengths: Vec<usize> = rows.clone().map(|(ids, _)| ids.len()).collect();
        let shape = (rows.len(), lengths.iter().copied().max().unwrap_or(0));
        // The value of padding does not matter: the mask excludes it, or a later position cannot be seen.
        let mut ids = Array2::zeros(shape);
        let mut types = Array2::zeros(shape);
        for (row, (row_ids, row_types)) in rows.enumerate() {
            for (column, id) in row_ids.iter().enumerate() {
                ids[(row, column)] = i64::from(*id);
            }
            for (column, kind) in row_types.iter().enumerate() {
                types[(row, column)] = i64::from(*kind);
            }
        }
        let mask = Array2::from_shape_fn(shape, |(row, column)| i64::from(column < lengths[row]));
        let positions = Array2::from_shape_fn(shape, |(_, column)| i64::try_from(column).unwrap_or(i64::MAX));
        Self { lengths, ids, mask, types, positions }
    }
}

/// How many sessions to open, and with how many threads each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workers {
    pub(crate) sessions: usize,
    pub(crate) threads: usize,
}

/// The open sessions of a model, for the outputs used last.
pub(super) struct Pool {
    runtime: &'static Runtime,
    workers: Workers,
    open: Vec<(String, Vec<Session>)>,
}

impl Pool {
    /// Outputs that are kept open: hidden states and logits are often asked for in turn.
    const KEPT: usize = 2;

    pub(super) const fn new(runtime: &'static Runtime, workers: Workers) -> Self {
        Self { runtime, workers, open: Vec::new() }
    }

    /// Makes the sessions for `output` those in front, and opens them where they are not open.
    pub(super) fn bring_to_front(&mut self, path: &Path, graph: &Graph, output: &str) -> Result<(), String> {
        let sessions = match self.open.iter().position(|(name, _)| name == output) {
            Some(place) => self.open.remove(place).1,
            None => {
                self.open.truncate(Self::KEPT - 1);
                open(self.runtime, path, graph, &[output], self.workers)?
            }
        };
        self.open.insert(0, (output.to_owned(), sessions));
        Ok(())
    }

    /// Sessions for some outputs of another graph over the same weights.
    pub(super) fn beside(
        &self,
        path: &Path,
        graph: &Graph,
        outputs: &[&str],
    ) -> Result<Vec<Session>, String> {
        open(self.runtime, path, graph, outputs, self.workers)
    }

    /// The sessions brought to the front last.
    pub(super) fn front(&mut self) -> &mut [Session] {
        self.open.first_mut().map_or(&mut [], |(_, sessions)| sessions)
    }
}

/// Opens the sessions for some outputs of a graph.
pub(crate) fn open(
    runtime: &Runtime,
    graph_path: &Path,
    graph: &Graph,
    outputs: &[&str],
    workers: Workers,
) -> Result<Vec<Session>, String> {
    // tract reads graphs from memory only when they are whole; ONNX Runtime is told where to look.
    let whole = runtime.kind() == RuntimeKind::Tract;
    let mut take_in = |external: &External| {
        if whole { read_external(graph_path, external).map(Some) } else { Ok(None) }
    };
    let bytes = graph.keep(outputs, &mut take_in)?;
    let folder = graph_path.parent().unwrap_or(Path::new("")).to_string_lossy().into_owned();
    let open_one = || -> Result<Session, String> {
        let mut builder = Session::builder(runtime.environment())
            .map_err(said)?
            .with_optimization_level(GraphOptimizationLevel::Level3)
            .map_err(said)?;
        // tract has no such settings, and calls each an error.
        if runtime.kind() == RuntimeKind::OnnxRuntime {
            builder = builder.with_intra_threads(workers.threads).map_err(said)?;
            builder = builder.with_inter_threads(1).map_err(said)?;
            builder = builder.with_intra_op_spinning(false).map_err(said)?;
            builder = builder
                .with_config_entry("session.model_external_initializers_file_folder_path", &folder)
                .map_err(said)?;
        }
        builder.commit_from_memory(&bytes).map_err(said)
    };
    // Optimising a graph takes long enough to be done side by side.
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers.sessions).map(|_| scope.spawn(open_one)).collect();
        let panicked = || "the runtime panicked while opening the graph".to_owned();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(panicked()))).collect()
    })
}

/// What the runtime said, without what the binding adds for recovery.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
pub(super) fn said<R>(error: ort::Error<R>) -> String {
    error.to_string()
}

fn read_external(graph: &Path, external: &External) -> Result<Vec<u8>, String> {
    let path = outside_path(graph, &external.location);
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(&path)?;
        file.seek(SeekFrom::Start(external.offset))?;
        let mut bytes = Vec::new();
        file.take(external.length.unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error| format!("{}: {error}", path.display()))
}

/// Runs a batch and hands its output, shape `(rows, positions, values)`, to `read`.
pub(super) fn run<R>(
    session: &mut Session,
    roles: &Roles,
    batch: &Padded,
    read: impl FnOnce(ArrayViewD<'_, f32>) -> Result<R, String>,
) -> Result<R, String> {
    let mut inputs = Vec::with_capacity(4);
    let mut give = |wanted: bool, name: &'static str, values| -> Result<(), String> {
        if wanted {
            inputs.push((name, TensorRef::from_array_view(values).map_err(said)?));
        }
        Ok(())
    };
    give(true, "input_ids", &batch.ids)?;
    give(roles.mask, "attention_mask", &batch.mask)?;
    give(roles.types, "token_type_ids", &batch.types)?;
    give(roles.positions, "position_ids", &batch.positions)?;
    let outputs = session.run(inputs).map_err(said)?;
    let value = outputs.values().next().ok_or("the runtime returned no output")?;
    let expected = [batch.ids.nrows(), batch.ids.ncols()];
    let checked = |values: ArrayViewD<'_, f32>| {
        if values.ndim() == 3 && values.shape()[..2] == expected {
            read(values)
        } else {
            Err(format!("an output of shape {:?}, expected {expected:?} and one more", values.shape()))
        }
    };
    match value.try_extract_array::<f32>() {
        Ok(values) => checked(values),
        // Half precision comes out as it is computed.
        Err(error) => match value.try_extract_array::<half::f16>() {
            Ok(values) => checked(values.mapv(half::f16::to_f32).view()),
            Err(_) => Err(said(error)),
        },
    }
}
