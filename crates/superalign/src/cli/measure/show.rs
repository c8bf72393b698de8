//! What was found, as tables and as JSON; and the list of all metrics.

use super::{LONG, describe, say};
use crate::report::{Table, thousands};
use serde_json::{Map, Value, json};
use std::io::Write;
use superalign_data::signal::Signal;
use superalign_measure::{FAMILIES, Kind, Metric, Outcome, Row, metrics, understood};

/// Everything that is shown.
pub(super) struct Report<'a> {
    pub(super) signal: &'a Signal,
    pub(super) reference: Option<&'a Signal>,
    pub(super) seed: u64,
    pub(super) draws: usize,
    pub(super) level: f64,
    /// Whether the metrics were asked for by name.
    pub(super) named: bool,
    /// Metrics that were not computed, since they take long.
    pub(super) left_out: Vec<&'static str>,
    pub(super) rows: Vec<Row>,
}

impl Report<'_> {
    /// What the files hold.
    pub(super) fn understood(&self) -> Vec<String> {
        let mut lines = describe(self.signal);
        if let Some(reference) = self.reference {
            lines.push(format!("Reference {}", describe(reference).join(" ")));
        }
        if !self.left_out.is_empty() {
            let names = self.left_out.join(", ");
            lines.push(format!(
                "Left out, since all pairs of so many rows take long: {names}. Name them for it."
            ));
        }
        lines
    }

    /// The whole as one object.
    pub(super) fn json(&self) -> Value {
        let signal = self.signal;
        let mut out = Map::new();
        out.insert("file".to_owned(), json!(signal.path.display().to_string()));
        out.insert("digest".to_owned(), json!(signal.digest));
        if let Some(reference) = self.reference {
            out.insert("reference".to_owned(), json!(reference.path.display().to_string()));
            out.insert("reference_digest".to_owned(), json!(reference.digest));
        }
        out.insert("understood".to_owned(), understood(signal));
        out.insert("seed".to_owned(), json!(self.seed));
        out.insert("draws".to_owned(), json!(self.draws));
        let values: Vec<Value> =
            self.rows.iter().filter(|row| self.shows(row)).map(|row| row.json(self.level)).collect();
        out.insert("values".to_owned(), values.into());
        // What per-item values run over, where there are names and they are not too many.
        if let Some(votes) = signal.votes.as_ref().filter(|votes| self.named || votes.items.len() <= LONG) {
            out.insert("items".to_owned(), json!(votes.items));
        }
        out.into()
    }

    /// A long array is shown to those only who asked for its metric.
    fn shows(&self, row: &Row) -> bool {
        match &row.found.outcome {
            Outcome::Values(values, _) => self.named || entries(values) <= LONG,
            _ => true,
        }
    }

    /// A table for each family, and why values or intervals are missing in it.
    pub(super) fn tables(&self) -> Vec<(Table, Vec<String>)> {
        let mut tables = Vec::new();
        for family in FAMILIES {
            let rows: Vec<&Row> = self
                .rows
                .iter()
                .filter(|row| row.family == *family && (self.named || !row.found.detail))
                .collect();
            if rows.is_empty() {
                continue;
            }
            let percent = 100.0 * self.level;
            let interval = format!("{percent}% interval");
            let mut table = Table::new(*family, 2, &["metric", "options", "value", &interval, "unit", "n"]);
            let mut notes: Vec<String> = Vec::new();
            for row in rows {
                let (cells, note) = cells(row);
                if let Some(note) = note {
                    let note = format!("{}: {note}", row.metric);
                    if !notes.contains(&note) {
                        notes.push(note);
                    }
                }
                table.rows.push(cells);
            }
            tables.push((table, notes));
        }
        tables
    }
}

