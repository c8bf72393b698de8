//! Evaluation and reward-bench with models that are none.

use super::*;
use crate::experiment::exam::{self as names, KENDALL, PREDICTED, SOLVED};
use crate::spec::Design;
use superalign_data::world::Subset;

/// Two rungs and two shares: six students, of six difficulties.
pub(super) const EVALUATION: &str = r#"
name = "judged"
question = "Can they be judged?"
paradigm = "evaluation"
seeds = 2
bootstrap.draws = 100
data.peer = 60
grid.share = [0.2, 0.9]
grid.error = [0.2, 0.5]
"#;

pub(super) const REWARD: &str = r#"
name = "reward"
question = "What is proper?"
paradigm = "reward-bench"
seeds = 2
bootstrap.draws = 200
"#;

/// The parts of these designs; nothing for others.
pub(super) fn part_of(design: &Design, name: &'static str) -> Option<Part> {
    match design {
        Design::Evaluation(_) => {
            let mut part = part(name, if name == "test" { 432 } else { 200 });
            harder_and_harder(&mut part);
            Some(part)
        }
        Design::Superalignment(_) if name == "test-competence" => {
            let mut part = part(name, 216);
            harder_and_harder(&mut part);
            Some(part)
        }
        // So many that no two candidates are alike.
        Design::Superalignment(_) if name.starts_with("validation") => Some(part(name, 300)),
        Design::RewardBench(_) => {
            let mut part = part(name, 12 * 20);
            let prompt = |pair: &[BinaryItem]| ChoicePrompt {
                prefix: pair[0].text.trim_end_matches("yes").to_owned(),
                choices: vec!["yes".into(), "no".into()],
            };
            part.prompts = part.items.chunks(2).map(prompt).collect();
            for (i, item) in part.items.iter_mut().enumerate() {
                item.tags.family = Subset::ALL[i / 2 % 12].name().into();
            }
            Some(part)
        }
        _ => None,
    }
}

/// Three families of six difficulties.
fn harder_and_harder(part: &mut Part) {
    let name = part.name;
    for (i, item) in part.items.iter_mut().enumerate() {
        let pair = i / 2;
        item.tags.family = ["chain", "lookup", "order"][pair % 3].into();
        item.tags.difficulty = Some(1 + (pair / 3 % 6) as u8);
        // The harder, the more often the text says the contrary of the label.
        let mixed = Seed::new(3).named(&format!("{name} {pair}")).rng().random::<f64>();
        if mixed < 0.06 * (pair / 3 % 6) as f64 {
            let (yes, no) = (item.text.ends_with("yes"), item.text.len());
            item.text.truncate(no - if yes { 3 } else { 2 });
            item.text += if yes { "no" } else { "yes" };
        }
    }
}

/// Likelihoods that are noise, plus something for what is right.
pub(super) fn likelihoods(model: &str, strength: f32, prompts: &[ChoicePrompt]) -> Vec<Vec<LogLikelihood>> {
    let one = |prompt: &ChoicePrompt, place: usize| {
        let choice = &prompt.choices[place];
        let noise = Seed::new(2).named(model).named(&prompt.prefix).named(choice).rng().random::<f64>();
        // Of answers the first is the better one; of verdicts the first is the good one.
        let right = match choice.as_str() {
            "yes" | "no" => place == 0,
            _ => prompt.prefix.ends_with("yes") == (place == 0),
        };
        LogLikelihood { sum: noise - 4.0 + if right { f64::from(strength) } else { 0.0 }, tokens: 2 }
    };
    let of = |prompt: &ChoicePrompt| (0..prompt.choices.len()).map(|place| one(prompt, place)).collect();
    prompts.iter().map(of).collect()
}

