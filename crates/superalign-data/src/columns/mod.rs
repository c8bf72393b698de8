//! A file as columns of numbers, texts or lists of numbers. What they mean is the business of [`crate::signal`].
//!
//! The containers are those of [`crate::load`] and NumPy arrays; the kind of each column is seen from its cells, not
//! from its name. A million rows take a second or less, and memory for the file and its columns.

mod build;
mod json;
mod npy;
#[cfg(feature = "parquet")]
mod parquet;
mod table;

use crate::error::{At, DataError, Place};
use crate::load::Container;
use crate::load::container::{Inspected, inspect, inspect_bytes};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The columns of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    /// The file.
    pub path: PathBuf,
    /// Its kind.
    pub container: Container,
    /// BLAKE3 digest over its bytes, as 64 hex digits.
    pub digest: String,
    /// Number of rows, the header not counted.
    pub rows: usize,
    /// The columns, in the order of the file (of JSON, the keys as they come up, each object's in order of name).
    pub columns: Vec<Column>,
    /// The bytes, where no file holds them.
    pub bytes: Option<Arc<[u8]>>,
}

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name in the header, or its key.
    pub name: String,
    /// What is in it, one cell a row.
    pub cells: Cells,
}

/// The cells of a column, all of one kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Numbers; NaN is an empty cell.
    Numbers(Vec<f64>),
    /// Texts. A column that holds one text that is no number holds texts only.
    Texts(Texts),
    /// Lists of numbers, or lists of lists of them, all of one shape; NaN is an empty place.
    Lists {
        /// Length of a list; of a list of lists, their number and their length.
        shape: Vec<usize>,
        /// The numbers of all rows, one row after the other.
        values: Vec<f64>,
    },
    /// Cells of several kinds, or of a kind that is none of these: no use, and no harm where nobody needs them.
    Mixed {
        /// The first row, from 0, that does not go with those before it.
        row: usize,
        /// What is in it.
        found: String,
        /// What would go with those before it.
        expected: String,
    },
}

/// Texts, each distinct one held once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Texts {
    /// The distinct texts, in the order in which they come up.
    pub distinct: Vec<Arc<str>>,
    /// For each row the place of its text in `distinct`, or [`NOTHING`].
    pub codes: Vec<u32>,
}

/// After so many rows it is told how far the reader has come.
const OFTEN: usize = 4096;

/// The code of an empty cell.
pub const NOTHING: u32 = u32::MAX;

/// A column as categories in order: numbers by size, texts by their letters.
#[derive(Clone, Debug, PartialEq)]
pub struct Codes {
    /// For each row the place of its category in `names`, or [`NOTHING`].
    pub codes: Vec<u32>,
    /// The categories, sorted.
    pub names: Vec<String>,
    /// The categories as numbers, where all of them are.
    pub values: Option<Vec<f64>>,
}

/// Reads the columns of a CSV, TSV, JSON, JSONL, Parquet or NPY file.
///
/// Empty cells, `NA`, `N/A`, `NaN`, `nan`, `null` and `NULL` are nothing. A cell of a text file is a number when it
/// is written like one, without zeros in front and with at most 15 digits if it is whole; else it is an identifier,
/// a text. A list is written as in JSON, in every container. An array of NumPy has one column, `values`.
///
/// # Errors
/// [`DataError::File`], [`DataError::Syntax`] and [`DataError::Columns`]: the file cannot be read, is broken, or has
/// two columns of one name. A column of mixed cells is no error here.
///
/// ```
/// use superalign_data::columns::{Cells, read};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("votes.csv");
/// std::fs::write(&path, "item,label\na,2\na,\nb,1\n")?;
/// let file = read(&path)?;
/// assert_eq!((file.rows, file.columns[1].name.as_str()), (3, "label"));
/// assert_eq!(file.columns[0].codes().unwrap().codes, [0, 0, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read(path: impl AsRef<Path>) -> Result<Columns, DataError> {
    read_telling(path, &mut |_, _| {})
}

/// [`read`], which tells now and then how many bytes of how many have been made into columns.
///
/// The count goes back where a column has to be read again, since a text came up behind numbers.
///
/// # Errors
/// Those of [`read`].
pub fn read_telling(path: impl AsRef<Path>, told: &mut dyn FnMut(u64, u64)) -> Result<Columns, DataError> {
    let path = path.as_ref();
    take(path, None, inspect(path)?, told)
}

/// [`read`] for a file in memory, as a browser has it; `name` is its name, by which messages call it.
///
/// # Errors
/// Those of [`read`]; [`DataError::File`] for Parquet, whose columns [`Columns::new`] takes.
///
/// ```
/// use superalign_data::columns::read_bytes;
/// let file = read_bytes("votes.csv", b"item,label\na,2\nb,1\n".to_vec())?;
/// assert_eq!(file.rows, 2);
/// # Ok::<(), superalign_data::DataError>(())
/// ```
pub fn read_bytes(name: &str, bytes: Vec<u8>) -> Result<Columns, DataError> {
    let path = Path::new(name);
    let inspected = inspect_bytes(path, &bytes)?;
    take(path, Some(bytes.into()), inspected, &mut |_, _| {})
}

