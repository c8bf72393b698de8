//! What a file says about supervision, and its metrics.

#![expect(clippy::needless_pass_by_value, reason = "lists of strings cross the boundary by value only")]

use crate::Fault;
use js_sys::{Float64Array, Function};
use ndarray::ArrayView2;
use serde_json::Value;
use superalign_core::{Bootstrap, Seed};
use superalign_data::signal::{self, Matrix};
use superalign_measure::{Input, Outcome, Row, asked, intervals, run, understood};
use superalign_signal::embedding::{ZeroRows, nearest_neighbours};
use wasm_bindgen::prelude::*;

/// What a file says about supervision.
#[wasm_bindgen]
#[derive(Clone, Debug)]
pub struct Signal {
    found: signal::Signal,
    reference: Option<Box<signal::Signal>>,
}

#[wasm_bindgen]
impl Signal {
    /// What was understood (shape, columns and their roles, notes), as the JSON of `superalign measure --json`.
    #[must_use]
    pub fn understood(&self) -> String {
        understood(&self.found).to_string()
    }

    /// A second file to compare with; without one, the first stands alone again.
    #[wasm_bindgen(js_name = compareWith)]
    pub fn compare_with(&mut self, reference: Option<Signal>) {
        self.reference = reference.map(|file| Box::new(file.found));
    }

    /// The metrics that would be computed, a request each, as in `ece:bins=15:edges=right-closed`.
    ///
    /// `names` are families or metrics with options; without any, those that are usual for such a file.
    ///
    /// # Errors
    /// A name or option that does not exist; nothing to be computed.
    pub fn requests(&self, names: Vec<String>) -> Result<Vec<String>, JsError> {
        let input = self.input(None, 0);
        let chosen = asked(&names).and_then(|asked| asked.choose(&input)).map_err(Fault::Asked)?;
        Ok(chosen
            .into_iter()
            .map(|(metric, settings)| {
                let set = settings.values.iter().filter(|(_, value)| !value.is_empty());
                set.fold(metric.name.to_owned(), |text, (key, value)| format!("{text}:{key}={value}"))
            })
            .collect())
    }

    /// Computes metrics and tells `told` of each row when it is there: the row as JSON, and, where it is an array of
    /// numbers, its values (NaN for nothing) and the lengths of its levels.
    ///
    /// The numbers are those of `superalign measure` with the same seed, draws and level.
    ///
    /// # Errors
    /// A name or option that does not exist, draws or a level out of range; what `told` throws.
    pub fn measure(
        &self,
        names: Vec<String>,
        draws: u32,
        level: f64,
        seed: u32,
        told: &Function,
    ) -> Result<(), JsValue> {
        let text = |error: Fault| JsValue::from(JsError::from(error));
        let by = intervals(u64::from(seed), draws as usize, level).map_err(|e| text(e.into()))?;
        let input = self.input(by, seed);
        let chosen =
            asked(&names).and_then(|asked| asked.choose(&input)).map_err(|e| text(Fault::Asked(e)))?;
        for (metric, settings) in chosen {
            for row in run(metric, &settings, &input) {
                let (json, values) = split(row, level);
                let (values, shape) = match values {
                    Some((values, shape)) => {
                        (Float64Array::from(&values[..]).into(), Float64Array::from(&shape[..]).into())
                    }
                    None => (JsValue::UNDEFINED, JsValue::UNDEFINED),
                };
                told.call3(&JsValue::NULL, &json.into(), &values, &shape)?;
            }
        }
        Ok(())
    }

    /// What the rows are called, where a column says so.
    #[must_use]
    pub fn names(&self) -> Option<Vec<String>> {
        self.found.names.clone()
    }

    /// The names of the items of votes.
    #[must_use]
    pub fn items(&self) -> Vec<String> {
        self.found.votes.as_ref().map_or_else(Vec::new, |votes| votes.items.clone())
    }

    /// Votes: for each its item, annotator and category, one after the other; then the right category of each item,
    /// where a column says it. 2^32 - 1 is nothing.
    #[must_use]
    pub fn votes(&self) -> Option<Vec<u32>> {
        let votes = self.found.votes.as_ref()?;
        let gold = votes.gold.as_deref().unwrap_or_default();
        Some([&votes.item[..], &votes.annotator, &votes.category, gold].concat())
    }

    /// The label of each row as a class of the probabilities; 2^32 - 1 is nothing.
    #[must_use]
    pub fn classes(&self) -> Option<Vec<u32>> {
        self.found.classes.clone()
    }

    /// The label of each row as a place among [`Signal::label_names`]; 2^32 - 1 is nothing.
    #[must_use]
    pub fn labels(&self) -> Option<Vec<u32>> {
        self.found.labels.as_ref().map(|labels| labels.codes.clone())
    }

    /// The labels that occur, sorted.
    #[wasm_bindgen(js_name = labelNames)]
    #[must_use]
    pub fn label_names(&self) -> Vec<String> {
        self.found.labels.as_ref().map_or_else(Vec::new, |labels| labels.names.clone())
    }

    /// Probabilities, one row after the other.
    #[must_use]
    pub fn probabilities(&self) -> Option<Vec<f64>> {
        self.found.probabilities.as_ref().map(|matrix| matrix.values.clone())
    }

