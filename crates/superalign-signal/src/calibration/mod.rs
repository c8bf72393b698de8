//! Calibration: whether a confidence of 0.8 is right eight times in ten.
//!
//! Two ways in. `(confidence, hit)`: one confidence and one outcome per item, for a binary label (P(y = 1) and whether
//! y = 1) or for anything else that was foretold. `(labels, probs)`: labels `(n)` and a table of probabilities
//! `(n, k)`, of which the functions named `top_label_*` take the largest of each row and whether it is that of the
//! label, and those named `classwise_*` every column against the rest.
//!
//! [`reliability`] makes the table of bins, and [`Reliability::error`] reads ECE, MCE and kin off it. [`Bins`] says
//! how the confidences are cut, [`Norm`] how the gaps are added up. What maps one set of confidences to a better one
//! is [`fit_temperature`] and [`Isotonic`]. Nothing here fits on one set of items and tests on another: that is up to
//! the caller.

mod bins;
mod brier;
mod isotonic;
mod likelihood;
mod reliability;
mod temperature;

#[cfg(test)]
mod tests;

pub use bins::{Bins, Closed, Cut};
pub use brier::{
    BrierScale, Murphy, brier, brier_binary, brier_binary_estimate, brier_estimate, classwise_murphy, murphy,
};
pub use isotonic::Isotonic;
pub use likelihood::{Clip, nll, nll_estimate};
pub use reliability::{
    Bin, Norm, Reliability, calibration_error_estimate, classwise_error, classwise_error_estimate,
    reliability, top_label_error_estimate, top_label_reliability,
};
pub use temperature::{Temperature, apply_temperature, fit_temperature, temperature_estimate};

use crate::SignalError;
use crate::probabilities::{check_labels, each_row};
use crate::resample::estimate;
use ndarray::ArrayView2;
use superalign_core::{Bootstrap, Estimate};

/// The largest probability of each row, and whether it is that of the label (of equal ones the first counts).
fn top_labels<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
) -> Result<(Vec<f64>, Vec<bool>), SignalError> {
    check_labels(labels, probs)?;
    let mut confidence = Vec::with_capacity(labels.len());
    let mut hit = Vec::with_capacity(labels.len());
    each_row(probs, |item, _, top, largest| {
        confidence.push(largest);
        hit.push(top == labels[item] as usize);
    })?;
    Ok((confidence, hit))
}

/// Whether there are as many outcomes as confidences, at least one, all of these in [0, 1].
fn check_pairs<Y>(confidence: &[f64], hit: &[Y]) -> Result<(), SignalError> {
    if hit.len() != confidence.len() {
        let (found, expected) = (hit.len(), confidence.len());
        return Err(SignalError::Shape { what: "number of outcomes", found, expected });
    }
    if confidence.is_empty() {
        return Err(SignalError::TooFew { what: "items", found: 0, expected: 1 });
    }
    match confidence.iter().position(|confidence| !(0.0..=1.0).contains(confidence)) {
        None => Ok(()),
        Some(index) => Err(SignalError::Value {
            what: "confidence",
            index,
            found: confidence[index],
            expected: "a number between 0 and 1",
        }),
    }
}

/// The mean of one value per item, with its interval over items.
fn mean_interval(by: &Bootstrap, name: &'static str, values: &[f64]) -> Result<Estimate, SignalError> {
    let kinds: Vec<u32> = (0..values.len() as u32).collect();
    estimate(by, name, &kinds, |counts| {
        let sum: f64 = counts.iter().zip(values).map(|(&count, value)| f64::from(count) * value).sum();
        Ok(sum / values.len() as f64)
    })
}
