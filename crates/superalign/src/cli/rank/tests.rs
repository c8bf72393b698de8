//! The command as a whole: golden values through files, and snapshots of what it says.

use super::{Failure, RankArgs, rank};
use crate::cli::folder::Folder;
use clap::Parser;
use serde_json::Value;
use std::path::{Path, PathBuf};

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: RankArgs,
}

/// What the command prints, or the message with which it ends and its exit code.
fn run(arguments: &[&str]) -> Result<String, (i32, String)> {
    let line = Line::try_parse_from(std::iter::once("rank").chain(arguments.iter().copied()))
        .map_err(|error| (2, error.to_string()))?;
    let mut out = Vec::new();
    match rank(&line.args, &mut out) {
        Ok(()) => Ok(String::from_utf8(out).unwrap()),
        Err(Failure::Usage(message)) => Err((2, message)),
        Err(Failure::Failed(message)) => Err((1, message)),
        Err(failure) => panic!("{failure:?}"),
    }
}

fn json(arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let text = run(&arguments).unwrap_or_else(|(code, message)| panic!("{arguments:?}: {code}: {message}"));
    serde_json::from_str(&text).unwrap()
}

/// Three models that judge one another on ten prompts, in either order; `weak` prefers itself.
fn peers() -> String {
    let mut text = "prompt,judge,left,right,winner\n".to_owned();
    let names = ["strong", "middle", "weak"];
    for prompt in 0..10 {
        for judge in names {
            for (i, j) in [(0, 1), (1, 2), (2, 0), (1, 0)] {
                let noise = (prompt * 7 + i * 5 + j * 3 + judge.len()) % 10;
                let winner = match noise {
                    0 => "tie",
                    1..=2 if judge != "weak" => names[i.max(j)],
                    _ if judge == "weak" && i + j > 1 => "weak",
                    _ => names[i.min(j)],
                };
                text += &format!("p{prompt},{judge},{},{},{winner}\n", names[i], names[j]);
            }
        }
    }
    text
}

#[test]
fn every_method_as_a_table() {
    let folder = Folder::new();
    let path = folder.write("peers.csv", peers());
    let mut seen = String::new();
    for method in [
        "bradley-terry",
        "davidson",
        "elo",
        "pagerank",
        "rank-centrality",
        "win-rate",
        "judge-weighted",
        "prd",
        "pico",
    ] {
        seen += &run(&[&path, "--method", method, "--draws", "200"]).unwrap();
        seen.push('\n');
    }
    seen += &run(&[&path, "--interval", "fisher", "--collusion", "weak", "--draws", "20"]).unwrap();
    insta::assert_snapshot!(folder.hide(&seen));
}

#[test]
fn one_json_object() {
    let folder = Folder::new();
    let path = folder.write("peers.csv", peers());
    let arguments = [&path, "--method", "davidson", "--json", "--collusion", "middle", "--draws", "20"];
    insta::assert_snapshot!(folder.hide(&run(&arguments).unwrap()));
}

#[test]
fn mistakes_say_what_is_wrong() {
    let folder = Folder::new();
    let peers = folder.write("peers.csv", peers());
    let two = "left,right,winner\na,b,left\nb,a,left\n";
    let mut said = Vec::new();
    for (text, more) in [
        ("left,right,winner\na,b,left\nb,c,left\nc,b,right\n", &[] as &[&str]),
        ("left,right,winner\na,b,left\nb,a,left\nc,d,tie\n", &[]),
        ("left,right,winner\na,b,left\nb,a,left\nc,d,tie\n", &["--method", "rank-centrality"]),
        ("left,right,winner\na,b,tie\nb,a,tie\n", &["--method", "davidson"]),
        ("left,right,winner\na,b,tie\nb,a,tie\n", &["--ties", "dropped"]),
        ("left,right,winner\na,b,left\na,a,left\n", &[]),
        ("left,right,winner\na,b,\nb,a,\n", &[]),
        ("left,right,winner\na,b,a\nb,a,zzz\n", &[]),
        ("left,right,winner\n", &[]),
        ("left,right,verdicts\na,b,left\n", &[]),
        ("first_model,right,winner\na,b,left\n", &[]),
        (two, &["--columns", "left=lft"]),
        (two, &["--columns", "lefft=left"]),
        (two, &["--columns", "left"]),
        (two, &["--method", "judge-weighted"]),
        (two, &["--method", "prd"]),
        ("left,right,winner,judge\na,b,left,x\nb,a,left,y\n", &["--method", "prd"]),
        (two, &["--method", "elo", "--interval", "fisher"]),
        (two, &["--method", "win-rate", "--interval", "sandwich"]),
        (two, &["--interval", "clustered"]),
        (two, &["--ridge", "-1"]),
        (two, &["--level", "2"]),
        (two, &["--draws", "0"]),
        (two, &["--method", "bradly"]),
    ] {
        let path = folder.write("votes.csv", text);
        let arguments: Vec<&str> = std::iter::once(path.as_str()).chain(more.iter().copied()).collect();
        let (code, message) = run(&arguments).expect_err(text);
        assert_eq!(code, 2, "{message}");
        said.push(folder.hide(&message));
    }
    let (_, message) = run(&[&peers, "--collusion", "nobody"]).unwrap_err();
    said.push(message);
    let (_, message) = run(&[&peers, "--collusion", "strong"]).unwrap_err();
    said.push(message);
    insta::assert_snapshot!(said.join("\n---\n"));
}

