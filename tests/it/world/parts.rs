//! The parts of the world share no fact, and the corpus holds no item.

use super::world;
use std::collections::{BTreeMap, HashSet};
use superalign_data::item::Objective;
use superalign_data::world::Part;

/// The atomic facts that a text states, read from its words: relations, neighbours, sums, lists, assignments.
fn facts(text: &str) -> Vec<String> {
    let context = text.split(" ask ").next().unwrap_or(text);
    let sentences: Vec<Vec<&str>> = context.split(" .").map(|s| s.split_whitespace().collect()).collect();
    let mut found = Vec::new();
    let (mut owned, mut assigned) = (Vec::new(), Vec::new());
    for words in &sentences {
        match words.as_slice() {
            ["leads" | "tops", a, b] => found.push(format!("neighbours {} {}", a.min(b), a.max(b))),
            [_, "is", "sealed"] => {}
            ["is", a, value] => assigned.push(format!("{a} {value}")),
            ["box", "has", ..] => found.push(words.join(" ")),
            ["has", _, number @ ..] => owned.push(number.concat()),
            [verb @ ("likes" | "holds" | "fears" | "makes" | "wants"), name, thing] => {
                found.push(format!("{name} {verb} {thing}"));
            }
            _ => {}
        }
    }
    if !owned.is_empty() {
        owned.sort();
        found.push(format!("sum {}", owned.join(" ")));
    }
    if !assigned.is_empty() {
        found.push(assigned.join(", "));
    }
    found
}

#[test]
fn no_two_parts_share_a_fact() {
    let world = world();
    let mut told: BTreeMap<String, Part> = BTreeMap::new();
    let mut tell = |part: Part, text: &str| {
        for fact in facts(text) {
            let first = *told.entry(fact.clone()).or_insert(part);
            assert_eq!(first, part, "`{fact}` is told in two parts");
        }
    };
    for part in Part::ALL {
        for objective in [Objective::Competence, Objective::Conformity] {
            for item in world.binary_items(part, objective, 2_000, 0) {
                tell(part, &item.text);
            }
        }
    }
    // From all lessons of the corpus.
    for index in (0..20_000).map(|i| 10 * i) {
        tell(Part::Pretraining, &world.document(index));
    }
    assert!(told.len() > 15_000, "only {} facts were read", told.len());
}

#[test]
fn the_corpus_contains_no_test_item() {
    let world = world();
    let context = |text: &str| text.split(" ask ").next().unwrap_or(text).to_owned();
    let tested: HashSet<String> = world
        .binary_items(Part::Test, Objective::Competence, 10_000, 0)
        .iter()
        .map(|item| context(&item.text))
        .collect();
    for index in (0..100_000).map(|i| 2 * i) {
        let document = world.document(index);
        assert!(!tested.contains(&context(&document)), "{document}");
    }
}

#[test]
fn a_world_is_the_same_bytes_everywhere() {
    let world = world();
    let mut hash = superalign_core::Seed::new(0);
    for index in (0..1_000).map(|i| 150 * i) {
        hash = hash.named(&world.document(index));
    }
    for objective in [Objective::Competence, Objective::Conformity] {
        for item in world.binary_items(Part::Student, objective, 500, 7) {
            hash = hash.named(&item.text).nth(u64::from(item.label));
        }
    }
    hash = hash.named(&world.tokenizer_json());
    // The ladder was trained on this world: a change here asks for a new ladder.
    insta::assert_snapshot!(hash.value(), @"17828753370648335231");
}

#[test]
fn labels_are_balanced_and_pairs_share_their_group() {
    for objective in [Objective::Competence, Objective::Conformity] {
        let items = world().binary_items(Part::Test, objective, 1_000, 3);
        for pair in items.chunks(2) {
            assert_eq!(pair[0].group, pair[1].group);
            assert_ne!(pair[0].label, pair[1].label);
            assert_ne!(pair[0].id, pair[1].id);
        }
        let first = items.iter().step_by(2).filter(|i| i.label).count();
        assert!((400..600).contains(&first), "the right one is first in {first} of 1000 pairs");
        let conflicts = items.iter().filter(|i| i.tags.conflict).count();
        assert!(conflicts > 50, "{objective:?}: {conflicts} conflicts");
    }
}
