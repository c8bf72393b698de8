//! The majority of the votes.

use super::argmax;
use super::patterns::check;
use crate::{SignalError, Votes};
use ndarray::Array2;
use superalign_core::{Seed, below};

/// Settings of [`majority`]: by default vote shares, and of equals the first.
///
/// ```
/// use superalign_signal::truth::{Majority, MajorityPosterior, Ties};
/// let expected = Majority { posterior: MajorityPosterior::Shares, ties: Ties::First };
/// assert_eq!(Majority::default(), expected);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Majority {
    /// What stands in the posterior.
    pub posterior: MajorityPosterior,
    /// The label where several categories have the most votes.
    pub ties: Ties,
}

/// What [`majority`] takes for the probability of a category.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MajorityPosterior {
    /// Its share of the item's votes.
    #[default]
    Shares,
    /// 1 for the category with the most votes; where several have, the same for each of them, and 0 for the rest.
    Winners,
}

/// The label where several categories have the most votes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ties {
    /// The lowest of them.
    #[default]
    First,
    /// The highest of them.
    Last,
    /// One of them, drawn for every item from this seed and the item's number.
    Drawn(Seed),
    /// An error.
    Refuse,
}

/// What raters agree on, without a model of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Consensus {
    /// Probability of each category for each item, (items, categories); the class prior for items without votes.
    pub posterior: Array2<f64>,
    /// The label of each item; for items without votes the first of the most probable of the class prior.
    pub labels: Vec<u32>,
    /// Mean of the posteriors of the items with votes.
    pub class_prior: Vec<f64>,
    /// What the function says of each rater, in [0, 1]; `None` for raters without votes.
    pub skills: Vec<Option<f64>>,
}

/// The category with the most votes on each item.
///
/// A rater's skill is the share of the rater's votes that agree with the labels, in [0, 1]. Without items the result
/// is empty. `gold` (a category for each item whose truth is known) replaces the vote: the item gets that label and
/// a posterior of 1 on it.
///
/// # Errors
/// Items but no votes; given truths of another number than items or outside the categories; a tie under
/// [`Ties::Refuse`].
///
/// Reference implementation: crowd-kit's `MajorityVote` (shares, first).
///
/// ```
/// use superalign_signal::{Votes, truth::{Majority, Ties, majority}};
/// let votes = Votes::dense(ndarray::array![[0, 0, 1], [1, 1, 1], [0, 1, -1]].view())?;
/// let found = majority(&votes, None, &Majority::default())?;
/// assert_eq!(found.labels, [0, 1, 0]);
/// assert_eq!(found.posterior.row(2).to_vec(), [0.5, 0.5]);
/// assert_eq!(found.skills, [Some(1.0), Some(2.0 / 3.0), Some(0.5)]);
/// let last = majority(&votes, None, &Majority { ties: Ties::Last, ..Majority::default() })?;
/// assert_eq!(last.labels, [0, 1, 1]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn majority(
    votes: &Votes,
    gold: Option<&[Option<u32>]>,
    options: &Majority,
) -> Result<Consensus, SignalError> {
    let mut found = weighted(votes, gold, None)?;
    let k = votes.categories();
    for item in (0..votes.items()).filter(|&item| !votes.labels_of_item(item).is_empty()) {
        if gold.is_some_and(|gold| gold[item].is_some()) {
            continue;
        }
        let mut row = found.posterior.row_mut(item);
        let most = row[found.labels[item] as usize];
        let winners = row.iter().filter(|&&share| share == most).count();
        if winners > 1 {
            let wanted = match options.ties {
                Ties::First => 0,
                Ties::Last => winners - 1,
                Ties::Drawn(seed) => below(&mut seed.nth(item as u64).rng(), winners),
                Ties::Refuse => {
                    let reason = format!("{winners} categories have the most votes on item {item}");
                    return Err(SignalError::undefined("the majority", reason));
                }
            };
            let nth = (0..k).filter(|&c| row[c] == most).nth(wanted);
            found.labels[item] = nth.unwrap_or_else(|| unreachable!("so many categories won")) as u32;
        }
        if options.posterior == MajorityPosterior::Winners {
            row.mapv_inplace(|share| if share == most { 1.0 / winners as f64 } else { 0.0 });
        }
    }
    if options.posterior == MajorityPosterior::Winners {
        fill_unvoted(votes, gold, &mut found);
    }
    found.skills = agreement(votes, &found.labels);
    Ok(found)
}

