//! Ranks, and between which ranks a player may be.

use super::dense;
use super::errors::Strengths;
use crate::special::normal_quantile;
use crate::{Bootstrap, EvaluationError};
use superalign_core::Rng;

/// A player's rank, from 1, and the ranks that it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RankInterval {
    /// 1 and the number of players that score higher.
    pub rank: u32,
    /// The best rank that it may have.
    pub best: u32,
    /// The worst.
    pub worst: u32,
}

/// The rank of each score, from 1 for the highest; equal scores share the best of their ranks.
///
/// ```
/// use superalign_evaluation::peer_review::ranks;
/// assert_eq!(ranks(&[0.1, 3.0, 0.1, -1.0]), [2, 1, 2, 4]);
/// ```
#[must_use]
pub fn ranks(scores: &[f64]) -> Vec<u32> {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    scores.iter().map(|score| 1 + sorted.partition_point(|other| other > score) as u32).collect()
}

/// Intervals of all ranks that hold together with probability `by.level` (Mogstad, Romano, Shaikh and Wilhelm 2024).
///
/// Two players are told apart where the difference of their log-strengths, in standard errors, exceeds what the largest
/// of all pairs would exceed in a share of `1 - level` of the draws if no two differed. A player's best rank is 1 and
/// the number of players told to be above it; its worst, the number of players less those told to be below. Cost:
/// `players^2` for each draw.
///
/// ```
/// use superalign_core::{Bootstrap, Seed};
/// use superalign_evaluation::peer_review::{
///     BradleyTerry, Comparison, Errors, Preferred::{First, Second}, bradley_terry_strengths, rank_intervals,
/// };
/// let list: Vec<Comparison> = (0..100)
///     .map(|n| Comparison { first: 0, second: 1, preferred: if n % 4 == 0 { Second } else { First } })
///     .collect();
/// let found = bradley_terry_strengths(&list, 2, &BradleyTerry::default(), Errors::Fisher)?;
/// let ranks = rank_intervals(&found, &Bootstrap::new(Seed::new(1)))?;
/// assert_eq!((ranks[0].best, ranks[0].worst, ranks[1].best), (1, 1, 2));
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
///
/// # Errors
/// Settings of the draws out of range.
pub fn rank_intervals(found: &Strengths, by: &Bootstrap) -> Result<Vec<RankInterval>, EvaluationError> {
    by.check()?;
    let n = found.log_strengths.len();
    let mut errors = Vec::with_capacity(n * n);
    for i in 0..n {
        errors.extend((0..n).map(|j| found.difference_error(i, j)));
    }
    // Noise with this covariance; what is added to all entries alike cancels in differences.
    let most = found.covariance.diag().iter().fold(0.0_f64, |most, v| most.max(*v));
    let mut lifted = &found.covariance + most / n as f64;
    lifted.diag_mut().iter_mut().for_each(|v| *v += 1e-9 * most);
    let factor = dense::cholesky(lifted).ok_or_else(|| {
        EvaluationError::undefined("rank interval", "the covariance of the strengths is not one")
    });
    let critical = if most == 0.0 {
        0.0
    } else {
        let factor = factor?;
        let mut largest: Vec<f64> = (0..by.draws as u64)
            .map(|draw| {
                let mut rng = by.seed.nth(draw).rng();
                let noise: Vec<f64> = (0..n).map(|_| normal(&mut rng)).collect();
                let drawn: Vec<f64> = (0..n)
                    .map(|i| factor.row(i).iter().zip(&noise).take(i + 1).map(|(f, z)| f * z).sum())
                    .collect();
                let mut largest = 0.0_f64;
                for i in 0..n {
                    for j in 0..i {
                        let se = errors[i * n + j];
                        if se > 0.0 {
                            largest = largest.max((drawn[i] - drawn[j]).abs() / se);
                        }
                    }
                }
                largest
            })
            .collect();
        largest.sort_unstable_by(f64::total_cmp);
        largest[((by.level * largest.len() as f64).ceil() as usize).clamp(1, largest.len()) - 1]
    };
    let of = ranks(&found.log_strengths);
    Ok((0..n)
        .map(|i| {
            let told = |above: bool| {
                let apart = |j: usize| {
                    let d = found.log_strengths[j] - found.log_strengths[i];
                    let d = if above { d } else { -d };
                    d > 0.0 && d > critical * errors[i * n + j]
                };
                (0..n).filter(|&j| apart(j)).count() as u32
            };
            RankInterval { rank: of[i], best: 1 + told(true), worst: n as u32 - told(false) }
        })
        .collect())
}

fn normal(rng: &mut Rng) -> f64 {
    use superalign_core::rand::Rng as _;
    normal_quantile(((rng.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use superalign_core::Seed;

    #[test]
    fn the_rank_intervals_hold_together() {
        // Five players alike but for noise: all true ranks are shared, so that an interval that leaves one out is
        // wrong.
        let n = 5;
        let covariance = Array2::from_shape_fn((n, n), |(i, j)| if i == j { 0.8 } else { -0.2 });
        let by = Bootstrap::new(Seed::new(3));
        let mut rng = Seed::new(4).rng();
        let mut wrong = 0;
        for _ in 0..1000 {
            let noise: Vec<f64> = (0..n).map(|_| normal(&mut rng)).collect();
            let mean = noise.iter().sum::<f64>() / n as f64;
            let log_strengths = noise.iter().map(|x| x - mean).collect();
            let found = Strengths { log_strengths, tie: None, covariance: covariance.clone() };
            let intervals = rank_intervals(&found, &Bootstrap { draws: 400, ..by }).unwrap();
            wrong += u32::from(intervals.iter().any(|ranks| (ranks.best, ranks.worst) != (1, 5)));
        }
        assert!((25..=80).contains(&wrong), "{wrong} of 1,000 at a level of 95%");
    }

    #[test]
    fn without_errors_ranks_are_certain() {
        let found =
            Strengths { log_strengths: vec![1.0, -1.0, 0.0], tie: None, covariance: Array2::zeros((3, 3)) };
        let ranks = rank_intervals(&found, &Bootstrap::new(Seed::new(1))).unwrap();
        assert_eq!(
            ranks.iter().map(|r| (r.rank, r.best, r.worst)).collect::<Vec<_>>(),
            [(1, 1, 1), (3, 3, 3), (2, 2, 2)]
        );
    }
}
