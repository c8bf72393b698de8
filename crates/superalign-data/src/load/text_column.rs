//! One column of texts as a stream: for models that read a file of any size.

use super::container::{Inspected, inspect, inspect_lines, open_text, unreadable};
use super::row::{self, Row, Wrong, shown};
use super::{Container, json, parquet, table};
use crate::error::{At, DataError, Place, nearest};
use serde_json::Value;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};

/// Names that a column of texts usually has; the first that is there is taken.
const USUAL: [&str; 10] =
    ["text", "texts", "sentence", "content", "passage", "document", "body", "prompt", "question", "query"];

/// A file of texts: which column they are in, how many, and that each is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFile {
    /// The file.
    pub path: PathBuf,
    /// BLAKE3 digest over its bytes, as 64 hex digits.
    pub digest: String,
    /// The column of the texts; `None` where each line is one.
    pub column: Option<String>,
    /// Number of texts.
    pub rows: usize,
    inspected: Inspected,
}

/// One text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// As it stands in the file.
    pub text: String,
    /// What the row calls itself, in a column `id` or `idx`.
    pub id: Option<String>,
    /// Where it is.
    pub at: At,
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

/// Texts one after the other.
pub type TextStream = Box<dyn Iterator<Item = Result<Text, DataError>>>;

/// Looks through a file of texts: a text a line where its name ends in `.txt`, else a column of a CSV, TSV, JSON, JSONL
/// or Parquet file, the one that is named, or one with a usual name (`text`, `sentence`, `content`, …), or the only one.
///
/// Every row is checked, so that nothing wrong is found later; [`TextFile::texts`] then reads them again. Numbers and truth
/// values count as the text that they are written with; a row without a text, or with a blank one, is an error. But for a
/// JSON array, which is read whole, one record (in Parquet, one page per column) is held.
///
/// # Errors
/// [`DataError::File`], [`DataError::Syntax`], [`DataError::Columns`] and [`DataError::Cell`].
///
/// ```
/// use superalign_data::load::text_file;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("texts.csv");
/// std::fs::write(&path, "id,text\na,one\nb,\"two\nlines\"\n")?;
/// let file = text_file(&path, None)?;
/// assert_eq!((file.rows, file.column.as_deref()), (2, Some("text")));
/// let second = file.texts()?.nth(1).unwrap()?;
/// assert_eq!((second.text.as_str(), second.id.as_deref()), ("two\nlines", Some("b")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn text_file(path: impl AsRef<Path>, column: Option<&str>) -> Result<TextFile, DataError> {
    let path = path.as_ref();
    let mut file = if is_plain(path) {
        if let Some(column) = column {
            return Err(DataError::Columns {
                path: path.to_path_buf(),
                found: Vec::new(),
                expected: format!("a column `{column}`"),
                remedy:
                    "a .txt file has a text a line and no columns; leave the name out, or give the file the \
                         extension of what it is (.csv, .tsv, .jsonl)"
                        .to_owned(),
            });
        }
        whole(path, inspect_lines(path)?, None)
    } else {
        let inspected = inspect(path)?;
        let column = choose(path, &names(path, &inspected)?, column)?;
        whole(path, inspected, Some(column))
    };
    for text in file.texts()? {
        text?;
        file.rows += 1;
    }
    if file.rows == 0 {
        return Err(DataError::File {
            path: path.to_path_buf(),
            found: "no text in it".to_owned(),
            expected: "at least one".to_owned(),
            remedy: "check that the file was written to its end".to_owned(),
        });
    }
    Ok(file)
}

impl TextFile {
    /// The texts, from the first.
    ///
    /// # Errors
    /// As [`text_file`], where the file has changed since.
    pub fn texts(&self) -> Result<TextStream, DataError> {
        match &self.column {
            Some(column) => records(&self.path, &self.inspected, column.clone()),
            None => lines(&self.path, Blank::Refused),
        }
    }

    /// The place of a text, counted from 0. Looks the file through again: for messages only.
    #[must_use]
    pub fn place(&self, text: usize) -> Option<Place> {
        let text = self.texts().ok()?.nth(text)?.ok()?;
        Some(Place { path: self.path.clone(), at: text.at })
    }
}

fn whole(path: &Path, inspected: Inspected, column: Option<String>) -> TextFile {
    TextFile { path: path.to_path_buf(), digest: inspected.digest.clone(), column, rows: 0, inspected }
}

