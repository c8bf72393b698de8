//! The Vendi score: an effective number of different items, exact. Its estimate for large inputs is in `lanczos`.

use super::distance::{Bandwidth, Points};
use super::matrix::{Over, Precision, Shape, eigenvalues, gram, means};
use super::real::{Real, ZeroRows, check, inverse_norms};
use super::spectrum::{check_order, effective_number, shares};
use crate::SignalError;
use ndarray::{Array2, ArrayView2};

/// The name in errors.
pub(crate) const NAME: &str = "Vendi score";
/// From so many products on, blocks of single-precision input are multiplied in single precision.
const LARGE: u128 = 1 << 24;
/// Shares below this feel the rounding of single precision: the spectrum is then computed again.
const FELT: f64 = 1e-6;
/// A kernel matrix may be that far from symmetric, and its diagonal from 1.
const CLOSE: f64 = 1e-6;

/// Which similarity the score is taken over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kernel {
    /// The cosine of two rows.
    Cosine {
        /// What becomes of a row of zeros. Under [`ZeroRows::Zero`] it adds nothing to a score.
        zero_rows: ZeroRows,
    },
    /// `exp(-gamma |x - y|^2)`. Takes the eigenvalues of an n x n matrix, unless the order is 2.
    Rbf(Bandwidth),
}

impl Default for Kernel {
    fn default() -> Self {
        Self::Cosine { zero_rows: ZeroRows::default() }
    }
}

/// How [`vendi_score`] is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vendi {
    /// Order q of the entropy, from 0 to infinity; 1 (Shannon) is the score of Friedman and Dieng. A low order counts
    /// rare directions, a high one only the dominant ones.
    pub order: f64,
    /// The similarity.
    pub kernel: Kernel,
}

impl Default for Vendi {
    fn default() -> Self {
        Self { order: 1.0, kernel: Kernel::default() }
    }
}

/// The diagonal of a kernel matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Diagonal {
    /// It has to be 1 within 1e-6: every item is exactly like itself.
    #[default]
    Ones,
    /// `K[i, j]` is divided by `sqrt(K[i, i] K[j, j])` first.
    Normalise,
}

/// The Vendi score of the rows of `x` (n, d), in [1, n]: how many different items they are worth.
///
/// `exp(H_q(eigenvalues of K / n))` with K the kernel matrix and H_q the Rényi entropy of order q: n equal rows have
/// score 1, n orthogonal ones n. The cosine kernel takes the smaller of K and `U'U` (d x d, U the rows at unit
/// length), which share their eigenvalues; order 2 is `n^2 / |U'U|_F^2`, without eigenvalues. Shares below 1e-12 are
/// rounding and count as zero, which matters below order 1 only: order 0 is the rank.
///
/// Large single-precision input is multiplied in single precision (relative error about 4e-8), unless the order is
/// below 1 or the spectrum reaches so low that this could be felt; all else is in double precision.
///
/// A sample has fewer directions than what it was drawn from: 500 of 10,000 sentence embeddings score 15% lower than
/// all. Compare samples of one size, or take the first-order correction of [`jackknife`](super::jackknife), which
/// gives the interval as well. Resampling with replacement would lower the score further.
///
/// # Errors
/// No row, coordinates that are not finite, rows of zeros under [`ZeroRows::Refuse`] (or nothing but such rows), an
/// order or bandwidth out of range.
///
/// Source: Friedman and Dieng 2023 (order 1), Pasarkar and Dieng 2024 (order q); the `vendi-score` package ignores q
/// in `score_X`.
///
/// ```
/// use superalign_signal::embedding::{Vendi, vendi_score};
/// let x = ndarray::array![[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 3.0]];
/// assert!((vendi_score(x.view(), &Vendi::default())? - 2.0).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn vendi_score<T: Real>(x: ArrayView2<'_, T>, options: &Vendi) -> Result<f64, SignalError> {
    check_order(options.order)?;
    match options.kernel {
        Kernel::Cosine { zero_rows } => of_cosine(x, zero_rows, options.order),
        Kernel::Rbf(bandwidth) => of_rbf(x, bandwidth, options.order),
    }
}

