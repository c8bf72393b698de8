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
    assert_snapshot!(refusal(folder.path()), @"FOLDER/model.safetensors: not found; expected a folder with config.json and model.safetensors, as the trainer or `save_pretrained` writes it");
    std::fs::remove_file(folder.path().join("config.json")).unwrap();
    assert_snapshot!(refusal(folder.path()), @"FOLDER/config.json: not found; expected a folder with config.json and model.safetensors, as the trainer or `save_pretrained` writes it");
}

#[test]
fn a_configuration_of_something_else_is_refused() {
    assert_snapshot!(with_config(&|c| c["architectures"] = serde_json::json!(["BertModel"])), @"FOLDER/config.json: `architectures` is BertModel, expected LlamaForCausalLM; export this model with Optimum instead");
    assert_snapshot!(with_config(&|c| c["hidden_act"] = "gelu".into()), @"FOLDER/config.json: `hidden_act` is gelu, expected silu; export this model with Optimum instead");
    assert_snapshot!(with_config(&|c| c["attention_bias"] = true.into()), @"FOLDER/config.json: `attention_bias` is true, expected false; export this model with Optimum instead");
    assert_snapshot!(with_config(&|c| c["rope_scaling"] = serde_json::json!({"type": "yarn"})), @r#"FOLDER/config.json: `rope_scaling` is {"type":"yarn"}, expected null; export this model with Optimum instead"#);
    assert_snapshot!(with_config(&|c| c["num_key_value_heads"] = 2.into()), @"FOLDER/config.json: `num_key_value_heads` is 2, expected a divisor of num_attention_heads = 3; write the file again with `save_pretrained` or the trainer");
    assert_snapshot!(with_config(&|c| c["num_attention_heads"] = 0.into()), @"FOLDER/config.json: `num_attention_heads` is 0, expected at least 1; write the file again with `save_pretrained` or the trainer");
    assert_snapshot!(with_config(&|c| c["rms_norm_eps"] = (-1.0).into()), @"FOLDER/config.json: `rms_norm_eps` is -1, expected a number above 0; write the file again with `save_pretrained` or the trainer");
    assert_snapshot!(with_config(&|c| { c.as_object_mut().unwrap().remove("vocab_size"); }), @"FOLDER/config.json: not a Llama configuration: missing field `vocab_size` at line 1 column 257; expected the fields that `LlamaConfig` of transformers writes");
}

#[test]
fn weights_that_do_not_fit_the_configuration_are_refused() {
    assert_snapshot!(with_config(&|c| c["num_hidden_layers"] = 3.into()), @"FOLDER/model.safetensors: tensor `model.layers.2.input_layernorm.weight` is missing, but config.json implies it, with shape [24]; the two files are not from one model");
    assert_snapshot!(with_config(&|c| c["vocab_size"] = 60.into()), @"FOLDER/model.safetensors: tensor `model.embed_tokens.weight` has shape [61, 24], but config.json implies [60, 24]; the two files are not from one model");
    assert_snapshot!(with_config(&|c| c["tie_word_embeddings"] = false.into()), @"FOLDER/model.safetensors: tensor `lm_head.weight` is missing, but config.json implies it, with shape [61, 24]; the two files are not from one model");
}

#[test]
fn damaged_weights_are_refused() {
    let folder = saved(SMALL);
    let path = folder.path().join("model.safetensors");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert_snapshot!(refusal(folder.path()), @"FOLDER/model.safetensors: not a whole safetensors file: 25911 bytes, expected 25912; write it again with `save_pretrained` or the trainer");
    std::fs::write(&path, &whole[..100]).unwrap();
    assert_snapshot!(refusal(folder.path()), @"FOLDER/model.safetensors: not a whole safetensors file: header of 2000 bytes in a file of 100; write it again with `save_pretrained` or the trainer");
    std::fs::write(&path, b"GGUF").unwrap();
    assert_snapshot!(refusal(folder.path()), @"FOLDER/model.safetensors: not a whole safetensors file: 4 bytes, expected at least 8; write it again with `save_pretrained` or the trainer");
    let mut spoilt = whole;
    spoilt[8] = b'[';
    std::fs::write(&path, spoilt).unwrap();
    assert_snapshot!(refusal(folder.path()), @"FOLDER/model.safetensors: not a whole safetensors file: the header is no JSON object of tensors (invalid type: sequence, expected struct HashMetadata at line 1 column 0); write it again with `save_pretrained` or the trainer");
}
