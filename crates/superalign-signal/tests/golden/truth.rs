//! Golden values of `truth`.
