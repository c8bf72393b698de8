//! CSV and TSV: records under a header line.

use super::Rows;
use super::container::{Inspected, open_text};
use super::row::Row;
use crate::error::{At, DataError, Place};
use csv::{ErrorKind, ReaderBuilder, StringRecord};
use serde_json::Value;
use std::path::Path;
use std::rc::Rc;

/// The records of a table, streamed.
pub(super) fn rows(path: &Path, inspected: &Inspected) -> Result<Rows, DataError> {
    let mut reader = ReaderBuilder::new().delimiter(inspected.delimiter).from_reader(open_text(path)?);
    let shared: Rc<Path> = Rc::from(path);
    let header = reader.headers().map_err(|e| broken(path, &e))?;
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
            let line = record.position().map_or(0, csv::Position::line);
            let values = record.iter().map(|cell| Value::String(cell.to_owned())).collect();
            Some(Ok(Row::Table { path: shared.clone(), at: At::Line(line), columns: columns.clone(), values }))
        }
        Err(e) => Some(Err(broken(&shared, &e))),
    });
    Ok(Rows { columns: names, stream: Box::new(stream) })
}

fn broken(path: &Path, error: &csv::Error) -> DataError {
    let at = At::Line(error.position().map_or(1, csv::Position::line));
    let place = Box::new(Place { path: path.to_path_buf(), at });
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => DataError::Syntax {
            place,
            found: format!("{len} columns"),
            expected: format!("{expected_len}, as in the header"),
            remedy: "put texts that hold the separator or a line end between double quotes, and double the \
                     quotes inside them"
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
