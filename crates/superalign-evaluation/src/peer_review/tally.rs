//! How often each pair of players met, and how it ended: all that most rankings need to know.

use crate::EvaluationError;
use superalign_core::{Comparison, Preferred};

/// Above so many cells for each comparison, comparisons are sorted rather than counted into a table of all pairs.
const CELLS_PER_COMPARISON: usize = 16;

/// The comparisons of one pair of players.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The player with the smaller number.
    pub first: u32,
    /// The other player.
    pub second: u32,
    /// Wins of the first.
    pub won: f64,
    /// Wins of the second.
    pub lost: f64,
    /// Ties.
    pub tied: f64,
}

impl Pair {
    /// Wins of the first, and of the second, with half of one for each tie.
    #[must_use]
    pub fn halves(&self) -> (f64, f64) {
        (self.won + 0.5 * self.tied, self.lost + 0.5 * self.tied)
    }
}

/// What a player's comparisons ended with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Record {
    /// Comparisons it won.
    pub wins: f64,
    /// Comparisons that tied.
    pub ties: f64,
    /// Comparisons it lost.
    pub losses: f64,
}

impl Record {
    /// Its comparisons.
    #[must_use]
    pub fn games(&self) -> f64 {
        self.wins + self.ties + self.losses
    }
}

/// The pairs of players that met, sorted, with how often each of the two won.
///
/// ```
/// use superalign_evaluation::peer_review::{Comparison, Preferred::{First, Second, Tie}, Tally};
/// let list = [First, Second, Tie, First].map(|preferred| Comparison { first: 1, second: 0, preferred });
/// let tally = Tally::new(&list, 2)?;
/// let pair = tally.pairs()[0];
/// assert_eq!((pair.first, pair.won, pair.lost, pair.tied), (0, 1.0, 2.0, 1.0));
/// assert_eq!(tally.records()[1].wins, 2.0);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    players: usize,
    pairs: Vec<Pair>,
}

impl Tally {
    /// Counts comparisons of players that are numbered from 0 to below `players`.
    ///
    /// # Errors
    /// No comparison, a player that is not there or is compared with itself; 2^32 comparisons or more.
    pub fn new(comparisons: &[Comparison], players: usize) -> Result<Self, EvaluationError> {
        let few = comparisons.len().saturating_mul(CELLS_PER_COMPARISON).max(1 << 16);
        if players.checked_mul(players).is_none_or(|cells| cells > few) {
            check(comparisons, players)?;
            return Ok(Self::sorted(comparisons, players));
        }
        if comparisons.is_empty() || u32::try_from(comparisons.len()).is_err() {
            check(comparisons, players)?;
        }
        let mut table = Table::new(players);
        for (index, comparison) in comparisons.iter().enumerate() {
            let (first, second) = (comparison.first as usize, comparison.second as usize);
            if first >= players || second >= players || first == second {
                return Err(wrong(index, comparison, players));
            }
            let cell = table.cell(comparison);
            table.counts[cell] += 1;
        }
        Ok(table.tally())
    }

    fn sorted(comparisons: &[Comparison], players: usize) -> Self {
        let key = |c: &Comparison| {
            let turned = c.first > c.second;
            let (first, second) = if turned { (c.second, c.first) } else { (c.first, c.second) };
            let end = match c.preferred {
                Preferred::Tie => 2,
                Preferred::First => u8::from(turned),
                Preferred::Second => u8::from(!turned),
            };
            (first, second, end)
        };
        let mut keys: Vec<(u32, u32, u8)> = comparisons.iter().map(key).collect();
        keys.sort_unstable();
        let mut pairs: Vec<Pair> = Vec::new();
        for (first, second, end) in keys {
            if pairs.last().is_none_or(|pair| (pair.first, pair.second) != (first, second)) {
                pairs.push(Pair { first, second, won: 0.0, lost: 0.0, tied: 0.0 });
            }
            if let Some(pair) = pairs.last_mut() {
                *[&mut pair.won, &mut pair.lost, &mut pair.tied][end as usize] += 1.0;
            }
        }
        Self { players, pairs }
    }

    /// The number of players.
    #[must_use]
    pub const fn players(&self) -> usize {
        self.players
    }

    /// The pairs that met, sorted by their players.
    #[must_use]
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// The number of comparisons.
    #[must_use]
    pub fn comparisons(&self) -> f64 {
        self.pairs.iter().map(|pair| pair.won + pair.lost + pair.tied).sum()
    }

    /// The same without its ties.
    pub(super) fn without_ties(&self) -> Self {
        let decided = self.pairs.iter().filter(|pair| pair.won + pair.lost > 0.0);
        let pairs = decided.map(|pair| Pair { tied: 0.0, ..*pair }).collect();
        Self { players: self.players, pairs }
    }

