//! RewardBench's own numbers, from the fixtures that are not part of the repository.

use serde_json::Value;
use std::path::PathBuf;
use superalign_core::Seed;
use superalign_evaluation::Bootstrap;
use superalign_evaluation::paired::{SmallSample, mean};
use superalign_evaluation::reward_bench::{
    Missing, Priors, Rule, SUBSETS, Section, TiesItem, pair_credits, ties_estimates, ties_id, ties_scores,
    v1_overall, v1_scores, v2_overall,
};

/// The text of a fixture, or a word that it is not there.
#[expect(clippy::print_stdout, reason = "a check that did not run has to say so")]
fn fixture(name: &str) -> Option<String> {
    let root = std::env::var_os("SUPERALIGN_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join("fixtures/rewardbench").join(name);
    let found = std::fs::read_to_string(&path).ok();
    if found.is_none() {
        println!("skipped: not found: {}", path.display());
    }
    found
}

fn json(name: &str) -> Option<Value> {
    fixture(name).map(|text| serde_json::from_str(&text).unwrap())
}

/// The numbers of each row after its two columns of words; none where a cell is empty.
fn rows(text: &str) -> Vec<Vec<Option<f64>>> {
    let cells = |line: &str| line.split(',').skip(2).map(|cell| cell.parse().ok()).collect();
    text.lines().skip(1).map(cells).collect()
}

#[test]
fn subsets_and_sections_of_the_first() {
    let Some(file) = json("rb1_sections.json") else { return };
    let counts = file["example_counts"].as_object().unwrap();
    assert_eq!(counts.len(), SUBSETS.len());
    for subset in SUBSETS {
        assert_eq!(counts[subset.name], subset.weight, "{}", subset.name);
        let mapped = file["subset_mapping"][subset.section.name()].as_array().unwrap();
        assert!(mapped.iter().any(|name| name == subset.name), "{}", subset.name);
    }
    let models = file["models"].as_object().unwrap();
    assert_eq!(models.len(), 6);
    for (model, numbers) in models {
        let given: Vec<(&str, f64)> = numbers["metrics"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, accuracy)| (name.as_str(), accuracy.as_f64().unwrap()))
            .collect();
        let found = v1_scores(&given, Priors::WhereGiven, Missing::Refuse).unwrap();
        for section in Section::ALL {
            let expected = numbers["expected_sections"][section.name()].as_f64().unwrap();
            let found = found.sections[section as usize].clone().unwrap();
            assert!((found - expected).abs() < 1e-15, "{model}, {}: {found}", section.name());
        }
        let expected = numbers["expected_mean_of_4"].as_f64().unwrap();
        assert!((found.overall.unwrap() - expected).abs() < 1e-15, "{model}");
    }
}

#[test]
fn every_row_of_the_first_leaderboard() {
    let Some(text) = fixture("leaderboard_v1.csv") else { return };
    let mut kinds = [0; 3];
    for row in rows(&text) {
        let sections = [row[1], row[2], row[3], row[4]];
        // Seven rows have a 0 where others have no score of the prior sets; it does not count there.
        let priors = row[5].filter(|score| *score != 0.0);
        // Where a section is missing the leaderboard has the mean of the others.
        let whole = sections.iter().all(Option::is_some);
        let missing = if whole { Missing::Refuse } else { Missing::Partial };
        kinds[if whole { usize::from(priors.is_none()) } else { 2 }] += 1;
        let found = v1_overall(sections, priors, missing).unwrap();
        assert!((found - row[0].unwrap()).abs() < 1.01e-4, "{found}: {row:?}");
    }
    assert_eq!(kinds, [98, 74, 15]);
}

#[test]
fn every_row_of_the_second_leaderboard() {
    let Some(text) = fixture("leaderboard_v2.csv") else { return };
    let rows = rows(&text);
    assert_eq!(rows.len(), 197);
    for row in rows {
        let domains = [row[1], row[2], row[3], row[4], row[5], row[6]];
        let found = v2_overall(domains, Missing::Refuse).unwrap();
        assert!((found - row[0].unwrap()).abs() < 1.01e-4, "{found}: {row:?}");
    }
}

#[test]
fn ties_of_the_second() {
    let Some(file) = json("rb2_ties_synthetic.json") else { return };
    let rows: Vec<(&str, usize, Vec<f64>)> = file["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let scores = row["scores"].as_array().unwrap().iter().map(|score| score.as_f64().unwrap());
            (row["id"].as_str().unwrap(), row["num_correct"].as_u64().unwrap() as usize, scores.collect())
        })
        .collect();
    let item = |(id, correct, scores): &'_ (&str, usize, Vec<f64>)| {
        let (kind, prompt) = ties_id(id).unwrap();
        (kind, prompt, *correct, scores.clone())
    };
    let read: Vec<_> = rows.iter().map(item).collect();
    let items: Vec<TiesItem<'_>> = read
        .iter()
        .map(|(kind, prompt, correct, scores)| TiesItem {
            kind: *kind,
            prompt: *prompt,
            correct: *correct,
            scores,
        })
        .collect();
    let found = ties_scores(&items).unwrap();
    for (name, found) in [
        ("overall_score", found.overall),
        ("tied_accuracy", found.tied_accuracy),
        ("ref_accuracy", found.reference_accuracy),
        ("correctness_preferred", found.preferred),
        ("correctness_preferred_hard", found.preferred_hard),
        ("correctness_margin_score", found.margin),
    ] {
        let expected = file["expected"][name].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-14, "{name}: {found}");
    }
    assert!((found.overall - 0.626_611_596_447_832_2).abs() < 1e-14);
    let interval = ties_estimates(&items, &Bootstrap::new(Seed::new(1))).unwrap().overall;
    assert!(interval.lo < 0.6 && interval.hi > 0.65, "{interval}");
}

/// Best-of-16 win rates: draws count one half, as equal ratings of a generative judge do.
#[test]
fn win_rates_of_best_of_sixteen() {
    let Some(file) = json("bon_eval_results.json") else { return };
    let models = file.as_object().unwrap();
    for (model, numbers) in models {
        let count = |key: &str| numbers[key].as_u64().unwrap() as usize;
        let (wins, losses, draws) = (count("n_wins"), count("n_wins_base"), count("n_draws"));
        let side =
            |first: f64, second: f64| [vec![first; wins], vec![second; losses], vec![0.0; draws]].concat();
        let credits = pair_credits(&side(1.0, 0.0), &side(0.0, 1.0), Rule::Generative).unwrap();
        let found = mean(&credits, None, SmallSample::Miller).unwrap();
        let expected = numbers["discrete_win_rate"].as_f64().unwrap();
        assert!((100.0 * found.value - expected).abs() < 1e-9, "{model}: {found:?}");
        // The published error is of graded preferences, which vary less than wins do.
        assert!(numbers["standard_error"].as_f64().unwrap() < 100.0 * found.standard_error, "{model}");
    }
    assert!(models.len() > 3);
}
