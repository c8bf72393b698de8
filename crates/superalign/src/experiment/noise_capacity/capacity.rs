//! Students on growing shares of the true labels, and the measures of capacity that follow from them.

use super::students::students;
use super::{ASYMPTOTE, CEILING, COMPRESSION, Learner, TEST};
use crate::experiment::score::{Said, Speaker, Truth, bootstrap, item_rows};
use crate::experiment::{Found, Inputs, Job};
use crate::plan::Plan;
use crate::record::Row;
use crate::spec::NoiseCapacity;
use ndarray::{Array2, Axis};
use superalign_core::rand::seq::SliceRandom as _;
use superalign_core::{Estimate, Seed};
use superalign_gap::capacity::{Verdict, description_length, learning_curve};
use superalign_gap::{Draws, capability_draws};

/// No label is coded as if it had been thought less likely than this: else one mistake could cost any number of bits.
const LEAST_LIKELY: f64 = 1e-6;

/// One name for the resamples of all measures, so that their draws belong together.
const TOGETHER: &str = "capacity";

/// A rung as student of shares of the true labels.
pub(super) fn learn(job: &Job, design: &NoiseCapacity, learner: Learner<'_>, inputs: &Inputs<'_>) -> Found {
    let plan = inputs.plan;
    let mut found = Found::default();
    let fail = |found: &mut Found, share: f64, seed: u64, why: &str| {
        let row = Row::new(learner.at(share), Some(seed), TEST, "share", 0, Err::<Estimate, _>(why));
        found.rows.push(row);
    };
    for &seed in &plan.seeds {
        for &share in &design.share {
            let taught = || -> Result<_, String> {
                let (train, test) = (Truth::of(inputs.parts, "train")?, Truth::of(inputs.parts, "test")?);
                let features = &inputs.features[job.rung];
                let (train_x, test_x) = (features.part("train")?, features.part("test")?);
                let order = order(&train, plan.seed(seed, "shares"));
                let chosen = &order[..end(&train, &order, share)];
                let x = train_x.select(Axis(0), chosen);
                let gold =
                    Array2::from_shape_fn((chosen.len(), 1), |(i, _)| f64::from(train.taught()[chosen[i]]));
                let own = [plan.seed(seed, "student")];
                let said = students(learner.student, plan, x.view(), &gold, &own, &[train_x, test_x]).pop();
                Ok((train, test, said.ok_or("no student was trained")??))
            };
            match taught() {
                Err(why) => fail(&mut found, share, seed, &why),
                Ok((train, test, said)) => {
                    let name = learner.at(share);
                    let interval = bootstrap(plan, &format!("{name}/{TEST}/{seed}"));
                    let right = test.correct(&said[1]);
                    let outcome = superalign_gap::capability(&right, Some(&test.groups), &interval);
                    found.rows.push(Row::new(&*name, Some(seed), TEST, "share", right.len(), outcome));
                    let speaker = Speaker { model: learner.rung, signal: &name, seed };
                    found.items.extend(item_rows(&speaker, train.part, &said[0], |_| None));
                    found.items.extend(item_rows(&speaker, test.part, &said[1], |_| None));
                }
            }
        }
    }
    found
}

/// The items of a part by their groups in random order: every share takes the first of them.
fn order(truth: &Truth<'_>, seed: Seed) -> Vec<usize> {
    let count = truth.groups.iter().max().map_or(0, |last| *last as usize + 1);
    let mut members = vec![Vec::new(); count];
    for (i, &group) in truth.groups.iter().enumerate() {
        members[group as usize].push(i);
    }
    members.shuffle(&mut seed.rng());
    members.concat()
}

/// Where a share of the ordered items ends: no group is cut.
fn end(truth: &Truth<'_>, order: &[usize], share: f64) -> usize {
    let mut end = ((share * order.len() as f64).round() as usize).clamp(1, order.len());
    while end < order.len() && truth.groups[order[end]] == truth.groups[order[end - 1]] {
        end += 1;
    }
    end
}

/// What the shares of one learner say of its capacity.
pub(super) struct Measured {
    /// Rows of the summary.
    pub(super) rows: Vec<Row>,
    /// Ceiling, asymptote and compression, with draws that belong together.
    pub(super) draws: [Result<Draws, String>; 3],
}

