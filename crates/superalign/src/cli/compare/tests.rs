//! Generated runs through the command: tables, JSON, files, and every way to be wrong.

use super::{CompareArgs, Failure, compare};
use crate::plan::Plan;
use crate::record::{Host, ItemRow, Manifest, Status, write_items};
use crate::spec::{Overrides, Profile, Spec};
use clap::Parser;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use superalign_core::{Seed, below};

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: CompareArgs,
}

/// What the command prints, or the message with which it ends and its exit code.
fn run(arguments: &[&str]) -> Result<String, (i32, String)> {
    let line = Line::try_parse_from(std::iter::once("compare").chain(arguments.iter().copied()))
        .map_err(|error| (2, error.to_string()))?;
    let mut out = Vec::new();
    match compare(&line.args, &mut out) {
        Ok(()) => Ok(String::from_utf8(out).unwrap()),
        Err(Failure::Usage(message)) => Err((2, message)),
        Err(Failure::Failed(message)) => Err((1, message)),
        Err(failure) => panic!("{failure:?}"),
    }
}

const SPEC: &str =
    "name = \"weak\"\nquestion = \"Can it be surpassed?\"\nparadigm = \"weak-to-strong\"\nseeds = 2\n";

fn manifest(status: Status) -> Manifest {
    let path = Path::new("experiments/test.toml");
    let spec = Spec::parse(path, SPEC.into(), Profile::Quick, &Overrides::default()).unwrap();
    Manifest {
        schema: Manifest::SCHEMA,
        status,
        failed: 0,
        unexpected: Vec::new(),
        plan: Plan::new(&spec, &[], Vec::new(), &[]),
        command: "superalign run weak".to_owned(),
        host: Host { platform: "any".to_owned(), processors: 1 },
        started: 0,
        seconds: BTreeMap::new(),
    }
}

/// A speaker and how often it is right.
type Speaker<'a> = (&'a str, &'a str, u64, f64);

/// Items in groups of two, of which speakers get so many right; the same draws for the same seed.
fn rows(speakers: &[Speaker<'_>], items: usize, seed: u64) -> Vec<ItemRow> {
    let mut rows = Vec::new();
    for (model, signal, repetition, share) in speakers {
        for part in ["student", "test"] {
            let mut rng = Seed::new(seed).named(signal).named(part).nth(*repetition).rng();
            for item in 0..items {
                let gold = item % 2 == 0;
                let right = (below(&mut rng, 1000) as f64) < share * 1000.0;
                rows.push(ItemRow {
                    item: format!("{part}-{item}").into(),
                    group: format!("{part}-g{}", item / 2).into(),
                    family: if item % 4 < 2 { "chain" } else { "lookup" }.into(),
                    difficulty: Some(1 + (item % 6) as u64),
                    conflict: false,
                    part: part.into(),
                    gold,
                    model: (*model).into(),
                    signal: (*signal).into(),
                    seed: *repetition,
                    given: None,
                    probability: if right == gold { 0.75 } else { 0.25 },
                });
            }
        }
    }
    rows
}

struct Runs(tempfile::TempDir);

impl Runs {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, status: Status, rows: &[ItemRow]) -> String {
        let folder = self.0.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        manifest(status).write(&folder).unwrap();
        write_items(&folder.join("items.parquet"), rows).unwrap();
        folder.display().to_string()
    }

    fn hide(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().display()), "")
    }

    fn error(&self, arguments: &[&str]) -> String {
        let (code, message) = run(arguments).unwrap_err();
        assert_eq!(code, 2, "{message}");
        self.hide(&message)
    }
}

const WEAK: [Speaker<'_>; 4] = [
    ("rung-1", "teacher=rung-1", 0, 0.62),
    ("rung-1", "teacher=rung-1", 1, 0.62),
    ("rung-2", "ceiling=rung-2", 0, 0.90),
    ("rung-2", "ceiling=rung-2", 1, 0.90),
];

fn two(runs: &Runs) -> (String, String) {
    let a = runs.write("a", Status::Complete, &rows(&WEAK, 200, 1));
    let mut better = WEAK;
    better[0].3 = 0.8;
    better[1].3 = 0.8;
    // Other draws, the same items, and a cell that the first run lacks.
    let mut others = better.to_vec();
    others.push(("rung-3", "ceiling=rung-3", 0, 0.95));
    let b = runs.write("b", Status::Complete, &rows(&others, 200, 2));
    (a, b)
}

