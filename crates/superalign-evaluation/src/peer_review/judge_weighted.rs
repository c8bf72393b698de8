//! Bradley-Terry strengths with a weight for each judge, found together.

use super::bradley_terry::{Ties, check};
use super::errors::{Strengths, centred, invert, small_enough};
use super::newton::{Local, Mixed, maximum};
use super::tally::Tally;
use crate::EvaluationError;
use ndarray::Array2;
use superalign_core::Comparison;

/// How strengths and judges' weights are found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JudgeWeighted {
    /// Standard deviation of the prior of a judge's discrimination, whose mean is 1; above 0. Small: judges are alike,
    /// and the strengths are those of Bradley-Terry.
    pub spread: f64,
    /// Factor of the penalty `ridge sum theta_i^2`, from 0.
    pub ridge: f64,
}

impl Default for JudgeWeighted {
    /// A spread of a quarter, and no ridge.
    fn default() -> Self {
        Self { spread: 0.25, ridge: 0.0 }
    }
}

/// Strengths, and how much each judge's votes have to do with them.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgeWeightedStrengths {
    /// Log-strengths as a judge of the mean discrimination sees them. Their covariance is that of the information of
    /// strengths and judges together; it takes votes as independent.
    pub strengths: Strengths,
    /// Discrimination of each judge: 1 is the mean of those who voted, 0 a coin, below 0 a judge that prefers the
    /// weaker.
    pub discriminations: Vec<f64>,
    /// Their standard errors.
    pub standard_errors: Vec<f64>,
}

/// Log-strengths theta and judges' discriminations g:
/// `P(judge k says that i beats j) = 1 / (1 + exp(-g_k (theta_i - theta_j)))`, with normal priors of mean 1 on each g; a
/// tie is half a vote for each. Votes say nothing of a factor that moves from the thetas to the g's: what is returned has
/// g's of mean 1.
///
/// The idea is that of `CrowdBT` (Chen et al. 2013), with the judge's slope in the place of a share of turned votes, as
/// Raman and Joachims (2014) have it: a judge near 0 has no weight, one that contradicts the others a weight below 0.
/// `judges` has a number for each comparison, from 0. Where most judges err alike, they are believed: see
/// [`collusion`](super::collusion). A judge whose votes are the most consistent has the largest slope, whatever they
/// follow: with few votes for each judge and a wide spread, one that always votes for a friend can outweigh the others.
///
/// Fisher scoring to a maximum of the posterior density; it starts from all judges alike, and where judges are many and
/// contradict each other the maximum that it finds need not be the only one.
///
/// ```
/// use superalign_evaluation::peer_review::{
///     Comparison, JudgeWeighted, Preferred::{First, Second}, judge_weighted,
/// };
/// // Two judges prefer player 0 in three of four cases; the third does the contrary.
/// let list: Vec<Comparison> = (0..120)
///     .map(|n| if (n % 4 == 0) == (n % 3 == 2) { First } else { Second })
///     .map(|preferred| Comparison { first: 0, second: 1, preferred })
///     .collect();
/// let judges: Vec<u32> = (0..120).map(|n| n % 3).collect();
/// let found = judge_weighted(&list, &judges, 2, &JudgeWeighted { spread: 0.5, ridge: 0.0 })?;
/// assert!(found.discriminations[2] < 0.0 && found.discriminations[0] > 1.0);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
///
/// # Errors
/// As [`bradley_terry`](super::bradley_terry) and [`Tally::new`]; another number of judges than of comparisons; a
/// spread that is not above 0; judges whose mean discrimination is not above 0; more than 4,000 players and judges.
pub fn judge_weighted(
    comparisons: &[Comparison],
    judges: &[u32],
    players: usize,
    by: &JudgeWeighted,
) -> Result<JudgeWeightedStrengths, EvaluationError> {
    const NAME: &str = "judge-weighted strength";
    if !(by.spread.is_finite() && by.spread > 0.0) {
        return Err(EvaluationError::setting("spread", by.spread, "a finite number above 0"));
    }
    if judges.len() != comparisons.len() {
        let what = "number of judges' labels";
        return Err(EvaluationError::Shape { what, found: judges.len(), expected: comparisons.len() });
    }
    let tally = Tally::new(comparisons, players)?;
    check(NAME, &tally, by.ridge, Ties::HalfWin)?;
    let count = judges.iter().max().map_or(0, |&last| last as usize + 1);
    small_enough(players + count)?;
    let table = Votes::new(comparisons, judges);
    let precision = 1.0 / (by.spread * by.spread);
    let local = |at: &[f64]| table.local(at, players, precision, by.ridge);
    let mut start = vec![0.0; players];
    start.resize(players + count, 1.0);
    // Strengths first, so that judges are seen by them.
    let guess = super::BradleyTerry { ridge: by.ridge.max(1e-3), ties: Ties::HalfWin };
    start[..players].copy_from_slice(&super::bradley_terry(&tally, &guess)?);
    let mut at = maximum(NAME, &table.ends, (players, comparisons.len() as f64), start, local)?;
    let mean = at[..players].iter().sum::<f64>() / players as f64;
    at[..players].iter_mut().for_each(|theta| *theta -= mean);
    let information = table.local(&at, players, precision, by.ridge).dense(&table.ends, players);
    let covariance = invert(information, NAME)?;
    let discriminations = at.split_off(players);
    let (covariance, standard_errors, discriminations) =
        scaled(&covariance, &mut at, &discriminations, judges)?;
    let covariance = centred(&covariance, players);
    let strengths = Strengths { log_strengths: at, tie: None, covariance };
    Ok(JudgeWeightedStrengths { strengths, discriminations, standard_errors })
}

