//! What must hold for trunks: capacity follows rank and width, plans and early stopping keep their word.

use ndarray::{Array1, Array2, array, s};
use proptest::prelude::*;
use superalign_core::Seed;
use superalign_learner::{
    Anneal, Head, Items, LearnerError, Loss, Phase, Plan, Rate, Stopping, Trunk, TrunkConfig, TrunkItems,
    TrunkProblem, fit_trunks,
};

fn normals(n: usize, d: usize, seed: u64) -> Array2<f32> {
    let mut rng = Seed::new(seed).rng();
    Array2::from_shape_simple_fn((n, d), || (0..12).map(|_| rng.random::<f32>() - 0.5).sum())
}

fn coins(n: usize, seed: u64) -> Array1<f64> {
    let mut rng = Seed::new(seed).rng();
    Array1::from_shape_simple_fn(n, || f64::from(u8::from(rng.random::<bool>())))
}

/// Whether the first eight features are far from the origin, which no projection onto a line shows.
fn shell(x: &Array2<f32>) -> Array1<f64> {
    x.outer_iter()
        .map(|row| f64::from(u8::from(row.slice(s![..8]).iter().map(|v| v * v).sum::<f32>() > 7.34)))
        .collect()
}

fn side(x: &Array2<f32>) -> Array1<f64> {
    x.outer_iter().map(|row| f64::from(u8::from(row[0] > row[1]))).collect()
}

fn problem<'a>(
    competence: &'a Array1<f64>,
    conformity: impl Into<Option<&'a Array1<f64>>>,
    seed: u64,
) -> TrunkProblem<'a> {
    let conformity: Option<&'a Array1<f64>> = conformity.into();
    TrunkProblem {
        competence: Some(competence.view()),
        conformity: conformity.map(|labels| labels.view()),
        seed: Seed::new(seed),
        start: None,
    }
}

fn shared(x: &Array2<f32>) -> TrunkItems<'_> {
    TrunkItems::Shared(Items::new(x.view()))
}

fn train(items: &TrunkItems<'_>, problem: TrunkProblem<'_>, config: &TrunkConfig) -> Trunk {
    fit_trunks(items, &[problem], config).remove(0).expect("a trunk")
}

fn accuracy(trunk: &Trunk, x: &Array2<f32>, head: Head, labels: &Array1<f64>) -> f64 {
    let labels: Vec<bool> = labels.iter().map(|y| *y >= 0.5).collect();
    trunk.accuracy(x.view(), head, &labels).expect("columns")
}

const COMPETENCE: TrunkConfig = TrunkConfig {
    rank: 8,
    width: 64,
    steps: 600,
    batch: 128,
    learning_rate: 0.01,
    rate: Rate::Cosine { warmup: 0.05 },
    decay: 0.01,
    loss: Loss::CrossEntropy,
    plan: Plan::CompetenceOnly,
    stopping: Stopping::None,
    scaling: superalign_learner::Scaling::UnitVariance,
};

#[test]
fn a_bottleneck_of_rank_one_cannot_learn_what_one_of_rank_eight_can() {
    let (x, new) = (normals(4000, 12, 1), normals(1000, 12, 2));
    let (y, truth) = (shell(&x), shell(&new));
    let reached = |rank| {
        let trunk = train(&shared(&x), problem(&y, None, 3), &TrunkConfig { rank, ..COMPETENCE });
        assert_eq!((trunk.rank(), trunk.width()), (rank, 64));
        accuracy(&trunk, &new, Head::Competence, &truth)
    };
    let (one, eight) = (reached(1), reached(8));
    assert!(one < 0.65 && eight > 0.85, "{one} {eight}");
}

#[test]
fn larger_trunks_fit_more_noise() {
    let x = normals(300, 32, 5);
    let y = coins(300, 6);
    let reached = |rank, width| {
        let config = TrunkConfig { rank, width, ..COMPETENCE };
        accuracy(&train(&shared(&x), problem(&y, None, 7), &config), &x, Head::Competence, &y)
    };
    let by_rank = [1, 2, 8, 32].map(|rank| reached(rank, 64));
    assert!(by_rank.windows(2).all(|w| w[0] + 0.02 < w[1]) || by_rank[3] == 1.0, "{by_rank:?}");
    assert!(by_rank[0] < 0.8 && by_rank[3] > 0.99, "{by_rank:?}");
    let by_width = [1, 4, 32].map(|width| reached(16, width));
    assert!(by_width.windows(2).all(|w| w[0] + 0.02 < w[1]), "{by_width:?}");
}

