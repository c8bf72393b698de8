//! Calibration: planted shapes are recovered, and what the data leave open is said to be open.

use crate::normal;
use proptest::prelude::*;
use superalign_core::Seed;
use superalign_gap::calibration::{
    Calibration, Config, Direction, Folds, NoOptimum, Optimum, Pair, Shape, calibrate,
};
use superalign_gap::{Draws, GapError};

const CONFIG: Config = Config { folds: Folds::Pair, level: 0.95, seed: Seed::new(9) };
const SETS: u64 = 200;
const DRAWS: usize = 100;

/// Twelve pairs of four teachers, gammas from .02 to .35, measured with errors: the gains by .004, the gammas by .002.
fn planted(gain: impl Fn(f64) -> f64, extra: f64, seed: Seed) -> Vec<Pair> {
    (0..12)
        .map(|i| {
            let gamma = 0.02 + 0.03 * f64::from(i);
            let of = |name: &str| seed.named(name).nth(u64::from(i));
            let shift = |name: &str, error: f64| normal(0.0, error, 1, of(name)).draws[0];
            let measured = gain(gamma) + shift("gain", 0.004) + shift("pair", extra);
            Pair {
                teacher: i % 4,
                student: i / 4,
                gamma: normal(gamma + shift("gamma", 0.002), 0.002, DRAWS, of("gamma draws")),
                gain: normal(measured, 0.004, DRAWS, of("gain draws")),
            }
        })
        .collect()
}

fn peak(gamma: f64) -> f64 {
    0.05 - 2.0 * (gamma - 0.17).powi(2)
}

/// What came out of all simulated sets.
#[derive(Debug, Default)]
struct Tally {
    shapes: [usize; 3],
    interior: usize,
    covered: usize,
    /// Intervals of the optimum, interior or not sure, that cover the planted one.
    covered_any: usize,
    any: usize,
    rising: usize,
    falling: usize,
    flat: usize,
    unsure: usize,
}

fn tally(name: &str, gain: impl Fn(f64) -> f64, extra: f64, at: f64) -> Tally {
    let mut found = Tally::default();
    for set in 0..SETS {
        let seed = Seed::new(77).named(name).nth(set);
        let fitted = calibrate(&planted(&gain, extra, seed), &Config { seed, ..CONFIG }).unwrap();
        found.shapes[fitted.shape as usize] += 1;
        match fitted.optimum {
            Optimum::Interior { gamma, .. } => {
                found.interior += 1;
                found.covered += usize::from(gamma.covers(at));
                found.any += 1;
                found.covered_any += usize::from(gamma.covers(at));
            }
            Optimum::None(NoOptimum::Rising) => found.rising += 1,
            Optimum::None(NoOptimum::Falling) => found.falling += 1,
            Optimum::None(NoOptimum::Flat { .. }) => found.flat += 1,
            Optimum::None(NoOptimum::Unsure { gamma }) => {
                found.unsure += 1;
                found.any += 1;
                found.covered_any += usize::from(gamma.covers(at));
            }
        }
    }
    found
}

#[test]
fn a_planted_peak_is_found_and_covered() {
    let found = tally("peak", peak, 0.0, 0.17);
    assert!(found.shapes[Shape::Unimodal as usize] >= 190, "{found:?}");
    assert!(found.interior >= 150, "{found:?}");
    let share = found.covered_any as f64 / found.any as f64;
    assert!(share >= 0.90, "{share}");
}

#[test]
fn pairs_that_vary_beyond_their_errors_widen_the_interval() {
    let found = tally("varied peak", peak, 0.006, 0.17);
    let share = found.covered_any as f64 / found.any as f64;
    assert!(share >= 0.88, "{share}: {found:?}");
    let pairs = |extra| planted(peak, extra, Seed::new(5));
    let spread = |extra| calibrate(&pairs(extra), &CONFIG).unwrap().spread;
    assert!(spread(0.02) > 0.01, "{}", spread(0.02));
}

#[test]
fn gains_that_only_rise_or_only_fall_have_no_interior_optimum() {
    for (name, gain) in [
        ("line", Box::new(|g: f64| 0.2 * g) as Box<dyn Fn(f64) -> f64>),
        ("levelling off", Box::new(|g: f64| 0.06 * (1.0 - (-g / 0.12).exp()))),
        ("speeding up", Box::new(|g: f64| 0.5 * g * g)),
    ] {
        let found = tally(name, &gain, 0.0, 0.35);
        assert!(found.interior <= 10, "{name}: {found:?}");
        assert!(found.rising >= 120 && found.falling == 0, "{name}: {found:?}");
        let name = format!("falling {name}");
        let found = tally(&name, |g| gain(0.37 - g), 0.0, 0.02);
        assert!(found.interior <= 10, "{name}: {found:?}");
        assert!(found.falling >= 120 && found.rising == 0, "{name}: {found:?}");
    }
}

#[test]
fn level_gains_are_flat() {
    let found = tally("flat", |_| 0.03, 0.0, 0.0);
    assert!(found.flat >= 150, "{found:?}");
    assert!(found.interior <= 4, "{found:?}");
}

