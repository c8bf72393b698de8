//! Calibration of probabilities.

use crate::catalogue::{Metric, Need, Opt, Settings, text, whole, word};
use crate::found::{Found, Outcome, Undefined, array, json_numbers, one};
use crate::input::Input;
use serde_json::{Value, json};
use superalign_signal::calibration::{
    Bins, BrierScale, Clip, Closed, Cut, Isotonic, Norm, brier, brier_binary, brier_binary_estimate,
    brier_estimate, calibration_error_estimate, classwise_error, classwise_error_estimate, classwise_murphy,
    fit_temperature, murphy, nll, nll_estimate, reliability, temperature_estimate, top_label_error_estimate,
    top_label_reliability,
};

const FAMILY: &str = "calibration";
const OF: Opt = word(
    "of",
    &["top-label", "classwise", "positive"],
    "top-label",
    "the likeliest class, every class, or the second of two classes",
);
const BINS: Opt = whole("bins", "15", "number of bins");
const BY: Opt = word("by", &["width", "mass", "sweep", "distinct"], "width", "how bins are cut");
const EDGES: Opt = word(
    "edges",
    &["right-closed", "left-closed", "left-closed-one-apart"],
    "right-closed",
    "which bin has an edge, in bins of one width",
);
const CUT: Opt = word("cut", &["ranks", "midpoints", "quantiles"], "ranks", "where bins of one mass are cut");
const NORM: Opt = word(
    "norm",
    &["l1", "l2", "l2-debiased", "max", "average"],
    "l1",
    "how the gaps of the bins are added up",
);

pub(super) const METRICS: &[Metric] = &[
    Metric {
        family: FAMILY,
        name: "ece",
        about: "expected calibration error and kin",
        needs: Need::Labelled,
        options: &[BINS, BY, EDGES, CUT, NORM, OF],
        usual: &[""],
        run: |input, set| error(input, set, norm(set.word("norm"))),
    },
    Metric {
        family: FAMILY,
        name: "mce",
        about: "largest gap of a bin",
        needs: Need::Labelled,
        options: &[BINS, BY, EDGES, CUT, OF],
        usual: &[""],
        run: |input, set| error(input, set, Norm::Max),
    },
    Metric {
        family: FAMILY,
        name: "binary-ece",
        about: "calibration error of the probability of the second of two classes",
        needs: Need::Binary,
        options: &[BINS, BY, EDGES, CUT, NORM],
        usual: &[""],
        run: |input, set| positive(input, set, norm(set.word("norm"))),
    },
    Metric {
        family: FAMILY,
        name: "brier",
        about: "Brier score",
        needs: Need::Labelled,
        options: &[word(
            "scale",
            &["full", "half", "half-if-binary"],
            "full",
            "sum over classes, half of it, or half of it for two classes",
        )],
        usual: &[""],
        run: |input, set| {
            let scale = match set.word("scale") {
                "half" => BrierScale::Half,
                "half-if-binary" => BrierScale::HalfIfBinary,
                _ => BrierScale::Full,
            };
            let (labels, probs) = (input.classes()?, input.probabilities()?);
            let found =
                input.interval(|| brier(labels, probs, scale), |by| brier_estimate(labels, probs, scale, by));
            Ok(vec![one(found, labels.len(), "items")])
        },
    },
    Metric {
        family: FAMILY,
        name: "binary-brier",
        about: "mean squared error of the probability of the second of two classes",
        needs: Need::Binary,
        options: &[],
        usual: &[""],
        run: |input, _| {
            let (p, hit) = input.binary()?;
            let found = input.interval(|| brier_binary(&p, &hit), |by| brier_binary_estimate(&p, &hit, by));
            Ok(vec![one(found, p.len(), "items")])
        },
    },
    Metric {
        family: FAMILY,
        name: "murphy",
        about: "Brier score as reliability - resolution + uncertainty",
        needs: Need::Binary,
        options: &[BINS, BY, EDGES, CUT],
        usual: &[],
        run: |input, set| {
            let (p, hit) = input.binary()?;
            let found = murphy(&p, &hit, bins(set))?;
            Ok(murphy_parts(found, p.len()))
        },
    },
    Metric {
        family: FAMILY,
        name: "classwise-murphy",
        about: "the same, summed over classes",
        needs: Need::Labelled,
        options: &[BINS, BY, EDGES, CUT],
        usual: &[],
        run: |input, set| {
            let (labels, probs) = (input.classes()?, input.probabilities()?);
            Ok(murphy_parts(classwise_murphy(labels, probs, bins(set))?, labels.len()))
        },
    },
    Metric {
        family: FAMILY,
        name: "nll",
        about: "mean negative logarithm of the label's probability",
        needs: Need::Labelled,
        options: &[text(
            "clip",
            "eps",
            "probabilities are kept so far from 0 and 1: eps, never, or a number",
        )],
        usual: &[""],
        run: |input, set| {
            let clip = match set.word("clip") {
                "eps" => Clip::default(),
                "never" => Clip::Never,
                other => match other.parse() {
                    Ok(at) => Clip::At(at),
                    Err(_) => {
                        return Err(Undefined(format!("clip={other}: expected eps, never or a number")));
                    }
                },
            };
            let (labels, probs) = (input.classes()?, input.probabilities()?);
            let found =
                input.interval(|| nll(labels, probs, clip), |by| nll_estimate(labels, probs, clip, by));
            Ok(vec![one(found, labels.len(), "items").unit("nats")])
        },
    },
    Metric {
        family: FAMILY,
        name: "reliability",
        about: "the table of bins: confidence, accuracy, number of items",
        needs: Need::Labelled,
        options: &[BINS, BY, EDGES, CUT],
        usual: &[],
        run: |input, set| {
            let (labels, probs) = (input.classes()?, input.probabilities()?);
            Ok(table(&top_label_reliability(labels, probs, bins(set))?))
        },
    },
    Metric {
        family: FAMILY,
        name: "binary-reliability",
        about: "the same for the probability of the second of two classes",
        needs: Need::Binary,
        options: &[BINS, BY, EDGES, CUT],
        usual: &[],
        run: |input, set| {
            let (p, hit) = input.binary()?;
            Ok(table(&reliability(&p, &hit, bins(set))?))
        },
    },
    Metric {
        family: FAMILY,
        name: "temperature",
        about: "temperature that makes log-odds likeliest",
        needs: Need::Logits,
        options: &[],
        usual: &[""],
        run: |input, _| {
            let (labels, logits) = (input.classes()?, input.logits()?);
            let n = labels.len();
            let fit = fit_temperature(labels, logits)?;
            let found = input.interval(|| Ok(fit.temperature), |by| temperature_estimate(labels, logits, by));
            Ok(vec![
                one(found, n, "items"),
                one(fit.nll, n, "items").part("nll").unit("nats"),
                one(fit.nll_before, n, "items").part("nll before").unit("nats"),
            ])
        },
    },
    Metric {
        family: FAMILY,
        name: "isotonic",
        about: "rising curve that maps probabilities to frequencies",
        needs: Need::Binary,
        options: &[],
        usual: &[],
        run: |input, _| {
            let (p, hit) = input.binary()?;
            let outcome: Vec<f64> = hit.iter().map(|&hit| f64::from(u8::from(hit))).collect();
            let fit = Isotonic::fit(&p, &outcome, None)?;
            let knots: Value = fit.knots().map(|(x, y)| json!([x, y])).collect();
            let mapped: Vec<f64> = p.iter().map(|&p| fit.predict(p)).collect();
            Ok(vec![
                array(knots, &["knots", "probability and frequency"], p.len(), "items"),
                array(json_numbers(&mapped), &["items"], p.len(), "items").part("mapped"),
            ])
        },
    },
];

