//! Diversity of embeddings, and distance between two sets of them.

use crate::catalogue::{Metric, Need, Opt, Settings, number, text, whole, word};
use crate::found::{Found, Outcome, Undefined, one};
use crate::input::Input;
use ndarray::ArrayView2;
use ndarray::s;
use superalign_signal::SignalError;
use superalign_signal::embedding::{
    Bandwidth, Diagonal, Jackknife, Kernel, MauveOptions, RankEntropy, Smoothing, Vendi, ZeroRows,
    effective_rank, frechet_distance, internal_diversity, jackknife, jackknife_pair, log_det,
    log_det_plus_identity, mauve, mean_pairwise_cosine, mean_pairwise_cosine_estimate, median_distance, mmd2,
    participation_ratio, prdc, prdc_estimate, vendi_score, vendi_score_of_kernel,
};

const FAMILY: &str = "embedding";
const ZERO: Opt = word("zero-rows", &["refuse", "zero"], "refuse", "rows of zeros: an error, or cosine 0");
const GAMMA: Opt =
    text("gamma", "median", "of exp(-gamma d^2): 1 over twice the squared median distance, or a number");

pub(super) const METRICS: &[Metric] = &[
    Metric {
        family: FAMILY,
        name: "vendi",
        about: "Vendi score: effective number of different items",
        needs: Need::Embeddings,
        options: &[
            number("q", "1", "order; inf is one"),
            word(
                "kernel",
                &["cosine", "rbf", "given"],
                "cosine",
                "likeness of two rows; given: the file is a matrix of it",
            ),
            GAMMA,
            word(
                "diagonal",
                &["ones", "normalise"],
                "ones",
                "of a given matrix: must be ones, or is made so",
            ),
            ZERO,
        ],
        usual: &["q=1", "q=2"],
        run: vendi,
    },
    Metric {
        family: FAMILY,
        name: "internal-diversity",
        about: "1 - mean of a given matrix of likeness",
        needs: Need::Embeddings,
        options: &[],
        usual: &[],
        run: |input, _| {
            let kernel = input.embeddings()?;
            Ok(vec![one(internal_diversity(kernel, None), kernel.nrows(), "items")])
        },
    },
    Metric {
        family: FAMILY,
        name: "mean-cosine",
        about: "mean cosine of two different items",
        needs: Need::Embeddings,
        options: &[ZERO],
        usual: &[""],
        run: |input, set| {
            let (x, zero) = (input.embeddings()?, zero_rows(set));
            let found = input
                .interval(|| mean_pairwise_cosine(x, zero), |by| mean_pairwise_cosine_estimate(x, zero, by));
            Ok(vec![one(found, x.nrows(), "items")])
        },
    },
    Metric {
        family: FAMILY,
        name: "effective-rank",
        about: "effective rank: exponential of the entropy of the singular values",
        needs: Need::Embeddings,
        options: &[
            word("form", &["roy-vetterli", "rankme"], "roy-vetterli", "RankMe adds a little to every share"),
            number("epsilon", "1e-7", "how much RankMe adds"),
        ],
        usual: &[""],
        run: |input, set| {
            let entropy = match set.word("form") {
                "rankme" => RankEntropy::RankMe { epsilon: set.real("epsilon") },
                _ => RankEntropy::RoyVetterli,
            };
            left_out(input, move |x| effective_rank(x, entropy))
        },
    },
    Metric {
        family: FAMILY,
        name: "participation-ratio",
        about: "participation ratio of the covariance",
        needs: Need::Embeddings,
        options: &[],
        usual: &[""],
        run: |input, _| left_out(input, |x| participation_ratio(x)),
    },
    Metric {
        family: FAMILY,
        name: "log-det-plus-identity",
        about: "log-determinant of the identity plus the matrix of cosines",
        needs: Need::Embeddings,
        options: &[ZERO],
        usual: &[],
        run: |input, set| {
            let x = input.embeddings()?;
            Ok(vec![one(log_det_plus_identity(x, zero_rows(set)), x.nrows(), "items").unit("nats")])
        },
    },
    Metric {
        family: FAMILY,
        name: "log-det",
        about: "log-determinant of the matrix of cosines",
        needs: Need::Embeddings,
        options: &[whole("rows", "0", "only so many of the first rows; 0 means all")],
        usual: &[],
        run: |input, set| {
            let x = input.embeddings()?;
            let rows = match set.whole("rows") {
                0 => x.nrows(),
                rows => rows.min(x.nrows()),
            };
            Ok(vec![one(log_det(x.slice(s![..rows, ..])), rows, "items").unit("nats")])
        },
    },
    Metric {
        family: FAMILY,
        name: "median-distance",
        about: "median distance of two items, of both files together where there is a reference",
        needs: Need::Embeddings,
        options: &[],
        usual: &[],
        run: |input, _| {
            let x = input.embeddings()?;
            let y = input.reference_embeddings().ok();
            let n = x.nrows() + y.map_or(0, |y| y.nrows());
            Ok(vec![one(median_distance(x, y), n, "items")])
        },
    },
    Metric {
        family: FAMILY,
        name: "prdc",
        about: "precision, recall, density and coverage; the reference is what is real",
        needs: Need::TwoEmbeddings,
        options: &[whole("k", "5", "which nearest neighbour sets the radius")],
        usual: &[""],
        run: |input, set| {
            let (real, fake, k) = (input.reference_embeddings()?, input.embeddings()?, set.whole("k"));
            let n = fake.nrows();
            if let Some(by) = &input.by
                && let Ok(found) = prdc_estimate(real, fake, k, by)
            {
                let part = |found, part| one(Outcome::Estimate(found), n, "items").part(part);
                return Ok(vec![
                    part(found.precision, "precision"),
                    part(found.recall, "recall"),
                    part(found.density, "density"),
                    part(found.coverage, "coverage"),
                ]);
            }
            let found = prdc(real, fake, k)?;
            Ok(vec![
                one(found.precision, n, "items").part("precision"),
                one(found.recall, n, "items").part("recall"),
                one(found.density, n, "items").part("density"),
                one(found.coverage, n, "items").part("coverage"),
            ])
        },
    },
    Metric {
        family: FAMILY,
        name: "mmd2",
        about: "squared maximum mean discrepancy to the reference",
        needs: Need::TwoEmbeddings,
        options: &[GAMMA],
        usual: &[""],
        run: |input, set| {
            let (x, y) = (input.embeddings()?, input.reference_embeddings()?);
            let found = mmd2(x, y, bandwidth(set)?)?;
            let n = x.nrows();
            Ok(vec![
                one(found.unbiased, n, "items").part("unbiased"),
                one(found.biased, n, "items").part("biased"),
                one(found.gamma, n, "items").part("gamma").detail(),
            ])
        },
    },
    Metric {
        family: FAMILY,
        name: "frechet",
        about: "Fréchet distance of two normal distributions, squared as in FID",
        needs: Need::TwoEmbeddings,
        options: &[],
        usual: &[""],
        run: |input, _| {
            let (x, y) = (input.embeddings()?, input.reference_embeddings()?);
            let outcome = match jackknifing(input) {
                None => frechet_distance(x, y).into(),
                Some(by) => match jackknife_pair(x, y, &by, |x, y| frechet_distance(x, y)) {
                    Ok(found) => Outcome::Estimate(found),
                    Err(why) => bare(frechet_distance(x, y), why.to_string()),
                },
            };
            Ok(vec![one(outcome, x.nrows(), "items")])
        },
    },
    Metric {
        family: FAMILY,
        name: "mauve",
        about: "MAUVE of two histograms: counts, and the reference",
        needs: Need::CountsAndReference,
        options: &[
            number("scaling", "5", "of the divergences"),
            whole("points", "25", "of the curve"),
            word(
                "smoothing",
                &["none", "add-half"],
                "none",
                "nothing, or one half added to every count (MAUVE*)",
            ),
        ],
        usual: &[],
        run: |input, set| {
            let (counts, reference) = input.counts_and_reference()?;
            let smoothing =
                if set.word("smoothing") == "add-half" { Smoothing::AddHalf } else { Smoothing::None };
            let options =
                MauveOptions { scaling: set.real("scaling"), points: set.whole("points"), smoothing };
            let observed: Vec<f64> = counts.counts.iter().map(|&count| count as f64).collect();
            let found = mauve(&observed, &reference, &options)?;
            let n = counts.total();
            Ok(vec![
                one(found.mauve, n, counts.of),
                one(found.frontier_integral, n, counts.of).part("frontier integral"),
            ])
        },
    },
];

