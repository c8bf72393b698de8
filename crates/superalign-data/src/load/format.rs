//! The layouts of columns that the loader knows, and how it tells them apart.

use super::row::{CONFLICT, DIFFICULTY, FAMILY, GROUP, ID, OBJECTIVE, Row};
use crate::error::{DataError, nearest, quoted};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// A layout of columns (keys), in any container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// CosmosQA (Huang et al. 2019): context, question, answer0 to answer3, label (0 to 3).
    CosmosQa,
    /// SciQ (Welbl et al. 2017): question, correct_answer, distractor1 to distractor3, optional support.
    ///
    /// The right answer takes a position that a hash of the question draws, so its position says nothing.
    SciQ,
    /// BoolQ (Clark et al. 2019): question, passage, answer (true or false); choices are `yes` and `no`.
    BoolQ,
    /// LLMBar (Zeng et al. 2024): input, output_1, output_2, label (1 or 2). The file's name is the family.
    LlmBar,
    /// RewardBench (Lambert et al. 2024): prompt, chosen, rejected, subset. Ids are `{subset}/{id}`.
    RewardBench,
    /// Dialogues in the style of Anthropic's HH: chosen and rejected hold the whole dialogue.
    ///
    /// The prompt is their common beginning up to the last `Assistant:`; the group is that of the first turn.
    Hh,
    /// Your own tasks: question, choices, label.
    Tasks,
    /// Your own preferences: chosen, rejected, optional prompt.
    Preferences,
}