/// The Vendi score of order `order` of a kernel matrix (n, n), in [1, n].
///
/// `weights` are the shares of the items where they differ (n numbers that sum to 1): the eigenvalues are those of
/// `sqrt(p_i) K[i, j] sqrt(p_j)`, so that an item of weight 2/n counts like two equal ones.
///
/// # Errors
/// A matrix that is empty, not square, not finite, not symmetric within 1e-6, or not positive semi-definite; a
/// diagonal that is not as [`Diagonal`] says; weights that are negative or do not sum to 1 within 1e-6.
///
/// ```
/// use superalign_signal::embedding::{Diagonal, vendi_score_of_kernel};
/// let k = ndarray::array![[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
/// let found = vendi_score_of_kernel(k.view(), 0.0, Diagonal::Ones, None)?;
/// assert_eq!(found, 2.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn vendi_score_of_kernel(
    kernel: ArrayView2<'_, f64>,
    order: f64,
    diagonal: Diagonal,
    weights: Option<&[f64]>,
) -> Result<f64, SignalError> {
    check_order(order)?;
    let n = check_kernel(kernel, diagonal)?;
    let roots = weights_of(n, weights)?.into_iter().map(f64::sqrt);
    let factors: Vec<f64> = match diagonal {
        Diagonal::Ones => roots.collect(),
        Diagonal::Normalise => roots.zip(kernel.diag()).map(|(root, own)| root / own.sqrt()).collect(),
    };
    let scaled = Array2::from_shape_fn((n, n), |(i, j)| factors[i] * kernel[[i, j]] * factors[j]);
    of_triangle(&scaled, order)
}

/// One minus the mean of a kernel matrix (n, n), its diagonal included: the internal diversity, in [0, 1 - 1/n] for
/// similarities in [0, 1].
///
/// `1 - sum_ij p_i p_j K[i, j]`, with p the `weights` or 1/n each. It is the diversity of Rao (1982) for the distance
/// 1 - K, and that of order 2 of Leinster and Cobbold (2012) is one over one minus it.
///
/// # Errors
/// As [`vendi_score_of_kernel`], except for what needs eigenvalues.
///
/// ```
/// use superalign_signal::embedding::internal_diversity;
/// let k = ndarray::array![[1.0, 0.5], [0.5, 1.0]];
/// assert_eq!(internal_diversity(k.view(), None)?, 0.25);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn internal_diversity(kernel: ArrayView2<'_, f64>, weights: Option<&[f64]>) -> Result<f64, SignalError> {
    let n = check_kernel(kernel, Diagonal::Ones)?;
    let weights = weights_of(n, weights)?;
    let mean = |row: ndarray::ArrayView1<'_, f64>| row.iter().zip(&weights).map(|(k, p)| k * p).sum::<f64>();
    Ok(1.0 - kernel.rows().into_iter().zip(&weights).map(|(row, p)| p * mean(row)).sum::<f64>())
}

fn of_cosine<T: Real>(x: ArrayView2<'_, T>, zero_rows: ZeroRows, order: f64) -> Result<f64, SignalError> {
    let inverse = inverse_norms(x, 1, zero_rows)?;
    let over = Over::smaller(x);
    let shape = Shape { scale: Some(&inverse), ..Shape::default() };
    let (n, d) = x.dim();
    let large = n as u128 * d as u128 * n.min(d) as u128 >= LARGE;
    // Near a square the smallest eigenvalues are tiny, and would be computed again.
    let oblong = n.max(d) / 4 >= n.min(d);
    if T::SINGLE && large && oblong && order >= 1.0 {
        let single = gram(x, over, shape, Precision::Single);
        if order == 2.0 {
            return of_triangle(&single, order);
        }
        let values = eigenvalues(&single, NAME)?;
        if values[0] > FELT * values.iter().sum::<f64>() {
            return Ok(effective_number(&shares(&values, NAME)?, order));
        }
    }
    of_triangle(&gram(x, over, shape, Precision::Double), order)
}

fn of_rbf<T: Real>(x: ArrayView2<'_, T>, bandwidth: Bandwidth, order: f64) -> Result<f64, SignalError> {
    check(x, 1)?;
    let n = x.nrows();
    if n == 1 {
        return Ok(1.0);
    }
    let gamma = bandwidth.gamma(x, None)?;
    let centre = means(x);
    let points = Points::new(x, &centre);
    if order == 2.0 {
        let mut squares = 0.0;
        points.within(|_, _, distances| {
            squares += distances.iter().map(|square| (-2.0 * gamma * square).exp()).sum::<f64>();
        });
        return Ok((n as f64).powi(2) / (n as f64 + 2.0 * squares));
    }
    if n.checked_mul(n).is_none_or(|elements| elements > isize::MAX.unsigned_abs() / 8) {
        return Err(SignalError::undefined(
            NAME,
            format!("a kernel matrix of {n} rows does not fit in memory"),
        ));
    }
    let mut kernel = Array2::<f64>::eye(n);
    points.within(|i, from, distances| {
        for (j, square) in distances.iter().enumerate() {
            kernel[[from + j, i]] = (-gamma * square).exp();
        }
    });
    of_triangle(&kernel, order)
}

