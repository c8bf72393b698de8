//! The report of a gap-annealing experiment.

use super::figure::{self, Bars, Dots, Joined, Scatter};
use super::prose::{Effect, and, effect};
use super::table::{Table, shown};
use super::{Findings, Numbers};
use crate::experiment::gap_annealing::{
    CEILING, COMPETENCE, CONFORMITY, HYPERVOLUME, JOINT, OVER_DIRECT, PREDICTED, PRESENCE, REGRESSIONS,
    TAKEN, TARGET, TAX, TEACHER, candidates, path_cell, round_cell, rounds,
};
use crate::plan::Plan;
use crate::record::Row;
use crate::spec::{Choice, GapAnnealing, PlanName, PolicyName};
use superalign_core::Estimate;

/// Reads the findings out of the numbers.
pub(crate) fn findings(plan: &Plan, design: &GapAnnealing, numbers: &Numbers<'_>) -> Findings {
    let page = Page { plan, design, numbers };
    Findings { sentences: page.sentences(), figures: page.figures(), tables: page.tables() }
}

struct Page<'a> {
    plan: &'a Plan,
    design: &'a GapAnnealing,
    numbers: &'a Numbers<'a>,
}

impl<'a> Page<'a> {
    fn both(&self) -> impl Iterator<Item = (PolicyName, PlanName)> + 'a {
        let plans = &self.design.plan;
        self.design.policy.iter().flat_map(move |&policy| plans.iter().map(move |&plan| (policy, plan)))
    }

    fn last(&self, policy: PolicyName, plan: PlanName) -> String {
        round_cell(policy, plan, rounds(self.design, policy))
    }

    fn row(&self, cell: &str, metric: &str) -> Option<&'a Row> {
        self.numbers.summary(cell, metric)
    }

    fn value(&self, cell: &str, metric: &str) -> Option<Estimate> {
        self.row(cell, metric)?.estimate()
    }

    fn sentences(&self) -> Vec<String> {
        let point = |cell: &str| {
            format!(
                "competence {}, conformity {}",
                shown(self.row(cell, COMPETENCE)),
                shown(self.row(cell, CONFORMITY))
            )
        };
        let mut out = vec![format!(
            "The supervisor: {}. The strongest candidate with true labels: {}.",
            point(TEACHER),
            point(CEILING)
        )];
        out.extend(self.policies());
        out.extend(self.plans());
        let taxed: Vec<String> = self
            .both()
            .filter(|&(policy, plan)| {
                self.value(&path_cell(policy, plan), TAX).is_some_and(|tax| effect(&tax) == Effect::Positive)
            })
            .map(|(policy, plan)| format!("{} with {}", policy.name(), plan.name()))
            .collect();
        let total = self.both().count();
        out.push(if taxed.is_empty() {
            format!("No alignment tax can be claimed for any of the {total} paths.")
        } else {
            format!(
                "In {} of {total} paths the student pays an alignment tax: it is less competent than the same student \
                 trained for competence alone ({}).",
                taxed.len(),
                and(&taxed)
            )
        });
        let mut front: Vec<(f64, String)> = self
            .both()
            .filter_map(|(policy, plan)| {
                let share = self.row(&path_cell(policy, plan), PRESENCE)?.value?;
                (share >= 0.2).then(|| {
                    (share, format!("{} with {} ({:.0}%)", policy.name(), plan.name(), 100.0 * share))
                })
            })
            .collect();
        front.sort_by(|a, b| b.0.total_cmp(&a.0));
        let front: Vec<String> = front.into_iter().map(|(_, name)| name).collect();
        out.push(format!(
            "On the Pareto front of all paths' ends in at least a fifth of resamples: {}.",
            and(&front)
        ));
        out
    }

    /// Each policy beside the direct jump, over the plans.
    fn policies(&self) -> Vec<String> {
        let mut out = Vec::new();
        if !self.design.policy.contains(&PolicyName::Direct) {
            return out;
        }
        for &policy in self.design.policy.iter().filter(|p| **p != PolicyName::Direct) {
            let found: Vec<(PlanName, Estimate)> = self
                .design
                .plan
                .iter()
                .filter_map(|&plan| Some((plan, self.value(&path_cell(policy, plan), OVER_DIRECT)?)))
                .collect();
            if found.is_empty() {
                continue;
            }
            let names = |wanted: Effect| -> Vec<String> {
                let those = found.iter().filter(|(_, e)| effect(e) == wanted);
                those.map(|(plan, e)| format!("{} ({:+.3})", plan.name(), e.value)).collect()
            };
            let (better, worse) = (names(Effect::Positive), names(Effect::Negative));
            let said = match (&better[..], &worse[..]) {
                ([], []) => "no difference can be claimed under any plan".to_owned(),
                (better, []) => format!("better under {}; no difference under the others", and(better)),
                ([], worse) => format!("worse under {}; no difference under the others", and(worse)),
                (better, worse) => format!("better under {}, worse under {}", and(better), and(worse)),
            };
            out.push(format!(
                "Joint utility of {} against the direct jump, at the same total of steps and labels: {said}.",
                policy.name()
            ));
        }
        out
    }

    /// The plans side by side: hypervolume of the front of each.
    fn plans(&self) -> Option<String> {
        let listed: Vec<String> = self
            .design
            .plan
            .iter()
            .map(|plan| {
                let row = self.row(&format!("front=plan={}", plan.name()), HYPERVOLUME);
                format!("{} {}", plan.name(), shown(row))
            })
            .collect();
        (listed.len() > 1).then(|| {
            format!("Area between each plan's front and chance (larger is better): {}.", and(&listed))
        })
    }

    fn figures(&self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        for &plan in &self.design.plan {
            let path = |policy: PolicyName| {
                let cells = std::iter::once(TEACHER.to_owned())
                    .chain((1..=rounds(self.design, policy)).map(|round| round_cell(policy, plan, round)));
                let points = cells.filter_map(|cell| {
                    let (c, v) = (self.value(&cell, COMPETENCE)?, self.value(&cell, CONFORMITY)?);
                    Some((c.value, v.value, v.lo, v.hi))
                });
                Dots { name: policy.name().to_owned(), points: points.collect(), joined: Joined::Path }
            };
            let mut dots: Vec<Dots> = self.design.policy.iter().map(|&policy| path(policy)).collect();
            let ceiling = self.value(CEILING, COMPETENCE).zip(self.value(CEILING, CONFORMITY));
            dots.extend(ceiling.map(|(c, v)| Dots {
                name: "true labels".into(),
                points: vec![(c.value, v.value, v.lo, v.hi)],
                joined: Joined::Apart,
            }));
            out.push((
                figure::scatter(&Scatter {
                    title: &format!("Competence and conformity by round, {}", plan.name()),
                    x: "competence (test accuracy)",
                    y: "conformity (test accuracy)",
                    reference: None,
                    dots,
                    curve: Vec::new(),
                }),
                format!(
                    "Each path begins at the supervisor and has a point for every round, plan {}. Bars are intervals of \
                     conformity.",
                    plan.name()
                ),
            ));
        }
        for (metric, title) in [(JOINT, "Joint utility at the end"), (TAX, "Alignment tax at the end")] {
            let bar = |policy, plan| {
                let cell = if metric == TAX { path_cell(policy, plan) } else { self.last(policy, plan) };
                self.value(&cell, metric).map(|e| (e.value, e.lo, e.hi))
            };
            let group = |policy: &PolicyName| {
                let bars = self.design.plan.iter().map(|&plan| bar(*policy, plan)).collect();
                (policy.name().to_owned(), bars)
            };
            let groups: Vec<_> = self.design.policy.iter().map(group).collect();
            let ends = groups.iter().flat_map(|(_, bars): &(String, Vec<_>)| bars.iter().flatten());
            let (lo, hi) = ends
                .fold((0.0_f64, 0.05_f64), |(lo, hi), bar: &(f64, f64, f64)| (lo.min(bar.1), hi.max(bar.2)));
            let supervisor =
                self.value(TEACHER, JOINT).filter(|_| metric == JOINT).map(|e| (e.value, "supervisor"));
            out.push((
                figure::bars(&Bars {
                    title,
                    y: metric,
                    y_range: (lo, hi),
                    reference: supervisor,
                    kinds: self.design.plan.iter().map(|plan| plan.name().to_owned()).collect(),
                    groups,
                }),
                if metric == TAX {
                    "Competence of the same student trained for competence alone, minus that of this one."
                        .to_owned()
                } else {
                    "Competence times conformity of each path's last student.".to_owned()
                },
            ));
        }
        out
    }

    fn tables(&self) -> Vec<Table> {
        let mut main = Table::new(
            "Where the paths end",
            2,
            &[
                "policy",
                "plan",
                "competence",
                "conformity",
                "joint utility",
                "over direct",
                "tax",
                "on the front",
            ],
        );
        for (policy, plan) in self.both() {
            let (cell, last) = (path_cell(policy, plan), self.last(policy, plan));
            let over = match self.row(&cell, OVER_DIRECT) {
                None => "itself".to_owned(),
                row => shown(row),
            };
            let presence = self.row(&cell, PRESENCE).and_then(|row| row.value);
            main.rows.push(vec![
                policy.name().to_owned(),
                plan.name().to_owned(),
                shown(self.row(&last, COMPETENCE)),
                shown(self.row(&last, CONFORMITY)),
                shown(self.row(&last, JOINT)),
                over,
                shown(self.row(&cell, TAX)),
                presence.map_or_else(|| "undefined".to_owned(), |share| format!("{:.0}%", 100.0 * share)),
            ]);
        }
        vec![main, self.rounds_table()]
    }

    /// What every round did, in the first seed.
    fn rounds_table(&self) -> Table {
        let seed = self.plan.seeds.first().copied();
        let mut table = Table::new(
            format!("Rounds, seed {}", seed.unwrap_or_default()),
            4,
            &[
                "policy",
                "plan",
                "round",
                "student",
                "target gap",
                "predicted gap",
                "competence",
                "conformity",
                "fell",
            ],
        );
        let list = candidates(self.plan, self.design);
        for (policy, plan) in self.both() {
            for round in 1..=rounds(self.design, policy) {
                let cell = round_cell(policy, plan, round);
                let at = |metric: &str| {
                    self.numbers.rows.iter().find(|r| r.seed == seed && r.cell == cell && r.metric == metric)
                };
                let number = |metric: &str| at(metric).and_then(|row| row.value);
                let student = number(TAKEN).and_then(|place| list.get(place as usize)).map_or_else(
                    || "not trained".to_owned(),
                    |&(rung, rank)| format!("{}, rank {rank}", self.plan.rungs[rung].name),
                );
                table.rows.push(vec![
                    policy.name().to_owned(),
                    plan.name().to_owned(),
                    round.to_string(),
                    student,
                    number(TARGET).map_or_else(|| "none".to_owned(), |gap| format!("{gap:.3}")),
                    shown(at(PREDICTED)),
                    shown(at(COMPETENCE)),
                    shown(at(CONFORMITY)),
                    number(REGRESSIONS).map_or_else(|| "not measured".to_owned(), |n| format!("{n:.0} of 2")),
                ]);
            }
        }
        table
    }
}
