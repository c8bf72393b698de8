//! Golden values of `text`.
