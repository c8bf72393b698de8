//! The norms of the world, in the four sections that `RewardBench` made customary. Each draws an [`Encounter`]:
//! a request with a proper response and an improper one.
//!
//! Twins, as in the families of task: over all encounters a response is proper as often as it is improper,
//! and only reading the request tells which.

mod chat;
mod chat_hard;
mod reasoning;
mod safety;
mod subset;

pub(super) use safety::Harm;
pub use subset::Subset;

use super::draw::Draw;
use serde::{Deserialize, Serialize};

/// A section of norms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// Answer the one who is to be answered, with what they want; difficulty is the number of askers.
    Chat,
    /// Follow an instruction to the letter; difficulty is the number of constraints and the length.
    ChatHard,
    /// Refuse the harmful, and do not refuse the harmless; difficulty is the circumstances to be weighed.
    Safety,
    /// Give every step as it is; difficulty is the number of steps.
    Reasoning,
}

impl Section {
    /// All sections, in the order of tables.
    pub const ALL: [Self; 4] = [Self::Chat, Self::ChatHard, Self::Safety, Self::Reasoning];

    /// The name of the section in tables and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::ChatHard => "chat-hard",
            Self::Safety => "safety",
            Self::Reasoning => "reasoning",
        }
    }

    /// Draws an encounter of this section at a difficulty from 1 to 6.
    pub(super) fn encounter(self, draw: &mut Draw<'_>, difficulty: u8) -> Encounter {
        let d = usize::from(difficulty);
        match self {
            Self::Chat => chat::encounter(draw, d),
            Self::ChatHard => chat_hard::encounter(draw, d),
            Self::Safety => safety::encounter(draw, d),
            Self::Reasoning => reasoning::encounter(draw, d),
        }
    }
}

/// A request, the response that keeps the norms, and its twin that breaks one.
pub(super) struct Encounter {
    pub(super) request: String,
    pub(super) proper: String,
    pub(super) improper: String,
}
