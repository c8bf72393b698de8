//! What must hold for students of several classes and of pairs.

use ndarray::{Array2, ArrayView2, Axis, s};
use proptest::prelude::*;
use superalign_learner::{ClassConfig, ClassProbe, LearnerError, PositionBias, Probe, ProbeConfig, Scaling};
use superalign_learner::{fit, fit_classes, fit_pairs, fit_sweep, pair_logits};

fn matrix(rows: usize, columns: usize, limit: f32) -> impl Strategy<Value = Array2<f32>> {
    prop::collection::vec(-limit..limit, rows * columns)
        .prop_map(move |v| Array2::from_shape_fn((rows, columns), |(i, j)| v[i * columns + j]))
}

/// Features (n, d) and soft labels (n, k) of two problems.
fn classes() -> impl Strategy<Value = (Array2<f32>, [Array2<f64>; 2])> {
    (8..50_usize, 1..10_usize, 2..6_usize).prop_flat_map(|(n, d, k)| {
        let labels = move || matrix(n, k, 2.0).prop_map(|z| shares(&z));
        (matrix(n, d, 3.0), [labels(), labels()])
    })
}

/// Features of both items of pairs (n, d) and soft preferences (n, problems).
fn pairs() -> impl Strategy<Value = (Array2<f32>, Array2<f32>, Array2<f64>)> {
    (8..50_usize, 1..10_usize, 1..5_usize).prop_flat_map(|(n, d, k)| {
        let preferences = matrix(n, k, 4.0).prop_map(|z| z.mapv(|z| 1.0 / (1.0 + f64::from(-z).exp())));
        (matrix(n, d, 3.0), matrix(n, d, 3.0), preferences)
    })
}

fn shares(logits: &Array2<f32>) -> Array2<f64> {
    let mut p = logits.mapv(|z| f64::from(z).exp());
    for mut row in p.outer_iter_mut() {
        let sum = row.sum();
        row /= sum;
    }
    p
}

fn students(x: &Array2<f32>, labels: &[ArrayView2<'_, f64>], config: &ClassConfig) -> Vec<ClassProbe> {
    fit_classes(x.view(), labels, config)
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("soft labels have an optimum")
}

fn student(x: &Array2<f32>, labels: &Array2<f64>) -> ClassProbe {
    students(x, &[labels.view()], &ClassConfig::default()).remove(0)
}

fn judges(
    first: &Array2<f32>,
    second: &Array2<f32>,
    preferences: &Array2<f64>,
    bias: PositionBias,
) -> Vec<Probe> {
    fit_pairs(first.view(), second.view(), preferences.view(), bias, &ProbeConfig::default())
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("soft preferences have an optimum")
}

fn alike<'a>(
    a: impl IntoIterator<Item = &'a f64>,
    b: impl IntoIterator<Item = &'a f64>,
    tolerance: f64,
) -> bool {
    a.into_iter().zip(b).all(|(a, b)| (a - b).abs() < tolerance)
}

/// Sources of numbers that are the same in every run.
fn normals(n: usize, d: usize) -> Array2<f32> {
    use superalign_core::rand::RngExt as _;
    let mut rng = superalign_core::Seed::new(23).rng();
    Array2::from_shape_simple_fn((n, d), || (0..6).map(|_| rng.random::<f32>() - 0.5).sum())
}

