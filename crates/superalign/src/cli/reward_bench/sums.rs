//! The sums of one model: subsets, sections, overall, each with its interval or the reason why it has none.

use super::benchmark::{Benchmark, PRIORS};
use super::judged::Judged;
use crate::cli::Failure;
use std::collections::BTreeMap;
use superalign_core::{Bootstrap, Estimate};
use superalign_evaluation::EvaluationError;
use superalign_evaluation::paired::{Reference, ShareInterval, SmallSample, mean, share};
use superalign_evaluation::reward_bench::{
    Domain, Missing, Priors, Section, Ties, TiesItem, accuracies, own_estimates, own_scores, ties_estimates,
    ties_scores, v1_estimates, v1_scores, v2_estimates, v2_scores,
};

/// A number, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    Estimate(Estimate),
    /// Without an interval; why, where one was to be made.
    Value(f64, Option<String>),
    Undefined(String),
}

impl Outcome {
    pub(super) fn value(&self) -> Option<f64> {
        match self {
            Self::Estimate(found) => Some(found.value),
            Self::Value(value, _) => Some(*value),
            Self::Undefined(_) => None,
        }
    }

    /// The interval where there is one, else the value, else the reason.
    fn of(value: Result<f64, EvaluationError>, estimate: Option<Result<Estimate, EvaluationError>>) -> Self {
        match (value, estimate) {
            // Where every subset is all right or all wrong, so is every resample: no interval, not one without width.
            (_, Some(Ok(found))) if found.lo == found.hi => {
                Self::Value(found.value, Some(format!("all resamples give {}", found.value)))
            }
            (_, Some(Ok(found))) => Self::Estimate(found),
            (Ok(value), Some(Err(why))) => Self::Value(value, Some(why.to_string())),
            (Ok(value), None) => Self::Value(value, None),
            (Err(why), _) => Self::Undefined(why.to_string()),
        }
    }
}

