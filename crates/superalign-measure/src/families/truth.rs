//! The truth behind votes.

use crate::catalogue::{Metric, Need, Opt, Settings, number, whole, word};
use crate::found::{Found, Outcome, Undefined, array, json_number, json_numbers, one};
use crate::input::Input;
use ndarray::Array2;
use serde_json::{Value, json};
use superalign_signal::Votes;
use superalign_signal::truth::{
    ClassPrior, Consensus, DawidSkene, Glad, Mace, MaceMethod, Majority, MajorityPosterior, OneCoin, Search,
    Skill, Stop, Ties, Truth, accuracy, dawid_skene, glad, mace, majority, one_coin, wawa, zero_based_skill,
};

const FAMILY: &str = "truth";
const ITERATIONS: Opt = whole("iterations", "1000", "at most so many");
const TOLERANCE: Opt = number("tolerance", "1e-6", "the search ends when the change is at most this");
const STARTS: Opt = whole("starts", "1", "number of starts, the further ones at random");
const STOP: Opt = word("stop", &["parameters", "crowd-kit"], "parameters", "which change is meant");
const PRIOR: Opt = word(
    "prior",
    &["usual", "none", "crowd-kit"],
    "usual",
    "a weak prior, maximum likelihood, or that with crowd-kit's floor",
);

