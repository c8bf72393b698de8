//! Noise capacity: how well each rung learns labels of which a growing share is wrong.
//!
//! One job per rung. Its probes, one per ratio and seed, share the features of one training part, so one
//! sweep fits them all. Within a seed the spoiled labels are nested: a label that is wrong at a ratio is
//! wrong at every higher one.

use super::score::{Said, Speaker, Truth, bootstrap, item_rows};
use super::{Found, FoundBy, Inputs, Job, probe_config};
use crate::plan::Plan;
use crate::record::Row;
use crate::spec::{LossName, NoiseCapacity};
use ndarray::Array2;
use superalign_data::noise::flip;
use superalign_learner::fit_sweep;

/// Accuracy on the training items, against the labels that were given.
pub(crate) const TRAIN_NOISY: &str = "train-accuracy-noisy";
/// Accuracy on the training items, against the true labels.
pub(crate) const TRAIN_CLEAN: &str = "train-accuracy-clean";
/// Accuracy on the held-out items, against the true labels.
pub(crate) const TEST: &str = "test-accuracy";
/// Noise-fitting capacity of a rung.
pub(crate) const CAPACITY: &str = "noise-fitting-capacity";

/// The name of the cell of a rung and a ratio.
pub(crate) fn cell(rung: &str, ratio: f64) -> String {
    format!("model={rung}/ratio={ratio}")
}

/// The name of the cell that sums up a rung.
pub(crate) fn rung_cell(rung: &str) -> String {
    format!("model={rung}")
}

pub(super) fn jobs(plan: &Plan) -> Vec<Vec<Job>> {
    let job = |(i, r): (usize, &crate::plan::RungPlan)| Job { name: rung_cell(&r.name), rung: i, seed: None };
    vec![plan.rungs.iter().enumerate().map(job).collect()]
}

pub(super) fn run(job: &Job, design: &NoiseCapacity, inputs: &Inputs<'_>) -> Found {
    let plan = inputs.plan;
    let rung = &plan.rungs[job.rung].name;
    let mut found = Found::default();
    let grid: Vec<(u64, f64)> =
        plan.seeds.iter().flat_map(|&seed| design.ratio.iter().map(move |&ratio| (seed, ratio))).collect();
    let fail = |found: &mut Found, (seed, ratio): (u64, f64), n: usize, why: &str| {
        for metric in [TRAIN_NOISY, TRAIN_CLEAN, TEST] {
            found.rows.push(Row::new(cell(rung, ratio), Some(seed), metric, "share", n, Err(why)));
        }
    };
    let (Some(train), Some(test)) = (Truth::of(inputs.parts, "train"), Truth::of(inputs.parts, "test"))
    else {
        grid.iter().for_each(|&at| fail(&mut found, at, 0, "the plan lacks a part"));
        return found;
    };
    let features = &inputs.features[job.rung];
    let (train_x, test_x) = match (features.part("train"), features.part("test")) {
        (Ok(train_x), Ok(test_x)) => (train_x, test_x),
        (Err(why), _) | (_, Err(why)) => {
            grid.iter().for_each(|&at| fail(&mut found, at, 0, &why));
            return found;
        }
    };
    let labels: Result<Vec<Vec<bool>>, _> =
        grid.iter().map(|&(seed, ratio)| flip(&train.gold, ratio, plan.seed(seed, "noise"))).collect();
    let labels = match labels {
        Ok(labels) => labels,
        Err(why) => {
            grid.iter().for_each(|&at| fail(&mut found, at, 0, &why.to_string()));
            return found;
        }
    };
    let soft = Array2::from_shape_fn((train.gold.len(), labels.len()), |(i, k)| f64::from(labels[k][i]));
    let probes = fit_sweep(train_x, soft.view(), &probe_config(plan, LossName::Xent));
    for ((&(seed, ratio), noisy), probe) in grid.iter().zip(&labels).zip(probes) {
        let said = probe.and_then(|p| Ok((p.probabilities(train_x)?, p.probabilities(test_x)?)));
        let (on_train, on_test) = match said {
            Ok((on_train, on_test)) => (on_train.to_vec(), on_test.to_vec()),
            Err(why) => {
                fail(&mut found, (seed, ratio), train.gold.len(), &why.to_string());
                continue;
            }
        };
        let name = cell(rung, ratio);
        let fits: Vec<bool> = on_train.iter().zip(noisy).map(|(p, y)| (*p >= 0.5) == *y).collect();
        let mut push = |metric: &str, correct: &[bool], groups: &[u32]| {
            let interval = bootstrap(plan, &format!("{name}/{metric}/{seed}"));
            let outcome = superalign_gap::capability(correct, Some(groups), &interval);
            found.rows.push(Row::new(&*name, Some(seed), metric, "share", correct.len(), outcome));
        };
        push(TRAIN_NOISY, &fits, &train.groups);
        push(TRAIN_CLEAN, &train.correct(&on_train), &train.groups);
        push(TEST, &test.correct(&on_test), &test.groups);
        let speaker = Speaker { model: rung, signal: &name, seed };
        found.items.extend(item_rows(&speaker, train.part, &on_train, |i| Some(f64::from(noisy[i]))));
        found.items.extend(item_rows(&speaker, test.part, &on_test, |_| None));
    }
    found
}

pub(super) fn summarise(design: &NoiseCapacity, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
    let plan = inputs.plan;
    let (Some(train), Some(test)) = (Truth::of(inputs.parts, "train"), Truth::of(inputs.parts, "test"))
    else {
        return Vec::new();
    };
    let said = Said::read(found);
    let mut rows = Vec::new();
    for rung in &plan.rungs {
        let mut curve = Vec::new();
        for &ratio in &design.ratio {
            let name = cell(&rung.name, ratio);
            let on = |part: &str| said.by_seed(&name, &plan.seeds, part);
            let fits = on("train").and_then(|by_seed| {
                let noisy = plan.seeds.iter().map(|&seed| flip(&train.gold, ratio, plan.seed(seed, "noise")));
                let noisy: Vec<Vec<bool>> = noisy.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
                let shape = (plan.seeds.len(), train.gold.len());
                Ok(Array2::from_shape_fn(shape, |(s, i)| (by_seed[s][i] >= 0.5) == noisy[s][i]))
            });
            let on_train = on("train").map(|by_seed| train.correct_by_seed(&by_seed));
            let on_test = on("test").map(|by_seed| test.correct_by_seed(&by_seed));
            for (metric, correct, truth) in
                [(TRAIN_NOISY, &fits, &train), (TRAIN_CLEAN, &on_train, &train), (TEST, &on_test, &test)]
            {
                let interval = bootstrap(plan, &format!("{name}/{metric}"));
                let outcome = correct.as_ref().map_err(Clone::clone).and_then(|correct| {
                    superalign_gap::capability_over_seeds(correct.view(), Some(&truth.groups), &interval)
                        .map_err(|e| e.to_string())
                });
                rows.push(Row::new(&*name, None, metric, "share", truth.gold.len(), outcome));
            }
            curve.push(fits);
        }
        let name = rung_cell(&rung.name);
        let interval = bootstrap(plan, &format!("{name}/{CAPACITY}"));
        let outcome = curve.into_iter().collect::<Result<Vec<_>, _>>().and_then(|fits| {
            superalign_gap::noise_fitting_capacity(&design.ratio, &fits, Some(&train.groups), &interval)
                .map_err(|e| e.to_string())
        });
        rows.push(Row::new(name, None, CAPACITY, "share", train.gold.len(), outcome));
    }
    rows
}
