//! What a column can be for, under which names it goes, and which column of a file is what.

use super::pairs;
use crate::columns::{Cells, Column, Columns};
use crate::error::{DataError, nearest};
use std::fmt;
use std::str::FromStr;

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// What is judged: the name of an item, or of a prompt.
    Item,
    /// Who judged: annotator, rater, worker.
    Annotator,
    /// The label that was given.
    Label,
    /// The label that is right.
    Gold,
    /// The labels of one annotator, or the answers of one source: one column each.
    Rating,
    /// The probability of one class (one column each), or a list of those of all classes.
    Probability,
    /// Log-odds in place of probabilities.
    Logit,
    /// Predictions of several members: for each row a list of members, each a list of probabilities.
    Members,
    /// One coordinate of an embedding (one column each), or a list of all.
    Embedding,
    /// A text.
    Text,
    /// How often a category came up.
    Count,
    /// How likely a category is by the reference.
    Reference,
    /// Who judged a pair.
    Judge,
    /// The candidate shown first, or on the left.
    Left,
    /// The candidate shown second, or on the right.
    Right,
    /// Which of the two won.
    Winner,
    /// By how much the candidate on the left won: a number above 0 where it did, below 0 where the other did.
    MarginLeft,
    /// By how much the candidate on the right won.
    MarginRight,
    /// Which of the two won when they were shown the other way round.
    WinnerSwapped,
    /// The same, but by the places in which the two stand in the row, not by those in which they were shown.
    WinnerUnswapped,
    /// Length of the candidate on the left.
    LengthLeft,
    /// Length of the candidate on the right.
    LengthRight,
    /// Who wrote the candidate on the left.
    AuthorLeft,
    /// Who wrote the candidate on the right.
    AuthorRight,
    /// Whether the two were shown the other way round.
    Swapped,
    /// A column to pass over.
    Ignore,
}

/// A role, the name that chooses it, the names of columns that have it, and those to which a number is added.
struct Names {
    role: Role,
    name: &'static str,
    columns: &'static [&'static str],
    numbered: &'static [&'static str],
}

const fn names(
    role: Role,
    name: &'static str,
    columns: &'static [&'static str],
    numbered: &'static [&'static str],
) -> Names {
    Names { role, name, columns, numbered }
}

