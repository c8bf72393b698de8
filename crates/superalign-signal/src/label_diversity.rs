//! How diverse labels are.
