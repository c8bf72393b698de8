//! Schedules and the controller.

use crate::normal;
use proptest::prelude::*;
use superalign_core::{Estimate, Seed};
use superalign_gap::annealing::{
    Annealing, Budget, Candidate, Confidence, Config, Objective, Outcome, Policy, Round, Schedule, Scores,
};
use superalign_gap::calibration::{self, Folds, Optimum, Pair, calibrate};
use superalign_gap::{Draws, GapError};

/// A score whose draws stray by a hundredth, in the same way for every score: what they share cancels.
fn score(value: f64) -> Draws {
    normal(0.0, 0.01, 200, Seed::new(1)).map(|stray| value + stray)
}

fn scores(competence: f64, conformity: f64) -> Scores {
    Scores { competence: score(competence), conformity: score(conformity) }
}

fn outcome(competence: f64, conformity: f64) -> Outcome {
    Outcome { scores: scores(competence, conformity), competence_only: None }
}

fn candidate(rung: usize, width: usize, k: f64, cost: f64) -> Candidate {
    let capacity = Estimate { value: k, lo: k - 0.01, hi: k + 0.01 };
    Candidate { name: format!("rung-{rung}/{width}"), rung, rank: None, width: Some(width), capacity, cost }
}

/// Two widths on each of four rungs.
fn ladder() -> Vec<Candidate> {
    (0..8).map(|i| candidate(i / 2, 8 << (i % 2), 0.62 + 0.04 * i as f64, 1.0 + i as f64)).collect()
}

fn config(policy: Policy, rounds: usize) -> Config {
    Config {
        policy,
        rounds,
        budget: Budget { steps: 1000, labels: 10_000 },
        most_uses: 1,
        level: 0.95,
        teacher: scores(0.6, 0.7),
    }
}

fn linear() -> Schedule {
    Schedule::Linear { from: 0.16, to: 0.04 }
}

/// Runs to the end; students fall short of their capacity by a tenth of their gap.
fn run(mut annealing: Annealing) -> Vec<Round> {
    while let Some(round) = annealing.next() {
        let k = annealing.candidates()[round.candidate].capacity.value;
        let reached = k - 0.1 * (k - annealing.teacher().competence.value);
        annealing.record(outcome(reached, 0.7)).expect("an outcome");
    }
    annealing.records().iter().map(|record| record.round.clone()).collect()
}

#[test]
fn schedules_start_and_end_where_they_say() {
    for rounds in [2, 3, 10] {
        for schedule in [
            Schedule::Linear { from: 0.3, to: 0.1 },
            Schedule::Cosine { from: 0.3, to: 0.1 },
            Schedule::Exponential { from: 0.3, to: 0.1 },
        ] {
            assert!((schedule.target(0, rounds).unwrap() - 0.3).abs() < 1e-12);
            assert!((schedule.target(rounds - 1, rounds).unwrap() - 0.1).abs() < 1e-12);
            assert!(schedule.target(rounds, rounds).is_err());
            assert!((schedule.target(0, 1).unwrap() - 0.3).abs() < 1e-12);
        }
    }
    let at = |schedule: Schedule| schedule.target(1, 3).unwrap();
    assert!((at(Schedule::Linear { from: 0.4, to: 0.1 }) - 0.25).abs() < 1e-12);
    assert!((at(Schedule::Exponential { from: 0.4, to: 0.1 }) - 0.2).abs() < 1e-12);
    assert!((at(Schedule::Constant { gap: 0.2 }) - 0.2).abs() < 1e-12);
    // (1 + cos(pi / 4)) / 2 of the way.
    let cosine = Schedule::Cosine { from: 1.0, to: 0.0 }.target(1, 5).unwrap();
    assert!((cosine - 0.853_553_390_593_273_8).abs() < 1e-12);
}

fn band() -> Vec<(f64, Estimate)> {
    let point = |gamma, value, half| (gamma, Estimate { value, lo: value - half, hi: value + half });
    vec![point(0.0, 0.02, 0.001), point(0.1, 0.04, 0.01), point(0.2, 0.05, 0.03), point(0.3, 0.03, 0.06)]
}

