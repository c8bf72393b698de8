//! Exact ratios and nesting of every kind of noise, what its weights do, and what mistakes are told.

use super::*;
use proptest::prelude::*;

fn flipped(clean: &[bool], noisy: &[bool]) -> Vec<usize> {
    (0..clean.len()).filter(|&i| clean[i] != noisy[i]).collect()
}

fn uniform(labels: &[bool], ratio: f64, seed: u64) -> Vec<bool> {
    Noise::uniform(labels.len(), Seed::new(seed)).flip(labels, ratio).unwrap()
}

#[test]
fn the_flips_of_a_seed_never_change() {
    // Part of the format: changing these changes every noise experiment.
    insta::assert_debug_snapshot!(flipped(&[true; 20], &uniform(&[true; 20], 0.2, 7)), @"
    [
        2,
        6,
        14,
        17,
    ]
    ");
    let half: Vec<bool> = (0..12).map(|i| i % 2 == 0).collect();
    let noises = [
        Noise::class_conditional(&half, [1.0, 2.0], Seed::new(7)).unwrap(),
        Noise::instance_dependent(
            &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.0, 8.0, 9.0, 10.0, 11.0, 12.0],
            Seed::new(7),
        )
        .unwrap(),
        Noise::teacher_made(&half, &[0.5; 12], Seed::new(7)).unwrap(),
    ];
    insta::assert_snapshot!(noises.map(|n| format!("{:?}", n.wrong(1.0).unwrap())).join("\n"), @"
    [4, 5, 0, 8, 3, 10, 2, 11, 6, 1, 7, 9]
    [10, 1, 8, 3, 7, 9, 5, 11, 0, 2, 4, 6]
    [5, 10, 4, 2, 1, 7, 9, 8, 0, 6, 3, 11]
    ");
}

#[test]
fn what_is_out_of_range_is_refused() {
    let noise = Noise::uniform(1, Seed::new(0));
    for ratio in [-0.1, 1.0001, f64::NAN, f64::INFINITY] {
        assert!(matches!(noise.wrong(ratio), Err(DataError::Ratio { .. })));
    }
    let matrix = Transition::new(&[vec![0.0, 1.0], vec![0.0, 1.0]]).unwrap();
    let errors = [
        noise.flip(&[true], 1.5).unwrap_err(),
        noise.flip(&[true; 3], 0.5).unwrap_err(),
        Noise::class_conditional(&[true], [0.0, 0.0], Seed::new(0)).unwrap_err(),
        Noise::instance_dependent(&[1.0, -1.0], Seed::new(0)).unwrap_err(),
        Noise::teacher_made(&[true], &[1.5], Seed::new(0)).unwrap_err(),
        Noise::teacher_made(&[true], &[0.5, 0.5], Seed::new(0)).unwrap_err(),
        Transition::new(&[vec![1.0]]).unwrap_err(),
        Transition::new(&[vec![1.0, 0.0], vec![0.0, 1.0]]).unwrap_err(),
        corrupt(&[0, 2], &matrix, 0.5, Seed::new(0)).unwrap_err(),
        corrupt(&[0, 1], &matrix, 1.0, Seed::new(0)).unwrap_err(),
    ];
    insta::assert_snapshot!(errors.map(|e| e.to_string()).join("\n"), @"
    noise ratio: found 1.5, expected a number from 0 to 1
    noise: labels: found 3, expected 1
    noise: item 0: found 0, expected a weight above 0 for at least one class
    noise: item 1: found -1, expected a finite number, 0 or more
    noise: item 0: found 1.5, expected a probability from 0 to 1
    noise: probabilities: found 2, expected 1
    noise: a row of the matrix: found 1, expected 2
    noise: item 0: found 0, expected a number above 0 beside the diagonal, in at least one row
    noise: item 1: found 2, expected a class that the matrix has a row for
    noise: labels that can go wrong: found 1, expected 2
    ");
}

#[test]
fn every_position_is_equally_likely() {
    let mut hits = [0_u32; 10];
    for seed in 0..10_000 {
        for i in flipped(&[false; 10], &uniform(&[false; 10], 0.3, seed)) {
            hits[i] += 1;
        }
    }
    // 10,000 draws of probability 0.3: standard deviation 46.
    assert!(hits.iter().all(|&h| (2800..3200).contains(&h)), "{hits:?}");
}

#[test]
fn the_first_of_an_instance_dependent_order_is_drawn_by_weight() {
    let weights = [1.0, 2.0, 3.0, 4.0];
    let mut first = [0_u32; 4];
    for seed in 0..10_000 {
        first[Noise::instance_dependent(&weights, Seed::new(seed)).unwrap().wrong(0.25).unwrap()[0]] += 1;
    }
    // The largest standard deviation is 49.
    for (found, weight) in first.iter().zip(weights) {
        assert!((f64::from(*found) - 1000.0 * weight).abs() < 200.0, "{first:?}");
    }
}

#[test]
fn at_the_teachers_error_rate_the_labels_are_the_teachers() {
    let mut rng = Seed::new(3).rng();
    let gold: Vec<bool> = (0..500).map(|_| rng.random()).collect();
    let said: Vec<f64> = (0..500).map(|_| rng.random()).collect();
    let hard: Vec<bool> = said.iter().map(|p| *p >= 0.5).collect();
    let rate = flipped(&gold, &hard).len() as f64 / 500.0;
    let noise = Noise::teacher_made(&gold, &said, Seed::new(0)).unwrap();
    assert_eq!(noise.flip(&gold, rate).unwrap(), hard);
}

proptest! {
    #[test]
    fn exact_nested_and_repeatable(
        labels in proptest::collection::vec(any::<bool>(), 0..300),
        a in 0.0..=1.0_f64, b in 0.0..=1.0_f64, weights in (0.01..10.0_f64, 0.0..10.0_f64), seed: u64,
    ) {
        let seed = Seed::new(seed);
        let (low, high) = (a.min(b), a.max(b));
        let n = labels.len();
        let of = |i: usize| weights.0 * i as f64;
        let by_item: Vec<f64> = (0..n).map(of).collect();
        let said: Vec<f64> = (0..n).map(|i| (i % 7) as f64 / 7.0).collect();
        let noises = || [
            Noise::uniform(n, seed),
            Noise::class_conditional(&labels, [weights.0, weights.1], seed).unwrap(),
            Noise::instance_dependent(&by_item, seed).unwrap(),
            Noise::teacher_made(&labels, &said, seed).unwrap(),
        ];
        for (noise, again) in noises().into_iter().zip(noises()) {
            prop_assert_eq!(&noise, &again);
            let less = flipped(&labels, &noise.flip(&labels, low).unwrap());
            let more = flipped(&labels, &noise.flip(&labels, high).unwrap());
            prop_assert_eq!(less.len(), (low * n as f64).round() as usize);
            prop_assert_eq!(more.len(), (high * n as f64).round() as usize);
            prop_assert!(less.iter().all(|i| more.contains(i)));
            prop_assert_eq!(&noise.flip(&labels, 0.0).unwrap(), &labels);
            let all: Vec<bool> = labels.iter().map(|label| !label).collect();
            prop_assert_eq!(noise.flip(&labels, 1.0).unwrap(), all);
        }
    }

    #[test]
    fn each_class_gives_its_share(
        labels in proptest::collection::vec(any::<bool>(), 1..300), ratio in 0.0..=1.0_f64, seed: u64,
        tilt in 0.2..5.0_f64,
    ) {
        let noise = Noise::class_conditional(&labels, [1.0, tilt], Seed::new(seed)).unwrap();
        let noisy = noise.flip(&labels, ratio).unwrap();
        let size = |class| labels.iter().filter(|&&label| label == class).count() as f64;
        let flips = |class| flipped(&labels, &noisy).into_iter().filter(|&i| labels[i] == class).count() as f64;
        let [zero, one] = [flips(false) / size(false), flips(true) / size(true)];
        // Unless a class is used up, the rates are as the weights, to within the last label of each.
        if size(false) > 0.0 && size(true) > 0.0 && zero < 1.0 && one < 1.0 {
            let slack = 1.5 * (1.0 / size(true) + tilt / size(false));
            prop_assert!((one - tilt * zero).abs() < slack, "{one} beside {zero} at tilt {tilt}");
        }
    }

    #[test]
    fn uniform_positions_do_not_depend_on_the_labels(
        labels in proptest::collection::vec(any::<bool>(), 1..200), ratio in 0.0..=1.0_f64, seed: u64,
    ) {
        let other: Vec<bool> = labels.iter().map(|label| !label).collect();
        let (one, two) = (uniform(&labels, ratio, seed), uniform(&other, ratio, seed));
        prop_assert_eq!(flipped(&labels, &one), flipped(&other, &two));
    }

    #[test]
    fn classes_go_where_the_matrix_leads(
        labels in proptest::collection::vec(0..3_usize, 1..200), a in 0.0..=1.0_f64, b in 0.0..=1.0_f64, seed: u64,
    ) {
        let matrix = Transition::new(&[vec![0.5, 0.5, 0.0], vec![0.0, 0.9, 0.1], vec![0.2, 0.2, 0.6]]).unwrap();
        let noisy = |ratio| corrupt(&labels, &matrix, ratio, Seed::new(seed)).unwrap();
        let (less, more) = (noisy(a.min(b)), noisy(a.max(b)));
        let wrong = (0..labels.len()).filter(|&i| more[i] != labels[i]).count();
        prop_assert_eq!(wrong, (a.max(b) * labels.len() as f64).round() as usize);
        for i in 0..labels.len() {
            prop_assert!(less[i] == labels[i] || less[i] == more[i]);
            prop_assert!(!matches!((labels[i], more[i]), (0, 2) | (1, 0)));
        }
    }
}