#[test]
fn students_are_judged_in_three_ways_and_each_beside_the_truth() {
    let bench = Bench::new();
    let (_, manifest, rows) = bench.run(EVALUATION);
    assert_eq!((cells(&rows), manifest.plan.cells()), (20, 20));
    assert_eq!(manifest.failed, 0, "{:?}", rows.iter().find(|r| r.error.is_some()));
    let find = |cell: &str, metric: &str| {
        let row = rows.iter().find(|r| r.seed.is_none() && r.cell == cell && r.metric == metric);
        row.unwrap_or_else(|| panic!("no {cell} {metric}"))
    };
    // The wide model solves more than the narrow one, and fewer of the harder tasks.
    assert!(
        value(&rows, "ceiling=large/share=0.9", SOLVED)
            > value(&rows, "ceiling=small/share=0.9", SOLVED) + 0.1
    );
    let at =
        |difficulty: usize| value(&rows, &format!("ceiling=large/share=0.9/difficulty={difficulty}"), SOLVED);
    assert!(at(1) > at(6) + 0.1, "{} {}", at(1), at(6));
    // Easier tasks order the students; labels that say nothing do not.
    let surrogate = "surrogate=held-out-difficulty";
    assert!(value(&rows, surrogate, KENDALL) > 0.5);
    let half = find(&names::simulated_cell(0.5), KENDALL).estimate().unwrap();
    assert!(half.covers(0.0) && half.value.abs() < 0.3, "{half}");
    let little = value(&rows, &names::simulated_cell(0.2), KENDALL);
    assert!(little > half.value && little <= value(&rows, surrogate, KENDALL) + 1e-12);
    for family in ["chain", "lookup", "order"] {
        find(&format!("surrogate=held-out-family/withheld={family}"), KENDALL);
        find(&format!("surrogate=sandwiched-experts/withheld={family}"), KENDALL);
    }
    // A supervisor's measured error is the share of easy tasks that it does not solve.
    let error = value(&rows, &format!("{surrogate}/labels-by/teacher=small/share=0.9"), "label-error");
    let solved: f64 =
        (1..=3).map(|d| value(&rows, &format!("teacher=small/share=0.9/difficulty={d}"), SOLVED)).sum();
    assert!((1.0 - solved / 3.0 - error).abs() < 1e-9, "{error} {solved}");
    // Six students, three families, origins 3, 4 and 5: two, two and one forecasts.
    let forecasts = find("extrapolation/curve=stack", "coverage");
    assert_eq!(forecasts.n, Some(6 * 3 * 5));
    assert!(forecasts.value.unwrap() > 0.8, "{forecasts:?}");
    let weights: f64 = names::MEMBERS
        .iter()
        .map(|curve| value(&rows, &format!("extrapolation/curve={curve}"), "weight"))
        .sum();
    assert!((weights - 1.0).abs() < 1e-9);
    find("extrapolation/ceiling=large/share=0.9/difficulty=4", PREDICTED);
    // Peers: two supervisors, two ceilings and a student.
    for method in names::METHODS {
        assert!(value(&rows, &format!("peer/method={method}"), KENDALL) > 0.0, "{method}");
        assert!(find(&format!("peer/method={method}/player=5"), "strength").lo.is_some());
    }
    assert!(rows.iter().all(|r| r.cell != "peer/method=prd/player=6"));
    // What one's own vote is for is one's own answer, whatever the others say.
    assert!(value(&rows, "peer/judge=1", "self-preference") > 0.0);
    assert!(rows.iter().any(|r| r.cell == "peer/judge=1/player=2" && r.metric == "votes-less-others"));
}

#[test]
fn without_difficulty_what_needs_it_says_so() {
    let bench = Bench::new();
    let (plan, mut material) = prepared(EVALUATION, &bench.reads);
    for part in &mut material.parts {
        part.items.iter_mut().for_each(|item| item.tags.difficulty = None);
    }
    let (runs, cache) = (bench.runs(), bench.folder.path().join("cache"));
    let options = Options {
        runs: &runs,
        cache: &cache,
        past: Past::Continue,
        command: "superalign run test".into(),
        progress: &bench.progress,
        stop: &bench.stop,
    };
    let Outcome::Complete { rows, manifest, .. } = execute(&plan, material, &options).unwrap() else {
        panic!("stopped");
    };
    let why = |cell: &str, metric: &str| {
        rows.iter().find(|r| r.cell == cell && r.metric == metric).and_then(|r| r.error.clone()).unwrap()
    };
    insta::assert_snapshot!(why("surrogate=held-out-difficulty", KENDALL), @"held-out-difficulty is undefined: 0 of 432 items are targets, and none can stand in");
    insta::assert_snapshot!(why("extrapolation/curve=stack", "coverage"), @"no family of the test part has more than 3 difficulties");
    assert!(value(&rows, "surrogate=held-out-family/withheld=chain", KENDALL) > 0.0);
    assert!(value(&rows, "peer/method=win-rate", KENDALL) > 0.0);
    let found = report::findings(&manifest.plan, &rows);
    assert!(found.sentences.iter().any(|s| s.starts_with("Extrapolation gives no number: no family")));
}

