//! Completions against those of Python transformers, and against each other. Run on tract here, and again on ONNX
//! Runtime by `runtimes`.

use crate::support::{golden, open, runtime};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use superalign_core::{ChoicePrompt, Model as _, ModelError, Seed};
use superalign_inference::{
    CacheUse, Completion, EndToken, Event, Filters, Finish, GenerateError, GenerateOptions, Generator,
    OpenOptions, Prompt, RuntimeKind, Sampling, Truncation, generate, sampling,
};

#[derive(Deserialize)]
struct Golden {
    greedy: Vec<Greedy>,
    filters: Vec<Filter>,
}

#[derive(Deserialize)]
struct Greedy {
    rung: usize,
    prompt: String,
    plain: Vec<u32>,
    penalty: Vec<u32>,
    text: String,
}

#[derive(Deserialize)]
struct Filter {
    filter: String,
    value: f32,
    seen: Vec<u32>,
    before: Vec<f32>,
    after: Vec<Option<f32>>,
}

fn transformers() -> Golden {
    let text = std::fs::read_to_string(golden("generation.json")).expect("the reference");
    serde_json::from_str(&text).expect("the reference, readable")
}

fn rung(number: usize) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../models/ladder/rung-{number}"))
}

fn generator(number: usize, cores: usize, cache: CacheUse) -> Generator {
    let options = OpenOptions { cores: Some(cores), ..OpenOptions::default() };
    Generator::open(&rung(number), runtime(), &options, cache).expect("a model that opens")
}

fn all(model: &mut Generator, prompts: &[Prompt], options: &GenerateOptions) -> Vec<Completion> {
    generate(model, prompts, options, &mut |_| true).expect("completions")
}

fn tokens(completions: &[Completion]) -> Vec<&[u32]> {
    completions.iter().map(|one| one.tokens.as_slice()).collect()
}

#[test]
fn greedy_completions_are_those_of_transformers_with_cache_and_without() {
    let golden = transformers();
    for number in 0..4 {
        let cases: Vec<&Greedy> = golden.greedy.iter().filter(|case| case.rung == number).collect();
        assert!(!cases.is_empty());
        let prompts = Prompt::list(cases.iter().map(|case| case.prompt.clone()), Seed::new(0));
        for cache in [CacheUse::WherePossible, CacheUse::Never] {
            if (number, cache, runtime().kind()) == (3, CacheUse::Never, RuntimeKind::Tract) {
                continue; // Too slow to be worth it: ONNX Runtime does it.
            }
            let mut model = generator(number, 2, cache);
            assert_eq!(model.has_cache(), cache == CacheUse::WherePossible);
            assert_eq!(
                model.reads_in_place(),
                model.has_cache() && runtime().kind() == RuntimeKind::OnnxRuntime
            );
            for (penalty, rows) in [(1.0, 16), (1.3, 3)] {
                let options = GenerateOptions {
                    max_tokens: 24,
                    repetition_penalty: penalty,
                    rows,
                    ..GenerateOptions::default()
                };
                let found = all(&mut model, &prompts, &options);
                for (found, case) in found.iter().zip(&cases) {
                    let expected = if penalty == 1.0 { &case.plain } else { &case.penalty };
                    assert_eq!(&found.tokens, expected, "rung {number}, {cache:?}, {:?}", case.prompt);
                    if penalty == 1.0 {
                        assert_eq!(found.text, case.text);
                    }
                    let ended = expected.last() == Some(&3);
                    assert_eq!(found.finish, if ended { Finish::End } else { Finish::Length });
                }
            }
        }
    }
}

#[test]
fn filters_leave_what_those_of_transformers_leave() {
    for case in transformers().filters {
        let mut scores = case.before.clone();
        match case.filter.as_str() {
            "repetition_penalty" => sampling::repetition_penalty(&mut scores, &case.seen, case.value),
            "temperature" => sampling::temperature(&mut scores, case.value),
            "top_k" => sampling::top_k(&mut scores, 5),
            "top_p" => sampling::top_p(&mut scores, case.value),
            "min_p" => sampling::min_p(&mut scores, case.value),
            other => panic!("an unknown filter {other}"),
        }
        for (token, (found, expected)) in scores.iter().zip(&case.after).enumerate() {
            let expected = expected.unwrap_or(f32::NEG_INFINITY);
            let same = *found == expected || (found - expected).abs() < 1e-5;
            assert!(same, "{} {} token {token}: {found} {expected}", case.filter, case.value);
        }
    }
}

