//! Items of `RewardBench` 1 and 2 in the official columns: a prompt, the good answers and the bad ones.

use super::container::{Container, array_of_numbers, inspect};
use super::preference::{ANSWER, dialogue};
use super::row::{ID, Row, Wrong, integer, shown, source_group};
use super::{json, no_rows, parquet, table};
use crate::error::{At, DataError, Place};
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;

/// An item of a benchmark of reward models: answers to one prompt, the good ones first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BestOf {
    /// The item's name, unique within its subset: as the file has it, without one `row-N`, counted from 1.
    pub id: String,
    /// The subset that it belongs to.
    pub subset: String,
    /// What shares a prompt shares a group.
    pub group: String,
    /// The request.
    pub prompt: String,
    /// The answers, at least two; the `correct` first ones are good.
    pub answers: Vec<String>,
    /// How many are good: at least one, and fewer than all.
    pub correct: usize,
    /// Where it stands in its file.
    pub at: At,
}

const SUBSET: &[&str] = &["subset"];
const PROMPT: &[&str] = &["prompt"];
const GOOD: &str = "chosen";
const BAD: &str = "rejected";
/// Numbers of answers that version 2 states beside the lists.
const COUNTS: [&str; 3] = ["num_correct", "num_incorrect", "total_completions"];

/// Reads the items of a benchmark of reward models from CSV, JSON, JSONL or Parquet.
///
/// The columns of version 1 are `prompt`, `chosen`, `rejected` and `subset`, of version 2 the same with lists of texts
/// under `chosen` and `rejected`; `id` is read where there is one. A list in CSV is written as in JSON. A prompt can be a
/// list of messages. The numbers of answers that version 2 states are checked where they are there.
///
/// # Errors
/// [`DataError::File`], [`DataError::Syntax`], [`DataError::Columns`] and [`DataError::Cell`], each with place, what was
/// found, what was expected, and the remedy. Two items of one subset with the same id are an error.
///
/// ```
/// use superalign_data::load::load_benchmark;
/// let items = load_benchmark("samples/rewardbench2.jsonl")?;
/// assert_eq!((items[0].subset.as_str(), items[0].correct, items[0].answers.len()), ("Math", 1, 4));
/// assert_eq!((items[2].id.as_str(), items[2].correct), ("tied:0", 2));
/// // Version 1: one good answer and one bad one.
/// assert_eq!(load_benchmark("samples/rewardbench.csv")?[0].answers.len(), 2);
/// # Ok::<(), superalign_data::DataError>(())
/// ```
pub fn load_benchmark(path: impl AsRef<Path>) -> Result<Vec<BestOf>, DataError> {
    let path = path.as_ref();
    let inspected = inspect(path)?;
    let wanted = |name: &str| {
        [SUBSET, PROMPT, ID].iter().any(|names| names.contains(&name))
            || [GOOD, BAD].contains(&name)
            || COUNTS.contains(&name)
    };
    let rows = match inspected.container {
        Container::Csv | Container::Tsv => table::rows(path, &inspected)?,
        Container::Jsonl => json::lines(path, json::Passed::default())?,
        Container::Json => json::array(path, json::Passed::default())?,
        Container::Parquet => parquet::rows(path, wanted)?,
        Container::Npy => return Err(array_of_numbers(path)),
    };
    let mut items: Vec<BestOf> = Vec::new();
    let mut seen: HashMap<(String, String), At> = HashMap::new();
    for (n, row) in rows.stream.enumerate() {
        let item = item(&mut row?, n + 1)?;
        if let Some(before) = seen.insert((item.subset.clone(), item.id.clone()), item.at) {
            return Err(repeated(path, item.at, &item.subset, &item.id, before));
        }
        items.push(item);
    }
    if items.is_empty() { Err(no_rows(path, inspected.container)) } else { Ok(items) }
}

/// The error for an id that an item of the same subset has already.
pub(super) fn repeated(path: &Path, at: At, subset: &str, id: &str, before: At) -> DataError {
    DataError::Cell {
        place: Box::new(Place { path: path.to_path_buf(), at }),
        column: "id".to_owned(),
        found: format!("`{id}`, which {before} has already in the subset `{subset}`"),
        expected: "an id of its own for every item of a subset".to_owned(),
        remedy: "remove the repeated row, rename one of them, or leave the column out".to_owned(),
    }
}

fn item(row: &mut Row, n: usize) -> Result<BestOf, DataError> {
    let at = row.at();
    let subset = needed(row, SUBSET)?;
    let id = row.text(ID)?.unwrap_or_else(|| format!("row-{n}"));
    let prompt = match row.require(PROMPT)? {
        Some((column, Value::Array(turns))) => {
            format!("{}\n\n{ANSWER}", dialogue(row, column, &turns)?.0)
        }
        Some((column, value)) => row.as_text(column, value)?,
        None => return Err(empty(row, PROMPT[0])),
    };
    let mut answers = texts(row, GOOD)?;
    let correct = answers.len();
    answers.extend(texts(row, BAD)?);
    let counts = [correct, answers.len() - correct, answers.len()];
    for (column, count) in COUNTS.into_iter().zip(counts) {
        if let Some((column, value)) = row.take(&[column])
            && integer(&value) != i64::try_from(count).ok()
        {
            return Err(row.wrong(Wrong {
                column,
                found: shown(&value),
                expected: &format!("{count}, as many as there are answers"),
                remedy: "correct it, or leave the column out",
            }));
        }
    }
    let group = source_group(prompt.split(ANSWER).next().unwrap_or(&prompt));
    Ok(BestOf { id, subset, group, prompt, answers, correct, at })
}

/// A text that must be there.
pub(super) fn needed(row: &mut Row, names: &[&str]) -> Result<String, DataError> {
    match row.require(names)? {
        Some((name, value)) => row.as_text(name, value),
        None => Err(empty(row, names[0])),
    }
}

fn empty(row: &Row, column: &str) -> DataError {
    let found = "nothing".to_owned();
    row.wrong(Wrong { column, found, expected: "a text", remedy: "fill it in or remove the row" })
}

/// The answers under a name: one text, or a list of them.
fn texts(row: &mut Row, column: &str) -> Result<Vec<String>, DataError> {
    let value = match row.require(&[column])? {
        None => return Err(empty(row, column)),
        Some((_, Value::String(text))) if text.trim_start().starts_with('[') => {
            // A list in a table; a text that merely begins with a bracket stays one.
            match serde_json::from_str(&text) {
                Ok(Value::Array(list)) if list.iter().all(Value::is_string) => Value::Array(list),
                _ => Value::String(text),
            }
        }
        Some((_, value)) => value,
    };
    let list = match value {
        Value::Array(list) => list,
        other => vec![other],
    };
    let mut answers = Vec::with_capacity(list.len());
    for value in list {
        let text = row.as_text(column, value)?;
        if text.trim().is_empty() {
            return Err(empty(row, column));
        }
        answers.push(text);
    }
    if answers.is_empty() {
        return Err(row.wrong(Wrong {
            column,
            found: "an empty list".to_owned(),
            expected: "at least one answer",
            remedy: "fill it in or remove the row",
        }));
    }
    Ok(answers)
}
