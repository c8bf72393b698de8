//! Names that stand in several columns: an item that is a subset and a number, a judge that is a model and a prompt.

use super::Role;
use super::pieces::codes;
use crate::columns::{Cells, Codes, Column, Columns, NOTHING, Texts};
use crate::error::DataError;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Roles whose name may stand in several columns.
const JOINED: [Role; 3] = [Role::Item, Role::Annotator, Role::Judge];

/// Adds a column for each role whose name was said to stand in several, and gives it the role in their place.
///
/// # Errors
/// Two columns for a role that has one and is no name; columns that hold no names. Columns that are not there are
/// left for others to find.
pub(super) fn join(file: &mut Columns, named: &[(Role, String)]) -> Result<Vec<(Role, String)>, DataError> {
    let mut out = named.to_vec();
    let mut seen: Vec<Role> = Vec::new();
    for &(role, _) in named.iter().filter(|(role, _)| !role.many()) {
        if seen.contains(&role) {
            continue;
        }
        seen.push(role);
        let names: Vec<&String> = named.iter().filter(|(of, _)| *of == role).map(|(_, name)| name).collect();
        if names.len() < 2 || names.iter().any(|name| file.get(name).is_none()) {
            continue;
        }
        if !JOINED.contains(&role) {
            return Err(DataError::Columns {
                path: file.path.clone(),
                found: names.into_iter().cloned().collect(),
                expected: format!("one column for the role {role}"),
                remedy: "name one of them".to_owned(),
            });
        }
        let joined = joined(file, &names, role)?;
        out.retain(|(of, _)| *of != role);
        out.extend(names.into_iter().map(|name| (Role::Ignore, name.clone())));
        out.push((role, joined.name.clone()));
        file.columns.push(joined);
    }
    Ok(out)
}

/// The columns side by side as one of texts; a row in which one of them is empty has no name.
fn joined(file: &Columns, names: &[&String], role: Role) -> Result<Column, DataError> {
    let mut name = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join("+");
    while file.get(&name).is_some() {
        name.push('+');
    }
    let mut all: Option<Codes> = None;
    for column in file.columns.iter().filter(|column| names.contains(&&column.name)) {
        let next = codes(file, column, role)?;
        all = Some(all.map_or_else(|| next.clone(), |before| side_by_side(&before, &next)));
    }
    let Codes { codes, names, .. } =
        all.unwrap_or(Codes { codes: Vec::new(), names: Vec::new(), values: None });
    let distinct = names.into_iter().map(Arc::from).collect();
    Ok(Column { name, cells: Cells::Texts(Texts { distinct, codes }) })
}

fn side_by_side(left: &Codes, right: &Codes) -> Codes {
    let mut places: FxHashMap<(u32, u32), u32> = FxHashMap::default();
    let mut names = Vec::new();
    let codes = left.codes.iter().zip(&right.codes).map(|(&l, &r)| {
        if l == NOTHING || r == NOTHING {
            return NOTHING;
        }
        *places.entry((l, r)).or_insert_with(|| {
            names.push(format!("{} / {}", left.names[l as usize], right.names[r as usize]));
            names.len() as u32 - 1
        })
    });
    Codes { codes: codes.collect(), names, values: None }
}
