//! Noise rates with their intervals.

use super::joint::{check_classes, confident_thresholds, each_guess, threshold};
use crate::SignalError;
use crate::resample::estimates;
use ndarray::{ArrayView2, s};
use superalign_core::{Bootstrap, Estimate};

/// Guesses are made anew where a threshold moves; how far that is foreseen, in standard errors of the threshold.
const WINDOW: f64 = 5.0;

/// Shares of wrong labels.
#[derive(Clone, Debug, PartialEq)]
pub struct NoiseRates {
    /// Of all labels.
    pub overall: Estimate,
    /// Of the labels given as class s, `(k)`: 1 - P(true = s | given = s).
    pub of_given: Vec<Result<Estimate, SignalError>>,
    /// Of the items of true class y, `(k)`: 1 - P(given = y | true = y).
    pub of_true: Vec<Result<Estimate, SignalError>>,
}

/// The share of wrong labels with its interval over items: overall, of each given label and of each true class.
///
/// Labels `(n)`, probabilities `(n, k)` from a model that was not trained on the item. The joint is the confident
/// joint as counted, its rows scaled to the number of given labels, not rounded. Every resample has thresholds of its
/// own. All in [0, 1]. The rate of a class is an error where no item, or none confidently, is of it.
///
/// # Errors
/// No item, fewer than two classes, a label that is no column, a row that is no distribution within 1e-6, settings of
/// the bootstrap out of their range; where a label that occurs has no confident item, so that the joint is undefined.
///
/// ```
/// use superalign_signal::{Bootstrap, label_noise::noise_rates};
/// # use superalign_core::Seed;
/// // A fifth of the items labelled 0 are surely of class 1.
/// let labels: Vec<u32> = (0..500).map(|i| u32::from(i % 2 == 1)).collect();
/// let sure = |i: usize| if i % 2 == 1 || i % 10 == 0 { 0.05 } else { 0.95 };
/// let probs = ndarray::Array2::from_shape_fn((500, 2), |(i, j)| if j == 0 { sure(i) } else { 1.0 - sure(i) });
/// let rates = noise_rates(&labels, probs.view(), &Bootstrap::new(Seed::new(1)))?;
/// assert!((rates.overall.value - 0.1).abs() < 1e-12 && rates.overall.lo > 0.06 && rates.overall.hi < 0.14);
/// assert!((rates.of_given[0].clone()?.value - 0.2).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn noise_rates<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    by: &Bootstrap,
) -> Result<NoiseRates, SignalError> {
    by.check()?;
    check_classes(probs.ncols())?;
    let places = Places::new(labels, probs)?;
    let k = probs.ncols();
    let kinds: Vec<u32> = (0..labels.len() as u32).collect();
    let mut names = vec!["noise rate"];
    names.resize(k + 1, "noise rate of a given label");
    names.resize(2 * k + 1, "noise rate of a true class");
    let mut joint = vec![0.0; k * k];
    let found = estimates(by, &names, &kinds, |counts, rates| {
        let given = places.count(counts, &mut joint);
        fill(&mut joint, &given, rates);
    });
    let mut found = found.into_iter();
    let overall = found.next().unwrap_or_else(|| unreachable!("one rate of all labels was asked for"))?;
    let of_given = found.by_ref().take(k).collect();
    Ok(NoiseRates { overall, of_given, of_true: found.collect() })
}

/// The rates of a joint of counts (row = given) whose labels occur so often.
fn fill(joint: &mut [f64], given: &[f64], rates: &mut [Result<f64, SignalError>]) {
    let k = given.len();
    let (mut wrong, mut known) = (0.0, true);
    for (s, (row, &count)) in joint.chunks_exact_mut(k).zip(given).enumerate() {
        let sum: f64 = row.iter().sum();
        rates[1 + s] = if sum > 0.0 {
            let rate = 1.0 - row[s] / sum;
            row.iter_mut().for_each(|value| *value *= count / sum);
            wrong += rate * count;
            Ok(rate)
        } else {
            known &= count == 0.0;
            let reason =
                if count == 0.0 { "no item has it" } else { "no item that has it is confidently of a class" };
            Err(SignalError::undefined("noise rate of a given label", reason))
        };
    }
    rates[0] = if known {
        Ok(wrong / given.iter().sum::<f64>())
    } else {
        Err(SignalError::undefined(
            "noise rate",
            "a label that occurs has no item that is confidently of a class",
        ))
    };
    for y in 0..k {
        let sum: f64 = joint.iter().skip(y).step_by(k).sum();
        rates[1 + k + y] = if sum > 0.0 {
            Ok(1.0 - joint[y * k + y] / sum)
        } else {
            Err(SignalError::undefined("noise rate of a true class", "no item is confidently of it"))
        };
    }
}

/// Where each item falls in the joint, as long as the thresholds stay near those of all items.
struct Places<'a, P> {
    labels: &'a [u32],
    probs: ArrayView2<'a, P>,
    /// The probability of the given label.
    own: Vec<f64>,
    /// The place in the joint, or one past its end where the item is not counted, or may move.
    place: Vec<u32>,
    /// The items whose guess changes within the windows.
    moving: Vec<u32>,
    windows: Vec<(f64, f64)>,
}

