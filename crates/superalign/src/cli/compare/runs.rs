//! Run folders, and their items side by side.

use super::{CompareArgs, Failure};
use crate::record::{ItemRow, Manifest, Status, load_items};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

/// One side of a comparison: what is compared under one name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) model: String,
    pub(super) signal: String,
    pub(super) seed: u64,
}

/// Two rows about one item.
pub(super) struct Pair<'a> {
    pub(super) a: &'a ItemRow,
    pub(super) b: &'a ItemRow,
}

/// The items that both sides have of a cell, in the order of the first.
pub(super) struct Cell {
    pub(super) a: Key,
    pub(super) b: Key,
    /// Rows of the first and of the second side.
    places: Vec<(usize, usize)>,
    /// Items of one side only.
    pub(super) only: [usize; 2],
}

/// All cells.
pub(super) struct Aligned {
    /// The sides, as the user named them.
    pub(super) names: [String; 2],
    rows_a: Vec<ItemRow>,
    /// Nothing where both sides are of one run.
    rows_b: Option<Vec<ItemRow>>,
    pub(super) cells: Vec<Cell>,
    /// Cells of one side only.
    pub(super) unmatched: [usize; 2],
}

impl Aligned {
    pub(super) fn pairs(&self, cell: &Cell) -> Vec<Pair<'_>> {
        let b = self.rows_b.as_ref().unwrap_or(&self.rows_a);
        cell.places.iter().map(|&(i, j)| Pair { a: &self.rows_a[i], b: &b[j] }).collect()
    }
}

/// The rows of a complete run.
fn rows(folder: &Path) -> Result<Vec<ItemRow>, Failure> {
    let shown = folder.display();
    if !folder.is_dir() {
        let found = if folder.exists() { "a file" } else { "nothing" };
        return Err(Failure::Usage(format!("{shown}: found {found}, expected the folder of a run")));
    }
    let Some(manifest) = Manifest::read(folder).map_err(Failure::usage)? else {
        let message =
            format!("{shown}: found no manifest.json, expected the folder of a run, as `runs/name-1a2b3c4d`");
        return Err(Failure::Usage(message));
    };
    if manifest.status != Status::Complete {
        let message = format!(
            "{shown}: found a run that is not complete, expected all its files; go on with it: {}",
            manifest.command
        );
        return Err(Failure::Usage(message));
    }
    load_items(&folder.join("items.parquet")).map_err(Failure::usage)
}

/// Rows of the part, by cell.
type Cells = BTreeMap<Key, Vec<usize>>;

fn cells(rows: &[ItemRow], part: &str, shown: &str) -> Result<Cells, Failure> {
    let mut cells = Cells::new();
    for (place, row) in rows.iter().enumerate().filter(|(_, row)| *row.part == *part) {
        let key = Key { model: row.model.to_string(), signal: row.signal.to_string(), seed: row.seed };
        cells.entry(key).or_default().push(place);
    }
    if cells.is_empty() {
        let parts: BTreeSet<&str> = rows.iter().map(|row| &*row.part).collect();
        let message = format!("{shown}: found the parts {}, expected `{part}`", listed(&parts));
        return Err(Failure::Usage(message));
    }
    Ok(cells)
}

/// Reads both sides and aligns them.
pub(super) fn aligned(args: &CompareArgs) -> Result<Aligned, Failure> {
    let rows_a = rows(&args.run_a)?;
    let rows_b = args.run_b.as_deref().map(rows).transpose()?;
    let name_a = args.run_a.display().to_string();
    let name_b = args.run_b.as_ref().map_or_else(|| name_a.clone(), |run| run.display().to_string());
    let all_b = rows_b.as_ref().unwrap_or(&rows_a);
    let mut cells_a = cells(&rows_a, &args.part, &name_a)?;
    let mut cells_b = cells(all_b, &args.part, &name_b)?;
    let names;
    let matched: Vec<(Key, Key)>;
    if let Some(with) = &args.with {
        let [signal] = &args.signal[..] else {
            let message =
                format!("--with {with}: found {} signals, expected one --signal", args.signal.len());
            return Err(Failure::Usage(message));
        };
        if signal == with && args.run_b.is_none() {
            return Err(Failure::Usage(format!(
                "--with {with}: found the signal of --signal, expected another"
            )));
        }
        retain(&mut cells_a, std::slice::from_ref(signal), &name_a)?;
        retain(&mut cells_b, std::slice::from_ref(with), &name_b)?;
        matched = across(&cells_a, &cells_b);
        names = if args.run_b.is_none() { [signal.clone(), with.clone()] } else { [name_a, name_b] };
    } else {
        if !args.signal.is_empty() {
            retain(&mut cells_a, &args.signal, &name_a)?;
            retain(&mut cells_b, &args.signal, &name_b)?;
        }
        matched =
            cells_a.keys().filter(|key| cells_b.contains_key(key)).map(|k| (k.clone(), k.clone())).collect();
        names = [name_a, name_b];
    }
    if matched.is_empty() {
        let has = |cells: &Cells| listed(&cells.keys().map(shown_key).collect::<BTreeSet<_>>());
        let message = format!(
            "no cell of the part `{}` is on both sides; {} has {}; {} has {}; --signal A --with B compares two of other names",
            args.part,
            names[0],
            has(&cells_a),
            names[1],
            has(&cells_b)
        );
        return Err(Failure::Usage(message));
    }
    let mut found = Vec::new();
    for (a, b) in &matched {
        let sides = [(&rows_a[..], &cells_a[a]), (&all_b[..], &cells_b[b])];
        found.push(cell(a, b, sides, &names)?);
    }
    let unmatched = [cells_a.len() - matched.len(), cells_b.len() - matched.len()];
    Ok(Aligned { names, rows_a, rows_b, cells: found, unmatched })
}

