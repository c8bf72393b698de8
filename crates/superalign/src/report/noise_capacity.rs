//! The report of a noise-capacity experiment.

use super::figure::{self, Bars, Lines, Series};
use super::prose::{Effect, and, compare, effect};
use super::table::{Table, shown};
use super::{Findings, Numbers};
use crate::experiment::noise_capacity::{CAPACITY, TEST, TRAIN_CLEAN, TRAIN_NOISY, cell, rung_cell};
use crate::plan::Plan;
use crate::spec::NoiseCapacity;
use superalign_core::Estimate;

/// Reads the findings out of the numbers.
pub(super) fn findings(plan: &Plan, design: &NoiseCapacity, numbers: &Numbers<'_>) -> Findings {
    let rungs: Vec<&str> = plan.rungs.iter().map(|r| r.name.as_str()).collect();
    Findings {
        sentences: sentences(&rungs, design, numbers),
        figures: figures(&rungs, design, numbers),
        tables: tables(&rungs, design, numbers),
    }
}

fn sentences(rungs: &[&str], design: &NoiseCapacity, numbers: &Numbers<'_>) -> Vec<String> {
    let mut out = Vec::new();
    let capacity = |rung: &str| numbers.summary(&rung_cell(rung), CAPACITY);
    let known: Vec<(&str, Estimate)> =
        rungs.iter().filter_map(|r| Some((*r, capacity(r)?.estimate()?))).collect();
    let listed: Vec<String> = known.iter().map(|(r, e)| format!("{r} {e}")).collect();
    if !listed.is_empty() {
        out.push(format!(
            "Noise-fitting capacity (0 = learns no noise, 1 = memorises every label): {}.",
            and(&listed)
        ));
    }
    if let [first, .., last] = known[..] {
        out.push(match compare(&last.1, &first.1) {
            Effect::Positive => format!(
                "The strongest rung memorises more noise than the weakest: the intervals of {} and {} are apart.",
                first.0, last.0
            ),
            Effect::Negative => format!(
                "The strongest rung memorises less noise than the weakest: the intervals of {} and {} are apart.",
                first.0, last.0
            ),
            Effect::None => format!(
                "No effect of size on capacity can be claimed: the intervals of {} and {} overlap.",
                first.0, last.0
            ),
        });
    }
    for rung in rungs.iter().filter(|r| capacity(r).is_some_and(|row| row.error.is_some())) {
        let why = capacity(rung).and_then(|row| row.error.clone()).unwrap_or_default();
        out.push(format!("The capacity of {rung} is undefined: {why}."));
    }
    let at = |rung: &str, ratio: f64, metric: &str| {
        numbers.summary(&cell(rung, ratio), metric).and_then(crate::record::Row::estimate)
    };
    let (clean, noisy) = (nearest(design, 0.0), nearest(design, 0.3));
    if clean < noisy {
        for rung in rungs {
            let (Some(a), Some(b)) = (at(rung, clean, TEST), at(rung, noisy, TEST)) else { continue };
            let verdict = match compare(&b, &a) {
                Effect::Negative => "a loss",
                Effect::Positive => "a rise",
                Effect::None => "no clear change",
            };
            out.push(format!(
                "{rung}: test accuracy {a} with {:.0}% wrong training labels, {b} with {:.0}%: {verdict}.",
                100.0 * clean,
                100.0 * noisy
            ));
        }
    }
    let half = nearest(design, 0.5);
    if half == 0.5 {
        let above: Vec<String> = rungs
            .iter()
            .filter(|r| {
                at(r, half, TEST).is_some_and(|e| {
                    let from_chance = Estimate { value: e.value - 0.5, lo: e.lo - 0.5, hi: e.hi - 0.5 };
                    effect(&from_chance) != Effect::None
                })
            })
            .map(|r| (*r).to_owned())
            .collect();
        out.push(if above.is_empty() {
            "At half wrong labels, where labels carry no information, no rung's test accuracy differs from \
             chance, as it should be."
                .to_owned()
        } else {
            format!(
                "At half wrong labels, where labels carry no information, the test accuracy of {} differs from \
                 chance: expected by luck in about one rung in twenty, a sign of a leak when it persists over seeds.",
                and(&above)
            )
        });
    }
    out
}

