//! Tests of whole estimates: published values, golden values, simulations.

mod golden;
mod input;
mod published;
mod simulation;
