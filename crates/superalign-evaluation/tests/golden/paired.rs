//! Paired statistics, against scipy and statsmodels.

use serde_json::Value;
use std::cell::Cell;
use std::path::Path;
use superalign_core::Seed;
use superalign_evaluation::paired::{
    Adjustment, Alternative, BootstrapInterval, McNemar, Patterns, Power, Reference, ShareInterval, SignFlip,
    SmallSample, Table, adjusted, difference, mcnemar, mean, mean_estimate, paired_items, share, share_items,
    sign_flip, statistic_estimate,
};
use superalign_evaluation::{Bootstrap, Estimate, EvaluationError};

fn number(case: &Value, key: &str) -> f64 {
    case[key].as_f64().unwrap_or_else(|| panic!("no number {key}: {case}"))
}

fn numbers(value: &Value) -> Vec<f64> {
    match value.as_array() {
        Some(list) => list.iter().map(|number| number.as_f64().unwrap()).collect(),
        None => vec![value.as_f64().unwrap()],
    }
}

fn alternative(case: &Value) -> Alternative {
    match case["alternative"].as_str().unwrap() {
        "two-sided" => Alternative::TwoSided,
        "greater" => Alternative::Greater,
        "less" => Alternative::Less,
        other => panic!("{other}"),
    }
}

fn correction(case: &Value) -> SmallSample {
    match case["correction"].as_str() {
        Some("groups") => SmallSample::Groups,
        Some("none") => SmallSample::None,
        _ => SmallSample::Miller,
    }
}

fn interval(case: &Value) -> BootstrapInterval {
    if case["interval"] == "bca" { BootstrapInterval::Bca } else { BootstrapInterval::Percentile }
}

fn power(case: &Value) -> Power {
    let alternative =
        if case["sides"].as_u64() == Some(2) { Alternative::TwoSided } else { Alternative::Greater };
    Power { error: number(case, "error"), power: number(case, "power"), alternative }
}

fn ends(found: &Estimate) -> Vec<f64> {
    vec![found.lo, found.hi]
}

/// The interval that scipy made of its own draws: a statistic that answers with them, in their order.
fn of_draws(case: &Value) -> Result<Vec<f64>, EvaluationError> {
    let (draws, without) = (numbers(&case["draws"]), numbers(&case["without"]));
    let next = Cell::new(0);
    let statistic = |counts: &[u32]| {
        let call = next.replace(next.get() + 1);
        Ok(match call {
            0 => number(case, "value"),
            n if n <= draws.len() => draws[n - 1],
            _ => without[counts.iter().position(|&count| count == 0).unwrap()],
        })
    };
    let by = Bootstrap { draws: draws.len(), level: number(case, "level"), seed: Seed::new(1) };
    statistic_estimate("replayed", without.len(), None, interval(case), &by, statistic)
        .map(|found| ends(&found))
}

fn found(case: &Value) -> Result<Vec<f64>, EvaluationError> {
    let count = |key: &str| case[key].as_u64().unwrap();
    let scores = || numbers(&case["scores"]);
    let groups: Option<Vec<u32>> =
        case.get("groups").map(|labels| numbers(labels).iter().map(|&label| label as u32).collect());
    let both = || (numbers(&case["first"]), numbers(&case["second"]));
    Ok(match case["function"].as_str().unwrap() {
        "share" => {
            let wilson = case["interval"] == "wilson";
            let interval = if wilson { ShareInterval::Wilson } else { ShareInterval::ClopperPearson };
            ends(&share(count("successes"), count("trials"), interval, number(case, "level"))?)
        }
        "mean" => {
            let found = mean(&scores(), groups.as_deref(), correction(case))?;
            vec![found.value, found.standard_error]
        }
        "t" => {
            let found = mean(&scores(), None, SmallSample::Miller)?;
            vec![found.p_value(number(case, "null"), alternative(case), Reference::StudentT)?]
        }
        "t-interval" => {
            let found = mean(&scores(), None, SmallSample::Miller)?;
            ends(&found.interval(number(case, "level"), Reference::StudentT)?)
        }
        "paired-t" => {
            let (first, second) = both();
            let found = difference(&first, &second, None, SmallSample::Miller)?;
            vec![found.p_value(0.0, alternative(case), Reference::StudentT)?]
        }
        "mcnemar" => {
            let test = match case["test"].as_str().unwrap() {
                "exact" => McNemar::Exact,
                "mid-p" => McNemar::MidP,
                "chi-squared" => McNemar::ChiSquared,
                _ => McNemar::Corrected,
            };
            let (first_only, second_only) = (count("first_only"), count("second_only"));
            let found = mcnemar(&Table { both: 7, first_only, second_only, neither: 3 }, test)?;
            vec![found.statistic, found.p_value]
        }
        "sign-flip" => {
            let (first, second) = both();
            let by = SignFlip { draws: 200_000, seed: Seed::new(4), alternative: alternative(case) };
            let found = sign_flip(&first, &second, None, &by)?;
            let drawn = case["package"].as_str().unwrap().ends_with("drawn");
            assert_eq!(found.patterns, if drawn { Patterns::Drawn(200_000) } else { Patterns::All });
            vec![found.difference, found.p_value]
        }
        "adjusted" => {
            let holm = case["adjustment"] == "holm";
            let adjustment = if holm { Adjustment::Holm } else { Adjustment::BenjaminiHochberg };
            adjusted(&numbers(&case["p_values"]), adjustment)?
        }
        "paired-items" => {
            let (difference, discordance) = (number(case, "difference"), number(case, "discordance"));
            vec![paired_items(difference, discordance, &power(case))? as f64]
        }
        "share-items" => {
            vec![share_items(number(case, "null"), number(case, "share"), &power(case))? as f64]
        }
        "draws" => of_draws(case)?,
        "bootstrap" => {
            let by = Bootstrap { draws: 200_000, ..Bootstrap::new(Seed::new(3)) };
            ends(&mean_estimate(&scores(), None, interval(case), &by)?)
        }
        other => panic!("no such function: {other}"),
    })
}

#[test]
fn every_case() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/data/paired.json");
    let json: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = json["cases"].as_array().unwrap();
    let mut faults = Vec::new();
    for case in cases {
        let found = found(case).unwrap_or_else(|error| panic!("{error}: {case}"));
        // Numbers of items are rounded up; the package's are not.
        let items = case["function"].as_str().unwrap().ends_with("items");
        let expected = numbers(&case["expected"]).into_iter();
        let expected: Vec<f64> = expected.map(|n| if items { n.ceil() } else { n }).collect();
        let near = |(found, expected): (&f64, &f64)| {
            (found - expected).abs() <= number(case, "tol") * expected.abs().max(1.0)
        };
        if found.len() != expected.len() || !found.iter().zip(&expected).all(near) {
            faults.push(format!("found {found:?}, expected {case}"));
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), cases.len(), faults.join("\n"));
    assert_eq!(cases.len(), 168);
}
