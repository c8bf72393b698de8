//! A table of right answers by level, as one series for each model.

use super::super::Failure;
use super::columns::{Role, Roles};
use std::collections::BTreeMap;
use superalign_data::columns::{Column, Columns};
use superalign_evaluation::extrapolation::{Points, Spacing};

pub(super) const ROLES: [Role; 7] = [
    Role { name: "x", known_as: &["x", "difficulty", "level", "scale", "parameters", "params", "compute"] },
    Role { name: "successes", known_as: &["successes", "right", "hits"] },
    Role { name: "trials", known_as: &["trials", "n", "total", "items", "count"] },
    Role { name: "score", known_as: &["score", "accuracy", "acc", "share"] },
    Role { name: "correct", known_as: &["correct", "is_correct"] },
    Role { name: "model", known_as: &["model", "student", "rung"] },
    Role { name: "cluster", known_as: &["cluster", "family"] },
];

const FORMS: &str = "a level (`x`) with `successes` and `trials`, with `score` and `trials` (or `n`), or with `correct` of one item";
const REMEDY: &str = "name them with --columns, as in `x=size,correct=right`";

/// What the table holds.
pub(super) struct Counts {
    /// The series, by model, in the order of first sight; one without a name where no column says the model.
    pub(super) series: Vec<Series>,
    /// What was understood, a sentence a line.
    pub(super) notes: Vec<String>,
    /// Mean number of items at a level of a series, rounded.
    pub(super) items: u64,
}

/// Right answers of one model.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Points,
    /// Level, right and all answers, by level.
    pub(super) levels: Vec<(f64, u64, u64)>,
}

/// Right and all answers by cluster and level.
type Cells = BTreeMap<(u32, u64), (f64, u64, u64)>;

/// Reads the series; with `clustered`, rows keep apart what the cluster column keeps apart.
pub(super) fn counts(
    table: &Columns,
    columns: &[String],
    spacing: Spacing,
    clustered: Clustered,
) -> Result<Counts, Failure> {
    let roles = Roles::new(table, columns, &ROLES)?;
    let Some(x_column) = roles.get("x") else { return Err(roles.lacks(FORMS, REMEDY)) };
    let expected = match spacing {
        Spacing::Even => "a number",
        Spacing::Ratio => "a number above 0, as --x scale has it",
    };
    let x = roles.numbers(x_column, expected)?;
    if spacing == Spacing::Ratio
        && let Some(row) = x.iter().position(|&x| x <= 0.0)
    {
        return Err(roles.cell(x_column, row, expected, "correct the cell, or say --x difficulty"));
    }
    let (answers, form, mut notes) = answers(&roles)?;
    let (model_of, mut models) = match roles.get("model") {
        Some(column) => roles.names(column)?,
        None => (vec![0; x.len()], vec![String::new()]),
    };
    let cluster_of = match (clustered, roles.get("cluster")) {
        (Clustered::No, _) => vec![0; x.len()],
        (Clustered::Yes, Some(column)) => roles.names(column)?.0,
        (Clustered::Yes, None) => {
            return Err(roles.lacks("a `cluster`, which --resampling clusters draws", REMEDY));
        }
    };
    let mut cells: Vec<Cells> = models.iter().map(|_| Cells::new()).collect();
    for (row, answer) in answers.iter().enumerate() {
        let Some((right, total)) = answer else { continue };
        // Finite numbers are told apart by their bits; 0 and -0 are one level.
        let key = (cluster_of[row] as u32, (x[row] + 0.0).to_bits());
        let cell = cells[model_of[row]].entry(key).or_insert((x[row] + 0.0, 0, 0));
        cell.1 += right;
        cell.2 += total;
    }
    // Models of one level each are the levels of one series: size is what tells them apart.
    let single =
        |cells: &Cells| cells.values().all(|cell| cell.0 == cells.values().next().map_or(0.0, |c| c.0));
    let mut used = vec!["x", "cluster"];
    used.extend(form);
    if models.len() > 1 && cells.iter().all(single) {
        notes.push("Every model has one level only: they are one series.".to_owned());
        let mut one = Cells::new();
        for (key, cell) in cells.into_iter().flatten() {
            let entry = one.entry(key).or_insert((cell.0, 0, 0));
            entry.1 += cell.1;
            entry.2 += cell.2;
        }
        (cells, models) = (vec![one], vec![String::new()]);
    }
    used.push("model");
    if clustered == Clustered::No {
        used.retain(|role| *role != "cluster");
    }
    let mut found = Vec::new();
    for (name, cells) in models.into_iter().zip(cells) {
        found.push(series(name, &cells, spacing, clustered)?);
    }
    let total: u64 = found.iter().flat_map(|one| &one.levels).map(|level| level.2).sum();
    let levels: usize = found.iter().map(|one| one.levels.len()).sum();
    notes.insert(
        0,
        format!(
            "{}: {} rows of a {} file; {}.",
            table.path.display(),
            crate::report::thousands(table.rows as u64),
            table.container.name(),
            roles.describe(&used)
        ),
    );
    Ok(Counts { series: found, notes, items: (total as f64 / levels.max(1) as f64).round() as u64 })
}

