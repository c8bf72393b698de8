//! A mistake in a spec, shown with its place in the file and the remedy.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A mistake in an experiment's TOML: where it is, what was found, what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError {
    path: PathBuf,
    place: Option<Place>,
    message: String,
    help: Option<String>,
}

/// A place in a file: line and column from 1, with the line itself.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    line: usize,
    column: usize,
    length: usize,
    text: String,
}

impl SpecError {
    /// A mistake in `text` (the content of `path`) at the bytes `span`.
    pub(crate) fn at(
        path: &Path,
        text: &str,
        span: Range<usize>,
        message: String,
        help: Option<String>,
    ) -> Self {
        let start = text.floor_char_boundary(span.start.min(text.len()));
        let end = text.floor_char_boundary(span.end.clamp(start, text.len()));
        let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_text = text[line_start..].lines().next().unwrap_or("");
        let length = text[start..end].lines().next().unwrap_or("").chars().count().max(1);
        let place = Place {
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            length,
            text: line_text.to_owned(),
        };
        Self { path: path.to_owned(), place: Some(place), message, help }
    }

    /// A mistake that belongs to the whole file.
    pub(crate) fn whole(path: &Path, message: String, help: Option<String>) -> Self {
        Self { path: path.to_owned(), place: None, message, help }
    }

    /// The line of the mistake, from 1, where it has one.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.place.as_ref().map(|p| p.line)
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        match &self.place {
            Some(p) => {
                let gutter = " ".repeat(p.line.to_string().len());
                write!(f, "\n {gutter}--> {}:{}:{}", self.path.display(), p.line, p.column)?;
                write!(f, "\n {gutter} |\n {} | {}", p.line, p.text)?;
                let marks = "^".repeat(p.length);
                write!(f, "\n {gutter} | {}{marks}", " ".repeat(p.column - 1))?;
            }
            None => write!(f, "\n --> {}", self.path.display())?,
        }
        if let Some(help) = &self.help {
            write!(f, "\n help: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SpecError {}

/// The member of `names` that is closest to `wanted`, if any is close enough to be meant.
pub(crate) fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(wanted, name), name))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
