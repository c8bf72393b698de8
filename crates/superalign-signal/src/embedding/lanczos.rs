//! An estimate of the Vendi score where both rows and columns are too many for the eigenvalues.

use super::jackknife::student;
use super::matrix::{Over, multiply};
use super::real::{Real, ZeroRows, inverse_norms};
use super::spectrum::CUT;
use super::vendi::NAME;
use crate::SignalError;
use faer::{Mat, Side};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};
use superalign_core::rand::Rng as _;
use superalign_core::{Estimate, Seed};

/// Rows of x that are in double precision at a time.
const BLOCK: usize = 256;
/// A Lanczos vector shorter than this is rounding: the probe has seen its whole space.
const EXHAUSTED: f64 = 1e-13;

/// How [`vendi_score_estimate`] probes the spectrum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quadrature {
    /// Number of random probes, at least 4. The error falls with the root of it.
    pub probes: usize,
    /// Steps of Lanczos from each probe, at least 4. More are needed where the spectrum is wide and the order low.
    pub steps: usize,
    /// Level of the interval, in (0, 1), usually 0.95.
    pub level: f64,
    /// Where the probes come from.
    pub seed: Seed,
}

impl Quadrature {
    /// 16 probes of 24 steps for a 95% interval.
    #[must_use]
    pub const fn new(seed: Seed) -> Self {
        Self { probes: 16, steps: 24, level: 0.95, seed }
    }

    fn check(&self) -> Result<(), SignalError> {
        for (key, found) in [("probes", self.probes), ("steps", self.steps)] {
            if found < 4 {
                return Err(SignalError::setting(key, found as f64, "at least 4"));
            }
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(SignalError::setting("level", self.level, "a number between 0 and 1"));
        }
        Ok(())
    }
}