/// Whether rows are kept apart by cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clustered {
    Yes,
    No,
}

fn series(name: String, cells: &Cells, spacing: Spacing, clustered: Clustered) -> Result<Series, Failure> {
    let x: Vec<f64> = cells.values().map(|cell| cell.0).collect();
    let right: Vec<u64> = cells.values().map(|cell| cell.1).collect();
    let total: Vec<u64> = cells.values().map(|cell| cell.2).collect();
    let clusters: Vec<u32> = cells.keys().map(|key| key.0).collect();
    let points = match clustered {
        Clustered::Yes => Points::clustered(&x, &right, &total, &clusters),
        Clustered::No => Points::new(&x, &right, &total),
    };
    let points = points.and_then(|points| points.spaced(spacing)).map_err(Failure::usage)?;
    let sum = |level: f64| {
        let at = cells.values().filter(|cell| cell.0 == level);
        at.fold((level, 0, 0), |sum, cell| (level, sum.1 + cell.1, sum.2 + cell.2))
    };
    let levels = points.levels().iter().map(|&level| sum(level)).collect();
    Ok(Series { name, points, levels })
}

type Answers = (Vec<Option<(u64, u64)>>, Vec<&'static str>, Vec<String>);

/// Right and all answers of each row, the roles that were used, and what to say of it.
fn answers(roles: &Roles<'_>) -> Result<Answers, Failure> {
    let whole = |column: &'static str, of: &Column, least: f64| -> Result<Vec<u64>, Failure> {
        let expected = if least > 0.0 { "a whole number, at least 1" } else { "a whole number, at least 0" };
        let numbers = roles.numbers(of, expected)?;
        let fits = |x: &f64| x.fract() == 0.0 && *x >= least && *x < (1_u64 << 53) as f64;
        match numbers.iter().position(|x| !fits(x)) {
            Some(row) => Err(roles.cell(of, row, expected, &format!("correct the {column}"))),
            None => Ok(numbers.iter().map(|&x| x as u64).collect()),
        }
    };
    if let (Some(successes), Some(trials)) = (roles.get("successes"), roles.get("trials")) {
        let (right, total) = (whole("successes", successes, 0.0)?, whole("trials", trials, 1.0)?);
        if let Some(row) = (0..right.len()).find(|&row| right[row] > total[row]) {
            let expected = format!("at most the {} trials", total[row]);
            return Err(roles.cell(successes, row, &expected, "correct one of the two"));
        }
        return Ok((right.into_iter().zip(total).map(Some).collect(), vec!["successes", "trials"], vec![]));
    }
    if let (Some(score), Some(n)) = (roles.get("score"), roles.get("trials")) {
        let total = whole("number of items", n, 1.0)?;
        let shares = roles.numbers(score, "a share from 0 to 1")?;
        if let Some(row) = shares.iter().position(|share| !(0.0..=1.0).contains(share)) {
            return Err(roles.cell(score, row, "a share from 0 to 1", "divide per cents by 100"));
        }
        let counts: Vec<f64> = shares.iter().zip(&total).map(|(share, &n)| share * n as f64).collect();
        // Shares are often written with three digits: what is no whole number by more than that is told.
        let off =
            counts.iter().zip(&total).filter(|(x, n)| (*x - x.round()).abs() > 1e-3 * **n as f64 + 1e-6);
        let off = off.count();
        let notes = if off > 0 {
            vec![format!("{off} scores times their items are no whole numbers: the nearest are taken.")]
        } else {
            vec![]
        };
        let counts = counts.iter().map(|x| x.round() as u64);
        return Ok((counts.zip(total).map(Some).collect(), vec!["score", "trials"], notes));
    }
    if let Some(correct) = roles.get("correct") {
        let answers = roles.answers(correct)?;
        let empty = answers.iter().filter(|answer| **answer < 0).count();
        let notes =
            if empty > 0 { vec![format!("{empty} items without an answer are left out.")] } else { vec![] };
        let one = |answer: i8| (answer >= 0).then_some((answer.max(0) as u64, 1));
        return Ok((answers.into_iter().map(one).collect(), vec!["correct"], notes));
    }
    Err(roles.lacks(FORMS, REMEDY))
}
