//! Mode collapse: how much of what could be said is still said.
//!
//! Modes are classes that someone has named: labels, clusters, templates; `counts` has one entry for each. What has not
//! been seen is estimated from the counts alone ([`missing_mass`], [`chao1`], [`ace`]) or measured against a reference
//! ([`support_coverage`], [`distance_to_reference`], [`tail_mass`]); [`collapse_index`] follows a measure of diversity
//! over rounds. The diversity of one set of labels is in [`label_diversity`](crate::label_diversity).

mod index;
mod reference;
mod richness;
mod unseen;

pub use index::{collapse_index, collapse_over_rounds};
pub use reference::{
    Distance, Smoothing, SupportCoverage, TailMass, TailTies, distance_to_reference,
    distance_to_reference_estimate, support_coverage, tail_mass, tail_mass_estimate,
};
pub use richness::{Chao1, ace, chao1, chao1_interval, fisher_alpha};
pub use unseen::{
    MissingMass, Occurrences, missing_mass, missing_mass_interval, occurrences, sample_coverage,
};
