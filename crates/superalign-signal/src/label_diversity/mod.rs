//! How diverse labels are: entropies, Hill numbers, Simpson's indices, evenness, balance, and divergences between
//! label distributions.
//!
//! One [`Measure`] names the statistic and its conventions; one function per kind of input applies it: [`diversity`]
//! to counts, [`diversity_of_labels`] to hard labels, [`diversity_of_shares`] to a distribution,
//! [`diversity_per_item`] and [`diversity_of_mean`] to soft labels `(n, k)`. What compares distributions is in
//! [`kl`], [`jensen_shannon`] and [`mutual_information`]. How labels change over rounds is in
//! [`collapse`](crate::collapse); how texts or embeddings spread is in [`text`](crate::text) and
//! [`embedding`](crate::embedding).

mod counts;
mod divergence;
mod measure;
mod shares;
mod soft;
mod value;

pub(crate) use counts::narrow;
pub use counts::{diversity, diversity_estimate, diversity_of_labels, label_counts};
pub use divergence::{
    MemberWeights, Unbounded, generalised_jensen_shannon, jensen_shannon, jensen_shannon_distance, kl,
    mutual_information, mutual_information_estimate, total_variation,
};
pub use measure::{Base, Estimator, Evenness, Lorenz, Measure, Simpson};
pub(crate) use shares::{checked_shares, normalised};
pub use soft::{
    diversity_of_mean, diversity_of_mean_estimate, diversity_of_shares, diversity_per_item,
    mean_diversity_estimate,
};
pub(crate) use value::of_counts;
