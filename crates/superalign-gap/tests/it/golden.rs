//! Values of scipy, numpy and moocore on generated inputs.

use ndarray::Array2;
use serde_json::Value;
use std::path::Path;
use superalign_core::Seed;
use superalign_gap::calibration::{Config, Folds, Pair, Shape, calibrate};
use superalign_gap::capacity::{RankCorrelation, learning_curve};
use superalign_gap::{Bootstrap, Draws, hypervolume, pareto_front};

fn cases(function: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/gap.json");
    let text = std::fs::read_to_string(path).expect("the golden file is there");
    let all: Value = serde_json::from_str(&text).expect("the golden file is JSON");
    let list = all["cases"].as_array().expect("a list of cases");
    let found: Vec<_> = list.iter().filter(|case| case["function"] == function).cloned().collect();
    assert!(!found.is_empty(), "no case of {function}");
    found
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

fn close(found: f64, expected: f64, case: &Value) {
    let tol = case["tol"].as_f64().expect("a tolerance");
    assert!(
        (found - expected).abs() <= tol * expected.abs().max(1.0),
        "{found}, expected {expected}: {case}"
    );
}

#[test]
fn learning_curves_are_those_of_greatest_likelihood() {
    let by = Bootstrap { draws: 100, ..Bootstrap::new(Seed::new(1)) };
    for case in cases("learning-curve") {
        let (sizes, wrong) = (numbers(&case["sizes"]), numbers(&case["wrong"]));
        let items = case["items"].as_f64().unwrap();
        let answers: Vec<_> = wrong
            .iter()
            .map(|&wrong| Array2::from_shape_fn((1, items as usize), |(_, item)| item as f64 >= wrong))
            .collect();
        let found = learning_curve(&sizes, &answers, None, &by).unwrap().curve;
        let terms = sizes.iter().zip(&wrong).map(|(&size, wrong)| {
            let p = found.error_at(size);
            (wrong * p.ln() + (items - wrong) * (1.0 - p).ln()) / items
        });
        let likelihood: f64 = terms.sum();
        // Never less likely than what scipy found.
        assert!(likelihood >= case["likelihood"].as_f64().unwrap() - 1e-11, "{likelihood}: {case}");
        let expected = numbers(&case["expected"]);
        close(found.asymptote, expected[0], &case);
        close(found.error_at(sizes[0]) - found.asymptote, expected[1], &case);
        close(found.exponent, expected[2], &case);
    }
}

#[test]
fn rank_correlations_agree_with_scipy() {
    for (name, coefficient) in
        [("kendall", RankCorrelation::Kendall), ("spearman", RankCorrelation::Spearman)]
    {
        for case in cases(name) {
            let found = coefficient.of(&numbers(&case["x"]), &numbers(&case["y"])).unwrap();
            close(found, case["expected"].as_f64().unwrap(), &case);
        }
    }
}

#[test]
fn fronts_and_areas_agree_with_moocore() {
    for case in cases("front") {
        let points: Vec<(f64, f64)> =
            case["points"].as_array().unwrap().iter().map(numbers).map(|p| (p[0], p[1])).collect();
        let reference = numbers(&case["reference"]);
        let area = hypervolume(&points, (reference[0], reference[1])).unwrap();
        close(area, case["expected"].as_f64().unwrap(), &case);
        let mut members = pareto_front(&points).unwrap();
        members.sort_unstable();
        let expected: Vec<usize> =
            numbers(&case["members"]).into_iter().map(|place| place as usize).collect();
        assert_eq!(members, expected, "{case}");
    }
}

#[test]
fn parabolas_agree_with_numpy() {
    for case in cases("parabola") {
        let (gamma, gain, error) = (numbers(&case["gamma"]), numbers(&case["gain"]), numbers(&case["error"]));
        // Two draws whose standard deviation is the error; the values of the data decide the curve.
        let pair = |i: usize| {
            let half = error[i] / 2.0_f64.sqrt();
            Pair {
                teacher: i as u32,
                student: 0,
                gamma: Draws { value: gamma[i], draws: vec![gamma[i]; 2] },
                gain: Draws { value: gain[i], draws: vec![gain[i] - half, gain[i] + half] },
            }
        };
        let pairs: Vec<_> = (0..gamma.len()).map(pair).collect();
        let config = Config { folds: Folds::Pair, level: 0.95, seed: Seed::new(1) };
        let found = calibrate(&pairs, &config).unwrap();
        // With four points three parameters are too many to be chosen; the weights are numpy's where nothing spreads.
        if found.shape == Shape::Unimodal && found.spread == 0.0 {
            for (gamma, expected) in gamma.iter().zip(numbers(&case["expected"])) {
                close(found.curve.at(*gamma), expected, &case);
            }
        } else {
            assert!(gamma.len() < 15, "{:?}, spread {}", found.shape, found.spread);
        }
    }
}
