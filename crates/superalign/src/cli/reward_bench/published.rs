//! Published scores: accuracies by subset, or scores by section, summed again.

use super::benchmark::{Benchmark, PRIORS, Version, plain};
use super::sums::{Outcome, Sums};
use crate::cli::Failure;
use std::collections::BTreeSet;
use std::path::Path;
use superalign_data::load::ScoreRow;
use superalign_data::{DataError, Place};
use superalign_evaluation::EvaluationError;
use superalign_evaluation::reward_bench::{
    Domain, Missing, PRIOR_SETS, Priors, SUBSETS, Section, v1_overall, v1_scores, v2_overall,
};

/// Names under which a table has the overall score.
const OVERALL: [&str; 3] = ["score", "overall", "average"];

/// What the columns are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    V1Subsets,
    V1Sections,
    V2Domains,
}

/// The sums of every row, and what to say of the file as a whole.
pub(super) fn published(
    path: &Path,
    rows: &[ScoreRow],
    version: Version,
    missing: Missing,
) -> Result<(Benchmark, Vec<Sums>, Vec<String>), Failure> {
    let names: BTreeSet<&str> =
        rows.iter().flat_map(|row| row.values.iter().map(|(name, _)| name.as_str())).collect();
    let kinds: &[Kind] = match version {
        Version::Auto => &[Kind::V1Subsets, Kind::V1Sections, Kind::V2Domains],
        Version::V1 => &[Kind::V1Subsets, Kind::V1Sections],
        Version::V2 => &[Kind::V2Domains],
        Version::World => &[],
    };
    let known = |kind: Kind| names.iter().filter(|name| place(kind, name).is_some()).count();
    let best = kinds.iter().copied().rev().max_by_key(|&kind| known(kind)).filter(|&kind| known(kind) > 0);
    let Some(kind) = best else {
        return Err(Failure::usage(DataError::Columns {
            path: path.to_path_buf(),
            found: names.iter().map(|&name| name.to_owned()).collect(),
            expected: "`subset` and scores (one row per item), or accuracies under the names of a benchmark's subsets or \
                       sections (one row per model)"
                .to_owned(),
            remedy: "name the column with the subset with --subset-column".to_owned(),
        }));
    };
    let mut notes = Vec::new();
    let ignored: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| place(kind, name).is_none() && !OVERALL.contains(&plain(name).as_str()))
        .collect();
    if !ignored.is_empty() {
        notes.push(format!("Columns passed over: {}.", ignored.join(", ")));
    }
    let mut zeros = 0;
    let mut found = Vec::with_capacity(rows.len());
    for (n, row) in rows.iter().enumerate() {
        let model = row.model.clone().unwrap_or_else(|| format!("row {}", n + 1));
        let sums = one(kind, row, missing, &mut zeros).map_err(|reason| {
            let place = Place { path: path.to_path_buf(), at: row.at };
            Failure::usage(format!("{place} ({model}): {reason}"))
        })?;
        found.push(Sums { model, ..sums });
    }
    if zeros > 0 {
        notes.push(format!(
            "In {zeros} rows the prior sets have 0: taken as not given, as on the official leaderboard."
        ));
    }
    let benchmark = if kind == Kind::V2Domains { Benchmark::V2 } else { Benchmark::V1 };
    Ok((benchmark, found, notes))
}

/// The place of a column among the parts of its kind: for sections, 4 is that of the prior sets.
fn place(kind: Kind, name: &str) -> Option<usize> {
    let same = |other: &str| plain(other) == plain(name);
    match kind {
        Kind::V1Subsets => {
            SUBSETS.iter().map(|subset| subset.name).chain(PRIOR_SETS).position(|subset| subset == name)
        }
        Kind::V1Sections => Section::ALL.iter().map(|section| section.name()).chain([PRIORS]).position(same),
        Kind::V2Domains => Domain::ALL.iter().position(|domain| same(domain.name())),
    }
}

fn one(kind: Kind, row: &ScoreRow, missing: Missing, zeros: &mut usize) -> Result<Sums, EvaluationError> {
    let value = |place_wanted: usize| {
        row.values.iter().find(|(name, _)| place(kind, name) == Some(place_wanted)).map(|(_, value)| *value)
    };
    let given = |name: &str, value: Option<f64>| match value {
        Some(value) => (name.to_owned(), Outcome::Value(value, None)),
        None => (name.to_owned(), Outcome::Undefined(format!("{name} is undefined: it is not given"))),
    };
    let of = |found: Result<f64, EvaluationError>| match found {
        Ok(value) => Outcome::Value(value, None),
        Err(why) => Outcome::Undefined(why.to_string()),
    };
    let mut lacking: Vec<String> = Vec::new();
    let (sections, overall) = match kind {
        Kind::V1Subsets => {
            let known: Vec<(&str, f64)> = row
                .values
                .iter()
                .filter(|(name, _)| place(kind, name).is_some())
                .map(|(name, value)| (name.as_str(), *value))
                .collect();
            let found = v1_scores(&known, Priors::WhereGiven, missing)?;
            let lacks = |name: &&str| !known.iter().any(|(known, _)| known == name);
            lacking.extend(SUBSETS.iter().map(|subset| subset.name).filter(lacks).map(str::to_owned));
            let sections = Section::ALL.iter().zip(found.sections);
            let mut sections: Vec<(String, Outcome)> =
                sections.map(|(section, value)| (section.name().to_owned(), of(value))).collect();
            if known.iter().any(|(name, _)| PRIOR_SETS.contains(name)) {
                lacking.extend(PRIOR_SETS.iter().copied().filter(lacks).map(str::to_owned));
                sections.push((PRIORS.to_owned(), of(found.priors)));
            }
            (sections, of(found.overall))
        }
        Kind::V1Sections => {
            let values = [value(0), value(1), value(2), value(3)];
            let priors = value(4).filter(|&score| score != 0.0);
            *zeros += usize::from(value(4) == Some(0.0));
            let names = Section::ALL.map(Section::name);
            let lacks = names.iter().zip(&values).filter(|(_, value)| value.is_none());
            lacking.extend(lacks.map(|(name, _)| (*name).to_owned()));
            let mut sections: Vec<(String, Outcome)> =
                names.iter().zip(values).map(|(name, value)| given(name, value)).collect();
            if priors.is_some() {
                sections.push(given(PRIORS, priors));
            }
            (sections, whole(v1_overall(values, priors, missing))?)
        }
        Kind::V2Domains => {
            let values = std::array::from_fn(value);
            let lacks = Domain::ALL.iter().zip(&values).filter(|(_, value)| value.is_none());
            lacking.extend(lacks.map(|(domain, _)| domain.name().to_owned()));
            let sections =
                Domain::ALL.iter().zip(values).map(|(domain, value)| given(domain.name(), value)).collect();
            (sections, whole(v2_overall(values, missing))?)
        }
    };
    let published = row.values.iter().find(|(name, _)| OVERALL.contains(&plain(name).as_str()));
    Ok(Sums {
        model: String::new(),
        subsets: Vec::new(),
        sections,
        ties: Vec::new(),
        overall,
        published: published.map(|(_, value)| *value),
        missing: lacking,
        notes: Vec::new(),
    })
}

/// A score that does not exist is shown; numbers out of range are mistakes.
fn whole(found: Result<f64, EvaluationError>) -> Result<Outcome, EvaluationError> {
    match found {
        Ok(value) => Ok(Outcome::Value(value, None)),
        Err(why @ EvaluationError::Undefined { .. }) => Ok(Outcome::Undefined(why.to_string())),
        Err(why) => Err(why),
    }
}
