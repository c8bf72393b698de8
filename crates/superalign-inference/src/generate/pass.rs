//! A pass of a decoder: tokens and cache in, scores and a longer cache out; and what is done to a cache in between.
//!
//! The rows of a cache are aligned at the right, so that the next token of every row lands in one column. Columns
//! that a row does not fill are hidden by the attention mask.

use super::graph::{CachePort, DecoderGraph};
use ndarray::{Array2, ArrayViewD};
use ort::memory::Allocator;
use ort::session::{Session, SessionInputValue};
use ort::value::{DynValue, PrimitiveTensorElementType, Tensor, TensorElementType, TensorRef};
use std::borrow::Cow;

/// The open sessions of one worker.
pub(crate) struct Reader {
    /// The session of the graph.
    pub(crate) session: Session,
    /// That of the graph that begins a text, where there are two.
    pub(crate) first: Option<Session>,
}

/// Opens sessions of a graph that give the named outputs.
type Opening<'a> = dyn Fn(&DecoderGraph, &[&str]) -> Result<Vec<Session>, String> + 'a;

impl Reader {
    /// Opens as many readers as the workers ask for.
    pub(crate) fn open(graph: &DecoderGraph, open: &Opening<'_>) -> Result<Vec<Self>, String> {
        let sessions = open(graph, &graph.outputs())?;
        let Some(first) = &graph.first else {
            return Ok(sessions.into_iter().map(|session| Self { session, first: None }).collect());
        };
        // The first graph gives the cache that the second takes.
        let firsts = open(first, &graph.outputs())?;
        let pair = |(session, first)| Self { session, first: Some(first) };
        Ok(sessions.into_iter().zip(firsts).map(pair).collect())
    }
}

/// The cache of some rows.
pub(crate) struct Block {
    /// One tensor per port, each (rows, heads, columns, width).
    values: Vec<DynValue>,
    /// Columns that each row fills, from the right.
    pub(crate) lengths: Vec<usize>,
    /// Length of the tensors.
    columns: usize,
}

/// A row of a list of blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pick {
    pub(crate) block: usize,
    pub(crate) row: usize,
}

impl Block {
    /// A cache in which nothing is.
    pub(crate) fn empty(graph: &DecoderGraph, rows: usize) -> Result<Self, String> {
        let empty = |port: &CachePort| match port.element {
            10 => nothing::<half::f16>(port, rows),
            16 => nothing::<half::bf16>(port, rows),
            _ => nothing::<f32>(port, rows),
        };
        let values = graph.cache.iter().map(empty).collect::<Result<_, String>>()?;
        Ok(Self { values, lengths: vec![0; rows], columns: 0 })
    }

    /// The picked rows of some blocks, in that order: what is needed when rows leave, enter or are copied.
    pub(crate) fn gather(blocks: &[&Self], picks: &[Pick]) -> Result<Self, String> {
        let lengths: Vec<usize> = picks.iter().map(|pick| blocks[pick.block].lengths[pick.row]).collect();
        let columns = lengths.iter().copied().max().unwrap_or(0);
        let ports = blocks.first().map_or(0, |block| block.values.len());
        let gather = |port: usize| -> Result<DynValue, String> {
            let parts: Vec<&DynValue> = blocks.iter().map(|block| &block.values[port]).collect();
            match element(parts.first())? {
                TensorElementType::Float16 => gathered::<half::f16>(&parts, picks, &lengths, columns),
                TensorElementType::Bfloat16 => gathered::<half::bf16>(&parts, picks, &lengths, columns),
                _ => gathered::<f32>(&parts, picks, &lengths, columns),
            }
        };
        let values = (0..ports).map(gather).collect::<Result<_, String>>()?;
        Ok(Self { values, lengths, columns })
    }
}

fn nothing<T: PrimitiveTensorElementType + std::fmt::Debug>(
    port: &CachePort,
    rows: usize,
) -> Result<DynValue, String> {
    Tensor::<T>::new(&Allocator::default(), [rows, port.heads, 0, port.width])
        .map(Tensor::into_dyn)
        .map_err(|error| error.to_string())
}

fn element(value: Option<&&DynValue>) -> Result<TensorElementType, String> {
    let kind = value.and_then(|value| value.dtype().tensor_type());
    kind.ok_or_else(|| "a cache that is no tensor".to_owned())
}

