//! Nearest neighbours and balls, exact, from products of matrices in single precision.
//!
//! A squared distance `|x|^2 + |y|^2 - 2 x.y` of centred rows is off by at most a known share of the squared norms. A
//! comparison that this could decide is made again, on differences in double precision. Which ones these are depends
//! on the processor, the answer does not.

use super::Real;
use super::matrix::{each, means, multiply};
use super::real::sum_over;
use ndarray::{Array2, ArrayView2, CowArray, Ix2, s};

/// Rows of a block on the left and on the right.
const LEFT: usize = 256;
const RIGHT: usize = 512;
/// Comparisons that are looked at together.
const LANES: usize = 16;
/// Into so many parts the rows on the left are dealt, for threads.
const PARTS: usize = if cfg!(feature = "rayon") { 16 } else { 1 };

/// Rows in double precision as they are, and in single precision centred and scaled.
pub(crate) struct Cloud<'a, T> {
    rows: CowArray<'a, T, Ix2>,
    /// A power of two that brings the coordinates to about 1.
    scale: f64,
    narrow: Array2<f32>,
    /// Squared norms of the narrow rows.
    squares: Vec<f32>,
    /// By what share of the two squared norms a squared distance may be off.
    relative: f32,
    /// By how much it may be off besides.
    absolute: f32,
}

impl<'a, T: Real> Cloud<'a, T> {
    /// Two sets of one width, around the mean of the first and on one scale.
    pub(crate) fn pair(x: ArrayView2<'a, T>, y: ArrayView2<'a, T>) -> [Self; 2] {
        let centre = means(x);
        let mut largest = 0.0_f64;
        let mut farthest = 0.0_f64;
        for row in x.rows().into_iter().chain(y.rows()) {
            for (value, centre) in row.iter().zip(&centre) {
                largest = largest.max((value.wide() - centre).abs());
                farthest = farthest.max(value.wide().abs());
            }
        }
        // Rounded to a power of two, so that scaling is exact; identical rows need no scale.
        let scale = if largest > 0.0 { (-largest.log2().ceil()).clamp(-1000.0, 1000.0).exp2() } else { 1.0 };
        let d = x.ncols() as f64;
        // Centring in double precision is off by 2^-53 of a coordinate; d of them, times norms of at most sqrt(d).
        let absolute = (8.0 * f64::EPSILON * d * farthest * scale + 1e-30 * d).min(1e30) as f32;
        [x, y].map(|rows| Self::new(rows, &centre, scale, absolute))
    }

    fn new(x: ArrayView2<'a, T>, centre: &[f64], scale: f64, absolute: f32) -> Self {
        let mut narrow = Array2::zeros(x.dim());
        let mut squares = Vec::with_capacity(x.nrows());
        for (mut to, row) in narrow.rows_mut().into_iter().zip(x.rows()) {
            let mut square = 0.0;
            for ((to, value), centre) in to.iter_mut().zip(row).zip(centre) {
                let value = (value.wide() - centre) * scale;
                *to = value as f32;
                square += value * value;
            }
            squares.push(square as f32);
        }
        // A product of d terms in single precision is off by d units of rounding at most; the rest is for the
        // conversion, the squared norms and the sums of three terms.
        let relative = (x.ncols() + 32) as f32 * (0.5 * f32::EPSILON);
        let rows = if x.is_standard_layout() { x.into() } else { x.as_standard_layout().into_owned().into() };
        Self { rows, scale, narrow, squares, relative, absolute }
    }

    pub(crate) fn len(&self) -> usize {
        self.squares.len()
    }

    /// The squared norm, less what a squared distance may be too large by.
    fn low(&self, i: usize) -> f32 {
        self.squares[i] * (1.0 - self.relative) - 0.5 * self.absolute
    }

    /// The squared norm, and what a squared distance may be too small by.
    fn high(&self, i: usize) -> f32 {
        self.squares[i] * (1.0 + self.relative) + 0.5 * self.absolute
    }

