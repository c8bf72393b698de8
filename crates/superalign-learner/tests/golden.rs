//! Students against scikit-learn: `golden/logistic.json`, written by `golden/logistic.py`.

use ndarray::{Array1, Array2};
use serde::Deserialize;
use superalign_learner::{ClassConfig, PositionBias, Probe, ProbeConfig, Scaling};
use superalign_learner::{fit_classes, fit_pairs, fit_sweep};

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
    classes: Vec<ClassCase>,
    pairs: Vec<PairCase>,
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

#[derive(Deserialize)]
struct ClassCase {
    name: String,
    penalty: f64,
    scaling: String,
    features: Vec<Vec<f32>>,
    problems: Vec<ClassProblem>,
}

#[derive(Deserialize)]
struct ClassProblem {
    labels: Vec<Vec<f64>>,
    coefficients: Vec<Vec<f64>>,
    intercepts: Vec<f64>,
    objective: f64,
}

#[derive(Deserialize)]
struct PairCase {
    name: String,
    penalty: f64,
    scaling: String,
    biased: bool,
    first: Vec<Vec<f32>>,
    second: Vec<Vec<f32>>,
    problems: Vec<Problem>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/logistic.json")).expect("golden file")
}

fn matrix<T: Copy>(rows: &[Vec<T>]) -> Array2<T> {
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

fn scaling(name: &str) -> Scaling {
    if name == "none" { Scaling::None } else { Scaling::UnitVariance }
}

fn columns(problems: &[Problem]) -> Array2<f64> {
    Array2::from_shape_fn((problems[0].labels.len(), problems.len()), |(i, j)| problems[j].labels[i])
}

fn check(name: &str, probe: &Probe, expected: &Problem) {
    let away = (&probe.weights - &Array1::from(expected.coefficients.clone())).mapv(f64::abs);
    let worst = away.into_iter().fold((probe.intercept - expected.intercept).abs(), f64::max);
    assert!(worst < 1e-5, "{name}: coefficients are off by {worst:e} ({:?})", probe.fit);
    let gap = (probe.fit.objective - expected.objective) / expected.objective;
    assert!(gap.abs() < 1e-7, "{name}: objective is off by {gap:e}");
    assert!(probe.fit.gradient_norm <= 1e-5);
}

#[test]
fn coefficients_are_those_of_scikit_learn() {
    let golden = golden();
    assert_eq!(golden.cases.len(), 5);
    for case in &golden.cases {
        let features = matrix(&case.features);
        let config =
            ProbeConfig { penalty: case.penalty, scaling: scaling(&case.scaling), ..ProbeConfig::default() };
        let probes = fit_sweep(features.view(), columns(&case.problems).view(), &config);
        for (probe, expected) in probes.into_iter().zip(&case.problems) {
            check(&case.name, &probe.expect(&case.name), expected);
        }
    }
}

#[test]
fn students_of_several_classes_are_those_of_scikit_learn() {
    let golden = golden();
    assert_eq!(golden.classes.len(), 4);
    for case in &golden.classes {
        let features = matrix(&case.features);
        let labels: Vec<Array2<f64>> = case.problems.iter().map(|p| matrix(&p.labels)).collect();
        let views: Vec<_> = labels.iter().map(|y| y.view()).collect();
        let config =
            ClassConfig { penalty: case.penalty, scaling: scaling(&case.scaling), ..ClassConfig::default() };
        for (student, expected) in
            fit_classes(features.view(), &views, &config).into_iter().zip(&case.problems)
        {
            let student = student.expect(&case.name);
            let weights = (&student.weights - &matrix(&expected.coefficients)).mapv(f64::abs);
            let intercepts =
                (&student.intercepts - &Array1::from(expected.intercepts.clone())).mapv(f64::abs);
            let worst = weights.into_iter().chain(intercepts).fold(0.0, f64::max);
            assert!(worst < 1e-5, "{}: coefficients are off by {worst:e} ({:?})", case.name, student.fit);
            let gap = (student.fit.objective - expected.objective) / expected.objective;
            assert!(gap.abs() < 1e-7, "{}: objective is off by {gap:e}", case.name);
            assert!(student.fit.gradient_norm <= 1e-5);
        }
    }
}

#[test]
fn students_of_pairs_are_logistic_regressions_on_differences() {
    let golden = golden();
    assert_eq!(golden.pairs.len(), 4);
    for case in &golden.pairs {
        let (first, second) = (matrix(&case.first), matrix(&case.second));
        let bias = if case.biased { PositionBias::Fitted } else { PositionBias::None };
        let config =
            ProbeConfig { penalty: case.penalty, scaling: scaling(&case.scaling), ..ProbeConfig::default() };
        let preferences = columns(&case.problems);
        let students = fit_pairs(first.view(), second.view(), preferences.view(), bias, &config);
        for (student, expected) in students.into_iter().zip(&case.problems) {
            check(&case.name, &student.expect(&case.name), expected);
        }
    }
}