fn take(
    path: &Path,
    bytes: Option<Arc<[u8]>>,
    inspected: Inspected,
    told: &mut dyn FnMut(u64, u64),
) -> Result<Columns, DataError> {
    let size = inspected.bytes;
    told(0, size);
    let mut passed = |passed: u64| told(passed.min(size), size);
    let held = bytes.as_deref();
    let (rows, columns) = match inspected.container {
        Container::Csv | Container::Tsv => table::read(path, held, inspected.delimiter, &mut passed)?,
        Container::Jsonl | Container::Json => {
            json::read(path, bytes.as_ref(), inspected.container, &mut passed)?
        }
        #[cfg(feature = "parquet")]
        Container::Parquet if bytes.is_none() => parquet::read(path, &mut passed)?,
        Container::Parquet => return Err(crate::load::no_parquet(path)),
        Container::Npy => npy::read(path, held)?,
    };
    told(size, size);
    if rows == 0 {
        return Err(crate::load::no_rows(path, inspected.container));
    }
    Ok(Columns {
        path: path.to_path_buf(),
        container: inspected.container,
        digest: inspected.digest,
        rows,
        columns,
        bytes,
    })
}

impl Columns {
    /// Columns that somebody else has read: of one length, each name once.
    ///
    /// # Errors
    /// [`DataError::Columns`] where they are not.
    pub fn new(
        name: &str,
        container: Container,
        digest: String,
        columns: Vec<Column>,
    ) -> Result<Self, DataError> {
        let rows = columns.iter().map(|column| column.cells.rows()).max().unwrap_or(0);
        let path = PathBuf::from(name);
        let names = || columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
        let fault = |expected: String, remedy: &str| {
            Err(DataError::Columns {
                path: path.clone(),
                found: names(),
                expected,
                remedy: remedy.to_owned(),
            })
        };
        for (i, column) in columns.iter().enumerate() {
            let known = !matches!(column.cells, Cells::Mixed { .. });
            if known && column.cells.rows() != rows {
                return fault(format!("`{}` to have {rows} cells", column.name), "write the file again");
            }
            if columns[..i].iter().any(|before| before.name == column.name) {
                return fault(format!("`{}` once", column.name), "rename or remove one of the two columns");
            }
        }
        if rows == 0 {
            return Err(crate::load::no_rows(&path, container));
        }
        Ok(Self { path, container, digest, rows, columns, bytes: None })
    }

    /// The column of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The names of the columns.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// Where a row, counted from 0, stands in the file. Looks the file through again: for messages only.
    #[must_use]
    pub fn at(&self, row: usize) -> At {
        let bytes = self.bytes.as_ref();
        let line = match self.container {
            Container::Csv | Container::Tsv => table::line_of(&self.path, bytes.map(|bytes| &bytes[..]), row),
            Container::Jsonl | Container::Json => json::line_of(&self.path, bytes, self.container, row),
            Container::Parquet | Container::Npy => None,
        };
        line.map_or(At::Row(row as u64 + 1), At::Line)
    }

    /// The error for a cell, with its place.
    #[must_use]
    pub fn cell(&self, row: usize, column: &str, found: String, expected: &str, remedy: &str) -> DataError {
        DataError::Cell {
            place: Box::new(Place { path: self.path.clone(), at: self.at(row) }),
            column: column.to_owned(),
            found,
            expected: expected.to_owned(),
            remedy: remedy.to_owned(),
        }
    }
}

impl Cells {
    /// Number of rows. Of mixed cells only those before the first that does not go with the others are known.
    #[must_use]
    pub fn rows(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Texts(texts) => texts.codes.len(),
            Self::Lists { shape, values } => values.len() / shape.iter().product::<usize>().max(1),
            Self::Mixed { row, .. } => *row,
        }
    }

    /// Number of rows with something in them.
    #[must_use]
    pub fn filled(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.iter().filter(|x| !x.is_nan()).count(),
            Self::Texts(texts) => {
                let nothing: Vec<bool> = texts.distinct.iter().map(|text| is_nothing(text)).collect();
                texts.codes.iter().filter(|&&code| code != NOTHING && !nothing[code as usize]).count()
            }
            Self::Lists { shape, values } => values.len() / shape.iter().product::<usize>().max(1),
            Self::Mixed { row, .. } => *row,
        }
    }

    /// What kind of cells they are, for a message.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Self::Numbers(_) => "numbers".to_owned(),
            Self::Texts(_) => "texts".to_owned(),
            Self::Lists { shape, .. } => format!("{} numbers", list_of(shape)),
            Self::Mixed { found, .. } => format!("cells of several kinds, among them {found}"),
        }
    }
}

