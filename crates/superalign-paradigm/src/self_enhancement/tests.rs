//! Where self-training provably helps, where it provably collapses, and what must not matter.

use super::*;
use crate::{Cost, Signal};
use ndarray::{Array2, ArrayView2, Axis, array, s};
use proptest::prelude::*;
use superalign_core::{
    ChoicePrompt, EmbedRequest, LogLikelihood, Model, ModelCard, ModelError, Seed, rand::RngExt,
};

/// Items in pairs, one right and one wrong; features in two views that hold the truth in their first column, as far as
/// their strength goes; the model's own verdicts, wrong on a share of the items whatever their features.
#[derive(Clone)]
struct Bed {
    items: Vec<String>,
    tasks: Vec<u32>,
    truth: Vec<bool>,
    features: [Array2<f32>; 2],
    log_odds: Array2<f64>,
    asked: Vec<String>,
    critique: Option<Array2<f64>>,
}

impl Bed {
    fn new(n: usize, strength: f32, wrong: f64, seed: u64) -> Self {
        let mut rng = Seed::new(seed).named("bed").rng();
        let truth: Vec<bool> = (0..n).map(|i| i % 2 == 0).collect();
        let sign = |i: usize| if truth[i] { 1.0 } else { -1.0 };
        let features = [0, 1].map(|_| {
            Array2::from_shape_fn((n, 5), |(i, j)| {
                rng.random::<f32>() - 0.5 + if j == 0 { strength * sign(i) as f32 } else { 0.0 }
            })
        });
        let log_odds = Array2::from_shape_fn((n, 2), |(i, _)| {
            let verdict = if rng.random::<f64>() < wrong { -sign(i) } else { sign(i) };
            verdict * (0.2 + rng.random::<f64>())
        });
        Self {
            items: (0..n).map(|i| format!("item-{i}")).collect(),
            tasks: (0..n as u32).map(|i| i / 2).collect(),
            truth,
            features,
            log_odds,
            asked: vec!["plain".into(), "shuffled".into()],
            critique: None,
        }
    }

    fn run(&self, config: &Config) -> Result<Enhanced, ParadigmError> {
        let views = self.views();
        enhance(&self.items, &self.tasks, &[self.member("m", &views)], config, Seed::new(1))
            .map(|mut all| all.remove(0))
    }

    fn views(&self) -> [View<'_>; 2] {
        [0, 1].map(|v| View { name: &self.asked[v], features: self.features[v].view() })
    }

