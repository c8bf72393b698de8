//! The rows over all seeds: curves over the ratios, capacities, and how far the measures of capacity agree.

use super::{
    AGREEMENT, CAPACITY, Curve, ESTIMATORS, LABELS, Learner, TEACHER, TEST, TRAIN_CLEAN, TRAIN_NOISY,
    agreement_cell, capacity, noise,
};
use crate::experiment::score::{Said, Truth, bootstrap};
use crate::experiment::{FoundBy, Inputs};
use crate::record::Row;
use crate::spec::NoiseCapacity;
use ndarray::Array2;
use superalign_data::noise::Noise;
use superalign_gap::Draws;
use superalign_gap::capacity::{RankCorrelation, estimator_agreement, noise_fitting_draws};

pub(super) fn summarise(design: &NoiseCapacity, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
    let plan = inputs.plan;
    let (Ok(train), Ok(test)) = (Truth::of(inputs.parts, "train"), Truth::of(inputs.parts, "test")) else {
        return Vec::new();
    };
    let said = Said::read(found);
    let mut rows = Vec::new();
    let push = |rows: &mut Vec<Row>, cell: &str, metric: &str, correct: &Answers, truth: &Truth<'_>| {
        let interval = bootstrap(plan, &format!("{cell}/{metric}"));
        let outcome = correct.as_ref().map_err(Clone::clone).and_then(|correct| {
            superalign_gap::capability_over_seeds(correct.view(), Some(&truth.groups), &interval)
                .map_err(|e| e.to_string())
        });
        rows.push(Row::new(cell, None, metric, "share", truth.len(), outcome));
    };
    if design.needs_teacher() {
        let labels = said.by_seed(TEACHER, &plan.seeds, "train").map(|said| train.correct_by_seed(&said));
        push(&mut rows, TEACHER, LABELS, &labels, &train);
    }
    let mut sums = Vec::new();
    for &student in &design.student {
        // Every measure of every rung, in the order of `ESTIMATORS`.
        let mut measures: [Vec<Result<Draws, String>>; 4] = Default::default();
        for rung in &plan.rungs {
            let learner = Learner { rung: &rung.name, student };
            let mut first = None;
            for &kind in &design.noise {
                let noises: Result<Vec<Noise>, String> = plan
                    .seeds
                    .iter()
                    .map(|&seed| noise(kind, design, plan, train.taught(), seed, &said))
                    .collect();
                let curve = Curve { learner, noise: kind };
                let mut fits_by_ratio = Vec::new();
                for &ratio in &design.ratio {
                    let name = curve.at(ratio);
                    let on = |part: &str| said.by_seed(&name, &plan.seeds, part);
                    let fits = on("train").and_then(|by_seed| {
                        let noises = noises.as_ref().map_err(Clone::clone)?;
                        let noisy = noises.iter().map(|noise| noise.flip(train.taught(), ratio));
                        let noisy: Vec<Vec<bool>> =
                            noisy.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
                        let shape = (plan.seeds.len(), train.len());
                        Ok(Array2::from_shape_fn(shape, |(s, i)| (by_seed[s][i] >= 0.5) == noisy[s][i]))
                    });
                    push(&mut rows, &name, TRAIN_NOISY, &fits, &train);
                    let clean = on("train").map(|by_seed| train.correct_by_seed(&by_seed));
                    push(&mut rows, &name, TRAIN_CLEAN, &clean, &train);
                    let right = on("test").map(|by_seed| test.correct_by_seed(&by_seed));
                    push(&mut rows, &name, TEST, &right, &test);
                    fits_by_ratio.push(fits);
                }
                let name = curve.cell();
                let interval = bootstrap(plan, "capacity");
                let draws = fits_by_ratio.into_iter().collect::<Result<Vec<_>, _>>().and_then(|fits| {
                    noise_fitting_draws(&design.ratio, &fits, Some(&train.groups), &interval)
                        .map_err(|e| e.to_string())
                });
                let outcome = draws
                    .as_ref()
                    .map_err(Clone::clone)
                    .and_then(|draws| draws.estimate(plan.bootstrap.level).map_err(|e| e.to_string()));
                sums.push(Row::new(name, None, CAPACITY, "share", train.len(), outcome));
                first.get_or_insert(draws);
            }
            let measured = capacity::measure(design, plan, learner, (&train, &test), &said);
            sums.extend(measured.rows);
            let [ceiling, asymptote, compression] = measured.draws;
            let noise = first.unwrap_or_else(|| Err("no kind of noise".to_owned()));
            for (all, one) in measures.iter_mut().zip([ceiling, asymptote, noise, compression]) {
                all.push(one);
            }
        }
        // An estimator agrees with another over the rungs where both are defined for all of them.
        let measures: Vec<Result<Vec<Draws>, String>> =
            measures.into_iter().map(|all| all.into_iter().collect()).collect();
        for (i, one) in measures.iter().enumerate() {
            for (j, other) in measures.iter().enumerate().skip(i + 1) {
                let outcome = one.as_ref().map_err(Clone::clone).and_then(|one| {
                    let both = [one.clone(), other.as_ref().map_err(Clone::clone)?.clone()];
                    estimator_agreement(&both, RankCorrelation::Kendall, plan.bootstrap.level)
                        .map(|matrix| matrix[(0, 1)])
                        .map_err(|e| e.to_string())
                });
                let cell = agreement_cell(student, ESTIMATORS[i], ESTIMATORS[j]);
                sums.push(Row::new(cell, None, AGREEMENT, "correlation", plan.rungs.len(), outcome));
            }
        }
    }
    rows.extend(sums);
    rows
}

/// Right and wrong answers, (seeds, items), or why there are none.
type Answers = Result<Array2<bool>, String>;
