//! How each golden case is written as a file, and how the command is asked for its value.

use super::golden::Case;
use super::{Folder, json, value};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::fmt::Write as _;

/// The rows of a table.
fn rows(json: &Value) -> Vec<Vec<Value>> {
    json.as_array().unwrap().iter().map(|row| row.as_array().unwrap().clone()).collect()
}

fn list(json: &Value) -> Vec<Value> {
    json.as_array().unwrap().clone()
}

fn numbers(json: &Value) -> Vec<f64> {
    json.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// A CSV of columns with names; null is an empty cell.
fn csv(columns: &[(String, Vec<Value>)]) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let mut text = names.join(",") + "\n";
    for row in 0..columns.first().map_or(0, |(_, cells)| cells.len()) {
        let cells: Vec<String> = columns
            .iter()
            .map(|(_, cells)| match &cells[row] {
                Value::Null => String::new(),
                Value::String(text) => format!("\"{text}\""),
                other => other.to_string(),
            })
            .collect();
        text += &(cells.join(",") + "\n");
    }
    text
}

/// The columns of a table, under a name and their number; what a short row lacks is null.
fn columns(name: &str, table: &Value) -> Vec<(String, Vec<Value>)> {
    let rows = rows(table);
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &Vec<Value>, j: usize| row.get(j).cloned().unwrap_or(Value::Null);
    (0..width).map(|j| (format!("{name}{j}"), rows.iter().map(|row| cell(row, j)).collect())).collect()
}

fn column(name: &str, cells: &Value) -> (String, Vec<Value>) {
    (name.to_owned(), list(cells))
}

/// An NPY file of double precision.
fn npy(table: &Value) -> Vec<u8> {
    let rows = rows(table);
    let (n, d) = (rows.len(), rows.first().map_or(0, Vec::len));
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({n}, {d}), }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    rows.iter().flatten().for_each(|x| bytes.extend(x.as_f64().unwrap().to_le_bytes()));
    bytes
}

/// JSONL of objects.
fn jsonl(objects: impl IntoIterator<Item = Value>) -> String {
    objects.into_iter().fold(String::new(), |mut text, object| {
        _ = writeln!(text, "{object}");
        text
    })
}

/// Measures a file, and gives the value of each metric that was asked for.
fn ask(name: &str, content: impl AsRef<[u8]>, more: &[&str], spec: &str, part: &str) -> Value {
    let folder = Folder::new();
    let path = folder.write(name, content);
    let arguments: Vec<&str> =
        [path.as_str(), "--metrics", spec].into_iter().chain(more.iter().copied()).collect();
    value(&json(&arguments), spec.split(':').next().unwrap(), part)
}

/// As [`ask`], with a reference file of the same kind.
fn ask_two(
    name: &str,
    content: impl AsRef<[u8]>,
    reference: impl AsRef<[u8]>,
    spec: &str,
    part: &str,
) -> Value {
    let folder = Folder::new();
    let path = folder.write(name, content);
    let other = folder.write(&format!("reference-{name}"), reference);
    let found = json(&[&path, "--reference", &other, "--metrics", spec]);
    value(&found, spec.split(':').next().unwrap(), part)
}

