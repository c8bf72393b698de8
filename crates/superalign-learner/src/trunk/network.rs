//! The network of a trunk: its parameters in one vector, what it says of a batch, and the gradient.

use super::Head;
use super::real::{Real, gelu, wide};
use crate::matrix::{Store, multiply};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};
use std::ops::Range;

/// Sizes of a network, and where its tensors lie in the vector of parameters, each row by row:
/// down (d, r), up (r, h), bias (h), and per head its weights (h) and intercept (1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) columns: usize,
    pub(crate) rank: usize,
    pub(crate) width: usize,
}

impl Shape {
    pub(crate) fn down(self) -> Range<usize> {
        0..self.columns * self.rank
    }

    pub(crate) fn up(self) -> Range<usize> {
        let start = self.down().end;
        start..start + self.rank * self.width
    }

    pub(crate) fn bias(self) -> Range<usize> {
        let start = self.up().end;
        start..start + self.width
    }

    /// Everything that the heads share.
    pub(crate) fn shared(self) -> Range<usize> {
        0..self.bias().end
    }

    /// Weights of a head, then its intercept.
    pub(crate) fn head(self, head: Head) -> Range<usize> {
        let start = self.bias().end + head.index() * (self.width + 1);
        start..start + self.width + 1
    }

    pub(crate) fn parameters(self) -> usize {
        self.bias().end + 2 * (self.width + 1)
    }

    /// Tensors of weights, which decay; biases and intercepts do not.
    pub(crate) fn decays(self, part: Range<usize>) -> Vec<Range<usize>> {
        let heads = Head::BOTH.map(|head| self.head(head).start..self.head(head).end - 1);
        let all = std::iter::once(0..self.up().end).chain(heads);
        all.filter(|range| part.start <= range.start && range.end <= part.end).collect()
    }
}

/// Room for what a pass over at most so many rows leaves behind.
pub(crate) struct Scratch<T> {
    shape: Shape,
    /// (rows, d), to be filled by the caller.
    pub(crate) x: Array2<T>,
    /// x down: (rows, r); its gradient.
    bottleneck: Array2<T>,
    bottleneck_gradient: Array2<T>,
    /// (rows, h).
    hidden: Array2<T>,
    /// Derivative of the nonlinearity, then the gradient of what goes into it: (rows, h).
    slope: Array2<T>,
}

impl<T: Real> Scratch<T> {
    pub(crate) fn new(shape: Shape, rows: usize) -> Self {
        let matrix = |columns| Array2::from_elem((rows, columns), T::ZERO);
        Self {
            shape,
            x: matrix(shape.columns),
            bottleneck: matrix(shape.rank),
            bottleneck_gradient: matrix(shape.rank),
            hidden: matrix(shape.width),
            slope: matrix(shape.width),
        }
    }

    /// Copies some rows of a matrix into the first rows of `x`.
    pub(crate) fn gather(&mut self, from: ArrayView2<'_, T>, rows: &[usize]) {
        for (mut to, &row) in self.x.outer_iter_mut().zip(rows) {
            match (to.as_slice_mut(), from.row(row).to_slice()) {
                (Some(to), Some(from)) => to.copy_from_slice(from),
                _ => to.assign(&from.row(row)),
            }
        }
    }

    /// Runs the first `rows` rows of `x` through the shared part.
    pub(crate) fn forward(&mut self, parameters: &[T], rows: usize) {
        let Shape { columns, rank, width } = self.shape;
        let down = matrix(&parameters[self.shape.down()], columns, rank);
        let up = matrix(&parameters[self.shape.up()], rank, width);
        let x = self.x.slice(s![..rows, ..]);
        multiply(&mut self.bottleneck.slice_mut(s![..rows, ..]), Store::Replace, x, down, T::ONE);
        let bottleneck = self.bottleneck.slice(s![..rows, ..]);
        multiply(&mut self.hidden.slice_mut(s![..rows, ..]), Store::Replace, bottleneck, up, T::ONE);
        let bias = &parameters[self.shape.bias()];
        activate(flat(&mut self.hidden, rows), flat(&mut self.slope, rows), bias);
    }

    /// Logits of a head for some of the rows of the last [`Scratch::forward`].
    pub(crate) fn logits(&self, parameters: &[T], head: Head, rows: Range<usize>) -> Vec<f64> {
        let mut out = vec![0.0; rows.len()];
        let width = self.shape.width;
        let hidden = self.hidden.as_slice().unwrap_or_default();
        read_head(
            &hidden[rows.start * width..rows.end * width],
            &parameters[self.shape.head(head)],
            &mut out,
        );
        out
    }

