//! PageRank of players, each of whom recommends those that beat it.

use super::comparison::{Comparison, Tables};
use crate::SignalError;
use ndarray::Array1;

/// The share of time that a walker spends with each player (Brin and Page 1998): it goes from a player to one that beat
/// it, by how often (a tie is half a win), and with probability `1 - damping` to anyone, as from the undefeated.
///
/// `damping` is from 0 to below 1, usually 0.85; the shares sum to 1 and are exact to about 1e-15.
///
/// ```
/// use superalign_signal::preference::{Comparison, Preferred, pagerank};
/// let list = [Comparison { first: 0, second: 1, preferred: Preferred::Tie }];
/// assert_eq!(pagerank(&list, 2, 0.85)?, [0.5, 0.5]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// No comparison, a player that is not there or is compared with itself; a damping out of its range.
pub fn pagerank(comparisons: &[Comparison], players: usize, damping: f64) -> Result<Vec<f64>, SignalError> {
    if !(0.0..1.0).contains(&damping) {
        return Err(SignalError::setting("damping", damping, "from 0 to below 1"));
    }
    // Column j: where the walker goes from j.
    let mut steps = Tables::new(comparisons, players)?.halves();
    for mut column in steps.columns_mut() {
        let sum = column.sum();
        if sum > 0.0 { column /= sum } else { column.fill(1.0 / players as f64) }
    }
    let anyone = (1.0 - damping) / players as f64;
    let mut shares = Array1::from_elem(players, 1.0 / players as f64);
    // Each round leaves `damping` of what is wrong; what remains after these is below the last digit.
    let rounds = if damping == 0.0 { 1.0 } else { (-40.0 / damping.ln()).ceil().min(1e6) };
    for _ in 0..rounds as u32 {
        let next = steps.dot(&shares) * damping + anyone;
        let moved = (&next - &shares).iter().map(|change| change.abs()).sum::<f64>();
        shares = next;
        if moved < 1e-16 {
            break;
        }
    }
    let sum = shares.sum();
    Ok((shares / sum).to_vec())
}

#[cfg(test)]
mod tests {
    use super::super::comparison::round;
    use super::*;

    #[test]
    fn shares_solve_their_equation() {
        let list = round(&[(0, 1, 1), (1, 2, 1), (2, 0, 0), (2, 1, 1)]);
        let found = pagerank(&list, 3, 0.85).unwrap();
        // From 1 the walker goes to 0 or 2 alike, from 2 to 1 (2 of 3) or 0, from 0 to 2.
        let expected = [
            0.05 + 0.85 * (found[1] / 2.0 + found[2] / 3.0),
            0.05 + 0.85 * (found[2] * 2.0 / 3.0),
            0.05 + 0.85 * (found[1] / 2.0 + found[0]),
        ];
        assert!(found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-14));
        let refused = pagerank(&list, 3, 1.0).unwrap_err().to_string();
        assert_eq!(refused, "damping = 1: expected from 0 to below 1");
    }
}
