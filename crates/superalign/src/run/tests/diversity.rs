//! Signals of several sources and recipes with models that are none, and what gold labels may not reach.

use super::*;
use crate::experiment::signal_diversity as names;
use crate::record::load_items;
use crate::spec::{RuleName, SetName};

pub(super) const DIVERSITY: &str = r#"
name = "diverse"
question = "Are several better than one?"
paradigm = "signal-diversity"
seeds = 2
bootstrap.draws = 100
"#;

/// Every experiment in which a signal is made: none of them may be told the truth about what it labels.
const PARADIGMS: &[&str] =
    &[WEAK, RECIPES, DIVERSITY, CALIBRATE, ANNEAL, sandwiching::SANDWICH, superalignment::TOGETHER];

#[test]
fn sources_that_err_apart_make_better_labels_than_one() {
    let bench = Bench::new();
    let (folder, manifest, rows) = bench.run(DIVERSITY);
    assert_eq!(manifest.failed, 0, "{:?}", rows.iter().find(|r| r.error.is_some()));
    assert_eq!(cells(&rows), manifest.plan.cells());
    // The fakes' noise is drawn apart for each rung, so that their errors do not correlate; bags of one do.
    let of = |set: SetName, metric: &str| value(&rows, &names::set_cell(set), metric);
    assert!(of(SetName::Rungs, names::CORRELATION).abs() < 0.1);
    assert!(of(SetName::Bags, names::CORRELATION) > 0.6);
    assert!(of(SetName::Rungs, names::INDEPENDENT) > of(SetName::Bags, names::INDEPENDENT) + 1.0);
    assert!(of(SetName::Rungs, names::VENDI) > of(SetName::Bags, names::VENDI) + 0.5);
    let gain = |set, rule, metric| value(&rows, &names::rule_cell(set, rule), metric);
    let apart = gain(SetName::Rungs, RuleName::Mean, names::LABEL_GAIN);
    assert!(apart > 0.02, "{apart}");
    assert!(gain(SetName::Bags, RuleName::Mean, names::LABEL_GAIN) < apart - 0.01);
    // Without a gold label, accuracies are nearer to the truth where errors are apart.
    let error = |cell: &str| value(&rows, cell, names::ESTIMATE_ERROR);
    let rungs =
        ["small", "middle", "other"].map(|rung| error(&format!("set=rungs/source=probe of {rung}")).abs());
    let bags = [1, 2, 3].map(|bag| error(&format!("set=bags/source=bag {bag} of other")));
    assert!(rungs.iter().all(|error| *error < 0.15), "{rungs:?}");
    assert!(bags.iter().all(|error| *error > 0.15), "what they share looks like skill: {bags:?}");
    let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(
        page.contains("Right labels by set and rule")
            && page.contains("the best single teacher is the probe of")
    );
}

#[test]
fn recipes_have_a_cell_where_they_differ_from_the_direct_one() {
    let bench = Bench::new();
    let (folder, manifest, rows) = bench.run(RECIPES);
    assert_eq!(manifest.failed, 0, "{:?}", rows.iter().find(|r| r.error.is_some()));
    assert_eq!(cells(&rows), manifest.plan.cells());
    let there = |cell: &str| rows.iter().any(|row| row.cell == cell);
    for (cell, is) in [
        ("teacher=small/student=large/recipe=bootstrapped", true),
        ("teacher=small/student=middle/recipe=bootstrapped", false),
        ("teacher=middle/student=large/recipe=agreement-filter", true),
        ("teacher=small/student=large/recipe=agreement-filter", false),
        ("teacher=large/student=large/recipe=self-training", true),
        ("zero-shot=large", true),
    ] {
        assert_eq!(there(cell), is, "{cell}");
    }
    // The verdicts of the wide fake know the label; what no recipe changes is the ceiling.
    assert!(
        value(&rows, "zero-shot=large", "test-accuracy") > value(&rows, "zero-shot=small", "test-accuracy")
    );
    let mean = rows.iter().find(|row| row.cell == "recipe=self-training").unwrap();
    assert!(mean.lo < mean.value && mean.value < mean.hi);
    let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(page.contains("Recipes between the labels and the student"));
}

#[test]
fn fewer_sources_than_three_are_refused_before_anything_runs() {
    let (mut plan, _) = prepared(DIVERSITY, &Arc::default());
    assert_eq!(plan.design.experiment().check(&plan), Ok(()));
    plan.rungs.remove(0);
    let why = plan.design.experiment().check(&plan).unwrap_err();
    assert!(why.contains("found 2 such rungs, expected at least 3"), "{why}");
}

/// Runs an experiment, with every gold label of the student and test parts drawn anew at random where so said, and gives
/// what was said of every item: all signals and all students of signals, but not the ceilings.
fn said(text: &str, labels: Labels) -> Vec<(String, u64, String, Option<u64>, u64)> {
    let bench = Bench::new();
    let (plan, mut material) = prepared(text, &bench.reads);
    if labels == Labels::Drawn {
        let mut rng = Seed::new(77).rng();
        let mut flipped = 0;
        for part in &mut material.parts {
            if ["student", "test"].iter().any(|withheld| part.name.starts_with(withheld)) {
                for item in &mut part.items {
                    let drawn = rng.random::<bool>();
                    flipped += usize::from(drawn != item.label);
                    item.label = drawn;
                }
            }
        }
        assert!(flipped > 100);
    }
    let runs = bench.runs();
    let cache = bench.folder.path().join("cache");
    let options = Options {
        runs: &runs,
        cache: &cache,
        past: Past::Continue,
        command: String::new(),
        progress: &bench.progress,
        stop: &bench.stop,
    };
    let Outcome::Complete { folder, .. } = execute(&plan, material, &options).unwrap() else {
        panic!("stopped")
    };
    let rows = load_items(&folder.join("items.parquet")).unwrap();
    let kept = rows.into_iter().filter(|row| !row.signal.starts_with("ceiling"));
    kept.map(|row| {
        let given = row.given.map(f64::to_bits);
        (
            format!("{}/{}", row.part, row.item),
            row.seed,
            row.signal.to_string(),
            given,
            row.probability.to_bits(),
        )
    })
    .collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Labels {
    AsTheyAre,
    Drawn,
}

/// Gold labels of the parts that are labelled and tested are poison to whoever makes a signal: reading them as lessons
/// panics (`Truth::taught`), and what is read for judging must not change a bit of what is said.
#[test]
fn no_signal_and_no_student_knows_a_gold_label() {
    for &text in PARADIGMS {
        let (plain, drawn) = (said(text, Labels::AsTheyAre), said(text, Labels::Drawn));
        assert!(!plain.is_empty());
        assert!(plain == drawn, "gold labels reach what is said in:\n{text}");
    }
}
