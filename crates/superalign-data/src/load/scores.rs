//! What a reward model or a judge said of a benchmark: dumps with one row per item, and tables of published scores.

use super::benchmark::{needed, repeated};
use super::container::{Container, array_of_numbers, inspect, open_text, unreadable};
use super::row::{ID, Row, Wrong, shown};
use super::{Rows, json, no_rows, parquet, table};
use crate::error::{At, DataError, Place, quoted};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A file of scores.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreFile {
    /// The file.
    pub path: PathBuf,
    /// Its kind.
    pub container: Container,
    /// BLAKE3 digest over its bytes, as 64 hex digits.
    pub digest: String,
    /// What is in it.
    pub scores: Scores,
}

/// What a file of scores holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Scores {
    /// One row per item (and model).
    Items(Vec<ScoredItem>),
    /// One row per model: accuracies by subset, or scores by section.
    Table(Vec<ScoreRow>),
}

/// What a model said of one item.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredItem {
    /// The model, where the file names it.
    pub model: Option<String>,
    /// The item's name, unique within model and subset; without one `row-N`, counted from 1.
    pub id: String,
    /// The subset that it belongs to.
    pub subset: String,
    /// The request, where the file has it.
    pub prompt: Option<String>,
    /// The scores; `None` where there is only the result.
    pub scored: Option<Scored>,
    /// The result, from 0 to 1, where the file has it. There is a score or a result.
    pub result: Option<f64>,
    /// Where it stands in its file.
    pub at: At,
}

/// Scores of the answers to one prompt. They may be infinite, but are never NaN.
#[derive(Clone, Debug, PartialEq)]
pub enum Scored {
    /// Of the good answer and of the bad one.
    Pair {
        /// Score of the good answer.
        chosen: f64,
        /// Score of the bad one.
        rejected: f64,
    },
    /// Of several answers, the good ones first.
    Answers {
        /// Their scores, at least two.
        scores: Vec<f64>,
        /// How many are good, where the file says it: at least one, and fewer than all.
        correct: Option<usize>,
    },
}

/// A row of published scores: its numbers, by the names of their columns.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreRow {
    /// The model, where the file names it.
    pub model: Option<String>,
    /// The columns that hold a number in this row, in their order.
    pub values: Vec<(String, f64)>,
    /// Where it stands in its file.
    pub at: At,
}

/// How a file of scores is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScoreReading {
    /// The column with the subset; `subset` by default.
    pub subset: Option<String>,
}

const MODEL: &[&str] = &["model", "model_name"];
const PROMPT: &[&str] = &["prompt"];
const CHOSEN: &[&str] = &["score_chosen", "scores_chosen"];
const REJECTED: &[&str] = &["score_rejected", "scores_rejected"];
const RESULT: &[&str] = &["results", "result"];
const SCORES: &[&str] = &["scores"];
const CORRECT: &[&str] = &["num_correct"];