#[test]
fn an_adaptive_schedule_takes_the_greatest_end_of_the_band() {
    for (confidence, expected) in
        [(Confidence::Lower, 0.1), (Confidence::Value, 0.2), (Confidence::Upper, 0.3)]
    {
        let schedule = Schedule::Adaptive { band: band(), confidence };
        assert_eq!(schedule.target(0, 4).unwrap(), expected);
        assert_eq!(schedule.target(3, 4).unwrap(), expected);
    }
    let mut annealing = Annealing::new(
        config(Policy::Annealed(Schedule::Adaptive { band: band(), confidence: Confidence::Lower }), 3),
        ladder(),
    )
    .unwrap();
    assert_eq!(annealing.next().unwrap().target, Some(0.1));
    let newer: Vec<_> = band().into_iter().skip(2).collect();
    annealing.recalibrate(newer).unwrap();
    assert_eq!(annealing.next().unwrap().target, Some(0.2));
    let mut fixed = Annealing::new(config(Policy::Direct, 3), ladder()).unwrap();
    assert!(matches!(fixed.recalibrate(band()), Err(GapError::Undefined { .. })));
    assert!(matches!(fixed.recalibrate(vec![]), Err(GapError::TooFew { .. })));
}

#[test]
fn a_calibration_steers_an_adaptive_run() {
    // Gains with a peak at .12, as the pairs of an earlier experiment show them.
    let pairs: Vec<Pair> = (0..10)
        .map(|i| {
            let gamma = 0.02 + 0.025 * f64::from(i);
            let of = |value, error, name: &str| {
                normal(value, error, 100, Seed::new(3).named(name).nth(u64::from(i)))
            };
            let gain = 0.05 - 4.0 * (gamma - 0.12_f64).powi(2);
            Pair {
                teacher: i % 3,
                student: i / 3,
                gamma: of(gamma, 0.001, "gamma"),
                gain: of(gain, 0.002, "gain"),
            }
        })
        .collect();
    let by = calibration::Config { folds: Folds::Pair, level: 0.95, seed: Seed::new(1) };
    let found = calibrate(&pairs, &by).unwrap();
    let Optimum::Interior { gamma, .. } = found.optimum else { panic!("{:?}", found.optimum) };
    let schedule = Schedule::Adaptive { band: found.band(201).unwrap(), confidence: Confidence::Value };
    let annealing = Annealing::new(config(Policy::Annealed(schedule), 2), ladder()).unwrap();
    let round = annealing.next().unwrap();
    assert!((round.target.unwrap() - gamma.value).abs() < 0.002 && gamma.covers(0.12));
    // C = .60: the student with K = .74 or .70, whose gap is nearest .12.
    assert!([2, 3].contains(&round.candidate) && (round.gap.value - 0.12).abs() < 0.03);
}

#[test]
fn each_round_takes_the_nearest_gap_under_the_new_teacher() {
    let rounds = run(Annealing::new(config(Policy::Annealed(linear()), 4), ladder()).unwrap());
    // C = .60, targets .16, .12, .08, .04. K = .62, .66, ... .90. Nearest to .76: .74 or .78, the cheaper.
    let mut c = 0.6;
    let mut used = vec![];
    for (round, target) in rounds.iter().zip([0.16, 0.12, 0.08, 0.04]) {
        assert!((round.target.unwrap() - target).abs() < 1e-12);
        let distance = |place: usize| (0.62 + 0.04 * place as f64 - c - target).abs();
        for place in (0..8).filter(|place| !used.contains(place)) {
            assert!(distance(round.candidate) <= distance(place) + 1e-9);
        }
        let k = 0.62 + 0.04 * round.candidate as f64;
        assert!((round.gap.value - (k - c)).abs() < 1e-9 && round.gap.lo < k - c && round.gap.hi > k - c);
        used.push(round.candidate);
        c = k - 0.1 * (k - c);
    }
    assert_eq!(rounds[0].candidate, 3);
}

#[test]
fn of_equally_near_candidates_the_cheapest_is_taken() {
    let twins = vec![candidate(0, 8, 0.7, 3.0), candidate(0, 16, 0.7, 2.0), candidate(0, 32, 0.7, 2.0)];
    let annealing = Annealing::new(config(Policy::Annealed(linear()), 3), twins).unwrap();
    assert_eq!(run(annealing).iter().map(|round| round.candidate).collect::<Vec<_>>(), [1, 2, 0]);
}

