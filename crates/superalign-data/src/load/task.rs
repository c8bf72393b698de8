//! Records as tasks: `CosmosQA`, `SciQ`, `BoolQ`, and the user's own.

use super::format::{BOOLEAN, CONTEXT, LABEL, QUESTION, TITLE, numbered};
use super::row::{Common, Flaw, Row, Wrong, integer, short, shown, source_group};
use super::{Format, SkipReason};
use crate::error::{DataError, nearest};
use crate::item::{Objective, Task};
use serde_json::Value;

/// Reads the records of one file.
pub(super) struct Reader {
    format: Format,
    /// The columns `choice0`, `choice1` and so on, in the order of their numbers.
    choice_columns: Vec<String>,
}

/// The columns `choice0`, `choice1` and so on, in the order of their numbers.
fn choice_columns<'a>(columns: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut found: Vec<String> = columns.filter(|c| numbered(c).is_some()).cloned().collect();
    found.sort_by_key(|column| numbered(column));
    found
}

impl Reader {
    pub(super) fn new(format: Format, columns: &[String]) -> Self {
        let mut choice_columns: Vec<String> =
            columns.iter().filter(|c| numbered(c).is_some()).cloned().collect();
        choice_columns.sort_by_key(|column| numbered(column));
        Self { format, choice_columns }
    }

    /// The task of the `n`-th record, counted from 1.
    pub(super) fn read(&self, row: &mut Row, n: usize) -> Result<Task, Flaw> {
        let common = row.common(n, Objective::Competence)?;
        let question = row.needed_text(QUESTION, self.format)?;
        match self.format {
            Format::CosmosQa => {
                let context = row.needed_text(&["context"], self.format)?;
                let choices = ["answer0", "answer1", "answer2", "answer3"]
                    .map(|column| row.needed_text(&[column], self.format));
                let choices = choices.into_iter().collect::<Result<Vec<_>, _>>()?;
                let gold = match row.require(&["label"])? {
                    None => return Err(Flaw::Skip(SkipReason::NoLabel)),
                    Some((column, value)) => position(row, column, &value, 4)?,
                };
                self.finish(row, common, Parts { source: None, context, question, choices, gold })
            }
            Format::SciQ => {
                let context = row.text(&["support"])?.unwrap_or_default();
                let right = row.needed_text(&["correct_answer"], self.format)?;
                let wrong = ["distractor1", "distractor2", "distractor3"]
                    .map(|column| row.needed_text(&[column], self.format));
                let mut choices = wrong.into_iter().collect::<Result<Vec<_>, _>>()?;
                let gold = usize::from(blake3::hash(question.as_bytes()).as_bytes()[0] % 4);
                choices.insert(gold, right);
                self.finish(row, common, Parts { source: None, context, question, choices, gold })
            }
            Format::BoolQ => {
                let source = row.text(TITLE)?;
                let context = row.needed_text(&["passage"], self.format)?;
                let truth = match row.require(BOOLEAN)? {
                    None => return Err(Flaw::Skip(SkipReason::NoLabel)),
                    Some((_, value)) if integer(&value) == Some(-1) => {
                        return Err(Flaw::Skip(SkipReason::NoLabel));
                    }
                    Some((column, value)) => row.truth(column, &value)?,
                };
                let choices = vec!["yes".to_owned(), "no".to_owned()];
                self.finish(
                    row,
                    common,
                    Parts { source, context, question, choices, gold: usize::from(!truth) },
                )
            }
            _ => {
                let context = row.text(CONTEXT)?.unwrap_or_default();
                let Choices { texts: choices, letters } = self.choices(row)?;
                let gold = match row.require(LABEL)? {
                    None => return Err(Flaw::Skip(SkipReason::NoLabel)),
                    Some((column, value)) => label(row, column, &value, &choices, &letters)?,
                };
                self.finish(row, common, Parts { source: None, context, question, choices, gold })
            }
        }
    }

    /// What looks odd in the whole file.
    pub(super) fn oddities(&self, tasks: &[Task]) -> Vec<String> {
        let never_first = tasks.len() >= 20 && tasks.iter().all(|task| task.gold > 0);
        if never_first {
            vec!["Odd: the first choice is never the right one. Positions count from 0; if yours count from 1, \
                  subtract 1 or write letters."
                .to_owned()]
        } else {
            Vec::new()
        }
    }

    fn finish(&self, row: &Row, common: Common, parts: Parts) -> Result<Task, Flaw> {
        let Parts { source, context, question, choices, gold } = parts;
        for (i, choice) in choices.iter().enumerate() {
            if let Some(before) = choices[..i].iter().position(|other| other == choice) {
                let column = self.choice_columns.get(i).map_or("choices", String::as_str);
                return Err(row.flaw(
                    self.format,
                    SkipReason::EqualChoices,
                    Wrong {
                        column,
                        found: format!("`{}` as choice {before} and as choice {i}", short(choice)),
                        expected: "choices that differ",
                        remedy: "change or remove one of them",
                    },
                ));
            }
        }
        let group = common.group.unwrap_or_else(|| match &source {
            Some(title) => source_group(title),
            None => source_group(if context.is_empty() { &question } else { &context }),
        });
        Ok(Task { id: common.id, group, context, question, choices, gold, tags: common.tags })
    }

