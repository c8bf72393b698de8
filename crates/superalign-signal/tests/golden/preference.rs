//! Preferences, against evalica, choix, scipy and the formulas themselves.

use crate::support::{Case, Golden, numbers, table, written};
use serde_json::{Value, json};
use superalign_signal::Votes;
use superalign_signal::preference::{
    BradleyTerry, Chance, Comparison, Elo, Preferred, Ties, average_win_rate, bradley_terry, cycle_rate,
    cycles, davidson, elo, judge_agreement, judge_pairs, length_bias, pagerank, position_bias, win_counts,
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
        let name = case.input_name("comparisons");
        let list = || comparisons(case);
        match case.metric() {
            "counting" => {
                let (list, players) = list();
                Some(json!({"scores": win_counts(&list, players).unwrap()}))
            }
            "average_win_rate" => {
                let (list, players) = list();
                Some(json!({"scores": average_win_rate(&list, players).unwrap()}))
            }
            "elo" => {
                let (list, players) = list();
                Some(json!({"scores": elo(&list, players, &Elo::default()).unwrap()}))
            }
            "pagerank" => {
                let (list, players) = list();
                Some(json!({"scores": pagerank(&list, players, 0.85).unwrap()}))
            }
            "bradley_terry" => {
                let (list, players) = list();
                match bradley_terry(&list, players, &BradleyTerry::default()) {
                    Ok(theta) => {
                        Some(json!({"scores": theta.iter().map(|theta| theta.exp()).collect::<Vec<_>>()}))
                    }
                    // An undefeated player, or players never compared: evalica stops at some number.
                    Err(_) => {
                        assert!(["undefeated", "disconnected"].contains(&name));
                        None
                    }
                }
            }
            "newman" => {
                let (list, players) = list();
                match davidson(&list, players) {
                    Ok(found) if found.tie > 0.0 => {
                        // evalica's scale is where its iteration ended: compare by its geometric mean.
                        let theirs = numbers(&case.expected()["scores"]);
                        let scale = theirs.iter().map(|score| score.ln()).sum::<f64>() / theirs.len() as f64;
                        let scores: Vec<f64> =
                            found.log_strengths.iter().map(|theta| (theta + scale).exp()).collect();
                        Some(json!({"scores": scores, "v": found.tie}))
                    }
                    // Without ties v is 0, not where evalica starts; and ties alone have no maximum.
                    other => {
                        assert!(other.is_err() || name == "cycle");
                        None
                    }
                }
            }
            // It ranks losers first: a bug of the package, and no measure.
            "eigen" => None,
            "bradley_terry_mle_logits" | "bradley_terry_map_logits" => {
                let (list, players) = list();
                let by = BradleyTerry { ties: Ties::Dropped, ridge: case.param("alpha").as_f64().unwrap() };
                Some(bradley_terry(&list, players, &by).map_or_else(|_| "error".into(), |theta| json!(theta)))
            }
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
    assert_eq!(compared, 40);
}