#[test]
fn preferences_are_summed_by_section() {
    let bench = Bench::new();
    let (_, manifest, rows) = bench.run(REWARD);
    assert_eq!((cells(&rows), manifest.plan.cells(), manifest.failed), (16, 16, 0));
    let score = |rung: &str, scorer: &str, section: &str| {
        value(&rows, &format!("model={rung}/scorer={scorer}/section={section}"), "score")
    };
    for scorer in ["likelihood", "likelihood-per-token", "verdict", "probe"] {
        let sections = ["chat", "chat-hard", "safety", "reasoning"].map(|name| score("large", scorer, name));
        // All weigh the same.
        let mean = sections.iter().sum::<f64>() / 4.0;
        assert!((score("large", scorer, "overall") - mean).abs() < 1e-12, "{scorer}");
        let rise = value(&rows, &format!("scorer={scorer}/section=overall"), "strongest-less-weakest");
        assert!(
            (rise - (score("large", scorer, "overall") - score("small", scorer, "overall"))).abs() < 1e-12
        );
        assert!(rise > 0.0, "{scorer}: {rise}");
        assert!(rows.iter().any(|r| r.cell == format!("model=large/scorer={scorer}/subset=reply-many")));
    }
    // Only the probe differs by seed.
    let seeds = |scorer: &str| {
        let cell = format!("model=small/scorer={scorer}");
        rows.iter().filter(|r| r.seed.is_some() && r.cell == cell).filter_map(|r| r.value).collect::<Vec<_>>()
    };
    let (likelihood, probe) = (seeds("likelihood"), seeds("probe"));
    assert_eq!(likelihood[0], likelihood[1]);
    assert_ne!(probe[0], probe[1]);
}

#[test]
fn a_model_without_a_head_fails_the_scorers_that_need_one() {
    let bench = Bench::new();
    let Outcome::Complete { rows, folder, manifest, .. } =
        bench.go(REWARD, Past::Continue, How::FailingModel).unwrap()
    else {
        panic!("stopped");
    };
    assert!(manifest.failed > 0);
    let why = rows.iter().find(|r| r.cell == "model=large/scorer=probe" && r.seed == Some(0)).unwrap();
    assert_eq!(why.error.as_deref(), Some("model large: out of memory"));
    assert!(value(&rows, "model=large/scorer=verdict/section=overall", "score") > 0.5);
    assert!(
        std::fs::read_to_string(folder.join("report.html")).unwrap().contains("By probe, there is no score")
    );
}

#[test]
fn a_file_is_refused_with_the_command_that_takes_it() {
    let overrides = Overrides { data: Some("mine.jsonl".into()), ..Overrides::default() };
    let spec = Spec::parse(Path::new("r.toml"), REWARD.into(), Profile::Quick, &overrides).unwrap();
    let why = crate::plan::gather(&spec).unwrap_err().to_string();
    insta::assert_snapshot!(why);
}

#[test]
fn the_worlds_preferences_become_items_and_prompts() {
    let text = format!("{REWARD}data.per-subset = 12\ndata.train-per-subset = 11\n");
    let spec = Spec::parse(Path::new("r.toml"), text, Profile::Quick, &Overrides::default()).unwrap();
    let (parts, _) = crate::plan::gather(&spec).unwrap();
    assert_eq!(parts.iter().map(|p| p.items.len()).collect::<Vec<_>>(), [264, 288]);
    for part in &parts {
        for (pair, prompt) in part.items.chunks(2).zip(&part.prompts) {
            assert!(pair[0].label && !pair[1].label && pair[0].group == pair[1].group);
            for (item, choice) in pair.iter().zip(&prompt.choices) {
                assert_eq!(item.text, format!("{}{choice}", prompt.prefix));
            }
        }
    }
}

#[test]
fn sentences_and_tables_say_what_the_numbers_say() {
    for text in [EVALUATION, REWARD, super::sandwiching::SANDWICH] {
        let bench = Bench::new();
        let (_, manifest, rows) = bench.run(text);
        let found = report::findings(&manifest.plan, &rows);
        let mut all = found.sentences.join("\n");
        for table in &found.tables {
            all +=
                &format!("\n\n{} ({} rows)\n{}", table.caption, table.rows.len(), table.header.join(" | "));
        }
        all += &format!("\n\n{} figures", found.figures.len());
        // Digits depend on the learner; the words do not.
        let mut settings = insta::Settings::clone_current();
        settings.add_filter(r"-?\d+(\.\d+)?", "#");
        settings.bind(|| insta::assert_snapshot!(format!("said_{}", manifest.plan.experiment), all));
        for svg in found.figures.iter().map(|(svg, _)| svg) {
            assert!(svg.starts_with("<svg") && !svg.contains("NaN"), "{svg}");
        }
    }
}
