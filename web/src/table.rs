//! Files as columns: read from bytes, or handed over column by column.

#![expect(clippy::needless_pass_by_value, reason = "lists of strings cross the boundary by value only")]

use crate::{Fault, Signal};
use serde_json::{Value, json};
use superalign_data::columns::{self, Cells, Column, Columns, NOTHING, Texts};
use superalign_data::load::Container;
use superalign_data::signal::{Reading, Role, Shape};
use wasm_bindgen::prelude::*;

/// The columns of a file. What they mean is asked with [`Table::signal`].
#[wasm_bindgen]
#[derive(Clone, Debug)]
pub struct Table {
    columns: Columns,
}

#[wasm_bindgen]
impl Table {
    /// Of a CSV, TSV, JSON, JSONL or NPY file.
    ///
    /// # Errors
    /// The file is broken, or of another kind; the message says where and how to mend it.
    pub fn read(name: &str, bytes: Vec<u8>) -> Result<Table, JsError> {
        set_aside(bytes.len());
        Ok(Self { columns: columns::read_bytes(name, bytes).map_err(Fault::from)? })
    }

    /// Number of rows.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.rows
    }

    /// Name, kind, number of filled cells and first cells of each column, as JSON.
    #[must_use]
    pub fn columns(&self) -> String {
        let all: Vec<Value> = self.columns.columns.iter().map(described).collect();
        Value::from(all).to_string()
    }

    /// What the columns say about supervision.
    ///
    /// `shape` is what the file is read as, where it is not recognised; `roles` corrects columns, as in
    /// `item=question`.
    ///
    /// # Errors
    /// A role or shape that does not exist, columns that are missing, cells that are not what their role needs.
    pub fn signal(&self, shape: Option<String>, roles: Vec<String>) -> Result<Signal, JsError> {
        let reading = reading(shape.as_deref(), &roles)?;
        let found = superalign_data::signal::of(self.columns.clone(), &reading).map_err(Fault::from)?;
        Ok(Signal::new(found))
    }
}

/// Columns that the page has read itself, as those of Parquet.
#[wasm_bindgen]
#[derive(Clone, Debug)]
pub struct Gathering {
    name: String,
    columns: Vec<Column>,
}

#[wasm_bindgen]
impl Gathering {
    /// No columns yet, of the file of that name.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(name: String) -> Gathering {
        Self { name, columns: Vec::new() }
    }

    /// A column of numbers; NaN is an empty cell.
    pub fn numbers(&mut self, name: String, values: Vec<f64>) {
        self.columns.push(Column { name, cells: Cells::Numbers(values) });
    }

    /// A column of texts: the distinct ones in the order in which they come up, and for each row the place of its
    /// text; 2^32 - 1 is an empty cell.
    ///
    /// # Errors
    /// A place beyond the texts.
    pub fn texts(&mut self, name: String, distinct: Vec<String>, codes: Vec<u32>) -> Result<(), JsError> {
        let texts = distinct.len();
        if let Some(row) = codes.iter().position(|&code| code != NOTHING && code as usize >= texts) {
            return Err(Fault::Code { row, found: codes[row], texts }.into());
        }
        let distinct = distinct.into_iter().map(Into::into).collect();
        self.columns.push(Column { name, cells: Cells::Texts(Texts { distinct, codes }) });
        Ok(())
    }

    /// A column of lists of numbers, or of lists of such lists, all of one shape, one row after the other.
    ///
    /// # Errors
    /// Values that do not divide into lists of that shape.
    pub fn lists(&mut self, name: String, shape: Vec<u32>, values: Vec<f64>) -> Result<(), JsError> {
        let shape: Vec<usize> = shape.into_iter().map(|length| length as usize).collect();
        let each = shape.iter().product::<usize>();
        if each == 0 || !values.len().is_multiple_of(each) {
            return Err(Fault::Lists { length: values.len(), each }.into());
        }
        self.columns.push(Column { name, cells: Cells::Lists { shape, values } });
        Ok(())
    }

    /// A column that is of no use here: it is named and passed over.
    pub fn other(&mut self, name: String, found: String) {
        let expected = "numbers, texts or lists of numbers".to_owned();
        self.columns.push(Column { name, cells: Cells::Mixed { row: 0, found, expected } });
    }

    /// The columns as a table.
    ///
    /// # Errors
    /// No rows, two columns of one name, columns of several lengths.
    pub fn table(self) -> Result<Table, JsError> {
        set_aside(self.columns.iter().map(|column| 8 * column.cells.rows()).sum());
        let columns = Columns::new(&self.name, Container::Parquet, String::new(), self.columns);
        Ok(Table { columns: columns.map_err(Fault::from)? })
    }
}