impl Column {
    /// The categories of the column and which row has which. Lists and mixed cells have none.
    #[must_use]
    pub fn codes(&self) -> Option<Codes> {
        match &self.cells {
            Cells::Numbers(numbers) => Some(codes_of_numbers(numbers)),
            Cells::Texts(texts) => Some(codes_of_texts(texts)),
            Cells::Lists { .. } | Cells::Mixed { .. } => None,
        }
    }
}

/// Whether a text stands for an empty cell.
pub(crate) fn is_nothing(text: &str) -> bool {
    matches!(text.trim(), "" | "NA" | "N/A" | "NaN" | "nan" | "null" | "NULL")
}

/// The number that a text is written like, unless it rather is an identifier.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim_ascii();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text).as_bytes();
    match digits {
        [b'0', b'0'..=b'9', ..] | [] => None,
        [b'0'..=b'9', ..] if digits.iter().all(u8::is_ascii_digit) => {
            if digits.len() > 15 {
                return None;
            }
            let whole = digits.iter().fold(0_u64, |n, digit| n * 10 + u64::from(digit - b'0')) as f64;
            Some(if text.starts_with('-') { -whole } else { whole })
        }
        [b'0'..=b'9' | b'.', ..] => text.parse().ok().filter(|x: &f64| x.is_finite()),
        _ => None,
    }
}

/// A shape in words: "a list of 3", "a table of 2 by 3".
fn list_of(shape: &[usize]) -> String {
    match shape {
        [n] => format!("a list of {n}"),
        [rows, columns] => format!("a table of {rows} by {columns}"),
        _ => "a list of lists of lists of".to_owned(),
    }
}

fn codes_of_numbers(numbers: &[f64]) -> Codes {
    /// Whole numbers in a range of this size are looked up in a table.
    const TABLE: f64 = (1 << 22) as f64;
    let (mut least, mut most, mut whole) = (f64::INFINITY, f64::NEG_INFINITY, true);
    for &x in numbers.iter().filter(|x| !x.is_nan()) {
        (least, most) = (least.min(x), most.max(x));
        whole &= x.fract() == 0.0;
    }
    let (codes, values) = if least > most {
        (vec![NOTHING; numbers.len()], Vec::new())
    } else if whole && most - least < TABLE {
        let place = |x: f64| (x - least) as usize;
        let mut table = vec![NOTHING; place(most) + 1];
        numbers.iter().filter(|x| !x.is_nan()).for_each(|&x| table[place(x)] = 0);
        let mut values = Vec::new();
        for (i, code) in table.iter_mut().enumerate().filter(|(_, code)| **code == 0) {
            *code = values.len() as u32;
            values.push(least + i as f64);
        }
        (numbers.iter().map(|&x| if x.is_nan() { NOTHING } else { table[place(x)] }).collect(), values)
    } else {
        let mut values: Vec<f64> = numbers.iter().filter(|x| !x.is_nan()).map(|x| x + 0.0).collect();
        values.sort_unstable_by(f64::total_cmp);
        values.dedup();
        let code = |&x: &f64| {
            if x.is_nan() { NOTHING } else { values.partition_point(|&value| value < x) as u32 }
        };
        (numbers.iter().map(code).collect(), values)
    };
    Codes { codes, names: values.iter().map(ToString::to_string).collect(), values: Some(values) }
}

fn codes_of_texts(texts: &Texts) -> Codes {
    // What differs only in the white space around it is one category.
    let mut sorted: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (code, text) in texts.distinct.iter().enumerate().filter(|(_, text)| !is_nothing(text)) {
        sorted.entry(text.trim()).or_default().push(code as u32);
    }
    let mut names: Vec<(&str, Vec<u32>)> = sorted.into_iter().collect();
    let mut values: Option<Vec<f64>> = names.iter().map(|(name, _)| number(name)).collect();
    if let Some(values) = &mut values {
        // Two ways to write one number stay two identifiers: then they are no numbers.
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
        names = order.iter().map(|&i| names[i].clone()).collect();
        values.sort_by(f64::total_cmp);
    }
    let values = values.filter(|values| values.windows(2).all(|pair| pair[0] < pair[1]));
    let mut new = vec![NOTHING; texts.distinct.len()];
    for (place, (_, codes)) in names.iter().enumerate() {
        codes.iter().for_each(|&code| new[code as usize] = place as u32);
    }
    Codes {
        codes: texts
            .codes
            .iter()
            .map(|&code| if code == NOTHING { NOTHING } else { new[code as usize] })
            .collect(),
        names: names.into_iter().map(|(name, _)| name.to_owned()).collect(),
        values,
    }
}

#[cfg(test)]
mod tests;
