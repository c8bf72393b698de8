//! Mode collapse, against scikit-bio, scipy and the formulas themselves.

use crate::support::{Case, Golden, number, numbers, written};
use serde_json::{Value, json};
use superalign_signal::SignalError;
use superalign_signal::collapse::{
    Chao1, Distance, MissingMass, Smoothing, TailTies, ace, chao1, chao1_interval, collapse_index,
    distance_to_reference, fisher_alpha, missing_mass, missing_mass_interval, occurrences, sample_coverage,
    tail_mass,
};
use superalign_signal::label_diversity::{Base, Measure, Unbounded, diversity};

/// The counts of the input of that role, of which some cases take the shares.
fn counts(case: &Case<'_>, role: &str) -> Vec<u64> {
    let name = case.input_name(role);
    let values = numbers(case.named(name.strip_suffix("/sum").unwrap_or(name)));
    values.iter().map(|&count| count as u64).collect()
}

fn ends(found: Result<superalign_signal::Estimate, SignalError>) -> Value {
    found.map_or_else(|_| "error".into(), |found| json!([found.lo, found.hi]))
}

/// The chao1 interval of scikit-bio takes 1.96, the one of Esty the quantile.
const QUANTILE: f64 = 1.959_963_984_540_054;

fn richness(case: &Case<'_>) -> Value {
    let counts = &counts(case, "counts");
    let found = occurrences(counts);
    let mut group = json!({
        "observed": found.observed,
        "singles": found.once,
        "doubles": found.twice,
        "goods_coverage": written(sample_coverage(counts, MissingMass::GoodTuring)),
        "robbins": written(missing_mass(counts, MissingMass::GoodTuring)),
        "esty_ci": ends(missing_mass_interval(counts, QUANTILE)),
    });
    // scikit-bio finds no modes and half an interval where nothing was observed; ours is an error.
    if found.total > 0 {
        group["chao1_bias_corrected"] = written(chao1(counts, Chao1::BiasCorrected));
        group["chao1"] = written(chao1(counts, Chao1::Classic));
        group["chao1_ci"] = ends(chao1_interval(counts, Chao1::BiasCorrected, 1.96));
    }
    // Where all modes were seen once, scikit-bio raises for the one and is infinite for the other; ours are errors.
    if found.once < found.observed {
        group["ace"] = written(ace(counts, 10));
        // scikit-bio minimises a square, which finds half of the digits; ours solves the equation.
        let (alpha, theirs) = (fisher_alpha(counts).unwrap(), number(&case.expected()["fisher_alpha"]));
        assert!((alpha - theirs).abs() < 1e-8 * theirs.max(1.0), "{alpha}, not {theirs}");
    }
    group
}

#[test]
fn every_case() {
    let compared = Golden::read("mode_collapse.json").check(|case| {
        let of = |role, reference, distance, smoothing| {
            written(distance_to_reference(
                &counts(case, role),
                &numbers(case.input(reference)),
                distance,
                smoothing,
            ))
        };
        let (base, unbounded) = (Base::Natural, Unbounded::Infinite);
        Some(match case.metric() {
            "richness_group" => richness(case),
            "missing_mass" => {
                let of = |by| written(missing_mass(&counts(case, "counts"), by));
                json!({"good_turing": of(MissingMass::GoodTuring), "chao_jost": of(MissingMass::ChaoJost)})
            }
            "kl_to_reference" => of("p", "q", Distance::KlOfObserved { base, unbounded }, Smoothing::None),
            "kl_to_reference_reverse" => {
                of("q", "p", Distance::KlOfReference { base, unbounded }, Smoothing::None)
            }
            "kl_additive_smoothing" => {
                let smoothing = Smoothing::Additive(case.param("alpha").as_f64().unwrap());
                of("q", "p", Distance::KlOfReference { base, unbounded }, smoothing)
            }
            "js_distance" => of("p", "q", Distance::JensenShannonDistance(base), Smoothing::None),
            "tail_mass" => {
                let fraction = case.param("fraction").as_f64().unwrap();
                let reference = numbers(case.input("q"));
                let found =
                    tail_mass(&counts(case, "counts"), &reference, fraction, TailTies::InOrder).unwrap();
                json!({
                    "tail_modes": found.modes,
                    "reference_tail_mass": found.reference,
                    "observed_tail_mass": found.observed,
                })
            }
            "hill_ratio" => {
                let of = |order| {
                    let of = |role| diversity(&counts(case, role), Measure::Hill(order)).unwrap();
                    written(collapse_index(of("den"), of("num")).map(|index| 1.0 - index))
                };
                json!({"0": of(0.0), "1": of(1.0), "2": of(2.0)})
            }
            other => panic!("no such metric: {other}"),
        })
    });
    assert_eq!(compared, 20);
}
