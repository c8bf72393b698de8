//! Folders as Optimum, transformers.js and others write them: chosen, described, tried out.

use crate::support::{copy_of, distance, golden, open, request, runtime};
use std::path::{Path, PathBuf};
use superalign_core::{ChoicePrompt, Layer, Model, Pooling};
use superalign_inference::{GraphChoice, OnnxModel, OpenError, OpenOptions, Task, describe};

const TEXTS: [&str; 2] = ["the river froze early this year", "is it"];

fn ladder(rung: usize) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../models/ladder/rung-{rung}"))
}

fn with_graph(name: &str) -> OpenOptions {
    OpenOptions { graph: GraphChoice::File(name.into()), ..OpenOptions::default() }
}

/// Moves the graph, and what weights it has outside, into the `onnx` folder under another name.
fn moved(folder: &Path, name: &str) {
    std::fs::create_dir_all(folder.join("onnx")).expect("made");
    std::fs::rename(folder.join("model.onnx"), folder.join("onnx").join(name)).expect("moved");
    if folder.join("model.safetensors").is_file() {
        std::fs::rename(folder.join("model.safetensors"), folder.join("onnx/model.safetensors"))
            .expect("moved");
    }
}

#[test]
fn a_graph_in_the_onnx_folder_is_the_same_model() {
    let wanted = open(&golden("decoder"), &OpenOptions::default())
        .embed(&TEXTS, request(Pooling::Mean, Layer::Last), &mut |_| true)
        .expect("vectors");
    for name in ["model.onnx", "decoder_model.onnx", "decoder_model_merged.onnx", "model_q4f16.onnx"] {
        let folder = copy_of("decoder");
        moved(folder.path(), name);
        let found = open(folder.path(), &OpenOptions::default())
            .embed(&TEXTS, request(Pooling::Mean, Layer::Last), &mut |_| true)
            .expect("vectors");
        assert_eq!(found, wanted, "{name}");
    }
}

#[test]
fn of_several_graphs_one_must_be_named() {
    let folder = copy_of("encoder");
    moved(folder.path(), "model_fp16.onnx");
    std::fs::copy(folder.path().join("onnx/model_fp16.onnx"), folder.path().join("onnx/model_q4.onnx"))
        .expect("copied");
    let refused = OnnxModel::open(folder.path(), runtime(), &OpenOptions::default()).err().expect("no rule");
    assert!(matches!(refused, OpenError::Choice { .. }), "{refused}");
    assert!(refused.to_string().ends_with(
        "found onnx/model_fp16.onnx, onnx/model_q4.onnx, expected `model.onnx` or a single .onnx file, or one of them named"
    ));
    for choice in ["q4", "f16", "onnx/model_q4.onnx"] {
        let graph = choice.parse().expect("a choice");
        open(folder.path(), &OpenOptions { graph, ..OpenOptions::default() });
    }
    let graph = "int8".parse().expect("a choice");
    let absent = OnnxModel::open(folder.path(), runtime(), &OpenOptions { graph, ..OpenOptions::default() });
    assert!(
        absent
            .err()
            .expect("absent")
            .to_string()
            .ends_with("there is no graph in int8; found onnx/model_fp16.onnx, onnx/model_q4.onnx")
    );
}

#[test]
fn a_graph_with_a_cache_answers_as_one_without() {
    let choose = |model: &mut OnnxModel| {
        let prompt =
            ChoicePrompt { prefix: "so it is".into(), choices: vec![" right".into(), " wrong".into()] };
        model.choice_log_likelihoods(&[prompt], &mut |_| true).expect("likelihoods")
    };
    let mut plain = open(&ladder(0), &OpenOptions::default());
    let mut cached = open(&ladder(0), &with_graph("model_with_past.onnx"));
    let (plain, cached) = (choose(&mut plain), choose(&mut cached));
    for (plain, cached) in plain.concat().iter().zip(cached.concat()) {
        assert!((plain.sum - cached.sum).abs() < 1e-4, "{plain:?} {cached:?}");
        assert!(plain.sum < 0.0 && plain.tokens == cached.tokens);
    }
}

