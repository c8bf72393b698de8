//! Policies: what may be trained, and in which order.

use super::schedule::Schedule;
use crate::GapError;
use superalign_core::{Estimate, Seed, below};

/// A student that could be trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Name for records.
    pub name: String,
    /// Its rung on the ladder, the weakest lowest.
    pub rung: usize,
    /// Rank of its bottleneck, where it has one.
    pub rank: Option<usize>,
    /// Width of its bottleneck, where it has one.
    pub width: Option<usize>,
    /// Its capacity K, in [0, 1].
    pub capacity: Estimate,
    /// What a step costs, in any unit: of candidates equally near the target, the cheapest is taken.
    pub cost: f64,
}

/// How candidates are chosen.
#[derive(Clone, Debug, PartialEq)]
pub enum Policy {
    /// The candidate whose predicted gap K - C(T) is nearest the target of the schedule.
    Annealed(Schedule),
    /// Baseline: the same, with the targets of the schedule in reverse order.
    Reversed(Schedule),
    /// Baseline: one round, the whole budget, the candidate of greatest capacity.
    Direct,
    /// Baseline: from the lowest rung to the highest, one rung at a time, the rounds spread evenly over the rungs; on a
    /// rung, the candidate of greatest capacity. It needs as many rounds as there are rungs.
    FixedSteps,
    /// Baseline: any candidate, all equally likely.
    Random(Seed),
}

/// What may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Gradient steps.
    pub steps: u64,
    /// Labels of the supervisor.
    pub labels: u64,
}

/// What to train next.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// t, from 0.
    pub number: usize,
    /// g(t), where the policy has one.
    pub target: Option<f64>,
    /// Place of the candidate in the list.
    pub candidate: usize,
    /// Predicted gap K - C(T), with the interval of a difference of independent estimates (Zou and Donner 2008).
    pub gap: Estimate,
    /// This round's part of the budget.
    pub budget: Budget,
}

impl Budget {
    /// The part of round t: equal parts, with the remainder in the first rounds.
    pub(super) fn part(self, t: usize, rounds: usize) -> Self {
        let (t, rounds) = (t as u64, rounds as u64);
        let of = |all: u64| all / rounds + u64::from(t < all % rounds);
        Self { steps: of(self.steps), labels: of(self.labels) }
    }
}

impl Policy {
    /// How many rounds this policy makes of `rounds`.
    pub(super) fn rounds(&self, rounds: usize) -> usize {
        if *self == Self::Direct { 1 } else { rounds }
    }

    /// The candidates of all rounds, for policies that look at no outcome.
    ///
    /// # Errors
    /// More rounds than the candidates may be used for; fewer rounds than rungs.
    pub(super) fn plan(
        &self,
        rounds: usize,
        candidates: &[Candidate],
        most_uses: usize,
    ) -> Result<Option<Vec<usize>>, GapError> {
        let strongest = |among: &mut dyn Iterator<Item = usize>| {
            let mut best: Option<usize> = None;
            for place in among {
                if best.is_none_or(|best| stronger(&candidates[place], &candidates[best])) {
                    best = Some(place);
                }
            }
            best
        };
        match self {
            Self::Annealed(_) | Self::Reversed(_) => Ok(None),
            Self::Direct => Ok(strongest(&mut (0..candidates.len())).map(|place| vec![place])),
            Self::Random(seed) => {
                let mut rng = seed.rng();
                let mut left: Vec<usize> =
                    (0..candidates.len()).flat_map(|place| vec![place; most_uses.min(rounds)]).collect();
                // Among candidates, not among uses: each one that may still be used is equally likely.
                let draw = |_| {
                    let mut places = left.clone();
                    places.dedup();
                    let place = places[below(&mut rng, places.len())];
                    if let Some(first) = left.iter().position(|&other| other == place) {
                        left.remove(first);
                    }
                    place
                };
                Ok(Some((0..rounds).map(draw).collect()))
            }
            Self::FixedSteps => {
                let mut rungs: Vec<usize> = candidates.iter().map(|candidate| candidate.rung).collect();
                rungs.sort_unstable();
                rungs.dedup();
                if rounds < rungs.len() {
                    let expected =
                        format!("at least the number of rungs, {}, to go one rung at a time", rungs.len());
                    return Err(GapError::setting("rounds", rounds as f64, expected));
                }
                let mut uses = vec![0; candidates.len()];
                let mut plan = Vec::with_capacity(rounds);
                for t in 0..rounds {
                    let rung = rungs[t * rungs.len() / rounds];
                    let free = |place: &usize| candidates[*place].rung == rung && uses[*place] < most_uses;
                    let Some(place) = strongest(&mut (0..candidates.len()).filter(free)) else {
                        let expected =
                            format!("enough for the rounds on rung {rung}, {}", rounds.div_ceil(rungs.len()));
                        return Err(GapError::setting("most_uses", most_uses as f64, expected));
                    };
                    uses[place] += 1;
                    plan.push(place);
                }
                Ok(Some(plan))
            }
        }
    }
}

/// Whether a candidate has more capacity than another, or as much at a lower cost.
fn stronger(one: &Candidate, other: &Candidate) -> bool {
    let (a, b) = (one.capacity.value, other.capacity.value);
    a > b || (a == b && one.cost < other.cost)
}
