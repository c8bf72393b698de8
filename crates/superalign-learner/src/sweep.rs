//! Training: all problems that share features are solved together.

use crate::cholesky::Cholesky;
use crate::features::Prepared;
use crate::loss::{blend, harden_probabilities};
use crate::matrix::zeros;
use crate::passes::{Link, Passes, Want};
use crate::probe::{Fit, Probe, Schedule};
use crate::solver::{Ended, Metric, Stop, minimise};
use crate::twins::{self, Twin};
use crate::{LearnerError, Loss, MAXIMUM_ROUNDS, ProbeConfig};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, s};

/// Problems that are solved together; more are solved group by group, to bound memory.
const GROUP: usize = 64;

/// Trains one logistic probe per column of `labels` on shared features.
///
/// Every problem j minimises, over weights w and an intercept b that is not penalised,
///
/// ```text
/// 1/2 |w|^2 + C sum_i loss(w . x_i + b, y_ij)
/// ```
///
/// where x are the features `(n, d)` after [`crate::Scaling`], C is `config.penalty` and y are the `labels`
/// `(n, problems)`, probabilities of class 1 in [0, 1]: the objective of scikit-learn's `LogisticRegression`,
/// extended to soft labels. Answers are in the order of the columns, in the units of the features.
///
/// All problems share one factor of the curvature bound I + (C / 4) X'X, and every iteration is two products of
/// matrices; problems that have converged leave, and of several with the same (or opposite) labels one is solved.
/// Solutions are certified by the norm of their gradient in double
/// precision ([`Fit::gradient_norm`]). The bytes of the answer depend on the inputs and the processor's
/// instruction set, not on the number of threads. Memory: one copy of the features, a `(d, d)` factor, and some
/// dozens of numbers per row or column for each of at most 64 problems at a time.
///
/// Under [`Loss::LogConf`] a student is trained in two stages. *Schedule:* `config.schedule_steps` steps s = 0, 1,
/// ...; each hardens the student's own predictions over the batch ([`crate::loss::harden`]), blends them into the
/// labels with c = c_max min(1, (s / steps) / warmup), and takes one step downhill, preconditioned by the curvature
/// bound, which cannot overshoot. *Rounds:* with c = c_max, the student is fitted to its blended targets up to the
/// tolerance and hardened again, until its hardened labels stay as they are (a fixed point of the loss) or
/// [`MAXIMUM_ROUNDS`] are spent; [`Fit::schedule`] says which. With c_max = 0 this is the optimum of cross-entropy.
///
/// # Errors
/// For all problems alike: rows of features and labels that differ, fewer than [`crate::MINIMUM_ROWS`] rows, no
/// columns, a feature that is not finite, features that overflow, a setting outside its range. For a problem alone:
/// a label outside [0, 1], labels that are all exactly 0 or all exactly 1 (the intercept would be infinite; constant
/// soft labels are fine), no convergence.
///
/// ```
/// use ndarray::array;
/// use superalign_learner::{ProbeConfig, fit_sweep};
/// let features = array![[-2.0_f32, 1.0], [-1.0, -1.0], [1.0, 1.0], [2.0, -1.0]];
/// // Two problems: hard labels that follow the first column, soft ones that follow the second.
/// let labels = array![[0.0, 0.9], [0.0, 0.2], [1.0, 0.9], [1.0, 0.2]];
/// let probes: Vec<_> = fit_sweep(features.view(), labels.view(), &ProbeConfig::default())
///     .into_iter()
///     .collect::<Result<_, _>>()?;
/// assert!(probes[0].weights[0] > 0.5 && probes[0].weights[1].abs() < 0.2);
/// assert!(probes[1].weights[0].abs() < 0.1 && probes[1].weights[1] > 0.3);
/// assert_eq!(probes[0].accuracy(features.view(), &[false, false, true, true])?, 1.0);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
#[must_use]
pub fn fit_sweep(
    features: ArrayView2<'_, f32>,
    labels: ArrayView2<'_, f64>,
    config: &ProbeConfig,
) -> Vec<Result<Probe, LearnerError>> {
    match prepare(features, labels, config) {
        Err(error) => vec![Err(error); labels.ncols()],
        Ok((prepared, factor)) => solve(&prepared, &factor, Link::Logistic, labels, config),
    }
}

