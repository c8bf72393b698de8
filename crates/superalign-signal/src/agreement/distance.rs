//! Distances of labels, and their sums without a table of all pairs of categories. What is divided by what is not here.

use super::ratio::Ratio;
use super::{Categories, Level, Spacing, Weighting, Weights};
use crate::SignalError;

/// The distance of labels, with the places of the categories that it needs.
pub(super) enum Distance {
    Identity,
    /// |x - y|.
    Linear(Vec<f64>),
    /// (x - y)^2.
    Quadratic(Vec<f64>),
    /// d (d + 1) / (q (q - 1)) with d = |x - y|.
    Ordinal(Vec<f64>, f64),
    /// ((x - y) / (x + y))^2.
    Ratio(Ratio),
}

/// A distance over a set of categories.
pub(super) struct Scale {
    pub(super) distance: Distance,
    /// The number of categories.
    pub(super) size: f64,
    /// The mean distance of two categories, both drawn evenly.
    pub(super) uniform: f64,
}

impl Scale {
    /// The distance of a weighting; `seen` says which of the categories, of these values, occur.
    pub(super) fn weighted(weighting: Weighting, values: &[f64], seen: &[bool]) -> Result<Self, SignalError> {
        let occurring = || (0..values.len()).filter(|&k| seen[k]);
        let mut places = vec![0.0; values.len()];
        let size = match weighting.categories {
            Categories::Observed => {
                occurring().enumerate().for_each(|(place, k)| places[k] = place as f64);
                occurring().count() as f64
            }
            Categories::Whole { first, last } => {
                if first > last {
                    let expected = format!("at least the first one, {first}");
                    return Err(SignalError::setting("last category", f64::from(last), expected));
                }
                let (first, last) = (f64::from(first), f64::from(last));
                for index in occurring() {
                    let found = values[index];
                    if found.fract() != 0.0 || found < first || found > last {
                        let expected = "a whole number from the first to the last of the given categories";
                        return Err(SignalError::Value { what: "label of category", index, found, expected });
                    }
                    places[index] = found - first;
                }
                last - first + 1.0
            }
        };
        let values_count = weighting.categories == Categories::Observed
            && matches!(
                weighting.weights,
                Weights::Linear(Spacing::Value) | Weights::Quadratic(Spacing::Value)
            );
        if let (true, Some(low), Some(high)) = (values_count, occurring().next(), occurring().next_back()) {
            // Halves, since the range of finite numbers may be infinite.
            let range = values[high] / 2.0 - values[low] / 2.0;
            occurring().for_each(|k| {
                places[k] = (values[k] / 2.0 - values[low] / 2.0) / range.max(f64::MIN_POSITIVE);
            });
        } else if !matches!(weighting.weights, Weights::Ordinal) {
            places.iter_mut().for_each(|place| *place /= (size - 1.0).max(1.0));
        }
        let distance = match weighting.weights {
            Weights::Identity => Distance::Identity,
            Weights::Linear(_) => Distance::Linear(places),
            Weights::Quadratic(_) => Distance::Quadratic(places),
            Weights::Ordinal => Distance::Ordinal(places, size),
        };
        let uniform = if values_count {
            let ones: Vec<f64> = seen.iter().map(|&seen| f64::from(u8::from(seen))).collect();
            distance.expected(&ones, &ones)
        } else {
            distance.even(size)
        };
        Ok(Self { distance, size, uniform })
    }

    /// The distance of one of Krippendorff's levels. That of ordinal labels has to be told the votes first.
    pub(super) fn level(level: Level, values: &[f64], seen: &[bool]) -> Result<Self, SignalError> {
        let distance = match level {
            Level::Nominal => Distance::Identity,
            Level::Ordinal => Distance::Quadratic(vec![0.0; values.len()]),
            Level::Interval => {
                return Self::weighted(Weighting::new(Weights::Quadratic(Spacing::Value)), values, seen);
            }
            Level::Ratio => Distance::Ratio(Ratio::new(values)?),
        };
        Ok(Self { distance, size: f64::NAN, uniform: f64::NAN })
    }
}

impl Distance {
    /// Places the categories in the middle of their ranks, for Krippendorff's ordinal level.
    pub(super) fn rank(&mut self, votes: &[f64]) {
        if let Self::Quadratic(places) = self {
            let all: f64 = votes.iter().sum();
            let mut before = 0.0;
            for (place, votes) in places.iter_mut().zip(votes) {
                *place = (before + votes / 2.0) / all;
                before += votes;
            }
        }
    }

