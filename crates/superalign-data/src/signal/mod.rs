//! What a file says about supervision: votes, labels, probabilities, texts, embeddings, pairs, counts.
//!
//! [`read`] gives the columns of [`crate::columns`] their roles by name, lets you correct them, and hands out plain
//! numbers: nothing here knows a metric.

mod keys;
mod pairs;
mod pieces;
mod repeats;
mod roles;

pub use pairs::{Pairs, Winner};
pub use pieces::{Answers, Matrix, Votes};
pub use repeats::Repeats;
pub use roles::Role;

use crate::columns::{self, Cells, Codes, Column, Columns};
use crate::error::{DataError, nearest};
use crate::load::Container;
use roles::Roles;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

/// What a file is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shape {
    /// One vote a row: item, annotator, label.
    Votes,
    /// One item a row, one column of labels for each annotator.
    Wide,
    /// One label a row.
    Labels,
    /// One item a row with the probabilities of its classes (or their log-odds), and its label if it has one.
    Probabilities,
    /// One text a row.
    Texts,
    /// One vector a row.
    Embeddings,
    /// One comparison of two candidates a row.
    Preferences,
    /// One item a row with the answers of several sources and the right one.
    Answers,
    /// One category a row with how often it came up.
    Counts,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Votes,
        Self::Wide,
        Self::Labels,
        Self::Probabilities,
        Self::Texts,
        Self::Embeddings,
        Self::Preferences,
        Self::Answers,
        Self::Counts,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Votes => "votes",
            Self::Wide => "wide",
            Self::Labels => "labels",
            Self::Probabilities => "probabilities",
            Self::Texts => "texts",
            Self::Embeddings => "embeddings",
            Self::Preferences => "preferences",
            Self::Answers => "answers",
            Self::Counts => "counts",
        }
    }

    /// What it is in words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Votes => "votes, one a row",
            Self::Wide => "votes, a column for each annotator",
            Self::Labels => "labels",
            Self::Probabilities => "probabilities of classes",
            Self::Texts => "texts",
            Self::Embeddings => "embeddings",
            Self::Preferences => "preferences between two candidates",
            Self::Answers => "answers of several sources, and the right one",
            Self::Counts => "counts of categories",
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Shape {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        if let Some(shape) = Self::ALL.into_iter().find(|shape| shape.name() == text) {
            return Ok(shape);
        }
        let names: Vec<&str> = Self::ALL.iter().map(|shape| shape.name()).collect();
        let remedy = match nearest(text, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "leave it out to have it recognised".to_owned(),
        };
        Err(DataError::Name { what: "shape", found: text.to_owned(), expected: names.join(", "), remedy })
    }
}

/// How to read a file; by default everything is recognised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What the file is read as, where it is not recognised rightly.
    pub shape: Option<Shape>,
    /// Columns whose role is not seen from their name.
    pub columns: Vec<(Role, String)>,
}

/// What a file says. Each part is there when its columns are.
#[derive(Clone, Debug)]
pub struct Signal {
    /// The file.
    pub path: PathBuf,
    /// Its kind.
    pub container: Container,
    /// BLAKE3 digest over its bytes, as 64 hex digits.
    pub digest: String,
    /// Number of rows.
    pub rows: usize,
    /// What it was read as.
    pub shape: Shape,
    /// The columns of each role.
    pub roles: Vec<(Role, Vec<String>)>,
    /// Columns that were passed over.
    pub ignored: Vec<String>,
    /// What was decided that may be meant otherwise, a sentence each.
    pub notes: Vec<String>,
    /// Votes of annotators on items.
    pub votes: Option<Votes>,
    /// Answers of sources, all of them numbers, and what is right: for errors that have a size.
    pub answers: Option<Answers>,
    /// The label of each row.
    pub labels: Option<Codes>,
    /// Probabilities (rows, classes).
    pub probabilities: Option<Matrix>,
    /// Log-odds (rows, classes), or of several epochs (rows, epochs, classes).
    pub logits: Option<Matrix>,
    /// Probabilities by several members (rows, members, classes).
    pub members: Option<Matrix>,
    /// For each row, the class of its label among those of the probabilities (log-odds, members); [`NOTHING`] where
    /// there is none.
    ///
    /// [`NOTHING`]: crate::columns::NOTHING
    pub classes: Option<Vec<u32>>,
    /// Texts.
    pub texts: Option<Vec<Arc<str>>>,
    /// Embeddings (rows, dimensions).
    pub embeddings: Option<Matrix>,
    /// How often each category came up.
    pub counts: Option<Vec<f64>>,
    /// How likely each category is by the reference.
    pub reference: Option<Vec<f64>>,
    /// Comparisons of two candidates.
    pub pairs: Option<Pairs>,
    /// What the rows are called, where a column says so.
    pub names: Option<Vec<String>>,
}

