//! The cache: same answers, counted, safe when damaged or killed.

use crate::support::{golden, open, request};
use superalign_core::{ChoicePrompt, Layer, Model as _, ModelError, Pooling};
use superalign_inference::{CacheError, CacheStats, FeatureCache, OpenOptions, choices_cached, embed_cached};

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let sets = std::fs::read_dir(folder).expect("the cache").flatten();
    sets.flat_map(|set| std::fs::read_dir(set.path()).expect("a set").flatten().map(|entry| entry.path()))
        .collect()
}

/// 2,500 distinct texts of 2 to 5 words, and as many repeats.
fn texts() -> Vec<String> {
    let words = ["the", "river", "froze", "early", "this", "year", "is", "it"];
    let digits = |mut n: usize| {
        let mut text = words[n % 5].to_owned();
        while n > 0 {
            text += " ";
            text += words[n % 8];
            n /= 8;
        }
        text
    };
    (0..5000).map(|i| digits(i % 2500 + 1)).collect()
}

#[test]
fn a_second_request_is_answered_from_the_cache_to_the_bit() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut model = open(&golden("decoder"), &OpenOptions::default());
    let last = request(Pooling::LastToken, Layer::Last);
    let cache = FeatureCache::new(folder.path());
    let first = embed_cached(&mut model, &cache, &texts, last, &mut |_| true).expect("vectors");
    let misses = cache.stats().misses;
    assert_eq!(cache.stats(), CacheStats { hits: 0, misses });
    assert!(misses <= 2500);
    let plain = model.embed(&texts[..10], last, &mut |_| true).expect("vectors");
    assert!(crate::support::distance(plain.iter(), first.slice(ndarray::s![..10, ..]).iter()) < 1e-5);

    let again = FeatureCache::new(folder.path());
    let mut told = Vec::new();
    let second = embed_cached(&mut model, &again, &texts, last, &mut |finished| {
        told.push(finished);
        true
    });
    assert_eq!(second.expect("vectors"), first);
    assert_eq!(again.stats(), CacheStats { hits: misses, misses: 0 });
    assert_eq!(told.last(), Some(&texts.len()));

    // Another layer is another question.
    let other = request(Pooling::LastToken, Layer::Index(1));
    embed_cached(&mut model, &again, &texts[..3], other, &mut |_| true).expect("vectors");
    assert_eq!(again.stats().misses, 3);
}

#[test]
fn a_request_that_was_stopped_continues_with_the_same_bits() {
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut model = open(&golden("decoder"), &OpenOptions::default());
    let mean = request(Pooling::Mean, Layer::Last);
    let whole = tempfile::tempdir().expect("a temporary folder");
    let expected = embed_cached(&mut model, &FeatureCache::new(whole.path()), &texts, mean, &mut |_| true);
    let expected = expected.expect("vectors");

    let folder = tempfile::tempdir().expect("a temporary folder");
    let cache = FeatureCache::new(folder.path());
    let stopped = embed_cached(&mut model, &cache, &texts, mean, &mut |finished| finished < 3000);
    assert!(matches!(stopped, Err(CacheError::Model(ModelError::Stopped))));
    assert!(!files(folder.path()).is_empty(), "what was finished is kept");
    let cache = FeatureCache::new(folder.path());
    let continued = embed_cached(&mut model, &cache, &texts, mean, &mut |_| true).expect("vectors");
    assert!(cache.stats().hits > 0 && cache.stats().misses > 0);
    assert_eq!(continued, expected);
}

#[test]
fn a_damaged_file_is_noticed_and_computed_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut model = open(&golden("decoder"), &OpenOptions::default());
    let mean = request(Pooling::Mean, Layer::Last);
    let cache = FeatureCache::new(folder.path());
    let first = embed_cached(&mut model, &cache, &["yes", "no"], mean, &mut |_| true).expect("vectors");
    let path = files(folder.path()).pop().expect("one file");
    let mut bytes = std::fs::read(&path).expect("the file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    let second = embed_cached(&mut model, &cache, &["yes", "no"], mean, &mut |_| true).expect("vectors");
    assert_eq!(first, second);
    let warnings = cache.take_warnings();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("damaged") && warnings[0].contains("computed again"), "{warnings:?}");
    embed_cached(&mut model, &cache, &["yes"], mean, &mut |_| true).expect("vectors");
    assert_eq!((cache.stats().hits, cache.take_warnings().len()), (1, 0));
}

#[test]
fn choices_are_kept_too() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut model = open(&golden("decoder"), &OpenOptions::default());
    let prompt = |prefix: &str, choices: &[&str]| ChoicePrompt {
        prefix: prefix.into(),
        choices: choices.iter().map(|choice| (*choice).into()).collect(),
    };
    let prompts = [prompt("is it", &["true", "early this year"]), prompt("the river", &["froze"])];
    let cache = FeatureCache::new(folder.path());
    let first = choices_cached(&mut model, &cache, &prompts, &mut |_| true).expect("likelihoods");
    let second = choices_cached(&mut model, &cache, &prompts, &mut |_| true).expect("likelihoods");
    assert_eq!(first, second);
    assert_eq!(first[0][1].tokens, 3);
    assert_eq!(cache.stats(), CacheStats { hits: 2, misses: 2 });
    assert_eq!(model.choice_log_likelihoods(&prompts, &mut |_| true).expect("likelihoods"), first);
}

#[test]
fn a_bad_text_is_named_by_its_place_in_the_request() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut model = open(&golden("decoder"), &OpenOptions::default());
    let cache = FeatureCache::new(folder.path());
    let texts = ["yes", "yes", "yes", ""];
    let error = embed_cached(&mut model, &cache, &texts, request(Pooling::Mean, Layer::Last), &mut |_| true);
    assert!(matches!(error, Err(CacheError::Model(ModelError::Input { index: 3, .. }))), "{error:?}");
}

#[test]
fn a_cache_that_cannot_be_written_is_an_error_that_names_the_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("a-file");
    std::fs::write(&file, "").expect("written");
    let mut model = open(&golden("decoder"), &OpenOptions::default());
    let request = request(Pooling::Mean, Layer::Last);
    let error = embed_cached(&mut model, &FeatureCache::new(&file), &["yes"], request, &mut |_| true);
    assert!(error.expect_err("no room").to_string().contains("a-file"));
}
