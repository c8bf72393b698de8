//! Planted truth: votes whose accuracies and correlations are known.

use super::*;
use crate::Paradigm;
use ndarray::Array2;
use superalign_core::{Bootstrap, Seed, rand::RngExt as _};

/// Sources of given accuracies. Within a cluster, errors correlate by `rho` where accuracies are the same: with
/// probability sqrt(rho) a source takes the cluster's own draw in place of its own.
fn planted(
    items: usize,
    accuracy: &[f64],
    clusters: &[usize],
    rho: f64,
    seed: u64,
) -> (Vec<bool>, Array2<f64>) {
    let mut rng = Seed::new(seed).named("planted").rng();
    let count = clusters.iter().max().map_or(0, |last| last + 1);
    let mut truth = Vec::new();
    let mut votes = Array2::zeros((items, accuracy.len()));
    for i in 0..items {
        let yes = rng.random::<bool>();
        let shared: Vec<f64> = (0..count).map(|_| rng.random()).collect();
        for (k, (&a, &cluster)) in accuracy.iter().zip(clusters).enumerate() {
            let (own, copies) = (rng.random::<f64>(), rng.random::<f64>() < rho.sqrt());
            let right = (if copies { shared[cluster] } else { own }) < a;
            votes[[i, k]] = f64::from(u8::from(yes == right));
        }
        truth.push(yes);
    }
    (truth, votes)
}

fn signal(votes: Array2<f64>) -> Signal {
    let sources = (0..votes.ncols())
        .map(|k| Source::new(&format!("source-{k}"), Paradigm::WeakToStrong, &format!("rung-{k}")))
        .collect();
    Signal::mean((0..votes.nrows()).map(|i| i.to_string()).collect(), sources, votes).unwrap()
}

fn few() -> Config {
    Config { bootstrap: Bootstrap { draws: 20, ..Bootstrap::new(Seed::new(0)) }, ..Config::default() }
}

fn right(truth: &[bool], labels: ndarray::ArrayView1<'_, f64>) -> f64 {
    let right = |(&yes, &label): (&bool, &f64)| {
        if label == 0.5 { 0.5 } else { f64::from(u8::from((label > 0.5) == yes)) }
    };
    truth.iter().zip(labels).map(right).sum::<f64>() / truth.len() as f64
}

/// Largest error of an estimated accuracy.
fn worst(found: &Reliability, accuracy: &[f64]) -> f64 {
    found.accuracy.iter().zip(accuracy).map(|(e, a)| (e.value - a).abs()).fold(0.0, f64::max)
}

const FIVE: [f64; 5] = [0.55, 0.6, 0.7, 0.8, 0.9];

#[test]
fn five_independent_sources_are_known_within_two_points() {
    for seed in 0..20 {
        let (truth, votes) = planted(10_000, &FIVE, &[0, 1, 2, 3, 4], 0.0, seed);
        let sample: Vec<f64> = (0..5).map(|k| right(&truth, votes.column(k))).collect();
        for (method, most) in [(Method::Agreement, 0.02), (Method::OneCoin, 0.02)] {
            let found = without(&votes, Dependence::Detected, method);
            assert_eq!(found.clusters, [0, 1, 2, 3, 4], "seed {seed}");
            assert!(worst(&found, &sample) < most, "seed {seed}, {method:?}: {:?}", found.accuracy);
        }
    }
}

fn without(votes: &Array2<f64>, dependence: Dependence, method: Method) -> Reliability {
    super::reliability::without_intervals(votes.view(), &Config { dependence, method, ..few() }).unwrap()
}

