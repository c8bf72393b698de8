//! Verdicts: margins are those of the model, whatever the batch; the table counts rightly.

use crate::common::{Place, ladder};
use std::num::NonZeroUsize;
use superalign_pretrain::score::{Item, ItemTags, margins, summarise, wilson};
use superalign_pretrain::{Then, train, weights};

fn item(text: &str, label: bool, family: &str, difficulty: u8) -> Item {
    let tags =
        ItemTags { objective: "competence".into(), family: family.into(), difficulty: Some(difficulty) };
    Item { text: text.into(), label, tags }
}

#[test]
fn margins_do_not_depend_on_the_company() {
    let place = Place::new();
    let ladder = ladder();
    let job = place.job(&ladder, "small", "model", 1);
    train(&job, &mut |_| Then::GoOn).unwrap();
    let folder = weights::load(&job.out).unwrap();
    let items: Vec<Item> = (0..300)
        .map(|i| {
            item(&format!("{} plus {} is {} {}", i % 10, i % 7, i % 3, ". ".repeat(i % 40)), true, "sum", 1)
        })
        .collect();
    let together = margins(&folder, &items, "yes", "no", &mut |_| {}).unwrap();
    assert_eq!(together.len(), items.len());
    for (item, &margin) in items.iter().zip(&together) {
        let alone = margins(&folder, std::slice::from_ref(item), "yes", "no", &mut |_| {}).unwrap();
        assert!((alone[0] - margin).abs() < 1e-5, "{}: {} and {margin}", item.text, alone[0]);
        let swapped = margins(&folder, std::slice::from_ref(item), "no", "yes", &mut |_| {}).unwrap();
        assert_eq!(swapped[0], -alone[0]);
    }
}

#[test]
fn the_table_counts_by_family_and_difficulty() {
    let items = [
        item("", true, "sum", 1),
        item("", false, "sum", 1),
        item("", true, "sum", 2),
        item("", false, "logic", 2),
    ];
    let margins = [1.5, 0.5, -0.25, -1.0];
    let table: Vec<String> = summarise(&items, &margins)
        .into_iter()
        .map(|g| {
            format!("{} {}: {} items, {:.2}, centred {:.2}", g.by, g.value, g.items, g.accuracy, g.centred)
        })
        .collect();
    insta::assert_snapshot!("table", table.join("\n"));
}

#[test]
fn wilson_intervals_agree_with_a_reference() {
    // statsmodels.stats.proportion.proportion_confint(count, n, method="wilson").
    for (hits, n, lo, hi) in [
        (8, 10, 0.490_162_47, 0.943_317_83),
        (0, 20, 0.0, 0.161_125_16),
        (50, 100, 0.403_831_53, 0.596_168_47),
    ] {
        let found = wilson(hits, NonZeroUsize::new(n).unwrap());
        assert!((found.lo - lo).abs() < 1e-6 && (found.hi - hi).abs() < 1e-6, "{hits} of {n}: {found}");
    }
}
