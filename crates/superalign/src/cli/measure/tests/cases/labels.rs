//! Labels and probabilities.

use super::super::golden::Case;
use super::{ask, ask_two, column, columns, csv, jsonl, list, rows};
use serde_json::{Value, json};
use std::collections::HashSet;

pub(in super::super) fn label_diversity(case: &Case<'_>) -> Option<Value> {
    let base = match case.param("base") {
        Value::Number(base) => base.to_string(),
        _ => "e".to_owned(),
    };
    if case.metric() == "count_diversity_group" {
        let text = csv(&[column("count", case.input("counts"))]);
        let of = |spec: &str| ask("counts.csv", &text, &[], spec, "");
        let mut found = json!({
            "shannon": of("entropy"),
            "shannon(base=2)": of("entropy:base=2"),
            "perplexity": of("hill"),
            "simpson_1_minus_sum_p2": of("simpson"),
            "simpson_unbiased(finite=True)": of("simpson:form=unbiased-complement"),
            "inv_simpson": of("simpson:form=inverse"),
            "pielou_evenness": of("evenness"),
            "simpson_evenness": of("evenness:form=simpson"),
            "berger_parker": of("berger-parker"),
            "hill(order=0.0)": of("hill:q=0"),
            "hill(order=0.5)": of("hill:q=0.5"),
            "hill(order=2.0)": of("hill:q=2"),
            "hill(order=Infinity)": of("hill:q=inf"),
            "renyi(order=2)": of("renyi:q=2"),
            "tsallis(order=2)": of("tsallis:q=2"),
        });
        // Where there is no label, scikit-bio counts none and calls that perfectly equal; ours is an error throughout.
        if case.kind() == "exact" {
            found["richness"] = of("hill:q=0");
            found["gini_index_rectangles"] = of("gini:curve=rectangles");
        }
        return Some(found);
    }
    let input = ["p", "P"].into_iter().map(|role| case.input(role)).find(|input| !input.is_null())?;
    // Some cases take two rows of the input.
    let text = csv(&columns("p", input));
    let of = |spec: &str, part: &str| ask("soft.csv", &text, &[], spec, part);
    Some(match case.metric() {
        "js_distance_sqrt" => of(&format!("js-distance:base={base}"), ""),
        "kl" => of("kl", ""),
        "entropy_per_item" => of("item-entropy", "per item"),
        "jsd_generalised_uniform_weights" => of("generalised-js", ""),
        "vote_entropy_of_mean" => of("entropy-of-mean", ""),
        other => panic!("{other}"),
    })
}

pub(in super::super) fn collapse(case: &Case<'_>) -> Option<Value> {
    let counts = ["counts", "p", "num"].into_iter().find(|role| case.input_name(role).starts_with("counts"));
    let counts = counts.or(Some("q")).filter(|role| !case.input(role).is_null()).unwrap_or("counts");
    let reference = ["q", "p"].into_iter().find(|role| case.input_name(role) == "reference");
    let mut table = vec![column("count", case.input(counts))];
    table.extend(reference.map(|role| column("reference", case.input(role))));
    let text = csv(&table);
    let of = |spec: &str, part: &str| ask("counts.csv", &text, &[], spec, part);
    Some(match case.metric() {
        "richness_group" => {
            let mut found = json!({
                "observed": of("occurrences", "observed"),
                "singles": of("occurrences", "once"),
                "doubles": of("occurrences", "twice"),
                "goods_coverage": of("sample-coverage", ""),
                "robbins": of("missing-mass", ""),
            });
            // scikit-bio finds no modes where nothing was observed; ours is an error.
            if !case.input_name("counts").starts_with("empty") {
                found["chao1_bias_corrected"] = of("chao1", "");
                found["chao1"] = of("chao1:form=classic", "");
            }
            if found["singles"] != found["observed"] {
                found["ace"] = of("ace", "");
            }
            found
        }
        "missing_mass" => json!({
            "good_turing": of("missing-mass", ""),
            "chao_jost": of("missing-mass:by=chao-jost", ""),
        }),
        "kl_to_reference" => of("kl-to-reference", ""),
        "kl_to_reference_reverse" => of("kl-to-reference:direction=reference", ""),
        "kl_additive_smoothing" => {
            let alpha = case.param("alpha");
            of(&format!("kl-to-reference:direction=reference:smoothing=additive:alpha={alpha}"), "")
        }
        "js_distance" => of("js-to-reference", ""),
        "tail_mass" => {
            let spec = format!("tail-mass:ties=in-order:fraction={}", case.param("fraction"));
            json!({
                "tail_modes": of(&spec, "categories"),
                "reference_tail_mass": of(&spec, "reference"),
                "observed_tail_mass": of(&spec, "observed"),
            })
        }
        "hill_ratio" => {
            let reference = csv(&[column("count", case.input("den"))]);
            let of = |q: u32| ask_two("counts.csv", &text, &reference, &format!("hill-ratio:q={q}"), "");
            json!({"0": of(0), "1": of(1), "2": of(2)})
        }
        other => panic!("{other}"),
    })
}

