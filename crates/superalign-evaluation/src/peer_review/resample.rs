//! Bootstrap intervals of any ranking's scores and ranks, over comparisons or clusters of them.

use super::ranks::{RankInterval, ranks};
use super::tally::{Table, Tally, check};
use crate::{Bootstrap, Estimate, EvaluationError};
use superalign_core::{Comparison, below, multinomial};

/// Of the resamples, at most this share may leave the scores undefined.
const UNDEFINED_SHARE: f64 = 0.05;
/// The table of all pairs is kept in memory.
const MOST_PLAYERS: usize = 5000;

/// Scores and ranks with their percentile intervals.
#[derive(Clone, Debug, PartialEq)]
pub struct Resampled {
    /// Each player's score.
    pub scores: Vec<Estimate>,
    /// Each player's rank: an interval of its own, unlike those of [`rank_intervals`](super::rank_intervals).
    pub ranks: Vec<RankInterval>,
    /// Resamples in which scores existed.
    pub defined: usize,
}

/// The scores of a ranking with their bootstrap intervals, over comparisons, or over whole clusters of comparisons with
/// one label.
///
/// `scores` is given a tally: once that of all comparisons, once for each draw. Up to one draw in twenty may leave the
/// scores undefined (a player that never lost, a player that was not drawn); those draws are left out.
///
/// Cost: where comparisons are their own clusters, one binomial for each pair that met and way that it ended; otherwise
/// one addition for each comparison drawn. Then what `scores` costs.
///
/// ```
/// use superalign_core::{Bootstrap, Seed};
/// use superalign_evaluation::peer_review::{
///     BradleyTerry, Comparison, Preferred::{First, Second}, bradley_terry, resampled,
/// };
/// let list: Vec<Comparison> = (0..200)
///     .map(|n| Comparison { first: 0, second: 1, preferred: if n % 4 == 0 { Second } else { First } })
///     .collect();
/// let by = Bootstrap::new(Seed::new(1));
/// let found = resampled(&list, 2, None, &by, |tally| bradley_terry(tally, &BradleyTerry::default()))?;
/// assert!(found.scores[0].lo > 0.0 && found.ranks[0].worst == 1);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
///
/// # Errors
/// As [`Tally::new`]; settings of the bootstrap out of range; another number of labels than of comparisons; fewer than
/// two clusters; what `scores` says of all comparisons; scores that are undefined in more draws; more than 5,000
/// players.
pub fn resampled(
    comparisons: &[Comparison],
    players: usize,
    clusters: Option<&[u32]>,
    by: &Bootstrap,
    mut scores: impl FnMut(&Tally) -> Result<Vec<f64>, EvaluationError>,
) -> Result<Resampled, EvaluationError> {
    by.check()?;
    check(comparisons, players)?;
    if players > MOST_PLAYERS {
        let expected = "at most 5,000: a resample tables all pairs";
        return Err(EvaluationError::setting("players", players as f64, expected));
    }
    let mut table = Table::new(players);
    let cells: Vec<u32> = comparisons.iter().map(|comparison| table.cell(comparison) as u32).collect();
    let value = scores(&Tally::new(comparisons, players)?)?;
    let mut draws = Draws::new(value, by);
    match clusters {
        None => {
            cells.iter().for_each(|&cell| table.counts[cell as usize] += 1);
            let used: Vec<usize> = (0..table.counts.len()).filter(|&cell| table.counts[cell] > 0).collect();
            let counts: Vec<u32> = used.iter().map(|&cell| table.counts[cell]).collect();
            let mut drawn = vec![0; counts.len()];
            for n in 0..by.draws as u64 {
                multinomial(&mut by.seed.nth(n).rng(), &counts, &mut drawn);
                used.iter().zip(&drawn).for_each(|(&cell, &drawn)| table.counts[cell] = drawn);
                draws.add(scores(&table.tally()));
            }
        }
        Some(labels) => {
            let groups = Groups::new(comparisons.len(), labels)?;
            let cells: Vec<u32> = groups.order.iter().map(|&n| cells[n as usize]).collect();
            let mut times = vec![0; groups.len()];
            for n in 0..by.draws as u64 {
                groups.draw(by, n, &mut times);
                table.counts.fill(0);
                for (ends, &times) in groups.starts.windows(2).zip(&times) {
                    if times > 0 {
                        for &cell in &cells[ends[0]..ends[1]] {
                            table.counts[cell as usize] += times;
                        }
                    }
                }
                draws.add(scores(&table.tally()));
            }
        }
    }
    draws.finish(by)
}