const PLANS: [Plan; 8] = [
    Plan::CompetenceOnly,
    Plan::ConformityOnly,
    Plan::CompetenceFirst,
    Plan::ConformityFirst,
    Plan::Parallel { weight: 0.3 },
    Plan::Alternating { competence: 3, conformity: 1, anneal: Anneal::None },
    Plan::Alternating { competence: 4, conformity: 1, anneal: Anneal::Linear { to: 0.2 } },
    Plan::Alternating { competence: 1, conformity: 4, anneal: Anneal::Cosine { to: 0.8 } },
];

#[test]
fn every_plan_takes_the_same_steps_and_learns_what_it_trains() {
    let (x, other) = (normals(800, 10, 11), normals(500, 10, 12));
    let (competence, conformity) = (shell(&x), side(&other));
    let separate =
        TrunkItems::Separate { competence: Items::new(x.view()), conformity: Items::new(other.view()) };
    let same = side(&x);
    for plan in PLANS {
        let config = TrunkConfig { plan, steps: 501, rate: Rate::Constant, ..COMPETENCE };
        for (items, on, conformity) in [(separate, &other, &conformity), (shared(&x), &x, &same)] {
            let trunk = train(&items, problem(&competence, conformity, 13), &config);
            assert_eq!((trunk.fit.steps, trunk.fit.kept_at, trunk.fit.stopped_at), (501, 501, None));
            let both = matches!(plan, Plan::Parallel { .. });
            assert_eq!(trunk.fit.labels_read, 501 * 128 * if both { 2 } else { 1 }, "{plan:?}");
            for head in Head::BOTH {
                assert_eq!(trunk.fit.objective(head).is_some(), plan.trains(head), "{plan:?} {head}");
            }
            // The objective that comes first is partly forgotten in the second half.
            if plan.trains(Head::Competence) && plan != Plan::CompetenceFirst {
                let reached = accuracy(&trunk, &x, Head::Competence, &competence);
                assert!(reached > 0.8, "{plan:?}: {reached}");
            }
            if plan.trains(Head::Conformity) && plan != Plan::ConformityFirst {
                let reached = accuracy(&trunk, on, Head::Conformity, conformity);
                assert!(reached > 0.8, "{plan:?}: {reached}");
            }
        }
    }
}

#[test]
fn a_head_without_a_part_stays_as_it_was() {
    let x = normals(200, 6, 21);
    let (a, b) = (shell_of_six(&x), side(&x));
    let config =
        TrunkConfig { rank: 3, width: 8, steps: 50, plan: Plan::Parallel { weight: 0.5 }, ..COMPETENCE };
    let start = train(&shared(&x), problem(&a, &b, 1), &config);
    for (plan, still) in [(Plan::ConformityOnly, Head::Competence), (Plan::CompetenceOnly, Head::Conformity)]
    {
        let again = TrunkProblem { start: Some(&start), ..problem(&a, &b, 2) };
        let trunk = train(&shared(&x), again, &TrunkConfig { plan, ..config });
        let (before, after) = (start.weights(), trunk.weights());
        for head in Head::BOTH {
            let i = head.index();
            let same = before.heads.row(i) == after.heads.row(i)
                && before.intercepts[i].to_bits() == after.intercepts[i].to_bits();
            assert_eq!(same, head == still, "{plan:?}: {head}");
        }
        assert_ne!(before.down, after.down);
        assert_eq!(trunk.fit.objective(still), None);
    }
}

fn shell_of_six(x: &Array2<f32>) -> Array1<f64> {
    x.outer_iter().map(|row| f64::from(u8::from(row.iter().map(|v| v * v).sum::<f32>() > 5.35))).collect()
}

#[test]
fn a_weight_of_one_is_competence_alone() {
    let x = normals(150, 6, 31);
    let (a, b) = (side(&x), coins(150, 32));
    let config = TrunkConfig { rank: 2, width: 8, steps: 40, batch: 32, ..COMPETENCE };
    let alone = train(&shared(&x), problem(&a, &b, 1), &config);
    let plan = Plan::Parallel { weight: 1.0 };
    let together = train(&shared(&x), problem(&a, &b, 1), &TrunkConfig { plan, ..config });
    assert_eq!(alone.weights(), together.weights());
}

