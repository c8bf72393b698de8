//! What a user reads when something is wrong: place, what was found, what to do.

use crate::common::{LADDER, Place, ladder, text};
use superalign_pretrain::{Ladder, Then, Vocabulary, score, train, weights};

fn refused(change: impl Fn(&Place)) -> String {
    let place = Place::new();
    change(&place);
    let ladder = ladder();
    let job = place.job(&ladder, "small", "model", 1);
    text(train(&job, &mut |_| Then::GoOn).unwrap_err(), &place)
}

#[test]
fn a_wrong_corpus_names_line_and_column() {
    let unknown = refused(|place| {
        std::fs::write(place.path("corpus.txt"), "1 plus 1 is 2 .\n\n2 plus  two is 4 .\n").unwrap();
    });
    insta::assert_snapshot!(unknown, @"[folder]/corpus.txt, line 3, column 9: the word `two` is not in the vocabulary; use the tokenizer.json that was written together with this text");
    let long = refused(|place| {
        std::fs::write(place.path("corpus.txt"), format!("1\n{}\n", "1 ".repeat(63))).unwrap();
    });
    insta::assert_snapshot!(long, @"[folder]/corpus.txt: line 2 has 65 tokens, but the model takes 64: shorten the document or raise training.positions");
    insta::assert_snapshot!(refused(|place| std::fs::write(place.path("corpus.txt"), "\n\n").unwrap()), @"[folder]/corpus.txt: no document: expected one per line");
    let missing = refused(|place| std::fs::remove_file(place.path("corpus.txt")).unwrap());
    insta::assert_snapshot!(missing, @"[folder]/corpus.txt: No such file or directory (os error 2)");
}

