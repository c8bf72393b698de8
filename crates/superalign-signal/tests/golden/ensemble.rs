//! Diversity of sources, against DESlib and the formulas themselves.

use crate::support::{Case, Golden, numbers, table};
use ndarray::{Array2, Array3};
use serde_json::{Value, json};
use superalign_signal::SignalError;
use superalign_signal::ensemble::{
    Outcomes, Overall, Pairwise, ambiguity, error_correlation, kl_ambiguity, overall, pairwise,
};
use superalign_signal::label_diversity::{MemberWeights, Unbounded};

fn outcomes(case: &Case<'_>) -> Outcomes {
    let truth: Vec<i64> = numbers(case.input("y")).iter().map(|&label| label as i64).collect();
    Outcomes::of_labels(&truth, table(case.input("preds")).mapv(|label| label as i64).view()).unwrap()
}

fn pairs(case: &Case<'_>, measure: Pairwise) -> Option<Value> {
    let found = pairwise(&outcomes(case), measure).unwrap().into_iter();
    let value = |value: Result<f64, SignalError>| match value {
        // DESlib writes the largest number for an infinite ratio, of which the file keeps twelve digits.
        Ok(f64::INFINITY) => json!(1.79769313486e308),
        Ok(value) => json!(value),
        Err(_) => json!("error"),
    };
    Some(found.map(|pair| json!([pair.first, pair.second, value(pair.value)])).collect())
}

fn all(case: &Case<'_>, measure: Overall) -> Option<Value> {
    Some(overall(&outcomes(case), measure).map_or_else(|_| "error".into(), Value::from))
}

#[test]
fn every_case() {
    let compared = Golden::read("ensemble_diversity.json").check(|case| {
        let raised = case.expected().is_null();
        match case.metric() {
            // DESlib raises where the first pair is undefined; of two sources that is the only one.
            "Q_statistic" if raised => {
                assert!(pairwise(&outcomes(case), Pairwise::QStatistic).unwrap()[0].value.is_err());
                Some("error".into())
            }
            "Q_statistic" => pairs(case, Pairwise::QStatistic),
            "double_fault" => pairs(case, Pairwise::DoubleFault),
            "disagreement_measure" => pairs(case, Pairwise::Disagreement),
            "agreement_measure" => pairs(case, Pairwise::Agreement),
            "correlation_coefficient" => pairs(case, Pairwise::Correlation),
            // Without an error there is no ratio; DESlib calls it infinite.
            "ratio_errors" if case.input_name("preds") == "preds_all_correct" => {
                assert!(
                    pairwise(&outcomes(case), Pairwise::ErrorRatio(Unbounded::Infinite)).unwrap()[0]
                        .value
                        .is_err()
                );
                None
            }
            "ratio_errors" => pairs(case, Pairwise::ErrorRatio(Unbounded::Infinite)),
            "kohavi_wolpert_variance" => all(case, Overall::KohaviWolpert),
            "generalised_diversity" => all(case, Overall::GeneralisedDiversity),
            "interrater_kappa_ensemble" => all(case, Overall::InterraterKappa),
            "ambiguity_decomposition" => {
                let weights = (case.param("w") != "uniform").then(|| numbers(case.input("w")));
                let weights = weights.as_deref().map_or(MemberWeights::Uniform, MemberWeights::Given);
                let found =
                    ambiguity(&numbers(case.input("t")), table(case.input("f")).view(), weights).unwrap();
                Some(json!({"ens_err": found.ensemble, "avg_err": found.mean, "ambiguity": found.ambiguity}))
            }
            "error_correlation" => {
                let found =
                    error_correlation(&numbers(case.input("t")), table(case.input("f")).view()).unwrap();
                Some(found.rows().into_iter().map(|row| json!(row.to_vec())).collect())
            }
            "kl_ambiguity_decomposition" => {
                let items: Vec<Array2<f64>> = case.input("P").as_array().unwrap().iter().map(table).collect();
                let shape = (items.len(), items[0].nrows(), items[0].ncols());
                let members =
                    Array3::from_shape_fn(shape, |(item, member, class)| items[item][[member, class]]);
                let labels: Vec<u32> = numbers(case.input("y")).iter().map(|&label| label as u32).collect();
                let found = kl_ambiguity(members.view(), &labels).unwrap();
                Some(json!({
                    "avg_nll": found.mean,
                    "nll_of_arith_mean": found.arithmetic,
                    "nll_of_geo_mean": found.geometric,
                    "kl_ambiguity": found.ambiguity,
                }))
            }
            other => panic!("no such metric: {other}"),
        }
    });
    assert_eq!(compared, 30);
}