/// The score of the lower triangle of a kernel matrix, whatever it is divided by.
fn of_triangle(matrix: &Array2<f64>, order: f64) -> Result<f64, SignalError> {
    if order != 2.0 {
        return Ok(effective_number(&shares(&eigenvalues(matrix, NAME)?, NAME)?, order));
    }
    let (trace, squares) =
        matrix.rows().into_iter().enumerate().fold((0.0, 0.0), |(trace, squares), (i, row)| {
            let off: f64 = row.iter().take(i).map(|value| value * value).sum();
            (trace + row[i], squares + row[i] * row[i] + 2.0 * off)
        });
    if trace > 0.0 { Ok(trace * trace / squares) } else { shares(&[trace], NAME).map(|_| 0.0) }
}

fn check_kernel(kernel: ArrayView2<'_, f64>, diagonal: Diagonal) -> Result<usize, SignalError> {
    let (n, columns) = kernel.dim();
    if n == 0 {
        return Err(SignalError::TooFew { what: "rows", found: 0, expected: 1 });
    }
    if n != columns {
        return Err(SignalError::Shape {
            what: "number of columns of the kernel",
            found: columns,
            expected: n,
        });
    }
    for i in 0..n {
        let own = kernel[[i, i]];
        let (fine, expected) = match diagonal {
            Diagonal::Ones => ((own - 1.0).abs() <= CLOSE, "1 within 1e-6"),
            Diagonal::Normalise => (own > 0.0 && own.is_finite(), "a finite number above 0"),
        };
        if !fine {
            return Err(SignalError::Value {
                what: "diagonal of the kernel at",
                index: i,
                found: own,
                expected,
            });
        }
        for j in 0..i {
            let (a, b) = (kernel[[i, j]], kernel[[j, i]]);
            let apart = (a - b).abs();
            if apart.is_nan() || apart > CLOSE * own.max(1.0) {
                return Err(SignalError::Value {
                    what: "asymmetry of the kernel in row",
                    index: i,
                    found: a - b,
                    expected: "0 within 1e-6",
                });
            }
        }
    }
    Ok(n)
}