#[test]
fn a_start_is_the_same_function_under_another_scaling() {
    let (x, other) = (normals(300, 6, 41), normals(80, 6, 42).mapv(|v| 4.0 + 3.0 * v));
    let (a, b) = (side(&x), side(&other));
    let config = TrunkConfig { rank: 3, width: 16, steps: 100, ..COMPETENCE };
    let first = train(&shared(&x), problem(&a, None, 1), &config);
    let going_on = TrunkProblem { start: Some(&first), ..problem(&b, None, 2) };
    let stands = TrunkConfig { steps: 1, learning_rate: 1e-12, ..config };
    let second = train(&shared(&other), going_on, &stands);
    assert_ne!(first.weights().mean, second.weights().mean);
    for x in [&x, &other] {
        let before = first.probabilities(x.view(), Head::Competence).expect("columns");
        let after = second.probabilities(x.view(), Head::Competence).expect("columns");
        assert!(before.iter().zip(&after).all(|(a, b)| (a - b).abs() < 1e-4));
    }
    // And it goes on from there rather than from the beginning.
    let goes_on = train(&shared(&x), TrunkProblem { start: Some(&first), ..problem(&a, None, 3) }, &config);
    let loss = |trunk: &Trunk| trunk.fit.competence.expect("trained").loss;
    assert!(loss(&goes_on) < loss(&first), "{} {}", loss(&goes_on), loss(&first));
}

#[test]
fn early_stopping_helps_against_noise_and_keeps_the_best_weights() {
    let (x, new) = (normals(600, 20, 51), normals(1000, 20, 52));
    let mut weak = side(&x);
    for (y, flip) in weak.iter_mut().zip(normals(600, 1, 53)) {
        *y = if flip > 0.7 { 1.0 - *y } else { *y };
    }
    let stopping = Stopping::Supervisor { share: 0.2, patience: 5, every: 10 };
    let config = TrunkConfig { rank: 20, rate: Rate::Constant, steps: 500, ..COMPETENCE };
    let late = train(&shared(&x), problem(&weak, None, 1), &config);
    let early = train(&shared(&x), problem(&weak, None, 1), &TrunkConfig { stopping, ..config });
    let fit = early.fit;
    assert!(fit.stopped_at == Some(fit.steps) && fit.steps < 500, "{fit:?}");
    assert_eq!(fit.steps - fit.kept_at, 50, "patience of five measurements: {fit:?}");
    assert!(fit.competence.expect("trained").held_out.is_some());
    assert_eq!(late.fit.competence.expect("trained").held_out, None);
    let truth = side(&new);
    let reached = [&late, &early].map(|trunk| accuracy(trunk, &new, Head::Competence, &truth));
    assert!(reached[0] + 0.05 < reached[1], "{reached:?}");
}

#[test]
fn held_out_labels_do_not_train() {
    let x = normals(40, 4, 61);
    let y = coins(40, 62);
    let groups: Vec<u32> = (0..40).map(|i| i / 2).collect();
    let items = TrunkItems::Shared(Items { features: x.view(), groups: Some(&groups) });
    // One measurement, at the end: held-out labels can only be seen in the certificate.
    let stopping = Stopping::Supervisor { share: 0.25, patience: 1, every: 30 };
    let config = TrunkConfig { rank: 2, width: 4, steps: 30, batch: 64, stopping, ..COMPETENCE };
    let first = train(&items, problem(&y, None, 5), &config);
    let held_out: Vec<bool> = (0..40)
        .map(|row| {
            let mut flipped = y.clone();
            flipped[row] = 1.0 - flipped[row];
            let other = train(&items, problem(&flipped, None, 5), &config);
            let untouched = other.weights() == first.weights();
            let measured = |trunk: &Trunk| trunk.fit.competence.expect("trained").held_out;
            assert!(!untouched || measured(&other) != measured(&first), "row {row} is nowhere");
            untouched
        })
        .collect();
    assert_eq!(held_out.iter().filter(|held| **held).count(), 10);
    assert!(held_out.chunks(2).all(|group| group[0] == group[1]), "groups stay whole");
}

#[test]
fn phases_are_judged_only_once_every_objective_was_trained() {
    let x = normals(100, 5, 71);
    let (a, b) = (coins(100, 72), coins(100, 73));
    let stopping = Stopping::Supervisor { share: 0.2, patience: 1, every: 1 };
    for plan in [Plan::CompetenceFirst, Plan::ConformityFirst] {
        let config = TrunkConfig { rank: 3, width: 16, steps: 100, plan, stopping, ..COMPETENCE };
        let fit = train(&shared(&x), problem(&a, &b, 1), &config).fit;
        assert!(fit.kept_at > 50, "{plan:?}: {fit:?}");
    }
}

