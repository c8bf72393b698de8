//! Suspects: items whose given label is probably wrong.

use super::joint::{JointOptions, calibrate_joint, confident_joint, confident_thresholds, each_guess};
use super::quality::{Adjustment, Score, label_quality};
use crate::SignalError;
use crate::probabilities::{check_labels, each_row};
use ndarray::{Array2, ArrayView2};

/// A given label counts as predicted down to this much below the largest probability.
const SLACK: f64 = 1e-6;

/// Which items are suspects. Names of cleanlab's `filter_by` in brackets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// Of each pair of given label s and other class y, as many items as the calibrated joint holds there, those with
    /// the largest `p[y]` - `p[s]` (`prune_by_noise_rate`).
    #[default]
    NoiseRate,
    /// Of each given label s, as many as the joint holds off the diagonal, those with the least `p[s]`
    /// (`prune_by_class`).
    Class,
    /// Suspects by both of these (`both`).
    Both,
    /// Items off the diagonal of the uncalibrated joint (`confident_learning`).
    Confident,
    /// Items with another most likely class (`predicted_neq_given`).
    Predicted,
    /// As many items as `Confident` finds, those of the least normalised margin (`low_normalized_margin`).
    LowMargin,
    /// As many items as `Confident` finds, those of the least self-confidence (`low_self_confidence`).
    LowSelfConfidence,
}

/// How suspects are found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SuspectOptions {
    /// Which items are suspects.
    pub filter: Filter,
    /// Of a label with no more items than this, none is suspect (`NoiseRate`, `Class`, `Both`); the calibrated joint
    /// also keeps as many on its diagonal.
    pub least_of_label: usize,
    /// Share of the estimated noise that is to be found, in [0, 1] (`NoiseRate`, `Class`, `Both`).
    pub share: f64,
}

impl Default for SuspectOptions {
    fn default() -> Self {
        Self { filter: Filter::default(), least_of_label: 1, share: 1.0 }
    }
}

/// An item whose given label is probably wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suspect {
    /// Its place among the items.
    pub item: usize,
    /// The quality of its label.
    pub quality: f64,
}

/// The items whose given label is probably wrong, by rising place.
///
/// Labels `(n)`, probabilities `(n, k)` from a model that was not trained on the item. But for `LowMargin` and
/// `LowSelfConfidence`, an item whose label is its most likely class (within 1e-6) is no suspect. Among items of equal
/// probabilities the earlier one comes first; but for these, their order does not matter. Selection is linear in n. Source: Northcutt et al. 2021, and cleanlab's
/// `find_label_issues`.
///
/// # Errors
/// No item, fewer than two classes, a label that is no column, a row that is no distribution within 1e-6, a share
/// outside [0, 1].
///
/// ```
/// use superalign_signal::label_noise::{SuspectOptions, suspects};
/// let probs = ndarray::array![[0.9, 0.1], [0.1, 0.9], [0.8, 0.2], [0.2, 0.8], [0.1, 0.9]];
/// assert_eq!(suspects(&[0, 0, 0, 1, 1], probs.view(), &SuspectOptions::default())?, [1]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn suspects<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    options: &SuspectOptions,
) -> Result<Vec<usize>, SignalError> {
    let share = options.share;
    if !(0.0..=1.0).contains(&share) {
        return Err(SignalError::setting("share", share, "a number between 0 and 1"));
    }
    let mut marked = vec![false; labels.len()];
    let lowest = match options.filter {
        Filter::LowMargin => Some(Score::NormalisedMargin),
        Filter::LowSelfConfidence => Some(Score::SelfConfidence),
        _ => None,
    };
    if let Some(score) = lowest {
        let count = issue_count(labels, probs, IssueCount::Confident)?;
        let scores = label_quality(labels, probs, score, Adjustment::None)?;
        mark_least(&mut (0..).zip(scores).collect::<Vec<_>>(), count, &mut marked);
    } else {
        match options.filter {
            Filter::Confident => {
                let thresholds = confident_thresholds(labels, probs)?;
                each_guess(probs, &thresholds, |item, guess| {
                    marked[item] = guess < probs.ncols() && guess != labels[item] as usize;
                });
            }
            Filter::Predicted => {
                check_labels(labels, probs)?;
                each_row(probs, |item, _, top, _| marked[item] = top != labels[item] as usize)?;
            }
            filter => marked = by_counts(labels, probs, options, filter)?,
        }
        each_row(probs, |item, row, _, _| marked[item] &= !predicted(row, labels[item] as usize))?;
    }
    Ok(marked.iter().enumerate().filter(|(_, marked)| **marked).map(|(item, _)| item).collect())
}

/// The [`suspects`] with the quality of their labels, the worst first.
///
/// # Errors
/// As [`suspects`]; as [`label_quality`].
///
/// ```
/// use superalign_signal::label_noise::{Adjustment, Filter, Score, SuspectOptions, ranked_suspects};
/// let probs = ndarray::array![[0.4, 0.6], [0.1, 0.9], [0.8, 0.2]];
/// let options = SuspectOptions { filter: Filter::Predicted, ..SuspectOptions::default() };
/// let ranked =
///     ranked_suspects(&[0, 0, 0], probs.view(), &options, Score::SelfConfidence, Adjustment::None)?;
/// assert_eq!(ranked.iter().map(|suspect| suspect.item).collect::<Vec<_>>(), [1, 0]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn ranked_suspects<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    options: &SuspectOptions,
    score: Score,
    adjustment: Adjustment,
) -> Result<Vec<Suspect>, SignalError> {
    let quality = label_quality(labels, probs, score, adjustment)?;
    let found = suspects(labels, probs, options)?;
    let mut ranked: Vec<Suspect> =
        found.into_iter().map(|item| Suspect { item, quality: quality[item] }).collect();
    ranked.sort_by(|a, b| a.quality.total_cmp(&b.quality));
    Ok(ranked)
}

