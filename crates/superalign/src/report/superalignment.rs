//! The report of a superalignment experiment: what helped, by how much, and what did not.

use super::figure::{self, Bars, Dots, Joined, Scatter};
use super::prose::{Effect, and, compare, effect};
use super::table::{Table, shown};
use super::{Findings, Numbers};
use crate::experiment::exam::{
    ACTUAL, HORIZON, KENDALL, KINDS, METHODS, PREDICTED, Player, STRENGTH, SURROGATE, TARGET, kind_cell,
    method_cell, predicted_cell, ranked_cell, scored_cell,
};
use crate::experiment::gap_annealing::{
    CEILING, COMPETENCE, CONFORMITY, JOINT, PREDICTED as GAP, TAKEN, TEACHER,
};
use crate::experiment::superalignment::{
    EFFECT, LABELS, OVER_NAIVE, PGR, SOURCES, WITHIN, arm_cell, candidate_names, effect_cell, round_cell,
};
use crate::plan::Plan;
use crate::record::Row;
use crate::spec::{ArmName, Choice, Component, Superalignment};
use superalign_core::Estimate;

/// The ranking by peers that is shown.
const RANKING: &str = "bradley-terry";

/// Reads the findings out of the numbers.
pub(crate) fn findings(plan: &Plan, design: &Superalignment, numbers: &Numbers<'_>) -> Findings {
    let page = Page { plan, design, numbers, students: design.students(plan) };
    Findings { sentences: page.sentences(), figures: page.figures(), tables: page.tables() }
}

struct Page<'a> {
    plan: &'a Plan,
    design: &'a Superalignment,
    numbers: &'a Numbers<'a>,
    students: Vec<Player>,
}

