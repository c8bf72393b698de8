//! The report of a sandwiching experiment.

use super::figure::{self, Bars, Dots, Joined, Scatter};
use super::prose::{Effect, and, count, effect};
use super::table::{Table, shown};
use super::{Findings, Numbers};
use crate::experiment::sandwiching::{
    ACCURACY, ADVANTAGE, ALONE, BELOW, Bench, CALLS, DISHONEST, FULL, GAIN, GAP, HONEST, How, LABELS,
    LESS_ALONE, LESS_CONSULTANCY, LESS_FULL, PERSUASION, TEST, TOKENS, ceiling, helped_cell, solo_cell,
    student_cell,
};
use crate::plan::Plan;
use crate::record::{Row, TranscriptRow};
use crate::spec::{ProtocolName, Sandwiching};
use superalign_core::Estimate;
use superalign_paradigm::{Transcript, Turn};

/// Reads the findings out of the numbers.
pub(crate) fn findings(plan: &Plan, design: &Sandwiching, numbers: &Numbers<'_>) -> Findings {
    let benches = design.benches(plan);
    let page = Page { plan, design, numbers, benches };
    Findings { sentences: page.sentences(), figures: page.figures(), tables: page.tables() }
}

/// Consultancy and debate about one question, by the weakest judge and the strongest advisor.
pub(crate) fn exchanges(plan: &Plan, design: &Sandwiching, transcripts: &[TranscriptRow]) -> Vec<Table> {
    let (Some(judge), Some(advisor)) = (plan.rungs.first(), plan.rungs.last()) else { return Vec::new() };
    let cells: Vec<String> = design
        .protocol
        .iter()
        .map(|protocol| helped_cell(&judge.name, &advisor.name, protocol.name()))
        .collect();
    // The question on which the judge is swayed most by who speaks (of several, the first).
    let swayed = |transcript: &Transcript| {
        let said =
            transcript.turns.iter().filter(|turn| turn.role == "judge").filter_map(|turn| turn.probability);
        said.clone().fold(0.0, f64::max) - said.fold(1.0, f64::min)
    };
    let mut chosen: Option<(f64, &str)> = None;
    for row in transcripts.iter().filter(|row| cells.first() == Some(&row.signal)) {
        let by = swayed(&row.transcript);
        if chosen.is_none_or(|(most, _)| by > most) {
            chosen = Some((by, &row.transcript.item));
        }
    }
    let Some((_, item)) = chosen else { return Vec::new() };
    let of = |cell: &String| {
        let row = transcripts.iter().find(|row| row.signal == *cell && row.transcript.item == item)?;
        Some(exchange(&row.transcript))
    };
    cells.iter().filter_map(of).collect()
}

fn exchange(transcript: &Transcript) -> Table {
    let caption = format!(
        "{} about {}, word for word; after each hearing the judge names the answer that it finds likelier",
        transcript.protocol, transcript.item
    );
    let mut table = Table::new(caption, 4, &["who", "model", "was asked", "said", "probability"]);
    let row = |turn: &Turn| {
        let sure = match turn.probability {
            Some(p) if turn.role == "judge" => format!("{:.3}", p.max(1.0 - p)),
            _ => String::new(),
        };
        vec![turn.role.clone(), turn.model.clone(), turn.prompt.clone(), turn.text.clone(), sure]
    };
    table.rows.extend(transcript.turns.iter().map(row));
    table
}

struct Page<'a> {
    plan: &'a Plan,
    design: &'a Sandwiching,
    numbers: &'a Numbers<'a>,
    benches: Vec<Bench>,
}

/// How many of some pairs an effect was seen in, in words.
fn tally(found: &[Estimate], better: &str, worse: &str) -> String {
    let counted = |wanted: Effect| found.iter().filter(|estimate| effect(estimate) == wanted).count();
    let (up, down) = (counted(Effect::Positive), counted(Effect::Negative));
    let open = found.len() - up - down;
    let part = |n: usize, what: &str| (n > 0).then(|| format!("{what} in {n}"));
    let parts: Vec<String> =
        [part(up, better), part(down, worse), part(open, "no difference can be claimed")]
            .into_iter()
            .flatten()
            .collect();
    format!("{} of {}", and(&parts), count(found.len(), "pair"))
}

/// The least and the greatest of some values.
fn range(found: &[Estimate]) -> String {
    let least = found.iter().map(|e| e.value).fold(f64::INFINITY, f64::min);
    let most = found.iter().map(|e| e.value).fold(f64::NEG_INFINITY, f64::max);
    let (least, most) = (format!("{least:.2}"), format!("{most:.2}"));
    if least == most { least } else { format!("{least} to {most}") }
}