#[test]
fn estimates_degrade_as_the_documentation_says() {
    let mut lines = vec!["pair       correlation  apart  detected  triplets  one-coin".to_owned()];
    for (pair, clusters) in
        [("0.8, 0.9", [0, 1, 2, 3, 3]), ("0.7, 0.8", [0, 1, 2, 2, 3]), ("0.6, 0.7", [0, 1, 1, 2, 3])]
    {
        for rho in [0.0, 0.1, 0.2, 0.4, 0.8] {
            let mut sums = [0.0; 4];
            for seed in 0..20 {
                let (truth, votes) = planted(10_000, &FIVE, &clusters, rho, 100 + seed);
                let sample: Vec<f64> = (0..5).map(|k| right(&truth, votes.column(k))).collect();
                let ways = [
                    (Dependence::Apart, Method::Agreement),
                    (Dependence::Detected, Method::Agreement),
                    (Dependence::Detected, Method::Triplets),
                    (Dependence::Apart, Method::OneCoin),
                ];
                for (sum, (dependence, method)) in sums.iter_mut().zip(ways) {
                    *sum += worst(&without(&votes, dependence, method), &sample) / 20.0;
                }
            }
            let [apart, detected, triplets, coin] = sums;
            lines.push(format!(
                "{pair}   {rho:.1}          {apart:.3}  {detected:.3}     {triplets:.3}     {coin:.3}"
            ));
        }
    }
    let documented = include_str!("reliability.rs");
    for line in &lines {
        assert!(
            documented.contains(&format!("/// {line}\n")),
            "the documentation lacks:\n{}",
            lines.join("\n")
        );
    }
}

#[test]
fn intervals_cover_what_is_true_about_as_often_as_they_say() {
    let (mut covered, mut all) = (0, 0);
    for seed in 0..40 {
        let (_, votes) = planted(2000, &FIVE, &[0, 1, 2, 3, 4], 0.0, 200 + seed);
        let config = Config {
            bootstrap: Bootstrap { draws: 200, level: 0.95, seed: Seed::new(seed) },
            ..Config::default()
        };
        let found = reliability(votes.view(), None, &config).unwrap();
        covered += found.accuracy.iter().zip(FIVE).filter(|(e, a)| e.covers(*a)).count();
        all += 5;
    }
    let share = f64::from(covered as u32) / f64::from(all);
    assert!(share > 0.89, "{share}");
}

#[test]
fn three_copies_of_a_bad_source_are_found_and_left_out() {
    let (mut better, mut gain) = (0, 0.0);
    for seed in 0..30 {
        let accuracy = [0.55, 0.55, 0.55, 0.75, 0.75, 0.75];
        let (truth, votes) = planted(2000, &accuracy, &[0, 0, 0, 1, 2, 3], 0.9, 300 + seed);
        let signal = signal(votes);
        let found = combine(&signal, Rule::Decorrelated, &few()).unwrap();
        assert_eq!(found.reliability.as_ref().unwrap().clusters, [0, 0, 0, 1, 2, 3], "seed {seed}");
        let weights = found.weights.clone().unwrap();
        assert!(weights[3..].iter().all(|w| *w > 0.2), "seed {seed}: {weights:?}");
        let majority = right(&truth, combine(&signal, Rule::Majority, &few()).unwrap().signal.labels());
        let chosen = right(&truth, found.signal.labels());
        better += usize::from(chosen > majority);
        gain += (chosen - majority) / 30.0;
        // The correlation of errors is what was planted, near enough.
        let correlation = &found.reliability.unwrap().correlation;
        assert!((correlation[[0, 1]] - 0.9).abs() < 0.06, "{correlation}");
        assert!(correlation[[0, 4]].abs() < 0.15 && correlation[[4, 5]].abs() < 0.15, "{correlation}");
        for rule in [Rule::Weighted, Rule::Process(4)] {
            let accuracy = right(&truth, combine(&signal, rule, &few()).unwrap().signal.labels());
            assert!(accuracy > majority, "seed {seed}: {} {accuracy} against {majority}", rule.name());
        }
    }
    assert_eq!(better, 30);
    assert!(gain > 0.1, "{gain}");
}

