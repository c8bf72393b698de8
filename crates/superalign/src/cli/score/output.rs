//! Where scores go: CSV, lines of JSON or Parquet, a block of rows after the other; a file has its name when it is whole.

use crate::cli::{Failure, Printed, print};
use crate::record::WholeFile;
use arrow::array::{ArrayRef, Float64Builder, RecordBatch, StringBuilder, UInt64Builder};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use serde::Serialize;
use serde::ser::SerializeMap as _;
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// A column of the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Whole,
    Number,
    Text,
    /// Whatever the input calls a row.
    Id,
}

/// One value; it goes with the kind of its column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Whole(u64),
    Number(f64),
    Text(String),
    Id(Option<Value>),
}

/// How rows are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Csv,
    Jsonl,
    Parquet,
}

impl Form {
    /// By the end of the name.
    pub(super) fn of(path: &Path) -> Result<Self, Failure> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("csv") => Ok(Self::Csv),
            Some("jsonl" | "ndjson") => Ok(Self::Jsonl),
            Some("parquet") => Ok(Self::Parquet),
            _ => Err(Failure::Usage(format!(
                "-o {}: expected a name that ends in .csv, .jsonl or .parquet",
                path.display()
            ))),
        }
    }
}

/// Takes blocks of rows.
pub(super) struct Writer<'a> {
    columns: Vec<Column>,
    to: To<'a>,
}

enum To<'a> {
    Lines { form: Form, sink: Sink<'a>, begun: bool },
    Parquet { writer: Box<ArrowWriter<WholeFile>>, schema: Arc<Schema> },
}

enum Sink<'a> {
    File(WholeFile),
    Out(&'a mut dyn Write),
}

impl<'a> Writer<'a> {
    pub(super) fn file(path: &Path, columns: Vec<Column>) -> Result<Self, Failure> {
        let form = Form::of(path)?;
        let file = WholeFile::new(path).map_err(Failure::failed)?;
        let to = if form == Form::Parquet {
            let field = |column: &Column| {
                let kind = match column.kind {
                    Kind::Whole => DataType::UInt64,
                    Kind::Number => DataType::Float64,
                    Kind::Text | Kind::Id => DataType::Utf8,
                };
                Field::new(&column.name, kind, column.kind == Kind::Id)
            };
            let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
            let properties = WriterProperties::builder()
                .set_compression(Compression::SNAPPY)
                .set_created_by("superalign".to_owned())
                // A group is held until it is whole.
                .set_max_row_group_row_count(Some(1 << 16))
                .build();
            let writer =
                ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(Failure::failed)?;
            To::Parquet { writer: Box::new(writer), schema }
        } else {
            To::Lines { form, sink: Sink::File(file), begun: false }
        };
        Ok(Self { columns, to })
    }

    pub(super) fn print(out: &'a mut dyn Write, form: Form, columns: Vec<Column>) -> Self {
        Self { columns, to: To::Lines { form, sink: Sink::Out(out), begun: false } }
    }

    pub(super) fn write(&mut self, rows: &[Vec<Cell>]) -> Result<Printed, Failure> {
        match &mut self.to {
            To::Parquet { writer, schema } => {
                let arrays =
                    (0..self.columns.len()).map(|at| array(self.columns[at].kind, rows, at)).collect();
                let batch = RecordBatch::try_new(schema.clone(), arrays).map_err(Failure::failed)?;
                writer.write(&batch).map_err(|error| unwritten(&error))?;
                Ok(Printed::All)
            }
            To::Lines { form, sink, begun } => {
                let text = if *form == Form::Csv {
                    csv((!*begun).then_some(&self.columns), rows).map_err(Failure::failed)?
                } else {
                    lines(&self.columns, rows).map_err(Failure::failed)?
                };
                *begun = true;
                match sink {
                    Sink::File(file) => {
                        file.write_all(&text).map_err(|error| unwritten(&error)).map(|()| Printed::All)
                    }
                    Sink::Out(out) => print(*out, &text),
                }
            }
        }
    }

    /// Gives the file its name.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self.to {
            To::Parquet { writer, .. } => {
                let file = writer.into_inner().map_err(|error| unwritten(&error))?;
                file.finish().map_err(Failure::failed)
            }
            To::Lines { sink: Sink::File(file), .. } => file.finish().map_err(Failure::failed),
            To::Lines { .. } => Ok(()),
        }
    }
}

fn unwritten(error: &dyn std::fmt::Display) -> Failure {
    Failure::Failed(format!("the scores cannot be written: {error}"))
}

fn csv(header: Option<&[Column]>, rows: &[Vec<Cell>]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if let Some(columns) = header {
        writer.write_record(columns.iter().map(|column| &column.name))?;
    }
    for row in rows {
        writer.write_record(row.iter().map(shown))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Whole(number) => number.to_string(),
        Cell::Number(number) => number.to_string(),
        Cell::Text(text) | Cell::Id(Some(Value::String(text))) => text.clone(),
        Cell::Id(Some(value)) => value.to_string(),
        Cell::Id(None) => String::new(),
    }
}

fn lines(columns: &[Column], rows: &[Vec<Cell>]) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut text, &Line { columns, row })?;
        text.push(b'\n');
    }
    Ok(text)
}

/// A row as an object, its keys in the order of the columns.
struct Line<'a> {
    columns: &'a [Column],
    row: &'a [Cell],
}

impl Serialize for Line<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (column, cell) in self.columns.iter().zip(self.row) {
            match cell {
                Cell::Whole(number) => map.serialize_entry(&column.name, number)?,
                Cell::Number(number) => map.serialize_entry(&column.name, number)?,
                Cell::Text(text) => map.serialize_entry(&column.name, text)?,
                Cell::Id(Some(id)) => map.serialize_entry(&column.name, id)?,
                Cell::Id(None) => {}
            }
        }
        map.end()
    }
}

fn array(kind: Kind, rows: &[Vec<Cell>], at: usize) -> ArrayRef {
    let cells = || rows.iter().map(|row| &row[at]);
    match kind {
        Kind::Whole => {
            let mut column = UInt64Builder::new();
            cells().for_each(|cell| {
                column.append_option(if let Cell::Whole(x) = cell { Some(*x) } else { None });
            });
            Arc::new(column.finish())
        }
        Kind::Number => {
            let mut column = Float64Builder::new();
            cells().for_each(|cell| {
                column.append_option(if let Cell::Number(x) = cell { Some(*x) } else { None });
            });
            Arc::new(column.finish())
        }
        Kind::Text | Kind::Id => {
            let mut column = StringBuilder::new();
            cells().for_each(|cell| column.append_option((*cell != Cell::Id(None)).then(|| shown(cell))));
            Arc::new(column.finish())
        }
    }
}
