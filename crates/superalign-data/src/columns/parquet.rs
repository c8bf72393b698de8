//! Parquet into columns, through Arrow: whole columns at a time.

use super::Column;
use super::build::Builder;
use crate::error::DataError;
use crate::load::container::unreadable;
use crate::load::parquet::{check_chunks, check_compression, guarded, unusable};
use arrow::array::{Array, ArrayRef, AsArray as _, LargeListArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, UInt64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// The columns of the file and its number of rows.
pub(super) fn read(path: &Path, told: &mut dyn FnMut(u64)) -> Result<(usize, Vec<Column>), DataError> {
    guarded(|| Ok(read_whole(path, told))).unwrap_or_else(|error| Err(unusable(path, &error)))
}

fn read_whole(path: &Path, told: &mut dyn FnMut(u64)) -> Result<(usize, Vec<Column>), DataError> {
    let file = File::open(path).map_err(|e| unreadable(path, &e))?;
    let bytes = file.metadata().map_or(0, |meta| meta.len());
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| unusable(path, &e))?;
    check_compression(path, builder.metadata())?;
    check_chunks(path, builder.metadata())?;
    let mut columns: Vec<Builder> =
        builder.schema().fields().iter().map(|field| Builder::new(field.name(), 0)).collect();
    let all = builder.metadata().file_metadata().num_rows();
    let batches = builder.with_batch_size(1 << 14).build().map_err(|e| unusable(path, &e))?;
    let mut rows = 0;
    for batch in batches {
        let batch = batch.map_err(|e| unusable(path, &ParquetError::ArrowError(e.to_string())))?;
        rows += batch.num_rows();
        for (column, array) in columns.iter_mut().zip(batch.columns()) {
            push(column, array);
        }
        // What of the file these rows are, one can only guess.
        told((bytes as f64 * (rows as f64 / all.max(1) as f64).min(1.0)) as u64);
    }
    Ok((rows, columns.into_iter().map(Builder::finish).collect()))
}

fn push(column: &mut Builder, array: &ArrayRef) {
    let data_type = array.data_type().clone();
    let other = |column: &mut Builder| {
        let found = format!("values of type {data_type}");
        (0..array.len()).for_each(|_| column.push_other(&found));
    };
    match &data_type {
        DataType::Null => (0..array.len()).for_each(|_| column.push_nothing()),
        DataType::Boolean => array.as_boolean().iter().for_each(|cell| match cell {
            None => column.push_nothing(),
            Some(truth) => column.push_text(if truth { "true" } else { "false" }),
        }),
        // An f64 would change whole numbers beyond 2^53: they are identifiers.
        DataType::Int64 => array.as_primitive::<Int64Type>().iter().for_each(|cell| match cell {
            None => column.push_nothing(),
            Some(x) if x.unsigned_abs() > 1 << 53 => column.push_text(&x.to_string()),
            Some(x) => column.push_number(x as f64),
        }),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().iter().for_each(|cell| match cell {
            None => column.push_nothing(),
            Some(x) if x > 1 << 53 => column.push_text(&x.to_string()),
            Some(x) => column.push_number(x as f64),
        }),
        data_type if data_type.is_numeric() => match cast(array, &DataType::Float64) {
            Err(_) => other(column),
            Ok(numbers) => numbers.as_primitive::<Float64Type>().iter().for_each(|cell| match cell {
                Some(x) if !x.is_nan() => column.push_number(x),
                _ => column.push_nothing(),
            }),
        },
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
            match cast(array, &DataType::LargeUtf8) {
                Err(_) => other(column),
                Ok(texts) => texts.as_string::<i64>().iter().for_each(|cell| match cell {
                    None => column.push_nothing(),
                    Some(text) => column.push_text(text),
                }),
            }
        }
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => {
            let wanted = wide(&data_type);
            match wanted.and_then(|wanted| cast(array, &wanted).ok()) {
                None => other(column),
                Some(lists) => push_lists(column, lists.as_list::<i64>()),
            }
        }
        _ => other(column),
    }
}

/// The type of lists with long offsets and f64 inside, as deep as the given one.
fn wide(data_type: &DataType) -> Option<DataType> {
    let inner = match data_type {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            wide(field.data_type())?
        }
        data_type if data_type.is_numeric() => return Some(DataType::Float64),
        _ => return None,
    };
    Some(DataType::LargeList(Arc::new(Field::new("item", inner, true))))
}

fn push_lists(column: &mut Builder, lists: &LargeListArray) {
    let (mut shape, mut values) = (Vec::new(), Vec::new());
    for i in 0..lists.len() {
        if lists.is_null(i) {
            column.push_nothing();
            continue;
        }
        shape.clear();
        values.clear();
        match flatten(&lists.value(i), 1, &mut shape, &mut values) {
            Some(()) => column.push_values(&shape, &values),
            None => column.push_other("lists of several lengths"),
        }
    }
}

/// The numbers of a list and its shape, `depth` levels down.
fn flatten(list: &ArrayRef, depth: usize, shape: &mut Vec<usize>, values: &mut Vec<f64>) -> Option<()> {
    match shape.get(depth - 1) {
        None => shape.push(list.len()),
        Some(&length) if length == list.len() => {}
        Some(_) => return None,
    }
    if let DataType::LargeList(_) = list.data_type() {
        let lists = list.as_list::<i64>();
        return (0..lists.len()).try_for_each(|i| flatten(&lists.value(i), depth + 1, shape, values));
    }
    values.extend(list.as_primitive::<Float64Type>().iter().map(|cell| cell.unwrap_or(f64::NAN)));
    Some(())
}
