//! `texts.parquet`: what the models read, one row per item; `items.parquet` says what they made of it.

use super::{RecordError, table, write_whole};
use crate::plan::Part;
use arrow::array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, RecordBatch, StringArray, StringBuilder, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema, UInt32Type};
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use superalign_data::item::Objective;

/// An item as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextRow {
    /// The item's name, as in `items.parquet`.
    pub item: String,
    /// Part of the data: `train`, `teacher`, `student`, `test`. An item and its part are together unique.
    pub part: String,
    /// The group that its source gives it; the answers to one request share it.
    pub group: String,
    /// Family of task, or the norm that is at stake.
    pub family: String,
    /// What its label speaks about: `competence` or `conformity`.
    pub objective: String,
    /// Difficulty, where the source knows it.
    pub difficulty: Option<u64>,
    /// Whether competence and conformity are at odds on it.
    pub conflict: bool,
    /// The true label.
    pub gold: bool,
    /// The whole text.
    pub text: String,
    /// The candidate answer, with which the text ends, where the experiment holds it apart.
    pub answer: Option<String>,
}

const ROWS_PER_GROUP: usize = 1 << 14;

/// The items of all parts, in their order.
#[must_use]
pub fn text_rows(parts: &[Part]) -> Vec<TextRow> {
    let of_part = |part: &Part| {
        let answers = part.answers();
        let row = |(item, answer): (&superalign_data::item::BinaryItem, Option<&str>)| TextRow {
            item: item.id.clone(),
            part: part.name.to_owned(),
            group: item.group.clone(),
            family: item.tags.family.clone(),
            objective: match item.tags.objective {
                Objective::Competence => "competence",
                Objective::Conformity => "conformity",
            }
            .to_owned(),
            difficulty: item.tags.difficulty.map(u64::from),
            conflict: item.tags.conflict,
            gold: item.label,
            text: item.text.clone(),
            answer: answer.map(str::to_owned),
        };
        part.items.iter().zip(answers).map(row).collect::<Vec<_>>()
    };
    parts.iter().flat_map(of_part).collect()
}

/// Writes the rows, in their order, as a Parquet file: the same rows give the same bytes.
///
/// # Errors
/// The folder cannot be written.
pub fn write_texts(path: &Path, rows: &[TextRow]) -> Result<(), RecordError> {
    let broken = |e: parquet::errors::ParquetError| RecordError::io("write", path)(std::io::Error::other(e));
    // No text comes twice, so that a dictionary of them would only be in the way.
    let plain = |builder: parquet::file::properties::WriterPropertiesBuilder, name: &str| {
        builder.set_column_dictionary_enabled(ColumnPath::from(name), false)
    };
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by("superalign".to_owned());
    let properties = ["item", "text"].into_iter().fold(properties, plain).build();
    let schema = Arc::new(schema());
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema.clone(), Some(properties)).map_err(broken)?;
    for chunk in rows.chunks(ROWS_PER_GROUP) {
        let batch = batch(&schema, chunk).map_err(|e| broken(e.into()))?;
        writer.write(&batch).and_then(|()| writer.flush()).map_err(broken)?;
    }
    writer.close().map_err(broken)?;
    write_whole(path, &bytes)
}

/// Reads rows that [`write_texts`] wrote; `None` where there is no such file, as in runs of earlier versions.
///
/// # Errors
/// The file cannot be read, or holds something else.
pub fn read_texts(path: &Path) -> Result<Option<Vec<TextRow>>, RecordError> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(RecordError::io("read", path))?,
    };
    table::rows(path, bytes, "the texts of a run", rows_of).map(Some)
}

/// Columns of text that repeats are dictionaries.
const REPEATED: [&str; 4] = ["part", "group", "family", "objective"];

fn schema() -> Schema {
    let repeated = || DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8));
    let mut fields = vec![Field::new("item", DataType::Utf8, false)];
    fields.extend(REPEATED.iter().map(|name| Field::new(*name, repeated(), false)));
    fields.push(Field::new("difficulty", DataType::UInt64, true));
    fields.push(Field::new("conflict", DataType::Boolean, false));
    fields.push(Field::new("gold", DataType::Boolean, false));
    fields.push(Field::new("text", DataType::Utf8, false));
    fields.push(Field::new("answer", DataType::Utf8, true));
    Schema::new(fields)
}

