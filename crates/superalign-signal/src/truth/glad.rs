//! GLAD: raters of different ability, items of different ease.

use super::em::{layout, spread};
use super::patterns::{Patterns, UNKNOWN};
use super::{ClassPrior, Search, Stop, Truth};
use crate::{SignalError, Votes};

/// Newton steps for the ease of an item are at most this long, and are halved up to so many times.
const STEP: f64 = 1.0;
const HALVINGS: u32 = 20;
/// An M step ends when a sweep moves nothing by more than this share of the tolerance.
const SWEPT: f64 = 0.1;
/// No prior mean or log-ease is farther from 0, so that no exponential is infinite.
const FAR: f64 = 100.0;
/// Precisions of the priors.
const PRECISIONS: std::ops::RangeInclusive<f64> = 1e-6..=1e6;

/// Settings of [`glad`]; the defaults are those of the paper's program and of crowd-kit.
///
/// There is no version without priors: abilities times a number and eases divided by it fit alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Glad {
    /// Prior of the abilities; mean 1 and precision 1 by default.
    pub ability: Normal,
    /// Prior of the logarithms of the eases; mean 1 and precision 1 by default.
    pub log_ease: Normal,
    /// Where the class prior comes from; uniform by default.
    pub classes: ClassPrior,
    /// In each iteration, abilities and eases are improved in turn up to so many times, at least once, which is the
    /// default and the fastest.
    pub sweeps: usize,
    /// How the best parameters are searched for. The first start has every parameter at its prior's mean; further ones
    /// multiply the abilities by numbers drawn from the exponential distribution.
    pub search: Search,
}

/// A normal distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normal {
    /// Its mean, in [-100, 100].
    pub mean: f64,
    /// One over its variance, in [1e-6, 1e6].
    pub precision: f64,
}

/// Abilities of raters and eases of items.
#[derive(Clone, Debug, PartialEq)]
pub struct Abilities {
    /// Ability of each rater, any number: 0 guesses, below 0 is more often wrong than a coin.
    pub ability: Vec<f64>,
    /// Natural logarithm of each item's ease (1 / difficulty); the prior's mean for items without votes.
    pub log_ease: Vec<f64>,
    /// Probability that a vote of the rater is right, as the mean over the rater's items; for raters without votes
    /// on an item of ease `exp(mean)`.
    pub accuracy: Vec<f64>,
}

impl Default for Glad {
    fn default() -> Self {
        let normal = Normal { mean: 1.0, precision: 1.0 };
        let (classes, search) = (ClassPrior::Uniform, Search::default());
        Self { ability: normal, log_ease: normal, classes, sweeps: 1, search }
    }
}

/// The GLAD model (generative model of labels, abilities and difficulties): rater r is right on item i with
/// probability `s = 1 / (1 + exp(-ability[r] * ease[i]))`, and gives each of the k - 1 wrong categories with
/// probability `(1 - s) / (k - 1)`.
///
/// Abilities and log-eases maximise the likelihood, with the truths summed out, times their normal priors.
/// Expectation maximisation; in the M step the abilities go to the top of a quadratic lower bound (Jaakkola and Jordan)
/// and each log-ease takes a guarded Newton step, so the objective never falls. Items with the same votes have the same
/// ease and are worked on once. `gold`, the rest of the errors and the invariances are as in
/// [`dawid_skene`](super::dawid_skene).
///
/// # Errors
/// As [`dawid_skene`](super::dawid_skene); votes of one category only, where no vote can be wrong.
///
/// Whitehill, Ruvolo, Wu, Bergsma and Movellan 2009, "Whose vote should count more"; reference implementation:
/// crowd-kit's `GLAD`, which stops early.
///
/// ```
/// use ndarray::Array2;
/// use superalign_signal::{Votes, truth::{Glad, glad}};
/// // On every tenth item raters 1 and 2 are wrong; rater 3 is wrong in every second item.
/// let vote = |i: usize, r: usize| (i % 2) ^ usize::from((r == 3 && i % 4 < 2) || (i % 10 == 0 && r == 1 + i % 3));
/// let votes = Array2::from_shape_fn((60, 4), |(i, r)| vote(i, r) as i8);
/// let found = glad(&Votes::dense(votes.view())?, None, &Glad::default())?;
/// assert!(found.raters.ability[0] > found.raters.ability[3]);
/// assert!(found.raters.log_ease[10] < found.raters.log_ease[6]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn glad(
    votes: &Votes,
    gold: Option<&[Option<u32>]>,
    options: &Glad,
) -> Result<Truth<Abilities>, SignalError> {
    options.check()?;
    let patterns = layout(votes, gold, &options.search)?;
    options.classes.check(patterns.categories)?;
    if patterns.categories == 1 {
        return Err(SignalError::undefined("GLAD", "the votes are of one category, so none can be wrong"));
    }
    let mut best: Option<Climb<'_>> = None;
    for start in 0..options.search.starts {
        let mut climb = Climb::new(&patterns, options, start);
        climb.run();
        if best.as_ref().is_none_or(|best| climb.objective > best.objective) {
            best = Some(climb);
        }
    }
    Ok(best.unwrap_or_else(|| unreachable!("there is at least one start")).truth())
}

