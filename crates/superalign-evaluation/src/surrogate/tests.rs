//! Known answers, invariances, what errors say, and how often intervals cover.

use super::*;
use crate::{Bootstrap, EvaluationError};
use ndarray::{Array2, Axis};
use proptest::prelude::*;
use superalign_core::{Rng, Seed, below};

fn chance(rng: &mut Rng, p: f64) -> f64 {
    f64::from(u8::from((below(rng, 1 << 30) as f64) < p * f64::from(1 << 30)))
}

/// Right and wrong answers of students with these probabilities.
fn answers(shares: &[f64], items: usize, rng: &mut Rng) -> Array2<f64> {
    Array2::from_shape_fn((shares.len(), items), |(student, _)| chance(rng, shares[student]))
}

fn scored<'a>(surrogate: &'a Array2<f64>, target: &'a Array2<f64>) -> Scored<'a> {
    Scored { surrogate: surrogate.view(), target: target.view(), surrogate_groups: None, target_groups: None }
}

fn by(draws: usize, seed: u64) -> SurrogateTest {
    SurrogateTest::new(Bootstrap { draws, ..Bootstrap::new(Seed::new(seed)) })
}

fn message<T: std::fmt::Debug>(found: Result<T, EvaluationError>) -> String {
    found.unwrap_err().to_string()
}

#[test]
fn what_has_no_validity_says_why() {
    let mut rng = Seed::new(1).rng();
    let good = answers(&[0.2, 0.5, 0.8, 0.9], 60, &mut rng);
    let two = good.select(Axis(0), &[0, 1]);
    assert_eq!(message(validity(&scored(&two, &two), &by(50, 1))), "2 students: expected at least 3");
    let equal = Array2::ones((4, 60));
    assert_eq!(
        message(validity(&scored(&equal, &good), &by(50, 1))),
        "Kendall's tau-b is undefined: all 4 students score 1 on the surrogate"
    );
    assert_eq!(
        message(validity(&scored(&good, &equal), &by(50, 1))),
        "Kendall's tau-b is undefined: all 4 students score 1 on the target"
    );
    let three = good.select(Axis(0), &[0, 1, 2]);
    assert_eq!(
        message(validity(&scored(&good, &three), &by(50, 1))),
        "number of students on the target: found 3, expected 4"
    );
    let mut broken = good.clone();
    broken[[1, 2]] = f64::NAN;
    assert_eq!(
        message(validity(&scored(&broken, &good), &by(50, 1))),
        "surrogate score 62 is NaN: expected a finite number"
    );
    let labels = [1_u32; 3];
    let grouped = Scored { surrogate_groups: Some(&labels), ..scored(&good, &good) };
    assert_eq!(message(validity(&grouped, &by(50, 1))), "number of group labels: found 3, expected 60");
    // Three students are drawn as one and the same too often.
    let varied = SurrogateTest { varied: Varied::ItemsAndStudents, ..by(300, 1) };
    let found = message(validity(&scored(&three, &three), &varied));
    assert!(found.starts_with("Kendall's tau-b is undefined: it does not exist in "), "{found}");
    assert!(found.ends_with(" of 300 resamples"), "{found}");
}

#[test]
fn what_has_no_degradation_says_why() {
    let mut rng = Seed::new(2).rng();
    let good = answers(&[0.2, 0.5, 0.8, 0.9], 60, &mut rng);
    let scored = scored(&good, &good);
    let one = |error, scores: &Array2<f64>| {
        message(degradation(&scored, &[Supervised { error, scores: scores.view() }], &by(50, 1)))
    };
    assert_eq!(one(0.0, &good), "0 supervisors with an error rate above 0: expected at least 1");
    assert_eq!(one(1.5, &good), "error rate of supervisor 0 is 1.5: expected a number from 0 to 1");
    assert_eq!(
        one(0.2, &good.select(Axis(1), &[0, 1])),
        "number of items under the supervisor: found 2, expected 60"
    );
    assert_eq!(one(0.2, &(&good * 2.0)), "surrogate score 19 is 2: expected a number from 0 to 1");
    assert_eq!(
        one(0.5, &Array2::zeros((4, 60))),
        "Kendall's tau-b is undefined: all 4 students score 0 on the surrogate"
    );
}

