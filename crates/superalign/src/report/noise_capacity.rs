//! The report of a noise-capacity experiment.

use super::figure::{self, Bars, Lines, Series};
use super::prose::{Effect, and, compare, effect};
use super::table::{Table, shown};
use super::{Findings, Numbers};
use crate::experiment::noise_capacity::{CAPACITY, Curve, TEST, TRAIN_CLEAN, TRAIN_NOISY};
use crate::plan::Plan;
use crate::record::Row;
use crate::spec::{Choice, NoiseCapacity, NoiseName};
use superalign_core::Estimate;

/// Reads the findings out of the numbers.
pub(crate) fn findings(plan: &Plan, design: &NoiseCapacity, numbers: &Numbers<'_>) -> Findings {
    let rungs: Vec<&str> = plan.rungs.iter().map(|r| r.name.as_str()).collect();
    Findings {
        sentences: sentences(&rungs, design, numbers),
        figures: figures(&rungs, design, numbers),
        tables: tables(&rungs, design, numbers),
    }
}

fn sentences(rungs: &[&str], design: &NoiseCapacity, numbers: &Numbers<'_>) -> Vec<String> {
    let mut out = Vec::new();
    for &noise in &design.noise {
        out.extend(capacity_sentences(rungs, noise, numbers));
        out.extend(dip_sentence(rungs, design, noise, numbers));
        out.extend(loss_sentences(rungs, design, noise, numbers));
    }
    out.extend(half_sentence(rungs, design, numbers));
    out
}

fn capacity_sentences(rungs: &[&str], noise: NoiseName, numbers: &Numbers<'_>) -> Vec<String> {
    let mut out = Vec::new();
    let capacity = |rung: &str| numbers.summary(&Curve { rung, noise }.cell(), CAPACITY);
    let known: Vec<(&str, Estimate)> =
        rungs.iter().filter_map(|r| Some((*r, capacity(r)?.estimate()?))).collect();
    let listed: Vec<String> = known.iter().map(|(r, e)| format!("{r} {e}")).collect();
    if !listed.is_empty() {
        out.push(format!(
            "Noise-fitting capacity under {} noise (0 = learns no noise, 1 = memorises every label): {}.",
            noise.name(),
            and(&listed)
        ));
    }
    if let [first, .., last] = known[..] {
        let what = match compare(&last.1, &first.1) {
            Effect::Positive => "The strongest rung memorises more of it than the weakest",
            Effect::Negative => "The strongest rung memorises less of it than the weakest",
            Effect::None => {
                out.push(format!(
                    "No effect of size on it can be claimed: the intervals of {} and {} overlap.",
                    first.0, last.0
                ));
                return out;
            }
        };
        out.push(format!("{what}: the intervals of {} and {} are apart.", first.0, last.0));
    }
    for rung in rungs.iter().filter(|r| capacity(r).is_some_and(|row| row.error.is_some())) {
        let why = capacity(rung).and_then(|row| row.error.clone()).unwrap_or_default();
        out.push(format!("The capacity of {rung} under {} noise is undefined: {why}.", noise.name()));
    }
    out
}

/// The dip of the paper's figures: training accuracy in the middle below that at both ends.
fn dip_sentence(
    rungs: &[&str],
    design: &NoiseCapacity,
    noise: NoiseName,
    numbers: &Numbers<'_>,
) -> Option<String> {
    let middle: Vec<f64> = design.ratio.iter().copied().filter(|r| (0.399..=0.601).contains(r)).collect();
    let (first, last) = (*design.ratio.first()?, *design.ratio.last()?);
    if middle.is_empty() || first > 0.1 || last < 0.9 {
        return None;
    }
    let at = |rung: &str, ratio| {
        numbers.summary(&Curve { rung, noise }.at(ratio), TRAIN_NOISY).and_then(Row::estimate)
    };
    let dips = |rung: &&&str| {
        let (Some(a), Some(b)) = (at(rung, first), at(rung, last)) else { return false };
        middle.iter().filter_map(|&r| at(rung, r)).all(|m| m.hi < a.lo && m.hi < b.lo)
    };
    let (with, without): (Vec<&&str>, Vec<&&str>) = rungs.iter().partition(dips);
    let names = |rungs: &[&&str]| and(&rungs.iter().map(|r| (**r).to_owned()).collect::<Vec<_>>());
    Some(match (&with[..], &without[..]) {
        ([], _) => format!("Under {} noise no rung's training curve dips in the middle.", noise.name()),
        (with, []) if with.len() > 1 => format!(
            "Under {} noise every rung's training curve dips in the middle (0.4 to 0.6), below both its ends.",
            noise.name()
        ),
        (with, without) => format!(
            "Under {} noise the training curve of {} dips in the middle (0.4 to 0.6), below both its ends; \
             that of {} does not.",
            noise.name(),
            names(with),
            names(without)
        ),
    })
}