/// Reads what a model said of a benchmark, from CSV, TSV, JSON, JSONL or Parquet.
///
/// With a column `subset` a row is an item. Its scores are `score_chosen` and `score_rejected` (or `scores_chosen`,
/// `scores_rejected`), or the list `scores`, the good answers first, of which `num_correct` are; its result is `results`
/// (or `result`). `id`, `model` and `prompt` are read where they are there. A number can stand in a list of its own, and a
/// list in CSV is written as in JSON. Without a column `subset` a row is one model's published scores.
///
/// JSON can also be one object whose values are columns, as the official programs write their dumps; what is no list there
/// holds for all rows.
///
/// # Errors
/// [`DataError::File`], [`DataError::Syntax`], [`DataError::Columns`] and [`DataError::Cell`], each with place, what was
/// found, what was expected, and the remedy. NaN is no score. Two items of one model and subset with the same id are an
/// error.
///
/// ```
/// use superalign_data::load::{ScoreReading, Scored, Scores, load_scores};
/// let file = load_scores("samples/rewardbench-scores.json", &ScoreReading::default())?;
/// let Scores::Items(items) = file.scores else { unreachable!("it has a column subset") };
/// assert_eq!(items[0].scored, Some(Scored::Pair { chosen: 2.5, rejected: -0.25 }));
/// assert_eq!((items[1].model.as_deref(), items[1].result), (Some("example/reward-model"), Some(0.0)));
/// # Ok::<(), superalign_data::DataError>(())
/// ```
pub fn load_scores(path: impl AsRef<Path>, reading: &ScoreReading) -> Result<ScoreFile, DataError> {
    let path = path.as_ref();
    let inspected = inspect(path)?;
    let subset = reading.subset.as_deref().unwrap_or("subset");
    let known = [ID, MODEL, PROMPT, CHOSEN, REJECTED, RESULT, SCORES, CORRECT];
    let wanted = |name: &str| name == subset || known.iter().any(|names| names.contains(&name));
    let mut rows = match inspected.container {
        Container::Csv | Container::Tsv => table::rows(path, &inspected)?,
        Container::Jsonl => match whole_object(path)? {
            Some(object) => columnar(path, object, subset)?,
            None => json::lines(path, json::Passed::default())?,
        },
        Container::Json => json::array(path, json::Passed::default())?,
        Container::Parquet => parquet::rows(path, wanted)?,
        Container::Npy => return Err(array_of_numbers(path)),
    };
    let first = rows.stream.next().transpose()?.ok_or_else(|| no_rows(path, inspected.container))?;
    if let Row::Object { fields, .. } = &first {
        rows.columns = fields.keys().cloned().collect();
    }
    let has_subset = rows.columns.iter().any(|name| name == subset);
    if !has_subset && (reading.subset.is_some() || inspected.container == Container::Parquet) {
        return Err(DataError::Columns {
            path: path.to_path_buf(),
            found: rows.columns,
            expected: format!("also `{subset}`, the subset of each item"),
            remedy: "name the column that holds it with --subset-column".to_owned(),
        });
    }
    let columns = rows.columns;
    let stream = std::iter::once(Ok(first)).chain(rows.stream);
    let scores = if has_subset {
        let mut items = Vec::new();
        let mut seen: HashMap<(Option<String>, String, String), At> = HashMap::new();
        for (n, row) in stream.enumerate() {
            let item = item(&mut row?, n + 1, subset, &columns)?;
            let key = (item.model.clone(), item.subset.clone(), item.id.clone());
            if let Some(before) = seen.insert(key, item.at) {
                return Err(repeated(path, item.at, &item.subset, &item.id, before));
            }
            items.push(item);
        }
        Scores::Items(items)
    } else {
        Scores::Table(stream.map(|row| published(row?)).collect::<Result<_, _>>()?)
    };
    Ok(ScoreFile {
        path: path.to_path_buf(),
        container: inspected.container,
        digest: inspected.digest,
        scores,
    })
}

fn item(row: &mut Row, n: usize, subset: &str, columns: &[String]) -> Result<ScoredItem, DataError> {
    let at = row.at();
    let subset = needed(row, &[subset])?;
    let id = row.text(ID)?.unwrap_or_else(|| format!("row-{n}"));
    let model = row.text(MODEL)?;
    let prompt = match row.take(PROMPT) {
        Some((_, Value::String(text))) => Some(text),
        // Messages: as good as a text to tell prompts apart.
        Some((_, value)) => Some(value.to_string()),
        None => None,
    };
    let result = match row.take(RESULT) {
        None => None,
        Some((column, value)) => {
            let found = match &value {
                Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
                // As tables write truth values.
                Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(1.0),
                Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(0.0),
                value => number(value),
            };
            match found {
                Some(result) if (0.0..=1.0).contains(&result) => Some(result),
                // Of items of Ties the official programs write a list, one for each answer.
                None if matches!(value, Value::Array(_)) => None,
                _ => {
                    let (found, expected) = (shown(&value), "a number from 0 to 1");
                    return Err(row.wrong(Wrong { column, found, expected, remedy: "correct it" }));
                }
            }
        }
    };
    let scored = match scores(row)? {
        Some(scored) => Some(scored),
        None => pair(row)?,
    };
    if scored.is_none() && result.is_none() {
        let known = [CHOSEN, REJECTED, SCORES, RESULT];
        let there = known.iter().flat_map(|names| *names).find(|name| columns.iter().any(|c| c == *name));
        return Err(row.wrong(Wrong {
            column: there.unwrap_or(&CHOSEN[0]),
            found: match there {
                Some(_) => "nothing, or NaN".to_owned(),
                None => format!("no such column, only {}", quoted(columns)),
            },
            expected: "a score: a number in `score_chosen` and in `score_rejected`, a list in `scores`, or a result in \
                       `results`",
            remedy: "score this item again, or remove it: the benchmark is then incomplete, and its score says so",
        }));
    }
    Ok(ScoredItem { model, id, subset, prompt, scored, result, at })
}

