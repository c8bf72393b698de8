//! Votes and answers.

use super::super::golden::Case;
use super::{ask, column, columns, csv, jsonl, list, numbers, rows};
use serde_json::{Value, json};

pub(in super::super) fn agreement(case: &Case<'_>) -> Option<Value> {
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
    let wide = if case.input_name("table").is_empty() {
        let input = if case.input_name("a").is_empty() { case.input("ratings") } else { case.input("a") };
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

pub(in super::super) fn truth(case: &Case<'_>) -> Option<Value> {
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

pub(in super::super) fn ensemble(case: &Case<'_>) -> Option<Value> {
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
    let numbers_of = !case.input_name("t").is_empty();
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
