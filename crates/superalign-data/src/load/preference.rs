//! Records as preferences: `RewardBench`, `LLMBar`, dialogues, and the user's own.

use super::format::PROMPT;
use super::row::{Common, Flaw, Row, Wrong, integer, short, shown, source_group};
use super::{Format, SkipReason};
use crate::error::DataError;
use crate::item::{Objective, Preference};
use serde_json::Value;

/// What begins an answer in a dialogue.
pub(super) const ANSWER: &str = "Assistant:";

/// Reads the records of one file.
pub(super) struct Reader {
    pub(super) format: Format,
    /// The file's name without extension.
    pub(super) stem: String,
}

impl Reader {
    /// The preference of the `n`-th record, counted from 1.
    pub(super) fn read(&self, row: &mut Row, n: usize) -> Result<Preference, Flaw> {
        let mut common = row.common(n, Objective::Conformity)?;
        match self.format {
            Format::LlmBar => {
                let prompt = row.needed_text(&["input"], self.format)?;
                let one = row.needed_text(&["output_1"], self.format)?;
                let two = row.needed_text(&["output_2"], self.format)?;
                let (chosen, rejected) = match row.require(&["label"])? {
                    None => return Err(Flaw::Skip(SkipReason::NoLabel)),
                    Some((column, value)) => match integer(&value) {
                        Some(1) => (one, two),
                        Some(2) => (two, one),
                        _ => {
                            return Err(row
                                .wrong(Wrong {
                                    column,
                                    found: shown(&value),
                                    expected: "1 or 2, the better output",
                                    remedy: "correct it",
                                })
                                .into());
                        }
                    },
                };
                if common.tags.family.is_empty() {
                    common.tags.family.clone_from(&self.stem);
                }
                self.finish(row, common, prompt, chosen, rejected)
            }
            Format::RewardBench => {
                let prompt = row.needed_text(&["prompt"], self.format)?;
                let chosen = row.needed_text(&["chosen"], self.format)?;
                let rejected = row.needed_text(&["rejected"], self.format)?;
                if !common.id.starts_with("row-") {
                    common.id = format!("{}/{}", common.tags.family, common.id);
                }
                self.finish(row, common, prompt, chosen, rejected)
            }
            Format::Hh => {
                let chosen = row.needed_text(&["chosen"], self.format)?;
                let rejected = row.needed_text(&["rejected"], self.format)?;
                self.dialogues(row, common, &chosen, &rejected)
            }
            _ => {
                let chosen = self.response(row, "chosen")?;
                let rejected = self.response(row, "rejected")?;
                match (row.take(PROMPT), chosen, rejected) {
                    (None, Response::Turns { all: chosen, .. }, Response::Turns { all: rejected, .. }) => {
                        self.dialogues(row, common, &chosen, &rejected)
                    }
                    (prompt, chosen, rejected) => {
                        let prompt = match prompt {
                            None => String::new(),
                            Some((column, Value::Array(turns))) => {
                                let (turns, _) = dialogue(row, column, &turns)?;
                                format!("{turns}\n\n{ANSWER}")
                            }
                            Some((column, value)) => row.as_text(column, value)?,
                        };
                        self.finish(row, common, prompt, chosen.last(), rejected.last())
                    }
                }
            }
        }
    }

    /// A text, or a list of messages.
    fn response(&self, row: &mut Row, column: &'static str) -> Result<Response, Flaw> {
        match row.take(&[column]) {
            Some((_, Value::Array(turns))) => {
                let (all, last) = dialogue(row, column, &turns)?;
                Ok(Response::Turns { all, last })
            }
            Some((_, value)) => Ok(Response::Text(row.as_text(column, value)?)),
            // It is blank or missing: say which.
            None => Ok(Response::Text(row.needed_text(&[column], self.format)?)),
        }
    }

    /// Two dialogues with a common beginning.
    fn dialogues(&self, row: &Row, common: Common, chosen: &str, rejected: &str) -> Result<Preference, Flaw> {
        let split = chosen.char_indices().zip(rejected.chars()).find(|((_, a), b)| a != b);
        let end = split.map_or(chosen.len().min(rejected.len()), |((i, _), _)| i);
        match chosen[..end].rfind(ANSWER) {
            Some(start) => {
                let start = start + ANSWER.len();
                let prompt = chosen[..start].trim_start().to_owned();
                let after = |text: &str| text[start..].trim().to_owned();
                self.finish(row, common, prompt, after(chosen), after(rejected))
            }
            None => Err(row.flaw(
                self.format,
                SkipReason::NoCommonPrompt,
                Wrong {
                    column: "chosen",
                    found: "a dialogue with another beginning than the rejected one".to_owned(),
                    expected: "a common beginning up to the answer",
                    remedy: "give the prompt in a column of its own",
                },
            )),
        }
    }

    fn finish(
        &self,
        row: &Row,
        common: Common,
        prompt: String,
        chosen: String,
        rejected: String,
    ) -> Result<Preference, Flaw> {
        for (column, text) in [("chosen", &chosen), ("rejected", &rejected)] {
            if text.is_empty() {
                let found = "an empty response".to_owned();
                let wrong =
                    Wrong { column, found, expected: "a text", remedy: "fill it in or remove the row" };
                return Err(row.flaw(self.format, SkipReason::EmptyText, wrong));
            }
        }
        if chosen == rejected {
            let found = format!("`{}`, which the chosen one says too", short(&rejected));
            let remedy = "remove the row: it says nothing about which is better";
            let wrong = Wrong { column: "rejected", found, expected: "another response", remedy };
            return Err(row.flaw(self.format, SkipReason::EqualResponses, wrong));
        }
        let Common { id, group, tags } = common;
        let group = group.unwrap_or_else(|| {
            if prompt.is_empty() {
                source_group(&format!("{chosen} {rejected}"))
            } else {
                source_group(prompt.split(ANSWER).next().unwrap_or(&prompt))
            }
        });
        Ok(Preference { id, group, prompt, chosen, rejected, tags })
    }
}

/// A response as the file gives it.
enum Response {
    Text(String),
    /// Messages: all of them as one text, and the last one.
    Turns {
        all: String,
        last: String,
    },
}

impl Response {
    fn last(self) -> String {
        match self {
            Self::Text(text) | Self::Turns { last: text, .. } => text,
        }
    }
}

/// Messages with `role` and `content` as one text (`Human: ...`, `Assistant: ...`), and the last of them.
pub(super) fn dialogue(row: &Row, column: &str, turns: &[Value]) -> Result<(String, String), DataError> {
    let mut all = String::new();
    let mut last = String::new();
    for turn in turns {
        let field = |name| turn.get(name).and_then(Value::as_str).map(str::trim);
        let speaker = match field("role") {
            Some("user" | "human") => "Human:",
            Some("assistant" | "gpt") => ANSWER,
            Some("system") => "System:",
            _ => return Err(no_message(row, column, turn)),
        };
        let Some(content) = field("content") else { return Err(no_message(row, column, turn)) };
        if !all.is_empty() {
            all.push_str("\n\n");
        }
        all.push_str(speaker);
        all.push(' ');
        all.push_str(content);
        content.clone_into(&mut last);
    }
    Ok((all, last))
}

fn no_message(row: &Row, column: &str, turn: &Value) -> DataError {
    row.wrong(Wrong {
        column,
        found: shown(turn),
        expected: "messages with `role` (user, assistant or system) and `content` (a text)",
        remedy: "write the messages so, or the dialogue as one text",
    })
}