impl Glad {
    /// As crowd-kit computes it: a full M step in each iteration, and its stopping rule, under which most searches end
    /// after two or three iterations. crowd-kit's own M step stops early as well, so that its posteriors differ from
    /// these, mostly by some 1e-4, sometimes by 0.02; with a stricter M step it agrees.
    #[must_use]
    pub fn crowd_kit() -> Self {
        let search =
            Search { tolerance: 1e-5, iterations: 100, stop: Stop::CrowdKitBound, ..Search::default() };
        Self { sweeps: 500, search, ..Self::default() }
    }

    fn check(&self) -> Result<(), SignalError> {
        for (mean, precision, normal) in [
            ("mean of the ability", "precision of the ability", self.ability),
            ("mean of the log-ease", "precision of the log-ease", self.log_ease),
        ] {
            if normal.mean.is_nan() || normal.mean.abs() > FAR {
                return Err(SignalError::setting(mean, normal.mean, "a number in [-100, 100]"));
            }
            if !(PRECISIONS.contains(&normal.precision)) {
                return Err(SignalError::setting(precision, normal.precision, "a number in [1e-6, 1e6]"));
            }
        }
        if self.sweeps == 0 {
            return Err(SignalError::setting("sweeps", 0.0, "at least 1"));
        }
        Ok(())
    }
}

impl Normal {
    fn log_density(self, x: f64) -> f64 {
        -0.5 * self.precision * (x - self.mean).powi(2)
    }
}

/// A search from one start.
struct Climb<'a> {
    patterns: &'a Patterns,
    options: &'a Glad,
    /// `starts[i]..starts[i + 1]` are the votes on distinct item i.
    starts: Vec<usize>,
    /// Rater, category, and probability that it is right, of each vote.
    votes: Vec<(u32, u32, f64)>,
    ability: Vec<f64>,
    log_ease: Vec<f64>,
    classes: Vec<f64>,
    /// Posterior of each distinct item.
    posterior: Vec<f64>,
    log_likelihood: f64,
    objective: f64,
    iterations: usize,
    converged: bool,
    change: f64,
}

impl<'a> Climb<'a> {
    fn new(patterns: &'a Patterns, options: &'a Glad, start: usize) -> Self {
        let mut starts = vec![0];
        let mut votes = Vec::new();
        for index in 0..patterns.len() {
            votes.extend(patterns.votes_of(index).map(|row| {
                let (rater, category) = patterns.base[row as usize];
                (rater, category, 0.0)
            }));
            starts.push(votes.len());
        }
        let k = patterns.categories;
        let weights = options.search.weights(patterns.raters, start);
        let mut classes = vec![1.0 / k as f64; k];
        if let ClassPrior::Fixed(prior) = &options.classes {
            classes.clone_from(prior);
        }
        Self {
            ability: weights.iter().map(|weight| weight * options.ability.mean).collect(),
            log_ease: vec![options.log_ease.mean; patterns.len()],
            posterior: vec![0.0; patterns.len() * k],
            log_likelihood: 0.0,
            objective: 0.0,
            iterations: 0,
            converged: false,
            change: 0.0,
            patterns,
            options,
            starts,
            votes,
            classes,
        }
    }

