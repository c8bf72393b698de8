//! Students of planted truth.

use super::*;
use crate::Paradigm;
use proptest::prelude::*;
use superalign_core::Seed;

/// Features of noise whose first column holds the truth, as far as `strength` goes, beside that truth.
fn world(n: usize, width: usize, strength: f32, seed: u64) -> (Vec<bool>, Array2<f32>) {
    let mut rng = Seed::new(seed).rng();
    let truth: Vec<bool> = (0..n).map(|_| rng.random()).collect();
    let mut x = Array2::from_shape_simple_fn((n, width), || rng.random::<f32>() - 0.5);
    for (mut row, &yes) in x.rows_mut().into_iter().zip(&truth) {
        row[0] += if yes { strength } else { -strength };
    }
    (truth, x)
}

fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| i.to_string()).collect()
}

fn source(name: &str) -> Source {
    Source::new(name, Paradigm::WeakToStrong, name)
}

/// A teacher's labels: right with a probability, and surer where right.
fn noisy(truth: &[bool], accuracy: f64, seed: u64) -> Signal {
    let mut rng = Seed::new(seed).rng();
    let label = |&yes: &bool| {
        let right = rng.random::<f64>() < accuracy;
        let sure = if right { 0.5 + 0.5 * rng.random::<f64>() } else { 0.5 + 0.25 * rng.random::<f64>() };
        if yes == right { sure } else { 1.0 - sure }
    };
    let votes: Array1<f64> = truth.iter().map(label).collect();
    Signal::mean(names(truth.len()), vec![source("weak")], votes.insert_axis(Axis(1))).unwrap()
}

fn right(truth: &[bool], labels: ndarray::ArrayView1<'_, f64>) -> f64 {
    let n = truth.iter().zip(labels).filter(|(yes, label)| (**label >= 0.5) == **yes).count();
    n as f64 / truth.len() as f64
}

#[test]
fn a_student_surpasses_noisy_labels_and_self_training_keeps_it() {
    let (truth, x) = world(1500, 8, 0.6, 1);
    let signal = noisy(&truth, 0.7, 2);
    let found = self_train(&signal, x.view(), &source("strong"), &SelfTraining::default()).unwrap();
    assert_eq!((found.probes.len(), found.signals.len()), (3, 3));
    assert!(right(&truth, signal.labels()) < 0.73);
    for round in &found.signals {
        assert!(right(&truth, round.labels()) > 0.9, "{}", right(&truth, round.labels()));
    }
    assert_eq!(found.signals[2].cost().calls, 3 * 1500);
    let none = SelfTraining { rounds: 0, ..SelfTraining::default() };
    assert_eq!(self_train(&signal, x.view(), &source("strong"), &none).unwrap().signals, found.signals[..1]);
}

#[test]
fn every_rung_of_a_climb_learns_from_the_one_below() {
    let (truth, _) = world(1200, 1, 0.0, 1);
    let seen = |strength: f32, seed: u64| {
        let mut rng = Seed::new(seed).rng();
        let mut x = Array2::from_shape_simple_fn((1200, 6), || rng.random::<f32>() - 0.5);
        for (mut row, &yes) in x.rows_mut().into_iter().zip(&truth) {
            row[0] += if yes { strength } else { -strength };
        }
        x
    };
    let views = [seen(0.2, 5), seen(0.4, 6), seen(0.8, 7)];
    let rung = |(place, view): (usize, &'_ Array2<f32>)| {
        (
            format!("rung-{place}"),
            view.slice(ndarray::s![..600, ..]).to_owned(),
            view.slice(ndarray::s![600.., ..]).to_owned(),
        )
    };
    // The first learns on the first half and labels the second; the others stay on the second.
    let parts: Vec<_> = views.iter().enumerate().map(rung).collect();
    let first = noisy(&truth[..600], 0.65, 8);
    let items = || names(1200)[600..].to_vec();
    let rungs = [
        Rung {
            source: source("rung-0"),
            learns: parts[0].1.view(),
            labels: parts[0].2.view(),
            items: items(),
        },
        Rung {
            source: source("rung-1"),
            learns: parts[1].2.view(),
            labels: parts[1].2.view(),
            items: items(),
        },
        Rung {
            source: source("rung-2"),
            learns: parts[2].2.view(),
            labels: parts[2].2.view(),
            items: items(),
        },
    ];
    let found = climb(&first, &rungs, &ProbeConfig::default()).unwrap();
    let accuracy: Vec<f64> = found.iter().map(|signal| right(&truth[600..], signal.labels())).collect();
    assert!(accuracy[0] < accuracy[1] && accuracy[1] < accuracy[2] && accuracy[2] > 0.9, "{accuracy:?}");
    assert_eq!(found[2].items(), &names(1200)[600..]);
    assert!(climb(&first, &[], &ProbeConfig::default()).unwrap().is_empty());
    let short = [Rung { items: names(3), ..rungs[0].clone() }];
    let error = climb(&first, &short, &ProbeConfig::default()).unwrap_err().to_string();
    assert_eq!(error, "number of rows of features: found 600, expected 3");
}

