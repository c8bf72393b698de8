//! A column that grows cell by cell and finds out what it is made of.

use super::{Cells, Column, NOTHING, Texts, is_nothing, list_of, number};
use crate::load::row::shown;
use rustc_hash::FxHashMap;
use serde_json::Value;
use std::sync::Arc;

/// A column in the making.
pub(super) struct Builder {
    name: String,
    cells: Build,
}

enum Build {
    /// So many empty cells, and nothing else yet.
    Nothing(usize),
    Numbers(Vec<f64>),
    Texts(Interner),
    Lists {
        shape: Vec<usize>,
        values: Vec<f64>,
    },
    Mixed {
        row: usize,
        found: String,
        expected: String,
        rows: usize,
    },
}

/// Texts, and where each distinct one is.
#[derive(Default)]
pub(super) struct Interner {
    texts: Texts,
    places: FxHashMap<Arc<str>, u32>,
}

/// The cell is no number, in a column that so far held nothing else.
pub(super) struct NotANumber;

impl Builder {
    /// A column behind so many rows in which it did not come up.
    pub(super) fn new(name: &str, nothing: usize) -> Self {
        Self { name: name.to_owned(), cells: Build::Nothing(nothing) }
    }

    /// A column that holds texts, whatever they look like.
    pub(super) fn texts(name: &str) -> Self {
        Self { name: name.to_owned(), cells: Build::Texts(Interner::default()) }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn rows(&self) -> usize {
        match &self.cells {
            Build::Nothing(rows) | Build::Mixed { rows, .. } => *rows,
            Build::Numbers(numbers) => numbers.len(),
            Build::Texts(texts) => texts.texts.codes.len(),
            Build::Lists { shape, values } => values.len() / shape.iter().product::<usize>().max(1),
        }
    }

    pub(super) fn push_nothing(&mut self) {
        let rows = self.rows();
        match &mut self.cells {
            Build::Nothing(rows) | Build::Mixed { rows, .. } => *rows += 1,
            Build::Numbers(numbers) => numbers.push(f64::NAN),
            Build::Texts(texts) => texts.texts.codes.push(NOTHING),
            Build::Lists { shape, .. } => {
                let expected = format!("{} numbers, as before", list_of(shape));
                self.mix(rows, "nothing", expected);
            }
        }
    }

    pub(super) fn push_number(&mut self, x: f64) {
        let rows = self.rows();
        match &mut self.cells {
            Build::Nothing(nothing) => {
                let mut numbers = vec![f64::NAN; *nothing];
                numbers.push(x);
                self.cells = Build::Numbers(numbers);
            }
            Build::Numbers(numbers) => numbers.push(x),
            Build::Texts(texts) => texts.push(&x.to_string()),
            Build::Lists { shape, .. } => {
                let expected = format!("{} numbers, as before", list_of(shape));
                self.mix(rows, &format!("`{x}`"), expected);
            }
            Build::Mixed { rows, .. } => *rows += 1,
        }
    }

    /// A text from a container that tells texts from numbers.
    pub(super) fn push_text(&mut self, text: &str) {
        let rows = self.rows();
        match &mut self.cells {
            Build::Nothing(nothing) => {
                let mut texts = Interner::default();
                texts.texts.codes.resize(*nothing, NOTHING);
                texts.push(text);
                self.cells = Build::Texts(texts);
            }
            Build::Numbers(numbers) if is_nothing(text) => numbers.push(f64::NAN),
            Build::Numbers(numbers) => {
                let mut texts = Interner::default();
                for x in numbers {
                    if x.is_nan() { texts.texts.codes.push(NOTHING) } else { texts.push(&x.to_string()) }
                }
                texts.push(text);
                self.cells = Build::Texts(texts);
            }
            Build::Texts(texts) => texts.push(text),
            Build::Lists { shape, .. } => {
                let expected = format!("{} numbers, as before", list_of(shape));
                self.mix(rows, &shown(&Value::String(text.to_owned())), expected);
            }
            Build::Mixed { rows, .. } => *rows += 1,
        }
    }

    /// A cell of a text file, in which all are texts. Where it ends what looked like numbers or lists, the column has
    /// to be read again as texts, since how the numbers were written is gone.
    pub(super) fn push_cell(&mut self, cell: &str) -> Result<(), NotANumber> {
        match &self.cells {
            Build::Texts(_) => self.push_text(cell),
            Build::Numbers(_) | Build::Nothing(_) => match number(cell) {
                Some(x) => self.push_number(x),
                None if is_nothing(cell) => self.push_nothing(),
                None if matches!(self.cells, Build::Nothing(0)) && cell.trim_start().starts_with('[') => {
                    let list: Value = serde_json::from_str(cell).map_err(|_| NotANumber)?;
                    self.push_list(&list);
                }
                None => return Err(NotANumber),
            },
            Build::Lists { .. } => match serde_json::from_str(cell) {
                Ok(list @ Value::Array(_)) => self.push_list(&list),
                _ if is_nothing(cell) => self.push_nothing(),
                _ => return Err(NotANumber),
            },
            Build::Mixed { .. } => self.push_nothing(),
        }
        Ok(())
    }

    /// A list of numbers, or a list of lists.
    pub(super) fn push_list(&mut self, list: &Value) {
        let mut found = Vec::new();
        let mut values = Vec::new();
        if flatten(list, 0, &mut found, &mut values).is_some() {
            self.push_values(&found, &values);
        } else {
            let expected = match &self.cells {
                Build::Lists { shape, .. } => format!("{} numbers, as before", list_of(shape)),
                _ => "a list of numbers, or lists of one length".to_owned(),
            };
            self.mix(self.rows(), &shown(list), expected);
        }
    }

    /// A list of that shape, its numbers one after the other.
    pub(super) fn push_values(&mut self, found: &[usize], numbers: &[f64]) {
        let rows = self.rows();
        match &mut self.cells {
            Build::Nothing(0) if !numbers.is_empty() => {
                self.cells = Build::Lists { shape: found.to_vec(), values: numbers.to_vec() };
            }
            Build::Lists { shape, values } if shape.as_slice() == found => values.extend_from_slice(numbers),
            Build::Lists { shape, .. } => {
                let expected = format!("{} numbers, as before", list_of(shape));
                self.mix(rows, &list_of(found), expected);
            }
            Build::Mixed { rows, .. } => *rows += 1,
            Build::Nothing(_) => self.mix(rows, &list_of(found), "no list after empty cells".to_owned()),
            Build::Numbers(_) => self.mix(rows, &list_of(found), "a number, as before".to_owned()),
            Build::Texts(_) => self.mix(rows, &list_of(found), "a text, as before".to_owned()),
        }
    }

    /// A cell that is no number, no text and no list.
    pub(super) fn push_other(&mut self, found: &str) {
        self.mix(self.rows(), found, "numbers, texts, or lists of numbers".to_owned());
    }

    fn mix(&mut self, row: usize, found: &str, expected: String) {
        if let Build::Mixed { rows, .. } = &mut self.cells {
            *rows += 1;
            return;
        }
        self.cells = Build::Mixed { row, found: found.to_owned(), expected, rows: row + 1 };
    }

    pub(super) fn finish(self) -> Column {
        let cells = match self.cells {
            Build::Nothing(rows) => Cells::Numbers(vec![f64::NAN; rows]),
            Build::Numbers(numbers) => Cells::Numbers(numbers),
            Build::Texts(texts) => Cells::Texts(texts.texts),
            Build::Lists { shape, values } => Cells::Lists { shape, values },
            Build::Mixed { row, found, expected, .. } => Cells::Mixed { row, found, expected },
        };
        Column { name: self.name, cells }
    }
}

impl Interner {
    fn push(&mut self, text: &str) {
        // Often a text comes several times in a row.
        let last = self.texts.codes.last().filter(|&&code| code != NOTHING);
        if let Some(&code) = last.filter(|&&code| &*self.texts.distinct[code as usize] == text) {
            self.texts.codes.push(code);
            return;
        }
        let code = match self.places.get(text) {
            Some(&code) => code,
            None => {
                let code = self.texts.distinct.len() as u32;
                let text: Arc<str> = Arc::from(text);
                self.texts.distinct.push(text.clone());
                self.places.insert(text, code);
                code
            }
        };
        self.texts.codes.push(code);
    }
}

/// The numbers of nested lists in one row, and their shape; nothing where lists of one level differ in length or
/// where something else is in them.
fn flatten(list: &Value, depth: usize, shape: &mut Vec<usize>, values: &mut Vec<f64>) -> Option<()> {
    /// Deeper lists are no use to anyone.
    const DEEPEST: usize = 3;
    match list {
        Value::Array(members) if depth < DEEPEST => {
            match shape.get(depth) {
                None if shape.len() == depth && values.is_empty() => shape.push(members.len()),
                Some(&length) if length == members.len() => {}
                _ => return None,
            }
            members.iter().try_for_each(|member| flatten(member, depth + 1, shape, values))
        }
        // A number stands where the lists end.
        _ if depth != shape.len() => None,
        Value::Number(x) => {
            values.push(x.as_f64()?);
            Some(())
        }
        Value::Null => {
            values.push(f64::NAN);
            Some(())
        }
        Value::Bool(truth) => {
            values.push(f64::from(u8::from(*truth)));
            Some(())
        }
        Value::String(text) if is_nothing(text) => {
            values.push(f64::NAN);
            Some(())
        }
        _ => None,
    }
}
