//! A pass of a decoder: tokens and cache in, scores and a longer cache out.

use super::block::Block;
use super::graph::DecoderGraph;
use crate::graph::InPlace;
use ndarray::{Array2, ArrayViewD};
use ort::session::{Session, SessionInputValue};
use ort::value::TensorRef;
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

/// On which side of the tokens of a pass the padding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Padding {
    /// The last token of every row is in the last column: a cache that grows by columns needs it so.
    Left,
    /// The first token of every row is in the first column.
    Right,
}

/// Reads new tokens of each row after its cache, which grows. `read` is given the scores, shape (rows, new columns,
/// vocabulary).
///
/// After right padding the cache is not aligned and must not be used; `lengths` counts real tokens.
pub(crate) fn pass<R>(
    reader: &mut Reader,
    graph: &DecoderGraph,
    cache: &mut Block,
    tokens: &[&[u32]],
    padding: Padding,
    read: impl FnOnce(ArrayViewD<'_, f32>) -> Result<R, String>,
) -> Result<R, String> {
    let said = |error: ort::Error| error.to_string();
    let rows = tokens.len();
    let new = tokens.iter().map(|ids| ids.len()).max().unwrap_or(0);
    let (old, total) = (cache.columns, cache.columns + new);
    let mut ids = Array2::<i64>::zeros((rows, new));
    let mut mask = Array2::<i64>::zeros((rows, total));
    let mut positions = Array2::<i64>::zeros((rows, new));
    for (row, row_ids) in tokens.iter().enumerate() {
        let length = cache.lengths[row];
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
    let shape = cache.shape();
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
    if let Some(shape) = &shape {
        let shape = TensorRef::from_array_view(([4_usize], &shape[..])).map_err(said)?;
        inputs.push((InPlace::SHAPE.into(), shape.into()));
    }
    inputs.extend(cache.inputs(&asked.cache)?);
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
    cache.grow(&graph.cache, &mut outputs, tokens, new)?;
    Ok(told)
}