/// As [`resampled`], for rankings that need more than a tally: `scores` is given how often each comparison was drawn.
///
/// # Errors
/// Settings of the bootstrap out of range; fewer than two comparisons or clusters; another number of labels than of
/// comparisons; what `scores` says of all; scores that are undefined in more than one draw in twenty.
pub fn resampled_counts(
    comparisons: usize,
    clusters: Option<&[u32]>,
    by: &Bootstrap,
    mut scores: impl FnMut(&[u32]) -> Result<Vec<f64>, EvaluationError>,
) -> Result<Resampled, EvaluationError> {
    by.check()?;
    let own: Vec<u32>;
    let labels = if let Some(labels) = clusters {
        labels
    } else {
        own = (0..comparisons as u32).collect();
        &own
    };
    let groups = Groups::new(comparisons, labels)?;
    let mut counts = vec![1; comparisons];
    let mut draws = Draws::new(scores(&counts)?, by);
    let mut times = vec![0; groups.len()];
    for n in 0..by.draws as u64 {
        groups.draw(by, n, &mut times);
        for (ends, &times) in groups.starts.windows(2).zip(&times) {
            for &comparison in &groups.order[ends[0]..ends[1]] {
                counts[comparison as usize] = times;
            }
        }
        draws.add(scores(&counts));
    }
    draws.finish(by)
}

/// The comparisons in the order of their clusters.
struct Groups {
    order: Vec<u32>,
    starts: Vec<usize>,
}

impl Groups {
    fn new(comparisons: usize, labels: &[u32]) -> Result<Self, EvaluationError> {
        if labels.len() != comparisons {
            let what = "number of cluster labels";
            return Err(EvaluationError::Shape { what, found: labels.len(), expected: comparisons });
        }
        let mut order: Vec<u32> = (0..labels.len() as u32).collect();
        order.sort_by_key(|&n| labels[n as usize]);
        let label = |n: usize| labels[order[n] as usize];
        let mut starts: Vec<usize> =
            (0..order.len()).filter(|&n| n == 0 || label(n) != label(n - 1)).collect();
        if starts.len() < 2 {
            return Err(EvaluationError::TooFew { what: "clusters", found: starts.len(), expected: 2 });
        }
        starts.push(order.len());
        Ok(Self { order, starts })
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// How often each cluster is drawn.
    fn draw(&self, by: &Bootstrap, n: u64, times: &mut [u32]) {
        let mut rng = by.seed.nth(n).rng();
        times.fill(0);
        for _ in 0..self.len() {
            times[below(&mut rng, self.len())] += 1;
        }
    }
}

/// Scores and ranks of the draws so far.
struct Draws {
    value: Vec<f64>,
    scores: Vec<Vec<f64>>,
    ranks: Vec<Vec<f64>>,
    why: Option<EvaluationError>,
}

impl Draws {
    fn new(value: Vec<f64>, by: &Bootstrap) -> Self {
        let empty = || value.iter().map(|_| Vec::with_capacity(by.draws)).collect();
        Self { scores: empty(), ranks: empty(), value, why: None }
    }

    fn add(&mut self, found: Result<Vec<f64>, EvaluationError>) {
        match found {
            Ok(scores) => {
                let of = ranks(&scores);
                self.scores.iter_mut().zip(scores).for_each(|(all, score)| all.push(score));
                self.ranks.iter_mut().zip(of).for_each(|(all, rank)| all.push(f64::from(rank)));
            }
            Err(why) => self.why = self.why.take().or(Some(why)),
        }
    }

