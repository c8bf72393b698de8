//! Finished vectors as a Parquet file: `row`, `id` where the input has one, and `embedding`, a list of fixed size.

use super::Trouble;
use super::part::{Part, beside, unwritten};
use crate::cli::Failure;
use arrow::array::{ArrayRef, FixedSizeListArray, Float32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use superalign_core::ModelError;
use superalign_data::load::TextFile;

/// Rows that are written together.
const TOGETHER: usize = 1024;

/// Bytes of vectors after which a row group ends.
const GROUP: usize = 4 << 20;

/// Writes the rows of a finished part, with the ids of the texts; then the part is removed.
pub(super) fn write(
    part: &mut Part,
    whole: &Path,
    file: &TextFile,
    about: &[(&'static str, String)],
    stop: &AtomicBool,
) -> Result<(), Trouble> {
    let path = beside(whole, ".tmp");
    let done = written(part, &path, file, about, stop).and_then(|()| {
        std::fs::rename(&path, whole).map_err(|error| Trouble::Output(unwritten(whole, &error)))
    });
    if done.is_err() {
        let _ = std::fs::remove_file(&path);
    } else {
        part.discard();
    }
    done
}

fn written(
    part: &Part,
    path: &Path,
    file: &TextFile,
    about: &[(&'static str, String)],
    stop: &AtomicBool,
) -> Result<(), Trouble> {
    let failed = |error: &std::io::Error| Trouble::Output(unwritten(path, error));
    let refused = |error: ParquetError| {
        Trouble::Output(Failure::Failed(format!("{}: cannot be written: {error}", path.display())))
    };
    let mut texts = file.texts().map_err(Trouble::Data)?.peekable();
    let named = matches!(texts.peek(), Some(Ok(first)) if first.id.is_some());
    let item = Arc::new(Field::new("element", DataType::Float32, false));
    let size = i32::try_from(part.width()).unwrap_or(i32::MAX);
    let mut fields = vec![Field::new("row", DataType::Int64, false)];
    if named {
        fields.push(Field::new("id", DataType::Utf8, true));
    }
    fields.push(Field::new("embedding", DataType::FixedSizeList(Arc::clone(&item), size), false));
    let schema = Arc::new(Schema::new(fields));
    let notes = about.iter().map(|(name, value)| KeyValue::new(format!("superalign.{name}"), value.clone()));
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_max_row_group_row_count(Some((GROUP / (4 * part.width())).max(TOGETHER)))
        .set_key_value_metadata(Some(notes.collect()))
        .build();
    let output = File::create(path).map_err(|error| failed(&error))?;
    let mut writer = ArrowWriter::try_new(output, Arc::clone(&schema), Some(properties)).map_err(refused)?;
    let mut rows = part.reader().map_err(Trouble::Output)?;
    let mut bytes = vec![0; TOGETHER * part.width() * 4];
    for first in (0..part.rows()).step_by(TOGETHER) {
        if stop.load(Ordering::Relaxed) {
            return Err(ModelError::Stopped.into());
        }
        let count = TOGETHER.min(part.rows() - first);
        let bytes = &mut bytes[..count * part.width() * 4];
        rows.read_exact(bytes).map_err(|error| {
            Trouble::Output(Failure::Failed(format!("{}: cannot be read: {error}", part.path().display())))
        })?;
        let floats =
            bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap_or_default()));
        let values: ArrayRef = Arc::new(floats.collect::<Float32Array>());
        let ids = texts.by_ref().take(count).map(|text| text.map(|text| text.id));
        let ids: Vec<Option<String>> = ids.collect::<Result<_, _>>().map_err(Trouble::Data)?;
        let numbers = (first..first + count).map(|row| i64::try_from(row).unwrap_or(i64::MAX));
        let mut columns: Vec<ArrayRef> = vec![Arc::new(numbers.collect::<Int64Array>())];
        if named {
            columns.push(Arc::new(StringArray::from(ids)));
        }
        let list = FixedSizeListArray::try_new(Arc::clone(&item), size, values, None);
        let batch = list.and_then(|list| {
            columns.push(Arc::new(list));
            RecordBatch::try_new(Arc::clone(&schema), columns)
        });
        writer.write(&batch.map_err(|error| refused(error.into()))?).map_err(refused)?;
    }
    let output = writer.into_inner().map_err(refused)?;
    output.sync_all().map_err(|error| failed(&error))
}
