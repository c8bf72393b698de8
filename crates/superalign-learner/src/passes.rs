//! Gradients of all problems at once: two matrix products over the rows, in lanes that threads may share.
//!
//! The gradient of problem j at weights w and intercept b is w + C X'(p - t), with p = sigmoid(X w + b), and
//! C sum(p - t) for the intercept. It is known exactly (in double precision) at a *reference* point; elsewhere
//! it is the reference gradient plus C X' (p - p at the reference), in single precision, whose rounding shrinks
//! with the distance from the reference. Moving the reference now and then gives double precision at the speed
//! of single precision. A problem of k classes has k such columns, whose p are a softmax.

use crate::features::Prepared;
use crate::matrix::{Store, each, multiply, zeros};
use crate::{sigmoid, softmax};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};

/// At most this many lanes share the rows; fixed, so that sums do not depend on the number of threads.
const LANES: usize = 16;
/// Rows of a product in single precision: what it yields for 64 columns stays in the first level of the cache.
const BLOCK: usize = 128;
/// Rows of a product in double precision, which are converted on the way.
const EXACT_BLOCK: usize = 128;

/// How probabilities come from logits, and whether an intercept is fitted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// One column a problem, through the logistic function.
    Logistic,
    /// The same, through the origin: the intercept stays 0.
    LogisticThroughOrigin,
    /// So many neighbouring columns a problem, one per class, through the softmax.
    Softmax(usize),
}

impl Link {
    /// Columns of a problem.
    pub(crate) fn width(self) -> usize {
        match self {
            Self::Logistic | Self::LogisticThroughOrigin => 1,
            Self::Softmax(classes) => classes,
        }
    }
}

/// The problems of a group, their reference points, and the scratch space of the passes.
///
/// Columns of every matrix are problems, or their classes; the last row of weights and gradients is the intercept.
pub(crate) struct Passes<'a> {
    features: &'a Prepared,
    pub(crate) link: Link,
    /// The factor C of the loss.
    penalty: f64,
    /// Targets (n, k) in [0, 1].
    pub(crate) targets: Array2<f64>,
    /// Weights of the items in the loss (n, k), in [0, 1]; with none all are 1, as they are under a softmax.
    pub(crate) shares: Option<Array2<f64>>,
    /// Reference weights (d + 1, k).
    pub(crate) weights: Array2<f64>,
    /// Gradient at the reference (d + 1, k).
    pub(crate) gradient: Array2<f64>,
    /// Loss at the reference, without the penalty, times C.
    pub(crate) loss: Vec<f64>,
    /// Logits at the reference (n, k).
    pub(crate) logits: Array2<f64>,
    /// Probabilities at the reference (n, k).
    pub(crate) probabilities: Array2<f64>,
    lanes: Vec<Lane>,
    lane_rows: usize,
}

/// What one lane sums up, and its scratch space.
///
/// Products read and write matrices whose rows are contiguous, which is faster by a third where columns are few; what
/// is done to a problem wants contiguous columns. So blocks are turned on the way.
struct Lane {
    rows: Array2<f32>,
    columns: Array2<f32>,
    gradient: Array2<f32>,
    intercept: Vec<f64>,
}

/// What [`Passes::settle`] brings up to date, beside the loss.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// Probabilities at the new reference; the gradient is left stale, for [`Passes::retarget`] to follow.
    Probabilities,
    /// Probabilities and gradient.
    Gradient,
}

impl<'a> Passes<'a> {
    /// All problems at weights 0 and intercept 0, their gradient in single precision.
    pub(crate) fn new(
        features: &'a Prepared,
        link: Link,
        penalty: f64,
        targets: Array2<f64>,
        shares: Option<Array2<f64>>,
    ) -> Self {
        let (n, k) = targets.dim();
        let d = features.x.ncols();
        let lane_rows = n.div_ceil(LANES).max(EXACT_BLOCK);
        let lanes = (0..n.div_ceil(lane_rows))
            .map(|_| Lane {
                rows: Array2::zeros((BLOCK.min(lane_rows), k)),
                columns: zeros(BLOCK.min(lane_rows), k),
                gradient: Array2::zeros((d, k)),
                intercept: vec![0.0; k],
            })
            .collect();
        let mut passes = Self {
            features,
            link,
            penalty,
            targets,
            shares,
            weights: zeros(d + 1, k),
            gradient: zeros(d + 1, k),
            loss: vec![0.0; k],
            logits: zeros(n, k),
            probabilities: zeros(n, k),
            lanes,
            lane_rows,
        };
        // At weights 0 the residual is 1/2 (of k classes, 1/k) less t: as if the reference had p = t and logits 0.
        passes.probabilities.assign(&passes.targets);
        let all: Vec<usize> = (0..k).collect();
        passes.gradient = passes.near(&all, &zeros(d + 1, k));
        passes.probabilities.fill(1.0 / link.width().max(2) as f64);
        passes
    }

