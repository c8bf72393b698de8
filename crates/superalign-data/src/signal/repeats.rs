//! Annotators who vote more than once on an item.

use super::Votes;
use std::fmt::Write as _;

/// The votes of annotators on items on which they had voted before.
///
/// The first vote of an annotator on an item (in the order of the file) is in the column of the annotator's number, the
/// k-th in the annotator's k-th column: every column holds one vote on an item at most.
///
/// ```
/// use superalign_data::signal::{Reading, read};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("votes.csv");
/// std::fs::write(&path, "item,worker,label\n1,ann,yes\n1,ann,yes\n1,bob,no\n1,ann,no\n")?;
/// let votes = read(&path, &Reading::default())?.votes.unwrap();
/// let repeats = votes.repeats.unwrap();
/// assert_eq!(repeats.columns, [0, 1, 0, 0]);
/// assert_eq!(repeats.column, [0, 2, 1, 3]);
/// assert_eq!((repeats.votes, repeats.same), (2, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeats {
    /// The annotator of each column: first each of them once, then those of further votes.
    pub columns: Vec<u32>,
    /// The column of each vote.
    pub column: Vec<u32>,
    /// Number of votes that are not the first of their annotator on their item.
    pub votes: usize,
    /// How many of these give a label that the same annotator had given the item: copies, or the same judgement again.
    pub same: usize,
}

impl Repeats {
    /// Finds them; `None` where every vote is the first.
    pub(super) fn find(votes: &Votes) -> Option<Self> {
        let (mut order, ends) = by_item(votes);
        let annotator = |vote: u32| votes.annotator[vote as usize];
        if !any(votes, &order) {
            return None;
        }
        // How many votes of each annotator are on one item at most, then the turn of each vote that is not the first.
        let mut most = vec![1_u32; votes.annotators.len()];
        let mut turns: Vec<(u32, u32)> = Vec::new();
        let (mut start, mut same, mut labels) = (0, 0, Vec::new());
        for end in ends {
            let mine = &mut order[start..end];
            start = end;
            mine.sort_by_key(|&vote| annotator(vote));
            for run in mine.chunk_by(|&a, &b| annotator(a) == annotator(b)).filter(|run| run.len() > 1) {
                let most = &mut most[annotator(run[0]) as usize];
                *most = (*most).max(run.len() as u32);
                turns.extend(run.iter().copied().zip(0..).skip(1));
                labels.clear();
                labels.extend(run.iter().map(|&vote| votes.category[vote as usize]));
                labels.sort_unstable();
                labels.dedup();
                same += run.len() - labels.len();
            }
        }
        let mut columns: Vec<u32> = (0..votes.annotators.len() as u32).collect();
        // The column of an annotator's second vote.
        let mut second = Vec::with_capacity(most.len());
        for (annotator, &most) in most.iter().enumerate() {
            second.push(columns.len() as u32);
            columns.extend(std::iter::repeat_n(annotator as u32, most as usize - 1));
        }
        let mut column = votes.annotator.clone();
        for &(vote, turn) in &turns {
            column[vote as usize] = second[annotator(vote) as usize] + turn - 1;
        }
        Some(Self { columns, column, votes: turns.len(), same })
    }

    /// How often at most each annotator voted on one item, of those who did more than once: most often first.
    #[must_use]
    pub fn most(&self) -> Vec<(u32, usize)> {
        let mut counts: Vec<usize> = Vec::new();
        for &annotator in &self.columns {
            counts.resize(counts.len().max(annotator as usize + 1), 0);
            counts[annotator as usize] += 1;
        }
        let mut most: Vec<(u32, usize)> = (0..).zip(counts).filter(|(_, count)| *count > 1).collect();
        most.sort_by_key(|&(annotator, count)| (std::cmp::Reverse(count), annotator));
        most
    }

    /// In a sentence.
    pub(super) fn note(&self, annotators: &[String]) -> String {
        let most = self.most();
        let mut note = String::new();
        if let Some(&(annotator, count)) = most.first() {
            _ = write!(note, "`{}` voted up to {count} times on an item", annotators[annotator as usize]);
        }
        match most.len() {
            0 | 1 => {}
            2 => note += ", 1 more annotator more than once",
            n => _ = write!(note, ", {} more annotators more than once", n - 1),
        }
        let votes = if self.votes == 1 { "1 further vote" } else { &format!("{} further votes", self.votes) };
        _ = write!(note, ": {votes}, ");
        match self.same {
            0 => note += "none with a label that the annotator had given the item.",
            same => {
                _ = write!(
                    note,
                    "{same} with a label that the annotator had given the item; remove what are copies of a row."
                );
            }
        }
        note
    }
}