#[test]
fn baselines_do_what_they_are_called() {
    let of = |policy, rounds| run(Annealing::new(config(policy, rounds), ladder()).unwrap());
    let places = |rounds: &[Round]| rounds.iter().map(|round| round.candidate).collect::<Vec<_>>();
    let direct = of(Policy::Direct, 4);
    assert_eq!(places(&direct), [7]);
    assert_eq!(direct[0].budget, Budget { steps: 1000, labels: 10_000 });
    assert_eq!(places(&of(Policy::FixedSteps, 4)), [1, 3, 5, 7]);
    assert_eq!(places(&of(Policy::FixedSteps, 8)), [1, 0, 3, 2, 5, 4, 7, 6]);
    let targets = |rounds: &[Round]| rounds.iter().filter_map(|round| round.target).collect::<Vec<_>>();
    let mut reversed = targets(&of(Policy::Reversed(linear()), 4));
    reversed.reverse();
    assert_eq!(reversed, targets(&of(Policy::Annealed(linear()), 4)));
    let random = |seed| places(&of(Policy::Random(Seed::new(seed)), 5));
    assert_eq!(random(1), random(1));
    assert!((2..9).any(|seed| random(seed) != random(1)));
}

#[test]
fn random_rounds_take_all_candidates_equally_often() {
    let mut seen = [0; 8];
    for seed in 0..2000 {
        let annealing = Annealing::new(config(Policy::Random(Seed::new(seed)), 2), ladder()).unwrap();
        seen[annealing.next().unwrap().candidate] += 1;
    }
    // 250 each, standard deviation 15.
    assert!(seen.iter().all(|&count| (190..310).contains(&count)), "{seen:?}");
}

#[test]
fn a_round_stands_until_its_outcome_is_recorded() {
    let mut annealing = Annealing::new(config(Policy::Annealed(linear()), 2), ladder()).unwrap();
    let round = annealing.next();
    assert_eq!(annealing.next(), round);
    // A refused outcome changes nothing.
    let before = annealing.clone();
    let few = Scores { competence: Draws { value: 0.7, draws: vec![0.7; 3] }, conformity: score(0.7) };
    assert!(matches!(
        annealing.record(Outcome { scores: few, competence_only: None }),
        Err(GapError::Shape { what: "number of draws", .. })
    ));
    assert!(
        annealing.record(outcome(1.2, 0.7)).is_err() && annealing.record(outcome(0.7, f64::NAN)).is_err()
    );
    assert_eq!(annealing, before);
    annealing.record(outcome(0.7, 0.7)).unwrap();
    annealing.record(outcome(0.75, 0.7)).unwrap();
    assert_eq!(annealing.next(), None);
    assert_eq!(annealing.record(outcome(0.8, 0.7)), Err(GapError::Over { rounds: 2 }));
}

#[test]
fn tax_and_regressions_are_paired_differences() {
    let mut annealing = Annealing::new(config(Policy::Annealed(linear()), 3), ladder()).unwrap();
    let alone = Some(score(0.72));
    let first = annealing.record(Outcome { scores: scores(0.70, 0.75), competence_only: alone }).unwrap();
    let tax = first.tax.unwrap();
    assert!((tax.value - 0.02).abs() < 1e-12 && tax.hi - tax.lo < 1e-9 && first.regressions.is_empty());
    assert!((first.gain.value - 0.1).abs() < 1e-12);
    // Draws that are shared cancel, so that a fall of .005 is seen beside errors of .01.
    let second = annealing.record(outcome(0.695, 0.80)).unwrap().clone();
    assert_eq!(second.regressions.len(), 1);
    assert_eq!(second.regressions[0].objective, Objective::Competence);
    assert!((second.regressions[0].change.value + 0.005).abs() < 1e-12);
    // With draws of their own it is lost in them.
    let own = |value, seed| normal(value, 0.01, 200, Seed::new(seed));
    let third = annealing
        .record(Outcome {
            scores: Scores { competence: own(0.69, 8), conformity: own(0.70, 9) },
            competence_only: None,
        })
        .unwrap();
    assert_eq!(third.regressions.len(), 1);
    assert_eq!(third.regressions[0].objective, Objective::Conformity);
    assert_eq!(third.tax, None);
}

