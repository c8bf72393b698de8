//! Generated tables through the command: snapshots, the published item response models, and every way to be wrong.

use super::{ExtrapolateArgs, Failure, extrapolate};
use crate::cli::folder::Folder;
use clap::Parser;
use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use superalign_core::{Seed, binomial};

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: ExtrapolateArgs,
}

/// What the command prints, or the message with which it ends and its exit code.
fn run(arguments: &[&str]) -> Result<String, (i32, String)> {
    let line = Line::try_parse_from(std::iter::once("extrapolate").chain(arguments.iter().copied()))
        .map_err(|error| (2, error.to_string()))?;
    let mut out = Vec::new();
    match extrapolate(&line.args, &mut out) {
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

/// Students whose shares fall over nine levels of difficulty, each a little better than the one before.
fn ladder(students: usize, trials: u64, seed: u64) -> String {
    let mut text = "model,difficulty,right,total\n".to_owned();
    for student in 0..students {
        let mut rng = Seed::new(seed).nth(student as u64).rng();
        let midpoint = 4.0 + 2.5 * student as f64 / students as f64;
        for level in 1..=9_u32 {
            let share = 1.0 / (1.0 + (0.8 * (f64::from(level) - midpoint)).exp());
            let right = binomial(&mut rng, trials, share);
            writeln!(text, "student-{student},{level},{right},{trials}").unwrap();
        }
    }
    text
}

#[test]
fn a_ladder_over_difficulty() {
    let folder = Folder::new();
    let path = folder.write("ladder.csv", ladder(4, 200, 1));
    let seen = run(&[&path, "--predict", "5.5,10,14", "--backtest", "--draws", "100"]).unwrap();
    insta::assert_snapshot!(folder.hide(&seen));
}

#[test]
fn one_curve_over_scale() {
    let folder = Folder::new();
    let text = "name,params,accuracy,n\na,6e4,0.52,1000\nb,2e5,0.559,1000\nc,8e5,0.63,1000\nd,3e6,0.701,1000\n\
                e,1.2e7,0.772,1000\nf,5e7,0.821,1000\n";
    let path = folder.write("scale.csv", text);
    let svg = folder.path("scale.svg").display().to_string();
    let columns = ["--columns", "model=name"];
    let one = [&path[..], "--x", "scale", "--model", "logistic", "--floor", "0.5", "--predict", "2e8,1e12"];
    let rest = ["--draws", "100", "--enough", "1", "--plot", &svg, "--resampling", "binomial"];
    let seen = run(&[&one[..], &columns, &rest].concat()).unwrap();
    insta::assert_snapshot!(folder.hide(&seen));
    let drawn = std::fs::read_to_string(&svg).unwrap();
    assert!(drawn.starts_with("<svg xmlns") && drawn.trim_end().ends_with("</svg>"));
    assert_eq!(drawn.matches("<svg").count(), 2);
    assert!(drawn.contains("logarithm of scale") && drawn.contains("predicted"));
}

#[test]
fn one_answer_a_row_is_the_same_as_counts() {
    let folder = Folder::new();
    let (mut counts, mut each) =
        ("x,successes,trials\n".to_owned(), "{\"x\":9,\"correct\":null}\n".to_owned());
    for (level, right) in [(1, 38), (2, 33), (3, 25), (4, 14), (5, 7), (6, 2)] {
        writeln!(counts, "{level},{right},40").unwrap();
        for item in 0..40 {
            writeln!(each, "{{\"x\":{level},\"correct\":{}}}", item < right).unwrap();
        }
    }
    let (counts, each) = (folder.write("counts.csv", &counts), folder.write("each.jsonl", &each));
    let of = |path: &str| json(&[path, "--predict", "7", "--draws", "50", "--enough", "1"]);
    let (counts, each) = (of(&counts), of(&each));
    for key in ["weights", "backtests", "series"] {
        assert_eq!(counts[key], each[key]);
    }
    assert_eq!(each["notes"][1], "1 items without an answer are left out.");
}

#[test]
fn predictions_beyond_what_was_tested_are_refused_or_widened() {
    let folder = Folder::new();
    let path = folder.write("ladder.csv", ladder(3, 300, 2));
    let of = |beyond: &str, x: &str| {
        let args = [&path, "--model", "logistic", "--draws", "100", "--beyond", beyond, "--predict", x];
        json(&args)["series"][0]["predictions"][0].clone()
    };
    assert_eq!(of("refuse", "10")["reach"], "tested");
    assert_eq!(
        of("refuse", "13")["error"],
        "prediction is undefined: level 13 is 4 beyond the last, and 3 was tested"
    );
    let widened = of("widen", "15");
    assert_eq!((&widened["reach"], &widened["widened_by"]), (&"widened".into(), &2.0.into()));
    assert_eq!(
        of("widen", "0.5")["error"],
        "prediction is undefined: level 0.5 is below the first, 1: backtests go upwards"
    );
    // Two levels cannot be backtested.
    let short = folder.write("short.csv", "x,successes,trials\n1,30,40\n2,20,40\n");
    let found = json(&[&short, "--model", "monotone", "--predict", "2,3", "--draws", "50"]);
    assert!(found["backtests"]["error"].as_str().unwrap().contains("levels"), "{found}");
    assert_eq!(found["series"][0]["predictions"][0]["reach"], "within");
    assert!(found["series"][0]["predictions"][1]["error"].is_string());
}

#[test]
fn backtests_of_a_ladder_cover_as_often_as_they_say() {
    let folder = Folder::new();
    let path = folder.write("ladder.csv", ladder(20, 200, 3));
    let found = json(&[&path, "--draws", "200"]);
    let (forecasts, coverage) =
        (found["backtests"]["forecasts"].as_u64().unwrap(), found["backtests"]["coverage"].as_f64().unwrap());
    assert!(forecasts >= 200 && found["backtests"]["weights_held_out"] == true, "{forecasts}");
    assert!((0.90..=0.99).contains(&coverage), "{coverage}");
    let row = |curve: &str| {
        let rows = found["backtests"]["by_horizon"].as_array().unwrap();
        rows.iter().find(|row| row["curve"] == curve).unwrap()["crps"]["value"].as_f64().unwrap()
    };
    let scores = ["stack", "linear", "last value"].map(|curve| format!("{curve} {:.4}", row(curve)));
    insta::assert_snapshot!(format!(
        "{forecasts} forecasts, {coverage:.4} covered; CRPS one level ahead: {}",
        scores.join(", ")
    ));
    assert!(row("stack") < 0.8 * row("linear") && row("stack") < 0.5 * row("last value"));
    assert!(found["weights"]["logistic"].as_f64().unwrap() > 0.5, "{}", found["weights"]);
}

/// The text of a fixture, unless there is none.
fn fixture(relative: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = std::env::var_os("SUPERALIGN_SHARED").map_or_else(beside, PathBuf::from);
    let path = path.join("fixtures").join(relative);
    if path.exists() {
        return Some(path);
    }
    #[expect(clippy::print_stdout, reason = "a test that did not run has to say so")]
    {
        println!("skipped: not found: fixture {relative}");
    }
    None
}

#[test]
fn the_law_school_admission_tests() {
    let Some(expected) = fixture("irt/expected.json") else { return };
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(expected).unwrap()).unwrap();
    let close = |found: &Value, expected: &Value, tolerance: f64| {
        let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
        assert!((found - expected).abs() <= tolerance, "{found} {expected}");
    };
    for (name, file) in [("LSAT6", "irt/lsat6_patterns.csv"), ("LSAT7", "irt/lsat7_patterns.csv")] {
        let Some(path) = fixture(file) else { return };
        let path = path.display().to_string();
        let (two, one) = (json(&[&path, "--irt", "2pl"]), json(&[&path, "--irt", "rasch"]));
        assert_eq!((&two["persons"], &one["parameters"]), (&1000.0.into(), &6.into()));
        close(&two["log_likelihood"], &expected[name]["2PL"]["loglik"], 1e-2);
        close(&one["log_likelihood"], &expected[name]["1PL(common slope)"]["loglik"], 1e-2);
        close(&one["items"][0]["slope"]["value"], &expected[name]["1PL(common slope)"]["slope"], 1e-3);
        for j in 0..5 {
            let (item, wanted) = (&two["items"][j], &expected[name]["2PL"]);
            close(&item["slope"]["value"], &wanted["slope_a"][j], 2e-3);
            close(&item["intercept"]["value"], &wanted["intercept_d"][j], 2e-3);
            close(&item["difficulty"]["value"], &wanted["difficulty_b=-d/a"][j], 1e-2);
            if name == "LSAT6" {
                let (item, wanted) = (&one["items"][j]["intercept"], &expected[name]["mirt_test_Rasch"]);
                close(&item["lo"], &wanted["d_ci95"][j][0], 0.01);
                close(&item["hi"], &wanted["d_ci95"][j][1], 0.01);
                close(&one["ability_variance"]["value"], &wanted["theta_var"], 0.01);
            }
        }
    }
}

#[test]
fn answers_to_items_wide_and_long() {
    let folder = Folder::new();
    let (mut wide, mut long) = ("who,a,b,c\n".to_owned(), "person,item,correct\n".to_owned());
    for person in 0..60 {
        let answers: Vec<usize> = (0..3)
            .map(|item| usize::from((item < person % 4) ^ ((person * 3 + item * 11) % 7 == 0)))
            .collect();
        writeln!(wide, "p{person},{},{},{}", answers[0], answers[1], answers[2]).unwrap();
        for (item, answer) in ["a", "b", "c"].iter().zip(answers) {
            writeln!(long, "p{person},{item},{answer}").unwrap();
        }
    }
    let (wide, long) = (folder.write("wide.csv", &wide), folder.write("long.csv", &long));
    let wide = run(&[&wide, "--irt", "rasch", "--columns", "person=who"]).unwrap();
    let long = run(&[&long, "--irt", "rasch"]).unwrap();
    let after = |text: &str| text.split_once('\n').unwrap().1.to_owned();
    assert_eq!(after(&wide), after(&long));
    insta::assert_snapshot!(folder.hide(&wide));
}

#[test]
fn mistakes() {
    let folder = Folder::new();
    let good = folder.write("good.csv", "x,successes,trials\n1,9,10\n2,5,10\n3,1,10\n");
    let cases: Vec<(&str, &str, Vec<&str>)> = vec![
        ("none.csv", "a,b\n1,2\n", vec![]),
        ("many.csv", "x,successes,trials\n1,9,10\n2,12,10\n", vec![]),
        ("half.csv", "x,successes,trials\n1,9.5,10\n", vec![]),
        ("zero.csv", "x,successes,trials\n1,0,0\n", vec![]),
        ("text.csv", "x,successes,trials\n1,9,10\ntwo,9,10\n", vec![]),
        ("gap.csv", "x,successes,trials\n1,9,10\n,9,10\n", vec![]),
        ("percent.csv", "x,score,n\n1,90,10\n", vec![]),
        ("answer.csv", "x,correct\n1,1\n1,2\n", vec![]),
        ("scale.csv", "x,successes,trials\n0,9,10\n1,9,10\n", vec!["--x", "scale"]),
        ("power.csv", "x,successes,trials\n-1,9,10\n1,9,10\n", vec!["--model", "power"]),
        ("one.csv", "x,successes,trials\n1,9,10\n", vec!["--model", "logistic"]),
        ("wide.csv", "a,b,freq\n1,0,3\n0,7,2\n", vec!["--irt", "2pl"]),
        ("twice.csv", "person,item,correct\np,a,1\np,a,0\n", vec!["--irt", "2pl"]),
        ("right.csv", "a,b,c\n1,0,1\n1,1,0\n1,0,0\n", vec!["--irt", "2pl"]),
    ];
    let mut seen = String::new();
    for (name, text, arguments) in cases {
        let path = folder.write(name, text);
        let (code, message) = run(&[&[&path[..]], &arguments[..]].concat()).unwrap_err();
        assert_eq!(code, 2, "{message}");
        writeln!(seen, "{}", folder.hide(&message)).unwrap();
    }
    for arguments in [
        ["--columns", "x"],
        ["--columns", "scor=x"],
        ["--columns", "x=nothing"],
        ["--floor", "2"],
        ["--level", "1"],
        ["--resampling", "clusters"],
        ["--horizon", "0"],
    ] {
        let (code, message) = match run(&[&[&good[..]], &arguments[..]].concat()) {
            Err(found) => found,
            Ok(text) => (2, text),
        };
        assert_eq!(code, 2, "{message}");
        writeln!(seen, "{}", folder.hide(&message)).unwrap();
    }
    insta::assert_snapshot!(seen);
}
