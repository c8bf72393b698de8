//! The quantities against published values, limits and invariances.

use ndarray::{Array2, Axis};
use proptest::prelude::*;
use superalign_core::Seed;
use superalign_gap::{
    Bootstrap, GapError, agreement, capability, capability_over_seeds, gain, noise_fitting_capacity,
    performance_gap_recovered, recovered_share, supervision_gap,
};

const BY: Bootstrap = Bootstrap { draws: 300, level: 0.95, seed: Seed::new(3) };

/// `right` of `n` items answered rightly, in one row.
fn row(n: usize, right: usize) -> Array2<bool> {
    Array2::from_shape_fn((1, n), |(_, i)| i * right / n != (i + 1) * right / n)
}

#[test]
fn the_plain_formula_gives_the_published_shares() {
    for (weak, transfer, ceiling, expected) in [
        (0.5279592240696753, 0.604117181314331, 0.7325316706254948, 0.37227866473149535),
        (0.5360266159695817, 0.596958174904943, 0.7175855513307985, 0.3356020942408379),
    ] {
        let found = recovered_share(weak, transfer, ceiling).expect("a share");
        assert!((found - expected).abs() < 1e-12, "{found}");
    }
}

#[test]
fn a_pair_at_chance_has_no_share() {
    // A published table reports .81 for a weak supervisor at .492 and a ceiling at .496.
    let (weak, transfer, ceiling) = (row(1000, 492), row(1000, 495), row(1000, 496));
    let found = performance_gap_recovered(weak.view(), transfer.view(), ceiling.view(), None, &BY);
    let Err(GapError::NoGap { gap }) = found else { panic!("{found:?}") };
    assert!(gap.covers(0.0) && (gap.value - 0.004).abs() < 1e-12);
}

#[test]
fn published_shares_come_with_intervals_where_the_items_are_there() {
    // The published capabilities as shares of 10,000 items: the value follows them to a digit of the counts.
    let n = 10_000;
    for (weak, transfer, ceiling, expected) in
        [(0.52796, 0.60412, 0.73253, 0.37227866473149535), (0.53603, 0.59696, 0.71759, 0.3356020942408379)]
    {
        let right = |share: f64| row(n, (n as f64 * share).round() as usize);
        let terms = (right(weak), right(transfer), right(ceiling));
        let found = performance_gap_recovered(terms.0.view(), terms.1.view(), terms.2.view(), None, &BY);
        let found = found.expect("a share");
        assert!((found.value - expected).abs() < 1e-3 && found.covers(expected), "{found}");
        assert!(found.lo > 0.25 && found.hi < 0.5, "{found}");
    }
}

#[test]
fn chance_at_the_size_of_the_published_test_is_refused() {
    // 8,552 pairs, independent answers, three seeds: .492, .495 and .496 are not told apart.
    for seed in 0..5 {
        let of = |name: &str, right| crate::coins(3, 8552, right, Seed::new(seed).named(name));
        let (weak, transfer, ceiling) = (of("weak", 0.492), of("transfer", 0.495), of("ceiling", 0.496));
        let found = performance_gap_recovered(weak.view(), transfer.view(), ceiling.view(), None, &BY);
        assert!(matches!(found, Err(GapError::NoGap { .. })), "{found:?}");
    }
}

#[test]
fn undefined_quantities_say_why() {
    let few = row(19, 10);
    assert_eq!(
        capability_over_seeds(few.view(), None, &BY).unwrap_err().to_string(),
        "19 items: expected at least 20"
    );
    let (one, other) = (row(100, 50), row(101, 50));
    assert_eq!(
        gain(one.view(), other.view(), None, &BY).unwrap_err().to_string(),
        "number of items: found 101, expected 100"
    );
    let groups: Vec<u32> = (0..100).map(|i| i / 25).collect();
    assert_eq!(
        capability_over_seeds(one.view(), Some(&groups), &BY).unwrap_err().to_string(),
        "the items fall into 4 groups: expected at least 5, since items of a group are drawn together"
    );
    assert_eq!(
        capability_over_seeds(one.view(), None, &Bootstrap { level: 1.5, ..BY }).unwrap_err().to_string(),
        "bootstrap: level = 1.5: expected a number between 0 and 1"
    );
    assert_eq!(
        capability_over_seeds(Array2::from_elem((0, 100), true).view(), None, &BY),
        Err(GapError::NoSeeds)
    );
    for ratios in [vec![0.0, 0.5], vec![0.0], vec![0.0, 0.7, 0.6, 1.0], vec![0.0, f64::NAN, 1.0]] {
        let fits = vec![row(100, 50); ratios.len()];
        assert!(matches!(noise_fitting_capacity(&ratios, &fits, None, &BY), Err(GapError::Ratios { .. })));
    }
}

