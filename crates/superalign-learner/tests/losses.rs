//! The losses against PyTorch and cleanlab (`golden/losses.json`, written by `golden/losses.py`), what must hold for
//! any batch, and what sweeps under each of them reach.

use ndarray::{Array1, Array2, Axis};
use proptest::prelude::*;
use serde::Deserialize;
use superalign_core::Seed;
use superalign_learner::loss::prune;
use superalign_learner::{LearnerError, Loss, Probe, ProbeConfig, Scaling, fit, fit_sweep};

#[derive(Deserialize)]
struct Golden {
    logits: Vec<f64>,
    labels: Vec<f64>,
    cases: Vec<Case>,
    prunings: Vec<Pruning>,
}

#[derive(Deserialize)]
struct Case {
    loss: String,
    parameters: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

#[derive(Deserialize)]
struct Pruning {
    probabilities: Vec<f64>,
    labels: Vec<f64>,
    pruned: Vec<usize>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/losses.json")).expect("golden file")
}

/// The loss of a name with the parameters of a golden case.
fn with(name: &str, parameters: &[f64]) -> Loss {
    match (Loss::named(name).expect("a name"), parameters) {
        (loss @ (Loss::CrossEntropy | Loss::Kl), []) => loss,
        (Loss::LogConf { warmup, .. }, &[max_confidence]) => Loss::LogConf { max_confidence, warmup },
        (Loss::Product { .. }, &[label_power, own_power]) => Loss::Product { label_power, own_power },
        (Loss::Entropy { warmup, .. }, &[max_confidence]) => Loss::Entropy { max_confidence, warmup },
        (Loss::Window { .. }, &[radius]) => Loss::Window { radius },
        (Loss::Gce { .. }, &[q]) => Loss::Gce { q },
        (Loss::BootstrapSoft { .. }, &[trust]) => Loss::BootstrapSoft { trust },
        (Loss::BootstrapHard { .. }, &[trust]) => Loss::BootstrapHard { trust },
        (Loss::SmallLoss { warmup, .. }, &[noise]) => Loss::SmallLoss { noise, warmup },
        (Loss::LabelSmoothing { .. }, &[smoothing]) => Loss::LabelSmoothing { smoothing },
        (Loss::AdaptConf { warmup, .. }, &[temperature]) => Loss::AdaptConf { temperature, warmup },
        other => panic!("no golden case is like {other:?}"),
    }
}

fn all() -> Vec<Loss> {
    Loss::NAMES.iter().map(|name| Loss::named(name).expect("a name")).collect()
}

#[test]
fn values_and_gradients_are_those_of_pytorch() {
    let golden = golden();
    assert_eq!(golden.cases.len(), 20);
    for case in &golden.cases {
        let batch = with(&case.loss, &case.parameters).batch(&golden.logits, &golden.labels, 1.0);
        let batch = batch.expect("valid");
        let label = format!("{} {:?}", case.loss, case.parameters);
        assert!((batch.value - case.value).abs() < 1e-12, "{label}: {} {}", batch.value, case.value);
        assert_eq!(batch.gradient.len(), case.gradient.len());
        for (i, (a, b)) in batch.gradient.iter().zip(&case.gradient).enumerate() {
            assert!((a - b).abs() < 1e-14, "{label}: item {i}: {a} {b}");
        }
    }
}

#[test]
fn what_is_pruned_is_what_cleanlab_prunes() {
    let golden = golden();
    assert_eq!(golden.prunings.len(), 4);
    for case in &golden.prunings {
        let pruned = prune(&case.probabilities, &case.labels).expect("valid");
        let rows: Vec<usize> = (0..pruned.len()).filter(|&i| pruned[i]).collect();
        assert_eq!(rows, case.pruned);
    }
}

/// Logits and soft labels.
fn batch() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    (2..40_usize).prop_flat_map(|n| {
        (prop::collection::vec(-6.0..6.0_f64, n), prop::collection::vec(0.01..0.99_f64, n))
    })
}