#[test]
fn kinds_of_surrogates_choose_by_tags() {
    let tag = |family, difficulty| Tag { family, difficulty };
    let tags = [
        tag("sums", Some(1)),
        tag("sums", Some(4)),
        tag("chain", Some(2)),
        tag("chain", Some(5)),
        tag("facts", None),
    ];
    let held = choose(&tags, &SurrogateKind::HeldOutFamily { withheld: &["chain"] }).unwrap();
    assert_eq!((held.surrogate, held.target), (vec![0, 1, 4], vec![2, 3]));
    let easy = choose(&tags, &SurrogateKind::HeldOutDifficulty { known: 2 }).unwrap();
    assert_eq!((easy.surrogate, easy.target), (vec![0, 2], vec![1, 3]));
    let experts = SurrogateKind::SandwichedExperts { known: 2, experts: &["chain"] };
    let found = choose(&tags, &experts).unwrap();
    assert_eq!((found.surrogate, found.target), (vec![3], vec![1]));
    assert_eq!(
        message(choose(&tags, &SurrogateKind::HeldOutFamily { withheld: &["logic"] })),
        "held-out-family is undefined: no item is of the family `logic`"
    );
    assert_eq!(
        message(choose(&tags, &SurrogateKind::HeldOutDifficulty { known: 0 })),
        "held-out-difficulty is undefined: 4 of 5 items are targets, and none can stand in"
    );
    let all = SurrogateKind::SandwichedExperts { known: 2, experts: &["chain", "sums"] };
    assert_eq!(
        message(choose(&tags, &all)),
        "sandwiched-experts is undefined: 2 of 5 items can stand in, and none is a target"
    );
}

#[test]
fn pairs_that_both_tell_apart_in_opposite_order_are_found() {
    let mut rng = Seed::new(3).rng();
    // Student 2 is the best on the surrogate and the worst on the target; 0 and 1 are hardly different.
    let surrogate = answers(&[0.60, 0.61, 0.9], 800, &mut rng);
    let target = answers(&[0.60, 0.60, 0.2], 800, &mut rng);
    let found = validity(&scored(&surrogate, &target), &by(200, 1)).unwrap();
    assert_eq!(found.order.reversed, [(0, 2), (1, 2)]);
    assert_eq!((found.order.pairs, found.order.told_apart), (3, 2));
    assert!((found.order.significantly_wrong.value - 2.0 / 3.0).abs() < 1e-15);
    assert!(found.order.wrong.value >= 2.0 / 3.0 && found.kendall.value < 0.0);
}

#[test]
fn intervals_of_calibration_cover_what_many_items_show() {
    // True line: target = 0.8 surrogate - 0.05; students far apart, so that noise hardly flattens it.
    let shares = [0.15, 0.35, 0.55, 0.75, 0.95];
    let truths: Vec<f64> = shares.iter().map(|share| 0.8 * share - 0.05).collect();
    let bias = shares.iter().zip(&truths).map(|(x, y)| x - y).sum::<f64>() / 5.0;
    let rounds = 200;
    let mut covered = [0; 3];
    for round in 0..rounds {
        let mut rng = Seed::new(4).nth(round).rng();
        let (surrogate, target) = (answers(&shares, 300, &mut rng), answers(&truths, 300, &mut rng));
        let found = validity(&scored(&surrogate, &target), &by(300, round)).unwrap();
        for (covered, hit) in covered.iter_mut().zip([
            found.slope.covers(0.8),
            found.intercept.covers(-0.05),
            found.bias.covers(bias),
        ]) {
            *covered += u64::from(hit);
        }
    }
    for covered in covered {
        let share = covered as f64 / rounds as f64;
        assert!((0.90..=0.99).contains(&share), "{share}");
    }
}

