//! The comparisons as a table and as JSON, and the items that differ as CSV.

use super::super::say;
use super::cells::{Adjusted, Compared, is_right};
use super::runs::{Aligned, Key};
use super::{CompareArgs, Metric};
use crate::report::{Table, terminal, thousands};
use serde_json::{Value, json};
use std::io::Write;
use superalign_core::Estimate;

pub(super) fn text(aligned: &Aligned, cells: &[Compared], args: &CompareArgs, out: &mut dyn Write) {
    say(out, format!("A = {}", aligned.names[0]));
    say(out, format!("B = {}", aligned.names[1]));
    let level = format!("{:.0}%", 100.0 * args.level);
    let caption = format!(
        "{} on the part `{}`, with {level} intervals over {}",
        capital(args.metric.name()),
        args.part,
        if cells.iter().any(|cell| cell.groups < cell.items) { "groups of items" } else { "items" },
    );
    let mut header = vec!["model", "signal", "seed", "items", "A", "B", "A - B"];
    if args.metric == Metric::Accuracy {
        header.extend(["both", "A only", "B only", "neither", "McNemar p", "Holm", "BH"]);
    }
    header.extend(["flip p", "Holm", "BH", "detectable"]);
    let mut table = Table::new(caption, 2, &header);
    let both = |a: &str, b: &str| if a == b { a.to_owned() } else { format!("{a} / {b}") };
    for cell in cells {
        let mut row = vec![
            both(&cell.a.model, &cell.b.model),
            both(&cell.a.signal, &cell.b.signal),
            cell.a.seed.to_string(),
            cell.items.to_string(),
            cell.value_a.to_string(),
            cell.value_b.to_string(),
            cell.difference.to_string(),
        ];
        if let Some(table) = &cell.table {
            row.extend(
                [table.both, table.first_only, table.second_only, table.neither].map(|n| n.to_string()),
            );
        }
        for test in cell.mcnemar.iter().chain([&cell.flips]) {
            row.extend([p_value(test.p), p_value(test.holm), p_value(test.benjamini_hochberg)]);
        }
        row.push(format!("{:.3}", cell.detectable));
        table.rows.push(row);
    }
    say(out, "");
    let _ = write!(out, "{}", terminal(&table));
    for line in notes(aligned, cells, args) {
        say(out, line);
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn p_value(p: f64) -> String {
    if p < 0.0005 { format!("{p:.0e}") } else { format!("{p:.3}") }
}

fn notes(aligned: &Aligned, cells: &[Compared], args: &CompareArgs) -> Vec<String> {
    let mut lines = Vec::new();
    let error = 1.0 - args.level;
    let found = cells.iter().filter(|cell| cell.flips.holm < error).count();
    lines.push(format!(
        "{found} of {} differ after Holm's adjustment of the flip test, which holds for groups of items.",
        count(cells.len(), "cell", "cells")
    ));
    let grouped = cells.iter().any(|cell| cell.groups < cell.items);
    if grouped && args.metric == Metric::Accuracy {
        lines.push(
            "McNemar's test takes items of one group for independent: its p-values are too small.".to_owned(),
        );
    }
    if args.metric == Metric::Brier {
        lines.push("A lower Brier score is better: where A - B is below 0, A is.".to_owned());
    }
    lines.push(format!(
        "Detectable: the smallest difference that as many items would find four times in five, at {error:.3}."
    ));
    let (a, b) = cells.iter().fold((0, 0), |sum, cell| (sum.0 + cell.only[0], sum.1 + cell.only[1]));
    if a + b > 0 {
        lines.push(format!(
            "Left out, as one side only has them: {} of A, {} of B, over all cells.",
            count(a, "item", "items"),
            count(b, "item", "items")
        ));
    }
    let [a, b] = aligned.unmatched;
    if a + b > 0 && args.with.is_none() {
        lines.push(format!(
            "Passed over, as one side only has them: {} of A, {} of B.",
            count(a, "cell", "cells"),
            count(b, "cell", "cells")
        ));
    }
    lines
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(n as u64), if n == 1 { one } else { many })
}

pub(super) fn json(aligned: &Aligned, cells: &[Compared], args: &CompareArgs) -> Value {
    let key = |key: &Key| json!({ "model": key.model, "signal": key.signal });
    let estimate = |found: &Estimate| json!({ "value": found.value, "lo": found.lo, "hi": found.hi });
    let test = |found: &Adjusted| json!({ "p": found.p, "holm": found.holm, "benjamini_hochberg": found.benjamini_hochberg });
    let cells: Vec<Value> = cells
        .iter()
        .map(|cell| {
            json!({
                "a": key(&cell.a),
                "b": key(&cell.b),
                "seed": cell.a.seed,
                "items": cell.items,
                "groups": cell.groups,
                "items_of_a_only": cell.only[0],
                "items_of_b_only": cell.only[1],
                "value_a": estimate(&cell.value_a),
                "value_b": estimate(&cell.value_b),
                "difference": estimate(&cell.difference),
                "table": cell.table.map(|table| json!({
                    "both": table.both,
                    "a_only": table.first_only,
                    "b_only": table.second_only,
                    "neither": table.neither,
                })),
                "mcnemar": cell.mcnemar.as_ref().map(test),
                "sign_flip": test(&cell.flips),
                "detectable": cell.detectable,
            })
        })
        .collect();
    json!({
        "a": aligned.names[0],
        "b": aligned.names[1],
        "part": args.part,
        "metric": args.metric.name(),
        "level": args.level,
        "draws": args.draws,
        "seed": args.seed,
        "cells_of_a_only": aligned.unmatched[0],
        "cells_of_b_only": aligned.unmatched[1],
        "cells": cells,
    })
}

/// The items on which one side is right and the other wrong.
pub(super) fn differing(aligned: &Aligned) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "part",
        "model_a",
        "signal_a",
        "model_b",
        "signal_b",
        "seed",
        "item",
        "group",
        "family",
        "difficulty",
        "conflict",
        "gold",
        "probability_a",
        "probability_b",
        "right",
    ])?;
    for cell in &aligned.cells {
        for pair in aligned.pairs(cell) {
            if is_right(pair.a) == is_right(pair.b) {
                continue;
            }
            writer.write_record([
                &*pair.a.part,
                &cell.a.model,
                &cell.a.signal,
                &cell.b.model,
                &cell.b.signal,
                &cell.a.seed.to_string(),
                &*pair.a.item,
                &*pair.a.group,
                &*pair.a.family,
                &pair.a.difficulty.map(|d| d.to_string()).unwrap_or_default(),
                &pair.a.conflict.to_string(),
                &pair.a.gold.to_string(),
                &pair.a.probability.to_string(),
                &pair.b.probability.to_string(),
                if is_right(pair.a) { "a" } else { "b" },
            ])?;
        }
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}
