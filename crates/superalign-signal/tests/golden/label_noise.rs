//! Golden values of `label_noise`.

use crate::support::{Case, Golden, numbers, table};
use ndarray::{Array2, Array3};
use serde_json::{Value, json};
use superalign_signal::Votes;
use superalign_signal::label_noise::{
    Adjustment, Consensus, CrowdMethod, Filter, Forgetting, IssueCount, JointOptions, PriorMethod,
    Refinement, Score, SuspectOptions, area_under_margin, calibrate_joint, confident_joint,
    confident_thresholds, crowd_labels, estimate_joint, forgetting, issue_count, label_quality, latent,
    learnt, majority_with_model, suspects,
};

fn labels(case: &Case<'_>, role: &str) -> Vec<u32> {
    numbers(case.input(role)).into_iter().map(|label| label as u32).collect()
}

fn rows<T: Copy + Into<Value>>(matrix: &Array2<T>) -> Value {
    matrix.rows().into_iter().map(|row| row.to_vec()).map(Value::from).collect()
}

/// The confident joint, calibrated or not.
fn joint(case: &Case<'_>, calibrate: bool) -> Array2<u64> {
    let labels = labels(case, "labels");
    let joint =
        confident_joint(&labels, table(case.input("pred_probs")).view(), &JointOptions::default()).unwrap();
    if calibrate { calibrate_joint(joint.view(), &labels).unwrap() } else { joint }
}

fn crowd(case: &Case<'_>) -> (Votes, Array2<f64>) {
    (Votes::numbers(table(case.input("ratings")).view()).unwrap(), table(case.input("pred_probs")))
}

/// `(epochs, n, k)`.
fn logits(case: &Case<'_>) -> Array3<f64> {
    let epochs: Vec<Array2<f64>> = case.input("logits").as_array().unwrap().iter().map(table).collect();
    let views: Vec<_> = epochs.iter().map(|epoch| epoch.view()).collect();
    ndarray::stack(ndarray::Axis(0), &views).unwrap()
}

fn found(case: &Case<'_>) -> Option<Value> {
    let word = |name| case.param(name).as_str().unwrap_or_default();
    let probs = || table(case.input("pred_probs"));
    let labels = |role| labels(case, role);
    Some(match case.metric() {
        "confident_thresholds" => json!(confident_thresholds(&labels("labels"), probs().view()).unwrap()),
        "confident_joint" => rows(&joint(case, case.param("calibrate").as_bool()?)),
        "estimate_joint" => rows(&estimate_joint(&labels("labels"), probs().view()).unwrap()),
        "latent" => {
            let method = match word("py_method") {
                "cnt" => PriorMethod::Count,
                "eqn" => PriorMethod::Equation,
                "marginal" => PriorMethod::Marginal,
                "marginal_ps" => PriorMethod::MarginalOfGiven,
                _ => return None,
            };
            let found =
                latent(joint(case, true).view(), &labels("labels"), method, Refinement::None).unwrap();
            json!({
                "py": found.prior.to_vec(),
                "noise_matrix": rows(&found.noise_matrix),
                "inverse_noise_matrix": rows(&found.inverse_noise_matrix),
            })
        }
        "label_quality_scores" => {
            let score = match word("method") {
                "self_confidence" => Score::SelfConfidence,
                "normalized_margin" => Score::NormalisedMargin,
                "confidence_weighted_entropy" => Score::WeightedEntropy,
                _ => return None,
            };
            let adjusted = case.param("adjust_pred_probs").as_bool().unwrap_or(false);
            let adjustment = if adjusted { Adjustment::Thresholds } else { Adjustment::None };
            let mut scores = label_quality(&labels("labels"), probs().view(), score, adjustment).unwrap();
            scores.truncate(case.param("first").as_u64()? as usize);
            json!(scores)
        }
        "find_label_issues_indices" => {
            let filter = match word("filter_by") {
                "prune_by_noise_rate" => Filter::NoiseRate,
                "prune_by_class" => Filter::Class,
                "both" => Filter::Both,
                "confident_learning" => Filter::Confident,
                "predicted_neq_given" => Filter::Predicted,
                "low_normalized_margin" => Filter::LowMargin,
                "low_self_confidence" => Filter::LowSelfConfidence,
                _ => return None,
            };
            let options = SuspectOptions { filter, ..SuspectOptions::default() };
            json!(suspects(&labels("labels"), probs().view(), &options).unwrap())
        }
        "num_label_issues" => {
            let count = match word("estimation_method") {
                "off_diagonal" => IssueCount::Confident,
                "off_diagonal_calibrated" => IssueCount::Calibrated,
                _ => return None,
            };
            json!(issue_count(&labels("labels"), probs().view(), count).unwrap())
        }
        "majority_vote_tiebreak" => {
            let (votes, probs) = crowd(case);
            json!(majority_with_model(&votes, probs.view()).unwrap())
        }
        // cleanlab counts the votes on an item at the rank of the class among those voted for, not at the class: two
        // votes for class 1 and none for 0 become a consensus of 0 with quality 0.
        "multiannotator_consensus" if word("quality_method") == "agreement" => return None,
        "multiannotator_consensus" => {
            let consensus = match word("consensus_method") {
                "best_quality" => Consensus::BestQuality,
                "majority_vote" => Consensus::Majority,
                _ => return None,
            };
            let (votes, probs) = crowd(case);
            let found = crowd_labels(&votes, probs.view(), CrowdMethod::Crowdlab, consensus).unwrap();
            json!({
                "consensus": found.labels,
                "consensus_quality": found.quality,
                "annotator_quality": found.raters,
            })
        }
        "aum" => json!(area_under_margin(&labels("y"), logits(case).view()).unwrap()),
        "forgetting" => {
            let found = forgetting(learnt(&labels("y"), logits(case).view()).unwrap().view()).unwrap();
            json!({
                "forgetting_events": found.iter().map(|item| item.events).collect::<Vec<_>>(),
                "never_learned": found.iter().map(|item| item.first_learnt.is_none()).collect::<Vec<_>>(),
                "unforgettable": found.iter().map(Forgetting::is_unforgettable).collect::<Vec<_>>(),
                "first_learn":
                    found.iter().map(|item| item.first_learnt.map_or(-1, |epoch| epoch as i64)).collect::<Vec<_>>(),
            })
        }
        _ => return None,
    })
}

#[test]
fn label_noise() {
    assert_eq!(Golden::read("label_noise.json").check(found), 50);
}
