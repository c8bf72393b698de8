//! Labels of several raters joined with the probabilities of a model: whom to believe, item by item.
//!
//! Without a model, `truth` has what there is.

use crate::probabilities::{check_labels, each_row};
use crate::{SignalError, Votes};
use ndarray::{Array2, ArrayView1, ArrayView2};

/// Weights and divisors are at least this much.
const LEAST: f64 = 1e-6;

/// How the quality of a label is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CrowdMethod {
    /// By a weighted mean of the model's probabilities and of the raters' votes; a rater weighs what he agrees with
    /// other raters beyond always naming the most frequent class, the model what it agrees with the consensus
    /// (CROWDLAB, Goh et al. 2022).
    #[default]
    Crowdlab,
    /// By the share of the votes that agree; the model breaks ties only.
    Agreement,
}

/// Which label of an item is the consensus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consensus {
    /// The one of the best quality, given the qualities at the majority's labels.
    #[default]
    BestQuality,
    /// The majority's, as [`majority_with_model`].
    Majority,
}

/// Consensus labels, and how good they and their raters are.
#[derive(Clone, Debug, PartialEq)]
pub struct CrowdLabels {
    /// The consensus of each item, a column of the probabilities.
    pub labels: Vec<u32>,
    /// The quality of each consensus, in [0, 1].
    pub quality: Vec<f64>,
    /// The quality of each rater, in [0, 1]; `None` of a rater who shares no item with another.
    pub raters: Vec<Option<f64>>,
}

/// The majority's label of each item; ties go to the most likely class of the tied ones, then to the rarest in all
/// votes, then to the raters who agree best with the majority on the items without a tie, then to the first class.
///
/// The values of the votes are columns of `probs` `(n, k)`. Source: cleanlab's `get_majority_vote_label`, which
/// breaks the last tie at random.
///
/// # Errors
/// Another number of items, an item without a vote, a vote that is no column, fewer than two classes, a row that is no
/// distribution within 1e-6.
///
/// ```
/// use superalign_signal::{Votes, label_noise::majority_with_model};
/// let votes = Votes::dense(ndarray::array![[0_i8, 1], [1, 1]].view())?;
/// let probs = ndarray::array![[0.3, 0.7], [0.9, 0.1]];
/// assert_eq!(majority_with_model(&votes, probs.view())?, [1, 1]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn majority_with_model<P: Copy + Into<f64>>(
    votes: &Votes,
    probs: ArrayView2<'_, P>,
) -> Result<Vec<u32>, SignalError> {
    Ok(Crowd::new(votes, probs)?.majority())
}

/// Consensus labels of several raters and a model, with the quality of each label and of each rater.
///
/// The values of the votes are columns of `probs` `(n, k)`, those of a model that was not trained on the item. Source:
/// Goh, Tkachenko and Mueller 2022, and cleanlab's `get_label_quality_multiannotator`.
///
/// # Errors
/// As [`majority_with_model`]; with [`CrowdMethod::Crowdlab`], where no item has votes of two raters.
///
/// ```
/// use superalign_signal::{Votes, label_noise::{Consensus, CrowdMethod, crowd_labels}};
/// let votes = Votes::dense(ndarray::array![[0_i8, 0, 0], [1, 1, 0], [1, 1, 1], [0, 0, 1]].view())?;
/// let probs = ndarray::array![[0.9, 0.1], [0.2, 0.8], [0.1, 0.9], [0.7, 0.3]];
/// let found = crowd_labels(&votes, probs.view(), CrowdMethod::Crowdlab, Consensus::BestQuality)?;
/// assert_eq!(found.labels, [0, 1, 1, 0]);
/// assert!(found.quality[0] > found.quality[1] && found.raters[0] > found.raters[2]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn crowd_labels<P: Copy + Into<f64>>(
    votes: &Votes,
    probs: ArrayView2<'_, P>,
    method: CrowdMethod,
    consensus: Consensus,
) -> Result<CrowdLabels, SignalError> {
    let crowd = Crowd::new(votes, probs)?;
    let majority = crowd.majority();
    let posterior = crowd.posterior(method, &majority)?;
    match consensus {
        Consensus::Majority => Ok(crowd.judge(method, majority, &posterior)),
        Consensus::BestQuality => {
            let best = |(row, &majority): (ArrayView1<'_, f64>, &u32)| {
                let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let mut places = row.iter().zip(0..).filter(|(p, _)| **p == largest).map(|(_, class)| class);
                match (places.next(), places.next()) {
                    (Some(class), None) => class,
                    _ => majority,
                }
            };
            let labels: Vec<u32> = posterior.probs.rows().into_iter().zip(&majority).map(best).collect();
            let posterior = crowd.posterior(method, &labels)?;
            Ok(crowd.judge(method, labels, &posterior))
        }
    }
}

/// Votes as columns of the probabilities.
struct Crowd<'a> {
    votes: &'a Votes,
    /// The class of each category of the votes.
    class: Vec<u32>,
    probs: Array2<f64>,
    /// Of each item, how often each class was voted for.
    counts: Array2<f64>,
}

