//! Rankings by counting: wins, and mean win rate.

use super::comparison::{Comparison, Tables, check};
use crate::SignalError;

/// The wins of each player, a tie being one half.
///
/// ```
/// use superalign_signal::preference::{Comparison, Preferred::{First, Tie}, win_counts};
/// let list = [(0, 1, First), (1, 2, Tie)].map(|(first, second, preferred)| Comparison { first, second, preferred });
/// assert_eq!(win_counts(&list, 3)?, [1.0, 0.5, 0.5]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// No comparison, a player that is not there or is compared with itself.
pub fn win_counts(comparisons: &[Comparison], players: usize) -> Result<Vec<f64>, SignalError> {
    check(comparisons, players)?;
    let mut counts = vec![0.0; players];
    for comparison in comparisons {
        let score = comparison.preferred.score();
        counts[comparison.first as usize] += score;
        counts[comparison.second as usize] += 1.0 - score;
    }
    Ok(counts)
}

/// The mean over a player's opponents of its share of wins against them, a tie being half a win: `0..=1`.
///
/// Unlike a share of all wins it does not depend on whom a player met how often.
///
/// ```
/// use superalign_signal::preference::{Comparison, Preferred::{First, Second}, average_win_rate};
/// let list = [(0, 1, First), (0, 1, First), (0, 2, Second)]
///     .map(|(first, second, preferred)| Comparison { first, second, preferred });
/// assert_eq!(average_win_rate(&list, 3)?, [0.5, 0.0, 1.0]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// As [`win_counts`]; a player without a comparison.
pub fn average_win_rate(comparisons: &[Comparison], players: usize) -> Result<Vec<f64>, SignalError> {
    let halves = Tables::new(comparisons, players)?.halves();
    (0..players)
        .map(|player| {
            let (mut sum, mut opponents) = (0.0, 0.0);
            for (won, lost) in halves.row(player).iter().zip(halves.column(player)) {
                if won + lost > 0.0 {
                    sum += won / (won + lost);
                    opponents += 1.0;
                }
            }
            if opponents > 0.0 {
                Ok(sum / opponents)
            } else {
                Err(SignalError::undefined("win rate", format!("player {player} was never compared")))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::comparison::round;
    use super::*;

    #[test]
    fn a_player_without_a_comparison_has_no_rate() {
        let list = round(&[(0, 1, 1)]);
        assert_eq!(win_counts(&list, 3).unwrap(), [1.0, 0.0, 0.0]);
        assert_eq!(
            average_win_rate(&list, 3).unwrap_err().to_string(),
            "win rate is undefined: player 2 was never compared"
        );
    }
}