/// The columns of a file, or the keys of its first record.
fn names(path: &Path, inspected: &Inspected) -> Result<Vec<String>, DataError> {
    let mut rows = match inspected.container {
        Container::Csv | Container::Tsv => return Ok(table::rows(path, inspected)?.columns),
        Container::Parquet => return Ok(parquet::rows(path, |_| false)?.columns),
        Container::Npy => return Err(numbers(path)),
        Container::Jsonl => json::lines(path, json::Passed::default())?,
        Container::Json => json::array(path, json::Passed::default())?,
    };
    match rows.stream.next().transpose()? {
        Some(Row::Object { fields, .. }) => Ok(fields.keys().cloned().collect()),
        _ => Err(super::no_rows(path, inspected.container)),
    }
}

fn numbers(path: &Path) -> DataError {
    DataError::File {
        path: path.to_path_buf(),
        found: "a NumPy array".to_owned(),
        expected: "texts: a .txt file, or a column of CSV, TSV, JSON, JSONL or Parquet".to_owned(),
        remedy: "name the file of the texts".to_owned(),
    }
}

fn choose(path: &Path, names: &[String], asked: Option<&str>) -> Result<String, DataError> {
    let has = |name: &str| names.iter().any(|one| one == name);
    let found = match asked {
        Some(asked) => has(asked).then(|| asked.to_owned()),
        None => match (USUAL.into_iter().find(|name| has(name)), names) {
            (Some(usual), _) => Some(usual.to_owned()),
            (None, [only]) => Some(only.clone()),
            (None, _) => None,
        },
    };
    let near = asked.and_then(|asked| nearest(asked, names.iter().map(String::as_str)));
    found.ok_or_else(|| DataError::Columns {
        path: path.to_path_buf(),
        found: names.to_vec(),
        expected: asked.map_or("one of texts, such as `text`".to_owned(), |asked| format!("`{asked}`")),
        remedy: near.map_or_else(
            || "name the column of the texts with --text-column".to_owned(),
            |near| format!("did you mean `{near}`?"),
        ),
    })
}

fn records(path: &Path, inspected: &Inspected, column: String) -> Result<TextStream, DataError> {
    let rows = match inspected.container {
        Container::Csv | Container::Tsv => table::rows(path, inspected)?,
        Container::Jsonl => json::lines(path, json::Passed::default())?,
        Container::Json => json::array(path, json::Passed::default())?,
        Container::Parquet => parquet::rows(path, |name| name == column || row::ID.contains(&name))?,
        Container::Npy => return Err(numbers(path)),
    };
    Ok(Box::new(rows.stream.map(move |row| text(row?, &column))))
}

fn text(mut row: Row, column: &str) -> Result<Text, DataError> {
    const EXPECTED: &str = "a text";
    let id = if row::ID.contains(&column) { None } else { row.text(row::ID)? };
    let wrong = |row: &Row, found: String, remedy: &str| {
        Err(row.wrong(Wrong { column, found, expected: EXPECTED, remedy }))
    };
    let text = match row.require(&[column])? {
        Some((_, Value::String(text))) => text,
        Some((_, Value::Number(number))) => number.to_string(),
        Some((_, Value::Bool(truth))) => truth.to_string(),
        Some((_, other)) => return wrong(&row, shown(&other), "write one text into this column"),
        None => return wrong(&row, "nothing".to_owned(), "fill it in or remove the row"),
    };
    Ok(Text { text, id, at: row.at() })
}

/// Whether a file has a text a line and no columns.
pub(super) fn is_plain(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt"))
}

/// What a line without a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blank {
    /// A mistake: every line has its place in the result.
    Refused,
    /// Nothing.
    Skipped,
}

