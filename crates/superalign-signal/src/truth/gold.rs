//! How often labels and raters are right, where truths are known, with intervals.

use super::patterns::check_gold;
use crate::resample::estimates;
use crate::{Bootstrap, Estimate, SignalError, Votes};
use rustc_hash::FxHashMap;

/// How often labels and raters are right.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// Accuracy of the labels on the items with a known truth.
    pub labels: Estimate,
    /// Accuracy of each rater's votes on those items. An error where the rater has no votes on them, or so few that
    /// they are missing from more than one resample in twenty.
    pub raters: Vec<Result<Estimate, SignalError>>,
}

/// Share of the labels that equal the known truth, in [0, 1], with its interval over resampled items.
///
/// `gold[i]` is the truth of item i, or `None` where it is not known; only items with a truth count.
///
/// # Errors
/// Labels and truths of different lengths; no item with a truth; settings of the bootstrap.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_signal::{Bootstrap, truth::accuracy};
/// let labels: Vec<u32> = (0..400).map(|i| u32::from(i % 4 == 0)).collect();
/// let found = accuracy(&labels, &vec![Some(0); 400], &Bootstrap::new(Seed::new(1)))?;
/// assert_eq!(found.value, 0.75);
/// // 1.96 sqrt(0.75 0.25 / 400) = 0.042
/// assert!((found.hi - found.lo - 2.0 * 0.042).abs() < 0.01);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn accuracy(labels: &[u32], gold: &[Option<u32>], by: &Bootstrap) -> Result<Estimate, SignalError> {
    if labels.len() != gold.len() {
        let (found, expected) = (labels.len(), gold.len());
        return Err(SignalError::Shape { what: "number of labels", found, expected });
    }
    let kinds: Vec<u32> = labels
        .iter()
        .zip(gold)
        .filter_map(|(label, gold)| gold.map(|gold| u32::from(gold == *label)))
        .collect();
    if kinds.is_empty() {
        return Err(no_truth());
    }
    crate::resample::estimate(by, "accuracy", &kinds, |counts| {
        let right = counts.get(1).copied().unwrap_or(0);
        Ok(f64::from(right) / kinds.len() as f64)
    })
}

