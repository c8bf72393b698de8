//! From log-odds to votes, and from votes to a signal.

use super::Draws;
use crate::{ParadigmError, Signal, Source};
use ndarray::{Array2, ArrayView2};
use superalign_core::{Seed, rand::RngExt};

/// Self-consistency: the signal of what one model says under several views and temperatures.
///
/// `log_odds` `(n, k)` are ln p(right) / p(wrong) of each item under each view, finite; `sources` are the k views. The
/// vote of view v at temperature T is 1 / (1 + exp(-z / T)), or the share of `right` among draws with that
/// probability; votes are `(n, k temperatures)`, the temperatures of a view side by side. The label of an item is the
/// mean of its votes, its confidence |2 label - 1|: with hard votes 2c - 1, where c is the share of votes that agree with
/// the majority, the consistency of Wang et al. (2023, arXiv 2203.11171).
///
/// Draws follow from the seed, the item, the view and the temperature: neither the order of items nor that of views
/// changes them, and with the signs of all log-odds they turn round.
///
/// # Errors
/// What [`Signal::new`] refuses; log-odds that are not finite; no temperature, one that is not above 0, no draws.
///
/// ```
/// use ndarray::array;
/// use superalign_core::Seed;
/// use superalign_paradigm::{Paradigm, Source};
/// use superalign_paradigm::self_enhancement::{Draws, consistency};
///
/// let view = |name: &str| Source { view: Some(name.into()), ..Source::new(name, Paradigm::SelfEnhancement, "m") };
/// let (items, views) = (vec!["a".to_owned(), "b".to_owned()], [view("plain"), view("shuffled")]);
/// let log_odds = array![[2.0, 2.0], [2.0, -2.0]];
/// let signal = consistency(&items, &views, log_odds.view(), &[1.0], Draws::Expected, Seed::new(1))?;
/// assert!(signal.labels()[0] > 0.88 && signal.confidence()[1] < 1e-12);
/// # Ok::<(), superalign_paradigm::ParadigmError>(())
/// ```
pub fn consistency(
    items: &[String],
    sources: &[Source],
    log_odds: ArrayView2<'_, f64>,
    temperatures: &[f64],
    draws: Draws,
    seed: Seed,
) -> Result<Signal, ParadigmError> {
    check_temperatures(temperatures)?;
    for (what, found, expected) in [
        ("number of rows of log-odds", log_odds.nrows(), items.len()),
        ("number of columns of log-odds", log_odds.ncols(), sources.len()),
    ] {
        if found != expected {
            return Err(ParadigmError::Shape { what, found, expected });
        }
    }
    finite(log_odds)?;
    if draws == Draws::Sampled(0) {
        return Err(ParadigmError::Setting { key: "draws", found: 0.0, expected: "at least 1".into() });
    }
    let many = temperatures.len();
    let votes = Array2::from_shape_fn((items.len(), sources.len() * many), |(i, column)| {
        let (view, t) = (column / many, column % many);
        let logit = log_odds[(i, view)] / temperatures[t];
        let name = sources[view].view.as_deref().unwrap_or(&sources[view].name);
        vote(logit, draws, seed.named(&items[i]).named(name).nth(temperatures[t].to_bits()))
    });
    let mut columns = Vec::with_capacity(votes.ncols());
    for source in sources {
        for temperature in temperatures {
            let name = match many {
                1 => source.name.clone(),
                _ => format!("{}/temperature={temperature}", source.name),
            };
            let sampled = matches!(draws, Draws::Sampled(_)).then(|| seed.value());
            columns.push(Source { name, seed: sampled.or(source.seed), ..source.clone() });
        }
    }
    Signal::mean(items.to_vec(), columns, votes)
}

