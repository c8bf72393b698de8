//! Simulations: how often each kind is found where it is, and where it is not.

use super::*;

/// What labels are made with.
#[derive(Clone, Copy)]
enum Noise {
    None,
    Symmetric(f64),
    /// Class y becomes y + 1.
    Pair(f64),
    /// The rate falls from twice this at no margin to 0 at a margin of 1; the label is the next likely class.
    RunnerUp(f64),
    /// As that, but any other class.
    Margin(f64),
}

/// Labels, and probabilities that are those of the true class, but for a temperature.
fn draw(noise: Noise, n: usize, k: usize, temperature: f64, seed: u64) -> (Vec<u32>, Array2<f64>) {
    let mut rng = Seed::new(seed).rng();
    let mut uniform = || (below(&mut rng, 1 << 30) as f64 + 0.5) / f64::from(1 << 30);
    let mut labels = Vec::with_capacity(n);
    let mut probs = Array2::zeros((n, k));
    for mut row in probs.rows_mut() {
        let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        row.mapv_inplace(|_: f64| (2.5 * normal()).exp());
        let sum = row.sum();
        row.mapv_inplace(|p| p / sum);
        let mut rest = uniform();
        let mut class = 0;
        while class + 1 < k && rest >= row[class] {
            rest -= row[class];
            class += 1;
        }
        let mut order: Vec<usize> = (0..k).collect();
        order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
        let by_margin = 2.0 * (1.0 - (row[order[0]] - row[order[1]]));
        let other = (class + 1 + ((k - 1) as f64 * uniform()) as usize) % k;
        let (rate, wrong) = match noise {
            Noise::None => (0.0, class),
            Noise::Symmetric(rate) => (rate, other),
            Noise::Pair(rate) => (rate, (class + 1) % k),
            Noise::RunnerUp(rate) => (rate * by_margin, if class == order[0] { order[1] } else { order[0] }),
            Noise::Margin(rate) => (rate * by_margin, other),
        };
        labels.push(if uniform() < rate { wrong } else { class } as u32);
        row.mapv_inplace(|p| p.powf(1.0 / temperature));
        let sum = row.sum();
        row.mapv_inplace(|p| p / sum);
    }
    (labels, probs)
}

/// How often each kind is found in so many draws, and how often each test rejects at 5%.
fn count(noise: Noise, n: usize, k: usize, options: &KindOptions, temperature: f64, runs: u64) -> Found {
    let mut found = Found::default();
    for seed in 0..runs {
        let (labels, probs) = draw(noise, n, k, temperature, seed);
        let one = noise_kind(&labels, probs.view(), options).unwrap();
        found.dependence += usize::from(one.dependence.p_value < 0.05);
        found.asymmetry += usize::from(one.asymmetry.p_value < 0.05);
        found.noise += usize::from(one.noise.p_value < 0.05);
        match one.kind {
            NoiseKind::Symmetric => found.kinds[0] += 1,
            NoiseKind::ClassConditional => found.kinds[1] += 1,
            NoiseKind::InstanceDependent => found.kinds[2] += 1,
            NoiseKind::CannotTell(_) => found.kinds[3] += 1,
        }
        found.last = Some(one);
    }
    found
}

#[derive(Debug, Default)]
struct Found {
    dependence: usize,
    asymmetry: usize,
    noise: usize,
    /// Symmetric, class-conditional, instance-dependent, cannot tell.
    kinds: [usize; 4],
    last: Option<Kind>,
}

/// A test at 5% rejects 2 of 40 on average; more than 6 happens once in 300 times.
#[test]
fn tests_reject_what_holds_about_as_often_as_they_say() {
    let options = KindOptions::new(Seed::new(1));
    let trusted = KindOptions { calibration: Calibration::Trusted, ..options };
    for options in [&options, &trusted] {
        let found = count(Noise::Symmetric(0.2), 1500, 3, options, 1.0, 40);
        assert!(found.dependence <= 6 && found.asymmetry <= 6, "{found:?}");
        let found = count(Noise::Pair(0.2), 1500, 3, options, 1.0, 40);
        assert!(found.dependence <= 6, "{found:?}");
        let found = count(Noise::None, 1500, 3, options, 1.0, 40);
        assert!(found.noise <= 6 && found.dependence <= 6, "{found:?}");
    }
}

