//! Expectation maximisation for every model in which a vote depends on the rater and the true category alone.
//!
//! A model gives the probability of each vote under each truth; here the truths are inferred, the votes counted by
//! truth, and the two steps repeated. The models themselves are in their own files.

use super::patterns::{Patterns, Ragged, UNKNOWN};
use super::settings::{ClassPrior, Search, Stop};
use super::{Truth, argmax};
use crate::{SignalError, Votes};
use ndarray::Array2;

/// Distinct items whose counts are summed before they are added to those of the others: fixed, so that the sums are
/// the same with any number of threads.
const CHUNK: usize = 4096;
/// Below this, a product of probabilities is computed in logarithms.
const SMALL: f64 = 1e-200;
/// crowd-kit's floor of a probability within a logarithm.
const CROWD_KIT_FLOOR: f64 = 1e-10;

/// A number for each category, and for each row and category: probabilities or expected counts. Categories are
/// padded with zeros to `stride`.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) stride: usize,
    pub(super) classes: Vec<f64>,
    pub(super) rows: Vec<f64>,
}

/// A model of raters: how probable a vote is under each truth.
pub(super) trait Model: Clone {
    /// Sets `rows`, the probability of the vote of each base row under each truth, to what the counts say.
    fn update(&mut self, counts: &Table, rows: &mut Table);

    /// What is maximised, given the log-likelihood under the latest `rows`, and the counts they came from.
    fn objective(&self, log_likelihood: f64, counts: &Table) -> f64;
}

/// Where a search ended.
pub(super) struct Found<M> {
    pub(super) model: M,
    /// The parameters under which the truths were inferred.
    inferred_by: Table,
    /// The counts by those truths.
    pub(super) counts: Table,
    /// The parameters by those counts.
    pub(super) table: Table,
    log_likelihood: f64,
    pub(super) objective: f64,
    iterations: usize,
    converged: bool,
    change: f64,
}

impl Table {
    pub(super) fn zeros(categories: usize, rows: usize) -> Self {
        let stride = if categories <= 16 { categories.next_power_of_two().max(2) } else { categories };
        Self { stride, classes: vec![0.0; stride], rows: vec![0.0; rows * stride] }
    }

    pub(super) fn row(&self, row: usize) -> &[f64] {
        &self.rows[row * self.stride..(row + 1) * self.stride]
    }

    pub(super) fn row_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.rows[row * self.stride..(row + 1) * self.stride]
    }

    fn fill(&mut self, value: f64) {
        self.classes.fill(value);
        self.rows.fill(value);
    }

    fn add(&mut self, other: &Self) {
        self.classes.iter_mut().zip(&other.classes).for_each(|(sum, x)| *sum += x);
        self.rows.iter_mut().zip(&other.rows).for_each(|(sum, x)| *sum += x);
    }

    fn distance(&self, other: &Self) -> f64 {
        let far = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        far(&self.classes, &other.classes).max(far(&self.rows, &other.rows))
    }
}

/// The best of the searches from all starts.
///
/// # Errors
/// Settings out of their ranges.
pub(super) fn maximise<M: Model>(
    patterns: &Patterns,
    model: &M,
    classes: &ClassPrior,
    search: &Search,
) -> Result<Found<M>, SignalError> {
    search.check()?;
    classes.check(patterns.categories)?;
    let mut best: Option<Found<M>> = None;
    for start in 0..search.starts {
        let found = climb(patterns, model.clone(), classes, search, start);
        if best.as_ref().is_none_or(|best| found.objective > best.objective) {
            best = Some(found);
        }
    }
    Ok(best.unwrap_or_else(|| unreachable!("there is at least one start")))
}