#[test]
fn a_sweep_is_its_problems_one_by_one_with_their_errors() {
    let x = normals(120, 8, 81);
    let (a, b) = (side(&x), coins(120, 82));
    let soft = b.mapv(|y| 0.2 + 0.6 * y);
    let mut bad = a.clone();
    bad[7] = 1.5;
    let config = TrunkConfig { rank: 4, width: 8, steps: 60, batch: 32, ..COMPETENCE };
    let problems =
        [problem(&a, None, 1), problem(&soft, None, 1), problem(&bad, None, 1), problem(&a, None, 2)];
    let trunks = fit_trunks(&shared(&x), &problems, &config);
    for i in [0, 1, 3] {
        assert_eq!(fit_trunks(&shared(&x), &problems[i..=i], &config)[0], trunks[i]);
    }
    assert_eq!(
        trunks[2],
        Err(LearnerError::ObjectiveLabel { head: Head::Competence, row: 7, problem: 2, value: 1.5 })
    );
    assert_ne!(trunks[0], trunks[3], "another seed");
}

#[test]
fn without_confidence_logconf_is_cross_entropy() {
    let x = normals(90, 5, 91);
    let y = coins(90, 92).mapv(|y| 0.1 + 0.8 * y);
    let config = TrunkConfig { rank: 3, width: 8, steps: 40, batch: 32, ..COMPETENCE };
    let plain = train(&shared(&x), problem(&y, None, 1), &config);
    let logconf =
        |max_confidence| TrunkConfig { loss: Loss::LogConf { max_confidence, warmup: 0.2 }, ..config };
    assert_eq!(train(&shared(&x), problem(&y, None, 1), &logconf(0.0)), plain);
    let sure = train(&shared(&x), problem(&y, None, 1), &logconf(0.9));
    let spread = |trunk: &Trunk| {
        let z = trunk.logits(x.view(), Head::Competence).expect("columns");
        z.iter().map(|z| z.abs()).sum::<f64>()
    };
    assert!(spread(&sure) > 1.1 * spread(&plain), "{} {}", spread(&sure), spread(&plain));
}

#[test]
fn errors_say_where_and_what() {
    let x = normals(30, 4, 95);
    let (y, short, wrong) = (coins(30, 96), coins(20, 97), Array1::from_elem(30, -0.5));
    let config = TrunkConfig { rank: 2, width: 4, steps: 5, ..COMPETENCE };
    let both = TrunkConfig { plan: Plan::CompetenceFirst, ..config };
    let start = train(&shared(&x), problem(&y, None, 1), &config);
    let mut bad = x.clone();
    bad[(4, 2)] = f32::NAN;
    let narrow = normals(30, 3, 98);
    let apart = |a, b| TrunkItems::Separate { competence: Items::new(a), conformity: Items::new(b) };
    let one_source = [9; 30];
    let grouped = |groups| TrunkItems::Shared(Items { features: x.view(), groups: Some(groups) });
    let stopping = Stopping::Supervisor { share: 0.2, patience: 3, every: 1 };
    let ask = |items: TrunkItems<'_>, problem, config: TrunkConfig| {
        fit_trunks(&items, &[problem], &config).remove(0).expect_err("refused").to_string()
    };
    let messages = [
        ask(shared(&x), problem(&y, None, 1), TrunkConfig { rank: 5, ..config }),
        ask(shared(&x), problem(&y, None, 1), TrunkConfig { rank: 0, ..config }),
        ask(shared(&x), problem(&y, None, 1), both),
        ask(shared(&x), problem(&y, &short, 1), both),
        ask(shared(&x), problem(&y, &wrong, 1), both),
        ask(shared(&bad), problem(&y, None, 1), config),
        ask(apart(x.view(), bad.view()), problem(&y, &y, 1), both),
        ask(apart(x.view(), narrow.view()), problem(&y, &y, 1), both),
        ask(apart(x.view(), x.slice(s![..1, ..])), problem(&y, &array![1.0], 1), both),
        ask(grouped(&one_source[..9]), problem(&y, None, 1), config),
        ask(grouped(&one_source), problem(&y, None, 1), TrunkConfig { stopping, ..config }),
        ask(
            shared(&x),
            TrunkProblem { start: Some(&start), ..problem(&y, None, 1) },
            TrunkConfig { rank: 3, ..config },
        ),
        ask(shared(&x), problem(&y, None, 1), TrunkConfig { learning_rate: 1e30, decay: 0.0, ..config }),
    ];
    insta::assert_snapshot!(messages.join("\n"), @r"
    rank = 5: expected from 1 to 4, the number of columns of the features
    rank = 0: expected at least 1
    problem 0 has no conformity labels, which its plan trains: give them, or choose another plan
    conformity labels: expected 30 rows, as many as there are conformity items, found 20
    conformity labels: row 0, problem 0 is -0.5; expected a probability in [0, 1]
    features: row 4, column 2 is NaN; expected a finite number: drop the row, or see why the encoder overflowed
    features: row 4, column 2 is NaN; expected a finite number: drop the row, or see why the encoder overflowed
    features: 4 columns for competence, 3 for conformity; expected features of one encoder
    items of an objective: expected at least 2 rows, found 1
    groups: expected 30 rows, as many as there are features, found 9
    stopping: holding out whole groups leaves 0 competence rows to train on and 30 to measure; expected at least 2 and 1: use more or smaller groups, or another share
    trunk: rank of the start is 2, expected 3
    problem 0 diverged at step 2: lower the learning rate, or set scaling to unit variance
    ");
}

