//! One record, whatever its container, and the reading of single values from it.

use super::{Format, SkipReason};
use crate::error::{At, DataError, Place, nearest, quoted};
use crate::item::{Objective, Tags};
use serde_json::{Map, Value};
use std::path::Path;
use std::rc::Rc;

/// Columns that any format may have besides its own. The first name that is present counts.
pub(super) const ID: &[&str] = &["id", "idx"];
pub(super) const GROUP: &[&str] = &["group"];
pub(super) const FAMILY: &[&str] = &["family", "subset", "subject"];
pub(super) const DIFFICULTY: &[&str] = &["difficulty"];
pub(super) const OBJECTIVE: &[&str] = &["objective"];
pub(super) const CONFLICT: &[&str] = &["conflict"];

/// A record: cells under a shared header, or an object with keys of its own.
pub(crate) enum Row {
    Table { path: Rc<Path>, at: At, columns: Rc<[String]>, values: Vec<Value> },
    Object { path: Rc<Path>, at: At, fields: Map<String, Value> },
}

/// Why a record gave no item.
pub(super) enum Flaw {
    /// It is counted and passed over.
    Skip(SkipReason),
    /// It ends the loading.
    Error(DataError),
}

impl From<DataError> for Flaw {
    fn from(error: DataError) -> Self {
        Self::Error(error)
    }
}

/// A value that is wrong: the column, what is in it, what should be, what to do.
pub(super) struct Wrong<'a> {
    pub(super) column: &'a str,
    pub(super) found: String,
    pub(super) expected: &'a str,
    pub(super) remedy: &'a str,
}

