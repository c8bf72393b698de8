//! Scores of heads: against transformers and numpy, alone and padded, and what cannot be scored.

use crate::support::{golden, open};
use ndarray::Array2;
use serde::Deserialize;
use std::path::Path;
use superalign_core::{
    EmbedRequest, Layer, Message, Model as _, ModelError, Pooling, ProbabilityRule, ScoreInput,
};
use superalign_inference::{OnnxModel, OpenOptions, Truncation, probabilities};

#[derive(Deserialize)]
struct Golden {
    reward: Reward,
    cross: Vec<Cross>,
}

#[derive(Deserialize)]
struct Reward {
    texts: Vec<Text>,
    chats: Vec<Chat>,
}

#[derive(Deserialize)]
struct Text {
    text: String,
    score: f32,
}

#[derive(Deserialize)]
struct Chat {
    prompt: String,
    response: String,
    text: String,
    score: f32,
}

#[derive(Deserialize)]
struct Cross {
    first: String,
    second: String,
    scores: Vec<f32>,
    probabilities: Vec<f64>,
}

fn expected() -> Golden {
    let text = std::fs::read_to_string(golden("heads.json")).expect("the reference");
    serde_json::from_str(&text).expect("the reference, readable")
}

/// The reward model with the weights and the tokenizer of the ladder's smallest rung.
fn reward_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rung = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/ladder/rung-0");
    for name in ["model.safetensors", "tokenizer.json", "tokenizer_config.json"] {
        std::fs::copy(rung.join(name), folder.path().join(name)).expect("copied");
    }
    for name in ["model.onnx", "config.json", "chat_template.jinja"] {
        std::fs::copy(golden("reward").join(name), folder.path().join(name)).expect("copied");
    }
    folder
}

fn scores(model: &mut OnnxModel, inputs: &[ScoreInput]) -> Array2<f32> {
    model.score(inputs, &mut |_| true).expect("scores")
}

fn near(a: f32, b: f32) -> bool {
    (a - b).abs() <= 5e-5 * b.abs().max(1.0)
}

/// As near as padding has to leave scores.
fn nearer(a: f32, b: f32) -> bool {
    (a - b).abs() <= 1e-5 * b.abs().max(1.0)
}

fn answers() -> (Vec<ScoreInput>, Vec<f32>) {
    let Reward { texts, chats } = expected().reward;
    let text = texts.iter().map(|case| (ScoreInput::Text(case.text.clone()), case.score));
    let chat = chats.iter().map(|case| (ScoreInput::answer(&case.prompt, &case.response), case.score));
    text.chain(chat).unzip()
}

#[test]
fn a_reward_model_scores_as_transformers_does() {
    let folder = reward_folder();
    let mut model = open(folder.path(), &OpenOptions::default());
    let head = model.score_head().expect("a head").clone();
    assert_eq!(
        (head.labels, head.rule, head.reads_chats),
        (vec!["reward".to_owned()], ProbabilityRule::Sigmoid, true)
    );
    assert!(!model.card().generates);
    let (inputs, wanted) = answers();
    let mut told = Vec::new();
    let found = model.score(&inputs, &mut |n| {
        told.push(n);
        true
    });
    let found = found.expect("scores");
    assert_eq!(found.dim(), (inputs.len(), 1));
    assert_eq!(told.last(), Some(&inputs.len()));
    for ((score, wanted), input) in found.iter().zip(&wanted).zip(&inputs) {
        assert!(near(*score, *wanted), "{input:?}: {score}, transformers {wanted}");
    }
    // What the template writes, given as a text whose special token is there already, reads a second one.
    let chat = &expected().reward.chats[0];
    let twice = scores(&mut model, &[ScoreInput::Text(chat.text.clone())]);
    assert!(!near(twice[(0, 0)], chat.score));
    assert_eq!(model.usage().texts, inputs.len() + 1);
}

#[test]
fn padding_and_cores_change_no_score() {
    let folder = reward_folder();
    let (inputs, _) = answers();
    let inputs: Vec<ScoreInput> = inputs.iter().cycle().take(60).cloned().collect();
    let open_with = |token_budget, cores| {
        let options = OpenOptions { token_budget, cores: Some(cores), ..OpenOptions::default() };
        open(folder.path(), &options)
    };
    let alone = scores(&mut open_with(Some(1), 1), &inputs);
    let padded = scores(&mut open_with(Some(512), 1), &inputs);
    assert!(alone.iter().zip(&padded).all(|(a, b)| nearer(*a, *b)), "{alone:?} {padded:?}");
    assert_eq!(scores(&mut open_with(Some(512), 3), &inputs), padded, "to the bit");
    // Without a padding token that is known, rows are of one length.
    let config = std::fs::read_to_string(folder.path().join("config.json")).expect("read");
    let without = config.replace("\"pad_token_id\": 0", "\"pad_token_id\": null");
    assert_ne!(config, without);
    std::fs::write(folder.path().join("config.json"), without).expect("written");
    let unpadded = scores(&mut open_with(Some(512), 1), &inputs);
    assert!(alone.iter().zip(&unpadded).all(|(a, b)| nearer(*a, *b)));
}

