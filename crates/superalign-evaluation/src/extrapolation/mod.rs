//! Ability beyond the items that can be checked.
mod ability;
mod chance;
mod hermite;
mod item_response;
mod linear;
mod marginal;
mod responses;

pub use ability::{ability_mean, ability_top};
pub use item_response::{ItemModel, ItemPrior, ItemResponse, Items, Parameter, item_response};

#[cfg(test)]
mod tests;
