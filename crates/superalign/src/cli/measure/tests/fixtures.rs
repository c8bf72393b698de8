//! Published files as they are, where they are at hand.

use super::repeats::fixture;
use super::{json, run, value};
use serde_json::{Value, json as object};
use std::collections::BTreeMap;

/// What the command understands of a fixture, and all that it measures; `None` where there is no such file.
fn measured(relative: &str, more: &[&str]) -> Option<Value> {
    let path = fixture(relative)?;
    let arguments: Vec<&str> = std::iter::once(path.to_str().unwrap()).chain(more.iter().copied()).collect();
    Some(json(&arguments))
}

/// The shape and the column of each role.
fn understood(json: &Value) -> Value {
    object!([json["understood"]["shape"], json["understood"]["columns"]])
}

#[test]
fn crowds() {
    for (name, items, annotators) in [("simple", 10, 6), ("toy_ysda", 5, 5), ("bool", 2, 3)] {
        let Some(found) = measured(&format!("crowdkit/{name}.csv"), &[]) else { return };
        let columns = object!(["votes", {"item": ["task"], "annotator": ["worker"], "label": ["label"]}]);
        assert_eq!(understood(&found), columns);
        let counts = (
            found["understood"]["items"].as_u64(),
            found["understood"]["annotators"].as_array().map(Vec::len),
        );
        assert_eq!(counts, (Some(items), Some(annotators)), "{name}");
        assert_eq!(value(&found, "dawid-skene", "labels").as_array().unwrap().len() as u64, items);
    }
}

#[test]
fn rankings() {
    for name in ["food", "simple"] {
        let Some(found) = measured(&format!("evalica/{name}.csv"), &[]) else { return };
        assert_eq!(
            understood(&found),
            object!(["preferences", {"left": ["left"], "right": ["right"], "winner": ["winner"]}])
        );
        let Some(golden) = fixture(&format!("evalica/{name}-golden.csv")) else { return };
        let golden = std::fs::read_to_string(golden).unwrap();
        let expected: BTreeMap<&str, f64> = golden
            .lines()
            .filter_map(|line| line.strip_prefix("average_win_rate,"))
            .map(|line| line.split_once(',').unwrap())
            .map(|(candidate, score)| (candidate, score.parse().unwrap()))
            .collect();
        let candidates = found["understood"]["candidates"].as_array().unwrap();
        let scores = value(&found, "win-rate", "");
        assert_eq!(expected.len(), candidates.len());
        for (candidate, score) in candidates.iter().zip(scores.as_array().unwrap()) {
            let expected = expected[candidate.as_str().unwrap()];
            assert!((score.as_f64().unwrap() - expected).abs() < 1e-9, "{candidate} {score} {expected}");
        }
    }
    // Tables that are of no shape are so when it is said what they are for.
    let columns = ["--columns", "item=item,annotator=algorithm,label=score"];
    let Some(found) = measured("evalica/food-golden.csv", &columns) else { return };
    assert_eq!(found["understood"]["shape"], "votes");
    // Data without a header.
    for name in ["gcl", "codings"] {
        let Some(path) = fixture(&format!("evalica/{name}.csv")) else { return };
        let (code, said) = run(&[path.to_str().unwrap()]).unwrap_err();
        assert!(
            code == 2 && said.contains("where the first line is data, put one with names above it"),
            "{said}"
        );
    }
}

#[test]
fn reviews_by_peers() {
    let said = "margin-right=score";
    let Some(found) = measured("prd/peer_reviews.csv", &["--columns", said, "--metrics", "preference"])
    else {
        return;
    };
    let columns = object!(["preferences", {
        "item": ["question_id"], "left": ["model_a"], "right": ["model_b"], "judge": ["reviewer"],
        "margin-right": ["score"],
    }]);
    assert_eq!(understood(&found), columns);
    assert_eq!(value(&found, "self-preference", "").as_array().unwrap().len(), 5);
    // 80 questions and 10 pairs of models, each in both orders, by 5 judges; 3,367 times without a tie.
    let row = |metric: &str| {
        found["values"].as_array().unwrap().iter().find(|row| row["metric"] == metric).unwrap()["n"].clone()
    };
    assert_eq!((row("judge-agreement"), row("position-bias")), (800.into(), 3367.into()));
    let Some(expected) = fixture("prd/expected.json") else { return };
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(expected).unwrap()).unwrap();
    let compare = |found: &Value, key: &str| {
        let candidates = found["understood"]["candidates"].as_array().unwrap();
        let rates = value(found, "win-rate", "");
        for (candidate, rate) in candidates.iter().zip(rates.as_array().unwrap()) {
            let expected = expected[key][candidate.as_str().unwrap()].as_f64().unwrap();
            assert!((rate.as_f64().unwrap() - expected).abs() < 1e-9, "{candidate} {rate} {expected}");
        }
    };
    compare(&found, "winrates_unweighted");
    let more = ["--columns", "margin-right=majority", "--metrics", "win-rate"];
    let Some(found) = measured("prd/human_reviews.csv", &more) else { return };
    compare(&found, "winrates_human");
    // What a sign means, nobody can see.
    for name in ["peer_reviews", "human_reviews", "human_votes"] {
        let Some(path) = fixture(&format!("prd/{name}.csv")) else { return };
        let (code, said) = run(&[path.to_str().unwrap()]).unwrap_err();
        assert!(code == 2 && said.contains("say `--columns margin-left="), "{said}");
    }
}

#[test]
fn judgements_in_both_orders() {
    let columns = "item=subset,item=item,judge=judge,judge=prompting,winner=winner_order1,\
                   winner-unswapped=winner_order2_swapped";
    let Some(found) = measured("llmbar/judgements.csv", &["--columns", columns]) else { return };
    assert_eq!(found["understood"]["columns"]["item"], object!(["subset+item"]));
    let Some(counts) = fixture("llmbar/expected_counts.json") else { return };
    let counts: Value = serde_json::from_str(&std::fs::read_to_string(counts).unwrap()).unwrap();
    let sum =
        |key: &str| counts.as_array().unwrap().iter().map(|row| row[key].as_f64().unwrap()).sum::<f64>();
    // 34 pairs have no winner in one of the orders.
    let consistency = value(&found, "position-bias", "consistency").as_f64().unwrap();
    let pairs =
        found["values"].as_array().unwrap().iter().find(|row| row["metric"] == "position-bias").unwrap()["n"]
            .as_f64()
            .unwrap();
    assert_eq!((pairs, (consistency * pairs).round()), (sum("n") - 34.0, sum("equal")));
    // As they stand, a judge has one vote on an item.
    let Some(found) = measured("llmbar/judgements.csv", &["--metrics", "raw-agreement"]) else { return };
    assert_eq!(found["understood"]["shape"], "votes");
    assert_eq!(found["understood"]["columns"]["label"], object!(["winner_order1"]));
    assert!(found["understood"]["repeats"]["votes"].as_u64() > Some(1000));
}
