//! Surrogate testing, against scipy.

use ndarray::Array2;
use serde_json::Value;
use std::path::Path;
use superalign_core::Seed;
use superalign_evaluation::Bootstrap;
use superalign_evaluation::surrogate::{
    Correlation, Scored, SurrogateTest, expected_kendall, rank_correlation, validity,
};

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn table(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(numbers).collect();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

fn found(case: &Value) -> Vec<f64> {
    let correlation =
        |kind| vec![rank_correlation(&numbers(&case["first"]), &numbers(&case["second"]), kind).unwrap()];
    match case["function"].as_str().unwrap() {
        "kendall" => correlation(Correlation::Kendall),
        "spearman" => correlation(Correlation::Spearman),
        "validity" => {
            let (surrogate, target) = (table(&case["surrogate"]), table(&case["target"]));
            let scored = Scored {
                surrogate: surrogate.view(),
                target: target.view(),
                surrogate_groups: None,
                target_groups: None,
            };
            let by = Bootstrap { draws: 50, ..Bootstrap::new(Seed::new(1)) };
            let found = validity(&scored, &SurrogateTest::new(by)).unwrap();
            let all = [
                found.kendall,
                found.spearman,
                found.slope,
                found.intercept,
                found.bias,
                found.mean_absolute_difference,
            ];
            all.iter().map(|estimate| estimate.value).collect()
        }
        "expected-kendall" => {
            let error = case["error"].as_f64().unwrap();
            vec![expected_kendall(table(&case["surrogate"]).view(), &numbers(&case["truth"]), error).unwrap()]
        }
        other => panic!("{other}"),
    }
}

#[test]
fn every_case() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/data/surrogate.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert!(cases.len() > 40, "{}", cases.len());
    for case in cases {
        let (found, expected) = (found(case), numbers(&case["expected"]));
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            let near = case["tol"].as_f64().unwrap() * expected.abs().max(1.0);
            assert!((found - expected).abs() <= near, "{}: {found} {expected}", case["function"]);
        }
    }
}