fn gathered<T: PrimitiveTensorElementType + Copy + Default + std::fmt::Debug + 'static>(
    parts: &[&DynValue],
    picks: &[Pick],
    lengths: &[usize],
    columns: usize,
) -> Result<DynValue, String> {
    let mut sources = Vec::with_capacity(parts.len());
    for part in parts {
        let (shape, data) = part.try_extract_tensor::<T>().map_err(|error| error.to_string())?;
        let shape: Vec<usize> = shape.iter().map(|size| usize::try_from(*size).unwrap_or(0)).collect();
        let [_, heads, length, width] = shape[..] else {
            return Err(format!("a cache of shape {shape:?}, expected four dimensions"));
        };
        sources.push((heads, length, width, data));
    }
    let &(heads, _, width, _) = sources.first().ok_or("no cache to copy from")?;
    let mut out = vec![T::default(); picks.len() * heads * columns * width];
    for (at, (pick, kept)) in picks.iter().zip(lengths).enumerate() {
        let (_, length, _, data) = sources[pick.block];
        for head in 0..heads {
            let from = ((pick.row * heads + head + 1) * length - kept) * width;
            let to = ((at * heads + head + 1) * columns - kept) * width;
            out[to..to + kept * width].copy_from_slice(&data[from..from + kept * width]);
        }
    }
    Tensor::from_array(([picks.len(), heads, columns, width], out))
        .map(Tensor::into_dyn)
        .map_err(|error| error.to_string())
}

/// On which side of the tokens of a pass the padding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Padding {
    /// The last token of every row is in the last column: a cache that grows by columns needs it so.
    Left,
    /// The first token of every row is in the first column.
    Right,
}

/// Reads new tokens of each row after its cache. `read` is given the scores, shape (rows, new columns, vocabulary).
///
/// After right padding the cache that is returned is not aligned and must not be used; `lengths` counts real tokens.
pub(crate) fn pass<R>(
    reader: &mut Reader,
    graph: &DecoderGraph,
    before: &Block,
    tokens: &[&[u32]],
    padding: Padding,
    read: impl FnOnce(ArrayViewD<'_, f32>) -> Result<R, String>,
) -> Result<(Block, R), String> {
    let said = |error: ort::Error| error.to_string();
    let rows = tokens.len();
    let new = tokens.iter().map(|ids| ids.len()).max().unwrap_or(0);
    let (old, total) = (before.columns, before.columns + new);
    let mut ids = Array2::<i64>::zeros((rows, new));
    let mut mask = Array2::<i64>::zeros((rows, total));
    let mut positions = Array2::<i64>::zeros((rows, new));
    for (row, row_ids) in tokens.iter().enumerate() {
        let length = before.lengths[row];
        let first = if padding == Padding::Left { new - row_ids.len() } else { 0 };
        mask.row_mut(row).slice_mut(ndarray::s![old - length..old]).fill(1);
        for (at, id) in row_ids.iter().enumerate() {
            ids[(row, first + at)] = i64::from(*id);
            mask[(row, old + first + at)] = 1;
            positions[(row, first + at)] = i64::try_from(length + at).unwrap_or(i64::MAX);
        }
    }
    // What is asked of a graph that begins is in its own words; the cache that it gives is named by the other.
    let (session, asked) = match (&mut reader.first, &graph.first) {
        (Some(first), Some(words)) if old == 0 => (first, &**words),
        _ => (&mut reader.session, graph),
    };
    let branch = [old > 0];
    let mut inputs: Vec<(Cow<'_, str>, SessionInputValue<'_>)> = Vec::with_capacity(4 + graph.cache.len());
    inputs.push(("input_ids".into(), TensorRef::from_array_view(&ids).map_err(said)?.into()));
    if asked.mask {
        inputs.push(("attention_mask".into(), TensorRef::from_array_view(&mask).map_err(said)?.into()));
    }
    if asked.positions {
        inputs.push(("position_ids".into(), TensorRef::from_array_view(&positions).map_err(said)?.into()));
    }
    if asked.branch {
        let branch = TensorRef::from_array_view(([1_usize], &branch[..])).map_err(said)?;
        inputs.push(("use_cache_branch".into(), branch.into()));
    }
    for (port, value) in asked.cache.iter().zip(&before.values) {
        inputs.push((port.past.as_str().into(), value.into()));
    }
    let mut outputs = session.run(inputs).map_err(said)?;
    let told = {
        let value = outputs.get("logits").ok_or("the runtime returned no logits")?;
        let checked = |values: ArrayViewD<'_, f32>| {
            if values.ndim() == 3 && values.shape()[..2] == [rows, new] {
                read(values)
            } else {
                Err(format!("logits of shape {:?}, expected {rows}, {new} and one more", values.shape()))
            }
        };
        match value.try_extract_array::<f32>() {
            Ok(values) => checked(values),
            // Half precision comes out as it is computed.
            Err(error) => match value.try_extract_array::<half::f16>() {
                Ok(values) => checked(values.mapv(half::f16::to_f32).view()),
                Err(_) => Err(said(error)),
            },
        }?
    };
    let mut values = Vec::with_capacity(graph.cache.len());
    for port in &graph.cache {
        let value = outputs
            .remove(&port.present)
            .ok_or_else(|| format!("the runtime returned no {}", port.present))?;
        values.push(value);
    }
    let lengths = before.lengths.iter().zip(tokens).map(|(length, ids)| length + ids.len()).collect();
    Ok((Block { values, lengths, columns: total }, told))
}