pub(in super::super) fn label_noise(case: &Case<'_>) -> Option<Value> {
    let word = |name: &str| case.param(name).as_str().unwrap_or_default();
    if case.metric() == "aum" || case.metric() == "forgetting" {
        let epochs: Vec<Vec<Vec<Value>>> = list(case.input("logits")).iter().map(rows).collect();
        let text = jsonl(list(case.input("y")).iter().enumerate().map(|(item, label)| {
            let logits: Vec<&Vec<Value>> = epochs.iter().map(|epoch| &epoch[item]).collect();
            json!({"logits": logits, "label": label})
        }));
        let of = |spec: &str, part: &str| ask("epochs.jsonl", &text, &[], spec, part);
        return Some(match case.metric() {
            "aum" => of("area-under-margin", ""),
            _ => json!({
                "forgetting_events": of("forgetting", "events"),
                "never_learned": of("forgetting", "never learnt"),
            }),
        });
    }
    let mut table = columns("p", case.input("pred_probs"));
    let crowd = !case.input_name("ratings").is_empty();
    if crowd {
        table.extend(columns("annotator", case.input("ratings")));
    } else {
        table.push(column("label", case.input("labels")));
    }
    let of = |spec: &str, part: &str| ask("labelled.csv", csv(&table), &[], spec, part);
    // Names of classes are whole numbers here.
    let classes = |found: Value| -> Value {
        let number = |name: &Value| name.as_str().unwrap().parse::<u32>().unwrap();
        found.as_array().unwrap().iter().map(number).collect()
    };
    Some(match case.metric() {
        "confident_thresholds" => of("confident-thresholds", ""),
        "confident_joint" if case.param("calibrate").as_bool()? => of("confident-joint:calibrate=yes", ""),
        "confident_joint" => of("confident-joint", ""),
        "estimate_joint" => of("joint", ""),
        "latent" => json!({
            "py": of("latent", "prior"),
            "noise_matrix": of("latent", "noise matrix"),
            "inverse_noise_matrix": of("latent", "inverse noise matrix"),
        }),
        "label_quality_scores" => {
            let score = match word("method") {
                "normalized_margin" => "normalised-margin",
                "confidence_weighted_entropy" => "weighted-entropy",
                _ => "self-confidence",
            };
            let adjust =
                if case.param("adjust_pred_probs").as_bool() == Some(true) { "thresholds" } else { "none" };
            let mut found = of(&format!("label-quality:score={score}:adjust={adjust}"), "per item");
            found.as_array_mut()?.truncate(case.param("first").as_u64()? as usize);
            found
        }
        "find_label_issues_indices" => {
            let filter = match word("filter_by") {
                "prune_by_class" => "class",
                "both" => "both",
                "confident_learning" => "confident",
                "predicted_neq_given" => "predicted",
                "low_normalized_margin" => "low-margin",
                "low_self_confidence" => "low-self-confidence",
                _ => "noise-rate",
            };
            of(&format!("suspects:filter={filter}"), "rows")
        }
        "num_label_issues" if word("estimation_method") == "off_diagonal" => of("issue-count", ""),
        "num_label_issues" => of("issue-count:by=calibrated", ""),
        "majority_vote_tiebreak" => classes(of("majority-with-model", "labels")),
        // cleanlab counts the votes on an item at the rank of the class among those voted for, not at the class.
        "multiannotator_consensus" if word("quality_method") == "agreement" => return None,
        "multiannotator_consensus" => json!({
            "consensus": classes(of("crowd-labels", "labels")),
            "consensus_quality": of("crowd-labels", "quality"),
            "annotator_quality": of("crowd-labels", "annotators"),
        }),
        other => panic!("{other}"),
    })
}

