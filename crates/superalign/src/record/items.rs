//! `items.parquet`: one row per item, model and signal source; every metric can be recomputed from it.

use super::{RecordError, table, write_whole};
use arrow::array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Float64Array, RecordBatch, StringArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema, UInt32Type};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::path::Path;
use std::sync::Arc;

/// What one model says about one item.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemRow {
    /// The item's name in its source.
    pub item: Arc<str>,
    /// The group that its source gives it.
    pub group: Arc<str>,
    /// Family of task.
    pub family: Arc<str>,
    /// Difficulty, where the source knows it.
    pub difficulty: Option<u64>,
    /// Whether competence and conformity are at odds on it.
    pub conflict: bool,
    /// Part of the data: `train`, `teacher`, `student`, `test`.
    pub part: Arc<str>,
    /// The true label.
    pub gold: bool,
    /// The rung that speaks.
    pub model: Arc<str>,
    /// What taught it: the cell's name.
    pub signal: Arc<str>,
    /// The seed.
    pub seed: u64,
    /// The label it was trained on, where the item was one of its training items.
    pub given: Option<f64>,
    /// Its probability that the label is true.
    pub probability: f64,
}

const ROWS_PER_GROUP: usize = 1 << 16;

/// Writes the rows, in their order, as a Parquet file; returns the digest of its bytes.
///
/// # Errors
/// The folder cannot be written.
pub fn write_items<'a>(
    path: &Path,
    rows: impl IntoIterator<Item = &'a ItemRow>,
) -> Result<String, RecordError> {
    let broken = |e: parquet::errors::ParquetError| RecordError::io("write", path)(std::io::Error::other(e));
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by("superalign".to_owned())
        .build();
    let schema = Arc::new(schema());
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema.clone(), Some(properties)).map_err(broken)?;
    let mut chunk = Vec::new();
    let mut flush = |chunk: &mut Vec<&ItemRow>| {
        let batch = batch(&schema, chunk).map_err(|e| broken(e.into()))?;
        chunk.clear();
        writer.write(&batch).map_err(broken)
    };
    for row in rows {
        chunk.push(row);
        if chunk.len() == ROWS_PER_GROUP {
            flush(&mut chunk)?;
        }
    }
    flush(&mut chunk)?;
    writer.close().map_err(broken)?;
    write_whole(path, &bytes)?;
    Ok(blake3::hash(&bytes).to_hex().to_string())
}

/// Reads rows that [`write_items`] wrote; `None` where the file is missing or its digest is another.
///
/// # Errors
/// The file cannot be read.
pub fn read_items(path: &Path, digest: &str) -> Result<Option<Vec<ItemRow>>, RecordError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(RecordError::io("read", path)(e)),
    };
    if blake3::hash(&bytes).to_hex().as_str() != digest {
        return Ok(None);
    }
    parse(path, bytes).map(Some)
}

/// Reads the rows of a complete run.
///
/// # Errors
/// The file is missing, cannot be read, or holds something else.
pub fn load_items(path: &Path) -> Result<Vec<ItemRow>, RecordError> {
    parse(path, std::fs::read(path).map_err(RecordError::io("read", path))?)
}

fn parse(path: &Path, bytes: Vec<u8>) -> Result<Vec<ItemRow>, RecordError> {
    table::rows(path, bytes, "item-level results", rows_of)
}

/// Columns of text that repeats are dictionaries.
const TEXTS: [&str; 6] = ["item", "group", "family", "part", "model", "signal"];

fn schema() -> Schema {
    let text = || DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8));
    let mut fields: Vec<Field> = TEXTS.iter().map(|name| Field::new(*name, text(), false)).collect();
    fields.push(Field::new("difficulty", DataType::UInt64, true));
    fields.push(Field::new("conflict", DataType::Boolean, false));
    fields.push(Field::new("gold", DataType::Boolean, false));
    fields.push(Field::new("seed", DataType::UInt64, false));
    fields.push(Field::new("given", DataType::Float64, true));
    fields.push(Field::new("probability", DataType::Float64, false));
    Schema::new(fields)
}