/// Every role. Where two would take a column, the first does.
const ROLES: [Names; 26] = [
    names(
        Role::Item,
        "item",
        &[
            "item",
            "item_id",
            "id",
            "idx",
            "task",
            "task_id",
            "question_id",
            "example_id",
            "unit",
            "instance",
            "instance_id",
            "sample_id",
            "subject",
            "patient",
            "prompt_id",
            "prompt",
            "question",
            "example",
            "mode",
        ],
        &[],
    ),
    names(
        Role::Annotator,
        "annotator",
        &[
            "annotator",
            "annotator_id",
            "worker",
            "worker_id",
            "rater",
            "rater_id",
            "coder",
            "labeler",
            "labeller",
            "observer",
            "respondent",
            "user",
            "user_id",
        ],
        &[],
    ),
    names(
        Role::Judge,
        "judge",
        &["judge", "judge_id", "judge_name", "judge_model", "reviewer", "evaluator", "grader", "critic"],
        &[],
    ),
    names(
        Role::Gold,
        "gold",
        &["gold", "gold_label", "truth", "true_label", "ground_truth", "target", "correct", "y_true"],
        &[],
    ),
    names(
        Role::Label,
        "label",
        &[
            "label",
            "labels",
            "given_label",
            "noisy_label",
            "y",
            "class",
            "category",
            "vote",
            "rating",
            "answer",
            "response_label",
        ],
        &[],
    ),
    names(Role::Members, "members", &["members", "member_probabilities"], &[]),
    names(Role::Logit, "logit", &["logit", "logits"], &["logit", "logits"]),
    names(
        Role::Probability,
        "probability",
        &[
            "p",
            "prob",
            "probs",
            "probability",
            "probabilities",
            "pred_probs",
            "proba",
            "probas",
            "confidence",
            "soft_label",
            "soft_labels",
        ],
        &["p", "prob", "probs", "probability", "proba", "pred_prob", "pred_probs"],
    ),
    names(
        Role::Embedding,
        "embedding",
        &["embedding", "embeddings", "vector", "vectors", "features", "feature", "values"],
        &["e", "emb", "embedding", "dim", "feature", "x"],
    ),
    names(
        Role::Text,
        "text",
        &[
            "text",
            "texts",
            "completion",
            "generation",
            "generated",
            "output",
            "response",
            "sentence",
            "content",
        ],
        &[],
    ),
    names(Role::Count, "count", &["count", "counts", "frequency", "n"], &[]),
    names(
        Role::Reference,
        "reference",
        &["reference", "reference_probability", "reference_count", "expected"],
        &[],
    ),
    names(Role::Left, "left", &["left", "model_a", "a", "first", "player_a", "candidate_a"], &[]),
    names(Role::Right, "right", &["right", "model_b", "b", "second", "player_b", "candidate_b"], &[]),
    names(
        Role::Winner,
        "winner",
        &[
            "winner",
            "outcome",
            "preferred",
            "preference",
            "choice",
            "verdict",
            "winner_order1",
            "winner_original",
        ],
        &[],
    ),
    names(
        Role::WinnerSwapped,
        "winner-swapped",
        &["winner_swapped", "swapped_winner", "winner_reversed"],
        &[],
    ),
    // What columns mean here, only their writers know, whatever they are called.
    names(Role::MarginLeft, "margin-left", &[], &[]),
    names(Role::MarginRight, "margin-right", &[], &[]),
    names(Role::WinnerUnswapped, "winner-unswapped", &[], &[]),
    names(
        Role::LengthLeft,
        "length-left",
        &[
            "length_left",
            "length-left",
            "len_left",
            "len_a",
            "length_a",
            "left_length",
            "response_a",
            "answer_a",
        ],
        &[],
    ),
    names(
        Role::LengthRight,
        "length-right",
        &[
            "length_right",
            "length-right",
            "len_right",
            "len_b",
            "length_b",
            "right_length",
            "response_b",
            "answer_b",
        ],
        &[],
    ),
    names(Role::AuthorLeft, "author-left", &["author_left", "author-left", "author_a", "left_author"], &[]),
    names(
        Role::AuthorRight,
        "author-right",
        &["author_right", "author-right", "author_b", "right_author"],
        &[],
    ),
    names(Role::Swapped, "swapped", &["swapped", "reversed", "order"], &[]),
    names(
        Role::Rating,
        "rating",
        &["ratings", "votes", "annotations"],
        &[
            "annotator",
            "rater",
            "worker",
            "coder",
            "judge",
            "expert",
            "labeler",
            "labeller",
            "source",
            "teacher",
            "model",
            "r",
        ],
    ),
    names(Role::Ignore, "ignore", &[], &[]),
];

/// Names of columns that may say who won, where two candidates are (and not annotators called by letters).
const LOOSE_WINNERS: [&str; 7] =
    ["score", "majority", "result", "decision", "better", "judgement", "judgment"];
/// Names of columns that are labels, where there are items and annotators and nothing has a better name.
const LOOSE_LABELS: [&str; 6] = ["score", "grade", "value", "judgement", "judgment", "decision"];

impl Role {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        ROLES.iter().find(|names| names.role == self).map_or("", |names| names.name)
    }

    /// Whether several columns can have it.
    #[must_use]
    pub const fn many(self) -> bool {
        matches!(self, Self::Rating | Self::Probability | Self::Logit | Self::Embedding | Self::Ignore)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let wanted = text.trim().to_lowercase().replace('_', "-");
        if let Some(names) = ROLES.iter().find(|names| names.name == wanted) {
            return Ok(names.role);
        }
        let all: Vec<&str> = ROLES.iter().map(|names| names.name).collect();
        let remedy = match nearest(&wanted, all.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "name one of them, as in `item=question,annotator=who`".to_owned(),
        };
        Err(DataError::Name { what: "role", found: text.to_owned(), expected: all.join(", "), remedy })
    }
}

/// The columns of each role, in the order of the file; classes and coordinates by their numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Roles<'a> {
    taken: Vec<(Role, &'a Column)>,
    left: Vec<&'a Column>,
}

