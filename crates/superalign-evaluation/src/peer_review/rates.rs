//! Rankings by counting: wins, and mean win rate.

use super::tally::Tally;
use crate::EvaluationError;

/// The wins of each player, a tie being one half.
///
/// ```
/// use superalign_evaluation::peer_review::{Comparison, Preferred::{First, Tie}, Tally, win_counts};
/// let list = [(0, 1, First), (1, 2, Tie)].map(|(first, second, preferred)| Comparison { first, second, preferred });
/// assert_eq!(win_counts(&Tally::new(&list, 3)?), [1.0, 0.5, 0.5]);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
#[must_use]
pub fn win_counts(tally: &Tally) -> Vec<f64> {
    tally.records().iter().map(|record| record.wins + 0.5 * record.ties).collect()
}

/// The mean over a player's opponents of its share of wins against them, a tie being half a win: `0..=1`.
///
/// Unlike a share of all wins it does not depend on whom a player met how often.
///
/// ```
/// use superalign_evaluation::peer_review::{Comparison, Preferred::{First, Second}, Tally, average_win_rate};
/// let list = [(0, 1, First), (0, 1, First), (0, 2, Second)]
///     .map(|(first, second, preferred)| Comparison { first, second, preferred });
/// assert_eq!(average_win_rate(&Tally::new(&list, 3)?)?, [0.5, 0.0, 1.0]);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
///
/// # Errors
/// A player without a comparison.
pub fn average_win_rate(tally: &Tally) -> Result<Vec<f64>, EvaluationError> {
    let mut sums = vec![(0.0, 0.0); tally.players()];
    for pair in tally.pairs() {
        let (won, lost) = pair.halves();
        for (player, won) in [(pair.first, won), (pair.second, lost)] {
            let (sum, opponents) = &mut sums[player as usize];
            *sum += won / (pair.won + pair.lost + pair.tied);
            *opponents += 1.0;
        }
    }
    sums.into_iter()
        .enumerate()
        .map(|(player, (sum, opponents))| {
            if opponents > 0.0 {
                Ok(sum / opponents)
            } else {
                Err(EvaluationError::undefined("win rate", format!("player {player} was never compared")))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tally::round;
    use super::*;

    #[test]
    fn a_player_without_a_comparison_has_no_rate() {
        let tally = Tally::new(&round(&[(0, 1, 1)]), 3).unwrap();
        assert_eq!(win_counts(&tally), [1.0, 0.0, 0.0]);
        assert_eq!(
            average_win_rate(&tally).unwrap_err().to_string(),
            "win rate is undefined: player 2 was never compared"
        );
    }
}
