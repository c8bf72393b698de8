//! What is computed of each cell, and the adjustment of all p-values together.

use super::runs::{Aligned, Cell, Key, Pair};
use super::{CompareArgs, Failure, Metric};
use crate::record::ItemRow;
use std::collections::HashMap;
use superalign_core::{Bootstrap, Estimate};
use superalign_evaluation::EvaluationError;
use superalign_evaluation::paired::{
    Adjustment, BootstrapInterval, McNemar, Power, SignFlip, SmallSample, Table, adjusted, difference,
    difference_estimate, mcnemar, mean_estimate, pooled_estimate, sign_flip,
};

/// Sign flips of a test.
const FLIPS: usize = 10_000;

/// One comparison.
pub(super) struct Compared {
    pub(super) a: Key,
    pub(super) b: Key,
    /// The seeds that are taken together, where there are several; else that of the keys is meant.
    pub(super) seeds: Vec<u64>,
    pub(super) items: usize,
    pub(super) groups: usize,
    pub(super) only: [usize; 2],
    /// Mean of each side, and first less second.
    pub(super) value_a: Estimate,
    pub(super) value_b: Estimate,
    pub(super) difference: Estimate,
    /// Right and wrong on both sides; of accuracy only.
    pub(super) table: Option<Table>,
    /// McNemar's exact test; of accuracy and one seed only.
    pub(super) mcnemar: Option<Adjusted>,
    /// The permutation test, which flips whole groups.
    pub(super) flips: Adjusted,
    /// The smallest difference that four of five such comparisons would find.
    pub(super) detectable: f64,
}

/// A p-value, alone and among all cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Adjusted {
    pub(super) p: f64,
    pub(super) holm: f64,
    pub(super) benjamini_hochberg: f64,
}

/// Whether the verdict on the item is right.
pub(super) fn is_right(row: &ItemRow) -> bool {
    (row.probability >= 0.5) == row.gold
}

fn score(row: &ItemRow, metric: Metric) -> f64 {
    match metric {
        Metric::Accuracy => f64::from(u8::from(is_right(row))),
        Metric::Brier => (row.probability - f64::from(u8::from(row.gold))).powi(2),
    }
}

/// The groups of the items as numbers, where they are fewer than the items, and how many there are.
fn groups(pairs: &[Pair<'_>]) -> (Option<Vec<u32>>, usize) {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let labels: Vec<u32> = pairs
        .iter()
        .map(|pair| {
            let next = numbers.len() as u32;
            *numbers.entry(&pair.a.group).or_insert(next)
        })
        .collect();
    let count = numbers.len();
    ((count < pairs.len()).then_some(labels), count)
}

pub(super) fn compared(
    aligned: &Aligned,
    args: &CompareArgs,
    by: &Bootstrap,
) -> Result<Vec<Compared>, Failure> {
    let mut cells = Vec::new();
    for cell in &aligned.cells {
        let found = one(cell, &aligned.pairs(cell), args.metric, by);
        cells.push(found.map_err(|error| {
            Failure::Usage(format!("{} / {} / seed {}: {error}", cell.a.model, cell.a.signal, cell.a.seed))
        })?);
    }
    let flips = together(cells.iter().map(|cell| cell.flips.p)).map_err(Failure::usage)?;
    let exact = match args.metric {
        Metric::Accuracy => together(cells.iter().map(|cell| cell.mcnemar.map_or(1.0, |test| test.p)))
            .map_err(Failure::usage)?,
        Metric::Brier => Vec::new(),
    };
    for (place, cell) in cells.iter_mut().enumerate() {
        cell.flips = flips[place];
        cell.mcnemar = exact.get(place).copied();
    }
    Ok(cells)
}

/// The p-values, each adjusted for the number of all.
fn together(p: impl Iterator<Item = f64>) -> Result<Vec<Adjusted>, EvaluationError> {
    let p: Vec<f64> = p.collect();
    let holm = adjusted(&p, Adjustment::Holm)?;
    let hochberg = adjusted(&p, Adjustment::BenjaminiHochberg)?;
    let one = |((p, holm), benjamini_hochberg)| Adjusted { p, holm, benjamini_hochberg };
    Ok(p.into_iter().zip(holm).zip(hochberg).map(one).collect())
}

/// The cells that differ in nothing but their seed taken together, where there are two or more of them. Items of one
/// group belong together under all seeds; seeds are resampled as well. p-values are adjusted for their own number.
pub(super) fn pooled(
    aligned: &Aligned,
    args: &CompareArgs,
    by: &Bootstrap,
) -> Result<Vec<Compared>, Failure> {
    let names = |cell: &Cell| [&cell.a, &cell.b].map(|key| (key.model.clone(), key.signal.clone()));
    let mut found = Vec::new();
    for cells in aligned.cells.chunk_by(|one, other| names(one) == names(other)) {
        if cells.len() > 1 {
            let over = over_seeds(aligned, cells, args.metric, by);
            found.push(over.map_err(|error| {
                let Key { model, signal, .. } = &cells[0].a;
                Failure::Usage(format!("{model} / {signal} / all seeds: {error}"))
            })?);
        }
    }
    if !found.is_empty() {
        let flips = together(found.iter().map(|cell| cell.flips.p)).map_err(Failure::usage)?;
        found.iter_mut().zip(flips).for_each(|(cell, test)| cell.flips = test);
    }
    Ok(found)
}

fn over_seeds(
    aligned: &Aligned,
    cells: &[Cell],
    metric: Metric,
    by: &Bootstrap,
) -> Result<Compared, EvaluationError> {
    let (mut a, mut b, mut difference_by_seed, mut labels) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut only = [0, 0];
    for cell in cells {
        let pairs = aligned.pairs(cell);
        let one: Vec<f64> = pairs.iter().map(|pair| score(pair.a, metric)).collect();
        let other: Vec<f64> = pairs.iter().map(|pair| score(pair.b, metric)).collect();
        difference_by_seed.push(one.iter().zip(&other).map(|(a, b)| a - b).collect::<Vec<f64>>());
        a.push(one);
        b.push(other);
        let number = |pair: &Pair<'_>| {
            let next = numbers.len() as u32;
            *numbers.entry(pair.a.group.to_string()).or_insert(next)
        };
        labels.push(pairs.iter().map(number).collect::<Vec<u32>>());
        only = [only[0] + cell.only[0], only[1] + cell.only[1]];
    }
    let (one, other, groups) = (a.concat(), b.concat(), labels.concat());
    let Cell { a: key_a, b: key_b, .. } = &cells[0];
    let by = Bootstrap { seed: by.seed.named(&key_a.model).named(&key_a.signal).named("all seeds"), ..*by };
    let flip = SignFlip { draws: FLIPS, ..SignFlip::new(by.seed.named("flips")) };
    let p = if one == other { 1.0 } else { sign_flip(&one, &other, Some(&groups), &flip)?.p_value };
    Ok(Compared {
        a: key_a.clone(),
        b: key_b.clone(),
        seeds: cells.iter().map(|cell| cell.a.seed).collect(),
        items: one.len(),
        groups: numbers.len(),
        only,
        value_a: pooled_estimate(&a, &labels, &by)?,
        value_b: pooled_estimate(&b, &labels, &by)?,
        difference: pooled_estimate(&difference_by_seed, &labels, &by)?,
        table: None,
        mcnemar: None,
        flips: Adjusted { p, holm: p, benjamini_hochberg: p },
        detectable: difference(&one, &other, Some(&groups), SmallSample::Miller)?
            .detectable(&Power { error: 1.0 - by.level, ..Power::default() })?,
    })
}

