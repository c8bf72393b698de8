//! Tasks: a right candidate and a wrong one of the same question.

use crate::experiment::score::Truth;
use superalign_core::{Bootstrap, Estimate, below};
use superalign_evaluation::surrogate::Tag;

/// Two items of the test part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::experiment) struct Task<'a> {
    /// The place of the right candidate.
    pub(super) right: usize,
    /// The place of the wrong one.
    pub(super) wrong: usize,
    pub(super) family: &'a str,
    pub(super) difficulty: Option<u64>,
    pub(super) group: u32,
}

impl<'a> Task<'a> {
    /// 1 where the right candidate has the greater probability, one half where both have the same.
    pub(super) fn score(&self, said: &[f64]) -> f64 {
        let (right, wrong) = (said[self.right], said[self.wrong]);
        if right == wrong { 0.5 } else { f64::from(u8::from(right > wrong)) }
    }

    pub(super) const fn tag(&self) -> Tag<'a> {
        Tag { family: self.family, difficulty: self.difficulty }
    }
}

/// Neighbours of one group and different labels; an item without such a neighbour is in no task.
pub(in crate::experiment) fn tasks<'a>(truth: &Truth<'a>) -> Vec<Task<'a>> {
    let items = &truth.part.items;
    let mut found = Vec::new();
    let mut i = 0;
    while i + 1 < items.len() {
        if truth.groups[i] != truth.groups[i + 1] || truth.evaluation()[i] == truth.evaluation()[i + 1] {
            i += 1;
            continue;
        }
        let (right, wrong) = if truth.evaluation()[i] { (i, i + 1) } else { (i + 1, i) };
        found.push(Task {
            right,
            wrong,
            family: &items[i].tags.family,
            difficulty: items[i].tags.difficulty.map(u64::from),
            group: truth.groups[i],
        });
        i += 2;
    }
    found
}

/// The mean with its interval over resampled groups.
pub(super) fn mean_by(values: &[f64], groups: &[u32], by: &Bootstrap) -> Result<Estimate, String> {
    ratio_by(values, &vec![1.0; values.len()], groups, by)
}

/// The sum of the one by the sum of the other, with its interval over resampled groups.
pub(super) fn ratio_by(
    above: &[f64],
    below_: &[f64],
    groups: &[u32],
    by: &Bootstrap,
) -> Result<Estimate, String> {
    let mut places = groups.to_vec();
    places.sort_unstable();
    places.dedup();
    let mut sums = vec![(0.0, 0.0); places.len()];
    for ((a, b), group) in above.iter().zip(below_).zip(groups) {
        let sum = &mut sums[places.partition_point(|place| place < group)];
        *sum = (sum.0 + a, sum.1 + b);
    }
    let ratio = |(a, b): (f64, f64)| a / b;
    let total = |all: &mut dyn Iterator<Item = usize>| {
        all.fold((0.0, 0.0), |(a, b), place| (a + sums[place].0, b + sums[place].1))
    };
    let whole = total(&mut (0..sums.len()));
    if whole.1 <= 0.0 {
        return Err("there is nothing to take a mean of".to_owned());
    }
    let draws: Vec<f64> = (0..by.draws as u64)
        .map(|n| {
            let mut rng = by.seed.nth(n).rng();
            ratio(total(&mut (0..sums.len()).map(|_| below(&mut rng, sums.len()))))
        })
        .filter(|draw| draw.is_finite())
        .collect();
    if draws.is_empty() {
        return Err("no resample has a value".to_owned());
    }
    Ok(by.interval(ratio(whole), draws))
}
