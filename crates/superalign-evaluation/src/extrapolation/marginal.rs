//! The search for the items of greatest likelihood: expectation maximisation, then Newton's method.
//!
//! What is searched for, and why, is in `item_response`.

use super::chance::logistic;
use super::item_response::{ItemModel, ItemResponse, Items, Parameter};
use super::linear::Cholesky;
use super::responses::{Expected, Grid, Lines, Patterns, softplus};
use crate::EvaluationError;
use ndarray::{Array2, s};

/// Expectation maximisation takes so many steps before Newton's method is tried again.
const EM_STEPS: usize = 6;
/// A slope beyond this is on its way to infinity.
const STEEPEST: f64 = 30.0;

/// Whether the likelihood can have a single top at finite parameters, as far as counts tell.
pub(super) fn identified(patterns: &Patterns, model: ItemModel) -> Result<(), EvaluationError> {
    let expected = if model == ItemModel::Rasch { 2 } else { 3 };
    if patterns.items < expected {
        return Err(EvaluationError::TooFew { what: "items", found: patterns.items, expected });
    }
    for item in 0..patterns.items {
        let (right, asked) = patterns.score(item);
        let problem = match () {
            () if asked == 0.0 => "has no answer",
            () if right == 0.0 => "has no right answer",
            () if right == asked => "has no wrong answer",
            () => continue,
        };
        let reason = format!("item {item} {problem}: leave it out or give a prior");
        return Err(EvaluationError::undefined("item response model", reason));
    }
    Ok(())
}

/// A climb to the top of the objective.
pub(super) struct Search<'a> {
    patterns: &'a Patterns,
    options: &'a ItemResponse,
    grid: Grid,
    lines: Lines,
    here: Expected,
    objective: f64,
    passes: usize,
}

impl<'a> Search<'a> {
    pub(super) fn new(patterns: &'a Patterns, options: &'a ItemResponse) -> Self {
        let grid = Grid::new(options.nodes);
        let intercept = (0..patterns.items).map(|item| {
            let (right, asked) = patterns.score(item);
            // Log-odds at ability 0 of an item of slope 1 are steeper than those of all abilities together.
            1.2 * ((right + 0.5) / (asked - right + 0.5)).ln()
        });
        let lines = Lines { slope: vec![1.0; patterns.items], intercept: intercept.collect() };
        let here = patterns.expected(&lines, &grid);
        let mut search = Self { patterns, options, grid, lines, here, objective: 0.0, passes: 1 };
        search.objective = search.here.log_likelihood + search.prior(&search.lines);
        search
    }

    /// Slopes that are parameters of their own.
    fn slopes(&self) -> usize {
        if self.options.model == ItemModel::Rasch { 1 } else { self.patterns.items }
    }

    fn prior(&self, lines: &Lines) -> f64 {
        let prior = &self.options.prior;
        lines.slope.iter().take(self.slopes()).map(|&a| prior.of_slope(a)[0]).sum::<f64>()
            + lines.intercept.iter().map(|&d| prior.of_intercept(d)[0]).sum::<f64>()
    }

    pub(super) fn run(&mut self) -> Result<(), EvaluationError> {
        while self.passes < self.options.iterations {
            for _ in 0..EM_STEPS {
                self.maximise();
                let lines = self.lines.clone();
                self.go(lines);
            }
            if let Some(item) = self.lines.slope.iter().position(|a| a.abs() > STEEPEST) {
                let reason = format!("the slope of item {item} grows without bound: give a prior");
                return Err(EvaluationError::undefined("item response model", reason));
            }
            if self.polish() {
                return Ok(());
            }
        }
        let reason = format!("the search has not settled after {} passes: give a prior", self.passes);
        Err(EvaluationError::undefined("item response model", reason))
    }

    /// Moves to these lines.
    fn go(&mut self, lines: Lines) {
        self.here = self.patterns.expected(&lines, &self.grid);
        self.objective = self.here.log_likelihood + self.prior(&lines);
        self.lines = lines;
        self.passes += 1;
    }