fn zero_rows(set: &Settings) -> ZeroRows {
    if set.word("zero-rows") == "zero" { ZeroRows::Zero } else { ZeroRows::Refuse }
}

fn bandwidth(set: &Settings) -> Result<Bandwidth, Undefined> {
    match set.word("gamma") {
        "median" => Ok(Bandwidth::Median),
        other => match other.parse() {
            Ok(gamma) => Ok(Bandwidth::Gamma(gamma)),
            Err(_) => Err(Undefined(format!("gamma={other}: expected median or a number"))),
        },
    }
}

fn vendi(input: &Input<'_>, set: &Settings) -> Result<Vec<Found>, Undefined> {
    let order = set.real("q");
    let kernel = match set.word("kernel") {
        "given" => {
            let x = input.embeddings()?;
            let diagonal =
                if set.word("diagonal") == "normalise" { Diagonal::Normalise } else { Diagonal::Ones };
            return Ok(vec![
                one(vendi_score_of_kernel(x, order, diagonal, None), x.nrows(), "items").unit("items"),
            ]);
        }
        "rbf" => Kernel::Rbf(bandwidth(set)?),
        _ => Kernel::Cosine { zero_rows: zero_rows(set) },
    };
    left_out(input, move |x| vendi_score(x, &Vendi { order, kernel }))
}

/// A statistic of all rows, with its interval by leaving out rows.
fn left_out(
    input: &Input<'_>,
    statistic: impl Fn(ArrayView2<'_, f64>) -> Result<f64, SignalError>,
) -> Result<Vec<Found>, Undefined> {
    let x = input.embeddings()?;
    let outcome = match jackknifing(input) {
        None => statistic(x).into(),
        Some(by) => match jackknife(x, &by, &statistic) {
            Ok(found) => Outcome::Estimate(found),
            Err(why) => bare(statistic(x), why.to_string()),
        },
    };
    Ok(vec![one(outcome, x.nrows(), "items")])
}

/// Intervals by jackknife, where intervals are wanted.
fn jackknifing(input: &Input<'_>) -> Option<Jackknife> {
    let by = input.by?;
    Some(Jackknife { level: by.level, ..Jackknife::new(by.seed) })
}

fn bare(value: Result<f64, SignalError>, why: String) -> Outcome {
    match value {
        Ok(value) => Outcome::Bare(value, why),
        Err(why) => Outcome::Undefined(why.to_string()),
    }
}
