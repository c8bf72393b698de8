//! Curves fitted, tested on the levels that are known, weighted, and carried beyond.

use super::super::Failure;
use super::table::{Counts, Series};
use super::{Beyond, ExtrapolateArgs, Levels, Model};
use superalign_core::{Bootstrap, Estimate};
use superalign_evaluation::EvaluationError;
use superalign_evaluation::extrapolation as maths;
use superalign_evaluation::extrapolation::{
    Backtest, Bound, Curve, Extrapolation, Fitted, Forecast, Horizon, Prediction, Target, Trend, backtest,
    backtest_mixture, by_horizon, extrapolate, fit, profile, resample, stack, tested_reach,
};

/// A curve by its name.
pub(super) type Named = (&'static str, Curve);

/// The name of the weighted curves.
pub(super) const STACK: &str = "stack";

/// All that was found.
pub(super) struct Found {
    /// The curves with their weights; one curve alone has 1.
    pub(super) members: Vec<(Named, f64)>,
    /// How the weights came about.
    pub(super) weighing: Weighing,
    /// Curves that were left out, and why.
    pub(super) notes: Vec<String>,
    /// By series, then by curve.
    pub(super) fits: Vec<Vec<Fit>>,
    /// By curve, then the stack where there is one, then the baselines.
    pub(super) backtests: Result<Vec<(&'static str, Vec<Horizon>)>, String>,
    /// Share of the forecasts of the curve or the stack that its intervals cover, with their number.
    pub(super) coverage: Option<(f64, usize)>,
    /// Levels of the first fit of the backtests.
    pub(super) first: usize,
    /// Distance that was tested, in units of the levels or of their logarithm; 0 where nothing was.
    pub(super) tested: f64,
    /// By series, then by level.
    pub(super) predictions: Vec<Vec<(f64, Result<Prediction, String>)>>,
    /// Number of new items of each prediction.
    pub(super) items: u64,
    /// By series: the predictions within the data and at what was asked for, for the plot.
    pub(super) path: Vec<Vec<Prediction>>,
}

/// How weights came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weighing {
    /// There is one curve.
    One,
    /// By the log-score of forecasts.
    Stacked,
    /// All the same, for there is no forecast.
    Equal,
}

/// A curve fitted to a series.
pub(super) struct Fit {
    pub(super) name: &'static str,
    pub(super) fitted: Fitted,
    /// Name, value with its interval where it has one, and how that was made.
    pub(super) parameters: Vec<(&'static str, Result<Estimate, f64>, &'static str)>,
}

pub(super) fn work(counts: &Counts, args: &ExtrapolateArgs, by: &Bootstrap) -> Result<Found, Failure> {
    let (curves, notes) = able(counts, curves(args)?, args.model)?;
    let resampling = args.resampling.maths();
    let most = curves.iter().map(|(_, curve)| parameters(*curve)).max().unwrap_or(1);
    let spare = usize::from(resampling == maths::Resampling::Straying);
    let first = args.first.unwrap_or((most + spare).max(3));
    let options = Backtest { first, horizon: args.horizon, resampling, bootstrap: *by };
    let tests = Tests::new(counts, &curves, &options);
    let (weights, weighing) = match (&tests, curves.len()) {
        (_, 1) => (vec![1.0], Weighing::One),
        (Ok(tests), _) => (tests.weights(None).map_err(Failure::usage)?, Weighing::Stacked),
        (Err(_), n) => (vec![1.0 / n as f64; n], Weighing::Equal),
    };
    let members: Vec<(Named, f64)> = curves.iter().copied().zip(weights).collect();
    let plain: Vec<(Curve, f64)> = members.iter().map(|((_, curve), weight)| (*curve, *weight)).collect();
    let (mut coverage, mut tested) = (None, 0.0);
    let backtests = match tests {
        Err(reason) => Err(reason.to_string()),
        Ok(tests) => {
            let series: Vec<&[Forecast]> = tests.forecasts[0].iter().map(Vec::as_slice).collect();
            tested = tested_reach(&series, args.enough).unwrap_or(0.0);
            let report = tests.report(by).map_err(Failure::usage)?;
            let judged = if curves.len() == 1 { &report[0].1 } else { &report[curves.len()].1 };
            let forecasts: usize = judged.iter().map(|horizon| horizon.forecasts).sum();
            let hits: f64 = judged.iter().map(|h| h.coverage.value * h.forecasts as f64).sum();
            coverage = Some((hits / forecasts as f64, forecasts));
            Ok(report)
        }
    };
    let mut fits = Vec::new();
    for series in &counts.series {
        let of = |named: &Named| fitted(series, *named, resampling, by).map_err(|e| at(series, &e));
        fits.push(curves.iter().map(of).collect::<Result<Vec<_>, _>>()?);
    }
    let items = args.items.unwrap_or(counts.items);
    let beyond = match args.beyond {
        Beyond::Refuse => maths::Beyond::Refuse,
        Beyond::Widen => maths::Beyond::Widen,
    };
    let options = Extrapolation { resampling, bootstrap: *by, tested, beyond };
    let (mut predictions, mut path) = (Vec::new(), Vec::new());
    for series in &counts.series {
        let found = predicted(series, &plain, &args.predict, items, &options);
        if args.plot.is_some() {
            let known: Vec<(f64, u64)> = series.points.levels().iter().map(|&x| (x, items)).collect();
            let mut all =
                extrapolate(&series.points, &plain, &known, &options).map_err(|e| at(series, &e))?;
            all.extend(found.iter().filter_map(|(_, found)| found.as_ref().ok()));
            all.sort_by(|a, b| a.x.total_cmp(&b.x));
            all.dedup_by(|a, b| a.x == b.x);
            path.push(all);
        }
        predictions.push(found);
    }
    Ok(Found { members, weighing, notes, fits, backtests, coverage, first, tested, predictions, items, path })
}

/// The error of a series, with its name.
fn at(series: &Series, error: &EvaluationError) -> Failure {
    if series.name.is_empty() {
        Failure::usage(error)
    } else {
        Failure::Usage(format!("{}: {error}", series.name))
    }
}

/// The curves that were asked for.
fn curves(args: &ExtrapolateArgs) -> Result<Vec<Named>, Failure> {
    let bound = |key: &str, given: &Option<String>| match given.as_deref() {
        None => Ok(None),
        Some("free") => Ok(Some(Bound::Free)),
        Some(text) => match text.parse::<f64>() {
            Ok(share) if (0.0..=1.0).contains(&share) => Ok(Some(Bound::Fixed(share))),
            _ => Err(Failure::Usage(format!("--{key} {text}: expected a share from 0 to 1, or `free`"))),
        },
    };
    let (floor, ceiling) = (bound("floor", &args.floor)?, bound("ceiling", &args.ceiling)?);
    let (low, high) = (floor.unwrap_or(Bound::Fixed(0.0)), ceiling.unwrap_or(Bound::Fixed(1.0)));
    let (end, trend) = match args.x {
        Levels::Difficulty => (floor, Trend::Falling),
        Levels::Scale => (ceiling, Trend::Rising),
    };
    let all = [
        (Model::Logistic, ("logistic", Curve::Logistic { floor: low, ceiling: high })),
        (Model::Power, ("power", Curve::PowerLaw { asymptote: end.unwrap_or(Bound::Free) })),
        (Model::ClippedLinear, ("clipped-linear", Curve::ClippedLinear { floor: low, ceiling: high })),
        (Model::Monotone, ("monotone", Curve::Monotone(trend))),
    ];
    let asked = all.into_iter().filter(|(model, _)| args.model == Model::Stack || *model == args.model);
    Ok(asked.map(|(_, named)| named).collect())
}

/// Of several curves those that can be fitted to every series, and why others cannot.
fn able(counts: &Counts, curves: Vec<Named>, model: Model) -> Result<(Vec<Named>, Vec<String>), Failure> {
    let mut notes = Vec::new();
    let mut kept = Vec::new();
    for (name, curve) in curves {
        let failed = counts.series.iter().find_map(|one| fit(&one.points, curve).err().map(|e| at(one, &e)));
        match failed {
            None => kept.push((name, curve)),
            Some(Failure::Usage(why)) if model == Model::Stack => {
                notes.push(format!("{name} is left out: {why}."));
            }
            Some(failure) => return Err(failure),
        }
    }
    if kept.is_empty() {
        return Err(Failure::Usage(format!("no curve can be fitted: {}", notes.join(" "))));
    }
    Ok((kept, notes))
}

/// Number of parameters that are found from the data.
fn parameters(curve: Curve) -> usize {
    let free = |bound| usize::from(bound == Bound::Free);
    match curve {
        Curve::Logistic { floor, ceiling } | Curve::ClippedLinear { floor, ceiling } => {
            2 + free(floor) + free(ceiling)
        }
        Curve::PowerLaw { asymptote } => 2 + free(asymptote),
        Curve::Linear => 2,
        Curve::Monotone(_) | Curve::LastValue => 1,
    }
}

/// Forecasts of all curves on all series.
struct Tests<'a> {
    counts: &'a Counts,
    curves: &'a [Named],
    options: &'a Backtest,
    /// By curve, then by series.
    forecasts: Vec<Vec<Vec<Forecast>>>,
}