impl<'a> Roles<'a> {
    /// Gives the columns that were named their roles, and the others those of their names.
    pub(super) fn assign(file: &'a Columns, named: &[(Role, String)]) -> Result<Self, DataError> {
        let mut roles = Self::default();
        for (role, name) in named {
            let column = file.get(name).ok_or_else(|| {
                let names = file.names();
                let remedy = match nearest(name, names.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "name one of these columns".to_owned(),
                };
                DataError::Columns {
                    path: file.path.clone(),
                    found: names,
                    expected: format!("the column `{name}`"),
                    remedy,
                }
            })?;
            roles.taken.push((*role, column));
        }
        for column in &file.columns {
            if roles.taken.iter().any(|(_, taken)| taken.name == column.name) {
                continue;
            }
            match role_of(&plain(&column.name), column)
                .filter(|&role| role.many() || roles.one(role).is_none())
            {
                Some(role) => roles.taken.push((role, column)),
                None => roles.left.push(column),
            }
        }
        if let Some(column) = roles.loose_winner().filter(|column| pairs::are_sides(column)) {
            roles.give(Role::Winner, &[column]);
        }
        for role in [Role::Probability, Role::Logit, Role::Embedding] {
            // Whole numbers of which some are above 1 are grades, not probabilities.
            let columns = roles.all(role);
            let free = columns.iter().all(|column| !named.iter().any(|(_, name)| *name == column.name));
            if role == Role::Probability && free && are_grades(&columns) {
                roles.free(role);
            }
            // A text among numbers of one name is a mistake in the file, to be told later.
            if roles.has(role) {
                let texts = |column: &&&Column| matches!(column.cells, Cells::Texts(_) | Cells::Mixed { .. });
                let texts: Vec<&Column> = roles
                    .left
                    .iter()
                    .filter(texts)
                    .filter(|column| numbered(role, &column.name))
                    .copied()
                    .collect();
                roles.give(role, &texts);
            }
            roles.sort(role);
        }
        Ok(roles)
    }

    /// The column of a role, unless it has several or none.
    pub(super) fn one(&self, role: Role) -> Option<&'a Column> {
        self.taken.iter().find(|(taken, _)| *taken == role).map(|(_, column)| *column)
    }

    pub(super) fn all(&self, role: Role) -> Vec<&'a Column> {
        self.taken.iter().filter(|(taken, _)| *taken == role).map(|(_, column)| *column).collect()
    }

    pub(super) fn has(&self, role: Role) -> bool {
        self.one(role).is_some()
    }

    /// The columns that have no role, without those that have no name.
    pub(super) fn left(&self) -> impl Iterator<Item = &'a Column> + '_ {
        self.left.iter().copied().filter(|column| !column.name.is_empty())
    }

    /// The column that is the label where items and annotators are, and nothing has a better name.
    pub(super) fn loose_label(&self) -> Option<&'a Column> {
        let suits = |column: &&Column| {
            matches!(column.cells, Cells::Numbers(_) | Cells::Texts(_))
                && LOOSE_LABELS.contains(&plain(&column.name).as_str())
        };
        self.left().find(suits)
    }

    /// The column that may say which of two candidates won, where nothing has a better name.
    pub(super) fn loose_winner(&self) -> Option<&'a Column> {
        let two = self.one(Role::Left).filter(|left| self.has(Role::Right) && left.name.len() > 3);
        two.filter(|_| !self.decided())?;
        self.left().find(|column| LOOSE_WINNERS.contains(&plain(&column.name).as_str()))
    }

    /// Whether a column says which of two candidates won.
    pub(super) fn decided(&self) -> bool {
        [Role::Winner, Role::MarginLeft, Role::MarginRight].into_iter().any(|role| self.has(role))
    }

    /// Gives a column a role that has none.
    pub(super) fn stand_in(&mut self, role: Role, column: Option<&'a Column>) {
        if let Some(column) = column.filter(|_| !self.has(role)) {
            self.give(role, &[column]);
        }
    }

    /// Gives the columns a role, whatever they had.
    pub(super) fn give(&mut self, role: Role, columns: &[&'a Column]) {
        self.left.retain(|left| columns.iter().all(|column| column.name != left.name));
        self.taken.retain(|(_, taken)| columns.iter().all(|column| column.name != taken.name));
        self.taken.extend(columns.iter().map(|column| (role, *column)));
    }

    /// Takes a role away from its columns.
    pub(super) fn free(&mut self, role: Role) {
        let freed: Vec<&'a Column> = self.all(role);
        self.taken.retain(|(taken, _)| *taken != role);
        self.left.extend(freed);
    }

    /// Each role that has columns, with their names.
    pub(super) fn named(&self) -> Vec<(Role, Vec<String>)> {
        let mut named: Vec<(Role, Vec<String>)> = Vec::new();
        for (role, column) in self.taken.iter().filter(|(role, _)| *role != Role::Ignore) {
            match named.iter_mut().find(|(of, _)| of == role) {
                Some((_, columns)) => columns.push(column.name.clone()),
                None => named.push((*role, vec![column.name.clone()])),
            }
        }
        named
    }

    /// The error for a role that has no column.
    pub(super) fn missing(file: &Columns, role: Role, what: &str) -> DataError {
        let names = ROLES.iter().find(|names| names.role == role);
        let columns = names.map_or(&[][..], |names| names.columns);
        let found = file.names();
        let near = columns.iter().find_map(|name| nearest(name, found.iter().map(String::as_str)));
        let remedy = match near {
            Some(near) => format!("if `{near}` is that column, say `--columns {role}={near}`"),
            None => format!("name it with `--columns {role}=NAME`"),
        };
        let such = columns.first().map_or(String::new(), |name| format!(", such as `{name}`"));
        let expected = format!("a column for the role {role}{such}, to be read as {what}");
        DataError::Columns { path: file.path.clone(), found, expected, remedy }
    }

    /// Sorts the columns of a role by the numbers at the ends of their names, where all have one.
    fn sort(&mut self, role: Role) {
        let mut columns = self.all(role);
        let number = |column: &&Column| {
            let digits = column.name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            column.name[digits..].parse::<u64>().ok()
        };
        if columns.len() > 1 && columns.iter().all(|column| number(column).is_some()) {
            columns.sort_by_key(number);
            self.taken.retain(|(taken, _)| *taken != role);
            self.taken.extend(columns.into_iter().map(|column| (role, column)));
        }
    }
}

