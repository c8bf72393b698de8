//! How differently several sources err.

use crate::catalogue::{Metric, Need, Opt, Settings, metric, text, word};
use crate::found::{Found, Outcome, Undefined, array, json_number, json_numbers, one};
use crate::input::Input;
use ndarray::ArrayView2;
use serde_json::{Value, json};
use superalign_signal::ensemble::{
    IndependentSources, Outcomes, Overall, Pairwise, ambiguity, ambiguity_estimate, error_correlation,
    independent_sources, independent_sources_of_errors_estimate, independent_sources_of_outcomes_estimate,
    kl_ambiguity, kl_ambiguity_estimate, outcome_correlation, overall, overall_estimate, pairwise,
    pairwise_estimates,
};
use superalign_signal::label_diversity::{MemberWeights, Unbounded};

const FAMILY: &str = "ensemble";
const ANSWERS: (&str, Need) = (FAMILY, Need::Answers);
const METHOD: Opt = word(
    "method",
    &["mean-correlation", "participation-ratio"],
    "mean-correlation",
    "from the mean correlation, or from the eigenvalues",
);

pub(super) const METRICS: &[Metric] = &[
    metric(ANSWERS, "q-statistic", "Yule's Q of every pair of sources", &[], &[""], |input, _| {
        pairs(input, Pairwise::QStatistic)
    }),
    metric(ANSWERS, "double-fault", "share of items on which both are wrong", &[], &[""], |input, _| {
        pairs(input, Pairwise::DoubleFault)
    }),
    metric(ANSWERS, "disagreement", "share of items on which one of two is right", &[], &[""], |input, _| {
        pairs(input, Pairwise::Disagreement)
    }),
    metric(ANSWERS, "agreement-of-outcomes", "1 - disagreement", &[], &[], |input, _| {
        pairs(input, Pairwise::Agreement)
    }),
    metric(ANSWERS, "outcome-correlation", "correlation of being right", &[], &[""], |input, _| {
        pairs(input, Pairwise::Correlation)
    }),
    metric(ANSWERS, "outcome-kappa", "kappa of being right", &[], &[], |input, _| {
        pairs(input, Pairwise::Kappa)
    }),
    Metric {
        family: FAMILY,
        name: "error-ratio",
        about: "errors of one of two over errors of both",
        needs: Need::Answers,
        options: &[word(
            "unbounded",
            &["infinite", "refuse"],
            "infinite",
            "what is said of an infinite value",
        )],
        usual: &[],
        run: |input, set| {
            let refuse = set.word("unbounded") == "refuse";
            pairs(input, Pairwise::ErrorRatio(if refuse { Unbounded::Refuse } else { Unbounded::Infinite }))
        },
    },
    metric(ANSWERS, "kohavi-wolpert", "Kohavi-Wolpert variance", &[], &[""], |input, _| {
        all(input, Overall::KohaviWolpert)
    }),
    metric(ANSWERS, "mean-disagreement", "mean disagreement of pairs", &[], &[""], |input, _| {
        all(input, Overall::Disagreement)
    }),
    metric(ANSWERS, "interrater-kappa", "interrater kappa of being right", &[], &[""], |input, _| {
        all(input, Overall::InterraterKappa)
    }),
    metric(
        ANSWERS,
        "ensemble-entropy",
        "entropy measure of Cunningham and Carney's kind",
        &[],
        &[],
        |input, _| all(input, Overall::Entropy),
    ),
    metric(ANSWERS, "difficulty", "variance of the share of sources that are right", &[], &[], |input, _| {
        all(input, Overall::Difficulty)
    }),
    metric(ANSWERS, "generalised-diversity", "generalised diversity of failures", &[], &[""], |input, _| {
        all(input, Overall::GeneralisedDiversity)
    }),
    metric(ANSWERS, "coincident-failure", "coincident failure diversity", &[], &[""], |input, _| {
        all(input, Overall::CoincidentFailure)
    }),
    Metric {
        family: FAMILY,
        name: "independent-sources",
        about: "effective number of independent sources",
        needs: Need::Answers,
        options: &[METHOD],
        usual: &[""],
        run: |input, set| {
            let (outcomes, method) = (outcomes(input)?, method(set));
            let found = input.interval(
                || independent_sources(outcome_correlation(&outcomes)?.view(), method),
                |by| independent_sources_of_outcomes_estimate(&outcomes, method, by),
            );
            Ok(vec![one(found, outcomes.items(), "items").unit("sources")])
        },
    },
    Metric {
        family: FAMILY,
        name: "error-correlation",
        about: "correlation of the signed errors of numbers",
        needs: Need::Numbers,
        options: &[],
        usual: &[],
        run: |input, _| {
            let (gold, answers) = numbers(input)?;
            let found = error_correlation(gold, answers)?;
            let rows: Value = found.rows().into_iter().map(json_numbers).collect();
            Ok(vec![array(rows, &["sources", "sources"], gold.len(), "items")])
        },
    },
    Metric {
        family: FAMILY,
        name: "independent-errors",
        about: "effective number of sources with independent errors",
        needs: Need::Numbers,
        options: &[METHOD],
        usual: &[],
        run: |input, set| {
            let ((gold, answers), method) = (numbers(input)?, method(set));
            let found = input.interval(
                || independent_sources(error_correlation(gold, answers)?.view(), method),
                |by| independent_sources_of_errors_estimate(gold, answers, method, by),
            );
            Ok(vec![one(found, gold.len(), "items").unit("sources")])
        },
    },
    Metric {
        family: FAMILY,
        name: "ambiguity",
        about: "squared error of the mean = mean squared error - ambiguity (Krogh and Vedelsby)",
        needs: Need::Numbers,
        options: &[text("weights", "uniform", "of the sources: uniform, or numbers as in 0.5+0.3+0.2")],
        usual: &[],
        run: |input, set| {
            let (gold, answers) = numbers(input)?;
            let given = match set.word("weights") {
                "uniform" => None,
                text => {
                    Some(text.split('+').map(str::parse).collect::<Result<Vec<f64>, _>>().map_err(|_| {
                        Undefined(format!("weights={text}: expected uniform, or numbers as in 0.5+0.3+0.2"))
                    })?)
                }
            };
            let weights = given.as_deref().map_or(MemberWeights::Uniform, MemberWeights::Given);
            let n = gold.len();
            let part = |outcome: Outcome, part| one(outcome, n, "items").part(part);
            if let Some(by) = &input.by
                && let Ok(found) = ambiguity_estimate(gold, answers, weights, by)
            {
                return Ok(vec![
                    part(Outcome::Estimate(found.ensemble), "error of the mean"),
                    part(Outcome::Estimate(found.mean), "mean error"),
                    part(Outcome::Estimate(found.ambiguity), "ambiguity"),
                ]);
            }
            let found = ambiguity(gold, answers, weights)?;
            Ok(vec![
                part(found.ensemble.into(), "error of the mean"),
                part(found.mean.into(), "mean error"),
                part(found.ambiguity.into(), "ambiguity"),
            ])
        },
    },
    Metric {
        family: FAMILY,
        name: "kl-ambiguity",
        about: "likelihood of the geometric mean = mean likelihood - ambiguity",
        needs: Need::Members,
        options: &[],
        usual: &[""],
        run: |input, _| {
            let (members, labels) = (input.members()?, input.classes()?);
            let n = labels.len();
            let part = |outcome: Outcome, part| one(outcome, n, "items").part(part).unit("nats");
            if let Some(by) = &input.by
                && let Ok(found) = kl_ambiguity_estimate(members, labels, by)
            {
                return Ok(vec![
                    part(Outcome::Estimate(found.mean), "mean nll"),
                    part(Outcome::Estimate(found.geometric), "nll of the geometric mean"),
                    part(Outcome::Estimate(found.arithmetic), "nll of the arithmetic mean"),
                    part(Outcome::Estimate(found.ambiguity), "ambiguity"),
                ]);
            }
            let found = kl_ambiguity(members, labels)?;
            Ok(vec![
                part(found.mean.into(), "mean nll"),
                part(found.geometric.into(), "nll of the geometric mean"),
                part(found.arithmetic.into(), "nll of the arithmetic mean"),
                part(found.ambiguity.into(), "ambiguity"),
            ])
        },
    },
];

