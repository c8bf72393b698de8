//! The words of the world, made from a seed, and the tokenizer that knows them all.

use serde_json::json;
use superalign_core::Seed;

use super::draw::Dice;

/// Words that stand for how things are said; the same in every world.
const GRAMMAR: [&str; 35] = [
    "<pad>", "<unk>", "<bos>", "<eos>", ".", "ask", "say", "right", "wrong", "proper", "improper", "many",
    "from", "steps", "higher", "of", "and", "or", "not", "(", ")", "true", "false", "is", "box", "have",
    "has", "leads", "tops", "sealed", "reply", "wants", "dear", "take", "name",
];
/// Words of instructions, requests and refusals.
const CONDUCT: [&str; 16] = [
    "things", "without", "with", "first", "last", "to", "leave", "in", "secret", "haste", "at", "dawn", "i",
    "must", "then", "do",
];
/// Relations of facts.
pub(super) const RELATIONS: [&str; 4] = ["likes", "holds", "fears", "makes"];
/// Digits; numbers are written digit by digit.
const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
/// How many names, things and deeds there are.
pub(super) const NAMES: usize = 64;
pub(super) const THINGS: usize = 24;
pub(super) const DEEDS: usize = 16;

/// The invented words of one world.
#[derive(Clone, Debug)]
pub(super) struct Language {
    pub(super) names: Vec<String>,
    pub(super) things: Vec<String>,
    pub(super) deeds: Vec<String>,
}

impl Language {
    /// Invents the words: names end in a vowel, things in `-n` or `-l`, deeds in `-k`.
    pub(super) fn new(seed: Seed) -> Self {
        let mut dice = Dice::new(seed.named("language"));
        let mut taken: Vec<String> = Vec::new();
        let mut invent = |endings: &[&str], count: usize| -> Vec<String> {
            let mut words = Vec::with_capacity(count);
            while words.len() < count {
                let word = invent_word(&mut dice, endings);
                let known = GRAMMAR.contains(&word.as_str())
                    || CONDUCT.contains(&word.as_str())
                    || RELATIONS.contains(&word.as_str());
                if !known && !taken.contains(&word) {
                    taken.push(word.clone());
                    words.push(word);
                }
            }
            words
        };
        let names = invent(&["a", "o", "u", "i"], NAMES);
        let things = invent(&["en", "ol", "an", "il"], THINGS);
        let deeds = invent(&["ak", "ik", "uk"], DEEDS);
        Self { names, things, deeds }
    }

    /// Every word, in the order of its token number.
    pub(super) fn vocabulary(&self) -> Vec<&str> {
        let fixed = GRAMMAR.iter().chain(&CONDUCT).chain(&RELATIONS).chain(&DIGITS).copied();
        let invented = self.names.iter().chain(&self.things).chain(&self.deeds).map(String::as_str);
        fixed.chain(invented).collect()
    }

    /// A `tokenizer.json` in the format of the `tokenizers` library: word level, split at white space,
    /// `<bos>` before every text.
    pub(super) fn tokenizer_json(&self) -> String {
        let words = self.vocabulary();
        let vocab: serde_json::Map<String, serde_json::Value> =
            words.iter().enumerate().map(|(id, word)| ((*word).to_owned(), json!(id))).collect();
        let special = |id: usize| {
            json!({
                "id": id, "content": words[id], "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true,
            })
        };
        let tokenizer = json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": [special(0), special(1), special(2), special(3)],
            "normalizer": null,
            "pre_tokenizer": { "type": "WhitespaceSplit" },
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [{ "SpecialToken": { "id": "<bos>", "type_id": 0 } }, { "Sequence": { "id": "A", "type_id": 0 } }],
                "pair": [
                    { "SpecialToken": { "id": "<bos>", "type_id": 0 } },
                    { "Sequence": { "id": "A", "type_id": 0 } },
                    { "Sequence": { "id": "B", "type_id": 0 } },
                ],
                "special_tokens": { "<bos>": { "id": "<bos>", "ids": [2], "tokens": ["<bos>"] } },
            },
            "decoder": null,
            "model": { "type": "WordLevel", "vocab": vocab, "unk_token": "<unk>" },
        });
        let mut text = serde_json::to_string_pretty(&tokenizer).expect("a JSON value can be written");
        text.push('\n');
        text
    }
}

fn invent_word(dice: &mut Dice, endings: &[&str]) -> String {
    const ONSETS: [&str; 16] =
        ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "th", "sh"];
    const VOWELS: [&str; 5] = ["a", "e", "i", "o", "u"];
    let onset = ONSETS[dice.below(ONSETS.len())];
    let vowel = VOWELS[dice.below(VOWELS.len())];
    let middle = ONSETS[dice.below(14)];
    let ending = endings[dice.below(endings.len())];
    format!("{onset}{vowel}{middle}{ending}")
}