/// The shares of votes that count as much as their rater weighs; where all weights on an item are 0, all count alike.
/// Without skills yet.
pub(super) fn weighted(
    votes: &Votes,
    gold: Option<&[Option<u32>]>,
    weights: Option<&[f64]>,
) -> Result<Consensus, SignalError> {
    let k = votes.categories();
    check(votes, gold)?;
    let mut posterior = Array2::zeros((votes.items(), k));
    let mut labels = vec![0; votes.items()];
    for (item, mut row) in posterior.rows_mut().into_iter().enumerate() {
        let row = row.as_slice_mut().unwrap_or_else(|| unreachable!("rows of a new array are contiguous"));
        if let Some(truth) = gold.and_then(|gold| gold[item]) {
            row[truth as usize] = 1.0;
        } else {
            if let Some(weights) = weights {
                votes.of_item(item).for_each(|(rater, c)| row[c as usize] += weights[rater as usize]);
            }
            let mut sum: f64 = row.iter().sum();
            if sum == 0.0 {
                votes.labels_of_item(item).iter().for_each(|&c| row[c as usize] += 1.0);
                sum = votes.labels_of_item(item).len() as f64;
            }
            if sum > 0.0 {
                row.iter_mut().for_each(|share| *share /= sum);
            }
        }
        labels[item] = argmax(row);
    }
    let mut found = Consensus { posterior, labels, class_prior: Vec::new(), skills: Vec::new() };
    fill_unvoted(votes, gold, &mut found);
    Ok(found)
}

/// The class prior, and what follows from it for the items about which nothing is known.
fn fill_unvoted(votes: &Votes, gold: Option<&[Option<u32>]>, found: &mut Consensus) {
    let known =
        |item: usize| !votes.labels_of_item(item).is_empty() || gold.is_some_and(|gold| gold[item].is_some());
    let mut prior = vec![0.0; votes.categories()];
    let mut count = 0;
    for (_, row) in found.posterior.rows().into_iter().enumerate().filter(|(item, _)| known(*item)) {
        prior.iter_mut().zip(row).for_each(|(sum, p)| *sum += p);
        count += 1;
    }
    if count > 0 {
        prior.iter_mut().for_each(|p| *p /= f64::from(count));
    }
    let label = argmax(&prior);
    for item in (0..votes.items()).filter(|item| !known(*item)) {
        found.posterior.row_mut(item).assign(&ndarray::ArrayView1::from(&prior));
        found.labels[item] = label;
    }
    found.class_prior = prior;
}

/// Share of each rater's votes that agree with the labels.
pub(super) fn agreement(votes: &Votes, labels: &[u32]) -> Vec<Option<f64>> {
    let mut right = vec![0_u32; votes.raters()];
    let mut given = vec![0_u32; votes.raters()];
    for (item, &label) in labels.iter().enumerate() {
        for (rater, vote) in votes.of_item(item) {
            given[rater as usize] += 1;
            right[rater as usize] += u32::from(vote == label);
        }
    }
    let share = |(right, given): (u32, u32)| (given > 0).then(|| f64::from(right) / f64::from(given));
    right.into_iter().zip(given).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn ties_are_settled_as_asked() {
        let votes =
            Votes::dense(ndarray::Array2::from_shape_fn((200, 2), |(_, r)| r as i8 * 2).view()).unwrap();
        let with = |ties| majority(&votes, None, &Majority { ties, ..Majority::default() });
        assert!(with(Ties::First).unwrap().labels.iter().all(|&label| label == 0));
        assert!(with(Ties::Last).unwrap().labels.iter().all(|&label| label == 1));
        let drawn = with(Ties::Drawn(Seed::new(3))).unwrap().labels;
        assert!((70..130).contains(&drawn.iter().sum::<u32>()), "{drawn:?}");
        assert_eq!(
            with(Ties::Refuse).unwrap_err().to_string(),
            "the majority is undefined: 2 categories have the most votes on item 0"
        );
    }

    #[test]
    fn winners_share_a_tie_and_items_without_votes_get_the_prior() {
        let votes = Votes::dense(array![[0, 0, 1], [0, 1, -1], [-1, -1, -1], [2, 2, 2]].view()).unwrap();
        let options = Majority { posterior: MajorityPosterior::Winners, ..Majority::default() };
        let found = majority(&votes, None, &options).unwrap();
        let prior = [0.5, 0.5 / 3.0, 1.0 / 3.0];
        assert_eq!(found.posterior.row(0).to_vec(), [1.0, 0.0, 0.0]);
        assert_eq!(found.posterior.row(1).to_vec(), [0.5, 0.5, 0.0]);
        assert!(found.posterior.row(2).iter().zip(prior).all(|(p, q)| (p - q).abs() < 1e-15));
        let gold = [None, Some(1), Some(2), None];
        let known = majority(&votes, Some(&gold), &options).unwrap();
        assert_eq!(known.labels, [0, 1, 2, 2]);
        assert_eq!(known.skills, [Some(2.0 / 3.0), Some(1.0), Some(0.5)]);
    }

    #[test]
    fn what_has_no_majority_is_refused() {
        let none = Votes::dense(array![[-1], [-1]].view()).unwrap();
        let error = majority(&none, None, &Majority::default()).unwrap_err().to_string();
        assert_eq!(error, "0 votes: expected at least 1");
        let empty = Votes::triples(&[], &[], &[]).unwrap();
        assert_eq!(majority(&empty, None, &Majority::default()).unwrap().labels, [0; 0]);
        let one = Votes::dense(array![[1]].view()).unwrap();
        let error = majority(&one, Some(&[Some(1)]), &Majority::default()).unwrap_err().to_string();
        assert_eq!(error, "given truth of item 0 is 1: expected the number of a category of the votes");
    }
}