/// The covariance of all numbers, the standard errors of the discriminations, and these.
type Scaled = (Array2<f64>, Vec<f64>, Vec<f64>);

/// Moves the mean discrimination of those who voted into the strengths, and what that does to the errors.
fn scaled(
    covariance: &Array2<f64>,
    theta: &mut [f64],
    discriminations: &[f64],
    judges: &[u32],
) -> Result<Scaled, EvaluationError> {
    let (players, count) = (theta.len(), discriminations.len());
    let mut voted = vec![0.0_f64; count];
    judges.iter().for_each(|&judge| voted[judge as usize] = 1.0);
    let voters: f64 = voted.iter().sum();
    let mean = discriminations.iter().zip(&voted).map(|(g, voted)| g * voted).sum::<f64>() / voters;
    if mean <= 1e-6 {
        let reason = "judges contradict one another: the mean of their discriminations is not above 0";
        return Err(EvaluationError::undefined("judge-weighted strength", reason));
    }
    let scaled: Vec<f64> = discriminations.iter().map(|g| g / mean).collect();
    let slopes = Array2::from_shape_fn((players + count, players + count), |(row, column)| {
        let same = f64::from(u8::from(row == column));
        let share = if column < players { 0.0 } else { voted[column - players] / voters };
        if row < players {
            mean * same + theta[row] * share
        } else {
            (same - scaled[row - players] * share) / mean
        }
    });
    let covariance = slopes.dot(covariance).dot(&slopes.t());
    theta.iter_mut().for_each(|theta| *theta *= mean);
    let errors = (players..players + count).map(|k| covariance[[k, k]].max(0.0).sqrt()).collect();
    Ok((covariance, errors, scaled))
}

/// For each judge and pair of players, the votes for the first and for the second.
struct Votes {
    ends: Vec<(u32, u32)>,
    counts: Vec<(u32, f64, f64)>,
}

impl Votes {
    fn new(comparisons: &[Comparison], judges: &[u32]) -> Self {
        let key = |n: u32| {
            let c = comparisons[n as usize];
            (judges[n as usize], c.first.min(c.second), c.first.max(c.second))
        };
        let mut order: Vec<u32> = (0..comparisons.len() as u32).collect();
        order.sort_unstable_by_key(|&n| key(n));
        let mut table = Self { ends: Vec::new(), counts: Vec::new() };
        let mut last = None;
        for n in order {
            let (judge, low, high) = key(n);
            if last.replace((judge, low, high)) != Some((judge, low, high)) {
                table.ends.push((low, high));
                table.counts.push((judge, 0.0, 0.0));
            }
            let Comparison { first, preferred, .. } = comparisons[n as usize];
            let score = if first == low { preferred.score() } else { 1.0 - preferred.score() };
            if let Some((_, won, lost)) = table.counts.last_mut() {
                *won += score;
                *lost += 1.0 - score;
            }
        }
        table
    }