/// Trains one probe per column of labels on features that are ready.
pub(crate) fn solve(
    prepared: &Prepared,
    factor: &Cholesky,
    link: Link,
    labels: ArrayView2<'_, f64>,
    config: &ProbeConfig,
) -> Vec<Result<Probe, LearnerError>> {
    let checked: Vec<Result<usize, LearnerError>> =
        labels.columns().into_iter().enumerate().map(|(j, y)| check_labels(j, y, link).map(|()| j)).collect();
    let good: Vec<usize> = checked.iter().flatten().copied().collect();
    let trainer = Trainer::new(prepared, factor, link, config);
    // What is convex forgets nothing by being solved once for all who ask the same.
    let (solved, places) = match config.loss {
        Loss::CrossEntropy => twins::find(labels, &good),
        _ => (good.clone(), (0..good.len()).map(|place| (place, Twin::Same)).collect()),
    };
    let trained: Vec<_> = solved.chunks(GROUP).flat_map(|group| trainer.train(labels, group)).collect();
    let mut places = places.into_iter();
    checked
        .into_iter()
        .map(|checked| {
            let problem = checked?;
            let (place, twin) = places.next().ok_or_else(|| unsolved(problem))?;
            twins::answer(problem, twin, &trained[place])
        })
        .collect()
}

/// Trains one probe: [`fit_sweep`] with a single problem.
///
/// # Errors
/// As [`fit_sweep`].
///
/// ```
/// use ndarray::array;
/// use superalign_learner::{ProbeConfig, fit};
/// let features = array![[-1.0_f32], [0.0], [1.0]];
/// let probe = fit(features.view(), array![0.0, 0.5, 1.0].view(), &ProbeConfig::default())?;
/// assert!(probe.weights[0] > 0.0 && probe.intercept.abs() < 1e-6);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
pub fn fit(
    features: ArrayView2<'_, f32>,
    labels: ArrayView1<'_, f64>,
    config: &ProbeConfig,
) -> Result<Probe, LearnerError> {
    fit_sweep(features, labels.insert_axis(Axis(1)), config).pop().unwrap_or(Err(unsolved(0)))
}

pub(crate) fn unsolved(problem: usize) -> LearnerError {
    LearnerError::NotConverged { problem, iterations: 0, gradient_norm: f64::INFINITY, tolerance: 0.0 }
}

fn prepare(
    features: ArrayView2<'_, f32>,
    labels: ArrayView2<'_, f64>,
    config: &ProbeConfig,
) -> Result<(Prepared, Cholesky), LearnerError> {
    config.check()?;
    if labels.nrows() != features.nrows() {
        let (expected, found) = (features.nrows(), labels.nrows());
        return Err(LearnerError::Rows { what: "labels", of: "features", expected, found });
    }
    let prepared = Prepared::new(features, config.scaling)?;
    let factor = prepared.curvature(config.penalty)?;
    Ok((prepared, factor))
}

fn check_labels(problem: usize, labels: ArrayView1<'_, f64>, link: Link) -> Result<(), LearnerError> {
    if let Some(row) = labels.iter().position(|y| !(0.0..=1.0).contains(y)) {
        return Err(LearnerError::Label { row, problem, value: labels[row] });
    }
    if link == Link::LogisticThroughOrigin {
        return Ok(());
    }
    for value in [0_u8, 1] {
        if labels.iter().all(|&y| y == f64::from(value)) {
            return Err(LearnerError::OneClass { problem, value, rows: labels.len() });
        }
    }
    Ok(())
}

/// What all groups of a sweep share.
struct Trainer<'a> {
    features: &'a Prepared,
    link: Link,
    metric: Metric<'a>,
    config: &'a ProbeConfig,
    stop: Stop,
}

impl<'a> Trainer<'a> {
    fn new(features: &'a Prepared, factor: &'a Cholesky, link: Link, config: &'a ProbeConfig) -> Self {
        let rows = features.x.nrows() as f64;
        let tolerance = config.tolerance.max(features.rounding(config.penalty));
        let stop = Stop { tolerance, max_iterations: config.max_iterations };
        let metric = Metric { factor, intercept: 0.25 * config.penalty * rows };
        Self { features, link, metric, config, stop }
    }

    fn train(&self, labels: ArrayView2<'_, f64>, group: &[usize]) -> Vec<Result<Probe, LearnerError>> {
        let mut y = zeros(labels.nrows(), group.len());
        for (mut column, &j) in y.axis_iter_mut(Axis(1)).zip(group) {
            column.assign(&labels.column(j));
        }
        let (passes, ended) = match self.config.loss {
            Loss::CrossEntropy => self.cross_entropy(y),
            Loss::LogConf { max_confidence, warmup } => self.logconf(&y, max_confidence, warmup),
        };
        let ended = ended.into_iter().enumerate();
        ended.map(|(c, (ended, schedule))| self.probe(&passes, c, group[c], ended, schedule)).collect()
    }

