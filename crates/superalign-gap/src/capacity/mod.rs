//! Capacity: what a student could do, measured in several ways.
//!
//! | estimator | function | range |
//! |---|---|---|
//! | ceiling | [`capability`](crate::capability) of the student that the truth supervised, with the same budget | [0, 1] |
//! | asymptote of the learning curve | [`learning_curve`] | [0, 1] |
//! | noise-fitting capacity | [`noise_fitting_capacity`] | chance 0, all memorised 1 |
//! | compression of the labels | [`description_length`] | at most 1; 0 is no better than guessing |
//!
//! They answer different questions; [`estimator_agreement`] says whether they order the rungs of a ladder alike.

mod description;
mod ladder;
mod learning_curve;
mod noise;
mod power_law;
mod profile;

pub use description::{DescriptionLength, description_length};
pub use ladder::{RankCorrelation, estimator_agreement};
pub use learning_curve::{Asymptote, MINIMUM_DRAWS_PER_SIZE, MINIMUM_SIZES, Verdict, learning_curve};
pub use noise::{noise_fitting_capacity, noise_fitting_draws};
pub use power_law::{LARGEST_EXPONENT, PowerLaw, SMALLEST_EXPONENT};