/// The Vendi score (cosine kernel) of the rows of `x` (n, d), estimated without its eigenvalues.
///
/// Stochastic Lanczos quadrature of `tr f(A)`, A the kernel divided by its trace and f(l) = -l log l, or l^q: random
/// signs z have the mean z'f(A)z = tr f(A), and a few steps of Lanczos give each z'f(A)z. What the probes say of
/// `tr A = 1`, which is known, corrects them. The interval holds the noise of the probes (Student), and the change
/// that the last quarter of the steps made. It says nothing of other samples of rows; for that see
/// [`jackknife`](super::jackknife).
///
/// Takes `4 probes steps n d` operations where the exact score takes `n d min(n, d)` and a decomposition, so it pays
/// where n and d are both above some thousands. O(min(n, d) probes) memory besides x.
///
/// # Errors
/// As [`vendi_score`](super::vendi_score); an order that is 0 or infinite, to which the quadrature does not converge;
/// settings out of range.
///
/// Source: Ubaru, Chen and Saad 2017.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_signal::embedding::{Quadrature, Vendi, ZeroRows, vendi_score, vendi_score_estimate};
/// let x = ndarray::Array2::from_shape_fn((300, 40), |(i, j)| ((i * (2 * j + 3) + j * j) % 101) as f64 - 50.0);
/// let found = vendi_score_estimate(x.view(), 1.0, ZeroRows::Refuse, &Quadrature::new(Seed::new(1)))?;
/// assert!(found.covers(vendi_score(x.view(), &Vendi::default())?));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn vendi_score_estimate<T: Real>(
    x: ArrayView2<'_, T>,
    order: f64,
    zero_rows: ZeroRows,
    by: &Quadrature,
) -> Result<Estimate, SignalError> {
    by.check()?;
    if !(order > 0.0 && order.is_finite()) {
        return Err(SignalError::setting("order", order, "a finite number above 0"));
    }
    let inverse = inverse_norms(x, 1, zero_rows)?;
    let units = inverse.iter().filter(|inverse| **inverse > 0.0).count();
    if units == 0 {
        return Err(SignalError::undefined(NAME, "every eigenvalue is zero"));
    }
    let size = x.nrows().min(x.ncols());
    let tridiagonals = lanczos(x, &inverse, units as f64, by);
    let term = |l: f64| {
        if l <= CUT {
            0.0
        } else if order == 1.0 {
            -l * l.ln()
        } else {
            l.powf(order)
        }
    };
    let (mut values, mut traces, mut before) = (Vec::new(), Vec::new(), Vec::new());
    for (diagonal, off) in &tridiagonals {
        let steps = diagonal.len();
        let [value, trace] = quadrature(diagonal, off, size as f64, &term)?;
        values.push(value);
        traces.push(trace);
        let part = if steps < by.steps { steps } else { steps - steps / 4 };
        before.push(quadrature(&diagonal[..part], &off[..part - 1], size as f64, &term)?[0]);
    }
    let (sum, error) = controlled(&values, &traces);
    let error = error * student(by.level, by.probes - 2);
    let reach = error + mean(&values.iter().zip(&before).map(|(a, b)| a - b).collect::<Vec<_>>()).abs();
    let score = |sum: f64| {
        let score =
            if order == 1.0 { sum.exp() } else { sum.max(f64::MIN_POSITIVE).powf(1.0 / (1.0 - order)) };
        score.clamp(1.0, size.min(units) as f64)
    };
    let ends = [score(sum - reach), score(sum + reach)];
    Ok(Estimate { value: score(sum), lo: ends[0].min(ends[1]), hi: ends[0].max(ends[1]) })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The mean of `values` and its standard error, with `traces`, whose expectation is 1, as a control variate.
fn controlled(values: &[f64], traces: &[f64]) -> (f64, f64) {
    let (mean_value, mean_trace) = (mean(values), mean(traces));
    let spread: f64 = traces.iter().map(|trace| (trace - mean_trace).powi(2)).sum();
    let together: f64 =
        values.iter().zip(traces).map(|(value, trace)| (value - mean_value) * (trace - mean_trace)).sum();
    let slope = if spread > 1e-24 * values.len() as f64 { together / spread } else { 0.0 };
    let rest: f64 = values
        .iter()
        .zip(traces)
        .map(|(value, trace)| (value - mean_value - slope * (trace - mean_trace)).powi(2))
        .sum();
    let n = values.len() as f64;
    // The slope is fitted too: its own error adds to that of the mean.
    let leverage = if spread > 1e-24 * n { (1.0 - mean_trace).powi(2) / spread } else { 0.0 };
    (mean_value + slope * (1.0 - mean_trace), (rest / (n - 2.0) * (1.0 / n + leverage)).sqrt())
}

/// `size` times the quadrature of f, and of the identity, that a tridiagonal matrix stands for.
fn quadrature(
    diagonal: &[f64],
    off: &[f64],
    size: f64,
    term: &impl Fn(f64) -> f64,
) -> Result<[f64; 2], SignalError> {
    let matrix = Mat::from_fn(diagonal.len(), diagonal.len(), |i, j| match i.abs_diff(j) {
        0 => diagonal[i],
        1 => off[i.min(j)],
        _ => 0.0,
    });
    let eigen = matrix
        .self_adjoint_eigen(Side::Lower)
        .map_err(|_| SignalError::undefined(NAME, "eigenvalues of the quadrature did not converge"))?;
    let mut sums = [0.0; 2];
    for (value, first) in eigen.S().column_vector().iter().zip(eigen.U().row(0).iter()) {
        let weight = size * first * first;
        sums[0] += weight * term(*value);
        sums[1] += weight * value;
    }
    Ok(sums)
}

/// Diagonal and off-diagonal of the Lanczos matrix of every probe.
fn lanczos<T: Real>(
    x: ArrayView2<'_, T>,
    inverse: &[f64],
    trace: f64,
    by: &Quadrature,
) -> Vec<(Vec<f64>, Vec<f64>)> {
    let over = Over::smaller(x);
    let size = x.nrows().min(x.ncols());
    let mut now = Array2::<f64>::zeros((size, by.probes));
    for (probe, mut column) in now.columns_mut().into_iter().enumerate() {
        let mut rng = by.seed.nth(probe as u64).rng();
        let length = 1.0 / (size as f64).sqrt();
        column.mapv_inplace(|_| if rng.next_u64() >> 63 == 0 { length } else { -length });
    }
    let mut before = Array2::<f64>::zeros(now.dim());
    let mut next = Array2::<f64>::zeros(now.dim());
    let mut found = vec![(Vec::new(), Vec::new()); by.probes];
    let mut links = vec![0.0; by.probes];
    let mut open = vec![true; by.probes];
    for step in 0..by.steps.min(size) {
        apply(x, inverse, 1.0 / trace, over, now.view(), &mut next);
        next.zip_mut_with(
            &(&before
                * &ArrayView2::from_shape((1, by.probes), &links)
                    .unwrap_or_else(|_| unreachable!("one link a probe"))),
            |next, before| *next -= before,
        );
        let diagonal = (&next * &now).sum_axis(Axis(0));
        next.zip_mut_with(&(&now * &diagonal), |next, now| *next -= now);
        let lengths = next.map_axis(Axis(0), |column| column.dot(&column).sqrt());
        for (probe, (diagonals, offs)) in found.iter_mut().enumerate() {
            if open[probe] {
                diagonals.push(diagonal[probe]);
                open[probe] = lengths[probe] > EXHAUSTED && step + 1 < by.steps.min(size);
                if open[probe] {
                    offs.push(lengths[probe]);
                }
            }
            links[probe] = lengths[probe];
            let factor = if open[probe] { 1.0 / lengths[probe] } else { 0.0 };
            next.column_mut(probe).mapv_inplace(|value| value * factor);
        }
        std::mem::swap(&mut before, &mut now);
        std::mem::swap(&mut now, &mut next);
    }
    found
}

/// `to = scale * U'U from`, or `scale * UU' from`, with U the rows of x at unit length, in blocks.
fn apply<T: Real>(
    x: ArrayView2<'_, T>,
    inverse: &[f64],
    scale: f64,
    over: Over,
    from: ArrayView2<'_, f64>,
    to: &mut Array2<f64>,
) {
    let (n, d) = x.dim();
    let probes = from.ncols();
    let mut buffer = Array2::<f64>::zeros((BLOCK.min(n), d));
    let mut inner = Array2::<f64>::zeros((if over == Over::Columns { BLOCK.min(n) } else { d }, probes));
    let mut part = Array2::<f64>::zeros((d, probes));
    let mut block = |rows: std::ops::Range<usize>, run: &mut dyn FnMut(ArrayViewMut2<'_, f64>)| {
        let mut unit = buffer.slice_mut(s![..rows.len(), ..]);
        for ((mut unit, row), inverse) in
            unit.rows_mut().into_iter().zip(x.slice(s![rows.clone(), ..]).rows()).zip(&inverse[rows])
        {
            unit.iter_mut().zip(row).for_each(|(unit, x)| *unit = x.wide() * inverse);
        }
        run(unit);
    };
    let blocks = (0..n).step_by(BLOCK).map(|first| first..n.min(first + BLOCK));
    if over == Over::Columns {
        to.fill(0.0);
        for rows in blocks {
            let mut inner = inner.slice_mut(s![..rows.len(), ..]);
            block(rows, &mut |unit| {
                multiply(&mut inner.view_mut(), unit.view(), from, 1.0);
                multiply(&mut part.view_mut(), unit.t(), inner.view(), scale);
            });
            *to += &part;
        }
    } else {
        for rows in blocks.clone() {
            block(rows.clone(), &mut |unit| {
                multiply(&mut part.view_mut(), unit.t(), from.slice(s![rows.clone(), ..]), 1.0);
            });
            inner += &part;
        }
        for rows in blocks {
            let mut to = to.slice_mut(s![rows.clone(), ..]);
            block(rows, &mut |unit| multiply(&mut to, unit.view(), inner.view(), scale));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedding::{Vendi, vendi_score};

    fn wave(n: usize, d: usize) -> Array2<f64> {
        Array2::from_shape_fn((n, d), |(i, j)| {
            ((i * 7919 + j * j * 131) as f64 * 0.618).sin() / (1.0 + j as f64).sqrt()
        })
    }

    #[test]
    fn intervals_cover_the_exact_score() {
        for (n, d) in [(500, 120), (120, 500)] {
            let x = wave(n, d);
            for order in [0.5, 1.0, 2.0, 3.0] {
                let exact = vendi_score(x.view(), &Vendi { order, ..Vendi::default() }).unwrap();
                let mut covered = 0;
                for seed in 0..10 {
                    let by = Quadrature::new(Seed::new(seed));
                    let found = vendi_score_estimate(x.view(), order, ZeroRows::Refuse, &by).unwrap();
                    covered += usize::from(found.covers(exact));
                    assert!((found.value / exact - 1.0).abs() < 0.2, "{order}: {found} {exact}");
                }
                assert!(covered >= 8, "{n} {d} {order}: {covered} of 10 intervals cover {exact}");
            }
        }
    }

    #[test]
    fn a_probe_that_has_seen_its_space_is_exact() {
        // A multiple of the identity: one step tells all.
        let x = Array2::<f32>::eye(7);
        let by = Quadrature::new(Seed::new(2));
        let found = vendi_score_estimate(x.view(), 1.0, ZeroRows::Refuse, &by).unwrap();
        assert!((found.value - 7.0).abs() < 1e-9 && found.hi - found.lo < 1e-9, "{found}");
        // Equal rows: one direction.
        let x = Array2::<f64>::ones((50, 9));
        let found = vendi_score_estimate(x.view(), 1.0, ZeroRows::Refuse, &by).unwrap();
        assert!((found.value - 1.0).abs() < 1e-9, "{found}");
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let x = Array2::<f64>::eye(7);
        let by = Quadrature::new(Seed::new(2));
        let message =
            |order, by| vendi_score_estimate(x.view(), order, ZeroRows::Refuse, &by).unwrap_err().to_string();
        assert_eq!(message(0.0, by), "order = 0: expected a finite number above 0");
        assert_eq!(message(f64::INFINITY, by), "order = inf: expected a finite number above 0");
        assert_eq!(message(1.0, Quadrature { probes: 3, ..by }), "probes = 3: expected at least 4");
        assert_eq!(message(1.0, Quadrature { steps: 0, ..by }), "steps = 0: expected at least 4");
        assert_eq!(
            message(1.0, Quadrature { level: 1.0, ..by }),
            "level = 1: expected a number between 0 and 1"
        );
    }
}
