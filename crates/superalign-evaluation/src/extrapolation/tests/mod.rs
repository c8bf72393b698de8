//! Tests of whole estimates: published values, golden values, simulations.

mod published;
