//! How differently the sources of an ensemble err.
//!
//! For right and wrong answers, [`Outcomes`] packs 64 items into a word; [`pairwise`] compares any two sources and
//! [`overall`] all of them (the measures are those of Kuncheva and Whitaker 2003). For numbers there is
//! [`error_correlation`] and [`ambiguity`], for soft labels [`kl_ambiguity`]. [`independent_sources`] says how many
//! sources that err apart these are worth. What members of an ensemble do not agree on, item by item, is
//! [`mutual_information`](crate::label_diversity::mutual_information); agreement of raters whose truth is unknown is in
//! [`agreement`](crate::agreement).

mod ambiguity;
mod correlation;
mod independent;
mod outcomes;
mod overall;
mod pairwise;

pub use ambiguity::{
    Ambiguity, KlAmbiguity, ambiguity, ambiguity_estimate, kl_ambiguity, kl_ambiguity_estimate,
};
pub use correlation::{error_correlation, outcome_correlation};
pub use independent::{
    IndependentSources, independent_sources, independent_sources_of_errors_estimate,
    independent_sources_of_outcomes_estimate,
};
pub use outcomes::Outcomes;
pub use overall::{Overall, overall, overall_estimate};
pub use pairwise::{Pair, Pairwise, pairwise, pairwise_estimates};
