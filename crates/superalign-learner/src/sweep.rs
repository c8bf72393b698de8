//! Training: all problems that share features are solved together.

use crate::cholesky::Cholesky;
use crate::features::Prepared;
use crate::loss::{Items, Kind, Out};
use crate::matrix::zeros;
use crate::passes::{Link, Passes};
use crate::probe::{Fit, Probe, Schedule};
use crate::rounds::{self, Rounds};
use crate::solver::{Ended, Metric, Stop, minimise};
use crate::twins::{self, Twin};
use crate::{LearnerError, Loss, ProbeConfig, folds};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, ShapeBuilder as _, s};

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
/// How a loss is solved depends on whether its targets and item weights follow from the student:
///
/// - *Not at all* (`xent`, `kl`, `label-smoothing`, `entropy`, and `confident-learning` once it has pruned): a convex
///   problem, whose one optimum is reached. `entropy` is `xent` at the factor (1 - c_max) C: its warm-up does not
///   matter here. `confident-learning` first trains `xent` students on all folds but one and asks them about that one
///   ([`crate::loss::prune`]); the rows pruned have weight 0. (Folds are dealt by row: where rows share a source,
///   prune by folds of your own and train `xent` on what is left.)
/// - *They do* (all others): two stages. The *schedule* has `config.schedule_steps` steps s = 0, 1, ...; each brings
///   targets and weights up to date at progress s / steps, and takes one step downhill, preconditioned by the
///   curvature bound, which cannot overshoot. What follows, with all warm-ups over, ends at a fixed point: a student
///   that solves its problem for the targets and weights that follow from itself. It need not be the only one.
///   - `product`, `gce` and `bootstrap-soft` have gradients that are smooth and those of some objective (that of
///     `product` is not its value): the student goes on downhill, with targets and weights up to date at every
///     step, to a stationary point within the tolerance.
///   - The others go in *rounds*: the student is fitted to its targets and weights up to the tolerance, and they
///     are brought up to date, until none changes (`adaptconf`: until the gradient with those up to date
///     is within the tolerance) or [`crate::MAXIMUM_ROUNDS`] are spent; [`Fit::schedule`] says which. Every round of
///     `bootstrap-hard` and `small-loss` lowers their objective. `window` would go round in circles, so its weights
///     are the average of its choices over all steps and rounds, each counted once; that approaches a fixed
///     point with items on the edge of the window, and hardly ever reaches it.
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
        Ok((prepared, factor)) => {
            let kept = match config.loss {
                Loss::ConfidentLearning { folds, seed } => folds::kept(features, labels, config, folds, seed),
                _ => vec![Ok(Vec::new()); labels.ncols()],
            };
            solve(&prepared, &factor, Link::Logistic, labels, kept, config)
        }
    }
}

