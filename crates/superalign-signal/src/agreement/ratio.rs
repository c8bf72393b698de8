//! The distance of ratio scales, ((x - y) / (x + y))^2, and its sums over many categories. Other distances are not here.
//!
//! With a = ln x it is tanh((a - b) / 2)^2: smooth, and a function of a difference. So the logarithms are put into boxes
//! of equal width, the distance is interpolated between Chebyshev nodes of the boxes, and sums over all pairs of
//! categories become sums over all pairs of nodes. The nearest pole lies at i pi, so that in boxes of width 2 the error of
//! 20 nodes is below the rounding error.

use crate::SignalError;
use std::f64::consts::PI;

/// Below this number of categories all pairs are visited.
const FEW: usize = 256;
const NODES: usize = 20;
const WIDTH: f64 = 2.0;

/// The distance of ratio scales over given values.
pub(super) struct Ratio {
    /// The values, or their halves where sums would be infinite.
    x: Vec<f64>,
    boxes: Option<Boxes>,
}

struct Boxes {
    /// The first category that is not 0; there are as many entries below as categories from there on.
    first: usize,
    of: Vec<u32>,
    /// For each category the weights of its box's nodes.
    basis: Vec<[f64; NODES]>,
    /// The distance of nodes i and j of two boxes that lie `apart` boxes from each other, at `[apart][i][j]`.
    kernel: Vec<[[f64; NODES]; NODES]>,
}

impl Ratio {
    /// # Errors
    /// A negative value.
    pub(super) fn new(values: &[f64]) -> Result<Self, SignalError> {
        if let Some(&found) = values.first().filter(|&&value| value < 0.0) {
            let expected = "at least 0 on a ratio scale";
            return Err(SignalError::Value { what: "label of category", index: 0, found, expected });
        }
        let greatest = values.last().copied().unwrap_or(1.0).max(f64::MIN_POSITIVE);
        let unit = if greatest > f64::MAX / 2.0 { 2.0 } else { 1.0 };
        let x: Vec<f64> = values.iter().map(|value| value / unit).collect();
        let boxes = (x.len() > FEW).then(|| Boxes::new(values, greatest));
        Ok(Self { x, boxes })
    }

    pub(super) fn between(&self, a: usize, b: usize) -> f64 {
        let sum = self.x[a] + self.x[b];
        if sum > 0.0 { ((self.x[a] - self.x[b]) / sum).powi(2) } else { 0.0 }
    }

    /// The mean distance from each category to a label drawn by `b`, which sums to `all`.
    pub(super) fn means(&self, b: &[f64], all: f64, to: &mut [f64]) {
        if let Some(boxes) = &self.boxes {
            return boxes.means(b, all, to);
        }
        to.fill(0.0);
        for k in 0..to.len() {
            for l in 0..k {
                let distance = self.between(k, l);
                to[k] += b[l] * distance;
                to[l] += b[k] * distance;
            }
        }
        to.iter_mut().for_each(|to| *to /= all);
    }
}

impl Boxes {
    fn new(values: &[f64], greatest: f64) -> Self {
        let first = usize::from(values[0] == 0.0);
        // Near the greatest, the logarithm of the quotient would lose the digits of the difference.
        let logarithm = |value: f64| {
            let share = value / greatest;
            if share > 0.5 { ((value - greatest) / greatest).ln_1p() } else { value.ln() - greatest.ln() }
        };
        let range = -logarithm(values[first]);
        let count = (range / WIDTH).ceil().max(1.0);
        let half = (range / count / 2.0).max(f64::MIN_POSITIVE);
        let node = |i: usize| ((2 * i + 1) as f64 * PI / (2 * NODES) as f64).cos();
        let mut of = Vec::with_capacity(values.len() - first);
        let mut basis = Vec::with_capacity(values.len() - first);
        for &value in &values[first..] {
            let place = -logarithm(value) / (2.0 * half);
            let mine = place.floor().min(count - 1.0);
            of.push(mine as u32);
            basis.push(lagrange(2.0 * (place - mine) - 1.0, node));
        }
        let kernel = (0..count as usize).map(|apart| {
            let distance = |i, j| half * (2.0 * apart as f64 + node(i) - node(j));
            std::array::from_fn(|i| std::array::from_fn(|j| (distance(i, j) / 2.0).tanh().powi(2)))
        });
        Self { first, of, basis, kernel: kernel.collect() }
    }