/// The probability of each class, and the weights it was made with.
struct Posterior {
    probs: Array2<f64>,
    model: f64,
    raters: Vec<f64>,
}

impl<'a> Crowd<'a> {
    fn new<P: Copy + Into<f64>>(votes: &'a Votes, probs: ArrayView2<'_, P>) -> Result<Self, SignalError> {
        let (items, classes) = probs.dim();
        check_labels(&vec![0; votes.items()], probs)?;
        each_row(probs, |_, _, _, _| {})?;
        let mut class = Vec::with_capacity(votes.categories());
        for (index, &found) in votes.values().iter().enumerate() {
            if !(found >= 0.0 && found < classes as f64 && found.fract() == 0.0) {
                let (what, expected) = ("value of category", "a column of the probabilities");
                return Err(SignalError::Value { what, index, found, expected });
            }
            class.push(found as u32);
        }
        let mut counts = Array2::zeros((items, classes));
        for item in 0..items {
            let labels = votes.labels_of_item(item);
            if labels.is_empty() {
                let what = "number of votes on item";
                return Err(SignalError::Value { what, index: item, found: 0.0, expected: "at least 1" });
            }
            labels.iter().for_each(|&label| counts[[item, class[label as usize] as usize]] += 1.0);
        }
        Ok(Self { votes, class, probs: probs.mapv(Into::into), counts })
    }

    fn of_item(&self, item: usize) -> impl Iterator<Item = (usize, u32)> + '_ {
        self.votes.of_item(item).map(|(rater, label)| (rater as usize, self.class[label as usize]))
    }

    fn majority(&self) -> Vec<u32> {
        let frequency = self.counts.sum_axis(ndarray::Axis(0));
        let mut labels = Vec::with_capacity(self.votes.items());
        let mut open = Vec::new();
        let mut clear = vec![false; self.votes.items()];
        for (item, counts) in self.counts.rows().into_iter().enumerate() {
            let mut tied: Vec<usize> = (0..counts.len()).collect();
            keep_largest(&mut tied, |&class| counts[class]);
            clear[item] = tied.len() == 1;
            keep_largest(&mut tied, |&class| self.probs[[item, class]]);
            keep_largest(&mut tied, |&class| -frequency[class]);
            labels.push(tied[0] as u32);
            if tied.len() > 1 {
                open.push((item, tied));
            }
        }
        if !open.is_empty() {
            let agreement = self.agreement(&labels, |item| clear[item]);
            let known: Vec<f64> = agreement.iter().flatten().copied().collect();
            // Where no item is clear, all raters are alike.
            let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
            for (item, mut tied) in open {
                keep_largest(&mut tied, |&class| {
                    let mine = self.of_item(item).filter(|(_, label)| *label as usize == class);
                    let scores: Vec<f64> = mine.map(|(rater, _)| agreement[rater].unwrap_or(mean)).collect();
                    scores.iter().sum::<f64>() / scores.len() as f64
                });
                labels[item] = tied[0] as u32;
            }
        }
        labels
    }

    /// The share of each rater's votes that agree with the labels, over some of the items.
    fn agreement(&self, labels: &[u32], counts: impl Fn(usize) -> bool) -> Vec<Option<f64>> {
        let mut sums = vec![[0.0; 2]; self.votes.raters()];
        for item in (0..labels.len()).filter(|&item| counts(item)) {
            for (rater, label) in self.of_item(item) {
                sums[rater][0] += f64::from(u8::from(label == labels[item]));
                sums[rater][1] += 1.0;
            }
        }
        sums.into_iter().map(|[right, all]| (all > 0.0).then(|| right / all)).collect()
    }

    fn number(&self, item: usize) -> f64 {
        self.votes.labels_of_item(item).len() as f64
    }

    fn is_shared(&self, item: usize) -> bool {
        self.votes.labels_of_item(item).len() > 1
    }

    /// How often each rater agrees with the others on the items they share.
    fn agreement_of_raters(&self) -> Vec<f64> {
        let mut sums = vec![[0.0; 2]; self.votes.raters()];
        for item in 0..self.votes.items() {
            for (rater, label) in self.of_item(item) {
                sums[rater][0] += self.counts[[item, label as usize]] - 1.0;
                sums[rater][1] += self.number(item) - 1.0;
            }
        }
        let known: Vec<Option<f64>> =
            sums.into_iter().map(|[agreed, all]| (all > 0.0).then(|| agreed / all)).collect();
        let values: Vec<f64> = known.iter().flatten().copied().collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        known.into_iter().map(|value| value.unwrap_or(mean)).collect()
    }

    fn posterior(&self, method: CrowdMethod, labels: &[u32]) -> Result<Posterior, SignalError> {
        if method == CrowdMethod::Agreement {
            let mut probs = self.counts.clone();
            for (item, mut row) in probs.rows_mut().into_iter().enumerate() {
                row /= self.number(item);
            }
            return Ok(Posterior { probs, model: 0.0, raters: Vec::new() });
        }
        let classes = self.probs.ncols();
        let shared: Vec<usize> = (0..labels.len()).filter(|&item| self.is_shared(item)).collect();
        if shared.is_empty() {
            return Err(SignalError::undefined("CROWDLAB", "no item has votes of two raters"));
        }
        let mean = |value: &dyn Fn(usize) -> f64| {
            shared.iter().map(|&item| value(item)).sum::<f64>() / shared.len() as f64
        };
        let likelihood = mean(&|item| self.counts[[item, labels[item] as usize]] / self.number(item));
        let other = (1.0 - likelihood) / (classes - 1) as f64;
        let mut of_class = vec![0_usize; classes];
        shared.iter().for_each(|&item| of_class[labels[item] as usize] += 1);
        let most = of_class.iter().max().copied().unwrap_or(0);
        let baseline = (1.0 - most as f64 / shared.len() as f64).max(LEAST);
        let beyond = |error: f64| (1.0 - error / baseline).max(LEAST);
        let raters: Vec<f64> =
            self.agreement_of_raters().into_iter().map(|agreement| beyond(1.0 - agreement)).collect();
        let model_error = mean(&|item| f64::from(u8::from(top(self.probs.row(item)) != labels[item])));
        let per_item = self.votes.len() as f64 / labels.len() as f64;
        let model = beyond(model_error) * per_item.sqrt();
        let mut probs = &self.probs * model;
        for (item, mut row) in probs.rows_mut().into_iter().enumerate() {
            let mut total = model;
            for (rater, label) in self.of_item(item) {
                total += raters[rater];
                for (class, p) in (0..).zip(row.iter_mut()) {
                    *p += raters[rater] * if class == label { likelihood } else { other };
                }
            }
            row /= total;
        }
        Ok(Posterior { probs, model, raters })
    }

    fn judge(&self, method: CrowdMethod, labels: Vec<u32>, posterior: &Posterior) -> CrowdLabels {
        let quality = labels.iter().enumerate().map(|(item, &label)| posterior.probs[[item, label as usize]]);
        let quality: Vec<f64> = quality.collect();
        let mut raters = self.agreement(&labels, |item| self.is_shared(item));
        if method == CrowdMethod::Crowdlab {
            let mut scores = vec![[0.0; 2]; raters.len()];
            for item in 0..labels.len() {
                for (rater, label) in self.of_item(item) {
                    scores[rater][0] += posterior.probs[[item, label as usize]];
                    scores[rater][1] += 1.0;
                }
            }
            let share = self.votes.len() as f64 / (labels.len() * raters.len()) as f64;
            let of_raters = posterior.raters.iter().sum::<f64>() * share;
            let weight = posterior.model / (posterior.model + of_raters);
            for (rater, [sum, count]) in raters.iter_mut().zip(scores) {
                *rater = rater.map(|agreement| weight * sum / count + (1.0 - weight) * agreement);
            }
        }
        CrowdLabels { labels, quality, raters }
    }
}