/// The list of scores, where there is one.
fn scores(row: &mut Row) -> Result<Option<Scored>, DataError> {
    let Some((column, value)) = row.take(SCORES) else { return Ok(None) };
    let list = match value {
        Value::Array(list) => list,
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(Value::Array(list)) => list,
            _ => return Err(no_list(row, column, &Value::String(text))),
        },
        other => return Err(no_list(row, column, &other)),
    };
    let mut scores = Vec::with_capacity(list.len());
    for (place, value) in list.iter().enumerate() {
        let Some(score) = number(value) else {
            let found = format!("{} as score {}", shown(value), place + 1);
            let remedy = "score this item again";
            return Err(row.wrong(Wrong { column, found, expected: "a number for every answer", remedy }));
        };
        scores.push(score);
    }
    if scores.len() < 2 {
        let found = format!("a list of {}", scores.len());
        let remedy = "give the scores of all answers, the good ones first";
        return Err(row.wrong(Wrong { column, found, expected: "at least two scores", remedy }));
    }
    let correct = match row.take(CORRECT) {
        None => None,
        Some((column, value)) => match super::row::integer(&value).and_then(|n| usize::try_from(n).ok()) {
            Some(correct) if (1..scores.len()).contains(&correct) => Some(correct),
            _ => {
                return Err(row.wrong(Wrong {
                    column,
                    found: format!("{} with {} scores", shown(&value), scores.len()),
                    expected: "at least one correct answer and at least one that is not",
                    remedy: "correct it, or remove the item",
                }));
            }
        },
    };
    Ok(Some(Scored::Answers { scores, correct }))
}

fn no_list(row: &Row, column: &str, found: &Value) -> DataError {
    row.wrong(Wrong {
        column,
        found: shown(found),
        expected: "a list of numbers, such as [1.5, 0.25]",
        remedy: "write the scores of all answers as one list, the good ones first",
    })
}

/// The scores of a pair, where there are both.
fn pair(row: &mut Row) -> Result<Option<Scored>, DataError> {
    let mut found = [None; 2];
    let mut last = "";
    for (found, names) in found.iter_mut().zip([CHOSEN, REJECTED]) {
        if let Some((column, value)) = row.take(names) {
            last = column;
            let Some(score) = number(&value) else {
                let (found, remedy) = (shown(&value), "score this item again");
                return Err(row.wrong(Wrong { column, found, expected: "a number", remedy }));
            };
            *found = Some(score);
        }
    }
    match found {
        [Some(chosen), Some(rejected)] => Ok(Some(Scored::Pair { chosen, rejected })),
        [None, None] => Ok(None),
        _ => Err(row.wrong(Wrong {
            column: if found[0].is_none() { CHOSEN[0] } else { REJECTED[0] },
            found: format!("nothing, beside a score in `{last}`"),
            expected: "a number",
            remedy: "give the scores of both answers",
        })),
    }
}