#[test]
fn groups_widen_what_strays_together() {
    let mut rng = Seed::new(5).rng();
    let fine = answers(&[0.3, 0.5, 0.7, 0.8], 50, &mut rng);
    // Every item eight times over.
    let repeat = |of: &Array2<f64>| Array2::from_shape_fn((4, 400), |(s, i)| of[[s, i / 8]]);
    let (surrogate, target) = (repeat(&fine), repeat(&answers(&[0.2, 0.4, 0.6, 0.7], 50, &mut rng)));
    let one: Vec<u32> = (0..400).map(|i| i / 8).collect();
    let other: Vec<u32> = one.iter().map(|label| label + 1000).collect();
    let grouped =
        Scored { surrogate_groups: Some(&one), target_groups: Some(&other), ..scored(&surrogate, &target) };
    let width = |scored: &Scored<'_>| {
        let bias = validity(scored, &by(500, 1)).unwrap().bias;
        bias.hi - bias.lo
    };
    let ratio = width(&grouped) / width(&scored(&surrogate, &target));
    assert!((2.3..3.4).contains(&ratio), "{ratio}");
    // The same items on both sides, drawn together: nothing is left of the bias but its value.
    let same =
        Scored { surrogate_groups: Some(&one), target_groups: Some(&one), ..scored(&surrogate, &surrogate) };
    let bias = validity(&same, &by(100, 1)).unwrap().bias;
    assert_eq!((bias.value, bias.lo, bias.hi), (0.0, 0.0, 0.0));
}

#[test]
fn independent_errors_shrink_scores_and_fade_ranks_as_expected() {
    let shares = [0.50, 0.55, 0.60, 0.65, 0.70, 0.75];
    let mut rng = Seed::new(6).rng();
    let (surrogate, target) = (answers(&shares, 200, &mut rng), answers(&shares, 4000, &mut rng));
    let truth: Vec<f64> = target.rows().into_iter().map(|row| row.sum() / 4000.0).collect();
    for error in [0.05, 0.15, 0.3, 0.45] {
        let rounds = 1500;
        let (mut tau, mut score) = (0.0, 0.0);
        for round in 0..rounds {
            let wrong = independent_errors(200, error, Seed::new(7).nth(round)).unwrap();
            let seen = with_errors(surrogate.view(), &wrong).unwrap();
            let means: Vec<f64> = seen.rows().into_iter().map(|row| row.sum() / 200.0).collect();
            tau += rank_correlation(&means, &truth, Correlation::Kendall).unwrap();
            score += means.iter().sum::<f64>() / 6.0;
        }
        let (tau, score) = (tau / rounds as f64, score / rounds as f64);
        let expected = expected_kendall(surrogate.view(), &truth, error).unwrap();
        assert!((tau - expected).abs() < 0.025, "{error}: {tau} {expected}");
        let clean = surrogate.sum() / 1200.0;
        assert!((score - expected_score(clean, error).unwrap()).abs() < 0.005, "{error}: {score}");
    }
    assert_eq!(expected_kendall(surrogate.view(), &truth, 0.5).unwrap(), 0.0);
}

#[test]
fn validity_degrades_with_the_error_and_the_slope_says_so() {
    let shares: Vec<f64> = (0..10).map(|student| 0.45 + 0.04 * f64::from(student)).collect();
    let mut rng = Seed::new(8).rng();
    let (surrogate, target) = (answers(&shares, 400, &mut rng), answers(&shares, 400, &mut rng));
    let errors = [0.4, 0.1, 0.25];
    let seen: Vec<Array2<f64>> = errors
        .iter()
        .enumerate()
        .map(|(place, &error)| {
            let wrong = independent_errors(400, error, Seed::new(9).nth(place as u64)).unwrap();
            with_errors(surrogate.view(), &wrong).unwrap()
        })
        .collect();
    let supervised: Vec<Supervised<'_>> = errors
        .iter()
        .zip(&seen)
        .map(|(&error, scores)| Supervised { error, scores: scores.view() })
        .collect();
    let found = degradation(&scored(&surrogate, &target), &supervised, &by(400, 1)).unwrap();
    let rates: Vec<f64> = found.points.iter().map(|point| point.error).collect();
    assert_eq!(rates, [0.0, 0.1, 0.25, 0.4]);
    assert_eq!(found.points[0].validity.value, found.points[0].expected);
    assert!(found.points.windows(2).all(|pair| pair[1].expected < pair[0].expected));
    assert!(found.slope.value < 0.0 && found.slope.hi < 0.0, "{}", found.slope);
    for point in &found.points {
        assert!((point.score.value - point.expected_score).abs() < 0.04, "{point:?}");
        assert!((point.validity.value - point.expected).abs() < 0.3, "{point:?}");
    }
    // The clean point is that of `validity`, from the same draws.
    let clean = validity(&scored(&surrogate, &target), &by(400, 1)).unwrap().kendall;
    assert_eq!(found.points[0].validity, clean);
}