pub(super) const METRICS: &[Metric] = &[
    Metric {
        family: FAMILY,
        name: "majority-vote",
        about: "the label with the most votes",
        needs: Need::Votes,
        options: &[
            word("ties", &["first", "last", "drawn", "refuse"], "first", "which of equals wins"),
            word("posterior", &["shares", "winners"], "shares", "shares of votes, or of winners"),
        ],
        usual: &[""],
        run: |input, set| {
            let ties = match set.word("ties") {
                "last" => Ties::Last,
                "drawn" => Ties::Drawn(input.seed.named("ties")),
                "refuse" => Ties::Refuse,
                _ => Ties::First,
            };
            let posterior = match set.word("posterior") {
                "winners" => MajorityPosterior::Winners,
                _ => MajorityPosterior::Shares,
            };
            let votes = affordable(input)?;
            let mut found = majority(votes, None, &Majority { posterior, ties })?;
            pool(input, votes, &mut found);
            consensus(input, votes, &found)
        },
    },
    Metric {
        family: FAMILY,
        name: "wawa",
        about: "votes weighted by agreement with the majority",
        needs: Need::Votes,
        options: &[],
        usual: &[""],
        run: |input, _| {
            let votes = first_votes(input)?;
            consensus(input, votes, &wawa(votes, None)?)
        },
    },
    Metric {
        family: FAMILY,
        name: "zero-based-skill",
        about: "the same, repeated",
        needs: Need::Votes,
        options: &[whole("iterations", "100", "so many")],
        usual: &[],
        run: |input, set| {
            let votes = first_votes(input)?;
            let options = Skill { iterations: set.whole("iterations"), ..Skill::default() };
            consensus(input, votes, &zero_based_skill(votes, None, &options)?)
        },
    },
    Metric {
        family: FAMILY,
        name: "dawid-skene",
        about: "Dawid-Skene: a confusion matrix for each annotator",
        needs: Need::Votes,
        options: &[PRIOR, ITERATIONS, TOLERANCE, STARTS, STOP],
        usual: &[""],
        run: |input, set| {
            let preset = match set.word("prior") {
                "none" => DawidSkene::maximum_likelihood(),
                "crowd-kit" => DawidSkene::crowd_kit(),
                _ => DawidSkene::default(),
            };
            let votes = affordable(input)?;
            let found = dawid_skene(votes, None, &DawidSkene { search: search(input, set), ..preset })?;
            let matrices: Value = found
                .raters
                .matrices
                .outer_iter()
                .map(|matrix| matrix.rows().into_iter().map(json_numbers).collect::<Value>())
                .collect();
            let mut all = truth(input, votes, &found, "accuracy", &found.raters.accuracy)?;
            const OVER: &[&str] = &["annotators", "true categories", "given categories"];
            all.push(array(matrices, OVER, votes.len(), "votes").part("confusion"));
            Ok(all)
        },
    },
    Metric {
        family: FAMILY,
        name: "one-coin",
        about: "one-coin Dawid-Skene: one accuracy for each annotator",
        needs: Need::Votes,
        options: &[PRIOR, ITERATIONS, TOLERANCE, STARTS, STOP],
        usual: &[],
        run: |input, set| {
            let preset = match set.word("prior") {
                "none" => OneCoin::maximum_likelihood(),
                "crowd-kit" => OneCoin::crowd_kit(),
                _ => OneCoin::default(),
            };
            let votes = affordable(input)?;
            let found = one_coin(votes, None, &OneCoin { search: search(input, set), ..preset })?;
            truth(input, votes, &found, "accuracy", &found.raters.accuracy)
        },
    },
    Metric {
        family: FAMILY,
        name: "glad",
        about: "GLAD: abilities of annotators, ease of items",
        needs: Need::Votes,
        options: &[
            word("classes", &["uniform", "estimated"], "uniform", "how likely the categories are beforehand"),
            whole("sweeps", "1", "sweeps of each M step"),
            ITERATIONS,
            TOLERANCE,
            STARTS,
            STOP,
        ],
        usual: &[],
        run: |input, set| {
            let votes = affordable(input)?;
            let classes = match set.word("classes") {
                "estimated" => ClassPrior::Estimated { items: 0.0 },
                _ => ClassPrior::Uniform,
            };
            let options =
                Glad { classes, sweeps: set.whole("sweeps"), search: search(input, set), ..Glad::default() };
            let found = glad(votes, None, &options)?;
            let mut all = truth(input, votes, &found, "accuracy", &found.raters.accuracy)?;
            let n = votes.len();
            all.push(array(json_numbers(&found.raters.ability), &["annotators"], n, "votes").part("ability"));
            all.push(array(json_numbers(&found.raters.log_ease), &["items"], n, "votes").part("log-ease"));
            Ok(all)
        },
    },
    Metric {
        family: FAMILY,
        name: "mace",
        about: "MACE: annotators who know or spam",
        needs: Need::Votes,
        options: &[
            word("method", &["variational", "em"], "variational", "variational Bayes, or maximum likelihood"),
            number("smoothing", "0", "of maximum likelihood: added to every expected count"),
            ITERATIONS,
            TOLERANCE,
            STARTS,
        ],
        usual: &[],
        run: |input, set| {
            let votes = affordable(input)?;
            let preset = match set.word("method") {
                "em" => {
                    Mace { method: MaceMethod::Em { smoothing: set.real("smoothing") }, ..Mace::default() }
                }
                _ => Mace::default(),
            };
            let found = mace(votes, None, &Mace { search: search(input, set), ..preset })?;
            truth(input, votes, &found, "competence", &found.raters.competence)
        },
    },
];

/// Every vote, where a posterior of all items fits into memory.
fn affordable<'a>(input: &'a Input<'_>) -> Result<&'a Votes, Undefined> {
    input.affordable()?;
    input.every_vote()
}

/// The first vote of each annotator on an item: what weighs every vote by its annotator's agreement with the others
/// has one weight for each column, which has to be the annotator's.
fn first_votes<'a>(input: &'a Input<'_>) -> Result<&'a Votes, Undefined> {
    input.affordable()?;
    input.votes()
}