    fn member<'a>(&'a self, model: &'a str, views: &'a [View<'a>]) -> Member<'a> {
        Member {
            model,
            views,
            asked: &self.asked,
            log_odds: self.log_odds.view(),
            critique: self.critique.as_ref().map(|rows| rows.view()),
            cost: Cost { calls: 4, tokens_read: 40, tokens_written: 0 },
        }
    }

    fn accuracy(&self, signal: &Signal) -> f64 {
        let right =
            signal.labels().iter().zip(&self.truth).filter(|(p, truth)| (**p > 0.5) == **truth).count();
        right as f64 / self.truth.len() as f64
    }

    /// The same items in another order.
    fn permuted(&self, order: &[usize]) -> Self {
        Self {
            items: order.iter().map(|&i| self.items[i].clone()).collect(),
            tasks: order.iter().map(|&i| self.tasks[i]).collect(),
            truth: order.iter().map(|&i| self.truth[i]).collect(),
            features: [0, 1].map(|v| self.features[v].select(Axis(0), order)),
            log_odds: self.log_odds.select(Axis(0), order),
            asked: self.asked.clone(),
            critique: self.critique.as_ref().map(|critique| critique.select(Axis(0), order)),
        }
    }
}

fn close(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>, within: f64) -> bool {
    a.dim() == b.dim() && a.iter().zip(&b).all(|(a, b)| (a - b).abs() < within)
}

#[test]
fn it_helps_where_features_hold_the_truth_and_verdicts_are_noisy() {
    let bed = Bed::new(400, 1.0, 0.3, 1);
    for config in [
        Config::default(),
        Config { gate: Gate::All, ..Config::default() },
        Config { gate: Gate::Threshold(0.2), ..Config::default() },
        Config { relabel: Relabel::CrossFit(3), ..Config::default() },
        Config { draws: Draws::Sampled(20), temperatures: vec![0.5, 1.0], ..Config::default() },
        Config { student: Student::Pairs, ..Config::default() },
    ] {
        let found = bed.run(&config).unwrap();
        let accuracy: Vec<f64> = found.rounds.iter().map(|round| bed.accuracy(&round.signal)).collect();
        assert_eq!((found.end.clone(), accuracy.len(), found.chosen()), (End::Rounds, 4, 3));
        assert!(accuracy[0] < 0.87 && accuracy[3] > 0.97, "{accuracy:?} {config:?}");
        assert!(found.rounds[0].student.is_none() && found.rounds[3].student.is_some());
        assert!(found.rounds.iter().all(|round| round.signal.cost().calls == 4));
    }
}

#[test]
fn verdicts_of_one_class_are_a_collapse_and_stop_it() {
    let mut bed = Bed::new(100, 1.0, 0.3, 1);
    bed.log_odds.mapv_inplace(f64::abs);
    let reason = Reason::Rarer { found: 0.0, borne: 0.05 };
    // A balanced gate keeps nothing where a class is missing.
    for (gate, kept) in [(Gate::All, 100), (Config::default().gate, 0)] {
        let found = bed.run(&Config { gate, ..Config::default() }).unwrap();
        assert_eq!((found.end.clone(), found.rounds.len()), (End::Collapse(reason), 1));
        assert_eq!((found.chosen(), found.rounds[0].kept.len()), (0, kept));
        assert_eq!(found.rounds[0].health.label_diversity, 1.0);
    }
    let on = bed.run(&Config { gate: Gate::All, stop: None, ..Config::default() }).unwrap();
    assert_eq!(on.end, End::NoStudent("the labels kept are of one class".into()));
    insta::assert_snapshot!(reason, @"the rarer class has a share of 0.000 of the labels kept, below 0.05");
}

/// Verdicts lean to `right`, and the gate takes the most confident whatever their class: the leaning feeds itself.
#[test]
fn a_leaning_that_feeds_itself_is_stopped_on_the_way() {
    let mut bed = Bed::new(400, 0.05, 0.3, 2);
    let mut rng = Seed::new(5).rng();
    bed.log_odds.mapv_inplace(|z| z + 0.45 + 0.3 * (rng.random::<f64>() - 0.5));
    let gate = Gate::Share { share: 0.6, balance: Balance::Free };
    let on = bed.run(&Config { gate, stop: None, rounds: 6, ..Config::default() }).unwrap();
    let positives: Vec<f64> = on.rounds.iter().map(|round| round.health.positives).collect();
    assert!(positives[0] < 0.9 && *positives.last().unwrap() > 0.95, "{positives:?}");
    let rule = StopRule { labels: 0.2, ..StopRule::default() };
    let stopped = bed.run(&Config { gate, stop: Some(rule), rounds: 6, ..Config::default() }).unwrap();
    let (round, reason) = first_collapse(&on.rounds, &rule).unwrap();
    // The rule changes when it ends, and nothing before.
    assert_eq!((stopped.rounds.len(), stopped.end.clone()), (round + 1, End::Collapse(reason)));
    assert_eq!(stopped.chosen(), round.saturating_sub(1));
    for (a, b) in stopped.rounds.iter().zip(&on.rounds) {
        assert_eq!((&a.signal, &a.kept, a.health), (&b.signal, &b.kept, b.health));
    }
}

#[test]
fn peers_teach_each_other_what_one_alone_does_not_know() {
    // One has good verdicts and features that say nothing; the other the contrary.
    let (mut knows, mut sees) = (Bed::new(400, 0.0, 0.1, 3), Bed::new(400, 1.0, 0.49, 4));
    sees.asked = vec!["a".into(), "b".into()];
    knows.asked = vec!["c".into(), "d".into()];
    let config = Config { rounds: 1, ..Config::default() };
    let (a, b) = (knows.views(), sees.views());
    let alone = sees.run(&config).unwrap();
    for lessons in [Lessons::Shared, Lessons::Exchanged] {
        let config = Config { lessons, ..config.clone() };
        let members = [knows.member("knows", &a), sees.member("sees", &b)];
        let found = enhance(&knows.items, &knows.tasks, &members, &config, Seed::new(1)).unwrap();
        let after = |enhanced: &Enhanced| sees.accuracy(&enhanced.rounds[1].signal);
        assert!(after(&found[1]) > 0.95 && after(&found[1]) > after(&alone) + 0.05, "{}", after(&alone));
        assert_eq!(found[1].rounds[1].signal.cost().calls, 8, "both were asked");
    }
    // Where one has collapsed, so has the work of both.
    let mut fallen = knows.clone();
    fallen.log_odds.mapv_inplace(f64::abs);
    let c = fallen.views();
    let members = [fallen.member("fallen", &c), sees.member("sees", &b)];
    let ends: Vec<End> =
        enhance(&fallen.items, &fallen.tasks, &members, &Config { gate: Gate::All, ..config }, Seed::new(1))
            .unwrap()
            .into_iter()
            .map(|enhanced| enhanced.end)
            .collect();
    assert!(matches!(ends[..], [End::Collapse(_), End::Peer]), "{ends:?}");
}

#[test]
fn criticism_drops_or_turns_what_it_contradicts() {
    let mut bed = Bed::new(200, 0.0, 0.3, 6);
    // A critic who knows the truth.
    bed.critique =
        Some(Array2::from_shape_fn(
            (200, 2),
            |(i, label)| {
                if bed.truth[i] == (label == 1) { 0.9 } else { 0.1 }
            },
        ));
    let kept = |critique| {
        let config = Config { gate: Gate::All, critique, rounds: 1, ..Config::default() };
        let found = bed.run(&config).unwrap();
        (found.rounds[0].kept.len(), bed.accuracy(&found.rounds[0].signal), found)
    };
    let (all, accuracy, _) = kept(Critique::None);
    let (dropped, _, found) = kept(Critique::Drop);
    assert_eq!(all, 200);
    assert_eq!(dropped, (200.0 * accuracy).round() as usize);
    let signal = &found.rounds[0].signal;
    assert!(found.rounds[0].kept.iter().all(|&i| (signal.labels()[i] > 0.5) == bed.truth[i]));
    assert_eq!(kept(Critique::Flip).0, 200);
    // Turned labels are the truth, so that a student of features that hold it makes no mistake.
    bed.features = Bed::new(200, 2.0, 0.3, 6).features;
    let config = Config { gate: Gate::All, critique: Critique::Flip, rounds: 1, ..Config::default() };
    assert_eq!(bed.accuracy(&bed.run(&config).unwrap().rounds[1].signal), 1.0);
    // Of pairs, one is left out or turned as its two labels are contradicted.
    for critique in [Critique::Drop, Critique::Flip] {
        let config =
            Config { student: Student::Pairs, critique, gate: Gate::All, rounds: 1, ..Config::default() };
        let found = bed.run(&config).unwrap();
        let wrong = 100 - (100.0 * bed.accuracy(&found.rounds[0].signal)).round() as usize;
        let expected = if critique == Critique::Drop { 200 - 2 * wrong } else { 200 };
        assert_eq!(found.rounds[0].kept.len(), expected);
    }
}

#[test]
fn gates_keep_what_they_say() {
    let bed = Bed::new(200, 0.5, 0.2, 7);
    let kept = |gate| {
        let found = bed.run(&Config { gate, rounds: 1, ..Config::default() }).unwrap();
        let signal = found.rounds[0].signal.clone();
        (found.rounds[0].kept.clone(), signal, found.rounds[0].health)
    };
    let (places, signal, health) = kept(Gate::Share { share: 0.3, balance: Balance::Equal });
    let right = places.iter().filter(|&&i| signal.labels()[i] > 0.5).count();
    assert_eq!((places.len(), right, health.rarer), (60, 30, Some(0.5)));
    let (places, signal, _) = kept(Gate::Share { share: 0.3, balance: Balance::Free });
    let least = places.iter().map(|&i| signal.confidence()[i]).fold(1.0, f64::min);
    let above = signal.confidence().iter().filter(|c| **c > least).count();
    assert_eq!((places.len(), above), (60, 59));
    let (places, signal, _) = kept(Gate::Threshold(0.25));
    assert!(signal.confidence().iter().enumerate().all(|(i, c)| (*c >= 0.25) == places.contains(&i)));
}

#[test]
fn what_cannot_be_done_says_why() {
    let bed = Bed::new(20, 1.0, 0.2, 8);
    let rule = StopRule::default();
    let mut said: Vec<String> = [
        Config { rounds: 0, ..Config::default() },
        Config { temperatures: vec![], ..Config::default() },
        Config { temperatures: vec![1.0, 0.0], ..Config::default() },
        Config { draws: Draws::Sampled(0), ..Config::default() },
        Config { gate: Gate::Share { share: 1.2, balance: Balance::Free }, ..Config::default() },
        Config { gate: Gate::Threshold(f64::NAN), ..Config::default() },
        Config { relabel: Relabel::CrossFit(1), ..Config::default() },
        Config { stop: Some(StopRule { rarer: 0.6, ..rule }), ..Config::default() },
        Config { stop: Some(StopRule { labels: -0.1, ..rule }), ..Config::default() },
        Config { critique: Critique::Drop, ..Config::default() },
    ]
    .iter()
    .map(|config| bed.run(config).unwrap_err().to_string())
    .collect();
    let mut told = |change: fn(&mut Bed), config: &Config| {
        let mut bed = Bed::new(20, 1.0, 0.2, 8);
        change(&mut bed);
        said.push(bed.run(config).unwrap_err().to_string());
    };
    told(|bed| bed.tasks.truncate(3), &Config::default());
    told(|bed| bed.log_odds[(3, 1)] = f64::INFINITY, &Config::default());
    told(|bed| bed.log_odds.fill(0.0), &Config::default());
    told(|bed| bed.log_odds = bed.log_odds.slice(s![.., ..1]).to_owned(), &Config::default());
    told(|bed| bed.tasks[0] = 99, &Config { student: Student::Pairs, ..Config::default() });
    insta::assert_snapshot!(said.join("\n"));
}

/// Says `right` of texts with an even number of letters; counts no tokens.
struct Fake(ModelCard);

impl Model for Fake {
    fn card(&self) -> &ModelCard {
        &self.0
    }

