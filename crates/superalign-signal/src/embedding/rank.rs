//! Effective dimensions: of the singular values (effective rank, RankMe) and of the covariance (participation ratio).

use super::matrix::{Over, Precision, Shape, gram, means, singular_values, triangle};
use super::real::{Real, check};
use crate::SignalError;
use ndarray::ArrayView2;

/// How the entropy of the singular values is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum RankEntropy {
    /// `-sum p log p` with `0 log 0 = 0` (Roy and Vetterli 2007).
    #[default]
    RoyVetterli,
    /// RankMe (Garrido et al. 2023): epsilon is added to every p, which then sum to more than 1.
    RankMe {
        /// What is added, 0 or more; 1e-7 in the paper.
        epsilon: f64,
    },
}

impl RankEntropy {
    /// RankMe with the epsilon of its paper.
    #[must_use]
    pub const fn rank_me() -> Self {
        Self::RankMe { epsilon: 1e-7 }
    }
}

/// The effective rank of `x` (n, d), in [1, min(n, d)]: the exponential of the entropy of its singular values.
///
/// `exp(-sum p log p)` with `p = s / sum s`, s the singular values of the matrix as it is, neither centred nor scaled.
/// They are those of the triangle of a QR decomposition, taken block by block, and so exact to the last digits even
/// where `X'X` would have lost the small ones. O(n d^2). For an interval see [`jackknife`](super::jackknife).
///
/// # Errors
/// No row, coordinates that are not finite, a matrix of zeros, an epsilon out of range.
///
/// ```
/// use superalign_signal::embedding::{RankEntropy, effective_rank};
/// let x = ndarray::array![[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]];
/// assert!((effective_rank(x.view(), RankEntropy::RoyVetterli)? - 2.0).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn effective_rank<T: Real>(x: ArrayView2<'_, T>, entropy: RankEntropy) -> Result<f64, SignalError> {
    check(x, 1)?;
    if let RankEntropy::RankMe { epsilon } = entropy
        && !(epsilon >= 0.0 && epsilon.is_finite())
    {
        return Err(SignalError::setting("epsilon", epsilon, "a finite number, 0 or more"));
    }
    let narrow = if x.nrows() < x.ncols() { x.reversed_axes() } else { x };
    let values = singular_values(triangle(narrow, None).as_ref(), "effective rank")?;
    let sum: f64 = values.iter().sum();
    if sum == 0.0 {
        return Err(SignalError::undefined("effective rank", "every coordinate is zero"));
    }
    let term = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    let add = if let RankEntropy::RankMe { epsilon } = entropy { epsilon } else { 0.0 };
    Ok(values.iter().map(|value| term(value / sum + add)).sum::<f64>().exp())
}

/// The participation ratio of the covariance of `x` (n, d), in [1, min(n - 1, d)]: over how many dimensions the rows
/// spread.
///
/// `(tr C)^2 / tr(C^2)` with C the covariance, that is `(sum l)^2 / sum l^2` over its eigenvalues, which are not
/// computed; what C is divided by cancels. O(n d min(n, d)).
///
/// # Errors
/// Fewer than two rows, coordinates that are not finite, rows that are all alike.
///
/// ```
/// use superalign_signal::embedding::participation_ratio;
/// let x = ndarray::array![[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]];
/// assert!((participation_ratio(x.view())? - 2.0).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn participation_ratio<T: Real>(x: ArrayView2<'_, T>) -> Result<f64, SignalError> {
    check(x, 2)?;
    let rows = x.rows().into_iter();
    if rows.clone().all(|row| row.iter().zip(x.row(0)).all(|(a, b)| a.wide() == b.wide())) {
        return Err(SignalError::undefined("participation ratio", "all rows are alike"));
    }
    let centre = means(x);
    let shape = Shape { centre: Some(&centre), ..Shape::default() };
    let gram = gram(x, Over::smaller(x), shape, Precision::Double);
    let trace: f64 = gram.diag().sum();
    // Divided by the trace first: the squares of large coordinates would overflow.
    let squares: f64 = gram
        .rows()
        .into_iter()
        .enumerate()
        .map(|(i, row)| {
            let square = |value: f64| (value / trace).powi(2);
            square(row[i]) + 2.0 * row.iter().take(i).map(|value| square(*value)).sum::<f64>()
        })
        .sum();
    Ok(1.0 / squares)
}
