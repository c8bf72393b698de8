//! Whether labels disagree with a model by its margin, beyond what class-conditional noise foretells.

use super::kind::{Calibration, Data, Fit, KindOptions, Test};
use ndarray::{Array1, Array2};

/// A transition of fewer expected items than this is taken to be at the bound 0, and known.
const LEAST_IN_CELL: f64 = 0.5;

/// A direction that others explain but for this share of its variance is none of its own.
const RANK: f64 = 1e-8;

/// Disagreement of labels with the most likely class, among items of similar margin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarginGroup {
    /// Smallest and largest margin in the group, in [0, 1].
    pub margin: (f64, f64),
    /// Number of items.
    pub items: usize,
    /// Share of items whose label is not the most likely class.
    pub observed: f64,
    /// That share as class-conditional noise foretells it.
    pub expected: f64,
}

/// The conditional moment test, and its groups by rising margin.
///
/// The moment of group g is M = sum over its items of [label is not the top] - P(label is not the top | x). Given x its
/// variance A is known, as are that of the scores of what was fitted, I, and their covariance B, all under the fit. At
/// the fit, M - B I^-1 U (U the sum of the scores, near 0) has variance V = A - B I^-1 B', and M V^-1 M is
/// chi-squared.
pub(super) fn dependence(data: &Data, fit: &Fit, options: &KindOptions) -> (Test, Vec<MarginGroup>) {
    let (n, k) = (data.labels.len(), data.classes);
    let mut p = vec![0.0; k];
    let mut margins = Vec::with_capacity(n);
    let mut mass = vec![0.0; k];
    for item in 0..n {
        data.probabilities(item, fit.sharpness, &mut p);
        let (mut first, mut second) = (0.0_f64, 0.0_f64);
        for (&p, mass) in p.iter().zip(&mut mass) {
            *mass += p;
            (first, second) = if p > first { (p, first) } else { (first, second.max(p)) };
        }
        margins.push(first - second);
    }
    let group = group(&margins, options.groups.min(n));
    let count = group.iter().max().map_or(0, |&last| last + 1);
    // The parameters that were fitted: transitions off the diagonal that are not at 0, and the sharpness.
    let mut cell = Array2::from_elem((k, k), None);
    let mut size = 0;
    for y in 0..k {
        let inside = |s: usize| fit.transition[[y, s]] * mass[y] >= LEAST_IN_CELL;
        for s in (0..k).filter(|&s| s != y && inside(s) && inside(y)) {
            cell[[y, s]] = Some(size);
            size += 1;
        }
    }
    let sharpness = (options.calibration == Calibration::Temperature).then(|| {
        size += 1;
        size - 1
    });
    let first_moment = size;
    size += count;
    // Sums of scores and moments, and the variance of these sums given x.
    let mut sums = Array1::<f64>::zeros(size);
    let mut variance = Array2::<f64>::zeros((size, size));
    let mut groups = vec![MarginGroup { margin: (1.0, 0.0), items: 0, observed: 0.0, expected: 0.0 }; count];
    let mut entries: Vec<(usize, f64)> = Vec::with_capacity(2 * k + 1);
    for item in 0..n {
        data.probabilities(item, fit.sharpness, &mut p);
        let logs = &data.logs[item * k..(item + 1) * k];
        let mean: f64 = p.iter().zip(logs).map(|(p, log)| p * log).sum();
        let q: Vec<f64> = (0..k).map(|s| (0..k).map(|y| p[y] * fit.transition[[y, s]]).sum()).collect();
        let top = (1..k).fold(0, |top, class| if p[class] > p[top] { class } else { top });
        let mine = &mut groups[group[item]];
        mine.margin = (mine.margin.0.min(margins[item]), mine.margin.1.max(margins[item]));
        mine.items += 1;
        mine.observed += f64::from(u8::from(data.labels[item] != top));
        mine.expected += 1.0 - q[top];
        for label in (0..k).filter(|&label| q[label] > 1e-12) {
            entries.clear();
            for other in (0..k).filter(|&other| other != label) {
                entries.extend(cell[[other, label]].map(|place| (place, p[other] / q[label])));
                entries.extend(cell[[label, other]].map(|place| (place, -p[label] / q[label])));
            }
            if let Some(place) = sharpness {
                let slope = |y: usize| fit.transition[[y, label]] * p[y] * (logs[y] - mean);
                entries.push((place, (0..k).map(slope).sum::<f64>() / q[label]));
            }
            let disagrees = f64::from(u8::from(label != top));
            entries.push((first_moment + group[item], disagrees - (1.0 - q[top])));
            for &(a, left) in &entries {
                for &(b, right) in &entries {
                    variance[[a, b]] += q[label] * left * right;
                }
            }
            if label == data.labels[item] {
                entries.iter().for_each(|&(place, value)| sums[place] += value);
            }
        }
    }
    for group in &mut groups {
        group.observed /= group.items as f64;
        group.expected /= group.items as f64;
    }
    let (statistic, degrees) = residual(variance, sums, first_moment);
    (Test::new(statistic, degrees), groups)
}

/// The group of each item: parts of equal size by rising margin, equal margins together.
fn group(margins: &[f64], count: usize) -> Vec<usize> {
    let mut sorted = margins.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut cuts: Vec<f64> = (1..count).map(|g| sorted[g * margins.len() / count]).collect();
    cuts.dedup();
    // A cut at the smallest margin would leave its group empty.
    cuts.retain(|&cut| cut > sorted[0]);
    margins.iter().map(|&margin| cuts.partition_point(|&cut| cut <= margin)).collect()
}

/// The quadratic form of what the last sums are beyond the first ones, and its rank: elimination in place, in order,
/// leaving out what earlier directions explain.
fn residual(mut variance: Array2<f64>, mut sums: Array1<f64>, first: usize) -> (f64, usize) {
    let size = sums.len();
    let scale: Vec<f64> = variance.diag().to_vec();
    let (mut statistic, mut degrees) = (0.0, 0);
    for step in 0..size {
        let pivot = variance[[step, step]];
        if pivot <= RANK * scale[step] || pivot <= f64::MIN_POSITIVE {
            continue;
        }
        if step >= first {
            statistic += sums[step] * sums[step] / pivot;
            degrees += 1;
        }
        for row in step + 1..size {
            let factor = variance[[row, step]] / pivot;
            if factor != 0.0 {
                for column in step + 1..size {
                    variance[[row, column]] -= factor * variance[[step, column]];
                }
                sums[row] -= factor * sums[step];
            }
        }
    }
    (statistic, degrees)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_residual_is_that_of_a_regression() {
        // Given the first, the second has variance 4 - 1 and sum 3 - 1 / 2 * 2; the third is twice the second.
        let variance = array![[4.0, 2.0, 4.0], [2.0, 4.0, 8.0], [4.0, 8.0, 16.0]];
        let (statistic, degrees) = residual(variance, array![2.0, 3.0, 6.0], 1);
        assert!((statistic - 4.0 / 3.0).abs() < 1e-12);
        assert_eq!(degrees, 1);
    }

    #[test]
    fn equal_margins_stay_together() {
        assert_eq!(group(&[0.5, 0.1, 0.5, 0.5, 0.9, 0.5], 3), [1, 0, 1, 1, 1, 1]);
        assert_eq!(group(&[0.5; 4], 4), [0; 4]);
        assert_eq!(group(&[0.4, 0.1, 0.3, 0.2], 2), [1, 0, 1, 0]);
    }
}
