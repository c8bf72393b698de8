//! Noise-fitting capacity: how much of a spoiled signal a student can memorise.

use crate::draws::{Draws, capability_draws};
use crate::{Bootstrap, GapError};
use ndarray::Array2;
use superalign_core::Estimate;

/// The area under training accuracy on the *noisy* labels against the noise ratio in [0, 1], rescaled so that chance
/// is 0 and perfect memorisation is 1: 2 (area - 1/2), the area by the trapezoid rule.
///
/// A student that finds the rule behind binary labels and memorises nothing has training accuracy max(r, 1 - r), and
/// so 1/2; what lies above is memorised. The curves are those of Figures 3 and 5 of Kim et al. 2025.
///
/// `fits[k]`, (seeds, items), says whether the student trained at `ratios[k]` agrees with each noisy label. All ratios
/// have the same items and seeds, which are resampled jointly.
///
/// # Errors
/// Ratios that do not rise from 0 to 1, one term per ratio missing; else as
/// [`capability_over_seeds`](crate::capability_over_seeds).
///
/// ```
/// use ndarray::Array2;
/// use superalign_core::Seed;
/// use superalign_gap::{Bootstrap, noise_fitting_capacity};
/// let by = Bootstrap { draws: 200, level: 0.95, seed: Seed::new(1) };
/// let memorised = [Array2::from_elem((1, 50), true), Array2::from_elem((1, 50), true)];
/// assert_eq!(noise_fitting_capacity(&[0.0, 1.0], &memorised, None, &by)?.value, 1.0);
/// # Ok::<(), superalign_gap::GapError>(())
/// ```
pub fn noise_fitting_capacity(
    ratios: &[f64],
    fits: &[Array2<bool>],
    groups: Option<&[u32]>,
    bootstrap: &Bootstrap,
) -> Result<Estimate, GapError> {
    noise_fitting_draws(ratios, fits, groups, bootstrap)?.estimate(bootstrap.level)
}

/// As [`noise_fitting_capacity`], with the resamples: what
/// [`estimator_agreement`](super::estimator_agreement) takes.
///
/// # Errors
/// As [`noise_fitting_capacity`].
pub fn noise_fitting_draws(
    ratios: &[f64],
    fits: &[Array2<bool>],
    groups: Option<&[u32]>,
    bootstrap: &Bootstrap,
) -> Result<Draws, GapError> {
    let spans = ratios.first() == Some(&0.0) && ratios.last() == Some(&1.0);
    if !spans || ratios.windows(2).any(|pair| pair[0].partial_cmp(&pair[1]) != Some(std::cmp::Ordering::Less))
    {
        return Err(GapError::Ratios { found: ratios.to_vec() });
    }
    if fits.len() != ratios.len() {
        return Err(GapError::Shape {
            what: "number of ratios with fits",
            found: fits.len(),
            expected: ratios.len(),
        });
    }
    if let Some(fit) = fits.iter().find(|fit| fit.dim() != fits[0].dim()) {
        let (found, expected) = (fit.len(), fits[0].len());
        return Err(GapError::Shape { what: "number of answers at a ratio", found, expected });
    }
    // The area is linear in the answers: with weights w_k summing to 1 it is a mean over ratios of mean answers.
    let views: Vec<_> = fits.iter().map(|term| term.view()).collect();
    let terms = capability_draws(&views, groups, bootstrap)?;
    let weights = trapezoid(ratios);
    let area = |mean: &dyn Fn(&Draws) -> f64| {
        2.0 * terms.iter().zip(&weights).map(|(term, weight)| weight * mean(term)).sum::<f64>() - 1.0
    };
    Ok(Draws {
        value: area(&|term| term.value),
        draws: (0..bootstrap.draws).map(|draw| area(&|term| term.draws[draw])).collect(),
    })
}

/// Weights of the trapezoid rule on rising points: they sum to the length of the interval.
fn trapezoid(points: &[f64]) -> Vec<f64> {
    let mut weights = vec![0.0; points.len()];
    for (k, pair) in points.windows(2).enumerate() {
        let half = (pair[1] - pair[0]) / 2.0;
        weights[k] += half;
        weights[k + 1] += half;
    }
    weights
}
