//! Rank Centrality: a walk from losers to winners by shares of wins.

use super::connectivity::connectivity;
use super::tally::Tally;
use crate::EvaluationError;
use ndarray::Array2;

/// The walk is solved as a full matrix.
const MOST_PLAYERS: usize = 3000;

/// The logarithms, less their mean, of the time that a walker spends with each player (Negahban, Oh and Shah 2017):
/// from i it goes to j with a probability in proportion to the share of their comparisons that j won, a tie being half
/// a win.
///
/// Where shares are those of the Bradley-Terry model, these are its log-strengths; unlike the likelihood, it does not
/// weigh pairs by how often they met. Solved exactly, by elimination without subtractions (Grassmann, Taksar and Heyman
/// 1985), in `players^3`; as choix's `rank_centrality`.
///
/// ```
/// use superalign_evaluation::peer_review::{Comparison, Preferred::{First, Second}, Tally, rank_centrality};
/// let list = [First, First, First, Second].map(|preferred| Comparison { first: 0, second: 1, preferred });
/// let found = rank_centrality(&Tally::new(&list, 2)?)?;
/// assert!((found[0] - found[1] - 3_f64.ln()).abs() < 1e-12);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
///
/// # Errors
/// Fewer than two players, or more than 3,000; players that no chain of wins or ties connects both ways.
pub fn rank_centrality(tally: &Tally) -> Result<Vec<f64>, EvaluationError> {
    const NAME: &str = "rank centrality";
    let n = tally.players();
    if n < 2 {
        return Err(EvaluationError::TooFew { what: "players", found: n, expected: 2 });
    }
    if n > MOST_PLAYERS {
        return Err(EvaluationError::setting("players", n as f64, "at most 3,000 for rank centrality"));
    }
    if let Some(why) = connectivity(tally).explain(|player| format!("player {player}")) {
        return Err(EvaluationError::undefined(NAME, why));
    }
    let mut steps = Array2::<f64>::zeros((n, n));
    for pair in tally.pairs() {
        let (won, lost) = pair.halves();
        let (first, second) = (pair.first as usize, pair.second as usize);
        steps[[second, first]] = won / (won + lost);
        steps[[first, second]] = lost / (won + lost);
    }
    // Players leave one by one, and the walk goes around them.
    for k in (1..n).rev() {
        let leaving: f64 = steps.row(k).iter().take(k).sum();
        let (mut rest, own) = steps.view_mut().split_at(ndarray::Axis(0), k);
        let own = own.row(0);
        for mut row in rest.rows_mut() {
            let there = row[k] / leaving;
            row[k] = there;
            if there > 0.0 {
                for (step, onward) in row.iter_mut().zip(own).take(k) {
                    *step += there * onward;
                }
            }
        }
    }
    let mut shares = vec![1.0];
    for k in 1..n {
        shares.push(shares.iter().zip(steps.column(k)).map(|(share, step)| share * step).sum());
    }
    let logs: Vec<f64> = shares.iter().map(|share: &f64| share.ln()).collect();
    let mean = logs.iter().sum::<f64>() / n as f64;
    if !mean.is_finite() {
        return Err(EvaluationError::undefined(NAME, "shares of time too small for floating point"));
    }
    Ok(logs.iter().map(|log| log - mean).collect())
}

#[cfg(test)]
mod tests {
    use super::super::tally::round;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_connected_has_no_centrality() {
        let tally = Tally::new(&round(&[(0, 1, 1), (1, 2, 1), (2, 1, 1)]), 3).unwrap();
        assert_eq!(
            rank_centrality(&tally).unwrap_err().to_string(),
            "rank centrality is undefined: player 0 never lost nor tied"
        );
    }

    proptest! {
        #[test]
        fn what_comes_to_a_player_leaves_it(games in prop::collection::vec((0_u32..5, 1_u32..5, 0_i8..3), 1..40)) {
            let mut list: Vec<_> = games.into_iter().map(|(a, by, won)| (a, (a + by) % 5, won)).collect();
            list.extend([(0, 1, 1), (1, 2, 1), (2, 3, 1), (3, 4, 1), (4, 0, 1)]);
            let tally = Tally::new(&round(&list), 5).unwrap();
            let found: Vec<f64> = rank_centrality(&tally).unwrap().iter().map(|log| log.exp()).collect();
            let mut flow = [0.0; 5];
            for pair in tally.pairs() {
                let (won, lost) = pair.halves();
                let (i, j) = (pair.first as usize, pair.second as usize);
                let into = (found[j] * won - found[i] * lost) / (won + lost);
                flow[i] += into;
                flow[j] -= into;
            }
            prop_assert!(flow.iter().all(|flow| flow.abs() < 1e-10), "{:?}", flow);
        }
    }
}
