//! Ability beyond the items that can be checked.
//!
//! | function | what it gives |
//! |---|---|
//! | [`item_response`] | difficulty and slope of items, from persons' answers |
//! | [`ability_mean`], [`ability_top`] | what persons can do, given the items |
//! | [`fit`] | a [`Curve`] over difficulty or scale, from counts |
//! | [`profile`], [`resample`] | intervals of its parameters, shares and outcomes |
//! | [`backtest`], [`backtest_mixture`], [`by_horizon`] | how good its predictions were |
//! | [`stack`] | weights of several curves, by their held-out log-score |
//! | [`extrapolate`] | predictions beyond the data, no farther than was tested |

mod ability;
mod backtest;
mod chance;
mod curve;
mod fit;
mod hermite;
mod item_response;
mod linear;
mod marginal;
mod points;
mod predict;
mod profile;
mod resample;
mod responses;
mod search;

pub use ability::{ability_mean, ability_top};
pub use backtest::{Backtest, Forecast, Horizon, backtest, backtest_mixture, by_horizon, tested_reach};
pub use curve::{Bound, Curve, Trend};
pub use fit::{Fitted, fit};
pub use item_response::{ItemModel, ItemPrior, ItemResponse, Items, Parameter, item_response};
pub use points::{Points, Spacing};
pub use predict::{Beyond, Extrapolation, Prediction, Reach, extrapolate, stack, stack_scores};
pub use profile::{Target, profile};
pub use resample::{Resampled, Resampling, resample};

#[cfg(test)]
mod tests;
