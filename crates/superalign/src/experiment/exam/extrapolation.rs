//! Extrapolation: accuracy by difficulty up to where the supervisor can check, carried beyond by weighted curves.
//!
//! Backtests are over students, families of task and origins: fit the levels below, predict the next two. They are of the
//! first seed: other seeds answer the same tasks. The weights of the curves for a family are those under which the other
//! families are predicted best, and for a student those of the students of other rungs.

use super::tasks::ratio_by;
use super::{Exam, Player};
use crate::experiment::score::bootstrap;
use crate::record::{Row, cell_safe};
use rayon::prelude::*;
use std::collections::BTreeMap;
use superalign_core::{Bootstrap, Estimate};
use superalign_evaluation::EvaluationError;
use superalign_evaluation::extrapolation::{
    Backtest, Beyond, Bound, Curve, Extrapolation, Forecast, Horizon, Points, Prediction, Resampling, Trend,
    backtest, backtest_mixture, by_horizon, extrapolate, stack,
};

/// Share of the outcomes within their prediction intervals.
pub(crate) const COVERAGE: &str = "coverage";
/// Mean continuous ranked probability score; lower is better.
pub(crate) const CRPS: &str = "crps";
/// Mean width of the prediction intervals.
pub(crate) const WIDTH: &str = "interval-width";
/// Mean of predicted less observed share.
pub(crate) const BIAS: &str = "bias";
/// Mean logarithm of the probability given to the outcome.
pub(crate) const LOG_SCORE: &str = "log-score";
/// Mean score of the stack less that of a baseline; below 0 the stack is better.
pub(crate) const AGAINST: &str = "crps-less-baseline";
/// What a curve weighs in the stack over all series.
pub(crate) const WEIGHT: &str = "weight";
/// A student's share of solved tasks as predicted, with the interval of the outcome.
pub(crate) const PREDICTED: &str = "predicted";
/// The same as it turned out.
pub(crate) const ACTUAL: &str = "actual";

/// The weighted curves together.
pub(crate) const STACK: &str = "stack";
/// The curves that are weighted.
pub(crate) const MEMBERS: [&str; 3] = ["logistic", "clipped-linear", "monotone"];
/// The curves that the stack is compared with.
pub(crate) const BASELINES: [&str; 2] = ["last-value", "linear"];
/// Levels beyond the last that was fitted.
pub(crate) const HORIZON: usize = 2;

/// Levels of the first fit: one more than a curve has parameters, so that it shows how levels stray.
const FIRST: usize = 3;
/// Resamples behind each of some thousands of prediction intervals.
const MOST_DRAWS: usize = 200;

/// Between a guess and certainty.
const FLOOR: Bound = Bound::Fixed(0.5);
const CEILING: Bound = Bound::Fixed(1.0);

/// The cell of a curve.
pub(crate) fn curve_cell(curve: &str) -> String {
    format!("extrapolation/curve={curve}")
}

/// The cell of a curve so many levels ahead.
pub(crate) fn horizon_cell(curve: &str, horizon: usize) -> String {
    format!("{}/horizon={horizon}", curve_cell(curve))
}

/// The cell of a student's prediction.
pub(crate) fn predicted_cell(student: &Player, difficulty: u64) -> String {
    format!("extrapolation/{}/difficulty={difficulty}", student.cell)
}

fn curves() -> Vec<Curve> {
    vec![
        Curve::Logistic { floor: FLOOR, ceiling: CEILING },
        Curve::ClippedLinear { floor: FLOOR, ceiling: CEILING },
        Curve::Monotone(Trend::Falling),
        Curve::LastValue,
        Curve::Linear,
    ]
}

/// A student on a family.
struct Series<'a> {
    student: u32,
    rung: usize,
    family: &'a str,
    points: Points,
}

/// The forecasts of a series, by curve.
struct Tested<'a> {
    series: Series<'a>,
    by_curve: Vec<Vec<Forecast>>,
}