fn batch(schema: &Arc<Schema>, rows: &[&ItemRow]) -> Result<RecordBatch, arrow::error::ArrowError> {
    let text = |get: fn(&ItemRow) -> &str| -> ArrayRef {
        Arc::new(rows.iter().map(|r| get(r)).collect::<DictionaryArray<UInt32Type>>())
    };
    RecordBatch::try_new(
        schema.clone(),
        vec![
            text(|r| &r.item),
            text(|r| &r.group),
            text(|r| &r.family),
            text(|r| &r.part),
            text(|r| &r.model),
            text(|r| &r.signal),
            Arc::new(rows.iter().map(|r| r.difficulty).collect::<UInt64Array>()),
            Arc::new(rows.iter().map(|r| Some(r.conflict)).collect::<BooleanArray>()),
            Arc::new(rows.iter().map(|r| Some(r.gold)).collect::<BooleanArray>()),
            Arc::new(rows.iter().map(|r| Some(r.seed)).collect::<UInt64Array>()),
            Arc::new(rows.iter().map(|r| r.given).collect::<Float64Array>()),
            Arc::new(rows.iter().map(|r| Some(r.probability)).collect::<Float64Array>()),
        ],
    )
}

fn rows_of(batch: &RecordBatch, rows: &mut Vec<ItemRow>) -> Option<()> {
    let column = |name: &str| batch.column_by_name(name);
    let mut texts = Vec::new();
    for name in TEXTS {
        let dictionary = column(name)?.as_any().downcast_ref::<DictionaryArray<UInt32Type>>()?;
        let values = dictionary.values().as_any().downcast_ref::<StringArray>()?;
        let values: Vec<Arc<str>> = values.iter().map(|v| Arc::from(v.unwrap_or_default())).collect();
        texts.push((dictionary.keys(), values));
    }
    let text = |c: usize, i: usize| texts[c].1.get(texts[c].0.value(i) as usize).cloned();
    let difficulty = column("difficulty")?.as_any().downcast_ref::<UInt64Array>()?;
    let conflict = column("conflict")?.as_any().downcast_ref::<BooleanArray>()?;
    let gold = column("gold")?.as_any().downcast_ref::<BooleanArray>()?;
    let seed = column("seed")?.as_any().downcast_ref::<UInt64Array>()?;
    let given = column("given")?.as_any().downcast_ref::<Float64Array>()?;
    let probability = column("probability")?.as_any().downcast_ref::<Float64Array>()?;
    for i in 0..batch.num_rows() {
        rows.push(ItemRow {
            item: text(0, i)?,
            group: text(1, i)?,
            family: text(2, i)?,
            part: text(3, i)?,
            model: text(4, i)?,
            signal: text(5, i)?,
            difficulty: difficulty.is_valid(i).then(|| difficulty.value(i)),
            conflict: conflict.value(i),
            gold: gold.value(i),
            seed: seed.value(i),
            given: given.is_valid(i).then(|| given.value(i)),
            probability: probability.value(i),
        });
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_to_the_bit_and_a_changed_file_does_not() {
        let rows: Vec<ItemRow> = (0..70_000_u64)
            .map(|i| ItemRow {
                item: format!("item-{i}").into(),
                group: format!("g{}", i / 2).into(),
                family: "lookup".into(),
                difficulty: (i % 3 == 0).then_some(i % 7),
                conflict: i % 5 == 0,
                part: "test".into(),
                gold: i % 2 == 0,
                model: "rung-1".into(),
                signal: format!("ratio={}", i % 11).into(),
                seed: i % 3,
                given: (i % 4 == 0).then_some(i as f64 / 3.0),
                probability: 1.0 / (i as f64 + 1.0),
            })
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("items.parquet");
        let digest = write_items(&path, &rows).unwrap();
        assert_eq!(read_items(&path, &digest).unwrap().unwrap(), rows);
        assert_eq!(write_items(&folder.path().join("again"), &rows).unwrap(), digest);
        assert_eq!(read_items(&path, "other").unwrap(), None);
        assert_eq!(read_items(&folder.path().join("none"), &digest).unwrap(), None);
        assert_eq!(load_items(&path).unwrap(), rows);
        std::fs::write(&path, "no rows").unwrap();
        assert!(load_items(&path).unwrap_err().to_string().ends_with("expected item-level results"));
    }
}