#[test]
fn the_interval_has_the_width_that_theory_says() {
    // sqrt(p (1 - p) / n) * 1.96 on either side, for independent items.
    let found = capability_over_seeds(row(10_000, 7_000).view(), None, &Bootstrap { draws: 4000, ..BY });
    let found = found.expect("an estimate");
    let half = 1.96 * (0.7_f64 * 0.3 / 10_000.0).sqrt();
    assert!((found.value - 0.7).abs() < 1e-12);
    assert!(((found.hi - found.lo) / (2.0 * half) - 1.0).abs() < 0.08, "{found}");
}

#[test]
fn what_terms_have_in_common_cancels() {
    // The student is right where its supervisor is, and on 50 items more: the gain is surer than either term.
    let weak = Array2::from_shape_fn((1, 1000), |(_, i)| i < 500);
    let student = Array2::from_shape_fn((1, 1000), |(_, i)| i < 550);
    let found = gain(weak.view(), student.view(), None, &BY).expect("a gain");
    let alone = capability_over_seeds(weak.view(), None, &BY).expect("a capability");
    assert!((found.value - 0.05).abs() < 1e-12);
    assert!(found.hi - found.lo < 0.6 * (alone.hi - alone.lo), "{found} against {alone}");
}

#[test]
fn memorising_nothing_or_everything_bounds_the_capacity() {
    let ratios: Vec<f64> = (0..=10).map(|i| f64::from(i) / 10.0).collect();
    let at = |accuracy: &dyn Fn(f64) -> f64| {
        let fits: Vec<_> =
            ratios.iter().map(|&r| row(1000, (1000.0 * accuracy(r)).round() as usize)).collect();
        noise_fitting_capacity(&ratios, &fits, None, &BY).expect("a capacity").value
    };
    assert!((at(&|_| 1.0) - 1.0).abs() < 1e-12);
    assert!(at(&|_| 0.5).abs() < 1e-12);
    assert!((at(&|r| r.max(1.0 - r)) - 0.5).abs() < 1e-12);
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let answers = row(500, 301);
    let once = capability_over_seeds(answers.view(), None, &BY);
    assert_eq!(once, capability_over_seeds(answers.view(), None, &BY));
    let other = capability_over_seeds(answers.view(), None, &Bootstrap { seed: Seed::new(4), ..BY });
    assert_ne!(once, other);
}

fn answers() -> impl Strategy<Value = Vec<bool>> {
    proptest::collection::vec(any::<bool>(), 20..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_capability_is_a_share_within_its_interval(correct in answers()) {
        let found = capability(&correct, None, &BY).expect("an estimate");
        prop_assert!(0.0 <= found.lo && found.lo <= found.hi && found.hi <= 1.0);
        prop_assert!(found.covers(found.value));
    }

    #[test]
    fn renaming_groups_changes_nothing(correct in answers(), shift in 1_u32..1000) {
        let groups: Vec<u32> = (0..correct.len() as u32).map(|i| i / 2).collect();
        let renamed: Vec<u32> = groups.iter().map(|g| g.wrapping_mul(7919).wrapping_add(shift)).collect();
        prop_assert_eq!(capability(&correct, Some(&groups), &BY), capability(&correct, Some(&renamed), &BY));
    }

    #[test]
    fn gain_and_gap_change_sign_with_their_terms(a in answers()) {
        let b: Vec<bool> = a.iter().rev().map(|x| !x).collect();
        let (a, b) = (Array2::from_shape_vec((1, a.len()), a).unwrap(), Array2::from_shape_vec((1, b.len()), b).unwrap());
        let there = gain(a.view(), b.view(), None, &BY).expect("a gain");
        let back = supervision_gap(b.view(), a.view(), None, &BY).expect("a gap");
        prop_assert!((there.value + back.value).abs() < 1e-12);
        prop_assert!((there.lo + back.hi).abs() < 1e-12);
    }

    #[test]
    fn agreement_does_not_depend_on_the_order_of_its_terms(a in answers(), b in answers()) {
        let n = a.len().min(b.len());
        let a = Array2::from_shape_vec((1, n), a[..n].to_vec()).unwrap();
        let b = Array2::from_shape_vec((1, n), b[..n].to_vec()).unwrap();
        let found = agreement(a.view(), b.view(), None, &BY);
        prop_assert_eq!(&found, &agreement(b.view(), a.view(), None, &BY));
        let flipped = (a.mapv(|x| !x), b.mapv(|x| !x));
        prop_assert_eq!(found, agreement(flipped.0.view(), flipped.1.view(), None, &BY));
    }

    #[test]
    fn repeating_a_seed_changes_no_value(correct in answers()) {
        let one = Array2::from_shape_vec((1, correct.len()), correct).unwrap();
        let three = ndarray::concatenate(Axis(0), &[one.view(), one.view(), one.view()]).unwrap();
        let (a, b) = (capability_over_seeds(one.view(), None, &BY), capability_over_seeds(three.view(), None, &BY));
        prop_assert!((a.expect("one").value - b.expect("three").value).abs() < 1e-12);
    }
}
