//! The integration tests of the workspace: one binary, a module per theme.

mod house;
mod support;
mod web;
mod world;
