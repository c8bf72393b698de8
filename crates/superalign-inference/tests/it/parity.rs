//! Answers against those of numpy and PyTorch. Run on tract here, and again on ONNX Runtime by `runtimes`.

use crate::support::{distance, golden, open, reference, request, shared};
use ndarray::Axis;
use serde::Deserialize;
use superalign_core::{ChoicePrompt, Layer, Model, ModelError, Pooling};
use superalign_inference::{OpenOptions, Truncation};

fn go(_: usize) -> bool {
    true
}

#[test]
fn a_decoder_gives_every_layer_as_numpy_does() {
    let mut model = open(&golden("decoder"), &OpenOptions::default());
    let card = model.card();
    assert_eq!((card.layers, card.width, card.generates), (2, 8, true));
    assert_eq!(card.parameters, Some(16 * 8 + 8 * 64 + 8));
    let reference = reference();
    let texts: Vec<&str> = reference.texts.iter().map(|case| case.text.as_str()).collect();
    for layer in 0..=2 {
        for pooling in [Pooling::LastToken, Pooling::Mean] {
            let vectors =
                model.embed(&texts, request(pooling, Layer::Index(layer)), &mut go).expect("vectors");
            for (vector, case) in vectors.outer_iter().zip(&reference.texts) {
                let expected = if pooling == Pooling::Mean { &case.mean } else { &case.last_token };
                let off = distance(vector.iter(), &expected[layer]);
                assert!(off < 1e-4, "layer {layer}, {pooling:?}, {:?}: {off}", case.text);
            }
        }
    }
    let last = model.embed(&texts, request(Pooling::Mean, Layer::Last), &mut go).expect("vectors");
    let second = model.embed(&texts, request(Pooling::Mean, Layer::Index(2)), &mut go).expect("vectors");
    assert_eq!(last, second);
    assert_eq!(model.usage().unknown, 8 * 2, "`unheard of`, asked eight times");
    assert_eq!(model.usage().truncated, 0, "the truncation written in tokenizer.json is not used");
}

#[test]
fn choices_have_the_likelihoods_that_numpy_gives() {
    let mut model = open(&golden("decoder"), &OpenOptions::default());
    let reference = reference();
    let prompts: Vec<ChoicePrompt> = reference
        .prompts
        .iter()
        .map(|case| ChoicePrompt { prefix: case.prefix.clone(), choices: case.choices.clone() })
        .collect();
    let mut told = Vec::new();
    let answers = model
        .choice_log_likelihoods(&prompts, &mut |finished| {
            told.push(finished);
            true
        })
        .expect("likelihoods");
    for (answer, case) in answers.iter().zip(&reference.prompts) {
        for ((found, expected), choice) in answer.iter().zip(&case.sums).zip(&case.choices) {
            assert!((found.sum - expected).abs() < 1e-4, "{choice:?}: {} {expected}", found.sum);
            assert_eq!(found.tokens, choice.split(' ').count());
        }
    }
    assert_eq!(told.last(), Some(&prompts.len()));
    // A blank at the end of the prefix belongs to the choices and changes nothing here.
    let spaced: Vec<ChoicePrompt> =
        prompts.iter().map(|p| ChoicePrompt { prefix: format!("{} ", p.prefix), ..p.clone() }).collect();
    assert_eq!(model.choice_log_likelihoods(&spaced, &mut go).expect("likelihoods"), answers);
}

#[test]
fn an_encoder_is_told_which_text_a_token_belongs_to() {
    let mut model = open(&golden("encoder"), &OpenOptions::default());
    assert!(!model.card().generates);
    let reference = reference();
    let texts: Vec<&str> = reference.texts.iter().map(|case| case.text.as_str()).collect();
    let vectors = model.embed(&texts, request(Pooling::Mean, Layer::Last), &mut go).expect("vectors");
    for (vector, case) in vectors.outer_iter().zip(&reference.texts) {
        assert!(distance(vector.iter(), &case.encoder_mean) < 1e-5, "{:?}", case.text);
    }
}

