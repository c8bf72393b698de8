//! Golden values of `truth`.

use crate::support::{Case, Golden};
use ndarray::Array2;
use serde_json::{Map, Value, json};
use superalign_signal::truth::{
    Consensus, DawidSkene, Glad, Mace, Majority, OneCoin, Search, Skill, Stop, Truth, dawid_skene, glad,
    mace, majority, one_coin, wawa, zero_based_skill,
};
use superalign_signal::{SignalError, Votes};

fn votes(json: &Value) -> Votes {
    let column = |j: usize| json.as_array().unwrap().iter().map(move |vote| vote[j].as_u64().unwrap() as u32);
    let labels: Vec<_> = column(2).map(f64::from).collect();
    Votes::triples(&column(0).collect::<Vec<_>>(), &column(1).collect::<Vec<_>>(), &labels).unwrap()
}

/// `tol` "disabled" is a search to the limit; a number is crowd-kit's own stopping rule.
fn search(case: &Case<'_>) -> Search {
    let iterations = case.param("n_iter").as_u64().unwrap() as usize;
    match case.param("tol").as_f64() {
        Some(tolerance) => Search { iterations, tolerance, stop: Stop::CrowdKitBound, ..Search::default() },
        None => Search { iterations, tolerance: 0.0, ..Search::default() },
    }
}

/// Rows of the items that have votes, as crowd-kit gives them.
fn voted(votes: &Votes, posterior: &Array2<f64>, labels: &[u32]) -> Map<String, Value> {
    let items: Vec<usize> = (0..votes.items()).filter(|&i| !votes.labels_of_item(i).is_empty()).collect();
    let labels: Vec<_> = items.iter().map(|&i| votes.values()[labels[i] as usize]).collect();
    let mut found = Map::new();
    found.insert("labels".into(), labels.iter().map(|&label| json!(label as i64)).collect());
    if !items.is_empty() {
        found.insert("probas".into(), items.iter().map(|&i| json!(posterior.row(i).to_vec())).collect());
    }
    found
}

fn consensus(votes: &Votes, found: Result<Consensus, SignalError>) -> Map<String, Value> {
    let found = found.unwrap();
    let mut json = voted(votes, &found.posterior, &found.labels);
    if !found.skills.is_empty() {
        json.insert("skills".into(), found.skills.iter().map(|skill| json!(skill.unwrap())).collect());
    }
    json
}

fn fitted<R>(votes: &Votes, found: &Truth<R>) -> Map<String, Value> {
    voted(votes, &found.posterior, &found.labels)
}

/// `errors[w][observed][true]`: labels that a rater never gave are not listed.
fn errors(votes: &Votes, matrices: &ndarray::Array3<f64>) -> Value {
    let mut raters = Map::new();
    for (r, matrix) in matrices.outer_iter().enumerate() {
        let mut given = Map::new();
        for (column, value) in matrix.columns().into_iter().zip(votes.values()) {
            if column.iter().any(|p| *p > 0.0) {
                given.insert(value.to_string(), json!(column.to_vec()));
            }
        }
        raters.insert(format!("w{r}"), given.into());
    }
    raters.into()
}

fn found(case: &Case<'_>) -> Option<Value> {
    let votes = votes(case.input("votes"));
    let json = match case.metric() {
        "majority_vote" => consensus(&votes, majority(&votes, None, &Majority::default())),
        "wawa" => {
            let mut json = consensus(&votes, wawa(&votes, None));
            // The file has no labels of the two that weight the votes.
            json.remove("labels");
            json
        }
        "zero_based_skill" => {
            let iterations = case.param("n_iter").as_u64().unwrap() as usize;
            let options = Skill { iterations, ..Skill::default() };
            let mut json = consensus(&votes, zero_based_skill(&votes, None, &options));
            json.remove("labels");
            json
        }
        "dawid_skene" => {
            let options = DawidSkene { search: search(case), ..DawidSkene::crowd_kit() };
            let found = dawid_skene(&votes, None, &options).unwrap();
            let mut json = fitted(&votes, &found);
            // Only the full votes come with parameters. `elbo_last` is no target: it counts the prior per vote.
            if case.input_name("votes") == "votes" {
                json.insert("errors".into(), errors(&votes, &found.raters.matrices));
                json.insert("priors".into(), json!(found.class_prior));
                json.insert("n_iter".into(), json!(found.iterations));
            }
            json
        }
        "one_coin_dawid_skene" => {
            let options = OneCoin { search: search(case), ..OneCoin::crowd_kit() };
            let found = one_coin(&votes, None, &options).unwrap();
            let mut json = fitted(&votes, &found);
            json.insert("skills".into(), json!(found.raters.accuracy));
            json
        }
        "glad" => {
            // No `tol` here means crowd-kit's own, and `n_iter` is but a limit.
            let mut options = Glad::crowd_kit();
            options.search.iterations = search(case).iterations;
            fitted(&votes, &glad(&votes, None, &options).unwrap())
        }
        "mace" => {
            // Its restarts are drawn by NumPy, so the probabilities cannot be met; the labels are.
            let mut json = fitted(&votes, &mace(&votes, None, &Mace::default()).unwrap());
            json.remove("probas");
            json
        }
        _ => return None,
    };
    Some(json.into())
}

#[test]
fn crowd() {
    assert_eq!(Golden::read("crowd.json").check(found), 16);
}