pub(super) fn agreement(case: &Case<'_>) -> Option<Value> {
    // One label: irrCAC and evalica call it perfect agreement; ours says that the coefficient does not exist.
    if case.input_name("ratings") == "single_class" && ["irrCAC", "evalica"].contains(&case.package()) {
        return None;
    }
    let weights = case.param("weights").as_str().unwrap_or("identity");
    let spacing = if case.package() == "irrCAC" { "value" } else { "index" };
    let irr = format!("weights={weights}:spacing={spacing}:lone-votes=by-chance");
    let spec = match case.metric() {
        "krippendorff_alpha" if case.package() == "irrCAC" => {
            format!("krippendorff-alpha:weights={weights}:spacing=value")
        }
        "krippendorff_alpha" => format!("krippendorff-alpha:level={}", case.param("level").as_str()?),
        "gwet_ac1" => "gwet-ac1:lone-votes=by-chance".to_owned(),
        "gwet_ac2" => format!("gwet-ac2:{irr}"),
        "fleiss_kappa_missing_ok" => format!("fleiss-kappa:{irr}"),
        "brennan_prediger" => format!("brennan-prediger:{irr}"),
        "fleiss_kappa" => "fleiss-kappa:raters=equal".to_owned(),
        "randolph_kappa" => {
            format!("brennan-prediger:categories=0..{}", case.param("n_categories").as_i64()? - 1)
        }
        "cohen_kappa" | "cohen_kappa_std" => format!("cohen-kappa:weights={weights}:spacing=index:a=r0:b=r1"),
        other => panic!("{other}"),
    };
    let wide = if case.input_name("table") == "" {
        let input = if case.input_name("a") == "" { case.input("ratings") } else { case.input("a") };
        columns("r", input)
    } else {
        // A table of how many annotators chose each category: as many votes.
        let votes: Vec<Vec<Value>> = rows(case.input("table"))
            .iter()
            .map(|counts| {
                let labels = counts.iter().enumerate();
                labels.flat_map(|(label, n)| vec![json!(label); n.as_u64().unwrap() as usize]).collect()
            })
            .collect();
        columns("r", &json!(votes))
    };
    let of = |file: &str, text: &str, part: &str| ask(file, text, &[], &spec, part);
    let metric = |file: &str, text: &str| match case.package() {
        "irrCAC" => {
            let (found, observed) = (of(file, text, ""), of(file, text, "observed"));
            if found == "error" {
                return json!({"coefficient_value": "error", "pa": "error"});
            }
            let expected = of(file, text, "expected");
            let mut all = json!({"coefficient_value": found, "pa": observed, "pe": expected});
            if ["full", "missing"].contains(&case.input_name("ratings")) {
                all["se"] = of(file, text, "standard-error");
            }
            all
        }
        "statsmodels" if case.metric() == "cohen_kappa_std" => json!({
            "kappa": of(file, text, ""),
            "std_kappa": of(file, text, "standard-error"),
            "std_kappa0": of(file, text, "null-standard-error"),
        }),
        _ => of(file, text, ""),
    };
    let found = metric("wide.csv", &csv(&wide));
    // One vote a row says the same; items without votes are not in such a file.
    let long = wide.iter().flat_map(|(annotator, cells)| {
        let votes = cells.iter().enumerate().filter(|(_, label)| !label.is_null());
        votes.map(move |(item, label)| json!({"item": item, "annotator": annotator, "label": label}))
    });
    if wide.len() > 1 {
        assert_eq!(metric("long.jsonl", &jsonl(long)).to_string(), found.to_string(), "{}", case.metric());
    }
    Some(found)
}

pub(super) fn truth(case: &Case<'_>) -> Option<Value> {
    // A file without rows is refused.
    if case.input_name("votes") == "empty" {
        return None;
    }
    let names = ["task", "worker", "label"];
    let mut votes = columns("", case.input("votes"));
    votes.iter_mut().zip(names).for_each(|((name, _), wanted)| *name = wanted.to_owned());
    let iterations = case.param("n_iter").as_u64().unwrap_or(1000);
    let search = match case.param("tol").as_f64() {
        Some(tolerance) => format!("iterations={iterations}:tolerance={tolerance}:stop=crowd-kit"),
        None => format!("iterations={iterations}:tolerance=0"),
    };
    let spec = match case.metric() {
        "majority_vote" => "majority-vote".to_owned(),
        "wawa" => "wawa".to_owned(),
        "zero_based_skill" => format!("zero-based-skill:iterations={iterations}"),
        "dawid_skene" => format!("dawid-skene:prior=crowd-kit:{search}"),
        "one_coin_dawid_skene" => format!("one-coin:prior=crowd-kit:{search}"),
        // No `tol` here means crowd-kit's own.
        "glad" => format!("glad:sweeps=500:stop=crowd-kit:tolerance=1e-5:iterations={iterations}"),
        "mace" => "mace".to_owned(),
        other => panic!("{other}"),
    };
    let of = |part: &str| ask("votes.csv", csv(&votes), &[], &spec, part);
    let labels: Value = of("labels")
        .as_array()?
        .iter()
        .map(|name| name.as_str()?.parse::<i64>().ok())
        .collect::<Option<Vec<_>>>()?
        .into();
    let mut found = json!({"labels": labels});
    // The restarts of MACE are drawn by NumPy.
    if case.metric() != "mace" {
        found["probas"] = of("posterior");
    }
    match case.metric() {
        "majority_vote" | "wawa" | "zero_based_skill" => found["skills"] = of("skill"),
        "one_coin_dawid_skene" => found["skills"] = of("accuracy"),
        "dawid_skene" if !case.expected()["priors"].is_null() => found["priors"] = of("class prior"),
        _ => {}
    }
    // The file has no labels of the two that weight the votes.
    for key in ["labels", "skills"] {
        if case.expected()[key].is_null() {
            found.as_object_mut()?.remove(key);
        }
    }
    Some(found)
}

