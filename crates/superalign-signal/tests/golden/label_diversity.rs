//! Diversity of labels, against scikit-bio and scipy.

use crate::support::{Case, Golden, numbers, table, written};
use serde_json::{Value, json};
use superalign_signal::label_diversity::{
    Base, Estimator, Evenness, Lorenz, Measure, MemberWeights, Simpson, Unbounded, diversity,
    diversity_of_mean, diversity_per_item, generalised_jensen_shannon, jensen_shannon_distance, kl,
};

fn counts_group(counts: &[u64], all: bool) -> Value {
    let of = |measure| written(diversity(counts, measure));
    let entropy = |base| Measure::Entropy { estimator: Estimator::PlugIn, base };
    let mut found = json!({
        "shannon": of(entropy(Base::Natural)),
        "shannon(base=2)": of(entropy(Base::Two)),
        "perplexity": of(Measure::Hill(1.0)),
        "simpson_1_minus_sum_p2": of(Measure::Simpson(Simpson::Complement)),
        "simpson_unbiased(finite=True)": of(Measure::Simpson(Simpson::UnbiasedComplement)),
        "inv_simpson": of(Measure::Simpson(Simpson::Inverse)),
        "pielou_evenness": of(Measure::Evenness(Evenness::Pielou)),
        "simpson_evenness": of(Measure::Evenness(Evenness::Simpson)),
        "berger_parker": of(Measure::BergerParker),
        "hill(order=0.0)": of(Measure::Hill(0.0)),
        "hill(order=0.5)": of(Measure::Hill(0.5)),
        "hill(order=1.0)": of(Measure::Hill(1.0)),
        "hill(order=2.0)": of(Measure::Hill(2.0)),
        "hill(order=Infinity)": of(Measure::Hill(f64::INFINITY)),
        "renyi(order=2)": of(Measure::Renyi { order: 2.0, base: Base::Natural }),
        "tsallis(order=2)": of(Measure::Tsallis(2.0)),
    });
    // Where there is no label, scikit-bio counts none and calls that perfectly equal; ours is an error throughout.
    if all {
        found["richness"] = of(Measure::Hill(0.0));
        found["gini_index_rectangles"] = of(Measure::Gini(Lorenz::Rectangles));
    }
    found
}

fn base(case: &Case<'_>) -> Base {
    match case.param("base") {
        Value::Null => Base::Natural,
        Value::String(name) if name == "e" => Base::Natural,
        Value::Number(n) if n.as_u64() == Some(2) => Base::Two,
        Value::Number(n) if n.as_u64() == Some(10) => Base::Ten,
        other => panic!("base {other}"),
    }
}

#[test]
fn every_case() {
    let compared = Golden::read("label_diversity.json").check(|case| {
        let two = || (numbers(case.input("p")), numbers(case.input("q")));
        Some(match case.metric() {
            "count_diversity_group" => {
                let counts: Vec<u64> =
                    numbers(case.input("counts")).iter().map(|&count| count as u64).collect();
                counts_group(&counts, case.kind() == "exact")
            }
            "js_distance_sqrt" => {
                let (p, q) = two();
                written(jensen_shannon_distance(&p, &q, base(case)))
            }
            "kl" => {
                let (p, q) = two();
                written(kl(&p, &q, base(case), Unbounded::Infinite))
            }
            "entropy_per_item" => {
                json!(diversity_per_item(table(case.input("p")).view(), Measure::ENTROPY).unwrap())
            }
            "jsd_generalised_uniform_weights" => {
                let rows = table(case.input("P"));
                written(generalised_jensen_shannon(rows.view(), MemberWeights::Uniform, base(case)))
            }
            "vote_entropy_of_mean" => {
                written(diversity_of_mean(table(case.input("P")).view(), Measure::ENTROPY))
            }
            other => panic!("no such metric: {other}"),
        })
    });
    assert_eq!(compared, 25);
}