fn random() -> GenerateOptions {
    let filters = Filters { temperature: 0.9, top_k: Some(40), top_p: Some(0.95), min_p: Some(0.01) };
    GenerateOptions {
        max_tokens: 20,
        samples: 5,
        sampling: Sampling::Random(filters),
        rows: 4,
        ..GenerateOptions::default()
    }
}

fn prompts(count: usize) -> Vec<Prompt> {
    let words = ["ask", "biba", "has", "many", "zivi", "and", "tilu", "is"];
    let text =
        |at: usize| (0..=at * 5 % 11).map(|word| words[(word * 3 + at) % 8]).collect::<Vec<_>>().join(" ");
    Prompt::list((0..count).map(text), Seed::new(9))
}

#[test]
fn a_seed_gives_the_same_completions_for_any_cores_rows_and_company() {
    let prompts = prompts(9);
    let first = all(&mut generator(1, 1, CacheUse::WherePossible), &prompts, &random());
    assert_eq!(first.len(), 45);
    let expected: Vec<(usize, usize)> = (0..9).flat_map(|prompt| (0..5).map(move |s| (prompt, s))).collect();
    assert_eq!(first.iter().map(|one| (one.prompt, one.sample)).collect::<Vec<_>>(), expected);
    for cores in [2, 3] {
        assert_eq!(all(&mut generator(1, cores, CacheUse::WherePossible), &prompts, &random()), first);
    }
    // No two scores of these are within the last digits of each other, so neither rows nor company matter.
    let mut model = generator(1, 2, CacheUse::WherePossible);
    for rows in [1, 7, 64] {
        let options = GenerateOptions { rows, ..random() };
        assert_eq!(all(&mut model, &prompts, &options), first, "{rows} rows");
    }
    let alone = all(&mut model, &prompts[3..4], &random());
    assert_eq!(tokens(&alone), tokens(&first[15..20]));
    let without = all(&mut generator(1, 2, CacheUse::Never), &prompts, &random());
    assert_eq!(tokens(&without), tokens(&first));
    let differ = (0..9).filter(|prompt| first[prompt * 5].tokens != first[prompt * 5 + 1].tokens).count();
    assert!(differ > 4, "samples of a prompt draw from seeds of their own");
    let other: Vec<Prompt> = prompts.iter().map(|p| Prompt { seed: p.seed.nth(77), ..p.clone() }).collect();
    assert_ne!(tokens(&all(&mut model, &other, &random())), tokens(&first));
}

#[test]
fn one_top_token_is_greedy() {
    let prompts = prompts(6);
    let mut model = generator(0, 2, CacheUse::WherePossible);
    let greedy = GenerateOptions { sampling: Sampling::Greedy, samples: 1, ..random() };
    let greedy = all(&mut model, &prompts, &greedy);
    let usual = Filters::default();
    for filters in [
        Filters { top_k: Some(1), ..usual },
        Filters { top_p: Some(1e-6), ..usual },
        Filters { min_p: Some(1.0), ..usual },
        Filters { temperature: 1e-4, ..usual },
    ] {
        let options = GenerateOptions { sampling: Sampling::Random(filters), samples: 1, ..random() };
        assert_eq!(all(&mut model, &prompts, &options), greedy, "{filters:?}");
    }
}

#[test]
fn what_is_streamed_is_what_is_returned() {
    let prompts = prompts(7);
    let mut model = generator(1, 2, CacheUse::WherePossible);
    let mut streams = std::collections::BTreeMap::new();
    let mut finished = 0;
    let options = GenerateOptions { stop: vec!["right .".into(), "wrong".into()], ..random() };
    let completions = generate(&mut model, &prompts, &options, &mut |event| {
        match event {
            Event::Token { prompt, sample, token, text } => {
                let (tokens, pieces): &mut (Vec<u32>, String) =
                    streams.entry((*prompt, *sample)).or_default();
                tokens.push(*token);
                pieces.push_str(text);
            }
            Event::Finished { completion, rest } => {
                finished += 1;
                let (_, pieces) = streams.entry((completion.prompt, completion.sample)).or_default();
                pieces.push_str(rest);
            }
        }
        true
    });
    let completions = completions.expect("completions");
    assert_eq!(finished, completions.len());
    let mut stopped = 0;
    for one in &completions {
        assert_eq!(streams[&(one.prompt, one.sample)], (one.tokens.clone(), one.text.clone()));
        let whole = model.decode(&one.tokens).expect("a text");
        assert!(whole.starts_with(&one.text));
        assert!(!one.text.contains("right .") && !one.text.contains("wrong"));
        match one.finish {
            Finish::Stop => {
                stopped += 1;
                let rest = &whole[one.text.len()..];
                assert!(rest == "right ." || rest == "wrong", "{rest:?}");
            }
            Finish::End | Finish::Length => assert_eq!(one.text, whole),
        }
    }
    assert!(stopped > 3, "{stopped}");
}

