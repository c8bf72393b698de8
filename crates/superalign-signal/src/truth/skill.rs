//! Votes that count as much as their rater has agreed with the others: Wawa and zero-based skill.

use super::majority::{agreement, weighted};
use super::{Consensus, Majority, majority};
use crate::{SignalError, Votes};

/// Settings of [`zero_based_skill`]: how the skills move towards the agreement; the defaults are crowd-kit's.
///
/// ```
/// use superalign_signal::truth::Skill;
/// let expected = Skill { iterations: 100, rate: 1.0, halve_every: 20, lead: 1e-5 };
/// assert_eq!(Skill::default(), expected);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Skill {
    /// Number of iterations, at least 1.
    pub iterations: usize,
    /// Share of the way to the agreement that a skill goes in an iteration, in (0, 1].
    pub rate: f64,
    /// After so many iterations, at least 1, the rate is halved, and again after as many.
    pub halve_every: usize,
    /// The skill at first is one over the number of categories plus this, which is 0 or more.
    pub lead: f64,
}

impl Default for Skill {
    fn default() -> Self {
        Self { iterations: 100, rate: 1.0, halve_every: 20, lead: 1e-5 }
    }
}

/// Wawa, worker agreement with the aggregate: a vote counts as much as the share of the rater's votes that agree with
/// the plain majority (ties: the lowest category).
///
/// The posterior is the weighted share of each category, `sum of skills of its voters / sum of skills of all voters`;
/// where all voters of an item have skill 0, their votes count alike. Skills are those shares, in [0, 1]. `gold` is
/// used and errors are as in [`majority`].
///
/// # Errors
/// As [`majority`].
///
/// Appen's "worker agreement with aggregate"; reference implementation: crowd-kit's `Wawa`.
///
/// ```
/// use superalign_signal::{Votes, truth::wawa};
/// let votes = Votes::dense(ndarray::array![[0, 0, 1], [1, 1, 1], [0, 0, 1], [1, -1, 0]].view())?;
/// let found = wawa(&votes, None)?;
/// // Rater 2 agrees twice in four (a tie goes to the lowest category).
/// assert_eq!(found.skills, [Some(0.75), Some(1.0), Some(0.5)]);
/// assert_eq!((found.labels[3], found.posterior[[3, 1]]), (1, 0.6));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn wawa(votes: &Votes, gold: Option<&[Option<u32>]>) -> Result<Consensus, SignalError> {
    let skills = majority(votes, gold, &Majority::default())?.skills;
    let weights: Vec<f64> = skills.iter().map(|skill| skill.unwrap_or(0.0)).collect();
    Ok(Consensus { skills, ..weighted(votes, gold, Some(&weights))? })
}

/// Zero-based skill: as [`wawa`], but the labels by the skills and the skills by the labels are made in turn.
///
/// All skills start at `1 / k + lead`; each iteration labels the items by the skills (ties: the lowest category) and
/// moves every skill by `rate * (agreement with the labels - skill)`. Skills end in [0, 1] when the lead is small.
///
/// # Errors
/// As [`majority`]; settings out of their ranges.
///
/// Reference implementation: crowd-kit's `ZeroBasedSkill`.
///
/// ```
/// use superalign_signal::{Votes, truth::{Skill, zero_based_skill}};
/// let votes = Votes::dense(ndarray::array![[0, 0, 1], [1, 1, 1], [0, 0, 1], [1, -1, 0]].view())?;
/// let found = zero_based_skill(&votes, None, &Skill::default())?;
/// assert_eq!(found.skills, [Some(1.0), Some(1.0), Some(0.25)]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn zero_based_skill(
    votes: &Votes,
    gold: Option<&[Option<u32>]>,
    options: &Skill,
) -> Result<Consensus, SignalError> {
    options.check()?;
    let mut skills = vec![1.0 / votes.categories().max(1) as f64 + options.lead; votes.raters()];
    let mut rate = options.rate;
    for iteration in 1..=options.iterations {
        if iteration.is_multiple_of(options.halve_every) {
            rate *= 0.5;
        }
        let labels = weighted(votes, gold, Some(&skills))?.labels;
        let mut moved = false;
        for (skill, agreement) in skills.iter_mut().zip(agreement(votes, &labels)) {
            let next = *skill + rate * (agreement.unwrap_or(0.0) - *skill);
            moved |= next != *skill;
            *skill = next;
        }
        // What does not move once will not move again.
        if !moved {
            break;
        }
    }
    let found = weighted(votes, gold, Some(&skills))?;
    let voted = agreement(votes, &found.labels);
    let skills = skills.into_iter().zip(voted).map(|(skill, voted)| voted.map(|_| skill)).collect();
    Ok(Consensus { skills, ..found })
}

impl Skill {
    fn check(&self) -> Result<(), SignalError> {
        for (key, found) in [("iterations", self.iterations), ("halve_every", self.halve_every)] {
            if found == 0 {
                return Err(SignalError::setting(key, 0.0, "at least 1"));
            }
        }
        if !(self.rate > 0.0 && self.rate <= 1.0) {
            return Err(SignalError::setting("rate", self.rate, "a number above 0, at most 1"));
        }
        if !(self.lead >= 0.0 && self.lead.is_finite()) {
            return Err(SignalError::setting("lead", self.lead, "a number from 0"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn voters_without_any_skill_count_alike() {
        // Rater 1 never agrees with the majority, and is alone on item 3.
        let votes = Votes::dense(array![[0, 1, 0], [0, 1, 0], [1, 0, 1], [-1, 1, -1]].view()).unwrap();
        let gold = [None, None, None, Some(0)];
        let skills = wawa(&votes, Some(&gold)).unwrap().skills;
        assert_eq!(skills, [Some(1.0), Some(0.0), Some(1.0)]);
        let votes = Votes::dense(array![[0, 1], [0, 1], [1, 0]].view()).unwrap();
        let found = wawa(&votes, Some(&[Some(0), Some(0), None])).unwrap();
        assert_eq!(found.skills, [Some(2.0 / 3.0), Some(1.0 / 3.0)]);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let votes = Votes::dense(array![[0, 1]].view()).unwrap();
        let message = |options| zero_based_skill(&votes, None, &options).unwrap_err().to_string();
        let default = Skill::default();
        assert_eq!(message(Skill { iterations: 0, ..default }), "iterations = 0: expected at least 1");
        assert_eq!(
            message(Skill { rate: 1.5, ..default }),
            "rate = 1.5: expected a number above 0, at most 1"
        );
        assert_eq!(message(Skill { lead: f64::NAN, ..default }), "lead = NaN: expected a number from 0");
        assert_eq!(message(Skill { halve_every: 0, ..default }), "halve_every = 0: expected at least 1");
    }
}
