//! How sure strengths are: their covariance by Fisher's information, the sandwich, and clusters of comparisons.

use super::bradley_terry::{BradleyTerry, Davidson};
use super::dense;
use super::model::{Kind, Model};
use super::tally::Tally;
use crate::paired::check_open;
use crate::special::{normal_cdf, normal_quantile};
use crate::{Estimate, EvaluationError};
use ndarray::Array2;
use superalign_core::{Comparison, Preferred};

/// Dense matrices of more numbers are not made.
const MOST_PLAYERS: usize = 4000;

/// What the errors of strengths are computed from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Errors<'a> {
    /// The inverse of the information: right where the model is, and comparisons are independent.
    #[default]
    Fisher,
    /// The sandwich `H^-1 (sum s s') H^-1` over comparisons (White 1982): the model may be wrong, above all about half
    /// wins for ties, but comparisons are independent.
    Sandwich,
    /// The sandwich with slopes summed over comparisons of one label first: those on one prompt, or by one judge, may
    /// depend on one another. With G labels the middle is multiplied by G / (G - 1).
    Clustered(&'a [u32]),
    /// Comparisons that share a label of either kind may depend on one another (Cameron, Gelbach and Miller 2011): the
    /// middles of both kinds less that of both labels together; where that is no covariance, the sum of both, which is
    /// on the safe side.
    TwoWay(&'a [u32], &'a [u32]),
}

/// Log-strengths with their covariance.
#[derive(Clone, Debug, PartialEq)]
pub struct Strengths {
    /// Log-strength of each player; their sum is 0.
    pub log_strengths: Vec<f64>,
    /// How common ties are, where that is estimated: see [`DavidsonStrengths`](super::DavidsonStrengths).
    pub tie: Option<f64>,
    /// Their covariance (players, players); rows sum to 0, as the log-strengths do.
    pub covariance: Array2<f64>,
}

impl Strengths {
    /// The standard error of each log-strength.
    #[must_use]
    pub fn standard_errors(&self) -> Vec<f64> {
        self.covariance.diag().iter().map(|variance| variance.max(0.0).sqrt()).collect()
    }

    /// Each log-strength with its normal interval.
    ///
    /// # Errors
    /// A level that is not between 0 and 1.
    pub fn estimates(&self, level: f64) -> Result<Vec<Estimate>, EvaluationError> {
        check_open("level", level)?;
        let z = normal_quantile(0.5 + 0.5 * level);
        let errors = self.standard_errors();
        let each = self.log_strengths.iter().zip(errors);
        Ok(each.map(|(&value, se)| Estimate { value, lo: value - z * se, hi: value + z * se }).collect())
    }

    /// The standard error of the difference of two log-strengths.
    #[must_use]
    pub fn difference_error(&self, i: usize, j: usize) -> f64 {
        let v = &self.covariance;
        (v[[i, i]] + v[[j, j]] - 2.0 * v[[i, j]]).max(0.0).sqrt()
    }

    /// How probable it is that the row's player is the stronger one, given how sure the strengths are: `Phi(d / se)`
    /// for each pair; one half on the diagonal, and where nothing is known.
    ///
    /// Not to be confused with [`win_probabilities`], which says how often it wins.
    #[must_use]
    pub fn stronger(&self) -> Array2<f64> {
        let n = self.log_strengths.len();
        Array2::from_shape_fn((n, n), |(i, j)| {
            let d = self.log_strengths[i] - self.log_strengths[j];
            let se = self.difference_error(i, j);
            if i == j || d == 0.0 {
                0.5
            } else if se > 0.0 {
                normal_cdf(d / se)
            } else {
                f64::from(u8::from(d > 0.0))
            }
        })
    }
}

/// P(row beats column) from log-strengths, and from how common ties are (0 in the Bradley-Terry model); one half on
/// the diagonal less half of the ties.
///
/// ```
/// use superalign_evaluation::peer_review::win_probabilities;
/// let p = win_probabilities(&[3_f64.ln(), 0.0], 0.0);
/// assert!((p[[0, 1]] - 0.75).abs() < 1e-12 && (p[[1, 0]] - 0.25).abs() < 1e-12);
/// ```
#[must_use]
pub fn win_probabilities(log_strengths: &[f64], tie: f64) -> Array2<f64> {
    let n = log_strengths.len();
    let tie = (2.0 * tie).ln();
    Array2::from_shape_fn((n, n), |(i, j)| super::model::shares(log_strengths[i] - log_strengths[j], tie)[0])
}

