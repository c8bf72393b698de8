//! Golden values of `agreement`.
