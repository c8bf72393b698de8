//! From what was said of the items to their credits.

use super::benchmark::{Benchmark, Place};
use crate::cli::Failure;
use clap::ValueEnum;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use superalign_data::load::{Scored, ScoredItem};
use superalign_data::{DataError, Place as At};
use superalign_evaluation::reward_bench::{Domain, Rule, TiesKind, best_of_credit, pair_credits, ties_id};

/// Who judged: what equal scores of a pair count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Judge {
    /// A reward model or another scorer: a tie counts 0
    Classifier,
    /// A generative judge that rates each answer: a tie counts one half
    Generative,
}

impl Judge {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Classifier => "classifier",
            Self::Generative => "generative",
        }
    }

    const fn rule(self) -> Rule {
        match self {
            Self::Classifier => Rule::Classifier,
            Self::Generative => Rule::Generative,
        }
    }
}

/// An item with the file that it is from.
pub(super) struct Sourced {
    pub(super) path: PathBuf,
    pub(super) item: ScoredItem,
}

/// Items of one model, by what they are worth.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) model: String,
    /// Subset, credit and prompt of every item but those of Ties.
    pub(super) subsets: Vec<String>,
    pub(super) credits: Vec<f64>,
    pub(super) prompts: Vec<u32>,
    pub(super) ties: Vec<Tied>,
    pub(super) notes: Vec<String>,
}

/// An item of Ties.
pub(super) struct Tied {
    pub(super) kind: TiesKind,
    pub(super) prompt: u64,
    pub(super) correct: usize,
    pub(super) scores: Vec<f64>,
}

/// The credits of one model's items by the benchmark's rules.
pub(super) fn judge(
    benchmark: &Benchmark,
    judge: Judge,
    model: &str,
    items: &[Sourced],
) -> Result<Judged, Failure> {
    let mut judged = Judged { model: model.to_owned(), ..Judged::default() };
    let mut labels: HashMap<&str, u32> = HashMap::new();
    let mut passed: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut odd, mut contrary) = (0, 0);
    let mut seen: HashMap<(&str, &str), &Sourced> = HashMap::new();
    for sourced in items {
        let item = &sourced.item;
        // Within a file they are distinct; ids made from row numbers are of their file alone.
        if !item.id.starts_with("row-")
            && let Some(before) = seen.insert((&item.subset, &item.id), sourced)
        {
            let found = format!("`{}`, which {} has already", item.id, before.path.display());
            let remedy =
                "name each item once, or give the files a column `model` that tells their models apart";
            return Err(cell(sourced, "id", &found, "another id within the subset", remedy));
        }
        let subset = match benchmark.place(&item.subset) {
            Some(Place::Counts(subset)) => subset,
            Some(Place::PassedOver) => {
                *passed.entry(&item.subset).or_default() += 1;
                continue;
            }
            None => {
                let (found, expected) =
                    (format!("`{}`", item.subset), format!("a subset of {}", benchmark.title()));
                return Err(cell(sourced, "subset", &found, &expected, &benchmark.unknown(&item.subset)));
            }
        };
        if *benchmark == Benchmark::V2 && subset == Domain::Ties.name() {
            judged.ties.push(tied(sourced)?);
            continue;
        }
        let credit = credit(benchmark, judge, sourced)?;
        if let (Some(_), Some(result)) = (&item.scored, item.result) {
            contrary += usize::from((result - credit).abs() > 1e-9);
        }
        if let (Benchmark::V2, Some(Scored::Answers { scores, .. })) = (benchmark, &item.scored) {
            odd += usize::from(scores.len() != 4);
        }
        let next = u32::try_from(judged.prompts.len()).unwrap_or(u32::MAX);
        judged.prompts.push(match &item.prompt {
            Some(prompt) => *labels.entry(prompt).or_insert(next),
            None => next,
        });
        judged.subsets.push(subset);
        judged.credits.push(credit);
    }
    for (subset, n) in passed {
        judged.notes.push(format!("Passed over: {n} items of {subset}, which no score counts."));
    }
    if contrary > 0 {
        judged.notes.push(format!(
            "In {contrary} items `results` is not what the scores say by the rule for a {} judge; the scores count.",
            judge.name()
        ));
    }
    if odd > 0 {
        judged.notes.push(format!("{odd} items have another number of scores than four."));
    }
    Ok(judged)
}

