//! Label noise: how many labels are wrong, which, and of what kind the noise is.
//!
//! Confident learning (Northcutt, Jiang and Chuang 2021) and kin, over given labels `(n)` and probabilities `(n, k)`
//! of a model that was not trained on the item it judges (cross-validation, or another data set). Every function
//! takes double or single precision. Without a model, see `truth` for labels of several raters.
//!
//! From counts to decisions: [`confident_joint`] counts, [`latent`] and [`noise_rates`] say how much noise there is,
//! [`noise_kind`] what kind, [`label_quality`] and [`suspects`] where. Training dynamics and anchor points need no
//! confident joint. [`crowd_labels`] joins several raters with a model. Nothing here trains a model.

mod anchor;
mod crowd;
mod dependence;
mod dynamics;
mod joint;
mod kind;
mod latent;
mod quality;
mod rates;
mod suspects;
mod tails;

#[cfg(test)]
mod tests;

pub use anchor::{Anchor, anchor_transition};
pub use crowd::{Consensus, CrowdLabels, CrowdMethod, crowd_labels, majority_with_model};
pub use dependence::MarginGroup;
pub use dynamics::{Forgetting, area_under_margin, forgetting, learnt};
pub use joint::{
    Diagonal, JointOptions, NEVER_REACHED, calibrate_joint, confident_joint, confident_thresholds,
    estimate_joint,
};
pub use kind::{Calibration, Kind, KindOptions, NoiseKind, Test, Unclear, noise_kind};
pub use latent::{Latent, PriorMethod, Refinement, latent};
pub use quality::{Adjustment, Score, label_quality};
pub use rates::{NoiseRates, noise_rates};
pub use suspects::{Filter, IssueCount, Suspect, SuspectOptions, issue_count, ranked_suspects, suspects};

/// Labels of which about a fifth are wrong, and probabilities of the true ones, no two alike.
#[cfg(test)]
fn test_input(items: usize, classes: usize, seed: u64) -> (Vec<u32>, ndarray::Array2<f64>) {
    use superalign_core::{Seed, below};
    let mut rng = Seed::new(seed).rng();
    let mut probs =
        ndarray::Array2::from_shape_simple_fn((items, classes), || below(&mut rng, 1 << 30) as f64 / 1e7);
    let mut labels = Vec::with_capacity(items);
    for mut row in probs.rows_mut() {
        let class = below(&mut rng, classes);
        row[class] += 80.0 + below(&mut rng, 100) as f64;
        let sum = row.sum();
        row /= sum;
        let wrong = below(&mut rng, 5) == 0;
        labels.push(if wrong { below(&mut rng, classes) } else { class } as u32);
    }
    (labels, probs)
}
