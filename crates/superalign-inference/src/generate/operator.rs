//! Our operator for ONNX Runtime: what [`attend`](super::attend) and [`rotate`](super::rotate) compute, in place of a graph's
//! own nodes.

use super::attend::{BLOCK, Row, Sizes, attend};
use super::rotate::{Rotated, rotate};
use crate::graph::{ATTENTION, DOMAIN};
use ort::Error;
use ort::operator::{
    ComputeContext, Kernel, KernelContext, Operator, OperatorDomain, OperatorInput, OperatorOutput,
};
use ort::value::{TensorElementType, ValueRef};

/// The operators that our rewritten graphs ask for.
pub(crate) fn operators() -> ort::Result<OperatorDomain> {
    OperatorDomain::new(DOMAIN)?.add(Attention)
}

/// Attention with rotary positions, over a cache and new tokens.
///
/// Inputs:
///
/// 1. for each new token its queries, keys and values side by side, as they are projected, `(rows, new,
///    (heads + 2 groups) * width)`; each group of keys and values serves `heads / groups` neighbouring heads;
/// 2. keys of the cache `(rows, groups, room / 32 * width, 32)`, see [`Row::past_keys`], and
/// 3. its values `(rows, groups, room, width)`;
/// 4. the bias, which broadcasts to `(rows, heads, new, past + new)` in all dimensions but the last;
/// 5. cosines and
/// 6. sines of the angles, which broadcast to `(rows, new, heads, width)` likewise;
/// 7. the shape of the cache as a graph knows it, whose third number is `past`;
/// 8. the scale, one number.
///
/// Outputs: what the queries find `(rows, new, heads * width)`; the keys of the new tokens, turned, and their values, both
/// `(rows, new, groups * width)`.
struct Attention;

impl Operator for Attention {
    type Kernel<'a> = AttentionKernel;

    fn name(&self) -> &str {
        ATTENTION
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        use TensorElementType::{Float32 as F, Int64 as I};
        [F, F, F, F, F, F, I, F].map(OperatorInput::required)
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [TensorElementType::Float32; 3].map(OperatorOutput::required)
    }

    fn create_kernel<'a>(&self, _: &KernelContext<'a>) -> ort::Result<AttentionKernel> {
        Ok(AttentionKernel::default())
    }
}

#[derive(Default)]
struct AttentionKernel {
    /// Queries, turned.
    queries: Vec<f32>,
}

impl Kernel for AttentionKernel {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let input =
            |number| context.input(number)?.ok_or_else(|| Error::new(format!("input {number} is missing")));
        let [projected, past_keys, past_values, bias] = [input(0)?, input(1)?, input(2)?, input(3)?];
        let [cos, sin, cache, scale] = [input(4)?, input(5)?, input(6)?, input(7)?];
        let (_, cache) = cache.try_extract_tensor::<i64>()?;
        let past = cache.get(2).and_then(|past| usize::try_from(*past).ok());
        let past = past.ok_or_else(|| Error::new("the shape of the cache has no third number"))?;
        let (_, scale) = scale.try_extract_tensor::<f32>()?;
        let &[scale] = scale else { return Err(Error::new("a scale that is not one number")) };
        let (projected, past_keys, past_values) =
            (Tensor::new(&projected)?, Tensor::new(&past_keys)?, Tensor::new(&past_values)?);
        let (bias, cos, sin) = (Tensor::new(&bias)?, Tensor::new(&cos)?, Tensor::new(&sin)?);
        let [rows, groups, room, width] = past_values.shape;
        let [_, _, new, size] = projected.shape;
        let heads = (size / width.max(1)).saturating_sub(2 * groups);
        let fits = heads > 0
            && groups > 0
            && heads % groups == 0
            && size == (heads + 2 * groups) * width
            && room % BLOCK == 0
            && past <= room
            && width % 2 == 0
            && projected.shape[..2] == [1, rows]
            && past_keys.shape == [rows, groups, room / BLOCK * width, BLOCK]
            && bias.broadcasts([rows, heads, new, past + new])
            && [&cos, &sin].iter().all(|angles| angles.broadcasts([rows, new, heads, width]));
        if !fits {
            return Err(Error::new(format!(
                "attention of projections {:?} over a cache of {:?} and {:?} with {past} tokens, with a bias {:?} and \
                 angles {:?} and {:?}: these do not fit together",
                projected.shape, past_keys.shape, past_values.shape, bias.shape, cos.shape, sin.shape
            )));
        }
        let output = |number, heads| {
            let output = context.output(number, [rows, new, heads * width])?;
            output.ok_or_else(|| Error::new(format!("output {number} is missing")))
        };
        let (mut mixed, mut keys, mut values) = (output(0, heads)?, output(1, groups)?, output(2, groups)?);
        let (_, mixed) = mixed.try_extract_tensor_mut::<f32>()?;
        let (_, keys) = keys.try_extract_tensor_mut::<f32>()?;
        let (_, values) = values.try_extract_tensor_mut::<f32>()?;
        if mixed.is_empty() {
            return Ok(());
        }
        let (heads_size, groups_size) = (heads * width, groups * width);
        let part = |from: usize, size: usize| {
            projected.data.chunks_exact(projected.shape[3]).map(move |token| &token[from..from + size])
        };
        self.queries.resize(rows * new * heads_size, 0.0);
        turn(part(0, heads_size), &mut self.queries, heads_size, [new, width], [&cos, &sin]);
        turn(part(heads_size, groups_size), keys, groups_size, [new, width], [&cos, &sin]);
        let tokens = part(heads_size + groups_size, groups_size).zip(values.chunks_exact_mut(groups_size));
        tokens.for_each(|(from, to)| to.copy_from_slice(from));
        let (queries, keys, values, bias) = (&self.queries, &*keys, &*values, &bias);
        let rows = mixed.chunks_exact_mut(new * heads_size).enumerate().map(|(row, out)| Row {
            queries: &queries[row * new * heads_size..][..new * heads_size],
            keys: &keys[row * new * groups_size..][..new * groups_size],
            values: &values[row * new * groups_size..][..new * groups_size],
            past_keys: past_keys.row(row),
            past_values: past_values.row(row),
            bias: move |head, query| bias.line([row, head, query]),
            out,
        });
        attend(Sizes { new, past, room, heads, groups, width, scale }, rows);
        Ok(())
    }
}

