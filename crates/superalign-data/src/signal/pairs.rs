//! Comparisons of two candidates.

use super::pieces::{codes, joint_codes, unsuited};
use super::{Role, Roles};
use crate::columns::{Cells, Codes, Column, Columns, NOTHING};
use crate::error::DataError;

/// Comparisons, one a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Pairs {
    /// Names of the candidates, sorted; empty when the file names none.
    pub candidates: Vec<String>,
    /// The candidate on the left in each row.
    pub left: Option<Vec<u32>>,
    /// The candidate on the right in each row.
    pub right: Option<Vec<u32>>,
    /// Who won.
    pub winner: Vec<Winner>,
    /// Who won when the two were shown the other way round.
    pub winner_swapped: Option<Vec<Winner>>,
    /// Lengths of the candidates on the left and on the right.
    pub lengths: Option<(Vec<f64>, Vec<f64>)>,
    /// The item of each row, as a number, and their names.
    pub items: Option<Codes>,
    /// The judge of each row, as a number, and their names.
    pub judges: Option<Codes>,
    /// Who wrote the candidates on the left and on the right, among the names of `authors`.
    pub written: Option<(Vec<u32>, Vec<u32>)>,
    /// Names of the authors; judges are among them under the same name.
    pub authors: Vec<String>,
    /// Whether the row shows an item's two candidates the other way round.
    pub swapped: Option<Vec<bool>>,
}

/// How a comparison ended, by the places in which the two were shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Winner {
    /// The one on the left, shown first.
    Left,
    /// The one on the right, shown second.
    Right,
    /// Neither.
    Tie,
    /// Nobody said.
    Nothing,
}

impl Winner {
    /// By the places in which the two are shown the other way round.
    const fn turned(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
            Self::Tie | Self::Nothing => self,
        }
    }
}

impl Pairs {
    pub(super) fn of(file: &Columns, roles: &Roles<'_>, notes: &mut Vec<String>) -> Result<Self, DataError> {
        let one = |role| roles.one(role);
        let (mut candidates, mut sides) = (Vec::new(), None);
        if let (Some(left), Some(right)) = (one(Role::Left), one(Role::Right)) {
            let both = joint_codes(file, &[left, right], Role::Left)?;
            if let Some(place) = both.codes.iter().position(|&code| code == NOTHING) {
                let (column, row) =
                    if place < file.rows { (left, place) } else { (right, place - file.rows) };
                let found = "nothing".to_owned();
                return Err(file.cell(
                    row,
                    &column.name,
                    found,
                    "a candidate",
                    "fill it in or remove the row",
                ));
            }
            let (a, b) = both.codes.split_at(file.rows);
            sides = Some((a.to_vec(), b.to_vec()));
            candidates = both.names;
        }
        let named =
            sides.as_ref().map(|(left, right)| (candidates.as_slice(), left.as_slice(), right.as_slice()));
        let winner_swapped = match (one(Role::WinnerSwapped), one(Role::WinnerUnswapped)) {
            (None, None) => None,
            (Some(column), _) => {
                // The other way round, the candidates have changed places.
                let named = named.map(|(names, left, right)| (names, right, left));
                Some(winners(file, column, named, notes)?)
            }
            (None, Some(column)) => {
                Some(winners(file, column, named, notes)?.into_iter().map(Winner::turned).collect())
            }
        };
        let lengths = match (one(Role::LengthLeft), one(Role::LengthRight)) {
            (Some(left), Some(right)) => {
                Some((super::pieces::lengths(file, left)?, super::pieces::lengths(file, right)?))
            }
            _ => None,
        };
        let optional = |role| one(role).map(|column| codes(file, column, role)).transpose();
        let judges = optional(Role::Judge)?;
        let (mut written, mut authors) = (None, Vec::new());
        if let (Some(left), Some(right)) = (one(Role::AuthorLeft), one(Role::AuthorRight)) {
            let both = joint_codes(file, &[left, right], Role::AuthorLeft)?;
            let (a, b) = both.codes.split_at(file.rows);
            written = Some((a.to_vec(), b.to_vec()));
            authors = both.names;
        }
        // A judge may be one of the candidates.
        let is_candidate = |name: &String| candidates.contains(name);
        if let (None, Some(judges), Some(sides)) = (&written, &judges, &sides)
            && judges.names.iter().any(is_candidate)
        {
            written = Some(sides.clone());
            authors.clone_from(&candidates);
            notes.push("Judges are among the candidates: each is taken to have written its own.".to_owned());
        }
        let swapped = match one(Role::Swapped) {
            None => None,
            Some(column) => Some(truths(file, column)?),
        };
        let winner = match (one(Role::Winner), one(Role::MarginLeft), one(Role::MarginRight)) {
            // A margin has its role since somebody said so.
            (_, Some(column), _) => signs(file, column, Winner::Left)?,
            (_, _, Some(column)) => signs(file, column, Winner::Right)?,
            (Some(column), ..) => winners(file, column, named, notes)?,
            _ => return Err(Roles::missing(file, Role::Winner, "preferences")),
        };
        Ok(Self {
            winner,
            candidates,
            left: sides.as_ref().map(|(left, _)| left.clone()),
            right: sides.map(|(_, right)| right),
            winner_swapped,
            lengths,
            items: optional(Role::Item)?,
            judges,
            written,
            authors,
            swapped,
        })
    }
}

