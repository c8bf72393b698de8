//! Which rows a student trained on the other rows lets stand: cross-validated pruning for
//! [`crate::Loss::ConfidentLearning`].

use crate::{LearnerError, Loss, Probe, ProbeConfig, fit_sweep, loss, sweep_logits};
use crate::{matrix, sigmoid};
use ndarray::{Array2, ArrayView2, Axis};
use superalign_core::Seed;
use superalign_core::rand::seq::SliceRandom as _;

/// For every problem the rows to keep, as weights 0 or 1.
pub(crate) fn kept(
    features: ArrayView2<'_, f32>,
    labels: ArrayView2<'_, f64>,
    config: &ProbeConfig,
    folds: usize,
    seed: Seed,
) -> Vec<Result<Vec<f64>, LearnerError>> {
    let (n, problems) = labels.dim();
    if n < folds {
        let error = LearnerError::TooFewRows { what: "features", expected: folds, found: n };
        return vec![Err(error); problems];
    }
    let config = ProbeConfig { loss: Loss::CrossEntropy, ..*config };
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(&mut seed.named("confident-learning").rng());
    let mut probabilities: Array2<f64> = matrix::zeros(n, problems);
    let mut failed: Vec<Option<LearnerError>> = vec![None; problems];
    for fold in 0..folds {
        let (from, to) = (fold * n / folds, (fold + 1) * n / folds);
        let mut train: Vec<usize> = order[..from].iter().chain(&order[to..]).copied().collect();
        train.sort_unstable();
        let probes = fit_sweep(
            features.select(Axis(0), &train).view(),
            labels.select(Axis(0), &train).view(),
            &config,
        );
        let good: Vec<(usize, &Probe)> =
            probes.iter().enumerate().filter_map(|(j, p)| Some((j, p.as_ref().ok()?))).collect();
        let students: Vec<&Probe> = good.iter().map(|(_, probe)| *probe).collect();
        match sweep_logits(features.select(Axis(0), &order[from..to]).view(), &students) {
            Ok(logits) => {
                for ((j, _), column) in good.iter().zip(logits.axis_iter(Axis(1))) {
                    for (&row, &z) in order[from..to].iter().zip(column) {
                        probabilities[(row, *j)] = sigmoid::sigmoid(z);
                    }
                }
            }
            Err(error) => return vec![Err(error); problems],
        }
        for (failed, probe) in failed.iter_mut().zip(probes) {
            *failed = failed.take().or(probe.err());
        }
    }
    let columns = probabilities.axis_iter(Axis(1)).zip(labels.axis_iter(Axis(1))).zip(failed);
    columns
        .map(|((p, y), failed)| match failed {
            Some(error) => Err(error),
            None => loss::prune(&p.to_vec(), &y.to_vec())
                .map(|pruned| pruned.into_iter().map(|pruned| f64::from(u8::from(!pruned))).collect()),
        })
        .collect()
}
