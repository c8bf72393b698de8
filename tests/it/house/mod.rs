//! The rules of the house: what a reader may rely on without reading all of it.

mod documents;
mod layers;
mod sources;
mod workspace;