    /// The distance of two labels.
    pub(super) fn between(&self, a: u32, b: u32) -> f64 {
        let (a, b) = (a as usize, b as usize);
        if a == b {
            return 0.0;
        }
        match self {
            Self::Identity => 1.0,
            Self::Linear(x) => (x[a] - x[b]).abs(),
            Self::Quadratic(x) => (x[a] - x[b]).powi(2),
            Self::Ordinal(x, q) => {
                let d = (x[a] - x[b]).abs();
                d * (d + 1.0) / (q * (q - 1.0))
            }
            Self::Ratio(ratio) => ratio.between(a, b),
        }
    }

    /// The mean distance of two votes of one item, which has these labels, each so many times, by rising label.
    pub(super) fn within(&self, runs: &[(u32, u32)]) -> f64 {
        if runs.len() < 2 {
            return 0.0;
        }
        let all: f64 = runs.iter().map(|run| f64::from(run.1)).sum();
        let sum = match self {
            Self::Identity => {
                all * all - runs.iter().map(|run| f64::from(run.1) * f64::from(run.1)).sum::<f64>()
            }
            Self::Linear(x) => linear(x, runs, all),
            Self::Quadratic(x) => quadratic(x, runs, all),
            Self::Ordinal(x, q) => (quadratic(x, runs, all) + linear(x, runs, all)) / (q * (q - 1.0)),
            Self::Ratio(ratio) => {
                let mut sum = 0.0;
                for (i, &(a, many)) in runs.iter().enumerate() {
                    for &(b, times) in &runs[..i] {
                        sum +=
                            2.0 * f64::from(many) * f64::from(times) * ratio.between(a as usize, b as usize);
                    }
                }
                sum
            }
        };
        sum / (all * (all - 1.0))
    }

    /// The mean distance of a label drawn by `a` and one drawn by `b`; neither has to sum to 1.
    pub(super) fn expected(&self, a: &[f64], b: &[f64]) -> f64 {
        let mut to = vec![0.0; b.len()];
        self.means(b, &mut to);
        mean(a, &to)
    }

    /// The mean distance from each category to a label drawn by `b`.
    pub(super) fn means(&self, b: &[f64], to: &mut [f64]) {
        let all: f64 = b.iter().sum();
        match self {
            Self::Identity => to.iter_mut().zip(b).for_each(|(to, b)| *to = (all - b) / all),
            Self::Linear(x) => {
                to.fill(0.0);
                add_linear(x, b, all, to);
            }
            Self::Quadratic(x) => {
                to.fill(0.0);
                add_quadratic(x, b, all, to);
            }
            Self::Ordinal(x, q) => {
                to.fill(0.0);
                add_linear(x, b, all, to);
                add_quadratic(x, b, all, to);
                to.iter_mut().for_each(|to| *to /= q * (q - 1.0));
            }
            Self::Ratio(ratio) => ratio.means(b, all, to),
        }
    }

    /// The mean distance of two of q evenly spaced categories.
    fn even(&self, q: f64) -> f64 {
        match self {
            _ if q < 2.0 => 0.0,
            Self::Linear(_) => (q + 1.0) / (3.0 * q),
            Self::Quadratic(_) => (q + 1.0) / (6.0 * (q - 1.0)),
            Self::Ordinal(..) => (q + 1.0) * (q + 2.0) / (6.0 * q * q),
            Self::Identity | Self::Ratio(_) => (q - 1.0) / q,
        }
    }
}

/// The mean of values with these weights.
pub(super) fn mean(weights: &[f64], values: &[f64]) -> f64 {
    let sum: f64 = weights.iter().zip(values).map(|(w, v)| w * v).sum();
    sum / weights.iter().sum::<f64>()
}

/// Sum of |x - y| over the ordered pairs of votes.
fn linear(x: &[f64], runs: &[(u32, u32)], all: f64) -> f64 {
    let first = x[runs[0].0 as usize];
    let (mut sum, mut before) = (0.0, 0.0);
    for &(label, many) in runs {
        let many = f64::from(many);
        sum += many * (x[label as usize] - first) * (2.0 * before + many - all);
        before += many;
    }
    2.0 * sum
}

/// Sum of (x - y)^2 over the ordered pairs of votes, from the deviations from their mean.
fn quadratic(x: &[f64], runs: &[(u32, u32)], all: f64) -> f64 {
    let mean = runs.iter().map(|run| f64::from(run.1) * x[run.0 as usize]).sum::<f64>() / all;
    2.0 * all * runs.iter().map(|run| f64::from(run.1) * (x[run.0 as usize] - mean).powi(2)).sum::<f64>()
}

