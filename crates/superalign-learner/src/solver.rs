//! Minimises all problems of a group together: limited-memory BFGS (Nocedal 1980), one state per problem, with
//! the shared factor of the curvature bound as its metric and one pass over the features per iteration.
//!
//! A problem that has reached its target leaves the passes. Steps are judged by slopes alone (all problems are
//! convex), so nothing is lost to rounding of the objective near the optimum.

use crate::cholesky::Cholesky;
use crate::matrix::{add_scaled, dot, each, norm, zeros};
use crate::passes::{Passes, Want};
use ndarray::{Array2, Axis, s};
use std::collections::VecDeque;

/// Pairs of steps and gradient changes that are remembered.
const MEMORY: usize = 8;
/// A step is taken back when the slope at its end exceeds this share of the slope at its start.
const CURVATURE: f64 = 0.5;
/// The reference moves when a gradient has shrunk by this factor.
const SHRINK: f64 = 3e-6;
/// ... or when so many steps were taken from it, lest a problem chases what single precision cannot see.
const STRIDE: usize = 30;

/// When to stop.
#[derive(Clone, Copy)]
pub(crate) struct Stop {
    pub(crate) tolerance: f64,
    pub(crate) max_iterations: usize,
}

/// How a problem ended: its reference point holds the solution.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ended {
    pub(crate) iterations: usize,
    pub(crate) gradient_norm: f64,
    pub(crate) converged: bool,
}

/// The state of one problem. Vectors have d + 1 entries per column of the problem, the intercept last.
struct State {
    problem: usize,
    at: Vec<f64>,
    gradient: Vec<f64>,
    /// The gradient after the metric: an approximate Newton step, up to its sign.
    metric_gradient: Vec<f64>,
    direction: Vec<f64>,
    step: f64,
    slope: f64,
    retries: usize,
    pairs: VecDeque<Pair>,
    target: f64,
    ended: Ended,
}

struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    metric_change: Vec<f64>,
    product: f64,
}

/// The metric: the factor for the weights, the bound of its curvature for the intercept.
pub(crate) struct Metric<'a> {
    pub(crate) factor: &'a Cholesky,
    pub(crate) intercept: f64,
}

impl Metric<'_> {
    /// Replaces gradients (d + 1, columns) by steps.
    pub(crate) fn apply(&self, gradients: &mut Array2<f64>) {
        let d = gradients.nrows() - 1;
        let mut weights = zeros(d, gradients.ncols());
        weights.assign(&gradients.slice(s![..d, ..]));
        self.factor.solve(&mut weights);
        gradients.slice_mut(s![..d, ..]).assign(&weights);
        gradients.row_mut(d).iter_mut().for_each(|g| *g /= self.intercept);
    }
}

/// Minimises some of the problems from their reference points, which must be known (exactly or from the start).
pub(crate) fn minimise(
    passes: &mut Passes<'_>,
    metric: &Metric<'_>,
    problems: &[usize],
    start_is_exact: bool,
    stop: Stop,
) -> Vec<Ended> {
    let floor = if start_is_exact { 0.0 } else { passes.noise() };
    let mut states: Vec<State> = problems.iter().map(|&j| State::new(passes, j)).collect();
    let mut exact = start_is_exact;
    loop {
        let mut open: Vec<&mut State> = states.iter_mut().filter(|s| !s.ended.converged).collect();
        if exact {
            open.iter_mut().for_each(|s| s.judge(stop));
            open.retain(|s| !s.ended.converged && s.ended.iterations < stop.max_iterations);
        }
        if open.is_empty() {
            return states.into_iter().map(|s| s.ended).collect();
        }
        with_metric(metric, &mut open);
        for state in &mut open {
            let shrunk = SHRINK * norm(&state.gradient);
            state.target = shrunk.max(0.3 * stop.tolerance).max(if exact { 0.0 } else { floor });
            state.aim();
        }
        descend(passes, metric, &mut open, stop);
        let (columns, weights) = gather(passes, &open, |state, i| state.at[i]);
        passes.settle(&columns, &weights, Want::Gradient);
        for state in open {
            state.gradient = passes.part(&passes.gradient, state.problem);
            state.ended.iterations += 1;
        }
        exact = true;
    }
}