/// [`bradley_terry`](super::bradley_terry) with the covariance of its log-strengths. With a ridge, the information
/// includes the prior's.
///
/// ```
/// use superalign_evaluation::peer_review::{
///     BradleyTerry, Comparison, Errors, Preferred::{First, Second}, bradley_terry_strengths,
/// };
/// let list: Vec<Comparison> = (0..100)
///     .map(|n| Comparison { first: 0, second: 1, preferred: if n % 4 == 0 { Second } else { First } })
///     .collect();
/// let found = bradley_terry_strengths(&list, 2, &BradleyTerry::default(), Errors::Fisher)?;
/// // The difference of log-odds has variance 1 / (n p q).
/// assert!((found.difference_error(0, 1) - (1.0 / (100.0 * 0.75 * 0.25_f64)).sqrt()).abs() < 1e-9);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
///
/// # Errors
/// As [`bradley_terry`](super::bradley_terry) and [`Tally::new`]; another number of labels than of comparisons; fewer
/// than two clusters; more than 4,000 players.
pub fn bradley_terry_strengths(
    comparisons: &[Comparison],
    players: usize,
    by: &BradleyTerry,
    errors: Errors<'_>,
) -> Result<Strengths, EvaluationError> {
    strengths(comparisons, players, Kind::BradleyTerry(*by), errors)
}

/// [`davidson`](super::davidson) with the covariance of its log-strengths, in which how sure the tie is is included.
///
/// # Errors
/// As [`bradley_terry_strengths`] and [`davidson`](super::davidson).
pub fn davidson_strengths(
    comparisons: &[Comparison],
    players: usize,
    by: &Davidson,
    errors: Errors<'_>,
) -> Result<Strengths, EvaluationError> {
    let mut found = strengths(comparisons, players, Kind::Davidson(*by), errors)?;
    found.tie = found.tie.or(Some(0.0));
    Ok(found)
}

fn strengths(
    comparisons: &[Comparison],
    players: usize,
    kind: Kind,
    errors: Errors<'_>,
) -> Result<Strengths, EvaluationError> {
    let tally = Tally::new(comparisons, players)?;
    let model = Model::new(&tally, kind)?;
    small_enough(players)?;
    let labels = match errors {
        Errors::Fisher | Errors::Sandwich => [None, None],
        Errors::Clustered(labels) => [Some(labels), None],
        Errors::TwoWay(one, other) => [Some(one), Some(other)],
    };
    for labels in labels.into_iter().flatten() {
        if labels.len() != comparisons.len() {
            let what = "number of cluster labels";
            return Err(EvaluationError::Shape { what, found: labels.len(), expected: comparisons.len() });
        }
    }
    let at = model.numbers(None)?;
    let information = model.local(&at).dense(&model.ends, players);
    let bread = invert(information, "covariance of the strengths")?;
    let scores = Scores { model: &model, at: &at };
    let covariance = match errors {
        Errors::Fisher => bread,
        Errors::Sandwich => around(&bread, &scores.of_outcomes(&tally)),
        Errors::Clustered(labels) => around(&bread, &scores.clustered(comparisons, &distinct(labels, None)?)),
        Errors::TwoWay(one, other) => {
            let [first, second] = [distinct(one, None)?, distinct(other, None)?];
            let sum = scores.clustered(comparisons, &first) + scores.clustered(comparisons, &second);
            let both = scores.clustered(comparisons, &distinct(one, Some(other))?);
            let found = around(&bread, &(&sum - &both));
            if is_covariance(&found) { found } else { around(&bread, &sum) }
        }
    };
    let mut log_strengths = at;
    let tie = (log_strengths.len() > players).then(|| 0.5 * log_strengths[players].exp());
    log_strengths.truncate(players);
    Ok(Strengths { log_strengths, tie, covariance: centred(&covariance, players) })
}

pub(super) fn small_enough(numbers: usize) -> Result<(), EvaluationError> {
    if numbers > MOST_PLAYERS {
        let expected = "at most 4,000 for a covariance; the bootstrap has no limit";
        return Err(EvaluationError::setting("players", numbers as f64, expected));
    }
    Ok(())
}

pub(super) fn invert(matrix: Array2<f64>, statistic: &'static str) -> Result<Array2<f64>, EvaluationError> {
    let factor = dense::cholesky(matrix);
    let factor =
        factor.ok_or_else(|| EvaluationError::undefined(statistic, "the information is singular"))?;
    Ok(dense::inverse(&factor))
}