/// A number that is not NaN, also one in a list of its own or written as a text.
fn number(value: &Value) -> Option<f64> {
    let found = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.trim() {
            text if text.starts_with('[') => serde_json::from_str(text).ok().and_then(|value| number(&value)),
            text => text.parse().ok(),
        },
        Value::Array(list) if list.len() == 1 => number(&list[0]),
        _ => None,
    };
    found.filter(|found| !found.is_nan())
}

/// The numbers of a row of published scores.
fn published(mut row: Row) -> Result<ScoreRow, DataError> {
    let at = row.at();
    let model = row.text(MODEL)?;
    let cells: Vec<(String, Value)> = match row {
        Row::Table { columns, values, .. } => columns.iter().cloned().zip(values).collect(),
        Row::Object { fields, .. } => fields.into_iter().collect(),
    };
    let values = cells.into_iter().filter_map(|(name, value)| Some((name, number(&value)?))).collect();
    Ok(ScoreRow { model, values, at })
}

/// The object that a file is, where it is one object, over several lines or on one.
fn whole_object(path: &Path) -> Result<Option<Map<String, Value>>, DataError> {
    let mut reader = open_text(path)?;
    let mut next = |text: &mut String| reader.read_line(text).map_err(|e| unreadable(path, &e));
    let mut text = String::new();
    while text.trim().is_empty() && next(&mut text)? > 0 {}
    let fields = match serde_json::from_str(&text) {
        Ok(Value::Object(fields)) => fields,
        Err(e) if e.is_eof() => {
            while next(&mut text)? > 0 {}
            return serde_json::from_str(&text).map(Some).map_err(|e| DataError::Syntax {
                place: Place::byte(path, e.line() as u64, e.column() as u64),
                found: "broken JSON".to_owned(),
                expected: "one object whose values are columns, or an object a line".to_owned(),
                remedy: "correct this place; NaN is no number in JSON".to_owned(),
            });
        }
        // The reader of lines says what is wrong.
        _ => return Ok(None),
    };
    let mut rest = String::new();
    while rest.trim().is_empty() {
        rest.clear();
        if next(&mut rest)? == 0 {
            return Ok(Some(fields));
        }
    }
    Ok(None)
}

/// The rows of an object whose values are columns; an object without lists is one row.
fn columnar(path: &Path, fields: Map<String, Value>, subset: &str) -> Result<Rows, DataError> {
    let shared: Rc<Path> = Rc::from(path);
    let length = |value: &Value| value.as_array().map(Vec::len);
    let Some(rows) = fields.get(subset).and_then(length) else {
        let row = Row::Object { path: shared, at: At::Line(1), fields };
        return Ok(Rows { columns: Vec::new(), stream: Box::new(std::iter::once(Ok(row))) });
    };
    let other = fields.iter().find_map(|(name, value)| Some((name, length(value).filter(|&n| n != rows)?)));
    if let Some((name, found)) = other {
        return Err(DataError::File {
            path: path.to_path_buf(),
            found: format!("a list of {found} under `{name}`"),
            expected: format!("lists of {rows}, as under `{subset}`"),
            remedy: "write one value for every item, or one object a line".to_owned(),
        });
    }
    let mut columns: Vec<(String, Column)> = Vec::new();
    for (name, value) in fields {
        columns.push(match value {
            Value::Array(list) => (name, Column::Each(list.into_iter())),
            value => (name, Column::Same(value)),
        });
    }
    let stream = (0..rows as u64).map(move |n| {
        let fields = columns.iter_mut().map(|(name, column)| {
            let value = match column {
                Column::Each(list) => list.next().unwrap_or_default(),
                Column::Same(value) => value.clone(),
            };
            (name.clone(), value)
        });
        Ok(Row::Object { path: shared.clone(), at: At::Row(n + 1), fields: fields.collect() })
    });
    Ok(Rows { columns: Vec::new(), stream: Box::new(stream) })
}

enum Column {
    Each(std::vec::IntoIter<Value>),
    Same(Value),
}
