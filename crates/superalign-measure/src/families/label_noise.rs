//! Wrong labels: how many, which, and of what kind.

use crate::catalogue::{Metric, Need, Opt, Settings, number, whole, word};
use crate::found::{Found, Undefined, array, json_number, json_numbers, one};
use crate::input::Input;
use ndarray::Array2;
use serde_json::{Value, json};
use superalign_core::{Bootstrap, Estimate};
use superalign_signal::SignalError;
use superalign_signal::label_noise::{
    Adjustment, Anchor, Calibration, Consensus, CrowdMethod, Diagonal, Filter, IssueCount, JointOptions,
    KindOptions, NoiseKind, PriorMethod, Refinement, Score, SuspectOptions, Test, anchor_transition,
    area_under_margin, calibrate_joint, confident_joint, confident_thresholds, crowd_labels, estimate_joint,
    forgetting, issue_count, label_quality, latent, learnt, majority_with_model, noise_kind, noise_rates,
    suspects,
};

const FAMILY: &str = "label-noise";
const DIAGONAL: Opt = word(
    "diagonal",
    &["at-least-one", "as-counted"],
    "at-least-one",
    "whether every class has one right label at least",
);
const GIVEN_TRUE: &[&str] = &["given classes", "true classes"];

pub(super) const METRICS: &[Metric] = &[
    Metric {
        family: FAMILY,
        name: "noise-rates",
        about: "share of wrong labels: of all, of each given label, of each true class",
        needs: Need::Labelled,
        options: &[],
        usual: &[""],
        run: rates,
    },
    Metric {
        family: FAMILY,
        name: "noise-kind",
        about: "whether the noise is symmetric, by class or by item",
        needs: Need::Labelled,
        options: &[
            number("level", "0.01", "of every test"),
            word(
                "calibration",
                &["temperature", "trusted"],
                "temperature",
                "whether the probabilities are calibrated",
            ),
            whole("groups", "4", "groups of items by margin"),
            whole("items", "20000", "of more items, so many are drawn"),
        ],
        usual: &[""],
        run: kind,
    },
    Metric {
        family: FAMILY,
        name: "issue-count",
        about: "estimated number of wrong labels",
        needs: Need::Labelled,
        options: &[word("by", &["confident", "calibrated"], "confident", "off the diagonal of which joint")],
        usual: &[""],
        run: |input, set| {
            let (labels, probs) = (input.classes()?, input.probabilities()?);
            let by =
                if set.word("by") == "calibrated" { IssueCount::Calibrated } else { IssueCount::Confident };
            Ok(vec![one(issue_count(labels, probs, by)? as f64, labels.len(), "items").unit("items")])
        },
    },
    Metric {
        family: FAMILY,
        name: "confident-thresholds",
        about: "mean probability of each class among the items labelled so; 2 where there is none",
        needs: Need::Labelled,
        options: &[],
        usual: &[],
        run: |input, _| {
            let (labels, probs) = (input.classes()?, input.probabilities()?);
            let found = confident_thresholds(labels, probs)?;
            Ok(vec![array(json_numbers(&found), &["classes"], labels.len(), "items")])
        },
    },
    Metric {
        family: FAMILY,
        name: "confident-joint",
        about: "counts of given label and confident class",
        needs: Need::Labelled,
        options: &[
            word("calibrate", &["no", "yes"], "no", "whether rows are scaled to the counts of labels"),
            DIAGONAL,
        ],
        usual: &[""],
        run: |input, set| {
            let (labels, probs) = (input.classes()?, input.probabilities()?);
            let joint = confident_joint(labels, probs, &options(set))?;
            let joint =
                if set.word("calibrate") == "yes" { calibrate_joint(joint.view(), labels)? } else { joint };
            let rows: Value = joint.rows().into_iter().map(|row| json!(row.to_vec())).collect();
            Ok(vec![array(rows, GIVEN_TRUE, labels.len(), "items")])
        },
    },
    Metric {
        family: FAMILY,
        name: "joint",
        about: "joint distribution of given label and true class",
        needs: Need::Labelled,
        options: &[],
        usual: &[],
        run: |input, _| {
            let (labels, probs) = (input.classes()?, input.probabilities()?);
            Ok(vec![matrix(&estimate_joint(labels, probs)?, GIVEN_TRUE, labels.len())])
        },
    },
    Metric {
        family: FAMILY,
        name: "latent",
        about: "prior of the true classes, noise matrix and its inverse",
        needs: Need::Labelled,
        options: &[
            word(
                "prior",
                &["count", "equation", "marginal", "marginal-of-given"],
                "count",
                "how the prior is estimated",
            ),
            word("refine", &["none", "converge"], "none", "whether the three are made to agree"),
            DIAGONAL,
        ],
        usual: &[],
        run: |input, set| {
            let (labels, probs) = (input.classes()?, input.probabilities()?);
            let joint = calibrate_joint(confident_joint(labels, probs, &options(set))?.view(), labels)?;
            let prior = match set.word("prior") {
                "equation" => PriorMethod::Equation,
                "marginal" => PriorMethod::Marginal,
                "marginal-of-given" => PriorMethod::MarginalOfGiven,
                _ => PriorMethod::Count,
            };
            let refine =
                if set.word("refine") == "converge" { Refinement::Converge } else { Refinement::None };
            let found = latent(joint.view(), labels, prior, refine)?;
            let n = labels.len();
            const TRUE_GIVEN: &[&str] = &["true classes", "given classes"];
            Ok(vec![
                array(json_numbers(&found.prior), &["classes"], n, "items").part("prior"),
                matrix(&found.noise_matrix, GIVEN_TRUE, n).part("noise matrix"),
                matrix(&found.inverse_noise_matrix, TRUE_GIVEN, n).part("inverse noise matrix"),
            ])
        },
    },
    Metric {
        family: FAMILY,
        name: "label-quality",
        about: "how credible each label is, from 0 to 1, and the mean",
        needs: Need::Labelled,
        options: &[
            word(
                "score",
                &["self-confidence", "normalised-margin", "weighted-entropy"],
                "self-confidence",
                "which score",
            ),
            word(
                "adjust",
                &["none", "thresholds"],
                "none",
                "whether thresholds are taken off the probabilities",
            ),
        ],
        usual: &[""],
        run: |input, set| {
            let (labels, probs) = (input.classes()?, input.probabilities()?);
            let score = match set.word("score") {
                "normalised-margin" => Score::NormalisedMargin,
                "weighted-entropy" => Score::WeightedEntropy,
                _ => Score::SelfConfidence,
            };
            let adjust =
                if set.word("adjust") == "thresholds" { Adjustment::Thresholds } else { Adjustment::None };
            let found = label_quality(labels, probs, score, adjust)?;
            let n = labels.len();
            let mean = found.iter().sum::<f64>() / n as f64;
            Ok(vec![
                one(mean, n, "items").part("mean"),
                array(json_numbers(&found), &["items"], n, "items").part("per item"),
            ])
        },
    },
    Metric {
        family: FAMILY,
        name: "suspects",
        about: "rows (from 0) whose label is probably wrong",
        needs: Need::Labelled,
        options: &[
            word(
                "filter",
                &[
                    "noise-rate",
                    "class",
                    "both",
                    "confident",
                    "predicted",
                    "low-margin",
                    "low-self-confidence",
                ],
                "noise-rate",
                "how they are chosen",
            ),
            number("share", "1", "only so large a share of what the joint holds"),
            whole("least", "1", "so many items of every label at least are kept"),
        ],
        usual: &[""],
        run: |input, set| {
            let (labels, probs) = (input.classes()?, input.probabilities()?);
            let filter = match set.word("filter") {
                "class" => Filter::Class,
                "both" => Filter::Both,
                "confident" => Filter::Confident,
                "predicted" => Filter::Predicted,
                "low-margin" => Filter::LowMargin,
                "low-self-confidence" => Filter::LowSelfConfidence,
                _ => Filter::NoiseRate,
            };
            let options =
                SuspectOptions { filter, least_of_label: set.whole("least"), share: set.real("share") };
            let found = suspects(labels, probs, &options)?;
            let n = labels.len();
            Ok(vec![
                one(found.len() as f64, n, "items").part("number").unit("items"),
                array(json!(found), &["suspects"], n, "items").part("rows"),
            ])
        },
    },
    Metric {
        family: FAMILY,
        name: "anchor-transition",
        about: "transition matrix from anchor points",
        needs: Need::Soft,
        options: &[
            word(
                "anchor",
                &["largest", "quantile"],
                "largest",
                "the most probable item, or that at a quantile",
            ),
            number("quantile", "0.97", "which quantile"),
        ],
        usual: &[],
        run: |input, set| {
            let probs = input.probabilities()?;
            let anchor = match set.word("anchor") {
                "quantile" => Anchor::Quantile(set.real("quantile")),
                _ => Anchor::Largest,
            };
            const TRUE_GIVEN: &[&str] = &["true classes", "given classes"];
            Ok(vec![matrix(&anchor_transition(probs, anchor)?, TRUE_GIVEN, probs.nrows())])
        },
    },
    Metric {
        family: FAMILY,
        name: "area-under-margin",
        about: "mean margin of each item's label over the epochs (AUM)",
        needs: Need::Epochs,
        options: &[],
        usual: &[""],
        run: |input, _| {
            let labels = input.classes()?;
            let logits = input.epochs()?;
            let found = area_under_margin(labels, logits.permuted_axes([1, 0, 2]))?;
            Ok(vec![array(json_numbers(&found), &["items"], labels.len(), "items")])
        },
    },
    Metric {
        family: FAMILY,
        name: "forgetting",
        about: "how often each item was learnt and forgotten",
        needs: Need::Epochs,
        options: &[],
        usual: &[""],
        run: |input, _| {
            let labels = input.classes()?;
            let right = learnt(labels, input.epochs()?.permuted_axes([1, 0, 2]))?;
            let found = forgetting(right.view())?;
            let n = labels.len();
            let events: Value = found.iter().map(|item| json!(item.events)).collect();
            let first: Value = found.iter().map(|item| json!(item.first_learnt)).collect();
            let never: Value = found.iter().map(|item| json!(item.first_learnt.is_none())).collect();
            let unforgettable = found.iter().filter(|item| item.is_unforgettable()).count();
            Ok(vec![
                one(unforgettable as f64, n, "items").part("never forgotten").unit("items"),
                array(events, &["items"], n, "items").part("events"),
                array(first, &["items"], n, "items").part("first learnt"),
                array(never, &["items"], n, "items").part("never learnt"),
            ])
        },
    },
    Metric {
        family: FAMILY,
        name: "crowd-labels",
        about: "consensus of annotators and a model, and how good it and they are",
        needs: Need::VotesAndProbabilities,
        options: &[
            word("quality", &["crowdlab", "agreement"], "crowdlab", "how the quality of a label is judged"),
            word("consensus", &["best-quality", "majority"], "best-quality", "which label is the consensus"),
        ],
        usual: &[""],
        run: |input, set| {
            let (votes, probs) = (input.votes_as_classes()?, input.probabilities()?);
            let method = if set.word("quality") == "agreement" {
                CrowdMethod::Agreement
            } else {
                CrowdMethod::Crowdlab
            };
            let consensus = if set.word("consensus") == "majority" {
                Consensus::Majority
            } else {
                Consensus::BestQuality
            };
            let found = crowd_labels(&votes, probs, method, consensus)?;
            let n = votes.items();
            let mean = found.quality.iter().sum::<f64>() / n as f64;
            let raters: Value =
                found.raters.iter().map(|quality| quality.map_or(Value::Null, json_number)).collect();
            Ok(vec![
                one(mean, n, "items").part("mean quality"),
                array(input.class_names(&found.labels), &["items"], n, "items").part("labels"),
                array(json_numbers(&found.quality), &["items"], n, "items").part("quality"),
                array(raters, &["annotators"], n, "items").part("annotators"),
            ])
        },
    },
    Metric {
        family: FAMILY,
        name: "majority-with-model",
        about: "majority vote whose ties a model breaks",
        needs: Need::VotesAndProbabilities,
        options: &[],
        usual: &[],
        run: |input, _| {
            let votes = input.votes_as_classes()?;
            let found = majority_with_model(&votes, input.probabilities()?)?;
            Ok(vec![array(input.class_names(&found), &["items"], votes.items(), "items").part("labels")])
        },
    },
];

