//! Golden values of `calibration`.

use crate::support::{Case, Golden, numbers, table};
use ndarray::Array2;
use serde_json::{Value, json};
use std::collections::HashSet;
use superalign_signal::calibration::{
    Bins, BrierScale, Clip, Closed, Cut, Norm, Reliability, brier, brier_binary, classwise_error,
    fit_temperature, murphy, nll, reliability, top_label_reliability,
};

fn labels(case: &Case<'_>) -> Vec<u32> {
    numbers(case.input("y")).into_iter().map(|y| y as u32).collect()
}

/// P(y = 1) and whether y = 1.
fn binary(case: &Case<'_>) -> (Vec<f64>, Vec<bool>) {
    (numbers(case.input("p")), labels(case).into_iter().map(|y| y == 1).collect())
}

fn top(case: &Case<'_>, bins: Bins) -> Reliability {
    top_label_reliability(&labels(case), table(case.input("probs")).view(), bins).unwrap()
}

/// As [`top`], but where at most two classes occur netcal judges P(y = 1) alone.
fn netcal(case: &Case<'_>, bins: Bins) -> Reliability {
    let (labels, probs) = (labels(case), table(case.input("probs")));
    if labels.iter().collect::<HashSet<_>>().len() > 2 {
        return top(case, bins);
    }
    let hit: Vec<bool> = labels.into_iter().map(|y| y == 1).collect();
    reliability(&probs.column(1).to_vec(), &hit, bins).unwrap()
}

/// Whether uncertainty-calibration counts a table as discrete.
fn discrete(probs: &Array2<f64>) -> bool {
    probs.columns().into_iter().all(|column| {
        let distinct: HashSet<u64> = column.iter().map(|p| p.to_bits()).collect();
        (distinct.len() as f64) < column.len() as f64 / 4.0
    })
}

fn found(case: &Case<'_>) -> Option<Value> {
    let count = case.param("bins").as_u64().unwrap_or_default() as usize;
    let width = |closed| Bins::Width { count, closed };
    let mass = |cut| Bins::Mass { count, cut };
    Some(match (case.metric(), case.package()) {
        // There is no item, or an input that the file does not hold.
        ("ece_empty", _) => {
            let none = reliability(&[], &[], Bins::default()).is_err();
            none.then(|| json!("error"))?
        }
        // netcal takes one label for a binary one; ours has a value.
        ("ece_single_sample", _) => return None,
        ("ece_mce_average_ce", "netcal") => {
            let table = netcal(case, width(Closed::Left));
            json!({"ECE": table.error(Norm::L1), "MCE": table.error(Norm::Max), "ACE": table.error(Norm::Average)})
        }
        ("calibration_error_top_label", "torchmetrics") => {
            let table = top(case, width(Closed::LeftOneApart));
            json!({"l1": table.error(Norm::L1), "l2": table.error(Norm::L2), "max": table.error(Norm::Max)})
        }
        ("ece_top_label", "uncertainty-calibration") => {
            json!(top(case, width(Closed::Right)).error(Norm::L1))
        }
        ("ece_top_label", "reference") => {
            let closed = match case.param("edges").as_str()? {
                "left_closed" => Closed::Left,
                "right_closed" => Closed::Right,
                _ => return None,
            };
            json!(top(case, width(closed)).error(Norm::L1))
        }
        // netcal refuses cuts that coincide.
        ("ece_equal_mass", "netcal") if case.kind() == "behaviour" => return None,
        ("ece_equal_mass", "netcal") => json!(netcal(case, mass(Cut::Quantiles)).error(Norm::L1)),
        ("ece_equal_mass", "uncertainty-calibration") => {
            json!(top(case, mass(Cut::Midpoints)).error(Norm::L1))
        }
        ("ece_equal_mass", "reference") => json!(top(case, mass(Cut::Ranks)).error(Norm::L1)),
        ("marginal_ce_l2_debiased", _) => {
            let probs = table(case.input("probs"));
            let bins =
                if discrete(&probs) { Bins::Distinct } else { Bins::Mass { count: 15, cut: Cut::Midpoints } };
            json!(classwise_error(&labels(case), probs.view(), bins, Norm::L2Debiased).unwrap())
        }
        ("nll", _) => json!(nll(&labels(case), table(case.input("probs")).view(), Clip::default()).unwrap()),
        ("brier_multiclass", package) => {
            let scale = if package == "scikit-learn" { BrierScale::HalfIfBinary } else { BrierScale::Full };
            json!(brier(&labels(case), table(case.input("probs")).view(), scale).unwrap())
        }
        ("brier_binary", _) => {
            let (p, hit) = binary(case);
            json!(brier_binary(&p, &hit).unwrap())
        }
        ("ece_binary_positive", package) => {
            let (p, hit) = binary(case);
            let closed = if package == "torchmetrics" { Closed::LeftOneApart } else { Closed::Left };
            json!(reliability(&p, &hit, width(closed)).unwrap().error(Norm::L1))
        }
        ("brier_murphy_decomposition", _) => {
            let (p, hit) = binary(case);
            let parts = murphy(&p, &hit, width(Closed::Left)).unwrap();
            json!({
                "reliability": parts.reliability,
                "resolution": parts.resolution,
                "uncertainty": parts.uncertainty,
                "within_bin_variance": parts.within_bin_variance,
                "within_bin_covariance": parts.within_bin_covariance,
                "brier": parts.brier,
                "check": parts.reliability - parts.resolution + parts.uncertainty + parts.within_bin_variance
                    - parts.within_bin_covariance,
            })
        }
        ("temperature_scaling", _) => {
            let fit = fit_temperature(&labels(case), table(case.input("logits")).view()).unwrap();
            json!({"T": fit.temperature, "nll": fit.nll, "nll_T1": fit.nll_before})
        }
        _ => return None,
    })
}

#[test]
fn calibration() {
    assert_eq!(Golden::read("calibration.json").check(found), 62);
}
