//! What can go wrong with items: where, what was found, what was expected, and the remedy.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why items could not be had.
///
/// Every message names the place, what was found, what was expected and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The file as a whole cannot be used: missing, a folder, empty, of another kind.
    #[error("{}: found {found}, expected {expected}; {remedy}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
        /// What to do about it.
        remedy: String,
    },
    /// The file breaks the rules of its container: JSON, CSV, Parquet, UTF-8.
    #[error("{place}: found {found}, expected {expected}; {remedy}")]
    Syntax {
        /// Where it breaks.
        place: Box<Place>,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
        /// What to do about it.
        remedy: String,
    },
    /// The columns (keys) fit no known format, or not the one that was named.
    #[error("{}: found the columns {}, expected {expected}; {remedy}", path.display(), quoted(found))]
    Columns {
        /// The file.
        path: PathBuf,
        /// The columns that are there.
        found: Vec<String>,
        /// The columns that should be there.
        expected: String,
        /// What to do about it.
        remedy: String,
    },
    /// One value is not what its column promises.
    #[error("{place}, column `{column}`: found {found}, expected {expected}; {remedy}")]
    Cell {
        /// The line or row.
        place: Box<Place>,
        /// The column or key.
        column: String,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
        /// What to do about it.
        remedy: String,
    },
    /// Every row was skipped.
    #[error("{}: found no usable row ({reasons}), expected at least one; load another file", path.display())]
    NothingLeft {
        /// The file.
        path: PathBuf,
        /// How many rows were skipped, and why.
        reasons: String,
    },
    /// A format that does not exist was named.
    #[error("found the format `{found}`, expected one of {expected}; {remedy}")]
    Format {
        /// The name that was given.
        found: String,
        /// The names that exist.
        expected: String,
        /// What to do about it.
        remedy: String,
    },
    /// A name that does not exist was given: of a role or a shape.
    #[error("found the {what} `{found}`, expected one of {expected}; {remedy}")]
    Name {
        /// What it should name.
        what: &'static str,
        /// The name that was given.
        found: String,
        /// The names that exist.
        expected: String,
        /// What to do about it.
        remedy: String,
    },
    /// A noise ratio outside its range.
    #[error("noise ratio: found {found}, expected a number from 0 to 1")]
    Ratio {
        /// The ratio that was given.
        found: f64,
    },
    /// A weight, probability or class that noise cannot be made from. Positions are counted from 0.
    #[error("noise: item {item}: found {found}, expected {expected}")]
    Weight {
        /// Position of the item (of the class, where the weights are those of classes).
        item: usize,
        /// What was given.
        found: f64,
        /// What would do.
        expected: &'static str,
    },
    /// Lists that belong together and differ in length.
    #[error("noise: {what}: found {found}, expected {expected}")]
    Lengths {
        /// What has the wrong number.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A division that cannot be made.
    #[error("split: found {found}, expected {expected}; {remedy}")]
    Split {
        /// What was asked for, or what it came to.
        found: String,
        /// What can be done.
        expected: String,
        /// What to do about it.
        remedy: String,
    },
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The line or row.
    pub at: At,
}

/// A line or a row, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// A line of a text file, where a record begins.
    Line(u64),
    /// A byte of a line of a text file.
    Byte {
        /// The line.
        line: u64,
        /// The byte within the line.
        byte: u64,
    },
    /// A row of a Parquet file.
    Row(u64),
}

impl Place {
    pub(crate) fn byte(path: &Path, line: u64, byte: u64) -> Box<Self> {
        Box::new(Self { path: path.to_path_buf(), at: At::Byte { line, byte } })
    }
}

impl At {
    /// The number of the line or row.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::Line(n) | Self::Byte { line: n, .. } | Self::Row(n) => n,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.path.display(), self.at)
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Byte { line, byte } => write!(f, "line {line}, byte {byte}"),
            Self::Row(row) => write!(f, "row {row}"),
        }
    }
}

/// The names between backticks, with commas; at most twelve of them.
pub(crate) fn quoted<S: AsRef<str>>(names: &[S]) -> String {
    const MOST: usize = 12;
    if names.is_empty() {
        return "(none)".to_owned();
    }
    let mut out = names.iter().take(MOST).map(|n| format!("`{}`", n.as_ref())).collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        out.push_str(&format!(" and {} more", names.len() - MOST));
    }
    out
}

/// The candidate that looks most like `word`, when one is near enough to be a slip.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let distance = strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
        let near = distance <= 1.max(word.chars().count().min(candidate.chars().count()) / 3);
        if near && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}
