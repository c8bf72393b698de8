//! Phase plans: which objective each gradient step of a trunk follows.

use super::Head;
use crate::LearnerError;

/// How the gradient steps of a trunk are shared between its two objectives. Every plan takes the same number of
/// steps: [`Plan::phases`] expands it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Plan {
    /// All steps on competence: the reference of the alignment tax.
    CompetenceOnly,
    /// All steps on conformity.
    ConformityOnly,
    /// The first half of the steps (the larger one) on competence, then conformity.
    CompetenceFirst,
    /// The first half of the steps (the larger one) on conformity, then competence.
    ConformityFirst,
    /// Every step on the sum weight * competence + (1 - weight) * conformity.
    Parallel {
        /// Weight of competence, in [0, 1].
        weight: f64,
    },
    /// Some steps on competence, then some on conformity, and again.
    Alternating {
        /// Competence steps of the first cycle, at least 1.
        competence: usize,
        /// Conformity steps of the first cycle, at least 1.
        conformity: usize,
        /// How the share of competence moves from the first cycle to the last.
        anneal: Anneal,
    },
}

/// How the share of competence steps in a cycle moves from its first value to its last, over the progress t in [0, 1)
/// at the start of each cycle. Cycles keep their length; what rounding takes from one cycle it gives to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Anneal {
    /// It stays.
    #[default]
    None,
    /// In proportion to t.
    Linear {
        /// The share at the end, in [0, 1].
        to: f64,
    },
    /// Along half a cosine: slowly at both ends.
    Cosine {
        /// The share at the end, in [0, 1].
        to: f64,
    },
}

/// What one gradient step follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phase {
    /// Competence.
    Competence,
    /// Conformity.
    Conformity,
    /// The weighted sum of both.
    Both {
        /// Weight of competence, in [0, 1]; conformity has the rest.
        weight: f64,
    },
}

impl Phase {
    /// The weight of an objective in this step, or `None` where it takes no part.
    #[must_use]
    pub fn weight(self, head: Head) -> Option<f64> {
        match (self, head) {
            (Phase::Competence, Head::Competence) | (Phase::Conformity, Head::Conformity) => Some(1.0),
            (Phase::Competence, Head::Conformity) | (Phase::Conformity, Head::Competence) => None,
            (Phase::Both { weight }, Head::Competence) => Some(weight),
            (Phase::Both { weight }, Head::Conformity) => Some(1.0 - weight),
        }
    }
}

impl Plan {
    /// What each of `steps` gradient steps follows, in order: always exactly `steps` phases.
    ///
    /// # Errors
    /// [`LearnerError::Setting`]: a weight or share outside [0, 1], no steps of one kind in an alternation, or too
    /// few steps to reach every objective of the plan once.
    ///
    /// ```
    /// use superalign_learner::{Anneal, Phase, Plan};
    /// let plan = Plan::Alternating { competence: 2, conformity: 1, anneal: Anneal::None };
    /// use Phase::{Competence, Conformity};
    /// assert_eq!(plan.phases(5)?, [Competence, Competence, Conformity, Competence, Competence]);
    /// # Ok::<(), superalign_learner::LearnerError>(())
    /// ```
    pub fn phases(&self, steps: usize) -> Result<Vec<Phase>, LearnerError> {
        let first_half = steps.div_ceil(2);
        let halves = |first: Phase, second: Phase| {
            (0..steps).map(|step| if step < first_half { first } else { second }).collect::<Vec<_>>()
        };
        let phases = match *self {
            Plan::CompetenceOnly => vec![Phase::Competence; steps],
            Plan::ConformityOnly => vec![Phase::Conformity; steps],
            Plan::CompetenceFirst => halves(Phase::Competence, Phase::Conformity),
            Plan::ConformityFirst => halves(Phase::Conformity, Phase::Competence),
            Plan::Parallel { weight } => {
                share("weight", weight)?;
                vec![Phase::Both { weight }; steps]
            }
            Plan::Alternating { competence, conformity, anneal } => {
                for (key, found) in [("competence", competence), ("conformity", conformity)] {
                    if found == 0 {
                        return Err(LearnerError::Setting { key, found: 0.0, expected: "at least 1 step" });
                    }
                }
                if let Anneal::Linear { to } | Anneal::Cosine { to } = anneal {
                    share("to", to)?;
                }
                alternate(competence, conformity, anneal, steps)
            }
        };
        let missed = Head::BOTH
            .into_iter()
            .any(|head| self.trains(head) && !phases.iter().any(|phase| phase.weight(head).is_some()));
        if missed {
            let expected = "enough steps for every objective of the plan";
            return Err(LearnerError::Setting { key: "steps", found: steps as f64, expected });
        }
        Ok(phases)
    }

