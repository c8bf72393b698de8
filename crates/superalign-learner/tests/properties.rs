//! What must hold for any features and labels.

use ndarray::{Array1, Array2, Axis, array, concatenate, s};
use proptest::prelude::*;
use superalign_learner::loss::{harden, logconf, xent};
use superalign_learner::{LearnerError, Loss, Probe, ProbeConfig, Scaling, fit, fit_sweep, sweep_logits};

/// Features (n, d) and soft labels (n, problems), all of one size in a case.
fn data() -> impl Strategy<Value = (Array2<f32>, Array2<f64>)> {
    (8..60_usize, 1..12_usize, 1..6_usize).prop_flat_map(|(n, d, k)| {
        let x = prop::collection::vec(-3.0..3.0_f32, n * d)
            .prop_map(move |v| Array2::from_shape_fn((n, d), |(i, j)| v[i * d + j]));
        let y = prop::collection::vec(0.01..0.99_f64, n * k)
            .prop_map(move |v| Array2::from_shape_fn((n, k), |(i, j)| v[i * k + j]));
        (x, y)
    })
}

fn solved(x: &Array2<f32>, y: &Array2<f64>, config: &ProbeConfig) -> Vec<Probe> {
    fit_sweep(x.view(), y.view(), config)
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("soft labels have an optimum")
}

fn near(a: &Probe, b: &Probe, tolerance: f64) -> bool {
    let weights = a.weights.iter().zip(&b.weights).all(|(a, b)| (a - b).abs() < tolerance);
    weights && (a.intercept - b.intercept).abs() < tolerance
}

/// The gradient of the objective in the units of the features, straight from its definition.
fn gradient(x: &Array2<f32>, y: &Array1<f64>, probe: &Probe, penalty: f64) -> (Array1<f64>, f64) {
    let p = probe.probabilities(x.view()).expect("same columns");
    let residual = &p - y;
    let loss = x.mapv(f64::from).t().dot(&residual) * penalty;
    (&probe.weights + &loss, penalty * residual.sum())
}

fn normals(n: usize, d: usize) -> Array2<f32> {
    let mut rng = superalign_core::Seed::new(17).rng();
    use superalign_core::rand::RngExt as _;
    Array2::from_shape_simple_fn((n, d), || (0..6).map(|_| rng.random::<f32>() - 0.5).sum())
}

/// Problems whose labels follow different directions, some of them flipped.
fn many(x: &Array2<f32>, problems: usize) -> Array2<f64> {
    Array2::from_shape_fn((x.nrows(), problems), |(i, j)| {
        let z: f32 = x.row(i).iter().enumerate().map(|(c, v)| v * ((c * (j + 3)) % 5) as f32).sum();
        f64::from(u8::from((z > 4.0 * x[(i, 0)]) != ((i * 31 + j * 17) % 10 < j % 5)))
    })
}

const LOGCONF: Loss = Loss::LogConf { max_confidence: 0.5, warmup: 0.2 };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_gradient_vanishes((x, y) in data(), penalty in 0.01..10.0_f64) {
        let config = ProbeConfig { penalty, scaling: Scaling::None, ..ProbeConfig::default() };
        for (probe, y) in solved(&x, &y, &config).iter().zip(y.axis_iter(Axis(1))) {
            let (weights, intercept) = gradient(&x, &y.to_owned(), probe, penalty);
            // Features are centred in single precision, so the definition is met to that precision.
            let scale = penalty * x.len() as f64;
            prop_assert!(weights.iter().all(|g| g.abs() < 1e-4 + 1e-6 * scale), "{weights}");
            prop_assert!(intercept.abs() < 1e-4 + 1e-6 * scale, "{intercept}");
        }
    }

    #[test]
    fn a_sweep_is_its_problems_one_by_one((x, y) in data()) {
        let together = solved(&x, &y, &ProbeConfig::default());
        for (j, probe) in together.iter().enumerate() {
            let alone = fit(x.view(), y.column(j), &ProbeConfig::default()).expect("soft labels");
            prop_assert!(near(probe, &alone, 1e-4), "problem {}", j);
        }
    }

    #[test]
    fn the_order_of_rows_does_not_matter((x, y) in data()) {
        let order: Vec<usize> = (0..x.nrows()).rev().collect();
        let moved = solved(&x.select(Axis(0), &order), &y.select(Axis(0), &order), &ProbeConfig::default());
        for (a, b) in solved(&x, &y, &ProbeConfig::default()).iter().zip(&moved) {
            prop_assert!(near(a, b, 1e-4));
        }
    }

    #[test]
    fn flipped_labels_flip_the_student((x, y) in data()) {
        let flipped = solved(&x, &y.mapv(|y| 1.0 - y), &ProbeConfig::default());
        for (a, mut b) in solved(&x, &y, &ProbeConfig::default()).into_iter().zip(flipped) {
            b.weights.mapv_inplace(|w| -w);
            b.intercept = -b.intercept;
            prop_assert!(near(&a, &b, 1e-4));
        }
    }

    #[test]
    fn unit_variance_forgets_units((x, y) in data(), scale in 0.01..100.0_f32, shift in -10.0..10.0_f32) {
        let moved = x.mapv(|v| scale * v + shift);
        let (plain, moved) = (solved(&x, &y, &ProbeConfig::default()), solved(&moved, &y, &ProbeConfig::default()));
        for (a, b) in plain.iter().zip(&moved) {
            let (a, b) = (a.fit.objective, b.fit.objective);
            prop_assert!((a - b).abs() < 1e-3 * a.abs(), "{} {}", a, b);
        }
    }

    #[test]
    fn without_confidence_logconf_is_cross_entropy((x, y) in data()) {
        let config = ProbeConfig {
            loss: Loss::LogConf { max_confidence: 0.0, warmup: 0.2 },
            schedule_steps: 5,
            ..ProbeConfig::default()
        };
        for (a, b) in solved(&x, &y, &ProbeConfig::default()).iter().zip(&solved(&x, &y, &config)) {
            prop_assert!(near(a, b, 1e-4));
            let schedule = b.fit.schedule.expect("logconf has a schedule");
            prop_assert!(schedule.reached_fixed_point() && schedule.rounds == 1 && schedule.steps == 5);
        }
    }
}

