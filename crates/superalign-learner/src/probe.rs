//! A trained linear student: what it says, and how well it was fitted.

use crate::{LearnerError, passes, sigmoid};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

/// A logistic probe: p(class 1 | x) = 1 / (1 + exp(-(w . x + b))), on features as they were given.
///
/// ```
/// use ndarray::array;
/// use superalign_learner::Probe;
/// let probe = Probe::new(vec![1.0, -1.0], 0.5);
/// let features = array![[0.0_f32, 0.5], [2.0, 0.0]];
/// assert_eq!(probe.logits(features.view())?.to_vec(), [0.0, 2.5]);
/// assert_eq!(probe.correct(features.view(), &[true, false])?, [true, false]);
/// assert_eq!(probe.accuracy(features.view(), &[true, false])?, 0.5);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// One weight per column of the features, in the units of the features (scaling undone).
    pub weights: Array1<f64>,
    /// The intercept, in logits.
    pub intercept: f64,
    /// How it was fitted; all zeros for a probe that was not.
    pub fit: Fit,
}

/// How a probe was fitted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fit {
    /// Passes over the features that this problem took part in.
    pub iterations: usize,
    /// Euclidean norm of the gradient at the solution, in double precision: with scaled weights, a bound on
    /// their distance from the optimum.
    pub gradient_norm: f64,
    /// The objective at the solution: half the squared norm of the scaled weights plus C times the summed loss
    /// ([`crate::Loss::ConfidentLearning`]: over the rows kept).
    pub objective: f64,
    /// What happened where targets or weights follow from the student; `None` for other losses.
    pub schedule: Option<Schedule>,
}

/// How a student came to rest under a loss whose targets or weights follow from it ([`crate::fit_sweep`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Steps of the schedule, during which targets moved at every step.
    pub steps: usize,
    /// Rounds after it: in each the student is fitted to its targets and weights, then these are brought up to date.
    /// Smooth losses have one, in which every step does so.
    pub rounds: usize,
    /// Items whose target or weight the last round changed: 0 means that the student agrees with its own targets.
    pub changed: usize,
}

impl Schedule {
    /// Whether the rounds ended at a fixed point rather than at their cap.
    #[must_use]
    pub fn reached_fixed_point(&self) -> bool {
        self.changed == 0
    }
}

impl Probe {
    /// A probe from weights that are known already.
    #[must_use]
    pub fn new(weights: impl Into<Array1<f64>>, intercept: f64) -> Self {
        Self { weights: weights.into(), intercept, fit: Fit::default() }
    }

    /// Logits w . x + b, one per row of the features `(n, d)`.
    ///
    /// # Errors
    /// Another number of columns than weights.
    pub fn logits(&self, features: ArrayView2<'_, f32>) -> Result<Array1<f64>, LearnerError> {
        Ok(sweep_logits(features, &[self])?.column(0).to_owned())
    }

    /// Probabilities of class 1 in [0, 1], one per row of the features `(n, d)`.
    ///
    /// # Errors
    /// Another number of columns than weights.
    pub fn probabilities(&self, features: ArrayView2<'_, f32>) -> Result<Array1<f64>, LearnerError> {
        Ok(self.logits(features)?.mapv_into(sigmoid::sigmoid))
    }

    /// Whether each row is put into its class: class 1 where the probability is at least one half.
    ///
    /// # Errors
    /// Another number of columns than weights, another number of labels than rows.
    pub fn correct(&self, features: ArrayView2<'_, f32>, labels: &[bool]) -> Result<Vec<bool>, LearnerError> {
        let logits = self.logits(features)?;
        if labels.len() != logits.len() {
            let (expected, found) = (logits.len(), labels.len());
            return Err(LearnerError::Rows { what: "labels", of: "features", expected, found });
        }
        Ok(logits.iter().zip(labels).map(|(&z, &label)| (z >= 0.0) == label).collect())
    }

    /// Share of rows put into their class ([`Probe::correct`]), in [0, 1].
    ///
    /// # Errors
    /// As [`Probe::correct`]; also no rows.
    pub fn accuracy(&self, features: ArrayView2<'_, f32>, labels: &[bool]) -> Result<f64, LearnerError> {
        let correct = self.correct(features, labels)?;
        if correct.is_empty() {
            return Err(LearnerError::TooFewRows { what: "features", expected: 1, found: 0 });
        }
        Ok(correct.iter().filter(|c| **c).count() as f64 / correct.len() as f64)
    }
}

/// Logits of many probes at once, shape `(n, probes)`, for features `(n, d)`: one product of matrices.
///
/// # Errors
/// A probe with another number of weights than the features have columns.
///
/// ```
/// use ndarray::array;
/// use superalign_learner::{Probe, sweep_logits};
/// let probes = [Probe::new(vec![1.0], 0.0), Probe::new(vec![-2.0], 1.0)];
/// let logits = sweep_logits(array![[3.0_f32], [0.0]].view(), &probes.iter().collect::<Vec<_>>())?;
/// assert_eq!(logits, array![[3.0, -5.0], [0.0, 1.0]]);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
pub fn sweep_logits(features: ArrayView2<'_, f32>, probes: &[&Probe]) -> Result<Array2<f64>, LearnerError> {
    let found = features.ncols();
    if let Some(probe) = probes.iter().find(|probe| probe.weights.len() != found) {
        return Err(LearnerError::Columns { expected: probe.weights.len(), found });
    }
    let mut weights = crate::matrix::zeros(found, probes.len());
    for (mut column, probe) in weights.columns_mut().into_iter().zip(probes) {
        column.assign(&ArrayView1::from(&probe.weights));
    }
    let intercepts: Vec<f64> = probes.iter().map(|probe| probe.intercept).collect();
    Ok(passes::logits(features, weights.view(), &intercepts))
}