/// Accuracy of the labels and of every rater on the items with a known truth, all over the same resampled items, so
/// that they can be compared.
///
/// A rater's accuracy is the share of the rater's votes on these items that equal the truth. Items on which label and
/// votes are right and wrong alike are counted, not visited.
///
/// # Errors
/// Labels or truths of another number than items; a truth that is no category; no item with a truth; settings of the
/// bootstrap.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_signal::{Bootstrap, Votes, truth::{Majority, majority, score}};
/// let table = ndarray::Array2::from_shape_fn((300, 3), |(i, r)| (i % 2) as i8 ^ i8::from(i % (7 + r) == 0));
/// let votes = Votes::dense(table.view())?;
/// let labels = majority(&votes, None, &Majority::default())?.labels;
/// let gold: Vec<_> = (0..300).map(|i| Some(i % 2)).collect();
/// let found = score(&votes, &labels, &gold, &Bootstrap::new(Seed::new(1)))?;
/// assert!(found.labels.lo > found.raters[0].as_ref().map_or(0.0, |rater| rater.value));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn score(
    votes: &Votes,
    labels: &[u32],
    gold: &[Option<u32>],
    by: &Bootstrap,
) -> Result<Scores, SignalError> {
    if labels.len() != votes.items() {
        let (found, expected) = (labels.len(), votes.items());
        return Err(SignalError::Shape { what: "number of labels", found, expected });
    }
    check_gold(gold, votes)?;
    by.check()?;
    // A kind of item: whether the label is right, then rater and whether right for each vote.
    let mut numbers = FxHashMap::default();
    let mut kinds = Vec::new();
    let mut outcomes: Vec<Vec<u32>> = Vec::new();
    for (item, truth) in gold.iter().enumerate() {
        let Some(truth) = truth else { continue };
        let mut outcome = vec![u32::from(labels[item] == *truth)];
        outcome.extend(votes.of_item(item).map(|(rater, vote)| rater * 2 + u32::from(vote == *truth)));
        let next = outcomes.len() as u32;
        let number = *numbers.entry(outcome).or_insert_with_key(|outcome| {
            outcomes.push(outcome.clone());
            next
        });
        kinds.push(number);
    }
    if kinds.is_empty() {
        return Err(no_truth());
    }
    let mut names = vec!["accuracy of a rater"; votes.raters() + 1];
    names[0] = "accuracy";
    let (mut right, mut given) = (vec![0_u32; votes.raters()], vec![0_u32; votes.raters()]);
    let mut found = estimates(by, &names, &kinds, |counts, values| {
        right.fill(0);
        given.fill(0);
        let mut labels = 0;
        for (outcome, &count) in outcomes.iter().zip(counts).filter(|(_, count)| **count > 0) {
            labels += outcome[0] * count;
            for vote in &outcome[1..] {
                given[*vote as usize / 2] += count;
                right[*vote as usize / 2] += count * (vote % 2);
            }
        }
        values[0] = Ok(f64::from(labels) / kinds.len() as f64);
        for ((value, &right), &given) in values[1..].iter_mut().zip(&right).zip(&given) {
            *value = if given > 0 {
                Ok(f64::from(right) / f64::from(given))
            } else {
                Err(SignalError::undefined(
                    "accuracy of a rater",
                    "the rater has no votes on items with a truth",
                ))
            };
        }
    })
    .into_iter();
    let labels = found.next().unwrap_or_else(|| unreachable!("the labels were asked for"))?;
    Ok(Scores { labels, raters: found.collect() })
}

fn no_truth() -> SignalError {
    SignalError::TooFew { what: "items with a known truth", found: 0, expected: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use superalign_core::Seed;

    #[test]
    fn raters_without_votes_on_known_items_have_no_accuracy() {
        let votes = Votes::dense(array![[0, 1, -1], [1, 1, -1], [0, 0, 1]].view()).unwrap();
        let gold = [Some(0), Some(1), None];
        let by = Bootstrap::new(Seed::new(1));
        let found = score(&votes, &[0, 1, 1], &gold, &by).unwrap();
        assert_eq!((found.labels.value, found.labels.lo), (1.0, 1.0));
        assert_eq!(found.raters[1].as_ref().unwrap().value, 0.5);
        assert_eq!(
            found.raters[2].as_ref().unwrap_err().to_string(),
            "accuracy of a rater is undefined: the rater has no votes on items with a truth"
        );
        assert_eq!(accuracy(&[0, 1, 1], &gold, &by).unwrap(), found.labels);
    }

    #[test]
    fn what_cannot_be_scored_is_refused() {
        let votes = Votes::dense(array![[0, 1], [1, 1]].view()).unwrap();
        let by = Bootstrap::new(Seed::new(1));
        let message =
            |labels: &[u32], gold: &[Option<u32>]| score(&votes, labels, gold, &by).unwrap_err().to_string();
        assert_eq!(message(&[0, 0], &[None, None]), "0 items with a known truth: expected at least 1");
        assert_eq!(message(&[0], &[None, None]), "number of labels: found 1, expected 2");
        assert_eq!(message(&[0, 0], &[None]), "number of given truths: found 1, expected 2");
        let error = accuracy(&[0, 0], &[None, None], &by).unwrap_err().to_string();
        assert_eq!(error, "0 items with a known truth: expected at least 1");
        let none = Bootstrap { draws: 0, ..by };
        let error = accuracy(&[0], &[Some(0)], &none).unwrap_err().to_string();
        assert_eq!(error, "bootstrap: draws = 0: expected at least 1");
    }
}
