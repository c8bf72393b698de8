//! The power law of learning curves, and its fit by maximum likelihood.

/// The least exponent that is searched: below it, the curve over any measured range is a straight line in ln n, which
/// has no asymptote.
pub const SMALLEST_EXPONENT: f64 = 0.02;
/// The greatest exponent that is searched: above it, all of the fall lies before the second size.
pub const LARGEST_EXPONENT: f64 = 4.0;
/// Probabilities within a logarithm or a weight are kept this far from 0 and 1.
const SMALL: f64 = 1e-9;
const GRID: usize = 32;
const REFINEMENTS: usize = 24;
const SCORING_STEPS: usize = 40;

/// err(n) = asymptote + scale n^-exponent, the error after n training items (Hestness et al. 2017; Rosenfeld et al.
/// 2020).
///
/// ```
/// use superalign_gap::capacity::PowerLaw;
/// let law = PowerLaw { asymptote: 0.1, scale: 2.0, exponent: 0.5 };
/// assert!((law.error_at(100.0) - 0.3).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerLaw {
    /// The error that is left however many items there are, in [0, 1].
    pub asymptote: f64,
    /// The error above the asymptote after one item, at least 0.
    pub scale: f64,
    /// How fast that part falls, from [`SMALLEST_EXPONENT`] to [`LARGEST_EXPONENT`].
    pub exponent: f64,
}

impl PowerLaw {
    /// The error after `n` items.
    #[must_use]
    pub fn error_at(&self, n: f64) -> f64 {
        self.asymptote + self.scale * n.powf(-self.exponent)
    }
}

/// The power law of greatest binomial likelihood for errors (shares in [0, 1]) on equally many items at rising sizes.
///
/// For a given exponent the error is linear in asymptote and scale, and the likelihood concave in both: Fisher scoring
/// within the triangle `asymptote >= 0, scale >= 0, error <= 1`. The exponent is found on a grid and refined by golden
/// section.
pub(super) fn fit(sizes: &[f64], errors: &[f64]) -> PowerLaw {
    let mut x = vec![0.0; sizes.len()];
    let logs: Vec<f64> = sizes.iter().map(|size| (size / sizes[0]).ln()).collect();
    let mut at = |log: f64| {
        let exponent = log.exp();
        x.iter_mut().zip(&logs).for_each(|(x, log)| *x = (-exponent * log).exp());
        let line = Line::fit(&x, errors);
        (line, line.misfit(&x, errors))
    };
    let (low, high) = (SMALLEST_EXPONENT.ln(), LARGEST_EXPONENT.ln());
    let step = (high - low) / (GRID - 1) as f64;
    let mut best = (0, f64::INFINITY);
    for place in 0..GRID {
        let misfit = at(low + step * place as f64).1;
        if misfit < best.1 {
            best = (place, misfit);
        }
    }
    let centre = low + step * best.0 as f64;
    let (mut from, mut to) = ((centre - step).max(low), (centre + step).min(high));
    let golden = 0.5 * (5.0_f64.sqrt() - 1.0);
    let (mut left, mut right) = (to - golden * (to - from), from + golden * (to - from));
    let (mut at_left, mut at_right) = (at(left).1, at(right).1);
    for _ in 0..REFINEMENTS {
        if at_left <= at_right {
            (to, right, at_right) = (right, left, at_left);
            left = to - golden * (to - from);
            at_left = at(left).1;
        } else {
            (from, left, at_left) = (left, right, at_right);
            right = from + golden * (to - from);
            at_right = at(right).1;
        }
    }
    let refined = 0.5 * (from + to);
    let log = if at(refined).1 <= best.1 { refined } else { centre };
    let (line, _) = at(log);
    let exponent = log.exp();
    PowerLaw { asymptote: line.floor, scale: line.drop * sizes[0].powf(exponent), exponent }
}

/// p = floor + drop x, for x in (0, 1] whose first is 1.
#[derive(Clone, Copy)]
struct Line {
    floor: f64,
    drop: f64,
}

impl Line {
    fn fit(x: &[f64], errors: &[f64]) -> Self {
        let least = errors.iter().copied().fold(1.0, f64::min);
        let most = errors.iter().copied().fold(0.0, f64::max).min(0.99);
        let floor = 0.5 * least.min(most);
        let mut line = Self { floor, drop: most - floor };
        let mut misfit = line.misfit(x, errors);
        for _ in 0..SCORING_STEPS {
            let goal = line.scored(x, errors);
            let mut share = 1.0;
            let mut moved = None;
            while share > 1e-4 {
                let tried = Self {
                    floor: line.floor + share * (goal.floor - line.floor),
                    drop: line.drop + share * (goal.drop - line.drop),
                };
                let found = tried.misfit(x, errors);
                if found < misfit {
                    moved = Some((tried, found));
                    break;
                }
                share *= 0.5;
            }
            let Some((tried, found)) = moved else { break };
            let gained = misfit - found;
            (line, misfit) = (tried, found);
            if gained <= 1e-13 * misfit.abs() {
                break;
            }
        }
        line
    }

    /// Minus the log-likelihood by the number of test items.
    fn misfit(self, x: &[f64], errors: &[f64]) -> f64 {
        let of = |(x, error): (&f64, &f64)| {
            let p = (self.floor + self.drop * x).clamp(SMALL, 1.0 - SMALL);
            error * p.ln() + (1.0 - error) * (1.0 - p).ln()
        };
        -x.iter().zip(errors).map(of).sum::<f64>()
    }

    /// The line of weighted least squares under this line's variances, within the triangle.
    fn scored(self, x: &[f64], errors: &[f64]) -> Self {
        let mut sums = [0.0; 5];
        for (&x, &error) in x.iter().zip(errors) {
            let p = (self.floor + self.drop * x).clamp(SMALL, 1.0 - SMALL);
            let weight = 1.0 / (p * (1.0 - p));
            for (sum, part) in sums.iter_mut().zip([1.0, x, x * x, error, x * error]) {
                *sum += weight * part;
            }
        }
        let [one, x1, x2, y, xy] = sums;
        let determinant = one * x2 - x1 * x1;
        if determinant > 1e-13 * one * x2 {
            let free =
                Self { floor: (x2 * y - x1 * xy) / determinant, drop: (one * xy - x1 * y) / determinant };
            if free.floor >= 0.0 && free.drop >= 0.0 && free.floor + free.drop <= 1.0 {
                return free;
            }
        }
        // The optimum is on an edge: floor = 0, drop = 0, or floor = 1 - drop.
        let share = |above: f64, below: f64| if below > 0.0 { (above / below).clamp(0.0, 1.0) } else { 0.0 };
        let drop = share(one - y - x1 + xy, one - 2.0 * x1 + x2);
        let edges = [
            Self { floor: 0.0, drop: share(xy, x2) },
            Self { floor: share(y, one), drop: 0.0 },
            Self { floor: 1.0 - drop, drop },
        ];
        let squares = |line: &Self| {
            let (a, d) = (line.floor, line.drop);
            a * a * one + 2.0 * a * d * x1 + d * d * x2 - 2.0 * (a * y + d * xy)
        };
        let mut best = edges[0];
        for edge in &edges[1..] {
            if squares(edge) < squares(&best) {
                best = *edge;
            }
        }
        best
    }
}