/// Keeps the cells of these signals.
fn retain(cells: &mut Cells, signals: &[String], shown: &str) -> Result<(), Failure> {
    let known: BTreeSet<String> = cells.keys().map(|key| key.signal.clone()).collect();
    if let Some(unknown) = signals.iter().find(|signal| !known.contains(*signal)) {
        let near = crate::spec::nearest(unknown, known.iter().map(String::as_str));
        let near = near.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        let all = listed(&known);
        return Err(Failure::Usage(format!("{shown}: found the signals {all}, expected `{unknown}`{near}")));
    }
    cells.retain(|key, _| signals.contains(&key.signal));
    Ok(())
}

/// Cells of one signal on each side by seed; by model too where a signal has several.
fn across(a: &Cells, b: &Cells) -> Vec<(Key, Key)> {
    let models = |cells: &Cells| cells.keys().map(|key| key.model.clone()).collect::<BTreeSet<_>>().len();
    let by_model = models(a) > 1 || models(b) > 1;
    let fits = |a: &Key, b: &Key| a.seed == b.seed && (!by_model || a.model == b.model);
    a.keys()
        .filter_map(|key| b.keys().find(|other| fits(key, other)).map(|o| (key.clone(), o.clone())))
        .collect()
}

/// The items of one cell by their names.
fn by_item<'a>(
    rows: &'a [ItemRow],
    places: &[usize],
    shown: &str,
) -> Result<HashMap<&'a str, usize>, Failure> {
    let mut found = HashMap::with_capacity(places.len());
    for &place in places {
        if found.insert(&*rows[place].item, place).is_some() {
            let row = &rows[place];
            let message = format!(
                "{shown}: found the item `{}` twice in {}, expected one row for each item",
                row.item,
                shown_key(&Key {
                    model: row.model.to_string(),
                    signal: row.signal.to_string(),
                    seed: row.seed
                })
            );
            return Err(Failure::Usage(message));
        }
    }
    Ok(found)
}

fn cell(
    a: &Key,
    b: &Key,
    [(rows_a, places_a), (rows_b, places_b)]: [(&[ItemRow], &Vec<usize>); 2],
    names: &[String; 2],
) -> Result<Cell, Failure> {
    by_item(rows_a, places_a, &names[0])?;
    let others = by_item(rows_b, places_b, &names[1])?;
    let mut places = Vec::new();
    for &place in places_a {
        let Some(&other) = others.get(&*rows_a[place].item) else { continue };
        if rows_a[place].gold != rows_b[other].gold {
            let message = format!(
                "item `{}`: {} has the label {}, {} has {}; expected the same truth on both sides: their data are other data",
                rows_a[place].item, names[0], rows_a[place].gold, names[1], rows_b[other].gold
            );
            return Err(Failure::Usage(message));
        }
        places.push((place, other));
    }
    if places.is_empty() {
        let examples = |rows: &[ItemRow], places: &[usize]| {
            listed(&places.iter().take(3).map(|&place| rows[place].item.to_string()).collect::<BTreeSet<_>>())
        };
        let message = format!(
            "{}: no item is on both sides; {} has {} items, as {}; {} has {}, as {}",
            shown_key(a),
            names[0],
            places_a.len(),
            examples(rows_a, places_a),
            names[1],
            places_b.len(),
            examples(rows_b, places_b)
        );
        return Err(Failure::Usage(message));
    }
    let only = [places_a.len() - places.len(), places_b.len() - places.len()];
    Ok(Cell { a: a.clone(), b: b.clone(), places, only })
}

/// A cell in words.
fn shown_key(key: &Key) -> String {
    format!("{} / {} / seed {}", key.model, key.signal, key.seed)
}

/// Names between backticks, with commas, at most eight.
fn listed<S: AsRef<str>>(names: &BTreeSet<S>) -> String {
    const MOST: usize = 8;
    let shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{}`", name.as_ref())).collect();
    let more = if names.len() > MOST { format!(" and {} more", names.len() - MOST) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
