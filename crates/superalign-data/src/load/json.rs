//! JSON: one object a line, or one array of objects.

use super::Rows;
use super::container::{open_text, unreadable};
use super::row::{Row, short, shown};
use crate::error::{At, DataError, Place};
use serde_json::error::Category;
use serde_json::{Deserializer, Value};
use std::cell::Cell;
use std::io::{BufRead, Read as _};
use std::path::Path;
use std::rc::Rc;

/// The number of bytes that a reader has gone through.
pub(crate) type Passed = Rc<Cell<u64>>;

/// The objects of a JSONL file, streamed; blank lines are passed over.
pub(crate) fn lines(path: &Path, passed: Passed) -> Result<Rows, DataError> {
    Ok(lines_of(open_text(path)?, path, passed))
}

/// The objects of JSONL that is read from anywhere; `path` stands for it in messages.
pub(crate) fn lines_of(mut reader: impl BufRead + 'static, path: &Path, passed: Passed) -> Rows {
    let path: Rc<Path> = Rc::from(path);
    let (mut buffer, mut line) = (Vec::new(), 0);
    let stream = std::iter::from_fn(move || {
        loop {
            buffer.clear();
            line += 1;
            match reader.read_until(b'\n', &mut buffer) {
                Ok(0) => return None,
                Ok(n) => passed.set(passed.get() + n as u64),
                Err(e) => return Some(Err(unreadable(&path, &e))),
            }
            if !buffer.trim_ascii().is_empty() {
                return Some(parse_line(&path, line, buffer.trim_ascii_end()));
            }
        }
    });
    Rows { columns: Vec::new(), stream: Box::new(stream) }
}

fn parse_line(path: &Rc<Path>, line: u64, text: &[u8]) -> Result<Row, DataError> {
    match serde_json::from_slice(text) {
        Ok(value) => object(path, line, value),
        Err(e) => {
            let remedy = match (e.classify(), e.to_string().starts_with("trailing characters")) {
                (Category::Eof, _) => {
                    "write each object on one line, or put the objects in one array, between `[` and `]`"
                }
                (_, true) => "write one object a line, with nothing between or after them",
                _ => "correct this line",
            };
            Err(syntax(path, line, e.column() as u64, &reason(&e), "a whole JSON object", remedy))
        }
    }
}

/// The objects of a JSON array. The text is held whole, the objects are made one after the other.
pub(crate) fn array(path: &Path, passed: Passed) -> Result<Rows, DataError> {
    let mut text = Vec::new();
    open_text(path)?.read_to_end(&mut text).map_err(|e| unreadable(path, &e))?;
    Ok(array_of(text, path, passed))
}

/// The objects of a JSON array in memory; `path` stands for it in messages.
pub(crate) fn array_of(text: Vec<u8>, path: &Path, passed: Passed) -> Rows {
    let mut cursor =
        Cursor { path: Rc::from(path), text, at: 0, line: 1, line_start: 0, first: true, done: false };
    let stream = std::iter::from_fn(move || {
        if cursor.done {
            return None;
        }
        let next = cursor.next().transpose();
        cursor.done = !matches!(next, Some(Ok(_)));
        passed.set(cursor.at as u64);
        next
    });
    Rows { columns: Vec::new(), stream: Box::new(stream) }
}

struct Cursor {
    path: Rc<Path>,
    text: Vec<u8>,
    /// The next byte to be read.
    at: usize,
    line: u64,
    line_start: usize,
    first: bool,
    done: bool,
}

impl Cursor {
    fn next(&mut self) -> Result<Option<Row>, DataError> {
        if self.first && self.peek() == Some(b'[') {
            self.advance(1);
        }
        match self.peek() {
            Some(b']') => {
                self.advance(1);
                return match self.peek() {
                    None => Ok(None),
                    Some(_) => {
                        Err(self.broken("text after the closing `]`", "the end of the file", "remove it"))
                    }
                };
            }
            Some(b',') if !self.first => self.advance(1),
            Some(_) if self.first => {}
            Some(byte) => {
                let found = format!("`{}`", char::from(byte));
                return Err(self.broken(&found, "`,` or `]` after an object", "correct this place"));
            }
            None => {
                return Err(self.broken(
                    "the end of the file",
                    "`]`",
                    "check that it was written to its end",
                ));
            }
        }
        self.first = false;
        self.peek();
        let line = self.line;
        let mut values = Deserializer::from_slice(&self.text[self.at..]).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                let length = values.byte_offset();
                self.advance(length);
                object(&self.path, line, value).map(Some)
            }
            Some(Err(e)) => {
                // The place is counted from where the value begins.
                let within = e.line() as u64;
                let column =
                    if within == 1 { (self.at - self.line_start) as u64 } else { 0 } + e.column() as u64;
                let remedy = match e.classify() {
                    Category::Eof => "check that it was written to its end",
                    _ => "correct this place",
                };
                let line = self.line + within.saturating_sub(1);
                Err(syntax(&self.path, line, column, &reason(&e), "an array of JSON objects", remedy))
            }
            None => {
                Err(self.broken("the end of the file", "an object", "check that it was written to its end"))
            }
        }
    }

    /// The next byte that is no white space; moves to it.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text[self.at..];
        let blank = rest.len() - rest.trim_ascii_start().len();
        self.advance(blank);
        self.text.get(self.at).copied()
    }

    fn advance(&mut self, bytes: usize) {
        for (i, byte) in self.text[self.at..self.at + bytes].iter().enumerate() {
            if *byte == b'\n' {
                self.line += 1;
                self.line_start = self.at + i + 1;
            }
        }
        self.at += bytes;
    }

    fn broken(&self, found: &str, expected: &str, remedy: &str) -> DataError {
        syntax(&self.path, self.line, (self.at - self.line_start) as u64 + 1, found, expected, remedy)
    }
}

fn object(path: &Rc<Path>, line: u64, value: Value) -> Result<Row, DataError> {
    match value {
        Value::Object(fields) => Ok(Row::Object { path: path.clone(), at: At::Line(line), fields }),
        other => Err(DataError::Syntax {
            place: Box::new(Place { path: path.to_path_buf(), at: At::Line(line) }),
            found: shown(&other),
            expected: "an object, such as {\"question\": ...}".to_owned(),
            remedy: "write every record as an object with named values".to_owned(),
        }),
    }
}

fn syntax(path: &Path, line: u64, byte: u64, found: &str, expected: &str, remedy: &str) -> DataError {
    DataError::Syntax {
        place: Place::byte(path, line, byte),
        found: found.to_owned(),
        expected: expected.to_owned(),
        remedy: remedy.to_owned(),
    }
}

/// What the parser says, without its own count of lines.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rfind(" at line ").map_or(text.as_str(), |end| &text[..end]);
    format!("broken JSON ({})", short(text))
}
