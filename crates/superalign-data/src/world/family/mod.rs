//! The six families of task. Each draws a [`Scene`]: a context and questions about it.
//!
//! **Twins.** The right answer x and the first wrong answer y of a question are drawn as a pair, and a coin
//! decides which of them the question makes right. So, over all items, x is right against y as often as y
//! against x: the words of an item, its length and the place of the candidate say nothing about its label,
//! and only reading the context does.

mod arithmetic;
mod boolean;
mod chain;
mod counting;
mod lookup;
mod order;

pub(super) use chain::chains;

use super::draw::Draw;
use serde::{Deserialize, Serialize};

/// A family of task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Find one fact among distractors; difficulty is the number of facts.
    Lookup,
    /// Follow a relation; difficulty is the number of hops.
    Chain,
    /// Compare two names in a transitive order; difficulty is their distance.
    Order,
    /// Add two numbers; difficulty is digits and carries.
    Arithmetic,
    /// Evaluate a nested boolean expression; difficulty is the number of operators.
    Boolean,
    /// Count one kind of thing in a list; difficulty is the length of the list.
    Counting,
}

impl Family {
    /// All families, in the order of tables.
    pub const ALL: [Self; 6] =
        [Self::Lookup, Self::Chain, Self::Order, Self::Arithmetic, Self::Boolean, Self::Counting];

    /// The name of the family in tables and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lookup => "lookup",
            Self::Chain => "chain",
            Self::Order => "order",
            Self::Arithmetic => "arithmetic",
            Self::Boolean => "boolean",
            Self::Counting => "counting",
        }
    }

    /// Draws a scene of this family at a difficulty from 1 to 6.
    pub(super) fn scene(self, draw: &mut Draw<'_>, difficulty: u8) -> Scene {
        let d = usize::from(difficulty);
        match self {
            Self::Lookup => lookup::scene(draw, d),
            Self::Chain => chain::scene(draw, d),
            Self::Order => order::scene(draw, d),
            Self::Arithmetic => arithmetic::scene(draw, d),
            Self::Boolean => boolean::scene(draw, d),
            Self::Counting => counting::scene(draw, d),
        }
    }
}

/// A context and the questions that can be asked about it, the item's own first.
pub(super) struct Scene {
    pub(super) context: String,
    /// The context said again in another order, sentence by sentence: only the corpus does so.
    pub(super) recital: Vec<String>,
    pub(super) questions: Vec<Question>,
}

/// A question and its answers: the right one, its twin, then other wrong ones.
pub(super) struct Question {
    pub(super) text: String,
    pub(super) right: String,
    pub(super) twin: String,
    pub(super) others: Vec<String>,
}
