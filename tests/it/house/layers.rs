//! Who may depend on whom: edges go strictly down.

use super::workspace::{Package, packages};
use crate::support::read;

/// What a crate may use of ours.
#[derive(Clone, Copy)]
enum Uses {
    /// These only.
    Only(&'static [&'static str]),
    /// Any crate of a lower layer.
    AllBelow,
}
use Uses::{AllBelow, Only};

const CORE: Uses = Only(&["superalign-core"]);

/// Every crate, its layer, and what it may use: the table of ARCHITECTURE.md in a form that fails.
const LAYERS: [(&str, u8, Uses); 14] = [
    ("superalign-core", 0, Only(&[])),
    ("superalign-evaluation", 1, CORE),
    ("superalign-gap", 1, CORE),
    ("superalign-learner", 1, CORE),
    ("superalign-signal", 1, CORE),
    ("superalign-data", 2, CORE),
    ("superalign-inference", 2, CORE),
    (
        "superalign-paradigm",
        2,
        Only(&["superalign-core", "superalign-signal", "superalign-gap", "superalign-learner"]),
    ),
    ("superalign-pretrain", 2, CORE),
    (
        "superalign-measure",
        3,
        Only(&["superalign-core", "superalign-signal", "superalign-evaluation", "superalign-data"]),
    ),
    ("superalign", 4, AllBelow),
    ("superalign-tests", 5, AllBelow),
    (
        "superalign-web",
        5,
        Only(&[
            "superalign-core",
            "superalign-signal",
            "superalign-gap",
            "superalign-evaluation",
            "superalign-data",
            "superalign-measure",
        ]),
    ),
    ("xtask", 6, Only(&[])),
];

/// Heavy dependencies: the crates that may use them, and those whose tests may use them as well.
const CONFINED: [(&str, &[&str], &[&str]); 6] = [
    ("ort", &["superalign-inference"], &["superalign-pretrain"]),
    ("ort-tract", &["superalign-inference"], &["superalign-pretrain"]),
    ("tract-onnx", &["superalign-inference"], &["superalign-pretrain"]),
    ("tokenizers", &["superalign-inference"], &["superalign-data", "superalign-pretrain"]),
    ("parquet", &["superalign-data", "superalign"], &["superalign-tests"]),
    ("arrow", &["superalign-data", "superalign"], &["superalign-tests"]),
];

/// What layers 0 and 1 do without: a clock, threads of their own, files, a terminal.
const NOT_IN_LEAVES: [&str; 8] =
    ["anyhow", "clap", "ctrlc", "indicatif", "libloading", "tempfile", "tokio", "superalign-tests"];

fn layer(name: &str) -> Option<(u8, Uses)> {
    LAYERS.iter().find(|row| row.0 == name).map(|row| (row.1, row.2))
}

/// Every broken rule in one line each.
fn faults(packages: &[Package]) -> Vec<String> {
    let mut faults = Vec::new();
    for package in packages {
        let name = package.name.as_str();
        let Some((height, may)) = layer(name) else {
            faults.push(format!("{name} has no layer: add it to LAYERS and to ARCHITECTURE.md"));
            continue;
        };
        for used in &package.uses {
            let Some((below, _)) = layer(used) else { continue };
            let allowed = match may {
                Only(list) => list.contains(&used.as_str()),
                AllBelow => true,
            };
            if below >= height || !allowed {
                faults.push(format!("{name} (layer {height}) may not use {used} (layer {below})"));
            }
        }
        for (heavy, owners, testers) in CONFINED {
            let uses = package.uses.iter().any(|used| used == heavy);
            let tests = package.tests_with.iter().any(|used| used == heavy);
            if uses && !owners.contains(&name) {
                faults.push(format!("{name} may not use {heavy}: it stays in {}", owners.join(", ")));
            }
            if tests && !owners.contains(&name) && !testers.contains(&name) {
                faults.push(format!("the tests of {name} may not use {heavy}"));
            }
        }
        if height <= 1 {
            let banned = package.uses.iter().filter(|used| NOT_IN_LEAVES.contains(&used.as_str()));
            faults.extend(banned.map(|used| format!("{name} (layer {height}) may not use {used}")));
        }
    }
    faults
}

#[test]
fn edges_go_strictly_down_and_heavy_dependencies_stay_where_they_are() {
    let faults = faults(&packages());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn an_edge_up_or_sideways_is_found() {
    let package = |name: &str, uses: &[&str], tests_with: &[&str]| Package {
        name: name.to_owned(),
        description: String::new(),
        folder: name.into(),
        uses: uses.iter().map(ToString::to_string).collect(),
        tests_with: tests_with.iter().map(ToString::to_string).collect(),
    };
    let wrong = [
        package("superalign-core", &["superalign-gap"], &[]),
        package("superalign-gap", &["superalign-core", "superalign-learner"], &["superalign-learner"]),
        package("superalign-data", &["superalign-core", "superalign-gap"], &["tokenizers"]),
        package("superalign", &["superalign-data", "superalign-web", "ort"], &["tokenizers"]),
        package("superalign-learner", &["tokio"], &[]),
        package("xtask", &["superalign-core"], &[]),
        package("superalign-new", &[], &[]),
    ];
    let expected = [
        "superalign-core (layer 0) may not use superalign-gap (layer 1)",
        "superalign-gap (layer 1) may not use superalign-learner (layer 1)",
        "superalign-data (layer 2) may not use superalign-gap (layer 1)",
        "superalign (layer 4) may not use superalign-web (layer 5)",
        "superalign may not use ort: it stays in superalign-inference",
        "the tests of superalign may not use tokenizers",
        "superalign-learner (layer 1) may not use tokio",
        "xtask (layer 6) may not use superalign-core (layer 0)",
        "superalign-new has no layer: add it to LAYERS and to ARCHITECTURE.md",
    ];
    assert_eq!(faults(&wrong), expected);
}

#[test]
fn xtask_builds_every_leaf_for_the_browser() {
    let source = read("xtask/src/check.rs");
    for package in packages().iter().filter(|package| layer(&package.name).is_some_and(|row| row.0 <= 1)) {
        let quoted = format!("\"{}\"", package.name);
        assert!(
            source.contains(&quoted),
            "{} is missing from WASM_CRATES in xtask/src/check.rs",
            package.name
        );
    }
}

#[test]
fn architecture_shows_every_crate_with_its_layer() {
    let architecture = read("ARCHITECTURE.md");
    let mut shown: Vec<(String, u8)> = architecture.lines().filter_map(row).collect();
    shown.sort();
    let mut built: Vec<_> =
        packages().iter().filter_map(|p| layer(&p.name).map(|row| (p.name.clone(), row.0))).collect();
    built.sort();
    assert_eq!(shown, built, "left: the table of ARCHITECTURE.md; right: cargo metadata");
}

/// ``| 1 | `superalign-gap` | …`` is a row of the table of crates.
fn row(line: &str) -> Option<(String, u8)> {
    let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
    let layer = cells.next()?.parse().ok()?;
    let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
    Some((name.to_owned(), layer))
}
