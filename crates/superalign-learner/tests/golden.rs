//! The probe against scikit-learn: `golden/logistic.json`, written by `golden/logistic.py`.

use ndarray::{Array1, Array2};
use serde::Deserialize;
use superalign_learner::{ProbeConfig, Scaling, fit_sweep};

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    penalty: f64,
    scaling: String,
    features: Vec<Vec<f32>>,
    problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    labels: Vec<f64>,
    coefficients: Vec<f64>,
    intercept: f64,
    objective: f64,
}

#[test]
fn coefficients_are_those_of_scikit_learn() {
    let golden: Golden = serde_json::from_str(include_str!("golden/logistic.json")).expect("golden file");
    assert_eq!(golden.cases.len(), 5);
    for case in &golden.cases {
        let (n, d) = (case.features.len(), case.features[0].len());
        let features = Array2::from_shape_fn((n, d), |(i, j)| case.features[i][j]);
        let labels = Array2::from_shape_fn((n, case.problems.len()), |(i, j)| case.problems[j].labels[i]);
        let scaling = if case.scaling == "none" { Scaling::None } else { Scaling::UnitVariance };
        let config = ProbeConfig { penalty: case.penalty, scaling, ..ProbeConfig::default() };
        let probes = fit_sweep(features.view(), labels.view(), &config);
        for (probe, expected) in probes.into_iter().zip(&case.problems) {
            let probe = probe.expect(&case.name);
            let away = (&probe.weights - &Array1::from(expected.coefficients.clone())).mapv(f64::abs);
            let worst = away.into_iter().fold((probe.intercept - expected.intercept).abs(), f64::max);
            assert!(worst < 1e-5, "{}: coefficients are off by {worst:e} ({:?})", case.name, probe.fit);
            let gap = (probe.fit.objective - expected.objective) / expected.objective;
            assert!(gap.abs() < 1e-7, "{}: objective is off by {gap:e}", case.name);
            assert!(probe.fit.gradient_norm <= 1e-5);
        }
    }
}