/// Minimises some of the problems, whose gradients must be known, under a loss whose targets and weights follow
/// smoothly from the student: `refresh` brings them up to date at every trial, so that each gradient is that of the
/// loss itself. What is reached is a stationary point; the problem need not be convex.
pub(crate) fn minimise_moving<'a>(
    passes: &mut Passes<'a>,
    metric: &Metric<'_>,
    problems: &[usize],
    stop: Stop,
    refresh: impl Fn(&mut Passes<'a>, &[usize]),
) -> Vec<Ended> {
    let mut states: Vec<State> = problems.iter().map(|&j| State::new(passes, j)).collect();
    let mut all: Vec<&mut State> = states.iter_mut().collect();
    with_metric(metric, &mut all);
    each(all, State::aim);
    loop {
        let mut running: Vec<&mut State> = states.iter_mut().collect();
        running.iter_mut().for_each(|s| s.judge(stop));
        running.retain(|s| !s.ended.converged && s.ended.iterations < stop.max_iterations);
        if running.is_empty() {
            return states.into_iter().map(|s| s.ended).collect();
        }
        let (columns, trial) = trials(passes, &running);
        passes.settle(&columns, &trial, Want::Probabilities);
        refresh(passes, &columns);
        passes.retarget(&columns);
        let mut moved: Vec<&mut State> = Vec::with_capacity(running.len());
        for state in running {
            let gradient = passes.gradient.column(state.problem).to_vec();
            if state.judge_step(&gradient) {
                moved.push(state);
            }
        }
        with_metric(metric, &mut moved);
        each(moved, |state| {
            state.remember();
            state.aim();
        });
    }
}

/// The columns of some states, and their weights one step on.
fn trials(passes: &Passes<'_>, states: &[&mut State]) -> (Vec<usize>, Array2<f64>) {
    gather(passes, states, |state, i| state.at[i] + state.step * state.direction[i])
}

/// Iterates until every problem has reached its target or spent its iterations.
fn descend(passes: &mut Passes<'_>, metric: &Metric<'_>, open: &mut [&mut State], stop: Stop) {
    let mut running: Vec<&mut State> = open.iter_mut().map(|s| &mut **s).collect();
    running.retain(|s| norm(&s.gradient) > s.target);
    for _ in 0..STRIDE {
        if running.is_empty() {
            break;
        }
        let (columns, trial) = trials(passes, &running);
        let gradients = passes.near(&columns, &trial);
        let mut accepted: Vec<bool> = Vec::with_capacity(running.len());
        let parts = gradients.axis_chunks_iter(Axis(1), passes.link.width());
        for (state, gradient) in running.iter_mut().zip(parts) {
            accepted.push(state.judge_step(&gradient.t().iter().copied().collect::<Vec<f64>>()));
        }
        let mut moved: Vec<&mut State> =
            running.iter_mut().zip(&accepted).filter(|(_, ok)| **ok).map(|(s, _)| &mut **s).collect();
        with_metric(metric, &mut moved);
        each(moved, |state| {
            state.remember();
            state.aim();
        });
        running.retain(|s| norm(&s.gradient) > s.target && s.ended.iterations < stop.max_iterations);
    }
}

/// Brings `metric_gradient` up to date; the old one is kept for [`State::remember`] inside the newest pair.
fn with_metric(metric: &Metric<'_>, states: &mut [&mut State]) {
    let Some(first) = states.first() else { return };
    let rows = metric.factor.size() + 1;
    let width = first.gradient.len() / rows;
    let mut steps = zeros(rows, width * states.len());
    for (mut columns, state) in steps.axis_chunks_iter_mut(Axis(1), width).zip(&*states) {
        columns.view_mut().reversed_axes().iter_mut().zip(&state.gradient).for_each(|(to, from)| *to = *from);
    }
    metric.apply(&mut steps);
    for (columns, state) in steps.axis_chunks_iter(Axis(1), width).zip(states) {
        let new: Vec<f64> = columns.t().iter().copied().collect();
        if let Some(pair) = state.pairs.back_mut().filter(|p| p.metric_change.is_empty()) {
            pair.metric_change = new.iter().zip(&state.metric_gradient).map(|(new, old)| new - old).collect();
        }
        state.metric_gradient = new;
    }
}

