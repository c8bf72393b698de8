//! Real files as items: [`load`] recognises the container and the columns, checks every row and says what it took.
//!
//! Benchmarks of reward models have readers of their own: [`load_benchmark`] for their items, [`load_scores`] for what a
//! model said of them. [`text_rows`] streams texts that a model is to read.
//!
//! Texts are kept as they are, save white space at their ends. How tasks and preferences become binary items
//! is the business of [`crate::binary`]; nothing here is random.

mod benchmark;
pub(crate) mod container;
mod format;
pub(crate) mod json;
#[cfg_attr(not(feature = "parquet"), path = "no_parquet.rs")]
pub(crate) mod parquet;
mod preference;
pub(crate) mod row;
mod scores;
pub(crate) mod table;
mod task;
mod text_column;
mod texts;

pub use benchmark::{BestOf, load_benchmark};
pub use container::Container;
pub use format::Format;
pub use scores::{ScoreFile, ScoreReading, ScoreRow, Scored, ScoredItem, Scores, load_scores};
pub use text_column::{Text, TextFile, TextStream, text_file};
pub use texts::{TextRow, text_lines, text_rows};

use crate::error::{At, DataError, Place};
use crate::item::{Preference, Task};
use row::{Flaw, Row};
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::rc::Rc;

/// What a file held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The items, in the order of the file.
    pub content: Content,
    /// The layout of its columns.
    pub format: Format,
    /// The kind of file.
    pub container: Container,
    /// BLAKE3 digest over the bytes of the file, as 64 hex digits.
    pub digest: String,
    /// A sentence for the user: which column was taken for what, and which were ignored.
    pub columns_understood: String,
    /// The rows that gave no item, by reason; empty when all did.
    pub skipped: Vec<Skipped>,
    /// What looks odd and may be meant, a sentence each.
    pub notes: Vec<String>,
}

impl Loaded {
    /// Everything there is to say about the file, a sentence a line.
    #[must_use]
    pub fn describe(&self) -> Vec<String> {
        let (n, what) = match &self.content {
            Content::Tasks(tasks) => (tasks.len(), "task"),
            Content::Preferences(preferences) => (preferences.len(), "preference"),
        };
        let s = if n == 1 { "" } else { "s" };
        let (container, format) = (self.container.name(), self.format.title());
        let mut lines = vec![format!("{n} {what}{s} from a {container} file, read as {format}.")];
        lines.push(self.columns_understood.clone());
        lines.extend(self.skipped.iter().map(|skipped| format!("Skipped {skipped}.")));
        lines.extend(self.notes.iter().cloned());
        lines
    }
}

/// Items of one of the two kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Questions with candidate answers.
    Tasks(Vec<Task>),
    /// Requests with a better and a worse response.
    Preferences(Vec<Preference>),
}

/// Rows that gave no item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Why.
    pub reason: SkipReason,
    /// How many.
    pub count: usize,
    /// Where the first of them is.
    pub first: At,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = if self.count == 1 { "row" } else { "rows" };
        write!(f, "{} {rows} with {}, the first at {}", self.count, self.reason, self.first)
    }
}

/// Why a row gave no item.
///
/// A withheld label is skipped everywhere. The other flaws are skipped in the published formats, whose files
/// nobody can mend, and are errors in your own ([`Format::Tasks`], [`Format::Preferences`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SkipReason {
    /// The label is empty, null or -1, as in published test sets.
    NoLabel,
    /// A question, an answer or a response is empty.
    EmptyText,
    /// Two choices are equal.
    EqualChoices,
    /// The chosen response equals the rejected one.
    EqualResponses,
    /// The two dialogues have no common beginning that ends in `Assistant:`.
    NoCommonPrompt,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoLabel => "no label",
            Self::EmptyText => "an empty text",
            Self::EqualChoices => "two equal choices",
            Self::EqualResponses => "two equal responses",
            Self::NoCommonPrompt => "no common prompt",
        })
    }
}

