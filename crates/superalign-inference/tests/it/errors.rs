//! Every way in which a model's folder or a request can be wrong, and what is said about it.

use crate::support::{copy_of, golden, open, request, runtime};
use std::path::Path;
use superalign_core::{ChoicePrompt, Layer, Model, ModelError, Pooling};
use superalign_inference::{OnnxModel, OpenOptions};

fn refusal(folder: &Path) -> String {
    let error = OnnxModel::open(folder, runtime(), &OpenOptions::default()).err().expect("it is refused");
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let text = error.to_string().replace(&whole.display().to_string(), "FOLDER");
    text.replace(&folder.display().to_string(), "FOLDER")
}

/// What is said when `spoil` has been at the folder.
fn spoiled(name: &str, spoil: impl FnOnce(&Path)) -> String {
    let folder = copy_of(name);
    spoil(folder.path());
    refusal(folder.path())
}

fn remove(folder: &Path, name: &str) {
    std::fs::remove_file(folder.join(name)).expect("removed");
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("written");
}

/// Replaces bytes in the graph by as many others.
fn patch(folder: &Path, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let path = folder.join("model.onnx");
    let mut bytes = std::fs::read(&path).expect("the graph");
    for at in 0..bytes.len() - from.len() {
        if &bytes[at..at + from.len()] == from.as_bytes() {
            bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        }
    }
    std::fs::write(path, bytes).expect("written");
}

#[test]
fn what_is_missing_is_named() {
    insta::assert_snapshot!(
        "no_folder",
        refusal(&golden("none")).replace(&golden("none").display().to_string(), "FOLDER")
    );
    insta::assert_snapshot!("no_graph", spoiled("decoder", |folder| remove(folder, "model.onnx")));
    insta::assert_snapshot!("no_tokenizer", spoiled("decoder", |folder| remove(folder, "tokenizer.json")));
    insta::assert_snapshot!("no_weights", spoiled("decoder", |folder| remove(folder, "model.safetensors")));
    insta::assert_snapshot!(
        "short_weights",
        spoiled("decoder", |folder| write(folder, "model.safetensors", "short"))
    );
    insta::assert_snapshot!(
        "outside_weights",
        spoiled("decoder", |folder| {
            patch(folder, "model.safetensors", "../../safetensors");
        })
    );
    insta::assert_snapshot!(
        "several_graphs",
        spoiled("decoder", |folder| {
            remove(folder, "model.onnx");
            write(folder, "a.onnx", "");
            write(folder, "b.onnx", "");
        })
    );
}

#[test]
fn what_is_not_what_its_name_says_is_named() {
    insta::assert_snapshot!(
        "pointer_graph",
        spoiled("decoder", |folder| write(folder, "model.onnx", "version https://git-lfs"))
    );
    insta::assert_snapshot!("text_graph", spoiled("decoder", |folder| write(folder, "model.onnx", "<html>")));
    insta::assert_snapshot!("empty_graph", spoiled("decoder", |folder| write(folder, "model.onnx", "")));
    insta::assert_snapshot!(
        "cut_graph",
        spoiled("decoder", |folder| {
            let bytes = std::fs::read(folder.join("model.onnx")).expect("the graph");
            std::fs::write(folder.join("model.onnx"), &bytes[..bytes.len() / 2]).expect("written");
        })
    );
    insta::assert_snapshot!(
        "bad_tokenizer",
        spoiled("decoder", |folder| write(folder, "tokenizer.json", "{}"))
    );
    insta::assert_snapshot!(
        "bad_config",
        spoiled("decoder", |folder| write(folder, "config.json", "{\"vocab_size\": \"many\"}"))
    );
}

/// However much of a file is there, it is refused or read, and nothing panics.
#[test]
fn a_file_cut_short_anywhere_is_an_error() {
    for name in ["model.onnx", "tokenizer.json", "config.json"] {
        let folder = copy_of("encoder");
        let path = folder.path().join(name);
        let bytes = std::fs::read(&path).expect("the file");
        let step = (bytes.len() / 40).max(1);
        for length in (0..bytes.len() - 1).step_by(step) {
            std::fs::write(&path, &bytes[..length]).expect("written");
            let said = refusal(folder.path());
            assert!(said.starts_with("FOLDER/"), "{name} of {length} bytes: {said}");
        }
    }
}

#[test]
fn files_of_other_kinds_are_named() {
    insta::assert_snapshot!(
        "not_utf8_config",
        spoiled("decoder", |folder| std::fs::write(folder.join("config.json"), b"{\"a\": \"\xff\"}")
            .expect("written"))
    );
    insta::assert_snapshot!("list_config", spoiled("decoder", |folder| write(folder, "config.json", "[]")));
    let said = spoiled("decoder", |folder| {
        std::fs::write(folder.join("tokenizer.json"), [0xff, 0xfe]).expect("written");
    });
    assert!(said.starts_with("FOLDER/tokenizer.json: not a tokenizer: "), "{said}");
}

#[test]
fn inputs_of_other_kinds_of_models_are_named() {
    insta::assert_snapshot!(
        "inputs_of_others",
        [
            spoiled("encoder", |folder| patch(folder, "token_type_ids", "decoder_input_")),
            spoiled("encoder", |folder| patch(folder, "attention_mask", "input_features")),
            spoiled("encoder", |folder| patch(folder, "input_ids", "input_ido")),
        ]
        .join("\n")
    );
}

