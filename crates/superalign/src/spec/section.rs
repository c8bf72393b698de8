//! Reading one table of a spec: typed values with ranges, and an error for every key that nobody asked for.

use super::error::{SpecError, nearest};
use std::cell::RefCell;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The file that is being read.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn error(&self, span: Range<usize>, message: String, help: Option<String>) -> SpecError {
        SpecError::at(&self.path, &self.text, span, message, help)
    }

    /// The folder that relative paths in the file start from.
    pub(crate) fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(p) if !p.as_os_str().is_empty() => p,
            _ => Path::new("."),
        }
    }
}

/// One table of the file, with the table of the chosen profile laid over it.
pub(crate) struct Section<'a> {
    source: &'a Source,
    name: String,
    base: Option<&'a DeTable<'a>>,
    overlay: Option<&'a DeTable<'a>>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    pub(crate) fn new(
        source: &'a Source,
        name: impl Into<String>,
        base: Option<&'a DeTable<'a>>,
        overlay: Option<&'a DeTable<'a>>,
    ) -> Self {
        Self { source, name: name.into(), base, overlay, known: RefCell::new(Vec::new()) }
    }

    /// The table `key` of this table.
    pub(crate) fn section(&self, key: &'static str) -> Result<Section<'a>, SpecError> {
        self.known.borrow_mut().push(key);
        let table = |within: Option<&'a DeTable<'a>>| match within.and_then(|t| t.get(key)) {
            None => Ok(None),
            Some(value) => match value.get_ref().as_table() {
                Some(table) => Ok(Some(table)),
                None => Err(self.wrong_type(key, value, "a table")),
            },
        };
        let name = if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        Ok(Section::new(self.source, name, table(self.base)?, table(self.overlay)?))
    }

    pub(crate) fn text(&self, key: &'static str) -> Result<Option<String>, SpecError> {
        self.get(key, |value| match value.get_ref().as_str() {
            Some(text) => Ok(text.to_owned()),
            None => Err(self.wrong_type(key, value, "text in quotes")),
        })
    }

    pub(crate) fn required_text(&self, key: &'static str) -> Result<String, SpecError> {
        self.text(key)?.ok_or_else(|| self.missing(key))
    }

    /// A file, named relative to the folder of the one that names it.
    pub(crate) fn file(&self, key: &'static str) -> Result<Option<PathBuf>, SpecError> {
        Ok(self.text(key)?.map(|name| self.source.folder().join(name)))
    }

    /// One of the names that `parse` understands.
    pub(crate) fn choice<T: Choice>(&self, key: &'static str) -> Result<Option<T>, SpecError> {
        self.get(key, |value| self.choose(key, value))
    }

    /// A list of names that `T` understands; not empty, without repetition.
    pub(crate) fn choices<T: Choice + PartialEq>(
        &self,
        key: &'static str,
    ) -> Result<Option<Vec<T>>, SpecError> {
        self.list(key, |value| self.choose(key, value))
    }

    pub(crate) fn count(&self, key: &'static str, range: Range<usize>) -> Result<Option<usize>, SpecError> {
        self.get(key, |value| {
            let n = self.integer(key, value)?;
            usize::try_from(n).ok().filter(|n| range.contains(n)).ok_or_else(|| {
                self.out_of_range(key, value, &format!("{} to {}", range.start, range.end - 1))
            })
        })
    }

    pub(crate) fn counts(
        &self,
        key: &'static str,
        range: Range<usize>,
    ) -> Result<Option<Vec<usize>>, SpecError> {
        self.list(key, |value| {
            let n = self.integer(key, value)?;
            usize::try_from(n).ok().filter(|n| range.contains(n)).ok_or_else(|| {
                self.out_of_range(key, value, &format!("{} to {}", range.start, range.end - 1))
            })
        })
    }

    pub(crate) fn number(&self, key: &'static str, range: Bounds) -> Result<Option<f64>, SpecError> {
        self.get(key, |value| self.bounded(key, value, range))
    }

    pub(crate) fn numbers(&self, key: &'static str, range: Bounds) -> Result<Option<Vec<f64>>, SpecError> {
        self.list(key, |value| self.bounded(key, value, range))
    }

    /// Either a number of seeds (0, 1, ...) or the list of them.
    pub(crate) fn seeds(&self, key: &'static str) -> Result<Option<Vec<u64>>, SpecError> {
        match self.find(key) {
            Some(value) if value.get_ref().is_integer() => {
                Ok(self.count(key, 1..1001)?.map(|n| (0..n as u64).collect()))
            }
            _ => self.list(key, |value| {
                let n = self.integer(key, value)?;
                u64::try_from(n).map_err(|_| self.out_of_range(key, value, "whole numbers from 0"))
            }),
        }
    }

    /// The keys of this table with their values read by `number`s: for tables whose keys are free.
    pub(crate) fn free_numbers(&self, range: Bounds) -> Result<Vec<(String, Vec<f64>)>, SpecError> {
        let mut found = Vec::new();
        for table in [self.base, self.overlay].into_iter().flatten() {
            for (key, value) in table {
                let items = value
                    .get_ref()
                    .as_array()
                    .ok_or_else(|| self.wrong_type(key.get_ref(), value, "a list of numbers"))?;
                let numbers = items
                    .iter()
                    .map(|v| self.bounded(key.get_ref(), v, range))
                    .collect::<Result<Vec<_>, _>>()?;
                found.push((key.get_ref().to_string(), numbers));
            }
        }
        Ok(found)
    }

    /// An error for the first key that nobody asked for.
    pub(crate) fn finish(&self) -> Result<(), SpecError> {
        let known = self.known.borrow();
        for table in [self.base, self.overlay].into_iter().flatten() {
            for key in table.keys() {
                if !known.contains(&key.get_ref().as_ref()) {
                    let near = nearest(key.get_ref(), known.iter().copied())
                        .map(|name| format!("did you mean `{name}`? "))
                        .unwrap_or_default();
                    let mut names = known.clone();
                    names.sort_unstable();
                    names.dedup();
                    let help = format!("{near}the keys of {} are: {}", self.title(), names.join(", "));
                    let message = format!("unknown key `{}` in {}", key.get_ref(), self.title());
                    return Err(self.source.error(key.span(), message, Some(help)));
                }
            }
        }
        Ok(())
    }

    /// An error at the value of `key`.
    pub(crate) fn error(&self, key: &str, message: String, help: Option<String>) -> SpecError {
        match self.find(key) {
            Some(value) => self.source.error(value.span(), message, help),
            None => SpecError::whole(&self.source.path, message, help),
        }
    }

    fn title(&self) -> String {
        if self.name.is_empty() { "the spec".to_owned() } else { format!("[{}]", self.name) }
    }

    fn find(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.overlay.and_then(|t| t.get(key)).or_else(|| self.base.and_then(|t| t.get(key)))
    }

    fn get<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&'a Spanned<DeValue<'a>>) -> Result<T, SpecError>,
    ) -> Result<Option<T>, SpecError> {
        self.known.borrow_mut().push(key);
        self.find(key).map(read).transpose()
    }

    fn list<T: PartialEq>(
        &self,
        key: &'static str,
        mut read: impl FnMut(&'a Spanned<DeValue<'a>>) -> Result<T, SpecError>,
    ) -> Result<Option<Vec<T>>, SpecError> {
        self.get(key, |value| {
            let array = value.get_ref().as_array().ok_or_else(|| self.wrong_type(key, value, "a list"))?;
            let mut found = Vec::new();
            for item in array {
                let read = read(item)?;
                if found.contains(&read) {
                    let message = format!("`{key}` names the same value twice");
                    return Err(self.source.error(item.span(), message, Some("remove one of them".into())));
                }
                found.push(read);
            }
            if found.is_empty() {
                return Err(self.out_of_range(key, value, "at least one value"));
            }
            Ok(found)
        })
    }

    fn choose<T: Choice>(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<T, SpecError> {
        let text = value.get_ref().as_str().ok_or_else(|| self.wrong_type(key, value, "text in quotes"))?;
        T::ALL.iter().find(|(name, _)| *name == text).map(|(_, choice)| choice.clone()).ok_or_else(|| {
            let names: Vec<&str> = T::ALL.iter().map(|(name, _)| *name).collect();
            let near = nearest(text, names.iter().copied())
                .map(|name| format!("did you mean \"{name}\"? "))
                .unwrap_or_default();
            let message = format!("`{key}` is \"{text}\", which is not one of its values");
            let help = format!("{near}the values of `{key}` are: {}", names.join(", "));
            self.source.error(value.span(), message, Some(help))
        })
    }

    fn integer(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<i64, SpecError> {
        let n = value.get_ref().as_integer().ok_or_else(|| self.wrong_type(key, value, "a whole number"))?;
        i64::from_str_radix(n.as_str(), n.radix())
            .map_err(|_| self.out_of_range(key, value, "a whole number below 2^63"))
    }

    fn bounded(&self, key: &str, value: &Spanned<DeValue<'_>>, range: Bounds) -> Result<f64, SpecError> {
        let number = match value.get_ref() {
            DeValue::Float(x) => x.as_str().parse::<f64>().ok(),
            DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).ok().map(|n| n as f64),
            _ => return Err(self.wrong_type(key, value, "a number")),
        };
        number.filter(|x| range.contain(*x)).ok_or_else(|| self.out_of_range(key, value, &range.to_string()))
    }

    fn missing(&self, key: &str) -> SpecError {
        let help = format!("add `{key} = ...` to {}", self.title());
        SpecError::whole(&self.source.path, format!("{} lacks the key `{key}`", self.title()), Some(help))
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str) -> SpecError {
        let message = format!("`{key}` is of type {}; expected {expected}", value.get_ref().type_str());
        self.source.error(value.span(), message, None)
    }

    fn out_of_range(&self, key: &str, value: &Spanned<DeValue<'_>>, range: &str) -> SpecError {
        let found = &self.source.text[value.span()];
        let message = format!("`{key}` is out of range: {found}");
        self.source.error(value.span(), message, Some(format!("the valid range of `{key}` is {range}")))
    }
}

/// A closed set of names.
pub(crate) trait Choice: Clone + 'static {
    /// Every name with what it means.
    const ALL: &'static [(&'static str, Self)];

    /// The name of this choice.
    fn name(&self) -> &'static str
    where
        Self: PartialEq,
    {
        Self::ALL.iter().find(|(_, choice)| choice == self).map_or("", |(name, _)| name)
    }
}

/// The numbers that a key may have.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bounds {
    /// From the first to the second, both included.
    Closed(f64, f64),
    /// Above the first, up to the second.
    Above(f64, f64),
}

impl Bounds {
    fn contain(self, x: f64) -> bool {
        match self {
            Self::Closed(lo, hi) => lo <= x && x <= hi,
            Self::Above(lo, hi) => lo < x && x <= hi,
        }
    }
}

impl std::fmt::Display for Bounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Closed(lo, hi) => write!(f, "{lo} to {hi}"),
            Self::Above(lo, hi) => write!(f, "above {lo}, up to {hi}"),
        }
    }
}
