//! Squared distances between rows in blocks, in double precision, and their median. No n x n matrix is ever made.
//!
//! Distances come from products of matrices, `|x|^2 + |y|^2 - 2 x.y`, after centring; where that cancels, they are
//! computed again from differences, so that duplicates are at distance 0 exactly.

use super::matrix::{means, multiply};
use super::real::{Real, check, same_width, sum_over};
use crate::SignalError;
use ndarray::{Array2, ArrayView2, CowArray, Ix2, s};

/// Rows of a block on either side.
const BLOCK: usize = 192;
/// A squared distance below this share of the squared norms has lost digits, and is computed from differences.
const CANCELLED: f64 = 1e-4;
/// Up to this many distances are held in memory at once.
const HELD: u64 = 1 << 22;

/// How wide a Gaussian kernel `exp(-gamma |x - y|^2)` is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Bandwidth {
    /// `gamma = 1 / (2 m^2)` with m the median distance of all rows (of both sets, pooled); see [`median_distance`].
    #[default]
    Median,
    /// This gamma, above 0.
    Gamma(f64),
}

impl Bandwidth {
    /// The factor gamma of the kernel over these rows.
    pub(crate) fn gamma<T: Real>(
        self,
        x: ArrayView2<'_, T>,
        y: Option<ArrayView2<'_, T>>,
    ) -> Result<f64, SignalError> {
        match self {
            Self::Gamma(gamma) if gamma > 0.0 && gamma.is_finite() => Ok(gamma),
            Self::Gamma(gamma) => Err(SignalError::setting("gamma", gamma, "a finite number above 0")),
            Self::Median => {
                let median = median_distance(x, y)?;
                let gamma = 0.5 / (median * median);
                if gamma.is_finite() {
                    return Ok(gamma);
                }
                Err(SignalError::undefined(
                    "median bandwidth",
                    "at least half of the pairs are at distance 0",
                ))
            }
        }
    }
}

/// Median Euclidean distance of all pairs of different rows, of `x` (n, d) and `y` (m, d) pooled where there is a y.
///
/// The usual bandwidth of a Gaussian kernel (Gretton et al. 2012). Of an even number of pairs it is the mean of the
/// middle two. Exact: above 4 million pairs the squared distances are counted in narrow bins first and then computed
/// a second time, and only those in the middle bins are held.
///
/// # Errors
/// Fewer than two rows in all, coordinates that are not finite, different widths.
///
/// ```
/// use superalign_signal::embedding::median_distance;
/// let x = ndarray::array![[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]];
/// // Distances 5, 1 and sqrt(18).
/// assert!((median_distance(x.view(), None)? - 18.0_f64.sqrt()).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn median_distance<T: Real>(
    x: ArrayView2<'_, T>,
    y: Option<ArrayView2<'_, T>>,
) -> Result<f64, SignalError> {
    let pooled: CowArray<'_, T, Ix2> = match y {
        None => x.into(),
        Some(y) => {
            same_width(x, y)?;
            let both = ndarray::concatenate(ndarray::Axis(0), &[x, y]);
            both.map_err(|_| SignalError::Shape {
                what: "number of columns of y",
                found: y.ncols(),
                expected: x.ncols(),
            })?
            .into()
        }
    };
    check(pooled.view(), 2)?;
    let centre = means(pooled.view());
    let points = Points::new(pooled.view(), &centre);
    let n = pooled.nrows() as u64;
    let pairs = n * (n - 1) / 2;
    let (low, high) = ((pairs - 1) / 2, pairs / 2);
    // Squared distances are not negative, so their bits are ordered as they are; 20 bits are a bin 0.4% wide.
    let bin = |square: f64| (square.to_bits() >> 43) as usize;
    let (mut first, mut last, mut below) = (0, usize::MAX, 0);
    if pairs > HELD {
        let mut counts = vec![0_u64; 1 << 20];
        points.within(|_, _, squares| squares.iter().for_each(|square| counts[bin(*square)] += 1));
        let mut seen = 0;
        for (place, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            if seen <= low && low < seen + count {
                (first, below) = (place, seen);
            }
            if seen <= high && high < seen + count {
                last = place;
            }
            seen += count;
        }
    }
    let mut held = Vec::new();
    points.within(|_, _, squares| {
        held.extend(squares.iter().filter(|square| (first..=last).contains(&bin(**square))));
    });
    let (_, middle, after) = held.select_nth_unstable_by((low - below) as usize, f64::total_cmp);
    let lower = middle.sqrt();
    if low == high {
        return Ok(lower);
    }
    Ok(f64::midpoint(lower, after.iter().copied().fold(f64::INFINITY, f64::min).sqrt()))
}

/// Rows whose distances are wanted: their squared norms after centring, and the rows as they are.
pub(crate) struct Points<'a, T> {
    rows: CowArray<'a, T, Ix2>,
    centre: &'a [f64],
    squares: Vec<f64>,
}