#[test]
fn answers_are_the_same_for_any_number_of_cores_and_in_the_order_asked() {
    let words = ["the", "river", "froze", "early", "this", "year"];
    let texts: Vec<String> =
        (0..300).map(|i| words[..1 + i * 7 % 6].join(" ") + " " + words[i % 6]).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let vectors = [1, 2, 5].map(|cores| {
        let options = OpenOptions { cores: Some(cores), token_budget: Some(32), ..OpenOptions::default() };
        let mut model = open(&golden("decoder"), &options);
        let mut told = 0;
        let vectors = model.embed(&texts, request(Pooling::LastToken, Layer::Last), &mut |finished| {
            assert!(finished > told, "progress only grows");
            told = finished;
            true
        });
        assert_eq!(told, texts.len());
        vectors.expect("vectors")
    });
    assert_eq!(vectors[0], vectors[1]);
    assert_eq!(vectors[0], vectors[2]);
    let mut alone = open(&golden("decoder"), &OpenOptions::default());
    let alone =
        alone.embed(&texts[17..18], request(Pooling::LastToken, Layer::Last), &mut go).expect("a vector");
    assert!(distance(alone.iter(), vectors[0].index_axis(Axis(0), 17)) < 1e-5, "padding changes nothing");
}

#[test]
fn long_texts_are_cut_at_the_end_asked_for_and_counted() {
    let long = format!("yes {}no", "river ".repeat(40));
    let embed = |truncation, text: &str| {
        let mut model = open(&golden("decoder"), &OpenOptions { truncation, ..OpenOptions::default() });
        let vectors = model.embed(&[text], request(Pooling::Mean, Layer::Index(0)), &mut go);
        vectors.map(|vectors| (vectors, model.usage().truncated))
    };
    // 16 positions, one of them for [BOS].
    let (start, cut) = embed(Truncation::KeepStart, &long).expect("vectors");
    assert_eq!(cut, 1);
    assert_eq!(start, embed(Truncation::Refuse, &format!("yes{}", " river".repeat(14))).expect("vectors").0);
    let (end, _) = embed(Truncation::KeepEnd, &long).expect("vectors");
    assert_eq!(end, embed(Truncation::Refuse, &format!("{}no", "river ".repeat(14))).expect("vectors").0);
    assert!(matches!(embed(Truncation::Refuse, &long), Err(ModelError::Input { index: 0, .. })));
    let monster = "river ".repeat(100_000);
    assert_eq!(embed(Truncation::KeepEnd, &monster).expect("vectors").1, 1);
}

#[derive(Deserialize)]
struct Sentence {
    text: String,
    mean_pooled_last: Vec<f32>,
    mean_pooled_layer3: Vec<f32>,
}

#[test]
fn a_real_encoder_agrees_with_pytorch() {
    let Some(folder) = shared("models/minilm") else { return };
    let mut model = open(&folder, &OpenOptions::default());
    assert_eq!((model.card().layers, model.card().width), (6, 384));
    let text = std::fs::read_to_string(folder.join("reference.json")).expect("the reference");
    let mut sentences: Vec<Sentence> = serde_json::from_str(&text).expect("the reference, readable");
    // An empty text is an error here (see `errors`).
    sentences.retain(|case| !case.text.is_empty());
    let texts: Vec<&str> = sentences.iter().map(|case| case.text.as_str()).collect();
    let last = model.embed(&texts, request(Pooling::Mean, Layer::Last), &mut go).expect("vectors");
    let third = model.embed(&texts, request(Pooling::Mean, Layer::Index(3)), &mut go).expect("vectors");
    for (row, case) in sentences.iter().enumerate() {
        let off = distance(last.row(row).iter(), &case.mean_pooled_last);
        assert!(off < 1e-4, "{:?}: {off}", case.text);
        let off = distance(third.row(row).iter(), &case.mean_pooled_layer3);
        assert!(off < 1e-4, "layer 3, {:?}: {off}", case.text);
    }
}