/// The votes by item, in the order of the file within an item, and where each item's end.
fn by_item(votes: &Votes) -> (Vec<u32>, Vec<usize>) {
    let mut ends = vec![0_usize; votes.items.len() + 1];
    votes.item.iter().for_each(|&item| ends[item as usize + 1] += 1);
    (0..votes.items.len()).for_each(|i| ends[i + 1] += ends[i]);
    // The start of each item moves on to its end.
    let mut order = vec![0_u32; votes.item.len()];
    for (vote, &item) in votes.item.iter().enumerate() {
        order[ends[item as usize]] = vote as u32;
        ends[item as usize] += 1;
    }
    ends.pop();
    (order, ends)
}

/// Whether there is one vote that repeats annotator and item of another.
fn any(votes: &Votes, order: &[u32]) -> bool {
    // Within an item the last one to see each annotator is remembered.
    let mut seen = vec![u32::MAX; votes.annotators.len()];
    order.iter().any(|&vote| {
        let (item, annotator) = (votes.item[vote as usize], votes.annotator[vote as usize] as usize);
        std::mem::replace(&mut seen[annotator], item) == item
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn votes(list: &[(u32, u32, u32)]) -> Votes {
        let names = |n: u32| (0..n).map(|i| i.to_string()).collect::<Vec<_>>();
        Votes {
            items: names(6),
            annotators: names(5),
            categories: names(4),
            values: None,
            item: list.iter().map(|vote| vote.0).collect(),
            annotator: list.iter().map(|vote| vote.1).collect(),
            category: list.iter().map(|vote| vote.2).collect(),
            missing: 0,
            gold: None,
            repeats: None,
        }
    }

    #[test]
    fn first_votes_alone_are_no_repeats() {
        assert_eq!(Repeats::find(&votes(&[(0, 0, 1), (1, 0, 1), (0, 1, 1), (5, 4, 0)])), None);
        assert_eq!(Repeats::find(&votes(&[])), None);
    }

    #[test]
    fn the_sentence_names_who_repeats_most() {
        let one = votes(&[(0, 1, 2), (0, 1, 3)]);
        let several = votes(&[(0, 1, 2), (0, 1, 2), (3, 4, 0), (3, 4, 1), (3, 4, 1), (0, 0, 0), (0, 0, 0)]);
        let note = |votes: &Votes| Repeats::find(votes).unwrap().note(&votes.annotators);
        insta::assert_snapshot!([note(&one), note(&several)].join("\n"));
        assert_eq!(Repeats::find(&several).unwrap().most(), [(4, 3), (0, 2), (1, 2)]);
    }

    proptest! {
        #[test]
        fn every_column_has_one_vote_on_an_item_in_the_order_of_the_file(
            list in prop::collection::vec((0..6_u32, 0..5_u32, 0..4_u32), 0..60)
        ) {
            let votes = votes(&list);
            let turn = |vote: usize| list[..vote].iter().filter(|v| (v.0, v.1) == (list[vote].0, list[vote].1)).count();
            let further: Vec<usize> = (0..list.len()).filter(|&vote| turn(vote) > 0).collect();
            let Some(found) = Repeats::find(&votes) else {
                prop_assert!(further.is_empty());
                return Ok(());
            };
            prop_assert_eq!(found.votes, further.len());
            prop_assert_eq!(found.same, further.iter().filter(|&&vote| list[..vote].contains(&list[vote])).count());
            for (vote, &(_, annotator, _)) in list.iter().enumerate() {
                let column = found.column[vote] as usize;
                prop_assert_eq!(found.columns[column], annotator);
                // The k-th vote is in the annotator's k-th column.
                let place = found.columns[..column].iter().filter(|&&other| other == annotator).count();
                prop_assert_eq!(place, turn(vote));
                prop_assert_eq!(column < votes.annotators.len(), turn(vote) == 0);
            }
            // No column without a vote, but for annotators without any.
            let used = |column: usize| found.column.contains(&(column as u32));
            prop_assert!((votes.annotators.len()..found.columns.len()).all(used));
        }
    }
}