/// How wrong labels are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IssueCount {
    /// Items off the diagonal of the uncalibrated joint whose label is not their most likely class (cleanlab's
    /// `off_diagonal`).
    #[default]
    Confident,
    /// n times the mass off the diagonal of the estimated joint, rounded (`off_diagonal_calibrated`).
    Calibrated,
}

/// The estimated number of wrong labels.
///
/// # Errors
/// As [`confident_thresholds`].
///
/// ```
/// use superalign_signal::label_noise::{IssueCount, issue_count};
/// let probs = ndarray::array![[0.9, 0.1], [0.1, 0.9], [0.7, 0.3], [0.1, 0.9]];
/// assert_eq!(issue_count(&[0, 0, 0, 1], probs.view(), IssueCount::Calibrated)?, 1);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn issue_count<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    count: IssueCount,
) -> Result<usize, SignalError> {
    match count {
        IssueCount::Confident => {
            let options = SuspectOptions { filter: Filter::Confident, ..SuspectOptions::default() };
            Ok(suspects(labels, probs, &options)?.len())
        }
        IssueCount::Calibrated => {
            let joint = super::estimate_joint(labels, probs)?;
            let share = 1.0 - joint.diag().sum();
            Ok((share * labels.len() as f64).round_ties_even() as usize)
        }
    }
}

fn predicted<P: Copy + Into<f64>>(row: &[P], label: usize) -> bool {
    let own = row[label].into() + SLACK;
    let below = row[..label].iter().all(|&p| p.into() < own);
    below && row[label + 1..].iter().all(|&p| p.into() <= own)
}

/// Marks the `count` least of (item, value), the earlier item first among equals.
fn mark_least(values: &mut [(u32, f64)], count: usize, marked: &mut [bool]) {
    let count = count.min(values.len());
    if count == 0 {
        return;
    }
    values.select_nth_unstable_by(count - 1, |a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    values[..count].iter().for_each(|&(item, _)| marked[item as usize] = true);
}

/// The filters that take as many items as the calibrated joint says.
fn by_counts<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    options: &SuspectOptions,
    filter: Filter,
) -> Result<Vec<bool>, SignalError> {
    let joint = confident_joint(labels, probs, &JointOptions::default())?;
    let counts = keep(&calibrate_joint(joint.view(), labels)?, options);
    let mut of_label = vec![Vec::new(); probs.ncols()];
    (0_u32..).zip(labels).for_each(|(item, &label)| of_label[label as usize].push(item));
    let (mut by_rate, mut by_class) = (vec![false; labels.len()], vec![false; labels.len()]);
    let p = |item: u32, class: usize| -> f64 { probs[[item as usize, class]].into() };
    for (s, items) in of_label.iter().enumerate().filter(|(_, items)| items.len() > options.least_of_label) {
        if filter != Filter::Class {
            for y in (0..probs.ncols()).filter(|&y| y != s && counts[[s, y]] > 0) {
                let mut values: Vec<_> = items.iter().map(|&item| (item, p(item, s) - p(item, y))).collect();
                mark_least(&mut values, counts[[s, y]], &mut by_rate);
            }
        }
        if filter != Filter::NoiseRate {
            let mut values: Vec<_> = items.iter().map(|&item| (item, p(item, s))).collect();
            mark_least(&mut values, items.len().saturating_sub(counts[[s, s]]), &mut by_class);
        }
    }
    Ok(match filter {
        Filter::Class => by_class,
        Filter::Both => by_rate.iter().zip(&by_class).map(|(&a, &b)| a && b).collect(),
        _ => by_rate,
    })
}

/// The joint (row = given) with at least so many on its diagonal, and only a share of what is off it.
fn keep(joint: &Array2<u64>, options: &SuspectOptions) -> Array2<usize> {
    let mut kept = Array2::zeros(joint.dim());
    for (s, row) in joint.rows().into_iter().enumerate() {
        let diagonal = row[s].max(options.least_of_label as u64);
        let others = row.iter().filter(|count| **count > 0).count().saturating_sub(1).max(1);
        let taken = (diagonal - row[s]) as f64 / others as f64;
        let mut moved = 0.0;
        for (y, &count) in row.iter().enumerate().filter(|(y, _)| *y != s) {
            let rest = (count as f64 - taken).max(0.0);
            kept[[s, y]] = (rest * options.share) as usize;
            moved += rest - rest * options.share;
        }
        kept[[s, s]] = (diagonal as f64 + moved) as usize;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_share() {
        let probs = ndarray::array![[0.5, 0.5]];
        let options = SuspectOptions { share: 1.5, ..SuspectOptions::default() };
        let error = suspects(&[0], probs.view(), &options).unwrap_err().to_string();
        assert_eq!(error, "share = 1.5: expected a number between 0 and 1");
    }

    #[test]
    fn a_smaller_share_finds_some_of_the_same() {
        let (labels, probs) = crate::label_noise::test_input(3000, 3, 8);
        for filter in [Filter::NoiseRate, Filter::Class, Filter::Both] {
            let found = |share| {
                let options = SuspectOptions { share, filter, ..SuspectOptions::default() };
                suspects(&labels, probs.view(), &options).unwrap()
            };
            let (all, half) = (found(1.0), found(0.5));
            assert!(all.len() > 100 && half.len() < all.len() && half.len() > all.len() / 3, "{filter:?}");
            assert!(half.iter().all(|item| all.contains(item)));
            assert_eq!(found(0.0), [0; 0]);
        }
    }
}