/// Parameters at which a loss is cross-entropy.
fn limits() -> [Loss; 12] {
    [
        Loss::Kl,
        Loss::LogConf { max_confidence: 0.0, warmup: 0.2 },
        Loss::Product { label_power: 1.0, own_power: 0.0 },
        Loss::Entropy { max_confidence: 0.0, warmup: 0.2 },
        Loss::Window { radius: 0.6 },
        Loss::Gce { q: 1e-10 },
        Loss::BootstrapSoft { trust: 1.0 },
        Loss::BootstrapHard { trust: 1.0 },
        Loss::SmallLoss { noise: 0.0, warmup: 0.2 },
        Loss::LabelSmoothing { smoothing: 0.0 },
        Loss::ConfidentLearning { folds: 2, seed: Seed::new(1) },
        // As good as infinite: no share is left only at the start of the warm-up, see below.
        Loss::AdaptConf { temperature: 1.0, warmup: 1.0 },
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn at_its_limit_every_loss_is_cross_entropy((z, y) in batch()) {
        let expected = Loss::CrossEntropy.batch(&z, &y, 0.0).expect("valid");
        let entropy: f64 = y.iter().map(|y| -y * y.ln() - (1.0 - y) * (1.0 - y).ln()).sum();
        for loss in limits() {
            // At the start adaptconf's shares are 0.
            let progress = if let Loss::AdaptConf { .. } = loss { 0.0 } else { 1.0 };
            let found = loss.batch(&z, &y, progress).expect("valid");
            let less = if loss == Loss::Kl { entropy / z.len() as f64 } else { 0.0 };
            prop_assert!((found.value + less - expected.value).abs() < 1e-8, "{loss:?}: {}", found.value);
            let off = found.gradient.iter().zip(&expected.gradient).map(|(a, b)| (a - b).abs());
            prop_assert!(off.fold(0.0, f64::max) < 1e-8, "{loss:?}");
        }
    }

    #[test]
    fn relabelling_the_classes_changes_no_value((z, y) in batch(), progress in 0.0..1.0_f64) {
        let (other_z, other_y): (Vec<f64>, Vec<f64>) = z.iter().zip(&y).map(|(z, y)| (-z, 1.0 - y)).unzip();
        // The quantile of logconf breaks ties towards class 0.
        let position = (z.len() - 1) as f64 * y.iter().sum::<f64>() / y.len() as f64;
        let tied = (position - position.round()).abs() < 1e-9;
        for loss in all() {
            if tied && loss.name() == "logconf" {
                continue;
            }
            let (a, b) = (loss.batch(&z, &y, progress), loss.batch(&other_z, &other_y, progress));
            let (a, b) = (a.expect("valid"), b.expect("valid"));
            prop_assert!((a.value - b.value).abs() < 1e-12, "{loss:?}: {} {}", a.value, b.value);
            let off = a.gradient.iter().zip(&b.gradient).map(|(a, b)| (a + b).abs());
            prop_assert!(off.fold(0.0, f64::max) < 1e-12, "{loss:?}");
        }
    }

    #[test]
    fn gradients_are_those_of_the_values((z, y) in batch(), progress in 0.0..1.0_f64) {
        const STEP: f64 = 1e-5;
        // Where nothing is detached, or what is detached is constant between jumps.
        let names = ["xent", "kl", "window", "gce", "bootstrap-soft", "bootstrap-hard", "small-loss",
            "confident-learning", "label-smoothing"];
        for loss in names.map(|name| Loss::named(name).expect("a name")) {
            let gradient = loss.batch(&z, &y, progress).expect("valid").gradient;
            for i in 0..z.len() {
                let mut moved = z.clone();
                moved[i] = z[i] + STEP;
                let after = loss.batch(&moved, &y, progress).expect("valid");
                moved[i] = z[i] - STEP;
                let before = loss.batch(&moved, &y, progress).expect("valid");
                let slope = (after.value - before.value) / (2.0 * STEP);
                // A jump within the step says nothing of the gradient.
                let jumped = (after.gradient[i] - before.gradient[i]).abs() > 1e-4;
                prop_assert!(jumped || (slope - gradient[i]).abs() < 1e-7, "{loss:?}: {slope} {}", gradient[i]);
            }
        }
    }

    #[test]
    fn gradients_follow_from_targets_and_weights((z, y) in batch(), progress in 0.0..1.0_f64) {
        for loss in all() {
            let gradient = loss.batch(&z, &y, progress).expect("valid").gradient;
            let terms = loss.terms(&z, &y, progress).expect("valid");
            for i in 0..z.len() {
                let p = 1.0 / (1.0 + (-z[i]).exp());
                let (t, w) = (terms.targets[i], terms.weights[i]);
                prop_assert!((w * (p - t) / z.len() as f64 - gradient[i]).abs() < 1e-14, "{loss:?}");
                prop_assert!((-0.01..=1.01).contains(&t) && (0.0..=1.0).contains(&w), "{loss:?}: {t} {w}");
            }
        }
    }
}

/// Features of 8 columns, the truth, which is linear in them, and labels of which a share is wrong.
struct Planted {
    x: Array2<f32>,
    truth: Vec<bool>,
    labels: Array1<f64>,
    flipped: Vec<bool>,
}

fn planted(n: usize, noise: f64, seed: u64) -> Planted {
    let mut rng = Seed::new(seed).rng();
    let x: Array2<f32> =
        Array2::from_shape_simple_fn((n, 8), || (0..6).map(|_| rng.random::<f32>() - 0.5).sum());
    let truth: Vec<bool> = x
        .outer_iter()
        .map(|row| row[0] - row[1] + 0.5 * row[2] + 0.1 * (rng.random::<f32>() - 0.5) > 0.0)
        .collect();
    let flipped: Vec<bool> = (0..n).map(|_| rng.random::<f64>() < noise).collect();
    let labels = truth.iter().zip(&flipped).map(|(t, f)| f64::from(u8::from(t != f))).collect();
    Planted { x, truth, labels, flipped }
}

fn trained(data: &Planted, loss: Loss) -> Probe {
    let config = ProbeConfig { loss, ..ProbeConfig::default() };
    fit(data.x.view(), data.labels.view(), &config).unwrap_or_else(|e| panic!("{loss:?}: {e}"))
}

#[test]
fn students_see_through_planted_noise_under_every_loss() {
    for (noise, seed) in [(0.2, 1), (0.3, 2)] {
        let (train, test) = (planted(400, noise, seed), planted(1000, 0.0, seed + 10));
        for loss in all() {
            let probe = trained(&train, loss);
            let accuracy = probe.accuracy(test.x.view(), &test.truth).expect("columns");
            assert!(accuracy > 0.85, "{loss:?} at {noise}: {accuracy}");
        }
    }
}

#[test]
fn what_selection_leaves_out_is_mostly_wrong() {
    for (noise, seed) in [(0.2, 3), (0.3, 4)] {
        let data = planted(600, noise, seed);
        let wrong = data.flipped.iter().filter(|f| **f).count();
        let loss = Loss::SmallLoss { noise: wrong as f64 / 600.0, warmup: 0.2 };
        let probe = trained(&data, loss);
        let logits = probe.logits(data.x.view()).expect("columns").to_vec();
        let weights = loss.terms(&logits, &data.labels.to_vec(), 1.0).expect("valid").weights;
        let out: Vec<usize> = (0..600).filter(|&i| weights[i] == 0.0).collect();
        let caught = out.iter().filter(|&&i| data.flipped[i]).count();
        assert_eq!(out.len(), wrong);
        assert!(caught as f64 > 0.8 * wrong as f64, "{caught} of {wrong} at {noise}");
        // Out of sample, confident learning finds them too.
        let half = |even: bool| -> Vec<usize> { (0..600).filter(|i| (i % 2 == 0) == even).collect() };
        let mut probabilities = vec![0.0; 600];
        for (from, to) in [(half(true), half(false)), (half(false), half(true))] {
            let (x, y) = (data.x.select(Axis(0), &from), data.labels.select(Axis(0), &from));
            let student = fit(x.view(), y.view(), &ProbeConfig::default()).expect("both classes");
            let p = student.probabilities(data.x.select(Axis(0), &to).view()).expect("columns");
            to.iter().zip(p).for_each(|(&row, p)| probabilities[row] = p);
        }
        let pruned = prune(&probabilities, &data.labels.to_vec()).expect("valid");
        let hits = pruned.iter().zip(&data.flipped).filter(|(p, f)| **p && **f).count();
        let total = pruned.iter().filter(|p| **p).count();
        assert!(
            hits as f64 > 0.7 * total as f64 && hits as f64 > 0.6 * wrong as f64,
            "{hits} {total} {wrong}"
        );
    }
}

/// The gradient of the objective under a loss, straight from its definition, with features as they are.
fn gradient(data: &Planted, y: &Array1<f64>, probe: &Probe, loss: Loss, penalty: f64) -> f64 {
    let logits = probe.logits(data.x.view()).expect("columns").to_vec();
    let batch = loss.batch(&logits, &y.to_vec(), 1.0).expect("valid");
    let scale = penalty * logits.len() as f64;
    let pull = Array1::from(batch.gradient) * scale;
    let weights = &probe.weights + &data.x.mapv(f64::from).t().dot(&pull);
    (weights.dot(&weights) + pull.sum().powi(2)).sqrt()
}

#[test]
fn fixed_points_have_no_gradient_and_the_objective_is_that_of_the_loss() {
    let data = planted(300, 0.25, 5);
    let soft = data.labels.mapv(|y| 0.15 + 0.7 * y);
    for loss in all() {
        let config = ProbeConfig { loss, scaling: Scaling::None, penalty: 0.5, ..ProbeConfig::default() };
        let probe = fit(data.x.view(), soft.view(), &config).unwrap_or_else(|e| panic!("{loss:?}: {e}"));
        eprintln!("{loss:?}: {:?}", probe.fit);
        if loss.name() == "confident-learning" {
            continue;
        }
        let found = gradient(&data, &soft, &probe, loss, 0.5);
        let fixed = probe.fit.schedule.is_none_or(|s| s.reached_fixed_point());
        assert_eq!(found < 1e-3, fixed, "{loss:?}: gradient {found}, {:?}", probe.fit);
        let logits = probe.logits(data.x.view()).expect("columns").to_vec();
        let value = loss.batch(&logits, &soft.to_vec(), 1.0).expect("valid").value;
        let objective = 0.5 * probe.weights.dot(&probe.weights) + 0.5 * 300.0 * value;
        if fixed {
            assert!((objective - probe.fit.objective).abs() < 1e-4 * objective, "{loss:?}");
        }
    }
}

#[test]
fn at_its_limit_every_loss_has_the_student_of_cross_entropy() {
    let mut data = planted(200, 0.2, 6);
    data.labels.mapv_inplace(|y| 0.1 + 0.8 * y);
    let plain = trained(&data, Loss::CrossEntropy);
    for loss in limits() {
        if matches!(loss, Loss::AdaptConf { .. } | Loss::ConfidentLearning { .. }) {
            continue;
        }
        let probe = trained(&data, loss);
        let off = (&probe.weights - &plain.weights).mapv(f64::abs).into_iter().fold(0.0, f64::max);
        assert!(off < 1e-4 && (probe.intercept - plain.intercept).abs() < 1e-4, "{loss:?}: {off}");
    }
}

#[test]
fn flipped_labels_flip_the_student_under_every_loss() {
    let mut data = planted(250, 0.25, 7);
    data.labels.mapv_inplace(|y| 0.1 + 0.8 * y);
    // The quantile of logconf breaks ties towards class 0, and at weights 0 all are tied.
    for loss in all().into_iter().filter(|loss| loss.name() != "logconf") {
        let probe = trained(&data, loss);
        let other =
            Planted { labels: data.labels.mapv(|y| 1.0 - y), x: data.x.clone(), ..planted(1, 0.0, 0) };
        let other = trained(&other, loss);
        let off = (&probe.weights + &other.weights).mapv(f64::abs).into_iter().fold(0.0, f64::max);
        assert!(off < 1e-3 && (probe.intercept + other.intercept).abs() < 1e-3, "{loss:?}: {off}");
    }
}

#[test]
fn a_sweep_is_its_problems_one_by_one_under_every_loss() {
    let data: Vec<Planted> = (0..3).map(|i| planted(150, 0.1 * f64::from(i), 8)).collect();
    let y = Array2::from_shape_fn((150, 3), |(i, j)| 0.1 + 0.8 * data[j].labels[i]);
    for loss in all() {
        let config = ProbeConfig { loss, ..ProbeConfig::default() };
        for (j, probe) in fit_sweep(data[0].x.view(), y.view(), &config).into_iter().enumerate() {
            let probe = probe.unwrap_or_else(|e| panic!("{loss:?}: {e}"));
            let alone = fit(data[0].x.view(), y.column(j), &config).expect("as in the sweep");
            let off = (&probe.weights - &alone.weights).mapv(f64::abs).into_iter().fold(0.0, f64::max);
            assert!(off < 1e-3, "{loss:?}, problem {j}: {off}");
        }
    }
}

#[test]
fn errors_of_selection_say_what_is_left() {
    let data = planted(30, 0.0, 9);
    let config = |folds| ProbeConfig {
        loss: Loss::ConfidentLearning { folds, seed: Seed::new(0) },
        ..ProbeConfig::default()
    };
    let error = fit(data.x.view(), data.labels.view(), &config(31)).expect_err("too many folds");
    assert_eq!(error, LearnerError::TooFewRows { what: "features", expected: 31, found: 30 });
    let mut one = Array1::zeros(30);
    one[4] = 1.0;
    // The fold that holds the only item of its class leaves the others with one class.
    let error = fit(data.x.view(), one.view(), &config(5)).expect_err("one class in a fold");
    assert!(matches!(error, LearnerError::OneClass { problem: 0, value: 0, rows: 24 }), "{error}");
}

#[cfg(feature = "rayon")]
#[test]
fn the_same_bytes_on_any_number_of_threads_under_every_loss() {
    let data: Vec<Planted> = (0..4).map(|i| planted(700, 0.1 * f64::from(i), 11)).collect();
    let y = Array2::from_shape_fn((700, 4), |(i, j)| data[j].labels[i]);
    for loss in all() {
        let config = ProbeConfig { loss, schedule_steps: 5, ..ProbeConfig::default() };
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| fit_sweep(data[0].x.view(), y.view(), &config))
        };
        let one = on(1);
        assert!(one.iter().all(Result::is_ok), "{loss:?}");
        for threads in [2, 4] {
            assert_eq!(on(threads), one, "{loss:?}, {threads} threads");
        }
    }
}
