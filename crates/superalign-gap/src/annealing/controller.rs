//! The state machine: next round, outcome, next round.

use super::policy::{Budget, Candidate, Policy, Round};
use super::record::{Outcome, Record, Scores, check};
use super::schedule::{Schedule, check_band};
use crate::GapError;
use crate::draws::same_count;
use superalign_core::Estimate;

/// Distances from the target that differ by less are equal.
const SAME: f64 = 1e-12;

/// How a run of annealing is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How candidates are chosen.
    pub policy: Policy,
    /// Number of rounds R, at least 1; the direct jump makes one of them.
    pub rounds: usize,
    /// Total over all rounds, at least one step and one label a round.
    pub budget: Budget,
    /// In how many rounds one candidate may be trained, at least 1.
    pub most_uses: usize,
    /// Level of the intervals, in (0, 1).
    pub level: f64,
    /// Scores of the first teacher.
    pub teacher: Scores,
}

/// A run of annealing: which rounds are over, and what is next.
///
/// Each round's student is the teacher of the next, also where it is worse than its own teacher: such a round is marked
/// ([`Record::regressions`]), and what to do about it is the caller's choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Annealing {
    config: Config,
    candidates: Vec<Candidate>,
    /// The candidates of all rounds, where outcomes do not matter.
    plan: Option<Vec<usize>>,
    teacher: Scores,
    records: Vec<Record>,
}

impl Annealing {
    /// A run that has not begun.
    ///
    /// # Errors
    /// No candidate, a capacity or score outside [0, 1], a cost that is not finite, settings out of their ranges, a
    /// schedule out of its range, more rounds than the candidates may be used for, [`Policy::FixedSteps`] with fewer
    /// rounds than rungs.
    pub fn new(mut config: Config, candidates: Vec<Candidate>) -> Result<Self, GapError> {
        if candidates.is_empty() {
            return Err(GapError::TooFew { what: "candidates", found: 0, expected: 1 });
        }
        for (index, candidate) in candidates.iter().enumerate() {
            for found in [candidate.capacity.value, candidate.capacity.lo, candidate.capacity.hi] {
                if !(0.0..=1.0).contains(&found) {
                    let (what, expected) = ("capacity of candidate", "a number in [0, 1]");
                    return Err(GapError::Value { what, index, found, expected });
                }
            }
            if !candidate.cost.is_finite() {
                let (what, found) = ("cost of candidate", candidate.cost);
                return Err(GapError::Value { what, index, found, expected: "a finite number" });
            }
        }
        for (key, found) in [("rounds", config.rounds), ("most_uses", config.most_uses)] {
            if found == 0 {
                return Err(GapError::setting(key, 0.0, "at least 1"));
            }
        }
        config.rounds = config.policy.rounds(config.rounds);
        let rounds = config.rounds;
        if candidates.len().saturating_mul(config.most_uses) < rounds {
            let expected = format!("enough for {rounds} rounds with {} candidates", candidates.len());
            return Err(GapError::setting("most_uses", config.most_uses as f64, expected));
        }
        for (key, found) in [("budget.steps", config.budget.steps), ("budget.labels", config.budget.labels)] {
            if found < rounds as u64 {
                return Err(GapError::setting(
                    key,
                    found as f64,
                    format!("at least one for each of {rounds} rounds"),
                ));
            }
        }
        if let Policy::Annealed(schedule) | Policy::Reversed(schedule) = &config.policy {
            schedule.check()?;
        }
        check(&config.teacher)?;
        same_count(&[&config.teacher.competence, &config.teacher.conformity])?;
        // Refuses a level out of its range.
        config.teacher.competence.estimate(config.level)?;
        let plan = config.policy.plan(rounds, &candidates, config.most_uses)?;
        let teacher = config.teacher.clone();
        Ok(Self { config, candidates, plan, teacher, records: Vec::new() })
    }

