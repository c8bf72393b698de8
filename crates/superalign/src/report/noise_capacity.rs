//! The report of a noise-capacity experiment.

use super::figure::{self, Bars, Lines, Series};
use super::prose::{Effect, and, compare, effect};
use super::table::{Table, shown};
use super::{Findings, Numbers};
use crate::experiment::noise_capacity::{
    AGREEMENT, CAPACITY, Curve, ESTIMATORS, Learner, TEST, TRAIN_CLEAN, TRAIN_NOISY, agreement_cell,
};
use crate::plan::Plan;
use crate::record::Row;
use crate::spec::{Choice, NoiseCapacity, NoiseName, StudentName};
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

/// A kind of student under a kind of noise: what a figure shows, a curve per rung.
#[derive(Clone, Copy)]
struct Kind {
    student: StudentName,
    noise: NoiseName,
}

impl Kind {
    fn curve(self, rung: &str) -> Curve<'_> {
        Curve { learner: Learner { rung, student: self.student }, noise: self.noise }
    }

    /// Such as `probe, uniform noise`.
    fn name(self) -> String {
        format!("{}, {} noise", self.student.name(), self.noise.name())
    }
}

fn kinds(design: &NoiseCapacity) -> impl Iterator<Item = Kind> + '_ {
    let noises = move |&student: &StudentName| design.noise.iter().map(move |&noise| Kind { student, noise });
    design.student.iter().flat_map(noises)
}

fn sentences(rungs: &[&str], design: &NoiseCapacity, numbers: &Numbers<'_>) -> Vec<String> {
    let mut out = Vec::new();
    for kind in kinds(design) {
        out.extend(capacity_sentences(rungs, kind, numbers));
        out.extend(dip_sentence(rungs, design, kind, numbers));
        out.extend(loss_sentences(rungs, design, kind, numbers));
    }
    out.extend(half_sentence(rungs, design, numbers));
    for &student in &design.student {
        out.extend(agreement_sentence(student, numbers));
    }
    if design.noise.iter().any(|noise| *noise != NoiseName::Uniform) {
        out.push(
            "Noise that is not uniform has a structure of its own (one class, hard items, another model's mistakes), \
             which a student can learn without learning labels by heart: compare its capacities over rungs, not over \
             kinds of noise."
                .to_owned(),
        );
    }
    out
}

/// How far the measures of capacity order the rungs alike.
fn agreement_sentence(student: StudentName, numbers: &Numbers<'_>) -> Option<String> {
    let mut known = Vec::new();
    for (i, one) in ESTIMATORS.iter().enumerate() {
        for other in &ESTIMATORS[i + 1..] {
            let row = numbers.summary(&agreement_cell(student, one, other), AGREEMENT)?;
            known.extend(row.estimate().map(|tau| format!("{one} and {other} {tau}")));
        }
    }
    (!known.is_empty()).then(|| {
        format!(
            "Rank correlation of the measures of capacity over the rungs (Kendall's tau, {}): {}.",
            student.name(),
            and(&known)
        )
    })
}

