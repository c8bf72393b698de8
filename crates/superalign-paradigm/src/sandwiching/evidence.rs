//! Sentences of a context, and what speakers quote from it.

use super::script::Marks;
use crate::Quote;

/// Words before which a full stop ends no sentence.
const ABBREVIATIONS: [&str; 10] = ["Mr", "Mrs", "Ms", "Dr", "Prof", "St", "Jr", "Sr", "vs", "No"];

/// Cuts a text into sentences: after `.`, `!` or `?` (with the quotation marks and brackets that close behind it) where
/// white space follows, and at ends of lines.
///
/// A full stop behind a single capital or a title (`Dr.`) ends none. Blanks around sentences are left out; joined by
/// blanks, they are the text again but for its white space.
///
/// ```
/// use superalign_paradigm::sandwiching::sentences;
/// assert_eq!(sentences("likes bavo seden . holds kiru matol ."), ["likes bavo seden .", "holds kiru matol ."]);
/// assert_eq!(sentences("Dr. A. Lee came. \"Why?\" She left"), ["Dr. A. Lee came.", "\"Why?\"", "She left"]);
/// assert!(sentences(" \n").is_empty());
/// ```
#[must_use]
pub fn sentences(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines() {
        let mut sentence: Vec<&str> = Vec::new();
        for word in line.split_whitespace() {
            sentence.push(word);
            if ends(word) {
                found.push(sentence.join(" "));
                sentence.clear();
            }
        }
        if !sentence.is_empty() {
            found.push(sentence.join(" "));
        }
    }
    found
}

fn ends(word: &str) -> bool {
    let bare = word.trim_end_matches(['"', '\'', ')', ']', '\u{201d}', '\u{2019}']);
    let Some(before) = bare.strip_suffix('.') else { return bare.ends_with(['!', '?']) };
    let start = before.trim_start_matches(['"', '\'', '(', '[', '\u{201c}', '\u{2018}']);
    let capital = start.chars().count() == 1 && start.chars().all(char::is_uppercase);
    !(capital || ABBREVIATIONS.contains(&start))
}

/// What an advisor said for its side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// The answer that it argues for.
    pub(super) side: usize,
    /// As the judge reads it.
    pub(super) text: String,
    pub(super) quotes: Vec<Quote>,
    /// The sentence that it quoted, by its place.
    pub(super) place: Option<usize>,
}

impl Said {
    /// A sentence of the context.
    pub(super) fn quote(side: usize, place: usize, sentence: &str, marks: &Marks) -> Self {
        let quotes = vec![Quote { text: sentence.to_owned(), verified: true }];
        Self { side, text: format!("{}{sentence}{}", marks.open, marks.close), quotes, place: Some(place) }
    }

    /// A text that an advisor wrote, its quotes compared with the context.
    pub(super) fn written(side: usize, text: &str, context: &[String], marks: &Marks) -> Self {
        let (text, quotes) = checked(text.trim(), context, marks);
        Self { side, text, quotes, place: None }
    }
}

/// Finds the quotes in a text, and puts the mark for it behind each that the context does not have.
fn checked(text: &str, context: &[String], marks: &Marks) -> (String, Vec<Quote>) {
    if marks.open.is_empty() || marks.close.is_empty() {
        return (text.to_owned(), Vec::new());
    }
    let (mut out, mut quotes, mut rest) = (String::new(), Vec::new(), text);
    while let Some((before, after)) = rest.split_once(&marks.open) {
        let Some((quote, behind)) = after.split_once(&marks.close) else { break };
        let verified = has(context, quote);
        out += &format!("{before}{}{quote}{}", marks.open, marks.close);
        if !verified {
            out += &marks.unverified;
        }
        quotes.push(Quote { text: quote.trim().to_owned(), verified });
        rest = behind;
    }
    (out + rest, quotes)
}

/// Whether the context has these words, word for word; only white space may differ. No words are in no context.
fn has(context: &[String], quote: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (whole, quote) = (plain(&context.join(" ")), plain(quote));
    if quote.is_empty() {
        return false;
    }
    let inside = |side: Option<char>, edge: Option<char>| {
        side.is_some_and(char::is_alphanumeric) && edge.is_some_and(char::is_alphanumeric)
    };
    whole.match_indices(&quote).any(|(at, _)| {
        let (before, after) = (&whole[..at], &whole[at + quote.len()..]);
        !inside(before.chars().next_back(), quote.chars().next())
            && !inside(after.chars().next(), quote.chars().next_back())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn marks() -> Marks {
        Marks { open: "<q>".into(), close: "</q>".into(), unverified: " (unverified)".into() }
    }

    #[test]
    fn quotes_are_compared_word_for_word() {
        let context = sentences("Ada is taller than Bo. Bo  likes tea.");
        let text = "See <q>Ada is taller</q>, <q>Bo.\nBo likes</q>, <q>Bo is taller</q>, <q>all</q>, <q> </q> and <q>so";
        let (seen, quotes) = checked(text, &context, &marks());
        insta::assert_snapshot!(seen, @r"
        See <q>Ada is taller</q>, <q>Bo.
        Bo likes</q>, <q>Bo is taller</q> (unverified), <q>all</q> (unverified), <q> </q> (unverified) and <q>so
        ");
        assert_eq!(quotes.iter().map(|q| q.verified).collect::<Vec<_>>(), [true, true, false, false, false]);
    }

    #[test]
    fn every_sentence_is_in_its_context() {
        let context = sentences("likes bavo seden . holds kiru matol .");
        for (place, sentence) in context.iter().enumerate() {
            let said = Said::quote(0, place, sentence, &marks());
            let again = Said::written(0, &said.text, &context, &marks());
            assert_eq!((again.text, again.quotes), (said.text, said.quotes));
        }
    }

    proptest! {
        #[test]
        fn sentences_lose_nothing_but_white_space(text in "[a-cA-C.!?\" \n]{0,60}") {
            let joined = sentences(&text).join(" ");
            let words: Vec<&str> = text.split_whitespace().collect();
            prop_assert_eq!(joined.split_whitespace().collect::<Vec<_>>(), words);
        }
    }
}
