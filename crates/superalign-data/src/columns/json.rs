//! JSON and JSONL into columns.

use super::build::Builder;
use super::{Column, OFTEN};
use crate::error::{At, DataError};
use crate::load::Container;
use crate::load::container::text_of;
use crate::load::json::{Passed, array, array_of, lines, lines_of};
use crate::load::row::{Row, shown};
use rustc_hash::FxHashMap;
use serde_json::Value;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

/// The columns of the objects and their number.
pub(super) fn read(
    path: &Path,
    bytes: Option<&Arc<[u8]>>,
    container: Container,
    told: &mut dyn FnMut(u64),
) -> Result<(usize, Vec<Column>), DataError> {
    let passed = Passed::default();
    let mut columns: Vec<Builder> = Vec::new();
    let mut places: FxHashMap<String, usize> = FxHashMap::default();
    let mut rows = 0_usize;
    for row in stream(path, bytes, container, passed.clone())? {
        let Row::Object { fields, .. } = row? else { continue };
        for (i, (key, value)) in fields.iter().enumerate() {
            // Objects mostly have the same keys in the same order.
            let place = match columns.get(i) {
                Some(column) if column.name() == key => i,
                _ => *places.entry(key.clone()).or_insert_with(|| {
                    columns.push(Builder::new(key, rows));
                    columns.len() - 1
                }),
            };
            push(&mut columns[place], value);
        }
        rows += 1;
        if rows.is_multiple_of(OFTEN) {
            told(passed.get());
        }
        columns.iter_mut().filter(|column| column.rows() < rows).for_each(Builder::push_nothing);
    }
    Ok((rows, columns.into_iter().map(Builder::finish).collect()))
}

/// The line on which the object of a row, counted from 0, begins.
pub(super) fn line_of(
    path: &Path,
    bytes: Option<&Arc<[u8]>>,
    container: Container,
    row: usize,
) -> Option<u64> {
    match stream(path, bytes, container, Passed::default()).ok()?.nth(row)?.ok()?.at() {
        At::Line(line) => Some(line),
        At::Byte { .. } | At::Row(_) => None,
    }
}

type Objects = Box<dyn Iterator<Item = Result<Row, DataError>>>;

fn stream(
    path: &Path,
    bytes: Option<&Arc<[u8]>>,
    container: Container,
    passed: Passed,
) -> Result<Objects, DataError> {
    let rows = match (container, bytes) {
        (Container::Jsonl, None) => lines(path, passed)?,
        (_, None) => array(path, passed)?,
        (Container::Jsonl, Some(bytes)) => {
            let mut reader = Cursor::new(bytes.clone());
            reader.set_position((bytes.len() - text_of(bytes).len()) as u64);
            lines_of(reader, path, passed)
        }
        (_, Some(bytes)) => array_of(text_of(bytes).to_vec(), path, passed),
    };
    Ok(rows.stream)
}

fn push(column: &mut Builder, value: &Value) {
    /// Whole numbers beyond these are identifiers, since an f64 would change them.
    const EXACT: u64 = 1 << 53;
    match value {
        Value::Null => column.push_nothing(),
        Value::Bool(truth) => column.push_text(if *truth { "true" } else { "false" }),
        Value::Number(x) => match (x.as_u64(), x.as_i64(), x.as_f64()) {
            (Some(whole), _, _) if whole > EXACT => column.push_text(&x.to_string()),
            (None, Some(whole), _) if whole.unsigned_abs() > EXACT => column.push_text(&x.to_string()),
            (_, _, Some(x)) => column.push_number(x),
            (_, _, None) => column.push_other(&shown(value)),
        },
        Value::String(text) => column.push_text(text),
        Value::Array(_) => column.push_list(value),
        Value::Object(_) => column.push_other("an object"),
    }
}
