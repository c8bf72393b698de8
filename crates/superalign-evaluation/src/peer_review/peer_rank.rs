//! Players that judge one another: the better a player is by all, the more its own votes count.

use super::tally::check;
use crate::EvaluationError;
use ndarray::Array2;
use superalign_core::{Comparison, Preferred};

/// Changes of weights below this are rounding.
const STILL: f64 = 1e-13;

/// How scores become the weights of the next round; weights sum to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReviewerWeights {
    /// In proportion to the score less the lowest: the worst reviewer has no vote. PRD (Li, Patel and Du 2023).
    #[default]
    MinMax,
    /// In proportion to the score. Weights and scores then agree wholly, which is what PiCO (Ning et al. 2024) asks of
    /// them: of all weights, these have a Pearson correlation of 1 with the scores that they give.
    Proportional,
}

/// How players are ranked by one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerRank {
    /// How scores become weights.
    pub weights: ReviewerWeights,
    /// Most rounds, at least 1; fewer where nothing changes any more.
    pub rounds: u32,
}

impl Default for PeerRank {
    /// PRD's weights, and up to 1,000 rounds.
    fn default() -> Self {
        Self { weights: ReviewerWeights::MinMax, rounds: 1000 }
    }
}

/// What players think of one another.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerRanking {
    /// Weighted share of wins of each player, a tie being half a win: `0..=1`.
    pub scores: Vec<f64>,
    /// Weight of each player's votes after the last round; their sum is 1.
    pub weights: Vec<f64>,
    /// Rounds that were made.
    pub rounds: u32,
    /// Whether the last of them changed nothing.
    pub converged: bool,
}

/// Ranks players by their own votes on one another: from equal weights, each round computes every player's weighted
/// share of wins, and makes weights of these.
///
/// `reviewers` has the player that made each comparison; votes on oneself count, as in PRD. Weights reward who agrees
/// with the majority: where most reviewers err alike, the rounds entrench it (see [`collusion`](super::collusion)).
///
/// ```
/// use superalign_evaluation::peer_review::{Comparison, PeerRank, Preferred::{First, Second}, peer_rank};
/// // 0 and 1 say that 0 beats 2 and that 1 beats 2; 2 says the contrary.
/// let list = [(0, First), (1, First), (0, First), (1, First), (0, Second), (1, Second)]
///     .map(|(first, preferred)| Comparison { first, second: 2, preferred });
/// let found = peer_rank(&list, &[0, 0, 1, 1, 2, 2], 3, &PeerRank::default())?;
/// assert_eq!((found.scores, found.weights), (vec![1.0, 1.0, 0.0], vec![0.5, 0.5, 0.0]));
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
///
/// # Errors
/// No comparison, a player or reviewer that is not there, a player compared with itself; another number of reviewers
/// than of comparisons; no rounds; a player that no reviewer with a weight compared; scores that are all alike, for
/// [`ReviewerWeights::MinMax`].
pub fn peer_rank(
    comparisons: &[Comparison],
    reviewers: &[u32],
    players: usize,
    by: &PeerRank,
) -> Result<PeerRanking, EvaluationError> {
    const NAME: &str = "peer rank";
    check(comparisons, players)?;
    if by.rounds == 0 {
        return Err(EvaluationError::setting("rounds", 0.0, "at least 1"));
    }
    if reviewers.len() != comparisons.len() {
        let what = "number of reviewers' labels";
        return Err(EvaluationError::Shape { what, found: reviewers.len(), expected: comparisons.len() });
    }
    if let Some(index) = reviewers.iter().position(|&reviewer| reviewer as usize >= players) {
        let (found, expected) = (f64::from(reviewers[index]), "below the number of players");
        return Err(EvaluationError::Value { what: "reviewer of comparison", index, found, expected });
    }
    // What each reviewer gave each player, and of how much.
    let (mut given, mut games) = (Array2::zeros((players, players)), Array2::zeros((players, players)));
    for (comparison, &reviewer) in comparisons.iter().zip(reviewers) {
        let score = comparison.preferred.score();
        for (player, score) in [(comparison.first, score), (comparison.second, 1.0 - score)] {
            given[[reviewer as usize, player as usize]] += score;
            games[[reviewer as usize, player as usize]] += 1.0;
        }
    }
    let weighted = |weights: &[f64], table: &Array2<f64>, player: usize| -> f64 {
        table.column(player).iter().zip(weights).map(|(entry, weight)| entry * weight).sum()
    };
    let mut found = PeerRanking {
        scores: Vec::new(),
        weights: vec![1.0 / players as f64; players],
        rounds: 0,
        converged: false,
    };
    while found.rounds < by.rounds && !found.converged {
        found.rounds += 1;
        let mut scores = Vec::with_capacity(players);
        for player in 0..players {
            let of = weighted(&found.weights, &games, player);
            if of <= 0.0 {
                let reason = format!("no reviewer with a weight compared player {player}");
                return Err(EvaluationError::undefined(NAME, reason));
            }
            scores.push(weighted(&found.weights, &given, player) / of);
        }
        let lowest = match by.weights {
            ReviewerWeights::MinMax => scores.iter().copied().fold(f64::INFINITY, f64::min),
            ReviewerWeights::Proportional => 0.0,
        };
        let total: f64 = scores.iter().map(|score| score - lowest).sum();
        if total <= 0.0 {
            return Err(EvaluationError::undefined(NAME, "all scores are alike, and leave no weights"));
        }
        let weights: Vec<f64> = scores.iter().map(|score| (score - lowest) / total).collect();
        let moved = weights.iter().zip(&found.weights).fold(0.0_f64, |most, (a, b)| most.max((a - b).abs()));
        found.converged = moved < STILL;
        found.scores = scores;
        found.weights = weights;
    }
    Ok(found)
}

