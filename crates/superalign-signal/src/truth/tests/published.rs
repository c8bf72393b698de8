//! Published votes, where they are at hand: the folder named by `SUPERALIGN_SHARED`, or `shared` beside the repository.

use crate::truth::{
    DawidSkene, Glad, Majority, OneCoin, Search, Skill, Stop, dawid_skene, glad, majority, one_coin, wawa,
    zero_based_skill,
};
use crate::{Bootstrap, Votes};
use ndarray::Array2;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use superalign_core::Seed;

/// The text of a fixture, unless there is none.
fn fixture(relative: &str) -> Option<String> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = std::env::var_os("SUPERALIGN_SHARED").map_or_else(beside, PathBuf::from);
    let text = std::fs::read_to_string(path.join("fixtures").join(relative)).ok();
    if text.is_none() {
        #[expect(clippy::print_stdout, reason = "a test that did not run has to say so")]
        {
            println!("skipped: no fixture {relative}");
        }
    }
    text
}

/// The lines of a CSV file without quotes, after its head.
fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().skip(1).map(|line| line.split(',').collect())
}

/// Names in order, and the number of each.
fn numbered<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, u32> {
    names.collect::<BTreeSet<_>>().into_iter().zip(0..).collect()
}

fn close(found: f64, expected: &Value, tolerance: f64) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= tolerance, "{found} {expected}");
}

#[test]
fn the_patients_of_dawid_and_skene() {
    let Some(text) = fixture("dawid_skene_1979/anesthesia.csv") else { return };
    let Some(expected) = fixture("dawid_skene_1979/expected.json") else { return };
    let expected: Value = serde_json::from_str(&expected).unwrap();
    // The first observer judged every patient three times: three columns of one rater.
    let mut table = Array2::from_elem((45, 15), -1_i64);
    for line in lines(&text) {
        let number = |j: usize| line[j].parse::<usize>().unwrap();
        let (patient, observer) = (number(0) - 1, number(1) - 1);
        let column = (0..3).map(|n| observer * 3 + n).find(|&column| table[[patient, column]] < 0).unwrap();
        table[[patient, column]] = number(2) as i64;
    }
    let search =
        Search { columns: Some((0..15).map(|c| c / 3).collect()), tolerance: 1e-12, ..Search::default() };
    let options = DawidSkene { search, ..DawidSkene::maximum_likelihood() };
    let found = dawid_skene(&Votes::dense(table.view()).unwrap(), None, &options).unwrap();
    assert!(found.converged);
    close(found.log_likelihood, &expected["loglik_observed"], 1e-6);
    for (c, prior) in found.class_prior.iter().enumerate() {
        close(*prior, &expected["class_marginals"][(c + 1).to_string()], 1e-7);
    }
    for ((r, c, l), p) in found.raters.matrices.indexed_iter() {
        close(*p, &expected["error_rates[worker][true][observed]"][(r + 1).to_string()][c][l], 1e-7);
    }
    for (i, row) in found.posterior.rows().into_iter().enumerate() {
        for (c, p) in row.iter().enumerate() {
            close(*p, &expected["posterior"][(i + 1).to_string()][c], 1e-7);
        }
    }
}

#[test]
fn the_outputs_of_crowd_kit() {
    let Some(expected) = fixture("crowdkit/crowdkit_outputs.json") else { return };
    let expected: Value = serde_json::from_str(&expected).unwrap();
    for name in ["simple", "toy_ysda"] {
        let Some(text) = fixture(&format!("crowdkit/{name}.csv")) else { return };
        let tasks = numbered(lines(&text).map(|line| line[0]));
        let workers = numbered(lines(&text).map(|line| line[1]));
        let labels = numbered(lines(&text).map(|line| line[2]));
        let mut table = Array2::from_elem((tasks.len(), workers.len()), -1_i64);
        for line in lines(&text) {
            table[[tasks[line[0]] as usize, workers[line[1]] as usize]] = i64::from(labels[line[2]]);
        }
        let votes = Votes::dense(table.view()).unwrap();
        let compare = |model: &str, posterior: &Array2<f64>, tolerance: f64| {
            for (task, i) in &tasks {
                for (label, c) in &labels {
                    let value = &expected[name][model]["probas"][task][label];
                    close(posterior[[*i as usize, *c as usize]], value, tolerance);
                }
            }
        };
        let compare_raters = |model: &str, key: &str, found: &[f64], tolerance: f64| {
            for (worker, r) in &workers {
                close(found[*r as usize], &expected[name][model][key][worker], tolerance);
            }
        };
        let skills = |skills: &[Option<f64>]| skills.iter().map(|skill| skill.unwrap()).collect::<Vec<_>>();
        let found = majority(&votes, None, &Majority::default()).unwrap();
        compare("MajorityVote", &found.posterior, 1e-12);
        let found = wawa(&votes, None).unwrap();
        compare("Wawa", &found.posterior, 1e-12);
        compare_raters("Wawa", "skills", &skills(&found.skills), 1e-12);
        let found = zero_based_skill(&votes, None, &Skill::default()).unwrap();
        compare("ZeroBasedSkill", &found.posterior, 1e-9);
        compare_raters("ZeroBasedSkill", "skills", &skills(&found.skills), 1e-9);
        let stop =
            || Search { stop: Stop::CrowdKitBound, tolerance: 1e-5, iterations: 100, ..Search::default() };
        let found =
            dawid_skene(&votes, None, &DawidSkene { search: stop(), ..DawidSkene::crowd_kit() }).unwrap();
        compare("DawidSkene", &found.posterior, 1e-9);
        assert_eq!(expected[name]["DawidSkene"]["n_iter"], found.iterations);
        let search = Search { tolerance: 0.0, iterations: 100, ..Search::default() };
        let found = dawid_skene(&votes, None, &DawidSkene { search, ..DawidSkene::crowd_kit() }).unwrap();
        compare("DawidSkene_tol0_n100", &found.posterior, 1e-8);
        let found = one_coin(&votes, None, &OneCoin { search: stop(), ..OneCoin::crowd_kit() }).unwrap();
        compare("OneCoinDawidSkene", &found.posterior, 1e-9);
        compare_raters("OneCoinDawidSkene", "skills", &found.raters.accuracy, 1e-9);
        let found = glad(&votes, None, &Glad::crowd_kit()).unwrap();
        compare("GLAD", &found.posterior, 0.02);
    }
}

