//! All that the paper proposes, together and apart, against naive weak-to-strong with the same budget.

use super::gap_annealing::{GapAnnealing, PlanName, PolicyName};
use super::signal_diversity::RuleName;
use crate::spec::SpecError;
use crate::spec::section::{Bounds, Choice, Section};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Supervisors trained on other draws of the same gold labels.
const BAGS: Range<usize> = 1..101;
/// Difficulties that the supervisor may be able to check: curves need three of them.
const KNOWN: Range<usize> = 3..101;
/// Tasks that peers may be asked.
const PEER: Range<usize> = 20..1_000_001;

/// What varies in a superalignment experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Superalignment {
    /// The paths: parts, budget, target gaps, candidates.
    pub path: GapAnnealing,
    /// What is tried.
    pub arm: Vec<ArmName>,
    /// Supervisors of a diversified signal that are trained on other draws of the same gold labels.
    pub bags: usize,
    /// The share of the groups that each of them is trained on.
    pub share: f64,
    /// How the votes of a diversified signal become one label.
    pub rule: RuleName,
    /// The greatest difficulty that the supervisor can check: the truth about harder tasks is withheld.
    pub known: usize,
    /// Tasks that the peers are asked, of those beyond `known`.
    pub peer: usize,
    /// A judge to whom the probabilities of two answers differ by less calls it a tie.
    pub tie: f64,
}

impl Superalignment {
    pub(super) fn read(
        spec: &Section<'_>,
        data: &Section<'_>,
        grid: &Section<'_>,
    ) -> Result<Self, SpecError> {
        let signal = spec.section("signal")?;
        let policies = vec![PolicyName::Direct, PolicyName::Linear, PolicyName::Adaptive];
        let plans = vec![PlanName::Parallel, PlanName::AlternatingAnnealed];
        let all = ArmName::ALL.iter().map(|(_, arm)| *arm).collect();
        let read = Self {
            path: GapAnnealing::paths(spec, data, grid, policies, plans)?,
            arm: grid.choices("arm")?.unwrap_or(all),
            bags: signal.count("bags", BAGS)?.unwrap_or(4),
            share: signal.number("share", Bounds::Above(0.0, 1.0))?.unwrap_or(0.6),
            rule: signal.choice("rule")?.unwrap_or(RuleName::Decorrelated),
            known: data.count("known", KNOWN)?.unwrap_or(3),
            peer: data.count("peer", PEER)?.unwrap_or(144),
            tie: data.number("tie", Bounds::Closed(0.0, 1.0))?.unwrap_or(0.05),
        };
        signal.finish()?;
        Ok(read)
    }
}

/// What the paper proposes, part by part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// Several sources of supervision, combined without gold, in the place of one teacher.
    Diversified,
    /// The gap is where a calibration on the supervisor's own labels finds the greatest gain.
    Calibrated,
    /// Several rounds, each round's student the next one's teacher, in the place of one jump.
    Annealed,
    /// Competence and conformity in turns, in the place of both in every step.
    Alternating,
}

impl Component {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Diversified, Self::Calibrated, Self::Annealed, Self::Alternating];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Diversified => "diversified",
            Self::Calibrated => "calibrated",
            Self::Annealed => "annealed",
            Self::Alternating => "alternating",
        }
    }

    /// The arm with this component and no other.
    #[must_use]
    pub const fn alone(self) -> ArmName {
        match self {
            Self::Diversified => ArmName::Diversified,
            Self::Calibrated => ArmName::Calibrated,
            Self::Annealed => ArmName::Annealed,
            Self::Alternating => ArmName::Alternating,
        }
    }

    /// The arm with every component but this one.
    #[must_use]
    pub const fn left_out(self) -> ArmName {
        match self {
            Self::Diversified => ArmName::AllButDiversified,
            Self::Calibrated => ArmName::AllButCalibrated,
            Self::Annealed => ArmName::AllButAnnealed,
            Self::Alternating => ArmName::AllButAlternating,
        }
    }
}

/// What is tried: which components are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArmName {
    /// None: the weakest rung labels for the strongest candidate, once.
    Naive,
    /// None, and no supervisor: the strongest candidate is trained on its own model's verdicts.
    SelfLabelled,
    /// Several sources alone.
    Diversified,
    /// The calibrated gap alone.
    Calibrated,
    /// The rounds alone.
    Annealed,
    /// The turns alone.
    Alternating,
    /// All components.
    All,
    /// All but several sources.
    AllButDiversified,
    /// All but the calibrated gap.
    AllButCalibrated,
    /// All but the rounds.
    AllButAnnealed,
    /// All but the turns.
    AllButAlternating,
}

impl ArmName {
    /// Whether a component is there.
    #[must_use]
    pub fn has(self, component: Component) -> bool {
        match self {
            Self::Naive | Self::SelfLabelled => false,
            Self::Diversified | Self::Calibrated | Self::Annealed | Self::Alternating => {
                self == component.alone()
            }
            _ => self != component.left_out(),
        }
    }

    /// How the student of a round is chosen.
    #[must_use]
    pub fn policy(self) -> PolicyName {
        match (self.has(Component::Calibrated), self.has(Component::Annealed)) {
            (true, _) => PolicyName::Adaptive,
            (false, true) => PolicyName::Linear,
            (false, false) => PolicyName::Direct,
        }
    }

    /// How the steps of a student are shared between the objectives.
    #[must_use]
    pub fn plan(self) -> PlanName {
        if self.has(Component::Alternating) { PlanName::AlternatingAnnealed } else { PlanName::Parallel }
    }
}

impl Choice for ArmName {
    const ALL: &'static [(&'static str, Self)] = &[
        ("naive", Self::Naive),
        ("self-labelled", Self::SelfLabelled),
        ("diversified", Self::Diversified),
        ("calibrated", Self::Calibrated),
        ("annealed", Self::Annealed),
        ("alternating", Self::Alternating),
        ("all", Self::All),
        ("all-but-diversified", Self::AllButDiversified),
        ("all-but-calibrated", Self::AllButCalibrated),
        ("all-but-annealed", Self::AllButAnnealed),
        ("all-but-alternating", Self::AllButAlternating),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arm_is_the_set_of_its_components() {
        for component in Component::ALL {
            for other in Component::ALL {
                assert_eq!(component.alone().has(other), component == other);
                assert_eq!(component.left_out().has(other), component != other);
            }
            assert!(ArmName::All.has(component) && !ArmName::Naive.has(component));
        }
    }
}