#[test]
fn teachers_can_be_left_out_whole() {
    let config = Config { folds: Folds::Teacher, ..CONFIG };
    let found = calibrate(&planted(peak, 0.0, Seed::new(3)), &config).unwrap();
    assert_eq!(found.shape, Shape::Unimodal);
    let mut two = planted(peak, 0.0, Seed::new(3));
    two.iter_mut().for_each(|pair| pair.teacher %= 2);
    let refused = calibrate(&two, &config);
    assert_eq!(refused, Err(GapError::TooFew { what: "teachers", found: 2, expected: 3 }));
}

#[test]
fn refused_calibrations_say_why() {
    let good = planted(peak, 0.0, Seed::new(3));
    let refused = |change: &dyn Fn(&mut Vec<Pair>)| {
        let mut pairs = good.clone();
        change(&mut pairs);
        calibrate(&pairs, &CONFIG).unwrap_err()
    };
    assert_eq!(
        refused(&|pairs| pairs.truncate(3)),
        GapError::TooFew { what: "distinct gammas", found: 3, expected: 4 }
    );
    assert_eq!(
        refused(&|pairs| pairs.clear()),
        GapError::TooFew { what: "distinct gammas", found: 0, expected: 4 }
    );
    // Many pairs, few gammas.
    let same = refused(&|pairs| {
        let gammas: Vec<Draws> = pairs[..3].iter().map(|pair| pair.gamma.clone()).collect();
        pairs.iter_mut().enumerate().for_each(|(i, pair)| pair.gamma = gammas[i % 3].clone());
    });
    assert_eq!(same, GapError::TooFew { what: "distinct gammas", found: 3, expected: 4 });
    assert!(matches!(
        refused(&|pairs| pairs[4].gain.draws.truncate(7)),
        GapError::Shape { what: "number of draws", found: 7, expected: DRAWS }
    ));
    assert!(matches!(refused(&|pairs| pairs[4].gain.value = f64::NAN), GapError::Value { index: 4, .. }));
    assert!(matches!(
        refused(&|pairs| pairs[4].gain.draws.fill(0.1)),
        GapError::Value { what: "standard error of the gain of pair", index: 4, .. }
    ));
    assert!(matches!(
        calibrate(&good, &Config { level: 1.0, ..CONFIG }),
        Err(GapError::Setting { key: "level", .. })
    ));
}

fn fitted() -> Calibration {
    calibrate(&planted(peak, 0.0, Seed::new(3)), &CONFIG).unwrap()
}

#[test]
fn a_band_covers_the_planted_curve_and_ends_with_the_range() {
    let found = fitted();
    let band = found.band(21).unwrap();
    let covered = band.iter().filter(|(gamma, gain)| gain.covers(peak(*gamma))).count();
    assert!(covered >= 18, "{covered}");
    assert_eq!((band[0].0, band[20].0), found.range);
    assert!(found.gain_at(found.range.1 + 0.01).is_err() && found.gain_at(f64::NAN).is_err());
    assert!((found.scores.iter().map(|score| score.chosen).sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn advice_is_the_optimum_moved_by_the_capability() {
    let found = fitted();
    let Optimum::Interior { gamma, .. } = found.optimum else { panic!("{:?}", found.optimum) };
    let Direction::Between { low, high, .. } = found.advise("rung-1", 0.66).unwrap().direction else {
        panic!()
    };
    assert!((low - 0.66 - gamma.lo).abs() < 1e-12 && (high - 0.66 - gamma.hi).abs() < 1e-12);
    // A student cannot be better than perfect.
    let Direction::Between { high, .. } = found.advise("rung-4", 0.825).unwrap().direction else { panic!() };
    assert_eq!(high, 1.0);
    assert!(matches!(found.advise("oracle", 1.0), Err(GapError::Undefined { .. })));
    assert!(matches!(found.advise("none", 1.2), Err(GapError::Setting { .. })));
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    assert_eq!(fitted(), fitted());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_pairs_changes_nothing(seed in 0_u64..1000, turn in 1_usize..12) {
        let pairs = planted(peak, 0.0, Seed::new(seed));
        let mut turned = pairs.clone();
        turned.rotate_left(turn);
        let (a, b) = (calibrate(&pairs, &CONFIG).unwrap(), calibrate(&turned, &CONFIG).unwrap());
        prop_assert_eq!(a.shape, b.shape);
        for gamma in [0.05, 0.15, 0.25] {
            prop_assert!((a.curve.at(gamma) - b.curve.at(gamma)).abs() < 1e-9);
        }
    }

    #[test]
    fn a_shift_of_gamma_or_gain_moves_the_curve_with_it(seed in 0_u64..1000, by in -0.2..0.2_f64, up in -0.2..0.2_f64) {
        let pairs = planted(peak, 0.0, Seed::new(seed));
        let mut moved = pairs.clone();
        for pair in &mut moved {
            pair.gamma = pair.gamma.map(|gamma| gamma + by);
            pair.gain = pair.gain.map(|gain| gain + up);
        }
        let (a, b) = (calibrate(&pairs, &CONFIG).unwrap(), calibrate(&moved, &CONFIG).unwrap());
        prop_assert_eq!(a.shape, b.shape);
        for gamma in [0.05, 0.15, 0.25] {
            prop_assert!((a.curve.at(gamma) + up - b.curve.at(gamma + by)).abs() < 1e-9);
        }
        if let (Optimum::Interior { gamma: a, .. }, Optimum::Interior { gamma: b, .. }) = (a.optimum, b.optimum) {
            prop_assert!((a.value + by - b.value).abs() < 1e-9);
        }
    }
}
