//! Estimators of capacity: planted curves, limits and invariances.

use crate::{coins, normal, uniform};
use ndarray::Array2;
use proptest::prelude::*;
use superalign_core::Seed;
use superalign_gap::capacity::{
    DescriptionLength, RankCorrelation, Verdict, description_length, estimator_agreement, learning_curve,
};
use superalign_gap::{Bootstrap, Draws, GapError};

const BY: Bootstrap = Bootstrap { draws: 200, level: 0.95, seed: Seed::new(3) };

/// Students whose error at size n is err(n): hard items are those that need many; some luck on top.
fn students(sizes: &[f64], items: usize, err: impl Fn(f64) -> f64, seed: Seed) -> Vec<Array2<bool>> {
    let mut rng = seed.rng();
    // Right where u >= err(n): u is the item's own for most of the items, and drawn anew for the others.
    let own: Vec<f64> = (0..items).map(|_| uniform(&mut rng)).collect();
    sizes
        .iter()
        .map(|&n| {
            Array2::from_shape_fn((1, items), |(_, item)| {
                let u = if item % 3 == 0 { uniform(&mut rng) } else { own[item] };
                u >= err(n)
            })
        })
        .collect()
}

fn doubled(first: f64, count: i32) -> Vec<f64> {
    (0..count).map(|k| first * 2.0_f64.powi(k)).collect()
}

/// How many of 100 intervals cover the planted capacity, how many curves are determined, and the mean width.
fn covered(
    name: &str,
    sizes: &[f64],
    items: usize,
    err: impl Fn(f64) -> f64,
    capacity: f64,
) -> (u32, u32, f64) {
    let (mut covered, mut determined, mut width) = (0, 0, 0.0);
    for set in 0..100 {
        let seed = Seed::new(11).named(name).nth(set);
        let answers = students(sizes, items, &err, seed);
        let by = Bootstrap { seed, draws: 100, ..BY };
        let found = learning_curve(sizes, &answers, None, &by).unwrap();
        covered += u32::from(found.capacity.covers(capacity));
        determined += u32::from(found.verdict == Verdict::Determined);
        width += (found.capacity.hi - found.capacity.lo) / 100.0;
        let percentile = found.draws.estimate(0.95).unwrap();
        assert!(percentile.lo >= 0.0 && percentile.hi <= 1.0);
    }
    (covered, determined, width)
}

#[test]
fn the_interval_of_the_asymptote_covers_the_planted_one() {
    let (covered, determined, width) =
        covered("bent", &doubled(50.0, 9), 1500, |n| 0.15 + 2.0 * n.powf(-0.5), 0.85);
    assert!(covered >= 88, "{covered} of 100");
    assert!(determined > 90, "{determined}");
    assert!(width < 0.08, "{width}");
}

#[test]
fn a_curve_that_still_falls_determines_nothing() {
    let (covered, determined, _) =
        covered("nearly straight", &doubled(100.0, 5), 800, |n| 0.1 + 0.6 * n.powf(-0.12), 0.9);
    assert!(covered >= 88, "{covered} of 100");
    assert!(determined <= 20, "{determined}");
}

#[test]
fn a_curve_that_never_fell_determines_nothing() {
    let level = students(&doubled(100.0, 5), 800, |_| 0.3, Seed::new(5));
    let found = learning_curve(&doubled(100.0, 5), &level, None, &BY).unwrap();
    assert!(matches!(found.verdict, Verdict::Level { .. }), "{:?}", found.verdict);
}

#[test]
fn perfect_and_hopeless_students_have_curves_too() {
    let sizes = doubled(100.0, 4);
    let at = |right: bool| {
        learning_curve(&sizes, &vec![Array2::from_elem((2, 50), right); 4], None, &BY).unwrap().capacity.value
    };
    assert!((at(true) - 1.0).abs() < 1e-6 && at(false).abs() < 1e-6);
    // All wrong, then all right.
    let step: Vec<_> = (0..4).map(|k| Array2::from_elem((1, 50), k > 0)).collect();
    let found = learning_curve(&sizes, &step, None, &BY).unwrap();
    assert!((found.capacity.value - 1.0).abs() < 0.01, "{found:?}");
}