/// Makes shares of each column's votes into those of its annotator's.
fn pool(input: &Input<'_>, votes: &Votes, found: &mut Consensus) {
    let Some(columns) = input.columns() else { return };
    let annotators = columns.iter().max().map_or(0, |&last| last as usize + 1);
    let (mut right, mut given) = (vec![0_u32; annotators], vec![0_u32; annotators]);
    for (item, &label) in found.labels.iter().enumerate() {
        for (column, vote) in votes.of_item(item) {
            let annotator = columns[column as usize] as usize;
            given[annotator] += 1;
            right[annotator] += u32::from(vote == label);
        }
    }
    let share = |(right, given): (u32, u32)| (given > 0).then(|| f64::from(right) / f64::from(given));
    found.skills = right.into_iter().zip(given).map(share).collect();
}

fn search(input: &Input<'_>, set: &Settings) -> Search {
    Search {
        iterations: set.whole("iterations"),
        tolerance: set.real("tolerance"),
        starts: set.whole("starts"),
        seed: input.seed.named("truth"),
        stop: if set.word("stop") == "crowd-kit" { Stop::CrowdKitBound } else { Stop::Parameters },
        columns: input.columns().map(<[u32]>::to_vec),
    }
}

fn consensus(input: &Input<'_>, votes: &Votes, found: &Consensus) -> Result<Vec<Found>, Undefined> {
    let mut all = answers(input, votes, &found.posterior, &found.labels, &found.class_prior);
    let skills: Value = found.skills.iter().map(|skill| skill.map_or(Value::Null, json_number)).collect();
    all.push(array(skills, &["annotators"], votes.len(), "votes").part("skill"));
    Ok(all)
}

fn truth<R>(
    input: &Input<'_>,
    votes: &Votes,
    found: &Truth<R>,
    quality: &'static str,
    of_annotators: &[f64],
) -> Result<Vec<Found>, Undefined> {
    let n = votes.len();
    let mut all = answers(input, votes, &found.posterior, &found.labels, &found.class_prior);
    all.push(array(json_numbers(of_annotators), &["annotators"], n, "votes").part(quality));
    all.push(one(found.log_likelihood, n, "votes").part("log-likelihood").unit("nats").detail());
    all.push(one(found.iterations as f64, n, "votes").part("iterations").detail());
    all.push(one(f64::from(u8::from(found.converged)), n, "votes").part("converged").detail());
    Ok(all)
}

/// Labels, their probabilities, the shares of the categories, and how often the labels are right where that is known.
fn answers(
    input: &Input<'_>,
    votes: &Votes,
    posterior: &Array2<f64>,
    labels: &[u32],
    class_prior: &[f64],
) -> Vec<Found> {
    let n = votes.len();
    let names: Value = labels
        .iter()
        .take(if votes.is_empty() { 0 } else { labels.len() })
        .map(|&label| json!(input.category(votes, label)))
        .collect();
    let rows: Value = posterior.rows().into_iter().map(json_numbers).collect();
    let sure = posterior.rows().into_iter().map(|row| row.iter().copied().fold(0.0, f64::max)).sum::<f64>();
    let mean = if labels.is_empty() {
        Outcome::Undefined("there are no items".to_owned())
    } else {
        Outcome::Value(sure / labels.len() as f64)
    };
    let mut all = vec![one(mean, labels.len(), "items").part("mean confidence")];
    if let Some(gold) = input.gold(votes) {
        let known = gold.iter().flatten().count();
        let value = || {
            let right = labels.iter().zip(&gold).filter(|(label, gold)| Some(**label) == **gold).count();
            match known {
                0 => accuracy(labels, &gold, &superalign_core::Bootstrap::new(input.seed))
                    .map(|found| found.value),
                known => Ok(right as f64 / known as f64),
            }
        };
        all.push(
            one(input.interval(value, |by| accuracy(labels, &gold, by)), known, "items").part("correct"),
        );
    }
    let categories = json!(input.categories(votes));
    all.push(array(names, &["items"], n, "votes").part("labels"));
    all.push(array(rows, &["items", "categories"], n, "votes").part("posterior"));
    all.push(array(json_numbers(class_prior), &["categories"], n, "votes").part("class prior"));
    all.push(array(categories, &["categories"], n, "votes").part("categories"));
    all
}
