//! Diversity of embeddings, and how far one set of them is from another.
//!
//! Every function takes views `(rows, columns)` of `f32` or `f64`, one item a row. Each of the files below holds one
//! family of metrics; how texts become embeddings is not known here.
//!
//! | file | metrics |
//! |---|---|
//! | `vendi` | [`vendi_score`], [`vendi_score_of_kernel`], [`internal_diversity`] |
//! | `lanczos` | [`vendi_score_estimate`], for many rows of many columns |
//! | `cosine` | [`mean_pairwise_cosine`], [`mean_pairwise_cosine_estimate`] |
//! | `rank` | [`effective_rank`], [`participation_ratio`] |
//! | `determinant` | [`log_det_plus_identity`], [`log_det`] |
//! | `coverage` | [`prdc`], [`prdc_estimate`] |
//! | `mmd`, `distance` | [`mmd2`], [`median_distance`] |
//! | `frechet` | [`frechet_distance`], [`frechet_distance_of_moments`] |
//! | `mauve` | [`mauve`](mauve()), [`mauve_estimate`] |
//! | `neighbours` | [`nearest_neighbours`] of one row, to look at |
//! | `jackknife` | [`jackknife`](jackknife()), [`jackknife_pair`]: the interval of any of these |
//!
//! Intervals are by bootstrap where a statistic is a mean over items, and by jackknife where a row that is drawn twice
//! would itself lower the statistic.

mod cosine;
mod coverage;
mod determinant;
mod distance;
mod frechet;
mod jackknife;
mod lanczos;
mod matrix;
mod mauve;
mod mmd;
mod nearest;
mod neighbours;
#[cfg(test)]
mod properties;
mod rank;
mod real;
mod spectrum;
mod vendi;

pub use cosine::{mean_pairwise_cosine, mean_pairwise_cosine_estimate};
pub use coverage::{Prdc, prdc, prdc_estimate};
pub use determinant::{log_det, log_det_plus_identity};
pub use distance::{Bandwidth, median_distance};
pub use frechet::{frechet_distance, frechet_distance_of_moments};
pub use jackknife::{Correction, Jackknife, jackknife, jackknife_pair};
pub use lanczos::{Quadrature, vendi_score_estimate};
pub use mauve::{Mauve, MauveOptions, Smoothing, mauve, mauve_estimate};
pub use mmd::{Mmd2, mmd2};
pub use neighbours::{Neighbour, nearest_neighbours};
pub use rank::{RankEntropy, effective_rank, participation_ratio};
pub use real::{Real, ZeroRows};
pub use vendi::{Diagonal, Kernel, Vendi, internal_diversity, vendi_score, vendi_score_of_kernel};
