//! A coefficient from kinds of items and how many there are of each. Grouping items and resampling are not here.

use super::conger::ByRater;
use super::distance::{Scale, mean};
use super::kinds::Kinds;
use super::{Coefficient, Level, Parts, Raters};
use crate::SignalError;

/// A coefficient over kinds of items, ready for any number of items of each.
pub(super) struct Chance<'a> {
    pub(super) kinds: &'a Kinds,
    pub(super) coefficient: Coefficient,
    pub(super) scale: Scale,
    /// For each kind the mean distance of two votes on an item.
    pub(super) within: Vec<f64>,
    /// For each category its share or its votes, as the coefficient counts them; for Cohen's the first rater's.
    pub(super) labels: Vec<f64>,
    /// The second rater's, for Cohen's.
    pub(super) others: Vec<f64>,
    /// For each category its mean distance to a label drawn by chance.
    pub(super) means: Vec<f64>,
    /// The votes by rater, for Conger's.
    pub(super) raters: Option<ByRater>,
}

impl<'a> Chance<'a> {
    pub(super) fn new(kinds: &'a Kinds, coefficient: Coefficient) -> Result<Self, SignalError> {
        let name = coefficient.name();
        if !kinds.sizes.iter().any(|&size| size > 1) {
            return Err(SignalError::TooFew { what: "items with two votes or more", found: 0, expected: 1 });
        }
        let mut seen = vec![true; kinds.values.len()];
        match coefficient {
            Coefficient::Cohen(_) => {
                seen.fill(false);
                let both = (0..kinds.len()).map(|kind| kinds.voters(kind)).filter(|voters| voters.len() == 2);
                both.flatten().for_each(|voter| seen[voter.1 as usize] = true);
            }
            Coefficient::Fleiss(_, Raters::Equal) => {
                let (low, high) = (kinds.sizes.iter().min(), kinds.sizes.iter().max());
                if let (Some(low), Some(high)) = (low, high)
                    && low != high
                {
                    let found =
                        format!("items have from {low} to {high} votes, and equally many are asked for");
                    return Err(SignalError::undefined(name, found));
                }
            }
            _ => {}
        }
        let scale = match coefficient {
            Coefficient::Krippendorff(level) => Scale::level(level, &kinds.values, &seen),
            Coefficient::Raw(weighting)
            | Coefficient::Cohen(weighting)
            | Coefficient::Conger(weighting)
            | Coefficient::Fleiss(weighting, _)
            | Coefficient::BrennanPrediger(weighting)
            | Coefficient::WeightedKrippendorff(weighting)
            | Coefficient::Gwet(weighting) => Scale::weighted(weighting, &kinds.values, &seen),
        }?;
        let within = (0..kinds.len()).map(|kind| scale.distance.within(kinds.runs(kind))).collect();
        let empty = vec![0.0; kinds.values.len()];
        Ok(Self {
            kinds,
            coefficient,
            scale,
            within,
            labels: empty.clone(),
            others: empty.clone(),
            means: empty,
            raters: matches!(coefficient, Coefficient::Conger(_)).then(|| ByRater::new(kinds)),
        })
    }

    /// The coefficient where there are `counts[k]` items of kind k.
    pub(super) fn parts(&mut self, counts: &[u32]) -> Result<Parts, SignalError> {
        let (observed, expected) = match self.coefficient {
            Coefficient::Raw(_) => (self.observed(counts)?, 1.0),
            Coefficient::Cohen(_) => self.of_two_raters(counts)?,
            Coefficient::Fleiss(..) => {
                self.count_shares(counts);
                (self.observed(counts)?, self.by_chance()?)
            }
            Coefficient::Conger(_) => (self.observed(counts)?, self.between_raters(counts)?),
            Coefficient::BrennanPrediger(_) => {
                self.several_categories()?;
                (self.observed(counts)?, self.scale.uniform)
            }
            Coefficient::Gwet(_) => {
                self.several_categories()?;
                self.count_shares(counts);
                let spread = (1.0 - self.scale.uniform) * self.scale.size / (self.scale.size - 1.0);
                let all: f64 = self.labels.iter().sum();
                let gini: f64 = self.labels.iter().map(|share| share / all * ((all - share) / all)).sum();
                (self.observed(counts)?, 1.0 - spread * gini)
            }
            Coefficient::Krippendorff(_) | Coefficient::WeightedKrippendorff(_) => self.of_votes(counts)?,
        };
        if expected > 0.0 {
            Ok(Parts { value: 1.0 - observed / expected, observed: 1.0 - observed, expected: 1.0 - expected })
        } else {
            Err(self.undefined("the labels are too close together for a distance by chance"))
        }
    }