/// Reads a file of tasks or preferences.
///
/// The container is recognised from the first bytes and the extension, the format from the columns (the keys of
/// the first record) unless it is named; the README of this crate lists them. A row without an id column is
/// called `row-N`, counted from 1. Its group is that of its group column, else a hash of its source text (the
/// context; without one the question; of a preference, the prompt up to the first answer), so that what
/// shares a source shares a group.
///
/// CSV, JSONL and Parquet are streamed: beside the items only one record (in Parquet, one page per column) is
/// held. A JSON array is read whole.
///
/// # Errors
/// [`DataError::File`], [`DataError::Syntax`], [`DataError::Columns`], [`DataError::Cell`] and
/// [`DataError::NothingLeft`], each with place, what was found, what was expected, and the remedy. Two items
/// with the same id are an error.
///
/// ```
/// use superalign_data::load::{Content, Format, load};
/// let loaded = load("samples/cosmosqa.csv", None)?;
/// assert_eq!(loaded.format, Format::CosmosQa);
/// let Content::Tasks(tasks) = loaded.content else { unreachable!("CosmosQA holds tasks") };
/// assert_eq!(tasks[0].choices[tasks[0].gold], "She wanted to keep the bread from burning.");
/// # Ok::<(), superalign_data::DataError>(())
/// ```
pub fn load(path: impl AsRef<Path>, format: Option<Format>) -> Result<Loaded, DataError> {
    let path = path.as_ref();
    let inspected = container::inspect(path)?;
    let mut rows = match inspected.container {
        Container::Csv | Container::Tsv => table::rows(path, &inspected)?,
        Container::Jsonl => json::lines(path, json::Passed::default())?,
        Container::Json => json::array(path, json::Passed::default())?,
        Container::Parquet => parquet::rows(path, Format::known_to_any)?,
        Container::Npy => return Err(container::array_of_numbers(path)),
    };
    let first = rows.stream.next().transpose()?;
    let Some(first) = first else { return Err(no_rows(path, inspected.container)) };
    if let Row::Object { fields, .. } = &first {
        rows.columns = fields.keys().cloned().collect();
        rows.columns.sort();
    }
    let format = match format {
        Some(format) => format.check(path, &rows.columns).map(|()| format)?,
        None => Format::recognise(path, &rows.columns, &first)?,
    };

    let stem = path.file_stem().map_or(String::new(), |stem| stem.to_string_lossy().into_owned());
    let mut gathered = Gathered {
        path: Rc::from(path),
        columns: rows.columns,
        lines: Vec::new(),
        ids: false,
        skipped: Vec::new(),
    };
    let stream = std::iter::once(Ok(first)).chain(rows.stream);
    let mut notes = Vec::new();
    let content = if format.holds_tasks() {
        let reader = task::Reader::new(format, &gathered.columns);
        let tasks = gathered.all(stream, |row, n| reader.read(row, n))?;
        gathered.unique_ids(&tasks, |task| &task.id)?;
        notes.extend(reader.oddities(&tasks));
        Content::Tasks(tasks)
    } else {
        let reader = preference::Reader { format, stem };
        let preferences = gathered.all(stream, |row, n| reader.read(row, n))?;
        gathered.unique_ids(&preferences, |preference| &preference.id)?;
        Content::Preferences(preferences)
    };
    Ok(Loaded {
        content,
        format,
        container: inspected.container,
        digest: inspected.digest,
        columns_understood: format.understood(&gathered.columns),
        skipped: gathered.skipped,
        notes,
    })
}

/// Records of a file, one after the other.
pub(crate) struct Rows {
    /// The columns, in the order of the file; the sorted keys of the first record where the container has no header.
    columns: Vec<String>,
    pub(crate) stream: Box<dyn Iterator<Item = Result<Row, DataError>>>,
}

struct Gathered {
    path: Rc<Path>,
    /// The columns, or the keys of all records.
    columns: Vec<String>,
    /// The place of each item.
    lines: Vec<At>,
    /// Whether any item has an id of its own.
    ids: bool,
    skipped: Vec<Skipped>,
}

impl Gathered {
    fn all<T>(
        &mut self,
        stream: impl Iterator<Item = Result<Row, DataError>>,
        read: impl Fn(&mut Row, usize) -> Result<T, Flaw>,
    ) -> Result<Vec<T>, DataError> {
        let mut items = Vec::new();
        for (i, row) in stream.enumerate() {
            let mut row = row?;
            self.ids |= row.has_any(row::ID);
            if let Row::Object { fields, .. } = &row {
                for key in fields.keys() {
                    if !self.columns.contains(key) {
                        self.columns.push(key.clone());
                    }
                }
            }
            match read(&mut row, i + 1) {
                Ok(item) => {
                    items.push(item);
                    self.lines.push(row.at());
                }
                Err(Flaw::Skip(reason)) => self.skip(reason, row.at()),
                Err(Flaw::Error(error)) => return Err(error),
            }
        }
        if items.is_empty() {
            let reasons = self.skipped.iter().map(Skipped::to_string).collect::<Vec<_>>().join(", ");
            return Err(DataError::NothingLeft { path: self.path.to_path_buf(), reasons });
        }
        Ok(items)
    }

    fn skip(&mut self, reason: SkipReason, at: At) {
        match self.skipped.iter_mut().find(|skipped| skipped.reason == reason) {
            Some(skipped) => skipped.count += 1,
            None => self.skipped.push(Skipped { reason, count: 1, first: at }),
        }
    }

    /// Refuses two items with one id. Row numbers as ids need no look.
    fn unique_ids<T>(&self, items: &[T], id: impl Fn(&T) -> &str) -> Result<(), DataError> {
        if !self.ids {
            return Ok(());
        }
        let mut seen: HashMap<&str, usize> = HashMap::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            if let Some(before) = seen.insert(id(item), i) {
                return Err(DataError::Cell {
                    place: Box::new(Place { path: self.path.to_path_buf(), at: self.lines[i] }),
                    column: "id".to_owned(),
                    found: format!("`{}`, which {} has already", id(item), self.lines[before]),
                    expected: "an id of its own for every row".to_owned(),
                    remedy: "rename one of them, remove the repeated row, or leave the column out".to_owned(),
                });
            }
        }
        Ok(())
    }
}

pub(crate) fn no_rows(path: &Path, container: Container) -> DataError {
    DataError::File {
        path: path.to_path_buf(),
        found: format!("a {} file without rows", container.name()),
        expected: "at least one row".to_owned(),
        remedy: "check that the file was written to its end".to_owned(),
    }
}

/// The error for Parquet where this build, or this way in, does not read it.
pub(crate) fn no_parquet(path: &Path) -> DataError {
    DataError::File {
        path: path.to_path_buf(),
        found: "a Parquet file".to_owned(),
        expected: "CSV, TSV, JSON, JSONL or NPY, which are read here".to_owned(),
        remedy: "save it as one of these".to_owned(),
    }
}

#[cfg(test)]
mod tests;
