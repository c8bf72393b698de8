//! The numbers that the page must show: computed natively, and compared by the page's own tests with what it shows.
//!
//! `page/test/golden/*.json` is written anew with `SUPERALIGN_GOLDEN=write cargo test --release -p superalign-web`.

use ndarray::ArrayView2;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use superalign_core::Seed;
use superalign_data::{columns, signal};
use superalign_measure::{Input, asked, intervals, run};
use superalign_signal::embedding::{ZeroRows, nearest_neighbours};

const EXAMPLES: [&str; 3] = ["votes", "probabilities", "embeddings"];
const DRAWS: usize = 200;

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("page")
}

/// What an example says.
fn example(name: &str) -> signal::Signal {
    let bytes = fs::read(page().join("public/example").join(format!("{name}.csv"))).unwrap();
    let file = columns::read_bytes(&format!("{name}.csv"), bytes).unwrap();
    signal::of(file, &signal::Reading::default()).unwrap()
}

/// Every usual number of an example, as `superalign measure --json --draws 200` has them.
fn numbers(name: &str) -> Value {
    let signal = example(name);
    let input = Input::new(&signal, None, intervals(0, DRAWS, 0.95).unwrap(), Seed::new(0));
    let chosen = asked(&[]).and_then(|asked| asked.choose(&input)).unwrap();
    let rows = chosen.into_iter().flat_map(|(metric, settings)| run(metric, &settings, &input));
    let shown = rows.map(|row| row.json(0.95)).filter(|row| row.get("values").is_none_or(|v| !v.is_array()));
    shown
        .map(|row| {
            let number = |key: &str| row.get(key).filter(|x| x.is_number()).cloned();
            json!({
                "metric": row["metric"],
                "part": row.get("part").cloned().unwrap_or(json!("")),
                "value": number("value"),
                "lo": number("lo"),
                "hi": number("hi"),
            })
        })
        .collect()
}

/// Nearest neighbours of some rows of the embeddings.
fn neighbours() -> Value {
    let embeddings = example("embeddings").embeddings.unwrap();
    let shape = (embeddings.shape[0], embeddings.shape[1..].iter().product());
    let x = ArrayView2::from_shape(shape, &embeddings.values).unwrap();
    let of = |(row, k): (usize, usize)| {
        let found = nearest_neighbours(x, row, k, ZeroRows::Zero).unwrap();
        json!({
            "row": row,
            "k": k,
            "rows": found.iter().map(|one| one.row).collect::<Vec<_>>(),
            "cosines": found.iter().map(|one| one.cosine).collect::<Vec<_>>(),
        })
    };
    [(0, 10), (311, 1), (599, 50)].into_iter().map(of).collect()
}

/// A file of `page/test/golden`, written anew where that is asked for.
fn golden(name: &str, found: &Value) -> Value {
    let path = page().join("test/golden").join(format!("{name}.json"));
    if std::env::var_os("SUPERALIGN_GOLDEN").is_some_and(|what| what == "write") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("{}\n", serde_json::to_string_pretty(found).unwrap())).unwrap();
    }
    serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap()
}

fn near(found: &Value, expected: &Value) -> bool {
    match (found.as_f64(), expected.as_f64()) {
        (Some(x), Some(y)) => (x - y).abs() <= 1e-12 * x.abs().max(y.abs()).max(1e-300),
        _ => found == expected,
    }
}

#[test]
fn the_numbers_of_the_page_are_those_of_the_library() {
    for name in EXAMPLES {
        let found = numbers(name);
        let expected = golden(name, &found);
        let (found, expected) = (found.as_array().unwrap(), expected.as_array().unwrap());
        assert_eq!(found.len(), expected.len(), "{name}");
        for (x, y) in found.iter().zip(expected) {
            for key in ["metric", "part", "value", "lo", "hi"] {
                assert!(near(&x[key], &y[key]), "{name}: {key} of {x}, expected {y}");
            }
        }
    }
}

#[test]
fn the_neighbours_of_the_page_are_those_of_the_library() {
    let found = neighbours();
    assert_eq!(found, golden("neighbours", &found));
}
