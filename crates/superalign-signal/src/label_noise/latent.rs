//! What follows from a joint of given and true labels: class prior, noise matrix and its inverse.

use super::joint::label_counts;
use crate::SignalError;
use ndarray::{Array1, Array2, ArrayView2, Axis};

/// A class prior is at least this much.
const LEAST_PRIOR: f64 = 1e-6;
const LEAST_REFINED_PRIOR: f64 = 1e-5;

/// No noise rate is above this, so that no class is all noise.
const LARGEST_RATE: f64 = 0.9999;

/// How the prior of the true classes is found. Priors are then clipped to [1e-6, 1] and made to sum to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PriorMethod {
    /// P(true = y | given = y) / P(given = y | true = y) P(given = y) (cleanlab's `cnt`).
    #[default]
    Count,
    /// The solution of noise matrix x prior = share of given labels (`eqn`).
    Equation,
    /// The column sums of the joint (`marginal`).
    Marginal,
    /// inverse noise matrix x share of given labels (`marginal_ps`).
    MarginalOfGiven,
}

/// Whether prior and matrices are made to agree with each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refinement {
    /// They are read off the joint.
    #[default]
    None,
    /// Each is computed from the others in turn, the noise matrix three times, the inverse five times in each of
    /// these (cleanlab's `converge_latent_estimates`).
    Converge,
}

/// Prior and noise of the true classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Latent {
    /// P(true = y), `(k)`.
    pub prior: Array1<f64>,
    /// P(given = s | true = y), `(k, k)`: row s, column y; columns sum to 1, or to 0 for a class without an item.
    pub noise_matrix: Array2<f64>,
    /// P(true = y | given = s), `(k, k)`: row y, column s; columns sum to 1, or to 0 for a label without an item.
    pub inverse_noise_matrix: Array2<f64>,
}

/// Prior, noise matrix and inverse noise matrix from a joint `(k, k)` of counts (row = given, column = true, as
/// [`calibrate_joint`](super::calibrate_joint) makes it) and the given labels `(n)`.
///
/// Rates off the diagonal are clipped to 0.9999. Source: cleanlab's `estimate_latent`.
///
/// # Errors
/// A joint that is not square, a label that is no row of it, no item; with [`PriorMethod::Equation`], a noise matrix
/// that has no inverse.
///
/// ```
/// use superalign_signal::label_noise::{PriorMethod, Refinement, latent};
/// let joint = ndarray::array![[3, 1], [0, 4]];
/// let found = latent(joint.view(), &[0, 0, 0, 0, 1, 1, 1, 1], PriorMethod::Count, Refinement::None)?;
/// assert_eq!(found.noise_matrix, ndarray::array![[1.0, 0.2], [0.0, 0.8]]);
/// assert_eq!(found.inverse_noise_matrix, ndarray::array![[0.75, 0.0], [0.25, 1.0]]);
/// assert!((found.prior[0] - 0.375).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn latent(
    joint: ArrayView2<'_, u64>,
    labels: &[u32],
    method: PriorMethod,
    refinement: Refinement,
) -> Result<Latent, SignalError> {
    let n = labels.len() as f64;
    let given = Array1::from(label_counts(joint, labels)?) / n;
    let joint = joint.mapv(|count| count as f64);
    let of_true = joint.sum_axis(Axis(0));
    let noise_matrix = over_columns(joint.clone(), &of_true);
    let inverse = over_columns(joint.t().to_owned(), &joint.sum_axis(Axis(1)));
    let prior = match method {
        PriorMethod::Count => prior_by_count(&given, &noise_matrix, &inverse),
        PriorMethod::Equation => {
            let Some(prior) = solve(noise_matrix.clone(), given.clone()) else {
                return Err(SignalError::undefined("prior by equation", "the noise matrix has no inverse"));
            };
            clipped(prior, LEAST_PRIOR)
        }
        PriorMethod::Marginal => clipped(&of_true / of_true.sum().max(f64::MIN_POSITIVE), LEAST_PRIOR),
        PriorMethod::MarginalOfGiven => clipped(inverse.dot(&given), LEAST_PRIOR),
    };
    let (noise_matrix, inverse_noise_matrix) = (clip_rates(noise_matrix), clip_rates(inverse));
    let found = Latent { prior, noise_matrix, inverse_noise_matrix };
    Ok(match refinement {
        Refinement::None => found,
        Refinement::Converge => converge(found, &given),
    })
}