fn top(row: ArrayView1<'_, f64>) -> u32 {
    (0..)
        .zip(row)
        .fold((0, f64::NEG_INFINITY), |best, (class, &p)| if p > best.1 { (class, p) } else { best })
        .0
}

/// Keeps the classes with the largest value.
fn keep_largest(classes: &mut Vec<usize>, value: impl Fn(&usize) -> f64) {
    let largest = classes.iter().map(&value).fold(f64::NEG_INFINITY, f64::max);
    classes.retain(|class| value(class) == largest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn votes_that_do_not_fit_the_model_are_refused() {
        let probs = array![[0.5, 0.5], [0.5, 0.5]];
        let message = |votes: Array2<i64>| {
            let votes = Votes::dense(votes.view()).unwrap();
            majority_with_model(&votes, probs.view()).unwrap_err().to_string()
        };
        assert_eq!(
            message(array![[0], [2]]),
            "value of category 1 is 2: expected a column of the probabilities"
        );
        assert_eq!(message(array![[0], [-1]]), "number of votes on item 1 is 0: expected at least 1");
        assert_eq!(message(array![[0]]), "number of labels: found 1, expected 2");
        let alone = Votes::dense(array![[0_i64, -1], [-1, 1]].view()).unwrap();
        let found = crowd_labels(&alone, probs.view(), CrowdMethod::Crowdlab, Consensus::BestQuality);
        assert_eq!(found.unwrap_err().to_string(), "CROWDLAB is undefined: no item has votes of two raters");
    }

    #[test]
    fn agreement_counts_votes() {
        let votes = Votes::dense(array![[0_i64, 0, 1], [1, 1, 1], [2, 2, -1]].view()).unwrap();
        let probs = array![[0.1, 0.9, 0.0], [0.9, 0.1, 0.0], [0.4, 0.3, 0.3]];
        for consensus in [Consensus::BestQuality, Consensus::Majority] {
            let found = crowd_labels(&votes, probs.view(), CrowdMethod::Agreement, consensus).unwrap();
            assert_eq!(found.labels, [0, 1, 2]);
            assert_eq!(found.quality, [2.0 / 3.0, 1.0, 1.0]);
            assert_eq!(found.raters, [Some(1.0), Some(1.0), Some(0.5)]);
        }
    }
}