fn figures(rungs: &[&str], design: &NoiseCapacity, numbers: &Numbers<'_>) -> Vec<(String, String)> {
    let curves = |metric: &str| -> Vec<Series> {
        let points = |rung: &str| {
            let point = |&ratio: &f64| {
                let e = numbers.summary(&cell(rung, ratio), metric)?.estimate()?;
                // The band is the spread over seeds where there are several, the interval otherwise.
                let seeds = numbers.seeds(&cell(rung, ratio), metric);
                let (lo, hi) = if seeds.len() > 1 {
                    seeds.iter().fold((f64::MAX, f64::MIN), |(lo, hi), v| (lo.min(*v), hi.max(*v)))
                } else {
                    (e.lo, e.hi)
                };
                Some((ratio, e.value, lo, hi))
            };
            design.ratio.iter().filter_map(point).collect()
        };
        rungs.iter().map(|r| Series { name: (*r).to_owned(), points: points(r) }).collect()
    };
    let draw = |title: &str, y: &str, metric: &str, least: f64| {
        let series = curves(metric);
        let lowest = series.iter().flat_map(|s| s.points.iter().map(|p| p.2)).fold(least, f64::min);
        figure::lines(&Lines {
            title,
            x: "share of wrong training labels",
            y,
            y_range: ((lowest * 20.0).floor() / 20.0, 1.0),
            reference: Some((0.5, "chance")),
            series,
        })
    };
    let mut out = vec![
        (
            draw("Training accuracy on the noisy labels", "accuracy", TRAIN_NOISY, 0.45),
            "How well each rung reproduces the labels it was given, wrong ones included. The band is the range \
             over seeds. A curve that stays high in the middle means memorisation."
                .to_owned(),
        ),
        (
            draw("Test accuracy on clean labels", "accuracy", TEST, 0.45),
            "How well each rung, trained on noisy labels, answers held-out items. Beyond one half the labels say \
             the opposite, and the best student follows them."
                .to_owned(),
        ),
    ];
    let groups = rungs
        .iter()
        .map(|r| {
            let e = numbers.summary(&rung_cell(r), CAPACITY).and_then(crate::record::Row::estimate);
            ((*r).to_owned(), vec![e.map(|e| (e.value, e.lo, e.hi))])
        })
        .collect();
    out.push((
        figure::bars(&Bars {
            title: "Noise-fitting capacity",
            y: "capacity",
            y_range: (0.0, 1.0),
            reference: None,
            kinds: vec!["capacity".into()],
            groups,
        }),
        "Area under the training curve, rescaled so that chance is 0 and perfect memorisation is 1."
            .to_owned(),
    ));
    out
}

fn tables(rungs: &[&str], design: &NoiseCapacity, numbers: &Numbers<'_>) -> Vec<Table> {
    let (clean, some, half) = (nearest(design, 0.0), nearest(design, 0.3), nearest(design, 0.5));
    let percent = |ratio: f64| format!("{:.0}%", 100.0 * ratio);
    let header = [
        "rung".to_owned(),
        "noise-fitting capacity".to_owned(),
        format!("test, {} wrong", percent(clean)),
        format!("test, {} wrong", percent(some)),
        format!("train, {} wrong", percent(half)),
    ];
    let mut main = Table { header: header.into(), names: 1, ..Table::new("Noise capacity", 1, &[]) };
    for rung in rungs {
        let at = |ratio: f64, metric: &str| shown(numbers.summary(&cell(rung, ratio), metric));
        main.rows.push(vec![
            (*rung).to_owned(),
            shown(numbers.summary(&rung_cell(rung), CAPACITY)),
            at(clean, TEST),
            at(some, TEST),
            at(half, TRAIN_NOISY),
        ]);
    }
    let mut all = Table::new(
        "Every rung and ratio, over all seeds",
        1,
        &["rung", "wrong", "train, noisy labels", "train, true labels", "test, true labels"],
    );
    for rung in rungs {
        for &ratio in &design.ratio {
            let at = |metric: &str| shown(numbers.summary(&cell(rung, ratio), metric));
            all.rows.push(vec![
                (*rung).to_owned(),
                percent(ratio),
                at(TRAIN_NOISY),
                at(TRAIN_CLEAN),
                at(TEST),
            ]);
        }
    }
    vec![main, all]
}

/// The ratio of the grid that is nearest to `wanted`.
fn nearest(design: &NoiseCapacity, wanted: f64) -> f64 {
    let closer = |a: &&f64, b: &&f64| (**a - wanted).abs().total_cmp(&(**b - wanted).abs());
    design.ratio.iter().min_by(closer).copied().unwrap_or(wanted)
}
