//! How diverse several sources are in their errors.