/// All rows of extrapolation.
pub(super) fn rows(exam: &Exam<'_>) -> Vec<Row> {
    match all(exam) {
        Ok(rows) => rows,
        Err(why) => vec![Row::new(curve_cell(STACK), None, COVERAGE, "share", 0, Err::<Estimate, _>(why))],
    }
}

fn all(exam: &Exam<'_>) -> Result<Vec<Row>, String> {
    let by = bootstrap(exam.plan, "extrapolation");
    let few = Bootstrap { draws: by.draws.min(MOST_DRAWS), ..by };
    let students: Vec<(Player, Vec<f64>)> = exam
        .students
        .iter()
        .filter_map(|student| {
            let first = exam.solved(student).ok()?.into_iter().next()?;
            Some((student.clone(), first))
        })
        .collect();
    let mut series = Vec::new();
    let mut families: Vec<&str> = exam.tasks.iter().map(|task| task.family).collect();
    families.sort_unstable();
    families.dedup();
    for (number, (student, solved)) in students.iter().enumerate() {
        for &family in &families {
            if let Some(points) = counted(exam, solved, Some(family), None)? {
                series.push(Series { student: number as u32, rung: student.rung, family, points });
            }
        }
    }
    let options =
        Backtest { first: FIRST, horizon: HORIZON, resampling: Resampling::Straying, bootstrap: few };
    let numbered: Vec<(usize, Series<'_>)> = series.into_iter().enumerate().collect();
    let tested: Vec<Tested<'_>> = numbered
        .into_par_iter()
        .map(|(number, series)| {
            let options = seeded(&options, number);
            let of = |curve: &Curve| backtest(&series.points, *curve, &options).map_err(|e| text(&e));
            let by_curve = curves().iter().map(of).collect::<Result<Vec<_>, String>>()?;
            Ok(Tested { series, by_curve })
        })
        .collect::<Result<_, String>>()?;
    if tested.is_empty() {
        return Err(format!("no family of the test part has more than {FIRST} difficulties"));
    }
    let mut weights: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for &family in &families {
        weights.insert(family, weigh(&tested, |other| other.family != family)?);
    }
    let stacked: Vec<Vec<Forecast>> = tested
        .par_iter()
        .enumerate()
        .map(|(number, one)| {
            let members = weighted(&weights[one.series.family]);
            backtest_mixture(&one.series.points, &members, &seeded(&options, number)).map_err(|e| text(&e))
        })
        .collect::<Result<_, String>>()?;

    let mut rows = Vec::new();
    let overall = weigh(&tested, |_| true)?;
    for (name, weight) in MEMBERS.iter().zip(&overall) {
        let exact = Estimate { value: *weight, lo: *weight, hi: *weight };
        let row = Row::new(curve_cell(name), None, WEIGHT, "share", stacked.len(), Ok::<_, String>(exact));
        rows.push(Row { lo: None, hi: None, ..row });
    }
    let names: Vec<&str> = MEMBERS.iter().chain(&BASELINES).copied().collect();
    for (place, name) in names.iter().enumerate() {
        let forecasts: Vec<&[Forecast]> = tested.iter().map(|one| one.by_curve[place].as_slice()).collect();
        rows.extend(judged(name, &tested, &forecasts, &families, &by));
    }
    let forecasts: Vec<&[Forecast]> = stacked.iter().map(Vec::as_slice).collect();
    rows.extend(judged(STACK, &tested, &forecasts, &families, &by));
    for (place, baseline) in BASELINES.iter().enumerate() {
        let other = |n: usize| &tested[n].by_curve[MEMBERS.len() + place];
        let differences = stacked
            .iter()
            .enumerate()
            .flat_map(|(n, own)| own.iter().zip(other(n)).map(move |(own, other)| own.crps - other.crps));
        let differences: Vec<f64> = differences.collect();
        let found = ratio_by(
            &differences,
            &vec![1.0; differences.len()],
            &labels(&tested, &forecasts, &families),
            &by,
        );
        let cell = format!("{}/against={baseline}", curve_cell(STACK));
        rows.push(Row::new(cell, None, AGAINST, "difference", differences.len(), found));
    }
    for (student, solved) in &students {
        rows.extend(predictions(exam, student, solved, &tested, &few)?);
    }
    Ok(rows)
}

/// The same settings with draws of their own.
fn seeded(options: &Backtest, number: usize) -> Backtest {
    let seed = options.bootstrap.seed.nth(number as u64);
    Backtest { bootstrap: Bootstrap { seed, ..options.bootstrap }, ..*options }
}

fn text(error: &EvaluationError) -> String {
    error.to_string()
}

/// Solved and all tasks by difficulty, of a family or of all, up to a difficulty; nothing where there are too few levels.
fn counted(
    exam: &Exam<'_>,
    solved: &[f64],
    family: Option<&str>,
    most: Option<u64>,
) -> Result<Option<Points>, String> {
    let mut levels: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for (task, score) in exam.tasks.iter().zip(solved) {
        let Some(level) = task.difficulty else { continue };
        if family.is_some_and(|family| family != task.family) || most.is_some_and(|most| level > most) {
            continue;
        }
        let count = levels.entry(level).or_default();
        // A task that a student cannot decide is not solved.
        *count = (count.0 + u64::from(*score > 0.5), count.1 + 1);
    }
    if levels.len() < FIRST + usize::from(most.is_none()) {
        return Ok(None);
    }
    let x: Vec<f64> = levels.keys().map(|level| *level as f64).collect();
    let (right, total): (Vec<u64>, Vec<u64>) = levels.into_values().unzip();
    Points::new(&x, &right, &total).map(Some).map_err(|e| text(&e))
}

/// The weights of the members by the forecasts of some series; all the same where there are none.
fn weigh(tested: &[Tested<'_>], those: impl Fn(&Series<'_>) -> bool) -> Result<Vec<f64>, String> {
    let of = |curve: usize| -> Vec<Forecast> {
        tested
            .iter()
            .filter(|one| those(&one.series))
            .flat_map(|one| one.by_curve[curve].iter().copied())
            .collect()
    };
    let forecasts: Vec<Vec<Forecast>> = (0..MEMBERS.len()).map(of).collect();
    if forecasts[0].is_empty() {
        return Ok(vec![1.0 / MEMBERS.len() as f64; MEMBERS.len()]);
    }
    stack(&forecasts.iter().map(Vec::as_slice).collect::<Vec<_>>()).map_err(|e| text(&e))
}

/// The members with their weights; one below a thousandth is left out.
fn weighted(weights: &[f64]) -> Vec<(Curve, f64)> {
    let kept: Vec<f64> = weights.iter().map(|&weight| if weight < 1e-3 { 0.0 } else { weight }).collect();
    let sum: f64 = kept.iter().sum();
    curves().into_iter().zip(kept).map(|(curve, weight)| (curve, weight / sum)).collect()
}

/// The family of every forecast, by number.
fn labels(tested: &[Tested<'_>], forecasts: &[&[Forecast]], families: &[&str]) -> Vec<u32> {
    let number = |family: &str| families.iter().position(|other| *other == family).unwrap_or_default() as u32;
    let of = tested.iter().zip(forecasts).map(|(one, own)| vec![number(one.series.family); own.len()]);
    of.flatten().collect()
}

/// How good a curve's forecasts are. Those of one family stand and fall together: its tasks are the same for all
/// students.
fn judged(
    name: &str,
    tested: &[Tested<'_>],
    forecasts: &[&[Forecast]],
    families: &[&str],
    by: &Bootstrap,
) -> Vec<Row> {
    let mut of_family: BTreeMap<&str, Vec<Forecast>> = BTreeMap::new();
    for (one, own) in tested.iter().zip(forecasts) {
        of_family.entry(one.series.family).or_default().extend_from_slice(own);
    }
    let grouped: Vec<&[Forecast]> = of_family.values().map(Vec::as_slice).collect();
    let mut rows = Vec::new();
    match by_horizon(&grouped, by) {
        Err(why) => {
            rows.push(Row::new(curve_cell(name), None, COVERAGE, "share", 0, Err::<Estimate, _>(why)));
        }
        Ok(horizons) => {
            for Horizon { horizon, forecasts, coverage, crps, bias, log_score } in horizons {
                let cell = horizon_cell(name, horizon);
                for (metric, unit, estimate) in [
                    (COVERAGE, "share", coverage),
                    (CRPS, "score", crps),
                    (BIAS, "difference", bias),
                    (LOG_SCORE, "nats", log_score),
                ] {
                    rows.push(Row::new(&*cell, None, metric, unit, forecasts, Ok::<_, String>(estimate)));
                }
            }
        }
    }
    let flat: Vec<&Forecast> = forecasts.iter().flat_map(|own| own.iter()).collect();
    let labels = labels(tested, forecasts, families);
    let hits: Vec<f64> = flat.iter().map(|f| f64::from(u8::from(f.predicted.covers(f.observed)))).collect();
    let scores: Vec<f64> = flat.iter().map(|f| f.crps).collect();
    let widths: Vec<f64> = flat.iter().map(|f| f.predicted.hi - f.predicted.lo).collect();
    for (metric, unit, values) in
        [(COVERAGE, "share", &hits), (CRPS, "score", &scores), (WIDTH, "difference", &widths)]
    {
        let found = ratio_by(values, &vec![1.0; values.len()], &labels, by);
        rows.push(Row::new(curve_cell(name), None, metric, unit, flat.len(), found));
    }
    for &family in families {
        let those = tested.iter().zip(forecasts).filter(|(one, _)| one.series.family == family);
        let (hits, students): (Vec<f64>, Vec<u32>) = those
            .flat_map(|(one, own)| own.iter().map(|f| (f, one.series.student)))
            .map(|(f, student)| (f64::from(u8::from(f.predicted.covers(f.observed))), student))
            .unzip();
        let cell = format!("{}/family={}", curve_cell(name), cell_safe(family));
        let found = ratio_by(&hits, &vec![1.0; hits.len()], &students, by);
        rows.push(Row::new(cell, None, COVERAGE, "share", hits.len(), found));
    }
    rows
}

/// What a student is predicted to solve of all families beyond what is known, and what it does solve.
fn predictions(
    exam: &Exam<'_>,
    student: &Player,
    solved: &[f64],
    tested: &[Tested<'_>],
    by: &Bootstrap,
) -> Result<Vec<Row>, String> {
    let known = exam.known;
    let members = weighted(&weigh(tested, |other| other.rung != student.rung)?);
    let points = counted(exam, solved, None, Some(known))?;
    let mut rows = Vec::new();
    for difficulty in (known + 1..).take(HORIZON) {
        let those: Vec<usize> =
            (0..exam.tasks.len()).filter(|&i| exam.tasks[i].difficulty == Some(difficulty)).collect();
        if those.is_empty() {
            continue;
        }
        let cell = predicted_cell(student, difficulty);
        let seed = by.seed.named(&cell);
        let options = Extrapolation {
            resampling: Resampling::Straying,
            bootstrap: Bootstrap { seed, ..*by },
            tested: HORIZON as f64,
            beyond: Beyond::Refuse,
        };
        let target = [(difficulty as f64, those.len() as u64)];
        let found = match &points {
            None => Err(format!("fewer than {FIRST} difficulties up to {known}")),
            Some(points) => extrapolate(points, &members, &target, &options).map_err(|e| text(&e)),
        };
        let outcome = found.and_then(|found: Vec<Prediction>| {
            found.first().map(|found| found.outcome).ok_or_else(|| "no prediction came back".to_owned())
        });
        rows.push(Row::new(&*cell, None, PREDICTED, "share", those.len(), outcome));
        let scores: Vec<f64> = those.iter().map(|&i| f64::from(u8::from(solved[i] > 0.5))).collect();
        let groups: Vec<u32> = those.iter().map(|&i| exam.tasks[i].group).collect();
        let actual = super::mean_by(&scores, &groups, &bootstrap(exam.plan, &format!("{cell}/{ACTUAL}")));
        rows.push(Row::new(cell, None, ACTUAL, "share", those.len(), actual));
    }
    Ok(rows)
}