    /// First and second derivatives, by slope and intercept, of the expected log-likelihood of item j with abilities.
    fn local(&self, j: usize) -> [f64; 5] {
        let (slope, intercept) = (self.lines.slope[j], self.lines.intercept[j]);
        let mut sums = [0.0; 5];
        for (q, &node) in self.grid.nodes.iter().enumerate() {
            let (right, asked) = (self.here.right[[j, q]], self.here.asked[[j, q]]);
            let chance = logistic(slope * node + intercept);
            let (residual, bend) = (right - asked * chance, asked * chance * (1.0 - chance));
            sums[0] += residual * node;
            sums[1] += residual;
            sums[2] += bend * node * node;
            sums[3] += bend * node;
            sums[4] += bend;
        }
        sums
    }

    /// Expected log-likelihood of item j with abilities, on other lines.
    fn value(&self, j: usize, slope: f64, intercept: f64) -> f64 {
        let of = |(q, &node): (usize, &f64)| {
            let odds = slope * node + intercept;
            self.here.right[[j, q]] * odds - self.here.asked[[j, q]] * softplus(odds)
        };
        self.grid.nodes.iter().enumerate().map(of).sum()
    }

    /// One guarded Newton step for each item, and one for the common slope (the M step).
    fn maximise(&mut self) {
        let prior = self.options.prior;
        let rasch = self.options.model == ItemModel::Rasch;
        let (mut first, mut second) = (0.0, 0.0);
        for j in 0..self.patterns.items {
            let (slope, intercept) = (self.lines.slope[j], self.lines.intercept[j]);
            let [by_slope, by_intercept, ss, si, ii] = self.local(j);
            let on_intercept = prior.of_intercept(intercept);
            let (gi, hi) = (by_intercept + on_intercept[1], ii - on_intercept[2]);
            let (mut step_s, mut step_i) = (0.0, gi / hi.max(1e-12));
            if rasch {
                first += by_slope;
                second += ss;
            } else {
                let on_slope = prior.of_slope(slope);
                let (gs, hs) = (by_slope + on_slope[1], ss - on_slope[2]);
                let determinant = hs * hi - si * si;
                if hs > 0.0 && determinant > 1e-12 * hs * hi {
                    step_s = (hi * gs - si * gi) / determinant;
                    step_i = (hs * gi - si * gs) / determinant;
                } else {
                    step_s = gs / ss.max(1e-12);
                }
            }
            let of = |a, d| self.value(j, a, d) + prior.of_intercept(d)[0] + prior.of_slope(a)[0];
            let before = of(slope, intercept);
            let share = shorten(before, |share| of(slope + share * step_s, intercept + share * step_i));
            self.lines.slope[j] += share * step_s;
            self.lines.intercept[j] += share * step_i;
        }
        if rasch {
            let slope = self.lines.slope[0];
            let on_slope = prior.of_slope(slope);
            let step = (first + on_slope[1]) / (second - on_slope[2]).max(1e-12);
            let of = |slope| {
                let items = self.lines.intercept.iter().enumerate().map(|(j, &d)| self.value(j, slope, d));
                items.sum::<f64>() + prior.of_slope(slope)[0]
            };
            let share = shorten(of(slope), |share| of(slope + share * step));
            self.lines.slope.fill(slope + share * step);
        }
    }

    /// Derivatives of the objective by the free parameters: slopes, then intercepts.
    fn gradient(&self) -> Vec<f64> {
        let (prior, slopes) = (&self.options.prior, self.slopes());
        let mut gradient = vec![0.0; slopes + self.patterns.items];
        for j in 0..self.patterns.items {
            let [by_slope, by_intercept, ..] = self.local(j);
            gradient[j.min(slopes - 1)] += by_slope;
            gradient[slopes + j] = by_intercept + prior.of_intercept(self.lines.intercept[j])[1];
        }
        for (g, &slope) in gradient.iter_mut().zip(&self.lines.slope).take(slopes) {
            *g += prior.of_slope(slope)[1];
        }
        gradient
    }

