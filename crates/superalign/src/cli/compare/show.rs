//! The comparisons as a table and as JSON, and the items that differ as CSV.

use super::super::say;
use super::cells::{Adjusted, Compared, is_right};
use super::runs::{Aligned, Key};
use super::{CompareArgs, Metric};
use crate::report::{Table, terminal, thousands};
use serde_json::{Value, json};
use std::io::Write;
use superalign_core::Estimate;

pub(super) fn text(
    aligned: &Aligned,
    cells: &[Compared],
    pooled: &[Compared],
    args: &CompareArgs,
    out: &mut dyn Write,
) {
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
    // Every row that takes seeds together stands below them.
    let same = |one: &Compared, other: &Compared| {
        (&one.a.model, &one.a.signal, &one.b.model, &one.b.signal)
            == (&other.a.model, &other.a.signal, &other.b.model, &other.b.signal)
    };
    let by_name = cells.chunk_by(same).flat_map(|cells| {
        cells.iter().chain(pooled.iter().filter(move |row| cells.first().is_some_and(|cell| same(cell, row))))
    });
    for cell in by_name {
        let mut row = vec![
            both(&cell.a.model, &cell.b.model),
            both(&cell.a.signal, &cell.b.signal),
            match cell.seeds.len() {
                1 => cell.a.seed.to_string(),
                n => format!("all {n}"),
            },
            cell.items.to_string(),
            cell.value_a.to_string(),
            cell.value_b.to_string(),
            cell.difference.to_string(),
        ];
        if let Some(table) = &cell.table {
            row.extend(
                [table.both, table.first_only, table.second_only, table.neither].map(|n| n.to_string()),
            );
        } else if args.metric == Metric::Accuracy {
            // The four numbers and McNemar's test are of one seed.
            row.extend(std::iter::repeat_n(String::new(), 7));
        }
        for test in cell.mcnemar.iter().chain([&cell.flips]) {
            row.extend([p_value(test.p), p_value(test.holm), p_value(test.benjamini_hochberg)]);
        }
        row.push(format!("{:.3}", cell.detectable));
        table.rows.push(row);
    }
    say(out, "");
    let _ = write!(out, "{}", terminal(&table));
    for line in notes(aligned, cells, pooled, args) {
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

fn notes(aligned: &Aligned, cells: &[Compared], pooled: &[Compared], args: &CompareArgs) -> Vec<String> {
    let mut lines = Vec::new();
    let error = 1.0 - args.level;
    let found = cells.iter().filter(|cell| cell.flips.holm < error).count();
    lines.push(format!(
        "{found} of {} differ after Holm's adjustment of the flip test, which holds for groups of items.",
        count(cells.len(), "cell", "cells")
    ));
    if !pooled.is_empty() {
        let found = pooled.iter().filter(|cell| cell.flips.holm < error).count();
        lines.push(format!(
            "{found} of {} over all seeds differ, adjusted for the number of these.",
            count(pooled.len(), "row", "rows")
        ));
    }
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

pub(super) fn json(aligned: &Aligned, cells: &[Compared], pooled: &[Compared], args: &CompareArgs) -> Value {
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
    let pooled: Vec<Value> = pooled
        .iter()
        .map(|row| {
            json!({
                "a": key(&row.a),
                "b": key(&row.b),
                "seeds": row.seeds,
                "items": row.items,
                "groups": row.groups,
                "items_of_a_only": row.only[0],
                "items_of_b_only": row.only[1],
                "value_a": estimate(&row.value_a),
                "value_b": estimate(&row.value_b),
                "difference": estimate(&row.difference),
                "sign_flip": test(&row.flips),
                "detectable": row.detectable,
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
        "over_seeds": pooled,
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