#[test]
fn clusters_are_rarely_seen_where_there_are_none() {
    let mut seen = 0;
    for seed in 0..100 {
        let (_, votes) =
            planted(1000, &[0.6, 0.65, 0.7, 0.75, 0.8, 0.6], &[0, 1, 2, 3, 4, 5], 0.0, 400 + seed);
        seen += usize::from(
            without(&votes, Dependence::Detected, Method::Agreement).clusters != [0, 1, 2, 3, 4, 5],
        );
    }
    assert!(seen <= 3, "{seen} of 100");
}

#[test]
fn what_is_known_of_kin_takes_the_place_of_what_is_found() {
    // Two excellent sources that err apart, and three copies: agreement alone cannot tell which are which.
    let (truth, votes) = planted(10_000, &[0.6, 0.6, 0.6, 0.8, 0.7], &[0, 0, 0, 1, 2], 0.8, 7);
    let sample: Vec<f64> = (0..5).map(|k| right(&truth, votes.column(k))).collect();
    let found = without(&votes, Dependence::Known(vec![4, 4, 4, 1, 2]), Method::Agreement);
    assert!(worst(&found, &sample) < 0.04, "{:?}", found.accuracy);
    assert_eq!(found.clusters, [0, 0, 0, 1, 2]);
    let wrong = without(&votes, Dependence::Apart, Method::Agreement);
    assert!(worst(&wrong, &sample) > 0.2, "{:?}", wrong.accuracy);
    let mut sources = signal(votes).sources().to_vec();
    sources[1].model = "rung-0".into();
    assert_eq!(kin(&sources), [0, 0, 1, 2, 3]);
}

#[test]
fn votes_in_the_very_shares_of_the_model_give_its_very_accuracies() {
    // Of 64 items of each truth, all patterns of three sources that are right in three cases of four.
    let mut rows = Vec::new();
    for yes in [true, false] {
        for pattern in 0..8_u32 {
            let count = 3_usize.pow(pattern.count_ones());
            let votes: Vec<f64> =
                (0..3).map(|k| f64::from(u8::from((pattern >> k & 1 == 1) == yes))).collect();
            rows.extend(std::iter::repeat_n(votes, count).flatten());
        }
    }
    let votes = Array2::from_shape_vec((128, 3), rows).unwrap();
    for method in [Method::Agreement, Method::Triplets, Method::OneCoin] {
        let found = without(&votes, Dependence::Detected, method);
        assert!(worst(&found, &[0.75; 3]) < 1e-4, "{method:?}: {:?}", found.accuracy);
        assert!(found.mean_correlation.value.abs() < 1e-3 && found.misfit.fits);
    }
    // 27 of 64 have all right, 27 two: the majority is right in 54.
    let apart = joint_accuracy(&[0.75; 3], Array2::eye(3).view(), &[0, 1, 2]).unwrap();
    assert!((apart - 54.0 / 64.0).abs() < 0.005);
}

#[test]
fn the_process_is_that_of_determinants() {
    for seed in 0..20 {
        let (_, votes) =
            planted(400, &[0.6, 0.65, 0.7, 0.75, 0.8, 0.7], &[0, 0, 1, 1, 2, 3], 0.5, 600 + seed);
        let found = without(&votes, Dependence::Known(vec![0, 0, 1, 1, 2, 3]), Method::Agreement);
        let good: Vec<f64> = found
            .accuracy
            .iter()
            .map(|e| (e.value / (1.0 - e.value)).clamp(0.01 / 0.99, 99.0).ln().max(0.01))
            .collect();
        let kernel = |a: usize, b: usize| good[a] * found.correlation[[a, b]] * good[b];
        let mut chosen: Vec<usize> = Vec::new();
        for _ in 0..3 {
            let of = |next: usize| {
                let places: Vec<usize> = chosen.iter().copied().chain([next]).collect();
                determinant(
                    &places
                        .iter()
                        .map(|&a| places.iter().map(|&b| kernel(a, b)).collect())
                        .collect::<Vec<_>>(),
                )
            };
            let free = (0..6).filter(|source| !chosen.contains(source));
            let best = free.max_by(|&a, &b| of(a).total_cmp(&of(b))).unwrap();
            chosen.push(best);
        }
        chosen.sort_unstable();
        assert_eq!(process(&found, 3).unwrap(), chosen, "seed {seed}");
    }
}