/// The lines of a text file.
pub(super) fn lines(path: &Path, blank: Blank) -> Result<TextStream, DataError> {
    let mut reader = open_text(path)?;
    let path = path.to_path_buf();
    let (mut buffer, mut line) = (Vec::new(), 0);
    Ok(Box::new(std::iter::from_fn(move || {
        loop {
            buffer.clear();
            line += 1;
            match reader.read_until(b'\n', &mut buffer) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return Some(Err(unreadable(&path, &error))),
            }
            let bytes = buffer.strip_suffix(b"\n").unwrap_or(&buffer);
            let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
            let wrong = |at, found: &str, expected: &str, remedy: &str| {
                Some(Err(DataError::Syntax {
                    place: Box::new(Place { path: path.clone(), at }),
                    found: found.to_owned(),
                    expected: expected.to_owned(),
                    remedy: remedy.to_owned(),
                }))
            };
            return match std::str::from_utf8(bytes) {
                Ok(text) if text.trim().is_empty() => match blank {
                    Blank::Skipped => continue,
                    Blank::Refused => {
                        wrong(At::Line(line), "an empty line", "a text", "fill it in or remove the line")
                    }
                },
                Ok(text) => Some(Ok(Text { text: text.to_owned(), id: None, at: At::Line(line) })),
                Err(error) => {
                    let byte = error.valid_up_to() as u64 + 1;
                    wrong(At::Byte { line, byte }, "bytes that are no text", "UTF-8", "save it as UTF-8")
                }
            };
        }
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    /// The texts with their ids and places, or what is said.
    fn read(name: &str, bytes: &[u8], column: Option<&str>) -> Result<String, String> {
        let (folder, path) = written(name, bytes);
        let hide = |text: String| text.replace(&folder.path().display().to_string(), "DIR");
        let file = text_file(path, column).map_err(|error| hide(error.to_string()))?;
        let texts: Vec<Text> = file.texts().unwrap().map(Result::unwrap).collect();
        assert_eq!(texts.len(), file.rows);
        for (at, text) in texts.iter().enumerate() {
            assert_eq!(file.place(at).map(|place| place.at), Some(text.at));
        }
        assert_eq!(file.place(texts.len()), None);
        let one = |text: &Text| format!("{}:{}={:?}", text.at, text.id.as_deref().unwrap_or("-"), text.text);
        Ok(texts.iter().map(one).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn every_container_gives_its_texts_in_order() {
        let plain = read("a.txt", b"\xef\xbb\xbf{ one }\r\n  two\nthree", None);
        assert_eq!(plain.unwrap(), r#"line 1:-="{ one }" line 2:-="  two" line 3:-="three""#);
        let csv = b"n,text,id\n1,one,a\n\n2,\"two\n2\",b\n3,three,\n";
        assert_eq!(read("a.csv", csv, None).unwrap(), r#"line 2:a="one" line 4:b="two\n2" line 6:-="three""#);
        assert_eq!(read("a.csv", csv, Some("n")).unwrap(), r#"line 2:a="1" line 4:b="2" line 6:-="3""#);
        assert_eq!(read("a.tsv", b"words\tx\none\t1\n", Some("words")).unwrap(), r#"line 2:-="one""#);
        let jsonl = b"{\"prompt\": \"one\", \"id\": 7}\n\n{\"prompt\": true}\n";
        assert_eq!(read("a.jsonl", jsonl, None).unwrap(), r#"line 1:7="one" line 3:-="true""#);
        let json = b"[{\"only\": \"one\"},\n {\"only\": 2.5}]";
        assert_eq!(read("a.json", json, None).unwrap(), r#"line 1:-="one" line 2:-="2.5""#);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/tasks.parquet");
        let file = text_file(path, Some("question")).unwrap();
        assert_eq!(file.texts().unwrap().next().unwrap().unwrap().at, At::Row(1));
    }

    #[test]
    fn what_is_no_text_is_told_with_its_place() {
        let said = [
            read("a.txt", b"one\n \ntwo\n", None),
            read("a.txt", b"one\ntw\xff\n", None),
            read("a.txt", b"", None),
            read("a.txt", b"one\n", Some("text")),
            read("a.csv", b"a,b\n1,2\n", None),
            read("a.csv", b"a,text\n1,2\n", Some("txt")),
            read("a.csv", b"a,text\n1,2\n3,  \n", None),
            read("a.csv", b"text\n", None),
            read("a.jsonl", b"{\"text\": \"one\"}\n{\"texts\": \"two\"}\n", None),
            read("a.jsonl", b"{\"text\": \"one\"}\n{\"text\": [\"two\"]}\n", None),
            read("a.jsonl", b"{\"text\": \"one\"}\n{\"text\": \n", None),
            read("a.npy", b"\x93NUMPY\x01\x00", None),
        ];
        let said: Vec<String> = said.into_iter().map(|one| one.expect_err("refused")).collect();
        insta::assert_snapshot!(said.join("\n"));
    }
}
