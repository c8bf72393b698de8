//! Tests of the trainer from outside, one module per theme.

mod common;
mod errors;
mod folder;
mod golden;
mod gradient;
mod scoring;
mod training;
