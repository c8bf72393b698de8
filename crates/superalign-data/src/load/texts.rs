//! Rows of texts that a model is to read: a text, two texts, a prompt with a response or choices, a conversation.

use super::container::{Container, array_of_numbers, inspect};
use super::row::{ID, Row, Wrong, shown};
use super::text_column::{Blank, is_plain, lines};
use super::{Rows, json, parquet, table};
use crate::error::{DataError, Place, quoted};
use serde_json::Value;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use superalign_core::Message;

/// The columns that are read, beside `id`.
const COLUMNS: [&str; 6] = ["text", "text_pair", "prompt", "response", "choices", "messages"];

/// A row of texts; a column that is absent or null is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct TextRow {
    /// What the row calls itself, as the file has it.
    pub id: Option<Value>,
    /// A text.
    pub text: Option<String>,
    /// A second text, to be read together with `text`.
    pub text_pair: Option<String>,
    /// What comes before a response or choices.
    pub prompt: Option<String>,
    /// What follows `prompt`.
    pub response: Option<String>,
    /// What may follow `prompt`.
    pub choices: Option<Vec<String>>,
    /// A conversation.
    pub messages: Option<Vec<Message>>,
    /// The columns of the file, or the keys of the record.
    pub columns: Rc<[String]>,
    /// Where it stands.
    pub place: Place,
}

impl TextRow {
    /// An error about a value of this row: what is there, what should be, and the remedy.
    #[must_use]
    pub fn wrong(&self, column: &str, found: &str, expected: &str, remedy: &str) -> DataError {
        DataError::Cell {
            place: Box::new(self.place.clone()),
            column: column.to_owned(),
            found: found.to_owned(),
            expected: expected.to_owned(),
            remedy: remedy.to_owned(),
        }
    }

    /// An error about columns that this row lacks.
    #[must_use]
    pub fn lacks(&self, column: &str, expected: &str) -> DataError {
        let found = format!("no such column, only {}", quoted(&self.columns));
        self.wrong(column, &found, expected, "add it or rename another")
    }
}

/// Streams the rows of a CSV, TSV, JSON, JSONL or Parquet file; in a `.txt` file every line that is not blank is a `text`.
///
/// Texts are kept as they are, blanks at their ends included. Numbers and truth values count as the text that they are
/// written with; lists of choices and messages are written as in JSON, also in a table. One record is held at a time (a JSON
/// array whole).
///
/// # Errors
/// [`DataError::File`], [`DataError::Syntax`], [`DataError::Columns`] and [`DataError::Cell`], of the file at once and of a
/// row where it comes up.
///
/// ```
/// use superalign_data::load::text_rows;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("asked.csv");
/// std::fs::write(&path, "prompt,choices\nIs water wet?,\"[\"\" yes\"\", \"\" no\"\"]\"\n")?;
/// let rows: Vec<_> = text_rows(&path)?.collect::<Result<_, _>>()?;
/// assert_eq!(rows[0].choices.as_deref(), Some([" yes".to_owned(), " no".to_owned()].as_slice()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn text_rows(
    path: impl AsRef<Path>,
) -> Result<Box<dyn Iterator<Item = Result<TextRow, DataError>>>, DataError> {
    let path = path.as_ref();
    if is_plain(path) && !path.is_dir() {
        return plain_lines(path);
    }
    let inspected = inspect(path)?;
    let rows = match inspected.container {
        Container::Csv | Container::Tsv => table::rows(path, &inspected)?,
        Container::Jsonl => json::lines(path, json::Passed::default())?,
        Container::Json => json::array(path, json::Passed::default())?,
        Container::Parquet => parquet::rows(path, |name| COLUMNS.contains(&name) || ID.contains(&name))?,
        Container::Npy => return Err(array_of_numbers(path)),
    };
    Ok(read(rows))
}

/// Streams the rows of JSONL that is not a file, as standard input; `name` stands for it in messages.
///
/// # Errors
/// As [`text_rows`], where they come up.
pub fn text_lines(
    reader: impl BufRead + 'static,
    name: impl Into<PathBuf>,
) -> Box<dyn Iterator<Item = Result<TextRow, DataError>>> {
    read(json::lines_of(reader, &name.into(), json::Passed::default()))
}

fn read(rows: Rows) -> Box<dyn Iterator<Item = Result<TextRow, DataError>>> {
    let header: Rc<[String]> = rows.columns.into();
    Box::new(rows.stream.map(move |row| text_row(&mut row?, &header)))
}

fn text_row(row: &mut Row, header: &Rc<[String]>) -> Result<TextRow, DataError> {
    let columns = match &*row {
        Row::Table { .. } => header.clone(),
        Row::Object { fields, .. } => fields.keys().cloned().collect(),
    };
    let place = Place { path: row.path().to_path_buf(), at: row.at() };
    let id = row.take(ID).map(|(_, id)| id);
    let [text, text_pair, prompt, response] =
        ["text", "text_pair", "prompt", "response"].map(|column| text(row, column));
    let choices = match list(row, "choices")? {
        None => None,
        Some(choices) => {
            Some(choices.into_iter().map(|one| plain(row, "choices", one)).collect::<Result<_, _>>()?)
        }
    };
    let messages = match list(row, "messages")? {
        None => None,
        Some(messages) => Some(messages.into_iter().map(|one| message(row, one)).collect::<Result<_, _>>()?),
    };
    Ok(TextRow {
        id,
        text: text?,
        text_pair: text_pair?,
        prompt: prompt?,
        response: response?,
        choices,
        messages,
        columns,
        place,
    })
}