#[test]
fn refused_runs_say_why() {
    let refused = |change: &dyn Fn(&mut Config, &mut Vec<Candidate>)| {
        let (mut config, mut candidates) = (config(Policy::Annealed(linear()), 4), ladder());
        change(&mut config, &mut candidates);
        Annealing::new(config, candidates).unwrap_err()
    };
    let key = |error: GapError| match error {
        GapError::Setting { key, .. } => key,
        other => panic!("{other}"),
    };
    assert_eq!(key(refused(&|config, _| config.rounds = 0)), "rounds");
    assert_eq!(key(refused(&|config, _| config.most_uses = 0)), "most_uses");
    assert_eq!(key(refused(&|config, _| config.rounds = 9)), "most_uses");
    assert_eq!(key(refused(&|config, _| config.budget.steps = 3)), "budget.steps");
    assert_eq!(key(refused(&|config, _| config.budget.labels = 3)), "budget.labels");
    assert_eq!(key(refused(&|config, _| config.teacher.competence.value = -0.1)), "competence");
    let with = |schedule: Schedule| refused(&|config, _| config.policy = Policy::Annealed(schedule.clone()));
    assert_eq!(key(with(Schedule::Constant { gap: f64::NAN })), "gap");
    assert_eq!(key(with(Schedule::Linear { from: 1.5, to: 0.0 })), "from");
    assert_eq!(key(with(Schedule::Exponential { from: 0.5, to: 0.0 })), "to");
    let falling = band().into_iter().rev().collect();
    let adaptive = Schedule::Adaptive { band: falling, confidence: Confidence::Value };
    assert!(matches!(with(adaptive), GapError::Value { what: "gamma of band", index: 1, .. }));
    assert!(matches!(refused(&|_, candidates| candidates.clear()), GapError::TooFew { .. }));
    assert!(matches!(
        refused(&|_, candidates| candidates[2].capacity.hi = 1.5),
        GapError::Value { what: "capacity of candidate", index: 2, .. }
    ));
    let few = refused(&|config, _| (config.policy, config.rounds) = (Policy::FixedSteps, 3));
    assert_eq!(key(few), "rounds");
    // Two rungs, of which one has a single candidate for two rounds.
    let uses = refused(&|config, candidates| {
        config.policy = Policy::FixedSteps;
        candidates.truncate(3);
        candidates.push(candidate(0, 64, 0.5, 1.0));
    });
    assert_eq!(key(uses), "most_uses");
}

fn policies() -> impl Strategy<Value = Policy> {
    prop_oneof![
        (0.0..0.3_f64, 0.0..0.3_f64).prop_map(|(from, to)| Policy::Annealed(Schedule::Cosine { from, to })),
        (0.01..0.3_f64, 0.01..0.3_f64)
            .prop_map(|(from, to)| Policy::Reversed(Schedule::Exponential { from, to })),
        Just(Policy::Direct),
        Just(Policy::FixedSteps),
        (0_u64..99).prop_map(|seed| Policy::Random(Seed::new(seed))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn every_policy_spends_the_same_and_overuses_nobody(
        policy in policies(), rounds in 4_usize..8, most_uses in 1_usize..3, steps in 8_u64..5000, labels in 8_u64..5000,
    ) {
        let budget = Budget { steps, labels };
        let config = Config { budget, most_uses, ..config(policy, rounds) };
        let found = run(Annealing::new(config, ladder()).unwrap());
        prop_assert_eq!(found.iter().map(|round| round.budget.steps).sum::<u64>(), steps);
        prop_assert_eq!(found.iter().map(|round| round.budget.labels).sum::<u64>(), labels);
        let parts: Vec<u64> = found.iter().map(|round| round.budget.steps).collect();
        prop_assert!(parts.iter().max().unwrap() - parts.iter().min().unwrap() <= 1);
        for place in 0..8 {
            prop_assert!(found.iter().filter(|round| round.candidate == place).count() <= most_uses);
        }
        prop_assert!(found.iter().enumerate().all(|(number, round)| round.number == number));
    }

    #[test]
    fn targets_stay_between_their_ends(from in 0.001..1.0_f64, to in 0.001..1.0_f64, rounds in 1_usize..20) {
        for schedule in [
            Schedule::Linear { from, to }, Schedule::Cosine { from, to }, Schedule::Exponential { from, to },
        ] {
            let targets: Vec<f64> = (0..rounds).map(|t| schedule.target(t, rounds).unwrap()).collect();
            for &target in &targets {
                prop_assert!(from.min(to) - 1e-12 <= target && target <= from.max(to) + 1e-12);
            }
            for pair in targets.windows(2) {
                prop_assert!((pair[1] - pair[0]) * (to - from) >= -1e-12);
            }
        }
    }
}