#[test]
fn a_sink_that_has_enough_stops_it() {
    let mut model = generator(0, 2, CacheUse::WherePossible);
    let mut told = 0;
    let stopped = generate(&mut model, &prompts(40), &random(), &mut |_| {
        told += 1;
        told < 10
    });
    assert!(matches!(stopped, Err(GenerateError::Model(ModelError::Stopped))));
    assert_eq!(told, 10);
    // And it can be asked again.
    assert_eq!(all(&mut model, &prompts(2), &random()).len(), 10);
}

#[test]
fn the_end_token_can_be_ignored_and_positions_end_a_completion() {
    let mut model = generator(0, 1, CacheUse::WherePossible);
    let endless = GenerateOptions { end: EndToken::Ignore, max_tokens: 40, ..random() };
    assert!(all(&mut model, &prompts(3), &endless).iter().all(|one| one.tokens.len() == 40));
    let options = OpenOptions { max_tokens: Some(12), ..OpenOptions::default() };
    let mut short = Generator::open(&rung(0), runtime(), &options, CacheUse::default()).expect("a model");
    let long = "biba ".repeat(30);
    let found = all(
        &mut short,
        &Prompt::list(["ask biba", &long], Seed::new(1)),
        &GenerateOptions { end: EndToken::Ignore, ..GenerateOptions::default() },
    );
    assert_eq!((found[0].prompt_tokens, found[0].tokens.len(), found[0].truncated), (3, 9, false));
    assert_eq!((found[1].prompt_tokens, found[1].tokens.len(), found[1].truncated), (11, 1, true));
    assert!(found.iter().all(|one| one.finish == Finish::Length));
    let refuse = OpenOptions { truncation: Truncation::Refuse, ..options };
    let mut short = Generator::open(&rung(0), runtime(), &refuse, CacheUse::default()).expect("a model");
    let refused = generate(&mut short, &Prompt::list([long], Seed::new(1)), &random(), &mut |_| true);
    insta::assert_snapshot!(refused.expect_err("too long"), @"text 0: 31 tokens, expected at most 11; shorten it or allow truncation");
}

#[test]
fn a_long_prompt_is_read_in_pieces() {
    // 600 tokens: beyond the 512 of these models' training, which the graph does not mind.
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["model.onnx", "model_with_past.onnx", "model.safetensors", "tokenizer.json"] {
        std::fs::copy(rung(0).join(name), folder.path().join(name)).expect("copied");
    }
    let long = "biba has many tilu and ".repeat(120);
    let prompts = Prompt::list([long.trim(), "ask biba"], Seed::new(1));
    let complete = |cache| {
        let mut model =
            Generator::open(folder.path(), runtime(), &OpenOptions::default(), cache).expect("a model");
        all(&mut model, &prompts, &GenerateOptions { max_tokens: 8, ..GenerateOptions::default() })
    };
    let (with, without) = (complete(CacheUse::WherePossible), complete(CacheUse::Never));
    assert_eq!(with[0].prompt_tokens, 601);
    assert_eq!(with, without);
}