/// What weighted judges say together of each item, in the order in which items are first named.
///
/// `votes` has (item, judge, preferred): the sum of the weights of judges for the first less those for the second
/// decides, where it is more than `margin` in size; else it is a tie. PRD takes a margin of 0.01, and weights that sum
/// to 1.
///
/// ```
/// use superalign_evaluation::peer_review::{Preferred::{First, Second, Tie}, weighted_vote};
/// let votes = [(7, 0, First), (7, 1, Second), (3, 0, Tie), (3, 1, Tie)];
/// assert_eq!(weighted_vote(&votes, &[0.4, 0.6], 0.01)?, [(7, Second), (3, Tie)]);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
///
/// # Errors
/// No vote; a judge without a weight; a margin or a weight that is negative or not finite.
pub fn weighted_vote(
    votes: &[(u32, u32, Preferred)],
    weights: &[f64],
    margin: f64,
) -> Result<Vec<(u32, Preferred)>, EvaluationError> {
    if votes.is_empty() {
        return Err(EvaluationError::TooFew { what: "votes", found: 0, expected: 1 });
    }
    let from_zero = |x: f64| x.is_finite() && x >= 0.0;
    if !from_zero(margin) {
        return Err(EvaluationError::setting("margin", margin, "a finite number from 0"));
    }
    if let Some(index) = weights.iter().position(|&weight| !from_zero(weight)) {
        let expected = "a finite number from 0";
        return Err(EvaluationError::Value {
            what: "weight of judge",
            index,
            found: weights[index],
            expected,
        });
    }
    let mut places = std::collections::BTreeMap::new();
    let mut sums: Vec<(u32, f64)> = Vec::new();
    for (index, &(item, judge, preferred)) in votes.iter().enumerate() {
        let Some(weight) = weights.get(judge as usize) else {
            let expected = "below the number of weights";
            return Err(EvaluationError::Value {
                what: "judge of vote",
                index,
                found: f64::from(judge),
                expected,
            });
        };
        let place = *places.entry(item).or_insert_with(|| {
            sums.push((item, 0.0));
            sums.len() - 1
        });
        sums[place].1 += weight * (2.0 * preferred.score() - 1.0);
    }
    let decide = |sum: f64| match sum {
        sum if sum > margin => Preferred::First,
        sum if sum < -margin => Preferred::Second,
        _ => Preferred::Tie,
    };
    Ok(sums.into_iter().map(|(item, sum)| (item, decide(sum))).collect())
}

#[cfg(test)]
mod tests {
    use super::super::tally::round;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn mistakes_are_told() {
        let list = round(&[(0, 1, 0), (1, 0, 0)]);
        let message = |reviewers: &[u32], players, by| {
            peer_rank(&list, reviewers, players, &by).unwrap_err().to_string()
        };
        let by = PeerRank::default();
        assert_eq!(message(&[0], 2, by), "number of reviewers' labels: found 1, expected 2");
        assert_eq!(
            message(&[0, 2], 2, by),
            "reviewer of comparison 1 is 2: expected below the number of players"
        );
        assert_eq!(
            message(&[0, 1], 3, by),
            "peer rank is undefined: no reviewer with a weight compared player 2"
        );
        assert_eq!(
            message(&[0, 1], 2, by),
            "peer rank is undefined: all scores are alike, and leave no weights"
        );
        assert_eq!(message(&[0, 1], 2, PeerRank { rounds: 0, ..by }), "rounds = 0: expected at least 1");
        let votes = [(0, 1, Preferred::Tie)];
        let message = |weights: &[f64]| weighted_vote(&votes, weights, 0.0).unwrap_err().to_string();
        assert_eq!(message(&[1.0]), "judge of vote 0 is 1: expected below the number of weights");
        assert_eq!(message(&[-1.0]), "weight of judge 0 is -1: expected a finite number from 0");
    }

    proptest! {
        #[test]
        fn proportional_weights_agree_with_their_scores(
            games in prop::collection::vec((0_u32..4, 1_u32..4, 0_i8..3, 0_u32..4), 10..80),
        ) {
            let mut list: Vec<_> = games.iter().map(|&(a, by, won, _)| (a, (a + by) % 4, won)).collect();
            let mut reviewers: Vec<u32> = games.iter().map(|game| game.3).collect();
            // Everyone compares everyone once, so that all is defined.
            for reviewer in 0..4 {
                for (i, j) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
                    list.push((i, j, 0));
                    reviewers.push(reviewer);
                }
            }
            let by = PeerRank { weights: ReviewerWeights::Proportional, ..PeerRank::default() };
            let found = peer_rank(&round(&list), &reviewers, 4, &by).unwrap();
            prop_assert!(found.converged, "{} rounds", found.rounds);
            let total: f64 = found.scores.iter().sum();
            for (score, weight) in found.scores.iter().zip(&found.weights) {
                prop_assert!((score / total - weight).abs() < 1e-12 && (0.0..=1.0).contains(score));
            }
        }
    }
}