fn climb<M: Model>(
    patterns: &Patterns,
    mut model: M,
    classes: &ClassPrior,
    search: &Search,
    start: usize,
) -> Found<M> {
    let mut pass = Pass::new(patterns);
    let mut counts = pass.first_counts(search, start);
    let mut table = Table::zeros(patterns.categories, patterns.base.len());
    let mut improve = |counts: &Table, table: &mut Table| {
        classes.update(patterns.categories, &counts.classes, &mut table.classes);
        model.update(counts, table);
    };
    improve(&counts, &mut table);
    let mut inferred_by = table.clone();
    let (mut iterations, mut converged, mut change, mut bound) = (0, false, 0.0, f64::NEG_INFINITY);
    while iterations < search.iterations && !converged {
        iterations += 1;
        inferred_by.clone_from(&table);
        pass.run(&inferred_by, &mut counts);
        improve(&counts, &mut table);
        change = match search.stop {
            Stop::Parameters => table.distance(&inferred_by),
            Stop::CrowdKitBound => {
                let last = std::mem::replace(&mut bound, pass.crowd_kit_bound(&inferred_by, &counts, &table));
                bound - last
            }
        };
        converged = search.stop.is_reached(change, search.tolerance);
    }
    let log_likelihood = pass.run(&table, &mut Table::zeros(patterns.categories, patterns.base.len()));
    let log_prior = classes.log_density(&table.classes[..patterns.categories]);
    let objective = model.objective(log_likelihood, &counts) + log_prior;
    Found { model, inferred_by, counts, table, log_likelihood, objective, iterations, converged, change }
}

impl<M> Found<M> {
    /// The result, with what the model says of the raters.
    pub(super) fn truth<R>(self, patterns: &Patterns, raters: R) -> Truth<R> {
        let k = patterns.categories;
        let pass = Pass::new(patterns);
        let products = pass.products(&self.inferred_by).0;
        let mut distinct = vec![0.0; patterns.len() * k];
        let mut q = vec![0.0; self.inferred_by.stride];
        for index in 0..patterns.len() {
            infer(&mut q, patterns, index, &products);
            distinct[index * k..(index + 1) * k].copy_from_slice(&q[..k]);
        }
        let class_prior = self.table.classes[..k].to_vec();
        let (posterior, labels) = spread(patterns, &distinct, &class_prior);
        Truth {
            posterior,
            labels,
            class_prior,
            raters,
            log_likelihood: self.log_likelihood,
            objective: self.objective,
            iterations: self.iterations,
            converged: self.converged,
            change: self.change,
        }
    }

    /// Replaces the reported likelihood by that of other probabilities of the votes.
    pub(super) fn with_likelihood_of(mut self, patterns: &Patterns, table: Table) -> Self {
        let mut counts = Table::zeros(patterns.categories, patterns.base.len());
        self.log_likelihood = Pass::new(patterns).run(&table, &mut counts);
        self.table = table;
        self
    }
}

/// From the posteriors of distinct items to those of all, and their labels; items without votes get the class prior.
pub(super) fn spread(patterns: &Patterns, distinct: &[f64], prior: &[f64]) -> (Array2<f64>, Vec<u32>) {
    let k = patterns.categories;
    let labels: Vec<u32> = if k == 0 { Vec::new() } else { distinct.chunks_exact(k).map(argmax).collect() };
    let mut flat = Vec::with_capacity(patterns.distinct.len() * k);
    for &index in &patterns.distinct {
        let row = if index == UNKNOWN { prior } else { &distinct[index as usize * k..][..k] };
        flat.extend_from_slice(row);
    }
    let posterior = Array2::from_shape_vec((patterns.distinct.len(), k), flat)
        .unwrap_or_else(|_| unreachable!("one row was pushed for every item"));
    let of_prior = argmax(prior);
    let label = |&index: &u32| if index == UNKNOWN { of_prior } else { labels[index as usize] };
    (posterior, patterns.distinct.iter().map(label).collect())
}

/// The truth that votes show by themselves: for each distinct item the share of each category among its votes, each
/// of which counts `weight(base row)`; given truths are certain. Padded to `stride`.
pub(super) fn shares(patterns: &Patterns, index: usize, weight: impl Fn(u32) -> f64, q: &mut [f64]) {
    q.fill(0.0);
    if patterns.gold[index] == UNKNOWN {
        patterns.votes_of(index).for_each(|row| q[patterns.base[row as usize].1 as usize] += weight(row));
        let sum: f64 = q.iter().sum();
        q.iter_mut().for_each(|q| *q /= sum);
    } else {
        q[patterns.gold[index] as usize] = 1.0;
    }
}

/// One pass over the items.
struct Pass<'a> {
    patterns: &'a Patterns,
    /// How many items hold each row.
    holders: Vec<f64>,
    chunk: usize,
}

impl<'a> Pass<'a> {
    fn new(patterns: &'a Patterns) -> Self {
        let mut holders = vec![0.0; patterns.members.len()];
        for (index, weight) in patterns.weight.iter().enumerate() {
            patterns.items.row(index).iter().for_each(|&row| holders[row as usize] += weight);
        }
        // A chunk has several times the entries of the table that it fills.
        let mean = patterns.items.entries().div_ceil(patterns.len().max(1)).max(1);
        let chunk = CHUNK.max(4 * patterns.members.len() / mean);
        Self { patterns, holders, chunk }
    }