    fn local(&self, at: &[f64], players: usize, precision: f64, ridge: f64) -> Local {
        let mut here = Local {
            merit: 0.0,
            gradient: vec![0.0; at.len()],
            along: Vec::with_capacity(self.ends.len()),
            mixed: Vec::with_capacity(self.ends.len()),
            diagonal: vec![2.0 * ridge; at.len()],
        };
        for (&(first, second), &(judge, won, lost)) in self.ends.iter().zip(&self.counts) {
            let (i, j, k) = (first as usize, second as usize, players + judge as usize);
            let (d, g) = (at[i] - at[j], at[k]);
            let u = g * d;
            let p = 1.0 / (1.0 + (-u).exp());
            let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
            here.merit -= won * softplus(-u) + lost * softplus(u);
            let slope = won - (won + lost) * p;
            here.gradient[i] += slope * g;
            here.gradient[j] -= slope * g;
            here.gradient[k] += slope * d;
            let bend = (won + lost) * p * (1.0 - p);
            here.along.push(bend * g * g);
            here.mixed.push(Mixed { place: k as u32, mixed: bend * g * d, third: bend * d * d });
        }
        for (player, theta) in at[..players].iter().enumerate() {
            here.merit -= ridge * theta * theta;
            here.gradient[player] -= 2.0 * ridge * theta;
        }
        for (judge, g) in at.iter().enumerate().skip(players) {
            here.merit -= 0.5 * precision * (g - 1.0) * (g - 1.0);
            here.gradient[judge] -= precision * (g - 1.0);
            here.diagonal[judge] = precision;
        }
        here
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::round;
    use super::super::{BradleyTerry, bradley_terry};
    use super::*;
    use superalign_core::{Seed, below};

    /// Votes of judges with these discriminations on players of strength 0, 0.5, 1, ...
    fn votes(players: u32, of: &[f64], each: usize, seed: u64) -> (Vec<Comparison>, Vec<u32>) {
        let mut rng = Seed::new(seed).rng();
        let (mut list, mut judges) = (Vec::new(), Vec::new());
        for (judge, g) in of.iter().enumerate() {
            for _ in 0..each {
                let first = below(&mut rng, players as usize) as u32;
                let second = (first + 1 + below(&mut rng, players as usize - 1) as u32) % players;
                let d = 0.5 * (f64::from(first) - f64::from(second));
                let won = (below(&mut rng, 1 << 20) as f64) < f64::from(1 << 20) / (1.0 + (-g * d).exp());
                list.push((first, second, if won { 1 } else { 2 }));
                judges.push(judge as u32);
            }
        }
        (round(&list), judges)
    }

    #[test]
    fn judges_are_told_apart() {
        let of = [1.6, 1.6, 1.2, 0.0, -0.4];
        let mean = of.iter().sum::<f64>() / 5.0;
        let (list, judges) = votes(6, &of, 3000, 5);
        let found = judge_weighted(&list, &judges, 6, &JudgeWeighted { spread: 0.5, ridge: 0.0 }).unwrap();
        assert!((found.discriminations.iter().sum::<f64>() - 5.0).abs() < 1e-9);
        for (k, g) in of.iter().enumerate() {
            let apart = (found.discriminations[k] - g / mean).abs();
            assert!(apart < 4.0 * found.standard_errors[k], "{k}: {found:?}");
            assert!(found.standard_errors[k] < 0.15, "{found:?}");
        }
        let errors = found.strengths.standard_errors();
        for (i, theta) in found.strengths.log_strengths.iter().enumerate() {
            let apart = (theta - 0.5 * mean * (i as f64 - 2.5)).abs();
            assert!(apart < 4.0 * errors[i] && errors[i] < 0.1, "{:?}", found.strengths);
        }
    }

    #[test]
    fn judges_that_must_be_alike_leave_the_plain_strengths() {
        let (list, judges) = votes(5, &[1.0, 0.5, 1.5], 200, 6);
        let by = JudgeWeighted { spread: 1e-5, ridge: 0.0 };
        let found = judge_weighted(&list, &judges, 5, &by).unwrap();
        let plain = bradley_terry(&Tally::new(&list, 5).unwrap(), &BradleyTerry::default()).unwrap();
        for (a, b) in found.strengths.log_strengths.iter().zip(&plain) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
    }

    #[test]
    fn strengths_are_a_maximum_for_these_judges() {
        let (list, judges) = votes(5, &[1.0, 0.2, 1.5], 100, 7);
        let found = judge_weighted(&list, &judges, 5, &JudgeWeighted { spread: 0.7, ridge: 0.0 }).unwrap();
        let at = [found.strengths.log_strengths.clone(), found.discriminations.clone()].concat();
        let table = Votes::new(&list, &judges);
        let value = |at: &[f64]| table.local(at, 5, 0.0, 0.0).merit;
        let gradient = table.local(&at, 5, 0.0, 0.0).gradient;
        for k in 0..at.len() {
            let mut moved = at.clone();
            moved[k] += 1e-4;
            let up = value(&moved);
            moved[k] -= 2e-4;
            let slope = (up - value(&moved)) / 2e-4;
            assert!((slope - gradient[k]).abs() < 1e-5, "{k}: {slope}, {}", gradient[k]);
            assert!(k >= 5 || slope.abs() < 1e-5, "{k}: {slope}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        let list = round(&[(0, 1, 1), (0, 1, 2)]);
        let message = |judges: &[u32], by| judge_weighted(&list, judges, 2, &by).unwrap_err().to_string();
        assert_eq!(message(&[0], JudgeWeighted::default()), "number of judges' labels: found 1, expected 2");
        assert_eq!(
            message(&[0, 0], JudgeWeighted { spread: 0.0, ridge: 0.0 }),
            "spread = 0: expected a finite number above 0"
        );
    }
}