    /// The squared distance, on the scale of the cloud.
    fn exact(&self, i: usize, other: &Cloud<'_, T>, j: usize) -> f64 {
        let (Some(a), Some(b)) = (self.rows.row(i).to_slice(), other.rows.row(j).to_slice()) else {
            unreachable!("rows are contiguous")
        };
        sum_over(a, b, |a, b| {
            let difference = (a - b) * self.scale;
            difference * difference
        })
    }

    fn block(&self, from: usize, most: usize) -> ArrayView2<'_, f32> {
        self.narrow.slice(s![from..self.len().min(from + most), ..])
    }
}

/// The k + 1 smallest squared distances of every row so far, its own 0 among them, in rising order.
struct Heaps {
    size: usize,
    values: Vec<f64>,
}

impl Heaps {
    fn new(rows: usize, k: usize) -> Self {
        let mut values = vec![f64::INFINITY; rows * (k + 1)];
        values.iter_mut().step_by(k + 1).for_each(|own| *own = 0.0);
        Self { size: k + 1, values }
    }

    fn last(&self, row: usize) -> f64 {
        self.values[(row + 1) * self.size - 1]
    }

    fn insert(&mut self, row: usize, value: f64) {
        let heap = &mut self.values[row * self.size..(row + 1) * self.size];
        if value >= heap[heap.len() - 1] {
            return;
        }
        let place = heap.partition_point(|held| *held <= value);
        heap.copy_within(place..self.size - 1, place + 1);
        heap[place] = value;
    }
}

/// The squared distance of every row to its k-th nearest other row, on the scale of the cloud.
pub(crate) fn nearest_radii<T: Real>(cloud: &Cloud<'_, T>, k: usize) -> Vec<f64> {
    // Around their own mean: rows that lie together far from it would all be within rounding of each other.
    let rows = cloud.rows.view();
    let cloud = &Cloud::new(rows, &means(rows), cloud.scale, cloud.absolute);
    let n = cloud.len();
    let starts: Vec<usize> = (0..n).step_by(LEFT).collect();
    let parts = PARTS.min(starts.len());
    let mut heaps: Vec<Heaps> = (0..parts).map(|_| Heaps::new(n, k)).collect();
    // The blocks of a part are spread out: those at the beginning have more pairs.
    each(heaps.iter_mut().enumerate().collect(), |(part, heaps)| {
        let mut scratch = Scratch::new();
        for start in starts.iter().skip(part).step_by(parts) {
            among(cloud, *start, heaps, &mut scratch);
        }
    });
    let mut heaps = heaps.into_iter();
    let mut all = heaps.next().unwrap_or_else(|| Heaps::new(n, k));
    for part in heaps {
        for row in 0..n {
            // Without the row's own 0, which every part holds.
            part.values[row * (k + 1) + 1..(row + 1) * (k + 1)]
                .iter()
                .for_each(|value| all.insert(row, *value));
        }
    }
    (0..n).map(|row| all.last(row)).collect()
}

/// What a block works in.
struct Scratch {
    product: Vec<f32>,
    /// Of every row on the right: its low squared norm, and that less its limit.
    low: Vec<f32>,
    less: Vec<f32>,
}

impl Scratch {
    fn new() -> Self {
        Self { product: vec![0.0; LEFT * RIGHT], low: vec![0.0; RIGHT], less: vec![0.0; RIGHT] }
    }
}