fn capacity_sentences(rungs: &[&str], kind: Kind, numbers: &Numbers<'_>) -> Vec<String> {
    let mut out = Vec::new();
    let capacity = |rung: &str| numbers.summary(&kind.curve(rung).cell(), CAPACITY);
    let known: Vec<(&str, Estimate)> =
        rungs.iter().filter_map(|r| Some((*r, capacity(r)?.estimate()?))).collect();
    let listed: Vec<String> = known.iter().map(|(r, e)| format!("{r} {e}")).collect();
    if !listed.is_empty() {
        out.push(format!(
            "Noise-fitting capacity, {} (0 = learns no noise, 1 = memorises every label): {}.",
            kind.name(),
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
        out.push(format!("The capacity of {rung} ({}) is undefined: {why}.", kind.name()));
    }
    out
}

/// The dip of the paper's figures: training accuracy in the middle below that at both ends.
fn dip_sentence(rungs: &[&str], design: &NoiseCapacity, kind: Kind, numbers: &Numbers<'_>) -> Option<String> {
    let middle: Vec<f64> = design.ratio.iter().copied().filter(|r| (0.399..=0.601).contains(r)).collect();
    let (first, last) = (*design.ratio.first()?, *design.ratio.last()?);
    if middle.is_empty() || first > 0.1 || last < 0.9 {
        return None;
    }
    let at =
        |rung: &str, ratio| numbers.summary(&kind.curve(rung).at(ratio), TRAIN_NOISY).and_then(Row::estimate);
    let dips = |rung: &&&str| {
        let (Some(a), Some(b)) = (at(rung, first), at(rung, last)) else { return false };
        middle.iter().filter_map(|&r| at(rung, r)).all(|m| m.hi < a.lo && m.hi < b.lo)
    };
    let (with, without): (Vec<&&str>, Vec<&&str>) = rungs.iter().partition(dips);
    let names = |rungs: &[&&str]| and(&rungs.iter().map(|r| (**r).to_owned()).collect::<Vec<_>>());
    Some(match (&with[..], &without[..]) {
        ([], _) => format!("No rung's training curve dips in the middle ({}).", kind.name()),
        (with, []) if with.len() > 1 => format!(
            "Every rung's training curve dips in the middle (0.4 to 0.6), below both its ends ({}).",
            kind.name()
        ),
        (with, without) => format!(
            "The training curve of {} dips in the middle (0.4 to 0.6), below both its ends; that of {} does not \
             ({}).",
            names(with),
            names(without),
            kind.name()
        ),
    })
}

fn loss_sentences(
    rungs: &[&str],
    design: &NoiseCapacity,
    kind: Kind,
    numbers: &Numbers<'_>,
) -> Option<String> {
    let (clean, noisy) = (nearest(design, 0.0), nearest(design, 0.3));
    if clean >= noisy {
        return None;
    }
    let at = |rung: &str, ratio| numbers.summary(&kind.curve(rung).at(ratio), TEST).and_then(Row::estimate);
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
            "Test accuracy from {:.0}% to {:.0}% wrong training labels, {}: {}.",
            100.0 * clean,
            100.0 * noisy,
            kind.name(),
            and(&said)
        )
    })
}

