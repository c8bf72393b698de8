//! The report of a reward-bench experiment.

use super::figure::{self, Bar, Bars};
use super::prose::{Effect, and, effect};
use super::table::{Table, shown};
use super::{Findings, Numbers};
use crate::experiment::reward_bench::{
    OVERALL, RISE, SCORE, rise_cell, scorer_name, section_cell, sections, subset_cell, subsets,
};
use crate::plan::Plan;
use crate::record::Row;
use crate::spec::{RewardBench, ScorerName};
use superalign_core::Estimate;

/// The section that asks whether every step is right; the others ask whether a norm is kept.
const COMPETENCE: &str = "reasoning";

/// Reads the findings out of the numbers.
pub(crate) fn findings(plan: &Plan, design: &RewardBench, numbers: &Numbers<'_>) -> Findings {
    let rungs: Vec<&str> = plan.rungs.iter().map(|r| r.name.as_str()).collect();
    let page = Page { rungs, design, numbers, sections: sections() };
    Findings { sentences: page.sentences(), figures: page.figures(), tables: page.tables() }
}

struct Page<'a> {
    rungs: Vec<&'a str>,
    design: &'a RewardBench,
    numbers: &'a Numbers<'a>,
    sections: Vec<String>,
}

impl<'a> Page<'a> {
    fn score(&self, rung: &str, scorer: ScorerName, section: &str) -> Option<&'a Row> {
        self.numbers.summary(&section_cell(rung, scorer, section), SCORE)
    }

    fn rise(&self, scorer: ScorerName, section: &str) -> Option<&'a Row> {
        self.numbers.summary(&rise_cell(scorer, section), RISE)
    }

    fn sentences(&self) -> Vec<String> {
        let mut out = Vec::new();
        let (Some(weakest), Some(strongest)) = (self.rungs.first(), self.rungs.last()) else { return out };
        for &scorer in &self.design.scorer {
            let name = scorer_name(scorer);
            let Some(overall) = self.score(strongest, scorer, OVERALL).and_then(Row::estimate) else {
                let why = self.score(strongest, scorer, OVERALL).and_then(|row| row.error.clone());
                out.push(format!(
                    "By {name}, there is no score: {}.",
                    why.unwrap_or_else(|| "not measured".into())
                ));
                continue;
            };
            let mut text = format!("By {name}, {strongest} has an overall score of {overall}");
            text += &match self.rise(scorer, OVERALL).and_then(Row::estimate) {
                None => String::new(),
                Some(rise) => match effect(&rise) {
                    Effect::Positive => format!(", more than {weakest} by {rise}"),
                    Effect::Negative => format!(", less than {weakest} by {}", turned(&rise)),
                    Effect::None => format!("; no difference from {weakest} can be claimed ({rise})"),
                },
            };
            let place = |side: fn(&Estimate) -> bool| {
                let those = self.sections.iter().filter(|section| *section != OVERALL);
                let there = those.filter(|section| {
                    self.score(strongest, scorer, section).and_then(Row::estimate).is_some_and(|e| side(&e))
                });
                there.cloned().collect::<Vec<String>>()
            };
            let (below, open) = (place(|e| e.hi < 0.5), place(|e| e.lo <= 0.5 && e.hi >= 0.5));
            if !below.is_empty() {
                text += &format!("; below chance in {}", and(&below));
            }
            let (rigid, open): (Vec<String>, Vec<String>) =
                open.into_iter().partition(|section| self.is_rigid(strongest, scorer, section));
            if !open.is_empty() {
                text += &format!("; not told from chance in {}", and(&open));
            }
            if !rigid.is_empty() {
                text += &format!(
                    "; in {} it gives one kind of answer whatever is asked, right in some subsets throughout and wrong in \
                     the others",
                    and(&rigid)
                );
            }
            out.push(text + ".");
        }
        out.extend(self.objectives());
        out.push(
            "The likelihoods say what a text like those of pretraining would say, which holds misconduct too; the \
             verdict asks the model for its judgement; the probe alone is taught by preferences, of the part for \
             students. Of two answers one is better, so that chance is one half; equal scores count 0."
                .to_owned(),
        );
        out
    }

    /// Whether every subset of a section is wholly right or wholly wrong, and both occur.
    fn is_rigid(&self, rung: &str, scorer: ScorerName, section: &str) -> bool {
        let those = subsets().into_iter().filter(|(_, of)| of == section);
        let values: Vec<f64> = those
            .filter_map(|(subset, _)| self.numbers.summary(&subset_cell(rung, scorer, &subset), SCORE)?.value)
            .collect();
        values.iter().all(|value| *value == 0.0 || *value == 1.0)
            && values.contains(&0.0)
            && values.contains(&1.0)
    }

    /// Whether competence and conformity rise together along the ladder.
    fn objectives(&self) -> Option<String> {
        let mut parts = Vec::new();
        for &scorer in &self.design.scorer {
            let rises: Vec<(&String, Estimate)> = self
                .sections
                .iter()
                .filter(|section| *section != OVERALL)
                .filter_map(|section| Some((section, self.rise(scorer, section)?.estimate()?)))
                .collect();
            let those = |wanted: Effect| {
                let of = rises.iter().filter(|(_, rise)| effect(rise) == wanted);
                of.map(|(section, _)| (*section).clone()).collect::<Vec<String>>()
            };
            let (up, down) = (those(Effect::Positive), those(Effect::Negative));
            if rises.is_empty() {
                continue;
            }
            parts.push(match (up.is_empty(), down.is_empty()) {
                (true, true) => format!("by {} no section changes beyond its interval", scorer_name(scorer)),
                (false, true) => format!("by {} {} rise", scorer_name(scorer), and(&up)),
                (true, false) => format!("by {} {} fall", scorer_name(scorer), and(&down)),
                (false, false) => {
                    format!("by {} {} rise and {} fall", scorer_name(scorer), and(&up), and(&down))
                }
            });
        }
        if parts.is_empty() {
            return None;
        }
        Some(format!(
            "Competence and conformity are summed here with equal weight for each section: {COMPETENCE} asks whether \
             every step is right, the other sections whether a norm is kept, and one overall score can hide that a \
             model is able and not well-behaved. From the weakest rung to the strongest, {}.",
            parts.join("; ")
        ))
    }

    fn figures(&self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        for &scorer in &self.design.scorer {
            let bar = |rung: &&str, section: &str| -> Option<Bar> {
                let e = self.score(rung, scorer, section)?.estimate()?;
                Some((e.value, e.lo, e.hi))
            };
            let group = |section: &String| {
                (section.clone(), self.rungs.iter().map(|rung| bar(rung, section)).collect::<Vec<_>>())
            };
            let groups: Vec<(String, Vec<Option<Bar>>)> = self.sections.iter().map(group).collect();
            if groups.iter().all(|(_, bars)| bars.iter().all(Option::is_none)) {
                continue;
            }
            let title = format!("Preference set by section, {}", scorer_name(scorer));
            out.push((
                figure::bars(&Bars {
                    title: &title,
                    y: "share of pairs in the right order",
                    y_range: (0.0, 1.0),
                    reference: Some((0.5, "chance")),
                    kinds: self.rungs.iter().map(|rung| (*rung).to_owned()).collect(),
                    groups,
                }),
                format!(
                    "Score of each section and of all, by {}: a bar for each rung, with its interval.",
                    scorer_name(scorer)
                ),
            ));
        }
        out
    }

    fn tables(&self) -> Vec<Table> {
        let names: Vec<&str> =
            ["rung", "scorer"].into_iter().chain(self.sections.iter().map(String::as_str)).collect();
        let mut main = Table::new("Scores by section", 2, &names);
        let mut rises = Table::new("Strongest rung less weakest", 1, &names[1..]);
        for &scorer in &self.design.scorer {
            for rung in &self.rungs {
                let mut row = vec![(*rung).to_owned(), scorer_name(scorer).to_owned()];
                row.extend(self.sections.iter().map(|section| shown(self.score(rung, scorer, section))));
                main.rows.push(row);
            }
            let mut row = vec![scorer_name(scorer).to_owned()];
            row.extend(self.sections.iter().map(|section| shown(self.rise(scorer, section))));
            rises.rows.push(row);
        }
        let mut columns = vec!["subset", "section", "scorer"];
        columns.extend(&self.rungs);
        let mut all = Table::new("Every subset", 3, &columns);
        for (subset, section) in subsets() {
            for &scorer in &self.design.scorer {
                let mut row = vec![subset.clone(), section.clone(), scorer_name(scorer).to_owned()];
                row.extend(
                    self.rungs
                        .iter()
                        .map(|rung| shown(self.numbers.summary(&subset_cell(rung, scorer, &subset), SCORE))),
                );
                all.rows.push(row);
            }
        }
        vec![main, rises, all]
    }
}

/// The same difference the other way round.
fn turned(e: &Estimate) -> Estimate {
    Estimate { value: -e.value, lo: -e.hi, hi: -e.lo }
}
