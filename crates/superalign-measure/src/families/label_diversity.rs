//! Diversity of labels.

use crate::catalogue::{Metric, Need, Opt, Settings, metric, number, whole, word};
use crate::found::{Found, Undefined, array, json_numbers, one};
use crate::input::Input;
use superalign_signal::SignalError;
use superalign_signal::label_diversity::{
    Base, Estimator, Evenness, Lorenz, Measure, MemberWeights, Simpson, Unbounded, diversity,
    diversity_estimate, diversity_of_mean, diversity_of_mean_estimate, diversity_per_item,
    generalised_jensen_shannon, jensen_shannon, jensen_shannon_distance, kl, mean_diversity_estimate,
    mutual_information, mutual_information_estimate, total_variation,
};

const FAMILY: &str = "label-diversity";
const COUNTS: (&str, Need) = (FAMILY, Need::Counts);
const ROWS: (&str, Need) = (FAMILY, Need::Soft);
pub(super) const BASE: Opt = word("base", &["e", "2", "10"], "e", "base of the logarithm");
const ESTIMATOR: Opt = word(
    "estimator",
    &["plug-in", "miller-madow", "chao-shen"],
    "plug-in",
    "how the entropy is estimated from few labels",
);
const ORDER: Opt = number("q", "1", "order; inf is one");
const SIMPSON: Opt = word(
    "form",
    &["complement", "dominance", "inverse", "unbiased-complement", "unbiased-dominance", "unbiased-inverse"],
    "complement",
    "1 - sum p^2, sum p^2, or 1 / sum p^2; unbiased: drawn without replacement",
);
const P: Opt = whole("p", "0", "row of the one distribution, from 0");
const Q: Opt = whole("q", "1", "row of the other");
const UNBOUNDED: Opt =
    word("unbounded", &["infinite", "refuse"], "infinite", "what is said where q is 0 and p is not");

pub(super) const METRICS: &[Metric] = &[
    metric(COUNTS, "entropy", "Shannon entropy of the labels", &[BASE, ESTIMATOR], &[""], |input, set| {
        counts(input, entropy(set), unit(set))
    }),
    metric(
        COUNTS,
        "hill",
        "Hill number: effective number of labels",
        &[ORDER],
        &["q=0", "q=1", "q=2"],
        |input, set| counts(input, Measure::Hill(set.real("q")), "labels"),
    ),
    metric(
        COUNTS,
        "renyi",
        "Rényi entropy",
        &[number("q", "2", "order; inf is one"), BASE],
        &[],
        |input, set| counts(input, Measure::Renyi { order: set.real("q"), base: base(set) }, unit(set)),
    ),
    metric(COUNTS, "tsallis", "Tsallis entropy", &[number("q", "2", "order")], &[], |input, set| {
        counts(input, Measure::Tsallis(set.real("q")), "")
    }),
    metric(COUNTS, "simpson", "Simpson's index", &[SIMPSON], &[""], |input, set| {
        let form = match set.word("form") {
            "dominance" => Simpson::Dominance,
            "inverse" => Simpson::Inverse,
            "unbiased-complement" => Simpson::UnbiasedComplement,
            "unbiased-dominance" => Simpson::UnbiasedDominance,
            "unbiased-inverse" => Simpson::UnbiasedInverse,
            _ => Simpson::Complement,
        };
        counts(input, Measure::Simpson(form), "")
    }),
    metric(COUNTS, "berger-parker", "share of the most frequent label", &[], &[""], |input, _| {
        counts(input, Measure::BergerParker, "")
    }),
    metric(
        COUNTS,
        "evenness",
        "how even the labels are",
        &[word("form", &["pielou", "simpson", "heip", "classes"], "pielou", "which index")],
        &[""],
        |input, set| {
            let form = match set.word("form") {
                "simpson" => Evenness::Simpson,
                "heip" => Evenness::Heip,
                "classes" => Evenness::Classes,
                _ => Evenness::Pielou,
            };
            counts(input, Measure::Evenness(form), "")
        },
    ),
    metric(
        COUNTS,
        "gini",
        "Gini coefficient of the counts",
        &[word(
            "curve",
            &["trapezoids", "rectangles"],
            "trapezoids",
            "how the area under the curve is taken",
        )],
        &[],
        |input, set| {
            let curve =
                if set.word("curve") == "rectangles" { Lorenz::Rectangles } else { Lorenz::Trapezoids };
            counts(input, Measure::Gini(curve), "")
        },
    ),
    metric(COUNTS, "imbalance-ratio", "most frequent label over least frequent", &[], &[""], |input, _| {
        counts(input, Measure::ImbalanceRatio, "")
    }),
    metric(
        ROWS,
        "item-entropy",
        "mean entropy of an item's labels, and that of each",
        &[BASE],
        &[""],
        |input, set| {
            let rows = input.soft()?;
            let measure = entropy(set);
            let each = diversity_per_item(rows, measure)?;
            let n = each.len();
            let mean = || match n {
                0 => Err(SignalError::TooFew { what: "items", found: 0, expected: 1 }),
                n => Ok(each.iter().sum::<f64>() / n as f64),
            };
            let outcome = input.interval(mean, |by| mean_diversity_estimate(rows, measure, by));
            Ok(vec![
                one(outcome, n, "items").unit(unit(set)),
                array(json_numbers(&each), &["items"], n, "items").part("per item").unit(unit(set)),
            ])
        },
    ),
    metric(ROWS, "entropy-of-mean", "entropy of the mean distribution", &[BASE], &[""], |input, set| {
        let rows = input.soft()?;
        let measure = entropy(set);
        let outcome = input.interval(
            || diversity_of_mean(rows, measure),
            |by| diversity_of_mean_estimate(rows, measure, by),
        );
        Ok(vec![one(outcome, rows.nrows(), "items").unit(unit(set))])
    }),
    metric(
        ROWS,
        "generalised-js",
        "generalised Jensen-Shannon divergence of all rows: mutual information",
        &[BASE],
        &[""],
        |input, set| {
            let rows = input.soft()?;
            let found = generalised_jensen_shannon(rows, MemberWeights::Uniform, base(set));
            Ok(vec![one(found, rows.nrows(), "items").unit(unit(set))])
        },
    ),
    metric(
        ROWS,
        "js-distance",
        "Jensen-Shannon distance of two rows, the root of the divergence",
        &[P, Q, BASE],
        &[],
        |input, set| two_rows(input, set, jensen_shannon_distance),
    ),
    metric(
        ROWS,
        "js-divergence",
        "Jensen-Shannon divergence of two rows",
        &[P, Q, BASE],
        &[],
        |input, set| two_rows(input, set, jensen_shannon),
    ),
    metric(
        ROWS,
        "kl",
        "Kullback-Leibler divergence of row p from row q",
        &[P, Q, BASE, UNBOUNDED],
        &[],
        |input, set| two_rows(input, set, |p, q, base| kl(p, q, base, unbounded(set))),
    ),
    metric(ROWS, "total-variation", "total variation distance of two rows", &[P, Q], &[], |input, set| {
        two_rows(input, set, |p, q, _| total_variation(p, q))
    }),
    Metric {
        family: FAMILY,
        name: "mutual-information",
        about: "disagreement of members on an item (BALD), mean and each",
        needs: Need::Members,
        options: &[BASE],
        usual: &[""],
        run: |input, set| {
            let members = input.members()?;
            let each = mutual_information(members, base(set))?;
            let n = each.len();
            let mean = || Ok(each.iter().sum::<f64>() / n as f64);
            let outcome = input.interval(mean, |by| mutual_information_estimate(members, base(set), by));
            Ok(vec![
                one(outcome, n, "items").unit(unit(set)),
                array(json_numbers(&each), &["items"], n, "items").part("per item").unit(unit(set)),
            ])
        },
    },
];

