//! What was found, as sentences and tables, and as JSON.

use super::super::say;
use super::table::Counts;
use super::work::{Found, STACK, Weighing, held_out};
use super::{ExtrapolateArgs, Levels};
use crate::report::{Table, terminal};
use serde_json::{Map, Value, json};
use std::io::Write;
use superalign_core::Estimate;
use superalign_data::columns::Columns;
use superalign_evaluation::extrapolation::{Prediction, Reach};

pub(super) fn text(counts: &Counts, found: &Found, args: &ExtrapolateArgs, out: &mut dyn Write) {
    for line in counts.notes.iter().chain(&found.notes) {
        say(out, line);
    }
    for line in sentences(found, counts, args) {
        say(out, line);
    }
    let mut tables = vec![parameters(counts, found, args)];
    if found.members.len() > 1 {
        tables.push(weights(found));
    }
    if args.backtest {
        tables.extend(backtests(found, args));
    }
    if !args.predict.is_empty() {
        tables.push(predictions(counts, found, args));
    }
    for table in tables {
        say(out, "");
        let _ = write!(out, "{}", terminal(&table));
    }
    let refused = found.predictions.iter().flatten().filter_map(|(_, one)| one.as_ref().err());
    let mut seen: Vec<&String> = Vec::new();
    for why in refused {
        if !seen.contains(&why) {
            say(out, format!("Refused: {why}."));
            seen.push(why);
        }
    }
}

/// A level, or a distance of levels, in words.
fn reach_in_words(tested: f64, x: Levels) -> String {
    match x {
        Levels::Difficulty => format!("{} beyond the last level", number(tested)),
        Levels::Scale => format!("{} times the last level", number(tested.exp())),
    }
}

/// What the backtests say of the predictions.
fn sentences(found: &Found, counts: &Counts, args: &ExtrapolateArgs) -> Vec<String> {
    let mut lines = Vec::new();
    let name = if found.members.len() > 1 { "the stack" } else { "the curve" };
    match (&found.backtests, found.coverage) {
        (Ok(_), Some((coverage, forecasts))) => {
            let level = 100.0 * args.level;
            let mut line = format!(
                "Backtests from {} levels on: the {level:.0}% intervals of {name} covered {:.0}% of {forecasts} forecasts",
                found.first,
                100.0 * coverage
            );
            line += match forecasts {
                // With so few, no coverage is far from the level.
                ..20 => ", too few to judge them by.",
                _ if coverage < args.level - 0.05 => ": they are too narrow.",
                _ if coverage > args.level + 0.04 && coverage > 0.99 => ": they are wider than they say.",
                _ => ".",
            };
            lines.push(line);
            if found.weighing == Weighing::Stacked {
                lines.push(
                    if held_out(counts, found) {
                        "For these, the weights of a series come from the other series."
                    } else {
                        "The weights come from the same forecasts, which flatters the stack."
                    }
                    .to_owned(),
                );
            }
            lines.push(if found.tested > 0.0 {
                format!(
                    "Tested as far as {} (at least {} forecasts reach it); beyond, predictions are {}.",
                    reach_in_words(found.tested, args.x),
                    args.enough,
                    match args.beyond {
                        super::Beyond::Refuse => "refused",
                        super::Beyond::Widen => "widened in proportion",
                    }
                )
            } else {
                format!(
                    "Fewer than {} forecasts: nothing beyond the last level counts as tested.",
                    args.enough
                )
            });
        }
        (Err(why), _) => {
            lines.push(format!("No backtests: {why}. Nothing beyond the last level is predicted."));
        }
        (Ok(_), None) => {}
    }
    lines
}