fn around(bread: &Array2<f64>, middle: &Array2<f64>) -> Array2<f64> {
    bread.dot(middle).dot(bread)
}

/// The covariance of the first numbers less their mean.
pub(super) fn centred(covariance: &Array2<f64>, players: usize) -> Array2<f64> {
    let mut part = covariance.slice(ndarray::s![..players, ..players]).to_owned();
    for axis in 0..2 {
        let means = part.sum_axis(ndarray::Axis(axis)) / players as f64;
        for mut lane in part.axis_iter_mut(ndarray::Axis(axis)) {
            lane -= &means;
        }
    }
    part
}

/// Whether no combination of the numbers has a negative variance, but for rounding.
fn is_covariance(matrix: &Array2<f64>) -> bool {
    let most = matrix.diag().iter().fold(0.0_f64, |most, v| most.max(*v));
    let mut lifted = matrix.clone();
    lifted.diag_mut().iter_mut().for_each(|v| *v += 1e-10 * most);
    matrix.diag().iter().all(|&v| v >= 0.0) && (most == 0.0 || dense::cholesky(lifted).is_some())
}

/// For each cluster, the comparisons in it.
struct Clusters {
    order: Vec<u32>,
    starts: Vec<usize>,
}

fn distinct(labels: &[u32], with: Option<&[u32]>) -> Result<Clusters, EvaluationError> {
    let key = |n: u32| (labels[n as usize], with.map_or(0, |with| with[n as usize]));
    let mut order: Vec<u32> = (0..labels.len() as u32).collect();
    order.sort_by_key(|&n| key(n));
    let mut starts: Vec<usize> =
        (0..order.len()).filter(|&n| n == 0 || key(order[n]) != key(order[n - 1])).collect();
    if starts.len() < 2 {
        return Err(EvaluationError::TooFew { what: "clusters", found: starts.len(), expected: 2 });
    }
    starts.push(order.len());
    Ok(Clusters { order, starts })
}

/// The slopes of single comparisons.
struct Scores<'a, 'b> {
    model: &'a Model<'b>,
    at: &'a [f64],
}

impl Scores<'_, '_> {
    /// The sum of outer products over all comparisons.
    fn of_outcomes(&self, tally: &Tally) -> Array2<f64> {
        let numbers = self.at.len();
        let mut middle = Array2::zeros((numbers, numbers));
        for pair in tally.pairs() {
            for (preferred, count) in
                [(Preferred::First, pair.won), (Preferred::Second, pair.lost), (Preferred::Tie, pair.tied)]
            {
                let (along, tie) = self.model.score(self.at, pair.first, pair.second, preferred);
                let mut slopes = vec![(pair.first as usize, along), (pair.second as usize, -along)];
                if numbers > self.model.players() {
                    slopes.push((numbers - 1, tie));
                }
                for &(i, one) in &slopes {
                    for &(j, other) in &slopes {
                        middle[[i, j]] += count * one * other;
                    }
                }
            }
        }
        middle
    }

