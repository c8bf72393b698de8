//! Newton's method for log-likelihoods that are sums over pairs of players, by conjugate gradients.
//!
//! A pair's outcomes depend on its players through the difference of their numbers alone, and on at most one number
//! more (the tie, a judge). So a product with the curvature costs one pass over the pairs, and the graph of comparisons
//! is mostly dense enough for a dozen of them; where it is not, the matrix is factored.

use super::dense;
use crate::EvaluationError;
use ndarray::{Array2, ArrayView1};

/// A dense matrix of so many rows is not made.
const MOST_DENSE: usize = 4096;

/// What two players' outcomes, and perhaps a third number, add to the curvature: with the difference d of the two and
/// the third number t, `difference d^2 + 2 mixed d t + third t^2`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mixed {
    pub(super) place: u32,
    pub(super) mixed: f64,
    pub(super) third: f64,
}

/// The function at a point.
#[derive(Clone, Debug)]
pub(super) struct Local {
    /// What has to rise in every step: the function, or less the norm of its gradient.
    pub(super) merit: f64,
    pub(super) gradient: Vec<f64>,
    /// Curvature along the difference of each pair.
    pub(super) along: Vec<f64>,
    /// The rest, for each pair; empty where there is no third number.
    pub(super) mixed: Vec<Mixed>,
    /// What the priors add to the diagonal.
    pub(super) diagonal: Vec<f64>,
}

impl Local {
    /// The negative second derivative times x.
    fn times(&self, ends: &[(u32, u32)], x: &[f64], y: &mut [f64]) {
        for ((y, x), diagonal) in y.iter_mut().zip(x).zip(&self.diagonal) {
            *y = x * diagonal;
        }
        if self.mixed.is_empty() {
            for (&(first, second), along) in ends.iter().zip(&self.along) {
                let pull = along * (x[first as usize] - x[second as usize]);
                y[first as usize] += pull;
                y[second as usize] -= pull;
            }
            return;
        }
        for ((&(first, second), along), more) in ends.iter().zip(&self.along).zip(&self.mixed) {
            let d = x[first as usize] - x[second as usize];
            let t = x[more.place as usize];
            let pull = along * d + more.mixed * t;
            y[first as usize] += pull;
            y[second as usize] -= pull;
            y[more.place as usize] += more.mixed * d + more.third * t;
        }
    }

    fn diagonal(&self, ends: &[(u32, u32)]) -> Vec<f64> {
        let mut diagonal = self.diagonal.clone();
        for (&(first, second), along) in ends.iter().zip(&self.along) {
            diagonal[first as usize] += along;
            diagonal[second as usize] += along;
        }
        for more in &self.mixed {
            diagonal[more.place as usize] += more.third;
        }
        diagonal
    }

    /// The negative second derivative as a matrix, with 1/n added to all entries of the first n numbers: the functions
    /// do not depend on their mean, which this pins.
    pub(super) fn dense(&self, ends: &[(u32, u32)], players: usize) -> Array2<f64> {
        let mut matrix = Array2::zeros((self.gradient.len(), self.gradient.len()));
        matrix.slice_mut(ndarray::s![..players, ..players]).fill(1.0 / players as f64);
        matrix.diag_mut().zip_mut_with(&ArrayView1::from(&self.diagonal), |entry, more| *entry += more);
        for (pair, &(first, second)) in ends.iter().enumerate() {
            let (i, j, along) = (first as usize, second as usize, self.along[pair]);
            matrix[[i, i]] += along;
            matrix[[j, j]] += along;
            matrix[[i, j]] -= along;
            matrix[[j, i]] -= along;
            if let Some(more) = self.mixed.get(pair) {
                let t = more.place as usize;
                matrix[[t, t]] += more.third;
                for (player, mixed) in [(i, more.mixed), (j, -more.mixed)] {
                    matrix[[player, t]] += mixed;
                    matrix[[t, player]] += mixed;
                }
            }
        }
        matrix
    }