impl<'a> Page<'a> {
    fn row(&self, cell: &str, metric: &str) -> Option<&'a Row> {
        self.numbers.summary(cell, metric)
    }

    fn value(&self, cell: &str, metric: &str) -> Option<Estimate> {
        self.row(cell, metric)?.estimate()
    }

    fn sentences(&self) -> Vec<String> {
        let scores = |cell: &str| {
            format!(
                "competence {}, conformity {}, joint utility {}",
                shown(self.row(cell, COMPETENCE)),
                shown(self.row(cell, CONFORMITY)),
                shown(self.row(cell, JOINT))
            )
        };
        let mut out = vec![format!(
            "The supervisor: {}. The strongest candidate with true labels: {}.",
            scores(TEACHER),
            scores(CEILING)
        )];
        out.extend(self.all_together());
        out.extend(self.components());
        out.extend(self.self_labelled());
        out.extend(self.three_ways());
        out
    }

    /// Everything together against the naive arm.
    fn all_together(&self) -> Option<String> {
        let cell = arm_cell(ArmName::All);
        let over = |score: &str| self.value(&cell, &format!("{score}-{OVER_NAIVE}"));
        let joint = over(JOINT)?;
        let lead = match effect(&joint) {
            Effect::Positive => {
                "All components together are better than naive weak-to-strong with the same budget"
            }
            Effect::Negative => {
                "All components together are worse than naive weak-to-strong with the same budget"
            }
            Effect::None => {
                "That all components together are better than naive weak-to-strong with the same budget cannot be claimed"
            }
        };
        let of = |score: &str| over(score).map_or_else(|| "undefined".to_owned(), |e| signed(&e));
        Some(format!(
            "{lead}: joint utility {}, competence {}, conformity {}.",
            signed(&joint),
            of(COMPETENCE),
            of(CONFORMITY)
        ))
    }

    /// What each component does.
    fn components(&self) -> Vec<String> {
        let mut out = Vec::new();
        let (mut helped, mut harmed, mut open) = (Vec::new(), Vec::new(), Vec::new());
        for component in Component::ALL {
            for (within, place) in WITHIN.iter().zip(["alone", "within all"]) {
                let Some(joint) = self.value(&effect_cell(component, within), &format!("{JOINT}-{EFFECT}"))
                else {
                    continue;
                };
                let text = format!("{} {place} ({})", component.name(), signed(&joint));
                match effect(&joint) {
                    Effect::Positive => helped.push(text),
                    Effect::Negative => harmed.push(text),
                    Effect::None => open.push(text),
                }
            }
        }
        for (what, those) in [
            ("What helped joint utility", &helped),
            ("What harmed it", &harmed),
            ("Where no effect can be claimed", &open),
        ] {
            if !those.is_empty() {
                out.push(format!("{what}: {}.", and(those)));
            }
        }
        let told = helped.len() + harmed.len() + open.len();
        if told > 0 {
            out.push(format!(
                "Each of these {told} intervals is for itself: were there no effect at all, {:.1} of them would not reach 0 \
                 all the same.",
                told as f64 * (1.0 - self.plan.bootstrap.level)
            ));
        }
        out
    }

    /// The student's own verdicts, beside everything together.
    fn self_labelled(&self) -> Option<String> {
        let of = |arm: ArmName| self.value(&self.design.last(arm), JOINT);
        let own = of(ArmName::SelfLabelled)?;
        let mut text = format!(
            "Without any supervisor, the strongest candidate trained on its own model's verdicts reaches a joint utility of \
             {own}"
        );
        if let Some(all) = of(ArmName::All) {
            text += match compare(&all, &own) {
                Effect::Positive => ", less than all components together by more than the intervals",
                Effect::Negative => ", more than all components together by more than the intervals",
                Effect::None => ", which the intervals do not tell from all components together",
            };
        }
        Some(text + ".")
    }

    /// What surrogate testing, extrapolation and peer review say, and whether the truth agrees.
    fn three_ways(&self) -> Vec<String> {
        let mut out = Vec::new();
        let order = |way: &str, row: Option<&Row>| -> Option<String> {
            let row = row?;
            let Some(tau) = row.estimate() else {
                return Some(format!("{way} gives no order: {}.", row.error.clone().unwrap_or_default()));
            };
            Some(match effect(&tau) {
                Effect::Positive => {
                    format!(
                        "{way} orders the students as the withheld truth does, to a Kendall tau of {tau}."
                    )
                }
                Effect::Negative => {
                    format!("{way} orders the students against the withheld truth (Kendall tau {tau}).")
                }
                Effect::None => format!(
                    "That {} orders the students as the withheld truth does cannot be claimed (Kendall tau {tau}).",
                    way.to_lowercase()
                ),
            })
        };
        out.extend(order("Surrogate testing", self.row(&kind_cell(KINDS[0].0), KENDALL)));
        let (mut within, mut all, mut width) = (0, 0, 0.0);
        for student in &self.students {
            for difficulty in self.beyond() {
                let cell = predicted_cell(student, difficulty);
                if let (Some(predicted), Some(actual)) =
                    (self.value(&cell, PREDICTED), self.value(&cell, ACTUAL))
                {
                    all += 1;
                    width += predicted.hi - predicted.lo;
                    within += usize::from(predicted.covers(actual.value));
                }
            }
        }
        if all > 0 {
            out.push(format!(
                "Extrapolation from difficulty {} and below: {within} of {all} shares of harder tasks lie within their \
                 prediction intervals, which are {:.2} wide on average.",
                self.design.known,
                width / f64::from(all)
            ));
        }
        out.extend(order("Peer review", self.row(&method_cell(RANKING), KENDALL)));
        out
    }

    fn beyond(&self) -> impl Iterator<Item = u64> + use<> {
        (self.design.known as u64 + 1..).take(HORIZON)
    }

    fn figures(&self) -> Vec<(String, String)> {
        vec![self.effects(), self.plane()]
    }

    /// The effect of each component.
    fn effects(&self) -> (String, String) {
        let bar = |component: Component, within: &str| {
            let joint = self.value(&effect_cell(component, within), &format!("{JOINT}-{EFFECT}"))?;
            Some((joint.value, joint.lo, joint.hi))
        };
        let group = |component: Component| {
            let bars: Vec<_> = WITHIN.iter().map(|within| bar(component, within)).collect();
            (component.name().to_owned(), bars)
        };
        let groups: Vec<_> = Component::ALL.into_iter().map(group).collect();
        let ends = groups.iter().flat_map(|(_, bars)| bars.iter().flatten());
        let (lo, hi) = ends.fold((-0.02_f64, 0.02_f64), |(lo, hi), bar| (lo.min(bar.1), hi.max(bar.2)));
        let svg = figure::bars(&Bars {
            title: "What each component adds to joint utility",
            y: "difference in joint utility",
            y_range: (lo, hi),
            reference: Some((0.0, "no effect")),
            kinds: vec!["alone".to_owned(), "within all".to_owned()],
            groups,
        });
        let caption = "Joint utility with the component minus that without it, on the same test items: where no other \
                       component is there, and where all others are.";
        (svg, caption.to_owned())
    }

    /// Every arm in the plane of the two objectives.
    fn plane(&self) -> (String, String) {
        let at = |cell: &str| {
            let (c, v) = (self.value(cell, COMPETENCE)?, self.value(cell, CONFORMITY)?);
            Some((c.value, v.value, v.lo, v.hi))
        };
        let path = |&arm: &ArmName| {
            let cells = (1..=self.design.rounds(arm)).map(|round| round_cell(arm, round));
            let points =
                std::iter::once(TEACHER.to_owned()).chain(cells).filter_map(|cell| at(&cell)).collect();
            Dots { name: arm.name().to_owned(), points, joined: Joined::Path }
        };
        let mut dots: Vec<Dots> = self.design.arm.iter().map(path).collect();
        let ceiling = at(CEILING).into_iter().collect();
        dots.push(Dots { name: "true labels".into(), points: ceiling, joined: Joined::Apart });
        let svg = figure::scatter(&Scatter {
            title: "Competence and conformity by round",
            x: "competence (test accuracy)",
            y: "conformity (test accuracy)",
            reference: None,
            dots,
            curve: Vec::new(),
        });
        let caption = "Each arm begins at the supervisor and has a point for every round. Bars are intervals of conformity.";
        (svg, caption.to_owned())
    }

    fn tables(&self) -> Vec<Table> {
        vec![self.arms(), self.effects_table(), self.ways_table(), self.rounds_table()]
    }

    fn arms(&self) -> Table {
        let columns = [
            "arm",
            "competence",
            "conformity",
            "joint utility",
            "joint over naive",
            "PGR competence",
            "PGR conformity",
        ];
        let mut table = Table::new("Where the arms end", 1, &columns);
        for &arm in &self.design.arm {
            let (cell, last) = (arm_cell(arm), self.design.last(arm));
            let over = match self.row(&cell, &format!("{JOINT}-{OVER_NAIVE}")) {
                None if arm == ArmName::Naive => "itself".to_owned(),
                row => shown(row),
            };
            table.rows.push(vec![
                arm.name().to_owned(),
                shown(self.row(&last, COMPETENCE)),
                shown(self.row(&last, CONFORMITY)),
                shown(self.row(&last, JOINT)),
                over,
                shown(self.row(&cell, &format!("{PGR}-{COMPETENCE}"))),
                shown(self.row(&cell, &format!("{PGR}-{CONFORMITY}"))),
            ]);
        }
        table
    }

    fn effects_table(&self) -> Table {
        let columns = ["component", "where", "competence", "conformity", "joint utility"];
        let mut table = Table::new("What each component adds", 2, &columns);
        for component in Component::ALL {
            for (within, place) in WITHIN.iter().zip(["alone", "within all"]) {
                let cell = effect_cell(component, within);
                let of = |score: &str| shown(self.row(&cell, &format!("{score}-{EFFECT}")));
                table.rows.push(vec![
                    component.name().to_owned(),
                    place.to_owned(),
                    of(COMPETENCE),
                    of(CONFORMITY),
                    of(JOINT),
                ]);
            }
        }
        table
    }

    /// What each way of judging says of every student, beside the truth.
    fn ways_table(&self) -> Table {
        let next = self.design.known as u64 + 1;
        let mut table = Table::new(
            format!("Judged where nobody can label: tasks harder than difficulty {}", self.design.known),
            1,
            &[
                "student",
                "truth (withheld)",
                "surrogate",
                &format!("predicted at {next}"),
                &format!("truth at {next}"),
                "strength by peers",
            ],
        );
        let kind = kind_cell(KINDS[0].0);
        for (place, student) in self.students.iter().enumerate() {
            let (scored, ahead) = (scored_cell(&kind, student), predicted_cell(student, next));
            table.rows.push(vec![
                student.name.clone(),
                shown(self.row(&scored, TARGET)),
                shown(self.row(&scored, SURROGATE)),
                shown(self.row(&ahead, PREDICTED)),
                shown(self.row(&ahead, ACTUAL)),
                // The supervisor is the first of the peers.
                shown(self.row(&ranked_cell(RANKING, place + 2), STRENGTH)),
            ]);
        }
        for method in METHODS {
            let tau = shown(self.row(&method_cell(method), KENDALL));
            let name = format!("Kendall tau, peers by {method}");
            table.rows.push(vec![name, String::new(), String::new(), String::new(), String::new(), tau]);
        }
        table
    }

    /// What every round did, in the first seed.
    fn rounds_table(&self) -> Table {
        let seed = self.plan.seeds.first().copied();
        let columns = [
            "arm",
            "round",
            "student",
            "predicted gap",
            "sources",
            "labels right, competence",
            "labels right, conformity",
            "competence",
            "conformity",
        ];
        let mut table = Table::new(format!("Rounds, seed {}", seed.unwrap_or_default()), 3, &columns);
        let names = candidate_names(self.plan, self.design);
        for &arm in &self.design.arm {
            for round in 1..=self.design.rounds(arm) {
                let cell = round_cell(arm, round);
                let at = |metric: &str| {
                    self.numbers.rows.iter().find(|r| r.seed == seed && r.cell == cell && r.metric == metric)
                };
                let number = |metric: &str| at(metric).and_then(|row| row.value);
                let student = number(TAKEN).and_then(|place| names.get(place as usize)).cloned();
                table.rows.push(vec![
                    arm.name().to_owned(),
                    round.to_string(),
                    student.unwrap_or_else(|| "not trained".to_owned()),
                    shown(at(GAP)),
                    number(SOURCES).map_or_else(|| "none".to_owned(), |n| format!("{n:.0}")),
                    shown(at(&format!("{LABELS}-{COMPETENCE}"))),
                    shown(at(&format!("{LABELS}-{CONFORMITY}"))),
                    shown(at(COMPETENCE)),
                    shown(at(CONFORMITY)),
                ]);
            }
        }
        table
    }
}

/// A difference with its sign and its interval.
fn signed(e: &Estimate) -> String {
    format!("{:+.3} [{:+.3}, {:+.3}]", e.value, e.lo, e.hi)
}
