//! Tests of whole estimates: published values, golden values, simulations.

mod golden;
mod published;
mod simulation;
