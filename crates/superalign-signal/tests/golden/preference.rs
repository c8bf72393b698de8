//! Golden values of `preference`.
