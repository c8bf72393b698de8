//! Golden values of `collapse`.
