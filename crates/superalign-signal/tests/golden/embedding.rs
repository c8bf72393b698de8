//! Golden values of `embedding`.
