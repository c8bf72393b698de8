//! Golden values of `embedding`.

use crate::support::{Case, Golden, number, numbers, table};
use ndarray::{Array2, s};
use serde_json::{Value, json};
use superalign_signal::SignalError;
use superalign_signal::embedding::{
    Bandwidth, Diagonal, Kernel, MauveOptions, RankEntropy, Smoothing, Vendi, ZeroRows, effective_rank,
    frechet_distance, internal_diversity, log_det, log_det_plus_identity, mauve, mean_pairwise_cosine,
    median_distance, mmd2, nearest_neighbours, participation_ratio, prdc, vendi_score, vendi_score_of_kernel,
};

/// scikit-learn keeps rows of zeros.
const ZERO: ZeroRows = ZeroRows::Zero;

fn value(found: Result<f64, SignalError>) -> Value {
    found.map_or_else(|_| json!("error"), |found| json!(found))
}

fn score(x: &Array2<f64>, order: f64) -> Value {
    value(vendi_score(x.view(), &Vendi { order, kernel: Kernel::Cosine { zero_rows: ZERO } }))
}

fn orders(x: &Array2<f64>) -> Value {
    let named = [("0.1", 0.1), ("0.5", 0.5), ("1", 1.0), ("2", 2.0), ("inf", f64::INFINITY)];
    named
        .into_iter()
        .map(|(name, order)| (name.to_owned(), score(x, order)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn of_histograms(p: &[f64], q: &[f64], case: &Case<'_>, smoothing: Smoothing) -> Value {
    let options = MauveOptions {
        scaling: case.param("scaling").as_f64().unwrap_or(5.0),
        points: case.param("curve_points").as_u64().map_or(25, |points| points as usize),
        smoothing,
    };
    mauve(p, q, &options).map_or(
        json!("error"),
        |found| json!({"mauve": found.mauve, "frontier_integral": found.frontier_integral}),
    )
}

fn pair(case: &Case<'_>, first: &str, second: &str) -> (Array2<f64>, Array2<f64>) {
    (table(case.input(first)), table(case.input(second)))
}

fn found(case: &Case<'_>) -> Option<Value> {
    let x = || table(case.input("X"));
    let zero_row = case.input_name("X") == "with_zero_row";
    Some(match case.metric() {
        // With a row of zeros the package takes the entropy of shares that sum to less than 1; ours do not.
        "vendi_score" if zero_row => return None,
        "vendi_score" => json!({
            "score_X": score(&x(), 1.0),
            "score_dual": score(&x(), 1.0),
            // `score_X` ignores its q.
            "score_X_q2_actually_q1": score(&x(), 1.0),
            "score_dual_q2": score(&x(), 2.0),
        }),
        "vendi_score_order_q" => orders(&x()),
        "vendi_score_K" => {
            let order = match case.param("q") {
                Value::String(_) => f64::INFINITY,
                order => number(order),
            };
            value(vendi_score_of_kernel(table(case.input("K")).view(), order, Diagonal::Ones, None))
        }
        "intdiv_K" => value(internal_diversity(table(case.input("K")).view(), None)),
        // The package raises for want of an argument; ours is one minus a mean of cosines.
        "intdiv_X" => return None,
        "vendi_empty" => score(&Array2::zeros((0, 3)), 1.0),
        "mean_pairwise_cosine" => value(mean_pairwise_cosine(x().view(), ZERO)),
        "effective_rank" => json!({
            "roy_vetterli": value(effective_rank(x().view(), RankEntropy::RoyVetterli)),
            "rankme": value(effective_rank(x().view(), RankEntropy::rank_me())),
        }),
        // Rows that are all alike have no covariance; the package finds the ratio of its own rounding.
        "participation_ratio_cov" if case.input_name("X") == "identical" => return None,
        "participation_ratio_cov" => value(participation_ratio(x().view())),
        "logdet_gram_plus_I" => value(log_det_plus_identity(x().view(), ZERO)),
        "logdet_dpp" => {
            let x = x();
            let rows = x.nrows().min(x.ncols());
            match log_det(x.slice(s![..rows, ..])) {
                Ok(found) => json!([1.0, found]),
                // The package says NaN for a row of zeros, and a determinant of sign 0 for dependent rows.
                Err(_) if zero_row => json!([1.0, "error"]),
                Err(SignalError::Undefined { .. }) => json!([0.0, "-Infinity"]),
                Err(_) => json!("error"),
            }
        }
        "prdc" | "prdc_k_too_large" => {
            let (real, fake) = pair(case, "real", "fake");
            let k = case.param("k").as_u64().unwrap() as usize;
            prdc(real.view(), fake.view(), k).map_or(json!("error"), |found| {
                json!({
                    "precision": found.precision, "recall": found.recall,
                    "density": found.density, "coverage": found.coverage,
                })
            })
        }
        "mmd2_rbf" => {
            let (x, y) = pair(case, "x", "y");
            let gamma = Bandwidth::Gamma(number(case.param("gamma")));
            mmd2(x.view(), y.view(), gamma)
                .map_or(json!("error"), |found| json!({"unbiased": found.unbiased, "biased": found.biased}))
        }
        "frechet_distance" => {
            let (x, y) = pair(case, "x", "y");
            value(frechet_distance(x.view(), y.view()))
        }
        "median_heuristic_distance" => {
            let (x, y) = pair(case, "x", "y");
            value(median_distance(x.view(), Some(y.view())))
        }
        "mauve_from_histograms" | "mauve_identical" => {
            of_histograms(&numbers(case.input("p")), &numbers(case.input("q")), case, Smoothing::None)
        }
        "mauve_star_from_histograms" => {
            of_histograms(&numbers(case.input("p")), &numbers(case.input("q")), case, Smoothing::AddHalf)
        }
        "mauve_disjoint" => {
            of_histograms(&numbers(case.param("p")), &numbers(case.param("q")), case, Smoothing::None)
        }
        "nearest_neighbours" => {
            let [row, k] = ["row", "k"].map(|name| case.param(name).as_u64().unwrap() as usize);
            let found = nearest_neighbours(x().view(), row, k, ZERO).unwrap();
            json!({
                "rows": found.iter().map(|one| one.row).collect::<Vec<_>>(),
                "cosines": found.iter().map(|one| one.cosine).collect::<Vec<_>>(),
            })
        }
        other => panic!("an unknown metric: {other}"),
    })
}

#[test]
fn every_value() {
    assert!(Golden::read("embedding.json").check(found) >= 75);
    // Made by neighbours.py beside it.
    assert_eq!(Golden::read("neighbours.json").check(found), 12);
}