fn converge(mut found: Latent, given: &Array1<f64>) -> Latent {
    for _ in 0..3 {
        for _ in 0..5 {
            let joint = &found.noise_matrix * &found.prior;
            found.inverse_noise_matrix = clip_rates(over_columns(joint.t().to_owned(), given));
            found.prior = prior_by_count(given, &found.noise_matrix, &found.inverse_noise_matrix);
        }
        let joint = &found.inverse_noise_matrix * given;
        found.noise_matrix = clip_rates(over_columns(joint.t().to_owned(), &found.prior));
    }
    Latent {
        prior: clipped(found.prior, LEAST_REFINED_PRIOR),
        noise_matrix: clip_rates(found.noise_matrix),
        inverse_noise_matrix: clip_rates(found.inverse_noise_matrix),
    }
}

fn prior_by_count(given: &Array1<f64>, noise: &Array2<f64>, inverse: &Array2<f64>) -> Array1<f64> {
    let ratio = &inverse.diag() / &noise.diag().mapv(|rate| rate.max(f64::MIN_POSITIVE));
    clipped(ratio * given, LEAST_PRIOR)
}

fn over_columns(matrix: Array2<f64>, by: &Array1<f64>) -> Array2<f64> {
    matrix / by.mapv(|by| by.max(f64::MIN_POSITIVE))
}

fn clipped(values: Array1<f64>, least: f64) -> Array1<f64> {
    let values = values.mapv(|value| value.clamp(least, 1.0));
    let sum = values.sum();
    values / sum
}

fn clip_rates(mut matrix: Array2<f64>) -> Array2<f64> {
    for ((row, column), rate) in matrix.indexed_iter_mut() {
        if row != column {
            *rate = rate.clamp(0.0, LARGEST_RATE);
        }
    }
    let sums = matrix.sum_axis(Axis(0));
    over_columns(matrix, &sums)
}

/// Solves matrix x = right by elimination with pivots; `None` where the matrix has no inverse.
fn solve(mut matrix: Array2<f64>, mut right: Array1<f64>) -> Option<Array1<f64>> {
    let k = right.len();
    for step in 0..k {
        let pivot = (step..k).max_by(|&a, &b| matrix[[a, step]].abs().total_cmp(&matrix[[b, step]].abs()))?;
        if matrix[[pivot, step]].abs() < 1e-12 {
            return None;
        }
        right.swap(step, pivot);
        (0..k).for_each(|column| matrix.swap([step, column], [pivot, column]));
        for row in (0..k).filter(|&row| row != step) {
            let factor = matrix[[row, step]] / matrix[[step, step]];
            (step..k).for_each(|column| matrix[[row, column]] -= factor * matrix[[step, column]]);
            right[row] -= factor * right[step];
        }
    }
    Some(&right / &matrix.diag())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn every_way_finds_the_prior_of_an_exact_joint() {
        // Joint counts of prior (0.4, 0.6) and noise rates 0.25 and 0.1; the labels have its row sums.
        let joint = array![[30, 6], [10, 54]];
        let labels: Vec<u32> = (0..100).map(|i| u32::from(i >= 36)).collect();
        for method in
            [PriorMethod::Count, PriorMethod::Equation, PriorMethod::Marginal, PriorMethod::MarginalOfGiven]
        {
            for refinement in [Refinement::None, Refinement::Converge] {
                let found = latent(joint.view(), &labels, method, refinement).unwrap();
                assert!((found.prior[0] - 0.4).abs() < 1e-9, "{method:?} {refinement:?} {}", found.prior);
                assert!(
                    (&found.noise_matrix - array![[0.75, 0.1], [0.25, 0.9]]).iter().all(|d| d.abs() < 1e-9)
                );
            }
        }
    }

    #[test]
    fn an_equation_without_a_solution_says_so() {
        let found = latent(array![[1, 1], [1, 1]].view(), &[0, 1], PriorMethod::Equation, Refinement::None);
        let expected = "prior by equation is undefined: the noise matrix has no inverse";
        assert_eq!(found.unwrap_err().to_string(), expected);
    }

    #[test]
    fn elimination_exchanges_rows() {
        let found = solve(array![[0.0, 2.0], [4.0, 1.0]], array![2.0, 5.0]).unwrap();
        assert_eq!(found, array![1.0, 1.0]);
    }
}
