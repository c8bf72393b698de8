//! Texts to token ids: the tokenizer of a model's folder, with truncation that is explicit and counted.

mod pair;

use crate::error::OpenError;
use serde::Deserialize;
use std::path::Path;
use tokenizers::{Encoding, PostProcessor, Tokenizer, TruncationDirection};

/// What happens to a text that is longer than the model can read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Truncation {
    /// It is an error.
    Refuse,
    /// The beginning is kept.
    KeepStart,
    /// The end is kept: what is asked, and the answer to be judged, stand there.
    #[default]
    KeepEnd,
}

/// The tokens of one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) ids: Vec<u32>,
    pub(crate) types: Vec<u32>,
    pub(crate) truncated: bool,
    /// Number of tokens that stand for what the tokenizer does not know.
    pub(crate) unknown: usize,
}

/// The tokens of one prompt with one of its choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Continued {
    /// Special tokens, prefix and choice.
    pub(crate) ids: Vec<u32>,
    /// Where the choice begins; at least 1.
    pub(crate) start: usize,
    pub(crate) truncated: bool,
    /// As in [`Tokens`].
    pub(crate) unknown: usize,
}

/// The parts of a `tokenizer.json` that say which token stands for the unknown.
#[derive(Deserialize)]
struct Outline {
    model: OutlineModel,
}

#[derive(Deserialize)]
struct OutlineModel {
    unk_token: Option<String>,
    unk_id: Option<u32>,
}

/// A tokenizer, and how many tokens its model reads.
pub(crate) struct TextTokenizer {
    inner: Tokenizer,
    /// Number of special tokens that are put around a text.
    added: usize,
    /// The token that stands for what it does not know.
    unknown: Option<u32>,
    limit: usize,
    truncation: Truncation,
}

