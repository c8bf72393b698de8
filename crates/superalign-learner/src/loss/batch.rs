//! What a loss says of a batch: value and gradient, and the form in which solvers take them.

use crate::{LearnerError, sigmoid};

/// Value and gradient of a loss over a batch of n items.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Mean loss over the n items, in nats (`gce`: in its own unit).
    pub value: f64,
    /// d value / d `z_i`, one per item: the 1/n of the mean is inside. What a loss detaches counts as a constant.
    pub gradient: Vec<f64>,
}

/// The gradient of a loss as targets t and weights w, one of each per item:
/// d value / d `z_i` = `w_i` (`p_i` - `t_i`) / n.
///
/// With t and w held still this is the gradient of a weighted cross-entropy, which is how the sweep solves it.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// Targets: in [0, 1], but for `bootstrap-soft`, whose targets may leave it by 0.1 (1 - trust).
    pub targets: Vec<f64>,
    /// Weights in [0, 1].
    pub weights: Vec<f64>,
}

/// A batch that has been checked: logits z, probabilities p of class 1 at them, labels y, and their mean.
#[derive(Clone, Copy)]
pub(crate) struct Items<'a> {
    pub(crate) z: &'a [f64],
    pub(crate) p: &'a [f64],
    pub(crate) y: &'a [f64],
    pub(crate) prior: f64,
}

impl Items<'_> {
    /// Number of items.
    pub(crate) fn len(&self) -> usize {
        self.z.len()
    }

    /// Pairs of logit and label.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (f64, f64)> {
        self.z.iter().copied().zip(self.y.iter().copied())
    }

    /// Sum of the cross-entropies against a target that may depend on the item.
    pub(crate) fn against(&self, target: impl Fn(f64, f64, f64) -> f64) -> f64 {
        let items = self.z.iter().zip(self.p).zip(self.y);
        items.map(|((&z, &p), &y)| sigmoid::cross_entropy_of(z, target(z, p, y))).sum()
    }
}

/// Where a loss writes its targets and weights. Weights are 1 unless it writes them.
pub(crate) struct Out<'a> {
    pub(crate) targets: &'a mut [f64],
    pub(crate) weights: &'a mut [f64],
}

impl Out<'_> {
    /// Sets every target.
    pub(crate) fn targets(&mut self, targets: impl Iterator<Item = f64>) {
        self.targets.iter_mut().zip(targets).for_each(|(to, target)| *to = target);
    }

    /// Sets every target and weight.
    pub(crate) fn both(&mut self, both: impl Iterator<Item = (f64, f64)>) {
        let places = self.targets.iter_mut().zip(self.weights.iter_mut());
        places.zip(both).for_each(|((t, w), both)| (*t, *w) = both);
    }

    /// Sets every weight.
    pub(crate) fn weights(&mut self, weights: impl Iterator<Item = f64>) {
        self.weights.iter_mut().zip(weights).for_each(|(to, weight)| *to = weight);
    }
}

/// The class a number leans to: 0 below its middle, 1 above it, one half exactly there, so that relabelling the
/// classes relabels the answer.
pub(crate) fn lean(x: f64, middle: f64) -> f64 {
    if x > middle {
        1.0
    } else if x < middle {
        0.0
    } else {
        0.5
    }
}

/// The share of a warm-up that has passed: rises linearly from 0 to 1 at `warmup`.
pub(crate) fn ramp(progress: f64, warmup: f64) -> f64 {
    if progress < warmup { progress / warmup } else { 1.0 }
}

/// Checks what all losses demand of a batch.
pub(crate) fn check(logits: &[f64], targets: &[f64]) -> Result<(), LearnerError> {
    if logits.is_empty() {
        return Err(LearnerError::TooFewRows { what: "logits", expected: 1, found: 0 });
    }
    if logits.len() != targets.len() {
        let (expected, found) = (logits.len(), targets.len());
        return Err(LearnerError::Rows { what: "targets", of: "logits", expected, found });
    }
    if let Some(row) = logits.iter().position(|z| !z.is_finite()) {
        return Err(LearnerError::Logit { row, value: logits[row] });
    }
    match targets.iter().position(|y| !(0.0..=1.0).contains(y)) {
        Some(row) => Err(LearnerError::Label { row, problem: 0, value: targets[row] }),
        None => Ok(()),
    }
}