#[test]
fn a_merged_decoder_is_told_which_branch_to_take() {
    if runtime().kind() == RuntimeKind::Tract {
        eprintln!("skipped: tract does not run this kind of branch");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["model.safetensors", "tokenizer.json", "config.json"] {
        std::fs::copy(rung(0).join(name), folder.path().join(name)).expect("copied");
    }
    std::fs::copy(golden("rung-0-merged.onnx"), folder.path().join("decoder_model_merged.onnx"))
        .expect("copied");
    let mut merged = Generator::open(folder.path(), runtime(), &OpenOptions::default(), CacheUse::default())
        .expect("a model");
    assert!(merged.has_cache());
    let prompts = prompts(6);
    assert_eq!(
        all(&mut merged, &prompts, &random()),
        all(&mut generator(0, 2, CacheUse::WherePossible), &prompts, &random())
    );
}

#[test]
fn a_decoder_in_two_parts_goes_on_where_the_first_ends() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["model.safetensors", "tokenizer.json", "config.json"] {
        std::fs::copy(rung(0).join(name), folder.path().join(name)).expect("copied");
    }
    let put = |from: &str, to: &str| {
        std::fs::copy(golden(from), folder.path().join(to)).expect("copied");
    };
    let open = |cache| Generator::open(folder.path(), runtime(), &OpenOptions::default(), cache);
    // The second alone cannot begin.
    put("rung-0-second.onnx", "decoder_with_past_model.onnx");
    assert!(open(CacheUse::WherePossible).is_err());
    put("rung-0-first.onnx", "decoder_model.onnx");
    let mut parts = open(CacheUse::WherePossible).expect("a model");
    assert!(parts.has_cache());
    let options = GenerateOptions { samples: 2, rows: 4, ..random() };
    let expected = all(&mut generator(0, 2, CacheUse::WherePossible), &prompts(9), &options);
    assert_eq!(all(&mut parts, &prompts(9), &options), expected);
    // Without a cache, the first reads whole texts.
    let mut whole = open(CacheUse::Never).expect("a model");
    assert!(!whole.has_cache());
    assert_eq!(all(&mut whole, &prompts(9), &options), expected);
    // A first that gives no cache, and a second that takes none.
    let said = || open(CacheUse::WherePossible).err().expect("refused").to_string();
    std::fs::copy(rung(0).join("model.onnx"), folder.path().join("decoder_model.onnx")).expect("copied");
    assert!(said().ends_with(
        "decoder_model.onnx: it does not give present.0.key, from which decoder_with_past_model.onnx goes on"
    ));
    std::fs::copy(rung(0).join("model.onnx"), folder.path().join("decoder_with_past_model.onnx"))
        .expect("copied");
    assert!(
        said().ends_with(
            "decoder_with_past_model.onnx: it has no past_key_values, expected those of each layer"
        )
    );
}

#[test]
fn choices_through_the_cache_have_the_likelihoods_of_whole_passes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["model.onnx", "model.safetensors", "tokenizer.json", "config.json"] {
        std::fs::copy(rung(1).join(name), folder.path().join(name)).expect("copied");
    }
    let plain = folder.path();
    let prefixes =
        ["ask biba has many tilu", "ask", "say 3 4", "biba is zivi and tilu is not zivi . ask tilu"];
    let choices = ["right .", "wrong .", "zivi and tilu or biba", "is", "right . ask"];
    let ask: Vec<ChoicePrompt> = prefixes
        .iter()
        .cycle()
        .take(30)
        .enumerate()
        .map(|(at, prefix)| ChoicePrompt {
            prefix: format!("{prefix}{}", " biba".repeat(at / 4)),
            choices: choices[at % 3..].iter().map(|&choice| choice.to_owned()).collect(),
        })
        .collect();
    let mut whole = open(plain, &OpenOptions::default());
    let mut cached = open(&rung(1), &OpenOptions::default());
    assert_ne!(whole.card().digest, cached.card().digest, "what computes is part of what a model is");
    let mut told = 0;
    let whole = whole.choice_log_likelihoods(&ask, &mut |_| true).expect("likelihoods");
    let found = cached.choice_log_likelihoods(&ask, &mut |finished| {
        told = finished;
        true
    });
    let found = found.expect("likelihoods");
    assert_eq!(told, ask.len());
    for (found, whole) in found.iter().flatten().zip(whole.iter().flatten()) {
        assert_eq!(found.tokens, whole.tokens);
        assert!(
            (found.sum - whole.sum).abs() < 1e-5 * whole.sum.abs().max(1.0),
            "{} {}",
            found.sum,
            whole.sum
        );
    }
    let one = OpenOptions { cores: Some(1), ..OpenOptions::default() };
    let again = open(&rung(1), &one).choice_log_likelihoods(&ask, &mut |_| true).expect("likelihoods");
    assert_eq!(again, found, "to the bit, for any number of cores");
    let stopped = cached.choice_log_likelihoods(&ask, &mut |_| false);
    assert!(matches!(stopped, Err(ModelError::Stopped)));
}