    fn run(&mut self) {
        let search = &self.options.search;
        let mut bound = f64::NEG_INFINITY;
        while self.iterations < search.iterations && !self.converged {
            self.iterations += 1;
            self.infer();
            let mut change = self.count_classes();
            for _ in 0..self.options.sweeps {
                let moved = self.improve_abilities().max(self.improve_eases());
                change = change.max(moved);
                if moved <= SWEPT * search.tolerance {
                    break;
                }
            }
            if search.stop == Stop::CrowdKitBound {
                let last = std::mem::replace(&mut bound, self.crowd_kit_bound());
                change = bound - last;
            }
            self.change = change;
            self.converged = search.stop.is_reached(change, search.tolerance);
        }
        self.log_likelihood = self.likelihood();
        self.objective =
            self.log_likelihood + self.log_prior() + self.options.classes.log_density(&self.classes);
    }

    /// Logarithm of the prior density of abilities and log-eases, without its constant.
    fn log_prior(&self) -> f64 {
        let ability = self.ability.iter().map(|&a| self.options.ability.log_density(a)).sum::<f64>();
        let ease = self.log_ease.iter().zip(&self.patterns.weight);
        ability + ease.map(|(&b, weight)| weight * self.options.log_ease.log_density(b)).sum::<f64>()
    }

