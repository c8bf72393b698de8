//! The numbers that the page must show: computed natively, and compared by the page's own tests with what it shows.
//!
//! `page/test/golden/*.json` is written anew with `SUPERALIGN_GOLDEN=write cargo test --release -p superalign-web`.

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use superalign_core::Seed;
use superalign_data::{columns, signal};
use superalign_measure::{Input, asked, intervals, run};

const EXAMPLES: [&str; 3] = ["votes", "probabilities", "embeddings"];
const DRAWS: usize = 200;

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("page")
}

/// Every usual number of an example, as `superalign measure --json --draws 200` has them.
fn numbers(name: &str) -> Value {
    let bytes = fs::read(page().join("public/example").join(format!("{name}.csv"))).unwrap();
    let file = columns::read_bytes(&format!("{name}.csv"), bytes).unwrap();
    let signal = signal::of(file, &signal::Reading::default()).unwrap();
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

fn near(found: &Value, expected: &Value) -> bool {
    match (found.as_f64(), expected.as_f64()) {
        (Some(x), Some(y)) => (x - y).abs() <= 1e-12 * x.abs().max(y.abs()).max(1e-300),
        _ => found == expected,
    }
}

#[test]
fn the_numbers_of_the_page_are_those_of_the_library() {
    for name in EXAMPLES {
        let path = page().join("test/golden").join(format!("{name}.json"));
        let found = numbers(name);
        if std::env::var_os("SUPERALIGN_GOLDEN").is_some_and(|what| what == "write") {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&found).unwrap())).unwrap();
        }
        let expected: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let (found, expected) = (found.as_array().unwrap(), expected.as_array().unwrap());
        assert_eq!(found.len(), expected.len(), "{name}");
        for (x, y) in found.iter().zip(expected) {
            for key in ["metric", "part", "value", "lo", "hi"] {
                assert!(near(&x[key], &y[key]), "{name}: {key} of {x}, expected {y}");
            }
        }
    }
}