/// By cofactors of the first row.
fn determinant(table: &[Vec<f64>]) -> f64 {
    let Some(first) = table.first() else { return 1.0 };
    let minor = |column: usize| -> Vec<Vec<f64>> {
        let without = |row: &Vec<f64>| (0..row.len()).filter(|&c| c != column).map(|c| row[c]).collect();
        table[1..].iter().map(without).collect()
    };
    let signed = |(column, value): (usize, &f64)| {
        let sign = if column % 2 == 0 { 1.0 } else { -1.0 };
        sign * value * determinant(&minor(column))
    };
    first.iter().enumerate().map(signed).sum()
}

#[test]
fn an_uneven_truth_needs_only_its_share() {
    let mut rng = Seed::new(9).rng();
    let votes = Array2::from_shape_fn((20_000, 4), |(i, k)| {
        let (yes, right) = (i % 10 < 8, rng.random::<f64>() < [0.9, 0.8, 0.7, 0.6][k]);
        f64::from(u8::from(yes == right))
    });
    let config = Config { positives: 0.8, ..few() };
    let found = super::reliability::without_intervals(votes.view(), &config).unwrap();
    assert!(worst(&found, &[0.9, 0.8, 0.7, 0.6]) < 0.03, "{:?}", found.accuracy);
}

#[test]
fn joint_accuracy_is_that_of_the_votes() {
    for (accuracy, clusters, rho) in [
        (vec![0.6, 0.7, 0.8], vec![0, 1, 2], 0.0),
        (vec![0.7, 0.7, 0.7, 0.7], vec![0, 0, 1, 2], 0.5),
        (vec![0.6, 0.6, 0.6, 0.8, 0.8], vec![0, 0, 0, 1, 1], 0.3),
    ] {
        let (truth, votes) = planted(40_000, &accuracy, &clusters, rho, 11);
        let k = accuracy.len();
        let right_table = Array2::from_shape_fn(votes.dim(), |(i, k)| (votes[[i, k]] > 0.5) == truth[i]);
        let outcomes = superalign_signal::ensemble::Outcomes::new(right_table.view()).unwrap();
        let correlation = superalign_signal::ensemble::outcome_correlation(&outcomes).unwrap();
        let sample: Vec<f64> = (0..k).map(|k| right(&truth, votes.column(k))).collect();
        let all: Vec<usize> = (0..k).collect();
        let estimated = joint_accuracy(&sample, correlation.view(), &all).unwrap();
        let majority = combine(&signal(votes), Rule::Majority, &few()).unwrap();
        let measured = right(&truth, majority.signal.labels());
        assert!((estimated - measured).abs() < 0.02, "{estimated} {measured}");
    }
}

#[test]
fn the_process_prefers_good_sources_that_differ() {
    let accuracy =
        [0.8, 0.8, 0.7, 0.52].map(|value| superalign_core::Estimate { value, lo: value, hi: value });
    let mut correlation = Array2::eye(4);
    correlation[[0, 1]] = 0.95;
    correlation[[1, 0]] = 0.95;
    let misfit = Misfit { chi_squared: 0.0, freedom: 0.0, fits: true };
    let found = Reliability {
        accuracy: accuracy.to_vec(),
        correlation,
        mean_correlation: accuracy[0],
        clusters: vec![0, 0, 1, 2],
        misfit,
    };
    assert_eq!(process(&found, 1).unwrap(), [0]);
    assert_eq!(process(&found, 2).unwrap(), [0, 2]);
    assert_eq!(process(&found, 3).unwrap(), [0, 1, 2]);
    assert_eq!(process(&found, 9).unwrap(), [0, 1, 2, 3]);
}

