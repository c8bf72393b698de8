//! Collapse of modes, and distance to a reference.

use super::label_diversity::{BASE, base, unbounded, unit};
use crate::catalogue::{Metric, Need, Opt, Settings, number, whole, word};
use crate::found::{Found, Outcome, Undefined, one};
use crate::input::Input;
use superalign_signal::collapse::{
    Chao1, Distance, MissingMass, Smoothing, TailTies, ace, chao1, chao1_interval, collapse_index,
    distance_to_reference, distance_to_reference_estimate, fisher_alpha, missing_mass, missing_mass_interval,
    occurrences, sample_coverage, support_coverage, tail_mass, tail_mass_estimate,
};
use superalign_signal::label_diversity::{Measure, diversity};

const FAMILY: &str = "collapse";
const SMOOTHING: Opt =
    word("smoothing", &["none", "additive"], "none", "added to every count before dividing");
const ALPHA: Opt = number("alpha", "0.5", "how much is added");
const UNBOUNDED: Opt =
    word("unbounded", &["infinite", "refuse"], "infinite", "what is said of an infinite value");
const BY: Opt = word("by", &["good-turing", "chao-jost"], "good-turing", "estimator");
const Z: Opt = number("z", "1.959963984540054", "quantile of the normal distribution for the interval");

pub(super) const METRICS: &[Metric] = &[
    Metric {
        family: FAMILY,
        name: "occurrences",
        about: "observed categories, those seen once and those seen twice",
        needs: Need::Counts,
        options: &[],
        usual: &[""],
        run: |input, _| {
            let counts = input.counts()?;
            let found = occurrences(&counts.counts);
            let part = |value: u64, part| one(value as f64, counts.total(), counts.of).part(part);
            Ok(vec![
                part(found.observed, "observed"),
                part(found.once, "once"),
                part(found.twice, "twice"),
                part(found.total, "total").detail(),
            ])
        },
    },
    Metric {
        family: FAMILY,
        name: "chao1",
        about: "estimated number of categories, unseen ones with them",
        needs: Need::Counts,
        options: &[word("form", &["bias-corrected", "classic"], "bias-corrected", "which estimator"), Z],
        usual: &[""],
        run: |input, set| {
            let counts = input.counts()?;
            let form = if set.word("form") == "classic" { Chao1::Classic } else { Chao1::BiasCorrected };
            let value = chao1(&counts.counts, form);
            let outcome = by_formula(value, chao1_interval(&counts.counts, form, set.real("z")));
            Ok(vec![one(outcome, counts.total(), counts.of).unit("categories")])
        },
    },
    Metric {
        family: FAMILY,
        name: "ace",
        about: "abundance-based coverage estimate of the number of categories",
        needs: Need::Counts,
        options: &[whole("rare", "10", "categories seen at most so often are rare")],
        usual: &[],
        run: |input, set| {
            let counts = input.counts()?;
            let found = ace(&counts.counts, set.whole("rare") as u64);
            Ok(vec![one(found, counts.total(), counts.of).unit("categories")])
        },
    },
    Metric {
        family: FAMILY,
        name: "fisher-alpha",
        about: "Fisher's alpha",
        needs: Need::Counts,
        options: &[],
        usual: &[],
        run: |input, _| {
            let counts = input.counts()?;
            Ok(vec![one(fisher_alpha(&counts.counts), counts.total(), counts.of)])
        },
    },
    Metric {
        family: FAMILY,
        name: "missing-mass",
        about: "probability that the next one is of an unseen category",
        needs: Need::Counts,
        options: &[BY, Z],
        usual: &[""],
        run: |input, set| {
            let counts = input.counts()?;
            let value = missing_mass(&counts.counts, missing(set));
            let outcome = match missing(set) {
                MissingMass::GoodTuring => {
                    by_formula(value, missing_mass_interval(&counts.counts, set.real("z")))
                }
                MissingMass::ChaoJost => value.into(),
            };
            Ok(vec![one(outcome, counts.total(), counts.of)])
        },
    },
    Metric {
        family: FAMILY,
        name: "sample-coverage",
        about: "1 - missing mass",
        needs: Need::Counts,
        options: &[BY],
        usual: &[],
        run: |input, set| {
            let counts = input.counts()?;
            Ok(vec![one(sample_coverage(&counts.counts, missing(set)), counts.total(), counts.of)])
        },
    },
    Metric {
        family: FAMILY,
        name: "kl-to-reference",
        about: "Kullback-Leibler divergence between what was observed and the reference",
        needs: Need::CountsAndReference,
        options: &[
            word(
                "direction",
                &["observed", "reference"],
                "observed",
                "of the observed from the reference, or the other way round",
            ),
            BASE,
            UNBOUNDED,
            SMOOTHING,
            ALPHA,
        ],
        usual: &["", "direction=reference"],
        run: |input, set| {
            let (base, unbounded) = (base(set), unbounded(set));
            let distance = match set.word("direction") {
                "reference" => Distance::KlOfReference { base, unbounded },
                _ => Distance::KlOfObserved { base, unbounded },
            };
            to_reference(input, set, distance, unit(set))
        },
    },
    Metric {
        family: FAMILY,
        name: "js-to-reference",
        about: "Jensen-Shannon distance (the root) or divergence to the reference",
        needs: Need::CountsAndReference,
        options: &[
            word("form", &["distance", "divergence"], "distance", "the root of the divergence, or itself"),
            BASE,
            SMOOTHING,
            ALPHA,
        ],
        usual: &[""],
        run: |input, set| match set.word("form") {
            "divergence" => to_reference(input, set, Distance::JensenShannon(base(set)), unit(set)),
            _ => to_reference(input, set, Distance::JensenShannonDistance(base(set)), ""),
        },
    },
    Metric {
        family: FAMILY,
        name: "total-variation-to-reference",
        about: "total variation distance to the reference",
        needs: Need::CountsAndReference,
        options: &[SMOOTHING, ALPHA],
        usual: &[""],
        run: |input, set| to_reference(input, set, Distance::TotalVariation, ""),
    },
    Metric {
        family: FAMILY,
        name: "support-coverage",
        about: "share of the reference's categories, and of its mass, that came up",
        needs: Need::CountsAndReference,
        options: &[],
        usual: &[""],
        run: |input, _| {
            let (counts, reference) = input.counts_and_reference()?;
            let found = support_coverage(&counts.counts, &reference)?;
            let part = |value: f64, part| one(value, counts.total(), counts.of).part(part);
            Ok(vec![
                part(found.modes, "categories"),
                part(found.mass, "mass"),
                part(found.outside, "outside the reference"),
            ])
        },
    },
    Metric {
        family: FAMILY,
        name: "tail-mass",
        about: "share of the observations in the reference's least likely categories",
        needs: Need::CountsAndReference,
        options: &[
            number("fraction", "0.2", "mass of the tail by the reference"),
            word(
                "ties",
                &["together", "in-order"],
                "together",
                "equally likely categories at the tail's end",
            ),
        ],
        usual: &[""],
        run: |input, set| {
            let (counts, reference) = input.counts_and_reference()?;
            let ties = if set.word("ties") == "in-order" { TailTies::InOrder } else { TailTies::Together };
            let fraction = set.real("fraction");
            let found = tail_mass(&counts.counts, &reference, fraction, ties)?;
            let observed = input.interval(
                || Ok(found.observed),
                |by| tail_mass_estimate(&counts.counts, &reference, fraction, ties, by),
            );
            let n = counts.total();
            Ok(vec![
                one(observed, n, counts.of).part("observed"),
                one(found.reference, n, counts.of).part("reference"),
                one(found.modes as f64, n, counts.of).part("categories"),
            ])
        },
    },
    Metric {
        family: FAMILY,
        name: "hill-ratio",
        about: "Hill number over that of the reference file; 1 minus it is the collapse index",
        needs: Need::TwoCounts,
        options: &[number("q", "1", "order; inf is one")],
        usual: &["q=0", "q=1", "q=2"],
        run: |input, set| {
            let (counts, reference) = input.two_counts()?;
            let measure = Measure::Hill(set.real("q"));
            let (after, before) =
                (diversity(&counts.counts, measure)?, diversity(&reference.counts, measure)?);
            let n = counts.total();
            Ok(vec![
                one(after / before, n, counts.of),
                one(collapse_index(before, after), n, counts.of).part("collapse index"),
            ])
        },
    },
];