    /// What to train now; `None` when all rounds are over. It changes nothing: the same round is given until its
    /// outcome is recorded.
    #[must_use]
    pub fn next(&self) -> Option<Round> {
        let (number, rounds) = (self.records.len(), self.config.rounds);
        if number >= rounds {
            return None;
        }
        let target = match &self.config.policy {
            Policy::Annealed(schedule) => Some(schedule.at(number, rounds)),
            Policy::Reversed(schedule) => Some(schedule.at(rounds - 1 - number, rounds)),
            Policy::Direct | Policy::FixedSteps | Policy::Random(_) => None,
        };
        let candidate = match (&self.plan, target) {
            (Some(plan), _) => plan[number],
            (None, target) => self.nearest(target.unwrap_or(0.0))?,
        };
        let gap = self.gap(candidate);
        Some(Round { number, target, candidate, gap, budget: self.config.budget.part(number, rounds) })
    }

    /// Takes the outcome of the round that [`Annealing::next`] gives; its student is now the teacher.
    ///
    /// # Errors
    /// [`GapError::Over`] when all rounds are over; scores outside [0, 1], not finite, or with another number of draws
    /// than the first teacher's. Then nothing is recorded.
    pub fn record(&mut self, outcome: Outcome) -> Result<&Record, GapError> {
        let Some(round) = self.next() else { return Err(GapError::Over { rounds: self.config.rounds }) };
        let record = Record::new(round, &self.teacher, &outcome, self.config.level)?;
        self.teacher = outcome.scores;
        let place = self.records.len();
        self.records.push(record);
        Ok(&self.records[place])
    }

    /// Gives an adaptive schedule the band of a calibration that knows more.
    ///
    /// # Errors
    /// A policy without an adaptive schedule; a band that is empty, not rising or not finite.
    pub fn recalibrate(&mut self, newer: Vec<(f64, Estimate)>) -> Result<(), GapError> {
        check_band(&newer)?;
        match &mut self.config.policy {
            Policy::Annealed(Schedule::Adaptive { band, .. })
            | Policy::Reversed(Schedule::Adaptive { band, .. }) => {
                *band = newer;
                Ok(())
            }
            _ => Err(GapError::undefined("recalibration", "the schedule is not adaptive")),
        }
    }

    /// The rounds that are over.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The candidates, as they were given.
    #[must_use]
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Number of rounds in all.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.config.rounds
    }

    /// Scores of the present teacher.
    #[must_use]
    pub fn teacher(&self) -> &Scores {
        &self.teacher
    }

    /// Of the candidates that may still be used, the one whose predicted gap is nearest; of equals the cheapest, then
    /// the first.
    fn nearest(&self, target: f64) -> Option<usize> {
        let teacher = self.teacher.competence.value;
        let uses = |place| self.records.iter().filter(|record| record.round.candidate == place).count();
        let mut best: Option<(usize, f64)> = None;
        for (place, candidate) in self.candidates.iter().enumerate() {
            if uses(place) >= self.config.most_uses {
                continue;
            }
            let distance = (candidate.capacity.value - teacher - target).abs();
            let nearer = best.is_none_or(|(other, least)| {
                distance < least - SAME
                    || (distance <= least + SAME && candidate.cost < self.candidates[other].cost)
            });
            if nearer {
                best = Some((place, distance));
            }
        }
        best.map(|(place, _)| place)
    }

    /// K - C(T), both measured on their own: each end lies as far out as the two nearest ends together, in squares.
    fn gap(&self, candidate: usize) -> Estimate {
        let k = self.candidates[candidate].capacity;
        let level = self.config.level;
        let c = self.teacher.competence.estimate(level).unwrap_or(Estimate {
            value: self.teacher.competence.value,
            lo: self.teacher.competence.value,
            hi: self.teacher.competence.value,
        });
        let value = k.value - c.value;
        Estimate {
            value,
            lo: value - (k.value - k.lo).hypot(c.hi - c.value),
            hi: value + (k.hi - k.value).hypot(c.value - c.lo),
        }
    }
}