#[test]
fn refused_curves_say_why() {
    let answers = vec![coins(1, 100, 0.7, Seed::new(1)); 4];
    let refused = |sizes: &[f64]| learning_curve(sizes, &answers, None, &BY).unwrap_err();
    assert_eq!(refused(&[1.0, 2.0, 4.0]), GapError::TooFew { what: "training sizes", found: 3, expected: 4 });
    assert!(matches!(refused(&[1.0, 2.0, 2.0, 4.0]), GapError::Value { index: 2, .. }));
    assert!(matches!(refused(&[0.0, 1.0, 2.0, 4.0]), GapError::Value { index: 0, .. }));
    assert!(matches!(refused(&[1.0, 2.0, 3.0, f64::INFINITY]), GapError::Value { index: 3, .. }));
    let few =
        learning_curve(&[1.0, 2.0, 3.0, 4.0], &answers, None, &Bootstrap { draws: 39, ..BY }).unwrap_err();
    assert_eq!(few.to_string(), "draws = 39: expected at least 10 for each of 4 sizes");
    assert!(matches!(refused(&[1.0, 2.0, 3.0, 4.0, 5.0]), GapError::Shape { found: 4, expected: 5, .. }));
}

fn coded(ends: &[usize], ln: &Array2<f64>, classes: usize) -> Result<DescriptionLength, GapError> {
    description_length(ends, ln.view(), classes, None, &BY)
}

#[test]
fn guessing_costs_all_bits_and_knowing_costs_the_first_block() {
    let ends = [16, 32, 64, 128];
    let guess = Array2::from_elem((2, 112), (0.25_f64).ln());
    let found = coded(&ends, &guess, 4).unwrap();
    assert!((found.bits.value - 256.0).abs() < 1e-9 && found.compression.value.abs() < 1e-12);
    assert!((found.bits.hi - found.bits.lo).abs() < 1e-9);
    let known = coded(&ends, &Array2::zeros((2, 112)), 4).unwrap();
    assert_eq!(known.blocks, [32.0, 0.0, 0.0, 0.0]);
    assert!((known.compression.value - 0.875).abs() < 1e-12);
}

#[test]
fn the_interval_of_a_code_length_is_that_of_its_items() {
    // Costs of mean 1 and deviation 1 bit in two blocks of very different level: only what is within blocks counts.
    let mut rng = Seed::new(8).rng();
    let ln2 = std::f64::consts::LN_2;
    let ln = Array2::from_shape_fn((1, 2000), |(_, i)| {
        let level = if i < 1000 { 6.0 } else { 1.0 };
        -ln2 * (level + if uniform(&mut rng) < 0.5 { 1.0 } else { -1.0 })
    });
    let found =
        description_length(&[10, 1010, 2010], ln.view(), 2, None, &Bootstrap { draws: 2000, ..BY }).unwrap();
    let half = 0.5 * (found.bits.hi - found.bits.lo);
    assert!((half / (1.96 * 2000.0_f64.sqrt()) - 1.0).abs() < 0.08, "{half}");
}

#[test]
fn a_group_that_is_drawn_together_widens_the_interval() {
    let ln = Array2::from_shape_fn((1, 400), |(_, i)| if i / 20 % 2 == 0 { -0.1 } else { -1.5 });
    let groups: Vec<u32> = (0..400).map(|i| i / 20).collect();
    let width = |groups: Option<&[u32]>| {
        let found = description_length(&[20, 420], ln.view(), 2, groups, &BY).unwrap();
        found.bits.hi - found.bits.lo
    };
    assert!(width(Some(&groups)) > 3.0 * width(None));
}

#[test]
fn refused_codes_say_why() {
    let ln = Array2::from_elem((1, 80), -0.5);
    let refused = |ends: &[usize], ln: &Array2<f64>, classes| coded(ends, ln, classes).unwrap_err();
    assert!(matches!(refused(&[20, 100], &ln, 1), GapError::TooFew { what: "classes", .. }));
    assert!(matches!(refused(&[100], &ln, 2), GapError::TooFew { what: "blocks", .. }));
    assert!(matches!(refused(&[20, 20, 100], &ln, 2), GapError::Value { index: 1, .. }));
    assert!(matches!(refused(&[0, 80], &ln, 2), GapError::Value { index: 0, .. }));
    assert!(matches!(refused(&[20, 90], &ln, 2), GapError::Shape { found: 80, expected: 70, .. }));
    for bad in [0.1, f64::NEG_INFINITY, f64::NAN] {
        let mut ln = ln.clone();
        ln[(0, 7)] = bad;
        assert!(matches!(refused(&[20, 100], &ln, 2), GapError::Value { index: 7, .. }));
    }
}

