//! Golden values of `ensemble`.
