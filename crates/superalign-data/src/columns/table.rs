//! CSV and TSV into columns.

use super::build::{Builder, NotANumber};
use super::{Column, OFTEN};
use crate::error::{At, DataError};
use crate::load::container::{inspect, inspect_bytes, open_text, text_of, unreadable};
use crate::load::table::broken;
use csv::{Reader, ReaderBuilder, StringRecord};
use std::borrow::Cow;
use std::io::Read as _;
use std::path::Path;

/// The columns of a table and its number of rows.
pub(super) fn read(
    path: &Path,
    bytes: Option<&[u8]>,
    delimiter: u8,
    told: &mut dyn FnMut(u64),
) -> Result<(usize, Vec<Column>), DataError> {
    let text = whole(path, bytes)?;
    let mut reader = over(&text, delimiter);
    let header = reader.headers().map_err(|e| located(path, &text, &e))?.clone();
    let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    for (i, name) in names.iter().enumerate() {
        if !name.is_empty() && names[..i].contains(name) {
            return Err(DataError::Columns {
                path: path.to_path_buf(),
                found: names.clone(),
                expected: format!("`{name}` once"),
                remedy: "rename or remove one of the two columns; where the first line is data, put one with names above it"
                    .to_owned(),
            });
        }
    }
    // Which columns hold texts is known when one text has come up; then their numbers are read again as texts.
    let mut texts = vec![false; names.len()];
    loop {
        let mut columns: Vec<Builder> = names
            .iter()
            .zip(&texts)
            .map(|(name, &text)| if text { Builder::texts(name) } else { Builder::new(name, 0) })
            .collect();
        let mut reader = over(&text, delimiter);
        let mut record = StringRecord::new();
        let (mut rows, mut again) = (0_usize, false);
        while !again && reader.read_record(&mut record).map_err(|e| located(path, &text, &e))? {
            rows += 1;
            if rows.is_multiple_of(OFTEN) {
                told(record.position().map_or(0, csv::Position::byte));
            }
            for (i, (cell, column)) in record.iter().zip(&mut columns).enumerate() {
                if let Err(NotANumber) = column.push_cell(cell) {
                    (texts[i], again) = (true, true);
                }
            }
        }
        if !again {
            return Ok((rows, columns.into_iter().map(Builder::finish).collect()));
        }
    }
}

/// The line on which a row, counted from 0, begins.
pub(super) fn line_of(path: &Path, bytes: Option<&[u8]>, row: usize) -> Option<u64> {
    let text = whole(path, bytes).ok()?;
    let delimiter = match bytes {
        None => inspect(path),
        Some(bytes) => inspect_bytes(path, bytes),
    };
    let delimiter = delimiter.ok()?.delimiter;
    let mut reader = over(&text, delimiter);
    let mut record = StringRecord::new();
    for _ in 0..=row {
        if !reader.read_record(&mut record).ok()? {
            return None;
        }
    }
    Some(line(&text, record.position().map_or(0, csv::Position::byte)))
}

fn whole<'a>(path: &Path, bytes: Option<&'a [u8]>) -> Result<Cow<'a, [u8]>, DataError> {
    if let Some(bytes) = bytes {
        return Ok(Cow::Borrowed(text_of(bytes)));
    }
    let mut text = Vec::new();
    open_text(path)?.read_to_end(&mut text).map_err(|e| unreadable(path, &e))?;
    Ok(Cow::Owned(text))
}

fn over(text: &[u8], delimiter: u8) -> Reader<&[u8]> {
    ReaderBuilder::new().delimiter(delimiter).buffer_capacity(1 << 16).from_reader(text)
}

fn located(path: &Path, text: &[u8], error: &csv::Error) -> DataError {
    let start = error.position().map_or(0, csv::Position::byte);
    broken(path, error, At::Line(line(text, start)))
}

/// The line of the first byte from there on that is no line end: the parser passes over blank lines without saying.
fn line(text: &[u8], start: u64) -> u64 {
    let start = usize::try_from(start).unwrap_or(usize::MAX).min(text.len());
    let blank = text[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    1 + text[..start + blank].iter().filter(|&&byte| byte == b'\n').count() as u64
}