fn text(row: &mut Row, column: &str) -> Result<Option<String>, DataError> {
    match row.cell(column).map(Value::take) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => plain(row, column, value).map(Some),
    }
}

/// A text as it is.
fn plain(row: &Row, column: &str, value: Value) -> Result<String, DataError> {
    match value {
        Value::String(text) => Ok(text),
        other => row.as_text(column, other),
    }
}

fn list(row: &mut Row, column: &str) -> Result<Option<Vec<Value>>, DataError> {
    let value = match row.take(&[column]) {
        None => return Ok(None),
        // A list in a table.
        Some((_, Value::String(text))) => {
            serde_json::from_str(&text).ok().filter(Value::is_array).unwrap_or(Value::String(text))
        }
        Some((_, value)) => value,
    };
    match value {
        Value::Array(list) if !list.is_empty() => Ok(Some(list)),
        other => Err(row.wrong(Wrong {
            column,
            found: shown(&other),
            expected: "a list of at least one, written as in JSON",
            remedy: "write it between `[` and `]`",
        })),
    }
}

fn message(row: &Row, value: Value) -> Result<Message, DataError> {
    let found = shown(&value);
    serde_json::from_value(value).map_err(|_| {
        row.wrong(Wrong {
            column: "messages",
            found,
            expected: "messages with `role` and `content`, both texts",
            remedy: "write them as {\"role\": \"user\", \"content\": \"...\"}",
        })
    })
}

fn plain_lines(path: &Path) -> Result<Box<dyn Iterator<Item = Result<TextRow, DataError>>>, DataError> {
    let columns: Rc<[String]> = Rc::from(["text".to_owned()]);
    let path = path.to_path_buf();
    Ok(Box::new(lines(&path, Blank::Skipped)?.map(move |line| {
        let line = line?;
        Ok(TextRow {
            id: None,
            text: Some(line.text),
            text_pair: None,
            prompt: None,
            response: None,
            choices: None,
            messages: None,
            columns: columns.clone(),
            place: Place { path: path.clone(), at: line.at },
        })
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::At;

    fn rows(name: &str, bytes: &[u8]) -> Result<Vec<TextRow>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        let hidden = |e: DataError| e.to_string().replace(&folder.path().display().to_string(), "DIR");
        text_rows(&path).map_err(hidden)?.collect::<Result<_, _>>().map_err(hidden)
    }

    #[test]
    fn every_container_gives_the_same_rows() {
        let jsonl = br#"{"id": 7, "prompt": " a ", "choices": [" b", 3], "response": null, "else": {}}

{"messages": [{"role": "user", "content": "c"}], "id": "x"}"#;
        let lines = rows("in.jsonl", jsonl).expect("rows");
        assert_eq!(lines[0].prompt.as_deref(), Some(" a "), "blanks are kept");
        assert_eq!(lines[0].choices.as_deref(), Some([" b".to_owned(), "3".to_owned()].as_slice()));
        assert_eq!((lines[0].id.clone(), lines[0].response.clone()), (Some(Value::from(7)), None));
        assert_eq!(lines[1].messages.as_deref(), Some([Message::user("c")].as_slice()));
        assert_eq!(lines[1].place.at, At::Line(3));
        let csv = b"id,prompt,choices,messages\n7,\" a \",\"[\"\" b\"\", 3]\",\nx,,,\"[{\"\"role\"\": \"\"user\"\", \"\"content\"\": \"\"c\"\"}]\"\n";
        let table = rows("in.csv", csv).expect("rows");
        assert_eq!((&table[0].prompt, &table[0].choices), (&lines[0].prompt, &lines[0].choices));
        assert_eq!(table[1].messages, lines[1].messages);
        assert_eq!(table[1].place.at, At::Line(3));
        let read: Vec<_> = text_lines(&jsonl[..], "standard input").map(|row| row.expect("a row")).collect();
        assert_eq!((&read[0].choices, &read[1].messages), (&lines[0].choices, &lines[1].messages));
        assert_eq!(read[1].place.to_string(), "standard input, line 3");
    }

    #[test]
    fn lines_of_a_text_file_are_texts() {
        let found = rows("in.txt", b"\xef\xbb\xbfone \r\n\n two").expect("rows");
        let texts: Vec<_> = found.iter().filter_map(|row| row.text.as_deref()).collect();
        assert_eq!(texts, ["one ", " two"]);
        assert_eq!(found[1].place.at, At::Line(3));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let said = [
            rows("in.jsonl", b"{\"text\": \"a\"}\n{\"text\": [1]}").expect_err("a list"),
            rows("in.csv", b"prompt,choices\na,yes\n").expect_err("no list"),
            rows("in.jsonl", b"{\"prompt\": \"a\", \"choices\": []}").expect_err("none"),
            rows("in.jsonl", b"{\"messages\": [{\"role\": \"user\"}]}").expect_err("no content"),
            rows("in.txt", b"a\nb\xff").expect_err("no UTF-8"),
            rows("in.jsonl", b"{\"text\": \"a\"").expect_err("broken"),
            rows("in.csv", b"word\na\n").expect("rows")[0].lacks("text", "a text").to_string(),
        ];
        let said = said.map(|one| one.split("/in").last().unwrap_or_default().to_owned());
        insta::assert_snapshot!(said.join("\n"));
    }
}
