//! Early stopping on labels that the supervisor gave, and the split it needs.

use super::Head;
use super::items::Material;
use crate::LearnerError;
use superalign_core::{Seed, below};

/// Whether training may stop before its last step. Only the given labels can decide: gold labels are no argument of
/// training.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Stopping {
    /// All steps are taken and the last weights kept.
    #[default]
    None,
    /// A share of the items is held out, by whole groups, with the labels that the supervisor gave them. The
    /// cross-entropy of the held-out labels (the mean of each objective's, added up over the objectives of the plan)
    /// is measured now and then, and the weights where it was least are kept. Measuring begins once every objective
    /// of the plan has been trained: a plan of two phases is not judged before its second.
    Supervisor {
        /// Share of the rows of every objective to hold out, above 0 and below 1; at least one row.
        share: f64,
        /// Training stops after this many measurements in a row that are no better than the best, at least 1.
        patience: usize,
        /// Steps between measurements, at least 1. The last step is measured too.
        every: usize,
    },
}

/// Rows of the material for training and for measuring, of each objective of the plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Split {
    pub(crate) training: [Vec<usize>; 2],
    pub(crate) held_out: [Vec<usize>; 2],
}

impl Split {
    /// Everything is for training.
    pub(crate) fn all(material: &Material, heads: &[Head]) -> Self {
        let mut split = Self::default();
        for head in heads {
            split.training[head.index()] = material.rows[head.index()].clone().collect();
        }
        split
    }

    /// Holds groups out, in random order, while that brings the objectives nearer to their shares; at least one.
    pub(crate) fn held_out(
        material: &Material,
        heads: &[Head],
        share: f64,
        seed: Seed,
    ) -> Result<Self, LearnerError> {
        let sources = material.groups.iter().max().map_or(0, |last| last + 1);
        let mut order: Vec<usize> = (0..sources).collect();
        shuffle(&mut order, seed);
        // Rows of each source in each objective that is trained.
        let mut sizes = vec![[0_usize; 2]; sources];
        let mut wanted = [0_usize; 2];
        for head in heads {
            let rows = material.rows[head.index()].clone();
            wanted[head.index()] = ((share * rows.len() as f64).round() as usize).max(1);
            for row in rows {
                sizes[material.groups[row]][head.index()] += 1;
            }
        }
        let mut chosen = vec![false; sources];
        for &source in &order {
            // Rows that are still missing would be met, and at most as many taken beyond them.
            let missing = wanted.map(|n| n as isize);
            let (mut nearer, mut further) = (0, 0);
            for i in 0..2 {
                let size = sizes[source][i] as isize;
                let met = size.min(missing[i].max(0));
                nearer += met;
                further += size - met;
            }
            if nearer > further || (nearer > 0 && nearer == further) {
                chosen[source] = true;
                for (wanted, size) in wanted.iter_mut().zip(sizes[source]) {
                    *wanted = wanted.saturating_sub(size);
                }
            }
        }
        for head in heads {
            let mut of_head = order.iter().filter(|source| sizes[**source][head.index()] > 0);
            if let (false, Some(&first)) = (of_head.clone().any(|source| chosen[*source]), of_head.next()) {
                chosen[first] = true;
            }
        }
        let mut split = Self::default();
        for head in heads {
            let rows = material.rows[head.index()].clone();
            let (held_out, training): (Vec<_>, Vec<_>) = rows.partition(|row| chosen[material.groups[*row]]);
            if held_out.is_empty() || training.len() < crate::MINIMUM_ROWS {
                let (training, held_out) = (training.len(), held_out.len());
                return Err(LearnerError::HeldOut { head: *head, training, held_out });
            }
            split.training[head.index()] = training;
            split.held_out[head.index()] = held_out;
        }
        Ok(split)
    }
}

/// Puts a list into a random order (Fisher and Yates).
pub(crate) fn shuffle(list: &mut [usize], seed: Seed) {
    let mut rng = seed.rng();
    for i in (1..list.len()).rev() {
        list.swap(i, below(&mut rng, i + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Items, Scaling, TrunkItems};
    use ndarray::Array2;

    fn material(groups: &[u32], conformity: usize) -> Material {
        let a = Array2::from_shape_fn((groups.len(), 2), |(i, j)| (i * (j + 1)) as f32);
        let b = Array2::from_shape_fn((conformity, 2), |(i, j)| (i * (j + 2)) as f32);
        let competence = Items { features: a.view(), groups: Some(groups) };
        let items = if conformity == 0 {
            TrunkItems::Shared(competence)
        } else {
            TrunkItems::Separate { competence, conformity: Items::new(b.view()) }
        };
        Material::new(&items, Scaling::UnitVariance).expect("finite")
    }

    #[test]
    fn groups_stay_whole_and_shares_are_met() {
        let groups: Vec<u32> = (0..300).map(|i| 7 * (i / 3)).collect();
        for conformity in [0, 100] {
            let material = material(&groups, conformity);
            for seed in 0..20 {
                let split =
                    Split::held_out(&material, &Head::BOTH, 0.2, Seed::new(seed)).expect("many groups");
                let sizes = split.held_out.clone().map(|rows| rows.len());
                assert_eq!(sizes, if conformity == 0 { [60, 60] } else { [60, 20] });
                for i in 0..2 {
                    let mut all = [&split.training[i][..], &split.held_out[i]].concat();
                    all.sort_unstable();
                    assert_eq!(all, material.rows[i].clone().collect::<Vec<_>>());
                    let of = |rows: &[usize]| rows.iter().map(|r| material.groups[*r]).collect::<Vec<_>>();
                    let (training, held_out) = (of(&split.training[i]), of(&split.held_out[i]));
                    assert!(held_out.iter().all(|group| !training.contains(group)), "a group on both sides");
                }
            }
            let other = Split::held_out(&material, &Head::BOTH, 0.2, Seed::new(1)).expect("many groups");
            assert_ne!(Split::held_out(&material, &Head::BOTH, 0.2, Seed::new(0)), Ok(other));
        }
    }

    #[test]
    fn one_source_cannot_be_split() {
        let error = Split::held_out(&material(&[4; 30], 0), &[Head::Conformity], 0.2, Seed::new(0));
        insta::assert_snapshot!(error.expect_err("one group"), @"stopping: holding out whole groups leaves 0 conformity rows to train on and 30 to measure; expected at least 2 and 1: use more or smaller groups, or another share");
    }
}
