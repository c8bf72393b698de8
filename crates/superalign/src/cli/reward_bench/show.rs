//! What was found, as tables and as JSON.

use super::SumArgs;
use super::benchmark::Benchmark;
use super::judged::Judge;
use super::sums::{Outcome, Sums};
use crate::cli::{Failure, say};
use crate::report::{Table, terminal};
use serde_json::{Map, Value, json};
use std::io::Write;

/// Everything that is shown.
pub(super) struct Report<'a> {
    pub(super) args: &'a SumArgs,
    pub(super) judge: Judge,
    pub(super) benchmark: Benchmark,
    /// The files and their digests.
    pub(super) files: Vec<(String, String)>,
    pub(super) sums: Vec<Sums>,
    pub(super) notes: Vec<String>,
}

/// Published scores have four digits.
const SAME: f64 = 1e-4 + 1e-9;
/// So many names of missing parts are shown at most.
const NAMES: usize = 6;

impl<'a> Report<'a> {
    pub(super) fn new(args: &'a SumArgs, judge: Judge) -> Self {
        let (files, sums, notes) = (Vec::new(), Vec::new(), Vec::new());
        Self { args, judge, benchmark: Benchmark::V1, files, sums, notes }
    }

    pub(super) fn show(&self, out: &mut dyn Write) -> Result<(), Failure> {
        if self.args.json {
            say(out, serde_json::to_string_pretty(&self.json()).map_err(Failure::failed)?);
            return Ok(());
        }
        say(out, format!("{}, {} rule for ties.", self.benchmark.title(), self.judge.name()));
        for (table, notes) in self.tables() {
            say(out, "");
            let _ = write!(out, "{}", terminal(&table));
            notes.iter().for_each(|note| say(out, note));
        }
        self.notes.iter().for_each(|note| say(out, note));
        if let Some(line) = self.against_published() {
            say(out, line);
        }
        Ok(())
    }

    /// The tables, with what to say below each.
    pub(super) fn tables(&self) -> Vec<(Table, Vec<String>)> {
        let interval = format!("{}% interval", 100.0 * self.args.level);
        let mut tables = Vec::new();
        if let [sums] = self.sums.as_slice()
            && !sums.subsets.is_empty()
        {
            let header = ["subset", "section", "items", "accuracy", &interval, "by"];
            let mut table = Table::new(format!("Subsets, {}", sums.model), 2, &header);
            for row in &sums.subsets {
                let items = match row.official {
                    Some(n) if n as usize != row.items => format!("{} of {n}", row.items),
                    _ => row.items.to_string(),
                };
                let (value, interval) = cells(&row.outcome);
                table.rows.push(vec![
                    row.subset.clone(),
                    row.section.clone(),
                    items,
                    value,
                    interval,
                    row.method.to_owned(),
                ]);
            }
            tables.push((table, Vec::new()));
            if !sums.ties.is_empty() {
                let mut table =
                    Table::new("What the score of Ties is made of", 1, &["part", "value", &interval]);
                for (name, outcome) in &sums.ties {
                    let (value, interval) = cells(outcome);
                    table.rows.push(vec![(*name).to_owned(), value, interval]);
                }
                tables.push((table, Vec::new()));
            }
        }
        tables.push(if self.sums.len() == 1 { self.single(&interval) } else { self.several() });
        tables
    }

    /// The sections of one model, a row each.
    fn single(&self, interval: &str) -> (Table, Vec<String>) {
        let sums = &self.sums[0];
        let mut table = Table::new(format!("Sections, {}", sums.model), 1, &["section", "score", interval]);
        let whole = self.overall_name(sums);
        for (name, outcome) in sums.sections.iter().map(|(name, outcome)| (name.as_str(), outcome)) {
            let (value, interval) = cells(outcome);
            table.rows.push(vec![name.to_owned(), value, interval]);
        }
        let (value, interval) = cells(&sums.overall);
        table.rows.push(vec![whole.to_owned(), value, interval]);
        (table, self.reasons())
    }

    /// The sections of several models, a column each.
    fn several(&self) -> (Table, Vec<String>) {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in self.sums.iter().flat_map(|sums| &sums.sections) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let published = self.sums.iter().any(|sums| sums.published.is_some());
        let mut header = vec!["model"];
        header.extend(&names);
        header.push("overall");
        header.extend(published.then_some("in the file"));
        let mut table = Table::new("Scores", 1, &header);
        for sums in &self.sums {
            let cell = |outcome: Option<&Outcome>| match outcome.map(cells) {
                Some((value, interval)) if interval.is_empty() => value,
                Some((value, interval)) => format!("{value} [{}]", interval.replace(" to ", ", ")),
                None => "-".to_owned(),
            };
            let mut row = vec![sums.model.clone()];
            for name in &names {
                row.push(cell(sums.sections.iter().find(|(known, _)| known == name).map(|(_, found)| found)));
            }
            let mark = if self.is_partial(sums) { "partial: " } else { "" };
            row.push(format!("{mark}{}", cell(Some(&sums.overall))));
            if published {
                row.push(sums.published.map_or_else(|| "-".to_owned(), digits));
            }
            table.rows.push(row);
        }
        (table, self.reasons())
    }

    fn is_partial(&self, sums: &Sums) -> bool {
        !sums.missing.is_empty() && sums.overall.value().is_some()
    }

