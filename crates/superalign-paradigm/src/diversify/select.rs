//! Which sources to keep: the subset of greatest joint accuracy, and a diverse subset of good ones.

use super::Reliability;
use crate::ParadigmError;
use ndarray::{Array2, ArrayView2};

/// Most sources of which every subset is tried; of more, subsets grow and shrink one by one.
const EXHAUSTIVE: usize = 12;

/// The accuracy of the majority of some sources, a tie counting one half, from their accuracies and the correlation
/// of their errors.
///
/// With margins e = 1 where a source is right and -1 where it errs, M = sum e has the mean `sum (2 a - 1)` and the
/// variance `sum_jk rho_jk s_j s_k`, `s^2 = 1 - (2 a - 1)^2`. P(M > 0) + P(M = 0) / 2 is that of a normal M, with a
/// correction where the number of sources is even; exact for one source. In [0, 1].
///
/// ```
/// use superalign_paradigm::diversify::joint_accuracy;
/// let apart = ndarray::Array2::eye(3);
/// let found = joint_accuracy(&[0.75; 3], apart.view(), &[0, 1, 2])?;
/// assert!((found - 0.84375).abs() < 0.005, "{found}");
/// # Ok::<(), superalign_paradigm::ParadigmError>(())
/// ```
///
/// # Errors
/// No source; another number of correlations than of accuracies; a place beyond the last source.
pub fn joint_accuracy(
    accuracy: &[f64],
    correlation: ArrayView2<'_, f64>,
    chosen: &[usize],
) -> Result<f64, ParadigmError> {
    if correlation.dim() != (accuracy.len(), accuracy.len()) {
        let (found, expected) = (correlation.nrows(), accuracy.len());
        return Err(ParadigmError::Shape { what: "number of rows of correlations", found, expected });
    }
    if chosen.is_empty() {
        return Err(ParadigmError::TooFew { what: "sources", found: 0, expected: 1 });
    }
    if let Some(&found) = chosen.iter().find(|&&source| source >= accuracy.len()) {
        return Err(ParadigmError::Shape { what: "place of a source", found, expected: accuracy.len() - 1 });
    }
    Ok(joint(accuracy, correlation, chosen))
}

fn joint(accuracy: &[f64], correlation: ArrayView2<'_, f64>, chosen: &[usize]) -> f64 {
    if let [one] = chosen {
        return accuracy[*one];
    }
    let margin = |source: usize| 2.0 * accuracy[source] - 1.0;
    let deviation = |source: usize| (1.0 - margin(source).powi(2)).max(0.0).sqrt();
    let mean: f64 = chosen.iter().map(|&source| margin(source)).sum();
    let mut variance = 0.0;
    for &a in chosen {
        for &b in chosen {
            let rho = if a == b { 1.0 } else { correlation[[a, b]] };
            variance += rho * deviation(a) * deviation(b);
        }
    }
    let spread = variance.max(1e-12).sqrt();
    if chosen.len().is_multiple_of(2) {
        f64::midpoint(normal((mean - 1.0) / spread), normal((mean + 1.0) / spread))
    } else {
        normal(mean / spread)
    }
}

/// The normal distribution function.
fn normal(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

/// The sources whose majority is estimated to be right most often ([`joint_accuracy`]), rising.
///
/// Of up to 12 sources every subset is tried; of more, the best one grows and shrinks by one source at a time, from the
/// single best, for as long as that helps. Of equally good subsets the smaller one.
#[must_use]
pub fn decorrelated(found: &Reliability) -> Vec<usize> {
    let accuracy: Vec<f64> = found.accuracy.iter().map(|estimate| estimate.value).collect();
    let k = accuracy.len();
    let value = |chosen: &[usize]| joint(&accuracy, found.correlation.view(), chosen);
    let places = |bits: u64| (0..k).filter(|&source| bits >> source & 1 == 1).collect::<Vec<_>>();
    // What a larger subset gains has to be more than rounding.
    let better = |new: f64, old: f64| new > old + 1e-9;
    let (mut best, mut most) = (1_u64, f64::NEG_INFINITY);
    if k <= EXHAUSTIVE {
        let mut subsets: Vec<u64> = (1..1_u64 << k).collect();
        subsets.sort_by_key(|bits| bits.count_ones());
        for bits in subsets {
            let new = value(&places(bits));
            if better(new, most) {
                (best, most) = (bits, new);
            }
        }
        return places(best);
    }
    for source in 0..k {
        let new = value(&[source]);
        if better(new, most) {
            (best, most) = (1 << source, new);
        }
    }
    loop {
        let start = most;
        let around = best;
        for source in 0..k {
            // One in or out, or one exchanged for another.
            let mut moves = vec![around ^ 1 << source];
            moves.extend((0..source).map(|other| around ^ 1 << source ^ 1 << other));
            for bits in moves.into_iter().filter(|&bits| bits != 0) {
                let new = value(&places(bits));
                if better(new, most) {
                    (best, most) = (bits, new);
                }
            }
        }
        if !better(most, start) {
            return places(best);
        }
    }
}

/// The most probable `count` sources of a determinantal point process, chosen greedily, rising.
///
/// The kernel is `L[j][k] = g_j S[j][k] g_k`: g is how good a source is, its log-odds `ln(a / (1 - a))` (at least 0.01),
/// and S how alike two are, the correlation of their errors. Each step takes the source that multiplies det(L) most;
/// it ends early when all that is left says what was said (a factor below 1e-9).
///
/// Kulesza and Taskar 2012, "Determinantal point processes for machine learning"; the greedy step by an incremental
/// Cholesky factor is that of Chen, Zhang and Zhou 2018.
///
/// # Errors
/// A `count` of 0.
pub fn process(found: &Reliability, count: usize) -> Result<Vec<usize>, ParadigmError> {
    if count == 0 {
        return Err(ParadigmError::Setting { key: "count", found: 0.0, expected: "at least 1".into() });
    }
    let k = found.accuracy.len();
    let good: Vec<f64> = found.accuracy.iter().map(|estimate| log_odds(estimate.value).max(0.01)).collect();
    let kernel = Array2::from_shape_fn((k, k), |(a, b)| {
        let alike = if a == b { 1.0 } else { found.correlation[[a, b]] };
        good[a] * alike * good[b]
    });
    let mut left: Vec<f64> = kernel.diag().to_vec();
    let mut factor: Vec<Vec<f64>> = vec![Vec::new(); k];
    let mut chosen: Vec<usize> = Vec::new();
    while chosen.len() < count.min(k) {
        let free = (0..k).filter(|source| !chosen.contains(source));
        let Some(next) = free.reduce(|best, source| if left[source] > left[best] { source } else { best })
        else {
            break;
        };
        if left[next] < 1e-9 {
            break;
        }
        let root = left[next].sqrt();
        for source in (0..k).filter(|source| !chosen.contains(source) && *source != next) {
            let known: f64 = factor[next].iter().zip(&factor[source]).map(|(a, b)| a * b).sum();
            let entry = (kernel[[next, source]] - known) / root;
            factor[source].push(entry);
            left[source] -= entry * entry;
        }
        chosen.push(next);
    }
    chosen.sort_unstable();
    Ok(chosen)
}

/// Log-odds of an accuracy, which is taken to be within 0.01 and 0.99.
pub(super) fn log_odds(accuracy: f64) -> f64 {
    let a = accuracy.clamp(0.01, 0.99);
    (a / (1.0 - a)).ln()
}