fn parameters(counts: &Counts, found: &Found, args: &ExtrapolateArgs) -> Table {
    let caption = format!("Curves over {}, with {:.0}% intervals", args.x.name(), 100.0 * args.level);
    let mut table = Table::new(
        caption,
        3,
        &["series", "curve", "parameter", "value", "interval by", "log-likelihood", "AIC"],
    );
    for (series, fits) in counts.series.iter().zip(&found.fits) {
        for fit in fits {
            let start =
                |parameter: &str| vec![shown(&series.name), fit.name.to_owned(), parameter.to_owned()];
            let fitted = [format!("{:.2}", fit.fitted.log_likelihood), format!("{:.2}", fit.fitted.aic())];
            if fit.parameters.is_empty() {
                let steps = format!("{} steps", fit.fitted.free);
                table.rows.push([start(""), vec![steps, String::new()], fitted.to_vec()].concat());
            }
            for (place, (name, value, how)) in fit.parameters.iter().enumerate() {
                let value = match value {
                    Ok(estimate) => interval(estimate),
                    Err(value) => number(*value),
                };
                let fitted = if place == 0 { fitted.to_vec() } else { vec![String::new(); 2] };
                table.rows.push([start(name), vec![value, (*how).to_owned()], fitted].concat());
            }
        }
    }
    table
}

fn weights(found: &Found) -> Table {
    let caption = match found.weighing {
        Weighing::Equal => "Weights: all the same, as there is no backtest",
        Weighing::Stacked | Weighing::One => "Weights by the log-score of the backtests",
    };
    let mut table = Table::new(caption, 1, &["curve", "weight"]);
    for ((name, _), weight) in &found.members {
        table.rows.push(vec![(*name).to_owned(), format!("{weight:.3}")]);
    }
    table
}

fn backtests(found: &Found, args: &ExtrapolateArgs) -> Option<Table> {
    let report = found.backtests.as_ref().ok()?;
    let caption = format!("Backtests by horizon, with {:.0}% intervals over series", 100.0 * args.level);
    let header = ["curve", "horizon", "forecasts", "coverage", "CRPS", "bias", "log-score"];
    let mut table = Table::new(caption, 1, &header);
    for (name, horizons) in report {
        for h in horizons {
            table.rows.push(vec![
                (*name).to_owned(),
                h.horizon.to_string(),
                h.forecasts.to_string(),
                h.coverage.to_string(),
                h.crps.to_string(),
                h.bias.to_string(),
                format!("{:.2}", h.log_score),
            ]);
        }
    }
    Some(table)
}

fn predictions(counts: &Counts, found: &Found, args: &ExtrapolateArgs) -> Table {
    let caption = format!(
        "Predictions, with {:.0}% intervals; the outcome is that of {} new items",
        100.0 * args.level,
        found.items
    );
    let header = ["series", "x", "share", "outcome", "curves disagree", "reach"];
    let mut table = Table::new(caption, 1, &header);
    for (series, predictions) in counts.series.iter().zip(&found.predictions) {
        for (x, prediction) in predictions {
            let mut row = vec![shown(&series.name), number(*x)];
            match prediction {
                Ok(p) => row.extend([
                    p.share.to_string(),
                    p.outcome.to_string(),
                    format!("[{:.3}, {:.3}]", p.disagreement[0], p.disagreement[1]),
                    reach(p),
                ]),
                Err(_) => row.extend(["refused", "", "", ""].map(str::to_owned)),
            }
            table.rows.push(row);
        }
    }
    table
}

fn reach(prediction: &Prediction) -> String {
    match prediction.reach {
        Reach::Within => "within the data".to_owned(),
        Reach::Tested => "tested".to_owned(),
        Reach::Widened { factor } => format!("untested: widened {factor:.2} times"),
    }
}

/// The name of a series; a table of one series has none.
fn shown(name: &str) -> String {
    if name.is_empty() { "all".to_owned() } else { name.to_owned() }
}

/// A number of four digits that count, whatever its size.
pub(super) fn number(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return x.to_string();
    }
    if (1e-3..1e6).contains(&x.abs()) {
        let digits = (3 - x.abs().log10().floor() as i32).clamp(0, 6) as usize;
        let text = format!("{x:.digits$}");
        let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        return short.to_owned();
    }
    format!("{x:.3e}")
}