fn bins(set: &Settings) -> Bins {
    let count = set.whole("bins");
    match set.word("by") {
        "mass" => Bins::Mass {
            count,
            cut: match set.word("cut") {
                "midpoints" => Cut::Midpoints,
                "quantiles" => Cut::Quantiles,
                _ => Cut::Ranks,
            },
        },
        "sweep" => Bins::Sweep,
        "distinct" => Bins::Distinct,
        _ => Bins::Width {
            count,
            closed: match set.word("edges") {
                "left-closed" => Closed::Left,
                "left-closed-one-apart" => Closed::LeftOneApart,
                _ => Closed::Right,
            },
        },
    }
}

fn norm(word: &str) -> Norm {
    match word {
        "l2" => Norm::L2,
        "l2-debiased" => Norm::L2Debiased,
        "max" => Norm::Max,
        "average" => Norm::Average,
        _ => Norm::L1,
    }
}

fn error(input: &Input<'_>, set: &Settings, norm: Norm) -> Result<Vec<Found>, Undefined> {
    let (labels, probs, bins) = (input.classes()?, input.probabilities()?, bins(set));
    let found: Outcome = match set.word("of") {
        "classwise" => input.interval(
            || classwise_error(labels, probs, bins, norm),
            |by| classwise_error_estimate(labels, probs, bins, norm, by),
        ),
        "positive" => return positive(input, set, norm),
        _ => input.interval(
            || Ok(top_label_reliability(labels, probs, bins)?.error(norm)),
            |by| top_label_error_estimate(labels, probs, bins, norm, by),
        ),
    };
    Ok(vec![one(found, labels.len(), "items")])
}

fn positive(input: &Input<'_>, set: &Settings, norm: Norm) -> Result<Vec<Found>, Undefined> {
    let ((p, hit), bins) = (input.binary()?, bins(set));
    let found = input.interval(
        || Ok(reliability(&p, &hit, bins)?.error(norm)),
        |by| calibration_error_estimate(&p, &hit, bins, norm, by),
    );
    Ok(vec![one(found, p.len(), "items")])
}

fn murphy_parts(found: superalign_signal::calibration::Murphy, n: usize) -> Vec<Found> {
    vec![
        one(found.brier, n, "items").part("brier"),
        one(found.reliability, n, "items").part("reliability"),
        one(found.resolution, n, "items").part("resolution"),
        one(found.uncertainty, n, "items").part("uncertainty"),
        one(found.within_bin_variance, n, "items").part("within-bin variance"),
        one(found.within_bin_covariance, n, "items").part("within-bin covariance"),
    ]
}

fn table(found: &superalign_signal::calibration::Reliability) -> Vec<Found> {
    let row = |bin: &superalign_signal::calibration::Bin| {
        json!([
            bin.lo,
            bin.hi,
            bin.count,
            bin.confidence,
            bin.accuracy.value,
            bin.accuracy.lo,
            bin.accuracy.hi
        ])
    };
    let rows: Value = found.bins.iter().map(row).collect();
    const OVER: &[&str] = &["bins", "from, to, count, confidence, accuracy, its lower and its upper end"];
    vec![array(rows, OVER, found.items, "items")]
}
