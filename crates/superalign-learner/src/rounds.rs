//! Training under losses whose targets or weights follow from the student: a schedule, then rounds to a fixed point.

use crate::loss::{Items, Kind, Out};
use crate::matrix::{each, norm};
use crate::passes::{Passes, Want};
use crate::probe::Schedule;
use crate::solver::{Ended, Metric, Stop, minimise, minimise_moving};
use crate::{Loss, MAXIMUM_ROUNDS};
use ndarray::{Array2, ArrayViewMut1, Axis};

/// How to train.
#[derive(Clone, Copy)]
pub(crate) struct Rounds<'a> {
    pub(crate) loss: Loss,
    pub(crate) metric: &'a Metric<'a>,
    pub(crate) stop: Stop,
    pub(crate) steps: usize,
}

/// Trains all problems of `passes`, whose labels are `y`, from weights 0.
pub(crate) fn train(passes: &mut Passes<'_>, y: &Array2<f64>, how: Rounds<'_>) -> Vec<(Ended, Schedule)> {
    let Rounds { loss, metric, stop, steps } = how;
    let priors: Vec<f64> = y.axis_iter(Axis(1)).map(|c| c.sum() / c.len() as f64).collect();
    let mut open: Vec<usize> = (0..passes.problems()).collect();
    let mut rounds = 0;
    for step in 0..steps {
        refresh(
            passes,
            &open,
            At { y, priors: &priors, loss, progress: step as f64 / steps as f64, turn: step },
        );
        passes.retarget(&open);
        let mut moves = passes.gradient.clone();
        metric.apply(&mut moves);
        let weights = &passes.weights - &moves;
        passes.settle(&open, &weights, Want::Probabilities);
    }
    let end = At { y, priors: &priors, loss, progress: 1.0, turn: steps };
    refresh(passes, &open, end);
    passes.retarget(&open);
    let start = Ended { iterations: steps, ..Ended::default() };
    let mut ended = vec![(start, Schedule { steps, rounds: 0, changed: 0 }); open.len()];
    if loss.kind() == Kind::Smooth {
        let round = minimise_moving(passes, metric, &open, stop, |passes, columns| {
            refresh(passes, columns, end);
        });
        for ((ended, schedule), round) in ended.iter_mut().zip(round) {
            *ended = Ended { iterations: ended.iterations + round.iterations, ..round };
            schedule.rounds = 1;
        }
        return ended;
    }
    while !open.is_empty() {
        let round = minimise(passes, metric, &open, true, stop);
        rounds += 1;
        let moved = refresh(passes, &open, At { turn: steps + rounds, ..end });
        for (&j, round) in open.iter().zip(&round) {
            let (ended, schedule) = &mut ended[j];
            *ended = Ended { iterations: ended.iterations + round.iterations, ..*round };
            schedule.rounds += 1;
            schedule.changed = moved[j];
        }
        open.retain(|&j| {
            let (ended, schedule) = &ended[j];
            ended.converged && schedule.changed > 0 && schedule.rounds < MAXIMUM_ROUNDS
        });
        passes.retarget(&open);
        if loss.kind() == Kind::Drifts {
            open.retain(|&j| {
                let (ended, schedule) = &mut ended[j];
                let gradient_norm = norm(&passes.gradient.column(j).to_vec());
                if gradient_norm <= stop.tolerance {
                    ended.gradient_norm = gradient_norm;
                    schedule.changed = 0;
                }
                schedule.changed > 0
            });
        }
    }
    ended
}

/// When targets and weights are brought up to date, and what from.
#[derive(Clone, Copy)]
struct At<'a> {
    y: &'a Array2<f64>,
    priors: &'a [f64],
    loss: Loss,
    progress: f64,
    /// Steps and rounds before.
    turn: usize,
}

/// Brings targets and weights of some problems up to date with their students: for each problem, the number of items
/// whose target or weight moved.
fn refresh(passes: &mut Passes<'_>, columns: &[usize], at: At<'_>) -> Vec<usize> {
    let At { y, priors, loss, progress, turn } = at;
    // An average gives every turn the same weight.
    let share = if loss.kind() == Kind::Averaged { 1.0 / (turn + 1) as f64 } else { 1.0 };
    let mut moved = vec![0; priors.len()];
    let Passes { targets, shares, logits, probabilities, .. } = passes;
    let shares: Vec<&mut [f64]> = match shares {
        Some(shares) => shares.axis_iter_mut(Axis(1)).filter_map(ArrayViewMut1::into_slice).collect(),
        None => priors.iter().map(|_| &mut [][..]).collect(),
    };
    let columns_of = targets.axis_iter_mut(Axis(1)).filter_map(ArrayViewMut1::into_slice);
    let mut tasks: Vec<_> = columns_of.zip(shares).zip(&mut moved).enumerate().collect();
    tasks.retain(|(j, _)| columns.contains(j));
    each(tasks, |(j, ((targets, weights), moved))| {
        let (logits, p, y) = (logits.column(j), probabilities.column(j), y.column(j));
        let (Some(z), Some(p), Some(y)) = (logits.to_slice(), p.to_slice(), y.to_slice()) else { return };
        let (old_targets, old_weights) = (targets.to_vec(), weights.to_vec());
        let out = Out { targets: &mut *targets, weights: &mut *weights };
        loss.fill(Items { z, p, y, prior: priors[j] }, progress, out);
        if share < 1.0 {
            weights.iter_mut().zip(&old_weights).for_each(|(new, old)| *new = old + share * (*new - old));
        }
        *moved = (0..targets.len())
            .filter(|&i| targets[i] != old_targets[i] || weights.get(i) != old_weights.get(i))
            .count();
    });
    moved
}