/// Trains one probe per column of labels on features that are ready. `kept` has the weights of each problem's rows,
/// none if all are 1.
pub(crate) fn solve(
    prepared: &Prepared,
    factor: &Cholesky,
    link: Link,
    labels: ArrayView2<'_, f64>,
    kept: Vec<Result<Vec<f64>, LearnerError>>,
    config: &ProbeConfig,
) -> Vec<Result<Probe, LearnerError>> {
    let check = |(j, kept): (usize, Result<Vec<f64>, LearnerError>)| {
        check_labels(j, labels.column(j), &[], link)?;
        let kept = kept?;
        check_labels(j, labels.column(j), &kept, link)?;
        Ok(kept)
    };
    let checked: Vec<Result<Vec<f64>, LearnerError>> = kept.into_iter().enumerate().map(check).collect();
    let good: Vec<usize> = (0..checked.len()).filter(|&j| checked[j].is_ok()).collect();
    let trainer = Trainer::new(prepared, factor, link, config);
    // What is convex forgets nothing by being solved once for all who ask the same.
    let (solved, places) = match config.loss {
        Loss::CrossEntropy => twins::find(labels, &good),
        _ => (good.clone(), (0..good.len()).map(|place| (place, Twin::Same)).collect()),
    };
    let solved: Vec<(usize, &[f64])> =
        solved.into_iter().map(|j| (j, checked[j].as_deref().unwrap_or_default())).collect();
    let trained: Vec<_> = solved.chunks(GROUP).flat_map(|group| trainer.train(labels, group)).collect();
    let mut places = places.into_iter();
    let answer = |(problem, checked): (usize, &Result<Vec<f64>, LearnerError>)| {
        if let Err(error) = checked {
            return Err(error.clone());
        }
        let (place, twin) = places.next().ok_or_else(|| unsolved(problem))?;
        twins::answer(problem, twin, &trained[place])
    };
    checked.iter().enumerate().map(answer).collect()
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

/// Checks the labels of the rows that are kept; of all if `kept` is empty.
fn check_labels(
    problem: usize,
    labels: ArrayView1<'_, f64>,
    kept: &[f64],
    link: Link,
) -> Result<(), LearnerError> {
    if let Some(row) = labels.iter().position(|y| !(0.0..=1.0).contains(y)) {
        return Err(LearnerError::Label { row, problem, value: labels[row] });
    }
    if link == Link::LogisticThroughOrigin {
        return Ok(());
    }
    for value in [0_u8, 1] {
        let dropped = |row: usize| kept.get(row) == Some(&0.0);
        if labels.iter().enumerate().all(|(row, &y)| dropped(row) || y == f64::from(value)) {
            let rows = (0..labels.len()).filter(|&row| !dropped(row)).count();
            return Err(LearnerError::OneClass { problem, value, rows });
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

    /// Trains some of the problems; with each come the weights of its rows, none if all are 1.
    fn train(
        &self,
        labels: ArrayView2<'_, f64>,
        group: &[(usize, &[f64])],
    ) -> Vec<Result<Probe, LearnerError>> {
        let loss = self.config.loss;
        let mut y = zeros(labels.nrows(), group.len());
        for (mut column, &(j, _)) in y.axis_iter_mut(Axis(1)).zip(group) {
            column.assign(&labels.column(j));
        }
        let mut shares = loss.weighs().then(|| Array2::from_elem(y.raw_dim().f(), 1.0));
        if let Some(shares) = &mut shares {
            for (mut column, (_, kept)) in shares.axis_iter_mut(Axis(1)).zip(group) {
                column.iter_mut().zip(*kept).for_each(|(to, from)| *to = *from);
            }
        }
        let mut passes =
            Passes::new(self.features, self.link, self.config.penalty, self.targets(&y, &mut shares), shares);
        let ended: Vec<(Ended, Option<Schedule>)> = match loss.kind() {
            Kind::Fixed => {
                let all: Vec<usize> = (0..passes.problems()).collect();
                let ended = minimise(&mut passes, &self.metric, &all, false, self.stop);
                ended.into_iter().map(|ended| (ended, None)).collect()
            }
            Kind::Jumps | Kind::Drifts | Kind::Averaged | Kind::Smooth => {
                let how =
                    Rounds { loss, metric: &self.metric, stop: self.stop, steps: self.config.schedule_steps };
                let ended = rounds::train(&mut passes, &y, how);
                ended.into_iter().map(|(ended, schedule)| (ended, Some(schedule))).collect()
            }
        };
        let ended = ended.into_iter().zip(group).enumerate();
        ended.map(|(c, (ended, &(j, _)))| self.probe(&passes, &y, c, j, ended)).collect()
    }

    /// The targets at the start, where p is 1/2; for a fixed loss they and the weights are also those of the end.
    fn targets(&self, y: &Array2<f64>, shares: &mut Option<Array2<f64>>) -> Array2<f64> {
        let loss = self.config.loss;
        let mut targets = y.clone();
        let (z, p) = (vec![0.0; y.nrows()], vec![0.5; y.nrows()]);
        if loss.kind() == Kind::Fixed {
            for (j, column) in targets.axis_iter_mut(Axis(1)).enumerate() {
                let (Some(targets), y) = (column.into_slice(), y.column(j).to_vec()) else { continue };
                let column = shares.as_mut().and_then(|shares| shares.column_mut(j).into_slice());
                let items = Items { z: &z, p: &p, y: &y, prior: 0.0 };
                loss.fill(items, 1.0, Out { targets, weights: column.unwrap_or_default() });
            }
        }
        targets
    }

    fn probe(
        &self,
        passes: &Passes<'_>,
        y: &Array2<f64>,
        c: usize,
        problem: usize,
        (ended, schedule): (Ended, Option<Schedule>),
    ) -> Result<Probe, LearnerError> {
        let Ended { iterations, gradient_norm, converged } = ended;
        if !converged {
            let tolerance = self.stop.tolerance;
            return Err(LearnerError::NotConverged { problem, iterations, gradient_norm, tolerance });
        }
        let d = self.features.x.ncols();
        let scaled = passes.weights.slice(s![..d, c]);
        let objective = 0.5 * scaled.iter().map(|w| w * w).sum::<f64>() + self.loss(passes, y, c);
        let weights: Array1<f64> = scaled.iter().zip(&self.features.scale).map(|(w, s)| w / s).collect();
        let shift: f64 = weights.iter().zip(&self.features.mean).map(|(w, m)| w * m).sum();
        let fit = Fit { iterations, gradient_norm, objective, schedule };
        Ok(Probe { weights, intercept: passes.weights[(d, c)] - shift, fit })
    }

    /// The summed loss at the solution, times C.
    fn loss(&self, passes: &Passes<'_>, y: &Array2<f64>, c: usize) -> f64 {
        let loss = self.config.loss;
        // Where the solver's weighted cross-entropy is the loss itself, it has been summed already.
        let moves = matches!(loss.kind(), Kind::Averaged | Kind::Drifts | Kind::Smooth);
        if !moves && !matches!(loss, Loss::Kl | Loss::Entropy { .. }) {
            return passes.loss[c];
        }
        let (z, p, y) = (passes.logits.column(c), passes.probabilities.column(c), y.column(c));
        match (z.to_slice(), p.to_slice(), y.to_slice()) {
            (Some(z), Some(p), Some(y)) => {
                self.config.penalty
                    * loss.sum(Items { z, p, y, prior: y.iter().sum::<f64>() / y.len() as f64 }, 1.0)
            }
            _ => passes.loss[c],
        }
    }
}
