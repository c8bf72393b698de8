//! PageRank of players, each of whom recommends those that beat it.

use super::tally::Tally;
use crate::EvaluationError;

/// The share of time that a walker spends with each player (Brin and Page 1998): it goes from a player to one that beat
/// it, by how often (a tie is half a win), and with probability `1 - damping` to anyone, as from the undefeated.
///
/// `damping` is from 0 to below 1, usually 0.85; the shares sum to 1 and are exact to about 1e-15.
///
/// ```
/// use superalign_evaluation::peer_review::{Comparison, Preferred, Tally, pagerank};
/// let list = [Comparison { first: 0, second: 1, preferred: Preferred::Tie }];
/// assert_eq!(pagerank(&Tally::new(&list, 2)?, 0.85)?, [0.5, 0.5]);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
///
/// # Errors
/// A damping out of its range.
pub fn pagerank(tally: &Tally, damping: f64) -> Result<Vec<f64>, EvaluationError> {
    if !(0.0..1.0).contains(&damping) {
        return Err(EvaluationError::setting("damping", damping, "from 0 to below 1"));
    }
    let players = tally.players();
    // Where the walker goes from the second to the first, and back, once divided by the sum of all that leaves a
    // player.
    let mut leaving = vec![0.0; players];
    let mut steps = Vec::with_capacity(tally.pairs().len());
    for pair in tally.pairs() {
        let (won, lost) = pair.halves();
        leaving[pair.second as usize] += won;
        leaving[pair.first as usize] += lost;
        steps.push((pair.first as usize, pair.second as usize, won, lost));
    }
    for (first, second, won, lost) in &mut steps {
        // Nothing leaves a player that nobody beat, and nothing comes along here.
        *won /= leaving[*second].max(f64::MIN_POSITIVE);
        *lost /= leaving[*first].max(f64::MIN_POSITIVE);
    }
    let anyone = (1.0 - damping) / players as f64;
    let mut shares = vec![1.0 / players as f64; players];
    // Each round leaves `damping` of what is wrong; what remains after these is below the last digit.
    let rounds = if damping == 0.0 { 1.0 } else { (-40.0 / damping.ln()).ceil().min(1e6) };
    for _ in 0..rounds as u32 {
        let undefeated: f64 = shares.iter().zip(&leaving).filter(|(_, l)| **l == 0.0).map(|(s, _)| s).sum();
        let mut next = vec![anyone + damping * undefeated / players as f64; players];
        for &(first, second, won, lost) in &steps {
            next[first] += damping * won * shares[second];
            next[second] += damping * lost * shares[first];
        }
        let moved = next.iter().zip(&shares).map(|(next, share)| (next - share).abs()).sum::<f64>();
        shares = next;
        if moved < 1e-16 {
            break;
        }
    }
    let sum: f64 = shares.iter().sum();
    Ok(shares.iter().map(|share| share / sum).collect())
}

#[cfg(test)]
mod tests {
    use super::super::tally::round;
    use super::*;

    #[test]
    fn shares_solve_their_equation() {
        let list = Tally::new(&round(&[(0, 1, 1), (1, 2, 1), (2, 0, 0), (2, 1, 1)]), 3).unwrap();
        let found = pagerank(&list, 0.85).unwrap();
        // From 1 the walker goes to 0 or 2 alike, from 2 to 1 (2 of 3) or 0, from 0 to 2.
        let expected = [
            0.05 + 0.85 * (found[1] / 2.0 + found[2] / 3.0),
            0.05 + 0.85 * (found[2] * 2.0 / 3.0),
            0.05 + 0.85 * (found[1] / 2.0 + found[0]),
        ];
        assert!(found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-14));
        let refused = pagerank(&list, 1.0).unwrap_err().to_string();
        assert_eq!(refused, "damping = 1: expected from 0 to below 1");
    }
}