    /// Gradients (d + 1, columns) of some of the problems at the trial weights (d + 1, columns).
    pub(crate) fn near(&mut self, columns: &[usize], trial: &Array2<f64>) -> Array2<f64> {
        let (n, d) = self.features.x.dim();
        let k = columns.len();
        let mut moved = Array2::<f32>::zeros((d, k));
        let mut shift = vec![0.0; k];
        for (c, &j) in columns.iter().enumerate() {
            for i in 0..d {
                moved[(i, c)] = (trial[(i, c)] - self.weights[(i, j)]) as f32;
            }
            shift[c] = trial[(d, c)] - self.weights[(d, j)];
        }
        let still = moved.iter().all(|&m| m == 0.0);
        let (x, logits, probabilities, link) =
            (&self.features.x, &self.logits, &self.probabilities, self.link);
        let shares = &self.shares;
        let lane_rows = self.lane_rows;
        let tasks: Vec<_> = self.lanes.iter_mut().enumerate().collect();
        each(tasks, |(index, lane)| {
            lane.intercept.fill(0.0);
            let end = ((index + 1) * lane_rows).min(n);
            let mut from = index * lane_rows;
            let mut store = Store::Replace;
            let mut sums = lane.gradient.slice_mut(s![.., ..k]);
            while from < end {
                let to = (from + lane.rows.nrows()).min(end);
                let rows = x.slice(s![from..to, ..]);
                let mut product = lane.rows.slice_mut(s![..to - from, ..k]);
                let mut block = lane.columns.slice_mut(s![..to - from, ..k]);
                if still {
                    block.fill(0.0);
                } else {
                    multiply(&mut product, Store::Replace, rows, moved.view(), 1.0);
                    block.assign(&product);
                }
                if let Link::Softmax(classes) = link {
                    for (c, &j) in columns.iter().enumerate().step_by(classes) {
                        softmax::probability_changes(
                            block.slice_mut(s![.., c..c + classes]),
                            logits.slice(s![from..to, j..j + classes]),
                            probabilities.slice(s![from..to, j..j + classes]),
                            &shift[c..c + classes],
                            &mut lane.intercept[c..c + classes],
                        );
                    }
                }
                for (c, &j) in columns.iter().enumerate().filter(|_| link.width() == 1) {
                    let change = block.slice_mut(s![.., c]);
                    if let (Some(change), Some(z), Some(p)) = (
                        change.into_slice(),
                        logits.slice(s![from..to, j]).to_slice(),
                        probabilities.slice(s![from..to, j]).to_slice(),
                    ) {
                        lane.intercept[c] += match shares_of(shares.as_ref(), j, from, to) {
                            None => sigmoid::probability_changes(change, z, p, shift[c]),
                            Some(w) => sigmoid::weighted_changes(change, z, p, w, shift[c]),
                        };
                    }
                }
                product.assign(&block);
                multiply(&mut sums, store, rows.t(), product.view(), 1.0);
                store = Store::Add;
                from = to;
            }
        });
        let mut gradient = zeros(d + 1, k);
        let (lanes, weights, reference, penalty) = (&self.lanes, &self.weights, &self.gradient, self.penalty);
        let mut totals = Array2::<f64>::zeros((d, k));
        each(totals.axis_chunks_iter_mut(Axis(0), BLOCK).enumerate().collect(), |(chunk, mut totals)| {
            for lane in lanes {
                let from = chunk * BLOCK;
                let sums = lane.gradient.slice(s![from..from + totals.nrows(), ..k]);
                totals.zip_mut_with(&sums, |total, &sum| *total += f64::from(sum));
            }
        });
        let tasks: Vec<_> = gradient.axis_iter_mut(Axis(1)).zip(columns).enumerate().collect();
        each(tasks, |(c, (mut out, &j))| {
            for (i, &total) in totals.column(c).iter().enumerate() {
                out[i] = reference[(i, j)] + penalty * total + (trial[(i, c)] - weights[(i, j)]);
            }
            let intercept: f64 = lanes.iter().map(|lane| lane.intercept[c]).sum();
            out[d] = reference[(d, j)] + penalty * intercept;
            if link == Link::LogisticThroughOrigin {
                out[d] = 0.0;
            }
        });
        gradient
    }