/// Reads what a file says about supervision.
///
/// The roles of columns are recognised from their names (the README of the command line lists them), corrected by
/// `reading`. A file of columns that have no known name is read as votes with one column for each annotator.
///
/// # Errors
/// Those of [`columns::read`]; [`DataError::Columns`] where the columns that are needed are not there, and
/// [`DataError::Cell`] where a cell is not what its role needs.
///
/// ```
/// use superalign_data::signal::{Reading, Shape, read};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("votes.csv");
/// std::fs::write(&path, "item,worker,label\n1,ann,yes\n1,bob,no\n2,ann,no\n")?;
/// let signal = read(&path, &Reading::default())?;
/// assert_eq!(signal.shape, Shape::Votes);
/// let votes = signal.votes.unwrap();
/// assert_eq!((votes.items.len(), votes.annotators, votes.categories), (2, vec!["ann".into(), "bob".into()], vec!["no".into(), "yes".into()]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read(path: impl AsRef<Path>, reading: &Reading) -> Result<Signal, DataError> {
    read_telling(path, reading, &mut |_, _| {})
}

/// [`read`], which tells now and then how many bytes of how many have been made into columns.
///
/// # Errors
/// Those of [`read`].
pub fn read_telling(
    path: impl AsRef<Path>,
    reading: &Reading,
    told: &mut dyn FnMut(u64, u64),
) -> Result<Signal, DataError> {
    of(columns::read_telling(path, told)?, reading)
}

/// What columns that are already there say about supervision.
///
/// # Errors
/// Those of [`read`], save those of reading the file.
pub fn of(mut file: Columns, reading: &Reading) -> Result<Signal, DataError> {
    let named = keys::join(&mut file, &reading.columns)?;
    let mut signal = Signal {
        path: file.path.clone(),
        container: file.container,
        digest: file.digest.clone(),
        rows: file.rows,
        shape: Shape::Labels,
        roles: Vec::new(),
        ignored: Vec::new(),
        notes: Vec::new(),
        votes: None,
        answers: None,
        labels: None,
        probabilities: None,
        logits: None,
        members: None,
        classes: None,
        texts: None,
        embeddings: None,
        counts: None,
        reference: None,
        pairs: None,
        names: None,
    };
    let mut roles = Roles::assign(&file, &named)?;
    signal.shape = match reading.shape {
        Some(shape) => shape,
        None => recognise(&file, &roles)?,
    };
    settle(&file, signal.shape, &mut roles, &named)?;
    signal.fill(&file, &roles)?;
    signal.roles = roles.named();
    signal.ignored = roles.left().map(|column| column.name.clone()).collect();
    Ok(signal)
}

/// What the roles make of the file.
fn recognise(file: &Columns, roles: &Roles<'_>) -> Result<Shape, DataError> {
    let has = |role| roles.has(role);
    let rated = roles.all(Role::Rating).len() + scalars(roles).len();
    let voted = has(Role::Item) && (has(Role::Annotator) || has(Role::Judge));
    let sides = has(Role::Left) && has(Role::Right)
        || has(Role::WinnerSwapped)
        || has(Role::WinnerUnswapped)
        || has(Role::LengthLeft);
    if let Some(column) = roles.loose_winner()
        && roles.one(Role::Left).is_some_and(|left| matches!(left.cells, Cells::Texts(_)))
    {
        return Err(DataError::Columns {
            path: file.path.clone(),
            found: file.names(),
            expected: "a column that says which of the two won".to_owned(),
            remedy: pairs::say_margin(&column.name),
        });
    }
    let shape = if roles.decided() && (sides || !voted) {
        Shape::Preferences
    } else if voted && (has(Role::Label) || has(Role::Winner) || roles.loose_label().is_some()) {
        Shape::Votes
    } else if has(Role::Probability) || has(Role::Logit) || has(Role::Members) {
        Shape::Probabilities
    } else if has(Role::Embedding) {
        Shape::Embeddings
    } else if has(Role::Text) {
        Shape::Texts
    } else if has(Role::Count) && rated < 2 {
        Shape::Counts
    } else if has(Role::Gold) && (rated > 0 || has(Role::Label)) {
        Shape::Answers
    } else if rated > 1 || has(Role::Rating) {
        Shape::Wide
    } else if has(Role::Label) {
        Shape::Labels
    } else {
        return Err(DataError::Columns {
            path: file.path.clone(),
            found: file.names(),
            expected:
                "columns such as item, annotator, label; or label; or p0, p1, ...; or text; or embedding; or \
                       left, right, winner"
                    .to_owned(),
            remedy: "say what they are with `--columns label=NAME`, or what the file is with `--as labels`"
                .to_owned(),
        });
    };
    Ok(shape)
}

/// The columns that could be those of annotators: what has no role, or one that means nothing without others.
fn scalars<'a>(roles: &Roles<'a>) -> Vec<&'a Column> {
    const LOOSE: [Role; 5] = [Role::Left, Role::Right, Role::Judge, Role::Swapped, Role::Annotator];
    let left = roles.left().chain(LOOSE.into_iter().flat_map(|role| roles.all(role)));
    left.filter(|column| matches!(column.cells, Cells::Numbers(_) | Cells::Texts(_))).collect()
}