    /// Whether an objective has a part in this plan, and so needs labels.
    #[must_use]
    pub fn trains(&self, head: Head) -> bool {
        match self {
            Plan::CompetenceOnly => head == Head::Competence,
            Plan::ConformityOnly => head == Head::Conformity,
            _ => true,
        }
    }
}

fn share(key: &'static str, found: f64) -> Result<(), LearnerError> {
    if (0.0..=1.0).contains(&found) {
        return Ok(());
    }
    Err(LearnerError::Setting { key, found, expected: "a share in [0, 1]" })
}

fn alternate(competence: usize, conformity: usize, anneal: Anneal, steps: usize) -> Vec<Phase> {
    let cycle = competence.saturating_add(conformity);
    let from = competence as f64 / cycle as f64;
    let mut phases = Vec::with_capacity(steps);
    // Competence steps owed so far, less those taken.
    let mut owed = 0.0;
    while phases.len() < steps {
        let progress = phases.len() as f64 / steps as f64;
        let now = match anneal {
            Anneal::None => from,
            Anneal::Linear { to } => from + (to - from) * progress,
            Anneal::Cosine { to } => {
                from + (to - from) * 0.5 * (1.0 - (std::f64::consts::PI * progress).cos())
            }
        };
        owed += now * cycle as f64;
        let taken = owed.round().clamp(0.0, cycle as f64);
        owed -= taken;
        for i in 0..cycle.min(steps - phases.len()) {
            phases.push(if (i as f64) < taken { Phase::Competence } else { Phase::Conformity });
        }
    }
    phases
}

#[cfg(test)]
mod tests {
    use super::*;

    fn competence(phases: &[Phase]) -> usize {
        phases.iter().filter(|phase| **phase == Phase::Competence).count()
    }

    #[test]
    fn halves_and_cycles() {
        use Phase::{Competence as C, Conformity as V};
        assert_eq!(Plan::CompetenceFirst.phases(5), Ok(vec![C, C, C, V, V]));
        assert_eq!(Plan::ConformityFirst.phases(4), Ok(vec![V, V, C, C]));
        let plan = Plan::Alternating { competence: 1, conformity: 2, anneal: Anneal::None };
        assert_eq!(plan.phases(7), Ok(vec![C, V, V, C, V, V, C]));
    }

    #[test]
    fn an_annealed_ratio_ends_where_it_should_and_keeps_its_total() {
        for (anneal, expected) in [
            (Anneal::None, 800.0),
            (Anneal::Linear { to: 0.2 }, 500.0),
            (Anneal::Cosine { to: 0.2 }, 500.0),
            (Anneal::Linear { to: 0.0 }, 400.0),
        ] {
            let plan = Plan::Alternating { competence: 4, conformity: 1, anneal };
            let phases = plan.phases(1000).expect("valid");
            assert_eq!(phases.len(), 1000);
            let total = competence(&phases) as f64;
            // The share is that at the start of each cycle: at most half a cycle's change away from the integral.
            assert!((total - expected).abs() <= 3.0, "{anneal:?}: {total}");
            assert_eq!(competence(&phases[..5]), 4, "{anneal:?}");
        }
        let plan = Plan::Alternating { competence: 4, conformity: 1, anneal: Anneal::Linear { to: 0.2 } };
        let phases = plan.phases(1000).expect("valid");
        assert!(competence(&phases[900..]).abs_diff(23) <= 2, "{}", competence(&phases[900..]));
    }

    #[test]
    fn bad_plans_are_refused() {
        let alternating =
            |competence, to| Plan::Alternating { competence, conformity: 2, anneal: Anneal::Linear { to } };
        let messages: Vec<String> = [
            (Plan::Parallel { weight: 1.2 }, 10),
            (alternating(0, 0.5), 10),
            (alternating(1, f64::NAN), 10),
            (alternating(10, 0.5), 10),
            (Plan::CompetenceFirst, 1),
            (Plan::ConformityOnly, 0),
        ]
        .iter()
        .filter_map(|(plan, steps)| plan.phases(*steps).err())
        .map(|error| error.to_string())
        .collect();
        insta::assert_snapshot!(messages.join("\n"), @r"
        weight = 1.2: expected a share in [0, 1]
        competence = 0: expected at least 1 step
        to = NaN: expected a share in [0, 1]
        steps = 10: expected enough steps for every objective of the plan
        steps = 1: expected enough steps for every objective of the plan
        steps = 0: expected enough steps for every objective of the plan
        ");
    }
}