    /// Solves curvature x = gradient to `accuracy` of the gradient's norm.
    fn step(&self, ends: &[(u32, u32)], players: usize, accuracy: f64) -> Option<Vec<f64>> {
        let n = self.gradient.len();
        let scale: Vec<f64> =
            self.diagonal(ends).iter().map(|d| if *d > 0.0 { 1.0 / d } else { 0.0 }).collect();
        let mut residual = self.gradient.clone();
        if self.diagonal[..players].iter().all(|prior| *prior == 0.0) {
            // Along the mean there is no curvature, and no slope but for rounding, which nothing could solve.
            let mean = residual[..players].iter().sum::<f64>() / players as f64;
            residual[..players].iter_mut().for_each(|slope| *slope -= mean);
        }
        let goal = accuracy * norm(&residual);
        let mut x = vec![0.0; n];
        let mut direction: Vec<f64> = residual.iter().zip(&scale).map(|(r, s)| r * s).collect();
        let mut size = dot(&residual, &direction);
        let mut product = vec![0.0; n];
        for _ in 0..2 * n + 50 {
            if norm(&residual) <= goal {
                return Some(x);
            }
            self.times(ends, &direction, &mut product);
            let curvature = dot(&direction, &product);
            if curvature <= 0.0 || !curvature.is_finite() {
                break;
            }
            let share = size / curvature;
            for k in 0..n {
                x[k] += share * direction[k];
                residual[k] -= share * product[k];
            }
            let next: f64 = residual.iter().zip(&scale).map(|(r, s)| r * r * s).sum();
            let keep = next / size;
            size = next;
            for k in 0..n {
                direction[k] = residual[k] * scale[k] + keep * direction[k];
            }
        }
        if norm(&residual) <= goal {
            return Some(x);
        }
        if n > MOST_DENSE {
            return None;
        }
        let factor = dense::cholesky(self.dense(ends, players))?;
        Some(dense::solve(&factor, &self.gradient))
    }
}

/// Where a function is largest, and the function there. Full steps, halved while the merit does not rise.
///
/// Ends when the norm of the gradient is at most `1e-9` (or rounding: `1e-15` of `weight`) and the step that was left,
/// which is still taken, is at most 1e-6.
pub(super) fn maximum(
    statistic: &'static str,
    ends: &[(u32, u32)],
    (players, weight): (usize, f64),
    mut at: Vec<f64>,
    local: impl Fn(&[f64]) -> Local,
) -> Result<Vec<f64>, EvaluationError> {
    let failed =
        || EvaluationError::undefined(statistic, "the likelihood has no maximum that could be reached");
    let enough = (1e-15 * weight).max(1e-9);
    let mut here = local(&at);
    let mut accuracy = 1e-3;
    for _ in 0..500 {
        let size = norm(&here.gradient);
        if !size.is_finite() {
            return Err(failed());
        }
        let step = here.step(ends, players, accuracy).ok_or_else(failed)?;
        let most = step.iter().fold(0.0_f64, |most, step| most.max(step.abs()));
        let moved = |share: f64| at.iter().zip(&step).map(|(at, step)| at + share * step).collect::<Vec<_>>();
        if size <= enough && most <= 1e-6 {
            return Ok(moved(1.0));
        }
        let mut share = 1.0;
        let next = loop {
            let next = moved(share);
            let there = local(&next);
            // Near the top a function changes by less than its rounding: there the gradient decides.
            let level = there.merit >= here.merit - 1e-12 * here.merit.abs();
            if there.merit > here.merit || level && norm(&there.gradient) < size {
                break Some((next, there));
            }
            share *= 0.5;
            if share < 1e-10 {
                break None;
            }
        };
        let Some((next, there)) = next else {
            // Rounding: nothing better can be found.
            return if size <= 1e3 * enough && most <= 1e-6 { Ok(at) } else { Err(failed()) };
        };
        // Accuracy that grows with what was gained keeps the convergence quadratic.
        accuracy = (norm(&there.gradient) / size.max(f64::MIN_POSITIVE)).powi(2).clamp(1e-6, 1e-3);
        (at, here) = (next, there);
    }
    Err(failed())
}

pub(super) fn norm(x: &[f64]) -> f64 {
    dot(x, x).sqrt()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_matrix_agree() {
        let ends = [(0, 1), (1, 2), (0, 2)];
        let local = Local {
            merit: 0.0,
            gradient: vec![1.0, -2.0, 1.0, 0.5],
            along: vec![1.0, 2.0, 3.0],
            mixed: [0.1, -0.2, 0.3].map(|mixed| Mixed { place: 3, mixed, third: 1.0 }).to_vec(),
            diagonal: vec![0.1; 4],
        };
        let matrix = local.dense(&ends, 3);
        let x = [0.3, -0.5, 0.2, 0.7];
        let mut y = vec![0.0; 4];
        local.times(&ends, &x, &mut y);
        // These x have a mean of 0, which the pinned mean leaves alone.
        for (row, y) in matrix.rows().into_iter().zip(&y) {
            assert!((row.dot(&ArrayView1::from(&x)) - y).abs() < 1e-14);
        }
        let step = local.step(&ends, 3, 1e-12).unwrap();
        local.times(&ends, &step, &mut y);
        assert!(y.iter().zip(&local.gradient).all(|(y, g)| (y - g).abs() < 1e-9), "{y:?}");
    }
}