pub(super) fn base(set: &Settings) -> Base {
    match set.word("base") {
        "2" => Base::Two,
        "10" => Base::Ten,
        _ => Base::Natural,
    }
}

pub(super) fn unbounded(set: &Settings) -> Unbounded {
    if set.word("unbounded") == "refuse" { Unbounded::Refuse } else { Unbounded::Infinite }
}

pub(super) fn unit(set: &Settings) -> &'static str {
    match set.word("base") {
        "2" => "bits",
        "10" => "hartleys",
        _ => "nats",
    }
}

fn entropy(set: &Settings) -> Measure {
    let estimator = match set.word("estimator") {
        "miller-madow" => Estimator::MillerMadow,
        "chao-shen" => Estimator::ChaoShen,
        _ => Estimator::PlugIn,
    };
    Measure::Entropy { estimator, base: base(set) }
}

fn counts(input: &Input<'_>, measure: Measure, unit: &'static str) -> Result<Vec<Found>, Undefined> {
    let found = input.counts()?;
    let outcome = input
        .interval(|| diversity(&found.counts, measure), |by| diversity_estimate(&found.counts, measure, by));
    Ok(vec![one(outcome, found.total(), found.of).unit(unit)])
}

fn two_rows(
    input: &Input<'_>,
    set: &Settings,
    distance: impl Fn(&[f64], &[f64], Base) -> Result<f64, SignalError>,
) -> Result<Vec<Found>, Undefined> {
    let rows = input.soft()?;
    let row = |key| {
        let row = set.whole(key);
        if row < rows.nrows() {
            return Ok(rows.row(row).to_vec());
        }
        Err(Undefined(format!("{key}={row}: there are {} rows, counted from 0", rows.nrows())))
    };
    let has_base = set.values.iter().any(|(key, _)| *key == "base");
    let unit = if has_base { unit(set) } else { "" };
    Ok(vec![one(distance(&row("p")?, &row("q")?, base(set)), 2, "rows").unit(unit)])
}
