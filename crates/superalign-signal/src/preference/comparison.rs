//! Tables of many comparisons.

use crate::SignalError;
use ndarray::Array2;
pub use superalign_core::{Comparison, Preferred};

/// Two tables of all their pairs fit into the memory of a browser.
const MOST_PLAYERS: usize = 10_000;

/// How often each player won against each, and tied with each (on both sides of the diagonal).
pub(super) struct Tables {
    pub(super) wins: Array2<f64>,
    pub(super) ties: Array2<f64>,
}

impl Tables {
    pub(super) fn new(comparisons: &[Comparison], players: usize) -> Result<Self, SignalError> {
        check(comparisons, players)?;
        if players > MOST_PLAYERS {
            return Err(SignalError::setting(
                "players",
                players as f64,
                "at most 10,000: all pairs are tabled",
            ));
        }
        let mut tables =
            Self { wins: Array2::zeros((players, players)), ties: Array2::zeros((players, players)) };
        for comparison in comparisons {
            tables.add(comparison, 1.0);
        }
        Ok(tables)
    }

    pub(super) fn add(&mut self, comparison: &Comparison, count: f64) {
        let (first, second) = (comparison.first as usize, comparison.second as usize);
        match comparison.preferred {
            Preferred::First => self.wins[[first, second]] += count,
            Preferred::Second => self.wins[[second, first]] += count,
            Preferred::Tie => {
                self.ties[[first, second]] += count;
                self.ties[[second, first]] += count;
            }
        }
    }

    /// Wins, with half of one for each tie.
    pub(super) fn halves(&self) -> Array2<f64> {
        &self.wins + &(&self.ties * 0.5)
    }
}

/// Players that are not there, or are compared with themselves, are refused.
pub(super) fn check(comparisons: &[Comparison], players: usize) -> Result<(), SignalError> {
    if comparisons.is_empty() {
        return Err(SignalError::TooFew { what: "comparisons", found: 0, expected: 1 });
    }
    for (index, comparison) in comparisons.iter().enumerate() {
        let last = comparison.first.max(comparison.second);
        let expected = if last as usize >= players {
            "below the number of players"
        } else if comparison.first == comparison.second {
            "another player than the first"
        } else {
            continue;
        };
        return Err(SignalError::Value {
            what: "player of comparison",
            index,
            found: f64::from(last),
            expected,
        });
    }
    Ok(())
}

#[cfg(test)]
pub(super) fn round(list: &[(u32, u32, i8)]) -> Vec<Comparison> {
    list.iter()
        .map(|&(first, second, won)| Comparison {
            first,
            second,
            preferred: match won {
                1 => Preferred::First,
                2 => Preferred::Second,
                _ => Preferred::Tie,
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn players_that_are_not_there_are_refused() {
        let message = |list: &[(u32, u32, i8)]| check(&round(list), 3).unwrap_err().to_string();
        assert_eq!(
            Tables::new(&round(&[(0, 1, 1)]), 10_001).err().unwrap().to_string(),
            "players = 10001: expected at most 10,000: all pairs are tabled"
        );
        assert_eq!(message(&[]), "0 comparisons: expected at least 1");
        assert_eq!(
            message(&[(0, 1, 1), (0, 3, 1)]),
            "player of comparison 1 is 3: expected below the number of players"
        );
        assert_eq!(
            message(&[(2, 2, 0)]),
            "player of comparison 0 is 2: expected another player than the first"
        );
    }
}
