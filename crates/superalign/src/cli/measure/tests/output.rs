//! Snapshots of tables, JSON, the list and the errors.