#[test]
fn clear_cases_are_told_apart() {
    let options = KindOptions::new(Seed::new(1));
    let trusted = KindOptions { calibration: Calibration::Trusted, ..options };
    // At a level of 1%, one draw in ten may go astray.
    let kinds = |noise, k, options, temperature| count(noise, 2000, k, options, temperature, 10).kinds;
    assert!(kinds(Noise::Symmetric(0.2), 3, &options, 1.0)[0] >= 9);
    assert!(kinds(Noise::Pair(0.2), 3, &options, 1.0)[1] >= 9);
    assert!(kinds(Noise::Margin(0.4), 3, &options, 1.0)[2] >= 9);
    assert!(kinds(Noise::RunnerUp(0.3), 3, &options, 1.0)[2] >= 9);
    assert!(kinds(Noise::RunnerUp(0.3), 3, &trusted, 1.0)[2] >= 9);
    assert!(kinds(Noise::None, 3, &options, 1.0)[3] >= 9);
    // A model that is too sure is no noise, unless it is trusted.
    assert!(kinds(Noise::Symmetric(0.2), 3, &options, 0.5)[0] >= 9);
    assert!(kinds(Noise::Symmetric(0.2), 3, &trusted, 0.5)[2] >= 9);
}

#[test]
fn the_fit_finds_the_noise_and_the_temperature() {
    let found = count(Noise::Pair(0.2), 20_000, 3, &KindOptions::new(Seed::new(1)), 0.5, 1).last.unwrap();
    // Dividing logits by 0.5 made the model too sure; a temperature of 2 takes it back.
    assert!((found.temperature - 2.0).abs() < 0.1, "{found:?}");
    let expected = ndarray::array![[0.8, 0.2, 0.0], [0.0, 0.8, 0.2], [0.2, 0.0, 0.8]];
    assert!((&found.transition - &expected).iter().all(|d| d.abs() < 0.03), "{found:?}");
    assert!((found.wrong / 20_000.0 - 0.2).abs() < 0.02);
    assert_eq!(found.groups.iter().map(|group| group.items).sum::<usize>(), 20_000);
}

#[test]
fn what_cannot_be_told_says_why() {
    let reason = |labels: &[u32], probs: &Array2<f64>| match noise_kind(
        labels,
        probs.view(),
        &KindOptions::new(Seed::new(1)),
    )
    .unwrap()
    .kind
    {
        NoiseKind::CannotTell(reason) => reason.to_string(),
        kind => format!("{kind:?}"),
    };
    let (labels, probs) = draw(Noise::None, 500, 3, 1.0, 1);
    assert_eq!(
        reason(&labels, &probs),
        "the probabilities explain the labels without noise: there is none, or the model has learnt it"
    );
    let (labels, probs) = draw(Noise::Symmetric(0.3), 120, 3, 1.0, 1);
    let found = reason(&labels, &probs);
    assert!(found.ends_with("wrong labels: expected at least 60, 10 for each pair of classes"), "{found}");
    assert_eq!(reason(&[0, 1, 0], &Array2::from_elem((3, 4), 0.25)), "no label is of class 2");
}

#[test]
fn settings_out_of_range_are_refused() {
    let options = KindOptions::new(Seed::new(1));
    let message = |options: KindOptions| {
        noise_kind(&[0], ndarray::array![[0.5, 0.5]].view(), &options).unwrap_err().to_string()
    };
    assert_eq!(
        message(KindOptions { level: 1.0, ..options }),
        "level = 1: expected a number between 0 and 1"
    );
    assert_eq!(message(KindOptions { groups: 1, ..options }), "groups = 1: expected at least 2");
    assert_eq!(message(KindOptions { items: 0, ..options }), "items = 0: expected at least 1");
    let many = noise_kind(&[0], Array2::from_elem((1, 50), 0.02).view(), &options).unwrap_err().to_string();
    assert_eq!(many, "kind of noise is undefined: 50 classes: at most 40, or there is too much to fit");
}