fn credit(benchmark: &Benchmark, judge: Judge, sourced: &Sourced) -> Result<f64, Failure> {
    let item = &sourced.item;
    let pair = |chosen: f64, rejected: f64| {
        let found = pair_credits(&[chosen], &[rejected], judge.rule()).map_err(Failure::usage)?;
        Ok(found[0])
    };
    match &item.scored {
        Some(Scored::Pair { .. }) if *benchmark == Benchmark::V2 => {
            let (found, expected) = ("a pair of scores", "a list in `scores`, the correct answer's first");
            let remedy = "RewardBench 2 has four answers to each prompt; is it --version v1?";
            Err(cell(sourced, "score_chosen", found, expected, remedy))
        }
        Some(Scored::Pair { chosen, rejected }) => pair(*chosen, *rejected),
        Some(Scored::Answers { correct: Some(correct), .. }) if *correct != 1 => {
            let remedy = "only items of Ties have several";
            Err(cell(sourced, "num_correct", &format!("`{correct}`"), "one correct answer", remedy))
        }
        Some(Scored::Answers { scores, .. }) if *benchmark != Benchmark::V2 && scores.len() == 2 => {
            pair(scores[0], scores[1])
        }
        Some(Scored::Answers { scores, .. }) if *benchmark == Benchmark::V1 => {
            let found = format!("a list of {}", scores.len());
            let remedy = "RewardBench 1 has pairs; is it --version v2?";
            Err(cell(sourced, "scores", &found, "two scores, that of the chosen answer first", remedy))
        }
        Some(Scored::Answers { scores, .. }) => best_of_credit(scores).map_err(Failure::usage),
        None => {
            let result = item.result.unwrap_or_default();
            let whole = result == 0.0 || result == 1.0;
            if !whole && judge == Judge::Classifier && *benchmark != Benchmark::V2 {
                let (found, expected) = (format!("`{result}`"), "0 or 1, the result of a classifier");
                let remedy = "if a generative judge called it a tie, say --judge generative";
                return Err(cell(sourced, "results", &found, expected, remedy));
            }
            Ok(result)
        }
    }
}

fn tied(sourced: &Sourced) -> Result<Tied, Failure> {
    let item = &sourced.item;
    let (kind, prompt) = ties_id(&item.id).map_err(|_| {
        let found = format!("`{}`", item.id);
        let remedy = "an item of Ties needs the id that the benchmark gives it";
        cell(sourced, "id", &found, "ref:NUMBER or tied:NUMBER", remedy)
    })?;
    match &item.scored {
        Some(Scored::Answers { scores, correct: Some(correct) }) => {
            if let Some(score) = scores.iter().find(|score| !score.is_finite()) {
                let (found, remedy) = (format!("`{score}`"), "score this item again");
                return Err(cell(
                    sourced,
                    "scores",
                    &found,
                    "finite numbers, of which differences are made",
                    remedy,
                ));
            }
            Ok(Tied { kind, prompt, correct: *correct, scores: scores.clone() })
        }
        Some(Scored::Answers { .. }) => {
            let expected = "how many of the answers are correct";
            Err(cell(
                sourced,
                "num_correct",
                "nothing",
                expected,
                "add the column from the benchmark's own file",
            ))
        }
        _ => {
            let expected = "the scores of all answers, from which the Ties score is made";
            Err(cell(sourced, "scores", "nothing", expected, "add them; results alone do not tell it"))
        }
    }
}

fn cell(sourced: &Sourced, column: &str, found: &str, expected: &str, remedy: &str) -> Failure {
    let path: &Path = &sourced.path;
    Failure::usage(DataError::Cell {
        place: Box::new(At { path: path.to_path_buf(), at: sourced.item.at }),
        column: column.to_owned(),
        found: found.to_owned(),
        expected: expected.to_owned(),
        remedy: remedy.to_owned(),
    })
}