    fn overall_name(&self, sums: &Sums) -> &'static str {
        if self.is_partial(sums) { "overall (partial)" } else { "overall" }
    }

    /// Why values or intervals are missing, and what else there is to say of each model.
    fn reasons(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let several = self.sums.len() > 1;
        for sums in &self.sums {
            let mut said = Vec::new();
            if !sums.missing.is_empty() {
                let shown = sums.missing.iter().take(NAMES).cloned().collect::<Vec<_>>().join("; ");
                let more = sums.missing.len().saturating_sub(NAMES);
                let more = if more > 0 { format!("; and {more} more") } else { String::new() };
                said.push(match sums.overall.value() {
                    None => format!(
                        "Not complete, so there is no overall score (--partial makes one of what there is). Missing: \
                         {shown}{more}."
                    ),
                    Some(_) => format!(
                        "Partial: the overall score is not comparable with whole ones. Missing: {shown}{more}."
                    ),
                });
            }
            let outcomes = sums.sections.iter().map(|(_, outcome)| outcome).chain([&sums.overall]);
            for outcome in outcomes {
                let why = match outcome {
                    Outcome::Value(_, Some(why)) => format!("No interval: {why}."),
                    // What is missing is said above.
                    Outcome::Undefined(why) if sums.missing.is_empty() => format!("{why}."),
                    _ => continue,
                };
                if !said.contains(&why) {
                    said.push(why);
                }
            }
            said.extend(sums.notes.iter().cloned());
            lines.extend(
                said.into_iter().map(|line| if several { format!("{}: {line}", sums.model) } else { line }),
            );
        }
        lines
    }

    /// How the overall scores compare with those that the file has itself.
    fn against_published(&self) -> Option<String> {
        let both: Vec<(f64, f64)> =
            self.sums.iter().filter_map(|sums| Some((sums.overall.value()?, sums.published?))).collect();
        if both.is_empty() {
            return None;
        }
        let far = both.iter().filter(|(found, published)| (found - published).abs() > SAME).count();
        let alone = self.sums.len() - both.len();
        let alone =
            if alone > 0 { format!("; {alone} rows have no two scores to compare") } else { String::new() };
        Some(format!(
            "{} of {} overall scores are those in the file, to four digits{alone}.",
            both.len() - far,
            both.len()
        ))
    }

    /// The whole as one object.
    pub(super) fn json(&self) -> Value {
        let files: Vec<Value> =
            self.files.iter().map(|(path, digest)| json!({ "file": path, "digest": digest })).collect();
        let models: Vec<Value> = self.sums.iter().map(|sums| self.model(sums)).collect();
        json!({
            "benchmark": self.benchmark.title(),
            "judge": self.judge.name(),
            "files": files,
            "seed": self.args.seed,
            "draws": self.args.draws,
            "level": self.args.level,
            "models": models,
            "notes": self.notes,
        })
    }

    fn model(&self, sums: &Sums) -> Value {
        let subsets: Vec<Value> = sums
            .subsets
            .iter()
            .map(|row| {
                let mut fields = value(&row.outcome);
                fields.insert("subset".to_owned(), json!(row.subset));
                fields.insert("section".to_owned(), json!(row.section));
                fields.insert("items".to_owned(), json!(row.items));
                if let Some(official) = row.official {
                    fields.insert("official_items".to_owned(), json!(official));
                }
                fields.insert("interval".to_owned(), json!(row.method));
                fields.into()
            })
            .collect();
        let named = |name: &str, outcome: &Outcome| -> Value {
            let mut fields = value(outcome);
            fields.insert("name".to_owned(), json!(name));
            fields.into()
        };
        let sections: Vec<Value> = sums.sections.iter().map(|(name, outcome)| named(name, outcome)).collect();
        let ties: Vec<Value> = sums.ties.iter().map(|(name, outcome)| named(name, outcome)).collect();
        let mut fields = Map::new();
        fields.insert("model".to_owned(), json!(sums.model));
        fields.insert("overall".to_owned(), value(&sums.overall).into());
        fields.insert("partial".to_owned(), json!(self.is_partial(sums)));
        fields.insert("missing".to_owned(), json!(sums.missing));
        fields.insert("sections".to_owned(), sections.into());
        fields.insert("subsets".to_owned(), subsets.into());
        if !ties.is_empty() {
            fields.insert("ties".to_owned(), ties.into());
        }
        if let Some(published) = sums.published {
            fields.insert("published".to_owned(), json!(published));
        }
        fields.insert("notes".to_owned(), json!(sums.notes));
        fields.into()
    }
}

fn value(outcome: &Outcome) -> Map<String, Value> {
    let fields = match outcome {
        Outcome::Estimate(found) => json!({ "value": found.value, "lo": found.lo, "hi": found.hi }),
        Outcome::Value(value, None) => json!({ "value": value }),
        Outcome::Value(value, Some(why)) => json!({ "value": value, "no_interval": why }),
        Outcome::Undefined(why) => json!({ "error": why }),
    };
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Value and interval.
fn cells(outcome: &Outcome) -> (String, String) {
    match outcome {
        Outcome::Estimate(found) => {
            (digits(found.value), format!("{} to {}", digits(found.lo), digits(found.hi)))
        }
        Outcome::Value(value, _) => (digits(*value), String::new()),
        Outcome::Undefined(_) => ("-".to_owned(), String::new()),
    }
}

fn digits(value: f64) -> String {
    format!("{value:.4}")
}