/// The five judges of PRD: 1,600 comparisons (in both orders) and what people say of them.
fn peer_reviews() -> Option<(Votes, Vec<Option<u32>>)> {
    let (reviews, people) = (fixture("prd/peer_reviews.csv")?, fixture("prd/human_reviews.csv")?);
    let items: BTreeSet<_> = lines(&reviews).map(|line| (line[0], line[1], line[2])).collect();
    let items: BTreeMap<_, usize> = items.into_iter().zip(0..).collect();
    let judges = numbered(lines(&reviews).map(|line| line[3]));
    let mut table = Array2::from_elem((items.len(), judges.len()), -1_i64);
    let vote = |text: &str| text.parse::<i64>().unwrap();
    for line in lines(&reviews) {
        table[[items[&(line[0], line[1], line[2])], judges[line[3]] as usize]] = vote(line[4]) + 1;
    }
    let mut truth = vec![None; items.len()];
    for line in lines(&people) {
        for (key, sign) in [((line[0], line[1], line[2]), 1), ((line[0], line[2], line[1]), -1)] {
            if let Some(&item) = items.get(&key) {
                truth[item] = Some((sign * vote(line[4]) + 1) as u32);
            }
        }
    }
    Some((Votes::dense(table.view()).unwrap(), truth))
}

#[test]
fn the_judges_of_prd() {
    let Some((votes, truth)) = peer_reviews() else { return };
    let Some(expected) = fixture("crowdkit/crowdkit_outputs.json") else { return };
    let expected: Value = serde_json::from_str(&expected).unwrap();
    let share = |labels: &[u32]| {
        crate::truth::accuracy(labels, &truth, &Bootstrap { draws: 1, ..Bootstrap::new(Seed::new(1)) })
            .unwrap()
            .value
    };
    let compare =
        |model: &str, labels: &[u32]| close(share(labels), &expected["prd"][model]["accuracy"], 1e-12);
    compare("MajorityVote", &majority(&votes, None, &Majority::default()).unwrap().labels);
    compare("Wawa", &wawa(&votes, None).unwrap().labels);
    compare("ZeroBasedSkill", &zero_based_skill(&votes, None, &Skill::default()).unwrap().labels);
    let stop = || Search { stop: Stop::CrowdKitBound, tolerance: 1e-5, iterations: 100, ..Search::default() };
    compare(
        "DawidSkene",
        &dawid_skene(&votes, None, &DawidSkene { search: stop(), ..DawidSkene::crowd_kit() }).unwrap().labels,
    );
    let search = Search { tolerance: 0.0, iterations: 100, ..Search::default() };
    compare(
        "DawidSkene_tol0_n100",
        &dawid_skene(&votes, None, &DawidSkene { search, ..DawidSkene::crowd_kit() }).unwrap().labels,
    );
    compare(
        "OneCoinDawidSkene",
        &one_coin(&votes, None, &OneCoin { search: stop(), ..OneCoin::crowd_kit() }).unwrap().labels,
    );
    compare("GLAD", &glad(&votes, None, &Glad::crowd_kit()).unwrap().labels);
    // The default prior is better than the maximum of the likelihood by far, and than every model without a prior.
    assert!(share(&dawid_skene(&votes, None, &DawidSkene::default()).unwrap().labels) > 0.674);
}