fn weights_of(n: usize, weights: Option<&[f64]>) -> Result<Vec<f64>, SignalError> {
    let Some(weights) = weights else { return Ok(vec![1.0 / n as f64; n]) };
    if weights.len() != n {
        return Err(SignalError::Shape { what: "number of weights", found: weights.len(), expected: n });
    }
    if let Some(index) = weights.iter().position(|weight| weight.is_nan() || *weight < 0.0) {
        let found = weights[index];
        return Err(SignalError::Value { what: "weight of item", index, found, expected: "0 or more" });
    }
    let sum: f64 = weights.iter().sum();
    if !sum.is_finite() || (sum - 1.0).abs() > CLOSE {
        return Err(SignalError::setting("sum of the weights", sum, "1 within 1e-6"));
    }
    Ok(weights.iter().map(|weight| weight / sum).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn single_and_double_precision_agree() {
        // Large enough for the products in single precision, with a decaying spectrum.
        let wave = |i: usize, j: usize| {
            ((i * 7919 + j * 104_729) as f64 * 0.618).sin() * ((i * (j + 2)) as f64).cos()
        };
        let x = Array2::from_shape_fn((4000, 80), |(i, j)| (wave(i, j) / (1.0 + j as f64).sqrt()) as f32);
        let wide = x.mapv(f64::from);
        for order in [1.0, 1.5, 2.0, f64::INFINITY, 0.5] {
            let options = Vendi { order, ..Vendi::default() };
            let (single, double) = (vendi_score(x.view(), &options), vendi_score(wide.view(), &options));
            let (single, double) = (single.unwrap(), double.unwrap());
            assert!((single / double - 1.0).abs() < 1e-7, "{order}: {single} {double}");
        }
        // Of rank 3, where the rounding of single precision would show.
        let low = Array2::from_shape_fn((4000, 80), |(i, j)| {
            (0..3).map(|k| wave(i, k + 100) * wave(j + 5000, k)).sum::<f64>() as f32
        });
        let double = vendi_score(low.mapv(f64::from).view(), &Vendi::default()).unwrap();
        assert_eq!(vendi_score(low.view(), &Vendi::default()).unwrap(), double);
    }

    #[test]
    fn a_kernel_that_is_none_is_refused() {
        let message = |k: Array2<f64>, diagonal, weights: Option<&[f64]>| {
            vendi_score_of_kernel(k.view(), 1.0, diagonal, weights).unwrap_err().to_string()
        };
        let ones = Diagonal::Ones;
        assert_eq!(message(Array2::zeros((0, 0)), ones, None), "0 rows: expected at least 1");
        assert_eq!(
            message(array![[1.0, 0.0]], ones, None),
            "number of columns of the kernel: found 2, expected 1"
        );
        assert_eq!(
            message(array![[1.0, 0.0], [0.0, 2.0]], ones, None),
            "diagonal of the kernel at 1 is 2: expected 1 within 1e-6"
        );
        assert_eq!(
            message(array![[1.0, 0.5], [0.0, 1.0]], ones, None),
            "asymmetry of the kernel in row 1 is -0.5: expected 0 within 1e-6"
        );
        assert_eq!(
            message(array![[1.0, 2.0], [2.0, 1.0]], ones, None),
            "Vendi score is undefined: the kernel has the negative eigenvalue -5.000e-1"
        );
        assert_eq!(
            message(array![[0.0]], Diagonal::Normalise, None),
            "diagonal of the kernel at 0 is 0: expected a finite number above 0"
        );
        let eye = Array2::eye(2);
        assert_eq!(message(eye.clone(), ones, Some(&[1.0])), "number of weights: found 1, expected 2");
        assert_eq!(
            message(eye.clone(), ones, Some(&[1.5, -0.5])),
            "weight of item 1 is -0.5: expected 0 or more"
        );
        assert_eq!(message(eye, ones, Some(&[0.5, 0.4])), "sum of the weights = 0.9: expected 1 within 1e-6");
    }

    #[test]
    fn an_item_of_double_weight_counts_like_two() {
        let k = array![[1.0, 0.3], [0.3, 1.0]];
        let twice = array![[1.0, 1.0, 0.3], [1.0, 1.0, 0.3], [0.3, 0.3, 1.0]];
        let weights = [2.0 / 3.0, 1.0 / 3.0];
        for order in [0.0, 0.5, 1.0, 2.0, f64::INFINITY] {
            let found = vendi_score_of_kernel(k.view(), order, Diagonal::Ones, Some(&weights)).unwrap();
            let expected = vendi_score_of_kernel(twice.view(), order, Diagonal::Ones, None).unwrap();
            assert!((found - expected).abs() < 1e-10, "{order}: {found} {expected}");
        }
        let found = internal_diversity(k.view(), Some(&weights)).unwrap();
        assert!((found - internal_diversity(twice.view(), None).unwrap()).abs() < 1e-12);
        let scaled = array![[4.0, 1.2], [1.2, 4.0]];
        let found = vendi_score_of_kernel(scaled.view(), 1.0, Diagonal::Normalise, None).unwrap();
        assert!((found - vendi_score_of_kernel(k.view(), 1.0, Diagonal::Ones, None).unwrap()).abs() < 1e-12);
    }

    #[test]
    fn rows_of_zeros_add_nothing() {
        let with = array![[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]];
        let cosine = |zero_rows| Vendi { kernel: Kernel::Cosine { zero_rows }, ..Vendi::default() };
        assert!((vendi_score(with.view(), &cosine(ZeroRows::Zero)).unwrap() - 2.0).abs() < 1e-12);
        let error = vendi_score(with.view(), &cosine(ZeroRows::Refuse)).unwrap_err().to_string();
        assert_eq!(error, "cosine is undefined: row 2 is zero");
        for order in [1.0, 2.0] {
            let options = Vendi { order, ..cosine(ZeroRows::Zero) };
            let error = vendi_score(Array2::<f64>::zeros((2, 2)).view(), &options).unwrap_err().to_string();
            assert_eq!(error, "Vendi score is undefined: every eigenvalue is zero");
        }
    }
}