    fn undefined(&self, reason: &'static str) -> SignalError {
        SignalError::undefined(self.coefficient.name(), reason)
    }

    /// The mean over items of the mean distance of two votes.
    fn observed(&self, counts: &[u32]) -> Result<f64, SignalError> {
        let (mut sum, mut items) = (0.0, 0.0);
        for ((&count, &size), &within) in counts.iter().zip(&self.kinds.sizes).zip(&self.within) {
            if size > 1 {
                items += f64::from(count);
                sum += f64::from(count) * within;
            }
        }
        if items > 0.0 { Ok(sum / items) } else { Err(self.undefined("no item has two votes")) }
    }

    /// Fills in the share of each label, summed over items.
    fn count_shares(&mut self, counts: &[u32]) {
        self.labels.fill(0.0);
        for (kind, (&count, &size)) in counts.iter().zip(&self.kinds.sizes).enumerate() {
            if count > 0 {
                for &(label, many) in self.kinds.runs(kind) {
                    self.labels[label as usize] += f64::from(count) * (f64::from(many) / f64::from(size));
                }
            }
        }
    }

    /// The mean distance of two labels drawn by their shares.
    fn by_chance(&mut self) -> Result<f64, SignalError> {
        if self.labels.iter().filter(|&&share| share > 0.0).take(2).count() < 2 {
            return Err(self.undefined("all votes have one label, so that chance alone agrees always"));
        }
        self.scale.distance.means(&self.labels, &mut self.means);
        Ok(mean(&self.labels, &self.means))
    }

    /// The mean distance of two raters' labels, over pairs of raters.
    fn between_raters(&mut self, counts: &[u32]) -> Result<f64, SignalError> {
        let Some(raters) = &self.raters else { unreachable!("Conger's kappa knows its raters") };
        self.labels.fill(0.0);
        let (mut number, mut own) = (0.0, 0.0);
        raters.shares(counts, &mut self.others, |shares, _, _| {
            number += 1.0;
            self.scale.distance.means(shares, &mut self.means);
            own += mean(shares, &self.means);
            self.labels.iter_mut().zip(shares).for_each(|(sum, share)| *sum += *share);
        });
        let all = self.by_chance()?;
        Ok((number * number * all - own) / (number * (number - 1.0)))
    }

    fn several_categories(&self) -> Result<(), SignalError> {
        if self.scale.size > 1.0 {
            Ok(())
        } else {
            Err(self.undefined("there is one category, so that chance alone agrees always"))
        }
    }

    fn of_two_raters(&mut self, counts: &[u32]) -> Result<(f64, f64), SignalError> {
        let observed = self.observed(counts)?;
        self.labels.fill(0.0);
        self.others.fill(0.0);
        for (kind, &count) in counts.iter().enumerate() {
            if let [(_, a), (_, b)] = *self.kinds.voters(kind) {
                self.labels[a as usize] += f64::from(count);
                self.others[b as usize] += f64::from(count);
            }
        }
        let both = self.labels.iter().zip(&self.others).map(|(a, b)| a + b);
        if both.filter(|&votes| votes > 0.0).take(2).count() < 2 {
            return Err(self.undefined("all votes have one label, so that chance alone agrees always"));
        }
        self.scale.distance.means(&self.others, &mut self.means);
        Ok((observed, mean(&self.labels, &self.means)))
    }

    /// The distances in which every vote counts alike, those of irrCAC.
    fn of_votes(&mut self, counts: &[u32]) -> Result<(f64, f64), SignalError> {
        self.labels.fill(0.0);
        for (kind, (&count, &size)) in counts.iter().zip(&self.kinds.sizes).enumerate() {
            if count > 0 && size > 1 {
                for &(label, many) in self.kinds.runs(kind) {
                    self.labels[label as usize] += f64::from(count) * f64::from(many);
                }
            }
        }
        let votes: f64 = self.labels.iter().sum();
        if votes == 0.0 {
            return Err(self.undefined("no item has two votes"));
        }
        if self.coefficient == Coefficient::Krippendorff(Level::Ordinal) {
            self.scale.distance.rank(&self.labels);
            let Self { kinds, scale, within, .. } = self;
            within
                .iter_mut()
                .enumerate()
                .for_each(|(k, within)| *within = scale.distance.within(kinds.runs(k)));
        }
        let expected = self.by_chance()?;
        let mut sum = 0.0;
        for ((&count, &size), &within) in counts.iter().zip(&self.kinds.sizes).zip(&self.within) {
            sum += f64::from(count) * f64::from(size) * within;
        }
        Ok((sum / votes * ((votes - 1.0) / votes), expected))
    }
}