    /// A list, the list as a JSON text, an object with `text` and `label`, or numbered columns.
    fn choices(&self, row: &mut Row) -> Result<Choices, Flaw> {
        let mut letters = Vec::new();
        let mut texts = Vec::new();
        let column = "choices";
        if let Some((_, value)) = row.take(&["choices"]) {
            let value = match value {
                Value::String(text) => parsed(row, column, &text)?,
                other => other,
            };
            let list = match value {
                Value::Object(mut fields) => {
                    letters = strings(row, column, fields.remove("label").unwrap_or_default())?;
                    fields.remove("text").unwrap_or_default()
                }
                other => other,
            };
            texts = strings(row, column, list)?;
        } else {
            // Every JSON record has keys of its own.
            let own;
            let columns = match row {
                Row::Table { .. } => &self.choice_columns,
                Row::Object { fields, .. } => {
                    own = choice_columns(fields.keys());
                    &own
                }
            };
            if columns.is_empty() {
                row.require(&["choices"])?;
            }
            for (i, name) in columns.iter().enumerate() {
                match row.text(&[name])? {
                    Some(text) if texts.len() == i => texts.push(text),
                    Some(_) => {
                        let column = &columns[texts.len()];
                        let found = format!("nothing, but a choice in `{name}`");
                        let remedy = "move the later choices up";
                        return Err(row
                            .wrong(Wrong { column, found, expected: "choices without a gap", remedy })
                            .into());
                    }
                    None => {}
                }
            }
        }
        let flaw = if texts.iter().any(String::is_empty) {
            "an empty choice".to_owned()
        } else if texts.len() < 2 {
            format!("{} of them", texts.len())
        } else {
            return Ok(Choices { texts, letters });
        };
        let remedy = "fill in the choices or remove the row";
        Err(row
            .wrong(Wrong { column, found: flaw, expected: "at least two choices with text", remedy })
            .into())
    }
}

/// What a task is made of, besides what any format may have.
struct Parts {
    /// The name of the source, where the file tells it.
    source: Option<String>,
    context: String,
    question: String,
    choices: Vec<String>,
    gold: usize,
}

struct Choices {
    texts: Vec<String>,
    /// The names of the choices, where the file gives them (`{"text": [...], "label": ["A", "B"]}`).
    letters: Vec<String>,
}

/// The list that a text of a table spells out.
fn parsed(row: &Row, column: &str, text: &str) -> Result<Value, DataError> {
    serde_json::from_str(text).map_err(|_| {
        let python = text.trim_start().starts_with("['") || text.trim_start().starts_with("[\"");
        row.wrong(Wrong {
            column,
            found: format!("`{}`", short(text)),
            expected: "a JSON list, such as [\"red\", \"blue\"]",
            remedy: if python {
                "this looks like a list as Python prints it: write it with `json.dumps`"
            } else {
                "write a JSON list, or one column per choice: `choice0`, `choice1`, ..."
            },
        })
    })
}

fn strings(row: &Row, column: &str, list: Value) -> Result<Vec<String>, DataError> {
    match list {
        Value::Null => Ok(Vec::new()),
        Value::Array(list) => list
            .into_iter()
            .map(|choice| if choice.is_null() { Ok(String::new()) } else { row.as_text(column, choice) })
            .collect(),
        other => Err(row.wrong(Wrong {
            column,
            found: shown(&other),
            expected: "a list of texts",
            remedy: "write a list, or one column per choice: `choice0`, `choice1`, ...",
        })),
    }
}

/// A position counted from 0; -1 stands for a withheld label.
fn position(row: &Row, column: &str, value: &Value, choices: usize) -> Result<usize, Flaw> {
    match integer(value) {
        Some(-1) => Err(Flaw::Skip(SkipReason::NoLabel)),
        Some(i) if usize::try_from(i).is_ok_and(|i| i < choices) => Ok(i as usize),
        _ => Err(row
            .wrong(Wrong {
                column,
                found: shown(value),
                expected: &format!("a position from 0 to {}", choices.saturating_sub(1)),
                remedy: "correct it; positions count from 0",
            })
            .into()),
    }
}

/// A position, a letter, or the text of a choice. A number in JSON or Parquet is always a position.
fn label(
    row: &Row,
    column: &str,
    value: &Value,
    choices: &[String],
    letters: &[String],
) -> Result<usize, Flaw> {
    let Value::String(text) = value else { return position(row, column, value, choices.len()) };
    let text = text.trim();
    if let Some(i) = letters.iter().position(|letter| letter == text).filter(|&i| i < choices.len()) {
        return Ok(i);
    }
    let by_text = choices.iter().position(|choice| choice == text);
    let by_letter = match text.as_bytes() {
        [letter] if letter.is_ascii_alphabetic() => Some(usize::from(letter.to_ascii_uppercase() - b'A')),
        _ => None,
    };
    let number = integer(value);
    let by_number = number.and_then(|i| usize::try_from(i).ok());
    let mut found: Vec<usize> =
        [by_text, by_letter, by_number].into_iter().flatten().filter(|&i| i < choices.len()).collect();
    found.dedup();
    let wrong = |expected: &str, remedy: &str| {
        Err(row.wrong(Wrong { column, found: shown(value), expected, remedy }).into())
    };
    match found.as_slice() {
        [one] => Ok(*one),
        [_, ..] => wrong(
            "a label that can be read in one way",
            "it is the text of one choice and the position or letter of another: write the text, and call no \
             choice by a number or letter, or use JSON, where a number is always a position",
        ),
        [] if number == Some(-1) => Err(Flaw::Skip(SkipReason::NoLabel)),
        [] => {
            let last = choices.len().saturating_sub(1);
            let letter = char::from(b'A' + u8::try_from(last.min(25)).unwrap_or(25));
            let expected =
                format!("a position from 0 to {last}, a letter from A to {letter}, or the text of a choice");
            match nearest(text, choices.iter().map(String::as_str)) {
                Some(near) if text.len() > 2 => wrong(&expected, &format!("did you mean `{}`?", short(near))),
                _ => wrong(&expected, "correct it; positions count from 0"),
            }
        }
    }
}
