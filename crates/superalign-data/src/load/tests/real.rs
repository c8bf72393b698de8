//! Published collections, where they are at hand: a folder named by `SUPERALIGN_SHARED`, or `shared` beside the repository.

use super::*;
use crate::binary::{BinaryForm, binary_items, preference_items};
use crate::split::split_by_group;
use std::collections::HashSet;
use superalign_core::Seed;

fn shared(relative: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = std::env::var_os("SUPERALIGN_SHARED").map_or_else(beside, PathBuf::from).join(relative);
    if !path.exists() {
        eprintln!("skipped: not found: {}", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn boolq_is_read_balanced_and_divided_without_leaks() {
    for (file, rows) in [("data/boolq/val.jsonl", 1491), ("data/boolq/test.jsonl", 2807)] {
        let Some(path) = shared(file) else { continue };
        let loaded = load(path, None).unwrap();
        assert_eq!((loaded.format, loaded.skipped.len()), (Format::BoolQ, 0));
        let Content::Tasks(tasks) = loaded.content else { panic!("BoolQ holds tasks") };
        assert_eq!(tasks.len(), rows);
        let items = binary_items(&tasks, BinaryForm::Single, Seed::new(1));
        assert_eq!(items.len(), rows);
        assert_eq!(items.iter().filter(|item| item.label).count().abs_diff(rows / 2) / 2, 0);
        let groups: Vec<&str> = items.iter().map(|item| item.group.as_str()).collect();
        let parts = split_by_group(&groups, &[0.5, 0.3, 0.2], Seed::new(1)).unwrap();
        let passage = |i: &usize| items[*i].text.split("\nQ: ").next().unwrap().to_owned();
        let sources: Vec<HashSet<String>> =
            parts.iter().map(|part| part.iter().map(passage).collect()).collect();
        assert!(sources[0].is_disjoint(&sources[1]) && sources[1].is_disjoint(&sources[2]));
    }
}

#[test]
fn dialogues_are_read_as_prompt_and_responses() {
    for (file, skipped) in [("harmless_test", 8), ("harmless_train_gt", 4), ("harmless_train_w2s", 5)] {
        let Some(path) = shared(&format!("data/hh-harmless/{file}.jsonl")) else { continue };
        let loaded = load(path, None).unwrap();
        assert_eq!(loaded.format, Format::Hh);
        assert_eq!(loaded.skipped.iter().map(|s| s.count).sum::<usize>(), skipped, "{file}");
        let Content::Preferences(pairs) = loaded.content else { panic!("HH holds preferences") };
        assert_eq!(pairs.len(), 4000 - skipped);
        assert!(pairs.iter().all(|p| p.prompt.starts_with("Human:") && p.prompt.ends_with("Assistant:")));
        assert_eq!(preference_items(&pairs, BinaryForm::Pair, Seed::new(1)).len(), 2 * pairs.len());
    }
}

#[test]
fn llmbar_is_read_with_its_family() {
    let files = [("natural", 100), ("adversarial-neighbor", 134), ("adversarial-gptinst", 92)];
    for (file, rows) in files.into_iter().chain([("adversarial-gptout", 47), ("adversarial-manual", 46)]) {
        let Some(path) = shared(&format!("data/llmbar/{file}.json")) else { continue };
        let loaded = load(path, None).unwrap();
        assert_eq!(
            (loaded.format, loaded.container, loaded.skipped.len()),
            (Format::LlmBar, Container::Json, 0)
        );
        let Content::Preferences(pairs) = loaded.content else { panic!("LLMBar holds preferences") };
        assert_eq!((pairs.len(), pairs[0].tags.family.as_str()), (rows, file));
    }
}
