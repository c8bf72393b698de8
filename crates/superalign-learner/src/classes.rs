//! Training for labels of several classes: all problems that share features are solved together.

use crate::class_probe::ClassProbe;
use crate::features::Prepared;
use crate::matrix::zeros;
use crate::passes::{Link, Passes};
use crate::probe::Fit;
use crate::solver::{Ended, Metric, Stop, minimise};
use crate::sweep::unsolved;
use crate::{LearnerError, ProbeConfig, Scaling};
use ndarray::{Array1, Array2, ArrayView2, Axis, s};

/// Columns (classes of all problems) that are solved together; more are solved group by group, to bound memory.
const GROUP: usize = 64;
/// How far from 1 the class probabilities of a row may sum.
const SUM: f64 = 1e-5;

/// How a student of several classes is trained. The fields are checked when training starts.
///
/// ```
/// use superalign_learner::ClassConfig;
/// let config = ClassConfig { penalty: 0.1, ..ClassConfig::default() };
/// assert_eq!(config.tolerance, 1e-5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassConfig {
    /// The factor C > 0 of the loss, as [`ProbeConfig::penalty`]. 1 by default.
    pub penalty: f64,
    /// How the features are scaled. To unit variance by default.
    pub scaling: Scaling,
    /// Largest norm of the gradient, over all classes, as [`ProbeConfig::tolerance`]. 1e-5 by default.
    pub tolerance: f64,
    /// Most passes over the features that one problem may take; 1000 by default.
    pub max_iterations: usize,
}

impl Default for ClassConfig {
    fn default() -> Self {
        let ProbeConfig { penalty, scaling, tolerance, max_iterations, .. } = ProbeConfig::default();
        Self { penalty, scaling, tolerance, max_iterations }
    }
}

impl ClassConfig {
    /// Whether every field is within its range.
    ///
    /// # Errors
    /// [`LearnerError::Setting`] for the first field that is not.
    pub fn check(&self) -> Result<(), LearnerError> {
        let Self { penalty, scaling, tolerance, max_iterations } = *self;
        ProbeConfig { penalty, scaling, tolerance, max_iterations, ..ProbeConfig::default() }.check()
    }
}

