//! What a metric found: one value, one with an interval, a whole array, or why there is none.

use serde_json::{Map, Value, json};
use std::error::Error;
use superalign_core::Estimate;
use superalign_signal::SignalError;

/// Why a metric has no value here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undefined(pub String);

impl<E: Error> From<E> for Undefined {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// One thing that a metric found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Which of the metric's values it is; empty for the main one.
    pub part: &'static str,
    /// The value, or why there is none.
    pub outcome: Outcome,
    /// Number of things it was computed from.
    pub n: usize,
    /// What they are.
    pub of: &'static str,
    /// What the value is in; empty for plain numbers.
    pub unit: &'static str,
    /// Whether it is of interest to those only who ask for the metric by name.
    pub detail: bool,
}

/// A value, a value with its interval, many values, or the reason why there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A value that has no interval.
    Value(f64),
    /// A value with its interval.
    Estimate(Estimate),
    /// A value without the interval, and why that is missing.
    Bare(f64, String),
    /// Nested arrays, and what each of their levels runs over.
    Values(Value, &'static [&'static str]),
    /// Why there is none.
    Undefined(String),
}

impl From<Result<f64, SignalError>> for Outcome {
    fn from(found: Result<f64, SignalError>) -> Self {
        match found {
            Ok(value) => Self::Value(value),
            Err(error) => Self::Undefined(error.to_string()),
        }
    }
}

impl From<Result<Estimate, SignalError>> for Outcome {
    fn from(found: Result<Estimate, SignalError>) -> Self {
        match found {
            Ok(value) => Self::Estimate(value),
            Err(error) => Self::Undefined(error.to_string()),
        }
    }
}

impl From<f64> for Outcome {
    fn from(value: f64) -> Self {
        Self::Value(value)
    }
}

/// A value computed from `n` of something.
pub(crate) fn one(outcome: impl Into<Outcome>, n: usize, of: &'static str) -> Found {
    Found { part: "", outcome: outcome.into(), n, of, unit: "", detail: false }
}

/// An array whose levels run over the named things.
pub(crate) fn array(values: Value, over: &'static [&'static str], n: usize, of: &'static str) -> Found {
    Found { part: "", outcome: Outcome::Values(values, over), n, of, unit: "", detail: true }
}

impl Found {
    pub(crate) fn part(self, part: &'static str) -> Self {
        Self { part, ..self }
    }

    pub(crate) fn unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    pub(crate) fn detail(self) -> Self {
        Self { detail: true, ..self }
    }
}

/// A number as JSON: infinities are words, and what is no number is null.
pub(crate) fn json_number(x: f64) -> Value {
    if x.is_finite() {
        json!(x)
    } else if x.is_nan() {
        Value::Null
    } else if x > 0.0 {
        json!("Infinity")
    } else {
        json!("-Infinity")
    }
}

/// Numbers as JSON.
pub(crate) fn json_numbers<'a>(numbers: impl IntoIterator<Item = &'a f64>) -> Value {
    numbers.into_iter().map(|&x| json_number(x)).collect()
}

/// A row of the output.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Family of the metric.
    pub family: &'static str,
    /// Name of the metric.
    pub metric: &'static str,
    /// Every option with its value.
    pub params: Vec<(&'static str, String)>,
    /// What was found.
    pub found: Found,
}

impl Row {
    /// The row as a JSON object.
    #[must_use]
    pub fn json(&self, level: f64) -> Value {
        let mut out = Map::new();
        let mut set = |key: &str, value: Value| {
            out.insert(key.to_owned(), value);
        };
        set("family", json!(self.family));
        set("metric", json!(self.metric));
        if !self.found.part.is_empty() {
            set("part", json!(self.found.part));
        }
        let params: Map<String, Value> = self
            .params
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| {
                let value = match value.parse::<f64>() {
                    Ok(x) if x.is_finite() => serde_json::from_str(value).unwrap_or(json!(x)),
                    _ => json!(value),
                };
                ((*key).to_owned(), value)
            })
            .collect();
        set("params", params.into());
        match &self.found.outcome {
            Outcome::Value(value) => set("value", json_number(*value)),
            Outcome::Estimate(found) => {
                set("value", json_number(found.value));
                set("lo", json_number(found.lo));
                set("hi", json_number(found.hi));
                set("level", json!(level));
            }
            Outcome::Bare(value, why) => {
                set("value", json_number(*value));
                set("note", json!(format!("no interval: {why}")));
            }
            Outcome::Values(values, over) => {
                set("values", values.clone());
                set("over", json!(over));
            }
            Outcome::Undefined(why) => {
                set("value", Value::Null);
                set("error", json!(why));
            }
        }
        set("n", json!(self.found.n));
        set("of", json!(self.found.of));
        if !self.found.unit.is_empty() {
            set("unit", json!(self.found.unit));
        }
        Value::Object(out)
    }
}