/// Turns the vectors of tokens, each of some heads, by their positions.
fn turn<'a>(
    vectors: impl Iterator<Item = &'a [f32]>,
    out: &'a mut [f32],
    size: usize,
    [new, width]: [usize; 2],
    [cos, sin]: [&'a Tensor<'a>; 2],
) {
    let tokens = vectors.zip(out.chunks_exact_mut(size));
    rotate(tokens.enumerate().flat_map(|(token, (vectors, out))| {
        let (row, token) = (token / new, token % new);
        let heads = vectors.chunks_exact(width).zip(out.chunks_exact_mut(width)).enumerate();
        heads.map(move |(head, (vector, out))| {
            let place = [row, token, head];
            Rotated { vector, cos: cos.line(place), sin: sin.line(place), out }
        })
    }));
}

/// Numbers in four dimensions; those that are missing in front are 1.
struct Tensor<'a> {
    shape: [usize; 4],
    /// How far the places of the first three dimensions are apart: not at all where one stands for all.
    strides: [usize; 3],
    data: &'a [f32],
}

impl<'a> Tensor<'a> {
    fn new(value: &'a ValueRef<'_>) -> ort::Result<Self> {
        let (shape, data) = value.try_extract_tensor::<f32>()?;
        let front = 4_usize.checked_sub(shape.len());
        let front = front.ok_or_else(|| Error::new(format!("{} dimensions, expected four", shape.len())))?;
        let mut sizes = [1; 4];
        for (size, found) in sizes[front..].iter_mut().zip(shape.iter()) {
            *size =
                usize::try_from(*found).map_err(|_| Error::new(format!("a dimension of size {found}")))?;
        }
        let [_, b, c, d] = sizes;
        let apart = [b * c * d, c * d, d];
        let strides = [0, 1, 2].map(|at| if sizes[at] == 1 { 0 } else { apart[at] });
        Ok(Self { shape: sizes, strides, data })
    }

    /// What belongs to a row.
    fn row(&self, row: usize) -> &'a [f32] {
        let size = self.shape[1..].iter().product::<usize>();
        &self.data[row * size..(row + 1) * size]
    }

    /// Whether it can stand for a tensor of a shape: a dimension of size 1 but the last stands for any.
    fn broadcasts(&self, shape: [usize; 4]) -> bool {
        let mut sizes = self.shape[..3].iter().zip(shape);
        sizes.all(|(found, wanted)| *found == 1 || *found == wanted) && self.shape[3] == shape[3]
    }

    /// The numbers at a place in the first three dimensions of what it stands for.
    fn line(&self, place: [usize; 3]) -> &'a [f32] {
        let at = place[0] * self.strides[0] + place[1] * self.strides[1] + place[2] * self.strides[2];
        &self.data[at..at + self.shape[3]]
    }
}