impl<'a, P: Copy + Into<f64>> Places<'a, P> {
    fn new(labels: &'a [u32], probs: ArrayView2<'a, P>) -> Result<Self, SignalError> {
        let thresholds = confident_thresholds(labels, probs)?;
        let k = thresholds.len();
        let own: Vec<f64> =
            labels.iter().enumerate().map(|(i, &label)| probs[[i, label as usize]].into()).collect();
        let mut squares = vec![[0.0; 2]; k];
        for (&label, own) in labels.iter().zip(&own) {
            let [sum, count] = &mut squares[label as usize];
            *sum += (own - thresholds[label as usize]).powi(2);
            *count += 1.0;
        }
        let windows: Vec<(f64, f64)> = thresholds
            .iter()
            .zip(&squares)
            .map(|(threshold, [sum, count])| {
                let half = if *count > 0.0 { WINDOW * sum.sqrt() / count } else { 0.0 };
                (threshold - half, threshold + half)
            })
            .collect();
        let outside = (k * k) as u32;
        let mut place = vec![outside; labels.len()];
        each_guess(probs, &thresholds, |item, guess| {
            if guess < k {
                place[item] = labels[item] * k as u32 + guess as u32;
            }
        });
        // A margin on both sides, for what is subtracted from thresholds.
        let inside = |p: f64, (low, high): (f64, f64)| low - 1e-5 <= p && p <= high + 1e-5;
        let mut moving = Vec::new();
        for (item, row) in (0_u32..).zip(probs.rows()) {
            if row.iter().zip(&windows).any(|(&p, &window)| inside(p.into(), window)) {
                place[item as usize] = outside;
                moving.push(item);
            }
        }
        Ok(Self { labels, probs, own, place, moving, windows })
    }

    /// Counts items into the joint, each as often as it was drawn; returns how often each label was.
    fn count(&self, counts: &[u32], joint: &mut Vec<f64>) -> Vec<f64> {
        let k = self.windows.len();
        let mut sums = vec![[0.0; 2]; k];
        let mut table = vec![0_u32; k * k + 1];
        for (((&count, &label), own), &place) in
            counts.iter().zip(self.labels).zip(&self.own).zip(&self.place)
        {
            let [sum, number] = &mut sums[label as usize];
            *sum += f64::from(count) * own;
            *number += f64::from(count);
            table[place as usize] += count;
        }
        let thresholds: Vec<f64> = sums.iter().copied().map(threshold).collect();
        // Of a label that was not drawn, the threshold is out of reach.
        let near = thresholds.iter().zip(&self.windows).all(|(t, (low, high))| low <= t && t <= high);
        if near {
            for &item in &self.moving {
                let row = self.probs.slice(s![item as usize..=item as usize, ..]);
                each_guess(row, &thresholds, |_, guess| {
                    if guess < k {
                        table[self.labels[item as usize] as usize * k + guess] += counts[item as usize];
                    }
                });
            }
        } else {
            table.fill(0);
            each_guess(self.probs, &thresholds, |item, guess| {
                if guess < k {
                    table[self.labels[item] as usize * k + guess] += counts[item];
                }
            });
        }
        joint.clear();
        joint.extend(table[..k * k].iter().map(|&count| f64::from(count)));
        sums.iter().map(|[_, count]| *count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label_noise::{Diagonal, JointOptions, confident_joint, test_input};
    use superalign_core::{Seed, below};

    /// Near the thresholds of all items or not, a resample is counted as if it were a sample of its own.
    #[test]
    fn resamples_are_counted_as_samples() {
        for (items, seed) in [(40, 1), (400, 2), (2000, 3)] {
            let (labels, probs) = test_input(items, 4, seed);
            let places = Places::new(&labels, probs.view()).unwrap();
            assert!(places.moving.len() < items);
            for draw in 0..20 {
                let mut rng = Seed::new(seed).nth(draw).rng();
                let drawn: Vec<usize> = (0..items).map(|_| below(&mut rng, items)).collect();
                let mut counts = vec![0; items];
                drawn.iter().for_each(|&item| counts[item] += 1);
                let mut joint = Vec::new();
                places.count(&counts, &mut joint);
                let own: Vec<u32> = drawn.iter().map(|&item| labels[item]).collect();
                let rows = probs.select(ndarray::Axis(0), &drawn);
                let options = JointOptions { diagonal: Diagonal::AsCounted, ..JointOptions::default() };
                let expected = confident_joint(&own, rows.view(), &options).unwrap();
                assert!(joint.iter().zip(&expected).all(|(a, &b)| *a == b as f64), "{items} {draw}");
            }
        }
    }

    #[test]
    fn a_rate_that_does_not_exist_says_why() {
        let probs = ndarray::array![[0.9, 0.1, 0.0], [0.1, 0.9, 0.0], [0.8, 0.2, 0.0], [0.2, 0.8, 0.0]];
        let by = Bootstrap { draws: 50, ..Bootstrap::new(Seed::new(1)) };
        let rates = noise_rates(&[0, 1, 0, 1], probs.view(), &by).unwrap();
        assert_eq!(rates.overall.value, 0.0);
        assert_eq!(
            rates.of_given[2].clone().unwrap_err().to_string(),
            "noise rate of a given label is undefined: no item has it"
        );
        assert_eq!(
            rates.of_true[2].clone().unwrap_err().to_string(),
            "noise rate of a true class is undefined: no item is confidently of it"
        );
    }
}