#[test]
fn a_hundred_thousand_tokens_are_cut_or_refused_and_counted() {
    let text = "river ".repeat(100_000);
    let last = request(Pooling::Mean, Layer::Last);
    let refuse =
        OpenOptions { truncation: superalign_inference::Truncation::Refuse, ..OpenOptions::default() };
    let error = open(&golden("decoder"), &refuse).embed(&[&text], last, &mut |_| true).expect_err("too long");
    assert_eq!(
        error.to_string(),
        "text 0: 100001 tokens, expected at most 16; shorten it or allow truncation"
    );
    let mut model = open(&golden("decoder"), &OpenOptions::default());
    model.embed(&[&text, "yes"], last, &mut |_| true).expect("vectors");
    assert_eq!((model.usage().truncated, model.usage().tokens), (1, 18));
    // One word of half a megabyte is one token, and not known.
    model.embed(&[&text.replace(' ', "")], last, &mut |_| true).expect("a vector");
    assert_eq!(model.usage().unknown, 1);
}

#[test]
fn inputs_and_outputs_are_compared_with_those_of_a_language_model() {
    insta::assert_snapshot!(
        "unknown_input",
        spoiled("encoder", |folder| patch(folder, "token_type_ids", "pixel_values_0"))
    );
    insta::assert_snapshot!(
        "unknown_output",
        spoiled("encoder", |folder| patch(folder, "last_hidden_state", "some_other_output"))
    );
}

#[test]
fn a_tokenizer_of_another_model_is_noticed() {
    insta::assert_snapshot!(
        "other_tokenizer",
        spoiled("decoder", |folder| {
            let text = std::fs::read_to_string(folder.join("tokenizer.json")).expect("the tokenizer");
            write(folder, "tokenizer.json", &text.replace("\"no\": 15", "\"no\": 15, \"perhaps\": 16"));
        })
    );
}

#[test]
fn a_graph_that_the_runtime_refuses_is_an_error_not_a_crash() {
    let folder = copy_of("decoder");
    patch(folder.path(), "Softmax", "Hardwax");
    let mut model = open(folder.path(), &OpenOptions::default());
    let error = model.embed(&["yes"], request(Pooling::Mean, Layer::Last), &mut |_| true);
    assert!(matches!(error, Err(ModelError::Runtime { .. })), "{error:?}");
    // The part of the graph before it still runs.
    model.embed(&["yes"], request(Pooling::Mean, Layer::Index(0)), &mut |_| true).expect("layer 0");
}

#[test]
fn requests_that_cannot_be_answered_say_why() {
    let mut decoder =
        open(&golden("decoder"), &OpenOptions { name: Some("tiny".into()), ..OpenOptions::default() });
    let mut encoder = open(&golden("encoder"), &OpenOptions::default());
    let last = request(Pooling::Mean, Layer::Last);
    let mut said = Vec::new();
    let mut embed = |model: &mut OnnxModel, texts: &[&str], request| {
        said.push(model.embed(texts, request, &mut |_| true).expect_err("an error").to_string());
    };
    embed(&mut decoder, &["yes", ""], last);
    embed(&mut decoder, &["yes", "no", "  \t"], last);
    embed(&mut decoder, &["yes"], request(Pooling::Mean, Layer::Index(3)));
    embed(&mut encoder, &["yes"], request(Pooling::Mean, Layer::Index(0)));
    let mut choose = |model: &mut OnnxModel, prefix: &str, choices: &[&str]| {
        let prompt =
            ChoicePrompt { prefix: prefix.into(), choices: choices.iter().map(|c| (*c).into()).collect() };
        said.push(model.choice_log_likelihoods(&[prompt], &mut |_| true).expect_err("an error").to_string());
    };
    choose(&mut encoder, "is it", &["true"]);
    choose(&mut decoder, "is it", &[]);
    choose(&mut decoder, "is it", &["true", ""]);
    choose(&mut decoder, "is it", &["true", &"no ".repeat(30)]);
    choose(&mut decoder, "is it", &["right", "wrong"]);
    insta::assert_snapshot!("requests", said.join("\n"));
    assert_eq!(decoder.embed(&[], last, &mut |_| true).expect("nothing").dim(), (0, 8));
}

#[test]
fn done_stops_the_work() {
    let options = OpenOptions { token_budget: Some(8), ..OpenOptions::default() };
    let mut model = open(&golden("decoder"), &options);
    let texts = vec!["the river froze early"; 500];
    let mut calls = 0;
    let stopped = model.embed(&texts, request(Pooling::Mean, Layer::Last), &mut |_| {
        calls += 1;
        calls < 3
    });
    assert!(matches!(stopped, Err(ModelError::Stopped)));
    assert_eq!(calls, 3);
    let prompts = vec![ChoicePrompt { prefix: "is it".into(), choices: vec!["true".into()] }; 100];
    assert!(matches!(model.choice_log_likelihoods(&prompts, &mut |_| false), Err(ModelError::Stopped)));
    // And the model can still be asked.
    model.embed(&texts[..2], request(Pooling::Mean, Layer::Last), &mut |_| true).expect("vectors");
}
