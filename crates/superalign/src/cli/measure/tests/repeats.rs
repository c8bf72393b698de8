//! Annotators who vote more than once on an item.

use super::{Folder, json, run, value};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use superalign_core::Seed;
use superalign_core::rand::RngExt as _;

/// The folder of a fixture: of `SUPERALIGN_SHARED`, or `shared` beside the repository.
pub(super) fn fixture(relative: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = std::env::var_os("SUPERALIGN_SHARED").map_or_else(beside, PathBuf::from);
    let path = path.join("fixtures").join(relative);
    if !path.is_file() {
        #[expect(clippy::print_stdout, reason = "a test that did not run has to say so")]
        {
            println!("skipped: not found: fixture {relative}");
        }
        return None;
    }
    Some(path)
}

/// A vote: item, annotator, label.
type Vote = (usize, usize, usize);

/// What a model of annotators with confusion matrices is made of.
struct Model {
    prior: Vec<f64>,
    /// For each annotator, true and given category.
    confusion: Vec<Vec<Vec<f64>>>,
    posterior: Vec<Vec<f64>>,
    log_likelihood: f64,
}

/// Dawid and Skene's maximum likelihood from the shares of votes, written down as in their paper: slow and plain.
fn dawid_skene(votes: &[Vote], items: usize, annotators: usize, categories: usize) -> Model {
    let normalised = |row: Vec<f64>| {
        let sum: f64 = row.iter().sum();
        row.into_iter().map(|x| x / sum).collect::<Vec<f64>>()
    };
    let mut posterior = vec![vec![0.0; categories]; items];
    votes.iter().for_each(|&(item, _, label)| posterior[item][label] += 1.0);
    posterior = posterior.into_iter().map(normalised).collect();
    let (mut prior, mut confusion, mut log_likelihood) = (Vec::new(), Vec::new(), 0.0);
    for _ in 0..3000 {
        prior = (0..categories)
            .map(|c| posterior.iter().map(|row| row[c]).sum::<f64>() / items as f64)
            .collect::<Vec<_>>();
        confusion = vec![vec![vec![0.0; categories]; categories]; annotators];
        for &(item, annotator, label) in votes {
            (0..categories).for_each(|c| confusion[annotator][c][label] += posterior[item][c]);
        }
        for matrix in &mut confusion {
            *matrix = std::mem::take(matrix).into_iter().map(normalised).collect();
        }
        let mut joint = vec![prior.clone(); items];
        for &(item, annotator, label) in votes {
            (0..categories).for_each(|c| joint[item][c] *= confusion[annotator][c][label]);
        }
        log_likelihood = joint.iter().map(|row| row.iter().sum::<f64>().ln()).sum();
        posterior = joint.into_iter().map(normalised).collect();
    }
    Model { prior, confusion, posterior, log_likelihood }
}

/// In the shape of the patients of Dawid and Skene: the first annotator votes three times on an item, now and then not
/// at all, and every vote is right four times in five.
fn generated() -> Vec<Vote> {
    let mut rng = Seed::new(11).named("repeats").rng();
    let mut votes = Vec::new();
    for item in 0..60 {
        let truth = item % 3;
        for annotator in [0, 0, 0, 1, 2, 3] {
            let label = if rng.random::<f64>() < 0.8 { truth } else { rng.random_range(0..3) };
            if rng.random::<f64>() < 0.95 {
                votes.push((item, annotator, label));
            }
        }
    }
    votes
}

/// One vote a row; names sort as numbers do.
fn file(votes: &[Vote]) -> String {
    votes.iter().fold("task,worker,label\n".to_owned(), |mut text, (item, annotator, label)| {
        _ = writeln!(text, "{item},{annotator},{}", label + 1);
        text
    })
}

/// The first vote of each annotator on an item.
fn first(votes: &[Vote]) -> Vec<Vote> {
    let mut seen = BTreeSet::new();
    votes.iter().copied().filter(|&(item, annotator, _)| seen.insert((item, annotator))).collect()
}