/// Hard labels of k classes.
fn hard(x: &Array2<f32>, k: usize, problem: usize) -> Array2<f64> {
    let mut y = Array2::zeros((x.nrows(), k));
    for (i, row) in x.outer_iter().enumerate() {
        let score: f32 = row.iter().enumerate().map(|(c, v)| v * ((c * (problem + 3)) % 5) as f32).sum();
        let class =
            if (i + problem).is_multiple_of(4) { (i / 4) % k } else { (score.abs() * 2.0) as usize % k };
        y[(i, class)] = 1.0;
    }
    y
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_gradient_of_the_classes_vanishes((x, [y, _]) in classes(), penalty in 0.01..10.0_f64) {
        let config = ClassConfig { penalty, scaling: Scaling::None, ..ClassConfig::default() };
        let found = students(&x, &[y.view()], &config).remove(0);
        let p = found.probabilities(x.view()).expect("same columns");
        prop_assert!(p.outer_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12));
        let residual = &p - &y;
        let weights = &found.weights + &(residual.t().dot(&x.mapv(f64::from)) * penalty);
        let scale = penalty * x.len() as f64;
        prop_assert!(weights.iter().all(|g| g.abs() < 1e-4 + 1e-6 * scale), "{weights}");
        let intercepts = residual.sum_axis(Axis(0)) * penalty;
        prop_assert!(intercepts.iter().all(|g| g.abs() < 1e-4 + 1e-6 * scale), "{intercepts}");
    }

    #[test]
    fn two_classes_are_a_probe_with_half_the_penalty((x, [y, _]) in classes()) {
        let two = y.slice(s![.., ..2]).to_owned();
        let sums = two.sum_axis(Axis(1)).insert_axis(Axis(1));
        let two = two / &sums;
        let found = student(&x, &two);
        let config = ProbeConfig { penalty: 2.0, ..ProbeConfig::default() };
        let probe = fit(x.view(), two.column(1), &config).expect("soft labels");
        let weights = &found.weights.row(1) - &found.weights.row(0);
        prop_assert!(alike(&weights, &probe.weights, 1e-4));
        prop_assert!((found.intercepts[1] - found.intercepts[0] - probe.intercept).abs() < 1e-4);
    }

    #[test]
    fn other_names_of_the_classes_move_the_rows((x, [y, _]) in classes()) {
        let order: Vec<usize> = (0..y.ncols()).rev().collect();
        let (plain, moved) = (student(&x, &y), student(&x, &y.select(Axis(1), &order)));
        prop_assert!(alike(&plain.weights.select(Axis(0), &order), &moved.weights, 1e-4));
        prop_assert!(alike(&plain.intercepts.select(Axis(0), &order), &moved.intercepts, 1e-4));
        prop_assert!(plain.intercepts.sum().abs() < 1e-9);
        prop_assert!(plain.weights.sum_axis(Axis(0)).iter().all(|w| w.abs() < 1e-4));
    }

    #[test]
    fn problems_of_several_classes_are_solved_one_by_one_alike((x, [y, z]) in classes()) {
        let two = Array2::from_shape_fn((x.nrows(), 2), |(i, c)| if c == 0 { y[(i, 0)] } else { 1.0 - y[(i, 0)] });
        let config = ClassConfig::default();
        let together = students(&x, &[y.view(), two.view(), z.view()], &config);
        for (together, labels) in together.iter().zip([&y, &two, &z]) {
            let alone = student(&x, labels);
            prop_assert!(alike(&together.weights, &alone.weights, 1e-4));
            prop_assert!(alike(&together.intercepts, &alone.intercepts, 1e-4));
        }
    }

    #[test]
    fn a_swap_of_pairs_changes_nothing((first, second, y) in pairs()) {
        for bias in [PositionBias::None, PositionBias::Fitted] {
            let plain = judges(&first, &second, &y, bias);
            let swapped = judges(&second, &first, &y.mapv(|y| 1.0 - y), bias);
            for (a, b) in plain.iter().zip(&swapped) {
                prop_assert!(alike(&a.weights, &b.weights, 1e-4));
                prop_assert!((a.intercept + b.intercept).abs() < 1e-4);
                prop_assert!(bias == PositionBias::Fitted || a.intercept == 0.0);
            }
        }
    }

    #[test]
    fn a_swap_of_some_pairs_changes_nothing((mut first, mut second, mut y) in pairs()) {
        let plain = judges(&first, &second, &y, PositionBias::None);
        for i in (0..first.nrows()).step_by(3) {
            let row = first.row(i).to_owned();
            first.row_mut(i).assign(&second.row(i));
            second.row_mut(i).assign(&row);
            y.row_mut(i).mapv_inplace(|y| 1.0 - y);
        }
        for (a, b) in plain.iter().zip(&judges(&first, &second, &y, PositionBias::None)) {
            prop_assert!(alike(&a.weights, &b.weights, 1e-4));
        }
    }

    #[test]
    fn pairs_doubled_with_their_mirror_are_a_probe_on_differences((first, second, y) in pairs()) {
        // Mirrored pairs force an intercept of 0 and a mean of 0 on a probe that fits both.
        let differences = &first - &second;
        let x = ndarray::concatenate(Axis(0), &[differences.view(), differences.mapv(|v| -v).view()])
            .expect("same columns");
        let labels = ndarray::concatenate(Axis(0), &[y.view(), y.mapv(|y| 1.0 - y).view()]).expect("same columns");
        let config = ProbeConfig { penalty: 0.5, ..ProbeConfig::default() };
        let probes = fit_sweep(x.view(), labels.view(), &config);
        for (judge, probe) in judges(&first, &second, &y, PositionBias::None).iter().zip(probes) {
            let probe = probe.expect("soft labels");
            prop_assert!(alike(&judge.weights, &probe.weights, 1e-4));
            prop_assert!(probe.intercept.abs() < 1e-4);
        }
    }
}

