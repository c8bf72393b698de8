//! Tests of the trainer from outside, one module per theme.

mod gradient;
