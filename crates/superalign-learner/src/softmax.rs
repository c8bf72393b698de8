//! The softmax over columns of logits, vectorised along the rows, and the same to the bit on every processor.

use crate::sigmoid::exp_of_minus_abs;
use ndarray::{ArrayView2, ArrayViewMut2};

/// Rows that are done at a time; a product of as many sums of at most 30,000 exponentials is finite.
const CHUNK: usize = 64;

/// Turns changes of logits into changes of probabilities, in place, and adds their sums to `sums`:
/// `change[i, c] = softmax(z[i] + shift + change[i])[c] - p[i, c]`, where `p` are the probabilities at `z`.
///
/// All matrices are (rows, classes) with contiguous columns.
pub(crate) fn probability_changes(
    mut change: ArrayViewMut2<'_, f32>,
    z: ArrayView2<'_, f64>,
    p: ArrayView2<'_, f64>,
    shift: &[f64],
    sums: &mut [f64],
) {
    let mut scratch = Scratch::new(shift.len());
    for from in (0..change.nrows()).step_by(CHUNK) {
        let rows = from..(from + CHUNK).min(change.nrows());
        for (c, shift) in shift.iter().enumerate() {
            let (change, z) = (change.column(c), z.column(c));
            if let (Some(change), Some(z)) = (change.to_slice(), z.to_slice()) {
                let parts = change[rows.clone()].iter().zip(&z[rows.clone()]);
                scratch.take(c, parts.map(|(&change, z)| z + shift + f64::from(change)));
            }
        }
        scratch.exponentiate(rows.len());
        for (c, sum) in sums.iter_mut().enumerate() {
            let p = p.column(c);
            if let (Some(change), Some(p)) = (change.column_mut(c).into_slice(), p.to_slice()) {
                let e = scratch.shares(c);
                for ((change, p), e) in change[rows.clone()].iter_mut().zip(&p[rows.clone()]).zip(e) {
                    let d = e - p;
                    *sum += d;
                    *change = d as f32;
                }
            }
        }
    }
}

/// Fills `p` with the probabilities at the logits `z`, both (rows, classes) with contiguous columns, and returns the
/// summed cross-entropy against the labels `y`, whose rows sum to 1: ln sum exp(z) - y . z.
pub(crate) fn probabilities(
    mut p: ArrayViewMut2<'_, f64>,
    z: ArrayView2<'_, f64>,
    y: ArrayView2<'_, f64>,
) -> f64 {
    let mut scratch = Scratch::new(z.ncols());
    let mut total = 0.0;
    for from in (0..z.nrows()).step_by(CHUNK) {
        let rows = from..(from + CHUNK).min(z.nrows());
        for (c, z) in z.columns().into_iter().enumerate() {
            if let Some(z) = z.to_slice() {
                scratch.take(c, z[rows.clone()].iter().copied());
            }
        }
        for (c, y) in y.columns().into_iter().enumerate() {
            if let Some(y) = y.to_slice() {
                total += scratch.below_largest(c, &y[rows.clone()]);
            }
        }
        scratch.exponentiate(rows.len());
        total += scratch.sums[..rows.len()].iter().product::<f64>().ln();
        for (c, mut p) in p.columns_mut().into_iter().enumerate() {
            if let Some(p) = p.as_slice_mut() {
                for (p, e) in p[rows.clone()].iter_mut().zip(scratch.shares(c)) {
                    *p = e;
                }
            }
        }
    }
    total
}

/// Logits of a chunk, class after class, then their exponentials.
struct Scratch {
    values: Vec<f64>,
    largest: [f64; CHUNK],
    sums: [f64; CHUNK],
    inverse: [f64; CHUNK],
}

impl Scratch {
    fn new(classes: usize) -> Self {
        Self {
            values: vec![0.0; classes * CHUNK],
            largest: [0.0; CHUNK],
            sums: [1.0; CHUNK],
            inverse: [1.0; CHUNK],
        }
    }

    /// Takes the logits of a class, the first class first.
    fn take(&mut self, class: usize, logits: impl Iterator<Item = f64>) {
        let values = &mut self.values[class * CHUNK..(class + 1) * CHUNK];
        for ((value, largest), logit) in values.iter_mut().zip(&mut self.largest).zip(logits) {
            *value = logit;
            *largest = if class == 0 || logit > *largest { logit } else { *largest };
        }
    }