proptest! {
    #[test]
    fn correlations_keep_to_rising_maps_and_turn_round_with_falling_ones(
        pairs in prop::collection::vec((0_u8..12, 0_u8..12), 3..30),
    ) {
        let x: Vec<f64> = pairs.iter().map(|pair| f64::from(pair.0)).collect();
        let y: Vec<f64> = pairs.iter().map(|pair| f64::from(pair.1)).collect();
        let cubed: Vec<f64> = x.iter().map(|x| x * x * x + 1.0).collect();
        let negated: Vec<f64> = y.iter().map(|y| -y).collect();
        for kind in [Correlation::Kendall, Correlation::Spearman] {
            let Ok(found) = rank_correlation(&x, &y, kind) else { continue };
            prop_assert!(found.abs() <= 1.0 + 1e-12);
            let same = |first: &[f64], second: &[f64]| rank_correlation(first, second, kind).unwrap();
            prop_assert!((same(&cubed, &y) - found).abs() < 1e-12);
            prop_assert!((same(&y, &x) - found).abs() < 1e-12);
            prop_assert!((same(&x, &negated) + found).abs() < 1e-12);
            prop_assert!((same(&x, &x) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn the_order_of_students_and_items_does_not_matter(seed in 0_u64..500, turn in 1_usize..30) {
        let mut rng = Seed::new(seed).rng();
        let shares = [0.2, 0.4, 0.5, 0.6, 0.9];
        let (surrogate, target) = (answers(&shares, 31, &mut rng), answers(&shares, 23, &mut rng));
        let Ok(found) = validity(&scored(&surrogate, &target), &by(20, 1)) else { return Ok(()) };
        let items: Vec<usize> = (0..31).map(|item| (item + turn) % 31).collect();
        let students = [3, 0, 4, 2, 1];
        let turned = surrogate.select(Axis(1), &items).select(Axis(0), &students);
        let moved = target.select(Axis(0), &students);
        let other = validity(&scored(&turned, &moved), &by(20, 1)).unwrap();
        for (a, b) in [
            (found.kendall, other.kendall),
            (found.spearman, other.spearman),
            (found.slope, other.slope),
            (found.mean_absolute_difference, other.mean_absolute_difference),
            (found.order.wrong, other.order.wrong),
            (found.order.significantly_wrong, other.order.significantly_wrong),
        ] {
            prop_assert!((a.value - b.value).abs() < 1e-12);
        }
        prop_assert_eq!(found.order.told_apart, other.order.told_apart);
        prop_assert!(found.order.significantly_wrong.value <= found.order.wrong.value);
        prop_assert_eq!(validity(&scored(&turned, &moved), &by(20, 1)).unwrap(), other);
    }

    #[test]
    fn errors_of_labels_mirror_at_one_half(seed in 0_u64..500, error in 0.0..0.5) {
        let mut rng = Seed::new(seed).rng();
        let surrogate = answers(&[0.2, 0.5, 0.7, 0.8], 40, &mut rng);
        let truth = [0.1, 0.4, 0.4, 0.9];
        let Ok(below) = expected_kendall(surrogate.view(), &truth, error) else { return Ok(()) };
        let above = expected_kendall(surrogate.view(), &truth, 1.0 - error).unwrap();
        prop_assert!((below + above).abs() < 1e-12);
        let clean = expected_kendall(surrogate.view(), &truth, 0.0).unwrap();
        prop_assert!(error > 0.0 || (below - clean).abs() < 1e-12);
        let wrong = independent_errors(40, error, Seed::new(seed)).unwrap();
        let twice = with_errors(with_errors(surrogate.view(), &wrong).unwrap().view(), &wrong).unwrap();
        prop_assert_eq!(twice, surrogate);
    }
}
