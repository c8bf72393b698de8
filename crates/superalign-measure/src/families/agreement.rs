//! Agreement of annotators.

use crate::catalogue::{Metric, Need, Opt, Settings, text, word};
use crate::found::{Found, Undefined, array, json_number, one};
use crate::input::Input;
use serde_json::{Value, json};
use superalign_signal::Votes;
use superalign_signal::agreement::{
    Categories, Coefficient, Level, LoneVotes, Raters, Spacing, Weighting, Weights, estimate,
    null_standard_error, pairwise, parts, standard_error, value,
};

const FAMILY: &str = "agreement";
const WEIGHTS: &[&str] = &["identity", "linear", "quadratic", "ordinal"];
const SPACING: Opt = word(
    "spacing",
    &["index", "value"],
    "index",
    "what linear and quadratic weights are made of: places of the categories, or their values",
);
const CATEGORIES: Opt =
    text("categories", "observed", "which there are: observed, or whole numbers as in 0..3");
const WEIGHT: Opt = word("weights", WEIGHTS, "identity", "how far apart two labels are");
const LONE: Opt = word(
    "lone-votes",
    &["left-out", "by-chance"],
    "left-out",
    "what an item with one vote is to the standard error: nothing, or agreement as by chance (irrCAC)",
);
const A: Opt = text("a", "", "name of one annotator, where there are more than two");
const B: Opt = text("b", "", "name of the other");

pub(super) const METRICS: &[Metric] = &[
    Metric {
        family: FAMILY,
        name: "raw-agreement",
        about: "share of pairs of votes on an item that agree",
        needs: Need::Votes,
        options: &[WEIGHT, SPACING, CATEGORIES, LONE],
        usual: &[""],
        run: |input, set| coefficient(input, set, Coefficient::Raw(weighting(set)?)),
    },
    Metric {
        family: FAMILY,
        name: "cohen-kappa",
        about: "Cohen's kappa of two annotators",
        needs: Need::Votes,
        options: &[WEIGHT, SPACING, CATEGORIES, A, B],
        usual: &[],
        run: cohen,
    },
    Metric {
        family: FAMILY,
        name: "conger-kappa",
        about: "Conger's kappa: Cohen's for any number of annotators",
        needs: Need::Votes,
        options: &[WEIGHT, SPACING, CATEGORIES, LONE],
        usual: &[""],
        run: |input, set| coefficient(input, set, Coefficient::Conger(weighting(set)?)),
    },
    Metric {
        family: FAMILY,
        name: "fleiss-kappa",
        about: "Fleiss' kappa",
        needs: Need::Votes,
        options: &[
            WEIGHT,
            SPACING,
            CATEGORIES,
            LONE,
            word(
                "raters",
                &["varying", "equal"],
                "varying",
                "whether items may have different numbers of votes",
            ),
        ],
        usual: &[""],
        run: |input, set| {
            let raters = if set.word("raters") == "equal" { Raters::Equal } else { Raters::Varying };
            coefficient(input, set, Coefficient::Fleiss(weighting(set)?, raters))
        },
    },
    Metric {
        family: FAMILY,
        name: "brennan-prediger",
        about: "Brennan and Prediger's coefficient, also Randolph's kappa",
        needs: Need::Votes,
        options: &[WEIGHT, SPACING, CATEGORIES, LONE],
        usual: &[""],
        run: |input, set| coefficient(input, set, Coefficient::BrennanPrediger(weighting(set)?)),
    },
    Metric {
        family: FAMILY,
        name: "krippendorff-alpha",
        about: "Krippendorff's alpha",
        needs: Need::Votes,
        options: &[
            word("level", &["nominal", "ordinal", "interval", "ratio"], "nominal", "scale of the labels"),
            word(
                "weights",
                &["none", "identity", "linear", "quadratic", "ordinal"],
                "none",
                "weights of the other coefficients in place of a level",
            ),
            SPACING,
            CATEGORIES,
        ],
        usual: &[""],
        run: krippendorff,
    },
    Metric {
        family: FAMILY,
        name: "gwet-ac1",
        about: "Gwet's AC1",
        needs: Need::Votes,
        options: &[CATEGORIES, LONE],
        usual: &[""],
        run: |input, set| {
            let categories = categories(set)?;
            coefficient(input, set, Coefficient::Gwet(Weighting { categories, ..Weighting::default() }))
        },
    },
    Metric {
        family: FAMILY,
        name: "gwet-ac2",
        about: "Gwet's AC2, weighted",
        needs: Need::Votes,
        options: &[
            word("weights", WEIGHTS, "quadratic", "how far apart two labels are"),
            SPACING,
            CATEGORIES,
            LONE,
        ],
        usual: &[],
        run: |input, set| coefficient(input, set, Coefficient::Gwet(weighting(set)?)),
    },
    Metric {
        family: FAMILY,
        name: "pairwise-agreement",
        about: "a coefficient for every pair of annotators",
        needs: Need::Votes,
        options: &[
            word(
                "coefficient",
                &["raw", "cohen", "fleiss", "brennan-prediger", "krippendorff", "gwet"],
                "cohen",
                "which",
            ),
            WEIGHT,
            SPACING,
            CATEGORIES,
        ],
        usual: &[""],
        run: pairs,
    },
];

