//! Parquet: rows of named columns, read through the format's own record interface (no Arrow).

use super::Rows;
use super::row::Row;
use crate::error::{At, DataError, Place};
use parquet::basic::{CompressionCodec, ConvertedType, Repetition, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use parquet::record::reader::RowIter;
use parquet::schema::types::{Type, TypePtr};
use serde_json::{Map, Number, Value};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::rc::Rc;

/// The rows of a Parquet file, streamed; of its columns only those that are wanted.
pub(super) fn rows(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<Rows, DataError> {
    let file = File::open(path).map_err(|e| super::container::unreadable(path, &e))?;
    let reader = SerializedFileReader::new(file).map_err(|e| unusable(path, &e))?;
    let root = reader.metadata().file_metadata().schema_descr().root_schema().clone();
    let columns: Vec<String> = root.get_fields().iter().map(|field| field.name().to_owned()).collect();
    let read: Vec<TypePtr> = root.get_fields().iter().filter(|field| wanted(field.name())).cloned().collect();
    if let Some(field) = read.iter().find(|field| !readable(field)) {
        return Err(DataError::Columns {
            path: path.to_path_buf(),
            found: columns,
            expected: format!(
                "`{}` to hold texts, numbers, truth values, or lists or groups of them",
                field.name()
            ),
            remedy: "write the column again as one of these".to_owned(),
        });
    }
    if read.is_empty() {
        // Nothing to read: one empty row lets the columns be judged.
        let row =
            Row::Table { path: Rc::from(path), at: At::Row(1), columns: Rc::from([]), values: Vec::new() };
        return Ok(Rows { columns, stream: Box::new(std::iter::once(Ok(row))) });
    }
    check_compression(path, reader.metadata())?;
    check_chunks(path, reader.metadata())?;
    let names: Rc<[String]> = read.iter().map(|field| field.name().to_owned()).collect();
    let projection =
        Type::group_type_builder(root.name()).with_fields(read).build().map_err(|e| unusable(path, &e))?;
    let mut records = guarded(|| RowIter::from_file_into(Box::new(reader)).project(Some(projection)))
        .map_err(|e| unusable(path, &e))?;
    let path: Rc<Path> = Rc::from(path);
    let mut n = 0;
    let stream = std::iter::from_fn(move || {
        n += 1;
        let at = At::Row(n);
        let record = match guarded(|| records.next().transpose()) {
            Ok(record) => record?,
            Err(e) => return Some(Err(broken(&path, at, &e))),
        };
        let values = record.into_columns().into_iter().map(|(_, field)| value(field)).collect();
        Some(Ok(Row::Table { path: path.clone(), at, columns: names.clone(), values }))
    });
    Ok(Rows { columns, stream: Box::new(stream) })
}

/// The library panics on some broken files: that is a broken file, too.
pub(crate) fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(ParquetError::General("pages that contradict each other".to_owned())))
}

/// The compressions that are read.
const READ: [CompressionCodec; 4] = [
    CompressionCodec::UNCOMPRESSED,
    CompressionCodec::SNAPPY,
    CompressionCodec::GZIP,
    CompressionCodec::ZSTD,
];
/// The same in words.
const COMPRESSIONS: &str = "uncompressed, Snappy, gzip or Zstandard";

/// Refuses column chunks that lie outside the file, of which the library makes no error.
pub(crate) fn check_chunks(path: &Path, metadata: &ParquetMetaData) -> Result<(), DataError> {
    let length = std::fs::metadata(path).map_or(0, |meta| meta.len());
    let inside = |chunk: &ColumnChunkMetaData| {
        let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
        let end = u64::try_from(start).ok()?.checked_add(u64::try_from(chunk.compressed_size()).ok()?)?;
        (end <= length && chunk.num_values() >= 0 && chunk.data_page_offset() >= 0).then_some(())
    };
    let mut groups = metadata.row_groups().iter();
    if groups
        .all(|group| group.num_rows() >= 0 && group.columns().iter().all(|chunk| inside(chunk).is_some()))
    {
        return Ok(());
    }
    Err(unusable(path, &ParquetError::General("a column that does not lie in the file".to_owned())))
}