pub(super) fn label_diversity(case: &Case<'_>) -> Option<Value> {
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

pub(super) fn collapse(case: &Case<'_>) -> Option<Value> {
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

pub(super) fn ensemble(case: &Case<'_>) -> Option<Value> {
    if case.metric() == "kl_ambiguity_decomposition" {
        let (members, labels) = (list(case.input("P")), list(case.input("y")));
        let text = jsonl(members.iter().zip(&labels).map(|(m, y)| json!({"members": m, "label": y})));
        let of = |part: &str| ask("members.jsonl", &text, &[], "kl-ambiguity", part);
        return Some(json!({
            "avg_nll": of("mean nll"),
            "nll_of_arith_mean": of("nll of the arithmetic mean"),
            "nll_of_geo_mean": of("nll of the geometric mean"),
            "kl_ambiguity": of("ambiguity"),
        }));
    }
    let numbers_of = case.input_name("t") != "";
    let (gold, given) = if numbers_of { ("t", "f") } else { ("y", "preds") };
    let mut table = columns("source", case.input(given));
    table.push(column("gold", case.input(gold)));
    let of = |spec: &str, part: &str| ask("answers.csv", csv(&table), &[], spec, part);
    let pairs = |spec: &str| {
        let found = of(spec, "pairs");
        // DESlib writes the largest number for an infinite ratio, of which the file keeps twelve digits.
        let number = |x: &Value| if *x == "Infinity" { json!(1.79769313486e308) } else { x.clone() };
        found.as_array().map_or(found.clone(), |rows| {
            rows.iter().map(|row| json!([row[0], row[1], number(&row[2])])).collect()
        })
    };
    let raised = case.expected().is_null();
    Some(match case.metric() {
        // DESlib raises where the first pair is undefined; of two sources that is the only one.
        "Q_statistic" if raised => of("q-statistic", ""),
        "Q_statistic" => pairs("q-statistic"),
        "double_fault" => pairs("double-fault"),
        "disagreement_measure" => pairs("disagreement"),
        "agreement_measure" => pairs("agreement-of-outcomes"),
        "correlation_coefficient" => pairs("outcome-correlation"),
        // Without an error there is no ratio; DESlib calls it infinite.
        "ratio_errors" if case.input_name("preds") == "preds_all_correct" => return None,
        "ratio_errors" => pairs("error-ratio"),
        "kohavi_wolpert_variance" => of("kohavi-wolpert", ""),
        "generalised_diversity" => of("generalised-diversity", ""),
        "interrater_kappa_ensemble" => of("interrater-kappa", ""),
        "ambiguity_decomposition" => {
            let weights = match case.param("w").as_str() {
                Some("uniform") => "uniform".to_owned(),
                _ => numbers(case.input("w")).iter().map(f64::to_string).collect::<Vec<_>>().join("+"),
            };
            let spec = format!("ambiguity:weights={weights}");
            json!({
                "ens_err": of(&spec, "error of the mean"),
                "avg_err": of(&spec, "mean error"),
                "ambiguity": of(&spec, "ambiguity"),
            })
        }
        "error_correlation" => of("error-correlation", ""),
        other => panic!("{other}"),
    })
}

pub(super) fn label_noise(case: &Case<'_>) -> Option<Value> {
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
    let crowd = case.input_name("ratings") != "";
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

pub(super) fn calibration(case: &Case<'_>) -> Option<Value> {
    // A file without rows is refused; and netcal takes one label for a binary one.
    if case.metric() == "ece_empty" || case.metric() == "ece_single_sample" {
        return None;
    }
    let binary = case.input_name("p") != "";
    let (name, scored) = if binary {
        ("p", vec![column("p", case.input("p"))])
    } else if case.input_name("logits") == "" {
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

pub(super) fn text(case: &Case<'_>) -> Option<Value> {
    let input =
        ["texts", "text", "target"].into_iter().map(|role| case.input(role)).find(|input| !input.is_null());
    // One text against two references: a matter for the library.
    let input = list(input?);
    let text = jsonl(input.iter().map(|text| json!({"text": text})));
    let of = |spec: &str, part: &str| ask("texts.jsonl", &text, &[], spec, part);
    let by_order = |name: &str, most: usize| -> Value {
        (1..=most)
            .map(|n| (n.to_string(), of(&format!("{name}:n={n}"), "")))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    Some(match case.metric() {
        "distinct_n_corpus" => by_order("distinct-n", 4),
        "distinct_n_mean_per_text" => by_order("mean-distinct-n", 2),
        "ngram_entropy_nats" => by_order("ngram-entropy", 3),
        "ngram_diversity_sum_1_4" => of("distinct-sum:n=4:tokens=spaces:boundary=across", ""),
        "self_repetition" => of("self-repetition", ""),
        // The package compresses twice, and with a time stamp.
        "compression_ratio_gzip" => return None,
        "compression_ratio_zlib" => {
            let mut found = json!({});
            for (name, level) in [("level6", 6), ("level9", 9)] {
                if !case.expected()[name].is_null() {
                    let spec = format!("compression-ratio:level={level}");
                    found[name] = json!({
                        "original": of(&spec, "original"),
                        "compressed": of(&spec, "compressed"),
                        "ratio": of(&spec, ""),
                    });
                }
            }
            found
        }
        // Where no pair has anything in common, or there is no pair, the package says 1, or divides by 0.
        "homogenization_rougeL" if case.kind() == "behaviour" => return None,
        "homogenization_rougeL" => of("homogenisation", ""),
        "self_bleu" => {
            let (n, smoothing) = (case.param("n"), case.param("smoothing").as_str()?);
            let long =
                if case.param("effective_order").as_bool() == Some(true) { "left-out" } else { "missed" };
            let spec = format!("self-bleu:n={n}:smoothing={smoothing}:long-orders={long}");
            let mean = of(&spec, "");
            match case.package() {
                "nltk" if !case.expected()["per_text"].is_null() => {
                    json!({"mean": mean, "per_text": of(&spec, "per text")})
                }
                "nltk" => json!({ "mean": mean }),
                "sacrebleu" => json!(100.0 * mean.as_f64()?),
                _ => mean,
            }
        }
        "rouge_pair_0_1" => {
            let of = |form: &str| {
                let of = |part: &str| of(&format!("rouge:{form}"), part);
                json!([of("precision"), of("recall"), of("f1")])
            };
            json!({"rougeL": of("form=l"), "rouge1": of("form=n:n=1"), "rouge2": of("form=n:n=2")})
        }
        "lexical_richness" => {
            let mut found = json!({
                "ttr": of("richness", ""),
                "rttr": of("richness:index=root", ""),
                "cttr": of("richness:index=corrected", ""),
                "herdan": of("richness:index=herdan", ""),
                "yulek": of("richness:index=yule-k", ""),
                "simpsond": of("richness:index=simpson-d", ""),
            });
            // The package divides by 0 without a token.
            if found["ttr"] == "error" {
                return None;
            }
            // It gives the number of tokens to a text without a factor.
            let mtld = of("mtld", "");
            if mtld != "error" {
                found["mtld"] = mtld;
            }
            if !case.expected()["hdd42"].is_null() {
                found["yulei"] = of("richness:index=yule-i", "");
                found["hdd42"] = of("hdd:draws=42", "");
                found["mattr25"] = of("mattr:window=25", "");
                found["msttr25"] = of("msttr:segment=25:last=never", "");
            }
            found
        }
        other => panic!("{other}"),
    })
}

pub(super) fn embedding(case: &Case<'_>) -> Option<Value> {
    let of = |spec: &str| ask("x.npy", npy(case.input("X")), &[], spec, "");
    let two = |mine: &str, other: &str, spec: &str, part: &str| {
        ask_two("x.npy", npy(case.input(mine)), npy(case.input(other)), spec, part)
    };
    let zero_row = case.input_name("X") == "with_zero_row";
    let histograms = |p: Vec<Value>, q: Vec<Value>, smoothing: &str| {
        let text = csv(&[("count".to_owned(), p), ("reference".to_owned(), q)]);
        let of = |part: &str| {
            let (scaling, points) = (
                case.param("scaling").as_f64().unwrap_or(5.0),
                case.param("curve_points").as_u64().unwrap_or(25),
            );
            let spec = format!("mauve:smoothing={smoothing}:scaling={scaling}:points={points}");
            ask("hist.csv", &text, &[], &spec, part)
        };
        json!({"mauve": of(""), "frontier_integral": of("frontier integral")})
    };
    Some(match case.metric() {
        // With a row of zeros the package takes the entropy of shares that sum to less than 1; ours do not.
        "vendi_score" if zero_row => return None,
        "vendi_score" => {
            let of = |q: u32| of(&format!("vendi:q={q}:zero-rows=zero"));
            json!({
                "score_X": of(1),
                "score_dual": of(1),
                // `score_X` ignores its q.
                "score_X_q2_actually_q1": of(1),
                "score_dual_q2": of(2),
            })
        }
        "vendi_score_order_q" => ["0.1", "0.5", "1", "2", "inf"]
            .into_iter()
            .map(|q| (q.to_owned(), of(&format!("vendi:q={q}:zero-rows=zero"))))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        "vendi_score_K" => {
            let q = case.param("q");
            let q = q.as_str().map_or_else(|| q.to_string(), str::to_owned);
            ask("k.npy", npy(case.input("K")), &[], &format!("vendi:kernel=given:q={q}"), "")
        }
        "intdiv_K" => ask("k.npy", npy(case.input("K")), &[], "internal-diversity", ""),
        // The package raises for want of an argument; and a file without rows is refused.
        "intdiv_X" | "vendi_empty" => return None,
        "mean_pairwise_cosine" => of("mean-cosine:zero-rows=zero"),
        "effective_rank" => {
            json!({"roy_vetterli": of("effective-rank"), "rankme": of("effective-rank:form=rankme")})
        }
        // Rows that are all alike have no covariance; the package finds the ratio of its own rounding.
        "participation_ratio_cov" if case.input_name("X") == "identical" => return None,
        "participation_ratio_cov" => of("participation-ratio"),
        "logdet_gram_plus_I" => of("log-det-plus-identity:zero-rows=zero"),
        "logdet_dpp" => {
            let x = rows(case.input("X"));
            let found = of(&format!("log-det:rows={}", x.len().min(x[0].len())));
            // The package says NaN for a row of zeros, and a determinant of sign 0 for dependent rows.
            if found != "error" {
                json!([1.0, found])
            } else if zero_row {
                json!([1.0, "error"])
            } else {
                json!([0.0, "-Infinity"])
            }
        }
        "prdc" | "prdc_k_too_large" => {
            let of = |part: &str| two("fake", "real", &format!("prdc:k={}", case.param("k")), part);
            if of("precision") == "error" {
                return Some(json!("error"));
            }
            json!({
                "precision": of("precision"), "recall": of("recall"),
                "density": of("density"), "coverage": of("coverage"),
            })
        }
        "mmd2_rbf" => {
            let of = |part: &str| two("x", "y", &format!("mmd2:gamma={}", case.param("gamma")), part);
            json!({"unbiased": of("unbiased"), "biased": of("biased")})
        }
        "frechet_distance" => two("x", "y", "frechet", ""),
        "median_heuristic_distance" => two("x", "y", "median-distance", ""),
        "mauve_from_histograms" | "mauve_identical" => {
            histograms(list(case.input("p")), list(case.input("q")), "none")
        }
        "mauve_star_from_histograms" => histograms(list(case.input("p")), list(case.input("q")), "add-half"),
        "mauve_disjoint" => histograms(list(case.param("p")), list(case.param("q")), "none"),
        other => panic!("{other}"),
    })
}

pub(super) fn preference(case: &Case<'_>) -> Option<Value> {
    // Votes by slot: 0 the first, 1 the second, -1 neither.
    let slots = |role: &str| -> Vec<Value> {
        let slot = |vote: &Value| match vote.as_i64() {
            Some(0) => json!("left"),
            Some(1) => json!("right"),
            _ => json!("tie"),
        };
        list(case.input(role)).iter().map(slot).collect()
    };
    let named = |name: &str, cells: Vec<Value>| (name.to_owned(), cells);
    match case.metric() {
        "position_bias" => {
            let text = csv(&[named("winner", slots("v1")), named("winner_swapped", slots("v2"))]);
            let of = |part: &str| ask("pairs.csv", &text, &[], "position-bias", part);
            return Some(json!({
                "consistency": of("consistency"),
                "always_first": of("always first"),
                "always_second": of("always second"),
                "first_rate": of("first rate"),
                "bias": of("bias"),
            }));
        }
        "length_bias" => {
            let won = list(case.input("a"));
            let won = won.iter().map(|a| if *a == 1 { json!("left") } else { json!("right") }).collect();
            let text = csv(&[
                column("length_left", case.input("len_a")),
                column("length_right", case.input("len_b")),
                named("winner", won),
            ]);
            let of = |part: &str| ask("pairs.csv", &text, &[], "length-bias", part);
            return Some(json!({
                "longer_preferred": of("longer preferred"),
                "pointbiserial_len_diff": of("point-biserial"),
                "spearman_len_diff": of("spearman"),
            }));
        }
        "judge_vote_agreement" => {
            let text = csv(&columns("judge", case.input("votes")));
            let of = |part: &str| ask("votes.csv", &text, &[], "judge-agreement", part);
            let pairs: Value =
                of("pairs").as_array()?.iter().map(|pair| json!([pair[0], pair[1], pair[3]])).collect();
            return Some(json!({
                "mean_pairwise": of("mean pairwise"),
                "unanimous": of("unanimous"),
                "tied_items": of("tied items"),
                "per_pair": pairs,
            }));
        }
        // It ranks losers first: a bug of the package, and no measure.
        "eigen" => return None,
        _ => {}
    }
    let comparisons = rows(case.input("comparisons"));
    let side = |row: &Vec<Value>| match row[2].as_i64() {
        Some(1) => json!("left"),
        Some(2) => json!("right"),
        _ => json!("tie"),
    };
    let text = csv(&[
        named("left", comparisons.iter().map(|row| row[0].clone()).collect()),
        named("right", comparisons.iter().map(|row| row[1].clone()).collect()),
        named("winner", comparisons.iter().map(side).collect()),
    ]);
    let of = |spec: &str, part: &str| ask("pairs.csv", &text, &[], spec, part);
    let mle = |spec: &str| of(spec, "");
    Some(match case.metric() {
        "counting" => json!({"scores": of("win-counts", "")}),
        "average_win_rate" => json!({"scores": of("win-rate", "")}),
        "elo" => json!({"scores": of("elo", "")}),
        "pagerank" => json!({"scores": of("pagerank", "")}),
        "bradley_terry" => match of("bradley-terry:scale=strength", "") {
            // An undefeated player, or players never compared: evalica stops at some number.
            error if error == "error" => return None,
            scores => json!({ "scores": scores }),
        },
        "newman" => {
            // evalica's scale is where its iteration ended: compare by its geometric mean.
            let strengths = of("davidson", "");
            let tie = of("davidson", "tie");
            if strengths == "error" || tie.as_f64()? == 0.0 {
                return None;
            }
            let theirs = numbers(&case.expected()["scores"]);
            let scale = theirs.iter().map(|score| score.ln()).sum::<f64>() / theirs.len() as f64;
            let scores: Vec<f64> = numbers(&strengths).iter().map(|theta| (theta + scale).exp()).collect();
            json!({"scores": scores, "v": tie})
        }
        "bradley_terry_mle_logits" => mle("bradley-terry:ties=dropped"),
        "bradley_terry_map_logits" => {
            mle(&format!("bradley-terry:ties=dropped:ridge={}", case.param("alpha")))
        }
        "cycle_rate" => {
            let rate = of("cycle-rate", "");
            if rate == "error" {
                json!({ "cycle_rate": rate })
            } else {
                json!({
                    "complete_triads": of("cycle-rate", "complete triads"),
                    "cyclic_triads": of("cycle-rate", "cyclic triads"),
                    "cycle_rate": rate,
                })
            }
        }
        other => panic!("{other}"),
    })
}