fn batch(schema: &Arc<Schema>, rows: &[TextRow]) -> Result<RecordBatch, ArrowError> {
    let repeated = |get: fn(&TextRow) -> &str| -> ArrayRef {
        Arc::new(rows.iter().map(get).collect::<DictionaryArray<UInt32Type>>())
    };
    let texts = |get: fn(&TextRow) -> Option<&str>| -> ArrayRef {
        let mut column = StringBuilder::new();
        rows.iter().for_each(|row| column.append_option(get(row)));
        Arc::new(column.finish())
    };
    RecordBatch::try_new(
        schema.clone(),
        vec![
            texts(|row| Some(&row.item)),
            repeated(|row| &row.part),
            repeated(|row| &row.group),
            repeated(|row| &row.family),
            repeated(|row| &row.objective),
            Arc::new(rows.iter().map(|row| row.difficulty).collect::<UInt64Array>()),
            Arc::new(rows.iter().map(|row| Some(row.conflict)).collect::<BooleanArray>()),
            Arc::new(rows.iter().map(|row| Some(row.gold)).collect::<BooleanArray>()),
            texts(|row| Some(&row.text)),
            texts(|row| row.answer.as_deref()),
        ],
    )
}

fn rows_of(batch: &RecordBatch, rows: &mut Vec<TextRow>) -> Option<()> {
    let column = |name: &str| batch.column_by_name(name);
    let mut repeated = Vec::new();
    for name in REPEATED {
        let dictionary = column(name)?.as_any().downcast_ref::<DictionaryArray<UInt32Type>>()?;
        repeated.push((dictionary.keys(), dictionary.values().as_any().downcast_ref::<StringArray>()?));
    }
    let repeated = |c: usize, i: usize| repeated[c].1.value(repeated[c].0.value(i) as usize).to_owned();
    let texts = |name: &str| column(name)?.as_any().downcast_ref::<StringArray>();
    let truths = |name: &str| column(name)?.as_any().downcast_ref::<BooleanArray>();
    let (item, text, answer) = (texts("item")?, texts("text")?, texts("answer")?);
    let (conflict, gold) = (truths("conflict")?, truths("gold")?);
    let difficulty = column("difficulty")?.as_any().downcast_ref::<UInt64Array>()?;
    rows.extend((0..batch.num_rows()).map(|i| TextRow {
        item: item.value(i).to_owned(),
        part: repeated(0, i),
        group: repeated(1, i),
        family: repeated(2, i),
        objective: repeated(3, i),
        difficulty: difficulty.is_valid(i).then(|| difficulty.value(i)),
        conflict: conflict.value(i),
        gold: gold.value(i),
        text: text.value(i).to_owned(),
        answer: answer.is_valid(i).then(|| answer.value(i).to_owned()),
    }));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_and_the_same_rows_give_the_same_bytes() {
        let rows: Vec<TextRow> = (0..40_000_u64)
            .map(|i| TextRow {
                item: format!("item-{i}"),
                part: if i % 2 == 0 { "student" } else { "test" }.into(),
                group: format!("g{}", i / 2),
                family: "chat-hard".into(),
                objective: "conformity".into(),
                difficulty: (i % 3 == 0).then_some(i % 7),
                conflict: i % 5 == 0,
                gold: i % 2 == 0,
                text: format!("Ada is {i} cm tall,\n\"é\" <b>.").repeat((i % 4) as usize),
                answer: (i % 4 == 0).then(String::new),
            })
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("texts.parquet");
        assert_eq!(read_texts(&path).unwrap(), None);
        write_texts(&path, &rows).unwrap();
        assert_eq!(read_texts(&path).unwrap().unwrap(), rows);
        let bytes = std::fs::read(&path).unwrap();
        write_texts(&path, &rows).unwrap();
        assert!(std::fs::read(&path).unwrap() == bytes);
        write_texts(&path, &[]).unwrap();
        assert_eq!(read_texts(&path).unwrap().unwrap(), []);
        std::fs::write(&path, "no rows").unwrap();
        assert!(read_texts(&path).unwrap_err().to_string().ends_with("expected the texts of a run"));
    }
}