    fn embed(
        &mut self,
        texts: &[&str],
        _: EmbedRequest,
        _: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Array2<f32>, ModelError> {
        Ok(Array2::zeros((texts.len(), 1)))
    }

    fn choice_log_likelihoods(
        &mut self,
        prompts: &[ChoicePrompt],
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<Vec<LogLikelihood>>, ModelError> {
        let one = |prompt: &ChoicePrompt| {
            let even = prompt.prefix.len().is_multiple_of(2);
            let said =
                |right: bool| LogLikelihood { sum: if right == even { -0.25 } else { -1.25 }, tokens: 1 };
            vec![said(true), said(false)]
        };
        if done(prompts.len()) { Ok(prompts.iter().map(one).collect()) } else { Err(ModelError::Stopped) }
    }
}

#[test]
fn a_model_is_asked_under_every_view_and_about_its_own_verdicts() {
    let card = ModelCard {
        name: "fake".into(),
        digest: String::new(),
        layers: 1,
        width: 1,
        parameters: None,
        generates: true,
        runtime: "fake".into(),
    };
    let mut model = Fake(card);
    let verdicts = [" right".to_owned(), " wrong".to_owned()];
    let texts = |all: [&str; 2]| all.map(str::to_owned).to_vec();
    let views = [texts(["ab", "abc"]), texts(["abcd", "ab"])];
    let mut seen = Vec::new();
    let asked = ask_verdicts(&mut model, &views, &verdicts, &mut |n| {
        seen.push(n);
        true
    })
    .unwrap();
    assert_eq!((asked.answers.clone(), seen), (array![[1.0, 1.0], [-1.0, 1.0]], vec![2, 4]));
    assert_eq!(asked.cost, Cost { calls: 4, tokens_read: 8, tokens_written: 0 });
    // The verdict is shown; this critic changes its mind with the number of letters.
    let prompts: Vec<[ChoicePrompt; 2]> = views[0]
        .iter()
        .map(|text| {
            ["!!", "!"]
                .map(|shown| ChoicePrompt { prefix: format!("{text}{shown}"), choices: verdicts.to_vec() })
        })
        .collect();
    let critique = ask_critiques(&mut model, &prompts, &mut |_| true).unwrap();
    let likely = 1.0 / (1.0 + (-1.0_f64).exp());
    let expected = array![[1.0 - likely, 1.0 - likely], [likely, likely]];
    assert!(close(critique.answers.view(), expected.view(), 1e-12), "{}", critique.answers);
    let items = texts(["one", "two"]);
    let own = asked.answers.column(0).to_owned();
    let told = critique_transcripts("fake", &items, &views[0], &own, &prompts, critique.answers.view());
    insta::assert_snapshot!(serde_json::to_string_pretty(&told[0]).unwrap());
    assert!((told[0].verdict - (1.0 - likely)).abs() < 1e-12, "its own verdict was not upheld");
    assert!((told[1].verdict - (1.0 - likely)).abs() < 1e-12, "it was held for wrong, and that was upheld");
    let stopped = ask_verdicts(&mut model, &views, &verdicts, &mut |_| false).unwrap_err();
    assert_eq!(stopped.to_string(), "stopped on request");
    let short = [texts(["a", "b"]), vec!["a".to_owned()]];
    let why = ask_verdicts(&mut model, &short, &verdicts, &mut |_| true).unwrap_err().to_string();
    assert_eq!(why, "number of texts of a view: found 1, expected 2");
}

#[test]
fn votes_are_those_of_the_formulas() {
    let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
    // Three candidates: the probabilities are their softmax.
    let z: [f64; 3] = [1.0, 2.5, -0.5];
    let found = within_tasks(array![[z[0]], [z[1]], [z[2]]].view(), &[4, 4, 4]).unwrap();
    let all: f64 = z.iter().map(|z| z.exp()).sum();
    for (found, z) in found.iter().zip(z) {
        assert!((sigmoid(*found) - z.exp() / all).abs() < 1e-12);
    }
    let view = |name: &str| crate::Source {
        view: Some(name.into()),
        ..crate::Source::new(name, crate::Paradigm::SelfEnhancement, "m")
    };
    let (items, views) = (vec!["one".to_owned()], [view("a"), view("b")]);
    let signal = |draws, temperatures: &[f64]| {
        let log_odds = array![[1.0, -0.3]];
        consistency(&items, &views, log_odds.view(), temperatures, draws, Seed::new(3)).unwrap()
    };
    // A low temperature hardens, a high one says nothing.
    assert_eq!(signal(Draws::Expected, &[1e-3]).votes(), array![[1.0, 0.0]]);
    assert!(signal(Draws::Expected, &[1e6]).confidence()[0] < 1e-5);
    let both = signal(Draws::Expected, &[0.5, 2.0]);
    let expected = array![[sigmoid(2.0), sigmoid(0.5), sigmoid(-0.6), sigmoid(-0.15)]];
    assert!(close(both.votes(), expected.view(), 1e-12));
    assert_eq!(both.sources()[1].name, "a/temperature=2");
    // Many draws come near their expectation: four standard errors of 1/2 / sqrt(10,000).
    let drawn = signal(Draws::Sampled(10_000), &[0.5, 2.0]);
    assert!(close(drawn.votes(), expected.view(), 0.02), "{}", drawn.votes());
    assert_eq!(drawn.sources()[0].seed, Some(3));
}

#[test]
fn a_rule_names_the_first_reason_that_holds() {
    let rule = StopRule::default();
    let well = Health {
        positives: 0.5,
        confidence: 0.4,
        unanimity: 0.8,
        label_diversity: 2.0,
        label_collapse: 0.25,
        rarer: Some(0.05),
        embedding_diversity: Some(3.0),
        embedding_collapse: Some(0.5),
    };
    assert_eq!(rule.collapsed(&well), None, "the bounds themselves are borne");
    let said = [
        Health { label_collapse: 0.3, rarer: Some(0.0), ..well },
        Health { rarer: Some(0.01), embedding_collapse: Some(0.9), ..well },
        Health { rarer: None, embedding_collapse: Some(0.75), ..well },
    ]
    .map(|health| rule.collapsed(&health).unwrap().to_string());
    insta::assert_snapshot!(said.join("\n"), @r"
    the collapse index of labels is 0.300, above 0.25
    the rarer class has a share of 0.010 of the labels kept, below 0.05
    the collapse index of embeddings is 0.750, above 0.5
    ");
}

fn configs() -> impl Strategy<Value = Config> {
    let gate = prop_oneof![
        Just(Gate::All),
        Just(Gate::Threshold(0.1)),
        Just(Gate::Share { share: 0.6, balance: Balance::Equal }),
        Just(Gate::Share { share: 0.7, balance: Balance::Free }),
    ];
    let draws = prop_oneof![Just(Draws::Expected), Just(Draws::Sampled(7))];
    let student = prop_oneof![Just(Student::Items), Just(Student::Pairs)];
    let relabel = prop_oneof![Just(Relabel::InSample), Just(Relabel::CrossFit(2))];
    let targets = prop_oneof![Just(Targets::Hard), Just(Targets::Soft)];
    // One round: a second would take labels whose rounding can cross the gate.
    (gate, draws, student, relabel, targets).prop_map(|(gate, draws, student, relabel, targets)| Config {
        rounds: 1,
        gate,
        draws,
        student,
        relabel,
        targets,
        stop: None,
        probe: superalign_learner::ProbeConfig { tolerance: 1e-9, ..Default::default() },
        ..Config::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_items_and_of_views_does_not_matter(config in configs(), seed in 0_u64..1000) {
        let bed = Bed::new(40, 0.4, 0.3, seed);
        let before = bed.run(&config).unwrap();
        let order: Vec<usize> = (0..40).map(|i| i * 7 % 40).collect();
        let mut other = bed.permuted(&order);
        let after = other.run(&config).unwrap();
        prop_assert_eq!(before.rounds.len(), after.rounds.len());
        for (a, b) in before.rounds.iter().zip(&after.rounds) {
            prop_assert!(close(a.signal.votes().select(Axis(0), &order).view(), b.signal.votes(), 1e-6));
            let mut kept: Vec<usize> = b.kept.iter().map(|&place| order[place]).collect();
            kept.sort_unstable();
            // After the first round labels carry the rounding of the solver, which draws and gates can feel.
            if a.student.is_none() {
                prop_assert_eq!(&a.kept, &kept);
                prop_assert_eq!(a.health.positives, b.health.positives);
            }
        }
        // Views the other way round, with their names.
        other = bed.permuted(&(0..40).collect::<Vec<_>>());
        other.features.swap(0, 1);
        other.asked.swap(0, 1);
        other.log_odds = other.log_odds.slice(s![.., ..;-1]).to_owned();
        let turned = other.run(&config).unwrap();
        for (a, b) in before.rounds.iter().zip(&turned.rounds) {
            prop_assert!(close(a.signal.votes(), b.signal.votes().slice(s![.., ..;-1]), 1e-6));
        }
    }

    #[test]
    fn the_names_of_the_classes_do_not_matter(config in configs(), seed in 0_u64..1000) {
        let bed = Bed::new(40, 0.4, 0.3, seed);
        let before = bed.run(&config).unwrap();
        let mut other = bed.permuted(&(0..40).collect::<Vec<_>>());
        other.log_odds.mapv_inplace(|z| -z);
        let after = other.run(&config).unwrap();
        prop_assert_eq!(before.rounds.len(), after.rounds.len());
        for (a, b) in before.rounds.iter().zip(&after.rounds) {
            prop_assert!(close(a.signal.votes(), b.signal.votes().mapv(|v| 1.0 - v).view(), 1e-6));
            prop_assert!((a.health.positives + b.health.positives - 1.0).abs() < 1e-12 || a.student.is_some());
        }
    }

    #[test]
    fn what_is_measured_stays_in_its_range(config in configs(), seed in 0_u64..1000, bias in -2.0..2.0) {
        let mut bed = Bed::new(40, 0.4, 0.3, seed);
        bed.log_odds.mapv_inplace(|z| z + bias);
        let found = bed.run(&config).unwrap();
        for round in &found.rounds {
            let health = round.health;
            prop_assert!((1.0..=2.0 + 1e-12).contains(&health.label_diversity));
            prop_assert!(health.label_collapse <= 0.5 + 1e-12);
            prop_assert!(health.rarer.is_none_or(|share| (0.0..=0.5).contains(&share)));
            prop_assert!(health.embedding_diversity.is_none_or(|score| (0.999..=5.001).contains(&score)));
            for share in [health.positives, health.confidence, health.unanimity] {
                prop_assert!((0.0..=1.0).contains(&share));
            }
        }
    }
}
