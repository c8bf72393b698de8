//! Rows of the Parquet files of a run.

use super::RecordError;
use arrow::array::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::path::Path;

/// The rows of a file's bytes; `rows_of` adds those of a batch, or says by `None` that its columns are others.
pub(super) fn rows<R>(
    path: &Path,
    bytes: Vec<u8>,
    expected: &str,
    rows_of: impl Fn(&RecordBatch, &mut Vec<R>) -> Option<()>,
) -> Result<Vec<R>, RecordError> {
    let broken = |found: String| RecordError::Damaged {
        path: path.to_owned(),
        line: None,
        found,
        expected: expected.to_owned(),
    };
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes))
        .and_then(ParquetRecordBatchReaderBuilder::build)
        .map_err(|e| broken(e.to_string()))?;
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|e| broken(e.to_string()))?;
        rows_of(&batch, &mut rows).ok_or_else(|| broken("other columns".to_owned()))?;
    }
    Ok(rows)
}