/// The share of `right`: drawn as agreement with the likelier verdict, so that the opposite log-odds give the opposite.
fn vote(logit: f64, draws: Draws, seed: Seed) -> f64 {
    let likelier = 1.0 / (1.0 + (-logit.abs()).exp());
    let agree = match draws {
        Draws::Expected => likelier,
        // A tie has no likelier side.
        Draws::Sampled(_) if logit == 0.0 => 0.5,
        Draws::Sampled(many) => {
            let mut rng = seed.rng();
            (0..many).filter(|_| rng.random::<f64>() < likelier).count() as f64 / many as f64
        }
    };
    if logit < 0.0 { 1.0 - agree } else { agree }
}

/// Log-odds of each candidate against the others of its task, where exactly one of them is right.
///
/// `z'_i = z_i - ln sum_j exp(z_j)` over the other candidates j of the same task, so that 1 / (1 + exp(-z'_i)) is the
/// softmax over the task; with two candidates, the difference. Shape `(n, k)` as given, every column for itself; `tasks`
/// are numbers that candidates of one task share.
///
/// # Errors
/// Another number of tasks than rows; a task with one candidate only; log-odds that are not finite.
///
/// ```
/// use ndarray::array;
/// use superalign_paradigm::self_enhancement::within_tasks;
/// let found = within_tasks(array![[3.0], [1.0], [-1.0], [-4.0]].view(), &[7, 7, 8, 8])?;
/// assert_eq!(found, array![[2.0], [-2.0], [3.0], [-3.0]]);
/// # Ok::<(), superalign_paradigm::ParadigmError>(())
/// ```
pub fn within_tasks(log_odds: ArrayView2<'_, f64>, tasks: &[u32]) -> Result<Array2<f64>, ParadigmError> {
    if tasks.len() != log_odds.nrows() {
        let (what, found, expected) = ("number of tasks", tasks.len(), log_odds.nrows());
        return Err(ParadigmError::Shape { what, found, expected });
    }
    finite(log_odds)?;
    let mut out = Array2::zeros(log_odds.dim());
    for members in by_task(tasks) {
        if members.len() < 2 {
            return Err(ParadigmError::Undefined {
                what: "preference within a task",
                reason: format!("the task of item {} has one candidate only", members[0]).into(),
            });
        }
        for view in 0..log_odds.ncols() {
            for &i in &members {
                let others = || members.iter().filter(|&&j| j != i).map(|&j| log_odds[(j, view)]);
                let top = others().fold(f64::NEG_INFINITY, f64::max);
                let rest = others().map(|z| (z - top).exp()).sum::<f64>().ln();
                out[(i, view)] = log_odds[(i, view)] - top - rest;
            }
        }
    }
    Ok(out)
}

/// The items of each task, tasks in order of first sight.
pub(super) fn by_task(tasks: &[u32]) -> Vec<Vec<usize>> {
    let mut places = std::collections::BTreeMap::new();
    let mut all: Vec<Vec<usize>> = Vec::new();
    for (i, task) in tasks.iter().enumerate() {
        let place = *places.entry(task).or_insert(all.len());
        if place == all.len() {
            all.push(Vec::new());
        }
        all[place].push(i);
    }
    all
}

pub(super) fn check_temperatures(temperatures: &[f64]) -> Result<(), ParadigmError> {
    if temperatures.is_empty() {
        return Err(ParadigmError::TooFew { what: "temperatures", found: 0, expected: 1 });
    }
    match temperatures.iter().find(|t| !(t.is_finite() && **t > 0.0)) {
        None => Ok(()),
        Some(&found) => Err(ParadigmError::Setting {
            key: "temperature",
            found,
            expected: "a finite number above 0".into(),
        }),
    }
}

fn finite(log_odds: ArrayView2<'_, f64>) -> Result<(), ParadigmError> {
    match log_odds.iter().enumerate().find(|(_, z)| !z.is_finite()) {
        None => Ok(()),
        Some((index, &found)) => {
            Err(ParadigmError::Value { what: "log-odds", index, found, expected: "a finite number" })
        }
    }
}
