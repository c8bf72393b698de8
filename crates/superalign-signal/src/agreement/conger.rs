//! The votes of each rater, for Conger's kappa. What all coefficients have in common is not here.

use super::distance::{Distance, mean};
use super::kinds::Kinds;

/// For each rater with votes the kinds of the items that it rated and its labels.
pub(super) struct ByRater(Vec<Vec<(u32, u32)>>);

impl ByRater {
    pub(super) fn new(kinds: &Kinds) -> Self {
        let mut raters: Vec<Vec<(u32, u32)>> = Vec::new();
        for kind in 0..kinds.len() {
            for &(rater, label) in kinds.voters(kind) {
                let rater = rater as usize;
                if rater >= raters.len() {
                    raters.resize_with(rater + 1, Vec::new);
                }
                raters[rater].push((kind as u32, label));
            }
        }
        Self(raters)
    }

    /// Calls `with` for each rater that has votes: its shares of labels, its number of votes, and which they are.
    pub(super) fn shares(
        &self,
        counts: &[u32],
        shares: &mut [f64],
        mut with: impl FnMut(&[f64], f64, &[(u32, u32)]),
    ) {
        for votes in &self.0 {
            shares.fill(0.0);
            let mut all = 0.0;
            for &(kind, label) in votes {
                let count = f64::from(counts[kind as usize]);
                shares[label as usize] += count;
                all += count;
            }
            if all > 0.0 {
                shares.iter_mut().for_each(|share| *share /= all);
                with(shares, all, votes);
            }
        }
    }

    /// Half the influence on p_e of an item of each kind, of `items` with a vote (Gwet 2014, ch. 5).
    ///
    /// A vote moves its rater's shares, and with them the distance to the labels of all other raters.
    pub(super) fn influences(
        &self,
        kinds: &Kinds,
        distance: &Distance,
        counts: &[u32],
        items: f64,
    ) -> Vec<f64> {
        let empty = || vec![0.0; kinds.values.len()];
        let (mut own, mut sum, mut to_all, mut to_own) = (empty(), empty(), empty(), empty());
        let mut number = 0.0;
        self.shares(counts, &mut own, |shares, _, _| {
            number += 1.0;
            sum.iter_mut().zip(shares).for_each(|(sum, share)| *sum += *share);
        });
        distance.means(&sum, &mut to_all);
        let mut influences = vec![0.0; kinds.len()];
        self.shares(counts, &mut own, |shares, all, votes| {
            distance.means(shares, &mut to_own);
            let typical = number * mean(shares, &to_all) - mean(shares, &to_own);
            for &(kind, label) in votes {
                let to_others = number * to_all[label as usize] - to_own[label as usize];
                influences[kind as usize] -= items / all * (to_others - typical) / (number * (number - 1.0));
            }
        });
        influences
    }
}
