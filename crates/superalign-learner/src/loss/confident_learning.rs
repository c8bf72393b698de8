//! Pruning by confident learning.

use super::batch::{self, Items, Out};
use crate::LearnerError;

/// Which labels are probably wrong: pruning by noise rate, for two classes. True where an item should be dropped;
/// what is left is trained on with [`super::xent`].
///
/// `probabilities` of class 1, one per item, must come from a student that was *not* trained on the item
/// ([`crate::Loss::ConfidentLearning`] cross-validates). A label counts as class 1 from 1/2 on. With the threshold
/// t(k), the mean probability of class k over the items labelled k, an item is confidently of class k if its
/// probability of k is at least t(k) (of both: the likelier). Of the items labelled i, the share that is confidently of
/// the other class, among those that are confidently of any (at least one counts as right), is taken to be mislabelled;
/// that many, rounded, are pruned, the ones with the largest margin p(other) - p(i), but never one that the student
/// puts into the class of its label, nor the last of a class. Of equal margins the earlier item's goes first.
///
/// Source: Northcutt, Jiang and Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels"
/// (arXiv 1911.00068), section 3.2, method 4; the golden file holds what `cleanlab` prunes.
///
/// # Errors
/// No items, another number of labels, a probability or a label outside [0, 1].
///
/// ```
/// let probabilities = [0.1, 0.2, 0.9, 0.1, 0.8, 0.9, 0.7, 0.1];
/// let labels = [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
/// let pruned = superalign_learner::loss::prune(&probabilities, &labels)?;
/// assert_eq!(pruned, [false, false, true, false, false, false, false, true]);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
pub fn prune(probabilities: &[f64], labels: &[f64]) -> Result<Vec<bool>, LearnerError> {
    // Slack on the thresholds, against rounding in a mean of equal probabilities; cleanlab's.
    const SLACK: f64 = 1e-6;
    batch::check(probabilities, labels)?;
    if let Some(row) = probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
        return Err(LearnerError::Probability { row, value: probabilities[row] });
    }
    let items: Vec<[f64; 2]> = probabilities.iter().map(|&p| [1.0 - p, p]).collect();
    let given: Vec<usize> = labels.iter().map(|&y| usize::from(y >= 0.5)).collect();
    let threshold = [0, 1].map(|k| {
        let own: Vec<f64> = items.iter().zip(&given).filter(|(_, g)| **g == k).map(|(p, _)| p[k]).collect();
        // A class without labels has no confident item.
        if own.is_empty() { f64::INFINITY } else { own.iter().sum::<f64>() / own.len() as f64 - SLACK }
    });
    let mut counts = [[0_usize; 2]; 2];
    for (p, &given) in items.iter().zip(&given) {
        let confident = match [p[0] >= threshold[0], p[1] >= threshold[1]] {
            [true, true] => Some(usize::from(p[1] > p[0])),
            [true, false] => Some(0),
            [false, true] => Some(1),
            [false, false] => None,
        };
        if let Some(class) = confident {
            counts[given][class] += 1;
        }
    }
    let mut pruned = vec![false; items.len()];
    for (class, count) in counts.iter().enumerate() {
        let (right, wrong) = (count[class].max(1) as f64, count[1 - class] as f64);
        let mut rows: Vec<usize> = (0..items.len()).filter(|&i| given[i] == class).collect();
        let number = (wrong / (right + wrong) * rows.len() as f64).round_ties_even() as usize;
        rows.sort_by(|&a, &b| items[b][1 - class].total_cmp(&items[a][1 - class]));
        let number = number.min(rows.len().saturating_sub(1));
        for &row in rows.iter().take(number).filter(|&&i| items[i][1 - class] > items[i][class]) {
            pruned[row] = true;
        }
    }
    Ok(pruned)
}

/// On what has been left: cross-entropy.
pub(super) fn terms(items: Items<'_>, mut out: Out<'_>) {
    out.targets(items.y.iter().copied());
}

pub(super) fn sum(items: Items<'_>) -> f64 {
    crate::sigmoid::cross_entropy(items.z, items.y)
}

#[cfg(test)]
mod tests {
    use super::prune;

    #[test]
    fn consistent_labels_stay() {
        assert_eq!(prune(&[0.1, 0.2, 0.8, 0.9], &[0.0, 0.0, 1.0, 1.0]), Ok(vec![false; 4]));
        assert_eq!(prune(&[0.9, 0.8], &[0.0, 0.0]), Ok(vec![false; 2]), "one class only");
    }

    #[test]
    fn bad_probabilities_are_refused() {
        let error = prune(&[0.5, 1.5], &[0.0, 1.0]).expect_err("above 1");
        assert_eq!(error.to_string(), "probabilities: row 1 is 1.5; expected a number in [0, 1]");
    }
}