#[test]
fn logconf_ends_where_the_student_agrees_with_its_targets() {
    let x = normals(300, 10);
    let y = many(&x, 7).mapv(|y| 0.15 + 0.7 * y);
    let config = ProbeConfig { loss: LOGCONF, ..ProbeConfig::default() };
    let plain = solved(&x, &y, &ProbeConfig::default());
    for (j, probe) in solved(&x, &y, &config).iter().enumerate() {
        let schedule = probe.fit.schedule.expect("logconf has a schedule");
        assert!(schedule.reached_fixed_point(), "problem {j}: {schedule:?}");
        // Refitting to the blend of its own hardened predictions gives the student back.
        let (logits, labels) = (probe.logits(x.view()).expect("columns").to_vec(), y.column(j).to_vec());
        let hardened = harden(&logits, &labels).expect("valid").positive;
        let blended: Array1<f64> =
            labels.iter().zip(&hardened).map(|(y, &h)| 0.5 * y + 0.5 * f64::from(u8::from(h))).collect();
        let refitted = fit(x.view(), blended.view(), &ProbeConfig::default()).expect("an optimum");
        assert!(near(probe, &refitted, 1e-4), "problem {j}");
        // And it is surer of itself than the student that takes the weak labels as they are.
        let own = logconf(&logits, &labels, 0.5).expect("valid");
        let other =
            logconf(&plain[j].logits(x.view()).expect("columns").to_vec(), &labels, 0.5).expect("valid");
        assert!(own < other, "problem {j}: {own} {other}");
        assert!(xent(&logits, &labels).expect("valid") > 0.0);
    }
}

#[test]
fn more_problems_than_a_group_keep_their_order_and_their_errors() {
    let x = normals(120, 6);
    let mut y = many(&x, 150);
    y.column_mut(3).fill(1.0);
    y[(7, 149)] = 1.5;
    let probes = fit_sweep(x.view(), y.view(), &ProbeConfig::default());
    assert_eq!(probes.len(), 150);
    assert_eq!(probes[3], Err(LearnerError::OneClass { problem: 3, value: 1, rows: 120 }));
    assert_eq!(probes[149], Err(LearnerError::Label { row: 7, problem: 149, value: 1.5 }));
    for j in [0, 64, 100, 148] {
        let alone = fit(x.view(), y.column(j), &ProbeConfig::default()).expect("both classes");
        assert!(near(probes[j].as_ref().expect("both classes"), &alone, 1e-4), "problem {j}");
    }
    let good: Vec<&Probe> = probes.iter().flatten().collect();
    let logits = sweep_logits(x.view(), &good).expect("same columns");
    let one = good[5].logits(x.view()).expect("same columns");
    assert!(logits.column(5).iter().zip(&one).all(|(a, b)| (a - b).abs() < 1e-12));
}

