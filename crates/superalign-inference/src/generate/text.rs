//! The text of tokens that come one by one, and the texts that end it.

use crate::tokenize::TextTokenizer;

/// What a decoder writes where the bytes of a letter are not all there yet.
const INCOMPLETE: char = '\u{fffd}';

/// Turns tokens into text as they come.
///
/// Tokens can not be decoded one by one: a letter may take several, and some decoders write a blank only between two
/// of them. So a window of tokens is decoded with and without the newest ones, and the difference is the new text.
#[derive(Debug, Default)]
pub(super) struct Detokenizer {
    ids: Vec<u32>,
    /// Tokens before this one have left the window.
    from: usize,
    /// Tokens before this one are in `text`.
    read: usize,
    text: String,
    /// Bytes of `text` that were given out.
    told: usize,
}

impl Detokenizer {
    /// Adds a token.
    pub(super) fn push(&mut self, tokenizer: &TextTokenizer, id: u32) -> Result<(), String> {
        self.ids.push(id);
        let known = tokenizer.decode(&self.ids[self.from..self.read])?;
        let longer = tokenizer.decode(&self.ids[self.from..])?;
        if longer.len() > known.len() && !longer.ends_with(INCOMPLETE) {
            // Where the text before changes as well, what was given out cannot be taken back.
            self.text.push_str(longer.get(known.len()..).unwrap_or_default());
            self.from = self.read;
            self.read = self.ids.len();
        }
        Ok(())
    }

    /// Adds what is left of incomplete letters: the text will not go on.
    pub(super) fn finish(&mut self, tokenizer: &TextTokenizer) -> Result<(), String> {
        let known = tokenizer.decode(&self.ids[self.from..self.read])?;
        let longer = tokenizer.decode(&self.ids[self.from..])?;
        self.text.push_str(longer.get(known.len()..).unwrap_or_default());
        self.read = self.ids.len();
        Ok(())
    }

    /// Cuts the text before the first of `stops` in it, and says whether there was one.
    pub(super) fn cut_at(&mut self, stops: &[String]) -> bool {
        // What was given out holds no stop string, nor a beginning of one that is now whole.
        let end = stops.iter().filter_map(|stop| self.text[self.told..].find(stop.as_str())).min();
        if let Some(end) = end {
            self.text.truncate(self.told + end);
        }
        end.is_some()
    }

    /// The text that was not given out yet, less an end that may be the beginning of a stop string.
    pub(super) fn certain(&mut self, stops: &[String]) -> String {
        let rest = &self.text[self.told..];
        let begins = |at: &usize| stops.iter().any(|stop| stop.starts_with(&rest[*at..]));
        let end = rest.char_indices().map(|(at, _)| at).find(begins).unwrap_or(rest.len());
        let certain = rest[..end].to_owned();
        self.told += end;
        certain
    }

    /// The whole text, and the part of it that was not given out.
    pub(super) fn take(&mut self) -> (String, String) {
        let text = std::mem::take(&mut self.text);
        let rest = text[self.told..].to_owned();
        (text, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenize::Truncation;
    use proptest::prelude::*;
    use std::path::Path;

    /// Every byte a token, in the alphabet of byte-level BPE.
    fn bytes() -> TextTokenizer {
        let mut next = 256;
        let letters = (0..=255_u32).map(|byte| {
            let plain = matches!(byte, 33..=126 | 161..=172 | 174..=255);
            let letter = if plain { byte } else { (next, next += 1).0 };
            (char::from_u32(letter).expect("a letter").to_string(), byte)
        });
        let vocabulary: serde_json::Map<String, serde_json::Value> =
            letters.map(|(letter, byte)| (letter, byte.into())).collect();
        let level = serde_json::json!({
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false
        });
        let json = serde_json::json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
            "pre_tokenizer": level, "post_processor": null, "decoder": level,
            "model": {"type": "BPE", "vocab": vocabulary, "merges": []}
        });
        TextTokenizer::parse(Path::new("tokenizer.json"), json.to_string().as_bytes(), 8, Truncation::KeepEnd)
            .expect("it is one")
    }

    /// The pieces and the whole text, as a generator makes them.
    fn stream(text: &[u8], stops: &[String]) -> (Vec<String>, String, bool) {
        let tokenizer = bytes();
        let mut detokenizer = Detokenizer::default();
        let mut pieces = Vec::new();
        let mut stopped = false;
        for byte in text {
            detokenizer.push(&tokenizer, u32::from(*byte)).expect("decodes");
            stopped = detokenizer.cut_at(stops);
            if stopped {
                break;
            }
            pieces.push(detokenizer.certain(stops));
        }
        if !stopped {
            detokenizer.finish(&tokenizer).expect("decodes");
            stopped = detokenizer.cut_at(stops);
        }
        let (text, rest) = detokenizer.take();
        pieces.push(rest);
        (pieces, text, stopped)
    }

    #[test]
    fn letters_of_several_tokens_are_whole_when_they_are_given_out() {
        let (pieces, text, _) = stream("a\u{e9}\u{1f40e}b".as_bytes(), &[]);
        assert_eq!(pieces, ["a", "", "\u{e9}", "", "", "", "\u{1f40e}", "b", ""]);
        assert_eq!(text, "a\u{e9}\u{1f40e}b");
        let (pieces, text, _) = stream(&"\u{e9}".as_bytes()[..1], &[]);
        assert_eq!((pieces.concat(), text.as_str()), (text.clone(), "\u{fffd}"));
    }

    #[test]
    fn the_beginning_of_a_stop_string_is_held_back() {
        let stops = ["END".to_owned()];
        let (pieces, text, stopped) = stream(b"an ENEND b", &stops);
        assert_eq!(pieces, ["a", "n", " ", "", "", "EN", "", ""]);
        assert_eq!((text.as_str(), stopped), ("an EN", true));
        let (pieces, text, stopped) = stream(b"an EN", &stops);
        assert_eq!((pieces.last().map(String::as_str), text.as_str(), stopped), (Some("EN"), "an EN", false));
    }

    proptest! {
        #[test]
        fn pieces_make_the_text_and_the_text_holds_no_stop_string(
            text in "[ab\u{e9}]{0,12}", stops in prop::collection::vec("[ab\u{e9}]{1,3}", 0..3),
        ) {
            let (pieces, found, stopped) = stream(text.as_bytes(), &stops);
            prop_assert_eq!(pieces.concat(), found.clone());
            // The first to be complete ends it; of two complete at once, the one that begins first.
            let ends = |stop: &String| text.find(stop.as_str()).map(|at| (at + stop.len(), at));
            let first = stops.iter().filter_map(ends).min();
            prop_assert_eq!(stopped, first.is_some());
            prop_assert_eq!(found.as_str(), first.map_or(text.as_str(), |(_, at)| &text[..at]));
        }
    }
}
