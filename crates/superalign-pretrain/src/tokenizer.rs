//! The vocabulary of a word-level `tokenizer.json`: a word of the text is a token, words are separated by white space.

use crate::error::Error;
use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path;

/// The token that opens every text.
pub const BEGIN: &str = "<bos>";
/// The token that closes a document.
pub const END: &str = "<eos>";

/// A word-level vocabulary.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    numbers: HashMap<String, u32>,
    size: usize,
    begin: u32,
    end: u32,
}

#[derive(Deserialize)]
struct File {
    model: FileModel,
    #[serde(default)]
    added_tokens: Vec<FileToken>,
}

#[derive(Deserialize)]
struct FileModel {
    #[serde(default)]
    r#type: String,
    vocab: serde_json::Value,
}

#[derive(Deserialize)]
struct FileToken {
    id: u32,
    content: String,
}

impl Vocabulary {
    /// Reads `tokenizer.json`.
    ///
    /// # Errors
    /// A file that cannot be read, is no tokenizer, is not word-level, or lacks `<bos>` or `<eos>`.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(Error::file(path))?;
        Self::parse(&bytes).map_err(|reason| Error::Tokenizer { path: path.to_path_buf(), reason })
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let file: File = serde_json::from_slice(bytes).map_err(|e| format!("not a tokenizer.json: {e}"))?;
        if file.model.r#type != "WordLevel" {
            return Err(format!(
                "the tokenizer is of type `{}`: expected `WordLevel`, as the generated world writes it",
                file.model.r#type
            ));
        }
        let mut numbers: HashMap<String, u32> = serde_json::from_value(file.model.vocab)
            .map_err(|e| format!("model.vocab is not a map from words to numbers: {e}"))?;
        numbers.extend(file.added_tokens.into_iter().map(|t| (t.content, t.id)));
        let find = |word: &str| {
            numbers
                .get(word)
                .copied()
                .ok_or_else(|| format!("the vocabulary lacks `{word}`: expected it as a token"))
        };
        let (begin, end) = (find(BEGIN)?, find(END)?);
        let size = numbers.values().max().map_or(0, |&n| n as usize + 1);
        Ok(Self { numbers, size, begin, end })
    }

    /// Number of tokens: the highest number plus one.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Number of the token that opens every text.
    #[must_use]
    pub const fn begin(&self) -> u32 {
        self.begin
    }

    /// Number of the token that closes a document.
    #[must_use]
    pub const fn end(&self) -> u32 {
        self.end
    }

    /// Number of a word.
    #[must_use]
    pub fn number(&self, word: &str) -> Option<u32> {
        self.numbers.get(word).copied()
    }

    /// Appends the tokens of a text, `<bos>` first, to `tokens`. `place` names the text in the error.
    ///
    /// # Errors
    /// [`Error::UnknownWord`].
    pub fn encode(
        &self,
        text: &str,
        place: impl FnOnce() -> String,
        tokens: &mut Vec<u32>,
    ) -> Result<(), Error> {
        tokens.push(self.begin);
        for word in text.split_whitespace() {
            let Some(&number) = self.numbers.get(word) else {
                let offset = word.as_ptr().addr() - text.as_ptr().addr();
                let column = text[..offset].chars().count() + 1;
                return Err(Error::UnknownWord { place: place(), column, word: word.to_string() });
            };
            tokens.push(number);
        }
        Ok(())
    }
}