fn close(found: &Value, expected: &Value) {
    match (found.as_array(), expected.as_array()) {
        (Some(found), Some(expected)) => {
            assert_eq!(found.len(), expected.len());
            found.iter().zip(expected).for_each(|(found, expected)| close(found, expected));
        }
        _ => {
            let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }
}

const MODEL: &str = "dawid-skene:prior=none:tolerance=1e-12:iterations=100000";

#[test]
fn further_votes_are_those_of_the_same_annotator_to_a_model() {
    let (folder, votes) = (Folder::new(), generated());
    let found = json(&[&folder.write("votes.csv", file(&votes)), "--metrics", MODEL]);
    let expected = dawid_skene(&votes, 60, 4, 3);
    close(&value(&found, "dawid-skene", "class prior"), &expected.prior.into());
    close(&value(&found, "dawid-skene", "posterior"), &expected.posterior.into());
    close(&value(&found, "dawid-skene", "confusion"), &expected.confusion.into());
    close(&value(&found, "dawid-skene", "log-likelihood"), &expected.log_likelihood.into());
    assert_eq!(found["understood"]["annotators"].as_array().unwrap().len(), 4);
    for model in ["one-coin", "glad", "mace"] {
        let found = json(&[&folder.write("votes.csv", file(&votes)), "--metrics", model]);
        let part = if model == "mace" { "competence" } else { "accuracy" };
        assert_eq!(value(&found, model, part).as_array().unwrap().len(), 4, "{model}");
    }
}

#[test]
fn the_patients_of_dawid_and_skene() {
    let Some(path) = fixture("dawid_skene_1979/anesthesia.csv") else { return };
    let Some(expected) = fixture("dawid_skene_1979/expected.json") else { return };
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(expected).unwrap()).unwrap();
    let found = json(&[path.to_str().unwrap(), "--metrics", MODEL]);
    // Objects whose keys are names from 1 on.
    let list = |object: &Value| -> Value {
        (1..=object.as_object().unwrap().len()).map(|name| object[name.to_string()].clone()).collect()
    };
    close(&value(&found, "dawid-skene", "class prior"), &list(&expected["class_marginals"]));
    close(
        &value(&found, "dawid-skene", "confusion"),
        &list(&expected["error_rates[worker][true][observed]"]),
    );
    close(&value(&found, "dawid-skene", "posterior"), &list(&expected["posterior"]));
    close(&value(&found, "dawid-skene", "log-likelihood"), &expected["loglik_observed"]);
    assert_eq!(value(&found, "dawid-skene", "labels"), list(&expected["map_label"]));
    assert_eq!(found["understood"]["repeats"]["most"], serde_json::json!({"1": 3}));
    assert_eq!(found["understood"]["repeats"]["votes"], 90);
}

#[test]
fn agreement_is_that_of_first_votes() {
    let (folder, votes) = (Folder::new(), generated());
    let metrics = "agreement,cohen-kappa:a=0:b=2,wawa,zero-based-skill,judge-agreement";
    let of = |votes: &[Vote]| {
        json(&[&folder.write("votes.csv", file(votes)), "--metrics", metrics])["values"].clone()
    };
    assert!(first(&votes).len() < votes.len());
    assert_eq!(of(&votes), of(&first(&votes)));
    // So it is where the right answers are known.
    let answers = |votes: &[Vote]| {
        let text = votes.iter().filter(|vote| vote.0 < 3 && vote.1 != 3).fold(
            "item,annotator,label,gold\n".to_owned(),
            |mut text, (item, annotator, label)| {
                _ = writeln!(text, "{item},{annotator},{label},{}", item % 3);
                text
            },
        );
        json(&[&folder.write("answers.csv", text), "--metrics", "double-fault,disagreement"])["values"]
            .clone()
    };
    let some: Vec<Vote> = (0..3)
        .flat_map(|item| [(item, 0, 1), (item, 0, item), (item, 1, item), (item, 2, 2), (item, 2, 1)])
        .collect();
    assert_eq!(answers(&some), answers(&first(&some)));
    assert_ne!(answers(&some), answers(&first(&some.iter().rev().copied().collect::<Vec<_>>())));
}

#[test]
fn shares_and_majorities_are_those_of_every_vote() {
    let folder = Folder::new();
    let path = folder.write(
        "votes.csv",
        "item,annotator,label\na,x,yes\na,x,yes\na,x,no\na,y,no\nb,x,yes\nb,y,yes\nb,y,yes\na,z,yes\n",
    );
    let found = json(&[&path, "--metrics", "majority-vote,berger-parker"]);
    close(&value(&found, "majority-vote", "posterior"), &serde_json::json!([[0.4, 0.6], [0.0, 1.0]]));
    // Of the annotators' votes, 3 of 4, 2 of 3, and 1 of 1 are those of the majority.
    close(&value(&found, "majority-vote", "skill"), &serde_json::json!([0.75, 2.0 / 3.0, 1.0]));
    close(&value(&found, "berger-parker", ""), &0.75.into());
    let shown = run(&[&path, "--metrics", "majority-vote", "--draws", "0"]).unwrap();
    insta::assert_snapshot!(folder.hide(shown.split("\n\n").next().unwrap()));
    assert_eq!(
        found["understood"]["repeats"],
        serde_json::json!({"votes": 3, "same_label": 2, "most": {"x": 3, "y": 2}})
    );
}

#[test]
fn so_many_votes_on_one_item_are_no_trouble() {
    let folder = Folder::new();
    let text =
        (0..3000).fold("item,annotator,label\n".to_owned(), |text, i| text + &format!("1,x,{}\n", i % 2));
    let found = json(&[&folder.write("votes.csv", text)]);
    assert_eq!(value(&found, "majority-vote", "posterior"), serde_json::json!([[0.5, 0.5]]));
    assert_eq!(found["understood"]["repeats"]["most"]["x"], 3000);
}
