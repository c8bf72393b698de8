//! The columns of a table by what they are for, and their cells as numbers and names.

use super::super::Failure;
use std::fmt::Write;
use superalign_data::columns::{Cells, Column, Columns, NOTHING};

/// What a column is for, and the names by which it is recognised without being told; each of them names the role too.
pub(super) struct Role {
    pub(super) name: &'static str,
    pub(super) known_as: &'static [&'static str],
}

/// A table with the roles of its columns.
pub(super) struct Roles<'a> {
    pub(super) table: &'a Columns,
    found: Vec<(&'static str, &'a Column)>,
}

impl<'a> Roles<'a> {
    /// Columns that were named, as `role=name`, then those that go by one of the usual names.
    pub(super) fn new(table: &'a Columns, named: &[String], roles: &'static [Role]) -> Result<Self, Failure> {
        let mut found: Vec<(&'static str, &Column)> = Vec::new();
        for pair in named {
            let list = || roles.iter().map(|role| role.name).collect::<Vec<_>>().join(", ");
            let Some((role, name)) = pair.split_once('=') else {
                let message = format!(
                    "--columns {pair}: expected a role and the name of its column, as in `{}=name`; the roles are {}",
                    roles[0].name,
                    list()
                );
                return Err(Failure::Usage(message));
            };
            let Some(role) = roles.iter().find(|known| known.name == role || known.known_as.contains(&role))
            else {
                let near = crate::spec::nearest(role, roles.iter().map(|known| known.name));
                let near = near.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
                let message = format!("--columns {pair}: there is no role `{role}`, only {}{near}", list());
                return Err(Failure::Usage(message));
            };
            let Some(column) = table.get(name) else {
                let message = format!(
                    "{}: found the columns {}, expected one named `{name}`, as --columns says",
                    table.path.display(),
                    quoted(&table.names())
                );
                return Err(Failure::Usage(message));
            };
            found.push((role.name, column));
        }
        for role in roles {
            let taken = |column: &Column| found.iter().any(|(_, other)| other.name == column.name);
            if found.iter().all(|(name, _)| *name != role.name) {
                let by = |name: &&str| table.columns.iter().find(|c| c.name.eq_ignore_ascii_case(name));
                if let Some(column) = role.known_as.iter().find_map(|name| by(name).filter(|c| !taken(c))) {
                    found.push((role.name, column));
                }
            }
        }
        Ok(Self { table, found })
    }

    pub(super) fn get(&self, role: &str) -> Option<&'a Column> {
        self.found.iter().find(|(name, _)| *name == role).map(|(_, column)| *column)
    }

    /// Which column has which of these roles, in words.
    pub(super) fn describe(&self, used: &[&str]) -> String {
        let mut out = String::new();
        for (role, column) in self.found.iter().filter(|(role, _)| used.contains(role)) {
            let _ = write!(out, "{}{role} = `{}`", if out.is_empty() { "" } else { ", " }, column.name);
        }
        out
    }

    /// The error that the table lacks columns.
    pub(super) fn lacks(&self, expected: &str, remedy: &str) -> Failure {
        Failure::Usage(format!(
            "{}: found the columns {}, expected {expected}; {remedy}",
            self.table.path.display(),
            quoted(&self.table.names())
        ))
    }

    /// The error of one cell.
    pub(super) fn cell(&self, column: &Column, row: usize, expected: &str, remedy: &str) -> Failure {
        Failure::usage(self.table.cell(row, &column.name, shown(column, row), expected, remedy))
    }

    /// The numbers of a column; an empty cell is an error.
    pub(super) fn numbers(&self, column: &'a Column, expected: &str) -> Result<&'a [f64], Failure> {
        const REMEDY: &str = "correct the cell, or leave the row out";
        match &column.cells {
            Cells::Numbers(numbers) => match numbers.iter().position(|x| x.is_nan()) {
                Some(row) => Err(self.cell(column, row, expected, REMEDY)),
                None => Ok(numbers),
            },
            Cells::Texts(texts) => {
                // The first text that is no number is to blame, if the file itself shows which it is.
                let blamed = |code: &u32| {
                    *code == NOTHING || texts.distinct[*code as usize].trim().parse::<f64>().is_err()
                };
                let row = texts.codes.iter().position(blamed).unwrap_or(0);
                Err(self.cell(column, row, expected, REMEDY))
            }
            Cells::Mixed { row, .. } => Err(self.cell(column, *row, expected, REMEDY)),
            Cells::Lists { .. } => Err(self.cell(column, 0, expected, REMEDY)),
        }
    }

    /// Whether each row is right (1), wrong (0) or empty (-1).
    pub(super) fn answers(&self, column: &Column) -> Result<Vec<i8>, Failure> {
        const EXPECTED: &str = "1, 0, true, false or nothing";
        let fault =
            |row| self.cell(column, row, EXPECTED, "correct the cell, or name other columns with --columns");
        match &column.cells {
            Cells::Numbers(numbers) => {
                let answer = |(row, x): (usize, &f64)| match *x {
                    x if x.is_nan() => Ok(-1),
                    0.0 => Ok(0),
                    1.0 => Ok(1),
                    _ => Err(fault(row)),
                };
                numbers.iter().enumerate().map(answer).collect()
            }
            Cells::Texts(texts) => {
                let answer = |(row, code): (usize, &u32)| {
                    if *code == NOTHING {
                        return Ok(-1);
                    }
                    match texts.distinct[*code as usize].trim().to_ascii_lowercase().as_str() {
                        "" | "na" | "nan" | "null" | "n/a" => Ok(-1),
                        "0" | "false" => Ok(0),
                        "1" | "true" => Ok(1),
                        _ => Err(fault(row)),
                    }
                };
                texts.codes.iter().enumerate().map(answer).collect()
            }
            Cells::Mixed { row, .. } => Err(fault(*row)),
            Cells::Lists { .. } => Err(fault(0)),
        }
    }

    /// The name in each row, as its place among the names in the order of first sight.
    pub(super) fn names(&self, column: &Column) -> Result<(Vec<usize>, Vec<String>), Failure> {
        let Some(codes) = column.codes() else {
            return Err(self.cell(column, 0, "a name or a number", "name another column with --columns"));
        };
        if let Some(row) = codes.codes.iter().position(|&code| code == NOTHING) {
            return Err(self.cell(column, row, "a name or a number", "fill the cell, or leave the row out"));
        }
        let mut new = vec![usize::MAX; codes.names.len()];
        let mut names = Vec::new();
        let place = |&code: &u32| {
            let code = code as usize;
            if new[code] == usize::MAX {
                new[code] = names.len();
                names.push(codes.names[code].clone());
            }
            new[code]
        };
        let places = codes.codes.iter().map(place).collect();
        Ok((places, names))
    }
}

/// What is in a cell, for a message.
fn shown(column: &Column, row: usize) -> String {
    match &column.cells {
        Cells::Numbers(numbers) if numbers[row].is_nan() => "nothing".to_owned(),
        Cells::Numbers(numbers) => numbers[row].to_string(),
        Cells::Texts(texts) if texts.codes[row] == NOTHING => "nothing".to_owned(),
        Cells::Texts(texts) => format!("`{}`", texts.distinct[texts.codes[row] as usize]),
        Cells::Mixed { found, .. } => found.clone(),
        Cells::Lists { .. } => column.cells.kind(),
    }
}

/// Names between backticks, with commas.
pub(super) fn quoted(names: &[String]) -> String {
    const MOST: usize = 12;
    let shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > MOST { format!(" and {} more", names.len() - MOST) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