impl<'a> Tests<'a> {
    /// Series that are too short for it have no forecasts; there is one at least that has.
    fn new(counts: &'a Counts, curves: &'a [Named], options: &'a Backtest) -> Result<Self, EvaluationError> {
        let mut forecasts = Vec::new();
        for (_, curve) in curves {
            forecasts.push(each(counts, |points| backtest(points, *curve, options))?);
        }
        Ok(Self { counts, curves, options, forecasts })
    }

    /// Weights by the log-score of all forecasts, or of those of all series but one.
    fn weights(&self, but: Option<usize>) -> Result<Vec<f64>, EvaluationError> {
        let of = |series: &Vec<Vec<Forecast>>| -> Vec<Forecast> {
            let kept = series.iter().enumerate().filter(|(place, _)| Some(*place) != but);
            kept.flat_map(|(_, forecasts)| forecasts.iter().copied()).collect()
        };
        let flat: Vec<Vec<Forecast>> = self.forecasts.iter().map(of).collect();
        stack(&flat.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    /// How good the curves, their stack and the baselines are.
    fn report(&self, by: &Bootstrap) -> Result<Vec<(&'static str, Vec<Horizon>)>, EvaluationError> {
        let summed =
            |series: &[Vec<Forecast>]| by_horizon(&series.iter().map(Vec::as_slice).collect::<Vec<_>>(), by);
        let mut report = Vec::new();
        for ((name, _), series) in self.curves.iter().zip(&self.forecasts) {
            report.push((*name, summed(series)?));
        }
        if self.curves.len() > 1 {
            let mut series = Vec::new();
            for (place, one) in self.counts.series.iter().enumerate() {
                if self.forecasts[0][place].is_empty() {
                    continue;
                }
                // Weights that did not see the series, where there are others.
                let others = self.forecasts[0].iter().enumerate().any(|(p, f)| p != place && !f.is_empty());
                let weights = self.weights(others.then_some(place))?;
                let members: Vec<(Curve, f64)> =
                    self.curves.iter().zip(weights).map(|((_, curve), weight)| (*curve, weight)).collect();
                series.push(backtest_mixture(&one.points, &members, self.options)?);
            }
            report.push((STACK, summed(&series)?));
        }
        for (name, curve) in [("last value", Curve::LastValue), ("linear", Curve::Linear)] {
            // A baseline may lack the levels to be resampled so; then it is no yardstick.
            if let Ok(series) = each(self.counts, |points| backtest(points, curve, self.options)) {
                report.push((name, summed(&series)?));
            }
        }
        Ok(report)
    }
}

/// Whether the series were tested by themselves or only by what the others gave.
pub(super) fn held_out(counts: &Counts, found: &Found) -> bool {
    counts.series.iter().filter(|one| one.points.levels().len() > found.first).count() > 1
}

/// Forecasts of each series; none of one that is too short, unless all are.
fn each(
    counts: &Counts,
    of: impl Fn(&maths::Points) -> Result<Vec<Forecast>, EvaluationError>,
) -> Result<Vec<Vec<Forecast>>, EvaluationError> {
    let mut all = Vec::new();
    let mut short = None;
    for series in &counts.series {
        match of(&series.points) {
            Ok(found) => all.push(found),
            Err(error @ EvaluationError::TooFew { what: "levels", .. }) => {
                short = Some(error);
                all.push(Vec::new());
            }
            Err(error) => return Err(error),
        }
    }
    match short {
        Some(error) if all.iter().all(Vec::is_empty) => Err(error),
        _ => Ok(all),
    }
}

/// A curve on a series, with intervals of its parameters: of profile likelihood where the likelihood is smooth and only
/// answers vary, else of resamples.
fn fitted(
    series: &Series,
    (name, curve): Named,
    resampling: maths::Resampling,
    by: &Bootstrap,
) -> Result<Fit, EvaluationError> {
    let points = &series.points;
    let fitted = fit(points, curve)?;
    let smooth = matches!(curve, Curve::Logistic { .. } | Curve::PowerLaw { .. });
    let resampled = if fitted.parameters.is_empty() || smooth && resampling == maths::Resampling::Binomial {
        None
    } else {
        resample(points, curve, resampling, by).ok().map(|found| found.parameters())
    };
    let fixed = |name: &str| {
        let is_fixed = |bound| matches!(bound, Bound::Fixed(_));
        match (curve, name) {
            (Curve::Logistic { floor, .. } | Curve::ClippedLinear { floor, .. }, "floor") => is_fixed(floor),
            (Curve::Logistic { ceiling, .. } | Curve::ClippedLinear { ceiling, .. }, "ceiling") => {
                is_fixed(ceiling)
            }
            (Curve::PowerLaw { asymptote }, "asymptote") => is_fixed(asymptote),
            _ => false,
        }
    };
    let mut parameters = Vec::new();
    for (place, &(name, value)) in fitted.parameters.iter().enumerate() {
        parameters.push(if fixed(name) {
            (name, Err(value), "given")
        } else if let Some(found) = &resampled {
            (name, Ok(found[place]), "resampled")
        } else if smooth {
            match profile(points, &fitted, Target::Parameter(place), by.level) {
                Ok(found) => (name, Ok(found), "profile"),
                Err(_) => (name, Err(value), "no interval"),
            }
        } else {
            (name, Err(value), "no interval")
        });
    }
    Ok(Fit { name, fitted, parameters })
}

/// Predictions of one series, each level on its own where one of them is refused.
fn predicted(
    series: &Series,
    members: &[(Curve, f64)],
    levels: &[f64],
    items: u64,
    options: &Extrapolation,
) -> Vec<(f64, Result<Prediction, String>)> {
    let of = |levels: &[f64]| {
        let targets: Vec<(f64, u64)> = levels.iter().map(|&x| (x, items)).collect();
        extrapolate(&series.points, members, &targets, options)
    };
    match of(levels) {
        Ok(found) => levels.iter().copied().zip(found.into_iter().map(Ok)).collect(),
        Err(_) => levels
            .iter()
            .map(|&x| (x, of(&[x]).map(|found| found[0]).map_err(|error| error.to_string())))
            .collect(),
    }
}