fn options(set: &Settings) -> JointOptions {
    let diagonal =
        if set.word("diagonal") == "as-counted" { Diagonal::AsCounted } else { Diagonal::AtLeastOne };
    JointOptions { diagonal, ..JointOptions::default() }
}

fn matrix(found: &Array2<f64>, over: &'static [&'static str], n: usize) -> Found {
    array(found.rows().into_iter().map(json_numbers).collect(), over, n, "items")
}

fn kind(input: &Input<'_>, set: &Settings) -> Result<Vec<Found>, Undefined> {
    let (labels, probs) = (input.classes()?, input.probabilities()?);
    let calibration = match set.word("calibration") {
        "trusted" => Calibration::Trusted,
        _ => Calibration::Temperature,
    };
    let options = KindOptions {
        level: set.real("level"),
        calibration,
        groups: set.whole("groups"),
        items: set.whole("items"),
        seed: input.seed.named("noise kind"),
    };
    let found = noise_kind(labels, probs, &options)?;
    let n = found.items;
    let name = match &found.kind {
        NoiseKind::Symmetric => "symmetric".to_owned(),
        NoiseKind::ClassConditional => "class-conditional".to_owned(),
        NoiseKind::InstanceDependent => "instance-dependent".to_owned(),
        NoiseKind::CannotTell(why) => format!("cannot tell: {why}"),
    };
    let mut kind = array(json!(name), &[], n, "items");
    kind.detail = false;
    let test = |test: &Test, part| one(test.p_value, n, "items").part(part);
    let groups: Value = found
        .groups
        .iter()
        .map(|group| json!([group.margin.0, group.margin.1, group.items, group.observed, group.expected]))
        .collect();
    const OVER: &[&str] =
        &["groups", "smallest margin, largest margin, items, observed, expected disagreement"];
    Ok(vec![
        kind,
        one(found.wrong, n, "items").part("wrong labels").unit("items"),
        test(&found.noise, "p of no noise"),
        test(&found.asymmetry, "p of symmetric"),
        test(&found.dependence, "p of class-conditional"),
        matrix(&found.transition, &["true classes", "given classes"], n).part("transition"),
        one(found.temperature, n, "items").part("temperature").detail(),
        array(groups, OVER, n, "items").part("groups"),
    ])
}

fn rates(input: &Input<'_>, _: &Settings) -> Result<Vec<Found>, Undefined> {
    let (labels, probs) = (input.classes()?, input.probabilities()?);
    let n = labels.len();
    let by = input.by.unwrap_or(Bootstrap { draws: 1, ..Bootstrap::new(input.seed) });
    let found = noise_rates(labels, probs, &by)?;
    let whole = match input.by {
        Some(_) => one(Ok(found.overall), n, "items"),
        None => one(found.overall.value, n, "items"),
    };
    let each = |rates: &[Result<Estimate, SignalError>]| -> Value {
        let rate = |rate: &Result<Estimate, SignalError>| match rate {
            Ok(found) if input.by.is_some() => json!([found.value, found.lo, found.hi]),
            Ok(found) => json!([found.value]),
            Err(why) => json!([null, why.to_string()]),
        };
        rates.iter().map(rate).collect()
    };
    const OVER: &[&str] = &["classes", "value, lower end, upper end"];
    Ok(vec![
        whole,
        array(each(&found.of_given), OVER, n, "items").part("of given labels"),
        array(each(&found.of_true), OVER, n, "items").part("of true classes"),
    ])
}
