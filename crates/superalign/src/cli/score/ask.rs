//! What is asked of a model about each row, and what a row must have for it.

use super::ScoreArgs;
use crate::cli::Failure;
use crate::reward::ReadAs;
use superalign_core::{ChoicePrompt, ScoreHead, ScoreInput};
use superalign_data::DataError;
use superalign_data::load::TextRow;

/// What the rows of a file are scored by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// The scores of the model's head.
    Head { how: ReadAs },
    /// ln p of the response after its prompt.
    Response,
    /// ln p of every choice after its prompt.
    Choices,
    /// The probability of the first of two words after the text, against the second.
    Verdict([String; 2]),
}

const ANSWERS: &str =
    "`prompt` with `response`, or `prompt` with `choices` (a causal language model continues texts)";
const TEXTS: &str = "`text`, `text` with `text_pair`, `prompt` with `response`, or `messages`";

impl Task {
    /// What the arguments, the model and the first row call for.
    pub(super) fn of(
        args: &ScoreArgs,
        head: Option<&ScoreHead>,
        generates: bool,
        first: &TextRow,
    ) -> Result<Self, Failure> {
        if let Some(words) = &args.verdict {
            let words: [String; 2] = words.clone().try_into().map_err(|words: Vec<String>| {
                Failure::Usage(format!(
                    "--verdict: found {} words between commas, expected two, the right one first",
                    words.len()
                ))
            })?;
            if let Some(blank) = words.iter().find(|word| word.trim().is_empty()) {
                return Err(Failure::Usage(format!("--verdict: found {blank:?}, expected a word")));
            }
            if !generates {
                return Err(Failure::Usage(
                    "--verdict: the model has no language head, expected a causal language model".into(),
                ));
            }
            return Ok(Self::Verdict(words));
        }
        if let Some(head) = head {
            return Ok(Self::Head { how: args.read_as.by(head) });
        }
        if !generates {
            return Err(Failure::Usage(format!(
                "{}: the model gives vectors only, expected a classifier, a reward model or a causal language model",
                args.model.display()
            )));
        }
        if args.read_as != ReadAs::Auto {
            return Err(Failure::Usage(
                "--as: the model has no head that scores texts; a causal language model reads them as they are".into(),
            ));
        }
        if first.choices.is_some() {
            Ok(Self::Choices)
        } else if first.response.is_some() || first.columns.iter().any(|column| column == "response") {
            Ok(Self::Response)
        } else if first.columns.iter().any(|column| column == "choices") {
            Ok(Self::Choices)
        } else {
            Err(Failure::usage(first.lacks("response", ANSWERS)))
        }
    }

    /// What the head is given of a row.
    pub(super) fn input(row: &TextRow, how: ReadAs, join: &str) -> Result<ScoreInput, DataError> {
        if let Some(messages) = &row.messages {
            return if how == ReadAs::Chat {
                Ok(ScoreInput::Chat(messages.clone()))
            } else {
                Err(row.wrong(
                    "messages",
                    "a conversation",
                    "texts, as the model has no chat template or --as names another reading",
                    "give it `text`, or `prompt` and `response`",
                ))
            };
        }
        if row.prompt.is_some() && row.response.is_some() {
            let (prompt, response) = (needed(row, "prompt")?, needed(row, "response")?);
            return Ok(how.input(prompt, join, response));
        }
        if row.text.is_none() && row.columns.iter().all(|column| column != "text") {
            let column = if row.prompt.is_some() { "response" } else { "text" };
            return Err(row.lacks(column, TEXTS));
        }
        let text = needed(row, "text")?.to_owned();
        Ok(match &row.text_pair {
            Some(_) => ScoreInput::Pair(text, needed(row, "text_pair")?.to_owned()),
            None => ScoreInput::Text(text),
        })
    }

    /// What a causal language model is given of a row.
    pub(super) fn prompt(&self, row: &TextRow, join: &str) -> Result<ChoicePrompt, DataError> {
        match self {
            Self::Verdict(words) => {
                let prefix = match (&row.prompt, &row.response) {
                    (Some(_), Some(_)) => {
                        format!("{}{join}{}", needed(row, "prompt")?, needed(row, "response")?)
                    }
                    _ => needed(row, "text")?.to_owned(),
                };
                let blank = if prefix.ends_with(char::is_whitespace) { "" } else { " " };
                let choices = words.iter().map(|word| format!("{blank}{word}")).collect();
                Ok(ChoicePrompt { prefix, choices })
            }
            _ => {
                let prompt = row.prompt.as_deref().map_or_else(|| needed(row, "prompt"), Ok)?;
                let choices = match (self, &row.choices) {
                    (Self::Choices, Some(choices)) => choices.clone(),
                    (Self::Choices, None) => return Err(absent(row, "choices", "a list of texts")),
                    _ => vec![needed(row, "response")?.to_owned()],
                };
                if choices.iter().any(String::is_empty) {
                    return Err(row.wrong("choices", "an empty text", "texts", "fill it in or remove it"));
                }
                Ok(ChoicePrompt { prefix: format!("{prompt}{join}"), choices })
            }
        }
    }
}

/// A text that must be there and not be empty.
fn needed<'a>(row: &'a TextRow, column: &str) -> Result<&'a str, DataError> {
    let value = match column {
        "text" => &row.text,
        "text_pair" => &row.text_pair,
        "prompt" => &row.prompt,
        _ => &row.response,
    };
    match value.as_deref() {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(absent(row, column, "a text")),
    }
}

fn absent(row: &TextRow, column: &str, expected: &str) -> DataError {
    if row.columns.iter().any(|name| name == column) {
        row.wrong(column, "nothing", expected, "fill it in or remove the row")
    } else {
        row.lacks(column, expected)
    }
}
