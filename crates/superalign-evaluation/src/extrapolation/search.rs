//! The search for a curve of greatest binomial likelihood: scoring with damping for smooth curves, the simplex method of
//! Nelder and Mead for those with kinks, each from a grid of starts.

use super::chance::{SMALL, log_kernel, logit};
use super::curve::{Bound, Curve, Frame, Raw};
use super::linear::Cholesky;
use super::points::{Points, Row};
use ndarray::Array2;

/// Of the grid of starts, so many are climbed from.
const CLIMBS: usize = 4;

/// What is maximised: the log-likelihood (without the numbers of ways) less, while a value is held, the pull's penalty.
pub(super) struct Problem<'a> {
    pub(super) curve: Curve,
    pub(super) frame: Frame,
    pub(super) rows: &'a [Row],
}

/// Holds a quantity of the curve near a value: a penalty of `strength / 2 (quantity - to)^2`.
pub(super) struct Pull<'a> {
    pub(super) quantity: &'a dyn Fn(&Raw) -> f64,
    pub(super) to: f64,
    pub(super) strength: f64,
}

impl Problem<'_> {
    pub(super) fn log_likelihood(&self, raw: &Raw) -> f64 {
        let of = |row: &Row| log_kernel(row.right, row.total, self.curve.share(&self.frame, raw, row.x).0);
        self.rows.iter().map(of).sum()
    }

    /// The score and the expected information (lower triangle) of the raw numbers.
    pub(super) fn score(&self, raw: &Raw) -> (Raw, [[f64; 4]; 4]) {
        let (mut score, mut information) = ([0.0; 4], [[0.0; 4]; 4]);
        for row in self.rows {
            let (share, slopes) = self.curve.share(&self.frame, raw, row.x);
            let share = share.clamp(SMALL, 1.0 - SMALL);
            let precision = (share * (1.0 - share)).recip();
            let residual = (row.right - row.total * share) * precision;
            for i in 0..4 {
                score[i] += residual * slopes[i];
                for j in 0..=i {
                    information[i][j] += row.total * precision * slopes[i] * slopes[j];
                }
            }
        }
        (score, information)
    }

    /// The best of climbs from a grid of starts and from `warm`.
    pub(super) fn solve(&self, points: &Points, warm: Option<&Raw>) -> Raw {
        let mut starts: Vec<(f64, Raw)> =
            self.starts(points).into_iter().map(|raw| (self.log_likelihood(&raw), raw)).collect();
        starts.sort_by(|a, b| b.0.total_cmp(&a.0));
        starts.truncate(if warm.is_some() { 1 } else { CLIMBS });
        if let Some(warm) = warm {
            starts.push((0.0, *warm));
        }
        let mut best = (f64::NEG_INFINITY, starts[0].1);
        for (_, start) in starts {
            let raw = match self.curve {
                Curve::ClippedLinear { .. } => self.simplex(&self.simplex(&start, 0.3), 0.05),
                _ => self.climb(&start, None),
            };
            let value = self.log_likelihood(&raw);
            if value > best.0 {
                best = (value, raw);
            }
        }
        best.1
    }

    fn starts(&self, points: &Points) -> Vec<Raw> {
        let shares: Vec<f64> = points
            .levels
            .iter()
            .map(|&level| {
                let (right, total) = points.at_level(level);
                (right + 0.5) / (total + 1.0)
            })
            .collect();
        let (first, last) = (shares[0], shares[shares.len() - 1]);
        let low = shares.iter().copied().fold(1.0, f64::min);
        let high = shares.iter().copied().fold(0.0, f64::max);
        // Limits just outside of what was seen, and far outside.
        let near = [logit(0.95 * low), logit(0.95 * (high - low) / (1.0 - low) + 0.05)];
        let far = [-3.0, 3.0];
        let mut starts = vec![];
        match self.curve {
            Curve::PowerLaw { asymptote } => {
                let ends = match asymptote {
                    Bound::Fixed(_) => vec![0.0],
                    Bound::Free => [0.02, 0.98, last, 2.0 * last - first].map(logit).to_vec(),
                };
                for end in ends {
                    for exponent in [0.05_f64, 0.3, 1.0, 3.0] {
                        starts.push([logit(first), exponent.ln(), end, 0.0]);
                    }
                }
            }
            Curve::ClippedLinear { .. } => {
                let place = |i: usize| i * (shares.len() - 1) / shares.len().min(9).saturating_sub(1).max(1);
                for i in 0..shares.len().min(9) {
                    for j in 0..i {
                        let (i, j) = (place(i), place(j));
                        let at = |i: usize| self.frame.unit(points.levels[i]);
                        let slope = (shares[i] - shares[j]) / (at(i) - at(j));
                        for limits in [near, far] {
                            starts.push([shares[i] - slope * at(i), slope, limits[0], limits[1]]);
                        }
                    }
                }
            }
            _ => {
                for slope in [-16.0, -5.0, -1.5, -0.3, 0.3, 1.5, 5.0, 16.0] {
                    for midpoint in [-1.2, -0.4, 0.4, 1.2] {
                        for limits in [near, far] {
                            starts.push([-slope * midpoint, slope, limits[0], limits[1]]);
                        }
                    }
                }
            }
        }
        if starts.is_empty() {
            starts.push([first, 0.0, near[0], near[1]]);
        }
        starts
    }

    /// Fisher's scoring, damped as by Levenberg and Marquardt, within the range of the raw numbers.
    pub(super) fn climb(&self, start: &Raw, pull: Option<&Pull<'_>>) -> Raw {
        let free: Vec<usize> = (0..4).filter(|&i| self.curve.free()[i]).collect();
        let (least, most) = self.curve.range();
        let value = |raw: &Raw| {
            let penalty =
                pull.map_or(0.0, |pull| 0.5 * pull.strength * ((pull.quantity)(raw) - pull.to).powi(2));
            self.log_likelihood(raw) - penalty
        };
        let mut at = *start;
        let mut here = value(&at);
        let mut damping = 1e-3;
        let mut calm = 0;
        for _ in 0..200 {
            let (mut score, mut information) = self.score(&at);
            if let Some(pull) = pull {
                let off = (pull.quantity)(&at) - pull.to;
                let slopes = gradient(pull.quantity, &at, &free);
                for &i in &free {
                    score[i] -= pull.strength * off * slopes[i];
                    for &j in free.iter().filter(|&&j| j <= i) {
                        information[i][j] += pull.strength * slopes[i] * slopes[j];
                    }
                }
            }
            // At the edge of the range only the way back is open.
            let open: Vec<usize> = free
                .iter()
                .copied()
                .filter(|&i| !(at[i] >= most[i] && score[i] > 0.0 || at[i] <= least[i] && score[i] < 0.0))
                .collect();
            let mut gained = None;
            while damping < 1e12 {
                let Some(next) = step(&at, &score, &information, &open, damping, (&least, &most)) else {
                    damping *= 10.0;
                    continue;
                };
                let there = value(&next);
                if there >= here {
                    gained = Some(there - here);
                    (at, here) = (next, there);
                    damping = (damping * 0.1).max(1e-12);
                    break;
                }
                damping *= 10.0;
            }
            let Some(gained) = gained else { break };
            calm = if gained <= 1e-13 * here.abs().max(1.0) { calm + 1 } else { 0 };
            if calm >= 2 {
                break;
            }
        }
        at
    }

    /// Nelder and Mead 1965, with the usual coefficients.
    fn simplex(&self, start: &Raw, size: f64) -> Raw {
        let free: Vec<usize> = (0..4).filter(|&i| self.curve.free()[i]).collect();
        let (least, most) = self.curve.range();
        let cost = |raw: &Raw| -self.log_likelihood(raw);
        let mut corners = vec![(cost(start), *start)];
        for &i in &free {
            let mut corner = *start;
            // Limits are logits, the line is a share.
            corner[i] += if i < 2 { size } else { 5.0 * size };
            corners.push((cost(&corner), corner));
        }
        let n = free.len();
        for _ in 0..120 * n {
            corners.sort_by(|a, b| a.0.total_cmp(&b.0));
            if corners[n].0 - corners[0].0 <= 1e-12 * corners[0].0.abs().max(1.0) {
                break;
            }
            let mut centre = [0.0; 4];
            corners[..n]
                .iter()
                .for_each(|(_, corner)| (0..4).for_each(|i| centre[i] += corner[i] / n as f64));
            let worst = corners[n];
            let along = |share: f64| {
                let mut raw = centre;
                for i in 0..4 {
                    raw[i] = (raw[i] + share * (worst.1[i] - centre[i])).clamp(least[i], most[i]);
                }
                (cost(&raw), raw)
            };
            let mirrored = along(-1.0);
            if mirrored.0 < corners[0].0 {
                let farther = along(-2.0);
                corners[n] = if farther.0 < mirrored.0 { farther } else { mirrored };
            } else if mirrored.0 < corners[n - 1].0 {
                corners[n] = mirrored;
            } else {
                let nearer = along(if mirrored.0 < worst.0 { -0.5 } else { 0.5 });
                if nearer.0 < worst.0.min(mirrored.0) {
                    corners[n] = nearer;
                } else {
                    let best = corners[0].1;
                    for corner in &mut corners[1..] {
                        (0..4).for_each(|i| corner.1[i] = best[i] + 0.5 * (corner.1[i] - best[i]));
                        corner.0 = cost(&corner.1);
                    }
                }
            }
        }
        corners.sort_by(|a, b| a.0.total_cmp(&b.0));
        corners[0].1
    }
}