impl<'a, T: Real> Points<'a, T> {
    /// Two sets whose distances are wanted need the same centre, any point near both.
    pub(crate) fn new(x: ArrayView2<'a, T>, centre: &'a [f64]) -> Self {
        let squares = x
            .rows()
            .into_iter()
            .map(|row| row.iter().zip(centre).map(|(x, c)| (x.wide() - c).powi(2)).sum())
            .collect();
        let rows = if x.is_standard_layout() { x.into() } else { x.as_standard_layout().into_owned().into() };
        Self { rows, centre, squares }
    }

    /// Calls `visit(i, j, squared distances of row i to rows j, j + 1, ...)` so that every pair of different rows
    /// occurs once.
    pub(crate) fn within(&self, mut visit: impl FnMut(usize, usize, &[f64])) {
        let n = self.rows.nrows();
        for start in (0..n).step_by(BLOCK) {
            self.blocks(self, start, start, |i, j, squares| {
                let later = (i + 1).saturating_sub(j).min(squares.len());
                if later < squares.len() {
                    visit(i, j + later, &squares[later..]);
                }
            });
        }
    }

    /// Calls `visit(i, j, squared distances of row i to rows j, j + 1, ... of the other)` until all pairs occurred.
    pub(crate) fn between(&self, other: &Self, mut visit: impl FnMut(usize, usize, &[f64])) {
        for start in (0..self.rows.nrows()).step_by(BLOCK) {
            self.blocks(other, start, 0, &mut visit);
        }
    }

    /// The block of rows from `start`, against all rows of the other from `from` on.
    fn blocks(&self, other: &Self, start: usize, from: usize, mut visit: impl FnMut(usize, usize, &[f64])) {
        let left = self.centred(start);
        let mut product = Array2::<f64>::zeros((BLOCK, BLOCK));
        for from in (from..other.rows.nrows()).step_by(BLOCK) {
            let right = other.centred(from);
            let mut product = product.slice_mut(s![..left.nrows(), ..right.nrows()]);
            multiply(&mut product, left.view(), right.t(), -2.0);
            for (i, mut squares) in product.rows_mut().into_iter().enumerate() {
                let (i, mine) = (start + i, self.squares[start + i]);
                for (j, (square, theirs)) in squares.iter_mut().zip(&other.squares[from..]).enumerate() {
                    *square += mine + theirs;
                    if *square <= CANCELLED * (mine + theirs) {
                        *square = self.exact(i, other, from + j);
                    }
                }
                if let Some(squares) = squares.as_slice() {
                    visit(i, from, squares);
                }
            }
        }
    }

    fn exact(&self, i: usize, other: &Self, j: usize) -> f64 {
        match (self.rows.row(i).as_slice(), other.rows.row(j).as_slice()) {
            (Some(a), Some(b)) => sum_over(a, b, |a, b| (a - b) * (a - b)),
            _ => unreachable!("rows are contiguous"),
        }
    }

    fn centred(&self, start: usize) -> Array2<f64> {
        let rows = self.rows.slice(s![start..self.rows.nrows().min(start + BLOCK), ..]);
        let mut block = Array2::zeros(rows.dim());
        for (mut to, row) in block.rows_mut().into_iter().zip(rows.rows()) {
            for ((to, x), centre) in to.iter_mut().zip(row).zip(self.centre) {
                *to = x.wide() - centre;
            }
        }
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_median_of_many_pairs_is_that_of_a_full_list() {
        // 3,000 rows: 4.5 million pairs, which is above what is held.
        let x = Array2::from_shape_fn((3000, 2), |(i, j)| ((i * (j + 3) * 7919) % 1009) as f64 / 97.0);
        let mut all = Vec::new();
        for i in 0..3000 {
            for j in 0..i {
                all.push(((x[[i, 0]] - x[[j, 0]]).powi(2) + (x[[i, 1]] - x[[j, 1]]).powi(2)).sqrt());
            }
        }
        all.sort_by(f64::total_cmp);
        let expected = f64::midpoint(all[(all.len() - 1) / 2], all[all.len() / 2]);
        assert!((median_distance(x.view(), None).unwrap() - expected).abs() < 1e-9);
        let (a, b) = x.view().split_at(ndarray::Axis(0), 1000);
        assert!((median_distance(a, Some(b)).unwrap() - expected).abs() < 1e-9);
    }

    #[test]
    fn duplicates_far_from_the_origin_are_at_distance_zero() {
        let x = array![[1e8, 1e8 + 0.5], [1e8, 1e8 + 0.5], [1e8, 1e8 + 0.5], [1e8 + 1.0, 1e8]];
        assert_eq!(median_distance(x.slice(s![..3, ..]), None).unwrap(), 0.0);
        let error = Bandwidth::Median.gamma(x.slice(s![..3, ..]), None).unwrap_err().to_string();
        assert_eq!(error, "median bandwidth is undefined: at least half of the pairs are at distance 0");
        assert!((median_distance(x.view(), None).unwrap() - 1.25_f64.sqrt() / 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_bandwidth_is_positive() {
        let x = array![[0.0], [1.0]];
        for gamma in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = Bandwidth::Gamma(gamma).gamma(x.view(), None).unwrap_err().to_string();
            assert!(error.ends_with("expected a finite number above 0"), "{error}");
        }
    }
}