#[test]
fn a_wrong_tokenizer_says_what_is_expected() {
    let write = |content: &'static str| {
        refused(move |place| std::fs::write(place.path("tokenizer.json"), content).unwrap())
    };
    insta::assert_snapshot!(write("{}"), @"[folder]/tokenizer.json: not a tokenizer.json: missing field `model` at line 1 column 2");
    insta::assert_snapshot!(write(r#"{"model": {"type": "BPE", "vocab": {}}}"#), @"[folder]/tokenizer.json: the tokenizer is of type `BPE`: expected `WordLevel`, as the generated world writes it");
    insta::assert_snapshot!(write(r#"{"model": {"type": "WordLevel", "vocab": {"<bos>": 0}}}"#), @"[folder]/tokenizer.json: the vocabulary lacks `<eos>`: expected it as a token");
    insta::assert_snapshot!(
        write(r#"{"model": {"type": "WordLevel", "vocab": {"<bos>": 0, "<eos>": 1, "1": 2}}}"#),
        @"[folder]/tokenizer.json: training.focus_after names `is`, which is not in the vocabulary"
    );
}

#[test]
fn a_wrong_ladder_names_key_and_range() {
    let parse = |from: &str, to: &str| {
        assert!(LADDER.contains(from), "{from}");
        Ladder::parse(&LADDER.replacen(from, to, 1)).unwrap_err()
    };
    insta::assert_snapshot!(parse("warmup_fraction", "warmup_faction"), @r"
    not a ladder: TOML parse error at line 9, column 1
      |
    9 | warmup_faction = 0.1
      | ^^^^^^^^^^^^^^
    unknown field `warmup_faction`, expected one of `tokens`, `batch_tokens`, `warmup_fraction`, `focus_after`, `focus_until`, `background_weight`, `weight_decay`, `positions`, `checkpoint_every`
    ");
    insta::assert_snapshot!(parse("heads = 2", "heads = 3"), @"rung `small`: width 16 is not a multiple of heads 3: change one of them");
    insta::assert_snapshot!(parse("width = 24", "width = 27"), @"rung `large`: width 27 over 3 heads gives an odd head of 9: rotary positions turn pairs, so width / heads must be even");
    insta::assert_snapshot!(parse("layers = 2", "layers = 0"), @"rung `small`: layers is 0: expected at least 1");
    insta::assert_snapshot!(parse("\"large\"", "\"small\""), @"rung `small` is there twice: names must differ");
    insta::assert_snapshot!(parse("\"large\"", "\"../large\""), @"rung 1: the name `../large` cannot be that of a folder");
    insta::assert_snapshot!(parse("learning_rate = 1e-2", "learning_rate = -1e-2"), @"rung `small`: learning_rate = -0.01: expected a number from 0.00000001 to 1");
    insta::assert_snapshot!(parse("background_weight = 0.5", "background_weight = 1.5"), @"training.background_weight = 1.5: expected a number from 0 to 1");
    insta::assert_snapshot!(parse("tokens = 6_000", "tokens = 0"), @"training.tokens = 0: expected at least 1");
    insta::assert_snapshot!(ladder().rung("middle").unwrap_err(), @"there is no rung `middle`: this ladder has `small` (0), `large` (1)");
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let place = Place::new();
    let mut ladder = ladder();
    train(&place.job(&ladder, "small", "model", 1), &mut |_| Then::Stop).unwrap();
    ladder.rungs[0].learning_rate = 2e-2;
    let other = train(&place.job(&ladder, "small", "model", 1), &mut |_| Then::Stop).unwrap_err();
    insta::assert_snapshot!(text(other, &place), @"[folder]/model-work/checkpoint.safetensors: this checkpoint belongs to another run (its settings differ): choose another work folder, or remove the file to start anew");
    std::fs::write(place.path("model-work/checkpoint.safetensors"), b"half a file").unwrap();
    let broken = train(&place.job(&ladder, "small", "model", 1), &mut |_| Then::Stop).unwrap_err();
    insta::assert_snapshot!(text(broken, &place), @"[folder]/model-work/checkpoint.safetensors: not a checkpoint (header too large): remove it to start anew");
}

#[test]
fn a_wrong_folder_or_item_names_the_file() {
    let place = Place::new();
    let ladder = ladder();
    let job = place.job(&ladder, "small", "model", 1);
    train(&job, &mut |_| Then::GoOn).unwrap();
    let folder = weights::load(&job.out).unwrap();
    let items = |content: &str| {
        std::fs::write(place.path("items.jsonl"), content).unwrap();
        let items = score::read_items(&place.path("items.jsonl"));
        let margins = items.and_then(|items| score::margins(&folder, &items, "yes", "no", &mut |_| {}));
        text(margins.unwrap_err(), &place)
    };
    insta::assert_snapshot!(items(""), @"[folder]/items.jsonl: no item: expected one JSON object per line");
    insta::assert_snapshot!(items("{\"text\": \"1\", \"label\": true}\n{\"text\": \"1\"}\n"), @"[folder]/items.jsonl, line 2: not an item: missing field `label` at line 1 column 13; expected an object with `text`, `label` (true or false) and `tags`");
    insta::assert_snapshot!(items("{\"text\": \"1 plus minus\", \"label\": true}\n"), @"item 1, column 8: the word `minus` is not in the vocabulary; use the tokenizer.json that was written together with this text");
    insta::assert_snapshot!(items(&format!("{{\"text\": \"{}\", \"label\": true}}\n", "1 ".repeat(64))), @"item 1: 65 tokens, but the model takes 64: shorten the text");

    let config = std::fs::read_to_string(job.out.join("config.json")).unwrap();
    let changed = config.replace("\"intermediate_size\": 24", "\"intermediate_size\": 32");
    std::fs::write(job.out.join("config.json"), changed).unwrap();
    insta::assert_snapshot!(text(weights::load(&job.out).unwrap_err(), &place), @"[folder]/model/model.safetensors: tensor `model.layers.0.mlp.gate_proj.weight` has shape [24, 16], but config.json says [32, 16]");
    std::fs::write(job.out.join("config.json"), "{}").unwrap();
    insta::assert_snapshot!(text(weights::load(&job.out).unwrap_err(), &place), @"[folder]/model/config.json: not the configuration of a Llama model: missing field `vocab_size` at line 1 column 2");
    insta::assert_snapshot!(text(Vocabulary::read(&place.path("none.json")).unwrap_err(), &place), @"[folder]/none.json: No such file or directory (os error 2)");
}