#[test]
fn a_preference_for_a_place_is_told_from_the_items() {
    let (first, second) = (normals(2000, 3), normals(2000, 4).slice(s![.., 1..]).to_owned());
    let difference = &first - &second;
    let preferences = difference.map_axis(Axis(1), |d| {
        let z = 2.0 * f64::from(d[0]) - f64::from(d[2]) + 1.0;
        1.0 / (1.0 + (-z).exp())
    });
    let config = ProbeConfig { penalty: 100.0, scaling: Scaling::None, ..ProbeConfig::default() };
    let preferences = preferences.insert_axis(Axis(1));
    let ask = |bias| fit_pairs(first.view(), second.view(), preferences.view(), bias, &config).remove(0);
    let judge = ask(PositionBias::Fitted).expect("an optimum");
    assert!((judge.intercept - 1.0).abs() < 0.01 && (judge.weights[0] - 2.0).abs() < 0.02, "{judge:?}");
    let logits = pair_logits(&judge, first.view(), second.view()).expect("same columns");
    let expected = difference.row(7).iter().zip(&judge.weights).map(|(d, w)| f64::from(*d) * w).sum::<f64>();
    assert!((logits[7] - expected - judge.intercept).abs() < 1e-6);
    assert!(ask(PositionBias::None).expect("an optimum").intercept == 0.0);
}

#[test]
fn preferences_that_are_all_for_the_first_have_an_optimum_without_a_bias() {
    let (first, second) = (normals(60, 4).mapv(|v| v + 0.2), normals(60, 5).slice(s![.., 1..]).to_owned());
    let all = Array2::ones((60, 1));
    let config = ProbeConfig::default();
    let judge = fit_pairs(first.view(), second.view(), all.view(), PositionBias::None, &config).remove(0);
    assert!(judge.expect("penalised").fit.gradient_norm <= 1e-5);
    let biased = fit_pairs(first.view(), second.view(), all.view(), PositionBias::Fitted, &config).remove(0);
    assert_eq!(biased, Err(LearnerError::OneClass { problem: 0, value: 1, rows: 60 }));
}

#[test]
fn more_classes_than_a_group_keep_their_order_and_their_errors() {
    let x = normals(200, 6);
    let labels: Vec<Array2<f64>> = (0..30).map(|j| hard(&x, 3 + j % 4, j)).collect();
    let mut views: Vec<_> = labels.iter().map(|y| y.view()).collect();
    let short = labels[4].slice(s![..100, ..]).to_owned();
    views[4] = short.view();
    let found = fit_classes(x.view(), &views, &ClassConfig::default());
    assert_eq!(found.len(), 30);
    for (j, found) in found.into_iter().enumerate() {
        if j == 4 {
            assert!(matches!(found, Err(LearnerError::Rows { found: 100, .. })));
            continue;
        }
        let (found, alone) = (found.expect("labels of all classes"), student(&x, &labels[j]));
        assert!(alike(&found.weights, &alone.weights, 1e-4), "problem {j}");
        assert_eq!(found.weights.dim(), (3 + j % 4, 6));
    }
}