#[test]
fn a_prior_ranks_the_undefeated() {
    let folder = Folder::new();
    let path = folder.write("votes.csv", "left,right,winner\na,b,left\nb,c,left\na,c,left\n");
    let found = json(&[&path, "--ridge", "0.1"]);
    let names: Vec<&str> =
        found["players"].as_array().unwrap().iter().map(|row| row["player"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(found["connectivity"]["undefeated"], serde_json::json!(["a"]));
}

#[test]
fn both_orders_in_a_row_are_two_comparisons() {
    let folder = Folder::new();
    let path = folder.write("votes.csv", "left,right,winner,winner_swapped\na,b,left,right\nb,a,left,left\n");
    let found = json(&[&path, "--method", "win-rate"]);
    assert_eq!(found["comparisons"], 4);
    // a won both times in the first row, and once in the second.
    assert_eq!(found["players"][0]["score"], 0.75);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let folder = Folder::new();
    let path = folder.write("peers.csv", peers());
    let with =
        |seed: &str| run(&[&path, "--method", "prd", "--json", "--seed", seed, "--draws", "50"]).unwrap();
    assert_eq!(with("3"), with("3"));
    assert_ne!(with("3"), with("4"));
}

/// A fixture, or a word that it is not there.
#[expect(clippy::print_stdout, reason = "a check that did not run has to say so")]
fn fixture(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SUPERALIGN_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join("fixtures").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: not found: {}", path.display());
    None
}

#[test]
fn files_of_evalica_as_they_are() {
    for name in ["simple", "food"] {
        let Some(file) = fixture(&format!("evalica/{name}.csv")) else { return };
        let file = file.display().to_string();
        let golden =
            std::fs::read_to_string(fixture(&format!("evalica/{name}-golden.csv")).unwrap()).unwrap();
        for (method, theirs) in [
            ("win-rate", "average_win_rate"),
            ("elo", "elo"),
            ("pagerank", "pagerank"),
            ("bradley-terry", "bradley_terry"),
            ("davidson", "newman"),
        ] {
            let found = json(&[&file, "--method", method, "--draws", "20"]);
            let rows = found["players"].as_array().unwrap();
            let score = |player: &str| {
                rows.iter().find(|row| row["player"] == player).unwrap()["score"].as_f64().unwrap()
            };
            let expected: Vec<(f64, f64)> = golden
                .lines()
                .map(|line| line.split(',').collect::<Vec<_>>())
                .filter(|cells| cells[0] == theirs)
                .map(|cells| (score(cells[1]), cells[2].parse::<f64>().unwrap()))
                .collect();
            assert_eq!(expected.len(), 5);
            // Strengths are compared up to a factor.
            let is_log = matches!(method, "bradley-terry" | "davidson");
            let scale = if is_log { expected.iter().map(|(_, e)| e.ln()).sum::<f64>() / 5.0 } else { 0.0 };
            for (found, expected) in expected {
                let found = if is_log { (found + scale).exp() } else { found };
                assert!((found / expected - 1.0).abs() < 1e-4, "{name}, {method}: {found} {expected}");
            }
        }
    }
}

#[test]
fn peer_reviews_of_prd() {
    let Some(file) = fixture("prd/peer_reviews.csv") else { return };
    // Scores are -1, 0 and 1 there, for the first, a tie and the second.
    let text: String = std::fs::read_to_string(file)
        .unwrap()
        .lines()
        .map(|line| match line.rsplit_once(',') {
            Some((rest, "-1")) => format!("{rest},left\n"),
            Some((rest, "1")) => format!("{rest},right\n"),
            Some((rest, "0")) => format!("{rest},tie\n"),
            Some((rest, _)) => format!("{rest},winner\n"),
            None => String::new(),
        })
        .collect();
    let folder = Folder::new();
    let path = folder.write("peers.csv", &text);
    let expected: Value =
        serde_json::from_str(&std::fs::read_to_string(fixture("prd/expected.json").unwrap()).unwrap())
            .unwrap();
    let expected = &expected["peer_rank_minmax"]["50"];
    let found = json(&[&path, "--method", "prd", "--interval", "none"]);
    for row in found["players"].as_array().unwrap() {
        let wanted = expected["scores"][row["player"].as_str().unwrap()].as_f64().unwrap();
        assert!((row["score"].as_f64().unwrap() - wanted).abs() < 1e-9, "{row}");
    }
    for row in found["judge_weights"]["judges"].as_array().unwrap() {
        let wanted = expected["weights"][row["judge"].as_str().unwrap()].as_f64().unwrap();
        assert!((row["weight"].as_f64().unwrap() - wanted).abs() < 1e-9, "{row}");
    }
}
