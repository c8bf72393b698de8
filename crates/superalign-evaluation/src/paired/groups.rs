//! Scores checked and summed by group: all that standard errors, resamples and sign flips need.

use crate::EvaluationError;

/// Scores of items, summed by group. Without groups each item is its own.
pub(super) struct Groups {
    /// What was taken from every score. The first score, so that equal ones leave no rounding behind, or 0.
    pub(super) origin: f64,
    /// Sum of (score - origin) of each group.
    pub(super) sums: Vec<f64>,
    /// Number of items of each group.
    pub(super) sizes: Vec<u32>,
    /// Number of items.
    pub(super) items: usize,
}

impl Groups {
    pub(super) fn new(scores: &[f64], groups: Option<&[u32]>) -> Result<Self, EvaluationError> {
        Self::about(scores.first().copied().unwrap_or(0.0), scores, groups)
    }

    /// As `new`, with the origin given.
    pub(super) fn about(
        origin: f64,
        scores: &[f64],
        groups: Option<&[u32]>,
    ) -> Result<Self, EvaluationError> {
        check_finite("score of item", scores)?;
        let of_item = dense(scores.len(), groups)?;
        let Some(of_item) = of_item else {
            let sums = scores.iter().map(|score| score - origin).collect();
            return Ok(Self { origin, sums, sizes: vec![1; scores.len()], items: scores.len() });
        };
        let count = of_item.iter().max().map_or(0, |&last| last as usize + 1);
        let (mut sums, mut sizes) = (vec![0.0; count], vec![0_u32; count]);
        for (score, &group) in scores.iter().zip(&of_item) {
            sums[group as usize] += score - origin;
            sizes[group as usize] += 1;
        }
        Ok(Self { origin, sums, sizes, items: scores.len() })
    }

    /// The mean score.
    pub(super) fn mean(&self) -> f64 {
        self.origin + self.sums.iter().sum::<f64>() / self.items as f64
    }

    /// For each group, its sum less what it would be if all its items had the mean score.
    pub(super) fn deviations(&self) -> impl Iterator<Item = f64> {
        let mean = self.sums.iter().sum::<f64>() / self.items as f64;
        self.sums.iter().zip(&self.sizes).map(move |(sum, &size)| sum - mean * f64::from(size))
    }
}

/// The differences of two models' scores, item by item.
pub(super) fn differences(first: &[f64], second: &[f64]) -> Result<Vec<f64>, EvaluationError> {
    if first.len() != second.len() {
        let what = "number of scores of the second model";
        return Err(EvaluationError::Shape { what, found: second.len(), expected: first.len() });
    }
    check_finite("score of the first model for item", first)?;
    check_finite("score of the second model for item", second)?;
    Ok(first.iter().zip(second).map(|(first, second)| first - second).collect())
}

/// The number of each item's group, from 0 in the order of the labels; none where each item is its own group.
///
/// Two groups at least: one has no spread.
pub(super) fn dense(items: usize, groups: Option<&[u32]>) -> Result<Option<Vec<u32>>, EvaluationError> {
    if items < 2 {
        return Err(EvaluationError::TooFew { what: "items", found: items, expected: 2 });
    }
    if u32::try_from(items).is_err() {
        return Err(EvaluationError::setting("items", items as f64, "fewer than 2^32"));
    }
    let Some(groups) = groups else { return Ok(None) };
    if groups.len() != items {
        let what = "number of group labels";
        return Err(EvaluationError::Shape { what, found: groups.len(), expected: items });
    }
    let mut labels = groups.to_vec();
    labels.sort_unstable();
    labels.dedup();
    if labels.len() < 2 {
        return Err(EvaluationError::TooFew { what: "groups", found: labels.len(), expected: 2 });
    }
    Ok(Some(groups.iter().map(|label| labels.partition_point(|other| other < label) as u32).collect()))
}

pub(super) fn check_finite(what: &'static str, scores: &[f64]) -> Result<(), EvaluationError> {
    match scores.iter().position(|score| !score.is_finite()) {
        Some(index) => {
            Err(EvaluationError::Value { what, index, found: scores[index], expected: "a finite number" })
        }
        None => Ok(()),
    }
}
