//! A trained linear student of several classes: what it says.

use crate::{Fit, LearnerError, passes};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

/// A multinomial logistic probe: p(class | x) = softmax(W x + b), on features as they were given.
///
/// ```
/// use ndarray::array;
/// use superalign_learner::ClassProbe;
/// let probe = ClassProbe::new(array![[1.0], [0.0], [-1.0]], array![0.0, 0.5, 0.0]);
/// let features = array![[2.0_f32], [0.0], [-3.0]];
/// assert_eq!(probe.logits(features.view())?.row(0).to_vec(), [2.0, 0.5, -2.0]);
/// assert_eq!(probe.classes(features.view())?, [0, 1, 2]);
/// assert_eq!(probe.accuracy(features.view(), &[0, 1, 1])?, 2.0 / 3.0);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ClassProbe {
    /// Weights `(k, d)`: a row per class, in the units of the features (scaling undone). Columns sum to 0.
    pub weights: Array2<f64>,
    /// One intercept per class, in logits, with mean 0.
    pub intercepts: Array1<f64>,
    /// How it was fitted; all zeros for a probe that was not.
    pub fit: Fit,
}

impl ClassProbe {
    /// A probe from weights `(k, d)` and intercepts `(k)` that are known already.
    #[must_use]
    pub fn new(weights: Array2<f64>, intercepts: Array1<f64>) -> Self {
        Self { weights, intercepts, fit: Fit::default() }
    }

    /// Logits W x + b, shape `(n, k)`, of the features `(n, d)`.
    ///
    /// # Errors
    /// Another number of columns than weights per class.
    pub fn logits(&self, features: ArrayView2<'_, f32>) -> Result<Array2<f64>, LearnerError> {
        let (expected, found) = (self.weights.ncols(), features.ncols());
        if found != expected {
            return Err(LearnerError::Columns { expected, found });
        }
        Ok(passes::logits(features, self.weights.t(), &self.intercepts.to_vec()))
    }

    /// Class probabilities, shape `(n, k)`, of the features `(n, d)`. Rows sum to 1.
    ///
    /// # Errors
    /// As [`ClassProbe::logits`].
    pub fn probabilities(&self, features: ArrayView2<'_, f32>) -> Result<Array2<f64>, LearnerError> {
        let logits = self.logits(features)?;
        let mut probabilities = crate::matrix::zeros(logits.nrows(), logits.ncols());
        crate::softmax::probabilities(probabilities.view_mut(), logits.view(), logits.view());
        Ok(probabilities)
    }

    /// The most probable class of each row of the features `(n, d)`; the first of several.
    ///
    /// # Errors
    /// As [`ClassProbe::logits`].
    pub fn classes(&self, features: ArrayView2<'_, f32>) -> Result<Vec<usize>, LearnerError> {
        Ok(self.logits(features)?.axis_iter(Axis(0)).map(largest).collect())
    }

    /// Share of rows whose most probable class is the label, in [0, 1].
    ///
    /// # Errors
    /// As [`ClassProbe::logits`]; also another number of labels than rows, no rows.
    pub fn accuracy(&self, features: ArrayView2<'_, f32>, labels: &[usize]) -> Result<f64, LearnerError> {
        let classes = self.classes(features)?;
        if labels.len() != classes.len() {
            let (expected, found) = (classes.len(), labels.len());
            return Err(LearnerError::Rows { what: "labels", of: "features", expected, found });
        }
        if classes.is_empty() {
            return Err(LearnerError::TooFewRows { what: "features", expected: 1, found: 0 });
        }
        let right = classes.iter().zip(labels).filter(|(a, b)| a == b).count();
        Ok(right as f64 / classes.len() as f64)
    }
}

fn largest(logits: ArrayView1<'_, f64>) -> usize {
    let mut best = 0;
    for (class, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = class;
        }
    }
    best
}