/// Makes the memory as large as a file of that size is likely to need, at once: where a browser cannot make it larger in
/// place, every step copies the whole of it, and a million votes take ten times as long.
fn set_aside(bytes: usize) {
    const MOST: usize = 1 << 29;
    let mut room: Vec<u8> = Vec::new();
    // Where there is not so much, the file may do with less.
    let _ = room.try_reserve_exact(bytes.saturating_mul(12).min(MOST));
    std::hint::black_box(&room);
}

/// What a page asks for, checked.
fn reading(shape: Option<&str>, roles: &[String]) -> Result<Reading, Fault> {
    let shape = shape.map(str::parse::<Shape>).transpose()?;
    let role = |pair: &String| {
        let Some((role, name)) = pair.split_once('=') else { return Err(Fault::Role(pair.clone())) };
        Ok((role.parse::<Role>()?, name.to_owned()))
    };
    Ok(Reading { shape, columns: roles.iter().map(role).collect::<Result<_, Fault>>()? })
}

/// A column in a few words.
fn described(column: &Column) -> Value {
    const SHOWN: usize = 3;
    let first: Vec<String> = match &column.cells {
        Cells::Numbers(numbers) => {
            numbers.iter().filter(|x| !x.is_nan()).take(SHOWN).map(ToString::to_string).collect()
        }
        Cells::Texts(texts) => texts.distinct.iter().take(SHOWN).map(ToString::to_string).collect(),
        Cells::Lists { .. } | Cells::Mixed { .. } => Vec::new(),
    };
    json!({
        "name": column.name,
        "kind": column.cells.kind(),
        "filled": column.cells.filled(),
        "first": first,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOTES: &str = "question,worker,label\n1,ann,yes\n1,bob,no\n2,ann,no\n2,bob,no\n";

    #[test]
    fn columns_that_are_handed_over_say_the_same_as_those_of_a_file() {
        let read = Table { columns: columns::read_bytes("votes.csv", VOTES.into()).unwrap() };
        let mut gathered = Gathering::new("votes.parquet".to_owned());
        gathered.numbers("question".to_owned(), vec![1.0, 1.0, 2.0, 2.0]);
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        gathered.texts("worker".to_owned(), texts(&["ann", "bob"]), vec![0, 1, 0, 1]).unwrap_or_default();
        gathered.texts("label".to_owned(), texts(&["yes", "no"]), vec![0, 1, 1, 1]).unwrap_or_default();
        let gathered = gathered.table().unwrap_or_else(|_| panic!("three columns of four rows"));
        assert_eq!(gathered.columns.columns, read.columns.columns);
        assert_eq!((gathered.columns(), gathered.rows()), (read.columns(), 4));
    }

    #[test]
    fn roles_are_pairs() {
        let role = |text: &str| reading(None, &[text.to_owned()]);
        assert_eq!(role("item=a=b").unwrap().columns[0].1, "a=b");
        assert_eq!(
            role("item").unwrap_err().to_string(),
            "found `item`, expected a role and the name of its column, as in `item=question`"
        );
        assert!(role("itme=a").unwrap_err().to_string().contains("item"));
        assert!(reading(Some("voted"), &[]).unwrap_err().to_string().contains("votes"));
    }
}