#[test]
fn what_is_kept_is_righter_than_what_is_not() {
    let (truth, _) = world(2000, 1, 0.0, 3);
    let signal = noisy(&truth, 0.7, 4);
    let whole = right(&truth, signal.labels());
    for balance in [Balance::Free, Balance::Even] {
        let places = confident(&signal, 0.3, balance).unwrap();
        assert_eq!(places.len(), 600);
        let kept: Vec<bool> = places.iter().map(|&i| truth[i]).collect();
        assert!(right(&kept, signal.select(&places).labels()) > whole + 0.1);
    }
    let three = crate::diversify::pool(&[
        noisy(&truth, 0.7, 5),
        Signal::mean(names(2000), vec![source("b")], noisy(&truth, 0.7, 6).votes().to_owned()).unwrap(),
        Signal::mean(names(2000), vec![source("c")], noisy(&truth, 0.7, 7).votes().to_owned()).unwrap(),
    ])
    .unwrap();
    let places = agreed(&three, 1.0).unwrap();
    let kept: Vec<bool> = places.iter().map(|&i| truth[i]).collect();
    // .343 / (.343 + .027) of the unanimous items are right.
    assert!((right(&kept, three.select(&places).labels()) - 0.927).abs() < 0.04);
    assert_eq!(agreed(&three, 0.5).unwrap().len(), 2000);
    assert_eq!(agreed(&signal, 1.0).unwrap().len(), 2000);
}

#[test]
fn verdicts_are_turned_where_they_are_said_to() {
    let says =
        |odds: f64| vec![LogLikelihood { sum: odds, tokens: 1 }, LogLikelihood { sum: 0.0, tokens: 1 }];
    let verdicts: Vec<_> = [1.0, 2.0, 3.0, 5.0].map(says).to_vec();
    let even = zero_shot(names(4), source("m"), &verdicts, Turn::Even).unwrap();
    assert!(even.labels().iter().all(|label| *label > 0.7));
    let median = zero_shot(names(4), source("m"), &verdicts, Turn::Median).unwrap();
    assert_eq!(median.labels().iter().filter(|label| **label > 0.5).count(), 2);
    assert!((median.labels()[0] - 1.0 / (1.0 + 1.5_f64.exp())).abs() < 1e-12);
}

#[test]
fn what_cannot_be_done_says_why() {
    let (truth, x) = world(30, 2, 0.5, 1);
    let signal = noisy(&truth, 0.8, 2);
    let one = vec![LogLikelihood { sum: 0.0, tokens: 1 }];
    let nan = vec![LogLikelihood { sum: f64::NAN, tokens: 1 }; 2];
    let split = Signal::mean(names(1), vec![source("a"), source("b")], ndarray::array![[0.9, 0.1]]).unwrap();
    let probe = Probe::new(ndarray::array![1.0, 1.0], 0.0);
    let teacher = Teacher { source: source("a"), probe: &probe, features: x.view() };
    let bad = SelfTraining { keep: 0.0, ..SelfTraining::default() };
    insta::assert_snapshot!(
        [
            confident(&signal, 1.5, Balance::Even).unwrap_err().to_string(),
            agreed(&signal, 0.2).unwrap_err().to_string(),
            agreed(&split, 1.0).unwrap_err().to_string(),
            teach(names(2), &[teacher]).unwrap_err().to_string(),
            teach(names(2), &[]).unwrap_err().to_string(),
            zero_shot(names(2), source("m"), &[], Turn::Even).unwrap_err().to_string(),
            zero_shot(names(1), source("m"), &[one], Turn::Even).unwrap_err().to_string(),
            zero_shot(names(1), source("m"), &[nan], Turn::Even).unwrap_err().to_string(),
            self_train(&signal, x.slice(ndarray::s![..9, ..]), &source("m"), &bad).unwrap_err().to_string(),
            self_train(&signal, x.view(), &source("m"), &bad).unwrap_err().to_string(),
        ]
        .join("\n")
    );
}

proptest! {
    #[test]
    fn filters_keep_as_many_as_they_say_in_order(
        labels in prop::collection::vec(0.0_f64..1.0, 1..200),
        keep in 0.001_f64..1.0,
    ) {
        let n = labels.len();
        let votes = Array2::from_shape_vec((n, 1), labels).unwrap();
        let signal = Signal::mean(names(n), vec![source("weak")], votes).unwrap();
        for balance in [Balance::Free, Balance::Even] {
            let places = confident(&signal, keep, balance).unwrap();
            prop_assert_eq!(places.len(), ((keep * n as f64).round() as usize).clamp(1, n));
            prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
        }
        // The least confidence of what is kept is no less than the greatest of what is not.
        let kept = confident(&signal, keep, Balance::Free).unwrap();
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for i in 0..n {
            let c = signal.confidence()[i];
            if kept.contains(&i) { least = least.min(c) } else { most = most.max(c) }
        }
        prop_assert!(least >= most);
    }
}
