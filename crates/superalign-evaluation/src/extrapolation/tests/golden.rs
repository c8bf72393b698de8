//! Values of established packages: `tests/golden/data/extrapolation.json`, made by the program beside it.

use crate::extrapolation::{
    Bound, Curve, Fitted, ItemModel, ItemResponse, Items, Parameter, Points, Target, Trend, ability_mean,
    ability_top, fit, item_response, profile,
};
use ndarray::Array2;
use serde_json::Value;
use std::path::Path;

fn golden(case: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/data/extrapolation.json");
    let json: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    json[case].clone()
}

fn numbers(json: &Value) -> Vec<f64> {
    json.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn points(case: &Value) -> Points {
    let counts = |key: &str| numbers(&case[key]).iter().map(|&count| count as u64).collect::<Vec<_>>();
    Points::new(&numbers(&case["x"]), &counts("right"), &counts("total")).unwrap()
}

fn close(found: f64, expected: &Value, tolerance: f64, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= tolerance * expected.abs().max(1.0), "{what}: {found} {expected}");
}

fn parameters(found: &Fitted, case: &Value, tolerance: f64) {
    close(found.log_likelihood, &case["log_likelihood"], 1e-9, "log-likelihood");
    for &(name, value) in found.parameters.iter().filter(|parameter| !case[parameter.0].is_null()) {
        close(value, &case[name], tolerance, name);
    }
}

#[test]
fn the_logistic_is_the_binomial_regression_of_statsmodels() {
    let case = golden("logistic");
    let points = points(&case);
    let found = fit(&points, Curve::logistic()).unwrap();
    parameters(&found, &case, 1e-8);
    close(found.at(13.0).unwrap(), &case["share_at_13"], 1e-9, "share");
    let ends = |target, key: &str| {
        let interval = profile(&points, &found, target, 0.95).unwrap();
        close(interval.lo, &case[key][0], 1e-6, key);
        close(interval.hi, &case[key][1], 1e-6, key);
    };
    ends(Target::Parameter(0), "profile_slope");
    ends(Target::Share(13.0), "profile_share_at_13");
}

#[test]
fn curves_are_those_that_scipy_finds() {
    let case = golden("logistic_four");
    let curve = Curve::Logistic { floor: Bound::Free, ceiling: Bound::Free };
    parameters(&fit(&points(&case), curve).unwrap(), &case, 1e-5);
    let case = golden("power_law");
    let curve = Curve::PowerLaw { asymptote: Bound::Free };
    parameters(&fit(&points(&case), curve).unwrap(), &case, 1e-5);
    let case = golden("clipped");
    let curve = Curve::ClippedLinear { floor: Bound::Free, ceiling: Bound::Free };
    let found = fit(&points(&case), curve).unwrap();
    close(found.log_likelihood, &case["log_likelihood"], 1e-8, "log-likelihood");
    for (x, share) in numbers(&case["x"]).into_iter().zip(case["share"].as_array().unwrap()) {
        close(found.at(x).unwrap(), share, 1e-4, "share");
    }
}

#[test]
fn the_monotone_curve_is_scipys_and_the_line_that_of_statsmodels() {
    let case = golden("monotone");
    let points = points(&case);
    let found = fit(&points, Curve::Monotone(Trend::Falling)).unwrap();
    for (x, share) in numbers(&case["x"]).into_iter().zip(case["share"].as_array().unwrap()) {
        close(found.at(x).unwrap(), share, 1e-12, "share");
    }
    assert_eq!(found.free, 9);
    let found = fit(&points, Curve::Linear).unwrap();
    close(found.parameters[0].1, &case["line"][0], 1e-12, "intercept");
    close(found.parameters[1].1, &case["line"][1], 1e-12, "slope");
}

#[test]
fn abilities_are_those_of_girth() {
    let case = golden("abilities");
    let exact = |values: &Value| -> Vec<Parameter> {
        numbers(values).into_iter().map(|value| Parameter { value, error: 0.0 }).collect()
    };
    let items = Items {
        model: ItemModel::TwoParameter,
        slopes: exact(&case["slope"]),
        intercepts: exact(&case["intercept"]),
        covariances: vec![0.0; 5],
        log_likelihood: 0.0,
        objective: 0.0,
        parameters: 10,
        persons: 0.0,
        iterations: 0,
        gradient: 0.0,
    };
    let rows: Vec<Vec<f64>> = case["answers"].as_array().unwrap().iter().map(numbers).collect();
    let answers = Array2::from_shape_fn((4, 5), |(i, j)| rows[i][j] as i8);
    let top = ability_top(&items, answers.view()).unwrap();
    let mean = ability_mean(&items, answers.view(), 101).unwrap();
    for i in 0..4 {
        close(top[i].as_ref().unwrap().value, &case["top"][i], 1e-4, "top");
        close(mean[i].value, &case["mean"][i], 1e-4, "mean");
    }
}

#[test]
fn items_with_gaps_are_those_of_a_direct_search() {
    let case = golden("two_parameter");
    let rows: Vec<&[u8]> =
        case["answers"].as_array().unwrap().iter().map(|row| row.as_str().unwrap().as_bytes()).collect();
    let answers = Array2::from_shape_fn((rows.len(), 6), |(i, j)| match rows[i][j] {
        b'2' => -1,
        digit => i8::from(digit == b'1'),
    });
    let found = item_response(answers.view(), None, &ItemResponse::default()).unwrap();
    close(found.log_likelihood, &case["log_likelihood"], 1e-9, "log-likelihood");
    for j in 0..6 {
        close(found.slopes[j].value, &case["slope"][j], 2e-5, "slope");
        close(found.intercepts[j].value, &case["intercept"][j], 2e-5, "intercept");
        close(found.slopes[j].error, &case["error"][j], 1e-4, "error of the slope");
        close(found.intercepts[j].error, &case["error"][6 + j], 1e-4, "error of the intercept");
    }
}
