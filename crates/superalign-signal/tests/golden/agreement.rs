//! Golden values of `agreement`.

use crate::support::{Case, Golden, numbers, table};
use ndarray::Axis;
use serde_json::{Value, json};
use superalign_signal::agreement::{
    self, Categories, Coefficient, Level, LoneVotes, Raters, Spacing, Weighting, Weights,
};
use superalign_signal::{SignalError, Votes};

#[test]
fn agreement_matches() {
    assert_eq!(Golden::read("agreement.json").check(found), 95);
}

fn found(case: &Case<'_>) -> Option<Value> {
    // One label: irrCAC and evalica call it perfect agreement; ours says that the coefficient does not exist.
    if case.input_name("ratings") == "single_class" && ["irrCAC", "evalica"].contains(&case.package()) {
        return None;
    }
    let asked = coefficient(case);
    let Some(votes) = votes(case) else { return Some(json!("error")) };
    Some(match case.package() {
        "irrCAC" => match agreement::parts(&votes, asked) {
            // The chance agreement of a coefficient that does not exist is no target.
            Err(_) => json!({ "coefficient_value": "error", "pa": "error" }),
            Ok(parts) => {
                let mut found =
                    json!({ "coefficient_value": parts.value, "pa": parts.observed, "pe": parts.expected });
                if ["full", "missing"].contains(&case.input_name("ratings")) {
                    found["se"] = value(agreement::standard_error(&votes, asked, LoneVotes::ByChance));
                }
                found
            }
        },
        "statsmodels" if case.metric() == "cohen_kappa_std" => json!({
            "kappa": value(agreement::value(&votes, asked)),
            "std_kappa": value(agreement::standard_error(&votes, asked, LoneVotes::ByChance)),
            "std_kappa0": value(agreement::null_standard_error(&votes, Weighting::default())),
        }),
        _ => value(agreement::value(&votes, asked)),
    })
}

fn value(outcome: Result<f64, SignalError>) -> Value {
    outcome.map_or_else(|_| json!("error"), |value| json!(value))
}

fn coefficient(case: &Case<'_>) -> Coefficient {
    let weights = match (case.param("weights").as_str().unwrap_or("identity"), case.package()) {
        ("identity", _) => Weights::Identity,
        ("linear", "scikit-learn") => Weights::Linear(Spacing::Index),
        ("quadratic", "scikit-learn") => Weights::Quadratic(Spacing::Index),
        ("linear", _) => Weights::Linear(Spacing::Value),
        ("quadratic", _) => Weights::Quadratic(Spacing::Value),
        ("ordinal", _) => Weights::Ordinal,
        (other, _) => panic!("weights {other}"),
    };
    let weighting = Weighting::new(weights);
    match case.metric() {
        "krippendorff_alpha" if case.package() == "irrCAC" => Coefficient::WeightedKrippendorff(weighting),
        "krippendorff_alpha" => Coefficient::Krippendorff(match case.param("level").as_str().unwrap() {
            "nominal" => Level::Nominal,
            "ordinal" => Level::Ordinal,
            "interval" => Level::Interval,
            "ratio" => Level::Ratio,
            other => panic!("level {other}"),
        }),
        "gwet_ac1" | "gwet_ac2" => Coefficient::Gwet(weighting),
        "fleiss_kappa_missing_ok" => Coefficient::Fleiss(weighting, Raters::Varying),
        "fleiss_kappa" => Coefficient::Fleiss(weighting, Raters::Equal),
        "brennan_prediger" => Coefficient::BrennanPrediger(weighting),
        "randolph_kappa" => {
            let last = case.param("n_categories").as_i64().unwrap() as i32 - 1;
            let categories = Categories::Whole { first: 0, last };
            Coefficient::BrennanPrediger(Weighting { weights, categories })
        }
        "cohen_kappa" | "cohen_kappa_std" => Coefficient::Cohen(weighting),
        other => panic!("metric {other}"),
    }
}

/// The votes of a case: all ratings, two columns `name[:,j]`, or a table of how many raters chose each category.
fn votes(case: &Case<'_>) -> Option<Votes> {
    if !case.input_name("ratings").is_empty() {
        return Votes::numbers(table(case.input("ratings")).view()).ok();
    }
    if !case.input_name("table").is_empty() {
        let (mut item, mut rater, mut label) = (Vec::new(), Vec::new(), Vec::new());
        for (i, counts) in case.input("table").as_array().unwrap().iter().enumerate() {
            let labels = numbers(counts).into_iter().enumerate();
            let labels = labels.flat_map(|(label, count)| std::iter::repeat_n(label as f64, count as usize));
            for (r, l) in labels.enumerate() {
                item.push(i as u32);
                rater.push(r as u32);
                label.push(l);
            }
        }
        return Votes::triples(&item, &rater, &label).ok();
    }
    let column = |role| {
        let (name, column) = case.input_name(role).split_once("[:,").unwrap();
        let all = table(case.named(name));
        all.index_axis(Axis(1), column.trim_end_matches(']').parse().unwrap()).to_owned()
    };
    let pair = ndarray::stack(Axis(1), &[column("a").view(), column("b").view()]).unwrap();
    Votes::numbers(pair.view()).ok()
}
