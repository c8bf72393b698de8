//! The metrics of each family: how they are called, and how their options become those of the library.

mod agreement;
mod calibration;
mod collapse;
mod embedding;
mod ensemble;
mod label_diversity;
mod label_noise;
mod preference;
mod text;
mod truth;

use crate::catalogue::Metric;

/// The families, in the order in which they are shown.
pub const FAMILIES: &[&str] = &[
    "agreement",
    "truth",
    "ensemble",
    "label-diversity",
    "label-noise",
    "calibration",
    "collapse",
    "text",
    "embedding",
    "preference",
];

/// Every metric.
pub fn metrics() -> impl Iterator<Item = &'static Metric> + Clone {
    [
        agreement::METRICS,
        truth::METRICS,
        ensemble::METRICS,
        label_diversity::METRICS,
        label_noise::METRICS,
        calibration::METRICS,
        collapse::METRICS,
        text::METRICS,
        embedding::METRICS,
        preference::METRICS,
    ]
    .into_iter()
    .flatten()
}
