//! Items summed by subset, and resampled within the subsets that are resampled together.

use crate::EvaluationError;
use std::collections::BTreeMap;
use superalign_core::{Rng, below};

/// The accuracy of one subset.
#[derive(Clone, Debug, PartialEq)]
pub struct Accuracy<'a> {
    /// Name of the subset.
    pub subset: &'a str,
    /// Number of its items.
    pub items: usize,
    /// Mean credit of its items, in `0..=1`.
    pub value: f64,
}

/// The accuracy of each subset, in the order of their names: what [`v1_scores`](super::v1_scores) and
/// [`v2_scores`](super::v2_scores) take.
///
/// `subsets` holds the name of each item's subset, `credits` its credit.
///
/// # Errors
/// Two numbers of items; a credit outside `0..=1`.
///
/// ```
/// use superalign_evaluation::reward_bench::accuracies;
/// let found = accuracies(&["hep-go", "hep-cpp", "hep-go"], &[1.0, 0.5, 0.0])?;
/// assert_eq!((found[1].subset, found[1].items, found[1].value), ("hep-go", 2, 0.5));
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn accuracies<'a, S: AsRef<str>>(
    subsets: &'a [S],
    credits: &[f64],
) -> Result<Vec<Accuracy<'a>>, EvaluationError> {
    check(subsets.len(), credits)?;
    let mut sums: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
    for (subset, credit) in subsets.iter().zip(credits) {
        let (sum, items) = sums.entry(subset.as_ref()).or_default();
        *sum += credit;
        *items += 1;
    }
    Ok(sums
        .into_iter()
        .map(|(subset, (sum, items))| Accuracy { subset, items, value: sum / items as f64 })
        .collect())
}

fn check(items: usize, credits: &[f64]) -> Result<(), EvaluationError> {
    if credits.len() != items {
        let what = "number of credits";
        return Err(EvaluationError::Shape { what, found: credits.len(), expected: items });
    }
    if let Some(index) = credits.iter().position(|credit| !(0.0..=1.0).contains(credit)) {
        let (what, expected) = ("credit of item", "a number from 0 to 1");
        return Err(EvaluationError::Value { what, index, found: credits[index], expected });
    }
    Ok(())
}

/// What one prompt adds to one subset.
struct Part {
    subset: usize,
    sum: f64,
    items: f64,
}

/// Prompts, by what they are resampled among.
///
/// The benchmark has so many items of each subset by design, so that each subset is resampled within itself. Subsets
/// that have prompts in common are resampled together.
pub(super) struct Prompts {
    strata: Vec<Vec<Vec<Part>>>,
    /// Subsets, by number, whose stratum has one prompt.
    lone: Vec<bool>,
    subsets: usize,
}

impl Prompts {
    /// `subset_of` holds the number of each item's subset, below `subsets`; without `prompts` each item has its own.
    pub(super) fn new(
        subset_of: &[usize],
        credits: &[f64],
        prompts: Option<&[u32]>,
        subsets: usize,
    ) -> Result<Self, EvaluationError> {
        check(subset_of.len(), credits)?;
        if let Some(prompts) = prompts
            && prompts.len() != subset_of.len()
        {
            let what = "number of prompts";
            return Err(EvaluationError::Shape { what, found: prompts.len(), expected: subset_of.len() });
        }
        let mut found: BTreeMap<usize, Vec<Part>> = BTreeMap::new();
        for (item, (&subset, &credit)) in subset_of.iter().zip(credits).enumerate() {
            let parts = found.entry(prompts.map_or(item, |prompts| prompts[item] as usize)).or_default();
            match parts.iter_mut().find(|part| part.subset == subset) {
                Some(part) => {
                    part.sum += credit;
                    part.items += 1.0;
                }
                None => parts.push(Part { subset, sum: credit, items: 1.0 }),
            }
        }
        // The least subset that each is connected with.
        let mut least: Vec<usize> = (0..subsets).collect();
        for parts in found.values() {
            for part in parts {
                let (one, other) = (least[parts[0].subset], least[part.subset]);
                least
                    .iter_mut()
                    .filter(|place| **place == one.max(other))
                    .for_each(|place| *place = one.min(other));
            }
        }
        let mut strata: Vec<Vec<Vec<Part>>> = (0..subsets).map(|_| Vec::new()).collect();
        for parts in found.into_values() {
            strata[least[parts[0].subset]].push(parts);
        }
        let lone = least.iter().map(|&stratum| strata[stratum].len() == 1).collect();
        strata.retain(|stratum| !stratum.is_empty());
        Ok(Self { strata, lone, subsets })
    }

