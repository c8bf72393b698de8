//! Balance, independence of order, and the candidates that cannot stand alone.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn task(id: usize, family: &str, choices: &[&str], gold: usize) -> Task {
    Task {
        id: format!("t{id}"),
        group: format!("g{}", id / 3),
        context: String::new(),
        question: format!("q{id}?"),
        choices: choices.iter().map(|c| (*c).to_owned()).collect(),
        gold,
        tags: Tags { family: family.to_owned(), ..Tags::default() },
    }
}

fn imbalance(items: &[BinaryItem]) -> u32 {
    items.iter().map(|item| if item.label { 1_i32 } else { -1 }).sum::<i32>().unsigned_abs()
}

#[test]
fn none_of_the_above_is_never_shown_and_stays_balanced() {
    let tasks: Vec<Task> = (0..100)
        .map(|i| match i % 4 {
            0 => task(i, "", &["a", "b", "None of the above choices ."], 2),
            1 => task(i, "", &["a", "None of the above choices ."], 0),
            _ => task(i, "", &["a", "b", "None of the above choices ."], 1),
        })
        .collect();
    let items = binary_items(&tasks, BinaryForm::Single, Seed::new(5));
    assert_eq!((items.len(), imbalance(&items)), (100, 0));
    assert!(items.iter().all(|item| !item.text.contains("above")));
    // A quarter has no right candidate that can be shown, a quarter no wrong one.
    assert_eq!(binary_items(&tasks, BinaryForm::Pair, Seed::new(5)).len(), 100);
}

#[test]
fn a_surplus_that_cannot_be_balanced_is_left_out() {
    let tasks: Vec<Task> =
        (0..10).map(|i| task(i, "", &["a", "b", "none of the above"], if i < 8 { 2 } else { 0 })).collect();
    let items = binary_items(&tasks, BinaryForm::Single, Seed::new(5));
    assert_eq!((items.len(), imbalance(&items)), (4, 0));
}

#[test]
fn tasks_that_cannot_be_asked_give_nothing() {
    let tasks =
        [task(0, "", &["a", "b"], 2), task(1, "", &[], 0), task(2, "", &["a", "All of the above"], 1)];
    for form in [BinaryForm::Single, BinaryForm::Pair] {
        assert_eq!(binary_items(&tasks, form, Seed::new(1)), []);
    }
}

#[test]
fn every_wrong_candidate_is_drawn_alike() {
    let tasks: Vec<Task> = (0..6000).map(|i| task(i, "", &["right", "x", "y", "z"], 0)).collect();
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for item in binary_items(&tasks, BinaryForm::Pair, Seed::new(2)) {
        *counts.entry(item.text.rsplit(' ').next().unwrap_or("").to_owned()).or_default() += 1;
    }
    assert_eq!(counts["right"], 6000);
    // 6,000 draws of one third: standard deviation 37.
    assert!(["x", "y", "z"].iter().all(|c| (1850..2150).contains(&counts[*c])), "{counts:?}");
}

proptest! {
    #[test]
    fn balanced_overall_and_within_tags_and_independent_of_order(
        kinds in proptest::collection::vec((0..4_usize, 0..5_usize), 0..120), seed: u64,
    ) {
        let tasks: Vec<Task> = kinds.iter().enumerate().map(|(i, &(family, kind))| {
            let choices: &[&str] = match kind { 0 => &["n", "None of the above"], _ => &["a", "b", "c"] };
            task(i, &format!("f{family}"), choices, usize::from(kind < 2))
        }).collect();
        let items = binary_items(&tasks, BinaryForm::Single, Seed::new(seed));
        prop_assert!(imbalance(&items) <= 1);
        for family in 0..4 {
            let of: Vec<BinaryItem> =
                items.iter().filter(|x| x.tags.family == format!("f{family}")).cloned().collect();
            prop_assert!(imbalance(&of) <= 1);
        }
        let reversed: Vec<Task> = tasks.iter().rev().cloned().collect();
        let mut again = binary_items(&reversed, BinaryForm::Single, Seed::new(seed));
        again.reverse();
        prop_assert_eq!(&items, &again);
        for item in &items {
            let (id, candidate) = item.id.split_once('#').unwrap();
            let task = tasks.iter().find(|t| t.id == id).unwrap();
            prop_assert_eq!(item.label, candidate.parse::<usize>().unwrap() == task.gold);
            prop_assert_eq!(&item.group, &task.group);
        }
        let pairs = binary_items(&tasks, BinaryForm::Pair, Seed::new(seed));
        prop_assert_eq!(imbalance(&pairs), 0);
    }

    #[test]
    fn preferences_are_balanced(n in 0..50_usize, seed: u64) {
        let preferences: Vec<Preference> = (0..n).map(|i| Preference {
            id: format!("p{i}"), group: format!("g{i}"), prompt: "p".into(), chosen: format!("c{i}"),
            rejected: format!("r{i}"), tags: Tags::default(),
        }).collect();
        let single = preference_items(&preferences, BinaryForm::Single, Seed::new(seed));
        prop_assert_eq!(single.len(), n);
        prop_assert!(imbalance(&single) <= 1);
        prop_assert!(single.iter().all(|item| item.label == item.text.starts_with("p\nc")));
        let pairs = preference_items(&preferences, BinaryForm::Pair, Seed::new(seed));
        prop_assert_eq!(pairs.len(), 2 * n);
        prop_assert!(pairs.chunks(2).all(|pair| pair[0].group == pair[1].group && pair[0].label && !pair[1].label));
    }
}