    /// Minus the second derivatives of the objective by the free parameters.
    fn information(&self) -> Array2<f64> {
        let items = self.patterns.items;
        let mut found = self.patterns.information(&self.lines, &self.grid);
        if self.options.model == ItemModel::Rasch {
            let mut merged = Array2::zeros((1 + items, 1 + items));
            merged[[0, 0]] = found.slice(s![..items, ..items]).sum();
            for j in 0..items {
                let mixed = found.slice(s![..items, items + j]).sum();
                merged[[0, 1 + j]] = mixed;
                merged[[1 + j, 0]] = mixed;
            }
            merged.slice_mut(s![1.., 1..]).assign(&found.slice(s![items.., items..]));
            found = merged;
        }
        let (prior, slopes) = (&self.options.prior, self.slopes());
        for (j, &slope) in self.lines.slope.iter().take(slopes).enumerate() {
            found[[j, j]] -= prior.of_slope(slope)[2];
        }
        for (j, &intercept) in self.lines.intercept.iter().enumerate() {
            found[[slopes + j, slopes + j]] -= prior.of_intercept(intercept)[2];
        }
        found
    }

    /// Newton's method, whose matrix serves as long as the gain falls fast; whether it has reached the top.
    fn polish(&mut self) -> bool {
        let Some(mut factor) = Cholesky::factor(self.information()) else { return false };
        let mut last = f64::INFINITY;
        let mut fresh = true;
        for _ in 0..50 {
            let gradient = self.gradient();
            let step = factor.solve(&gradient);
            let gain: f64 = step.iter().zip(&gradient).map(|(s, g)| s * g).sum();
            if gain <= 1e-18 * self.objective.abs().max(1.0) {
                return true;
            }
            if gain > 0.05 * last && !fresh {
                let Some(found) = Cholesky::factor(self.information()) else { return false };
                factor = found;
                fresh = true;
                last = f64::INFINITY;
                continue;
            }
            let lines = self.stepped(&step);
            if lines.slope.iter().any(|a| a.abs() > STEEPEST) {
                return false;
            }
            let (old_lines, old) = (self.lines.clone(), self.objective);
            self.go(lines);
            let slack = 1e-13 * old.abs().max(1.0);
            if self.objective.is_nan() || self.objective < old - slack {
                self.go(old_lines);
                return false;
            }
            // Rounding ends the climb where nothing is gained any more.
            if gain < slack && gain > 0.5 * last {
                return true;
            }
            last = gain;
            fresh = false;
        }
        false
    }

    fn stepped(&self, step: &[f64]) -> Lines {
        let slopes = self.slopes();
        let mut lines = self.lines.clone();
        lines.slope.iter_mut().enumerate().for_each(|(j, a)| *a += step[j.min(slopes - 1)]);
        lines.intercept.iter_mut().zip(&step[slopes..]).for_each(|(d, step)| *d += step);
        lines
    }

    pub(super) fn items(mut self) -> Result<Items, EvaluationError> {
        if self.lines.slope.iter().sum::<f64>() < 0.0 {
            let mut lines = self.lines.clone();
            lines.slope.iter_mut().for_each(|a| *a = -*a);
            self.go(lines);
        }
        let slopes = self.slopes();
        let factor = Cholesky::factor(self.information()).ok_or_else(|| {
            EvaluationError::undefined("standard error", "the information of the items is singular")
        })?;
        let covariance = factor.inverse();
        let parameter = |value, place: usize| Parameter { value, error: covariance[[place, place]].sqrt() };
        let slope = |(j, &value): (usize, &f64)| parameter(value, j.min(slopes - 1));
        let intercept = |(j, &value): (usize, &f64)| parameter(value, slopes + j);
        Ok(Items {
            model: self.options.model,
            slopes: self.lines.slope.iter().enumerate().map(slope).collect(),
            intercepts: self.lines.intercept.iter().enumerate().map(intercept).collect(),
            covariances: (0..self.patterns.items)
                .map(|j| covariance[[j.min(slopes - 1), slopes + j]])
                .collect(),
            log_likelihood: self.here.log_likelihood,
            objective: self.objective,
            parameters: slopes + self.patterns.items,
            persons: self.patterns.persons,
            iterations: self.passes,
            gradient: self.gradient().iter().fold(0.0, |most, g| most.max(g.abs())),
        })
    }
}

/// The largest of 1, 1/2, 1/4 … of a step after which the value is not lower; 0 when there is none.
fn shorten(before: f64, value: impl Fn(f64) -> f64) -> f64 {
    let mut share = 1.0;
    while share > 1e-6 {
        if value(share) >= before {
            return share;
        }
        share *= 0.5;
    }
    0.0
}
