//! Texts, embeddings and preferences.

use super::super::golden::Case;
use super::{ask, ask_two, column, columns, csv, jsonl, list, npy, numbers, rows};
use serde_json::{Value, json};

pub(in super::super) fn text(case: &Case<'_>) -> Option<Value> {
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

pub(in super::super) fn embedding(case: &Case<'_>) -> Option<Value> {
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

pub(in super::super) fn preference(case: &Case<'_>) -> Option<Value> {
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
