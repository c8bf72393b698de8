//! No shortcuts: probes that do not read stay within 3 points of chance on the binary items of every family.

use super::world;
use ndarray::{Array1, Array2, s};
use std::collections::HashMap;
use superalign_data::item::BinaryItem;
use superalign_data::world::{Family, HARDEST, Part, Section, World};
use superalign_learner::{ProbeConfig, fit};

/// Pairs of items per family: 20,000 items.
const PAIRS: u64 = 10_000;
/// How far from chance a probe may come.
const MARGIN: f64 = 0.03;

fn family_items(world: &World, family: Family) -> Vec<BinaryItem> {
    let pair = |i: u64| world.competence_pair(Part::Student, family, difficulty(i), i);
    (0..PAIRS).flat_map(pair).collect()
}

fn difficulty(index: u64) -> u8 {
    1 + u8::try_from(index % u64::from(HARDEST)).expect("below 6")
}

/// Held-out accuracy of a probe on features, trained on the first 70% of the pairs.
fn probed(items: &[BinaryItem], features: &Array2<f32>) -> f64 {
    let cut = items.len() * 7 / 20 * 2;
    let labels: Array1<f64> = items[..cut].iter().map(|i| f64::from(u8::from(i.label))).collect();
    let probe = fit(features.slice(s![..cut, ..]), labels.view(), &ProbeConfig::default()).expect("a probe");
    let truth: Vec<bool> = items[cut..].iter().map(|i| i.label).collect();
    probe.accuracy(features.slice(s![cut.., ..]), &truth).expect("an accuracy")
}

fn check(name: &str, probe: &str, items: &[BinaryItem], features: &Array2<f32>) {
    let accuracy = probed(items, features);
    assert!((accuracy - 0.5).abs() <= MARGIN, "{probe} probe on {name}: accuracy {accuracy:.3}");
}

fn words(world: &World, items: &[BinaryItem]) -> Array2<f32> {
    let vocabulary = world.vocabulary();
    let column: HashMap<&str, usize> = vocabulary.iter().enumerate().map(|(i, w)| (*w, i)).collect();
    let mut counts = Array2::zeros((items.len(), vocabulary.len()));
    for (mut row, item) in counts.rows_mut().into_iter().zip(items) {
        for word in item.text.split(' ') {
            row[column[word]] += 1.0;
        }
    }
    counts
}

/// Length of the text and of the candidate, as numbers and as classes.
fn lengths(items: &[BinaryItem]) -> Array2<f32> {
    let mut features = Array2::zeros((items.len(), 12));
    for (mut row, item) in features.rows_mut().into_iter().zip(items) {
        let candidate = candidate(item).len();
        row[0] = item.text.split(' ').count() as f32;
        row[1] = candidate as f32;
        row[2 + candidate.min(9)] = 1.0;
    }
    features
}

/// Where in the context the candidate's words stand: first and last place, counted and relative, and how often.
fn places(items: &[BinaryItem]) -> Array2<f32> {
    let mut features = Array2::zeros((items.len(), 6));
    for (mut row, item) in features.rows_mut().into_iter().zip(items) {
        let context: Vec<&str> = item.text.split(" ask ").next().unwrap_or_default().split(' ').collect();
        let said = candidate(item);
        let at: Vec<usize> = (0..context.len()).filter(|&i| said.contains(&context[i])).collect();
        if let (Some(&first), Some(&last)) = (at.first(), at.last()) {
            let length = context.len() as f32;
            let (first, last) = (first as f32, last as f32);
            row.assign(&ndarray::arr1(&[first, last, first / length, last / length, at.len() as f32, 1.0]));
        }
    }
    features
}

/// The words of the candidate: what follows `say`, the sum after `have`, or the last word.
fn candidate(item: &BinaryItem) -> Vec<&str> {
    let words: Vec<&str> = item.text.rsplit(" ask ").next().unwrap_or_default().split(' ').collect();
    let said = words.iter().rposition(|word| *word == "say").map(|at| at + 1);
    // `have one and other 7 3`
    let sum = (words[0] == "have").then_some(4);
    words[said.or(sum).unwrap_or(words.len() - 1)..].to_vec()
}

#[test]
fn a_bag_of_words_a_length_or_a_place_does_not_tell_right_from_wrong() {
    let world = world();
    for family in Family::ALL {
        let items = family_items(&world, family);
        check(family.name(), "bag-of-words", &items, &words(&world, &items));
        check(family.name(), "length", &items, &lengths(&items));
        check(family.name(), "place", &items, &places(&items));
    }
}

#[test]
fn a_bag_of_words_or_a_length_does_not_tell_proper_from_improper() {
    let world = world();
    for section in Section::ALL {
        let pair = |i: u64| world.conformity_pair(Part::Student, section, difficulty(i), i);
        let items: Vec<BinaryItem> = (0..PAIRS).flat_map(pair).collect();
        check(section.name(), "bag-of-words", &items, &words(&world, &items));
        check(section.name(), "length", &items, &lengths(&items));
    }
}

#[test]
fn the_probes_would_find_a_shortcut() {
    // The test of the test: with the label's word added to half of the items, the bag of words finds it.
    let world = world();
    let mut items = family_items(&world, Family::Lookup);
    for item in items.iter_mut().filter(|i| i.label).step_by(2) {
        item.text.push_str(" right");
    }
    assert!(probed(&items, &words(&world, &items)) > 0.7);
}