#[test]
fn a_merged_decoder_is_asked_with_its_cache_off() {
    let mut merged = open(&golden("merged"), &OpenOptions::default());
    let mut plain = open(&golden("decoder"), &OpenOptions::default());
    let prompt =
        ChoicePrompt { prefix: "the river froze ?".into(), choices: vec!["yes".into(), "no".into()] };
    let found =
        merged.choice_log_likelihoods(std::slice::from_ref(&prompt), &mut |_| true).expect("likelihoods");
    let table = crate::support::merged_logits();
    let sums: Vec<f32> = found[0].iter().map(|one| one.sum as f32).collect();
    assert!(distance(&sums, &table) < 1e-5, "{sums:?} {table:?}");
    assert_eq!(
        describe(&golden("merged"), &GraphChoice::Auto).expect("described").task,
        Task::CausalLmWithCache
    );
    // Another model, another answer: the two are not confused.
    let other = plain.choice_log_likelihoods(&[prompt], &mut |_| true).expect("likelihoods");
    assert!((other[0][0].sum - found[0][0].sum).abs() > 1e-3);
}

#[test]
fn folders_are_described() {
    for (name, folder, graph) in [
        ("encoder", golden("encoder"), GraphChoice::Auto),
        ("decoder", golden("decoder"), GraphChoice::Auto),
        ("cached", ladder(0), GraphChoice::File("model_with_past.onnx".into())),
    ] {
        let mut found = describe(&folder, &graph).expect("described");
        assert_eq!(found.digest.len(), 64);
        found.digest = "DIGEST".into();
        found.folder = "FOLDER".into();
        insta::assert_snapshot!(name, serde_json::to_string_pretty(&found).expect("JSON"));
    }
}

#[test]
fn settings_of_older_families_are_read_under_their_names() {
    let folder = copy_of("decoder");
    let config = r#"{"architectures": null, "model_type": "gpt2", "n_embd": 8, "n_layer": 2, "n_head": 2,
        "n_positions": 16, "hidden_size": null, "id2label": {"1": "b", "0": "a"}}"#;
    std::fs::write(folder.path().join("config.json"), config).expect("written");
    let found = describe(folder.path(), &GraphChoice::Auto).expect("described");
    assert_eq!((found.layers, found.heads, found.positions), (2, Some(2), Some(16)));
    let nested = r#"{"model_type": "some_vl", "text_config": {"num_hidden_layers": 2, "max_position_embeddings": 12}}"#;
    std::fs::write(folder.path().join("config.json"), nested).expect("written");
    let found = describe(folder.path(), &GraphChoice::Auto).expect("described");
    assert_eq!((found.layers, found.positions), (2, Some(12)));
}

#[test]
fn both_golden_models_pass_the_smoke_test() {
    for name in ["encoder", "decoder", "merged"] {
        let found = open(&golden(name), &OpenOptions::default()).smoke_test(TEXTS).expect("a trial");
        assert!(found.passed(), "{name}: {found:?}");
        assert_eq!(found.read, "texts");
        assert_ne!(found.tokens[0], found.tokens[1]);
    }
    let found = open(&golden("decoder"), &OpenOptions::default()).smoke_test(["  ", "\t"]).expect("a trial");
    assert_eq!((found.read, found.tokens), ("first tokens of the vocabulary", [5, 3]));
}

#[test]
fn a_model_that_padding_disturbs_fails_the_smoke_test() {
    // The decoder sees the whole row, and no longer asks what is padding.
    let folder = copy_of("seeing");
    let found = open(folder.path(), &OpenOptions::default()).smoke_test(TEXTS).expect("a trial");
    assert!(!found.passed(), "{found:?}");
}

#[test]
fn a_classifier_opens_and_is_scored() {
    let found = describe(&golden("classifier"), &GraphChoice::Auto).expect("described");
    assert_eq!(found.task, Task::SequenceClassification);
    assert_eq!(found.classes, ["bad", "good", "great"]);
    let mut model = open(&golden("classifier"), &OpenOptions::default());
    let trial = model.smoke_test(TEXTS).expect("a trial");
    assert_eq!((trial.output.as_str(), trial.shape.as_slice()), ("logits", [2, 3].as_slice()));
    assert!(trial.passed(), "{trial:?}");
    let error =
        model.embed(&["yes"], request(Pooling::Mean, Layer::Last), &mut |_| true).expect_err("no states");
    assert!(error.to_string().contains("does not give the states"), "{error}");
}