    fn means(&self, b: &[f64], all: f64, to: &mut [f64]) {
        let (zero, rest) = b.split_at(self.first);
        let zero: f64 = zero.iter().sum();
        let mut charges = vec![[0.0; NODES]; self.kernel.len()];
        for ((&of, basis), b) in self.of.iter().zip(&self.basis).zip(rest) {
            charges[of as usize].iter_mut().zip(basis).for_each(|(charge, share)| *charge += b * share);
        }
        let mut sums = vec![[0.0; NODES]; charges.len()];
        for (here, sums) in sums.iter_mut().enumerate() {
            for (there, charges) in charges.iter().enumerate() {
                let kernel = &self.kernel[here.abs_diff(there)];
                for (i, sum) in sums.iter_mut().enumerate() {
                    for (j, charge) in charges.iter().enumerate() {
                        // The distance is even: seen from the other side, the two nodes change places.
                        *sum += charge * if here >= there { kernel[i][j] } else { kernel[j][i] };
                    }
                }
            }
        }
        // Zero is 1 apart from all others.
        to[..self.first].fill((all - zero) / all);
        for ((&of, basis), to) in self.of.iter().zip(&self.basis).zip(&mut to[self.first..]) {
            let sum: f64 = sums[of as usize].iter().zip(basis).map(|(sum, share)| sum * share).sum();
            *to = (sum + zero) / all;
        }
    }
}

/// The values at t in [-1, 1] of the Lagrange polynomials of the Chebyshev nodes, by the barycentric formula (Berrut and
/// Trefethen 2004).
fn lagrange(t: f64, node: impl Fn(usize) -> f64) -> [f64; NODES] {
    if let Some(hit) = (0..NODES).find(|&i| t == node(i)) {
        return std::array::from_fn(|i| f64::from(u8::from(i == hit)));
    }
    let terms: [f64; NODES] = std::array::from_fn(|i| {
        let sign = if i % 2 == 0 { 1.0 } else { -1.0 };
        sign * ((2 * i + 1) as f64 * PI / (2 * NODES) as f64).sin() / (t - node(i))
    });
    let sum: f64 = terms.iter().sum();
    terms.map(|term| term / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_give_what_all_pairs_give() {
        for (low, high) in [(0.0_f64, 5.0_f64), (7.0, 7.0001), (1e-300, 1e300), (0.0, 1e-4), (3.0, 900.0)] {
            let mut values: Vec<f64> =
                (0..400).map(|i| low + (high - low) * (f64::from(i) / 399.0).powi(3)).collect();
            values.dedup();
            let b: Vec<f64> = (0..values.len()).map(|i| (i * i % 7) as f64).collect();
            let many = Ratio::new(&values).unwrap();
            let few = Ratio { boxes: None, ..Ratio::new(&values).unwrap() };
            assert!(many.boxes.is_some());
            let mut found = [vec![0.0; b.len()], vec![0.0; b.len()]];
            many.means(&b, b.iter().sum(), &mut found[0]);
            few.means(&b, b.iter().sum(), &mut found[1]);
            let scale = found[1].iter().fold(0.0, |a: f64, &b| a.max(b));
            for (many, few) in found[0].iter().zip(&found[1]) {
                assert!((many - few).abs() < 3e-14 * scale, "{many} {few} of {low} to {high}");
            }
        }
    }

    #[test]
    fn a_negative_number_is_on_no_ratio_scale() {
        let error = Ratio::new(&[-1.0, 2.0]).err().unwrap().to_string();
        assert_eq!(error, "label of category 0 is -1: expected at least 0 on a ratio scale");
    }
}
