//! Who said what about an item.

use serde::{Deserialize, Serialize};

/// The whole exchange about one item, to be read again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// The item.
    pub item: String,
    /// How the exchange went (`debate`, `self-critique`).
    pub protocol: String,
    /// The seed.
    pub seed: u64,
    /// What was said, in order.
    pub turns: Vec<Turn>,
    /// What came of it: the probability that the item is right.
    pub verdict: f64,
}

/// One utterance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// The role that speaks (`judge`, `advisor for yes`).
    pub role: String,
    /// The model that plays it.
    pub model: String,
    /// What it was asked, word for word.
    pub prompt: String,
    /// What it said.
    pub text: String,
    /// What it quoted from the context.
    pub quotes: Vec<Quote>,
    /// The probability that it gives to the item's being right, where it was asked for one.
    pub probability: Option<f64>,
    /// Tokens read and written.
    pub tokens: u64,
}

/// Words that a speaker presents as taken from the context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// The words.
    pub text: String,
    /// Whether the context really has them.
    pub verified: bool,
}