/// Who won in each row: by the name of the candidate where every row has one of its two, else by its side.
fn winners(
    file: &Columns,
    column: &Column,
    named: Option<(&[String], &[u32], &[u32])>,
    notes: &mut Vec<String>,
) -> Result<Vec<Winner>, DataError> {
    let Codes { codes, names, .. } = codes(file, column, Role::Winner)?;
    // A column of outcomes holds sides, though candidates may be called 1 and 2.
    let by_side =
        column.name.eq_ignore_ascii_case("outcome") && names.iter().all(|name| side(name).is_some());
    if let Some((candidates, left, right)) = named.filter(|_| !by_side) {
        // The candidate of each name in the column.
        let places: Vec<Option<u32>> = names
            .iter()
            .map(|name| candidates.iter().position(|candidate| candidate == name).map(|place| place as u32))
            .collect();
        let by_name = |row: usize, code: u32| match places[code as usize] {
            Some(place) if place == left[row] => Some(Winner::Left),
            Some(place) if place == right[row] => Some(Winner::Right),
            // A side in words is no candidate's name; a number may be either.
            _ => side(&names[code as usize]).filter(|_| names[code as usize].parse::<f64>().is_err()),
        };
        let winner = |(row, &code): (usize, &u32)| match code {
            NOTHING => Some(Winner::Nothing),
            code => by_name(row, code),
        };
        if let Some(winners) = codes.iter().enumerate().map(winner).collect::<Option<Vec<_>>>() {
            let sides = names.iter().all(|name| side(name).is_some());
            if sides && winners.iter().any(|winner| matches!(winner, Winner::Left | Winner::Right)) {
                notes.push(format!(
                    "`{}` was read as the name of the candidate that won, not as its side.",
                    column.name
                ));
            }
            return Ok(winners);
        }
    }
    let sides: Vec<Option<Winner>> = names.iter().map(|name| side(name)).collect();
    let row = |code: &u32| match *code {
        NOTHING => Some(Winner::Nothing),
        code => sides[code as usize],
    };
    codes.iter().map(row).collect::<Option<Vec<_>>>().ok_or_else(|| {
        // A row that is wrong both ways is blamed before one that is wrong one way.
        let is_candidate = |place: usize| {
            named.is_some_and(|(candidates, left, right)| {
                let name = &names[codes[place] as usize];
                [left[place], right[place]].iter().any(|&code| candidates[code as usize] == *name)
            })
        };
        let mut wrongs = (0..codes.len()).filter(|&place| row(&codes[place]).is_none());
        let first = wrongs.clone().next().unwrap_or(0);
        let wrong = wrongs.find(|&place| !is_candidate(place)).unwrap_or(first);
        let found = format!("`{}`", names[codes[wrong] as usize]);
        let expected = match named {
            Some(_) => "one of the row's two candidates, or left, right, tie (or 1, 2, 0)",
            None => "left, right, tie (or 1, 2, 0)",
        };
        let remedy = if found == "`-1`" { say_margin(&column.name) } else { "correct it".to_owned() };
        file.cell(wrong, &column.name, found, expected, &remedy)
    })
}

/// Whether all cells of a column say in words which side won: a number may mean many things.
pub(super) fn are_sides(column: &Column) -> bool {
    let names = column.codes().map_or_else(Vec::new, |codes| codes.names);
    let in_words = |name: &String| side(name).is_some() && name.parse::<f64>().is_err();
    !names.is_empty() && names.iter().all(in_words)
}

/// What to do about a column of signed numbers.
pub(super) fn say_margin(name: &str) -> String {
    format!(
        "if `{name}` is above 0 where the one on the left won, say `--columns margin-left={name}`; where the one on the \
         right did, `margin-right={name}`; if it is something else, name the column with `--columns winner=NAME`"
    )
}

/// Who won in each row, by the sign of the number in it; `above` is who wins where that is above 0.
fn signs(file: &Columns, column: &Column, above: Winner) -> Result<Vec<Winner>, DataError> {
    let Cells::Numbers(numbers) = &column.cells else {
        return Err(unsuited(file, column, "a number in every row"));
    };
    let winner = |x: &f64| match x {
        x if x.is_nan() => Winner::Nothing,
        x if *x > 0.0 => above,
        x if *x < 0.0 => above.turned(),
        _ => Winner::Tie,
    };
    Ok(numbers.iter().map(winner).collect())
}

fn side(name: &str) -> Option<Winner> {
    match name.to_lowercase().as_str() {
        "left" | "a" | "first" | "model_a" | "1" => Some(Winner::Left),
        "right" | "b" | "second" | "model_b" | "2" => Some(Winner::Right),
        "0" => Some(Winner::Tie),
        name => tie(name).then_some(Winner::Tie),
    }
}

fn tie(name: &str) -> bool {
    let name = name.to_lowercase();
    name.starts_with("tie") || matches!(name.as_str(), "draw" | "equal" | "both" | "neither" | "none")
}

/// Whether each row is so.
fn truths(file: &Columns, column: &Column) -> Result<Vec<bool>, DataError> {
    let Codes { codes, names, .. } = codes(file, column, Role::Swapped)?;
    let truth = |code: u32| match names.get(code as usize)?.to_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    };
    let all = codes.iter().map(|&code| truth(code)).collect::<Option<Vec<_>>>();
    all.ok_or_else(|| {
        let row = codes.iter().position(|&code| truth(code).is_none()).unwrap_or(0);
        let found = names.get(codes[row] as usize).map_or("nothing".to_owned(), |name| format!("`{name}`"));
        file.cell(row, &column.name, found, "true or false (or yes, no, 1, 0)", "correct it")
    })
}