/// Gives every column that the shape needs its role, or says which is missing.
fn settle<'a>(
    file: &'a Columns,
    shape: Shape,
    roles: &mut Roles<'a>,
    named: &[(Role, String)],
) -> Result<(), DataError> {
    let fixed = |column: &Column| named.iter().any(|(_, name)| *name == column.name);
    // An array has one column without a name of its own; what it is, the shape says.
    let lists: Vec<&Column> = file
        .columns
        .iter()
        .filter(|column| matches!(column.cells, Cells::Lists { .. }) && !fixed(column))
        .collect();
    let list_role = match shape {
        Shape::Wide | Shape::Answers => Some(Role::Rating),
        Shape::Probabilities => Some(Role::Probability),
        Shape::Embeddings => Some(Role::Embedding),
        _ => None,
    };
    if let ([list], Some(role)) = (lists.as_slice(), list_role) {
        let known = [Role::Logit, Role::Members].into_iter().any(|role| roles.has(role));
        if !(known && shape == Shape::Probabilities) {
            roles.give(role, &[list]);
        }
    }
    let need = |roles: &Roles<'_>, wanted: &[Role]| match wanted.iter().find(|role| roles.has(**role)) {
        Some(_) => Ok(()),
        None => Err(Roles::missing(file, wanted[0], shape.name())),
    };
    match shape {
        Shape::Votes => {
            // Whoever votes is an annotator, by whatever name; what is voted for, the label.
            roles.stand_in(Role::Annotator, roles.one(Role::Judge));
            roles.stand_in(Role::Label, roles.one(Role::Winner).or(roles.loose_label()));
            for role in [Role::Item, Role::Annotator, Role::Label] {
                need(roles, &[role])?;
            }
        }
        Shape::Wide | Shape::Answers => {
            if shape == Shape::Answers {
                need(roles, &[Role::Gold])?;
            }
            // Every column that is nothing else is an annotator's.
            let keep = [Role::Item, Role::Gold, Role::Label, Role::Text, Role::Ignore];
            let kept = |column: &Column| {
                keep.iter().any(|&role| roles.all(role).iter().any(|c| c.name == column.name))
            };
            let explicit = named.iter().any(|(role, _)| *role == Role::Rating);
            let rated: Vec<&Column> = file
                .columns
                .iter()
                .filter(|column| !kept(column) && !column.name.is_empty())
                .filter(|column| {
                    if explicit {
                        roles.all(Role::Rating).iter().any(|c| c.name == column.name)
                    } else {
                        true
                    }
                })
                .filter(|column| !matches!(column.cells, Cells::Mixed { .. }))
                .filter(|column| lists.is_empty() == !matches!(column.cells, Cells::Lists { .. }))
                .collect();
            let rated: Vec<&'a Column> =
                file.columns.iter().filter(|column| rated.iter().any(|c| c.name == column.name)).collect();
            roles.give(Role::Rating, &rated);
            need(roles, &[Role::Rating])?;
        }
        Shape::Labels => need(roles, &[Role::Label])?,
        Shape::Probabilities => need(roles, &[Role::Probability, Role::Logit, Role::Members])?,
        Shape::Texts => need(roles, &[Role::Text])?,
        Shape::Embeddings => {
            if !roles.has(Role::Embedding) {
                let numbers: Vec<&'a Column> = file
                    .columns
                    .iter()
                    .filter(|column| matches!(column.cells, Cells::Numbers(_)) && !fixed(column))
                    .filter(|column| !column.name.is_empty())
                    .collect();
                roles.give(Role::Embedding, &numbers);
            }
            need(roles, &[Role::Embedding])?;
        }
        Shape::Preferences => {
            roles.stand_in(Role::Judge, roles.one(Role::Annotator));
            need(roles, &[Role::Winner, Role::MarginLeft, Role::MarginRight])?;
            let enough = [Role::WinnerSwapped, Role::WinnerUnswapped, Role::LengthLeft];
            if !enough.into_iter().any(|role| roles.has(role)) {
                for role in [Role::Left, Role::Right] {
                    need(roles, &[role])?;
                }
            }
        }
        Shape::Counts => need(roles, &[Role::Count])?,
    }
    // What the shape has no use for is free again.
    let loose: &[Role] = match shape {
        Shape::Preferences => &[Role::Rating, Role::Count, Role::Reference, Role::Annotator],
        Shape::Counts => {
            &[Role::Rating, Role::Left, Role::Right, Role::Judge, Role::Swapped, Role::Annotator]
        }
        Shape::Probabilities => {
            &[Role::Left, Role::Right, Role::Judge, Role::Swapped, Role::Count, Role::Annotator]
        }
        _ => &[Role::Left, Role::Right, Role::Judge, Role::Swapped, Role::Count, Role::Reference],
    };
    for &role in loose {
        if !named.iter().any(|(fixed, _)| *fixed == role) {
            roles.free(role);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