/// Walks up the categories: a step up moves away from what is below and nears what is above.
fn add_linear(x: &[f64], b: &[f64], all: f64, to: &mut [f64]) {
    let occurring = || (0..x.len()).filter(|&k| b[k] > 0.0);
    let Some(first) = occurring().next() else { return };
    let mut last = x[first];
    let mut sum = occurring().map(|k| b[k] * (x[k] - last)).sum::<f64>();
    let mut below = 0.0;
    for k in 0..x.len() {
        sum += (x[k] - last) * (2.0 * below - all);
        last = x[k];
        below += b[k];
        to[k] += sum / all;
    }
}

/// The squared distance from the mean, and the variance.
fn add_quadratic(x: &[f64], b: &[f64], all: f64, to: &mut [f64]) {
    let mean = b.iter().zip(x).map(|(b, x)| b * x).sum::<f64>() / all;
    let variance = b.iter().zip(x).map(|(b, x)| b * (x - mean).powi(2)).sum::<f64>() / all;
    to.iter_mut().zip(x).for_each(|(to, x)| *to += (x - mean).powi(2) + variance);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_distances(values: &[f64]) -> Vec<Scale> {
        let seen = vec![true; values.len()];
        let weights = [
            Weights::Identity,
            Weights::Linear(Spacing::Index),
            Weights::Linear(Spacing::Value),
            Weights::Quadratic(Spacing::Index),
            Weights::Quadratic(Spacing::Value),
            Weights::Ordinal,
        ];
        let weighted =
            weights.map(|weights| Scale::weighted(Weighting::new(weights), values, &seen).unwrap());
        let levels = [Level::Nominal, Level::Ordinal, Level::Interval, Level::Ratio];
        weighted.into_iter().chain(levels.map(|level| Scale::level(level, values, &seen).unwrap())).collect()
    }

    #[test]
    fn sums_are_those_over_all_pairs() {
        let values = [0.0, 1.0, 1.5, 4.0, 9.0];
        let b = [3.0, 0.0, 1.0, 5.0, 2.5];
        for mut scale in all_distances(&values) {
            if let Distance::Quadratic(x) = &scale.distance
                && x[4] == 0.0
            {
                scale.distance.rank(&b);
            }
            let distance = &scale.distance;
            let mut to = [0.0; 5];
            distance.means(&b, &mut to);
            for k in 0..5 {
                let mean: f64 = (0..5).map(|l| b[l] * distance.between(k, l as u32)).sum::<f64>() / 11.5;
                assert!((to[k as usize] - mean).abs() < 1e-14);
            }
            let votes = [0, 0, 1, 3, 3, 3, 4_u32];
            let runs = [(0, 2), (1, 1), (3, 3), (4, 1)];
            let sum: f64 = votes.iter().flat_map(|&k| votes.map(|l| distance.between(k, l))).sum();
            assert!((distance.within(&runs) - sum / 42.0).abs() < 1e-14);
            if scale.size.is_finite() {
                let even = (0..5).flat_map(|k| (0..5).map(move |l| (k, l)));
                let even: f64 = even.map(|(k, l)| distance.between(k, l)).sum::<f64>() / 25.0;
                assert!((scale.uniform - even).abs() < 1e-14);
                assert!((distance.between(0, 4) - 1.0).abs() < 1e-14, "the ends are 1 apart");
            }
        }
    }

    #[test]
    fn given_categories_have_to_hold_every_label() {
        let given = |first, last| Weighting {
            weights: Weights::Ordinal,
            categories: Categories::Whole { first, last },
        };
        let error = |weighting, values: &[f64]| {
            Scale::weighted(weighting, values, &vec![true; values.len()]).err().unwrap().to_string()
        };
        assert_eq!(error(given(3, 1), &[1.0]), "last category = 1: expected at least the first one, 3");
        let expected = "expected a whole number from the first to the last of the given categories";
        assert_eq!(error(given(1, 3), &[1.0, 4.0]), format!("label of category 1 is 4: {expected}"));
        assert_eq!(error(given(1, 3), &[1.5, 2.0]), format!("label of category 0 is 1.5: {expected}"));
        assert_eq!(
            Scale::weighted(given(i32::MIN, i32::MAX), &[4.0], &[true]).unwrap().size,
            4_294_967_296.0
        );
    }
}
