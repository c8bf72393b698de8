//! The key-value cache of some rows, and what is done to it between passes.
//!
//! Rows are aligned at the right, so that the next token of every row lands in one column. Columns that a row does not
//! fill are hidden by the attention mask.

use super::buffer::{Buffer, Side};
use super::graph::{CachePort, DecoderGraph};
use ort::memory::Allocator;
use ort::session::{SessionInputValue, SessionOutputs};
use ort::value::{DynValue, PrimitiveTensorElementType, Tensor, TensorElementType, TensorRef};
use std::borrow::Cow;

/// The cache of some rows.
pub(crate) struct Block {
    /// In the order of the graph's ports.
    store: Store,
    /// Columns that each row fills, from the right.
    pub(crate) lengths: Vec<usize>,
    /// Columns that are filled by some row.
    pub(super) columns: usize,
}

/// How a cache is kept.
enum Store {
    /// As the graph gave it last, each tensor (rows, heads, columns, width).
    Given(Vec<DynValue>),
    /// In buffers to which is added what a graph gives ([`DecoderGraph::in_place`]).
    Ours(Vec<Buffer>),
}

/// A row of a list of blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pick {
    pub(crate) block: usize,
    pub(crate) row: usize,
}

/// What is copied from some blocks into one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pieces<'a> {
    pub(super) picks: &'a [Pick],
    /// Columns that each of them fills, from the right.
    pub(super) lengths: &'a [usize],
    /// The longest of them.
    pub(super) columns: usize,
    /// The columns of each block.
    pub(super) filled: &'a [usize],
}

impl Block {
    /// A cache in which nothing is.
    pub(crate) fn empty(graph: &DecoderGraph, rows: usize) -> Result<Self, String> {
        let store = if graph.in_place {
            let empty = |(port, side): (&CachePort, Side)| {
                Buffer::new(side, [rows, port.heads, port.width], 0, &graph.spare)
            };
            // Keys and values take turns.
            let sides = [Side::Keys, Side::Values].into_iter().cycle();
            Store::Ours(graph.cache.iter().zip(sides).map(empty).collect())
        } else {
            let empty = |port: &CachePort| match port.element {
                10 => nothing::<half::f16>(port, rows),
                16 => nothing::<half::bf16>(port, rows),
                _ => nothing::<f32>(port, rows),
            };
            Store::Given(graph.cache.iter().map(empty).collect::<Result<_, String>>()?)
        };
        Ok(Self { store, lengths: vec![0; rows], columns: 0 })
    }

    /// The picked rows of some blocks, in that order: what is needed when rows leave, enter or are copied.
    pub(crate) fn gather(blocks: &[&Self], picks: &[Pick]) -> Result<Self, String> {
        let lengths: Vec<usize> = picks.iter().map(|pick| blocks[pick.block].lengths[pick.row]).collect();
        let columns = lengths.iter().copied().max().unwrap_or(0);
        let filled: Vec<usize> = blocks.iter().map(|block| block.columns).collect();
        let pieces = Pieces { picks, lengths: &lengths, columns, filled: &filled };
        let ports = blocks.first().map_or(0, |block| block.store.ports());
        let given = |port: usize| -> Result<Vec<&DynValue>, String> {
            blocks.iter().map(|block| block.store.given(port)).collect()
        };
        let ours = |port: usize| -> Result<Vec<&Buffer>, String> {
            blocks.iter().map(|block| block.store.ours(port)).collect()
        };
        let store = match blocks.first().map(|block| &block.store) {
            Some(Store::Ours(_)) => {
                let gather = |port| Buffer::gathered(&ours(port)?, &pieces);
                Store::Ours((0..ports).map(gather).collect::<Result<_, String>>()?)
            }
            _ => {
                let gather = |port| {
                    let parts = given(port)?;
                    match element(parts.first())? {
                        TensorElementType::Float16 => gathered::<half::f16>(&parts, &pieces),
                        TensorElementType::Bfloat16 => gathered::<half::bf16>(&parts, &pieces),
                        _ => gathered::<f32>(&parts, &pieces),
                    }
                };
                Store::Given((0..ports).map(gather).collect::<Result<_, String>>()?)
            }
        };
        Ok(Self { store, lengths, columns })
    }

    /// The inputs of the graph that take it.
    pub(super) fn inputs<'a>(
        &'a self,
        ports: &'a [CachePort],
    ) -> Result<Vec<(Cow<'a, str>, SessionInputValue<'a>)>, String> {
        let name = |port: &'a CachePort| Cow::from(port.past.as_str());
        match &self.store {
            Store::Given(values) => {
                Ok(ports.iter().zip(values).map(|(port, value)| (name(port), value.into())).collect())
            }
            Store::Ours(buffers) => {
                let input = |(port, buffer): (&'a CachePort, &'a Buffer)| {
                    let value =
                        TensorRef::from_array_view(buffer.view()).map_err(|error| error.to_string())?;
                    Ok((name(port), value.into()))
                };
                ports.iter().zip(buffers).map(input).collect()
            }
        }
    }

    /// The shape that its tensors would have if they were given by a graph.
    pub(super) fn shape(&self) -> Option<[i64; 4]> {
        let Store::Ours(buffers) = &self.store else { return None };
        let [rows, heads, width] = buffers.first()?.sizes();
        let size = |size| i64::try_from(size).unwrap_or(i64::MAX);
        Some([rows, heads, self.columns, width].map(size))
    }

    /// Takes in what a pass gave, for `tokens` new tokens of each row in `new` columns.
    pub(super) fn grow(
        &mut self,
        ports: &[CachePort],
        outputs: &mut SessionOutputs<'_>,
        tokens: &[&[u32]],
        new: usize,
    ) -> Result<(), String> {
        let lacking = |port: &CachePort| format!("the runtime returned no {}", port.present);
        match &mut self.store {
            Store::Given(values) => {
                let take = |port: &CachePort| outputs.remove(&port.present).ok_or_else(|| lacking(port));
                *values = ports.iter().map(take).collect::<Result<_, String>>()?;
            }
            Store::Ours(buffers) => {
                for (port, buffer) in ports.iter().zip(buffers) {
                    let value = outputs.get(&port.present).ok_or_else(|| lacking(port))?;
                    let (_, data) = value.try_extract_tensor::<f32>().map_err(|error| error.to_string())?;
                    buffer.append(self.columns, data)?;
                }
            }
        }
        self.columns += new;
        self.lengths.iter_mut().zip(tokens).for_each(|(length, ids)| *length += ids.len());
        Ok(())
    }
}

impl Store {
    fn ports(&self) -> usize {
        match self {
            Self::Given(values) => values.len(),
            Self::Ours(buffers) => buffers.len(),
        }
    }

    fn given(&self, port: usize) -> Result<&DynValue, String> {
        match self {
            Self::Given(values) => values.get(port).ok_or_else(|| "no cache to copy from".to_owned()),
            Self::Ours(_) => Err("caches of two kinds".to_owned()),
        }
    }

    fn ours(&self, port: usize) -> Result<&Buffer, String> {
        match self {
            Self::Ours(buffers) => buffers.get(port).ok_or_else(|| "no cache to copy from".to_owned()),
            Self::Given(_) => Err("caches of two kinds".to_owned()),
        }
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
    pieces: &Pieces<'_>,
) -> Result<DynValue, String> {
    let Pieces { picks, lengths, columns, .. } = *pieces;
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