    /// Sum of the labels times how far the logits of a class are below the largest.
    fn below_largest(&self, class: usize, labels: &[f64]) -> f64 {
        let values = &self.values[class * CHUNK..];
        labels.iter().zip(&self.largest).zip(values).map(|((y, largest), z)| y * (largest - z)).sum()
    }

    /// Replaces logits by exponentials of what is above the largest, and sums them.
    fn exponentiate(&mut self, rows: usize) {
        pulp::Arch::new().dispatch(|| {
            self.sums = [0.0; CHUNK];
            for values in self.values.chunks_exact_mut(CHUNK) {
                for ((value, largest), sum) in values.iter_mut().zip(&self.largest).zip(&mut self.sums) {
                    *value = exp_of_minus_abs(largest - *value);
                    *sum += *value;
                }
            }
            for (inverse, sum) in self.inverse.iter_mut().zip(&self.sums) {
                *inverse = 1.0 / sum;
            }
        });
        debug_assert!(self.sums[..rows].iter().all(|s| *s >= 1.0));
    }

    /// The probabilities of a class.
    fn shares(&self, class: usize) -> impl Iterator<Item = f64> {
        self.values[class * CHUNK..(class + 1) * CHUNK]
            .iter()
            .zip(&self.inverse)
            .map(|(e, inverse)| e * inverse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::zeros;
    use ndarray::{Array2, Axis};

    fn logits(rows: usize, classes: usize) -> Array2<f64> {
        let mut z = zeros(rows, classes);
        for ((i, c), value) in z.indexed_iter_mut() {
            *value = ((i * 37 + c * 101) % 83) as f64 * 0.4 - 16.0;
        }
        z
    }

    fn softmax(z: &Array2<f64>) -> Array2<f64> {
        let mut p = z.mapv(f64::exp);
        for mut row in p.axis_iter_mut(Axis(0)) {
            let sum = row.sum();
            row /= sum;
        }
        p
    }

    #[test]
    fn probabilities_and_cross_entropy_are_those_of_the_definition() {
        for (rows, classes) in [(1, 2), (64, 3), (150, 7)] {
            let z = logits(rows, classes);
            let expected = softmax(&z);
            let y = softmax(&z.mapv(|z| z * 0.1 + 1.0));
            let mut y_columns = zeros(rows, classes);
            y_columns.assign(&y);
            let mut p = zeros(rows, classes);
            let loss = probabilities(p.view_mut(), z.view(), y_columns.view());
            assert!((&p - &expected).iter().all(|e| e.abs() < 1e-15));
            let by_hand = -(&y * &expected.mapv(f64::ln)).sum();
            assert!((loss - by_hand).abs() < 1e-10 * by_hand, "{loss} {by_hand}");
        }
    }

    #[test]
    fn logits_without_bounds_give_probabilities() {
        let z = Array2::from_shape_vec((1, 3), vec![-1e300, 0.0, 1e6]).expect("shape");
        let mut p = zeros(1, 3);
        let y = Array2::from_shape_vec((1, 3), vec![0.0, 0.0, 1.0]).expect("shape");
        assert_eq!(probabilities(p.view_mut(), z.view(), y.view()), 0.0);
        assert_eq!(p.into_raw_vec_and_offset().0, [0.0, 0.0, 1.0]);
    }

    #[test]
    fn changes_are_differences_of_probabilities() {
        let z = logits(130, 4);
        let p = softmax(&z);
        let mut p_columns = zeros(130, 4);
        p_columns.assign(&p);
        let mut change = zeros(130, 4);
        change.fill(0.0_f32);
        change.column_mut(1).fill(0.25);
        let shift = [0.0, 0.5, 0.0, -0.5];
        let mut moved = z.clone();
        for (mut column, by) in moved.columns_mut().into_iter().zip([0.0, 0.75, 0.0, -0.5]) {
            column += by;
        }
        let expected = softmax(&moved) - p;
        let mut sums = vec![0.0; 4];
        probability_changes(change.view_mut(), z.view(), p_columns.view(), &shift, &mut sums);
        assert!(change.iter().zip(&expected).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-7));
        for (sum, column) in sums.iter().zip(expected.columns()) {
            assert!((sum - column.sum()).abs() < 1e-12);
        }
    }
}
