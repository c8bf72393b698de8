//! Prompts as they come: rows of a file, lines of text, or the command line.

use super::super::Failure;
use std::io::BufReader;
use std::path::Path;
use superalign_data::DataError;
use superalign_data::load::{TextRow, text_lines, text_rows};
use superalign_inference::Message;

/// What is to be continued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// What the row calls itself; it is written to each of its completions.
    pub(super) id: Option<serde_json::Value>,
    pub(super) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Text(String),
    Messages(Vec<Message>),
}

/// Reads the prompts of a file, `-` for JSONL from standard input; in a `.txt` file every line is one.
pub(super) fn read(path: &Path) -> Result<Vec<Asked>, Failure> {
    let rows = if path == Path::new("-") {
        text_lines(BufReader::new(std::io::stdin()), "standard input")
    } else {
        text_rows(path).map_err(Failure::usage)?
    };
    let plain = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt"));
    let asked: Vec<Asked> = rows
        .map(|row| {
            let row = row?;
            let text = if plain { row.text.clone() } else { row.prompt.clone() };
            asked(row, text)
        })
        .collect::<Result<_, DataError>>()
        .map_err(Failure::usage)?;
    if asked.is_empty() {
        return Err(Failure::Usage(format!("{}: no prompt in it, expected one a line", path.display())));
    }
    Ok(asked)
}

fn asked(row: TextRow, text: Option<String>) -> Result<Asked, DataError> {
    const EXPECTED: &str = "`prompt`, or `messages` as in [{\"role\": \"user\", \"content\": \"...\"}]";
    if row.prompt.is_some() && row.messages.is_some() {
        return Err(row.wrong("messages", "a prompt and messages", EXPECTED, "leave one of them out"));
    }
    let what = match (text, &row.messages) {
        (Some(text), _) => What::Text(text),
        (None, Some(messages)) => What::Messages(messages.clone()),
        (None, None) if row.columns.iter().any(|column| column == "prompt") => {
            return Err(row.wrong("prompt", "nothing", "a text", "fill it in or remove the row"));
        }
        (None, None) => return Err(row.lacks("prompt", EXPECTED)),
    };
    Ok(Asked { id: row.id, what })
}