#[test]
fn what_cannot_be_done_says_why() {
    let message = |votes: Array2<f64>, config: &Config| {
        reliability(votes.view(), None, config).unwrap_err().to_string()
    };
    let (_, fine) = planted(50, &[0.7; 4], &[0, 1, 2, 3], 0.0, 1);
    let two = signal(fine.slice(ndarray::s![.., ..2]).to_owned());
    let known = |clusters: &[usize]| Config { dependence: Dependence::Known(clusters.to_vec()), ..few() };
    let other = Signal::mean(vec!["x".into()], two.sources().to_vec(), ndarray::array![[0.1, 0.2]]).unwrap();
    let same = Signal::mean(two.items().to_vec(), two.sources().to_vec(), two.votes().to_owned()).unwrap();
    insta::assert_snapshot!(
        [
            message(Array2::zeros((0, 3)), &few()),
            message(Array2::zeros((9, 2)), &few()),
            message(Array2::from_elem((9, 3), 1.5), &few()),
            message(Array2::zeros((9, 65)), &few()),
            message(Array2::zeros((9, 3)), &few()),
            message(Array2::zeros((9, 3)), &Config { method: Method::OneCoin, ..few() }),
            message(fine.clone(), &Config { positives: 1.0, ..few() }),
            message(fine.clone(), &known(&[0, 1])),
            message(fine.clone(), &known(&[0, 0, 1, 1])),
            reliability(fine.view(), Some(&[1, 2]), &few()).unwrap_err().to_string(),
            combine(&two, Rule::Weighted, &few()).unwrap_err().to_string(),
            combine(&signal(fine.clone()), Rule::Process(0), &few()).unwrap_err().to_string(),
            pool(&[]).unwrap_err().to_string(),
            pool(&[two.clone(), other]).unwrap_err().to_string(),
            pool(&[two, same]).unwrap_err().to_string(),
            joint_accuracy(&[0.5], Array2::eye(1).view(), &[1]).unwrap_err().to_string(),
        ]
        .join("\n")
    );
}

mod properties {
    use super::*;
    use ndarray::Axis;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn order_of_items_and_sources_does_not_matter(seed in 0_u64..1000, turn in 1_usize..5) {
            let (_, votes) = planted(300, &FIVE, &[0, 1, 1, 2, 3], 0.5, seed);
            let config = Config { dependence: Dependence::Known(vec![0, 1, 1, 2, 3]), ..few() };
            let plain = super::super::reliability::without_intervals(votes.view(), &config);
            let places: Vec<usize> = (0..5).map(|k| (k + turn) % 5).collect();
            let rows: Vec<usize> = (0..300).rev().collect();
            let turned = votes.select(Axis(1), &places).select(Axis(0), &rows);
            let clusters = places.iter().map(|&k| [0, 1, 1, 2, 3][k]).collect();
            let config = Config { dependence: Dependence::Known(clusters), ..few() };
            let other = super::super::reliability::without_intervals(turned.view(), &config);
            let (Ok(plain), Ok(other)) = (plain, other) else { return Ok(()) };
            for (k, &place) in places.iter().enumerate() {
                prop_assert!((plain.accuracy[place].value - other.accuracy[k].value).abs() < 1e-3);
            }
        }

        #[test]
        fn labels_are_probabilities_and_turn_with_the_votes(
            votes in prop::collection::vec(0.0_f64..1.0, 120),
        ) {
            let votes = Array2::from_shape_vec((30, 4), votes).unwrap();
            let turned = votes.mapv(|vote| 1.0 - vote);
            for rule in [Rule::Mean, Rule::Majority, Rule::Weighted, Rule::Decorrelated, Rule::Process(2)] {
                let (Ok(one), Ok(other)) = (
                    combine(&signal(votes.clone()), rule, &few()),
                    combine(&signal(turned.clone()), rule, &few()),
                ) else { continue };
                for (a, b) in one.signal.labels().iter().zip(other.signal.labels()) {
                    prop_assert!((0.0..=1.0).contains(a) && (a + b - 1.0).abs() < 1e-6, "{} {a} {b}", rule.name());
                }
            }
        }
    }
}
