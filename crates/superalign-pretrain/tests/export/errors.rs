//! Folders that cannot be exported: each message names place and remedy.

use crate::folder::{Parameters, SMALL, Shape};
use crate::refusal;
use insta::assert_snapshot;
use superalign_core::Seed;
use tempfile::TempDir;

fn saved(shape: Shape) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    Parameters::random(shape, Seed::new(1)).save(folder.path());
    folder
}

/// The message after `change` was made to a good `config.json`.
fn with_config(change: &dyn Fn(&mut serde_json::Value)) -> String {
    let folder = saved(SMALL);
    let mut config = Parameters::random(SMALL, Seed::new(1)).config();
    change(&mut config);
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    refusal(folder.path())
}

#[test]
fn a_missing_file_is_named() {
    let folder = saved(SMALL);
    std::fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    assert_snapshot!(refusal(folder.path()), @"");
    std::fs::remove_file(folder.path().join("config.json")).unwrap();
    assert_snapshot!(refusal(folder.path()), @"");
}

#[test]
fn a_configuration_of_something_else_is_refused() {
    assert_snapshot!(with_config(&|c| c["architectures"] = serde_json::json!(["BertModel"])), @"");
    assert_snapshot!(with_config(&|c| c["hidden_act"] = "gelu".into()), @"");
    assert_snapshot!(with_config(&|c| c["attention_bias"] = true.into()), @"");
    assert_snapshot!(with_config(&|c| c["rope_scaling"] = serde_json::json!({"type": "yarn"})), @"");
    assert_snapshot!(with_config(&|c| c["num_key_value_heads"] = 2.into()), @"");
    assert_snapshot!(with_config(&|c| c["num_attention_heads"] = 0.into()), @"");
    assert_snapshot!(with_config(&|c| c["rms_norm_eps"] = (-1.0).into()), @"");
    assert_snapshot!(with_config(&|c| { c.as_object_mut().unwrap().remove("vocab_size"); }), @"");
}

#[test]
fn weights_that_do_not_fit_the_configuration_are_refused() {
    assert_snapshot!(with_config(&|c| c["num_hidden_layers"] = 3.into()), @"");
    assert_snapshot!(with_config(&|c| c["vocab_size"] = 60.into()), @"");
    assert_snapshot!(with_config(&|c| c["tie_word_embeddings"] = false.into()), @"");
}

#[test]
fn damaged_weights_are_refused() {
    let folder = saved(SMALL);
    let path = folder.path().join("model.safetensors");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert_snapshot!(refusal(folder.path()), @"");
    std::fs::write(&path, &whole[..100]).unwrap();
    assert_snapshot!(refusal(folder.path()), @"");
    std::fs::write(&path, b"GGUF").unwrap();
    assert_snapshot!(refusal(folder.path()), @"");
    let mut spoilt = whole;
    spoilt[8] = b'[';
    std::fs::write(&path, spoilt).unwrap();
    assert_snapshot!(refusal(folder.path()), @"");
}
