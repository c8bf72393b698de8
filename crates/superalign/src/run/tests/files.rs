//! What stands in a run folder besides numbers: texts and tags.

use super::*;
use crate::record::{load_items, read_tags, read_texts, write_tags};

#[test]
fn every_item_of_every_experiment_has_its_text() {
    for text in ALL {
        let bench = Bench::new();
        let (folder, manifest, _) = bench.run(text);
        let texts = read_texts(&folder.join("texts.parquet")).unwrap().unwrap();
        assert_eq!(texts.len(), manifest.plan.data.parts.iter().map(|part| part.items).sum::<usize>());
        let mut by_name = BTreeMap::new();
        for row in &texts {
            assert!(by_name.insert((&*row.part, &*row.item), row).is_none(), "{} comes twice", row.item);
            assert!(row.answer.as_ref().is_none_or(|answer| row.text.ends_with(answer)));
        }
        let items = load_items(&folder.join("items.parquet")).unwrap();
        assert!(!items.is_empty());
        for item in &items {
            let row = by_name.get(&(&*item.part, &*item.item));
            let row = row.unwrap_or_else(|| {
                panic!("{}: no text of {} {}", manifest.plan.experiment, item.part, item.item)
            });
            assert_eq!((row.gold, row.difficulty, &*row.group), (item.gold, item.difficulty, &*item.group));
            assert!(!row.text.is_empty());
        }
        // Requests with answers, and questions with two, hold the answer apart.
        let apart = texts.iter().filter(|row| row.answer.is_some()).count();
        let holds = [evaluation::REWARD, sandwiching::SANDWICH].contains(&text);
        assert!(!holds || apart == texts.len(), "{}: {apart} of {}", manifest.plan.experiment, texts.len());
    }
}

#[test]
fn what_is_done_anew_keeps_its_tags() {
    let bench = Bench::new();
    let (folder, ..) = bench.run(NOISE);
    let tags = ["paper".parse().unwrap()].into();
    write_tags(&folder, &tags).unwrap();
    bench.go(NOISE, Past::Discard, How::Plainly).unwrap();
    assert_eq!(read_tags(&folder).unwrap(), tags);
}