/// A name of a column as the tables here write it.
fn plain(name: &str) -> String {
    name.to_lowercase().replace([' ', '-', '.'], "_")
}

/// Whether all cells are whole numbers, some of them above 1.
fn are_grades(columns: &[&Column]) -> bool {
    let numbers = columns.iter().map(|column| match &column.cells {
        Cells::Numbers(numbers) => Some(numbers.iter().filter(|x| !x.is_nan())),
        _ => None,
    });
    let Some(numbers) = numbers.collect::<Option<Vec<_>>>() else { return false };
    let mut above = false;
    let whole = numbers.into_iter().flatten().all(|x| {
        above |= *x > 1.0;
        x.fract() == 0.0
    });
    whole && above
}

/// Whether the name is that of one of several columns of the role, by its number.
fn numbered(role: Role, name: &str) -> bool {
    let name = name.to_lowercase();
    let prefixes = ROLES.iter().filter(|names| names.role == role).flat_map(|names| names.numbered);
    prefixes.into_iter().any(|prefix| {
        name.strip_prefix(prefix)
            .map(|rest| rest.strip_prefix(['_', '-', '.', ' ']).unwrap_or(rest))
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// The role that goes by that name, when the cells are of a kind that can have it.
fn role_of(name: &str, column: &Column) -> Option<Role> {
    let exact = ROLES.iter().filter(|names| names.columns.contains(&name));
    let numbered = ROLES.iter().filter(|names| {
        names.numbered.iter().any(|prefix| {
            name.strip_prefix(prefix).is_some_and(|rest| {
                let rest_is_number = !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit());
                rest_is_number || (prefix.len() > 1 && rest.len() > 1 && rest.starts_with('_'))
            })
        })
    });
    let suits = |role: Role| match (&column.cells, role) {
        // What is wrong with it will be told when it is read.
        (Cells::Mixed { .. }, role) => {
            matches!(role, Role::Probability | Role::Logit | Role::Members | Role::Embedding | Role::Text)
        }
        (Cells::Lists { .. }, Role::Probability | Role::Logit | Role::Members | Role::Embedding) => true,
        (Cells::Lists { .. }, role) => role == Role::Rating,
        (Cells::Texts(_), Role::Probability | Role::Logit | Role::Members | Role::Embedding) => false,
        (Cells::Numbers(_), Role::Text | Role::Members) => false,
        // One column of numbers named like a list is no embedding.
        (Cells::Numbers(_), Role::Embedding) => name.ends_with(|c: char| c.is_ascii_digit()),
        _ => true,
    };
    exact.chain(numbered).map(|names| names.role).find(|&role| suits(role))
}