#[test]
fn errors_say_where_and_what() {
    let x = normals(30, 4);
    let y = hard(&x, 3, 0);
    let config = ClassConfig::default();
    let ask = |y: &Array2<f64>, config: &ClassConfig| {
        fit_classes(x.view(), &[y.view()], config).remove(0).map(|_| ()).expect_err("refused").to_string()
    };
    let with = |row: usize, class: usize, value: f64| {
        let mut y = y.clone();
        y[(row, class)] = value;
        y
    };
    let mut empty = y.clone();
    for mut row in empty.outer_iter_mut() {
        row[0] += row[2];
        row[2] = 0.0;
    }
    let pair = |second: ArrayView2<'_, f32>, y: ArrayView2<'_, f64>| {
        let config = ProbeConfig::default();
        let found = fit_pairs(x.view(), second, y, PositionBias::None, &config).remove(0);
        found.map(|_| ()).expect_err("refused").to_string()
    };
    let probe = ClassProbe::new(Array2::zeros((3, 4)), ndarray::Array1::zeros(3));
    let messages = [
        ask(&y.slice(s![..20, ..]).to_owned(), &config),
        ask(&y.slice(s![.., ..1]).to_owned(), &config),
        ask(&with(3, 1, 1.5), &config),
        ask(&(&y * 0.25), &config),
        ask(&empty, &config),
        ask(&y, &ClassConfig { penalty: 0.0, ..config }),
        ask(&y, &ClassConfig { max_iterations: 1, ..config })
            .split(" is ")
            .next()
            .unwrap_or_default()
            .to_owned(),
        probe.logits(x.slice(s![.., ..2])).expect_err("columns").to_string(),
        probe.accuracy(x.view(), &[0]).expect_err("rows").to_string(),
        pair(x.slice(s![..20, ..]), y.view()),
        pair(x.slice(s![.., ..2]), y.view()),
        pair(x.view(), y.slice(s![..20, ..])),
        pair(x.mapv(|v| v / 0.0).view(), y.view()).split(" is ").next().unwrap_or_default().to_owned(),
    ];
    insta::assert_snapshot!(messages.join("\n"), @r"
    labels: expected 30 rows, as many as there are features, found 20
    labels: problem 0 has 1 classes; expected at least 2, one column each
    labels: row 3, problem 0 is 1.5; expected a probability in [0, 1]
    labels: row 0, problem 0: the class probabilities sum to 0.25; expected 1
    labels: problem 0, class 2 has probability 0 on all 30 rows, so its best intercept is infinite; drop the class, or use soft labels
    penalty = 0: expected a finite number above 0
    problem 0: after 2 iterations the gradient norm
    features: expected 4 columns, as many as the student was trained on, found 2
    labels: expected 30 rows, as many as there are features, found 1
    second items: expected 30 rows, as many as there are first items, found 20
    second items: expected 4 columns, as many as the first items have, found 2
    preferences: expected 30 rows, as many as there are pairs, found 20
    features: row 0, column 0
    ");
}

#[cfg(feature = "rayon")]
#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let x = normals(1500, 80);
    let labels: Vec<Array2<f64>> = (0..12).map(|j| hard(&x, 3 + j % 5, j)).collect();
    let views: Vec<_> = labels.iter().map(|y| y.view()).collect();
    let second = x.slice(s![..;-1, ..]).to_owned();
    let preferences = Array2::from_shape_fn((1500, 20), |(i, j)| ((i * 7 + j * 3) % 11) as f64 / 10.0);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let classes = fit_classes(x.view(), &views, &ClassConfig::default());
            let ask =
                |bias| fit_pairs(x.view(), second.view(), preferences.view(), bias, &ProbeConfig::default());
            (classes, ask(PositionBias::None), ask(PositionBias::Fitted))
        })
    };
    let one = on(1);
    assert!(one.0.iter().all(Result::is_ok) && one.1.iter().chain(&one.2).all(Result::is_ok));
    for threads in [2, 4] {
        assert!(on(threads) == one, "{threads} threads");
    }
}