    fn cross_entropy(&self, y: Array2<f64>) -> (Passes<'_>, Vec<(Ended, Option<Schedule>)>) {
        let mut passes = Passes::new(self.features, self.link, self.config.penalty, y);
        let all: Vec<usize> = (0..passes.problems()).collect();
        let ended = minimise(&mut passes, &self.metric, &all, false, self.stop);
        (passes, ended.into_iter().map(|e| (e, None)).collect())
    }

    fn logconf(
        &self,
        y: &Array2<f64>,
        max_confidence: f64,
        warmup: f64,
    ) -> (Passes<'_>, Vec<(Ended, Option<Schedule>)>) {
        let steps = self.config.schedule_steps;
        let mut passes = Passes::new(self.features, self.link, self.config.penalty, y.clone());
        let mut open: Vec<usize> = (0..passes.problems()).collect();
        let priors: Vec<f64> = y.axis_iter(Axis(1)).map(|c| c.sum() / c.len() as f64).collect();
        let mut hardened: Vec<Vec<bool>> = vec![Vec::new(); open.len()];
        for step in 0..steps {
            let progress = step as f64 / steps as f64;
            let ramp = if progress < warmup { progress / warmup } else { 1.0 };
            for &j in &open {
                retarget(&mut passes, y, j, priors[j], max_confidence * ramp);
            }
            passes.retarget(&open);
            let mut moves = passes.gradient.clone();
            self.metric.apply(&mut moves);
            let weights = &passes.weights - &moves;
            passes.settle(&open, &weights, Want::Probabilities);
        }
        for &j in &open {
            hardened[j] = retarget(&mut passes, y, j, priors[j], max_confidence);
        }
        let start = Ended { iterations: steps, ..Ended::default() };
        let mut ended = vec![(start, Schedule { steps, rounds: 0, changed: 0 }); open.len()];
        while !open.is_empty() {
            passes.retarget(&open);
            let round = minimise(&mut passes, &self.metric, &open, true, self.stop);
            for (&j, round) in open.iter().zip(&round) {
                let (ended, schedule) = &mut ended[j];
                *ended = Ended { iterations: ended.iterations + round.iterations, ..*round };
                schedule.rounds += 1;
                let again = harden_column(&passes, j, priors[j]);
                schedule.changed = if max_confidence > 0.0 {
                    again.iter().zip(&hardened[j]).filter(|(a, b)| a != b).count()
                } else {
                    0
                };
            }
            open.retain(|&j| {
                let (ended, schedule) = &ended[j];
                ended.converged && schedule.changed > 0 && schedule.rounds < MAXIMUM_ROUNDS
            });
            for &j in &open {
                hardened[j] = retarget(&mut passes, y, j, priors[j], max_confidence);
            }
        }
        (passes, ended.into_iter().map(|(e, s)| (e, Some(s))).collect())
    }

    fn probe(
        &self,
        passes: &Passes<'_>,
        c: usize,
        problem: usize,
        ended: Ended,
        schedule: Option<Schedule>,
    ) -> Result<Probe, LearnerError> {
        let Ended { iterations, gradient_norm, converged } = ended;
        if !converged {
            let tolerance = self.stop.tolerance;
            return Err(LearnerError::NotConverged { problem, iterations, gradient_norm, tolerance });
        }
        let d = self.features.x.ncols();
        let scaled = passes.weights.slice(s![..d, c]);
        let objective = 0.5 * scaled.iter().map(|w| w * w).sum::<f64>() + passes.loss[c];
        let weights: Array1<f64> = scaled.iter().zip(&self.features.scale).map(|(w, s)| w / s).collect();
        let shift: f64 = weights.iter().zip(&self.features.mean).map(|(w, m)| w * m).sum();
        let fit = Fit { iterations, gradient_norm, objective, schedule };
        Ok(Probe { weights, intercept: passes.weights[(d, c)] - shift, fit })
    }
}

fn harden_column(passes: &Passes<'_>, column: usize, prior: f64) -> Vec<bool> {
    let p: Vec<f64> = passes.probabilities.column(column).to_vec();
    harden_probabilities(&p, prior, &mut Vec::new())
}

/// Blends a student's own hardened predictions into its targets.
fn retarget(
    passes: &mut Passes<'_>,
    y: &Array2<f64>,
    column: usize,
    prior: f64,
    confidence: f64,
) -> Vec<bool> {
    let hardened = harden_column(passes, column, prior);
    let labels = y.column(column).to_vec();
    if let Some(targets) = passes.targets.column_mut(column).into_slice() {
        blend(targets, &labels, &hardened, confidence);
    }
    hardened
}
