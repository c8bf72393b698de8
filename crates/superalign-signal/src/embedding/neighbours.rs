//! The rows that are nearest to one row by cosine, exact.

use super::real::{Real, ZeroRows, inverse_norms, sum_over};
use crate::SignalError;
use ndarray::ArrayView2;

/// A row near another one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Its place, from 0.
    pub row: usize,
    /// Its cosine with the other one, in [-1, 1].
    pub cosine: f64,
}

/// The `k` rows of `x` (n, d) that have the largest cosine with row `row`, the nearest first; the row itself is none of
/// them. Of rows with one cosine that with the lower number comes first. Where there are fewer than `k` others, all are.
///
/// `x[i].x[row] / (|x[i]| |x[row]|)` in all d columns, O(n d + n log n): what scikit-learn's `NearestNeighbors` finds
/// with `metric="cosine"` (one minus its distances), without the row itself. Each cosine is summed in a fixed order, so
/// that it has the same bits on every machine.
///
/// # Errors
/// Fewer than two rows, no such row, `k` of 0, a coordinate that is not finite; row `row` is zero, which has no
/// direction, or another one is and `zero_rows` refuses it.
///
/// ```
/// use superalign_signal::embedding::{ZeroRows, nearest_neighbours};
/// let x = ndarray::array![[1.0, 0.0], [0.0, 2.0], [3.0, 3.0], [5.0, 0.1]];
/// let found = nearest_neighbours(x.view(), 0, 2, ZeroRows::Refuse)?;
/// assert_eq!((found[0].row, found[1].row), (3, 2));
/// assert!((found[1].cosine - 0.5_f64.sqrt()).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn nearest_neighbours<T: Real>(
    x: ArrayView2<'_, T>,
    row: usize,
    k: usize,
    zero_rows: ZeroRows,
) -> Result<Vec<Neighbour>, SignalError> {
    if k == 0 {
        return Err(SignalError::setting("k", 0.0, "at least 1"));
    }
    let inverse = inverse_norms(x, 2, zero_rows)?;
    let Some(own) = inverse.get(row) else {
        return Err(SignalError::setting(
            "row",
            row as f64,
            format!("less than {}, of which there are so many", x.nrows()),
        ));
    };
    if *own == 0.0 {
        return Err(SignalError::undefined("cosine", format!("row {row} is zero")));
    }
    let x = x.as_standard_layout();
    let rows: Vec<&[T]> = x.as_slice().unwrap_or_default().chunks_exact(x.ncols()).collect();
    let cosine = |i: usize| {
        // The chosen row at unit length, so that no product leaves the range of numbers.
        let along = sum_over(rows[row], rows[i], |a, b| a * own * b);
        // 0 in place of -0, which would come after it.
        (along * inverse[i]).clamp(-1.0, 1.0) + 0.0
    };
    let others = (0..x.nrows()).filter(|i| *i != row);
    let mut found: Vec<Neighbour> = others.map(|i| Neighbour { row: i, cosine: cosine(i) }).collect();
    let nearer = |a: &Neighbour, b: &Neighbour| b.cosine.total_cmp(&a.cosine).then(a.row.cmp(&b.row));
    if k < found.len() {
        found.select_nth_unstable_by(k, nearer);
        found.truncate(k);
    }
    found.sort_unstable_by(nearer);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    fn rows(x: &Array2<f64>, row: usize, k: usize) -> Vec<usize> {
        let found = nearest_neighbours(x.view(), row, k, ZeroRows::Zero).unwrap();
        found.iter().map(|one| one.row).collect()
    }

    #[test]
    fn equal_cosines_come_in_the_order_of_rows() {
        let x = array![[0.0, 1.0], [2.0, 0.0], [1.0, 0.0], [0.0, -3.0], [4.0, 0.0], [0.0, 0.0]];
        assert_eq!(rows(&x, 2, 9), [1, 4, 0, 3, 5]);
        assert_eq!(rows(&x, 2, 3), [1, 4, 0]);
        assert_eq!(rows(&x, 0, 1), [1]);
    }

    #[test]
    fn rows_of_any_size_and_layout_are_compared() {
        let x = array![[3e-200, 4e-200], [6e140, 8e140], [4e-200, -3e-200], [-3e140, -4e140]];
        let found = nearest_neighbours(x.view(), 0, 3, ZeroRows::Refuse).unwrap();
        assert_eq!(found.iter().map(|one| one.row).collect::<Vec<_>>(), [1, 2, 3]);
        for (one, expected) in found.iter().zip([1.0, 0.0, -1.0]) {
            assert!((one.cosine - expected).abs() < 1e-15, "{one:?}");
        }
        let (turned, single) = (x.t().to_owned(), x.mapv(|value| value as f32));
        assert_eq!(nearest_neighbours(turned.t(), 0, 3, ZeroRows::Refuse).unwrap(), found);
        let error = nearest_neighbours(single.view(), 0, 3, ZeroRows::Refuse).unwrap_err().to_string();
        assert!(error.contains("coordinate of row 1") || error.contains("is zero"), "{error}");
    }

    #[test]
    fn what_has_no_neighbours_is_told() {
        let x = array![[1.0, 0.0], [0.0, 0.0]];
        let message = |row, k, zero| nearest_neighbours(x.view(), row, k, zero).unwrap_err().to_string();
        assert_eq!(message(0, 0, ZeroRows::Zero), "k = 0: expected at least 1");
        assert_eq!(message(0, 1, ZeroRows::Refuse), "cosine is undefined: row 1 is zero");
        assert_eq!(message(1, 1, ZeroRows::Zero), "cosine is undefined: row 1 is zero");
        assert_eq!(
            message(2, 1, ZeroRows::Zero),
            "row = 2: expected less than 2, of which there are so many"
        );
        let one = array![[1.0]];
        let error = nearest_neighbours(one.view(), 0, 1, ZeroRows::Refuse).unwrap_err().to_string();
        assert_eq!(error, "1 rows: expected at least 2");
    }
}
