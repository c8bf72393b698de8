//! CSV and TSV: records under a header line.

use super::Rows;
use super::container::{Inspected, open_text};
use super::row::Row;
use crate::error::{At, DataError, Place};
use csv::{ErrorKind, ReaderBuilder, StringRecord};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

/// The records of a table, streamed.
pub(super) fn rows(path: &Path, inspected: &Inspected) -> Result<Rows, DataError> {
    let ends = Rc::new(RefCell::new(VecDeque::new()));
    let text = Watched { inner: open_text(path)?, at: 0, returns: 0, blank: true, ends: ends.clone() };
    let mut lines = Lines { passed: 1, ends };
    let mut reader = ReaderBuilder::new().delimiter(inspected.delimiter).from_reader(text);
    let shared: Rc<Path> = Rc::from(path);
    let header = reader.headers().map_err(|e| broken(path, &e, At::Line(lines.of(e.position()))))?;
    let columns: Rc<[String]> = header.iter().map(|name| name.trim().to_owned()).collect();
    for (i, name) in columns.iter().enumerate() {
        if !name.is_empty() && columns[..i].contains(name) {
            return Err(DataError::Columns {
                path: path.to_path_buf(),
                found: columns.to_vec(),
                expected: format!("`{name}` once"),
                remedy: "rename or remove one of the two columns".to_owned(),
            });
        }
    }
    let names = columns.to_vec();
    let mut record = StringRecord::new();
    let stream = std::iter::from_fn(move || match reader.read_record(&mut record) {
        Ok(false) => None,
        Ok(true) => {
            let line = lines.of(record.position());
            let values = record.iter().map(|cell| Value::String(cell.to_owned())).collect();
            Some(Ok(Row::Table {
                path: shared.clone(),
                at: At::Line(line),
                columns: columns.clone(),
                values,
            }))
        }
        Err(e) => Some(Err(broken(&shared, &e, At::Line(lines.of(e.position()))))),
    });
    Ok(Rows { columns: names, stream: Box::new(stream) })
}

/// Which line a record begins on. The parser's own count stops short of the line feed of CR LF and of blank lines.
struct Lines {
    /// The line of the next unseen line end.
    passed: u64,
    ends: Rc<RefCell<VecDeque<LineEnd>>>,
}

/// A line feed in the text.
struct LineEnd {
    /// The offset of the line end: of the line feed, or of the carriage returns right before it.
    at: u64,
    /// Whether its line has nothing else.
    blank: bool,
}

impl Lines {
    /// The line of a record, given in the order of the text.
    fn of(&mut self, position: Option<&csv::Position>) -> u64 {
        let start = position.map_or(0, csv::Position::byte);
        let mut ends = self.ends.borrow_mut();
        while ends.front().is_some_and(|end| end.at <= start || end.blank) {
            ends.pop_front();
            self.passed += 1;
        }
        self.passed
    }
}

/// A reader that notes where lines end.
struct Watched<R> {
    inner: R,
    /// The offset of the next byte.
    at: u64,
    /// Carriage returns right before it.
    returns: u64,
    /// Whether its line has had nothing else.
    blank: bool,
    ends: Rc<RefCell<VecDeque<LineEnd>>>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let mut ends = self.ends.borrow_mut();
        for byte in &buffer[..read] {
            match byte {
                b'\n' => {
                    ends.push_back(LineEnd { at: self.at - self.returns, blank: self.blank });
                    (self.returns, self.blank) = (0, true);
                }
                b'\r' => self.returns += 1,
                _ => (self.returns, self.blank) = (0, false),
            }
            self.at += 1;
        }
        Ok(read)
    }
}

/// The error for a record that is none, which begins at that line.
pub(crate) fn broken(path: &Path, error: &csv::Error, at: At) -> DataError {
    let place = Box::new(Place { path: path.to_path_buf(), at });
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => DataError::Syntax {
            place,
            found: format!("{len} column{}", if *len == 1 { "" } else { "s" }),
            expected: format!("{expected_len}, as in the header"),
            remedy: if len < expected_len {
                "fill in what is missing, or close the quotes of a text that runs on into the next lines"
            } else {
                "put texts that hold the separator or a line end between double quotes, and double the quotes \
                 inside them"
            }
            .to_owned(),
        },
        _ => DataError::Syntax {
            place,
            found: error.to_string(),
            expected: "a record".to_owned(),
            remedy: "check the file at this place".to_owned(),
        },
    }
}