fn one(cell: &Cell, pairs: &[Pair<'_>], metric: Metric, by: &Bootstrap) -> Result<Compared, EvaluationError> {
    let a: Vec<f64> = pairs.iter().map(|pair| score(pair.a, metric)).collect();
    let b: Vec<f64> = pairs.iter().map(|pair| score(pair.b, metric)).collect();
    let (labels, groups) = groups(pairs);
    let labels = labels.as_deref();
    let by = Bootstrap { seed: by.seed.named(&cell.a.model).named(&cell.a.signal).nth(cell.a.seed), ..*by };
    let alone = |p| Adjusted { p, holm: p, benjamini_hochberg: p };
    let (table, exact) = match metric {
        Metric::Brier => (None, None),
        Metric::Accuracy => {
            let right = |rows: Vec<&ItemRow>| rows.into_iter().map(is_right).collect::<Vec<bool>>();
            let table = Table::new(
                &right(pairs.iter().map(|pair| pair.a).collect()),
                &right(pairs.iter().map(|pair| pair.b).collect()),
            )?;
            // Models that never differ are not told apart.
            let p = if table.first_only + table.second_only == 0 {
                1.0
            } else {
                mcnemar(&table, McNemar::Exact)?.p_value
            };
            (Some(table), Some(alone(p)))
        }
    };
    let flip = SignFlip { draws: FLIPS, ..SignFlip::new(by.seed.named("flips")) };
    let p = if a == b { 1.0 } else { sign_flip(&a, &b, labels, &flip)?.p_value };
    let percentile = BootstrapInterval::Percentile;
    Ok(Compared {
        a: cell.a.clone(),
        b: cell.b.clone(),
        seeds: vec![cell.a.seed],
        items: pairs.len(),
        groups,
        only: cell.only,
        value_a: mean_estimate(&a, labels, percentile, &by)?,
        value_b: mean_estimate(&b, labels, percentile, &by)?,
        difference: difference_estimate(&a, &b, labels, percentile, &by)?,
        table,
        mcnemar: exact,
        flips: alone(p),
        detectable: difference(&a, &b, labels, SmallSample::Miller)?
            .detectable(&Power { error: 1.0 - by.level, ..Power::default() })?,
    })
}