/// All pairs of a row in the block from `start` with a later row.
fn among<T: Real>(cloud: &Cloud<'_, T>, start: usize, heaps: &mut Heaps, scratch: &mut Scratch) {
    let left = cloud.block(start, LEFT);
    let rows = left.nrows();
    for from in (start..cloud.len()).step_by(RIGHT) {
        let right = cloud.block(from, RIGHT);
        let columns = right.nrows();
        let Scratch { product, low, less } = scratch;
        product_of(left, right, product);
        for j in 0..columns {
            low[j] = cloud.low(from + j);
            less[j] = -bound(heaps.last(from + j), low[j]);
        }
        for (i, line) in (start..).zip(product.chunks_exact(columns).take(rows)) {
            let own = cloud.low(i);
            let mut limit = bound(heaps.last(i), own);
            let first = (i + 1).saturating_sub(from);
            for base in (first - first % LANES..columns).step_by(LANES) {
                let end = columns.min(base + LANES);
                if !any_below(&line[base..end], &low[base..end], limit, &less[base..end], -own) {
                    continue;
                }
                for j in base.max(first)..end {
                    if line[j] + low[j] < limit || line[j] + less[j] < -own {
                        let square = cloud.exact(i, cloud, from + j);
                        heaps.insert(i, square);
                        heaps.insert(from + j, square);
                        limit = bound(heaps.last(i), own);
                        less[j] = -bound(heaps.last(from + j), low[j]);
                    }
                }
            }
        }
    }
}

/// Minus twice the inner products of two blocks of rows.
fn product_of(left: ArrayView2<'_, f32>, right: ArrayView2<'_, f32>, product: &mut [f32]) {
    let shape = (left.nrows(), right.nrows());
    let mut product = ndarray::ArrayViewMut2::from_shape(shape, &mut product[..shape.0 * shape.1])
        .unwrap_or_else(|_| unreachable!("the buffer holds a block"));
    multiply(&mut product, left, right.t(), -2.0);
}

/// What the other terms of a squared distance have to be below for it to be below its limit.
///
/// Nothing is below a limit of 0, whatever rounding says.
fn bound(limit: f64, own: f32) -> f32 {
    if limit > 0.0 { limit as f32 - own } else { f32::NEG_INFINITY }
}

/// Whether a squared distance could be below a limit of the left row, or below that of its right row.
#[inline]
fn any_below(line: &[f32], low: &[f32], limit: f32, less: &[f32], bound: f32) -> bool {
    let mut any = false;
    for ((product, low), less) in line.iter().zip(low).zip(less) {
        any |= (product + low < limit) | (product + less < bound);
    }
    any
}