    /// The counts of base rows by the shares of the votes; each start but the first gives the raters random weights.
    fn first_counts(&self, search: &Search, start: usize) -> Table {
        let p = self.patterns;
        let weights = search.weights(p.raters, start);
        let mut counts = Table::zeros(p.categories, p.base.len());
        let mut q = vec![0.0; counts.stride];
        for (index, weight) in p.weight.iter().enumerate() {
            shares(p, index, |row| weights[p.base[row as usize].0 as usize], &mut q);
            q.iter_mut().for_each(|q| *q *= weight);
            counts.classes.iter_mut().zip(&q).for_each(|(sum, q)| *sum += q);
            for row in p.votes_of(index) {
                counts.row_mut(row as usize).iter_mut().zip(&q).for_each(|(sum, q)| *sum += q);
            }
        }
        counts
    }

    /// Sets `counts` to the expected ones under these parameters, and gives the log-likelihood.
    fn run(&mut self, table: &Table, counts: &mut Table) -> f64 {
        let (products, mut log_likelihood) = self.products(table);
        let mut of_rows = Table::zeros(self.patterns.categories, self.patterns.members.len());
        let length = self.patterns.len();
        let mut add = |(part, log): (&Table, f64)| {
            of_rows.add(part);
            log_likelihood += log;
        };
        let one = |start: usize, part: &mut Table| {
            part.fill(0.0);
            let range = start..(start + self.chunk).min(length);
            match products.stride {
                2 => count([0.0; 2], self.patterns, range, &products, part),
                4 => count([0.0; 4], self.patterns, range, &products, part),
                8 => count([0.0; 8], self.patterns, range, &products, part),
                16 => count([0.0; 16], self.patterns, range, &products, part),
                wide => count(vec![0.0; wide], self.patterns, range, &products, part),
            }
        };
        let empty = Table::zeros(self.patterns.categories, self.patterns.members.len());
        #[cfg(feature = "rayon")]
        {
            use rayon::prelude::*;
            let parts: Vec<_> = (0..length.div_ceil(self.chunk))
                .into_par_iter()
                .map(|n| {
                    let mut part = empty.clone();
                    let log = one(n * self.chunk, &mut part);
                    (part, log)
                })
                .collect();
            parts.iter().for_each(|(part, log)| add((part, *log)));
        }
        #[cfg(not(feature = "rayon"))]
        {
            let mut part = empty;
            for start in (0..length).step_by(self.chunk) {
                let log = one(start, &mut part);
                add((&part, log));
            }
        }
        // From patterns of blocks to votes.
        counts.rows.fill(0.0);
        counts.classes.copy_from_slice(&of_rows.classes);
        for row in 0..self.patterns.members.len() {
            let expected = of_rows.row(row);
            for &member in self.patterns.members.row(row) {
                counts.row_mut(member as usize).iter_mut().zip(expected).for_each(|(sum, x)| *sum += x);
            }
        }
        log_likelihood
    }

    /// The probability of each row under each truth, over the largest of them, and the sum over all items of the
    /// logarithms of those largest.
    fn products(&self, table: &Table) -> (Table, f64) {
        let members: &Ragged = &self.patterns.members;
        let mut products = Table::zeros(self.patterns.categories, members.len());
        products.classes.copy_from_slice(&table.classes);
        let mut logs = 0.0;
        for (index, holders) in self.holders.iter().enumerate() {
            let product = products.row_mut(index);
            product[..self.patterns.categories].fill(1.0);
            for &member in members.row(index) {
                product.iter_mut().zip(table.row(member as usize)).for_each(|(product, p)| *product *= p);
                let largest = product.iter().copied().fold(0.0, f64::max);
                product.iter_mut().for_each(|p| *p /= largest);
                logs += holders * largest.ln();
            }
        }
        (products, logs)
    }

