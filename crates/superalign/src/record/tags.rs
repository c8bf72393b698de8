//! `tags.txt`: words that people give a run to find it again, one a line.
//!
//! The file is made to be edited by hand as well. No number depends on it, and it is no part of a run's name.

use super::{RecordError, write_whole};
use std::collections::BTreeSet;
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::str::FromStr;

/// A word that a run is found by: 1 to 64 characters, none of them a comma or a control character.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(String);

/// Why a text is no tag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tag {found:?}: expected 1 to 64 characters, none of them a comma or a control character")]
pub struct TagError {
    /// The text.
    pub found: String,
}

impl Tag {
    const LONGEST: usize = 64;

    /// The tag as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = TagError;

    /// The text without the spaces around it.
    fn from_str(text: &str) -> Result<Self, TagError> {
        let tag = text.trim();
        let length = tag.chars().count();
        if length == 0 || length > Self::LONGEST || tag.contains(|c: char| c == ',' || c.is_control()) {
            return Err(TagError { found: text.to_owned() });
        }
        Ok(Self(tag.to_owned()))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const FILE: &str = "tags.txt";

/// The tags of the run in `folder`, sorted; none where it has no `tags.txt`.
///
/// # Errors
/// The file cannot be read, or a line of it is no tag.
pub fn read_tags(folder: &Path) -> Result<BTreeSet<Tag>, RecordError> {
    let path = folder.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
        text => text.map_err(RecordError::io("read", &path))?,
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |(at, line): (usize, &str)| {
        line.parse().map_err(|TagError { found }| RecordError::Damaged {
            path: path.clone(),
            line: Some(at + 1),
            found: format!("{found:?}"),
            expected: "a tag: 1 to 64 characters, none of them a comma or a control character".to_owned(),
        })
    };
    lines.map(read).collect()
}

/// Writes the tags of the run in `folder`, in place of those that it had; without any, the file goes.
///
/// # Errors
/// The folder cannot be written.
pub fn write_tags(folder: &Path, tags: &BTreeSet<Tag>) -> Result<(), RecordError> {
    let path = folder.join(FILE);
    if tags.is_empty() {
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(RecordError::io("remove", &path)(error)),
            _ => Ok(()),
        };
    }
    let lines = tags.iter().fold(String::new(), |lines, tag| lines + tag.as_str() + "\n");
    write_whole(&path, lines.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(names: &[&str]) -> BTreeSet<Tag> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn tags_come_back_sorted_and_once() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_tags(folder.path()).unwrap(), tags(&[]));
        write_tags(folder.path(), &tags(&["paper", "baseline", " paper "])).unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join(FILE)).unwrap(), "baseline\npaper\n");
        assert_eq!(read_tags(folder.path()).unwrap(), tags(&["baseline", "paper"]));
        // As a person may write it.
        std::fs::write(folder.path().join(FILE), "b\r\n\n  two words \n").unwrap();
        assert_eq!(read_tags(folder.path()).unwrap(), tags(&["two words", "b"]));
        write_tags(folder.path(), &tags(&[])).unwrap();
        assert!(!folder.path().join(FILE).exists());
        write_tags(folder.path(), &tags(&[])).unwrap();
    }

    #[test]
    fn what_is_no_tag_is_told() {
        for text in ["", "  ", "a,b", "a\u{7}b", &"x".repeat(65)] {
            assert!(text.parse::<Tag>().is_err(), "{text:?}");
        }
        assert_eq!("é".repeat(64).parse::<Tag>().unwrap().as_str().chars().count(), 64);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "good\na,b\n").unwrap();
        let error = read_tags(folder.path()).unwrap_err().to_string();
        assert!(error.contains("tags.txt:2: \"a,b\"; expected a tag"), "{error}");
    }
}
