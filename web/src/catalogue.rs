//! Every metric with its options, for the controls of a page.

use serde_json::{Value, json};
use superalign_data::signal::Shape;
use superalign_measure::{FAMILIES, Kind, Opt, metrics};
use wasm_bindgen::prelude::*;

/// Families, metrics and their options, and the shapes of files, as JSON.
#[wasm_bindgen]
#[must_use]
pub fn catalogue() -> String {
    let metrics: Vec<Value> = metrics()
        .map(|metric| {
            json!({
                "family": metric.family,
                "name": metric.name,
                "about": metric.about,
                "needs": metric.needs.title(),
                "options": metric.options.iter().map(option).collect::<Vec<_>>(),
                "usual": metric.usual,
            })
        })
        .collect();
    let shapes: Vec<Value> =
        Shape::ALL.iter().map(|shape| json!({"name": shape.name(), "title": shape.title()})).collect();
    json!({"families": FAMILIES, "metrics": metrics, "shapes": shapes}).to_string()
}

fn option(opt: &Opt) -> Value {
    let (kind, words): (&str, &[&str]) = match opt.kind {
        Kind::Word(words) => ("word", words),
        Kind::Number => ("number", &[]),
        Kind::Whole => ("whole", &[]),
        Kind::Text => ("text", &[]),
    };
    json!({"key": opt.key, "kind": kind, "words": words, "default": opt.default, "about": opt.about})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_there_with_its_options() {
        let all: Value = serde_json::from_str(&catalogue()).unwrap();
        let named =
            |name: &str| all["metrics"].as_array().unwrap().iter().find(|m| m["name"] == name).unwrap();
        assert_eq!(all["metrics"].as_array().unwrap().len(), metrics().count());
        assert_eq!(named("vendi")["options"][0]["key"], "q");
        assert_eq!(named("vendi")["options"][0]["default"], "1");
        assert_eq!(all["shapes"][0]["name"], "votes");
    }
}