    /// Makes `weights` (d + 1, columns) the reference of some of the problems, in double precision.
    pub(crate) fn settle(&mut self, columns: &[usize], weights: &Array2<f64>, want: Want) {
        let d = self.features.x.ncols();
        let k = columns.len();
        let x = &self.features.x;
        let (targets, shares, link) = (&self.targets, &self.shares, self.link);
        let mut by_row = Array2::zeros((d, k));
        by_row.assign(&weights.slice(s![..d, ..]));
        let mut sums: Vec<(Array2<f64>, Vec<f64>, Vec<f64>)> =
            self.lanes.iter().map(|_| (Array2::zeros((d, k)), vec![0.0; k], vec![0.0; k])).collect();
        let tasks: Vec<_> = self
            .logits
            .axis_chunks_iter_mut(Axis(0), self.lane_rows)
            .zip(self.probabilities.axis_chunks_iter_mut(Axis(0), self.lane_rows))
            .zip(&mut sums)
            .enumerate()
            .collect();
        let lane_rows = self.lane_rows;
        each(tasks, |(index, ((mut logits, mut probabilities), (sums, intercept, loss)))| {
            let start = index * lane_rows;
            let length = logits.nrows();
            let mut rows = Array2::zeros((EXACT_BLOCK.min(length), d));
            let mut product = Array2::zeros((EXACT_BLOCK.min(length), k));
            let mut block = zeros(EXACT_BLOCK.min(length), k);
            let mut store = Store::Replace;
            for from in (0..length).step_by(EXACT_BLOCK) {
                let to = (from + EXACT_BLOCK).min(length);
                let mut rows = rows.slice_mut(s![..to - from, ..]);
                rows.zip_mut_with(&x.slice(s![start + from..start + to, ..]), |to, &from| {
                    *to = f64::from(from);
                });
                let mut z = block.slice_mut(s![..to - from, ..]);
                let mut product = product.slice_mut(s![..to - from, ..]);
                multiply(&mut product, Store::Replace, rows.view(), by_row.view(), 1.0);
                z.assign(&product);
                for (c, &j) in columns.iter().enumerate() {
                    let shift = weights[(d, c)];
                    let y = targets.slice(s![start + from..start + to, j]);
                    let p = probabilities.slice_mut(s![from..to, j]).into_slice();
                    if let (Some(z), Some(p), Some(y)) =
                        (z.slice_mut(s![.., c]).into_slice(), p, y.to_slice())
                    {
                        z.iter_mut().for_each(|z| *z += shift);
                        logits.slice_mut(s![from..to, j]).iter_mut().zip(&*z).for_each(|(to, z)| *to = *z);
                        if link.width() == 1 {
                            let w = shares_of(shares.as_ref(), j, start + from, start + to);
                            loss[c] += match w {
                                None => sigmoid::cross_entropy(z, y),
                                Some(w) => sigmoid::weighted_cross_entropy(z, y, w),
                            };
                            sigmoid::probabilities(p, z);
                            intercept[c] += residuals(z, p, y, w);
                        }
                    }
                }
                if let Link::Softmax(classes) = link {
                    for (c, &j) in columns.iter().enumerate().step_by(classes) {
                        let y = targets.slice(s![start + from..start + to, j..j + classes]);
                        let mut p = probabilities.slice_mut(s![from..to, j..j + classes]);
                        loss[c] += softmax::probabilities(p.view_mut(), z.slice(s![.., c..c + classes]), y);
                        for class in 0..classes {
                            let (p, y) = (p.column(class), y.column(class));
                            if let (Some(z), Some(p), Some(y)) =
                                (z.column_mut(c + class).into_slice(), p.to_slice(), y.to_slice())
                            {
                                intercept[c + class] += residuals(z, p, y, None);
                            }
                        }
                    }
                }
                if want == Want::Gradient {
                    product.assign(&z);
                    multiply(&mut sums.view_mut(), store, rows.t(), product.view(), 1.0);
                    store = Store::Add;
                }
            }
        });
        for (c, &j) in columns.iter().enumerate() {
            self.weights.column_mut(j).assign(&weights.column(c));
            self.loss[j] = self.penalty * sums.iter().map(|(_, _, loss)| loss[c]).sum::<f64>();
            if want == Want::Probabilities {
                continue;
            }
            let mut gradient = self.gradient.column_mut(j);
            gradient.fill(0.0);
            for (sums, intercept, _) in &sums {
                for (to, from) in gradient.iter_mut().zip(sums.column(c)) {
                    *to += from;
                }
                gradient[d] += intercept[c];
            }
            for (i, value) in gradient.iter_mut().enumerate() {
                *value = self.penalty * *value + if i < d { weights[(i, c)] } else { 0.0 };
            }
            if link == Link::LogisticThroughOrigin {
                gradient[d] = 0.0;
            }
        }
    }