#[cfg(feature = "rayon")]
#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let x = normals(700, 40, 101);
    let (a, b) = (side(&x), coins(700, 102));
    let problems: Vec<_> = (0..6).map(|seed| problem(&a, &b, seed)).collect();
    let stopping = Stopping::Supervisor { share: 0.1, patience: 100, every: 20 };
    let plan = Plan::Parallel { weight: 0.5 };
    let config = TrunkConfig { rank: 20, steps: 60, plan, stopping, ..COMPETENCE };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let trunks = fit_trunks(&shared(&x), &problems, &config);
            let first = trunks[0].as_ref().expect("a trunk");
            let logits = first.logits(x.view(), Head::Conformity).expect("columns");
            (trunks.clone(), logits)
        })
    };
    let one = on(1);
    assert!(one.0.iter().all(Result::is_ok));
    for threads in [2, 4] {
        assert_eq!(on(threads), one, "{threads} threads");
    }
}

fn plans() -> impl Strategy<Value = Plan> {
    let anneal = prop_oneof![
        Just(Anneal::None),
        (0.0..=1.0_f64).prop_map(|to| Anneal::Linear { to }),
        (0.0..=1.0_f64).prop_map(|to| Anneal::Cosine { to }),
    ];
    prop_oneof![
        prop::sample::select(PLANS.to_vec()),
        (0.0..=1.0_f64).prop_map(|weight| Plan::Parallel { weight }),
        (1..20_usize, 1..20_usize, anneal).prop_map(|(competence, conformity, anneal)| Plan::Alternating {
            competence,
            conformity,
            anneal
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_plan_has_exactly_its_steps(plan in plans(), steps in 40..500_usize) {
        let phases = plan.phases(steps).expect("long enough for every cycle");
        prop_assert_eq!(phases.len(), steps);
        for head in Head::BOTH {
            prop_assert_eq!(phases.iter().any(|phase| phase.weight(head).is_some()), plan.trains(head));
        }
        if let Plan::Alternating { competence, conformity, anneal: Anneal::None } = plan {
            for (step, phase) in phases.iter().enumerate() {
                let first = step % (competence + conformity) < competence;
                prop_assert_eq!(*phase, if first { Phase::Competence } else { Phase::Conformity });
            }
        }
    }

    #[test]
    fn flipped_labels_flip_the_student(seed in 0..1000_u64, n in 8..60_usize, d in 2..8_usize) {
        let x = normals(n, d, seed);
        let y = coins(n, seed + 1).mapv(|y| 0.1 + 0.7 * y);
        let config = TrunkConfig { rank: 2, width: 6, steps: 10, batch: 16, ..COMPETENCE };
        let z = |y: &Array1<f64>| {
            train(&shared(&x), problem(y, None, seed), &config).logits(x.view(), Head::Competence).expect("columns")
        };
        let (plain, flipped) = (z(&y), z(&y.mapv(|y| 1.0 - y)));
        prop_assert!(plain.iter().zip(&flipped).all(|(a, b)| (a + b).abs() < 1e-3), "{plain} {flipped}");
    }

    #[test]
    fn units_of_the_features_do_not_matter(seed in 0..1000_u64, scale in 0.01..100.0_f32, shift in -5.0..5.0_f32) {
        let x = normals(40, 5, seed);
        let y = coins(40, seed + 1).mapv(|y| 0.1 + 0.8 * y);
        let config = TrunkConfig { rank: 2, width: 6, steps: 10, batch: 16, ..COMPETENCE };
        let moved = x.mapv(|v| scale * (v + shift));
        let z = |x: &Array2<f32>| {
            train(&shared(x), problem(&y, None, seed), &config).logits(x.view(), Head::Competence).expect("columns")
        };
        let (plain, moved) = (z(&x), z(&moved));
        prop_assert!(plain.iter().zip(&moved).all(|(a, b)| (a - b).abs() < 1e-2), "{plain} {moved}");
    }
}
