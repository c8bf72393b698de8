//! Joint draws, and utilities.

use crate::coins;
use ndarray::Array2;
use proptest::prelude::*;
use superalign_core::Seed;
use superalign_gap::{
    Bootstrap, Draws, GapError, Utility, capability_draws, capability_over_seeds, gain,
    noise_fitting_capacity, utility_draws,
};

const BY: Bootstrap = Bootstrap { draws: 200, level: 0.95, seed: Seed::new(3) };

#[test]
fn draws_are_those_of_the_other_quantities() {
    let (weak, student) = (coins(3, 300, 0.6, Seed::new(1)), coins(3, 300, 0.7, Seed::new(2)));
    let groups: Vec<u32> = (0..300).map(|i| i / 3).collect();
    let found = capability_draws(&[weak.view(), student.view()], Some(&groups), &BY).unwrap();
    let alone = capability_over_seeds(weak.view(), Some(&groups), &BY).unwrap();
    assert_eq!(found[0].estimate(0.95).unwrap(), alone);
    let both = gain(weak.view(), student.view(), Some(&groups), &BY).unwrap();
    assert_eq!(found[1].minus(&found[0]).unwrap().estimate(0.95).unwrap(), both);
}

#[test]
fn a_term_with_one_seed_is_drawn_with_the_others() {
    let (weak, student) = (coins(1, 300, 0.6, Seed::new(1)), coins(3, 300, 0.7, Seed::new(2)));
    let found = capability_draws(&[weak.view(), student.view()], None, &BY).unwrap();
    let both = gain(weak.view(), student.view(), None, &BY).unwrap();
    assert_eq!(found[1].minus(&found[0]).unwrap().estimate(0.95).unwrap(), both);
}

#[test]
fn noise_fitting_has_one_draw_for_all_ratios() {
    // The same answers at every ratio: the area is their share, whatever is drawn.
    let fits = vec![coins(2, 200, 0.8, Seed::new(5)); 3];
    let area = noise_fitting_capacity(&[0.0, 0.3, 1.0], &fits, None, &BY).unwrap();
    let share = capability_over_seeds(fits[0].view(), None, &BY).unwrap();
    for (area, share) in [(area.value, share.value), (area.lo, share.lo), (area.hi, share.hi)] {
        assert!((area - (2.0 * share - 1.0)).abs() < 1e-12);
    }
}

#[test]
fn normal_draws_have_the_error_they_were_given() {
    let found = Draws::normal(0.3, 0.02, 20_000, Seed::new(1)).unwrap();
    assert!((found.standard_error() / 0.02 - 1.0).abs() < 0.03);
    let mean = found.draws.iter().sum::<f64>() / 20_000.0;
    assert!((mean - 0.3).abs() < 4.0 * 0.02 / 20_000.0_f64.sqrt());
    let interval = found.estimate(0.95).unwrap();
    assert!(((interval.hi - interval.lo) / (2.0 * 1.96 * 0.02) - 1.0).abs() < 0.05);
}

#[test]
fn draws_of_different_numbers_do_not_mix() {
    let one = Draws { value: 0.5, draws: vec![0.5; 3] };
    let other = Draws { value: 0.5, draws: vec![0.5; 4] };
    let expected = GapError::Shape { what: "number of draws", found: 4, expected: 3 };
    assert_eq!(one.minus(&other), Err(expected));
}

fn shares() -> impl Strategy<Value = Vec<(f64, f64)>> {
    proptest::collection::vec((0.0..=1.0_f64, 0.0..=1.0_f64), 20..60)
}

fn utilities() -> impl Strategy<Value = Utility> {
    prop_oneof![
        Just(Utility::Product),
        Just(Utility::Minimum),
        (0.0..=1.0_f64).prop_map(|competence| Utility::WeightedMean { competence }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_utility_is_a_share_and_never_falls(
        utility in utilities(), c in 0.0..=1.0_f64, v in 0.0..=1.0_f64, more in 0.0..=1.0_f64,
    ) {
        let found = utility.of(c, v).unwrap();
        prop_assert!((0.0..=1.0).contains(&found));
        prop_assert!(utility.of(c.max(more), v).unwrap() >= found - 1e-15);
        prop_assert!(utility.of(c, v.max(more)).unwrap() >= found - 1e-15);
        prop_assert_eq!(utility.of(0.0, 0.0).unwrap(), 0.0);
        prop_assert_eq!(utility.of(1.0, 1.0).unwrap(), 1.0);
    }

    #[test]
    fn product_below_minimum_below_mean(c in 0.0..=1.0_f64, v in 0.0..=1.0_f64, competence in 0.0..=1.0_f64) {
        let of = |utility: Utility| utility.of(c, v).unwrap();
        prop_assert!(of(Utility::Product) <= of(Utility::Minimum));
        let mean = of(Utility::WeightedMean { competence });
        prop_assert!(of(Utility::Minimum) <= mean + 1e-15);
        prop_assert_eq!(of(Utility::Product), Utility::Product.of(v, c).unwrap());
    }

    #[test]
    fn capability_of_utilities_is_their_mean(pairs in shares(), utility in utilities()) {
        let n = pairs.len();
        let of = |pick: &dyn Fn(&(f64, f64)) -> f64| Array2::from_shape_vec((1, n), pairs.iter().map(pick).collect()).unwrap();
        let joint = utility.of_items(of(&|p| p.0).view(), of(&|p| p.1).view()).unwrap();
        let found = &utility_draws(&[joint.view()], None, &BY).unwrap()[0];
        prop_assert!((found.value - joint.mean().unwrap()).abs() < 1e-12);
        let estimate = found.estimate(0.95).unwrap();
        prop_assert!(estimate.lo <= found.value + 1e-12 && found.value <= estimate.hi + 1e-12);
    }
}
