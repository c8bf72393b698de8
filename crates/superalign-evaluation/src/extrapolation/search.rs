//! The search for a curve of greatest binomial likelihood: scoring with damping for smooth curves, the simplex method
//! of Nelder and Mead for those with kinks, each from a grid of starts.

use super::chance::{SMALL, log_kernel, logistic, logit};
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
        match warm {
            Some(warm) => starts.push((0.0, *warm)),
            None => starts.extend(self.at_the_edge(points).into_iter().map(|raw| (0.0, raw))),
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

    /// The best curves with one of the free limits at its end: the climb there is slow.
    fn at_the_edge(&self, points: &Points) -> Vec<Raw> {
        let (zero, one) = (Bound::Fixed(0.0), Bound::Fixed(1.0));
        let mut nested = vec![];
        match self.curve {
            Curve::Logistic { floor, ceiling } => {
                if floor == Bound::Free {
                    nested.push((Curve::Logistic { floor: zero, ceiling }, 2, -16.0));
                }
                if ceiling == Bound::Free {
                    nested.push((Curve::Logistic { floor, ceiling: one }, 3, 16.0));
                }
            }
            Curve::ClippedLinear { floor, ceiling } => {
                if floor == Bound::Free {
                    nested.push((Curve::ClippedLinear { floor: zero, ceiling }, 2, -16.0));
                }
                if ceiling == Bound::Free {
                    nested.push((Curve::ClippedLinear { floor, ceiling: one }, 3, 16.0));
                }
            }
            Curve::PowerLaw { asymptote: Bound::Free } => {
                nested.push((Curve::PowerLaw { asymptote: zero }, 2, -16.0));
                nested.push((Curve::PowerLaw { asymptote: one }, 2, 16.0));
            }
            _ => {}
        }
        let solve = |(curve, place, edge): (Curve, usize, f64)| {
            let mut raw = Problem { curve, ..*self }.solve(points, None);
            raw[place] = edge;
            raw
        };
        nested.into_iter().map(solve).collect()
    }

    fn starts(&self, points: &Points) -> Vec<Raw> {
        let units: Vec<f64> = points.levels.iter().map(|&level| self.frame.unit(level)).collect();
        let last = units.len() - 1;
        match self.curve {
            Curve::PowerLaw { asymptote } => [0.03_f64, 0.1, 0.3, 1.0, 3.0, 10.0]
                .into_iter()
                .map(|exponent| {
                    let end = |x: f64| 1.0 - (-exponent * (x / self.frame.first).ln()).exp();
                    let (start, end) = self.ends(Bound::Free, asymptote, end);
                    [near(logit(start)), exponent.ln(), near(logit(end)), 0.0]
                })
                .collect(),
            Curve::ClippedLinear { floor, ceiling } => {
                // Kinks at levels, or one step outside of them.
                let places = spread(last + 1);
                let mut kinks: Vec<f64> = places.iter().map(|&place| units[place]).collect();
                kinks.extend([-2.0, 2.0]);
                let mut starts = vec![];
                for &from in &kinks {
                    for &to in kinks.iter().filter(|&&to| to != from) {
                        let rise = |z: f64| ((z - from) / (to - from)).clamp(0.0, 1.0);
                        let (low, high) = self.ends(floor, ceiling, |x| rise(self.frame.unit(x)));
                        let slope = (high - low) / (to - from);
                        let limits = raw_limits(floor, ceiling, low.min(high), high.max(low));
                        starts.push([low - slope * from, slope, limits[0], limits[1]]);
                    }
                }
                starts
            }
            _ => {
                let Curve::Logistic { floor, ceiling } = self.curve else { return vec![[0.0; 4]] };
                let places = spread(last);
                let mut midpoints: Vec<f64> =
                    places.iter().map(|&place| 0.5 * (units[place] + units[(place + 1).min(last)])).collect();
                midpoints.extend([-1.5, 1.5]);
                let mut starts = vec![];
                for &midpoint in &midpoints {
                    for slope in [-40.0, -8.0, -2.0, -0.5, 0.5, 2.0, 8.0, 40.0] {
                        let part = |x| logistic(slope * (self.frame.unit(x) - midpoint));
                        let (low, high) = self.ends(floor, ceiling, part);
                        // A height below 0 is a curve of the other slope, which has its own start.
                        let limits = raw_limits(floor, ceiling, low, high.max(low));
                        starts.push([-slope * midpoint, slope, limits[0], limits[1]]);
                    }
                }
                starts
            }
        }
    }

    /// The shares a and b for which `a (1 - part(x)) + b part(x)` is nearest to the counts by weighted least squares.
    fn ends(&self, first: Bound, second: Bound, part: impl Fn(f64) -> f64) -> (f64, f64) {
        let (mut aa, mut ab, mut bb, mut ay, mut by) = (1e-9, 0.0, 1e-9, 0.0, 0.0);
        for row in self.rows {
            let (b, y) = (part(row.x), row.right / row.total);
            let a = 1.0 - b;
            aa += row.total * a * a;
            ab += row.total * a * b;
            bb += row.total * b * b;
            ay += row.total * a * y;
            by += row.total * b * y;
        }
        let (a, b) = match (first, second) {
            (Bound::Fixed(a), Bound::Fixed(b)) => return (a, b),
            (Bound::Fixed(a), Bound::Free) => return (a, ((by - a * ab) / bb).clamp(0.001, 0.999)),
            (Bound::Free, Bound::Fixed(b)) => return (((ay - b * ab) / aa).clamp(0.001, 0.999), b),
            (Bound::Free, Bound::Free) => {
                // Where all levels are at one end, the other is open.
                let determinant = (aa * bb - ab * ab).max(1e-9 * aa * bb);
                ((bb * ay - ab * by) / determinant, (aa * by - ab * ay) / determinant)
            }
        };
        (a.clamp(0.001, 0.999), b.clamp(0.001, 0.999))
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

/// At most nine of `0..n`, evenly.
fn spread(n: usize) -> Vec<usize> {
    let count = n.min(9);
    (0..count).map(|i| i * n.saturating_sub(1) / count.saturating_sub(1).max(1)).collect()
}

fn near(raw: f64) -> f64 {
    raw.clamp(-6.0, 6.0)
}

/// The raw numbers of a floor and a ceiling.
fn raw_limits(floor: Bound, ceiling: Bound, low: f64, high: f64) -> [f64; 2] {
    let low = if let Bound::Fixed(share) = floor { share } else { low };
    let most = if let Bound::Fixed(share) = ceiling { share } else { 1.0 };
    [near(logit(low / most.max(1e-9))), near(logit((high - low) / (1.0 - low).max(1e-9)))]
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