/// Central differences of a quantity by the free raw numbers.
pub(super) fn gradient(quantity: &dyn Fn(&Raw) -> f64, at: &Raw, free: &[usize]) -> Raw {
    let mut slopes = [0.0; 4];
    for &i in free {
        let by = 1e-5 * at[i].abs().max(1.0);
        let (mut more, mut less) = (*at, *at);
        more[i] += by;
        less[i] -= by;
        slopes[i] = (quantity(&more) - quantity(&less)) / (2.0 * by);
    }
    slopes
}

/// One damped step of the open raw numbers, kept in range.
fn step(
    at: &Raw,
    score: &Raw,
    information: &[[f64; 4]; 4],
    open: &[usize],
    damping: f64,
    (least, most): (&Raw, &Raw),
) -> Option<Raw> {
    let matrix = Array2::from_shape_fn((open.len(), open.len()), |(a, b)| {
        let (i, j) = (open[a.max(b)], open[a.min(b)]);
        information[i][j] + if a == b { damping * (information[i][i] + 1e-6) } else { 0.0 }
    });
    let right: Vec<f64> = open.iter().map(|&i| score[i]).collect();
    let step = Cholesky::factor(matrix)?.solve(&right);
    let mut next = *at;
    for (&i, step) in open.iter().zip(step) {
        // No raw number leaps across the whole curve at once.
        next[i] = (next[i] + step.clamp(-8.0, 8.0)).clamp(least[i], most[i]);
    }
    Some(next)
}