#[test]
fn soft_labels_that_are_all_alike_have_an_intercept_only() {
    let x = normals(50, 3);
    let probe =
        fit(x.view(), Array1::from_elem(50, 0.8).view(), &ProbeConfig::default()).expect("finite optimum");
    assert!(probe.weights.iter().all(|w| w.abs() < 1e-6));
    assert!((probe.intercept - 4.0_f64.ln()).abs() < 1e-6);
}

#[test]
fn separable_labels_with_hardly_any_penalty_still_have_an_optimum() {
    let x = array![[-2.0_f32], [-1.0], [1.0], [2.0]];
    let config = ProbeConfig { penalty: 1e6, ..ProbeConfig::default() };
    let probe = fit(x.view(), array![0.0, 0.0, 1.0, 1.0].view(), &config).expect("penalised");
    assert!(probe.weights[0] > 5.0 && probe.fit.gradient_norm <= 1e-5);
}

#[test]
fn unconverged_problems_are_errors_with_their_norm() {
    let x = normals(100, 20);
    let config = ProbeConfig { max_iterations: 2, ..ProbeConfig::default() };
    let error = fit(x.view(), many(&x, 1).column(0), &config).expect_err("two passes are too few");
    assert!(
        matches!(error, LearnerError::NotConverged { gradient_norm, .. } if gradient_norm > 1e-5),
        "{error}"
    );
}

#[test]
fn errors_say_where_and_what() {
    let x = normals(30, 4);
    let y = many(&x, 1);
    let config = ProbeConfig::default();
    let mut bad = x.clone();
    bad[(4, 2)] = f32::NAN;
    let huge = x.mapv(|v| v * 1e30);
    let plain = ProbeConfig { scaling: Scaling::None, ..config };
    let ask = |x: &Array2<f32>, y: &Array2<f64>, config: &ProbeConfig| {
        fit_sweep(x.view(), y.view(), config).remove(0).map(|_| ()).expect_err("refused").to_string()
    };
    let messages = [
        ask(&bad, &y, &config),
        ask(&x, &y.slice(s![..20, ..]).to_owned(), &config),
        ask(&x.slice(s![..1, ..]).to_owned(), &y.slice(s![..1, ..]).to_owned(), &config),
        ask(&x.slice(s![.., ..0]).to_owned(), &y, &config),
        ask(&x, &Array2::zeros((30, 1)), &config),
        ask(&x, &Array2::from_elem((30, 1), f64::NAN), &config),
        ask(&x, &y, &ProbeConfig { penalty: -1.0, ..config }),
        ask(&huge, &y, &plain).split(" (").next().unwrap_or_default().to_owned(),
        Probe::new(vec![1.0], 0.0).logits(x.view()).expect_err("columns").to_string(),
        Probe::new(vec![1.0; 4], 0.0).accuracy(x.view(), &[true]).expect_err("rows").to_string(),
    ];
    insta::assert_snapshot!(messages.join("\n"), @r"
    features: row 4, column 2 is NaN; expected a finite number: drop the row, or see why the encoder overflowed
    labels: expected 30 rows, as many as there are features, found 20
    features: expected at least 2 rows, found 1
    features: expected at least one column, found none
    labels: problem 0 has the label 0 on all 30 rows, so the best intercept is infinite; expected both classes, or soft labels
    labels: row 0, problem 0 is NaN; expected a probability in [0, 1]
    penalty = -1: expected a finite number above 0
    features: their products overflow single precision
    features: expected 1 columns, as many as the student was trained on, found 4
    labels: expected 30 rows, as many as there are features, found 1
    ");
    assert!(fit(huge.view(), y.column(0), &config).is_ok(), "unit variance copes");
}

#[test]
fn rows_that_are_not_contiguous_are_read_alike() {
    let x = normals(40, 5);
    let y = many(&x, 3);
    let wide = concatenate(Axis(1), &[x.view(), x.view()]).expect("same rows");
    let columns = wide.slice(s![.., ..5]);
    let transposed = x.t().to_owned();
    let expected = fit_sweep(x.view(), y.view(), &ProbeConfig::default());
    assert_eq!(fit_sweep(columns, y.view(), &ProbeConfig::default()), expected);
    assert_eq!(fit_sweep(transposed.t(), y.view(), &ProbeConfig::default()), expected);
}

#[cfg(feature = "rayon")]
#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let x = normals(1500, 80);
    let y = many(&x, 70);
    for loss in [Loss::CrossEntropy, LOGCONF] {
        let config = ProbeConfig { loss, schedule_steps: 5, ..ProbeConfig::default() };
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| fit_sweep(x.view(), y.view(), &config))
        };
        let one = on(1);
        assert!(one.iter().all(Result::is_ok));
        for threads in [2, 4] {
            assert_eq!(on(threads), one, "{threads} threads");
        }
    }
}
