//! The report of a signal-diversity experiment.

use super::figure::{self, Bars, Dots, Joined, Scatter};
use super::prose::{Effect, and, count, effect};
use super::table::{Table, shown};
use super::{Findings, Numbers};
use crate::experiment::signal_diversity::{
    CLUSTERS, CORRELATION, ESTIMATE_ERROR, ESTIMATED, ESTIMATED_CORRELATION, GAIN, INDEPENDENT, KIN_ERROR,
    LABEL_GAIN, LABELS, Q, TEST, VENDI, best_single, ceiling_cell, member_cells, rule_cell, rule_name,
    set_cell, set_name, source_cells, teacher_cells,
};
use crate::plan::Plan;
use crate::record::Row;
use crate::spec::{RuleName, SetName, SignalDiversity};
use superalign_core::Estimate;

/// Reads the findings out of the numbers.
pub(crate) fn findings(plan: &Plan, design: &SignalDiversity, numbers: &Numbers<'_>) -> Findings {
    let page = Page {
        plan,
        design,
        numbers: *numbers,
        sources: source_cells(design, plan),
        teachers: teacher_cells(design, plan),
    };
    Findings { sentences: page.sentences(), figures: page.figures(), tables: page.tables() }
}

struct Page<'a> {
    plan: &'a Plan,
    design: &'a SignalDiversity,
    numbers: Numbers<'a>,
    sources: Vec<String>,
    teachers: Vec<String>,
}

/// The name in a cell `source=NAME`, or whatever it is.
fn named(cell: &str) -> &str {
    cell.rsplit_once("source=").map_or(cell, |(_, name)| name)
}