/// Refuses what cannot be unpacked here.
pub(crate) fn check_compression(path: &Path, metadata: &ParquetMetaData) -> Result<(), DataError> {
    let groups = metadata.row_groups().iter();
    let mut codecs = groups.flat_map(RowGroupMetaData::columns).map(ColumnChunkMetaData::compression_codec);
    match codecs.find(|codec| !READ.contains(codec)) {
        None => Ok(()),
        Some(codec) => Err(DataError::File {
            path: path.to_path_buf(),
            found: format!("Parquet compressed with {codec}"),
            expected: format!("Parquet, {COMPRESSIONS}"),
            remedy: "write it again with Snappy, the usual default".to_owned(),
        }),
    }
}

/// Whether the record interface reads the column and its values can stand for texts, numbers or truth values.
fn readable(field: &Type) -> bool {
    let info = field.get_basic_info();
    let converted = info.converted_type();
    match field {
        Type::PrimitiveType { physical_type, .. } => match physical_type {
            Physical::BOOLEAN | Physical::FLOAT | Physical::DOUBLE => true,
            Physical::INT32 => matches!(
                converted,
                ConvertedType::NONE
                    | ConvertedType::INT_8
                    | ConvertedType::INT_16
                    | ConvertedType::INT_32
                    | ConvertedType::UINT_8
                    | ConvertedType::UINT_16
                    | ConvertedType::UINT_32
            ),
            Physical::INT64 => {
                matches!(converted, ConvertedType::NONE | ConvertedType::INT_64 | ConvertedType::UINT_64)
            }
            Physical::BYTE_ARRAY => matches!(
                converted,
                ConvertedType::NONE | ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON
            ),
            Physical::INT96 | Physical::FIXED_LEN_BYTE_ARRAY => false,
        },
        Type::GroupType { fields, .. } => match converted {
            ConvertedType::NONE => !fields.is_empty() && fields.iter().all(|child| readable(child)),
            ConvertedType::LIST => match fields.as_slice() {
                [repeated] => {
                    let info = repeated.get_basic_info();
                    let nested = repeated.is_primitive() || !repeated.get_fields().is_empty();
                    info.has_repetition()
                        && info.repetition() == Repetition::REPEATED
                        && nested
                        && readable(repeated)
                }
                _ => false,
            },
            _ => false,
        },
    }
}

fn value(field: Field) -> Value {
    match field {
        Field::Bool(x) => Value::Bool(x),
        Field::Byte(x) => x.into(),
        Field::Short(x) => x.into(),
        Field::Int(x) => x.into(),
        Field::Long(x) => x.into(),
        Field::UByte(x) => x.into(),
        Field::UShort(x) => x.into(),
        Field::UInt(x) => x.into(),
        Field::ULong(x) => x.into(),
        Field::Float(x) => Number::from_f64(f64::from(x)).map_or(Value::Null, Value::Number),
        Field::Double(x) => Number::from_f64(x).map_or(Value::Null, Value::Number),
        Field::Str(text) => Value::String(text),
        Field::Bytes(bytes) => Value::String(String::from_utf8_lossy(bytes.data()).into_owned()),
        Field::ListInternal(list) => list.elements().iter().cloned().map(value).collect(),
        Field::Group(group) => group
            .into_columns()
            .into_iter()
            .map(|(name, field)| (name, value(field)))
            .collect::<Map<_, _>>()
            .into(),
        // `readable` lets no other kind through.
        _ => Value::Null,
    }
}

pub(crate) fn unusable(path: &Path, error: &ParquetError) -> DataError {
    DataError::File {
        path: path.to_path_buf(),
        found: format!("Parquet that cannot be read ({error})"),
        expected: format!("a whole Parquet file, {COMPRESSIONS}"),
        remedy: "check that it was written or downloaded to its end".to_owned(),
    }
}

fn broken(path: &Path, at: At, error: &ParquetError) -> DataError {
    DataError::Syntax {
        place: Box::new(Place { path: path.to_path_buf(), at }),
        found: format!("Parquet that cannot be read ({error})"),
        expected: "a row".to_owned(),
        remedy: "check that it was written or downloaded to its end".to_owned(),
    }
}
