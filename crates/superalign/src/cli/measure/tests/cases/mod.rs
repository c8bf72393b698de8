//! How each golden case is written as a file, and how the command is asked for its value.

mod generated;
mod labels;
mod votes;

pub(super) use generated::{embedding, preference, text};
pub(super) use labels::{calibration, collapse, label_diversity, label_noise};
pub(super) use votes::{agreement, ensemble, truth};

use super::{Folder, value};
use serde_json::Value;
use std::fmt::Write as _;

/// The rows of a table.
fn rows(json: &Value) -> Vec<Vec<Value>> {
    json.as_array().unwrap().iter().map(|row| row.as_array().unwrap().clone()).collect()
}

fn list(json: &Value) -> Vec<Value> {
    json.as_array().unwrap().clone()
}

fn numbers(json: &Value) -> Vec<f64> {
    json.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// A CSV of columns with names; null is an empty cell.
fn csv(columns: &[(String, Vec<Value>)]) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let mut text = names.join(",") + "\n";
    for row in 0..columns.first().map_or(0, |(_, cells)| cells.len()) {
        let cells: Vec<String> = columns
            .iter()
            .map(|(_, cells)| match &cells[row] {
                Value::Null => String::new(),
                Value::String(text) => format!("\"{text}\""),
                other => other.to_string(),
            })
            .collect();
        text += &(cells.join(",") + "\n");
    }
    text
}

/// The columns of a table, under a name and their number; what a short row lacks is null.
fn columns(name: &str, table: &Value) -> Vec<(String, Vec<Value>)> {
    let rows = rows(table);
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &Vec<Value>, j: usize| row.get(j).cloned().unwrap_or(Value::Null);
    (0..width).map(|j| (format!("{name}{j}"), rows.iter().map(|row| cell(row, j)).collect())).collect()
}

fn column(name: &str, cells: &Value) -> (String, Vec<Value>) {
    (name.to_owned(), list(cells))
}

/// An NPY file of double precision.
fn npy(table: &Value) -> Vec<u8> {
    let rows = rows(table);
    let (n, d) = (rows.len(), rows.first().map_or(0, Vec::len));
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({n}, {d}), }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    rows.iter().flatten().for_each(|x| bytes.extend(x.as_f64().unwrap().to_le_bytes()));
    bytes
}

/// JSONL of objects.
fn jsonl(objects: impl IntoIterator<Item = Value>) -> String {
    objects.into_iter().fold(String::new(), |mut text, object| {
        _ = writeln!(text, "{object}");
        text
    })
}

/// Measures a file, and gives the value of each metric that was asked for.
fn ask(name: &str, content: impl AsRef<[u8]>, more: &[&str], spec: &str, part: &str) -> Value {
    let folder = Folder::new();
    let path = folder.write(name, content);
    let arguments: Vec<&str> =
        [path.as_str(), "--metrics", spec].into_iter().chain(more.iter().copied()).collect();
    value(&super::json(&arguments), spec.split(':').next().unwrap(), part)
}

/// As [`ask`], with a reference file of the same kind.
fn ask_two(
    name: &str,
    content: impl AsRef<[u8]>,
    reference: impl AsRef<[u8]>,
    spec: &str,
    part: &str,
) -> Value {
    let folder = Folder::new();
    let path = folder.write(name, content);
    let other = folder.write(&format!("reference-{name}"), reference);
    let found = super::json(&[&path, "--reference", &other, "--metrics", spec]);
    value(&found, spec.split(':').next().unwrap(), part)
}