    /// The sum of outer products over clusters of their summed slopes, times G / (G - 1).
    fn clustered(&self, comparisons: &[Comparison], clusters: &Clusters) -> Array2<f64> {
        let numbers = self.at.len();
        let mut middle = Array2::zeros((numbers, numbers));
        let mut slopes = vec![0.0; numbers];
        let mut touched = Vec::new();
        let mut is_touched = vec![false; numbers];
        for ends in clusters.starts.windows(2) {
            for &n in &clusters.order[ends[0]..ends[1]] {
                let Comparison { first, second, preferred } = comparisons[n as usize];
                let (along, tie) = self.model.score(self.at, first, second, preferred);
                let third = (numbers > self.model.players()).then_some((numbers - 1, tie));
                for (place, slope) in
                    [(first as usize, along), (second as usize, -along)].into_iter().chain(third)
                {
                    slopes[place] += slope;
                    if !std::mem::replace(&mut is_touched[place], true) {
                        touched.push(place);
                    }
                }
            }
            for &i in &touched {
                for &j in &touched {
                    middle[[i, j]] += slopes[i] * slopes[j];
                }
            }
            for place in touched.drain(..) {
                slopes[place] = 0.0;
                is_touched[place] = false;
            }
        }
        let groups = (clusters.starts.len() - 1) as f64;
        middle * (groups / (groups - 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::round;
    use super::*;
    use proptest::prelude::*;

    fn games() -> Vec<Comparison> {
        let noise = |n: u32| (n.wrapping_mul(2_654_435_761) >> 13) % 7;
        let one = |n: u32| {
            let (a, b) = (noise(n) % 4, noise(n + 1000) % 3);
            (a, (a + 1 + b) % 4, [1, 2, 0, 1, 1, 2, 1][noise(n + 7) as usize])
        };
        round(&(0..120).map(one).collect::<Vec<_>>())
    }

    #[test]
    fn clusters_of_one_are_the_sandwich_but_for_the_factor() {
        let list = games();
        let own: Vec<u32> = (0..list.len() as u32).collect();
        let factor = list.len() as f64 / (list.len() as f64 - 1.0);
        for kind in [Kind::BradleyTerry(BradleyTerry::default()), Kind::Davidson(Davidson::default())] {
            let plain = strengths(&list, 4, kind, Errors::Sandwich).unwrap();
            let single = strengths(&list, 4, kind, Errors::Clustered(&own)).unwrap();
            let apart = (&plain.covariance * factor - &single.covariance).mapv(f64::abs).sum();
            assert!(apart < 1e-12, "{apart}");
            // With labels that are all different, two ways are one.
            let both = strengths(&list, 4, kind, Errors::TwoWay(&own, &own)).unwrap();
            assert!((both.covariance - single.covariance).mapv(f64::abs).sum() < 1e-12);
        }
    }

    #[test]
    fn copies_widen_only_the_clustered_interval() {
        let once = games();
        let labels: Vec<u32> = (0..once.len() as u32).flat_map(|n| [n; 4]).collect();
        let copied: Vec<Comparison> = once.iter().flat_map(|&game| [game; 4]).collect();
        let by = BradleyTerry::default();
        let se = |list: &[Comparison], errors: Errors<'_>| {
            bradley_terry_strengths(list, 4, &by, errors).unwrap().standard_errors()[0]
        };
        let own: Vec<u32> = (0..once.len() as u32).collect();
        assert!((se(&once, Errors::Fisher) / se(&copied, Errors::Fisher) - 2.0).abs() < 1e-6);
        assert!((se(&once, Errors::Sandwich) / se(&copied, Errors::Sandwich) - 2.0).abs() < 1e-6);
        let (one, four) = (se(&once, Errors::Clustered(&own)), se(&copied, Errors::Clustered(&labels)));
        assert!((one / four - 1.0).abs() < 1e-6, "{one} {four}");
    }

    #[test]
    fn what_has_no_errors_says_why() {
        let list = games();
        let message = |errors| {
            let found = bradley_terry_strengths(&list, 4, &BradleyTerry::default(), errors);
            found.unwrap_err().to_string()
        };
        assert_eq!(message(Errors::Clustered(&[1, 2])), "number of cluster labels: found 2, expected 120");
        assert_eq!(message(Errors::Clustered(&[7; 120])), "1 clusters: expected at least 2");
    }

    proptest! {
        #[test]
        fn the_stronger_is_likely_above(seed in 0_u32..500) {
            let shift = |c: &Comparison| Comparison { first: (c.first + seed) % 4, second: (c.second + seed) % 4, ..*c };
            let list: Vec<Comparison> = games().iter().map(shift).collect();
            let labels: Vec<u32> = (0..120).map(|n| n * 7919 % (3 + seed % 20)).collect();
            let other: Vec<u32> = (0..120).map(|n| n % 5).collect();
            for errors in
                [Errors::Fisher, Errors::Sandwich, Errors::Clustered(&labels), Errors::TwoWay(&labels, &other)]
            {
                let found = bradley_terry_strengths(&list, 4, &BradleyTerry::default(), errors).unwrap();
                let above = found.stronger();
                for i in 0..4 {
                    prop_assert!(found.covariance.row(i).sum().abs() < 1e-9);
                    for j in 0..4 {
                        prop_assert!((above[[i, j]] + above[[j, i]] - 1.0).abs() < 1e-12);
                        prop_assert_eq!(above[[i, j]] > 0.5, found.log_strengths[i] > found.log_strengths[j]);
                    }
                }
                let p = win_probabilities(&found.log_strengths, 0.3);
                prop_assert!(p.iter().all(|p| (0.0..1.0).contains(p)));
            }
        }
    }
}