fn method(set: &Settings) -> IndependentSources {
    match set.word("method") {
        "participation-ratio" => IndependentSources::ParticipationRatio,
        _ => IndependentSources::MeanCorrelation,
    }
}

fn outcomes(input: &Input<'_>) -> Result<Outcomes, Undefined> {
    let (truth, given) = input.answers()?;
    Ok(Outcomes::of_labels(&truth, given.view())?)
}

fn numbers<'a>(input: &'a Input<'_>) -> Result<(&'a [f64], ArrayView2<'a, f64>), Undefined> {
    let none = || Undefined("the answers are no numbers, or some are missing".to_owned());
    let answers = input.signal.answers.as_ref().ok_or_else(none)?;
    let shape = (answers.answers.shape[0], answers.answers.shape[1]);
    Ok((&answers.gold, ArrayView2::from_shape(shape, &answers.answers.values)?))
}

/// A value for every pair of sources, with their ends where intervals are wanted.
fn pairs(input: &Input<'_>, measure: Pairwise) -> Result<Vec<Found>, Undefined> {
    let outcomes = outcomes(input)?;
    let n = outcomes.items();
    const OVER: &[&str] = &["pairs", "first source, second source, value"];
    let values: Value = pairwise(&outcomes, measure)?
        .into_iter()
        .map(|pair| json!([pair.first, pair.second, pair.value.map_or(Value::Null, json_number)]))
        .collect();
    let mut all = Vec::new();
    if let [only] = pairwise(&outcomes, measure)?.as_slice() {
        all.push(one(only.value.clone(), n, "items"));
    }
    all.push(array(values, OVER, n, "items").part("pairs"));
    if let Some(by) = &input.by {
        let ends: Value = pairwise_estimates(&outcomes, measure, by)?
            .into_iter()
            .map(|pair| {
                let (lo, hi) = pair.value.map_or((Value::Null, Value::Null), |found| {
                    (json_number(found.lo), json_number(found.hi))
                });
                json!([pair.first, pair.second, lo, hi])
            })
            .collect();
        const OVER: &[&str] = &["pairs", "first source, second source, lower end, upper end"];
        all.push(array(ends, OVER, n, "items").part("intervals"));
    }
    // In the table the pairs are of interest too.
    all.iter_mut().for_each(|found| found.detail = found.part == "intervals");
    Ok(all)
}

fn all(input: &Input<'_>, measure: Overall) -> Result<Vec<Found>, Undefined> {
    let outcomes = outcomes(input)?;
    let found = input.interval(|| overall(&outcomes, measure), |by| overall_estimate(&outcomes, measure, by));
    Ok(vec![one(found, outcomes.items(), "items")])
}
