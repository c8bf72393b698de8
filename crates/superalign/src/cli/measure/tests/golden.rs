//! Every golden input that a file can express, written as a file and measured by the command.

use super::cases;
use serde_json::Value;
use std::path::Path;

/// A golden file.
pub(super) struct Golden {
    json: Value,
}

/// One value, how a package computed it, and from which input.
pub(super) struct Case<'a> {
    golden: &'a Golden,
    json: &'a Value,
}

impl Golden {
    fn read(name: &str) -> Self {
        Self::of("superalign-signal", name)
    }

    fn of(owner: &str, name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(owner).join("tests/golden/data");
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        Self { json: serde_json::from_str(&text).unwrap() }
    }

    /// Compares every case with what the command finds; `None` is a case that is not compared, which one of kind
    /// `exact` only may be where no file expresses it. Returns how many were compared, and how many not.
    fn check(&self, found: impl Fn(&Case<'_>) -> Option<Value>) -> (usize, usize) {
        let mut faults = Vec::new();
        let (mut compared, mut left_out) = (0, 0);
        for json in self.json["cases"].as_array().unwrap() {
            let case = Case { golden: self, json };
            let Some(value) = found(&case) else {
                left_out += 1;
                continue;
            };
            compared += 1;
            let tolerance = json["tol"].as_f64().unwrap_or(1e-9);
            if !alike(&value, json.get("expected").unwrap_or(&Value::Null), tolerance) {
                faults.push(format!("found {value}, expected {json}"));
            }
        }
        assert!(faults.is_empty(), "{} of {compared} cases:\n{}", faults.len(), faults.join("\n"));
        (compared, left_out)
    }
}

impl<'a> Case<'a> {
    pub(super) fn metric(&self) -> &'a str {
        self.json["metric"].as_str().unwrap()
    }

    pub(super) fn package(&self) -> &'a str {
        self.json["package"].as_str().unwrap()
    }

    pub(super) fn kind(&self) -> &'a str {
        self.json["kind"].as_str().unwrap_or("exact")
    }

    pub(super) fn param(&self, name: &str) -> &'a Value {
        &self.json["params"][name]
    }

    pub(super) fn expected(&self) -> &'a Value {
        &self.json["expected"]
    }

    /// What stands under `inputs` for that role: the name of an input, or an expression with it.
    pub(super) fn input_name(&self, role: &str) -> &'a str {
        self.json["inputs"][role].as_str().unwrap_or_default()
    }

    /// The input of that role; of `name[3]` and `name[:,3]` the whole.
    pub(super) fn input(&self, role: &str) -> &'a Value {
        let name = self.input_name(role).trim_start_matches("' '.join(");
        let name = name.split(['[', ')', '/']).next().unwrap_or_default();
        self.golden.json["inputs"].get(name).unwrap_or(&Value::Null)
    }
}

fn alike(found: &Value, expected: &Value, tolerance: f64) -> bool {
    match (found, expected) {
        (Value::String(word), Value::Null) if word == "error" => true,
        (Value::String(word), Value::String(nan)) if word == "error" && nan == "NaN" => true,
        (Value::Null, Value::String(nan)) if nan == "NaN" => true,
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| alike(f, e, tolerance))
        }
        (Value::Object(found), Value::Object(expected)) => {
            !found.is_empty()
                && found.iter().all(|(key, f)| expected.get(key).is_some_and(|e| alike(f, e, tolerance)))
        }
        (Value::Number(f), Value::Number(e)) => {
            let (f, e) = (f.as_f64().unwrap(), e.as_f64().unwrap());
            (f - e).abs() <= tolerance * e.abs().max(1.0)
        }
        _ => found == expected,
    }
}

#[test]
fn agreement() {
    assert_eq!(Golden::read("agreement.json").check(cases::agreement), (95, 3));
}

#[test]
fn truth() {
    assert_eq!(Golden::read("crowd.json").check(cases::truth), (14, 2));
}

#[test]
fn label_diversity() {
    assert_eq!(Golden::read("label_diversity.json").check(cases::label_diversity), (25, 0));
}

#[test]
fn collapse() {
    assert_eq!(Golden::read("mode_collapse.json").check(cases::collapse), (20, 0));
}

#[test]
fn ensemble() {
    assert_eq!(Golden::read("ensemble_diversity.json").check(cases::ensemble), (30, 1));
}

#[test]
fn label_noise() {
    assert_eq!(Golden::read("label_noise.json").check(cases::label_noise), (50, 1));
}

#[test]
fn calibration() {
    assert_eq!(Golden::read("calibration.json").check(cases::calibration), (60, 5));
}

#[test]
fn text() {
    assert_eq!(Golden::read("text.json").check(cases::text), (76, 12));
}

#[test]
fn embedding() {
    assert_eq!(Golden::read("embedding.json").check(cases::embedding), (78, 4));
}

#[test]
fn preference() {
    assert_eq!(Golden::read("preference.json").check(cases::preference), (8, 0));
    let rankings = Golden::of("superalign-evaluation", "rankings.json");
    assert_eq!(rankings.check(cases::preference), (32, 11));
}