    /// Wins, ties and losses of each player.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        let mut records = vec![Record::default(); self.players];
        for pair in &self.pairs {
            let first = &mut records[pair.first as usize];
            first.wins += pair.won;
            first.ties += pair.tied;
            first.losses += pair.lost;
            let second = &mut records[pair.second as usize];
            second.wins += pair.lost;
            second.ties += pair.tied;
            second.losses += pair.won;
        }
        records
    }
}

/// Counts of all pairs of players, the first shown by rows: wins of the first, of the second, and ties.
pub(super) struct Table {
    players: usize,
    pub(super) counts: Vec<u32>,
}

impl Table {
    pub(super) fn new(players: usize) -> Self {
        Self { players, counts: vec![0; 3 * players * players] }
    }

    /// Where a comparison counts. Votes are hard to foresee, and a branch would cost more than all the rest.
    pub(super) fn cell(&self, comparison: &Comparison) -> usize {
        let n = self.players;
        let plane = comparison.preferred as usize;
        (plane * n + comparison.first as usize) * n + comparison.second as usize
    }

    pub(super) fn tally(&self) -> Tally {
        let n = self.players;
        let (first, rest) = self.counts.split_at(n * n);
        let (second, ties) = rest.split_at(n * n);
        let mut pairs = Vec::with_capacity(n * n.saturating_sub(1) / 2);
        for i in 0..n {
            for j in i + 1..n {
                let (shown, turned) = (i * n + j, j * n + i);
                let (won, lost) = (first[shown] + second[turned], second[shown] + first[turned]);
                let tied = ties[shown] + ties[turned];
                if won + lost + tied > 0 {
                    let [won, lost, tied] = [won, lost, tied].map(f64::from);
                    pairs.push(Pair { first: i as u32, second: j as u32, won, lost, tied });
                }
            }
        }
        Tally { players: n, pairs }
    }
}

/// Players that are not there, or are compared with themselves, are refused.
pub(super) fn check(comparisons: &[Comparison], players: usize) -> Result<(), EvaluationError> {
    if comparisons.is_empty() {
        return Err(EvaluationError::TooFew { what: "comparisons", found: 0, expected: 1 });
    }
    if u32::try_from(comparisons.len()).is_err() {
        return Err(EvaluationError::setting("comparisons", comparisons.len() as f64, "fewer than 2^32"));
    }
    let there = |c: &Comparison| c.first.max(c.second) < players as u32 && c.first != c.second;
    match comparisons.iter().position(|comparison| !there(comparison)) {
        Some(index) => Err(wrong(index, &comparisons[index], players)),
        None => Ok(()),
    }
}

fn wrong(index: usize, comparison: &Comparison, players: usize) -> EvaluationError {
    let last = comparison.first.max(comparison.second);
    let expected = if last as usize >= players {
        "below the number of players"
    } else {
        "another player than the first"
    };
    EvaluationError::Value { what: "player of comparison", index, found: f64::from(last), expected }
}

/// Comparisons from `(first, second, 1 for the first, 2 for the second)`.
#[cfg(test)]
pub(super) fn round(list: &[(u32, u32, i8)]) -> Vec<Comparison> {
    let preferred = |won| match won {
        1 => Preferred::First,
        2 => Preferred::Second,
        _ => Preferred::Tie,
    };
    list.iter().map(|&(first, second, won)| Comparison { first, second, preferred: preferred(won) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn players_that_are_not_there_are_refused() {
        for players in [3, 100_000] {
            let message =
                |list: &[(u32, u32, i8)]| Tally::new(&round(list), players).unwrap_err().to_string();
            let last = players as u32;
            assert_eq!(message(&[]), "0 comparisons: expected at least 1");
            assert_eq!(
                message(&[(0, 1, 1), (0, last, 1)]),
                format!("player of comparison 1 is {last}: expected below the number of players")
            );
            assert_eq!(
                message(&[(2, 2, 0)]),
                "player of comparison 0 is 2: expected another player than the first"
            );
        }
    }

    proptest! {
        #[test]
        fn counting_and_sorting_agree(games in prop::collection::vec((0_u32..5, 1_u32..5, 0_i8..3), 1..60)) {
            let list: Vec<_> = games.into_iter().map(|(a, by, won)| (a, (a + by) % 5, won)).collect();
            let list = round(&list);
            let tally = Tally::new(&list, 5).unwrap();
            prop_assert_eq!(&tally, &Tally::sorted(&list, 5));
            prop_assert_eq!(tally.comparisons(), list.len() as f64);
            let turned: Vec<Comparison> = list.iter().map(|c| Comparison {
                first: c.second,
                second: c.first,
                preferred: match c.preferred {
                    Preferred::First => Preferred::Second,
                    Preferred::Second => Preferred::First,
                    Preferred::Tie => Preferred::Tie,
                },
            }).collect();
            prop_assert_eq!(&tally, &Tally::new(&turned, 5).unwrap());
            let games: f64 = tally.records().iter().map(Record::games).sum();
            prop_assert_eq!(games, 2.0 * list.len() as f64);
        }
    }
}
