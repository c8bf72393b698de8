//! Sessions: one per worker, on a graph cut down to one output.

use super::device::DeviceTarget;
use super::files::outside_path;
use super::roles::Roles;
use crate::generate::operators;
use crate::graph::{External, Graph, matrix_chain};
use crate::runtime::{Runtime, RuntimeKind};
use ndarray::ArrayViewD;
use ort::ep::CUDA;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::value::TensorRef;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::OnceLock;

/// A batch of token rows, padded to one length at the right.
#[derive(Default)]
pub(super) struct Padded {
    /// Number of tokens of each row.
    pub(super) lengths: Vec<usize>,
    /// The longest of them.
    longest: usize,
    ids: Vec<i64>,
    mask: Vec<i64>,
    types: Vec<i64>,
    positions: Vec<i64>,
}

impl Padded {
    /// Pads rows of ids, with their segment numbers where the model reads them.
    pub(super) fn new<'a>(rows: impl ExactSizeIterator<Item = (&'a [u32], &'a [u32])> + Clone) -> Self {
        let mut padded = Self::default();
        padded.fill(rows);
        padded
    }

    /// Takes in other rows, in the room that it has.
    pub(super) fn fill<'a>(&mut self, rows: impl ExactSizeIterator<Item = (&'a [u32], &'a [u32])> + Clone) {
        let Self { lengths, longest, ids, mask, types, positions } = self;
        lengths.clear();
        lengths.extend(rows.clone().map(|(ids, _)| ids.len()));
        *longest = lengths.iter().copied().max().unwrap_or(0);
        [&mut *ids, &mut *mask, &mut *types, &mut *positions].into_iter().for_each(Vec::clear);
        let count = i64::try_from(*longest).unwrap_or(i64::MAX);
        // The value of padding does not matter: the mask excludes it, or a later position cannot be seen.
        for (row, (row_ids, row_types)) in rows.enumerate() {
            let end = (row + 1) * *longest;
            ids.extend(row_ids.iter().copied().map(i64::from));
            ids.resize(end, 0);
            types.extend(row_types.iter().copied().map(i64::from));
            types.resize(end, 0);
            mask.resize(row * *longest + row_ids.len(), 1);
            mask.resize(end, 0);
            positions.extend(0..count);
        }
    }

    fn shape(&self) -> [usize; 2] {
        [self.lengths.len(), self.longest]
    }
}

/// How many sessions to open, with how many threads each, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Workers {
    pub(crate) sessions: usize,
    pub(crate) threads: usize,
    /// The CUDA card of the first session; the others are on the cards that follow. `None` for the processor.
    pub(crate) card: Option<i32>,
}

impl Workers {
    /// Where a session runs.
    pub(crate) fn target(self, session: usize) -> DeviceTarget {
        let ahead = i32::try_from(session).unwrap_or(i32::MAX);
        self.card.map_or(DeviceTarget::Cpu, |first| DeviceTarget::Cuda(first.saturating_add(ahead)))
    }
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
    let folder = graph_path.parent().unwrap_or(Path::new(""));
    let open = |session| open_one(runtime, &bytes, folder, workers.target(session), workers.threads);
    // Optimising a graph takes long enough to be done side by side.
    std::thread::scope(|scope| {
        let open = &open;
        let threads: Vec<_> =
            (0..workers.sessions).map(|session| scope.spawn(move || open(session))).collect();
        let panicked = || "the runtime panicked while opening the graph".to_owned();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(panicked()))).collect()
    })
}

/// Whether the runtime takes operators of ours. It is asked once and alone: ONNX Runtime stumbles when two sessions make the
/// same ones known at the same time.
pub(crate) fn takes_operators(runtime: &Runtime) -> bool {
    static TAKES: OnceLock<bool> = OnceLock::new();
    let ask = || -> Result<(), String> {
        let mut builder =
            builder(runtime, Path::new(""), 1)?.with_operators(operators().map_err(said)?).map_err(said)?;
        builder.commit_from_memory(&matrix_chain(1, 1)).map_err(said).map(|_| ())
    };
    runtime.kind() == RuntimeKind::OnnxRuntime && *TAKES.get_or_init(|| ask().is_ok())
}

/// Opens one session on a device; weights outside the graph lie in `folder`.
pub(super) fn open_one(
    runtime: &Runtime,
    bytes: &[u8],
    folder: &Path,
    target: DeviceTarget,
    threads: usize,
) -> Result<Session, String> {
    let mut builder = builder(runtime, folder, threads)?;
    if takes_operators(runtime) {
        builder = builder.with_operators(operators().map_err(said)?).map_err(said)?;
    }
    if let DeviceTarget::Cuda(number) = target {
        // Without this the runtime would quietly use the processor.
        let cuda = CUDA::default().with_device_id(number).build().error_on_failure();
        builder = builder.with_execution_providers([cuda]).map_err(|error| {
            format!("{target} cannot be used: {}; expected ONNX Runtime with its CUDA provider and CUDA's libraries", said(error))
        })?;
    }
    builder.commit_from_memory(bytes).map_err(said)
}

fn builder(runtime: &Runtime, folder: &Path, threads: usize) -> Result<SessionBuilder, String> {
    let mut builder = Session::builder(runtime.environment())
        .map_err(said)?
        .with_optimization_level(GraphOptimizationLevel::Level3)
        .map_err(said)?;
    // tract has no such settings, and calls each an error.
    if runtime.kind() == RuntimeKind::OnnxRuntime {
        builder = builder.with_intra_threads(threads).map_err(said)?;
        builder = builder.with_inter_threads(1).map_err(said)?;
        builder = builder.with_intra_op_spinning(false).map_err(said)?;
        builder = builder
            .with_config_entry(
                "session.model_external_initializers_file_folder_path",
                folder.to_string_lossy(),
            )
            .map_err(said)?;
    }
    Ok(builder)
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
    let expected = batch.shape();
    let all = [
        (true, "input_ids", &batch.ids),
        (roles.mask, "attention_mask", &batch.mask),
        (roles.types, "token_type_ids", &batch.types),
        (roles.positions, "position_ids", &batch.positions),
    ];
    for (_, name, values) in all.into_iter().filter(|(wanted, ..)| *wanted) {
        inputs.push((name, TensorRef::from_array_view((expected, values.as_slice())).map_err(said)?));
    }
    let outputs = session.run(inputs).map_err(said)?;
    let value = outputs.values().next().ok_or("the runtime returned no output")?;
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
        Err(error) => match (value.try_extract_array::<half::f16>(), value.try_extract_array::<half::bf16>())
        {
            (Ok(values), _) => checked(values.mapv(half::f16::to_f32).view()),
            (_, Ok(values)) => checked(values.mapv(half::bf16::to_f32).view()),
            _ => Err(said(error)),
        },
    }
}