    /// Embeddings, one row after the other.
    #[must_use]
    pub fn embeddings(&self) -> Option<Vec<f64>> {
        self.found.embeddings.as_ref().map(|matrix| matrix.values.clone())
    }

    /// Numbers in a row of the embeddings.
    #[must_use]
    pub fn dimensions(&self) -> Option<usize> {
        self.found.embeddings.as_ref().map(width)
    }

    /// The rows whose embeddings have the largest cosine with that of row `row`, at most `k`, the nearest first, as
    /// `superalign_signal::embedding::nearest_neighbours` finds them: their places, then their cosines. Rows of zeros
    /// have cosine 0 with every row.
    ///
    /// # Errors
    /// No embeddings, no such row, `k` of 0, a row of zeros, a coordinate that is not finite.
    pub fn nearest(&self, row: usize, k: usize) -> Result<Vec<f64>, JsError> {
        let embeddings = self.found.embeddings.as_ref().ok_or(Fault::Embeddings)?;
        let columns = width(embeddings);
        let shape = (embeddings.values.len() / columns.max(1), columns);
        let x = ArrayView2::from_shape(shape, &embeddings.values).map_err(|_| Fault::Embeddings)?;
        let found = nearest_neighbours(x, row, k, ZeroRows::Zero).map_err(Fault::Signal)?;
        let rows = found.iter().map(|one| one.row as f64);
        Ok(rows.chain(found.iter().map(|one| one.cosine)).collect())
    }

    /// The texts.
    #[must_use]
    pub fn texts(&self) -> Option<Vec<String>> {
        self.found.texts.as_ref().map(|texts| texts.iter().map(ToString::to_string).collect())
    }
}

impl Signal {
    pub(crate) fn new(found: signal::Signal) -> Self {
        Self { found, reference: None }
    }

    fn input(&self, by: Option<Bootstrap>, seed: u32) -> Input<'_> {
        Input::new(&self.found, self.reference.as_deref(), by, Seed::new(u64::from(seed)))
    }
}

/// Numbers in a row.
fn width(matrix: &Matrix) -> usize {
    matrix.shape[1..].iter().product()
}

/// Entries of an array that is no array of numbers, above which it stays behind, as in the tables of the command line.
const LONG: usize = 10_000;

/// Numbers one after the other, and the lengths of the levels of their array.
type Flat = (Vec<f64>, Vec<f64>);

/// The row as JSON, and apart from it its array of numbers with the lengths of its levels.
fn split(mut row: Row, level: f64) -> (String, Option<Flat>) {
    let Outcome::Values(values, _) = &mut row.found.outcome else {
        return (marked(&row, level).to_string(), None);
    };
    let values = values.take();
    let mut json = marked(&row, level);
    let (mut flat, mut shape) = (Vec::new(), Vec::new());
    let numbers = flatten(&values, 0, &mut flat, &mut shape).is_some();
    if let Value::Object(fields) = &mut json {
        if numbers || values.as_array().is_some_and(|list| list.len() > LONG) {
            fields.remove("values");
        } else {
            fields.insert("values".to_owned(), values);
        }
    }
    let shape = shape.into_iter().map(|length| length as f64).collect();
    (json.to_string(), numbers.then_some((flat, shape)))
}

/// The row as JSON, with a mark where it is of interest to those only who ask for its metric by name.
fn marked(row: &Row, level: f64) -> Value {
    let mut json = row.json(level);
    if let Value::Object(fields) = &mut json {
        fields.insert("detail".to_owned(), row.found.detail.into());
    }
    json
}

/// The numbers of nested arrays of one shape; nothing where they are not that.
fn flatten(value: &Value, depth: usize, flat: &mut Vec<f64>, shape: &mut Vec<usize>) -> Option<()> {
    match value {
        Value::Array(list) => {
            match shape.get(depth) {
                None if flat.is_empty() => shape.push(list.len()),
                Some(&length) if length == list.len() => {}
                _ => return None,
            }
            list.iter().try_for_each(|value| flatten(value, depth + 1, flat, shape))
        }
        _ if depth == 0 || depth != shape.len() => None,
        Value::Number(x) => x.as_f64().map(|x| flat.push(x)),
        Value::Null => {
            flat.push(f64::NAN);
            Some(())
        }
        Value::String(text) => {
            flat.push(match text.as_str() {
                "Infinity" => f64::INFINITY,
                "-Infinity" => f64::NEG_INFINITY,
                _ => return None,
            });
            Some(())
        }
        Value::Bool(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn flat(value: &Value) -> Option<(Vec<f64>, Vec<usize>)> {
        let (mut flat, mut shape) = (Vec::new(), Vec::new());
        flatten(value, 0, &mut flat, &mut shape).map(|()| (flat, shape))
    }

    #[test]
    fn arrays_of_one_shape_become_flat() {
        assert_eq!(flat(&json!([1, 2.5])), Some((vec![1.0, 2.5], vec![2])));
        assert_eq!(flat(&json!([[1, 2], [3, "Infinity"]])).unwrap().1, [2, 2]);
        assert!(flat(&json!([null])).unwrap().0[0].is_nan());
        for other in
            [json!("a"), json!(1), json!([[1], [2, 3]]), json!([1, [2]]), json!([[1], 2]), json!(["a"])]
        {
            assert_eq!(flat(&other), None, "{other}");
        }
    }
}