    /// Whether all subsets of a score have more than one prompt, by the draws of which it varies.
    pub(super) fn check_spread<'a>(
        &self,
        score: &'static str,
        used: &[usize],
        name: impl Fn(usize) -> &'a str,
    ) -> Result<(), EvaluationError> {
        match used.iter().find(|&&subset| self.lone[subset]) {
            Some(&subset) => {
                let reason = format!("{} has one prompt, which has no spread", name(subset));
                Err(EvaluationError::undefined(score, reason))
            }
            None => Ok(()),
        }
    }

    /// The accuracy of each subset, NaN of those without items.
    pub(super) fn accuracies(&self) -> Vec<f64> {
        self.of(|size, place| (place < size).then_some(place))
    }

    /// That of a resample.
    pub(super) fn resample(&self, rng: &mut Rng) -> Vec<f64> {
        self.of(|size, place| (place < size).then(|| below(rng, size)))
    }

    fn of(&self, mut pick: impl FnMut(usize, usize) -> Option<usize>) -> Vec<f64> {
        let mut sums = vec![(0.0, 0.0); self.subsets];
        for stratum in &self.strata {
            let picked = (0..).map_while(|place| pick(stratum.len(), place));
            for part in picked.flat_map(|place| &stratum[place]) {
                sums[part.subset].0 += part.sum;
                sums[part.subset].1 += part.items;
            }
        }
        sums.into_iter().map(|(sum, items)| sum / items).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use superalign_core::Seed;

    #[test]
    fn what_is_no_credit_is_refused() {
        let error = accuracies(&["a", "b"], &[1.0]).unwrap_err().to_string();
        assert_eq!(error, "number of credits: found 1, expected 2");
        let error = accuracies(&["a", "b"], &[1.0, 1.5]).unwrap_err().to_string();
        assert_eq!(error, "credit of item 1 is 1.5: expected a number from 0 to 1");
        let error = Prompts::new(&[0, 0], &[1.0, 1.0], Some(&[3]), 1).err().unwrap().to_string();
        assert_eq!(error, "number of prompts: found 1, expected 2");
    }

    #[test]
    fn subsets_are_resampled_apart_but_where_they_share_prompts() {
        // Subsets 0 and 2 share prompt 5, subset 1 has one prompt, subset 3 has no item.
        let subset_of = [0, 0, 2, 2, 1];
        let prompts =
            Prompts::new(&subset_of, &[1.0, 0.0, 1.0, 0.0, 0.5], Some(&[5, 6, 5, 7, 9]), 4).unwrap();
        assert_eq!(prompts.strata.len(), 2);
        assert_eq!(prompts.lone, [false, true, false, false]);
        let whole = prompts.accuracies();
        assert_eq!(whole[..3], [0.5, 0.5, 0.5]);
        assert!(whole[3].is_nan());
        let mut rng = Seed::new(1).rng();
        for _ in 0..50 {
            let drawn = prompts.resample(&mut rng);
            assert_eq!(drawn[1], 0.5);
            // Prompt 5 alone, of which both items are right, gives the one subset what it gives the other.
            assert!(drawn[0] != 1.0 || drawn[2].is_nan() || drawn[2] > 0.0);
        }
    }
}
