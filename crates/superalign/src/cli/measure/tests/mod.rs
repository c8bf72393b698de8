//! The command as a whole: every golden value through a file, and snapshots of what it says.

mod cases;
mod fixtures;
mod golden;
mod output;
mod repeats;

use super::{Failure, MeasureArgs, measure};
use crate::cli::folder::Folder;
use clap::Parser;
use serde_json::Value;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: MeasureArgs,
}

/// What the command prints, or the message with which it ends and its exit code.
fn run(arguments: &[&str]) -> Result<String, (i32, String)> {
    let line = Line::try_parse_from(std::iter::once("measure").chain(arguments.iter().copied()))
        .map_err(|error| (2, error.to_string()))?;
    let mut out = Vec::new();
    match measure(&line.args, &mut out) {
        Ok(()) => Ok(String::from_utf8(out).unwrap()),
        Err(Failure::Usage(message)) => Err((2, message)),
        Err(Failure::Failed(message)) => Err((1, message)),
        Err(failure) => panic!("{failure:?}"),
    }
}

/// What the command prints as JSON, without intervals.
fn json(arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json", "--draws", "0"]).collect();
    let text = run(&arguments).unwrap_or_else(|(code, message)| panic!("{arguments:?}: {code}: {message}"));
    serde_json::from_str(&text).unwrap()
}

/// The value of the first row of that metric and part: a number, an array, or `"error"`.
fn value(json: &Value, metric: &str, part: &str) -> Value {
    let rows = json["values"].as_array().unwrap();
    // A metric that is undefined as a whole has one row, without parts.
    let named = |row: &&Value| row["metric"] == metric && row["part"].as_str().unwrap_or_default() == part;
    let failed = |row: &&Value| row["metric"] == metric && row["error"].is_string();
    let row = rows.iter().find(named).or_else(|| rows.iter().find(failed));
    let row = row.unwrap_or_else(|| panic!("no {metric}, {part} in {json}"));
    if row["error"].is_string() {
        return "error".into();
    }
    if row["values"].is_null() { row["value"].clone() } else { row["values"].clone() }
}