/// Reads the measures out of what the students of a learner said.
pub(super) fn measure(
    design: &NoiseCapacity,
    plan: &Plan,
    learner: Learner<'_>,
    (train, test): (&Truth<'_>, &Truth<'_>),
    said: &Said,
) -> Measured {
    let cell = learner.cell();
    let interval = bootstrap(plan, TOGETHER);
    let mut rows = Vec::new();
    let answers: Vec<Result<Array2<bool>, String>> = design
        .share
        .iter()
        .map(|&share| {
            said.by_seed(&learner.at(share), &plan.seeds, "test")
                .map(|by_seed| test.correct_by_seed(&by_seed))
        })
        .collect();
    let mut ceiling = Err("no share of the labels".to_owned());
    for (&share, right) in design.share.iter().zip(&answers) {
        let draws = right.as_ref().map_err(Clone::clone).and_then(|right| {
            let draws = capability_draws(&[right.view()], Some(&test.groups), &interval);
            draws.map_err(|e| e.to_string())?.pop().ok_or_else(|| "no draws".to_owned())
        });
        rows.push(row(&learner.at(share), TEST, test.len(), &draws, plan));
        ceiling = draws;
    }
    rows.push(row(&cell, CEILING, test.len(), &ceiling, plan));

    let sizes: Vec<f64> = design.share.iter().map(|share| share * train.len() as f64).collect();
    let curve = answers.into_iter().collect::<Result<Vec<_>, _>>().and_then(|answers| {
        learning_curve(&sizes, &answers, Some(&test.groups), &interval).map_err(|e| e.to_string())
    });
    let shown = curve.as_ref().map_err(Clone::clone).and_then(|curve| match curve.verdict {
        Verdict::Determined => Ok(curve.capacity),
        verdict => Err(verdict.to_string()),
    });
    rows.push(Row::new(&*cell, None, ASYMPTOTE, "share", test.len(), shown));
    let asymptote = curve.and_then(|curve| match curve.verdict {
        Verdict::Determined => Ok(curve.draws),
        verdict => Err(verdict.to_string()),
    });

    let compression = compression(design, plan, learner, train, said);
    rows.push(row(&cell, COMPRESSION, train.len(), &compression, plan));
    Measured { rows, draws: [ceiling, asymptote, compression] }
}

fn row(cell: &str, metric: &str, n: usize, draws: &Result<Draws, String>, plan: &Plan) -> Row {
    let outcome = draws
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|draws| draws.estimate(plan.bootstrap.level).map_err(|e| e.to_string()));
    Row::new(cell, None, metric, "share", n, outcome)
}

/// The compression of the true labels by the students of the first seed, each of which codes the items between its own
/// share and the next.
fn compression(
    design: &NoiseCapacity,
    plan: &Plan,
    learner: Learner<'_>,
    train: &Truth<'_>,
    said: &Said,
) -> Result<Draws, String> {
    let seed = *plan.seeds.first().ok_or("no seed")?;
    let order = order(train, plan.seed(seed, "shares"));
    let ends: Vec<usize> = design.share.iter().map(|&share| end(train, &order, share)).collect();
    let mut likelihoods = Vec::new();
    for (pair, &share) in ends.windows(2).zip(&design.share) {
        let p = said.about(&learner.at(share), seed, "train")?;
        likelihoods.extend(order[pair[0]..pair[1]].iter().map(|&i| {
            let right = if train.taught()[i] { p[i] } else { 1.0 - p[i] };
            right.clamp(LEAST_LIKELY, 1.0).ln()
        }));
    }
    let coded = &order[ends.first().copied().unwrap_or(0)..ends.last().copied().unwrap_or(0)];
    let groups: Vec<u32> = coded.iter().map(|&i| train.groups[i]).collect();
    let likelihoods =
        Array2::from_shape_vec((1, likelihoods.len()), likelihoods).map_err(|e| e.to_string())?;
    let found = description_length(&ends, likelihoods.view(), 2, Some(&groups), &bootstrap(plan, TOGETHER));
    found.map(|found| found.draws).map_err(|e| e.to_string())
}
