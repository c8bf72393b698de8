//! Parquet where the feature is off: an error that says so.

use super::Rows;
use crate::error::DataError;
use std::path::Path;

/// Refuses the file.
pub(super) fn rows(path: &Path, _wanted: impl Fn(&str) -> bool) -> Result<Rows, DataError> {
    Err(super::no_parquet(path))
}