/// Trains one multinomial logistic student per array of `labels` on shared features.
///
/// Every problem minimises, over weights W `(k, d)` and intercepts b `(k)` that are not penalised,
///
/// ```text
/// 1/2 |W|^2 - C sum_i sum_c y_ic ln softmax(W x_i + b)_c
/// ```
///
/// where x are the features `(n, d)` after [`Scaling`], C is `config.penalty` and y are the labels `(n, k)`: the
/// probabilities of k >= 2 classes, one row summing to 1 (within 1e-5; the rest is spread in proportion), hard or soft.
/// It is the objective of scikit-learn's multinomial `LogisticRegression`, extended to soft labels. Adding one number
/// to all intercepts changes nothing: those returned have mean 0. Problems may differ in k. With k = 2 and C the
/// student is that of [`crate::fit_sweep`] with 2 C, whose weights are the difference of the two rows.
///
/// The curvature of the softmax is at most 1/2 (I - 11'/k) (Böhning 1992), so that I + (C / 2) X'X bounds that of
/// every class of every problem on steps that sum to 0 over the classes, as all of them do: one factor serves all.
/// Certificates, determinism and memory are those of [`crate::fit_sweep`], with k columns a problem.
///
/// # Errors
/// For all problems alike: what is wrong with the features or the settings, as in [`crate::fit_sweep`]. For a problem
/// alone: another number of rows, fewer than two classes, a label outside [0, 1], a row that does not sum to 1, a class
/// that no row gives any probability (its intercept would be infinite), no convergence.
///
/// ```
/// use ndarray::array;
/// use superalign_learner::{ClassConfig, fit_classes};
/// let features = array![[-1.0_f32, 0.0], [1.0, 0.0], [0.0, 2.0], [0.1, 1.8]];
/// let hard = array![[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]];
/// let soft = array![[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.6, 0.4]];
/// let students = fit_classes(features.view(), &[hard.view(), soft.view()], &ClassConfig::default());
/// let student = students[0].as_ref().expect("three classes");
/// assert_eq!(student.classes(features.view())?, [0, 1, 2, 2]);
/// assert_eq!(students[1].as_ref().expect("two classes").weights.dim(), (2, 2));
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
#[must_use]
pub fn fit_classes(
    features: ArrayView2<'_, f32>,
    labels: &[ArrayView2<'_, f64>],
    config: &ClassConfig,
) -> Vec<Result<ClassProbe, LearnerError>> {
    let trainer = config
        .check()
        .and_then(|()| Prepared::new(features, config.scaling))
        .and_then(|prepared| Ok((prepared.curvature(2.0 * config.penalty)?, prepared)));
    let (factor, prepared) = match trainer {
        Ok(ready) => ready,
        Err(error) => return vec![Err(error); labels.len()],
    };
    let mut answers: Vec<_> = labels
        .iter()
        .enumerate()
        .map(|(problem, labels)| check_labels(problem, *labels, features.nrows()).and(Err(unsolved(problem))))
        .collect();
    let mut good: Vec<usize> =
        (0..labels.len()).filter(|&j| matches!(answers[j], Err(LearnerError::NotConverged { .. }))).collect();
    // Problems of one number of classes form groups; the sort keeps their order.
    good.sort_by_key(|&j| labels[j].ncols());
    let rows = features.nrows() as f64;
    let metric = Metric { factor: &factor, intercept: 0.5 * config.penalty * rows };
    let tolerance = config.tolerance.max(prepared.rounding(config.penalty));
    let stop = Stop { tolerance, max_iterations: config.max_iterations };
    for same in good.chunk_by(|&a, &b| labels[a].ncols() == labels[b].ncols()) {
        let k = labels[same[0]].ncols();
        for group in same.chunks((GROUP / k).max(1)) {
            let mut y = zeros(features.nrows(), k * group.len());
            for (mut part, &j) in y.axis_chunks_iter_mut(Axis(1), k).zip(group) {
                part.assign(&labels[j]);
                for mut row in part.outer_iter_mut() {
                    let sum = row.sum();
                    row.iter_mut().for_each(|y| *y /= sum);
                }
            }
            let mut passes = Passes::new(&prepared, Link::Softmax(k), config.penalty, y, None);
            let all: Vec<usize> = (0..group.len()).collect();
            let ended = minimise(&mut passes, &metric, &all, false, stop);
            for ((c, &problem), ended) in group.iter().enumerate().zip(&ended) {
                answers[problem] = student(&passes, &prepared, c, problem, *ended, tolerance);
            }
        }
    }
    answers
}

fn check_labels(problem: usize, labels: ArrayView2<'_, f64>, rows: usize) -> Result<(), LearnerError> {
    let (n, k) = labels.dim();
    if n != rows {
        return Err(LearnerError::Rows { what: "labels", of: "features", expected: rows, found: n });
    }
    if k < 2 {
        return Err(LearnerError::TooFewClasses { problem, found: k });
    }
    for (row, values) in labels.outer_iter().enumerate() {
        if let Some(&value) = values.iter().find(|y| !(0.0..=1.0).contains(*y)) {
            return Err(LearnerError::Label { row, problem, value });
        }
        let sum = values.sum();
        if (sum - 1.0).abs() > SUM {
            return Err(LearnerError::ClassSum { row, problem, sum });
        }
    }
    match labels.columns().into_iter().position(|column| column.iter().all(|&y| y == 0.0)) {
        Some(class) => Err(LearnerError::EmptyClass { problem, class, rows }),
        None => Ok(()),
    }
}

/// The student in the units of the features.
fn student(
    passes: &Passes<'_>,
    prepared: &Prepared,
    c: usize,
    problem: usize,
    ended: Ended,
    tolerance: f64,
) -> Result<ClassProbe, LearnerError> {
    let Ended { iterations, gradient_norm, converged } = ended;
    if !converged {
        return Err(LearnerError::NotConverged { problem, iterations, gradient_norm, tolerance });
    }
    let (d, k) = (prepared.x.ncols(), passes.link.width());
    let scaled = passes.weights.slice(s![..d, c * k..(c + 1) * k]);
    let objective = 0.5 * scaled.iter().map(|w| w * w).sum::<f64>() + passes.loss[c * k];
    let mut weights = Array2::zeros((k, d));
    let mut intercepts = Array1::zeros(k);
    for class in 0..k {
        let mut shift = 0.0;
        for i in 0..d {
            let weight = scaled[(i, class)] / prepared.scale[i];
            weights[(class, i)] = weight;
            shift += weight * prepared.mean[i];
        }
        intercepts[class] = passes.weights[(d, c * k + class)] - shift;
    }
    let mean = intercepts.sum() / k as f64;
    intercepts.mapv_inplace(|b| b - mean);
    let fit = Fit { iterations, gradient_norm, objective, schedule: None };
    Ok(ClassProbe { weights, intercepts, fit })
}
