//! Agreement of each rater with each other. Agreement of all at once is not here.

use super::Coefficient;
use super::chance::Chance;
use super::kinds::Kinds;
use crate::{SignalError, Votes};
use ndarray::Array2;

/// Up to this many cells, a rater's labels against those of all others are counted in a table.
const TABLE: usize = 1 << 24;

/// The agreement of each rater with each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Pairwise {
    /// The coefficient of two raters `(raters, raters)`, symmetric, or why it does not exist. On the diagonal a rater
    /// meets itself: 1, where it exists.
    pub values: Array2<Result<f64, SignalError>>,
    /// The number of items that both rated `(raters, raters)`; on the diagonal, that the rater rated.
    pub items: Array2<usize>,
}

/// A coefficient for each pair of raters, as if the items that both rated, and their two votes on them, were all.
///
/// So [`Categories::Observed`](super::Categories::Observed) are those that occur there. Time: one step for each pair of
/// votes on an item; memory: a table of labels for each pair of one rater, or where that is more than 2^24 cells, its
/// pairs of votes.
///
/// # Errors
/// None for the whole: a pair has an error where it has no item in common, and otherwise as [`value`](super::value).
///
/// ```
/// use superalign_signal::{Votes, agreement::{self, Coefficient, Weighting}};
/// let table = ndarray::array![[0_i8, 0, -1], [1, 1, -1], [0, 0, 1], [1, 0, -1], [1, 1, -1], [0, 0, -1]];
/// let found = agreement::pairwise(&Votes::dense(table.view())?, Coefficient::Cohen(Weighting::default()));
/// assert!((found.values[[0, 1]].clone()? - 2.0 / 3.0).abs() < 1e-12);
/// assert_eq!((found.items[[0, 1]], found.items[[0, 2]]), (6, 1));
/// assert_eq!(found.values[[2, 2]].clone().unwrap_err().to_string(),
///     "Cohen's kappa is undefined: all votes have one label, so that chance alone agrees always");
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
#[must_use]
pub fn pairwise(votes: &Votes, coefficient: Coefficient) -> Pairwise {
    let (raters, categories) = (votes.raters(), votes.categories());
    let none = SignalError::TooFew { what: "items that both rated", found: 0, expected: 1 };
    let mut values = Array2::from_elem((raters, raters), Err(none));
    let mut items = Array2::zeros((raters, raters));
    let mut set = |a: usize, b: usize, cells: &[Cell]| {
        let both = cells.iter().map(|cell| cell.count as usize).sum();
        let value = of_pair(votes, coefficient, cells);
        for place in [[a, b], [b, a]] {
            values[place] = value.clone();
            items[place] = both;
        }
    };
    let (starts, rated) = items_of_raters(votes);
    let cells = categories.checked_mul(categories).filter(|&cells| cells.saturating_mul(raters) <= TABLE);
    let mut found = Vec::new();
    let mut table = vec![0_u32; cells.unwrap_or(0) * raters];
    for a in 0..raters {
        // Each vote of this rater beside each vote of a later rater, or its own: (rater, own label, other label).
        let pairs = || {
            rated[starts[a]..starts[a + 1]].iter().flat_map(|&(item, mine)| {
                let later =
                    votes.raters_of_item(item as usize).partition_point(|&rater| (rater as usize) < a);
                votes.of_item(item as usize).skip(later).map(move |(rater, label)| (rater, mine, label))
            })
        };
        if let Some(cells) = cells {
            pairs().for_each(|(b, mine, label)| {
                table[b as usize * cells + mine as usize * categories + label as usize] += 1;
            });
            for b in a..raters {
                found.clear();
                for (place, count) in
                    table[b * cells..(b + 1) * cells].iter_mut().enumerate().filter(|(_, n)| **n > 0)
                {
                    let labels = [(place / categories) as u32, (place % categories) as u32];
                    found.push(Cell { labels, count: std::mem::take(count) });
                }
                if !found.is_empty() {
                    set(a, b, &found);
                }
            }
        } else {
            let mut all: Vec<(u32, u32, u32)> = pairs().collect();
            all.sort_unstable();
            for of_rater in all.chunk_by(|p, q| p.0 == q.0) {
                found.clear();
                let cells = of_rater.chunk_by(|p, q| p == q);
                found.extend(cells.map(|c| Cell { labels: [c[0].1, c[0].2], count: c.len() as u32 }));
                set(a, of_rater[0].0 as usize, &found);
            }
        }
    }
    Pairwise { values, items }
}

/// How often two raters gave these labels to one item.
struct Cell {
    labels: [u32; 2],
    count: u32,
}

fn of_pair(votes: &Votes, coefficient: Coefficient, cells: &[Cell]) -> Result<f64, SignalError> {
    let mut labels: Vec<u32> = cells.iter().flat_map(|cell| cell.labels).collect();
    labels.sort_unstable();
    labels.dedup();
    let place = |label| labels.partition_point(|&l| l < label) as u32;
    let values = labels.iter().map(|&label| votes.values()[label as usize]).collect();
    let kinds = Kinds::of_pairs(values, cells.iter().map(|cell| cell.labels.map(place)));
    let counts: Vec<u32> = cells.iter().map(|cell| cell.count).collect();
    Chance::new(&kinds, coefficient)?.parts(&counts).map(|parts| parts.value)
}

/// The items that each rater rated and its labels: where those of a rater start, and (item, label).
fn items_of_raters(votes: &Votes) -> (Vec<usize>, Vec<(u32, u32)>) {
    let mut starts = vec![0; votes.raters() + 1];
    for item in 0..votes.items() {
        votes.raters_of_item(item).iter().for_each(|&rater| starts[rater as usize + 1] += 1);
    }
    (0..votes.raters()).for_each(|rater| starts[rater + 1] += starts[rater]);
    let mut next = starts.clone();
    let mut rated = vec![(0, 0); votes.len()];
    for item in 0..votes.items() {
        for (rater, label) in votes.of_item(item) {
            rated[next[rater as usize]] = (item as u32, label);
            next[rater as usize] += 1;
        }
    }
    (starts, rated)
}