fn missing(set: &Settings) -> MissingMass {
    if set.word("by") == "chao-jost" { MissingMass::ChaoJost } else { MissingMass::GoodTuring }
}

/// A value with the interval of its own formula, which needs no resamples.
fn by_formula(
    value: Result<f64, superalign_signal::SignalError>,
    interval: Result<superalign_core::Estimate, superalign_signal::SignalError>,
) -> Outcome {
    match (value, interval) {
        (Ok(_), Ok(found)) => Outcome::Estimate(found),
        (Ok(value), Err(why)) => Outcome::Bare(value, why.to_string()),
        (Err(why), _) => Outcome::Undefined(why.to_string()),
    }
}

fn to_reference(
    input: &Input<'_>,
    set: &Settings,
    distance: Distance,
    unit: &'static str,
) -> Result<Vec<Found>, Undefined> {
    let (counts, reference) = input.counts_and_reference()?;
    let smoothing = match set.word("smoothing") {
        "additive" => Smoothing::Additive(set.real("alpha")),
        _ => Smoothing::None,
    };
    let found = input.interval(
        || distance_to_reference(&counts.counts, &reference, distance, smoothing),
        |by| distance_to_reference_estimate(&counts.counts, &reference, distance, smoothing, by),
    );
    Ok(vec![one(found, counts.total(), counts.of).unit(unit)])
}