pub(super) fn interval(estimate: &Estimate) -> String {
    format!("{} [{}, {}]", number(estimate.value), number(estimate.lo), number(estimate.hi))
}

/// A number of JSON, which has none that are not finite: those are null, an open end.
fn finite(x: f64) -> Value {
    if x.is_finite() { json!(x) } else { Value::Null }
}

pub(super) fn estimate(found: &Estimate) -> Value {
    json!({ "value": finite(found.value), "lo": finite(found.lo), "hi": finite(found.hi) })
}

pub(super) fn json(table: &Columns, counts: &Counts, found: &Found, args: &ExtrapolateArgs) -> Value {
    let series = |place: usize| {
        let one = &counts.series[place];
        let fits: Vec<Value> = found.fits[place]
            .iter()
            .map(|fit| {
                let parameters: Map<String, Value> = fit
                    .parameters
                    .iter()
                    .map(|(name, value, how)| {
                        let mut value = match value {
                            Ok(found) => estimate(found),
                            Err(value) => json!({ "value": value }),
                        };
                        value["by"] = json!(how);
                        ((*name).to_owned(), value)
                    })
                    .collect();
                json!({
                    "curve": fit.name,
                    "parameters": parameters,
                    "free": fit.fitted.free,
                    "log_likelihood": fit.fitted.log_likelihood,
                    "aic": fit.fitted.aic(),
                })
            })
            .collect();
        let predictions: Vec<Value> = found.predictions[place]
            .iter()
            .map(|(x, prediction)| match prediction {
                Ok(p) => json!({
                    "x": x,
                    "items": p.items,
                    "share": estimate(&p.share),
                    "outcome": estimate(&p.outcome),
                    "disagreement": p.disagreement,
                    "reach": match p.reach {
                        Reach::Within => "within",
                        Reach::Tested => "tested",
                        Reach::Widened { .. } => "widened",
                    },
                    "widened_by": match p.reach {
                        Reach::Widened { factor } => json!(factor),
                        Reach::Within | Reach::Tested => Value::Null,
                    },
                }),
                Err(why) => json!({ "x": x, "error": why }),
            })
            .collect();
        let levels: Vec<Value> = one
            .levels
            .iter()
            .map(|(x, right, total)| json!({ "x": x, "successes": right, "trials": total }))
            .collect();
        json!({ "model": one.name, "levels": levels, "fits": fits, "predictions": predictions })
    };
    let weights: Map<String, Value> =
        found.members.iter().map(|((name, _), weight)| ((*name).to_owned(), json!(weight))).collect();
    let backtests = match &found.backtests {
        Err(why) => json!({ "error": why }),
        Ok(report) => {
            let rows: Vec<Value> = report
                .iter()
                .flat_map(|(name, horizons)| horizons.iter().map(move |h| (name, h)))
                .map(|(name, h)| {
                    json!({
                        "curve": name,
                        "horizon": h.horizon,
                        "forecasts": h.forecasts,
                        "coverage": estimate(&h.coverage),
                        "crps": estimate(&h.crps),
                        "bias": estimate(&h.bias),
                        "log_score": estimate(&h.log_score),
                    })
                })
                .collect();
            let judged = if found.members.len() > 1 { STACK } else { found.members[0].0.0 };
            json!({
                "first": found.first,
                "tested_distance": found.tested,
                "judged": judged,
                "coverage": found.coverage.map(|coverage| coverage.0),
                "forecasts": found.coverage.map(|coverage| coverage.1),
                "weights_held_out": found.weighing == Weighing::Stacked && held_out(counts, found),
                "by_horizon": rows,
            })
        }
    };
    json!({
        "file": table.path.display().to_string(),
        "digest": table.digest,
        "x": args.x.name(),
        "notes": counts.notes.iter().chain(&found.notes).collect::<Vec<_>>(),
        "level": args.level,
        "draws": args.draws,
        "seed": args.seed,
        "weights": weights,
        "backtests": backtests,
        "series": (0..counts.series.len()).map(series).collect::<Vec<_>>(),
    })
}