#[test]
fn estimators_that_order_rungs_alike_agree_and_noise_widens() {
    let rungs = |values: [f64; 5], error: f64, name: &str| -> Vec<Draws> {
        let seed = Seed::new(2).named(name);
        (0..).zip(values).map(|(r, value)| normal(value, error, 300, seed.nth(r))).collect()
    };
    let ceiling = rungs([0.60, 0.65, 0.70, 0.75, 0.80], 0.002, "ceiling");
    let noise = rungs([0.1, 0.2, 0.3, 0.4, 0.5], 0.01, "noise");
    let bits = rungs([0.50, 0.49, 0.48, 0.47, 0.46], 0.02, "bits");
    for coefficient in [RankCorrelation::Kendall, RankCorrelation::Spearman] {
        let found =
            estimator_agreement(&[ceiling.clone(), noise.clone(), bits.clone()], coefficient, 0.95).unwrap();
        assert_eq!((found[(0, 1)].value, found[(0, 1)].lo, found[(0, 1)].hi), (1.0, 1.0, 1.0));
        assert_eq!(found[(0, 2)].value, -1.0);
        assert!(found[(0, 2)].hi > -0.5, "{}", found[(0, 2)]);
        assert_eq!(found, found.t());
    }
    let two = |list: &[Draws]| list[..2].to_vec();
    let refused = estimator_agreement(&[two(&ceiling), two(&noise)], RankCorrelation::Kendall, 0.95);
    assert_eq!(refused, Err(GapError::TooFew { what: "rungs", found: 2, expected: 3 }));
    let same = vec![Draws { value: 0.5, draws: vec![0.5; 300] }; 5];
    let refused = estimator_agreement(&[ceiling, same], RankCorrelation::Kendall, 0.95);
    assert!(matches!(refused, Err(GapError::Undefined { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn ranks_do_not_see_scales(
        pairs in proptest::collection::vec((0_i8..9, 0_i8..9), 3..12), scale in 0.1..9.0_f64, shift in -5.0..5.0_f64,
    ) {
        let x: Vec<f64> = pairs.iter().map(|p| f64::from(p.0)).collect();
        let y: Vec<f64> = pairs.iter().map(|p| f64::from(p.1)).collect();
        for coefficient in [RankCorrelation::Kendall, RankCorrelation::Spearman] {
            let Ok(found) = coefficient.of(&x, &y) else { continue };
            prop_assert!((-1.0..=1.0).contains(&found));
            prop_assert_eq!(coefficient.of(&y, &x).unwrap(), found);
            let moved: Vec<f64> = x.iter().map(|x| (scale * x + shift).exp()).collect();
            prop_assert!((coefficient.of(&moved, &y).unwrap() - found).abs() < 1e-12);
            let turned: Vec<f64> = x.iter().map(|x| -x).collect();
            prop_assert!((coefficient.of(&turned, &y).unwrap() + found).abs() < 1e-12);
        }
    }

    #[test]
    fn a_curve_does_not_see_the_unit_of_its_sizes(
        rates in proptest::collection::vec(0.02..0.98_f64, 4..7), unit in 0.01..1000.0_f64,
    ) {
        let by = Bootstrap { draws: 60, ..BY };
        let sizes = doubled(100.0, rates.len() as i32);
        let answers: Vec<_> =
            rates.iter().map(|rate| Array2::from_shape_fn((1, 200), |(_, i)| i as f64 > 200.0 * rate)).collect();
        let found = learning_curve(&sizes, &answers, None, &by).unwrap();
        let moved: Vec<f64> = sizes.iter().map(|size| size * unit).collect();
        let other = learning_curve(&moved, &answers, None, &by).unwrap();
        prop_assert!((found.capacity.value - other.capacity.value).abs() < 1e-4, "{:?} {:?}", found.curve, other.curve);
        prop_assert!((0.0..=1.0).contains(&found.capacity.value));
        for &size in &sizes {
            let error = found.curve.error_at(size);
            prop_assert!((-1e-12..=1.0 + 1e-12).contains(&error));
            prop_assert!((error - other.curve.error_at(size * unit)).abs() < 1e-4);
        }
    }

    #[test]
    fn a_code_does_not_see_the_order_within_blocks(
        costs in proptest::collection::vec(-6.0..0.0_f64, 60), turn in 0_usize..30,
    ) {
        let ends = [10, 40, 70];
        let ln = Array2::from_shape_vec((1, 60), costs.clone()).unwrap();
        let mut turned = costs;
        turned[..30].rotate_left(turn);
        turned[30..].reverse();
        let turned = Array2::from_shape_vec((1, 60), turned).unwrap();
        let (a, b) = (coded(&ends, &ln, 3).unwrap(), coded(&ends, &turned, 3).unwrap());
        prop_assert!((a.bits.value - b.bits.value).abs() < 1e-9);
        prop_assert!((a.blocks.iter().sum::<f64>() - a.bits.value).abs() < 1e-9);
        prop_assert!(a.compression.value <= 1.0 && a.bits.lo <= a.bits.hi);
    }
}