    /// crowd-kit's bound: the expected logarithm of the probability of votes and truths, with that of the prior (both
    /// without their constants), over the number of votes times categories.
    fn crowd_kit_bound(&self) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        for item in 0..self.patterns.len() {
            let (ease, weight) = (self.log_ease[item].exp(), self.patterns.weight[item]);
            for &(rater, _, right) in &self.votes[self.starts[item]..self.starts[item + 1]] {
                let x = self.ability[rater as usize] * ease;
                sum += weight * (right * x - softplus(x) - (1.0 - right) * self.wrong());
                count += weight;
            }
        }
        (sum + self.log_prior()) / (count * self.patterns.categories as f64)
    }

    /// Logarithm of the number of wrong categories.
    fn wrong(&self) -> f64 {
        (self.patterns.categories as f64 - 1.0).ln()
    }

    /// Logarithm of class probability times votes, but for the factor that all truths share: a vote for c multiplies
    /// the odds of c by (k - 1) s / (1 - s) = (k - 1) exp(ability ease).
    fn log_odds(&self, item: usize, q: &mut [f64]) {
        q.iter_mut().zip(&self.classes).for_each(|(q, class)| *q = class.ln());
        let ease = self.log_ease[item].exp();
        let wrong = self.wrong();
        for &(rater, category, _) in &self.votes[self.starts[item]..self.starts[item + 1]] {
            q[category as usize] += self.ability[rater as usize] * ease + wrong;
        }
        let gold = self.patterns.gold[item];
        if gold != UNKNOWN {
            q.iter_mut()
                .enumerate()
                .filter(|(c, _)| *c != gold as usize)
                .for_each(|(_, q)| *q = f64::NEG_INFINITY);
        }
    }

    /// E step.
    fn infer(&mut self) {
        let k = self.patterns.categories;
        let mut q = vec![0.0; k];
        for item in 0..self.patterns.len() {
            self.log_odds(item, &mut q);
            let largest = q.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            q.iter_mut().for_each(|q| *q = (*q - largest).exp());
            let sum: f64 = q.iter().sum();
            q.iter_mut().for_each(|q| *q /= sum);
            self.posterior[item * k..(item + 1) * k].copy_from_slice(&q);
            for vote in &mut self.votes[self.starts[item]..self.starts[item + 1]] {
                vote.2 = q[vote.1 as usize];
            }
        }
    }

    fn count_classes(&mut self) -> f64 {
        let k = self.patterns.categories;
        if k == 0 {
            return 0.0;
        }
        let mut counts = vec![0.0; k];
        for (q, weight) in self.posterior.chunks_exact(k).zip(&self.patterns.weight) {
            counts.iter_mut().zip(q).for_each(|(sum, q)| *sum += weight * q);
        }
        let before = self.classes.clone();
        self.options.classes.update(k, &counts, &mut self.classes);
        before.iter().zip(&self.classes).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    /// Each ability goes to the top of a parabola below its part of the objective. With x = ability * ease, a vote
    /// that is right with probability p gives p x - ln(1 + exp(x)), and that logarithm is at least the parabola with
    /// the same slope at x and at -x.
    fn improve_abilities(&mut self) -> f64 {
        let prior = self.options.ability;
        let mut slopes = vec![prior.mean * prior.precision; self.patterns.raters];
        let mut curvatures = vec![prior.precision; self.patterns.raters];
        for item in 0..self.patterns.len() {
            let (ease, weight) = (self.log_ease[item].exp(), self.patterns.weight[item]);
            for &(rater, _, right) in &self.votes[self.starts[item]..self.starts[item + 1]] {
                let rater = rater as usize;
                slopes[rater] += weight * ease * (right - 0.5);
                curvatures[rater] += weight * ease * ease * bound_curvature(self.ability[rater] * ease);
            }
        }
        let mut moved = 0.0_f64;
        for ((ability, slope), curvature) in self.ability.iter_mut().zip(slopes).zip(curvatures) {
            let next = slope / curvature;
            moved = moved.max((next - *ability).abs());
            *ability = next;
        }
        moved
    }

    /// Each log-ease takes a Newton step, halved until the objective does not fall.
    fn improve_eases(&mut self) -> f64 {
        let prior = self.options.log_ease;
        let mut moved = 0.0_f64;
        for item in 0..self.patterns.len() {
            let votes = &self.votes[self.starts[item]..self.starts[item + 1]];
            let value = |log_ease: f64| {
                let ease = log_ease.exp();
                let of_vote = |&(rater, _, right): &(u32, u32, f64)| {
                    let x = self.ability[rater as usize] * ease;
                    right * x - softplus(x)
                };
                votes.iter().map(of_vote).sum::<f64>() + prior.log_density(log_ease)
            };
            let now = self.log_ease[item];
            let ease = now.exp();
            let (mut slope, mut fisher) = (-prior.precision * (now - prior.mean), prior.precision);
            let mut bend = 0.0;
            for &(rater, _, right) in votes {
                let x = self.ability[rater as usize] * ease;
                let s = 1.0 / (1.0 + (-x).exp());
                slope += x * (right - s);
                fisher += x * x * s * (1.0 - s);
                bend -= x * (right - s);
            }
            let curvature = if fisher + bend > 0.5 * fisher { fisher + bend } else { fisher };
            let mut step = (slope / curvature).clamp(-STEP, STEP);
            step = (now + step).clamp(-FAR, FAR) - now;
            let before = value(now);
            for _ in 0..HALVINGS {
                if value(now + step) >= before {
                    break;
                }
                step *= 0.5;
            }
            if value(now + step) < before {
                step = 0.0;
            }
            moved = moved.max(step.abs());
            self.log_ease[item] = now + step;
        }
        moved
    }

    /// Exact log-likelihood, truths summed out.
    fn likelihood(&self) -> f64 {
        let k = self.patterns.categories;
        let wrong = self.wrong();
        let mut q = vec![0.0; k];
        let mut sum = 0.0;
        for item in 0..self.patterns.len() {
            self.log_odds(item, &mut q);
            let largest = q.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = q.iter().map(|q| (q - largest).exp()).sum();
            let ease = self.log_ease[item].exp();
            let votes = self.votes[self.starts[item]..self.starts[item + 1]].iter();
            let shared: f64 =
                votes.map(|&(rater, _, _)| softplus(self.ability[rater as usize] * ease) + wrong).sum();
            sum += self.patterns.weight[item] * (largest + total.ln() - shared);
        }
        sum
    }

    fn truth(self) -> Truth<Abilities> {
        let (posterior, labels) = spread(self.patterns, &self.posterior, &self.classes);
        let mean = self.options.log_ease.mean;
        let log_ease = |&index: &u32| if index == UNKNOWN { mean } else { self.log_ease[index as usize] };
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let mut right = vec![(0.0, 0.0); self.patterns.raters];
        for item in 0..self.patterns.len() {
            let (ease, weight) = (self.log_ease[item].exp(), self.patterns.weight[item]);
            for &(rater, _, _) in &self.votes[self.starts[item]..self.starts[item + 1]] {
                let (sum, votes) = &mut right[rater as usize];
                *sum += weight * sigmoid(self.ability[rater as usize] * ease);
                *votes += weight;
            }
        }
        let accuracy = right.into_iter().zip(&self.ability).map(|((sum, votes), ability)| {
            if votes > 0.0 { sum / votes } else { sigmoid(ability * mean.exp()) }
        });
        let raters = Abilities {
            accuracy: accuracy.collect(),
            log_ease: self.patterns.distinct.iter().map(log_ease).collect(),
            ability: self.ability,
        };
        Truth {
            posterior,
            labels,
            class_prior: self.classes,
            raters,
            log_likelihood: self.log_likelihood,
            objective: self.objective,
            iterations: self.iterations,
            converged: self.converged,
            change: self.change,
        }
    }
}