impl TextTokenizer {
    /// Reads a `tokenizer.json`. Padding and truncation written in it are not used: batches are padded here, and
    /// nothing is cut without being counted.
    pub(crate) fn parse(
        path: &Path,
        bytes: &[u8],
        limit: usize,
        truncation: Truncation,
    ) -> Result<Self, OpenError> {
        let invalid = |reason: String| OpenError::Invalid { path: path.to_path_buf(), reason };
        let mut inner =
            Tokenizer::from_bytes(bytes).map_err(|error| invalid(format!("not a tokenizer: {error}")))?;
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|error| invalid(error.to_string()))?;
        let added = inner.get_post_processor().map_or(0, |processor| processor.added_tokens(false));
        let outline = serde_json::from_slice::<Outline>(bytes).map(|outline| outline.model).ok();
        let unknown = outline.and_then(|model| {
            model.unk_id.or_else(|| inner.token_to_id(model.unk_token.as_deref().unwrap_or_default()))
        });
        Ok(Self { inner, added, unknown, limit, truncation })
    }

    /// The token with the highest id.
    pub(crate) fn highest(&self) -> Option<(String, u32)> {
        self.inner.get_vocab(true).into_iter().max_by_key(|(_, id)| *id)
    }

    /// Most tokens of a text.
    pub(crate) const fn limit(&self) -> usize {
        self.limit
    }

    /// Number of special tokens that are put around a text.
    pub(crate) const fn added(&self) -> usize {
        self.added
    }

    /// The tokens of a text, special tokens included.
    pub(crate) fn encode(&self, text: &str) -> Result<Tokens, String> {
        if text.is_empty() {
            return Err("the text is empty, expected at least one token".into());
        }
        let mut bare = self.bare(text)?;
        if bare.get_ids().is_empty() {
            return Err(format!("the tokenizer finds no token in {:?}", shortened(text)));
        }
        let room = self.limit.saturating_sub(self.added).max(1);
        let found = bare.get_ids().len();
        let truncated = found > room;
        match (truncated, self.truncation) {
            (false, _) => {}
            (true, Truncation::Refuse) => return Err(self.too_long(found + self.added)),
            (true, Truncation::KeepStart) => bare.truncate(room, 0, TruncationDirection::Right),
            (true, Truncation::KeepEnd) => bare.truncate(room, 0, TruncationDirection::Left),
        }
        // What was cut off would be processed as well.
        bare.take_overflowing();
        let whole = self.finish(bare)?;
        let ids = whole.get_ids().to_vec();
        let unknown = self.unknown_in(&ids);
        Ok(Tokens { ids, types: whole.get_type_ids().to_vec(), truncated, unknown })
    }

    /// The tokens of `prefix` with each of `choices`, all beginning with the very same prefix tokens.
    ///
    /// Blanks at the end of the prefix are moved to the choices, as tokenizers join a word with the blank before it.
    /// If then the tokens of `prefix + choice` begin with the tokens of the prefix alone, for every choice, those are
    /// used. Otherwise (a token would straddle the boundary) prefix and choices are tokenized apart and joined, so
    /// that all choices of a prompt are compared after the same tokens. Special tokens that the tokenizer puts in
    /// front are kept, those that it puts behind are not.
    pub(crate) fn continued(&self, prefix: &str, choices: &[String]) -> Result<Vec<Continued>, String> {
        if choices.is_empty() {
            return Err("there are no choices, expected at least one".into());
        }
        let head = prefix.trim_end_matches([' ', '\u{a0}']);
        let blanks = &prefix[head.len()..];
        let (front, prefix_ids) = self.front(head)?;
        let joined: Vec<Vec<u32>> = choices
            .iter()
            .map(|choice| Ok(self.bare(&format!("{head}{blanks}{choice}"))?.get_ids().to_vec()))
            .collect::<Result<_, String>>()?;
        let tails: Vec<Vec<u32>> = if joined.iter().all(|ids| ids.starts_with(&prefix_ids)) {
            joined.iter().map(|ids| ids[prefix_ids.len()..].to_vec()).collect()
        } else {
            let apart = |choice: &String| Ok(self.bare(&format!("{blanks}{choice}"))?.get_ids().to_vec());
            choices.iter().map(apart).collect::<Result<_, String>>()?
        };
        for (at, tail) in tails.iter().enumerate().filter(|(_, tail)| !tail.is_empty()) {
            let same = (0..at).find(|&other| tails[other] == *tail && choices[other] != choices[at]);
            if let Some(other) = same {
                return Err(format!(
                    "choices {:?} and {:?} are the same tokens to this tokenizer{}; expected choices that it can tell \
                     apart",
                    shortened(&choices[other]),
                    shortened(&choices[at]),
                    if self.unknown_in(tail) > 0 { ", which does not know their words" } else { "" }
                ));
            }
        }
        if front.is_empty() && prefix_ids.is_empty() {
            return Err(
                "the prefix has no token and the tokenizer puts none in front; expected a prefix".into()
            );
        }
        let continued = |(tail, choice): (Vec<u32>, &String)| {
            if tail.is_empty() {
                return Err(format!("the tokenizer finds no token in choice {:?}", shortened(choice)));
            }
            let length = front.len() + prefix_ids.len() + tail.len();
            let over = length.saturating_sub(self.limit);
            let impossible = over >= prefix_ids.len() + usize::from(!front.is_empty());
            if over > 0 && (impossible || self.truncation == Truncation::Refuse) {
                return Err(self.too_long(length));
            }
            let mut ids = front.clone();
            ids.extend(&prefix_ids[over..]);
            let start = ids.len();
            ids.extend(tail);
            let unknown = self.unknown_in(&ids);
            Ok(Continued { ids, start, truncated: over > 0, unknown })
        };
        tails.into_iter().zip(choices).map(continued).collect()
    }

    /// The tokens of a text that will go on: special tokens in front are kept, those behind are not.
    pub(crate) fn prompt(&self, text: &str) -> Result<Tokens, String> {
        let (front, ids) = self.front(text)?;
        self.joined(front, &ids)
    }

    /// The tokens of a text that has its special tokens already.
    pub(crate) fn as_written(&self, text: &str) -> Result<Tokens, String> {
        let ids = self.bare(text)?.get_ids().to_vec();
        self.joined(Vec::new(), &ids)
    }

    /// The text of tokens, without special ones.
    pub(crate) fn decode(&self, ids: &[u32]) -> Result<String, String> {
        self.inner.decode(ids, true).map_err(|error| format!("the tokenizer failed: {error}"))
    }

    fn joined(&self, front: Vec<u32>, tail: &[u32]) -> Result<Tokens, String> {
        let length = front.len() + tail.len();
        if length == 0 {
            return Err(
                "the prompt has no token and the tokenizer puts none in front; expected a prompt".into()
            );
        }
        let over = length.saturating_sub(self.limit);
        if over > 0 && (self.truncation == Truncation::Refuse || over >= tail.len()) {
            return Err(self.too_long(length));
        }
        let mut ids = front;
        match self.truncation {
            Truncation::KeepStart => ids.extend(&tail[..tail.len() - over]),
            Truncation::Refuse | Truncation::KeepEnd => ids.extend(&tail[over..]),
        }
        let unknown = self.unknown_in(&ids);
        Ok(Tokens { types: vec![0; ids.len()], ids, truncated: over > 0, unknown })
    }

    /// The special tokens to be put in front of a text, which are none where it begins with them, and the tokens of the
    /// text itself.
    fn front(&self, text: &str) -> Result<(Vec<u32>, Vec<u32>), String> {
        let bare = self.bare(text)?;
        let ids = bare.get_ids().to_vec();
        // Without a token of its own, front and back could not be told apart.
        let sample = if ids.is_empty() { self.bare("a")? } else { bare };
        let whole = self.finish(sample)?;
        let marks = whole.get_special_tokens_mask();
        let count = marks.iter().take_while(|mark| **mark == 1).count();
        let front = if count == marks.len() { &[] } else { &whole.get_ids()[..count] };
        // A chat template may have written them already.
        let front = if ids.starts_with(front) { &[] } else { front };
        Ok((front.to_vec(), ids))
    }

    fn unknown_in(&self, ids: &[u32]) -> usize {
        ids.iter().filter(|id| Some(**id) == self.unknown).count()
    }

    fn bare(&self, text: &str) -> Result<Encoding, String> {
        self.inner.encode(text, false).map_err(|error| format!("the tokenizer failed: {error}"))
    }

    fn finish(&self, bare: Encoding) -> Result<Encoding, String> {
        self.inner.post_process(bare, None, true).map_err(|error| format!("the tokenizer failed: {error}"))
    }

    fn too_long(&self, found: usize) -> String {
        format!("{found} tokens, expected at most {}; shorten it or allow truncation", self.limit)
    }
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A byte-level tokenizer whose merges can straddle the end of a prefix: `ab`, `bc`, and blank with `b`.
    fn merging() -> TextTokenizer {
        let json = r#"{
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
            "post_processor": null, "decoder": null,
            "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                "end_of_word_suffix": null, "fuse_unk": false,
                "vocab": {"a": 0, "b": 1, "c": 2, "Ġ": 3, "bc": 4, "Ġb": 5},
                "merges": [["Ġ", "b"], ["b", "c"]]}
        }"#;
        TextTokenizer::parse(Path::new("tokenizer.json"), json.as_bytes(), 8, Truncation::KeepEnd)
            .expect("it is one")
    }

    fn choices(list: &[&str]) -> Vec<String> {
        list.iter().map(|choice| (*choice).to_owned()).collect()
    }

    fn split(prefix: &str, list: &[&str]) -> Vec<(Vec<u32>, Vec<u32>)> {
        let continued = merging().continued(prefix, &choices(list)).expect("tokens");
        continued
            .into_iter()
            .map(|one| (one.ids[..one.start].to_vec(), one.ids[one.start..].to_vec()))
            .collect()
    }

    #[test]
    fn a_blank_before_a_choice_belongs_to_the_choice() {
        // `a b` is a, Ġb: with the blank left to the prefix, it would be a, Ġ, b, which the model has never read.
        assert_eq!(split("a ", &["b", "c"]), [(vec![0], vec![5]), (vec![0], vec![3, 2])]);
        assert_eq!(split("a", &[" b", " c"]), split("a ", &["b", "c"]));
    }

    #[test]
    fn all_choices_follow_the_same_prefix_even_where_a_token_would_straddle() {
        // `ab` + `c` is a, bc; so prefix and choices are taken apart, for both choices alike.
        assert_eq!(split("ab", &["c", "a"]), [(vec![0, 1], vec![2]), (vec![0, 1], vec![0])]);
    }

    #[test]
    fn a_long_prefix_loses_its_beginning() {
        let continued = merging().continued("aaaaaaaacc", &choices(&["a", "ca"])).expect("tokens");
        assert_eq!(continued[0].ids, [0, 0, 0, 0, 0, 2, 2, 0]);
        assert!(continued[0].truncated);
        assert_eq!((continued[1].start, continued[1].ids.len()), (6, 8));
    }

    #[test]
    fn what_has_no_token_is_an_error() {
        let error =
            |prefix: &str, list: &[&str]| merging().continued(prefix, &choices(list)).expect_err("no token");
        assert_eq!(error("a", &["b", "zz"]), "the tokenizer finds no token in choice \"zz\"");
        assert!(error("", &["a"]).starts_with("the prefix has no token"));
        assert!(merging().encode("zz").expect_err("no token").contains("no token"));
    }
}