    fn finish(self, by: &Bootstrap) -> Result<Resampled, EvaluationError> {
        let defined = self.scores.first().map_or(0, Vec::len);
        let undefined = by.draws - defined;
        if undefined as f64 > UNDEFINED_SHARE * by.draws as f64 || defined == 0 {
            let why = self.why.map_or_else(String::new, |why| format!(" ({why})"));
            let reason = format!("scores do not exist in {undefined} of {} resamples{why}", by.draws);
            return Err(EvaluationError::undefined("interval of the ranking", reason));
        }
        let of = ranks(&self.value);
        let scores: Vec<Estimate> =
            self.value.iter().zip(self.scores).map(|(&value, draws)| by.interval(value, draws)).collect();
        let ranks = of
            .into_iter()
            .zip(self.ranks)
            .map(|(rank, draws)| {
                let found = by.interval(f64::from(rank), draws);
                RankInterval { rank, best: found.lo.floor() as u32, worst: found.hi.ceil() as u32 }
            })
            .collect();
        Ok(Resampled { scores, ranks, defined })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::round;
    use super::super::{
        BradleyTerry, Errors, average_win_rate, bradley_terry, bradley_terry_strengths, win_counts,
    };
    use super::*;
    use superalign_core::{Preferred, Seed};

    fn games(n: u32) -> Vec<Comparison> {
        let noise = |n: u32| (n.wrapping_mul(2_654_435_761) >> 13) % 97;
        let one = |n: u32| {
            let (a, b) = (noise(n) % 4, noise(n + 1000) % 3);
            (a, (a + 1 + b) % 4, if noise(n + 7) < 30 + 15 * a { 1 } else { 2 })
        };
        round(&(0..n).map(one).collect::<Vec<_>>())
    }

    #[test]
    fn intervals_are_as_wide_as_the_formulas_say() {
        let list = games(3000);
        let labels: Vec<u32> = (0..3000).map(|n| n / 3).collect();
        let by = Bootstrap::new(Seed::new(2));
        let own = |tally: &Tally| bradley_terry(tally, &BradleyTerry::default());
        for (labels, errors) in
            [(None, Errors::Sandwich), (Some(labels.as_slice()), Errors::Clustered(&labels))]
        {
            let found = resampled(&list, 4, labels, &by, own).unwrap();
            let formula = bradley_terry_strengths(&list, 4, &BradleyTerry::default(), errors).unwrap();
            for (found, formula) in found.scores.iter().zip(formula.estimates(0.95).unwrap()) {
                let ratio = (found.hi - found.lo) / (formula.hi - formula.lo);
                assert!((ratio - 1.0).abs() < 0.12, "{ratio}");
                assert!((found.value - formula.value).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn both_ways_of_drawing_agree() {
        let list = games(400);
        let labels: Vec<u32> = (0..400).map(|n| n % 37).collect();
        let by = Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(2)) };
        let one = resampled(&list, 4, Some(&labels), &by, average_win_rate).unwrap();
        let other = resampled_counts(400, Some(&labels), &by, |counts| {
            let drawn: Vec<Comparison> = list
                .iter()
                .zip(counts)
                .flat_map(|(&game, &times)| std::iter::repeat_n(game, times as usize))
                .collect();
            average_win_rate(&Tally::new(&drawn, 4)?)
        });
        assert_eq!(one, other.unwrap());
    }

    #[test]
    fn what_seldom_exists_is_refused() {
        let list = round(&[(0, 1, 1), (1, 0, 1), (0, 1, 1), (1, 2, 1), (2, 1, 1)]);
        let by = Bootstrap { draws: 100, ..Bootstrap::new(Seed::new(2)) };
        let own = |tally: &Tally| bradley_terry(tally, &BradleyTerry::default());
        let message = resampled(&list, 3, None, &by, own).unwrap_err().to_string();
        assert!(
            message.starts_with("interval of the ranking is undefined: scores do not exist in "),
            "{message}"
        );
        assert!(message.contains("of 100 resamples (Bradley-Terry strength is undefined: "), "{message}");
        let few = resampled(&list, 3, Some(&[1; 5]), &by, |tally| Ok(win_counts(tally)));
        assert_eq!(few.unwrap_err().to_string(), "1 clusters: expected at least 2");
    }

    #[test]
    fn equal_comparisons_have_no_width() {
        let list = [Comparison { first: 1, second: 0, preferred: Preferred::First }; 9];
        let by = Bootstrap { draws: 50, ..Bootstrap::new(Seed::new(2)) };
        let found = resampled(&list, 2, None, &by, average_win_rate).unwrap();
        assert_eq!((found.scores[1].lo, found.ranks[1].worst, found.defined), (1.0, 1, 50));
    }
}
