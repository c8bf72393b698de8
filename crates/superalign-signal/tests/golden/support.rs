//! Reading a golden file and comparing with it.

use ndarray::Array2;
use serde_json::Value;
use std::path::Path;

/// Tolerance where a case names none: relative, absolute below 1.
const TOLERANCE: f64 = 1e-9;

/// A golden file.
pub(crate) struct Golden {
    json: Value,
}

/// One value, how a package computed it, and from which input.
pub(crate) struct Case<'a> {
    golden: &'a Golden,
    json: &'a Value,
}

impl Golden {
    pub(crate) fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/data").join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Self { json: serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display())) }
    }

    /// Compares every case with what `found` computes for it: a JSON value of the shape of `expected` (an object may
    /// hold a part of its keys), `"error"` where ours is an error, and `None` where the case is no target of ours,
    /// which only conventions and behaviours of a peer may be. Returns the number of cases that were compared.
    pub(crate) fn check(&self, found: impl Fn(&Case<'_>) -> Option<Value>) -> usize {
        let mut faults = Vec::new();
        let mut compared = 0;
        for json in self.json["cases"].as_array().unwrap() {
            let case = Case { golden: self, json };
            match found(&case) {
                None if case.kind() == "exact" => faults.push(format!("not compared: {json}")),
                None => {}
                Some(value) => {
                    compared += 1;
                    // Where a package raised, or gave NaN, ours has to be an error.
                    let expected = json.get("expected").unwrap_or(&Value::Null);
                    let tolerance = json["tol"].as_f64().unwrap_or(TOLERANCE);
                    if !alike(&value, expected, tolerance) {
                        faults.push(format!("found {value}, expected {json}"));
                    }
                }
            }
        }
        assert!(faults.is_empty(), "{} of {compared} cases:\n{}", faults.len(), faults.join("\n"));
        compared
    }
}

impl<'a> Case<'a> {
    pub(crate) fn metric(&self) -> &'a str {
        self.json["metric"].as_str().unwrap()
    }

    pub(crate) fn package(&self) -> &'a str {
        self.json["package"].as_str().unwrap()
    }

    /// `exact`, `convention` or `behaviour`.
    pub(crate) fn kind(&self) -> &'a str {
        self.json["kind"].as_str().unwrap_or("exact")
    }

    /// A parameter; null where there is none of that name.
    pub(crate) fn param(&self, name: &str) -> &'a Value {
        &self.json["params"][name]
    }

    /// What the package found, for values that have to be compared in another way.
    pub(crate) fn expected(&self) -> &'a Value {
        &self.json["expected"]
    }

    /// What stands under `inputs` for that role: the name of an input.
    pub(crate) fn input_name(&self, role: &str) -> &'a str {
        self.json["inputs"][role].as_str().unwrap_or_default()
    }

    /// The input of that role.
    pub(crate) fn input(&self, role: &str) -> &'a Value {
        self.named(self.input_name(role))
    }

    /// The input of that name, or, for `name[3]`, its fourth entry.
    pub(crate) fn named(&self, name: &str) -> &'a Value {
        let inputs = &self.golden.json["inputs"];
        match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
            Some((name, place)) => &inputs[name][place.parse::<usize>().unwrap()],
            None => inputs.get(name).unwrap_or(&Value::Null),
        }
    }
}

/// A number; null and `"NaN"` are NaN, infinities are words.
pub(crate) fn number(json: &Value) -> f64 {
    match json {
        Value::Null => f64::NAN,
        Value::String(text) => match text.as_str() {
            "Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            _ => f64::NAN,
        },
        other => other.as_f64().unwrap_or_else(|| panic!("not a number: {other}")),
    }
}

pub(crate) fn numbers(json: &Value) -> Vec<f64> {
    json.as_array().unwrap().iter().map(number).collect()
}

/// A number of ours as the files write it: infinities are words there, and an error of ours is one as well.
pub(crate) fn written<E>(found: Result<f64, E>) -> Value {
    let write = |value| if value == f64::INFINITY { "Infinity".into() } else { Value::from(value) };
    found.map_or_else(|_| "error".into(), write)
}

pub(crate) fn table(json: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = json.as_array().unwrap().iter().map(numbers).collect();
    let columns = rows.first().map_or(0, Vec::len);
    Array2::from_shape_vec((rows.len(), columns), rows.concat()).unwrap()
}

fn alike(found: &Value, expected: &Value, tolerance: f64) -> bool {
    match (found, expected) {
        (Value::String(word), Value::Null) if word == "error" => true,
        (Value::String(word), Value::String(nan)) if word == "error" && nan == "NaN" => true,
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| alike(f, e, tolerance))
        }
        (Value::Object(found), Value::Object(expected)) => {
            !found.is_empty()
                && found.iter().all(|(key, f)| expected.get(key).is_some_and(|e| alike(f, e, tolerance)))
        }
        (Value::Number(_), Value::Number(_)) => {
            let (f, e) = (number(found), number(expected));
            (f - e).abs() <= tolerance * e.abs().max(1.0)
        }
        _ => found == expected,
    }
}