    /// Writes the gradient of all parameters, given that of the logits of both heads for every row of the last
    /// [`Scratch::forward`] (which this uses up).
    pub(crate) fn backward(&mut self, parameters: &[T], gradient: &mut [T], logits: &[[T; 2]]) {
        let Shape { columns, rank, width } = self.shape;
        let rows = logits.len();
        gradient[self.shape.bias().start..].fill(T::ZERO);
        let (down_and_up, rest) = gradient.split_at_mut(self.shape.bias().start);
        let (bias, heads) = rest.split_at_mut(width);
        let weights = &parameters[self.shape.bias().end..];
        let hidden = flat(&mut self.hidden, rows);
        through_heads(logits, hidden, flat(&mut self.slope, rows), weights, bias, heads);
        let (down_gradient, up_gradient) = down_and_up.split_at_mut(self.shape.down().end);
        let slope = self.slope.slice(s![..rows, ..]);
        let bottleneck = self.bottleneck.slice(s![..rows, ..]);
        let mut up_gradient = matrix_mut(up_gradient, rank, width);
        multiply(&mut up_gradient, Store::Replace, bottleneck.t(), slope, T::ONE);
        let up = matrix(&parameters[self.shape.up()], rank, width);
        let mut back = self.bottleneck_gradient.slice_mut(s![..rows, ..]);
        multiply(&mut back, Store::Replace, slope, up.t(), T::ONE);
        let mut down_gradient = matrix_mut(down_gradient, columns, rank);
        multiply(&mut down_gradient, Store::Replace, self.x.slice(s![..rows, ..]).t(), back.view(), T::ONE);
    }
}

fn flat<T>(rows_by_columns: &mut Array2<T>, rows: usize) -> &mut [T] {
    let columns = rows_by_columns.ncols();
    &mut rows_by_columns.as_slice_mut().unwrap_or_default()[..rows * columns]
}

fn matrix<T>(values: &[T], rows: usize, columns: usize) -> ArrayView2<'_, T> {
    ArrayView2::from_shape((rows, columns), values).expect("a tensor's range has its size")
}

fn matrix_mut<T>(values: &mut [T], rows: usize, columns: usize) -> ArrayViewMut2<'_, T> {
    ArrayViewMut2::from_shape((rows, columns), values).expect("a tensor's range has its size")
}

wide! {
    /// Adds the bias and applies the nonlinearity, whose derivative it keeps.
    fn activate<'a, T>(hidden: &'a mut [T], slope: &'a mut [T], bias: &'a [T]) {
        let width = bias.len();
        for (row, slopes) in hidden.chunks_exact_mut(width).zip(slope.chunks_exact_mut(width)) {
            for ((value, slope), &bias) in row.iter_mut().zip(slopes).zip(bias) {
                (*value, *slope) = gelu(*value + bias);
            }
        }
    }
}

/// Sums that run side by side in an inner product.
const PARTS: usize = 16;

wide! {
    /// The logit of every row: an inner product with the head's weights, plus its intercept.
    fn read_head<'a, T>(hidden: &'a [T], head: &'a [T], out: &'a mut [f64]) {
        let Some((intercept, weights)) = head.split_last() else { return };
        let full = weights.len() / PARTS * PARTS;
        for (row, out) in hidden.chunks_exact(weights.len()).zip(out) {
            let mut parts = [T::ZERO; PARTS];
            for (row, weights) in row[..full].chunks_exact(PARTS).zip(weights[..full].chunks_exact(PARTS)) {
                for i in 0..PARTS {
                    parts[i] += row[i] * weights[i];
                }
            }
            let mut sum = intercept.to_f64();
            for part in parts {
                sum += part.to_f64();
            }
            for (a, b) in row[full..].iter().zip(&weights[full..]) {
                sum += (*a * *b).to_f64();
            }
            *out = sum;
        }
    }
}