impl Row {
    pub(crate) fn at(&self) -> At {
        match self {
            Self::Table { at, .. } | Self::Object { at, .. } => *at,
        }
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Table { path, .. } | Self::Object { path, .. } => path,
        }
    }

    pub(super) fn cell(&mut self, name: &str) -> Option<&mut Value> {
        match self {
            Self::Table { columns, values, .. } => {
                columns.iter().position(|c| c == name).and_then(|i| values.get_mut(i))
            }
            Self::Object { fields, .. } => fields.get_mut(name),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Table { columns, .. } => columns.iter().any(|c| c == name),
            Self::Object { fields, .. } => fields.contains_key(name),
        }
    }

    pub(super) fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name))
    }

    /// The text under a name, for a look at it before it is read.
    pub(super) fn peek(&self, name: &str) -> Option<&str> {
        match self {
            Self::Table { columns, values, .. } => {
                columns.iter().position(|c| c == name).and_then(|i| values.get(i))
            }
            Self::Object { fields, .. } => fields.get(name),
        }
        .and_then(Value::as_str)
    }

    /// Takes the first of the named values that is neither null nor blank.
    pub(super) fn take<'n>(&mut self, names: &[&'n str]) -> Option<(&'n str, Value)> {
        names.iter().find_map(|&name| match self.cell(name)?.take() {
            Value::Null => None,
            Value::String(text) if text.trim().is_empty() => None,
            value => Some((name, value)),
        })
    }

    /// Takes the first of the named values; where none of the names is there, an error that says so.
    pub(super) fn require<'n>(&mut self, names: &[&'n str]) -> Result<Option<(&'n str, Value)>, DataError> {
        if self.has_any(names) { Ok(self.take(names)) } else { Err(self.missing(names)) }
    }

    /// An optional text; numbers and truth values count as the text that they are written with.
    pub(super) fn text(&mut self, names: &[&str]) -> Result<Option<String>, DataError> {
        match self.take(names) {
            None => Ok(None),
            Some((name, value)) => self.as_text(name, value).map(Some),
        }
    }

    /// A text that must be there and not be blank. A blank one is skipped or refused, as the format has it.
    pub(super) fn needed_text(&mut self, names: &[&str], format: Format) -> Result<String, Flaw> {
        match self.require(names)? {
            Some((name, value)) => Ok(self.as_text(name, value)?),
            None => {
                let column = names.iter().copied().find(|name| self.has(name)).unwrap_or_default();
                Err(self.flaw(
                    format,
                    SkipReason::EmptyText,
                    Wrong {
                        column,
                        found: "nothing".to_owned(),
                        expected: "a text",
                        remedy: "fill it in or remove the row",
                    },
                ))
            }
        }
    }

    pub(super) fn as_text(&self, column: &str, value: Value) -> Result<String, DataError> {
        match value {
            Value::String(text) => Ok(trimmed(text)),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(truth) => Ok(truth.to_string()),
            other => Err(self.wrong(Wrong {
                column,
                found: shown(&other),
                expected: "a text",
                remedy: "write one text into this column",
            })),
        }
    }

    /// Id, group and tags: what any format may say of an item.
    pub(super) fn common(&mut self, n: usize, objective: Objective) -> Result<Common, DataError> {
        let id = match self.text(ID)? {
            Some(id) => id,
            None => format!("row-{n}"),
        };
        let group = self.text(GROUP)?;
        let family = self.text(FAMILY)?.unwrap_or_default();
        let difficulty = match self.take(DIFFICULTY) {
            None => None,
            Some((column, value)) => match integer(&value) {
                Some(d @ 1..=6) => u8::try_from(d).ok(),
                _ => {
                    return Err(self.wrong(Wrong {
                        column,
                        found: shown(&value),
                        expected: "a whole number from 1 to 6",
                        remedy: "sort the difficulties into six levels, or leave the column out",
                    }));
                }
            },
        };
        let objective = match self.take(OBJECTIVE) {
            None => objective,
            Some((column, value)) => match value.as_str().map(str::trim) {
                Some("competence") => Objective::Competence,
                Some("conformity") => Objective::Conformity,
                _ => {
                    return Err(self.wrong(Wrong {
                        column,
                        found: shown(&value),
                        expected: "`competence` or `conformity`",
                        remedy: "correct it, or leave the column out",
                    }));
                }
            },
        };
        let conflict = match self.take(CONFLICT) {
            None => false,
            Some((column, value)) => self.truth(column, &value)?,
        };
        Ok(Common { id, group, tags: Tags { objective, family, difficulty, conflict } })
    }

    pub(super) fn truth(&self, column: &str, value: &Value) -> Result<bool, DataError> {
        let text = match value {
            Value::Bool(truth) => return Ok(*truth),
            Value::String(text) => text.trim().to_lowercase(),
            other => other.to_string(),
        };
        match text.as_str() {
            "true" | "yes" | "1" | "1.0" => Ok(true),
            "false" | "no" | "0" | "0.0" => Ok(false),
            _ => Err(self.wrong(Wrong {
                column,
                found: shown(value),
                expected: "true or false (or yes, no, 1, 0)",
                remedy: "correct it",
            })),
        }
    }

    pub(super) fn wrong(&self, wrong: Wrong<'_>) -> DataError {
        DataError::Cell {
            place: Box::new(Place { path: self.path().to_path_buf(), at: self.at() }),
            column: wrong.column.to_owned(),
            found: wrong.found,
            expected: wrong.expected.to_owned(),
            remedy: wrong.remedy.to_owned(),
        }
    }

    /// A flaw that is skipped in published formats and refused in the user's own.
    pub(super) fn flaw(&self, format: Format, reason: SkipReason, wrong: Wrong<'_>) -> Flaw {
        if format.is_published() { Flaw::Skip(reason) } else { Flaw::Error(self.wrong(wrong)) }
    }

    fn missing(&self, names: &[&str]) -> DataError {
        let present: Vec<&str> = match self {
            Self::Table { columns, .. } => columns.iter().map(String::as_str).collect(),
            Self::Object { fields, .. } => fields.keys().map(String::as_str).collect(),
        };
        let remedy = match names.iter().find_map(|name| nearest(name, present.iter().copied())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "add it to this record, or remove the record".to_owned(),
        };
        let first = names.first().copied().unwrap_or_default();
        let found = format!("no such key, only {}", quoted(&present));
        self.wrong(Wrong { column: first, found, expected: "a value", remedy: &remedy })
    }
}

/// What any format may say of an item.
pub(super) struct Common {
    pub(super) id: String,
    pub(super) group: Option<String>,
    pub(super) tags: Tags,
}

/// A whole number, also where it is written as a text or as `2.0`.
pub(super) fn integer(value: &Value) -> Option<i64> {
    let whole = |x: f64| (x.fract() == 0.0 && x.abs() < 1e15).then_some(x as i64);
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| text.parse().ok().and_then(whole))
        }
        _ => None,
    }
}

/// The value for a message: on one line, at most 60 characters.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.trim().is_empty() => "an empty text".to_owned(),
        Value::String(text) => format!("`{}`", short(text)),
        Value::Null => "nothing".to_owned(),
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(_) => "an object".to_owned(),
        other => format!("`{other}`"),
    }
}

/// The text on one line, at most 60 characters.
pub(crate) fn short(text: &str) -> String {
    const MOST: usize = 60;
    let line: String = text.trim().chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.trim().chars().count() > MOST { line + "…" } else { line }
}

/// The name of the group of everything that shares this source text: a hash over its words, so that line ends
/// and double spaces do not matter.
pub(super) fn source_group(text: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    for word in text.split_whitespace() {
        hasher.update(word.as_bytes());
        hasher.update(b" ");
    }
    let mut name = hasher.finalize().to_hex().to_string();
    name.truncate(16);
    name
}

fn trimmed(text: String) -> String {
    let inner = text.trim();
    if inner.len() == text.len() { text } else { inner.to_owned() }
}