fn loss_sentences(
    rungs: &[&str],
    design: &NoiseCapacity,
    noise: NoiseName,
    numbers: &Numbers<'_>,
) -> Option<String> {
    let (clean, noisy) = (nearest(design, 0.0), nearest(design, 0.3));
    if clean >= noisy {
        return None;
    }
    let at =
        |rung: &str, ratio| numbers.summary(&Curve { rung, noise }.at(ratio), TEST).and_then(Row::estimate);
    let said = rungs.iter().filter_map(|rung| {
        let (a, b) = (at(rung, clean)?, at(rung, noisy)?);
        let verdict = match compare(&b, &a) {
            Effect::Negative => "a loss",
            Effect::Positive => "a rise",
            Effect::None => "no clear change",
        };
        Some(format!("{rung} {:.3} to {:.3} ({verdict})", a.value, b.value))
    });
    let said: Vec<String> = said.collect();
    (!said.is_empty()).then(|| {
        format!(
            "Test accuracy from {:.0}% to {:.0}% wrong training labels, {} noise: {}.",
            100.0 * clean,
            100.0 * noisy,
            noise.name(),
            and(&said)
        )
    })
}

fn half_sentence(rungs: &[&str], design: &NoiseCapacity, numbers: &Numbers<'_>) -> Option<String> {
    let (half, noise) = (nearest(design, 0.5), NoiseName::Uniform);
    if half != 0.5 || !design.noise.contains(&noise) {
        return None;
    }
    let differs = |rung: &&&str| {
        let e = numbers.summary(&Curve { rung, noise }.at(half), TEST).and_then(Row::estimate);
        e.is_some_and(|e| {
            effect(&Estimate { value: e.value - 0.5, lo: e.lo - 0.5, hi: e.hi - 0.5 }) != Effect::None
        })
    };
    let above: Vec<String> = rungs.iter().filter(differs).map(|r| (*r).to_owned()).collect();
    Some(if above.is_empty() {
        "At half wrong labels, where uniform noise leaves no information, no rung's test accuracy differs from \
         chance, as it should be."
            .to_owned()
    } else {
        format!(
            "At half wrong labels, where uniform noise leaves no information, the test accuracy of {} differs \
             from chance: expected by luck in about one rung in twenty, a sign of a leak when it persists over seeds.",
            and(&above)
        )
    })
}

fn figures(rungs: &[&str], design: &NoiseCapacity, numbers: &Numbers<'_>) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for &noise in &design.noise {
        let name = noise.name();
        out.push((
            curves(rungs, design, numbers, noise, (&format!("Training accuracy, {name} noise"), TRAIN_NOISY)),
            format!(
                "How well each rung reproduces the labels it was given, wrong ones included ({name} noise). The \
                 band is the range over seeds. A curve that stays high in the middle means memorisation."
            ),
        ));
        out.push((
            curves(rungs, design, numbers, noise, (&format!("Test accuracy, {name} noise"), TEST)),
            format!(
                "How well each rung, trained on labels with {name} noise, answers held-out items with clean \
                 labels. Beyond one half the labels say the opposite, and the best student follows them."
            ),
        ));
    }
    let bar = |rung: &str, noise| {
        let e = numbers.summary(&Curve { rung, noise }.cell(), CAPACITY).and_then(Row::estimate)?;
        Some((e.value, e.lo, e.hi))
    };
    let group = |r: &&str| ((*r).to_owned(), design.noise.iter().map(|&n| bar(r, n)).collect());
    out.push((
        figure::bars(&Bars {
            title: "Noise-fitting capacity",
            y: "capacity",
            y_range: (0.0, 1.0),
            reference: None,
            kinds: design.noise.iter().map(|n| n.name().to_owned()).collect(),
            groups: rungs.iter().map(group).collect(),
        }),
        "Area under the training curve, rescaled so that chance is 0 and perfect memorisation is 1."
            .to_owned(),
    ));
    out
}