fn half_sentence(rungs: &[&str], design: &NoiseCapacity, numbers: &Numbers<'_>) -> Option<String> {
    let (half, noise) = (nearest(design, 0.5), NoiseName::Uniform);
    if half != 0.5 || !design.noise.contains(&noise) {
        return None;
    }
    let kind = Kind { student: *design.student.first()?, noise };
    let differs = |rung: &&&str| {
        let e = numbers.summary(&kind.curve(rung).at(half), TEST).and_then(Row::estimate);
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
    for kind in kinds(design) {
        let name = kind.name();
        out.push((
            curves(rungs, design, numbers, kind, (&format!("Training accuracy, {name}"), TRAIN_NOISY)),
            format!(
                "How well each rung reproduces the labels it was given, wrong ones included ({name}). The band is the \
                 range over seeds. A curve that stays high in the middle means memorisation."
            ),
        ));
        out.push((
            curves(rungs, design, numbers, kind, (&format!("Test accuracy, {name}"), TEST)),
            format!(
                "How well each rung answers held-out items with clean labels ({name} in training). Beyond one half the \
                 labels say the opposite, and the best student follows them."
            ),
        ));
    }
    let value = |cell: &str, metric: &str| {
        let e = numbers.summary(cell, metric).and_then(Row::estimate)?;
        Some((e.value, e.lo, e.hi))
    };
    for &student in &design.student {
        let bar = |rung: &str, noise| value(&Kind { student, noise }.curve(rung).cell(), CAPACITY);
        let group = |r: &&str| ((*r).to_owned(), design.noise.iter().map(|&n| bar(r, n)).collect());
        out.push((
            figure::bars(&Bars {
                title: &format!("Noise-fitting capacity, {}", student.name()),
                y: "capacity",
                y_range: (0.0, 1.0),
                reference: None,
                kinds: design.noise.iter().map(|n| n.name().to_owned()).collect(),
                groups: rungs.iter().map(group).collect(),
            }),
            "Area under the training curve, rescaled so that chance is 0 and perfect memorisation is 1."
                .to_owned(),
        ));
    }
    let sizes = |&student: &StudentName| {
        let points = |rung: &str| {
            let point = |&share: &f64| {
                let e = numbers.summary(&Learner { rung, student }.at(share), TEST)?.estimate()?;
                Some((share, e.value, e.lo, e.hi))
            };
            design.share.iter().filter_map(point).collect()
        };
        let series = rungs.iter().map(|r| Series { name: (*r).to_owned(), points: points(r) }).collect();
        let figure = figure::lines(&Lines {
            title: &format!("Learning curves, {}", student.name()),
            x: "share of the true labels",
            y: "test accuracy",
            y_range: (0.45, 1.0),
            reference: Some((0.5, "chance")),
            series,
        });
        (
            figure,
            "Test accuracy against the number of true labels: the asymptote is one measure of capacity."
                .to_owned(),
        )
    };
    out.extend(design.student.iter().map(sizes));
    out
}

/// One metric against the ratio, a curve per rung.
fn curves(
    rungs: &[&str],
    design: &NoiseCapacity,
    numbers: &Numbers<'_>,
    kind: Kind,
    (title, metric): (&str, &str),
) -> String {
    let points = |rung: &str| {
        let point = |&ratio: &f64| {
            let cell = kind.curve(rung).at(ratio);
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
        "student".to_owned(),
        "noise".to_owned(),
        "rung".to_owned(),
        "noise-fitting capacity".to_owned(),
        format!("test, {} wrong", percent(clean)),
        format!("test, {} wrong", percent(some)),
        format!("train, {} wrong", percent(half)),
    ];
    let mut main = Table { header: header.into(), ..Table::new("Noise capacity", 3, &[]) };
    let mut all = Table::new(
        "Every rung and ratio, over all seeds",
        3,
        &[
            "student",
            "noise",
            "rung",
            "wrong",
            "train, noisy labels",
            "train, true labels",
            "test, true labels",
        ],
    );
    for kind in kinds(design) {
        for rung in rungs {
            let curve = kind.curve(rung);
            let at = |ratio: f64, metric: &str| shown(numbers.summary(&curve.at(ratio), metric));
            let names = [kind.student.name(), kind.noise.name(), rung].map(str::to_owned);
            let mut row = names.to_vec();
            row.push(shown(numbers.summary(&curve.cell(), CAPACITY)));
            row.extend([at(clean, TEST), at(some, TEST), at(half, TRAIN_NOISY)]);
            main.rows.push(row);
            for &ratio in &design.ratio {
                let at = |metric: &str| shown(numbers.summary(&curve.at(ratio), metric));
                let mut row = names.to_vec();
                row.extend([percent(ratio), at(TRAIN_NOISY), at(TRAIN_CLEAN), at(TEST)]);
                all.rows.push(row);
            }
        }
    }
    vec![main, measures(rungs, design, numbers), agreement(design, numbers), all]
}

/// Every measure of capacity, or why it has no value.
fn measures(rungs: &[&str], design: &NoiseCapacity, numbers: &Numbers<'_>) -> Table {
    let mut header = vec!["student", "rung"];
    header.extend(ESTIMATORS);
    let mut table = Table::new("Measures of capacity", 2, &header);
    for &student in &design.student {
        for rung in rungs {
            let learner = Learner { rung, student };
            let mut row = vec![student.name().to_owned(), (*rung).to_owned()];
            row.extend(ESTIMATORS.iter().map(|metric| {
                let cell = match design.noise.first() {
                    Some(&noise) if *metric == CAPACITY => Curve { learner, noise }.cell(),
                    _ => learner.cell(),
                };
                shown(numbers.summary(&cell, metric))
            }));
            table.rows.push(row);
        }
    }
    table
}

/// How far the measures order the rungs alike, or why that is undefined.
fn agreement(design: &NoiseCapacity, numbers: &Numbers<'_>) -> Table {
    let caption = "Agreement of the measures over the rungs (Kendall's tau)";
    let mut table = Table::new(caption, 3, &["student", "one", "other", "rank correlation, or why none"]);
    for &student in &design.student {
        for (i, one) in ESTIMATORS.iter().enumerate() {
            for other in &ESTIMATORS[i + 1..] {
                let row = numbers.summary(&agreement_cell(student, one, other), AGREEMENT);
                let why = row.and_then(|r| r.error.clone());
                let names = [student.name(), one, other].map(str::to_owned);
                table.rows.push(names.into_iter().chain([why.unwrap_or_else(|| shown(row))]).collect());
            }
        }
    }
    table
}

/// The ratio of the grid that is nearest to `wanted`.
fn nearest(design: &NoiseCapacity, wanted: f64) -> f64 {
    let closer = |a: &&f64, b: &&f64| (**a - wanted).abs().total_cmp(&(**b - wanted).abs());
    design.ratio.iter().min_by(closer).copied().unwrap_or(wanted)
}