/// ln(1 + exp(x)).
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// (s - 1/2) / x for s = 1 / (1 + exp(-x)): the curvature of the tightest parabola above [`softplus`] at x and -x.
fn bound_curvature(x: f64) -> f64 {
    let x = x.abs();
    if x < 1e-4 { 0.25 - x * x / 48.0 } else { 0.5 * (0.5 * x).tanh() / x }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn what_cannot_be_fitted_is_refused() {
        let votes = Votes::dense(array![[0, 1], [1, 1]].view()).unwrap();
        let message = |votes: &Votes, options: Glad| glad(votes, None, &options).unwrap_err().to_string();
        let flat = Glad { ability: Normal { mean: 1.0, precision: 0.0 }, ..Glad::default() };
        assert_eq!(message(&votes, flat), "precision of the ability = 0: expected a number in [1e-6, 1e6]");
        let nowhere = Glad { log_ease: Normal { mean: f64::NAN, precision: 1.0 }, ..Glad::default() };
        assert_eq!(message(&votes, nowhere), "mean of the log-ease = NaN: expected a number in [-100, 100]");
        assert_eq!(message(&votes, Glad { sweeps: 0, ..Glad::default() }), "sweeps = 0: expected at least 1");
        let one = Votes::dense(array![[3, 3]].view()).unwrap();
        assert_eq!(
            message(&one, Glad::default()),
            "GLAD is undefined: the votes are of one category, so none can be wrong"
        );
        let empty = Votes::triples(&[], &[], &[]).unwrap();
        assert_eq!(glad(&empty, None, &Glad::default()).unwrap().labels, [0; 0]);
    }

    #[test]
    fn the_objective_never_falls() {
        let table = ndarray::Array2::from_shape_fn((40, 5), |(i, r)| {
            ((i + usize::from((i * 7 + r * r) % 5 < r)) % 3) as i8
        });
        let votes = Votes::dense(table.view()).unwrap();
        let after = |iterations| {
            let search = Search { iterations, tolerance: 0.0, ..Search::default() };
            glad(&votes, None, &Glad { search, ..Glad::default() }).unwrap().objective
        };
        let objectives: Vec<_> = (1..30).map(after).collect();
        assert!(objectives.windows(2).all(|pair| pair[1] >= pair[0] - 1e-12), "{objectives:?}");
        assert!(objectives[28] > objectives[0] + 1e-3);
    }

    #[test]
    fn the_parabola_is_above() {
        for x in [-9.0, -0.5, 1e-5, 2.0, 30.0] {
            for y in [-20.0, -1.0, 0.0, 0.7, 5.0, 40.0] {
                // Same value at x; slope 1/2 + curvature x.
                let parabola = softplus(x) + 0.5 * (y - x) + 0.5 * bound_curvature(x) * (y * y - x * x);
                assert!(softplus(y) <= parabola + 1e-12, "{x} {y}");
            }
        }
    }
}