pub(in super::super) fn calibration(case: &Case<'_>) -> Option<Value> {
    // A file without rows is refused; and netcal takes one label for a binary one.
    if case.metric() == "ece_empty" || case.metric() == "ece_single_sample" {
        return None;
    }
    let binary = !case.input_name("p").is_empty();
    let (name, scored) = if binary {
        ("p", vec![column("p", case.input("p"))])
    } else if case.input_name("logits").is_empty() {
        ("probs", columns("p", case.input("probs")))
    } else {
        ("logits", columns("logit", case.input("logits")))
    };
    let mut table = scored.clone();
    table.push(column("label", case.input("y")));
    let text = csv(&table);
    let of = |spec: &str, part: &str| ask("scored.csv", &text, &[], spec, part);
    let bins = case.param("bins").as_u64().unwrap_or(15);
    // netcal judges P(y = 1) alone where at most two classes occur.
    let occurring: HashSet<String> = list(case.input("y")).iter().map(Value::to_string).collect();
    let netcal = if occurring.len() <= 2 && !binary { "of=positive" } else { "of=top-label" };
    Some(match (case.metric(), case.package()) {
        ("ece_mce_average_ce", _) => {
            let of = |norm: &str| of(&format!("ece:bins={bins}:edges=left-closed:norm={norm}:{netcal}"), "");
            json!({"ECE": of("l1"), "MCE": of("max"), "ACE": of("average")})
        }
        ("calibration_error_top_label", _) => {
            let of = |norm: &str| of(&format!("ece:bins={bins}:edges=left-closed-one-apart:norm={norm}"), "");
            json!({"l1": of("l1"), "l2": of("l2"), "max": of("max")})
        }
        ("ece_top_label", "uncertainty-calibration") => {
            of(&format!("ece:bins={bins}:edges=right-closed"), "")
        }
        ("ece_top_label", _) => {
            let edges = case.param("edges").as_str()?.replace('_', "-");
            of(&format!("ece:bins={bins}:edges={edges}"), "")
        }
        // netcal refuses cuts that coincide.
        ("ece_equal_mass", "netcal") if case.kind() == "behaviour" => return None,
        ("ece_equal_mass", "netcal") => of(&format!("ece:bins={bins}:by=mass:cut=quantiles:{netcal}"), ""),
        ("ece_equal_mass", "uncertainty-calibration") => {
            of(&format!("ece:bins={bins}:by=mass:cut=midpoints"), "")
        }
        ("ece_equal_mass", _) => of(&format!("ece:bins={bins}:by=mass:cut=ranks"), ""),
        ("marginal_ce_l2_debiased", _) => {
            let discrete = scored.iter().all(|(_, cells)| {
                let distinct: HashSet<String> = cells.iter().map(Value::to_string).collect();
                (distinct.len() as f64) < cells.len() as f64 / 4.0
            });
            let by = if discrete { "by=distinct" } else { "by=mass:bins=15:cut=midpoints" };
            of(&format!("ece:of=classwise:norm=l2-debiased:{by}"), "")
        }
        ("nll", _) => of("nll", ""),
        ("brier_multiclass", "scikit-learn") => of("brier:scale=half-if-binary", ""),
        ("brier_multiclass", _) => of("brier", ""),
        ("brier_binary", _) => of("binary-brier", ""),
        ("ece_binary_positive", package) => {
            let edges = if package == "torchmetrics" { "left-closed-one-apart" } else { "left-closed" };
            of(&format!("binary-ece:bins={bins}:edges={edges}"), "")
        }
        ("brier_murphy_decomposition", _) => {
            let of = |part: &str| of(&format!("murphy:bins={bins}:edges=left-closed"), part);
            json!({
                "reliability": of("reliability"),
                "resolution": of("resolution"),
                "uncertainty": of("uncertainty"),
                "within_bin_variance": of("within-bin variance"),
                "within_bin_covariance": of("within-bin covariance"),
                "brier": of("brier"),
            })
        }
        ("temperature_scaling", _) => {
            assert_eq!(name, "logits");
            json!({"T": of("temperature", ""), "nll": of("temperature", "nll"), "nll_T1": of("temperature", "nll before")})
        }
        other => panic!("{other:?}"),
    })
}