#[test]
fn pairs_are_joined_by_the_tokenizer() {
    let mut model = open(&golden("cross"), &OpenOptions::default());
    let head = model.score_head().expect("a head").clone();
    assert_eq!((head.labels.join(" ").as_str(), head.rule), ("other same", ProbabilityRule::Softmax));
    assert!(!head.reads_chats);
    let cases = expected().cross;
    let inputs: Vec<ScoreInput> =
        cases.iter().map(|case| ScoreInput::Pair(case.first.clone(), case.second.clone())).collect();
    let found = scores(&mut model, &inputs);
    let shares = probabilities(found.view(), head.rule).expect("probabilities");
    for (at, case) in cases.iter().enumerate() {
        for (score, wanted) in found.row(at).iter().zip(&case.scores) {
            assert!(near(*score, *wanted), "{at}: {score}, numpy {wanted}");
        }
        for (share, wanted) in shares.row(at).iter().zip(&case.probabilities) {
            assert!((share - wanted).abs() < 1e-5, "{at}: {share}, numpy {wanted}");
        }
    }
    assert_eq!(model.usage().truncated, 0);
    // Twelve positions: of a long pair the longer text loses its beginning.
    let long = |first: &str, second: &str| ScoreInput::Pair(first.into(), second.into());
    let cut = scores(&mut model, &[long("the river froze early this year is it", "yes no yes")]);
    let kept = scores(&mut model, &[long("froze early this year is it", "yes no yes")]);
    assert_eq!((cut, model.usage().truncated), (kept, 1));
    let refuse = OpenOptions { truncation: Truncation::Refuse, ..OpenOptions::default() };
    let mut strict = open(&golden("cross"), &refuse);
    let inputs = [long("yes", "no"), long("the river froze early this year is it", "yes no yes")];
    let error = strict.score(&inputs, &mut |_| true).expect_err("too long");
    assert_eq!(error.to_string(), "text 1: 14 tokens, expected at most 12; shorten it or allow truncation");
}

#[test]
fn settings_say_what_scores_stand_for() {
    let folder = crate::support::copy_of("classifier");
    let rule_of = |config: &str| {
        std::fs::write(folder.path().join("config.json"), config).expect("written");
        let model = open(folder.path(), &OpenOptions::default());
        let head = model.score_head().expect("a head");
        (head.labels.clone(), head.rule)
    };
    let (labels, rule) = rule_of(r#"{"hidden_size": 8, "problem_type": "multi_label_classification"}"#);
    assert_eq!((labels.join(" ").as_str(), rule), ("LABEL_0 LABEL_1 LABEL_2", ProbabilityRule::Sigmoid));
    assert_eq!(rule_of(r#"{"hidden_size": 8, "problem_type": "regression"}"#).1, ProbabilityRule::None);
    let (labels, rule) =
        rule_of(r#"{"hidden_size": 8, "id2label": {"0": "bad", "2": "great"}, "problem_type": null}"#);
    assert_eq!((labels[0].as_str(), labels.len(), rule), ("bad", 3, ProbabilityRule::Softmax));
}

#[test]
fn what_cannot_be_scored_is_told() {
    let folder = reward_folder();
    let mut reward = open(folder.path(), &OpenOptions::default());
    let mut decoder = open(&golden("decoder"), &OpenOptions::default());
    let mut cross = open(&golden("cross"), &OpenOptions::default());
    let mut said = Vec::new();
    let mut say = |model: &mut OnnxModel, input: ScoreInput| {
        let error =
            model.score(&[ScoreInput::Text("yes".into()), input], &mut |_| true).expect_err("refused");
        let name = model.card().name.clone();
        said.push(error.to_string().replace(&name, "NAME"));
    };
    say(&mut decoder, ScoreInput::Text("yes".into()));
    say(&mut cross, ScoreInput::Chat(vec![Message::user("yes")]));
    say(&mut cross, ScoreInput::Text(String::new()));
    say(&mut cross, ScoreInput::Pair("yes".into(), String::new()));
    std::fs::write(
        folder.path().join("chat_template.jinja"),
        "{{ raise_exception('a conversation begins with the system') if messages[0].role != 'system' }}",
    )
    .expect("written");
    let mut strict = open(folder.path(), &OpenOptions::default());
    say(&mut strict, ScoreInput::answer("ask", "say"));
    insta::assert_snapshot!(said.join("\n"));
    assert!(matches!(reward.score(&answers().0, &mut |_| false), Err(ModelError::Stopped)));
    assert_eq!(reward.score(&[], &mut |_| true).expect("nothing").dim(), (0, 1));
    // A model without a head does what the seam does.
    let request = EmbedRequest { pooling: Pooling::Mean, layer: Layer::Last };
    assert!(decoder.embed(&["yes"], request, &mut |_| true).is_ok() && decoder.score_head().is_none());
}
