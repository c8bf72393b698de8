//! The shape of an item, whatever its source: a task with candidate answers, or one candidate to be judged.

use serde::{Deserialize, Serialize};

/// A task: context, question, candidate answers, and which one is right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Stable name, unique within its source.
    pub id: String,
    /// Items that share a source (a passage, a world) share a group; splits never divide one.
    pub group: String,
    /// What is given; may be empty.
    pub context: String,
    /// What is asked.
    pub question: String,
    /// The candidate answers, at least two, all different.
    pub choices: Vec<String>,
    /// Position of the right one in `choices`.
    pub gold: usize,
    /// What kind of task it is.
    #[serde(default)]
    pub tags: Tags,
}

/// One candidate to be judged: the binary form of a task, as in the weak-to-strong literature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BinaryItem {
    /// Stable name, unique within its source.
    pub id: String,
    /// As in [`Task::group`].
    pub group: String,
    /// The whole text that a model reads.
    pub text: String,
    /// Whether the candidate is right (competence), or proper (conformity).
    pub label: bool,
    /// What kind of item it is.
    #[serde(default)]
    pub tags: Tags,
}

/// A request with a better and a worse response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preference {
    /// Stable name, unique within its source.
    pub id: String,
    /// As in [`Task::group`].
    pub group: String,
    /// The request.
    pub prompt: String,
    /// The better response.
    pub chosen: String,
    /// The worse response.
    pub rejected: String,
    /// What kind of pair it is.
    #[serde(default)]
    pub tags: Tags,
}

/// What kind of item it is: the columns by which results are broken down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tags {
    /// Which of the two objectives its label speaks about.
    pub objective: Objective,
    /// Family of task or section of norms (`lookup`, `chat-hard`), or the file's subset.
    pub family: String,
    /// Difficulty from 1 to 6, where the source knows it.
    pub difficulty: Option<u8>,
    /// Whether competence and conformity are at odds on this item.
    pub conflict: bool,
}

/// The two objectives of the paper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// Is the task solved.
    #[default]
    Competence,
    /// Does the response keep the norms.
    Conformity,
}