/// Rows, and the squared radius of the ball around each.
pub(crate) type Balls<'a, 'b, T> = (&'b Cloud<'a, T>, &'b [f64]);

/// What lies in which balls, for some rows on the left.
pub(crate) struct Visit {
    /// The first of these rows.
    pub(crate) from: usize,
    /// Of every row on the right: in how many of their balls it lies.
    pub(crate) in_left: Vec<u32>,
    /// Of each of these rows: whether it lies in a ball on the right, and whether its ball holds a row on the right.
    pub(crate) answers: Vec<(bool, bool)>,
}

/// Compares all pairs of two clouds with the squared radii of both.
pub(crate) fn visits<T: Real>(left: Balls<'_, '_, T>, right: Balls<'_, '_, T>) -> Vec<Visit> {
    let (rows, columns) = (left.0.len(), right.0.len());
    let size = rows.div_ceil(PARTS).next_multiple_of(LEFT);
    let mut visits: Vec<Visit> = (0..rows)
        .step_by(size)
        .map(|from| Visit {
            from,
            in_left: vec![0; columns],
            answers: vec![(false, false); size.min(rows - from)],
        })
        .collect();
    each(visits.iter_mut().collect(), |visit| {
        let mut scratch = Scratch::new();
        for start in (0..visit.answers.len()).step_by(LEFT) {
            across(left, right, start, visit, &mut scratch);
        }
    });
    visits
}

/// The rows from `start` of a visit against all rows on the right.
fn across<T: Real>(
    (left, left_radii): Balls<'_, '_, T>,
    (right, right_radii): Balls<'_, '_, T>,
    start: usize,
    visit: &mut Visit,
    scratch: &mut Scratch,
) {
    let first = visit.from + start;
    let rows = LEFT.min(visit.answers.len() - start);
    let block = left.block(first, rows);
    for from in (0..right.len()).step_by(RIGHT) {
        let others = right.block(from, RIGHT);
        let columns = others.nrows();
        let Scratch { product, low, less } = scratch;
        product_of(block, others, product);
        for j in 0..columns {
            low[j] = right.low(from + j);
            less[j] = -bound(right_radii[from + j], low[j]);
        }
        for (row, line) in product.chunks_exact(columns).take(rows).enumerate() {
            let i = first + row;
            let (own, high) = (left.low(i), left.high(i));
            let limit = bound(left_radii[i], own);
            for base in (0..columns).step_by(LANES) {
                let end = columns.min(base + LANES);
                if !any_below(&line[base..end], &low[base..end], limit, &less[base..end], -own) {
                    continue;
                }
                for j in base..end {
                    let answer = &mut visit.answers[start + row];
                    let in_left = line[j] + low[j] < limit;
                    let in_right = !answer.0 && line[j] + less[j] < -own;
                    if !in_left && !in_right {
                        continue;
                    }
                    // Where even the largest value that it can have answers what is asked, it need not be known.
                    let most = f64::from(line[j]) + f64::from(right.high(from + j)) + f64::from(high);
                    let open = in_left && most >= left_radii[i] || in_right && most >= right_radii[from + j];
                    let square = if open { left.exact(i, right, from + j) } else { most };
                    if square < left_radii[i] {
                        visit.in_left[from + j] += 1;
                        answer.1 = true;
                    }
                    answer.0 |= square < right_radii[from + j];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lattice points, many of them at equal distances, far from the origin.
    fn lattice(n: usize, d: usize, step: usize, offset: f64) -> Array2<f64> {
        Array2::from_shape_fn((n, d), |(i, j)| ((i * step + j * (i % 7)) % 5) as f64 + offset)
    }

    #[test]
    fn radii_and_balls_are_those_of_the_definition_to_the_last_tie() {
        for (n, m, d, k, offset) in [(600, 700, 3, 4, 0.0), (300, 40, 9, 1, 1e6), (257, 513, 2, 30, -1e9)] {
            let (x, y) = (lattice(n, d, 3, offset), lattice(m, d, 11, offset));
            let [left, right] = Cloud::pair(x.view(), y.view());
            let square = |a: ndarray::ArrayView1<'_, f64>, b: ndarray::ArrayView1<'_, f64>| {
                a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
            };
            let radii = |x: &Array2<f64>| -> Vec<f64> {
                let of = |row: ndarray::ArrayView1<'_, f64>| {
                    let mut all: Vec<f64> = x.rows().into_iter().map(|other| square(row, other)).collect();
                    all.sort_by(f64::total_cmp);
                    all[k]
                };
                x.rows().into_iter().map(of).collect()
            };
            let (left_radii, right_radii) = (nearest_radii(&left, k), nearest_radii(&right, k));
            let unit = left.scale * left.scale;
            for (found, cloud) in [(&left_radii, &x), (&right_radii, &y)] {
                let found: Vec<f64> = found.iter().map(|radius| radius / unit).collect();
                assert_eq!(found, radii(cloud));
            }
            let (rx, ry) = (radii(&x), radii(&y));
            for visit in visits((&left, &left_radii), (&right, &right_radii)) {
                let rows = visit.from..visit.from + visit.answers.len();
                for j in 0..m {
                    let expected = rows.clone().filter(|i| square(x.row(*i), y.row(j)) < rx[*i]).count();
                    assert_eq!(visit.in_left[j] as usize, expected);
                }
                for (i, answer) in rows.zip(visit.answers) {
                    let recalled = (0..m).any(|j| square(x.row(i), y.row(j)) < ry[j]);
                    let covered = (0..m).any(|j| square(x.row(i), y.row(j)) < rx[i]);
                    assert_eq!(answer, (recalled, covered));
                }
            }
        }
    }
}