/// A row of the table, and why something is missing in it. Options that have their defaults are not named.
fn cells(row: &Row) -> (Vec<String>, Option<String>) {
    let metric = metrics().find(|metric| metric.name == row.metric);
    let default = |key: &str| {
        metric
            .and_then(|metric| metric.options.iter().find(|opt| opt.key == key))
            .map_or("", |opt| opt.default)
    };
    let options: Vec<String> = row
        .params
        .iter()
        .filter(|(key, value)| value != default(key) || is_telling(metric, key))
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let name = if row.found.part.is_empty() {
        row.metric.to_owned()
    } else {
        format!("{}, {}", row.metric, row.found.part)
    };
    let (value, interval, note) = match &row.found.outcome {
        Outcome::Value(value) => (digits(*value), String::new(), None),
        Outcome::Estimate(found) => {
            (digits(found.value), format!("{} to {}", digits(found.lo), digits(found.hi)), None)
        }
        Outcome::Bare(value, why) => (digits(*value), String::new(), Some(format!("no interval: {why}"))),
        Outcome::Values(values, _) => (brief(values), String::new(), None),
        Outcome::Undefined(why) => ("-".to_owned(), String::new(), Some(why.clone())),
    };
    let unit = match &row.found.outcome {
        Outcome::Values(_, over) => {
            let over: Vec<&str> = over.iter().copied().filter(|name| !name.contains(", ")).collect();
            let by = if over.is_empty() { String::new() } else { format!("by {}", over.join(", ")) };
            if row.found.unit.is_empty() || by.is_empty() { by } else { format!("{}; {by}", row.found.unit) }
        }
        _ => row.found.unit.to_owned(),
    };
    let n = format!("{} {}", thousands(row.found.n as u64), row.found.of);
    (vec![name, options.join(" "), value, interval, unit, n], note)
}

/// Whether an option is worth a word even where it has its default, since the metric is usually computed with several.
fn is_telling(metric: Option<&Metric>, key: &str) -> bool {
    metric.is_some_and(|metric| {
        metric.usual.len() > 1
            && metric.usual.iter().any(|usual| usual.split(':').any(|pair| pair.starts_with(key)))
    })
}

/// A number for people: four digits behind the point, more where it is small.
fn digits(x: f64) -> String {
    if x.is_infinite() {
        return if x > 0.0 { "infinite" } else { "-infinite" }.to_owned();
    }
    // Rounding errors are no finding.
    let x = if x.abs() < 1e-12 { 0.0 } else { x };
    if x.fract() == 0.0 && x.abs() < 1e9 {
        return format!("{x:.0}");
    }
    match x.abs() {
        size if !(1e-3..1e6).contains(&size) => format!("{x:.3e}"),
        size if size >= 100.0 => format!("{x:.1}"),
        _ => format!("{x:.4}"),
    }
}

/// A short array as it is, of a long one its size.
fn brief(values: &Value) -> String {
    const MOST: usize = 6;
    let Value::Array(list) = values else { return one(values) };
    if list.iter().all(|entry| !entry.is_array()) && list.len() <= MOST {
        return list.iter().map(one).collect::<Vec<_>>().join("  ");
    }
    let mut sizes = vec![list.len().to_string()];
    let mut inner = list.first();
    while let Some(Value::Array(list)) = inner {
        sizes.push(list.len().to_string());
        inner = list.first();
    }
    format!("{} values: see --json", sizes.join(" x "))
}

fn one(value: &Value) -> String {
    match value {
        Value::Number(x) => x.as_f64().map_or_else(|| x.to_string(), digits),
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

fn entries(values: &Value) -> usize {
    match values {
        Value::Array(list) => list.iter().map(entries).sum(),
        Value::Object(map) => map.values().map(entries).sum(),
        _ => 1,
    }
}

/// Every metric, its options and what it needs.
pub(super) fn list(out: &mut dyn Write) {
    say(
        out,
        "Ask for families or metrics with --metrics, options behind a colon: ece:bins=10:edges=left-closed",
    );
    for family in FAMILIES {
        say(out, format!("\n{family}"));
        for metric in metrics().filter(|metric| metric.family == *family) {
            say(out, format!("  {:<24} {}", metric.name, metric.about));
            say(out, format!("  {:<24}   needs {}", "", metric.needs.title()));
            for opt in metric.options {
                let kind = match opt.kind {
                    Kind::Word(words) => words.join(" | "),
                    Kind::Number => "number".to_owned(),
                    Kind::Whole => "whole number".to_owned(),
                    Kind::Text => "text".to_owned(),
                };
                let default =
                    if opt.default.is_empty() { String::new() } else { format!("; default {}", opt.default) };
                say(out, format!("  {:<24}   :{}={kind}  ({}{default})", "", opt.key, opt.about));
            }
        }
    }
}
