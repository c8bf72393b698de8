//! Preferences, against scipy and the formulas themselves.

use crate::support::{Case, Golden, numbers, table, written};
use serde_json::{Value, json};
use superalign_signal::Votes;
use superalign_signal::preference::{
    Chance, Comparison, Preferred, cycle_rate, cycles, judge_agreement, judge_pairs, length_bias,
    position_bias,
};

/// The comparisons, and the number of players.
fn comparisons(case: &Case<'_>) -> (Vec<Comparison>, usize) {
    let list: Vec<Comparison> = table(case.input("comparisons"))
        .rows()
        .into_iter()
        .map(|row| Comparison {
            first: row[0] as u32,
            second: row[1] as u32,
            preferred: match row[2] as u32 {
                1 => Preferred::First,
                2 => Preferred::Second,
                _ => Preferred::Tie,
            },
        })
        .collect();
    let last = list.iter().map(|comparison| comparison.first.max(comparison.second)).max().unwrap();
    (list, last as usize + 1)
}

fn slots(json: &Value) -> Vec<Preferred> {
    let slot = |vote: f64| match vote as i64 {
        0 => Preferred::First,
        1 => Preferred::Second,
        _ => Preferred::Tie,
    };
    numbers(json).into_iter().map(slot).collect()
}

fn bits(json: &Value) -> Vec<bool> {
    numbers(json).iter().map(|&bit| bit == 1.0).collect()
}

#[test]
fn every_case() {
    let compared = Golden::read("preference.json").check(|case| {
        let list = || comparisons(case);
        match case.metric() {
            "cycle_rate" => {
                let (list, players) = list();
                let found = cycles(&list, players).unwrap();
                Some(json!({
                    "complete_triads": found.complete,
                    "cyclic_triads": found.cyclic,
                    "cycle_rate": written(cycle_rate(&list, players)),
                }))
            }
            "position_bias" => {
                let found = position_bias(&slots(case.input("v1")), &slots(case.input("v2"))).unwrap();
                Some(json!({
                    "n": found.pairs,
                    "consistency": found.consistency,
                    "always_first": found.always_first,
                    "always_second": found.always_second,
                    "first_rate": found.first_rate,
                    "bias": found.bias,
                }))
            }
            "length_bias" => {
                let (a, b) = (numbers(case.input("len_a")), numbers(case.input("len_b")));
                let found = length_bias(&a, &b, &bits(case.input("a"))).unwrap();
                Some(json!({
                    "longer_preferred": found.longer_preferred,
                    "pointbiserial_len_diff": found.point_biserial,
                    "spearman_len_diff": found.spearman,
                }))
            }
            "judge_vote_agreement" => {
                let votes = Votes::numbers(table(case.input("votes")).view()).unwrap();
                let found = judge_agreement(&votes, Chance::Pooled).unwrap();
                let pairs = judge_pairs(&votes).into_iter();
                let pairs: Value =
                    pairs.map(|pair| json!([pair.first, pair.second, pair.agreement])).collect();
                Some(json!({
                    "mean_pairwise": found.mean_pairwise,
                    "unanimous": found.unanimous,
                    "tied_items": found.tied,
                    "per_pair": pairs,
                }))
            }
            other => panic!("no such metric: {other}"),
        }
    });
    assert_eq!(compared, 8);
}
