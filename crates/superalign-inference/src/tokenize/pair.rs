//! Two texts as one row of tokens, as cross-encoders read them.

use super::{TextTokenizer, Tokens, Truncation, shortened};
use tokenizers::{Encoding, PostProcessor as _, TruncationDirection};

impl TextTokenizer {
    /// The tokens of two texts, joined by the tokenizer's own template for pairs, with its special tokens and segment
    /// numbers.
    ///
    /// A pair that is too long loses tokens of the longer text until both are of one length, then of both (the
    /// second is left the odd one); where they are cut is the policy's affair.
    pub(crate) fn encode_pair(&self, first: &str, second: &str) -> Result<Tokens, String> {
        let mut bare = [self.bare(first)?, self.bare(second)?];
        for (encoding, text) in bare.iter().zip([first, second]) {
            if encoding.get_ids().is_empty() {
                return Err(format!("the tokenizer finds no token in {:?} of the pair", shortened(text)));
            }
        }
        let added = self.inner.get_post_processor().map_or(0, |processor| processor.added_tokens(true));
        let found = bare.each_ref().map(|encoding| encoding.get_ids().len());
        let room = self.limit.saturating_sub(added).max(2);
        let truncated = found[0] + found[1] > room;
        if truncated {
            let direction = match self.truncation {
                Truncation::Refuse => return Err(self.too_long(found[0] + found[1] + added)),
                Truncation::KeepStart => TruncationDirection::Right,
                Truncation::KeepEnd => TruncationDirection::Left,
            };
            for (encoding, kept) in bare.iter_mut().zip(shares(found, room)) {
                if kept < encoding.get_ids().len() {
                    encoding.truncate(kept, 0, direction);
                    // What was cut off would be processed as well.
                    encoding.take_overflowing();
                }
            }
        }
        let [first, second] = bare;
        let whole: Encoding = self
            .inner
            .post_process(first, Some(second), true)
            .map_err(|error| format!("the tokenizer failed: {error}"))?;
        let ids = whole.get_ids().to_vec();
        let unknown = self.unknown_in(&ids);
        Ok(Tokens { ids, types: whole.get_type_ids().to_vec(), truncated, unknown })
    }
}

/// How much of each text is kept where both have `room` tokens together; at least one of each.
fn shares([first, second]: [usize; 2], room: usize) -> [usize; 2] {
    let half = room / 2;
    if first <= half {
        [first, room - first]
    } else if second <= room - half {
        [room - second, second]
    } else {
        [half, room - half]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::Path;

    fn tokenizer(limit: usize, truncation: Truncation) -> TextTokenizer {
        let json = r#"{
            "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "decoder": null,
            "added_tokens": [
                {"id": 0, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
                {"id": 1, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
            "pre_tokenizer": {"type": "WhitespaceSplit"},
            "post_processor": {"type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                    {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {
                    "[CLS]": {"id": "[CLS]", "ids": [0], "tokens": ["[CLS]"]},
                    "[SEP]": {"id": "[SEP]", "ids": [1], "tokens": ["[SEP]"]}}},
            "model": {"type": "WordLevel", "unk_token": "d",
                "vocab": {"[CLS]": 0, "[SEP]": 1, "a": 2, "b": 3, "c": 4, "d": 5}}
        }"#;
        TextTokenizer::parse(Path::new("tokenizer.json"), json.as_bytes(), limit, truncation)
            .expect("a tokenizer")
    }

    #[test]
    fn the_template_and_its_segments_are_the_tokenizers_own() {
        let found = tokenizer(9, Truncation::Refuse).encode_pair("a b", "c z").expect("tokens");
        assert_eq!((found.ids, found.types), (vec![0, 2, 3, 1, 4, 5], vec![0, 0, 0, 0, 1, 1]));
        assert_eq!((found.truncated, found.unknown), (false, 1));
    }

    #[test]
    fn the_longer_text_is_cut_first_and_at_the_side_of_the_policy() {
        let ids = |limit, truncation, first: &str, second: &str| {
            tokenizer(limit, truncation).encode_pair(first, second).expect("tokens").ids
        };
        assert_eq!(ids(6, Truncation::KeepEnd, "a b c", "c"), [0, 2, 3, 4, 1, 4]);
        assert_eq!(ids(5, Truncation::KeepEnd, "a b c", "c"), [0, 3, 4, 1, 4]);
        assert_eq!(ids(5, Truncation::KeepStart, "a b c", "c"), [0, 2, 3, 1, 4]);
        assert_eq!(ids(5, Truncation::KeepEnd, "a b c", "a b c"), [0, 4, 1, 3, 4]);
        let refused = tokenizer(5, Truncation::Refuse).encode_pair("a b c", "c").expect_err("too long");
        assert_eq!(refused, "6 tokens, expected at most 5; shorten it or allow truncation");
        let empty = tokenizer(5, Truncation::Refuse).encode_pair("a", " ").expect_err("no token");
        assert_eq!(empty, "the tokenizer finds no token in \" \" of the pair");
    }

    proptest! {
        #[test]
        fn what_is_kept_fills_the_room(first in 1_usize..50, second in 1_usize..50, room in 2_usize..60) {
            prop_assume!(first + second > room);
            let kept = shares([first, second], room);
            prop_assert_eq!(kept[0] + kept[1], room);
            prop_assert!((1..=first).contains(&kept[0]) && (1..=second).contains(&kept[1]));
            // Whoever is longer than the other after the cut has an uncut neighbour, or one token more.
            prop_assert!(kept[0] <= kept[1] || kept[1] == second);
            prop_assert!(kept[1] <= kept[0] + 1 || kept[0] == first);
        }
    }
}