impl Page<'_> {
    fn estimate(&self, cell: &str, metric: &str) -> Option<Estimate> {
        self.numbers.summary(cell, metric).and_then(Row::estimate)
    }

    fn shown(&self, cell: &str, metric: &str) -> String {
        shown(self.numbers.summary(cell, metric))
    }

    fn best(&self) -> Option<&String> {
        best_single(&self.teachers, |cell| self.estimate(cell, LABELS).map(|e| e.value))
    }

    /// Every combination.
    fn combinations(&self) -> impl Iterator<Item = (SetName, RuleName)> {
        self.design.set.iter().flat_map(|&set| self.design.rule.iter().map(move |&rule| (set, rule)))
    }

    fn sentences(&self) -> Vec<String> {
        let mut out = Vec::new();
        let ceiling = self.plan.rungs.last().map(|rung| ceiling_cell(&rung.name)).unwrap_or_default();
        if let Some(best) = self.best() {
            out.push(format!(
                "With hindsight the best single teacher is the {}: {} of its labels are right, and its student reaches \
                 {} on the test part, where the ceiling is {}. Every combination is compared with it, on the same items.",
                named(best),
                self.shown(best, LABELS),
                self.shown(best, TEST),
                self.shown(&ceiling, TEST)
            ));
        }
        out.extend(self.dependence());
        out.extend(self.gains(LABEL_GAIN, "Labels", "righter", "less right"));
        out.extend(self.gains(GAIN, "Students", "better", "worse"));
        out.extend(self.rules());
        out.extend(self.blind());
        out
    }

    fn dependence(&self) -> Option<String> {
        let mut sets: Vec<(SetName, Estimate)> = self
            .design
            .set
            .iter()
            .filter_map(|&set| Some((set, self.estimate(&set_cell(set), CORRELATION)?)))
            .collect();
        sets.sort_by(|a, b| b.1.value.total_cmp(&a.1.value));
        let listed: Vec<String> = sets
            .iter()
            .map(|(set, e)| {
                let worth = self.shown(&set_cell(*set), INDEPENDENT);
                format!("{} {e} (worth {worth} sources that err apart)", set_name(*set))
            })
            .collect();
        (!listed.is_empty()).then(|| format!("Correlation of errors within each set: {}.", and(&listed)))
    }

    fn gains(&self, metric: &str, what: &str, more: &str, less: &str) -> Option<String> {
        let mut by: [Vec<String>; 3] = Default::default();
        for (set, rule) in self.combinations() {
            let Some(gain) = self.estimate(&rule_cell(set, rule), metric) else { continue };
            let place = match effect(&gain) {
                Effect::Positive => 0,
                Effect::Negative => 1,
                Effect::None => 2,
            };
            by[place].push(format!("{} by {} ({:+.3})", set_name(set), rule_name(rule), gain.value));
        }
        let total: usize = by.iter().map(Vec::len).sum();
        if total == 0 {
            return None;
        }
        let part = |names: &[String], says: &str| match names {
            [] => None,
            names if names.len() > 8 => Some(format!("{says} for {} of {total}", names.len())),
            names => Some(format!("{says} for {} of {total}: {}", names.len(), names.join(", "))),
        };
        let parts: Vec<String> = [
            part(&by[0], &format!("{more} than those of the best single teacher")),
            part(&by[1], &format!("{less} than those")),
            part(&by[2], "no difference can be claimed"),
        ]
        .into_iter()
        .flatten()
        .collect();
        Some(format!("{what} of combined signals: {}.", parts.join("; ")))
    }

    /// What a rule comes to, mean over the sets: of labels, and of students, which see how soft the labels are as well.
    fn rules(&self) -> Option<String> {
        let of = |metric: &str| -> Option<String> {
            let mut rules: Vec<(RuleName, f64)> = Vec::new();
            for &rule in &self.design.rule {
                let all: Option<Vec<f64>> = self
                    .design
                    .set
                    .iter()
                    .map(|&set| Some(self.estimate(&rule_cell(set, rule), metric)?.value))
                    .collect();
                let all = all?;
                rules.push((rule, all.iter().sum::<f64>() / all.len() as f64));
            }
            rules.sort_by(|a, b| b.1.total_cmp(&a.1));
            let listed: Vec<String> =
                rules.iter().map(|(rule, mean)| format!("{} {mean:.3}", rule_name(*rule))).collect();
            (!listed.is_empty()).then(|| and(&listed))
        };
        let sets = count(self.design.set.len(), "set");
        Some(format!(
            "By rule, mean over {sets}: right labels {}; test accuracy of students {}.",
            of(LABELS)?,
            of(TEST)?
        ))
    }

    /// How good the estimates were that saw no gold label.
    fn blind(&self) -> Option<String> {
        let mut errors: Vec<(SetName, Estimate)> = Vec::new();
        for &set in &self.design.set {
            let cells = member_cells(self.design, set, self.plan);
            errors.extend(
                cells.iter().filter_map(|(cell, _)| Some((set, self.estimate(cell, ESTIMATE_ERROR)?))),
            );
        }
        let n = errors.len();
        if n == 0 {
            return None;
        }
        let mean = errors.iter().map(|(_, e)| e.value).sum::<f64>() / n as f64;
        let size = errors.iter().map(|(_, e)| e.value.abs()).sum::<f64>() / n as f64;
        let covers = errors.iter().filter(|(_, e)| e.covers(0.0)).count();
        let worst = errors.iter().max_by(|a, b| a.1.value.abs().total_cmp(&b.1.value.abs()))?;
        let by_set: Vec<String> = self
            .design
            .set
            .iter()
            .filter_map(|&set| {
                let own: Vec<f64> = errors.iter().filter(|(s, _)| *s == set).map(|(_, e)| e.value).collect();
                let mean = own.iter().sum::<f64>() / own.len() as f64;
                (!own.is_empty()).then(|| format!("{} {mean:+.3}", set_name(set)))
            })
            .collect();
        Some(format!(
            "Accuracies estimated from votes alone differ from the truth by {size:.3} on average ({mean:+.3} with their \
             sign; the most by {:+.3}, in {}), and the interval reaches the truth for {covers} of {n}. By set: {}. \
             Where all members find the same items hard, that looks like skill.{}",
            worst.1.value,
            set_name(worst.0),
            and(&by_set),
            self.kin().unwrap_or_default()
        ))
    }

    /// What is gained by knowing that sources of one rung may err together.
    fn kin(&self) -> Option<String> {
        let mean = |set: SetName, metric: &str| -> Option<f64> {
            let cells = member_cells(self.design, set, self.plan);
            let all: Option<Vec<f64>> =
                cells.iter().map(|(cell, _)| Some(self.estimate(cell, metric)?.value.abs())).collect();
            all.map(|all| all.iter().sum::<f64>() / all.len() as f64)
        };
        let of = |&set: &SetName| {
            let (plain, by_kin) = (mean(set, ESTIMATE_ERROR)?, mean(set, KIN_ERROR)?);
            Some(format!("from {plain:.3} to {by_kin:.3} in {}", set_name(set)))
        };
        let listed: Vec<String> = self.design.set.iter().filter_map(of).collect();
        (!listed.is_empty()).then(|| {
            format!(
                " To be told that sources of one rung may err together changes the mean size of the difference {}.",
                and(&listed)
            )
        })
    }

    fn figures(&self) -> Vec<(String, String)> {
        let bar = |cell: &str, metric: &str| self.estimate(cell, metric).map(|e| (e.value, e.lo, e.hi));
        let groups = |metric: &str| -> Vec<(String, Vec<Option<figure::Bar>>)> {
            let of = |&set: &SetName| {
                let bars = self.design.rule.iter().map(|&rule| bar(&rule_cell(set, rule), metric)).collect();
                (set_name(set).to_owned(), bars)
            };
            self.design.set.iter().map(of).collect()
        };
        let kinds: Vec<String> = self.design.rule.iter().map(|&rule| rule_name(rule).to_owned()).collect();
        let reference = |metric: &str| {
            let value = self.best().and_then(|best| self.estimate(best, metric)).map(|e| e.value);
            value.map(|value| (value, "best teacher"))
        };
        let bars = |title, metric| {
            figure::bars(&Bars {
                title,
                y: "accuracy",
                y_range: (0.4, 1.0),
                reference: reference(metric),
                kinds: kinds.clone(),
                groups: groups(metric),
            })
        };
        let labels = bars("Right labels by set and rule", LABELS);
        let students = bars("Students of combined signals", TEST);
        vec![
            (labels, "Accuracy of the combined labels on the items that they were made for. The line is the best single \
                      teacher, chosen with hindsight.".to_owned()),
            (students, "Test accuracy of the strongest rung taught by each signal. The line is the student of the best \
                        single teacher.".to_owned()),
            (self.correlations(), "Label accuracy of a set's combinations less that of the best single teacher, against \
                                   how far its members' errors correlate.".to_owned()),
            (self.estimates(), "A point per source and set; the curve is where the estimate is the truth.".to_owned()),
        ]
    }

    fn correlations(&self) -> String {
        let of = |&rule: &RuleName| {
            let mut points: Vec<(f64, f64, f64, f64)> = self
                .design
                .set
                .iter()
                .filter_map(|&set| {
                    let x = self.estimate(&set_cell(set), CORRELATION)?.value;
                    let gain = self.estimate(&rule_cell(set, rule), LABEL_GAIN)?;
                    Some((x, gain.value, gain.lo, gain.hi))
                })
                .collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            Dots { name: rule_name(rule).to_owned(), points, joined: Joined::Apart }
        };
        figure::scatter(&Scatter {
            title: "Gain of the labels against correlation of errors",
            x: "mean correlation of errors",
            y: "gain over the best single teacher",
            reference: Some((0.0, "no gain")),
            dots: self.design.rule.iter().map(of).collect(),
            curve: Vec::new(),
        })
    }

    fn estimates(&self) -> String {
        let mut ends = (f64::INFINITY, f64::NEG_INFINITY);
        let of = |&set: &SetName| {
            let cells = member_cells(self.design, set, self.plan);
            let points = cells.iter().filter_map(|(cell, source)| {
                let (truth, estimated) = (self.estimate(source, LABELS)?, self.estimate(cell, ESTIMATED)?);
                Some((truth.value, estimated.value, estimated.lo, estimated.hi))
            });
            Dots { name: set_name(set).to_owned(), points: points.collect(), joined: Joined::Apart }
        };
        let dots: Vec<Dots> = self.design.set.iter().map(of).collect();
        for point in dots.iter().flat_map(|dots| &dots.points) {
            ends = (ends.0.min(point.0), ends.1.max(point.0));
        }
        let curve = if ends.0 < ends.1 {
            vec![(ends.0, ends.0, ends.0, ends.0), (ends.1, ends.1, ends.1, ends.1)]
        } else {
            Vec::new()
        };
        figure::scatter(&Scatter {
            title: "Accuracy estimated without gold labels",
            x: "true accuracy",
            y: "estimated accuracy",
            reference: None,
            dots,
            curve,
        })
    }

    fn tables(&self) -> Vec<Table> {
        let header = ["set", "rule", "right labels", "gain", "student acc.", "gain"];
        let mut main = Table::new("Combined signals, against the best single teacher", 2, &header);
        for (set, rule) in self.combinations() {
            let cell = rule_cell(set, rule);
            let mut row = vec![set_name(set).to_owned(), rule_name(rule).to_owned()];
            row.extend([LABELS, LABEL_GAIN, TEST, GAIN].map(|metric| self.shown(&cell, metric)));
            main.rows.push(row);
        }
        let header = [
            "set",
            "sources",
            "error correlation",
            "estimated",
            "Q",
            "independent sources",
            "different voters",
            "clusters",
        ];
        let mut sets = Table::new("Sets of sources", 1, &header);
        for &set in &self.design.set {
            let members = member_cells(self.design, set, self.plan).len();
            let mut row = vec![set_name(set).to_owned(), members.to_string()];
            row.extend(
                [CORRELATION, ESTIMATED_CORRELATION, Q, INDEPENDENT, VENDI]
                    .map(|metric| self.shown(&set_cell(set), metric)),
            );
            let clusters = self.estimate(&set_cell(set), CLUSTERS);
            row.push(clusters.map_or_else(|| "undefined".to_owned(), |e| format!("{:.1}", e.value)));
            sets.rows.push(row);
        }
        let mut sources = Table::new("Single sources", 1, &["source", "right labels", "student acc."]);
        for cell in &self.sources {
            sources.rows.push(vec![named(cell).to_owned(), self.shown(cell, LABELS), self.shown(cell, TEST)]);
        }
        let header = ["set", "source", "true accuracy", "estimated", "difference", "difference, by kin"];
        let mut estimates =
            Table::new("Accuracies estimated from votes alone, and the withheld truth", 2, &header);
        for &set in &self.design.set {
            for (cell, source) in member_cells(self.design, set, self.plan) {
                estimates.rows.push(vec![
                    set_name(set).to_owned(),
                    named(&source).to_owned(),
                    self.shown(&source, LABELS),
                    self.shown(&cell, ESTIMATED),
                    self.shown(&cell, ESTIMATE_ERROR),
                    self.numbers.summary(&cell, KIN_ERROR).map_or_else(String::new, |row| shown(Some(row))),
                ]);
            }
        }
        vec![main, sets, sources, estimates]
    }
}