#[test]
fn two_runs_as_a_table() {
    let runs = Runs::new();
    let (a, b) = two(&runs);
    let mut seen = run(&[&a, &b, "--draws", "200"]).unwrap();
    seen += "\n";
    seen += &run(&[&a, &b, "--draws", "200", "--signal", "teacher=rung-1", "--metric", "brier"]).unwrap();
    insta::assert_snapshot!(runs.hide(&seen));
}

#[test]
fn two_signals_of_one_run() {
    let runs = Runs::new();
    let (a, _) = two(&runs);
    let seen =
        run(&[&a, "--signal", "teacher=rung-1", "--with", "ceiling=rung-2", "--draws", "200"]).unwrap();
    insta::assert_snapshot!(runs.hide(&seen));
}

#[test]
fn json_holds_what_the_statistics_give() {
    let runs = Runs::new();
    let (a, b) = two(&runs);
    let text = run(&[&a, &b, "--draws", "200", "--json", "--signal", "teacher=rung-1"]).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let cells = json["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 2);
    for (cell, (i, j)) in cells.iter().zip([(0, 0), (1, 1)]) {
        let (one, other) = (rows(&WEAK[i..=i], 200, 1), {
            let mut better = WEAK;
            better[j].3 = 0.8;
            rows(&better[j..=j], 200, 2)
        });
        let right = |rows: &[ItemRow]| -> Vec<bool> {
            let test = rows.iter().filter(|row| &*row.part == "test");
            test.map(|row| (row.probability >= 0.5) == row.gold).collect()
        };
        let (one, other) = (right(&one), right(&other));
        let alone = |x: &[bool], y: &[bool]| x.iter().zip(y).filter(|(x, y)| **x && !**y).count() as u64;
        assert_eq!(cell["table"]["a_only"], alone(&one, &other));
        assert_eq!(cell["table"]["b_only"], alone(&other, &one));
        let mean = |of: &[bool]| of.iter().filter(|right| **right).count() as f64 / 200.0;
        let near = |found: &Value, expected: f64| (found.as_f64().unwrap() - expected).abs() < 1e-12;
        assert!(near(&cell["value_a"]["value"], mean(&one)), "{cell}");
        assert!(near(&cell["difference"]["value"], mean(&one) - mean(&other)), "{cell}");
        assert_eq!((&cell["items"], &cell["groups"]), (&200.into(), &100.into()));
        // Of two p-values, Holm's smaller one is doubled.
        assert!(cell["mcnemar"]["holm"].as_f64() >= cell["mcnemar"]["p"].as_f64());
    }
    let smallest =
        |key: &str| cells.iter().map(|cell| cell["mcnemar"][key].as_f64().unwrap()).fold(1.0, f64::min);
    assert!((smallest("holm") - 2.0 * smallest("p")).abs() < 1e-15);
    // The same arguments, the same bytes.
    assert_eq!(run(&[&a, &b, "--draws", "200", "--json", "--signal", "teacher=rung-1"]).unwrap(), text);
}

#[test]
fn seeds_are_taken_together() {
    let runs = Runs::new();
    let (a, b) = two(&runs);
    let text = run(&[&a, &b, "--draws", "400", "--json"]).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let (cells, pooled) = (json["cells"].as_array().unwrap(), json["over_seeds"].as_array().unwrap());
    assert_eq!((cells.len(), pooled.len()), (4, 2));
    for row in pooled {
        let of: Vec<&Value> = cells.iter().filter(|cell| cell["a"] == row["a"]).collect();
        assert_eq!((&row["seeds"], of.len()), (&serde_json::json!([0, 1]), 2));
        // The same items under both seeds: as many rows as both have, and as many groups as one has.
        assert_eq!((&row["items"], &row["groups"]), (&400.into(), &100.into()));
        let value = |of: &Value, key: &str| of["difference"][key].as_f64().unwrap();
        let mean = of.iter().map(|cell| value(cell, "value")).sum::<f64>() / 2.0;
        assert!((value(row, "value") - mean).abs() < 1e-12);
        assert!(value(row, "lo") < mean && mean < value(row, "hi"));
        assert!(row.get("mcnemar").is_none() && row.get("table").is_none());
    }
    // Where two seeds say the same, both together say it more surely, and Holm adjusts for two rows, not for four.
    let p = |of: &Value| of["sign_flip"]["p"].as_f64().unwrap();
    let teacher = &pooled[0];
    assert!(p(teacher) <= cells.iter().take(2).map(p).fold(1.0, f64::min));
    assert!((teacher["sign_flip"]["holm"].as_f64().unwrap() - 2.0 * p(teacher)).abs() < 1e-15);
    // One seed is no pool.
    let mut one = WEAK.to_vec();
    one.retain(|speaker| speaker.2 == 0);
    let single = runs.write("single", Status::Complete, &rows(&one, 60, 1));
    let json: Value =
        serde_json::from_str(&run(&[&single, &single, "--draws", "50", "--json"]).unwrap()).unwrap();
    assert_eq!(json["over_seeds"], serde_json::json!([]));
}

#[test]
fn a_run_does_not_differ_from_itself() {
    let runs = Runs::new();
    let (a, _) = two(&runs);
    let json: Value = serde_json::from_str(&run(&[&a, &a, "--draws", "50", "--json"]).unwrap()).unwrap();
    for cell in json["cells"].as_array().unwrap() {
        assert_eq!(cell["difference"]["value"], 0.0);
        assert_eq!((&cell["mcnemar"]["p"], &cell["sign_flip"]["p"]), (&1.0.into(), &1.0.into()));
    }
}

#[test]
fn the_items_that_differ_are_written() {
    let runs = Runs::new();
    let (a, b) = two(&runs);
    let path = runs.0.path().join("differ.csv").display().to_string();
    let text = run(&[&a, &b, "--draws", "50", "--json", "--items", &path]).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let expected: u64 = json["cells"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| cell["table"]["a_only"].as_u64().unwrap() + cell["table"]["b_only"].as_u64().unwrap())
        .sum();
    let written = std::fs::read_to_string(&path).unwrap();
    assert_eq!(written.lines().count() as u64, expected + 1);
    insta::assert_snapshot!(written.lines().take(4).collect::<Vec<_>>().join("\n"));
}

#[test]
fn mistakes() {
    let runs = Runs::new();
    let (a, b) = two(&runs);
    let unfinished = runs.write("unfinished", Status::Started, &[]);
    let other = runs.write("other", Status::Complete, &rows(&[("big", "ceiling=big", 0, 0.9)], 50, 3));
    let mut moved = rows(&WEAK[..1], 60, 4);
    moved.iter_mut().for_each(|row| row.item = format!("x{}", row.item).into());
    let moved = runs.write("moved", Status::Complete, &moved);
    let mut turned = rows(&WEAK[..1], 60, 4);
    turned.iter_mut().for_each(|row| row.gold = !row.gold);
    let turned = runs.write("turned", Status::Complete, &turned);
    let mut twice = rows(&WEAK[..1], 60, 4);
    twice.extend(twice.clone());
    let twice = runs.write("twice", Status::Complete, &twice);
    let empty = runs.0.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let empty = empty.display().to_string();
    let missing = runs.0.path().join("missing").display().to_string();
    let cases: Vec<Vec<&str>> = vec![
        vec![&missing, &a],
        vec![&empty, &a],
        vec![&a, &unfinished],
        vec![&a, &other],
        vec![&a, &moved],
        vec![&a, &turned],
        vec![&twice, &a],
        vec![&a, &b, "--part", "train"],
        vec![&a, &b, "--signal", "teacher=rung-2"],
        vec![&a, "--signal", "teacher=rung-1", "--with", "teacher=rung-1"],
        vec![&a, "--signal", "teacher=rung-1,ceiling=rung-2", "--with", "teacher=rung-1"],
        vec![&a, &b, "--level", "1.5"],
    ];
    let seen: Vec<String> = cases.iter().map(|case| runs.error(case)).collect();
    insta::assert_snapshot!(seen.join("\n"));
    assert!(run(&[&a]).unwrap_err().1.contains("--with") || run(&[&a]).unwrap_err().1.contains("RUN_B"));
}