/// One metric against the ratio, a curve per rung.
fn curves(
    rungs: &[&str],
    design: &NoiseCapacity,
    numbers: &Numbers<'_>,
    noise: NoiseName,
    (title, metric): (&str, &str),
) -> String {
    let points = |rung: &str| {
        let point = |&ratio: &f64| {
            let cell = Curve { rung, noise }.at(ratio);
            let e = numbers.summary(&cell, metric)?.estimate()?;
            // The band is the spread over seeds where there are several, the interval otherwise.
            let seeds = numbers.seeds(&cell, metric);
            let (lo, hi) = if seeds.len() > 1 {
                seeds.iter().fold((f64::MAX, f64::MIN), |(lo, hi), v| (lo.min(*v), hi.max(*v)))
            } else {
                (e.lo, e.hi)
            };
            Some((ratio, e.value, lo, hi))
        };
        design.ratio.iter().filter_map(point).collect()
    };
    let series: Vec<Series> =
        rungs.iter().map(|r| Series { name: (*r).to_owned(), points: points(r) }).collect();
    let lowest = series.iter().flat_map(|s| s.points.iter().map(|p| p.2)).fold(0.45, f64::min);
    figure::lines(&Lines {
        title,
        x: "share of wrong training labels",
        y: "accuracy",
        y_range: ((lowest * 20.0).floor() / 20.0, 1.0),
        reference: Some((0.5, "chance")),
        series,
    })
}

fn tables(rungs: &[&str], design: &NoiseCapacity, numbers: &Numbers<'_>) -> Vec<Table> {
    let (clean, some, half) = (nearest(design, 0.0), nearest(design, 0.3), nearest(design, 0.5));
    let percent = |ratio: f64| format!("{:.0}%", 100.0 * ratio);
    let header = [
        "noise".to_owned(),
        "rung".to_owned(),
        "noise-fitting capacity".to_owned(),
        format!("test, {} wrong", percent(clean)),
        format!("test, {} wrong", percent(some)),
        format!("train, {} wrong", percent(half)),
    ];
    let mut main = Table { header: header.into(), ..Table::new("Noise capacity", 2, &[]) };
    let mut all = Table::new(
        "Every rung and ratio, over all seeds",
        2,
        &["noise", "rung", "wrong", "train, noisy labels", "train, true labels", "test, true labels"],
    );
    for &noise in &design.noise {
        for rung in rungs {
            let curve = Curve { rung, noise };
            let at = |ratio: f64, metric: &str| shown(numbers.summary(&curve.at(ratio), metric));
            main.rows.push(vec![
                noise.name().to_owned(),
                (*rung).to_owned(),
                shown(numbers.summary(&curve.cell(), CAPACITY)),
                at(clean, TEST),
                at(some, TEST),
                at(half, TRAIN_NOISY),
            ]);
            for &ratio in &design.ratio {
                let at = |metric: &str| shown(numbers.summary(&curve.at(ratio), metric));
                all.rows.push(vec![
                    noise.name().to_owned(),
                    (*rung).to_owned(),
                    percent(ratio),
                    at(TRAIN_NOISY),
                    at(TRAIN_CLEAN),
                    at(TEST),
                ]);
            }
        }
    }
    vec![main, all]
}

/// The ratio of the grid that is nearest to `wanted`.
fn nearest(design: &NoiseCapacity, wanted: f64) -> f64 {
    let closer = |a: &&f64, b: &&f64| (**a - wanted).abs().total_cmp(&(**b - wanted).abs());
    design.ratio.iter().min_by(closer).copied().unwrap_or(wanted)
}