    /// Brings the gradient at the reference up to date after a change of targets, in double precision.
    pub(crate) fn retarget(&mut self, columns: &[usize]) {
        let d = self.features.x.ncols();
        let k = columns.len();
        let (n, lane_rows) = (self.features.x.nrows(), self.lane_rows);
        let (x, targets, probabilities) = (&self.features.x, &self.targets, &self.probabilities);
        let shares = &self.shares;
        let mut sums: Vec<(Array2<f64>, Vec<f64>)> =
            self.lanes.iter().map(|_| (zeros(d, k), vec![0.0; k])).collect();
        each(sums.iter_mut().enumerate().collect(), |(index, (sums, intercept))| {
            let end = ((index + 1) * lane_rows).min(n);
            for from in (index * lane_rows..end).step_by(EXACT_BLOCK) {
                let to = (from + EXACT_BLOCK).min(end);
                let rows = x.slice(s![from..to, ..]).mapv(f64::from);
                let mut block = zeros(to - from, k);
                for (c, &j) in columns.iter().enumerate() {
                    let (p, y) = (probabilities.slice(s![from..to, j]), targets.slice(s![from..to, j]));
                    if let (Some(out), Some(p), Some(y)) =
                        (block.slice_mut(s![.., c]).into_slice(), p.to_slice(), y.to_slice())
                    {
                        intercept[c] += residuals(out, p, y, shares_of(shares.as_ref(), j, from, to));
                    }
                }
                multiply(&mut sums.view_mut(), Store::Add, rows.t(), block.view(), 1.0);
            }
        });
        for (c, &j) in columns.iter().enumerate() {
            let weights = self.weights.column(j).to_owned();
            let mut gradient = self.gradient.column_mut(j);
            gradient.fill(0.0);
            for (sums, intercept) in &sums {
                for (to, from) in gradient.iter_mut().zip(sums.column(c)) {
                    *to += from;
                }
                gradient[d] += intercept[c];
            }
            for (i, value) in gradient.iter_mut().enumerate() {
                *value = self.penalty * *value + if i < d { weights[i] } else { 0.0 };
            }
            if self.link == Link::LogisticThroughOrigin {
                gradient[d] = 0.0;
            }
        }
    }

    /// Norm below which a gradient in single precision means nothing, for a reference at weights 0.
    pub(crate) fn noise(&self) -> f64 {
        let rows = self.targets.nrows() as f64;
        let residual = if self.link.width() == 1 { 0.5 } else { 1.0 };
        3e-6 * self.penalty * residual * (self.features.frobenius.powi(2) + rows).sqrt()
    }

    /// Number of problems.
    pub(crate) fn problems(&self) -> usize {
        self.targets.ncols() / self.link.width()
    }

    /// Columns of some of the problems.
    pub(crate) fn columns(&self, problems: &[usize]) -> Vec<usize> {
        let width = self.link.width();
        problems.iter().flat_map(|j| j * width..(j + 1) * width).collect()
    }

    /// A problem's part of a matrix (d + 1, columns), column after column.
    pub(crate) fn part(&self, matrix: &Array2<f64>, problem: usize) -> Vec<f64> {
        let width = self.link.width();
        matrix.slice(s![.., problem * width..(problem + 1) * width]).t().iter().copied().collect()
    }
}

/// The weights of the items of one problem in some rows.
fn shares_of(shares: Option<&Array2<f64>>, problem: usize, from: usize, to: usize) -> Option<&[f64]> {
    shares.and_then(|shares| shares.column(problem).to_slice()).map(|column| &column[from..to])
}

/// Fills `out` with p - y, times the weights if there are any, and returns the sum.
fn residuals(out: &mut [f64], p: &[f64], y: &[f64], w: Option<&[f64]>) -> f64 {
    let mut sum = 0.0;
    for ((out, p), y) in out.iter_mut().zip(p).zip(y) {
        *out = p - y;
        sum += *out;
    }
    if let Some(w) = w {
        sum = 0.0;
        for (out, w) in out.iter_mut().zip(w) {
            *out *= w;
            sum += *out;
        }
    }
    sum
}

/// Logits (n, probes) of features that were not prepared, in double precision, in blocks of rows.
pub(crate) fn logits(
    features: ArrayView2<'_, f32>,
    weights: ArrayView2<'_, f64>,
    intercepts: &[f64],
) -> Array2<f64> {
    let mut out = zeros(features.nrows(), intercepts.len());
    let tasks: Vec<(ArrayViewMut2<'_, f64>, ArrayView2<'_, f32>)> = out
        .axis_chunks_iter_mut(Axis(0), EXACT_BLOCK)
        .zip(features.axis_chunks_iter(Axis(0), EXACT_BLOCK))
        .collect();
    each(tasks, |(mut out, rows)| {
        let rows = rows.mapv(f64::from);
        multiply(&mut out, Store::Replace, rows.view(), weights, 1.0);
        for (mut column, intercept) in out.axis_iter_mut(Axis(1)).zip(intercepts) {
            column.iter_mut().for_each(|z| *z += intercept);
        }
    });
    out
}