wide! {
    /// Adds up the gradients of both heads and of the bias, and turns the slopes into the gradient before the
    /// nonlinearity.
    fn through_heads<'a, T>(
        logits: &'a [[T; 2]],
        hidden: &'a [T],
        slope: &'a mut [T],
        weights: &'a [T],
        bias: &'a mut [T],
        heads: &'a mut [T],
    ) {
        let width = bias.len();
        let (first, second) = weights.split_at(width + 1);
        let (first_gradient, second_gradient) = heads.split_at_mut(width + 1);
        let rows = hidden.chunks_exact(width).zip(slope.chunks_exact_mut(width));
        for (&[one, two], (row, slopes)) in logits.iter().zip(rows) {
            let weights = first[..width].iter().zip(&second[..width]);
            let sums = first_gradient[..width].iter_mut().zip(&mut second_gradient[..width]).zip(&mut *bias);
            for (((&a, slope), (&v, &w)), ((dv, dw), bias)) in row.iter().zip(slopes).zip(weights).zip(sums) {
                *dv += one * a;
                *dw += two * a;
                *slope = *slope * (one * v + two * w);
                *bias += *slope;
            }
            first_gradient[width] += one;
            second_gradient[width] += two;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sigmoid;

    const SHAPE: Shape = Shape { columns: 5, rank: 3, width: 20 };
    const ROWS: usize = 7;

    fn wave(n: usize, speed: f64) -> Vec<f64> {
        (0..n).map(|i| (speed * (i + 1) as f64).sin()).collect()
    }

    fn scratch<T: Real>() -> Scratch<T> {
        let mut scratch = Scratch::new(SHAPE, ROWS + 2);
        for (to, from) in scratch.x.iter_mut().zip(wave(ROWS * 5, 1.3)) {
            *to = T::of(from);
        }
        scratch
    }

    /// Weighted cross-entropy of both heads, and the gradient of the logits.
    fn loss(scratch: &mut Scratch<f64>, parameters: &[f64], weights: [f64; 2]) -> (f64, Vec<[f64; 2]>) {
        scratch.forward(parameters, ROWS);
        let labels = wave(ROWS, 2.7).into_iter().map(|v| 0.5 + 0.4 * v).collect::<Vec<_>>();
        let mut total = 0.0;
        let mut gradient = vec![[0.0; 2]; ROWS];
        for head in Head::BOTH {
            let z = scratch.logits(parameters, head, 0..ROWS);
            total += weights[head.index()] * sigmoid::cross_entropy(&z, &labels);
            for ((out, z), y) in gradient.iter_mut().zip(z).zip(&labels) {
                out[head.index()] = weights[head.index()] * (sigmoid::sigmoid(z) - y);
            }
        }
        (total, gradient)
    }

    #[test]
    fn every_component_of_the_gradient_is_a_difference_quotient() {
        for weights in [[1.0, 0.0], [0.0, 1.0], [0.3, 0.7]] {
            let mut scratch = scratch::<f64>();
            let mut parameters = wave(SHAPE.parameters(), 0.7);
            let (_, logits) = loss(&mut scratch, &parameters, weights);
            let mut gradient = vec![f64::NAN; parameters.len()];
            scratch.backward(&parameters, &mut gradient, &logits);
            for i in 0..parameters.len() {
                let (kept, h) = (parameters[i], 1e-5);
                parameters[i] = kept + h;
                let above = loss(&mut scratch, &parameters, weights).0;
                parameters[i] = kept - h;
                let below = loss(&mut scratch, &parameters, weights).0;
                parameters[i] = kept;
                let expected = (above - below) / (2.0 * h);
                assert!(
                    (gradient[i] - expected).abs() < 1e-7,
                    "{weights:?}, {i}: {} {expected}",
                    gradient[i]
                );
            }
            for head in Head::BOTH {
                let still = gradient[SHAPE.head(head)].iter().all(|g| *g == 0.0);
                assert_eq!(
                    still,
                    weights[head.index()] == 0.0,
                    "{head}: an objective moves its own head only"
                );
            }
        }
    }

    #[test]
    fn single_precision_is_double_precision_rounded() {
        let parameters = wave(SHAPE.parameters(), 0.7);
        let mut exact = scratch::<f64>();
        let (_, logits) = loss(&mut exact, &parameters, [0.4, 0.6]);
        let mut expected = vec![0.0; parameters.len()];
        exact.backward(&parameters, &mut expected, &logits);
        let rounded: Vec<f32> = parameters.iter().map(|p| *p as f32).collect();
        let mut single = scratch::<f32>();
        single.forward(&rounded, ROWS);
        let mut found = vec![0.0_f32; parameters.len()];
        single.backward(
            &rounded,
            &mut found,
            &logits.iter().map(|g| g.map(|g| g as f32)).collect::<Vec<_>>(),
        );
        for (found, expected) in found.iter().zip(&expected) {
            assert!((f64::from(*found) - expected).abs() < 2e-5, "{found} {expected}");
        }
    }

    #[test]
    fn weights_decay_and_biases_do_not() {
        let decays = |part| SHAPE.decays(part).into_iter().flatten().collect::<Vec<_>>();
        assert_eq!(decays(SHAPE.shared()), (0..75).collect::<Vec<_>>());
        assert_eq!(decays(SHAPE.head(Head::Conformity)), (116..136).collect::<Vec<_>>());
        assert_eq!(SHAPE.parameters(), 137);
    }
}
