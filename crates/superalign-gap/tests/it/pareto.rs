//! The front and the area below it.

use crate::normal;
use proptest::prelude::*;
use superalign_core::Seed;
use superalign_gap::{front_of_students, hypervolume, pareto_front};

const CHANCE: (f64, f64) = (0.5, 0.5);

/// The area by inclusion and exclusion over all subsets.
fn by_subsets(points: &[(f64, f64)]) -> f64 {
    let mut area = 0.0;
    for subset in 1_u32..1 << points.len() {
        let (mut x, mut y) = (1.0_f64, 1.0_f64);
        for (place, point) in points.iter().enumerate() {
            if subset >> place & 1 == 1 {
                (x, y) = (x.min(point.0), y.min(point.1));
            }
        }
        let sign = if subset.count_ones() % 2 == 1 { 1.0 } else { -1.0 };
        area += sign * (x - CHANCE.0).max(0.0) * (y - CHANCE.1).max(0.0);
    }
    area
}

#[test]
fn what_is_not_above_chance_adds_nothing() {
    assert_eq!(hypervolume(&[(0.4, 0.9), (0.9, 0.5), (0.3, 0.2)], CHANCE).unwrap(), 0.0);
    assert_eq!(hypervolume(&[(1.0, 1.0)], CHANCE).unwrap(), 0.25);
}

#[test]
fn a_clear_front_is_there_in_every_draw() {
    let score = |value, seed| normal(value, 0.005, 300, Seed::new(seed));
    let students = [
        (score(0.85, 1), score(0.60, 2)),
        (score(0.70, 3), score(0.80, 4)),
        (score(0.65, 5), score(0.70, 6)),
        // A near twin of the second: on the front in about half of the draws or more.
        (score(0.70, 7), score(0.80, 8)),
    ];
    let found = front_of_students(&students, CHANCE, 0.95).unwrap();
    assert_eq!(found.members, [1, 3, 0]);
    assert!(found.presence[0] > 0.99 && found.presence[2] < 0.01, "{:?}", found.presence);
    assert!(found.presence[1] > 0.5 && found.presence[1] < 1.0);
    assert!(found.hypervolume.lo < found.hypervolume.value && found.hypervolume.value < found.hypervolume.hi);
}

fn points() -> impl Strategy<Value = Vec<(f64, f64)>> {
    // Steps of .05, so that ties are common.
    proptest::collection::vec((0_u8..=20, 0_u8..=20), 1..9)
        .prop_map(|list| list.into_iter().map(|(x, y)| (f64::from(x) / 20.0, f64::from(y) / 20.0)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_area_is_that_of_all_subsets(points in points()) {
        prop_assert!((hypervolume(&points, CHANCE).unwrap() - by_subsets(&points)).abs() < 1e-12);
    }

    #[test]
    fn only_the_front_counts_and_the_order_does_not(points in points(), other in 0_usize..9) {
        let area = hypervolume(&points, CHANCE).unwrap();
        let members: Vec<_> = pareto_front(&points).unwrap().into_iter().map(|place| points[place]).collect();
        prop_assert!((hypervolume(&members, CHANCE).unwrap() - area).abs() < 1e-12);
        prop_assert_eq!(pareto_front(&members).unwrap().len(), members.len());
        let mut turned = points.clone();
        turned.rotate_left(other % points.len());
        prop_assert!((hypervolume(&turned, CHANCE).unwrap() - area).abs() < 1e-12);
        // Competence and conformity are alike.
        let mirrored: Vec<_> = points.iter().map(|&(x, y)| (y, x)).collect();
        prop_assert!((hypervolume(&mirrored, CHANCE).unwrap() - area).abs() < 1e-12);
    }

    #[test]
    fn another_student_never_shrinks_the_area(points in points(), x in 0.0..=1.0_f64, y in 0.0..=1.0_f64) {
        let before = hypervolume(&points, CHANCE).unwrap();
        let mut more = points;
        more.push((x, y));
        prop_assert!(hypervolume(&more, CHANCE).unwrap() >= before - 1e-12);
    }
}