impl Page<'_> {
    fn name(&self, rung: usize) -> &str {
        &self.plan.rungs[rung].name
    }

    /// The name without what all have in common.
    fn short(&self, rung: usize) -> &str {
        let names: Vec<&str> = self.plan.rungs.iter().map(|rung| rung.name.as_str()).collect();
        let name = names[rung];
        let common =
            |at: usize| names.iter().all(|other| other.len() > at && other.get(..at) == name.get(..at));
        let end = (1..name.len())
            .rev()
            .find(|&at| name.get(..at).is_some_and(|front| front.ends_with('-')) && common(at));
        &name[end.unwrap_or(0)..]
    }

    fn strongest(&self) -> &str {
        self.plan.rungs.last().map_or("", |rung| &rung.name)
    }

    fn row(&self, cell: &str, metric: &str) -> Option<&Row> {
        self.numbers.summary(cell, metric)
    }

    fn estimate(&self, cell: &str, metric: &str) -> Option<Estimate> {
        self.row(cell, metric)?.estimate()
    }

    /// The pairs that hold a protocol.
    fn pairs(&self, protocol: ProtocolName) -> impl Iterator<Item = &Bench> {
        self.benches.iter().filter(move |bench| matches!(bench.how, How::Helped(_, own) if own == protocol))
    }

    fn all(&self, protocol: ProtocolName, metric: &str) -> Vec<Estimate> {
        self.pairs(protocol).filter_map(|bench| self.estimate(&bench.cell, metric)).collect()
    }

    fn sentences(&self) -> Vec<String> {
        let mut out = Vec::new();
        for (what, protocol) in [("Alone", ALONE), ("With the full context", FULL)] {
            let of = |rung: usize| {
                let cell = solo_cell(self.name(rung), protocol);
                format!("{} {}", self.name(rung), shown(self.row(&cell, ACCURACY)))
            };
            let listed: Vec<String> = (0..self.plan.rungs.len()).map(of).collect();
            out.push(format!("{what}, judges decide rightly: {}.", and(&listed)));
        }
        for &protocol in &self.design.protocol {
            out.extend(self.protocol_sentence(protocol));
        }
        let against = self.all(ProtocolName::Debate, LESS_CONSULTANCY);
        if !against.is_empty() {
            out.push(format!(
                "Against consultancy by the same two, debate is {}.",
                tally(&against, "better", "worse")
            ));
        }
        out.extend(self.gap_sentence());
        out.extend(self.persuasion_sentence());
        out.extend(self.student_sentences());
        out
    }

    fn protocol_sentence(&self, protocol: ProtocolName) -> Option<String> {
        let accuracy = self.all(protocol, ACCURACY);
        if accuracy.is_empty() {
            return None;
        }
        let (how, tokens) = match protocol {
            ProtocolName::Consultancy => ("an advisor who argues an assigned side", "consultancy"),
            ProtocolName::Debate => ("two advisors who argue opposite sides", "debate"),
        };
        let cost: Vec<Estimate> = self.all(protocol, TOKENS);
        let least = cost.iter().map(|e| e.value).fold(f64::INFINITY, f64::min).round();
        let most = cost.iter().map(|e| e.value).fold(0.0, f64::max).round();
        let cost = if least < most { format!("{least} to {most}") } else { most.to_string() };
        Some(format!(
            "With {how}, the judge decides rightly in a share of {}: against itself alone {}; against itself with the \
             full context {}. A {tokens} takes {cost} tokens a question.",
            range(&accuracy),
            tally(&self.all(protocol, LESS_ALONE), "better", "worse"),
            tally(&self.all(protocol, LESS_FULL), "better", "worse"),
        ))
    }

    fn gap_sentence(&self) -> Option<String> {
        let mut found: Vec<(Estimate, Estimate, &Bench)> = self
            .pairs(ProtocolName::Debate)
            .filter_map(|bench| {
                let of = |metric| self.estimate(&bench.cell, metric);
                Some((of(GAP)?, of(ACCURACY)?, bench))
            })
            .collect();
        found.sort_by(|a, b| a.0.value.total_cmp(&b.0.value));
        let ((near, one, first), (far, other, last)) = (found.first()?, found.last()?);
        if found.len() < 2 {
            return None;
        }
        let pair = |bench: &Bench| match bench.how {
            How::Helped(advisor, _) => format!("{} by {}", self.name(bench.judge), self.name(advisor)),
            How::Alone | How::Full => self.name(bench.judge).to_owned(),
        };
        Some(format!(
            "Across the smallest gap between advisor and judge ({near}, {}) debate reaches {one}, across the largest ({far}, \
             {}) {other}.",
            pair(first),
            pair(last)
        ))
    }

    fn persuasion_sentence(&self) -> Option<String> {
        let advantage = self.all(ProtocolName::Consultancy, ADVANTAGE);
        if advantage.is_empty() {
            return None;
        }
        let [overall, honest, dishonest] =
            [PERSUASION, HONEST, DISHONEST].map(|metric| range(&self.all(ProtocolName::Consultancy, metric)));
        Some(format!(
            "A single advisor brings the judge to its assigned side in a share of {overall}: {honest} when that is the \
             true one, {dishonest} when it is the false one. The honesty advantage, {}, is {}.",
            range(&advantage),
            tally(&advantage, "above 0", "below 0")
        ))
    }

    fn student_sentences(&self) -> Vec<String> {
        let top = ceiling(self.plan);
        let mut out = vec![format!(
            "With true labels, {} reaches {} on the test part.",
            self.strongest(),
            shown(self.row(&top, TEST))
        )];
        for &protocol in &self.design.protocol {
            let student = |metric: &str| -> Vec<Estimate> {
                let of = |bench: &Bench| self.estimate(&student_cell(&bench.cell, self.strongest()), metric);
                self.pairs(protocol).filter_map(of).collect()
            };
            let (accuracy, gain, below) = (student(TEST), student(GAIN), student(BELOW));
            if accuracy.is_empty() {
                continue;
            }
            out.push(format!(
                "Trained on verdicts by {}, it reaches {}: against the same judge's naive labels {}; against the ceiling {}.",
                protocol.name(),
                range(&accuracy),
                tally(&gain, "better", "worse"),
                tally(&below, "worse", "better")
            ));
        }
        out
    }

    fn figures(&self) -> Vec<(String, String)> {
        let bar = |cell: &str, metric: &str| {
            let e = self.estimate(cell, metric)?;
            Some((e.value, e.lo, e.hi))
        };
        let mut kinds = vec!["alone".to_owned()];
        kinds.extend(self.design.protocol.iter().map(|protocol| protocol.name().to_owned()));
        kinds.push("full context".to_owned());
        let pairs: Vec<(usize, usize)> = (0..self.plan.rungs.len())
            .flat_map(|judge| (judge + 1..self.plan.rungs.len()).map(move |advisor| (judge, advisor)))
            .collect();
        let group = |&(judge, advisor): &(usize, usize), cell: &dyn Fn(&str) -> String, metric: &str| {
            let title = format!("{}, {}", self.short(judge), self.short(advisor));
            let (judge, advisor) = (self.name(judge), self.name(advisor));
            let mut values = vec![bar(&cell(&solo_cell(judge, ALONE)), metric)];
            values.extend(
                self.design
                    .protocol
                    .iter()
                    .map(|protocol| bar(&cell(&helped_cell(judge, advisor, protocol.name())), metric)),
            );
            values.push(bar(&cell(&solo_cell(judge, FULL)), metric));
            (title, values)
        };
        let same = |cell: &str| cell.to_owned();
        let judged = figure::bars(&Bars {
            title: "Judges by protocol",
            y: "right decisions",
            y_range: (0.0, 1.0),
            reference: Some((0.5, "a guess")),
            kinds: kinds.clone(),
            groups: pairs.iter().map(|pair| group(pair, &same, ACCURACY)).collect(),
        });
        let dots = |&protocol: &ProtocolName| {
            let point = |bench: &Bench| {
                let (gap, accuracy) =
                    (self.estimate(&bench.cell, GAP)?, self.estimate(&bench.cell, ACCURACY)?);
                Some((gap.value, accuracy.value, accuracy.lo, accuracy.hi))
            };
            let points = self.pairs(protocol).filter_map(point).collect();
            Dots { name: protocol.name().to_owned(), points, joined: Joined::Apart }
        };
        let gaps = figure::scatter(&Scatter {
            title: "Decisions across the gap",
            x: "advisor less judge, with the full context",
            y: "right decisions",
            reference: Some((0.5, "a guess")),
            dots: self.design.protocol.iter().map(dots).collect(),
            curve: Vec::new(),
        });
        let persuades = |bench: &Bench| {
            let How::Helped(advisor, _) = bench.how else { return (String::new(), Vec::new()) };
            let values = [HONEST, DISHONEST].map(|metric| bar(&bench.cell, metric)).to_vec();
            (format!("{}, {}", self.short(bench.judge), self.short(advisor)), values)
        };
        let mut out = vec![
            (
                judged,
                "Share of hearings that a judge decides rightly, by protocol, for each judge (named first) and advisor."
                    .to_owned(),
            ),
            (gaps, "Each point is a judge and an advisor, with the interval of the judge's decisions.".to_owned()),
        ];
        if self.design.protocol.contains(&ProtocolName::Consultancy) {
            let figure = figure::bars(&Bars {
                title: "Persuasion by a single advisor",
                y: "judge ends on its side",
                y_range: (0.0, 1.0),
                reference: Some((0.5, "a guess")),
                kinds: vec!["true side".to_owned(), "false side".to_owned()],
                groups: self.pairs(ProtocolName::Consultancy).map(persuades).collect(),
            });
            out.push((
                figure,
                "How often the judge ends on the side that its advisor was assigned.".to_owned(),
            ));
        }
        let of_student = |cell: &str| student_cell(cell, self.strongest());
        let students = figure::bars(&Bars {
            title: "Students by what labelled their items",
            y: "test accuracy",
            y_range: (0.0, 1.0),
            reference: self.estimate(&ceiling(self.plan), TEST).map(|e| (e.value, "ceiling")),
            kinds,
            groups: pairs.iter().map(|pair| group(pair, &of_student, TEST)).collect(),
        });
        out.push((
            students,
            format!(
                "{} trained on the verdicts of each protocol, on held-out items with true labels.",
                self.strongest()
            ),
        ));
        out
    }

    /// Judge, advisor and protocol of a signal.
    fn names(&self, bench: &Bench) -> Vec<String> {
        let judge = self.name(bench.judge).to_owned();
        match bench.how {
            How::Alone => vec![judge, "none".to_owned(), ALONE.to_owned()],
            How::Full => vec![judge, "none".to_owned(), FULL.to_owned()],
            How::Helped(advisor, protocol) => {
                vec![judge, self.name(advisor).to_owned(), protocol.name().to_owned()]
            }
        }
    }

    fn table(&self, caption: &str, columns: &[(&str, &str)], which: impl Fn(&Bench) -> bool) -> Table {
        let mut header = vec!["judge", "advisor", "protocol"];
        header.extend(columns.iter().map(|(title, _)| title));
        let mut table = Table::new(caption, 3, &header);
        for bench in self.benches.iter().filter(|bench| which(bench)) {
            let mut row = self.names(bench);
            row.extend(columns.iter().map(|(_, metric)| match self.row(&bench.cell, metric) {
                // A difference from oneself.
                None => String::new(),
                row => shown(row),
            }));
            table.rows.push(row);
        }
        table
    }

    fn tables(&self) -> Vec<Table> {
        let main = self.table(
            "Judges",
            &[
                ("right decisions", ACCURACY),
                ("less alone", LESS_ALONE),
                ("less full context", LESS_FULL),
                ("less consultancy", LESS_CONSULTANCY),
                ("gap", GAP),
            ],
            |_| true,
        );
        let persuasion = self.table(
            "Persuasion: how often the judge ends on the assigned side",
            &[
                ("overall", PERSUASION),
                ("true side", HONEST),
                ("false side", DISHONEST),
                ("honesty advantage", ADVANTAGE),
            ],
            |bench| matches!(bench.how, How::Helped(_, ProtocolName::Consultancy)),
        );
        let mut cost = Table::new(
            "Cost of a question",
            3,
            &["judge", "advisor", "protocol", "tokens read and written", "questions to models"],
        );
        let mut students = Table::new(
            "Students",
            3,
            &[
                "judge",
                "advisor",
                "protocol",
                "labels right",
                "test accuracy",
                "less naive",
                "below the ceiling",
            ],
        );
        for bench in &self.benches {
            let exact = |metric| {
                self.row(&bench.cell, metric)
                    .and_then(|row| row.value)
                    .map_or_else(String::new, |v| format!("{v:.1}"))
            };
            let mut row = self.names(bench);
            row.extend([exact(TOKENS), exact(CALLS)]);
            cost.rows.push(row);
            let cell = student_cell(&bench.cell, self.strongest());
            let mut row = self.names(bench);
            row.push(shown(self.row(&bench.cell, LABELS)));
            row.push(shown(self.row(&cell, TEST)));
            row.push(self.row(&cell, GAIN).map_or_else(String::new, |row| shown(Some(row))));
            row.push(shown(self.row(&cell, BELOW)));
            students.rows.push(row);
        }
        let mut tables = vec![main, persuasion, students, cost];
        tables.extend(self.families());
        tables
    }

    fn families(&self) -> Option<Table> {
        let first = self.benches.first()?;
        let of = |row: &Row| row.key("family").map(str::to_owned);
        let families: Vec<String> = self.numbers.below(&first.cell, ACCURACY).filter_map(of).collect();
        if families.is_empty() {
            return None;
        }
        let mut header = vec!["judge", "advisor", "protocol"];
        header.extend(families.iter().map(String::as_str));
        let mut table = Table::new("Right decisions by family", 3, &header);
        for bench in &self.benches {
            let mut row = self.names(bench);
            row.extend(
                families
                    .iter()
                    .map(|family| shown(self.row(&format!("{}/family={family}", bench.cell), ACCURACY))),
            );
            table.rows.push(row);
        }
        Some(table)
    }
}