fn weighting(set: &Settings) -> Result<Weighting, Undefined> {
    let spacing = if set.word("spacing") == "value" { Spacing::Value } else { Spacing::Index };
    let weights = match set.word("weights") {
        "linear" => Weights::Linear(spacing),
        "quadratic" => Weights::Quadratic(spacing),
        "ordinal" => Weights::Ordinal,
        _ => Weights::Identity,
    };
    Ok(Weighting { weights, categories: categories(set)? })
}

fn categories(set: &Settings) -> Result<Categories, Undefined> {
    let text = set.word("categories");
    if text == "observed" {
        return Ok(Categories::Observed);
    }
    let ends =
        text.split_once("..").and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    match ends {
        Some((first, last)) if first <= last => Ok(Categories::Whole { first, last }),
        _ => Err(Undefined(format!("categories={text}: expected `observed`, or first and last as in 0..3"))),
    }
}

fn coefficient(input: &Input<'_>, set: &Settings, coefficient: Coefficient) -> Result<Vec<Found>, Undefined> {
    of(input, set, input.votes()?, coefficient)
}

fn of(
    input: &Input<'_>,
    set: &Settings,
    votes: &Votes,
    coefficient: Coefficient,
) -> Result<Vec<Found>, Undefined> {
    let n = votes.items();
    let mut found = vec![one(
        input.interval(|| value(votes, coefficient), |by| estimate(votes, coefficient, by)),
        n,
        "items",
    )];
    let lone = if set.word("lone-votes") == "by-chance" { LoneVotes::ByChance } else { LoneVotes::LeftOut };
    if let Ok(parts) = parts(votes, coefficient) {
        found.push(one(parts.observed, n, "items").part("observed").detail());
        found.push(one(parts.expected, n, "items").part("expected").detail());
        found.push(one(standard_error(votes, coefficient, lone), n, "items").part("standard-error").detail());
        if let Coefficient::Cohen(weighting) = coefficient {
            let null = null_standard_error(votes, weighting);
            found.push(one(null, n, "items").part("null-standard-error").detail());
        }
    }
    Ok(found)
}

fn cohen(input: &Input<'_>, set: &Settings) -> Result<Vec<Found>, Undefined> {
    let asked = Coefficient::Cohen(weighting(set)?);
    match (set.word("a"), set.word("b")) {
        ("", "") => coefficient(input, set, asked),
        (a, b) if a.is_empty() || b.is_empty() => {
            Err(Undefined("one annotator was named: expected a and b".to_owned()))
        }
        (a, b) => of(input, set, &input.votes_of([a, b])?, asked),
    }
}

fn krippendorff(input: &Input<'_>, set: &Settings) -> Result<Vec<Found>, Undefined> {
    if set.word("weights") != "none" {
        return coefficient(input, set, Coefficient::WeightedKrippendorff(weighting(set)?));
    }
    let level = match set.word("level") {
        "ordinal" => Level::Ordinal,
        "interval" => Level::Interval,
        "ratio" => Level::Ratio,
        _ => Level::Nominal,
    };
    let named = input.signal.votes.as_ref().is_some_and(|votes| votes.values.is_none());
    if named && matches!(level, Level::Interval | Level::Ratio) {
        return Err(Undefined("the labels are no numbers: expected numbers for this level".to_owned()));
    }
    coefficient(input, set, Coefficient::Krippendorff(level))
}

fn pairs(input: &Input<'_>, set: &Settings) -> Result<Vec<Found>, Undefined> {
    let weighting = weighting(set)?;
    let coefficient = match set.word("coefficient") {
        "raw" => Coefficient::Raw(weighting),
        "fleiss" => Coefficient::Fleiss(weighting, Raters::Varying),
        "brennan-prediger" => Coefficient::BrennanPrediger(weighting),
        "krippendorff" => Coefficient::WeightedKrippendorff(weighting),
        "gwet" => Coefficient::Gwet(weighting),
        _ => Coefficient::Cohen(weighting),
    };
    let votes = input.votes()?;
    if votes.raters() > 512 {
        return Err(Undefined(format!("there are {} annotators: expected at most 512", votes.raters())));
    }
    let found = pairwise(votes, coefficient);
    let values: Value = found
        .values
        .rows()
        .into_iter()
        .map(|row| {
            row.iter().map(|value| value.as_ref().map_or(Value::Null, |&x| json_number(x))).collect::<Value>()
        })
        .collect();
    let items: Value = found.items.rows().into_iter().map(|row| json!(row.to_vec())).collect();
    const OVER: &[&str] = &["annotators", "annotators"];
    Ok(vec![
        array(values, OVER, votes.items(), "items"),
        array(items, OVER, votes.items(), "items").part("items"),
    ])
}