/// All sums of one model.
pub(super) struct Sums {
    pub(super) model: String,
    pub(super) subsets: Vec<SubsetSum>,
    /// The sections in the order of the benchmark; for version 1 with the prior sets, where there are any.
    pub(super) sections: Vec<(String, Outcome)>,
    /// What the score of Ties is made of.
    pub(super) ties: Vec<(&'static str, Outcome)>,
    pub(super) overall: Outcome,
    /// The score that a file of published ones has itself.
    pub(super) published: Option<f64>,
    /// Which parts are missing; the overall score is then undefined, or partial.
    pub(super) missing: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// The accuracy of one subset.
pub(super) struct SubsetSum {
    pub(super) subset: String,
    pub(super) section: String,
    pub(super) items: usize,
    /// How many the benchmark has.
    pub(super) official: Option<u32>,
    pub(super) outcome: Outcome,
    /// How the interval is made.
    pub(super) method: &'static str,
}

/// How sums are made.
#[derive(Clone, Copy)]
pub(super) struct How {
    pub(super) missing: Missing,
    /// No intervals by resampling without it.
    pub(super) by: Option<Bootstrap>,
    pub(super) level: f64,
}

/// The sums over items.
pub(super) fn sums(benchmark: &Benchmark, judged: Judged, how: &How) -> Result<Sums, Failure> {
    let ties: Vec<TiesItem<'_>> = judged
        .ties
        .iter()
        .map(|tied| TiesItem {
            kind: tied.kind,
            prompt: tied.prompt,
            correct: tied.correct,
            scores: &tied.scores,
        })
        .collect();
    let mut notes = judged.notes.clone();
    let (sections, overall, parts) = match benchmark {
        Benchmark::V1 => v1(&judged, how)?,
        Benchmark::V2 => v2(&judged, &ties, how)?,
        Benchmark::Own { table, .. } => {
            let found = accuracies(&judged.subsets, &judged.credits).map_err(Failure::usage)?;
            let value = own_scores(table, &found, how.missing).map_err(Failure::usage)?;
            let estimate = optional(how.by.as_ref(), |by| {
                own_estimates(table, &judged.subsets, &judged.credits, Some(&judged.prompts), how.missing, by)
            })?;
            let (estimates, whole) = match estimate {
                Some(found) => (found.sections.into_iter().map(Some).collect(), Some(found.overall)),
                None => (vec![None; value.sections.len()], None),
            };
            let names = table.sections.iter().map(|section| section.name.clone());
            let sections = names.zip(value.sections.into_iter().zip(estimates));
            let sections = sections.map(|(name, (value, estimate))| (name, Outcome::of(value, estimate)));
            (sections.collect(), Outcome::of(value.overall, whole), Vec::new())
        }
    };
    let subsets = subset_sums(benchmark, &judged, how)?;
    let short = subsets.iter().filter(|row| row.items > 0);
    for row in short.filter(|row| row.official.is_some_and(|n| n as usize != row.items)) {
        let official = row.official.unwrap_or_default();
        notes.push(format!("{} has {} of its {official} items.", row.subset, row.items));
    }
    let missing = missing(benchmark, &subsets, !ties.is_empty());
    Ok(Sums { model: judged.model, subsets, sections, ties: parts, overall, published: None, missing, notes })
}

type Parts = (Vec<(String, Outcome)>, Outcome, Vec<(&'static str, Outcome)>);

fn optional<T>(
    by: Option<&Bootstrap>,
    make: impl FnOnce(&Bootstrap) -> Result<T, EvaluationError>,
) -> Result<Option<T>, Failure> {
    by.map(make).transpose().map_err(Failure::usage)
}

fn v1(judged: &Judged, how: &How) -> Result<Parts, Failure> {
    let found = accuracies(&judged.subsets, &judged.credits).map_err(Failure::usage)?;
    let given: Vec<(&str, f64)> = found.iter().map(|one| (one.subset, one.value)).collect();
    let value = v1_scores(&given, Priors::WhereGiven, how.missing).map_err(Failure::usage)?;
    let estimate = optional(how.by.as_ref(), |by| {
        let (subsets, credits) = (&judged.subsets, &judged.credits);
        v1_estimates(subsets, credits, Some(&judged.prompts), Priors::WhereGiven, how.missing, by)
    })?;
    let (sections, priors, whole) = match estimate {
        Some(found) => (found.sections.map(Some), Some(found.priors), Some(found.overall)),
        None => ([const { None }; 4], None, None),
    };
    let mut rows: Vec<(String, Outcome)> = Section::ALL
        .iter()
        .zip(value.sections.into_iter().zip(sections))
        .map(|(section, (value, estimate))| (section.name().to_owned(), Outcome::of(value, estimate)))
        .collect();
    if given.iter().any(|(name, _)| superalign_evaluation::reward_bench::PRIOR_SETS.contains(name)) {
        rows.push((PRIORS.to_owned(), Outcome::of(value.priors, priors)));
    }
    Ok((rows, Outcome::of(value.overall, whole), Vec::new()))
}

fn v2(judged: &Judged, ties: &[TiesItem<'_>], how: &How) -> Result<Parts, Failure> {
    let found = accuracies(&judged.subsets, &judged.credits).map_err(Failure::usage)?;
    let mut given: Vec<(&str, f64)> = found.iter().map(|one| (one.subset, one.value)).collect();
    let mut made_of = Vec::new();
    if !ties.is_empty() {
        let value = ties_scores(ties).map_err(Failure::usage)?;
        given.push((Domain::Ties.name(), value.overall));
        // One prompt has scores, but no spread.
        let estimate = how.by.as_ref().map(|by| ties_estimates(ties, by));
        made_of = ties_parts(&value, estimate.as_ref());
    }
    let value = v2_scores(&given, how.missing).map_err(Failure::usage)?;
    let estimate = how.by.as_ref().map(|by| {
        v2_estimates(&judged.subsets, &judged.credits, Some(&judged.prompts), ties, how.missing, by)
    });
    let (domains, whole) = match estimate {
        Some(Ok(found)) => (found.domains.map(Some), Some(found.overall)),
        Some(Err(why)) => (std::array::from_fn(|_| Some(Err(why.clone()))), Some(Err(why))),
        None => ([const { None }; 6], None),
    };
    let rows = Domain::ALL.iter().zip(value.domains.into_iter().zip(domains));
    let rows = rows
        .map(|(domain, (value, estimate))| (domain.name().to_owned(), Outcome::of(value, estimate)))
        .collect();
    Ok((rows, Outcome::of(value.overall, whole), made_of))
}

fn ties_parts(
    value: &Ties<f64>,
    estimate: Option<&Result<Ties<Estimate>, EvaluationError>>,
) -> Vec<(&'static str, Outcome)> {
    let fields = |of: usize, ties: &Ties<f64>| {
        [ties.tied_accuracy, ties.reference_accuracy, ties.preferred, ties.preferred_hard, ties.margin][of]
    };
    let interval = |of: usize| match estimate {
        None => None,
        Some(Err(why)) => Some(Err(why.clone())),
        Some(Ok(ties)) => Some(Ok([
            ties.tied_accuracy,
            ties.reference_accuracy,
            ties.preferred,
            ties.preferred_hard,
            ties.margin,
        ][of])),
    };
    ["tied accuracy", "reference accuracy", "correctness preferred", "correctness preferred, hard", "margin"]
        .into_iter()
        .enumerate()
        .map(|(of, name)| (name, Outcome::of(Ok(fields(of, value)), interval(of))))
        .collect()
}

fn subset_sums(benchmark: &Benchmark, judged: &Judged, how: &How) -> Result<Vec<SubsetSum>, Failure> {
    let mut items: BTreeMap<&str, (Vec<f64>, Vec<u32>)> = BTreeMap::new();
    for ((subset, &credit), &prompt) in judged.subsets.iter().zip(&judged.credits).zip(&judged.prompts) {
        let (credits, prompts) = items.entry(subset).or_default();
        credits.push(credit);
        prompts.push(prompt);
    }
    let mut rows = Vec::new();
    for known in benchmark.known() {
        if *benchmark == Benchmark::V2 && known.name == Domain::Ties.name() {
            continue;
        }
        let Some((credits, prompts)) = items.get(known.name.as_str()) else { continue };
        let (outcome, method) = accuracy(credits, prompts, how.level).map_err(Failure::usage)?;
        rows.push(SubsetSum {
            subset: known.name,
            section: known.section,
            items: credits.len(),
            official: known.items,
            outcome,
            method,
        });
    }
    Ok(rows)
}

/// The mean credit: Wilson's interval where items are independent and whole, one from clustered errors where they share
/// prompts or have shares of a credit.
fn accuracy(
    credits: &[f64],
    prompts: &[u32],
    level: f64,
) -> Result<(Outcome, &'static str), EvaluationError> {
    let mut distinct = prompts.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let value = credits.iter().sum::<f64>() / credits.len() as f64;
    let whole = credits.iter().all(|credit| *credit == 0.0 || *credit == 1.0);
    if whole && (distinct.len() == credits.len() || value == 0.0 || value == 1.0) {
        // Of items that all came out alike, as many trials as there are prompts.
        let trials = distinct.len() as u64;
        let successes = (value * trials as f64).round() as u64;
        return Ok((Outcome::Estimate(share(successes, trials, ShareInterval::Wilson, level)?), "Wilson"));
    }
    if distinct.len() < 2 {
        return Ok((Outcome::Value(value, Some("one prompt has no spread".to_owned())), "none"));
    }
    let found = mean(credits, Some(prompts), SmallSample::Groups)?.interval(level, Reference::StudentT)?;
    let within = Estimate { lo: found.lo.max(0.0), hi: found.hi.min(1.0), ..found };
    Ok((Outcome::Estimate(within), "clustered"))
}

/// The subsets that there are none of, by section; the prior sets count as missing only where one of them is given.
fn missing(benchmark: &Benchmark, there: &[SubsetSum], ties: bool) -> Vec<String> {
    let given = |name: &str| there.iter().any(|row| row.subset == name);
    let priors = there.iter().any(|row| row.section == PRIORS);
    let absent = |known: &super::benchmark::Known| {
        if *benchmark == Benchmark::V2 && known.name == Domain::Ties.name() {
            return !ties;
        }
        !given(&known.name) && (known.section != PRIORS || priors)
    };
    let mut found: Vec<(String, Vec<String>, usize)> = Vec::new();
    for known in benchmark.known() {
        let lacks = absent(&known);
        match found.iter_mut().find(|(section, ..)| *section == known.section) {
            Some((_, names, all)) => {
                names.extend(lacks.then_some(known.name));
                *all += 1;
            }
            None => found.push((known.section, lacks.then_some(known.name).into_iter().collect(), 1)),
        }
    }
    found
        .into_iter()
        .filter(|(_, names, _)| !names.is_empty())
        .map(|(section, names, all)| match names.len() == all {
            true => format!("{section} as a whole"),
            false => format!("{} of {section}", names.join(", ")),
        })
        .collect()
}
