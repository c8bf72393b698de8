//! Published answers, where they are at hand: the folder named by `SUPERALIGN_SHARED`, or `shared` beside the
//! repository.

use crate::extrapolation::{ItemModel, ItemResponse, Items, item_response};
use ndarray::Array2;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The text of a fixture, unless there is none.
fn fixture(relative: &str) -> Option<String> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = std::env::var_os("SUPERALIGN_SHARED").map_or_else(beside, PathBuf::from);
    let text = std::fs::read_to_string(path.join("fixtures").join(relative)).ok();
    if text.is_none() {
        #[expect(clippy::print_stdout, reason = "a test that did not run has to say so")]
        {
            println!("skipped: not found: fixture {relative}");
        }
    }
    text
}

fn fit(text: &str, model: ItemModel) -> Items {
    let rows: Vec<Vec<u64>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect())
        .collect();
    let answers = Array2::from_shape_fn((rows.len(), 5), |(i, j)| rows[i][j] as i8);
    let counts: Vec<u64> = rows.iter().map(|row| row[5]).collect();
    item_response(answers.view(), Some(&counts), &ItemResponse { model, ..ItemResponse::default() }).unwrap()
}

fn close(found: f64, expected: &Value, tolerance: f64) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= tolerance, "{found} {expected}");
}

#[test]
fn the_law_school_admission_tests() {
    let Some(expected) = fixture("irt/expected.json") else { return };
    let expected: Value = serde_json::from_str(&expected).unwrap();
    for (name, file) in [("LSAT6", "irt/lsat6_patterns.csv"), ("LSAT7", "irt/lsat7_patterns.csv")] {
        let Some(text) = fixture(file) else { return };
        let (two, one) = (fit(&text, ItemModel::TwoParameter), fit(&text, ItemModel::Rasch));
        let expected = &expected[name];
        close(two.log_likelihood, &expected["2PL"]["loglik"], 1e-4);
        close(one.log_likelihood, &expected["1PL(common slope)"]["loglik"], 1e-4);
        close(one.slopes[0].value, &expected["1PL(common slope)"]["slope"], 1e-3);
        assert!(two.gradient < 1e-6 && one.gradient < 1e-6, "{} {}", two.gradient, one.gradient);
        for j in 0..5 {
            close(two.slopes[j].value, &expected["2PL"]["slope_a"][j], 2e-3);
            close(two.intercepts[j].value, &expected["2PL"]["intercept_d"][j], 2e-3);
            close(two.difficulty(j).unwrap().value, &expected["2PL"]["difficulty_b=-d/a"][j], 1e-2);
            close(one.intercepts[j].value, &expected["1PL(common slope)"]["intercept_d"][j], 1e-3);
        }
    }
}

#[test]
fn the_intervals_of_mirt() {
    let Some(expected) = fixture("irt/expected.json") else { return };
    let expected: Value = serde_json::from_str(&expected).unwrap();
    let (Some(six), Some(seven)) = (fixture("irt/lsat6_patterns.csv"), fixture("irt/lsat7_patterns.csv"))
    else {
        return;
    };
    let rasch = fit(&six, ItemModel::Rasch);
    let wanted = &expected["LSAT6"]["mirt_test_Rasch"];
    let variance = rasch.ability_variance().unwrap();
    close(variance.value, &wanted["theta_var"], 0.01);
    let interval = variance.interval(0.95).unwrap();
    close(interval.lo, &wanted["theta_var_ci95"][0], 0.01);
    close(interval.hi, &wanted["theta_var_ci95"][1], 0.01);
    for (j, intercept) in rasch.intercepts.iter().enumerate() {
        close(intercept.interval(0.95).unwrap().lo, &wanted["d_ci95"][j][0], 0.01);
        close(intercept.interval(0.95).unwrap().hi, &wanted["d_ci95"][j][1], 0.01);
    }
    let two = fit(&seven, ItemModel::TwoParameter);
    let wanted = &expected["LSAT7"]["mirt_test_2PL"];
    for j in 0..5 {
        for (found, key) in [(&two.slopes[j], "ci95_a_Richardson"), (&two.intercepts[j], "ci95_d_Richardson")]
        {
            let interval = found.interval(0.95).unwrap();
            close(interval.lo, &wanted[key][j][0], 0.015);
            close(interval.hi, &wanted[key][j][1], 0.015);
        }
    }
}