/// The columns of some problems, and a matrix (d + 1, columns) whose entries are a function of each problem's state.
fn gather(
    passes: &Passes<'_>,
    states: &[&mut State],
    entry: impl Fn(&State, usize) -> f64,
) -> (Vec<usize>, Array2<f64>) {
    let problems: Vec<usize> = states.iter().map(|s| s.problem).collect();
    let columns = passes.columns(&problems);
    let mut matrix = zeros(passes.weights.nrows(), columns.len());
    for (part, state) in matrix.axis_chunks_iter_mut(Axis(1), passes.link.width()).zip(states) {
        part.reversed_axes().iter_mut().enumerate().for_each(|(i, to)| *to = entry(state, i));
    }
    (columns, matrix)
}

impl State {
    fn new(passes: &Passes<'_>, problem: usize) -> Self {
        let gradient = passes.part(&passes.gradient, problem);
        Self {
            problem,
            at: passes.part(&passes.weights, problem),
            metric_gradient: Vec::new(),
            direction: vec![0.0; gradient.len()],
            gradient,
            step: 1.0,
            slope: 0.0,
            retries: 0,
            pairs: VecDeque::with_capacity(MEMORY),
            target: 0.0,
            ended: Ended::default(),
        }
    }

    /// Whether the exact gradient is small enough.
    fn judge(&mut self, stop: Stop) {
        self.ended.gradient_norm = norm(&self.gradient);
        self.ended.converged = self.ended.gradient_norm <= stop.tolerance;
    }

    /// Accepts the step (and moves) or shortens it.
    fn judge_step(&mut self, gradient: &[f64]) -> bool {
        self.ended.iterations += 1;
        let slope = dot(gradient, &self.direction);
        if slope > -CURVATURE * self.slope && self.retries < 20 {
            // The slope along the line is increasing from `self.slope` < 0: aim for its zero by the secant.
            let share = self.slope / (self.slope - slope);
            self.step *= share.clamp(0.1, 0.9);
            self.retries += 1;
            return false;
        }
        let step: Vec<f64> = self.direction.iter().map(|d| self.step * d).collect();
        let change: Vec<f64> = gradient.iter().zip(&self.gradient).map(|(new, old)| new - old).collect();
        add_scaled(&mut self.at, self.step, &self.direction);
        self.gradient.copy_from_slice(gradient);
        let product = dot(&step, &change);
        if self.pairs.len() == MEMORY {
            self.pairs.pop_front();
        }
        self.pairs.push_back(Pair { step, change, metric_change: Vec::new(), product });
        true
    }

    /// Drops the newest pair when rounding has spoiled its curvature (all curvatures are positive).
    fn remember(&mut self) {
        let spoiled = self.pairs.back().is_some_and(|pair| {
            let lengths = dot(&pair.change, &pair.metric_change);
            !(pair.product > 1e-10 * norm(&pair.step) * norm(&pair.change) && lengths > 0.0)
        });
        if spoiled {
            self.pairs.pop_back();
        }
    }

    /// Sets the direction, its slope and a whole step: the two-loop recursion, with the metric's products of
    /// past gradient changes kept instead of recomputed.
    fn aim(&mut self) {
        let mut projected = self.gradient.clone();
        let mut direction = self.metric_gradient.clone();
        let mut shares = [0.0; MEMORY];
        for (share, pair) in shares.iter_mut().zip(&self.pairs).rev() {
            *share = dot(&pair.step, &projected) / pair.product;
            add_scaled(&mut projected, -*share, &pair.change);
            add_scaled(&mut direction, -*share, &pair.metric_change);
        }
        if let Some(newest) = self.pairs.back() {
            let length = newest.product / dot(&newest.change, &newest.metric_change);
            direction.iter_mut().for_each(|v| *v *= length);
        }
        for (share, pair) in shares.iter().zip(&self.pairs) {
            let correction = share - dot(&pair.change, &direction) / pair.product;
            add_scaled(&mut direction, correction, &pair.step);
        }
        let slope = -dot(&direction, &self.gradient);
        if slope < 0.0 {
            self.slope = slope;
        } else {
            self.pairs.clear();
            direction.copy_from_slice(&self.metric_gradient);
            self.slope = -dot(&direction, &self.gradient);
        }
        direction.iter_mut().for_each(|v| *v = -*v);
        self.direction = direction;
        self.step = 1.0;
        self.retries = 0;
    }
}