    /// crowd-kit's bound: as the evidence lower bound, but with the class prior once for every vote, over the votes.
    fn crowd_kit_bound(&self, inferred_by: &Table, counts: &Table, table: &Table) -> f64 {
        let p = self.patterns;
        let log = |p: f64| p.max(CROWD_KIT_FLOOR).ln();
        let mut bound = 0.0;
        let mut votes = 0.0;
        for row in 0..p.base.len() {
            let mut sum = 0.0;
            for c in 0..p.categories {
                let count = counts.row(row)[c];
                bound += count * (log(table.row(row)[c]) + log(table.classes[c]));
                sum += count;
            }
            votes += sum;
        }
        let products = self.products(inferred_by).0;
        let mut q = vec![0.0; products.stride];
        for (index, weight) in p.weight.iter().enumerate() {
            infer(&mut q, p, index, &products);
            let entropy = |q: &f64| -q.max(CROWD_KIT_FLOOR) * log(*q);
            bound += weight * q[..p.categories].iter().map(entropy).sum::<f64>();
        }
        bound / votes
    }
}

/// Adds the expected counts of these distinct items, and gives their log-likelihood. `q` is room for one item.
#[inline(always)]
fn count<Q: AsMut<[f64]>>(
    mut q: Q,
    patterns: &Patterns,
    range: std::ops::Range<usize>,
    products: &Table,
    counts: &mut Table,
) -> f64 {
    let q = q.as_mut();
    let stride = q.len();
    let (mut log_likelihood, mut product) = (0.0, 1.0);
    for index in range {
        let weight = patterns.weight[index];
        let rows = patterns.items.row(index);
        q.copy_from_slice(&products.classes[..stride]);
        for &row in rows {
            let factors = &products.rows[row as usize * stride..][..stride];
            q.iter_mut().zip(factors).for_each(|(q, factor)| *q *= factor);
        }
        let gold = patterns.gold[index];
        if gold != UNKNOWN {
            q.iter_mut().enumerate().filter(|(c, _)| *c != gold as usize).for_each(|(_, q)| *q = 0.0);
        }
        let mut sum: f64 = q.iter().sum();
        if sum < SMALL {
            log_likelihood += weight * in_logarithms(q, patterns, index, products);
            sum = 1.0;
        } else if weight == 1.0 && sum > 1e-50 {
            // One logarithm serves many items.
            product *= sum;
            if product < SMALL {
                log_likelihood += f64::ln(product);
                product = 1.0;
            }
        } else {
            log_likelihood += weight * sum.ln();
        }
        let scale = weight / sum;
        q.iter_mut().for_each(|q| *q *= scale);
        counts.classes[..stride].iter_mut().zip(&*q).for_each(|(sum, q)| *sum += q);
        for &row in rows {
            let counts = &mut counts.rows[row as usize * stride..][..stride];
            counts.iter_mut().zip(&*q).for_each(|(sum, q)| *sum += q);
        }
    }
    log_likelihood + product.ln()
}

/// The posterior of a distinct item.
fn infer(q: &mut [f64], patterns: &Patterns, index: usize, products: &Table) {
    q.copy_from_slice(&products.classes);
    for &row in patterns.items.row(index) {
        q.iter_mut().zip(products.row(row as usize)).for_each(|(q, factor)| *q *= factor);
    }
    let gold = patterns.gold[index];
    if gold != UNKNOWN {
        q.iter_mut().enumerate().filter(|(c, _)| *c != gold as usize).for_each(|(_, q)| *q = 0.0);
    }
    let sum: f64 = q.iter().sum();
    if sum < SMALL {
        in_logarithms(q, patterns, index, products);
    } else {
        q.iter_mut().for_each(|q| *q /= sum);
    }
}

/// The posterior of a distinct item whose probability is too small for a product, and the logarithm of that
/// probability.
#[cold]
fn in_logarithms(q: &mut [f64], patterns: &Patterns, index: usize, products: &Table) -> f64 {
    let gold = patterns.gold[index];
    for (c, q) in q.iter_mut().enumerate() {
        let rows = patterns.items.row(index).iter().map(|&row| products.row(row as usize)[c].ln());
        *q = products.classes[c].ln() + rows.sum::<f64>();
        if gold != UNKNOWN && c != gold as usize {
            *q = f64::NEG_INFINITY;
        }
    }
    let largest = q.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    q.iter_mut().for_each(|q| *q = (*q - largest).exp());
    let sum: f64 = q.iter().sum();
    q.iter_mut().for_each(|q| *q /= sum);
    largest + sum.ln()
}

/// The layout of the votes, or nothing where there are no items.
pub(super) fn layout(
    votes: &Votes,
    gold: Option<&[Option<u32>]>,
    search: &Search,
) -> Result<Patterns, SignalError> {
    search.check()?;
    Patterns::new(votes, gold, search)
}