/// What columns are for: the role, the names that it goes by, and whether the format needs it.
type Role = (&'static str, &'static [&'static str], bool);

pub(super) const QUESTION: &[&str] = &["question"];
pub(super) const CONTEXT: &[&str] = &["context", "passage", "support"];
pub(super) const LABEL: &[&str] = &["label", "answer", "answerKey", "gold"];
pub(super) const CHOICES: &[&str] = &["choices", "choice0", "choice1"];
pub(super) const BOOLEAN: &[&str] = &["answer", "label"];
pub(super) const PROMPT: &[&str] = &["prompt", "instruction"];
pub(super) const TITLE: &[&str] = &["title"];

/// Roles that every format may have.
const COMMON: [Role; 6] = [
    ("id", ID, false),
    ("group", GROUP, false),
    ("family", FAMILY, false),
    ("difficulty", DIFFICULTY, false),
    ("objective", OBJECTIVE, false),
    ("conflict", CONFLICT, false),
];

impl Format {
    /// All formats, in the order in which they are tried.
    pub const ALL: [Self; 8] = [
        Self::CosmosQa,
        Self::SciQ,
        Self::LlmBar,
        Self::RewardBench,
        Self::Tasks,
        Self::BoolQ,
        Self::Hh,
        Self::Preferences,
    ];

    /// The name by which it is chosen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CosmosQa => "cosmosqa",
            Self::SciQ => "sciq",
            Self::BoolQ => "boolq",
            Self::LlmBar => "llmbar",
            Self::RewardBench => "rewardbench",
            Self::Hh => "hh",
            Self::Tasks => "tasks",
            Self::Preferences => "preferences",
        }
    }

    /// The name by which it is known.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::CosmosQa => "CosmosQA",
            Self::SciQ => "SciQ",
            Self::BoolQ => "BoolQ",
            Self::LlmBar => "LLMBar",
            Self::RewardBench => "RewardBench",
            Self::Hh => "HH dialogues",
            Self::Tasks => "tasks",
            Self::Preferences => "preferences",
        }
    }

    /// Whether it is the format of a published collection, whose flawed rows are skipped and counted, not refused.
    #[must_use]
    pub const fn is_published(self) -> bool {
        !matches!(self, Self::Tasks | Self::Preferences)
    }

    pub(super) const fn holds_tasks(self) -> bool {
        matches!(self, Self::CosmosQa | Self::SciQ | Self::BoolQ | Self::Tasks)
    }

    /// Its own roles.
    const fn roles(self) -> &'static [Role] {
        match self {
            Self::CosmosQa => &[
                ("question", QUESTION, true),
                ("context", &["context"], true),
                ("choices", &["answer0"], true),
                ("choices", &["answer1"], true),
                ("choices", &["answer2"], true),
                ("choices", &["answer3"], true),
                ("right answer", &["label"], true),
            ],
            Self::SciQ => &[
                ("question", QUESTION, true),
                ("context", &["support"], false),
                ("right answer", &["correct_answer"], true),
                ("wrong answers", &["distractor1"], true),
                ("wrong answers", &["distractor2"], true),
                ("wrong answers", &["distractor3"], true),
            ],
            Self::BoolQ => &[
                ("question", QUESTION, true),
                ("context", &["passage"], true),
                ("right answer", BOOLEAN, true),
                ("source", TITLE, false),
            ],
            Self::LlmBar => &[
                ("prompt", &["input"], true),
                ("responses", &["output_1"], true),
                ("responses", &["output_2"], true),
                ("better one", &["label"], true),
            ],
            Self::RewardBench => &[
                ("prompt", &["prompt"], true),
                ("better response", &["chosen"], true),
                ("worse response", &["rejected"], true),
                ("family", &["subset"], true),
            ],
            Self::Hh => &[("better dialogue", &["chosen"], true), ("worse dialogue", &["rejected"], true)],
            Self::Tasks => &[
                ("question", QUESTION, true),
                ("context", CONTEXT, false),
                ("choices", CHOICES, true),
                ("right answer", LABEL, true),
            ],
            Self::Preferences => &[
                ("prompt", PROMPT, false),
                ("better response", &["chosen"], true),
                ("worse response", &["rejected"], true),
            ],
        }
    }

    /// The names that it needs and that are not among the columns; of several names for one role, the first.
    fn lacks(self, columns: &[String]) -> Vec<&'static str> {
        let absent = |names: &[&str]| !columns.iter().any(|column| names.contains(&column.as_str()));
        self.roles().iter().filter(|role| role.2 && absent(role.1)).map(|role| role.1[0]).collect()
    }

    /// The format of these columns; the first record tells dialogues from plain responses.
    pub(super) fn recognise(path: &Path, columns: &[String], first: &Row) -> Result<Self, DataError> {
        let dialogue = |name| first.peek(name).is_some_and(|text| text.contains("Assistant:"));
        let fits = |format: &Self| {
            format.lacks(columns).is_empty()
                && (*format != Self::Hh
                    || (!first.has_any(PROMPT) && dialogue("chosen") && dialogue("rejected")))
        };
        if let Some(format) = Self::ALL.into_iter().find(fits) {
            return Ok(format);
        }
        // The nearest: the most of its columns there, a slip of spelling counted as half there.
        let score = |format: &Self| {
            let lacks = format.lacks(columns);
            let slips =
                lacks.iter().filter(|name| nearest(name, columns.iter().map(String::as_str)).is_some());
            let needs = format.roles().iter().filter(|role| role.2).count();
            ((2 * (needs - lacks.len()) + slips.count()) * 100 / (2 * needs), usize::MAX - lacks.len())
        };
        let nearest_format = Self::ALL.into_iter().max_by_key(score).filter(|format| score(format).0 > 0);
        Err(match nearest_format {
            Some(format) => format.unfit(path, columns),
            None => DataError::Columns {
                path: path.to_path_buf(),
                found: columns.to_vec(),
                expected:
                    "`question`, `choices` and `label` (tasks), or `chosen` and `rejected` (preferences)"
                        .to_owned(),
                remedy: "rename the columns; if the file has no header line, write one".to_owned(),
            },
        })
    }

    /// Whether the columns hold what this format needs.
    pub(super) fn check(self, path: &Path, columns: &[String]) -> Result<(), DataError> {
        if self.lacks(columns).is_empty() { Ok(()) } else { Err(self.unfit(path, columns)) }
    }

    fn unfit(self, path: &Path, columns: &[String]) -> DataError {
        let lacks = self.lacks(columns);
        let spare: Vec<&str> =
            columns.iter().map(String::as_str).filter(|c| self.role(c).is_none()).collect();
        let slips: Vec<String> = lacks
            .iter()
            .filter_map(|name| {
                nearest(name, spare.iter().copied()).map(|near| format!("`{near}` to `{name}`"))
            })
            .collect();
        let remedy = match slips.is_empty() {
            true => format!("add {}, or name the format that the file has", quoted(&lacks)),
            false => format!("a slip? Rename {}", slips.join(", ")),
        };
        DataError::Columns {
            path: path.to_path_buf(),
            found: columns.to_vec(),
            expected: format!("also {} for the format `{}`", quoted(&lacks), self.name()),
            remedy,
        }
    }

    /// What the column is for, if anything.
    fn role(self, column: &str) -> Option<&'static str> {
        if self == Self::Tasks && numbered(column).is_some() {
            return Some("choices");
        }
        self.roles().iter().chain(&COMMON).find(|role| role.1.contains(&column)).map(|role| role.0)
    }

    /// A sentence: which column was taken for what, and which were ignored.
    pub(super) fn understood(self, columns: &[String]) -> String {
        let mut roles: Vec<(&str, Vec<&str>)> = Vec::new();
        let mut ignored = Vec::new();
        for column in columns {
            match self.role(column) {
                None => ignored.push(column),
                Some(role) => match roles.iter_mut().find(|(name, _)| *name == role) {
                    Some((_, names)) => names.push(column),
                    None => roles.push((role, vec![column])),
                },
            }
        }
        let order = |role: &str| self.roles().iter().chain(&COMMON).position(|r| r.0 == role);
        roles.sort_by_key(|(role, _)| order(role));
        let taken: Vec<String> =
            roles.iter().map(|(role, names)| format!("{role} from {}", quoted(names))).collect();
        let has = |role: &str| roles.iter().any(|(name, _)| *name == role);
        let mut sentence = format!("Columns: {}", taken.join("; "));
        if !has("id") {
            sentence.push_str("; id from the number of the row");
        }
        if !has("group") {
            let source = match self {
                Self::BoolQ if has("source") => "title",
                Self::CosmosQa | Self::BoolQ => "context",
                _ if self.holds_tasks() && has("context") => "context (without one, the same question)",
                _ if self.holds_tasks() => "question",
                _ if self == Self::Hh => "first turn",
                _ if has("prompt") => "prompt",
                _ => "text",
            };
            sentence.push_str(&format!("; rows with the same {source} form a group"));
        }
        if !ignored.is_empty() {
            sentence.push_str(&format!("; ignored: {}", quoted(&ignored)));
        }
        sentence.push('.');
        sentence
    }

    /// Whether any format reads a column of this name.
    pub(super) fn known_to_any(column: &str) -> bool {
        Self::ALL.into_iter().any(|format| format.role(column).is_some())
    }
}

/// The number of a column `choice0`, `choice1` and so on.
pub(super) fn numbered(column: &str) -> Option<usize> {
    let digits = column.strip_prefix("choice")?;
    (digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = DataError;

    /// The format of that [`Format::name`].
    fn from_str(name: &str) -> Result<Self, DataError> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            DataError::Format {
                found: name.to_owned(),
                expected: quoted(&names),
                remedy: match nearest(name, names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "leave it out to have it recognised".to_owned(),
                },
            }
        })
    }
}
